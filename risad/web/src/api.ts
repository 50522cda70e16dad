import type { AdminFloor, AdminRole, AdminUser, Attack, Channel, Export, Factor,
    FloorMap, FloorRef, FloorTalk, Group, GuestInfo, GuestUrl, ImportAnswer,
    InviteInfo, InviteLink, Judgement, LangChoice, LogKind, LogLine, Look,
    Message, Passkey, Problem, Right, Role, Rules, RuleSet, SessionInfo,
    Signin, Status, Tenant, TenantInfo, Trail, User, Visit } from
    './types';
import type { TalkInfo } from './talk/wire';
import type { Assertion, CreateOptions, GetOptions, Registration } from
    './lib/webauthn';

/* A refusal of the server, or "network" when there was no answer. */
export class ApiError extends Error {
	readonly word: string;
	readonly field: string;
	readonly status: number;
	readonly wait: number;		/* seconds of Retry-After */
	readonly methods: string[];	/* of a second factor */
	readonly value: string;		/* it is about, or nothing */

	constructor(word: string, status: number, field = '', wait = 0,
	    methods: string[] = [], value = '') {
		super(word);
		this.word = word;
		this.status = status;
		this.field = field;
		this.wait = wait;
		this.methods = methods;
		this.value = value;
	}
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const BASE = '/api/v1';
const TIMEOUT = 20000;
const LONG = 65000;	/* thousands of lines: more than the server takes */

async function refusal(r: Response): Promise<ApiError> {
	const wait = Number(r.headers.get('Retry-After') ?? 0) || 0;
	let p: Partial<Problem> = {};

	try {
		p = await r.json() as Partial<Problem>;
	} catch {
		/* a proxy answered in its own words: the status must do */
	}
	const word = (p.type ?? '').split('/').at(-1) || 'other';
	return (new ApiError(word, r.status, p.field ?? '', wait,
	    p.methods ?? [], p.value ?? ''));
}

async function call<T>(method: Method, path: string, body?: unknown,
    signal = AbortSignal.timeout(TIMEOUT)): Promise<T> {
	const init: RequestInit = {
		method,
		credentials: 'same-origin',
		cache: 'no-store',
		redirect: 'error',
		signal,
	};
	let r: Response;

	if (method !== 'GET') {
		init.headers = { 'Content-Type': 'application/json' };
		init.body = JSON.stringify(body ?? {});
	}
	try {
		r = await fetch(BASE + path, init);
		if (r.ok && r.status !== 204)
			return (await r.json() as T);
	} catch {
		throw new ApiError('network', 0);
	}
	if (!r.ok)
		throw await refusal(r);
	return (undefined as T);
}

const enc = encodeURIComponent;

export interface Person {
	user: number;
	name: string;
	look: Look;
}

export const api = {
	tenant: () => call<TenantInfo>('GET', '/tenant'),
	signIn: (email: string, password: string, otp = '') =>
	    call<SessionInfo>('POST', '/session', otp === '' ?
	    { email, password } : { email, password, otp }),
	passkeyChallenge: (purpose: 'sign-in' | 'second-factor') =>
	    call<GetOptions>('POST', '/passkey/challenge', { purpose }),
	/* Alone, or after mail address and password. */
	signInPasskey: (passkey: Assertion, first: { email: string;
	    password: string } | null = null) => call<SessionInfo>('POST',
	    '/session', first === null ? { passkey } : { passkey,
	    email: first.email, password: first.password }),
	session: () => call<SessionInfo>('GET', '/session'),
	talk: (floor: number) =>
	    call<TalkInfo>('GET', `/talk?floor=${floor}`),
	signOut: () => call<void>('DELETE', '/session'),
	invite: (token: string) =>
	    call<InviteInfo>('GET', `/invite/${enc(token)}`),
	accept: (token: string, password: string, name: string) =>
	    call<SessionInfo>('POST', `/invite/${enc(token)}`,
	    name === '' ? { password } : { password, name }),
	guest: (token: string) =>
	    call<GuestInfo>('GET', `/guest/${enc(token)}`),
	comeIn: (token: string, name: string, password: string) =>
	    call<SessionInfo>('POST', `/guest/${enc(token)}`,
	    password === '' ? { name } : { name, password }),
	password: (current: string, next: string) =>
	    call<void>('POST', '/password', { current, new: next }),
	judge: (password: string, signal: AbortSignal) =>
	    call<Judgement>('POST', '/password/check', { password }, signal),
	judgeInvite: (token: string, password: string, name: string,
	    signal: AbortSignal) => call<Judgement>('POST',
	    `/invite/${enc(token)}/check`, { password, name }, signal),
	factor: () => call<Factor>('GET', '/factor'),
	beginTotp: (password: string) =>
	    call<{ uri: string; secret: string }>('POST', '/factor/totp',
	    { password }),
	confirmTotp: (code: string) => call<{ recovery: string[] }>('POST',
	    '/factor/totp/confirm', { code }),
	dropTotp: (password: string) => call<void>('DELETE', '/factor/totp',
	    { password }),
	newCodes: (password: string) => call<{ recovery: string[] }>('POST',
	    '/factor/recovery', { password }),
	signins: () => call<{ signins: Signin[] }>('GET', '/signins'),
	endSignin: (id: number) => call<void>('DELETE', `/signins/${id}`),
	endOthers: () => call<void>('DELETE', '/signins'),
	passkeys: () => call<{ passkeys: Passkey[]; max: number }>('GET',
	    '/passkeys'),
	passkeyOptions: () => call<CreateOptions>('POST',
	    '/passkeys/challenge'),
	addPasskey: (password: string, name: string, passkey: Registration) =>
	    call<void>('POST', '/passkeys', { password, name, passkey }),
	namePasskey: (id: number, name: string) =>
	    call<void>('PATCH', `/passkeys/${id}`, { name }),
	dropPasskey: (id: number, password: string) =>
	    call<void>('DELETE', `/passkeys/${id}`, { password }),
	me: (change: { name?: string; look?: Look; lang?: LangChoice;
	    status?: Status; note?: string }) =>
	    call<{ user: User }>('PATCH', '/me', change),
	people: (users: number[] = []) => call<{ people: Person[] }>('GET',
	    users.length > 0 ? `/people?users=${users.join()}` : '/people'),
	floors: () => call<{ floors: (FloorRef & { people: number })[] }>(
	    'GET', '/floors'),
	floor: (id: number) => call<FloorRef & { map: FloorMap }>('GET',
	    `/floors/${id}`),
	messages: (channel: Channel, before: number, limit: number) =>
	    call<{ messages: Message[]; more: boolean }>('GET',
	    `/messages?channel=${enc(channel)}&limit=${limit}` +
	    (before > 0 ? `&before=${before}` : '')),
};

export const admin = {
	users: () => call<{ users: AdminUser[] }>('GET', '/admin/users'),
	addUser: (email: string, role: Role, name: string) =>
	    call<{ user: AdminUser; invite: InviteLink }>('POST',
	    '/admin/users', name === '' ? { email, role } :
	    { email, role, name }),
	setUser: (id: number, change: { role?: Role; was?: Role; name?: string;
	    state?: 'active' | 'locked' }) =>
	    call<{ user: AdminUser }>('PATCH', `/admin/users/${id}`, change),
	dropUser: (id: number) => call<void>('DELETE', `/admin/users/${id}`),
	eraseUser: (id: number, messages: 'keep' | 'erase') =>
	    call<void>('POST', `/admin/users/${id}/erase`, { messages }),
	/* Of all floors with 0; times in ms, 0 from the first or until now. */
	eraseMessages: (floor: number, from: number, to: number) =>
	    call<void>('POST', floor === 0 ? '/admin/messages/erase' :
	    `/admin/floors/${floor}/erase`, { from, to }),
	inviteUser: (id: number) => call<{ invite: InviteLink }>('POST',
	    `/admin/users/${id}/invite`),
	dropFactor: (id: number) => call<void>('DELETE',
	    `/admin/users/${id}/factor`),
	importDry: (csv: string) => call<ImportAnswer>('POST',
	    '/admin/import', { csv, dry: true }, AbortSignal.timeout(LONG)),
	importRun: (csv: string, digest: string) => call<ImportAnswer>('POST',
	    '/admin/import', { csv, digest }, AbortSignal.timeout(LONG)),
	signins: (id: number) => call<{ signins: Signin[] }>('GET',
	    `/admin/users/${id}/signins`),
	endSignins: (id: number) => call<void>('DELETE',
	    `/admin/users/${id}/signins`),
	groups: () => call<{ groups: Group[] }>('GET', '/admin/groups'),
	addGroup: (name: string, members: number[]) =>
	    call<{ group: Group }>('POST', '/admin/groups',
	    { name, members }),
	setGroup: (g: Group, name: string, members: number[]) =>
	    call<{ group: Group }>('PATCH', `/admin/groups/${g.id}`,
	    { version: g.version, name, members }),
	dropGroup: (id: number) => call<void>('DELETE', `/admin/groups/${id}`),
	roles: () => call<{ roles: AdminRole[] }>('GET', '/admin/roles'),
	addRole: (name: string, can: Right[]) =>
	    call<{ role: AdminRole }>('POST', '/admin/roles', { name, can }),
	setRole: (r: AdminRole, change: { name?: string; can?: Right[] }) =>
	    call<{ role: AdminRole }>('PATCH', `/admin/roles/${r.id}`,
	    { ...change, version: r.version }),
	dropRole: (r: AdminRole) => call<void>('DELETE',
	    `/admin/roles/${r.id}`, { version: r.version }),
	templates: () => call<{ templates: string[] }>('GET',
	    '/admin/templates'),
	floors: () => call<{ floors: AdminFloor[] }>('GET', '/admin/floors'),
	addFloor: (name: string, template: string) =>
	    call<{ floor: AdminFloor }>('POST', '/admin/floors',
	    { name, template }),
	setFloor: (f: AdminFloor, change: { name?: string; open?: boolean;
	    users?: number[]; groups?: number[]; networks?: string[];
	    talk?: FloorTalk }) =>
	    call<{ floor: AdminFloor }>('PATCH', `/admin/floors/${f.id}`,
	    { version: f.version, ...change }),
	dropFloor: (id: number) => call<void>('DELETE', `/admin/floors/${id}`),
	tenant: (title: string) => call<{ tenant: Tenant }>('PATCH',
	    '/admin/tenant', { title }),
	alerts: () => call<{ alerts: Attack[] }>('GET', '/admin/alerts'),
	audit: (before: number) => call<Trail>('GET', '/admin/audit' +
	    (before === 0 ? '' : `?before=${before}`)),
	checkpoints: (after: number) => call<{ checkpoints: string[];
	    more: boolean }>('GET', `/admin/checkpoints?after=${after}`),
	exports: () => call<{ exports: Export[] }>('GET', '/admin/exports'),
	log: (from: number, to: number, kind: LogKind | '') =>
	    call<{ lines: LogLine[]; more: boolean }>('GET',
	    `/admin/log?from=${from}&to=${to}${
	    kind === '' ? '' : `&kind=${kind}`}`),
	rules: () => call<RuleSet>('GET', '/admin/policy'),
	setRules: (was: Rules, policy: Rules) => call<RuleSet>('PATCH',
	    '/admin/policy', { was, policy }),
};

/* URLs for guests, for those who may invite some. */
export const guests = {
	list: () => call<{ guests: GuestUrl[]; visits: Visit[] }>('GET',
	    '/guests'),
	add: (terms: { floors: number[]; expires: number; uses: number;
	    approval: boolean; note: string; password?: string }) =>
	    call<{ guest: GuestUrl; url: string }>('POST', '/guests', terms),
	revoke: (id: number) => call<void>('DELETE', `/guests/${id}`),
	end: (user: number) => call<void>('DELETE', `/visits/${user}`),
};

/* The page's map of a template, for its preview. */
export async function templateMap(name: string): Promise<FloorMap> {
	const r = await fetch(`/maps/${enc(name)}.json`);

	if (!r.ok)
		throw new ApiError('not-found', r.status);
	return (await r.json() as FloorMap);
}
