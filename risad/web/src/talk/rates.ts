/*
 * What one sends to each of so many: what leaves in all stays within what a
 * line in a home carries, and what arrives within what an old PC decodes.
 */
export interface Rate {
	bits: number;		/* a second, at most */
	frames: number;		/* a second, 0: no matter */
	shrink: number;		/* width and height are divided by it */
}

export interface Rates {
	mic: Rate;
	cam: Rate;
	screen: Rate;
	sound: Rate;		/* of the screen */
}

const CAM: [number, Rate][] = [
	[1, { bits: 1200e3, frames: 30, shrink: 1 }],
	[2, { bits: 800e3, frames: 25, shrink: 1 }],
	[4, { bits: 400e3, frames: 20, shrink: 1.5 }],
	[7, { bits: 200e3, frames: 15, shrink: 2 }],
	[Infinity, { bits: 120e3, frames: 12, shrink: 3 }],
];

/* Text must stay legible: fewer frames, not fewer pixels. */
const SCREEN: [number, Rate][] = [
	[1, { bits: 2500e3, frames: 20, shrink: 1 }],
	[4, { bits: 1200e3, frames: 12, shrink: 1 }],
	[7, { bits: 700e3, frames: 8, shrink: 1 }],
	[Infinity, { bits: 400e3, frames: 5, shrink: 1 }],
];

const MIC: [number, Rate][] = [
	[7, { bits: 40e3, frames: 0, shrink: 1 }],
	[Infinity, { bits: 24e3, frames: 0, shrink: 1 }],
];

function pick(table: [number, Rate][], n: number): Rate {
	return (table.find(([most]) => n <= most)?.[1] ??
	    { bits: 0, frames: 0, shrink: 1 });
}

/* n: to how many others it goes. */
export function rates(n: number): Rates {
	return ({ mic: pick(MIC, n), cam: pick(CAM, n),
	    screen: pick(SCREEN, n), sound: pick(MIC, n) });
}
