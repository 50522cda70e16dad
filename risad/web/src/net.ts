import { backoff } from './lib/backoff';
import type { ClientMsg, ServerMsg } from './types';

export type LinkState = 'off' | 'connecting' | 'up' | 'waiting';

export interface LinkEvents {
	message(m: ServerMsg): void;
	frame(buf: ArrayBuffer): void;
	/* until: when the next try is due (performance clock), if waiting */
	state(s: LinkState, until: number): void;
	/* the upgrade failed without an answer: is one still signed in? */
	refused(): void;
}

const HELLO = 10000;		/* ms from opening to hello */
const STEADY = 10000;		/* ms up: the next loss starts over */

/*
 * The one connection to risad.  It comes back by itself until stopped; a bye
 * that has another next step than waiting stops it.
 */
export class Link {
	private readonly url: string;
	private readonly on: LinkEvents;
	private ws: WebSocket | null = null;
	private tries = 0;
	private timer = 0;
	private hello = 0;
	private up = false;
	private upAt = 0;
	private wanted = false;

	constructor(url: string, on: LinkEvents) {
		this.url = url;
		this.on = on;
	}

	start(): void {
		if (this.wanted)
			return;
		this.wanted = true;
		this.tries = 0;
		this.open();
	}

	stop(): void {
		this.wanted = false;
		this.drop();
		this.on.state('off', 0);
	}

	/* The network may be back or somebody looks: do not wait longer. */
	hurry(): void {
		if (this.wanted && this.ws === null)
			this.open();
	}

	/* What looks open may be dead: begin anew. */
	renew(): void {
		if (this.wanted)
			this.open();
	}

	/* The browser has no network: of what is open, none will say so. */
	lost(): void {
		if (this.wanted && this.ws !== null)
			this.closed();
	}

	ready(): boolean {
		return (this.up);
	}

	send(m: ClientMsg): boolean {
		return (this.raw(JSON.stringify(m)));
	}

	sendFrame(b: ArrayBuffer): boolean {
		return (this.raw(b));
	}

	private raw(data: string | ArrayBuffer): boolean {
		if (!this.up || this.ws?.readyState !== WebSocket.OPEN)
			return (false);
		this.ws.send(data);
		return (true);
	}

	private drop(): void {
		const ws = this.ws;

		clearTimeout(this.timer);
		clearTimeout(this.hello);
		this.ws = null;
		this.up = false;
		if (ws === null)
			return;
		ws.onclose = ws.onmessage = ws.onerror = ws.onopen = null;
		ws.close(1000);
	}

	private open(): void {
		this.drop();
		this.on.state('connecting', 0);
		const ws = new WebSocket(this.url, 'risa.v1');

		ws.binaryType = 'arraybuffer';
		ws.onmessage = (e) => this.receive(e.data);
		ws.onclose = () => this.closed();
		this.ws = ws;
		this.hello = window.setTimeout(() => this.closed(), HELLO);
	}

	private receive(data: unknown): void {
		let m: ServerMsg;

		if (data instanceof ArrayBuffer) {
			this.on.frame(data);
			return;
		}
		try {
			m = JSON.parse(String(data)) as ServerMsg;
		} catch {
			return;		/* not for this page's version */
		}
		if (typeof m?.t !== 'string')
			return;
		/* A guest at the door gets no hello until let in. */
		if (m.t === 'waiting')
			clearTimeout(this.hello);
		if (m.t === 'hello') {
			clearTimeout(this.hello);
			this.up = true;
			this.upAt = performance.now();
			this.on.state('up', 0);
		}
		this.on.message(m);
	}

	private closed(): void {
		const was = this.up;

		if (was && performance.now() - this.upAt > STEADY)
			this.tries = 0;
		this.drop();
		if (!this.wanted)
			return;
		const ms = backoff(this.tries++, Math.random);
		this.timer = window.setTimeout(() => this.open(), ms);
		this.on.state('waiting', performance.now() + ms);
		if (!was && navigator.onLine)
			this.on.refused();
	}
}
