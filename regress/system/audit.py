#!/usr/bin/env python3
"""Audit trails: chains that show every change, and checkpoints outside."""

import base64
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from imsg import NOBODY                                         # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import RISACTL, Daemon, until                         # noqa: E402
from trail import chain, system_trail, trail                    # noqa: E402

TRIES = 10000 if LONG else 1000
LINES = 40


def database(d, tenant='acme'):
    """A tenant's file, as somebody with the disk has it."""
    number = d.json('tenant', 'show', tenant)['tenant']['id']
    db = sqlite3.connect(d.path('data', 'tenants', str(number), 'main.db'),
                         timeout=20, isolation_level=None)
    db.execute('PRAGMA synchronous = OFF')
    return db


def verify(d, *words):
    """The exit code, and of each trail what is said."""
    code, out, err = d.ctl('-j', 'audit', 'verify', *words)
    return code, {t['tenant']: t for t in json.loads(out)['trails']}, err


def fault(d):
    """What is wrong with acme's trail, and the first line of which it is."""
    code, trails, _ = verify(d, 'tenant', 'acme')
    o = trails['acme']
    equal(code, 0 if o['state'] == 'whole' else 1, 'exit code')
    return o['state'], o.get('line')


class Rows:
    """The rows of a trail, put back as they were after each change."""

    def __init__(self, db):
        self.db = db
        self.rows = db.execute(
            'SELECT id, at, entry, mac FROM audit ORDER BY id').fetchall()
        self.chain, = db.execute(
            "SELECT value FROM meta WHERE name = 'chain'").fetchone()

    def put(self, rows, chain_value=None):
        self.db.execute('BEGIN IMMEDIATE')
        self.db.execute('DELETE FROM audit')
        self.db.executemany('INSERT INTO audit (id, at, entry, mac) '
                            'VALUES (?, ?, ?, ?)', rows)
        self.db.execute("UPDATE meta SET value = ? WHERE name = 'chain'",
                        (chain_value or self.chain,))
        self.db.execute('COMMIT')

    def restore(self):
        self.put(self.rows)


def flipped(rnd, data):
    i = rnd.randrange(len(data))
    return data[:i] + bytes([data[i] ^ 1 << rnd.randrange(8)]) + data[i + 1:]


def change(rnd, rows):
    """Do something to the rows; what is to be found, and where first."""
    rows = list(rows)
    n = len(rows)
    i = rnd.randrange(n)
    j = rnd.choice([k for k in range(n) if k != i])
    first = rows[min(i, j)][0]
    number, at, entry, mac = rows[i]
    kind = rnd.choice(('entry', 'mac', 'time', 'remove', 'cut', 'swap',
                       'exchange', 'insert', 'copy', 'shorten', 'none'))
    if kind == 'entry':
        rows[i] = number, at, flipped(rnd, entry), mac
    elif kind == 'mac':
        rows[i] = number, at, entry, flipped(rnd, mac)
    elif kind == 'time':
        rows[i] = number, at + rnd.choice((-1, 1)) * rnd.randrange(
            1, 10 ** rnd.randrange(1, 12)), entry, mac
    elif kind == 'remove':
        del rows[i]
        return kind, rows, 'missing', number
    elif kind == 'cut':
        del rows[i:]
        return kind, rows, 'missing', number
    elif kind == 'swap':                # what two lines say
        rows[i] = (number, at) + rows[j][2:]
        rows[j] = rows[j][:2] + (entry, mac)
        number = first
    elif kind == 'exchange':            # where two lines stand
        rows[i], rows[j] = (rows[j][0],) + rows[i][1:], \
            (rows[i][0],) + rows[j][1:]
        number = first
    elif kind == 'insert':              # behind the end
        rows.append((rows[-1][0] + 1, at, entry, mac))
        return kind, rows, 'extra', rows[-1][0]
    elif kind == 'copy':                # an older line once more, before all
        rows.append((rnd.choice((0, -1, -5)), at, entry, mac))
        return kind, rows, 'extra', 0
    elif kind == 'shorten':
        rows[i] = number, at, entry[:rnd.randrange(len(entry))], mac
    elif kind == 'none':
        rows[i] = number, at, entry, rnd.choice((None, b'', mac[:31]))
    return kind, rows, 'changed', number


