/* The layer that moves: people from the back to the front, names on top. */

import { drawRings } from './bubble';
import { HEAD, HALF, LOW, TALL, sprite } from './figure';
import type { Facing } from './figure';
import { drawFurniture, heightOf } from './furniture';
import { PILL, PILL_MARGIN, brief, bubble, folded, pill } from './label';
import type { Picture } from './label';
import { RISE, WALL } from './ground';
import { alpha } from './palette';
import type { Palette } from './palette';
import { Pen } from './pen';
import { Track } from './legs';
import type { Seat, Space } from './space';
import type { Spot } from './geom';
import type { Furniture, Look, Room, Status } from '../types';

type Ctx = CanvasRenderingContext2D;

export const HEARING = 400;		/* cm in the open, as the server has it */
export const FADE = 300;		/* ms a bubble takes to go */
const PULSE = 1800;
const STEP = 110;			/* ms of a quarter of a walk */
const BIGGER = 1.18;			/* figures against furniture */
const SMALLEST = 0.33;			/* CSS pixels a centimetre */

export interface Actor {
	id: number;
	user: number;
	name: string;
	look: Look;
	status: Status;
	guest: boolean;
	track: Track;
	seat: Seat | null;
	seatAt: Spot;
	text: string;
	until: number;			/* when the bubble is gone */
	pulse: number;			/* when it was asked for */
	speaking: boolean;
}

/* One actor as placed on the screen in this frame. */
export interface Placed {
	a: Actor;
	x: number;			/* the feet, CSS pixels */
	y: number;
	floor: Spot;
	moving: boolean;
}

export interface Scenery {
	space: Space;
	pal: Palette;
	ratio: number;
	k: number;			/* CSS pixels a centimetre */
	spriteK: number;		/* the same the sprites are made for */
	toScreen: (x: number, y: number) => Spot;
	width: number;
	height: number;
	now: number;
	still: boolean;			/* reduced motion */
	self: number;			/* own avatar id */
	hover: number;			/* avatar id pointed at, 0 none */
	room: number;			/* own room */
	guest: string;			/* what guests are marked with */
	goal: Spot | null;		/* where a click leads */
	bubbles: readonly number[][];	/* avatars in talks of their own */
	/* CSS pixels that lie over somebody's head */
	lift: ReadonlyMap<number, number>;
}

/* CSS pixels of a figure's unit: figures stay legible on a wide view. */
export function unit(k: number): number
{
	return Math.max(k, SMALLEST) * BIGGER;
}

function facingOf(dir: number): Facing
{
	return (['e', 's', 'w', 'n'] as const)[(dir + 32 >> 6) & 3] ?? 's';
}

function seatFacing(turn: number): Facing
{
	return turn === 90 ? 'w' : turn === 180 ? 'n' :
	    turn === 270 ? 'e' : 's';
}

/* Who stands on a seat sits on it; the search is kept until he moves. */
function seatOf(s: Scenery, p: Placed): Seat | null
{
	const a = p.a;

	if (p.moving)
		return null;
	if (a.seatAt.x !== p.floor.x || a.seatAt.y !== p.floor.y) {
		a.seatAt = { x: p.floor.x, y: p.floor.y };
		a.seat = s.space.seatNear(p.floor.x, p.floor.y, 18);
	}
	return a.seat;
}

function drawActor(c: Ctx, s: Scenery, p: Placed): void
{
	const u = unit(s.k);
	const seat = seatOf(s, p);
	const t = Math.floor((s.now + p.a.id * 37) / STEP) % 4 + 1;
	const picture = sprite(p.a.look, {
		facing: p.moving ? facingOf(p.a.track.facing()) :
		    seat !== null ? seatFacing(seat.turn) : 's',
		step: p.moving && !s.still ? t : 0,
		seated: seat !== null,
	}, Math.round(unit(s.spriteK) * s.ratio * 100) / 100);
	const low = seat !== null ? seatDrop(seat) * s.k : 0;
	const x = snap(p.x - HALF * u, s.ratio);
	const y = snap(p.y + low - (TALL + 6) * u, s.ratio);

	c.drawImage(picture, x, y, 2 * HALF * u, (TALL + LOW + 6) * u);
	if (seat !== null && seat.turn === 180 && seat.kind === 'chair')
		drawChairBack(c, s, seat);
	if (p.a.speaking)
		drawSpeaking(c, s, p);
}

