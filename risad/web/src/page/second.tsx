import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { app } from '../app';
import { PasswordForm } from '../office/profile';
import { CodeField, FormError, problem } from '../ui/field';
import { SetUp } from '../ui/factor';
import { passkeysWork } from '../lib/webauthn';
import { PasskeyButton, Passkeys } from '../ui/passkeys';
import { DoorCard } from './door';

/* What a sign-in lacks that has the right password. */
export interface Second {
	email: string;
	password: string;
	methods: string[];
}

/* The same of an error, or null when it is another one. */
export function second(e: unknown, email: string, password: string):
    Second | null {
	return (e instanceof ApiError && e.word === 'second-factor' ?
	    { email, password, methods: e.methods } : null);
}

/* The second step of a sign-in: all is sent once more, with a code. */
export function SecondStep(p: { of: Second; back(): void }): JSX.Element {
	const { of } = p;
	const totp = of.methods.includes('totp');
	const passkey = of.methods.includes('passkey') && passkeysWork();
	const codes = totp || of.methods.includes('recovery') || !passkey;
	const [code, setCode] = useState('');
	const [recovery, setRecovery] = useState(!totp);
	const [error, setError] = useState<unknown>(null);
	const [busy, setBusy] = useState(false);
	const wrong = second(error, '', '') !== null;

	const submit = async (e: Event) => {
		e.preventDefault();
		if (busy || code.trim() === '')
			return;
		setBusy(true);
		setError(null);
		try {
			app.signedIn(await api.signIn(of.email, of.password,
			    code.trim()));
		} catch (x) {
			app.slips += Number(second(x, '', '') !== null);
			setError(x);
			setBusy(false);
		}
	};
	return (
		<DoorCard testid="second" title={app.t('second.title')}
		    lead={app.t(!codes ? 'second.lead.passkey' : recovery ?
		    'second.lead.recovery' : 'second.lead')}>
			<FormError text={wrong ? '' : problem(error)}
			    testid="second-error" />
			{codes && <form class="form" noValidate
			    onSubmit={(e) => void submit(e)}>
				<CodeField key={String(recovery)} autofocus
				    value={code} set={setCode} letters={recovery}
				    label={app.t(recovery ? 'second.recovery' :
				    'factor.code')} testid="second-code"
				    error={wrong ? app.t('second.wrong') : ''} />
				<button class="button main wide" type="submit"
				    aria-disabled={busy}
				    data-testid="second-submit">
					{app.t(busy ? 'signin.busy' :
					    'signin.submit')}</button>
			</form>}
			{passkey && <PasskeyButton first={of} alone={!codes}
			    failed={setError} />}
			<div class="door-acts">
				{totp && of.methods.includes('recovery') &&
				<button type="button" class="button wide"
				    data-testid="second-switch"
				    onClick={() => {
					setCode('');
					setError(null);
					setRecovery(!recovery);
				    }}>{app.t(recovery ? 'second.use.totp' :
				    'second.use.recovery')}</button>}
				<button type="button" class="button wide"
				    data-testid="second-back" onClick={p.back}>
					{app.t('ok.back')}</button>
			</div>
			<p class="hint foot">{app.t('second.help')}</p>
		</DoorCard>
	);
}

/* Who must do something first sees this and nothing else. */
export function Must(): JSX.Element {
	const old = app.must.includes('password');
	const done = () => void app.boot();

	return (
		<DoorCard testid="must" title={app.t(old ? 'must.password.title' :
		    'must.title')} lead={app.t(old ? 'must.password.lead' :
		    'must.lead', { tenant: app.tenant.title })}>
			{old ? <PasswordForm done={done} /> :
			    <SetUp done={done} />}
			{!old && passkeysWork() && <Passkeys changed={done} />}
			<div class="door-acts">
				<button type="button" class="button wide"
				    data-testid="must-out" onClick={() =>
				    void app.signOut().catch((e: unknown) =>
				    app.tell(app.t(app.failed(e))))}>
					{app.t('me.signout')}</button>
			</div>
		</DoorCard>
	);
}
