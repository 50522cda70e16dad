import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { Peer, sessionOf, SLOTS, type PeerHost } from '../src/talk/peer';
import type { Signal } from '../src/talk/wire';

let sessions = 1000;

/* What a connection does takes a turn or two. */
async function some(): Promise<void> {
	for (let n = 0; n < 6; n++)
		await turn();
}

interface Part {
	direction: string;
	sender: { track: unknown; replaceTrack(t: unknown): Promise<void>;
	    getParameters(): object };
	receiver: { track: { kind: string } };
}

const part = (kind: string): Part => ({
	direction: 'sendrecv',
	sender: {
		track: null,
		async replaceTrack(t: unknown) {
			this.track = t;
		},
		getParameters: () => ({ encodings: [] }),
	},
	receiver: { track: { kind } },
});

/* As much of a connection as its states are about. */
class Fake {
	readonly session = ++sessions;
	version = 1;
	signalingState = 'stable';
	iceConnectionState = 'new';
	connectionState = 'new';
	localDescription: { type: string; sdp: string } | null = null;
	remoteDescription: { type: string; sdp: string } | null = null;
	parts: Part[] = [];
	added: string[] = [];
	restarts = 0;
	onnegotiationneeded: (() => void) | null = null;
	onicecandidate: ((e: { candidate: object }) => void) | null = null;
	oniceconnectionstatechange: (() => void) | null = null;
	private needed = false;

	getTransceivers() {
		return (this.parts);
	}

	addTransceiver(kind: string) {
		this.parts.push(part(kind));
		this.need();
	}

	restartIce() {
		this.restarts++;
		this.need();
	}

	need() {
		this.needed = true;
		queueMicrotask(() => {
			if (this.needed && this.signalingState === 'stable') {
				this.needed = false;
				this.onnegotiationneeded?.();
			}
		});
	}

	/* After it is closed nothing ends. */
	private async later() {
		await turn();
		if (this.signalingState === 'closed')
			await new Promise(() => undefined);
	}

	async setLocalDescription() {
		await this.later();
		const answer = this.signalingState === 'have-remote-offer';
		this.localDescription = { type: answer ? 'answer' : 'offer',
		    sdp: `v=0\r\no=- ${this.session} ${++this.version} ` +
		    'IN IP4 0.0.0.0\r\n' };
		this.signalingState = answer ? 'stable' : 'have-local-offer';
		if (answer)
			this.stable();
	}

	async setRemoteDescription(d: { type: string; sdp: string }) {
		await this.later();
		if (d.type === 'answer') {
			assert.equal(this.signalingState, 'have-local-offer');
			this.signalingState = 'stable';
			this.remoteDescription = d;
			return (this.stable());
		}
		if (this.signalingState === 'have-local-offer')
			this.needed = true;	/* rolled back */
		this.signalingState = 'have-remote-offer';
		/* Own parts do not become those of the first offer. */
		if (this.remoteDescription === null)
			this.parts.push(...['audio', 'video', 'video',
			    'audio'].map(part));
		this.remoteDescription = d;
	}

	private stable() {
		this.iceConnectionState = this.connectionState = 'connected';
		this.oniceconnectionstatechange?.();
		if (this.needed)
			this.need();
	}

	async addIceCandidate(c: { candidate: string }) {
		this.added.push(c.candidate);
	}

	async getStats() {
		return (new Map());
	}

	close() {
		this.signalingState = 'closed';
		this.connectionState = 'closed';
	}
}

class End {
	readonly all: Fake[] = [];
	readonly peer: Peer;

	constructor(polite: boolean) {
		const host: PeerHost = {
			make: () => {
				const f = new Fake();
				this.all.push(f);
				return (f as unknown as RTCPeerConnection);
			},
			signal: () => undefined,
			tracks: () => undefined,
			state: () => undefined,
		};
		this.peer = new Peer(polite, host);
	}

	get pc(): Fake {
		const f = this.all.at(-1);

		assert.ok(f);
		return (f);
	}
}

