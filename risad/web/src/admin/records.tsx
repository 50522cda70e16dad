import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin, ApiError } from '../api';
import { app } from '../app';
import type { Key } from '../i18n/ja';
import { save } from '../lib/csv';
import { dayEnd, dayStart, isoDay, second } from '../lib/time';
import type {
    AdminFloor, Export, LogKind, LogLine, Trail
} from '../types';
import { useAct, useLoad } from '../ui/data';
import { FormError, problem, Select } from '../ui/field';
import { Name, Plain } from '../ui/text';
import { Waiting } from '../ui/waiting';
import { Head } from './parts';

const KINDS: LogKind[] = ['request', 'sign-in', 'sign-out', 'failed', 'enter',
    'leave', 'talk', 'talk-end'];

function kindWord(kind: string): string {
	const known = KINDS.find((k) => k === kind);

	return (known === undefined ? kind : app.t(`records.kind.${known}`));
}

/* What somebody did, in the words of the trail: as they were signed. */
function Lines(p: { lines: Trail['lines'] }): JSX.Element {
	return (
		<table class="table records">
			<thead><tr>
				{(['records.line', 'records.time',
				'records.what'] as const).map((k) =>
				    <th scope="col" key={k}>{app.t(k)}</th>)}
			</tr></thead>
			<tbody>{p.lines.map((l) => <tr key={l.id}
			    data-testid={`records-line-${l.id}`}>
				<td data-label={app.t('records.line')}>{l.id}
				</td>
				<td data-label={app.t('records.time')}>
					{second(l.at, app.lang)}</td>
				<th scope="row" class="what" lang="en">
					<Plain text={l.text ??
					    app.t('records.unreadable')} />
				</th>
			</tr>)}</tbody>
		</table>
	);
}

/* All checkpoints as one file, to be kept where we cannot reach them. */
async function saveCheckpoints(): Promise<void> {
	const lines: string[] = [];
	let after = 0, more = true;

	while (more) {
		const r = await admin.checkpoints(after);
		lines.push(...r.checkpoints);
		const seq = / seq=(\d+) /.exec(r.checkpoints.at(-1) ?? '');
		after = Number(seq?.[1] ?? 0);
		more = r.more && after > 0;
	}
	save(`${app.tenant.name}-checkpoints-${isoDay(app.now())}.txt`,
	    lines.join('\n') + '\n', 'text/plain');
}

function TrailPart(): JSX.Element {
	const load = useLoad(() => admin.audit(0));
	const older = useAct();
	const saving = useAct();
	const trail = load.data;

	if (trail === null)
		return (<Waiting of={load} />);
	return (
		<section aria-label={app.t('records.audit')}>
			<div class="records-lead">
				<p class="dim">
					{app.t('records.audit.lead')}</p>
				<button type="button" class="button"
				    disabled={saving.busy}
				    data-testid="records-checkpoints"
				    onClick={() => void
				    saving.run(saveCheckpoints)}>
					{app.t('records.checkpoints')}
				</button>
			</div>
			<FormError text={problem(saving.error)} />
			<Lines lines={trail.lines} />
			<FormError text={problem(older.error)} />
			{trail.more && <button type="button" class="button"
			    disabled={older.busy} data-testid="records-older"
			    onClick={() => void older.run(async () => {
				const r = await admin.audit(
				    trail.lines.at(-1)?.id ?? 0);
				load.put({ lines: [...trail.lines,
				    ...r.lines], more: r.more });
			    })}>{app.t('records.older')}</button>}
		</section>
	);
}

function takenBy(x: Export): string {
	return (x.confirmed === null ? app.t('records.operator', { n: x.by }) :
	    app.t('records.operators', { n: x.by, m: x.confirmed }));
}

function ExportTable(p: { exports: Export[] }): JSX.Element {
	const cols: Key[] = ['records.time', 'records.what',
	    'records.reason', 'records.by', 'records.lines',
	    'records.outcome'];

	return (
		<table class="table records">
			<thead><tr>{cols.map((k) => <th scope="col" key={k}>
				{app.t(k)}</th>)}</tr></thead>
			<tbody>{p.exports.map((x) => <tr key={x.id}
			    data-testid={`records-export-${x.id}`}>
				<td data-label={app.t('records.time')}>
					{second(x.at, app.lang)}</td>
				<th scope="row" data-label={
				    app.t('records.what')}>
					{app.t(`records.what.${x.what}`)}</th>
				<td class="what" data-label={
				    app.t('records.reason')}>
					<Name text={x.reason || '–'} /></td>
				<td data-label={app.t('records.by')}>
					{takenBy(x)}</td>
				<td data-label={app.t('records.lines')}>
					{x.state === 'begun' ? '–' :
					x.lines}</td>
				<td data-label={app.t('records.outcome')}>
					{app.t(`records.state.${x.state}`)}
				</td>
			</tr>)}</tbody>
		</table>
	);
}

