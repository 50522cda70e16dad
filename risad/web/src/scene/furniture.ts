/* Every kind of furniture, drawn by parts that turn with it. */

import { mix } from './palette';
import { chance } from './pen';
import type { Pen } from './pen';
import type { Furniture, FurnitureKind } from '../types';

const WOOD = '#e7c9a0';
const DARKWOOD = '#c99a68';
const SLATE = '#71809a';
const STEEL = '#39425c';
const SOFA = '#8fb0cc';
const PAPER = '#fbf8f2';

interface Box {
	x: number;
	y: number;
	w: number;
	h: number;
}

/* How high a thing stands; what people could be hidden by. */
const HEIGHT: Record<FurnitureKind, number> = {
	'desk': 16, 'chair': 10, 'table': 16, 'round': 16, 'sofa': 12,
	'armchair': 12, 'plant': 62, 'rug': 0, 'counter': 26, 'shelf': 52,
	'board': 58, 'screen': 60, 'stage': 8, 'lamp': 82, 'coffee': 42,
	'door-mat': 0, 'cushion': 5, 'low-table': 10,
};

export function heightOf(kind: FurnitureKind): number
{
	return HEIGHT[kind];
}

/* A part of a thing given as if it faced south, turned into place. */
function part(f: Furniture, u: number, v: number, du: number, dv: number): Box
{
	switch (f.turn) {
	case 90:
		return { x: f.x + f.w - v - dv, y: f.y + u, w: dv, h: du };
	case 180:
		return { x: f.x + f.w - u - du, y: f.y + f.h - v - dv,
		    w: du, h: dv };
	case 270:
		return { x: f.x + v, y: f.y + f.h - u - du, w: dv, h: du };
	default:
		return { x: f.x + u, y: f.y + v, w: du, h: dv };
	}
}

function across(f: Furniture): number
{
	return f.turn === 0 || f.turn === 180 ? f.w : f.h;
}

function along(f: Furniture): number
{
	return f.turn === 0 || f.turn === 180 ? f.h : f.w;
}

/* Draws the boxes from the back to the front, so nearer ones cover. */
function pile(p: Pen, parts: { b: Box; r: number; high: number;
    colour: string; base?: number }[]): void
{
	parts.sort((a, b) => (a.base ?? 0) - (b.base ?? 0) ||
	    a.b.y + a.b.h - b.b.y - b.b.h);
	for (const q of parts)
		p.box(q.b.x, q.b.y, q.b.w, q.b.h, q.r, q.high, q.colour,
		    q.base);
}

function desk(p: Pen, f: Furniture): void
{
	const w = across(f), h = along(f);
	const high = 16;
	const seed = chance(f.x, f.y);

	p.box(f.x, f.y, f.w, f.h, 8, high, WOOD);
	const keys = part(f, w / 2 - 25, h - 30, 50, 15);
	p.flat(keys.x, keys.y - high, keys.w, keys.h, 3,
	    p.pal.thing('#f8f6f1'));
	const mouse = part(f, w / 2 + 32, h - 29, 10, 13);
	p.flat(mouse.x, mouse.y - high, mouse.w, mouse.h, 5,
	    p.pal.thing('#f2efe9'));
	const sheet = part(f, 12, h - 42, 24, 30);
	if (seed > 0.35)
		p.flat(sheet.x, sheet.y - high, sheet.w, sheet.h, 2,
		    p.pal.thing(seed > 0.7 ? '#dfe9f4' : PAPER));
	const mug = part(f, w - 30, 16, 12, 12);
	if (seed < 0.6)
		p.drum(mug.x + 6, mug.y + 6 - high, 6, 5, 8,
		    seed < 0.3 ? '#e0866f' : '#5f9e97', 0.01);
	monitor(p, part(f, w / 2 - 33, 11, 66, 7), high, f.turn);
}

