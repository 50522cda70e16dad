#!/usr/bin/env python3
"""Backups: made while people chat, verified, rehearsed, restored; and what is
damaged, too old, half done or erased."""

import ctypes
import glob
import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from imsg import HELLO, TYPES, Client, imsg, text                # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, Failure, Person, slowest, \
    until                                                       # noqa: E402
from trail import chain, chatter, system_trail, trail           # noqa: E402

WORDS = 'Xenolith words of a tenant'
SECRET = 'Quixotic words of the erased'
BIG = 60000             # messages: a backup of them takes some seconds
CLONE_NEWNS = 0x00020000


def backups(d):
    return d.json('backup', 'list')['backups']


def now(d):
    """A new one; its row."""
    return d.json('backup', 'now')['backup']


def place(d, *names):
    return d.path('data', 'backup', *names)


def names(d):
    return sorted(os.listdir(place(d)))


def files(d, stamp):
    """All files of a generation, by their names in it."""
    top = place(d, stamp)
    return sorted(os.path.relpath(os.path.join(at, f), top)
                  for at, _, found in os.walk(top) for f in found)


def number(d, tenant):
    return d.json('tenant', 'show', tenant)['tenant']['id']


def texts(p, floor):
    return [m['text'] for m in p.history('floor:%d' % floor)['messages']]


def furnished(d, tenant, text=WORDS):
    """A tenant with somebody in it who has said something."""
    d.do('tenant', 'add', tenant)
    floor = d.floor(tenant, 'One')
    p = d.person(tenant, 'ann@%s.example' % tenant, 'admin')
    p.open().enter(floor)
    p.say(text)
    return p, floor


def back(p, floor):
    """Sign in again, and be on the floor."""
    p.close()
    q = Person(p.daemon, p.tenant, p.mail)
    q.refs = time.monotonic_ns() // 1000    # it does not say again
    q.sign_in().open().enter(floor)
    return q


def bytes_below(path):
    for at, _, found in os.walk(path):
        for f in found:
            with open(os.path.join(at, f), 'rb') as file:
                yield os.path.join(at, f), file.read()


def made(d, ann, one):
    """one on demand: all files, no key, nothing in clear, and it verifies"""
    d.do('policy', 'set', 'acme', 'chat-days', '100')
    row = now(d)
    check(re.fullmatch(r'\d{8}T\d{6}Z', row['stamp']), row)
    month = time.strftime('%Y%m', time.gmtime())
    n = number(d, 'acme')
    got = files(d, row['stamp'])
    for name in ('manifest', 'system.db', 'log-%s.db' % month,
                 'tenants/%d/main.db' % n, 'tenants/%d/log-%s.db' % (n,
                                                                   month)):
        check(name in got, '%s in %r' % (name, got))
    check(not any('key' in f for f in got), got)
    equal((row['fault'], row['rehearsed']), ('', None), 'row')
    check(row['verified'] is not None, row)
    with open(place(d, row['stamp'], 'manifest')) as f:
        lines = f.read().split('\n')
    size = 0
    for line in lines:
        if not line.startswith('file '):
            continue
        o = dict(zip(line.split(' ')[1::2], line.split(' ')[2::2]))
        name = ('tenants/%s/' % o['tenant'] if o['tenant'] != '0' else '') + (
            'log-%s.db' % o['month'] if o['month'] != '0' else
            'system.db' if o['tenant'] == '0' else 'main.db')
        with open(place(d, row['stamp'], name), 'rb') as f:
            data = f.read()
        equal((len(data), hashlib.sha256(data).hexdigest()),
              (int(o['bytes']), o['sha256']), name)
        size += len(data)
        if (o['name'], o['month']) == ('acme', '0'):
            equal((o['users'], o['floors']), ('1', '1'), 'counts')
            check(int(o['messages']) >= 1 and int(o['lines']) >= 4, o)
    equal((row['bytes'], row['files']), (size, len(got) - 1), 'sums')
    for path, data in bytes_below(place(d, row['stamp'])):
        for word in (WORDS, 'ann@acme.example'):
            check(word.encode() not in data, '%s in %s' % (word, path))
    equal(backups(d)[-1], row, 'listed')
    parts = d.json('backup', 'verify', row['stamp'])['parts']
    equal(len(parts), row['files'], 'parts')
    check(all(p['done'] for p in parts), parts)
    # The newest, when none is named; and what was said is in the trail.
    d.do('backup', 'verify')
    check('uid 0: backup %s: made: done' % row['stamp'] in system_trail(d),
          system_trail(d)[-3:])
    d.do('policy', 'set', 'acme', 'chat-days', '0')


