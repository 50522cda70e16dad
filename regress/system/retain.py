#!/usr/bin/env python3
"""What is kept for how long: what is older goes by itself, and nothing else."""

import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, until                        # noqa: E402
from trail import age, chain, trail                             # noqa: E402

WORDS = b'words of long ago, in clear to be looked for'


def kept(d, *words, tenant='acme'):
    """What is shown of a tenant, by kind."""
    return {r['kind']: r for r in d.json(
        *(words or ('purge', 'show')), 'tenant', tenant)['kept']}


def long_ago(d, n, days):
    """Messages that were said long ago; risad is down.  They are sealed with
    another key, for nobody reads them any more."""
    db = sqlite3.connect(d.path('data', 'tenants', '1', 'main.db'),
                         isolation_level=None)
    db.execute('BEGIN IMMEDIATE')
    at = int((time.time() - days * 86400) * 1000)
    first, = db.execute('SELECT coalesce(max(id), 0) FROM messages'
                        ).fetchone()
    # Ids go with time: those that are there come behind.
    db.execute('UPDATE messages SET id = -id')
    db.executemany(
        'INSERT INTO messages (id, at, kind, a, b, sender, ref, text) '
        'VALUES (?, ?, 0, ?, 0, 1, ?, ?)',
        [(first + i + 1, at + i, d.one, os.urandom(12),
          WORDS + os.urandom(100)) for i in range(n)])
    db.execute('DELETE FROM messages WHERE id < 0')
    db.execute('COMMIT')
    db.close()


def bytes_of(d):
    """All bytes of the tenant's database, its log included."""
    data = b''
    for path in glob.glob(d.path('data', 'tenants', '1', 'main.db*')):
        with open(path, 'rb') as f:
            data += f.read()
    return data


def months(d):
    return sorted(os.path.basename(p) for p in glob.glob(
        d.path('data', 'tenants', '1', 'log-*.db')))


def rules(d):
    """defaults and bounds are those of the sheet (F5 to F7)"""
    rows = {r['rule']: r for r in d.json('policy', 'show', 'acme')['policy']}
    for rule, default, least in (('log-days', 366, 184),
                                 ('audit-days', 1096, 366),
                                 ('chat-days', 0, 0)):
        r = rows[rule]
        equal((r['value'], r['from'], r['to']), (default, least, 7306), rule)
        code, _, err = d.ctl('policy', 'set', 'acme', rule, '7307')
        check(code == 1 and 'is not from' in err, err)
    check(d.ctl('retention', 'set', 'acme', 'log', '183')[0] == 1, 'a month')
    check(d.ctl('retention', 'set', 'acme', 'audit', '365')[0] == 1, 'a year')
    d.do('retention', 'set', 'acme', 'log', '184')
    equal(kept(d, 'retention', 'show')['log']['days'], 184, 'set')
    d.do('retention', 'set', 'acme', 'log', '366')


def purged(d, ann):
    """what is old enough goes, the rest stays, and the trail still verifies"""
    d.stop()
    long_ago(d, 450, 100)
    age(d, 1, 1000)
    check(WORDS in bytes_of(d), 'there')
    old = months(d)[0]
    shutil.copy(d.path('data', 'tenants', '1', old),
                d.path('data', 'tenants', '1', 'log-202401.db'))
    shutil.chown(d.path('data', 'tenants', '1', 'log-202401.db'), '_risastor')
    d.start()
    ann.sign_in().open().enter(d.one)
    for i in range(5):
        ann.say('new words %d' % i)
    before = trail(d, 'acme')
    rows = kept(d)
    equal((rows['chat']['count'], rows['chat']['due']), (455, 0), 'for ever')
    equal((rows['log']['count'], rows['log']['due']), (2, 1), 'log')
    d.do('retention', 'set', 'acme', 'chat', '30')
    d.do('retention', 'set', 'acme', 'audit', '366')
    rows = kept(d, 'purge', 'run', 'dry')
    equal((rows['chat']['count'], rows['chat']['due']), (455, 450), 'chat')
    check(0 < rows['audit']['due'] < rows['audit']['count'], rows)
    # A hold stops everything.
    d.do('retention', 'set', 'acme', 'hold', '1')
    rows = kept(d, 'purge', 'run')
    equal([rows[k]['due'] for k in ('chat', 'audit', 'log')], [0, 0, 0],
          'held')
    equal((rows['chat']['count'], rows['log']['count']), (455, 2), 'held')
    d.do('retention', 'set', 'acme', 'hold', '0')
    rows = kept(d, 'purge', 'run')
    equal((rows['chat']['count'], rows['chat']['due']), (5, 0), 'chat')
    equal((rows['log']['count'], rows['audit']['due']), (1, 0), 'the others')
    equal(months(d), [old], 'the file of the month')
    now = trail(d, 'acme')
    check(len(now) < len(before), 'lines have gone')
    check(now[-1].startswith('purged by age: 450 messages, '), now[-1])
    chain(d, 'acme')
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies')
    # What is left is there, for the page as before.
    got = ann.history('floor:%d' % d.one, limit=100)['messages']
    equal([m['text'] for m in got], ['new words %d' % i for i in range(5)],
          'history')
    check(WORDS not in bytes_of(d), 'what has gone is not in the file')


