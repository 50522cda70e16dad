import type { TalkClientMsg, TalkServerMsg } from './talk/wire';

/*
 * What travels between the page and risad: the names are those of the wire.
 * Positions are whole centimetres, x right, y down; instants are milliseconds
 * since 1970 UTC; `time` is the server's monotonic millisecond count (u32).
 */

export type Lang = 'ja' | 'en';
export type LangChoice = Lang | '';
/* One that every tenant has, or the number of one of its own. */
export type Role = 'admin' | 'member' | 'guest' | number;
export const RIGHTS = ['chat', 'dm', 'voice', 'video', 'screen', 'guest'] as
    const;
export type Right = typeof RIGHTS[number];
export type Status = 'available' | 'busy' | 'away' | 'dnd';
export type UserState = 'invited' | 'active' | 'locked';

/* Parameters a figure is drawn from, see scene/figure.ts for their meaning. */
export interface Look {
	skin: number;		/* 0-5 */
	hair: number;		/* 0-9, the style */
	tint: number;		/* 0-7, the colour of the hair */
	face: number;		/* 0-5 */
	shirt: number;		/* 0-11 */
	extra: number;		/* 0-5, 0 is nothing */
}

export interface User {
	id: number;
	name: string;
	email: string;
	role: Role;
	look: Look;
	lang: LangChoice;
	status: Status;
	note: string;
}

/* An avatar on a floor. */
export interface Person {
	id: number;		/* of the avatar, only valid on this floor */
	user: number;
	name: string;
	look: Look;
	status: Status;
	note: string;
	x: number;
	y: number;
	room: number;		/* 0 is the open floor */
	tx?: number;		/* end of the present leg, while walking */
	ty?: number;
	guest?: boolean;
}

export interface PresenceEntry {
	user: number;
	name: string;
	look: Look;
	status: Status;
	note: string;
	floor: number;
	room: number;
	guest?: boolean;
}

/* Of oneself; last is 0 before its first use. */
export interface Passkey {
	id: number;
	created: number;
	last: number;
	name: string;
}

export interface Tenant {
	name: string;
	title: string;
}

/* The map document, version 1. */
export type MapName = string | { ja: string; en: string };
export type Point = [number, number];
export type Segment = [number, number, number, number];
export type Surface = 'wood' | 'carpet-blue' | 'carpet-green' |
    'carpet-rose' | 'tatami' | 'tile' | 'stone' | 'grass';
export type RoomKind = 'meeting' | 'quiet' | 'stage' | 'desk' | 'lobby' |
    'cafe';
export type FurnitureKind = 'desk' | 'chair' | 'table' | 'round' | 'sofa' |
    'armchair' | 'plant' | 'rug' | 'counter' | 'shelf' | 'board' | 'screen' |
    'stage' | 'lamp' | 'coffee' | 'door-mat' | 'cushion' | 'low-table';

export interface Room {
	id: number;
	kind: RoomKind;
	name: MapName;
	shape: Point[];
	capacity: number;
	surface: Surface;
	lock: boolean;		/* may be locked from inside */
	doors: Segment[];
}

export interface Furniture {
	kind: FurnitureKind;
	x: number;		/* top left of the box on the floor */
	y: number;
	w: number;
	h: number;
	turn: 0 | 90 | 180 | 270;
}

export interface FloorMap {
	version: 1;
	size: Point;
	floor: Surface;
	walls: Segment[];
	rooms: Room[];
	furniture: Furniture[];
	spawn: Point[];
}

/* Through a closed door comes who was let in, through a locked one nobody. */
export type DoorWord = 'open' | 'closed' | 'locked';

export interface DoorState {
	room: number;
	state: DoorWord;
	by: number;
}

export type CallKind = 'wave' | 'come' | 'knock' | 'bubble' | 'join';

/* Somebody calls; a wave has no end and no answer. */
export interface CallMsg {
	n: number;
	kind: CallKind;
	user: number;
	name: string;
	guest?: boolean;
	floor: number;
	id: number;		/* of the avatar */
	room: number;
	until?: number;
}

/* The ways of voice and video of a floor. */
export interface TalkServer {
	urls: string[];
	username: string;
	credential: string;
}

export interface TalkWays {
	way: 'direct' | 'relay' | '443';
	servers: TalkServer[];
	until: number;		/* ms: when the credentials end */
}

export type Channel = string;	/* floor:3, room:3:2, user:7 */

export interface Message {
	id: number;
	channel: Channel;
	from: number;
	name: string;
	text: string;
	at: number;
	guest?: boolean;
}

export interface FloorRef {
	id: number;
	name: string;
}

/* A guest at the door. */
export interface Knock {
	id: number;		/* a user */
	name: string;
	floors: number[];
	until: number;
}

