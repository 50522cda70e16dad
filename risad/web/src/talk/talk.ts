import { tab } from '../lib/kept';
import type { App } from '../app';
import { api } from '../api';
import type { Key } from '../i18n/index';
import type { Right } from '../types';
import type { Engine, Host } from './engine';
import type { TalkMsg, TalkServerMsg } from './wire';

const AGAIN = 10000;		/* ms until it is fetched again */

export type Check = '' | 'mic' | 'cam' | 'devices';

/*
 * Talk as the rest of the page sees it.  The engine comes by itself when
 * somebody enters a floor with a browser that can talk.
 */
export class Talk {
	engine: Engine | null = null;
	can = typeof RTCPeerConnection === 'function';
	missing = false;		/* it could not be fetched */
	check: Check = '';		/* the dialog of the devices */
	checked = false;		/* they were looked at */
	gallery = false;
	open: boolean | null = null;	/* the panel, null: by itself */
	menu = 0;			/* user whose volume is shown */
	place: (() => void) | null = null;	/* what follows the drawing */
	private readonly app: App;
	private readonly seen = new Set<number>();	/* screens by avatar */
	private early: TalkServerMsg[] = [];
	private fetching = false;
	private floor = 0;

	constructor(app: App) {
		this.app = app;
	}

	/* ---- what App tells ---- */

	entered(floor: number): void {
		this.floor = floor;
		if (this.engine !== null)
			this.engine.entered(floor);
		else
			void this.fetch();
	}

	left(): void {
		this.floor = 0;
		this.early = [];
		this.gallery = false;
		this.open = null;
		this.seen.clear();
		this.engine?.left();
	}

	/* The connection to the server is up, or not. */
	link(up: boolean): void {
		if (!up) {
			this.early = [];
			this.engine?.detached();
		}
	}

	end(): void {
		this.left();
		this.check = '';
		this.engine?.close();
		this.engine = null;
	}

	receive(m: TalkServerMsg): void {
		if (this.engine === null) {
			if (this.can && this.early.length < 64)
				this.early.push(m);
			return;
		}
		if (m.t === 'signal')
			return (this.engine.signal(m.from, m.data));
		if (m.t === 'rules')
			return (this.engine.rules(m.floor));
		this.engine.talk(m);
		this.screens(m);
	}

	refused(code: string, field: string | undefined,
	    to: number | undefined): boolean {
		return (this.engine?.refused(code, field, to) ?? false);
	}

	/* ---- what components ask ---- */

	now(): TalkMsg | null {
		return (this.engine?.now ?? null);
	}

	sends(): boolean {
		const t = this.engine?.own.tracks;

		return (t !== undefined && (t.mic ?? t.cam ?? t.screen) !==
		    null);
	}

	/* By one's role, and on this floor. */
	may(right: Right & ('voice' | 'video' | 'screen')): boolean {
		return (this.app.may(right) &&
		    (this.engine?.info?.can.includes(right) ?? true));
	}

	/* A first look at the devices comes before the first word. */
	press(part: 'mic' | 'cam'): void {
		const e = this.engine;

		if (e === null)
			return (this.app.tell(this.app.t('talk.missing')));
		if (e.own.tracks[part] !== null)
			return (void e.turn(part, false));
		if (this.checked)
			return (void e.turn(part, true));
		this.show(part);
	}

	/* The drawing has moved. */
	drawn(): void {
		this.place?.();
		this.engine?.moved();
	}

	show(check: Check): void {
		this.check = check;
		this.app.changed('talk');
	}

	setGallery(on: boolean): void {
		this.gallery = on;
		this.app.changed('talk', 'ui');
	}

	/* ---- inside ---- */

	/* A screen that begins to be shown is shown. */
	private screens(m: TalkMsg): void {
		for (const w of m.with) {
			if (!w.screen || w.way === 'heard')
				this.seen.delete(w.id);
			else if (!this.seen.has(w.id)) {
				this.seen.add(w.id);
				this.setGallery(true);
			}
		}
	}

	private async fetch(): Promise<void> {
		if (!this.can || this.fetching || this.floor === 0)
			return;
		this.fetching = true;
		try {
			const { Engine } = await import('./engine');
			this.missing = false;
			this.begin(new Engine(this.host()));
		} catch {
			this.missing = true;
			setTimeout(() => void this.fetch(), AGAIN);
		}
		this.fetching = false;
		this.app.changed('talk');
	}

	private begin(e: Engine): void {
		const early = this.early;

		if (this.floor === 0)
			return (e.close());
		this.engine = e;
		this.early = [];
		e.entered(this.floor);
		for (const m of early)
			this.receive(m);
	}

	private host(): Host {
		const { app } = this;

		return ({
			kept: tab,
			send: (m) => app.send(m),
			changed: () => app.changed('talk'),
			tell: (key, p) => app.tell(app.t(key, p)),
			you: () => app.floor?.you ?? 0,
			userOf: (id) => app.avatar(id)?.user ?? 0,
			distance: (user) => app.scene?.distance(user) ?? null,
			speaking: (user, on) => app.scene?.speaking(user, on),
			self: () => app.user?.id ?? 0,
			info: (floor) => api.talk(floor),
			why: () => this.why(),
		});
	}

	/* What has taken the word from one. */
	private why(): Key {
		const { app } = this;
		const room = app.rooms().find((r) => r.id === app.room);

		if (app.user?.status === 'away' || app.user?.status === 'dnd')
			return ('talk.err.status');
		if (room?.kind === 'quiet')
			return ('talk.err.quiet');
		return (room?.kind === 'stage' ? 'talk.err.listener' :
		    'talk.err.right');
	}
}
