/* Names, status dots and bubbles: small pictures, drawn once and kept. */

import { marked } from '../lib/text';
import { FONT, alpha } from './palette';
import type { Palette } from './palette';
import type { Status } from '../types';

type Ctx = CanvasRenderingContext2D;

export interface Picture {
	canvas: HTMLCanvasElement;
	w: number;			/* CSS pixels, with the margin */
	h: number;
}

export const PILL = 20;			/* height of a name, CSS pixels */
const MARGIN = 5;			/* room for the shadow */
const WIDEST = 132;
const BUBBLE = 200;
const LINES = 3;
const MOST = 600;

const kept = new Map<string, Picture>();

function picture(key: string, w: number, h: number, ratio: number,
    draw: (c: Ctx) => void): Picture
{
	const have = kept.get(key);

	if (have !== undefined)
		return have;
	if (kept.size >= MOST)
		kept.clear();
	const canvas = document.createElement('canvas');
	canvas.width = Math.ceil(w * ratio);
	canvas.height = Math.ceil(h * ratio);
	const c = canvas.getContext('2d');
	if (c !== null) {
		c.scale(ratio, ratio);
		draw(c);
	}
	const made = { canvas, w, h };
	kept.set(key, made);
	return made;
}

/* Only measures; its own canvas, so no drawing state is disturbed. */
let ruler: Ctx | null = null;

function widthOf(text: string, font: string): number
{
	ruler ??= document.createElement('canvas').getContext('2d');
	if (ruler === null)
		return text.length * 12;
	ruler.font = font;
	return ruler.measureText(text).width;
}

function shorten(text: string, font: string, most: number): string
{
	const chars = Array.from(text);

	if (widthOf(text, font) <= most)
		return text;
	while (chars.length > 1 &&
	    widthOf(chars.join('') + '…', font) > most)
		chars.pop();
	return chars.join('') + '…';
}

/*
 * The dot says by its shape what it says by its colour: full when free, a
 * pause when busy, a crescent when away, a bar when not to be disturbed.
 */
export function drawDot(c: Ctx, x: number, y: number, r: number,
    status: Status, pal: Palette): void
{
	const colour = status === 'available' ? pal.free :
	    status === 'away' ? pal.caution : pal.live;

	c.save();
	c.beginPath();
	c.arc(x, y, r, 0, 2 * Math.PI);
	c.clip();
	c.fillStyle = colour;
	c.fillRect(x - r, y - r, 2 * r, 2 * r);
	c.fillStyle = pal.paper;
	if (status === 'dnd')
		c.fillRect(x - r * 0.62, y - r * 0.22, r * 1.24, r * 0.44);
	if (status === 'busy') {
		c.beginPath();
		c.arc(x, y, r * 0.36, 0, 2 * Math.PI);
		c.fill();
	}
	if (status === 'away') {
		c.beginPath();
		c.arc(x + r * 0.62, y - r * 0.52, r * 0.86, 0, 2 * Math.PI);
		c.fill();
	}
	c.restore();
}

/* The first word of a name, for where there is no room for all of it. */
export function brief(name: string): string
{
	return name.trim().split(/[\s\u3000]+/u)[0] ?? name;
}

/*
 * A name in its pill; one's own is in the accent colour.  A tag stands before
 * the name, so that no name can be too long for it.
 */
