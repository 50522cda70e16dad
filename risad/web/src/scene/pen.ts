/*
 * A context that draws in centimetres of the floor, with height: what is h
 * high is drawn h further up, with its south side below its top.
 */

import { mix } from './palette';
import type { Palette } from './palette';

export class Pen {
	constructor(readonly c: CanvasRenderingContext2D,
	    readonly k: number /* device pixels a centimetre */,
	    readonly pal: Palette)
	{
	}

	/* What follows throws a soft shadow to the lower right. */
	shade(far: number): void
	{
		this.c.shadowColor = this.pal.shadow;
		this.c.shadowBlur = (far * 0.9 + 5) * this.k;
		this.c.shadowOffsetX = (far * 0.35 + 2) * this.k;
		this.c.shadowOffsetY = (far * 0.45 + 3) * this.k;
	}

	plain(): void
	{
		this.c.shadowColor = 'transparent';
		this.c.shadowBlur = 0;
		this.c.shadowOffsetX = 0;
		this.c.shadowOffsetY = 0;
	}

	flat(x: number, y: number, w: number, h: number, r: number,
	    colour: string): void
	{
		this.c.fillStyle = colour;
		this.c.beginPath();
		this.c.roundRect(x, y, w, h, Math.min(r, w / 2, h / 2));
		this.c.fill();
	}

	/* A box on the floor, or `base` above it, with a lit top. */
	box(x: number, y: number, w: number, h: number, r: number,
	    high: number, colour: string, base = 0): void
	{
		const top = this.pal.thing(colour);
		const up = y - base - high;

		if (base === 0)
			this.shade(high);
		this.flat(x, up, w, h + high, r, mix(top, '#3a2412', 0.24));
		this.plain();
		const g = this.c.createLinearGradient(x, up, x + w, up + h);
		g.addColorStop(0, mix(top, '#ffffff', 0.16));
		g.addColorStop(0.55, top);
		g.addColorStop(1, mix(top, '#3a2412', 0.05));
		this.c.fillStyle = g;
		this.c.beginPath();
		this.c.roundRect(x, up, w, h, Math.min(r, w / 2, h / 2));
		this.c.fill();
		this.rim(x, up, w, h, r);
	}

	/* The thin light on the upper left edge of a top. */
	rim(x: number, y: number, w: number, h: number, r: number): void
	{
		const lw = Math.max(1.2, 1 / this.k);
		const g = this.c.createLinearGradient(x, y, x + w, y + h);
		const bright = this.pal.dark ? 0.18 : 0.55;

		g.addColorStop(0, `rgba(255,255,255,${bright})`);
		g.addColorStop(0.5, 'rgba(255,255,255,0)');
		this.c.strokeStyle = g;
		this.c.lineWidth = lw;
		this.c.beginPath();
		this.c.roundRect(x + lw / 2, y + lw / 2, w - lw, h - lw,
		    Math.max(0, Math.min(r, w / 2, h / 2) - lw / 2));
		this.c.stroke();
	}

	/* A round thing of some height. */
	drum(cx: number, cy: number, rx: number, ry: number, high: number,
	    colour: string, base = 0): void
	{
		const top = this.pal.thing(colour);
		const c = this.c;
		const y = cy - base - high;

		if (base === 0)
			this.shade(high);
		c.fillStyle = mix(top, '#3a2412', 0.24);
		c.beginPath();
		c.ellipse(cx, cy - base, rx, ry, 0, 0, Math.PI);
		c.ellipse(cx, y, rx, ry, 0, Math.PI, 2 * Math.PI);
		c.closePath();
		c.fill();
		this.plain();
		const g = c.createLinearGradient(cx - rx, y - ry, cx + rx,
		    y + ry);
		g.addColorStop(0, mix(top, '#ffffff', 0.20));
		g.addColorStop(0.6, top);
		g.addColorStop(1, mix(top, '#3a2412', 0.06));
		c.fillStyle = g;
		c.beginPath();
		c.ellipse(cx, y, rx, ry, 0, 0, 2 * Math.PI);
		c.fill();
	}

	oval(x: number, y: number, rx: number, ry: number, colour: string,
	    turn = 0): void
	{
		this.c.fillStyle = colour;
		this.c.beginPath();
		this.c.ellipse(x, y, rx, ry, turn, 0, 2 * Math.PI);
		this.c.fill();
	}

	line(x1: number, y1: number, x2: number, y2: number, width: number,
	    colour: string): void
	{
		this.c.strokeStyle = colour;
		this.c.lineWidth = width;
		this.c.lineCap = 'round';
		this.c.beginPath();
		this.c.moveTo(x1, y1);
		this.c.lineTo(x2, y2);
		this.c.stroke();
	}
}

/* The same number for the same place, 0 to 1: small differences that stay. */
export function chance(a: number, b: number, c = 0): number
{
	let n = Math.imul(a | 0, 374761393) + Math.imul(b | 0, 668265263) +
	    Math.imul(c | 0, 974634721) | 0;

	n = Math.imul(n ^ n >>> 13, 1274126177);
	return ((n ^ n >>> 16) >>> 0) / 4294967296;
}
