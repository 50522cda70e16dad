import { api, ApiError, type Person as Known } from './api';
import { chooseLang, mapName, translate, type Key, type Params } from
    './i18n/index';
import { Announcer } from './lib/announce';
import { backoff } from './lib/backoff';
import { Chats, type Chat } from './lib/chats';
import { Outbox, type Draft } from './lib/outbox';
import { marked } from './lib/text';
import { Topics, type Topic } from './lib/topics';
import { Link, type LinkState } from './net';
import { Reach } from './reach';
import type { OfficeScene } from './scene/index';
import { Talk } from './talk/talk';
import type { ByeReason, Channel, Cleared, ClientMsg, DoorState, DoorWord,
    FloorMsg, FloorRef, GuestInfo, HelloMsg, InviteInfo, Knock, Lang, LangChoice, Look, Message,
    Person, PresenceEntry, Right, Room, ServerMsg, SessionInfo, Status, Tenant,
    TenantInfo, User } from './types';

export type Phase = 'loading' | 'broken' | 'signin' | 'invite' | 'guest' |
    'lobby' | 'over' | 'must' | 'in';
export type Tab = 'floor' | 'room' | 'direct';
export type Sheet = '' | 'people' | 'chat';
export type DialogName = '' | 'search' | 'profile' | 'password' |
    'signins' | 'factor' | 'told' | 'notices';

const KNOWN_AGAIN = 10000;	/* ms after it could not be had */
const KNOWN_MOST = 64;		/* of one request */
const SAYS_WHY = 1000;		/* ms until the reason of an end is heard */
const PAGE = 50;		/* messages of one history request */

export const plainLook: Look = { skin: 0, hair: 0, tint: 0, face: 0,
    shirt: 0, extra: 0 };

/* The state of the page and what changes it; drawn by the components. */
export class App {
	readonly topics = new Topics((run) => { setTimeout(run, 16); });
	readonly chats = new Chats();
	readonly outbox: Outbox;
	readonly reach: Reach;
	readonly talk = new Talk(this);
	private readonly link: Link;
	/* Of this browser, which has one cookie for all of them. */
	private readonly tabs = new BroadcastChannel('risad');
	private rests = false;		/* another tab is in the office */
	private readonly announcer: Announcer;

	phase: Phase = 'loading';
	path = location.pathname;
	private back = '/';		/* from where one has come to try it */
	lang: Lang;
	private chosen: LangChoice = '';
	info: TenantInfo | null = null;
	tenant: Tenant = { name: '', title: '' };
	user: User | null = null;
	private can: Right[] = [];	/* what one's role allows */
	invite: InviteInfo | null = null;
	guest: GuestInfo | null = null;
	guestPath = '';			/* by which a guest has come */
	knocks: Knock[] = [];		/* guests at the door */
	reason: Key | '' = '';		/* why the sign-in page is there */
	failures = 0;		/* before this sign-in, until read */
	slips = 0;		/* those made on this page */
	problem: Key = 'err.network';	/* why nothing works */
	address = '';			/* ours, as the server sees it */
	console = false;		/* may we administer from there */

	net: LinkState = 'off';
	netUntil = 0;
	netWhy: '' | 'restart' | 'elsewhere' = '';
	hadHello = false;
	private offset = 0;		/* server's clock less ours, ms */
	floors: FloorRef[] = [];
	people = new Map<number, PresenceEntry>();
	known = new Map<number, Known>();	/* all one can write to */
	private knownAsked = false;		/* for all of them */
	private wanted = new Set<number>();	/* has been asked for */
	private missing: number[] = [];		/* is asked for next */
	floor: FloorMsg | null = null;
	private looks = 0;		/* how often it has started over */
	private entering = 0;
	floorNote: Key | '' = '';
	floorNoteName = '';
	private persons = new Map<number, Person>();
	doors = new Map<number, DoorState>();
	room = 0;
	scene: OfficeScene | null = null;

	left = true;
	right = true;
	text = false;
	sheet: Sheet = '';
	dialog: DialogName = '';
	told = 0;			/* when the password changed, ms */
	must: string[] = [];		/* what has to be done first */
	tab: Tab = 'floor';
	peer = 0;
	readonly begun = new Map<Channel, string>();	/* texts, not sent */
	card = 0;			/* user whose card is open */
	toast: { text: string; n: number } | null = null;
	spoken = '';

	constructor() {
		const ws = location.protocol === 'http:' ? 'ws:' : 'wss:';

		this.lang = chooseLang('', navigator.languages);
		this.link = new Link(`${ws}//${location.host}/ws`, {
			message: (m) => this.receive(m),
			frame: (b) => this.scene?.frame(b),
			state: (s, until) => this.linkState(s, until),
			refused: () => void this.checkSession(),
		});
		this.outbox = new Outbox({
			send: (m) => this.link.send(m),
			timer: (ms, fn) => {
				const id = setTimeout(fn, ms);
				return (() => clearTimeout(id));
			},
			changed: () => this.changed('chat'),
			silent: () => this.link.renew(),
			ref: newRef,
		});
		this.reach = new Reach(this, newRef);
		this.announcer = new Announcer((s) => {
			this.spoken = s;
			this.changed('say');
		}, (n) => this.t('say.many', { n }),
		    (ms, fn) => { setTimeout(fn, ms); });
	}

