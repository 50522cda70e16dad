import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin, ApiError } from '../api';
import { app } from '../app';
import type { Rules, RuleSet } from '../types';
import { FormError, NumberField, problem, SelectField } from '../ui/field';
import { type Loaded, useAct, useLoad } from './data';
import { Head, Waiting } from './parts';

const LENGTH = 'password-length';
const KINDS = 'password-kinds';

function Form(p: { of: Loaded<RuleSet>; set: RuleSet }): JSX.Element {
	const was = p.set.policy;
	const [now, setNow] = useState<Rules>(was);
	const act = useAct();
	const [min, max] = p.set.bounds[LENGTH] ?? [0, 0];
	const length = now[LENGTH] ?? NaN;
	const bad = !(length >= min && length <= max);
	const changed = Object.keys(was).some((k) => was[k] !== now[k]);
	const put = (name: string, n: number) => setNow({ ...now, [name]: n });
	const late = act.error instanceof ApiError &&
	    act.error.word === 'conflict';
	const save = () => act.run(async () => {
		const r = await admin.setRules(was, now);
		p.of.put(r);
		setNow(r.policy);
		app.tell(app.t('ok.saved'));
	});

	return (
		<form class="form narrow" onSubmit={(e) => {
			e.preventDefault();
			if (!bad && changed)
				void save();
		}}>
			<NumberField label={app.t('admin.rules.length')}
			    value={length} min={min} max={max}
			    set={(n) => put(LENGTH, n)}
			    testid="admin-rules-length" error={bad ?
			    app.t('admin.rules.range', { min, max }) : ''}
			    hint={app.t('admin.rules.range', { min, max })} />
			<SelectField label={app.t('admin.rules.kinds')}
			    value={String(now[KINDS])} testid="admin-rules-kinds"
			    set={(v) => put(KINDS, Number(v))}
			    options={[1, 2, 3, 4].map((n) => [String(n),
			    app.t(n === 1 ? 'admin.rules.kinds.any' :
			    'admin.rules.kinds.some', { n })])} />
			{late ? <>
				<FormError text={app.t('admin.rules.late')}
				    testid="admin-rules-late" />
				<div><button type="button" class="button"
				    onClick={p.of.again}
				    data-testid="admin-rules-again">
					{app.t('admin.rules.again')}
				</button></div>
			</> : <FormError text={problem(act.error)} />}
			<div><button type="submit" class="button main"
			    disabled={bad || !changed || late || act.busy}
			    data-testid="admin-rules-save">
				{app.t('ok.save')}</button></div>
		</form>
	);
}

/* What passwords of this tenant have to be from now on. */
export function AdminRules(): JSX.Element {
	const load = useLoad(admin.rules);

	return (
		<>
			<Head title={app.t('admin.rules')}
			    lead={app.t('admin.rules.lead')} />
			{load.data === null ? <Waiting of={load} /> :
			    <Form key={JSON.stringify(load.data.policy)}
				of={load} set={load.data} />}
		</>
	);
}
