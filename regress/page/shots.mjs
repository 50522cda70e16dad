/* Pictures to look at: regress/out/page/*.png.  They only have to exist. */
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device, openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until, Wire } from './daemon.mjs';
import { enrol } from './totp.mjs';

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

async function office(seat, l, n, who = adm) {
	const s = seat(await at(who, l));

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

test('pictures: a second factor, demanded and asked for', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', '森 ひかり');
	const other = await daemon.person('acme', '林 つばさ');

	await enrol(daemon, other);
	await daemon.ctl('policy', 'set', 'acme', 'second-factor', '2');
	for (const l of FEW) {
		const s = seat(await at(undefined, l));
		s.expect(/status of 401/);
		await s.$('signin-email').fill(other.mail);
		await s.$('signin-password').fill(PASSWORD);
		await s.$('signin-submit').click();
		await s.see('second-code');
		await shot(s, `second-${l.name}`);
		const m = seat(await at(who, l));
		await m.see('must');
		await shot(m, `must-${l.name}`);
		await m.$('factor-password').fill(PASSWORD);
		await m.$('factor-prove').click();
		await m.see('factor-qr');
		await m.page.screenshot({ path: join(OUT,
		    `must-qr-${l.name}.png`), fullPage: true });
	}
	await daemon.ctl('policy', 'set', 'acme', 'second-factor', '0');
	for (const l of FEW) {
		const s = seat(await at(other, l));
		await s.see('scene');
		await s.openMenu('open-factor');
		await s.see('factor-row-codes');
		await shot(s, `factor-${l.name}`);
		await s.$('factor-codes').click();
		await s.$('factor-password').fill(PASSWORD);
		await s.$('factor-prove').click();
		await s.see(s.$('factor-list').locator('li').first());
		await shot(s, `factor-codes-${l.name}`);
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

/* Where the rules let nobody administer, or be, from here. */
async function outside(s, l) {
	const { floors } = await daemon.ctl('floor', 'list', 'acme');
	const set = (...more) => daemon.ctl('policy', 'set', 'acme', ...more);

	await s.page.goto(daemon.url('acme', '/admin/floors'));
	await s.$(`admin-edit-${floors[0].id}`).click();
	await s.$('admin-floor-networks').fill('192.0.2.0/24\n2001:db8::/32');
	await s.$('admin-floor-networks').scrollIntoViewIfNeeded();
	await shot(s, `floor-edit-${l.name}`);
	await s.$('admin-floor-way').scrollIntoViewIfNeeded();
	await shot(s, `floor-talk-${l.name}`);
	s.expect(/status of (403|422)/);
	await s.page.goto(daemon.url('acme', '/admin/rules'));
	await s.$('admin-rules-networks').fill('192.0.2.0/24');
	await s.$('admin-rules-save').click();
	await s.page.locator('.field.bad').waitFor();
	await shot(s, `lockout-${l.name}`);
	await set('admin-networks', '192.0.2.0/24');
	await s.page.goto(daemon.url('acme', '/admin/people'));
	await s.see('admin-away');
	await shot(s, `admin-away-${l.name}`);
	await set('admin-networks', '');
	await set('networks', '192.0.2.0/24');
	await s.page.goto(daemon.url('acme', '/'));
	await s.see('broken');
	await shot(s, `outside-${l.name}`);
	await set('networks', '');
}

test('pictures: passkeys', () => seated(async (seat) => {
	for (const l of FEW) {
		const s = await office(seat, l, 1);
		let device = await Device.put(s);
		await s.openMenu('open-factor');
		await s.see('passkeys');
		await shot(s, `passkeys-none-${l.name}`);
		for (const [i, name] of ['仕事用スマートフォン', 'YubiKey 5C',
		    'MacBook Air'].entries()) {
			if (i > 0) {
				await device.pull();
				device = await Device.put(s,
				    { transport: 'usb' });
			}
			await s.$('passkey-add').click();
			await s.$('passkey-name').fill(name);
			await s.$('passkey-password').fill(PASSWORD);
			if (i === 0)
				await shot(s, `passkeys-add-${l.name}`);
			await s.$('passkey-submit').click();
			await s.reads('passkeys', new RegExp(name));
		}
		await s.gone('toast');
		await shot(s, `passkeys-${l.name}`);
	}
}));

test('pictures: profile, text and administration', () =>
    seated(async (seat) => {
	await daemon.ctl('role', 'add', 'acme', '協力会社');
	await daemon.ctl('role', 'deny', 'acme', '協力会社', 'dm');
	await daemon.ctl('role', 'deny', 'acme', '協力会社', 'screen');
	for (const l of FEW) {
		const s = await office(seat, l, 1);
		await s.openMenu('open-profile');
		await s.see('profile');
		await shot(s, `profile-${l.name}`);
		await s.page.keyboard.press('Escape');
		await s.openMenu('open-signins');
		await s.page.locator('.signin-row').first().waitFor();
		await shot(s, `signins-${l.name}`);
		await s.page.keyboard.press('Escape');
		await s.$('text-toggle').click();
		await shot(s, `text-${l.name}`);
		for (const part of ['people', 'groups', 'roles', 'floors',
		    'review', 'records', 'rules', 'tenant']) {
			await s.page.goto(daemon.url('acme', `/admin/${part}`));
			await s.see(`admin-${part}`);
			await s.page.waitForLoadState('networkidle');
			await shot(s, `admin-${part}-${l.name}`);
		}
		await outside(s, l);
		await s.page.goto(daemon.url('acme', '/admin/people/import'));
		await s.see('admin-import');
		await shot(s, `import-${l.name}`);
		for (const last of ['member', '部長']) {
			await s.$('import-text').fill('email,name,role\n' +
			    Array.from({ length: 5 }, (_, i) =>
			    `q${i}@acme.example,${NAMES[i]},\n`).join('') +
			    `${adm.mail},田中 灯,admin\n` +
			    `z@acme.example,Zoe,${last}\n`);
			await s.$('import-check').click();
			await s.see('import-sum');
			if (last !== 'member')
				await s.$('import-which').selectOption('all');
			await shot(s, `import-${last === 'member' ? 'good' :
			    'bad'}-${l.name}`);
			await s.$('import-back').click();
		}
	}
}));

/* Somebody who is locked, what he reads, what administrators see. */
test('pictures: erasure', () => seated(async (seat) => {
	const who = await daemon.person('acme', '退会 予定');

	for (const l of LOOKS.filter((x) => /-light$/.test(x.name))) {
		const s = seat(await at(adm, l, '/admin/people'));

		await s.see('admin-people');
		await s.$(`admin-more-${who.id}`).click();
		await shot(s, `erase-menu-${l.name}`);
		await s.$('admin-act-erase').click();
		await shot(s, `erase-person-${l.name}`);
		await s.page.goto(daemon.url('acme', '/admin/floors'));
		await s.see('admin-floors');
		await s.$(`admin-more-${floor}`).click();
		await s.$('admin-act-clear').click();
		await shot(s, `erase-floor-${l.name}`);
	}
	const w = await Wire.open(daemon, who);

	await w.enter(floor);
	await w.say('floor', 'お世話になりました');
	w.close();
	await daemon.api(adm, 'POST', `/admin/users/${who.id}/erase`,
	    { messages: 'keep' });
	for (const l of LOOKS.filter((x) => /wide-.*-light$/.test(x.name))) {
		const s = seat(await at(adm, l));

		await s.$(`floor-${floor}`).click();
		await s.see(s.page.getByText('お世話になりました'));
		await shot(s, `erase-former-${l.name}`);
	}
}));

test('pictures: guessing', () => seated(async (seat) => {
	const who = await daemon.person('acme', NAMES[0]);

	await daemon.ctl('policy', 'set', 'acme', 'lock-tries', '2');
	for (let i = 1; i < 3; i++)
		await daemon.guess('acme', who.mail, `127.0.9.${i}`);
	for (let i = 0; i < 14; i++)
		await daemon.guess('acme', `list${i}@acme.example`,
		    `127.0.8.${1 + i % 5}`);
	for (let i = 0; i < 10; i++)
		await daemon.guess('acme', `more${i}@acme.example`,
		    '127.0.8.9');
	for (const l of FEW) {
		const s = seat(await at(undefined, l));
		s.expect(/status of 4(01|29)/);
		await s.$('signin-email').fill(who.mail);
		await s.$('signin-password').fill(PASSWORD);
		await s.$('signin-submit').click();
		await s.see('signin-error');
		await shot(s, `locked-${l.name}`);
		const a = seat(await at(adm, { ...l }, '/admin/people'));
		await a.see('admin-attack');
		await a.see(`admin-failed-${who.id}`);
		await shot(a, `attack-${l.name}`);
	}
	await daemon.ctl('user', 'unlock', 'acme', who.mail);
	const s = seat(await at(undefined, FEW[0]));
	s.expect(/status of 401/);
	await s.$('signin-email').fill(who.mail);
	await s.$('signin-password').fill(PASSWORD);
	await s.$('signin-submit').click();
	await s.see('failures');
	await shot(s, `failures-${FEW[0].name}`);
	await daemon.ctl('user', 'delete', 'acme', who.mail);
	await daemon.ctl('policy', 'set', 'acme', 'lock-tries', '10');
}));

test('pictures: guests', () => seated(async (seat) => {
	const end = Date.now() + 7 * 86400000;
	const r = await daemon.api(adm, 'POST', '/guests', { floors: [floor],
	    expires: end, uses: 20, approval: true, password: 'sesame open',
	    note: '監査法人 ミナト' });
	const open = await daemon.api(adm, 'POST', '/guests', { expires: end,
	    floors: [floor], uses: 5, note: '' });
	const { pathname } = new URL(r.url);
	const g = seat(await at(undefined, LOOKS[0],
	    new URL(open.url).pathname));

	g.expect(/status of 401/);
	await g.$('guest-name').fill('Clara Besucher');
	await g.$('guest-submit').click();
	await g.see('scene');
	const w = await Wire.open(daemon, adm);
	await w.enter(floor);
	w.close();
	for (const l of FEW) {
		const m = await office(seat, l, 1);
		const s = seat(await at(undefined, l, pathname));
		s.expect(/status of 401/);
		await s.see('guest');
		await shot(s, `guest-${l.name}`);
		await s.$('guest-name').fill('港 太郎');
		await s.$('guest-password').fill('sesame open');
		await s.$('guest-submit').click();
		await s.see('lobby');
		await shot(s, `lobby-${l.name}`);
		await m.see('knocks');
		await shot(m, `knock-${l.name}`);
		await m.page.goto(daemon.url('acme', '/admin/guests'));
		await m.see('admin-guests');
		await m.page.waitForLoadState('networkidle');
		await shot(m, `admin-guests-${l.name}`);
		await m.$('admin-guests-add').click();
		await m.see('admin-guest-add');
		await shot(m, `admin-guest-add-${l.name}`);
		await m.page.keyboard.press('Escape');
		s.expect(/WebSocket/);
		await s.$('lobby-leave').click();
		await s.see('over');
		await shot(s, `over-${l.name}`);
	}
}));

/* Into a room of the office floor by its door, which then stands so; x looks. */
async function intoRoom(w, x, room, state) {
	const me = (await w.enter(floor)).people.find((p) => p.user === w.id);
	const [x1, y1, x2] = room.doors[0];
	const mid = Math.round((x1 + x2) / 2);
	const stands = (y) => until(async () => {
		const f = await x.enter(floor);

		await sleep(200);	/* words have a rate */
		return (f.people.some((p) => p.user === w.id &&
		    p.tx === undefined && Math.abs(p.y - y) < 5));
	}, 'stands');

	for (const [tx, ty] of [[me.x, y1 + 90], [mid, y1 + 90], [mid, y1 - 120]]) {
		w.leg(tx, ty);
		await stands(ty);
	}
	w.tell({ t: 'door', room: room.id, state });
	await w.take((m) => m.t === 'door' && m.state === state);
}

test('pictures: doors and calls', () => seated(async (seat) => {
	const names = ['森 かえで', '林 しずか', '原 ひろと', 'Tom Green'];
	const wires = [];

	for (const name of names) {
		const who = await daemon.person('acme', name);
		const w = await Wire.open(daemon, who);
		w.id = who.id;
		w.map = (await w.enter(floor)).map;
		wires.push(w);
	}
	const [v, w, x, y] = wires;
	const rooms = v.map.rooms.filter((r) => r.lock && r.doors[0]?.[1] ===
	    r.doors[0]?.[3]);
	await intoRoom(v, x, rooms[0], 'closed');
	await intoRoom(w, x, rooms[1], 'locked');
	for (const l of FEW) {
		const n = l.name;
		const me = await daemon.person('acme', '池田 まゆ',
		    { role: 'admin' });
		const own = await Wire.open(daemon, me);
		await own.enter(floor);	/* where the page then begins */
		own.close();
		const s = await office(seat, l, 5, me);

		await until(() => s.floor().doors.length === 2, 'two doors');
		await shot(s, `doors-${n}`);
		x.tell({ t: 'call', kind: 'wave', user: me.id, ref: `x${n}` });
		y.tell({ t: 'call', kind: 'come', user: me.id, ref: `y${n}` });
		await s.see('call-wave');
		await s.see('call-come');
		await shot(s, `calls-${n}`);
		for (const kind of ['wave', 'come'])
			await s.$(`call-${kind}`).getByTestId('call-no').click();
		await s.$('search-open').click();
		await s.$('search-input').fill(n.includes('ja') ?
		    rooms[0].name.ja : rooms[0].name.en);
		await s.page.keyboard.press('Enter');
		await s.see('room-card');
		await shot(s, `room-${n}`);
		await s.$('room-knock').click();
		await s.see('asked-knock');
		await shot(s, `knocking-${n}`);
		const { n: call } = await v.take((m) => m.t === 'call');
		v.tell({ t: 'answer', n: call, yes: true });
		await s.see('door-open');
		await s.page.waitForLoadState('networkidle');
		await shot(s, `inside-${n}`);
		await s.openMenu('open-notices');
		await s.see('notices');
		await shot(s, `notices-${n}`);
	}
	for (const z of wires)
		z.close();
}));

test('pictures: can one talk from here', () => seated(async (seat) => {
	for (const l of FEW) {
		const s = seat(await at(adm, l, '/talk-check'));

		await s.see('talk-check');
		await s.$('check-begin').click();
		await s.see('check-verdict');
		await shot(s, `talk-check-${l.name}`);
	}
}));
