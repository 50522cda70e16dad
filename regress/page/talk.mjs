/* Talking people: seats that hear, with the browser's own devices for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Seat } from './browser.mjs';
import { until } from './daemon.mjs';

const RATE = 48000;			/* samples a second */

/*
 * A second of a voice, more or less, that goes round: the browser's own tone
 * is a few milliseconds long, and looks at the level pass it by.
 */
function voice() {
	const dir = mkdtempSync(join(tmpdir(), 'risad-voice-'));
	const file = join(dir, 'voice.wav');
	const b = Buffer.alloc(44 + 2 * RATE);

	b.write('RIFF', 0);
	b.writeUInt32LE(b.length - 8, 4);
	b.write('WAVEfmt ', 8);
	b.writeUInt32LE(16, 16);
	b.writeUInt16LE(1, 20);			/* PCM */
	b.writeUInt16LE(1, 22);			/* of one channel */
	b.writeUInt32LE(RATE, 24);
	b.writeUInt32LE(2 * RATE, 28);
	b.writeUInt16LE(2, 32);
	b.writeUInt16LE(16, 34);
	b.write('data', 36);
	b.writeUInt32LE(2 * RATE, 40);
	for (let i = 0; i < RATE; i++) {
		const t = i / RATE;
		const tone = 220 + 60 * Math.sin(2 * Math.PI * 3 * t);
		const loud = 0.3 + 0.7 * Math.abs(Math.sin(2 * Math.PI * 2 * t));
		let v = 0;
		for (let k = 1; k <= 8; k++)
			v += Math.sin(2 * Math.PI * tone * k * t) / k;
		b.writeInt16LE(Math.round(9000 * loud * v), 44 + 2 * i);
	}
	writeFileSync(file, b);
	process.once('exit', () => rmSync(dir, { recursive: true }));
	return (file);
}

/* Devices that are not there, allowed at once; the loopback is a network. */
export const FAKES = ['--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream=device-count=2,fps=5',
    `--use-file-for-fake-audio-capture=${voice()}`,
    '--allow-loopback-in-peer-connection',
    '--autoplay-policy=no-user-gesture-required'];

/* Before the page's own code: its connections, and what devices gave it. */
function watchTalk() {
	const Real = window.RTCPeerConnection;
	const media = navigator.mediaDevices;
	const ask = media?.getUserMedia.bind(media);
	const peers = [];
	const tracks = [];
	const players = new Set();
	const play = HTMLMediaElement.prototype.play;
	const every = window.setInterval.bind(window);
	const Wire = window.WebSocket;
	let ticks = 0;
	let held = null;
	let wire = null;

	window.RTCPeerConnection = class extends Real {
		constructor(config) {
			super(config);
			peers.push(this);
		}
	};
	if (ask !== undefined)
		media.getUserMedia = async (wish) => {
			const s = await ask(wish);
			tracks.push(...s.getTracks());
			return (s);
		};
	HTMLMediaElement.prototype.play = function () {
		players.add(this);
		return (play.call(this));
	};
	window.setInterval = (fn, ms) => every(() => {
		ticks++;
		fn();
	}, ms);
	window.WebSocket = class extends Wire {
		constructor(...a) {
			super(...a);
			wire = this;
		}
		set onmessage(fn) {
			super.onmessage = fn && ((e) => {
				if (held !== null &&
				    String(e.data).startsWith('{"t":"talk"'))
					held.push(() => fn.call(this, e));
				else
					fn.call(this, e);
			});
		}
	};
	Object.defineProperty(window, 'talked', { value: { peers, tracks,
	    players,
	    /* What the server says of talk waits, and comes, or is lost. */
	    hold: () => { held = []; },
	    free: (lost) => {
		const all = lost ? [] : held;
		held = null;
		all.forEach((fn) => fn());
	    },
	    /* The server is told something so often that it wants to rest. */
	    tire: (o) => {
		for (let i = 0; i < 40; i++)
			wire.send(JSON.stringify(o));
	    },
	    get ticks() {
		return (ticks);
	    } } });
}

