/*
 * Who wants to know of a change.  Changes of one frame are told once: a floor
 * of hundreds must not draw the lists for each of its people.
 */
export type Topic = 'page' | 'me' | 'people' | 'floor' | 'chat' | 'net' |
    'ui' | 'say' | 'call' | 'talk';

type Listener = () => void;

export class Topics {
	private readonly listeners = new Map<Topic, Set<Listener>>();
	private readonly dirty = new Set<Topic>();
	private readonly later: (run: () => void) => void;

	constructor(later: (run: () => void) => void) {
		this.later = later;
	}

	on(topics: readonly Topic[], fn: Listener): () => void {
		for (const t of topics) {
			const set = this.listeners.get(t) ?? new Set();
			set.add(fn);
			this.listeners.set(t, set);
		}
		return (() => {
			for (const t of topics)
				this.listeners.get(t)?.delete(fn);
		});
	}

	changed(...topics: Topic[]): void {
		const idle = this.dirty.size === 0;

		for (const t of topics)
			this.dirty.add(t);
		if (idle && this.dirty.size > 0)
			this.later(() => this.tell());
	}

	private tell(): void {
		const run = new Set<Listener>();

		for (const t of this.dirty)
			for (const fn of this.listeners.get(t) ?? [])
				run.add(fn);
		this.dirty.clear();
		for (const fn of run)
			fn();
	}
}
