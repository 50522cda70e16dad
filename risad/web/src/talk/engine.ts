import type { Key, Params } from '../i18n/index';
import type { Store } from '../lib/kept';
import { canChooseSpeaker, Devices, mediaFailure, Meter, ring } from
    './devices';
import { Speaking } from './level';
import { Member } from './member';
import { Own, type Part1 } from './own';
import { Pacer } from './pacer';
import type { PeerHost, Slot } from './peer';
import { SLOTS } from './peer';
import { PushToTalk } from './push';
import { rates } from './rates';
import type { DeviceKind, Settings } from './settings';
import { volume } from './volume';
import type { Part, Signal, TalkClientMsg, TalkInfo, TalkMsg, With } from
    './wire';

/* The rest of the page, as the engine sees it. */
export interface Host {
	send(m: TalkClientMsg): boolean;
	changed(): void;
	tell(key: Key, p?: Params): void;
	you(): number;			/* one's own avatar */
	userOf(id: number): number;	/* 0: nobody */
	distance(user: number): number | null;
	speaking(user: number, on: boolean): void;
	self(): number;			/* one's own user */
	info(floor: number): Promise<TalkInfo>;
	/* Why one may not speak here just now. */
	why(): Key;
	kept: Store;			/* what has been chosen */
}

const PARTS = ['mic', 'cam', 'screen'] as const;
const NOTHING: Part = { hear: false, mic: false, cam: false, screen: false,
    listen: false };
const EMPTY: TalkMsg = { me: NOTHING, with: [], soon: [], full: false,
    bubble: [], place: 'open' };

const AWAY = 30000;		/* ms the server may be away */
const FOUND = 10000;		/* ms until the same people are back */
const EARLY = 3000;		/* ms a signal waits for its sender */
const EARLY_MOST = 64;
const LEVELS = 125;		/* ms, while somebody may speak */
const MOVED = 100;		/* ms between changes of volume */
const SLOWER = 1000;		/* ms, when it was too much at once */
const ASK = 5000;		/* ms, when the server had no answer */
const RENEW = 120000;		/* ms before credentials end */

/*
 * One's talk: whom the server lets one hear and who hears one, what one sends
 * them, and the connections between.
 */
export class Engine {
	readonly devices: Devices;
	readonly own: Own;
	readonly voice = new Speaking();
	now: TalkMsg = EMPTY;
	members = new Map<number, Member>();
	info: TalkInfo | null = null;
	blocked = false;		/* no sound without a click */
	busy: Record<Part1, boolean> = { mic: false, cam: false,
	    screen: false };
	private readonly host: Host;
	private readonly pacer: Pacer;
	private readonly push: PushToTalk;
	private readonly volumes = new Map<number, number>();
	private readonly off = new AbortController();
	private readonly kept = new Map<number, Member>();	/* by user */
	private early: { from: number; data: Signal; at: number }[] = [];
	private waits: Record<Part1, boolean> = { mic: false, cam: false,
	    screen: false };
	/* Turned off, and the server has not said so yet: how often. */
	private offs: Record<Part1, number> = { mic: 0, cam: 0, screen: 0 };
	private listening = false;
	private floor = 0;
	private you = 0;
	private attached = false;
	private asking = 0;
	private askTimer = 0;
	private sayTimer = 0;
	private awayTimer = 0;
	private foundTimer = 0;
	private levelTimer = 0;
	private moveTimer = 0;
	private meter: Meter | null = null;
	private metered: MediaStreamTrack | null = null;
	private squeezed = -1;

	constructor(host: Host) {
		const o = { signal: this.off.signal };

		this.host = host;
		this.devices = new Devices(host.kept,
		    () => this.apply(), (kind, label) =>
		    this.unplugged(kind, label));
		this.own = new Own(this.devices, {
			changed: () => this.apply(),
			ended: (part, label) => void this.ended(part, label),
		});
		this.pacer = new Pacer((id) => this.signalOut(id), {
			now: () => performance.now(),
			after: (ms, fn) => {
				const t = setTimeout(fn, ms);
				return (() => clearTimeout(t));
			},
		});
		this.push = new PushToTalk(() => this.devices.settings.key,
		    (on) => void this.turn('mic', on));
		document.addEventListener('visibilitychange',
		    () => this.hidden(), o);
		for (const e of ['pointerdown', 'keydown'])
			addEventListener(e, () => this.unblock(), o);
		void this.devices.refresh();
	}

