#!/usr/bin/env python3
"""One tenant floods, by chat, signals, requests, floors and sign-ins; another
works on: what it waits before and meanwhile, and that nothing is refused."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import Attacker, Honest, Table, percentile          # noqa: E402
from lib import LONG, Suite, check, within                      # noqa: E402
from risa import Daemon                                         # noqa: E402

WINDOW = 30 if LONG else 3
PAGES = 40 if LONG else 12
P95 = 3                         # seconds that the other tenant waits at most
CHEAP = 'password hash memory 8 passes 1\n'
LIMITS = 'limit requests address 9000000 tenant 1500 account 900\n'
SAYS, BURST = 10, 20            # a second and at once, risa-protocol(7)


class Neighbours:
    def __init__(self):
        self.d = d = Daemon(more=CHEAP)
        d.start()
        d.do('tenant', 'add', 'acme')
        d.do('tenant', 'add', 'globex')
        d.floor('acme', 'One')
        floor = d.floor('globex', 'One')
        self.boss = d.person('acme', 'boss@acme.example', 'admin')
        self.people = [d.person('acme', 'p%d@acme.example' % i)
                       for i in range(PAGES)]
        for p in self.people + [self.boss]:
            p.http.close()
        self.honest = Honest(d, d.person('globex', 'ann@globex.example'),
                             d.person('globex', 'bob@globex.example'), floor)
        self.honest.during(1)
        self.before = self.honest.during(WINDOW)
        self.table = Table()

    def said(self):
        return self.d.stats()['session.0.messages']

    def flood(self, kind, people):
        """That kind, by these of the one tenant; the other is well."""
        a = Attacker(self.d, kind, 0, 600, '127.0.9.1',
                     [p.http.cookie for p in people])
        times = self.honest.during(WINDOW)
        told = a.end()
        after = self.honest.during(WINDOW / 3)
        self.table.add(kind, self.before, times, after, ', '.join(
            '%s %s' % (k, v) for k, v in told.items() if v))
        check(percentile(times, 0.95) < P95, 'p95 %.1f s' %
              percentile(times, 0.95))
        return told


def chat(n):
    """chat: as many messages as pages can send, and no more than they may"""
    before, begin = n.said(), time.monotonic()
    told = n.flood('says', n.people)
    check(told['made'] == PAGES and told['sent'] > PAGES, told)
    # The honest of the other tenant have written something meanwhile.
    within(n.said() - before, PAGES * BURST / 2, (PAGES + 1) * (
        BURST + SAYS * (time.monotonic() - begin)), 'messages')


def signals(n):
    """signals to everybody"""
    told = n.flood('signals', n.people)
    check(told['made'] == PAGES and told['sent'] > PAGES, told)


def requests(n):
    """requests: what is above the limits is answered 429"""
    n.d.write_conf(n.d.conf() + LIMITS)
    n.d.do('reload')
    some = refused = 0
    for _ in range(20):                 # until no machine is too slow for it
        told = n.flood('asks', n.people[:2])
        some += told.get('status 200', 0)
        refused += told.get('status 429', 0)
        if refused:
            break
    n.d.write_conf()
    n.d.do('reload')
    check(some > 0 and refused > 0, '%d answered, %d refused' % (some,
                                                                 refused))


def floors(n):
    """floors by the hundred, and lists of people as large as may be"""
    told = n.flood('floors', [n.boss])
    check(told.get('status 201', 0) > 0 and told.get('status 200', 0) > 0,
          told)


def signins(n):
    """sign-ins that fail"""
    told = n.flood('signins', [])
    check(told.get('status 429', 0) > 0, told)


def well(n):
    """the other tenant has missed nothing"""
    n.honest.end()


def main():
    n = Neighbours()
    s = Suite(n.d)
    for fn in (chat, signals, requests, floors, signins, well):
        s.run_test(fn, n)
    n.table.show()
    s.end()


if __name__ == '__main__':
    main()
