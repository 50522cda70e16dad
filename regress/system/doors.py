#!/usr/bin/env python3
"""Doors of rooms, and calls: who comes in, who is asked, who is told what."""

import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from guest import come as guest_by, url                         # noqa: E402
from lib import Suite, check, equal, within                     # noqa: E402
from office import Cast, IN_1, IN_2, by_user, new_floor         # noqa: E402
from risa import Closed, Daemon, Failure, Person, until         # noqa: E402
from trail import trail                                         # noqa: E402

OUT = IN_1[0]
WAIT = 30               # seconds for an answer
PASS = 60               # and for who was let in


def inside(*people):
    for p in people:
        p.walk(*IN_1, room=1)


def door(p, state, *others):
    """Move the door of room 1; all see it."""
    p.tell(t='door', room=1, state=state)
    want = {'t': 'door', 'room': 1, 'state': state, 'by': p.id}
    for q in (p,) + others:
        equal(q.wait('door', lambda m: m['state'] == state), want, q.mail)


def barred(p, why='closed'):
    """Walk towards room 1 and be stopped."""
    p.walk(OUT)
    p.leg(*IN_1[1])
    m = p.wait('place')
    equal(m['why'], why, p.mail)
    check(m['x'] < 1000, m)


def doors_of(p, floor):
    """As somebody sees them who comes."""
    return p.enter(floor)['doors']


def told_of(p, doors, want):
    """Of this door alone: as he came, or since, for his worker is new."""
    if doors != [want]:
        equal(doors, [], 'doors')
        equal(p.wait('door'), dict(want, t='door'), p.mail)


def ring(p, kind, **who):
    """Call; the answer, which says the same to everybody."""
    ref = p.ref()
    p.tell(t='call', kind=kind, ref=ref, **who)
    m = p.wait('called', lambda m: m['ref'] == ref)
    want = {'t', 'ref', 'n'} | (set() if kind == 'wave' else {'until'})
    equal(set(m), want, 'called')
    if kind != 'wave':
        ms = m['until'] - time.time() * 1000
        within(ms, WAIT * 1000 - 5000, WAIT * 1000 + 1000, 'until')
    return m['n']


def refused(p, code, kind, **who):
    ref = p.ref()
    p.tell(t='call', kind=kind, ref=ref, **who)
    p.error(code, ref=ref)


def shown(p, n):
    return p.wait('call', lambda m: m['n'] == n)


def answer(p, n, yes):
    p.tell(t='answer', n=n, yes=yes)


def reply(p, n, yes, bound=10):
    m = p.wait('reply', lambda m: m['n'] == n, bound)
    equal(m['yes'], yes, 'reply')
    return m


def over(p, n):
    p.wait('callend', lambda m: m['n'] == n)


def silent(*people):
    """None of them has been told anything of calls."""
    for p in people:
        p.settle()
        got = [m for m in p.inbox if m['t'] in ('call', 'callend', 'reply',
                                                'called')]
        equal(got, [], p.mail)


def states(d, cast):
    """open, closed and locked: who comes in, who goes out, who is told"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    c = cast['cem']
    inside(a)
    for worker, state in ((0, 'closed'), (1, 'locked')):
        door(a, state, b)
        barred(b)
        c.open_on(worker)
        equal(doors_of(c, a.floor),
              [{'room': 1, 'state': state, 'by': a.id}], 'for newcomers')
        barred(c)
        # Who is inside goes as he likes; the room is empty then, and open.
        a.walk(OUT, room=0)
        for p in (a, b, c):
            equal(p.wait('door', lambda m: m['state'] == 'open')['by'], 0,
                  'by itself')
        c.drop()
        a.wait('gone', lambda m: m['user'] == c.id)
        inside(a)
    door(a, 'closed', b)
    door(a, 'open', b)
    inside(b)
    door(b, 'locked', a)
    a.walk(OUT, room=0)
    barred(a)
    b.drop()
    a.wait('door', lambda m: m['state'] == 'open')
    inside(a)


def movers(d, cast):
    """a door is moved from inside, if it has a lock"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    for p in (a, b):
        for room in (1, 2, 99):
            p.tell(t='door', room=room, state='closed')
            p.error('no-right')
    inside(a)
    a.tell(t='door', room=2, state='closed')
    a.error('no-right')
    door(a, 'closed', b)
    b.tell(t='door', room=1, state='open')
    b.error('no-right')
    # As it stands already: told to nobody but who has asked.
    a.tell(t='door', room=1, state='closed')
    equal(a.wait('door')['state'], 'closed', 'as it stands')
    b.settle()
    equal(b.find('door'), None, 'told again')
    b.walk(*IN_2, room=2)
    b.tell(t='door', room=2, state='closed')
    b.error('no-right')
    # Too many changes, from one who may.
    for i in range(12):
        a.tell(t='door', room=1, state=('open', 'closed')[i % 2])
    a.error('too-many')


