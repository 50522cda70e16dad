/* Talk between real browsers, in a network that has only a loopback. */
import './alone.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';
import { FAKES, Talker } from './talk.mjs';

const BROKEN = /WebSocket connection|ERR_|Failed to load resource/;
const NAMES = ['Ann Aoki', 'Ben Bauer', 'Cat Chen', 'Dan Doi', 'Eva Endo',
    'Fay Fujii'];

let daemon, browser, rooms, stage;
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
	stage = map.rooms.find((r) => r.kind === 'stage');
	browser = await openBrowser(...FAKES);
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

/* So many, in one room. */
async function gather(seat, n, room = rooms[0], near = true) {
	const all = [];

	for (const who of people.slice(0, n)) {
		const s = seat(await Talker.join(browser, daemon, 'acme',
		    { who }));
		s.expect(BROKEN);
		await s.goTo(room.id);
		all.push(s);
	}
	for (const s of near ? all : [])
		await s.with(...all.filter((o) => o !== s));
	return (all);
}

/* Somebody in the open, and so many beside who send that and have no page. */
async function among(seat, n, part) {
	const { floors } = await daemon.api(people[0], 'GET', '/floors');
	const crowd = [];

	for (let i = 0; i < n; i++) {
		const w = await Wire.open(daemon, await daemon.person('acme',
		    `Guest ${part} ${i}`));
		await w.enter(floors[0].id);
		w.tell({ t: 'media', hear: true, mic: false, cam: false,
		    screen: false, listen: false, [part]: true });
		await w.take((m) => m.t === 'talk' && m.me[part]);
		crowd.push(w);
	}
	const a = seat(await Talker.join(browser, daemon, 'acme',
	    { who: await daemon.person('acme', `Late ${part}`) }));
	a.expect(BROKEN);
	/* Where one comes in is not near to all others. */
	const { x, y } = a.floor().people.find((p) => p.id === a.you());
	for (const w of crowd)
		w.leg(x, y);
	return ([a, crowd]);
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

test('off and on faster than the server answers: it is on, as it says',
    () => seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const button = a.$('dock-mic');
	const asked = () => a.sent.filter((m) => m.t === 'media').map((m) =>
	    m.mic);
	const press = async (on) => {
		const n = asked().length;
		await button.click();
		await until(() => asked().length > n, 'asked');
		assert.equal(asked().at(-1), on);
	};

	await a.turnOn('mic');
	await b.flows(1);
	for (const presses of [[false, true], [false, true, false, true],
	    [false, true, false]]) {
		const last = presses.at(-1);
		await a.page.evaluate('window.talked.hold()');
		for (const on of presses) {
			const m = a.frames.length;
			await press(on);
			await until(() => a.frames.slice(m).some((x) =>
			    x.t === 'talk' && x.me.mic === on), 'answered');
		}
		await a.page.evaluate('window.talked.free()');
		const { length } = asked();
		await until(async () => a.talk().me.mic === last &&
		    (await a.live()).length === Number(last), 'as wanted');
		await until(() => b.talk().with.some((w) => w.mic === last),
		    'the other knows');
		assert.equal(await button.getAttribute('aria-pressed'),
		    String(last));
		assert.ok(asked().slice(length).every((on) => on === last));
		assert.equal(await a.$('toast').count(), 0, 'no reason');
	}
	await a.turnOn('mic');
	await b.flows(1);
}));

test('turned off while the server wants to rest: the others learn of it',
    () => seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const rest = (s) => s.frames.some((m) => m.code === 'too-many');

	await a.turnOn('mic');
	await until(() => b.talk().with.some((w) => w.mic), 'it is on');
	await a.page.evaluate(() => {
		window.talked.tire({ t: 'media', hear: true, mic: true,
		    cam: false, screen: false, listen: false });
		document.querySelector('[data-testid=dock-mic]').click();
	});
	await until(() => rest(a), 'too many');
	assert.deepEqual(await a.live(), [], 'off here at once');
	await until(() => !b.talk().with.some((w) => w.mic), 'off there');
	assert.equal(await a.$('toast').count(), 0, 'nobody has to wait');
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
}));

