/*
 * Whatever people write is text.  Every field that one person writes and
 * another sees gets the texts of the public list and ours: nothing of them
 * runs, loads or is taken for markup, and each is read as it was written, with
 * what would not be seen named, or was refused.  LONG=1: all in all fields.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';
import { ALL, found, NOTHING_FOUND, UNSEEN_SOURCE, watchDrawn, written } from
    './naughty.mjs';

const LONG = !['', '0', undefined].includes(process.env.LONG);
const SAMPLE = 24;			/* each 24th text goes to all fields */
const WRITERS = 12;

/* In each of these a part, in the first one all. */
const FIELDS = ['floor', 'room', 'direct', 'name', 'note', 'room name',
    'floor name', 'group', 'role', 'account', 'guest note', 'guest', 'title',
    'reason', 'file', 'search', 'address', 'path'];
const counted = {};

let daemon, browser, lobby, ann, adm, writers;

before(async () => {
	daemon = await Daemon.start();
	daemon.agent = new Agent({ keepAlive: true, maxSockets: 6, timeout:
	    3000 });
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	adm = await daemon.person('acme', 'Ada', { role: 'admin' });
	ann = await daemon.person('acme', 'Ann Aoki');
	writers = [];
	for (let i = 0; i < WRITERS; i++)
		writers.push(await daemon.person('acme', `Writer ${i}`));
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	daemon?.agent.destroy();
	await daemon?.end();
});

async function at(who, path = '/') {
	const s = await Seat.open(browser, daemon, 'acme', { who, go: false });

	await s.context.addInitScript(watchDrawn, UNSEEN_SOURCE);
	await s.page.goto(daemon.url('acme', path));
	return (s);
}

/* The texts of one field: all, or the sample and a part of its own. */
function part(field) {
	const k = FIELDS.indexOf(field);

	counted[field] = { sent: 0, shown: 0, cut: 0, refused: 0 };
	return (LONG || k === 0 ? ALL : ALL.filter((_, i) =>
	    i % SAMPLE === 0 || i % FIELDS.length === k));
}

function* rounds(list, n) {
	for (let i = 0; i < list.length; i += n)
		yield list.slice(i, i + n);
}

const short = (s, n) => Array.from(s).slice(0, n).join('');

/* What has to be refused, by the manual: too long, controls, blank. */
const proper = (s, most, blank) => Array.from(s).length <= most &&
    !/\p{Cc}/u.test(s) && (blank || /[^ \u3000]/.test(s));

/* A text as it fits where no server is asked first, or null. */
function fit(field, text, most) {
	const c = counted[field];
	const t = proper(text, most) ? text : short(text.replaceAll(/\p{Cc}/gu,
	    ' '), most);

	c.sent++;
	c.cut += t !== text;
	if (proper(t, most))
		return (t);
	c.refused++;
	return (null);
}

/*
 * A text as a field of `most` characters takes it.  What cannot be is sent as
 * well and must be refused, then its beginning without what was wrong.
 */
async function put(field, text, most, send, blank = false) {
	const c = counted[field];
	let t = text;

	c.sent++;
	if (!proper(t, most, blank)) {
		const r = await send(t);
		assert.equal(r.status, 422, `${field}: ${t}`);
		assert.ok(r.json.field, `${field}: ${t}`);
		c.refused++;
		t = short(t.replaceAll(/\p{Cc}/gu, ' '), most);
		if (!proper(t, most, blank))
			return (null);
		c.cut++;
	}
	const r = await send(t);
	if (r.status === 409) {		/* cut, they are alike */
		c.refused++;
		return (null);
	}
	assert.ok(r.status < 300, `${field}: ${r.status} ${t}`);
	c.shown++;
	return ({ text: t, json: r.json });
}

async function whole(s) {
	assert.deepEqual(await s.page.evaluate(found, UNSEEN_SOURCE),
	    NOTHING_FOUND);
}

/* Texts of many parts of a page at once, by the data-testid. */
const texts = (s, ids, inside = '') => s.page.evaluate(([list, more]) =>
    list.map((id) => document.querySelector(`[data-testid="${id}"] ${more}`)
    ?.textContent ?? null), [ids, inside]);