def at_once(d, cast):
    """two workers move a door at the same moment: all see the same"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    inside(a, b)
    c = cast['cem']
    for i in range(8):
        a.tell(t='door', room=1, state=('closed', 'locked')[i % 2])
        b.tell(t='door', room=1, state=('locked', 'open')[i % 2])
        seen = []
        for worker in (0, 1):
            for p in (a, b):
                p.settle()
            c.open_on(worker)
            seen.append(doors_of(c, a.floor))
            c.drop()
            a.wait('gone', lambda m: m['user'] == c.id)
        equal(seen[0], seen[1], 'two workers')


def vanish(d, cast):
    """who has locked a room and vanishes leaves an open door"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    inside(a)
    door(a, 'locked', b)
    a.drop()
    b.wait('door', lambda m: m['state'] == 'open')
    inside(b)


def knock(d, cast):
    """who knocks is let in once, or is refused; the first answer holds"""
    for i in (0, 1):
        floor = new_floor(d)
        (a,) = cast.on(floor, 'ann', worker=i)
        b, c = cast.on(floor, 'bob', 'cem')
        inside(a)
        door(a, 'closed', b, c)
        n = ring(b, 'knock', room=1)
        m = shown(a, n)
        equal({k: m[k] for k in m if k != 'until'},
              {'t': 'call', 'n': n, 'kind': 'knock', 'user': b.id,
               'name': 'bob', 'guest': False, 'floor': floor, 'id': b.you,
               'room': 1}, 'call')
        within(m['until'] - time.time() * 1000, 20000, 31000, 'until')
        answer(a, n, False)
        equal(reply(b, n, False)['kind'], 'knock', 'kind')
        barred(b)
        answer(a, n, True)
        a.error('no-call')
        n = ring(b, 'knock', room=1)
        shown(a, n)
        answer(a, n, True)
        reply(b, n, True)
        barred(c)
        inside(b)
        b.walk(OUT, room=0)
        barred(b)
        n = ring(c, 'knock', room=1)
        shown(a, n)
        silent(b)
        cast.off()


