import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import { initial } from '../lib/text';
import { Dot, Face, GuestTag } from '../ui/face';
import { PHONE, useMedia, usePageKey, useTopics } from '../ui/hooks';
import { Popover, spotOf, type Spot } from '../ui/popover';
import { Select } from '../ui/field';
import { Name } from '../ui/text';
import type { LangChoice } from '../types';

function MenuLine(p: { icon: IconName; text: string; act(): void;
    testid?: string }): JSX.Element {
	return (<button type="button" class="menu-line" onClick={p.act}
	    data-testid={p.testid}><Icon name={p.icon} />{p.text}</button>);
}

function MeMenu(p: { at: Spot; close(): void }): JSX.Element | null {
	const me = app.user;

	if (me === null)
		return (null);
	const then = (fn: () => void) => () => {
		p.close();
		fn();
	};
	return (
		<Popover at={p.at} close={p.close} label={app.t('top.me')}
		    testid="me-menu">
			<div class="menu-me">
				<Face look={me.look} size={44} />
				<div class="grow">
					<b><Name text={me.name} /></b>
					{me.role === 'guest' ? <GuestTag /> :
					    <span class="dim">
						<bdi>{me.email}</bdi></span>}
				</div>
			</div>
			<MenuLine icon="user" text={app.t('me.profile')}
			    testid="open-profile"
			    act={then(() => app.open('profile'))} />
			{me.role !== 'guest' && <MenuLine icon="key"
			    text={app.t('me.password')} testid="open-password"
			    act={then(() => app.open('password'))} />}
			{me.role !== 'guest' && <MenuLine icon="shield"
			    text={app.t('me.factor')} testid="open-factor"
			    act={then(() => app.open('factor'))} />}
			{me.role !== 'guest' && <MenuLine icon="devices"
			    text={app.t('me.signins')} testid="open-signins"
			    act={then(() => app.open('signins'))} />}
			<MenuLine icon="bell" text={app.t('me.notices')}
			    testid="open-notices"
			    act={then(() => app.open('notices'))} />
			{!app.inCheck() && <MenuLine icon="network"
			    text={app.t('me.check')} testid="open-check"
			    act={then(() => app.go('/talk-check'))} />}
			{me.role === 'admin' && !app.inAdmin() &&
			    <MenuLine icon="shield" text={app.t('me.admin')}
				testid="open-admin"
				act={then(() => app.go('/admin'))} />}
			{app.may('guest') && !app.administers() &&
			    !app.inAdmin() && <MenuLine icon="door"
				text={app.t('admin.guests')}
				testid="open-guests"
				act={then(() => app.go('/admin/guests'))} />}
			<div class="menu-row">
				<Icon name="lang" />
				<Select value={me.lang} testid="lang-switch"
				    label={app.t('lang.label')}
				    options={[['', app.t('lang.auto')],
				    ['ja', '日本語'], ['en', 'English']]}
				    set={(v) => void app.setLang(
				    v as LangChoice).catch((e: unknown) =>
				    app.tell(app.t(app.failed(e))))} />
			</div>
			<MenuLine icon="out" text={app.t(me.role === 'guest' ?
			    'me.leave' : 'me.signout')}
			    testid="sign-out" act={then(() =>
			    void app.signOut().catch((e: unknown) =>
			    app.tell(app.t(app.failed(e)))))} />
		</Popover>
	);
}

function Search(): JSX.Element {
	usePageKey((e) => {
		if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey &&
		    e.key.toLowerCase() === 'k') {
			e.preventDefault();
			app.open(app.dialog === 'search' ? '' : 'search');
		}
	});
	return (
		<button type="button" class="search-button"
		    data-testid="search-open" aria-label={app.t('top.search')}
		    aria-keyshortcuts="Control+K"
		    onClick={() => app.open('search')}>
			<Icon name="search" size={17} />
			<span class="search-words">{app.t('top.search')}</span>
			<kbd>Ctrl K</kbd>
		</button>
	);
}

function Fold(p: { side: 'left' | 'right' }): JSX.Element {
	const on = app[p.side];

	return (
		<button type="button" class="icon-button fold"
		    aria-expanded={on} data-testid={`fold-${p.side}`}
		    aria-label={app.t(`top.${p.side}.${on ? 'fold' : 'open'}`)}
		    title={app.t(`top.${p.side}.${on ? 'fold' : 'open'}`)}
		    onClick={() => {
			app[p.side] = !on;
			app.changed('ui');
		    }}>
			<Icon name={p.side} />
		</button>
	);
}

export function TopBar(): JSX.Element | null {
	useTopics('page', 'me', 'ui', 'floor');
	const [at, setAt] = useState<Spot | null>(null);
	const phone = useMedia(PHONE);
	const me = app.user;
	const admin = app.inAdmin();
	const away = admin || app.inCheck();

	if (me === null)
		return (null);
	const title = app.tenant.title;
	const place = !admin ? app.inCheck() ? app.t('check.title') :
	    app.floor?.name ?? '' : app.t(app.administers() ? 'admin.title' : 'admin.guests');
	return (
		<header class="top">
			{!phone && !away && <Fold side="left" />}
			<span class="logo" aria-hidden="true">
				{initial(title)}</span>
			<div class="top-names">
				<b class="top-tenant"><Name text={title} /></b>
				<span class="top-floor"><Name text={place} />
				</span>
			</div>
			<div class="top-middle">{away ?
			    <button type="button" class="button small"
				data-testid="admin-office"
				onClick={() => app.go('/')}>
				<Icon name="back" size={16} />
				{app.t('me.office')}</button> : <Search />}
			</div>
			<button type="button" class="me-button"
			    data-testid="me-button" aria-haspopup="dialog"
			    aria-expanded={at !== null}
			    aria-label={`${app.t('top.me')}: ${me.name}, ${
			    app.t(`status.${me.status}`)}`}
			    onClick={(e) => setAt(at === null ?
			    spotOf(e.currentTarget) : null)}>
				{!away && <span class="me-status">
					<Dot status={me.status} />
					{app.t(`status.${me.status}`)}</span>}
				<Face look={me.look} size={32} />
			</button>
			{!phone && !away && <Fold side="right" />}
			{at !== null && <MeMenu at={at}
			    close={() => setAt(null)} />}
		</header>
	);
}
