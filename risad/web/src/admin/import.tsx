import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { admin, ApiError } from '../api';
import { app } from '../app';
import type { Key } from '../i18n/index';
import { Icon } from '../icon';
import { decode, MAX_BYTES, nameList, save, table } from '../lib/csv';
import { isoDay, stamp } from '../lib/time';
import type { AdminRole, AdminUser, Group, ImportAnswer, ImportLine,
    ImportSide, Role } from '../types';
import { useAct } from '../ui/data';
import { FormError, problem, Select } from '../ui/field';
import { Name } from '../ui/text';
import { Head, roleName } from './parts';

const SHOWN = 200;		/* lines at first */

/* Words of files, which the server reads in either language. */
const WORDS = {
	en: { columns: ['email', 'name', 'role', 'groups', 'state'],
	    admin: 'admin', member: 'member', active: 'active',
	    locked: 'locked', invited: 'invited', link: 'link',
	    until: 'valid until' },
	ja: { columns: ['メール', '名前', '役割', 'グループ', '状態'],
	    admin: '管理者', member: 'メンバー', active: '利用中',
	    locked: '停止中', invited: '招待中', link: 'リンク',
	    until: '有効期限' },
};

/* All people, as a file that can be changed and brought back. */
export function exportPeople(users: AdminUser[], groups: Group[],
    roles: AdminRole[]): void {
	const w = WORDS[app.lang];
	const role = (r: Role) => r === 'admin' || r === 'member' ? w[r] :
	    roleName(r, roles);

	save(`${app.tenant.name}-people-${isoDay(app.now())}.csv`, table([
	    w.columns, ...users.map((u) => [u.email, u.name, role(u.role),
	    nameList(groups.filter((g) => u.groups.includes(g.id))
	    .map((g) => g.name)), w[u.state]])]));
}

function exportLinks(lines: ImportLine[]): void {
	const w = WORDS[app.lang];

	save(`${app.tenant.name}-links-${isoDay(app.now())}.csv`, table([
	    [w.columns[0] ?? '', w.columns[1] ?? '', w.link, w.until],
	    ...lines.filter((l) => l.invite !== undefined).map((l) => [l.email,
	    l.to?.name ?? '', l.invite?.url ?? '', stamp(l.invite?.expires ?? 0,
	    app.lang)])]));
}

type What = ImportLine['what'];
type Which = 'all' | 'changes' | What;

const CHIP: Record<What, string> = { add: 'active', change: 'invited',
    same: '', fault: 'locked' };

function count(lines: ImportLine[], what: What): number {
	return (lines.filter((l) => l.what === what).length);
}

function chosen(l: ImportLine, which: Which): boolean {
	return (which === 'all' || l.what === which || (which === 'changes' &&
	    l.what !== 'same'));
}

function value(side: ImportSide | undefined, key: keyof ImportSide): string {
	const v = side?.[key] ?? '';

	/* Those of the tenant's own are called as they are. */
	if (key === 'role' && (v === 'admin' || v === 'member'))
		return (app.t(`admin.role.${v}`));
	if (v !== '' && key === 'state')
		return (app.t(`admin.state.${v}` as Key));
	return (v === '' ? app.t('import.nothing') : v);
}

const FIELDS: [keyof ImportSide, Key][] = [['name', 'import.field.name'],
    ['role', 'import.field.role'], ['groups', 'import.field.groups'],
    ['state', 'import.field.state']];

/* What the line does, or why it cannot. */
function Detail(p: { l: ImportLine }): JSX.Element {
	const { l } = p;

	if (l.what === 'fault')
		return (<span class="import-why">
			{app.t(`import.field.${l.field}` as Key)}
			{l.text !== undefined && l.text !== '' &&
			    <> “<Name text={l.text} />”</>}: {app.t(
			    `import.why.${l.reason}` as Key)}</span>);
	return (<>{FIELDS.filter(([k]) => l.to?.[k] !== undefined &&
	    (l.what === 'change' || l.to[k] !== '')).map(([k, label]) =>
	    <span class="import-change" key={k}>
		<span class="dim">{app.t(label)}</span>{' '}
		{l.what === 'change' && <><Name
		    text={value(l.from, k)} />
		    <span aria-hidden="true"> → </span>
		    <span class="vh">{app.t('import.becomes')}</span></>}
		<Name text={value(l.to, k)} /></span>)}</>);
}

