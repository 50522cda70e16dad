import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import { length } from '../lib/text';
import { allMet, rules } from '../lib/password';
import { stamp } from '../lib/time';
import type { LangChoice, Look, Policy } from '../types';
import { Dialog, DialogFoot } from '../ui/dialog';
import { Face } from '../ui/face';
import { atField, FormError, PasswordField, problem, SelectField, TextField }
    from '../ui/field';
import { NewPassword } from '../ui/newpassword';

type Part = keyof Look;

const PARTS: [Part, number][] = [['skin', 6], ['hair', 10], ['tint', 8],
    ['face', 6], ['shirt', 12], ['extra', 6]];

/* One row of a part: every choice as the face it would make. */
function Row(p: { part: Part; n: number; look: Look;
    set(l: Look): void }): JSX.Element {
	const name = app.t(`look.${p.part}`);

	return (
		<fieldset class="look-row">
			<legend>{name}</legend>
			<div class="look-choices">
				{Array.from({ length: p.n }, (_, i) =>
				    <label key={i} class="look-choice">
					<input type="radio" name={p.part}
					    checked={p.look[p.part] === i}
					    data-testid={`look-${p.part}-${i}`}
					    aria-label={p.part === 'extra' &&
					    i === 0 ? app.t('look.none') :
					    app.t('look.n', { part: name,
					    n: i + 1 })}
					    onChange={() => p.set({ ...p.look,
					    [p.part]: i })} />
					<Face size={42} look={{ ...p.look,
					    [p.part]: i }} />
				    </label>)}
			</div>
		</fieldset>
	);
}

function chance(): Look {
	const b = crypto.getRandomValues(new Uint8Array(PARTS.length));
	const look = { skin: 0, hair: 0, tint: 0, face: 0, shirt: 0,
	    extra: 0 };

	PARTS.forEach(([part, n], i) => {
		look[part] = (b[i] ?? 0) % n;
	});
	return (look);
}

function Looks(p: { look: Look; set(l: Look): void }): JSX.Element {
	return (
		<div class="looks">
			<div class="look-now" data-testid="look-preview">
				<Face look={p.look} size={112} />
				<button type="button" class="button small"
				    onClick={() => p.set(chance())}>
					<Icon name="random" size={16} />
					{app.t('profile.random')}</button>
			</div>
			<div class="look-rows">{PARTS.map(([part, n]) =>
			    <Row key={part} part={part} n={n} look={p.look}
				set={p.set} />)}</div>
		</div>
	);
}

/* Name, avatar and language. */
export function ProfileDialog(): JSX.Element | null {
	const me = app.user;
	const [name, setName] = useState(me?.name ?? '');
	const [look, setLook] = useState<Look | null>(me?.look ?? null);
	const [lang, setLang] = useState<LangChoice>(me?.lang ?? '');
	const [error, setError] = useState<unknown>(null);
	const close = () => app.open('');

	if (me === null || look === null)
		return (null);
	const guest = me.role === 'guest';
	const bad = name.trim() === '' || length(name.trim()) > 64;
	const save = async (e: Event) => {
		e.preventDefault();
		if (bad)
			return;
		try {
			app.setMe((await api.me(guest ? { look, lang } :
			    { name: name.trim(), look, lang })).user);
			close();
			app.tell(app.t('ok.saved'));
		} catch (x) {
			app.failed(x);
			setError(x);
		}
	};
	return (
		<Dialog title={app.t('profile.title')} close={close}
		    kind="large" testid="profile">
			<form class="form" onSubmit={(e) => void save(e)}>
				<div class="pair">
					<TextField label={app.t(
					    'profile.name')} value={name}
					    set={setName} testid="profile-name"
					    readonly={guest}
					    autocomplete="name" error={bad ?
					    app.t('field.name') :
					    atField(error, 'name')} />
					<SelectField value={lang}
					    label={app.t('lang.label')}
					    set={(v) => setLang(
					    v as LangChoice)} options={[
					    ['', app.t('lang.auto')],
					    ['ja', '日本語'],
					    ['en', 'English']]} />
				</div>
				<Looks look={look} set={setLook} />
				<FormError text={fieldKey(error) === '' ?
				    problem(error) : ''} />
				<DialogFoot close={close} off={bad}
				    testid="profile-save" />
			</form>
		</Dialog>
	);
}

/* 401 here speaks of the present password, not of the sign-in. */
function wrong(e: unknown): boolean {
	return (e instanceof Error && e.message === 'sign-in');
}

/* The present one and a new one. */
export function PasswordForm(p: { done(): void; cancel?(): void }):
    JSX.Element {
	const [policy, setPolicy] = useState<Policy>(app.info?.policy ??
	    { min: 8, kinds: 1, strength: 0 });
	const [current, setCurrent] = useState('');
	const [pw, setPw] = useState('');
	const [again, setAgain] = useState('');
	const [error, setError] = useState<unknown>(null);
	const [busy, setBusy] = useState(false);
	const me = app.user;
	const others = me === null ? [] : [me.email, me.name];
	const ready = current !== '' && pw === again &&
	    allMet(rules(pw, policy, others));

	/* They may have changed since the page came. */
	useEffect(() => {
		api.session().then((s) => setPolicy(s.policy), () => undefined);
	}, []);
	const save = async (e: Event) => {
		e.preventDefault();
		if (!ready || busy)
			return;
		setBusy(true);
		try {
			await api.password(current, pw);
			p.done();
			app.tell(app.t('pw.done'));
		} catch (x) {
			app.failed(x);
			setError(x);
			setBusy(false);
		}
	};
	return (
		<form class="form" onSubmit={(e) => void save(e)}>
			<input class="vh" type="email" tabIndex={-1}
			    autocomplete="username" readOnly list={undefined}
			    aria-hidden="true" value={me?.email ?? ''} />
			<PasswordField label={app.t('pw.current')}
			    value={current} set={setCurrent} autofocus
			    testid="password-current" error={wrong(error) ?
			    app.t('err.current') : ''} />
			<NewPassword policy={policy} others={others} value={pw}
			    again={again} set={setPw} setAgain={setAgain}
			    judge={api.judge} sent={busy}
			    error={atField(error, 'new')} />
			<FormError text={wrong(error) || fieldKey(error) !==
			    '' ? '' : problem(error)} />
			<div class="dialog-foot">
				{p.cancel && <button type="button"
				    class="button" onClick={p.cancel}>
					{app.t('ok.cancel')}</button>}
				<button type="submit" class="button main"
				    disabled={!ready}
				    data-testid="password-save">
					{app.t('pw.submit')}</button>
			</div>
		</form>
	);
}

export function PasswordDialog(): JSX.Element {
	const close = () => app.open('');

	return (
		<Dialog title={app.t('pw.title')} close={close}
		    testid="password">
			<p class="lead">{app.t('pw.lead')}</p>
			<PasswordForm done={close} cancel={close} />
		</Dialog>
	);
}

/* At the first sign-in after the password was changed. */
export function ToldDialog(): JSX.Element {
	return (
		<Dialog title={app.t('told.title')} testid="told"
		    close={() => app.open('')}>
			<p class="lead">{app.t('told.changed', { date:
			    stamp(app.told, app.lang) })}</p>
			<div class="dialog-foot">
				<button type="button" class="button main"
				    autofocus onClick={() => app.open('')}
				    data-testid="told-close">
					{app.t('ok.close')}</button>
			</div>
		</Dialog>
	);
}
