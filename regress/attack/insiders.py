#!/usr/bin/env python3
"""A storage, keys, hash or auth that somebody else runs, in the whole daemon:
it is ended, the operator is told, another one serves, and people notice no
more of it than of an honest death."""

import base64
import collections
import hashlib
import os
import random
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from alone import siblings                                      # noqa: E402
from forge import Wire                                          # noqa: E402
from forged import FD_MARK, TYPES, imsg, n64, text              # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from places import WAYS                                         # noqa: E402
from risa import Daemon, Http, Person, until                    # noqa: E402
from trail import access_log                                    # noqa: E402

DEATHS = 4              # of a slot that a minute may have
KINDS = ('storage', 'keys', 'hash', 'auth')
MINTS = 50              # sign-ins of an auth before it is ended
ROUNDS = 20 if LONG else 3
DONE = collections.Counter()


class World:
    """Somebody who walks and writes all the while, and the next worker."""

    def __init__(self):
        self.d = d = Daemon(workers=2).start()
        self.deaths = collections.Counter()
        d.do('tenant', 'add', 'acme')
        d.floor('acme', 'One')
        with d.only_worker(1):
            self.w = d.person('acme', 'wit@acme.example', 'admin').open()
        self.w.enter(1)
        self.n = 0
        self.state = self.digest()

    def digest(self):
        d = self.d
        tenants = d.json('tenant', 'list')['tenants']
        for t in tenants:
            del t['bytes']              # words take room
        return [tenants] + [d.do(*words.split()) for words in (
            'user list acme', 'floor list acme', 'role list acme',
            'guest list acme', 'policy show acme')]

    def attend(self, what):
        """The same connection as ever: legs go on, words arrive."""
        w = self.w
        self.n += 1
        w.walk((300 + 100 * (self.n % 4), 600))
        m = w.insist('ack', t='say', to='floor', ref='n%d' % self.n,
                     text='word %d' % self.n)
        check(m['ref'] == 'n%d' % self.n, what + ': another word')
        equal(w.find('bye'), None, what + ': bye')

    def spend(self, slots):
        """These have died once more; a new daemon when that is too often."""
        for s in slots:
            self.deaths[s] += 1
        if max(self.deaths.values()) < DEATHS:
            return
        self.w.drop()
        self.d.restart()
        self.deaths.clear()
        self.w.http.close()
        with self.d.only_worker(1):
            self.w.retry('GET', '/session', None, 200)
            self.w.open()
        self.w.enter(1)

    def told(self, slot):
        """What the operator has been told of the deaths of the process."""
        # Some find the pipe closed before the signal comes.
        return [a for a in self.d.rows('show', 'alerts')
                if a['name'] == 'process-died' and any(
                    a['text'].startswith('%s %d ' % slot + how)
                    for how in ('was ended by signal 9', 'ended with code'))]


def offences(by, to, rnd):
    """(what, bytes, descriptors) that cost it its life."""
    foreign = rnd.choice([t for t in TYPES.values() if not t.may(to, by)])
    own = rnd.choice([t for t in TYPES.values() if t.may(to, by)])
    yield foreign.name, imsg(foreign.nr, 1, foreign.least), []
    yield own.name + ' and a byte', imsg(own.nr, 1, own.least + b'\0'), []
    if LONG:
        yield 'a length that lies', imsg(own.nr, 1, b'', 0x7fffffff), []
        yield 'two descriptors', imsg(TYPES['SHUTDOWN'].nr, 1, b'',
                                      mark=FD_MARK), [0, 0]
        for _ in range(20):
            t = rnd.choice([t for t in TYPES.values() if not t.may(to, by)])
            yield t.name, imsg(t.nr, 1, t.least), []


def handshake(w, n):
    """A connection to this worker, which needs keys for it."""
    with w.d.only_worker(n):
        try:
            with Http(w.d, 'acme', bound=2) as h:
                return h.request('GET', '/healthz').status == 200
        except OSError:
            return False


