#!/usr/bin/env python3
"""Floors: walking, walls, rooms, rights, presence; one floor over two session
processes."""

import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal, within                     # noqa: E402
from risa import MAP, WALK, Closed, Daemon, Person, until       # noqa: E402

IN_1 = ((940, 315), (1100, 315))        # the way into room 1, from the spawn
IN_2 = ((940, 585), (1100, 585))        # and into room 2


class Cast:
    """People by name, made when they are first needed."""

    def __init__(self, d):
        self.d = d
        self.known = {}

    def __getitem__(self, name):
        if name not in self.known:
            role = 'admin' if name == 'ada' else 'member'
            self.known[name] = self.d.person('acme', name + '@acme.example',
                                             role)
        return self.known[name]

    def on(self, floor, *names, worker=None):
        """These people, newly on the floor; with two: one on each worker."""
        out = []
        for i, name in enumerate(names):
            p = self[name].drop() or self[name]
            w = i % self.d.workers if worker is None else worker
            p.open_on(w)
            p.enter(floor)
            out.append(p)
        for p in out:
            for q in out:
                p.sees(lambda: q.id in by_user(p), '%s' % q.mail)
        return out

    def off(self):
        for p in self.known.values():
            p.drop()


def by_user(p):
    return {a.get('user'): a for a in p.avatars.values()}


def avatar(p, q):
    """The number by which p knows q."""
    return [i for i, a in p.avatars.items() if a.get('user') == q.id][0]


def new_floor(d, name='F'):
    new_floor.n += 1
    return d.floor('acme', '%s %d' % (name, new_floor.n))


new_floor.n = 0


def workers(d, cast):
    """people of one floor sit in two session processes"""
    before = d.stats()
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    now = d.stats()
    for i in (0, 1):
        equal(now['session.%d.people' % i] -
              before['session.%d.people' % i], 1, 'people of %d' % i)
    check(a.you >> 12 == 0 and b.you >> 12 == 1, 'numbers')


def entering(d, cast):
    """the floor: its map, its people, where one stands, and who comes"""
    floor = new_floor(d)
    a = cast['ann']
    a.open_on(0)
    m = a.enter(floor)
    equal(m['map'], MAP, 'map')
    equal([p['id'] for p in m['people']], [m['you']], 'people')
    me = m['people'][0]
    equal((me['user'], me['name'], me['status'], me['room']),
          (a.id, 'ann', 'available', 0), 'oneself')
    check('tx' not in me, 'walks')
    within(me['x'], 620, 999, 'x')
    within(me['y'], 250, 650, 'y')
    b = cast['bob']
    b.open_on(1)
    n = b.enter(floor)
    m = a.wait('join')
    equal(m['person']['user'], b.id, 'join')
    equal([p for p in n['people'] if p['id'] == n['you']], [m['person']],
          'the same person')
    equal(sorted(p['user'] for p in n['people']), sorted([a.id, b.id]),
          'both')
    equal([f['people'] for f in a.get('/floors')['floors']
           if f['id'] == floor], [2], 'people in the list of floors')
    b.tell(t='leave')
    equal(a.wait('left')['id'], n['you'], 'left')
    a.wait('gone', lambda m: m['user'] == b.id)
    b.leg(500, 500)
    b.error('not-here')


