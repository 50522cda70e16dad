/* Doors with three states, calls, going after somebody, and how one is told. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true,
    isMobile: true, deviceScaleFactor: 2 };
const ROOM = 1;				/* the reception room of the lobby */

let daemon, browser, floor, upper, ann, ben, cat, adm;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	floor = await daemon.floor('acme', 'Lobby', 'lobby');
	upper = await daemon.floor('acme', 'Office', 'office');
	cat = await daemon.person('acme', 'Cat');
	adm = await daemon.person('acme', 'Ada', { role: 'admin' });
	browser = await openBrowser();
});

/* New ones each time: who has been here comes back to where he was. */
beforeEach(async () => {
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

/* What would sound, and what the browser would show, is noted. */
function listen() {
	const heard = { tones: 0, shown: [], closed: 0 };

	Object.defineProperty(window, 'heard', { value: heard });
	Object.defineProperty(window, 'away', { value: false, writable: true });
	Object.defineProperty(document, 'hidden', { get: () => window.away });
	const start = OscillatorNode.prototype.start;
	OscillatorNode.prototype.start = function (...a) {
		heard.tones++;
		return (start.apply(this, a));
	};
	class Shown extends EventTarget {
		static permission = 'default';
		static async requestPermission() {
			Shown.permission = 'granted';
			return ('granted');
		}
		constructor(title, more) {
			super();
			heard.shown.push(`${title} | ${more.body}`);
		}
		close() {
			heard.closed++;
		}
	}
	Object.defineProperty(window, 'Notification', { value: Shown });
}

async function at(who, options = {}) {
	const s = await Seat.open(browser, daemon, 'acme',
	    { who, ...options, go: false });

	await s.context.addInitScript(listen);
	await s.page.goto(daemon.url('acme'));
	return (s.inside());
}

async function two(seat, more = {}) {
	const a = seat(await at(ann));
	const b = seat(await at(ben, more));

	await a.see(`person-${ben.id}`);
	return ([a, b]);
}

async function search(s, words) {
	await s.page.keyboard.press('Control+k');
	await s.$('search-input').fill(words);
	await s.page.keyboard.press('Enter');
	await s.gone('search');
}

/* Into the reception room, and its door as it is to be. */
async function inside(a, b, state) {
	await search(a, 'Reception room');
	await a.reads('place', /Reception room/);
	if (state === undefined)
		return;
	await a.$(`door-${state}`).click();
	await until(() => b.frames.some((m) => m.t === 'door' &&
	    m.room === ROOM && m.state === state), `the door is ${state}`);
}

async function status(s, word) {
	await s.$('status-button').click();
	await s.$(`status-${word}`).check();
	await s.page.keyboard.press('Escape');
	await s.gone('status-menu');
}

/* Does something with somebody, from the list of people. */
async function act(s, who, what) {
	await s.$(`person-${who.id}`).click();
	await s.$(`card-${what}`).click();
	await s.gone('person-card');
}

test('a closed door is knocked at; who is let in walks in by himself', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await inside(a, b, 'closed');
	await a.reads('place', /closed: knock/);
	await search(b, 'Reception room');
	await b.reads('room-card', /closed: knock.*1 of 6/s);
	await b.$('room-knock').click();
	await b.gone('room-card');
	await b.reads('asked-knock', /Knocking at Reception room…/);
	await a.reads('call-knock', /Ben Bauer.*knocks at Reception room/s);
	await a.reads('live', /Ben Bauer knocks at Reception room/);
	await a.reads('call-knock', /\d+ seconds? left/);
	await a.$('call-yes').click();
	await a.gone('calls');
	await b.reads('live', /let in/);
	await a.reads(`person-${ben.id}`, /Reception room/);
	await b.gone('room-card');
	await b.gone('calls');
	await a.reads('place', /2 of 6.*closed: knock/s);
	/* and out again, without opening it */
	await search(b, 'Caf');
	await a.reads(`person-${ben.id}`, /Caf/);
}));

test('a closed room that was searched for shows its card, whatever had the focus',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);

	await inside(a, b, 'closed');
	for (const id of ['search-open', 'chat-input']) {
		await b.$(id).click();
		if (id === 'chat-input')
			await b.page.keyboard.press('Control+k');
		await b.$('search-input').fill('Reception room');
		await b.page.keyboard.press('Enter');
		await b.gone('search');
		await until(() => b.$('room-knock').evaluate((e) =>
		    e === document.activeElement), 'the card has the focus');
		await b.page.keyboard.press('Escape');
		await b.gone('room-card');
		await until(() => b.$(id).evaluate((e) =>
		    e === document.activeElement), 'and gives it back');
	}
}));

