import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import { Face } from '../ui/face';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Name } from '../ui/text';
import type { Engine } from './engine';
import type { Member } from './member';

const LOOK = 5000;		/* ms between looks at the ways taken */

function names(ids: number[]): string {
	return (ids.map((id) => app.nameOf(app.avatar(id)?.user ?? 0))
	    .filter(Boolean).join(app.lang === 'ja' ? '、' : ', '));
}

function Note(p: { icon: IconName; testid: string; bad?: boolean;
    children: ComponentChildren }): JSX.Element {
	return (<div class={p.bad ? 'talk-note bad' : 'talk-note'}
	    role="status" data-testid={p.testid}>
		<Icon name={p.icon} size={17} />{p.children}</div>);
}

function Act(p: { word: string; testid: string; main?: boolean;
    act(): void }): JSX.Element {
	return (<button type="button" class={`button small${p.main ? ' main' :
	    ''}`} data-testid={p.testid} onClick={p.act}>{p.word}</button>);
}

/* Somebody comes into the conversation, or one does oneself. */
function Soon(p: { e: Engine }): JSX.Element | null {
	const { soon, with: others } = p.e.now;
	const name = names(soon.map((s) => s.id));

	if (soon.length === 0 || name === '')
		return (null);
	return (<Note icon="walk" testid="talk-soon"><span class="grow">
		{app.t(others.length === 0 ? 'talk.soon.you' :
		    'talk.soon.they', { name })}</span></Note>);
}

function Full(p: { e: Engine }): JSX.Element | null {
	const { me, full } = p.e.now;
	const n = p.e.info?.limits.voice ?? 16;

	if (me.listen)
		return (<Note icon="ear" testid="talk-listening">
			<span class="grow">{app.t('talk.listening')}</span>
			<Act word={app.t('talk.listen.end')}
			    testid="listen-end" act={() => p.e.listen(false)} />
		</Note>);
	if (!full)
		return (null);
	return (<Note icon="alert" testid="talk-full">
		<span class="grow">{app.t('talk.full', { n })}</span>
		{p.e.info?.listen === true && <Act main={true}
		    word={app.t('talk.listen')} testid="listen"
		    act={() => p.e.listen(true)} />}
	</Note>);
}

/* Who has the word, who would like it, and what one can do about it. */
function Stage(p: { e: Engine }): JSX.Element | null {
	const { stage } = p.e.now;
	const you = app.floor?.you ?? 0;

	if (stage === undefined)
		return (null);
	const on = stage.speakers.includes(you);
	const up = stage.hands.includes(you);
	const gives = on || app.user?.role === 'admin';
	const line = (id: number, speaks: boolean) => (
		<li key={id} class="stage-line">
			<Icon name={speaks ? 'word' : 'hand'} size={16} />
			<span class="grow"><Name text={id === you ?
			    app.t('talk.you') : names([id])} /></span>
			{gives && id !== you && <Act testid={`word-${id}`}
			    word={app.t(speaks ? 'talk.word.take' :
			    'talk.word.give')}
			    act={() => p.e.word(id, !speaks)} />}
		</li>);
	return (
		<div class="talk-stage" data-testid="talk-stage">
			<h3>{app.t('talk.stage')}</h3>
			<ul>{stage.speakers.map((id) => line(id, true))}
				{stage.hands.map((id) => line(id, false))}</ul>
			{stage.speakers.length === 0 && <p class="dim">
				{app.t('talk.stage.free')}</p>}
			{on ? <Act word={app.t('talk.word.back')}
			    testid="word-back"
			    act={() => p.e.word(you, false)} /> :
			    <Act word={app.t(up ? 'talk.hand.down' :
				'talk.hand.up')} testid="hand" main={!up}
				act={() => p.e.hand(!up)} />}
		</div>
	);
}

function routeWords(m: Member): string {
	if (m.route === null)
		return (app.t(m.peer.broken() ? 'talk.route.none' :
		    'talk.route.making'));
	return ([app.t(`talk.route.${m.route.way}`),
	    m.route.by.toUpperCase(),
	    m.route.ms > 0 ? `${m.route.ms} ms` : ''].filter(Boolean)
	    .join(' · '));
}

/* How loud somebody is to us, and by which way we are connected. */
function Details(p: { e: Engine; m: Member }): JSX.Element {
	const { e, m } = p;
	const name = app.nameOf(m.user);

	return (
		<div class="talk-more">
			<label class="talk-volume">
				<Icon name="volume" size={16} />
				<input type="range" min="0" max="100" step="5"
				    data-testid={`volume-${m.user}`}
				    aria-label={app.t('talk.volume', { name })}
				    value={Math.round(e.volumeOf(m.user) *
				    100)}
				    onInput={(ev) => e.setVolume(m.user,
				    Number(ev.currentTarget.value) / 100)} />
			</label>
			<p class="dim" data-testid={`route-${m.user}`}>
				{routeWords(m)}</p>
		</div>
	);
}

