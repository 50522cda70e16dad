import { setSpeaker } from './devices';
import { Speaking } from './level';
import { Peer, type PeerHost, type Slot } from './peer';
import { routeOf, type Route, type Stat } from './route';
import type { With } from './wire';

/* Somebody in one's talk: the connection, what it brings, and how loud. */
export class Member {
	id: number;
	user: number;
	now: With;
	readonly peer: Peer;
	readonly voice = new Speaking();
	route: Route | null = null;
	cam: MediaStream | null = null;
	screen: MediaStream | null = null;
	private readonly players = new Map<Slot, HTMLAudioElement>();
	private readonly blocked: () => void;
	private loud = 1;
	private speaker = '';

	/* blocked: the browser wants a click before there is sound. */
	constructor(now: With, user: number, polite: boolean, host: PeerHost,
	    blocked: () => void) {
		this.id = now.id;
		this.user = user;
		this.now = now;
		this.blocked = blocked;
		this.peer = new Peer(polite, host);
	}

	/* Do they hear us? */
	hears(): boolean {
		return (this.now.way !== 'hear');
	}

	/* Do we hear them? */
	heard(): boolean {
		return (this.now.way !== 'heard');
	}

	/* Plays and shows what the server says that we may have of them. */
	update(now: With): void {
		this.now = now;
		this.tune();
	}

	/* Also when the tracks are other ones. */
	tune(): void {
		const { mic, screen, cam } = this.now;
		const on = this.heard();

		this.play('mic', on && mic);
		this.play('sound', on && screen);
		this.cam = this.shown(this.cam, on && cam ?
		    this.peer.track('cam') : null);
		this.screen = this.shown(this.screen, on && screen ?
		    this.peer.track('screen') : null);
	}

	/* One stream for one track: a new one would make the picture blink. */
	private shown(was: MediaStream | null, track: MediaStreamTrack | null):
	    MediaStream | null {
		if (track === null)
			return (null);
		return (was?.getTracks()[0] === track ? was :
		    new MediaStream([track]));
	}

	private play(slot: Slot, on: boolean): void {
		const track = on ? this.peer.track(slot) : null;
		let el = this.players.get(slot);

		if (track === null) {
			if (el !== undefined)
				el.srcObject = null;
			this.players.delete(slot);
			return;
		}
		if (el === undefined) {
			el = document.createElement('audio');
			this.players.set(slot, el);
		}
		const was = el.srcObject as MediaStream | null;
		if (was?.getTracks()[0] === track)
			return;
		el.srcObject = new MediaStream([track]);
		el.volume = this.loud;
		void setSpeaker(el, this.speaker);
		this.begin(el);
	}

	private begin(el: HTMLAudioElement): void {
		el.play().catch((e: unknown) => {
			if (e instanceof DOMException &&
			    e.name === 'NotAllowedError')
				this.blocked();
		});
	}

	/* After a click: what the browser has held back. */
	resume(): void {
		for (const el of this.players.values())
			if (el.paused)
				this.begin(el);
	}

	volume(v: number): void {
		this.loud = Math.min(1, Math.max(0, v));
		for (const el of this.players.values()) {
			/* Where volume is the device's alone, silence is ours. */
			el.muted = this.loud === 0;
			if (el.volume !== this.loud)
				el.volume = this.loud;
		}
	}

	output(id: string): void {
		this.speaker = id;
		for (const el of this.players.values())
			void setSpeaker(el, id);
	}

	/* True when it has changed whether one hears them speak. */
	listen(now: number): boolean {
		const on = this.heard() && this.now.mic;

		return (this.voice.add(on ? this.peer.level('mic') : 0, now));
	}

	async routed(): Promise<void> {
		const all: Stat[] = [];

		(await this.peer.stats()).forEach((s: Stat) => all.push(s));
		this.route = this.peer.connected() ? routeOf(all) : null;
	}

	close(): void {
		this.peer.close();
		for (const el of this.players.values())
			el.srcObject = null;
		this.players.clear();
		this.cam = this.screen = null;
	}
}
