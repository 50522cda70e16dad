import assert from 'node:assert/strict';
import { test } from 'node:test';
import { device } from '../src/lib/device';

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ' +
    '(KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) ' +
    'AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 ' +
    'Safari/604.1';

test('browsers that pass for others are called by their own names', () => {
	assert.equal(device(WINDOWS), 'Chrome · Windows');
	assert.equal(device(WINDOWS + ' Edg/130.0.0.0'), 'Edge · Windows');
	assert.equal(device(WINDOWS + ' OPR/115.0.0.0'), 'Opera · Windows');
	assert.equal(device(IPHONE), 'Safari · iPhone');
	assert.equal(device('Mozilla/5.0 (X11; Linux x86_64; rv:132.0) ' +
	    'Gecko/20100101 Firefox/132.0'), 'Firefox · Linux');
	assert.equal(device('Mozilla/5.0 (Linux; Android 14; Pixel 8) ' +
	    'AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36'),
	    'Chrome · Android');
});

test('what is unknown has no name', () => {
	assert.equal(device(''), '');
	assert.equal(device('curl/7.88.1'), '');
	assert.equal(device('something on Windows'), 'Windows');
});