/* B28: nobody takes the office's data out unseen. */
function ExportPart(): JSX.Element {
	const load = useLoad(() => admin.exports());

	if (load.data === null)
		return (<Waiting of={load} />);
	return (
		<section aria-label={app.t('records.exports')}>
			<div class="records-lead"><p class="dim">
				{app.t('records.exports.lead')}</p></div>
			{load.data.exports.length === 0 ? <p class="empty"
			    data-testid="records-exports-none">
				{app.t('records.exports.none')}</p> :
			    <ExportTable exports={load.data.exports} />}
		</section>
	);
}

function outcome(l: LogLine): string {
	return (l.status === 0 ? '–' : String(l.status));
}

function who(l: LogLine): string {
	if (l.user === 0)
		return ('–');
	if (l.guest)
		return (app.t('records.guest', { n: l.user }));
	return (l.email === '' ? `#${l.user}` : l.email);
}

function LogTable(p: { lines: LogLine[]; floors: AdminFloor[] }): JSX.Element {
	const floor = (id: number) => id === 0 ? '–' :
	    p.floors.find((f) => f.id === id)?.name ?? `#${id}`;
	const cols: Key[] = ['records.time', 'records.kind', 'records.who',
	    'records.address', 'records.what', 'records.outcome',
	    'records.floor'];

	return (
		<table class="table records">
			<thead><tr>{cols.map((k) => <th scope="col" key={k}>
				{app.t(k)}</th>)}</tr></thead>
			<tbody>{p.lines.map((l, i) => <tr key={i}
			    data-testid="records-log-line">
				<td data-label={app.t('records.time')}>
					{second(l.at, app.lang)}</td>
				<td data-label={app.t('records.kind')}>
					{kindWord(l.kind)}</td>
				<th scope="row" data-label={
				    app.t('records.who')}>
					<Name text={who(l)} /></th>
				<td data-label={app.t('records.address')}>
					{l.address}</td>
				<td class="what" data-label={
				    app.t('records.what')}>
					<Name text={l.text || '–'} /></td>
				<td data-label={app.t('records.outcome')}>
					{outcome(l)}</td>
				<td data-label={app.t('records.floor')}>
					<Name text={floor(l.floor)} /></td>
			</tr>)}</tbody>
		</table>
	);
}

function LogPart(): JSX.Element {
	const [at, setAt] = useState(isoDay(app.now()));
	const [kind, setKind] = useState<LogKind | ''>('');
	const asked = `${at} ${kind}`;
	const load = useLoad(async () => ({ asked, log: await admin.log(
	    dayStart(at), dayEnd(at), kind),
	    floors: (await admin.floors()).floors }), asked);
	const off = load.error instanceof ApiError &&
	    load.error.word === 'forbidden';
	/* What was asked for before is not of this day. */
	const data = load.data?.asked === asked ? load.data : null;

	if (off)
		return (<p class="empty" data-testid="records-off">
			{app.t('records.off')}</p>);
	return (
		<section aria-label={app.t('records.log')}>
			<div class="admin-tools">
				<input type="date" class="input" value={at}
				    max={isoDay(app.now())}
				    aria-label={app.t('records.day')}
				    data-testid="records-day"
				    onChange={(e) => {
					if (e.currentTarget.value !== '')
						setAt(e.currentTarget.value);
				    }} />
				<Select value={kind} label={
				    app.t('records.kind')}
				    testid="records-kind"
				    set={(v) => setKind(v as LogKind | '')}
				    options={[['', app.t('records.kind.all')],
				    ...KINDS.map((k): [string, string] =>
				    [k, kindWord(k)])]} />
			</div>
			{data === null ? <Waiting of={load} /> : <>
				<FormError text={problem(load.error)} />
				{data.log.lines.length === 0 ?
				    <p class="empty">{app.t('records.none')}
				    </p> : <LogTable lines={data.log.lines}
				    floors={data.floors} />}
				{data.log.more && <p class="hint">
					{app.t('records.more')}</p>}
			</>}
		</section>
	);
}

const PARTS = { audit: TrailPart, exports: ExportPart, log: LogPart };

/* B28, F3, F9 and F10: what was done, and by whom. */
export function AdminRecords(): JSX.Element {
	const [part, setPart] = useState<keyof typeof PARTS>('audit');
	const Part = PARTS[part];

	return (
		<>
			<Head title={app.t('admin.records')}
			    lead={app.t('admin.records.lead')} />
			<div class="admin-tools" role="group"
			    aria-label={app.t('admin.records')}>
				{(['audit', 'exports', 'log'] as const).map((x) =>
				    <button key={x} type="button"
				    class={part === x ? 'button main' :
				    'button'} aria-pressed={part === x}
				    data-testid={`records-${x}`}
				    onClick={() => setPart(x)}>
					{app.t(`records.${x}`)}</button>)}
			</div>
			<Part />
		</>
	);
}