def kept(d, ann, one):
    """the oldest goes when there are more than are kept, and never before"""
    for _ in range(4):
        last = now(d)
    rows = backups(d)
    equal([r['stamp'] for r in rows], names(d), 'names')
    equal((len(rows), rows[-1]), (3, last), 'three')


def rehearsed(d, ann, one):
    """a rehearsal says what it did, is kept in mind, and leaves nothing"""
    now(d)
    parts = d.json('backup', 'rehearse')['parts']
    check(all(p['done'] and 'restored and read in' in p['note']
              for p in parts), parts)
    check(backups(d)[-1]['rehearsed'] is not None, backups(d)[-1])
    check(backups(d)[-2]['rehearsed'] is None, 'another')
    equal(names(d), [r['stamp'] for r in backups(d)], 'nothing left')


def restored(d, ann, one):
    """one tenant goes back, its trail goes on, and others notice nothing"""
    p, floor = furnished(d, 'back')
    stamp = now(d)['stamp']
    p.say('said after the backup')
    old = p.http.cookie
    d.do('floor', 'add', 'back', 'Later')
    d.do('user', 'add', 'back', 'later@back.example')
    d.do('hold', 'set', 'back', 'user', 'ann@back.example', 'reason', 'Court')
    code, out, err = d.ctl('backup', 'restore', stamp, 'tenant', 'back')
    check(code == 1 and 'there is a hold' in out + err, (code, out, err))
    equal(d.ctl('hold', 'clear', 'back', 'user', 'ann@back.example')[0], 0,
          'no hold any more')
    kept_points = d.path('points')
    until(lambda: ' name=back ' in d.do('audit', 'checkpoints'), 'a point',
          90)
    with open(kept_points, 'w') as f:
        f.write(d.do('audit', 'checkpoints'))
    before = trail(d, 'back')
    part, = d.json('backup', 'restore', stamp, 'tenant', 'back')['parts']
    check(part['done'] and part['tenant'] == 'back', part)
    p.wait('#close')
    r = p.api('GET', '/session')
    equal((p.http.cookie, r.status), (old, 401), 'the sign-in is over')
    p = back(p, floor)
    equal(texts(p, floor), [WORDS], 'as it was then')
    equal([f['name'] for f in d.json('floor', 'list', 'back')['floors']],
          ['One'], 'its floors')
    lines = trail(d, 'back')
    equal(lines[:len(before)], before, 'the lines since then')
    check('uid 0: restored from the backup %s' % stamp in lines, lines)
    check('later@back.example' in d.do('audit', 'show', 'tenant', 'back'),
          'the names beside those lines')
    chain(d, 'back')
    d.do('audit', 'verify', 'against', kept_points, 'key',
         d.path('keys', 'sign.pub'))
    check('uid 0: tenant back: restored from the backup %s: done' % stamp in
          system_trail(d), system_trail(d)[-3:])
    p.say('and on it goes')
    ann.say('all the while')
    equal(glob.glob(d.path('data', 'tenants', '*', 'main.[no]*')), [],
          'nothing is left')
    # Forth again: what a newer one has, and again the trail goes on.
    newer = now(d)['stamp']
    d.do('backup', 'restore', stamp, 'tenant', 'back')
    d.do('backup', 'restore', newer, 'tenant', 'back')
    p = back(p, floor)
    equal(texts(p, floor), [WORDS, 'and on it goes'], 'the newer one')
    chain(d, 'back')
    d.do('audit', 'verify', 'against', kept_points, 'key',
         d.path('keys', 'sign.pub'))
    p.close()


