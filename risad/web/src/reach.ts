/*
 * Reaching people: calls, doors, going after somebody, talks of a few.  The
 * state of the page has one of these; it is told what the server says of all
 * that, and what one does.
 */
import type { App } from './app';
import { Calls, type Asked, type Incoming, type Outgoing } from './lib/call';
import { tab } from './lib/kept';
import { Notices } from './lib/notify';
import { Sounds, type Sound } from './lib/sound';
import type { Key } from './i18n/index';
import type { CallKind, DoorWord, PresenceEntry, ServerMsg } from './types';

const SOUND: Record<CallKind, Sound> = { wave: 'wave', knock: 'knock',
    come: 'come', bubble: 'talk', join: 'talk' };

/* What a refusal says; the others speak for themselves elsewhere. */
const REFUSED = ['no-user', 'dnd', 'no-right', 'too-many', 'no-room',
    'locked', 'not-here', 'no-peer'];

export class Reach {
	readonly calls: Calls;
	readonly notices = new Notices();
	readonly sounds = new Sounds();
	sounding = !isQuiet();		/* sounds are wanted */
	noticing = true;		/* notifications, where allowed */
	bubbles: number[][] = [];	/* avatars in talks of their own */
	following = 0;			/* a user */
	roomCard = 0;			/* whose door is looked at */
	private after = 0;		/* to be walked to on another floor */
	private peers: number[] = [];	/* avatars in one's talk */
	private readonly app: App;

	constructor(app: App, ref: () => string) {
		this.app = app;
		this.calls = new Calls({
			send: (m) => app.send(m),
			ref,
			now: () => app.now(),
			timer: (ms, fn) => { setTimeout(fn, ms); },
			changed: () => app.changed('call'),
			came: (c) => this.came(c),
			ended: (c) => this.notices.close(c.n),
			taken: (o) => this.taken(o),
			replied: (o, yes) => this.replied(o, yes),
			refused: (o, code) => this.refused(o, code),
		});
	}

	/* Frames of the server that are about this. */
	receive(m: ServerMsg): void {
		switch (m.t) {
		case 'door':
			return (this.door(m.room, m.state));
		case 'called':
			return (this.calls.called(m.ref, m.n, m.until));
		case 'call':
			return (this.calls.call(m));
		case 'callend':
			return (this.calls.end(m.n));
		case 'reply':
			return (this.calls.reply(m.n, m.yes));
		case 'bubbles':
			return (this.setBubbles(m.list));
		case 'talk':
			this.peers = m.with.map((w) => w.id);
			return (this.app.changed('call'));
		}
	}

	/* The connection is gone, or one is: nothing is pending any more. */
	down(): void {
		this.calls.down();
		this.peers = [];
		this.after = 0;
	}

	signedOut(): void {
		this.down();
		this.bubbles = [];
		this.following = this.roomCard = 0;
	}

	/* ---- doors ---- */

	private door(room: number, state: DoorWord): void {
		const here = this.app.room === room;
		const knock = this.calls.pending('knock', room);

		this.app.scene?.door(room, state);
		if (here)
			this.app.say(this.app.t(`door.said.${state}`));
		if (state === 'open' && knock !== undefined) {
			this.calls.withdraw(knock);
			this.app.walkToRoom(room);
		}
		this.app.changed('floor', 'call');
	}

	setDoor(room: number, state: DoorWord): void {
		this.app.send({ t: 'door', room, state });
	}

	/* What is asked is shown beside what comes, so the card may go. */
	knock(room: number): void {
		this.roomCard = 0;
		this.ask({ kind: 'knock', room });
		this.app.changed('ui');
	}

	openRoom(room: number): void {
		this.roomCard = room;
		this.app.card = 0;
		this.app.sheet = '';
		this.app.changed('ui');
	}

	/* ---- calls ---- */

	ask(a: Asked): void {
		if (this.calls.ask(a))
			return;
		if (a.kind === 'knock' ||
		    this.calls.pending(a.kind, a.user) === undefined)
			this.app.tell(this.app.t('call.failed'));
	}

	/* What somebody asks, said in one sentence. */
	words(c: Incoming): string {
		const { app } = this;
		const place = c.floor === app.floor?.id && c.room !== 0 ?
		    app.roomName(c.room) : app.floorName(c.floor);

		return (app.t(`call.${c.kind}.in`, { name: c.name,
		    place: c.kind === 'knock' ? app.roomName(c.room) :
		    place }));
	}

	private came(c: Incoming): void {
		const { app } = this;
		const text = this.words(c);

		app.say(text);
		if (app.user?.status === 'dnd')
			return;
		if (this.sounding)
			this.sounds.play(SOUND[c.kind]);
		if (document.hidden && this.noticing)
			this.notices.show(c.n, text, app.tenant.title,
			    app.lang);
	}

	answer(c: Incoming, yes: boolean): void {
		this.calls.answer(c.n, yes);
		if (!yes)
			return;
		if (c.kind === 'wave')
			this.ask({ kind: 'wave', user: c.user });
		else if (c.kind === 'come')
			this.goTo(c.user, c.floor);
	}