/* Of each connection that is open: what has arrived, and how. */
async function arrived() {
	const live = window.talked.peers.filter((p) =>
	    p.connectionState !== 'closed');

	return (Promise.all(live.map(async (p) => {
		const r = { state: p.connectionState, bytes: 0, energy: 0,
		    frames: 0, types: [] };
		for (const s of (await p.getStats()).values()) {
			if (s.type === 'local-candidate')
				r.types.push(s.candidateType);
			if (s.type !== 'inbound-rtp')
				continue;
			r.bytes += s.bytesReceived;
			r.energy += s.totalAudioEnergy ?? 0;
			r.frames += s.framesDecoded ?? 0;
		}
		return (r);
	})));
}

export class Talker extends Seat {
	static async join(browser, daemon, tenant, options) {
		/* Who may use devices may know of the loopback. */
		const s = await super.open(browser, daemon, tenant,
		    { permissions: ['camera', 'microphone'], ...options,
		    go: false });

		await s.context.addInitScript(watchTalk);
		Object.setPrototypeOf(s, Talker.prototype);
		await s.page.goto(daemon.url(tenant));
		await s.inside();
		await s.hears();
		return (s);
	}

	/* The server has heard that one would like to hear. */
	async hears() {
		await until(() => this.talk()?.me.hear, 'one may hear');
	}

	talk() {
		return (this.frames.findLast((m) => m.t === 'talk'));
	}

	you() {
		return (this.floor().you);
	}

	/* Walks to a room, unless one is there. */
	async goTo(room) {
		await this.$('text-toggle').click();
		if (await this.$(`goto-${room}`).isVisible())
			await this.$(`goto-${room}`).click();
		await this.$('text-toggle').click();
	}

	async with(...others) {
		await until(() => others.every((o) => this.talk()?.with
		    .some((w) => w.id === o.you())), 'near one another');
	}

	async without(...others) {
		await until(() => others.every((o) => !this.talk()?.with
		    .some((w) => w.id === o.you())), 'apart');
	}

	/* The first time by way of the dialog, as everybody. */
	async turnOn(part) {
		await this.$(`dock-${part}`).click();
		const join = this.$('check-join');
		await until(async () => await join.isVisible() ||
		    this.talk().me[part], `${part} or the check`);
		if (await join.isVisible())
			await join.click();
		await until(() => this.talk().me[part], `${part} is on`);
	}

	async turnOff(part) {
		await this.$(`dock-${part}`).click();
		await until(() => !this.talk().me[part], `${part} is off`);
	}

	arrived() {
		return (this.page.evaluate(arrived));
	}

	/* How many connections were ever made. */
	made() {
		return (this.page.evaluate('window.talked.peers.length'));
	}

	live() {
		return (this.page.evaluate(`window.talked.tracks.filter((t) =>
		    t.readyState === 'live').map((t) => t.kind)`));
	}

	/* What comes from each of n goes on coming: more than just now. */
	async flows(n, what = ['bytes', 'energy']) {
		await until(async () => {
			const a = await this.arrived();
			return (a.length === n && a.every((p) => p.state ===
			    'connected' && what.every((w) => p[w] > 0)));
		}, `${n} are connected and heard: ${what}`, 60000 + 20000 * n)
		    .catch(async (e) => {
			e.message += ` ${JSON.stringify(await this.arrived())} ${
			    JSON.stringify(this.frames.slice(-20).map((m) =>
			    ({ ...m, data: m.data?.description?.type })))}`;
			throw e;
		    });
		let before = await this.arrived();
		await until(async () => {
			const a = await this.arrived();
			/* One that has started over counts from nothing. */
			if (a.length !== before.length || a.some((p, i) =>
			    what.some((w) => p[w] < before[i][w])))
				before = a;
			return (a.length === n && a.every((p, i) =>
			    what.every((w) => p[w] > before[i][w])));
		}, `goes on: ${what}`, 20000 * n);
	}
}