test('the daemon ends, or is killed, and is back: the talk goes on', () =>
    seated(async (seat) => {
	const all = await gather(seat, 2);

	for (const s of all)
		await s.turnOn('mic');
	for (const s of all)
		await s.flows(1);
	const made = await Promise.all(all.map((s) => s.made()));
	/* In good order first: where they are is kept by then. */
	for (const end of ['down', 'kill']) {
		const n = all.map((s) => s.frames.length);
		await daemon[end]();
		for (const s of all) {
			await s.see('banner');
			await s.flows(1);	/* without any server */
		}
		await daemon.up();
		for (const [i, s] of all.entries()) {
			await until(() => s.frames.slice(n[i]).some((m) =>
			    m.t === 'talk' && m.with.length === 1 &&
			    m.me.mic), 'back', 30000);
			await s.flows(1);
			assert.equal(await s.made(), made[i],
			    'the same connection');
		}
	}
}));

test('the connection is lost twice in a row: nobody is connected twice',
    () => seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const floors = () => a.frames.filter((m) => m.t === 'floor').length;

	for (const s of [a, b])
		await s.turnOn('mic');
	for (const s of [a, b])
		await s.flows(1);
	await a.page.evaluate('window.talked.hold()');
	const n = floors();
	a.line.cut();
	a.line.mend();
	await until(() => floors() > n, 'back, and nobody met');
	a.line.cut();
	await a.see('banner');
	await a.page.evaluate('window.talked.free(true)');
	a.line.mend();
	await until(() => floors() > n + 1, 'back again');
	await a.with(b);
	for (const s of [a, b])
		await s.flows(1);
}));

test('six: everybody hears and sees everybody', { timeout: 600000 }, () =>
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

test('screens: several at once, with their cameras, and none any more', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	await a.turnOn('screen');
	await b.see(`tile-screen-${people[0].id}`);
	await b.flows(1, ['bytes', 'frames']);
	await b.turnOn('screen');
	await b.see(`tile-screen-${people[1].id}`);
	await a.see(`tile-screen-${people[1].id}`);
	await a.flows(1, ['bytes', 'frames']);
	await a.turnOff('screen');
	await b.gone(`tile-screen-${people[0].id}`);
	await b.$('gallery-close').click();
	await b.gone('gallery');
}));

test('a screen with its sound', () => seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	/* What the browser gives where one has asked it for the sound, too. */
	await a.page.evaluate(() => {
		const media = navigator.mediaDevices;
		const ask = media.getDisplayMedia.bind(media);
		media.getDisplayMedia = async (wish) => {
			const s = await ask({ ...wish, audio: false });
			const c = new AudioContext();
			const to = c.createMediaStreamDestination();
			const from = c.createOscillator();
			from.connect(to);
			from.start();
			s.addTrack(to.stream.getAudioTracks()[0]);
			window.talked.tracks.push(...s.getTracks());
			return (s);
		};
	});
	await a.$('dock-screen').click();
	await b.flows(1, ['energy', 'frames']);
	assert.deepEqual((await a.live()).sort(), ['audio', 'video']);
	await a.turnOff('screen');
	await until(async () => (await a.live()).length === 0, 'both end');
	await until(async () => (await b.page.evaluate(`[...window.talked
	    .players].every((p) => p.srcObject === null || p.srcObject
	    .getTracks().every((t) => t.muted))`)), 'silent');
}));

test('how loud one person is, and a picture on the whole screen', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const { id } = people[1];
	const loud = (v) => until(() => a.page.evaluate((v) => [...window.talked
	    .players].some((p) => p.tagName === 'AUDIO' &&
	    p.srcObject !== null) && [...window.talked.players].every((p) =>
	    p.tagName !== 'AUDIO' || p.srcObject === null ||
	    (p.volume === v && p.muted === (v === 0))), v), `loud: ${v}`);

	await b.turnOn('mic');
	await b.turnOn('cam');
	await a.flows(1, ['energy', 'frames']);
	await loud(1);
	if (!await a.$(`with-${id}`).isVisible())
		await a.$('talk-title').click();
	await a.$(`with-${id}`).getByRole('button').first().click();
	for (const v of [40, 0, 100]) {
		await a.$(`volume-${id}`).fill(String(v));
		await loud(v / 100);
	}

	await a.$('gallery-toggle').click();
	const tile = a.$(`tile-face-${id}`);
	await tile.hover();
	await a.$(`full-face-${id}`).click();
	await until(() => tile.evaluate((el) => document.fullscreenElement ===
	    el && el.querySelector('video').clientWidth >= innerWidth - 1),
	    'on the whole screen');
	await a.page.evaluate('document.exitFullscreen()');
	await until(() => a.page.evaluate(`document.fullscreenElement ===
	    null`), 'and back');
	await a.see('gallery');
	await a.page.keyboard.press('Escape');
	await a.gone('gallery');
}));

