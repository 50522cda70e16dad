/*
 * The office as seen: two Konva layers, the floor (copied from a picture
 * that is painted only when it changes) and the people.  No frame is asked
 * for unless somebody walks, a bubble fades or the view moves.
 */

import { translate } from '../i18n/index';
import Konva from 'konva/lib/Core.js';
import { Camera } from './camera';
import { TALL } from './figure';
import { distance, toSegment } from './geom';
import type { Spot } from './geom';
import { paintGround } from './ground';
import type { View } from './ground';
import { Input } from './input';
import { Clock, Track, decodeMoves } from './legs';
import { DARK, LIGHT } from './palette';
import type { Palette } from './palette';
import { FADE, Screens, drawPeople, hit, pulsing, unit } from './people';
import type { Actor, Placed, Scenery } from './people';
import { beside, meant, placeIn } from './places';
import { Space } from './space';
import { Walker } from './walker';
import { Follower } from '../lib/follow';
import type { DoorWord, FloorMsg, Lang, Person, PresenceEntry }
    from '../types';

export { drawFace } from './figure';
export { nameOf } from './ground';
export type { FloorMap, FloorMsg, Look, Person, PresenceEntry }
    from '../types';

export interface SceneOptions {
	lang: Lang;
	reducedMotion: boolean;
	/* Legs of seven bytes each, to be sent in order, at once. */
	onLegs(frames: ArrayBuffer[]): void;
	/* Somebody else's avatar was clicked. */
	onPick(user: number): void;
	/* One walked into another room, as seen here; 0 is the open floor. */
	onRoom?(room: number): void;
	/* A room was clicked that one cannot just walk into. */
	onDoor?(room: number): void;
	/* One has begun to walk by a click or a key. */
	onWalk?(): void;
	/* Something has moved: what lies over the canvas moves with it. */
	onDrawn?(): void;
}

const MOST_PIXELS = 9e6;		/* of the floor's picture */
const SPOKEN = 6000;			/* ms a bubble stays */
const PASS = 60000;			/* ms a door stays open to who knocked */
const NEAR_DOOR = 40;			/* cm from a click to the door meant */
const SETTLE = 140;			/* ms after a zoom until repainting */

export class OfficeScene {
	private box: HTMLDivElement;
	private stage: Konva.Stage;
	private ground = new Konva.Layer({ listening: false });
	private front = new Konva.Layer({ listening: false });
	private camera: Camera;
	private input: Input;
	private clockOf = new Clock();
	private pal: Palette = LIGHT;
	private lang: Lang;
	private ratio = 1;
	private space: Space | null = null;
	private screens = new Screens([]);
	private doors = new Map<number, DoorWord>();
	private passes = new Map<number, number>();	/* until, by room */
	private bubbles: number[][] = [];
	private followed = 0;			/* a user */
	private follower = new Follower(() => this.walkToUser(this.followed),
	    (ms, fn) => { window.setTimeout(fn, ms); });
	private walker: Walker | null = null;
	private actors = new Map<number, Actor>();
	private floor = 0;
	private self = 0;
	private room = -1;
	private hover = 0;
	private picture = document.createElement('canvas');
	private view: View = { x: 0, y: 0, w: 0, h: 0 };
	private stale = true;
	private spriteK = 0;
	private frames = 0;
	private asked = 0;
	private last = 0;
	private shownX = NaN;
	private shownY = NaN;
	private shownK = NaN;
	private lifts = new Map<number, number>();
	private timers = new Set<number>();
	private settleTimer = 0;
	private zoomTimer = 0;

