/* What people write: to the floor, to a room, to one person. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, Seat, seated } from './browser.mjs';
import { Daemon, until, Wire } from './daemon.mjs';

let daemon, browser, lobby, office, ann, ben, cat;

before(async () => {
	daemon = await Daemon.start();
	await daemon.tenant('acme', 'Acme');
	lobby = await daemon.floor('acme', 'Lobby', 'lobby');
	office = await daemon.floor('acme', 'Office', 'office');
	ann = await daemon.person('acme', 'Ann Aoki');
	ben = await daemon.person('acme', 'Ben Bauer');
	cat = await daemon.person('acme', 'Cat Chen');
	browser = await openBrowser();
});

after(async () => {
	await browser?.close();
	await daemon?.end();
});

const at = async (who, options) => (await Seat.open(browser, daemon, 'acme',
    { who, ...options })).inside();

async function search(s, words) {
	await s.page.keyboard.press('Control+k');
	await s.$('search-input').fill(words);
	await s.page.keyboard.press('Enter');
	await s.gone('search');
}

test('a word to the floor reaches all on it once, in order', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));
	const said = ['one', 'two', 'three', 'four', 'five'];

	for (const w of said)
		await (w === 'three' ? b : a).write(`${w} `)
		    .then(() => b.see(b.message(w)))
		    .then(() => a.see(a.message(w)));
	assert.deepEqual((await a.shown()).slice(-5), said);
	assert.deepEqual((await b.shown()).slice(-5), said);
	await until(async () => await a.$('msg-state').count() === 0, 'acks');
	await a.page.reload();
	await a.see(a.message('five'));
	assert.deepEqual((await a.shown()).slice(-5), said);
}));

test('a message is erased on every page; only one\'s own has the button', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));

	await a.write('a word too many');
	await b.see(b.message('a word too many'));
	const mine = a.page.locator('li.msg', { hasText: 'a word too many' });
	assert.equal(await b.page.locator('li.msg', { hasText:
	    'a word too many' }).locator('.msg-erase').count(), 0);
	await mine.hover();
	await mine.locator('.msg-erase').click();
	await a.$('confirm-yes').click();
	await b.gone(b.message('a word too many'));
	await a.gone(a.message('a word too many'));
	await a.page.reload();
	await a.inside();
	assert.ok(!(await a.shown()).includes('a word too many'));
}));

test('a word to a room stays in it', () => seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));
	const c = seat(await at(cat));

	await search(a, 'Caf');
	await search(b, 'Caf');
	await a.reads(`person-${ben.id}`, /Café/);
	await b.reads(`person-${ben.id}`, /Café/);
	await a.tab('room');
	await b.tab('room');
	await a.write('between us');
	await b.see(b.message('between us'));
	await b.write('quite');
	await a.see(a.message('quite'));
	await a.tab('floor');
	await a.write('for all');
	await c.see(c.message('for all'));
	assert.ok(!c.frames.some((m) => /between us|quite/.test(m.text ?? '')));
	assert.ok(!(await c.shown()).includes('between us'));
	assert.ok(!(await a.shown()).includes('between us'));
	const r = await daemon.ask('acme.localhost', 'GET',
	    `/api/v1/messages?channel=room:${lobby}:2`, undefined, cat.cookie);
	assert.ok(r.status >= 400, `${r.status}: not in the room`);
}));

test('a word to one person: counted, read, answered', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));
	const c = seat(await at(cat));

	await a.$(`person-${ben.id}`).click();
	await a.$('card-write').click();
	await a.see('peer-back');
	await a.write('psst');
	await a.write('are you there');
	await b.reads('tab-direct', /2 unread/);
	await until(async () => /^\(\d+\)/.test(await b.page.title()),
	    'the title counts');
	await b.tab('direct');
	await b.reads(`peer-${ann.id}`, /2 unread/);
	await b.$(`peer-${ann.id}`).click();
	await b.see(b.message('psst'));
	await b.reads('tab-direct', /^(?!.*unread)/s);
	await b.write('yes');
	await a.see(a.message('yes'));
	assert.ok(!c.frames.some((m) => /psst|are you there/.test(m.text)));
	assert.deepEqual(await a.shown(), ['psst', 'are you there', 'yes']);
	await b.page.reload();
	await b.inside();
	await b.reads('tab-direct', /^(?!.*unread)/s);
}));

test('on a telephone: what a sheet shows when it opens is read', () =>
    seated(async (seat) => {
	const who = await daemon.person('acme', 'Pat Pocket');
	const a = seat(await at(who, { viewport: { width: 390, height: 844 },
	    hasTouch: true, isMobile: true }));
	const w = await Wire.open(daemon, cat);
	const read = (id) => until(() => a.sent.some((m) => m.t === 'read' &&
	    m.channel === `user:${cat.id}` && m.id === id), `${id} is read`);
	const known = (id) => until(() => a.frames.some((m) => m.t === 'msg' &&
	    m.id === id), `${id} has come`);

	const first = await w.say({ user: who.id }, 'psst');
	await known(first);
	await a.$('dock-chat').tap();
	await a.tab('direct');
	await a.$(`peer-${cat.id}`).tap();
	await read(first);
	await a.page.keyboard.press('Escape');
	await a.gone('sheet-chat');
	/* It is known by the time that it is shown. */
	const second = await w.say({ user: who.id }, 'are you there');
	await known(second);
	await a.$('dock-chat').tap();
	await a.see(a.message('are you there'));
	await read(second);
	await a.reads('tab-direct', /^(?!.*unread)/s);
	w.close();
}));

