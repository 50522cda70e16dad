/*
 * A risad of one's own: a private directory, a free port, and people who come
 * in by invitation as everybody does.
 */
import { fileURLToPath } from 'node:url';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync,
    rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import WebSocket from 'ws';

const run = promisify(execFile);
const TOP = resolve(fileURLToPath(new URL('.', import.meta.url)), '../..');
const RISAD = process.env.RISAD ?? join(TOP, 'risad/risad');
const HTDOCS = process.env.HTDOCS ?? join(TOP, 'risad/htdocs');
const RISACTL = process.env.RISACTL ?? join(TOP, 'risactl/risactl');

export const BOUND = 30000;		/* ms a condition may take */
export const PASSWORD = 'correct horse 42';

/* Waits until fn() gives something true; the value. */
export async function until(fn, what, bound = BOUND) {
	const end = Date.now() + bound;

	for (;;) {
		const v = await fn();
		if (v)
			return (v);
		if (Date.now() > end)
			throw new Error(`not within ${bound} ms: ${what}`);
		await sleep(20);
	}
}

export async function freePort() {
	const s = createServer().listen(0, '127.0.0.1');

	await once(s, 'listening');
	const { port } = s.address();
	s.close();
	await once(s, 'close');
	return (port);
}

export class Daemon {
	/* more: lines of risad.conf. */
	static async start(more = '') {
		const d = new Daemon(await freePort(), more);

		await d.up();
		return (d);
	}

	constructor(port, more) {
		this.port = port;
		this.more = more;
		this.dir = mkdtempSync(join(tmpdir(), 'risad-page-'));
		chmodSync(this.dir, 0o711);
		this.agent = new https.Agent({ keepAlive: false });
		this.child = null;
		this.guard = null;
		this.people = 0;
		this.make();
		process.once('exit', () => this.clean());
		for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP'])
			process.once(sig, () => process.exit(1));
	}

	path(...names) {
		return (join(this.dir, ...names));
	}

