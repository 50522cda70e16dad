import type { JSX } from 'preact';
import { admin, api } from '../api';
import { app } from '../app';
import { device } from '../lib/device';
import { stamp } from '../lib/time';
import type { AdminUser, Signin } from '../types';
import { useAct, useLoad } from './data';
import { Dialog } from './dialog';
import { FormError, problem } from './field';
import { Plain } from './text';
import { Waiting } from './waiting';

function Row(p: { of: Signin; end?(): void; busy: boolean }): JSX.Element {
	const { of } = p;
	const name = device(of.agent) || app.t('signins.unknown');

	return (
		<li class="signin-row" data-testid={`signin-${of.id}`}>
			<div class="grow">
				<b>{name}</b>
				{of.own && <span class="self-tag">
					{app.t('signins.own')}</span>}
				<p class="dim">{app.t('signins.since', { when:
				    stamp(of.created, app.lang),
				    address: of.address })}</p>
				<p class="dim">{of.live ?
				    app.t('signins.live') :
				    app.t('signins.last', { when:
				    stamp(of.seen, app.lang) })}</p>
			</div>
			{p.end !== undefined && <button type="button"
			    class="button small" disabled={p.busy}
			    aria-label={`${app.t('signins.end')}: ${name}`}
			    data-testid={`signin-end-${of.id}`}
			    onClick={p.end}>{app.t('signins.end')}</button>}
		</li>
	);
}

/* Where somebody is signed in: oneself, or another for administrators. */
export function SigninsDialog(p: { user?: AdminUser; name?: string;
    close(): void }): JSX.Element {
	const { user } = p;
	const load = useLoad(() => user === undefined ? api.signins() :
	    admin.signins(user.id));
	const act = useAct();
	const list = load.data?.signins ?? [];
	const end = (call: () => Promise<void>) => act.run(async () => {
		await call();
		load.again();
		app.tell(app.t('signins.ended'));
	});
	const all = () => user === undefined ? api.endOthers() :
	    admin.endSignins(user.id);
	const some = list.some((s) => !s.own);

	return (
		<Dialog title={app.t('signins.title')} close={p.close}
		    testid="signins">
			<p class="lead">{user === undefined ?
			    app.t('signins.lead') : <Plain text={app.t(
			    'signins.lead.of', { name: p.name ?? '' })} />}</p>
			{load.data === null ? <Waiting of={load} /> :
			    <ul class="signin-list">{list.map((s) =>
				<Row key={s.id} of={s} busy={act.busy}
				    end={s.own || user !== undefined ?
				    undefined : () => void end(() =>
				    api.endSignin(s.id))} />)}</ul>}
			{load.data !== null && list.length === 0 &&
			    <p class="empty">{app.t('signins.none')}</p>}
			<FormError text={problem(act.error)} />
			<div class="dialog-foot">
				<button type="button" class="button"
				    onClick={p.close}>{app.t('ok.close')}
				</button>
				<button type="button" class="button danger"
				    disabled={!some || act.busy}
				    data-testid="signins-end-all"
				    onClick={() => void end(all)}>
					{app.t(user === undefined ?
					    'signins.others' : 'signins.all')}
				</button>
			</div>
		</Dialog>
	);
}