def walking(d, cast):
    """one walks, the others see from where to where, and where it ends"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    n = avatar(b, a)
    x, y = a.spot
    a.leg(400, 700, heading=77)
    m = b.wait('#legs', lambda m: any(
        leg['id'] == n and leg['tx'] == 400 for leg in m['legs']))
    leg = [leg for leg in m['legs'] if leg['id'] == n][0]
    equal((leg['tx'], leg['ty'], leg['heading']), (400, 700, 77), 'leg')
    way = ((x - 400) ** 2 + (y - 700) ** 2) ** 0.5
    gone = ((x - leg['x']) ** 2 + (y - leg['y']) ** 2) ** 0.5
    within(gone, 0, way / 2, 'begins where one stood')
    # Another leg on the way begins where one is by then.
    a.leg(300, 300)
    m = b.wait('#legs', lambda m: any(
        leg['id'] == n and leg['tx'] == 300 for leg in m['legs']))
    turn = [leg for leg in m['legs'] if leg['id'] == n][0]
    ms = (turn['time'] - leg['time']) & 0xffffffff
    gone = ((turn['x'] - leg['x']) ** 2 + (turn['y'] - leg['y']) ** 2) ** 0.5
    within(gone, ms * WALK / 1000 - 8, ms * WALK / 1000 + 8, 'speed')
    b.sees(lambda: b.at(n, 300, 300), 'the new end')
    a.walk((300, 300))
    b.sees(lambda: b.at(n, 300, 300), 'arrives')
    c = cast['cem']
    c.open_on(0)
    people = {p['user']: p for p in c.enter(a.floor)['people']}
    equal((people[a.id]['x'], people[a.id]['y']), a.spot, 'seen by newcomers')
    check('tx' not in people[a.id], 'stands')


def stopping(d, cast):
    """a leg to where one is stops, for everybody at the same place"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    n = avatar(b, a)
    a.leg(100, 450)
    b.sees(lambda: b.at(n, 100, 450), 'walks')
    a.sees(lambda: a.at(a.you, 100, 450), 'walks')
    a.leg(*a.spot)
    x, y = a.spot
    b.sees(lambda: b.at(n, x, y), 'goes back or stops')
    a.walk((x, y))
    a.settle()
    b.sees(lambda: b.avatars[n]['x'] == a.me['x'] and
           b.avatars[n]['y'] == a.me['y'], 'the same place')


def path(d, cast):
    """a path of queued legs is walked corner by corner"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    n = avatar(b, a)
    corners = ((760, 500), (700, 560), (760, 620), (820, 560))
    for i, (x, y) in enumerate(corners):
        a.leg(x, y, then=i > 0)
    for x, y in corners:
        m = b.wait('#legs', lambda m: any(
            leg['id'] == n and (leg['tx'], leg['ty']) == (x, y)
            for leg in m['legs']))
    leg = [leg for leg in m['legs'] if leg['id'] == n][0]
    within(leg['x'], 757, 780, 'the last begins at the corner before')
    equal(leg['x'] - 760, 620 - leg['y'], 'and is a straight line')
    # A leg that does not wait drops the rest.
    for i, (x, y) in enumerate(corners[::-1]):
        a.leg(x, y, then=i > 0)
    a.leg(500, 450)
    a.walk((500, 450))
    b.sees(lambda: b.at(n, 500, 450), 'the last word')


def walls(d, cast):
    """walls stop: one is told one's true place, the others never saw more"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    n = avatar(b, a)
    a.walk((820, 450))
    for x, y in ((1200, 450), (820, 5), (820, 60000), (65535, 450), (5, 5),
                 (1500, 460), (820, 1193), (7, 450)):
        spot = a.spot
        a.leg(x, y)
        m = a.wait('place')
        equal(m['why'], 'wall', (x, y))
        check(abs(m['x'] - spot[0]) < 3 and abs(m['y'] - spot[1]) < 3,
              'moved: %r %r' % (spot, m))
    a.leg(900, 450)
    a.leg(1200, 450, then=True)
    equal(a.wait('place')['why'], 'wall', 'the second leg of a path')
    check(a.spot[0] < 1000, a.spot)
    a.walk((600, 450))
    b.sees(lambda: b.at(n, 600, 450), 'the next leg')
    check(not any(leg['tx'] > 999 for m in b.inbox if m['t'] == '#legs'
                  for leg in m['legs']), 'somebody behind the wall')


def newcomers(d, cast):
    """who comes first on his worker sees the others where they are by then"""
    floor = new_floor(d)
    (a,) = cast.on(floor, 'ann', worker=0)
    a.walk((300, 300))
    a.tell(t='status', status='busy', note='')
    a.wait('update', lambda m: m['status'] == 'busy')
    b = cast['bob']
    b.open_on(1)
    b.enter(floor)
    them = b.avatars[avatar(b, a)]
    equal((them['x'], them['y'], them['status']), (300, 300, 'busy'),
          'stands')
    b.drop()
    a.wait('gone', lambda m: m['user'] == b.id)
    a.leg(900, 1100)
    a.leg(300, 1100, then=True)
    a.sees(lambda: a.at(a.you, 900, 1100), 'walks')
    b.open_on(1)
    b.enter(floor)
    them = b.avatars[avatar(b, a)]
    check('tx' in them, 'walks')
    b.sees(lambda: b.at(avatar(b, a), 300, 1100), 'walks on')
    a.tell(t='status', status='available', note='')


