import type { AdminFloor, AdminUser, Channel, FloorMap, FloorRef, Group,
    InviteInfo, InviteLink, LangChoice, Look, Message, Problem, Role, Rules,
    RuleSet, SessionInfo, Status, Tenant, TenantInfo, User } from './types';

/* A refusal of the server, or "network" when there was no answer. */
export class ApiError extends Error {
	readonly word: string;
	readonly field: string;
	readonly status: number;
	readonly wait: number;		/* seconds of Retry-After */

	constructor(word: string, status: number, field = '', wait = 0) {
		super(word);
		this.word = word;
		this.status = status;
		this.field = field;
		this.wait = wait;
	}
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const BASE = '/api/v1';
const TIMEOUT = 20000;

async function refusal(r: Response): Promise<ApiError> {
	const wait = Number(r.headers.get('Retry-After') ?? 0) || 0;
	let p: Partial<Problem> = {};

	try {
		p = await r.json() as Partial<Problem>;
	} catch {
		/* a proxy answered in its own words: the status must do */
	}
	const word = (p.type ?? '').split('/').at(-1) || 'other';
	return (new ApiError(word, r.status, p.field ?? '', wait));
}

async function call<T>(method: Method, path: string, body?: unknown):
    Promise<T> {
	const init: RequestInit = {
		method,
		credentials: 'same-origin',
		cache: 'no-store',
		redirect: 'error',
		signal: AbortSignal.timeout(TIMEOUT),
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
	signIn: (email: string, password: string) =>
	    call<SessionInfo>('POST', '/session', { email, password }),
	session: () => call<SessionInfo>('GET', '/session'),
	signOut: () => call<void>('DELETE', '/session'),
	invite: (token: string) =>
	    call<InviteInfo>('GET', `/invite/${enc(token)}`),
	accept: (token: string, password: string, name: string) =>
	    call<SessionInfo>('POST', `/invite/${enc(token)}`,
	    name === '' ? { password } : { password, name }),
	password: (current: string, next: string) =>
	    call<void>('POST', '/password', { current, new: next }),
	me: (change: { name?: string; look?: Look; lang?: LangChoice;
	    status?: Status; note?: string }) =>
	    call<{ user: User }>('PATCH', '/me', change),
	people: () => call<{ people: Person[] }>('GET', '/people'),
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
	setUser: (id: number, change: { role?: Role; name?: string;
	    state?: 'active' | 'locked' }) =>
	    call<{ user: AdminUser }>('PATCH', `/admin/users/${id}`, change),
	dropUser: (id: number) => call<void>('DELETE', `/admin/users/${id}`),
	inviteUser: (id: number) => call<{ invite: InviteLink }>('POST',
	    `/admin/users/${id}/invite`),
	groups: () => call<{ groups: Group[] }>('GET', '/admin/groups'),
	addGroup: (name: string, members: number[]) =>
	    call<{ group: Group }>('POST', '/admin/groups',
	    { name, members }),
	setGroup: (id: number, name: string, members: number[]) =>
	    call<{ group: Group }>('PATCH', `/admin/groups/${id}`,
	    { name, members }),
	dropGroup: (id: number) => call<void>('DELETE', `/admin/groups/${id}`),
	templates: () => call<{ templates: string[] }>('GET',
	    '/admin/templates'),
	floors: () => call<{ floors: AdminFloor[] }>('GET', '/admin/floors'),
	addFloor: (name: string, template: string) =>
	    call<{ floor: AdminFloor }>('POST', '/admin/floors',
	    { name, template }),
	setFloor: (id: number, change: { name?: string; open?: boolean;
	    users?: number[]; groups?: number[] }) =>
	    call<{ floor: AdminFloor }>('PATCH', `/admin/floors/${id}`,
	    change),
	dropFloor: (id: number) => call<void>('DELETE', `/admin/floors/${id}`),
	tenant: (title: string) => call<{ tenant: Tenant }>('PATCH',
	    '/admin/tenant', { title }),
	rules: () => call<RuleSet>('GET', '/admin/policy'),
	setRules: (was: Rules, policy: Rules) => call<RuleSet>('PATCH',
	    '/admin/policy', { was, policy }),
};

/* The page's map of a template, for its preview. */
export async function templateMap(name: string): Promise<FloorMap> {
	const r = await fetch(`/maps/${enc(name)}.json`);

	if (!r.ok)
		throw new ApiError('not-found', r.status);
	return (await r.json() as FloorMap);
}
