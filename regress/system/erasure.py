#!/usr/bin/env python3
"""Erasure while the tenant is in use, and what a hold keeps (J10)."""

import glob
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, slowest, until               # noqa: E402
from trail import (age, age_own, chain, chatter, names_in,      # noqa: E402
                   said, system_trail, trail)

FORMER = ''                             # the page has words for it


def rows(d, sql, *args):
    db = sqlite3.connect('file:%s?mode=ro' % d.path(
        'data', 'tenants', '1', 'main.db'), uri=True)
    got = db.execute(sql, args).fetchall()
    db.close()
    return got


def bytes_of(d):
    """All bytes of the tenant's database, its log included."""
    data = b''
    for path in glob.glob(d.path('data', 'tenants', '1', 'main.db*')):
        with open(path, 'rb') as f:
            data += f.read()
    return data


def gone(d, blobs, what):
    """None of these is in the file, its log or its index of that."""
    def none():
        data = bytes_of(d)
        return not any(b in data for b in blobs)
    until(none, '%s: is still there' % what)


def written(d, where, *args):
    got = [r[0] for r in rows(d, 'SELECT text FROM messages WHERE ' + where,
                              *args)]
    check(got and all(b in bytes_of(d) for b in got), 'there before')
    return got


def texts(p, channel):
    return [(m['name'], m['text']) for m in
            p.history(channel, limit=100)['messages']]


def nothing_of(d, user):
    """No table but those of messages and the trail knows the number."""
    for table, column in (('users', 'id'), ('tokens', 'user'),
                          ('links', 'user'), ('factors', 'user'),
                          ('passkeys', 'user'), ('passwords', 'user'),
                          ('old_passwords', 'user'), ('places', 'user'),
                          ('reads', 'user'), ('audit_names', 'user'),
                          ('dms', 'a'), ('dms', 'b')):
        equal(rows(d, 'SELECT count(*) FROM %s WHERE %s = ?' % (
            table, column), user), [(0,)], table)


def keep(d, boss, ben):
    """a person is erased: out at once, what was said stays without a name"""
    ann = d.person('acme', 'ann@acme.example', name='Annabel Lee')
    ann.open().enter(d.one)
    ann.say('from a former member')
    ann.say('for ben alone', {'user': ben.id})
    ben.hears('for ben alone')
    ben.api('POST', '/admin/groups', {'name': 'G', 'members': [ann.id]}, 403)
    boss.api('POST', '/admin/groups', {'name': 'G', 'members': [ann.id]}, 201)
    boss.api('PATCH', '/admin/users/%d' % ann.id, {'name': 'Annabel Poe'},
             200)
    check(any('[Annabel Lee] to [Annabel Poe]' in r['text']
              for r in d.json('audit', 'show', 'tenant', 'acme',
                              'last', '50')['lines']), 'names, before')
    direct = written(d, 'kind = 2')
    named = written(d, 'kind = 0 AND sender = ?', ann.id)
    sealed = [v for r in rows(d, 'SELECT mail, mail_key, profile, rights, '
                              'secret FROM users WHERE id = ?', ann.id)
              for v in r if v]
    boss.api('POST', '/admin/users/%d/erase' % ann.id, {}, 422)
    boss.api('POST', '/admin/users/%d/erase' % ann.id,
             {'messages': 'all'}, 422)
    ben.api('POST', '/admin/users/%d/erase' % ann.id,
            {'messages': 'keep'}, 403)
    boss.api('POST', '/admin/users/4711/erase', {'messages': 'keep'}, 404)
    boss.api('POST', '/admin/users/%d/erase' % ann.id,
             {'messages': 'keep'}, 204)
    ann.wait('#close')
    ben.wait('left')
    m = ben.wait('cleared', lambda m: m.get('user') == ann.id)
    equal(m['messages'], 'unname', 'told')
    equal(texts(ben, 'floor:%d' % d.one), [(FORMER, 'from a former member')],
          'at once')
    until(lambda: rows(d, 'SELECT count(*) FROM erasures') == [(0,)], 'done')
    equal(texts(ben, 'floor:%d' % d.one), [(FORMER, 'from a former member')],
          'and then')
    ben.tell(t='history', channel='user:%d' % ann.id, ref='h')
    ben.error('no-user', ref='h')
    nothing_of(d, ann.id)
    gone(d, direct, 'direct messages')
    gone(d, named, 'the message with its name')
    gone(d, sealed, 'the row')
    equal(names_in(d, 'acme', b'Annabel'), [], 'opened by the second reader')
    lines = d.json('audit', 'show', 'tenant', 'acme', 'last', '50')['lines']
    check(not any('Annabel' in r['text'] or 'ann@' in r['text']
                  for r in lines), 'the trail')
    check(any(r['text'].endswith('(names erased)') for r in lines), lines)
    check(any('erase user %d, messages stay without a name' % ann.id
              in r['text'] for r in lines), lines)
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies without them')
    r = ann.api('POST', '/session', {'email': ann.mail,
                                     'password': ann.password})
    equal(r.status, 401, 'sign-in')


