/* Whatever people write is text: in messages, names, notes and titles. */
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';
import { BOOM, NAUGHTY } from './naughty.mjs';

/* More than two hundred of them, or all. */
const TEXTS = ['', '0', undefined].includes(process.env.LONG) ?
    NAUGHTY.filter((_, i) => i % 3 !== 2) : NAUGHTY;
const ROUND = 45;			/* that a list shows at once */
/* What a page names, or draws in its own way. */
const HIDDEN = /[\p{Cf}\p{Cc}\p{Co}\p{Cn}\u034f\u115f\u2028\u2029\u2800\u3164\ufe0f]/u;

const short = (s, n) => Array.from(s).slice(0, n).join('');
/* Not in names and notes: control characters. */
const tame = (s) => s.replaceAll('\t', ' ');

let daemon, browser, lobby, ann, ben, cat, adm;

before(async () => {
	daemon = await Daemon.start();
	/* Thousands of requests: not each on a connection of its own. */
	daemon.agent = new Agent({ keepAlive: true, maxSockets: 6, timeout:
	    3000 });
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	adm = await daemon.person('acme', 'Ada', { role: 'admin' });
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
	cat = await daemon.person('acme', 'Cat Chen');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	daemon?.agent.destroy();
	await daemon?.end();
});

const at = (who, options) => Seat.open(browser, daemon, 'acme',
    { who, ...options });

/* The page is as it was made: no element of theirs, nothing has run. */
async function whole(s, title) {
	const bad = await s.page.evaluate(() => ({
		boom: typeof window.boom,
		made: document.querySelectorAll('body script, iframe, base, ' +
		    'object, embed, form[action], img, body style, body ' +
		    'link, body meta, body title, plaintext, math').length,
		handlers: [...document.querySelectorAll('*')].filter((e) =>
		    e.getAttributeNames().some((n) => n.startsWith('on')))
		    .length,
		links: [...document.querySelectorAll('a[href]')].filter((e) =>
		    !/^https?:$/.test(e.protocol) || (e.origin !==
		    location.origin && (e.rel !== 'noopener noreferrer' ||
		    e.target !== '_blank'))).length,
	}));

	assert.deepEqual(bad, { boom: 'undefined', made: 0, handlers: 0,
	    links: 0 });
	if (title !== undefined)
		assert.match(await s.page.title(), title);
}

function* rounds(n = ROUND) {
	for (let i = 0; i < TEXTS.length; i += n)
		yield TEXTS.slice(i, i + n);
}

/* Said, or no text at all. */
async function says(w, text) {
	try {
		await w.say('floor', text);
		return (true);
	} catch (e) {
		if (!/"code":"(empty|field|json)"/.test(e.message))
			throw e;
		return (false);
	}
}

/* As the page shows a text: marks that cannot be seen are named. */
const plain = (t) => t.replaceAll(/\s+/g, ' ').trim();

test('messages are text', () => seated(async (seat) => {
	const a = seat(await at(ann));
	const w = await Wire.open(daemon, ben);

	const all = [w, await Wire.open(daemon, cat), await Wire.open(daemon,
	    adm)];

	await a.inside();
	for (const x of all)
		await x.enter(lobby);
	let round = 0;
	for (const part of rounds()) {
		/* Each may write so many in a second. */
		const said = [];
		for (const [i, text] of part.entries())
			if (await says(all[i % all.length], text))
				said.push(text);
		const end = `the end of round ${++round}`;
		await w.say('floor', end);
		await a.see(a.message(plain(end)));
		const got = (await a.shown()).slice(-said.length - 1, -1);
		for (const [i, text] of said.entries())
			if (!HIDDEN.test(text))
				assert.equal(plain(got[i]), plain(text));
		await whole(a, /^Lobby - Acme$/);
	}
	await w.say('floor', 'the end');
	await a.see(a.message('the end'));
	await a.page.reload();
	await a.see(a.message('the end'));
	await whole(a);
	for (const x of all)
		x.close();
}));

