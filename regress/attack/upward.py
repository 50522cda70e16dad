#!/usr/bin/env python3
"""What children send to the parent: what is not theirs to send ends them, and
no word of theirs becomes a name, a path or an argument.

The parent is the real one, its children do nothing: their program is another,
and what they say is the test's."""

import collections
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from alone import GENERATION                                    # noqa: E402
from forged import FD_MARK, MAX_PAYLOAD, PROCS, TYPES, borrow, imsg, \
    n64, pour, text                                             # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from places import draw, lengths, spoil                         # noqa: E402
from risa import RISAD, TOP, Daemon, Failure, _die_with_us, \
    until                                                       # noqa: E402

WORKERS = 2
DEATHS = 4              # of a slot that a minute may have
STUB = r'''
#include <poll.h>
int
main(void)
{
	struct pollfd	 p = { 3, 0, 0 };

	while (poll(&p, 1, -1) < 1)
		;
	return (0);
}
'''


class Parent:
    """A parent whose children only wait for the end of their pipe."""

    def __init__(self, home, stub):
        self.home, self.stub = home, stub
        self.proc = None
        self.pids = {}
        self.seen = 0

    def start(self, serving):
        h = self.home
        self.seen = len(h.log())
        with open(h.path('log'), 'ab') as log:
            self.proc = subprocess.Popen(
                [self.stub, '-d', '-f', h.path('risad.conf')],
                executable=RISAD, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd='/', preexec_fn=_die_with_us)
        until(lambda: len(self.slots()) == WORKERS + 4, 'children')
        self.pids = self.slots()
        if serving:
            for slot in self.pids:
                self.tell(slot, self.yes())
            until(lambda: 'serves' in self.said(), 'it serves\n' +
                  self.said())

    @staticmethod
    def yes():
        """The start of a child, as far as the parent can tell."""
        return b''.join((
            imsg(TYPES['READY'].nr, 0, b''),
            imsg(TYPES['CONF_ACK'].nr, 0, n64(GENERATION) + b'\1' +
                 text('')),
            imsg(TYPES['CONF_LIVE'].nr, 0, n64(GENERATION))))

    def said(self):
        return self.home.log()[self.seen:]

    def slots(self):
        found = {}
        try:
            with open('/proc/%d/task/%d/children' % (self.proc.pid,
                                                     self.proc.pid)) as f:
                pids = [int(v) for v in f.read().split()]
        except OSError:
            pids = []
        for pid in pids:
            try:
                with open('/proc/%d/cmdline' % pid, 'rb') as f:
                    v = f.read().split(b'\0')
                exe = os.readlink('/proc/%d/exe' % pid)
            except OSError:
                continue                # it is gone, or not yet itself
            if len(v) > 4 and v[1] == b'-P' and exe == self.stub:
                found[v[2].decode(), int(v[4])] = pid
        return found

    def tell(self, slot, data, fds=()):
        """As the child; its own end of the pipe is borrowed."""
        try:
            end = borrow(self.pids[slot], 3)
        except ProcessLookupError:
            raise Failure('%s %d is gone\n%s' % (*slot, self.said()[-900:]))
        with end as s:
            pour(s, data, fds)

    def renewed(self, slots):
        """Others have taken their place, and only theirs."""
        def now():
            if self.proc.poll() is not None:
                raise Failure('the parent has ended: %d\n%s' % (
                    self.proc.returncode, self.said()[-900:]))
            there = self.slots()
            return len(there) == len(self.pids) and all(
                there[s] != self.pids[s] for s in slots) and there
        there = until(now, 'started again: %r' % (slots,))
        for slot, pid in self.pids.items():
            if slot not in slots:
                equal(there[slot], pid, '%s %d' % slot)
        self.pids = there

    def fds(self):
        return len(os.listdir('/proc/%d/fd' % self.proc.pid))

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        until(lambda: 'stopping' in self.said(), 'it stops')
        for pid in self.slots().values():
            os.kill(pid, signal.SIGKILL)
        code = self.proc.wait(20)
        self.proc = None
        return code

    def end(self):
        if self.proc is not None:
            self.proc.kill()
            self.proc.wait()
            self.proc = None


ROWS = collections.Counter()


