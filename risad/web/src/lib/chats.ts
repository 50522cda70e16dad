import type { Channel, Cleared, Message } from '../types';

/* What is known of one channel. */
export interface Chat {
	channel: Channel;
	messages: Message[];	/* by id, no gaps but before the first */
	more: boolean;		/* older ones exist */
	loaded: boolean;	/* the newest page has come since connecting */
	loading: boolean;
	unread: number;
	line: number;		/* id of the first new one, 0 none */
	stale: number;		/* up to here known from before connecting */
	read: number;		/* told the server up to here */
	failed: unknown;	/* why it could not be loaded, or null */
	tries: number;		/* that failed one after another */
	again: number;		/* the timer of the next try, or 0 */
}

const KEEP = 1000;		/* messages in memory, per channel */

function empty(channel: Channel): Chat {
	return ({ channel, messages: [], more: true, loaded: false,
	    loading: false, unread: 0, line: 0, stale: 0, read: 0,
	    failed: null, tries: 0, again: 0 });
}

/* Two lists by id into one; the same id is the same message. */
export function merge(a: readonly Message[], b: readonly Message[]): Message[] {
	const byId = new Map<number, Message>();

	for (const m of a)
		byId.set(m.id, m);
	for (const m of b)
		byId.set(m.id, m);
	return ([...byId.values()].sort((x, y) => x.id - y.id));
}

export class Chats {
	private readonly all = new Map<Channel, Chat>();
	private watching: Channel = '';

	get(channel: Channel): Chat {
		const c = this.all.get(channel) ?? empty(channel);

		this.all.set(channel, c);
		return (c);
	}

	peek(channel: Channel): Chat | undefined {
		return (this.all.get(channel));
	}

	/* Direct channels with anything in them, the latest first. */
	direct(): Chat[] {
		return ([...this.all.values()].filter((c) =>
		    c.channel.startsWith('user:') &&
		    (c.messages.length > 0 || c.unread > 0))
		    .sort((a, b) => (b.messages.at(-1)?.at ?? Infinity) -
		    (a.messages.at(-1)?.at ?? Infinity)));
	}

	/* What we hold may have a gap after its end: it is to be loaded. */
	missed(): void {
		for (const c of this.all.values()) {
			c.loaded = false;
			c.loading = false;
			c.stale = c.messages.at(-1)?.id ?? 0;
		}
	}

	/* A new connection. */
	hello(unread: readonly { channel: Channel; count: number }[]): void {
		this.missed();
		for (const c of this.all.values()) {
			c.unread = 0;
			/* What failed, failed on the one before. */
			clearTimeout(c.again);
			c.again = c.tries = 0;
			c.failed = null;
		}
		for (const u of unread)
			this.get(u.channel).unread = u.count;
	}

	/* The channel that is on the screen and read at its end, or ''. */
	watch(channel: Channel): void {
		this.watching = channel;
	}

	/*
	 * A message as it happens.  True when it is new to us.  It counts as
	 * unread unless it is one's own or being looked at.
	 */
	live(m: Message, self: number): boolean {
		const c = this.get(m.channel);

		if (c.messages.some((x) => x.id === m.id))
			return (false);
		c.messages = merge(c.messages, [m]);
		if (c.messages.length > KEEP) {
			c.messages = c.messages.slice(-KEEP);
			c.more = true;
		}
		if (m.from === self) {
			c.line = 0;
		} else if (this.watching !== m.channel) {
			c.unread++;
			if (c.line === 0)
				c.line = m.id;
		}
		return (true);
	}

	/*
	 * The newest page, after (re)connecting.  What has come since is no
	 * sign that nothing is missing between it and what was known before.
	 */
	newest(channel: Channel, page: Message[], more: boolean,
	    self: number): void {
		const c = this.get(channel);
		const gap = more && (page[0]?.id ?? 0) > c.stale;

		this.dropErased(c, page, more);

		c.more = gap || c.messages.length === 0 ? more : c.more;
		c.messages = merge(gap ? c.messages.filter((m) =>
		    m.id > c.stale) : c.messages, page);
		c.loaded = true;
		this.came(c);
		c.line = this.firstUnread(c, self);
	}

