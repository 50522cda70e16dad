#!/usr/bin/env python3
"""Files that are damaged, missing, exchanged or edited: an error for their
tenant, nothing for the others, and never a text that is not its own."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, Failure, alive, until                  # noqa: E402

HURT = 25               # tenants that are damaged at a time
WELL = 2                # and those that are not
WORDS = 12              # messages of each
ROUNDS = 400 if LONG else 20            # with flips: HURT of them in each
FEW = 40 if LONG else 2                 # with each other damage
FLIP_EACH = 1 if LONG else 4            # blocks of a backup
EDITS = 400 if LONG else 12             # rounds with edits of rows
SEED = int.from_bytes(os.urandom(4), 'big')


class Town:
    """Many tenants, what each has said, and their files as they were."""

    def __init__(self, hurt=HURT):
        self.d = d = Daemon(workers=1, more='password hash memory 64 passes 1\
\n')
        self.names = ['t%d' % i for i in range(hurt + WELL)]
        d.start()
        self.people, self.said, self.floors, self.ids = {}, {}, {}, {}
        for t in self.names:
            d.do('tenant', 'add', t)
            self.floors[t] = d.floor(t, 'Floor of ' + t)
            p = self.people[t] = d.person(t, 'ann@%s.example' % t, 'member',
                                          'Ann of ' + t)
            p.open().enter(self.floors[t])
            self.said[t] = {}
            for i in range(WORDS):
                text = '%s says %d %s' % (t, i, 'word ' * (40 * (i % 3)))
                self.said[t][p.say(text.strip())['id']] = text.strip()
            p.close()
        self.ids = {t['name']: t['id'] for t in
                    d.json('tenant', 'list')['tenants']}
        # The log as a kill leaves it, not as a clean end would.
        pids = d.pids_known()
        self.dark(pids)
        copy(d.path('data'), d.path('good'))

    def dark(self, pids):
        d = self.d
        for pid in [d.proc.pid] + pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        d.wait_exit()
        until(lambda: not any(alive(p) for p in pids), 'all end')

    def path(self, tenant, name='main.db'):
        return self.d.path('data', 'tenants', str(self.ids[tenant]), name)

    def key(self, tenant):
        return self.d.path('data', 'keys', '%d.key' % self.ids[tenant])

    def good(self):
        """All files as they were."""
        shutil.rmtree(self.d.path('data'))
        copy(self.d.path('good'), self.d.path('data'))

    def round(self, hurt):
        """Damage each but those that stay well; what, and what it is then."""
        self.good()
        what = {t: hurt(self, t) for t in self.names[WELL:]}
        self.d.start()
        try:
            pids = self.d.pids()
            got = {}
            # Auth may hear of the tenants a moment later than the page.
            until(lambda: self.look(self.names[0]) == 'whole', 'it serves')
            for t in self.names[WELL:] + self.names[:WELL]:
                try:
                    got[t] = self.look(t)
                except Failure as e:
                    raise Failure('%s (%s)' % (e, what.get(t, 'well')))
            for t in self.names[:WELL]:
                equal(got[t], 'whole', '%s, which is well' % t)
            equal(self.d.pids(), pids, 'a process died: %r' % what)
            # A row that does not open is counted, a file is named.
            named = self.d.do('show', 'status')
            rows = hurt is edit and self.d.stats()['storage.unreadable'] > 0
            for t in self.names:
                # Storage, which goes through files by itself, may have met
                # it since.
                if got[t] != 'away' and 'tenant.%s.damaged' % t in named:
                    got[t] = self.look(t)
                check((got[t] == 'away') == ('tenant.%s.damaged' % t in
                                             named) or rows,
                      '%s (%s) is %s; show status: %s' % (
                          t, what.get(t), got[t], named))
            return {t: (what[t], 'error' if got[t] == 'away' else got[t])
                    for t in what}
        finally:
            self.dark(self.d.pids_known())

    def look(self, t):
        """whole, part, error; a text that was never said there is worse."""
        p, said = self.people[t], self.said[t]
        p.http.close()
        r = p.api('GET', '/messages?channel=floor:%d&limit=100' %
                  self.floors[t])
        if r.status != 200:
            check(r.status in (401, 403, 404, 503), '%s: %r' % (t, r))
            return 'away' if r.status == 503 else 'error'
        rows = r.json()['messages']
        for m in rows:
            check(said.get(m['id']) == m['text'] and
                  m['name'] == 'Ann of ' + t,
                  '%s: a wrong text: %r' % (t, m))
        r = p.api('GET', '/admin/users')
        check(r.status in (401, 403, 503), '%s: more than hers: %r' % (t, r))
        r = p.api('GET', '/floors')
        if r.status != 200:
            return 'error'
        floors = r.json()['floors']
        for f in floors:
            equal(f['name'], 'Floor of ' + t, t)
        return 'whole' if floors and len(rows) == len(said) else 'part'


def copy(a, b):
    """With owners and times: storage has to read it."""
    subprocess.run(['cp', '-a', a, b], check=True)


def owned(path, like):
    st = os.stat(like)
    os.chown(path, st.st_uid, st.st_gid)
    os.chmod(path, st.st_mode & 0o777)


def put(source, path):
    """In place of it, as its owner's."""
    shutil.copyfile(source, path + '.put')
    owned(path + '.put', path)
    os.rename(path + '.put', path)


