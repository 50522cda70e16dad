#!/usr/bin/env python3
"""Audit trails written anew by whoever has the whole disk and all keys, held
against the checkpoints that their tenants have kept.

He lacks nothing but what was kept: he seals and chains lines as the program
does, and signs checkpoints of what he has written."""

import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import RISACTL, Daemon, until                         # noqa: E402
from trail import erasing, open_record, place_of, seal          # noqa: E402

TENANTS = 11            # one of them is left as it is, in turn
TIMES = 4               # checkpoints of each,
BETWEEN = 8             # and lines between them
TRIES = 10000 if LONG else 1000
SEED = int.from_bytes(os.urandom(4), 'big')
CHAIN = '>32sQ32sQ32s'  # as storage.h has it


class Forged:
    """A trail that he makes of another one; state is what is to be told."""

    def __init__(self, trail, lines, before=0, base=bytes(32), secret=None):
        self.lines, self.before, self.base = lines, before, base
        self.secret = secret or trail.secret
        self.points = None      # in place of those that go with the lines
        self.state = 'kept'
        self.line = None        # the first that is wrong, unless kept says it

    def chained(self):
        """(line, time, text, MAC) of each."""
        rows, mac = [], self.base
        for row, (at, text) in enumerate(self.lines, self.before + 1):
            mac = hmac.new(self.secret, mac + struct.pack('>QQ', row, at) +
                           text, hashlib.sha256).digest()
            rows.append((row, at, text, mac))
        return rows


class Trail:
    """That of a tenant, as it is and as he would have it."""

    def __init__(self, d, name, number, last):
        self.name, self.number, self.last = name, number, last
        path, self.key = place_of(d, number)
        self.db = sqlite3.connect(path, timeout=20, isolation_level=None)
        self.db.execute('PRAGMA synchronous = OFF')
        self.rows = self.db.execute(
            'SELECT id, at, entry, mac FROM audit ORDER BY id').fetchall()
        self.points = self.db.execute(
            'SELECT seq, head, line FROM points ORDER BY seq').fetchall()
        self.chain, = self.db.execute(
            "SELECT value FROM meta WHERE name = 'chain'").fetchone()
        self.secret, seq, _, before, _ = struct.unpack(CHAIN, open_record({
            'table': 'meta', 'column': 'chain', 'row': 0, 'version': 0,
            'bind': b'', 'record': self.chain}, self.key))
        equal((before, seq), (0, len(self.rows)), name)
        # What is behind the last one, nobody has kept anything of.
        self.kept = [p for p in self.points if p[0] <= last]
        equal(self.kept[-1][0], last, name)
        self.lines = [(at, open_record({
            'table': 'audit', 'column': 'entry', 'row': row, 'version': 0,
            'bind': b'', 'record': entry}, self.key))
            for row, at, entry, _ in self.rows]
        with open(d.path('keys', 'sign.key'), 'rb') as f:
            self.sign = Ed25519PrivateKey.from_private_bytes(f.read())

    def _put(self, rows, points, chain):
        self.db.execute('BEGIN IMMEDIATE')
        self.db.execute('DELETE FROM audit')
        self.db.execute('DELETE FROM points')
        self.db.executemany('INSERT INTO audit (id, at, entry, mac) '
                            'VALUES (?, ?, ?, ?)', rows)
        self.db.executemany('INSERT INTO points (seq, head, line) '
                            'VALUES (?, ?, ?)', points)
        self.db.execute("UPDATE meta SET value = ? WHERE name = 'chain'",
                        (chain,))
        self.db.execute('COMMIT')

    def restore(self):
        self._put(self.rows, self.points, self.chain)

    def put(self, f):
        """In place of it; its lines by their numbers, as a checkpoint would
        have them, and of which of them there is another checkpoint now."""
        rows = f.chained()
        heads = {row: mac for row, _, _, mac in rows}
        points = f.points
        if points is None:
            points = [(seq, head, line) if heads[seq] == head else
                      self.point(seq, heads[seq])
                      for seq, head, line in self.points if seq in heads]
        heads[f.before] = f.base
        self._put(
            [(row, at, self._entry(row, text), mac)
             for row, at, text, mac in rows], points,
            seal(self.key, 'meta', 'chain', 0, struct.pack(
                CHAIN, f.secret, f.before + len(rows),
                heads[f.before + len(rows)], f.before, f.base)))
        return heads, {p[0] for p in points if p not in self.points}

    def _entry(self, row, text):
        """As it was sealed if it is where it was."""
        if row <= len(self.lines) and self.lines[row - 1][1] == text:
            return self.rows[row - 1][2]
        return seal(self.key, 'audit', 'entry', row, text)

    def point(self, seq, head, days=0):
        """A checkpoint, of so many days ago."""
        pub = self.sign.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        text = ('risad checkpoint v1 key=%s tenant=%d name=%s seq=%d at=%s '
                'head=%s' % (
                    hashlib.sha256(pub).hexdigest()[:16], self.number,
                    self.name, seq,
                    time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(
                        time.time() - days * 86400)),
                    head.hex()))
        sig = base64.urlsafe_b64encode(self.sign.sign(text.encode()))
        return seq, head, '%s sig=%s' % (text, sig.decode().rstrip('='))


