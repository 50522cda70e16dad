/*
 * The page in headless Chromium, for what it costs.  Orders come line by
 * line, each is answered by a line of JSON:
 *
 *	visit		the first visit, with nothing cached: its bytes
 *	idle SECS	CPU seconds while nothing is touched
 *	frames SECS	how many frames were drawn, with all of the floor in view
 *
 *	node page.mjs URL COOKIE CHROMIUM
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const MOST = 120000;			/* ms that it lives */
const [url, cookie, executablePath] = process.argv.slice(2);

/* Before the page's own code: which frames were asked for, and painted. */
function count() {
	const raf = window.requestAnimationFrame.bind(window);
	const clear = CanvasRenderingContext2D.prototype.clearRect;
	const seen = { asked: 0, drawn: [], now: 0 };

	Object.defineProperty(window, 'seen', { value: seen });
	window.requestAnimationFrame = (fn) => raf((t) => {
		seen.asked++;
		seen.now = t;
		fn(t);
	});
	CanvasRenderingContext2D.prototype.clearRect = function (...a) {
		if (seen.drawn.at(-1) !== seen.now)
			seen.drawn.push(seen.now);
		return (clear.apply(this, a));
	};
}

class Visitor {
	bytes = new Map();		/* by request: some are told twice */
	faults = [];

	async open() {
		this.browser = await chromium.launch({ executablePath, args:
		    ['--no-sandbox', '--disable-quic', '--no-first-run',
		    '--disable-background-networking', '--disable-sync',
		    '--disable-component-update'] });
		this.system = await this.browser.newBrowserCDPSession();
		const context = await this.browser.newContext({
		    ignoreHTTPSErrors: true, locale: 'en-US',
		    viewport: { width: 1440, height: 900 } });
		context.setDefaultTimeout(15000);
		await context.addCookies([{ name: '__Host-risa',
		    value: cookie, url, secure: true, httpOnly: true,
		    sameSite: 'Lax' }]);
		await context.addInitScript(count);
		this.page = await context.newPage();
		this.page.on('pageerror', (e) => this.faults.push(String(e)));
		this.cdp = await context.newCDPSession(this.page);
	}

	async visit() {
		const { cdp, page } = this;
		const open = (ws) => new Promise((done) =>
		    ws.on('framereceived', ({ payload }) => {
			if (typeof payload !== 'string')
				return;
			const m = JSON.parse(payload);
			if (m.t === 'floor')
				done(m.people.length);
		}));

		cdp.on('Network.loadingFinished', (e) => {
			this.bytes.set(e.requestId, e.encodedDataLength);
		});
		await cdp.send('Network.enable');
		const people = page.waitForEvent('websocket').then(open);
		await page.goto(url);
		const n = await people;
		await page.getByTestId('scene').waitFor();
		await page.waitForLoadState('networkidle').catch(() => 0);
		await sleep(1000);
		await cdp.send('Network.disable');
		/* By the thread's own clock: others share the processors. */
		await cdp.send('Performance.enable',
		    { timeDomain: 'threadTicks' });
		return ({ people: n, bytes: [...this.bytes.values()].reduce(
		    (a, b) => a + b, 0), requests: this.bytes.size,
		    faults: this.faults });
	}

	/* CPU seconds of the page's thread, and of all processes by kind. */
	async used() {
		const { metrics } = await this.cdp.send(
		    'Performance.getMetrics');
		const { processInfo } = await this.system.send(
		    'SystemInfo.getProcessInfo');
		const all = { page: metrics.find((m) =>
		    m.name === 'TaskDuration').value };

		for (const p of processInfo)
			all[p.type] = (all[p.type] ?? 0) + p.cpuTime;
		return (all);
	}

	async spend(secs) {
		const before = await this.used();
		const begin = performance.now();

		await sleep(secs * 1000);
		const took = (performance.now() - begin) / 1000;
		const after = await this.used();
		const r = { secs: took };
		for (const k of Object.keys(after))
			r[k] = after[k] - (before[k] ?? 0);
		return (r);
	}

	async idle(secs) {
		const before = await this.page.evaluate('seen.asked');
		const r = await this.spend(secs);

		r.asked = await this.page.evaluate('seen.asked') - before;
		return (r);
	}

	/* So far away that the whole floor is in view. */
	async all() {
		const out = this.page.getByTestId('zoom-out');

		for (let i = 0; i < 8; i++)
			await out.click();
	}

	async frames(secs) {
		await this.all();
		await sleep(1000);
		await this.page.evaluate('void (seen.drawn.length = 0)');
		const r = await this.spend(secs);
		const at = await this.page.evaluate('seen.drawn');
		const gaps = at.slice(1).map((t, i) => t - at[i]);

		gaps.sort((a, b) => a - b);
		r.drawn = at.length;
		r.gap = gaps[Math.trunc(gaps.length * 0.95)] ?? 0;
		r.faults = this.faults;
		return (r);
	}
}

const v = new Visitor();

setTimeout(() => process.exit(1), MOST).unref();
await v.open();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
	const [word, secs] = line.split(' ');

	console.log(JSON.stringify(await v[word](Number(secs))));
}
await v.browser.close();
