import type { JSX } from 'preact';
import { encode } from 'uqr';
import { app } from '../app';

/* A QR code as one path; dark on light in every theme, or no camera reads it. */
export function Qr(p: { text: string; label: string }): JSX.Element {
	const { data, size } = encode(p.text, { ecc: 'M', border: 3 });
	const path = data.map((row, y) => row.map((on, x) =>
	    on ? `M${x} ${y}h1v1h-1z` : '').join('')).join('');

	return (
		<svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img"
		    aria-label={p.label} data-testid="factor-qr"
		    lang={app.lang} shape-rendering="crispEdges">
			<rect width={size} height={size} fill="#fff" />
			<path d={path} fill="#000" />
		</svg>
	);
}
