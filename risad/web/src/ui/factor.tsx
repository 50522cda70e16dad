import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiError } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import { stamp } from '../lib/time';
import type { Factor } from '../types';
import { type Loaded, useAct, useLoad } from './data';
import { Dialog } from './dialog';
import { atField, CodeField, FormError, PasswordField, problem } from
    './field';
import { Passkeys } from './passkeys';
import { Qr } from './qr';
import { Waiting } from './waiting';

const wrong = (e: unknown) => e instanceof ApiError && e.word === 'sign-in';

/* Asks for the password before it does something with a second factor. */
export function Prove(p: { lead: string; submit: string; danger?: boolean;
    act(password: string): Promise<void>; cancel?(): void }): JSX.Element {
	const [password, setPassword] = useState('');
	const act = useAct();

	return (
		<form class="form" noValidate onSubmit={(e) => {
			e.preventDefault();
			if (password !== '')
				void act.run(() => p.act(password));
		}}>
			<p class="lead">{p.lead}</p>
			<input class="vh" type="email" tabIndex={-1}
			    autocomplete="username" readOnly list={undefined}
			    aria-hidden="true" value={app.user?.email ?? ''} />
			<PasswordField label={app.t('pw.current')} autofocus
			    value={password} set={setPassword}
			    testid="factor-password" error={wrong(act.error) ?
			    app.t('err.current') : ''} />
			<FormError testid="factor-error" text={wrong(act.error)
			    ? '' : fieldKey(act.error) !== '' ?
			    app.t(fieldKey(act.error) || 'err.other') :
			    problem(act.error)} />
			<div class="dialog-foot">
				{p.cancel !== undefined && <button
				    type="button" class="button"
				    onClick={p.cancel}>{app.t('ok.cancel')}
				</button>}
				<button type="submit" data-testid="factor-prove"
				    class={`button ${p.danger ? 'danger' :
				    'main'}`}
				    disabled={password === '' || act.busy}>
					{p.submit}</button>
			</div>
		</form>
	);
}

/* The seed, to be photographed or typed, and the code that proves it came. */
function Scan(p: { uri: string; secret: string; done(codes: string[]): void;
    cancel?(): void }): JSX.Element {
	const [code, setCode] = useState('');
	const act = useAct();

	return (
		<form class="form" noValidate onSubmit={(e) => {
			e.preventDefault();
			void act.run(async () => p.done((await
			    api.confirmTotp(code)).recovery));
		}}>
			<p class="lead">{app.t('factor.scan')}</p>
			<Qr text={p.uri} label={app.t('factor.qr')} />
			<p class="hint">{app.t('factor.secret')}</p>
			<p class="secret" data-testid="factor-secret">
				{p.secret.match(/.{1,4}/g)?.join(' ')}</p>
			<CodeField label={app.t('factor.code')} value={code}
			    set={setCode} autofocus testid="factor-code"
			    error={atField(act.error, 'code', 'totp')} />
			<FormError text={fieldKey(act.error) !== '' ? '' :
			    problem(act.error)} />
			<div class="dialog-foot">
				{p.cancel !== undefined && <button
				    type="button" class="button"
				    onClick={p.cancel}>{app.t('ok.cancel')}
				</button>}
				<button type="submit" class="button main"
				    data-testid="factor-confirm"
				    disabled={code === '' || act.busy}>
					{app.t('factor.confirm')}</button>
			</div>
		</form>
	);
}

/* Only the codes come on the paper, see the style for printing. */
function printCodes(): void {
	const root = document.documentElement;

	root.dataset.print = 'codes';
	print();
	delete root.dataset.print;
}

/* Shown once. */
function Codes(p: { codes: string[]; done(): void }): JSX.Element {
	const [copied, setCopied] = useState<'' | 'yes' | 'no'>('');
	const copy = () => navigator.clipboard.writeText(p.codes.join('\n'))
	    .then(() => setCopied('yes'), () => setCopied('no'));

	return (
		<div class="form">
			<p class="lead">{app.t('factor.codes.lead')}</p>
			<div class="codes-sheet">
				<p class="printed">{app.t('factor.codes.of', {
				    tenant: app.tenant.title,
				    email: app.user?.email ?? '' })}</p>
				<ol class="codes" data-testid="factor-list">
					{p.codes.map((c) =>
					    <li key={c}>{c}</li>)}
				</ol>
			</div>
			<div class="codes-acts">
				<button type="button" class="button"
				    data-testid="factor-copy"
				    onClick={() => void copy()}>
					<Icon size={17} name={copied === 'yes' ?
					    'check' : 'copy'} />
					{app.t(copied === 'yes' ?
					    'admin.link.copied' :
					    'factor.codes.copy')}</button>
				<button type="button" class="button"
				    data-testid="factor-print"
				    onClick={printCodes}>
					<Icon name="print" size={17} />
					{app.t('review.print')}</button>
			</div>
			<p role="status" class={copied === 'no' ? 'error' :
			    'vh'}>{copied === 'no' ?
			    app.t('admin.link.manual') : copied === 'yes' ?
			    app.t('admin.link.copied') : ''}</p>
			<div class="dialog-foot">
				<button type="button" class="button main"
				    autofocus data-testid="factor-kept"
				    onClick={p.done}>
					{app.t('factor.codes.kept')}</button>
			</div>
		</div>
	);
}

