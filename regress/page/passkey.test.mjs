/* Passkeys, made and used with the virtual authenticator of Chromium. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Device, openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until } from './daemon.mjs';

const REFUSED = /status of 401/;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true,
    isMobile: true };

let daemon, browser;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	await daemon.floor('acme', 'Lobby', 'lobby');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (options) => Seat.open(browser, daemon, 'acme', options);

const rows = (s) => s.page.locator('[data-testid=passkeys] li');

async function add(s, name, password = PASSWORD) {
	await s.$('passkey-add').click();
	if (name !== undefined)
		await s.$('passkey-name').fill(name);
	await s.$('passkey-password').fill(password);
	await s.$('passkey-submit').click();
}

async function signOut(s) {
	await s.page.keyboard.press('Escape');
	await s.openMenu('sign-out');
	await s.see('signin');
}

/* Somebody with a passkey, signed out again. */
async function phoned(seat, name) {
	const who = await daemon.person('acme', name);
	const s = seat(await at({ who }));
	const device = await Device.put(s);

	s.expect(REFUSED);
	await s.inside();
	await s.openMenu('open-factor');
	await add(s, 'Phone');
	await s.reads('passkeys', /Phone/);
	await signOut(s);
	return ({ who, s, device });
}

test('a passkey is added, named anew, used and removed', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Paula Key');
	const s = seat(await at({ who }));
	const device = await Device.put(s);

	s.expect(REFUSED);
	await s.inside();
	await s.openMenu('open-factor');
	await s.reads('passkeys', /You have no passkey yet/);
	await add(s, 'Laptop', 'not the password');
	await s.see(s.page.getByText('The present password is wrong.'));
	assert.equal(await s.$('passkey-name').inputValue(), 'Laptop');
	await s.$('passkey-password').fill(PASSWORD);
	await s.$('passkey-submit').click();
	await s.reads('passkeys', /Laptop.*Not used yet/);
	const made = (await device.keys()).find((k) => k.rpId ===
	    'acme.localhost' && k.userName === who.mail);
	assert.ok(made !== undefined && made.isResidentCredential);

	await rows(s).getByRole('button', { name: /^Rename/ }).click();
	await s.$('passkey-name').fill('Büro 机');
	await s.page.keyboard.press('Enter');
	await s.reads('passkeys', /Büro 机/);

	await signOut(s);
	await s.$('signin-passkey').click();
	await s.inside();
	await s.openMenu('open-factor');
	await s.reads('passkeys', /Last used/);

	await rows(s).getByRole('button', { name: /^Remove/ }).click();
	await s.$('passkey-password').fill(PASSWORD);
	await s.$('passkey-submit').click();
	await s.reads('passkeys', /You have no passkey yet/);
	await signOut(s);
	await s.$('signin-passkey').click();
	await s.reads('signin-error', /passkey is not known here/);
}));

test('a second one is not made on the same device', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Twice Made');
	const s = seat(await at({ who }));

	await Device.put(s);
	await s.inside();
	await s.openMenu('open-factor');
	await add(s);
	await until(async () => await rows(s).count() === 1, 'added');
	await add(s);
	await s.reads('passkey-error', /has a passkey of yours already/);
	/* Another device may. */
	await Device.put(s, { transport: 'usb' });
	await s.$('passkey-submit').click();
	await until(async () => await rows(s).count() === 2, 'two');
}));

test('who is not verified is not let in, and is told', () =>
    seated(async (seat) => {
	const { s, device } = await phoned(seat, 'Un Verified');

	await device.verifies(false);
	await s.$('signin-passkey').click();
	await s.reads('signin-error', /cancelled or took too long/);
	await s.see('signin');
	await device.verifies(true);
	await s.$('signin-passkey').click();
	await s.inside();
}));

test('after the password, the device is enough', () =>
    seated(async (seat) => {
	const { who, s, device } = await phoned(seat, 'Two Steps');

	await device.verifies(false);
	await s.$('signin-email').fill(who.mail);
	await s.$('signin-password').fill(PASSWORD);
	await s.$('signin-submit').click();
	await s.see('second');
	assert.equal(await s.$('second-code').count(), 0);
	await s.$('signin-passkey').click();
	await s.inside();
}));

test('who must have a second factor may do with a passkey', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Must Have');
	await daemon.ctl('policy', 'set', 'acme', 'second-factor', '2');
	try {
		const s = seat(await at({ who }));
		await Device.put(s);
		s.expect(REFUSED, /status of 403/);
		await s.see('must');
		await add(s, 'Laptop');
		await s.inside();
	} finally {
		await daemon.ctl('policy', 'set', 'acme', 'second-factor',
		    '0');
	}
}));

test('on a phone, in Japanese, by keyboard alone', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', '鍵 太郎');
	const s = seat(await at({ who, ...PHONE, locale: 'ja-JP' }));

	s.expect(REFUSED);
	await Device.put(s);
	await s.inside();
	await s.openMenu('open-factor');
	await s.$('passkey-add').focus();
	await s.page.keyboard.press('Enter');
	await s.see('passkey-name');
	await s.$('passkey-name').fill('スマホ');
	await s.page.keyboard.press('Tab');
	await s.page.keyboard.type(PASSWORD);
	await s.page.keyboard.press('Enter');
	await s.reads('passkeys', /スマホ.*まだ使われていません/);
	assert.ok(await s.page.evaluate(() => document.documentElement
	    .scrollWidth <= innerWidth), 'nothing beside the screen');
	await signOut(s);
	await s.$('signin-passkey').focus();
	await s.page.keyboard.press('Enter');
	await s.inside();
}));
