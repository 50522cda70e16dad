/* The page "can I talk from here?", with what this machine has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until } from './daemon.mjs';
import { Relay } from './relay.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true,
    isMobile: true, deviceScaleFactor: 2 };
const FAKE = ['--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream', '--ignore-certificate-errors'];

let daemon, browser, relay, ann;

before(async () => {
	relay = await Relay.make();
	daemon = await Daemon.start(relay.lines());
	await daemon.tenant('acme', 'Acme');
	await daemon.floor('acme', 'Lobby', 'lobby');
	ann = await daemon.person('acme', 'Ann Aoki');
	browser = await openBrowser(...FAKE);
});

after(async () => {
	await browser?.close();
	await relay?.down();
	await daemon?.end();
});

async function at(who, options) {
	const s = await Seat.open(browser, daemon, 'acme',
	    { who, ...options });

	/* by TCP they are asked through the person's line, too */
	for (const port of [relay.port, relay.tls])
		s.line.allowed.add(`127.0.0.1:${port}`);
	return (s);
}

async function state(s, line, is) {
	await until(async () => await s.$(`check-${line}`)
	    .getAttribute('data-state') === is, `${line} is ${is}`);
}

async function verdict(s) {
	await s.see('check-verdict');
	return (s.$('check-verdict').getAttribute('data-verdict'));
}

test('from the sign-in page: what can be said without signing in', () =>
    seated(async (seat) => {
	const s = seat(await at(undefined));

	s.expect(/status of 401/);
	await s.$('check-link').click();
	await s.see('talk-check');
	await s.$('check-begin').click();
	await state(s, 'direct', 'ok');
	await state(s, 'socket', 'skip');
	await s.reads('check-relay', /once you are signed in/);
	assert.equal(await verdict(s), 'open');
	await s.$('check-back').click();
	await s.see('signin');
	assert.deepEqual(s.frames, []);
}));

test('in the office: the connection, and plainly that there is no relay', () =>
    seated(async (seat) => {
	const plain = await Daemon.start();

	await plain.tenant('acme', 'Acme');
	await plain.floor('acme', 'Lobby', 'lobby');
	const s = seat(await Seat.open(browser, plain, 'acme',
	    { who: await plain.person('acme', 'Cat') }));
	await s.inside();
	await s.openMenu('open-check');
	await s.see('talk-check');
	await s.$('check-begin').click();
	await state(s, 'socket', 'ok');
	await state(s, 'direct', 'ok');
	await s.reads('check-relay', /No relay is set up for this office/);
	assert.equal(await verdict(s), 'near');
	assert.equal(await s.$('check-keeper').count(), 0);
	await s.$('admin-office').click();
	await s.see('scene');
	await s.page.goto('about:blank');
	await plain.end();
}));

const WAYS = ['UDP', 'TCP', 'TLS'];

async function relays(s, is) {
	for (const [i, way] of WAYS.entries()) {
		await s.reads(`check-relay-${i}`, new RegExp(`Relay by ${way}`));
		await state(s, `relay-${i}`, is);
	}
}

test('with a relay: UDP, TCP and TLS are tried, each by itself', () =>
    seated(async (seat) => {
	await relay.up(daemon);
	const s = seat(await at(ann, { path: '/talk-check' }));

	await s.see('talk-check');
	await s.$('check-begin').click();
	await relays(s, 'ok');
	assert.equal(await verdict(s), 'ok');
	await s.reads('check-relay-1', /\d+ ms/);
	assert.equal(await s.$('check-keeper').count(), 0);
	/* whose passwords the relay does not take: no gate is to be opened */
	await relay.down();
	await relay.up(daemon, 'not-the-one-that-was-agreed-on');
	await s.$('check-begin').click();
	await relays(s, 'fail');
	await s.reads('check-relay-0', /Tell the administrator of this office/);
	assert.equal(await verdict(s), 'near');
	assert.equal(await s.$('check-keeper').count(), 0);
	await relay.down();
}));

test('the relay is not reached: each gate that is shut, for the keeper', () =>
    seated(async (seat) => {
	const s = seat(await at(ann, { path: '/talk-check' }));

	await s.see('talk-check');
	await s.$('check-begin').click();
	await relays(s, 'fail');
	assert.equal(await verdict(s), 'near');
	const text = await s.$('check-keeper-text').inputValue();
	for (const line of [`UDP ${relay.port}  127.0.0.1  (TURN)`,
	    `TCP ${relay.port}  127.0.0.1  (TURN)`,
	    `TCP ${relay.tls}  127.0.0.1  (TURN, TLS)`])
		assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
	/* where nobody may go another way, there is none */
	await daemon.ctl('policy', 'set', 'acme', 'talk-way', 'relay');
	await s.$('check-begin').click();
	await relays(s, 'fail');
	assert.equal(await verdict(s), 'none');
}));

