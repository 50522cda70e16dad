import type { Rates } from './rates';
import type { Candidate, Description, Signal } from './wire';

/* The parts of a connection, in the order of its description. */
export const SLOTS = ['mic', 'cam', 'screen', 'sound'] as const;
export type Slot = typeof SLOTS[number];

const MOST = 32;		/* candidates of one signal */
const BATCH = 100;		/* ms they are gathered */
const GRACE = 2500;		/* ms a break may mend itself */
const PATIENCE = 10000;		/* ms until it is tried again */
const LONGEST = 30000;

export interface PeerHost {
	make(): RTCPeerConnection;
	/* There is something for next(), to be fetched in so many ms. */
	signal(ms: number): void;
	/* What arrives comes by other tracks than before. */
	tracks(): void;
	/* Connected, or not any more. */
	state(): void;
}

export function kindOf(slot: Slot): 'audio' | 'video' {
	return (slot === 'mic' || slot === 'sound' ? 'audio' : 'video');
}

/* The number by which a description names the connection it is of. */
export function sessionOf(sdp: string): string {
	return (/^o=\S+ (\S+) /m.exec(sdp)?.[1] ?? '');
}

/* The same, and which of its descriptions it is. */
function nameOf(sdp: string): string {
	return (/^o=\S+ (\S+ \S+) /m.exec(sdp)?.[1] ?? '');
}

/*
 * The connection with one other person, by perfect negotiation: both may start
 * at once, and on a clash the polite one gives way.  It mends itself: by new
 * ways first, then from the beginning.  All its parts are there from the first
 * offer on, so that a microphone that comes and goes needs no words.
 */
export class Peer {
	polite: boolean;
	private readonly host: PeerHost;
	private pc: RTCPeerConnection;
	private ours = false;		/* the parts were made by us */
	private making = false;
	private answering = false;
	private unsent = false;		/* the description waits */
	private again = false;		/* another one is to follow */
	private found: Candidate[] = [];
	private theirs = '';		/* their connection's number */
	private clashed = '';		/* that of one not followed */
	private taken = '';		/* their offer, answered: its name */
	private chain: Promise<void> = Promise.resolve();
	private closed: Promise<void> = Promise.resolve();
	private leave: () => void = () => undefined;
	private out: Partial<Record<Slot, MediaStreamTrack>> = {};
	private rates: Rates | null = null;
	private video = true;		/* is taken from them */
	private timer = 0;
	private tries = 0;
	private done = false;

	constructor(polite: boolean, host: PeerHost) {
		this.polite = polite;
		this.host = host;
		this.pc = this.open(!polite);
	}

	connected(): boolean {
		const s = this.pc.iceConnectionState;

		return (s === 'connected' || s === 'completed');
	}

	/* It was tried more than once, and there is no connection. */
	broken(): boolean {
		return (!this.connected() && this.tries > 1);
	}

	stats(): Promise<RTCStatsReport> {
		return (this.pc.getStats());
	}

	close(): void {
		this.done = true;
		clearTimeout(this.timer);
		this.drop(this.pc);
	}

	/* Other ways, since those there were may have gone. */
	restart(): void {
		if (this.pc.remoteDescription !== null)
			this.pc.restartIce();
	}

	/* Other servers than before, for the ways that are tried next. */
	configure(config: RTCConfiguration): void {
		try {
			this.pc.setConfiguration(config);
		} catch {
			this.renew();	/* the browser cannot change it */
		}
	}

	/*
	 * The same two people under new numbers, after the server was away:
	 * what was on its way to the old ones is lost.
	 */
	adopt(polite: boolean): void {
		const s = this.pc.connectionState;
		const sound = this.pc.signalingState === 'stable' &&
		    !this.making && !this.unsent &&
		    (s === 'connected' || s === 'disconnected');

		this.polite = polite;
		this.found = [];
		this.tries = 0;
		if (!sound)
			this.renew(!polite);
		else if (!polite)
			this.restart();
	}

	/* The rules are others: how often it was tried by the old ones is past. */
	afresh(): void {
		this.tries = 0;
		this.renew();
	}

	/* Everything anew. */
	renew(ours = true): void {
		if (!this.done)
			this.pc = this.open(ours);
	}

	/* ---- media ---- */

	send(slot: Slot, track: MediaStreamTrack | null): void {
		if ((this.out[slot] ?? null) === track)
			return;
		if (track === null)
			delete this.out[slot];
		else
			this.out[slot] = track;
		this.put(slot);
	}

	limit(r: Rates): void {
		this.rates = r;
		for (const s of SLOTS)
			void this.squeeze(s);
	}

