/* People on a floor: walking, being seen, status, looks, one place at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, PASSWORD, until, Wire } from './daemon.mjs';

let daemon, browser, floor, ann, ben, cat, dan;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	floor = await daemon.floor('acme', 'Lobby', 'lobby');
	await daemon.floor('acme', 'Office', 'office');
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
	cat = await daemon.person('acme', 'Cat');
	dan = await daemon.person('acme', 'Dan');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

async function two(seat) {
	const a = seat(await at(ann));
	await a.inside();
	const b = seat(await at(ben));
	await b.inside();
	await b.see(`person-${ann.id}`);
	await a.see(`person-${ben.id}`);
	return ([a, b]);
}

/*
 * Is b told that a walks to where a's last leg ends, and does somebody who
 * comes later find a standing there?
 */
async function arrived(a, b) {
	const to = () => a.legs.at(-1);	/* those of a path come one by one */
	const id = a.floor().you;
	const w = await Wire.open(daemon, cat);

	await until(() => b.places.some((p) => p.id === id &&
	    p.tx === to().x && p.ty === to().y), `${id} is seen walking`);
	let p = {};
	await until(async () => {
		const f = await w.enter(a.floor().id);
		p = f.people.find((x) => x.id === id);
		await sleep(100);
		return (p.tx === undefined && p.x === to().x && p.y === to().y);
	}, `${id} stands where it went`).catch((e) => {
		throw new Error(`${e.message}: ${p.x},${p.y} to ${p.tx},${
		    p.ty}, not ${JSON.stringify(a.legs)}`);
	});
	w.close();
	await b.gone(`person-${cat.id}`);
}

/* On the floor there, or beside it when somebody stands there. */
async function click(s, fx, fy) {
	const box = await s.$('scene').boundingBox();

	for (const aside of [0, 0.09, -0.09]) {
		await s.page.mouse.click(box.x + box.width * (fx + aside),
		    box.y + box.height * fy);
		await sleep(100);
		if (!await s.$('person-card').isVisible())
			return;
		await s.page.keyboard.press('Escape');
		await s.gone('person-card');
	}
	throw new Error('people everywhere');
}

async function search(s, words) {
	await s.page.keyboard.press('Control+k');
	await s.$('search-input').fill(words);
	await s.page.keyboard.press('Enter');
	await s.gone('search');
}

test('a click on the floor walks there, the other page sees it arrive', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await click(a, 0.4, 0.55);
	await until(() => a.legs.length > 0, 'legs are sent');
	await arrived(a, b);
	const n = a.legs.length;
	await click(a, 0.5, 0.3);
	await until(() => a.legs.length > n, 'more legs');
	await arrived(a, b);
	assert.equal(b.legs.length, 0);
}));

test('arrow keys walk while held, and stop when let go', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await click(a, 0.45, 0.5);
	await until(() => a.legs.length > 0, 'legs');
	await arrived(a, b);
	const from = a.legs.at(-1), n = a.legs.length;
	await a.page.keyboard.down('ArrowLeft');
	await until(() => b.places.some((p) => p.id === a.floor().you &&
	    p.tx < from.x - 20 && p.ty === from.y), 'seen walking left');
	await a.page.keyboard.up('ArrowLeft');
	await until(() => a.legs.length > n + 1, 'the stop is sent');
	await arrived(a, b);
	assert.equal(a.legs.at(-1).y, from.y);
	assert.ok(a.legs.at(-1).x < from.x);
	assert.equal(await a.$('chat-input').inputValue(), '');
}));

test('arrows move the cursor in the chat, not the person', () =>
    seated(async (seat) => {
	const s = seat(await at(ann));

	await s.inside();
	await s.$('chat-input').fill('wasd');
	await s.page.keyboard.press('ArrowLeft');
	await s.page.keyboard.type('wasd');
	assert.equal(await s.$('chat-input').inputValue(), 'waswasdd');
	assert.equal(s.legs.length, 0);
}));