def several(d, cast):
    """of several inside the first answer holds, and the others are told"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    inside(a, b)
    (c,) = cast.on(a.floor, 'cem', worker=1)
    door(a, 'closed', b, c)
    n = ring(c, 'knock', room=1)
    for p in (a, b):
        shown(p, n)
    answer(b, n, True)
    reply(c, n, True)
    over(a, n)
    answer(a, n, False)
    a.error('no-call')
    silent(b)
    # A pass is no place: the room is full.
    c.walk(OUT)
    c.leg(*IN_1[1])
    equal(c.wait('place')['why'], 'full', 'full')
    a.walk(OUT, room=0)
    c.wait('update', lambda m: m['user'] == a.id and m['room'] == 0)
    inside(c)
    # Who has gone out is not asked, and who goes out not any more.
    n = ring(a, 'knock', room=1)
    for p in (b, c):
        shown(p, n)
    b.walk(OUT, room=0)
    over(b, n)
    answer(b, n, True)
    b.error('no-call')
    answer(c, n, False)
    reply(a, n, False)


def moved(d, cast):
    """a door that moves answers who knocks, and ends what was allowed"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    inside(a)
    door(a, 'closed', b)
    n = ring(b, 'knock', room=1)
    shown(a, n)
    answer(a, n, True)
    reply(b, n, True)
    door(a, 'open', b)
    door(a, 'closed', b)
    barred(b)
    n = ring(b, 'knock', room=1)
    shown(a, n)
    answer(a, n, True)
    reply(b, n, True)
    door(a, 'locked', b)
    barred(b)
    refused(b, 'locked', 'knock', room=1)
    door(a, 'closed', b)
    barred(b)
    n = ring(b, 'knock', room=1)
    shown(a, n)
    door(a, 'locked', b)
    reply(b, n, False)
    over(a, n)
    cast.off()
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    inside(a)
    door(a, 'closed', b)
    n = ring(b, 'knock', room=1)
    shown(a, n)
    door(a, 'open', b)
    reply(b, n, True)
    over(a, n)
    # Who comes in by himself has withdrawn it.
    n = ring(b, 'knock', room=1)
    shown(a, n)
    inside(b)
    over(a, n)
    refused(b, 'no-room', 'knock', room=1)
    refused(b, 'no-room', 'knock', room=99)


def nobody(d, cast):
    """an empty room, and one where nobody may be disturbed, sound alike"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    a.walk(*IN_2, room=2)
    a.tell(t='status', status='dnd', note='')
    b.wait('update', lambda m: m['user'] == a.id and m['status'] == 'dnd')
    for room in (1, 2):
        ring(b, 'knock', room=room)
    silent(a, b)
    a.tell(t='status', status='available', note='')
    b.wait('update', lambda m: m['user'] == a.id and
           m['status'] == 'available')


def key(d, cast):
    """an administrator opens from outside, and the trail has it"""
    a, b = cast.on(new_floor(d), 'ann', 'ada')
    c = cast['cem']
    c.open_on(0)
    c.enter(a.floor)
    floor = a.floor

    def lines():
        return [x for x in trail(d, 'acme') if 'floor %d' % floor in x and
                'room 1' in x]
    b.tell(t='door', room=1, state='closed')
    b.error('no-right')
    inside(a)
    door(a, 'locked', b, c)
    c.tell(t='door', room=1, state='open')
    c.error('no-right')
    equal(lines(), [], 'nobody has used the key')
    door(b, 'closed', a, c)
    door(b, 'open', a, c)
    equal(lines(), ['by user %d: %s room 1 of floor %d from outside' % (
        b.id, did, floor) for did in ('close', 'open')], 'the key')
    inside(b)
    door(b, 'locked', a, c)
    door(b, 'open', a, c)
    equal(len(lines()), 2, 'from inside it is no key')
    b.tell(t='door', room=2, state='locked')
    b.error('no-right')
    c.drop()


def far(d, cast):
    """waving and asking to come, on any floor that one sees, both workers"""
    one, two = new_floor(d), new_floor(d)
    for i in (0, 1):
        (a,) = cast.on(one, 'ann', worker=0)
        (b,) = cast.on(two if i else one, 'bob', worker=1)
        a.wait('update', lambda m: m['user'] == b.id and
               m['floor'] == b.floor)
        n = ring(a, 'wave', user=b.id)
        equal(shown(b, n), {'t': 'call', 'n': n, 'kind': 'wave',
                            'user': a.id, 'name': 'ann', 'guest': False,
                            'floor': one, 'id': a.you, 'room': 0}, 'wave')
        answer(b, n, True)
        b.error('no-call')
        for yes in (True, False):
            n = ring(a, 'come', user=b.id)
            m = shown(b, n)
            equal((m['kind'], m['floor'], m['id']), ('come', one, a.you),
                  'come')
            answer(b, n, yes)
            reply(a, n, yes)
            over_by_now(b, n)
        for user in (a.id, 999999):
            refused(a, 'no-user', 'wave', user=user)
        cast.off()


def over_by_now(p, n):
    """Who has answered need not be told, and cannot again."""
    answer(p, n, True)
    p.error('no-call')
    check(p.find('callend', lambda m: m['n'] == n) is None, 'told')


def unseen(d, cast):
    """nobody calls where he may not see, nor learns of such a place"""
    open_, shut = new_floor(d), new_floor(d)
    name = [f['name'] for f in d.rows('floor', 'list', 'acme')
            if f['id'] == shut][0]
    a, b = cast['ann'], cast['bob']
    d.do('floor', 'allow', 'acme', name, 'user', a.mail)
    d.do('floor', 'deny', 'acme', name, 'all')
    (a,) = cast.on(shut, 'ann', worker=0)
    (b,) = cast.on(open_, 'bob', worker=1)
    a.wait('update', lambda m: m['user'] == b.id and m['floor'] == open_)
    refused(b, 'no-user', 'wave', user=a.id)
    n = ring(a, 'wave', user=b.id)
    m = shown(b, n)
    equal((m['name'], m['floor'], m['id'], m['room']), ('ann', 0, 0, 0),
          'a wave from a place that one may not see')
    ring(a, 'come', user=b.id)
    silent(a, b)


def dnd(d, cast):
    """who does not want to be disturbed is not"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    b.tell(t='status', status='dnd', note='')
    a.wait('update', lambda m: m['user'] == b.id and m['status'] == 'dnd')
    for kind in ('wave', 'come'):
        refused(a, 'dnd', kind, user=b.id)
    silent(b)
    n = ring(b, 'wave', user=a.id)
    shown(a, n)
    b.tell(t='status', status='available', note='')
    a.wait('update', lambda m: m['user'] == b.id and
           m['status'] == 'available')


