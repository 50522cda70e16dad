/* Guests: a URL is made, a phone comes in by it, somebody lets it in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until } from './daemon.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true,
    hasTouch: true, locale: 'ja-JP' };

let daemon, browser, lobby, office, adm, ann;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	office = await daemon.floor('acme', 'Office', 'office');
	adm = await daemon.person('acme', 'Ada Admin', { role: 'admin' });
	ann = await daemon.person('acme', 'Ann Aoki');
	await daemon.ctl('role', 'allow', 'acme', 'member', 'guest');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

/* A URL by the wire: its path and its number. */
async function url(terms = {}) {
	const r = await daemon.api(adm, 'POST', '/guests', { floors: [lobby],
	    expires: Date.now() + 3600000, ...terms });

	return ({ path: new URL(r.url).pathname, id: r.guest.id });
}

/* Whoever comes by a URL has no cookie yet, and asks. */
async function come(seat, path, options = {}) {
	const s = seat(await at(undefined, { path, ...options }));

	s.expect(/status of 401/);
	await s.see('guest');
	return (s);
}

test('a URL is made, a guest on a phone waits, is let in, and is put out',
    () => seated(async (seat) => {
	const s = seat(await at(adm, { path: '/admin/guests' }));

	await s.see('admin-guests');
	await s.$('admin-guests-add').click();
	assert.equal(await s.$('admin-guest-submit').isDisabled(), true);
	await s.$(`pick-floor-${lobby}`).check();
	await s.$('admin-guest-uses').fill('0');
	assert.equal(await s.$('admin-guest-submit').isDisabled(), true);
	await s.$('admin-guest-uses').fill('3');
	await s.$('admin-guest-secret').check();
	await s.$('admin-guest-password').fill('sesame open');
	await s.$('admin-guest-note').fill('Auditors');
	await s.$('admin-guest-submit').click();
	const made = new URL(await s.$('admin-link-url').inputValue());
	assert.equal(made.host, s.host);
	await s.page.keyboard.press('Escape');
	await s.see(s.page.getByText('Auditors'));

	const m = seat(await at(ann));
	await m.inside();
	const g = await come(seat, made.pathname, PHONE);
	await g.$('guest-name').fill('Gunnar Guest');
	await g.$('guest-password').fill('not the one');
	await g.$('guest-submit').click();
	await g.see(g.page.getByText('リンクのパスワードが違います'));
	await g.$('guest-password').fill('sesame open');
	await g.$('guest-submit').click();
	await g.see('lobby');
	/* nothing of the office is there, neither drawn nor sent */
	await until(() => g.frames.length > 0, 'the first frame');
	assert.deepEqual(g.frames.map((x) => x.t), ['waiting']);
	assert.equal(await g.page.getByText('Ann Aoki').count(), 0);

	await m.reads('knocks', /Gunnar Guest.*Guest.*Lobby/s);
	await m.reads('live', /Gunnar Guest is at the door/);
	await m.page.locator('[data-testid^=knock-admit-]').click();
	await g.see('scene');
	await g.gone('lobby');
	await m.gone('knocks');
	const id = g.frames.find((x) => x.t === 'hello').user.id;

	/* the mark, wherever the name stands */
	await m.reads(`person-${id}`, /Gunnar Guest.*Guest/s);
	await m.$(`person-${id}`).click();
	await m.reads('person-card', /Gunnar Guest.*Guest/s);
	await m.page.keyboard.press('Escape');
	await g.$('dock-chat').click();
	await g.write('good day');
	await m.see(m.message('good day'));
	await m.reads('chat-list', /Gunnar Guest.*Guest/s);
	await g.page.keyboard.press('Escape');
	await g.$('dock-people').click();
	await g.reads('floor-list', /^Lobby/);
	await g.gone(`floor-${office}`);
	await g.page.keyboard.press('Escape');

	/* where one is, and out at once */
	await s.$('admin-guests-again').click();
	await s.reads(`admin-visit-${id}`, /Gunnar Guest.*Lobby.*127\.0\.0\.1/s);
	g.expect(/WebSocket/);
	await s.page.locator('[data-testid^=admin-guest-revoke-]').click();
	await s.$('confirm-yes').click();
	await g.see('over');
	await g.see(g.page.getByText('オフィス側で訪問を終了しました'));
	await m.gone(`person-${id}`);
	await s.see(s.page.getByText('No guest is here now'));
	g.expect(/status of 404/);
	await g.$('over-again').click();
	await g.see('guest-gone');
}));

