import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import { Icon } from '../icon';
import { SelectField } from '../ui/field';
import type { Engine } from './engine';
import type { DeviceKind } from './settings';

/* One kind of device: the usual one first, then by name. */
export function DeviceField(p: { e: Engine; kind: DeviceKind }):
    JSX.Element | null {
	const { e, kind } = p;
	const list = e.devices.list[kind];
	const chosen = e.devices.settings[kind];
	const there = list.some((d) => d.id === chosen);

	if (kind === 'speaker' && !e.canChooseSpeaker())
		return (null);
	return (<SelectField label={app.t(`talk.device.${kind}`)}
	    value={there ? chosen : ''} testid={`device-${kind}`}
	    set={(id) => void e.choose(kind, id)}
	    options={[['', app.t('talk.device.usual')],
	    ...list.map((d, i): [string, string] => [d.id, d.label ||
	    app.t('talk.device.n', { n: i + 1 })])]} />);
}

/* Two tones from where the talk would come. */
export function SpeakerTest(p: { e: Engine }): JSX.Element {
	const [busy, setBusy] = useState(false);
	const test = () => {
		setBusy(true);
		p.e.testSpeaker().catch(() => app.tell(app.t(
		    'talk.err.device'))).finally(() => setBusy(false));
	};

	return (<button type="button" class="button small" disabled={busy}
	    data-testid="speaker-test" onClick={test}>
		<Icon name="volume" size={16} />{app.t(busy ?
		    'talk.speaker.playing' : 'talk.speaker.test')}</button>);
}

/* KeyA as A: what stands on the key, as far as its code tells. */
function keyName(code: string): string {
	return (code.replace(/^(Key|Digit)/, '') || '');
}

/* The key that is held to talk; the next one pressed becomes it. */
function PushKey(p: { e: Engine }): JSX.Element {
	const { e } = p;
	const [asking, ask] = useState(false);
	const key = e.devices.settings.key;
	const take = (ev: KeyboardEvent) => {
		if (!asking || ev.key === 'Tab')
			return;
		ev.preventDefault();
		ev.stopPropagation();
		ask(false);
		if (ev.key !== 'Escape')
			e.setting({ key: ev.code });
	};

	return (
		<div class="field">
			<span class="label" id="push-label">
				{app.t('talk.push')}</span>
			<span class="push-row">
				<button type="button" class="button small grow"
				    data-testid="push-key"
				    aria-labelledby="push-label push-value"
				    onKeyDown={take} onBlur={() => ask(false)}
				    onClick={() => ask(true)}>
					<span id="push-value">{asking ?
					    app.t('talk.push.press') :
					    key === '' ? app.t('talk.push.off')
					    : keyName(key)}</span></button>
				{key !== '' && <button type="button"
				    class="icon-button" data-testid="push-off"
				    aria-label={app.t('talk.push.clear')}
				    title={app.t('talk.push.clear')}
				    onClick={() => e.setting({ key: '' })}>
					<Icon name="close" size={16} />
				</button>}
			</span>
			<p class="hint">{app.t('talk.push.hint')}</p>
		</div>
	);
}

/* What can be set beside the devices themselves. */
export function TalkSettings(p: { e: Engine }): JSX.Element {
	const { e } = p;

	return (
		<>
			<label class="choice">
				<input type="checkbox"
				    data-testid="sound-only"
				    checked={e.devices.settings.sound}
				    onChange={(ev) => e.setting({ sound:
				    ev.currentTarget.checked })} />
				<span>{app.t('talk.sound')}
					<small class="dim block">
						{app.t('talk.sound.hint')}
					</small></span>
			</label>
			<PushKey e={e} />
		</>
	);
}
