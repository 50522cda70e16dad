import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { app } from '../app';
import { Icon } from '../icon';
import { Dialog } from '../ui/dialog';
import { TextField } from '../ui/field';
import { Plain } from '../ui/text';

/* A link that is shown once, to be copied. */
export function CopyDialog(p: { title: string; lead: string; url: string;
    close(): void }): JSX.Element {
	const [copied, setCopied] = useState<'' | 'yes' | 'no'>('');
	const box = useRef<HTMLDivElement>(null);

	const copy = async () => {
		try {
			await navigator.clipboard.writeText(p.url);
			setCopied('yes');
		} catch {
			setCopied('no');
			box.current?.querySelector('input')?.select();
		}
	};
	return (
		<Dialog close={p.close} testid="admin-link" title={p.title}>
			<p class="lead"><Plain text={p.lead} /></p>
			<div ref={box}><TextField readonly set={() => undefined}
			    label={app.t('admin.link.label')}
			    value={p.url} testid="admin-link-url"
			    hint={app.t('admin.link.once')} /></div>
			<p role="status" class={copied === 'no' ? 'error' :
			    'vh'}>{copied === 'no' ? app.t('admin.link.manual') :
			    copied === 'yes' ? app.t('admin.link.copied') :
			    ''}</p>
			<div class="dialog-foot">
				<button type="button" class="button"
				    onClick={p.close}>{app.t('ok.close')}
				</button>
				<button type="button" class="button main"
				    autofocus data-testid="admin-link-copy"
				    onClick={() => void copy()}>
					<Icon size={17} name={copied === 'yes' ?
					    'check' : 'copy'} />
					{app.t(copied === 'yes' ?
					    'admin.link.copied' :
					    'admin.link.copy')}</button>
			</div>
		</Dialog>
	);
}
