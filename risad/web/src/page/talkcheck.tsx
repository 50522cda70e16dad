import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { app } from '../app';
import { Icon, type IconName } from '../icon';
import type { Key } from '../i18n/index';
import { device } from '../lib/device';
import { gateLine, gates, relaysOf, siteOf, verdict, WAITS, type Relay,
    type Trial } from '../lib/talkcheck';
import { deviceWhy, levels, tryDirect, tryRelay } from '../lib/trial';
import { stamp } from '../lib/time';
import type { TalkWays } from '../types';
import { useTopics } from '../ui/hooks';
import { LangSwitch } from '../ui/lang';

/* The page "can I talk from here?": the network, the camera, the microphone. */

const OK: Trial = { state: 'ok', why: '', ms: 0 };
const RUN: Trial = { state: 'run', why: '', ms: 0 };
const LOUD = 0.06;		/* of the microphone, so that it counts */
const HEARKEN = 20000;		/* ms it is listened to */
const CONNECT = 12000;		/* ms the live connection may take */

interface Net {
	socket: Trial;
	direct: Trial;
	relays: { relay: Relay; trial: Trial }[];
	way: TalkWays['way'];
	asked: boolean;		/* the office has told its relays */
	none: Key | '';		/* why no relay is tried */
	over: boolean;
}

const FRESH: Net = { socket: WAITS, direct: WAITS, relays: [], way: 'direct',
    asked: false, none: '', over: false };

/* The live connection is the office's own: it is up, or comes up, or not. */
function socketUp(): Promise<Trial> {
	const end = performance.now() + CONNECT;

	app.connectNow();
	return (new Promise((good) => {
		const look = (): void => {
			if (app.net === 'up')
				return (good(OK));
			if (performance.now() > end || app.phase !== 'in')
				return (good({ state: 'fail', why: 'lost',
				    ms: 0 }));
			setTimeout(look, 100);
		};
		look();
	}));
}

/* The relays of the floor one is on, or else of the first one. */
async function askRelays(): Promise<Partial<Net>> {
	try {
		const id = app.floor?.id ?? (await api.floors()).floors[0]?.id;
		if (id === undefined)
			return ({ none: 'check.relay.nofloor' });
		const ways = await api.talk(id);
		const relays = relaysOf(ways).map((relay) =>
		    ({ relay, trial: RUN }));
		return ({ way: ways.way, asked: true, relays,
		    none: relays.length === 0 ? 'check.relay.none' : '' });
	} catch (e) {
		app.failed(e);
		return ({ none: 'check.relay.failed' });
	}
}

/* All trials, each shown as it ends. */
function useNet(): { net: Net; begin(): void } {
	const [net, set] = useState<Net>(FRESH);
	const round = useRef(0);

	useEffect(() => () => { round.current++; }, []);
	const begin = async () => {
		const mine = ++round.current;
		const put = (fn: (n: Net) => Partial<Net>) => {
			if (mine === round.current)
				set((n) => ({ ...n, ...fn(n) }));
		};
		const inside = app.phase === 'in';

		set({ ...FRESH, direct: RUN, socket: inside ? RUN : WAITS });
		const direct = tryDirect().then((t) => put(() =>
		    ({ direct: t })));
		if (!inside) {
			put(() => ({ none: 'check.relay.signin', socket:
			    { state: 'skip', why: '', ms: 0 } }));
			await direct;
			return (put(() => ({ over: true })));
		}
		const socket = socketUp().then((t) => put(() =>
		    ({ socket: t })));
		const more = await askRelays();
		put(() => more);
		await Promise.all([direct, socket, ...(more.relays ?? []).map(
		    async ({ relay }) => {
			const trial = await tryRelay(relay.url, relay.server);
			put((n) => ({ relays: n.relays.map((x) =>
			    x.relay === relay ? { relay, trial } : x) }));
		    })]);
		put(() => ({ over: true }));
	};
	return ({ net, begin: () => void begin() });
}

const MARK: Record<Trial['state'], IconName> = { wait: 'minus', run: 'reload',
    ok: 'check', fail: 'alert', skip: 'minus' };

function Line(p: { title: string; trial: Trial; words: string;
    icon: IconName; testid: string; children?: ComponentChildren }):
    JSX.Element {
	const { state, ms } = p.trial;

	return (
		<li class={`check-line ${state}`} data-testid={p.testid}
		    data-state={state}>
			<span class="check-icon"><Icon name={p.icon}
			    size={19} /></span>
			<div class="grow">
				<h3><bdi>{p.title}</bdi></h3>
				<p class="dim">{p.words}</p>
				{p.children}
			</div>
			<span class="check-mark">
				<Icon name={MARK[state]} size={16} />
				{state === 'ok' && ms > 0 ? app.t('check.ms',
				    { ms }) : app.t(`check.state.${state}`)}
			</span>
		</li>
	);
}