test('push to talk: heard while the key is held', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const heard = () => b.talk().with[0].mic;

	await a.$('dock-devices').click();
	await a.$('push-key').click();
	await a.page.keyboard.press('KeyV');
	await a.reads('push-key', /^V$/);
	await a.page.keyboard.press('Escape');
	await a.page.keyboard.down('KeyV');
	await until(heard, 'the key is held');
	await b.flows(1);
	await a.page.keyboard.up('KeyV');
	await until(() => !heard(), 'the key is let go');
	assert.deepEqual(await a.live(), []);
	const n = a.sent.length;
	await a.$('chat-input').click();
	await a.page.keyboard.type('very vivid');
	assert.equal(await a.$('chat-input').inputValue(), 'very vivid');
	assert.ok(a.sent.slice(n).every((m) => m.t !== 'media'));
}));

test('away and do not disturb mute', () => seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	await a.turnOn('mic');
	await a.turnOn('cam');
	await b.flows(1);
	await a.$('status-button').click();
	await a.$('status-away').click();
	await until(() => !a.talk().me.mic && !a.talk().me.cam, 'mute');
	await until(async () => (await a.live()).length === 0, 'no tracks');
	await a.reads('toast', /away or do not disturb/);
	await a.page.keyboard.press('Escape');
	const refusals = () => a.frames.filter((m) => m.t === 'error').length;
	const before = refusals();
	await a.$('dock-mic').click();
	await until(() => refusals() > before, 'refused');
	await until(async () => (await a.live()).length === 0, 'no tracks');
	await daemon.api(people[0], 'PATCH', '/me', { status: 'available' });
}));

test('another network: new ways, the same connection', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const ufrag = () => a.page.evaluate(`window.talked.peers.at(-1)
	    .localDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]`);

	await a.turnOn('mic');
	await b.turnOn('mic');
	for (const s of [a, b])
		await s.flows(1);
	const made = await a.made();
	const was = await ufrag();
	/* Both at once: one gives way. */
	for (const s of [a, b])
		await s.page.evaluate(`window.talked.peers.at(-1)
		    .restartIce()`);
	await until(async () => await ufrag() !== was, 'restarted');
	for (const s of [a, b])
		await s.flows(1);
	assert.equal(await a.made(), made);
	/* The browser says that there is one again: all begins anew. */
	await a.page.evaluate(`dispatchEvent(new Event('online'))`);
	await until(async () => await a.made() > made, 'a new connection');
	for (const s of [a, b])
		await s.flows(1);
}));

test('sound only: no pictures, the sound goes on', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	await b.turnOn('mic');
	await b.turnOn('cam');
	await a.flows(1, ['energy', 'frames']);
	await a.$('dock-devices').click();
	await a.$('sound-only').check();
	await a.page.keyboard.press('Escape');
	await a.gone(`picture-${people[1].id}`);
	/* The other side does not send what is not taken. */
	await until(() => b.page.evaluate(`window.talked.peers.at(-1)
	    .getTransceivers().slice(1, 3).every((t) =>
	    t.currentDirection === 'recvonly')`), 'no more pictures');
	const [{ frames }] = await a.arrived();
	await a.flows(1);
	assert.equal((await a.arrived())[0].frames, frames);
	await a.$('dock-devices').click();
	await a.$('sound-only').uncheck();
	await a.page.keyboard.press('Escape');
	await a.flows(1, ['energy', 'frames']);
}));