export type ByeReason = 'signed-out' | 'ended' | 'elsewhere' | 'restart' |
    'suspended' | 'must' | 'address' | 'refused' | 'unanswered' | 'revoked';

/* Text frames from risad. */
export interface HelloMsg {
	t: 'hello';
	time: number;
	now: number;
	user: User;
	can: Right[];
	tenant: Tenant;
	floors: FloorRef[];
	people: PresenceEntry[];
	unread: { channel: Channel; count: number; last: number }[];
	last: number;
}

export interface FloorMsg {
	t?: 'floor';
	id: number;
	name: string;
	time: number;
	you: number;		/* id of one's own avatar */
	map: FloorMap;
	people: Person[];
	doors: DoorState[];	/* that are not open */
	bubbles?: number[][];	/* avatars in a talk of their own */
}

export type PlaceWhy = 'wall' | 'closed' | 'full' | 'fast' | 'away';

/* Messages up to an id, of a time: of a person, a floor, two people, all. */
export interface Cleared {
	from: number;
	to: number;
	last: number;
	user?: number;
	messages?: 'erase' | 'unname' | 'keep';
	floor?: number;
	channel?: Channel;
	direct?: boolean;
}

export type ServerMsg = HelloMsg |
    (FloorMsg & { t: 'floor' }) |
    { t: 'join'; person: Person } |
    { t: 'left'; id: number } |
    ({ t: 'update' } & PresenceEntry) |
    { t: 'gone'; user: number } |
    { t: 'place'; x: number; y: number; why: PlaceWhy } |
    ({ t: 'door' } & DoorState) |
    ({ t: 'msg' } & Message) |
    { t: 'ack'; ref: string; id: number; at: number } |
    { t: 'erased'; channel: Channel; id: number } |
    ({ t: 'cleared' } & Cleared) |
    { t: 'missed' } |
    { t: 'history'; channel: Channel; messages: Message[]; more: boolean;
	ref?: string } |
    { t: 'floors'; floors: FloorRef[] } |
    { t: 'rights'; can: Right[] } |
    { t: 'evict'; floor: number } |
    { t: 'tenant'; title: string } |
    { t: 'me'; user: User } |
    { t: 'notice'; text: string } |
    { t: 'waiting' } |
    ({ t: 'knock' } & Knock) |
    { t: 'answered'; id: number; name: string; by: string;
	why: 'admitted' | 'refused' | 'late' | 'gone' } |
    { t: 'called'; ref: string; n: number; until?: number } |
    ({ t: 'call' } & CallMsg) |
    { t: 'callend'; n: number } |
    { t: 'reply'; n: number; kind: CallKind; yes: boolean | null } |
    { t: 'bubbles'; list: number[][] } |
    { t: 'bye'; reason: ByeReason } |
    TalkServerMsg |
    { t: 'error'; code: string; ref?: string; detail: string;
	field?: string; to?: number };

/* Text frames to risad. */
export type ClientMsg =
    { t: 'enter'; floor: number } |
    { t: 'leave' } |
    { t: 'status'; status: Status; note: string } |
    { t: 'say'; to: 'floor' | 'room' | { user: number }; text: string;
	ref: string } |
    { t: 'history'; channel: Channel; before?: number; limit?: number;
	ref?: string } |
    { t: 'read'; channel: Channel; id: number } |
    { t: 'erase'; channel: Channel; id: number } |
    { t: 'door'; room: number; state: DoorWord } |
    { t: 'call'; kind: 'knock'; room: number; ref: string } |
    { t: 'call'; kind: Exclude<CallKind, 'knock'>; user: number;
	ref: string } |
    { t: 'answer'; n: number; yes: boolean } |
    { t: 'uncall'; n: number } |
    { t: 'unbubble' } |
    { t: 'admit'; id: number; in: boolean } |
    TalkClientMsg;

/* Answers of /api/v1. */
export interface Problem {
	type: string;		/* /problems/WORD */
	title: string;
	status: number;
	detail: string;
	field?: string;
	methods?: string[];	/* second factors that one has */
	value?: string;
}

export interface Policy {
	min: number;
	kinds: number;
	strength: number;	/* 0 to 4 */
}

/* What the server says of a password that is being typed. */
export interface Judgement {
	lacks: string[];
	score: number;		/* 0 to 4 */
}

/* By name, numbers and lists; and from what to what each number may be. */
export type Rules = Record<string, number | string[]>;
export interface RuleSet {
	policy: Rules;
	bounds: Record<string, [number, number]>;
	presets: Record<string, Record<string, number>>;
}

export interface TenantInfo {
	tenant: Tenant;
	methods: string[];
	languages: Lang[];
	policy: Policy;
	notices: string[];
}

