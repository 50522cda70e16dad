/*
 * Enter that ends a Japanese composition must not send.  Chrome and Firefox
 * say isComposing or key code 229 on that Enter.  Safari fires compositionend
 * first and a keydown that looks ordinary right after it, so an Enter within
 * a moment of the end still belongs to the composition.
 */
const AFTER = 80;		/* ms */

export interface KeyLike {
	key: string;
	keyCode: number;
	isComposing: boolean;
	shiftKey: boolean;
	ctrlKey: boolean;
	altKey: boolean;
	metaKey: boolean;
	timeStamp: number;
}

export class Composition {
	private active = false;
	private ended = -Infinity;

	start(): void {
		this.active = true;
	}

	end(at: number): void {
		this.active = false;
		this.ended = at;
	}

	/* Whether this key belongs to a composition. */
	owns(e: KeyLike): boolean {
		return (this.active || e.isComposing || e.keyCode === 229 ||
		    (e.keyCode === 13 && e.timeStamp - this.ended < AFTER &&
		    e.timeStamp >= this.ended - AFTER));
	}

	/* Whether this key sends the message. */
	sends(e: KeyLike): boolean {
		return (e.key === 'Enter' && !e.shiftKey && !e.altKey &&
		    !this.owns(e));
	}
}