def whole(d):
    """what was done is in the trail, in order, and another reader agrees"""
    for i in range(LINES):
        d.do('policy', 'set', 'acme', 'password-length', str(9 + i % 8))
    code, trails, _ = verify(d)
    equal((code, set(trails)), (0, {None, 'acme', 'globex'}), 'all of them')
    equal({t['state'] for t in trails.values()}, {'whole'}, 'states')
    check(trails['acme']['lines'] >= LINES, trails)
    chain(d, 'acme')
    chain(d, None)
    lines = d.json('audit', 'show', 'tenant', 'acme', 'last', '1000')['lines']
    equal([x['text'] for x in lines], trail(d, 'acme'), 'as it is shown')
    equal([x['line'] for x in lines], list(range(1, len(lines) + 1)),
          'numbers')
    last = d.json('audit', 'show', 'last', '2')['lines']
    equal([x['text'] for x in last],
          ['uid 0: policy set acme password-length %d' % (9 + i % 8),
           'uid 0: policy set acme password-length %d: done' % (9 + i % 8)],
          'of the installation')
    code, _, err = d.ctl('audit', 'verify', 'tenant', 'nobody')
    equal((code, err), (1, 'risactl: no such tenant: nobody\n'), 'unknown')


def tampered(d):
    """changed, removed, moved or added: each is found, the first is named"""
    rnd = random.Random(20261129)
    db = database(d)
    rows = Rows(db)
    seen = {}
    for _ in range(TRIES):
        kind, new, want, number = change(rnd, rows.rows)
        rows.put(new)
        got = fault(d)
        rows.restore()
        equal(got, (want, number), kind)
        seen[kind] = seen.get(kind, 0) + 1
    equal(fault(d), ('whole', None), 'put back')
    equal(len(seen), 11, 'kinds of change')
    print('  %d changes of %d kinds, all found' % (sum(seen.values()),
                                                  len(seen)))
    # The record of the chain itself.
    rows.put(rows.rows, flipped(rnd, rows.chain))
    equal(fault(d)[0], 'lost', 'its end')
    other = database(d, 'globex').execute(
        "SELECT value FROM meta WHERE name = 'chain'").fetchone()[0]
    rows.put(rows.rows, other)
    equal(fault(d)[0], 'lost', 'of another tenant')
    equal(verify(d, 'tenant', 'globex')[0], 0, 'which is whole')
    rows.restore()
    db.close()


def rolled_back(d):
    """an older copy of everything is whole, but not for who kept a checkpoint

    The checkpoints are kept outside, as the log and the administrators have
    them: the file cannot know of them."""
    db = database(d)
    old = Rows(db)
    d.do('policy', 'set', 'acme', 'password-length', '9')
    number = len(old.rows) + 1
    d.restart()                         # everything is signed
    kept = d.do('audit', 'checkpoints')
    d.write('kept', 'noise\nNov 29 host risad: ' +
            kept.strip().replace('\n', '\nNov 29 host risad: ') + '\n')
    pub = ('key', d.path('keys', 'sign.pub'))
    against = ('against', d.path('kept')) + pub
    code, trails, _ = verify(d, *against)
    equal((code, trails['acme']['state']), (0, 'whole'), 'as it was')
    check(trails['acme']['compared'] >= 1 and trails[None]['compared'] >= 1,
          trails)
    d.stop()
    db.execute('DELETE FROM points')
    old.put(old.rows)
    d.start()
    equal(fault(d), ('whole', None), 'the file alone')
    code, trails, _ = verify(d, *against)
    equal((code, trails['acme']['state'], trails['acme']['line']),
          (1, 'kept', number), 'against what was kept')
    # And goes on differently from there: a fork.
    d.do('policy', 'set', 'acme', 'password-length', '12')
    code, trails, _ = verify(d, *against)
    equal((code, trails['acme']['state'], trails['acme']['line']),
          (1, 'kept', number), 'a fork')
    d.restart()
    # Two who compare what they have kept need no server.
    code, out, err = offline('verify', d.path('kept'), *pub)
    equal((code, err), (0, ''), out)
    rows = json.loads(offline('-j', 'verify', d.path('kept'), *pub)[1])
    check(all((x['kind'], x['lines'] > 0) == ('checkpoint', True)
              for x in rows['verified']) and rows['verified'], rows)
    d.write('fork', kept + d.do('audit', 'checkpoints', 'tenant', 'acme'))
    code, out, err = offline('verify', d.path('fork'), *pub)
    check(code == 1 and 'acme: two trails' in err, (out, err))
    db.close()


