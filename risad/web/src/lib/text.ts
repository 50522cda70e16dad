/* Characters are Unicode code points, as for the server. */
export function length(s: string): number {
	let n = 0;

	for (const _ of s)
		n++;
	return (n);
}

/*
 * Marks of direction can turn a line around and characters without width can
 * make two names look alike: they are shown as what they are.  Joiners stay,
 * emoji and several scripts need them.
 */
const HIDDEN = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\u061C\u180E\u00AD]/;

export interface Span {
	text: string;
	mark: boolean;		/* one hidden character, by its number */
}

export function hasHidden(s: string): boolean {
	return (HIDDEN.test(s));
}

export function spans(s: string): Span[] {
	const out: Span[] = [];
	let plain = '';

	for (const c of s) {
		if (!HIDDEN.test(c)) {
			plain += c;
			continue;
		}
		if (plain !== '')
			out.push({ text: plain, mark: false });
		plain = '';
		out.push({ text: 'U+' + (c.codePointAt(0) ?? 0).toString(16)
		    .toUpperCase().padStart(4, '0'), mark: true });
	}
	if (plain !== '')
		out.push({ text: plain, mark: false });
	return (out);
}

/* The same where only characters can be: an option, a title, a picture. */
export function marked(s: string): string {
	return (hasHidden(s) ? spans(s).map((x) => x.text).join('') : s);
}

/* The letter that stands for a name: one that is seen. */
export function initial(s: string): string {
	const plain = Array.from(s).find((c) => !HIDDEN.test(c)) ?? '';

	return (plain.toUpperCase());
}

/* For finding: width, case and kana do not matter. */
export function fold(s: string): string {
	return (s.normalize('NFKC').toLowerCase().replace(/[\u30A1-\u30F6]/g,
	    (c) => String.fromCharCode(c.charCodeAt(0) - 0x60))
	    .replace(/\s+/g, ' ').trim());
}

/* Rank of a find: 0 starts with it, 1 a word of it does, 2 holds, -1 no. */
export function match(name: string, query: string): number {
	const n = fold(name);
	const q = fold(query);
	const at = n.indexOf(q);

	if (q === '' || at === 0)
		return (0);
	if (at === -1)
		return (n.replaceAll(' ', '').includes(q.replaceAll(' ', ''))
		    ? 2 : -1);
	return (n[at - 1] === ' ' ? 1 : 2);
}