/* Each of these holds the text that was written. */
async function holds(s, list, inside = '') {
	let got = [];

	await until(async () => {
		got = await texts(s, list.map((x) => x.id), inside);
		return (got.every((t, i) => t !== null &&
		    t.includes(written(list[i].text))));
	}, 'texts as written', 5000).catch(() => assert.fail(JSON.stringify(
	    list.map((x, i) => [x.id, x.text, got[i]]).filter(([, t, g]) =>
	    !g?.includes(written(t))).slice(0, 3))));
	await whole(s);
}

function printed(t, ...fields) {
	for (const f of fields) {
		const c = counted[f];
		t.diagnostic(`${f}: ${c.sent} of ${ALL.length}, ${c.shown
		    } shown, ${c.cut} of them cut, ${c.refused} refused`);
		assert.ok(c.shown >= (LONG ? ALL.length * 0.9 : 40), f);
	}
}

/* One text, which is taken, or refused as none. */
async function said(field, text, say) {
	const c = counted[field];

	c.sent++;
	try {
		await say(text);
		c.shown++;
		return (true);
	} catch (e) {
		assert.match(e.message, /"code":"(empty|field|json)"/, text);
		c.refused++;
		return (false);
	}
}

/*
 * Says all of them, some at a time and each of `lanes` one after the other,
 * and looks at what is shown then.
 */
async function saying(a, field, list, lanes, say) {
	for (const some of rounds(list, 90)) {
		const taken = [];
		await Promise.all(lanes.map(async (w, k) => {
			for (let i = k; i < some.length; i += lanes.length)
				if (await said(field, some[i], (text) =>
				    say(w, text)))
					taken.push(some[i]);
		}));
		let missing = taken;
		await until(async () => {
			const got = new Set(await a.shown());
			missing = taken.filter((t) => !got.has(written(t)));
			return (missing.length === 0);
		}, field).catch((e) => assert.fail(`${e.message} ${
		    JSON.stringify(missing.slice(0, 3))}`));
		await whole(a);
	}
}

test('what is said on a floor, and to one person', (t) =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const ws = await Promise.all(writers.map((w) => Wire.open(daemon, w)));

	await a.inside();
	for (const w of ws)
		await w.enter(lobby);
	await saying(a, 'floor', part('floor'), ws, (w, text) =>
	    w.say('floor', text));
	await a.page.reload();
	await a.see('chat-list');
	await a.see(a.page.locator('.written').first());
	await whole(a);
	await a.tab('direct');
	const list = part('direct');
	const each = Math.ceil(list.length / WRITERS);
	for (const [i, some] of [...rounds(list, each)].entries()) {
		await ws[i].say({ user: ann.id }, 'a first word');
		await a.$(`peer-${writers[i].id}`).click();
		await a.see('peer-back');
		await saying(a, 'direct', some, [ws[i]], (w, text) =>
		    w.say({ user: ann.id }, text));
		/* the last one is in the list, too */
		await a.$('peer-back').click();
		await a.see(`peer-${writers[i].id}`);
		await whole(a);
	}
	printed(t, 'floor', 'direct');
	for (const w of ws)
		w.close();
}));

/* One open room around everybody, and strips with names. */
function map(names) {
	return ({ version: 1, size: [2000, 2000], floor: 'wood', walls:
	    [[7, 7, 1993, 7], [1993, 7, 1993, 1993], [1993, 1993, 7, 1993],
	    [7, 1993, 7, 7]], rooms: names.map((name, i) => ({ id: i + 1,
	    kind: 'cafe', name, shape: i === 0 ? [[20, 1000], [1980, 1000],
	    [1980, 1980], [20, 1980]] : [[20 + i * 30, 20], [46 + i * 30, 20],
	    [46 + i * 30, 500], [20 + i * 30, 500]], capacity: 50, surface:
	    'stone', lock: false, doors: [] })), furniture: [], spawn:
	    Array.from({ length: 16 }, (_, i) => [200 + i * 100, 1500]) });
}

