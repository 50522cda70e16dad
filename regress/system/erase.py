#!/usr/bin/env python3
"""The end of a contract: out on the day, erased for good, with a proof."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, Failure, Http, until          # noqa: E402
from trail import ending, erasing, system_trail, trail          # noqa: E402

WORDS = 'Xenolith words of a tenant'


def number(d, tenant):
    return d.json('tenant', 'show', tenant)['tenant']['id']


def names(d):
    return [t['name'] for t in d.json('tenant', 'list')['tenants']]


def furnished(d, tenant):
    """A tenant with people, a floor and words; its number."""
    d.do('tenant', 'add', tenant)
    floor = d.floor(tenant, 'One')
    p = d.person(tenant, 'ann@%s.example' % tenant, 'admin')
    p.open().enter(floor)
    p.say(WORDS)
    return number(d, tenant), p


def verify(d, path):
    p = subprocess.run([RISACTL, 'verify', path, 'key',
                        d.path('keys', 'sign.pub')], capture_output=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def erased(d):
    """at once: people out, key and files gone, a certificate that verifies"""
    n, p = furnished(d, 'gone')
    copy = d.path('copy')
    shutil.copytree(d.path('data', 'tenants', str(n)), copy)
    for words in (('gone', 'confirm', 'other'), ('gone',),
                  ('gone', 'confirm', 'gone')):
        equal(d.ctl('tenant', 'erase', *words)[0], 2, words)
    check('gone' in names(d), 'nothing yet')
    cert = d.path('certificate')
    d.do('tenant', 'erase', 'gone', 'confirm', 'gone', cert)
    p.wait('#close')
    check('gone' not in names(d), names(d))
    check(not os.path.exists(d.path('data', 'keys', '%d.key' % n)), 'key')
    check(not os.path.exists(d.path('data', 'tenants', str(n))), 'files')
    with Http(d, 'gone') as h:
        equal(h.request('GET', '/api/v1/tenant').status, 421, 'its host')
    with open(cert) as f:
        text = f.read()
    for line in ('tenant: gone', 'number: %d' % n, 'by: operator 0',
                 'users: 1', 'floors: 1', 'messages: 1',
                 'months of access log: 1'):
        check(line in text.split('\n'), '%r in %s' % (line, text))
    code, out, err = verify(d, cert)
    equal((code, err), (0, ''), 'certificate')
    check('erasure of gone' in out, out)
    with open(cert, 'a') as f:
        f.write('more\n')
    equal(verify(d, cert)[0], 1, 'changed')
    # It is kept, and given again.
    again = d.path('again')
    d.do('tenant', 'certificate', str(n), again)
    with open(again) as f:
        equal(f.read(), text, 'again')
    equal(verify(d, again)[0], 0, 'again')
    row, = [r for r in d.json('tenant', 'erased')['erased']
            if r['number'] == n]
    equal((row['name'], row['signed']), ('gone', True), 'listed')
    check('uid 0: tenant erase gone: done' in system_trail(d), 'trail')
    # An old copy of the data, put back, says nothing (I4).
    shutil.copytree(copy, d.path('data', 'tenants', str(n)))
    db = sqlite3.connect(d.path('data', 'tenants', str(n), 'main.db'))
    rows = db.execute('SELECT text FROM messages').fetchall()
    equal(len(rows), 1, 'the row is there')
    check(WORDS.encode() not in rows[0][0], 'sealed')
    db.close()
    try:
        d.do('tenant', 'show', 'gone')
        raise Failure('a tenant that is erased is shown')
    except Failure as e:
        check('no such tenant' in str(e), e)
    shutil.rmtree(d.path('data', 'tenants', str(n)))
    # The name may be used again, by somebody else.
    d.do('tenant', 'add', 'gone')
    check(number(d, 'gone') != n, 'another number')
    equal(len(trail(d, 'gone')), 0, 'nothing of before')


def others(d):
    """the others notice nothing, and only an owner may"""
    n, p = furnished(d, 'neighbour')
    furnished(d, 'doomed')[1].close()
    before = trail(d, 'neighbour')
    d.do('tenant', 'erase', 'doomed', 'confirm', 'doomed', d.path('c2'))
    p.say('still here')
    equal(trail(d, 'neighbour'), before, 'its trail')
    equal(d.ctl('audit', 'verify')[0], 0, 'all whole')
    code, _, err = d.ctl('tenant', 'certificate', '4711', d.path('c3'))
    equal(code, 1, err)
    check('no such certificate' in err and not os.path.exists(d.path('c3')),
          err)
    p.close()


def ended(d):
    """from the day on people are out; never takes it back"""
    n, p = furnished(d, 'leaving')
    equal(d.ctl('tenant', 'end', 'leaving', 'on', '2020-01-01')[0], 1, 'past')
    d.do('tenant', 'end', 'leaving', 'on', '2099-12-31')
    equal([t['ends'] for t in d.json('tenant', 'list')['tenants']
           if t['ends']], ['2099-12-31T23:59:59Z'], 'it is shown')
    check('2099-12-31T23:59:59Z' in d.do('tenant', 'show', 'leaving'), 'text')
    d.do('tenant', 'end', 'leaving', 'never')
    equal(d.json('tenant', 'show', 'leaving')['tenant']['ends'], None, 'never')
    for seconds in (2, 8, 25):          # the more, the slower the machine
        soon = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(
            time.time() + seconds))
        code, _, err = d.ctl('tenant', 'end', 'leaving', 'on', soon)
        if 'to be in the future' not in err:
            break
    equal((code, err), (0, ''), soon)
    # The daemon is off at that moment, and does it when it is back.
    d.stop()
    until(lambda: time.time() > time.mktime(time.strptime(
        soon, '%Y-%m-%dT%H:%M:%SZ')) - time.timezone + 1, 'the moment')
    d.start()
    until(lambda: d.json('tenant', 'show', 'leaving')['tenant']['state'] ==
          'suspended', 'suspended')
    check(os.path.exists(d.path('data', 'keys', '%d.key' % n)), 'a week')
    # The week is over: the date is moved, for nobody waits here.
    d.do('hold', 'set', 'leaving', 'user', p.mail, 'reason', 'Court')
    d.stop()
    late(d, n)
    d.start()
    time.sleep(2.5)                     # the daemon has looked
    code, _, err = d.ctl('tenant', 'erase', 'leaving', 'confirm', 'leaving',
                         d.path('c5'))
    check(code == 1 and 'a legal hold forbids it' in err, err)
    check('leaving' in names(d) and not os.path.exists(d.path('c5')), 'held')
    d.do('hold', 'clear', 'leaving', 'user', p.mail)
    d.restart()                         # it looks once a minute
    until(lambda: 'leaving' not in names(d), 'erased')
    check(not os.path.exists(d.path('data', 'keys', '%d.key' % n)), 'key')
    d.do('tenant', 'certificate', str(n), d.path('c4'))
    equal(verify(d, d.path('c4'))[0], 0, 'its certificate')
    equal([s for s in system_trail(d) if 'leaving: its contract' in s],
          ['tenant leaving: its contract has ended: ' + s for s in (
              'suspended', 'erase', 'erase: done')], 'what was done')
    p.close()


def unsigned(d):
    """while keys is away it is erased, and the trail does not say refused"""
    n, p = furnished(d, 'mute')
    p.close()
    cert = d.path('c6')
    keys = d.pids()[('keys', 0)]
    os.kill(d.proc.pid, signal.SIGSTOP)         # who would start it again
    try:
        os.kill(keys, signal.SIGKILL)

        def dead():
            with open('/proc/%d/stat' % keys) as f:
                return f.read().rsplit(')', 1)[1].split()[0] == 'Z'
        until(dead, 'keys is dead')
        for _ in range(2):                      # storage has seen it too
            check('mute' in names(d), 'still there')
        code, _, err = d.ctl('tenant', 'erase', 'mute', 'confirm', 'mute',
                             cert)
    finally:
        os.kill(d.proc.pid, signal.SIGCONT)
    equal(code, 1, err)
    check('erased; the certificate is not signed yet' in err, err)
    check(not os.path.exists(cert), 'a certificate')
    check('mute' not in names(d), 'still there')
    equal([s for s in system_trail(d) if 'tenant erase mute' in s],
          ['uid 0: tenant erase mute', 'uid 0: tenant erase mute: done, the '
           'certificate is not signed yet'], 'the trail')
    until(lambda: d.ctl('tenant', 'certificate', str(n), cert)[0] == 0,
          'the certificate, later')
    equal(verify(d, cert)[0], 0, 'verifies')


def resumed(d):
    """an erasure that goes on after a kill is in the trail when it is done"""
    n, p = furnished(d, 'half')
    p.close()
    d.stop()
    erasing(d, n, 'half')
    d.start()
    until(lambda: not os.path.exists(d.path('data', 'keys', '%d.key' % n)),
          'key')
    until(lambda: 'tenant half, number %d: erased, as was begun' % n in
          system_trail(d), 'the trail')


def late(d, n):
    """The end of the contract was ten days ago; sealed as it has to be."""
    ending(d, n, int((time.time() - 10 * 86400) * 1000))


def forged(d):
    """what somebody has written into the file neither ends nor erases"""
    n, p = furnished(d, 'target')
    p.close()
    d.stop()
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    db.execute('INSERT INTO endings (tenant, at, proof) VALUES (?, 1, ?)',
               (n, os.urandom(37)))
    db.execute("INSERT INTO erased (id, name, at, text) VALUES "
               "(?, 'target', 1, ?)", (n, os.urandom(37)))
    db.close()
    d.start()
    until(lambda: [r for r in d.rows('show', 'alerts') if
                   r['tenant'] == 'target' and 'not made' in r['text']],
          'the daemon has looked')
    equal(d.json('tenant', 'show', 'target')['tenant']['state'], 'active',
          'goes on')
    check(os.path.exists(d.path('data', 'keys', '%d.key' % n)), 'key')
    # Nor does it keep an operator from it.
    d.do('tenant', 'erase', 'target', 'confirm', 'target', d.path('c9'))
    equal(verify(d, d.path('c9'))[0], 0, 'verifies')


def unread(d):
    """while nobody can read whether there is a hold, nothing is erased"""
    n, p = furnished(d, 'ruined')
    p.close()
    d.do('hold', 'set', 'ruined', 'user', p.mail, 'reason', 'Court')
    stamp = d.json('backup', 'now')['backup']['stamp']
    main = d.path('data', 'tenants', str(n), 'main.db')
    d.stop()
    late(d, n)
    os.chmod(main, 0)
    d.start()

    def stays(why):
        until(lambda: [r for r in d.rows('show', 'alerts') if
                       r['name'] == 'data-damaged' and
                       'contract has ended' in r['text']], 'an alert')
        code, _, err = d.ctl('tenant', 'erase', 'ruined', 'confirm', 'ruined',
                             d.path('c8'))
        check(code == 1 and why in err, err)
        check('ruined' in names(d) and not os.path.exists(d.path('c8')) and
              os.path.exists(d.path('data', 'keys', '%d.key' % n)), 'erased')

    # It may be readable again, so it is not replaced either.
    stays('nobody knows')
    code, out, err = d.ctl('backup', 'restore', stamp, 'tenant', 'ruined')
    check(code == 1 and 'cannot be read now' in out, (out, err))
    d.stop()
    os.chmod(main, 0o600)
    with open(main, 'r+b') as f:
        f.write(os.urandom(os.path.getsize(main)))
    d.start()
    d.do('alert', 'clear', 'all')
    d.restart()
    stays('nobody knows')
    # What is lost is, and the hold that the backup has counts.
    d.do('backup', 'restore', stamp, 'tenant', 'ruined')
    stays('a legal hold forbids it')
    d.do('hold', 'clear', 'ruined', 'user', p.mail)
    d.do('tenant', 'erase', 'ruined', 'confirm', 'ruined', d.path('c8'))


def listed(d):
    """a tenant that an older system.db lists again can be taken out, when
    neither its database nor its key is there"""
    n, p = furnished(d, 'ghost')
    p.close()
    d.do('backup', 'now')
    d.stop()
    os.unlink(d.path('data', 'keys', '%d.key' % n))
    d.start()
    words = ('tenant', 'erase', 'ghost', 'confirm', 'ghost', d.path('c10'))
    code, _, err = d.ctl(*words)
    check(code == 1 and 'nobody knows' in err, err)
    d.stop()
    shutil.rmtree(d.path('data', 'tenants', str(n)))
    d.start()
    d.do(*words)
    equal(verify(d, d.path('c10'))[0], 0, 'its certificate verifies')
    check('ghost' not in names(d), 'still there')
    d.do('tenant', 'add', 'ghost')


def killed(d):
    """a kill in the middle: the erasure goes on, and is never half done"""
    for i in range(4):                  # five deaths a minute stop it
        n, p = furnished(d, 'kill%d' % i)
        p.close()
        pid = d.pids()[('storage', 0)]
        run = subprocess.Popen(
            [RISACTL, '-s', d.path('risad.sock'), 'tenant', 'erase',
             'kill%d' % i, 'confirm', 'kill%d' % i, d.path('k%d' % i)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.006 * i)
        os.kill(pid, signal.SIGKILL)
        run.wait(30)
        until(lambda: d.ctl('tenant', 'list')[0] == 0, 'back')
        if 'kill%d' % i in names(d):
            # It had not begun: everything is as it was.
            equal(d.json('tenant', 'show', 'kill%d' % i)['tenant']['users'],
                  1, 'whole')
            d.do('tenant', 'erase', 'kill%d' % i, 'confirm', 'kill%d' % i,
                 d.path('l%d' % i))
        until(lambda: not os.path.exists(d.path('data', 'tenants', str(n))),
              'files')
        check(not os.path.exists(d.path('data', 'keys', '%d.key' % n)),
              'key')
        until(lambda: d.ctl('tenant', 'certificate', str(n),
                            d.path('m%d' % i))[0] == 0, 'certificate')
        equal(verify(d, d.path('m%d' % i))[0], 0, 'verifies')


def main():
    d = Daemon(more='password hash memory 64 passes 1\n')
    d.names = ('localhost',) + tuple('%s.localhost' % n for n in (
        'gone', 'neighbour', 'doomed', 'leaving', 'mute', 'half', 'target',
        'ruined', 'kill0', 'kill1', 'kill2', 'kill3'))
    d.make_cert('tls')
    d.start()
    d.do('tenant', 'add', 'stays')
    s = Suite(d)
    for fn in (erased, others):
        s.run_test(fn, d)
    for fn in (ended, unsigned, resumed, forged, unread, listed,
               killed):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
