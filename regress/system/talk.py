#!/usr/bin/env python3
"""Talk: who hears whom is the server's to say; signals go to these only, over
two session processes; rooms, stages, bubbles, limits, and the access log."""

import copy
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import MAP, Daemon, Failure, until                    # noqa: E402

IN_1 = ((940, 315), (1100, 315))        # into the meeting room
IN_2 = ((940, 585), (1100, 585))        # into the quiet one
OFF = {'hear': False, 'mic': False, 'cam': False, 'screen': False,
       'listen': False}
OFFER = {'description': {'type': 'offer', 'sdp': 'v=0\r\n'}}


def plan(kind, capacity=40):
    """The map of the tests, its first room of this kind."""
    m = copy.deepcopy(MAP)
    m['rooms'][0].update(kind=kind, capacity=capacity)
    m['rooms'][1].update(capacity=capacity)
    return m


class Cast:
    def __init__(self, d):
        self.d = d
        self.known = {}
        self.floors = 0

    def person(self, name):
        if name not in self.known:
            self.known[name] = self.d.person(
                'acme', name + '@acme.example',
                'admin' if name == 'ada' else 'member')
        return self.known[name]

    def floor(self, kind='meeting'):
        self.floors += 1
        path = self.d.path('map-%d' % self.floors)
        with open(path, 'w') as f:
            json.dump(plan(kind), f)
        return self.d.floor('acme', 'Talk %d' % self.floors, 'map', path)

    def on(self, floor, *names, media=True):
        """On the floor, every other one in the other process; they hear."""
        out = []
        for i, name in enumerate(names):
            p = self.person(name)
            p.open_on(i % self.d.workers)
            p.enter(floor)
            p.talk = None
            out.append(p)
            if media:
                takes(p)
        return out

    def off(self):
        for p in self.known.values():
            p.drop()


def takes(p, **what):
    """Says what it takes part with; the answer."""
    want = dict(OFF, hear=True, **what)
    caught_up(p)
    p.tell(t='media', **want)
    return with_whom(p, lambda m: m['me'] == want, 'its media')


def refused(p, code, field=None, **what):
    p.tell(t='media', **dict(OFF, hear=True, **what))
    e = p.error(code)
    equal(e.get('field'), field, 'field')


def caught_up(p):
    """Only what is told from now on is looked at."""
    p.settle()
    told = [m for m in p.inbox if m['t'] == 'talk']
    p.inbox = [m for m in p.inbox if m['t'] != 'talk']
    p.talk = told[-1] if told else getattr(p, 'talk', None)


def ways(m):
    return {w['id']: w['way'] for w in m['with']}


def with_whom(p, test, what):
    """Wait until what p is told of its talk is so."""
    m = p.find('talk') or getattr(p, 'talk', None)
    while m is None or not test(m):
        try:
            m = p.wait('talk')
        except Failure:
            raise Failure('%s: not told: %s; last %r' % (p.mail, what, m))
    p.talk = m
    return m


def speakers(m):
    return sorted(m.get('stage', {}).get('speakers', []))


def together(*people):
    for p in people:
        for q in people:
            if p is not q:
                with_whom(p, lambda m: ways(m).get(q.you) == 'both',
                          'with %s' % q.mail)


def apart(p, q):
    with_whom(p, lambda m: q.you not in ways(m), 'without %s' % q.mail)
    with_whom(q, lambda m: p.you not in ways(m), 'without %s' % p.mail)


def signals(p, q, data=OFFER):
    p.tell(t='signal', to=q.you, data=data)
    m = q.wait('signal')
    equal((m['from'], m['data']), (p.you, data), 'signal')


def stranger(p, to):
    """A signal there goes nowhere, and the answer does not say why."""
    p.tell(t='signal', to=to, data=OFFER)
    equal(p.error('no-peer')['to'], to, 'to')


def stand(p, x, y):
    p.walk((x, y))


def near(d, cast):
    """near in the open one is in the other's talk, until one walks away"""
    a, b = cast.on(cast.floor(), 'ann', 'bob')
    stand(a, 300, 600)
    stand(b, 650, 600)
    together(a, b)
    signals(a, b)
    signals(b, a, {'candidates': [{'candidate': '', 'sdpMid': '0',
                                   'sdpMLineIndex': 0}]})
    # Farther than where it begins, but not yet where it ends.
    for p in (a, b):
        caught_up(p)
    stand(b, 770, 600)
    for p in (a, b):
        p.settle()
        check(not p.find('talk', lambda m: not m['with']), 'flickers')
    stand(b, 820, 600)
    apart(a, b)
    stranger(a, b.you)
    stranger(b, a.you)
    stand(b, 770, 600)                  # and it begins nearer than it ends
    stranger(a, b.you)
    stand(b, 690, 600)
    together(a, b)