	constructor(host: HTMLElement, private opts: SceneOptions)
	{
		this.box = container(host);
		this.ratio = deviceRatio();
		this.lang = opts.lang;
		Konva.pixelRatio = this.ratio;
		Konva.autoDrawEnabled = false;
		this.camera = new Camera(this.box.clientWidth || 1,
		    this.box.clientHeight || 1);
		this.stage = new Konva.Stage({ container: this.box,
		    listening: false, width: this.camera.width,
		    height: this.camera.height });
		this.stage.add(this.ground, this.front);
		this.ground.add(new Konva.Shape({ listening: false,
		    sceneFunc: (c) => this.drawGround(native(c)) }));
		this.front.add(new Konva.Shape({ listening: false,
		    sceneFunc: (c) => this.drawFront(native(c)) }));
		this.input = new Input(this.box, {
			tap: (x, y) => this.tap(x, y),
			hover: (x, y) => this.point(x, y),
			leave: () => this.unpoint(),
			pan: (dx, dy) => {
				this.camera.pan(dx, dy);
				this.wake();
			},
			zoom: (f, x, y) => this.zoomAt(f, x, y),
			steer: (dx, dy) => this.steer(dx, dy),
		});
	}

	/* Shows a floor and who is on it; also after a reconnect. */
	setFloor(f: FloorMsg): void
	{
		this.clear();
		this.clock(f.time);
		this.space = new Space(f.map);
		this.screens = new Screens(f.map.furniture);
		this.doors = new Map(f.doors.map((d) => [d.room, d.state]));
		this.bubbles = f.bubbles ?? [];
		this.self = f.you;
		for (const p of f.people)
			this.join(p);
		const me = this.actors.get(f.you);
		if (me !== undefined)
			this.walker = new Walker(this.space, me.track,
			    this.opts.onLegs, () => this.wake());
		/* after a reconnect one goes on looking where one looked */
		if (f.id !== this.floor)
			this.camera.setFloor(f.map.size, this.own());
		this.floor = f.id;
		this.stale = true;
		this.tellRoom();
		this.shutDoors();
		this.trail();
		this.wake();
	}

	/* An empty view: no floor was entered. */
	clear(): void
	{
		this.walker?.destroy();
		this.walker = null;
		this.input.forget();
		this.actors.clear();
		this.doors.clear();
		this.passes.clear();
		this.bubbles = [];
		this.follower.stop();
		this.space = null;
		this.self = this.hover = 0;
		this.room = -1;
		for (const t of this.timers)
			window.clearTimeout(t);
		this.timers.clear();
		this.stale = true;
		this.wake();
	}

	/* A binary frame of moves; anything else is left alone. */
	frame(buf: ArrayBuffer): void
	{
		const now = performance.now();
		const f = decodeMoves(buf);

		if (f === null)
			return;
		this.clockOf.add(f.time, now);
		for (const m of f.moves) {
			const a = this.actors.get(m.id);
			if (a === undefined)
				continue;
			if (m.id === this.self) {
				this.walker?.judge(m, now);
				this.settleLater();
				continue;
			}
			a.track.correct(m, m.x === m.tx && m.y === m.ty ? [] :
			    [{ x: m.tx, y: m.ty }],
			    now - this.clockOf.since(f.time, now), now,
			    m.heading);
			if (a.user === this.followed)
				this.trail();
		}
		this.wake();
	}

	/* A person came onto the floor; a known id is replaced. */
	join(p: Person): void
	{
		const track = new Track(p.x, p.y);

		if (p.id === this.self && this.walker !== null) {
			this.place(p.x, p.y);
			return;
		}
		if (p.tx !== undefined && p.ty !== undefined &&
		    (p.tx !== p.x || p.ty !== p.y))
			track.walk(p, [{ x: p.tx, y: p.ty }],
			    performance.now());
		this.actors.set(p.id, {
			id: p.id, user: p.user, name: p.name, look: p.look,
			status: p.status, guest: p.guest === true, track,
			seat: null,
			seatAt: { x: -1, y: -1 }, text: '', until: 0,
			pulse: -Infinity, speaking: false,
		});
		if (p.user === this.followed)
			this.trail();
		this.wake();
	}

	left(id: number): void
	{
		if (id !== this.self && this.actors.delete(id))
			this.wake();
	}

	/* Name, look or status of somebody changed; not where he is. */
	update(e: PresenceEntry): void
	{
		const a = this.byUser(e.user);

		if (a === null)
			return;
		a.name = e.name;
		a.look = e.look;
		a.status = e.status;
		this.wake();
	}

