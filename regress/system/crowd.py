#!/usr/bin/env python3
"""A floor of more than two hundred: who is near hears of each step, who is
far away of what has gathered, and in the end all know the same."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, Daemon, Person                       # noqa: E402

PEOPLE = 206
NEAR, FAR = (400, 1000), (2600, 1000)
HALL = {
    'version': 1, 'size': [3000, 2000], 'floor': 'wood',
    'walls': [[7, 7, 2993, 7], [2993, 7, 2993, 1993],
              [7, 1993, 2993, 1993], [7, 7, 7, 1993]],
    'rooms': [], 'furniture': [], 'spawn': [list(NEAR)],
}


class Crowd:
    def __init__(self, d):
        self.d = d
        d.write('hall.json', json.dumps(HALL))
        self.floor = d.floor('acme', 'Hall', 'map', d.path('hall.json'))
        self.all = [self.come(i) for i in range(PEOPLE)]

    def come(self, i):
        mail = 'p%d@acme.example' % i
        token = self.d.invite('acme', mail, 'role', 'member')
        p = Person(self.d, 'acme', mail, PASSWORD, '127.0.2.%d' % (1 + i))
        p.accept(token, 'Person %d' % i)
        p.open()
        p.enter(self.floor)
        return p

    def quiet(self):
        """All have read what they were sent."""
        for p in self.all:
            p.settle()
            p.inbox = []

    def know(self, avatar, x, y, what):
        for p in self.all:
            p.sees(lambda: p.at(avatar, x, y), what)


def entered(c):
    """each of two hundred knows all the others, at both workers"""
    for p in c.all:
        p.sees(lambda: len(p.avatars) == PEOPLE, 'everybody')
    counts = [c.d.stats()['session.%d.people' % i] for i in (0, 1)]
    equal(sum(counts), PEOPLE, counts)
    check(min(counts) > 0, counts)


def gathered(c):
    """forty steps: near by each is seen, far away the last is, and fewer"""
    walker, near, far = c.all[0], c.all[1], c.all[2]
    far.walk(FAR)
    c.know(far.you, *FAR, 'one has gone far away')
    # Cells are looked at with each frame for all: let there be one.
    walker.walk((NEAR[0] + 100, NEAR[1]))
    c.know(walker.you, NEAR[0] + 100, NEAR[1], 'a first step')
    c.quiet()
    for i in range(40):
        walker.leg(NEAR[0] + 100 + 4 * i, NEAR[1] + 50)
        time.sleep(0.06)
    x, y = NEAR[0] + 100 + 4 * 39, NEAR[1] + 50
    c.know(walker.you, x, y, 'the last step')
    seen = []
    for p in (near, far):
        p.settle()
        seen.append(len({leg['tx'] for m in p.inbox if m['t'] == '#legs'
                         for leg in m['legs'] if leg['id'] == walker.you}))
    check(seen[1] >= 1 and seen[0] > seen[1], seen)


def crossing(c):
    """who walks from one end to the other is followed by all"""
    walker = c.all[3]
    walker.walk(FAR)
    c.know(walker.you, *FAR, 'the other end')
    walker.walk(NEAR)
    c.know(walker.you, *NEAR, 'and back')


def leaving(c):
    """who goes is gone for all, who comes is there for all"""
    p = c.all[4]
    gone = p.you
    p.drop()
    others = [q for q in c.all if q is not p]
    for q in others:
        q.sees(lambda: gone not in q.avatars, 'he is gone')
    p.open()
    p.enter(c.floor)
    for q in others:
        q.sees(lambda: p.you in q.avatars, 'he is back')
        q.wait('update', lambda m: m['user'] == p.id)


def main():
    d = Daemon(workers=2)
    d.start()
    d.do('tenant', 'add', 'acme')
    s = Suite(d)
    c = Crowd(d)
    for fn in (entered, gathered, crossing, leaving):
        s.run_test(fn, c)
    s.end()


if __name__ == '__main__':
    main()
