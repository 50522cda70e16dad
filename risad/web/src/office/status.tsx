import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app, errorKey } from '../app';
import { length } from '../lib/text';
import type { Status } from '../types';
import { Dot } from '../ui/face';
import { FormError, TextField } from '../ui/field';

const ALL: Status[] = ['available', 'busy', 'away', 'dnd'];

/* Chooses the status, and a note to it. */
export function StatusForm(p: { done(): void }): JSX.Element | null {
	const me = app.user;
	const [note, setNote] = useState(me?.note ?? '');
	const [status, setStatus] = useState<Status>(me?.status ??
	    'available');
	const [error, setError] = useState('');

	if (me === null)
		return (null);
	const long = length(note) > 80;
	const set = async (s: Status, close: boolean) => {
		if (long)
			return;
		try {
			await app.setStatus(s, note.trim());
			if (close)
				p.done();
		} catch (e) {
			setError(app.t(errorKey(e)));
		}
	};
	return (
		<form class="status-form" onSubmit={(e) => {
			e.preventDefault();
			void set(status, true);
		}}>
			<fieldset>
				<legend>{app.t('status.title')}</legend>
				{ALL.map((s) => <label key={s} class="choice">
					<input type="radio" name="status"
					    value={s} checked={status === s}
					    data-testid={`status-${s}`}
					    onChange={() => {
						setStatus(s);
						void set(s, false);
					    }} />
					<Dot status={s} />
					{app.t(`status.${s}`)}
				</label>)}
			</fieldset>
			<TextField label={app.t('status.note')} value={note}
			    set={setNote} testid="status-note"
			    placeholder={app.t('status.note.hint')}
			    error={long ? app.t('field.note') : ''} />
			<FormError text={error} />
			<button class="button main small" type="submit"
			    disabled={long} data-testid="status-save">
				{app.t('status.note.save')}</button>
		</form>
	);
}
