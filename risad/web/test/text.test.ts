import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkify, safeHref } from '../src/lib/linkify';
import { fold, initial, length, marked, match, spans } from '../src/lib/text';

const hrefs = (s: string) => linkify(s).flatMap((p) => p.href ?? []);

test('only http and https become links', () => {
	assert.deepEqual(hrefs('see https://a.example/x and http://b.example'),
	    ['https://a.example/x', 'http://b.example/']);
	for (const s of ['javascript:alert(1)', 'data:text/html,x',
	    'file:///etc/passwd', 'ftp://a.example', 'https://',
	    'java\nscript:alert(1)', 'httpss://a.example'])
		assert.deepEqual(hrefs(s), [], s);
});

test('an address that hides a name before the host is no link', () => {
	assert.equal(safeHref('https://bank.example@evil.example/'), null);
	assert.deepEqual(hrefs('https://bank.example:x@evil.example/'), []);
});

test('what closes the sentence is not of the address', () => {
	assert.deepEqual(linkify('(https://a.example/b).'), [{ text: '(' },
	    { text: 'https://a.example/b', href: 'https://a.example/b' },
	    { text: ').' }]);
	assert.deepEqual(hrefs('https://a.example/b_(c)'),
	    ['https://a.example/b_(c)']);
	assert.deepEqual(hrefs('「https://a.example/b」をどうぞ'),
	    ['https://a.example/b']);
	assert.deepEqual(hrefs('https://a.example/b。次'),
	    ['https://a.example/b']);
});

test('joined, the pieces are the text', () => {
	for (const s of ['', 'a', 'https://a.example', 'x https://a.example, y',
	    'https://a.example https://b.example', '()https://)))'])
		assert.equal(linkify(s).map((p) => p.text).join(''), s);
});

test('odd brackets go, even ones stay', () => {
	assert.deepEqual(hrefs('https://a.example/(b)))]'),
	    ['https://a.example/(b)']);
});

test('length counts code points', () => {
	assert.equal(length('日本語'), 3);
	assert.equal(length('😀😀'), 2);
	assert.equal(length(''), 0);
});

test('marks of direction and of no width are shown, joiners stay', () => {
	assert.deepEqual(spans('a\u202Eb'), [{ text: 'a', mark: false },
	    { text: 'U+202E', mark: true }, { text: 'b', mark: false }]);
	assert.equal(spans('\u200B\uFEFF').length, 2);
	assert.equal(spans('👩\u200D💻')[0]?.mark, false);
});

test('so they are in pictures, and no name is stood for by one', () => {
	assert.equal(marked('plain'), 'plain');
	assert.equal(marked('a\u202Eb\u200B'), 'aU+202EbU+200B');
	assert.equal(initial('acme'), 'A');
	assert.equal(initial('\u202E\u200Bacme'), 'A');
	assert.equal(initial('\u202E'), '');
});

test('finding does not mind width, case and kana', () => {
	assert.equal(fold('ＡＢｃ　タナカ'), 'abc たなか');
	assert.equal(match('田中 あかり', 'アカリ'), 1);
	assert.equal(match('田中 あかり', '田中あ'), 2);
	assert.equal(match('Kenji Ito', 'ito'), 1);
	assert.equal(match('Kenji Ito', 'KEN'), 0);
	assert.equal(match('Kenji Ito', 'sato'), -1);
});
