import type { JSX } from 'preact';
import { app } from '../app';
import { Icon } from '../icon';
import type { PresenceEntry } from '../types';
import { Dot, Face, GuestTag } from '../ui/face';
import { useTopics } from '../ui/hooks';
import { spotOf } from '../ui/popover';
import { Name } from '../ui/text';
import { openCard } from './card';

function where(e: PresenceEntry): string {
	if (e.room !== 0 && e.floor === app.floor?.id)
		return (app.roomName(e.room));
	return (e.status === 'available' ? '' : app.t(`status.${e.status}`));
}

/* Read aloud: the room, the status and the note, none by colour alone. */
function aloud(e: PresenceEntry): string {
	const room = e.floor === app.floor?.id ? app.roomName(e.room) : '';
	const aside = app.reach.bubbleOf(e.user);

	return ([app.t(`status.${e.status}`), room, aside.length === 0 ? '' :
	    app.t('bubble.with', { names: app.reach.names(aside) }),
	    e.note].filter(Boolean)
	    .join(', '));
}

function Line(p: { e: PresenceEntry }): JSX.Element {
	const { e } = p;
	const self = e.user === app.user?.id;

	return (
		<li>
			<button type="button" class="person"
			    data-testid={`person-${e.user}`}
			    aria-haspopup="dialog" onClick={(ev) =>
			    openCard(e.user, spotOf(ev.currentTarget))}>
				<Dot status={e.status} />
				<Face look={e.look} size={26} />
				<span class="person-name">
					<span class="person-first">
						<Name text={e.name} />
						{e.guest && <GuestTag />}
						{self && <span class="self-tag">
							{app.t('me.self')}
						</span>}
					</span>
					{e.note !== '' &&
					    <span class="person-note"
						aria-hidden="true">
						<Name text={e.note} /></span>}
				</span>
				{where(e) !== '' && <span class="person-where"
				    aria-hidden="true"><Name text={where(e)} />
				</span>}
				<span class="vh">{aloud(e)}</span>
			</button>
		</li>
	);
}

/* What was said on a floor one is not on; the chat counts the others. */
function Unread(p: { id: number }): JSX.Element | null {
	const n = app.chats.peek(`floor:${p.id}`)?.unread ?? 0;

	if (n === 0 || p.id === app.floor?.id)
		return (null);
	return (<span class="badge"><span aria-hidden="true">
		{n > 99 ? '99+' : n}</span>
		<span class="vh">{app.t('chat.unread', { n })}</span></span>);
}

function Floors(): JSX.Element {
	const count = new Map<number, number>();

	for (const p of app.people.values())
		count.set(p.floor, (count.get(p.floor) ?? 0) + 1);
	return (
		<section>
			<h2 class="panel-title">{app.t('floors.title')}</h2>
			<ul data-testid="floor-list">
				{app.floors.map((f) => <li key={f.id}>
					<button type="button" class="floor"
					    data-testid={`floor-${f.id}`}
					    aria-current={f.id ===
					    app.floor?.id ? 'true' : undefined}
					    onClick={() => {
						app.sheet = '';
						app.changed('ui');
						if (f.id !== app.floor?.id)
							app.enter(f.id);
					    }}>
						<Icon name="floor" size={17} />
						<span class="grow">
							<Name text={f.name} />
						</span>
						<Unread id={f.id} />
						<span class="count"
						    aria-hidden="true">
							{count.get(f.id) ?? 0}
						</span>
						<span class="vh">{app.t(
						    'floors.people', { n:
						    count.get(f.id) ?? 0 })}
						</span>
					</button>
				</li>)}
			</ul>
			{app.floors.length === 0 && app.hadHello &&
			    <p class="hint pad">{app.t('floors.none')}</p>}
		</section>
	);
}

function Elsewhere(): JSX.Element | null {
	const groups = app.floors.filter((f) => f.id !== app.floor?.id)
	    .map((f) => ({ f, list: app.byName([...app.people.values()]
	    .filter((p) => p.floor === f.id)) }))
	    .filter((g) => g.list.length > 0);

	if (groups.length === 0)
		return (null);
	return (
		<section>
			<h2 class="panel-title">{app.t('people.elsewhere')}
			</h2>
			{groups.map((g) => <details key={g.f.id}
			    class="group">
				<summary>
					<Icon name="down" size={15} />
					<span class="grow">
						<Name text={g.f.name} /></span>
					<span class="count">{g.list.length}
					</span>
				</summary>
				<ul>{g.list.map((e) =>
				    <Line key={e.user} e={e} />)}</ul>
			</details>)}
		</section>
	);
}

/* Floors, and who is where. */
export function People(): JSX.Element {
	useTopics('people', 'floor', 'me', 'page', 'chat', 'call');
	const here = app.here();

	return (
		<nav class="people" aria-label={app.t('people.title')}
		    id="people" tabIndex={-1}>
			<Floors />
			{app.floor !== null && <section>
				<h2 class="panel-title">
					{app.t('people.here')}
					<span class="count">{here.length}
					</span>
				</h2>
				<ul data-testid="people-list">{here.map((e) =>
				    <Line key={e.user} e={e} />)}</ul>
				{here.length <= 1 && <p class="hint pad">
					{app.t('people.alone')}</p>}
			</section>}
			<Elsewhere />
		</nav>
	);
}