def rooms(d, cast):
    """who enters a room is in it for everybody, and out when he leaves"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    a.walk(*IN_1, room=1)
    b.wait('update', lambda m: m['user'] == a.id and m['room'] == 1)
    c = cast['cem']
    c.open_on(0)
    equal([p['room'] for p in c.hello['people'] if p['user'] == a.id], [1],
          'hello')
    equal([p['room'] for p in c.enter(a.floor)['people']
           if p['user'] == a.id], [1], 'floor')
    a.walk((940, 315), room=0)
    b.wait('update', lambda m: m['user'] == a.id and m['room'] == 0)


def full(d, cast):
    """a full room takes nobody more, on whichever worker he is"""
    for first, second in ((0, 0), (0, 1), (1, 0)):
        floor = new_floor(d)
        (a,) = cast.on(floor, 'ann', worker=first)
        (b,) = cast.on(floor, 'bob', worker=second)
        a.walk(*IN_2, room=2)
        b.wait('update', lambda m: m['user'] == a.id and m['room'] == 2)
        b.leg(*IN_2[0])
        b.leg(*IN_2[1], then=True)
        equal(b.wait('place')['why'], 'full', (first, second))
        check(b.spot[0] < 1000, b.spot)
        a.walk((940, 585), room=0)
        b.wait('update', lambda m: m['user'] == a.id and m['room'] == 0)
        b.walk((940, 585), IN_2[1], room=2)
        cast.off()


def full_before(d, cast):
    """a room that was full before anybody came on this worker is full"""
    floor = new_floor(d)
    (a,) = cast.on(floor, 'ann', worker=0)
    a.walk(*IN_2, room=2)
    (b,) = cast.on(floor, 'bob', worker=1)
    b.leg(*IN_2[0])
    b.leg(*IN_2[1], then=True)
    equal(b.wait('place')['why'], 'full', 'place')


def fast(d, cast):
    """too many legs: place with the true place, then it goes on"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    for i in range(120):
        a.leg(700 + i, 450)
    m = a.wait('place', lambda m: m['why'] == 'fast')
    within(m['x'], 600, 1000, 'x')

    def goes():
        a.inbox.clear()
        a.leg(500, 400)
        a.settle()
        return a.find('place') is None
    until(goes, 'legs again')
    b.sees(lambda: b.at(avatar(b, a), 500, 400), 'walks on')


def presence(d, cast):
    """status, note, name and look reach the others, also on other floors"""
    one, two = new_floor(d), new_floor(d)
    a, b = cast.on(one, 'ann', 'bob')
    (c,) = cast.on(two, 'cem', worker=0)
    a.tell(t='status', status='dnd', note='考え中 <i>')
    for p in (a, b, c):
        p.wait('update', lambda m: m['user'] == a.id and
               m['status'] == 'dnd' and m['note'] == '考え中 <i>' and
               m['floor'] == one)
    look = {'skin': 1, 'hair': 2, 'tint': 3, 'face': 4, 'shirt': 5,
            'extra': 0}
    a.api('PATCH', '/me', {'name': 'アン', 'look': look}, 200)
    for p in (b, c):
        m = p.wait('update', lambda m: m['name'] == 'アン')
        equal(m['look'], look, 'look')
    a.wait('me', lambda m: m['user']['name'] == 'アン')
    a.api('PATCH', '/me', {'name': 'ann'}, 200)
    a.tell(t='status', status='available', note='')
    b.wait('update', lambda m: m['status'] == 'available' and
           m['name'] == 'ann')


