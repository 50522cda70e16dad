#!/usr/bin/env python3
"""Processes are killed: they come back, nothing acknowledged is lost, what
the others hold goes on."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from disk import Inject                                         # noqa: E402
from honest import idle_fds                                     # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import Closed, Daemon, Failure, Person, alive, until  # noqa: E402

SLOTS = (('keys', 0), ('hash', 0), ('auth', 0), ('storage', 0),
         ('session', 0), ('session', 1))
worst = [0.0, '']


def kill(d, slot):
    """Kill it and wait until another one runs in its place."""
    pid = d.pids()[slot]
    start = time.monotonic()
    os.kill(pid, signal.SIGKILL)

    def back():
        for p in d.processes():
            if (p['process'], p['number']) == slot:
                return p['up'] and p['pid'] != pid
        return False

    def asked():
        # risactl is answered by auth: while that is away, it fails.
        try:
            return back()
        except Failure:
            return False
    until(asked, '%s is back' % slot[0])
    took = time.monotonic() - start
    if took > worst[0]:
        worst[:] = took, slot[0]


def signs_in(d, mail):
    """Somebody may sign in, at the latest when all is back."""
    p = Person(d, 'acme', mail)

    def tries():
        try:
            r = p.api('POST', '/session', {'email': mail,
                                           'password': p.password})
        except (OSError, Closed):
            p.http.close()
            return None
        check(r.status in (201, 503, 429), 'sign-in: %r' % r)
        return r.status == 201
    until(tries, 'signing in')
    p.close()


def rejoin(p, floor, worker):
    """The page's way back: open again until it works, enter again."""
    def tries():
        try:
            return p.open_on(worker)
        except (OSError, Closed):
            return None
        except Failure as e:
            check('401' not in str(e), e)
            return None
    until(tries, '%s is back' % p.mail)
    p.insist('floor', t='enter', floor=floor)


def office(d):
    floor = d.floor('acme', 'F%d' % time.monotonic_ns())
    people = []
    for i, name in enumerate(('ann', 'bob')):
        mail = '%s%d@acme.example' % (name, time.monotonic_ns())
        p = d.person('acme', mail).open_on(i)
        p.enter(floor)
        people.append(p)
    a, b = people
    a.sees(lambda: len(a.avatars) == 2, 'bob')
    return floor, a, b


def kept(d):
    """Wait until nothing changes in storage any more: places are kept.

    That takes a second from the last step."""
    seen = {'n': -1, 'since': 0.0}

    def still():
        n = d.stats()['storage.commits']
        if n != seen['n']:
            seen.update(n=n, since=time.monotonic())
        return time.monotonic() - seen['since'] > 2.5
    until(still, 'storage is quiet')


def each(d):
    """each process is killed in turn: others' pages go on, service is back"""
    floor, a, b = office(d)
    spots = ((600, 500), (650, 550), (700, 600), (600, 600), (650, 500),
             (700, 500))
    for i, slot in enumerate(SLOTS):
        ack = a.say('before %s %d' % slot)
        b.hears('before %s %d' % slot)
        a.walk((400 + 10 * i, 800))
        spot = a.spot
        kept(d)
        kill(d, slot)
        hit = {('session', 0): a, ('session', 1): b}.get(slot)
        other = b if hit is a else a
        # Whoever was not on it walks on, at once, on the same connection.
        other.walk(spots[i])
        other.settle()
        if hit is not None:
            other.wait('gone', lambda m: m['user'] == hit.id)
            rejoin(hit, floor, slot[1])
            if hit is a:
                check(abs(a.spot[0] - spot[0]) < 3 and
                      abs(a.spot[1] - spot[1]) < 3,
                      'the place: %r, was %r' % (a.spot, spot))
            them = [n for n, v in hit.avatars.items()
                    if v.get('user') == other.id][0]
            hit.sees(lambda: hit.at(them, *spots[i]), 'where the other is')
        h = a.insist('history', t='history', channel='floor:%d' % floor,
                     limit=100)
        equal([m['id'] for m in h['messages']
               if m['text'] == 'before %s %d' % slot], [ack['id']],
              'said before, once')
        text = 'after %s %d' % slot
        a.insist('ack', t='say', to='floor', text=text,
                 ref='after-%s-%d' % slot)
        b.hears(text)
        signs_in(d, a.mail)
        check(d.healthy(), 'does not serve')
    a.close()
    b.close()


