import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { app } from '../app';
import { useTopics } from '../ui/hooks';
import { useStream, Video } from './video';

const WIDTH = 104;		/* CSS pixels, as in talk.css */
const HEIGHT = 78;
const GAP = 6;

interface Shown {
	user: number;
	name: string;
	stream: MediaStream;
	speaking: boolean;
	own: boolean;
}

/* Above a head; as large as the figures allow. */
function put(el: HTMLElement, user: number): void {
	const at = app.scene?.head(user) ?? null;

	if (at === null) {
		el.style.visibility = 'hidden';
		return;
	}
	const scale = Math.min(1.3, Math.max(0.75, at.k * 1.6));
	el.style.visibility = '';
	el.style.transform = `translate(${Math.round(at.x - WIDTH / 2)}px, ${
	    Math.round(at.y - HEIGHT - GAP)}px) scale(${scale.toFixed(2)})`;
	app.scene?.lift(user, Math.round(HEIGHT * scale) + GAP);
}

function shown(own: MediaStream | null): Shown[] {
	const e = app.talk.engine;
	const self = app.user?.id ?? 0;
	const all: Shown[] = [];

	for (const m of e?.members.values() ?? [])
		if (m.cam !== null && !e?.devices.settings.sound)
			all.push({ user: m.user, name: app.nameOf(m.user),
			    stream: m.cam, speaking: m.voice.on, own: false });
	if (own !== null)
		all.push({ user: self, name: app.nameOf(self), stream: own,
		    speaking: e?.voice.on ?? false, own: true });
	return (all);
}

/*
 * Small pictures at the avatars.  They move with the drawing, by one style
 * each; nothing is measured.
 */
export function Pictures(): JSX.Element | null {
	useTopics('talk', 'people');
	const box = useRef<HTMLDivElement>(null);
	const own = useStream(app.talk.engine?.own.tracks.cam ?? null);
	const all = app.talk.gallery ? [] : shown(own);

	useLayoutEffect(() => {
		const place = () => {
			for (const el of box.current?.children ?? [])
				if (el instanceof HTMLElement)
					put(el, Number(el.dataset.user));
		};
		place();
		app.talk.place = all.length > 0 ? place : null;
		return (() => {
			app.talk.place = null;
			for (const s of all)
				app.scene?.lift(s.user, 0);
		});
	}, [all.map((s) => s.user).join(' ')]);
	return (
		<div ref={box} class="pictures" aria-hidden="true">
			{all.map((s) => <figure key={s.user}
			    data-user={s.user} data-testid={`picture-${s.user}`}
			    class={s.speaking ? 'picture-at speaking' :
			    'picture-at'}>
				<Video stream={s.stream} label={s.name}
				    mirror={s.own} />
			</figure>)}
		</div>
	);
}
