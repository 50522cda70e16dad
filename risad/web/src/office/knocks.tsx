import type { JSX } from 'preact';
import { app } from '../app';
import { Icon } from '../icon';
import type { Knock } from '../types';
import { GuestTag } from '../ui/face';
import { useTopics } from '../ui/hooks';
import { Name } from '../ui/text';

function Line(p: { k: Knock }): JSX.Element {
	const floors = p.k.floors.map((f) => app.floorName(f))
	    .filter(Boolean).join(', ');
	const label = (key: 'door.admit' | 'door.refuse') =>
	    `${app.t(key)}: ${p.k.name}`;

	return (
		<li class="knock" data-testid={`knock-${p.k.id}`}>
			<span class="knock-icon"><Icon name="door" size={20} />
			</span>
			<p class="grow">
				<b><Name text={p.k.name} /></b> <GuestTag />
				<small class="dim">{app.t('door.waits')}
					{floors !== '' && <> · <Name
					    text={floors} /></>}</small>
			</p>
			<span class="knock-acts">
				<button type="button" class="button small"
				    aria-label={label('door.refuse')}
				    data-testid={`knock-refuse-${p.k.id}`}
				    onClick={() => app.admit(p.k.id, false)}>
					{app.t('door.refuse')}</button>
				<button type="button"
				    class="button main small"
				    aria-label={label('door.admit')}
				    data-testid={`knock-admit-${p.k.id}`}
				    onClick={() => app.admit(p.k.id, true)}>
					{app.t('door.admit')}</button>
			</span>
		</li>
	);
}

/* Who is at the door: in nobody's way, and answered from any page. */
export function Knocks(): JSX.Element | null {
	useTopics('ui', 'floor', 'me');
	if (app.knocks.length === 0 || !app.may('guest'))
		return (null);
	return (
		<section class="knocks" aria-label={app.t('door.title')}
		    data-testid="knocks">
			<ul>{app.knocks.map((k) => <Line key={k.id} k={k} />)}
			</ul>
		</section>
	);
}
