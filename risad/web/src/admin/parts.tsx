import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import type { Key } from '../i18n/index';
import { Icon, type IconName } from '../icon';
import { match } from '../lib/text';
import type { AdminRole, AdminUser, Group, Role } from '../types';
import { Popover, spotOf, type Spot } from '../ui/popover';
import { Name } from '../ui/text';

/* Head of a page: what it is, and its one main action. */
export function Head(p: { title: string; lead: string; act?: string;
    icon?: IconName; onAct?(): void; testid?: string }): JSX.Element {
	return (
		<div class="admin-head">
			<div class="grow">
				<h1>{p.title}</h1>
				<p class="dim">{p.lead}</p>
			</div>
			{p.act !== undefined && <button type="button"
			    class="button main" data-testid={p.testid}
			    onClick={p.onAct}>
				{p.icon !== undefined &&
				    <Icon name={p.icon} size={17} />}
				{p.act}</button>}
		</div>
	);
}

export interface Item {
	icon: IconName;
	key: Key;
	danger?: boolean;
	act(): void;
}

/*
 * The lesser actions of a line, behind three dots.  busy: none is begun while
 * another one is under way, it would be lost.
 */
export function More(p: { label: string; items: Item[]; testid: string;
    busy?: boolean }): JSX.Element {
	const [at, setAt] = useState<Spot | null>(null);

	return (
		<>
			<button type="button" class="icon-button"
			    aria-haspopup="dialog" aria-expanded={at !== null}
			    aria-label={`${app.t('ok.more')}: ${p.label}`}
			    title={app.t('ok.more')} data-testid={p.testid}
			    onClick={(e) => setAt(at === null ?
			    spotOf(e.currentTarget) : null)}>
				<Icon name="more" /></button>
			{at !== null && <Popover at={at} label={p.label}
			    close={() => setAt(null)}>
				{p.items.map((i) => <button key={i.key}
				    type="button" class={`menu-line${
				    i.danger ? ' danger' : ''}`}
				    data-testid={i.key.replaceAll('.', '-')}
				    disabled={p.busy} onClick={() => {
					setAt(null);
					i.act();
				    }}><Icon name={i.icon} />
					{app.t(i.key)}</button>)}
			</Popover>}
		</>
	);
}

export function userName(u: AdminUser): string {
	return (u.name === '' ? u.email : u.name);
}

/* The three that all tenants have are called in one's own language. */
export function roleName(id: Role, roles: AdminRole[]): string {
	if (typeof id === 'string')
		return (app.t(`admin.role.${id}`));
	return (roles.find((r) => r.id === id)?.name ?? `#${id}`);
}

/* Those that can be given, for a choice; and the value of what was chosen. */
export function roleOptions(roles: AdminRole[]): [string, string][] {
	return (roles.filter((r) => r.id !== 'guest').map((r) =>
	    [String(r.id), roleName(r.id, roles)]));
}

export function roleOf(value: string): Role {
	return (value === 'admin' || value === 'member' ? value :
	    Number(value));
}

export function toggle(list: number[], id: number): number[] {
	return (list.includes(id) ? list.filter((x) => x !== id) :
	    [...list, id]);
}

export function Check(p: { on: boolean; flip(): void; children: ComponentChildren;
    testid: string }): JSX.Element {
	return (
		<label class="check">
			<input type="checkbox" checked={p.on}
			    data-testid={p.testid} onChange={p.flip} />
			<span class="grow">{p.children}</span>
		</label>
	);
}

/* Chooses some of all people. */
export function PickPeople(p: { users: AdminUser[]; chosen: number[];
    set(ids: number[]): void; legend: string }): JSX.Element {
	const [q, setQ] = useState('');
	const list = p.users.filter((u) => match(u.name, q) !== -1 ||
	    match(u.email, q) !== -1);

	return (
		<fieldset class="pick">
			<legend>{p.legend}<span class="count">
				{app.t('admin.pick.count',
				    { n: p.chosen.length })}</span></legend>
			<input type="search" class="input" value={q}
			    list={undefined}
			    placeholder={app.t('admin.pick.find')}
			    aria-label={app.t('admin.pick.find')}
			    onInput={(e) => setQ(e.currentTarget.value)} />
			<div class="pick-list">{list.map((u) =>
			    <Check key={u.id} on={p.chosen.includes(u.id)}
				testid={`pick-user-${u.id}`} flip={() =>
				p.set(toggle(p.chosen, u.id))}>
				<Name text={userName(u)} />
				{u.name !== '' && <small class="dim">
					<bdi>{u.email}</bdi></small>}
			    </Check>)}
			    {list.length === 0 && <p class="hint pad">
				{app.t('admin.people.none')}</p>}</div>
		</fieldset>
	);
}

export function PickGroups(p: { groups: Group[]; chosen: number[];
    set(ids: number[]): void }): JSX.Element | null {
	if (p.groups.length === 0)
		return (null);
	return (
		<fieldset class="pick">
			<legend>{app.t('admin.pick.groups')}</legend>
			<div class="pick-list">{p.groups.map((g) =>
			    <Check key={g.id} on={p.chosen.includes(g.id)}
				testid={`pick-group-${g.id}`} flip={() =>
				p.set(toggle(p.chosen, g.id))}>
				<Name text={g.name} />
				<small class="dim">{app.t('admin.people.count',
				    { n: g.members.length })}</small>
			    </Check>)}</div>
		</fieldset>
	);
}
