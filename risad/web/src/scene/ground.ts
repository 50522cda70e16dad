/*
 * The floor without its people: painted once, then only copied.  Anything
 * here may be slow; nothing here runs while somebody walks.
 */

import { marked } from '../lib/text';
import { drawFurniture } from './furniture';
import { inside, middle } from './geom';
import type { Spot } from './geom';
import { FONT, alpha, mix } from './palette';
import type { Palette } from './palette';
import { Pen, chance } from './pen';
import type { DoorWord, FloorMap, Furniture, Lang, MapName, Point, Room,
    Segment, Surface } from '../types';

export const WALL = 14;			/* thickness, centimetres */
export const RISE = 26;			/* height of a wall as drawn */
const SHELL = 12;			/* rim of the building */

export interface View {			/* a window on the floor, in cm */
	x: number;
	y: number;
	w: number;
	h: number;
}

export interface GroundJob {
	map: FloorMap;
	pal: Palette;
	lang: Lang;
	door: (room: number) => DoorWord;
	view: View;
	k: number;			/* device pixels a centimetre */
	ratio: number;			/* device pixels a CSS pixel */
}

export function nameOf(name: MapName, lang: Lang): string
{
	return typeof name === 'string' ? name : name[lang];
}

function trace(c: CanvasRenderingContext2D, shape: readonly Point[]): void
{
	shape.forEach(([x, y], i) => {
		if (i === 0)
			c.moveTo(x, y);
		else
			c.lineTo(x, y);
	});
	c.closePath();
}

/* The part of a box that is in view: patterns are drawn only there. */
function visible(v: View, x: number, y: number, w: number, h: number): View
{
	const left = Math.max(v.x, x), top = Math.max(v.y, y);

	return { x: left, y: top,
	    w: Math.min(v.x + v.w, x + w) - left,
	    h: Math.min(v.y + v.h, y + h) - top };
}

function planks(p: Pen, v: View, base: string): void
{
	const high = 22;
	const dark = mix(base, p.pal.dark ? '#120c08' :
	    '#8a5a22', p.pal.dark ? 0.22 : 0.13);

	for (let row = Math.floor(v.y / high); row * high < v.y + v.h; row++) {
		const shift = chance(row, 11) * 200;
		const first = Math.floor((v.x - shift) / 190);
		for (let i = first; shift + i * 190 < v.x + v.w; i++) {
			const n = chance(row, i, 5);
			p.c.fillStyle = n > 0.5 ?
			    mix(base, '#ffffff', (n - 0.5) *
			    (p.pal.dark ? 0.06 : 0.16)) :
			    mix(base, '#8a5a22', (0.5 - n) * 0.13);
			p.c.fillRect(shift + i * 190, row * high, 190.5,
			    high + 0.5);
			p.c.fillStyle = dark;
			p.c.fillRect(shift + i * 190, row * high, 1.6, high);
		}
		p.c.fillStyle = dark;
		p.c.fillRect(v.x, row * high, v.w, 1.4);
	}
}

/* Carpet tiles, every other one turned: the pile takes the light apart. */
function carpet(p: Pen, v: View, base: string): void
{
	const step = 50;
	const tint = mix(base, p.pal.dark ? '#ffffff' : '#3f5f86',
	    p.pal.dark ? 0.035 : 0.045);
	const fine = alpha(p.pal.dark ? '#ffffff' : '#3a4a66', 0.055);

	for (let j = Math.floor(v.y / step); j * step < v.y + v.h; j++)
		for (let i = Math.floor(v.x / step); i * step < v.x + v.w;
		    i++) {
			const odd = (i + j & 1) === 1;
			if (odd) {
				p.c.fillStyle = tint;
				p.c.fillRect(i * step, j * step, step, step);
			}
			p.c.fillStyle = fine;
			for (let n = 5; n < step; n += 10)
				if (odd)
					p.c.fillRect(i * step + n, j * step,
					    2.2, step);
				else
					p.c.fillRect(i * step, j * step + n,
					    step, 2.2);
		}
}