function monitor(p: Pen, b: Box, base: number, turn: number): void
{
	const rise = 30;
	const frame = p.pal.thing(STEEL);

	p.flat(b.x + b.w / 2 - 12, b.y - base - 2, 24, 8, 4,
	    mix(frame, '#000000', 0.2));
	if (turn === 90 || turn === 270) {
		p.box(b.x, b.y, b.w, b.h, 2, rise - 8, STEEL, base + 4);
		return;
	}
	p.flat(b.x, b.y - base - rise, b.w, rise, 3.5, frame);
	if (turn === 180) {
		p.flat(b.x + b.w / 2 - 7, b.y - base - rise / 2 - 6, 14, 10,
		    3, mix(frame, '#ffffff', 0.14));
		return;
	}
	const g = p.c.createLinearGradient(b.x, b.y - base - rise, b.x + b.w,
	    b.y - base);
	g.addColorStop(0, '#c4e2f2');
	g.addColorStop(1, '#7fb0d2');
	p.c.fillStyle = g;
	p.c.fillRect(b.x + 3, b.y - base - rise + 3, b.w - 6, rise - 7);
	for (let i = 0; i < 3; i++)
		p.flat(b.x + 8, b.y - base - rise + 7 + 5 * i, 18 + 9 *
		    chance(b.x, b.y, i), 2, 1, 'rgba(255,255,255,0.75)');
}

function chair(p: Pen, f: Furniture): void
{
	const w = across(f), h = along(f);
	const seat = part(f, w * 0.08, h * 0.16, w * 0.84, h * 0.78);
	const back = part(f, w * 0.10, h * 0.02, w * 0.80, h * 0.20);
	const parts = [
		{ b: seat, r: 15, high: 8, colour: SLATE },
		{ b: back, r: 6, high: 16, colour: '#5e6c86', base: 8 },
	];

	p.shade(9);
	p.flat(seat.x + 3, seat.y + 4, seat.w - 6, seat.h - 4, 14,
	    p.pal.thing('#4d5870'));
	p.plain();
	pile(p, parts);
}

function table(p: Pen, f: Furniture): void
{
	const r = Math.min(f.w, f.h) * 0.36;

	p.box(f.x, f.y, f.w, f.h, r, 16, '#dfb98a');
	grain(p, f.x + r * 0.6, f.y - 16, f.w - r * 1.2, f.h);
	if (f.w < 150 || f.h < 90)
		return;
	for (let i = 0; i < 3; i++) {
		const x = f.x + f.w * (0.24 + 0.26 * i);
		const y = f.y - 16 + f.h * (chance(f.x, f.y, i) * 0.4 + 0.25);
		p.flat(x, y, 22, 16, 2, p.pal.thing(PAPER));
	}
}

/* Faint lines of wood. */
function grain(p: Pen, x: number, y: number, w: number, h: number): void
{
	for (let i = 1; i < 5; i++) {
		const at = y + h * i / 5;
		p.line(x + w * 0.1 * chance(i, x), at, x + w *
		    (0.7 + 0.3 * chance(i, y)), at, 0.9,
		    'rgba(120,72,28,0.10)');
	}
}

function round(p: Pen, f: Furniture): void
{
	const cx = f.x + f.w / 2, cy = f.y + f.h / 2;

	p.drum(cx, cy, f.w / 2, f.h / 2, 16, '#dfb98a');
	p.c.strokeStyle = 'rgba(255,255,255,0.25)';
	p.c.lineWidth = 1.6;
	p.c.beginPath();
	p.c.ellipse(cx, cy - 16, f.w / 2 - 5, f.h / 2 - 5, 0, 0, 2 * Math.PI);
	p.c.stroke();
	p.drum(cx - 9, cy - 18, 6, 4.6, 7, '#fdfaf4', 0.01);
	p.oval(cx - 9, cy - 25, 4.4, 3.2, p.pal.thing('#6b4630'));
}

function sofa(p: Pen, f: Furniture, colour: string): void
{
	const w = across(f), h = along(f);
	const deep = Math.min(26, h * 0.30), arm = Math.min(18, w * 0.16);
	const n = f.kind === 'sofa' ?
	    Math.max(1, Math.floor((w - 2 * arm + 12) / 75)) : 1;
	const each = (w - 2 * arm) / n;
	const parts: Parameters<typeof pile>[1] = [];

	p.box(f.x, f.y, f.w, f.h, 16, 9, mix(colour, '#2a3a52', 0.22));
	parts.push(
	    { b: part(f, 0, 0, w, deep), r: 11, high: 15, colour, base: 9 },
	    { b: part(f, 0, 4, arm, h - 6), r: 9, high: 11, colour, base: 9 },
	    { b: part(f, w - arm, 4, arm, h - 6), r: 9, high: 11, colour,
		base: 9 });
	for (let i = 0; i < n; i++)
		parts.push({ b: part(f, arm + i * each + 1.5, deep - 2,
		    each - 3, h - deep - 3), r: 10, high: 5,
		    colour: mix(colour, '#ffffff', 0.22), base: 9 });
	pile(p, parts);
}