def cases(kind, rnd):
    """What must end such a child: (what, bytes, descriptors)."""
    for t in TYPES.values():
        may = t.may('parent', kind)
        forms = [(w, b) for w, b, refuse in lengths(kind, 'parent', t)
                 if refuse or not may]
        if not may:
            forms.append(('drawn', draw(t, rnd)))
            if not LONG:
                forms = [rnd.choice(forms)]
        for what, body in forms:
            fds = [0] if t.fd or rnd.random() < .05 else []
            yield '%s, %s' % (t.name, what), imsg(
                t.nr, rnd.getrandbits(32), body,
                mark=FD_MARK if fds else 0), fds
    for nr in (0, len(TYPES) + 1, 2 ** 31):
        yield 'type %d' % nr, imsg(nr, 1, b''), []
    for n in (0, 1, 15, MAX_PAYLOAD + 17, 0x7fffffff):
        yield 'length %d' % n, imsg(TYPES['READY'].nr, 1, b'', n), []
    # A process that is none, and one more than there are.
    for body in (b'\0\0\0', b'\6\0\0', struct.pack('>BH', 5, WORKERS),
                 struct.pack('>BH', 1, 1)):
        yield 'BADPEER %r' % body, imsg(TYPES['BADPEER'].nr, 1, body), []
    if LONG:
        types = list(TYPES.values())
        for _ in range(50000 // len(PROCS)):
            t = rnd.choice([t for t in types if not t.may('parent', kind)])
            yield t.name, imsg(t.nr, 1, spoil(t, draw(t, rnd), rnd)), []


def judged(p, serving, part=1):
    rnd = random.Random(3)
    todo = {kind: [c for c in cases(kind, rnd) if rnd.random() < part]
            for kind in ('storage', 'keys', 'hash', 'auth', 'session')}
    while any(todo.values()):
        p.start(serving)
        nfds = p.fds()
        killed = 0
        for _ in range(DEATHS):
            batch = {}
            for slot in sorted(p.pids):
                if todo[slot[0]]:
                    batch[slot] = todo[slot[0]].pop()
            for slot, (_, data, fds) in batch.items():
                p.tell(slot, data, fds)
            try:
                p.renewed(list(batch))
            except Failure as e:
                now = p.slots()
                raise Failure('%s; lives on after: %r' % (e, [
                    (s, b[0]) for s, b in batch.items()
                    if now.get(s) == p.pids[s]]))
            killed += len(batch)
            for slot in batch:
                ROWS[slot[0]] += 1
            if not any(todo.values()):
                break
        lines = len(re.findall(r'sent bad bytes, killed', p.said()))
        equal(lines, killed, 'killed, by the log')
        until(lambda: p.fds() <= nfds, 'descriptors of the parent: more '
              'than the %d it had' % nfds)
        equal(p.stop(), 0, 'exit code')


def starting(p):
    """whatever is not a child's to say ends it while the daemon starts"""
    judged(p, False, 1 if LONG else .2)


def serving(p):
    """and while it serves"""
    judged(p, True)


def own(p):
    """what is theirs to say harms nobody, however often and whatever it says"""
    p.start(True)
    rnd = random.Random(4)
    before = dict(p.pids)
    for slot in p.pids:
        for t in TYPES.values():
            if not t.may('parent', slot[0]) or t.name in (
                    'BADPEER', 'C_RELOAD', 'C_VERBOSE'):
                continue
            for _ in range(20):
                body = draw(t, rnd)
                # Of the next one it could come when that is asked for.
                if t.name in ('CONF_ACK', 'CONF_LIVE') and \
                        body[:8] in (n64(GENERATION), n64(GENERATION + 1)):
                    continue
                p.tell(slot, imsg(t.nr, rnd.getrandbits(32), body))
                ROWS['own'] += 1
    # Nor is what is said of another configuration said of this one.
    p.tell(('auth', 0), imsg(TYPES['C_RELOAD'].nr, 1, bytes(4)))
    other = imsg(TYPES['CONF_ACK'].nr, 0, n64(GENERATION + 2) + b'\1' +
                 text('')) + imsg(TYPES['CONF_LIVE'].nr, 0,
                                  n64(GENERATION + 2))

    def decided():
        for slot in p.pids:
            p.tell(slot, other)
        return 'configuration' in p.said().split('serves', 1)[1]
    until(decided, 'the reload')
    check('configuration: not all processes have accepted it in time' in
          p.said(), 'it counts what was said of another configuration\n' +
          p.said()[-900:])
    equal(p.slots(), before, 'processes')
    equal(p.stop(), 0, 'exit code')


def words():
    """the one text that a child sends up is a reason, and goes to the log"""
    there = {t.name: [k for k, _ in t.fields if k in ('str', 'blob')]
             for t in TYPES.values()
             if any(t.may('parent', kind) for kind in PROCS[1:6])}
    equal({n: k for n, k in there.items() if k}, {'CONF_ACK': ['str']},
          'text for the parent')
    with open(os.path.join(TOP, 'risad', 'risad.c')) as f:
        source = f.read()
    with open(os.path.join(TOP, 'risad', 'spawn.c')) as f:
        spawn = f.read()
    uses = re.findall(r'.{0,9}m->why', source)
    check(uses and all(u.endswith('log_safe(m->why') for u in uses),
          'a reason that is not made safe: %r' % uses)
    check('->why' not in spawn, 'spawn.c reads a reason')
    # Programs are started in one place, with words of our own.
    found = {}
    for name in sorted(os.listdir(os.path.join(TOP, 'risad'))):
        if name.endswith('.c'):
            with open(os.path.join(TOP, 'risad', name)) as f:
                for word in re.findall(r'\b(execve?|execl\w*|execvp\w*|system|'
                                       r'popen|posix_spawn\w*)\(', f.read()):
                    found.setdefault(name, []).append(word)
    equal(found, {'spawn.c': ['execve']}, 'where programs are started')
    body = spawn.split('child_exec(int fd,')[1].split('\n}\n')[0]
    equal(re.findall(r'\*argv\[\] = \{ (.*) \}', body),
          ['name, p, title, i, num, NULL'], 'the arguments')
    check('m->' not in body and 'imsg' not in body, 'of an imsg')


def main():
    home = Daemon(workers=WORKERS)
    with tempfile.TemporaryDirectory(prefix='risad-stub-') as where:
        os.chmod(where, 0o755)
        stub = os.path.join(where, 'stub')
        subprocess.run(['cc', '-static', '-o', stub, '-x', 'c', '-'],
                       input=STUB.encode(), check=True)
        p = Parent(home, stub)
        s = Suite()
        for fn in (starting, serving, own):
            def one(fn=fn):
                try:
                    fn(p)
                finally:
                    p.end()
            one.__doc__ = fn.__doc__
            one.__name__ = fn.__name__
            s.run_test(one)
        s.run_test(words)
        print('%d sent up: %s' % (sum(ROWS.values()), ', '.join(
            '%d as %s' % (n, k) for k, n in ROWS.items())))
        s.end()


if __name__ == '__main__':
    main()