	/* One's true place, by the server. */
	place(x: number, y: number): void
	{
		this.input.forget();
		this.walker?.place(x, y);
		this.tellRoom();
		this.wake();
	}

	door(room: number, state: DoorWord): void
	{
		this.doors.set(room, state);
		if (state === 'locked')
			this.passes.delete(room);
		this.shutDoors();
		this.walker?.reroute();
		this.follower.stop();
		this.trail();
		this.stale = true;
		this.wake();
	}

	/* One was let in: the closed door of a room is none for a while. */
	pass(room: number): void
	{
		this.passes.set(room, performance.now() + PASS);
		this.shutDoors();
		window.setTimeout(() => this.shutDoors(), PASS + 50);
	}

	/* Who talks apart from the others, by avatars. */
	setBubbles(list: number[][]): void
	{
		this.bubbles = list;
		this.wake();
	}

	/* Goes after somebody until told otherwise; 0 is nobody. */
	follow(user: number): void
	{
		this.follower.stop();
		this.followed = user;
		this.trail();
	}

	walkTo(x: number, y: number): void
	{
		this.camera.following = true;
		this.walker?.go({ x, y });
	}

	/* Walks up to somebody and stops beside him. */
	walkToUser(user: number): void
	{
		const a = this.byUser(user);
		const me = this.own();

		if (a === null || me === null || this.space === null)
			return;
		const at = beside(this.space, a.track.goal(), me,
		    this.takenBy);
		this.walkTo(at.x, at.y);
	}

	/* Walks to a free seat of a room, else to a free place in it. */
	walkToRoom(room: number): void
	{
		const me = this.own();
		const at = me === null || this.space === null ? null :
		    placeIn(this.space, room, me, this.takenBy);

		if (at !== null)
			this.walkTo(at.x, at.y);
	}

	/* Brings somebody into view and marks him for a moment. */
	show(user: number): void
	{
		const a = this.byUser(user);
		const now = performance.now();

		if (a === null)
			return;
		a.pulse = now;
		if (!this.camera.sees(a.track.where(now))) {
			this.camera.following = false;
			this.camera.look(a.track.where(now),
			    this.opts.reducedMotion);
		}
		this.later(1850);
		this.wake();
	}

	/* A bubble over somebody's head for some seconds. */
	say(user: number, text: string): void
	{
		const a = this.byUser(user);

		if (a === null || text.trim() === '')
			return;
		a.text = text.slice(0, 240);
		a.until = performance.now() + SPOKEN;
		this.later(SPOKEN - FADE);
		this.later(SPOKEN + 20);
		this.wake();
	}

	/* A ring while somebody's voice is heard. */
	speaking(user: number, on: boolean): void
	{
		const a = this.byUser(user);

		if (a !== null && a.speaking !== on) {
			a.speaking = on;
			this.wake();
		}
	}

	setLang(lang: Lang): void
	{
		this.lang = lang;
		this.stale = true;
		this.wake();
	}

	setDark(dark: boolean): void
	{
		this.pal = dark ? DARK : LIGHT;
		this.stale = true;
		this.wake();
	}

	/* To be called when the host's size or the screen's density changed. */
	resize(): void
	{
		const w = this.box.clientWidth, h = this.box.clientHeight;
		const ratio = deviceRatio();

		if (w === 0 || h === 0)
			return;
		if (ratio !== this.ratio) {
			this.ratio = ratio;
			Konva.pixelRatio = ratio;
			for (const l of [this.ground, this.front])
				l.getCanvas().setPixelRatio(ratio);
		}
		this.stage.size({ width: w, height: h });
		this.camera.resize(w, h, this.own());
		this.repaintSoon();
	}

	/* False while something lies over the floor. */
	setInteractive(on: boolean): void
	{
		if (!on)
			this.input.release();
		this.input.enabled = on;
	}

	destroy(): void
	{
		this.clear();
		this.input.destroy();
		window.cancelAnimationFrame(this.asked);
		window.clearTimeout(this.zoomTimer);
		window.clearTimeout(this.settleTimer);
		this.stage.destroy();
		this.box.remove();
	}