def held(d, ann, one):
    """a hold that is set while a restore goes on is kept, with what it holds"""
    p, floor = furnished(d, 'held')
    p.close()
    stamp = now(d)['stamp']
    # So many lines that it takes a while to carry them over.
    rows = ['email,name,role,groups'] + ['u%d@held.example,U,member,' % i
                                         for i in range(2000)]
    for name in ('U', 'V', 'W', 'X'):
        with open(d.path('people'), 'w') as f:
            f.write('\n'.join(r.replace(',U,', ',%s,' % name)
                              for r in rows) + '\n')
        d.do('user', 'import', 'held', d.path('people'))
    wal = d.path('data', 'tenants', str(number(d, 'held')), 'main.new-wal')
    done = []

    def refused():
        done.clear()
        t = threading.Thread(target=lambda: done.append(d.ctl(
            'backup', 'restore', stamp, 'tenant', 'held')))
        t.start()
        until(lambda: os.path.exists(wal) or done, 'the first look is over')
        d.do('hold', 'set', 'held', 'user', p.mail, 'reason', 'Court')
        t.join()
        equal([r['email'] for r in d.json('hold', 'show', 'held')['holds']],
              [p.mail], done)
        d.do('hold', 'clear', 'held', 'user', p.mail)
        return done[0][0] == 1 and 'there is a hold' in done[0][1]
    # Else the restore was over before.
    until(refused, 'the hold came in time', 120)
    d.do('tenant', 'erase', 'held', 'confirm', 'held', d.path('held-end'))


def ruined(d, ann, one):
    """a tenant whose file is ruined comes back, and says what is lost"""
    p, floor = furnished(d, 'ruin')
    stamp = now(d)['stamp']
    n = number(d, 'ruin')
    path = d.path('data', 'tenants', str(n), 'main.db')
    d.stop()
    size = os.path.getsize(path)
    with open(path, 'r+b') as f:
        f.write(os.urandom(size))
    d.start()
    equal(p.api('GET', '/floors').status, 503, 'it is away')
    # A backup that cannot have it says so, and no old one goes for it.
    code, out, err = d.ctl('backup', 'now')
    check(code == 1 and 'ruin' in err, err)
    check('ruin' in backups(d)[-1]['fault'], backups(d)[-1])
    equal(backups(d)[-1]['tenants'], len(d.json('tenant', 'list')['tenants']
                                         ) - 1, 'all but one')
    check(stamp in names(d) and len(names(d)) > 3, names(d))
    part, = d.json('backup', 'restore', stamp, 'tenant', 'ruin')['parts']
    check('trail since then is lost' in part['note'], part)
    p = back(p, floor)
    equal(texts(p, floor), [WORDS], 'it is back')
    check('lines of this trail since then are lost' in trail(d, 'ruin')[-1] or
          any('are lost' in t for t in trail(d, 'ruin')), trail(d, 'ruin'))
    equal(d.ctl('audit', 'verify', 'tenant', 'ruin')[0], 0, 'whole')
    p.close()
    now(d)


def numbers(d, ann, one):
    """nobody who comes after a restore has a number that was another one's"""
    p, floor = furnished(d, 'numbers')
    stamp = now(d)['stamp']
    n = number(d, 'numbers')

    def came(who):
        g = p.api('POST', '/admin/groups', {'name': who, 'members': []}, 201)
        return (d.person('numbers', who + '@numbers.example').id,
                d.floor('numbers', who), g.json()['group']['id'])

    last = came('second')
    d.do('backup', 'restore', stamp, 'tenant', 'numbers')
    p = back(p, floor)
    got = came('third')
    check(all(x > y for x, y in zip(got, last)), (last, got))
    last = got
    p.close()
    d.stop()
    path = d.path('data', 'tenants', str(n), 'main.db')
    size = os.path.getsize(path)
    with open(path, 'r+b') as f:
        f.write(os.urandom(size))
    d.start()
    d.do('backup', 'restore', stamp, 'tenant', 'numbers')
    p = back(p, floor)
    got = came('fourth')
    check(all(x > y for x, y in zip(got, last)), (last, got))
    p.say('a message by a number as well')
    equal(d.ctl('audit', 'verify')[0], 0, 'whole')
    p.close()