export interface SessionInfo {
	user: User;
	can: Right[];
	tenant: Tenant;
	limits?: { idle: number; absolute: number };
	password?: number;	/* ms: was changed, and this sign-in tells */
	must: string[];		/* what has to be done before all else */
	recovery?: number;	/* codes left, when one was used for this */
	door?: boolean;		/* a guest who waits */
	address: string;	/* from which one is here */
	console: boolean;	/* may one administer from there */
	policy: Policy;		/* of one's next password */
	failures?: number;	/* since the last sign-in */
}

/* Many accounts that somebody tries to sign in to. */
export interface Attack {
	begun: number;		/* ms */
	last: number;
	over: boolean;
	tries: number;
	accounts: number;
	addresses: string[];
}

/* Lines of the audit trail, the newest first. */
export interface Trail {
	lines: { id: number; at: number; text: string | null }[];
	more: boolean;
}

/* Something of the tenant that an operator has taken out as a file. */
export interface Export {
	id: number;
	at: number;		/* ms */
	what: 'tenant' | 'log-csv' | 'log-jsonl';
	state: 'begun' | 'done' | 'failed';
	lines: number;
	by: number;		/* an operator */
	confirmed: number | null;	/* by another one */
	reason: string;
}

export type LogKind = 'request' | 'sign-in' | 'sign-out' | 'failed' |
    'enter' | 'leave' | 'talk' | 'talk-end';

/* A line of the access log. */
export interface LogLine {
	at: number;		/* ms */
	kind: string;		/* a LogKind, or one we do not know yet */
	user: number;		/* 0: nobody */
	email: string;
	guest: boolean;
	address: string;
	text: string;
	status: number;		/* 0: no request */
	bytes: number;
	floor: number;		/* 0: none */
}

/* One's second factor. */
export interface Factor {
	methods: string[];
	required: boolean;
	recovery: number;	/* codes left */
	since: number;		/* ms, of TOTP */
	used: number;		/* the last recovery code, 0 never */
}

/* What a URL for guests asks for. */
export interface GuestInfo {
	tenant: Tenant;
	password: boolean;
	approval: boolean;
}

export interface GuestUrl {
	id: number;
	floors: number[];
	created: number;
	expires: number;
	uses: number;
	used: number;
	password: boolean;
	approval: boolean;
	note: string;
	by: { user: number; name: string };
}

export interface Visit {
	id: number;
	user: number;
	guest: number;		/* of the URL */
	state: 'in' | 'door';
	began: number;
	name: string;
	address: string;
	floor: number;		/* now, 0 none */
}

export interface Signin {
	id: number;
	own: boolean;		/* of the one that asks */
	created: number;	/* ms */
	seen: number;
	live: boolean;
	address: string;
	agent: string;
}

export interface InviteInfo {
	kind: 'invite' | 'reset';
	tenant: Tenant;
	email: string;
	name: string;
	policy: Policy;
}

export interface AdminUser {
	id: number;
	name: string;
	email: string;
	role: Role;
	state: UserState;
	last: number;		/* last sign-in, 0 never */
	created: number;
	invite: number;		/* when the open invitation ends, 0 none */
	locked: number;		/* by failures, until then; 0 not */
	groups: number[];
	factors: string[];	/* second factors */
}

export interface AdminRole {
	id: Role;
	name: string;
	can: Right[];
	settable: Right[];	/* what may be changed of it */
	users: number;
	version: number;
}

export interface InviteLink {
	url: string;
	expires: number;
}

/* Of somebody in a file: what changes, or all of somebody new. */
export interface ImportSide {
	name?: string;
	role?: string;
	state?: string;
	groups?: string;
}

/* What a line of a file does, or why it cannot. */
export interface ImportLine {
	line: number;
	what: 'add' | 'change' | 'same' | 'fault';
	email: string;
	user?: number;
	from?: ImportSide;
	to?: ImportSide;
	invite?: InviteLink;
	field?: string;
	reason?: string;
	text?: string;
}

export interface ImportAnswer {
	done: boolean;
	lines: ImportLine[];
	digest: string | null;	/* null: there are faults */
}

export interface Group {
	id: number;
	version: number;
	name: string;
	members: number[];
}

export interface AdminFloor {
	id: number;
	version: number;
	name: string;
	open: boolean;
	users: number[];
	groups: number[];
	networks: string[];	/* none: from anywhere */
	talk: FloorTalk;
}

/* What all on a floor may do when they talk, and how that travels. */
export interface FloorTalk {
	voice: boolean;
	video: boolean;
	screen: boolean;
	way: TalkWay | 'tenant';
}

/* In the order of the numbers of the rule talk-way, from 1 on. */
export const talkWays = ['direct', 'relay', '443'] as const;
export type TalkWay = typeof talkWays[number];
