/* A relay of one's own: coturn on the loopback, as etc/turnserver.conf has it. */
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync,
    writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, until } from './daemon.mjs';

const SHIPPED = resolve(fileURLToPath(new URL('.', import.meta.url)),
    '../../etc/turnserver.conf');

export class Relay {
	static async make() {
		const r = new Relay();

		r.dir = mkdtempSync(join(tmpdir(), 'risad-relay-'));
		r.port = await freePort();
		r.tls = await freePort();
		r.secret = randomBytes(24).toString('hex');
		r.secretFile = join(r.dir, 'turn.secret');
		writeFileSync(r.secretFile, `${r.secret}\n`, { mode: 0o400 });
		process.once('exit', () => r.clean());
		return (r);
	}

	child = null;
	guard = null;

	/* What risad.conf says of it. */
	lines() {
		const at = '127.0.0.1';

		return (`turn secret "${this.secretFile}"
turn url "turn:${at}:${this.port}?transport=udp", ` +
		    `"turn:${at}:${this.port}?transport=tcp", ` +
		    `"turns:${at}:${this.tls}?transport=tcp"\n`);
	}

	/* The shipped file, with what is an installation's own. */
	conf(cert, pkey, secret) {
		const own = { 'listening-ip': '127.0.0.1',
		    'relay-ip': '127.0.0.1', 'allowed-peer-ip': '127.0.0.1',
		    realm: 'localhost', 'listening-port': this.port,
		    'tls-listening-port': this.tls, cert, pkey,
		    'static-auth-secret': secret };
		let text = readFileSync(SHIPPED, 'utf8');

		for (const [name, value] of Object.entries(own)) {
			const line = new RegExp(`^${name}=.*$`, 'm');
			if (!line.test(text))
				throw new Error(`no ${name} in ${SHIPPED}`);
			text = text.replace(line, `${name}=${value}`);
		}
		return (`${text.replace(/^syslog\n/m, '')}
log-file=stdout
pidfile=${join(this.dir, 'pid')}
userdb=${join(this.dir, 'db')}
allow-loopback-peers
cli-password=${this.secret}
`);
	}

	/* With a certificate of the daemon's; secret: another one than agreed. */
	async up(daemon, secret = this.secret) {
		const file = join(this.dir, 'turnserver.conf');
		const log = openSync(join(this.dir, 'log'), 'a');

		writeFileSync(file, this.conf(daemon.path('tls.crt'),
		    daemon.path('keys/tls.key'), secret));
		chmodSync(file, 0o600);
		this.child = spawn('turnserver', ['-c', file], { stdio:
		    ['ignore', log, log], cwd: this.dir });
		closeSync(log);
		this.guard = spawn('sh', ['-c', 'read x; kill "$0"',
		    String(this.child.pid)], { stdio: ['pipe', 'ignore',
		    'ignore'] });
		await until(() => this.serves(), 'turnserver serves');
	}

	serves() {
		if (this.child.exitCode !== null)
			throw new Error(`turnserver ended\n${this.log()}`);
		return (new Promise((good) => {
			const s = connect(this.tls, '127.0.0.1', () => {
				s.destroy();
				good(true);
			});
			s.on('error', () => good(false));
		}));
	}

	log() {
		return (readFileSync(join(this.dir, 'log'), 'utf8'));
	}

	async down() {
		const { child } = this;

		this.clear();
		if (child !== null && child.exitCode === null)
			await once(child, 'exit');
	}

	clear() {
		this.guard?.kill();
		this.child?.kill('SIGKILL');
		this.child = this.guard = null;
	}

	clean() {
		this.clear();
		rmSync(this.dir, { recursive: true, force: true });
	}
}
