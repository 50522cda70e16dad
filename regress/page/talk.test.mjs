/* Talk between real browsers, in a network that has only a loopback. */
import './alone.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, seated } from './browser.mjs';
import { Daemon, until } from './daemon.mjs';
import { FAKES, Talker } from './talk.mjs';

const BROKEN = /WebSocket connection|ERR_|Failed to load resource/;
const NAMES = ['Ann Aoki', 'Ben Bauer', 'Cat Chen', 'Dan Doi', 'Eva Endo',
    'Fay Fujii'];

let daemon, browser, rooms;
const people = [];

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	const id = await daemon.floor('acme', 'Office', 'office');
	for (const name of NAMES)
		people.push(await daemon.person('acme', name));
	const { map } = await daemon.api(people[0], 'GET', `/floors/${id}`);
	rooms = map.rooms.filter((r) => r.kind === 'meeting' &&
	    r.doors.length > 0).sort((a, b) => b.capacity - a.capacity);
	browser = await openBrowser(...FAKES);
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

/* So many, in one room. */
async function gather(seat, n) {
	const all = [];

	for (const who of people.slice(0, n)) {
		const s = seat(await Talker.join(browser, daemon, 'acme',
		    { who }));
		s.expect(BROKEN);
		await s.goTo(rooms[0].id);
		all.push(s);
	}
	for (const s of all)
		await s.with(...all.filter((o) => o !== s));
	return (all);
}

test('two: sound and picture arrive, walking away stops them', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	for (const s of [a, b]) {
		assert.deepEqual(await s.live(), [], 'all is off at first');
		await s.turnOn('mic');
		await s.turnOn('cam');
	}
	for (const s of [a, b])
		await s.flows(1, ['bytes', 'energy', 'frames']);
	await a.reads('talk-title', /1 person hears you/);
	await a.see(`with-${people[1].id}`);
	await a.$(`with-${people[1].id}`).getByRole('button').click();
	await a.reads(`route-${people[1].id}`, /direct · UDP/);
	await a.see(`picture-${people[1].id}`);
	await a.page.locator(`[data-testid=with-${people[1].id}].speaking`)
	    .waitFor();
	await b.goTo(rooms[1].id);
	for (const [s, o] of [[a, b], [b, a]]) {
		await s.without(o);
		await until(async () => (await s.arrived()).length === 0,
		    'the connection is closed', 500);
	}
	await a.reads('talk-title', /Nobody hears you/);
	await a.gone(`picture-${people[1].id}`);
}));

test('muting ends the track, and a new one is had', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	await a.turnOn('mic');
	await b.flows(1);
	const made = await a.made();
	assert.deepEqual(await a.live(), ['audio']);
	await a.turnOff('mic');
	assert.deepEqual(await a.live(), [], 'the device rests');
	await until(() => b.talk().with.every((w) => !w.mic), 'others know');
	await a.turnOn('mic');
	await b.flows(1);
	assert.equal(await a.made(), made, 'by the same connection');
	assert.deepEqual(await a.live(), ['audio']);
}));

test('another microphone while talking, and one pulled out', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const label = () => a.page.evaluate(`window.talked.tracks.find((t) =>
	    t.readyState === 'live')?.label`);

	await a.turnOn('mic');
	await b.flows(1);
	const made = await a.made();
	const was = await label();
	await a.$('dock-devices').click();
	const field = await a.see('device-mic');
	const other = await field.locator('option').evaluateAll((all, l) =>
	    all.find((o) => o.value !== '' && o.textContent !== l)?.value,
	    was);
	assert.ok(other, 'there are two');
	await field.selectOption(other);
	await until(async () => ![was, undefined].includes(await label()),
	    'another device');
	await b.flows(1);
	await a.page.keyboard.press('Escape');
	await a.page.evaluate(`window.talked.tracks.filter((t) =>
	    t.readyState === 'live').forEach((t) => {
		t.stop();
		t.dispatchEvent(new Event('ended'));
	})`);
	await a.reads('toast', /unplugged/);
	await until(async () => (await a.live()).length === 1, 'another one');
	await b.flows(1);
	assert.equal(await a.made(), made);
	await a.page.evaluate('localStorage.clear()');
}));

test('the daemon is killed and back: the talk goes on', () =>
    seated(async (seat) => {
	const all = await gather(seat, 2);

	for (const s of all)
		await s.turnOn('mic');
	for (const s of all)
		await s.flows(1);
	const n = all.map((s) => s.frames.length);
	const made = await Promise.all(all.map((s) => s.made()));
	await daemon.kill();
	for (const s of all) {
		await s.see('banner');
		await s.flows(1);		/* without any server */
	}
	await daemon.up();
	for (const [i, s] of all.entries()) {
		await until(() => s.frames.slice(n[i]).some((m) => m.t ===
		    'talk' && m.with.length === 1 && m.me.mic), 'back', 30000);
		await s.flows(1);
		assert.equal(await s.made(), made[i], 'the same connection');
	}
}));

test('six: everybody hears and sees everybody', { timeout: 200000 }, () =>
    seated(async (seat) => {
	const all = await gather(seat, 6);

	for (const s of all) {
		await s.turnOn('mic');
		await s.turnOn('cam');
	}
	for (const s of all)
		await s.flows(5, ['bytes', 'energy', 'frames']);
	await all[0].$('gallery-toggle').click();
	for (const who of people.slice(1))
		await all[0].see(`tile-face-${who.id}`);
}));
