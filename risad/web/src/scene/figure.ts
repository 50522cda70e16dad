/*
 * A figure from a few parameters, no picture files.  One unit is about a
 * centimetre; the feet stand at 0, 0, y goes down, the light comes from the
 * top left.  Figures are drawn once per look, pose and size and kept.
 */

import { mix } from './palette';
import type { Look } from '../types';

export type Facing = 's' | 'n' | 'e' | 'w';

export interface Pose {
	facing: Facing;
	step: number;			/* 0 stands, 1 to 4 walk */
	seated: boolean;
}

type Ctx = CanvasRenderingContext2D;

export const TALL = 120;		/* units above the feet */
export const LOW = 14;			/* units below them */
export const HALF = 46;			/* units to each side */
export const HEAD = { y: -84, r: 29 };

const SKIN = ['#fbdcc3', '#f4c7a1', '#dfa778', '#bd8453', '#90603d',
    '#67432d'];
const TINT = ['#26221f', '#43302a', '#6d4529', '#a3632f', '#d6a248',
    '#7f858d', '#e6e0d4', '#99412e'];
const SHIRT = ['#e8806d', '#3d8f87', '#5666ab', '#cb8b3d', '#8a57a3',
    '#4f8249', '#455872', '#d17a9a', '#4a8fc0', '#b05252', '#e0a23c',
    '#98a2ae'];
const TROUSERS = ['#39435c', '#4a4a52', '#5c5348', '#2f4858'];
const DARK_INK = '#2b2430';

function pick(from: readonly string[], n: number): string
{
	return from[Math.abs(Math.trunc(n)) % from.length] ?? '#888888';
}

export function shirtColour(look: Look): string
{
	return pick(SHIRT, look.shirt);
}

function oval(c: Ctx, x: number, y: number, rx: number, ry: number,
    colour: string): void
{
	c.fillStyle = colour;
	c.beginPath();
	c.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
	c.fill();
}

function bar(c: Ctx, x1: number, y1: number, x2: number, y2: number,
    width: number, colour: string): void
{
	c.strokeStyle = colour;
	c.lineWidth = width;
	c.lineCap = 'round';
	c.beginPath();
	c.moveTo(x1, y1);
	c.lineTo(x2, y2);
	c.stroke();
}

/* How the halves of the body swing in a step: -1 to 1. */
function swing(step: number): number
{
	return step === 1 ? 1 : step === 3 ? -1 : 0;
}

function drawShadow(c: Ctx): void
{
	const g = c.createRadialGradient(0, 0, 4, 0, 0, 30);

	g.addColorStop(0, 'rgba(40,32,24,0.38)');
	g.addColorStop(0.6, 'rgba(40,32,24,0.20)');
	g.addColorStop(1, 'rgba(40,32,24,0)');
	c.save();
	c.translate(4, 0);
	c.scale(1, 0.38);
	c.fillStyle = g;
	c.fillRect(-34, -34, 68, 68);
	c.restore();
}

function drawLegs(c: Ctx, look: Look, pose: Pose): void
{
	const cloth = pick(TROUSERS, look.shirt + look.skin);
	const shoe = mix(cloth, '#14141a', 0.5);
	const s = swing(pose.step);
	const flat = pose.facing === 'e' || pose.facing === 'w';
	const way = pose.facing === 'w' ? -1 : 1;

	if (pose.seated) {
		drawLap(c, cloth, shoe, pose);
		return;
	}
	for (const leg of [-1, 1]) {
		const lift = Math.max(0, s * leg) * 6;
		const x = flat ? leg * 4 + s * leg * 9 * way : leg * 9;
		const hip = flat ? leg * 3 : leg * 8;
		bar(c, hip, -24, x, -7 - lift, 13,
		    leg < 0 ? cloth : mix(cloth, '#000000', 0.14));
		oval(c, x + (flat ? 3 * way : 0), -3 - lift, 8.5, 5, shoe);
	}
}

function drawLap(c: Ctx, cloth: string, shoe: string, pose: Pose): void
{
	const way = pose.facing === 'w' ? -1 : 1;

	if (pose.facing === 'n')
		return;
	if (pose.facing === 's') {
		for (const leg of [-1, 1]) {
			bar(c, leg * 9, -15, leg * 10, -7, 15, cloth);
			oval(c, leg * 10, 0, 8, 5, shoe);
		}
		return;
	}
	bar(c, 0, -15, 17 * way, -13, 14, cloth);
	bar(c, 18 * way, -12, 19 * way, -4, 11, cloth);
	oval(c, 22 * way, -1, 8.5, 5, shoe);
}

