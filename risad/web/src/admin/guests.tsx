import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { admin, api, guests } from '../api';
import { app, fieldKey } from '../app';
import { Icon } from '../icon';
import { length } from '../lib/text';
import { stamp } from '../lib/time';
import type { FloorRef, GuestUrl, Visit } from '../types';
import { useAct, useLoad } from '../ui/data';
import { Confirm, Dialog, DialogFoot } from '../ui/dialog';
import { GuestTag } from '../ui/face';
import { atField, FormError, NumberField, PasswordField, problem,
    SelectField, TextField } from '../ui/field';
import { Name } from '../ui/text';
import { Waiting } from '../ui/waiting';
import { CopyDialog } from './link';
import { Head, toggle } from './parts';

const HOUR = 3600000;

/* How long a URL lives, in hours. */
const LIVES: [number, string][] = [[1, 'hours'], [4, 'hours'], [24, 'days'],
    [72, 'days'], [168, 'days'], [720, 'days']];
const MOST_USES = 1000;

function life(hours: number, unit: string): string {
	return (unit === 'hours' ? app.t('admin.rules.hours', { n: hours }) :
	    app.t('admin.rules.days', { n: hours / 24 }));
}

function floorNames(ids: number[], floors: FloorRef[]): string {
	return (floors.filter((f) => ids.includes(f.id)).map((f) => f.name)
	    .join(', ') || app.t('admin.guests.nofloor'));
}

function Tick(p: { on: boolean; flip(): void; text: string; hint?: string;
    testid: string }): JSX.Element {
	return (
		<label class="check">
			<input type="checkbox" checked={p.on}
			    data-testid={p.testid} onChange={p.flip} />
			<span class="grow"><Name text={p.text} />
				{p.hint !== undefined &&
				    <small class="dim">{p.hint}</small>}
			</span>
		</label>
	);
}

function AddDialog(p: { floors: FloorRef[]; close(): void;
    done(g: GuestUrl, url: string): void }): JSX.Element {
	const [chosen, setChosen] = useState<number[]>([]);
	const [hours, setHours] = useState(24);
	const [uses, setUses] = useState(1);
	const [approval, setApproval] = useState(true);
	const [secret, setSecret] = useState(false);
	const [password, setPassword] = useState('');
	const [note, setNote] = useState('');
	const act = useAct();
	const badUses = !(uses >= 1 && uses <= MOST_USES);
	const badPassword = secret && (length(password) < 8 ||
	    length(password) > 128);
	const ready = chosen.length > 0 && !badUses && !badPassword;

	const add = () => act.run(async () => {
		const r = await guests.add({ floors: chosen, uses, approval,
		    note: note.trim(), expires: app.now() + hours * HOUR,
		    ...(secret ? { password } : {}) });
		p.done(r.guest, r.url);
	});
	return (
		<Dialog title={app.t('admin.guests.add')} close={p.close}
		    testid="admin-guest-add">
			<form class="form" noValidate onSubmit={(e) => {
				e.preventDefault();
				if (ready)
					void add();
			}}>
				<fieldset class="pick">
					<legend>{app.t('admin.guests.floors')}
					</legend>
					<div class="pick-list">
						{p.floors.map((f) =>
						<Tick key={f.id} text={f.name}
						    on={chosen.includes(f.id)}
						    testid={`pick-floor-${f.id}`}
						    flip={() => setChosen(toggle(
						    chosen, f.id))} />)}
					</div>
				</fieldset>
				<SelectField label={app.t('admin.guests.life')}
				    value={String(hours)}
				    testid="admin-guest-life"
				    set={(v) => setHours(Number(v))}
				    options={LIVES.map(([h, unit]) =>
				    [String(h), life(h, unit)])} />
				<NumberField label={app.t('admin.guests.uses')}
				    value={uses} set={setUses} min={1}
				    max={MOST_USES} testid="admin-guest-uses"
				    error={badUses ? app.t('admin.rules.range',
				    { min: 1, max: MOST_USES }) :
				    atField(act.error, 'uses')} />
				<Tick on={approval} text={app.t(
				    'admin.guests.approval')}
				    hint={app.t('admin.guests.approval.hint')}
				    testid="admin-guest-approval"
				    flip={() => setApproval(!approval)} />
				<Tick on={secret} text={app.t(
				    'admin.guests.secret')}
				    testid="admin-guest-secret"
				    flip={() => setSecret(!secret)} />
				{secret && <PasswordField fresh
				    label={app.t('guest.password')}
				    value={password} set={setPassword}
				    hint={app.t('admin.guests.secret.hint')}
				    error={atField(act.error, 'password')}
				    testid="admin-guest-password" />}
				<TextField label={app.t('admin.guests.note')}
				    value={note} set={setNote}
				    testid="admin-guest-note"
				    error={atField(act.error, 'note')} />
				<FormError text={fieldKey(act.error) === '' ?
				    problem(act.error) : atField(act.error,
				    'floors', 'expires', 'approval',
				    'guests')} />
				<DialogFoot close={p.close}
				    off={!ready || act.busy}
				    word="admin.guests.make"
				    testid="admin-guest-submit" />
			</form>
		</Dialog>
	);
}

