#!/usr/bin/env python3
"""Power cuts on a file system of its own: what was acknowledged is there."""

import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from disk import Disk, Inject, prepare                            # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, alive, until                           # noqa: E402
from writers import Writers                                     # noqa: E402

CUTS = 500 if LONG else 20
KILLED = 20 if LONG else 3
REFUSED = 25 if LONG else 5
LOG_FULL = 4000000      # bytes: then SQLite begins it anew
ROWS = 200              # of the plain writer, before its power is cut

# A writer that knows nothing of risad: one row a transaction, and it says so
# when SQLite has said that it is done.
PLAIN = '''
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA journal_mode = WAL')
db.execute('PRAGMA synchronous = ' + sys.argv[2])
db.execute('CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, x)')
for n in range(1, 100000):
    db.execute('INSERT INTO t VALUES (?, zeroblob(100))', (n,))
    print(n, flush=True)
'''


def plain(disk, synchronous):
    """Cut the power of a plain writer; acknowledged and found afterwards."""
    name = os.path.join(disk.at, synchronous + '.db')
    p = subprocess.Popen([sys.executable, '-c', PLAIN, name, synchronous],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = 0
    while said < ROWS:
        said = int(p.stdout.readline())
    disk.cut()
    p.kill()
    rest = p.stdout.read().split(b'\n')[:-1]
    said = int(rest[-1]) if rest else said
    p.wait()
    p.stdout.close()
    disk.off()
    disk.on()
    db = sqlite3.connect(name)
    try:
        found = db.execute('SELECT count(*) FROM t').fetchone()[0]
    except sqlite3.OperationalError as e:
        check('no such table' in str(e), e)
        found = 0
    db.close()
    return said, found


def convicts():
    """the rig convicts: without fsync a writer loses rows, with it none"""
    with tempfile.TemporaryDirectory(prefix='risad-test-') as top:
        at = os.path.join(top, 'at')
        os.mkdir(at)
        disk = Disk(top, at).on()
        try:
            said, found = plain(disk, 'NORMAL')
            print('synchronous=NORMAL: %d acknowledged, %d there' % (
                said, found))
            check(found < said, 'nothing was lost: this is no power cut')
            said, found = plain(disk, 'FULL')
            print('synchronous=FULL: %d acknowledged, %d there' % (said,
                                                                   found))
            check(found >= said, 'lost with FULL: the rig is wrong')
        finally:
            disk.off()


class Office:
    """A daemon whose data is on a disk of its own, and who writes there."""

    tenants = ('acme', 'globex')

    def __init__(self, each=3):
        self.d = d = Daemon(workers=2,
                            more='password hash memory 64 passes 1\n')
        self.disk = Disk(d.path('disk'), d.path('data')).on()
        shutil.chown(d.path('data'), '_risastor')
        os.chmod(d.path('data'), 0o700)
        d.start()
        for t in self.tenants:
            d.do('tenant', 'add', t)
        self.w = Writers(d, self.tenants, each)

    def dark(self, pids):
        """The power is cut: the machine is off."""
        self.disk.cut()
        # What is acknowledged now, by whoever does not know yet, counts.
        time.sleep(random.uniform(0, 0.2))
        for pid in [self.d.proc.pid] + pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.d.wait_exit()
        until(lambda: not any(alive(p) for p in pids), 'all is off')

    def light(self):
        """And on again, with what the disk has."""
        self.disk.off()
        self.disk.on()
        self.d.start()

    def sound(self):
        """Every tenant opens, every trail is whole."""
        equal(sorted(t['name'] for t in
                     self.d.json('tenant', 'list')['tenants']),
              sorted(self.tenants), 'the tenants')
        code, out, err = self.d.ctl('audit', 'verify')
        equal(code, 0, out + err)

    def end(self):
        self.d.end()
        self.disk.off()


class Operator(threading.Thread):
    """Adds people with risactl until the power is gone; who was added."""

    def __init__(self, d, name):
        threading.Thread.__init__(self, daemon=True)
        self.d, self.name, self.added = d, name, []
        self.start()

    def run(self):
        while True:
            mail = '%s-%d@acme.example' % (self.name, len(self.added))
            if self.d.ctl('user', 'add', 'acme', mail)[0] != 0:
                return
            self.added.append(mail)


def cuts():
    """the power is cut while people write: all that was acknowledged is there
    """
    o = Office()
    try:
        d, took, added = o.d, [], []
        for i in range(CUTS):
            pids = list(d.pids().values())
            op = Operator(d, 'cut%d' % i)
            o.w.start()
            o.w.more(1)
            time.sleep(random.uniform(0, 0.7))
            o.dark(pids)
            o.w.end()
            op.join(60)
            added += op.added
            begun = time.monotonic()
            o.light()
            took.append(time.monotonic() - begun)
            o.w.check(whole=i % 20 == 19 or i == CUTS - 1)
            there = {u['mail'] for u in d.json('user', 'list',
                                                'acme')['users']}
            lost = [m for m in op.added if m not in there]
            check(not lost, 'cut %d: lost users: %r' % (i, lost))
            o.sound()
        check(all(m in there for m in added), 'earlier users')
        print('%d power cuts: %d messages and %d users acknowledged, 0 lost; '
              'from power to service median %.2f s, worst %.2f s' % (
                  CUTS, o.w.count(), len(added), statistics.median(took),
                  max(took)))
    finally:
        o.end()


def unsynced():
    """storage is killed before its fsync, then the power is cut: who has been
    told meanwhile that it was said before, finds it"""
    o = Office(1)
    try:
        d, p = o.d, o.w.people[0]
        p.open().enter(o.w.floors['acme'])
        for i in range(KILLED):
            p.say('on the disk %d' % i)
            text, ref = 'not yet on it %d' % i, p.ref()
            pid = d.pids()[('storage', 0)]
            size = wal(o)
            with Inject(pid, 'fdatasync,fsync:delay_enter=10000000'):
                p.tell(t='say', to='floor', text=text, ref=ref)
                until(lambda: wal(o) != size, 'it is in the log')
                os.kill(pid, signal.SIGKILL)
            ack = p.insist('ack', t='say', to='floor', text=text, ref=ref)
            pids = [q for q in d.pids_known() if q != pid]
            o.dark(pids)
            p.drop()
            p.http.close()
            o.light()
            there = {m['id']: m['text'] for m in o.w.there('acme')}
            equal(there.get(ack['id']), text, 'what was acknowledged')
            p.open().enter(o.w.floors['acme'])
        o.sound()
    finally:
        o.end()


def wal(o):
    """What the log of acme's file says of itself: it changes with each write.
    """
    n = o.d.json('tenant', 'show', 'acme')['tenant']['id'] \
        if not hasattr(o, 'acme') else o.acme
    o.acme = n
    path = o.d.path('data', 'tenants', str(n), 'main.db-wal')
    try:
        v = os.stat(path)
        return v.st_size, v.st_mtime_ns
    except OSError:
        return 0, 0


def unwritten():
    """a write that the disk has refused is not taken for done later, though
    the system still shows what was to be written"""
    o = Office(6)
    try:
        d, p = o.d, o.w.people[0]
        # Until the log is written from its beginning again, in place.
        o.w.start()

        def again():
            size = wal(o)[0]
            o.w.more(2)
            return size > LOG_FULL and size == wal(o)[0]
        until(again, 'the log does not grow any more', 90)
        o.w.settle()
        p.open().enter(o.w.floors['acme'])
        said = {}
        for i in range(REFUSED):
            text, ref = 'refused %d' % i, p.ref()
            o.disk.refuses(True)
            p.tell(t='say', to='floor', text=text, ref=ref)
            p.error('unavailable', ref=ref)
            o.disk.refuses(False)
            said[text] = p.insist('ack', t='say', to='floor', text=text,
                                  ref=ref)['id']
            for j in range(3):
                text = 'after %d %d' % (i, j)
                said[text] = p.insist('ack', t='say', to='floor', text=text,
                                      ref=p.ref())['id']
            pids = d.pids_known()
            o.dark(pids)
            p.drop()
            p.http.close()
            o.light()
            got = {m['text']: m['id'] for m in o.w.there('acme')}
            lost = [t for t in said if got.get(t) != said[t]]
            check(not lost, 'lost: %r' % lost)
            o.w.check()
            p.open().enter(o.w.floors['acme'])
        o.sound()
    finally:
        o.end()


def main():
    prepare()
    s = Suite()
    for fn in (convicts, cuts, unsynced, unwritten):
        s.run_test(fn)
    s.end()


if __name__ == '__main__':
    main()
