import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passkeysWork, toBytes, toText } from '../src/lib/webauthn';

test('bytes travel as base64url without padding', () => {
	for (const [bytes, text] of [[[], ''], [[0], 'AA'], [[255, 254], '__4'],
	    [[251, 255, 190], '-_--'], [[1, 2, 3, 4], 'AQIDBA']] as const) {
		assert.equal(toText(new Uint8Array(bytes).buffer), text);
		assert.deepEqual([...toBytes(text)], [...bytes]);
	}
	const all = Uint8Array.from({ length: 256 }, (_, i) => i);
	assert.deepEqual(toBytes(toText(all.buffer)), all);
});

test('without the browser\'s own, passkeys are not offered', () => {
	assert.equal(passkeysWork(), false);
});
