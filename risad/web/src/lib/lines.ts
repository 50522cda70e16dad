import type { Message } from '../types';
import { day } from './time';

/* What stands in the list of a chat, top to bottom. */
export type Line =
    { kind: 'day'; key: string; at: number } |
    { kind: 'new'; key: string } |
    { kind: 'msg'; key: string; m: Message; head: boolean };

const TOGETHER = 5 * 60000;	/* ms between lines under one name */

/*
 * Messages with a line between days, one before the first new message, and
 * a name only where the author changes or some minutes have passed.
 */
export function lines(messages: readonly Message[], firstNew: number): Line[] {
	const out: Line[] = [];
	let last: Message | null = null;

	for (const m of messages) {
		let head = last === null || last.from !== m.from ||
		    m.at - last.at > TOGETHER;
		if (last === null || day(last.at) !== day(m.at)) {
			out.push({ kind: 'day', key: `d${m.id}`, at: m.at });
			head = true;
		}
		if (m.id === firstNew) {
			out.push({ kind: 'new', key: 'new' });
			head = true;
		}
		out.push({ kind: 'msg', key: `m${m.id}`, m, head });
		last = m;
	}
	return (out);
}
