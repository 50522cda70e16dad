import type { Key } from '../i18n/index';
import type { Store } from '../lib/kept';
import { load, save, type DeviceKind, type Settings } from './settings';

export interface DeviceInfo {
	id: string;
	label: string;		/* "" until one of its kind was allowed */
}

const KINDS: Record<DeviceKind, MediaDeviceKind> = { mic: 'audioinput',
    cam: 'videoinput', speaker: 'audiooutput' };

/* Why there is no track, in words that say what to do. */
export function mediaFailure(e: unknown): Key {
	switch (e instanceof Error || e instanceof DOMException ?
	    e.name : '') {
	case 'NotAllowedError':
	case 'SecurityError':
		return ('talk.err.denied');
	case 'NotFoundError':
	case 'OverconstrainedError':
		return ('talk.err.none');
	case 'NotReadableError':
	case 'AbortError':
		return ('talk.err.busy');
	default:
		return ('talk.err.device');
	}
}

function device(id: string): MediaTrackConstraints {
	return (id === '' ? {} : { deviceId: { exact: id } });
}

export function micWish(id: string): MediaTrackConstraints {
	return ({ ...device(id), echoCancellation: true,
	    noiseSuppression: true, autoGainControl: true });
}

export function camWish(id: string): MediaTrackConstraints {
	return ({ ...device(id), width: { ideal: 640 },
	    height: { ideal: 360 }, frameRate: { ideal: 30, max: 30 } });
}

/* The devices of this browser, which of them are chosen, and what is set. */
export class Devices {
	readonly settings: Settings;
	list: Record<DeviceKind, DeviceInfo[]> = { mic: [], cam: [],
	    speaker: [] };
	private readonly store: Store;
	private readonly changed: () => void;
	private readonly gone: (kind: DeviceKind, label: string) => void;
	private readonly off = new AbortController();

	/* gone: a chosen device is not there any more. */
	constructor(store: Store, changed: () => void,
	    gone: (kind: DeviceKind, label: string) => void) {
		this.store = store;
		this.changed = changed;
		this.gone = gone;
		this.settings = load(store);
		navigator.mediaDevices?.addEventListener('devicechange',
		    () => void this.refresh(), { signal: this.off.signal });
	}

	close(): void {
		this.off.abort();
	}

	set(change: Partial<Settings>): void {
		Object.assign(this.settings, change);
		save(this.store, this.settings);
		this.changed();
	}

	/* What there is; labels only once one of them has been allowed. */
	async refresh(): Promise<void> {
		const all = await navigator.mediaDevices?.enumerateDevices()
		    .catch(() => []) ?? [];
		const was = this.list;

		this.list = { mic: [], cam: [], speaker: [] };
		for (const k of Object.keys(KINDS) as DeviceKind[])
			this.list[k] = all.filter((d) => d.kind === KINDS[k] &&
			    d.deviceId !== '' && d.deviceId !== 'default' &&
			    d.deviceId !== 'communications').map((d) =>
			    ({ id: d.deviceId, label: d.label }));
		for (const k of Object.keys(KINDS) as DeviceKind[])
			this.missed(k, was[k]);
		this.changed();
	}

	/* The choice is kept: it counts again when it is plugged in. */
	private missed(kind: DeviceKind, was: DeviceInfo[]): void {
		const id = this.settings[kind];
		const old = was.find((d) => d.id === id);

		if (old !== undefined &&
		    !this.list[kind].some((d) => d.id === id))
			this.gone(kind, old.label);
	}

	/* The chosen one if it is there, "" for the usual one. */
	chosen(kind: DeviceKind): string {
		const id = this.settings[kind];

		return (this.list[kind].some((d) => d.id === id) ? id : '');
	}

	async mic(): Promise<MediaStreamTrack> {
		const s = await navigator.mediaDevices.getUserMedia({ audio:
		    micWish(this.chosen('mic')) });

		void this.refresh();
		return (first(s));
	}

	async cam(): Promise<MediaStreamTrack> {
		const s = await navigator.mediaDevices.getUserMedia({ video:
		    camWish(this.chosen('cam')) });
		const t = first(s);

		t.contentHint = 'motion';
		void this.refresh();
		return (t);
	}

	/* A screen or window, and its sound where the browser has it. */
	async screen(): Promise<{ video: MediaStreamTrack;
	    sound: MediaStreamTrack | null }> {
		const s = await navigator.mediaDevices.getDisplayMedia({
			video: { frameRate: { ideal: 15, max: 20 } },
			audio: { echoCancellation: false,
			    noiseSuppression: false, autoGainControl: false },
		});
		const [video] = s.getVideoTracks();

		if (video === undefined)
			throw new DOMException('', 'NotFoundError');
		video.contentHint = 'detail';
		return ({ video, sound: s.getAudioTracks()[0] ?? null });
	}
}

function first(s: MediaStream): MediaStreamTrack {
	const [t] = s.getTracks();

	if (t === undefined)
		throw new DOMException('', 'NotFoundError');
	return (t);
}

/* How loud a track is now, 0 to 1, while it is open. */
export class Meter {
	private readonly context = new AudioContext();
	private readonly node: AnalyserNode;
	private readonly samples: Float32Array<ArrayBuffer>;

	constructor(track: MediaStreamTrack) {
		this.node = this.context.createAnalyser();
		this.node.fftSize = 512;
		this.samples = new Float32Array(this.node.fftSize);
		this.context.createMediaStreamSource(
		    new MediaStream([track])).connect(this.node);
		if (this.context.state === 'suspended')
			void this.context.resume().catch(() => undefined);
	}

	level(): number {
		let sum = 0;

		this.node.getFloatTimeDomainData(this.samples);
		for (const s of this.samples)
			sum += s * s;
		return (Math.sqrt(sum / this.samples.length));
	}

	close(): void {
		void this.context.close().catch(() => undefined);
	}
}

/* Two short tones, where the talk would be heard. */
export async function ring(speaker: string): Promise<void> {
	const c = new AudioContext();
	const to = c.createMediaStreamDestination();
	const el = document.createElement('audio');

	try {
		for (const [i, hz] of [523, 784].entries()) {
			const at = c.currentTime + 0.1 + i * 0.3;
			const tone = c.createOscillator();
			const gain = c.createGain();
			tone.frequency.value = hz;
			gain.gain.setValueAtTime(0, at);
			gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
			gain.gain.linearRampToValueAtTime(0, at + 0.28);
			tone.connect(gain).connect(to);
			tone.start(at);
			tone.stop(at + 0.3);
		}
		el.srcObject = to.stream;
		if (speaker !== '')
			await setSpeaker(el, speaker);
		await el.play();
		await new Promise((go) => setTimeout(go, 900));
	} finally {
		el.srcObject = null;
		await c.close();
	}
}

/* Not every browser lets a page choose; then it is where it usually is. */
export async function setSpeaker(el: HTMLMediaElement, id: string):
    Promise<void> {
	if (canChooseSpeaker() && el.sinkId !== id)
		await el.setSinkId(id).catch(() => undefined);
}

export function canChooseSpeaker(): boolean {
	return ('setSinkId' in HTMLMediaElement.prototype);
}
