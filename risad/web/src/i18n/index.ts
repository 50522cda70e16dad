import type { Lang, LangChoice, MapName } from '../types';
import { en } from './en';
import { ja, type Key } from './ja';

export type { Key };
export type Params = Record<string, string | number>;

const words: Record<Lang, Record<Key, string>> = { ja, en };

/* Fills {name} and chooses {name|one|many} by the number called name. */
export function fill(text: string, p: Params): string {
	return (text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g,
	    (all, name: string, one?: string, many?: string) => {
		const v = p[name];
		if (v === undefined)
			return (all);
		if (one !== undefined && many !== undefined)
			return (Number(v) === 1 ? one : many);
		return (String(v));
	    }));
}

export function translate(lang: Lang, key: Key, p: Params = {}): string {
	return (fill(words[lang][key], p));
}

/* What the browser asks for: the first of its languages that we speak. */
export function browserLang(list: readonly string[]): Lang {
	for (const l of list) {
		const base = l.toLowerCase().split('-')[0];
		if (base === 'ja' || base === 'en')
			return (base);
	}
	return ('en');
}

export function chooseLang(choice: LangChoice, list: readonly string[]): Lang {
	return (choice === '' ? browserLang(list) : choice);
}

export function mapName(name: MapName, lang: Lang): string {
	return (typeof name === 'string' ? name : name[lang]);
}