/* Signals go to and fro until none is left; who sent what. */
async function settle(a: End, b: End): Promise<string[]> {
	const log: string[] = [];

	for (let quiet = 0; quiet < 6; quiet++) {
		await turn();
		for (const [from, to, name] of [[a, b, 'a'], [b, a, 'b']] as
		    const) {
			const s: Signal | null = from.peer.next();
			if (s === null)
				continue;
			log.push(`${name}:${'candidates' in s ? 'candidates' :
			    s.description.type}`);
			to.peer.receive(s);
			quiet = -1;
		}
		assert.ok(log.length < 40, log.join(' '));
	}
	return (log);
}

function well(a: End, b: End): void {
	for (const e of [a, b]) {
		assert.equal(e.pc.signalingState, 'stable');
		assert.equal(e.pc.parts.length, SLOTS.length);
		assert.equal(e.pc.iceConnectionState, 'connected');
		assert.ok(e.all.slice(0, -1).every((f) =>
		    f.signalingState === 'closed'), 'old ones are closed');
		e.peer.close();
	}
	assert.equal(sessionOf(a.pc.remoteDescription?.sdp ?? ''),
	    String(b.pc.session));
	assert.equal(sessionOf(b.pc.remoteDescription?.sdp ?? ''),
	    String(a.pc.session));
}

const two = (): [End, End] => [new End(false), new End(true)];

test('one offers, the other answers, and that is all', async () => {
	const [a, b] = two();

	assert.deepEqual(await settle(a, b), ['a:offer', 'b:answer']);
	well(a, b);
	assert.equal(a.all.length + b.all.length, 2);
});

test('both start over at once: the impolite one is followed', async () => {
	const [a, b] = two();

	await settle(a, b);
	a.peer.restart();
	b.peer.restart();
	const log = await settle(a, b);
	assert.ok(log.includes('a:offer') && log.includes('b:offer'));
	well(a, b);
	assert.equal(a.all.length + b.all.length, 2, 'the same connections');
});

test('both make the first offer: no part is there twice', async () => {
	const [a, b] = two();

	b.peer.renew();
	await settle(a, b);
	well(a, b);
});

test('kept on one side, new on the other: they find each other', async () => {
	for (const keeper of [false, true]) {
		const [a, b] = two();

		await settle(a, b);
		/* The page of one was loaded again; numbers are new. */
		const fresh = new End(!keeper);
		const old = keeper ? b : a;
		old.peer.adopt(keeper);
		await settle(old, fresh);
		well(old, fresh);
		(keeper ? a : b).peer.close();
	}
});

test('kept on both sides: the connection stays, by new ways', async () => {
	const [a, b] = two();

	await settle(a, b);
	a.peer.adopt(true);		/* the numbers have changed sides */
	b.peer.adopt(false);
	assert.deepEqual(await settle(a, b), ['b:offer', 'a:answer']);
	assert.equal(b.pc.restarts, 1);
	assert.equal(a.all.length + b.all.length, 2);
	well(a, b);
});

test('kept while an answer was on its way: begun anew', async () => {
	const [a, b] = two();

	await settle(a, b);
	a.peer.restart();
	await some();
	assert.ok(a.peer.next());	/* lost with the server */
	a.peer.adopt(false);
	b.peer.adopt(true);
	await settle(a, b);
	well(a, b);
});

test('candidates travel in the description they are of', async () => {
	const [a, b] = two();
	const found = (n: number) => {
		for (let i = 0; i < n; i++)
			a.pc.onicecandidate?.({ candidate: { candidate:
			    `candidate:${i}`, sdpMid: '0', sdpMLineIndex: 0,
			    usernameFragment: 'u' } });
	};

	await some();
	found(5);
	assert.ok('description' in (a.peer.next() ?? {}));
	assert.equal(a.peer.next(), null, 'they were in it');
	found(40);
	a.pc.onicecandidate?.({ candidate: { candidate: '' } });
	const s = a.peer.next();
	assert.ok(s !== null && 'candidates' in s);
	assert.equal(s.candidates.length, 32);
	assert.ok(a.peer.more());
	const t = a.peer.next();
	assert.ok(t !== null && 'candidates' in t);
	assert.equal(t.candidates.length, 8);
	assert.ok(!a.peer.more());
	a.peer.close();
	b.peer.close();
});