def everything(d, boss, ben):
    """with all messages, by an operator, of whom the trails have a number"""
    cat = d.person('acme', 'cat@acme.example')
    cat.open().enter(d.one)
    cat.say('of cat')
    ben.say('of ben')
    n = cat.id
    blobs = written(d, 'sender = ?', n)
    equal(d.ctl('user', 'erase', 'acme', 'cat@acme.example')[0], 2, 'how')
    equal(d.ctl('user', 'erase', 'acme', 'nobody@acme.example', 'messages',
                'keep')[0], 1, 'nobody')
    d.do('user', 'erase', 'acme', 'cat@acme.example', 'messages', 'erase')
    cat.wait('#close')
    equal(ben.wait('cleared', lambda m: m.get('user') == n)['messages'],
          'erase', 'told')
    check(('cat', 'of cat') not in texts(ben, 'floor:%d' % d.one), 'gone')
    check('of ben' in [t for _, t in texts(ben, 'floor:%d' % d.one)], 'ben')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE sender = ?', n),
          [(0,)], 'rows')
    gone(d, blobs, 'messages')
    nothing_of(d, n)
    own = [x for x in system_trail(d) if 'uid 0: erase' in x]
    check(own[-1] == 'uid 0: erase acme user %d, messages too: done' % n, own)
    check(not any('cat@' in x for x in own), own)
    # The last administrator stays.
    code, _, err = d.ctl('user', 'erase', 'acme', boss.mail, 'messages',
                         'keep')
    equal(code, 1, err)


