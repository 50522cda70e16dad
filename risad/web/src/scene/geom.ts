/* Plane geometry in centimetres, x right and y down.  Nothing is kept. */

import type { Point, Segment } from '../types';

export interface Spot {
	x: number;
	y: number;
}

export function clamp(v: number, low: number, high: number): number
{
	return v < low ? low : v > high ? high : v;
}

export function distance(a: Spot, b: Spot): number
{
	return Math.hypot(a.x - b.x, a.y - b.y);
}

/* True inside the polygon; an odd number of crossings to the right. */
export function inside(shape: readonly Point[], x: number, y: number): boolean
{
	let odd = false;
	let last = shape[shape.length - 1];

	for (const p of shape) {
		if (last !== undefined && (p[1] > y) !== (last[1] > y) &&
		    x < (last[0] - p[0]) * (y - p[1]) / (last[1] - p[1]) +
		    p[0])
			odd = !odd;
		last = p;
	}
	return odd;
}

/* The point of a segment that is nearest to x, y. */
export function nearest(s: Segment, x: number, y: number): Spot
{
	const dx = s[2] - s[0];
	const dy = s[3] - s[1];
	const len = dx * dx + dy * dy;
	const t = len === 0 ? 0 :
	    clamp(((x - s[0]) * dx + (y - s[1]) * dy) / len, 0, 1);

	return { x: s[0] + t * dx, y: s[1] + t * dy };
}

export function toSegment(s: Segment, x: number, y: number): number
{
	const p = nearest(s, x, y);

	return Math.hypot(p.x - x, p.y - y);
}

function side(s: Segment, x: number, y: number): number
{
	return (s[2] - s[0]) * (y - s[1]) - (s[3] - s[1]) * (x - s[0]);
}

/* True when both segments share a point; parallel ones never cross here. */
export function crosses(a: Segment, b: Segment): boolean
{
	const a1 = side(a, b[0], b[1]);
	const a2 = side(a, b[2], b[3]);
	const b1 = side(b, a[0], a[1]);
	const b2 = side(b, a[2], a[3]);

	if (a1 === a2 || b1 === b2)
		return false;
	return a1 * a2 <= 0 && b1 * b2 <= 0;
}

/* The smallest distance of two segments. */
export function apart(a: Segment, b: Segment): number
{
	if (crosses(a, b))
		return 0;
	return Math.min(toSegment(a, b[0], b[1]), toSegment(a, b[2], b[3]),
	    toSegment(b, a[0], a[1]), toSegment(b, a[2], a[3]));
}

/* The mean of the corners, moved inside when the shape is hollow there. */
export function middle(shape: readonly Point[]): Spot
{
	let left = Infinity, right = -Infinity, top = Infinity, low = -Infinity;
	let best: Spot = { x: 0, y: 0 };
	let far = -1;

	for (const [x, y] of shape) {
		left = Math.min(left, x);
		right = Math.max(right, x);
		top = Math.min(top, y);
		low = Math.max(low, y);
	}
	for (let i = 1; i < 16; i++)
		for (let j = 1; j < 16; j++) {
			const x = left + (right - left) * i / 16;
			const y = top + (low - top) * j / 16;
			const d = inside(shape, x, y) ? edge(shape, x, y) : -1;
			if (d > far + 1) {
				far = d;
				best = { x, y };
			}
		}
	return best;
}

/* How far a point is from the outline of a shape. */
export function edge(shape: readonly Point[], x: number, y: number): number
{
	let last = shape[shape.length - 1];
	let best = Infinity;

	for (const p of shape) {
		if (last !== undefined)
			best = Math.min(best,
			    toSegment([last[0], last[1], p[0], p[1]], x, y));
		last = p;
	}
	return best;
}
