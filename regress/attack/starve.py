#!/usr/bin/env python3
"""Out of descriptors, in each process: who is in goes on, who comes is told
or waits, nothing spins, and all is as before when there are some again."""

import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import Honest, cpu, fds, percentile                 # noqa: E402
from lib import LONG, Suite, check, equal, within               # noqa: E402
from risa import BOUND, Daemon, Failure, Http, alive, until     # noqa: E402

SPIN = 0.05             # of a processor, beside what the honest cost
SPINS = 0.8             # of a processor is wanted: that is no work
WATCH = 10 if LONG else 2
AT_ONCE = 6             # seconds; who says nothing is served for ten
CHEAP = 'password hash memory 8 passes 1\n'


class Starved:
    """While this lasts, a process gets only so many descriptors more."""

    def __init__(self, pid, more):
        self.pid = pid
        self.more = more

    def limit(self, n):
        """As its own user: another's limits are not everybody's to set."""
        with open('/proc/%d/status' % self.pid) as f:
            ids = dict(line.split(':\t', 1) for line in f)
        subprocess.run(
            ['prlimit', '--pid', str(self.pid), '--nofile=%d:' % n],
            check=True, user=int(ids['Uid'].split()[0]),
            group=int(ids['Gid'].split()[0]), extra_groups=[])

    def __enter__(self):
        with open('/proc/%d/limits' % self.pid) as f:
            self.was = [int(line.split()[3]) for line in f
                        if line.startswith('Max open files')][0]
        taken = {int(n) for n in os.listdir('/proc/%d/fd' % self.pid)}
        free = [n for n in range(self.was) if n not in taken]
        self.limit(free[self.more])
        return self

    def __exit__(self, *what):
        if alive(self.pid):
            self.limit(self.was)


def wanted(pid):
    """Seconds in which it has had a processor, or waited for one."""
    with open('/proc/%d/schedstat' % pid) as f:
        run, wait, _ = f.read().split()
    return (int(run) + int(wait)) / 1e9


def used(pid, seconds):
    """The share of a processor that it takes in that time.

    Who spins wants one all the time, however many others there are."""
    try:
        begin, before, first = time.monotonic(), cpu(pid), wanted(pid)
        time.sleep(seconds)
        took = time.monotonic() - begin
        share = (wanted(pid) - first) / took
        used = (cpu(pid) - before) / took
    except (FileNotFoundError, ProcessLookupError):
        raise Failure('the process has died')
    check(share < SPINS, 'it spins: it wants %.0f %% of a processor' % (
        100 * share))
    return used


def session(d, f):
    """session: those in go on, others are sent away at once, none spins"""
    pid = d.pids()[('session', 0)]
    before = fds(pid)
    idle = used(pid, WATCH)
    queue = []
    f.honest.inside = True
    f.honest.during(0.5)
    with Starved(pid, 10):
        for _ in range(12):
            s = socket.create_connection(('127.0.0.1', d.port), BOUND)
            queue.append(s)

        def sent_away():
            s = socket.create_connection(('127.0.0.1', d.port), BOUND)
            s.settimeout(AT_ONCE)
            try:
                return s.recv(1) == b''
            except ConnectionResetError:
                return True
            except TimeoutError:
                return False
            finally:
                s.close()
        check(sent_away(), 'somebody waits')
        # More than is taken off the kernel's queue in this time wait there.
        for _ in range(100):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(('127.0.0.1', d.port))
            queue.append(s)
        busy = used(pid, WATCH)
        times = f.honest.during(1)
        check(d.stats()['session.0.crowded'] > 0, 'not counted')
    print('session: %.1f %% of a processor idle, %.1f %% starved; the '
          'honest waited %.0f ms (p99)' % (100 * idle, 100 * busy,
                                           1000 * percentile(times, 0.99)))
    check(busy < idle + SPIN, 'it spins: %.0f %%' % (100 * busy))
    for s in queue:
        s.close()
    until(d.healthy, 'it takes in others again')
    f.honest.inside = False
    until(lambda: fds(pid) <= before, 'descriptors: %d, now %d' % (
        before, fds(pid)), 30)


def auth(d, f):
    """auth: risactl waits or is refused, sign-ins go on, none spins"""
    pid = d.pids()[('auth', 0)]
    before = fds(pid)
    clients = []
    with Starved(pid, 2):
        for _ in range(8):
            c = socket.socket(socket.AF_UNIX)
            c.settimeout(BOUND)
            c.connect(d.path('risad.sock'))
            clients.append(c)
        # For a while: then it leaves those who say nothing.
        until(lambda: fds(pid) == before + 2, 'it takes those it can')
        busy = used(pid, WATCH)
        check(fds(pid) <= before + 2, 'it has more than it may')
        f.honest.during(1)
    for c in clients:
        c.close()
    check(busy < 2 * SPIN, 'it spins: %.0f %%' % (100 * busy))
    until(lambda: d.ctl('show', 'status')[0] == 0, 'risactl again')
    until(lambda: fds(pid) <= before, 'descriptors: %d, now %d' % (
        before, fds(pid)))
    print('auth: %.1f %% of a processor starved' % (100 * busy))