	private who(o: Outgoing): string {
		return (o.kind === 'knock' ? this.app.roomName(o.room) :
		    this.app.nameOf(o.user));
	}

	private taken(o: Outgoing): void {
		const text = this.app.t(`call.${o.kind}.out` as Key, { name: this.who(o) });

		if (o.kind === 'wave')
			this.app.tell(text);
		else
			this.app.say(text);
	}

	private replied(o: Outgoing, yes: boolean | null): void {
		const { app } = this;
		const how = yes === true ? 'yes' : 'no';

		app.tell(app.t(yes === null ? 'call.none' :
		    `call.${o.kind}.${how}` as Key, { name: this.who(o) }));
		if (this.sounding && app.user?.status !== 'dnd')
			this.sounds.play(how);
		if (o.kind !== 'knock' || yes !== true)
			return;
		app.scene?.pass(o.room);
		this.stop();
		this.roomCard = 0;
		app.scene?.walkToRoom(o.room);
		app.changed('ui');
	}

	private refused(o: Outgoing, code: string): void {
		const { app } = this;

		app.tell(app.t(REFUSED.includes(code) ?
		    `call.error.${code}` as Key : 'call.failed',
		    { name: this.who(o) }));
	}

	/* ---- talks of a few ---- */

	setBubbles(list: number[][]): void {
		const was = this.own().length;

		this.bubbles = list;
		this.app.scene?.setBubbles(list);
		if (was === 0 && this.own().length > 0)
			this.app.say(this.app.t('bubble.in',
			    { names: this.names(this.own()) }));
		else if (was > 0 && this.own().length === 0)
			this.app.tell(this.app.t('bubble.over'));
		this.app.changed('call', 'people');
	}

	/* Users in the bubble of somebody, without that one; [] for none. */
	bubbleOf(user: number): number[] {
		const id = this.app.avatarOf(user);
		const ids = this.bubbles.find((b) => b.includes(id)) ?? [];

		return (ids.filter((x) => x !== id).map((x) =>
		    this.app.userOf(x)).filter((u) => u !== 0));
	}

	own(): number[] {
		return (this.bubbleOf(this.app.user?.id ?? 0));
	}

	names(users: number[]): string {
		return (users.map((u) => this.app.nameOf(u))
		    .join(this.app.lang === 'ja' ? '、' : ', '));
	}

	/* Is that one in one's talk, so that one may be asked aside? */
	hears(user: number): boolean {
		return (this.peers.includes(this.app.avatarOf(user)));
	}

	unbubble(): void {
		this.app.send({ t: 'unbubble' });
	}

	/* ---- going after somebody ---- */

	/* To where somebody is, on another floor too. */
	goTo(user: number, floor = this.app.people.get(user)?.floor ?? 0):
	    void {
		const { app } = this;

		this.stop();
		if (floor === app.floor?.id)
			app.scene?.walkToUser(user);
		else if (floor !== 0) {
			app.enter(floor);
			this.after = user;
		} else
			app.tell(app.t('person.gone'));
	}

	follow(user: number): void {
		const p = this.app.people.get(user);

		this.goTo(user);
		if (p === undefined || p.floor === 0)
			return;
		this.following = user;
		this.app.scene?.follow(user);
		this.app.say(this.app.t('follow.on',
		    { name: this.app.nameOf(user) }));
		this.app.changed('call', 'ui');
	}

	/* One walks by oneself, or has had enough. */
	stop(): void {
		this.after = 0;
		if (this.following === 0)
			return;
		this.app.scene?.follow(0);
		this.app.say(this.app.t('follow.off',
		    { name: this.app.nameOf(this.following) }));
		this.following = 0;
		this.app.changed('call', 'ui');
	}

	/* One has come onto a floor. */
	entered(bubbles: number[][] | undefined): void {
		const user = this.after || this.following;

		this.bubbles = bubbles ?? [];
		this.after = this.roomCard = 0;
		if (this.following !== 0)
			this.app.scene?.follow(this.following);
		else if (user !== 0)
			this.app.scene?.walkToUser(user);
		this.app.changed('call');
	}

	/* Somebody is elsewhere now; null is nowhere. */
	moved(user: number, e: PresenceEntry | null): void {
		const { app } = this;

		if (user !== this.following || e?.floor === app.floor?.id)
			return;
		if (e !== null && app.floors.some((f) => f.id === e.floor))
			app.enter(e.floor);
		else {
			app.tell(app.t('follow.lost',
			    { name: app.nameOf(user) }));
			this.stop();
		}
	}

	/* ---- what is wanted ---- */

	/* For this tab: it outlives a reload, nothing else is kept. */
	setSounding(on: boolean): void {
		this.sounding = on;
		tab.setItem('quiet', on ? '' : '1');
		if (on)
			this.sounds.play('wave');
		this.app.changed('ui');
	}

	setNoticing(on: boolean): void {
		this.noticing = on;
		this.app.changed('ui');
	}
}

/* As the tab was left. */
function isQuiet(): boolean {
	return (tab.getItem('quiet') === '1');
}
