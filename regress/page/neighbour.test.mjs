/*
 * A tenant attacks its neighbour from the browser of somebody who is signed in
 * there: its name is of the same site, so that a cookie of that site would go
 * along.  Names below one domain are served by us or by a risad, as the proxy
 * of the browser has it, so that all between page and server is real.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, readdirSync } from 'node:fs';
import https from 'node:https';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { openBrowser } from './browser.mjs';
import { BOUND, Daemon, PASSWORD, until } from './daemon.mjs';

const SITE = 'office.test';
const TOP = new URL('../../risad/', import.meta.url);
const AT_ONCE = 12;			/* attempts of a page under way */
const LONG = !['', '0', undefined].includes(process.env.LONG);

/* A risad of names that are one site, which those of localhost are not. */
class Office extends Daemon {
	make() {
		super.make();
		execFileSync('openssl', ['req', '-x509', '-newkey', 'ec',
		    '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
		    this.path('keys/site.key'), '-out', this.path('tls.crt'),
		    '-days', '2', '-subj', `/CN=${SITE}`, '-addext',
		    `subjectAltName=DNS:localhost,DNS:${SITE},DNS:*.${SITE}`],
		    { stdio: 'ignore' });
		chmodSync(this.path('keys/site.key'), 0o400);
	}

	conf() {
		return (super.conf().replace('"localhost"', `"${SITE}"`)
		    .replace('keys/tls.key', 'keys/site.key'));
	}

	url(tenant, path = '/') {
		return (`https://${tenant}.${SITE}:${this.port}${path}`);
	}

	ask(host, ...more) {
		return (super.ask(host.replace(/\.localhost$/, `.${SITE}`),
		    ...more));
	}
}

let office, browser, evil, proxy, adm, mal, ids;
const names = new Map();		/* of hosts that are ours */

/* Whatever is asked for: a page without any policy, cookies if wanted. */
let cookies = [];
let asked = [];				/* host and cookies of requests */

async function openEvil() {
	evil = https.createServer({ key: readFileSync(office.path(
	    'keys/site.key')), cert: readFileSync(office.path('tls.crt')) },
	    (q, a) => {
		asked.push({ host: q.headers.host.split(':')[0], cookie:
		    q.headers.cookie ?? '' });
		a.setHeader('Content-Type', 'text/html; charset=utf-8');
		if (q.url === '/toss')
			a.setHeader('Set-Cookie', cookies);
		a.end('<!doctype html><title>attack</title><body></body>');
	});
	evil.listen(0, '127.0.0.1');
	await once(evil, 'listening');
}

/* The way of every name: to the office unless it is ours now. */
async function openProxy() {
	const all = new Set();

	proxy = createServer((s) => {
		all.add(s);
		s.on('error', () => undefined).on('close', () => all.delete(s));
		s.once('data', (head) => {
			const m = /^CONNECT ([^ :]+):(\d+) /.exec(head);
			const port = m === null ? 0 : names.get(m[1])?.() ??
			    office.port;
			const up = connect(port, '127.0.0.1', () => {
				s.write('HTTP/1.1 200 OK\r\n\r\n');
				s.pipe(up).pipe(s);
			});
			up.on('error', () => s.destroy());
			s.on('close', () => up.destroy());
		});
	});
	proxy.end = () => {
		for (const s of all)
			s.destroy();
		proxy.close();
	};
	proxy.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
}

const OWN = `acme.${SITE}`;
const NEIGHBOUR = `globex.${SITE}`;
/* A name below the tenant's own, and one of another site. */
const BELOW = `x.acme.${SITE}`;
const STRANGER = 'evil.example';

before(async () => {
	office = new Office(await freePort(), '');
	await office.up();
	for (const t of ['acme', 'globex'])
		await office.tenant(t, t);
	const floor = await office.floor('acme', 'Lobby', 'lobby');
	adm = await office.person('acme', 'Ada', { role: 'admin' });
	mal = await office.person('acme', 'Mal');
	const group = await office.api(adm, 'POST', '/admin/groups',
	    { name: 'Group' });
	const role = await office.api(adm, 'POST', '/admin/roles',
	    { name: 'Role', can: ['chat'] });
	const url = await office.api(adm, 'POST', '/guests', {
	    floors: [floor], expires: Date.now() + 3600000 });
	ids = { floors: floor, users: mal.id, groups: group.group.id,
	    roles: role.role.id, guests: url.guest.id, passkeys: 1,
	    signins: 1, visits: 1, token: new URL(url.url).pathname
	    .split('/').pop() };
	await openEvil();
	await openProxy();
	for (const host of [NEIGHBOUR, BELOW, STRANGER])
		names.set(host, () => evil.address().port);
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	proxy?.end();
	evil?.close();
	await office?.end();
});

