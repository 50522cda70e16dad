/* How long to wait before the next try of the connection. */
const FIRST = 500;
const LAST = 15000;

/*
 * Milliseconds before try number n (0 is the first one after a loss): 0.5 s
 * doubling to 15 s, less up to half of it by chance, so that a restart does
 * not bring everybody back in the same instant.
 */
export function backoff(n: number, random: () => number): number {
	const full = Math.min(LAST, FIRST * 2 ** Math.min(n, 10));

	return (Math.round(full - random() * full / 2));
}