/* From the password to the codes, step by step. */
export function SetUp(p: { done(): void; cancel?(): void }): JSX.Element {
	const [seed, setSeed] = useState<{ uri: string; secret: string } |
	    null>(null);
	const [codes, setCodes] = useState<string[] | null>(null);

	if (codes !== null)
		return (<Codes codes={codes} done={p.done} />);
	if (seed !== null)
		return (<Scan uri={seed.uri} secret={seed.secret}
		    done={setCodes} cancel={p.cancel} />);
	return (<Prove lead={app.t('factor.begin')}
	    submit={app.t('factor.next')} cancel={p.cancel}
	    act={async (pw) => setSeed(await api.beginTotp(pw))} />);
}

function Line(p: { title: string; text: string; warn?: boolean;
    children?: ComponentChildren; testid: string }): JSX.Element {
	return (
		<li class="signin-row" data-testid={p.testid}>
			<div class="grow">
				<b>{p.title}</b>
				<p class={p.warn ? 'warn' : 'dim'}>{p.text}</p>
			</div>
			{p.children}
		</li>
	);
}

type View = 'list' | 'totp' | 'codes' | 'remove';

function List(p: { of: Factor; go(v: View): void }): JSX.Element {
	const { of } = p;
	const totp = of.methods.includes('totp');
	const act = (view: View, text: string) => <button type="button"
	    class="button small" data-testid={`factor-${view}`}
	    onClick={() => p.go(view)}>{text}</button>;

	return (
		<ul class="signin-list">
			<Line testid="factor-row-totp"
			    title={app.t('factor.totp')} text={totp ?
			    app.t('factor.since', { when: stamp(of.since,
			    app.lang) }) : app.t('factor.none')}>
				{act('totp', app.t(totp ? 'factor.renew' :
				    'factor.setup'))}
				{totp && !of.required &&
				    act('remove', app.t('factor.remove'))}
			</Line>
			{of.methods.length > 0 && <Line warn={of.recovery < 3}
			    testid="factor-row-codes"
			    title={app.t('factor.codes')}
			    text={app.t('factor.left', { n: of.recovery }) +
			    (of.used === 0 ? '' : ' ' + app.t('factor.used',
			    { when: stamp(of.used, app.lang) }))}>
				{act('codes', app.t('factor.codes.new'))}
			</Line>}
		</ul>
	);
}

/* New codes in place of those before. */
function Renew(p: { done(): void; cancel(): void }): JSX.Element {
	const [codes, setCodes] = useState<string[] | null>(null);

	return (codes !== null ? <Codes codes={codes} done={p.done} /> :
	    <Prove lead={app.t('factor.codes.again')} cancel={p.cancel}
		submit={app.t('factor.codes.new')} act={async (pw) =>
		setCodes((await api.newCodes(pw)).recovery)} />);
}

function Views(p: { load: Loaded<Factor>; of: Factor; close(): void }):
    JSX.Element {
	const [view, go] = useState<View>('list');
	const back = () => {
		go('list');
		p.load.again();
	};

	switch (view) {
	case 'totp':
		return (<SetUp done={back} cancel={back} />);
	case 'codes':
		return (<Renew done={back} cancel={back} />);
	case 'remove':
		return (<Prove lead={app.t('factor.remove.lead')} danger
		    submit={app.t('factor.remove')} cancel={back}
		    act={async (pw) => {
			await api.dropTotp(pw);
			app.tell(app.t('factor.removed'));
			back();
		    }} />);
	case 'list':
		return (<>
			<p class="lead">{app.t(p.of.required ?
			    'factor.lead.must' : 'factor.lead')}</p>
			<List of={p.of} go={go} />
			<Passkeys changed={p.load.again} />
			<div class="dialog-foot">
				<button type="button" class="button"
				    onClick={p.close}>{app.t('ok.close')}
				</button>
			</div>
		</>);
	}
}

/* One's own second factor. */
export function FactorDialog(p: { close(): void }): JSX.Element {
	const load = useLoad(api.factor);

	return (
		<Dialog title={app.t('factor.title')} close={p.close}
		    testid="factor">
			{load.data === null ? <Waiting of={load} /> :
			    <Views load={load} of={load.data}
				close={p.close} />}
		</Dialog>
	);
}