def all_back(d, ann, one):
    """all tenants: what came since then stays, and is named"""
    ann = back(ann, one)
    stamp = now(d)['stamp']
    before = len(texts(ann, one))
    ann.say('one more')
    d.do('tenant', 'add', 'young')
    d.do('operator', 'add', 'daemon', 'role', 'auditor')
    parts = {p['tenant']: p for p in
             d.json('backup', 'restore', stamp)['parts']}
    check(parts['acme']['done'] and parts['globex']['done'], parts)
    check(not parts['young']['done'] and 'stays' in parts['young']['note'],
          parts)
    check('system.db stays' in parts['']['note'], parts)
    check('young' in [t['name'] for t in d.json('tenant', 'list')['tenants']],
          'young')
    check(any(o['name'] == 'daemon' for o in
              d.json('operator', 'list')['operators']), 'the ledger')
    ann = back(ann, one)
    equal(len(texts(ann, one)), before, 'as it was')
    d.do('operator', 'remove', 'daemon')
    equal(d.ctl('audit', 'verify')[0], 0, 'all whole')
    ann.close()


def erased(d, ann, one):
    """what was erased comes back from no backup (I4)"""
    p, floor = furnished(d, 'gone', SECRET)
    n = number(d, 'gone')
    stamp = now(d)['stamp']
    cert = d.path('certificate')
    d.do('tenant', 'erase', 'gone', 'confirm', 'gone', cert)
    with open(cert) as f:
        line, = [s for s in f.read().split('\n') if s.startswith('backups')]
    check(stamp in line.split(), line)
    code, _, err = d.ctl('backup', 'restore', stamp, 'tenant', 'gone')
    check(code == 1 and 'erased' in err and 'key is destroyed' in err, err)
    # Nor as another tenant who has its name now.
    d.do('tenant', 'add', 'gone')
    code, _, err = d.ctl('backup', 'restore', stamp, 'tenant', 'gone')
    check(code == 1 and 'another one' in err, err)
    parts = {q['tenant']: q for q in
             d.json('backup', 'restore', stamp)['parts']}
    check(not parts['gone']['done'], parts['gone'])
    code, out, err = d.ctl('backup', 'verify', stamp)
    check(code == 1 and 'tenants/%d/main.db' % n in out and
          'no key' in out, out)
    check(os.path.exists(place(d, stamp, 'tenants', str(n), 'main.db')),
          'its file is there, and says nothing')
    d.stop()
    for path, data in bytes_below(d.path('data')):
        for word in (SECRET, 'ann@gone.example'):
            check(word.encode() not in data, '%s in %s' % (word, path))
    d.start()
    p.close()


def flip(path):
    with open(path, 'r+b') as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 1]))


def cut(path):
    os.truncate(path, os.path.getsize(path) - 100)


def lengthen(path):
    with open(path, 'ab') as f:
        f.write(b'more')


def empty(path):
    os.truncate(path, 0)