	/* Signed out: nothing is left open. */
	close(): void {
		this.left();
		this.off.abort();
		this.push.close();
		this.devices.close();
	}

	/* ---- where one is, and whether the server is there ---- */

	entered(floor: number): void {
		const you = this.host.you();
		const back = !this.attached && floor === this.floor &&
		    this.members.size + this.kept.size + this.sends() > 0;

		if (this.attached && floor === this.floor && you === this.you)
			return;		/* told once more where one is */
		this.you = you;
		clearTimeout(this.awayTimer);
		if (!back)
			this.left();
		this.floor = floor;
		this.attached = true;
		this.early = [];
		this.now = { ...EMPTY };
		for (const p of PARTS) {
			this.waits[p] = this.own.tracks[p] !== null;
			this.offs[p] = 0;
		}
		if (back)
			this.keep();
		void this.ask();
	}

	/* The server is away: who talks goes on talking for a while. */
	detached(): void {
		if (!this.attached)
			return;
		this.attached = false;
		this.asking++;
		clearTimeout(this.askTimer);
		for (const id of this.members.keys())
			this.pacer.forget(id);
		clearTimeout(this.foundTimer);
		this.awayTimer = Number(setTimeout(() => this.left(), AWAY));
	}

	/* Off the floor: nobody is heard, nothing is sent. */
	left(): void {
		this.attached = false;
		this.asking++;
		clearTimeout(this.askTimer);
		clearTimeout(this.sayTimer);
		clearTimeout(this.awayTimer);
		clearTimeout(this.foundTimer);
		this.own.stopAll();
		this.push.release();
		this.listening = false;
		this.drop(this.members);
		this.drop(this.kept);
		this.now = EMPTY;
		this.apply();
	}

	private drop(list: Map<number, Member>): void {
		for (const m of list.values())
			this.part(m);
		list.clear();
	}

	private part(m: Member): void {
		if (!this.members.has(m.id))
			this.pacer.forget(m.id);
		m.close();
		if (m.voice.on)
			this.host.speaking(m.user, false);
	}

	/* Some may be kept since the connection before, and not be met yet. */
	private keep(): void {
		const all = [...this.members.values()];

		this.members.clear();
		for (const m of all) {
			const was = this.kept.get(m.user);
			if (was !== undefined)
				this.part(was);
			this.kept.set(m.user, m);
		}
		clearTimeout(this.foundTimer);
		this.foundTimer = Number(setTimeout(() => {
			this.drop(this.kept);
			this.host.changed();
		}, FOUND));
	}

	/* How one talks here is known before anybody is met. */
	private async ask(): Promise<void> {
		const n = ++this.asking;
		const { floor } = this;

		try {
			const info = await this.host.info(floor);
			if (n !== this.asking)
				return;
			this.inform(info);
		} catch {
			if (n !== this.asking)
				return;
			this.askTimer = Number(setTimeout(
			    () => void this.ask(), ASK));
			return;
		}
		if (!this.now.me.hear)
			this.say();
	}

	private inform(info: TalkInfo): void {
		const was = this.info;

		this.info = info;
		if (was !== null)
			for (const m of [...this.members.values(),
			    ...this.kept.values()])
				this.reroute(m, was, info);
		clearTimeout(this.askTimer);
		if (info.until > 0)
			this.askTimer = Number(setTimeout(
			    () => void this.ask(), Math.max(ASK,
			    info.until - Date.now() - RENEW)));
		this.host.changed();
	}

	/* A way that is not allowed any more ends; a relay wants new words. */
	private reroute(m: Member, was: TalkInfo, now: TalkInfo): void {
		if (was.way !== now.way)
			return (m.peer.afresh());
		if (JSON.stringify(was.servers) === JSON.stringify(now.servers))
			return;
		m.peer.configure(this.config(now));
		if (m.route?.way === 'relay')
			m.peer.restart();
	}