export function pill(name: string, status: Status, self: boolean,
    pal: Palette, ratio: number, tag = ''): Picture
{
	const font = `600 12px ${FONT}`;
	const small = `700 10.5px ${FONT}`;
	const room = tag === '' ? 0 : Math.ceil(widthOf(tag, small)) + 14;
	const text = shorten(marked(name), font, WIDEST - 30);
	const w = Math.ceil(widthOf(text, font)) + 27 + room;
	const key = `p ${pal.dark} ${ratio} ${self} ${status} ${tag} ${name}`;

	return picture(key, w + 2 * MARGIN, PILL + 2 * MARGIN, ratio, (c) => {
		const y = MARGIN + PILL / 2;
		c.shadowColor = pal.shadow;
		c.shadowBlur = 4 * ratio;
		c.shadowOffsetY = 1 * ratio;
		c.fillStyle = self ? pal.accent : pal.paper;
		c.beginPath();
		c.roundRect(MARGIN, MARGIN, w, PILL, PILL / 2);
		c.fill();
		c.shadowColor = 'transparent';
		if (self) {
			c.fillStyle = pal.paper;
			c.beginPath();
			c.arc(MARGIN + 11, y, 5.4, 0, 2 * Math.PI);
			c.fill();
		}
		drawDot(c, MARGIN + 11, y, 4.2, status, pal);
		c.textBaseline = 'middle';
		if (tag !== '') {
			c.fillStyle = pal.caution;
			c.beginPath();
			c.roundRect(MARGIN + 19, y - 7, room - 5, 14, 7);
			c.fill();
			c.font = small;
			c.fillStyle = '#20263a';
			c.fillText(tag, MARGIN + 23.5, y + 0.6);
		}
		c.font = font;
		c.fillStyle = self ? '#ffffff' : pal.ink;
		c.fillText(text, MARGIN + 18.5 + room, y + 0.8);
	});
}

/* What is left of a name where many stand together. */
export function folded(status: Status, self: boolean, pal: Palette,
    ratio: number): Picture
{
	const key = `f ${pal.dark} ${ratio} ${self} ${status}`;

	return picture(key, 18, 18, ratio, (c) => {
		c.shadowColor = pal.shadow;
		c.shadowBlur = 3 * ratio;
		c.fillStyle = self ? pal.accent : pal.paper;
		c.beginPath();
		c.arc(9, 9, 6.2, 0, 2 * Math.PI);
		c.fill();
		c.shadowColor = 'transparent';
		drawDot(c, 9, 9, 4.2, status, pal);
	});
}

/* Lines of at most `most` pixels; breaks at spaces where there are some. */
function wrap(text: string, font: string, most: number): string[]
{
	const parts = marked(text).replace(/\s+/gu, ' ').trim()
	    .match(/[!-~À-ɏ]+ ?|./gu) ?? [];
	const lines: string[] = [];
	let line = '';

	for (const part of parts) {
		if (line !== '' && widthOf(line + part, font) > most) {
			lines.push(line.trimEnd());
			line = '';
		}
		line += part;
	}
	lines.push(line.trimEnd());
	if (lines.length > LINES) {
		lines.length = LINES;
		lines[LINES - 1] += '…';
	}
	return lines.map((l) => shorten(l, font, most + 14));
}

/* Spoken words over a head; the tip points down at the middle. */
export function bubble(text: string, pal: Palette, ratio: number): Picture
{
	const font = `500 13px ${FONT}`;
	const key = `b ${pal.dark} ${ratio} ${text}`;
	const have = kept.get(key);

	if (have !== undefined)
		return have;
	const lines = wrap(text, font, BUBBLE - 24);
	const w = Math.max(34, ...lines.map((l) =>
	    Math.ceil(widthOf(l, font)) + 24));
	const h = lines.length * 18 + 11;
	return picture(key, w + 12, h + 20, ratio, (c) => {
		const mid = w / 2 + 6;
		c.shadowColor = pal.shadow;
		c.shadowBlur = 8 * ratio;
		c.shadowOffsetY = 2 * ratio;
		c.fillStyle = pal.paper;
		c.beginPath();
		c.roundRect(6, 6, w, h, 13);
		c.moveTo(mid - 6, h + 5);
		c.quadraticCurveTo(mid - 1, h + 7, mid, h + 13);
		c.quadraticCurveTo(mid + 1, h + 7, mid + 6, h + 5);
		c.fill();
		c.shadowColor = 'transparent';
		c.strokeStyle = alpha(pal.line, 0.6);
		c.font = font;
		c.textAlign = 'center';
		c.textBaseline = 'middle';
		c.fillStyle = pal.ink;
		lines.forEach((l, i) =>
		    c.fillText(l, mid, 6 + 5.5 + 18 * i + 9.5));
	});
}

export { MARGIN as PILL_MARGIN };