function drawBody(c: Ctx, look: Look, pose: Pose): void
{
	const shirt = shirtColour(look);
	const g = c.createLinearGradient(-24, -60, 24, -20);

	g.addColorStop(0, mix(shirt, '#ffffff', 0.16));
	g.addColorStop(0.5, shirt);
	g.addColorStop(1, mix(shirt, '#1a1420', 0.20));
	c.fillStyle = g;
	c.beginPath();
	c.moveTo(-11, -61);
	c.bezierCurveTo(-24, -59, -25, -44, -25, -26);
	c.quadraticCurveTo(-25, -18, -16, -17);
	c.lineTo(16, -17);
	c.quadraticCurveTo(25, -18, 25, -26);
	c.bezierCurveTo(25, -44, 24, -59, 11, -61);
	c.closePath();
	c.fill();
	drawArms(c, look, pose, shirt);
	if (pose.facing !== 'n')
		drawCollar(c, look, pose, shirt);
}

function drawArms(c: Ctx, look: Look, pose: Pose, shirt: string): void
{
	const skin = pick(SKIN, look.skin);
	const sleeve = mix(shirt, '#1a1420', 0.16);
	const s = swing(pose.step);

	for (const arm of [-1, 1]) {
		const reach = pose.seated ? -arm * 7 : 0;
		const low = pose.seated ? -30 : -29 + s * arm * 4;
		bar(c, arm * 22, -50, arm * 24 + reach * 0.4, low - 4, 9.5,
		    arm < 0 ? mix(shirt, '#ffffff', 0.07) : sleeve);
		if (pose.facing !== 'n' || !pose.seated)
			oval(c, arm * 24 + reach, low + 1, 5.2, 5.2, skin);
	}
}

/* Three cuts of clothes, so that equal colours still differ. */
function drawCollar(c: Ctx, look: Look, pose: Pose, shirt: string): void
{
	const skin = pick(SKIN, look.skin);
	const t = turned(pose) * 4;

	if (look.shirt % 3 === 1) {		/* open jacket */
		c.fillStyle = '#f7f4ee';
		c.beginPath();
		c.moveTo(-8 + t, -61);
		c.lineTo(8 + t, -61);
		c.lineTo(t, -30);
		c.closePath();
		c.fill();
		bar(c, t, -29, t, -19, 1.4, mix(shirt, '#1a1420', 0.35));
	} else if (look.shirt % 3 === 2) {	/* shirt with a collar */
		c.fillStyle = mix(shirt, '#ffffff', 0.62);
		c.beginPath();
		c.moveTo(-11 + t, -61);
		c.lineTo(t, -50);
		c.lineTo(11 + t, -61);
		c.lineTo(7 + t, -47);
		c.lineTo(t, -51);
		c.lineTo(-7 + t, -47);
		c.closePath();
		c.fill();
		bar(c, t, -47, t, -20, 1.2, mix(shirt, '#1a1420', 0.28));
	}
	oval(c, t, -60, 8, 5, mix(skin, '#5a2f20', 0.18));
}

/* -1 looks left, 1 right, 0 at us or away. */
function turned(pose: Pose): number
{
	return pose.facing === 'e' ? 1 : pose.facing === 'w' ? -1 : 0;
}

/* Hair that falls behind the body; drawn before it. */
function drawBackHair(c: Ctx, look: Look, t: number): void
{
	const tint = pick(TINT, look.tint);
	const dark = mix(tint, '#0c0808', 0.28);

	c.fillStyle = dark;
	switch (look.hair % 10) {
	case 2:					/* bob */
		c.beginPath();
		c.roundRect(-30 - t * 2, -94, 60, 38, [20, 20, 14, 14]);
		c.fill();
		break;
	case 3:					/* long */
		c.beginPath();
		c.roundRect(-30 - t * 3, -96, 60, 62, [24, 24, 12, 12]);
		c.fill();
		break;
	case 4:					/* one tail */
		oval(c, 25 - t * 46, -80, 9, 19, dark);
		break;
	case 9:					/* long and wavy */
		for (const [x, y] of [[-25, -78], [25, -78], [-27, -62],
		    [27, -62], [-22, -48], [22, -48]] as const)
			oval(c, x - t * 3, y, 11, 11, dark);
		break;
	default:
		break;
	}
}

