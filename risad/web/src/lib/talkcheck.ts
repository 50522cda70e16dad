/*
 * Can one talk from here?  What each trial means, and what to tell whoever
 * keeps the network: made of plain data, so that it can be tested.
 */
import type { TalkServer, TalkWays } from '../types';

export type Proto = 'udp' | 'tcp' | 'tls';

/* One address of a relay (TURN). */
export interface Relay {
	url: string;
	host: string;
	port: number;
	proto: Proto;
	server: TalkServer;
}

export type TrialState = 'wait' | 'run' | 'ok' | 'fail' | 'skip';

/* Why a trial has failed; '' when it has not. */
export type TrialWhy = '' | 'webrtc' | 'unreachable' | 'refused' | 'path' |
    'late' | 'blocked' | 'missing' | 'busy' | 'silent' | 'lost';

export interface Trial {
	state: TrialState;
	why: TrialWhy;
	ms: number;		/* there and back; 0 unknown */
}

export const WAITS: Trial = { state: 'wait', why: '', ms: 0 };

/* turn:host:port?transport=tcp and the like; null for what is no relay. */
export function relayOf(url: string, server: TalkServer): Relay | null {
	const m = /^(turns?):(\[[0-9a-f:.]+\]|[^:?[\]]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/i
	    .exec(url);
	const secure = m?.[1]?.toLowerCase() === 'turns';

	if (m?.[2] === undefined)
		return (null);
	return ({ url, server, host: m[2],
	    port: Number(m[3] ?? (secure ? 5349 : 3478)),
	    proto: secure ? 'tls' : m[4]?.toLowerCase() === 'tcp' ? 'tcp' :
	    'udp' });
}

/* All of them, each once, UDP first and what passes most firewalls last. */
export function relaysOf(ways: TalkWays): Relay[] {
	const order: Proto[] = ['udp', 'tcp', 'tls'];
	const all = ways.servers.flatMap((s) => s.urls.map((u) =>
	    relayOf(u, s))).filter((r): r is Relay => r !== null);

	return (all.filter((r, i) => all.findIndex((x) => x.url === r.url) ===
	    i).sort((a, b) => order.indexOf(a.proto) -
	    order.indexOf(b.proto)));
}

/*
 * ok: with everybody.  near: with those of the same network only.  none: there
 * is no way.  open: what decides it could not be tried.
 */
export type Verdict = 'ok' | 'near' | 'none' | 'socket' | 'webrtc' | 'open';

export interface Results {
	way: TalkWays['way'];
	socket: Trial;
	direct: Trial;
	relays: Trial[];
	asked: boolean;		/* the relays of this office are known */
}

export function verdict(r: Results): Verdict {
	const some = r.relays.some((t) => t.state === 'ok');

	if (r.direct.why === 'webrtc')
		return ('webrtc');
	if (r.socket.state === 'fail')
		return ('socket');
	if (!r.asked || r.socket.state !== 'ok')
		return ('open');
	if (some)
		return ('ok');
	return (r.way === 'direct' && r.direct.state === 'ok' ? 'near' :
	    'none');
}

/* A gate that the keeper of the network has to open. */
export interface Gate {
	host: string;
	port: number;
	proto: Proto | 'socket';
}

export function gates(site: { host: string; port: number }, socket: Trial,
    relays: readonly { relay: Relay; trial: Trial }[]): Gate[] {
	const out: Gate[] = socket.state !== 'fail' ? [] :
	    [{ ...site, proto: 'socket' }];

	for (const { relay, trial } of relays)
		if (trial.state === 'fail' && trial.why !== 'refused')
			out.push({ host: relay.host, port: relay.port,
			    proto: relay.proto });
	return (out);
}

/* The same as lines that are understood in both languages. */
export function gateLine(g: Gate): string {
	return (`${g.proto === 'udp' ? 'UDP' : 'TCP'} ${g.port}  ${g.host}  (${
	    g.proto === 'socket' ? 'HTTPS, WebSocket' : g.proto === 'tls' ?
	    'TURN, TLS' : 'TURN'})`);
}

/* The port that the page came by. */
export function siteOf(l: { hostname: string; port: string;
    protocol: string }): { host: string; port: number } {
	return ({ host: l.hostname, port: Number(l.port) ||
	    (l.protocol === 'http:' ? 80 : 443) });
}