test('names and notes are text, in lists, cards, search and chat', () =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const w = await Wire.open(daemon, ben), others = [];

	await a.inside();
	await w.enter(lobby);
	for (const x of [cat, adm])
		others.push(await Wire.open(daemon, x));
	for (const x of others)
		await x.enter(lobby);
	let shown = 0;
	const shows = async (who, text) => {
		const name = short(tame(text), 64), note = short(tame(text), 80);
		const r = await daemon.ask('acme.localhost', 'PATCH',
		    '/api/v1/me', { name, note }, who.cookie);
		if (r.status === 422)
			return;		/* not a name: nothing to show */
		assert.equal(r.status, 200, text);
		const last = r.json.user;
		await until(() => a.frames.some((m) => m.t === 'update' &&
		    m.user === who.id && m.name === last.name), text);
		if (!HIDDEN.test(name))
			await until(async () => plain(await a.page.locator(
			    `[data-testid=person-${who.id}] .person-first`)
			    .textContent()) === plain(last.name), text);
		shown++;
	};
	/* Of three people at the same time. */
	for (const part of rounds(3))
		await Promise.all(part.map((text, i) => shows([ben, cat,
		    adm][i], text)));
	assert.ok(shown > TEXTS.length - 20);
	for (const [who, name] of [[cat, 'Cat Chen'], [adm, 'Ada']])
		await daemon.api(who, 'PATCH', '/me', { name, note: '' });
	const name = `<img src=x onerror=${BOOM}>`;
	await daemon.api(ben, 'PATCH', '/me', { name, note: name });
	await a.reads(`person-${ben.id}`, /<img src=x/);
	await w.say('floor', 'said by such a name');
	await a.see(a.message('said by such a name'));
	await a.$(`person-${ben.id}`).click();
	await a.reads('person-card', /<img src=x/);
	await whole(a);
	await a.$('card-write').click();
	await a.see('peer-back');
	await a.page.keyboard.press('Control+k');
	await a.$('search-input').fill(name);
	await a.see(`found-p${ben.id}`);
	await whole(a);
	await a.page.keyboard.press('Escape');
	await a.$('text-toggle').click();
	await a.reads('text-view', /<img src=x/);
	await whole(a);
	await daemon.api(ben, 'PATCH', '/me', { name: 'Ben', note: '' });
	for (const x of [w, ...others])
		x.close();
}));

test('what administrators name is text, on all their screens', () =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const s = seat(await at(adm, { path: '/admin/floors' }));
	const ask = (method, path, o) => daemon.ask('acme.localhost', method,
	    `/api/v1${path}`, o, adm.cookie);
	const made = { floors: 0, groups: 0, roles: 0, users: 0, guests: 0 };
	let n = 0;

	await a.inside();
	await s.see('admin-floors');
	for (const part of rounds(30)) {
		const all = part.flatMap((text) => {
			const name = short(tame(text), 60);
			return ([['floors', { name, template: 'lobby' }],
			    ['groups', { name, members: [ann.id] }],
			    ['roles', { name, can: ['chat'] }],
			    ['users', { email: `n${++n}@acme.example`, role:
			    'member', name }],
			    ['guests', { floors: [lobby], expires: Date.now() +
			    3600000, note: name }]]);
		});
		const gone = await Promise.all(all.map(async ([what, o]) => {
			const path = what === 'guests' ? '/guests' :
			    `/admin/${what}`;
			const r = await ask('POST', path, o);
			assert.ok([201, 409, 422].includes(r.status),
			    `${r.status} ${what} ${JSON.stringify(o)}`);
			made[what] += r.status === 201;
			return (r.status !== 201 ? null : { what, path: `${
			    path}/${Object.values(r.json)[0].id}`, version:
			    Object.values(r.json)[0].version });
		}));
		const kept = gone.filter((x) => x !== null);
		const floors = kept.filter((x) => x.what === 'floors').length;
		await until(async () => await a.$('floor-list').getByRole(
		    'listitem').count() === floors + 1, 'all floors');
		await whole(a);
		for (const screen of ['groups', 'roles', 'people', 'guests',
		    'review', 'records', 'rules', 'floors']) {
			await s.$(`admin-nav-${screen}`).click();
			await s.see(`admin-${screen}`);
			await until(async () => await s.page.locator('tbody ' +
			    'tr').count() >= (screen === 'groups' ? kept
			    .filter((x) => x.what === screen).length : 0),
			    screen);
			await whole(s);
		}
		await Promise.all(kept.map(async ({ what, path, version }) => {
			const r = await ask('DELETE', path, what === 'roles' ?
			    { version } : {});
			assert.equal(r.status, 204, path);
		}));
	}
	for (const [what, count] of Object.entries(made))
		assert.ok(count > TEXTS.length - 20, `${what}: ${count}`);
	const evil = `</title><script>${BOOM}</script>`;
	await daemon.api(adm, 'PATCH', '/admin/tenant', { title: evil });
	await a.see(a.page.getByText(evil));
	await until(async () => (await a.page.title()).endsWith(evil), 'title');
	await whole(a);
	const d = seat(await at());
	d.expect(/status of 401/);
	await d.see('signin');
	await d.see(d.page.getByText(evil).first());
	await whole(d);
	await daemon.api(adm, 'PATCH', '/admin/tenant', { title: 'Acme' });
}));

test('frames that no server sends do no harm', () => seated(async (seat) => {
	const a = seat(await at(ann, { go: false }));
	let ours = null;

	await a.page.routeWebSocket(/\/ws$/, (ws) => {
		ours = ws;
		ws.connectToServer();
	});
	await a.page.goto(daemon.url('acme'));
	await a.$('people-list').waitFor();
	await a.see(`person-${ann.id}`);
	for (const junk of ['', '{', 'null', '[]', '{"t":"unheard-of"}',
	    '{"t":7}', '\u0000', '"x"', Buffer.alloc(0), Buffer.from([9]),
	    Buffer.from([2, 0, 0, 0, 0, 255, 255, 1]), Buffer.alloc(5000)])
		ours.send(junk);
	await a.write('still here');
	await a.see(a.message('still here'));
	await a.gone('msg-state');
	await whole(a);
}));