/* The edge of the hair over the forehead, from right to left. */
function drawFringe(c: Ctx, style: number, t: number): void
{
	const x = t * 7;

	switch (style) {
	case 1:					/* parted at the side */
	case 4:
		c.quadraticCurveTo(24 + x * 0.3, -98, 9 + x, -103);
		c.quadraticCurveTo(-12 + x, -92, -28, -84);
		break;
	case 5:					/* swept back */
		c.quadraticCurveTo(22, -102, x, -103);
		c.quadraticCurveTo(-22, -102, -28, -84);
		break;
	case 7:					/* very short */
		c.quadraticCurveTo(25, -100, 12 + x, -101);
		c.lineTo(-12 + x, -101);
		c.quadraticCurveTo(-25, -100, -28, -86);
		break;
	case 8:					/* tousled */
		for (const [px, py] of [[22, -96], [15, -90], [9, -98],
		    [1, -91], [-6, -98], [-13, -90], [-21, -96]] as const)
			c.lineTo(px + x * 0.6, py);
		c.lineTo(-28, -82);
		break;
	case 3:
	case 9:					/* parted in the middle */
		c.quadraticCurveTo(20 + x * 0.5, -92, 1 + x, -105);
		c.quadraticCurveTo(-20 + x * 0.5, -92, -28, -80);
		break;
	default:				/* straight over the brows */
		c.quadraticCurveTo(26, -92, 20 + x * 0.5, -93);
		c.quadraticCurveTo(x, -97, -20 + x * 0.5, -92);
		c.quadraticCurveTo(-26, -91, -28, -82);
		break;
	}
}

function hairFill(c: Ctx, tint: string): CanvasGradient
{
	const g = c.createLinearGradient(-22, -114, 20, -82);

	g.addColorStop(0, mix(tint, '#ffffff', 0.20));
	g.addColorStop(0.45, tint);
	g.addColorStop(1, mix(tint, '#0c0808', 0.18));
	return g;
}

function drawHair(c: Ctx, look: Look, t: number): void
{
	const tint = pick(TINT, look.tint);
	const style = look.hair % 10;

	c.fillStyle = hairFill(c, tint);
	if (style === 6) {			/* curls */
		for (let i = 0; i < 11; i++) {
			const a = Math.PI * (1.02 + 0.96 * i / 10);
			c.beginPath();
			c.arc(Math.cos(a) * 25, -88 + Math.sin(a) * 22, 9.5,
			    0, 2 * Math.PI);
			c.fill();
		}
	}
	c.beginPath();
	c.moveTo(-28, -80);
	c.bezierCurveTo(-33, -106, -18, -115, 0, -115);
	c.bezierCurveTo(18, -115, 33, -106, 28, -80);
	drawFringe(c, style, t);
	c.closePath();
	c.fill();
	if (style === 2 || style === 3 || style === 9)
		drawLocks(c, style, t);
	if (style === 5)
		oval(c, -t * 10, -117, 11, 9.5, tint);
}

/* Strands in front of the ears. */
function drawLocks(c: Ctx, style: number, t: number): void
{
	const long = style === 2 ? -64 : -54;

	for (const x of [-1, 1]) {
		if (x === Math.sign(t))
			continue;
		c.beginPath();
		c.moveTo(x * 29, -92);
		c.quadraticCurveTo(x * 32, -74, x * 27, long);
		c.quadraticCurveTo(x * 21, -70, x * 23, -92);
		c.closePath();
		c.fill();
	}
}

function drawFeatures(c: Ctx, look: Look, t: number): void
{
	const x = t * 8;
	const face = look.face % 6;
	const near = 1 - Math.abs(t) * 0.12;

	for (const e of [-1, 1]) {
		const ex = x + e * 10 * near;
		oval(c, x * 0.8 + e * 16 * near, -75, 4.6, 3,
		    'rgba(232,110,96,0.30)');
		if (face === 4)
			smile(c, ex, -82, 3.4, Math.PI);
		else {
			oval(c, ex, -82, 2.9, 3.7, DARK_INK);
			oval(c, ex - 0.9, -83.4, 1, 1.1, '#ffffff');
		}
		if (face === 5)
			bar(c, ex - 4, -88.5, ex + 4, -89.5, 2.2, DARK_INK);
		if (face === 3)
			for (const d of [-2.5, 0, 2.5])
				oval(c, ex + e * 4 + d, -76 - Math.abs(d) * .3,
				    0.7, 0.7, 'rgba(140,70,40,0.7)');
	}
	if (face === 1) {
		c.fillStyle = '#9c3d3a';
		c.beginPath();
		c.arc(x, -73.5, 5, 0, Math.PI);
		c.fill();
	} else if (face === 2)
		bar(c, x - 3.5, -71.5, x + 3.5, -71.5, 1.8, '#8a4a3c');
	else
		smile(c, x, -74.5, 5, 0);
}

