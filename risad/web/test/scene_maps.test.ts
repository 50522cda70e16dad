/* The floors that come with the page: within limits, and walkable. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { edge, inside, middle } from '../src/scene/geom';
import { findPath } from '../src/scene/path';
import { Space } from '../src/scene/space';
import type { FloorMap, MapName, Room } from '../src/types';

const SURFACES = ['wood', 'carpet-blue', 'carpet-green', 'carpet-rose',
    'tatami', 'tile', 'stone', 'grass'];
const ROOMS = ['meeting', 'quiet', 'stage', 'desk', 'lobby', 'cafe'];
const KINDS = ['desk', 'chair', 'table', 'round', 'sofa', 'armchair',
    'plant', 'rug', 'counter', 'shelf', 'board', 'screen', 'stage', 'lamp',
    'coffee', 'door-mat', 'cushion', 'low-table'];
const dir = [path.join(process.cwd(), 'maps'),
    path.join(process.cwd(), 'risad/web/maps')].find((d) => {
	try {
		return readdirSync(d).length > 0;
	} catch {
		return false;
	}
}) ?? 'maps';
const names = readdirSync(dir).filter((n) => n.endsWith('.json'));

function load(name: string): { text: string; map: FloorMap }
{
	const text = readFileSync(path.join(dir, name), 'utf8');

	return { text, map: JSON.parse(text) as FloorMap };
}

function within(v: number, low: number, high: number, what: string): void
{
	assert.ok(Number.isInteger(v) && v >= low && v <= high,
	    `${what}: ${v}`);
}

function named(name: MapName): void
{
	const all = typeof name === 'string' ? [name] : [name.ja, name.en];

	for (const n of all)
		within(Array.from(n).length, 1, 64, 'name');
}

function checkRoom(map: FloorMap, r: Room): void
{
	within(r.id, 1, 255, 'room id');
	within(r.shape.length, 3, 16, 'corners');
	within(r.capacity, 1, 1000, 'capacity');
	within(r.doors.length, 0, 8, 'doors');
	assert.ok(ROOMS.includes(r.kind) && SURFACES.includes(r.surface));
	named(r.name);
	for (const [x, y] of r.shape) {
		within(x, 0, map.size[0], 'corner');
		within(y, 0, map.size[1], 'corner');
	}
}

test('the templates are there', () => {
	assert.ok(names.includes('office.json'));
	assert.ok(names.includes('lobby.json'));
});

for (const name of names) {
	const { text, map } = load(name);
	const [w, h] = map.size;

	test(`${name}: within the limits of a map`, () => {
		assert.equal(map.version, 1);
		assert.ok(Buffer.byteLength(text) <= 96 * 1024);
		within(w, 500, 20000, 'width');
		within(h, 500, 20000, 'height');
		assert.ok(SURFACES.includes(map.floor));
		assert.ok(map.walls.length <= 1024);
		assert.ok(map.rooms.length <= 64);
		assert.ok(map.furniture.length <= 2048);
		within(map.spawn.length, 1, 64, 'spawn points');
		for (const s of map.walls)
			for (const [i, v] of s.entries())
				within(v, 0, i % 2 === 0 ? w : h, 'wall');
		assert.equal(new Set(map.rooms.map((r) => r.id)).size,
		    map.rooms.length);
		for (const r of map.rooms)
			checkRoom(map, r);
	});

	test(`${name}: furniture of known kinds, on the floor`, () => {
		for (const f of map.furniture) {
			assert.ok(KINDS.includes(f.kind), f.kind);
			assert.ok([0, 90, 180, 270].includes(f.turn));
			within(f.x, 0, w, 'x');
			within(f.y, 0, h, 'y');
			within(f.x + f.w, 1, w, f.kind);
			within(f.y + f.h, 1, h, f.kind);
		}
	});

	test(`${name}: one can get from the entrance to every room`, () => {
		const space = new Space(map);
		const [sx, sy] = map.spawn[0] ?? [0, 0];
		const from = { x: sx, y: sy };
		for (const [x, y] of map.spawn) {
			assert.ok(space.free(x, y, 25), `spawn ${x},${y}`);
			assert.equal(space.roomAt(x, y), 0);
			assert.ok((x === sx && y === sy) ||
			    findPath(space, from, { x, y }).length > 0);
		}
		for (const r of map.rooms) {
			const way = findPath(space, from, middle(r.shape));
			const end = way[way.length - 1];
			assert.ok(end !== undefined &&
			    inside(r.shape, end.x, end.y), `room ${r.id}`);
			assert.ok(way.length <= 32);
		}
	});

	test(`${name}: every seat can be reached`, () => {
		const space = new Space(map);
		const [x, y] = map.spawn[0] ?? [0, 0];
		for (const s of space.seats) {
			const way = findPath(space, { x, y }, s);
			const end = way[way.length - 1];
			assert.ok(end !== undefined && Math.hypot(end.x - s.x,
			    end.y - s.y) <= 18, `${s.kind} ${s.x},${s.y}`);
		}
	});

	test(`${name}: a locked room is closed on all sides`, () => {
		const [x, y] = map.spawn[0] ?? [0, 0];
		for (const r of map.rooms.filter((q) => q.lock)) {
			const space = new Space(map);
			space.setLocked(r.id, true);
			assert.ok(r.doors.length > 0);
			assert.deepEqual(findPath(space, { x, y },
			    middle(r.shape)), [], `room ${r.id}`);
		}
	});
}

for (const name of names)
	test(`${name}: a door fills a gap between the ends of walls`, () => {
		const { map } = load(name);
		for (const r of map.rooms)
			for (const d of r.doors)
				for (const i of [0, 2] as const) {
					const x = d[i], y = d[i + 1] ?? -1;
					assert.ok(map.walls.some((s) =>
					    (s[0] === x && s[1] === y) ||
					    (s[2] === x && s[3] === y)),
					    `room ${r.id}: ${x},${y}`);
					assert.ok(edge(r.shape, x, y) < 1);
				}
	});

test('the office has what an office needs', () => {
	const { map } = load('office.json');
	const desks = map.furniture.filter((f) => f.kind === 'desk');
	const meeting = map.rooms.filter((r) => r.kind === 'meeting');

	assert.ok(desks.length >= 24, `${desks.length} desks`);
	assert.ok(meeting.length >= 3);
	assert.ok(meeting.every((r) => r.lock));
	for (const kind of ['quiet', 'cafe', 'stage'])
		assert.ok(map.rooms.some((r) => r.kind === kind), kind);
});