	t(key: Key, p?: Params): string {
		return (translate(this.lang, key, p));
	}

	changed(...topics: Topic[]): void {
		this.topics.changed(...topics);
	}

	/* The server's clock now, ms since 1970. */
	now(): number {
		return (Date.now() + this.offset);
	}

	/* ---- the page as a whole ---- */

	async start(): Promise<void> {
		addEventListener('popstate', () => this.go(location.pathname,
		    false));
		addEventListener('online', () => this.link.renew());
		addEventListener('offline', () => this.link.lost());
		document.addEventListener('visibilitychange', () => {
			if (!document.hidden)
				this.looked();
		});
		this.tabs.onmessage = (e) => this.otherTab(e.data);
		this.topics.on(['page', 'chat', 'floor', 'me'],
		    () => this.titles());
		await this.boot();
	}

	private looked(): void {
		if (this.phase === 'lobby')
			this.link.start();
		this.link.hurry();
		this.watch();
	}

	/*
	 * Another tab has signed in as this user.  What this one asked for from
	 * now on would be asked as him; he is there, so it does not go in.
	 */
	private otherTab(user: unknown): void {
		if (this.user === null || this.user.id === user)
			return;
		this.startOver();
		this.rests = true;
	}

	async boot(): Promise<void> {
		const token = inviteToken(this.path);
		const look = ++this.looks;

		this.phase = 'loading';
		this.changed('page');
		try {
			this.info = await api.tenant();
			this.tenant = this.info.tenant;
			if (token !== '')
				await this.bootInvite(token);
			else if (guestToken(this.path) !== '')
				await this.bootGuest(guestToken(this.path));
			else
				await this.bootSession();
		} catch (e) {
			if (look !== this.looks)
				return;
			this.problem = errorKey(e);
			if (e instanceof ApiError && e.word === 'address')
				this.address = e.value;
			this.phase = 'broken';
		}
		this.changed('page');
	}

	private async bootSession(): Promise<void> {
		try {
			this.signedIn(await api.session(), false);
		} catch (e) {
			if (!(e instanceof ApiError) || e.status !== 401)
				throw e;
			this.phase = 'signin';
		}
	}

	private async bootInvite(token: string): Promise<void> {
		this.phase = 'invite';
		try {
			this.invite = await api.invite(token);
		} catch (e) {
			if (!(e instanceof ApiError) || e.status === 0)
				throw e;
			this.invite = null;
		}
	}

	/* A guest who is here already comes back; a member is told so. */
	private async bootGuest(token: string): Promise<void> {
		const s = await api.session().catch((e: unknown) => {
			if (!(e instanceof ApiError) || e.status !== 401)
				throw e;
			return (null);
		});

		if (s?.user.role === 'guest')
			return (this.signedIn(s));
		this.user = s?.user ?? null;
		this.phase = 'guest';
		try {
			this.guest = await api.guest(token);
		} catch (e) {
			if (!(e instanceof ApiError) || e.status !== 404)
				throw e;
			this.guest = null;
		}
	}

	private located(s: SessionInfo): void {
		this.address = s.address;
		this.console = s.console;
		this.changed('page', 'me');
	}

	/* fresh: just now, and not by a page before this one. */
	signedIn(s: SessionInfo, fresh = true): void {
		this.located(s);
		this.user = s.user;
		this.tabs.postMessage(s.user.id);
		this.can = s.can;
		this.tenant = s.tenant;
		this.phase = s.must.length > 0 ? 'must' :
		    s.door === true ? 'lobby' : 'in';
		this.reason = '';
		if (guestToken(this.path) !== '')
			this.guestPath = this.path;
		if (inviteToken(this.path) !== '' || this.guestPath !== '')
			this.go('/', true);
		this.failures = Math.max(0, (s.failures ?? 0) - this.slips);
		this.slips = 0;
		if (this.phase === 'must')
			return (this.mustFirst(s));
		if (s.recovery !== undefined) {
			this.tell(this.t('factor.told', { n: s.recovery }));
			this.dialog = 'factor';
		}
		if (this.phase === 'lobby')
			this.lang = chooseLang(this.chosen || s.user.lang,
			    navigator.languages);
		else
			this.takeLang(s.user);
		if (fresh && s.password !== undefined && s.password !== 0) {
			this.told = s.password;
			this.dialog = 'told';
		}
		this.changed('page', 'me');
		this.goIn(fresh);
	}

	private goIn(fresh: boolean): void {
		const rests = this.rests && !fresh;

		this.rests = false;
		if (rests && this.phase === 'in')
			this.netWhy = 'elsewhere';
		else if (!rests && !this.inAdmin())
			this.link.start();
	}

