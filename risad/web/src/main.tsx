import './css/app.css';
import { render, type JSX } from 'preact';
import { app } from './app';
import { Broken, Invite, SignIn } from './page/door';
import { useTopics } from './ui/hooks';

function Page(): JSX.Element {
	useTopics('page');
	switch (app.phase) {
	case 'loading':
		return (<div class="waiting" role="status">
			{app.t('ok.loading')}</div>);
	case 'broken':
		return (<Broken />);
	case 'signin':
		return (<SignIn key="signin" />);
	case 'invite':
		return (<Invite />);
	case 'in':
		return (<div />);
	}
}

const root = document.getElementById('app');
if (root !== null) {
	render(<Page />, root);
	void app.start();
}
