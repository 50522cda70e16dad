/*
 * Ways of a talk, and a page that will not let go of one; in a network that
 * has only a loopback, with a relay of its own.
 */
import './alone.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, seated } from './browser.mjs';
import { Daemon, until } from './daemon.mjs';
import { Relay } from './relay.mjs';
import { FAKES, Talker } from './talk.mjs';

const QUIET = 1000;			/* ms in which nothing more arrives */

let daemon, browser, relay, rooms;
const people = [];

before(async () => {
	relay = await Relay.make();
	relay.tls = 443;
	daemon = await Daemon.start(relay.lines());
	await daemon.tenant('acme', 'Acme');
	const id = await daemon.floor('acme', 'Office', 'office');
	for (const name of ['Ann Aoki', 'Ben Bauer'])
		people.push(await daemon.person('acme', name));
	const { map } = await daemon.api(people[0], 'GET', `/floors/${id}`);
	rooms = map.rooms.filter((r) => r.kind === 'meeting' &&
	    r.doors.length > 0);
	await relay.up(daemon);
	browser = await openBrowser(...FAKES, '--ignore-certificate-errors');
});

after(async () => {
	await browser?.close();
	await relay?.down();
	await daemon?.end();
});

async function two(seat) {
	const all = [];

	for (const who of people) {
		const s = seat(await Talker.join(browser, daemon, 'acme',
		    { who }));
		for (const port of [relay.port, relay.tls])
			s.line.allowed.add(`127.0.0.1:${port}`);
		await s.goTo(rooms[0].id);
		all.push(s);
	}
	await all[0].with(all[1]);
	await all[1].with(all[0]);
	return (all);
}

for (const [way, word] of [['relay', 'udp|tcp|tls'], ['443', 'tls']])
	test(`by ${way}: both are heard and seen, no address but the relay's`,
	    () => seated(async (seat) => {
		await daemon.ctl('policy', 'set', 'acme', 'talk-way', way);
		const [a, b] = await two(seat);

		for (const s of [a, b]) {
			await s.turnOn('mic');
			await s.turnOn('cam');
		}
		for (const s of [a, b])
			await s.flows(1, ['bytes', 'energy', 'frames']);
		for (const s of [a, b]) {
			const [p] = await s.arrived();
			assert.ok(p.types.length > 0);
			assert.deepEqual(p.types.filter((t) => t !== 'relay'),
			    [], 'candidates');
			const told = s.frames.filter((m) => m.t === 'signal');
			assert.ok(told.length > 0);
			for (const m of told)
				assert.doesNotMatch(JSON.stringify(m.data),
				    /typ (host|srflx|prflx)/);
		}
		assert.match(await a.page.evaluate(async () => {
			const [p] = window.talked.peers.filter((q) =>
			    q.connectionState === 'connected');
			const all = [...(await p.getStats()).values()];
			const pair = all.find((s) => s.type ===
			    'candidate-pair' && s.nominated);
			return (all.find((s) => s.id ===
			    pair.localCandidateId).relayProtocol);
		}), new RegExp(`^(${word})$`));
		await daemon.ctl('policy', 'set', 'acme', 'talk-way',
		    'direct');
	}));

test('a page that lets go of nothing, and forges signals, hears nothing', () =>
    seated(async (seat) => {
	const [a, b] = await two(seat);

	await b.page.evaluate(() => {
		const send = WebSocket.prototype.send;

		RTCPeerConnection.prototype.close = () => {};
		Object.getPrototypeOf(RTCPeerConnection).prototype.close =
		    () => {};
		WebSocket.prototype.send = function (...args) {
			window.socket = this;
			return (send.apply(this, args));
		};
	});
	await a.turnOn('mic');
	await a.turnOn('cam');
	await b.flows(1, ['bytes', 'energy', 'frames']);
	await b.goTo(rooms[1].id);
	await a.without(b);
	await b.without(a);
	await until(async () => (await a.arrived()).length === 0,
	    'the other side has closed');
	/* What was on the way has come; nothing follows. */
	await until(async () => {
		const [then] = await b.arrived();
		await new Promise((good) => setTimeout(good, QUIET));
		const [now] = await b.arrived();
		return (now?.bytes === then?.bytes);
	}, 'nothing more arrives');
	const heard = a.frames.length;
	await b.page.evaluate((to) => {
		for (const data of [{ description: { type: 'offer', sdp: 'v=0' } },
		    { candidates: [{ candidate: '' }] }])
			window.socket.send(JSON.stringify({ t: 'signal', to,
			    data }));
	}, a.you());
	await until(() => b.frames.filter((m) => m.t === 'error' &&
	    m.code === 'no-peer' && m.to === a.you()).length === 2, 'refused');
	assert.deepEqual(a.frames.slice(heard).filter((m) =>
	    m.t === 'signal'), []);
	assert.equal((await a.arrived()).length, 0);
}));