def cut(d):
    """a line that is too long is cut, and opens"""
    long_name = '\u958b\u767a' * 15
    longest = '\U0001f30a' * 64
    d.do('floor', 'add', 'acme', longest)
    for words in (('floor', 'allow', 'acme', longest, 'group', long_name),
                  ('policy', 'set', 'acme', 'mail-domains',
                   'a' * 299 + '\u00e9')):
        check(d.ctl(*words)[0] == 1, words)
    # Of a person, beside the line: two names that are as long as may be.
    p = d.person('acme', 'long@acme.example', 'admin')
    for name in 'x' + longest[1:], longest:
        p.api('PATCH', '/admin/users/%d' % p.id, {'name': name}, 200)
    lines = d.do('audit', 'show', 'last', '8')
    check(long_name + ': refused' in lines, lines)
    check('a' * 299 + '?: refused' in lines, lines)
    for words in (), ('tenant', 'acme'):
        lines = d.do('audit', 'show', 'last', '8', *words)
        check('(does not open)' not in lines, lines)


def gone(d):
    """a trail that has gone as a whole is missed by who kept a checkpoint"""
    for name in 'erased', 'lost':
        d.do('tenant', 'add', name)
        d.do('policy', 'set', name, 'password-length', '9')
    number = d.json('tenant', 'show', 'lost')['tenant']['id']
    d.restart()                         # everything is signed
    d.write('kept', d.do('audit', 'checkpoints'))
    against = ('against', d.path('kept'), 'key', d.path('keys', 'sign.pub'))
    d.do('tenant', 'erase', 'erased', 'confirm', 'erased', d.path('cert'))
    code, trails, _ = verify(d, *against)
    equal((code, sorted(t['state'] for t in trails.values())),
          (0, ['erased'] + 4 * ['whole']), 'what was erased is not missed')
    d.stop()
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    db.execute('DELETE FROM tenants WHERE id = ?', (number,))
    # Who says that it was erased has to prove it.
    db.execute("INSERT INTO erased (id, name, at, text) SELECT ?, 'lost', at, "
               "text FROM erased WHERE name = 'erased'", (number,))
    db.close()
    shutil.rmtree(d.path('data', 'tenants', str(number)))
    os.unlink(d.path('data', 'keys', '%d.key' % number))
    d.start()
    equal(verify(d)[0], 0, 'what is there is whole')
    code, trails, _ = verify(d, *against)
    equal((code, trails.pop(str(number), {}).get('state')), (1, 'gone'),
          'against what was kept')
    equal(sorted(t['state'] for t in trails.values()),
          ['erased'] + 3 * ['whole'], 'the others')
    check('audit-broken' in d.do('show', 'alerts'), 'the alert')


