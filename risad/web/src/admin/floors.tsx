import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin } from '../api';
import { app, fieldKey } from '../app';
import type { Key } from '../i18n/index';
import { Icon } from '../icon';
import { talkWays } from '../types';
import type { AdminFloor, AdminUser, FloorTalk, Group } from '../types';
import { Confirm, Dialog, DialogFoot } from '../ui/dialog';
import { dayEnd, dayStart, isoDay } from '../lib/time';
import { atField, DayField, FormError, problem, SelectField, TextField } from
    '../ui/field';
import { MapView } from '../ui/mapview';
import { Name } from '../ui/text';
import { reload, replace, useAct, useLoad } from '../ui/data';
import { Waiting } from '../ui/waiting';
import { NetworksField, words } from './networks';
import { Check, Head, More, PickGroups, PickPeople } from './parts';

const KNOWN = ['office', 'lobby', 'japanese'];

function templateName(t: string): string {
	return (KNOWN.includes(t) ? app.t(`admin.template.${t}` as Key) : t);
}

function Templates(p: { all: string[]; value: string;
    set(t: string): void }): JSX.Element {
	return (
		<fieldset>
			<legend>{app.t('admin.floors.template')}</legend>
			<div class="templates">{p.all.map((t) =>
			    <label key={t} class="template">
				<input type="radio" name="template"
				    checked={t === p.value}
				    data-testid={`template-${t}`}
				    onChange={() => p.set(t)} />
				<MapView template={t} />
				<span>{templateName(t)}</span>
			    </label>)}</div>
		</fieldset>
	);
}

function AddDialog(p: { templates: string[]; close(): void;
    done(f: AdminFloor): void }): JSX.Element {
	const [name, setName] = useState('');
	const [template, setTemplate] = useState(p.templates[0] ?? '');
	const act = useAct();

	return (
		<Dialog title={app.t('admin.floors.add')} close={p.close}
		    kind="large" testid="admin-floor-add">
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(async () => {
					p.done((await admin.addFloor(
					    name.trim(), template)).floor);
					app.tell(app.t('admin.added'));
				});
			}}>
				<TextField label={app.t('admin.floors.name')}
				    value={name} set={setName} autofocus
				    testid="admin-floor-name"
				    error={atField(act.error, 'name')} />
				<Templates all={p.templates} value={template}
				    set={setTemplate} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) :
				    atField(act.error, 'template')} />
				<DialogFoot close={p.close}
				    off={act.busy || name.trim() === ''}
				    word="admin.floors.add"
				    testid="admin-floor-submit" />
			</form>
		</Dialog>
	);
}

function Access(p: { open: boolean; set(open: boolean): void }):
    JSX.Element {
	const one = (open: boolean) => {
		const k = open ? 'open' : 'limited';
		return (
			<label class="choice tall">
				<input type="radio" name="access"
				    checked={p.open === open}
				    data-testid={`access-${k}`}
				    onChange={() => p.set(open)} />
				<span class="grow">{app.t(`admin.floors.${k}`)}
					<small class="dim">{app.t(
					    `admin.floors.${k}.hint`)}</small>
				</span>
			</label>
		);
	};

	return (<fieldset><legend>{app.t('admin.floors.access')}</legend>
		{one(true)}{one(false)}</fieldset>);
}

const TALK = ['voice', 'video', 'screen'] as const;

/* What is not ticked is nobody's there, whatever one's role allows. */
function Talk(p: { talk: FloorTalk; set(t: FloorTalk): void }): JSX.Element {
	const ways = ['tenant', ...talkWays] as const;

	return (
		<>
			<fieldset class="pick">
				<legend>{app.t('admin.floors.talk')}</legend>
				{TALK.map((k) => <Check key={k}
				    on={p.talk[k]}
				    testid={`admin-floor-${k}`}
				    flip={() => p.set({ ...p.talk,
				    [k]: !p.talk[k] })}>
					{app.t(`right.${k}`)}</Check>)}
			</fieldset>
			<SelectField label={app.t('admin.way')}
			    value={p.talk.way} testid="admin-floor-way"
			    set={(v) => p.set({ ...p.talk,
			    way: ways.find((w) => w === v) ?? 'tenant' })}
			    hint={app.t(`admin.way.${p.talk.way}.hint`)}
			    options={ways.map((w) => [w,
			    app.t(`admin.way.${w}`)])} />
		</>
	);
}