# What may become of a file.

def flip(town, t):
    """One bit of one of its files."""
    name = random.choice(('main.db', 'main.db', 'main.db-wal', 'main.db-wal',
                          'key'))
    path = town.key(t) if name == 'key' else town.path(t, name)
    with open(path, 'r+b') as f:
        at = random.randrange(os.path.getsize(path))
        f.seek(at)
        byte = f.read(1)[0] ^ 1 << random.randrange(8)
        f.seek(at)
        f.write(bytes([byte]))
    return 'bit of %s at %d' % (name, at)


def header(town, t):
    """The first bytes of the file, of its log, or of the key."""
    path = random.choice((town.path(t), town.path(t, 'main.db-wal'),
                          town.key(t)))
    with open(path, 'r+b') as f:
        f.write(os.urandom(random.choice((4, 16, 100))))
    return 'header of ' + os.path.basename(path)


def page(town, t):
    """A page of nothing, of noise, or another one of the same file."""
    path = random.choice((town.path(t), town.path(t, 'main.db-wal')))
    n = os.path.getsize(path) // 4096
    with open(path, 'r+b') as f:
        f.seek(random.randrange(n) * 4096)
        other = random.choice((bytes(4096), os.urandom(4096), f.read(4096)))
        at = random.randrange(n) * 4096
        f.seek(at)
        f.write(other)
    return 'page of %s at %d' % (os.path.basename(path), at)


def shortened(town, t):
    path = random.choice((town.path(t), town.path(t, 'main.db-wal'),
                          town.key(t)))
    n = random.randrange(os.path.getsize(path))
    os.truncate(path, n)
    return '%s cut at %d' % (os.path.basename(path), n)


def missing(town, t):
    path = random.choice((town.path(t), town.path(t, 'main.db-wal'),
                          town.key(t)))
    os.unlink(path)
    return 'no ' + os.path.basename(path)


def another(town, t):
    """What belongs to another tenant."""
    other = random.choice([x for x in town.names if x != t])
    kind = random.randrange(3)
    if kind == 0:
        put(town.key(other), town.key(t))
    else:
        for name in ('main.db', 'main.db-wal')[:kind]:
            put(town.path(other, name), town.path(t, name))
    return 'of %s: %s' % (other, ('key', 'file', 'file and log')[kind])


# What an editor of rows may do; the log is in the file then.

def tables(db):
    return [r[0] for r in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT "
        "LIKE 'sqlite%'")]


def blobs(db):
    """A table and a column that has bytes in two rows at least."""
    found = []
    for table in tables(db):
        for c in db.execute('PRAGMA table_info(%s)' % table).fetchall():
            n = db.execute('SELECT count(*) FROM %s WHERE typeof(%s) = '
                           "'blob'" % (table, c[1])).fetchone()[0]
            if n:
                found.append((table, c[1], n))
    return found


def some_row(db, table, column):
    return db.execute('SELECT rowid, %s FROM %s WHERE typeof(%s) = \'blob\' '
                      'ORDER BY random() LIMIT 1' % (
                          column, table, column)).fetchone()


def edit(town, t):
    """Values of one place in another one: a row, a column, a tenant."""
    db = sqlite3.connect(town.path(t), isolation_level=None)
    other = random.choice([x for x in town.names if x != t])
    try:
        db.execute('PRAGMA ignore_check_constraints = ON')
        told = random.choice((swap, swap, across, foreign, number))(
            town, db, other)
    except sqlite3.IntegrityError as e:
        told = 'refused by SQLite: %s' % e
    except sqlite3.OperationalError as e:
        check('no such column: rowid' in str(e), e)
        told = 'a table without row numbers'
    db.close()
    return told


def swap(town, db, other):
    """Two rows of one column."""
    table, column, _ = random.choice([b for b in blobs(db) if b[2] > 1])
    (a, x), (b, y) = some_row(db, table, column), some_row(db, table, column)
    db.execute('UPDATE %s SET %s = ? WHERE rowid = ?' % (table, column),
               (y, a))
    db.execute('UPDATE %s SET %s = ? WHERE rowid = ?' % (table, column),
               (x, b))
    return 'swapped %s.%s of %d and %d' % (table, column, a, b)


def across(town, db, other):
    """A column of one table in one of another."""
    some = random.sample(blobs(db), 2)
    (t1, c1, _), (t2, c2, _) = some
    value = some_row(db, t1, c1)[1]
    row = some_row(db, t2, c2)[0]
    db.execute('UPDATE %s SET %s = ? WHERE rowid = ?' % (t2, c2), (value,
                                                                   row))
    return '%s.%s into %s.%s of %d' % (t1, c1, t2, c2, row)