	/* Not knowing how, nobody's address is shown to anybody. */
	private config(info: TalkInfo | null): RTCConfiguration {
		if (info === null)
			return ({ iceTransportPolicy: 'relay' });
		return ({ iceServers: info.servers, bundlePolicy: 'max-bundle',
		    iceTransportPolicy: info.way === 'direct' ? 'all' :
		    'relay' });
	}

	/* ---- what the server says ---- */

	/* How one talks here has changed. */
	rules(floor: number): void {
		if (floor === this.floor && this.attached)
			void this.ask();
	}

	talk(m: TalkMsg): void {
		this.now = m;
		this.settle(m.me);
		for (const w of m.with)
			this.meet(w);
		const here = new Set(m.with.map((w) => w.id));
		for (const [id, x] of this.members)
			if (!here.has(id)) {
				this.members.delete(id);
				this.part(x);
			}
		this.apply();
	}

	private meet(w: With): void {
		const user = this.host.userOf(w.id);
		const polite = this.you > w.id;
		let m = this.members.get(w.id);

		if (m === undefined) {
			m = this.kept.get(user);
			if (m !== undefined) {
				this.kept.delete(user);
				m.id = w.id;
				this.members.set(w.id, m);
				m.peer.adopt(polite);
			} else
				m = this.fresh(w, user, polite);
			this.squeezed = -1;
			this.lateSignals(m);
		}
		if (m.user === 0)
			m.user = user;
		m.update(w);
	}

	private fresh(w: With, user: number, polite: boolean): Member {
		let m: Member | null = null;
		const host: PeerHost = {
			make: () => new RTCPeerConnection(
			    this.config(this.info)),
			signal: (ms) => this.pacer.want(m?.id ?? w.id, ms),
			tracks: () => {
				m?.tune();
				this.host.changed();
			},
			state: () => void this.connection(m),
		};
		m = new Member(w, user, polite, host, () => {
			this.blocked = true;
			this.host.changed();
		});
		this.members.set(w.id, m);
		return (m);
	}

	private async connection(m: Member | null): Promise<void> {
		if (m === null)
			return;
		await m.routed().catch(() => undefined);
		this.host.changed();
	}

	/*
	 * The server has the last word on what is sent.  What it says may be of
	 * before one turned it on once more: then it is asked.
	 */
	private settle(me: Part): void {
		let doubt = false;

		for (const p of PARTS) {
			const late = !me[p] && this.offs[p] > 0;

			this.offs[p] -= Number(late);
			if (me[p])
				this.waits[p] = false;
			else if (this.own.tracks[p] === null || this.waits[p])
				continue;
			else if (late)
				doubt = true;
			else {
				this.own.stop(p);
				this.host.tell(this.host.why());
			}
		}
		if (doubt)
			this.say();
	}

	/* True if the refusal was about talk. */
	refused(code: string, field: string | undefined,
	    to: number | undefined): boolean {
		if (to !== undefined)
			return (this.signalRefused(code, to));
		const part = PARTS.find((p) => p === field);
		const waiting = PARTS.filter((p) => this.waits[p]);
		const list = part === undefined ? waiting : [part];
		const known = KNOWN[code];

		/* It has said no to nothing: it is told again. */
		if (code === 'too-many' && this.differs())
			return (this.sayLater());
		if (known === undefined || (list.length === 0 &&
		    code !== 'listener'))
			return (false);
		if (code === 'listener' && !this.now.me.listen)
			this.listening = false;
		for (const p of list) {
			this.waits[p] = false;
			this.own.stop(p);
		}
		this.push.release();
		this.host.tell(code === 'full' && list[0] === 'cam' ?
		    'talk.err.pictures' : known);
		this.say();
		return (true);
	}

	private signalRefused(code: string, to: number): boolean {
		const m = this.members.get(to);

		/* The rules have changed: with others one starts over anyway. */
		if (code === 'not-relay') {
			const was = this.info?.way;

			void this.ask().then(() => {
				if (this.info?.way === was)
					m?.peer.afresh();
			});
		}
		if (code === 'listener')
			this.host.tell('talk.err.listener');
		/* What was lost may have been an offer. */
		if (code === 'too-many')
			setTimeout(() => {
				if (m !== undefined && this.members.get(to) === m)
					m.peer.renew();
			}, SLOWER);
		return (['no-peer', 'too-many', 'not-relay', 'listener']
		    .includes(code));
	}

