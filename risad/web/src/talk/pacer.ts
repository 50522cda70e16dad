/*
 * Signals leave one after the other, below what the server takes of one page.
 * Who waits is kept, not what: it is asked for when its turn has come, so that
 * candidates found meanwhile travel together.
 */
const RATE = 8;			/* a second; the server takes 10 */
const BURST = 8;

export interface PacerClock {
	now(): number;
	/* Runs fn later; the result stops it. */
	after(ms: number, fn: () => void): () => void;
}

export class Pacer {
	private readonly due = new Map<number, number>();
	private readonly take: (id: number) => boolean;
	private readonly clock: PacerClock;
	private left = BURST;
	private filled: number;
	private stop: (() => void) | null = null;

	/* take sends what one waits with; true if there is more. */
	constructor(take: (id: number) => boolean, clock: PacerClock) {
		this.take = take;
		this.clock = clock;
		this.filled = clock.now();
	}

	/* One has something to send, at the earliest in so many ms. */
	want(id: number, delay: number): void {
		const at = this.clock.now() + delay;
		const was = this.due.get(id);

		if (was === undefined || at < was)
			this.due.set(id, at);
		this.plan();
	}

	forget(id: number): void {
		this.due.delete(id);
		this.plan();
	}

	private fill(now: number): void {
		this.left = Math.min(BURST,
		    this.left + (now - this.filled) * RATE / 1000);
		this.filled = now;
	}

	private plan(): void {
		this.stop?.();
		this.stop = null;
		if (this.due.size === 0)
			return;
		const now = this.clock.now();
		this.fill(now);
		const token = this.left >= 1 ? 0 :
		    Math.ceil((1 - this.left) * 1000 / RATE);
		const first = Math.min(...this.due.values()) - now;
		this.stop = this.clock.after(Math.max(0, token, first),
		    () => this.run());
	}

	/* Those who are due, in the order in which they asked. */
	private run(): void {
		const now = this.clock.now();

		this.stop = null;
		this.fill(now);
		for (const [id, at] of [...this.due]) {
			if (this.left < 1)
				break;
			if (at > now)
				continue;
			this.left--;
			this.due.delete(id);
			if (this.take(id))
				this.due.set(id, now);
		}
		this.plan();
	}
}
