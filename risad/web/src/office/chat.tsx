import type { ComponentChildren, JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { app, type Tab } from '../app';
import type { Key } from '../i18n/index';
import { Icon } from '../icon';
import type { Chat as Known } from '../lib/chats';
import { Composition } from '../lib/ime';
import { lines } from '../lib/lines';
import type { Draft } from '../lib/outbox';
import { length, marked, match } from '../lib/text';
import { clockTime, dayName } from '../lib/time';
import type { Look, Message } from '../types';
import { problem } from '../ui/field';
import { Dot, Face, GuestTag } from '../ui/face';
import { Confirm } from '../ui/dialog';
import { useTopics } from '../ui/hooks';
import { Name, Written } from '../ui/text';

const LIMIT = 4000;		/* characters of one message */
const NEAR = 200;		/* from where on what is left is shown */
const END = 48;			/* pixels that still count as the end */
const TOP = 160;		/* pixels from the top that load more */

function Badge(p: { n: number }): JSX.Element | null {
	return (p.n === 0 ? null : <span class="badge">
		<span aria-hidden="true">{p.n > 99 ? '99+' : p.n}</span>
		<span class="vh">{app.t('chat.unread', { n: p.n })}</span>
	</span>);
}

function TabButton(p: { tab: Tab; n: number; children: ComponentChildren }):
    JSX.Element {
	const on = app.tab === p.tab;

	return (
		<button type="button" role="tab" aria-selected={on} class="tab"
		    id={`tab-${p.tab}`} aria-controls="chat-panel"
		    tabIndex={on ? 0 : -1} data-testid={`tab-${p.tab}`}
		    onClick={() => app.setTab(p.tab)}>
			<span class="tab-name">{p.children}</span>
			<Badge n={p.n} />
		</button>
	);
}

/* Arrow keys walk along the tabs. */
function walkTabs(e: TargetedKeyboardEvent<HTMLDivElement>): void {
	const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 :
	    0;
	const all = [...e.currentTarget.querySelectorAll<HTMLElement>(
	    '[role=tab]')];
	const i = all.findIndex((x) => x === document.activeElement);

	if (step === 0 || i === -1)
		return;
	const next = all[(i + step + all.length) % all.length];
	next?.focus();
	next?.click();
}

function Tabs(): JSX.Element {
	const f = app.floor;
	const n = (c: string) => app.chats.peek(c)?.unread ?? 0;

	return (
		<div class="tabs" role="tablist" onKeyDown={walkTabs}
		    aria-label={app.t('chat.title')}>
			<TabButton tab="floor" n={n(`floor:${f?.id}`)}>
				{app.t('chat.floor')}</TabButton>
			{app.room !== 0 && f !== null && <TabButton tab="room"
			    n={n(`room:${f.id}:${app.room}`)}>
				<Name text={app.roomName(app.room)} />
			</TabButton>}
			<TabButton tab="direct" n={app.unreadDirect()}>
				{app.t('chat.direct')}</TabButton>
		</div>
	);
}

interface Author {
	from: number;
	name: string;
	look: Look;
	at: number;
	guest?: boolean;
}

function Block(p: { a: Author; head: boolean; class?: string;
    children: ComponentChildren }): JSX.Element {
	const time = clockTime(p.a.at, app.lang);
	const iso = new Date(p.a.at).toISOString();

	return (
		<li class={`msg${p.head ? ' head' : ''} ${p.class ?? ''}`}>
			<div class="msg-side">{p.head ?
			    <Face look={p.a.look} size={30} /> :
			    <time dateTime={iso}>{time}</time>}</div>
			<div class="msg-body">
				{p.head && <p class="msg-head">
					<b><Name text={p.a.name} /></b>
					{p.a.guest && <GuestTag />}
					<time dateTime={iso}>{time}</time>
				</p>}
				{p.children}
			</div>
		</li>
	);
}

function Eraser(p: { m: Message }): JSX.Element {
	const [ask, setAsk] = useState(false);

	return (
		<>
			<button type="button" class="icon-button msg-erase"
			    aria-label={app.t('chat.erase')}
			    title={app.t('chat.erase')}
			    data-testid={`msg-erase-${p.m.id}`}
			    onClick={() => setAsk(true)}>
				<Icon name="trash" size={14} /></button>
			{ask && <Confirm close={() => setAsk(false)}
			    title={app.t('chat.erase')}
			    lead={app.t('chat.erase.lead')}
			    yes={app.t('chat.erase.yes')} error=""
			    act={async () => {
				app.erase(p.m);
				setAsk(false);
				await Promise.resolve();
			    }} />}
		</>
	);
}

function Said(p: { m: Message; head: boolean }): JSX.Element {
	const a = { from: p.m.from, at: p.m.at,
	    name: app.nameOf(p.m.from) || p.m.name ||
	    app.t('chat.former'),
	    look: app.lookOf(p.m.from), guest: p.m.guest };

	return (<Block a={a} head={p.head}><Written text={p.m.text} />
		{app.mayErase(p.m) && <Eraser m={p.m} />}
	</Block>);
}

function failure(code: string): Key {
	const known = ['not-here', 'no-user', 'no-right', 'forbidden'];

	return (known.includes(code) ? `chat.failed.${code}` as Key :
	    'chat.failed');
}

/* Written, not yet acknowledged. */
function Pending(p: { d: Draft; head: boolean }): JSX.Element | null {
	const me = app.user;
	const { d } = p;

	if (me === null)
		return (null);
	const a = { from: me.id, name: me.name, look: app.lookOf(me.id),
	    at: d.at };
	return (
		<Block a={a} head={p.head} class={d.failed ? 'failed' :
		    'pending'}>
			<Written text={d.text} />
			<p class="msg-state" data-testid="msg-state">
				{d.failed === '' ? app.t(app.net === 'up' ?
				    'chat.pending' : 'chat.offline') : <>
					<Icon name="alert" size={14} />
					{app.t(failure(d.failed))}
					<button type="button" onClick={() =>
					    app.outbox.retry(d.ref)}>
						{app.t('chat.resend')}
					</button>
					<button type="button" onClick={() =>
					    app.outbox.discard(d.ref)}>
						{app.t('chat.discard')}
					</button>
				</>}
			</p>
		</Block>
	);
}

function emptyKey(): Key {
	return (app.tab === 'direct' ? 'chat.empty.direct' :
	    app.tab === 'room' ? 'chat.empty.room' : 'chat.empty.floor');
}

function Items(p: { channel: string }): JSX.Element {
	const c = app.chats.get(p.channel);
	const drafts = app.drafts(p.channel);
	const self = app.user?.id;
	const now = app.now();

	return (
		<>
			{c.messages.length > 0 && (!c.more ||
			    c.failed === null) && <li class="msg-edge">
				{app.t(c.more ? 'chat.history' :
				    'chat.start')}</li>}
			{lines(c.messages, c.line).map((x) =>
			    x.kind === 'day' ? <li key={x.key} class="day">
				<span>{dayName(x.at, now, app.lang)}</span>
			    </li> : x.kind === 'new' ?
			    <li key={x.key} class="new-line"
				data-testid="new-line">
				<span>{app.t('chat.new')}</span></li> :
			    <Said key={x.key} m={x.m} head={x.head} />)}
			{drafts.map((d, i) => <Pending key={d.ref} d={d}
			    head={i === 0 && c.messages.at(-1)?.from !==
			    self} />)}
		</>
	);
}

/* Behind another page: it has no sizes, so no end and no top. */
function unseen(el: HTMLElement): boolean {
	return (el.clientHeight === 0);
}

/* Keeps the place one reads at while lines come above and below. */
function useScroll(channel: string) {
	const ref = useRef<HTMLDivElement>(null);
	const kept = useRef({ channel: '', first: 0, height: 0, end: true });
	const [end, setEnd] = useState(true);

	const look = () => {
		const el = ref.current;
		if (el === null)
			return;
		if (unseen(el))
			return (app.looking(false));
		const c = app.chats.get(channel);
		const at = el.scrollHeight - el.scrollTop - el.clientHeight <
		    END;
		kept.current.end = at;
		setEnd(at);
		app.looking(at);
		if (el.scrollTop < TOP && c.more && c.loaded && !c.loading)
			void app.history(channel, c.messages[0]?.id ?? 0);
	};
	const place = () => {
		const el = ref.current;
		const k = kept.current;
		if (el === null || unseen(el))
			return (app.looking(false));
		const first = app.chats.get(channel).messages[0]?.id ?? 0;
		const fresh = k.channel !== channel || k.first === 0;
		if (fresh) {
			el.scrollTop = el.scrollHeight;
			const line = el.querySelector<HTMLElement>('.new-line');
			if (line !== null && line.offsetTop < el.scrollTop)
				el.scrollTop = line.offsetTop - 24;
		} else if (first !== k.first && !k.end) {
			el.scrollTop += el.scrollHeight - k.height;
		} else if (k.end) {
			el.scrollTop = el.scrollHeight;
		}
		kept.current = { channel, first, height: el.scrollHeight,
		    end: k.end };
		look();
	};
	useLayoutEffect(place);
	useEffect(() => {
		const el = ref.current;
		if (el === null)
			return;
		/* Also when it is shown: a sheet is, once all in it is there. */
		const o = new ResizeObserver(place);
		o.observe(el);
		return (() => {
			o.disconnect();
			app.looking(false);
		});
	}, []);
	const toEnd = () => {
		if (ref.current !== null)
			ref.current.scrollTop = ref.current.scrollHeight;
	};
	return ({ ref, end, look, toEnd });
}

/* It is tried again by itself, or at once by hand. */
function Unloaded(p: { c: Known }): JSX.Element | null {
	if (p.c.failed === null)
		return (null);
	return (
		<div class="notice bad unloaded" data-testid="chat-unloaded">
			<Icon name="alert" />
			<span class="grow" role="alert">
				{problem(p.c.failed)}</span>
			<button type="button" class="button small"
			    data-testid="chat-reload"
			    disabled={p.c.loading}
			    onClick={() => app.historyNow(p.c.channel)}>
				{app.t('ok.retry')}</button>
		</div>
	);
}

function Messages(p: { channel: string }): JSX.Element {
	const c = app.chats.get(p.channel);
	const { ref, end, look, toEnd } = useScroll(p.channel);
	const nothing = c.messages.length === 0 &&
	    app.drafts(p.channel).length === 0;

	return (
		<div class="msgs-frame">
			<Unloaded c={c} />
			<div class="msgs" ref={ref} onScroll={look}
			    tabIndex={0} role="region"
			    aria-label={app.t('chat.messages')}>
				<ol data-testid="chat-list">
					<Items channel={p.channel} /></ol>
				{nothing && (c.loaded || c.failed === null) &&
				    <p class="empty">{app.t(c.loaded ?
				    emptyKey() : 'ok.loading')}</p>}
			</div>
			{!end && <button type="button" class="newest"
			    data-testid="chat-newest" onClick={toEnd}>
				<Icon name="newest" size={15} />
				{c.unread > 0 ? app.t('chat.newest.n',
				    { n: c.unread }) : app.t('chat.newest')}
			</button>}
		</div>
	);
}

function grow(el: HTMLTextAreaElement): void {
	el.style.height = 'auto';
	el.style.height = `${Math.min(el.scrollHeight + 2, 168)}px`;
}

function LeftOver(p: { n: number }): JSX.Element | null {
	if (p.n > NEAR)
		return (null);
	return (<p class={p.n < 0 ? 'left-over bad' : 'left-over'}
	    id="chat-left" role={p.n < 0 ? 'alert' : undefined}>
		{p.n < 0 ? app.t('chat.over', { n: -p.n }) :
		    app.t('chat.left', { n: p.n })}</p>);
}

function Composer(p: { channel: string; to: string }): JSX.Element {
	const [text, setText] = useState(app.begun.get(p.channel) ?? '');
	const ime = useRef(new Composition());
	const ref = useRef<HTMLTextAreaElement>(null);
	const left = LIMIT - length(text);
	const ready = text.trim() !== '' && left >= 0;

	useLayoutEffect(() => {
		if (ref.current !== null)
			grow(ref.current);
	}, [text]);
	const set = (v: string) => {
		app.begun.set(p.channel, v);
		setText(v);
	};
	const send = () => {
		if (!ready)
			return;
		app.write(p.channel, text.trim());
		set('');
		ref.current?.focus();
	};
	const label = marked(app.t('chat.placeholder', { to: p.to }));
	return (
		<form class="composer" onSubmit={(e) => {
			e.preventDefault();
			send();
		}}>
			<LeftOver n={left} />
			<div class="composer-box">
				<textarea ref={ref} rows={1} value={text}
				    placeholder={label} aria-label={label}
				    data-testid="chat-input" dir="auto"
				    aria-invalid={left < 0 ? true : undefined}
				    aria-describedby={left <= NEAR ?
				    'chat-left' : undefined}
				    enterkeyhint="send"
				    onInput={(e) => set(e.currentTarget.value)}
				    onCompositionStart={() =>
				    ime.current.start()}
				    onCompositionEnd={(e) =>
				    ime.current.end(e.timeStamp)}
				    onKeyDown={(e) => {
					if (!ime.current.sends(e))
						return;
					e.preventDefault();
					send();
				    }} />
				<button type="submit" class="icon-button send"
				    disabled={!ready} data-testid="chat-send"
				    aria-label={app.t('chat.send')}
				    title={app.t('chat.send')}>
					<Icon name="send" size={19} /></button>
			</div>
		</form>
	);
}

/* In the place of the box where one may not write. */
function Closed(p: { text: Key }): JSX.Element {
	return (
		<p class="composer closed hint" data-testid="chat-closed"
		    role="status"><Icon name="lock" size={15} />
			{app.t(p.text)}</p>
	);
}

function PeerLine(p: { user: number; text: string; n: number }):
    JSX.Element {
	const e = app.people.get(p.user);

	return (
		<li><button type="button" class="peer"
		    data-testid={`peer-${p.user}`}
		    onClick={() => app.setTab('direct', p.user)}>
			<Face look={app.lookOf(p.user)} size={34} />
			<span class="grow">
				<span class="peer-name">
					<Name text={app.nameOf(p.user)} />
					{e !== undefined && e.floor !== 0 &&
					    <Dot status={e.status} />}
				</span>
				{p.text !== '' && <span class="peer-text">
					<Name text={p.text} /></span>}
			</span>
			<Badge n={p.n} />
		</button></li>
	);
}

/* Everybody one may write to, but those above. */
function others(q: string, above: Set<number>): number[] {
	const ids = new Set([...app.people.keys(), ...app.known.keys()]);

	return ([...ids].filter((u) => u !== app.user?.id && !above.has(u) &&
	    match(app.nameOf(u), q) !== -1).sort((a, b) =>
	    app.nameOf(a).localeCompare(app.nameOf(b), app.lang)));
}

function DirectList(): JSX.Element {
	const [q, setQ] = useState('');
	useEffect(() => app.wantKnown(), []);
	const list = app.chats.direct().map((c) => ({ c,
	    user: Number(c.channel.slice(5)) }))
	    .filter((x) => match(app.nameOf(x.user), q) !== -1);
	const rest = app.may('dm') ?
	    others(q, new Set(list.map((x) => x.user))) : [];

	return (
		<div class="direct" data-testid="direct-list">
			<input type="search" class="input" value={q}
			    placeholder={app.t('chat.direct.find')}
			    aria-label={app.t('chat.direct.find')}
			    list={undefined}
			    onInput={(e) => setQ(e.currentTarget.value)} />
			{list.length > 0 && <>
				<h3 class="panel-title">
					{app.t('chat.direct.list')}</h3>
				<ul>{list.map(({ c, user }) =>
				    <PeerLine key={user} user={user}
					n={c.unread} text={c.messages.at(-1)
					?.text ?? ''} />)}</ul></>}
			{list.length === 0 && q === '' && <p class="hint pad">
				{app.t(app.may('dm') ? 'chat.direct.empty' :
				    'chat.closed.dm')}</p>}
			{rest.length > 0 && <>
				<h3 class="panel-title">
					{app.t('chat.direct.new')}</h3>
				<ul>{rest.map((u) => <PeerLine key={u}
				    user={u} n={0} text="" />)}</ul></>}
		</div>
	);
}

function PeerHead(): JSX.Element {
	const e = app.people.get(app.peer);

	return (
		<div class="peer-head">
			<button type="button" class="icon-button"
			    data-testid="peer-back"
			    aria-label={app.t('ok.back')}
			    title={app.t('ok.back')}
			    onClick={() => app.setTab('direct')}>
				<Icon name="back" /></button>
			<Face look={app.lookOf(app.peer)} size={30} />
			<div class="grow">
				<b><Name text={app.nameOf(app.peer)} /></b>
				<span class="dim">{e === undefined ||
				    e.floor === 0 ? app.t('people.away') : <>
					<Dot status={e.status} />
					{app.t(`status.${e.status}`)}</>}
				</span>
			</div>
		</div>
	);
}

function addressee(): string {
	if (app.tab === 'direct')
		return (app.nameOf(app.peer));
	return (app.tab === 'room' ? app.roomName(app.room) :
	    app.floor?.name ?? '');
}

/* Chat of the floor, of the room one is in, and with one person. */
export function Chat(): JSX.Element {
	useTopics('chat', 'floor', 'ui', 'me', 'net', 'people');
	const channel = app.channel();
	const list = app.tab === 'direct' && app.peer === 0;

	useEffect(() => app.refresh());
	return (
		<section class="chat" aria-label={app.t('chat.title')}
		    id="chat" tabIndex={-1}>
			<Tabs />
			<div class="chat-panel" role="tabpanel" id="chat-panel"
			    aria-labelledby={`tab-${app.tab}`}>
				{app.tab === 'direct' && !list && <PeerHead />}
				{list ? <DirectList /> : channel === '' ?
				    <p class="empty">
					{app.t('floors.choose')}</p> : <>
					<Messages key={`m${channel}`}
					    channel={channel} />
					{app.may(app.tab === 'direct' ?
					    'dm' : 'chat') ?
					    <Composer key={`c${channel}`}
						channel={channel}
						to={addressee()} /> :
					    <Closed text={app.tab === 'direct' ?
						'chat.closed.dm' :
						'chat.closed'} />}</>}
			</div>
		</section>
	);
}
