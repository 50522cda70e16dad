import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

const MARGIN = 8;

export interface Spot {
	x: number;
	y: number;
	h: number;		/* of what it belongs to */
}

export function spotOf(el: Element): Spot {
	const r = el.getBoundingClientRect();

	return ({ x: r.left, y: r.top, h: r.height });
}

/* Below the place if there is room, else above, always on the screen. */
function put(el: HTMLElement, at: Spot): void {
	const r = el.getBoundingClientRect();
	const below = at.y + at.h + MARGIN;
	const above = at.y - r.height - MARGIN;
	const fits = below + r.height <= innerHeight - MARGIN;
	const top = fits ? below : Math.max(MARGIN, above);

	el.style.left = `${Math.max(MARGIN, Math.min(at.x,
	    innerWidth - r.width - MARGIN))}px`;
	el.style.top = `${Math.max(MARGIN, Math.min(top,
	    innerHeight - r.height - MARGIN))}px`;
}

const FOCUSABLE = 'input:not([disabled]), button:not([disabled]), a[href]';

/*
 * A small card beside what opened it.  Not modal: Esc, a click elsewhere and
 * leaving it with Tab close it.
 */
export function Popover(p: { at: Spot; label: string; close(): void;
    children: ComponentChildren; testid?: string; kind?: string }):
    JSX.Element {
	const ref = useRef<HTMLDivElement>(null);
	const closing = useRef(p.close);

	closing.current = p.close;
	useLayoutEffect(() => {
		if (ref.current !== null)
			put(ref.current, p.at);
	}, []);
	/* A dialog that closes as this opens has given back the focus by then. */
	useEffect(() => {
		const el = ref.current;
		const from = document.activeElement;
		if (el === null)
			return;
		(el.querySelector<HTMLElement>('input:checked') ??
		    el.querySelector<HTMLElement>(FOCUSABLE) ?? el).focus();
		const out = (e: Event) => {
			if (e.target instanceof Node && !el.contains(e.target)
			    && !(from?.contains(e.target) ?? false))
				closing.current();
		};
		document.addEventListener('pointerdown', out, true);
		document.addEventListener('focusin', out);
		return (() => {
			document.removeEventListener('pointerdown', out, true);
			document.removeEventListener('focusin', out);
			const now = document.activeElement;
			if (from instanceof HTMLElement && from.isConnected &&
			    (now === document.body || el.contains(now)))
				from.focus();
		});
	}, []);
	return (
		<div ref={ref} class={`popover ${p.kind ?? ''}`} role="dialog"
		    tabIndex={-1} aria-label={p.label} data-testid={p.testid}
		    onKeyDown={(e) => {
			if (e.key === 'Escape' && !e.isComposing) {
				e.stopPropagation();
				p.close();
			}
		    }}>{p.children}</div>
	);
}
