/* Administration, by an administrator, felt by everybody else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('while one change is under way no other is lost', () =>
    seated(async (seat) => {
	const one = await daemon.person('acme', 'One');
	const two = await daemon.person('acme', 'Two');
	const s = seat(await admin('people'));
	let go;
	const gate = new Promise((f) => { go = f; });

	await s.page.route('**/api/v1/admin/users/*', async (r) => {
		await gate;
		await r.continue();
	});
	await s.$(`admin-role-${one.id}`).selectOption('admin');
	await until(() => s.$(`admin-role-${two.id}`).isDisabled(), 'it waits');
	await s.$(`admin-more-${two.id}`).click();
	assert.ok(await s.$('admin-act-lock').isDisabled());
	await s.page.keyboard.press('Escape');
	go();
	await s.$(`admin-role-${two.id}`).selectOption('admin');
	await until(async () => (await daemon.api(adm, 'GET', '/admin/users'))
	    .users.filter((u) => [one.id, two.id].includes(u.id) &&
	    u.role === 'admin').length === 2, 'both are');
	await daemon.api(adm, 'DELETE', `/admin/users/${one.id}`);
	await daemon.api(adm, 'DELETE', `/admin/users/${two.id}`);
}));

test('a role is made, given, and what it takes away is seen at once', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Nia Night');
	const s = seat(await admin('roles'));
	const b = seat(await at(who));
	const c = seat(await at(ann));

	s.expect(/status of 409/);
	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await c.inside();
	/* administrators have all, and no switch to take one away */
	assert(await s.$('admin-role-admin-chat').isDisabled());
	assert(await s.$('admin-role-guest-guest').isDisabled());
	await s.$('admin-roles-add').click();
	await s.$('admin-role-name').fill('Night watch');
	await s.$('admin-role-new-voice').click();
	await s.$('admin-role-save').click();
	await s.gone('admin-role');
	const { roles } = await daemon.api(adm, 'GET', '/admin/roles');
	const r = roles.find((x) => x.name === 'Night watch');
	assert.deepEqual(r.can, ['chat', 'dm', 'video', 'screen']);
	await s.$('admin-nav-people').click();
	await s.$(`admin-role-${who.id}`).selectOption('Night watch');
	await again(b, who);
	await b.see('chat-input');
	await s.$('admin-nav-review').click();
	await s.reads(`review-user-${who.id}`, /Night watch/);
	/* off: the box gives way to the reason, without another look */
	await s.$('admin-nav-roles').click();
	await s.reads(`admin-role-${r.id}`, /1 person/);
	await s.$(`admin-role-${r.id}-chat`).click();
	await b.reads('chat-closed', /does not include writing/);
	await b.gone('chat-input');
	await c.see('chat-input');
	await b.$(`person-${ann.id}`).click();
	await b.see('card-write');
	await s.$(`admin-role-${r.id}-dm`).click();
	await b.gone('card-write');
	await b.page.keyboard.press('Escape');
	await s.$(`admin-role-${r.id}-chat`).click();
	await b.see('chat-input');
	/* somebody has it; and somebody else was quicker */
	await act(s, r.id, 'remove');
	await s.$('confirm-yes').click();
	await s.see(s.page.getByText('Somebody has this role'));
	await s.page.keyboard.press('Escape');
	await daemon.api(adm, 'PATCH', `/admin/roles/${r.id}`, { name: 'Late',
	    version: (await daemon.api(adm, 'GET', '/admin/roles')).roles
	    .find((x) => x.id === r.id).version });
	await s.$(`admin-role-${r.id}-video`).click();
	await s.reads('admin-roles-error', /Somebody else has changed/);
	await s.$('admin-roles-again').click();
	await s.reads(`admin-role-${r.id}`, /Late/);
	assert(await s.$(`admin-role-${r.id}-video`).isChecked());
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