def ahead(d, ann):
    """what was written while the clock was ahead goes with what follows"""
    for i in range(130):
        d.do('retention', 'set', 'acme', 'chat', str(30 + i % 2))
    d.stop()
    long_ago(d, 450, 100)
    path = d.path('data', 'tenants', '1', 'main.db')
    with sqlite3.connect(path) as db:
        first, = db.execute('SELECT min(id) FROM messages').fetchone()
        # A run of more than a step, one within, and one before what is young.
        for a, b in ((0, 250), (320, 330), (445, 450)):
            db.execute('UPDATE messages SET at = at + ? WHERE id >= ? AND '
                       'id < ?', (10 * 365 * 86400000, first + a, first + b))
        front, last = db.execute('SELECT min(id), max(id) FROM audit'
                                 ).fetchone()
    db.close()
    age(d, 1, 1000, (*range(front, front + 120), last - 3))
    d.start()
    ann.sign_in().open().enter(d.one)
    for i in range(5):
        ann.say('young words %d' % i)
    d.do('retention', 'set', 'acme', 'audit', '366')
    d.do('retention', 'set', 'acme', 'chat', '30')
    rows = kept(d, 'purge', 'run')
    equal((rows['chat']['count'], rows['chat']['due']), (10, 0), 'chat')
    equal(rows['audit']['due'], 0, 'audit')
    with sqlite3.connect('file:%s?mode=ro' % path, uri=True) as db:
        now, = db.execute('SELECT min(id) FROM audit').fetchone()
    db.close()
    equal(now, last + 1, 'the trail begins behind what was old')
    chain(d, 'acme')
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies')


def unset(d, ann):
    """what was written by a clock that was behind is not taken for old"""
    d.do('purge', 'run')
    d.stop()
    long_ago(d, 250, 100)
    path = d.path('data', 'tenants', '1', 'main.db')
    with sqlite3.connect(path) as db:
        first, = db.execute('SELECT min(id) FROM messages').fetchone()
        young = int((time.time() - 86400) * 1000)

        def said(a, b, at):
            db.execute('UPDATE messages SET at = ? WHERE id >= ? AND id < ?',
                       (at, first + a, first + b))
        # Some among what is old, the others among and before what is young.
        said(0, 10, 1000)
        said(120, 130, 2000)
        said(180, 190, 3000)
        said(190, 250, young)
        said(200, 210, 4000)
        said(220, 230, young - 100 * 86400000)
        front, = db.execute('SELECT min(id) FROM audit').fetchone()
    db.close()
    age(d, 1, 0, range(front, front + 5), 5000)
    log = d.path('data', 'tenants', '1', 'log-197001.db')
    shutil.copy(d.path('data', 'tenants', '1', months(d)[0]), log)
    shutil.chown(log, '_risastor')
    d.start()
    d.do('retention', 'set', 'acme', 'chat', '30')
    rows = kept(d, 'purge', 'run')
    with sqlite3.connect('file:%s?mode=ro' % path, uri=True) as db:
        left = [i - first for i, in db.execute('SELECT id FROM messages '
                                               'ORDER BY id')]
        now, = db.execute('SELECT min(id) FROM audit').fetchone()
    db.close()
    equal(left, list(range(180, 250)), 'what is as old as something young')
    equal(now, front, 'the trail')
    check(os.path.exists(log) and rows['log']['due'] == 0, 'access log')
    chain(d, 'acme')
    d.stop()
    os.unlink(log)
    d.start()


def quiet(d, ann):
    """nobody waits while it goes: chat is answered all the time"""
    d.stop()
    long_ago(d, 20000, 100)
    d.start()
    p = d.person('acme', 'ben%d@acme.example' % int(time.time()))
    p.open().enter(d.one)
    done = []
    t = threading.Thread(target=lambda: done.append(kept(d, 'purge', 'run')))
    t.start()
    n = 0
    while t.is_alive():
        p.insist('ack', t='say', to='floor', text='meanwhile %d' % n,
                 ref='m%d' % n)
        n += 1
    t.join()
    equal(kept(d)['chat']['count'], n, 'what was said meanwhile')
    check(n >= 3, '%d messages while 20000 went' % n)
    equal(done[0]['chat']['due'], 0, 'all gone')
    p.close()


def killed(d, ann):
    """a kill in the middle loses nothing that is to stay"""
    d.stop()
    long_ago(d, 5000, 100)
    d.start()
    ann.sign_in().open().enter(d.one)
    for i in range(5):
        ann.say('stays %d' % i)
    run = subprocess.Popen([RISACTL, '-s', d.path('risad.sock'), 'purge',
                            'run'], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    until(lambda: kept(d)['chat']['count'] < 5005, 'it has begun')
    os.kill(d.pids()[('storage', 0)], 9)
    run.wait(30)
    until(lambda: d.ctl('purge', 'run')[0] == 0, 'goes on')
    equal(kept(d)['chat']['count'], 5, 'what stays')
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies')


def main():
    d = Daemon(more='password hash memory 64 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    d.one = d.floor('acme', 'One')
    ann = d.person('acme', 'ann@acme.example')
    ann.open().enter(d.one)
    s = Suite(d)
    s.run_test(rules, d)
    for fn in (purged, ahead, unset, quiet, killed):
        s.run_test(fn, d, ann, restarts=True)
    ann.close()
    s.end()


if __name__ == '__main__':
    main()