def unseen(d, cast):
    """who goes to where one may not look is gone, and is there when one may;
    who was there is gone when one may not any more"""
    for at in ((0, 0), (0, 1)):
        one, two, three = (new_floor(d) for _ in range(3))
        name = [f['name'] for f in d.rows('floor', 'list', 'acme')
                if f['id'] == two][0]
        a, b = cast['ann'], cast['bob']
        d.do('floor', 'allow', 'acme', name, 'user', a.mail)
        d.do('floor', 'allow', 'acme', name, 'user', b.mail)
        d.do('floor', 'deny', 'acme', name, 'all')
        (a,) = cast.on(one, 'ann', worker=at[0])
        (b,) = cast.on(three, 'bob', worker=at[1])
        (c,) = cast.on(three, 'cem', worker=at[1])
        # After this nothing is on its way any more.
        a.tell(t='status', status='available', note='%d' % two)
        for p in (b, c):
            p.wait('update', lambda m: m['note'] == '%d' % two)
            p.inbox = []
        a.enter(two)
        b.wait('update', lambda m: m['user'] == a.id and m['floor'] == two)
        c.wait('gone', lambda m: m['user'] == a.id)
        d.do('floor', 'allow', 'acme', name, 'all')
        c.wait('floors', lambda m: two in [f['id'] for f in m['floors']])
        c.wait('update', lambda m: m['user'] == a.id and m['floor'] == two)
        d.do('floor', 'deny', 'acme', name, 'all')
        c.wait('floors', lambda m: two not in [f['id'] for f in m['floors']])
        c.wait('gone', lambda m: m['user'] == a.id)
        a.enter(one)
        for p in (b, c):
            p.wait('update', lambda m: m['user'] == a.id and
                   m['floor'] == one)
            check(not p.find('gone', lambda m: m['user'] == a.id),
                  '%s: gone for who may look' % p.mail)
        a.tell(t='status', status='available', note='')
        cast.off()


def going(d, cast):
    """who goes just before one may not look any more has gone"""
    one, two = new_floor(d), new_floor(d)
    name = [f['name'] for f in d.rows('floor', 'list', 'acme')
            if f['id'] == two][0]
    b, c = cast.on(one, 'bob', 'cem', worker=0)
    for i in range(3):
        (a,) = cast.on(two, 'ann', worker=0)
        b.wait('update', lambda m: m['user'] == a.id and m['floor'] == two)
        b.inbox = []
        # What follows on this is told together a moment later.
        c.tell(t='status', status='available', note='%d' % i)
        c.wait('update', lambda m: m['note'] == '%d' % i)
        a.tell(t='leave')
        d.do('floor', 'deny', 'acme', name, 'all')
        b.wait('floors', lambda m: two not in [f['id'] for f in m['floors']])
        b.wait('gone', lambda m: m['user'] == a.id)
        d.do('floor', 'allow', 'acme', name, 'all')
        b.wait('floors', lambda m: two in [f['id'] for f in m['floors']])
        a.drop()


def changing(d, cast):
    """changing floors: off the one, on the other, and back to the place"""
    one, two = new_floor(d), new_floor(d)
    a, b = cast.on(one, 'ann', 'bob')
    (c,) = cast.on(two, 'cem', worker=1)
    a.walk((300, 900))
    n = a.you
    a.enter(two)
    equal(b.wait('left')['id'], n, 'left')
    c.wait('join', lambda m: m['person']['user'] == a.id)
    b.wait('update', lambda m: m['user'] == a.id and m['floor'] == two)
    check(not b.find('gone', lambda m: m['user'] == a.id), 'gone')
    within(a.spot[0], 620, 999, 'a spawn point')
    a.enter(one)
    equal(a.spot, (300, 900), 'back')
    c.wait('left')
    a.drop()
    a.open_on(1)
    equal(a.hello['last'], one, 'last floor')
    a.enter(one)
    equal(a.spot, (300, 900), 'back after a new page')


def midway(d, cast):
    """who vanishes on his way comes back to where he was by then"""
    a, b = cast.on(new_floor(d), 'ann', 'bob')
    n = avatar(b, a)
    a.leg(100, 450)
    b.sees(lambda: b.at(n, 100, 450), 'walks')
    a.drop()
    b.wait('gone', lambda m: m['user'] == a.id)
    a.open_on(0)
    a.enter(b.floor)
    within(a.spot[0], 100, 960, 'x')
    check('tx' not in a.me, 'walks on')
    b.wait('join', lambda m: m['person']['user'] == a.id and
           (m['person']['x'], m['person']['y']) == a.spot)


