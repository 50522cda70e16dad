import type { JSX } from 'preact';
import { ApiError } from '../api';
import { app } from '../app';
import { TextArea } from '../ui/field';

/* A list is written one word a line. */
export function words(text: string): string[] {
	return (text.split(/[\s,]+/).filter((w) => w !== ''));
}

/* What the server says of this list, or nothing. */
function fault(e: unknown, name: string): string {
	if (!(e instanceof ApiError) || e.field !== name)
		return ('');
	if (e.word === 'excludes')
		return (app.t('err.excludes', { address: e.value }));
	if (e.word !== 'field')
		return ('');
	return (e.value === '' ? app.t('networks.many') :
	    app.t('networks.bad', { entry: e.value }));
}

/* Networks from which something is allowed; none: from anywhere. */
export function NetworksField(p: { label: string; name: string;
    value: string; set(v: string): void; error: unknown; hint?: string;
    testid: string }): JSX.Element {
	return (<TextArea label={p.label} value={p.value} set={p.set}
	    testid={p.testid} error={fault(p.error, p.name)}
	    hint={`${p.hint ?? ''}${app.t('networks.hint',
	    { address: app.address })}`} />);
}
