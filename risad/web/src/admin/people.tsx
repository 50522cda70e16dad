import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import { match } from '../lib/text';
import { stamp } from '../lib/time';
import type { AdminRole, AdminUser, Group, InviteLink, Role } from '../types';
import { Confirm, Dialog, DialogFoot } from '../ui/dialog';
import { atField, FormError, problem, Select, SelectField, TextField } from
    '../ui/field';
import { SigninsDialog } from '../ui/signins';
import { Name } from '../ui/text';
import { replace, useAct, useLoad } from '../ui/data';
import { Waiting } from '../ui/waiting';
import { AdminImport, exportPeople } from './import';
import { CopyDialog } from './link';
import { Head, More, roleOf, roleOptions, userName, type Item } from
    './parts';

/* The end of 9999: a lock that does not end by itself. */
const NEVER = 253402300799000;

type Ask = { what: 'lock' | 'remove' | 'reset' | 'factor'; user: AdminUser } | null;
type How = 'keep' | 'erase';
type Made = { link: InviteLink; name: string; reset: boolean } | null;

/* Shown once: the link that lets somebody in. */
function LinkDialog(p: { made: NonNullable<Made>; close(): void }):
    JSX.Element {
	const { made } = p;

	return (<CopyDialog close={p.close} url={made.link.url} title={app.t(
	    made.reset ? 'admin.link.reset.title' : 'admin.link.title')}
	    lead={app.t('admin.link.lead', { name: made.name,
	    when: stamp(made.link.expires, app.lang) })} />);
}

function InviteDialog(p: { roles: AdminRole[]; close(): void;
    done(u: AdminUser, link: InviteLink): void }): JSX.Element {
	const [email, setEmail] = useState('');
	const [name, setName] = useState('');
	const [role, setRole] = useState<Role>('member');
	const act = useAct();

	return (
		<Dialog title={app.t('admin.invite.title')} close={p.close}
		    testid="admin-invite">
			<p class="lead">{app.t('admin.invite.lead')}</p>
			<form class="form" noValidate onSubmit={(e) => {
				e.preventDefault();
				void act.run(async () => {
					const r = await admin.addUser(
					    email.trim(), role, name.trim());
					p.done(r.user, r.invite);
				});
			}}>
				<TextField label={app.t('admin.invite.email')}
				    type="email" value={email} set={setEmail}
				    autofocus testid="admin-invite-email"
				    error={atField(act.error, 'email')} />
				<TextField label={app.t('admin.invite.name')}
				    value={name} set={setName}
				    testid="admin-invite-name"
				    hint={app.t('admin.invite.name.hint')}
				    error={atField(act.error, 'name')} />
				<SelectField label={app.t('admin.invite.role')}
				    value={String(role)}
				    options={roleOptions(p.roles)}
				    set={(v) => setRole(roleOf(v))}
				    testid="admin-invite-role" />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) : ''} />
				<DialogFoot close={p.close}
				    off={act.busy || email.trim() === ''}
				    word="admin.invite.submit"
				    testid="admin-invite-submit" />
			</form>
		</Dialog>
	);
}

function RenameDialog(p: { user: AdminUser; close(): void;
    done(u: AdminUser): void }): JSX.Element {
	const [name, setName] = useState(p.user.name);
	const act = useAct();

	return (
		<Dialog title={app.t('admin.act.rename')} close={p.close}
		    testid="admin-rename">
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(async () => p.done((await
				    admin.setUser(p.user.id, { name:
				    name.trim() })).user));
			}}>
				<TextField label={app.t('profile.name')}
				    value={name} set={setName} autofocus
				    hint={p.user.email}
				    testid="admin-rename-name"
				    error={atField(act.error, 'name')} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) : ''} />
				<DialogFoot close={p.close}
				    off={act.busy || name.trim() === ''}
				    testid="admin-rename-save" />
			</form>
		</Dialog>
	);
}

