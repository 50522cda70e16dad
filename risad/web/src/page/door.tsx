import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { app, errorKey, fieldKey, inviteToken } from '../app';
import { Icon } from '../icon';
import { initial, length } from '../lib/text';
import { allMet, rules } from '../lib/password';
import { passkeysWork } from '../lib/webauthn';
import type { InviteInfo } from '../types';
import { atField, FormError, PasswordField, problem, TextField } from
    '../ui/field';
import { LangSwitch } from '../ui/lang';
import { NewPassword } from '../ui/newpassword';
import { PasskeyButton } from '../ui/passkeys';
import { Name, Plain } from '../ui/text';
import { second, SecondStep, type Second } from './second';
import { CheckLink } from './talkcheck';

/* The pages in front of the office: one card on paper. */

function Logo(): JSX.Element {
	return (<span class="logo" aria-hidden="true">
		{initial(app.tenant.title) || initial(app.t(
		    'app.name'))}</span>);
}

export function DoorCard(p: { title: string; lead?: string;
    children?: ComponentChildren; testid?: string }): JSX.Element {
	return (
		<main class="door" data-testid={p.testid}>
			<div class="door-card">
				<div class="door-head">
					<Logo />
					<span class="door-tenant">
						<Name text={app.tenant.title} />
					</span>
					<LangSwitch />
				</div>
				<h1><Plain text={p.title} /></h1>
				{p.lead && <p class="lead">
					<Plain text={p.lead} /></p>}
				{p.children}
			</div>
		</main>
	);
}

export function SignIn(): JSX.Element {
	const [email, setEmail] = useState('');
	const [password, setPassword] = useState('');
	const [error, setError] = useState<unknown>(null);
	const [tried, setTried] = useState(false);
	const [busy, setBusy] = useState(false);
	const [step, setStep] = useState<Second | null>(null);
	const form = useRef<HTMLFormElement>(null);

	const submit = async (e: Event) => {
		e.preventDefault();
		setTried(true);
		if (busy)
			return;
		if (email.trim() === '' || password === '') {
			form.current?.querySelectorAll('input')[
			    email.trim() === '' ? 0 : 1]?.focus();
			return;
		}
		setBusy(true);
		setError(null);
		try {
			app.signedIn(await api.signIn(email.trim(), password));
		} catch (x) {
			const more = second(x, email.trim(), password);
			setStep(more);
			setError(more === null ? x : null);
			app.slips += Number(errorKey(x) === 'err.sign-in');
			setBusy(false);
		}
	};
	if (step !== null)
		return (<SecondStep of={step} back={() => {
			setStep(null);
			setPassword('');
		}} />);
	const missing = (v: string, key: 'email' | 'password') =>
	    tried && v === '' ? app.t(`signin.need.${key}`) : '';
	return (
		<DoorCard testid="signin" title={app.t('signin.title',
		    { tenant: app.tenant.title })} lead={app.t('signin.lead')}>
			{app.reason !== '' && error === null &&
			    <p class="notice" role="status"
				data-testid="signin-reason">
				<Icon name="alert" />{app.t(app.reason)}</p>}
			{app.info?.notices.map((n) =>
			    <p class="notice" key={n}><bdi>{n}</bdi></p>)}
			<FormError text={problem(error)} testid="signin-error" />
			<form ref={form} class="form" noValidate
			    onSubmit={(e) => void submit(e)}>
				<TextField label={app.t('signin.email')}
				    type="email" autocomplete="username"
				    value={email} set={setEmail} autofocus
				    error={missing(email.trim(), 'email')}
				    testid="signin-email" />
				<PasswordField label={app.t('signin.password')}
				    value={password} set={setPassword}
				    error={missing(password, 'password')}
				    testid="signin-password" />
				<button class="button main wide" type="submit"
				    aria-disabled={busy}
				    data-testid="signin-submit">
					{app.t(busy ? 'signin.busy' :
					    'signin.submit')}
				</button>
			</form>
			{passkeysWork() && <PasskeyButton first={null}
			    failed={(x) => {
				setTried(false);
				setError(x);
			    }} />}
			<p class="hint foot">{app.t('signin.help')}{' '}
				<CheckLink /></p>
		</DoorCard>
	);
}