	/* What was chosen at the door is kept with the person, once inside. */
	private takeLang(u: User): void {
		const { chosen } = this;

		this.chosen = '';
		if (chosen !== '' && chosen !== u.lang)
			void this.setLang(chosen).catch(() => undefined);
		else
			this.lang = chooseLang(u.lang, navigator.languages);
	}

	/* Neither office nor anything else before that is done. */
	private mustFirst(s: SessionInfo): void {
		this.must = s.must;
		this.lang = chooseLang(this.chosen || s.user.lang,
		    navigator.languages);
		this.changed('page', 'me');
	}

	/*
	 * Signed in, but not as this page knows it: the rules have become
	 * stricter, or another tab has signed in as somebody else.
	 */
	private startOver(): void {
		this.signedOut('');
		void this.boot();
	}

	/*
	 * Back to the sign-in page, for a guest to the end of the visit; nothing
	 * of the tenant stays in memory.
	 */
	signedOut(reason: Key | ''): void {
		const guest = this.user?.role === 'guest' ||
		    this.phase === 'over';	/* said twice */

		this.rests = false;
		this.link.stop();
		this.reach.signedOut();
		this.talk.end();
		this.outbox.down();
		this.outbox.drafts.length = 0;
		this.begun.clear();
		this.chats.forget();
		this.people.clear();
		this.known = new Map();		/* the old one may be filled */
		this.knownAsked = false;
		this.wanted.clear();
		this.clearFloor();
		this.entering = 0;
		this.floorNote = '';
		this.floors = [];
		this.knocks = [];
		this.user = null;
		this.can = [];
		this.hadHello = false;
		this.netWhy = '';
		this.dialog = '';
		this.sheet = '';
		this.card = 0;
		this.peer = 0;
		this.tab = 'floor';
		this.reason = reason;
		this.phase = guest ? 'over' : 'signin';
		this.changed('page', 'me', 'people', 'floor', 'chat', 'ui',
		    'call');
	}

	/* After the end of a visit: the URL once more, if it is known. */
	async comeAgain(): Promise<void> {
		const path = this.guestPath;

		this.guestPath = '';
		if (path !== '')
			this.go(path);
		await this.boot();
	}

	admit(id: number, on: boolean): void {
		this.link.send({ t: 'admit', id, in: on });
	}

	private knock(k: Knock): void {
		if (this.knocks.some((x) => x.id === k.id))
			return;
		this.knocks = [...this.knocks, k];
		this.say(this.t('door.knock', { name: k.name }));
		this.changed('ui');
	}

	private answered(id: number, name: string, why: string, by: string):
	    void {
		const n = this.knocks.length;

		this.knocks = this.knocks.filter((k) => k.id !== id);
		if (n !== this.knocks.length)
			this.tell(this.t(why === 'admitted' ?
			    'door.admitted' : why === 'refused' ?
			    'door.refused' : 'door.gone', { name, by }));
		this.changed('ui');
	}

	async signOut(): Promise<void> {
		await api.signOut().catch((e: unknown) => {
			if (!(e instanceof ApiError) || e.status !== 401)
				throw e;
		});
		this.signedOut('signin.out');
	}

	/* A 401 anywhere: the sign-in has ended. */
	failed(e: unknown): Key {
		if (e instanceof ApiError && e.status === 401 &&
		    e.word === 'session')
			this.ended();
		else if (e instanceof ApiError && e.word === 'must')
			this.startOver();
		else if (e instanceof ApiError && e.word === 'address')
			void this.checkSession();
		return (errorKey(e));
	}

	/*
	 * Why, the page's own line is about to say, while there is one, or has
	 * said: a request that fails for it knows less.
	 */
	private ended(): void {
		const { user } = this;
		const end = () => {
			if (user !== null && this.user === user)
				this.signedOut('signin.ended');
		};

		if (this.link.ready())
			setTimeout(end, SAYS_WHY);
		else
			end();
	}

	/* Out of the networks: the sign-in waits until one is back in them. */
	private shutOut(): void {
		this.signedOut('');
		this.problem = 'err.address';
		this.phase = 'broken';
		this.changed('page');
	}

	/*
	 * Is one signed in still, free of what must be done first, and what may
	 * be done from here?  Whoever starts over meanwhile asks that, too: an
	 * answer from before must not undo the one that came after it.
	 */
	async checkSession(): Promise<void> {
		const look = this.looks;

		try {
			const s = await api.session();

			if (look !== this.looks)
				return;
			this.located(s);
			if (s.must.length > 0 || this.other(s.user))
				this.startOver();
		} catch (e) {
			if (look !== this.looks)
				return;
			if (!(e instanceof ApiError) || e.word !== 'address') {
				this.failed(e);
				return;
			}
			this.address = e.value;
			this.shutOut();
		}
	}

	private other(u: User): boolean {
		return (this.user !== null && this.user.id !== u.id);
	}

	may(right: Right): boolean {
		return (this.can.includes(right));
	}

