/* Calls: each ends once, whatever the server's words overtake. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Calls, type Incoming, type Outgoing } from '../src/lib/call';
import { Follower } from '../src/lib/follow';
import { length, SOUNDS, type Sound } from '../src/lib/sound';
import type { CallMsg, ClientMsg } from '../src/types';

function make() {
	const sent: ClientMsg[] = [];
	const log: string[] = [];
	const timers: { at: number; fn: () => void }[] = [];
	const m = { now: 1000, up: true, refs: 0 };
	const name = (c: Incoming | Outgoing) => `${c.kind}`;
	const c = new Calls({
		send: (x) => {
			if (m.up)
				sent.push(x);
			return (m.up);
		},
		ref: () => `r${++m.refs}`,
		now: () => m.now,
		timer: (ms, fn) => { timers.push({ at: m.now + ms, fn }); },
		changed: () => undefined,
		came: (x) => log.push(`came ${name(x)}`),
		ended: (x) => log.push(`ended ${name(x)}`),
		taken: (x) => log.push(`taken ${name(x)}`),
		replied: (x, yes) => log.push(`replied ${name(x)} ${yes}`),
		refused: (x, code) => log.push(`refused ${name(x)} ${code}`),
	});
	const pass = (ms: number) => {
		m.now += ms;
		for (const t of timers.splice(0).sort((a, b) => a.at - b.at))
			if (t.at <= m.now)
				t.fn();
			else
				timers.push(t);
	};

	return ({ c, sent, log, m, pass });
}

const call = (n: number, more: Partial<CallMsg> = {}): CallMsg => ({ n,
    kind: 'come', user: 7, name: 'Ben', floor: 1, id: 2, room: 0,
    until: 31000, ...more });

test('a question is asked once, answered, and gone', () => {
	const { c, sent, log } = make();

	assert.equal(c.ask({ kind: 'knock', room: 3 }), true);
	assert.equal(c.ask({ kind: 'knock', room: 3 }), false);
	assert.equal(c.ask({ kind: 'come', user: 3 }), true);
	assert.deepEqual(sent[0], { t: 'call', kind: 'knock', room: 3,
	    ref: 'r1' });
	c.called('r1', 9, 31000);
	assert.equal(c.pending('knock', 3)?.n, 9);
	c.reply(9, true);
	c.reply(9, false);
	assert.equal(c.pending('knock', 3), undefined);
	assert.deepEqual(log, ['taken knock', 'replied knock true']);
	assert.equal(c.asked().length, 1);
});

test('withdrawn before the server has numbered it: withdrawn then', () => {
	const { c, sent, log } = make();

	c.ask({ kind: 'come', user: 7 });
	const o = c.asked()[0];
	assert.ok(o);
	c.withdraw(o);
	assert.equal(c.asked().length, 0);
	assert.equal(sent.length, 1);
	c.called('r1', 4, 31000);
	assert.deepEqual(sent[1], { t: 'uncall', n: 4 });
	c.reply(4, true);
	assert.deepEqual(log, []);
	/* and may be asked again at once */
	assert.equal(c.ask({ kind: 'come', user: 7 }), true);
	const again = c.asked()[0];
	assert.ok(again);
	c.called('r2', 5, 31000);
	c.withdraw(again);
	assert.deepEqual(sent.at(-1), { t: 'uncall', n: 5 });
});

test('a wave is over when it is taken, and may be repeated', () => {
	const { c, log } = make();

	c.ask({ kind: 'wave', user: 7 });
	assert.equal(c.asked().length, 0);
	c.called('r1', 4, undefined);
	assert.equal(c.ask({ kind: 'wave', user: 7 }), true);
	c.refuse('r2', 'dnd');
	assert.equal(c.refuse('r2', 'dnd'), false);
	assert.deepEqual(log, ['taken wave', 'refused wave dnd']);
});

test('what comes ends by an answer, by the server, or by time', () => {
	const { c, sent, log, pass } = make();

	c.call(call(1));
	c.call(call(2, { kind: 'knock' }));
	c.call(call(3, { kind: 'join' }));
	assert.equal(c.incoming.length, 3);
	c.answer(1, true);
	c.answer(1, true);
	assert.deepEqual(sent, [{ t: 'answer', n: 1, yes: true }]);
	c.end(2);
	c.end(2);
	pass(29000);
	assert.equal(c.incoming.length, 1);
	pass(1001);
	assert.equal(c.incoming.length, 0);
	assert.deepEqual(log, ['came come', 'came knock', 'came join',
	    'ended come', 'ended knock', 'ended join']);
});

test('a wave needs no answer, and one person waves once at a time', () => {
	const { c, sent, pass } = make();

	c.call(call(1, { kind: 'wave', until: undefined }));
	c.call(call(2, { kind: 'wave', until: undefined }));
	c.call(call(3, { kind: 'wave', until: undefined, user: 8 }));
	assert.deepEqual(c.incoming.map((x) => x.n), [2, 3]);
	c.answer(2, false);
	assert.deepEqual(sent, []);
	pass(13000);
	assert.deepEqual(c.incoming, []);
});

test('no word at all, or no connection: nothing stays pending', () => {
	const { c, m, pass } = make();

	c.ask({ kind: 'bubble', user: 7 });
	c.called('r1', 4, 31000);
	pass(34000);
	assert.equal(c.asked().length, 1);
	pass(2000);
	assert.equal(c.asked().length, 0);
	c.ask({ kind: 'join', user: 7 });
	c.call(call(1, { until: m.now + 30000 }));
	c.down();
	assert.equal(c.asked().length + c.incoming.length, 0);
	m.up = false;
	assert.equal(c.ask({ kind: 'wave', user: 7 }), false);
});

test('who is followed is walked after when it matters, not too often', () => {
	const walked: number[] = [];
	const timers: (() => void)[] = [];
	const f = new Follower((p) => walked.push(p.x),
	    (_, fn) => { timers.push(fn); });
	const fire = () => timers.splice(0).forEach((fn) => fn());

	f.seen({ x: 100, y: 0 });
	f.seen({ x: 300, y: 0 });
	f.seen({ x: 500, y: 0 });
	assert.deepEqual(walked, [100]);
	fire();
	assert.deepEqual(walked, [100, 500]);
	f.seen({ x: 530, y: 0 });	/* a shuffle */
	fire();
	fire();
	assert.deepEqual(walked, [100, 500]);
	f.seen({ x: 700, y: 0 });
	f.seen({ x: 900, y: 0 });
	f.stop();
	fire();
	assert.deepEqual(walked, [100, 500, 700]);
	f.seen({ x: 900, y: 0 });
	fire();
	assert.deepEqual(walked, [100, 500, 700, 900]);
});

test('every sound is short and not loud', () => {
	for (const s of Object.keys(SOUNDS) as Sound[]) {
		assert.ok(length(s) > 0.2 && length(s) < 1.5, s);
		for (const t of SOUNDS[s])
			assert.ok(t.loud <= 0.5 && t.hz > 100 && t.hz < 2000);
	}
});
