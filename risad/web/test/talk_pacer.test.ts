import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pacer } from '../src/talk/pacer';

/* A clock that goes when it is told to, in steps of a millisecond. */
function clock() {
	let now = 0;
	const timers = new Set<{ at: number; fn: () => void }>();

	return ({
		now: () => now,
		after: (ms: number, fn: () => void) => {
			const t = { at: now + ms, fn };
			timers.add(t);
			return (() => {
				timers.delete(t);
			});
		},
		go: (ms: number) => {
			for (const end = now + ms; now < end; now++)
				for (const t of [...timers])
					if (t.at <= now && timers.delete(t))
						t.fn();
		},
		pending: () => timers.size,
	});
}

test('a crowd is greeted below what the server takes', () => {
	const c = clock();
	const sent: number[] = [];
	const p = new Pacer((id) => {
		sent.push(c.now());
		return (id < 20);	/* twice for each of these */
	}, c);

	for (let id = 0; id < 20; id++)
		p.want(id + 100, 0);
	c.go(10000);
	assert.equal(sent.length, 20);
	for (const t of sent) {
		const second = sent.filter((x) => x >= t && x < t + 1000);
		/* At most ten at once and ten a second more. */
		assert.ok(second.length <= 8 + 8, String(second.length));
	}
	assert.ok(sent.slice(8).every((t, i) => t >= i * 120), 'paced');
	assert.equal(c.pending(), 0, 'no timer while nobody waits');
});

test('each in turn, also who has more to say', () => {
	const c = clock();
	const left = new Map([[1, 3], [2, 1], [3, 2]]);
	const sent: number[] = [];
	const p = new Pacer((id) => {
		sent.push(id);
		left.set(id, (left.get(id) ?? 0) - 1);
		return ((left.get(id) ?? 0) > 0);
	}, c);

	for (const id of [1, 2, 3])
		p.want(id, 0);
	c.go(2000);
	assert.deepEqual(sent, [1, 2, 3, 1, 3, 1]);
});

test('candidates are gathered, a description does not wait for them', () => {
	const c = clock();
	const sent: number[] = [];
	const p = new Pacer(() => {
		sent.push(c.now());
		return (false);
	}, c);

	p.want(1, 100);
	c.go(50);
	p.want(1, 100);
	assert.deepEqual(sent, []);
	c.go(60);
	assert.deepEqual(sent, [100]);
	p.want(1, 100);
	p.want(2, 0);
	c.go(5);
	assert.equal(sent.length, 2, 'nobody goes with another');
	p.want(1, 0);
	c.go(5);
	assert.equal(sent.length, 3);
});

test('who has gone is not greeted', () => {
	const c = clock();
	const sent: number[] = [];
	const p = new Pacer((id) => {
		sent.push(id);
		return (false);
	}, c);

	p.want(1, 50);
	p.want(2, 50);
	p.forget(1);
	c.go(100);
	assert.deepEqual(sent, [2]);
});