	/* From here, too: else it is not shown. */
	administers(): boolean {
		return (this.user?.role === 'admin' && this.console);
	}

	inAdmin(): boolean {
		return (this.path === '/admin' ||
		    this.path.startsWith('/admin/'));
	}

	/* The page that tells whether one can talk from here. */
	inCheck(): boolean {
		return (this.path === '/talk-check');
	}

	/* Else another page lies over the office, which goes on. */
	inOffice(): boolean {
		return (!this.inAdmin() && !this.inCheck());
	}

	/* Back to where one was: a guest still has the URL. */
	leaveCheck(): void {
		this.go(this.back);
	}

	go(path: string, push = true): void {
		if (push && path !== location.pathname)
			history.pushState(history.state, '', path);
		if (path === '/talk-check' && !this.inCheck())
			this.back = this.path;
		this.path = path;
		this.sheet = '';
		if (this.phase === 'in' && !this.inAdmin() &&
		    this.netWhy !== 'elsewhere')
			this.link.start();
		this.changed('page', 'ui');
	}

	async setLang(choice: LangChoice): Promise<void> {
		this.lang = chooseLang(choice, navigator.languages);
		this.scene?.setLang(this.lang);
		this.changed('page', 'me', 'people', 'floor', 'chat', 'net',
		    'ui');
		if (this.user === null || this.phase === 'must' ||
		    this.phase === 'lobby') {
			this.chosen = choice;
			return;
		}
		this.setMe((await api.me({ lang: choice })).user);
	}

	setMe(u: User): void {
		const p = this.people.get(u.id);

		if (this.user?.id !== u.id)
			return;		/* has signed out meanwhile */
		this.user = u;
		this.lang = chooseLang(u.lang, navigator.languages);
		this.scene?.setLang(this.lang);
		if (p !== undefined) {
			const e = { ...p, name: u.name, look: u.look,
			    status: u.status, note: u.note };
			this.people.set(u.id, e);
			this.scene?.update(e);
		}
		this.changed('page', 'me', 'people', 'chat');
	}

	private titles(): void {
		const n = this.unread();
		const where = this.phase === 'in' && this.floor !== null &&
		    !this.inAdmin() ? `${this.floor.name} - ` : '';
		const name = this.tenant.title || this.t('app.name');

		document.title = (n > 0 ? `(${n}) ` : '') +
		    marked(where + name);
		document.documentElement.lang = this.lang;
	}

	say(text: string, minor = false): void {
		this.announcer.add(text, minor);
	}

	/* A short word at the bottom, gone by itself. */
	tell(text: string): void {
		const n = (this.toast?.n ?? 0) + 1;

		this.toast = { text, n };
		this.say(text);
		this.changed('ui');
		setTimeout(() => {
			if (this.toast?.n === n) {
				this.toast = null;
				this.changed('ui');
			}
		}, 4500);
	}

	open(d: DialogName): void {
		this.dialog = d;
		this.card = 0;
		this.changed('ui');
	}

	/* ---- the connection ---- */

	private linkState(s: LinkState, until: number): void {
		this.net = s;
		this.netUntil = until;
		if (s !== 'up') {
			this.outbox.down();
			this.reach.down();
		}
		this.talk.link(s === 'up');
		this.changed('net', 'chat');
	}

	send(m: ClientMsg): boolean {
		return (this.link.send(m));
	}

	connectNow(): void {
		this.link.hurry();
	}

	continueHere(): void {
		this.netWhy = '';
		this.link.start();
		this.changed('net');
	}

	private receive(m: ServerMsg): void {
		switch (m.t) {
		case 'hello':
			return (this.hello(m));
		case 'floor':
			return (this.entered(m));
		case 'join':
			return (this.joined(m.person));
		case 'left':
			return (this.wentAway(m.id));
		case 'update':
			return (this.updated(m));
		case 'gone':
			this.reach.moved(m.user, null);	/* by name */
			this.people.delete(m.user);
			return (this.changed('people'));
		case 'place':
			return (this.placed(m.x, m.y, m.why));
		case 'door':
			this.doors.set(m.room, m);
			return (this.reach.receive(m));
		case 'msg':
			return (this.message(m));
		case 'erased':
			if (this.chats.erase(m.channel, m.id))
				this.changed('chat');
			return;
		case 'cleared':
			return (this.cleared(m));
		case 'missed':
			this.chats.missed();
			return (this.refresh());
		case 'ack':
			return (this.acked(m.ref, m.id, m.at));
		case 'floors':
			this.floors = m.floors;
			return (this.floorsChanged());
		case 'rights':
			this.can = m.can;
			return (this.changed('me', 'chat', 'people', 'ui'));
		case 'evict':
			return (this.evicted(m.floor));
		case 'tenant':
			this.tenant = { ...this.tenant, title: m.title };
			return (this.changed('page'));
		case 'me':
			return (this.setMe(m.user));
		case 'notice':
			return (this.tell(m.text));
		case 'waiting':
			return (this.changed('net'));
		case 'knock':
			return (this.knock({ id: m.id, name: m.name,
			    floors: m.floors, until: m.until }));
		case 'answered':
			return (this.answered(m.id, m.name, m.why, m.by));
		case 'bye':
			return (this.bye(m.reason));
		case 'error':
			if (m.ref === undefined &&
			    this.talk.refused(m.code, m.field, m.to))
				return;
			return (this.refused(m.code, m.ref));
		case 'called':
		case 'call':
		case 'callend':
		case 'reply':
		case 'bubbles':
			return (this.reach.receive(m));
		case 'talk':
			this.reach.receive(m);
			return (this.talk.receive(m));
		case 'signal':
		case 'rules':
			return (this.talk.receive(m));
		case 'history':
			return;		/* histories come by REST */
		}
	}