	centreOnSelf(): void
	{
		const at = this.own();

		this.camera.following = true;
		if (at !== null)
			this.camera.look(at, this.opts.reducedMotion);
		this.wake();
	}

	/* Steps nearer (above 0) or farther, around the middle. */
	zoom(delta: number): void
	{
		const me = this.own();
		const at = me !== null && this.camera.following ?
		    this.camera.toScreen(me.x, me.y) :
		    { x: this.camera.width / 2, y: this.camera.height / 2 };

		this.zoomAt(Math.pow(1.25, delta), at.x, at.y);
	}

	position(): { x: number; y: number; room: number } | null
	{
		const at = this.own();

		if (at === null || this.space === null)
			return null;
		return { x: Math.round(at.x), y: Math.round(at.y),
		    room: this.space.roomAt(at.x, at.y) };
	}

	/* The top of somebody's head on the screen, in CSS pixels of the box. */
	head(user: number): { x: number; y: number; k: number } | null
	{
		const a = this.byUser(user);

		if (a === null || this.spriteK === 0)
			return null;
		const at = a.track.where(performance.now());
		const p = this.camera.toScreen(at.x, at.y);
		const k = unit(this.camera.k);
		return { x: p.x, y: p.y - (TALL - 2) * k, k };
	}

	/* Centimetres between oneself and somebody. */
	distance(user: number): number | null
	{
		const a = this.byUser(user), me = this.own();

		return a === null || me === null ? null :
		    distance(a.track.where(performance.now()), me);
	}

	/* So much lies over somebody's head that bubbles go above it. */
	lift(user: number, pixels: number): void
	{
		if ((this.lifts.get(user) ?? 0) === pixels)
			return;
		if (pixels === 0)
			this.lifts.delete(user);
		else
			this.lifts.set(user, pixels);
		this.wake();
	}

	/* A server time that was just received. */
	clock(time: number): void
	{
		this.clockOf.add(time, performance.now());
	}

	/* How many frames were drawn so far, for tests of idleness. */
	drawn(): number
	{
		return this.frames;
	}

	private own(): Spot | null
	{
		const a = this.actors.get(this.self);

		return a === undefined ? null :
		    a.track.where(performance.now());
	}

	private byUser(user: number): Actor | null
	{
		for (const a of this.actors.values())
			if (a.user === user)
				return a;
		return null;
	}

	/* Asks for one frame; the frame asks for the next if one is needed. */
	private wake(): void
	{
		if (this.asked === 0)
			this.asked = window.requestAnimationFrame(
			    (t) => this.tick(t));
	}

	private later(ms: number): void
	{
		const t = window.setTimeout(() => {
			this.timers.delete(t);
			this.wake();
		}, ms);

		this.timers.add(t);
	}

	private tick(at: number): void
	{
		const now = performance.now();
		let more = false;

		this.asked = 0;
		this.frames++;
		this.walker?.tick(now);
		const me = this.actors.get(this.self);
		if (me !== undefined && me.track.moving(now)) {
			this.camera.follow(me.track.where(now));
			this.tellRoom();
			this.settleLater();
		}
		more = this.camera.step(Math.min(50, Math.max(8,
		    at - this.last)), this.opts.reducedMotion);
		this.last = at;
		for (const a of this.actors.values())
			if (a.track.moving(now) || this.animates(a, now))
				more = true;
		if (this.stale || this.shownK !== this.camera.k ||
		    this.shownX !== this.camera.x ||
		    this.shownY !== this.camera.y)
			this.refreshGround();
		this.front.drawScene();
		this.opts.onDrawn?.();
		if (more)
			this.wake();
		else
			this.tellRoom();
	}

	private animates(a: Actor, now: number): boolean
	{
		if (this.opts.reducedMotion)
			return false;
		return pulsing(a, now) ||
		    (a.until > now && a.until - now < FADE);
	}