	/* Whether pictures are taken from them. */
	watch(on: boolean): void {
		if (this.video === on)
			return;
		this.video = on;
		this.direct();
	}

	/* What arrives in a part. */
	track(slot: Slot): MediaStreamTrack | null {
		return (this.part(slot)?.receiver.track ?? null);
	}

	/* How loud it is, 0 to 1. */
	level(slot: Slot): number {
		const r = this.part(slot)?.receiver;
		const all = r?.getSynchronizationSources?.() ?? [];

		return (Math.max(0, ...all.map((s) => s.audioLevel ?? 0)));
	}

	private part(slot: Slot): RTCRtpTransceiver | undefined {
		const t = this.pc.getTransceivers()[SLOTS.indexOf(slot)];

		return (t?.receiver.track.kind === kindOf(slot) ? t :
		    undefined);
	}

	private put(slot: Slot): void {
		const s = this.part(slot)?.sender;
		const track = this.out[slot] ?? null;

		if (s === undefined || s.track === track)
			return;
		s.replaceTrack(track).then(() => this.squeeze(slot))
		    .catch(() => undefined);	/* closed meanwhile */
	}

	/* The parts of their offer are ours, too. */
	private direct(): void {
		for (const s of SLOTS) {
			const t = this.part(s);
			const want = this.video || kindOf(s) === 'audio' ?
			    'sendrecv' : 'sendonly';
			if (t !== undefined && t.direction !== want &&
			    t.direction !== 'stopped')
				t.direction = want;
		}
	}

	private async squeeze(slot: Slot): Promise<void> {
		const s = this.part(slot)?.sender;
		const r = this.rates?.[slot];

		if (s === undefined || r === undefined || s.track === null)
			return;
		const p = s.getParameters();
		const e = p.encodings?.[0];
		if (e === undefined)
			return;
		e.maxBitrate = r.bits;
		if (kindOf(slot) === 'video') {
			e.scaleResolutionDownBy = r.shrink;
			e.maxFramerate = r.frames;
		}
		/* A newer wish may overtake this one. */
		await s.setParameters(p).catch(() => undefined);
	}

	/* ---- signals ---- */

	/* What is to be sent now. */
	next(): Signal | null {
		const d = this.pc.localDescription;

		if (this.unsent && d !== null) {
			this.unsent = false;
			this.found = [];	/* they are in it */
			if (this.again)
				queueMicrotask(() => void this.negotiate());
			this.again = false;
			return ({ description: { sdp: d.sdp,
			    type: d.type as Description['type'],
			    ...d.type === 'answer' && { of: this.taken } } });
		}
		if (this.found.length === 0)
			return (null);
		return ({ candidates: this.found.splice(0, MOST) });
	}

	more(): boolean {
		return (this.unsent || this.found.length > 0);
	}

	/* In the order in which they come; what makes no sense starts over. */
	receive(data: Signal): void {
		this.chain = this.chain.then(() => this.take(data))
		    .catch(() => {
			if (this.tries < 3)
				this.later(PATIENCE / 4);
		    });
	}

	private async take(data: Signal): Promise<void> {
		if (this.done)
			return;
		if ('candidates' in data)
			return (this.candidates(data.candidates));
		if (data.description.type === 'offer')
			return (this.offered(data.description));
		if (data.description.type === 'answer')
			return (this.answered(data.description));
	}

	private async offered(d: Description): Promise<void> {
		const clash = this.making ||
		    this.pc.signalingState !== 'stable';
		const from = sessionOf(d.sdp);

		if (from !== '' && nameOf(d.sdp) === this.taken)
			return;		/* said twice */
		if (clash && !this.polite)
			return (this.insist(from));
		/*
		 * Parts that only we have offered do not become theirs, and a
		 * new connection of theirs does not fit an old one of ours.
		 */
		if (this.theirs === '' ? this.ours : this.theirs !== from)
			this.pc = this.open(false);
		this.unsent = this.again = false;
		const { pc } = this;
		this.answering = true;
		try {
			await this.answer(pc, d, from);
		} finally {
			if (pc === this.pc)
				this.answering = false;
		}
	}

	/*
	 * They are to follow our offer, but one that went to a connection
	 * before this one of theirs is lost: it is said again.
	 */
	private insist(from: string): void {
		if (from === this.theirs || from === this.clashed)
			return;
		this.clashed = from;
		if (!this.making)
			this.describe();
	}

	private async answer(pc: RTCPeerConnection, d: Description,
	    from: string): Promise<void> {
		await this.orClosed(pc.setRemoteDescription(d));
		if (pc !== this.pc)
			return;
		this.theirs = from;
		this.taken = nameOf(d.sdp);
		this.direct();
		this.attach();
		await this.orClosed(pc.setLocalDescription());
		if (pc === this.pc)
			this.describe();
	}

