/*
 * One's own walking: wishes become legs, which are shown at once and told
 * to risad at the same time.  The server's word counts only when it is far
 * from what is shown.
 */

import { distance, nearest } from './geom';
import type { Spot } from './geom';
import { Bucket, LEGS_RATE, encodeLeg, encodePath, heading } from './legs';
import type { Move, Track } from './legs';
import { findPath } from './path';
import type { Space } from './space';

const FAR_OFF = 80;			/* centimetres the server may differ */
const REMEMBER = 2500;			/* ms of one's own way kept */
const SLIDE = 70;			/* legs along a wall are short */

export class Walker {
	/* The end of a clicked way, for the mark on the floor. */
	goal: Spot | null = null;
	private dx = 0;
	private dy = 0;
	private bucket = new Bucket(LEGS_RATE, 16);
	private timer = 0;
	private trail: { x: number; y: number; at: number }[] = [];
	private seen: Spot | null = null;

	constructor(private space: Space, private track: Track,
	    private send: (frames: ArrayBuffer[]) => void,
	    private wake: () => void)
	{
	}

	destroy(): void
	{
		window.clearTimeout(this.timer);
	}

	/* Walks to a place by the best way; false when there is none. */
	go(to: Spot): boolean
	{
		const now = performance.now();
		const from = this.track.where(now);
		const path = findPath(this.space, from, to);

		window.clearTimeout(this.timer);
		if (path.length === 0)
			return false;
		const wait = this.bucket.take(path.length + 1, now);
		if (wait > 0) {
			this.timer = window.setTimeout(() => this.go(to), wait);
			return true;
		}
		this.goal = path[path.length - 1] ?? null;
		this.walk(from, path, now);
		return true;
	}

	/* A door opened or closed: the way may be another now. */
	reroute(): void
	{
		const now = performance.now();

		if (this.goal !== null && !this.go(this.goal)) {
			this.goal = null;
			this.stop(this.track.where(now));
		}
		if (this.dx !== 0 || this.dy !== 0)
			this.push();
	}

	/* The held keys changed: a leg that way, or a stop. */
	steer(dx: number, dy: number): void
	{
		this.dx = dx;
		this.dy = dy;
		this.goal = null;
		this.push();
	}

	/* Keeps going while a key is held and the last leg has ended. */
	tick(now: number): void
	{
		const at = this.track.where(now);

		this.trail.push({ x: at.x, y: at.y, at: now });
		while ((this.trail[0]?.at ?? now) < now - REMEMBER)
			this.trail.shift();
		if (this.track.walking(now))
			return;
		this.goal = null;
		if (this.dx !== 0 || this.dy !== 0)
			this.push();
	}

	/* The server put us somewhere. */
	place(x: number, y: number): void
	{
		window.clearTimeout(this.timer);
		this.dx = this.dy = 0;
		this.goal = null;
		this.seen = null;
		this.trail = [];
		this.track.stand(x, y);
		this.wake();
	}

	/*
	 * What the server tells everybody about us.  It walks the same legs a
	 * little later, so it is right anywhere on our way of the last moments.
	 */
	judge(m: Move, now: number): void
	{
		const way: Spot[] = [...this.trail, this.track.where(now),
		    ...this.track.ahead(now)];
		let best = Infinity;

		for (let i = 0; i < way.length; i++) {
			const a = way[Math.max(0, i - 1)], b = way[i];
			if (a === undefined || b === undefined)
				continue;
			const p = nearest([a.x, a.y, b.x, b.y], m.x, m.y);
			best = Math.min(best, distance(p, m));
		}
		this.seen = { x: m.tx, y: m.ty };
		if (best > FAR_OFF)
			this.adopt(m, now);
	}

	/* Some time after we stood still: the server has to stand there too. */
	settle(now: number): void
	{
		const at = this.track.where(now);

		if (this.seen === null || this.track.moving(now) ||
		    this.dx !== 0 || this.dy !== 0)
			return;
		if (distance(this.seen, at) > FAR_OFF)
			this.track.correct(this.seen, [], now, now);
		this.seen = null;
		this.wake();
	}

	private adopt(m: Move, now: number): void
	{
		const path = m.x === m.tx && m.y === m.ty ? [] :
		    [{ x: m.tx, y: m.ty }];

		this.goal = null;
		this.trail = [];
		this.track.correct(m, path, now, now, m.heading);
		this.wake();
	}

	private push(): void
	{
		const now = performance.now();
		const from = this.track.where(now);
		const moving = this.track.walking(now);
		const still = this.dx === 0 && this.dy === 0;
		const to = still ? null : this.next(from);

		window.clearTimeout(this.timer);
		if (to === null && !moving)
			return;
		const wait = this.bucket.take(to !== null && moving ? 2 : 1,
		    now);
		if (wait > 0) {
			this.timer = window.setTimeout(() => this.push(), wait);
			return;
		}
		if (to !== null)
			this.walk(from, [to], now);
		else
			this.stop(from);
	}

	private next(from: Spot): Spot | null
	{
		const to = this.space.leg(from, this.dx, this.dy);
		const straight = to !== null &&
		    (this.dx === 0 || Math.abs(to.x - from.x) > 1) &&
		    (this.dy === 0 || Math.abs(to.y - from.y) > 1);

		if (to === null || straight)
			return to;
		const far = distance(from, to);
		const t = Math.min(1, SLIDE / far);
		return { x: Math.round(from.x + (to.x - from.x) * t),
		    y: Math.round(from.y + (to.y - from.y) * t) };
	}

	private stop(from: Spot): void
	{
		const at = { x: Math.round(from.x), y: Math.round(from.y) };

		this.send([encodeLeg(at, this.track.facing(), false)]);
		this.track.stand(at.x, at.y);
		this.wake();
	}

	/*
	 * The server is behind by the time of the message.  Who turns while he
	 * walks says first where he turned, so that the server takes the same
	 * corner instead of cutting it through a wall.
	 */
	private walk(from: Spot, path: Spot[], now: number): void
	{
		const first = path[0];
		const corner = { x: Math.round(from.x), y: Math.round(from.y) };

		if (first === undefined)
			return;
		this.send(encodePath(from, this.track.walking(now) ?
		    [corner, ...path] : path));
		this.track.turn(heading(first.x - from.x, first.y - from.y));
		this.track.walk(from, path, now);
		this.wake();
	}
}
