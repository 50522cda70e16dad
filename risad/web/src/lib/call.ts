/*
 * Calls: somebody waves, asks one to come, knocks, wants a talk of two or into
 * one.  What has come and what one has asked oneself, until it is answered,
 * withdrawn or too late.  The connection holds them: with it they are gone.
 */
import type { CallKind, CallMsg, ClientMsg } from '../types';

export interface Incoming {
	n: number;
	kind: CallKind;
	user: number;
	name: string;
	guest: boolean;
	floor: number;
	room: number;
	until: number;		/* the server's clock, ms */
}

export interface Outgoing {
	ref: string;
	n: number;		/* 0 until the server has given one */
	kind: CallKind;
	user: number;		/* 0 for a knock */
	room: number;		/* 0 but for a knock */
	until: number;
	withdrawn: boolean;	/* before its number had come */
}

export type Asked = { kind: 'knock'; room: number } |
    { kind: Exclude<CallKind, 'knock'>; user: number };

export interface CallEvents {
	send(m: ClientMsg): boolean;
	ref(): string;
	now(): number;
	timer(ms: number, fn: () => void): void;
	changed(): void;
	/* something has come that one should notice */
	came(c: Incoming): void;
	/* it is over: answered, withdrawn, too late */
	ended(c: Incoming): void;
	/* the server has taken what one asked */
	taken(o: Outgoing): void;
	replied(o: Outgoing, yes: boolean | null): void;
	refused(o: Outgoing, code: string): void;
}

const WAVE = 12000;		/* ms a wave stays in sight */
const ASKED = 30000;		/* what the server gives for an answer */
const LATE = 5000;		/* ms that its word may be late */

export class Calls {
	incoming: Incoming[] = [];
	outgoing: Outgoing[] = [];
	private readonly on: CallEvents;

	constructor(on: CallEvents) {
		this.on = on;
	}

	/* Asks; false when the same is being asked, or nothing can be sent. */
	ask(a: Asked): boolean {
		const user = a.kind === 'knock' ? 0 : a.user;
		const room = a.kind === 'knock' ? a.room : 0;
		const o: Outgoing = { ref: this.on.ref(), n: 0, kind: a.kind,
		    user, room, until: this.on.now() + ASKED,
		    withdrawn: false };

		if (this.pending(a.kind, user || room) !== undefined ||
		    !this.on.send({ t: 'call', ...a, ref: o.ref }))
			return (false);
		this.outgoing = [...this.outgoing, o];
		this.expire(o);
		this.on.changed();
		return (true);
	}

	/* What one has asked already of this person or room. */
	pending(kind: CallKind, of: number): Outgoing | undefined {
		return (this.outgoing.find((o) => o.kind === kind &&
		    !o.withdrawn && (o.user || o.room) === of));
	}

	/* Of those that are still open. */
	asked(): Outgoing[] {
		return (this.outgoing.filter((o) => !o.withdrawn &&
		    o.kind !== 'wave'));
	}

	withdraw(o: Outgoing): void {
		if (o.n === 0)
			o.withdrawn = true;
		else {
			this.on.send({ t: 'uncall', n: o.n });
			this.drop(o);
		}
		this.on.changed();
	}

	answer(n: number, yes: boolean): void {
		const c = this.incoming.find((x) => x.n === n);

		if (c === undefined)
			return;
		if (c.kind !== 'wave')
			this.on.send({ t: 'answer', n, yes });
		this.end(n);
	}

	/* ---- what the server says ---- */

	called(ref: string, n: number, until: number | undefined): void {
		const o = this.outgoing.find((x) => x.ref === ref);

		if (o === undefined)
			return;
		o.n = n;
		o.until = until || o.until;
		if (o.withdrawn) {
			this.on.send({ t: 'uncall', n });
			this.drop(o);
		} else if (o.kind === 'wave')
			this.drop(o);
		if (!o.withdrawn)
			this.on.taken(o);
		this.on.changed();
	}

	call(m: CallMsg): void {
		const c: Incoming = { n: m.n, kind: m.kind, user: m.user,
		    name: m.name, guest: m.guest === true, floor: m.floor,
		    room: m.room, until: m.until || this.on.now() + WAVE };
		const same = (x: Incoming) => x.n === m.n ||
		    (m.kind === 'wave' && x.kind === 'wave' &&
		    x.user === m.user);

		for (const x of this.incoming.filter(same))
			this.end(x.n);
		this.incoming = [...this.incoming, c];
		this.on.timer(Math.max(0, c.until - this.on.now()), () => {
			if (this.incoming.includes(c))
				this.end(c.n);
		});
		this.on.came(c);
		this.on.changed();
	}

	end(n: number): void {
		const c = this.incoming.find((x) => x.n === n);

		if (c === undefined)
			return;
		this.incoming = this.incoming.filter((x) => x !== c);
		this.on.ended(c);
		this.on.changed();
	}

	reply(n: number, yes: boolean | null): void {
		const o = this.outgoing.find((x) => x.n === n);

		if (o === undefined)
			return;
		this.drop(o);
		this.on.replied(o, yes);
		this.on.changed();
	}

	/* An error to a call; false when it is to something else. */
	refuse(ref: string, code: string): boolean {
		const o = this.outgoing.find((x) => x.ref === ref);

		if (o === undefined)
			return (false);
		this.drop(o);
		if (!o.withdrawn)
			this.on.refused(o, code);
		this.on.changed();
		return (true);
	}

	/* The connection is gone, and with it all of them. */
	down(): void {
		if (this.incoming.length + this.outgoing.length === 0)
			return;
		this.outgoing = [];
		for (const c of this.incoming)
			this.end(c.n);
		this.on.changed();
	}

	private drop(o: Outgoing): void {
		this.outgoing = this.outgoing.filter((x) => x !== o);
	}

	/* No word came, not even that it is too late: it is forgotten. */
	private expire(o: Outgoing): void {
		this.on.timer(o.until - this.on.now() + LATE, () => {
			if (!this.outgoing.includes(o))
				return;
			this.drop(o);
			this.on.changed();
		});
	}
}
