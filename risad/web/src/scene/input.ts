/* Fingers, mouse and keys, told as what they mean for the floor. */

export interface Wishes {
	tap(x: number, y: number): void;
	hover(x: number, y: number): void;
	leave(): void;
	pan(dx: number, dy: number): void;
	zoom(factor: number, x: number, y: number): void;
	/* The direction of the held keys, each -1, 0 or 1. */
	steer(dx: number, dy: number): void;
}

const SLACK = 7;			/* pixels a tap may wander */

const KEYS: Readonly<Record<string, [number, number]>> = {
	ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1],
	ArrowDown: [0, 1], KeyA: [-1, 0], KeyD: [1, 0], KeyW: [0, -1],
	KeyS: [0, 1],
};

/* Where arrows and letters have a meaning of their own. */
const TYPING = 'input, textarea, select, [contenteditable=""], ' +
    '[contenteditable="true"], [role="menu"], [role="listbox"], ' +
    '[role="tablist"], [role="radiogroup"], [role="slider"], ' +
    '[role="dialog"], [role="grid"], [role="tree"], dialog';

interface Finger {
	x: number;
	y: number;
	startX: number;
	startY: number;
	moved: boolean;
}

export class Input {
	enabled = true;
	private fingers = new Map<number, Finger>();
	private held = new Set<string>();
	private off = new AbortController();

	constructor(private host: HTMLElement, private to: Wishes)
	{
		const o = { signal: this.off.signal };

		host.style.touchAction = 'none';
		host.addEventListener('pointerdown', (e) => this.down(e), o);
		host.addEventListener('pointermove', (e) => this.move(e), o);
		host.addEventListener('pointerup', (e) => this.up(e, true), o);
		host.addEventListener('pointercancel',
		    (e) => this.up(e, false), o);
		host.addEventListener('pointerleave', () => to.leave(), o);
		host.addEventListener('wheel', (e) => this.wheel(e),
		    { ...o, passive: false });
		window.addEventListener('keydown', (e) => this.key(e, true), o);
		window.addEventListener('keyup', (e) => this.key(e, false), o);
		window.addEventListener('blur', () => this.release(), o);
		document.addEventListener('focusin', (e) => {
			if (typing(e.target))
				this.release();
		}, o);
	}

	destroy(): void
	{
		this.off.abort();
	}

	/* All keys count as let go. */
	release(): void
	{
		if (this.held.size > 0) {
			this.held.clear();
			this.to.steer(0, 0);
		}
	}

	/* Forgets the keys without a wish: somebody else moved us. */
	forget(): void
	{
		this.held.clear();
	}

	private at(e: MouseEvent): [number, number]
	{
		const r = this.host.getBoundingClientRect();

		return [e.clientX - r.left, e.clientY - r.top];
	}

	private down(e: PointerEvent): void
	{
		const [x, y] = this.at(e);

		if (!this.enabled || e.button !== 0)
			return;
		this.host.setPointerCapture(e.pointerId);
		this.fingers.set(e.pointerId, { x, y, startX: x, startY: y,
		    moved: this.fingers.size > 0 });
	}

	private move(e: PointerEvent): void
	{
		const f = this.fingers.get(e.pointerId);
		const [x, y] = this.at(e);

		if (!this.enabled)
			return;
		if (f === undefined) {
			if (e.pointerType === 'mouse')
				this.to.hover(x, y);
			return;
		}
		if (!f.moved && Math.hypot(x - f.startX, y - f.startY) < SLACK)
			return;
		f.moved = true;
		if (this.fingers.size === 1)
			this.to.pan(x - f.x, y - f.y);
		else
			this.pinch(e.pointerId, f, x, y);
		f.x = x;
		f.y = y;
	}

	/* Two fingers: their middle pans, their distance zooms. */
	private pinch(id: number, f: Finger, x: number, y: number): void
	{
		for (const [other, g] of this.fingers) {
			if (other === id)
				continue;
			const was = Math.hypot(f.x - g.x, f.y - g.y);
			const is = Math.hypot(x - g.x, y - g.y);
			g.moved = true;
			this.to.pan((x - f.x) / 2, (y - f.y) / 2);
			if (was > 10 && is > 10)
				this.to.zoom(is / was, (x + g.x) / 2,
				    (y + g.y) / 2);
			return;
		}
	}

	private up(e: PointerEvent, tap: boolean): void
	{
		const f = this.fingers.get(e.pointerId);

		this.fingers.delete(e.pointerId);
		if (f !== undefined && tap && !f.moved && this.enabled)
			this.to.tap(f.x, f.y);
	}

	private wheel(e: WheelEvent): void
	{
		const [x, y] = this.at(e);
		const lines = e.deltaMode === WheelEvent.DOM_DELTA_LINE ?
		    24 : 1;
		const turn = Math.max(-240, Math.min(240, e.deltaY * lines));

		if (!this.enabled)
			return;
		e.preventDefault();
		this.to.zoom(Math.exp(-turn * (e.ctrlKey ? 0.008 : 0.0018)), x,
		    y);
	}

	private key(e: KeyboardEvent, down: boolean): void
	{
		if (KEYS[e.code] === undefined)
			return;
		if (!down) {
			if (this.held.delete(e.code))
				this.tell();
			return;
		}
		if (!this.enabled || e.defaultPrevented || e.isComposing ||
		    e.ctrlKey || e.metaKey || e.altKey || typing(e.target))
			return;
		e.preventDefault();
		if (e.repeat || this.held.has(e.code))
			return;
		this.held.add(e.code);
		this.tell();
	}

	private tell(): void
	{
		let dx = 0, dy = 0;

		for (const code of this.held) {
			dx += KEYS[code]?.[0] ?? 0;
			dy += KEYS[code]?.[1] ?? 0;
		}
		this.to.steer(Math.sign(dx), Math.sign(dy));
	}
}

function typing(t: EventTarget | null): boolean
{
	return t instanceof Element && t.closest(TYPING) !== null;
}