function EraseDialog(p: { user: AdminUser; close(): void; done(): void }):
    JSX.Element {
	const [how, setHow] = useState<How>('keep');
	const act = useAct();
	const one = (h: How) => (
		<label class="choice tall">
			<input type="radio" name="how" checked={how === h}
			    data-testid={`admin-erase-${h}`}
			    onChange={() => setHow(h)} />
			<span class="grow">{app.t(`admin.erase.${h}`)}
				<small class="dim">{app.t(
				    `admin.erase.${h}.hint`)}</small></span>
		</label>
	);

	return (
		<Dialog title={app.t('admin.erase.title')} close={p.close}
		    testid="admin-erase">
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(async () => {
					await admin.eraseUser(p.user.id, how);
					p.done();
				});
			}}>
				<p class="lead">{app.t('admin.erase.lead',
				    { name: userName(p.user) })}</p>
				<fieldset><legend>{app.t(
				    'admin.erase.messages')}</legend>
					{one('keep')}{one('erase')}</fieldset>
				<p class="hint">{app.t('admin.erase.log')}</p>
				<FormError text={problem(act.error)} />
				<DialogFoot close={p.close} off={act.busy}
				    word="admin.erase.yes" danger
				    testid="admin-erase-yes" />
			</form>
		</Dialog>
	);
}

function State(p: { u: AdminUser }): JSX.Element {
	const { u } = p;
	const late = u.invite > 0 && u.invite < app.now();

	if (u.state === 'active' && u.locked > app.now())
		return (
			<span class="state" data-testid={`admin-failed-${u.id}`}>
				<span class="chip locked">
					{app.t('admin.state.failed')}</span>
				<small class="dim">{u.locked >= NEVER ?
				    app.t('admin.state.never') :
				    app.t('admin.state.until', { when:
				    stamp(u.locked, app.lang) })}</small>
			</span>
		);
	return (
		<span class="state">
			<span class={`chip ${u.state}`}>
				{app.t(`admin.state.${u.state}`)}</span>
			{u.state === 'invited' && u.invite > 0 &&
			    <small class="dim">{late ?
				app.t('admin.state.expired') :
				app.t('admin.state.expires', { when:
				stamp(u.invite, app.lang) })}</small>}
			{u.factors.length > 0 && <small class="dim"
			    data-testid={`admin-factor-${u.id}`}>
				{app.t('admin.factor')}</small>}
		</span>
	);
}

function Row(p: { u: AdminUser; groups: Group[]; roles: AdminRole[];
    busy: boolean; items: Item[]; setRole(r: Role): void }): JSX.Element {
	const { u } = p;
	const self = u.id === app.user?.id;
	const named = p.groups.filter((g) => u.groups.includes(g.id));

	return (
		<tr data-testid={`admin-user-${u.id}`}>
			<th scope="row">
				<span class="cell-name">{u.name === '' ?
				    app.t('admin.noname') :
				    <Name text={u.name} />}
				    {self && <span class="self-tag">
					{app.t('admin.self')}</span>}</span>
				<small class="dim"><bdi>{u.email}</bdi></small>
			</th>
			<td data-label={app.t('admin.col.role')}>
				<Select value={String(u.role)}
				    options={roleOptions(p.roles)}
				    label={app.t('admin.role.of',
				    { name: userName(u) })}
				    testid={`admin-role-${u.id}`}
				    disabled={p.busy}
				    set={(v) => p.setRole(roleOf(v))} />
			</td>
			<td data-label={app.t('admin.col.state')}>
				<State u={u} /></td>
			<td data-label={app.t('admin.col.groups')}
			    class="dim"><Name text={named.map((g) => g.name)
			    .join(app.lang === 'ja' ? '、' : ', ') || '–'} />
			</td>
			<td data-label={app.t('admin.col.last')} class="dim">
				{u.last === 0 ? app.t('admin.never') :
				    stamp(u.last, app.lang)}</td>
			<td class="acts"><More label={userName(u)}
			    busy={p.busy} testid={`admin-more-${u.id}`}
			    items={p.items} />
			</td>
		</tr>
	);
}