function Line(p: { l: ImportLine }): JSX.Element {
	const { l } = p;

	return (
		<tr data-testid={`import-line-${l.line}`}>
			<td data-label={app.t('import.line')} class="dim">
				{l.line}</td>
			<th scope="row"><span class="cell-name">{l.email === '' ?
			    '–' : <Name text={l.email} />}</span></th>
			<td data-label={app.t('import.what')}>
				<span class={`chip ${CHIP[l.what]}`}>
					{app.t(`import.what.${l.what}`)}
				</span></td>
			<td><Detail l={l} /></td>
		</tr>
	);
}

/* The lines, those that matter first to be looked at. */
function Lines(p: { lines: ImportLine[] }): JSX.Element {
	const bad = count(p.lines, 'fault');
	const [which, setWhich] = useState<Which>(bad > 0 ? 'fault' :
	    'changes');
	const [shown, setShown] = useState(SHOWN);
	const list = p.lines.filter((l) => chosen(l, which));
	const options: Which[] = ['all', 'changes', 'add', 'change', 'same',
	    'fault'];

	return (
		<section aria-label={app.t('import.lines')}>
			<div class="admin-tools">
				<Select value={which} testid="import-which"
				    label={app.t('import.which')}
				    set={(v) => {
					setWhich(v as Which);
					setShown(SHOWN);
				    }} options={options.map((w) => [w,
				    app.t(`import.which.${w}`)])} />
				<span class="dim" role="status">
					{app.t('import.count',
					{ n: list.length })}</span>
			</div>
			{list.length === 0 ? <p class="empty">
				{app.t('import.none')}</p> :
			<table class="table" data-testid="import-lines">
				<thead><tr>
					<th scope="col">{app.t('import.line')}
					</th>
					<th scope="col">{app.t(
					    'import.person')}</th>
					<th scope="col">{app.t('import.what')}
					</th>
					<th scope="col">{app.t(
					    'import.detail')}</th>
				</tr></thead>
				<tbody>{list.slice(0, shown).map((l) =>
				    <Line key={l.line} l={l} />)}</tbody>
			</table>}
			{list.length > shown && <p class="import-more">
				<button type="button" class="button"
				    data-testid="import-more"
				    onClick={() => setShown(shown + 1000)}>
					{app.t('import.more',
					{ n: list.length - shown })}
				</button></p>}
		</section>
	);
}

function Sum(p: { answer: ImportAnswer }): JSX.Element {
	const { lines } = p.answer;

	return (
		<ul class="import-sum" data-testid="import-sum">
			{(['add', 'change', 'same', 'fault'] as const).map(
			    (w) => <li key={w} data-testid={`import-sum-${w}`}>
				<b>{count(lines, w)}</b>{' '}
				<span class={`chip ${CHIP[w]}`}>
					{app.t(`import.what.${w}`)}</span>
			</li>)}
		</ul>
	);
}

/* Where the lines come from: a file, or what was copied. */
function Source(p: { check(csv: string): void; busy: boolean;
    error: string }): JSX.Element {
	const [text, setText] = useState('');
	const [why, setWhy] = useState<Key | ''>('');
	const input = useRef<HTMLInputElement>(null);

	const begin = (csv: string) => {
		const large = new TextEncoder().encode(csv).length > MAX_BYTES;

		setWhy(large ? 'import.large' : '');
		if (!large)
			p.check(csv);
	};
	const take = async (f: File) => {
		if (f.size > 2 * MAX_BYTES) {
			setWhy('import.large');
			return;
		}
		const csv = decode(await f.arrayBuffer());
		if (csv === null)
			setWhy('import.encoding');
		else
			begin(csv);
	};
	return (
		<form class="form import-source" onSubmit={(e) => {
			e.preventDefault();
			if (text.trim() !== '')
				begin(text);
		}}>
			<div class="hint">
				<p>{app.t('import.columns')}</p>
				<p><code>{WORDS[app.lang].columns.join(',')}
				</code></p>
				<p>{app.t('import.columns.more')}</p>
			</div>
			<input type="file" ref={input} class="vh" tabIndex={-1}
			    accept=".csv,.txt,text/csv,text/plain"
			    aria-hidden="true" data-testid="import-file"
			    onChange={(e) => {
				const f = e.currentTarget.files?.[0];
				e.currentTarget.value = '';
				if (f !== undefined)
					void take(f);
			    }} />
			<div><button type="button" class="button main"
			    disabled={p.busy} data-testid="import-choose"
			    onClick={() => input.current?.click()}>
				<Icon name="import" size={17} />
				{app.t('import.choose')}</button></div>
			<div class="field">
				<label for="import-text">
					{app.t('import.paste')}</label>
				<textarea id="import-text" rows={6} value={text}
				    class="input" spellcheck={false}
				    data-testid="import-text"
				    onInput={(e) =>
				    setText(e.currentTarget.value)} />
			</div>
			<FormError text={why !== '' ? app.t(why) : p.error}
			    testid="import-error" />
			<div><button type="submit" class="button"
			    disabled={p.busy || text.trim() === ''}
			    data-testid="import-check">
				{app.t('import.check')}</button></div>
		</form>
	);
}