function relayWords(relay: Relay, t: Trial): string {
	return (t.state === 'fail' ? app.t(`check.relay.${t.why}` as Key) :
	    app.t(`check.relay.${relay.proto}`));
}

function Network(p: { net: Net }): JSX.Element {
	const { net } = p;
	const words = (t: Trial, what: 'socket' | 'direct') => {
		const how = t.why === 'webrtc' ? 'webrtc' :
		    t.state === 'wait' || t.state === 'run' ? 'is' : t.state;

		return (app.t(`check.${what}.${how}` as Key));
	};

	return (
		<ul class="check-list">
			<Line icon="network" testid="check-socket"
			    title={app.t('check.socket')} trial={net.socket}
			    words={words(net.socket, 'socket')} />
			<Line icon="people" testid="check-direct"
			    title={app.t('check.direct')} trial={net.direct}
			    words={words(net.direct, 'direct')} />
			{net.relays.map(({ relay, trial }, i) =>
			    <Line key={relay.url} icon="relay"
				testid={`check-relay-${i}`} trial={trial}
				title={app.t('check.relay.title', {
				proto: relay.proto === 'tls' ? 'TLS' :
				relay.proto.toUpperCase(),
				port: relay.port, host: relay.host })}
				words={relayWords(relay, trial)} />)}
			{net.none !== '' && <Line icon="relay"
			    testid="check-relay" title={app.t('check.relay')}
			    trial={{ ...WAITS, state: 'skip' }}
			    words={app.t(net.none)} />}
		</ul>
	);
}

/* In one sentence, and what it means for talking. */
function Outcome(p: { net: Net }): JSX.Element | null {
	const { net } = p;
	const v = verdict({ ...net, relays: net.relays.map((r) => r.trial) });

	if (!net.over)
		return (null);
	const good = v === 'ok';
	const part = v === 'open' || v === 'near';
	return (
		<div class={`notice check-verdict${good ? '' : part ?
		    ' open' : ' bad'}`} role="status"
		    data-testid="check-verdict" data-verdict={v}>
			<Icon name={good ? 'check' : 'alert'} size={20} />
			<div><b>{app.t(`check.verdict.${v}`)}</b>
				<p>{app.t(`check.verdict.${v}.more`)}</p></div>
		</div>
	);
}

/* What to send to whoever keeps the network. */
function keeperText(net: Net): string {
	const list = gates(siteOf(location), net.socket, net.relays);

	return ([app.t('check.keeper.begin', { tenant: app.tenant.title,
	    url: location.origin }), '', ...list.map(gateLine), '',
	    app.t('check.keeper.more'),
	    app.t('check.keeper.from', { address: app.address || '-',
	    agent: device(navigator.userAgent), at: stamp(Date.now(),
	    app.lang) })].join('\n'));
}

function Keeper(p: { net: Net }): JSX.Element | null {
	const [copied, setCopied] = useState<'' | 'yes' | 'no'>('');
	const box = useRef<HTMLTextAreaElement>(null);

	if (!p.net.over ||
	    gates(siteOf(location), p.net.socket, p.net.relays).length === 0)
		return (null);
	const text = keeperText(p.net);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			setCopied('yes');
		} catch {
			setCopied('no');
			box.current?.select();
		}
	};
	return (
		<section class="check-keeper" data-testid="check-keeper">
			<h2>{app.t('check.keeper')}</h2>
			<p class="dim">{app.t('check.keeper.lead')}</p>
			<textarea ref={box} readOnly value={text} rows={9}
			    aria-label={app.t('check.keeper')}
			    data-testid="check-keeper-text" />
			<p role="status" class={copied === 'no' ? 'error' :
			    'vh'}>{copied === 'no' ?
			    app.t('check.keeper.manual') : copied === 'yes' ?
			    app.t('admin.link.copied') : ''}</p>
			<button type="button" class="button"
			    data-testid="check-copy"
			    onClick={() => void copy()}>
				<Icon size={17} name={copied === 'yes' ?
				    'check' : 'copy'} />
				{app.t(copied === 'yes' ? 'admin.link.copied' :
				    'check.keeper.copy')}</button>
		</section>
	);
}

function stop(s: MediaStream | null): void {
	s?.getTracks().forEach((t) => t.stop());
}

/* Asks for a device when told to; what it gives is stopped at the end. */
function useDevice(want: MediaStreamConstraints): { trial: Trial;
    stream: MediaStream | null; put(t: Trial): void; begin(): void;
    end(): void } {
	const [trial, put] = useState<Trial>(WAITS);
	const [stream, setStream] = useState<MediaStream | null>(null);
	const held = useRef<MediaStream | null>(null);
	const gone = useRef(false);	/* one may leave before it comes */

	const take = (s: MediaStream | null) => {
		if (gone.current)
			return (stop(s));
		stop(held.current);
		held.current = s;
		setStream(s);
	};
	useEffect(() => () => {
		gone.current = true;
		stop(held.current);
		held.current = null;
	}, []);
	const begin = async () => {
		put(RUN);
		try {
			take(await navigator.mediaDevices.getUserMedia(want));
			put(OK);
		} catch (e) {
			put({ state: 'fail', why: deviceWhy(e), ms: 0 });
		}
	};
	return ({ trial, stream, put, begin: () => void begin(),
	    end: () => take(null) });
}

