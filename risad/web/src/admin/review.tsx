import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin } from '../api';
import { app } from '../app';
import { mayEnter, onlyPassword, unused, UNUSED_DAYS } from '../lib/review';
import { stamp } from '../lib/time';
import type { AdminFloor, AdminRole, AdminUser, Group } from '../types';
import { useLoad } from '../ui/data';
import { Select } from '../ui/field';
import { Name } from '../ui/text';
import { Waiting } from '../ui/waiting';
import { Head, roleName, userName } from './parts';

interface Data {
	users: AdminUser[];
	groups: Group[];
	roles: AdminRole[];
	floors: AdminFloor[];
	at: number;		/* when it was asked for */
}

type Which = 'all' | 'unused' | 'admin' | 'inactive' | 'nofactor';

const WHICH: Which[] = ['all', 'unused', 'admin', 'inactive', 'nofactor'];

function chosen(u: AdminUser, which: Which, now: number): boolean {
	switch (which) {
	case 'all':
		return (true);
	case 'unused':
		return (unused(u, now));
	case 'admin':
		return (u.role === 'admin');
	case 'inactive':
		return (u.state !== 'active');
	case 'nofactor':
		return (onlyPassword(u));
	}
}

function Names(p: { list: string[] }): JSX.Element {
	return (<Name text={p.list.join(app.lang === 'ja' ? '、' : ', ') ||
	    '–'} />);
}

function Person(p: { u: AdminUser; data: Data }): JSX.Element {
	const { u, data } = p;
	const floors = data.floors.filter((f) => mayEnter(f, u));

	return (
		<tr data-testid={`review-user-${u.id}`}>
			<th scope="row">
				<span class="cell-name">{u.name === '' ?
				    app.t('admin.noname') :
				    <Name text={u.name} />}</span>
				<small class="dim"><bdi>{u.email}</bdi></small>
			</th>
			<td data-label={app.t('admin.col.role')}>
				<Name text={roleName(u.role, data.roles)} />
			</td>
			<td data-label={app.t('admin.col.state')}>
				<span class={`chip ${u.state}`}>
					{app.t(`admin.state.${u.state}`)}
				</span></td>
			<td data-label={app.t('admin.col.last')}>
				{u.last === 0 ? app.t('admin.never') :
				    stamp(u.last, app.lang)}
				{unused(u, data.at) && <small class="warn">
					{app.t('review.unused.mark',
					{ n: UNUSED_DAYS })}</small>}</td>
			<td data-label={app.t('review.factor')}>
				{app.t(u.factors.length > 0 ? 'review.yes' :
				    'review.no')}</td>
			<td data-label={app.t('admin.col.groups')}>
				<Names list={data.groups.filter((g) =>
				    u.groups.includes(g.id)).map((g) =>
				    g.name)} /></td>
			<td data-label={app.t('review.floors')}>
				<Names list={floors.map((f) => f.name)} /></td>
		</tr>
	);
}

function Floor(p: { f: AdminFloor; data: Data }): JSX.Element {
	const { f, data } = p;
	const who = f.open ? app.t('admin.floors.open') : <Names list={[
	    ...data.groups.filter((g) => f.groups.includes(g.id))
	    .map((g) => g.name),
	    ...data.users.filter((u) => f.users.includes(u.id))
	    .map(userName)]} />;

	return (
		<tr data-testid={`review-floor-${f.id}`}>
			<th scope="row"><span class="cell-name">
				<Name text={f.name} /></span></th>
			<td data-label={app.t('review.count')}>
				{app.t('floors.people', { n: data.users
				    .filter((u) => mayEnter(f, u)).length })}
			</td>
			<td data-label={app.t('admin.col.access')}>{who}</td>
		</tr>
	);
}

function People(p: { data: Data }): JSX.Element {
	const { data } = p;
	const [which, setWhich] = useState<Which>('all');
	const list = data.users.filter((u) => chosen(u, which, data.at));

	return (
		<section aria-label={app.t('admin.people')}>
			<div class="admin-tools">
				<Select value={which} label={app.t(
				    'review.which')} testid="review-which"
				    set={(v) => setWhich(v as Which)}
				    options={WHICH.map((w) => [w,
				    app.t(`review.which.${w}`,
				    { n: UNUSED_DAYS })])} />
				<span class="dim" role="status"
				    data-testid="review-count">
					{app.t('admin.people.count',
					{ n: list.length })}</span>
			</div>
			{list.length === 0 ? <p class="empty">
				{app.t('review.none')}</p> :
			<table class="table review">
				<thead><tr>
					{(['admin.col.name', 'admin.col.role',
					'admin.col.state', 'admin.col.last',
					'review.factor', 'admin.col.groups', 'review.floors'] as
					const).map((k) => <th scope="col"
					    key={k}>{app.t(k)}</th>)}
				</tr></thead>
				<tbody>{list.map((u) => <Person key={u.id}
				    u={u} data={data} />)}</tbody>
			</table>}
		</section>
	);
}

/* B29: who may do what, and who has not been here for long; for printing. */
export function AdminReview(): JSX.Element {
	const load = useLoad<Data>(async () => {
		const [u, g, f, r] = await Promise.all([admin.users(),
		    admin.groups(), admin.floors(), admin.roles()]);
		return ({ ...u, ...g, ...f, ...r, at: app.now() });
	});
	const { data } = load;

	return (
		<>
			<Head title={app.t('admin.review')} icon="print"
			    lead={app.t('admin.review.lead')}
			    act={data === null ? undefined :
			    app.t('review.print')} testid="review-print"
			    onAct={() => print()} />
			{data === null ? <Waiting of={load} /> : <>
				<p class="printed" data-testid="review-printed">{app.t('review.printed', {
				    tenant: app.tenant.title, when:
				    stamp(data.at, app.lang),
				    name: app.user?.name ?? '' })}</p>
				<People data={data} />
				<h2 class="review-title">
					{app.t('admin.floors')}</h2>
				<table class="table review">
					<thead><tr>
						<th scope="col">{app.t(
						    'admin.floors.name')}</th>
						<th scope="col">{app.t(
						    'review.count')}</th>
						<th scope="col">{app.t(
						    'admin.col.access')}</th>
					</tr></thead>
					<tbody>{data.floors.map((f) =>
					    <Floor key={f.id} f={f}
						data={data} />)}</tbody>
				</table>
			</>}
		</>
	);
}