def walls(d, cast):
    """a wall is between, however near; in a room distance is nothing"""
    a, b, c = cast.on(cast.floor(), 'ann', 'bob', 'cem')
    stand(a, 980, 420)
    stand(b, 960, 420)
    c.walk((900, 315), *IN_1, (1020, 420), room=1)
    together(a, b)
    stranger(c, a.you)
    stranger(a, c.you)
    a.walk((940, 315), *IN_1, (1950, 50), room=1)
    together(a, c)
    apart(a, b)
    equal(a.talk['place'], 'room', 'place')


def takes_part(d, cast):
    """only who takes part is in a talk; what one sends is told to the rest"""
    floor = cast.floor()
    (a,) = cast.on(floor, 'ann')
    (b,) = cast.on(floor, 'bob', media=False)
    stand(a, 500, 500)
    stand(b, 600, 500)
    stranger(a, b.you)
    stranger(b, a.you)
    takes(b)
    together(a, b)
    takes(a, mic=True)
    with_whom(b, lambda m: m['with'] and m['with'][0]['mic'] and
              not m['with'][0]['cam'], 'mic')
    takes(a, mic=True, cam=True, screen=True)
    with_whom(b, lambda m: m['with'] and m['with'][0]['cam'] and
              m['with'][0]['screen'], 'cam')
    b.tell(t='media', **OFF)
    with_whom(a, lambda m: not m['with'], 'b is gone')
    with_whom(b, lambda m: not m['with'] and not m['me']['hear'], 'itself')


def bad(d, cast):
    """what is wrong is refused, and nothing is changed"""
    a, b = cast.on(cast.floor(), 'ann', 'bob')
    stand(a, 500, 500)
    stand(b, 600, 500)
    together(a, b)
    for field, m in (
            ('hear', dict(OFF, mic=True)), ('hear', dict(OFF, listen=True)),
            ('listen', dict(OFF, hear=True, mic=True, listen=True)),
            ('mic', dict(OFF, mic=1)), ('x', dict(OFF, x=True)),
            ('cam', {'hear': True, 'mic': False})):
        a.tell(t='media', **m)
        equal(a.error('field')['field'], field, m)
    for data in ({}, [], 7, {'description': {'type': 'offer'}},
                 {'description': {'type': 'x', 'sdp': ''}},
                 {'description': {'type': 'offer', 'sdp': 7}},
                 {'description': {'type': 'answer', 'sdp': '', 'of': 7}},
                 {'description': {'type': 'answer', 'sdp': '',
                                  'of': '1' * 65}},
                 {'candidates': [{}]}, {'candidates': 7},
                 {'candidates': [{'candidate': ''}] * 33},
                 {'candidates': [{'candidate': '', 'x': ''}]},
                 dict(OFFER, candidates=[])):
        a.tell(t='signal', to=b.you, data=data)
        equal(a.error('field')['field'], 'data', data)
    a.tell(t='signal', to=b.you, data={
        'description': {'type': 'offer', 'sdp': 'x' * 49152}})
    equal(a.error('too-long')['to'], b.you, 'too long')
    signals(a, b, {'description': {'type': 'offer', 'sdp': '"\\' * 10000}})
    signals(a, b, {'description': {'type': 'answer', 'sdp': '',
                                   'of': '1' * 64}})
    stranger(a, a.you)
    stranger(a, 0)
    stranger(a, 70000)
    b.settle()
    check(b.find('signal') is None, 'something has arrived')


def rate(d, cast):
    """more than ten signals a second of one person are refused"""
    a, b = cast.on(cast.floor(), 'ann', 'bob')
    stand(a, 500, 500)
    stand(b, 600, 500)
    together(a, b)
    for _ in range(30):
        a.tell(t='signal', to=b.you, data=OFFER)
    equal(a.error('too-many')['to'], b.you, 'refused')
    a.settle()
    b.settle()
    n = len([m for m in b.inbox if m['t'] == 'signal'])
    check(10 <= n < 30, '%d of 30 signals' % n)
    signals(b, a)                       # the other one still may


