/* Pictures to look at: regress/out/page/*.png.  They only have to exist. */
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

const OUT = join(fileURLToPath(new URL('.', import.meta.url)), '../out/page');
const PEOPLE = 40;
const NAMES = ['佐藤 美咲', '鈴木 健太', '高橋 由美', 'Kenji Ito', '田中 太郎',
    'Maria García', '伊藤 さくら', '渡辺 大輔', 'Anna Schmidt', '山本 結衣',
    '中村 翔', '小林 あおい', 'Tom Brown', '加藤 陽菜', '吉田 蓮',
    '山田 花子', 'Li Wei', '佐々木 海斗', '山口 凛', '松本 葵'];
const NOTES = ['月次レポート ~14:00', '', '', '会議中', '', 'lunch', '',
    '電話対応'];
const STATUS = ['available', 'available', 'busy', 'available', 'away',
    'available', 'dnd'];
const TALK = ['おはようございます。今日のデプロイは 15:00 からです。',
    '了解です!', 'Thanks. The notes are at https://wiki.example/deploy',
    '会議室 A、11時から使います。', 'カフェにいます、声をかけてください',
    'ありがとうございます'];

let daemon, browser, floor, adm;
const crowd = [];

before(async () => {
	mkdirSync(OUT, { recursive: true });
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'アクメ株式会社');
	await daemon.floor('acme', '1F ロビー', 'lobby');
	floor = await daemon.floor('acme', '3F 開発フロア', 'office');
	adm = await daemon.person('acme', '田中 あかり', { role: 'admin',
	    me: { look: { skin: 1, hair: 3, tint: 1, face: 1, shirt: 4,
	    extra: 0 } } });
	browser = await openBrowser();
});

after(async () => {
	for (const w of crowd)
		w.close();
	await browser?.close();
	await daemon?.end();
});

const LOOKS = [];
for (const lang of ['ja', 'en'])
	for (const theme of ['light', 'dark'])
		for (const [size, viewport] of [['wide', { width: 1440,
		    height: 900 }], ['phone', { width: 390, height: 844 }]])
			LOOKS.push({ name: `${size}-${lang}-${theme}`, options: {
			    locale: lang === 'ja' ? 'ja-JP' : 'en-GB', viewport,
			    colorScheme: theme, deviceScaleFactor:
			    size === 'phone' ? 2 : 1 } });

/* Enough to judge by, where not the drawing but the words matter. */
const FEW = LOOKS.filter((l) => /^(wide-ja-light|phone-en-dark)$/.test(l.name));

const at = (who, l, path = '/') => Seat.open(browser, daemon, 'acme',
    { who, path, ...l.options });

async function shot(s, name) {
	const path = join(OUT, `${name}.png`);

	await s.page.evaluate(() => document.fonts.ready);
	await s.page.screenshot({ path });
	assert.ok(statSync(path).size > 5000, name);
}

async function office(seat, l, n) {
	const s = seat(await at(adm, l));

	await s.see('scene');
	await until(() => s.floor()?.id === floor && s.floor().people.length >=
	    n, 'all are there');
	await s.page.waitForLoadState('networkidle');
	return (s);
}

/* Desks, rooms, the way between: places where people may be. */
async function fill() {
	for (let i = 0; i < PEOPLE; i++) {
		const who = await daemon.person('acme', NAMES[i % NAMES.length]
		    + (i < NAMES.length ? '' : ` ${i}`));
		const r = await daemon.ask('acme.localhost', 'PATCH',
		    '/api/v1/me', { status: STATUS[i % STATUS.length],
		    note: NOTES[i % NOTES.length] }, who.cookie);
		assert.equal(r.status, 200);
		const w = await Wire.open(daemon, who);
		await w.enter(floor);
		crowd.push(w);
	}
	for (const [i, w] of crowd.entries())
		w.leg(150 + (i % 8) * 290, 600 + Math.floor(i / 8) * 160);
	for (const [i, text] of TALK.entries())
		await crowd[i * 3].say('floor', text);
	/* all have arrived: a late comer is told of nobody walking */
	await until(async () => (await crowd[0].enter(floor)).people.every(
	    (p) => p.tx === undefined), 'all stand', 30000);
}

test('pictures: the doors', () => seated(async (seat) => {
	const url = new URL(await daemon.invite('acme', 'new@acme.example'));

	for (const l of FEW) {
		const s = seat(await at(undefined, l));
		s.expect(/status of 401/);
		await s.see('signin');
		await shot(s, `signin-${l.name}`);
		await s.page.goto(daemon.url('acme', url.pathname));
		await s.see('invite');
		await shot(s, `invite-${l.name}`);
	}
}));

test('pictures: one person', () => seated(async (seat) => {
	const w = await Wire.open(daemon, adm);

	await w.enter(floor);
	w.close();
	for (const l of FEW)
		await shot(await office(seat, l, 1), `one-${l.name}`);
}));

test('pictures: forty people', () => seated(async (seat) => {
	await fill();
	for (const l of LOOKS) {
		const s = await office(seat, l, PEOPLE);
		await shot(s, `forty-${l.name}`);
		if (!l.name.startsWith('phone'))
			continue;
		for (const sheet of ['people', 'chat']) {
			await s.$(`dock-${sheet}`).click();
			await s.see(`sheet-${sheet}`);
			await s.page.waitForLoadState('networkidle');
			await shot(s, `${sheet}-${l.name}`);
			await s.page.keyboard.press('Escape');
			await s.gone(`sheet-${sheet}`);
		}
	}
}));

test('pictures: profile, text and administration', () =>
    seated(async (seat) => {
	for (const l of FEW) {
		const s = await office(seat, l, 1);
		await s.openMenu('open-profile');
		await s.see('profile');
		await shot(s, `profile-${l.name}`);
		await s.page.keyboard.press('Escape');
		await s.$('text-toggle').click();
		await shot(s, `text-${l.name}`);
		for (const part of ['people', 'groups', 'floors', 'rules',
		    'tenant']) {
			await s.page.goto(daemon.url('acme', `/admin/${part}`));
			await s.see(`admin-${part}`);
			await s.page.waitForLoadState('networkidle');
			await shot(s, `admin-${part}-${l.name}`);
		}
	}
}));