function smile(c: Ctx, x: number, y: number, r: number, from: number): void
{
	c.strokeStyle = from === 0 ? '#8a4a3c' : DARK_INK;
	c.lineWidth = 1.9;
	c.lineCap = 'round';
	c.beginPath();
	c.arc(x, y, r, from + 0.35, from + Math.PI - 0.35);
	c.stroke();
}

function drawExtra(c: Ctx, look: Look, t: number, back: boolean): void
{
	const x = t * 8;

	switch (look.extra % 6) {
	case 1:					/* glasses */
	case 2:
		if (back)
			break;
		c.strokeStyle = look.extra === 1 ? '#3a3440' : '#8a6a3a';
		c.lineWidth = 1.8;
		for (const e of [-1, 1]) {
			c.beginPath();
			if (look.extra === 1)
				c.roundRect(x + e * 10 - 7, -87.5, 14, 11, 4);
			else
				c.arc(x + e * 10, -82, 7, 0, 2 * Math.PI);
			c.stroke();
		}
		bar(c, x - 3, -83, x + 3, -83, 1.8, '#3a3440');
		break;
	case 3:					/* headphones */
		c.strokeStyle = '#39435c';
		c.lineWidth = 4;
		c.beginPath();
		c.arc(0, -86, 30, 1.08 * Math.PI, 1.92 * Math.PI);
		c.stroke();
		for (const e of [-1, 1])
			oval(c, e * 29 - t * 4, -82, 5, 8, '#2f374d');
		break;
	case 4:					/* beard */
		if (!back)
			drawBeard(c, look, x);
		break;
	case 5:					/* cap */
		drawCap(c, look, t, back);
		break;
	default:
		break;
	}
}

function drawBeard(c: Ctx, look: Look, x: number): void
{
	c.fillStyle = mix(pick(TINT, look.tint), '#0c0808', 0.1);
	c.beginPath();
	c.moveTo(-25.5 + x * 0.2, -80);
	c.bezierCurveTo(-22, -74, -16 + x, -71, -9 + x, -72);
	c.quadraticCurveTo(-7 + x, -77.5, x, -77);
	c.quadraticCurveTo(7 + x, -77.5, 9 + x, -72);
	c.bezierCurveTo(16 + x, -71, 22, -74, 25.5 + x * 0.2, -80);
	c.bezierCurveTo(25, -62, 12, -57, x * 0.6, -57);
	c.bezierCurveTo(-12, -57, -25, -62, -25.5 + x * 0.2, -80);
	c.fill();
	c.fillStyle = '#e9a79a';
	c.beginPath();
	c.ellipse(x, -71, 4.4, 2.4, 0, 0, 2 * Math.PI);
	c.fill();
}

function drawCap(c: Ctx, look: Look, t: number, back: boolean): void
{
	const cloth = mix(pick(SHIRT, look.shirt + 5), '#20263a', 0.15);

	c.fillStyle = cloth;
	c.beginPath();
	c.moveTo(-31, -92);
	c.bezierCurveTo(-32, -112, -16, -119, 0, -119);
	c.bezierCurveTo(16, -119, 32, -112, 31, -92);
	c.quadraticCurveTo(0, -101, -31, -92);
	c.fill();
	if (!back)
		oval(c, t * 20, -93, 20, 4.6, mix(cloth, '#000000', 0.22));
}

function drawHead(c: Ctx, look: Look, t: number, back: boolean): void
{
	const skin = pick(SKIN, look.skin);
	const g = c.createRadialGradient(-8, -94, 4, 0, -84, 34);

	g.addColorStop(0, mix(skin, '#ffffff', 0.22));
	g.addColorStop(0.7, skin);
	g.addColorStop(1, mix(skin, '#7a3f28', 0.20));
	for (const e of [-1, 1])
		if (e !== Math.sign(t))
			oval(c, e * 26 - t * 3, -80, 4.6, 6,
			    mix(skin, '#7a3f28', 0.14));
	c.fillStyle = g;
	c.beginPath();
	c.ellipse(0, -83, 26.5, 25.5, 0, 0, 2 * Math.PI);
	c.fill();
	if (back)
		drawNape(c, look);
	else {
		drawFeatures(c, look, t);
		drawHair(c, look, t);
	}
	drawExtra(c, look, t, back);
}