test('refused, withdrawn, and opened while one waits', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await inside(a, b, 'closed');
	await b.$('text-toggle').click();
	await b.$(`knock-at-${ROOM}`).click();
	await a.$('call-no').click();
	await b.reads('toast', /Not now/);
	await b.gone('calls');
	await until(() => b.$(`knock-at-${ROOM}`).isEnabled(), 'once more');
	await b.$(`knock-at-${ROOM}`).click();
	await a.see('call-knock');
	await b.$('call-withdraw').click();
	await a.gone('calls');
	await until(() => b.$(`knock-at-${ROOM}`).isEnabled(), 'and again');
	await b.$(`knock-at-${ROOM}`).click();
	await a.see('call-knock');
	assert.doesNotMatch(await a.$(`person-${ben.id}`).textContent(),
	    /Reception room/);
	await a.$('door-open').click();
	await a.reads(`person-${ben.id}`, /Reception room/);
	await a.gone('calls');
}));

test('a locked room: no way in, no knock, but the key of an administrator',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);
	const m = seat(await at(adm));

	await inside(a, b, 'locked');
	await b.$('text-toggle').click();
	await b.reads('text-view', /The door is locked/);
	assert.ok(await b.$(`goto-${ROOM}`).isDisabled());
	assert.equal(await b.$(`knock-at-${ROOM}`).count(), 0);
	assert.equal(await b.$(`key-${ROOM}`).count(), 0);
	/* A card without a button, too, is left by the keyboard. */
	await b.$('text-toggle').click();
	await search(b, 'Reception room');
	await b.reads('room-card', /The door is locked/);
	await until(() => b.page.evaluate(() => document.activeElement
	    .closest('.popover') !== null), 'the card has the focus');
	await b.page.keyboard.press('Escape');
	await b.gone('room-card');
	await b.$('text-toggle').click();
	await search(m, 'Reception room');
	await m.reads('room-card', /The door is locked/);
	assert.equal(await m.$('room-knock').count(), 0);
	await m.page.locator('[data-testid=room-card]')
	    .getByTestId(`key-${ROOM}`).click();
	await a.reads('place', /^(?!.*locked).*1 of 6/s);
	await m.$('room-enter').click();
	await a.reads(`person-${adm.id}`, /Reception room/);
	await until(() => b.$(`goto-${ROOM}`).isEnabled(), 'open for all');
}));

test('a wave is heard, and waved back', () => seated(async (seat) => {
	const [a, b] = await two(seat);
	const before_ = await b.page.evaluate('heard.tones');

	await b.page.mouse.click(300, 28);	/* sounds need that */
	await act(a, ben, 'wave');
	await a.reads('toast', /You waved at Ben Bauer/);
	await b.reads('call-wave', /Ann Aoki.*is waving at you/s);
	await b.reads('live', /Ann Aoki is waving at you/);
	await until(async () => await b.page.evaluate('heard.tones') > before_,
	    'a sound');
	await b.$('call-yes').click();
	await b.gone('calls');
	await a.reads('call-wave', /Ben Bauer/);
	await a.$('call-no').click();
	await a.gone('calls');
	assert.deepEqual(a.sent.filter((m) => m.t === 'answer'), []);
}));

test('"come here" is answered by walking there, from another floor too', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await b.page.getByTestId('floor-list').getByText('Office').click();
	await until(() => b.floor().id === upper, 'upstairs');
	await inside(a, b);
	await a.page.getByText('Other floors').waitFor();
	await a.page.locator('summary').click();
	await act(a, ben, 'come');
	await a.reads('asked-come', /You asked Ben Bauer to come/);
	await b.reads('call-come', /asks you to come \(Lobby\)/);
	await b.$('call-no').click();
	await a.reads('toast', /cannot come now/);
	await act(a, ben, 'come');
	await b.$('call-yes').click();
	await a.reads('toast', /Ben Bauer is coming/);
	await until(() => b.floor().id === floor, 'downstairs');
	await a.reads(`person-${ben.id}`, /Reception room/);
}));

test('do not disturb holds calls back', () => seated(async (seat) => {
	const [a, b] = await two(seat);

	await a.$(`person-${ben.id}`).click();
	await a.see('card-wave');
	await status(b, 'dnd');
	await until(() => a.$('card-wave').isDisabled(), 'not to be called');
	await a.reads('person-card', /Not to be disturbed/);
	assert.ok(await a.$('card-come').isDisabled());
	assert.ok(await a.$('card-walk').isEnabled());
	/* and the server holds them back, too */
	const w = await Wire.open(daemon, cat);
	await w.enter(floor);
	w.tell({ t: 'call', kind: 'wave', user: ben.id, ref: 'x' });
	const m = await w.take((x) => x.ref === 'x');
	assert.equal(m.code, 'dnd');
	w.close();
	assert.ok(!b.frames.some((x) => x.t === 'call'));
	await status(b, 'available');
}));

