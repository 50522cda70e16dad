import type { JSX } from 'preact';
import { app, type Sheet } from '../app';
import { Dialog } from '../ui/dialog';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Calls } from './calls';
import { Card } from './card';
import { Chat } from './chat';
import { Dock } from './dock';
import { Floor } from './floor';
import { People } from './people';
import { RoomCard } from './room';

/* Ways past the drawing for those who use the keyboard. */
export function Skips(): JSX.Element {
	const to = (id: string, open: () => void) => (e: Event) => {
		e.preventDefault();
		open();
		app.changed('ui');
		setTimeout(() => document.getElementById(id)?.focus(), 50);
	};

	useTopics('call');
	return (
		<div class="skips">
			{app.reach.calls.incoming.length > 0 &&
			    <a href="#calls" onClick={to('calls',
				() => undefined)}>{app.t('skip.calls')}</a>}
			<a href="#floor-text" onClick={to('floor-text',
			    () => undefined)}>{app.t('skip.floor')}</a>
			<a href="#people" onClick={to('people', () => {
				app.left = true;
			})}>{app.t('skip.people')}</a>
			<a href="#chat" onClick={to('chat', () => {
				app.right = true;
			})}>{app.t('skip.chat')}</a>
		</div>
	);
}

function PhoneSheet(p: { sheet: Sheet }): JSX.Element | null {
	const close = () => {
		app.sheet = '';
		app.changed('ui');
	};

	if (p.sheet === '')
		return (null);
	return (
		<Dialog key={p.sheet} title={app.t(`dock.${p.sheet}`)}
		    close={close} kind="sheet" testid={`sheet-${p.sheet}`}>
			<div class="sheet-body">
				<Calls sheet />
				{p.sheet === 'people' ? <People /> : <Chat />}
			</div>
		</Dialog>
	);
}

/* The office: floors and people, the floor, chat, and what one can do. */
export function Office(): JSX.Element {
	useTopics('page', 'ui');
	const phone = useMedia(PHONE);
	const folds = `${app.left ? '' : ' no-left'}${
	    app.right ? '' : ' no-right'}`;

	return (
		<div class={`office${phone ? ' phone' : folds}`}
		    hidden={!app.inOffice()}>
			{!phone && app.left && <aside class="left">
				<People /></aside>}
			<div class="middle">
				<Floor />
				<Dock />
			</div>
			{!phone && app.right && <aside class="right">
				<Chat /></aside>}
			{phone && <PhoneSheet sheet={app.sheet} />}
			<Card />
			<RoomCard />
		</div>
	);
}
