#!/usr/bin/env python3
"""Guessing: delays, locks, known devices, lists of accounts, and alerts."""

import os
import signal
import sys
import time

for part in ('lib', 'unit'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', part))
from lib import Suite, check, equal, within                     # noqa: E402
from risa import PASSWORD, Daemon, Http, Person, link_token, \
    until                                                       # noqa: E402
from admin import trail                                         # noqa: E402

ADDRESSES = iter('127.0.%d.%d' % (i, j) for i in range(1, 99)
                 for j in range(1, 99))
WRONG = 'not the right one'
NEVER = 253402300799000


def attempt(d, mail, password=WRONG, tenant='acme', source=None,
            device=None):
    with Http(d, tenant, source=source or next(ADDRESSES)) as h:
        h.device = device
        return h.request('POST', '/api/v1/session',
                         {'email': mail, 'password': password})


def patient(d, *args, **more):
    """Wait as long as one is told to, but for a lock."""
    def answer():
        r = attempt(d, *args, **more)
        if r.status != 429 or r.problem() == 'locked':
            return r
        time.sleep(int(r.get('retry-after')) - 0.5)
        return None
    return until(answer, 'the delay ends')


def lock(d, mail, tries, **more):
    """Fail until it is locked."""
    for _ in range(tries):
        r = patient(d, mail, **more)
        equal((r.status, r.problem()), (401, 'sign-in'), mail)


def rules(d, tries, minutes, tenant='acme'):
    d.do('policy', 'set', tenant, 'lock-tries', str(tries))
    d.do('policy', 'set', tenant, 'lock-minutes', str(minutes))


def row(ada, mail):
    return {u['email']: u for u in ada.get('/admin/users')['users']}[mail]


def delay(d, ada):
    """the second failure in a row makes wait, whatever the address"""
    rules(d, 10, 30)
    mail = d.person('acme', 'slow@acme.example').mail
    for name in (mail, 'slow.nobody@acme.example'):
        equal([attempt(d, name).status for _ in range(2)], [401, 401], name)
        r = attempt(d, name, PASSWORD)
        equal((r.status, r.problem()), (429, 'too-many'), 'too soon')
        within(int(r.get('retry-after')), 1, 2, 'Retry-After')
    equal(patient(d, mail, PASSWORD).status, 201, 'a little later')
    equal([attempt(d, mail).status for _ in range(2)], [401, 401], 'anew')


def alike(d, ada):
    """an account that does not exist is locked like one that does"""
    rules(d, 3, 30)
    d.person('acme', 'real@acme.example').close()
    got = {}
    for mail in ('real@acme.example', 'none@acme.example'):
        got[mail] = []
        for password in (WRONG, WRONG, WRONG, PASSWORD, WRONG):
            r = patient(d, mail, password)
            after = r.get('retry-after')
            got[mail].append((r.status, r.body, [
                h for h in r.headers if h[0] not in ('date', 'retry-after')]))
        equal([a[0] for a in got[mail]], [401, 401, 401, 429, 429], mail)
        equal(r.problem(), 'locked', mail)
        within(int(after), 1700, 1800, 'Retry-After')
    equal(got['real@acme.example'], got['none@acme.example'], 'the bytes')
    now = time.time() * 1000
    within(row(ada, 'real@acme.example')['locked'], now + 1700e3, now + 1800e3,
           'listed')
    equal(row(ada, ada.mail)['locked'], 0, 'another')
    u = d.json('user', 'show', 'acme', 'real@acme.example')['user']
    check(u['locked_until'] is not None, u)


def known(d, ada):
    """a lock keeps strangers out, and its owner comes in from a known device"""
    rules(d, 2, 30)
    p = d.person('acme', 'own@acme.example')
    other = d.person('acme', 'own2@acme.example')
    lock(d, p.mail, 2)
    equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'a stranger')
    for device in (other.http.device, p.http.device[:-2] + 'AA',
                   'A' * 71, '', p.http.device + 'x'):
        equal(attempt(d, p.mail, PASSWORD, device=device).problem(), 'locked',
              device)
    r = attempt(d, p.mail, PASSWORD, device=p.http.device)
    equal((r.status, r.json()['failures']), (201, 2), 'the owner, and told')
    device = r.all('set-cookie')[1].split(';')[0].split('=', 1)[1]
    r = attempt(d, p.mail, PASSWORD, device=device)
    equal((r.status, r.json()['failures']), (201, 0), 'told once')
    equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'still')
    # The same mail at another tenant is another account.
    q = d.person('globex', 'own@acme.example')
    equal(attempt(d, p.mail, PASSWORD, device=q.http.device).problem(),
          'locked', "another tenant's device")
    # A device that fails is locked by itself, and strangers are not.
    lock(d, other.mail, 2, device=other.http.device)
    equal(attempt(d, other.mail, PASSWORD,
                  device=other.http.device).problem(), 'locked', 'device')
    equal(attempt(d, other.mail, PASSWORD).status, 201, 'a stranger')
    for x in (p, q, other):
        x.close()


