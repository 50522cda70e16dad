import type { JSX } from 'preact';
import { app } from '../app';
import { Icon } from '../icon';
import type { Lang } from '../types';

/* Before sign-in: the other language is one click away. */
export function LangSwitch(): JSX.Element {
	const pick = (l: Lang) => () => void app.setLang(l);

	return (
		<div class="lang" role="group" data-testid="lang-switch"
		    aria-label={app.t('lang.label')}>
			<Icon name="lang" size={16} />
			{(['ja', 'en'] as const).map((l) =>
			    <button key={l} type="button" lang={l}
				aria-pressed={app.lang === l}
				data-testid={`lang-${l}`} onClick={pick(l)}>
				{app.t(`lang.${l}`)}</button>)}
		</div>
	);
}
