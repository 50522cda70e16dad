import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcer } from '../src/lib/announce';
import { Topics } from '../src/lib/topics';

function make() {
	const said: string[] = [];
	const timers: (() => void)[] = [];
	const a = new Announcer((s) => said.push(s), (n) => `+${n}`,
	    (_, fn) => { timers.push(fn); });

	return ({ a, said, fire: () => timers.shift()?.(), timers });
}

test('the first is said at once, the next after a while', () => {
	const m = make();

	m.a.add('a');
	m.a.add('b');
	assert.deepEqual(m.said, ['a']);
	m.fire();
	assert.deepEqual(m.said, ['a', 'b']);
	m.fire();
	assert.equal(m.timers.length, 0);
	m.a.add('c');
	assert.deepEqual(m.said, ['a', 'b', 'c']);
});

test('a crowd becomes a number, words of people come first', () => {
	const m = make();

	m.a.add('x');
	for (let i = 0; i < 40; i++)
		m.a.add(`j${i}`, true);
	m.a.add('hello');
	m.fire();
	assert.equal(m.said[1], 'hello j38 j39 +38');
});

test('changes of one moment are told once to each', () => {
	const runs: (() => void)[] = [];
	const t = new Topics((run) => runs.push(run));
	let n = 0;
	const off = t.on(['people', 'chat'], () => n++);

	t.changed('people');
	t.changed('chat', 'people');
	assert.equal(runs.length, 1);
	runs.shift()?.();
	assert.equal(n, 1);
	t.changed('floor');
	runs.shift()?.();
	assert.equal(n, 1);
	off();
	t.changed('people');
	runs.shift()?.();
	assert.equal(n, 1);
});
