/*
 * What travels between the page and risad: the names are those of the wire.
 * Positions are whole centimetres, x right, y down; instants are milliseconds
 * since 1970 UTC; `time` is the server's monotonic millisecond count (u32).
 */

export type Lang = 'ja' | 'en';
export type LangChoice = Lang | '';
export type Role = 'admin' | 'member';
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
}

export interface PresenceEntry {
	user: number;
	name: string;
	look: Look;
	status: Status;
	note: string;
	floor: number;
	room: number;
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

export interface DoorState {
	room: number;
	locked: boolean;
	by: number;
}

export type Channel = string;	/* floor:3, room:3:2, user:7 */

export interface Message {
	id: number;
	channel: Channel;
	from: number;
	name: string;
	text: string;
	at: number;
}

export interface FloorRef {
	id: number;
	name: string;
}

/* Text frames from risad. */
export interface HelloMsg {
	t: 'hello';
	time: number;
	now: number;
	user: User;
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
	doors: DoorState[];
}

export type PlaceWhy = 'wall' | 'closed' | 'full' | 'fast' | 'away';

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
    { t: 'history'; channel: Channel; messages: Message[]; more: boolean;
	ref?: string } |
    { t: 'floors'; floors: FloorRef[] } |
    { t: 'evict'; floor: number } |
    { t: 'tenant'; title: string } |
    { t: 'me'; user: User } |
    { t: 'notice'; text: string } |
    { t: 'bye'; reason: 'signed-out' | 'ended' | 'elsewhere' | 'restart' |
	'suspended' } |
    { t: 'error'; code: string; ref?: string; detail: string;
	field?: string };

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
    { t: 'door'; room: number; lock: boolean };

/* Answers of /api/v1. */
export interface Problem {
	type: string;		/* /problems/WORD */
	title: string;
	status: number;
	detail: string;
	field?: string;
}

export interface Policy {
	min: number;
	kinds: number;
}

/* By name; and the least and the most that each may be. */
export type Rules = Record<string, number>;
export interface RuleSet {
	policy: Rules;
	bounds: Record<string, [number, number]>;
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
	tenant: Tenant;
	limits?: { idle: number; absolute: number };
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
	groups: number[];
}

export interface InviteLink {
	url: string;
	expires: number;
}

export interface Group {
	id: number;
	name: string;
	members: number[];
}

export interface AdminFloor {
	id: number;
	name: string;
	open: boolean;
	users: number[];
	groups: number[];
}