def soon(d, cast):
    """who comes to a talk under way is announced, to both sides"""
    a, b, c = cast.on(cast.floor(), 'ann', 'bob', 'cem')
    # Where one comes in may be near enough to have been met, and stay so.
    stand(c, 900, 350)
    stand(a, 300, 900)
    stand(b, 400, 900)
    together(a, b)
    apart(a, c)
    apart(b, c)
    takes(a, mic=True)
    for p in (a, b, c):
        caught_up(p)
    stand(c, 600, 900)
    for p, q in ((a, c), (c, a), (b, c)):
        m = with_whom(p, lambda m: any(s['id'] == q.you and s['ms'] <= 1500
                                       for s in m['soon']) or
                      q.you in ways(m), 'soon')
        check(q.you not in ways(m), 'was not announced')
    together(a, b, c)
    equal(a.talk['soon'], [], 'soon')


def quiet(d, cast):
    """in a quiet room nobody talks; away and do not disturb mute"""
    a, b = cast.on(cast.floor(), 'ann', 'bob')
    a.walk(*IN_2, room=2)
    b.walk(*IN_2, (1200, 700), room=2)
    refused(a, 'quiet', 'mic', mic=True)
    stranger(a, b.you)
    for p in (a, b):
        p.walk((1100, 585), (940, 585), room=0)
    together(a, b)
    takes(a, mic=True, cam=True)
    a.walk(*IN_2, room=2)
    with_whom(a, lambda m: not m['me']['mic'] and not m['me']['cam'], 'muted')
    a.walk((1100, 585), (940, 585), room=0)
    for status in ('away', 'dnd'):
        a.tell(t='status', status='available', note='')
        a.wait('me', lambda m: m['user']['status'] == 'available')
        takes(a, mic=True)
        a.tell(t='status', status=status, note='')
        with_whom(a, lambda m: not m['me']['mic'], 'muted')
        refused(a, 'status', 'mic', mic=True)
    a.tell(t='status', status='available', note='')
    a.wait('me', lambda m: m['user']['status'] == 'available')


def rights(d, cast):
    """voice, video and screen are rights of the role, and live"""
    (a,) = cast.on(cast.floor(), 'ann')
    takes(a, mic=True, cam=True, screen=True)
    try:
        d.do('role', 'deny', 'acme', 'member', 'video')
        with_whom(a, lambda m: m['me']['mic'] and not m['me']['cam'] and
                  m['me']['screen'], 'no video')
        refused(a, 'no-right', 'cam', cam=True)
    finally:
        d.do('role', 'allow', 'acme', 'member', 'video')
    a.wait('rights', lambda m: 'video' in m['can'])
    takes(a, cam=True)


def relayed(d, cast):
    """where the way is by relay only, no address but a relay's is signalled;
    what the floor does not allow is not sent, and acts at once"""
    floor = cast.floor()
    a, b = cast.on(floor, 'ann', 'bob')
    stand(a, 500, 500)
    stand(b, 600, 500)
    together(a, b)

    def offer(*types, head='candidate:'):
        return {'description': {'type': 'offer', 'sdp': 'v=0\r\n' + ''.join(
            'a=%s1 1 udp 2 192.0.2.1 9 typ %s\r\n' % (head, t)
            for t in types)}}

    def one(text):
        return {'candidates': [{'candidate': text}]}
    plain = 'candidate:1 1 udp 2 192.0.2.1 9'
    wrong = (offer('host'), offer('relay', 'srflx'), offer('relayed'),
             offer('HOST', head='CANDIDATE:'), one(plain + ' typ prflx'),
             one(plain), one(plain + '\r\n typ relay'),
             {'candidates': [{'candidate': plain + ' typ relay'},
                             {'candidate': plain + ' typ host'}]})
    right = (offer(), offer('relay', 'relay'), one(''),
             one(plain + ' typ relay raddr 0.0.0.0 rport 0'))
    for data in wrong[:3]:
        signals(a, b, data)             # the way is direct
    for way in ('relay', '443'):
        d.do('floor', 'talk', 'acme', str(floor), 'way', way)
        until(lambda: a.get('/talk?floor=%d' % floor)['way'] == way, way)
        for data in wrong:
            caught_up(a)
            until(lambda: _refuses(a, b, data), '%s: %r' % (way, data))
        for data in right:
            until(lambda: _passes(a, b, data), '%s: %r' % (way, data))
    takes(a, mic=True, cam=True)
    d.do('floor', 'talk', 'acme', str(floor), 'video', 'no')
    with_whom(a, lambda m: m['me']['mic'] and not m['me']['cam'], 'no video')
    refused(a, 'no-right', 'cam', cam=True)
    d.do('policy', 'set', 'acme', 'talk-listen', '0')
    try:
        until(lambda: not a.get('/talk?floor=%d' % floor)['listen'], 'rule')
        refused(a, 'no-right', 'listen', listen=True)
    finally:
        d.do('policy', 'set', 'acme', 'talk-listen', '1')