def offline(*words):
    """risactl where no daemon answers."""
    p = subprocess.run([RISACTL, '-s', '/nowhere'] + list(words),
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def checked(d):
    """a checkpoint is checked without the daemon; a changed one is not ours"""
    pub = ('key', d.path('keys', 'sign.pub'))
    line = d.do('audit', 'checkpoints', 'tenant', 'globex').split('\n')[0]
    check(re.match(r'risad checkpoint v1 key=[0-9a-f]{16} tenant=\d+ '
                   r'name=globex seq=\d+ at=\S+Z head=[0-9a-f]{64} '
                   r'sig=[\w-]{86}$', line), line)
    d.write('one', line + '\n')
    code, out, err = offline('verify', d.path('one'), *pub)
    equal((code, err), (0, ''), 'as it is')
    check(out.startswith('globex: '), out)
    d.write('one', line.replace('name=globex', 'name=globey') + '\n')
    code, out, err = offline('verify', d.path('one'), *pub)
    equal((code, out), (1, ''), 'another name')
    check('not signed by this key' in err, err)
    d.write('one', line[:-1] + '\n')
    check('not a checkpoint' in offline('verify', d.path('one'), *pub)[2],
          'cut')
    d.write('one', 'nothing\n')
    check('no checkpoint in it' in offline('verify', d.path('one'),
                                           *pub)[2], 'none')
    # An independent program, with the key as it prints it.
    text, sig = line.split(' sig=')
    d.write('text', text)
    with open(d.path('sig'), 'wb') as f:
        f.write(base64.urlsafe_b64decode(sig + '=='))
    d.write('pub', d.do('show', 'key'))
    subprocess.run(['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey',
                    d.path('pub'), '-rawin', '-in', d.path('text'),
                    '-sigfile', d.path('sig')], check=True,
                   stdout=subprocess.DEVNULL)


def signed(d):
    """what is done is signed while the daemon runs, and once more at a kill"""
    def points():
        return len(d.do('audit', 'checkpoints', 'tenant', 'acme').split('\n'))
    before = points()
    d.do('policy', 'set', 'acme', 'password-length', '10')
    until(lambda: points() > before, 'a checkpoint', 90)
    # Storage dies: what was written before has its checkpoint afterwards.
    before = points()
    d.do('policy', 'set', 'acme', 'password-length', '11')
    os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
    until(lambda: d.ctl('audit', 'verify')[0] == 0 and points() > before,
          'a checkpoint after the death', 90)


def auditor(d):
    """an auditor reads and verifies, and does no more"""
    d.do('operator', 'add', 'nobody', 'role', 'auditor')
    for words in (('audit', 'verify'), ('audit', 'show'),
                  ('audit', 'checkpoints'), ('show', 'key')):
        code, out, err = d.ctl(*words, user=NOBODY, group=NOBODY,
                               extra_groups=[], program=d.nobodys)
        equal((code, err), (0, ''), words)
    d.do('operator', 'remove', 'nobody')


def changes(d):
    """every change says from what to what, by whoever it is made"""
    d.do('tenant', 'add', 'delta', 'title', 'Delta Inc.', 'contact',
         'it@delta.example')
    boss = d.person('delta', 'boss@delta.example', 'admin')
    floor = d.floor('delta', 'One')
    ids = {}
    for n in 'ann', 'ben', 'cat':
        d.do('user', 'add', 'delta', n + '@delta.example', 'name', 'Old ' + n)
    for u in boss.get('/admin/users')['users']:
        ids[u['email'].split('@')[0]] = u['id']
    ann, ben, cat = (ids[n] for n in ('ann', 'ben', 'cat'))
    user = '/admin/users/%d' % ann
    boss.api('PATCH', user, {'name': 'New ann'}, 200)
    boss.api('PATCH', user, {'role': 'admin'}, 200)
    boss.api('PATCH', user, {'state': 'locked'}, 200)
    boss.api('PATCH', user, {'state': 'active'}, 200)
    g = boss.api('POST', '/admin/groups', {
        'name': 'Crew', 'members': [ann, ben]}, 201).json()['group']['id']
    group = '/admin/groups/%d' % g
    boss.api('PATCH', group, {'members': [ben, cat]}, 200)
    boss.api('PATCH', group, {'name': 'Staff'}, 200)
    at = '/admin/floors/%d' % floor
    boss.api('PATCH', at, {'name': 'Two'}, 200)
    boss.api('PATCH', at, {'open': False, 'users': [ann, boss.id],
                           'groups': [g]}, 200)
    boss.api('PATCH', at, {'users': [ben]}, 200)
    boss.api('PATCH', at, {'networks': ['10.0.0.0/8']}, 200)
    boss.api('PATCH', at, {'networks': ['127.0.0.0/8']}, 200)
    boss.api('PATCH', at, {'talk': {'voice': True, 'video': True,
                                    'screen': False, 'way': 'tenant'}}, 200)
    d.do('floor', 'talk', 'delta', 'Two', 'video', 'no', 'way', 'relay')
    d.do('policy', 'set', 'delta', 'talk-way', '443')
    d.do('floor', 'allow', 'delta', 'Two', 'user', 'cat@delta.example')
    d.do('floor', 'deny', 'delta', 'Two', 'group', 'Staff')
    d.do('floor', 'allow', 'delta', 'Two', 'all')
    role = boss.api('POST', '/admin/roles', {
        'name': 'Temp', 'can': ['chat']}, 201).json()['role']['id']
    d.do('role', 'allow', 'delta', 'Temp', 'guest')
    d.do('role', 'rename', 'delta', 'Temp', 'Late')
    d.do('role', 'delete', 'delta', 'Late')
    d.do('guest', 'add', 'delta', 'floor', 'Two', 'uses', '3')
    gu = d.json('guest', 'list', 'delta')['guests'][0]['id']
    d.do('guest', 'revoke', 'delta', str(gu))
    boss.api('PATCH', '/admin/tenant', {'title': 'Delta & Co.'}, 200)
    boss.api('DELETE', group, want=204)
    d.do('user', 'delete', 'delta', 'cat@delta.example')
    d.do('floor', 'delete', 'delta', 'Two')
    d.do('tenant', 'suspend', 'delta')
    d.do('tenant', 'resume', 'delta')
    d.do('tenant', 'end', 'delta', 'on', '2098-12-31')
    d.do('tenant', 'end', 'delta', 'never')
    lines = [r['text'] for r in d.json('audit', 'show', 'tenant', 'delta',
                                       'last', '200')['lines']]
    by, op = 'by user %d: ' % boss.id, 'by operator 0: '
    for want in (
            op + 'add user %d, role 0, member as [ann@delta.example], '
            '[Old ann]' % ann,
            by + 'rename user %d from [Old ann] to [New ann]' % ann,
            by + 'set role of user %d from 0, member, to 1, admin' % ann,
            by + 'lock user %d, from invited to locked' % ann,
            by + 'unlock user %d, from locked to invited' % ann,
            by + 'add group %d, [Crew]' % g,
            by + 'add to group %d: user %d, user %d' % (g, ann, ben),
            by + 'add to group %d: user %d' % (g, cat),
            by + 'take from group %d: user %d' % (g, ann),
            by + 'rename group %d from [Crew] to [Staff]' % g,
            op + 'add floor %d, [One]' % floor,
            by + 'rename floor %d from [One] to [Two]' % floor,
            by + 'set floor %d from open to all to closed' % floor,
            by + 'add to floor %d: user %d, user %d' % (floor, boss.id, ann),
            by + 'add to floor %d: group %d' % (floor, g),
            by + 'add to floor %d: user %d' % (floor, ben),
            by + 'take from floor %d: user %d, user %d' % (floor, boss.id,
                                                           ann),
            by + 'set networks of floor %d from [] to [10.0.0.0/8]' % floor,
            by + 'set networks of floor %d from [10.0.0.0/8] to '
            '[127.0.0.0/8]' % floor,
            by + 'set talk of floor %d from [voice, video, screen, way '
            'tenant] to [voice, video, way tenant]' % floor,
            op + 'set talk of floor %d from [voice, video, way tenant] to '
            '[voice, way relay]' % floor,
            op + 'set talk-way from direct to 443',
            op + 'add to floor %d: user %d' % (floor, cat),
            op + 'take from floor %d: group %d' % (floor, g),
            op + 'set floor %d from closed to open to all' % floor,
            by + 'add role %d, Temp' % role,
            by + 'set voice of role %d from on to off' % role,
            op + 'set guest of role %d from off to on' % role,
            op + 'rename role %d from Temp to Late' % role,
            op + 'delete role %d, Late' % role,
            by + 'set title of tenant %d from [Delta Inc.] to [Delta & Co.]'
            % d.json('tenant', 'show', 'delta')['tenant']['id'],
            by + 'take from group %d: user %d, user %d' % (g, ben, cat),
            by + 'delete group %d, [Staff]' % g,
            op + 'delete user %d, role 0, invited' % cat,
            op + 'delete floor %d, [Two]' % floor):
        check(want in lines, '%r is not in %s' % (want, '\n'.join(lines)))
    for what in 'add', 'revoke':
        check(any(x.startswith(op + '%s guest URL %d, floors %d, uses 0 of 3, '
                               'until 20' % (what, gu, floor))
                  for x in lines), lines)
    own = system_trail(d)
    n = d.json('tenant', 'show', 'delta')['tenant']['id']
    for want in ('add tenant %d, title [Delta Inc.], contact '
                 '[it@delta.example]', 'set state of tenant %d from active '
                 'to suspended', 'set state of tenant %d from suspended to '
                 'active', 'set end of tenant %d from never to '
                 '2098-12-31T23:59:59Z', 'set end of tenant %d from '
                 '2098-12-31T23:59:59Z to never'):
        check(op + want % n in own, '%r is not in %s' % (want, own))
    # Names stand beside the line: nobody can put others in their place.
    raw = trail(d, 'delta')
    check(not any('Old ann' in x for x in raw), raw)
    equal(verify(d, 'tenant', 'delta')[0], 0, 'whole')
    d.do('tenant', 'erase', 'delta', 'confirm', 'delta', d.path('delta'))


def upgraded(d):
    """a trail from before the chains is linked as it is, line by line"""
    lines = trail(d, 'globex')
    d.stop()
    db = database_of(d, 'globex')
    db.execute('DROP TABLE points')
    db.execute('ALTER TABLE audit DROP COLUMN mac')
    for table in ('erasures', 'holds', 'audit_names'):
        db.execute('DROP TABLE ' + table)
    db.execute("DELETE FROM meta WHERE name = 'chain'")
    db.execute('PRAGMA user_version = 7')
    db.close()
    d.start()
    equal(trail(d, 'globex'), lines, 'the lines')
    code, trails, _ = verify(d, 'tenant', 'globex')
    equal((code, trails['globex']['state']), (0, 'whole'), trails)
    chain(d, 'globex')


def database_of(d, tenant):
    number = {'acme': 1, 'globex': 2}[tenant]
    return sqlite3.connect(d.path('data', 'tenants', str(number), 'main.db'),
                           isolation_level=None)


def main():
    d = Daemon(more='password hash memory 64 passes 1\n')
    d.nobodys = d.path('risactl')
    shutil.copy(RISACTL, d.nobodys)
    os.chmod(d.nobodys, 0o755)
    d.names = ('localhost',) + tuple('%s.localhost' % n for n in (
        'acme', 'globex', 'delta'))
    d.make_cert('tls')
    d.start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    for i in range(4):
        d.do('policy', 'set', 'globex', 'password-length', str(8 + i))
    s = Suite(d)
    for fn in (whole, tampered, auditor, cut, changes):
        s.run_test(fn, d)
    for fn in (signed, rolled_back, gone, checked, upgraded):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
