import type { JSX } from 'preact';
import { app } from '../app';
import { Icon } from '../icon';
import { rules, type Rule } from '../lib/password';
import type { Policy } from '../types';
import { PasswordField } from './field';

function words(r: Rule, policy: Policy): string {
	switch (r.id) {
	case 'min':
		return (app.t('pw.min', { min: policy.min, n: r.n }));
	case 'kinds':
		return (app.t('pw.kinds', { kinds: policy.kinds, n: r.n }));
	case 'notmail':
		return (app.t('pw.notmail'));
	}
}

function Line(p: { met: boolean; text: string }): JSX.Element {
	return (
		<li class={p.met ? 'met' : ''}>
			<span class="tick"><Icon name="check" size={13} /></span>
			{p.text}
			<span class="vh">
				{app.t(p.met ? 'pw.met' : 'pw.unmet')}
			</span>
		</li>
	);
}

/* A new password twice, with what is still missing. */
export function NewPassword(p: { policy: Policy; others: string[];
    value: string; again: string; set(v: string): void;
    setAgain(v: string): void; error?: string }): JSX.Element {
	const same = p.value !== '' && p.value === p.again;

	return (
		<>
			<PasswordField label={app.t('pw.new')} value={p.value}
			    set={p.set} fresh error={p.error}
			    testid="password-new" />
			<PasswordField label={app.t('pw.again')} fresh
			    value={p.again} set={p.setAgain}
			    testid="password-again" />
			<ul class="rules" aria-label={app.t('pw.rules')}
			    data-testid="password-rules">
				{rules(p.value, p.policy, p.others).map((r) =>
				    <Line key={r.id} met={r.met}
					text={words(r, p.policy)} />)}
				<Line met={same} text={app.t('pw.same')} />
			</ul>
		</>
	);
}
