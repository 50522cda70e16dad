/* Finds web addresses in what people write. */
export interface Piece {
	text: string;
	href?: string;
}

/* Ends at white space, quotes, angle brackets and Japanese punctuation. */
const ADDRESS = /https?:\/\/[^\s<>"'`「」『』【】（）、。，．！？　]+/gi;
const TRAIL = /[.,;:!?*_~]$/;
const PAIRS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

function count(s: string, c: string): number {
	return (s.split(c).length - 1);
}

/* Punctuation at the end belongs to the sentence, as does an odd bracket. */
function trim(url: string): string {
	const odd: Record<string, number> = {};
	let end = url.length;

	for (const [close, open] of Object.entries(PAIRS))
		odd[close] = count(url, close) - count(url, open);
	for (; end > 0; end--) {
		const last = url[end - 1] ?? '';
		const n = odd[last];
		if (n !== undefined && n > 0)
			odd[last] = n - 1;
		else if (!TRAIL.test(last))
			break;
	}
	return (url.slice(0, end));
}

/*
 * The address as the browser would follow it, or null: only http and https,
 * nobody's name and password in it, and a host.
 */
export function safeHref(text: string): string | null {
	let u: URL;

	try {
		u = new URL(text);
	} catch {
		return (null);
	}
	if (u.protocol !== 'http:' && u.protocol !== 'https:')
		return (null);
	if (u.username !== '' || u.password !== '' || u.hostname === '')
		return (null);
	return (u.href);
}

/* Splits text into plain pieces and links; joined they are the text again. */
export function linkify(text: string): Piece[] {
	const out: Piece[] = [];
	let at = 0;

	for (const m of text.matchAll(ADDRESS)) {
		const url = trim(m[0]);
		const href = safeHref(url);
		if (href === null)
			continue;
		if (m.index > at)
			out.push({ text: text.slice(at, m.index) });
		out.push({ text: url, href });
		at = m.index + url.length;
	}
	if (at < text.length)
		out.push({ text: text.slice(at) });
	return (out);
}