def ranges(d, boss, ben):
    """a time on a floor, a floor, two people, all floors, everything"""
    dan = d.person('acme', 'dan@acme.example')
    dan.open().enter(d.one)
    channel = 'floor:%d' % d.one
    first = dan.say('before')['at']
    time.sleep(0.01)
    mid = dan.say('within')
    time.sleep(0.01)
    dan.say('after')
    two = d.floor('acme', 'Other')
    ben.enter(two)
    ben.say('elsewhere')
    ben.say('to dan', {'user': dan.id})
    blobs = written(d, 'id = ?', mid['id'])
    for body in ({'from': 'x'}, {'until': 1}, {'from': -1},
                 {'from': 9, 'to': 3}):
        equal(boss.api('POST', '/admin/floors/%d/erase' % d.one,
                       body).status, 422, body)
    boss.api('POST', '/admin/floors/4711/erase', {}, 404)
    ben.api('POST', '/admin/floors/%d/erase' % d.one, {}, 403)
    boss.api('POST', '/admin/messages/erase', {}, 422)
    boss.api('POST', '/admin/floors/%d/erase' % d.one,
             {'from': first + 1, 'to': mid['at']}, 204)
    m = dan.wait('cleared')
    equal((m['floor'], m['to'] >= mid['at']), (d.one, True), 'told')
    said = [t for _, t in texts(dan, channel)]
    check('before' in said and 'after' in said and 'within' not in said, said)
    until(lambda: rows(d, 'SELECT count(*) FROM erasures') == [(0,)], 'done')
    gone(d, blobs, 'within')
    check(any(x.startswith('by user %d: erase messages of floor %d, from 20'
                           % (boss.id, d.one)) for x in trail(d, 'acme')),
          'trail')
    check(not any('within' in x for x in trail(d, 'acme')), 'no text')
    d.do('chat', 'erase', 'acme', 'floor', 'One')
    equal(texts(dan, channel), [], 'the floor')
    equal([t for _, t in texts(ben, 'floor:%d' % two)], ['elsewhere'],
          'the other one')
    equal([t for _, t in texts(dan, 'user:%d' % ben.id)], ['to dan'], 'two')
    # An administrator's time is of floors; what two have written is not his.
    boss.api('POST', '/admin/messages/erase', {'from': 1}, 204)
    until(lambda: texts(ben, 'floor:%d' % two) == [], 'all floors')
    equal([t for _, t in texts(dan, 'user:%d' % ben.id)], ['to dan'], 'two')
    d.do('chat', 'erase', 'acme', 'between', 'ben@acme.example', 'and',
         'dan@acme.example')
    equal(texts(dan, 'user:%d' % ben.id), [], 'the two')
    m = ben.wait('cleared', lambda m: 'channel' in m)
    equal(m['channel'], 'user:%d' % dan.id, 'as he knows it')
    equal(dan.wait('cleared', lambda m: 'channel' in m)['channel'],
          'user:%d' % ben.id, 'and he')
    ben.say('again', {'user': dan.id})
    equal(d.ctl('chat', 'erase', 'acme', 'all')[0], 2, 'no time')
    d.do('chat', 'erase', 'acme', 'all', 'from', '1h')
    equal(rows(d, 'SELECT count(*) FROM messages'), [(0,)], 'everything')
    equal(rows(d, 'SELECT count(*) FROM dms'), [(0,)], 'conversations')
    # What comes after is not meant.
    ben.say('new')
    equal([t for _, t in texts(ben, 'floor:%d' % two)], ['new'], 'new')
    ben.enter(d.one)
    dan.close()


def neighbours(d, boss, ben):
    """the other tenant has the same numbers, and loses nothing"""
    eve = d.person('globex', 'eve@globex.example', 'admin')
    floor = d.floor('globex', 'One')
    eve.open().enter(floor)
    eve.say('of globex')
    equal(floor, d.one, 'the same number')
    ben.say('of acme')
    eve.api('POST', '/admin/users/%d/erase' % ben.id,
            {'messages': 'erase'}, 404)
    d.do('chat', 'erase', 'acme', 'floor', '1')
    eve.settle()
    check(eve.find('cleared') is None, 'told the neighbour')
    equal([t for _, t in texts(eve, 'floor:%d' % floor)], ['of globex'],
          'still there')
    eve.close()


