/* The connection is lost, and comes back: nothing lost, nothing twice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

const BROKEN = /WebSocket connection|ERR_|Failed to load resource/;

let daemon, browser, lobby, ann, ben, cat;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	await daemon.floor('acme', 'Office', 'office');
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
	cat = await daemon.person('acme', 'Cat Chen');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

async function two(seat) {
	const all = [];

	for (const who of [ann, ben]) {
		const s = seat(await Seat.open(browser, daemon, 'acme',
		    { who }));
		s.expect(BROKEN);
		await s.inside();
		all.push(s);
	}
	await all[0].see(`person-${ben.id}`);
	return (all);
}

const hellos = (s) => s.frames.filter((m) => m.t === 'hello').length;
const times = async (s, text) => (await s.shown()).filter((t) => t === text)
    .length;

/* Where the server has somebody, as the last floor message said. */
function place(s) {
	const f = s.floor();
	const { x, y } = f.people.find((p) => p.id === f.you);

	return ({ floor: f.id, x, y });
}

/* Where somebody is whom others see. */
async function seenAt(who) {
	const w = await Wire.open(daemon, cat);
	const f = await w.enter(lobby);
	const { x, y } = f.people.find((p) => p.user === who.id);

	w.close();
	return ({ floor: lobby, x, y });
}

/* Written once, shown once to both, kept once. */
async function once(a, b, text) {
	await b.see(b.message(text));
	await until(async () => await a.$('msg-state').count() === 0, 'ack');
	assert.equal(await times(a, text), 1);
	assert.equal(await times(b, text), 1);
	const { messages } = await daemon.api(ben, 'GET',
	    `/messages?channel=floor:${lobby}`);
	assert.equal(messages.filter((m) => m.text === text).length, 1);
}

async function back(s, n) {
	await until(() => hellos(s) > n, 'hello again');
	await s.gone('banner');
}

test('the cable is pulled: a banner, a draft, and both end well', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const box = await a.$('scene').boundingBox();
	const n = hellos(a);

	await a.page.mouse.click(box.x + box.width * 0.4,
	    box.y + box.height * 0.5);
	await until(() => a.legs.length > 0, 'legs');
	await until(async () => {
		const p = await seenAt(ann);
		const to = a.legs.at(-1);
		return (p.x === to.x && p.y === to.y);
	}, 'standing');
	const was = await seenAt(ann);
	a.line.cut();
	await a.see('banner');
	await b.reads('people-list', /^(?!.*Ann Aoki)/s);	/* no ghost */
	await a.write('written in the dark');
	await a.reads('msg-state', /Will be sent/);
	assert.equal(await times(b, 'written in the dark'), 0);
	a.line.mend();
	await back(a, n);
	await once(a, b, 'written in the dark');
	assert.deepEqual(place(a), was);
	await b.see(`person-${ann.id}`);
	assert.equal(await b.$('people-list').getByText('Ann Aoki').count(), 1);
}));

test('in a room: what was said there meanwhile is shown, also if it is asked for too early',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);
	let early = 0;

	for (const s of [a, b]) {
		await s.page.keyboard.press('Control+k');
		await s.$('search-input').fill('Reception room');
		await s.page.keyboard.press('Enter');
		await s.reads('place', /Reception room/);
		await s.tab('room');
	}
	await a.write('behind closed doors');
	await b.see(b.message('behind closed doors'));
	/* As the server answers who is not in the room, or not yet. */
	await a.page.route('**/api/v1/messages?channel=room*', (r) =>
	    early++ > 0 ? r.continue() : r.fulfill({ status: 404, contentType:
	    'application/problem+json', body: JSON.stringify({ status: 404,
	    type: '/problems/not-found' }) }));
	const n = hellos(a);
	a.line.cut();
	await a.see('banner');
	await b.write('said meanwhile');
	await b.see(b.message('said meanwhile'));
	a.line.mend();
	await back(a, n);
	await a.see(a.message('said meanwhile'));
	assert.equal(await a.$('chat-unloaded').count(), 0);
	assert.deepEqual(await a.shown(), ['behind closed doors',
	    'said meanwhile']);
}));

test('a history that was to wait is asked for on the next connection', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const n = hellos(a);

	await a.page.route('**/api/v1/messages?*', (r) => r.fulfill({ status:
	    503, contentType: 'application/problem+json', headers:
	    { 'Retry-After': '1000' }, body: '{"type":"/problems/busy"}' }));
	await a.tab('direct');
	await a.$(`peer-${ben.id}`).click();
	await a.see('chat-unloaded');
	await a.page.unroute('**/api/v1/messages?*');
	a.line.cut();
	await a.see('banner');
	await b.$(`person-${ann.id}`).waitFor({ state: 'detached' });
	a.line.mend();
	await back(a, n);
	await a.gone('chat-unloaded');
	await a.see(a.page.getByText('not written to each other yet'));
}));

test('the answer is lost: what was kept is not kept again', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const n = hellos(a);

	a.line.deafen();
	await a.write('did you hear me');
	await b.see(b.message('did you hear me'));
	await a.see('msg-state');
	a.line.cut();
	a.line.mend();
	await back(a, n);
	await once(a, b, 'did you hear me');
	assert.ok(a.sent.filter((m) => m.text === 'did you hear me').length >
	    1, 'said again');
}));

test('the browser is offline', () => seated(async (seat) => {
	const [a, b] = await two(seat);
	const n = hellos(a);

	/* No word of the connection itself, which may never come. */
	await a.context.setOffline(true);
	await a.see('banner');
	a.line.cut();
	await a.write('from the tunnel');
	await a.context.setOffline(false);
	a.line.mend();
	await back(a, n);
	await once(a, b, 'from the tunnel');
}));

test('the server is restarted: all come back, nothing is lost', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const [n, m] = [hellos(a), hellos(b)];
	const was = place(a);

	await a.write('before the restart');
	await once(a, b, 'before the restart');
	await daemon.down();
	await a.see('banner');
	await b.see('banner');
	await a.write('during the restart');
	await daemon.up();
	await back(a, n);
	await back(b, m);
	await once(a, b, 'during the restart');
	assert.equal(await times(a, 'before the restart'), 1);
	assert.equal(await times(b, 'before the restart'), 1);
	assert.deepEqual(place(a), was);
	for (const s of [a, b])
		assert.equal(await s.$('people-list').getByRole('button')
		    .count(), 2);
}));

test('a silent wire is doubted, and another one taken', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);
	const n = hellos(a);

	a.line.stall();
	await a.write('hello, anybody');
	await until(() => hellos(a) > n, 'a new connection', 45000);
	await once(a, b, 'hello, anybody');
	assert.equal(await b.$('people-list').getByText('Ann Aoki').count(), 1);
}));