function UrlRow(p: { g: GuestUrl; floors: FloorRef[]; revoke(): void }):
    JSX.Element {
	const { g } = p;
	const extra = [g.approval ? app.t('admin.guests.approval.short') : '',
	    g.password ? app.t('admin.guests.secret.short') : '']
	    .filter(Boolean).join(', ') || app.t('admin.guests.free');

	return (
		<tr data-testid={`admin-guest-${g.id}`}>
			<th scope="row">
				<Name text={floorNames(g.floors, p.floors)} />
				{g.note !== '' && <small class="dim">
					<Name text={g.note} /></small>}
			</th>
			<td data-label={app.t('admin.guests.expires')}>
				{stamp(g.expires, app.lang)}</td>
			<td data-label={app.t('admin.guests.left')}>
				{app.t('admin.guests.uses.of', { left:
				    g.uses - g.used, all: g.uses })}</td>
			<td data-label={app.t('admin.guests.asks')}>
				{extra}</td>
			<td data-label={app.t('admin.guests.by')}><span>
				{g.by.user === 0 ?
				    app.t('admin.guests.operator') :
				    <Name text={g.by.name} />}
				<small class="dim">{stamp(g.created,
				    app.lang)}</small></span></td>
			<td class="acts"><button type="button"
			    class="button small" onClick={p.revoke}
			    data-testid={`admin-guest-revoke-${g.id}`}>
				<Icon name="close" size={15} />
				{app.t('admin.guests.revoke')}</button></td>
		</tr>
	);
}

function VisitRow(p: { v: Visit; floors: FloorRef[]; end(): void;
    busy: boolean }): JSX.Element {
	const { v } = p;
	const where = v.state === 'door' ? app.t('admin.guests.atdoor') :
	    v.floor === 0 ? app.t('people.away') :
	    floorNames([v.floor], p.floors);

	return (
		<tr data-testid={`admin-visit-${v.user}`}>
			<th scope="row"><Name text={v.name} /> <GuestTag />
			</th>
			<td data-label={app.t('admin.guests.where')}>
				<Name text={where} /></td>
			<td data-label={app.t('admin.guests.since')}>
				{stamp(v.began, app.lang)}</td>
			<td data-label={app.t('admin.guests.address')}>
				<bdi>{v.address}</bdi></td>
			<td class="acts"><button type="button"
			    class="button small" disabled={p.busy}
			    aria-label={`${app.t('admin.guests.end')}: ${
			    v.name}`} onClick={p.end}
			    data-testid={`admin-visit-end-${v.user}`}>
				<Icon name="out" size={15} />
				{app.t('admin.guests.end')}</button></td>
		</tr>
	);
}

function Columns(p: { names: string[] }): JSX.Element {
	return (<thead><tr>{p.names.map((n) =>
		<th key={n} scope="col">{n}</th>)}
		<th scope="col"><span class="vh">
			{app.t('admin.col.action')}</span></th></tr></thead>);
}

