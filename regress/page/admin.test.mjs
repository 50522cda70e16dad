/* Administration, by an administrator, felt by everybody else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until } from './daemon.mjs';

let daemon, browser, lobby, adm, ann, ben;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	adm = await daemon.person('acme', 'Ada Admin', { role: 'admin' });
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

async function admin(part) {
	const s = await at(adm, { path: `/admin/${part}` });

	await s.see(`admin-${part}`);
	return (s);
}

async function act(s, user, item) {
	await s.$(`admin-more-${user}`).click();
	await s.$(`admin-act-${item}`).click();
}

async function again(s, who) {
	await s.$('signin-email').fill(who.mail);
	await s.$('signin-password').fill(PASSWORD);
	await s.$('signin-submit').click();
	await s.gone('signin');
}

test('an invitation is made, sent, taken, and its taker is in', () =>
    seated(async (seat) => {
	const s = seat(await admin('people'));

	await s.$('admin-people-add').click();
	await s.$('admin-invite-email').fill('dora@acme.example');
	await s.$('admin-invite-submit').click();
	const url = await s.$('admin-link-url').inputValue();
	assert.equal(new URL(url).host, s.host);
	const d = seat(await at(undefined, { path: new URL(url).pathname }));
	await d.$('invite-name').fill('Dora');
	await d.$('password-new').fill(PASSWORD);
	await d.$('password-again').fill(PASSWORD);
	await d.$('invite-submit').click();
	await d.inside();
	await d.see(d.$('people-list').getByText('Dora'));
	await s.page.reload();
	await s.reads('admin-users', /Dora.*dora@acme\.example/s);
	/* the same again is refused at its field */
	s.expect(/status of 409/);
	await s.$('admin-people-add').click();
	await s.$('admin-invite-email').fill('dora@acme.example');
	await s.$('admin-invite-submit').click();
	await s.see(s.page.getByText('registered already'));
}));

test('a role is given and taken, the last administrator stays one', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Bea');
	const s = seat(await admin('people'));
	const b = seat(await at(who));

	s.expect(/status of 409/);
	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await s.$(`admin-role-${who.id}`).selectOption('admin');
	await again(b, who);		/* another role, another sign-in */
	await b.openMenu('open-admin');
	await b.see('admin-users');
	await s.$(`admin-role-${who.id}`).selectOption('member');
	await again(b, who);
	await b.see(b.page.getByText('This page is for administrators'));
	await s.$(`admin-role-${adm.id}`).selectOption('member');
	await s.see(s.page.getByText('no active administrator'));
	const { users } = await daemon.api(adm, 'GET', '/admin/users');
	assert.equal(users.find((u) => u.id === adm.id).role, 'admin');
}));

test('a suspended person is out at once, and in again when it is lifted', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Locked Out');
	const s = seat(await admin('people'));
	const b = seat(await at(who));
	const c = seat(await at(ann));

	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await c.see(`person-${who.id}`);
	await act(s, who.id, 'lock');
	await s.$('confirm-yes').click();
	await b.see('signin');
	await b.reads('signin-reason', /suspended/);
	await c.gone(`person-${who.id}`);
	await b.$('signin-email').fill(who.mail);
	await b.$('signin-password').fill(PASSWORD);
	await b.$('signin-submit').click();
	await b.see('signin-error');
	await act(s, who.id, 'unlock');
	await s.reads(`admin-user-${who.id}`, /Active/);
	await b.$('signin-submit').click();
	await b.see('scene');
	await b.see(`person-${who.id}`);
}));

test('a reset link: the old password is dead, the new one is chosen', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Forgetful');
	const s = seat(await admin('people'));
	const b = seat(await at(who));

	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await act(s, who.id, 'reset');
	await s.$('confirm-yes').click();
	const url = new URL(await s.$('admin-link-url').inputValue());
	await b.see('signin');
	await b.page.goto(daemon.url('acme', url.pathname));
	await b.see('invite');
	assert.equal(await b.$('invite-name').count(), 0);
	await b.$('password-new').fill('yet another 44');
	await b.$('password-again').fill('yet another 44');
	await b.$('invite-submit').click();
	await b.see('scene');
	await b.see(`person-${who.id}`);
	const r = await daemon.ask('acme.localhost', 'POST', '/api/v1/session',
	    { email: who.mail, password: PASSWORD });
	assert.equal(r.status, 401);
}));

test('who is removed is out and gone from the lists', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Leaver');
	const s = seat(await admin('people'));
	const b = seat(await at(who));
	const c = seat(await at(ann));

	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await c.see(`person-${who.id}`);
	await act(s, who.id, 'remove');
	await s.$('confirm-yes').click();
	await s.gone(`admin-user-${who.id}`);
	await b.see('signin');
	await c.gone(`person-${who.id}`);
}));