	private hello(m: HelloMsg): void {
		const again = this.hadHello;

		if (this.other(m.user))
			return (this.startOver());
		if (this.phase === 'lobby') {
			this.phase = 'in';
			this.say(this.t('lobby.in'));
		}
		this.knocks = [];
		this.reach.down();
		this.hadHello = true;
		this.netWhy = '';
		this.offset = m.now - Date.now();
		this.tenant = m.tenant;
		this.can = m.can;
		this.floors = m.floors;
		this.people = new Map(m.people.map((p) => [p.user, p]));
		this.chats.hello(m.unread);
		this.setMe(m.user);
		if (this.chosen !== '')
			this.takeLang(m.user);
		this.scene?.clock(m.time);
		this.outbox.up({ floor: 0, room: 0 });
		this.changed('page', 'people', 'floor', 'chat', 'net');
		if (again)
			this.say(this.t('net.back'));
		const may = (id: number) => m.floors.some((f) => f.id === id);
		const want = [this.floor?.id ?? 0, this.entering, m.last,
		    m.floors[0]?.id ?? 0].find(may);
		if (want !== undefined)
			this.enter(want);
		else
			this.clearFloor();
		this.refresh();
	}

	private bye(reason: ByeReason): void {
		switch (reason) {
		case 'address':
			return (this.shutOut());
		case 'signed-out':
			return (this.signedOut('signin.out'));
		case 'ended':
			return (this.signedOut('signin.ended'));
		case 'suspended':
			return (this.signedOut('signin.suspended'));
		case 'must':
			return (this.startOver());
		case 'refused':
		case 'unanswered':
		case 'revoked':
			return (this.signedOut(`over.${reason}`));
		case 'elsewhere':
			this.netWhy = 'elsewhere';
			this.link.stop();
			this.talk.left();
			break;
		case 'restart':
			this.netWhy = 'restart';
			break;
		}
		this.changed('net');
	}

	private refused(code: string, ref: string | undefined): void {
		if (ref !== undefined && this.outbox.refuse(ref, code))
			return (this.changed('chat'));
		if (ref !== undefined && this.reach.calls.refuse(ref, code))
			return;
		if (this.entering !== 0 && ['no-floor', 'no-right', 'full']
		    .includes(code)) {
			const f = this.floors.find((x) =>
			    x.id === this.entering);
			this.entering = 0;
			this.floorNote = code === 'full' ? 'net.full' :
			    'net.evict';
			this.floorNoteName = f?.name ?? '';
			return (this.changed('floor'));
		}
		if (code === 'no-guest')
			this.tell(this.t('door.late'));
		else if (code === 'closed' || code === 'full')
			this.tell(this.t(`place.${code}`));
		else if (code === 'too-many' || code === 'unavailable')
			this.tell(this.t('err.busy'));
	}

	/* ---- floors and people ---- */

	enter(id: number): void {
		this.entering = id;
		this.floorNote = '';
		this.link.send({ t: 'enter', floor: id });
		this.changed('floor');
	}

	private entered(m: FloorMsg): void {
		const other = this.floor?.id !== m.id;
		const me = m.people.find((p) => p.id === m.you);

		this.entering = 0;
		this.floorNote = '';
		this.floor = m;
		this.persons = new Map(m.people.map((p) => [p.id, p]));
		this.doors = new Map(m.doors.map((d) => [d.room, d]));
		for (const p of m.people)
			this.noteRoom(p, m.id);
		this.scene?.clock(m.time);
		this.scene?.setFloor(m);
		this.reach.entered(m.bubbles);
		this.talk.entered(m.id);
		this.room = me?.room ?? 0;
		if (other) {
			this.chats.onFloor(m.id);
			this.card = 0;
			if (this.tab === 'room')
				this.tab = 'floor';
		}
		this.leaveRoomTab();
		this.outbox.up({ floor: m.id, room: this.room });
		this.changed('floor', 'people', 'chat', 'ui');
		this.refresh();
	}

	private noteRoom(p: Person, floor: number): void {
		this.people.set(p.user, { user: p.user, name: p.name,
		    look: p.look, status: p.status, note: p.note, floor,
		    room: p.room, guest: p.guest });
	}