test('unread of the floor, and of another floor, while one is elsewhere', () =>
    seated(async (seat) => {
	const b = seat(await at(ben));
	const w = await Wire.open(daemon, cat);

	await b.tab('direct');
	await w.enter(lobby);
	for (const n of [1, 2, 3])
		await w.say('floor', `missed ${n}`);
	await b.reads('tab-floor', /3 unread/);
	await b.tab('floor');
	await b.see('new-line');
	await b.reads('tab-floor', /^(?!.*unread)/s);
	await w.enter(office);
	await w.say('floor', 'upstairs');
	w.close();
	await b.page.close();
	b.page = await b.newPage();
	await b.page.goto(daemon.url('acme'));
	await b.reads(`floor-${office}`, /1 unread/);
	await b.reads('tab-floor', /^(?!.*unread)/s);
}));

test('Enter that ends a composition does not send, the next one does', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));
	const ime = await a.context.newCDPSession(a.page);
	const input = a.$('chat-input');
	const key = (type, code, key, more = {}) => ime.send(
	    'Input.dispatchKeyEvent', { type, windowsVirtualKeyCode: code,
	    key, code: key, ...more });

	await input.click();
	for (const text of ['k', 'か', 'かい', 'かいぎ'])
		await ime.send('Input.imeSetComposition', { text,
		    selectionStart: text.length, selectionEnd: text.length });
	await until(async () => await input.inputValue() === 'かいぎ',
	    'composing');
	/* as browsers say it: 229, in the composition */
	await key('rawKeyDown', 229, 'Enter');
	await ime.send('Input.insertText', { text: '会議' });
	await key('keyUp', 13, 'Enter');
	await until(async () => await input.inputValue() === '会議',
	    'composed');
	/* the composition is over, and nothing was sent */
	assert.ok(!a.sent.some((m) => m.t === 'say'));
	assert.equal(await a.$('msg-state').count(), 0);
	await a.page.keyboard.type('です');
	const ended = await a.page.evaluate('performance.now()');
	await a.page.keyboard.press('Shift+Enter');
	await a.page.keyboard.type('10時');
	assert.ok(!a.sent.some((m) => m.t === 'say'));
	/* an Enter right after a composition would still belong to it */
	await until(async () => await a.page.evaluate('performance.now()') >
	    ended + 100, 'a tenth of a second');
	await a.page.keyboard.press('Enter');
	await b.see(b.message(/^会議です\s10時$/));
	assert.deepEqual(a.sent.filter((m) => m.t === 'say')
	    .map((m) => m.text), ['会議です\n10時']);
	assert.equal(await input.inputValue(), '');
}));