function plant(p: Pen, f: Furniture): void
{
	const cx = f.x + f.w / 2, cy = f.y + f.h / 2;
	const r = Math.min(f.w, f.h) / 2;
	const greens = ['#2f8a5b', '#3fa06c', '#57b483', '#74c79a'];

	p.drum(cx, cy + r * 0.12, r * 0.46, r * 0.36, r * 0.55, '#c48a62');
	p.oval(cx, cy + r * 0.12 - r * 0.55, r * 0.38, r * 0.28,
	    p.pal.thing('#5a4030'));
	p.shade(r * 0.35);
	for (let ring = 0; ring < 3; ring++) {
		const n = 9 - 2 * ring;
		const long = r * (1 - ring * 0.24);
		for (let i = 0; i < n; i++) {
			const a = i / n * 2 * Math.PI + ring * 0.4 +
			    chance(f.x, f.y) * 3;
			const lit = Math.cos(a + 0.75 * Math.PI) > 0.2 ? 0 : 1;
			const g = greens[Math.min(3, ring + lit)] ?? WOOD;
			leaf(p, cx, cy - r * 0.62 - ring * r * 0.12, a, long,
			    p.pal.thing(g));
		}
		p.plain();
	}
}

function leaf(p: Pen, x: number, y: number, a: number, long: number,
    colour: string): void
{
	const c = p.c;

	c.save();
	c.translate(x, y);
	c.rotate(a);
	c.scale(1, 1);
	c.fillStyle = colour;
	c.beginPath();
	c.moveTo(0, 0);
	c.quadraticCurveTo(long * 0.5, -long * 0.30, long, 0);
	c.quadraticCurveTo(long * 0.5, long * 0.30, 0, 0);
	c.fill();
	c.strokeStyle = 'rgba(255,255,255,0.20)';
	c.lineWidth = 1;
	c.beginPath();
	c.moveTo(long * 0.1, 0);
	c.lineTo(long * 0.86, 0);
	c.stroke();
	c.restore();
}

function rug(p: Pen, f: Furniture): void
{
	const tones = ['#c9d5cf', '#d8cfc0', '#cfd4e2', '#e0cfc8'];
	const tone = p.pal.thing(tones[Math.floor(chance(f.x, f.y) * 4)] ??
	    '#c9d5cf');
	const c = p.c;

	c.globalAlpha = 0.85;
	p.flat(f.x, f.y, f.w, f.h, 34, tone);
	c.globalAlpha = 1;
	c.strokeStyle = mix(tone, p.pal.dark ? '#ffffff' : '#5a6a66', 0.16);
	for (const [inset, width] of [[12, 3], [20, 1.4]] as const) {
		c.lineWidth = width;
		c.beginPath();
		c.roundRect(f.x + inset, f.y + inset, f.w - 2 * inset,
		    f.h - 2 * inset, 26);
		c.stroke();
	}
}

function counter(p: Pen, f: Furniture): void
{
	const high = 26;

	p.box(f.x, f.y, f.w, f.h, 10, high, '#b98a5c');
	p.box(f.x - 3, f.y - 2, f.w + 6, f.h + 3, 10, 5, '#f1ede4', high);
	for (let x = f.x + 22; x < f.x + f.w - 10; x += 24)
		p.line(x, f.y + f.h - high + 5, x, f.y + f.h - 5, 1,
		    'rgba(70,40,16,0.22)');
}

