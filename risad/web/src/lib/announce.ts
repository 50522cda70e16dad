/*
 * Words for the screen reader: at most one utterance in a while, what people
 * say first, and many comings and goings as one number.
 */
export interface Utterance {
	text: string;
	minor: boolean;		/* may be counted instead of said */
}

const EVERY = 3000;		/* ms */
const MINOR = 2;		/* comings and goings that are said in full */
const MAJOR = 4;

export class Announcer {
	private queue: Utterance[] = [];
	private waiting = false;
	private readonly speak: (text: string) => void;
	private readonly many: (n: number) => string;
	private readonly timer: (ms: number, fn: () => void) => void;

	constructor(speak: (text: string) => void,
	    many: (n: number) => string,
	    timer: (ms: number, fn: () => void) => void) {
		this.speak = speak;
		this.many = many;
		this.timer = timer;
	}

	add(text: string, minor = false): void {
		this.queue.push({ text, minor });
		if (!this.waiting)
			this.flush();
	}

	private flush(): void {
		const major = this.queue.filter((u) => !u.minor);
		const minor = this.queue.filter((u) => u.minor);
		const say = [...major.slice(-MAJOR), ...minor.slice(-MINOR)];
		const rest = this.queue.length - say.length;
		const words = say.map((u) => u.text);

		this.queue = [];
		this.waiting = words.length > 0;
		if (!this.waiting)
			return;
		if (rest > 0)
			words.push(this.many(rest));
		this.speak(words.join(' '));
		this.timer(EVERY, () => this.flush());
	}
}
