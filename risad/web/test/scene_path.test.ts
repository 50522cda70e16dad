/* Geometry, walls and the way around them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apart, crosses, distance, edge, inside, middle, nearest }
    from '../src/scene/geom';
import type { Spot } from '../src/scene/geom';
import { findPath } from '../src/scene/path';
import { beside, meant, placeIn } from '../src/scene/places';
import { CLEARANCE, Space, seatsOf } from '../src/scene/space';
import type { FloorMap, Point, Segment } from '../src/types';

const L: Point[] = [[0, 0], [100, 0], [100, 40], [40, 40], [40, 100],
    [0, 100]];

/* Two halves with a door of 140 in the wall between them. */
function halves(): FloorMap
{
	return {
		version: 1, size: [1000, 600], floor: 'wood',
		walls: [[500, 0, 500, 200], [500, 340, 500, 600]],
		rooms: [{ id: 4, kind: 'meeting', name: 'R', capacity: 5,
		    shape: [[500, 0], [1000, 0], [1000, 600], [500, 600]],
		    surface: 'tile', lock: true,
		    doors: [[500, 200, 500, 340]] }],
		furniture: [], spawn: [[100, 100]],
	};
}

function length(from: Spot, way: readonly Spot[]): number
{
	let at = from, sum = 0;

	for (const p of way) {
		sum += distance(at, p);
		at = p;
	}
	return sum;
}

/* Every leg keeps off the walls and ends on whole centimetres. */
function sound(space: Space, from: Spot, way: readonly Spot[]): void
{
	let at = from;

	for (const p of way) {
		assert.ok(Number.isInteger(p.x) && Number.isInteger(p.y));
		assert.ok(space.clear(at, p, 20),
		    `${at.x},${at.y} to ${p.x},${p.y}`);
		at = p;
	}
}

test('a hollow polygon holds what it should', () => {
	assert.equal(inside(L, 20, 80), true);
	assert.equal(inside(L, 80, 20), true);
	assert.equal(inside(L, 80, 80), false);
	assert.equal(inside(L, -1, 20), false);
});

test('the middle of a hollow polygon lies inside it', () => {
	const m = middle(L);

	assert.ok(inside(L, m.x, m.y));
	assert.ok(edge(L, m.x, m.y) > 15);
});

test('segments: crossing, distance, nearest point', () => {
	const a: Segment = [0, 0, 100, 0];

	assert.equal(crosses(a, [50, -10, 50, 10]), true);
	assert.equal(crosses(a, [50, 1, 50, 10]), false);
	assert.equal(crosses(a, [150, -10, 150, 10]), false);
	assert.equal(crosses([150, -10, 150, 10], a), false);
	assert.equal(crosses(a, [100, 0, 100, 50]), true);
	assert.equal(crosses(a, [0, 10, 100, 10]), false);
	assert.equal(apart(a, [50, 30, 70, 90]), 30);
	assert.equal(apart(a, [130, 40, 130, 90]), 50);
	assert.deepEqual(nearest(a, 140, 10), { x: 100, y: 0 });
	assert.deepEqual(nearest([5, 5, 5, 5], 9, 9), { x: 5, y: 5 });
});

test('an empty floor is crossed in one leg', () => {
	const map = { ...halves(), walls: [], rooms: [] };
	const way = findPath(new Space(map), { x: 50, y: 50 },
	    { x: 900, y: 500 });

	assert.deepEqual(way, [{ x: 900, y: 500 }]);
});

test('a way leads through the door, straight and clear', () => {
	const space = new Space(halves());
	const from = { x: 100, y: 550 }, to = { x: 900, y: 550 };
	const way = findPath(space, from, to);

	sound(space, from, way);
	assert.deepEqual(way[way.length - 1], to);
	assert.ok(way.length >= 2 && way.length <= 5, `${way.length} legs`);
	assert.ok(length(from, way) < 1010, `${length(from, way)} cm`);
});

test('a locked door closes the way, an opened one gives it back', () => {
	const space = new Space(halves());
	const from = { x: 100, y: 100 }, to = { x: 900, y: 100 };

	space.setLocked(4, true);
	assert.deepEqual(findPath(space, from, to), []);
	assert.equal(space.isLocked(4), true);
	space.setLocked(4, false);
	assert.notEqual(findPath(space, from, to).length, 0);
});

test('a narrow door is squeezed through when there is no other', () => {
	const map = halves();
	map.walls = [[500, 0, 500, 260], [500, 310, 500, 600]];
	const space = new Space(map);
	const way = findPath(space, { x: 100, y: 100 }, { x: 900, y: 100 });

	assert.notEqual(way.length, 0);
	for (let i = 1; i < way.length; i++)
		assert.ok(space.clear(way[i - 1] as Spot, way[i] as Spot, 0));
});

