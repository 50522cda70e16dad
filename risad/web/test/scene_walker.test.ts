/* One's own walking: which legs are told, and when the server is believed. */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Track, WALK } from '../src/scene/legs';
import type { Move } from '../src/scene/legs';
import { Space } from '../src/scene/space';
import { Walker } from '../src/scene/walker';

interface Leg {
	x: number;
	y: number;
	queued: boolean;
}

let now = 1000;
mock.method(performance, 'now', () => now);
Object.assign(globalThis, { window: globalThis });

/* Somebody at 200, 300 on a floor with a wall and a lockable door. */
function stand(): { w: Walker; t: Track; space: Space; legs: Leg[] }
{
	const legs: Leg[] = [];
	const t = new Track(200, 300);
	const space = new Space({
		version: 1, size: [1000, 600], floor: 'wood',
		walls: [[500, 0, 500, 200], [500, 340, 500, 600]],
		rooms: [{ id: 4, kind: 'meeting', name: 'R', capacity: 5,
		    shape: [[500, 0], [1000, 0], [1000, 600], [500, 600]],
		    surface: 'tile', lock: true,
		    doors: [[500, 200, 500, 340]] }],
		furniture: [], spawn: [[200, 300]],
	});
	const w = new Walker(space, t, (frames) => {
		for (const f of frames) {
			const v = new DataView(f);
			legs.push({ x: v.getUint16(1, true),
			    y: v.getUint16(3, true),
			    queued: v.getUint8(6) === 1 });
		}
	}, () => undefined);

	now += 60000;
	return { w, t, space, legs };
}

function move(x: number, y: number): Move
{
	return { id: 1, x, y, tx: x, ty: y, heading: 0, flags: 0 };
}

test('a click is told as legs and walked at once', () => {
	const { w, t, legs } = stand();

	assert.equal(w.go({ x: 400, y: 300 }), true);
	assert.deepEqual(legs, [{ x: 400, y: 300, queued: false }]);
	assert.deepEqual(w.goal, { x: 400, y: 300 });
	now += 100;
	assert.deepEqual(t.where(now), { x: 200 + WALK / 10, y: 300 });
});

test('who turns on the way tells the corner first', () => {
	const { w, legs } = stand();

	w.go({ x: 400, y: 300 });
	now += 250;
	w.go({ x: 300, y: 100 });
	assert.deepEqual(legs.slice(1), [
		{ x: 200 + WALK / 4, y: 300, queued: false },
		{ x: 300, y: 100, queued: true },
	]);
});

test('a held key walks, letting go tells where one stands', () => {
	const { w, t, legs } = stand();

	w.steer(-1, 0);
	assert.deepEqual(legs, [{ x: 30, y: 300, queued: false }]);
	now += 250;
	w.steer(0, 0);
	assert.deepEqual(legs[1], { x: 200 - WALK / 4, y: 300,
	    queued: false });
	assert.equal(t.walking(now), false);
	w.steer(0, 0);
	assert.equal(legs.length, 2);
});

test('keys against a wall tell nothing', () => {
	const { w, t, legs } = stand();

	t.stand(30, 300);
	w.steer(-1, 0);
	now += 500;
	w.tick(now);
	assert.deepEqual(legs, []);
});

test('the bucket keeps a burst of keys below the server\'s limit', () => {
	const { w, legs } = stand();

	for (let i = 0; i < 100; i++)
		w.steer(i % 2 === 0 ? 1 : -1, 0);
	w.destroy();
	assert.ok(legs.length <= 16, `${legs.length} legs`);
});

test('the server a little behind on our way is not believed', () => {
	const { w, t } = stand();

	w.go({ x: 400, y: 300 });
	w.tick(now);
	now += 400;
	w.tick(now);
	w.judge(move(205, 300), now);
	now += 200;
	assert.deepEqual(t.where(now), { x: 200 + WALK * 0.6, y: 300 });
});

test('the server far off our way is believed', () => {
	const { w, t } = stand();

	w.judge(move(200, 420), now);
	now += 1000;
	assert.deepEqual(t.where(now), { x: 200, y: 420 });
});

test('who stands where the server does not is put there in the end', () => {
	const { w, t } = stand();

	w.go({ x: 400, y: 300 });
	now += 300;
	w.tick(now);
	w.judge(move(250, 300), now);
	now += 3000;
	w.tick(now);
	w.settle(now);
	now += 1000;
	assert.deepEqual(t.where(now), { x: 250, y: 300 });
});

test('a place of the server ends everything', () => {
	const { w, t, legs } = stand();

	w.go({ x: 400, y: 300 });
	w.place(111, 222);
	assert.deepEqual(t.where(now + 500), { x: 111, y: 222 });
	assert.equal(w.goal, null);
	w.tick(now + 500);
	assert.equal(legs.length, 1);
});

test('a door that closes on the way stops one before it', () => {
	const { w, t, space, legs } = stand();

	w.go({ x: 900, y: 300 });
	now += 250;
	space.setLocked(4, true);
	w.reroute();
	assert.equal(t.walking(now), false);
	assert.equal(w.goal, null);
	assert.ok((legs[legs.length - 1]?.x ?? 999) < 500);
});