function InviteGone(): JSX.Element {
	return (
		<DoorCard testid="invite-gone" lead={app.t('err.link')}
		    title={app.t('invite.gone.title')}>
			<button class="button wide" type="button"
			    onClick={() => {
				app.go('/');
				void app.boot();
			    }}>{app.t('invite.gone.signin')}</button>
		</DoorCard>
	);
}

/* Sends the chosen name and password; says at which field it failed. */
function useAccept(info: InviteInfo) {
	const [error, setError] = useState<unknown>(null);
	const [busy, setBusy] = useState(false);

	const accept = async (password: string, name: string) => {
		setBusy(true);
		setError(null);
		try {
			app.signedIn(await api.accept(inviteToken(app.path),
			    password, info.kind === 'reset' ? '' : name));
		} catch (x) {
			setError(x);
			setBusy(false);
		}
	};
	return ({ error, busy, accept });
}

function InviteForm(p: { info: InviteInfo }): JSX.Element {
	const { info } = p;
	const reset = info.kind === 'reset';
	const [name, setName] = useState(info.name);
	const [pw, setPw] = useState('');
	const [again, setAgain] = useState('');
	const { error, busy, accept } = useAccept(info);
	const step = second(error, info.email, pw);
	const others = [info.email, name];
	const named = reset || (name.trim() !== '' && length(name) <= 64);
	const ready = named && pw === again &&
	    allMet(rules(pw, info.policy, others));

	/* The password is set; the account has a second factor. */
	if (step !== null)
		return (<SecondStep of={step} back={() => {
			app.go('/');
			void app.boot();
		}} />);
	return (
		<DoorCard testid="invite" title={app.t(reset ?
		    'invite.reset.title' : 'invite.title',
		    { tenant: info.tenant.title })}
		    lead={app.t(reset ? 'invite.reset.lead' : 'invite.lead',
		    { email: info.email })}>
			<FormError text={fieldKey(error) === '' ?
			    problem(error) : ''} />
			<form class="form" noValidate onSubmit={(e) => {
				e.preventDefault();
				if (ready && !busy)
					void accept(pw, name.trim());
			}}>
				{/* lets a password manager file it rightly */}
				<input class="vh" type="email" tabIndex={-1}
				    autocomplete="username" readOnly
				    aria-hidden="true" value={info.email} />
				{!reset && <TextField value={name}
				    label={app.t('invite.name')} set={setName}
				    hint={app.t('invite.name.hint')} autofocus
				    autocomplete="name" error={atField(error, 'name')}
				    testid="invite-name" />}
				<NewPassword policy={info.policy} value={pw}
				    others={others} again={again} set={setPw}
				    setAgain={setAgain} sent={busy}
				    judge={(v, signal) => api.judgeInvite(
				    inviteToken(app.path), v, reset ? '' :
				    name.trim(), signal)}
				    error={atField(error, 'password', 'new')} />
				<button class="button main wide" type="submit"
				    disabled={!ready || busy}
				    data-testid="invite-submit">
					{app.t(reset ? 'invite.reset.submit' :
					    'invite.submit')}
				</button>
			</form>
		</DoorCard>
	);
}

export function Invite(): JSX.Element {
	useEffect(() => {
		if (app.invite !== null)
			app.tenant = app.invite.tenant;
	}, []);
	return (app.invite === null ? <InviteGone /> :
	    <InviteForm info={app.invite} />);
}

/* Nothing can be shown: say why, and try again. */
export function Broken(): JSX.Element {
	return (
		<DoorCard title={app.t('app.name')} testid="broken"
		    lead={app.t(app.problem, { seconds: 30,
		    address: app.address })}>
			<button class="button main wide" type="button"
			    onClick={() => void app.boot()}>
				{app.t('ok.retry')}</button>
		</DoorCard>
	);
}
