/*
 * Walking: the frames of legs, the server's clock, and where somebody is at
 * an instant.  A person is a line of legs walked at one speed, so nothing
 * needs to be told while somebody walks.
 */

import { clamp, distance } from './geom';
import type { Spot } from './geom';

export const WALK = 320;		/* centimetres a second */
export const LEGS_RATE = 18;		/* the server allows 20 a second */
const ENTRY = 12;
const BLEND = 150;			/* ms to work a correction in */
const FAR = 400;			/* beyond it one appears, not slides */
const WINDOW = 20000;			/* ms a clock sample counts */

/* One avatar of a frame: there at the frame's time, walking to tx, ty. */
export interface Move {
	id: number;
	x: number;
	y: number;
	tx: number;
	ty: number;
	heading: number;
	flags: number;
}

/* Compass of the wire: 0 east, 64 south, 128 west, 192 north. */
export function heading(dx: number, dy: number): number
{
	return Math.round(Math.atan2(dy, dx) * 128 / Math.PI) & 255;
}

/* A leg for risad: 7 bytes, little endian; queued legs follow the others. */
export function encodeLeg(to: Spot, dir: number, queued: boolean): ArrayBuffer
{
	const view = new DataView(new ArrayBuffer(7));

	view.setUint8(0, 1);
	view.setUint16(1, clamp(Math.round(to.x), 0, 65535), true);
	view.setUint16(3, clamp(Math.round(to.y), 0, 65535), true);
	view.setUint8(5, dir & 255);
	view.setUint8(6, queued ? 1 : 0);
	return view.buffer as ArrayBuffer;
}

/* The frames of a path from here; the first one drops what was queued. */
export function encodePath(from: Spot, path: readonly Spot[]): ArrayBuffer[]
{
	let at = from;

	return path.map((to, i) => {
		const dir = heading(to.x - at.x, to.y - at.y);
		at = to;
		return encodeLeg(to, dir, i > 0);
	});
}

/* A frame of moves, or null when its length does not fit its count. */
export function decodeMoves(buf: ArrayBuffer):
    { time: number; moves: Move[] } | null
{
	const view = new DataView(buf);
	const moves: Move[] = [];

	if (buf.byteLength < 7 || view.getUint8(0) !== 2)
		return null;
	const count = view.getUint16(5, true);
	if (buf.byteLength !== 7 + count * ENTRY)
		return null;
	for (let i = 0, at = 7; i < count; i++, at += ENTRY)
		moves.push({
			id: view.getUint16(at, true),
			x: view.getUint16(at + 2, true),
			y: view.getUint16(at + 4, true),
			tx: view.getUint16(at + 6, true),
			ty: view.getUint16(at + 8, true),
			heading: view.getUint8(at + 10),
			flags: view.getUint8(at + 11),
		});
	return { time: view.getUint32(1, true), moves };
}

/*
 * The server's millisecond clock as seen here.  A frame is never early, so
 * the sample with the least delay is the truest; old samples expire because
 * two clocks drift.  Differences are taken modulo 2^32: the clock wraps.
 */
export class Clock {
	private samples: { at: number; offset: number }[] = [];

	add(time: number, now: number): void
	{
		const offset = wrap(time - Math.floor(now)) - now % 1;

		while (this.samples.length > 0 &&
		    (this.last(this.samples.length - 1) <= offset ||
		    this.samples.length > 64))
			this.samples.pop();
		this.samples.push({ at: now, offset });
		while (this.samples.length > 1 &&
		    (this.samples[0]?.at ?? 0) < now - WINDOW)
			this.samples.shift();
	}

	/* Milliseconds since a server's time, never below zero. */
	since(time: number, now: number): number
	{
		const offset = this.samples[0]?.offset;

		if (offset === undefined)
			return 0;
		return Math.max(0, wrap(Math.floor(now + offset - time)));
	}

	private last(i: number): number
	{
		return this.samples[i]?.offset ?? -Infinity;
	}
}

function wrap(ms: number): number
{
	return ms | 0;
}

interface Leg {
	x: number;
	y: number;
	tx: number;
	ty: number;
	start: number;			/* performance.now() milliseconds */
	end: number;
}

