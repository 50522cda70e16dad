import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import type { Incoming, Outgoing } from '../lib/call';
import type { CallKind } from '../types';
import { Face, GuestTag } from '../ui/face';
import { PHONE, useMedia, usePageKey, useTopics } from '../ui/hooks';
import { Name } from '../ui/text';

const ICON: Record<CallKind, IconName> = { wave: 'hand', come: 'call',
    knock: 'closed', bubble: 'aside', join: 'aside' };

/* Seconds until then by the server's clock, told once in each. */
function useLeft(until: number): number {
	const [, again] = useState(0);

	useEffect(() => {
		const id = setInterval(() => again((n) => n + 1), 1000);
		return (() => clearInterval(id));
	}, []);
	return (Math.max(0, Math.round((until - app.now()) / 1000)));
}

function Left(p: { until: number }): JSX.Element {
	const n = useLeft(p.until);

	return (<span class="call-left" role="timer">
		{app.t('call.left', { n })}</span>);
}

function says(c: Incoming): string {
	const place = c.kind === 'knock' || (c.room !== 0 &&
	    c.floor === app.floor?.id) ? app.roomName(c.room) :
	    app.floorName(c.floor);

	return (app.t(`call.${c.kind}.says`, { place }));
}

function In(p: { c: Incoming }): JSX.Element {
	const { c } = p;
	const wave = c.kind === 'wave';
	const button = (yes: boolean, text: string) => (
		<button type="button" class={`button small${yes && !wave ?
		    ' main' : ''}`} aria-label={`${text}: ${c.name}`}
		    data-testid={`call-${yes ? 'yes' : 'no'}`}
		    onClick={() => app.reach.answer(c, yes)}>{text}</button>);

	return (
		<li class="knock" data-testid={`call-${c.kind}`}>
			<span class="call-face">
				<Face look={app.lookOf(c.user)} size={38} />
				<span class="call-kind"><Icon size={13}
				    name={ICON[c.kind]} /></span>
			</span>
			<p class="grow">
				<b><Name text={c.name} /></b>
				{c.guest && <> <GuestTag /></>}
				<small class="dim"><Name text={says(c)} />
					{!wave && <Left until={c.until} />}
				</small>
			</p>
			<span class="knock-acts">
				{button(false, app.t(wave ? 'ok.close' :
				    'call.nay'))}
				{button(true, app.t(`call.${c.kind}.ok`))}
			</span>
		</li>
	);
}

function Out(p: { o: Outgoing }): JSX.Element {
	const { o } = p;
	const name = o.kind === 'knock' ? app.roomName(o.room) :
	    app.nameOf(o.user);

	return (
		<li class="knock asked" data-testid={`asked-${o.kind}`}>
			<span class="knock-icon"><Icon size={18}
			    name={ICON[o.kind]} /></span>
			<p class="grow">
				<Name text={app.t(`call.${o.kind}.out`,
				    { name })} />
				<small class="dim"><Left until={o.until} />
				</small>
			</p>
			<span class="knock-acts">
				<button type="button" class="button small"
				    data-testid="call-withdraw"
				    onClick={() =>
				    app.reach.calls.withdraw(o)}>
					{app.t('call.withdraw')}</button>
			</span>
		</li>
	);
}

/*
 * What others ask of one, and what one waits for: in nobody's way, and in the
 * sheet of a telephone when that lies over everything else.
 */
export function Calls(p: { sheet?: boolean }): JSX.Element | null {
	useTopics('call', 'page', 'people', 'floor', 'ui');
	const phone = useMedia(PHONE);
	const { calls } = app.reach;
	const asked = calls.asked();

	if (calls.incoming.length + asked.length === 0 ||
	    (phone && app.sheet !== '') !== (p.sheet ?? false))
		return (null);
	return (
		<section class="knocks" id="calls" tabIndex={-1}
		    aria-label={app.t('call.title')} data-testid="calls">
			<ul>
				{calls.incoming.map((c) =>
				    <In key={c.n} c={c} />)}
				{asked.map((o) => <Out key={o.ref} o={o} />)}
			</ul>
		</section>
	);
}

/* Whom one goes after, and who is in a talk of one's own with oneself. */
export function Ties(): JSX.Element | null {
	useTopics('call', 'people', 'page');
	const { reach } = app;
	const own = reach.own();

	usePageKey((e) => {
		if (e.key === 'Escape' && !e.defaultPrevented &&
		    !e.isComposing && app.dialog === '')
			reach.stop();
	});
	if (reach.following === 0 && own.length === 0)
		return (null);
	return (
		<>
			{reach.following !== 0 && <div class="place tie"
			    data-testid="following">
				<Icon name="walk" size={17} />
				<span class="grow"><Name text={app.t(
				    'follow.chip', { name: app.nameOf(
				    reach.following) })} /></span>
				<button type="button" class="button small"
				    aria-keyshortcuts="Escape"
				    data-testid="follow-stop"
				    onClick={() => reach.stop()}>
					{app.t('follow.stop')}</button>
			</div>}
			{own.length > 0 && <div class="place tie"
			    data-testid="bubble">
				<Icon name="aside" size={17} />
				<span class="grow"><Name text={app.t(
				    'bubble.chip', { names: reach.names(own) })}
				    /></span>
				<button type="button" class="button small"
				    data-testid="bubble-leave"
				    onClick={() => reach.unbubble()}>
					{app.t('bubble.leave')}</button>
			</div>}
		</>
	);
}