test('who is erased is out, and what was said is a former member\'s', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Fleeting');
	const s = seat(await admin('people'));
	const b = seat(await at(who)), c = seat(await at(ann));
	const said = c.page.locator('li.msg', { hasText: 'said by Fleeting' });

	b.expect(/status of 401/, /WebSocket/);
	await b.inside();
	await b.write('said by Fleeting');
	await c.see(said);
	await act(s, who.id, 'erase');
	await s.see(s.$('admin-erase').getByText('Fleeting is signed out'));
	await s.$('admin-erase-yes').click();
	await s.gone(`admin-user-${who.id}`);
	await b.see('signin');
	await c.gone(`person-${who.id}`);
	await c.see(said.getByText('A former member'));
	await c.page.reload();
	await c.inside();
	await c.see(said.getByText('A former member'));
	assert.ok(!(await c.page.content()).includes('>Fleeting<'));
	/* with what was said */
	const two = await daemon.person('acme', 'Vanishing');
	const d = seat(await at(two));

	d.expect(/status of 401/, /WebSocket/);
	await d.inside();
	await d.write('said by Vanishing');
	await c.see(c.message('said by Vanishing'));
	await s.page.reload();
	await s.see(`admin-user-${two.id}`);
	await act(s, two.id, 'erase');
	await s.$('admin-erase-erase').check({ force: true });
	await s.$('admin-erase-yes').click();
	await c.gone(c.message('said by Vanishing'));
	await c.see(said);
}));