# Each makes something of line i; j makes it another thing each time.

def other(t, n):
    """A line as it could have been."""
    at = t.lines[min(n, len(t.lines) - 1)][0]
    return at, b'by operator 0: set password-length from %d to %d' % (
        1000 + n, 2000 + n)


def changed(t, i, j):
    """another text"""
    new = list(t.lines)
    new[i - 1] = new[i - 1][0], other(t, j)[1]
    return new


def say(t, i, j):
    """a line says another thing"""
    return Forged(t, changed(t, i, j))


def when(t, i, j):
    """a line is of another time"""
    new = list(t.lines)
    new[i - 1] = new[i - 1][0] - 1 - j, new[i - 1][1]
    return Forged(t, new)


def cut(t, i, j):
    """it ends before the line, or goes on with fewer"""
    return Forged(t, t.lines[:i - 1] + [other(t, i + n) for n in range(j)])


def middle(t, i, j):
    """some are gone, and the others have their numbers"""
    return Forged(t, t.lines[:i - 1] + t.lines[i + j:])


def swap(t, i, j):
    """it stands where a later one stood, and that one there"""
    new = list(t.lines)
    k = i + 1 + j % (len(new) - i)
    new[i - 1], new[k - 1] = new[k - 1], new[i - 1]
    return Forged(t, new)


def insert(t, i, j):
    """one more stands before it"""
    return Forged(t, t.lines[:i - 1] + [other(t, j)] + t.lines[i - 1:])


def double(t, i, j):
    """the one before it is there once more, or often"""
    i = max(i - 1, 1)
    return Forged(t, t.lines[:i] + t.lines[i - 1:i] * (j + 1) + t.lines[i:])


def fork(t, i, j):
    """all is different from there on, to where it ended or further"""
    return Forged(t, t.lines[:i - 1] + [
        other(t, n) for n in range(i, len(t.lines) + 1 + j)])


def secret(t, i, j):
    """one is different, and all are linked anew under another secret"""
    return Forged(t, changed(t, i, j), secret=hashlib.sha256(
        b'%d %d' % (i, j)).digest())


def front(t, i, j):
    """the beginning is gone, as if by its age, with one that was kept"""
    i = min(i + t.kept[0][0], t.last)
    return Forged(t, changed(t, len(t.lines), j)[i:] if j else t.lines[i:],
                  i, t.rows[i - 1][3])


def aged(t, i, j):
    """the beginning is gone, as if by its age, and what is left is his"""
    i += j * t.last
    return Forged(t, [other(t, i + n) for n in range(4)], i,
                  hashlib.sha256(b'%d' % i).digest())