test('who walks into a room is shown there, in both lists', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await search(a, 'Caf');
	await b.reads(`person-${ann.id}`, /Café corner/);
	await a.reads(`person-${ann.id}`, /Café corner/);
	await a.reads('place', /Café corner/);
	await a.see('tab-room');
	assert.equal(await b.$('tab-room').count(), 0);
	await a.$('text-toggle').click();
	await a.reads('text-view', /Café corner.*Ann Aoki \(you\)/s);
	await a.$('goto-3').click();
	await b.reads(`person-${ann.id}`, /Reception(?! room)/);
	await a.$('text-toggle').click();
}));

test('a locked door keeps the other out until it is opened', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await search(a, 'Reception room');
	await b.reads(`person-${ann.id}`, /Reception room/);
	await a.$('door-locked').click();
	await a.reads('place', /The door is locked/);
	await b.$('text-toggle').click();
	await until(() => b.$('goto-1').isDisabled(), 'no way in');
	await a.$('door-open').click();
	await until(() => b.$('goto-1').isEnabled(), 'a way in');
	await b.$('goto-1').click();
	await a.reads(`person-${ben.id}`, /Reception room/);
	await a.reads('place', /2 of 6/);
}));

test('walking to a person ends beside them', () => seated(async (seat) => {
	const [a, b] = await two(seat);

	await search(a, 'Reception room');
	await b.reads(`person-${ann.id}`, /Reception room/);
	await b.$(`person-${ann.id}`).click();
	await b.$('card-walk').click();
	await a.reads(`person-${ben.id}`, /Reception room/);
}));

test('another floor: the list says who is where', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await a.page.getByTestId('floor-list').getByText('Office').click();
	await until(() => a.floor().name === 'Office', 'on the floor');
	await b.reads('people-list', /^(?!.*Ann Aoki)/s);
	await b.page.getByText('Other floors').waitFor();
	await b.$(`person-${ann.id}`).waitFor({ state: 'attached' });
	await a.page.reload();
	await a.inside();
	await until(() => a.floor().name === 'Office', 'the last floor');
	await a.page.getByTestId('floor-list').getByText('Lobby').click();
	await b.see(b.$('people-list').getByText('Ann Aoki'));
}));

test('status and note are seen by the other, and kept', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await a.$('status-button').click();
	await a.$('status-busy').check();
	await a.$('status-note').fill('月次レポート ~14:00');
	await a.$('status-save').click();
	await a.gone('status-menu');
	await b.reads(`person-${ann.id}`, /月次レポート ~14:00/);
	await b.reads(`person-${ann.id}`, /Focusing/);
	await a.page.reload();
	await a.inside();
	await a.reads('status-button', /Focusing.*月次レポート/s);
	await a.$('status-button').click();
	await a.$('status-available').check();
	await b.reads(`person-${ann.id}`, /Available/);
	await a.$('status-note').fill('');
	await a.$('status-save').click();
	await a.gone('status-menu');
}));

test('the avatar and the name are chosen, seen and kept', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await a.openMenu('open-profile');
	await a.$('look-hair-7').check({ force: true });
	await a.$('look-shirt-9').check({ force: true });
	await a.$('profile-name').fill('Ann A. Aoki');
	await a.$('profile-save').click();
	await a.gone('profile');
	await b.reads(`person-${ann.id}`, /Ann A\. Aoki/);
	await until(() => b.frames.some((m) => m.t === 'update' &&
	    m.user === ann.id && m.look.hair === 7 && m.look.shirt === 9),
	    'the look');
	await a.page.reload();
	await a.inside();
	await a.openMenu('open-profile');
	assert.ok(await a.$('look-hair-7').isChecked());
	assert.ok(await a.$('look-shirt-9').isChecked());
	assert.equal(await a.$('profile-name').inputValue(), 'Ann A. Aoki');
	await a.$('profile-name').fill('Ann Aoki');
	await a.$('profile-save').click();
	await a.gone('profile');
}));

