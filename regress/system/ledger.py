#!/usr/bin/env python3
"""The ledger of operators: who may give which command, and until when."""

import datetime
import os
import shutil
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from imsg import (                                              # noqa: E402
    HELLO, NOBODY, R_FORBIDDEN, R_OK, STATUS, TYPES, Client, imsg, text)
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, until                         # noqa: E402
from trail import system_trail, trail                           # noqa: E402

STRANGER = 'you are not in the ledger of operators'
CANARY = 'canaryaccount'
LATER = '2099-12-31'

# A command of each kind, in an order in which all of them can be done.
LOOKS = (('show', 'status'), ('show', 'processes'), ('show', 'stats'),
         ('tenant', 'list'), ('tenant', 'show', 'acme'),
         ('user', 'list', 'acme'), ('user', 'show', 'acme', 'a@acme.example'),
         ('floor', 'list', 'acme'), ('floor', 'show', 'acme', 'One'),
         ('policy', 'show', 'acme'), ('session', 'list', 'acme'),
         ('operator', 'list'), ('backup', 'list'))
CHANGES = (('tenant', 'add', 'new'), ('tenant', 'suspend', 'acme'),
           ('tenant', 'resume', 'acme'),
           ('user', 'add', 'acme', 'b@acme.example'),
           ('user', 'invite', 'acme', 'b@acme.example'),
           ('user', 'lock', 'acme', 'b@acme.example'),
           ('user', 'unlock', 'acme', 'b@acme.example'),
           ('session', 'end', 'acme', 'b@acme.example'),
           ('user', 'delete', 'acme', 'b@acme.example'),
           ('floor', 'add', 'acme', 'Two'),
           ('floor', 'deny', 'acme', 'Two', 'all'),
           ('floor', 'delete', 'acme', 'Two'),
           ('policy', 'set', 'acme', 'password-length', '9'),
           ('backup', 'now'))
OWNERS = (('tenant', 'end', 'acme', 'never'),
          ('operator', 'add', 'daemon', 'role', 'auditor'),
          ('operator', 'remove', 'daemon'), ('reload',), ('log', 'verbose'),
          ('log', 'brief'))


def as_nobody(d, *words):
    """risactl run by nobody: exit code, output, what it complains of."""
    code, out, err = d.ctl(*words, user=NOBODY, group=NOBODY,
                           extra_groups=[], program=d.nobodys)
    return code, out, err.removeprefix('risactl: ').rstrip('\n')


def entry(d, uid=NOBODY):
    """Its row of the list, or None."""
    rows = [o for o in d.json('operator', 'list')['operators']
            if o['uid'] == uid]
    return rows[0] if rows else None


