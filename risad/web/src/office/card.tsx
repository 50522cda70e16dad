import type { JSX } from 'preact';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import type { PresenceEntry } from '../types';
import { Dot, Face, GuestTag } from '../ui/face';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Dialog } from '../ui/dialog';
import { Popover, type Spot } from '../ui/popover';
import { Name, Plain } from '../ui/text';

let spot: Spot = { x: 0, y: 0, h: 0 };

/* Shows who somebody is and what one can do, beside where it was asked. */
export function openCard(user: number, at: Spot): void {
	spot = at;
	app.card = user;
	app.changed('ui');
}

function Where(p: { user: number }): JSX.Element {
	const e = app.people.get(p.user);

	if (e === undefined || e.floor === 0)
		return (<p class="card-line dim"><Icon name="pin" size={16} />
			{app.t('people.away')}</p>);
	const apart = app.reach.bubbleOf(p.user);
	const floor = app.floorName(e.floor);
	const place = e.floor === app.floor?.id && e.room !== 0 ? app.t('person.at',
	    { floor, room: app.roomName(e.room) }) : floor;
	return (
		<>
			<p class="card-line"><Dot status={e.status} />
				{app.t(`status.${e.status}`)}</p>
			{e.note !== '' && <p class="card-note">
				<Name text={e.note} /></p>}
			<p class="card-line dim"><Icon name="pin" size={16} />
				<Name text={place} /></p>
			{apart.length > 0 && <p class="card-line dim">
				<Icon name="aside" size={16} />
				<Name text={app.t('bubble.with', { names:
				    app.reach.names(apart) })} /></p>}
		</>
	);
}

/* One thing that can be asked of somebody, once at a time. */
function Ask(p: { user: number; kind: 'wave' | 'come' | 'bubble' | 'join';
    icon: IconName; off: boolean }): JSX.Element {
	const waits = app.reach.calls.pending(p.kind, p.user) !== undefined;

	return (
		<button type="button" class="button small"
		    disabled={p.off || waits} data-testid={`card-${p.kind}`}
		    onClick={() => {
			app.card = 0;
			app.changed('ui');
			app.reach.ask({ kind: p.kind, user: p.user });
		    }}>
			<Icon name={p.icon} size={16} />
			{app.t(waits ? 'call.waits' : `person.${p.kind}`)}
		</button>
	);
}

/* To reach somebody who is in the office. */
function Reaching(p: { e: PresenceEntry }): JSX.Element | null {
	const { e } = p;
	const { reach } = app;
	const here = e.floor === app.floor?.id;
	const guest = app.user?.role === 'guest';
	const off = e.status === 'dnd';
	const aside = reach.bubbleOf(e.user);
	const ours = aside.includes(app.user?.id ?? 0);

	if (e.floor === 0 || (guest && !here))
		return (null);
	return (
		<div class="card-acts reaching">
			<Ask user={e.user} kind="wave" icon="hand" off={off} />
			{!guest && <Ask user={e.user} kind="come" icon="call"
			    off={off} />}
			<button type="button" class="button small"
			    data-testid="card-follow"
			    aria-pressed={reach.following === e.user}
			    onClick={() => {
				app.card = 0;
				app.sheet = '';
				reach.follow(e.user);
				app.changed('ui');
			    }}>
				<Icon name="walk" size={16} />
				{app.t('person.follow')}</button>
			{reach.hears(e.user) && aside.length === 0 &&
			    <Ask user={e.user} kind="bubble" icon="aside"
				off={off} />}
			{aside.length > 0 && !ours && <Ask user={e.user}
			    kind="join" icon="aside" off={off} />}
			{off && <p class="hint">{app.t('person.dnd')}</p>}
		</div>
	);
}

function Acts(p: { user: number }): JSX.Element {
	const e = app.people.get(p.user);
	const self = p.user === app.user?.id;
	const here = e !== undefined && e.floor === app.floor?.id;

	return (
		<div class="card-acts">
			{here && !self && <button type="button"
			    class="button main small" data-testid="card-walk"
			    onClick={() => app.walkToUser(p.user)}>
				<Icon name="walk" size={16} />
				{app.t('person.walk')}</button>}
			{e !== undefined && e.floor !== 0 && !here &&
			    <button type="button" class="button main small"
				data-testid="card-floor" onClick={() =>
				app.walkToUser(p.user)}>
				<Icon name="floor" size={16} />
				<Plain text={app.t('person.floor', { floor:
				    app.floorName(e.floor) })} /></button>}
			{here && <button type="button" class="button small"
			    data-testid="card-show"
			    onClick={() => app.show(p.user)}>
				<Icon name="pin" size={16} />
				{app.t('person.show')}</button>}
			{self ? <button type="button" class="button small"
			    onClick={() => app.open('profile')}>
				<Icon name="edit" size={16} />
				{app.t('profile.title')}</button> :
			    app.may('dm') && <button type="button" class="button small"
				data-testid="card-write"
				onClick={() => app.writeTo(p.user)}>
				<Icon name="chat" size={16} />
				{app.t('person.write')}</button>}
		</div>
	);
}

export function Card(): JSX.Element | null {
	useTopics('ui', 'people', 'floor', 'me', 'call');
	const phone = useMedia(PHONE);
	const user = app.card;

	if (user === 0)
		return (null);
	const name = app.nameOf(user);
	const e = app.people.get(user);
	const close = () => {
		app.card = 0;
		app.changed('ui');
	};
	const body = (
		<div class="card" data-testid="person-card">
			<div class="card-head">
				<Face look={app.lookOf(user)} size={56} />
				<b class="card-name"><Name text={name} />
					{app.people.get(user)?.guest &&
					    <GuestTag />}</b>
			</div>
			<Where user={user} />
			<Acts user={user} />
			{e !== undefined && user !== app.user?.id &&
			    <Reaching e={e} />}
		</div>
	);
	return (phone ? <Dialog title={name} close={close} kind="sheet short"
	    icon={<Face look={app.lookOf(user)} size={44} />}>{body}</Dialog> :
	    <Popover key={user} at={spot} label={name} close={close}
		kind="wide">{body}</Popover>);
}
