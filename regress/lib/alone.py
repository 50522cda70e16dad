"""A process of risad by itself: the test is its parent and all its siblings.

What it says on each of its pipes is seen, whatever is said to it is ours to
choose, and a pipe that it has closed is renewed by the next one.  Real
processes can be joined, as keys with a session that needs it for TLS."""

import array
import os
import select
import signal
import socket
import struct
import time

from forged import FD_MARK, HEAD, PROCS, TYPES, imsg, n64, pour, text
from risa import BOUND, RISAD, Failure, until

USERS = {'storage': '_risastor', 'keys': '_risakeys', 'hash': '_risahash',
         'auth': '_risaauth', 'session': '_risasess'}
# Which pairs have a pipe; the parent has one with each.
PAIRS = [('auth', 'storage'), ('auth', 'hash'), ('storage', 'keys'),
         ('session', 'storage'), ('session', 'auth'), ('session', 'keys'),
         ('session', 'session')]
NAMES = {t.nr: t for t in TYPES.values()}
SESSIONS = 2            # the one that is alone, and one beside it
GENERATION = 1
FILES = ('LISTEN_TLS', 'LISTEN_REDIRECT', 'LISTEN_PROXY', 'CERT', 'KEY',
         'MASTER', 'PREVIOUS', 'PEPPER', 'SIGN', 'CONTROL', 'TURN', 'HTDOC',
         'TEMPLATE')


def siblings(proc):
    """Those that it has a pipe to, as (process, instance)."""
    found = []
    for a, b in PAIRS:
        if a == proc == b:
            found.append((proc, 1))
        elif proc in (a, b):
            other = b if a == proc else a
            n = SESSIONS if other == 'session' else 1
            found += [(other, i) for i in range(n)]
    return found


class Said:
    """An imsg of the process: who got it, its type and what it holds."""

    def __init__(self, to, nr, ident, body, fds):
        self.to, self.nr, self.ident, self.body = to, nr, ident, body
        self.fds = fds
        self.name = NAMES[nr].name if nr in NAMES else '?'

    @property
    def code(self):
        return struct.unpack_from('>I', self.body)[0]

    def __repr__(self):
        return '%s to %s %d' % ((self.name,) + self.to)


