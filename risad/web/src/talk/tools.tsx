import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import { PHONE, useMedia, useTopics } from '../ui/hooks';
import { Popover, spotOf, type Spot } from '../ui/popover';
import { DeviceField, TalkSettings } from './devform';
import type { Engine } from './engine';

function Tool(p: { icon: IconName; text: string; on: boolean; busy: boolean;
    off?: boolean; testid: string; act(): void }): JSX.Element {
	return (
		<button type="button" class={p.on ? 'tool sends' : 'tool'}
		    title={p.text} aria-label={p.text} aria-pressed={p.on}
		    aria-busy={p.busy} disabled={p.off}
		    data-testid={p.testid} onClick={p.act}>
			<Icon name={p.icon} size={20} />
		</button>
	);
}

function Menu(p: { e: Engine; at: Spot; close(): void }): JSX.Element {
	const { e } = p;

	return (
		<Popover at={p.at} close={p.close} kind="wide"
		    label={app.t('talk.devices')} testid="devices-menu">
			<div class="talk-menu">
				{app.talk.may('voice') &&
				    <DeviceField e={e} kind="mic" />}
				{app.talk.may('video') &&
				    <DeviceField e={e} kind="cam" />}
				<DeviceField e={e} kind="speaker" />
				<TalkSettings e={e} />
				<button type="button" class="button small"
				    data-testid="open-check" onClick={() => {
					p.close();
					app.talk.show('devices');
				    }}>{app.t('talk.check.open')}</button>
			</div>
		</Popover>
	);
}

/* Microphone, camera and screen, and the devices behind them. */
export function TalkTools(): JSX.Element | null {
	useTopics('talk', 'me', 'floor');
	const [at, setAt] = useState<Spot | null>(null);
	const phone = useMedia(PHONE);
	const { talk } = app;
	const e = talk.engine;
	const t = e?.own.tracks;
	const off = app.floor === null || e === null ||
	    navigator.mediaDevices === undefined || e.now.me.listen;
	const screens = typeof navigator.mediaDevices?.getDisplayMedia ===
	    'function';

	if (!talk.can)
		return (null);
	return (
		<>
			{talk.may('voice') && <Tool testid="dock-mic" off={off}
			    icon={t?.mic ? 'mic' : 'mic-off'}
			    on={Boolean(t?.mic)} busy={e?.busy.mic ?? false}
			    text={app.t(t?.mic ? 'talk.mic.off' :
			    'talk.mic.on')} act={() => talk.press('mic')} />}
			{talk.may('video') && <Tool testid="dock-cam"
			    icon={t?.cam ? 'cam' : 'cam-off'}
			    off={off || e.devices.settings.sound}
			    on={Boolean(t?.cam)} busy={e?.busy.cam ?? false}
			    text={app.t(t?.cam ? 'talk.cam.off' :
			    'talk.cam.on')} act={() => talk.press('cam')} />}
			{screens && !phone && talk.may('screen') && <Tool
			    testid="dock-screen" icon="screen" off={off}
			    on={Boolean(t?.screen)}
			    busy={e?.busy.screen ?? false}
			    text={app.t(t?.screen ? 'talk.screen.off' :
			    'talk.screen.on')} act={() => void e?.turn(
			    'screen', !t?.screen)} />}
			<button type="button" class="tool narrow"
			    data-testid="dock-devices" aria-haspopup="dialog"
			    aria-expanded={at !== null} disabled={e === null}
			    title={app.t('talk.devices')}
			    aria-label={app.t('talk.devices')}
			    onClick={(ev) => setAt(at === null ?
			    spotOf(ev.currentTarget) : null)}>
				<Icon name="up" size={16} /></button>
			{!phone && <span class="dock-line" />}
			{at !== null && e !== null && <Menu e={e} at={at}
			    close={() => setAt(null)} />}
		</>
	);
}