async function freePort() {
	const s = createServer().listen(0, '127.0.0.1');

	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return (port);
}

/* All routes, as the sources have them, of things that there are. */
function routes() {
	const found = [];
	let all = 0;

	for (const name of readdirSync(TOP)) {
		if (!/^api\w*\.c$/.test(name))
			continue;
		const text = readFileSync(new URL(name, TOP), 'utf8');
		all += text.match(/\{ HTTP_\w+, /g)?.length ?? 0;
		for (const [, method, admin, path] of text.matchAll(
		    /\{ HTTP_(\w+), (ADMIN )?"([^"]*)", NEED_\w+,/g)) {
			const key = (admin ? '/api/v1/admin' : '') + path;
			found.push({ method, key, path: filled(key), body:
			    BODIES[`${method} ${key}`] ?? (() => ({})) });
		}
	}
	assert.ok(found.length > 60);
	assert.equal(found.length, all, 'routes that can be read');
	return (found);
}

function filled(path) {
	const what = path.split('/#')[0].split('/').pop();
	const full = path.replace('#', ids[what]).replace('*', ids.token);

	return (/\/messages$/.test(full) ? `${full}?channel=floor:${
	    ids.floors}` : full);
}

/* What changes something if it is taken. */
const BODIES = {
	'POST /api/v1/session': () => ({ email: mal.mail, password:
	    PASSWORD }),
	'PATCH /api/v1/me': () => ({ note: 'stolen' }),
	'POST /api/v1/guests': () => ({ floors: [ids.floors], expires:
	    Date.now() + 3600000 }),
	'POST /api/v1/guest/*': () => ({ name: 'Stolen' }),
	'POST /api/v1/password': () => ({ current: PASSWORD, new:
	    'stolen horse 43' }),
	'POST /api/v1/admin/users': () => ({ email: 'e@evil.example',
	    role: 'admin' }),
	'PATCH /api/v1/admin/users/#': () => ({ role: 'admin' }),
	'POST /api/v1/admin/users/#/erase': () => ({ messages: 'erase' }),
	'POST /api/v1/admin/groups': () => ({ name: 'Stolen' }),
	'PATCH /api/v1/admin/groups/#': () => ({ name: 'Stolen' }),
	'POST /api/v1/admin/floors': () => ({ name: 'Stolen',
	    template: 'lobby' }),
	'PATCH /api/v1/admin/floors/#': () => ({ name: 'Stolen' }),
	'POST /api/v1/admin/floors/#/erase': () => ({ from: 1, to: 1 }),
	'POST /api/v1/admin/messages/erase': () => ({ from: 1, to: 1 }),
	'POST /api/v1/admin/roles': () => ({ name: 'Stolen', can: [] }),
	'PATCH /api/v1/admin/tenant': () => ({ title: 'Stolen' }),
	'POST /api/v1/admin/import': () => ({ csv:
	    'email,name\ne@evil.example,X\n' }),
};

/* What an administrator sees of all that there is, and the trail of it. */
async function state() {
	const found = {};

	for (const path of ['/session', '/signins', '/passkeys', '/factor',
	    '/guests', '/tenant', '/people', '/admin/users', '/admin/groups',
	    '/admin/floors', '/admin/roles', '/admin/policy', '/admin/audit',
	    `/messages?channel=floor:${ids.floors}`])
		found[path] = JSON.parse(JSON.stringify(await office.api(adm,
		    'GET', path), (k, v) => k === 'seen' ? undefined : v));
	return (found);
}

/* The victim: a browser with the cookie of an administrator. */
async function victim() {
	const context = await browser.newContext({ ignoreHTTPSErrors: true,
	    proxy: { server: `http://127.0.0.1:${proxy.address().port}` } });
	const [name, value] = adm.cookie.split('=');

	context.setDefaultTimeout(BOUND);
	await context.addCookies([{ name, value, url: office.url('acme'),
	    secure: true, httpOnly: true, sameSite: 'Lax' }]);
	return (context);
}

async function attacker(context, host) {
	const page = await context.newPage();

	await page.goto(`https://${host}:${office.port}/page`);
	assert.equal(await page.title(), 'attack');
	return (page);
}

/*
 * In the page of an attacker.  Each way: what was read, or null.  That a
 * request has ended is all that it may learn, and not how.
 */
function ways() {
	const over = (e, ...good) => new Promise((done) => {
		for (const t of good)
			e.addEventListener(t, () => done(`${e.tagName} ${t}`));
		e.addEventListener('error', () => done(null));
	});
	const element = async (name, attributes) => {
		const e = Object.assign(document.createElement(name),
		    attributes);
		const end = over(e, 'load', 'loadeddata');
		document.body.append(e);
		const read = await end;
		e.remove();
		return (read);
	};
	const ask = async (url, options) => {
		try {
			const r = await fetch(url, { credentials: 'include',
			    ...options });
			/* Not even one that it can not look into. */
			const text = await r.text().catch(() => '');
			return (`${r.type} ${r.status} ${text.slice(0, 80)}`);
		} catch {
			return (null);
		}
	};
	const frame = async (make) => {
		const f = document.createElement('iframe');
		f.name = `f${Math.random()}`;
		document.body.append(f);
		const end = new Promise((done) => {
			f.onload = done;
		});
		make(f);
		await end;
		let read = null;
		try {
			const d = f.contentDocument;
			read = d === null || d.URL === 'about:blank' ? null :
			    `frame ${d.URL}`;
		} catch { /* as it should be */ }
		if (f.contentWindow.length !== 0)
			read = `frames ${f.contentWindow.length}`;
		f.remove();
		return (read);
	};
	const form = (url, enctype, text) => frame((f) => {
		const o = Object.assign(document.createElement('form'), {
		    action: url, method: 'post', enctype, target: f.name });
		const i = Object.assign(document.createElement('input'),
		    enctype === 'text/plain' ? { name: text.slice(0, -1) +
		    ',"x":"', value: '"}' } : { name: 'json', value: text });
		o.append(i);
		document.body.append(o);
		o.submit();
		o.remove();
	});
	const timing = (url) => {
		const e = performance.getEntriesByName(url).find((x) =>
		    x.responseStatus || x.encodedBodySize || x.transferSize);
		return (e === undefined ? null : `timing ${e.responseStatus} ${
		    e.encodedBodySize}`);
	};
	const json = { 'Content-Type': 'application/json' };
	const body = (r, text) => r.method === 'GET' ? {} : { body: text };

	/* An element only gets, a form only posts. */
	const reading = (r) => [
		() => ask(r.url, { mode: 'no-cors' }),
		() => element('img', { src: r.url }),
		() => element('script', { src: r.url }),
		() => element('script', { type: 'module', src: r.url }),
		() => element('link', { rel: 'stylesheet', href: r.url }),
		() => element('video', { src: r.url }),
		() => frame((f) => { f.src = r.url; }),
		async () => {
			const o = new EventSource(r.url, { withCredentials:
			    true });
			const read = await over(Object.assign(o,
			    { tagName: 'events' }), 'open', 'message');
			o.close();
			return (read);
		},
	];
	const writing = (r, text) => [
		() => ask(r.url, { mode: 'no-cors', method: 'POST', body:
		    text }),
		() => ask(r.url, { mode: 'no-cors', method: 'POST', body:
		    new URLSearchParams({ json: text }) }),
		() => ask(r.url, { mode: 'no-cors', method: 'POST', body:
		    new Blob([text], { type: 'application/json' }) }),
		async () => navigator.sendBeacon(r.url, text) && null,
		() => form(r.url, 'application/x-www-form-urlencoded', text),
		() => form(r.url, 'text/plain', text),
		() => form(r.url, 'multipart/form-data', text),
	];

	window.attempts = (r, text, long) => [
		() => ask(r.url, { method: r.method, ...body(r, text),
		    headers: r.method === 'GET' ? {} : json }),
		() => ask(r.url, { method: r.method, ...body(r, text) }),
		() => ask(r.url, { mode: 'same-origin', method: r.method,
		    ...body(r, text) }),
		...r.method === 'GET' || long ? reading(r) : [],
		...r.method !== 'GET' || long ? writing(r, text) : [],
		async () => timing(r.url),
	];
	window.attack = async (all, atOnce, long) => {
		const jobs = all.flatMap((r) => window.attempts(r, r.text, long)
		    .map((fn, i) => async () => {
			const read = await fn();
			if (read !== null)
				reads.push(`${r.method} ${r.url} ${i}: ${
				    read}`);
		}));
		const reads = [], { length } = jobs;
		await Promise.all(Array.from({ length: atOnce }, async () => {
			for (let fn; (fn = jobs.shift()) !== undefined;)
				await fn();
		}));
		return ({ attempts: length, reads });
	};
	/* A page of theirs in a window, and what its opener sees of it. */
	window.look = (url) => new Promise((done) => {
		const w = window.open(url);
		let n = 0;
		const look = () => {
			let read = null;
			try {
				if (!w.closed && w.document.URL !==
				    'about:blank')
					read = `window ${w.document.URL}`;
			} catch { /* as it should be */ }
			if (!w.closed && w.length !== 0)
				read = `window has ${w.length} frames`;
			if (read !== null || w.closed || ++n > 600)
				done({ read, cut: w.closed });
			else
				setTimeout(look, 25);
		};
		look();
	});
	window.socket = (url) => new Promise((done) => {
		const ws = new WebSocket(url, 'risa.v1');
		ws.onopen = () => done('open');
		ws.onmessage = () => done('message');
		ws.onclose = ws.onerror = () => done(null);
	});
}

const total = { attempts: 0, reads: [], changes: [] };

async function unchanged(was) {
	const now = await state();

	for (const path of Object.keys(was))
		if (JSON.stringify(now[path]) !== JSON.stringify(was[path]))
			total.changes.push(path);
	assert.deepEqual(now, was);
}

/* A page of the tenant, and who is signed in there, 0 nobody. */
async function ours(context, path) {
	const page = await context.newPage();

	await page.goto(office.url('acme', path));
	return (page);
}

const whoIs = (page) => page.evaluate(async () => {
	const r = await fetch('/api/v1/session');
	return (r.status === 200 ? (await r.json()).user.id :
	    r.status === 401 ? 0 : -r.status);
});

/* Signs in on the page of the tenant; who that is then. */
const again = (page) => page.evaluate(async (o) => {
	await fetch('/api/v1/session', { method: 'POST', headers: {
	    'Content-Type': 'application/json' }, body: JSON.stringify(o) });
	return ((await (await fetch('/api/v1/session')).json()).user?.id);
}, { email: adm.mail, password: PASSWORD });

/* A page of the tenant shows in no frame of theirs, read or not. */
async function framed(page, url) {
	await page.evaluate((u) => new Promise((done) => {
		const f = document.createElement('iframe');
		f.onload = done;
		f.src = u;
		document.body.append(f);
	}), url);
	assert.deepEqual(page.frames().slice(1).map((f) => f.url()).filter(
	    (u) => !u.startsWith('chrome-error:')), [], 'a frame');
	await page.evaluate(() => document.querySelector('iframe').remove());
}

for (const host of [NEIGHBOUR, BELOW, STRANGER])
	test(`every route, in every way, from ${host}`, async () => {
		const was = await state();
		const context = await victim();
		const page = await attacker(context, host);
		const all = routes().map((r) => ({ method: r.method, url:
		    office.url('acme', r.path), text: JSON.stringify(
		    r.body()) }));

		await page.evaluate(ways);
		const { attempts, reads } = await page.evaluate((a) =>
		    window.attack(...a), [all, AT_ONCE, LONG]);
		total.attempts += attempts;
		total.reads.push(...reads);
		assert.deepEqual(reads, []);
		const ws = await page.evaluate((u) => window.socket(u),
		    office.url('acme', '/ws').replace('https', 'wss'));
		assert.equal(ws, null, 'a WebSocket');
		for (const path of ['/', '/admin/people', '/api/v1/session']) {
			const seen = await page.evaluate((u) =>
			    window.look(u), office.url('acme', path));
			assert.deepEqual(seen, { read: null, cut: true }, path);
			await framed(page, office.url('acme', path));
		}
		total.attempts += 7;
		assert.equal(await page.evaluate('document.cookie'), '');
		/* It is the same browser that the person goes on with. */
		assert.equal(await whoIs(await ours(context)), adm.id);
		await context.close();
		await unchanged(was);
	});

test('a cookie of the person goes along from the neighbour', async () => {
	const context = await victim();
	const sees = async (host) => {
		const page = await attacker(context, host);
		asked = [];
		await page.evaluate((u) => fetch(u, { mode: 'no-cors',
		    method: 'POST', body: '{}', credentials: 'include' }),
		    office.url('acme', '/api/v1/session'));
		return (asked.find((x) => x.host === OWN).cookie);
	};

	/* We are the office for as long as it takes to see it. */
	names.set(OWN, () => evil.address().port);
	const near = await sees(NEIGHBOUR), far = await sees(STRANGER);
	names.delete(OWN);
	await context.close();
	assert.equal(near, adm.cookie);
	assert.equal(far, '');
});

/* Cookies that a neighbour would like the office to get, from a page. */
const tossed = (token) => [
	`__Host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`__Host-risa=${token}; Domain=.${SITE}; Path=/; Secure`,
	`__Host-risa=${token}; Domain=${OWN}; Path=/; Secure`,
	`__Host-risa=${token}; Path=/api; Secure`,
	`__HOST-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`__host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`__Secure-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`=__Host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`__Host-risa; Domain=${SITE}; Path=/; Secure`,
	`x=1\t; Domain=${SITE}; __Host-risa=${token}`,
	`\u2000__Host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	` __Host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
	`"__Host-risa"=${token}; Domain=${SITE}; Path=/; Secure`,
	`$x=1, __Host-risa=${token}; Domain=${SITE}; Path=/; Secure`,
];

test('cookies that a neighbour tosses sign nobody in as another', async () => {
	const was = await state();
	const token = mal.cookie.split('=')[1];

	for (const host of [NEIGHBOUR, BELOW]) {
		const context = await victim();
		const page = await attacker(context, host);
		const tab = await ours(context);
		for (const text of tossed(token)) {
			await page.evaluate((c) => { document.cookie = c; },
			    text);
			cookies = [text].filter((c) =>
			    /^[\t -~]*$/.test(c));
			await page.goto(`https://${host}:${office.port}/toss`);
			total.attempts += 2;
			const user = await whoIs(tab);
			if (user !== 0 && user !== adm.id)
				total.reads.push(`${host}: ${text}: ${user}`);
			assert.ok([0, adm.id].includes(user),
			    `${text}: ${user}`);
		}
		cookies = [];
		await context.close();
	}
	await unchanged(was);
});

