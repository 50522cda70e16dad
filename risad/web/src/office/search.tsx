import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { app } from '../app';
import { mapName } from '../i18n/index';
import { Icon, type IconName } from '../icon';
import { Composition } from '../lib/ime';
import { match } from '../lib/text';
import { Close, Dialog } from '../ui/dialog';
import { Face } from '../ui/face';
import { useTopics } from '../ui/hooks';
import { Name, Plain } from '../ui/text';
import type { Look } from '../types';

interface Found {
	id: string;
	name: string;
	kind: string;
	icon: IconName;
	look?: Look;
	where: string;
	rank: number;
	act(): void;
}

const MOST = 30;

function people(q: string): Found[] {
	const out: Found[] = [];
	const ids = new Set([...app.people.keys(), ...app.known.keys()]);

	ids.delete(app.user?.id ?? 0);
	for (const user of ids) {
		const e = app.people.get(user);
		const name = app.nameOf(user);
		const rank = match(name, q);
		const here = e !== undefined && e.floor !== 0;
		if (rank === -1 || (!here && !app.may('dm')))
			continue;
		out.push({ id: `p${user}`, name, rank: rank + (here ? 0 : 3),
		    kind: app.t('search.person'), icon: 'user',
		    look: app.lookOf(user), where: !here ?
		    app.t('people.away') : e.floor === app.floor?.id ?
		    app.roomName(e.room) : app.floorName(e.floor),
		    act: () => here ? app.walkToUser(user) :
		    app.writeTo(user) });
	}
	return (out);
}

function places(q: string): Found[] {
	const rooms = app.rooms().map((r): Found => ({ id: `r${r.id}`,
	    name: mapName(r.name, app.lang), kind: app.t('search.room'),
	    icon: 'door', where: app.floor?.name ?? '', rank: typeof r.name
	    === 'string' ? match(r.name, q) : Math.max(match(r.name.ja, q),
	    match(r.name.en, q)), act: () => app.walkToRoom(r.id) }));
	const floors = app.floors.filter((f) => f.id !== app.floor?.id).map((f): Found => ({ id: `f${f.id}`,
	    name: f.name, kind: app.t('search.floor'), icon: 'floor',
	    where: '', rank: match(f.name, q), act: () => app.enter(f.id) }));

	return ([...rooms, ...floors].filter((x) => x.rank !== -1));
}

/* Ids begin with f, p or r: people first, then rooms, then floors. */
function find(q: string): Found[] {
	const kind = (f: Found) => 'prf'.indexOf(f.id[0] ?? '');

	return ([...people(q), ...places(q)].sort((a, b) => a.rank - b.rank ||
	    kind(a) - kind(b) || a.name.localeCompare(b.name, app.lang)).slice(0, MOST));
}

function Hit(p: { f: Found; on: boolean; pick(): void }): JSX.Element {
	const { f } = p;
	const ref = useRef<HTMLLIElement>(null);

	useEffect(() => {
		if (p.on)
			ref.current?.scrollIntoView({ block: 'nearest' });
	}, [p.on]);
	return (
		<li ref={ref} id={`found-${f.id}`} role="option" class="found"
		    aria-selected={p.on} data-testid={`found-${f.id}`}
		    onClick={p.pick}>
			{f.look !== undefined ? <Face look={f.look}
			    size={28} /> : <span class="found-icon">
				<Icon name={f.icon} size={17} /></span>}
			<span class="grow"><Name text={f.name} /></span>
			<span class="dim"><Name text={f.where || f.kind} />
			</span>
		</li>
	);
}

/* Finds people, rooms and floors; Enter goes there. */
export function SearchDialog(): JSX.Element {
	const [q, setQ] = useState('');
	const [at, setAt] = useState(0);
	const ime = useRef(new Composition());
	useEffect(() => app.wantKnown(), []);
	useTopics('people');
	const list = find(q);
	const on = Math.min(at, list.length - 1);
	const close = () => app.open('');
	const pick = (f: Found | undefined) => {
		if (f === undefined)
			return;
		app.text = app.text && !f.id.startsWith('p');
		close();
		f.act();
	};
	const key = (e: KeyboardEvent) => {
		if (ime.current.owns(e))
			return;
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			const d = e.key === 'ArrowDown' ? 1 : -1;
			setAt((on + d + list.length) % (list.length || 1));
		} else if (e.key === 'Enter') {
			e.preventDefault();
			pick(list[on]);
		}
	};
	return (
		<Dialog title={app.t('search.title')} close={close} bare
		    kind="search" testid="search">
			<div class="search-line">
				<Icon name="search" />
				<input type="text" role="combobox" autofocus
				    list={undefined}
				    data-testid="search-input" value={q}
				    aria-label={app.t('search.hint')}
				    placeholder={app.t('search.hint')}
				    aria-expanded="true"
				    aria-controls="search-list"
				    aria-activedescendant={list[on] !==
				    undefined ? `found-${list[on].id}` :
				    undefined} autocomplete="off"
				    spellcheck={false} onInput={(e) => {
					setQ(e.currentTarget.value);
					setAt(0);
				    }} onKeyDown={key}
				    onCompositionStart={() =>
				    ime.current.start()}
				    onCompositionEnd={(e) =>
				    ime.current.end(e.timeStamp)} />
				<Close close={close} />
			</div>
			<ul id="search-list" role="listbox" class="found-list"
			    aria-label={app.t('search.title')}>
				{list.map((f, i) => <Hit key={f.id} f={f}
				    on={i === on} pick={() => pick(f)} />)}
			</ul>
			{list.length === 0 && <p class="search-none">
				<Plain text={app.t('search.none', { q })} />
			    </p>}
			<p class="search-keys">
				<span role="status">{app.t('search.count',
				    { n: list.length })}</span>
				<span>{app.t('search.keys')}</span></p>
		</Dialog>
	);
}