def unlocked(d, ada):
    """administrators, operators and a reset unlock; it is in the trail"""
    rules(d, 2, 0)
    p = d.person('acme', 'un@acme.example')

    def locked():
        lock(d, p.mail, 2)
        equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'locked')
        equal(row(ada, p.mail)['locked'], NEVER, 'until somebody unlocks')

    seen = len(trail(d, 'acme'))
    locked()
    r = ada.api('PATCH', '/admin/users/%d' % p.id, {'state': 'active'}, 200)
    equal((r.json()['user']['locked'], r.json()['user']['state']),
          (0, 'active'), 'the answer')
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'by an administrator')
    locked()
    d.do('user', 'unlock', 'acme', p.mail)
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'by an operator')
    equal(trail(d, 'acme')[seen:], [
        'user %d: locked by failures' % p.id,
        'by user %d: unlock after failures user %d' % (ada.id, p.id),
        'user %d: locked by failures' % p.id,
        'by operator 0: unlock after failures user %d' % p.id], 'the trail')
    locked()
    token = link_token(d.do('user', 'reset', 'acme', p.mail))
    equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'a link alone')
    Person(d, 'acme', p.mail).accept(token).close()
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'by a new password')
    p.close()


def password(d, ada):
    """who has found an open page guesses no more than others"""
    rules(d, 2, 30)
    p = d.person('acme', 'page@acme.example')
    body = {'current': WRONG, 'new': 'another long one'}
    for _ in range(2):
        equal(p.api('POST', '/password', body).status, 401, 'a guess')
    body['current'] = PASSWORD
    equal(p.api('POST', '/password', body).problem(), 'locked', 'locked')
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'signing in')
    check(row(ada, p.mail)['locked'] > 0, 'listed')
    d.do('user', 'unlock', 'acme', p.mail)
    p.api('POST', '/password', body, 204)
    p.close()


def killed(d, ada):
    """a lock survives the end of auth, of storage, and of all"""
    rules(d, 2, 30)
    p = d.person('acme', 'kill@acme.example')
    lock(d, p.mail, 2)
    lock(d, 'kill.nobody@acme.example', 2)

    def holds(what):
        for mail in (p.mail, 'kill.nobody@acme.example'):
            r = until(lambda: (lambda r: r if r.status != 503 else None)(
                attempt(d, mail, PASSWORD)), 'served')
            equal((r.status, r.problem()), (429, 'locked'), what)
            within(int(r.get('retry-after')), 1600, 1800, what)

    for slot in ('auth', 'storage', 'hash'):
        pid = d.pids(slot)[(slot, 0)]
        os.kill(pid, signal.SIGKILL)
        until(lambda: d.pids_known() and
              d.pids(slot).get((slot, 0)) not in (None, pid), slot)
        holds(slot)
    d.restart()
    holds('restart')
    r = until(lambda: (lambda r: r if r.status != 503 else None)(
        attempt(d, p.mail, PASSWORD, device=p.http.device)), 'served')
    equal(r.status, 201, 'the device after all that')
    p.close()


def dear(d):
    """Hash takes its time."""
    d.more = 'password hash memory 65536 passes 16\n'
    d.write_conf()
    d.do('reload')


def cut(d, ada):
    """a try that ends with hash locks as any other, and is unlocked so"""
    rules(d, 1, 0)
    dear(d)
    p = d.person('acme', 'cut@acme.example')

    def checks():
        return d.stats()['auth.hash.checks']
    before = checks()
    with Http(d) as h:
        h.send(h.head('POST', '/api/v1/session', {
            'email': p.mail, 'password': PASSWORD}))
        until(lambda: checks() > before, 'hash is at it')
        for pid in d.pids('hash').values():
            os.kill(pid, signal.SIGKILL)
        equal(h.reply().status, 503, 'the try')
    until(d.healthy, 'it serves')
    until(lambda: row(ada, p.mail)['locked'] == NEVER, 'seen')
    equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'locked')
    d.do('user', 'unlock', 'acme', p.mail)
    r = until(lambda: (lambda r: r if r.status != 503 else None)(
        attempt(d, p.mail, PASSWORD)), 'another hash')
    equal(r.status, 201, 'unlocked')
    p.close()


