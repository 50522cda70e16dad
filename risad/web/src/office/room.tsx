import type { JSX } from 'preact';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import { mapName } from '../i18n/index';
import type { DoorWord, Room } from '../types';
import { Dialog } from '../ui/dialog';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Popover, spotOf, type Spot } from '../ui/popover';
import { Name } from '../ui/text';

export const DOOR: Record<DoorWord, IconName> = { open: 'door',
    closed: 'closed', locked: 'lock' };

let spot: Spot | null = null;

/* Shows a room that one cannot just walk into, beside where it was clicked. */
export function openRoom(room: number, at: Spot): void {
	spot = at;
	app.reach.openRoom(room);
}

/* From inside: open, closed or locked. */
export function DoorSwitch(p: { room: Room; testid: string }): JSX.Element {
	const { id } = p.room;
	const now = app.doorOf(id);

	return (
		<div class="doors" role="group" aria-label={app.t('room.door')}>
			{(['open', 'closed', 'locked'] as const).map((w) =>
			    <button key={w} type="button" class="door-word"
				aria-pressed={now === w}
				title={app.t(`room.door.${w}.hint`)}
				data-testid={`${p.testid}-${w}`} onClick={() =>
				app.reach.setDoor(id, w)}>
				<Icon name={DOOR[w]} size={16} />
				<span class="door-label">
					{app.t(`room.door.${w}`)}</span>
			    </button>)}
		</div>
	);
}

/* Knocks, or says that one waits at the door. */
export function KnockButton(p: { room: Room; testid: string }): JSX.Element {
	const { id } = p.room;
	const waits = app.reach.calls.pending('knock', id) !== undefined;

	return (
		<button type="button" class="button main small"
		    disabled={waits} data-testid={p.testid}
		    aria-label={`${app.t(waits ? 'room.knocking' :
		    'room.knock')}: ${mapName(p.room.name, app.lang)}`}
		    onClick={() => app.reach.knock(id)}>
			<Icon name="closed" size={16} />
			{app.t(waits ? 'room.knocking' : 'room.knock')}
		</button>
	);
}

/* An administrator's; it is written down, so it says so. */
export function KeyButton(p: { room: Room }): JSX.Element | null {
	const { id } = p.room;

	if (app.user?.role !== 'admin' || app.doorOf(id) === 'open')
		return (null);
	return (
		<button type="button" class="button small"
		    data-testid={`key-${id}`} title={app.t('room.key.hint')}
		    aria-label={`${app.t('room.key')}: ${
		    mapName(p.room.name, app.lang)}`}
		    onClick={() => app.reach.setDoor(id, 'open')}>
			<Icon name="key" size={16} />{app.t('room.key')}
		</button>
	);
}

function Body(p: { room: Room; close(): void }): JSX.Element {
	const { room } = p;
	const state = app.doorOf(room.id);
	const n = app.here().filter((e) => e.room === room.id).length;
	const full = n >= room.capacity;

	return (
		<div class="card" data-testid="room-card">
			<b class="card-name card-head">
				<Name text={mapName(room.name, app.lang)} />
			</b>
			<p class="card-line"><Icon name={DOOR[state]}
			    size={16} />{app.t(`room.state.${state}`)}</p>
			<p class="card-line dim"><Icon name="people"
			    size={16} />{app.t('room.capacity',
			    { n, max: room.capacity })}
				{full && `・${app.t('room.full')}`}</p>
			<p class="card-note">{app.t(`room.say.${state}`)}</p>
			<div class="card-acts">
				{state === 'closed' && <KnockButton
				    room={room} testid="room-knock" />}
				{state === 'open' && <button type="button"
				    class="button main small" disabled={full}
				    data-testid="room-enter" onClick={() => {
					p.close();
					app.walkToRoom(room.id);
				    }}><Icon name="walk" size={16} />
					{app.t('text.go')}</button>}
				<KeyButton room={room} />
			</div>
			{app.user?.role === 'admin' && state !== 'open' &&
			    <p class="hint">{app.t('room.key.hint')}</p>}
		</div>
	);
}

/* In the middle of the floor when it was asked for in a list. */
function middle(): Spot {
	const el = document.querySelector('.stage');
	const at = el === null ? { x: 0, y: 0, h: 0 } : spotOf(el);

	return ({ x: at.x + 20, y: at.y + 60, h: 0 });
}

export function RoomCard(): JSX.Element | null {
	useTopics('ui', 'people', 'floor', 'me', 'call');
	const phone = useMedia(PHONE);
	const room = app.rooms().find((r) => r.id === app.reach.roomCard);

	if (room === undefined)
		return (null);
	const name = mapName(room.name, app.lang);
	const at = spot ?? middle();
	const close = () => {
		spot = null;
		app.reach.roomCard = 0;
		app.changed('ui');
	};
	const body = <Body room={room} close={close} />;
	return (phone ? <Dialog title={name} close={close}
	    kind="sheet short">{body}</Dialog> :
	    <Popover key={room.id} at={at} label={name} close={close}
		kind="wide">{body}</Popover>);
}