def damaged(d, ann, one):
    """damage to any file is named, and nothing is changed by it"""
    stamp = now(d)['stamp']
    n = number(d, 'acme')
    p = back(ann, one)
    p.say('before the damage')
    have = texts(p, one)
    month = time.strftime('%Y%m', time.gmtime())
    for name in ('manifest', 'system.db', 'log-%s.db' % month,
                 'tenants/%d/main.db' % n,
                 'tenants/%d/log-%s.db' % (n, month)):
        path = place(d, stamp, name)
        shutil.copy2(path, d.path('whole'))
        for hurt in (flip, cut, lengthen, empty, os.unlink):
            hurt(path)
            code, out, err = d.ctl('backup', 'verify', stamp)
            what = (name, hurt.__name__, out, err)
            equal(code, 1, what)
            check('manifest' in err if name == 'manifest' else
                  name in out or 'manifest' in out, what)
            if name == 'manifest':
                check(backups(d)[-1]['fault'] != '', backups(d)[-1])
            if name == 'manifest' or 'tenants' in name:
                code, out, err = d.ctl('backup', 'restore', stamp, 'tenant',
                                       'acme')
                equal(code, 1, what)
                check('nothing was changed' in out or 'manifest' in err,
                      (out, err))
            shutil.copy2(d.path('whole'), path)
            shutil.chown(path, '_risastor', '_risastor')
    equal(texts(p, one), have, 'as it is')
    p.say('still here')
    # One that is written anew, by whoever has no key of the installation.
    path = place(d, stamp, 'manifest')
    shutil.copy2(path, d.path('whole'))
    with open(path) as f:
        forged = re.sub(r'\nms \d+\n', '\nms 7\n', f.read())
    with open(path, 'w') as f:
        f.write(forged)
    for verb in ('verify', 'restore'):
        code, out, err = d.ctl('backup', verb, stamp)
        check(code == 1 and 'manifest was changed' in err, err)
    shutil.copy2(d.path('whole'), path)
    shutil.chown(path, '_risastor', '_risastor')
    code, out, err = d.ctl('backup', 'verify', stamp)
    equal((code, err), (0, ''), out)
    equal(backups(d)[-1]['fault'], '', 'well again')
    # A rehearsal finds it as well, and it is in the log.
    flip(place(d, stamp, 'tenants', str(n), 'main.db'))
    equal(d.ctl('backup', 'rehearse')[0], 1, 'rehearsal')
    check('acme' in backups(d)[-1]['fault'], backups(d)[-1])
    check('rehearsed: acme: ' in d.log(), 'a warning')
    p.close()


def moved(d, ann, one):
    """a file that was put in place of another one is not that one"""
    now(d)
    stamp = now(d)['stamp']
    a, g = number(d, 'acme'), number(d, 'globex')
    shutil.copy2(place(d, stamp, 'tenants', str(g), 'main.db'),
                 place(d, stamp, 'tenants', str(a), 'main.db'))
    code, out, err = d.ctl('backup', 'restore', stamp, 'tenant', 'acme')
    check(code == 1 and 'nothing was changed' in out, (out, err))
    os.unlink(place(d, stamp, 'manifest'))
    other = sorted(names(d))[0]
    shutil.copy2(place(d, other, 'manifest'), place(d, stamp, 'manifest'))
    shutil.chown(place(d, stamp, 'manifest'), '_risastor', '_risastor')
    code, _, err = d.ctl('backup', 'verify', stamp)
    check(code == 1 and 'not of this backup' in err, err)


def stamps(d, ann, one):
    """only a stamp is one; what is none, or another name, touches nothing"""
    now(d)
    for word in ('../../keys', '20261129T033000Z/..', '20261329T033000Z',
                 '20261129T033000', '20261129t033000z', ' ', '.',
                 '20261129T033000Z.part', '20261131T033000Z'):
        for verb in ('verify', 'restore'):
            code, _, err = d.ctl('backup', verb, word)
            equal(code, 2, (verb, word, err))
    # Whoever asks without risactl's help is told the same.
    for word in ('../../keys', '..', names(d)[-1], 'x' * 16):
        for verb in ('C_BACKUP_VERIFY', 'C_BACKUP_RESTORE'):
            with Client(d) as c:
                c.send(HELLO + imsg(TYPES[verb], struct.pack('>I', 0) +
                                    text(word) + text('nobody')))
                code, why = c.result()
                check(('not the stamp' in why) == (word != names(d)[-1]),
                      (verb, word, why))
    for words, say in ((('verify', '20200101T000000Z'), 'no such backup'),
                       (('restore', '20200101T000000Z'), 'no such backup'),
                       (('restore', names(d)[-1], 'tenant', 'nobody'),
                        'no such tenant')):
        code, _, err = d.ctl('backup', *words)
        check(code == 1 and say in err, (words, err))


