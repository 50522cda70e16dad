/*
 * Which exact place is meant: a seat for a click on furniture, a free spot
 * beside somebody, a place in a room.  `taken` says whether somebody else
 * stands, or is going to stand, within some centimetres of a spot.
 */

import { distance, inside, middle } from './geom';
import type { Spot } from './geom';
import { findPath } from './path';
import type { Space } from './space';

export type Taken = (at: Spot, room: number) => boolean;

const BESIDE = 110;			/* cm one stops from somebody */

/* A click on furniture means the free seat nearest to it. */
export function meant(space: Space, at: Spot, taken: Taken): Spot
{
	const on = space.furnitureAt(at.x, at.y) !== null;
	const here = space.roomAt(at.x, at.y);
	let best: Spot = at;
	let far = on ? 150 : 38;

	for (const s of space.seats) {
		const d = distance(s, at);
		if (d < far && space.roomAt(s.x, s.y) === here &&
		    space.clear(s, at, 0) && !taken(s, 40)) {
			far = d;
			best = { x: s.x, y: s.y };
		}
	}
	return best;
}

/* A place beside somebody, on his left or right so that no face is hidden. */
export function beside(space: Space, at: Spot, me: Spot, taken: Taken): Spot
{
	const room = space.roomAt(at.x, at.y);
	let best = at;
	let far = Infinity;

	for (let i = 0; i < 24; i++) {
		const turn = i % 12 / 12 * 2 * Math.PI;
		const outer = i > 11;
		const r = BESIDE + (outer ? 60 : 0);
		const p = { x: Math.round(at.x + Math.cos(turn) * r),
		    y: Math.round(at.y + Math.sin(turn) * r) };
		const d = distance(p, me) + (outer ? 120 : 0) +
		    Math.abs(Math.sin(turn)) * 140 +
		    (space.furnitureAt(p.x, p.y) === null ? 0 : 400);
		if (d < far && space.free(p.x, p.y) && !taken(p, 60) &&
		    space.roomAt(p.x, p.y) === room &&
		    space.clear(p, at, 0)) {
			far = d;
			best = p;
		}
	}
	return best;
}

/* The nearest free seat of a room that can be reached, else free floor. */
export function placeIn(space: Space, id: number, me: Spot, taken: Taken):
    Spot | null
{
	const room = space.room(id);

	if (room === undefined)
		return null;
	const seats = space.seats.filter((s) =>
	    inside(room.shape, s.x, s.y) && !taken(s, 45) &&
	    space.free(s.x, s.y)).sort((a, b) =>
	    distance(a, me) - distance(b, me));
	for (const s of seats)
		if (findPath(space, me, s).length > 0)
			return { x: s.x, y: s.y };
	const m = middle(room.shape);
	for (let i = 0; i < 40; i++) {
		const p = { x: m.x + Math.cos(i * 2.4) * 16 * i,
		    y: m.y + Math.sin(i * 2.4) * 16 * i };
		if (inside(room.shape, p.x, p.y) && !taken(p, 70) &&
		    space.free(p.x, p.y) &&
		    space.furnitureAt(p.x, p.y) === null)
			return p;
	}
	return m;
}