/* How far below its middle one sits on a seat. */
function seatDrop(seat: Seat): number
{
	return seat.kind === 'chair' ? 6 : seat.kind === 'cushion' ? 8 : 2;
}

function snap(v: number, ratio: number): number
{
	return Math.round(v * ratio) / ratio;
}

/* The back of a chair that is nearer to us than its sitter. */
function drawChairBack(c: Ctx, s: Scenery, seat: Seat): void
{
	const at = s.toScreen(seat.x, seat.y + seat.h * 0.28);
	const w = seat.w * 0.80 * s.k;

	c.fillStyle = s.pal.thing('#4c5870');
	c.beginPath();
	c.roundRect(at.x - w / 2, at.y - 24 * s.k, w,
	    (seat.h * 0.20 + 16) * s.k, 6 * s.k);
	c.fill();
	c.fillStyle = s.pal.thing('#6b7992');
	c.beginPath();
	c.roundRect(at.x - w / 2, at.y - 24 * s.k, w, seat.h * 0.20 * s.k,
	    6 * s.k);
	c.fill();
}

function drawSpeaking(c: Ctx, s: Scenery, p: Placed): void
{
	const u = unit(s.k);

	c.strokeStyle = s.pal.free;
	c.lineWidth = 2.5;
	c.beginPath();
	c.arc(p.x, p.y + (HEAD.y + 4) * u, (HEAD.r + 14) * u, 0, 2 * Math.PI);
	c.stroke();
}

function trace(c: Ctx, s: Scenery, room: Room, up: number): void
{
	room.shape.forEach(([x, y], i) => {
		const q = s.toScreen(x, y - up);
		if (i === 0)
			c.moveTo(q.x, q.y);
		else
			c.lineTo(q.x, q.y);
	});
	c.closePath();
}

/*
 * The room one is in keeps its light, the rest steps back a little.  This
 * is the first thing on its layer, so the room can be cut out of the dusk.
 */
function drawLit(c: Ctx, s: Scenery, room: Room): void
{
	const [w, h] = s.space.map.size;
	const a = s.toScreen(-6, -RISE);
	const b = s.toScreen(w + 6, h + 6);

	c.save();
	c.fillStyle = s.pal.dark ? 'rgba(4,7,13,0.46)' :
	    'rgba(38,48,70,0.15)';
	c.fillRect(a.x, a.y, b.x - a.x, b.y - a.y);
	c.globalCompositeOperation = 'destination-out';
	c.fillStyle = c.strokeStyle = '#000000';
	c.lineJoin = 'round';
	c.lineWidth = WALL * s.k;
	for (const up of [0, RISE / 2, RISE]) {
		c.beginPath();
		trace(c, s, room, up);
		c.fill();
		c.stroke();
	}
	c.globalCompositeOperation = 'source-over';
	c.beginPath();
	trace(c, s, room, 0);
	c.fillStyle = s.pal.dark ? 'rgba(255,222,150,0.07)' :
	    'rgba(255,246,214,0.07)';
	c.fill();
	c.restore();
}

/* How far one is heard in the open; rooms are left out. */
function drawHearing(c: Ctx, s: Scenery, p: Placed): void
{
	const r = HEARING * s.k;
	const a = s.toScreen(WALL, WALL);
	const b = s.toScreen(s.space.map.size[0] - WALL,
	    s.space.map.size[1] - WALL - RISE);

	c.save();
	c.beginPath();
	c.rect(a.x, a.y, b.x - a.x, b.y - a.y);
	for (const room of s.space.map.rooms)
		trace(c, s, room, 0);
	c.clip('evenodd');
	c.beginPath();
	c.arc(p.x, p.y, r, 0, 2 * Math.PI);
	c.fillStyle = alpha(s.pal.accent, s.pal.dark ? 0.16 : 0.085);
	c.fill();
	c.setLineDash([1, 6.5]);
	c.lineCap = 'round';
	c.lineWidth = 2.2;
	c.strokeStyle = alpha(s.pal.dark ? s.pal.accentSoft : s.pal.accent,
	    0.75);
	c.stroke();
	c.restore();
}

function drawSelfMark(c: Ctx, s: Scenery, p: Placed): void
{
	const u = unit(s.k);

	c.beginPath();
	c.ellipse(p.x, p.y, 27 * u, 12 * u, 0, 0, 2 * Math.PI);
	c.fillStyle = alpha(s.pal.accent, 0.22);
	c.fill();
	c.lineWidth = 1.6;
	c.strokeStyle = alpha(s.pal.dark ? s.pal.accentSoft : s.pal.accent,
	    0.8);
	c.stroke();
}