test('the language chosen at the door is still there inside', () =>
    seated(async (seat) => {
	const { path } = await url({ approval: true });
	const m = seat(await at(ann));

	await m.inside();
	const g = await come(seat, path, { locale: 'ja-JP' });
	const lang = () => g.page.evaluate('document.documentElement.lang');
	assert.equal(await lang(), 'ja');
	await g.$('lang-en').click();
	await g.$('guest-name').fill('Gina Guest');
	await g.$('guest-submit').click();
	await g.see('lobby');
	assert.equal(await lang(), 'en');
	await m.page.locator('[data-testid^=knock-admit-]').click();
	await g.inside();
	assert.equal(await lang(), 'en');
	await until(() => g.frames.some((x) => x.t === 'me' &&
	    x.user.lang === 'en'), 'kept');
	await g.page.reload();
	await g.inside();
	assert.equal(await lang(), 'en');
}));

test('sent away at the door, by the keyboard alone', () =>
    seated(async (seat) => {
	const { path, id } = await url({ approval: true, uses: 2 });
	const m = seat(await at(ann));

	await m.inside();
	const g = await come(seat, path);
	await g.$('guest-name').fill('Hugo');
	await g.page.keyboard.press('Enter');
	await g.see('lobby');
	await m.see('knocks');
	await m.page.locator('[data-testid^=knock-refuse-]').focus();
	g.expect(/WebSocket/);
	await m.page.keyboard.press('Enter');
	await g.see('over');
	await g.see(g.page.getByText('not let in this time'));
	await m.gone('knocks');
	await daemon.api(adm, 'DELETE', `/guests/${id}`);
}));

test('a member has a page of own guests, as long as the role allows it',
    () => seated(async (seat) => {
	const { id } = await url();
	const m = seat(await at(ann));

	await m.inside();
	await m.$('me-button').click();
	await m.$('open-guests').click();
	await m.see('admin-guests');
	await m.gone('admin-nav-people');
	await m.gone(`admin-guest-${id}`);
	await m.$('admin-guests-add').click();
	await m.$(`pick-floor-${lobby}`).check();
	await m.$('admin-guest-submit').click();
	await m.see('admin-link-url');
	await m.page.keyboard.press('Escape');
	await m.reads('admin-guests', /Lobby.*Ann Aoki/s);
	await m.page.locator('[data-testid^=admin-guest-revoke-]').click();
	await m.$('confirm-yes').click();
	await m.see(m.page.getByText('There is no link for guests'));
	await daemon.ctl('role', 'deny', 'acme', 'member', 'guest');
	await m.see(m.page.getByText('This page is for administrators'));
	await m.$('admin-office').click();
	await m.$('me-button').click();
	await m.see('open-profile');
	await m.gone('open-guests');
	await daemon.ctl('role', 'allow', 'acme', 'member', 'guest');
	await m.see('open-guests');
	await daemon.api(adm, 'DELETE', `/guests/${id}`);
}));

test('a guest leaves, comes back by a reload, and a member is told who he is',
    () => seated(async (seat) => {
	const { path, id } = await url({ uses: 2 });
	const g = await come(seat, path);

	await g.$('guest-name').fill('Ines');
	await g.$('guest-submit').click();
	await g.inside();
	await g.page.reload();
	await until(() => g.frames.filter((x) => x.t === 'floor').length > 1,
	    'the floor again');
	/* who is in already does not knock again */
	await g.page.goto(daemon.url('acme', path));
	await g.see('scene');
	await g.$('me-button').click();
	await g.reads('me-menu', /Ines.*Guest/s);
	await g.gone('open-password');
	await g.$('sign-out').click();
	await g.see('over');
	g.expect(/status of 401/, /WebSocket/);
	await g.$('over-again').click();
	await g.see('guest');

	const m = seat(await at(ann, { path }));
	await m.see(m.page.getByText('You are signed in here as Ann Aoki'));
	await m.$('guest-member').click();
	await m.inside();
	await daemon.api(adm, 'DELETE', `/guests/${id}`);
}));