test('a second tab takes over, the first can continue', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const first = a.page;

	a.page = await a.newPage();
	await a.page.goto(daemon.url('acme'));
	await a.page.getByTestId('people-list').waitFor();
	await first.getByTestId('continue-here').waitFor();
	assert.equal(await b.$('people-list').getByText('Ann Aoki').count(), 1);
	await first.getByTestId('continue-here').click();
	await first.getByTestId('banner').waitFor({ state: 'hidden' });
	await a.page.getByTestId('continue-here').waitFor();
	assert.equal(await b.$('people-list').getByText('Ann Aoki').count(), 1);
	await first.getByTestId('chat-input').fill('here I am');
	await first.getByTestId('chat-send').click();
	await b.see(b.message('here I am'));
}));

/* What Ann had there: a secret, a word to send, one not written to its end. */
async function leavesBehind(page, b) {
	await page.getByTestId('tab-direct').click();
	await page.getByTestId(`peer-${ben.id}`).click();
	await b.$(`person-${ann.id}`).click();
	await b.$('card-write').click();
	await b.see('peer-back');
	await b.write('what Ann earns');
	await page.getByTestId('chat-list').getByText('what Ann earns').last()
	    .waitFor();
	await page.getByTestId('peer-back').waitFor();
	await page.getByTestId('chat-input').fill('Ann is about to');
}

/* Of that, somebody else sees nothing, and nothing was sent for them. */
async function findsNothing(a, who) {
	await a.page.getByTestId(`person-${who.id}`).waitFor();
	await a.write(`here is ${who.name}`);
	await a.see(a.message(`here is ${who.name}`));
	await until(async () => await a.$('msg-state').count() === 0, 'ack');
	assert.ok(!(await a.shown()).includes('Ann was here'));
	await a.tab('direct');
	await a.$(`peer-${ben.id}`).click();
	await a.see('peer-back');
	assert.equal(await a.$('chat-input').inputValue(), '');
	await a.write(`${who.name} to Ben`);
	await a.see(a.message(`${who.name} to Ben`));
	assert.deepEqual(await a.shown(), [`${who.name} to Ben`]);
	const { messages } = await daemon.api(who, 'GET',
	    `/messages?channel=floor:${floor}`);
	assert.ok(!messages.some((m) => m.text === 'Ann was here'));
}

test('another tab signs in as another: nothing of the first is left',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);
	const first = a.page;

	a.expect(/WebSocket connection/);
	await leavesBehind(first, b);
	const second = await a.newPage();
	await second.goto(daemon.url('acme'));
	await first.getByTestId('continue-here').waitFor();
	await a.tab('floor');
	await first.getByTestId('chat-input').fill('Ann was here');
	await first.getByTestId('chat-send').click();
	await first.getByTestId('msg-state').waitFor();
	await second.close();
	await a.cookie(cat);
	await first.getByTestId('continue-here').click();
	await findsNothing(a, cat);
}));

test('another tab signs in as another: the first asks for nothing as him',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);
	const eve = await daemon.person('acme', 'Eve');
	const first = a.page;

	a.expect(/WebSocket connection/);
	await leavesBehind(first, b);
	await a.cookie(eve);
	const second = await a.newPage();
	await second.goto(daemon.url('acme'));
	await second.getByTestId(`person-${ben.id}`).waitFor();
	await first.getByTestId('continue-here').waitFor();
	assert.equal(await first.getByTestId('chat-input').count(), 0);
	await b.gone(`person-${ann.id}`);
	await b.see(`person-${eve.id}`);
	assert.equal(await second.getByTestId('continue-here').count(), 0,
	    'and does not take his place');
	await first.getByTestId('continue-here').click();
	await second.getByTestId('continue-here').waitFor();
	await findsNothing(a, eve);
}));