	private joined(p: Person): void {
		this.persons.set(p.id, p);
		if (this.floor !== null)
			this.noteRoom(p, this.floor.id);
		this.scene?.join(p);
		if (p.user !== this.user?.id)
			this.say(this.t('say.join', { name: p.name }), true);
		this.changed('people');
	}

	private wentAway(id: number): void {
		const p = this.persons.get(id);
		const e = p === undefined ? undefined :
		    this.people.get(p.user);

		this.persons.delete(id);
		this.scene?.left(id);
		if (p !== undefined)
			this.say(this.t('say.left', { name: p.name }), true);
		/* until update or gone tells where to */
		if (e !== undefined && e.floor === this.floor?.id)
			this.people.set(e.user, { ...e, floor: 0, room: 0 });
		this.changed('people');
	}

	private updated(e: PresenceEntry): void {
		this.people.set(e.user, e);
		this.scene?.update(e);
		if (e.user === this.user?.id && e.floor === this.floor?.id)
			this.inRoom(e.room);
		this.reach.moved(e.user, e);
		this.changed('people');
	}

	private placed(x: number, y: number, why: string): void {
		this.scene?.place(x, y);
		if (why === 'wall' || why === 'closed' || why === 'full')
			this.tell(this.t(`place.${why}`));
	}

	/* One's own room, as the server or the drawing sees it first. */
	inRoom(room: number): void {
		if (room === this.room || this.floor === null)
			return;
		this.room = room;
		this.leaveRoomTab();
		this.outbox.moved({ floor: this.floor.id, room });
		this.changed('floor', 'people', 'chat');
		this.refresh();
	}

	private leaveRoomTab(): void {
		if (this.room === 0 && this.tab === 'room')
			this.tab = 'floor';
	}

	private floorsChanged(): void {
		const f = this.floors.find((x) => x.id === this.floor?.id);

		if (this.floor !== null && f !== undefined)
			this.floor = { ...this.floor, name: f.name };
		else if (this.floor === null && this.entering === 0 &&
		    this.floorNote === '' && this.floors[0] !== undefined)
			this.enter(this.floors[0].id);
		this.changed('floor', 'people');
	}

	private evicted(id: number): void {
		const f = this.floors.find((x) => x.id === id);

		this.floorNote = 'net.evict';
		this.floorNoteName = f?.name ?? this.floor?.name ?? '';
		this.clearFloor();
	}

	private clearFloor(): void {
		this.floor = null;
		this.persons.clear();
		this.doors.clear();
		this.room = 0;
		this.leaveRoomTab();
		this.scene?.clear();
		this.talk.left();
		this.changed('floor', 'people', 'chat', 'talk');
	}

	rooms(): Room[] {
		return (this.floor?.map.rooms ?? []);
	}

	roomName(id: number): string {
		const r = this.rooms().find((x) => x.id === id);

		return (r === undefined ? this.t('people.open') :
		    mapName(r.name, this.lang));
	}

	floorName(id: number): string {
		return (this.floors.find((f) => f.id === id)?.name ?? '');
	}

	doorOf(room: number): DoorWord {
		return (this.doors.get(room)?.state ?? 'open');
	}

	/* May not be walked into: its door is shut, and one is not inside. */
	shut(room: number): boolean {
		return (room !== this.room && this.doorOf(room) !== 'open');
	}

	/* Of somebody on one's floor, else 0; and back. */
	avatarOf(user: number): number {
		for (const p of this.persons.values())
			if (p.user === user)
				return (p.id);
		return (0);
	}

	userOf(avatar: number): number {
		return (this.persons.get(avatar)?.user ?? 0);
	}

	here(): PresenceEntry[] {
		const id = this.floor?.id;

		return (this.byName([...this.people.values()].filter((p) =>
		    p.floor === id)));
	}

	/* Somebody on this floor, by the number of the avatar. */
	avatar(id: number): Person | undefined {
		return (this.persons.get(id));
	}

	/* Oneself first, then by name. */
	byName(list: PresenceEntry[]): PresenceEntry[] {
		const self = this.user?.id;

		return (list.sort((a, b) => Number(b.user === self) -
		    Number(a.user === self) ||
		    a.name.localeCompare(b.name, this.lang)));
	}

	nameOf(user: number): string {
		return (this.someone(user)?.name ?? '');
	}

	lookOf(user: number): Look {
		return (this.someone(user)?.look ?? plainLook);
	}

	private someone(user: number): { name: string; look: Look } | undefined {
		const p = this.people.get(user) ?? this.known.get(user);

		if (p === undefined)
			this.wantPerson(user);
		return (p);
	}

	/* Those to be shown who are not here, in one request. */
	private wantPerson(user: number): void {
		if (this.knownAsked || this.wanted.has(user))
			return;
		this.wanted.add(user);
		this.missing.push(user);
		if (this.missing.length === 1)
			queueMicrotask(() => {
				while (this.missing.length > 0)
					void this.loadKnown(
					    this.missing.splice(0, KNOWN_MOST));
			});
	}

