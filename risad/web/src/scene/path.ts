/* The way from here to there: A* over the grid, then pulled straight. */

import { clamp, distance } from './geom';
import type { Spot } from './geom';
import { CELL, CLEARANCE, isBlocked } from './space';
import type { Grid, Space } from './space';

const DIAGONAL = Math.SQRT2;
const LONGEST = 31;			/* the server keeps 32 legs */

/* A heap of cells by estimate; stale entries are skipped by the reader. */
class Heap {
	private cells: number[] = [];
	private keys: number[] = [];

	get size(): number
	{
		return this.cells.length;
	}

	push(cell: number, key: number): void
	{
		let i = this.cells.length;

		while (i > 0) {
			const up = (i - 1) >> 1;
			if ((this.keys[up] ?? 0) <= key)
				break;
			this.put(i, this.cells[up] ?? 0, this.keys[up] ?? 0);
			i = up;
		}
		this.put(i, cell, key);
	}

	pop(): number
	{
		const top = this.cells[0] ?? 0;
		const cell = this.cells.pop() ?? 0;
		const key = this.keys.pop() ?? 0;
		const n = this.cells.length;
		let i = 0;

		while (n > 0) {
			let kid = 2 * i + 1;
			if (kid + 1 < n && (this.keys[kid + 1] ?? 0) <
			    (this.keys[kid] ?? 0))
				kid++;
			if (kid >= n || (this.keys[kid] ?? 0) >= key)
				break;
			this.put(i, this.cells[kid] ?? 0, this.keys[kid] ?? 0);
			i = kid;
		}
		if (n > 0)
			this.put(i, cell, key);
		return top;
	}

	private put(i: number, cell: number, key: number): void
	{
		this.cells[i] = cell;
		this.keys[i] = key;
	}
}

function cellOf(g: Grid, p: Spot): number
{
	return clamp(Math.floor(p.y / CELL), 0, g.h - 1) * g.w +
	    clamp(Math.floor(p.x / CELL), 0, g.w - 1);
}

function centre(g: Grid, cell: number): Spot
{
	return { x: Math.round((cell % g.w + 0.5) * CELL),
	    y: Math.round((Math.floor(cell / g.w) + 0.5) * CELL) };
}

/* The free cell nearest to a place, -1 if none within `rings` cells. */
function freeCell(space: Space, g: Grid, p: Spot, rings: number): number
{
	const at = cellOf(g, p);
	const cx = at % g.w;
	const cy = Math.floor(at / g.w);
	let best = -1;
	let far = Infinity;

	if (!isBlocked(g, at))
		return at;
	for (let j = -rings; j <= rings; j++)
		for (let i = -rings; i <= rings; i++) {
			const x = cx + i, y = cy + j;
			const cell = y * g.w + x;
			if (x < 0 || y < 0 || x >= g.w || y >= g.h ||
			    isBlocked(g, cell))
				continue;
			const c = centre(g, cell);
			const d = distance(c, p);
			if (d < far && space.clear(c, p, 0)) {
				far = d;
				best = cell;
			}
		}
	return best;
}

const AROUND: readonly [number, number][] = [
	[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, -1], [-1, 1], [-1, -1],
];