test('a floor from a template, renamed, limited and removed', () =>
    seated(async (seat) => {
	const s = seat(await admin('floors'));
	const a = seat(await at(ann)), b = seat(await at(ben));

	await a.inside();
	await b.inside();
	await s.$('admin-floors-add').click();
	await s.$('admin-floor-name').fill('Garden');
	assert.deepEqual((await s.page.locator('[data-testid^=template-]')
	    .evaluateAll((l) => l.map((e) => e.dataset.testid))).sort(),
	    ['template-japanese', 'template-lobby', 'template-office']);
	await s.$('template-japanese').check({ force: true });
	await s.$('admin-floor-submit').click();
	await s.gone('admin-floor-add');
	for (const p of [a, b]) {
		await p.$('floor-list').getByText('Garden').click();
		await until(() => p.floor().name === 'Garden', 'entered');
	}
	const { id } = a.floor();

	await s.$(`admin-edit-${id}`).click();
	await s.$('admin-floor-rename').fill('庭園');
	await s.$('admin-floor-save').click();
	await s.gone('admin-floor-edit');
	await a.reads(`floor-${id}`, /庭園/);

	await s.$(`admin-edit-${id}`).click();
	await s.$('access-limited').check({ force: true });
	await s.$(`pick-user-${ann.id}`).check({ force: true });
	await s.$('admin-floor-save').click();
	await s.gone('admin-floor-edit');
	await b.see('no-floor');
	await b.reads('no-floor', /no longer enter/);
	await b.gone(`floor-${id}`);
	await a.reads('people-list', /^(?!.*Ben Bauer)/s);
	const r = await daemon.ask('acme.localhost', 'GET',
	    `/api/v1/floors/${id}`, undefined, ben.cookie);
	assert.ok(r.status === 403 || r.status === 404, `${r.status}`);
	assert.ok(await a.$(`floor-${id}`).isVisible());
	await b.$('no-floor').getByText('Lobby').click();
	await b.see(`person-${ben.id}`);
	await b.gone(`person-${ann.id}`);

	await s.$(`admin-more-${id}`).click();
	await s.$('admin-act-remove').click();
	await s.$('confirm-yes').click();
	await s.gone(`admin-floor-${id}`);
	await a.see('no-floor');
	await a.gone(`floor-${id}`);
}));

test('a group opens a floor to its members', () => seated(async (seat) => {
	const id = await daemon.floor('acme', 'Team', 'office');
	const s = seat(await admin('groups'));
	const b = seat(await at(ben));

	await b.inside();
	await b.see(`floor-${id}`);
	await daemon.api(adm, 'PATCH', `/admin/floors/${id}`, { open: false });
	await b.gone(`floor-${id}`);
	await s.$('admin-groups-add').click();
	await s.$('admin-group-name').fill('開発チーム');
	await s.$(`pick-user-${ben.id}`).check({ force: true });
	await s.$('admin-group-save').click();
	await s.gone('admin-group');
	await s.reads('admin-groups', /開発チーム.*Ben Bauer/s);
	const { groups } = await daemon.api(adm, 'GET', '/admin/groups');
	await s.$('admin-nav-floors').click();
	await s.$(`admin-edit-${id}`).click();
	await s.$(`pick-group-${groups[0].id}`).check({ force: true });
	await s.$('admin-floor-save').click();
	await b.see(`floor-${id}`);
	await s.$('admin-nav-people').click();
	await s.reads(`admin-user-${ben.id}`, /開発チーム/);
}));

test('the title of the company changes on every page', () =>
    seated(async (seat) => {
	const s = seat(await admin('tenant'));
	const b = seat(await at(ben));

	await b.inside();
	await s.$('admin-tenant-title').fill('アクメ株式会社');
	await s.$('admin-tenant-save').click();
	await b.see(b.page.getByText('アクメ株式会社'));
	await until(async () => (await b.page.title())
	    .endsWith('アクメ株式会社'), 'title');
	const d = seat(await at());
	d.expect(/status of 401/);
	await d.reads('signin', /アクメ株式会社/);
}));

test('rules for passwords: set, lived by, and never set over another\'s', () =>
    seated(async (seat) => {
	const s = seat(await admin('rules')), t = seat(await admin('rules'));

	await t.see('admin-rules-length');
	await s.$('admin-rules-length').fill('7');
	await s.reads('admin-rules', /From 8 to 128/);
	assert(await s.$('admin-rules-save').isDisabled(), 'below the least');
	await s.$('admin-rules-length').fill('12');
	await s.$('admin-rules-kinds').selectOption('3');
	await s.$('admin-rules-save').click();
	await until(async () => await s.$('admin-rules-save').isDisabled(),
	    'nothing left to save');
	/* The other administrator looks at what holds no more. */
	t.expect(/status of 409/);
	await t.$('admin-rules-length').fill('20');
	await t.$('admin-rules-save').click();
	await t.see('admin-rules-late');
	await t.$('admin-rules-again').click();
	await until(async () => await t.$('admin-rules-length')
	    .inputValue() === '12', 'as it is now');

	const url = await daemon.invite('acme', 'eve@acme.example');
	const d = seat(await at(undefined, { path: new URL(url).pathname }));
	await d.$('invite-name').fill('Eve');
	await d.$('password-new').fill('lower case only');
	await d.$('password-again').fill('lower case only');
	await d.reads('invite', /At least 3 of upper case.*now 2/s);
	assert(await d.$('invite-submit').isDisabled(), 'two kinds');
	await d.$('password-new').fill('Lower case, 1');
	await d.$('password-again').fill('Lower case, 1');
	await d.$('invite-submit').click();
	await d.inside();
}));

test('a member is refused what only administrators may', async () => {
	for (const path of ['/admin/users', '/admin/groups', '/admin/floors',
	    '/admin/templates', '/admin/policy']) {
		const r = await daemon.ask('acme.localhost', 'GET',
		    `/api/v1${path}`, undefined, ann.cookie);
		assert.equal(r.status, 403, path);
	}
	const r = await daemon.ask('acme.localhost', 'PATCH',
	    `/api/v1/admin/floors/${lobby}`, { name: 'mine' }, ann.cookie);
	assert.equal(r.status, 403);
});
