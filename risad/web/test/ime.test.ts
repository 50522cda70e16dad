import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Composition, type KeyLike } from '../src/lib/ime';

function enter(more: Partial<KeyLike> = {}): KeyLike {
	return ({ key: 'Enter', keyCode: 13, isComposing: false,
	    shiftKey: false, ctrlKey: false, altKey: false, metaKey: false,
	    timeStamp: 5000, ...more });
}

test('Enter sends, Shift+Enter and other keys do not', () => {
	const c = new Composition();

	assert.equal(c.sends(enter()), true);
	assert.equal(c.sends(enter({ shiftKey: true })), false);
	assert.equal(c.sends(enter({ key: 'a', keyCode: 65 })), false);
});

test('Chrome, Firefox: the Enter that ends a composition', () => {
	const c = new Composition();

	c.start();
	assert.equal(c.sends(enter({ isComposing: true })), false);
	assert.equal(c.sends(enter({ keyCode: 229 })), false);
	assert.equal(c.sends(enter()), false);
	c.end(5200);
	assert.equal(c.sends(enter({ timeStamp: 6000 })), true);
});

test('Safari: compositionend comes first, the Enter looks ordinary', () => {
	const c = new Composition();

	c.start();
	c.end(5000);
	assert.equal(c.sends(enter({ timeStamp: 5004 })), false);
	assert.equal(c.sends(enter({ timeStamp: 4999 })), false);
	assert.equal(c.sends(enter({ timeStamp: 5300 })), true);
});

test('key code 229 alone is enough', () => {
	assert.equal(new Composition().sends(enter({ keyCode: 229 })), false);
});
