import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import { device } from '../lib/device';
import { length } from '../lib/text';
import { stamp } from '../lib/time';
import { makePasskey, passkeysWork, usePasskey } from '../lib/webauthn';
import type { Passkey } from '../types';
import { useAct, useLoad } from './data';
import { Name, Plain } from './text';
import { atField, FormError, PasswordField, problem, TextField } from
    './field';
import { Waiting } from './waiting';

/* What is being done, and to which of them. */
type Doing = null | { what: 'add' } | { what: 'name' | 'drop'; of: Passkey };

/* 401 here speaks of the present password, not of the sign-in. */
function wrong(e: unknown): boolean {
	return (e instanceof ApiError && e.word === 'sign-in');
}

function Row(p: { of: Passkey; start(what: 'name' | 'drop'): void }):
    JSX.Element {
	const { of } = p;

	return (
		<li class="signin-row" data-testid={`passkey-${of.id}`}>
			<Icon name="passkey" size={20} />
			<div class="grow">
				<b><Name text={of.name} /></b>
				<p class="dim">{app.t('passkeys.created', {
				    when: stamp(of.created, app.lang) })}</p>
				<p class="dim">{of.last === 0 ?
				    app.t('passkeys.unused') :
				    app.t('passkeys.last', { when:
				    stamp(of.last, app.lang) })}</p>
			</div>
			<button type="button" class="icon-button"
			    title={app.t('passkeys.rename')}
			    aria-label={`${app.t('passkeys.rename')}: ${of.name}`}
			    data-testid={`passkey-name-${of.id}`}
			    onClick={() => p.start('name')}>
				<Icon name="edit" /></button>
			<button type="button" class="icon-button"
			    title={app.t('passkeys.remove')}
			    aria-label={`${app.t('passkeys.remove')}: ${of.name}`}
			    data-testid={`passkey-drop-${of.id}`}
			    onClick={() => p.start('drop')}>
				<Icon name="trash" /></button>
		</li>
	);
}

/* A new one, a new name, or the end of one. */
function Form(p: { doing: NonNullable<Doing>; done(): void; back(): void }):
    JSX.Element {
	const { doing } = p;
	const [name, setName] = useState(doing.what === 'add' ?
	    device(navigator.userAgent) : doing.of.name);
	const [password, setPassword] = useState('');
	const act = useAct();
	const named = name.trim() !== '' && length(name.trim()) <= 64;
	const ready = (doing.what === 'drop' || named) &&
	    (doing.what === 'name' || password !== '');
	const run = async () => {
		if (doing.what === 'name')
			await api.namePasskey(doing.of.id, name.trim());
		else if (doing.what === 'drop')
			await api.dropPasskey(doing.of.id, password);
		else
			await api.addPasskey(password, name.trim(),
			    await makePasskey(await api.passkeyOptions()));
		p.done();
	};

	return (
		<form class="form" data-testid="passkey-form" noValidate
		    onSubmit={(e) => {
			e.preventDefault();
			if (ready)
				void act.run(run);
		    }}>
			<h3><Plain text={app.t(`passkeys.${doing.what}.title`,
			    { name: doing.what === 'add' ? '' :
			    doing.of.name })} /></h3>
			{doing.what !== 'name' && <p class="lead">
				{app.t(`passkeys.${doing.what}.lead`)}</p>}
			{doing.what !== 'drop' &&
			    <TextField label={app.t('passkeys.name')}
				value={name} set={setName} autofocus
				hint={app.t('passkeys.name.hint')}
				error={atField(act.error, 'name')}
				testid="passkey-name" />}
			{doing.what !== 'name' && <>
				<input class="vh" type="email" tabIndex={-1}
				    autocomplete="username" readOnly
				    aria-hidden="true"
				    value={app.user?.email} />
				<PasswordField value={password}
				    label={app.t('pw.current')}
				    set={setPassword}
				    autofocus={doing.what === 'drop'}
				    error={wrong(act.error) ?
				    app.t('err.current') : ''}
				    testid="passkey-password" /></>}
			<FormError testid="passkey-error"
			    text={wrong(act.error) || atField(act.error,
			    'name') !== '' ? '' : fieldKey(act.error) !== '' ?
			    app.t(fieldKey(act.error) || 'err.other') :
			    problem(act.error)} />
			<div class="dialog-foot">
				<button type="button" class="button"
				    onClick={p.back}>{app.t('ok.cancel')}
				</button>
				<button type="submit"
				    disabled={!ready || act.busy}
				    class={`button ${doing.what === 'drop' ?
				    'danger' : 'main'}`}
				    data-testid="passkey-submit">
					{app.t(`passkeys.${doing.what}.do`)}
				</button>
			</div>
		</form>
	);
}

/* One's own passkeys, wherever that belongs. */
export function Passkeys(p: { changed?(): void }): JSX.Element {
	const load = useLoad(() => api.passkeys());
	const [doing, setDoing] = useState<Doing>(null);
	const list = load.data?.passkeys ?? [];
	const full = load.data !== null && list.length >= load.data.max;

	if (doing !== null)
		return (<Form doing={doing} back={() => setDoing(null)}
		    done={() => {
			app.tell(app.t(`passkeys.${doing.what}.done`));
			setDoing(null);
			load.again();
			p.changed?.();
		    }} />);
	if (load.data === null)
		return (<Waiting of={load} />);
	return (
		<section class="passkeys" data-testid="passkeys">
			<h3>{app.t('passkeys.title')}</h3>
			<p class="hint">{app.t('passkeys.lead')}</p>
			{list.length === 0 ?
			    <p class="empty">{app.t('passkeys.none')}</p> :
			    <ul class="signin-list">{list.map((k) =>
				<Row key={k.id} of={k} start={(what) =>
				setDoing({ what, of: k })} />)}</ul>}
			{!passkeysWork() && <p class="hint">
				{app.t('passkeys.unable')}</p>}
			{full && <p class="hint">{app.t('passkeys.full',
			    { max: load.data.max })}</p>}
			<button type="button" class="button wide"
			    disabled={full || !passkeysWork()}
			    data-testid="passkey-add"
			    onClick={() => setDoing({ what: 'add' })}>
				<Icon name="plus" size={16} />
				{app.t('passkeys.add')}</button>
		</section>
	);
}

/*
 * Signs in with one: as all that is needed, the device knowing who it is, or
 * after mail address and password.  alone: there is no other way here.
 */
export function PasskeyButton(p: { first: { email: string;
    password: string } | null; alone?: boolean; failed(e: unknown): void }):
    JSX.Element {
	const [busy, setBusy] = useState(false);
	const run = async () => {
		if (busy)
			return;
		setBusy(true);
		p.failed(null);
		try {
			const o = await api.passkeyChallenge(p.first === null ?
			    'sign-in' : 'second-factor');
			app.signedIn(await api.signInPasskey(
			    await usePasskey(o), p.first));
		} catch (e) {
			/* What is wrong is neither password nor code. */
			p.failed(e instanceof ApiError && e.status === 401 ?
			    new ApiError('passkey', e.status) : e);
			setBusy(false);
		}
	};

	return (
		<>
			{!p.alone && <p class="or">{app.t('signin.or')}</p>}
			<button type="button" data-testid="signin-passkey"
			    class={`button wide${p.alone ? ' main' : ''}`}
			    aria-disabled={busy} onClick={() => void run()}>
				<Icon name="passkey" />
				{app.t(busy ? 'signin.passkey.busy' :
				    p.first === null ? 'signin.passkey' :
				    'second.passkey')}
			</button>
		</>
	);
}
