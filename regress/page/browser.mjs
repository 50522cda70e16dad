/*
 * Headless Chromium, one context for each person.  Every context goes through
 * a line of its own, so that it can be cut, and is watched: what no page may
 * ever do fails the test that ends with it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { chromium } from 'playwright-core';
import { BOUND, until } from './daemon.mjs';

/*
 * The shell is Chromium without a browser around its pages: what is tested is
 * the same, at half the time.
 */
export async function openBrowser(...more) {
	return (chromium.launch({
		executablePath: process.env.CHROMIUM ??
		    '/usr/bin/chromium-headless-shell',
		args: ['--no-sandbox', '--disable-quic', '--no-first-run',
		    '--disable-background-networking', '--disable-sync',
		    '--disable-component-update',
		    '--disable-features=AutofillServerCommunication,' +
		    'OptimizationHints,MediaRouter,DialMediaRouteProvider,' +
		    'Translate,HttpsUpgrades,PaintHolding,RenderDocument,' +
		    'LensOverlay,DestroyProfileOnBrowserClose,AcceptCHFrame,' +
		    'PreconnectToSearch,PreconnectFromKeyedService,' +
		    'SearchEnginePreconnect2,AimEnabled,' +
		    'AimServerEligibilityEnabled,' +
		    'AimServerRequestOnStartupEnabled,' +
		    'WebRtcHideLocalIpsWithMdns', ...more],
	}));
}

/* A proxy that lets one person's bytes through, or not. */
export class Line {
	static async open() {
		const l = new Line();

		l.server = createServer((s) => l.take(s));
		l.server.listen(0, '127.0.0.1');
		await once(l.server, 'listening');
		l.url = `http://127.0.0.1:${l.server.address().port}`;
		return (l);
	}

	hosts = new Set();
	allowed = new Set();		/* beside the office itself */
	sockets = new Set();
	bytes = 0;			/* to the browser, as on the wire */
	works = true;
	deaf = false;

	take(s) {
		this.keep(s);
		if (!this.works) {
			s.destroy();
			return;
		}
		s.once('data', (head) => {
			const m = /^CONNECT (\S+):(\d+) /.exec(head);
			this.hosts.add(m === null ? String(head).slice(0, 200) :
			    `${m[1]}:${m[2]}`);
			if (m === null || (!m[1].endsWith('.localhost') &&
			    !this.allowed.has(`${m[1]}:${m[2]}`))) {
				s.destroy();
				return;
			}
			const up = connect(Number(m[2]), '127.0.0.1', () => {
				s.write('HTTP/1.1 200 OK\r\n\r\n');
				s.pipe(up);
			});
			up.on('data', (d) => {
				this.bytes += d.length;
				if (!this.deaf)
					s.write(d);
			});
			this.keep(up);
			up.on('close', () => s.destroy());
			s.on('close', () => up.destroy());
		});
	}

	keep(s) {
		this.sockets.add(s);
		s.on('error', () => undefined);
		s.on('close', () => this.sockets.delete(s));
	}

	/* As if the cable were pulled, seen at once. */
	cut() {
		this.works = false;
		for (const s of this.sockets)
			s.destroy();
	}

	/* What is sent arrives, no answer does. */
	deafen() {
		this.deaf = true;
	}

	/* As if the other end had died without a word. */
	stall() {
		for (const s of this.sockets)
			s.pause();
	}

	mend() {
		this.works = true;
		this.deaf = false;
	}

	close() {
		this.cut();
		this.server.close();
	}
}

/* What a page leaves behind in the browser: of ours, nothing. */
async function stored() {
	return ({
		local: Object.keys(localStorage),
		session: Object.keys(sessionStorage),
		databases: (await indexedDB.databases()).map((d) => d.name),
		caches: await caches.keys(),
		workers: (await navigator.serviceWorker.getRegistrations())
		    .length,
		cookies: document.cookie,	/* ours is not for scripts */
	});
}

const NOTHING = { local: [], session: [], databases: [], caches: [],
    workers: 0, cookies: '' };