def guests(d, cast):
    """guests call on their own floor, ask nobody to come, admit members"""
    one, two = new_floor(d), new_floor(d)
    ada = cast['ada']
    _, token = url(ada, [one, two], uses=2)
    g = guest_by(d, token, 'Gil').open_on(1)
    h = guest_by(d, token, 'Hana').open_on(0)
    for p in (g, h):
        p.enter(one)
    (a,) = cast.on(one, 'ann', worker=0)
    (b,) = cast.on(two, 'bob', worker=0)
    g.wait('update', lambda m: m['user'] == b.id and m['floor'] == two)
    n = ring(g, 'wave', user=a.id)
    m = shown(a, n)
    equal((m['guest'], m['name']), (True, 'Gil'), 'a guest')
    refused(g, 'no-right', 'come', user=a.id)
    refused(g, 'no-right', 'wave', user=b.id)
    n = ring(a, 'come', user=g.id)
    shown(g, n)
    answer(g, n, True)
    reply(a, n, True)
    # The host closes the door and goes out: the guest inside lets him in.
    inside(a)
    g.walk(*IN_1, room=1)
    door(a, 'closed', g, h)
    a.walk(OUT, room=0)
    n = ring(h, 'knock', room=1)
    silent(g)
    h.tell(t='uncall', n=n)
    n = ring(a, 'knock', room=1)
    shown(g, n)
    answer(g, n, True)
    reply(a, n, True)
    inside(a)
    n = ring(h, 'knock', room=1)
    equal(shown(a, n)['guest'], True, 'a guest knocks')
    for p in (g, h):
        p.close()


def hear(*people):
    """They take part, and each hears all the others."""
    for p in people:
        p.tell(t='media', hear=True, mic=False, cam=False, screen=False,
               listen=False)
    for p in people:
        p.wait('talk', lambda m: {w['id'] for w in m['with']} ==
               {q.you for q in people if q is not p})


def apart(*people):
    """They are told to be in one bubble, and to hear nobody else."""
    for p in people:
        others = {q.you for q in people if q is not p}
        p.wait('talk', lambda m: set(m['bubble']) == others and
               {w['id'] for w in m['with']} == others)


