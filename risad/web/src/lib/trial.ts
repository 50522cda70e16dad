/*
 * Trials of the network by the browser itself: two connections of this page
 * that talk to each other by the one way that is tried.
 */
import type { TalkServer } from '../types';
import type { Trial, TrialWhy } from './talkcheck';

const BOUND = 12000;		/* ms a trial may take */
const TIMES = 3;		/* there and back, the best one counts */

const fail = (why: TrialWhy): Trial => ({ state: 'fail', why, ms: 0 });

/* What a gathering says that ends without a candidate. */
function reason(codes: readonly number[]): TrialWhy {
	return (codes.some((c) => c === 401 || c === 403 || c === 438) ?
	    'refused' : 'unreachable');
}

class Pair {
	private readonly a: RTCPeerConnection;
	private readonly b: RTCPeerConnection;
	private readonly codes: number[] = [];
	private found = 0;
	private over = 0;		/* sides that have gathered all */

	constructor(config: RTCConfiguration, done: (t: Trial) => void) {
		this.a = new RTCPeerConnection(config);
		this.b = new RTCPeerConnection(config);
		this.link(this.a, this.b, done);
		this.link(this.b, this.a, done);
		const line = this.a.createDataChannel('check');
		line.onopen = () => this.measure(line, done);
		this.b.ondatachannel = ({ channel }) => {
			channel.onmessage = (e) => channel.send(
			    e.data as string);
		};
	}

	async start(): Promise<void> {
		const { a, b } = this;

		await a.setLocalDescription();
		await b.setRemoteDescription(a.localDescription ??
		    { type: 'offer' });
		await b.setLocalDescription();
		await a.setRemoteDescription(b.localDescription ??
		    { type: 'answer' });
	}

	close(): void {
		this.a.close();
		this.b.close();
	}

	/* Nothing found on either side ends it; else it waits for a way. */
	why(): TrialWhy {
		return (this.found > 0 ? 'path' : this.codes.length > 0 ?
		    reason(this.codes) : 'unreachable');
	}

	private link(from: RTCPeerConnection, to: RTCPeerConnection,
	    done: (t: Trial) => void): void {
		from.onicecandidate = ({ candidate }) => {
			if (candidate !== null && candidate.candidate !== '') {
				this.found++;
				void to.addIceCandidate(candidate)
				    .catch(() => undefined);
			} else if (candidate === null && ++this.over === 2 &&
			    this.found === 0)
				done(fail(this.why()));
		};
		from.onicecandidateerror = (e) => this.codes.push(e.errorCode);
		from.onconnectionstatechange = () => {
			if (from.connectionState === 'failed')
				done(fail(this.why()));
		};
	}

	private measure(line: RTCDataChannel, done: (t: Trial) => void): void {
		let from = performance.now(), best = Infinity, left = TIMES;

		line.onmessage = () => {
			best = Math.min(best, performance.now() - from);
			if (--left === 0)
				return (done({ state: 'ok', why: '', ms:
				    Math.max(1, Math.round(best)) }));
			from = performance.now();
			line.send('?');
		};
		line.send('?');
	}
}

function run(config: RTCConfiguration): Promise<Trial> {
	return (new Promise((good) => {
		let pair: Pair | null = null;
		const done = (t: Trial): void => {
			clearTimeout(timer);
			pair?.close();
			good(t);
		};
		const timer = setTimeout(() => done(fail(pair?.why() ===
		    'unreachable' ? 'late' : pair?.why() ?? 'late')), BOUND);

		try {
			pair = new Pair(config, done);
		} catch {
			return (done(fail('webrtc')));
		}
		pair.start().catch(() => done(fail('webrtc')));
	}));
}

/* By a relay alone, at one address of it. */
export function tryRelay(url: string, s: TalkServer): Promise<Trial> {
	return (run({ iceTransportPolicy: 'relay', iceServers: [{ urls: url,
	    username: s.username, credential: s.credential }] }));
}

/* Without any server, as two people of one network would. */
export function tryDirect(): Promise<Trial> {
	return (run({}));
}

/* What a device says when it is asked for, in our words. */
export function deviceWhy(e: unknown): TrialWhy {
	const name = e instanceof DOMException ? e.name : '';

	return (name === 'NotAllowedError' || name === 'SecurityError' ?
	    'blocked' : name === 'NotFoundError' ||
	    name === 'OverconstrainedError' ? 'missing' :
	    name === 'NotReadableError' || name === 'AbortError' ? 'busy' :
	    'webrtc');
}

/* How loud it is, 0 to 1, many times a second; the result ends it. */
export function levels(stream: MediaStream, fn: (level: number) => void):
    () => void {
	const ctx = new AudioContext();
	const look = ctx.createAnalyser();
	const data = new Float32Array(look.fftSize = 1024);

	ctx.createMediaStreamSource(stream).connect(look);
	const id = setInterval(() => {
		look.getFloatTimeDomainData(data);
		fn(Math.min(1, 4 * Math.sqrt(data.reduce((s, x) => s + x * x,
		    0) / data.length)));
	}, 80);
	return (() => {
		clearInterval(id);
		void ctx.close();
	});
}
