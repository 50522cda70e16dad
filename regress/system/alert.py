#!/usr/bin/env python3
"""Alerts: attacks and faults that happen are told once, counted, cleared."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Http, TOP, until                       # noqa: E402
from trail import system_trail                                  # noqa: E402

COOKIE = 'A' * 43       # of the right form, and nobody's


def alerts(d, *words):
    """What is known of each, by name and tenant."""
    return {(x['name'], x['tenant']): x for x in
            d.json('show', 'alerts', *words)['alerts']}


def raised(d, name, tenant=None, text='', bound=20):
    """It is there within some seconds, in the log too."""
    x = until(lambda: d.ctl('show', 'alerts')[0] == 0 and
              alerts(d).get((name, tenant)), name, bound)
    check(text in x['text'], x)
    check(x['first'] <= x['last'] and x['count'] >= 1, x)
    check('storage: alert %s: %s' % (name, tenant + ': ' if tenant else '')
          in d.log(), name)
    return x


def database(d, *path):
    return sqlite3.connect(d.path('data', *path), timeout=20,
                           isolation_level=None)


def show(d, cookie, tenant='acme'):
    with Http(d, tenant=tenant) as h:
        h.cookie = cookie
        return h.request('GET', '/api/v1/session').status


def certificate(d):
    """a certificate that ends soon"""
    x = raised(d, 'certificate-ends', None, 'the certificate of the site ends')
    equal((x['level'], x['count']), ('warning', 1), x)
    check('certificate-ends' in d.do('show', 'alerts'), 'as text')


def deaths(d):
    """processes that die, whichever"""
    for title, sig in (('session', signal.SIGKILL), ('hash', signal.SIGSEGV),
                       ('auth', signal.SIGKILL), ('storage', signal.SIGKILL)):
        time.sleep(1)                   # a promise in seconds
        os.kill(d.pids()[(title, 0)], sig)
        until(lambda: d.ctl('show', 'alerts')[0] == 0 and '%s 0 was ended by '
              'signal %d' % (title, sig) in alerts(d).get(
                  ('process-died', None), {'text': ''})['text'], title)
    equal(alerts(d)['process-died', None]['count'], 4, 'counted')
    # The log has not said it four times within a minute.
    check(d.log().count('alert process-died') <= 2, 'the log')


def broken(d):
    """a session that breaks out of its sandbox"""
    os.kill(d.pids()[('session', 1)], signal.SIGSYS)
    raised(d, 'process-broken', None, 'session 1 is taken as broken into')


def failures(d):
    """lists of accounts, and many sign-ins that fail"""
    for i in range(10):
        with Http(d, source='127.8.0.1') as h:
            h.request('POST', '/api/v1/session', {
                'email': 'n%d@acme.example' % i, 'password': 'wrong'})
    raised(d, 'account-list', 'acme', '127.8.0.1')
    for i in range(60):
        with Http(d, source='127.8.%d.2' % (i % 20)) as h:
            h.request('POST', '/api/v1/session', {
                'email': 'm%d@acme.example' % (i % 20), 'password': 'wrong'})
    raised(d, 'sign-ins-fail', 'acme', '50 sign-ins have failed')
    check(('sign-ins-fail', 'globex') not in alerts(d), 'theirs')
    equal(set(t for _, t in alerts(d, 'tenant', 'acme')), {'acme'}, 'one')


def cookies(d):
    """cookies that nobody has given, of another tenant, or forged in the data
    """
    p = d.person('acme', 'ann@acme.example')
    equal(show(d, p.http.cookie), 200, 'hers')
    check(('cookie-foreign', 'globex') not in alerts(d), 'before')
    equal(show(d, p.http.cookie, 'globex'), 401, 'of another tenant')
    raised(d, 'cookie-foreign', 'globex', 'a cookie of tenant acme')
    equal(show(d, COOKIE), 401, 'nobody')
    check(('cookies-unknown', 'acme') not in alerts(d), 'one is none')
    for i in range(50):
        show(d, '%02d' % i + COOKIE[2:])
    raised(d, 'cookies-unknown', 'acme', '50 unknown cookies')
    db = database(d, 'tenants', '1', 'main.db')
    equal(db.execute('UPDATE tokens SET created = created + 1').rowcount > 0,
          True, 'forged')
    db.close()
    d.restart()                         # no session knows her any more
    equal(show(d, p.http.cookie), 401, 'does not open')
    raised(d, 'cookie-forged', 'acme', 'was not written by risad')
    p.close()


def trails(d):
    """an audit trail that was changed, found by whoever verifies"""
    d.do('user', 'add', 'acme', 'tom@acme.example')
    db = database(d, 'tenants', '1', 'main.db')
    db.execute('UPDATE audit SET at = at + 1 WHERE id = 2')
    db.close()
    check(('audit-broken', 'acme') not in alerts(d), 'before')
    equal(d.ctl('audit', 'verify')[0], 1, 'verify')
    raised(d, 'audit-broken', 'acme', 'not whole at line 2')
    d.do('alert', 'clear', 'audit-broken')
    d.restart()
    # Without being asked: a trail in each tick, and what is broken twice.
    raised(d, 'audit-broken', 'acme', 'not whole at line 2', 60)
    check(('audit-broken', None) not in alerts(d), 'the other trails')


def checkpoints(d):
    """data that was put back: keys vouches for no trail that is shorter"""
    d.do('user', 'add', 'globex', 'one@globex.example')
    until(lambda: d.json('audit', 'checkpoints', 'tenant', 'globex')
          ['checkpoints'], 'a checkpoint', 80)
    db = database(d, 'tenants', '2', 'main.db')
    db.execute("VACUUM INTO '%s'" % d.path('old'))
    db.close()
    for i in range(3):
        d.do('user', 'add', 'globex', 'more%d@globex.example' % i)
    until(lambda: len(d.json('audit', 'checkpoints', 'tenant', 'globex')
                      ['checkpoints']) >= 2, 'another', 80)
    pid = d.pids()[('storage', 0)]
    os.kill(pid, signal.SIGSTOP)
    main = d.path('data', 'tenants', '2', 'main.db')
    for end in ('-wal', '-shm'):
        if os.path.exists(main + end):
            os.unlink(main + end)
    shutil.copyfile(d.path('old'), main)
    os.kill(pid, signal.SIGKILL)
    until(lambda: d.ctl('show', 'alerts')[0] == 0, 'back')
    d.do('floor', 'add', 'globex', 'New', 'map', d.path('map.json'))
    raised(d, 'checkpoint-missing', 'globex', 'no checkpoint of line', 80)


def damaged(d):
    """a tenant's data that is damaged"""
    d.stop()
    path = d.path('data', 'tenants', '2', 'main.db')
    shutil.copyfile(path, d.path('whole'))
    with open(path, 'r+b') as f:
        f.write(b'garbage' * 4000)
    d.start()
    d.do('tenant', 'list')
    raised(d, 'data-damaged', 'globex')
    d.stop()
    shutil.copyfile(d.path('whole'), path)
    d.start()