def grown(d, one):
    """acme is large enough for a backup of it to take a while."""
    if [k for k in d.json('purge', 'show', 'tenant', 'acme')['kept']
            if k['kind'] == 'chat'][0]['count'] >= BIG:
        return
    d.stop()
    chatter(d, number_of(d, 'acme'), one, BIG)
    d.start()


def two(d, ann, one):
    """while one goes on no other one begins, and chat goes on"""
    stamp = now(d)['stamp']
    grown(d, one)
    p = back(ann, one)
    usual = slowest(lambda i: p.say('before %d' % i))
    done = []
    t = threading.Thread(target=lambda: done.append(d.ctl('backup', 'now')))
    t.start()
    until(lambda: glob.glob(place(d, '*.part')), 'it has begun')
    for words in (('now',), ('verify',), ('rehearse',),
                  ('restore', stamp, 'tenant', 'acme')):
        code, _, err = d.ctl('backup', *words)
        check(code == 1 and 'is going on' in err, (words, err))
    worst, n = 0, 0
    while t.is_alive():
        begun = time.monotonic()
        p.say('word %d' % n)
        worst = max(worst, time.monotonic() - begun)
        n += 1
        time.sleep(0.1)
    t.join()
    equal(done[0][0], 0, done)
    check(n > 3 and worst < 1 + 10 * usual,
          '%d words, the slowest %.3f s' % (n, worst))
    # It is as it was at one moment: all words until then and none after.
    row = backups(d)[-1]
    equal(row['fault'], '', row)
    p.close()


def meanwhile(d, ann, one):
    """who is erased while a backup is made is not in it"""
    grown(d, one)
    p, _ = furnished(d, 'brief')
    n = number(d, 'brief')
    p.close()
    done = []
    t = threading.Thread(target=lambda: done.append(d.ctl('backup', 'now')))
    t.start()
    until(lambda: glob.glob(place(d, '*.part')), 'it has begun')
    d.do('tenant', 'erase', 'brief', 'confirm', 'brief', d.path('c-brief'))
    check(t.is_alive(), 'while it is made')
    t.join()
    equal(done[0][0], 0, done)
    row = backups(d)[-1]
    equal((row['fault'], row['tenants']),
          ('', len(d.json('tenant', 'list')['tenants'])), 'the others')
    check(not any('tenants/%d/' % n in f for f in files(d, row['stamp'])),
          files(d, row['stamp']))


def number_of(d, tenant, known={}):
    """Also while risad is down."""
    if d.proc is not None:
        known[tenant] = number(d, tenant)
    return known[tenant]