def bubbles(d, cast):
    """two go apart, one more is taken in or not, on whichever worker"""
    for at in ((0, 1, 0), (0, 0, 1), (1, 0, 0)):
        floor = new_floor(d)
        a, b, c = (cast.on(floor, name, worker=w)[0]
                   for name, w in zip(('ann', 'bob', 'cem'), at))
        for p in (a, b, c):
            p.sees(lambda: {a.you, b.you, c.you} <= set(p.avatars), 'all')
        refused(a, 'no-peer', 'bubble', user=b.id)
        hear(a, b, c)
        refused(c, 'no-peer', 'join', user=a.id)
        n = ring(a, 'bubble', user=b.id)
        shown(b, n)
        answer(b, n, False)
        reply(a, n, False)
        n = ring(a, 'bubble', user=b.id)
        equal(shown(b, n)['kind'], 'bubble', 'kind')
        answer(b, n, True)
        reply(a, n, True)
        apart(a, b)
        c.wait('talk', lambda m: m['with'] == [])
        refused(c, 'no-peer', 'bubble', user=a.id)
        for to, yes in ((b, False), (a, True)):
            n = ring(c, 'join', user=to.id)
            shown(to, n)
            answer(to, n, yes)
            reply(c, n, yes)
        apart(a, b, c)
        cast.off()


def alone(d, cast):
    """alone with somebody is with nobody else, or not at all"""
    for at in ((0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)):
        floor = new_floor(d)
        a, b, c = (cast.on(floor, name, worker=w)[0]
                   for name, w in zip(('ann', 'bob', 'cem'), at))
        for p in (a, b, c):
            p.sees(lambda: {a.you, b.you, c.you} <= set(p.avatars), 'all')
        hear(a, b, c)
        # Both have asked; he says yes to one after the other.
        n, k = (ring(p, 'bubble', user=b.id) for p in (a, c))
        shown(b, n)
        shown(b, k)
        answer(b, k, True)
        answer(b, n, True)
        reply(c, k, True)
        check(not a.wait('reply', lambda m: m['n'] == n)['yes'], 'yes')
        apart(b, c)
        a.settle()
        check(not a.find('talk', lambda m: m['bubble']), 'in a bubble')
        # Of three in one, no two are alone with each other.
        k = ring(a, 'join', user=b.id)
        shown(b, k)
        answer(b, k, True)
        reply(a, k, True)
        apart(a, b, c)
        refused(a, 'no-peer', 'bubble', user=b.id)
        cast.off()


def burst(d, cast):
    """a yes to what cannot be any more is none"""
    floor = new_floor(d)
    a, b = cast.on(floor, 'ann', 'bob')
    (c,) = cast.on(floor, 'cem', worker=1)
    for p in (a, b):
        p.sees(lambda: c.you in p.avatars, 'all')
    hear(a, b, c)
    n = ring(a, 'bubble', user=b.id)
    shown(b, n)
    answer(b, n, True)
    reply(a, n, True)
    apart(a, b)
    c.wait('bubbles', lambda m: m['list'] != [])
    n = ring(c, 'join', user=a.id)
    shown(a, n)
    b.tell(t='unbubble')
    c.wait('bubbles', lambda m: m['list'] == [])
    a.wait('talk', lambda m: m['bubble'] == [])
    answer(a, n, True)
    reply(c, n, None)
    # Nor to who has gone out of earshot.
    hear(a, b, c)
    n = ring(c, 'bubble', user=a.id)
    shown(a, n)
    c.walk((100, 1100))
    a.wait('talk', lambda m: c.you not in {w['id'] for w in m['with']})
    answer(a, n, True)
    reply(c, n, None)
    a.settle()
    check(a.find('talk', lambda m: m['bubble'] != []) is None, 'alone in one')
    # Nor to who has gone to another floor.
    n = ring(a, 'bubble', user=b.id)
    shown(b, n)
    b.enter(new_floor(d))
    over(b, n)
    reply(a, n, None)