test('who signs out leaves nothing to who signs in after', () =>
    seated(async (seat) => {
	const again = await daemon.again(ann);
	const a = seat(await at(again));
	const b = seat(await at(ben));

	await a.inside();
	await b.inside();
	await b.see(`person-${ann.id}`);
	await leavesBehind(a.page, b);
	await a.openMenu('sign-out');
	await a.$('signin-email').fill(dan.mail);
	await a.$('signin-password').fill(PASSWORD);
	await a.$('signin-submit').click();
	await a.page.getByTestId(`person-${dan.id}`).waitFor();
	await a.tab('direct');
	await a.$(`peer-${ben.id}`).click();
	await a.see('peer-back');
	assert.equal(await a.$('chat-input').inputValue(), '');
	await a.write('Dan to Ben');
	await a.see(a.message('Dan to Ben'));
	assert.deepEqual(await a.shown(), ['Dan to Ben']);
}));

test('who closes the page is gone at once, and comes back to the same place',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);

	await click(a, 0.42, 0.45);
	await until(() => a.legs.length > 0, 'legs');
	await arrived(a, b);
	const to = a.legs.at(-1);
	const was = a.floor();
	await a.page.goto('about:blank');
	await b.reads('people-list', /^(?!.*Ann Aoki)/s);
	await a.page.goto(daemon.url('acme'));
	await b.see(b.$('people-list').getByText('Ann Aoki'));
	await until(() => a.floor() !== was, 'told where');
	const f = a.floor();
	const me = f.people.find((p) => p.id === f.you);
	assert.equal(f.id, floor);
	assert.deepEqual({ x: me.x, y: me.y }, to);
}));

test('nothing moves: nothing is drawn, and nothing sent', () =>
    seated(async (seat) => {
	const a = seat(await at(ann, { reducedMotion: 'no-preference' }));
	const b = seat(await at(ben, { reducedMotion: 'no-preference' }));
	const drawn = () => a.page.evaluate('seen.frames');

	await a.inside();
	await b.inside();
	await a.see(`person-${ben.id}`);
	await click(a, 0.4, 0.5);
	await until(() => a.legs.length > 0, 'legs');
	await arrived(a, b);
	assert.ok(await drawn() > 0);
	/* quiet for two seconds, within the bound */
	let was = -1, since = 0;
	await until(async () => {
		const n = await drawn() + a.sent.length + a.legs.length;
		if (n !== was) {
			was = n;
			since = Date.now();
		}
		return (Date.now() - since > 2000);
	}, 'two seconds without a frame');
}));

test('the administration is not for members', () => seated(async (seat) => {
	const s = seat(await at(ann, { path: '/admin/people' }));

	await s.see(s.page.getByText('This page is for administrators'));
	assert.equal(await s.$('admin-users').count(), 0);
	await s.$('me-button').click();
	await s.see('me-menu');
	assert.equal(await s.$('open-admin').count(), 0);
}));

test('nobody sees anything of another tenant', () => seated(async (seat) => {
	await daemon.tenant('globex', 'Globex');
	await daemon.floor('globex', 'Ground', 'lobby');
	const who = await daemon.person('globex', 'Gil');
	const a = seat(await at(ann));
	const g = seat(await Seat.open(browser, daemon, 'globex', { who }));

	await a.inside();
	await g.inside();
	await g.see(`person-${who.id}`);
	for (const s of [a, g])
		await s.$('tab-direct').click();
	await g.see('direct-list');
	assert.equal(await g.page.getByText(/Ann Aoki|Ben Bauer/).count(), 0);
	assert.equal(await a.page.getByText('Gil').count(), 0);
	/* the cookie of one is worth nothing at the other */
	const r = await daemon.ask('globex.localhost', 'GET',
	    '/api/v1/session', undefined, ann.cookie);
	assert.equal(r.status, 401);
}));
