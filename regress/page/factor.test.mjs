/* A second factor: set up, asked for, demanded, taken away. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until } from './daemon.mjs';
import { early, enrol, readQr, totp } from './totp.mjs';

const PHONE = { width: 390, height: 844 };
const UNSIGNED = /status of 401/;

let daemon, browser, adm;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	await daemon.floor('acme', 'Lobby', 'lobby');
	adm = await daemon.person('acme', 'Ada Admin', { role: 'admin' });
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

async function signIn(s, who) {
	await s.$('signin-email').fill(who.mail);
	await s.$('signin-password').fill(PASSWORD);
	await s.$('signin-submit').click();
}

/* From the password to the codes, as a person does it; the secret. */
async function setUp(s) {
	await s.$('factor-password').fill(PASSWORD);
	await s.$('factor-prove').click();
	const uri = await readQr(await s.see('factor-qr'));
	const secret = (await s.$('factor-secret').textContent())
	    .replace(/\s/g, '');

	assert.equal(new URL(uri).searchParams.get('secret'), secret);
	await early();
	await s.$('factor-code').fill(totp(secret, -1));
	await s.$('factor-confirm').click();
	await s.see('factor-list');
	return (secret);
}

/* What the clipboard holds; our own page may not read it. */
async function pasted(s) {
	const page = await s.context.newPage();

	await page.setContent('<textarea autofocus></textarea>');
	await page.locator('textarea').press('Control+V');
	const text = await page.locator('textarea').inputValue();
	await page.close();
	return (text);
}

test('set up: the picture is read, the codes are kept', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Eva Ein');
	const s = seat(await at(who));

	s.expect(UNSIGNED, /status of 422/);
	await s.context.grantPermissions(['clipboard-write']);
	await s.inside();
	await s.openMenu('open-factor');
	await s.reads('factor-row-totp', /Not set up/);
	await s.$('factor-totp').click();
	await s.$('factor-password').fill('not the password');
	await s.$('factor-prove').click();
	await s.see(s.$('factor').getByText('The present password is wrong.'));
	await s.$('factor-password').fill(PASSWORD);
	await s.$('factor-prove').click();
	await s.$('factor-code').fill('12345');
	await s.$('factor-confirm').click();
	await s.see(s.$('factor').getByText('This code is not right.'));
	await s.$('factor').getByText('Cancel').click();
	await s.$('factor-totp').click();
	await setUp(s);
	const codes = await s.$('factor-list').locator('li')
	    .allTextContents();
	assert.equal(codes.length, 10);
	await s.$('factor-copy').click();
	await s.see(s.$('factor-copy').getByText('Copied'));
	assert.equal(await pasted(s), codes.join('\n'));
	await s.page.evaluate(() => {
		window.print = () => {
			window.onPaper = document.documentElement.dataset.print;
		};
	});
	await s.$('factor-print').click();
	assert.equal(await s.page.evaluate('onPaper'), 'codes');
	await s.$('factor-kept').click();
	await s.reads('factor-row-totp', /In use since/);
	await s.reads('factor-row-codes', /10 codes left/);
	/* New codes, and then nothing at all. */
	await s.$('factor-codes').click();
	await s.$('factor-password').fill(PASSWORD);
	await s.$('factor-prove').click();
	await s.see(s.$('factor-list').locator('li').first());
	assert.ok(!codes.includes(await s.$('factor-list').locator('li')
	    .first().textContent()), 'an old code');
	await s.$('factor-kept').click();
	await s.$('factor-remove').click();
	await s.$('factor-password').fill(PASSWORD);
	await s.$('factor-prove').click();
	await s.reads('factor-row-totp', /Not set up/);
}));

test('signing in takes a code, or a recovery code, of which one is told', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Zoe Zwei');
	const { secret, recovery } = await enrol(daemon, who);
	const s = seat(await at());

	s.expect(UNSIGNED);
	await signIn(s, who);
	const code = await s.see('second-code');
	assert.equal(await code.getAttribute('autocomplete'),
	    'one-time-code');
	assert.equal(await code.getAttribute('inputmode'), 'numeric');
	assert.ok(await code.evaluate((e) => e === document.activeElement));
	await code.fill('000000');
	await s.page.keyboard.press('Enter');
	await s.see(s.$('second').getByText('This code is not good'));
	await code.fill(totp(secret));
	await s.page.keyboard.press('Enter');
	await s.inside();

	const t = seat(await at(undefined, { viewport: PHONE }));
	t.expect(UNSIGNED);
	await signIn(t, who);
	await t.$('second-switch').click();
	await t.$('second-code').fill(recovery[0].toLowerCase());
	await t.$('second-submit').click();
	await t.reads('factor-row-codes', /9 codes left.*One was used/);
	await t.reads('live', /signed in with a recovery code. 9 are left/);
}));