def rates(d, cast):
    """five at once and one a second; five unanswered; the same not twice"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    begun = time.monotonic()
    for i in range(12):
        a.tell(t='call', kind='wave', user=b.id, ref='r%d' % i)
    a.settle()
    got = [m.get('code', m['t']) for m in a.inbox
           if m.get('ref', '').startswith('r')]
    n = got.count('called')
    within(n, 5, 6 + int(time.monotonic() - begun), 'at once')
    equal(got.count('too-many'), 12 - n, 'the others')

    def again():
        a.tell(t='call', kind='wave', user=b.id, ref='again')
        a.settle()
        a.find('error')
        return a.find('called', lambda m: m['ref'] == 'again')
    until(again, 'a second later')
    n = ring(b, 'come', user=a.id)
    refused(b, 'too-many', 'come', user=a.id)
    shown(a, n)
    answer(a, n, False)
    reply(b, n, False)
    ring(b, 'come', user=a.id)
    people = cast.on(a.floor, 'p1', 'p2', 'p3', 'p4', 'p5', 'p6')
    (a,) = cast.on(a.floor, 'ann', worker=0)
    for p in people[:5]:
        ring(a, 'come', user=p.id)
    m = [p.wait('call')['n'] for p in people[:5]]
    equal(len(set(m)), 5, 'numbers')
    # Five wait: however slowly, no sixth; but when one is answered.
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        refused(a, 'too-many', 'come', user=people[5].id)
        a.pull(0.3)
    answer(people[0], m[0], False)
    reply(a, m[0], False)

    def sixth():
        a.tell(t='call', kind='come', user=people[5].id, ref='sixth')
        a.settle()
        return a.find('called', lambda m: m['ref'] == 'sixth')
    until(sixth, 'in the place of one')


def pair(cast, floor, worker):
    """Ann on the first worker and Bob on the other or the same one."""
    (a,) = cast.on(floor, 'ann', worker=0)
    (b,) = cast.on(floor, 'bob', worker=worker)
    a.sees(lambda: b.you in a.avatars, 'the other')
    return a, b


def withdrawn(d, cast):
    """a call ends when it is withdrawn, or who has made it goes"""
    floor, other = new_floor(d), new_floor(d)
    ways = (lambda a, n: a.tell(t='uncall', n=n),
            lambda a, n: a.tell(t='leave'),
            lambda a, n: a.enter(other),
            lambda a, n: a.drop())
    for way in ways:
        for i in (0, 1):
            a, b = pair(cast, floor, i)
            n = ring(a, 'come', user=b.id)
            shown(b, n)
            way(a, n)
            over(b, n)
            answer(b, n, True)
            b.error('no-call')
            if a.ws is not None:
                silent(a)
    # And when nobody is left to answer.
    for i in (0, 1):
        a, b = pair(cast, floor, i)
        n = ring(a, 'come', user=b.id)
        shown(b, n)
        b.drop()
        reply(a, n, None)
    # Who is asked to come may change floors first.
    (b,) = cast.on(other, 'bob', worker=1)
    a.wait('update', lambda m: m['user'] == b.id and m['floor'] == other)
    n = ring(a, 'come', user=b.id)
    shown(b, n)
    b.enter(floor)
    answer(b, n, True)
    reply(a, n, True)


def strangers(d, cast):
    """nobody answers or withdraws what is not for him"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    (c,) = cast.on(a.floor, 'cem', worker=0)
    g = d.person('globex', 'gil@globex.example').open_on(0)
    own = d.floor('globex', 'Own %d' % a.floor)
    g.enter(own)
    inside(b)
    door(b, 'closed', a, c)
    for n in (ring(a, 'come', user=b.id), ring(a, 'knock', room=1)):
        shown(b, n)
        for p in (a, c, g):
            answer(p, n, True)
            p.error('no-call')
        for p in (b, c, g):
            p.tell(t='uncall', n=n)
            p.error('no-call')
    for p in (a, b, c):
        p.settle()
    check(a.find('reply') is None and b.find('callend') is None,
          'a stranger was heard')
    barred(a)
    refused(g, 'no-user', 'wave', user=a.id)
    refused(g, 'no-user', 'come', user=b.id)
    g.settle()
    check(str(a.id) not in json.dumps([m for m in g.inbox
                                       if m['t'] == 'call']), 'heard')
    g.close()


