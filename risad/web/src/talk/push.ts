/* Push to talk: on while a key is held, wherever nothing is being typed. */
const TYPING = 'input, textarea, select, [contenteditable], dialog';
const PRESSED = 'button, a[href], summary, [role=button], [role=tab]';

export interface Pressed {
	code: string;
	repeat: boolean;
	plain: boolean;		/* without Ctrl, Alt or Meta */
	typing: boolean;	/* it goes into a text */
	pressing: boolean;	/* Space and Enter press what has the focus */
}

/* Does this key press begin to talk? */
export function begins(key: string, e: Pressed): boolean {
	if (key === '' || e.code !== key || e.repeat || !e.plain || e.typing)
		return (false);
	return (!e.pressing || (key !== 'Space' && key !== 'Enter'));
}

function pressed(e: KeyboardEvent): Pressed {
	const el = e.target instanceof Element ? e.target : null;

	return ({ code: e.code, repeat: e.repeat,
	    plain: !e.ctrlKey && !e.altKey && !e.metaKey && !e.isComposing,
	    typing: el !== null && el.closest(TYPING) !== null,
	    pressing: el !== null && el.closest(PRESSED) !== null });
}

export class PushToTalk {
	held = false;
	private readonly key: () => string;
	private readonly hold: (on: boolean) => void;
	private readonly off = new AbortController();

	constructor(key: () => string, hold: (on: boolean) => void) {
		const o = { signal: this.off.signal };

		this.key = key;
		this.hold = hold;
		addEventListener('keydown', (e) => this.down(e), o);
		addEventListener('keyup', (e) => {
			if (e.code === this.key())
				this.release();
		}, o);
		/* The key may be let go where we do not see it. */
		addEventListener('blur', () => this.release(), o);
		document.addEventListener('visibilitychange', () => {
			if (document.hidden)
				this.release();
		}, o);
	}

	close(): void {
		this.off.abort();
	}

	release(): void {
		if (!this.held)
			return;
		this.held = false;
		this.hold(false);
	}

	private down(e: KeyboardEvent): void {
		if (e.code !== this.key() || this.key() === '')
			return;
		if (this.held)
			e.preventDefault();	/* it would scroll the page */
		if (!begins(this.key(), pressed(e)))
			return;
		e.preventDefault();
		this.held = true;
		this.hold(true);
	}
}