def load(d):
    """words under way while processes die: every acknowledged one once"""
    floor, a, b = office(d)
    acked, sent, ids = {}, 0, {}

    def pump(n):
        nonlocal sent
        waiting = {}
        for _ in range(n):
            ref = 'load-%d' % sent
            waiting[ref] = 'text %d' % sent
            sent += 1
        while waiting:
            try:
                for ref, text in list(waiting.items())[:8]:
                    a.tell(t='say', to='floor', text=text, ref=ref)
                a.pull(0.2)
            except (OSError, Closed):
                rejoin(a, floor, 0)
            for m in a.inbox:
                if m['t'] == 'ack' and m['ref'] in waiting:
                    acked[m['ref']] = m['id']
                    ids.setdefault(m['id'], waiting.pop(m['ref']))
            a.inbox = []
    for slot in (('storage', 0), ('auth', 0), ('session', 0),
                 ('storage', 0)):
        pump(6)
        for i in range(6):
            a.tell(t='say', to='floor', text='text %d' % (sent + i),
                   ref='load-%d' % (sent + i))
        os.kill(d.pids()[slot], signal.SIGKILL)
        pump(12)
    got, before = [], 0
    while True:
        q = {'t': 'history', 'channel': 'floor:%d' % floor, 'limit': 100}
        if before:
            q['before'] = before
        h = b.insist('history', **q)
        got = h['messages'] + got
        if not h['more']:
            break
        before = h['messages'][0]['id']
    equal(len({m['id'] for m in got}), len(got), 'numbers')
    texts = [m['text'] for m in got]
    equal(sorted(texts), sorted(set(texts)), 'doubled')
    equal({m['id']: m['text'] for m in got if m['id'] in ids}, ids,
          'acknowledged words')
    equal(len(acked), sent, 'acknowledged')
    a.close()
    b.close()


def descriptors(d):
    """descriptors of those that live are as many after the deaths as before"""
    def fds():
        got = {}
        for slot, (names, files) in idle_fds(d, d.pids()).items():
            check(len(files) == len(set(files)), 'opened twice: %r' % files)
            got[slot] = len(names)
        return got
    until(lambda: not any(n for name, n in d.stats().items()
                          if name.endswith('.connections')),
          'all connections are closed')
    before = fds()
    for slot in (('keys', 0), ('hash', 0), ('session', 1)):
        kill(d, slot)
    until(lambda: fds() == before, 'descriptors: %r, then %r' % (before,
                                                                 fds()))


def starting(d, slot):
    """Kill it; the pid of the next one, stopped while it starts."""
    old = set(d.pids().values())
    pid, new = d.pids()[slot], set()
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while not new:                      # at once: it starts quickly
        check(time.monotonic() < end, '%s is not started' % slot[0])
        with open('/proc/%d/task/%d/children' % (d.proc.pid,
                                                 d.proc.pid)) as f:
            new = set(map(int, f.read().split())) - old
    os.kill(new.copy().pop(), signal.SIGSTOP)
    return new.pop()


def joining():
    """a reload while a process starts waits for it: it is refused, or in
    force everywhere"""
    d = Daemon(workers=1).start()
    try:
        d.do('tenant', 'add', 'acme')
        d.person('acme', 'ann@acme.example').close()
        d.make_cert('other')
        good = d.conf()
        bad = good.replace(d.path('tls.crt'), d.path('other.crt'))
        for title in ('storage', 'session', 'auth', 'hash'):
            for text, say in ((bad, 'parent: configuration: keys: '),
                              (good, 'parent: configuration reloaded')):
                d.write_conf(text)
                mark = len(d.log())
                new = starting(d, (title, 0))
                d.proc.send_signal(signal.SIGHUP)
                # Were it offered to all at once, the others would refuse.
                end = time.monotonic() + 2
                until(lambda: 'parent: reload: ' in d.log()[mark:] or
                      time.monotonic() > end, 'it has been read')
                os.kill(new, signal.SIGCONT)
                until(lambda: say in d.log()[mark:], (title, say))
                until(lambda: d.ctl('tenant', 'show', 'acme')[0] == 0,
                      '%s: risactl is answered' % title)
                signs_in(d, 'ann@acme.example')
                check(d.healthy(), '%s: does not serve' % title)
                equal(d.pids()[(title, 0)], new, '%s lives' % title)
    finally:
        d.end()


