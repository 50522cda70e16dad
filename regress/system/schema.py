#!/usr/bin/env python3
"""Data that every earlier risad has left is opened by this one, and read."""

import json
import os
import pwd
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import TOP, Daemon, Failure, Person, until            # noqa: E402

FIXTURES = os.path.join(TOP, 'regress', 'schema')
NAMES = ('localhost', 'acme.localhost', 'globex.localhost')
COST = 'password hash memory 64 passes 1\n'
# What each version of a tenant's file has added to the one before.
ADDED = {2: ['factors'], 3: ['passwords', 'old_passwords'], 4: ['roles'],
         5: ['locks', 'alerts'], 6: ['passkeys'], 7: ['guests', 'visits']}


def fixtures():
    return sorted(n for n in os.listdir(FIXTURES) if n.isdigit())


def version(path):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    n, = db.execute('PRAGMA user_version').fetchone()
    db.close()
    return n


def unpacked(number, change=None):
    """A risad that has not started yet, on that data; and what is in it."""
    d = Daemon(more=COST)
    here = os.path.join(FIXTURES, number)
    with open(os.path.join(here, 'facts.json')) as f:
        facts = json.load(f)
    for name, value in facts['keys'].items():
        path = d.path('keys', name + '.key')
        os.unlink(path)
        with open(path, 'wb') as f:
            f.write(bytes.fromhex(value))
        os.chmod(path, 0o400)
    for name, value in facts['files'].items():
        path = d.path('data', name)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        if name.endswith('.key'):
            with open(path, 'wb') as f:
                f.write(bytes.fromhex(value))
        else:
            db = sqlite3.connect(path, isolation_level=None)
            db.execute('PRAGMA journal_mode = WAL')
            with open(os.path.join(here, value)) as f:
                db.executescript(f.read())
            db.close()
        os.chmod(path, 0o600)
    if change is not None:
        change(d)
    owner = pwd.getpwnam('_risastor')
    for top, _, names in os.walk(d.path('data')):
        for path in [top] + [os.path.join(top, n) for n in names]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    return d, facts


def newest():
    """The versions that this risad makes, by the kind of file."""
    with_log = Daemon(more=COST)
    with_log.start()
    with_log.do('tenant', 'add', 'acme')
    with_log.person('acme', 'ann@acme.example').close()
    with_log.stop()
    found = versions(with_log)
    with_log.end()
    return found


def kind(name):
    return 'log' if 'log-' in name else os.path.basename(name)


def versions(d):
    found = {}
    for top, _, names in os.walk(d.path('data')):
        for name in names:
            if name.endswith('.db'):
                found.setdefault(kind(name), set()).add(
                    version(os.path.join(top, name)))
    return {k: max(v) for k, v in found.items()
            if equal(len(v), 1, k) is None}


def sound(d):
    """SQLite finds nothing wrong in any file."""
    for top, _, names in os.walk(d.path('data')):
        for name in names:
            if not name.endswith('.db'):
                continue
            db = sqlite3.connect(os.path.join(top, name))
            equal(db.execute('PRAGMA integrity_check').fetchall(),
                  [('ok',)], name)
            equal(db.execute('PRAGMA foreign_key_check').fetchall(), [], name)
            db.close()


def texts(p, channel):
    return [m['text'] for m in p.get('/messages?channel=' + channel)[
        'messages']]


def reads(d, facts):
    """What was written then is read now, and goes on."""
    ann = Person(d, 'acme', 'ann@acme.example', facts['ann'])
    bob = Person(d, 'acme', 'bob@acme.example', facts['bob'])
    ann.sign_in()
    bob.sign_in()
    equal(texts(ann, 'floor:%d' % facts['floor']), ['to all on the floor'],
          'floor')
    equal(texts(ann, 'user:%d' % facts['bob id']), ['to bob alone'], 'bob')
    equal([g['name'] for g in ann.get('/admin/groups')['groups']], ['Some'],
          'groups')
    rules = {r['rule']: r['value'] for r in
             d.json('policy', 'show', 'acme')['policy']}
    if facts['factor']:
        equal((rules['password-history'], rules['lock-tries'],
               rules['lock-minutes']), (3, 2, 0), 'rules')
    check('eve@acme.example' in d.do('user', 'list', 'acme'), 'people')
    equal(d.json('tenant', 'show', 'acme')['tenant']['title'],
          'Acme 株式会社', 'title')
    ann.open().enter(facts['floor'])
    ann.say('and now')
    equal(texts(ann, 'floor:%d' % facts['floor'])[-1:], ['and now'], 'new')
    # Floors had no rules for talk: everything, as the tenant's rule says.
    def row():
        f = d.json('floor', 'show', 'acme', str(facts['floor']))['floor']
        return (f['voice'], f['video'], f['screen'], f['way'])
    equal(row(), (True, True, True, 'tenant'), 'talk')
    equal((rules['talk-way'], rules['talk-listen'],
           rules['talk-hidden-mute']), ('direct', 1, 0), 'rules of talk')
    d.do('floor', 'talk', 'acme', str(facts['floor']), 'video', 'no', 'way',
         '443')
    equal(row(), (True, False, True, '443'), 'and set')
    d.do('audit', 'show', 'tenant', 'acme')
    equal(d.ctl('audit', 'verify')[0], 0, 'trails')
    d.do('log', 'show', 'tenant', 'acme')
    equal(d.stats().get('storage.unreadable', 0), 0, 'all opens')
    ann.close()
    bob.close()


