/* Both languages on every screen, and a telephone's size. */
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true,
    isMobile: true, deviceScaleFactor: 2 };

/* The names of the words, none of which may be seen. */
const keys = [...readFileSync(join(fileURLToPath(new URL('.', import.meta.url)),
    '../../risad/web/src/i18n/en.ts'), 'utf8').matchAll(/^\t'([\w.-]+)':/gm)]
    .map((m) => m[1]);

let daemon, browser, adm, ben;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	await daemon.floor('acme', 'One', 'lobby');
	await daemon.floor('acme', 'Two', 'office');
	adm = await daemon.person('acme', 'Ada', { role: 'admin' });
	ben = await daemon.person('acme', 'Ben');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

/*
 * All that can be read or heard on the page, but for what is marked as another
 * language: lines of the audit trail are shown as they were signed.
 */
function words() {
	const out = [document.title];
	const walk = document.createTreeWalker(document.body,
	    NodeFilter.SHOW_TEXT);
	const ours = (e) => e.tagName !== 'NOSCRIPT' &&
	    e.closest('[lang]') === document.documentElement;

	while (walk.nextNode())
		if (ours(walk.currentNode.parentElement))
			out.push(walk.currentNode.data.trim());
	for (const e of document.querySelectorAll('*'))
		for (const a of ['aria-label', 'title', 'placeholder', 'alt'])
			if (e.hasAttribute(a))
				out.push(e.getAttribute(a));
	return ({ all: out.filter(Boolean),
	    lang: document.documentElement.lang });
}

/* What we have named ourselves, and what has no language. */
const OURS = new Set(['Acme', 'acme', 'One', 'Two', 'Ada', 'Ben', 'neu-ja',
    'risa', 'English', 'Ctrl K', 'One - Acme']);