def killed(d, cast):
    """a worker that dies ends its calls, and those to its people"""
    floor = new_floor(d)
    a, b = cast.on(floor, 'ann', 'bob')
    pids = d.pids()
    n = ring(a, 'come', user=b.id)
    shown(b, n)
    os.kill(pids[('session', 0)], signal.SIGKILL)
    over(b, n)
    until(lambda: d.pids().get(('session', 0)) not in
          (None, pids[('session', 0)]), 'it is back')
    a, b = cast.on(floor, 'ann', 'bob')
    inside(a)
    door(a, 'closed', b)
    n, k = ring(a, 'come', user=b.id), ring(b, 'knock', room=1)
    shown(b, n)
    shown(a, k)
    os.kill(d.pids()[('session', 1)], signal.SIGKILL)
    reply(a, n, None)
    over(a, k)
    until(lambda: d.pids().get(('session', 1)) not in
          (None, pids[('session', 1)]), 'it is back')
    (b,) = cast.on(floor, 'bob', worker=1)
    told_of(b, doors_of(b, floor), {'room': 1, 'state': 'closed', 'by': a.id})
    n = ring(b, 'knock', room=1)
    shown(a, n)
    answer(a, n, True)
    reply(b, n, True)
    inside(b)


def back(p, floor, worker):
    """The page's way back, when processes have died; its `floor`."""
    def tries():
        try:
            return p.drop() or p.open_on(worker)
        except (OSError, Closed, Failure):
            return None
    until(tries, '%s is back' % p.mail, 30)
    return p.insist('floor', t='enter', floor=floor)


def forgotten(d, cast):
    """a worker that is new knows who is on the others, and their doors"""
    def stands():
        # What storage tells the new one comes after what its siblings do.
        pids = d.pids()
        os.kill(pids[('storage', 0)], signal.SIGSTOP)
        os.kill(pids[('session', 1)], signal.SIGKILL)
        time.sleep(1)
        os.kill(pids[('storage', 0)], signal.SIGCONT)

    def dies():
        pids = d.pids()
        os.kill(pids[('storage', 0)], signal.SIGKILL)
        os.kill(pids[('session', 1)], signal.SIGKILL)

    for ends in (stands, dies):
        floor = new_floor(d)
        a, b = cast.on(floor, 'ann', 'bob')
        inside(a)
        door(a, 'locked', b)
        ends()
        m = back(b, floor, 1)
        b.sees(lambda: a.id in by_user(b), 'ann')
        a.sees(lambda: b.you in a.avatars, 'bob')
        told_of(b, m['doors'], {'room': 1, 'state': 'locked', 'by': a.id})
        barred(b)
        a.walk(OUT, room=0)
        b.sees(lambda: b.at(a.you, *OUT), 'walks')
        hear(a, b)
        cast.off()


def kept(d, cast):
    """who is cut off in a locked room comes back into it while others hold
    it, on either worker; nobody else does, nor into one that was empty"""
    floor = new_floor(d)
    a, b = cast.on(floor, 'ann', 'bob')
    inside(a, b)
    door(a, 'locked', b)
    for worker in (0, 1):
        b.drop()
        a.wait('gone', lambda m: m['user'] == b.id)
        b.open_on(worker)
        people = {p['user']: p['room'] for p in b.enter(floor)['people']}
        equal(people, {a.id: 1, b.id: 1}, 'back in the room')
    # Where the room was empty in between it is another one's.
    b.drop()
    a.wait('gone', lambda m: m['user'] == b.id)
    a.walk(OUT, room=0)
    inside(a)
    door(a, 'locked')
    b.open_on(1)
    people = {p['user']: p['room'] for p in b.enter(floor)['people']}
    equal(people, {a.id: 1, b.id: 0}, 'not in this one')
    barred(b, 'closed')