	/* Paints the picture anew only when the view leaves it. */
	private refreshGround(): void
	{
		const c = this.camera;
		const a = c.toFloor(0, 0), b = c.toFloor(c.width, c.height);
		const v = this.view;
		const out = a.x < v.x || a.y < v.y || b.x > v.x + v.w ||
		    b.y > v.y + v.h;

		if (this.stale || (out && !this.whole()))
			this.paint(a, b);
		this.shownX = c.x;
		this.shownY = c.y;
		this.shownK = c.k;
		this.ground.drawScene();
	}

	/* True when the picture holds all of the floor. */
	private whole(): boolean
	{
		const size = this.space?.map.size ?? [0, 0];

		return this.view.x <= -60 && this.view.y <= -60 &&
		    this.view.x + this.view.w >= size[0] + 60 &&
		    this.view.y + this.view.h >= size[1] + 60;
	}

	private paint(a: Spot, b: Spot): void
	{
		const space = this.space;

		this.stale = false;
		this.spriteK = this.camera.k;
		if (space === null)
			return;
		const [w, h] = space.map.size;
		const k = this.camera.k * this.ratio;
		const all = { x: -80, y: -80, w: w + 160, h: h + 160 };
		if (all.w * all.h * k * k <= MOST_PIXELS)
			this.view = all;
		else {
			const mx = (b.x - a.x) * 0.3, my = (b.y - a.y) * 0.3;
			this.view = { x: a.x - mx, y: a.y - my,
			    w: b.x - a.x + 2 * mx, h: b.y - a.y + 2 * my };
		}
		this.picture.width = Math.ceil(this.view.w * k);
		this.picture.height = Math.ceil(this.view.h * k);
		const c = this.picture.getContext('2d', { alpha: false });
		if (c !== null)
			paintGround(c, { map: space.map, pal: this.pal,
			    lang: this.lang, view: this.view, k,
			    ratio: this.ratio,
			    door: (room) => this.doors.get(room) ?? 'open' });
	}

	private drawGround(c: CanvasRenderingContext2D): void
	{
		const { width, height, k } = this.camera;
		const at = this.camera.toScreen(this.view.x, this.view.y);
		const snap = (v: number): number =>
		    Math.round(v * this.ratio) / this.ratio;

		c.fillStyle = this.pal.outside;
		c.fillRect(0, 0, width, height);
		if (this.space !== null && this.picture.width > 0)
			c.drawImage(this.picture, snap(at.x), snap(at.y),
			    this.view.w * k, this.view.h * k);
	}

	private drawFront(c: CanvasRenderingContext2D): void
	{
		const space = this.space;
		const now = performance.now();

		/* Konva draws once by itself, before the floor is painted */
		if (space === null || this.spriteK === 0)
			return;
		const s: Scenery = {
			space, pal: this.pal, ratio: this.ratio,
			k: this.camera.k, spriteK: this.spriteK,
			toScreen: (x, y) => this.camera.toScreen(x, y),
			width: this.camera.width, height: this.camera.height,
			now, still: this.opts.reducedMotion, self: this.self,
			hover: this.hover, room: Math.max(0, this.room),
			guest: translate(this.lang, 'guest.tag'),
			goal: this.walker?.goal ?? null,
			bubbles: this.bubbles,
			lift: this.lifts,
		};
		drawPeople(c, s, this.placed(now), this.screens);
	}

	private placed(now: number): Placed[]
	{
		const all: Placed[] = [];

		for (const a of this.actors.values()) {
			const floor = a.track.where(now);
			const at = this.camera.toScreen(floor.x, floor.y);
			all.push({ a, x: at.x, y: at.y, floor,
			    moving: a.track.walking(now) });
		}
		return all;
	}

	private tellRoom(): void
	{
		const at = this.own();

		if (at === null || this.space === null)
			return;
		const room = this.space.roomAt(at.x, at.y);
		if (room !== this.room) {
			this.room = room;
			this.shutDoors();
			this.opts.onRoom?.(room);
		}
	}

