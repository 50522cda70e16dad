import type { JSX } from 'preact';
import { app } from '../app';
import { Dialog } from './dialog';

/* Told once, after signing in: somebody has tried to be you. */
export function FailuresDialog(p: { n: number }): JSX.Element {
	const close = () => {
		app.failures = 0;
		app.changed('ui');
	};

	return (
		<Dialog title={app.t('failures.title')} close={close}
		    testid="failures">
			<p class="lead">{app.t('failures.lead', { n: p.n })}</p>
			<div class="dialog-foot">
				<button type="button" class="button"
				    data-testid="failures-password"
				    onClick={() => {
					app.failures = 0;
					app.open('password');
				    }}>{app.t('failures.password')}</button>
				<button type="button" class="button main"
				    autofocus data-testid="failures-close"
				    onClick={close}>{app.t('ok.close')}
				</button>
			</div>
		</Dialog>
	);
}