	/* The list of everybody, long where there are thousands, to find one. */
	wantKnown(): void {
		if (this.knownAsked)
			return;
		this.knownAsked = true;
		void this.loadKnown();
	}

	/* Guests know those only who are where they are. */
	private async loadKnown(users: number[] = []): Promise<void> {
		if (this.user === null || this.user.role === 'guest')
			return;
		try {
			const { known } = this;
			const r = await api.people(users);

			for (const p of r.people)
				known.set(p.user, p);
			this.changed('people');
		} catch (e) {
			setTimeout(() => this.askAgain(users), KNOWN_AGAIN);
			this.failed(e);
		}
	}

	private askAgain(users: number[]): void {
		for (const u of users)
			this.wanted.delete(u);
		if (users.length === 0)
			this.knownAsked = false;
	}

	walkToUser(user: number): void {
		this.card = 0;
		this.sheet = '';
		this.reach.goTo(user);
		this.changed('ui');
	}

	walkToRoom(room: number): void {
		this.sheet = '';
		if (this.shut(room))
			return (this.reach.openRoom(room));
		this.reach.stop();
		this.scene?.walkToRoom(room);
		this.changed('ui');
	}

	show(user: number): void {
		this.card = 0;
		this.sheet = '';
		this.text = false;
		this.scene?.show(user);
		this.changed('ui');
	}

	sendLegs(frames: ArrayBuffer[]): void {
		for (const f of frames)
			this.link.sendFrame(f);
	}

	async setStatus(status: Status, note: string): Promise<void> {
		if (this.user === null)
			return;
		if (this.link.send({ t: 'status', status, note }))
			this.setMe({ ...this.user, status, note });
		else
			this.setMe((await api.me({ status, note })).user);
	}

	/* ---- chat ---- */

	channel(): Channel {
		if (this.tab === 'direct')
			return (this.peer === 0 ? '' : `user:${this.peer}`);
		if (this.floor === null)
			return ('');
		return (this.tab === 'room' ?
		    `room:${this.floor.id}:${this.room}` :
		    `floor:${this.floor.id}`);
	}

	setTab(tab: Tab, peer = 0): void {
		this.chats.leave(this.channel());
		this.tab = tab;
		this.peer = peer;
		this.chats.watch('');
		this.changed('ui', 'chat');
		this.refresh();
	}

	writeTo(user: number): void {
		this.card = 0;
		this.right = true;
		this.sheet = 'chat';
		this.setTab('direct', user);
	}

	/* Loads what is not loaded of the channel on the screen. */
	refresh(): void {
		const c = this.channel();

		if (c !== '' && !this.chats.get(c).loaded && this.link.ready())
			void this.history(c, 0);
	}

	async history(channel: Channel, before: number): Promise<void> {
		const c = this.chats.get(channel);

		if (c.loading || c.again !== 0)
			return;
		c.loading = true;
		this.changed('chat');
		try {
			const r = await api.messages(channel, before, PAGE);
			if (this.chats.peek(channel) !== c)
				return;		/* is nobody's any more */
			const list = r.messages.filter((m) =>
			    !this.hold(m));
			if (before === 0)
				this.chats.newest(channel, list, r.more,
				    this.user?.id ?? 0);
			else
				this.chats.older(channel, list, r.more);
		} catch (e) {
			c.loading = false;
			if (!(e instanceof ApiError) || e.status !== 404)
				this.later(c, e);
			else
				this.unknown(c, before);
			this.failed(e);
		}
		this.changed('chat');
	}

	/*
	 * Nothing was written yet with somebody who has gone.  In a room one may
	 * be for the page before one is for the server.
	 */
	private unknown(c: Chat, before: number): void {
		if (before !== 0 || !c.channel.startsWith('user:'))
			return (this.later(c, null));
		c.loaded = true;
		c.more = false;
		c.failed = null;
	}

	/*
	 * Whoever draws the channel asks for what is missing of it: not before
	 * the server wants that, and ever more seldom.  e: what to tell, or null.
	 */
	private later(c: Chat, e: unknown): void {
		const wait = e instanceof ApiError ? e.wait * 1000 : 0;

		c.failed = e;
		c.again = window.setTimeout(() =>
		    this.historyNow(c.channel),
		    wait + backoff(c.tries++, Math.random));
	}

	/* Drawn again, it asks. */
	historyNow(channel: Channel): void {
		const c = this.chats.peek(channel);

		if (c === undefined)
			return;			/* who waited has signed out */
		clearTimeout(c.again);
		c.again = 0;
		this.changed('chat');
	}

	/* One's own that a draft stands for is shown once, when acknowledged. */
	private hold(m: Message): boolean {
		return (m.from === this.user?.id &&
		    this.outbox.claim(m) !== null);
	}

	private message(m: Message): void {
		const self = this.user?.id ?? 0;

		if (this.hold(m) || !this.chats.live(m, self))
			return;
		if (m.from !== self) {
			this.say(this.t('say.msg', { name: m.name,
			    text: m.text }));
		}
		if (m.channel === `floor:${this.floor?.id}` ||
		    m.channel.startsWith('room:'))
			this.scene?.say(m.from, m.text);
		this.changed('chat');
	}

