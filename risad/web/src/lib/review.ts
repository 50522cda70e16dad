import type { AdminFloor, AdminUser } from '../types';

export const UNUSED_DAYS = 90;

/* As storage decides it; being an administrator opens no floor. */
export function mayEnter(f: AdminFloor, u: AdminUser): boolean {
	return (u.state === 'active' && (f.open || f.users.includes(u.id) ||
	    f.groups.some((g) => u.groups.includes(g))));
}

/* Could come in, and has not for long: since it was made, if never. */
export function unused(u: AdminUser, now: number): boolean {
	return (u.state === 'active' &&
	    now - (u.last === 0 ? u.created : u.last) >=
	    UNUSED_DAYS * 86400000);
}

/* Could come in, with nothing but a password. */
export function onlyPassword(u: AdminUser): boolean {
	return (u.state === 'active' && u.factors.length === 0);
}