function drawGoal(c: Ctx, s: Scenery, goal: Spot): void
{
	const at = s.toScreen(goal.x, goal.y);

	c.beginPath();
	c.ellipse(at.x, at.y, 8, 4.5, 0, 0, 2 * Math.PI);
	c.lineWidth = 2;
	c.strokeStyle = alpha(s.pal.dark ? s.pal.accentSoft : s.pal.accent,
	    0.85);
	c.stroke();
}

function drawPulse(c: Ctx, s: Scenery, p: Placed): void
{
	const age = (s.now - p.a.pulse) / PULSE;
	const u = unit(s.k);

	if (age < 0 || age >= 1)
		return;
	for (const shift of s.still ? [0] : [0, 0.5]) {
		const t = s.still ? 0.4 : (age * 2 + shift) % 1;
		c.beginPath();
		c.ellipse(p.x, p.y, (20 + 55 * t) * u, (10 + 27 * t) * u, 0,
		    0, 2 * Math.PI);
		c.lineWidth = 3;
		c.strokeStyle = alpha(s.pal.accent, (1 - t) *
		    Math.min(1, (1 - age) * 3));
		c.stroke();
	}
}

export function pulsing(a: Actor, now: number): boolean
{
	return now - a.pulse < PULSE;
}

/* High things hide who stands behind them; most of the time nobody does. */
export class Screens {
	private list: { f: Furniture; low: number }[];
	private pictures = new Map<Furniture, HTMLCanvasElement>();
	private made = '';

	constructor(furniture: readonly Furniture[])
	{
		this.list = furniture.filter((f) => f.kind !== 'lamp' &&
		    heightOf(f.kind) >= 40).map((f) =>
		    ({ f, low: f.y + f.h * 0.7 }));
	}

	/* Those that stand before somebody of this frame. */
	before(people: readonly Placed[]): { f: Furniture; low: number }[]
	{
		return this.list.filter(({ f, low }) => people.some((p) =>
		    p.floor.y < low &&
		    p.floor.y + 12 > f.y - heightOf(f.kind) &&
		    p.floor.x + 40 > f.x && p.floor.x - 40 < f.x + f.w));
	}

	draw(c: Ctx, s: Scenery, f: Furniture): void
	{
		const at = s.toScreen(f.x - 20, f.y - 90);
		const key = `${s.spriteK} ${s.ratio} ${s.pal.dark}`;
		let picture = this.pictures.get(f);

		if (this.made !== key) {
			this.pictures.clear();
			this.made = key;
			picture = undefined;
		}
		if (picture === undefined) {
			picture = this.paint(s, f);
			this.pictures.set(f, picture);
		}
		c.drawImage(picture, at.x, at.y, (f.w + 40) * s.k,
		    (f.h + 110) * s.k);
	}

	private paint(s: Scenery, f: Furniture): HTMLCanvasElement
	{
		const canvas = document.createElement('canvas');
		const k = s.spriteK * s.ratio;

		canvas.width = Math.ceil((f.w + 40) * k);
		canvas.height = Math.ceil((f.h + 110) * k);
		const c = canvas.getContext('2d');
		if (c !== null) {
			c.scale(k, k);
			c.translate(20 - f.x, 90 - f.y);
			drawFurniture(new Pen(c, k,
			    { ...s.pal, shadow: 'transparent' }), f);
		}
		return canvas;
	}
}

interface Rect {
	x: number;
	y: number;
	w: number;
	h: number;
}

function meets(a: Rect, b: Rect): boolean
{
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h &&
	    b.y < a.y + a.h;
}

function faceOf(s: Scenery, p: Placed): Rect
{
	const u = unit(s.k);

	return { x: p.x - 22 * u, y: p.y - 106 * u, w: 44 * u, h: 44 * u };
}

function rank(s: Scenery, p: Placed): number
{
	return p.a.id === s.hover ? 0 : p.a.id === s.self ? 1 :
	    p.moving ? 3 : 2;
}

/*
 * Names go below the feet unless they would cover a face or another name;
 * then the first word has to do, then the dot.  Who stands still keeps his
 * name when somebody walks by.
 */
