import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin, ApiError } from '../api';
import { app } from '../app';
import type { Key } from '../i18n/ja';
import { type Rules, type RuleSet, talkWays } from '../types';
import { FormError, NumberField, problem, SelectField, TextArea }
    from '../ui/field';
import { type Loaded, useAct, useLoad } from '../ui/data';
import { Name } from '../ui/text';
import { Waiting } from '../ui/waiting';
import { NetworksField, words } from './networks';
import { Check, Head } from './parts';

const LENGTH = 'password-length';
const LENGTH_FACTOR = 'password-length-factor';
const KINDS = 'password-kinds';
const STRENGTH = 'password-strength';
const HISTORY = 'password-history';
const DAYS = 'password-days';
const IDLE = 'session-idle';
const ABSOLUTE = 'session-absolute';
const FACTOR = 'second-factor';
const FACTOR_ROLES = 'second-factor-roles';
const DOMAINS = 'mail-domains';
const NETWORKS = 'networks';
const ADMIN_NETWORKS = 'admin-networks';
const TRIES = 'lock-tries';
const LOCK = 'lock-minutes';
const CHAT_DAYS = 'chat-days';
const LOG_DAYS = 'log-days';
const AUDIT_DAYS = 'audit-days';
const HOLD = 'legal-hold';
const LOG_CONSOLE = 'log-console';
const TALK_WAY = 'talk-way';
const TALK_LISTEN = 'talk-listen';
const TALK_HIDDEN = 'talk-hidden-mute';

/* Minutes to choose from; 0 leaves it to the server's configuration. */
const IDLES = [0, 15, 30, 60, 120, 240, 480, 720, 1440];
const LOCKS = [5, 15, 30, 60, 240, 1440, 0];
const ABSOLUTES = [0, 60, 240, 480, 720, 1440, 10080, 43200];

function span(minutes: number): string {
	if (minutes === 0)
		return (app.t('admin.rules.site'));
	if (minutes % 1440 === 0)
		return (app.t('admin.rules.days', { n: minutes / 1440 }));
	if (minutes % 60 === 0)
		return (app.t('admin.rules.hours', { n: minutes / 60 }));
	return (app.t('admin.rules.minutes', { n: minutes }));
}

function lockSpans(now: number): [string, string][] {
	return ([...new Set([...LOCKS, now])].map((n) => [String(n), n === 0 ?
	    app.t('admin.rules.lock.never') : span(n)]));
}

/* The usual ones, and what an operator has set besides. */
function spans(usual: number[], now: number): [string, string][] {
	return ([...new Set([...usual, now])].sort((a, b) => a - b)
	    .map((n) => [String(n), span(n)]));
}

const strengths: Key[] = ['admin.rules.strength.0', 'admin.rules.strength.1',
    'admin.rules.strength.2', 'admin.rules.strength.3',
    'admin.rules.strength.4'];

/* Those of the tenant's own; the choice above is about the others. */
function FactorRoles(p: { chosen: string[]; set(roles: string[]): void }):
    JSX.Element {
	const load = useLoad(admin.roles);
	const own = (load.data?.roles ?? []).filter((r) =>
	    typeof r.id === 'number');

	if (own.length === 0)
		return (<></>);
	return (
		<fieldset class="pick">
			<legend>{app.t('admin.rules.factor.roles')}</legend>
			{own.map((r) => <Check key={r.id}
			    on={p.chosen.includes(String(r.id))}
			    testid={`admin-rules-factor-${r.id}`}
			    flip={() => p.set(p.chosen.includes(String(r.id)) ?
			    p.chosen.filter((x) => x !== String(r.id)) :
			    [...p.chosen, String(r.id)])}>
				<Name text={r.name} /></Check>)}
		</fieldset>
	);
}