/* Mats of 90 by 180, two and two, laid crosswise. */
function tatami(p: Pen, v: View, base: string, ox: number, oy: number): void
{
	const i0 = Math.floor((v.x - ox) / 180);
	const j0 = Math.floor((v.y - oy) / 180);

	for (let j = j0; oy + j * 180 < v.y + v.h; j++)
		for (let i = i0; ox + i * 180 < v.x + v.w; i++)
			for (let n = 0; n < 2; n++) {
				const flat = (i + j & 1) === 0;
				mat(p, ox + i * 180 + (flat ? 0 : 90 * n),
				    oy + j * 180 + (flat ? 90 * n : 0), flat,
				    base);
			}
}

function mat(p: Pen, x: number, y: number, flat: boolean, base: string): void
{
	const c = p.c;
	const w = flat ? 180 : 90, h = flat ? 90 : 180;
	const edge = p.pal.dark ? '#33473c' : '#8aa07a';

	c.fillStyle = flat ? base : mix(base, '#7a8a4a', 0.07);
	c.fillRect(x, y, w, h);
	c.fillStyle = alpha('#5a6a2a', p.pal.dark ? 0.14 : 0.12);
	for (let n = 6; n < 180; n += 6)
		if (flat)
			c.fillRect(x + n, y, 1.1, h);
		else
			c.fillRect(x, y + n, w, 1.1);
	c.fillStyle = edge;
	if (flat) {
		c.fillRect(x, y, w, 4);
		c.fillRect(x, y + h - 4, w, 4);
	} else {
		c.fillRect(x, y, 4, h);
		c.fillRect(x + w - 4, y, 4, h);
	}
	c.strokeStyle = alpha('#2a3a20', 0.16);
	c.lineWidth = 1.2;
	c.strokeRect(x, y, w, h);
}

function tiles(p: Pen, v: View, base: string, step: number): void
{
	const line = mix(base, p.pal.dark ? '#000000' : '#6a7884',
	    p.pal.dark ? 0.22 : 0.13);

	for (let j = Math.floor(v.y / step); j * step < v.y + v.h; j++)
		for (let i = Math.floor(v.x / step); i * step < v.x + v.w;
		    i++) {
			p.c.fillStyle = mix(base, chance(i, j) > 0.5 ?
			    '#ffffff' : '#7c8894',
			    chance(i, j, 2) * (p.pal.dark ? 0.04 : 0.10));
			p.c.fillRect(i * step, j * step, step, step);
			p.c.strokeStyle = line;
			p.c.lineWidth = 1.8;
			p.c.strokeRect(i * step, j * step, step, step);
		}
}

/* Slabs of three widths in courses. */
function slabs(p: Pen, v: View, base: string): void
{
	for (let j = Math.floor(v.y / 70); j * 70 < v.y + v.h; j++)
		for (let i = Math.floor(v.x / 120) - 1; i * 120 < v.x + v.w;
		    i++) {
			const x = i * 120 + chance(j, 3) * 90;
			const cut = 45 + 40 * chance(i, j, 8);
			p.flat(x + 1.5, j * 70 + 1.5, cut - 3, 67, 4,
			    mix(base, '#6f6a62', 0.10 * chance(i, j)));
			p.flat(x + cut + 1.5, j * 70 + 1.5, 117 - cut, 67, 4,
			    mix(base, '#ffffff', (p.pal.dark ? 0.03 : 0.14) *
			    chance(i, j, 4)));
		}
}

function grass(p: Pen, v: View, base: string): void
{
	for (let j = Math.floor(v.y / 26); j * 26 < v.y + v.h; j++)
		for (let i = Math.floor(v.x / 26); i * 26 < v.x + v.w; i++) {
			const x = i * 26 + chance(i, j) * 24;
			const y = j * 26 + chance(i, j, 1) * 24;
			const long = 7 + 5 * chance(i, j, 2);
			const tone = mix(base, '#2f7a3c', 0.22 + 0.16 *
			    chance(i, j, 3));
			p.line(x, y, x - 3, y - long, 1.8, tone);
			p.line(x + 2, y, x + 5, y - long * 0.8, 1.8, tone);
		}
}