	/* ---- signals ---- */

	signal(from: number, data: Signal): void {
		const m = this.members.get(from);
		const now = performance.now();

		if (m !== undefined)
			return (m.peer.receive(data));
		this.early = this.early.filter((e) => now - e.at < EARLY);
		if (this.early.length < EARLY_MOST)
			this.early.push({ from, data, at: now });
	}

	private lateSignals(m: Member): void {
		const now = performance.now();
		const mine = this.early.filter((e) => e.from === m.id);

		this.early = this.early.filter((e) => e.from !== m.id);
		for (const e of mine)
			if (now - e.at < EARLY)
				m.peer.receive(e.data);
	}

	private signalOut(id: number): boolean {
		const m = this.members.get(id);

		if (m === undefined || !this.attached)
			return (false);
		const data = m.peer.next();
		if (data !== null)
			this.host.send({ t: 'signal', to: id, data });
		return (m.peer.more());
	}

	/* ---- what one does ---- */

	/* What is sent now, or waits for the server's yes. */
	private say(): void {
		const t = this.own.tracks;
		const m: Part = { hear: true, mic: t.mic !== null, cam: t.cam !==
		    null, screen: t.screen !== null, listen: this.listening };

		if (!this.attached)
			return;
		for (const p of PARTS)
			this.waits[p] = m[p] && !this.now.me[p];
		this.host.send({ t: 'media', ...m });
	}

	/* Is one to the server what one is?  What is off, others may see on. */
	private differs(): boolean {
		const { me } = this.now;

		return (me.listen !== this.listening || PARTS.some((p) =>
		    this.offs[p] > 0 ||
		    me[p] !== (this.own.tracks[p] !== null)));
	}

	/* Once, however often it was too much. */
	private sayLater(): boolean {
		clearTimeout(this.sayTimer);
		this.sayTimer = Number(setTimeout(() => this.say(), SLOWER));
		return (true);
	}

	async turn(part: Part1, on: boolean): Promise<void> {
		if (!on) {
			this.offs[part]++;
			this.own.stop(part);
			this.now = { ...this.now, me: { ...this.now.me,
			    [part]: false } };
			return (this.say());
		}
		this.busy[part] = true;
		this.host.changed();
		try {
			if (await this.own.start(part))
				this.say();
		} catch (e) {
			/* Choosing no screen is an answer, not a fault. */
			if (part !== 'screen' || !(e instanceof DOMException)
			    || e.name !== 'NotAllowedError')
				this.host.tell(mediaFailure(e));
		}
		this.busy[part] = false;
		this.host.changed();
	}

	listen(on: boolean): void {
		this.listening = on;
		if (on)
			this.own.stopAll();
		this.say();
	}

	hand(up: boolean): void {
		this.host.send({ t: 'hand', up });
	}

	word(to: number, on: boolean): void {
		this.host.send({ t: 'word', to, on });
	}

	/* Another device, at once where one is in use. */
	async choose(kind: DeviceKind, id: string): Promise<void> {
		this.devices.set({ [kind]: id });
		if (kind === 'speaker' || this.own.tracks[kind] === null)
			return;
		try {
			await this.own.start(kind);
		} catch (e) {
			this.host.tell(mediaFailure(e));
		}
	}

	setting(change: Partial<Settings>): void {
		if (change.key !== undefined)
			this.push.release();
		this.devices.set(change);
		if (change.sound === true && this.own.tracks.cam !== null)
			void this.turn('cam', false);
	}

	testSpeaker(): Promise<void> {
		return (ring(this.devices.chosen('speaker')));
	}

	canChooseSpeaker(): boolean {
		return (canChooseSpeaker());
	}

	meterOf(track: MediaStreamTrack): Meter {
		return (new Meter(track));
	}

	failure(e: unknown): Key {
		return (mediaFailure(e));
	}

	volumeOf(user: number): number {
		return (this.volumes.get(user) ?? 1);
	}

	setVolume(user: number, v: number): void {
		this.volumes.set(user, v);
		this.loudness();
		this.host.changed();
	}

