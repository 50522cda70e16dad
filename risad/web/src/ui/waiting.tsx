import type { JSX } from 'preact';
import { app } from '../app';
import type { Loaded } from './data';
import { problem } from './field';

/* Until there is something: waiting, or what went wrong. */
export function Waiting<T>(p: { of: Loaded<T> }): JSX.Element {
	return (p.of.error === null ? <p class="empty" role="status">
		{app.t('ok.loading')}</p> :
	    <div class="empty" role="alert">
		<p>{problem(p.of.error)}</p>
		<button type="button" class="button small"
		    onClick={p.of.again}>{app.t('ok.retry')}</button>
	</div>);
}
