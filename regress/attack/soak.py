#!/usr/bin/env python3
"""Hours of mixed work with a process killed every now and then: nothing that
was acknowledged is lost, nothing grows.  The hour is for LONG=1; RISAD and
RISACTL name another build, as one with sanitizers."""

import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import risa                                                     # noqa: E402
from honest import Insistent, fds, idle_fds, rss                # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Closed, Daemon, Failure, Http, until           # noqa: E402

risa.RISAD = os.environ.get('RISAD', risa.RISAD)
risa.RISACTL = os.environ.get('RISACTL', risa.RISACTL)

PEOPLE = 40 if LONG else 8
WITH_KILLS = 3600 if LONG else 12       # seconds
EACH = 30 if LONG else 3                # seconds between two kills
CALM = 1800 if LONG else 6              # seconds in which nothing may grow
SAMPLE = 30 if LONG else 1
SAMPLES = 4                             # at least, to see a slope
SLOPE = 0.01                            # of the memory, an hour
SLACK = 1 << 20                         # bytes that are no slope
READ = 600 if LONG else 120             # seconds to read all of it again
BACK = 10                               # seconds for a process to be back


class Worker(threading.Thread):
    """Somebody who walks, writes, asks, and signs in again now and then."""

    def __init__(self, load, p, i):
        super().__init__(daemon=True)
        self.load, self.p, self.i = load, p, i
        self.acked = []                 # (number, text), acknowledged
        self.error = None

    def run(self):
        dice = random.Random(self.i)
        n = 0
        try:
            while not self.load.stop.is_set():
                n += 1
                text = 'w%d-%d' % (self.i, n)
                self.acked.append((self.p.insist_say(text), text))
                try:
                    self.p.leg(600 + dice.randrange(300),
                               400 + dice.randrange(400))
                    if n % 20 == 0:
                        self.p.api('GET', '/people')
                    if n % 50 == 0:
                        self.p.api('POST', '/session', {
                            'email': self.p.mail,
                            'password': self.p.password})
                    self.p.pull()
                    if n % 10 == 0:
                        self.p.drop()   # and is back with the next word
                except (OSError, Closed, Failure):
                    self.p.drop()
                self.p.inbox.clear()
                self.load.stop.wait(0.2 + dice.random() * 0.2)
        except Exception as e:          # told to the test below
            self.error = e


class Load:
    def __init__(self, d):
        self.d = d
        self.stop = threading.Event()
        d.do('tenant', 'add', 'acme')
        self.floor = d.floor('acme', 'One')
        self.workers = []
        for i in range(PEOPLE):
            p = d.person('acme', 'p%d@acme.example' % i)
            p.http.close()
            p.http.source = '127.0.5.%d' % (1 + i)
            self.workers.append(Worker(self, Insistent(p, self.floor), i))
        self.before = self.alone()
        for w in self.workers:
            w.start()
        until(lambda: all(w.acked for w in self.workers), 'all have begun')

    def alone(self):
        """Descriptors of each process, but databases, with nobody there."""
        until(lambda: not any(n for name, n in self.d.stats().items()
                              if name.endswith('.connections')),
              'all connections are closed')
        return {slot: len(names) for slot, (names, _) in
                idle_fds(self.d, self.d.pids()).items()}

    def well(self):
        for w in self.workers:
            check(w.error is None, '%s: %r' % (w.p.mail, w.error))

    def total(self):
        return sum(len(w.acked) for w in self.workers)

    def moves(self, seconds=60):
        """All have got something through since now."""
        marks = [len(w.acked) for w in self.workers]
        until(lambda: self.well() or all(
            len(w.acked) > n for w, n in zip(self.workers, marks)),
            'all go on', seconds)

    def end(self):
        self.stop.set()
        for w in self.workers:
            w.join(90)
        self.well()
        check(not any(w.is_alive() for w in self.workers), 'somebody waits')


def kills(load):
    """a process is killed every so often, and the work goes on"""
    d, dice = load.d, random.Random(20)
    end = time.monotonic() + WITH_KILLS
    slots = [s for s in sorted(d.pids()) if s[0] != 'parent']
    dead, worst = 0, 0
    while time.monotonic() < end or dead < len(slots):
        if dead % len(slots) == 0:
            dice.shuffle(slots)
        slot = slots[dead % len(slots)]
        pid = d.pids()[slot]
        begin = time.monotonic()
        os.kill(pid, signal.SIGKILL)

        def again():
            try:
                return [p for p in d.processes() if (
                    p['process'], p['number']) == slot and
                    p['pid'] not in (0, pid)]
            except Failure:
                return None             # auth itself, or who it asks
        until(again, '%s is back' % (slot,), BACK)
        dead += 1
        load.moves()
        worst = max(worst, time.monotonic() - begin)
        rest = begin + EACH - time.monotonic()
        if rest > 0:
            time.sleep(rest)
    print('%d kills, after each all %d people went on within %.1f s; %d '
          'messages acknowledged' % (dead, PEOPLE, worst, load.total()))