def many(d, boss, ben):
    """20000 messages of one go while chat is answered, over two kills"""
    fay = d.person('acme', 'fay@acme.example')
    n = fay.id
    fay.close()
    d.stop()
    said(d, 1, n, 'fay', ['of fay %d' % i for i in range(20000)], 0, d.one, 0)
    said(d, 1, n, 'fay', ['to ben %d' % i for i in range(3000)], 2,
         min(n, ben.id), max(n, ben.id))
    d.start()
    ben.sign_in().open().enter(d.one)
    usual = slowest(lambda i: ben.say('before %d' % i, {'user': boss.id}))
    run = subprocess.Popen([RISACTL, '-s', d.path('risad.sock'), 'user',
                            'erase', 'acme', 'fay@acme.example', 'messages',
                            'erase'], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    ben.wait('cleared', lambda m: m.get('user') == n)
    count = 'SELECT count(*) FROM messages WHERE sender = ?'
    check(rows(d, count, n)[0][0] > 1000, 'not at once')
    # Nobody reads it any more, and nobody waits.
    equal(texts(ben, 'floor:%d' % d.one), [], 'history')
    took = []
    for i in range(2):
        for j in range(10):
            t = time.monotonic()
            ben.say('meanwhile %d %d' % (i, j))
            took.append(time.monotonic() - t)
        left = rows(d, count, n)[0][0]
        os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
        until(lambda: d.ctl('tenant', 'list')[0] == 0, 'back')
        check(left > 0, 'a kill in between')
        ben.sign_in().open().enter(d.one)
        equal(len(texts(ben, 'floor:%d' % d.one)), 10 * (i + 1), 'history')
    run.wait(30)
    until(lambda: rows(d, 'SELECT count(*) FROM erasures') == [(0,)], 'done',
          60)
    equal(rows(d, count, n), [(0,)], 'all gone')
    equal(len(texts(ben, 'floor:%d' % d.one)), 20, 'and no other')
    check(max(took) < 1 + 10 * usual, 'a message took %.3f s' % max(took))
    last = [x for x in trail(d, 'acme') if ' done: ' in x][-1]
    check(last.endswith(' done: 23000 messages erased, 0 without their name'),
          last)


def names(d, boss, ben):
    """nobody reads the name of one who has written much, from the first on"""
    gil = d.person('acme', 'gil@acme.example', name='Gil Former')
    n = gil.id
    gil.close()
    d.stop()
    said(d, 1, n, 'Gil Former', ['of gil %d' % i for i in range(5000)], 0,
         d.one, 0)
    d.start()
    ben.sign_in().open().enter(d.one)
    boss.sign_in()
    channel = 'floor:%d' % d.one
    equal(len([t for t in texts(ben, channel) if t[0] == 'Gil Former']), 100,
          'before')
    boss.api('POST', '/admin/users/%d/erase' % n, {'messages': 'keep'}, 204)
    ben.wait('cleared', lambda m: m.get('user') == n)
    equal({t[0] for t in texts(ben, channel)}, {FORMER}, 'at once')
    check(len(names_in(d, 'acme', b'Gil Former')) > 100, 'not done yet')
    os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
    until(lambda: d.ctl('tenant', 'list')[0] == 0, 'back')
    ben.sign_in().open().enter(d.one)
    equal({t[0] for t in texts(ben, channel)}, {FORMER}, 'after a kill')
    until(lambda: rows(d, 'SELECT count(*) FROM erasures') == [(0,)], 'done',
          60)
    equal(names_in(d, 'acme', b'Gil Former'), [], 'nowhere')
    equal({t[0] for t in texts(ben, channel)}, {FORMER}, 'and then')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE sender = ?', n),
          [(5000,)], 'all are there')
    last = [x for x in trail(d, 'acme') if ' done: ' in x][-1]
    check(last.endswith(' done: 0 messages erased, 5000 without their name'),
          last)


def parallel(d, boss, ben):
    """two at once, of two floors and of one: each ends, nothing goes twice"""
    ben.say('one of many')
    errors = []

    def run(*words):
        code, _, err = d.ctl('chat', 'erase', 'acme', *words)
        if code != 0:
            errors.append(err)
    ts = [threading.Thread(target=run, args=w) for w in (
        ('floor', 'One'), ('floor', 'One'), ('floor', 'Other'),
        ('floors', 'from', '1h'))]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    equal(errors, [], 'all done')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE kind < 2'), [(0,)],
          'gone')


def restored(d, boss, ben):
    """an erasure that a backup caught under way goes on when that is back"""
    floor = d.floor('acme', 'Full')
    d.do('retention', 'set', 'acme', 'chat', '0')

    def caught():
        d.stop()
        chatter(d, 1, d.one, 10, days=100)
        chatter(d, 1, floor, 20000)
        d.start()
        t = threading.Thread(target=d.do, args=(
            'chat', 'erase', 'acme', 'floor', 'Full'))
        t.start()
        until(lambda: rows(d, 'SELECT count(*) FROM erasures') != [(0,)],
              'it has begun')
        stamp = d.json('backup', 'now')['backup']['stamp']
        t.join()
        db = sqlite3.connect('file:%s?immutable=1' % d.path(
            'data', 'backup', stamp, 'tenants', '1', 'main.db'), uri=True)
        there = db.execute('SELECT count(*) FROM erasures').fetchone()
        db.close()
        return stamp if there == (1,) else None
    stamp = until(caught, 'a backup of one under way', 120)
    d.do('retention', 'set', 'acme', 'chat', '30')
    d.do('purge', 'run', 'tenant', 'acme')
    equal(rows(d, 'SELECT count(*) FROM messages'), [(0,)], 'all has gone')
    d.do('backup', 'restore', stamp, 'tenant', 'acme')
    until(lambda: rows(d, 'SELECT count(*) FROM erasures') == [(0,)], 'done')
    until(lambda: rows(d, 'SELECT count(*) FROM messages') == [(0,)],
          'nor is what had grown old kept')