def soon(seconds):
    """A point in time, and how it is written."""
    end = int(time.time()) + seconds
    return end, datetime.datetime.fromtimestamp(
        end, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def role(d, name, may, may_not):
    d.do('operator', 'add', 'nobody', 'role', name)
    for words in may:
        equal(as_nobody(d, *words)[::2], (0, ''), '%s: %r' % (name, words))
    before = [d.do(*w) for w in LOOKS[3:]]
    for words in may_not:
        code, out, err = as_nobody(d, *words)
        equal((code, out), (1, ''), '%s: %r' % (name, words))
        check(err.startswith('this is for the role ') and
              err.endswith(', yours is ' + name), err)
    equal([d.do(*w) for w in LOOKS[3:]], before, 'what there is')
    d.do('operator', 'remove', 'nobody')


def roles(d):
    """an auditor looks, an operator changes, an owner does everything"""
    equal(as_nobody(d, 'show', 'status'), (1, '', STRANGER), 'without entry')
    role(d, 'auditor', LOOKS, CHANGES + OWNERS)
    role(d, 'operator', LOOKS + CHANGES, OWNERS)
    d.do('policy', 'set', 'acme', 'password-length', '8')
    role(d, 'owner', LOOKS + tuple(
        ('tenant', 'add', 'newer') if w == CHANGES[0] else w
        for w in CHANGES) + OWNERS, ())
    equal(as_nobody(d, 'show', 'status'), (1, '', STRANGER), 'afterwards')


def unread(d):
    """no command shows what people say, or what they are called (B28)"""
    p = d.person('acme', 'quiet@acme.example', name='Canary Name')
    p.api('PATCH', '/me', {'note': 'Canary Note'}, 200)
    p.open().enter(d.one)
    p.say('Canary Talk')
    d.do('operator', 'add', 'nobody', 'role', 'owner')
    looks = LOOKS + (('user', 'show', 'acme', p.mail),)
    for words in looks + tuple(('-j',) + w for w in looks):
        code, out, _ = as_nobody(d, *words)
        equal(code, 0, words)
        check('Canary' not in out, (words, out))
    d.do('operator', 'remove', 'nobody')
    p.close()


def audited(d):
    """what he does and what is refused is in the trail, with his uid"""
    seen = len(system_trail(d)), len(trail(d, 'acme'))
    d.do('operator', 'add', 'nobody', 'role', 'owner', 'until', LATER)
    as_nobody(d, 'user', 'add', 'acme', 'c@acme.example')
    as_nobody(d, 'reload')
    as_nobody(d, 'log', 'verbose')
    as_nobody(d, 'log', 'brief')
    d.do('operator', 'remove', 'nobody')
    d.do('operator', 'add', 'nobody', 'role', 'auditor')
    as_nobody(d, 'user', 'delete', 'acme', 'c@acme.example')
    d.do('operator', 'remove', 'nobody')
    entered = 'uid 65534 nobody role owner until 2099-12-31T23:59:59Z'
    was = 'uid 65534 nobody, was role '
    want = (
        'uid 0: operator add ' + entered,
        'uid 0: operator add ' + entered + ': done',
        'uid 65534: user add acme c@acme.example member',
        'uid 65534: user add acme c@acme.example member: done',
        'uid 65534: reload', 'uid 65534: reload: done',
        'uid 65534: verbose 1', 'uid 65534: verbose 1: done',
        'uid 65534: verbose 0', 'uid 65534: verbose 0: done',
        'uid 0: operator remove ' + was +
        'owner until 2099-12-31T23:59:59Z: done',
        'uid 0: operator remove ' + was + 'auditor for ever: done')

    def written():
        lines = iter(system_trail(d)[seen[0]:])
        return all(line in lines for line in want)      # in this order
    until(written, 'all of it is in %r' % system_trail(d)[seen[0]:])
    check(any(line.startswith('by operator 65534: add user')
              for line in trail(d, 'acme')[seen[1]:]), trail(d, 'acme'))
    d.do('user', 'delete', 'acme', 'c@acme.example')


def shown(d):
    """the list says who, which role, granted by whom, and until when"""
    equal(entry(d, 0), {
        'uid': 0, 'name': 'root', 'role': 'owner', 'state': 'active',
        'until': None, 'granted': None, 'by': None, 'by_uid': None}, 'root')
    d.do('operator', 'add', '65534', 'role', 'owner', 'until', LATER)
    e = entry(d)
    check(e.pop('granted') is not None, 'since when')
    equal(e, {'uid': NOBODY, 'name': 'nobody', 'role': 'owner',
              'state': 'active', 'until': '2099-12-31T23:59:59Z',
              'by': 'root', 'by_uid': 0}, 'the entry')
    code, out, err = as_nobody(d, 'operator', 'add', 'daemon', 'role',
                               'auditor')
    equal((code, out, err), (0, '', ''), 'an owner grants')
    e = entry(d, 1)
    equal((e['by'], e['by_uid'], e['until']), ('nobody', NOBODY, None),
          'by whom')
    check('nobody (65534)' in d.do('operator', 'list'), 'as text')
    d.do('operator', 'remove', 'daemon')
    # An owner may leave, and what he says of root changes nothing.
    equal(as_nobody(d, 'operator', 'remove', 'root'),
          (1, '', 'root is always owner and cannot be removed'), 'root')
    equal(as_nobody(d, 'operator', 'remove', 'nobody'), (0, '', ''), 'leaves')
    equal(as_nobody(d, 'operator', 'list'), (1, '', STRANGER), 'has left')


def refusals(d):
    """no account, twice, root, an end in the past: refused, with the reason"""
    def refused(why, *words):
        code, out, err = d.ctl('operator', *words)
        equal((code, out), (1, ''), words)
        check(why in err, (words, err))
    refused('no such account', 'add', 'nosuchaccount', 'role', 'owner')
    refused('no such account', 'add', '4242', 'role', 'owner')
    refused('removed by its number', 'remove', 'nosuchaccount')
    refused('4242 is not in the ledger', 'remove', '4242')
    refused('root is always owner', 'add', 'root', 'role', 'auditor')
    refused('root is always owner', 'remove', '0')
    refused('in the past', 'add', 'nobody', 'role', 'owner', 'until',
            '2020-02-29')
    d.do('operator', 'add', 'nobody', 'role', 'auditor')
    refused('nobody is in the ledger, role auditor, for ever: remove that '
            'first', 'add', 'nobody', 'role', 'owner')
    equal(entry(d)['role'], 'auditor', 'role')
    d.do('operator', 'remove', 'nobody')


def gone(d):
    """an entry whose account has gone is removed by its number"""
    # As risactl would send it, had the account been there.
    with Client(d) as c:
        c.send(HELLO + imsg(TYPES['C_OPERATOR_ADD'], struct.pack(
            '>IIBQ', 0, 4242, 2, 0) + text(CANARY)))
        equal(c.result(), (R_OK, ''), 'add')
    equal(entry(d, 4242)['name'], CANARY, 'its name')
    for top, _, names in os.walk(d.path('data')):
        for name in names:
            with open(os.path.join(top, name), 'rb') as f:
                check(CANARY.encode() not in f.read(), 'in ' + name)
    with Client(d, uid=4242) as c:
        c.send(HELLO + STATUS)
        equal(c.result(), (R_OK, ''), 'its number counts')
    d.do('operator', 'remove', '4242')
    equal(entry(d, 4242), None, 'removed')


def ends(d):
    """an entry that has expired is as none, and can be renewed"""
    for seconds in (2, 8, 25):          # the longer, the slower the machine
        end, written = soon(seconds)
        d.do('operator', 'add', 'nobody', 'role', 'operator', 'until',
             written)
        equal(entry(d)['until'], written, 'until')
        code, _, err = as_nobody(d, 'tenant', 'list')
        if time.time() < end:
            break
        d.do('operator', 'remove', 'nobody')
    equal((code, err), (0, ''), 'before')
    until(lambda: time.time() > end + 0.1, 'the end')
    equal(as_nobody(d, 'tenant', 'list'), (1, '', STRANGER), 'afterwards')
    equal((entry(d)['state'], entry(d)['role']), ('expired', 'operator'),
          'in the list')
    d.do('operator', 'add', 'nobody', 'role', 'auditor', 'until', LATER)
    equal(as_nobody(d, 'tenant', 'list')[0], 0, 'renewed')
    equal((entry(d)['state'], entry(d)['role']), ('active', 'auditor'),
          'in the list')
    d.do('operator', 'remove', 'nobody')


def connected(d):
    """removed while connected: the next command is refused"""
    d.do('operator', 'add', 'nobody', 'role', 'auditor')
    with Client(d, uid=NOBODY) as c:
        c.send(HELLO + STATUS)
        equal(c.result(), (R_OK, ''), 'at first')
        d.do('operator', 'remove', 'nobody')
        c.send(STATUS)
        equal(c.result(), (R_FORBIDDEN, STRANGER), 'removed')
        d.do('operator', 'add', 'nobody', 'role', 'auditor')
        c.send(STATUS)
        equal(c.result(), (R_OK, ''), 'again')
    d.do('operator', 'remove', 'nobody')


def killed(d):
    """storage or auth killed: never called a stranger, soon served again"""
    d.do('operator', 'add', 'nobody', 'role', 'auditor')
    for title in ('storage', 'auth'):
        os.kill(d.pids()[(title, 0)], signal.SIGKILL)
        said = set()

        def served():
            code, _, err = as_nobody(d, 'tenant', 'list')
            said.add(err)
            return code == 0
        until(served, 'nobody is served after the death of ' + title)
        check(STRANGER not in said, said)
        until(lambda: d.ctl('show', 'processes')[0] == 0, 'root is served')
    d.do('operator', 'remove', 'nobody')


def down(d):
    """while storage is down, root is served and nobody else"""
    d.do('operator', 'add', 'nobody', 'role', 'owner')
    old = d.pids()[('storage', 0)]
    # Killed as often as may be, it is down for most of this time.
    refused = 0
    for _ in range(3):
        pid = d.pids()[('storage', 0)]
        os.kill(pid, signal.SIGKILL)
        code, _, err = as_nobody(d, 'show', 'processes')
        if code == 1:
            equal(err, 'cannot be done now, try again', 'refused')
            refused += 1
        equal(d.ctl('show', 'processes')[0], 0, 'root')
        until(lambda: d.pids()[('storage', 0)] not in (0, pid), 'it is back')
        until(lambda: as_nobody(d, 'show', 'processes')[0] == 0, 'nobody too')
    check(old != d.pids()[('storage', 0)], 'it was not killed')
    d.do('operator', 'remove', 'nobody')


def kept(d):
    """the ledger is there after a restart"""
    d.do('operator', 'add', 'nobody', 'role', 'operator', 'until', LATER)
    before = d.do('-j', 'operator', 'list')
    d.restart()
    equal(d.do('-j', 'operator', 'list'), before, 'the list')
    until(lambda: as_nobody(d, 'tenant', 'add', 'kept')[0] == 0, 'it counts')
    check(as_nobody(d, 'reload')[0] == 1, 'and no more than it did')
    d.do('operator', 'remove', 'nobody')
    d.restart()
    equal(entry(d), None, 'the removal')


def main():
    d = Daemon(workers=2).start()
    # A copy: nobody may have no way into the folder of the sources.
    d.nobodys = shutil.copy(RISACTL, d.path('risactl'))
    os.chmod(d.nobodys, 0o755)
    d.do('tenant', 'add', 'acme')
    d.one = d.floor('acme', 'One')
    d.person('acme', 'a@acme.example').close()
    s = Suite(d)
    for fn in (roles, unread, audited, shown, refusals, gone, ends, connected):
        s.run_test(fn, d)
    for fn in (killed, down, kept):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