def late(d, ada):
    """a lock that storage takes its time for is one all the same, not one
    that is only shown"""
    rules(d, 1, 0)
    dear(d)
    p = d.person('acme', 'late@acme.example')
    pid, = d.pids('storage').values()
    before = d.stats()['auth.hash.checks']
    with Http(d, source=next(ADDRESSES)) as h:
        h.bound = 60
        h.send(h.head('POST', '/api/v1/session', {
            'email': p.mail, 'password': WRONG}))
        until(lambda: d.stats()['auth.hash.checks'] > before, 'hash is at it')
        os.kill(pid, signal.SIGSTOP)
        try:
            equal(h.reply().status, 503, 'the try')
        finally:
            os.kill(pid, signal.SIGCONT)
    until(lambda: row(ada, p.mail)['locked'] == NEVER, 'seen')
    equal(attempt(d, p.mail, PASSWORD).problem(), 'locked', 'locked')
    d.do('user', 'unlock', 'acme', p.mail)
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'unlocked')
    p.close()


def listed(d, ada):
    """a list of accounts is noticed, told to all who must know, and slowed"""
    rules(d, 10, 30)
    seen, source = len(trail(d, 'acme')), next(ADDRESSES)
    begun = d.stats()['auth.attacks']
    before = ada.get('/admin/alerts')['alerts']
    log = len(d.log())
    p = d.person('acme', 'amid@acme.example')
    for i in range(10):
        equal(attempt(d, 'list%d@acme.example' % i, source=source).status,
              401, 'try %d' % i)
    alerts = until(lambda: [a for a in ada.get('/admin/alerts')['alerts']
                            if a not in before], 'the alert')
    a = alerts[0]
    equal((len(alerts), a['over'], a['addresses']), (1, False, [source]), a)
    check(a['accounts'] >= 10 and a['tries'] >= 10, a)
    check(abs(a['begun'] / 1000 - time.time()) < 60, a)
    equal(d.stats()['auth.attacks'], begun + 1, 'counted')
    check('many accounts fail to sign in' in d.log()[log:], 'the log')
    o = d.json('show', 'attacks')['attacks']
    equal([(x['tenant'], x['over']) for x in o if source in x['addresses']],
          [('acme', False)], 'for operators')
    check(source in d.do('show', 'attacks'), 'as text')
    lines = [x for x in trail(d, 'acme')[seen:] if 'attack' in x]
    equal(len(lines), 1, lines)
    check(lines[0].startswith('attack on many accounts begins: ') and
          source in lines[0], lines)
    # The other tenant has no part in it.
    gil = d.person('globex', 'gil@globex.example', 'admin')
    equal(gil.get('/admin/alerts'), {'alerts': []}, 'globex')
    # Strangers there get little, a known device all that it needs.
    more = iter(range(10, 1000))
    until(lambda: attempt(d, 'list%d@acme.example' % next(more),
                          source=source).status == 429, 'little is left', 60)

    def stranger():
        attempt(d, 'list%d@acme.example' % next(more), source=source)
        return attempt(d, p.mail, PASSWORD, source=source).status == 429
    until(stranger, 'even for who is right', 60)
    equal(attempt(d, p.mail, PASSWORD, source=source,
                  device=p.http.device).status, 201, 'a known device')
    equal(attempt(d, p.mail, PASSWORD).status, 201, 'elsewhere')
    for x in (p, gil):
        x.close()


def office(d, ada):
    """an address from which many sign in is allowed more than another"""
    source, people = next(ADDRESSES), []
    for i in range(4):
        p = d.person('globex', 'office%d@globex.example' % i)
        equal(attempt(d, p.mail, PASSWORD, 'globex', source).status, 201, i)
        people.append(p)

    def slips(source):
        """So many wrong ones, each made good, are no attack at all."""
        for n in range(46):
            p = people[n % 4]
            if attempt(d, p.mail, WRONG, 'globex', source).status == 429:
                return n
            equal(attempt(d, p.mail, PASSWORD, 'globex').status, 201, n)
        return n
    equal(slips(source), 45, 'the office')
    within(slips(next(ADDRESSES)), 30, 44, 'another address')
    for p in people:
        p.close()


def ends(d, since):
    """a lock of a minute has ended after a minute"""
    equal(attempt(d, 'minute@acme.example', PASSWORD).problem() if
          time.monotonic() < since + 55 else 'locked', 'locked', 'before')
    until(lambda: attempt(d, 'minute@acme.example', PASSWORD).status == 201,
          'the end', 90)


def main():
    d = Daemon(more='password hash memory 64 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    ada = d.person('acme', 'ada@acme.example', 'admin')
    d.person('acme', 'minute@acme.example').close()
    rules(d, 2, 1)
    lock(d, 'minute@acme.example', 2)
    since = time.monotonic()
    s = Suite(d)
    for fn in (delay, alike, known, unlocked, password, listed, office):
        s.run_test(fn, d, ada)
    s.run_test(ends, d, since)
    s.run_test(killed, d, ada, restarts=True)
    s.run_test(cut, d, ada, restarts=True)
    s.run_test(late, d, ada)
    ada.close()
    s.end()


if __name__ == '__main__':
    main()