def takeover(d, cast):
    """a second page that enters takes over; the first is told and closed"""
    for first, second in ((0, 0), (0, 1), (1, 0)):
        floor = new_floor(d)
        (b,) = cast.on(floor, 'bob', worker=0)
        (a,) = cast.on(floor, 'ann', worker=first)
        a.walk((600, 450))
        other = Person(d, 'acme', a.mail)
        other.http.cookie, other.user = a.http.cookie, a.user
        other.open_on(second)
        a.settle()
        other.enter(floor)
        a.bye('elsewhere', 4002)
        check(abs(other.spot[0] - 600) < 3, 'the place: %r' % (other.spot,))
        b.sees(lambda: sorted(u for u in by_user(b)) == sorted(
            [a.id, b.id]) and avatar(b, a) == other.you,
            'exactly the new one')
        other.walk((650, 450))
        b.sees(lambda: b.at(other.you, 650, 450), 'walks')
        b.settle()
        b.inbox.clear()
        other.close()
        b.wait('gone', lambda m: m['user'] == a.id)
        cast.off()


def crossing(d, cast):
    """the page that is taken over says something before it hears of it"""
    floor = new_floor(d)
    (a,) = cast.on(floor, 'ann', worker=0)
    other = Person(d, 'acme', a.mail)
    other.http.cookie, other.user = a.http.cookie, a.user
    other.open_on(1)
    other.settle()
    pids = d.pids()
    # The second worker is to find both the floor and that word waiting.
    os.kill(pids[('storage', 0)], signal.SIGSTOP)
    other.tell(t='enter', floor=floor)
    time.sleep(.3)
    os.kill(pids[('session', 1)], signal.SIGSTOP)
    os.kill(pids[('storage', 0)], signal.SIGCONT)
    time.sleep(.5)
    a.tell(t='media', hear=True, mic=False, cam=False, screen=False,
           listen=False)
    a.settle()
    os.kill(pids[('session', 1)], signal.SIGCONT)
    other.wait('floor')
    a.bye('elsewhere', 4002)
    other.settle()
    other.walk((600, 450))
    other.close()


def at_once(d, cast):
    """two pages of one person that enter at the same moment: one stays"""
    for _ in range(6):
        floor = new_floor(d)
        (b,) = cast.on(floor, 'bob', worker=0)
        a = cast['ann'].drop() or cast['ann']
        a.open_on(0)
        other = Person(d, 'acme', a.mail)
        other.http.cookie, other.user = a.http.cookie, a.user
        other.open_on(1)
        for p in (a, other):
            p.tell(t='enter', floor=floor)
        left = []

        def one_is_out():
            for p in (a, other):
                try:
                    p.pull(0.05)
                except Closed:
                    pass
                if p not in left and p.find('bye'):
                    left.append(p)
            return left
        until(one_is_out, 'one of the two goes')
        stays = other if left[0] is a else a
        stays.settle()          # a round trip: it is still there
        b.sees(lambda: [i for i, x in b.avatars.items()
                        if x.get('user') == a.id] == [stays.you],
               'the one that stays, and no other')
        other.drop()
        cast.off()


def ghosts(d, cast):
    """nobody stays behind: forty come and vanish in all ways"""
    floor = new_floor(d)
    (w,) = cast.on(floor, 'bob', worker=0)
    a = cast['ann']
    for i in range(40):
        (a.open_on if i < 8 else lambda _: a.open())(i % 2)
        a.enter(floor)
        a.leg(500, 500)
        if i % 4 == 0:
            a.tell(t='leave')
        elif i % 4 == 1:
            a.ws.send(8, b'\x03\xe8')
        elif i % 4 == 2:
            a.ws.http.send(b'\xff\xff')
        a.drop()
        w.wait('gone', lambda m: m['user'] == a.id)
    w.sees(lambda: list(by_user(w)) == [w.id], 'nobody else')
    c = cast['cem']
    for worker in (0, 1):
        c.open_on(worker)
        equal(sorted(p['user'] for p in c.enter(floor)['people']),
              sorted([c.id, w.id]), 'worker %d' % worker)
        c.drop()
        w.wait('gone', lambda m: m['user'] == c.id)
    until(lambda: sum(d.stats()['session.%d.people' % i] for i in (0, 1)) ==
          1, 'people counted')


