/*
 * Going after somebody: a new way when where they are going has moved far
 * enough, and not more often than legs may be told.
 */
export interface At {
	x: number;
	y: number;
}

const APART = 60;		/* cm: a shuffle is not followed */
const EVERY = 400;		/* ms */

export class Follower {
	private last: At | null = null;
	private wanted: At | null = null;
	private waiting = false;
	private readonly walk: (to: At) => void;
	private readonly timer: (ms: number, fn: () => void) => void;

	constructor(walk: (to: At) => void,
	    timer: (ms: number, fn: () => void) => void) {
		this.walk = walk;
		this.timer = timer;
	}

	/* Where the one before us is going to stand. */
	seen(at: At): void {
		if (this.last !== null && Math.hypot(at.x - this.last.x,
		    at.y - this.last.y) < APART) {
			this.wanted = null;
			return;
		}
		this.wanted = at;
		if (!this.waiting)
			this.go();
	}

	/* Nobody is followed any more. */
	stop(): void {
		this.last = this.wanted = null;
	}

	private go(): void {
		const to = this.wanted;

		this.waiting = to !== null;
		if (to === null)
			return;
		this.last = to;
		this.wanted = null;
		this.walk(to);
		this.timer(EVERY, () => this.go());
	}
}
