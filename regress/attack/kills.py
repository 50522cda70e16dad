#!/usr/bin/env python3
"""Every process is killed again and again while people write and walk."""

import os
import random
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from disk import Inject                                         # noqa: E402
from honest import idle_fds                                     # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Closed, Daemon, Failure, Http, Person, alive, \
    until                                                       # noqa: E402
from writers import Writers                                     # noqa: E402

SESSIONS, HASHES = 4, 4
SLOTS = ([('keys', 0), ('auth', 0), ('storage', 0)] +
         [('hash', i) for i in range(HASHES)] +
         [('session', i) for i in range(SESSIONS)])
KILLS = 200 * len(SLOTS) if LONG else 40
PARENTS = 50 if LONG else 5
DEATHS, WINDOW = 4, 61          # of one slot in so many seconds: one more ends
STANDING = [('session', 0), ('storage', 0), ('parent', 0), ('session', 0)]
STOOD = 8                       # seconds: then a place is kept
BACK = 1.0                      # seconds: what half of all deaths stay below
SLOWER = 1 if LONG else 3       # a machine that has other things to do
GROWTH = 4096                   # KB that a process may have grown by
tenants = ('acme', 'globex')


class Many(Daemon):
    def conf(self):
        return Daemon.conf(self).replace(
            'workers session %d' % SESSIONS,
            'workers session %d hash %d' % (SESSIONS, HASHES))


def daemon():
    d = Many(workers=SESSIONS, more='password hash memory 64 passes 1\n')
    d.start()
    for t in tenants:
        d.do('tenant', 'add', t)
    return d


def rss(pid):
    with open('/proc/%d/status' % pid) as f:
        return int([x for x in f if x.startswith('VmRSS')][0].split()[1])


def used(d):
    """Descriptors and memory of each process, with nobody connected."""
    pids = d.pids()
    got = {}
    for slot, (names, files) in idle_fds(d, pids).items():
        check(len(files) == len(set(files)), 'opened twice: %r' % files)
        got[slot] = len(names), rss(pids[slot])
    return got


def signs_in(d, mail, n):
    """Once, from an address of its own; is it done?"""
    with Http(d, 'acme', source='127.1.%d.%d' % (n // 250 % 250,
                                                 n % 250 + 1)) as h:
        try:
            return h.request('POST', '/api/v1/session', {
                'email': mail, 'password': Person(d, 'acme', mail).password
            }).status == 201
        except (OSError, Closed):
            return False


class Victims:
    """Whom to kill next: each slot in turn, then any, and none too often."""

    def __init__(self):
        self.turn = list(SLOTS)
        self.deaths = {s: [] for s in SLOTS}
        self.left = {s: 200 if LONG else DEATHS for s in SLOTS}

    def next(self):
        s = self.turn.pop(0) if self.turn else until(
            self._any, 'one that may die', 90)
        self.deaths[s].append(time.monotonic())
        self.left[s] -= 1
        return s

    def _any(self):
        since = time.monotonic() - WINDOW
        ready = [s for s in SLOTS if self.left[s] > 0 and
                 sum(t > since for t in self.deaths[s]) < DEATHS]
        return random.choice(ready) if ready else None


def back(d, w, mail, slot, n):
    """Kill; how long it takes until all write on, and somebody signs in."""
    pid = d.pids()[slot]
    begun = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    w.more(1)
    until(lambda: signs_in(d, mail, n), 'signing in')
    took = time.monotonic() - begun
    until(lambda: replaced(d, slot, pid), '%s %d is back' % slot)
    return took


def replaced(d, slot, pid):
    try:
        return d.pids().get(slot) not in (None, pid)
    except Failure:
        return False            # auth answers risactl


def ghosts(d, w):
    """Who is on the floors: those who are, and each once."""
    def told():
        return sum(v for k, v in d.stats().items()
                   if k.startswith('session.') and k.endswith('.people'))
    until(lambda: told() == len(w.people), 'so many pages')
    for p in w.people:
        p.sees(lambda: sorted(a.get('user', 0) for a in p.avatars.values()) ==
               sorted(q.id for q in w.people if q.tenant == p.tenant),
               'everybody once')


def kills():
    """each process in turn and at random, under load: back, nothing lost"""
    d = daemon()
    try:
        w = Writers(d, tenants, SESSIONS)
        mail = d.person('acme', 'door@acme.example').mail
        w.start()
        w.more(2)
        w.settle()
        before = used(d)
        w.start()
        w.more(1)
        times, victims = {}, Victims()
        for n in range(KILLS):
            slot = victims.next()
            times.setdefault(slot[0], []).append(back(d, w, mail, slot, n))
            check(not any(x.wrong for x in w.running),
                  [x.wrong for x in w.running if x.wrong])
        w.settle()
        w.check()
        for p in w.people:
            p.open().enter(w.floors[p.tenant])
        ghosts(d, w)
        for p in w.people:
            p.close()
        report(times, w)
        leaks(d, before)
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def report(times, w):
    print('killed      times   median    worst  s until all write on and '
          'sign in')
    for what in sorted(times):
        t = times[what]
        print('%-10s %6d %8.2f %8.2f' % (what, len(t), statistics.median(t),
                                         max(t)))
    every = [x for t in times.values() for x in t]
    print('%-10s %6d %8.2f %8.2f' % ('all', len(every),
                                     statistics.median(every), max(every)))
    print('%d words acknowledged, all there once and in order' % w.count())
    for what, t in times.items():
        check(statistics.median(t) < BACK * SLOWER, '%s: too slow' % what)


