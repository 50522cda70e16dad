/* Coming in and going out, and what a first visit costs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until } from './daemon.mjs';

const FIRST = 250 * 1000;		/* bytes of a first visit */
const REFUSED = /status of 401/;	/* a wrong password, said by Chromium */

let daemon, browser, ann;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme & Söhne');
	await daemon.floor('acme', 'Lobby', 'lobby');
	ann = await daemon.person('acme', 'Ann Aoki');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (options) => Seat.open(browser, daemon, 'acme', options);

async function fill(s, mail, password) {
	await s.$('signin-email').fill(mail);
	await s.$('signin-password').fill(password);
	await s.$('signin-submit').click();
}

test('a wrong password is said in words, the right one lets in', () =>
    seated(async (seat) => {
	const s = seat(await at());

	s.expect(REFUSED);
	await fill(s, ann.mail, 'not the password');
	await s.reads('signin-error', /mail address or the password is wrong/);
	await fill(s, 'nobody@acme.example', PASSWORD);
	await s.reads('signin-error', /mail address or the password is wrong/);
	await fill(s, ann.mail, PASSWORD);
	await s.inside();
	await s.reads(`person-${ann.id}`, /Ann Aoki/);
	assert.equal(await s.$('signin-error').count(), 0);
	const cookies = await s.context.cookies();
	assert.deepEqual(cookies.map((c) => c.name).sort(), ['__Host-risa',
	    '__Host-risa-device']);
	for (const cookie of cookies) {
		assert.ok(cookie.httpOnly && cookie.secure);
		assert.equal(cookie.sameSite, 'Lax');
	}
}));

test('an empty form asks for what is missing, at its field', () =>
    seated(async (seat) => {
	const s = seat(await at());

	s.expect(REFUSED);
	await s.$('signin-submit').click();
	await s.see(s.page.getByText('Enter your mail address.'));
	await s.see(s.page.getByText('Enter your password.'));
	assert.equal(await s.$('signin-email').getAttribute('aria-invalid'),
	    'true');
	assert.ok(await s.$('signin-email').evaluate((e) =>
	    e === document.activeElement));
}));

test('signing out ends the session and leaves the sign-in page', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Out Going');
	const s = seat(await at({ who }));

	s.expect(REFUSED);
	await s.inside();
	await s.openMenu('sign-out');
	await s.reads('signin-reason', /You are signed out/);
	assert.equal(await s.page.getByText('Out Going').count(), 0);
	await s.page.reload();
	await s.see('signin');
	const r = await daemon.ask('acme.localhost', 'GET', '/api/v1/session',
	    undefined, who.cookie);
	assert.equal(r.status, 401);
}));

test('a session ended elsewhere puts the page outside', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Elsewhere Ended');
	const s = seat(await at({ who }));

	s.expect(REFUSED);
	await s.inside();
	await daemon.api(who, 'DELETE', '/session');
	await s.see('signin');
	await s.see('signin-reason');
}));

test('an invitation is taken once', () => seated(async (seat) => {
	const url = new URL(await daemon.invite('acme', 'new@acme.example'));
	const s = seat(await at({ path: url.pathname }));

	await s.see('invite');
	assert.ok(await s.$('invite-submit').isDisabled());
	await s.$('invite-name').fill('新人 はなこ');
	await s.$('password-new').fill('short');
	await s.$('password-again').fill('short');
	assert.ok(await s.$('invite-submit').isDisabled());
	await s.$('password-new').fill(PASSWORD);
	await s.$('password-again').fill(PASSWORD);
	await s.$('invite-submit').click();
	await s.inside();
	await s.reads('people-list', /新人 はなこ/);
	assert.equal(new URL(s.page.url()).pathname, '/');

	const t = seat(await at({ path: url.pathname }));
	t.expect(/status of 404/);
	await t.see('invite-gone');
}));

test('the password is changed, the old one is dead', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Pass Word');
	const s = seat(await at({ who }));
	const other = seat(await at());

	other.expect(REFUSED);
	s.expect(REFUSED);
	await fill(other, who.mail, PASSWORD);
	await other.inside();
	await s.inside();
	await s.openMenu('open-password');
	await s.$('password-current').fill('wrong one 12');
	await s.$('password-new').fill('another horse 43');
	await s.$('password-again').fill('another horse 43');
	await s.$('password-save').click();
	await s.see(s.page.getByText('The present password is wrong.'));
	await s.$('password-current').fill(PASSWORD);
	await s.$('password-save').click();
	await s.gone('password');
	await other.see('signin');
	await fill(other, who.mail, PASSWORD);
	await other.see('signin-error');
	await fill(other, who.mail, 'another horse 43');
	await other.inside();
}));

test('the languages: every word of the door, html lang, kept by the profile',
    () => seated(async (seat) => {
	const who = await daemon.person('acme', 'Lang');
	const s = seat(await at());
	const lang = () => s.page.evaluate('document.documentElement.lang');

	s.expect(REFUSED);
	await s.see('signin');
	assert.equal(await lang(), 'en');
	await s.$('lang-ja').click();
	await s.reads('signin-submit', /サインイン/);
	await until(async () => await lang() === 'ja', 'html lang');
	await fill(s, who.mail, PASSWORD);
	await s.inside();
	await until(async () => (await daemon.api({ ...who, cookie:
	    (await s.context.cookies()).map((c) => `${c.name}=${c.value}`)
	    .join('; ') }, 'GET', '/session')).user.lang === 'ja', 'profile');
	await s.page.reload();
	await s.inside();
	assert.equal(await lang(), 'ja');
	await s.$('me-button').click();
	await s.$('lang-switch').selectOption('en');
	await until(async () => await lang() === 'en', 'html lang');
	await s.see(s.page.getByRole('heading', { name: 'On this floor' }));
}));

test('a first visit is at most 250 kB on the wire', () =>
    seated(async (seat) => {
	const s = seat(await at({ who: ann }));

	await s.inside();
	await s.page.waitForLoadState('networkidle');
	assert.ok(s.line.bytes > 20000, `${s.line.bytes} bytes: too few`);
	assert.ok(s.line.bytes < FIRST, `${s.line.bytes} bytes`);
}));

test('no page but of a tenant, and none in a frame', () =>
    seated(async (seat) => {
	const s = seat(await at({ who: ann }));
	const r = await s.page.goto(daemon.url('acme'));
	const csp = r.headers()['content-security-policy'];

	assert.match(csp, /default-src 'none'/);
	assert.match(csp, /frame-ancestors 'none'/);
	assert.match(csp, /require-trusted-types-for 'script'/);
	await s.inside();
}));
