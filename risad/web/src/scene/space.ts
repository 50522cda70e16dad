/*
 * Where one may walk: the walls, the locked doors and the edge of a floor
 * block; furniture only costs.  The server judges again; this half keeps
 * people from asking for what it would refuse.
 */

import { apart, clamp, crosses, inside, toSegment } from './geom';
import type { Spot } from './geom';
import type { FloorMap, Furniture, FurnitureKind, Room, Segment }
    from '../types';

export const CELL = 25;			/* of the grid, in centimetres */
export const CLEARANCE = 30;		/* between a middle and a wall */
const SQUEEZE = 14;			/* the same where it is narrow */
const BLOCKED = 255;
const REACH = 1600;			/* longest leg of a held key */

/* What one walks over as if it were floor. */
const FLAT: ReadonlySet<FurnitureKind> = new Set<FurnitureKind>([
	'chair', 'sofa', 'armchair', 'rug', 'cushion', 'door-mat', 'stage',
]);

/* What one sits on. */
const SEATS: ReadonlySet<FurnitureKind> = new Set<FurnitureKind>([
	'chair', 'sofa', 'armchair', 'cushion',
]);

export interface Seat {
	x: number;
	y: number;
	turn: number;			/* where the sitter looks: 0 south */
	kind: FurnitureKind;
	w: number;			/* the box of what one sits on */
	h: number;
}

export interface Grid {
	w: number;
	h: number;
	cost: Uint8Array;		/* 1 free, 255 blocked */
}

/* The places of a piece of furniture: a sofa has one every 75 cm. */
export function seatsOf(f: Furniture): Seat[]
{
	const wide = f.turn === 0 || f.turn === 180;
	const length = wide ? f.w : f.h;
	const seats: Seat[] = [];
	let n = 1;

	if (!SEATS.has(f.kind))
		return seats;
	if (f.kind === 'sofa')
		n = Math.max(1, Math.floor(length / 75));
	for (let i = 0; i < n; i++) {
		const at = (i + 0.5) / n;
		seats.push({
			x: Math.round(f.x + f.w * (wide ? at : 0.5)),
			y: Math.round(f.y + f.h * (wide ? 0.5 : at)),
			turn: f.turn, kind: f.kind, w: f.w, h: f.h,
		});
	}
	return seats;
}

export class Space {
	readonly map: FloorMap;
	readonly seats: Seat[];
	private blocks: Segment[] = [];
	private locked = new Set<number>();
	private grids = new Map<number, Grid>();

	constructor(map: FloorMap)
	{
		this.map = map;
		this.seats = map.furniture.flatMap(seatsOf);
		this.rebuild();
	}

	/* A door was locked or opened: paths found before may be wrong. */
	setLocked(room: number, locked: boolean): void
	{
		if (locked)
			this.locked.add(room);
		else
			this.locked.delete(room);
		this.rebuild();
	}

	isLocked(room: number): boolean
	{
		return this.locked.has(room);
	}

	room(id: number): Room | undefined
	{
		return this.map.rooms.find((r) => r.id === id);
	}

	/* The first room that holds the point, 0 on the open floor. */
	roomAt(x: number, y: number): number
	{
		for (const r of this.map.rooms)
			if (inside(r.shape, x, y))
				return r.id;
		return 0;
	}

	/* The seat within `reach` centimetres of a place, if any. */
	seatNear(x: number, y: number, reach: number): Seat | null
	{
		let best: Seat | null = null;
		let far = reach;

		for (const s of this.seats) {
			const d = Math.hypot(s.x - x, s.y - y);
			if (d <= far) {
				far = d;
				best = s;
			}
		}
		return best;
	}

	/* True when nobody would be nearer than `room` to a wall at x, y. */
	free(x: number, y: number, room = CLEARANCE): boolean
	{
		const [w, h] = this.map.size;

		if (x < 0 || y < 0 || x > w || y > h)
			return false;
		return this.blocks.every((s) => toSegment(s, x, y) >= room);
	}

	/* True when the straight way keeps its distance from all that blocks */
	clear(a: Spot, b: Spot, room: number): boolean
	{
		const way: Segment = [a.x, a.y, b.x, b.y];
		const left = Math.min(a.x, b.x) - room;
		const right = Math.max(a.x, b.x) + room;
		const top = Math.min(a.y, b.y) - room;
		const low = Math.max(a.y, b.y) + room;

		for (const s of this.blocks) {
			if (Math.max(s[0], s[2]) < left ||
			    Math.min(s[0], s[2]) > right ||
			    Math.max(s[1], s[3]) < top ||
			    Math.min(s[1], s[3]) > low)
				continue;
			if (room > 0 ? apart(way, s) < room : crosses(way, s))
				return false;
		}
		return true;
	}

	/*
	 * How far one can walk from a place into a direction (a unit vector).
	 * Who stands too near to a wall already may leave it but not come
	 * nearer, so nobody is ever stuck.
	 */
	ray(from: Spot, dx: number, dy: number, reach = REACH): number
	{
		const here = this.margin(from);
		const room = Math.min(CLEARANCE, here);
		let low = 0, high = reach, step = 12;

		while (low < high) {
			const to = Math.min(low + step, high);
			if (!this.passes(from, dx, dy, low, to, room))
				break;
			low = to;
		}
		if (low >= high)
			return high;
		high = Math.min(low + step, high);
		for (step = 0; step < 5; step++) {
			const mid = (low + high) / 2;
			if (this.passes(from, dx, dy, low, mid, room))
				low = mid;
			else
				high = mid;
		}
		return low;
	}