class Pipe:
    """Our end of one: bytes out, imsgs in."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b''
        self.fds = []
        self.open = True

    def close(self):
        self.open = False
        self.sock.close()
        for fd in self.fds:
            os.close(fd)

    def send(self, data, fds=()):
        """All of it, or what is taken before the other side hangs up."""
        if not self.open:
            return False
        return pour(self.sock, data, fds)

    def pull(self, to):
        """The imsgs that have come."""
        while self.open:
            try:
                data, anc, _, _ = self.sock.recvmsg(1 << 18, 512)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data, anc = b'', ()
            for _, _, part in anc:
                a = array.array('i')
                a.frombytes(part[:len(part) // 4 * 4])
                self.fds += a
            if data == b'':
                self.close()
                break
            self.buf += data
        while len(self.buf) >= HEAD:
            nr, n, ident, _ = struct.unpack_from('=IIII', self.buf)
            marked, n = n & FD_MARK, n & ~FD_MARK
            if len(self.buf) < n:
                break
            body, self.buf = self.buf[HEAD:n], self.buf[n:]
            yield Said(to, nr, ident, body, [self.fds.pop(0)] if marked and
                       self.fds else [])


class Alone:
    """One process, started as the parent would; home is a Daemon at rest."""

    def __init__(self, home, proc, inst=0, ready=True):
        self.home, self.proc, self.inst = home, proc, inst
        self.log_at = home.path('alone.log')
        self.pipes = {}
        self.told = []          # that nobody has looked at yet
        self.live = 0
        self.status = None
        ours, theirs = self._pair()
        self.pid = os.fork()
        if self.pid == 0:
            self._exec(theirs.fileno())
        theirs.close()
        self.pipes[('parent', 0)] = Pipe(ours)
        root = home.path('data' if proc == 'storage' else 'empty')
        self.say('BOOT', text(USERS[proc]) + text(root) + struct.pack(
            '>IIII', SESSIONS, 1, 0, 1))
        if ready:
            self.wait('READY')

    @staticmethod
    def _pair():
        pair = socket.socketpair()
        for s in pair:
            s.setblocking(False)
        return pair

    def _exec(self, fd):
        try:
            log = os.open(self.log_at, os.O_WRONLY | os.O_CREAT |
                          os.O_APPEND, 0o600)
            null = os.open('/dev/null', os.O_RDONLY)
            own = os.dup(fd)
            for n, to in ((null, 0), (log, 1), (log, 2), (own, 3)):
                if n < 4:
                    os._exit(126)
                os.dup2(n, to)
            os.closerange(4, 4096)
            os.execve(RISAD, [RISAD, '-P', self.proc, '-I', str(self.inst)],
                      {})
        finally:
            os._exit(127)

    def log(self):
        with open(self.log_at, errors='replace') as f:
            return f.read()

    # Talking

    def raw(self, to, data, fds=()):
        return self.pipes[to].send(data, fds)

    def say(self, name, payload=b'', to=('parent', 0), ident=0, fds=()):
        """A good imsg; a descriptor that comes along is marked."""
        return self.raw(to, imsg(TYPES[name].nr, ident, payload,
                                 mark=FD_MARK if fds else 0), fds)

    def join(self, to, sock=None):
        """A new pipe to the sibling; ours to speak on unless one is given."""
        old = self.pipes.pop(to, None)
        if old is not None:
            old.close()
        if sock is None:
            ours, theirs = self._pair()
            self.pipes[to] = Pipe(ours)
        else:
            theirs = sock
        self.say('PROCFD', struct.pack('>BH', PROCS.index(to[0]), to[1]),
                 fds=[theirs.fileno()])
        if sock is None:
            theirs.close()

    def join_all(self):
        for to in siblings(self.proc):
            self.join(to)

    def pull(self, bound=0.0):
        """Take in what it has said; does anything come within the time?"""
        socks = [p.sock for p in self.pipes.values() if p.open]
        if socks:
            select.select(socks, [], [], bound)
        before = len(self.told)
        for to, p in self.pipes.items():
            self.told += p.pull(to)
        for s in self.told[before:]:
            for fd in s.fds:
                os.close(fd)
        return len(self.told) > before

    def gone(self):
        """Has it ended?  Its exit status is kept."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.status = status
        return self.status is not None

    def wait(self, name, to=('parent', 0), ident=None, bound=BOUND):
        """Its next imsg of this type, taken out of what it has said."""
        end = time.monotonic() + bound
        while True:
            for i, s in enumerate(self.told):
                if s.to == to and s.name == name and ident in (None, s.ident):
                    return self.told.pop(i)
            if self.gone():
                raise Failure('%s has ended: %d\n%s' % (
                    self.proc, self.status, self.log()[-2000:]))
            if time.monotonic() > end:
                raise Failure('%s has not said %s; but %r' % (
                    self.proc, name, self.told[-5:]))
            self.pull(0.1)

    def turn(self, n=1):
        """All that was written to it before now is done; what it said.

        A commit of a configuration that is none is answered, and nothing
        else comes of it.  Each answer took a turn of its loop."""
        end = time.monotonic() + 2 * BOUND
        for _ in range(n + 1):
            self.live += 1
            self.say('CONF_COMMIT', n64(2 ** 63 + self.live))
            while True:
                if any(s.name == 'CONF_LIVE' and
                       s.body == n64(2 ** 63 + self.live)
                       for s in self.told):
                    break
                if not self.pull(0.05) and (
                        self.gone() or not self.pipes[('parent', 0)].open):
                    self.pull()
                    break
                if time.monotonic() > end:
                    raise Failure('%s does not come back' % self.proc)
        self.pull()
        if not self.pipes[('parent', 0)].open:
            until(self.gone, 'the end of ' + self.proc)
        told = [s for s in self.told if s.name != 'CONF_LIVE' or
                s.body <= n64(2 ** 63)]
        self.told = []
        return told

    # Configuration

    def control(self):
        path = self.home.path('alone.sock')
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(8)
            s.setblocking(False)
            return s.detach()

    def listener(self):
        with socket.socket() as s:
            # Beside that of an offer before this one.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(('127.0.0.1', self.home.port))
            s.listen(64)
            s.setblocking(False)
            return s.detach()

    def files(self):
        """What a configuration brings along for it: each one's kind, how to
        open it, and its name."""
        def at(path):
            return lambda: os.open(self.home.path(path), os.O_RDONLY)
        return {
            'storage': [('MASTER', at('keys/master.key'), '')],
            'keys': [('CERT', at('tls.crt'), ''),
                     ('KEY', at('keys/tls.key'), ''),
                     ('SIGN', at('keys/sign.key'), '')],
            'hash': [('PEPPER', at('keys/pepper.key'), '')],
            'auth': [('CONTROL', self.control, '')],
            'session': [('CERT', at('tls.crt'), ''),
                        ('HTDOC', at('htdocs/index.html'), '/'),
                        ('LISTEN_TLS', self.listener, '')],
        }[self.proc]

    def offer(self, lost='', mark=0):
        """A configuration as the parent sends it; what is said to it.  Of one
        kind the descriptor is lost on its way, whether it was marked or not."""
        h = self.home
        self.say('CONF_SITE', n64(GENERATION) + text('localhost') +
                 text('') + struct.pack('>H14I', h.port, 8192, 1,
                                        1000, 1000,     # connections
                                        1000, 1000,     # pages
                                        *4 * (10 ** 7,),        # a minute
                                        256,                    # buffers
                                        0, 0, 86400) +
                 struct.pack('>HHI', 1440, 3, 0) + text(''))
        files = [f for f in self.files() if f[0] != lost]
        for kind, opened, name in files:
            fd = opened()
            self.say('CONF_FILE', struct.pack('>B', FILES.index(kind)) +
                     text(name), fds=[fd])
            os.close(fd)
        if lost:
            self.raw(('parent', 0), imsg(TYPES['CONF_FILE'].nr, 0, struct.pack(
                '>B', FILES.index(lost)) + text('/'), mark=mark))
        self.say('CONF_END', n64(GENERATION))
        return self.wait('CONF_ACK')

    def configure(self, commit=True):
        """One that is whole, and in force."""
        ack = self.offer()
        if ack.body[:9] != n64(GENERATION) + b'\1':
            raise Failure('%s refuses: %r' % (self.proc, ack.body))
        if commit:
            self.say('CONF_COMMIT', n64(GENERATION))
            self.turn()
        return self

    def stop(self):
        """Let it end by itself; its exit code."""
        if not self.gone():
            self.say('SHUTDOWN')
            until(lambda: self.pull() or self.gone(), 'an end of ' +
                  self.proc)
            until(self.gone, self.proc + ' ends')
        self.end()
        return os.waitstatus_to_exitcode(self.status)

    def end(self):
        """Gone for good, whatever its state."""
        if not self.gone():
            os.kill(self.pid, signal.SIGKILL)
            _, self.status = os.waitpid(self.pid, 0)
        for p in self.pipes.values():
            p.close()
        self.pipes = {}

    def fds(self):
        """How many descriptors it has, but for databases."""
        where = '/proc/%d/fd' % self.pid
        return len([n for n in os.listdir(where) if not os.readlink(
            os.path.join(where, n)).startswith(self.home.path('data'))])

    def rss(self):
        with open('/proc/%d/status' % self.pid) as f:
            return int([v for v in f if v.startswith('VmRSS')][0].split()[1])