function shelf(p: Pen, f: Furniture): void
{
	const high = 52;
	const books = ['#c9695b', '#4f86a8', '#e0b45a', '#5f9e78', '#8467a0',
	    '#e9e2d4', '#3f4a66'];

	p.box(f.x, f.y, f.w, f.h, 4, high, DARKWOOD);
	if (f.turn !== 0)
		return;
	const y0 = f.y + f.h - high;
	p.flat(f.x + 4, y0 + 4, f.w - 8, high - 8, 2,
	    p.pal.thing('#7d5a3a'));
	for (let row = 0; row < 2; row++) {
		const low = y0 + 4 + (high - 8) * (row + 1) / 2 - 2;
		for (let x = f.x + 7, i = 0; x < f.x + f.w - 12; i++) {
			const n = chance(f.x + i, f.y, row);
			const wide = 4 + n * 5;
			if (n > 0.14)
				p.flat(x, low - 12 - n * 6, wide, 12 + n * 6,
				    0.8, p.pal.thing(books[Math.floor(n * 97)
				    % 7] ?? PAPER));
			x += wide + 0.8;
		}
		p.flat(f.x + 4, low, f.w - 8, 3, 0, p.pal.thing(DARKWOOD));
	}
}

function board(p: Pen, f: Furniture): void
{
	const high = 58;
	const y = f.y + f.h - high;

	p.box(f.x, f.y, f.w, f.h, 3, high, '#c5cad2');
	if (f.turn !== 0)
		return;
	p.flat(f.x + 3, y + 2, f.w - 6, high - 12, 2, p.pal.dark ? '#c9ced6' :
	    '#ffffff');
	for (let i = 0; i < 4; i++)
		p.line(f.x + 14, y + 11 + 8 * i, f.x + 14 + (f.w * 0.45) *
		    (0.4 + 0.6 * chance(f.x, i)), y + 11 + 8 * i, 2.2,
		    ['#4a8fc0', '#e0563f', '#35a56b', '#4a5674'][i] ?? STEEL);
	p.flat(f.x + f.w * 0.66, y + 10, f.w * 0.24, 22, 2, '#f4d58a');
	p.flat(f.x + f.w * 0.3, f.y + f.h - 8, f.w * 0.4, 3, 1.5,
	    p.pal.thing('#8b94a3'));
}

function screen(p: Pen, f: Furniture): void
{
	const high = 60;
	const y = f.y + f.h - high;

	if (f.turn !== 0) {
		p.box(f.x, f.y, f.w, f.h, 3, high - 8, STEEL);
		return;
	}
	p.box(f.x + f.w * 0.2, f.y, f.w * 0.6, f.h, 3, 8, '#4d566e');
	p.flat(f.x, y, f.w, high - 14, 4, '#232a3d');
	const g = p.c.createLinearGradient(f.x, y, f.x + f.w, y + high);
	g.addColorStop(0, '#2f6f86');
	g.addColorStop(0.5, '#3c8f8a');
	g.addColorStop(1, '#8ac4a8');
	p.c.fillStyle = g;
	p.c.fillRect(f.x + 3, y + 3, f.w - 6, high - 21);
	for (let i = 0; i < 5; i++)
		p.flat(f.x + f.w * (0.12 + 0.09 * i), y + 32 - 16 *
		    chance(i, 7) - 5, f.w * 0.05, 16 * chance(i, 7) + 5, 1,
		    'rgba(255,255,255,0.65)');
	p.flat(f.x + f.w * 0.62, y + 11, f.w * 0.26, 4, 2,
	    'rgba(255,255,255,0.7)');
	p.flat(f.x + f.w * 0.62, y + 19, f.w * 0.18, 3, 1.5,
	    'rgba(255,255,255,0.5)');
}

function stage(p: Pen, f: Furniture): void
{
	p.box(f.x, f.y, f.w, f.h, 10, 9, '#dcbfd6');
	p.c.strokeStyle = 'rgba(255,255,255,0.35)';
	p.c.lineWidth = 2;
	p.c.beginPath();
	p.c.roundRect(f.x + 10, f.y + 1, f.w - 20, f.h - 20, 7);
	p.c.stroke();
	for (let x = f.x + 20; x < f.x + f.w - 10; x += 38)
		p.oval(x, f.y + f.h - 4, 3, 2, '#ffe9b0');
}