def held(d, boss, ben):
    """who is held: not erased, not his messages, not a floor with them"""
    gus = d.person('acme', 'gus@acme.example')
    gus.open().enter(d.one)
    mine = gus.say('evidence')
    his = gus.say('evidence for ben', {'user': ben.id})
    equal(d.ctl('hold', 'set', 'acme', 'user', gus.mail)[0], 2, 'no reason')
    d.do('hold', 'set', 'acme', 'user', gus.mail, 'reason', 'Case 12/2026')
    row, = d.json('hold', 'show', 'acme')['holds']
    equal((row['email'], row['reason'], row['operator'], row['user']),
          (gus.mail, 'Case 12/2026', 0, gus.id), 'shown')
    check('by operator 0: set hold of user %d, reason [Case 12/2026]' % gus.id
          in trail(d, 'acme'), 'trail')
    for who, words in (
            (gus, ('user', 'erase', 'acme', gus.mail, 'messages', 'keep')),
            (gus, ('user', 'erase', 'acme', gus.mail, 'messages', 'erase')),
            (gus, ('user', 'delete', 'acme', gus.mail)),
            (ben, ('user', 'delete', 'acme', ben.mail)),
            (ben, ('chat', 'erase', 'acme', 'floor', 'One')),
            (ben, ('floor', 'delete', 'acme', 'One')),
            (ben, ('chat', 'erase', 'acme', 'floors', 'from', '1h')),
            (ben, ('chat', 'erase', 'acme', 'all', 'from', '1h')),
            (ben, ('chat', 'erase', 'acme', 'between', gus.mail, 'and',
                   ben.mail))):
        code, _, err = d.ctl(*words)
        check(code == 1 and 'a legal hold forbids it' in err, (words, err))
    r = boss.api('POST', '/admin/users/%d/erase' % gus.id,
                 {'messages': 'keep'}, 409)
    equal(r.json()['type'], '/problems/held', 'held')
    boss.api('DELETE', '/admin/users/%d' % gus.id, want=409)
    boss.api('POST', '/admin/floors/%d/erase' % d.one, {}, 409)
    for n, channel in ((mine['id'], 'floor:%d' % d.one),
                       (his['id'], 'user:%d' % ben.id)):
        gus.tell(t='erase', channel=channel, id=n, ref='e%d' % n)
        gus.error('held', ref='e%d' % n)
    # Of others, and where he has not written, it goes on.
    ben.say('mere chat')
    d.do('chat', 'erase', 'acme', 'floor', 'Other')
    d.do('hold', 'clear', 'acme', 'user', gus.mail)
    equal(d.ctl('hold', 'clear', 'acme', 'user', gus.mail)[0], 1, 'none')
    equal(d.json('hold', 'show', 'acme')['holds'], [], 'shown')
    # The whole tenant, with its reason.
    d.do('hold', 'set', 'acme', 'reason', 'Case 13')
    equal(d.ctl('chat', 'erase', 'acme', 'floor', 'Other')[0], 1, 'all held')
    equal([r['reason'] for r in d.json('hold', 'show', 'acme')['holds']],
          ['Case 13'], 'shown')
    d.do('hold', 'clear', 'acme')
    d.do('chat', 'erase', 'acme', 'floor', 'One')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE kind < 2'), [(0,)],
          'gone')
    gus.close()