/* One walker.  Times are those of performance.now(). */
export class Track {
	private legs: Leg[] = [];
	private at: Spot;
	private dir: number;
	private skew = { x: 0, y: 0, from: -Infinity };

	constructor(x: number, y: number, dir = 64)
	{
		this.at = { x, y };
		this.dir = dir;
	}

	/* Stands at a place from now on. */
	stand(x: number, y: number): void
	{
		this.legs = [];
		this.at = { x, y };
		this.skew = { x: 0, y: 0, from: -Infinity };
	}

	/* Walks a path from where he is, beginning at `start`. */
	walk(from: Spot, path: readonly Spot[], start: number): void
	{
		let x = from.x, y = from.y, at = start;

		this.legs = [];
		this.at = { x, y };
		for (const p of path) {
			const ms = Math.hypot(p.x - x, p.y - y) / WALK * 1000;
			this.legs.push({ x, y, tx: p.x, ty: p.y, start: at,
			    end: at + ms });
			x = p.x;
			y = p.y;
			at += ms;
		}
	}

	/*
	 * Takes over what the server says and hides the step: what was drawn
	 * a moment ago slides into the new line.
	 */
	correct(from: Spot, path: readonly Spot[], start: number, now: number,
	    dir?: number): void
	{
		const was = this.where(now);

		this.skew = { x: 0, y: 0, from: -Infinity };
		this.walk(from, path, start);
		if (dir !== undefined && path.length === 0)
			this.dir = dir;
		const is = this.where(now);
		if (distance(was, is) <= FAR && distance(was, is) > 0.5)
			this.skew = { x: was.x - is.x, y: was.y - is.y,
			    from: now };
	}

	/* The drawn place. */
	where(now: number): Spot
	{
		const p = this.line(now);
		const left = 1 - (now - this.skew.from) / BLEND;

		if (left <= 0 || left > 1)
			return p;
		return { x: p.x + this.skew.x * left,
		    y: p.y + this.skew.y * left };
	}

	/* True while the drawing has to change by itself. */
	moving(now: number): boolean
	{
		const last = this.legs[this.legs.length - 1];

		return (last !== undefined && now < last.end) ||
		    now - this.skew.from < BLEND;
	}

	walking(now: number): boolean
	{
		const last = this.legs[this.legs.length - 1];

		return last !== undefined && now < last.end;
	}

	/* Where the last leg ends. */
	goal(): Spot
	{
		const last = this.legs[this.legs.length - 1];

		return last === undefined ? this.at :
		    { x: last.tx, y: last.ty };
	}

	/* The way still to go, for judging the server's idea of it. */
	ahead(now: number): Spot[]
	{
		return this.legs.filter((l) => l.end > now)
		    .map((l) => ({ x: l.tx, y: l.ty }));
	}

	turn(dir: number): void
	{
		this.dir = dir;
	}

	facing(): number
	{
		return this.dir;
	}

	private line(now: number): Spot
	{
		for (let leg = this.legs[0]; leg !== undefined;
		    leg = this.legs[0]) {
			const dx = leg.tx - leg.x, dy = leg.ty - leg.y;
			if (dx !== 0 || dy !== 0)
				this.dir = heading(dx, dy);
			if (now < leg.end) {
				const t = clamp((now - leg.start) /
				    (leg.end - leg.start), 0, 1);
				return { x: leg.x + dx * t, y: leg.y + dy * t };
			}
			this.at = { x: leg.tx, y: leg.ty };
			this.legs.shift();
		}
		return this.at;
	}
}

/* A bucket of tokens, so that a burst of keys never overruns the server. */
export class Bucket {
	private tokens: number;
	private last = 0;

	constructor(private rate: number, private size: number)
	{
		this.tokens = size;
	}

	/* Milliseconds until n may go; 0 takes them. */
	take(n: number, now: number): number
	{
		const need = Math.min(n, this.size);

		this.tokens = Math.min(this.size, this.tokens +
		    Math.max(0, now - this.last) * this.rate / 1000);
		this.last = now;
		if (this.tokens < need)
			return Math.ceil((need - this.tokens) * 1000 /
			    this.rate);
		this.tokens -= n;
		return 0;
	}
}
