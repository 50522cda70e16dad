#!/usr/bin/env python3
"""A page that lies about where it walks, and how others see it.

What is allowed is told by a second, slow model: fractions over the map
document, nothing of the server's code."""

import json
import os
import random
import struct
import sys
import time
from fractions import Fraction

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Failure, MAP, MAPS, WALK, until        # noqa: E402

LEGS = 2000
SLACK = 12              # cm: whole points, on their side of each wall


def side(p, q, r):
    v = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    return (v > 0) - (v < 0)


def on(p, q, r):
    """Is r, on the line through p and q, between them?"""
    return min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and \
        min(p[1], q[1]) <= r[1] <= max(p[1], q[1])


def touch(a, b, c, d):
    s = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    if s[0] != s[1] and s[2] != s[3]:
        return True
    return (s[0] == 0 and on(a, b, c)) or (s[1] == 0 and on(a, b, d)) or \
        (s[2] == 0 and on(c, d, a)) or (s[3] == 0 and on(c, d, b))


def inside(shape, p):
    """Even and odd crossings of a ray; an edge counts to one side of it."""
    odd = False
    for (x1, y1), (x2, y2) in zip(shape, shape[1:] + shape[:1]):
        if (y1 > p[1]) != (y2 > p[1]):
            x = x1 + Fraction((p[1] - y1) * (x2 - x1), y2 - y1)
            if p[0] < x:
                odd = not odd
    return odd


class Model:
    def __init__(self, doc):
        self.doc = doc
        self.w, self.h = doc['size']
        self.walls = [((a, b), (c, d)) for a, b, c, d in doc['walls']]
        self.rooms = {r['id']: [tuple(p) for p in r['shape']]
                      for r in doc['rooms']}

    def crosses(self, p, q):
        return any(touch(p, q, a, b) for a, b in self.walls)

    def on_map(self, p):
        return 0 <= p[0] <= self.w and 0 <= p[1] <= self.h

    def room(self, p):
        for i, shape in self.rooms.items():
            if inside(shape, p):
                return i
        return 0

    def meets(self, p, q, room):
        """Does the way come into the room?  By all crossings of its edge."""
        shape = self.rooms[room]
        cuts = [Fraction(0), Fraction(1)]
        for c, d in zip(shape, shape[1:] + shape[:1]):
            rx, ry = q[0] - p[0], q[1] - p[1]
            sx, sy = d[0] - c[0], d[1] - c[1]
            den = rx * sy - ry * sx
            if den == 0:
                continue
            t = Fraction((c[0] - p[0]) * sy - (c[1] - p[1]) * sx, den)
            if 0 <= t <= 1:
                cuts.append(t)
        cuts.sort()
        return any(b > a and inside(shape, (
            p[0] + (a + b) / 2 * (q[0] - p[0]),
            p[1] + (a + b) / 2 * (q[1] - p[1])))
            for a, b in zip(cuts, cuts[1:]))