def opened(number, change=None, tenant=None):
    d, facts = unpacked(number, change)
    before = versions(d) if tenant is None else None
    d.start()
    reads(d, facts)
    d.do('key', 'rotate', 'tenant', 'acme')
    until(lambda: [k['generation'] for k in d.json('key', 'show')['keys']
                   if k['tenant'] == 'acme' and k['state'] == 'whole'] == [2],
          'a new key')
    d.restart()
    reads_again(d, facts)
    d.stop()
    equal(versions(d), newest_versions, 'brought to the newest')
    sound(d)
    d.end()
    return before


def reads_again(d, facts):
    bob = Person(d, 'acme', 'bob@acme.example', facts['bob'])
    until(lambda: bob.api('GET', '/tenant').status == 200, 'the tenant')
    bob.sign_in()
    check('and now' in texts(bob, 'floor:%d' % facts['floor']), 'by the new')
    bob.close()


def all_kept():
    """each that a risad has left; there is one of every version"""
    seen = {}
    for number in fixtures():
        for name, n in opened(number).items():
            seen.setdefault(name, set()).add(n)
    seen['main.db'] |= set(ADDED) - {7}
    for name, n in newest_versions.items():
        missing = set(range(1, n)) - seen.get(name, set())
        check(not missing, 'make a fixture of %s before its version is '
              'changed: %r' % (name, missing))


def between():
    """versions that no risad was left at: the later ones, less what they add"""
    for n in range(2, 7):
        def less(d, n=n):
            db = sqlite3.connect(d.path('data', 'tenants', '1', 'main.db'),
                                 isolation_level=None)
            db.execute('PRAGMA foreign_keys = ON')
            db.execute('DELETE FROM users WHERE role = 2')
            for later in range(7, n, -1):
                for table in ADDED[later]:
                    db.execute('DROP TABLE ' + table)
            db.execute('PRAGMA user_version = %d' % n)
            db.close()
            equal(version(d.path('data', 'tenants', '1', 'main.db')), n, n)
        opened('2', less, 'acme')


def change_version(d, *names):
    db = sqlite3.connect(d.path('data', *names))
    db.execute('PRAGMA user_version = 99')
    db.close()


def newer():
    """what a newer risad has written is refused, and it is said why"""
    number = fixtures()[-1]
    d, facts = unpacked(number, lambda d: change_version(
        d, 'tenants', '1', 'main.db'))
    with open(d.path('data', 'tenants', '1', 'main.db'), 'rb') as f:
        was = f.read()
    d.start()
    code, _, err = d.ctl('user', 'list', 'acme')
    equal(code, 1, err)
    check('was written by a newer risad' in err, err)
    check('tenants/1/main.db was written by a newer risad' in d.log(), 'log')
    d.do('user', 'list', 'globex')              # the others go on
    equal(d.json('show', 'status')['status']['tenant.acme.damaged'], 1,
          'status')
    r = Person(d, 'acme', 'bob@acme.example', facts['bob'])
    check(r.api('GET', '/session').status in (401, 503), 'people')
    r.close()
    d.stop()
    with open(d.path('data', 'tenants', '1', 'main.db'), 'rb') as f:
        equal(f.read(), was, 'not a byte is changed')
    d.end()
    d, facts = unpacked(number, lambda d: change_version(d, 'system.db'))
    code, said = d.refused()
    check(code != 0 and 'system.db was written by a newer risad' in said,
          said)
    d.end()


def newer_log():
    """so is an access log; what happens meanwhile waits for it"""
    d, facts = unpacked(fixtures()[-1])
    log, = [n for n in facts['files'] if n.startswith('tenants/1/log-')]
    change_version(d, log)
    # It is of the month of the fixture: of another one, a new file is begun.
    d.start()
    code, _, err = d.ctl('log', 'show', 'tenant', 'acme', 'from',
                         '2026-11-01', 'to', '2026-12-01')
    equal(code, 1, err)
    check('%s was written by a newer risad' % log in d.log(), d.log())
    check(not os.path.exists(d.path('data', log[:-3] + '.bad')), 'in place')
    d.do('user', 'list', 'acme')
    d.stop()
    d.end()


newest_versions = {}


def main():
    newest_versions.update(newest())
    s = Suite()
    for fn in (all_kept, between, newer, newer_log):
        s.run_test(fn)
    s.end()


if __name__ == '__main__':
    main()