def based(t, i, j):
    """it begins just behind the last line that was kept, and is his"""
    return Forged(t, [other(t, i + n) for n in range(j + 9)], t.last,
                  hashlib.sha256(b'%d %d' % (i, j)).digest())


def gone(t, i, j):
    """nothing is left, and another one begins"""
    return Forged(t, [other(t, i + n) for n in range(j + (i > 1))])


def pointed(t, i, j):
    """only the checkpoint of a line is another one"""
    f = Forged(t, t.lines)
    head = hashlib.sha256(b'%d %d' % (i, j)).digest()
    f.points = [p for p in t.points if p[0] != i] + [t.point(i, head)]
    f.state, f.line = 'checkpoint', i
    return f


KINDS = (say, when, cut, middle, swap, insert, double, fork, secret, front,
         aged, based, gone, pointed)


def manipulations(rnd, last):
    """All kinds at every line, in any order; then others of them."""
    for j in range(TRIES):
        places = [(kind, i, j) for kind in KINDS for i in range(1, last + 1)]
        rnd.shuffle(places)
        yield from places


def verify(d, *words):
    """What is said of each trail."""
    code, out, err = d.ctl('-j', 'audit', 'verify', *words)
    said = {t['tenant']: (t['state'], t.get('line'))
            for t in json.loads(out)['trails']}
    equal(code, 0 if {s for s, _ in said.values()} <= {'whole', 'erased'} else
          1, err)
    return said


def contradicted(d):
    """The tenants of which the checkpoints that are kept and those that are
    shown now cannot both be true, without the daemon."""
    with open(d.path('kept')) as f:
        d.write('both', f.read() + d.do('audit', 'checkpoints'))
    p = subprocess.run([RISACTL, '-s', '/nowhere', 'verify', d.path('both'),
                        'key', d.path('keys', 'sign.pub')],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=60)
    text = p.stderr.decode()
    check('not signed' not in text and 'not a checkpoint' not in text, text)
    return {line.split(': ')[1] for line in text.splitlines()
            if 'two trails' in line}


def signed(d):
    """The last line of each tenant of which there is a checkpoint."""
    return {x['text'].split(' name=')[1].split()[0]:
            int(x['text'].split(' seq=')[1].split()[0])
            for x in d.rows('audit', 'checkpoints')}


def grown(d, n=TENANTS):
    """So many trails that have been signed some times; their last lines are
    of today."""
    names = ['t%d-%d' % (n, i) for i in range(n)]
    for name in names:
        d.do('tenant', 'add', name)
    numbers = {t['name']: t['id'] for t in d.json('tenant', 'list')['tenants']}
    for i in range(TIMES + 1):
        for k in range(BETWEEN):
            for name in names:
                d.do('policy', 'set', name, 'password-length',
                     str(9 + (i + k) % 8))
        if i < TIMES:
            d.restart()                 # everything is signed
        if i == TIMES - 1:
            kept = signed(d)
    # What is unsigned at a start is signed soon after.  Then the daemon has
    # looked at each, and signs nothing that is forged meanwhile.
    d.proc.kill()
    d.wait_exit()
    d.start()
    ends = {t['tenant']: t['lines'] for t in
            d.json('audit', 'verify')['trails']}
    until(lambda: all(signed(d)[name] == ends[name] for name in names),
          'all are signed', 120)
    return [Trail(d, name, numbers[name], kept[name]) for name in names]