def dist(p, q):
    return float((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2) ** 0.5


def self_test(m):
    """the model itself convicts and acquits"""
    check(m.crosses((900, 100), (1100, 100)), 'through a wall')
    check(not m.crosses((900, 300), (1100, 300)), 'through the door')
    check(m.crosses((900, 250), (1100, 250)), 'at the end of a wall')
    equal([m.room(p) for p in ((1500, 200), (1500, 800), (500, 500))],
          [1, 2, 0], 'rooms')
    check(m.meets((900, 300), (1100, 300), 1), 'into the room')
    check(not m.meets((900, 300), (990, 300), 1), 'before the room')


def drain(p):
    """Take in all that has come by now; pull() alone is one TLS record."""
    for _ in range(200):
        n = len(p.inbox)
        p.pull(0.002)
        if len(p.inbox) == n:
            return


class Watcher:
    """What another page is told, held against the model."""

    def __init__(self, person, model, avatar, same):
        self.p, self.m, self.avatar = person, model, avatar
        self.same = same            # the walker's worker is ours
        self.leg = (None, None)
        self.locked = {}            # room: since it was locked
        self.frames = 0
        self.allowed_in = set()

    def take(self):
        """Judge every leg that has been told of the walker."""
        drain(self.p)
        for x in self.p.inbox:
            if x['t'] == '#legs':
                for leg in x['legs']:
                    if leg['id'] == self.avatar:
                        self.judge(leg)
            elif x['t'] == 'place':
                raise Failure('the watcher has been moved')
        self.p.inbox.clear()

    def judge(self, leg):
        at, to = (leg['x'], leg['y']), (leg['tx'], leg['ty'])
        self.frames += 1
        check(self.m.on_map(at) and self.m.on_map(to), 'off the map: %r' %
              leg)
        check(at == to or not self.through(at, to), 'through a wall: %r' %
              leg)
        self.continuous(at, leg['time'])
        for room in self.locked:
            check(not self.m.meets(at, to, room) and
                  self.m.room(at) != room, 'into locked room %d: %r' %
                  (room, leg))
        self.leg = (at, leg['time'])

    def through(self, at, to):
        """Rounding may turn a way that grazes a wall's end: look around."""
        return all(self.m.crosses((at[0] + i, at[1] + j), to)
                   for i in (0, -1, 1) for j in (0, -1, 1))

    def continuous(self, at, when):
        """It has come no farther since the last frame than one can walk.

        Straight, or around the end of a wall: the turn between two frames
        is not told.  From another worker the frames' times are not those of
        the walk, so this is for a watcher on the same one."""
        was, since = self.leg
        if since is None or not self.same:
            return
        way = WALK * ((when - since) & 0xffffffff) / 1000 + SLACK
        check(dist(was, at) <= way, 'too fast: %r then %r' % (self.leg, at))
        if dist(was, at) > 2 and self.m.crosses(was, at):
            check(min(dist(was, e) + dist(e, at) for wall in self.m.walls
                      for e in wall) <= way, 'jumped a wall: %r then %r' %
                  (self.leg, at))


def send(p, x, y, heading=0, flags=0):
    p.ws.send(2, struct.pack('<BHHBB', 1, x, y, heading, flags))


def lie(p, m, me):
    """One leg, honest or not."""
    kind = random.randrange(10)
    if kind == 0:
        x, y = random.choice(((0, 0), (65535, 65535), (65535, 0), (0, 65535),
                              (m.w, m.h), (m.w + 1, 10), (10, m.h + 1),
                              (7, 7), (1000, 315)))
    elif kind == 1:
        x, y = random.randrange(65536), random.randrange(65536)
    elif kind == 2:
        a, b = random.choice(m.walls)       # on a wall, or close to one
        x = (a[0] + b[0]) // 2 + random.randrange(-9, 10)
        y = (a[1] + b[1]) // 2 + random.randrange(-9, 10)
        x, y = max(x, 0), max(y, 0)
    elif kind == 3:
        x, y = me                           # to where one stands
    elif kind < 6:
        r = random.choice(list(m.rooms.values()))
        x = random.randrange(min(q[0] for q in r), max(q[0] for q in r) + 1)
        y = random.randrange(min(q[1] for q in r), max(q[1] for q in r) + 1)
    elif kind < 8:
        x = max(0, me[0] + random.randrange(-150, 151))
        y = max(0, me[1] + random.randrange(-150, 151))
    else:
        x, y = random.randrange(m.w + 1), random.randrange(m.h + 1)
    send(p, x, y, random.randrange(256), random.randrange(2))


def rubbish(p):
    """Binary frames that are no legs."""
    p.ws.send(2, random.choice((
        b'', b'\1', b'\1' * 6, b'\1' + bytes(5) + b'\2', b'\2' + bytes(6),
        b'\1' + bytes(5) + b'\xff', bytes(200))))


def walk(d, floor, doc, seed, cages=()):
    """The walker, a watcher, and the model; how many legs were told."""
    random.seed(seed)
    m = Model(doc)
    watcher, walker = d.watcher, d.walker
    same = not cages
    watcher.open_on(1 if same else 0).enter(floor)
    walker.open_on(1).enter(floor)
    watcher.sees(lambda: walker.you in watcher.avatars, 'the walker')
    w = Watcher(watcher, m, walker.you, same)
    for room in cages:
        w.locked[room] = True
    watcher.inbox.clear()
    for i in range(LEGS):
        lie(walker, m, walker.spot)
        if i % 50 == 0:
            rubbish(walker)
        if i % 97 == 0:
            for _ in range(60):                     # a flood of them
                lie(walker, m, walker.spot)
        drain(walker)
        walker.inbox.clear()
        w.take()
    # Both pages agree on where the last lie, refused, has left him.
    send(walker, 65535, 65535)
    walker.settle()

    def agree():
        drain(walker)
        w.take()
        me, there = (p.avatars[walker.you] for p in (walker, watcher))
        return all((v.get('tx', v['x']), v.get('ty', v['y'])) ==
                   (me['x'], me['y']) for v in (me, there))
    until(agree, 'both pages see him in one place')
    check(w.frames > 100, 'only %d legs were told' % w.frames)
    walker.drop()
    watcher.drop()
    return w.frames


DOORS = {1: 315, 2: 585}        # of our map, by their middle


def go_in(d, p, room):
    """Enter, leave whatever room one was in last, and go into this one."""
    p.open_on(0).enter(d.own)
    y = DOORS.get(p.me['room'])
    if y is not None:
        p.walk((1100, y), (900, y))
        p.sees(lambda: p.find('update', lambda x: x['user'] == p.id and
                              x['room'] == 0), 'leaving the room')
    p.inbox.clear()
    p.walk((900, DOORS[room]), (1400, DOORS[room]), room=room)


def lies(d):
    """2,000 lies over our map: never across a wall, never a jump"""
    n = walk(d, d.own, MAP, 11)
    print('own map: %d legs seen by others' % n)


def office(d):
    """the same over the office that comes with it"""
    with open(os.path.join(MAPS, 'office.json')) as f:
        doc = json.load(f)
    n = walk(d, d.office, doc, 12)
    print('office: %d legs seen by others' % n)


def locked(d):
    """2,000 lies around a locked room: never in it"""
    go_in(d, d.keeper, 1)
    d.keeper.tell(t='door', room=1, state='locked')
    d.keeper.wait('door', lambda x: x['state'] == 'locked')
    n = walk(d, d.own, MAP, 13, cages=[1])
    print('locked room: %d legs seen by others' % n)
    d.keeper.settle()
    check(d.keeper.at(d.keeper.you, 1400, 315), 'the keeper was moved')
    d.keeper.drop()


def full(d):
    """a room for one that is taken is never counted fuller"""
    go_in(d, d.keeper, 2)
    d.keeper.inbox.clear()
    d.walker.open_on(1).enter(d.own)
    random.seed(14)
    m = Model(MAP)
    for i in range(300):
        if i % 3:
            send(d.walker, 940, 585)
            send(d.walker, 1100 + random.randrange(800), 585, flags=1)
        else:
            lie(d.walker, m, d.walker.spot)
        time.sleep(0.05)
        d.walker.pull(0.002)
        d.walker.inbox.clear()
        d.keeper.pull(0.002)
    d.keeper.settle()
    inside_ = [x for x in d.keeper.inbox if x['t'] == 'update' and
               x['user'] == d.walker.id and x['room'] == 2]
    equal(inside_, [], 'the room that is full')
    d.walker.drop()
    d.keeper.drop()


def doors(d):
    """a door is moved from inside its room only"""
    d.walker.open_on(1).enter(d.own)
    d.walker.walk((700, 450))
    for room in (1, 2, 3, 255):
        d.walker.tell(t='door', room=room, state='locked')
        d.walker.error('no-right')
    for bad in (0, 256, -1, 1.5, '1', None, True):
        d.walker.tell(t='door', room=bad, state='locked')
        d.walker.error('field')
    d.walker.drop()


def ears(d):
    """words said in a room are heard and read in it only"""
    go_in(d, d.keeper, 1)
    d.walker.open_on(1).enter(d.own)
    d.walker.walk((700, 450))
    d.keeper.say('for this room', to='room')
    d.walker.settle()
    time.sleep(0.3)
    d.walker.settle()
    check(d.walker.find('msg') is None, 'heard from outside')
    d.walker.tell(t='say', to='room', text='x', ref='r')
    d.walker.error('no-room')
    d.walker.tell(t='history', channel='room:%d:1' % d.own)
    d.walker.error('no-room')
    r = d.walker.api('GET', '/messages?channel=room:%d:1' % d.own)
    equal(r.status, 404, 'the history from outside')
    d.walker.drop()
    d.keeper.drop()


def heard(p):
    """Is what one says read, or is it still too much?"""
    p.inbox = [x for x in p.inbox if x['t'] != 'error']
    p.tell(t='#none')
    return p.wait('error')['code'] == 'type'


def bells(d):
    """a flood of calls and of doors reaches nobody but at the rate"""
    go_in(d, d.keeper, 1)
    d.walker.open_on(1).enter(d.own)
    d.walker.walk((700, 450))
    d.keeper.inbox.clear()
    since = time.monotonic()
    for i in range(60):
        d.walker.tell(t='call', kind='wave', ref='w', user=d.keeper.id)
        d.walker.tell(t='call', kind='come', ref='c', user=d.keeper.id)
        d.walker.tell(t='call', kind='knock', ref='k', room=1)
        d.walker.tell(t='answer', n=i + 1, yes=True)
        d.walker.tell(t='uncall', n=i + 1)
        d.keeper.tell(t='door', room=1, state=('closed', 'open')[i % 2])
    for p in (d.walker, d.keeper):
        until(lambda: heard(p), 'heard again')
    d.walker.sees(lambda: any(x['t'] == 'door' for x in d.walker.inbox),
                  'a door')
    d.keeper.sees(lambda: any(x['t'] == 'call' for x in d.keeper.inbox),
                  'a call')
    for p in (d.walker, d.keeper):
        p.settle()
    most = 7 + int(time.monotonic() - since)
    for p, t in ((d.keeper, 'call'), (d.walker, 'door')):
        n = len([x for x in p.inbox if x['t'] == t])
        check(0 < n <= most, '%d times %s, not %d' % (n, t, most))
    d.walker.drop()
    d.keeper.drop()


def elsewhere(d):
    """who is on another floor calls nobody in a room here, nor answers"""
    go_in(d, d.keeper, 1)
    d.keeper.tell(t='door', room=1, state='closed')
    d.keeper.wait('door', lambda x: x['state'] == 'closed')
    d.walker.open_on(1).enter(d.own)
    d.walker.walk((700, 450))
    d.watcher.open_on(0).enter(d.office)
    d.walker.tell(t='call', kind='knock', ref='k', room=1)
    n = d.walker.wait('called')['n']
    d.keeper.wait('call', lambda x: x['n'] == n)
    for near in range(max(1, n - 2), n + 3):
        d.watcher.tell(t='answer', n=near, yes=True)
        d.watcher.error('no-call')
        d.watcher.tell(t='uncall', n=near)
        d.watcher.error('no-call')
    d.watcher.tell(t='door', room=1, state='open')
    d.watcher.error('no-right')
    d.keeper.inbox.clear()
    d.watcher.tell(t='call', kind='knock', ref='k', room=1)
    d.watcher.wait('called')
    # Let in on his own word, one page would walk through a shut door.
    d.walker.tell(t='answer', n=n, yes=True)
    d.walker.error('no-call')
    send(d.walker, 900, DOORS[1])
    send(d.walker, 1100, DOORS[1], flags=1)
    equal(d.walker.wait('place')['why'], 'closed', 'the shut door')
    for p in (d.walker, d.watcher, d.keeper):
        p.settle()
        check(p.find('reply') is None, 'a reply')
    check(d.keeper.find('call') is None, 'heard from another floor')
    for p in (d.walker, d.watcher, d.keeper):
        p.drop()


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    d.own = d.floor('acme', 'Own')
    d.office = d.floor('acme', 'Office', 'template', 'office')
    d.watcher = d.person('acme', 'watcher@acme.example')
    d.walker = d.person('acme', 'walker@acme.example')
    d.keeper = d.person('acme', 'keeper@acme.example')
    s = Suite(d)
    s.run_test(self_test, Model(MAP))
    for fn in (doors, bells, elsewhere, ears, full, lies, locked, office):
        s.run_test(fn, d)
    s.end()


if __name__ == '__main__':
    main()