def slope(samples):
    """Bytes an hour, by least squares over (seconds, bytes)."""
    n = len(samples)
    mx = sum(x for x, _ in samples) / n
    my = sum(y for _, y in samples) / n
    down = sum((x - mx) ** 2 for x, _ in samples)
    return 3600 * sum((x - mx) * (y - my) for x, y in samples) / down


def grows(load):
    """undisturbed, no process grows"""
    d = load.d
    # The first backup of a storage takes memory once, whenever it comes.
    d.do('backup', 'now')
    d.do('backup', 'verify')
    pids = d.pids()
    begin = time.monotonic()
    samples = {slot: [] for slot in pids}
    counts = {slot: [] for slot in pids}
    while time.monotonic() < begin + CALM or len(samples[
            ('parent', 0)]) < SAMPLES:
        load.well()
        at = time.monotonic() - begin
        if at > CALM / 5:               # what is allocated once
            for slot, pid in pids.items():
                samples[slot].append((at, rss(pid)))
                counts[slot].append(fds(pid))
        time.sleep(SAMPLE)
    equal(d.pids(), pids, 'processes')
    for slot, points in sorted(samples.items()):
        rate = slope(points)
        mean = sum(y for _, y in points) / len(points)
        over = rate * CALM / 3600
        half = len(counts[slot]) // 2
        first, last = max(counts[slot][:half]), max(counts[slot][half:])
        print('%-8s %d: %6.1f MB, %+.2f %% in %d s, descriptors %d to %d' % (
            slot + (mean / 1e6, 100 * over / mean, CALM, first, last)))
        # Seconds say nothing of an hour: then only what is gross.
        check(over < max(SLACK, mean * SLOPE * CALM / 3600) if LONG else
              over < 4 * SLACK, '%s grows by %d bytes' % (slot, over))
        # In seconds, those who come back may all come to the same worker.
        check(not LONG or last <= first + 2, '%s: descriptors, from %d to %d' %
              (slot, first, last))


def closed(load):
    """when all have gone, each process has the descriptors it began with"""
    load.end()
    for w in load.workers:
        w.p.drop()
        w.p.http.close()
    now = {}

    def same():
        now.update(load.alone())
        return now == load.before
    try:
        until(same, 'descriptors')
    except Failure as e:
        raise Failure('%s: %r, now %r' % (e, load.before, now)) from None
    print('%d descriptors in %d processes, before and after' % (
        sum(now.values()), len(now)))


def kept(load):
    """what was acknowledged is there, once, under its number"""
    with Http(load.d) as h:
        p = load.workers[0].p
        h.cookie = p.http.cookie
        r = None
        found, before = {}, None
        end = time.monotonic() + READ
        while True:
            check(time.monotonic() < end, 'it can not be read: %r' % r)
            path = '/api/v1/messages?channel=floor:%d&limit=100' % load.floor
            if before is not None:
                path += '&before=%d' % before
            r = h.request('GET', path)
            if r.status == 401:
                p.sign_in()
                h.cookie = p.http.cookie
                continue
            if r.status in (429, 503):
                time.sleep(1)
                continue
            equal(r.status, 200, path)
            o = r.json()
            for m in o['messages']:
                check(m['id'] not in found, 'twice: %r' % m)
                found[m['id']] = m['text']
            if not o['more']:
                break
            before = min(m['id'] for m in o['messages'])
    texts = list(found.values())
    equal(len(texts), len(set(texts)), 'written twice')
    for w in load.workers:
        for ident, text in w.acked:
            equal(found.get(ident), text, 'message %d' % ident)
        numbers = [i for i, _ in w.acked]
        equal(numbers, sorted(numbers), 'order')
    print('%d messages acknowledged, %d kept, none lost, none twice' % (
        load.total(), len(found)))
    load.d.do('audit', 'verify')


def main():
    d = Daemon(workers=2, more='password hash memory 8 passes 1\n').start()
    s = Suite(d)
    load = Load(d)
    s.run_test(kills, load, restarts=True)
    s.run_test(grows, load)
    s.run_test(closed, load)
    s.run_test(kept, load)
    load.stop.set()
    s.end()


if __name__ == '__main__':
    main()