def elsewhere(d, cast):
    """who takes over in a closed room, or enters again, stays in it"""
    for first, second in ((0, 0), (0, 1), (1, 0)):
        floor = new_floor(d)
        (c,) = cast.on(floor, 'cem', worker=1)
        (a,) = cast.on(floor, 'ann', worker=first)
        inside(a, c)
        door(c, 'closed', a)
        other = Person(d, 'acme', a.mail)
        other.http.cookie, other.user = a.http.cookie, a.user
        other.open_on(second)
        people = {p['user']: p['room'] for p in other.enter(floor)['people']}
        equal(people, {a.id: 1, c.id: 1}, 'still in the room')
        a.bye('elsewhere', 4002)
        people = {p['user']: p['room'] for p in other.enter(floor)['people']}
        equal(people, {a.id: 1, c.id: 1}, 'and once more')
        other.close()
        cast.off()


def unheard(d, cast):
    """a door closed by who leaves at once holds for who came in meanwhile,
    on another worker"""
    floor = new_floor(d)
    a, b = cast.on(floor, 'ann', 'bob')
    (c,) = cast.on(floor, 'cem', worker=0)
    inside(a)
    b.sees(lambda: b.at(a.you, *IN_1[1]), 'ann')
    b.walk(IN_1[0])
    pid = d.pids()[('session', 0)]
    os.kill(pid, signal.SIGSTOP)
    a.tell(t='door', room=1, state='closed')
    a.tell(t='leave')
    b.leg(*IN_1[1])
    b.wait('update', lambda m: m['user'] == b.id and m['room'] == 1)
    os.kill(pid, signal.SIGCONT)
    b.wait('door', lambda m: m['state'] == 'closed')
    c.wait('gone', lambda m: m['user'] == a.id)
    c.wait('update', lambda m: m['user'] == b.id and m['room'] == 1)
    c.sees(lambda: [m['state'] for m in c.inbox if m['t'] == 'door'][-1:] ==
           ['closed'], 'closed')
    barred(c)


def late(d, cast):
    """no answer within 30 s is null, with or without anybody inside; a pass
    ends after 60 s"""
    floor = new_floor(d)
    a, b = cast.on(floor, 'ann', 'bob')
    (c,) = cast.on(floor, 'cem', worker=1)
    inside(a)
    door(a, 'closed', b, c)
    begun = time.monotonic()
    let = ring(b, 'knock', room=1)
    shown(a, let)
    answer(a, let, True)
    reply(b, let, True)
    nobody_in, silent_in = ring(b, 'knock', room=2), ring(c, 'knock', room=1)
    shown(a, silent_in)
    m = reply(b, nobody_in, None, WAIT + 5)
    within(time.monotonic() - begun, WAIT - 1, WAIT + 5, 'seconds')
    equal(reply(c, silent_in, None), dict(m, n=silent_in), 'alike')
    over(a, silent_in)
    answer(a, silent_in, True)
    a.error('no-call')
    b.pull(max(0, begun + PASS + 1 - time.monotonic()))
    while time.monotonic() < begun + PASS + 1:
        b.pull(0.5)
    barred(b)


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    cast = Cast(d)
    s = Suite(d)
    for fn in (states, movers, at_once, vanish, knock, several, moved, nobody,
               key, far, unseen, dnd, guests, bubbles, alone, burst, rates,
               withdrawn, strangers, killed, forgotten, kept, elsewhere,
               unheard, late):
        s.run_test(fn, d, cast, restarts=fn in (killed, forgotten))
        cast.off()
    s.end()


if __name__ == '__main__':
    main()