/* The head from behind: hair all over, or nearly. */
function drawNape(c: Ctx, look: Look): void
{
	const tint = pick(TINT, look.tint);
	const style = look.hair % 10;
	const low = style === 3 || style === 9 ? -40 : style === 2 ? -58 : -65;

	c.fillStyle = hairFill(c, tint);
	c.beginPath();
	c.moveTo(-28, -82);
	c.bezierCurveTo(-33, -106, -18, -115, 0, -115);
	c.bezierCurveTo(18, -115, 33, -106, 28, -82);
	c.bezierCurveTo(31, -66, 21, low, 9, low);
	c.quadraticCurveTo(0, low + 4, -9, low);
	c.bezierCurveTo(-21, low, -31, -66, -28, -82);
	c.fill();
	if (style === 6)
		for (let i = 0; i < 9; i++)
			oval(c, -24 + 6 * i, -100 + 14 * (i % 2), 8, 8,
			    tint);
	if (style === 4)
		oval(c, 0, -74, 8, 22, mix(tint, '#0c0808', 0.25));
	if (style === 5)
		oval(c, 0, -108, 11, 10, mix(tint, '#0c0808', 0.2));
}

/* Draws a figure with its feet at the origin of the context. */
export function drawFigure(c: Ctx, look: Look, pose: Pose): void
{
	const t = turned(pose);
	const back = pose.facing === 'n';
	/* who sits with his back to us looks over his shoulder */
	const glance = back && pose.seated;
	const over = look.shirt + look.tint & 1 ? 0.8 : -0.8;
	const bob = pose.step === 1 || pose.step === 3 ? -2.5 : 0;

	if (!pose.seated)
		drawShadow(c);
	if (!back || glance)
		drawWithin(c, bob + (pose.seated ? 4 : 0), () =>
		    drawBackHair(c, look, glance ? over : t));
	drawLegs(c, look, pose);
	drawWithin(c, bob + (pose.seated ? 4 : 0), () => {
		drawBody(c, look, pose);
		drawHead(c, look, glance ? over : t, back && !glance);
	});
}

function drawWithin(c: Ctx, dy: number, draw: () => void): void
{
	c.save();
	c.translate(0, dy);
	draw();
	c.restore();
}

/*
 * Head and shoulders for lists; `size` is in CSS pixels.  The canvas gets
 * its own resolution here.
 */
export function drawFace(canvas: HTMLCanvasElement, look: Look, size: number):
    void
{
	const ratio = Math.min(2, Math.max(1, window.devicePixelRatio || 1));
	const px = Math.round(size * ratio);
	const c = canvas.getContext('2d');

	canvas.width = px;
	canvas.height = px;
	canvas.style.width = `${size}px`;
	canvas.style.height = `${size}px`;
	if (c === null)
		return;
	c.scale(px / 84, px / 84);
	c.beginPath();
	c.arc(42, 42, 42, 0, 2 * Math.PI);
	c.clip();
	c.fillStyle = mix(shirtColour(look), '#ffffff', 0.72);
	c.fillRect(0, 0, 84, 84);
	c.translate(42, 127);
	drawBackHair(c, look, 0);
	drawBody(c, look, { facing: 's', step: 0, seated: false });
	drawHead(c, look, 0, false);
}

/*
 * Pictures in two generations: when the young one is full of pixels it
 * becomes the old one, and what nobody asked for since is forgotten.
 */
const MOST = 8e6;
let young = new Map<string, HTMLCanvasElement>();
let old = new Map<string, HTMLCanvasElement>();
let pixels = 0;

function keep(key: string, canvas: HTMLCanvasElement): HTMLCanvasElement
{
	pixels += canvas.width * canvas.height;
	if (pixels > MOST) {
		old = young;
		young = new Map();
		pixels = canvas.width * canvas.height;
	}
	young.set(key, canvas);
	return canvas;
}

/* The cached picture of a figure; `px` is device pixels a unit. */
export function sprite(look: Look, pose: Pose, px: number): HTMLCanvasElement
{
	/* every second step of a walk is the figure that stands */
	const step = pose.step % 2 === 1 ? pose.step : 0;
	const key = `${look.skin} ${look.hair} ${look.tint} ${look.face} ` +
	    `${look.shirt} ${look.extra} ${pose.facing} ${step} ` +
	    `${pose.seated ? 1 : 0} ${px}`;
	const have = young.get(key);
	const once = have ?? old.get(key);

	if (have !== undefined)
		return have;
	if (once !== undefined)
		return keep(key, once);
	const canvas = document.createElement('canvas');
	canvas.width = Math.ceil(2 * HALF * px);
	canvas.height = Math.ceil((TALL + LOW + 6) * px);
	const c = canvas.getContext('2d');
	if (c !== null) {
		c.scale(px, px);
		c.translate(HALF, TALL + 6);
		drawFigure(c, look, { ...pose, step });
	}
	return keep(key, canvas);
}
