import type { Devices } from './devices';

export type Part1 = 'mic' | 'cam' | 'screen';
type Track = MediaStreamTrack;

export interface OwnHost {
	/* Tracks have come, gone or been exchanged. */
	changed(): void;
	/* A device has gone by itself; the browser's own button, too. */
	ended(part: Part1, label: string): void;
}

/*
 * What one sends.  A part that is off has no track: the device rests, and the
 * browser says so itself.
 */
export class Own {
	readonly tracks: Record<Part1 | 'sound', Track | null> = { mic: null,
	    cam: null, screen: null, sound: null };
	private readonly devices: Devices;
	private readonly host: OwnHost;
	private readonly asked: Record<Part1, number> = { mic: 0, cam: 0,
	    screen: 0 };

	constructor(devices: Devices, host: OwnHost) {
		this.devices = devices;
		this.host = host;
	}

	/*
	 * Gets a track, or another one in the place of the one there is.  False:
	 * it was turned off while the browser asked.
	 */
	async start(part: Part1): Promise<boolean> {
		const n = ++this.asked[part];
		const got = part === 'screen' ? await this.devices.screen() :
		    { video: await this.devices[part](), sound: null };

		if (n !== this.asked[part]) {
			got.video.stop();
			got.sound?.stop();
			return (false);
		}
		this.put(part, got.video);
		if (part === 'screen')
			this.put('sound', got.sound);
		got.video.addEventListener('ended', () => {
			if (this.tracks[part] === got.video)
				this.host.ended(part, got.video.label);
		});
		this.host.changed();
		return (true);
	}

	stop(part: Part1): void {
		this.asked[part]++;
		if (this.tracks[part] === null)
			return;
		this.put(part, null);
		if (part === 'screen')
			this.put('sound', null);
		this.host.changed();
	}

	stopAll(): void {
		this.stop('mic');
		this.stop('cam');
		this.stop('screen');
	}

	private put(slot: Part1 | 'sound', track: Track | null): void {
		this.tracks[slot]?.stop();
		this.tracks[slot] = track;
	}
}