def aged(d, boss, ben):
    """by age all goes but what a held one sent, got, and did"""
    hal = d.person('acme', 'hal@acme.example')
    hal.open().enter(d.one)
    hal.say('his own')
    hal.say('his to ben', {'user': ben.id})
    ben.say('to him', {'user': hal.id})
    ben.say('of ben alone')
    d.do('hold', 'set', 'acme', 'user', hal.mail, 'reason', 'Case 14')
    d.do('retention', 'set', 'acme', 'chat', '30')
    d.do('retention', 'set', 'acme', 'audit', '366')
    hal.close()
    lines = trail(d, 'acme')
    d.stop()
    db = sqlite3.connect(d.path('data', 'tenants', '1', 'main.db'))
    db.execute('UPDATE messages SET at = at - 9000000000')
    # He has been here since January 2024.
    db.execute('UPDATE users SET created = 1704067200000 WHERE id = ?',
               (hal.id,))
    db.commit()
    db.close()
    age(d, 1, 1000)
    logs = []
    for month in '202312', '202401':
        logs.append(d.path('data', 'tenants', '1', 'log-%s.db' % month))
        shutil.copy(sorted(glob.glob(d.path('data', 'tenants', '1',
                                            'log-*.db')))[-1], logs[-1])
        shutil.chown(logs[-1], '_risastor')
    d.start()
    d.do('purge', 'run', 'tenant', 'acme')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE sender = ? OR kind = 2',
               hal.id), [(3,)], 'kept')
    equal(rows(d, 'SELECT count(*) FROM messages WHERE sender = ? '
               'AND kind = 0', ben.id), [(0,)], 'the others')
    now = trail(d, 'acme')
    first = [x for x in lines if 'user %d' % hal.id in x][0]
    equal(now[0], first, 'the trail begins with him')
    chain(d, 'acme')
    equal([os.path.exists(x) for x in logs], [False, True],
          'the months since he came')
    d.do('hold', 'clear', 'acme', 'user', hal.mail)
    d.do('purge', 'run', 'tenant', 'acme')
    equal(rows(d, 'SELECT count(*) FROM messages'), [(0,)], 'free')
    check(first not in trail(d, 'acme'), 'the trail')
    check(not os.path.exists(logs[1]), 'the month')
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies')


def own(d, boss, ben):
    """the installation's own trail: three years, one at least, 20 at most"""
    def audit():
        return {r['kind']: r for r in d.json('purge', 'show')['kept']
                if r['tenant'] is None}
    equal((audit()['audit']['days'], audit()['log']['days']), (1096, 366),
          'by default')
    for days in ('365', '7307', '0'):
        code, _, err = d.ctl('retention', 'installation', 'audit', days)
        check(code == 1 and 'is not from 366 to 7306' in err, err)
    equal(d.ctl('retention', 'installation', 'log', '183')[0], 1, 'log')
    d.do('retention', 'installation', 'audit', '400')
    check('by operator 0: set audit-days of the installation from 1096 to 400'
          in system_trail(d), 'trail')
    before = len(system_trail(d))
    d.stop()
    age_own(d, 500)
    d.start()
    equal(audit()['audit']['days'], 400, 'after a restart')
    due = audit()['audit']['due']
    check(due >= before, due)
    d.do('purge', 'run')
    equal(audit()['audit']['due'], 0, 'gone')
    left = system_trail(d)
    check(len(left) < before, '%d lines of %d' % (len(left), before))
    check(any(x.startswith('purged by age: 0 messages, %d audit lines'
                           % due) for x in left), left)
    chain(d, None)
    equal(d.ctl('audit', 'verify')[0], 0, 'verifies')


def main():
    d = Daemon(more='password hash memory 64 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    d.one = d.floor('acme', 'One')
    boss = d.person('acme', 'boss@acme.example', 'admin')
    ben = d.person('acme', 'ben@acme.example')
    ben.open().enter(d.one)
    s = Suite(d)
    for fn in (keep, everything, ranges, neighbours):
        s.run_test(fn, d, boss, ben)
    for fn in (many, names):
        s.run_test(fn, d, boss, ben, restarts=True)
    boss.retry('POST', '/session', {'email': boss.mail,
                                    'password': boss.password}, 201)
    boss.sign_in()
    for fn in (parallel, held):
        s.run_test(fn, d, boss, ben)
    for fn in (aged, own, restored):
        s.run_test(fn, d, boss, ben, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