/* Before the page's own code: what the policy refused, what is drawn. */
function watchPage() {
	const raf = window.requestAnimationFrame.bind(window);
	const seen = { csp: [], frames: 0 };

	Object.defineProperty(window, 'seen', { value: seen });
	document.addEventListener('securitypolicyviolation', (e) => seen.csp
	    .push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
	window.requestAnimationFrame = (fn) => raf((t) => {
		seen.frames++;
		fn(t);
	});
}

/*
 * A person at a browser.  options: those of a context, and `who` to come with
 * the cookie of a person, else nobody is signed in.
 */
export class Seat {
	static async open(browser, daemon, tenant, { who, path = '/', go = true,
	    ...options } = {}) {
		const s = new Seat();

		s.daemon = daemon;
		s.tenant = tenant;
		s.who = who;
		s.host = `${tenant}.localhost:${daemon.port}`;
		s.line = await Line.open();
		s.context = await browser.newContext({ locale: 'en-US',
		    timezoneId: 'Asia/Tokyo', ignoreHTTPSErrors: true,
		    viewport: { width: 1440, height: 900 }, reducedMotion:
		    'reduce', proxy: { server: s.line.url }, ...options });
		s.context.setDefaultTimeout(BOUND);
		await s.context.addInitScript(watchPage);
		if (who !== undefined)
			await s.cookie(who);
		s.page = await s.newPage();
		if (go)
			await s.page.goto(daemon.url(tenant, path));
		return (s);
	}

	faults = [];
	expected = [];			/* console, downloads */
	frames = [];			/* received text frames, parsed */
	places = [];			/* received positions of avatars */
	legs = [];			/* sent legs */
	sent = [];			/* sent text frames, parsed */
	reports = [];

	async cookie(who) {
		const [name, value] = who.cookie.split('=');

		await this.context.addCookies([{ name, value, url:
		    this.daemon.url(this.tenant), secure: true,
		    httpOnly: true, sameSite: 'Lax' }]);
	}

	async newPage() {
		const page = await this.context.newPage();

		page.on('console', (m) => {
			const text = `${m.text()} ${m.location().url}`;
			if ((m.type() === 'error' || m.type() === 'warning') &&
			    !this.expected.some((x) => x.test(text)))
				this.faults.push(`console: ${text}`);
		});
		page.on('pageerror', (e) => this.faults.push(`error: ${
		    e.stack ?? e}`));
		page.on('dialog', (d) => {
			this.faults.push(`dialog: ${d.message()}`);
			void d.dismiss();
		});
		page.on('popup', (p) => this.faults.push(`popup: ${p.url()}`));
		page.on('download', (d) => {
			if (!this.expected.some((x) => x.test(`download: ${
			    d.url()}`)))
				this.faults.push(`download: ${d.url()}`);
		});
		page.on('request', (r) => this.asked(r));
		page.on('websocket', (ws) => this.socket(ws));
		return (page);
	}

	asked(r) {
		const u = new URL(r.url());

		if (u.host !== this.host && u.protocol !== 'data:' &&
		    u.protocol !== 'blob:')
			this.faults.push(`request: ${r.url()}`);
	}

	socket(ws) {
		if (new URL(ws.url()).host !== this.host)
			this.faults.push(`websocket: ${ws.url()}`);
		ws.on('framereceived', ({ payload }) => {
			if (typeof payload === 'string')
				this.frames.push(JSON.parse(payload));
			else
				this.moved(payload);
		});
		ws.on('framesent', ({ payload }) => {
			if (typeof payload === 'string')
				this.sent.push(JSON.parse(payload));
			else if (payload[0] === 1)
				this.legs.push({ x: payload.readUInt16LE(1),
				    y: payload.readUInt16LE(3) });
		});
	}

	/* Binary 2: who stands or walks where. */
	moved(b) {
		if (b[0] !== 2)
			return;
		for (let i = 0; i < b.readUInt16LE(5); i++) {
			const [id, x, y, tx, ty] = [0, 2, 4, 6, 8].map((o) =>
			    b.readUInt16LE(7 + i * 12 + o));
			this.places.push({ id, x, y, tx, ty });
		}
	}

	$(testid) {
		return (this.page.getByTestId(testid));
	}

	/* Waits for a locator to show. */
	async see(where) {
		const l = typeof where === 'string' ? this.$(where) : where;

		await l.waitFor({ state: 'visible' });
		return (l);
	}

	async gone(where) {
		const l = typeof where === 'string' ? this.$(where) : where;

		await l.waitFor({ state: 'hidden' });
	}

	/* The text of one part, once it fits. */
	async reads(testid, like) {
		const l = typeof testid === 'string' ? this.$(testid) : testid;

		return (until(async () => {
			const t = await l.first().textContent({ timeout: 1000 })
			    .catch(() => '');
			return (like.test(t) ? t || true : null);
		}, `${testid} reads ${like}`));
	}

	/* On a floor, with the connection up. */
	async inside() {
		await this.see('scene');
		await until(() => this.frames.some((m) => m.t === 'floor'),
		    'a floor');
		await this.page.locator('[data-testid=people-list], ' +
		    '[data-testid=dock-people]').first().waitFor();
		return (this);
	}

	floor() {
		return (this.frames.findLast((m) => m.t === 'floor'));
	}

	message(text) {
		return (this.$('chat-list').getByText(text, { exact: true }));
	}

	async tab(name) {
		await this.$(`tab-${name}`).click();
		await this.page.locator(`[data-testid=tab-${name}]` +
		    '[aria-selected=true]').waitFor();
	}

	/* The messages on the screen, in order. */
	shown() {
		return (this.$('chat-list').locator('.written')
		    .allTextContents());
	}

	async write(text) {
		await this.$('chat-input').fill(text);
		await this.$('chat-send').click();
	}

	async openMenu(item) {
		await this.$('me-button').click();
		await this.$(item).click();
	}

	expect(...like) {
		this.expected.push(...like);
	}

	/* The end of every test: nothing may have happened beside. */
	async close() {
		try {
			for (const p of this.context.pages()) {
				if (!p.url().startsWith('https:'))
					continue;
				assert.deepEqual(await p.evaluate(stored),
				    NOTHING);
				assert.deepEqual(await p.evaluate(
				    'seen.csp'), [], 'policy');
			}
		} finally {
			await this.context.close();
			this.line.close();
		}
		assert.deepEqual(this.faults, []);
		assert.deepEqual([...this.line.hosts].filter((h) =>
		    h !== this.host && !this.line.allowed.has(h)), [],
		    'other hosts');
	}
}

/* A device of the person's, which says yes or no when it is asked. */
export class Device {
	static async put(s, options = {}) {
		const d = new Device();

		d.cdp = await s.context.newCDPSession(s.page);
		await d.cdp.send('WebAuthn.enable');
		const { authenticatorId } = await d.cdp.send(
		    'WebAuthn.addVirtualAuthenticator', { options: {
		    protocol: 'ctap2', transport: 'internal',
		    hasResidentKey: true, hasUserVerification: true,
		    isUserVerified: true, automaticPresenceSimulation: true,
		    ...options } });
		d.id = authenticatorId;
		return (d);
	}

	async keys() {
		const { credentials } = await this.cdp.send(
		    'WebAuthn.getCredentials', { authenticatorId: this.id });

		return (credentials);
	}

	/* It is not there any more: one that has a key refuses another one. */
	async pull() {
		await this.cdp.send('WebAuthn.removeVirtualAuthenticator',
		    { authenticatorId: this.id });
	}

	async verifies(isUserVerified) {
		await this.cdp.send('WebAuthn.setUserVerified',
		    { authenticatorId: this.id, isUserVerified });
	}
}

/* Runs a test with seats, and closes them all, each being looked at. */
export async function seated(fn) {
	const seats = [];
	let failure = null;

	try {
		await fn((s) => {
			seats.push(s);
			return (s);
		});
	} catch (e) {
		failure = e;
	}
	for (const s of seats) {
		try {
			await s.close();
		} catch (e) {
			failure ??= e;
		}
	}
	if (failure !== null)
		throw failure;
}