	make() {
		const sh = (...a) => execFileSync(a[0], a.slice(1),
		    { stdio: ['ignore', 'ignore', 'pipe'] });

		sh('sh', join(TOP, 'etc/users.sh'), this.path('empty'));
		mkdirSync(this.path('keys'), { mode: 0o700 });
		mkdirSync(this.path('data'), { mode: 0o700 });
		sh('chown', '_risastor', this.path('data'));
		sh(RISAD, '-k', this.path('keys'));
		sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
		    'ec_paramgen_curve:P-256', '-nodes', '-keyout',
		    this.path('keys/tls.key'), '-out', this.path('tls.crt'),
		    '-days', '2', '-subj', '/CN=localhost', '-addext',
		    'subjectAltName=DNS:localhost,DNS:acme.localhost,' +
		    'DNS:globex.localhost');
		chmodSync(this.path('keys/tls.key'), 0o400);
		writeFileSync(this.path('risad.conf'), this.conf(),
		    { mode: 0o600 });
	}

	conf() {
		return (`site domain "localhost"
site port ${this.port}
listen on 127.0.0.1 port ${this.port} tls
tls certificate "${this.path('tls.crt')}" key "${this.path('keys/tls.key')}"
data "${this.path('data')}"
keys master "${this.path('keys/master.key')}" ` +
		    `pepper "${this.path('keys/pepper.key')}"
htdocs "${HTDOCS}"
control socket "${this.path('risad.sock')}"
chroot "${this.path('empty')}"
workers session 2
password hash memory 1024 passes 1
${this.more}`);
	}

	/* Runs until down(); a guard ends it should we die without a word. */
	async up() {
		const log = openSync(this.path('log'), 'a');

		this.child = spawn(RISAD, ['-d', '-f', this.path('risad.conf')],
		    { stdio: ['ignore', log, log], cwd: '/' });
		closeSync(log);
		this.guard = spawn('sh', ['-c', 'read x; kill "$0"',
		    String(this.child.pid)], { stdio: ['pipe', 'ignore',
		    'ignore'] });
		await until(async () => {
			if (this.child.exitCode !== null)
				throw new Error(`risad ended\n${this.log()}`);
			return ((await this.ask('localhost', 'GET',
			    '/healthz').catch(() => ({}))).status === 200);
		}, `risad serves\n${this.log()}`);
	}

	async down() {
		const { child } = this;

		if (child === null)
			return;
		this.guard.kill();
		this.child = null;
		if (child.exitCode === null && child.signalCode === null) {
			child.kill('SIGTERM');
			await once(child, 'exit', { signal:
			    AbortSignal.timeout(BOUND) });
		}
		if (child.exitCode !== 0)
			throw new Error(`risad: exit ${child.exitCode} ` +
			    `${child.signalCode}\n${this.log()}`);
	}

	/* As if the machine had: no word to anybody. */
	async kill() {
		const { child } = this;

		this.guard.kill();
		this.child = null;
		child.kill('SIGKILL');
		await once(child, 'exit', { signal:
		    AbortSignal.timeout(BOUND) });
	}

	async restart() {
		await this.down();
		await this.up();
	}

	/* For good, and the directory goes too. */
	async end() {
		try {
			await this.down();
		} finally {
			this.clean();
		}
	}

	clean() {
		this.child?.kill('SIGKILL');	/* children end with its pipes */
		this.guard?.kill();
		this.child = this.guard = null;
		rmSync(this.dir, { recursive: true, force: true });
	}

	log() {
		return (readFileSync(this.path('log'), 'utf8'));
	}

	async ctl(...words) {
		const r = await run(RISACTL, ['-s', this.path('risad.sock'),
		    '-j', ...words], { timeout: BOUND });

		return (r.stdout === '' ? null : JSON.parse(r.stdout));
	}

	url(tenant, path = '/') {
		return (`https://${tenant}.localhost:${this.port}${path}`);
	}

	/*
	 * One request, on a connection of its own, from another address of
	 * this machine if one is given; the body as JSON.
	 */
	ask(host, method, path, body, cookie, localAddress) {
		const name = `${host}:${this.port}`;
		const headers = { Host: name };

		if (cookie)
			headers.Cookie = cookie;
		if (method !== 'GET') {
			headers.Origin = `https://${name}`;
			headers['Content-Type'] = 'application/json';
		}
		const sent = body === undefined ? '' : JSON.stringify(body);
		headers['Content-Length'] = Buffer.byteLength(sent);
		return (new Promise((good, bad) => {
			const r = https.request({ host: '127.0.0.1', port:
			    this.port, servername: host, method, path, headers,
			    agent: localAddress === undefined ? this.agent :
			    false, localAddress, ca: readFileSync(
			    this.path('tls.crt')), timeout: BOUND }, (a) => {
				let text = '';
				a.setEncoding('utf8');
				a.on('data', (s) => { text += s; });
				a.on('error', bad);
				a.on('end', () => good({ status: a.statusCode,
				    headers: a.headers, json: /json/.test(
				    a.headers['content-type']) ?
				    JSON.parse(text) : null }));
			});
			r.on('timeout', () => r.destroy(new Error('timeout')));
			r.on('error', bad);
			r.end(sent);
		}));
	}

	/* Somebody tries to sign in from elsewhere, with a wrong password. */
	guess(tenant, email, from) {
		return (this.ask(`${tenant}.localhost`, 'POST',
		    '/api/v1/session', { email, password: 'a wrong guess' },
		    undefined, from));
	}

	/* A request of somebody; anything but success is an error. */
	async api(who, method, path, body) {
		const r = await this.ask(`${who.tenant}.localhost`, method,
		    `/api/v1${path}`, body, who.cookie);

		if (r.status >= 300)
			throw new Error(`${method} ${path}: ${r.status} ` +
			    JSON.stringify(r.json));
		return (r.json);
	}

	async tenant(name, title) {
		await this.ctl('tenant', 'add', name, 'title', title,
		    'contact', `admin@${name}.example`);
	}

	async floor(tenant, name, template) {
		await this.ctl('floor', 'add', tenant, name, 'template',
		    template);
		const { floors } = await this.ctl('floor', 'list', tenant);
		return (floors.find((f) => f.name === name).id);
	}

	async invite(tenant, mail, role = 'member') {
		const r = await this.ctl('user', 'add', tenant, mail, 'role',
		    role);

		return (r.link.url);
	}

	/* Somebody who has taken the invitation: who, and the cookie. */
	async person(tenant, name, more = {}) {
		const mail = more.mail ??
		    `p${++this.people}@${tenant}.example`;
		const url = await this.invite(tenant, mail, more.role);
		const who = { tenant, mail, name, password: PASSWORD };
		const r = await this.ask(`${tenant}.localhost`, 'POST',
		    `/api/v1${new URL(url).pathname}`,
		    { password: PASSWORD, name });

		if (r.status !== 201)
			throw new Error(`invitation: ${r.status} ` +
			    JSON.stringify(r.json));
		who.cookie = cookie(r);
		who.id = r.json.user.id;
		if (more.me)
			await this.api(who, 'PATCH', '/me', more.me);
		return (who);
	}

	/* The same person, signed in once more. */
	async again(who) {
		const r = await this.ask(`${who.tenant}.localhost`, 'POST',
		    '/api/v1/session', { email: who.mail,
		    password: PASSWORD });

		if (r.status !== 201)
			throw new Error(`sign-in: ${r.status}`);
		return ({ ...who, cookie: cookie(r) });
	}
}