function Urls(p: { list: GuestUrl[]; floors: FloorRef[];
    revoke(g: GuestUrl): void }): JSX.Element {
	if (p.list.length === 0)
		return (<p class="empty">{app.t('admin.guests.none')}</p>);
	return (
		<table class="table"><Columns names={[
		    app.t('admin.guests.floors'), app.t('admin.guests.expires'),
		    app.t('admin.guests.left'), app.t('admin.guests.asks'),
		    app.t('admin.guests.by')]} />
			<tbody>{p.list.map((g) => <UrlRow key={g.id} g={g}
			    floors={p.floors}
			    revoke={() => p.revoke(g)} />)}</tbody></table>
	);
}

function Visits(p: { list: Visit[]; floors: FloorRef[]; busy: boolean;
    end(v: Visit): void }): JSX.Element {
	if (p.list.length === 0)
		return (<p class="empty">{app.t('admin.guests.nobody')}</p>);
	return (
		<table class="table"><Columns names={[
		    app.t('admin.col.name'), app.t('admin.guests.where'),
		    app.t('admin.guests.since'),
		    app.t('admin.guests.address')]} />
			<tbody>{p.list.map((v) => <VisitRow key={v.id} v={v}
			    floors={p.floors} busy={p.busy}
			    end={() => p.end(v)} />)}</tbody></table>
	);
}

/*
 * The URLs that let guests in, and the guests who are here: all of them for
 * who administers, else those that one has made, and who came by them.
 */
export function AdminGuests(): JSX.Element {
	const load = useLoad(async () => {
		const floors: Promise<{ floors: FloorRef[] }> =
		    app.administers() ? admin.floors() : api.floors();
		return ({ ...await guests.list(), ...await floors });
	});
	const [adding, setAdding] = useState(false);
	const [made, setMade] = useState<{ g: GuestUrl; url: string } | null>(
	    null);
	const [ask, setAsk] = useState<GuestUrl | null>(null);
	const act = useAct();
	const { data } = load;
	const head = <Head title={app.t('admin.guests')} icon="plus"
	    lead={app.t('admin.guests.lead')} act={app.t('admin.guests.add')}
	    testid="admin-guests-add" onAct={() => setAdding(true)} />;

	if (data === null)
		return (<>{head}<Waiting of={load} /></>);
	const revoke = (g: GuestUrl) => act.run(async () => {
		await guests.revoke(g.id);
		setAsk(null);
		load.again();
		app.tell(app.t('admin.guests.revoked'));
	});
	const end = (v: Visit) => act.run(async () => {
		await guests.end(v.user);
		load.again();
		app.tell(app.t('admin.guests.ended'));
	});
	return (
		<>
			{head}
			<Urls list={data.guests} floors={data.floors}
			    revoke={(g) => {
				act.clear();
				setAsk(g);
			    }} />
			<div class="admin-tools later">
				<h2 class="grow">{app.t('admin.guests.visits')}
				</h2>
				<button type="button" class="button small"
				    data-testid="admin-guests-again"
				    onClick={load.again}>
					<Icon name="reload" size={15} />
					{app.t('admin.guests.again')}</button>
			</div>
			<FormError text={ask === null ? problem(act.error) :
			    ''} />
			<FormError text={problem(load.error)}
			    testid="admin-guests-error" />
			<Visits list={data.visits} floors={data.floors}
			    busy={act.busy} end={(v) => void end(v)} />
			{adding && <AddDialog floors={data.floors}
			    close={() => setAdding(false)} done={(g, url) => {
				load.put({ ...data,
				    guests: [...data.guests, g] });
				setAdding(false);
				setMade({ g, url });
			    }} />}
			{made !== null && <CopyDialog url={made.url}
			    close={() => setMade(null)}
			    title={app.t('admin.guests.ready')}
			    lead={app.t('admin.guests.ready.lead', {
			    uses: made.g.uses, floors: floorNames(
			    made.g.floors, data.floors),
			    when: stamp(made.g.expires, app.lang) })} />}
			{ask !== null && <Confirm close={() => setAsk(null)}
			    title={app.t('admin.guests.revoke.title')}
			    lead={app.t('admin.guests.revoke.lead',
			    { floors: floorNames(ask.floors, data.floors) })}
			    error={problem(act.error)}
			    yes={app.t('admin.guests.revoke')}
			    act={() => revoke(ask)} />}
		</>
	);
}
