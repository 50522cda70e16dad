import type { Store } from '../lib/kept';

/* What somebody has chosen; written only when something is. */
export interface Settings {
	mic: string;		/* ids of devices, "" for the usual one */
	cam: string;
	speaker: string;
	key: string;		/* push to talk: KeyboardEvent.code, "" off */
	sound: boolean;		/* sound only, no pictures */
}

export type DeviceKind = 'mic' | 'cam' | 'speaker';

const NAME = 'risa.talk';

export const usual: Settings = { mic: '', cam: '', speaker: '', key: '',
    sound: false };

/* What is kept, as far as it makes sense. */
export function load(store: Store): Settings {
	const s = { ...usual };

	try {
		const kept = JSON.parse(store.getItem(NAME) ?? '{}') as
		    Record<string, unknown>;
		for (const k of Object.keys(usual) as (keyof Settings)[])
			if (typeof kept?.[k] === typeof usual[k])
				Object.assign(s, { [k]: kept[k] });
	} catch {
		/* not ours, or kept for nobody: the usual */
	}
	return (s);
}

/* A browser that keeps nothing has the choice until the page ends. */
export function save(store: Store, s: Settings): void {
	try {
		store.setItem(NAME, JSON.stringify(s));
	} catch {
		/* full, or forbidden */
	}
}
