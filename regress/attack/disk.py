#!/usr/bin/env python3
"""A disk that fails, is full, or is slow: an error for who asked, nothing that
was acknowledged is lost, and all others go on."""

import os
import shutil
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from disk import Disk, Inject, prepare                          # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, Failure, Person, until                 # noqa: E402

CALLS = ('fdatasync', 'pwrite64')
MOST = 400 if LONG else 60      # calls that may fail, at most
LASTING = 20 if LONG else 3
FULL = 50 if LONG else 5
SLOW = 10 if LONG else 1
STEPS = 200 if LONG else 60


class Office:
    """Two tenants, somebody in each, and an administrator of one."""

    def __init__(self, megabytes=0):
        self.d = d = Daemon(workers=2,
                            more='password hash memory 64 passes 1\n')
        self.disk = None
        if megabytes:
            self.disk = Disk(d.path('disk'), d.path('data'), megabytes).on()
            shutil.chown(d.path('data'), '_risastor')
            os.chmod(d.path('data'), 0o700)
        d.start()
        self.people = {}
        self.floors = {}
        for t in ('acme', 'globex'):
            d.do('tenant', 'add', t)
            self.floors[t] = d.floor(t, 'F')
            p = d.person(t, 'ann@%s.example' % t, 'admin')
            p.open().enter(self.floors[t])
            self.people[t] = p
        self.said = {t: {} for t in self.people}
        self.n = self.steps = 0

    def storage(self):
        return self.d.pids()[('storage', 0)]

    def say(self, tenant):
        """Once; is it acknowledged?"""
        self.n += 1
        p, text, ref = self.people[tenant], 'text %d' % self.n, 'f%d' % self.n
        p.tell(t='say', to='floor', text=text, ref=ref)
        m = answer(p, ref)
        if m['t'] == 'ack':
            self.said[tenant][text] = m['id']
        return text, ref, m['t'] == 'ack'

    def insist(self, tenant, text, ref):
        """The same again until it is acknowledged."""
        p = self.people[tenant]
        m = p.insist('ack', t='say', to='floor', text=text, ref=ref)
        self.said[tenant][text] = m['id']

    def check(self):
        """Each acknowledged word once, and no word twice."""
        for t, p in self.people.items():
            got, before = [], ''
            while True:
                r = p.retry('GET', '/messages?channel=floor:%d&limit=100%s' %
                            (self.floors[t], before), want=200).json()
                got = r['messages'] + got
                if not r['more']:
                    break
                before = '&before=%d' % got[0]['id']
            texts = [m['text'] for m in got]
            equal(len(texts), len(set(texts)), '%s: doubled' % t)
            there = {m['text']: m['id'] for m in got}
            lost = [x for x, i in self.said[t].items() if there.get(x) != i]
            check(not lost, '%s: lost %r' % (t, lost))

    def walks(self):
        """Somebody takes a step, and is seen to take it."""
        p = self.people['globex']
        self.steps += 1
        x = 300 + 40 * (self.steps % 10)
        begun = time.monotonic()
        p.leg(x, 800)
        p.sees(lambda: p.at(p.you, x, 800), 'a step')
        return time.monotonic() - begun

    def end(self):
        self.d.end()
        if self.disk is not None:
            self.disk.off()


def answer(p, ref):
    """The ack or the error of a word."""
    def come():
        p.pull(0.1)
        return p.find('ack', lambda m: m['ref'] == ref) or \
            p.find('error', lambda m: m.get('ref') == ref)
    return until(come, 'an answer to %s' % ref)


def nth():
    """the Nth write or fsync of storage fails, N = 1, 2, 3 ... until one run
    passes untouched"""
    o = Office()
    try:
        for call in CALLS:
            begun, refused = time.monotonic(), 0
            for n in range(1, MOST + 1):
                hits, words = failing(o, call, n)
                refused += sum(not ok for _, _, ok in words)
                if hits == 0:
                    break
            else:
                raise Failure('%s: it does not pass after %d' % (call, MOST))
            check(refused > 0, '%s: nothing was refused' % call)
            print('%-22s failed at N = 1..%d: %d of %d words refused, then '
                  'there once (%.0f s)' % (call, n - 1, refused, 3 * n,
                                           time.monotonic() - begun))
        o.check()
        code, out, err = o.d.ctl('audit', 'verify')
        equal(code, 0, out + err)
    finally:
        o.end()


def failing(o, call, n):
    """One run: how many calls failed, and the words with their fate."""
    admin, pid = o.people['acme'], o.storage()
    name = '%s %d' % (call, n)
    with Inject(pid, '%s:error=EIO:when=%d' % (call, n)) as fault:
        words = [o.say('acme')]
        code = admin.api('POST', '/admin/groups', {'name': name}).status
        words.append(o.say('acme'))
        other = o.say('globex')
    equal(o.storage(), pid, 'storage goes on')
    for text, ref, ok in words:
        if not ok:
            o.insist('acme', text, ref)
    if not other[2]:
        o.insist('globex', *other[:2])
    check(code in (201, 503), 'a group: %d' % code)
    there = [g for g in admin.retry('GET', '/admin/groups',
                                    want=200).json()['groups']
             if g['name'] == name]
    check(len(there) == 1 if code == 201 else len(there) <= 1,
          '%s: %d, %d times' % (name, code, len(there)))
    for g in there:
        admin.retry('DELETE', '/admin/groups/%d' % g['id'])
    return fault.hits, words + [other]


