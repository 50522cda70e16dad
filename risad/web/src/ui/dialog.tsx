import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { app } from '../app';
import type { Key } from '../i18n/index';
import { Icon } from '../icon';
import { Plain } from './text';

export function Close(p: { close(): void }): JSX.Element {
	return (
		<button type="button" class="icon-button" onClick={p.close}
		    data-testid="dialog-close" aria-label={app.t('ok.close')}
		    title={app.t('ok.close')}><Icon name="close" /></button>
	);
}

/* The dialog's own scrollbar is not beside it. */
function beside(el: HTMLElement, e: MouseEvent): boolean {
	const r = el.getBoundingClientRect();

	return (e.clientX < r.left || e.clientX > r.right ||
	    e.clientY < r.top || e.clientY > r.bottom);
}

/*
 * A modal dialog of the browser's own: it holds the focus, Esc and a click
 * beside it close it, and the focus goes back to where it came from.
 */
export function Dialog(p: { title: string; close(): void; kind?: string;
    children: ComponentChildren; testid?: string; bare?: boolean;
    icon?: ComponentChildren }):
    JSX.Element {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();

	useLayoutEffect(() => {
		const el = ref.current;
		const from = document.activeElement;
		el?.showModal();
		return (() => {
			el?.close();
			if (from instanceof HTMLElement && from.isConnected)
				from.focus();
		});
	}, []);
	return (
		<dialog ref={ref} class={`dialog ${p.kind ?? ''}`}
		    aria-labelledby={id} data-testid={p.testid}
		    onCancel={(e) => {
			e.preventDefault();
			p.close();
		    }}
		    onPointerDown={(e) => {
			if (e.target === ref.current &&
			    beside(e.currentTarget, e))
				p.close();
		    }}>
			<div class="dialog-box">
				{p.bare ? <h2 class="vh" id={id}>{p.title}
				</h2> : <header class="dialog-head">
					{p.icon}
					<h2 id={id}><Plain text={p.title} /></h2>
					<Close close={p.close} />
				</header>}
				{p.children}
			</div>
		</dialog>
	);
}

/* The end of a form in a dialog: away from it, or send it. */
export function DialogFoot(p: { close(): void; off: boolean; word?: Key;
    testid: string; danger?: boolean }): JSX.Element {
	return (
		<div class="dialog-foot">
			<button type="button" class="button" onClick={p.close}>
				{app.t('ok.cancel')}</button>
			<button type="submit"
			    class={`button ${p.danger ? 'danger' : 'main'}`}
			    disabled={p.off} data-testid={p.testid}>
				{app.t(p.word ?? 'ok.save')}</button>
		</div>
	);
}

/* Asks before something that cannot be undone. */
export function Confirm(p: { title: string; lead: string; yes: string;
    act(): Promise<void>; close(): void; error: string; calm?: boolean }):
    JSX.Element {
	const [busy, setBusy] = useState(false);

	return (
		<Dialog title={p.title} close={p.close} testid="confirm">
			<p class="lead"><Plain text={p.lead} /></p>
			{p.error !== '' &&
			    <p class="notice bad" role="alert">
				<Icon name="alert" />{p.error}</p>}
			<div class="dialog-foot">
				<button type="button" class="button"
				    autofocus onClick={p.close}>
					{app.t('ok.cancel')}</button>
				<button type="button" disabled={busy}
				    class={`button ${p.calm ? 'main' :
				    'danger'}`} data-testid="confirm-yes"
				    onClick={() => {
					setBusy(true);
					void p.act().finally(
					    () => setBusy(false));
				    }}>{p.yes}</button>
			</div>
		</Dialog>
	);
}
