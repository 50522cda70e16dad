import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin, ApiError } from '../api';
import { app, fieldKey } from '../app';
import { RIGHTS, type AdminRole, type Right } from '../types';
import { Confirm, Dialog, DialogFoot } from '../ui/dialog';
import { atField, FormError, problem, TextField } from '../ui/field';
import { Name } from '../ui/text';
import { replace, useAct, useLoad } from '../ui/data';
import { Waiting } from '../ui/waiting';
import { Check, Head, More, roleName, type Item } from './parts';

/* What members may at first, so that a new role differs by what one changes. */
const USUAL: Right[] = RIGHTS.filter((r) => r !== 'guest');

function flip(can: Right[], r: Right): Right[] {
	return (RIGHTS.filter((x) => x === r ? !can.includes(x) :
	    can.includes(x)));
}

/* Somebody else has changed the role since it was shown, or has it. */
function late(e: unknown): boolean {
	return (e instanceof ApiError && e.word === 'conflict' &&
	    (e.field === 'version' || e.field === 'users'));
}

function said(e: unknown): string {
	const key = fieldKey(e);

	if (e instanceof ApiError && e.field === 'users')
		return (app.t('admin.roles.used'));
	return (key === '' ? problem(e) : app.t(key));
}

function RoleDialog(p: { role: AdminRole | null; close(): void;
    done(r: AdminRole): void }): JSX.Element {
	const [name, setName] = useState(p.role?.name ?? '');
	const [can, setCan] = useState<Right[]>(p.role?.can ?? USUAL);
	const act = useAct();

	const save = async () => {
		const r = p.role === null ?
		    await admin.addRole(name.trim(), can) :
		    await admin.setRole(p.role, { name: name.trim() });
		p.done(r.role);
		app.tell(app.t(p.role === null ? 'admin.added' : 'ok.saved'));
	};
	return (
		<Dialog close={p.close} testid="admin-role"
		    title={app.t(p.role === null ? 'admin.roles.add' :
		    'admin.act.rename')}>
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(save);
			}}>
				<TextField label={app.t('admin.roles.name')}
				    value={name} set={setName} autofocus
				    testid="admin-role-name"
				    error={atField(act.error, 'name')} />
				{p.role === null && <fieldset class="pick">
					<legend>{app.t('admin.roles.may')}
					</legend>
					{RIGHTS.map((r) => <Check key={r}
					    on={can.includes(r)}
					    testid={`admin-role-new-${r}`}
					    flip={() => setCan(flip(can, r))}>
						{app.t(`right.${r}`)}
					</Check>)}
				</fieldset>}
				<FormError text={atField(act.error, 'name') ===
				    '' ? said(act.error) : ''} />
				<DialogFoot close={p.close}
				    off={act.busy || name.trim() === ''}
				    testid="admin-role-save" />
			</form>
		</Dialog>
	);
}

function Row(p: { r: AdminRole; busy: boolean; items: Item[];
    flip(x: Right): void }): JSX.Element {
	const { r } = p;
	const name = roleName(r.id, [r]);

	return (
		<tr data-testid={`admin-role-${r.id}`}>
			<th scope="row"><span class="cell-name">
				<Name text={name} /></span>
				<small class="dim">{app.t('admin.people.count',
				    { n: r.users })}</small></th>
			{RIGHTS.map((x) => <td key={x} class="switch"
			    data-label={app.t(`right.${x}`)}>
				<input type="checkbox"
				    checked={r.can.includes(x)}
				    disabled={p.busy ||
				    !r.settable.includes(x)}
				    data-testid={`admin-role-${r.id}-${x}`}
				    aria-label={app.t('admin.roles.of', {
				    right: app.t(`right.${x}`), name })}
				    onChange={() => p.flip(x)} /></td>)}
			<td class="acts">{p.items.length > 0 &&
			    <More label={name} items={p.items}
				testid={`admin-more-${r.id}`} />}</td>
		</tr>
	);
}

/* B24: roles, and what each lets people do. */
export function AdminRoles(): JSX.Element {
	const load = useLoad(async () => (await admin.roles()).roles);
	const [edit, setEdit] = useState<AdminRole | null | 'new'>(null);
	const [ask, setAsk] = useState<AdminRole | null>(null);
	const act = useAct();
	const list = load.data;
	const head = <Head title={app.t('admin.roles')} icon="plus"
	    lead={app.t('admin.roles.lead')} act={app.t('admin.roles.add')}
	    testid="admin-roles-add" onAct={() => setEdit('new')} />;

	if (list === null)
		return (<>{head}<Waiting of={load} /></>);
	const set = (r: AdminRole, x: Right) => act.run(async () => {
		load.put(replace(list, (await admin.setRole(r,
		    { can: flip(r.can, x) })).role));
		app.tell(app.t('ok.saved'));
	});
	const remove = (r: AdminRole) => act.run(async () => {
		await admin.dropRole(r);
		load.put(list.filter((x) => x.id !== r.id));
		setAsk(null);
		app.tell(app.t('admin.removed'));
	});
	const items = (r: AdminRole): Item[] => typeof r.id === 'string' ? [] :
	    [{ icon: 'edit', key: 'admin.act.rename',
		act: () => setEdit(r) },
	    { icon: 'trash', key: 'admin.act.remove', danger: true,
		act: () => {
			act.clear();
			setAsk(r);
		} }];
	const error = said(act.error);
	return (
		<>
			{head}
			{ask === null && <FormError text={error}
			    testid="admin-roles-error" />}
			{late(act.error) && <div class="admin-tools">
				<button type="button" class="button"
				    data-testid="admin-roles-again"
				    onClick={() => {
					act.clear();
					setAsk(null);
					load.again();
				    }}>{app.t('admin.roles.again')}</button>
			</div>}
			<table class="table roles" data-testid="admin-roles-table">
				<thead><tr>
					<th scope="col">
						{app.t('admin.col.role')}</th>
					{RIGHTS.map((r) => <th scope="col"
					    key={r}>{app.t(`right.${r}`)}
					</th>)}
					<th scope="col"><span class="vh">
						{app.t('admin.col.action')}
					</span></th>
				</tr></thead>
				<tbody>{list.map((r) => <Row key={r.id} r={r}
				    busy={act.busy} items={items(r)}
				    flip={(x) => void set(r, x)} />)}</tbody>
			</table>
			<p class="hint pad">{app.t('admin.roles.guests')}</p>
			{edit !== null && <RoleDialog
			    role={edit === 'new' ? null : edit}
			    close={() => setEdit(null)} done={(r) => {
				load.put(edit === 'new' ? [...list, r] :
				    replace(list, r));
				setEdit(null);
			    }} />}
			{ask !== null && <Confirm close={() => setAsk(null)}
			    title={app.t('admin.roles.remove.title')}
			    lead={app.t('admin.roles.remove.lead',
			    { name: ask.name })} error={error}
			    yes={app.t('admin.remove.yes')}
			    act={() => remove(ask)} />}
		</>
	);
}