test('names of rooms, and what is said in one', (t) => seated(async (seat) => {
	const a = seat(await at(ann)), names = [], list = part('room name');
	const c = counted['room name'];
	const ws = await Promise.all(writers.map((w) => Wire.open(daemon, w)));

	await a.inside();
	for (const text of list) {
		const name = fit('room name', text, 64);
		if (name !== null)
			names.push(name);
	}
	let n = 0;
	for (const some of rounds(names, 64)) {
		const file = `${daemon.dir}/map`;
		writeFileSync(file, JSON.stringify(map(some)));
		await daemon.ctl('floor', 'add', 'acme', `Map ${++n}`, 'map',
		    file);
		await a.see(a.page.getByText(`Map ${n}`, { exact: true }));
		await a.$('floor-list').getByText(`Map ${n}`, { exact: true })
		    .click();
		await until(() => a.floor().name === `Map ${n}`, 'the floor');
		await a.see(a.page.locator('.rooms h3').nth(some.length));
		assert.deepEqual((await a.page.locator('.rooms h3')
		    .allTextContents()).slice(1), some.map(written));
		c.shown += some.length;
		await whole(a);
		await a.page.keyboard.press('Control+k');
		await a.see('search');
		await whole(a);
		await a.page.keyboard.press('Escape');
		await a.gone('search');
	}
	const here = a.floor().id;
	for (const w of ws)
		await w.enter(here);
	await a.tab('room');
	await saying(a, 'room', part('room'), ws, (w, text) =>
	    w.say('room', text));
	printed(t, 'room name', 'room');
	for (const w of ws)
		w.close();
}));

test('names and notes, in lists, cards, words, calls and search', (t) =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const ws = await Promise.all(writers.map((w) => Wire.open(daemon, w)));
	const set = (who) => (o) => daemon.ask('acme.localhost', 'PATCH',
	    '/api/v1/me', o, who.cookie);

	await a.inside();
	for (const w of ws)
		await w.enter(lobby);
	await a.$('floor-list').getByText('Lobby', { exact: true }).click();
	await a.see(`person-${writers[0].id}`);
	const notes = part('note');
	for (const [n, some] of [...rounds(part('name'), WRITERS)].entries()) {
		const names = [], said = [];
		await Promise.all(some.map(async (text, i) => {
			const r = await put('name', text, 64, (name) =>
			    set(writers[i])({ name }));
			if (r !== null)
				names.push({ i, text: r.text, id: `person-${
				    writers[i].id}` });
			const note = notes[n * WRITERS + i];
			const q = note === undefined ? null : await put('note',
			    note, 80, (x) => set(writers[i])({ note: x }),
			    true);
			if (q !== null && q.text !== '')
				said.push({ text: q.text, id: `person-${
				    writers[i].id}` });
		}));
		await holds(a, names, '.person-first');
		await holds(a, said, '.person-note');
		/* the same in words, and then drawn again */
		await a.$('text-toggle').click();
		await holds(a, names.map((x) => ({ ...x, id: 'text-view' })));
		await a.$('text-toggle').click();
		if (names.length === 0)
			continue;
		/* one of them in all other places, best one with such marks */
		const { i, text } = names.find((x) => written(x.text) !==
		    x.text) ?? names[n % names.length];
		await ws[i].say('floor', `word ${n}`);
		await a.see(a.message(`word ${n}`));
		await holds(a, [{ id: 'chat-list', text }]);
		ws[i].tell({ t: 'call', kind: 'come', user: ann.id, ref:
		    `c${n}` });
		await a.see('call-come');
		await holds(a, [{ id: 'calls', text }]);
		await a.$('call-no').click();
		await a.gone('call-come');
		await a.$(`person-${writers[i].id}`).click();
		await a.see('person-card');
		await holds(a, [{ id: 'person-card', text }]);
		await a.$('card-write').click();
		await a.see('peer-back');
		await whole(a);
		await a.$('peer-back').click();
		await a.tab('floor');
		await a.page.keyboard.press('Control+k');
		await a.$('search-input').fill(text);
		await a.see(`found-p${writers[i].id}`);
		await whole(a);
		await a.page.keyboard.press('Escape');
		await a.gone('search');
	}
	printed(t, 'name', 'note');
	await Promise.all(writers.map((w, i) => set(w)({ name: `Writer ${i}`,
	    note: '' })));
	for (const w of ws)
		w.close();
}));