def rewritten(d):
    """whatever the operator makes of a trail, what was kept tells of it

    Alone each is whole, so he has done it well; beside them one is left as it
    is, each time another one."""
    trails = grown(d)
    rnd = random.Random(SEED)
    todo = manipulations(rnd, min(t.last for t in trails))
    against = ('against', d.path('kept'), 'key', d.path('keys', 'sign.pub'))
    made, told, forks = {}, 0, 0
    while sum(made.values()) < TRIES:
        left = trails[sum(made.values()) // (TENANTS - 1) % TENANTS]
        alone, want, what, two, kept = {left.name: ('whole', None)}, {
            left.name: ('whole', None)}, {}, set(), list(left.kept)
        for t in trails:
            if t is left:
                continue
            kind, i, j = next(todo)
            f = kind(t, i, j)
            what[t.name] = '%s %d %d' % (kind.__name__, i, j)
            made[kind] = made.get(kind, 0) + 1
            heads, signed = t.put(f)
            # Some have kept all that there were, some that of yesterday.
            mine = t.kept if kind is front or (i + j) % 2 else t.kept[-1:]
            kept += mine
            wrong = [seq for seq, head, _ in mine if heads.get(seq) != head]
            check(wrong or f.line, 'nothing is made: ' + what[t.name])
            alone[t.name] = (f.state, f.line) if f.line else ('whole', None)
            want[t.name] = f.state, f.line or wrong[0]
            if signed & {seq for seq, _, _ in mine}:
                two.add(t.name)
        d.write('kept', '\n'.join(line for _, _, line in kept) + '\n')
        for expected, words in (alone, ()), (want, against):
            got = verify(d, *words)
            for name in want:
                equal(got[name], expected[name], 'seed %d: %s, %s%s' % (
                    SEED, name, what.get(name, 'left'),
                    ', against what was kept' if words else ''))
        got = contradicted(d)
        check(two <= got and left.name not in got, 'seed %d: %r, not %r; %r' %
              (SEED, got, two, what))
        told += sum(want[name][0] != 'whole' for name in what)
        forks += len(two)
        for t in trails:
            t.restore()
    got = verify(d, *against)
    equal({got[t.name] for t in trails}, {('whole', None)}, 'put back')
    equal(len(made), len(KINDS), 'kinds')
    print('  %d manipulations, %d told; of %d two checkpoints' % (
        sum(made.values()), told, forks))


def by_age(d):
    """what has gone by its age is not missed, what cannot have is

    No policy lets a line go within a year."""
    t = grown(d, 1)[0]
    number, head, _ = t.kept[1]
    t.put(Forged(t, t.lines[number + 1:], number + 1, t.rows[number][3]))
    for days, want in (400, ('whole', None)), (300, ('kept', number)):
        d.write('kept', t.point(number, head, days)[2] + '\n')
        equal(verify(d, 'against', d.path('kept'), 'key',
                     d.path('keys', 'sign.pub'))[t.name], want,
              'of %d days ago' % days)
    # The line behind which it begins is known, however old it is.
    for base, want in (head, ('whole', None)), (bytes(32), ('kept', number)):
        t.put(Forged(t, t.lines[number:], number, base))
        d.write('kept', t.point(number, head, 400)[2] + '\n')
        equal(verify(d, 'against', d.path('kept'), 'key',
                     d.path('keys', 'sign.pub'))[t.name], want, 'begin')
    t.restore()


def dismissed(d):
    """a trail that has gone with its tenant is told, be it with a certificate

    Who has all keys makes one himself; then it is for the tenant to say that
    he was never erased."""
    d.do('tenant', 'add', 'lost')
    d.do('policy', 'set', 'lost', 'password-length', '9')
    number = d.json('tenant', 'show', 'lost')['tenant']['id']
    d.restart()                         # it is signed
    d.write('kept', d.do('audit', 'checkpoints'))
    d.stop()
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    db.execute('DELETE FROM tenants WHERE id = ?', (number,))
    db.close()
    shutil.rmtree(d.path('data', 'tenants', str(number)))
    os.unlink(d.path('data', 'keys', '%d.key' % number))
    for want in 'gone', 'erased':
        d.start()
        equal(verify(d, 'against', d.path('kept'), 'key', d.path(
            'keys', 'sign.pub')).get(str(number)), (want, None), want)
        d.stop()
        if want == 'gone':
            erasing(d, number, 'lost')
    d.start()


def main():
    d = Daemon(more='password hash memory 64 passes 1\n')
    d.start()
    s = Suite(d)
    for fn in rewritten, by_age, dismissed:
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