def _answer(p, q, data):
    """What becomes of a signal: its error, or None when it has arrived."""
    p.tell(t='signal', to=q.you, data=data)
    p.settle()
    e = p.find('error', lambda m: m.get('to') == q.you)
    if e is None:
        equal(q.wait('signal')['data'], data, 'data')
    elif e['code'] == 'too-many':
        p.pull(0.2)                     # ten a second: again, a bit later
    return None if e is None else e['code']


def _refuses(p, q, data):
    code = _answer(p, q, data)
    check(code in ('not-relay', 'too-many'), 'went through')
    return code == 'not-relay'


def _passes(p, q, data):
    return _answer(p, q, data) is None


def stage(d, cast):
    """on a stage some speak, the others hear them, and raise a hand"""
    floor = cast.floor('stage')
    a, b, c = cast.on(floor, 'ann', 'bob', 'cem')
    for p, y in ((a, 100), (b, 200), (c, 300)):
        p.walk(*IN_1, (1500, y), room=1)
    refused(a, 'listener', 'mic', mic=True)
    stranger(a, b.you)
    a.tell(t='hand', up=True)
    with_whom(b, lambda m: speakers(m) == [a.you] and
              ways(m) == {a.you: 'hear'}, 'a is heard')
    with_whom(a, lambda m: ways(m) == {b.you: 'heard', c.you: 'heard'},
              'by both')
    takes(a, mic=True)
    b.tell(t='hand', up=True)
    with_whom(a, lambda m: m['stage']['hands'] == [b.you], 'a hand')
    c.tell(t='word', to=b.you, on=True)
    equal(c.error('listener')['to'], b.you, 'c has no word to give')
    a.tell(t='word', to=b.you, on=True)
    with_whom(b, lambda m: speakers(m) == sorted([a.you, b.you]) and
              not m['stage']['hands'] and
              ways(m).get(a.you) == 'both', 'the word')
    signals(a, b)
    takes(b, mic=True)
    with_whom(c, lambda m: ways(m) == {a.you: 'hear', b.you: 'hear'}, 'both')
    a.tell(t='word', to=b.you, on=False)
    with_whom(b, lambda m: speakers(m) == [a.you] and
              not m['me']['mic'], 'taken back')
    a.tell(t='word', to=a.you, on=False)
    with_whom(c, lambda m: not speakers(m) and not m['with'],
              'nobody speaks')
    # An administrator needs no one's leave; who leaves the room has no word.
    b.tell(t='hand', up=True)
    with_whom(c, lambda m: speakers(m) == [b.you], 'b')
    (ada,) = cast.on(floor, 'ada')
    ada.walk(*IN_1, (1500, 400), room=1)
    ada.tell(t='hand', up=True)
    with_whom(c, lambda m: speakers(m) == sorted([ada.you, b.you]), 'ada')
    b.walk((1100, 315), (940, 315), room=0)
    with_whom(c, lambda m: speakers(m) == [ada.you], 'b has gone')
    stranger(b, c.you)
    b.tell(t='hand', up=True)
    b.error('no-stage')


def hand(d, cast):
    """who leaves a stage with a hand up has none there any more"""
    def hands(m):
        return m.get('stage', {}).get('hands')
    floor = cast.floor('stage')
    a, b, c = cast.on(floor, 'ann', 'bob', 'cem')
    for p, y in ((a, 100), (b, 200), (c, 300)):
        p.walk(*IN_1, (1500, y), room=1)
    b.tell(t='hand', up=True)
    with_whom(a, lambda m: speakers(m) == [b.you], 'somebody speaks')
    # Both of the same worker, and listeners: they do not hear each other.
    c.tell(t='hand', up=True)
    for p in (a, b):
        with_whom(p, lambda m: hands(m) == [c.you], 'a hand')
    c.walk((1100, 315), (940, 315), room=0)
    for p in (a, b):
        with_whom(p, lambda m: hands(m) == [], 'no hand')