const ask = (method, path, o) => daemon.ask('acme.localhost', method,
    `/api/v1${path}`, o, adm.cookie);

/* What administrators make: the field, how, its line, and how many chars. */
const MADE = [
	['floor name', '/admin/floors', 'floor', 64, (name) => ({ name,
	    template: 'lobby' })],
	['group', '/admin/groups', 'group', 64, (name) => ({ name,
	    members: [ann.id] })],
	['role', '/admin/roles', 'role', 64, (name) => ({ name,
	    can: ['chat'] })],
	['account', '/admin/users', 'user', 64, (name) => ({ name, role:
	    'member', email: `n${++mails}@acme.example` })],
	['guest note', '/guests', 'guest', 80, (note) => ({ note, floors:
	    [lobby], expires: Date.now() + 3600000, uses: 2 })],
];
let mails = 0;

/* Makes one of each field's next texts; what is there then, by its line. */
async function makes(lists, from, to) {
	const out = [];

	await Promise.all(MADE.flatMap(([field, path, what, most, body], k) =>
	    lists[k].slice(from, to).map(async (text) => {
		if (what === 'user' && text === '')
			return;		/* a name that is left out */
		const r = await put(field, text, most, (t) => ask('POST', path,
		    body(t)), field === 'guest note');
		if (r === null)
			return;
		const { id, version } = r.json[what];
		out.push({ field, text: r.text, id: `admin-${what}-${id}`,
		    path: `${path}/${id}`, number: id, version, url:
		    r.json.url ?? r.json.invite?.url });
	    })));
	return (out);
}

test('what administrators name, on all their screens', (t) =>
    seated(async (seat) => {
	const s = seat(await at(adm, '/admin/floors'));
	const a = seat(await at(ann)), d = seat(await at());
	const lists = MADE.map(([field]) => part(field));
	const N = 25;

	d.expect(/status of 401/);
	await s.see('admin-floors');
	await a.inside();
	for (let i = 0; i < Math.max(...lists.map((l) => l.length)); i += N) {
		const made = await makes(lists, i, i + N);
		const of = (f) => made.filter((x) => x.field === f);
		/* in the group, the role and onto the floor */
		await Promise.all(of('account').map((x, k) => ask('PATCH',
		    x.path, { role: of('role')[k]?.number ?? 'member' })));
		for (const [screen, field] of [['groups', 'group'], ['roles',
		    'role'], ['people', 'account'], ['guests', 'guest note'],
		    ['floors', 'floor name']]) {
			await s.$(`admin-nav-${screen}`).click();
			await s.see(`admin-${screen}`);
			await holds(s, of(field));
			await asks(s, screen, of(field)[0]);
		}
		const [person] = of('account');
		if (person !== undefined) {
			await s.$('admin-nav-people').click();
			await s.$('admin-people-find').fill(person.text);
			await s.see(person.id);
			await whole(s);
			await d.page.goto(person.url);
			await d.see('invite');
			assert.equal(await d.$('invite-name').inputValue(),
			    person.text);
			await whole(d);
		}
		await s.$('admin-nav-review').click();
		await holds(s, of('account').map((x) => ({ text: x.text, id:
		    `review-user-${x.number}` })));
		await s.$('admin-nav-records').click();
		await s.see('records-audit');
		await s.see(s.page.locator('.records tbody tr').first());
		await whole(s);
		await holds(a, of('floor name').map((x) => ({ text: x.text,
		    id: `floor-${x.number}` })));
		await Promise.all(of('account').map((x) => ask('DELETE',
		    x.path, {})));
		await Promise.all(made.filter((x) => x.field !== 'account')
		    .map(async (x) => assert.equal((await ask('DELETE', x.path,
		    x.field === 'role' ? { version: x.version } : {})).status,
		    204, x.path)));
	}
	printed(t, ...MADE.map(([field]) => field));
}));

