import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { app } from '../app';
import { Icon } from '../icon';
import { mapName } from '../i18n/index';
import { OfficeScene } from '../scene/index';
import type { PresenceEntry, Room } from '../types';
import { useMedia, useTopics } from '../ui/hooks';
import { Name, Plain } from '../ui/text';
import { Gallery } from '../talk/gallery';
import { TalkPanel } from '../talk/panel';
import { Pictures } from '../talk/pictures';
import { Ties } from './calls';
import { openCard } from './card';
import { DoorSwitch, KeyButton, KnockButton, openRoom } from './room';

/* The drawing: made once, fed by app, told of size and theme from here. */
function Picture(): JSX.Element {
	const host = useRef<HTMLDivElement>(null);
	const dark = useMedia('(prefers-color-scheme: dark)');

	useLayoutEffect(() => {
		const el = host.current;
		if (el === null)
			return;
		const at = { x: 0, y: 0, h: 0 };
		const note = (e: PointerEvent) => {
			at.x = e.clientX + 12;
			at.y = e.clientY;
		};
		el.addEventListener('pointerdown', note, true);
		const scene = new OfficeScene(el, {
			lang: app.lang,
			reducedMotion: matchMedia(
			    '(prefers-reduced-motion: reduce)').matches,
			onLegs: (frames) => app.sendLegs(frames),
			onPick: (user) => openCard(user, { ...at }),
			onRoom: (room) => app.inRoom(room),
			onDoor: (room) => openRoom(room, { ...at }),
			onWalk: () => app.reach.stop(),
			onDrawn: () => app.talk.drawn(),
		});
		const sizes = new ResizeObserver(() => scene.resize());
		sizes.observe(el);
		app.scene = scene;
		if (app.floor !== null)
			scene.setFloor(app.floor);
		return (() => {
			app.scene = null;
			sizes.disconnect();
			el.removeEventListener('pointerdown', note, true);
			scene.destroy();
		});
	}, []);
	useEffect(() => app.scene?.setDark(dark), [dark]);
	useTopics('net');
	return (<div ref={host} aria-hidden="true" data-testid="scene"
	    class={app.netWhy === 'elsewhere' ? 'picture resting' :
	    'picture'} />);
}

/* Where one is, and its door. */
function Place(): JSX.Element | null {
	const room = app.rooms().find((r) => r.id === app.room);

	if (room === undefined)
		return (null);
	const state = app.doorOf(room.id);
	const n = app.here().filter((p) => p.room === room.id).length;
	return (
		<div class="place" data-testid="place">
			<div class="place-words">
				<b><Name text={mapName(room.name, app.lang)} />
				</b>
				<span class="dim">{app.t('room.capacity',
				    { n: Math.max(1, n), max: room.capacity })}
				    {state !== 'open' &&
					`・${app.t(`room.state.${state}`)}`}
				</span>
			</div>
			{room.lock && <DoorSwitch room={room} testid="door" />}
		</div>
	);
}

/* Oneself is said to be, and a status that is not the usual one. */
function inWords(e: PresenceEntry): string {
	const name = e.user === app.user?.id ?
	    app.t('people.me', { name: e.name }) : e.name;

	const with_ = app.reach.bubbleOf(e.user);
	const marks = [e.status === 'available' ? '' :
	    app.t(`status.${e.status}`), with_.length === 0 ? '' :
	    app.t('bubble.with', { names: app.reach.names(with_) })]
	    .filter(Boolean).join(app.lang === 'ja' ? '、' : ', ');

	return (marks === '' ? name : app.t('text.person',
	    { name, status: marks }));
}

/* The ways into a room from outside. */
function Into(p: { room: Room; n: number }): JSX.Element {
	const { room } = p;
	const state = app.doorOf(room.id);

	return (
		<>
			{state === 'closed' && <KnockButton room={room}
			    testid={`knock-at-${room.id}`} />}
			<KeyButton room={room} />
			{state !== 'closed' && <button type="button"
			    class="button small" data-testid={`goto-${room.id}`}
			    aria-label={app.t('text.goto',
			    { room: mapName(room.name, app.lang) })}
			    disabled={state === 'locked' ||
			    p.n >= room.capacity}
			    onClick={() => app.walkToRoom(room.id)}>
				<Icon name={state === 'locked' ? 'lock' :
				    'walk'} size={15} />
				{app.t('text.go')}</button>}
		</>
	);
}

