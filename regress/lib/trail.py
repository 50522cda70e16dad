"""Audit trails, opened by the second reader of sealed records.

The chain is computed here anew, after the comment in storage.h alone."""

import hashlib
import hmac
import os
import sqlite3
import struct
import sys
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from risa import TOP, Failure

sys.path.insert(0, os.path.join(TOP, 'regress', 'unit'))
from seal_reader import bound, hkdf, name, open_record, unwrap     # noqa: E402


WRAPPED = 65            # bytes of a key in its file


def access_log(d, tenant):
    """The entries of a tenant's access logs, as storage_access.c has them."""
    path, key = _place(d, tenant)
    entries = []
    for file in sorted(os.listdir(os.path.dirname(path))):
        if not file.startswith('log-') or not file.endswith('.db'):
            continue
        db = sqlite3.connect('file:%s?mode=ro' % os.path.join(
            os.path.dirname(path), file), uri=True)
        for row, block in db.execute('SELECT id, block FROM access '
                                     'ORDER BY id'):
            data = open_record({'table': 'access', 'column': 'block',
                                'row': row, 'version': 0, 'bind': b'',
                                'record': block}, key)
            while data:
                at, kind, guest, user, status, size, floor, n = \
                    struct.unpack_from('>QBBIHQIB', data)
                addr, data = data[29:29 + n], data[29 + n:]
                n, = struct.unpack_from('>H', data)
                text, data = data[2:2 + n], data[2 + n:]
                entries.append({
                    'at': at, 'kind': kind, 'guest': guest, 'user': user,
                    'status': status, 'bytes': size, 'floor': floor,
                    'address': addr.decode(), 'text': text.decode()})
        db.close()
    return entries


def ending(d, number, at):
    """The contract of a tenant ends at that time; risad is down."""
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    db.execute('INSERT OR REPLACE INTO endings (tenant, at, proof) '
               'VALUES (?, ?, ?)', (number, at, seal(
                   hkdf(_master(d), b'risad system'), 'endings', 'proof',
                   number, b'', at)))
    db.close()


def erasing(d, number, label):
    """The certificate of a tenant is kept, and no more than that has been
    done; risad is down."""
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    db.execute('INSERT INTO erased (id, name, at, text) VALUES (?, ?, 1, ?)',
               (number, label, seal(hkdf(_master(d), b'risad system'),
                                    'erased', 'text', number, b'text')))
    db.close()


def said(d, tenant, user, who, texts, kind, a, b):
    """Messages of a user, said just now, as storage seals them; risad is
    down, and the tenant goes by its number."""
    path, key = place_of(d, tenant)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute('BEGIN IMMEDIATE')
    last, = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
                       "WHERE name = 'messages'").fetchone()
    now = int(time.time() * 1000)
    db.executemany(
        'INSERT INTO messages (id, at, kind, a, b, sender, ref, text) '
        'VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        [(row, now, kind, a, b, user, os.urandom(16),
          seal(key, 'messages', 'text', row, (who + '\0' + text).encode(),
                bind=struct.pack('>5Q', kind, a, b, now, user)))
         for row, text in enumerate(texts, last + 1)])
    if kind == 2:
        db.execute('INSERT OR IGNORE INTO dms VALUES (?, ?, ?)',
                   (a, b, last + len(texts)))
    db.execute('COMMIT')
    db.close()


def seal(key, table, column, row, text, version=0, bind=b'', generation=1):
    """As seal.h has it, by the second reader's parts."""
    form, month = 1, int(time.strftime('%Y%m', time.gmtime()))
    nonce = os.urandom(12)
    k = hkdf(key, b'risad seal' + name(table) + struct.pack('>I', month))
    sealed = AESGCM(k).encrypt(nonce, text, bound({
        'table': table, 'column': column, 'row': row, 'version': version,
        'bind': bind}, generation, month))
    return struct.pack('>BII', form, generation, month) + nonce + sealed


def chatter(d, number, floor, n, size=100, days=0):
    """So many messages more on a floor of a tenant, sealed as they have to
    be, written by its user 1 so many days ago; risad is down."""
    path, key = place_of(d, number)
    month = int(time.strftime('%Y%m', time.gmtime()))
    aes = AESGCM(hkdf(key, b'risad seal' + name('messages') +
                      struct.pack('>I', month)))
    at = int(time.time() * 1000) - days * 86400000
    head = struct.pack('>BII', 1, 1, month)
    bind = struct.pack('>QQQQQ', 0, floor, 0, at, 1)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute('PRAGMA synchronous = OFF')
    first, = db.execute('SELECT coalesce(max(id), 0) FROM messages'
                        ).fetchone()

    def rows():
        for row in range(first + 1, first + n + 1):
            nonce = os.urandom(12)
            yield row, at, floor, os.urandom(32), head + nonce + aes.encrypt(
                nonce, b'one\0' + b'%d ' % row + b'w' * size, bound({
                    'table': 'messages', 'column': 'text', 'row': row,
                    'version': 0, 'bind': bind}, 1, month))
    db.execute('BEGIN IMMEDIATE')
    db.executemany('INSERT INTO messages (id, at, kind, a, b, sender, ref, '
                   'text) VALUES (?, ?, 0, ?, 0, 1, ?, ?)', rows())
    db.execute('COMMIT')
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()


