import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allMet, kinds, rules } from '../src/lib/password';

test('kinds of characters', () => {
	assert.equal(kinds(''), 0);
	assert.equal(kinds('abc'), 1);
	assert.equal(kinds('aB1-'), 4);
	assert.equal(kinds('パス1'), 2);
});

test('length in characters, not in units', () => {
	const min = { min: 4, kinds: 1, strength: 0 };

	assert.equal(rules('😀😀', min, [])[0]?.met, false);
	assert.equal(rules('😀😀😀😀', min, [])[0]?.met, true);
});

test('kinds are asked for only where the policy does', () => {
	assert.deepEqual(rules('a', { min: 1, kinds: 1, strength: 0 }, []).map((r) => r.id),
	    ['min', 'notmail']);
	assert.deepEqual(rules('a', { min: 1, kinds: 2, strength: 0 }, []).map((r) => r.id),
	    ['min', 'kinds', 'notmail']);
});

test('not the mail address, whatever its case; an empty name is no rule',
    () => {
	const p = { min: 1, kinds: 1, strength: 0 };

	assert.equal(allMet(rules('A@B.example', p, ['a@b.example', ''])),
	    false);
	assert.equal(allMet(rules('other', p, ['a@b.example', ''])), true);
	assert.equal(allMet(rules('', p, [''])), false);
});