def storage(d, f):
    """storage: what is open goes on, what needs another file is refused"""
    old = d.pids()[('storage', 0)]
    f.honest.end()
    os.kill(old, signal.SIGKILL)
    until(lambda: d.pids().get(('storage', 0)) not in (None, old), 'back')
    pid = d.pids()[('storage', 0)]
    for q in (f.a, f.b):
        until(lambda: q.api('GET', '/floors').status == 200, 'acme is open')
    honest = Honest(d, f.a, f.b, f.floor)
    honest.during(0.5)
    idle = used(pid, WATCH)
    with Starved(pid, 0):
        code, _, err = d.ctl('tenant', 'add', 'late')
        equal(code, 1, 'a tenant whose file cannot be made')
        check(err.strip(), 'no reason')
        busy = used(pid, WATCH)
        honest.during(1)
        equal(d.pids()[('storage', 0)], pid, 'storage has died')
    check(busy < idle + 2 * SPIN, 'it spins: %.0f %%' % (100 * busy))
    print('storage: %.1f %% of a processor starved; a tenant: %s' % (
        100 * busy, err.strip()))
    d.do('tenant', 'add', 'late')
    d.person('late', 'eve@late.example').close()
    honest.end()
    equal(d.pids()[('storage', 0)], pid, 'storage has died')


def parent(d, f):
    """parent: a reload is refused, and a child that dies comes back later"""
    pids = d.pids()
    pid = pids[('parent', 0)]
    with Starved(pid, 0):
        code, _, err = d.ctl('reload')
        equal(code, 1, 'reload')
        check(err.strip(), 'no reason')
        f.honest.inside = True
        f.honest.during(0.5)
        os.kill(pids[('hash', 0)], signal.SIGKILL)
        busy = used(pid, WATCH)
        equal(d.proc.poll(), None, 'the daemon has stopped')
        f.honest.during(0.5)
    check(busy < SPIN, 'it spins: %.0f %%' % (100 * busy))

    def again():
        now = d.pids().get(('hash', 0))
        return now not in (None, 0, pids[('hash', 0)])
    until(again, 'hash is back')
    f.honest.inside = False
    f.honest.patient = True
    with Http(d) as h:
        until(lambda: h.request('POST', '/api/v1/session', {
            'email': f.a.mail, 'password': f.a.password}).status == 201,
            'sign-in')
    d.do('reload')
    print('parent: %.1f %% of a processor starved; reload: %s' % (
        100 * busy, err.strip()))


def small():
    """with few descriptors from the start, who is too much is told 503"""
    d = Daemon(more=CHEAP)
    d.wrap = ['prlimit', '--nofile=200:200']
    held = []
    try:
        d.start()
        d.do('tenant', 'add', 'acme')
        p = d.person('acme', 'ann@acme.example').open()
        codes = []
        for i in range(120):
            h = Http(d, source='127.0.9.1')
            codes.append(h.request('GET', '/healthz').status)
            held.append(h)
        served = codes.count(200)
        within(served, 50, 90, 'are served')
        equal(codes, [200] * served + [503] * (120 - served), 'in order')
        p.settle()
        for h in held[:20]:
            h.close()
        with Http(d) as h:
            until(lambda: h.request('GET', '/healthz').status == 200,
                  'there is room again')
        print('of 200 descriptors %d connections are served' % served)
        equal(d.stop(), 0, 'exit code')
    finally:
        for h in held:
            h.close()
        d.end()


class Floor:
    def __init__(self, d):
        self.a, self.b = (d.person('acme', n + '@acme.example')
                          for n in ('ann', 'bob'))
        self.floor = d.floor('acme', 'One')
        self.honest = Honest(d, self.a, self.b, self.floor)


def main():
    d = Daemon(more=CHEAP).start()
    d.do('tenant', 'add', 'acme')
    f = Floor(d)
    s = Suite(d)
    s.run_test(session, d, f)
    s.run_test(auth, d, f)
    s.run_test(parent, d, f, restarts=True)
    s.run_test(storage, d, f, restarts=True)
    s.run_test(small)
    s.end()


if __name__ == '__main__':
    main()