def age(d, tenant, days, other=(), then=None):
    """The trail of a tenant becomes so much older, but for some lines that
    are of another time (ms), ten years from now; risad is down."""
    _age(*place_of(d, tenant), days, other, then)


def age_own(d, days):
    """The same of the installation's own."""
    _age(*_place(d, None), days)


def _age(path, key, days, other=(), then=None):
    ms = days * 86400000
    if then is None:
        then = int((time.time() + 10 * 365 * 86400) * 1000)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute('BEGIN IMMEDIATE')
    record, = db.execute("SELECT value FROM meta WHERE name = 'chain'"
                         ).fetchone()
    secret, seq, head, before, base = struct.unpack(
        '>32sQ32sQ32s', open_record({
            'table': 'meta', 'column': 'chain', 'row': 0, 'version': 0,
            'bind': b'', 'record': record}, key))
    mac = base
    for row, at, entry in db.execute(
            'SELECT id, at, entry FROM audit ORDER BY id').fetchall():
        at = then if row in other else at - ms
        mac = hmac.new(secret, mac + struct.pack('>QQ', row, at) +
                       _text(row, entry, key), hashlib.sha256).digest()
        db.execute('UPDATE audit SET at = ?, mac = ? WHERE id = ?',
                   (at, mac, row))
    db.execute('DELETE FROM points')
    db.execute("UPDATE meta SET value = ? WHERE name = 'chain'",
               (seal(key, 'meta', 'chain', 0, struct.pack(
                   '>32sQ32sQ32s', secret, seq, mac, before, base)),))
    db.execute('COMMIT')
    db.close()


def _text(row, entry, key):
    return open_record({'table': 'audit', 'column': 'entry', 'row': row,
                        'version': 0, 'bind': b'', 'record': entry}, key)


def _lines(path, key):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    lines = [_text(row, entry, key).decode() for row, entry in db.execute(
        'SELECT id, entry FROM audit ORDER BY id')]
    db.close()
    return lines


def _master(d):
    with open(d.path('keys', 'master.key'), 'rb') as f:
        return f.read()


def _place(d, tenant):
    """The file of a trail, None being the installation's, and its key."""
    if tenant is None:
        if os.path.exists(d.path('data', 'keys', '0.key')):
            return d.path('data', 'system.db'), _key(d, 0)
        return d.path('data', 'system.db'), hkdf(_master(d), b'risad system')
    return place_of(d, d.json('tenant', 'show', tenant)['tenant']['id'])


def _key(d, number):
    """The key in force; while it is rotated the old one stands behind it."""
    with open(d.path('data', 'keys', '%d.key' % number), 'rb') as f:
        return unwrap({'key': _master(d), 'record': f.read()[:WRAPPED],
                       'tenant': number})


def place_of(d, number):
    """The main file of a tenant, by its number, and its key."""
    return d.path('data', 'tenants', str(number), 'main.db'), _key(d, number)


def names_in(d, tenant, word):
    """The messages and names beside the trail in which the word is."""
    path, key = _place(d, tenant)
    found = []
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    for row, *bind, text in db.execute('SELECT id, kind, a, b, at, sender, '
                                       'text FROM messages'):
        data = open_record({'table': 'messages', 'column': 'text',
                            'row': row, 'version': 0, 'record': text,
                            'bind': struct.pack('>5Q', *bind)}, key)
        if word in data:
            found.append(('messages', row))
    for row, user, names in db.execute('SELECT id, user, names '
                                       'FROM audit_names'):
        if word in open_record({'table': 'audit_names', 'column': 'names',
                                'row': row, 'version': user, 'bind': b'',
                                'record': names}, key):
            found.append(('audit_names', row))
    db.close()
    return found


def trail(d, tenant):
    """The lines of a tenant's trail."""
    return _lines(*_place(d, tenant))


def system_trail(d):
    """The lines of the installation's trail: what operators did."""
    return _lines(*_place(d, None))


def chain(d, tenant):
    """Compute the chain of a trail; a Failure when it is not as written."""
    path, key = _place(d, tenant)
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    record, = db.execute("SELECT value FROM meta WHERE name = 'chain'"
                         ).fetchone()
    secret, seq, head, before, base = struct.unpack(
        '>32sQ32sQ32s', open_record({
            'table': 'meta', 'column': 'chain', 'row': 0, 'version': 0,
            'bind': b'', 'record': record}, key))
    number, mac = before, base
    for row, at, entry, got in db.execute(
            'SELECT id, at, entry, mac FROM audit ORDER BY id'):
        number += 1
        mac = hmac.new(secret, mac + struct.pack('>QQ', row, at) +
                       _text(row, entry, key), hashlib.sha256).digest()
        if (row, got) != (number, mac):
            raise Failure('line %d is not the one after %d' % (row,
                                                              number - 1))
    db.close()
    if (number, mac) != (seq, head):
        raise Failure('the chain ends at %d, not at %d' % (seq, number))