	/* It is gone for everybody; true when it was here. */
	erase(channel: Channel, id: number): boolean {
		const c = this.all.get(channel);
		const n = c?.messages.length ?? 0;

		if (c === undefined)
			return (false);
		c.messages = c.messages.filter((m) => m.id !== id);
		if (c.line === id)
			c.line = 0;
		return (c.messages.length < n);
	}

	/* While we were away it may have been erased: the page is the truth. */
	private dropErased(c: Chat, page: Message[], more: boolean): void {
		const first = more ? page[0]?.id ?? 0 : 0;
		const until = Math.max(c.stale, page.at(-1)?.id ?? 0);
		const there = new Set(page.map((m) => m.id));

		c.messages = c.messages.filter((m) => m.id < first ||
		    m.id > until || there.has(m.id));
	}

	/* Erased for everybody, or without a name from now on. */
	clear(e: Cleared): void {
		const meant = (m: Message) => m.id <= e.last &&
		    m.at >= e.from && m.at <= e.to;

		for (const c of this.all.values()) {
			if (e.messages === 'unname') {
				c.messages = c.messages.map((m) => m.from !==
				    e.user ? m : { ...m, name: '' });
				continue;
			}
			c.messages = c.messages.filter((m) => !meant(m) ||
			    !this.cleared(m, e));
			if (!c.messages.some((m) => m.id === c.line))
				c.line = 0;
			if (c.messages.length === 0)
				c.unread = 0;
		}
		if (e.user !== undefined)
			this.all.delete(`user:${e.user}`);
	}

	private cleared(m: Message, e: Cleared): boolean {
		const direct = m.channel.startsWith('user:');

		if (e.user !== undefined)
			return (e.messages === 'erase' && m.from === e.user);
		if (e.channel !== undefined)
			return (m.channel === e.channel);
		if (e.floor !== undefined)
			return (m.channel === `floor:${e.floor}` ||
			    m.channel.startsWith(`room:${e.floor}:`));
		return (e.direct === true || !direct);
	}

	/* Of floors where one is not, nobody tells what is erased there. */
	onFloor(floor: number): void {
		for (const c of this.all.values()) {
			if (c.channel.startsWith('user:') || c.channel ===
			    `floor:${floor}` || c.channel.startsWith(
			    `room:${floor}:`))
				continue;
			c.messages = [];
			c.more = true;
			c.loaded = false;
			c.line = 0;
		}
	}

	/* An older page. */
	older(channel: Channel, page: Message[], more: boolean): void {
		const c = this.get(channel);

		c.messages = merge(page, c.messages);
		c.more = more;
		this.came(c);
	}

	private came(c: Chat): void {
		c.loading = false;
		c.failed = null;
		c.tries = 0;
	}

	/* The server counted: that many from others at the end are new. */
	private firstUnread(c: Chat, self: number): number {
		let left = c.unread;
		let id = 0;

		for (let i = c.messages.length - 1; i >= 0 && left > 0; i--) {
			const m = c.messages[i];
			if (m !== undefined && m.from !== self) {
				id = m.id;
				left--;
			}
		}
		return (id);
	}

	/* Looked at up to the end: the id to tell the server, 0 if it knows. */
	seen(channel: Channel): number {
		const c = this.get(channel);
		const last = c.messages.at(-1)?.id ?? 0;
		const news = c.unread > 0 || last > c.read;

		if (!c.loaded || !news)
			return (0);
		c.unread = 0;
		c.read = last;
		return (last);
	}

	/* The line goes when one leaves the channel. */
	leave(channel: Channel): void {
		const c = this.all.get(channel);

		if (c !== undefined)
			c.line = 0;
	}

	/* Sum for the title and the badges. */
	unread(pick: (channel: Channel) => boolean): number {
		let n = 0;

		for (const c of this.all.values())
			if (pick(c.channel))
				n += c.unread;
		return (n);
	}

	forget(): void {
		this.all.clear();
		this.watching = '';
	}
}