def killed(d, ann, one):
    """a kill in a backup leaves nothing that counts"""
    grown(d, one)

    def begun():
        # Refused while what an earlier one left is swept away.
        run = subprocess.Popen(
            [RISACTL, '-s', d.path('risad.sock'), 'backup', 'now'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: glob.glob(place(d, '*.part')) or
              run.poll() is not None, 'it has begun, or was refused')
        return run if glob.glob(place(d, '*.part')) else None

    whole = [r['stamp'] for r in backups(d)]
    for wait in (0, 0.2, 0.5, 0.9):
        run = until(begun, 'it has begun')
        time.sleep(wait)
        os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
        run.wait(30)
        until(lambda: d.ctl('tenant', 'list')[0] == 0, 'back')
        until(lambda: not glob.glob(place(d, '*.*')), 'no leftovers')
        for stamp in names(d):
            check(stamp in whole or d.ctl('backup', 'verify', stamp)[0] == 0,
                  stamp)
    p = back(ann, one)
    p.say('alive')
    p.close()


def killed_restore(d, ann, one):
    """a kill in a restore leaves the old or the new, and never a mixture"""
    grown(d, one)
    d.restart()                         # five deaths a minute stop it
    stamp = now(d)['stamp']
    p = back(ann, one)
    p.say('newer')
    p.close()
    until(lambda: d.ctl('audit', 'verify')[0] == 0, 'whole')
    for wait in (0, 0.1, 0.25, 0.4):
        pid = d.pids()[('storage', 0)]
        run = subprocess.Popen(
            [RISACTL, '-s', d.path('risad.sock'), 'backup', 'restore', stamp,
             'tenant', 'acme'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: glob.glob(d.path('data', 'tenants', '*', 'main.new')) or
              run.poll() is not None, 'it is copied')
        time.sleep(wait)
        os.kill(pid, signal.SIGKILL)
        run.wait(30)
        until(lambda: d.ctl('tenant', 'list')[0] == 0, 'back')
        p = back(ann, one)
        now_there = texts(p, one)
        check(now_there[-1] == 'newer' or 'newer' not in now_there, wait)
        if 'newer' not in now_there:
            p.say('newer')
        p.close()
        equal(glob.glob(d.path('data', 'tenants', '*', 'main.[no]*')), [],
              'nothing is left')
        equal(d.ctl('audit', 'verify')[0], 0, 'whole')
    chain(d, 'acme')


def full(d, ann, one):
    """a disk that gets full: said so, nothing left, chat goes on"""
    d.restart()
    rows = backups(d)
    p = back(ann, one)
    os.rename(place(d), d.path('data', 'aside'))
    os.mkdir(place(d), 0o700)
    shutil.chown(place(d), '_risastor', '_risastor')
    uid = os.stat(d.path('data', 'aside')).st_uid
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=700,uid=%d' %
                    uid, 'tmpfs', place(d)], check=True)
    try:
        code, _, err = d.ctl('backup', 'now')
        check(code == 1 and 'disk full' in err, err)
        equal(names(d), [], 'nothing is left')
        p.say('chat goes on')
    finally:
        subprocess.run(['umount', place(d)], check=True)
    os.rmdir(place(d))
    os.rename(d.path('data', 'aside'), place(d))
    equal(backups(d), rows, 'those of before')
    equal(d.ctl('backup', 'now')[0], 0, 'room again')
    p.close()


def disaster(d, ann, one):
    """a new machine: a generation and the keys in an empty directory"""
    p = back(ann, one)
    p.say('the last words')
    stamp = now(d)['stamp']
    p.say('lost words')
    points = d.path('points')
    with open(points, 'w') as f:
        f.write(d.do('audit', 'checkpoints'))
    p.close()
    d.stop()
    os.rename(d.path('data'), d.path('lost'))
    # As risad(8) has it.
    os.mkdir(d.path('data'), 0o700)
    for words in (('cp', '-R', d.path('lost', 'backup', stamp) + '/.',
                   d.path('data')), ('rm', d.path('data', 'manifest')),
                  ('cp', '-R', d.path('lost', 'keys'), d.path('data')),
                  ('chown', '-R', '_risastor', d.path('data'))):
        subprocess.run(words, check=True)
    begun = time.monotonic()
    d.start()
    took = time.monotonic() - begun
    check(took < 10, 'it took %.1f s' % took)
    p = back(ann, one)
    there = texts(p, one)
    check('the last words' in there and 'lost words' not in there, there[-3:])
    equal(d.ctl('audit', 'verify')[0], 0, 'whole')
    equal(backups(d), [], 'no backup yet')
    now(d)
    p.say('on we go')
    p.close()


