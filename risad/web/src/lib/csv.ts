/* Tables of text, as spreadsheets read and write them (RFC 4180). */

export const MAX_BYTES = 1024 * 1024;	/* of a file to be imported */

/*
 * The text of a file: UTF-8, or what spreadsheets write in Japan where it is
 * not that.  null: neither of them.
 */
export function decode(bytes: BufferSource): string | null {
	for (const name of ['utf-8', 'shift_jis'])
		try {
			return (new TextDecoder(name, { fatal: true })
			    .decode(bytes));
		} catch {
			/* the next one */
		}
	return (null);
}

/*
 * A cell: no spreadsheet takes it for a formula, and one that begins like
 * what we put in front gets one more, so that all come back as they were.
 */
export function cell(v: string): string {
	const s = /^'*[=+\-@\t\r]/.test(v) ? `'${v}` : v;

	return (/[",\r\n\t]/.test(s) || s !== s.trim() ?
	    `"${s.replaceAll('"', '""')}"` : s);
}

/* With a mark in front, by which spreadsheets know UTF-8. */
export function table(rows: string[][]): string {
	return (`\ufeff${rows.map((r) => `${r.map(cell).join(',')}\r\n`)
	    .join('')}`);
}

/* Names in one cell: a ';' between them, a backslash before one in a name. */
export function nameList(names: string[]): string {
	return (names.map((n) => n.replace(/[;\\]/g, '\\$&')).join(';'));
}

/* Offers a file to keep. */
export function save(name: string, text: string, type = 'text/csv'): void {
	const a = document.createElement('a');
	const url = URL.createObjectURL(new Blob([text],
	    { type: `${type};charset=utf-8` }));

	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}
