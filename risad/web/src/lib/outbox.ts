import type { Channel, ClientMsg } from '../types';

/*
 * What was written and is not acknowledged.  One message is under way at a
 * time, so the order holds over a lost connection; the server knows the ref
 * and will not keep a message twice.
 */
export interface Draft {
	ref: string;
	channel: Channel;
	text: string;
	at: number;		/* when written, the server's clock */
	after: number;		/* newest id known then */
	failed: string;		/* code of the refusal, empty while hoping */
	seen: number;		/* id of the message that came before its ack */
}

/* Where one is: what "floor" and "room" mean to the server now. */
export interface Where {
	floor: number;		/* 0: nowhere yet */
	room: number;
}

const AGAIN = 1500;		/* ms, after too-many and unavailable */
const SILENCE = 15000;		/* ms without an answer: say it again */
const PASSING = new Set(['too-many', 'unavailable']);

/* A channel as the server takes it from where we are, null: not from here. */
export function target(channel: Channel, w: Where):
    'floor' | 'room' | { user: number } | null {
	const [kind, a, b] = channel.split(':');

	if (kind === 'user')
		return ({ user: Number(a) });
	if (Number(a) !== w.floor)
		return (null);
	if (kind === 'floor')
		return ('floor');
	return (kind === 'room' && Number(b) === w.room ? 'room' : null);
}

export interface OutboxDeps {
	send(m: ClientMsg): boolean;	/* false: not connected */
	timer(ms: number, fn: () => void): () => void;
	changed(d: Draft): void;
	silent(): void;			/* no answer: is the wire dead? */
	ref(): string;
}

export class Outbox {
	readonly drafts: Draft[] = [];
	private readonly deps: OutboxDeps;
	private where: Where = { floor: 0, room: 0 };
	private ready = false;		/* hello has come, a floor may not */
	private flying: Draft | null = null;
	private cancel: (() => void) | null = null;

	constructor(deps: OutboxDeps) {
		this.deps = deps;
	}

	add(channel: Channel, text: string, at: number, after: number): Draft {
		const d: Draft = { ref: this.deps.ref(), channel, text, at,
		    after, failed: '', seen: 0 };

		this.drafts.push(d);
		this.pump();
		return (d);
	}

	/* The connection is gone: what was under way is no longer. */
	down(): void {
		this.ready = false;
		this.land();
	}

	/* Connected, and here (floor 0: not on a floor, direct ones may go). */
	up(w: Where): void {
		this.ready = true;
		this.where = w;
		this.pump();
	}

	/* One walked into another room while connected. */
	moved(w: Where): void {
		this.where = w;
		this.pump();
	}

	/* Acknowledged: the draft is done and handed back, once. */
	ack(ref: string): Draft | null {
		const i = this.drafts.findIndex((d) => d.ref === ref);
		const d = this.drafts[i];

		if (d === undefined)
			return (null);
		this.drafts.splice(i, 1);
		if (this.flying === d)
			this.land();
		this.pump();
		return (d);
	}

	/* Refused: some refusals pass, the others are shown. */
	refuse(ref: string, code: string): boolean {
		const d = this.drafts.find((x) => x.ref === ref);

		if (d === undefined)
			return (false);
		if (PASSING.has(code)) {
			if (this.flying === d)
				this.wait(AGAIN, () => undefined);
			return (true);
		}
		if (this.flying === d)
			this.land();
		this.fail(d, code);
		this.pump();
		return (true);
	}

	retry(ref: string): void {
		const d = this.drafts.find((x) => x.ref === ref);

		if (d === undefined || d.failed === '')
			return;
		d.failed = '';
		this.deps.changed(d);
		this.pump();
	}

	discard(ref: string): void {
		const i = this.drafts.findIndex((d) => d.ref === ref);
		const d = this.drafts[i];

		if (d === undefined || d.failed === '')
			return;
		this.drafts.splice(i, 1);
		this.deps.changed(d);
	}

	/*
	 * One's own message that came before its ack, or in a history: which
	 * draft is it?  The first with these words, written after the newest
	 * message then known and not long before the server kept it.
	 */
	claim(m: { id: number; channel: Channel; text: string; at: number }):
	    Draft | null {
		const d = this.drafts.find((x) => x.channel === m.channel &&
		    x.text === m.text && m.id > x.after &&
		    m.at >= x.at - 5000 && (x.seen === 0 || x.seen === m.id));

		if (d !== undefined)
			d.seen = m.id;
		return (d ?? null);
	}

	private fail(d: Draft, code: string): void {
		d.failed = code;
		this.deps.changed(d);
	}

	private land(): void {
		this.cancel?.();
		this.cancel = null;
		this.flying = null;
	}

	private wait(ms: number, then: () => void): void {
		this.cancel?.();
		this.cancel = this.deps.timer(ms, () => {
			this.land();
			then();
			this.pump();
		});
	}

	/* Sends the oldest that may go, if none is under way. */
	private pump(): void {
		while (this.ready && this.flying === null) {
			const d = this.drafts.find((x) => x.failed === '' &&
			    (this.where.floor > 0 ||
			    x.channel.startsWith('user:')));
			if (d === undefined)
				return;
			const to = target(d.channel, this.where);
			if (to === null) {
				this.fail(d, 'not-here');
				continue;
			}
			if (!this.deps.send({ t: 'say', to, text: d.text,
			    ref: d.ref }))
				return;
			this.flying = d;
			this.wait(SILENCE, () => this.deps.silent());
		}
	}
}