/* The question before it is removed names it. */
async function asks(s, screen, x) {
	if (x === undefined)
		return;
	if (screen === 'guests') {
		await s.$(`admin-guest-revoke-${x.number}`).click();
	} else {
		await s.$(`admin-more-${x.number}`).click();
		await s.page.getByRole('button', { name: 'Remove' }).last()
		    .click();
	}
	await s.see('confirm');
	if (screen === 'guests')
		await whole(s);
	else
		await holds(s, [{ id: 'confirm', text: x.text }]);
	await s.page.keyboard.press('Escape');
	await s.gone('confirm');
}

test('the names of guests, at the door and inside', (t) =>
    seated(async (seat) => {
	const a = seat(await at(adm)), s = seat(await at(adm,
	    '/admin/guests'));
	const g = seat(await at());

	g.expect(/status of 401/, /WebSocket/);
	await a.inside();
	await s.see('admin-guests');
	for (const some of rounds(part('guest'), 20)) {
		const r = await ask('POST', '/guests', { floors: [lobby],
		    expires: Date.now() + 3600000, uses: 100, approval: true });
		const path = `/api/v1${new URL(r.json.url).pathname}`;
		const came = [];
		for (const text of some) {
			let cookie;
			const q = await put('guest', text, 64, async (name) => {
				const x = await daemon.ask('acme.localhost',
				    'POST', path, { name, password: '' });
				cookie = x.headers['set-cookie']?.[0]
				    .split(';')[0];
				return (x);
			});
			if (q === null)
				continue;
			const who = { tenant: 'acme', cookie, id:
			    q.json.user.id };
			const w = await Wire.open(daemon, who, 'waiting');
			came.push({ text: q.text, id: `knock-${who.id}`, who,
			    w });
		}
		await holds(a, came);
		await s.$('admin-guests-again').click();
		await holds(s, came.map((x) => ({ text: x.text, id:
		    `admin-visit-${x.who.id}` })));
		/* one of them in a browser, and then inside */
		await g.cookie(came[0].who);
		await g.page.goto(daemon.url('acme'));
		await holds(g, [{ id: 'lobby', text: came[0].text }]);
		await a.$(`knock-admit-${came[0].who.id}`).click();
		await g.inside();
		await holds(g, [{ id: `person-${came[0].who.id}`, text:
		    came[0].text }]);
		await holds(a, [{ id: `person-${came[0].who.id}`, text:
		    came[0].text }]);
		await ask('DELETE', `/guests/${r.json.guest.id}`, {});
		for (const x of came)
			x.w.close();
		await g.see('over');
		await whole(g);
		await g.context.clearCookies();
	}
	printed(t, 'guest');
}));

test('the title of the office, reasons, files, addresses and paths', (t) =>
    seated(async (seat) => {
	const s = seat(await at(adm, '/admin/records'));
	const a = seat(await at(ann)), d = seat(await at());

	d.expect(/status of 401/);
	await a.inside();
	await s.see('records-audit');
	await d.see('signin');
	for (const [i, text] of part('title').entries()) {
		const r = await put('title', text, 100, (title) => ask('PATCH',
		    '/admin/tenant', { title }));
		if (r === null)
			continue;
		await until(async () => (await a.page.locator('.top-tenant')
		    .textContent()) === written(r.text), r.text);
		await until(async () => (await a.page.title()).endsWith(
		    written(r.text).replaceAll(/\s+/g, ' ').trim()), r.text);
		await whole(a);
		if (i % 10 !== 0)
			continue;
		await d.page.reload();
		await holds(d, [{ id: 'signin', text: r.text }]);
	}
	await ask('PATCH', '/admin/tenant', { title: 'Acme' });

	printed(t, 'title');

	/* An operator's reasons, as the tenant sees them. */
	const reasons = [];
	for (const text of part('reason')) {
		const c = counted.reason, reason = fit('reason', text, 120);
		if (reason === null)
			continue;
		await daemon.ctl('tenant', 'export', 'acme', `${daemon.dir}/x${
		    c.sent}`, 'reason', reason);
		reasons.push({ text: reason, id: `records-export-${
		    ++c.shown}` });
	}
	await s.$('records-exports').click();
	await s.see(reasons.at(-1).id);
	await holds(s, reasons.slice(-100));	/* it has the newest 100 */
	await s.$('records-audit').click();
	await s.see(s.page.locator('.records tbody tr').first());
	await whole(s);
	printed(t, 'reason');
}));