function surface(p: Pen, kind: Surface, v: View, ox: number, oy: number): void
{
	const base = p.pal.surface[kind];

	if (v.w <= 0 || v.h <= 0)
		return;
	p.c.fillStyle = base;
	p.c.fillRect(v.x, v.y, v.w, v.h);
	if (p.k < 0.12)			/* finer than a pixel */
		return;
	switch (kind) {
	case 'wood':
		planks(p, v, base);
		break;
	case 'tatami':
		tatami(p, v, base, ox, oy);
		break;
	case 'tile':
		tiles(p, v, base, 60);
		break;
	case 'stone':
		slabs(p, v, base);
		break;
	case 'grass':
		grass(p, v, base);
		break;
	default:
		carpet(p, v, base);
		break;
	}
}

function bounds(shape: readonly Point[]): View
{
	const xs = shape.map((q) => q[0]), ys = shape.map((q) => q[1]);
	const x = Math.min(...xs), y = Math.min(...ys);

	return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

function paintRoom(p: Pen, job: GroundJob, room: Room): void
{
	const b = bounds(room.shape);
	const c = p.c;

	c.save();
	c.beginPath();
	trace(c, room.shape);
	c.clip();
	surface(p, room.surface, visible(job.view, b.x, b.y, b.w, b.h),
	    b.x, b.y);
	/* a hint of depth where the floor meets the edge of the room */
	c.strokeStyle = alpha('#3a2c1a', job.pal.dark ? 0.20 : 0.06);
	for (const width of [14, 34, 60]) {
		c.lineWidth = width;
		c.beginPath();
		trace(c, room.shape);
		c.stroke();
	}
	c.restore();
}

function wallPath(c: CanvasRenderingContext2D, walls: readonly Segment[],
    up: number): void
{
	c.beginPath();
	for (const [x1, y1, x2, y2] of walls) {
		c.moveTo(x1, y1 - up);
		c.lineTo(x2, y2 - up);
	}
}

/* All shadows, then all sides, then all tops: joints come out by themselves. */
function paintWalls(p: Pen, walls: readonly Segment[]): void
{
	const c = p.c;
	const steps = Math.max(4, Math.ceil(RISE * p.k));

	c.lineWidth = WALL;
	c.lineCap = 'round';
	c.lineJoin = 'round';
	for (let i = 0; i < steps; i++) {
		const t = i / steps;
		c.strokeStyle = mix(p.pal.wallSide, '#4a3a26',
		    (1 - t) * (p.pal.dark ? 0.10 : 0.16));
		wallPath(c, walls, RISE * t);
		c.stroke();
	}
	c.strokeStyle = p.pal.wallTop;
	wallPath(c, walls, RISE);
	c.stroke();
	c.strokeStyle = alpha('#ffffff', p.pal.dark ? 0.10 : 0.9);
	c.lineWidth = 2;
	c.save();
	c.translate(-WALL / 2 + 2.5, -WALL / 2 + 2.5);
	wallPath(c, walls, RISE);
	c.stroke();
	c.restore();
}

function paintWallShadows(p: Pen, walls: readonly Segment[]): void
{
	const c = p.c;

	c.save();
	c.lineWidth = WALL;
	c.lineCap = 'round';
	c.strokeStyle = p.pal.wallSide;
	p.shade(26);
	wallPath(c, walls, 0);
	c.stroke();
	p.plain();
	c.restore();
}

function paintDoor(p: Pen, s: Segment, shut: boolean): void
{
	const c = p.c;

	if (!shut) {
		p.line(s[0], s[1], s[2], s[3], 13,
		    alpha(p.pal.accentSoft, 0.35));
		p.line(s[0], s[1], s[2], s[3], 7, p.pal.accentSoft);
		return;
	}
	const wood = p.pal.thing('#c2925f');
	const steps = Math.max(3, Math.ceil(20 * p.k));
	c.lineWidth = 10;
	c.lineCap = 'butt';
	for (let i = 0; i <= steps; i++) {
		c.strokeStyle = i === steps ? mix(wood, '#ffffff', 0.25) :
		    mix(wood, '#3a2412', 0.22);
		c.beginPath();
		c.moveTo(s[0], s[1] - 20 * i / steps);
		c.lineTo(s[2], s[3] - 20 * i / steps);
		c.stroke();
	}
}

/* A padlock in a small disc over the closed leaf; sizes in CSS pixels. */
/* On a shut door: a lock, or the knuckles of who is to knock. */
function paintSign(p: Pen, s: Segment, ratio: number, locked: boolean): void
{
	const c = p.c;
	const u = ratio / p.k;

	c.save();
	c.translate((s[0] + s[2]) / 2, (s[1] + s[3]) / 2 - 12);
	c.scale(u, u);
	p.c.shadowColor = p.pal.shadow;
	p.c.shadowBlur = 4 * ratio;
	p.oval(0, 0, 10, 10, p.pal.paper);
	p.plain();
	if (locked)
		paintLock(p);
	else
		paintKnock(p);
	c.restore();
}

function paintLock(p: Pen): void
{
	const c = p.c;

	c.strokeStyle = p.pal.live;
	c.lineWidth = 1.7;
	c.beginPath();
	c.arc(0, -1.6, 2.7, Math.PI, 2 * Math.PI);
	c.lineTo(2.7, 0.4);
	c.moveTo(-2.7, -1.6);
	c.lineTo(-2.7, 0.4);
	c.stroke();
	p.flat(-4.4, -0.6, 8.8, 6.2, 1.6, p.pal.live);
}

/* A leaf of a door with its handle, and the sound of a knock beside it. */
function paintKnock(p: Pen): void
{
	const c = p.c;

	p.flat(-5.6, -5.6, 6.4, 11.2, 1.2, p.pal.label);
	c.fillStyle = p.pal.paper;
	c.beginPath();
	c.arc(-1, 0.2, 1, 0, 2 * Math.PI);
	c.fill();
	c.strokeStyle = p.pal.label;
	c.lineWidth = 1.5;
	c.lineCap = 'round';
	for (const r of [2.6, 5.2]) {
		c.beginPath();
		c.arc(0.9, 0.2, r, -Math.PI / 3.6, Math.PI / 3.6);
		c.stroke();
	}
}

/* Where a room's name goes: its upper left corner, if that is inside. */
function labelSpot(shape: readonly Point[], inset: number, drop: number): Spot
{
	const b = bounds(shape);
	const x = b.x + inset, y = b.y + drop;

	if (inside(shape, x, y) && inside(shape, x + 60, y))
		return { x, y };
	const m = middle(shape);
	return { x: m.x - 50, y: m.y };
}

function paintLabel(p: Pen, room: Room, lang: Lang, ratio: number): void
{
	const c = p.c;
	const px = ratio / p.k;
	const b = bounds(room.shape);
	const at = labelSpot(room.shape, 16 + 6 * px, 10 + 15 * px);
	const text = marked(nameOf(room.name, lang));

	c.font = `700 ${13 * px}px ${FONT}`;
	if (b.w / px < 44 || c.measureText(text).width > b.w - 24)
		c.font = `700 ${11 * px}px ${FONT}`;
	c.textAlign = 'left';
	c.textBaseline = 'middle';
	c.lineJoin = 'round';
	c.lineWidth = 3.5 * px;
	c.strokeStyle = alpha(p.pal.surface[room.surface], 0.85);
	c.strokeText(text, at.x, at.y, b.w - 20);
	c.fillStyle = p.pal.label;
	c.fillText(text, at.x, at.y, b.w - 20);
}

/* Day comes from the top left, the far corner is a little darker. */
function paintLight(p: Pen, w: number, h: number): void
{
	const c = p.c;
	const g = c.createLinearGradient(0, 0, w * 0.9, h);

	if (p.pal.dark) {
		g.addColorStop(0, 'rgba(120,150,200,0.07)');
		g.addColorStop(1, 'rgba(0,0,0,0.14)');
	} else {
		g.addColorStop(0, 'rgba(255,250,236,0.34)');
		g.addColorStop(0.45, 'rgba(255,250,236,0)');
		g.addColorStop(1, 'rgba(74,52,28,0.085)');
	}
	c.fillStyle = g;
	c.fillRect(0, 0, w, h);
}

function paintShell(p: Pen, w: number, h: number): void
{
	p.shade(40);
	p.flat(-SHELL, -SHELL - 8, w + 2 * SHELL, h + 2 * SHELL + 8, 20,
	    p.pal.shellEdge);
	p.plain();
	p.flat(-SHELL, -SHELL - 12, w + 2 * SHELL, h + 2 * SHELL + 4, 20,
	    p.pal.shell);
}

const CARPETS = new Set(['rug', 'door-mat', 'stage']);

/* What stands on the floor, from the back to the front. */
function arranged(map: FloorMap, things: Furniture[]): Furniture[]
{
	const order = things.map((f) => {
		const under = bearer(map, f);
		return under === undefined ? { f, low: f.y + f.h } :
		    { f: { ...f, y: f.y - 26 }, low: under.y + under.h + 1 };
	});

	return order.sort((a, b) => a.low - b.low).map((o) => o.f);
}

/* Small machines stand on the counter or table they were put over. */
function bearer(map: FloorMap, f: Furniture): Furniture | undefined
{
	if (f.kind !== 'coffee')
		return undefined;
	return map.furniture.find((g) => (g.kind === 'counter' ||
	    g.kind === 'table') && f.x >= g.x - 4 && f.y >= g.y - 4 &&
	    f.x + f.w <= g.x + g.w + 4 && f.y + f.h <= g.y + g.h + 4);
}

/* Paints a window of the floor; the context is set to its pixels. */
export function paintGround(c: CanvasRenderingContext2D, job: GroundJob): void
{
	const { map, pal, view } = job;
	const [w, h] = map.size;
	const p = new Pen(c, job.k, pal);

	c.setTransform(1, 0, 0, 1, 0, 0);
	c.fillStyle = pal.outside;
	c.fillRect(0, 0, c.canvas.width, c.canvas.height);
	c.setTransform(job.k, 0, 0, job.k, -view.x * job.k, -view.y * job.k);
	paintShell(p, w, h);
	c.save();
	c.beginPath();
	c.rect(0, 0, w, h);
	c.clip();
	surface(p, map.floor, visible(view, 0, 0, w, h), 0, 0);
	/* the first room wins where two overlap, so it is painted last */
	for (let i = map.rooms.length - 1; i >= 0; i--) {
		const room = map.rooms[i];
		if (room !== undefined)
			paintRoom(p, job, room);
	}
	paintLight(p, w, h);
	paintWallShadows(p, map.walls);
	c.restore();
	paintThings(p, job);
}

function paintThings(p: Pen, job: GroundJob): void
{
	const { map, view } = job;
	const near = map.furniture.filter((f) => f.x < view.x + view.w + 99 &&
	    f.y < view.y + view.h + 99 && f.x + f.w > view.x - 99 &&
	    f.y + f.h > view.y - 99);

	for (const f of near)
		if (CARPETS.has(f.kind))
			drawFurniture(p, f);
	for (const r of map.rooms)
		for (const d of r.doors)
			if (job.door(r.id) === 'open')
				paintDoor(p, d, false);
	paintWalls(p, map.walls);
	for (const r of map.rooms)
		for (const d of r.doors)
			if (job.door(r.id) !== 'open')
				paintDoor(p, d, true);
	for (const f of arranged(map, near.filter((q) => !CARPETS.has(q.kind))))
		drawFurniture(p, f);
	for (const r of map.rooms)
		paintLabel(p, r, job.lang, job.ratio);
	for (const r of map.rooms)
		for (const d of r.doors)
			if (job.door(r.id) !== 'open')
				paintSign(p, d, job.ratio,
				    job.door(r.id) === 'locked');
}
