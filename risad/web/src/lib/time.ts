import type { Lang } from '../types';
import { translate } from '../i18n/index';

const locale: Record<Lang, string> = { ja: 'ja-JP', en: 'en-GB' };

/* Making a formatter is slow, a long history needs one per line. */
const cache = new Map<string, Intl.DateTimeFormat>();

function format(lang: Lang, what: string, o: Intl.DateTimeFormatOptions) {
	const key = `${lang} ${what}`;
	let f = cache.get(key);

	if (f === undefined) {
		f = new Intl.DateTimeFormat(locale[lang], o);
		cache.set(key, f);
	}
	return (f);
}

export function clockTime(at: number, lang: Lang): string {
	return (format(lang, 'time', { hour: 'numeric', minute: '2-digit' })
	    .format(at));
}

/* A number that is the same for all instants of one local day. */
export function day(at: number): number {
	const d = new Date(at);

	return (Math.round(Date.UTC(d.getFullYear(), d.getMonth(),
	    d.getDate()) / 86400000));
}

export function dayName(at: number, now: number, lang: Lang): string {
	const ago = day(now) - day(at);

	if (ago === 0)
		return (translate(lang, 'chat.today'));
	if (ago === 1)
		return (translate(lang, 'chat.yesterday'));
	if (new Date(at).getFullYear() === new Date(now).getFullYear())
		return (format(lang, 'day', { month: 'long', day: 'numeric',
		    weekday: 'short' }).format(at));
	return (format(lang, 'year', { year: 'numeric', month: 'long',
	    day: 'numeric', weekday: 'short' }).format(at));
}

/* Day and time for tables. */
export function stamp(at: number, lang: Lang): string {
	return (format(lang, 'stamp', { year: 'numeric', month: 'short',
	    day: 'numeric', hour: 'numeric', minute: '2-digit' }).format(at));
}

/* To the second, as records have it. */
export function second(at: number, lang: Lang): string {
	return (format(lang, 'second', { year: 'numeric', month: '2-digit',
	    day: '2-digit', hour: '2-digit', minute: '2-digit',
	    second: '2-digit', hour12: false }).format(at));
}

/* When a local day, as isoDay() writes it, begins and ends; ms. */
export function dayStart(iso: string): number {
	return (new Date(`${iso}T00:00:00`).getTime());
}

export function dayEnd(iso: string): number {
	return (new Date(`${iso}T23:59:59.999`).getTime());
}

/* The local day for names of files. */
export function isoDay(at: number): string {
	const d = new Date(at);
	const two = (n: number) => String(n).padStart(2, '0');

	return (`${d.getFullYear()}-${two(d.getMonth() + 1)}-${
	    two(d.getDate())}`);
}
