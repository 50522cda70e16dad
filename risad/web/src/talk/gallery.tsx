import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { app } from '../app';
import { Icon } from '../icon';
import { Face } from '../ui/face';
import { usePageKey, useTopics } from '../ui/hooks';
import { Name } from '../ui/text';
import { useStream, Video } from './video';

interface Entry {
	key: string;
	user: number;
	kind: 'screen' | 'face';
	stream: MediaStream | null;
	mic: boolean;
	speaking: boolean;
	own: boolean;
}

function entries(cam: MediaStream | null, screen: MediaStream | null):
    Entry[] {
	const e = app.talk.engine;
	const self = app.user?.id ?? 0;
	const all: Entry[] = [];
	const add = (user: number, own: boolean, pictures: { cam:
	    MediaStream | null; screen: MediaStream | null }, mic: boolean,
	    speaking: boolean) => {
		if (pictures.screen !== null)
			all.push({ key: `screen-${user}`, user, own, mic,
			    kind: 'screen', stream: pictures.screen,
			    speaking: false });
		all.push({ key: `face-${user}`, user, own, mic, speaking,
		    kind: 'face', stream: pictures.cam });
	};

	if (e === null)
		return (all);
	for (const m of e.members.values())
		add(m.user, false, e.devices.settings.sound ?
		    { cam: null, screen: null } : m, m.now.mic, m.voice.on);
	add(self, true, { cam, screen }, e.own.tracks.mic !== null,
	    e.voice.on);
	return (all);
}

function label(e: Entry): string {
	const name = e.own ? app.t('talk.you') : app.nameOf(e.user);

	return (e.kind === 'screen' ? app.t('talk.screen.of', { name }) :
	    name);
}

/* whole: large enough to be worth the whole screen. */
function Tile(p: { e: Entry; large: boolean; whole: boolean;
    choose?(): void }):
    JSX.Element {
	const { e } = p;
	const ref = useRef<HTMLElement>(null);
	const words = label(e);
	const full = () => void ref.current?.requestFullscreen?.()
	    .catch(() => undefined);

	return (
		<figure ref={ref} data-testid={`tile-${e.key}`} class={
		    `tile ${e.kind}${e.speaking ? ' speaking' : ''}${
		    p.large ? ' large' : ''}`}>
			{e.stream === null ? <Face look={app.lookOf(e.user)}
			    size={72} /> : <Video stream={e.stream}
			    label={words} mirror={e.own && e.kind ===
			    'face'} />}
			<figcaption>
				{e.kind === 'face' && <Icon size={14}
				    name={e.mic ? 'mic' : 'mic-off'} />}
				{e.kind === 'screen' && <Icon size={14}
				    name="screen" />}
				<Name text={words} />
				{e.speaking && <span class="vh">
					{app.t('talk.speaking')}</span>}
			</figcaption>
			<span class="tile-acts">
				{p.choose !== undefined && <button
				    type="button" class="icon-button"
				    onClick={p.choose} title={app.t(
				    'talk.larger')} aria-label={`${app.t(
				    'talk.larger')}: ${words}`}>
					<Icon name="hold" size={16} />
				</button>}
				{e.stream !== null && p.whole && <button
				    type="button"
				    class="icon-button" onClick={full}
				    data-testid={`full-${e.key}`}
				    title={app.t('talk.full.screen')}
				    aria-label={`${app.t('talk.full.screen')
				    }: ${words}`}>
					<Icon name="full" size={16} />
				</button>}
			</span>
		</figure>
	);
}

/* Columns in which so many of them are largest. */
function columns(n: number): number {
	return (n <= 1 ? 1 : n <= 4 ? 2 : n <= 9 ? 3 : 4);
}

/*
 * All pictures beside one another; a screen is large, one of several at a
 * time, the others beside it.
 */
function Wall(): JSX.Element {
	const t = app.talk.engine?.own.tracks;
	const cam = useStream(t?.cam ?? null);
	const screen = useStream(t?.screen ?? null);
	const [chosen, choose] = useState('');
	const all = entries(cam, screen);
	const screens = all.filter((e) => e.kind === 'screen');
	const large = all.find((e) => e.key === chosen) ??
	    screens.find((e) => !e.own) ?? screens[0];
	const rest = all.filter((e) => e !== large);

	return (
		<div class={large === undefined ? 'wall' : 'wall shared'}>
			{large !== undefined && <Tile key={large.key}
			    e={large} large={true} whole={true} />}
			<div class="tiles" style={large === undefined ?
			    { gridTemplateColumns: `repeat(${columns(
			    rest.length)}, minmax(0, 1fr))` } : {}}>
				{rest.map((e) => <Tile key={e.key} e={e}
				    large={false} whole={large === undefined}
				    choose={e.stream === null ?
				    undefined : () => choose(e.key)} />)}
			</div>
		</div>
	);
}

export function Gallery(): JSX.Element | null {
	useTopics('talk', 'people', 'ui');
	const on = app.talk.gallery && app.talk.engine !== null;

	usePageKey((e) => {
		if (on && e.key === 'Escape' && !e.defaultPrevented &&
		    document.fullscreenElement === null &&
		    document.querySelector('dialog[open], .popover') === null)
			app.talk.setGallery(false);
	});
	if (!on)
		return (null);
	return (
		<section class="gallery" aria-label={app.t('talk.gallery')}
		    data-testid="gallery">
			<Wall />
			<button type="button" class="button small gallery-close"
			    data-testid="gallery-close"
			    onClick={() => app.talk.setGallery(false)}>
				<Icon name="picture" size={16} />
				{app.t('talk.gallery.close')}</button>
		</section>
	);
}
