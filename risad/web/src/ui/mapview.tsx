import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { templateMap } from '../api';
import { app } from '../app';
import { paintGround } from '../scene/ground';
import { DARK, LIGHT } from '../scene/palette';
import type { FloorMap } from '../types';
import { useMedia } from './hooks';

const RIM = 40;			/* cm around the floor */
const WIDE = 260;		/* CSS pixels */
const HIGH = 190;

function paint(el: HTMLCanvasElement, map: FloorMap, dark: boolean): void {
	const c = el.getContext('2d');
	const ratio = Math.min(2, devicePixelRatio || 1);
	const w = WIDE * ratio, h = HIGH * ratio;
	const [mw, mh] = map.size;
	const k = Math.min(w / (mw + 2 * RIM), h / (mh + 2 * RIM));

	el.width = w;
	el.height = h;
	if (c === null)
		return;
	paintGround(c, { map, pal: dark ? DARK : LIGHT, lang: app.lang,
	    door: () => 'open', k, ratio, view: { x: mw / 2 - w / k / 2,
	    y: mh / 2 - h / k / 2, w: w / k, h: h / k } });
}

/* The picture of a template, as the floor will look. */
export function MapView(p: { template: string }): JSX.Element {
	const ref = useRef<HTMLCanvasElement>(null);
	const [map, setMap] = useState<FloorMap | null>(null);
	const dark = useMedia('(prefers-color-scheme: dark)');

	useEffect(() => {
		let on = true;
		/* without it the name of the template must do */
		templateMap(p.template).then((m) => on && setMap(m),
		    () => undefined);
		return (() => {
			on = false;
		});
	}, [p.template]);
	useEffect(() => {
		if (ref.current !== null && map !== null)
			paint(ref.current, map, dark);
	}, [map, dark]);
	return (<canvas ref={ref} class="map-view" aria-hidden="true"
	    width={WIDE} height={HIGH} />);
}