function Line(p: { e: Engine; m: Member }): JSX.Element {
	const { e, m } = p;
	const open = app.talk.menu === m.user;
	const silent = e.volumeOf(m.user) === 0;
	const flip = () => {
		app.talk.menu = open ? 0 : m.user;
		app.changed('talk');
	};

	return (
		<li class={m.voice.on ? 'talk-line speaking' : 'talk-line'}
		    data-testid={`with-${m.user}`} data-way={m.now.way}>
			<button type="button" class="talk-person"
			    aria-expanded={open} onClick={flip}
			    title={routeWords(m)}>
				<Face look={app.lookOf(m.user)} size={28} />
				<span class="grow"><Name
				    text={app.nameOf(m.user)} />
					{m.now.way !== 'both' && <small
					    class="dim">{app.t(
					    `talk.way.${m.now.way}`)}
					</small>}
				</span>
				{m.voice.on && <span class="vh">
					{app.t('talk.speaking')}</span>}
				{silent && <Icon name="volume-off" size={16} />}
				{m.now.screen && <Icon name="screen"
				    size={16} />}
				{m.now.cam && <Icon name="cam" size={16} />}
				<Icon name={m.now.mic ? 'mic' : 'mic-off'}
				    size={16} />
				{!m.peer.connected() && <span
				    class="talk-joining" aria-label={
				    routeWords(m)} role="img"><Icon
				    name={m.peer.broken() ? 'offline' :
				    'reload'} size={16} /></span>}
			</button>
			{open && <Details e={e} m={m} />}
		</li>
	);
}

function heading(e: Engine, all: Member[]): string {
	const n = all.filter((m) => m.hears()).length;

	if (e.own.tracks.mic !== null || e.own.tracks.cam !== null ||
	    e.own.tracks.screen !== null)
		return (n === 0 ? app.t('talk.heard.none') :
		    app.t('talk.heard', { n }));
	return (app.t('talk.near', { n: all.length }));
}

/* The ways taken are looked at while somebody looks at them. */
function useRoutes(e: Engine | null, on: boolean): void {
	useEffect(() => {
		if (e === null || !on)
			return;
		void e.routes();
		const id = setInterval(() => void e.routes(), LOOK);
		return (() => clearInterval(id));
	}, [e, on]);
}

function Head(p: { e: Engine; all: Member[]; open: boolean }): JSX.Element {
	const { e, all, open } = p;
	const pictures = all.some((m) => m.cam !== null ||
	    m.screen !== null) || e.own.tracks.cam !== null ||
	    e.own.tracks.screen !== null;
	const flip = () => {
		app.talk.open = !open;
		app.changed('talk');
	};

	return (
		<header class="talk-head">
			<button type="button" class="talk-title"
			    aria-expanded={open} onClick={flip}
			    data-testid="talk-title">
				<Icon name="ear" size={18} />
				<b class="grow">{heading(e, all)}</b>
				<Icon name={open ? 'up' : 'down'} size={16} />
			</button>
			{pictures && <button type="button"
			    class="icon-button" data-testid="gallery-toggle"
			    aria-pressed={app.talk.gallery}
			    aria-label={app.t('talk.gallery')}
			    title={app.t('talk.gallery')}
			    onClick={() => app.talk.setGallery(
			    !app.talk.gallery)}><Icon name="grid" /></button>}
		</header>
	);
}

/* Folded, the names of those who hear us are there all the same. */
function Names(p: { all: Member[] }): JSX.Element | null {
	const list = p.all.filter((m) => m.hears());

	if (list.length === 0)
		return (null);
	return (<p class="talk-names" data-testid="talk-names">
		{list.map((m, i) => <span key={m.user} class={m.voice.on ?
		    'speaking' : undefined}>
			{i > 0 && (app.lang === 'ja' ? '、' : ', ')}
			<Name text={app.nameOf(m.user)} /></span>)}</p>);
}

/*
 * Who hears whom, and what there is to say about it: in view while the
 * microphone is on, or somebody is near.
 */
export function TalkPanel(): JSX.Element | null {
	useTopics('talk', 'people', 'floor', 'page');
	const phone = useMedia(PHONE);
	const e = app.talk.engine;
	const all = [...e?.members.values() ?? []];
	const open = app.talk.open ?? (!phone && app.talk.sends() &&
	    all.length <= 5);

	useRoutes(e, open && all.length > 0);
	if (e === null || app.floor === null || (all.length === 0 &&
	    !app.talk.sends() && e.now.soon.length === 0 && !e.now.full &&
	    !e.now.me.listen && e.now.stage === undefined))
		return (null);
	return (
		<section class="talk" aria-label={app.t('talk.label')}
		    data-testid="talk-panel">
			<Head e={e} all={all} open={open} />
			{e.blocked && all.length > 0 &&
			    <Note icon="volume-off" testid="talk-blocked">
				<span class="grow">{app.t('talk.blocked')}
				</span></Note>}
			<Soon e={e} />
			<Full e={e} />
			{open ? <ul class="talk-list">{all.map((m) =>
			    <Line key={m.user} e={e} m={m} />)}</ul> :
			    <Names all={all} />}
			<Stage e={e} />
		</section>
	);
}
