import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { admin } from '../api';
import { app, fieldKey } from '../app';
import { Icon, type IconName } from '../icon';
import { length } from '../lib/text';
import { atField, FormError, problem, TextField } from '../ui/field';
import { useAct } from '../ui/data';
import { useTopics } from '../ui/hooks';
import { AttackNotice } from './attack';
import { AdminFloors } from './floors';
import { AdminGroups } from './groups';
import { AdminGuests } from './guests';
import { Head } from './parts';
import { AdminPeople } from './people';
import { AdminRecords } from './records';
import { AdminReview } from './review';
import { AdminRoles } from './roles';
import { AdminRules } from './rules';

type Part = 'people' | 'groups' | 'roles' | 'floors' | 'guests' | 'review' |
    'records' | 'rules' | 'tenant';

const PARTS: [Part, IconName][] = [['people', 'people'],
    ['groups', 'group'], ['roles', 'role'], ['floors', 'floor'],
    ['guests', 'door'], ['review', 'review'], ['records', 'records'],
    ['rules', 'key'], ['tenant', 'shield']];

function partOf(path: string): Part {
	const name = path.split('/')[2];

	return (PARTS.find(([p]) => p === name)?.[0] ?? 'people');
}

function Tenant(): JSX.Element {
	const [title, setTitle] = useState(app.tenant.title);
	const act = useAct();
	const n = length(title.trim());
	const bad = n < 1 || n > 100;

	return (
		<>
			<Head title={app.t('admin.tenant')}
			    lead={app.t('admin.tenant.lead')} />
			<form class="form narrow" onSubmit={(e) => {
				e.preventDefault();
				if (!bad)
					void act.run(async () => {
						const r = await admin.tenant(
						    title.trim());
						app.tenant = r.tenant;
						app.changed('page');
						app.tell(app.t('ok.saved'));
					});
			}}>
				<TextField label={app.t('admin.tenant.title')}
				    value={title} set={setTitle}
				    testid="admin-tenant-title"
				    error={bad ? app.t('field.title') :
				    atField(act.error, 'title')} />
				<TextField label={app.t('admin.tenant.name')}
				    value={app.tenant.name} readonly
				    set={() => undefined} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) : ''} />
				<div><button type="submit" class="button main"
				    disabled={bad || act.busy}
				    data-testid="admin-tenant-save">
					{app.t('ok.save')}</button></div>
			</form>
		</>
	);
}

function Body(p: { part: Part }): JSX.Element {
	switch (p.part) {
	case 'people':
		return (<AdminPeople />);
	case 'groups':
		return (<AdminGroups />);
	case 'roles':
		return (<AdminRoles />);
	case 'floors':
		return (<AdminFloors />);
	case 'guests':
		return (<AdminGuests />);
	case 'review':
		return (<AdminReview />);
	case 'records':
		return (<AdminRecords />);
	case 'rules':
		return (<AdminRules />);
	case 'tenant':
		return (<Tenant />);
	}
}

function Nav(p: { part: Part }): JSX.Element {
	const ref = useRef<HTMLElement>(null);

	/* On a phone it is a strip, of which the end is out of sight. */
	useLayoutEffect(() => ref.current?.querySelector('[aria-current]')
	    ?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
	    [p.part]);
	return (
		<nav ref={ref} class="admin-nav" aria-label={app.t('admin.title')}>
			{PARTS.map(([part, icon]) => <a key={part}
			    href={`/admin/${part}`} data-testid={
			    `admin-nav-${part}`} aria-current={
			    part === p.part ? 'page' : undefined}
			    onClick={(e) => {
				if (e.ctrlKey || e.metaKey || e.shiftKey)
					return;
				e.preventDefault();
				app.go(`/admin/${part}`);
			    }}><Icon name={icon} size={17} />
				{app.t(`admin.${part}`)}</a>)}
		</nav>
	);
}

/* Administration: one part of it at a time. */
export function Admin(): JSX.Element {
	useTopics('page', 'me');
	const part = partOf(app.path);

	if (part === 'guests' && app.may('guest') && !app.administers())
		return (<main class="admin" data-testid="admin-guests">
			<AdminGuests /></main>);
	if (app.user?.role !== 'admin')
		return (
			<main class="admin"><div class="empty">
				<h1>{app.t('admin.no.title')}</h1>
				<p>{app.t('admin.no.lead')}</p>
				<button type="button" class="button"
				    onClick={() => app.go('/')}>
					{app.t('me.office')}</button>
			</div></main>
		);
	if (!app.console)
		return (
			<main class="admin" data-testid="admin-away">
			    <div class="empty">
				<h1>{app.t('admin.away.title')}</h1>
				<p>{app.t('admin.away.lead',
				    { address: app.address })}</p>
				<button type="button" class="button"
				    data-testid="admin-away-again"
				    onClick={() => void app.checkSession()}>
					{app.t('ok.retry')}</button>
				<button type="button" class="button"
				    onClick={() => app.go('/')}>
					{app.t('me.office')}</button>
			    </div></main>
		);
	return (
		<div class="admin-frame">
			<Nav part={part} />
			<main class="admin" data-testid={`admin-${part}`}>
				<AttackNotice key={`attack-${part}`} />
				<Body key={part} part={part} />
			</main>
		</div>
	);
}
