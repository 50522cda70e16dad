import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cell, decode, nameList, table } from '../src/lib/csv';

test('a file is UTF-8 with or without a mark, or Shift_JIS, or none', () => {
	const utf8 = new TextEncoder();

	assert.equal(decode(utf8.encode('名前,メール\n')), '名前,メール\n');
	assert.equal(decode(utf8.encode('\ufeff名前\n')), '名前\n');
	assert.equal(decode(new Uint8Array([0x96, 0xbc, 0x91, 0x4f, 0x0a])),
	    '名前\n');
	assert.equal(decode(new Uint8Array([0x81, 0xff, 0xff])), null);
});

test('no cell begins a formula', () => {
	for (const c of ['=1+1', '+81', '-1', '@x', '\tx', '\rx', '=cmd|x'])
		assert.match(cell(c), /^"?'/, c);
	assert.equal(cell('=1'), "'=1");
	assert.equal(cell("'=1"), "''=1");
	assert.equal(cell("O'Neil"), "O'Neil");
	assert.equal(cell("'tis"), "'tis");
	assert.equal(cell('a-b'), 'a-b');
	assert.equal(cell(''), '');
});

test('what could end a cell is in quotes', () => {
	assert.equal(cell('a,b'), '"a,b"');
	assert.equal(cell('a "b"'), '"a ""b"""');
	assert.equal(cell('a\nb'), '"a\nb"');
	assert.equal(cell(' a'), '" a"');
	assert.equal(table([['a', 'b,c'], ['', '=1']]),
	    '\ufeffa,"b,c"\r\n,\'=1\r\n');
	assert.equal(nameList(['A', 'B;C', 'D\\E']), 'A;B\\;C;D\\\\E');
});
