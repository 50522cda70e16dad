import type { Policy } from '../types';
import { length } from './text';

export interface Rule {
	id: 'min' | 'kinds' | 'notmail';
	met: boolean;
	n: number;		/* what there is now */
}

/* How many kinds of characters: upper, lower, digit, everything else. */
export function kinds(pw: string): number {
	return ([/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u]
	    .filter((r) => r.test(pw)).length);
}

/*
 * The rules that a new password has to meet, met or not.  The server decides;
 * this only says beforehand what is missing.  others: what it may not equal.
 */
export function rules(pw: string, policy: Policy, others: string[]): Rule[] {
	const n = length(pw);
	const k = kinds(pw);
	const low = pw.toLowerCase();
	const out: Rule[] = [{ id: 'min', met: n >= policy.min, n }];

	if (policy.kinds > 1)
		out.push({ id: 'kinds', met: k >= policy.kinds, n: k });
	out.push({ id: 'notmail', n: 0, met: n > 0 && !others.some(
	    (o) => o.toLowerCase() === low) });
	return (out);
}

export function allMet(list: Rule[]): boolean {
	return (list.every((r) => r.met));
}
