import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayEnter, onlyPassword, unused } from '../src/lib/review';
import type { AdminFloor, AdminUser } from '../src/types';

const DAY = 86400000;
const user: AdminUser = { id: 7, name: 'A', email: 'a@b.example',
    role: 'member', state: 'active', last: 0, created: 0, invite: 0,
    locked: 0, groups: [3], factors: [] };
const floor: AdminFloor = { id: 1, version: 1, name: 'F', open: false,
    users: [], groups: [], networks: [], talk: { voice: true, video: true,
    screen: true, way: 'tenant' } };

test('a floor is entered by all, by name or by a group', () => {
	assert.equal(mayEnter(floor, user), false);
	assert.equal(mayEnter(floor, { ...user, role: 'admin' }), false);
	assert.equal(mayEnter({ ...floor, open: true }, user), true);
	assert.equal(mayEnter({ ...floor, users: [6, 7] }, user), true);
	assert.equal(mayEnter({ ...floor, users: [8], groups: [2] }, user),
	    false);
	assert.equal(mayEnter({ ...floor, groups: [3] }, user), true);
});

test('who is suspended, or has no password yet, enters nothing', () => {
	for (const state of ['locked', 'invited'] as const)
		assert.equal(mayEnter({ ...floor, open: true },
		    { ...user, state }), false);
});

test('unused is for 90 days, since it was made if never used', () => {
	assert.equal(unused(user, 90 * DAY), true);
	assert.equal(unused(user, 90 * DAY - 1), false);
	assert.equal(unused({ ...user, last: DAY }, 90 * DAY), false);
	assert.equal(unused({ ...user, last: DAY }, 91 * DAY), true);
	assert.equal(unused({ ...user, state: 'locked' }, 91 * DAY), false);
});

test('only a password is for those who could come in by it', () => {
	assert.equal(onlyPassword(user), true);
	assert.equal(onlyPassword({ ...user, factors: ['totp'] }), false);
	assert.equal(onlyPassword({ ...user, state: 'locked' }), false);
});