test('messages of a floor, and of a time on all, go from every page', () =>
    seated(async (seat) => {
	const s = seat(await admin('floors'));
	const a = seat(await at(ann)), b = seat(await at(ben));

	await a.inside();
	await b.inside();
	await a.write('to be cleared');
	await b.see(b.message('to be cleared'));
	await act(s, lobby, 'clear');
	await s.$('admin-clear-yes').click();
	await s.gone('admin-clear');
	await a.gone(a.message('to be cleared'));
	await b.gone(b.message('to be cleared'));
	await a.write('and this');
	await b.see(b.message('and this'));
	await act(s, lobby, 'clear');
	await s.$('admin-clear-where').selectOption('all');
	assert.ok(await s.$('admin-clear-yes').isDisabled());
	await s.$('admin-clear-from').fill('2020-01-01');
	await s.$('admin-clear-yes').click();
	await s.gone('admin-clear');
	await b.gone(b.message('and this'));
	await b.page.reload();
	await b.inside();
	assert.deepEqual(await b.shown(), []);
	/* a hold: the page says why not */
	s.expect(/status of 409/);
	await daemon.ctl('hold', 'set', 'acme', 'reason', 'Case 1');
	await act(s, lobby, 'clear');
	await s.$('admin-clear-yes').click();
	await s.see(s.$('admin-clear').getByText('legal hold'));
	await daemon.ctl('hold', 'clear', 'acme');
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

test('a press on the bar of a dialog leaves it, one beside it closes it',
    () => seated(async (seat) => {
	const s = seat(await admin('floors'));

	await s.$(`admin-edit-${lobby}`).click();
	await s.$('admin-floor-rename').fill('typed with care');
	await s.$('admin-floor-edit').evaluate((d) => {
		const r = d.getBoundingClientRect();
		d.dispatchEvent(new PointerEvent('pointerdown', { bubbles:
		    true, clientX: r.right - 4, clientY: r.top + 60 }));
	});
	await s.page.evaluate(() => new Promise((go) =>
	    requestAnimationFrame(() => requestAnimationFrame(go))));
	assert.equal(await s.$('admin-floor-rename').inputValue(),
	    'typed with care');
	await s.page.mouse.click(4, 400);
	await s.gone('admin-floor-edit');
}));

/* Another administrator changes it while the dialog is open. */
async function raced(s, open, name, save, change, close) {
	await open();
	await s.$(name).fill('too late');
	await change();
	await s.$(save).click();
	await s.see(s.page.getByText('Nothing was saved.'));
	await close();
	await s.reads('toast', /shown as it is now/);
	await s.see(s.page.getByRole('rowheader', { name: 'by another' }));
	await open();
	assert.equal(await s.$(name).inputValue(), 'by another');
	await s.$(name).fill('at last');
	await s.$(save).click();
	await s.gone(name);
	await s.see(s.page.getByRole('rowheader', { name: 'at last' }));
}

test('who comes after another administrator sees what it is, and goes on',
    () => seated(async (seat) => {
	const id = await daemon.floor('acme', 'Contested', 'lobby');
	const { group } = await daemon.api(adm, 'POST', '/admin/groups',
	    { name: 'Contested', members: [] });
	const s = seat(await admin('floors'));
	const { floors } = await daemon.api(adm, 'GET', '/admin/floors');
	const { version } = floors.find((f) => f.id === id);

	s.expect(/status of 409/);
	await raced(s, () => s.$(`admin-edit-${id}`).click(),
	    'admin-floor-rename', 'admin-floor-save', () => daemon.api(adm,
	    'PATCH', `/admin/floors/${id}`, { version, name: 'by another' }),
	    () => s.page.keyboard.press('Escape'));
	await daemon.api(adm, 'DELETE', `/admin/floors/${id}`);
	await s.$('admin-nav-groups').click();
	await raced(s, () => s.$(`admin-group-${group.id}`).getByRole('button',
	    { name: 'Edit' }).click(), 'admin-group-name',
	    'admin-group-save', () => daemon.api(adm, 'PATCH',
	    `/admin/groups/${group.id}`, { version: group.version,
	    name: 'by another', members: [] }),
	    () => s.page.getByRole('button', { name: 'Cancel' }).click());
	await daemon.api(adm, 'DELETE', `/admin/groups/${group.id}`);
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
	await s.reads('live', /Saved/);
	await until(() => s.$('admin-rules-save').isDisabled(),
	    'nothing left to save');
	/* The other administrator looks at what holds no more. */
	t.expect(/status of 409/);
	await t.$('admin-rules-length').fill('20');
	await t.$('admin-rules-save').click();
	await t.see('admin-rules-late');
	await t.$('admin-rules-again').click();
	await until(async () => await t.$('admin-rules-length')
	    .inputValue() === '12', 'as it is now');

	/* Whom to invite: a wrong line is told, then the domains hold. */
	s.expect(/status of 422/);
	await s.$('admin-rules-domains').fill('acme.example\nno_domain');
	await s.$('admin-rules-save').click();
	await s.reads('admin-rules', /A line here is no domain name/);
	await s.$('admin-rules-domains').fill('ACME.example\n.branch.example');
	await s.$('admin-rules-save').click();
	await until(async () => await s.$('admin-rules-domains')
	    .inputValue() === 'acme.example\n.branch.example', 'as kept');

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

test('rules: what is chosen while others are saved is not lost', () =>
    seated(async (seat) => {
	const s = seat(await admin('rules'));
	let go, asked = 0;
	const gate = new Promise((f) => { go = f; });
	const { policy } = await daemon.api(adm, 'GET', '/admin/policy');

	await s.see('admin-rules-length');
	await s.page.route('**/api/v1/admin/policy', async (r) => {
		asked++;
		await gate;
		await r.continue();
	});
	await s.$('admin-rules-length').fill('15');
	await s.$('admin-rules-save').click();
	await until(() => asked === 1, 'saving');
	const tries = s.$('admin-rules-tries').selectOption('7');
	await Promise.race([tries, until(() => s.$('admin-rules-tries')
	    .isDisabled(), 'it waits')]);
	go();
	await tries;
	await s.reads('live', /Saved/);
	assert.equal(await s.$('admin-rules-tries').inputValue(), '7');
	await s.$('admin-rules-save').click();
	await until(async () => (await daemon.api(adm, 'GET',
	    '/admin/policy')).policy['lock-tries'] === 7, 'both are saved');
	await daemon.ctl('policy', 'set', 'acme', 'lock-tries',
	    String(policy['lock-tries']));
	await daemon.ctl('policy', 'set', 'acme', 'password-length',
	    String(policy['password-length']));
}));

test('networks: nobody locks himself out, and who is outside is told', () =>
    seated(async (seat) => {
	const s = seat(await admin('rules'));
	const set = (...more) => daemon.ctl('policy', 'set', 'acme', ...more);

	/* A wrong line is named; a list without oneself is refused. */
	s.expect(/status of 422/);
	await s.reads('admin-rules', /You are at 127\.0\.0\.1/);
	await s.$('admin-rules-networks').fill('127.0.0.0/8\n192.0.2.1/24');
	await s.$('admin-rules-save').click();
	await s.reads('admin-rules', /192\.0\.2\.1\/24 is not a network/);
	await s.$('admin-rules-networks').fill('192.0.2.0/24 2001:DB8::/32');
	await s.$('admin-rules-save').click();
	await s.reads('admin-rules', /Your own address, 127\.0\.0\.1, is not/);
	await s.$('admin-rules-networks').fill('');
	await s.$('admin-rules-console').fill('192.0.2.0/24');
	await s.$('admin-rules-save').click();
	await s.reads('admin-rules', /Your own address, 127\.0\.0\.1, is not/);
	await s.$('admin-rules-console').fill('127.0.0.1');
	await s.$('admin-rules-networks').fill('127.0.0.0/8, 2001:DB8::/32');
	/* The form, made anew, asks what roles there are: the last request. */
	const roles = s.page.waitForResponse((r) =>
	    r.url().endsWith('/admin/roles'));
	await s.$('admin-rules-save').click();
	await until(async () => await s.$('admin-rules-networks')
	    .inputValue() === '127.0.0.0/8\n2001:db8::/32', 'as kept');
	assert.equal((await roles).status(), 200);

	/* No administration from here, and again when it is mended. */
	s.expect(/status of 403/);
	await set('admin-networks', '192.0.2.0/24');
	await s.$('admin-nav-people').click();
	await s.reads('admin-away', /your address, 127\.0\.0\.1/);
	await set('admin-networks', '');
	await s.$('admin-away-again').click();
	await s.see('admin-people');

	/* No office from here; the sign-in waits for better times. */
	const b = seat(await at(ben));
	b.expect(/status of 403/);
	await b.inside();
	await set('networks', '192.0.2.0/24');
	await b.reads('broken', /from where you are \(127\.0\.0\.1\)/);
	const again = b.page.getByRole('button', { name: 'Try again' });
	/* The card stands until the next frame: wait for the answer. */
	let begun = false;
	const answered = b.page.waitForResponse((r) => {
		begun ||= r.url().endsWith('/api/v1/tenant');
		return (begun && r.url().endsWith('/api/v1/session'));
	});
	await again.click();
	assert.equal((await answered).status(), 403);
	await b.reads('broken', /from where you are \(127\.0\.0\.1\)/);
	await set('networks', '');
	await again.click();
	await b.inside();
}));

test('a floor may be entered from its networks only', () =>
    seated(async (seat) => {
	const s = seat(await admin('floors'));
	s.expect(/status of 422/);
	await s.$(`admin-edit-${lobby}`).click();
	await s.$('admin-floor-networks').fill('10.0.0.1/8');
	await s.$('admin-floor-save').click();
	await s.reads('admin-floor-edit', /10\.0\.0\.1\/8 is not a network/);
	await s.$('admin-floor-networks').fill('127.0.0.0/8\n::1');
	await s.$('admin-floor-save').click();
	await s.reads(`admin-floor-${lobby}`, /From 2 networks/);
	await s.$(`admin-edit-${lobby}`).click();
	assert.equal(await s.$('admin-floor-networks').inputValue(),
	    '127.0.0.0/8\n::1');
	await s.$('admin-floor-networks').fill('');
	await s.$('admin-floor-save').click();
	await until(async () => !/From/.test(await s.$(`admin-floor-${lobby}`)
	    .innerText()), 'from anywhere again');
}));

test('talk: what a floor allows, and the rules for all floors', () =>
    seated(async (seat) => {
	const s = seat(await admin('floors'));
	const talk = async () => (await daemon.ask('acme.localhost', 'GET',
	    `/api/v1/talk?floor=${lobby}`, undefined, ann.cookie)).json;

	assert.deepEqual((await talk()).can, ['voice', 'video', 'screen']);
	await s.$(`admin-edit-${lobby}`).click();
	for (const k of ['voice', 'video', 'screen'])
		assert.ok(await s.$(`admin-floor-${k}`).isChecked(), k);
	assert.equal(await s.$('admin-floor-way').inputValue(), 'tenant');
	await s.$('admin-floor-video').uncheck();
	await s.$('admin-floor-screen').uncheck();
	await s.$('admin-floor-way').selectOption('relay');
	await s.$('admin-floor-save').click();
	await s.reads(`admin-floor-${lobby}`,
	    /Off: Video, Share screen.*Relay only/s);
	let now = await talk();
	assert.deepEqual([now.can, now.way], [['voice'], 'relay']);
	await s.$(`admin-edit-${lobby}`).click();
	assert.ok(!await s.$('admin-floor-video').isChecked(), 'as it was set');
	await s.$('admin-floor-video').check();
	await s.$('admin-floor-screen').check();
	await s.$('admin-floor-way').selectOption('tenant');
	await s.$('admin-floor-save').click();
	await until(async () => !/Off/.test(await s.$(`admin-floor-${lobby}`)
	    .innerText()), 'all again');

	await s.$('admin-nav-rules').click();
	await s.$('admin-rules-talk-way').selectOption({ index: 2 });
	await s.$('admin-rules-talk-listen').selectOption('0');
	await s.$('admin-rules-talk-hidden').selectOption('1');
	await s.$('admin-rules-save').click();
	await until(async () => {
		now = await talk();
		return (now.way === '443' && !now.listen && now.hidden_mute);
	}, 'all saved');
	assert.deepEqual(now.can, ['voice', 'video', 'screen']);
	await s.$('admin-rules-talk-way').selectOption({ index: 0 });
	await s.$('admin-rules-talk-listen').selectOption('1');
	await s.$('admin-rules-talk-hidden').selectOption('0');
	await s.$('admin-rules-save').click();
	await until(async () => (await talk()).way === 'direct', 'as it was');
}));

test('sign-ins: one ends those elsewhere, an administrator all', () =>
    seated(async (seat) => {
	const fay = await daemon.person('acme', 'Fay Fuji');
	const here = seat(await at(fay)), s = seat(await admin('people'));
	const there = seat(await at(await daemon.again(fay)));

	await here.$('me-button').click();
	await here.$('open-signins').click();
	await until(async () => await here.page.locator(
	    '.signin-row .self-tag').count() === 1, 'this device is marked');
	await here.$('signins').locator('.signin-row button').first().click();
	await there.see('signin');
	await here.reads('live', /Signed out/);

	await act(s, fay.id, 'signins');
	await s.reads('signins', /Every device that is signed in as Fay Fuji/);
	await s.$('signins-end-all').click();
	await s.reads('signins', /Nobody is signed in/);
	/* It rests, since another screen was entered: it asks when used. */
	here.expect(/status of 401/);
	await here.page.reload();
	await here.see('signin');
}));

test('failures lock for strangers, are told, and an administrator unlocks', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Gin Gato');
	const known = seat(await at(who)), s = seat(await admin('rules'));
	const strange = seat(await at());

	for (const x of [known, strange])
		x.expect(/status of 4(01|29)/, /WebSocket/);
	await s.$('admin-rules-tries').selectOption('2');
	await s.$('admin-rules-lock').selectOption('0');
	await s.$('admin-rules-save').click();
	await s.reads('live', /Saved/);
	/* This browser has signed in before; the others have not. */
	await known.openMenu('sign-out');
	await known.see('signin');
	await again(known, who);
	await known.openMenu('sign-out');
	await known.see('signin');
	for (let i = 1; i < 3; i++)
		assert.equal((await daemon.guess('acme', who.mail,
		    `127.0.9.${i}`)).status, 401);
	await strange.$('signin-email').fill(who.mail);
	await strange.$('signin-password').fill(PASSWORD);
	await strange.$('signin-submit').click();
	await strange.reads('signin-error', /locked from here/);
	await again(known, who);
	await known.reads('failures', /2 tries with a wrong password/);
	await known.$('failures-close').click();
	await known.gone('failures');
	await s.$('admin-nav-people').click();
	await s.reads(`admin-failed-${who.id}`,
	    /Locked after failures.*until you unlock/s);
	await act(s, who.id, 'unfail');
	await s.reads(`admin-user-${who.id}`, /Active/);
	await strange.$('signin-submit').click();
	await strange.inside();
	await daemon.ctl('policy', 'set', 'acme', 'lock-tries', '10');
	await daemon.ctl('policy', 'set', 'acme', 'lock-minutes', '30');
}));

test('who tries a list of accounts is told to administrators', () =>
    seated(async (seat) => {
	const s = seat(await admin('people'));

	assert.equal(await s.$('admin-attack').count(), 0, 'none yet');
	for (let i = 0; i < 10; i++)
		await daemon.guess('acme', `list${i}@acme.example`,
		    '127.0.8.1');
	/* Each part that is opened asks anew. */
	const parts = ['people', 'groups'];
	await until(async () => {
		const answer = s.page.waitForResponse((r) =>
		    r.url().endsWith('/admin/alerts'));
		parts.reverse();
		await s.$(`admin-nav-${parts[0]}`).click();
		return ((await (await answer).json()).alerts.length > 0);
	}, 'it is known');
	/* With the accounts of the test before, if that has run. */
	await s.reads('admin-attack', /1\d accounts.*127\.0\.8\.1\b/s);
}));

test('review: who may enter what, as it is when a right has changed', () =>
    seated(async (seat) => {
	const g = await daemon.api(adm, 'POST', '/admin/groups',
	    { name: 'Sales', members: [ben.id] });
	const f = await daemon.floor('acme', 'Vault', 'lobby');
	const s = seat(await admin('people'));
	await daemon.api(adm, 'PATCH', `/admin/floors/${f}`,
	    { open: false, users: [ann.id], groups: [g.group.id] });

	await s.$('admin-nav-review').click();
	await s.reads(`review-floor-${f}`, /2 people.*Sales, Ann Aoki/s);
	await s.reads(`review-user-${ben.id}`, /Sales.*Vault/s);
	await s.reads(`review-user-${ann.id}`, /Vault/);
	const adms = await s.$(`review-user-${adm.id}`).innerText();
	assert.doesNotMatch(adms, /Vault/, 'an administrator has no key');
	await s.$('review-which').selectOption('admin');
	await s.gone(`review-user-${ben.id}`);
	await s.see(`review-user-${adm.id}`);
	await s.$('review-which').selectOption('unused');
	await s.reads('admin-review', /There is nobody of this kind/);
	/* On paper there is nothing to press, but who looked and when. */
	await s.$('review-which').selectOption('all');
	await s.page.emulateMedia({ media: 'print' });
	await s.see('review-printed');
	await s.reads('review-printed', /20\d\d.*by.*Ada Admin/s);
	for (const id of ['review-print', 'review-which', 'me-button',
	    'admin-nav-review'])
		assert(!await s.$(id).isVisible(), id);
	await daemon.api(adm, 'DELETE', `/admin/floors/${f}`, {});
}));

/* 名前,メール / 新人,shin@acme.example as a spreadsheet in Japan writes it. */
const SHIFT_JIS = Buffer.from([...[0x96, 0xbc, 0x91, 0x4f, 0x2c, 0x83, 0x81,
    0x81, 0x5b, 0x83, 0x8b, 0x0d, 0x0a, 0x90, 0x56, 0x90, 0x6c, 0x2c],
    ...Buffer.from('shin@acme.example\r\n')]);

async function download(s, id) {
	s.expect(/^download: blob:/);
	const [file] = await Promise.all([s.page.waitForEvent('download'),
	    s.$(id).click()]);

	return (readFileSync(await file.path(), 'utf8'));
}

test('records: the trail and its checkpoints, the log where rules show it', () =>
    seated(async (seat) => {
	const f = await daemon.floor('acme', 'Archive', 'lobby');
	const s = seat(await admin('records'));

	await s.reads('admin-records', new RegExp(`by operator 0: add floor ${f}`));
	s.expect(/^download: blob:/);
	const [file] = await Promise.all([
		s.page.waitForEvent('download'),
		s.$('records-checkpoints').click(),
	]);
	assert.match(file.suggestedFilename(), /^acme-checkpoints-.*\.txt$/);
	s.expect(/status of 403/);
	await s.$('records-log').click();
	await s.see('records-off');
	await s.$('admin-nav-rules').click();
	await s.$('admin-rules-log-console').selectOption('1');
	await s.$('admin-rules-log-days').fill('183');
	assert.ok(await s.$('admin-rules-save').isDisabled(), 'six months');
	await s.$('admin-rules-log-days').fill('400');
	await s.$('admin-rules-save').click();
	await s.reads('live', /Saved/);
	const b = seat(await at(ben));
	await b.inside();
	await s.$('admin-nav-records').click();
	await s.$('records-log').click();
	await until(async () => {
		/* It is written a little later: asked for once more. */
		for (const kind of ['', 'enter']) {
			await s.$('records-kind').selectOption(kind);
			await s.page.locator('[data-testid=records-log-line],' +
			    '.admin .empty').first().waitFor();
		}
		return ((await s.page.getByTestId('records-log-line')
		    .allInnerTexts()).some((x) => x.includes(ben.mail)));
	}, 'ben has entered a floor');
	await s.$('records-day').fill('2020-01-01');
	await s.reads('admin-records', /Nothing was recorded/);
	await s.$('records-audit').click();
	await s.reads('admin-records', /set log-days from 366 to 400/);
	await daemon.ctl('policy', 'set', 'acme', 'log-console', '0');
	await daemon.ctl('policy', 'set', 'acme', 'log-days', '366');
}));

test('records: talk is in the log, and a day that fails shows no other', () =>
    seated(async (seat) => {
	const s = seat(await admin('records'));
	const line = { at: Date.now(), user: ann.id, email: ann.mail, guest:
	    false, address: '127.0.0.1', text: '', status: 0, bytes: 0,
	    floor: lobby };
	let fails = false, asked = 0;

	s.expect(/status of 503/);
	await s.page.route('**/api/v1/admin/log?*', (r) => ++asked &&
	    r.fulfill(fails ? { status: 503, contentType:
	    'application/problem+json', body: '{"type":"/problems/busy"}' } :
	    { json: { more: false, lines: ['enter', 'talk', 'talk-end',
	    'of-tomorrow'].map((kind) => ({ ...line, kind })) } }));
	await s.$('records-log').click();
	await until(async () => await s.$('records-log-line').count() === 4,
	    'four lines');
	assert.equal(asked, 1);
	await s.reads('admin-records', /In a talk.*Talk has ended.*of-tomorrow/s);
	fails = true;
	await s.$('records-day').fill('2020-01-01');
	await s.reads('admin-records', /server is busy/);
	assert.equal(await s.$('records-log-line').count(), 0);
	fails = false;
	await s.page.getByRole('button', { name: 'Try again' }).click();
	await until(async () => await s.$('records-log-line').count() === 4,
	    'four lines');
}));

test('guests: a list that cannot be had again says so', () =>
    seated(async (seat) => {
	const s = seat(await admin('guests'));

	s.expect(/status of 503/);
	await s.see('admin-guests-again');
	await s.page.route('**/api/v1/guests', (r) => r.fulfill({ status: 503,
	    contentType: 'application/problem+json', body:
	    '{"type":"/problems/busy"}' }));
	await s.$('admin-guests-again').click();
	await s.reads('admin-guests-error', /busy/);
	await s.page.unroute('**/api/v1/guests');
	await s.$('admin-guests-again').click();
	await s.gone('admin-guests-error');
}));

test('exports: what operators have taken out, why, and who confirmed it', () =>
    seated(async (seat) => {
	const s = seat(await admin('records'));
	const file = `${daemon.dir}/taken`;

	await s.$('records-exports').click();
	await s.see('records-exports-none');
	await daemon.ctl('tenant', 'export', 'acme', file, 'reason',
	    'The customer moves <b>away</b>');
	await s.$('records-audit').click();
	await s.$('records-exports').click();
	await s.reads('records-export-1', /All data of the office/);
	await s.reads('records-export-1', /The customer moves <b>away<\/b>/);
	await s.reads('records-export-1', /Operator 0\d+Complete/);
	await s.$('records-audit').click();
	await s.reads('admin-records',
	    /by operator 0: export tenant, reason \[The customer moves/);
}));

test('people from a file: looked at first, then carried out, with links', () =>
    seated(async (seat) => {
	const s = seat(await admin('people'));
	const t = await daemon.person('acme', 'Second Admin',
	    { role: 'admin' });
	const people = async () => (await daemon.api(t, 'GET',
	    '/admin/users')).users;

	await s.$('admin-people-import').click();
	await s.see('admin-import');
	/* What is at fault is told line by line, and cannot be carried out. */
	await s.$('import-text').fill('email,role\nx@acme.example,boss\n' +
	    'y@acme.example,member\n');
	await s.$('import-check').click();
	await s.reads('import-line-2', /x@acme.*Error.*Role.*of this name/s);
	await s.gone('import-line-3');
	await s.$('import-which').selectOption('all');
	await s.reads('import-line-3', /y@acme.*New/s);
	assert(await s.$('import-run').isDisabled(), 'with a fault');
	await s.$('import-back').click();

	await s.$('import-file').setInputFiles({ name: 'people.csv',
	    mimeType: 'text/csv', buffer: SHIFT_JIS });
	await s.reads('import-line-2', /shin@acme.*New.*新人.*Member/s);
	assert(!(await people()).some((u) => u.name === '新人'), 'only shown');
	await s.$('import-run').click();
	await s.see('import-done');
	const links = await download(s, 'import-links');
	assert.match(links, /^\ufeffemail,name,link,valid until\r\nshin@acme\.example,新人,https:/);
	const d = seat(await at(undefined, { path: new URL(/https:[^,"]+/
	    .exec(links)[0]).pathname }));
	await d.see('invite');
	assert.equal(await d.$('invite-name').inputValue(), '新人');
	await s.$('import-leave').click();
	await s.reads('admin-users', /新人/);

	/* Another administrator was quicker. */
	s.expect(/status of 409/);
	const shin = (await people()).find((u) => u.name === '新人');
	await s.$('admin-people-import').click();
	await s.$('import-text').fill('email\tname\nshin@acme.example\tNew\n');
	await s.$('import-check').click();
	await s.reads('import-line-2', /Changed.*Name.*新人.*New/s);
	await daemon.api(t, 'PATCH', `/admin/users/${shin.id}`,
	    { name: '=2+3' });
	await s.$('import-run').click();
	await s.see('import-late');
	await s.$('import-again').click();
	await s.reads('import-line-2', /=2\+3.*New/s);
	await s.$('import-back').click();

	/* What is written out is no formula, and comes back as it is. */
	await s.page.goBack();
	await s.see('admin-people-export');
	const all = await download(s, 'admin-people-export');
	assert.match(all, /shin@acme\.example,'=2\+3,member,,invited\r\n/);
	await s.$('admin-people-import').click();
	await s.$('import-text').fill(all);
	await s.$('import-check').click();
	await s.reads('admin-import', /Everything is like this already/);
	assert(await s.$('import-run').isDisabled(), 'nothing to do');
}));

test('a member is refused what only administrators may', async () => {
	for (const path of ['/admin/users', '/admin/groups', '/admin/floors',
	    '/admin/templates', '/admin/policy', '/admin/roles',
	    '/admin/alerts']) {
		const r = await daemon.ask('acme.localhost', 'GET',
		    `/api/v1${path}`, undefined, ann.cookie);
		assert.equal(r.status, 403, path);
	}
	const r = await daemon.ask('acme.localhost', 'PATCH',
	    `/api/v1/admin/floors/${lobby}`, { name: 'mine' }, ann.cookie);
	assert.equal(r.status, 403);
});