test('a hidden page tells by the browser, when that was allowed by a click',
    () => seated(async (seat) => {
	const [a, b] = await two(seat);

	await b.page.evaluate('away = true');
	await act(a, ben, 'wave');
	await b.see('call-wave');
	assert.deepEqual(await b.page.evaluate('heard.shown'), []);
	await b.$('call-no').click();
	await b.openMenu('open-notices');
	await b.see('notices');
	assert.ok(await b.$('notices-browser').isDisabled());
	await b.$('notices-ask').click();
	await until(() => b.$('notices-browser').isChecked(), 'allowed');
	await b.page.keyboard.press('Escape');
	await act(a, ben, 'wave');
	await b.see('call-wave');
	assert.deepEqual(await b.page.evaluate('heard.shown'),
	    ['Ann Aoki is waving at you. | Acme']);
	await b.$('call-no').click();
	assert.equal(await b.page.evaluate('heard.closed'), 1);
	/* looked at, it needs none; and none when it is not wanted */
	await b.page.evaluate('away = false');
	await act(a, ben, 'wave');
	await b.see('call-wave');
	await b.$('call-no').click();
	await b.openMenu('open-notices');
	await b.$('notices-browser').uncheck();
	await b.page.keyboard.press('Escape');
	await b.page.evaluate('away = true');
	await act(a, ben, 'wave');
	await b.see('call-wave');
	assert.equal((await b.page.evaluate('heard.shown')).length, 1);
}));

test('no sound when it is turned off, and so after a reload', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await b.openMenu('open-notices');
	await b.$('notices-sound').uncheck();
	await b.page.keyboard.press('Escape');
	await b.page.reload();
	await b.inside();
	await b.openMenu('open-notices');
	assert.equal(await b.$('notices-sound').isChecked(), false);
	await b.page.keyboard.press('Escape');
	await act(a, ben, 'wave');
	await b.see('call-wave');
	assert.equal(await b.page.evaluate('heard.tones'), 0);
	await b.openMenu('open-notices');
	await b.$('notices-sound').check();
	await until(async () => await b.page.evaluate('heard.tones') > 0,
	    'tried out');
}));

test('by the keyboard alone: to the call, and answered', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await act(a, ben, 'come');
	await b.see('call-come');
	await b.page.locator('.skips a[href="#calls"]').focus();
	await b.page.keyboard.press('Enter');
	await until(() => b.page.evaluate(
	    'document.activeElement?.id === "calls"'), 'at the calls');
	await b.page.keyboard.press('Tab');
	await b.page.keyboard.press('Tab');
	assert.equal(await b.page.evaluate(
	    'document.activeElement.getAttribute("aria-label")'),
	    'Go there: Ann Aoki');
	await b.page.keyboard.press('Enter');
	await a.reads('toast', /Ben Bauer is coming/);
}));

test('following: into rooms, onto another floor, until one walks', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await act(b, ann, 'follow');
	await b.reads('following', /Following Ann Aoki/);
	await search(a, 'Caf');
	await a.reads(`person-${ann.id}`, /Café corner/);
	await a.reads(`person-${ben.id}`, /Café corner/);
	await a.page.getByTestId('floor-list').getByText('Office').click();
	await until(() => a.floor().id === upper, 'upstairs');
	await until(() => b.floor().id === upper, 'upstairs, too');
	await b.see('following');
	await search(a, 'Meeting room');
	await a.reads(`person-${ann.id}`, /Meeting room/);
	await a.reads(`person-${ben.id}`, /Meeting room/);
	await b.page.keyboard.press('Escape');
	await b.gone('following');
	const n = b.legs.length;
	await search(a, 'Café');
	await b.reads(`person-${ann.id}`, /Café/);
	assert.equal(b.legs.length, n);
	/* one's own step ends it, and so does their going */
	await act(b, ann, 'follow');
	await b.see('following');
	await until(() => b.legs.length > n, 'walks');
	await b.page.keyboard.press('ArrowLeft');
	await b.gone('following');
	await act(b, ann, 'follow');
	await b.see('following');
	await a.page.goto('about:blank');
	await b.gone('following');
	await b.reads('live', /Ann Aoki has gone where you cannot follow/);
}));