function items(u: AdminUser, ask: (a: Ask) => void, invite: () => void,
    unlock: () => void, rename: () => void, signins: () => void,
    erase: () => void): Item[] {
	const out: Item[] = [{ icon: 'edit', key: 'admin.act.rename',
	    act: rename }];

	if (u.state === 'invited')
		out.push({ icon: 'mail', key: 'admin.act.invite',
		    act: invite });
	if (u.state === 'active' && u.id !== app.user?.id)
		out.push({ icon: 'devices', key: 'admin.act.signins',
		    act: signins });
	if (u.state === 'active')
		out.push({ icon: 'key', key: 'admin.act.reset',
		    act: () => ask({ what: 'reset', user: u }) });
	if (u.factors.length > 0 && u.id !== app.user?.id)
		out.push({ icon: 'shield', key: 'admin.act.factor',
		    act: () => ask({ what: 'factor', user: u }) });
	if (u.state === 'active' && u.locked > app.now())
		out.push({ icon: 'check', key: 'admin.act.unfail',
		    act: unlock });
	if (u.state === 'locked')
		out.push({ icon: 'check', key: 'admin.act.unlock',
		    act: unlock });
	else if (u.id !== app.user?.id)
		out.push({ icon: 'lock', key: 'admin.act.lock',
		    act: () => ask({ what: 'lock', user: u }) });
	if (u.id !== app.user?.id)
		out.push({ icon: 'trash', key: 'admin.act.remove',
		    danger: true, act: () => ask({ what: 'remove',
		    user: u }) }, { icon: 'alert', key: 'admin.act.erase',
		    danger: true, act: erase });
	return (out);
}

function Table(p: { list: AdminUser[]; groups: Group[]; roles: AdminRole[];
    busy: boolean; items(u: AdminUser): Item[]; setRole(u: AdminUser, r: Role): void }):
    JSX.Element {
	return (
		<table class="table" data-testid="admin-users">
			<thead><tr>
				<th scope="col">{app.t('admin.col.name')}</th>
				<th scope="col">{app.t('admin.col.role')}</th>
				<th scope="col">{app.t('admin.col.state')}</th>
				<th scope="col">{app.t('admin.col.groups')}
				</th>
				<th scope="col">{app.t('admin.col.last')}</th>
				<th scope="col"><span class="vh">
					{app.t('admin.col.action')}</span></th>
			</tr></thead>
			<tbody>{p.list.map((u) => <Row key={u.id} u={u}
			    groups={p.groups} roles={p.roles} busy={p.busy}
			    items={p.items(u)}
			    setRole={(r) => p.setRole(u, r)} />)}</tbody>
		</table>
	);
}

/* All of them, or the page that brings many at once. */
export function AdminPeople(): JSX.Element {
	return (app.path === '/admin/people/import' ? <AdminImport /> :
	    <People />);
}

