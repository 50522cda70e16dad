/*
 * Short sounds for what asks for attention, made here: no file is fetched.
 * The machinery sleeps between them.
 */
export type Sound = 'wave' | 'knock' | 'come' | 'talk' | 'yes' | 'no';

/* At seconds from the beginning: hertz, seconds, and how loud. */
interface Tone {
	at: number;
	hz: number;
	long: number;
	loud: number;
	wood?: boolean;		/* a knock on wood, not a note */
}

const note = (at: number, hz: number, long = 0.5, loud = 0.16): Tone =>
    ({ at, hz, long, loud });
const knock = (at: number): Tone =>
    ({ at, hz: 190, long: 0.09, loud: 0.5, wood: true });

export const SOUNDS: Record<Sound, Tone[]> = {
	wave: [note(0, 660), note(0.13, 880)],
	knock: [knock(0), knock(0.17), knock(0.42)],
	come: [note(0, 523), note(0.16, 659), note(0.32, 784, 0.8)],
	talk: [note(0, 587), note(0.18, 880, 0.7)],
	yes: [note(0, 659, 0.3), note(0.1, 988, 0.5)],
	no: [note(0, 440, 0.3, 0.1), note(0.14, 349, 0.4, 0.1)],
};

const SLEEP = 2500;		/* ms after the last sound */

/* When it is over, in seconds. */
export function length(s: Sound): number {
	return (Math.max(...SOUNDS[s].map((t) => t.at + t.long)));
}

/* A browser lets a page sound only after somebody has done something there. */
function allowed(): boolean {
	return (navigator.userActivation?.hasBeenActive ?? true);
}

function put(ctx: AudioContext, t: Tone, from: number): void {
	const gain = ctx.createGain();
	const tone = ctx.createOscillator();
	const at = from + t.at;

	tone.type = t.wood ? 'triangle' : 'sine';
	tone.frequency.setValueAtTime(t.hz, at);
	if (t.wood)
		tone.frequency.exponentialRampToValueAtTime(t.hz / 2.4,
		    at + t.long);
	gain.gain.setValueAtTime(0, at);
	gain.gain.linearRampToValueAtTime(t.loud, at + (t.wood ? 0.003 :
	    0.012));
	gain.gain.exponentialRampToValueAtTime(0.0005, at + t.long);
	tone.connect(gain).connect(ctx.destination);
	tone.start(at);
	tone.stop(at + t.long + 0.02);
}

export class Sounds {
	private ctx: AudioContext | null = null;
	private timer = 0;

	play(s: Sound): void {
		if (!allowed() || typeof AudioContext === 'undefined')
			return;
		this.ctx ??= new AudioContext();
		const ctx = this.ctx;
		/* Without loudspeakers, too, it may refuse: then it is quiet. */
		void ctx.resume().then(() => {
			for (const t of SOUNDS[s])
				put(ctx, t, ctx.currentTime + 0.03);
		}).catch(() => undefined);
		clearTimeout(this.timer);
		this.timer = window.setTimeout(() => void ctx.suspend()
		    .catch(() => undefined), SLEEP);
	}
}