def rights(d, cast):
    """floors: closed, opened to one, to a group; who is inside must go"""
    floor, other = new_floor(d), new_floor(d)
    name = [f['name'] for f in d.rows('floor', 'list', 'acme')
            if f['id'] == floor][0]
    a, b = cast.on(floor, 'ann', 'bob')
    (c,) = cast.on(other, 'cem', worker=1)
    equal([p['user'] for p in c.hello['people'] if p['floor'] == floor] != [],
          True, 'seen before')
    b.say('秘密')
    a.hears('秘密')

    d.do('floor', 'allow', 'acme', name, 'user', b.mail)
    d.do('floor', 'deny', 'acme', name, 'all')
    a.wait('floors', lambda m: floor not in [f['id'] for f in m['floors']])
    equal(a.wait('evict')['floor'], floor, 'evict')
    b.wait('floors')
    b.sees(lambda: a.id not in by_user(b), 'he has gone')
    c.wait('floors', lambda m: floor not in [f['id'] for f in m['floors']])
    for p in (a, c):
        p.tell(t='enter', floor=floor)
        p.error('no-floor')
        p.tell(t='history', channel='floor:%d' % floor)
        p.error('no-floor')
        p.tell(t='history', channel='room:%d:1' % floor)
        p.error('no-room')
        equal(p.api('GET', '/floors/%d' % floor).body,
              p.api('GET', '/floors/4000000').body, 'like none')
        r = p.api('GET', '/messages?channel=floor:%d' % floor)
        equal((r.status, r.body), (404, p.api(
            'GET', '/messages?channel=floor:4000000').body), 'history')
        check(floor not in [f['id'] for f in p.get('/floors')['floors']],
              'the list')
    # Presence there is not for them either, nor what is said.
    c.inbox.clear()
    a.inbox.clear()
    b.tell(t='status', status='busy', note='内緒')
    b.wait('update', lambda m: m['note'] == '内緒')
    b.say('もっと秘密')
    b.hears('もっと秘密')
    for p in (a, c):
        p.settle()
        check('内緒' not in json.dumps(p.inbox, ensure_ascii=False),
              '%s has seen' % p.mail)
    d.do('floor', 'allow', 'acme', name, 'user', a.mail)
    a.wait('floors', lambda m: floor in [f['id'] for f in m['floors']])
    a.wait('update', lambda m: m['user'] == b.id and m['note'] == '内緒')
    for p in (a, c):
        p.settle()
        check('秘密' not in json.dumps(p.inbox, ensure_ascii=False),
              '%s has heard' % p.mail)
    check('内緒' not in json.dumps(c.inbox, ensure_ascii=False), 'c has seen')
    c.drop()
    c.open()
    equal([p for p in c.hello['people'] if p['floor'] == floor], [], 'hello')
    check(floor not in [f['id'] for f in c.hello['floors']], 'hello floors')
    check(not any(u['channel'] == 'floor:%d' % floor
                  for u in c.hello['unread']), 'hello unread')
    a.enter(floor)
    b.wait('join', lambda m: m['person']['user'] == a.id)

    ada = cast['ada']
    g = ada.api('POST', '/admin/groups', {
        'name': 'G%d' % floor, 'members': [c.id]}, 201).json()['group']
    d.do('floor', 'allow', 'acme', name, 'group', 'G%d' % floor)
    c.wait('floors', lambda m: floor in [f['id'] for f in m['floors']])
    c.enter(floor)
    ada.api('PATCH', '/admin/groups/%d' % g['id'], {'members': []}, 200)
    c.wait('evict')
    ada.open()
    ada.tell(t='enter', floor=floor)
    ada.error('no-floor')
    b.tell(t='status', status='available', note='')


