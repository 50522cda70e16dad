import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';
import { app } from '../app';
import type { Topic } from '../lib/topics';

/* Draws the component again when one of these changes. */
export function useTopics(...topics: Topic[]): void {
	const [, again] = useReducer((n: number) => n + 1, 0);

	useEffect(() => app.topics.on(topics, () => again(undefined)), []);
}

export function useMedia(query: string): boolean {
	const [on, set] = useState(() => matchMedia(query).matches);

	useEffect(() => {
		const m = matchMedia(query);
		const fn = () => set(m.matches);
		m.addEventListener('change', fn);
		return (() => m.removeEventListener('change', fn));
	}, [query]);
	return (on);
}

export const PHONE = '(max-width: 759px)';

/* Runs fn for each key press on the page while mounted. */
export function usePageKey(fn: (e: KeyboardEvent) => void): void {
	useLayoutEffect(() => {
		addEventListener('keydown', fn);
		return (() => removeEventListener('keydown', fn));
	});
}