test('on a telephone: a knock in the sheet, a call over the chat', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat, PHONE);

	await inside(a, b, 'closed');
	await b.$('text-toggle').click();
	await b.$(`knock-at-${ROOM}`).click();
	await a.$('call-yes').click();
	await a.reads(`person-${ben.id}`, /Reception room/);
	await b.$('text-toggle').click();
	await b.reads('place', /Reception room/);
	await b.$('dock-chat').click();
	await b.see('sheet-chat');
	await act(a, ben, 'wave');
	await b.reads(b.$('sheet-chat').getByTestId('call-wave'), /Ann Aoki/);
	await b.$('sheet-chat').getByTestId('call-no').click();
	await b.gone('calls');
}));

const HEAR = { t: 'media', hear: true, mic: false, cam: false, screen: false,
    listen: false };

/* Seen from outside: has all of them come to rest, each where it is meant? */
async function rest(...list) {
	const x = await Wire.open(daemon, adm);

	await until(async () => {
		const { people } = await x.enter(floor);
		await sleep(100);	/* words have a rate */
		return (list.every(({ who, to }) => people.some((p) =>
		    p.user === who.id && p.tx === undefined &&
		    p.x === to.x && p.y === to.y)));
	}, 'all stand');
	x.close();
}

/* Asks until the two are in one talk, a moment after they came near. */
async function invite(w, who, ref) {
	await until(async () => {
		w.tell({ t: 'call', kind: 'bubble', user: who.id, ref });
		const m = await w.take((x) => x.ref === ref);
		await sleep(250);	/* calls have a rate */
		return (m.t === 'called');
	}, 'in one talk');
}

/* Two whom no page shows, in a talk of their own. */
async function aside(x, y) {
	const to = { x: 600, y: 500 };
	const [v, w] = [await Wire.open(daemon, x), await Wire.open(daemon, y)];

	for (const z of [v, w]) {
		await z.enter(floor);
		z.leg(to.x, to.y);
		z.tell(HEAR);
	}
	await rest({ who: x, to }, { who: y, to });
	await invite(v, y, 'b');
	const call = await w.take((m) => m.t === 'call');
	w.tell({ t: 'answer', n: call.n, yes: true });
	await w.take((m) => m.t === 'bubbles' && m.list.length === 1);
	return ([v, w]);
}

test('who talks apart from the others is told, and left alone', () =>
    seated(async (seat) => {
	const [v, w] = await aside(ben, cat);
	const s = seat(await at(ann));

	await s.$(`person-${ben.id}`).click();
	await s.reads('person-card', /in private with Cat/);
	await s.see('card-join');
	assert.equal(await s.$('card-bubble').count(), 0);
	await s.page.keyboard.press('Escape');
	await s.$('text-toggle').click();
	await s.reads('text-view', /Cat \(in private with Ben Bauer\)/);
	/* out of earshot of them one is not heard asking */
	await s.$('text-toggle').click();
	await search(s, 'Reception room');
	await s.reads('place', /Reception room/);
	await act(s, ben, 'join');
	await s.reads('toast', /Ben Bauer is out of earshot/);
	/* near them one is, and taken in by a yes */
	const n = s.legs.length;
	await s.$(`person-${ben.id}`).click();
	await s.$('card-walk').click();
	await until(() => s.legs.length > n, 'walks');
	await rest({ who: ann, to: s.legs.at(-1) });
	await act(s, ben, 'join');
	const call = await v.take((m) => m.t === 'call');
	assert.equal(call.kind, 'join');
	v.tell({ t: 'answer', n: call.n, yes: true });
	await s.reads('bubble', /In private with.*(Ben Bauer, Cat|Cat, Ben)/);
	await s.reads('live', /Nobody else hears you/);
	await s.$('bubble-leave').click();
	await s.gone('bubble');
	await s.reads('toast', /The private talk is over/);
	/* and the two of them ask one aside */
	v.tell({ t: 'unbubble' });
	await invite(v, ann, 'c');
	await s.reads('call-bubble', /would like to talk in private/);
	await s.$('call-yes').click();
	await s.reads('bubble', /In private with Ben Bauer/);
	await s.$('bubble-leave').click();
	await s.gone('bubble');
	await act(s, cat, 'bubble');
	const mine = await w.take((m) => m.t === 'call' && m.kind === 'bubble' &&
	    m.user === ann.id);
	w.tell({ t: 'answer', n: mine.n, yes: false });
	await s.reads('toast', /Cat cannot talk now/);
	await invite(v, cat, 'd');
	const last = await w.take((m) => m.t === 'call' && m.user === ben.id);
	w.tell({ t: 'answer', n: last.n, yes: true });
	await s.$('text-toggle').click();
	await s.reads('text-view', /Cat \(in private with Ben Bauer\)/);
	v.tell({ t: 'unbubble' });
	await until(async () => !/in private/.test(await
	    s.$('text-view').textContent()), 'it is over');
	v.close();
	w.close();
}));
