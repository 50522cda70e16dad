import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../src/lib/backoff';

test('half a second, doubling, to fifteen', () => {
	const all = [0, 1, 2, 3, 4, 5, 6].map((n) => backoff(n, () => 0));

	assert.deepEqual(all, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
});

test('chance takes away at most half', () => {
	assert.equal(backoff(0, () => 1), 250);
	assert.equal(backoff(3, () => 0.5), 3000);
});

test('a thousand tries later it is still fifteen seconds', () => {
	assert.equal(backoff(1000, () => 0), 15000);
});