	private async answered(d: Description): Promise<void> {
		const from = sessionOf(d.sdp);
		const { pc } = this;
		const ours = pc.localDescription?.sdp ?? '';

		/*
		 * To an offer that is no more: unless there is another one,
		 * they hold on to what is gone.
		 */
		if (pc.signalingState !== 'have-local-offer' ||
		    (d.of !== undefined && d.of !== nameOf(ours))) {
			if (pc.signalingState === 'stable' &&
			    !this.making && !this.polite)
				this.renew();
			return;
		}
		if (this.theirs !== '' && this.theirs !== from)
			return (this.renew());
		await this.orClosed(pc.setRemoteDescription(d));
		if (pc !== this.pc)
			return;
		this.theirs = from;
		this.attach();
	}

	private async candidates(list: Candidate[]): Promise<void> {
		for (const c of list) {
			if (c.candidate === '')
				continue;
			/* Of an ignored or a replaced description: no use. */
			await this.orClosed(this.pc.addIceCandidate(c))
			    .catch(() => undefined);
		}
	}

	private describe(): void {
		this.unsent = true;
		this.host.signal(0);
	}

	private async negotiate(): Promise<void> {
		const { pc } = this;

		/* An answer goes first, else nobody understands the offer. */
		if (this.unsent || this.answering) {
			this.again = true;
			return;
		}
		if (this.done || pc.signalingState !== 'stable')
			return;
		this.making = true;
		try {
			await pc.setLocalDescription();
			if (pc === this.pc)
				this.describe();
		} catch {
			/* closed, or theirs came first */
		}
		if (pc === this.pc)
			this.making = false;
	}

	/* ---- the connection below ---- */

	private open(ours: boolean): RTCPeerConnection {
		const pc = this.host.make();

		if (this.pc !== undefined)
			this.drop(this.pc);
		this.pc = pc;
		this.closed = new Promise((done) => {
			this.leave = done;
		});
		this.ours = ours;
		this.making = this.answering = false;
		this.unsent = this.again = false;
		this.found = [];
		this.theirs = this.clashed = this.taken = '';
		pc.onnegotiationneeded = () => void this.negotiate();
		pc.onicecandidate = (e) => this.candidate(e.candidate);
		pc.oniceconnectionstatechange = () => this.look();
		if (ours)
			for (const s of SLOTS)
				pc.addTransceiver(kindOf(s),
				    { direction: 'sendrecv' });
		this.direct();
		this.attach();
		this.look();
		return (pc);
	}

	private drop(pc: RTCPeerConnection): void {
		pc.onnegotiationneeded = pc.onicecandidate =
		    pc.oniceconnectionstatechange = null;
		pc.close();
		this.leave();
	}

	/* What a connection was asked for before it is closed never ends. */
	private orClosed(op: Promise<void>): Promise<void> {
		return (Promise.race([op, this.closed]));
	}

	private attach(): void {
		for (const s of SLOTS) {
			this.put(s);
			void this.squeeze(s);
		}
		this.host.tracks();
	}

	private candidate(c: RTCIceCandidate | null): void {
		if (c === null || c.candidate === '')
			return;
		this.found.push({ candidate: c.candidate, sdpMid: c.sdpMid,
		    sdpMLineIndex: c.sdpMLineIndex,
		    usernameFragment: c.usernameFragment });
		this.host.signal(BATCH);
	}

	/* Waits only while there is no connection. */
	private look(): void {
		clearTimeout(this.timer);
		switch (this.pc.iceConnectionState) {
		case 'connected':
		case 'completed':
			this.tries = 0;
			break;
		case 'disconnected':
			this.later(GRACE);
			break;
		case 'failed':
			this.later(this.tries === 0 ? 0 : PATIENCE / 2);
			break;
		default:
			/* The polite one later, so that they do not clash. */
			this.later(Math.min(LONGEST, PATIENCE *
			    (this.tries + (this.polite ? 1.5 : 1))));
		}
		this.host.state();
	}

	private later(ms: number): void {
		clearTimeout(this.timer);
		this.timer = Number(setTimeout(() => this.mend(), ms));
	}

	private mend(): void {
		if (this.done || this.connected())
			return;
		this.tries++;
		this.host.state();
		if (this.tries % 2 === 1 && this.pc.remoteDescription !== null
		    && this.pc.signalingState === 'stable') {
			this.restart();
			this.later(PATIENCE);
		} else
			this.renew();
	}
}