function drawNames(c: Ctx, s: Scenery, people: readonly Placed[]): void
{
	const faces = people.map((p) => faceOf(s, p));
	const taken: Rect[] = [];
	const show: { r: Rect; b: Picture }[] = [];
	const order = people.map((p, i) => ({ p, i, n: rank(s, p) }))
	    .sort((a, b) => a.n - b.n || a.p.a.id - b.p.a.id);

	for (const { p, i, n } of order) {
		const a = p.a;
		const self = a.id === s.self;
		const short = brief(a.name);
		const free = (r: Rect): boolean =>
		    !taken.some((q) => meets(q, r)) &&
		    !faces.some((f, j) => j !== i && meets(f, r));
		const tag = a.guest ? s.guest : '';
		let b = pill(a.name, a.status, self, s.pal, s.ratio, tag);
		let r = below(p, b);
		if (n !== 0 && !free(r) && short !== a.name) {
			b = pill(short, a.status, self, s.pal, s.ratio, tag);
			r = below(p, b);
		}
		if (n < 2 || free(r)) {
			taken.push(r);
			show.push({ r, b });
			continue;
		}
		const dot = folded(a.status, self, s.pal, s.ratio);
		const small = { x: p.x - 9, y: p.y - 1, w: dot.w, h: dot.h };
		if (!faces.some((f, j) => j !== i && meets(f, small)))
			c.drawImage(dot.canvas, snap(small.x, s.ratio),
			    snap(small.y, s.ratio), dot.w, dot.h);
	}
	for (const { r, b } of show.reverse())
		c.drawImage(b.canvas, snap(r.x - PILL_MARGIN, s.ratio),
		    snap(r.y - PILL_MARGIN, s.ratio), b.w, b.h);
}

function below(p: Placed, b: Picture): Rect
{
	const w = b.w - 2 * PILL_MARGIN;

	return { x: p.x - w / 2, y: p.y + 5, w, h: PILL };
}

function drawBubbles(c: Ctx, s: Scenery, people: readonly Placed[]): void
{
	for (const p of people) {
		const left = p.a.until - s.now;
		if (left <= 0 || p.a.text === '')
			continue;
		const b = bubble(p.a.text, s.pal, s.ratio);
		const top = p.y - (TALL - 2) * unit(s.k) - b.h + 8 -
		    (s.lift.get(p.a.user) ?? 0);
		const x = Math.min(Math.max(p.x - b.w / 2, 2),
		    Math.max(2, s.width - b.w - 2));
		c.globalAlpha = s.still ? 1 : Math.min(1, left / FADE);
		c.drawImage(b.canvas, snap(x, s.ratio),
		    snap(Math.max(2, top), s.ratio), b.w, b.h);
		c.globalAlpha = 1;
	}
}

/* All of it, in CSS pixels of the view. */
export function drawPeople(c: Ctx, s: Scenery, all: readonly Placed[],
    screens: Screens): void
{
	const u = unit(s.k);
	const own = all.find((p) => p.a.id === s.self);
	const room = s.space.room(s.room);
	const people = all.filter((p) => p.x > -HALF * u - 60 &&
	    p.x < s.width + HALF * u + 60 && p.y > -30 &&
	    p.y < s.height + TALL * u).sort((a, b) => a.y - b.y);
	const screen = screens.before(people).sort((a, b) => a.low - b.low);
	let next = 0;

	if (own !== undefined) {
		if (room !== undefined)
			drawLit(c, s, room);
		else if (!s.bubbles.some((ids) => ids.includes(s.self)))
			drawHearing(c, s, own);
		if (s.goal !== null)
			drawGoal(c, s, s.goal);
		drawSelfMark(c, s, own);
	}
	drawRings(c, s, all);
	for (const p of people) {
		for (let q = screen[next]; q !== undefined &&
		    q.low <= p.floor.y; q = screen[++next])
			screens.draw(c, s, q.f);
		drawPulse(c, s, p);
		drawActor(c, s, p);
	}
	for (let q = screen[next]; q !== undefined; q = screen[++next])
		screens.draw(c, s, q.f);
	drawNames(c, s, people);
	drawBubbles(c, s, people);
}

/* The person under a point of the screen, the nearest to us first. */
export function hit(people: readonly Placed[], k: number, x: number,
    y: number): Actor | null
{
	const u = unit(k);
	let best: Placed | null = null;

	for (const p of people)
		if (Math.abs(x - p.x) < Math.max(26 * u, 11) &&
		    y < p.y + 8 && y > p.y - TALL * u &&
		    (best === null || p.y > best.y))
			best = p;
	return best === null ? null : best.a;
}
