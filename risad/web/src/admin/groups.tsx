import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import type { AdminUser, Group } from '../types';
import { Confirm, Dialog, DialogFoot } from '../ui/dialog';
import { atField, FormError, problem, TextField } from '../ui/field';
import { Name, Plain } from '../ui/text';
import { reload, replace, useAct, useLoad } from '../ui/data';
import { Waiting } from '../ui/waiting';
import { Head, More, PickPeople, userName } from './parts';

function GroupDialog(p: { group: Group | null; users: AdminUser[];
    close(e: unknown): void; done(g: Group): void }): JSX.Element {
	const [name, setName] = useState(p.group?.name ?? '');
	const [members, setMembers] = useState(p.group?.members ?? []);
	const act = useAct();
	const close = () => p.close(act.error);

	const save = async () => {
		const r = p.group === null ?
		    await admin.addGroup(name.trim(), members) :
		    await admin.setGroup(p.group, name.trim(), members);
		p.done(r.group);
		app.tell(app.t(p.group === null ? 'admin.added' : 'ok.saved'));
	};
	return (
		<Dialog close={close} testid="admin-group"
		    title={app.t(p.group === null ? 'admin.groups.add' :
		    'admin.groups.edit')}>
			<form class="form" onSubmit={(e) => {
				e.preventDefault();
				void act.run(save);
			}}>
				<TextField label={app.t('admin.groups.name')}
				    value={name} set={setName} autofocus
				    testid="admin-group-name"
				    error={atField(act.error, 'name')} />
				<PickPeople users={p.users} chosen={members}
				    set={setMembers}
				    legend={app.t('admin.groups.members')} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) :
				    atField(act.error, 'members', 'version')} />
				<DialogFoot close={close}
				    off={act.busy || name.trim() === ''}
				    testid="admin-group-save" />
			</form>
		</Dialog>
	);
}

function Row(p: { g: Group; users: AdminUser[]; edit(): void;
    remove(): void }): JSX.Element {
	const who = p.g.members.map((id) => p.users.find((u) => u.id === id))
	    .filter((u) => u !== undefined).map(userName);

	return (
		<tr data-testid={`admin-group-${p.g.id}`}>
			<th scope="row"><Name text={p.g.name} /></th>
			<td class="dim" data-label={app.t('admin.col.members')}>
				<span class="clip">{who.length === 0 ?
				    app.t('admin.groups.empty') :
				    <Plain text={`${app.t('admin.people.count',
				    { n: who.length })}: ${who.join(app.lang ===
				    'ja' ? '、' : ', ')}`} />}</span>
			</td>
			<td class="acts">
				<button type="button" class="button small"
				    onClick={p.edit}>
					<Icon name="edit" size={15} />
					{app.t('admin.edit')}</button>
				<More label={p.g.name} items={[{ icon: 'trash',
				    key: 'admin.act.remove', danger: true,
				    act: p.remove }]}
				    testid={`admin-more-${p.g.id}`} />
			</td>
		</tr>
	);
}

export function AdminGroups(): JSX.Element {
	const load = useLoad(async () => {
		const [u, g] = await Promise.all([admin.users(),
		    admin.groups()]);
		return ({ users: u.users, groups: g.groups });
	});
	const [edit, setEdit] = useState<Group | null | 'new'>(null);
	const [ask, setAsk] = useState<Group | null>(null);
	const act = useAct();
	const data = load.data;
	const head = <Head title={app.t('admin.groups')} icon="plus"
	    lead={app.t('admin.groups.lead')} act={app.t('admin.groups.add')}
	    testid="admin-groups-add" onAct={() => setEdit('new')} />;

	if (data === null)
		return (<>{head}<Waiting of={load} /></>);
	const put = (groups: Group[]) => load.put({ ...data, groups });
	const remove = (g: Group) => act.run(async () => {
		await admin.dropGroup(g.id);
		put(data.groups.filter((x) => x.id !== g.id));
		setAsk(null);
		app.tell(app.t('admin.removed'));
	});
	return (
		<>
			{head}
			{data.groups.length === 0 ? <p class="empty">
				{app.t('admin.groups.none')}</p> :
			    <table class="table"><thead><tr>
				<th scope="col">{app.t('admin.col.name')}</th>
				<th scope="col">{app.t('admin.col.members')}
				</th>
				<th scope="col"><span class="vh">
					{app.t('admin.col.action')}</span></th>
			    </tr></thead><tbody>{data.groups.map((g) =>
				<Row key={g.id} g={g} users={data.users}
				    edit={() => setEdit(g)} remove={() => {
					act.clear();
					setAsk(g);
				    }} />)}</tbody></table>}
			{edit !== null && <GroupDialog users={data.users}
			    group={edit === 'new' ? null : edit}
			    close={(e) => {
				setEdit(null);
				reload(load, e);
			    }} done={(g) => {
				put(edit === 'new' ? [...data.groups, g] :
				    replace(data.groups, g));
				setEdit(null);
			    }} />}
			{ask !== null && <Confirm close={() => setAsk(null)}
			    title={app.t('admin.groups.remove.title')}
			    lead={app.t('admin.groups.remove.lead',
			    { name: ask.name })} error={problem(act.error)}
			    yes={app.t('admin.remove.yes')}
			    act={() => remove(ask)} />}
		</>
	);
}
