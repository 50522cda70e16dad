import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chats, merge } from '../src/lib/chats';
import { lines } from '../src/lib/lines';
import type { Message } from '../src/types';

const ME = 1;

function msg(id: number, from = 7, at = id * 1000): Message {
	return ({ id, channel: 'floor:3', from, name: 'n', text: 't', at });
}

function ids(c: Chats): number[] {
	return (c.get('floor:3').messages.map((m) => m.id));
}

test('merging sorts by id and keeps one of each', () => {
	assert.deepEqual(merge([msg(3), msg(1)], [msg(2), msg(3)])
	    .map((m) => m.id), [1, 2, 3]);
});

test('unread counts others, not oneself, not what is looked at', () => {
	const c = new Chats();

	c.live(msg(1), ME);
	c.live(msg(2, ME), ME);
	assert.equal(c.get('floor:3').unread, 1);
	c.watch('floor:3');
	c.live(msg(3), ME);
	assert.equal(c.get('floor:3').unread, 1);
	assert.equal(c.live(msg(3), ME), false);
	c.watch('');
	c.live(msg(4), ME);
	assert.equal(c.unread(() => true), 2);
	assert.equal(c.unread((x) => x.startsWith('user:')), 0);
});

test('seen clears and tells each end once', () => {
	const c = new Chats();

	c.hello([{ channel: 'floor:3', count: 2 }]);
	assert.equal(c.seen('floor:3'), 0);
	c.newest('floor:3', [msg(4), msg(5)], false, ME);
	assert.equal(c.seen('floor:3'), 5);
	assert.equal(c.get('floor:3').unread, 0);
	assert.equal(c.seen('floor:3'), 0);
	c.watch('floor:3');
	c.live(msg(6), ME);
	assert.equal(c.seen('floor:3'), 6);
});

test('what was counted and is no longer there is seen, too', () => {
	const c = new Chats();

	c.hello([{ channel: 'floor:3', count: 2 }]);
	c.newest('floor:3', [], false, ME);
	assert.equal(c.seen('floor:3'), 0);
	assert.equal(c.get('floor:3').unread, 0);
});

test('the line of the new goes before as many of others as are unread', () => {
	const c = new Chats();

	c.hello([{ channel: 'floor:3', count: 2 }]);
	c.newest('floor:3', [msg(1), msg(2), msg(3, ME), msg(4)], false, ME);
	assert.equal(c.get('floor:3').line, 2);
	c.leave('floor:3');
	assert.equal(c.get('floor:3').line, 0);
});

test('after a reconnect a gap drops what is too old to join', () => {
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2)], false, ME);
	c.hello([]);
	assert.equal(c.get('floor:3').loaded, false);
	c.newest('floor:3', [msg(8), msg(9)], true, ME);
	assert.deepEqual(ids(c), [8, 9]);
	assert.equal(c.get('floor:3').more, true);
	c.older('floor:3', [msg(6), msg(7)], false);
	assert.deepEqual(ids(c), [6, 7, 8, 9]);
	assert.equal(c.get('floor:3').more, false);
});

test('after a reconnect a live message does not hide the gap', () => {
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2)], false, ME);
	c.hello([]);
	c.live(msg(10), ME);
	c.newest('floor:3', [msg(8), msg(9)], true, ME);
	assert.deepEqual(ids(c), [8, 9, 10]);
	assert.equal(c.get('floor:3').more, true);
	c.older('floor:3', [msg(1), msg(2), msg(7)], false);
	assert.deepEqual(ids(c), [1, 2, 7, 8, 9, 10]);
	assert.equal(c.get('floor:3').more, false);
});

test('nor where nothing had been said before', () => {
	const c = new Chats();

	c.newest('floor:3', [], false, ME);
	c.hello([]);
	c.live(msg(10), ME);
	c.newest('floor:3', [msg(9), msg(10)], true, ME);
	assert.deepEqual(ids(c), [9, 10]);
	assert.equal(c.get('floor:3').more, true);
});

test('after a reconnect nothing waits for the next try of before', () => {
	const c = new Chats();
	const w = c.get('floor:3');

	w.failed = new Error('busy');
	w.tries = 7;
	w.again = 1;
	c.hello([]);
	assert.equal(w.again, 0);
	assert.equal(w.tries, 0);
	assert.equal(w.failed, null);
});

test('after a reconnect without a gap all stays', () => {
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2)], false, ME);
	c.hello([]);
	c.newest('floor:3', [msg(2), msg(3)], true, ME);
	assert.deepEqual(ids(c), [1, 2, 3]);
	assert.equal(c.get('floor:3').more, false);
});

test('a page that overlaps wholly known messages is no gap', () => {
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2), msg(3)], true, ME);
	c.hello([]);
	c.newest('floor:3', [msg(2), msg(3), msg(4)], true, ME);
	assert.deepEqual(ids(c), [1, 2, 3, 4]);
});

test('days, authors and the line of the new', () => {
	const noon = new Date(2026, 4, 1, 12).getTime();
	const l = lines([msg(1, 7, noon), msg(2, 7, noon + 60000),
	    msg(3, 8, noon + 61000), msg(4, 8, noon + 62000),
	    msg(5, 8, noon + 86400000)], 4);

	assert.deepEqual(l.map((x) => x.kind === 'msg' ?
	    (x.head ? 'head' : 'more') : x.kind),
	    ['day', 'head', 'more', 'head', 'new', 'head', 'day', 'head']);
});

test('some minutes of silence name the author again', () => {
	const noon = new Date(2026, 4, 1, 12).getTime();
	const l = lines([msg(1, 7, noon), msg(2, 7, noon + 301000)], 0);

	assert.deepEqual(l.map((x) => x.kind === 'msg' && x.head),
	    [false, true, true]);
});

test('what is erased goes, of a floor, a time, a person; names go alone', () => {
	const all = { from: 0, to: 9e15, last: 100 };
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2, 8), msg(3), msg(4)], false, ME);
	c.clear({ ...all, floor: 4 });
	assert.deepEqual(ids(c), [1, 2, 3, 4]);
	c.clear({ ...all, floor: 3, from: 3000, to: 3000 });
	assert.deepEqual(ids(c), [1, 2, 4]);
	c.clear({ ...all, user: 8, messages: 'unname' });
	assert.deepEqual(c.get('floor:3').messages.map((m) => m.name),
	    ['n', '', 'n']);
	c.clear({ ...all, user: 8, messages: 'erase' });
	assert.deepEqual(ids(c), [1, 4]);
	c.clear({ ...all, direct: false, last: 3 });
	assert.deepEqual(ids(c), [4]);
	c.newest('user:7', [{ ...msg(5), channel: 'user:7' }], false, ME);
	c.clear({ ...all, direct: false });
	assert.deepEqual(ids(c), []);
	assert.equal(c.get('user:7').messages.length, 1);
	c.clear({ ...all, channel: 'user:7' });
	assert.equal(c.get('user:7').messages.length, 0);
});

test('what was erased while one was away is not shown again', () => {
	const c = new Chats();

	c.newest('floor:3', [msg(1), msg(2), msg(3)], true, ME);
	c.hello([]);
	c.newest('floor:3', [msg(1), msg(3)], true, ME);
	assert.deepEqual(ids(c), [1, 3]);
	c.hello([]);
	c.live(msg(4), ME);
	c.newest('floor:3', [], false, ME);
	assert.deepEqual(ids(c), [4]);
});