	/*
	 * The end of a leg into a direction: as far as it is free, else along
	 * the wall by one of the direction's halves, else null.
	 */
	leg(from: Spot, dx: number, dy: number): Spot | null
	{
		const len = Math.hypot(dx, dy);
		const tries: [number, number][] = [[dx, dy]];

		if (len === 0)
			return null;
		if (dx !== 0 && dy !== 0)
			tries.push([dx, 0], [0, dy]);
		for (const [tx, ty] of tries) {
			const n = Math.hypot(tx, ty);
			const d = this.ray(from, tx / n, ty / n);
			if (d >= 4)
				return {
					x: Math.round(from.x + tx / n * d),
					y: Math.round(from.y + ty / n * d),
				};
		}
		return null;
	}

	/* The cost grid; wide keeps the clearance, else one may squeeze. */
	grid(wide: boolean): Grid
	{
		const room = wide ? CLEARANCE : SQUEEZE;
		let g = this.grids.get(room);

		if (g === undefined) {
			g = this.build(room);
			this.grids.set(room, g);
		}
		return g;
	}

	/* The furniture at a place, the one drawn last first. */
	furnitureAt(x: number, y: number): Furniture | null
	{
		for (let i = this.map.furniture.length - 1; i >= 0; i--) {
			const f = this.map.furniture[i];
			if (f !== undefined && f.kind !== 'rug' &&
			    f.kind !== 'stage' && f.kind !== 'door-mat' &&
			    x >= f.x && x <= f.x + f.w &&
			    y >= f.y && y <= f.y + f.h)
				return f;
		}
		return null;
	}

	private rebuild(): void
	{
		const [w, h] = this.map.size;

		this.blocks = this.map.walls.slice();
		this.blocks.push([0, 0, w, 0], [0, h, w, h], [0, 0, 0, h],
		    [w, 0, w, h]);
		for (const r of this.map.rooms)
			if (this.locked.has(r.id))
				this.blocks.push(...r.doors);
		this.grids.clear();
	}

	private margin(p: Spot): number
	{
		let best = Infinity;

		for (const s of this.blocks)
			best = Math.min(best, toSegment(s, p.x, p.y));
		return best;
	}

	private passes(from: Spot, dx: number, dy: number, a: number,
	    b: number, room: number): boolean
	{
		const p = { x: from.x + dx * a, y: from.y + dy * a };
		const q = { x: from.x + dx * b, y: from.y + dy * b };

		return this.clear(p, q, Math.max(0, room - 0.5)) &&
		    this.clear(p, q, 0);
	}

	private build(room: number): Grid
	{
		const [mw, mh] = this.map.size;
		const w = Math.ceil(mw / CELL);
		const h = Math.ceil(mh / CELL);
		const g = { w, h, cost: new Uint8Array(w * h).fill(1) };

		for (const f of this.map.furniture)
			if (!FLAT.has(f.kind))
				fill(g, f.x - 20, f.y - 20, f.x + f.w + 20,
				    f.y + f.h + 20, 3, 0);
		for (const f of this.map.furniture)
			if (!FLAT.has(f.kind))
				fill(g, f.x, f.y, f.x + f.w, f.y + f.h, 30, 0);
			else if (SEATS.has(f.kind))
				fill(g, f.x, f.y, f.x + f.w, f.y + f.h, 4, 0);
		for (const s of this.blocks)
			brush(g, s, room + 24, 2);
		for (const s of this.blocks)
			brush(g, s, room, BLOCKED);
		return g;
	}
}

/* Raises the cost of the cells whose middle lies in a box. */
function fill(g: Grid, x1: number, y1: number, x2: number, y2: number,
    cost: number, grow: number): void
{
	const left = clamp(Math.ceil((x1 - grow) / CELL - 0.5), 0, g.w);
	const right = clamp(Math.floor((x2 + grow) / CELL - 0.5), -1, g.w - 1);
	const top = clamp(Math.ceil((y1 - grow) / CELL - 0.5), 0, g.h);
	const low = clamp(Math.floor((y2 + grow) / CELL - 0.5), -1, g.h - 1);

	for (let j = top; j <= low; j++)
		for (let i = left; i <= right; i++) {
			const at = j * g.w + i;
			g.cost[at] = Math.max(g.cost[at] ?? 0, cost);
		}
}

/* The same for the cells within a distance of a segment. */
function brush(g: Grid, s: Segment, room: number, cost: number): void
{
	const left = clamp(Math.floor((Math.min(s[0], s[2]) - room) / CELL),
	    0, g.w - 1);
	const right = clamp(Math.ceil((Math.max(s[0], s[2]) + room) / CELL),
	    0, g.w - 1);
	const top = clamp(Math.floor((Math.min(s[1], s[3]) - room) / CELL),
	    0, g.h - 1);
	const low = clamp(Math.ceil((Math.max(s[1], s[3]) + room) / CELL),
	    0, g.h - 1);

	for (let j = top; j <= low; j++)
		for (let i = left; i <= right; i++) {
			const at = j * g.w + i;
			if (toSegment(s, (i + 0.5) * CELL, (j + 0.5) * CELL) <
			    room)
				g.cost[at] = Math.max(g.cost[at] ?? 0, cost);
		}
}

export function isBlocked(g: Grid, cell: number): boolean
{
	return (g.cost[cell] ?? BLOCKED) === BLOCKED;
}
