#!/usr/bin/env python3
"""Keys take the place of others while people work, and have copies."""

import json
import os
import pty
import pwd
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'unit'))
import keypack_reader                                           # noqa: E402
from authenticator import Authenticator                         # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, RISACTL, RISAD, Daemon, Failure      # noqa: E402
from risa import Http, Person, until                            # noqa: E402
from trail import place_of, seal, system_trail                  # noqa: E402

ADDRESSES = iter('127.9.%d.%d' % (i // 250, i % 250 + 1)
                 for i in range(60000))
WRAPPED = 65                    # bytes of a key in its file
# All that have sealed columns, but alerts.
TABLES = set('meta users tokens links groups floors places messages audit '
             'factors old_passwords audit_names roles locks '
             'passkeys guests visits access'
             .split())
WORDS = 'Words that outlive a key'


def number(d, tenant):
    return d.json('tenant', 'show', tenant)['tenant']['id']


def key(d, tenant):
    """What key show says of a tenant, '' being the installation."""
    row, = [k for k in d.json('key', 'show')['keys'] if k['tenant'] == tenant]
    return row


def visit(d, tenant):
    """A guest comes by a URL that has a password."""
    code, out, err = d.ctl('guest', 'add', tenant, 'floor', 'One',
                           'password', stdin_text='a guest word\n')
    equal(code, 0, err)
    token = re.search(r'/guest/([A-Za-z0-9_-]{43})', out).group(1)
    g = Person(d, tenant, 'guest')
    g._signed_in(g.retry('POST', '/guest/' + token, {
        'name': 'Guest', 'password': 'a guest word'}))


def locked(d, tenant, mail):
    """Somebody fails until the account is locked."""
    d.person(tenant, mail).close()
    d.do('policy', 'set', tenant, 'lock-tries', '2')
    d.do('policy', 'set', tenant, 'lock-minutes', '0')

    def failed():
        with Http(d, tenant, source=next(ADDRESSES)) as h:
            return h.request('POST', '/api/v1/session', {
                'email': mail, 'password': 'not that one'
            }).problem() == 'locked'
    until(failed, 'locked')


def factors(p):
    """A passkey, and a second factor that is begun."""
    a = Authenticator(p.http.origin)
    o = p.api('POST', '/passkeys/challenge', {}, 200).json()
    p.api('POST', '/passkeys', {'password': p.password, 'name': 'Key',
                                'passkey': a.make(o)}, 204)
    p.api('POST', '/factor/totp', {'password': p.password}, 201)
    return a


def by_passkey(p, a):
    """The person signs in with it."""
    with Http(p.daemon, p.tenant) as h:
        o = h.request('POST', '/api/v1/passkey/challenge',
                      {'purpose': 'sign-in'}).json()
        equal(h.request('POST', '/api/v1/session',
                        {'passkey': a.get(o)}).status, 201, 'passkey')


def furnished(d, tenant):
    """A tenant with something in as many tables as people can fill."""
    d.do('tenant', 'add', tenant)
    d.do('policy', 'set', tenant, 'password-history', '3')
    floor = d.floor(tenant, 'One')
    p = d.person(tenant, 'ann@%s.example' % tenant, 'admin')
    q = d.person(tenant, 'bob@%s.example' % tenant)
    p.open().enter(floor)
    p.say(WORDS)
    p.say(WORDS + ', to one', {'user': q.id})
    p.api('PATCH', '/me', {'note': 'a note'}, 200)
    p.api('POST', '/admin/groups', {'name': 'Some', 'members': [q.id]}, 201)
    d.do('role', 'add', tenant, 'Speakers')
    d.do('user', 'add', tenant, 'invited@%s.example' % tenant)
    visit(d, tenant)
    p.key = factors(p)
    p.api('POST', '/password', {'current': PASSWORD,
                                'new': 'another word for ann'}, 204)
    p.password = 'another word for ann'
    p.walk((940, 315), (1100, 315), room=1)
    locked(d, tenant, 'cat@%s.example' % tenant)
    return number(d, tenant), p, q, floor


def files(d, n):
    """The databases of a tenant; 0 is the installation."""
    top = d.path('data') if n == 0 else d.path('data', 'tenants', str(n))
    return [os.path.join(top, name) for name in sorted(os.listdir(top))
            if name.endswith('.db')]


def generations(path, tables=None):
    """How many sealed records there are of each generation; in which."""
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    found = {}
    tables = set() if tables is None else tables
    for table, in db.execute("SELECT name FROM sqlite_master "
                             "WHERE type = 'table'").fetchall():
        for row in db.execute('SELECT * FROM ' + table):
            for value in row:
                if not isinstance(value, bytes) or len(value) < 37:
                    continue
                form, generation, month = struct.unpack('>BII', value[:9])
                if form == 1 and 200001 < month < 210001:
                    found[generation] = found.get(generation, 0) + 1
                    tables.add(table)
    db.close()
    return found


def only(d, n, generation):
    """Nothing on the disk is of another generation."""
    for path in files(d, n):
        found = generations(path)
        equal(sorted(found), [generation], path)


def rotated(d, tenant, generation):
    until(lambda: key(d, tenant)['state'] == 'whole' and
          key(d, tenant)['generation'] == generation,
          'rotated: %r' % key(d, tenant), 60)


def size(d, n):
    return os.path.getsize(d.path('data', 'keys', '%d.key' % n))


def works(d, p, q, floor, tenant):
    """All that was there before can be read, found and used."""
    texts = [m['text'] for m in p.api('GET', '/messages?channel=floor:%d' %
                                      floor, want=200).json()['messages']]
    check(WORDS in texts, texts)
    q.sign_in()
    equal(q.api('GET', '/session', want=200).json()['user']['email'], q.mail,
          'found by mail')
    by_passkey(p, p.key)
    p.api('POST', '/password', {'current': p.password, 'new': PASSWORD}, 422)
    d.do('session', 'list', tenant)
    d.do('guest', 'list', tenant)
    d.do('floor', 'list', tenant)
    d.do('role', 'list', tenant)
    d.do('log', 'show', 'tenant', tenant)
    equal(d.ctl('audit', 'verify')[0], 0, 'trails')
    equal(d.stats().get('storage.unreadable', 0), 0, 'all opens')


def rotate(d):
    """a new key for a tenant: all of it sealed anew, all of it usable"""
    n, p, q, floor = furnished(d, 'acme')
    with open(d.path('data', 'keys', '%d.key' % n), 'rb') as f:
        old = f.read()
    tables = set()
    d.restart()                 # places are written late
    before = sum(sum(generations(f, tables).values()) for f in files(d, n))
    equal(tables, TABLES, 'tables with something in them')
    equal(key(d, 'acme')['generation'], 1, 'first')
    d.do('key', 'rotate', 'tenant', 'acme')
    rotated(d, 'acme', 2)
    equal(size(d, n), WRAPPED, 'one key')
    only(d, n, 2)
    after = sum(sum(generations(f).values()) for f in files(d, n))
    check(after >= before, (before, after))
    works(d, p, q, floor, 'acme')
    d.restart()
    works(d, p, q, floor, 'acme')
    check(old not in open(d.path('data', 'keys', '%d.key' % n), 'rb').read(),
          'overwritten')
    equal(sorted(os.listdir(d.path('data', 'keys'))), ['%d.key' % n], 'files')
    lines = system_trail(d)
    check('uid 0: key rotate acme: done' in lines, lines)
    check(any('the key of acme is rotated' in s for s in lines), lines)
    p.close()


def months(d, n, rows, which=(202001, 202002)):
    """Access logs of months of the past, sealed by the key in force."""
    key, generation = place_of(d, n)[1], generation_of(d, n)
    for month in which:
        path = os.path.join(os.path.dirname(files(d, n)[0]),
                            'log-%d.db' % month)
        db = sqlite3.connect(path)
        db.executescript(LOG_SCHEMA)
        db.execute("INSERT INTO meta VALUES ('check', ?)",
                   (seal(key, 'meta', 'check', 0, b'risad',
                         generation=generation),))
        db.executemany('INSERT INTO access VALUES (?, 0, 0, ?)', (
            (i, seal(key, 'access', 'block', i, b'', generation=generation))
            for i in range(1, rows + 1)))
        db.commit()
        db.close()
        ours(d, path)


def ours(d, path):
    """A file that we made belongs to storage."""
    st = os.stat(d.path('data', 'system.db'))
    for end in ('', '-wal', '-shm'):
        if os.path.exists(path + end):
            os.chmod(path + end, 0o600)
            os.chown(path + end, st.st_uid, st.st_gid)


def generation_of(d, n):
    return struct.unpack('>BI', raw_key(d, n)[:5])[1]


def many(d, n, rows):
    """So many messages, written while risad is down."""
    path, key = place_of(d, n)
    generation = generation_of(d, n)
    db = sqlite3.connect(path)
    top = db.execute('SELECT max(id) FROM messages').fetchone()[0]
    bind = struct.pack('>QQQQQ', 1, 1, 9, 1000, 1)
    db.executemany(
        'INSERT INTO messages (id, at, kind, a, b, sender, ref, text) '
        'VALUES (?, 1000, 1, 1, 9, 1, ?, ?)', (
            (i, b'%d' % i, seal(key, 'messages', 'text', i, b'Ann\0old words',
                                bind=bind, generation=generation))
            for i in range(top + 1, top + 1 + rows)))
    db.commit()
    db.close()
    ours(d, path)


def killed(d):
    """killed in the middle of rows and of months, it goes on, and ends"""
    n, p, q, floor = furnished(d, 'globex')
    p.drop()
    d.stop()
    many(d, n, 12000)
    months(d, n, 6000)
    d.start()
    d.do('key', 'rotate', 'tenant', 'globex')
    seen = set()
    for i in range(60):
        before = key(d, 'globex')['done']
        until(lambda: key(d, 'globex')['done'] > before + 1500 or
              key(d, 'globex')['state'] == 'whole', 'it goes on', 60)
        k = key(d, 'globex')
        if k['state'] == 'whole':
            break
        equal(size(d, n), 2 * WRAPPED, 'both keys')
        seen.add(k['percent'] // 34)
        if i % 2:
            d.stop(signal.SIGKILL)
            d.start()
        else:
            os.kill(d.pids('storage')['storage', 0], signal.SIGKILL)
            until(lambda: d.ctl('key', 'show')[0] == 0, 'storage is back')
            until(d.healthy, 'serves')
    rotated(d, 'globex', 2)
    check(seen == {0, 1, 2}, 'killed in all parts: %r' % seen)
    equal(size(d, n), WRAPPED, 'one key')
    only(d, n, 2)
    works(d, p, q, floor, 'globex')


def raw_key(d, n):
    with open(d.path('data', 'keys', '%d.key' % n), 'rb') as f:
        return f.read()


def put_key(d, n, data, name='key'):
    path = d.path('data', 'keys', '%d.%s' % (n, name))
    with open(path, 'wb') as f:
        f.write(data)
    ours(d, path)


def names(d, n):
    """The files of a tenant's key."""
    return sorted(x for x in os.listdir(d.path('data', 'keys'))
                  if x.startswith('%d.' % n))


def points(d):
    """killed before the key file, between its names, and before its end"""
    n, p, q, floor = furnished(d, 'points')
    p.drop()
    first = raw_key(d, n)
    # A new file was begun, and is not in force yet.
    d.stop(signal.SIGKILL)
    put_key(d, n, b'half', 'new')
    d.start()
    until(lambda: names(d, n) == ['%d.key' % n], 'tidied')
    equal(raw_key(d, n), first, 'untouched')
    # The name that goes had its second name, and the new one is not there.
    d.stop(signal.SIGKILL)
    os.link(d.path('data', 'keys', '%d.key' % n),
            d.path('data', 'keys', '%d.old' % n))
    d.start()
    until(lambda: names(d, n) == ['%d.key' % n], 'tidied')
    equal(raw_key(d, n), first, 'untouched')
    # All is sealed anew, and the old key is still there.
    d.do('key', 'rotate', 'tenant', 'points')
    rotated(d, 'points', 2)
    d.stop(signal.SIGKILL)
    put_key(d, n, raw_key(d, n) + first)
    put_key(d, n, first, 'old')
    watch = os.open(d.path('data', 'keys', '%d.old' % n), os.O_RDONLY)
    d.start()
    until(lambda: size(d, n) == WRAPPED, 'one key')
    check(first not in os.read(watch, 1000), 'overwritten where it stood: '
          '%r %r' % (os.fstat(watch), d.log()[-2000:]))
    os.close(watch)
    until(lambda: names(d, n) == ['%d.key' % n], 'one file')
    only(d, n, 2)
    works(d, p, q, floor, 'points')


def waits(d):
    """chat does not wait, nor do others; a second one is told to wait"""
    n, p, q, floor = furnished(d, 'busy')
    p.drop()
    d.stop()
    many(d, n, 20000)
    d.start()
    p.open().enter(floor)
    d.do('key', 'rotate', 'tenant', 'busy')
    code, _, err = d.ctl('key', 'rotate', 'tenant', 'busy')
    equal(code, 1, err)
    check('under way' in err, err)
    slowest, said = 0, 0
    while key(d, 'busy')['state'] == 'rotating':
        start = time.monotonic()
        p.say('while it goes on')
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.3)         # faster is not allowed for long
        said += 1
    check(said > 3, said)
    check(slowest < 0.5, 'a message waited %.3f s' % slowest)
    only(d, n, 2)
    works(d, p, q, floor, 'busy')
    p.close()


def together(d):
    """three at once, one of which is erased meanwhile"""
    a, b = furnished(d, 'left'), furnished(d, 'right')
    c, p, _, _ = furnished(d, 'erased')
    for t in (a, b):
        t[1].drop()
    p.drop()
    d.stop()
    for n in (a[0], b[0], c):
        many(d, n, 3000)
    d.start()
    before = key(d, '')['generation']
    for tenant in ('left', 'erased', 'right'):
        d.do('key', 'rotate', 'tenant', tenant)
    d.do('key', 'rotate', 'system')
    equal(sorted(k['state'] for k in d.json('key', 'show')['keys']
                 if k['state'] != 'whole'),
          ['rotating', 'waits', 'waits', 'waits'], 'one after the other')
    until(lambda: key(d, 'erased')['state'] == 'rotating', 'its turn', 60)
    d.do('tenant', 'erase', 'erased', 'confirm', 'erased', d.path('ec'))
    equal(names(d, c), [], 'no key of it')
    for tenant in ('left', 'right'):
        rotated(d, tenant, 2)
    rotated(d, '', before + 1)
    for n, p, q, floor in (a, b):
        only(d, n, 2)
        works(d, p, q, floor, p.tenant)


def restored(d):
    """what a restore puts in place late in a rotation is not left behind"""
    n, p, q, floor = furnished(d, 'restored')
    p.drop()
    d.stop()
    months(d, n, 100, (198501,))
    d.start()
    stamp = d.json('backup', 'now')['backup']['stamp']
    d.stop()
    # One month is to come back; so many after it that a pass takes long.
    os.unlink(os.path.join(os.path.dirname(files(d, n)[0]), 'log-198501.db'))
    months(d, n, 0, [y * 100 + m for y in range(1986, 2020)
                     for m in range(1, 13)])
    d.start()
    d.do('key', 'rotate', 'tenant', 'restored')
    until(lambda: key(d, 'restored')['percent'] > 50, 'the first pass', 60)
    until(lambda: key(d, 'restored')['percent'] < 50, 'the last pass', 60)
    until(lambda: key(d, 'restored')['percent'] > 1, 'beyond main.db', 60)
    d.do('backup', 'restore', stamp, 'tenant', 'restored')
    equal(key(d, 'restored')['state'], 'rotating', 'it was in time')
    rotated(d, 'restored', 2)
    for _ in range(2):
        only(d, n, 2)
        q.sign_in()
        check(WORDS in str(q.api('GET', '/messages?channel=floor:%d' % floor,
                                 want=200).json()), 'what was said')
        by_passkey(p, p.key)
        d.do('log', 'show', 'tenant', 'restored')
        equal(d.ctl('audit', 'verify')[0], 0, 'trails')
        d.restart()


def system(d):
    """the installation's own key, with all that system.db holds"""
    def there():
        return [d.do('operator', 'list'), d.json('export', 'list'),
                d.json('backup', 'list'), [r['days'] for r in d.rows(
                    'show', 'storage') if r['tenant'] is None], sorted(
                    (r['name'], r['first']) for r in d.rows(
                        'show', 'alerts') if r['name'] == 'certificate-ends')]

    d.do('operator', 'add', 'daemon', 'role', 'operator')
    d.do('log', 'export', 'csv', d.path('log.csv'), 'tenant', 'acme')
    d.do('backup', 'now')
    d.do('retention', 'installation', 'audit', '400')
    until(lambda: d.rows('show', 'alerts'), 'an alert')
    before = there()
    check('daemon' in before[0] and before[1]['exports'] and
          before[2]['backups'] and 400 in before[3] and before[4], before)
    d.do('key', 'rotate', 'system')
    n = key(d, '')['generation']
    rotated(d, '', n)
    only(d, 0, n)
    equal(size(d, 0), WRAPPED, 'one key')
    d.restart()
    equal(there(), before, 'all of it')
    # The manifest is read by whichever key; the copy needs the one that went.
    err = d.ctl('backup', 'verify')[2]
    check('system.db: it has another key' in err and 'manifest' not in err,
          err)
    d.do('key', 'rotate', 'system')
    rotated(d, '', n + 1)
    only(d, 0, n + 1)
    equal(d.ctl('audit', 'verify')[0], 0, 'trails')
    check(any('the key of the installation' in s for s in system_trail(d)),
          'trail')


def roles(d):
    """only an owner may; a tenant that is not there is said so"""
    other = pwd.getpwnam('daemon')
    d.ctl('operator', 'add', 'daemon', 'role', 'operator')
    for words in (('key', 'rotate', 'system'),
                  ('key', 'rotate', 'tenant', 'nobodys')):
        code, _, err = d.ctl(*words, user=other.pw_uid,
                             group=other.pw_gid, extra_groups=[])
        equal(code, 1, err)
        check('role owner' in err, err)
    code, _, err = d.ctl('key', 'rotate', 'tenant', 'nobodys')
    equal(code, 1, err)
    check('no such tenant' in err, err)


PASS = 'correct horse battery'


def backup(d, file, words=PASS, *more):
    return d.ctl('key', 'backup', d.path(file), 'from', d.path('keys'),
                 *more, stdin_text=words + '\n')


def documents(d):
    """with -j one JSON document, in the zone that is asked for"""
    d.do('tenant', 'add', 'json')
    j = ('-z', 'Asia/Tokyo', '-j', 'key')
    out = d.ctl(*j, 'backup', d.path('kj'), 'from', d.path('keys'),
                stdin_text=PASS + '\n')[1]
    made = json.loads(out)['backup']
    check(made['made'].endswith('+09:00') and made['count'] >= 4, made)
    code, out, err = d.ctl(*j, 'verify', d.path('kj'), stdin_text=PASS + '\n')
    equal((code, err), (0, ''), 'verify')
    told = json.loads(out)['backup']
    keys = told.pop('keys')
    equal(told, made, 'the same')
    equal(len(keys), made['count'], keys)
    equal([k['key'] for k in keys[:3]], ['master', 'pepper', 'sign'], keys)
    equal([(k['generations'], k['not_opened']) for k in keys
           if k.get('tenant') == 'json'], [([1], 0)], keys)
    check(', made 20' in offline(d, 'verify', d.path('kj'))[1], 'as text')
    out = d.ctl('-z', 'Asia/Tokyo', 'key', 'verify', d.path('kj'),
                stdin_text=PASS + '\n')[1]
    check('+09:00, ' in out, out)
    out = d.ctl(*j, 'restore', d.path('kj'), d.path('nj'),
                stdin_text=PASS + '\n')[1]
    equal(json.loads(out), {'restored': {'directory': d.path('nj')}},
          'restore')


def offline(d, *words, passphrase=PASS):
    return d.ctl('key', *words, stdin_text=passphrase + '\n')


def copies(d):
    """keys under a passphrase: verified, refused when changed, restored"""
    n, p, q, floor = furnished(d, 'copied')
    p.say('known from the backup')
    code, out, err = backup(d, 'k1')
    equal((code, err), (0, ''), 'backup')
    check(out.startswith('key backup 1: '), out)
    st = os.stat(d.path('k1'))
    equal(st.st_mode & 0o7777, 0o600, 'mode')
    with open(d.path('k1'), 'rb') as f:
        data = f.read()
    for name in ('master', 'pepper', 'sign'):
        with open(d.path('keys', name + '.key'), 'rb') as f:
            check(f.read() not in data, name)
    code, out, err = offline(d, 'verify', d.path('k1'))
    equal((code, err), (0, ''), 'verify')
    for line in ('master key', 'pepper key', 'sign key',
                 'key of tenant copied, number %d, generation 1' % n):
        check(line in out.split('\n'), (line, out))
    # The other reader sees the same.
    kinds = [(kind, tenant) for kind, tenant, _, _ in keypack_reader.read(
        data, PASS.encode())[2]]
    check((1, 0) in kinds and (4, n) in kinds, kinds)
    # Wrong, cut off, changed, and there already: a word, and nothing written.
    for name, change, word, said in (
            ('whole', data, 'not that passphrase', 'passphrase is wrong'),
            ('cut', data[:-1], PASS, 'not whole'),
            ('less', data[:30], PASS, 'not whole'),
            ('empty', b'', PASS, 'no key backup'),
            ('other', b'x' * 200, PASS, 'no key backup'),
            ('newer', data[:8] + b'\2' + data[9:], PASS, 'newer'),
            ('cost', data[:9] + b'\xff' + data[10:], PASS, 'was changed'),
            ('salt', data[:20] + bytes([data[20] ^ 1]) + data[21:], PASS,
             'was changed'),
            ('text', data[:90] + bytes([data[90] ^ 1]) + data[91:], PASS,
             'was changed')):
        with open(d.path('bad'), 'wb') as f:
            f.write(change)
        for words in (('verify', d.path('bad')),
                      ('restore', d.path('bad'), d.path('new'))):
            code, out, err = offline(d, *words, passphrase=word)
            equal((code, out), (1, ''), name)
            check(said in err, (name, err))
            check(not os.path.exists(d.path('new')) and
                  not os.path.exists(d.path('new.part')), name)
    code, _, err = backup(d, 'k1')
    check(code == 1 and 'exists' in err, err)
    for word in ('short', 'あ' * 4, '十一文字の合言葉で短い'):
        code, _, err = backup(d, 'k2', word)
        check(code == 1 and 'shorter' in err, (word, err))
    code, _, err = backup(d, 'k2', '')
    check(code == 1 and 'no passphrase' in err, err)
    check(not os.path.exists(d.path('k2')) and
          not os.path.exists(d.path('k2.part')), 'k2')
    for name in ('two\nlines', 'x' * 65, b'\xff'):
        code, _, err = d.ctl('key', 'backup', os.path.join(
            d.dir.encode(), name.encode() if isinstance(name, str) else name),
            'from', d.path('keys'), stdin_text=PASS + '\n')
        check(code == 1 and 'its name is not of' in err, err)
    os.mkdir(d.path('there'))
    code, _, err = offline(d, 'restore', d.path('k1'), d.path('there'))
    check(code == 1 and 'exists' in err, err)
    # To a new machine: the data alone, and the keys from the backup.
    code, out, err = offline(d, 'restore', d.path('k1'), d.path('new'))
    equal((code, err), (0, ''), 'restore')
    p.drop()
    d.stop()
    os.rename(d.path('keys'), d.path('keys.away'))
    os.rename(d.path('data', 'keys'), d.path('keys.gone'))
    os.mkdir(d.path('keys'), 0o700)
    for name in ('master.key', 'pepper.key', 'sign.key'):
        os.rename(d.path('new', name), d.path('keys', name))
    shutil.copy(d.path('keys.away', 'tls.key'), d.path('keys', 'tls.key'))
    shutil.copytree(d.path('new', 'keys'), d.path('data', 'keys'))
    ours(d, d.path('data', 'keys'))
    os.chmod(d.path('data', 'keys'), 0o700)
    for name in os.listdir(d.path('data', 'keys')):
        ours(d, d.path('data', 'keys', name))
    d.start()
    works(d, p, q, floor, 'copied')
    lines = system_trail(d)
    check('uid 0: key backup k1: done' in lines, lines)
    check(any(s.startswith('key backup 1: ') for s in lines), lines)


def listed(d):
    """an erasure names the key backups that held the key, in each generation"""
    d.do('tenant', 'add', 'doomed')
    d.do('tenant', 'add', 'later')
    equal(backup(d, 'd1')[0], 0, 'before')
    d.do('key', 'rotate', 'tenant', 'doomed')
    rotated(d, 'doomed', 2)
    equal(backup(d, 'd2')[0], 0, 'after')
    # Nobody but an owner, and with the right master key.
    os.mkdir(d.path('alien'))
    for name in ('master', 'pepper', 'sign'):
        with open(d.path('alien', name + '.key'), 'wb') as f:
            f.write(os.urandom(32))
    code, _, err = d.ctl('key', 'backup', d.path('d3'), 'from',
                         d.path('alien'), stdin_text=PASS + '\n')
    check(code == 1 and 'not the one' in err, err)
    check(not os.path.exists(d.path('d3')) and
          not os.path.exists(d.path('d3.part')), 'd3')
    d.do('tenant', 'erase', 'doomed', 'confirm', 'doomed', d.path('cert'))
    with open(d.path('cert')) as f:
        lines = [s for s in f.read().split('\n')
                 if s.startswith('key backup:')]
    equal([s.split(', ')[2:] for s in lines], [
        ['generation 1', 'file d1'], ['generation 2', 'file d2'],
        ['generation 2', 'file d3']], lines)
    check('by operator 0' in lines[0], lines)


def typed(d):
    """on a terminal it is asked for twice, without echo"""
    for second, end in (('another horse battery', 1), (PASS, 0)):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(RISACTL, [RISACTL, '-s', d.path('risad.sock'), 'key',
                               'backup', d.path('typed'), 'from',
                               d.path('keys')])
        seen = b''
        for prompt, word in ((b'key backup: ', PASS), (b'again: ', second)):
            while prompt not in seen:
                seen += os.read(fd, 1000)
            os.write(fd, word.encode() + b'\n')
        try:
            while True:
                seen += os.read(fd, 1000)
        except OSError:
            pass                # the terminal is closed
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        equal(code, end, seen)
        check(PASS.encode() not in seen, 'echo')
        equal(os.path.exists(d.path('typed')), end == 0, seen)
    equal(offline(d, 'verify', d.path('typed'))[0], 0, 'verify')


LOG_SCHEMA = '''
PRAGMA journal_mode = WAL;
CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE access (id INTEGER PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL, last INTEGER NOT NULL, block BLOB NOT NULL);
PRAGMA user_version = 1;
'''


def main():
    d = Daemon(more='backup none\npassword hash memory 64 passes 1\n')
    d.names = ('localhost',) + tuple('%s.localhost' % n for n in (
        'acme', 'globex', 'points', 'busy', 'copied', 'left', 'right',
        'erased', 'restored'))
    d.make_cert('tls')
    d.start()
    s = Suite(d)
    for fn in (rotate, killed, points, waits, together, restored, system,
               roles, copies, listed, typed, documents):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
