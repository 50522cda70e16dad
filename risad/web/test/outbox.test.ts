import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox, target } from '../src/lib/outbox';
import type { ClientMsg } from '../src/types';

type Say = Extract<ClientMsg, { t: 'say' }>;

/* An outbox with its wire and its clock in our hands. */
function make() {
	const sent: Say[] = [];
	const timers: { ms: number; fn: () => void }[] = [];
	const wire = { up: true };
	const dead = { n: 0 };
	let n = 0;

	const box = new Outbox({
		send: (m) => {
			if (wire.up)
				sent.push(m as Say);
			return (wire.up);
		},
		timer: (ms, fn) => {
			const t = { ms, fn };
			timers.push(t);
			return (() => {
				const i = timers.indexOf(t);
				if (i !== -1)
					timers.splice(i, 1);
			});
		},
		changed: () => undefined,
		silent: () => dead.n++,
		ref: () => `r${++n}`,
	});
	const refs = () => sent.map((m) => m.ref);
	const fire = () => timers.shift()?.fn();
	return ({ box, sent, refs, timers, fire, wire, dead });
}

const here = { floor: 3, room: 0 };

test('one message at a time, in order', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	m.box.add('floor:3', 'b', 0, 0);
	assert.deepEqual(m.refs(), ['r1']);
	m.box.ack('r1');
	assert.deepEqual(m.refs(), ['r1', 'r2']);
	assert.equal(m.box.drafts.length, 1);
});

test('a lost connection sends the same refs again, in order', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	m.box.add('user:7', 'b', 0, 0);
	m.box.down();
	m.box.add('floor:3', 'c', 0, 0);
	assert.deepEqual(m.refs(), ['r1']);
	m.box.up(here);
	m.box.ack('r1');
	m.box.ack('r2');
	m.box.ack('r3');
	assert.deepEqual(m.refs(), ['r1', 'r1', 'r2', 'r3']);
	assert.equal(m.box.drafts.length, 0);
});

test('an ack counts once', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	assert.equal(m.box.ack('r1')?.text, 'a');
	assert.equal(m.box.ack('r1'), null);
});

test('before a floor is entered only direct messages go', () => {
	const m = make();

	m.box.add('floor:3', 'a', 0, 0);
	m.box.add('user:7', 'b', 0, 0);
	m.box.up({ floor: 0, room: 0 });
	assert.deepEqual(m.sent[0]?.to, { user: 7 });
	m.box.ack('r2');
	m.box.up(here);
	assert.equal(m.sent[1]?.to, 'floor');
});

test('what was meant for another place fails and says so', () => {
	const m = make();

	m.box.add('room:3:2', 'a', 0, 0);
	m.box.add('floor:5', 'b', 0, 0);
	m.box.add('floor:3', 'c', 0, 0);
	m.box.up(here);
	assert.deepEqual(m.refs(), ['r3']);
	assert.deepEqual(m.box.drafts.map((d) => d.failed),
	    ['not-here', 'not-here', '']);
	m.box.ack('r3');
	m.box.moved({ floor: 3, room: 2 });
	m.box.retry('r1');
	assert.deepEqual(m.refs(), ['r3', 'r1']);
	assert.equal(m.sent[1]?.to, 'room');
});

test('too many: the same one again after a while', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	m.box.add('floor:3', 'b', 0, 0);
	assert.equal(m.box.refuse('r1', 'too-many'), true);
	assert.deepEqual(m.refs(), ['r1']);
	m.fire();
	assert.deepEqual(m.refs(), ['r1', 'r1']);
	assert.equal(m.box.drafts[0]?.failed, '');
});

test('no answer: the wire is doubted, then the same ref again', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	m.fire();
	assert.deepEqual(m.refs(), ['r1', 'r1']);
	assert.equal(m.timers.length, 1);
	assert.equal(m.dead.n, 1);
	m.box.refuse('r1', 'too-many');
	m.fire();
	assert.equal(m.dead.n, 1);
});

test('a refusal fails one, the next goes; a failed one can be dropped', () => {
	const m = make();

	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	m.box.add('floor:3', 'b', 0, 0);
	m.box.refuse('r1', 'no-right');
	assert.deepEqual(m.refs(), ['r1', 'r2']);
	m.box.discard('r2');
	assert.equal(m.box.drafts.length, 2);
	m.box.discard('r1');
	assert.deepEqual(m.box.drafts.map((d) => d.ref), ['r2']);
	assert.equal(m.box.refuse('nobody', 'empty'), false);
});

test('a wire that refuses leaves the draft for the next connection', () => {
	const m = make();

	m.wire.up = false;
	m.box.up(here);
	m.box.add('floor:3', 'a', 0, 0);
	assert.deepEqual(m.refs(), []);
	m.wire.up = true;
	m.box.up(here);
	assert.deepEqual(m.refs(), ['r1']);
});

test('one\'s own message before its ack belongs to its draft', () => {
	const m = make();
	const msg = { channel: 'floor:3', text: 'a' };

	m.box.add('floor:3', 'a', 10000, 90);
	m.box.add('floor:3', 'a', 10000, 90);
	assert.equal(m.box.claim({ ...msg, id: 90, at: 10000 }), null);
	assert.equal(m.box.claim({ ...msg, id: 91, at: 1000 }), null);
	assert.equal(m.box.claim({ ...msg, text: 'b', id: 91, at: 10000 }),
	    null);
	assert.equal(m.box.claim({ ...msg, id: 91, at: 10001 })?.ref, 'r1');
	assert.equal(m.box.claim({ ...msg, id: 91, at: 10001 })?.ref, 'r1');
	assert.equal(m.box.claim({ ...msg, id: 92, at: 10001 })?.ref, 'r2');
	assert.equal(m.box.claim({ ...msg, id: 93, at: 10001 }), null);
});

test('what floor and room mean from where one is', () => {
	assert.equal(target('floor:3', { floor: 3, room: 2 }), 'floor');
	assert.equal(target('floor:4', { floor: 3, room: 2 }), null);
	assert.equal(target('room:3:2', { floor: 3, room: 2 }), 'room');
	assert.equal(target('room:3:1', { floor: 3, room: 2 }), null);
	assert.deepEqual(target('user:9', { floor: 0, room: 0 }), { user: 9 });
});
