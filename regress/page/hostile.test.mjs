/* Whatever people write is text: in messages, names, notes and titles. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

const BOOM = 'window.boom=1;alert(1)';

/* Ways to be taken for something else than text. */
const NAUGHTY = [
	`<script>${BOOM}</script>`,
	`</script><script>${BOOM}</script>`,
	`<img src=x onerror="${BOOM}">`,
	`"><img src=x onerror=${BOOM}>`,
	`<svg onload="${BOOM}"></svg>`,
	`<svg><script href="data:,${BOOM}"/></svg>`,
	`<iframe src="javascript:${BOOM}"></iframe>`,
	`<a href="javascript:${BOOM}">click</a>`,
	`<body onload=${BOOM}>`,
	`<details open ontoggle=${BOOM}>`,
	`<input autofocus onfocus=${BOOM}>`,
	`<math><mtext><style><img src=x onerror=${BOOM}>`,
	`<link rel=stylesheet href=//evil.example/x.css>`,
	`<base href=//evil.example/>`,
	`<meta http-equiv=refresh content="0;url=//evil.example/">`,
	`<form action=//evil.example/><button>go</button></form>`,
	`<style>body{display:none}</style>`,
	`<plaintext>`,
	`<!--`,
	`--><b>bold</b>`,
	`]]><b>x</b>`,
	`<title>stolen</title>`,
	`javascript:${BOOM}`,
	`JaVaScRiPt:${BOOM}`,
	`java\tscript:${BOOM}`,
	`data:text/html,<script>${BOOM}</script>`,
	`vbscript:msgbox(1)`,
	`https://evil.example/"onmouseover="${BOOM}`,
	`https://evil.example/<img/src=x/onerror=${BOOM}>`,
	`http://evil.example\\@acme.localhost/`,
	`&lt;b&gt; &amp;amp; &#60;b&#62; &#x3c;`,
	`{{constructor.constructor('${BOOM}')()}}`,
	'${' + BOOM + '}',
	`';${BOOM};//`,
	`\\";${BOOM};//`,
	`%3Cscript%3E${BOOM}%3C/script%3E`,
	`\\u003cscript\\u003e${BOOM}`,
	`__proto__`,
	`constructor`,
	`{"t":"bye","reason":"ended"}`,
	`null`,
	`{name} {n|one|many}`,
	`safe\u202etxt.exe`,
	`zero\u200bwidth\ufeffmarks`,
	`Z\u0351\u036b\u0343\u034b\u0343\u034e\u0348\u0331\u034ealgo`,
	`👩‍👩‍👧‍👦🏳️‍🌈 家族`,
	`שלום עולם مرحبا`,
	`\ud842\udfb7野家 﨑 ㍻ ﷽`,
];

const short = (s, n) => Array.from(s).slice(0, n).join('');
/* Not in names and notes: control characters. */
const tame = (s) => s.replaceAll('\t', ' ');

let daemon, browser, lobby, ann, ben, cat, adm;

before(async () => {
	daemon = await Daemon.start();
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

/* As the page shows a text: marks that cannot be seen are named. */
const plain = (t) => t.replaceAll(/\s+/g, ' ').trim();

test('messages are text', () => seated(async (seat) => {
	const a = seat(await at(ann));
	const w = await Wire.open(daemon, ben);

	await a.inside();
	await w.enter(lobby);
	for (const text of NAUGHTY)
		await w.say('floor', text);
	await w.say('floor', 'the end');
	await a.see(a.message('the end'));
	const got = (await a.shown()).slice(-NAUGHTY.length - 1, -1);
	for (const [i, text] of NAUGHTY.entries())
		if (!/[\u200b\u202e\ufeff]/.test(text))
			assert.equal(plain(got[i]), plain(text));
	await whole(a, /^Lobby - Acme$/);
	await a.page.reload();
	await a.see(a.message('the end'));
	await whole(a);
	w.close();
}));

test('names and notes are text, in lists, cards, search and chat', () =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const w = await Wire.open(daemon, ben);

	await a.inside();
	await w.enter(lobby);
	for (const text of NAUGHTY) {
		const name = short(tame(text), 64), note = short(tame(text), 80);
		const r = await daemon.ask('acme.localhost', 'PATCH',
		    '/api/v1/me', { name, note }, ben.cookie);
		if (r.status === 422)
			continue;	/* not a name: nothing to show */
		assert.equal(r.status, 200, text);
		const last = r.json.user;
		await until(() => a.frames.some((m) => m.t === 'update' &&
		    m.user === ben.id && m.name === last.name), text);
		if (!/[\u200b\u202e\ufeff]/.test(name))
			await until(async () => plain(await a.page.locator(
			    `[data-testid=person-${ben.id}] .person-first`)
			    .textContent()) === plain(last.name), text);
	}
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
	w.close();
}));

test('names of floors, groups and the company are text', () =>
    seated(async (seat) => {
	const a = seat(await at(ann));
	const s = seat(await at(adm, { path: '/admin/floors' }));
	const add = (path, o) => daemon.ask('acme.localhost', 'POST',
	    `/api/v1/admin/${path}`, o, adm.cookie);
	let floors = 0, groups = 0;

	await a.inside();
	for (const text of NAUGHTY) {
		const name = short(tame(text), 60);
		const f = await add('floors', { name, template: 'lobby' });
		const g = await add('groups', { name, members: [ann.id] });
		for (const r of [f, g])
			assert.ok([201, 409, 422].includes(r.status),
			    `${r.status} ${text}`);
		floors += f.status === 201;
		groups += g.status === 201;
	}
	assert.ok(floors > 30 && groups > 30);
	await until(async () => await a.$('floor-list').getByRole('listitem')
	    .count() === floors + 1, 'all floors');
	await whole(a);
	await s.page.reload();
	await until(async () => await s.page.locator('tbody tr').count() ===
	    floors + 1, 'all floors');
	await whole(s);
	await s.$('admin-nav-groups').click();
	await until(async () => await s.page.locator('tbody tr').count() ===
	    groups, 'all groups');
	await whole(s);
	await s.$('admin-nav-people').click();
	await s.see('admin-users');
	await whole(s);
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