	private acked(ref: string, id: number, at: number): void {
		const d = this.outbox.ack(ref);
		const me = this.user;

		if (d === null || me === null)
			return;
		this.chats.live({ id, channel: d.channel, from: me.id,
		    name: me.name, text: d.text, at }, me.id);
		if (!d.channel.startsWith('user:'))
			this.scene?.say(me.id, d.text);
		this.changed('chat');
	}

	/* Who is erased is nobody whom we know. */
	private cleared(e: Cleared): void {
		this.chats.clear(e);
		if (e.user !== undefined && e.messages !== 'keep') {
			this.people.delete(e.user);
			this.known.delete(e.user);
			if (this.peer === e.user)
				this.setTab('floor');
		}
		this.changed('chat', 'people');
	}

	/* One's own, or on floors and in rooms an administrator's to erase. */
	mayErase(m: Message): boolean {
		return (m.from === this.user?.id || (this.user?.role ===
		    'admin' && !m.channel.startsWith('user:')));
	}

	/* The server tells everybody, us too, when it is done. */
	erase(m: Message): void {
		this.link.send({ t: 'erase', channel: m.channel, id: m.id });
	}

	write(channel: Channel, text: string): void {
		const c = this.chats.get(channel);

		c.line = 0;
		this.outbox.add(channel, text, this.now(),
		    c.messages.at(-1)?.id ?? 0);
		this.changed('chat');
	}

	drafts(channel: Channel): Draft[] {
		return (this.outbox.drafts.filter((d) =>
		    d.channel === channel));
	}

	/* atEnd: the newest message of the channel is on the screen. */
	private atEnd = false;

	looking(atEnd: boolean): void {
		this.atEnd = atEnd;
		this.watch();
	}

	private watch(): void {
		const c = this.channel();

		if (c === '' || !this.atEnd || document.hidden ||
		    !this.inOffice()) {
			this.chats.watch('');
			return;
		}
		this.chats.watch(c);
		const id = this.chats.seen(c);
		if (id > 0) {
			this.link.send({ t: 'read', channel: c, id });
			this.changed('chat');
		}
	}

	unread(): number {
		const f = `floor:${this.floor?.id}`;
		const r = `room:${this.floor?.id}:${this.room}`;

		return (this.chats.unread((c) => c.startsWith('user:') ||
		    c === f || c === r));
	}

	unreadDirect(): number {
		return (this.chats.unread((c) => c.startsWith('user:')));
	}
}

/* What to tell of an error: the key of words that say what to do next. */
export function errorKey(e: unknown): Key {
	const known = ['network', 'sign-in', 'session', 'forbidden',
	    'not-found', 'origin', 'conflict', 'too-many', 'locked', 'busy',
	    'too-large', 'link', 'host', 'field', 'domain', 'weak', 'used',
	    'must', 'address', 'excludes', 'passkey', 'held'];

	/* The browser's own dialog for passkeys. */
	if (e instanceof DOMException)
		return (e.name === 'NotAllowedError' ? 'passkeys.stopped' :
		    e.name === 'InvalidStateError' ? 'passkeys.there' :
		    'passkeys.failed');
	if (e instanceof ApiError && known.includes(e.word))
		return (`err.${e.word}` as Key);
	return ('err.other');
}

/* A 422 or 409 at its field. */
export function fieldKey(e: unknown): Key | '' {
	if (!(e instanceof ApiError) || e.field === '')
		return ('');
	if (e.word === 'conflict') {
		if (e.field === 'role' || e.field === 'state')
			return ('field.last-admin');
		if (e.field === 'totp' || e.field === 'factor' ||
		    e.field === 'second-factor')
			return (`field.${e.field}`);
		if (e.field === 'was' || e.field === 'version')
			return ('field.late');
		if (e.field === 'passkey' || e.field === 'passkeys')
			return (e.field === 'passkey' ? 'passkeys.there' :
			    'passkeys.toomany');
		return (e.field === 'email' ? 'field.email.taken' :
		    e.field === 'name' ? 'field.name.taken' : 'err.conflict');
	}
	if (e.word === 'domain' || e.word === 'weak' || e.word === 'used')
		return (`err.${e.word}`);
	if (e.word !== 'field')
		return ('');
	if (e.field === 'passkey')
		return ('passkeys.failed');
	return (['email', 'name', 'title', 'password', 'new', 'note',
	    'code'].includes(e.field) ? `field.${e.field}` as Key : 'err.field');
}

export function inviteToken(path: string): string {
	return (/^\/invite\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? '');
}

export function guestToken(path: string): string {
	return (/^\/guest\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? '');
}

function newRef(): string {
	const b = crypto.getRandomValues(new Uint8Array(12));

	return (Array.from(b, (x) => x.toString(16).padStart(2, '0'))
	    .join(''));
}

export const app = new App();