function cookie(r) {
	return (r.headers['set-cookie'][0].split(';')[0]);
}

/* A page without a screen: the wire alone, for crowds and long histories. */
export class Wire {
	/* first: what a guest at the door gets instead of hello. */
	static async open(daemon, who, first = 'hello') {
		const w = new Wire();

		w.ws = new WebSocket(`wss://127.0.0.1:${daemon.port}/ws`,
		    'risa.v1', { servername: `${who.tenant}.localhost`,
		    ca: readFileSync(daemon.path('tls.crt')),
		    checkServerIdentity: () => undefined,
		    perMessageDeflate: false, headers: { Cookie: who.cookie,
		    Host: `${who.tenant}.localhost:${daemon.port}` },
		    origin: daemon.url(who.tenant, '') });
		w.ws.on('error', (e) => { w.error = e; });
		w.ws.on('message', (data, binary) => {
			if (!binary)
				w.got.push(JSON.parse(data.toString()));
		});
		w.hello = await w.take((m) => m.t === first);
		return (w);
	}

	got = [];
	error = null;
	name = randomBytes(6).toString('hex');
	refs = 0;

	/* The first message like this, taken out. */
	async take(like, what = like.toString()) {
		return (until(() => {
			if (this.error !== null)
				throw this.error;
			const i = this.got.findIndex(like);
			return (i === -1 ? null : this.got.splice(i, 1)[0]);
		}, what));
	}

	tell(o) {
		this.ws.send(JSON.stringify(o));
	}

	async enter(floor) {
		this.tell({ t: 'enter', floor });
		return (this.take((m) => m.t === 'floor'));
	}

	/* Says it and waits for the ack; too-many is said again. */
	async say(to, text) {
		for (;;) {
			const ref = `${this.name}-${++this.refs}`;
			this.tell({ t: 'say', to, text, ref });
			const m = await this.take((x) => x.ref === ref);
			if (m.t === 'ack')
				return (m.id);
			if (m.code !== 'too-many')
				throw new Error(JSON.stringify(m));
			await sleep(100);
		}
	}

	leg(x, y) {
		const b = Buffer.alloc(7);

		b.writeUInt8(1, 0);
		b.writeUInt16LE(x, 1);
		b.writeUInt16LE(y, 3);
		this.ws.send(b);
	}

	close() {
		this.ws.terminate();
	}
}