function lamp(p: Pen, f: Furniture): void
{
	const cx = f.x + f.w / 2, cy = f.y + f.h / 2;
	const r = Math.min(f.w, f.h) / 2;
	const c = p.c;
	const glow = c.createRadialGradient(cx, cy - 50, 4, cx, cy - 30, 100);

	p.drum(cx, cy, r * 0.55, r * 0.4, 3, '#5a6274');
	p.line(cx, cy - 3, cx, cy - 62, 3.4, p.pal.thing('#5a6274'));
	glow.addColorStop(0, `rgba(255,222,150,${p.pal.dark ? 0.42 : 0.16})`);
	glow.addColorStop(1, 'rgba(255,222,150,0)');
	c.fillStyle = glow;
	c.fillRect(cx - 100, cy - 130, 200, 200);
	c.fillStyle = p.pal.dark ? '#ffe3a6' : '#fbe6b8';
	c.beginPath();
	c.moveTo(cx - r * 0.5, cy - 82);
	c.lineTo(cx + r * 0.5, cy - 82);
	c.lineTo(cx + r * 0.85, cy - 56);
	c.quadraticCurveTo(cx, cy - 49, cx - r * 0.85, cy - 56);
	c.fill();
	p.oval(cx, cy - 82, r * 0.5, r * 0.16, '#fff4d6');
}

function coffee(p: Pen, f: Furniture): void
{
	const cx = f.x + f.w / 2;
	const high = 42;
	const y = f.y + f.h;

	p.box(f.x, f.y, f.w, f.h, 6, high, '#4b5060');
	p.flat(cx - f.w * 0.34, y - 28, f.w * 0.68, 20, 3, '#2b2f3b');
	p.flat(cx - f.w * 0.34, y - 37, f.w * 0.68, 5, 2, '#8c93a3');
	p.oval(cx + f.w * 0.24, y - 34.5, 2, 2, '#e0563f');
	p.flat(cx - 5, y - 17, 10, 9, 2, '#fdfaf4');
	p.line(cx, y - 27, cx, y - 22, 2.4, '#aab0bd');
}

function mat(p: Pen, f: Furniture): void
{
	const tone = p.pal.thing('#8a8f86');

	p.flat(f.x, f.y, f.w, f.h, 6, tone);
	p.flat(f.x + 5, f.y + 5, f.w - 10, f.h - 10, 3,
	    mix(tone, '#ffffff', 0.12));
	for (let x = f.x + 14; x < f.x + f.w - 8; x += 12)
		p.line(x, f.y + 9, x, f.y + f.h - 9, 2, mix(tone, '#000000',
		    0.08));
}

function cushion(p: Pen, f: Furniture): void
{
	const tones = ['#7c6aa0', '#a8574f', '#4f7f86', '#b58a46'];
	const tone = tones[Math.floor(chance(f.x, f.y, 3) * 4)] ?? SLATE;

	p.box(f.x, f.y, f.w, f.h, 13, 5, tone);
	p.line(f.x + 10, f.y + 5, f.x + f.w - 10, f.y + f.h - 15, 0.9,
	    'rgba(255,255,255,0.22)');
	p.line(f.x + f.w - 10, f.y + 5, f.x + 10, f.y + f.h - 15, 0.9,
	    'rgba(255,255,255,0.22)');
	p.oval(f.x + f.w / 2, f.y + f.h / 2 - 5, 2.6, 2.2, '#f0e2b8');
}

function lowTable(p: Pen, f: Furniture): void
{
	p.box(f.x, f.y, f.w, f.h, 7, 10, '#b5824f');
	grain(p, f.x + 8, f.y - 10, f.w - 16, f.h);
	const x = f.x + f.w / 2, y = f.y + f.h / 2 - 10;
	p.oval(x, y, 13, 9, p.pal.thing('#8c6038'));
	p.drum(x - 3, y, 5, 4, 6, '#e9efe6', 0.01);
	p.oval(x - 3, y - 6, 3.6, 2.6, p.pal.thing('#8fae6a'));
}

/* Draws one thing; the pen is in floor centimetres. */
export function drawFurniture(p: Pen, f: Furniture): void
{
	const draw: Record<FurnitureKind, (p: Pen, f: Furniture) => void> = {
		'desk': desk, 'chair': chair, 'table': table, 'round': round,
		'sofa': (q, g) => sofa(q, g, SOFA),
		'armchair': (q, g) => sofa(q, g, '#d9a27c'),
		'plant': plant, 'rug': rug, 'counter': counter,
		'shelf': shelf, 'board': board, 'screen': screen,
		'stage': stage, 'lamp': lamp, 'coffee': coffee,
		'door-mat': mat, 'cushion': cushion, 'low-table': lowTable,
	};

	draw[f.kind](p, f);
}