/* Cells from start to goal, both included; empty when there is no way. */
function search(g: Grid, start: number, goal: number): number[]
{
	const gone = new Float32Array(g.w * g.h).fill(Infinity);
	const from = new Int32Array(g.w * g.h).fill(-1);
	const done = new Uint8Array(g.w * g.h);
	const heap = new Heap();
	const gx = goal % g.w, gy = Math.floor(goal / g.w);

	gone[start] = 0;
	heap.push(start, 0);
	while (heap.size > 0) {
		const cell = heap.pop();
		const x = cell % g.w, y = Math.floor(cell / g.w);
		if (done[cell] === 1)
			continue;
		if (cell === goal)
			break;
		done[cell] = 1;
		for (const [i, j] of AROUND) {
			const to = (y + j) * g.w + x + i;
			if (x + i < 0 || x + i >= g.w || y + j < 0 ||
			    y + j >= g.h || isBlocked(g, to) ||
			    done[to] === 1)
				continue;
			/* no cutting of corners between blocked cells */
			if (i !== 0 && j !== 0 &&
			    (isBlocked(g, y * g.w + x + i) ||
			    isBlocked(g, (y + j) * g.w + x)))
				continue;
			const cost = (gone[cell] ?? 0) +
			    (i !== 0 && j !== 0 ? DIAGONAL : 1) *
			    (g.cost[to] ?? 1);
			if (cost >= (gone[to] ?? 0))
				continue;
			gone[to] = cost;
			from[to] = cell;
			const ax = Math.abs(x + i - gx);
			const ay = Math.abs(y + j - gy);
			heap.push(to, cost + Math.max(ax, ay) +
			    (DIAGONAL - 1) * Math.min(ax, ay));
		}
	}
	return unroll(from, start, goal);
}

function unroll(from: Int32Array, start: number, goal: number): number[]
{
	const cells: number[] = [];
	let at = goal;

	while (at !== start) {
		cells.push(at);
		at = from[at] ?? -1;
		if (at === -1)
			return [];
	}
	cells.push(start);
	return cells.reverse();
}

/* The dearest cell under a straight line. */
function dearest(g: Grid, a: Spot, b: Spot): number
{
	const n = Math.max(1, Math.ceil(distance(a, b) / (CELL / 2)));
	let most = 0;

	for (let i = 0; i <= n; i++)
		most = Math.max(most, g.cost[cellOf(g, {
			x: a.x + (b.x - a.x) * i / n,
			y: a.y + (b.y - a.y) * i / n,
		})] ?? 0);
	return most;
}

/* Leaves only the corners: a point stays when no straight way avoids it. */
function pull(space: Space, g: Grid, way: Spot[], room: number): Spot[]
{
	const legs: Spot[] = [];
	let i = 0;

	while (i < way.length - 1) {
		const a = way[i];
		let next = i + 1;
		let allowed = 0;
		if (a === undefined)
			break;
		for (let k = i + 1; k < way.length; k++) {
			const b = way[k];
			const step = way[k - 1];
			if (b === undefined || step === undefined)
				break;
			allowed = Math.max(allowed, dearest(g, step, b));
			if (distance(a, b) > 6000)
				break;
			if (space.clear(a, b, room) &&
			    dearest(g, a, b) <= allowed)
				next = k;
		}
		const leg = way[next];
		if (leg !== undefined)
			legs.push(leg);
		i = next;
	}
	return legs;
}

/*
 * The ends of the legs from one place to another, whole centimetres; empty
 * when there is no way.  Where a place lies in a wall's clearance the way
 * ends at the nearest free one.
 */
export function findPath(space: Space, from: Spot, to: Spot): Spot[]
{
	for (const wide of [true, false]) {
		const g = space.grid(wide);
		const start = freeCell(space, g, from, 6);
		const goal = freeCell(space, g, to, 6);
		if (start === -1 || goal === -1)
			continue;
		const cells = search(g, start, goal);
		if (cells.length === 0)
			continue;
		return straighten(space, g, cells, from, to,
		    wide ? CLEARANCE - 2 : 10);
	}
	return [];
}

function straighten(space: Space, g: Grid, cells: number[], from: Spot,
    to: Spot, room: number): Spot[]
{
	const way: Spot[] = cells.map((c) => centre(g, c));
	const end = { x: Math.round(to.x), y: Math.round(to.y) };

	way.unshift(from);
	if (!isBlocked(g, cellOf(g, to)) && space.free(to.x, to.y, room))
		way.push(end);
	const legs = pull(space, g, way, room).slice(0, LONGEST);
	const last = { x: Math.round(from.x), y: Math.round(from.y) };

	return legs.filter((p) => {
		const moved = p.x !== last.x || p.y !== last.y;
		last.x = p.x;
		last.y = p.y;
		return moved;
	});
}
