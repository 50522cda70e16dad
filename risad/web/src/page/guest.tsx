import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { app, fieldKey, guestToken } from '../app';
import type { Key } from '../i18n/index';
import { Icon } from '../icon';
import { length } from '../lib/text';
import type { GuestInfo } from '../types';
import { atField, FormError, PasswordField, problem, TextField } from
    '../ui/field';
import { useTopics } from '../ui/hooks';
import { Plain } from '../ui/text';
import { DoorCard } from './door';
import { CheckLink } from './talkcheck';

/* The pages of somebody who comes by a URL for guests. */

function Gone(): JSX.Element {
	return (
		<DoorCard testid="guest-gone" lead={app.t('guest.gone.lead')}
		    title={app.t('guest.gone.title')}>
			<button class="button wide" type="button"
			    onClick={() => {
				app.go('/');
				void app.boot();
			    }}>{app.t('invite.gone.signin')}</button>
		</DoorCard>
	);
}

/* Who is a member here need not come in as a guest. */
function Member(): JSX.Element {
	return (
		<div class="notice">
			<Icon name="user" />
			<div class="grow">
				<p><Plain text={app.t('guest.member',
				    { name: app.user?.name ?? '' })} /></p>
				<button type="button" class="button small"
				    data-testid="guest-member" onClick={() => {
					app.go('/');
					void app.boot();
				    }}>{app.t('guest.member.enter')}</button>
			</div>
		</div>
	);
}

/* The words for a wrong password are others than at the sign-in. */
function wrong(e: unknown): string {
	return (e instanceof ApiError && e.word === 'sign-in' ?
	    app.t('guest.password.wrong') : atField(e, 'password'));
}

function Form(p: { info: GuestInfo }): JSX.Element {
	const [name, setName] = useState('');
	const [password, setPassword] = useState('');
	const [error, setError] = useState<unknown>(null);
	const [busy, setBusy] = useState(false);
	const n = length(name.trim());
	const ready = n > 0 && n <= 64 && (!p.info.password || password !== '');

	const submit = async (e: Event) => {
		e.preventDefault();
		if (!ready || busy)
			return;
		setBusy(true);
		setError(null);
		try {
			app.signedIn(await api.comeIn(guestToken(app.path),
			    name.trim(), password));
		} catch (x) {
			setError(x);
			setBusy(false);
		}
	};
	const whole = fieldKey(error) === '' && wrong(error) === '' ?
	    problem(error) : '';
	return (
		<DoorCard testid="guest" title={app.t('guest.title',
		    { tenant: app.tenant.title })}
		    lead={app.t(p.info.approval ? 'guest.lead.door' :
		    'guest.lead')}>
			{app.user !== null && <Member />}
			<FormError text={whole} testid="guest-error" />
			<form class="form" noValidate
			    onSubmit={(e) => void submit(e)}>
				<TextField label={app.t('guest.name')}
				    value={name} set={setName} autofocus
				    autocomplete="name" testid="guest-name"
				    hint={app.t('guest.name.hint')}
				    error={atField(error, 'name')} />
				{p.info.password && <PasswordField
				    label={app.t('guest.password')}
				    value={password} set={setPassword}
				    hint={app.t('guest.password.hint')}
				    error={wrong(error)}
				    testid="guest-password" />}
				<button class="button main wide" type="submit"
				    disabled={!ready || busy}
				    data-testid="guest-submit">
					{app.t(p.info.approval ?
					    'guest.submit.door' :
					    'guest.submit')}</button>
			</form>
			<p class="hint foot">{app.t('guest.help')}{' '}
				<CheckLink /></p>
		</DoorCard>
	);
}

export function GuestEntry(): JSX.Element {
	return (app.guest === null ? <Gone /> : <Form info={app.guest} />);
}

/* Waiting at the door: nothing of the office is seen from here. */
export function Lobby(): JSX.Element {
	useTopics('net', 'me');
	const off = app.net === 'waiting';

	return (
		<DoorCard testid="lobby" title={app.t('lobby.title')}
		    lead={app.t('lobby.lead', { name: app.user?.name ?? '' })}>
			<div class="lobby" role="status">
				<span class="lobby-door"><Icon name="closed"
				    size={46} /></span>
				<p>{app.t(off ? 'lobby.offline' :
				    'lobby.waits')}</p>
			</div>
			<button type="button" class="button wide"
			    data-testid="lobby-leave" onClick={() =>
			    void app.signOut().catch((e: unknown) =>
			    app.tell(app.t(app.failed(e))))}>
				{app.t('lobby.leave')}</button>
			<p class="hint foot"><CheckLink /></p>
		</DoorCard>
	);
}

function reason(): Key {
	if (app.reason === '' || app.reason === 'signin.out')
		return ('over.out');
	return (app.reason === 'signin.ended' ? 'over.ended' : app.reason);
}

/* The visit is over; the URL may still be good. */
export function Over(): JSX.Element {
	return (
		<DoorCard testid="over" title={app.t('over.title')}
		    lead={app.t(reason())}>
			<button type="button" class="button wide"
			    data-testid="over-again"
			    onClick={() => void app.comeAgain()}>
				{app.t(app.guestPath === '' ?
				    'over.signin' : 'over.again')}</button>
		</DoorCard>
	);
}
