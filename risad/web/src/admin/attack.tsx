import type { JSX } from 'preact';
import { admin } from '../api';
import { app } from '../app';
import { Icon } from '../icon';
import { stamp } from '../lib/time';
import type { Attack } from '../types';
import { useLoad } from '../ui/data';

const RECENT = 24 * 3600 * 1000;	/* ms that the end is worth telling */
const NAMED = 3;			/* addresses */

function addresses(list: string[]): string {
	const first = list.slice(0, NAMED).join(
	    app.lang === 'ja' ? '、' : ', ');

	return (list.length <= NAMED ? first : app.t('admin.attack.more',
	    { first, n: list.length - NAMED }));
}

function Notice(p: { of: Attack }): JSX.Element {
	const { of } = p;

	return (
		<div class="notice bad attack" role="alert"
		    data-testid="admin-attack">
			<Icon name="alert" />
			<div>
				<p>{app.t(of.over ? 'admin.attack.over' :
				    'admin.attack.on', {
					begun: stamp(of.begun, app.lang),
					last: stamp(of.last, app.lang),
					accounts: of.accounts, tries: of.tries,
					addresses: addresses(of.addresses),
				    })}</p>
				{!of.over && <p>{app.t('admin.attack.hint')}
				</p>}
			</div>
		</div>
	);
}

/* What administrators have to know before anything else. */
export function AttackNotice(): JSX.Element | null {
	const load = useLoad(admin.alerts);
	const last = load.data?.alerts[0];

	return (last === undefined || (last.over &&
	    last.last < app.now() - RECENT) ? null : <Notice of={last} />);
}
