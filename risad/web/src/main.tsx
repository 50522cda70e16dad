import './css/app.css';
import { render, type JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { Admin } from './admin/admin';
import { app } from './app';
import { Calls } from './office/calls';
import { Knocks } from './office/knocks';
import { NoticesDialog } from './office/notices';
import { Office, Skips } from './office/office';
import { PasswordDialog, ProfileDialog, ToldDialog } from './office/profile';
import { Must } from './page/second';
import { FactorDialog } from './ui/factor';
import { SearchDialog } from './office/search';
import { TopBar } from './office/top';
import { Broken, Invite, SignIn } from './page/door';
import { GuestEntry, Lobby, Over } from './page/guest';
import { TalkCheck } from './page/talkcheck';
import { FailuresDialog } from './ui/failures';
import { CheckDialog } from './talk/check';
import { useTopics } from './ui/hooks';
import { SigninsDialog } from './ui/signins';
import { Plain } from './ui/text';

function Dialogs(): JSX.Element | null {
	useTopics('ui', 'people', 'page');
	switch (app.dialog) {
	case 'search':
		return (<SearchDialog />);
	case 'profile':
		return (<ProfileDialog />);
	case 'password':
		return (<PasswordDialog />);
	case 'factor':
		return (<FactorDialog close={() => app.open('')} />);
	case 'signins':
		return (<SigninsDialog close={() => app.open('')} />);
	case 'notices':
		return (<NoticesDialog />);
	case 'told':
		return (<ToldDialog />);
	case '':
		return (app.failures > 0 ?
		    <FailuresDialog n={app.failures} /> : null);
	}
}

/* What is said aloud, and the short word at the bottom. */
function Voice(): JSX.Element {
	useTopics('say', 'ui');
	return (
		<>
			<div class="vh" aria-live="polite" data-testid="live">
				{app.spoken}</div>
			{app.toast !== null && <div class="toast"
			    aria-hidden="true" data-testid="toast">
				<Plain text={app.toast.text} /></div>}
		</>
	);
}

/* The drawing is costly to make: once made, it stays while in /admin. */
function Inside(): JSX.Element {
	const made = useRef(false);

	made.current ||= app.inOffice();
	return (
		<div class="inside">
			{app.inOffice() && <Skips />}
			<TopBar />
			<div class="notices"><Knocks /><Calls /></div>
			{made.current && <Office />}
			{app.inAdmin() && <Admin />}
			{app.inCheck() && <TalkCheck />}
			<Dialogs />
			<CheckDialog />
		</div>
	);
}

function Front(): JSX.Element {
	if (app.inCheck() && ['signin', 'guest', 'lobby'].includes(app.phase))
		return (<TalkCheck />);
	switch (app.phase) {
	case 'loading':
		return (<div class="waiting" role="status">
			{app.t('ok.loading')}</div>);
	case 'broken':
		return (<Broken />);
	case 'signin':
		return (<SignIn />);
	case 'invite':
		return (<Invite />);
	case 'must':
		return (<Must />);
	case 'guest':
		return (<GuestEntry />);
	case 'lobby':
		return (<Lobby />);
	case 'over':
		return (<Over />);
	case 'in':
		return (<Inside key={app.user?.id} />);
	}
}

function Page(): JSX.Element {
	useTopics('page');
	return (<><Front /><Voice /></>);
}

const root = document.getElementById('app');
if (root !== null) {
	render(<Page />, root);
	void app.start();
}