	/* Which way each connection takes, as it is now. */
	async routes(): Promise<void> {
		await Promise.all([...this.members.values()].map((m) =>
		    m.routed().catch(() => undefined)));
		this.host.changed();
	}

	/* Somebody has walked. */
	moved(): void {
		if (this.members.size === 0 || this.moveTimer !== 0)
			return;
		this.moveTimer = Number(setTimeout(() => {
			this.moveTimer = 0;
			this.loudness();
		}, MOVED));
	}

	/* ---- what happens by itself ---- */

	private hidden(): void {
		if (!document.hidden || this.own.tracks.mic === null ||
		    this.info?.hidden_mute !== true)
			return;
		void this.turn('mic', false);
		this.host.tell('talk.hidden');
	}

	private unblock(): void {
		if (!this.blocked)
			return;
		this.blocked = false;
		for (const m of this.members.values())
			m.resume();
		this.host.changed();
	}

	/* What is in use tells by its track's end. */
	private unplugged(kind: DeviceKind, label: string): void {
		if (kind === 'speaker')
			this.host.tell('talk.pulled.speaker', { device: label });
	}

	/* Pulled out: another one if there is one, else it is off. */
	private async ended(part: Part1, device: string): Promise<void> {
		if (part === 'screen')
			return (this.turn('screen', false));
		try {
			await this.devices.refresh();
			await this.own.start(part);
			this.host.tell('talk.pulled', { device });
		} catch {
			this.host.tell('talk.pulled.none', { device });
			await this.turn(part, false);
		}
	}

	/* ---- all that follows from the state ---- */

	private sends(): number {
		return (PARTS.filter((p) => this.own.tracks[p] !== null)
		    .length);
	}

	/* Sent is what one has, may, and only to those who may hear. */
	private outgoing(m: Member, slot: Slot): MediaStreamTrack | null {
		const part = slot === 'sound' ? 'screen' : slot;

		return (m.hears() && this.now.me[part] ?
		    this.own.tracks[slot] : null);
	}

	private apply(): void {
		const all = [...this.members.values()];
		const n = all.filter((m) => m.hears()).length;
		const pictures = !this.devices.settings.sound;
		const speaker = this.devices.chosen('speaker');

		for (const m of all) {
			for (const s of SLOTS)
				m.peer.send(s, this.outgoing(m, s));
			if (n !== this.squeezed)
				m.peer.limit(rates(n));
			m.peer.watch(pictures);
			m.output(speaker);
		}
		this.squeezed = n;
		this.loudness();
		this.measure();
		this.host.changed();
	}

	private loudness(): void {
		const near = this.now.place === 'open' &&
		    this.now.bubble.length === 0;

		for (const m of this.members.values()) {
			const cm = near ? this.host.distance(m.user) : null;
			m.volume(this.volumeOf(m.user) *
			    (cm === null ? 1 : volume(cm)));
		}
	}

	/* Levels are looked at only while somebody may be heard. */
	private measure(): void {
		const mic = this.own.tracks.mic;
		const on = mic !== null || [...this.members.values()]
		    .some((m) => m.heard() && m.now.mic);

		if (mic !== this.metered) {
			this.meter?.close();
			this.meter = mic === null ? null : new Meter(mic);
			this.metered = mic;
		}
		if (on === (this.levelTimer !== 0))
			return;
		if (on) {
			this.levelTimer = Number(setInterval(
			    () => this.levels(), LEVELS));
			return;
		}
		clearInterval(this.levelTimer);
		this.levelTimer = 0;
		this.levels(Infinity);
	}

	private levels(now = performance.now()): void {
		let changed = false;

		for (const m of this.members.values())
			if (m.listen(now)) {
				this.host.speaking(m.user, m.voice.on);
				changed = true;
			}
		if (this.voice.add(this.now.me.mic ? this.meter?.level() ?? 0 :
		    0, now)) {
			this.host.speaking(this.host.self(), this.voice.on);
			changed = true;
		}
		if (changed)
			this.host.changed();
	}
}

const KNOWN: Partial<Record<string, Key>> = {
	'no-right': 'talk.err.right',
	quiet: 'talk.err.quiet',
	status: 'talk.err.status',
	full: 'talk.err.full',
	listener: 'talk.err.listener',
};
