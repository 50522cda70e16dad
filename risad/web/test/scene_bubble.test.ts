/* The ring around a talk: the corners that hold everybody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hull } from '../src/scene/bubble';

const p = (x: number, y: number) => ({ x, y });

test('one, two, and two in one place', () => {
	assert.deepEqual(hull([]), []);
	assert.deepEqual(hull([p(1, 1)]), [p(1, 1)]);
	assert.deepEqual(hull([p(5, 1), p(1, 1)]), [p(1, 1), p(5, 1)]);
	assert.deepEqual(hull([p(1, 1), p(1, 1)]), [p(1, 1)]);
});

test('those inside are no corners, the corners come in turn', () => {
	assert.deepEqual(hull([p(0, 0), p(10, 0), p(5, 3), p(10, 10), p(0, 10),
	    p(4, 4)]), [p(0, 0), p(10, 0), p(10, 10), p(0, 10)]);
	assert.deepEqual(hull([p(0, 0), p(5, 0), p(10, 0)]),
	    [p(0, 0), p(10, 0)]);
});

test('every point lies on the same side of every edge', () => {
	let seed = 7;
	const random = () => (seed = seed * 1103515245 + 12345 & 0x7fffffff);

	for (let round = 0; round < 200; round++) {
		const all = Array.from({ length: 3 + random() % 14 }, () =>
		    p(random() % 1000, random() % 1000));
		const h = hull(all);
		h.forEach((a, i) => {
			const b = h[(i + 1) % h.length] ?? a;
			for (const q of all)
				assert.ok((b.x - a.x) * (q.y - a.y) -
				    (b.y - a.y) * (q.x - a.x) >= 0);
		});
	}
});