test('a stage: the word is asked for, given and given back', () =>
    seated(async (seat) => {
	/* Below a stage nobody hears anybody. */
	const [a, b] = await gather(seat, 2, stage, false);
	const [x, y] = [a.you(), b.you()];

	for (const s of [a, b])
		await until(() => s.talk().stage !== undefined &&
		    s.talk().with.length === 0, 'below the stage');

	await a.$('dock-mic').click();
	await a.$('check-join').click();
	await a.reads('toast', /Raise your hand/);
	assert.deepEqual(await a.live(), []);
	await a.$('hand').click();
	await a.see('word-back');
	await a.turnOn('mic');
	await b.flows(1);
	await b.$('hand').click();
	await a.$(`word-${y}`).click();
	await b.see('word-back');
	await b.turnOn('mic');
	await a.flows(1);
	await a.$('word-back').click();
	await until(() => !a.talk().me.mic && !a.talk().stage.speakers
	    .includes(x), 'given back');
	await until(async () => (await a.live()).length === 0, 'no tracks');
}));

test('a page that talks to nobody rests', () => seated(async (seat) => {
	const a = seat(await Talker.join(browser, daemon, 'acme',
	    { who: people[0] }));

	await a.page.waitForFunction(`(() => {
		const n = window.seen.frames;
		return (new Promise((go) => setTimeout(() => go(
		    window.seen.frames === n), 1000)));
	})()`);
	assert.equal(await a.page.evaluate('window.talked.ticks'), 0);
}));

test('who comes to a talk is announced to both sides', () =>
    seated(async (seat) => {
	const [a] = await gather(seat, 2);
	const c = seat(await Talker.join(browser, daemon, 'acme',
	    { who: people[2] }));

	/* From elsewhere, wherever one was last. */
	await c.goTo(rooms[1].id);
	await c.reads('place', new RegExp(rooms[1].name.en));
	await c.without(a);
	await a.turnOn('mic');
	const told = Promise.all([a.reads('talk-soon', /Cat Chen/),
	    c.reads('talk-soon', /You are about to join .*Ann Aoki/)]);
	await c.goTo(rooms[0].id);
	await told;
	await c.with(a);
	await c.gone('talk-soon');
}));

test('a full talk says so, and one may listen', () => seated(async (seat) => {
	const [a, crowd] = await among(seat, 16, 'mic');

	await a.reads('talk-full', /16 people/);
	await a.$('listen').click();
	await a.see('talk-listening');
	await until(() => a.talk().me.listen && a.talk().with.length === 16 &&
	    a.talk().with.every((w) => w.way === 'hear'), 'hears all');
	assert.ok(await a.$('dock-mic').isDisabled());
	await a.$('listen-end').click();
	await a.see('talk-full');
	for (const w of crowd)
		w.close();
}));

test('the ninth camera is refused, with words', () =>
    seated(async (seat) => {
	const [a, crowd] = await among(seat, 8, 'cam');

	await until(() => a.talk().with.length === 8, 'among eight');
	await a.turnOn('mic');
	await a.$('dock-cam').click();
	await a.reads('toast', /as many cameras/);
	assert.deepEqual(await a.live(), ['audio']);
	assert.ok(!a.talk().me.cam && a.talk().me.mic);
	for (const w of crowd)
		w.close();
}));

test('a hidden page mutes where the rules say so', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);
	const hide = (on) => a.page.evaluate((hidden) => {
		Object.defineProperty(document, 'hidden', { configurable: true,
		    get: () => hidden });
		document.dispatchEvent(new Event('visibilitychange'));
	}, on);

	await a.turnOn('mic');
	await hide(true);
	await b.flows(1);
	assert.deepEqual(await a.live(), ['audio'], 'no rule, no mute');
	await hide(false);
	await daemon.ctl('policy', 'set', 'acme', 'talk-hidden-mute', '1');
	await until(() => a.frames.some((m) => m.t === 'rules'), 'told');
	await until(async () => {
		await hide(true);
		await hide(false);
		return ((await a.live()).length === 0);
	}, 'muted');
	await until(() => !b.talk().with[0].mic, 'others know');
	await daemon.ctl('policy', 'set', 'acme', 'talk-hidden-mute', '0');
}));

test('by relay only, and there is none: a connection ends', () =>
    seated(async (seat) => {
	const [a, b] = await gather(seat, 2);

	await a.turnOn('mic');
	await b.flows(1);
	await daemon.ctl('policy', 'set', 'acme', 'talk-way', 'relay');
	await until(async () => (await a.arrived()).every((p) => p.state !==
	    'connected' && p.types.every((t) => t === 'relay')),
	    'nobody learns the address of another');
	await daemon.ctl('policy', 'set', 'acme', 'talk-way', 'direct');
	await b.flows(1);
}));
