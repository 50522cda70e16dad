/*
 * A talk of a few among many: a soft ring round those who are in it.  The
 * ring is the line at one distance around the smallest polygon that holds
 * them all.
 */

import { alpha } from './palette';
import type { Spot } from './geom';
import type { Placed, Scenery } from './people';

const ROUND = 78;			/* cm from the feet to the ring */
const RISEN = 26;			/* cm: figures stand up from their feet */

function turn(a: Spot, b: Spot, c: Spot): number
{
	return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/* One side of the polygon, from the left to the right or back. */
function chain(points: readonly Spot[]): Spot[]
{
	const out: Spot[] = [];

	for (const p of points) {
		for (let n = out.length; n > 1; n = out.length) {
			const a = out[n - 2], b = out[n - 1];
			if (a === undefined || b === undefined ||
			    turn(a, b, p) > 0)
				break;
			out.pop();
		}
		out.push(p);
	}
	return out.slice(0, -1);
}

/* The corners around all points, in turn; one or two are corners too. */
export function hull(points: readonly Spot[]): Spot[]
{
	const sorted = points.slice().sort((a, b) => a.x - b.x || a.y - b.y)
	    .filter((p, i, all) => i === 0 || p.x !== all[i - 1]?.x ||
	    p.y !== all[i - 1]?.y);

	if (sorted.length < 3)
		return sorted;
	return [...chain(sorted), ...chain(sorted.slice().reverse())];
}

/* Round each corner, and straight from one to the next. */
function trace(c: CanvasRenderingContext2D, at: readonly Spot[], r: number):
    void
{
	const n = at.length;

	c.beginPath();
	at.forEach((p, i) => {
		const from = at[(i + n - 1) % n] ?? p, to = at[(i + 1) % n] ?? p;
		const a = Math.atan2(p.y - from.y, p.x - from.x) - Math.PI / 2;
		const b = Math.atan2(to.y - p.y, to.x - p.x) - Math.PI / 2;
		if (n === 1)
			c.arc(p.x, p.y, r, 0, 2 * Math.PI);
		else
			c.arc(p.x, p.y, r, a, b);
	});
	c.closePath();
}

/* Those that are in sight; one's own stands out. */
export function drawRings(c: CanvasRenderingContext2D, s: Scenery,
    people: readonly Placed[]): void
{
	for (const ids of s.bubbles) {
		const in_ = people.filter((p) => ids.includes(p.a.id));
		const own = ids.includes(s.self);
		if (in_.length === 0)
			continue;
		const line = own ? (s.pal.dark ? s.pal.accentSoft :
		    s.pal.accent) : s.pal.label;
		trace(c, hull(in_.map((p) => ({ x: p.x,
		    y: p.y - RISEN * s.k }))), ROUND * s.k);
		c.fillStyle = alpha(own ? s.pal.accent : s.pal.label,
		    own ? 0.15 : 0.08);
		c.fill();
		c.lineWidth = own ? 2.6 : 2;
		c.strokeStyle = alpha(line, own ? 0.8 : 0.42);
		c.stroke();
	}
}