function DeviceLine(p: { what: 'microphone' | 'camera'; trial: Trial;
    on: boolean; begin(): void; end(): void; children?: ComponentChildren }):
    JSX.Element {
	const { what, trial } = p;
	const icon = what === 'camera' ? 'cam' : 'mic';
	const words = trial.state === 'fail' ?
	    `check.device.${trial.why}` : trial.state === 'ok' ?
	    `check.${what}.ok` : `check.${what}.is`;

	return (
		<Line icon={icon} testid={`check-${what}`}
		    title={app.t(`check.${what}`)} trial={trial}
		    words={app.t(words as Key)}>
			{p.children}
			<button type="button" class="button small"
			    data-testid={`check-${what}-try`}
			    onClick={p.on ? p.end : p.begin}>
				<Icon name={p.on ? 'close' : icon}
				    size={16} />
				{app.t(p.on ? 'check.device.stop' :
				    `check.${what}.try`)}</button>
		</Line>
	);
}

/* It is right when it is heard, not when it is there. */
function Microphone(): JSX.Element {
	const d = useDevice({ audio: true });
	const [level, setLevel] = useState(0);
	const { stream } = d;

	useEffect(() => {
		if (stream === null)
			return;
		let heard = false;
		d.put(RUN);
		const off = levels(stream, (x) => {
			setLevel(x);
			if (!heard && x > LOUD) {
				heard = true;
				d.put(OK);
			}
		});
		const id = setTimeout(() => {
			if (!heard)
				d.put({ state: 'fail', why: 'silent', ms: 0 });
			d.end();
		}, HEARKEN);
		return (() => {
			clearTimeout(id);
			off();
			setLevel(0);
		});
	}, [stream]);
	return (
		<DeviceLine what="microphone" trial={d.trial}
		    on={stream !== null} begin={d.begin} end={() => {
			d.end();
			if (d.trial.state === 'run')
				d.put({ state: 'fail', why: 'silent', ms: 0 });
		    }}>
			{stream !== null && <meter class="check-meter" min={0}
			    max={1} value={level} data-testid="check-level"
			    aria-label={app.t('check.level')} />}
		</DeviceLine>
	);
}

function Camera(): JSX.Element {
	const d = useDevice({ video: true });
	const ref = useRef<HTMLVideoElement>(null);

	useEffect(() => {
		if (ref.current !== null)
			ref.current.srcObject = d.stream;
	}, [d.stream]);
	return (
		<DeviceLine what="camera" trial={d.trial}
		    on={d.stream !== null} begin={d.begin} end={d.end}>
			{d.stream !== null && <video ref={ref} muted autoplay
			    playsInline class="check-video"
			    data-testid="check-video"
			    aria-label={app.t('check.camera.picture')} />}
		</DeviceLine>
	);
}

function Body(): JSX.Element {
	const { net, begin } = useNet();
	const inside = app.phase === 'in';
	const busy = net.direct.state !== 'wait' && !net.over;

	return (
		<div class="trials" data-testid="talk-check">
			<div class="check-head">
				<h1>{app.t('check.title')}</h1>
				{!inside && <LangSwitch />}
			</div>
			<p class="lead">{app.t('check.lead')}</p>
			<Outcome net={net} />
			<div class="check-acts">
				<button type="button" class="button main"
				    disabled={busy} data-testid="check-begin"
				    onClick={begin}>
					{app.t(busy ? 'check.busy' :
					    net.over ? 'check.again' :
					    'check.begin')}</button>
				{!inside && <button type="button"
				    class="button" data-testid="check-back"
				    onClick={() => app.leaveCheck()}>
					{app.t('ok.back')}
				</button>}
			</div>
			<h2>{app.t('check.network')}</h2>
			<Network net={net} />
			<Keeper net={net} />
			<h2>{app.t('check.devices')}</h2>
			<ul class="check-list"><Microphone /><Camera /></ul>
			<p class="hint">{app.t('check.kept')}</p>
		</div>
	);
}

/* The way here from the pages in front of the office. */
export function CheckLink(): JSX.Element {
	return (
		<a href="/talk-check" data-testid="check-link"
		    onClick={(e) => {
			e.preventDefault();
			app.go('/talk-check');
		    }}>{app.t('me.check')}</a>
	);
}

/* In the office it lies where the floor is, else it is a page of its own. */
export function TalkCheck(): JSX.Element {
	useTopics('page', 'net', 'floor');
	return (<main class={app.phase === 'in' ? 'check-page' :
	    'door check-page'}><Body /></main>);
}