def hopeless():
    """the fifth death of one slot within a minute ends the daemon"""
    for slot in (('hash', 0), ('session', 1)):
        d = Daemon(workers=2).start()
        try:
            pids = d.pids()
            for _ in range(4):
                kill(d, slot)
                pids.update(d.pids())
            equal(d.proc.poll(), None, 'ended too early')
            os.kill(d.pids()[slot], signal.SIGKILL)
            code = d.wait_exit()
            check(code not in (0, -signal.SIGKILL), 'exit code %d' % code)
            check('again and again' in d.log(), 'no reason in the log')
            until(lambda: not any(alive(p) for p in pids.values()),
                  'no process is left')
            check(not os.path.exists(d.path('risad.sock')), 'the socket')
            d.start()
            equal(d.stop(), 0, 'and it can be started again')
        finally:
            d.end()


def parent():
    """the parent is killed: all children end, a new daemon has all data"""
    d = Daemon(workers=2).start()
    try:
        d.do('tenant', 'add', 'acme')
        floor = d.floor('acme', 'F')
        p = d.person('acme', 'ann@acme.example').open()
        p.enter(floor)
        ack = p.say('before the end')
        pids = d.pids()
        d.proc.kill()
        d.wait_exit()
        until(lambda: not any(alive(pid) for pid in pids.values()),
              'children are gone')
        d.start()
        p.drop()
        p.http.close()
        p.retry('GET', '/session', want=200)
        p.open()
        p.enter(floor)
        equal([m['id'] for m in p.history('floor:%d' % floor)['messages']],
              [ack['id']], 'history')
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def quiet_end():
    """SIGTERM in the middle of a restart of a child ends it all the same"""
    for slot in (('storage', 0), ('session', 0), ('auth', 0)):
        d = Daemon().start()
        try:
            pids = d.pids()
            os.kill(pids[slot], signal.SIGKILL)
            d.proc.terminate()
            code = d.wait_exit()
            equal(code, 0, slot)
            until(lambda: not any(alive(p) for p in pids.values()),
                  'children are gone')
        finally:
            d.end()


def hangs():
    """SIGTERM while one hangs: it alone is killed, and the exit code says so
    """
    for slot in (('session', 1), ('hash', 0)):
        d = Daemon(workers=2).start()
        try:
            d.do('tenant', 'add', 'acme')
            pids = d.pids()
            mark = len(d.log())
            os.kill(pids[slot], signal.SIGSTOP)
            d.proc.terminate()
            equal(d.wait_exit(), 1, slot)
            until(lambda: not any(alive(p) for p in pids.values()),
                  'children are gone')
            killed = [x for x in d.log()[mark:].splitlines()
                      if 'does not stop' in x or 'by signal' in x]
            equal(killed, ['parent: %s %d: does not stop, killed' % slot,
                           'parent: %s %d: ended by signal 9' % slot], slot)
            d.start()
            check('acme' in d.do('tenant', 'list'), 'what was kept')
            equal(d.stop(), 0, 'and it ends')
        finally:
            d.end()


def slow_end():
    """SIGTERM while the disk is slow: storage ends as ever, which takes long
    """
    d = Daemon(more='password hash memory 64 passes 1\n').start()
    try:
        tenants = ['t%d' % i for i in range(8)]
        for name in tenants:
            d.do('tenant', 'add', name)
            d.do('user', 'add', name, 'ann@x.example')
        mark = len(d.log())
        with Inject(d.pids()[('storage', 0)], 'fdatasync:delay_enter=200000',
                    'fsync:delay_enter=200000') as disk:
            equal(d.stop(), 0, 'exit code')
        check(disk.hits > 15, 'it was not slow: %d' % disk.hits)
        check('does not stop' not in d.log()[mark:], 'killed')
        for name in tenants:
            left = d.path('data', 'tenants', str(1 + tenants.index(name)),
                          'main.db-wal')
            check(not os.path.exists(left), name + ': its log is left')
        d.start()
        equal(d.ctl('audit', 'verify')[0], 0, 'trails')
        equal(d.stop(), 0, 'and it ends')
    finally:
        d.end()


def main():
    s = Suite()
    for fn in (each, load, descriptors):
        d = Daemon(workers=2).start()
        d.do('tenant', 'add', 'acme')
        s.daemon, s.pids = d, d.pids()
        s.run_test(fn, d, restarts=True)
        s.daemon = None
        d.end()
    for fn in (joining, hopeless, parent, quiet_end, hangs, slow_end):
        s.run_test(fn)
    print('the slowest to be back: %s, %.2f s' % (worst[1], worst[0]))
    s.end()


if __name__ == '__main__':
    main()