async function check(s, lang, where) {
	const { all, lang: said } = await s.page.evaluate(words);

	assert.equal(said, lang, where);
	for (const t of all) {
		assert.ok(!keys.includes(t), `${where}: key ${t}`);
		assert.doesNotMatch(t, /[{}]|undefined|\bNaN\b|\[object/,
		    `${where}: ${t}`);
		if (lang === 'en')
			assert.ok(t === '日本語' || !/[ぁ-んァ-ヶ一-龠]/.test(t),
			    `${where}: ${t}`);
		else
			assert.ok(OURS.has(t) || /[^\x00-\u024f]/.test(t) ||
			    !/[a-z]/.test(t) || t.includes('@') || t.startsWith('https:'),
			    `${where}: ${t}`);
	}
}

for (const [lang, locale] of [['ja', 'ja-JP'], ['en', 'en-GB']])
	test(`every screen speaks ${lang}`, () => seated(async (seat) => {
		const d = seat(await at(undefined, { locale }));
		d.expect(/status of 401/);
		await d.see('signin');
		await d.$('signin-submit').click();
		await check(d, lang, 'sign-in');
		const url = new URL(await daemon.invite('acme',
		    `neu-${lang}@acme.example`));
		const i = seat(await at(undefined, { locale,
		    path: url.pathname }));
		await i.see('invite');
		await check(i, lang, 'invitation');

		const s = seat(await at(adm, { locale }));
		await s.inside();
		await s.see(`person-${adm.id}`);
		await check(s, lang, 'office');
		await s.$('text-toggle').click();
		await check(s, lang, 'text');
		await s.$('text-toggle').click();
		await s.$('status-button').click();
		await s.see('status-menu');
		await check(s, lang, 'status');
		await s.page.keyboard.press('Escape');
		await s.$('tab-direct').click();
		await s.$(`peer-${ben.id}`).click();
		await s.see('peer-back');
		await check(s, lang, 'direct');
		for (const item of ['profile', 'password']) {
			await s.openMenu(`open-${item}`);
			await s.see(item);
			await check(s, lang, item);
			await s.page.keyboard.press('Escape');
			await s.gone(item);
		}
		await s.page.keyboard.press('Control+k');
		await s.see('search');
		await check(s, lang, 'search');
		await s.page.keyboard.press('Escape');
		await s.openMenu('open-notices');
		await s.see('notices');
		await check(s, lang, 'sounds and notifications');
		await s.page.keyboard.press('Escape');
		await s.openMenu('open-check');
		await s.$('check-begin').click();
		await s.see('check-verdict');
		await check(s, lang, 'can I talk from here');
		await s.$('admin-office').click();
		await called(s);
		await check(s, lang, 'calls and a card');
		await s.page.keyboard.press('Escape');
		await s.openMenu('open-admin');
		for (const part of ['people', 'groups', 'floors', 'records',
	    'tenant']) {
			await s.$(`admin-nav-${part}`).click();
			await s.see(`admin-${part}`);
			await s.page.waitForLoadState('networkidle');
			await check(s, lang, part);
			const add = s.$(`admin-${part}-add`);
			if (await add.count() === 0)
				continue;
			await add.click();
			await s.see(s.page.locator('dialog[open]'));
			await check(s, lang, `${part}, add`);
			await s.page.keyboard.press('Escape');
			await s.gone(s.page.locator('dialog[open]'));
		}
		await s.$('admin-nav-people').click();
		await s.$('admin-people-import').click();
		await s.see('admin-import');
		await check(s, lang, 'import');
		await lines(s);
		await check(s, lang, 'import, lines');
	}));

/* One call that comes, one that one waits for, and who may be called. */
async function called(s) {
	const w = await Wire.open(daemon, ben);

	await w.enter(s.floor().id);
	w.tell({ t: 'call', kind: 'come', user: adm.id, ref: 'c' });
	await s.see('call-come');
	await s.$(`person-${ben.id}`).click();
	await s.$('card-come').click();
	await s.see('asked-come');
	await s.$(`person-${ben.id}`).click();
	await s.see('card-follow');
	w.close();
}

/* One line of each kind, to be looked at. */
async function lines(s) {
	await s.$('import-text').fill(`email,role,state\nx@acme.example,,\n${
	    adm.mail},admin,active\n${ben.mail},admin,locked\n` +
	    'y@acme.example,boss,\nz@acme.example,,,\n');
	await s.$('import-check').click();
	await s.see('import-sum');
	await s.$('import-which').selectOption('all');
	await s.see('import-line-3');
}

/* Nothing is wider than the screen. */
async function fits(s, where) {
	const [w, most] = await s.page.evaluate(() => [innerWidth, Math.max(
	    document.documentElement.scrollWidth, document.body.scrollWidth)]);

	assert.ok(most <= w, `${where}: ${most} wide on ${w}`);
}

test('on a telephone: floor, dock, people and chat as sheets', () =>
    seated(async (seat) => {
	const s = seat(await at(ben, PHONE));
	const a = seat(await at(adm));

	await a.inside();
	await s.see('dock-chat');
	await until(() => s.frames.some((m) => m.t === 'floor'), 'a floor');
	await fits(s, 'floor');
	const box = await s.$('scene').boundingBox();
	let across = 0.2;
	await until(async () => {
		/* a person may stand there, then it opens a card */
		if (await s.$('person-card').isVisible())
			await s.page.keyboard.press('Escape');
		await s.page.touchscreen.tap(box.x + box.width * across,
		    box.y + box.height * 0.35);
		across = across > 0.7 ? 0.2 : across + 0.15;
		return (s.legs.length > 0);
	}, 'walks where one taps');
	if (await s.$('person-card').isVisible())
		await s.page.keyboard.press('Escape');
	await s.gone('person-card');
	await s.$('dock-people').tap();
	await s.see('sheet-people');
	await s.see(`person-${adm.id}`);
	await fits(s, 'people');
	await s.$(`person-${adm.id}`).tap();
	await s.see('person-card');
	await fits(s, 'card');
	await s.$('card-write').tap();
	await s.see('sheet-chat');
	await s.$('chat-input').fill('from the telephone '.repeat(20));
	await s.$('chat-send').tap();
	await fits(s, 'chat');
	await a.reads('tab-direct', /1 unread/);
	await s.page.keyboard.press('Escape');
	await s.gone('sheet-chat');
	await a.write('to the telephone');
	await s.reads('dock-chat', /1/);
	await s.$('me-button').tap();
	await s.$('open-profile').tap();
	await s.see('profile');
	await fits(s, 'profile');
}));

test('the administration fits a telephone', () => seated(async (seat) => {
	const s = seat(await at(adm, { ...PHONE, path: '/admin/tenant' }));

	await s.see('admin-tenant');
	const here = await s.$('admin-nav-tenant').boundingBox();
	assert.ok(here.x >= 0 && here.x + here.width <= 390, 'where one is');
	for (const part of ['people', 'groups', 'floors', 'records',
	    'tenant']) {
		await s.$(`admin-nav-${part}`).tap();
		await s.see(`admin-${part}`);
		await s.page.waitForLoadState('networkidle');
		await fits(s, part);
	}
	await s.$('admin-nav-people').tap();
	await s.$('admin-people-import').tap();
	await s.see('admin-import');
	await fits(s, 'import');
	await lines(s);
	await fits(s, 'import, lines');
}));
