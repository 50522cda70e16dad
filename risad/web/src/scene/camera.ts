/* Which part of the floor is seen.  Scale is CSS pixels a centimetre. */

import { clamp } from './geom';
import type { Spot } from './geom';

const PAD = 26;				/* around a floor that fits */
const PAD_TOP = 44;
const PAD_LOW = 92;			/* the dock lies there */
const SLACK = 90;			/* pixels a small floor may be moved */
const LEGIBLE = 0.25;			/* below it the view follows */
const CLOSE = 0.40;			/* the scale it then has */
const NEAREST = 1.3;
const NARROW = 600;			/* pixels */
const EASE = 130;			/* ms, how fast the view follows */

export class Camera {
	x = 0;				/* floor point in the middle */
	y = 0;
	k = 0.3;
	following = true;
	private fits = true;
	private aim: Spot | null = null;
	private size: [number, number] = [1000, 1000];

	constructor(public width: number, public height: number)
	{
	}

	/* The scale at which all of the floor is seen. */
	fit(): number
	{
		return Math.max(0.02, Math.min(
		    (this.width - 2 * PAD) / this.size[0],
		    (this.height - PAD_TOP - this.low()) / this.size[1]));
	}

	setFloor(size: [number, number], self: Spot | null): void
	{
		this.size = size;
		this.home(self);
	}

	/* The whole floor, or around oneself where that would be too small. */
	home(self: Spot | null): void
	{
		const fit = this.fit();

		this.fits = fit >= LEGIBLE || self === null;
		this.k = this.fits ? Math.min(fit, 0.7) : CLOSE;
		this.following = true;
		this.aim = null;
		if (self !== null && !this.fits) {
			this.x = self.x;
			this.y = self.y;
		}
		this.bound();
	}

	resize(width: number, height: number, self: Spot | null): void
	{
		this.width = width;
		this.height = height;
		if (this.fits)
			this.home(self);
		else
			this.bound();
	}

	toScreen(x: number, y: number): Spot
	{
		return { x: (x - this.x) * this.k + this.width / 2,
		    y: (y - this.y) * this.k + this.height / 2 };
	}

	toFloor(x: number, y: number): Spot
	{
		return { x: (x - this.width / 2) / this.k + this.x,
		    y: (y - this.height / 2) / this.k + this.y };
	}

	/* Zooms by a factor, keeping what is under a screen point there. */
	zoom(factor: number, sx: number, sy: number): boolean
	{
		const before = this.toFloor(sx, sy);
		const fit = this.fit();
		const low = Math.min(fit, LEGIBLE);
		const k = clamp(this.k * factor, low, NEAREST);

		if (k === this.k)
			return false;
		this.k = k;
		this.fits = Math.abs(k / fit - 1) < 0.02;
		this.aim = null;
		const after = this.toFloor(sx, sy);
		this.x += before.x - after.x;
		this.y += before.y - after.y;
		this.bound();
		return true;
	}

	/* Drags by screen pixels; the view stays there until one walks. */
	pan(dx: number, dy: number): void
	{
		this.following = false;
		this.aim = null;
		this.x -= dx / this.k;
		this.y -= dy / this.k;
		this.bound();
	}

	/* Goes to a place: at once, or softly by later steps. */
	look(to: Spot, at_once: boolean): void
	{
		const aim = this.bounded(to.x, to.y);

		if (at_once) {
			this.x = aim.x;
			this.y = aim.y;
			this.aim = null;
		} else
			this.aim = aim;
	}

	/* True when a place is well within the view. */
	sees(p: Spot): boolean
	{
		const s = this.toScreen(p.x, p.y);

		return s.x > 60 && s.y > 80 && s.x < this.width - 60 &&
		    s.y < this.height - 80;
	}

	/*
	 * Keeps oneself in the middle of the view while walking; of a narrow
	 * one the top is under cards.
	 */
	follow(self: Spot): void
	{
		const part = this.width < NARROW ? 10 : 6;
		const w = this.width / 5 / this.k;
		const h = this.height / part / this.k;

		if (!this.following)
			return;
		this.aim = this.bounded(
		    clamp(this.aim?.x ?? this.x, self.x - w, self.x + w),
		    clamp(this.aim?.y ?? this.y, self.y - h, self.y + h));
	}

	/* One step of `ms` towards the aim; true while it is not reached. */
	step(ms: number, at_once: boolean): boolean
	{
		const t = at_once ? 1 : 1 - Math.exp(-ms / EASE);

		if (this.aim === null)
			return false;
		this.x += (this.aim.x - this.x) * t;
		this.y += (this.aim.y - this.y) * t;
		if (Math.hypot(this.aim.x - this.x, this.aim.y - this.y) *
		    this.k < 0.6) {
			this.x = this.aim.x;
			this.y = this.aim.y;
			this.aim = null;
		}
		return true;
	}

	private bound(): void
	{
		const p = this.bounded(this.x, this.y);

		this.x = p.x;
		this.y = p.y;
	}

	/* A quarter of the view may be beside the floor, not more. */
	private bounded(x: number, y: number): Spot
	{
		const [w, h] = this.size;
		const low = (this.low() - PAD_TOP) / 2 / this.k;

		return { x: this.bound1(x, w, this.width / 2 / this.k, 0),
		    y: this.bound1(y, h, this.height / 2 / this.k, low) };
	}

	private bound1(v: number, size: number, half: number, shift: number):
	    number
	{
		const slack = this.fits ? 0 : SLACK / this.k;
		const edge = half * 0.5;

		if (2 * half >= size)
			return clamp(v, size / 2 + shift - slack,
			    size / 2 + shift + slack);
		return clamp(v, Math.min(edge, size / 2),
		    Math.max(size - edge, size / 2));
	}

	/* The space kept free below, less on a low view. */
	private low(): number
	{
		return Math.min(PAD_LOW, this.height * 0.12);
	}
}