function Form(p: { of: Loaded<RuleSet>; set: RuleSet }): JSX.Element {
	const was = p.set.policy;
	const [now, setNow] = useState<Rules>(was);
	const act = useAct();
	const bound = (name: string) => p.set.bounds[name] ?? [0, 0];
	const list = (name: string) => (was[name] as string[]).join('\n');
	const [domains, setDomains] = useState(list(DOMAINS));
	const [networks, setNetworks] = useState(list(NETWORKS));
	const [console, setConsole] = useState(list(ADMIN_NETWORKS));
	const num = (name: string) => now[name] as number;
	const bad = [LENGTH, LENGTH_FACTOR, HISTORY, DAYS, CHAT_DAYS, LOG_DAYS,
	    AUDIT_DAYS].some((k) =>
	    !(num(k) >= bound(k)[0] && num(k) <= bound(k)[1]));
	const next: Rules = { ...now, [DOMAINS]: words(domains),
	    [NETWORKS]: words(networks), [ADMIN_NETWORKS]: words(console) };
	const changed = JSON.stringify(next) !== JSON.stringify(was);
	const put = (name: string, n: number) => setNow({ ...now, [name]: n });
	const at = act.error instanceof ApiError ? act.error.field : '';
	const told = [DOMAINS, NETWORKS, ADMIN_NETWORKS].includes(at);
	const whole = (label: Key, name: string, testid: string,
	    more: Key | null = null) => {
		const [min, max] = bound(name);
		const range = app.t('admin.rules.range', { min, max });
		const n = num(name);

		return (<NumberField label={app.t(label)} value={n} min={min}
		    max={max} set={(v) => put(name, v)}
		    hint={more === null ? range : app.t(more, { min, max })}
		    error={n >= min && n <= max ? '' : range}
		    testid={`admin-rules-${testid}`} />);
	};
	const late = act.error instanceof ApiError &&
	    act.error.word === 'conflict';
	const save = () => act.run(async () => {
		const r = await admin.setRules(was, next);
		p.of.put(r);
		setNow(r.policy);
		app.tell(app.t('ok.saved'));
		/* The rule may be for the one who has made it. */
		if (next[FACTOR] !== was[FACTOR] ||
		    next[FACTOR_ROLES] !== was[FACTOR_ROLES])
			void app.checkSession();
	});

	/* What is changed while it is saved would go with the answer. */
	return (
		<form class="form narrow" onSubmit={(e) => {
			e.preventDefault();
			if (!bad && changed)
				void save();
		}}><fieldset class="whole" disabled={act.busy}>
			{Object.entries(p.set.presets).map(([name, preset]) =>
			    <div key={name}><button type="button"
				class="button" data-testid={
				`admin-rules-${name}`} onClick={() =>
				setNow({ ...now, ...preset })}>
				{app.t('admin.rules.nist')}</button></div>)}
			{whole('admin.rules.length', LENGTH, 'length')}
			{whole('admin.rules.length.factor', LENGTH_FACTOR,
			    'length-factor', 'admin.rules.length.factor.hint')}
			<SelectField label={app.t('admin.rules.kinds')}
			    value={String(num(KINDS))} testid="admin-rules-kinds"
			    set={(v) => put(KINDS, Number(v))}
			    options={[1, 2, 3, 4].map((n) => [String(n),
			    app.t(n === 1 ? 'admin.rules.kinds.any' :
			    'admin.rules.kinds.some', { n })])} />
			<SelectField label={app.t('admin.rules.strength')}
			    value={String(num(STRENGTH))}
			    testid="admin-rules-strength"
			    set={(v) => put(STRENGTH, Number(v))}
			    options={strengths.map((k, n) => [String(n),
			    app.t(k)])} />
			{whole('admin.rules.history', HISTORY, 'history')}
			{whole('admin.rules.age', DAYS, 'days')}
			<SelectField label={app.t('admin.rules.factor')}
			    value={String(num(FACTOR))}
			    testid="admin-rules-factor"
			    set={(v) => put(FACTOR, Number(v))}
			    options={(['nobody', 'admins', 'everybody'] as const)
			    .map((k, n) => [String(n),
			    app.t(`admin.rules.factor.${k}`)])} />
			{num(FACTOR) < 2 && <FactorRoles
			    chosen={now[FACTOR_ROLES] as string[]}
			    set={(roles) => setNow({ ...now,
			    [FACTOR_ROLES]: roles })} />}
			<SelectField label={app.t('admin.rules.idle')}
			    value={String(num(IDLE))} testid="admin-rules-idle"
			    set={(v) => put(IDLE, Number(v))}
			    options={spans(IDLES, was[IDLE] as number)} />
			<SelectField label={app.t('admin.rules.absolute')}
			    value={String(num(ABSOLUTE))}
			    testid="admin-rules-absolute"
			    set={(v) => put(ABSOLUTE, Number(v))}
			    options={spans(ABSOLUTES, was[ABSOLUTE] as number)} />
			<SelectField label={app.t('admin.rules.tries')}
			    value={String(now[TRIES])} testid="admin-rules-tries"
			    set={(v) => put(TRIES, Number(v))}
			    options={[...Array(12).keys()].map((n) =>
			    [String(n + 1), app.t('admin.rules.tries.n',
			    { n: n + 1 })])} />
			<SelectField label={app.t('admin.rules.lock')}
			    value={String(now[LOCK])} testid="admin-rules-lock"
			    set={(v) => put(LOCK, Number(v))}
			    options={lockSpans(was[LOCK] as number)} />
			{whole('admin.rules.chat', CHAT_DAYS, 'chat-days',
			    'admin.rules.chat.hint')}
			{whole('admin.rules.log', LOG_DAYS, 'log-days')}
			{whole('admin.rules.audit', AUDIT_DAYS, 'audit-days')}
			{num(HOLD) !== 0 && <p class="hint"
			    data-testid="admin-rules-hold">
				{app.t('admin.rules.hold')}</p>}
			<SelectField label={app.t('admin.rules.console.log')}
			    value={String(num(LOG_CONSOLE))}
			    testid="admin-rules-log-console"
			    set={(v) => put(LOG_CONSOLE, Number(v))}
			    options={[['0', app.t('admin.rules.no')],
			    ['1', app.t('admin.rules.yes')]]} />
			<SelectField label={app.t('admin.way')}
			    value={String(num(TALK_WAY))}
			    testid="admin-rules-talk-way"
			    set={(v) => put(TALK_WAY, Number(v))}
			    hint={app.t(`admin.way.${talkWays[num(TALK_WAY) -
			    1] ?? 'direct'}.hint`)}
			    options={talkWays.map((w, n) => [String(n + 1),
			    app.t(`admin.way.${w}`)])} />
			<SelectField label={app.t('admin.rules.listen')}
			    value={String(num(TALK_LISTEN))}
			    testid="admin-rules-talk-listen"
			    set={(v) => put(TALK_LISTEN, Number(v))}
			    options={[['0', app.t('admin.rules.no')],
			    ['1', app.t('admin.rules.yes')]]} />
			<SelectField label={app.t('admin.rules.hidden')}
			    value={String(num(TALK_HIDDEN))}
			    testid="admin-rules-talk-hidden"
			    set={(v) => put(TALK_HIDDEN, Number(v))}
			    options={[['0', app.t('admin.rules.hidden.no')],
			    ['1', app.t('admin.rules.hidden.yes')]]} />
			<TextArea label={app.t('admin.rules.domains')}
			    value={domains} set={setDomains}
			    testid="admin-rules-domains"
			    hint={app.t('admin.rules.domains.hint')}
			    error={at === DOMAINS ?
			    app.t('admin.rules.domains.bad') : ''} />
			<NetworksField label={app.t('admin.rules.networks')}
			    name={NETWORKS} value={networks} set={setNetworks}
			    error={act.error} testid="admin-rules-networks" />
			<NetworksField label={app.t('admin.rules.console')}
			    name={ADMIN_NETWORKS} value={console}
			    set={setConsole} error={act.error}
			    testid="admin-rules-console" />
			{late ? <>
				<FormError text={app.t('admin.rules.late')}
				    testid="admin-rules-late" />
				<div><button type="button" class="button"
				    onClick={p.of.again}
				    data-testid="admin-rules-again">
					{app.t('admin.rules.again')}
				</button></div>
			</> : <FormError text={told ? '' :
			    problem(act.error)} />}
			<div><button type="submit" class="button main"
			    disabled={bad || !changed || late || act.busy}
			    data-testid="admin-rules-save">
				{app.t('ok.save')}</button></div>
		</fieldset></form>
	);
}

/* What passwords of this tenant have to be, and how long sign-ins last. */
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
