import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { app } from '../app';
import type { Key } from '../i18n/ja';
import { Icon } from '../icon';
import { rules, type Rule } from '../lib/password';
import type { Judgement, Policy } from '../types';
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

const WAIT = 350;		/* ms without a key, then the server is asked */

type Judge = (pw: string, signal: AbortSignal) => Promise<Judgement>;

/*
 * What the server says of it: null while that is not known.  Nothing is asked
 * any more once it is sent: a link may be gone by the time of the answer.
 */
function useJudgement(value: string, sent: boolean, judge: Judge):
    Judgement | null {
	const [said, setSaid] = useState<Judgement | null>(null);

	useEffect(() => {
		const stop = new AbortController();

		if (sent)
			return;
		setSaid(null);
		if (value === '')
			return;
		const timer = setTimeout(() => {
			judge(value, stop.signal).then((j) =>
			    stop.signal.aborted || setSaid(j),
			    () => undefined);	/* it is told when sent */
		}, WAIT);
		return (() => {
			stop.abort();
			clearTimeout(timer);
		});
	}, [value, sent]);
	return (said);
}

const scores: Key[] = ['pw.score.0', 'pw.score.1', 'pw.score.2', 'pw.score.3',
    'pw.score.4'];

function Strength(p: { said: Judgement | null }): JSX.Element {
	const score = scores[p.said?.score ?? -1];

	return (
		<Line met={p.said !== null && !p.said.lacks.includes('weak')}
		    text={score === undefined ? app.t('pw.strength') :
		    app.t('pw.strength.now', { now: app.t(score) })} />
	);
}

/* A new password twice, with what is still missing. */
export function NewPassword(p: { policy: Policy; others: string[];
    value: string; again: string; set(v: string): void;
    setAgain(v: string): void; error?: string; sent: boolean;
    judge: Judge }): JSX.Element {
	const said = useJudgement(p.value, p.sent, p.judge);
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
				{p.policy.strength > 0 &&
				    <Strength said={said} />}
				<Line met={same} text={app.t('pw.same')} />
			</ul>
		</>
	);
}