def files(o, tenant):
    """The files of a tenant that change when somebody writes."""
    n = o.d.json('tenant', 'show', tenant)['tenant']['id']
    top = o.d.path('data', 'tenants', str(n), 'main.db')
    return [top, top + '-wal']


def lasting():
    """no write of one tenant succeeds for a while: errors, and it can be
    read; others go on, and so does it when that has ended"""
    o = Office()
    try:
        pid, took = o.storage(), []
        for i in range(LASTING):
            mine = o.people['acme']
            with Inject(pid, 'fdatasync:error=EIO', 'pwrite64:error=EIO',
                        files=files(o, 'acme')):
                words = []
                for _ in range(5):
                    words.append(o.say('acme'))
                    check(not words[-1][2], 'acknowledged: %r' % words[-1][0])
                    check(o.say('globex')[2], 'another tenant waits')
                    equal(mine.api('GET', '/messages?channel=floor:%d' %
                                   o.floors['acme']).status, 200, 'reading')
                o.walks()
                equal(mine.api('GET', '/floors').status, 200, 'its floors')
            begun = time.monotonic()
            for text, ref, _ in words:
                o.insist('acme', text, ref)
            took.append(time.monotonic() - begun)
        equal(o.storage(), pid, 'storage goes on')
        o.check()
        equal(o.d.ctl('audit', 'verify')[0], 0, 'trails')
        print('%d times no write: written again after %.2f s at most' % (
            LASTING, max(took)))
    finally:
        o.end()


def full():
    """the disk is full: errors, reading and walking go on; room again, and
    so does writing"""
    o = Office(megabytes=16)
    try:
        pid, took = o.storage(), []
        for i in range(FULL):
            filler = o.disk.fill()
            words = []

            def refused():
                words.append(o.say('acme'))
                return not words[-1][2]
            until(refused, 'the disk is full', 60)
            for _ in range(3):
                words.append(o.say('acme'))
                for t in o.people:
                    p = o.people[t]
                    equal(p.api('GET', '/messages?channel=floor:%d' %
                                o.floors[t]).status, 200, 'reading')
                    equal(p.api('GET', '/floors').status, 200, 'floors')
                o.walks()
            os.unlink(filler)
            begun = time.monotonic()
            for text, ref, ok in words:
                if not ok:
                    o.insist('acme', text, ref)
            took.append(time.monotonic() - begun)
            until(lambda: o.say('globex')[2], 'the other tenant too')
        equal(o.storage(), pid, 'storage goes on')
        o.check()
        equal(o.d.ctl('audit', 'verify')[0], 0, 'trails')
        print('%d times full: written again %.2f s after there was room '
              '(median), %.2f s at most' % (FULL, statistics.median(took),
                                            max(took)))
        check(statistics.median(took) < 5, 'too slow')
    finally:
        o.end()


def slow():
    """each write of storage takes 200 ms: chat and sign-in wait for it,
    walking does not"""
    o = Office()
    try:
        pid = o.storage()
        for _ in range(SLOW):
            quick = sorted(o.walks() for _ in range(STEPS))
            said = [timed(lambda: o.say('acme')) for _ in range(5)]
            signed = [timed(lambda: signs_in(o))]
            with Inject(pid, 'fdatasync:delay_enter=200000'):
                late, steps, end = [], [], threading.Event()

                def chat():
                    while not end.is_set():
                        late.append(timed(lambda: o.say('acme')))
                t = threading.Thread(target=chat)
                t.start()
                while len(steps) < STEPS or len(late) < 3:
                    steps.append(o.walks())
                end.set()
                t.join()
                signed.append(timed(lambda: signs_in(o)))
            steps.sort()
            print('a word: %.0f ms, and %.0f ms while a write takes 200 ms; '
                  'a step, p50 and p99: %.1f, %.1f ms before, %.1f, %.1f ms '
                  'then' % (tuple(1e3 * x for x in (
                      statistics.median(said), statistics.median(late))) +
                      tuple(1e3 * x[i] for x in (quick, steps)
                            for i in (len(x) // 2, len(x) * 99 // 100))))
            print('signing in: %.0f ms, and %.0f ms then' % tuple(
                1e3 * x for x in signed))
            check(min(late) > 0.19, 'chat did not wait for the disk')
            check(statistics.median(steps) < 0.1, 'walking waits')
    finally:
        o.end()


def signs_in(o):
    p = Person(o.d, 'acme', 'ann@acme.example')
    p.sign_in()
    p.close()


def timed(fn):
    begun = time.monotonic()
    fn()
    return time.monotonic() - begun


def main():
    prepare()
    s = Suite()
    for fn in (nth, lasting, full, slow):
        s.run_test(fn)
    s.end()


if __name__ == '__main__':
    main()