/* What would happen, and the button that makes it happen. */
function Preview(p: { answer: ImportAnswer; run(): void; again(): void;
    back(): void; busy: boolean; error: unknown }): JSX.Element {
	const { answer } = p;
	const late = p.error instanceof ApiError &&
	    p.error.word === 'conflict';
	const nothing = count(answer.lines, 'add') +
	    count(answer.lines, 'change') === 0;
	const bad = count(answer.lines, 'fault');

	return (
		<>
			<Sum answer={answer} />
			{bad > 0 ? <FormError testid="import-bad"
			    text={app.t('import.bad', { n: bad })} /> :
			    nothing && <p class="notice">
				{app.t('import.same')}</p>}
			<FormError testid="import-late" text={late ?
			    app.t('import.late') : problem(p.error)} />
			<div class="import-acts">
				{late ? <button type="button"
				    class="button main" disabled={p.busy}
				    data-testid="import-again"
				    onClick={p.again}>
					{app.t('import.again')}</button> :
				    <button type="button" class="button main"
				    data-testid="import-run" onClick={p.run}
				    disabled={p.busy || bad > 0 || nothing}>
					{app.t('import.run')}</button>}
				<button type="button" class="button"
				    data-testid="import-back" disabled={p.busy}
				    onClick={p.back}>
					{app.t('import.other')}</button>
			</div>
			<Lines lines={answer.lines} />
		</>
	);
}

function Done(p: { answer: ImportAnswer; back(): void }): JSX.Element {
	const { lines } = p.answer;
	const links = lines.some((l) => l.invite !== undefined);

	return (
		<>
			<p class="notice" role="status"
			    data-testid="import-done">
				<Icon name="check" />{app.t('import.done')}</p>
			<Sum answer={p.answer} />
			{links && <p class="import-once">
				{app.t('import.links.once')}</p>}
			<div class="import-acts">
				{links && <button type="button"
				    class="button main"
				    data-testid="import-links"
				    onClick={() => exportLinks(lines)}>
					<Icon name="export" size={17} />
					{app.t('import.links')}</button>}
				<button type="button" class="button"
				    data-testid="import-leave"
				    onClick={p.back}>
					{app.t('import.leave')}</button>
			</div>
			<Lines lines={lines} />
		</>
	);
}

/* People from a file: first what would happen, line by line. */
export function AdminImport(): JSX.Element {
	const [csv, setCsv] = useState('');
	const [answer, setAnswer] = useState<ImportAnswer | null>(null);
	const act = useAct();

	const check = (text: string) => void act.run(async () => {
		setAnswer(await admin.importDry(text));
		setCsv(text);
	});
	const run = () => void act.run(async () =>
	    setAnswer(await admin.importRun(csv, answer?.digest ?? '')));
	const back = () => {
		act.clear();
		setAnswer(null);
		setCsv('');
	};
	return (
		<div data-testid="admin-import">
			<Head title={app.t('import.title')} lead={app.t(
			    answer === null ? 'import.lead' : answer.done ?
			    'import.lead.done' : 'import.lead.dry')} />
			{answer === null ? <Source check={check} busy={act.busy}
			    error={problem(act.error)} /> : answer.done ?
			    <Done answer={answer} back={() =>
			    app.go('/admin/people')} /> :
			    <Preview key={answer.digest ?? ''} answer={answer}
				run={run} again={() => check(csv)} back={back}
				busy={act.busy} error={act.error} />}
			{answer === null && <p><button type="button"
			    class="button" data-testid="import-leave"
			    onClick={() => app.go('/admin/people')}>
				<Icon name="back" size={17} />
				{app.t('import.leave')}</button></p>}
		</div>
	);
}