def cleared(d):
    """what was seen is cleared, by name or all, and that is audited"""
    x = alerts(d)
    check(len(x) > 5, x)
    # They outlive the daemon.
    time.sleep(1)                       # a promise in seconds
    seen = len(d.log())
    d.restart()
    until(lambda: set(x) <= set(alerts(d)), 'kept')
    # What is looked at once after the start is not raised after this.
    until(lambda: 'alert certificate-ends' in d.log()[seen:], 'looked at')
    for key in x:
        check(alerts(d)[key]['count'] >= x[key]['count'], key)
        check(alerts(d)[key]['first'] == x[key]['first'], key)
    code, _, err = d.ctl('alert', 'clear', 'no-such')
    equal((code, err), (1, 'risactl: no-such: no such alert\n'), 'unknown')
    d.do('alert', 'clear', 'account-list')
    equal([k for k in alerts(d) if k[0] == 'account-list'], [], 'by name')
    check(len(alerts(d)) >= len(x) - 1, 'the others')
    d.do('alert', 'clear', 'all')
    check(set(alerts(d)) <= {('audit-broken', 'acme')}, alerts(d))
    d.restart()
    check('account-list' not in d.do('show', 'alerts'), 'gone')
    check('uid 0: alert clear all: done' in system_trail(d), 'audited')
    equal(d.ctl('show', 'alerts', 'tenant', 'no')[0], 1, 'unknown')


