/* What the trials mean, and what is told to who keeps the network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateLine, gates, relayOf, relaysOf, siteOf, verdict, WAITS,
    type Results, type Trial, type TrialState, type TrialWhy } from
    '../src/lib/talkcheck';

const server = { urls: [], username: 'u', credential: 'c' };
const trial = (state: TrialState, why: TrialWhy = ''): Trial =>
    ({ state, why, ms: 0 });

test('addresses of relays are read as the browser reads them', () => {
	const of = (url: string) => {
		const r = relayOf(url, server);
		return (r === null ? null : [r.host, r.port, r.proto]);
	};

	assert.deepEqual(of('turn:t.example'), ['t.example', 3478, 'udp']);
	assert.deepEqual(of('turn:t.example:80?transport=udp'),
	    ['t.example', 80, 'udp']);
	assert.deepEqual(of('turn:t.example:3478?transport=tcp'),
	    ['t.example', 3478, 'tcp']);
	assert.deepEqual(of('turns:t.example'), ['t.example', 5349, 'tls']);
	assert.deepEqual(of('turns:t.example:443?transport=tcp'),
	    ['t.example', 443, 'tls']);
	assert.deepEqual(of('TURN:[2001:db8::1]:3478?transport=TCP'),
	    ['[2001:db8::1]', 3478, 'tcp']);
	for (const bad of ['stun:t.example', 'turn:', 'turn:a:b', '',
	    'https://t.example', 'turn:t.example?transport=x'])
		assert.equal(of(bad), null, bad);
});

test('each address once, in the order in which they are wanted', () => {
	const list = relaysOf({ way: 'direct', until: 0, servers: [
	    { ...server, urls: ['turns:t:443?transport=tcp', 'stun:t',
	    'turn:t:3478?transport=tcp'] },
	    { ...server, urls: ['turn:t:3478', 'turns:t:443?transport=tcp']
	    }] });

	assert.deepEqual(list.map((r) => `${r.proto} ${r.port}`),
	    ['udp 3478', 'tcp 3478', 'tls 443']);
});

test('the verdict says what one can do', () => {
	const all: Results = { way: 'direct', socket: trial('ok'),
	    direct: trial('ok'), relays: [trial('ok')], asked: true };
	const with_ = (r: Partial<Results>) => verdict({ ...all, ...r });
	const failed = [trial('fail', 'late'), trial('fail', 'path')];

	assert.equal(with_({}), 'ok');
	assert.equal(with_({ direct: trial('fail', 'path') }), 'ok');
	assert.equal(with_({ relays: [...failed, trial('ok')] }), 'ok');
	assert.equal(with_({ relays: failed }), 'near');
	assert.equal(with_({ relays: [] }), 'near');
	assert.equal(with_({ relays: failed, way: 'relay' }), 'none');
	assert.equal(with_({ relays: [], way: '443' }), 'none');
	assert.equal(with_({ relays: failed, direct: trial('fail', 'late') }),
	    'none');
	assert.equal(with_({ socket: trial('fail', 'lost') }), 'socket');
	assert.equal(with_({ asked: false }), 'open');
	assert.equal(with_({ socket: trial('skip') }), 'open');
	assert.equal(with_({ direct: trial('fail', 'webrtc') }), 'webrtc');
});

test('the keeper is told of each gate that is shut, and of no other', () => {
	const relay = (url: string) => {
		const r = relayOf(url, server);
		assert.ok(r);
		return (r);
	};
	const site = siteOf({ hostname: 'acme.office.example', port: '',
	    protocol: 'https:' });
	const lines = (socket: Trial, ...r: [string, Trial][]) => gates(site,
	    socket, r.map(([u, t]) => ({ relay: relay(u), trial: t })))
	    .map(gateLine);

	assert.deepEqual(lines(trial('ok'), ['turn:t', trial('ok')],
	    ['turns:t', trial('fail', 'refused')]), []);
	assert.deepEqual(lines(trial('fail', 'lost'),
	    ['turn:t', trial('fail', 'late')],
	    ['turn:t?transport=tcp', trial('fail', 'unreachable')],
	    ['turns:t:443', trial('fail', 'path')], ['turn:u', WAITS]), [
	    'TCP 443  acme.office.example  (HTTPS, WebSocket)',
	    'UDP 3478  t  (TURN)', 'TCP 3478  t  (TURN)',
	    'TCP 443  t  (TURN, TLS)']);
	assert.deepEqual(siteOf({ hostname: 'h', port: '8443',
	    protocol: 'https:' }), { host: 'h', port: 8443 });
});
