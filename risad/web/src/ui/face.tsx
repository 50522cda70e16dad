import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { app } from '../app';
import { drawFace } from '../scene/index';
import type { Look, Status } from '../types';

/* Somebody's face; the name stands beside it, so it is not read aloud. */
export function Face(p: { look: Look; size: number }): JSX.Element {
	const ref = useRef<HTMLCanvasElement>(null);
	const { skin, hair, tint, face, shirt, extra } = p.look;

	useLayoutEffect(() => {
		if (ref.current !== null)
			drawFace(ref.current, p.look, p.size);
	}, [skin, hair, tint, face, shirt, extra, p.size]);
	return (<canvas ref={ref} class="face" aria-hidden="true"
	    width={p.size} height={p.size} />);
}

/* The dot of a status: a shape for each, colour is never alone. */
export function Dot(p: { status: Status | 'out' }): JSX.Element {
	return (<span class={`dot ${p.status}`} aria-hidden="true" />);
}

/* Somebody from outside: said wherever a guest's name stands. */
export function GuestTag(): JSX.Element {
	return (<span class="guest-tag">{app.t('guest.tag')}</span>);
}

export function StatusWord(p: { status: Status }): JSX.Element {
	return (<>{app.t(`status.${p.status}`)}</>);
}