def leaks(d, before):
    """As many descriptors as before, and about as much memory."""
    got = {}

    def same():
        got.update(used(d))
        return all(got[s][0] == before[s][0] for s in before)
    try:
        until(same, 'descriptors')
    finally:
        print('process     fds before/after   KB before/after')
        for s in sorted(before):
            print('%-10s %8d %8d %9d %7d' % ((' '.join(map(str, s)),) + (
                before[s][0], got[s][0], before[s][1], got[s][1])))
    grown = {s: got[s][1] - before[s][1] for s in before
             if got[s][1] - before[s][1] > GROWTH}
    check(not grown, 'grown: %r' % grown)


def parents():
    """the parent is killed under load: all ends within a second, and begins
    again with all that was acknowledged"""
    d = daemon()
    try:
        w, ends = Writers(d, tenants, 3), []
        for _ in range(PARENTS):
            pids = list(d.pids().values())
            w.start()
            w.more(2)
            d.proc.kill()
            begun = time.monotonic()
            until(lambda: not any(alive(p) for p in pids), 'all children end')
            ends.append(time.monotonic() - begun)
            d.wait_exit()
            w.end()
            d.start()
            w.check()
            equal(d.ctl('audit', 'verify')[0], 0, 'trails')
        print('%d times: the last child ended after median %.2f s, worst '
              '%.2f s; %d words acknowledged' % (
                  PARENTS, statistics.median(ends), max(ends), w.count()))
        check(statistics.median(ends) < BACK * SLOWER, 'children stay')
    finally:
        d.end()


def places():
    """who has stood for some seconds, stands there again after any kill"""
    d = daemon()
    try:
        floor = d.floor('acme', 'F')
        p = d.person('acme', 'ann@acme.example').open_on(0)
        p.enter(floor)
        for i, slot in enumerate(STANDING):
            p.walk((300 + 50 * i, 800))
            spot = p.spot
            time.sleep(STOOD)
            if slot == ('parent', 0):
                pids = list(d.pids().values())
                d.proc.kill()
                d.wait_exit()
                until(lambda: not any(alive(q) for q in pids), 'all end')
                d.start()
            else:
                pid = d.pids()[slot]
                os.kill(pid, signal.SIGKILL)
                until(lambda: replaced(d, slot, pid), 'back')
            until(lambda: returns(p, floor), 'on the floor again', 60)
            check(abs(p.spot[0] - spot[0]) < 3 and
                  abs(p.spot[1] - spot[1]) < 3,
                  '%s %d: stood at %r, is at %r' % (slot + (spot, p.spot)))
        # Storage forgets, and then the session too: one after the other.
        spot = p.spot
        for slot in (('storage', 0), ('session', 0)):
            pid = d.pids()[slot]
            os.kill(pid, signal.SIGKILL)
            until(lambda: replaced(d, slot, pid), 'back')
            time.sleep(STOOD)
        until(lambda: returns(p, floor), 'on the floor again', 60)
        check(abs(p.spot[0] - spot[0]) < 3, 'after both: %r' % (p.spot,))
    finally:
        d.end()


def returns(p, floor):
    """The page comes back by itself: is it on the floor?"""
    try:
        p.open_on(0)
        p.tell(t='enter', floor=floor)
        p.wait('floor', bound=2)
        return True
    except (OSError, Closed, Failure):
        return False


def restore():
    """a restore is killed at its first, second, third ... call of each kind:
    the data is that of before or that of the backup, and whole"""
    d = daemon()
    try:
        floor = d.floor('acme', 'F')
        p = d.person('acme', 'ann@acme.example', 'admin')
        p.open().enter(floor)
        p.say('older')
        p.close()
        stamp = d.json('backup', 'now')['backup']['stamp']
        old, new = ['older'], ['older', 'newer']
        say_newer(d, p, floor)
        deaths, back_then = 0, 0
        for call in ('rename', 'unlink', 'fsync', 'fdatasync', 'pwrite64',
                     'write'):
            n, died = 1, True
            while died:
                pid = d.pids()[('storage', 0)]
                with Inject(pid, '%s:signal=SIGKILL:when=%d' % (call, n)):
                    code, out, err = d.ctl('backup', 'restore', stamp,
                                           'tenant', 'acme')
                died = not alive(pid)
                what = '%s %d: %d %s %s' % (call, n, code, out, err)
                check(died or code == 0, what)
                deaths += died
                if deaths % DEATHS == 0:
                    d.restart()
                until(lambda: d.ctl('audit', 'verify')[0] == 0, what)
                got = words(d, floor)
                check(got in (old, new), '%s: %r' % (what, got))
                check(died or got == old, what)
                left = [f for f in os.listdir(d.path('data', 'tenants', '1'))
                        if not f.startswith(('main.db', 'log-'))]
                check(not left, '%s: left: %r' % (what, left))
                if got == old:
                    back_then += 1
                    say_newer(d, p, floor)
                n = n + 1 if LONG or n < 3 else n * 8 // 5
            print('%-10s killed up to call %d of a restore' % (call, n))
        print('%d kills; the backup was in force after %d runs' % (
            deaths, back_then))
    finally:
        d.end()


def say_newer(d, p, floor):
    """By whoever comes with a new sign-in, for a restore ends all."""
    p.http.close()
    until(lambda: p.api('GET', '/tenant').status == 200, 'the tenant')
    p.sign_in().open().enter(floor)
    p.refs = time.monotonic_ns() // 1000
    p.say('newer')
    p.close()


def words(d, floor):
    """What is on the floor, with a sign-in of its own."""
    p = Person(d, 'acme', 'ann@acme.example')
    p.sign_in()
    r = p.retry('GET', '/messages?channel=floor:%d' % floor, want=200)
    p.close()
    return [m['text'] for m in r.json()['messages']]


def main():
    s = Suite()
    for fn in (kills, parents, places, restore):
        s.run_test(fn)
    s.end()


if __name__ == '__main__':
    main()
