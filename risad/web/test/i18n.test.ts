import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { browserLang, fill, mapName, translate } from '../src/i18n/index';
import { en } from '../src/i18n/en';
import { ja } from '../src/i18n/ja';

declare const TEST_ROOT: string;

const words: Record<string, Record<string, string>> = { ja, en };

function names(text: string): string[] {
	return ([...new Set([...text.matchAll(/\{(\w+)/g)].map((m) => m[1]))]
	    .sort() as string[]);
}

function sources(dir: string): string {
	return (readdirSync(dir, { withFileTypes: true }).map((e) => {
		const p = path.join(dir, e.name);
		if (e.isDirectory())
			return (e.name === 'i18n' || e.name === 'scene' ? '' :
			    sources(p));
		return (/\.tsx?$/.test(e.name) ? readFileSync(p, 'utf8') : '');
	}).join('\n'));
}

test('both languages have the same keys, none is empty', () => {
	assert.deepEqual(Object.keys(en).sort(), Object.keys(ja).sort());
	for (const w of Object.values(words))
		for (const [k, v] of Object.entries(w))
			assert.notEqual(v.trim(), '', k);
});

test('both languages fill in the same things', () => {
	for (const k of Object.keys(ja))
		assert.deepEqual(names(words.en?.[k] ?? ''),
		    names(words.ja?.[k] ?? ''), k);
});

/* What a template such as `admin.${what}.title` may become. */
function pattern(t: string): RegExp {
	return (new RegExp('^' + t.replaceAll('.', '\\.')
	    .replace(/\$\{[^}]*\}/g, '[a-z0-9-]+') + '$'));
}

test('every key is used by the page', () => {
	const text = sources(path.join(TEST_ROOT, 'src'));
	const made = [...text.matchAll(/`([a-z]+\.[^`\s]*\$\{[^`\n]*)`|/g)]
	    .flatMap((m) => m[1] === undefined ? [] : [pattern(m[1])]);
	const spare = Object.keys(ja).filter((k) => !text.includes(`'${k}'`) &&
	    !text.includes(`"${k}"`) && !made.some((m) => m.test(k)));

	assert.deepEqual(spare, []);
});

test('Japanese is Japanese: no key was left in Latin letters', () => {
	const latin = Object.entries(ja).filter(([k, v]) =>
	    !/[\u3040-\u30ff\u4e00-\u9fff]/.test(v) &&
	    !['app.name', 'lang.en', 'look.n', 'admin.floors.who'].includes(k)
	    && /[A-Za-z]{3}/.test(v.replace(/\{[^}]*\}/g, '')));

	assert.deepEqual(latin, []);
});

test('filling and counting', () => {
	assert.equal(fill('{n} {n|person|people}', { n: 1 }), '1 person');
	assert.equal(fill('{n} {n|person|people}', { n: 0 }), '0 people');
	assert.equal(fill('{a} {b}', { a: '{b}' }), '{b} {b}');
	assert.equal(translate('ja', 'people.me', { name: '田中' }),
	    '田中（自分）');
});

test('the language of the browser', () => {
	assert.equal(browserLang(['ja-JP', 'en']), 'ja');
	assert.equal(browserLang(['fr', 'ja']), 'ja');
	assert.equal(browserLang(['de']), 'en');
	assert.equal(mapName({ ja: 'あ', en: 'a' }, 'en'), 'a');
	assert.equal(mapName('x', 'ja'), 'x');
});