function People(): JSX.Element {
	const load = useLoad(async () => {
		const [u, g, r] = await Promise.all([admin.users(),
		    admin.groups(), admin.roles()]);
		return ({ ...u, ...g, ...r });
	});
	const [q, setQ] = useState('');
	const [adding, setAdding] = useState(false);
	const [naming, setNaming] = useState<AdminUser | null>(null);
	const [looking, setLooking] = useState<AdminUser | null>(null);
	const [erasing, setErasing] = useState<AdminUser | null>(null);
	const [ask, setAsk] = useState<Ask>(null);
	const [made, setMade] = useState<Made>(null);
	const act = useAct();
	const data = load.data;
	const head = <Head title={app.t('admin.people')} icon="invite"
	    lead={app.t('admin.people.lead')} act={app.t('admin.people.add')}
	    testid="admin-people-add" onAct={() => setAdding(true)} />;

	if (data === null)
		return (<>{head}<Waiting of={load} /></>);
	const put = (users: AdminUser[]) => load.put({ ...data, users });
	const change = (u: AdminUser, c: Parameters<typeof admin.setUser>[1]) =>
	    act.run(async () => {
		put(replace(data.users, (await admin.setUser(u.id, c)).user));
		setAsk(null);
		app.tell(app.t('ok.saved'));
	    });
	const link = (u: AdminUser, reset: boolean) => act.run(async () => {
		const r = await admin.inviteUser(u.id);
		setAsk(null);
		setMade({ link: r.invite, name: userName(u), reset });
		load.again();
	});
	const remove = (u: AdminUser) => act.run(async () => {
		await admin.dropUser(u.id);
		put(data.users.filter((x) => x.id !== u.id));
		setAsk(null);
		app.tell(app.t('admin.removed'));
	});
	const factor = (u: AdminUser) => act.run(async () => {
		await admin.dropFactor(u.id);
		put(replace(data.users, { ...u, factors: [] }));
		setAsk(null);
		app.tell(app.t('factor.removed'));
	});
	const list = data.users.filter((u) => match(u.name, q) !== -1 ||
	    match(u.email, q) !== -1);
	const error = fieldKey(act.error) === '' ? problem(act.error) :
	    app.t(fieldKey(act.error) || 'err.other');
	return (
		<>
			{head}
			<div class="admin-tools">
				<input type="search" class="input" value={q}
				    list={undefined}
				    data-testid="admin-people-find"
				    placeholder={app.t('admin.people.find')}
				    aria-label={app.t('admin.people.find')}
				    onInput={(e) =>
				    setQ(e.currentTarget.value)} />
				<span class="dim" role="status">{app.t(
				    'admin.people.count', { n: list.length })}
				</span>
				<span class="grow" />
				<button type="button" class="button small"
				    data-testid="admin-people-import"
				    onClick={() =>
				    app.go('/admin/people/import')}>
					<Icon name="import" size={16} />
					{app.t('import.open')}</button>
				<button type="button" class="button small"
				    data-testid="admin-people-export"
				    onClick={() => exportPeople(data.users,
				    data.groups, data.roles)}>
					<Icon name="export" size={16} />
					{app.t('import.export')}</button>
			</div>
			{ask === null && <FormError text={error} />}
			<Table list={list} groups={data.groups} busy={act.busy}
			    roles={data.roles} setRole={(u, role) =>
			    void change(u, { role, was: u.role })}
			    items={(u) => items(u, (a) => {
				act.clear();
				setAsk(a);
			    }, () => void link(u, false), () =>
			    void change(u, { state: 'active' }), () =>
			    setNaming(u), () => setLooking(u), () =>
			    setErasing(u))} />
			{list.length === 0 && <p class="empty">
				{app.t('admin.people.none')}</p>}
			{adding && <InviteDialog roles={data.roles} close={() =>
			    setAdding(false)} done={(user, l) => {
				put([...data.users, user]);
				setAdding(false);
				setMade({ link: l, name: userName(user),
				    reset: false });
			    }} />}
			{naming !== null && <RenameDialog user={naming}
			    close={() => setNaming(null)} done={(u) => {
				put(replace(data.users, u));
				setNaming(null);
				app.tell(app.t('ok.saved'));
			    }} />}
			{erasing !== null && <EraseDialog user={erasing}
			    close={() => setErasing(null)} done={() => {
				put(data.users.filter((x) =>
				    x.id !== erasing.id));
				setErasing(null);
				app.tell(app.t('admin.erased'));
			    }} />}
			{looking !== null && <SigninsDialog user={looking}
			    name={userName(looking)}
			    close={() => setLooking(null)} />}
			{ask !== null && <Confirm close={() => setAsk(null)}
			    title={app.t(`admin.${ask.what}.title`)}
			    lead={app.t(`admin.${ask.what}.lead`,
			    { name: userName(ask.user) })} error={error}
			    yes={app.t(`admin.${ask.what}.yes`)}
			    act={() => ask.what === 'remove' ?
			    remove(ask.user) : ask.what === 'factor' ?
			    factor(ask.user) : ask.what === 'reset' ?
			    link(ask.user, true) :
			    change(ask.user, { state: 'locked' })} />}
			{made !== null && <LinkDialog made={made}
			    close={() => setMade(null)} />}
		</>
	);
}