test('addresses are links, of http and https alone, and say no referrer', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));

	await a.write('see https://example.com/a?b=1&c=2 and ' +
	    'http://example.org/x。 not javascript:alert(1) ' +
	    'data:text/html,<b>x ftp://example.net/ ' +
	    'https://user:pass@example.com/ www.example.com');
	await b.see(b.page.getByRole('link', { name: /example\.com\/a/ }));
	for (const s of [a, b])
		assert.deepEqual(await s.$('chat-list').locator('a').evaluateAll(
		    (l) => l.map((x) => [x.getAttribute('href'), x.rel,
		    x.target])), [
			['https://example.com/a?b=1&c=2',
			    'noopener noreferrer', '_blank'],
			['http://example.org/x', 'noopener noreferrer',
			    '_blank']]);
}));

test('the limit of 4000 characters is said before it is reached', () =>
    seated(async (seat) => {
	const a = seat(await at(ann)), b = seat(await at(ben));

	await a.$('chat-input').fill('𠮷'.repeat(4001));
	await a.see(a.page.getByText('1 character too many'));
	assert.ok(await a.$('chat-send').isDisabled());
	await a.page.keyboard.press('Enter');
	assert.ok(!a.sent.some((m) => m.t === 'say'));
	await a.$('chat-input').fill('𠮷'.repeat(4000));
	await a.$('chat-send').click();
	await b.see(b.message('𠮷'.repeat(4000)));
	await a.gone('msg-state');
}));

test('what was begun in one talk waits there', () => seated(async (seat) => {
	const a = seat(await at(ann));

	await a.$('chat-input').fill('for the floor');
	await a.tab('direct');
	await a.$(`peer-${ben.id}`).click();
	await a.see('peer-back');
	assert.equal(await a.$('chat-input').inputValue(), '');
	await a.$('chat-input').fill('for Ben');
	await a.tab('floor');
	assert.equal(await a.$('chat-input').inputValue(), 'for the floor');
	await a.tab('direct');
	await a.$(`peer-${ben.id}`).click();
	await a.see('peer-back');
	assert.equal(await a.$('chat-input').inputValue(), 'for Ben');
}));

const LONG = Array.from({ length: 200 }, (_, n) =>
    `line ${n + 1} of a long talk`);
let said = false;

/* On the office floor, once, before the first test that reads it. */
async function longTalk() {
	const w = await Wire.open(daemon, cat);

	await w.enter(office);
	for (const text of said ? [] : LONG)
		await w.say('floor', text);
	said = true;
	w.close();
}

test('two hundred messages: scrolling up brings all, once each, in order',
    () => seated(async (seat) => {
	await longTalk();
	const a = seat(await at(ann));
	await a.page.getByTestId('floor-list').getByText('Office').click();
	await a.see(a.message(LONG[199]));
	const list = a.page.getByRole('region', { name: 'Messages' });
	assert.ok((await a.shown()).length <= 100, 'a page at a time');
	await until(async () => {
		await list.evaluate((e) => { e.scrollTop = 0; });
		return ((await a.shown()).includes(LONG[0]));
	}, 'the first');
	const all = (await a.shown()).filter((t) => t.startsWith('line '));
	assert.deepEqual(all, LONG);
	await a.see('chat-newest');
	await a.$('chat-newest').click();
	await a.see(a.message(LONG[199]));

	await daemon.restart();
	await a.gone('banner');
	await a.page.reload();
	await a.see(a.message(LONG[199]));
}));

test('who reads above stays there when something new comes', () =>
    seated(async (seat) => {
	await longTalk();
	const a = seat(await at(ann));
	const w = await Wire.open(daemon, cat);

	await a.page.getByTestId('floor-list').getByText('Office').click();
	await a.see(a.message(LONG[199]));
	const list = a.page.getByRole('region', { name: 'Messages' });
	await list.evaluate((e) => { e.scrollTop = e.scrollHeight; });
	await a.gone('chat-newest');
	await until(async () => {
		await list.evaluate((e) => {
			e.scrollTop = (e.scrollHeight - e.clientHeight) / 2;
		});
		return (await a.$('chat-newest').isVisible());
	}, 'above');
	const top = await list.evaluate((e) => e.scrollTop);
	await w.enter(office);
	await w.say('floor', 'news');
	await a.reads('chat-newest', /1 new/);
	assert.ok(Math.abs(await list.evaluate((e) => e.scrollTop) - top) < 2);
	w.close();
}));