/* Is less allowed there than elsewhere, and what is not? */
function limited(t: FloorTalk): boolean {
	return (TALK.some((k) => !t[k]));
}

function off(t: FloorTalk): string {
	return (app.t('admin.floors.limits', { what: TALK.filter((k) =>
	    !t[k]).map((k) => app.t(`right.${k}`)).join(
	    app.t('admin.floors.and')) }));
}

function EditDialog(p: { floor: AdminFloor; users: AdminUser[];
    groups: Group[]; close(e: unknown): void; done(f: AdminFloor): void }):
    JSX.Element {
	const [name, setName] = useState(p.floor.name);
	const [open, setOpen] = useState(p.floor.open);
	const [users, setUsers] = useState(p.floor.users);
	const [groups, setGroups] = useState(p.floor.groups);
	const [networks, setNetworks] = useState(p.floor.networks.join('\n'));
	const [talk, setTalk] = useState(p.floor.talk);
	const act = useAct();
	const close = () => p.close(act.error);

	const save = async () => {
		const r = await admin.setFloor(p.floor, { open, users,
		    groups, name: name.trim(), networks: words(networks),
		    talk });
		p.done(r.floor);
		app.tell(app.t('ok.saved'));
	};
	return (
		<Dialog title={app.t('admin.floors.edit')} close={close}
		    testid="admin-floor-edit">
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(save);
			}}>
				<TextField label={app.t('admin.floors.name')}
				    value={name} set={setName}
				    testid="admin-floor-rename"
				    error={atField(act.error, 'name')} />
				<Access open={open} set={setOpen} />
				{!open && <PickGroups groups={p.groups}
				    chosen={groups} set={setGroups} />}
				{!open && <PickPeople users={p.users}
				    chosen={users} set={setUsers}
				    legend={app.t('admin.pick.people')} />}
				<NetworksField name="networks" value={networks}
				    label={app.t('admin.floors.networks')}
				    set={setNetworks} error={act.error}
				    testid="admin-floor-networks" />
				<Talk talk={talk} set={setTalk} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) : atField(act.error,
				    'users', 'groups', 'open', 'version')} />
				<DialogFoot close={close}
				    off={act.busy || name.trim() === ''}
				    testid="admin-floor-save" />
			</form>
		</Dialog>
	);
}

/* What was written there, or on all floors, of all times or of some days. */
function EraseDialog(p: { floor: AdminFloor; close(): void }): JSX.Element {
	const [all, setAll] = useState(false);
	const [from, setFrom] = useState('');
	const [to, setTo] = useState('');
	const act = useAct();
	const run = () => act.run(async () => {
		await admin.eraseMessages(all ? 0 : p.floor.id,
		    from === '' ? 0 : dayStart(from),
		    to === '' ? 0 : dayEnd(to));
		p.close();
		app.tell(app.t('admin.erased'));
	});

	return (
		<Dialog title={app.t('admin.clear.title')} close={p.close}
		    testid="admin-clear">
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void run();
			}}>
				<p class="lead">{app.t('admin.clear.lead')}</p>
				<SelectField label={app.t('admin.clear.where')}
				    value={all ? 'all' : 'one'}
				    set={(v) => setAll(v === 'all')}
				    testid="admin-clear-where" options={[
				    ['one', p.floor.name],
				    ['all', app.t('admin.clear.all')]]} />
				<DayField label={app.t('admin.clear.from')}
				    value={from} set={setFrom}
				    max={isoDay(app.now())}
				    hint={app.t(all ? 'admin.clear.must' :
				    'admin.clear.first')}
				    testid="admin-clear-from" />
				<DayField label={app.t('admin.clear.to')}
				    value={to} set={setTo} min={from}
				    hint={app.t('admin.clear.now')}
				    testid="admin-clear-to" />
				<FormError text={problem(act.error)} />
				<DialogFoot close={p.close} danger
				    off={act.busy || (all && from === '')}
				    word="admin.clear.yes"
				    testid="admin-clear-yes" />
			</form>
		</Dialog>
	);
}

function who(f: AdminFloor): string {
	if (f.open)
		return (app.t('admin.floors.open'));
	if (f.users.length === 0 && f.groups.length === 0)
		return (app.t('admin.floors.nobody'));
	return (app.t('admin.floors.who', { groups: f.groups.length,
	    users: f.users.length }));
}