test('cells of a file, and what strangers send, in the records', (t) =>
    seated(async (seat) => {
	const s = seat(await at(adm, '/admin/people'));
	const cell = (x) => `"${x.replaceAll('"', '""')}"`;
	const names = [];

	for (const text of part('file')) {
		const name = fit('file', text, 64);
		if (name !== null)
			names.push(name);
	}
	await s.$('admin-people-import').click();
	for (const some of rounds(names, 150))
		for (const column of ['name', 'role', 'groups']) {
			await s.$('import-text').fill(`email,${column}\n` +
			    some.map((x, i) => `f${i}@acme.example,${cell(x)}`)
			    .join('\n'));
			await s.$('import-check').click();
			await s.see('import-lines');
			await s.$('import-which').selectOption('all');
			await s.see(`import-line-${some.length + 1}`);
			if (column === 'name')
				await holds(s, some.map((text, i) => ({
				    text: text.trim(), id:
				    `import-line-${i + 2}` })));
			await whole(s);
			counted.file.shown += column === 'name' ? some.length :
			    0;
			await s.$('import-back').click();
		}
	printed(t, 'file');

	await daemon.ctl('policy', 'set', 'acme', 'log-console', '1');
	for (const text of part('address')) {
		const r = await daemon.ask('acme.localhost', 'POST',
		    '/api/v1/session', { email: text, password: 'x' },
		    undefined, '127.0.0.9');
		const c = counted.address;
		c.sent++;
		assert.ok([401, 422, 429].includes(r.status), `${r.status} ${
		    text}`);
		c[r.status === 422 ? 'refused' : 'shown']++;
	}
	for (const text of part('path')) {
		const r = await ask('GET', `/floors/x${encodeURIComponent(
		    text.toWellFormed())}?${encodeURI(text)
		    .replaceAll('#', '%23')}`);
		const c = counted.path;
		c.sent++;
		assert.ok(r.status >= 400 && r.status < 500, text);
		c[r.status === 404 ? 'shown' : 'refused']++;
	}
	await s.$('admin-nav-records').click();
	await s.$('records-log').click();
	await until(async () => {
		for (const kind of ['failed', 'request', '']) {
			await s.$('records-kind').selectOption(kind);
			await s.page.locator('[data-testid=records-log-line],' +
			    '.admin .empty').first().waitFor();
			await whole(s);
		}
		return (await s.$('records-log-line').count() > 20);
	}, 'the log');
	await daemon.ctl('policy', 'set', 'acme', 'log-console', '0');
	for (const f of ['address', 'path']) {
		const c = counted[f];
		t.diagnostic(`${f}: ${c.sent} of ${ALL.length}, ${
		    c.shown} taken, ${c.refused} refused`);
	}
}));

test('what is typed to search for', (t) => seated(async (seat) => {
	const a = seat(await at(ann));
	const s = seat(await at(adm, '/admin/people'));

	await a.inside();
	await a.page.keyboard.press('Control+k');
	await s.see('admin-people-find');
	for (const text of part('search')) {
		for (const box of [a.$('search-input'),
		    s.$('admin-people-find')]) {
			const x = text.replaceAll(/[\r\n]/g, '');
			await box.fill(x);
			assert.equal(await box.inputValue(), x);
		}
		counted.search.sent++;
		counted.search.shown++;
		await whole(a);
		await whole(s);
	}
	printed(t, 'search');
}));

test('frames that no server sends do no harm', () => seated(async (seat) => {
	const a = seat(await Seat.open(browser, daemon, 'acme', { who: ann,
	    go: false }));
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