def full(d, cast):
    """a room talks up to sixteen; who is one more is told, and may listen"""
    names = ['p%d' % i for i in range(17)]
    people = cast.on(cast.floor(), *names)
    for i, p in enumerate(people):
        p.walk(*IN_1, (1200 + 40 * i, 200), room=1)
    last = people[-1]
    with_whom(last, lambda m: m['full'] and not m['with'], 'full')
    for p in people[:-1]:
        with_whom(p, lambda m: len(m['with']) == 15 and not m['full'], 'all')
    stranger(last, people[0].you)
    stranger(people[0], last.you)
    takes(last, listen=True)
    with_whom(last, lambda m: len(m['with']) == 16 and not m['full'] and
              set(ways(m).values()) == {'hear'}, 'listens')
    refused(last, 'listener', 'mic', mic=True)
    for i, p in enumerate(people[:8]):
        takes(p, cam=True)
    refused(people[8], 'full', 'cam', cam=True)
    # One goes, one comes.
    takes(last)
    people[0].drop()
    with_whom(last, lambda m: len(m['with']) == 15 and not m['full'], 'in')


def others(d, cast):
    """no signal to another floor, another tenant, nobody"""
    (a,) = cast.on(cast.floor(), 'ann')
    (b,) = cast.on(cast.floor(), 'bob')
    g = d.person('globex', 'gil@globex.example').open()
    g.enter(d.floor('globex', 'Theirs'))
    takes(g)
    for p in (a, b, g):
        for q in (a, b, g):
            if p is not q and p.you != q.you:
                stranger(p, q.you)
    a.tell(t='leave')
    a.settle()
    a.tell(t='signal', to=b.you, data=OFFER)
    a.error('not-here')
    a.tell(t='media', **dict(OFF, hear=True))
    a.error('not-here')
    g.close()


def log(d, cast):
    """the log says who talked with whom and when, and nothing else"""
    a, b = cast.on(cast.floor(), 'ann', 'bob')
    stand(a, 500, 900)
    stand(b, 600, 900)
    together(a, b)

    def lines(p):
        out = d.json('log', 'show', 'last', '0', 'tenant', 'acme', 'user',
                     str(p.id))
        return [(r['kind'], r['text']) for r in out['lines']
                if r['kind'].startswith('talk')]
    before = {p: len(lines(p)) for p in (a, b)}
    takes(a, mic=True)
    takes(a)
    takes(a, mic=True)
    stand(b, 500, 200)
    apart(a, b)
    for p, q in ((a, b), (b, a)):
        until(lambda: lines(p)[before[p]:] == [
            ('talk', 'with %d' % q.id), ('talk-end', 'with %d' % q.id)],
            'log of %s: %r' % (p.mail, lines(p)[before[p]:]))


def killed(d, cast):
    """a worker dies: who is left goes on talking, who comes back is in"""
    a, b, c, e = cast.on(cast.floor(), 'ann', 'bob', 'cem', 'eve')
    for i, p in enumerate((a, b, c, e)):
        stand(p, 500 + 50 * i, 600)
    together(a, b, c, e)
    takes(b, mic=True)
    for slot, alive, dead in ((0, (b, e), (a, c)), (1, (a, c), (b, e))):
        pid = d.pids()['session', slot]
        os.kill(pid, signal.SIGKILL)
        for p in alive:
            with_whom(p, lambda m: len(m['with']) == 1, 'two are left')
        equal([w['id'] for w in alive[0].talk['with']], [alive[1].you], 'who')
        signals(*alive)
        until(lambda: d.pids().get(('session', slot)) not in (None, pid),
              'a new worker')
        for p in dead:
            floor = p.floor
            p.open_on(slot)
            p.enter(floor)
            # Where one had not stood for a moment is forgotten.
            stand(p, 500 + 50 * (a, b, c, e).index(p), 600)
            takes(p, mic=p is b)
        together(a, b, c, e)


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    cast = Cast(d)
    s = Suite(d)
    for fn in (near, walls, takes_part, bad, rate, soon, quiet, rights,
               relayed, stage, hand, full, others, log, killed):
        s.run_test(fn, d, cast, restarts=fn is killed)
        cast.off()
    s.end()


if __name__ == '__main__':
    main()
