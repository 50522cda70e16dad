/* Frames, the clock and where a walker is at an instant. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bucket, Clock, Track, WALK, decodeMoves, encodeLeg, encodePath,
    heading } from '../src/scene/legs';

function bytes(b: ArrayBuffer): number[]
{
	return Array.from(new Uint8Array(b));
}

test('headings: east, south, west, north', () => {
	assert.equal(heading(1, 0), 0);
	assert.equal(heading(0, 1), 64);
	assert.equal(heading(-1, 0), 128);
	assert.equal(heading(0, -1), 192);
});

test('a leg is seven bytes, little endian', () => {
	assert.deepEqual(bytes(encodeLeg({ x: 0x1234, y: 0x0506 }, 64, true)),
	    [1, 0x34, 0x12, 0x06, 0x05, 64, 1]);
	assert.deepEqual(bytes(encodeLeg({ x: -5, y: 70000 }, 300, false)),
	    [1, 0, 0, 255, 255, 44, 0]);
});

test('a path queues all its legs but the first', () => {
	const f = encodePath({ x: 0, y: 0 }, [{ x: 100, y: 0 },
	    { x: 100, y: 50 }, { x: 0, y: 50 }]).map(bytes);

	assert.deepEqual(f.map((b) => b[6]), [0, 1, 1]);
	assert.deepEqual(f.map((b) => b[5]), [0, 64, 128]);
});

test('a frame of moves is read; wrong lengths are refused', () => {
	const good = [2, 0x78, 0x56, 0x34, 0x12, 1, 0,
	    7, 0, 100, 0, 200, 0, 44, 1, 144, 1, 64, 3];
	const f = decodeMoves(new Uint8Array(good).buffer);

	assert.ok(f !== null);
	assert.equal(f.time, 0x12345678);
	assert.deepEqual(f.moves, [{ id: 7, x: 100, y: 200, tx: 300, ty: 400,
	    heading: 64, flags: 3 }]);
	assert.equal(decodeMoves(new Uint8Array(good.slice(0, -1)).buffer),
	    null);
	assert.equal(decodeMoves(new Uint8Array([...good, 0]).buffer), null);
	assert.equal(decodeMoves(new Uint8Array(3).buffer), null);
	assert.equal(decodeMoves(new Uint8Array([1, ...good.slice(1)]).buffer),
	    null);
});

test('a walker goes at walking speed, leg after leg', () => {
	const t = new Track(0, 0);

	t.walk({ x: 0, y: 0 }, [{ x: WALK, y: 0 }, { x: WALK, y: WALK }],
	    1000);
	assert.deepEqual(t.where(1000), { x: 0, y: 0 });
	assert.deepEqual(t.where(1500), { x: WALK / 2, y: 0 });
	assert.equal(t.facing(), 0);
	assert.deepEqual(t.where(2250), { x: WALK, y: WALK / 4 });
	assert.equal(t.facing(), 64);
	assert.equal(t.walking(2999), true);
	assert.equal(t.walking(3000), false);
	assert.deepEqual(t.where(9000), { x: WALK, y: WALK });
	assert.deepEqual(t.goal(), { x: WALK, y: WALK });
});

test('a path that was begun earlier is joined on the way', () => {
	const t = new Track(0, 0);

	t.walk({ x: 0, y: 0 }, [{ x: WALK, y: 0 }, { x: WALK, y: WALK }], 0);
	assert.deepEqual(t.where(1500), { x: WALK, y: WALK / 2 });
	assert.deepEqual(t.ahead(1500), [{ x: WALK, y: WALK }]);
});

test('a small correction is blended, a great one is not', () => {
	const t = new Track(0, 0);

	t.correct({ x: 60, y: 0 }, [], 1000, 1000);
	assert.deepEqual(t.where(1000), { x: 0, y: 0 });
	assert.ok(Math.abs(t.where(1075).x - 30) < 0.01);
	assert.equal(t.moving(1075), true);
	assert.deepEqual(t.where(1150), { x: 60, y: 0 });
	assert.equal(t.moving(1151), false);
	t.correct({ x: 900, y: 0 }, [], 2000, 2000);
	assert.deepEqual(t.where(2000), { x: 900, y: 0 });
});

test('to stand ends everything', () => {
	const t = new Track(0, 0);

	t.walk({ x: 0, y: 0 }, [{ x: 999, y: 0 }], 0);
	t.stand(10, 20);
	assert.equal(t.moving(1), false);
	assert.deepEqual(t.where(5000), { x: 10, y: 20 });
});

test('the clock trusts the sample with the least delay', () => {
	const c = new Clock();

	assert.equal(c.since(5, 100), 0);
	c.add(10000, 150);		/* 50 ms late */
	c.add(10100, 210);		/* 10 ms late */
	c.add(10200, 400);		/* 100 ms late */
	assert.equal(c.since(10200, 400), 90);
	assert.equal(c.since(99999, 400), 0);
});

test('a late sample counts once the better ones are old', () => {
	const c = new Clock();

	c.add(1000, 0);
	c.add(31000, 30100);
	assert.equal(c.since(31000, 30100), 0);
});

test('the clock passes its own end', () => {
	const c = new Clock();

	c.add(4294967290, 1000);
	assert.equal(c.since(4294967290, 1020), 20);
	c.add(14, 1020);
	assert.equal(c.since(4, 1030), 20);
});

test('a bucket gives what was saved, then makes one wait', () => {
	const b = new Bucket(10, 3);

	assert.equal(b.take(2, 0), 0);
	assert.equal(b.take(1, 0), 0);
	assert.equal(b.take(1, 0), 100);
	assert.equal(b.take(1, 100), 0);
	assert.equal(b.take(9, 100), 300);
	assert.equal(b.take(9, 400), 0);
	assert.ok(b.take(1, 400) > 300);
});