function RoomText(p: { room: Room | null }): JSX.Element {
	const { room } = p;
	const id = room?.id ?? 0;
	const who = app.here().filter((e) => e.room === id);
	const name = room === null ? app.t('room.open') :
	    mapName(room.name, app.lang);
	const state = app.doorOf(id);
	const here = app.room === id;
	const facts = room === null ? [] : [
	    app.t(`room.kind.${room.kind}`),
	    app.t('room.capacity', { n: who.length, max: room.capacity }),
	    room.doors.length === 0 ? app.t('text.nodoor') :
	    `${app.t('text.doors', { n: room.doors.length })}・${
	    app.t(`room.state.${state}`)}`];

	return (
		<li class="room" aria-current={here ? 'true' : undefined}>
			<div class="room-head">
				<h3><Name text={name} /></h3>
				{here ? <span class="tag">
					<Icon name="pin" size={14} />
					{app.t('text.here')}</span> :
				    room !== null && <Into room={room}
					n={who.length} />}
			</div>
			{here && room?.lock && <DoorSwitch room={room}
			    testid="text-door" />}
			{facts.length > 0 &&
			    <p class="dim">{facts.join('・')}</p>}
			<p>{who.length === 0 ? <span class="dim">
				{app.t('text.nobody')}</span> :
			    who.map((e, i) => <span key={e.user}>
				{i > 0 && (app.lang === 'ja' ? '、' : ', ')}
				<Name text={inWords(e)} />
			    </span>)}</p>
		</li>
	);
}

/* The floor as text: always there for readers, on the screen if wanted. */
function TextView(): JSX.Element | null {
	const f = app.floor;

	if (f === null)
		return (null);
	return (
		<section id="floor-text" tabIndex={-1} data-testid="text-view"
		    class={app.text ? 'text-view' : 'text-view vh'}>
			<div class="text-box">
				<h2><Plain text={app.t('text.title',
				    { floor: f.name })} /></h2>
				<p class="dim">{app.t('text.lead')}</p>
				<ul class="rooms">
					<RoomText room={null} />
					{f.map.rooms.map((r) =>
					    <RoomText key={r.id} room={r} />)}
				</ul>
			</div>
		</section>
	);
}

/* No floor: choose one, or read why there is none. */
function NoFloor(): JSX.Element | null {
	if (!app.hadHello || (app.floor !== null && app.floorNote === ''))
		return (null);
	const note = app.floorNote !== '' ? app.t(app.floorNote,
	    { floor: app.floorNoteName }) : app.t(app.floors.length === 0 ?
	    'floors.none' : 'floors.choose');
	if (app.floor !== null)
		return (<div class="no-floor slim"><p class="notice"
		    role="alert"><Icon name="alert" /><Plain text={note} />
		</p></div>);
	return (
		<div class="no-floor" data-testid="no-floor">
			<div class="door-card">
				<h2>{app.t('floors.title')}</h2>
				<p class="dim" role="status">
					<Plain text={note} /></p>
				{app.floors.map((f) => <button key={f.id}
				    type="button" class="button wide"
				    onClick={() => app.enter(f.id)}>
					<Icon name="floor" size={17} />
					<Name text={f.name} /></button>)}
			</div>
		</div>
	);
}

/* Seconds until the next try, while waiting. */
function useSeconds(): number {
	const [, again] = useState(0);
	const left = Math.ceil((app.netUntil - performance.now()) / 1000);

	useEffect(() => {
		if (app.net !== 'waiting')
			return;
		const id = setInterval(() => again((n) => n + 1), 1000);
		return (() => clearInterval(id));
	}, [app.net]);
	return (Math.max(1, left));
}

function netWords(seconds: number): string {
	if (app.netWhy === 'restart')
		return (app.t('net.restart'));
	if (!app.hadHello && app.net === 'connecting')
		return (app.t('net.connecting'));
	return (app.net === 'waiting' && seconds > 2 ?
	    app.t('net.wait', { n: seconds }) : app.t('net.lost'));
}

/* The state of the connection, when there is something to say. */
function Banner(): JSX.Element | null {
	useTopics('net', 'page');
	const seconds = useSeconds();

	if (app.netWhy === 'elsewhere')
		return (
			<div class="banner" role="alert" data-testid="banner">
				<Icon name="alert" />
				<span class="grow">{app.t('net.elsewhere')}
				</span>
				<button type="button" class="button small main"
				    data-testid="continue-here"
				    onClick={() => app.continueHere()}>
					{app.t('net.elsewhere.here')}</button>
			</div>
		);
	if (app.net === 'up' || app.net === 'off')
		return (null);
	return (
		<div class="banner" data-testid="banner"
		    role={app.hadHello ? 'alert' : 'status'}>
			<Icon name={app.hadHello ? 'offline' : 'reload'} />
			<span class="grow">{netWords(seconds)}</span>
			{app.net === 'waiting' && seconds > 2 &&
			    <button type="button" class="button small"
				onClick={() => app.connectNow()}>
				{app.t('net.now')}</button>}
		</div>
	);
}

export function Floor(): JSX.Element {
	useTopics('floor', 'people', 'ui', 'page', 'call');
	const free = !app.text && app.inOffice();

	useEffect(() => app.scene?.setInteractive(free), [free]);
	return (
		<main class="stage">
			<Picture />
			<Pictures />
			<TextView />
			<Gallery />
			<div class="over">
				<Banner />
				{!app.text && !app.talk.gallery && <Place />}
				<Ties />
				<TalkPanel />
			</div>
			<NoFloor />
		</main>
	);
}