function Row(p: { f: AdminFloor; edit(): void; remove(): void;
    clear(): void }): JSX.Element {
	return (
		<tr data-testid={`admin-floor-${p.f.id}`}>
			<th scope="row"><Name text={p.f.name} /></th>
			<td data-label={app.t('admin.col.access')}>
				<span class="chips"><span class={`chip ${p.f.open ?
				    'active' : 'invited'}`}>{who(p.f)}</span>
				{p.f.networks.length > 0 &&
				    <span class="chip invited">{app.t(
				    'admin.floors.from', { n:
				    p.f.networks.length })}</span>}
				{limited(p.f.talk) &&
				    <span class="chip invited">{off(p.f.talk)}
				    </span>}
				{p.f.talk.way !== 'tenant' &&
				    <span class="chip">{app.t(
				    `admin.way.${p.f.talk.way}`)}</span>}
				</span></td>
			<td class="acts">
				<button type="button" class="button small"
				    data-testid={`admin-edit-${p.f.id}`}
				    onClick={p.edit}>
					<Icon name="edit" size={15} />
					{app.t('admin.edit')}</button>
				<More label={p.f.name} items={[{ icon: 'chat',
				    key: 'admin.act.clear', danger: true,
				    act: p.clear }, { icon: 'trash',
				    key: 'admin.act.remove', danger: true,
				    act: p.remove }]}
				    testid={`admin-more-${p.f.id}`} />
			</td>
		</tr>
	);
}

export function AdminFloors(): JSX.Element {
	const load = useLoad(async () => {
		const [f, t, u, g] = await Promise.all([admin.floors(),
		    admin.templates(), admin.users(), admin.groups()]);
		return ({ floors: f.floors, templates: t.templates,
		    users: u.users, groups: g.groups });
	});
	const [edit, setEdit] = useState<AdminFloor | null>(null);
	const [adding, setAdding] = useState(false);
	const [ask, setAsk] = useState<AdminFloor | null>(null);
	const [clear, setClear] = useState<AdminFloor | null>(null);
	const act = useAct();
	const data = load.data;
	const head = <Head title={app.t('admin.floors')} icon="plus"
	    lead={app.t('admin.floors.lead')} act={app.t('admin.floors.add')}
	    testid="admin-floors-add" onAct={() => setAdding(true)} />;

	if (data === null)
		return (<>{head}<Waiting of={load} /></>);
	const put = (floors: AdminFloor[]) => load.put({ ...data, floors });
	const remove = (f: AdminFloor) => act.run(async () => {
		await admin.dropFloor(f.id);
		put(data.floors.filter((x) => x.id !== f.id));
		setAsk(null);
		app.tell(app.t('admin.removed'));
	});
	return (
		<>
			{head}
			{data.floors.length === 0 ? <p class="empty">
				{app.t('admin.floors.none')}</p> :
			    <table class="table"><thead><tr>
				<th scope="col">{app.t('admin.col.name')}</th>
				<th scope="col">{app.t('admin.col.access')}
				</th>
				<th scope="col"><span class="vh">
					{app.t('admin.col.action')}</span></th>
			    </tr></thead><tbody>{data.floors.map((f) =>
				<Row key={f.id} f={f} edit={() => setEdit(f)}
				    clear={() => setClear(f)}
				    remove={() => {
					act.clear();
					setAsk(f);
				    }} />)}</tbody></table>}
			{adding && <AddDialog templates={data.templates}
			    close={() => setAdding(false)} done={(f) => {
				put([...data.floors, f]);
				setAdding(false);
			    }} />}
			{edit !== null && <EditDialog floor={edit}
			    users={data.users} groups={data.groups}
			    close={(e) => {
				setEdit(null);
				reload(load, e);
			    }} done={(f) => {
				put(replace(data.floors, f));
				setEdit(null);
			    }} />}
			{clear !== null && <EraseDialog floor={clear}
			    close={() => setClear(null)} />}
			{ask !== null && <Confirm close={() => setAsk(null)}
			    title={app.t('admin.floors.remove.title')}
			    lead={app.t('admin.floors.remove.lead',
			    { name: ask.name })} error={problem(act.error)}
			    yes={app.t('admin.remove.yes')}
			    act={() => remove(ask)} />}
		</>
	);
}
