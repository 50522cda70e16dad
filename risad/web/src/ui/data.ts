import { useEffect, useReducer, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { app } from '../app';

export interface Loaded<T> {
	data: T | null;
	error: unknown;
	/* Puts a changed copy in place, without asking the server again. */
	put(data: T): void;
	again(): void;
}

/*
 * What the server says once asked, and again when what it is asked for is
 * another; a lost sign-in ends the page.
 */
export function useLoad<T>(get: () => Promise<T>, what = ''): Loaded<T> {
	const [data, put] = useState<T | null>(null);
	const [error, setError] = useState<unknown>(null);
	const [n, again] = useReducer((x: number) => x + 1, 0);

	useEffect(() => {
		let on = true;
		setError(null);
		get().then((d) => on && put(d), (e: unknown) => {
			app.failed(e);
			if (on)
				setError(e);
		});
		return (() => {
			on = false;
		});
	}, [n, what]);
	return ({ data, error, put, again: () => again(undefined) });
}

/* Runs one action at a time and keeps what went wrong with it. */
export function useAct(): { busy: boolean; error: unknown;
    clear(): void; run(fn: () => Promise<void>): Promise<void> } {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(null);

	const run = async (fn: () => Promise<void>) => {
		if (busy)
			return;
		setBusy(true);
		setError(null);
		try {
			await fn();
		} catch (e) {
			app.failed(e);
			setError(e);
		}
		setBusy(false);
	};
	return ({ busy, error, run, clear: () => setError(null) });
}

/* Another administrator was first: what is shown is not how it is. */
export function outdated(e: unknown): boolean {
	return (e instanceof ApiError && (e.status === 404 ||
	    (e.word === 'conflict' && e.field === 'version')));
}

/* A dialog is closed: after that its list is had once more. */
export function reload(load: Loaded<unknown>, e: unknown): void {
	if (!outdated(e))
		return;
	load.again();
	app.tell(app.t('admin.reloaded'));
}

export function replace<T extends { id: number | string }>(list: T[], x: T):
    T[] {
	return (list.map((y) => y.id === x.id ? x : y));
}