test('the office cannot be reached: what to tell the keeper, to be copied',
    () => seated(async (seat) => {
	const s = seat(await at(ann, { permissions: ['clipboard-write',
	    'clipboard-read'] }));

	await s.inside();
	await s.openMenu('open-check');
	s.expect(/WebSocket|ERR_/);
	s.line.cut();
	await s.$('check-begin').click();
	await state(s, 'socket', 'fail');
	assert.equal(await verdict(s), 'socket');
	const text = await s.$('check-keeper-text').inputValue();
	assert.match(text, new RegExp(`^TCP ${daemon.port}  acme\\.localhost` +
	    '  \\(HTTPS, WebSocket\\)$', 'm'));
	assert.match(text, /Acme/);
	await s.$('check-copy').click();
	await s.reads('check-copy', /Copied/);
	s.line.mend();
	await s.$('check-begin').click();
	await state(s, 'socket', 'ok');
}));

test('microphone and camera: heard and seen, and off when one leaves', () =>
    seated(async (seat) => {
	const s = seat(await at(ann, { permissions: ['microphone', 'camera'],
	    path: '/talk-check' }));

	await s.see('talk-check');
	await s.page.evaluate(() => {
		window.got = [];
		const get = navigator.mediaDevices.getUserMedia
		    .bind(navigator.mediaDevices);
		navigator.mediaDevices.getUserMedia = async (c) => {
			const m = await get(c);
			window.got.push(...m.getTracks());
			return (m);
		};
	});
	await s.$('check-microphone-try').click();
	await s.see('check-level');
	await state(s, 'microphone', 'ok');
	await s.reads('check-microphone', /Your voice is heard/);
	await s.$('check-microphone-try').click();
	await s.gone('check-level');
	await s.$('check-camera-try').click();
	await state(s, 'camera', 'ok');
	await until(() => s.$('check-video').evaluate((v) => v.videoWidth > 0 &&
	    v.currentTime > 0), 'a moving picture');
	assert.deepEqual(await s.page.evaluate(
	    'got.map((t) => `${t.kind} ${t.readyState}`)'),
	    ['audio ended', 'video live']);
	await s.$('admin-office').click();
	await s.gone('talk-check');
	assert.equal(await s.page.evaluate('got[1].readyState'), 'ended');
}));

test('a device that comes after one has left is turned off', () =>
    seated(async (seat) => {
	const s = seat(await at(ann, { permissions: ['microphone', 'camera'],
	    path: '/talk-check' }));

	await s.see('talk-check');
	await s.page.evaluate(() => {
		const get = navigator.mediaDevices.getUserMedia
		    .bind(navigator.mediaDevices);
		const left = new Promise((go) => { window.leave = go; });
		window.got = [];
		navigator.mediaDevices.getUserMedia = async (c) => {
			const m = await get(c);
			window.got.push(...m.getTracks());
			await left;
			return (m);
		};
	});
	await s.$('check-camera-try').click();
	await s.$('check-microphone-try').click();
	await until(() => s.page.evaluate('got.length === 2'), 'both come');
	await s.$('admin-office').click();
	await s.gone('talk-check');
	await s.page.evaluate('leave()');
	await until(() => s.page.evaluate(
	    'got.every((t) => t.readyState === "ended")'), 'both are off');
}));

test('a device that is not allowed says where to allow it', () =>
    seated(async (seat) => {
	const s = seat(await at(undefined, { ...PHONE, path: '/talk-check' }));

	s.expect(/status of 401/);
	await s.see('talk-check');
	await s.page.evaluate(() => {
		navigator.mediaDevices.getUserMedia = () => Promise.reject(
		    new DOMException('', 'NotAllowedError'));
	});
	await s.$('check-microphone-try').click();
	await state(s, 'microphone', 'fail');
	await s.reads('check-microphone', /Not allowed.*beside the address/);
	const wide = await s.page.evaluate(
	    'document.documentElement.scrollWidth');
	assert.equal(wide, 390);
}));