test('furniture is walked around, seats are walked onto', () => {
	const map = { ...halves(), walls: [], rooms: [] };
	map.furniture = [
		{ kind: 'desk', x: 400, y: 200, w: 200, h: 200, turn: 0 },
		{ kind: 'chair', x: 700, y: 270, w: 60, h: 60, turn: 90 },
	];
	const space = new Space(map);
	const from = { x: 200, y: 300 };
	const way = findPath(space, from, { x: 730, y: 300 });
	let at = from;

	for (const p of way) {
		for (let i = 0; i <= 20; i++) {
			const x = at.x + (p.x - at.x) * i / 20;
			const y = at.y + (p.y - at.y) * i / 20;
			assert.ok(x < 400 || x > 600 || y < 200 || y > 400,
			    `over the desk at ${x},${y}`);
		}
		at = p;
	}
	assert.deepEqual(at, { x: 730, y: 300 });
});

test('a goal in a wall ends at the free place beside it', () => {
	const space = new Space(halves());
	const way = findPath(space, { x: 100, y: 300 }, { x: 498, y: 100 });
	const end = way[way.length - 1];

	assert.ok(end !== undefined && end.x < 500);
	assert.ok(space.free(end.x, end.y, 25));
});

test('a held key walks up to the wall and not through it', () => {
	const space = new Space(halves());
	const d = space.ray({ x: 300, y: 100 }, 1, 0);

	assert.ok(Math.abs(d - (200 - CLEARANCE)) < 2, `${d} cm`);
	assert.equal(space.leg({ x: 300, y: 100 }, 0, 0), null);
	assert.equal(space.leg({ x: 470, y: 100 }, 1, 0), null);
});

test('a slanted key slides along the wall', () => {
	const to = new Space(halves()).leg({ x: 470, y: 60 }, 1, 1);

	assert.ok(to !== null);
	assert.equal(to.x, 470);
	assert.ok(to.y > 100);
});

test('who stands too near to a wall can walk away from it', () => {
	const space = new Space(halves());

	assert.ok(space.ray({ x: 492, y: 100 }, -1, 0) > 100);
	assert.ok(space.ray({ x: 492, y: 100 }, 1, 0) < 8);
	assert.ok(space.ray({ x: 2, y: 2 }, 1, 1) >= 0);
});

test('rooms: the first that holds the point, none is the open floor', () => {
	const space = new Space(halves());

	assert.equal(space.roomAt(700, 300), 4);
	assert.equal(space.roomAt(300, 300), 0);
});

test('a sofa has a place every 75 cm, a table none', () => {
	const at = { x: 0, y: 0, w: 300, h: 90, turn: 0 as const };

	assert.equal(seatsOf({ kind: 'sofa', ...at }).length, 4);
	assert.equal(seatsOf({ kind: 'sofa', ...at, turn: 90 }).length, 1);
	assert.equal(seatsOf({ kind: 'chair', ...at }).length, 1);
	assert.equal(seatsOf({ kind: 'table', ...at }).length, 0);
});

test('a floor of the largest size is still searched', () => {
	const space = new Space({ ...halves(), size: [20000, 20000] });
	const way = findPath(space, { x: 100, y: 100 },
	    { x: 19900, y: 19900 });

	assert.deepEqual(way[way.length - 1], { x: 19900, y: 19900 });
	assert.ok(way.length <= 32);
});

/* A room with two chairs behind the door of halves(). */
function seated(): Space
{
	return new Space({ ...halves(), furniture: [
		{ kind: 'chair', x: 670, y: 270, w: 60, h: 60, turn: 0 },
		{ kind: 'chair', x: 870, y: 270, w: 60, h: 60, turn: 0 },
		{ kind: 'table', x: 740, y: 250, w: 120, h: 100, turn: 0 },
	] });
}

const nobody = (): boolean => false;

test('a click on a table means the nearest free seat', () => {
	const space = seated();
	const at = { x: 760, y: 300 };

	assert.deepEqual(meant(space, at, nobody), { x: 700, y: 300 });
	assert.deepEqual(meant(space, at, (p) => p.x === 700),
	    { x: 900, y: 300 });
	assert.deepEqual(meant(space, at, () => true), at);
	assert.deepEqual(meant(space, { x: 300, y: 500 }, nobody),
	    { x: 300, y: 500 });
});

test('one stops beside somebody, not in him and not behind a wall', () => {
	const space = new Space(halves());
	const at = { x: 440, y: 100 };
	const p = beside(space, at, { x: 900, y: 100 }, nobody);

	assert.ok(distance(p, at) > 90 && distance(p, at) < 200);
	assert.ok(p.x < 500 && space.free(p.x, p.y));
	assert.deepEqual(beside(space, at, p, () => true), at);
	/* in the same room without walls, on this side without rooms */
	const me = { x: 900, y: 300 }, low = { x: 440, y: 480 };
	const open = new Space({ ...halves(), walls: [] });
	assert.ok(beside(open, low, me, nobody).x < 500);
	const bare = new Space({ ...halves(), rooms: [] });
	assert.ok(beside(bare, low, me, nobody).x < 500);
});

test('a room is entered to its nearest free seat, else to free floor', () => {
	const space = seated();
	const me = { x: 100, y: 300 };
	const spot = placeIn(space, 4, me, (p) => p.y === 300);

	assert.deepEqual(placeIn(space, 4, me, nobody), { x: 700, y: 300 });
	assert.ok(spot !== null && spot.x > 530 &&
	    space.furnitureAt(spot.x, spot.y) === null);
	assert.equal(placeIn(space, 9, me, nobody), null);
});