/* Answers for the server; how often it was asked, and when. */
async function refusing(s, status, word, wait) {
	const asked = { n: 0, at: [] };

	await s.page.route('**/api/v1/messages?*', (r) => {
		asked.n++;
		asked.at.push(Date.now());
		return (r.fulfill({ status, contentType:
		    'application/problem+json', headers: { 'Retry-After':
		    String(wait) }, body: JSON.stringify({ status,
		    type: `/problems/${word}` }) }));
	});
	return (asked);
}

test('a history that is refused is asked for when the server says, and by hand',
    () => seated(async (seat) => {
	await longTalk();
	const a = seat(await at(ben));

	a.expect(/503|429/);
	await a.write('all is well');
	await a.see(a.message('all is well'));
	const busy = await refusing(a, 503, 'busy', 1000);
	await a.tab('direct');
	await a.$(`peer-${cat.id}`).click();
	await a.reads('chat-unloaded', /busy/);
	await a.tab('floor');
	await a.tab('direct');		/* drawn again, and again */
	await a.$(`peer-${cat.id}`).click();
	await a.$('chat-input').fill('meanwhile');
	assert.equal(busy.n, 1);
	await a.$('chat-reload').click();
	await until(() => busy.n === 2, 'asked by hand');
	await a.see('chat-unloaded');
	await a.page.unroute('**/api/v1/messages?*');
	await a.$('chat-reload').click();
	await a.gone('chat-unloaded');

	await a.tab('floor');
	await a.page.getByTestId('floor-list').getByText('Office').click();
	await a.see(a.message(LONG[199]));
	const many = await refusing(a, 429, 'too-many', 1);
	const list = a.page.getByRole('region', { name: 'Messages' });
	const top = () => list.evaluate((e) => { e.scrollTop = 0; });
	await until(async () => {
		await top();
		return (many.n > 0);
	}, 'asked for older ones');
	await a.reads('chat-unloaded', /Wait about 1 second/);
	await until(() => many.n >= 3, 'asked again by itself');
	for (const i of [1, 2])
		assert.ok(many.at[i] - many.at[i - 1] >= 1000,
		    'when it was told to');
	await a.page.unroute('**/api/v1/messages?*');
	await until(async () => {
		await top();
		return ((await a.shown()).includes(LONG[0]));
	}, 'the first');
	await a.gone('chat-unloaded');
}));

/* Would the page take this key from whoever scrolls by it? */
function taken() {
	return (!document.body.dispatchEvent(new KeyboardEvent('keydown',
	    { code: 'ArrowDown', key: 'ArrowDown', bubbles: true,
	    cancelable: true })));
}

for (const [what, item, there] of [
	['the administration', 'open-admin', 'admin-people'],
	['the talk check', 'open-check', 'talk-check']])
test(`behind ${what} nothing is read, loaded or walked`, () =>
    seated(async (seat) => {
	const adm = await daemon.person('acme', 'Dan Diaz', { role: 'admin' });
	const a = seat(await at(adm));
	const w = await Wire.open(daemon, cat);
	let asked = 0;

	await w.enter(office);
	const last = await w.say('floor', `before ${what}`);
	await a.page.getByTestId('floor-list').getByText('Office').click();
	await a.see(a.message(`before ${what}`));
	const read = (id) => a.sent.some((m) => m.t === 'read' &&
	    m.channel === `floor:${office}` && m.id === id);
	const list = a.page.getByRole('region', { name: 'Messages' });
	await until(async () => {
		await list.evaluate((e) => { e.scrollTop = e.scrollHeight; });
		return (read(last));
	}, 'read');
	a.page.on('request', (r) => {
		asked += Number(r.url().includes('/messages?'));
	});
	await a.openMenu(item);
	await a.see(there);
	const id = await w.say('floor', `during ${what}`);
	await until(async () => (await a.page.title()).startsWith('(1)'),
	    'counted');
	await a.page.evaluate(() => new Promise((go) =>
	    requestAnimationFrame(() => requestAnimationFrame(go))));
	assert.ok(!read(id), 'not read');
	assert.equal(asked, 0, 'nothing older is loaded');
	assert.equal(await a.page.evaluate(taken), false, 'the key scrolls');
	await a.page.goBack();
	await a.see(a.message(`during ${what}`));
	await until(() => read(id), 'read now');
	assert.equal(await a.page.evaluate(taken), true, 'the key walks');
	await until(async () => !(await a.page.title()).startsWith('('),
	    'no longer counted');
	w.close();
}));
