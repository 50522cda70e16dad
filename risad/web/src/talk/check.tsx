import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { app } from '../app';
import type { Key } from '../i18n/index';
import { Icon, type IconName } from '../icon';
import { Face } from '../ui/face';
import { Dialog } from '../ui/dialog';
import { useTopics } from '../ui/hooks';
import { DeviceField, SpeakerTest } from './devform';
import type { Engine } from './engine';
import { useStream, Video } from './video';

const METER = 100;		/* ms */

interface Trial {
	track: MediaStreamTrack | null;
	error: Key | '';
}

/* A device tried out: open while it is wanted, for nobody else. */
function useTrial(e: Engine, kind: 'mic' | 'cam', on: boolean): Trial {
	const [trial, set] = useState<Trial>({ track: null, error: '' });
	const id = e.devices.settings[kind];

	useEffect(() => {
		let track: MediaStreamTrack | null = null;
		let over = false;

		if (!on) {
			set({ track: null, error: '' });
			return;
		}
		e.devices[kind]().then((t) => {
			if (over)
				return (t.stop());
			track = t;
			set({ track: t, error: '' });
		}, (x: unknown) => {
			if (!over)
				set({ track: null, error: e.failure(x) });
		});
		return (() => {
			over = true;
			track?.stop();
		});
	}, [on, id]);
	return (on ? trial : { track: null, error: '' });
}

/* How loud the microphone hears one; a bar, and words for who cannot see. */
function Level(p: { e: Engine; track: MediaStreamTrack | null }):
    JSX.Element {
	const bar = useRef<HTMLSpanElement>(null);
	const [heard, hear] = useState(false);

	useEffect(() => {
		if (p.track === null) {
			hear(false);
			return;
		}
		const meter = p.e.meterOf(p.track);
		const id = setInterval(() => {
			const v = Math.min(1, meter.level() * 6);
			if (bar.current !== null)
				bar.current.style.transform = `scaleX(${
				    v.toFixed(2)})`;
			if (v > 0.12)
				hear(true);
		}, METER);
		return (() => {
			clearInterval(id);
			meter.close();
		});
	}, [p.track]);
	return (
		<>
			<span class="meter" data-testid="mic-meter"
			    data-heard={heard}><span ref={bar} /></span>
			<p class="hint" role="status">{app.t(p.track === null ?
			    'talk.check.off' : heard ? 'talk.check.heard' :
			    'talk.check.speak')}</p>
		</>
	);
}

function Switch(p: { kind: 'mic' | 'cam'; on: boolean; flip(): void }):
    JSX.Element {
	const icon: IconName = p.on ? p.kind : `${p.kind}-off`;
	const word = app.t(`talk.device.${p.kind}`);

	return (<button type="button" class="tool" aria-pressed={p.on}
	    aria-label={word} title={word} onClick={p.flip}
	    data-testid={`check-${p.kind}`}>
		<Icon name={icon} size={20} /></button>);
}

function Fault(p: { error: Key | '' }): JSX.Element | null {
	return (p.error === '' ? null : <p class="notice bad" role="alert">
		<Icon name="alert" />{app.t(p.error)}</p>);
}

function Preview(p: { trial: Trial; on: boolean }): JSX.Element {
	const stream = useStream(p.trial.track);
	const me = app.user;

	return (
		<div class="trial-picture" data-testid="check-picture">
			{stream !== null ? <Video stream={stream}
			    mirror={true} label={app.t('talk.device.cam')} /> :
			    me !== null && <Face look={me.look} size={96} />}
		</div>
	);
}

/*
 * Before the first word: how one looks and sounds, whether one hears.  What is
 * on here is on afterwards; nothing of it reaches anybody before.
 */
function CheckBody(p: { e: Engine; close(): void }): JSX.Element {
	const { e } = p;
	const first = app.talk.check;
	const only = first === 'devices';
	const [mic, setMic] = useState(first !== 'cam' || only);
	const [cam, setCam] = useState(first === 'cam');
	const voice = useTrial(e, 'mic', mic && app.talk.may('voice'));
	const picture = useTrial(e, 'cam', cam && app.talk.may('video'));
	const join = () => {
		app.talk.checked = true;
		p.close();
		if (mic && e.own.tracks.mic === null)
			void e.turn('mic', true);
		if (cam && e.own.tracks.cam === null)
			void e.turn('cam', true);
	};

	return (
		<div class="trial">
			<div class="trial-left">
				<Preview trial={picture} on={cam} />
				<div class="trial-switches">
					{app.talk.may('voice') && <Switch
					    kind="mic" on={mic}
					    flip={() => setMic(!mic)} />}
					{app.talk.may('video') && <Switch
					    kind="cam" on={cam}
					    flip={() => setCam(!cam)} />}
				</div>
			</div>
			<div class="trial-right">
				<Fault error={voice.error || picture.error} />
				<DeviceField e={e} kind="mic" />
				<Level e={e} track={voice.track} />
				<DeviceField e={e} kind="cam" />
				<DeviceField e={e} kind="speaker" />
				<SpeakerTest e={e} />
			</div>
			<div class="dialog-foot">
				{!only && <button type="button" class="button"
				    onClick={p.close}>{app.t('ok.cancel')}
				</button>}
				<button type="button" class="button main"
				    data-testid="check-join"
				    disabled={!only && !mic && !cam}
				    onClick={only ? p.close : join}>
					{app.t(only ? 'talk.check.done' :
					    'talk.check.join')}</button>
			</div>
		</div>
	);
}

export function CheckDialog(): JSX.Element | null {
	useTopics('talk');
	const e = app.talk.engine;

	if (e === null || app.talk.check === '')
		return (null);
	const close = () => app.talk.show('');
	return (
		<Dialog title={app.t('talk.check')} close={close} kind="large"
		    testid="check">
			<p class="lead">{app.t('talk.check.lead')}</p>
			<CheckBody e={e} close={close} />
		</Dialog>
	);
}