def offend(w, by, to, what, data, fds):
    d = w.d
    slot = (by, 0)
    pids = d.pids()
    seen = len(d.log())
    # A session that gets them is the one that nobody is on.
    with Wire(d, 0, to, 0, by) as wire:
        wire.raw(data, fds)
        what = '%s to %s: %s' % (by, to, what)
        if to == 'session':
            # It could lie: both get a new pipe, and that is all.
            if by == 'keys':
                handshake(w, 0)
            until(lambda: 'session 0 complains of %s 0' % by in
                  d.log()[seen:], what + ': the complaint')
    if to == 'session':
        equal(d.pids(), pids, what + ': processes')
        until(lambda: handshake(w, 0), what + ': it serves again')
        DONE['kept off'] += 1
    else:
        until(lambda: d.ctl('show', 'processes')[0] == 0 and all(
            p['up'] and p['pid'] != pids[slot] for p in d.processes()
            if (p['process'], p['number']) == slot), what + ': another one')
        equal({s: p for s, p in d.pids().items() if s != slot},
              {s: p for s, p in pids.items() if s != slot},
              what + ': the others')
        until(lambda: '%s 0: sent bad bytes' % by in d.log()[seen:],
              what + ': the log')
        until(lambda: w.told(slot), what + ': the alert')
        DONE['ended'] += 1
    w.attend(what)
    if to != 'session':
        w.spend([slot])


def places(w):
    """what is not theirs to send ends them, and the operator is told"""
    rnd = random.Random(17)
    ways = [(by, to) for by, to in WAYS + [(k, 'parent') for k in KINDS] + [
        ('keys', 'session')] if by in KINDS]
    equal(sorted({to for by, to in ways if by == 'keys'}), sorted(
        {p for p, _ in siblings('keys')} | {'parent'}), 'the peers of keys')
    todo = collections.defaultdict(list)
    for by, to in ways:
        for what, data, fds in offences(by, to, rnd):
            todo[by].append((to, what, data, fds))
    complaints = {}
    while any(todo.values()):
        for by in KINDS:
            if not todo[by]:
                continue
            to, what, data, fds = todo[by].pop(0)
            # A second complaint within the minute would end the session.
            if to == 'session' and complaints.get(by) is w.d.proc:
                w.deaths[('session', 0)] = DEATHS
                w.spend([('session', 0)])
            offend(w, by, to, what, data, fds)
            if to == 'session':
                complaints[by] = w.d.proc
    equal(w.digest(), w.state, 'what risactl shows')


def minted(w):
    """a sign-in that auth makes up is on record, even if it is ended at once"""
    d = w.d
    rnd = random.Random(19)
    p = d.person('acme', 'victim@acme.example')
    for r in range(ROUNDS):
        tokens = [rnd.randbytes(32) for _ in range(MINTS)]
        pids = d.pids()
        with Wire(d, 0, 'storage', 0, 'auth') as wire:
            for i, token in enumerate(tokens):
                body = struct.pack('>II', 1, p.id) + \
                    hashlib.sha256(token).digest() + \
                    n64(int(time.time() * 1000) + 3600000) + b'\0' + \
                    text('10.9.%d.%d' % (r, i)) + text('minted') + \
                    bytes(8) + b'\0' + struct.pack('>I', 0) + \
                    n64(0) + bytes(32) + bytes(8)
                wire.send('TOKEN_NEW', body)
            time.sleep(rnd.random() * 0.01)     # wherever it is by then
            os.kill(pids[('auth', 0)], signal.SIGKILL)
        until(lambda: d.ctl('show', 'processes')[0] == 0 and d.pids().get(
            ('auth', 0)) != pids[('auth', 0)], 'another auth')
        until(d.healthy, 'it serves')
        works = []
        for i, token in enumerate(tokens):
            q = Person(d, 'acme', p.mail)
            q.http.cookie = base64.urlsafe_b64encode(token).decode()[:43]
            if q.retry('GET', '/session', None).status == 200:
                works.append(i)
                if len(works) == 1:
                    seen = {s['agent'] + s['address']
                            for s in q.get('/signins')['signins']}
            q.close()
        addrs = {'10.9.%d.%d' % (r, i) for i in works}
        if works:
            missing = {a for a in addrs if 'minted' + a not in seen}
            equal(missing, set(), 'not among the own sign-ins')

        def logged():
            return addrs <= {e['address'] for e in access_log(d, 'acme')}
        until(logged, 'each one in the access log', 30)
        DONE['minted'] += len(tokens)
        DONE['worked'] += len(works)
        w.attend('after auth')
        w.spend([('auth', 0)])
    check(DONE['worked'] > 0, 'none of them was a sign-in')
    p.close()


def main():
    w = World()
    s = Suite(w.d)
    for fn in (places, minted):
        def one(fn=fn):
            fn(w)
        one.__doc__ = fn.__doc__
        one.__name__ = fn.__name__
        s.run_test(one, restarts=True)
    print('%d offenders ended and told of, %d kept off a session; %d '
          'sign-ins made up by auth, %d counted, each on record' % (
              DONE['ended'], DONE['kept off'], DONE['minted'],
              DONE['worked']))
    s.end()


if __name__ == '__main__':
    main()
