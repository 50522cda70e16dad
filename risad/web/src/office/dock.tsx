import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import { Dot } from '../ui/face';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Popover, spotOf, type Spot } from '../ui/popover';
import { Name } from '../ui/text';
import { TalkTools } from '../talk/tools';
import { StatusForm } from './status';

function Tool(p: { icon: IconName; text: string; act(): void;
    pressed?: boolean; testid: string; badge?: number; off?: boolean }):
    JSX.Element {
	return (
		<button type="button" class="tool" title={p.text}
		    aria-label={p.badge ? `${p.text}, ${app.t('chat.unread',
		    { n: p.badge })}` : p.text} aria-pressed={p.pressed}
		    disabled={p.off} data-testid={p.testid} onClick={p.act}>
			<Icon name={p.icon} size={20} />
			{p.badge ? <span class="badge" aria-hidden="true">
				{p.badge > 99 ? '99+' : p.badge}</span> : null}
		</button>
	);
}

function sheet(s: 'people' | 'chat'): void {
	app.sheet = app.sheet === s ? '' : s;
	app.changed('ui');
}

export function Dock(): JSX.Element | null {
	useTopics('me', 'ui', 'floor', 'chat', 'page');
	const [at, setAt] = useState<Spot | null>(null);
	const phone = useMedia(PHONE);
	const me = app.user;

	if (me === null)
		return (null);
	const status = app.t(`status.${me.status}`);
	const off = app.floor === null || app.text;
	return (
		<div class="dock" role="toolbar" aria-label={
		    app.t('dock.label')}>
			{phone && <Tool icon="people" testid="dock-people"
			    text={app.t('dock.people')}
			    act={() => sheet('people')} />}
			{phone && <Tool icon="chat" testid="dock-chat"
			    text={app.t('dock.chat')} badge={app.unread()}
			    act={() => sheet('chat')} />}
			<TalkTools />
			<button type="button" class="status-button"
			    data-testid="status-button" aria-haspopup="dialog"
			    aria-expanded={at !== null}
			    aria-label={app.t('status.change', { status })}
			    onClick={(e) => setAt(at === null ?
			    spotOf(e.currentTarget) : null)}>
				<Dot status={me.status} />
				<span class="status-words">{status}
					{me.note !== '' && <small>
						<Name text={me.note} />
					</small>}</span>
				<Icon name="up" size={15} />
			</button>
			{!phone && <span class="dock-line" />}
			{!phone && <Tool icon="minus" testid="zoom-out"
			    text={app.t('dock.zoomout')} off={off}
			    act={() => app.scene?.zoom(-1)} />}
			{!phone && <Tool icon="plus" testid="zoom-in"
			    text={app.t('dock.zoomin')} off={off}
			    act={() => app.scene?.zoom(1)} />}
			<Tool icon="centre" testid="centre" off={off}
			    text={app.t('dock.centre')}
			    act={() => app.scene?.centreOnSelf()} />
			<Tool icon={app.text ? 'picture' : 'text'}
			    testid="text-toggle" pressed={app.text}
			    off={app.floor === null} text={app.t(app.text ?
			    'dock.picture' : 'dock.text')} act={() => {
				app.text = !app.text;
				app.changed('ui');
			    }} />
			{at !== null && <Popover at={at}
			    label={app.t('status.title')}
			    testid="status-menu" close={() => setAt(null)}>
				<StatusForm done={() => setAt(null)} />
			</Popover>}
		</div>
	);
}
