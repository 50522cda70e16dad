/*
 * The browser's own notifications, for a page that nobody looks at.  Asked
 * for only by a click; what a notification says is gone with its call.
 */
import { marked } from './text';

export type Allowed = 'yes' | 'no' | 'ask' | 'never';

export class Notices {
	private readonly shown = new Map<number, Notification>();

	/* never: this browser has none, or none for pages like this one. */
	allowed(): Allowed {
		if (typeof Notification === 'undefined')
			return ('never');
		return (Notification.permission === 'granted' ? 'yes' :
		    Notification.permission === 'denied' ? 'no' : 'ask');
	}

	async ask(): Promise<Allowed> {
		if (this.allowed() === 'ask')
			await Notification.requestPermission();
		return (this.allowed());
	}

	show(id: number, title: string, body: string, lang: string): void {
		if (this.allowed() !== 'yes')
			return;
		try {
			const n = new Notification(marked(title), { lang,
			    body: marked(body), tag: `call-${id}` });
			n.onclick = () => {
				window.focus();
				n.close();
			};
			this.shown.set(id, n);
		} catch {
			/* telephones have them for installed pages alone */
		}
	}

	close(id: number): void {
		this.shown.get(id)?.close();
		this.shown.delete(id);
	}
}
