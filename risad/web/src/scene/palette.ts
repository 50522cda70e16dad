/* Colours of the floor.  Dark is made from light, so both stay in step. */

import type { Surface } from '../types';

export interface Palette {
	dark: boolean;
	outside: string;
	shell: string;
	shellEdge: string;
	wallTop: string;
	wallSide: string;
	shadow: string;
	ink: string;
	label: string;
	paper: string;
	line: string;
	accent: string;
	accentSoft: string;
	live: string;
	caution: string;
	free: string;
	away: string;
	surface: Record<Surface, string>;
	thing: (colour: string) => string;
}

export const FONT = 'system-ui, "Hiragino Sans", "Yu Gothic UI", ' +
    '"Noto Sans JP", "Noto Sans CJK JP", sans-serif';

const SURFACES: Record<Surface, string> = {
	'wood': '#ecdcc4',
	'carpet-blue': '#cfdcea',
	'carpet-green': '#d5e3d2',
	'carpet-rose': '#eadde6',
	'tatami': '#dcdcb4',
	'tile': '#f0efe9',
	'stone': '#dbd9d3',
	'grass': '#c9deb8',
};

function channels(c: string): [number, number, number]
{
	const n = parseInt(c.slice(1), 16);

	return [n >> 16 & 255, n >> 8 & 255, n & 255];
}

/* From a to b, t of the way; both are #rrggbb. */
export function mix(a: string, b: string, t: number): string
{
	const p = channels(a), q = channels(b);
	let n = 0;

	for (let i = 0; i < 3; i++)
		n = n << 8 | Math.round((p[i] ?? 0) * (1 - t) +
		    (q[i] ?? 0) * t);
	return '#' + n.toString(16).padStart(6, '0');
}

export function alpha(c: string, a: number): string
{
	const [r, g, b] = channels(c);

	return `rgba(${r},${g},${b},${a})`;
}

const NIGHT = '#161c28';

/* Warm floors stay warm in the dark. */
const DUSK: Partial<Record<Surface, string>> = {
	'wood': '#2a1a10', 'tatami': '#1c2012', 'grass': '#0e2016',
	'carpet-blue': '#0e1c34', 'carpet-green': '#10241e',
	'carpet-rose': '#281626',
};

function surfaces(dark: boolean): Record<Surface, string>
{
	const all = { ...SURFACES };

	if (dark)
		for (const k of Object.keys(all) as Surface[])
			all[k] = mix(all[k], DUSK[k] ?? NIGHT, 0.70);
	return all;
}

export const LIGHT: Palette = {
	dark: false,
	outside: '#dee6e4',
	shell: '#b9c6c4',
	shellEdge: '#a3b3b0',
	wallTop: '#fefdfb',
	wallSide: '#d9d1c4',
	shadow: 'rgba(58,46,30,0.30)',
	ink: '#20263a',
	label: '#4a5674',
	paper: '#ffffff',
	line: '#e7e2d8',
	accent: '#127a72',
	accentSoft: '#9ed0ca',
	live: '#e0563f',
	caution: '#f2b84b',
	free: '#35a56b',
	away: '#8b93a1',
	surface: surfaces(false),
	thing: (c) => c,
};

export const DARK: Palette = {
	dark: true,
	outside: '#10151c',
	shell: '#2b343f',
	shellEdge: '#1f2730',
	wallTop: '#66717f',
	wallSide: '#3b4450',
	shadow: 'rgba(0,0,0,0.48)',
	ink: '#eef0f4',
	label: '#c2cad8',
	paper: '#262e3a',
	line: '#3a4452',
	accent: '#17857c',
	accentSoft: '#2f8f86',
	live: '#ee6d57',
	caution: '#f2b84b',
	free: '#45b97d',
	away: '#98a1b0',
	surface: surfaces(true),
	thing: (c) => mix(c, NIGHT, 0.46),
};