def hangs(d, cast):
    """a right that is taken away is, also when storage hangs meanwhile"""
    floor = new_floor(d)
    name = [f['name'] for f in d.rows('floor', 'list', 'acme')
            if f['id'] == floor][0]
    a, b = cast.on(floor, 'ann', 'bob', worker=0)
    d.do('floor', 'allow', 'acme', name, 'user', b.mail)
    b.wait('floors')
    pids = d.pids()
    worker, storage = pids[('session', 0)], pids[('storage', 0)]
    os.kill(worker, signal.SIGSTOP)
    ctl = threading.Thread(target=d.ctl, args=(
        'floor', 'deny', 'acme', name, 'all'))
    ctl.start()
    time.sleep(.6)
    os.kill(storage, signal.SIGSTOP)
    os.kill(worker, signal.SIGCONT)
    # As long as a question waits for its answer, and longer.
    a.pull(.1)
    time.sleep(12)
    os.kill(storage, signal.SIGCONT)
    ctl.join(30)
    equal(a.wait('evict')['floor'], floor, 'evict')
    a.settle()
    check(floor not in [f['id'] for f in a.get('/floors')['floors']], 'floor')


def deleted(d, cast):
    """a deleted floor is gone for those on it"""
    floor = new_floor(d)
    name = [f['name'] for f in d.rows('floor', 'list', 'acme')
            if f['id'] == floor][0]
    a, b = cast.on(floor, 'ann', 'bob')
    d.do('floor', 'delete', 'acme', name)
    for p in (a, b):
        equal(p.wait('evict')['floor'], floor, 'evict')
        p.tell(t='enter', floor=floor)
        p.error('no-floor')


def tenants(d, cast):
    """floors of another tenant do not exist, and nobody sees anybody there"""
    floor = new_floor(d)
    (a,) = cast.on(floor, 'ann', worker=0)
    g = d.person('globex', 'gil@globex.example').open_on(0)
    equal((g.hello['floors'], g.hello['people']), ([], []), 'hello')
    g.tell(t='enter', floor=floor)
    g.error('no-floor')
    equal(g.api('GET', '/floors/%d' % floor).body,
          g.api('GET', '/floors/4000000').body, 'like none')
    equal(g.get('/people')['people'], [], 'people')
    own = d.floor('globex', 'Own')
    g.enter(own)
    g.say('globex only')
    a.say('acme only')
    a.hears('acme only')
    a.settle()
    g.settle()
    check('globex' not in json.dumps(a.inbox), 'heard')
    check('acme' not in json.dumps(g.inbox), 'heard')
    check(not a.find('update', lambda m: m['user'] == g.id and
                     m['floor'] == own), 'seen')
    g.close()


def templates(d, cast):
    """the floors that come with risad can be entered and walked on"""
    for name in ('office', 'lobby', 'japanese'):
        floor = d.floor('acme', 'T ' + name, 'template', name)
        (a,) = cast.on(floor, 'ann', worker=0)
        x, y = a.spot
        for dx, dy in ((30, 0), (-30, 0), (0, 30), (0, -30)):
            a.leg(x + dx, y + dy)
            a.pull(0.3)
        a.settle()
        check(not all(a.find('place') for _ in range(4)), name)
        equal(a.get('/floors/%d' % floor)['map']['version'], 1, name)


def crowd(d, cast):
    """thirty people walk at once, and all see the same in the end"""
    floor = new_floor(d)
    people = [d.person('acme', 'p%d@acme.example' % i) for i in range(30)]
    for p in people:
        p.open()
        p.enter(floor)
    goals = {}
    for i, p in enumerate(people):
        goals[p.you] = (200 + 20 * i, 700 + 10 * (i % 7))
        p.leg(820, 600)
        p.leg(*goals[p.you], then=True)
        p.leg(*goals[p.you], then=True)
    for p in people:
        p.sees(lambda: all(p.at(n, *goals[n]) and
                           abs(p.avatars[n]['x'] - goals[n][0]) <= 3
                           for n in goals), 'all at their goals')
    for p in people:
        p.close()


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    cast = Cast(d)
    s = Suite(d)
    for fn in (workers, entering, walking, stopping, path, walls, newcomers,
               rooms, full, full_before, fast, presence, unseen, going,
               changing, midway, takeover, crossing, at_once, ghosts, rights,
               hangs, deleted, tenants, templates, crowd):
        s.run_test(fn, d, cast)
        cast.off()
    s.end()


if __name__ == '__main__':
    main()
