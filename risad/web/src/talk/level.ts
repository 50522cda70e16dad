/* Who speaks: at once when it is loud, not any more after a pause. */
const LOUD = 0.02;		/* 1 is as loud as can be */
const SOFT = 0.01;
const PAUSE = 600;		/* ms */

export class Speaking {
	on = false;
	private heard = -Infinity;

	/* True when it has changed. */
	add(level: number, now: number): boolean {
		const was = this.on;

		if (level >= (this.on ? SOFT : LOUD))
			this.heard = now;
		this.on = now - this.heard < PAUSE;
		return (this.on !== was);
	}
}