test('an answer leaves before an offer that follows it', async () => {
	const [a, b] = two();

	await some();
	const offer = a.peer.next();
	assert.ok(offer);
	b.peer.receive(offer);
	await some();
	b.peer.restart();
	await some();
	const first = b.peer.next();
	assert.ok(first !== null && 'description' in first);
	assert.equal(first.description.type, 'answer');
	a.peer.receive(first);
	assert.deepEqual((await settle(a, b)), ['b:offer', 'a:answer']);
	well(a, b);
});

test('what is sent goes with a connection begun anew', async () => {
	const [a, b] = two();
	const mic = { kind: 'audio' } as MediaStreamTrack;

	b.peer.send('mic', mic);	/* before there is a part for it */
	await settle(a, b);
	assert.equal(b.pc.parts[0]?.sender.track, mic);
	b.peer.renew();
	await settle(a, b);
	assert.equal(b.pc.parts[0]?.sender.track, mic);
	b.peer.send('mic', null);
	await some();
	assert.equal(b.pc.parts[0]?.sender.track, null);
	well(a, b);
});

test('sound only: pictures are not taken, theirs may come back', async () => {
	const [a, b] = two();

	b.peer.watch(false);
	await settle(a, b);
	assert.deepEqual(b.pc.parts.map((p) => p.direction), ['sendrecv',
	    'sendonly', 'sendonly', 'sendrecv']);
	b.peer.watch(true);
	assert.ok(b.pc.parts.every((p) => p.direction === 'sendrecv'));
	well(a, b);
});

test('what makes no sense is no end', async () => {
	const [a, b] = two();

	await settle(a, b);
	b.peer.receive({ description: { type: 'answer', sdp: 'x' } });
	b.peer.receive({ description: { type: 'rollback', sdp: '' } });
	b.peer.receive({ candidates: [{ candidate: '' }] });
	b.peer.receive({ nothing: 1 } as unknown as Signal);
	await some();
	a.peer.restart();
	await settle(a, b);
	well(a, b);
});

/*
 * Each starts over twice, from the beginning or by new ways, at moments of its
 * own, while the other's words are on their way: whatever the order, nobody
 * waits for an answer that does not come.
 */
test('both start over, in any order: they find each other', async () => {
	let seed = 1;
	const below = (n: number) => {
		seed = Math.imul(seed, 1103515245) + 12345 | 0;
		return ((seed >>> 16) % n);
	};

	for (let round = 0; round < 2000; round++) {
		const [a, b] = two();
		const left = [a, b, a, b];
		const log: string[] = [];

		await settle(a, b);
		while (left.length > 0) {
			const to = below(4);
			if (to === 0) {
				const e = left.splice(below(left.length),
				    1)[0];
				const anew = below(3) > 0;
				log.push(`${e === a ? 'a' : 'b'} ${anew ?
				    'anew' : 'restart'}`);
				if (anew)
					e?.peer.renew();
				else
					e?.peer.restart();
			} else if (to === 1)
				await turn();
			else {
				const [from, other] = to === 2 ? [a, b] :
				    [b, a];
				const s = from.peer.next();
				if (s === null)
					continue;
				log.push(`${to === 2 ? 'a' : 'b'}:${
				    'candidates' in s ? 'candidates' :
				    s.description.type}`);
				other.peer.receive(s);
			}
		}
		log.push(...await settle(a, b));
		assert.ok(a.pc.signalingState === 'stable' &&
		    b.pc.signalingState === 'stable', log.join(', '));
		well(a, b);
	}
});
