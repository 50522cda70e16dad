import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import { Icon } from '../icon';
import { Dialog } from '../ui/dialog';
import { useTopics } from '../ui/hooks';

function Check(p: { on: boolean; set(on: boolean): void; text: string;
    hint: string; testid: string; off?: boolean }): JSX.Element {
	return (
		<label class="choice tall">
			<input type="checkbox" checked={p.on} disabled={p.off}
			    data-testid={p.testid} onChange={(e) =>
			    p.set(e.currentTarget.checked)} />
			<span><b>{p.text}</b>
				<small class="dim">{p.hint}</small></span>
		</label>
	);
}

/* The browser asks its own question, and only after this click. */
function Ask(p: { done(): void }): JSX.Element {
	return (
		<div class="notice">
			<Icon name="bell" />
			<div class="grow notice-ask">
				<p>{app.t('notices.ask.lead')}</p>
				<button type="button"
				    class="button main small"
				    data-testid="notices-ask" onClick={() =>
				    void app.reach.notices.ask()
				    .then(p.done)}>
					{app.t('notices.ask')}</button>
			</div>
		</div>
	);
}

/* How one is told that somebody calls. */
export function NoticesDialog(): JSX.Element {
	const [, again] = useState(0);
	const { reach } = app;
	const allowed = reach.notices.allowed();

	useTopics('ui');
	return (
		<Dialog title={app.t('notices.title')} testid="notices"
		    close={() => app.open('')}>
			<p class="lead">{app.t('notices.lead')}</p>
			<div>
				<Check on={reach.sounding}
				    set={(on) => reach.setSounding(on)}
				    text={app.t('notices.sound')}
				    hint={app.t('notices.sound.hint')}
				    testid="notices-sound" />
				<Check on={reach.noticing && allowed === 'yes'}
				    set={(on) => reach.setNoticing(on)}
				    off={allowed !== 'yes'}
				    text={app.t('notices.browser')}
				    hint={app.t(`notices.browser.${allowed}`)}
				    testid="notices-browser" />
			</div>
			{allowed === 'ask' && <Ask done={() => {
				reach.setNoticing(true);
				again((n) => n + 1);
			}} />}
			<p class="hint">{app.t('notices.dnd')}</p>
			<div class="dialog-foot">
				<button type="button" class="button main"
				    onClick={() => app.open('')}>
					{app.t('ok.close')}</button>
			</div>
		</Dialog>
	);
}
