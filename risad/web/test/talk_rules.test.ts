import assert from 'node:assert/strict';
import { test } from 'node:test';
import { camWish, mediaFailure, micWish } from '../src/talk/devices';
import { Speaking } from '../src/talk/level';
import { begins, type Pressed } from '../src/talk/push';
import { rates } from '../src/talk/rates';
import { routeOf, type Stat } from '../src/talk/route';
import { load, save, usual } from '../src/talk/settings';
import { volume } from '../src/talk/volume';

test('volume: full near by, falling to a murmur, never louder again', () => {
	assert.equal(volume(0), 1);
	assert.equal(volume(150), 1);
	assert.equal(volume(325), 0.575);
	assert.equal(volume(500).toFixed(3), '0.150');
	assert.equal(volume(4000).toFixed(3), '0.150');
	for (let cm = 0; cm < 800; cm += 10)
		assert.ok(volume(cm + 10) <= volume(cm));
});

test('what is sent falls with the number of people', () => {
	let last = rates(1);

	for (let n = 1; n <= 16; n++) {
		const r = rates(n);
		/* What leaves a home: pictures for 7, voice for 15. */
		assert.ok(n > 7 || n * (r.cam.bits + r.mic.bits) <= 2e6,
		    `${n}: ${n * r.cam.bits}`);
		assert.ok(n * r.mic.bits <= 400e3);
		assert.ok(n * r.screen.bits <= 6.5e6);
		assert.ok(r.cam.bits <= last.cam.bits);
		assert.ok(r.cam.frames <= last.cam.frames);
		assert.ok(r.cam.shrink >= last.cam.shrink);
		assert.ok(r.screen.bits <= last.screen.bits);
		assert.equal(r.screen.shrink, 1, 'text stays legible');
		last = r;
	}
	assert.ok(rates(7).cam.bits < rates(1).cam.bits / 4);
});

test('who speaks: at once, and until a pause', () => {
	const s = new Speaking();

	assert.equal(s.add(0.005, 0), false);
	assert.equal(s.on, false);
	assert.equal(s.add(0.3, 100), true);
	assert.equal(s.on, true);
	assert.equal(s.add(0.012, 500), false, 'soft words go on');
	assert.equal(s.add(0, 900), false, 'a breath is no pause');
	assert.equal(s.add(0, 1200), true);
	assert.equal(s.on, false);
	assert.equal(s.add(0.012, 1300), false, 'a rustle is no word');
	assert.equal(s.on, false);
});

const pair = (local: Partial<Stat>, remote: Partial<Stat>,
    more: Partial<Stat> = {}): Stat[] => [
	{ id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
	{ id: 'Q', type: 'candidate-pair', localCandidateId: 'X',
	    remoteCandidateId: 'R', nominated: true, state: 'succeeded' },
	{ id: 'P', type: 'candidate-pair', localCandidateId: 'L',
	    remoteCandidateId: 'R', currentRoundTripTime: 0.0234, ...more },
	{ id: 'L', type: 'local-candidate', ...local },
	{ id: 'R', type: 'remote-candidate', ...remote },
];

test('the way a connection takes, from the statistics', () => {
	assert.deepEqual(routeOf(pair({ candidateType: 'host',
	    protocol: 'udp' }, { candidateType: 'srflx' })),
	    { way: 'direct', by: 'udp', ms: 23 });
	assert.deepEqual(routeOf(pair({ candidateType: 'relay',
	    protocol: 'udp', relayProtocol: 'tls' }, { candidateType:
	    'host' })), { way: 'relay', by: 'tls', ms: 23 });
	assert.deepEqual(routeOf(pair({ candidateType: 'host',
	    protocol: 'tcp' }, { candidateType: 'relay' })),
	    { way: 'relay', by: 'tcp', ms: 23 });
});

test('the way without a transport that names its pair, or none', () => {
	const stats = pair({ candidateType: 'prflx', protocol: 'udp' },
	    { candidateType: 'host' }, { selected: true }).slice(2);

	assert.deepEqual(routeOf(stats), { way: 'direct', by: 'udp',
	    ms: 23 });
	assert.equal(routeOf([]), null);
	assert.equal(routeOf([{ id: 'P', type: 'candidate-pair',
	    state: 'failed', nominated: false }]), null);
});

const press = (more: Partial<Pressed> = {}): Pressed => ({ code: 'Space',
    repeat: false, plain: true, typing: false, pressing: false, ...more });

test('push to talk takes its key, and no other for it', () => {
	assert.ok(begins('Space', press()));
	assert.ok(begins('KeyV', press({ code: 'KeyV', pressing: true })));
	assert.ok(!begins('', press({ code: '' })), 'off');
	assert.ok(!begins('KeyV', press()), 'another key');
	assert.ok(!begins('Space', press({ repeat: true })));
	assert.ok(!begins('Space', press({ typing: true })), 'a space');
	assert.ok(!begins('Space', press({ plain: false })), 'a shortcut');
	assert.ok(!begins('Space', press({ pressing: true })), 'a button');
});

test('settings: what makes no sense is the usual', () => {
	const kept = new Map<string, string>();
	const store = { getItem: (k: string) => kept.get(k) ?? null,
	    setItem: (k: string, v: string) => void kept.set(k, v) };

	assert.deepEqual(load(store), usual);
	assert.equal(kept.size, 0, 'nothing is written by reading');
	save(store, { ...usual, mic: 'abc', key: 'KeyV', sound: true });
	assert.deepEqual(load(store), { ...usual, mic: 'abc', key: 'KeyV',
	    sound: true });
	for (const text of ['', '{', 'null', '[]', '7', '{"mic":7,"x":1}']) {
		kept.set('risa.talk', text);
		assert.deepEqual(load(store), usual, text);
	}
});

test('a browser that keeps nothing still works', () => {
	const no = (): never => {
		throw new DOMException('no', 'SecurityError');
	};

	assert.deepEqual(load({ getItem: no, setItem: no }), usual);
	save({ getItem: no, setItem: no }, usual);
});

test('echo and noise are suppressed, the chosen device is asked for', () => {
	assert.equal(micWish('').echoCancellation, true);
	assert.equal(micWish('').noiseSuppression, true);
	assert.deepEqual(micWish('a').deviceId, { exact: 'a' });
	assert.equal('deviceId' in camWish(''), false);
});

test('why there is no device, in words that say what to do', () => {
	const key = (name: string) => mediaFailure(new DOMException('', name));

	assert.equal(key('NotAllowedError'), 'talk.err.denied');
	assert.equal(key('NotFoundError'), 'talk.err.none');
	assert.equal(key('NotReadableError'), 'talk.err.busy');
	assert.equal(mediaFailure('?'), 'talk.err.device');
});