def daily(d, ann, one):
    """once a day at its time, in local time, and with it a rehearsal"""
    before = names(d)
    # The next minute that leaves some seconds.
    at = time.localtime(time.time() + 65)
    d.more = d.more.replace('backup none', 'backup daily at %02d:%02d' % (
        at.tm_hour, at.tm_min))
    d.write_conf()
    d.do('reload')
    until(lambda: len(names(d)) > len(before) and not glob.glob(
        place(d, '*.part')), 'it is made', 130)
    check(backups(d)[-1]['verified'] is not None, backups(d)[-1])
    until(lambda: backups(d)[-1]['rehearsed'] is not None, 'rehearsed', 60)
    made_at = time.strptime(backups(d)[-1]['made'], '%Y-%m-%dT%H:%M:%SZ')
    equal(made_at.tm_min, at.tm_min, 'its minute')
    time.sleep(3)
    equal(len([n for n in names(d) if n not in before]), 1, 'once')
    # Those from before a rotation need the key that is gone.
    before = names(d)
    d.do('key', 'rotate', 'tenant', 'acme')
    until(lambda: backups(d)[-1]['stamp'] not in before and
          backups(d)[-1]['verified'] is not None, 'another one', 60)
    # While an older one goes for it, it is still going on.
    until(lambda: d.ctl('backup', 'verify', backups(d)[-1]['stamp'])[0] == 0,
          'it verifies', 60)
    # The installation's own key opens them still, whichever it is.
    d.do('key', 'rotate', 'system')
    until(lambda: all(k['state'] == 'whole' for k in
                      d.json('key', 'show')['keys']), 'all are whole', 60)
    # The rotation has had one made by itself, which may be going on.
    def refused():
        code, out, err = d.ctl('backup', 'verify', before[-1])
        return code == 1 and 'key' in out + err
    until(refused, 'the one from before needs the key that is gone', 60)
    def counted():
        kinds = {r['kind']: r for r in d.rows('show', 'storage')
                 if not r['tenant']}
        return (kinds['backups']['count'] == len(names(d)) and
                kinds['rehearsals']['count'] > 0)
    until(counted, 'counted', 60)
    # Nobody has asked for the next one, so that it fails is told as an alert.
    equal([r for r in d.rows('show', 'alerts')
           if r['name'] == 'backup-failed'], [], 'none yet')
    os.chown(place(d), 0, 0)
    os.chmod(place(d), 0o555)
    d.do('key', 'rotate', 'tenant', 'acme')
    until(lambda: [r for r in d.rows('show', 'alerts')
                   if r['name'] == 'backup-failed'], 'an alert', 60)
    # It is as due after a restart, and none more when it has been made.
    until(lambda: all(k['state'] == 'whole' for k in
                      d.json('key', 'show')['keys']), 'the old key has gone',
          60)
    there = [b['stamp'] for b in backups(d)]
    d.stop()
    shutil.chown(place(d), '_risastor')
    os.chmod(place(d), 0o700)
    d.start()
    until(lambda: backups(d)[-1]['stamp'] not in there and not glob.glob(
        place(d, '*.part')), 'made after a restart', 60)
    newest = backups(d)[-1]['stamp']
    until(lambda: backups(d)[-1]['verified'] is not None, 'verified', 60)
    d.restart()
    now(d)
    equal(backups(d)[-2]['stamp'], newest, 'one')


def main():
    # What is mounted here, only we and what we start can see.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Failure('no mounts of our own')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    d = Daemon(more='password hash memory 64 passes 1\n'
               'backup none keep 3\n')
    d.names = ('localhost',) + tuple('%s.localhost' % n for n in (
        'acme', 'globex', 'back', 'held', 'ruin', 'gone', 'young',
        'brief', 'numbers'))
    d.make_cert('tls')
    d.start()
    d.do('tenant', 'add', 'globex')
    ann, one = furnished(d, 'acme')
    number_of(d, 'acme')
    s = Suite(d)
    for fn in (made, kept, rehearsed, restored, held):
        s.run_test(fn, d, ann, one)
    for fn in (ruined, numbers, all_back, erased, damaged, moved, stamps, two,
               meanwhile, killed, killed_restore, full, disaster, daily):
        s.run_test(fn, d, ann, one, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