def forgotten(d):
    """what was met at a tenant goes with it"""
    d.do('tenant', 'add', 'initech')
    p = d.person('globex', 'kim@globex.example')
    equal(show(d, p.http.cookie, 'initech'), 401, 'of another tenant')
    raised(d, 'cookie-foreign', 'initech')
    number = d.json('tenant', 'show', 'initech')['tenant']['id']
    db = database(d, 'system.db')
    rows = 'SELECT count(*) FROM notices WHERE tenant = %d' % number
    until(lambda: db.execute(rows).fetchone()[0] == 1, 'written')
    d.do('tenant', 'erase', 'initech', 'confirm', 'initech', d.path('cert'))
    equal(db.execute(rows).fetchone()[0], 0, 'erased')
    check('initech' not in d.do('show', 'alerts'), 'shown')
    db.close()
    p.close()


def full():
    """a disk that is nearly full, and one that is"""
    d = Daemon(more='password hash memory 64 passes 1\n')
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=72m,mode=700',
                    'risad-test', d.path('data')], check=True)
    try:
        shutil.chown(d.path('data'), '_risastor')
        d.start()
        d.do('tenant', 'add', 'acme')
        p = d.person('acme', 'ann@acme.example')
        check(('disk-low', None) not in alerts(d), 'enough')
        fill(d, 20)
        raised(d, 'disk-low', None, 'MB are left')
        fill(d, 100)
        until(lambda: p.api('PATCH', '/me', {'note': 'x' * 60}).status == 503,
              'full')
        raised(d, 'write-failed', None, 'could not be written')
        equal(d.ctl('show', 'alerts')[0], 0, 'told though it is full')
        os.unlink(d.path('data', 'ballast'))
        p.retry('PATCH', '/me', {'note': 'y'}, want=200)
        until(lambda: kept(d, 'write-failed'), 'written down later')
        p.close()
        equal(d.stop(), 0, 'exit code')
    finally:
        if d.proc is not None:
            d.proc.kill()
            d.proc.wait()
        until(lambda: subprocess.run(['umount', d.path('data')],
                                     stderr=subprocess.DEVNULL).returncode ==
              0, 'unmounted')
        d.end()


def fill(d, mb):
    try:
        with open(d.path('data', 'ballast'), 'ab') as f:
            for _ in range(mb):
                f.write(bytes(1 << 20))
    except OSError:
        pass


def kept(d, name):
    db = database(d, 'system.db')
    n, = db.execute('SELECT count(*) FROM notices WHERE name = ?',
                    (name,)).fetchone()
    db.close()
    return n


def written(d):
    """the manual has a word on each, and on what to do"""
    with open(os.path.join(TOP, 'man', 'risad.8')) as f:
        page = f.read()
    with open(os.path.join(TOP, 'risad', 'storage_alert.c')) as f:
        table = f.read().split('kinds[ALERT_MAX] = {')[1].split('};')[0]
    names = [line.split('"')[1] for line in table.splitlines() if '"' in line]
    check(len(names) > 10, names)
    for name in names:
        check('.It Cm %s\n' % name in page, name)


def main():
    if len(sys.argv) < 2 or 'full' in sys.argv:
        s = Suite()
        s.run_test(full)
    d = Daemon(workers=2, more='password hash memory 64 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    t = Suite(d)
    if len(sys.argv) < 2 or 'full' in sys.argv:
        t.passed, t.failed = s.passed, s.failed
    t.run_test(written, d)
    t.run_test(certificate, d)
    for fn in (deaths, broken):
        t.run_test(fn, d, restarts=True)
    t.run_test(failures, d)
    for fn in (cookies, trails, checkpoints, damaged, cleared):
        t.run_test(fn, d, restarts=True)
    t.run_test(forgotten, d)
    t.end()


if __name__ == '__main__':
    main()