test('a jar that a neighbour fills leaves the person or nobody', async () => {
	const was = await state();
	const context = await victim();
	const page = await attacker(context, NEIGHBOUR);
	const tab = await ours(context);
	const seen = new Set();

	for (let round = 0; round < 4; round++) {
		await page.evaluate(([n, site]) => {
			for (let i = 0; i < 150; i++)
				document.cookie = `c${n}-${i}=1; Domain=${
				    site}; Path=/; Secure`;
		}, [round, SITE]);
		for (const text of tossed(mal.cookie.split('=')[1]))
			await page.evaluate((c) => { document.cookie = c; },
			    text);
		total.attempts += 150;
		seen.add(await whoIs(tab));
	}
	for (const user of seen)
		assert.ok([0, adm.id].includes(user), `user ${user}`);
	/* Whoever has lost it signs in again, and is who he is. */
	assert.equal(await again(tab), adm.id);
	await context.close();
	await office.ctl('session', 'end', 'acme', adm.mail);
	Object.assign(adm, await office.again(adm));
	assert.equal((await office.api(adm, 'GET', '/tenant')).tenant.name,
	    was['/tenant'].tenant.name);
});

test('cookies too large for a request shut nobody out for long', async () => {
	const context = await victim();
	const page = await attacker(context, NEIGHBOUR);
	/* Without our script, which asks too, and would get the answer. */
	const tab = await ours(context, '/healthz');

	await page.evaluate((site) => {
		for (let i = 0; i < 30; i++)
			document.cookie = `b${i}=${'x'.repeat(3900)}; Domain=${
			    site}; Path=/; Secure`;
	}, SITE);
	total.attempts += 30;
	assert.equal(await whoIs(tab), -431);
	/* With that answer they are gone, and the sign-in as well. */
	assert.equal(await whoIs(tab), 0);
	assert.equal(await again(tab), adm.id);
	await tab.reload();
	assert.equal(await whoIs(tab), adm.id);
	await context.close();
	await office.ctl('session', 'end', 'acme', adm.mail);
	Object.assign(adm, await office.again(adm));
});

test('a name that becomes the office is none of its hosts', async () => {
	const was = await state();
	const context = await victim();
	const page = await attacker(context, STRANGER);

	/* From now on the page is of the same origin as what it asks. */
	names.delete(STRANGER);
	evil.closeAllConnections();
	const got = await page.evaluate(async (all) => {
		const found = {};
		for (const r of all) {
			const a = await fetch(r.path, { method: r.method,
			    ...r.method === 'GET' ? {} : { body: r.text,
			    headers: { 'Content-Type':
			    'application/json' } } }).catch(() => null);
			const what = a === null ? 'no answer' : `${a.status}`;
			found[what] = (found[what] ?? 0) + 1;
		}
		return (found);
	}, routes().map((r) => ({ method: r.method, path: r.path, text:
	    JSON.stringify(r.body()) })));
	names.set(STRANGER, () => evil.address().port);
	total.attempts += routes().length;
	assert.deepEqual(got, { 421: routes().length });
	await context.close();
	await unchanged(was);
});

test('what was tried in all', () => {
	console.log(`${total.attempts} attempts, ${total.changes.length} ` +
	    `changes, ${total.reads.length} reads`);
	assert.ok(total.attempts > 2500);
	assert.deepEqual([total.changes, total.reads], [[], []]);
});