test('a link to a new password asks for the factor as well', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Ida Drei');
	const { secret } = await enrol(daemon, who);
	const { link } = await daemon.ctl('user', 'reset', 'acme', who.mail);
	const s = seat(await at(undefined, { path:
	    new URL(link.url).pathname }));

	s.expect(UNSIGNED);
	await s.$('password-new').fill('another horse 43');
	await s.$('password-again').fill('another horse 43');
	await s.$('invite-submit').click();
	await s.$('second-code').fill(totp(secret));
	await s.$('second-submit').click();
	await s.inside();
}));

test('who must have one is led through it, in both languages, on a phone', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Max Muss');
	const s = seat(await at(who, { viewport: PHONE }));
	const a = seat(await at(adm, { path: '/admin/rules' }));

	for (const x of [s, a])
		x.expect(UNSIGNED, /status of 403/);
	await s.inside();
	await a.$('admin-rules-factor').selectOption('2');
	await a.$('admin-rules-save').click();
	/* Both at once, wherever they are. */
	await a.see('must');
	await s.see('must');
	await s.gone('scene');
	await s.page.goto(daemon.url('acme', '/admin'));
	await s.see('must');
	await s.$('lang-ja').click();
	await s.reads('must', /二段階認証の設定/);
	await setUp(s);
	await s.$('factor-kept').click();
	await s.gone('must');
	await s.page.goto(daemon.url('acme'));
	await s.see('scene');
	await setUp(a);
	await a.$('factor-kept').click();
	await a.$('admin-rules-factor').selectOption('0');
	await a.$('admin-rules-save').click();
	/* It reads "Saved" since the first time. */
	await until(async () => (await daemon.api(adm, 'GET',
	    '/admin/policy')).policy['second-factor'] === 0, 'not required');
	await daemon.api(adm, 'DELETE', '/factor/totp',
	    { password: PASSWORD });
}));

test('one role alone has to have one, and may have shorter passwords', () =>
    seated(async (seat) => {
	await daemon.ctl('role', 'add', 'acme', 'Payroll');
	const { roles } = await daemon.api(adm, 'GET', '/admin/roles');
	const { id } = roles.find((r) => r.name === 'Payroll');
	const s = seat(await at(adm, { path: '/admin/rules' }));
	const rules = async () => (await daemon.api(adm, 'GET',
	    '/admin/policy')).policy;

	await s.$(`admin-rules-factor-${id}`).check();
	await s.$('admin-rules-length').fill('15');
	await s.$('admin-rules-length-factor').fill('8');
	await s.$('admin-rules-save').click();
	await s.reads('live', /Saved/);
	const now = await rules();
	assert.deepEqual(now['second-factor-roles'], [String(id)]);
	assert.deepEqual([now['password-length'],
	    now['password-length-factor']], [15, 8]);
	await s.page.reload();
	assert.ok(await (await s.see(`admin-rules-factor-${id}`)).isChecked());
	await daemon.ctl('policy', 'set', 'acme', 'second-factor-roles', '');
	await daemon.ctl('policy', 'set', 'acme', 'password-length', '8');
}));

test('an administrator sees who has one, and takes a lost one away', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Lea Lost');
	const s = seat(await at(adm, { path: '/admin/people' }));

	await enrol(daemon, who);
	const p = seat(await at(who));
	p.expect(UNSIGNED);
	await p.inside();
	await s.$('admin-nav-review').click();
	await s.reads(`review-user-${who.id}`, /yes/);
	await s.$('review-which').selectOption('nofactor');
	await s.gone(`review-user-${who.id}`);
	await s.see(`review-user-${adm.id}`);
	await s.$('admin-nav-people').click();
	await s.see(`admin-factor-${who.id}`);
	await s.$(`admin-more-${who.id}`).click();
	await s.$('admin-act-factor').click();
	await s.$('confirm-yes').click();
	await s.gone(`admin-factor-${who.id}`);
	await p.see('signin');
	await signIn(p, who);
	await until(async () => await p.$('scene').count() === 1, 'in');
}));