def foreign(town, db, other):
    """The same column of the other tenant."""
    table, column, _ = random.choice(blobs(db))
    odb = sqlite3.connect(town.path(other), isolation_level=None)
    theirs = some_row(odb, table, column)
    odb.close()
    if theirs is None:
        return 'nothing to take'
    row = some_row(db, table, column)[0]
    db.execute('UPDATE %s SET %s = ? WHERE rowid = ?' % (table, column),
               (theirs[1], row))
    return '%s.%s of %d from %s' % (table, column, row, other)


def number(town, db, other):
    """Another number: whose, when, which version, which state."""
    table = random.choice([t for t in tables(db) if db.execute(
        'SELECT count(*) FROM %s' % t).fetchone()[0]])
    column = random.choice([c[1] for c in db.execute(
        'PRAGMA table_info(%s)' % table) if c[2].upper() == 'INTEGER'] or
        [None])
    if column is None:
        return 'no numbers in ' + table
    n = random.choice((0, 1, 2, 3, 255, 2 ** 31, 2 ** 40, -1))
    db.execute('UPDATE %s SET %s = ? WHERE rowid = (SELECT rowid FROM %s '
               'ORDER BY random() LIMIT 1)' % (table, column, table), (n,))
    return '%s.%s = %d' % (table, column, n)


def generation():
    """a backup that is cut at every 4 KiB, or has a bit flipped in each, is
    refused, and nothing is replaced"""
    town = Town(0)
    d, t = town.d, town.names[0]
    d.start()
    try:
        stamp = d.json('backup', 'now')['backup']['stamp']
        top = d.path('data', 'backup', stamp)
        names = ['manifest', 'system.db'] + [
            'tenants/%d/%s' % (town.ids[x], f) for x in (t, town.names[1])
            for f in os.listdir(os.path.join(top, 'tenants',
                                             str(town.ids[x])))]
        cuts = flips = 0
        for name in names:
            path = os.path.join(top, name)
            shutil.copyfile(path, d.path('whole'))
            size = os.path.getsize(path)
            for at in range(0, size, 4096):
                os.truncate(path, at)
                refused(d, stamp, t, '%s cut at %d' % (name, at))
                cuts += 1
                put(d.path('whole'), path)
                if at // 4096 % FLIP_EACH:
                    continue
                bit = at + random.randrange(min(4096, size - at))
                with open(path, 'r+b') as f:
                    f.seek(bit)
                    byte = f.read(1)[0] ^ 1 << random.randrange(8)
                    f.seek(bit)
                    f.write(bytes([byte]))
                refused(d, stamp, t, '%s flipped at %d' % (name, bit))
                flips += 1
                put(d.path('whole'), path)
        equal(town.look(t), 'whole', 'the data')
        equal(d.ctl('backup', 'verify', stamp)[0], 0, 'as it was')
        d.do('backup', 'restore', stamp, 'tenant', t)
        print('%d cuts and %d flips in %d files of a backup: all refused' % (
            cuts, flips, len(names)))
    finally:
        d.end()


def refused(d, stamp, tenant, what):
    """By verify; and where it is of the tenant's, by restore."""
    code, out, err = d.ctl('backup', 'verify', stamp)
    equal(code, 1, '%s: %s %s' % (what, out, err))
    part = what.split(' ')[0]
    if part == 'manifest' or '%d/' % ids(d)[tenant] in part:
        code, out, err = d.ctl('backup', 'restore', stamp, 'tenant', tenant)
        equal(code, 1, '%s: %s %s' % (what, out, err))
        check('nothing was changed' in out or 'manifest' in err,
              '%s: %s %s' % (what, out, err))


def ids(d, known={}):
    if d not in known:
        known[d] = {t['name']: t['id'] for t in
                    d.json('tenant', 'list')['tenants']}
    return known[d]


KINDS = {flip: ROUNDS, header: FEW, page: FEW, shortened: FEW, missing: FEW,
         another: FEW, edit: EDITS}


def damaged(town, hurt):
    """%s"""
    seen = {}
    for i in range(KINDS[hurt]):
        for t, (what, got) in town.round(hurt).items():
            seen[got] = seen.get(got, 0) + 1
    print('%-10s %5d times: %s' % (hurt.__name__, sum(seen.values()),
                                   ', '.join('%d %s' % (n, k) for k, n in
                                             sorted(seen.items()))))
    if hurt is not edit:
        check(seen.get('error', 0) > 0, 'nothing was found: %r' % seen)


def main():
    random.seed(SEED)
    print('seed %d; of those that were damaged: whole, in part, an error' %
          SEED)
    s = Suite()
    town = []

    def well():
        """Made when it is first needed."""
        if not town:
            town.append(Town())
        return town[0]
    try:
        for hurt in KINDS:
            fn = lambda hurt=hurt: damaged(well(), hurt)     # noqa: E731
            fn.__name__ = hurt.__name__
            fn.__doc__ = '%s: no wrong text, no effect on others' % (
                hurt.__name__)
            s.run_test(fn)
        s.run_test(generation)
    finally:
        for t in town:
            t.d.end()
    s.end()


if __name__ == '__main__':
    main()