	/* Doors that are shut to us: not one's own, nor where one was let in. */
	private shutDoors(): void
	{
		const now = performance.now();

		for (const r of this.space?.map.rooms ?? []) {
			const shut = (this.doors.get(r.id) ?? 'open') !==
			    'open' && r.id !== this.room &&
			    (this.passes.get(r.id) ?? 0) <= now;
			if (shut !== this.space?.isLocked(r.id))
				this.space?.setLocked(r.id, shut);
		}
	}

	private trail(): void
	{
		const a = this.byUser(this.followed);

		if (a !== null && this.followed !== 0)
			this.follower.seen(a.track.goal());
	}

	/* The room meant by a click that one may not enter, or 0. */
	private shutAt(at: Spot): number
	{
		const space = this.space;
		const shut = space?.map.rooms.filter((r) =>
		    space.isLocked(r.id)) ?? [];
		const inn = space?.roomAt(at.x, at.y) ?? 0;

		return shut.find((r) => r.id === inn || (inn === 0 &&
		    r.doors.some((d) => toSegment(d, at.x, at.y) <
		    NEAR_DOOR)))?.id ?? 0;
	}

	/* Once we stand, the server has a moment to stand there too. */
	private settleLater(): void
	{
		window.clearTimeout(this.settleTimer);
		this.settleTimer = window.setTimeout(() =>
		    this.walker?.settle(performance.now()), 1500);
	}

	private steer(dx: number, dy: number): void
	{
		if (dx !== 0 || dy !== 0) {
			this.camera.following = true;
			this.opts.onWalk?.();
		}
		this.walker?.steer(dx, dy);
		this.wake();
	}

	private zoomAt(factor: number, x: number, y: number): void
	{
		if (!this.camera.zoom(factor, x, y))
			return;
		this.repaintSoon();
	}

	/* Shows what there is at another scale until the hand is still. */
	private repaintSoon(): void
	{
		window.clearTimeout(this.zoomTimer);
		this.zoomTimer = window.setTimeout(() => {
			this.stale = true;
			this.wake();
		}, SETTLE);
		this.wake();
	}

	private tap(x: number, y: number): void
	{
		const people = this.placed(performance.now())
		    .filter((p) => p.a.id !== this.self);
		const a = hit(people, this.camera.k, x, y);
		const at = this.camera.toFloor(x, y);

		if (a !== null) {
			this.hover = a.id;
			this.wake();
			this.opts.onPick(a.user);
			return;
		}
		this.hover = 0;
		this.wake();
		const shut = this.shutAt(at);
		if (shut !== 0) {
			this.opts.onDoor?.(shut);
			return;
		}
		if (this.space !== null && this.walker !== null) {
			this.opts.onWalk?.();
			const to = meant(this.space, at, this.takenBy);
			this.walkTo(to.x, to.y);
		}
	}

	/* True when somebody else stands, or is going to stand, there. */
	private takenBy = (at: Spot, room: number): boolean => {
		for (const a of this.actors.values())
			if (a.id !== this.self &&
			    distance(a.track.goal(), at) < room)
				return true;
		return false;
	};

	private point(x: number, y: number): void
	{
		const a = hit(this.placed(performance.now()), this.camera.k, x,
		    y);
		const id = a === null ? 0 : a.id;

		if (id === this.hover)
			return;
		this.hover = id;
		this.box.style.cursor = id !== 0 && id !== this.self ?
		    'pointer' : 'default';
		this.wake();
	}

	private unpoint(): void
	{
		if (this.hover !== 0) {
			this.hover = 0;
			this.wake();
		}
	}
}

function native(c: Konva.Context): CanvasRenderingContext2D
{
	return c._context;
}

function deviceRatio(): number
{
	return Math.min(2, Math.max(1, window.devicePixelRatio || 1));
}

/* The element Konva works in; the text view tells the same to readers. */
function container(host: HTMLElement): HTMLDivElement
{
	const box = document.createElement('div');

	box.setAttribute('aria-hidden', 'true');
	Object.assign(box.style, { position: 'absolute', inset: '0',
	    overflow: 'hidden', userSelect: 'none' });
	if (getComputedStyle(host).position === 'static')
		host.style.position = 'relative';
	host.appendChild(box);
	return box;
}
