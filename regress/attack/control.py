#!/usr/bin/env python3
"""The control socket, with clients that are not risactl."""

import array
import os
import random
import re
import shutil
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import BOUND, RISACTL, Daemon, Failure, TOP, until    # noqa: E402

HEAD = 16
MAX_PAYLOAD = 128 * 1024
FD_MARK = 0x80000000
NOBODY = 65534


def type_numbers():
    """Numbers of the imsg types, in the order of the header."""
    with open(os.path.join(TOP, 'risad', 'risad.h')) as f:
        text = f.read()
    body = text.split('enum imsg_type {')[1].split('};')[0]
    body = re.sub(r'/\*.*?\*/', '', body, flags=re.S)
    return {n: i for i, n in enumerate(re.findall(r'IMSG_(\w+)', body))}


TYPES = type_numbers()


def version():
    with open(os.path.join(TOP, 'risad', 'control.h')) as f:
        return int(re.search(r'CONTROL_VERSION\s+(\d+)', f.read()).group(1))


def imsg(nr, payload=b'', length=None, mark=0, ident=1):
    n = HEAD + len(payload) if length is None else length
    return struct.pack('=IIII', nr, n | mark, ident, 0) + payload


HELLO = imsg(TYPES['C_HELLO'], struct.pack('>I', version()))
STATUS = imsg(TYPES['C_PROCESSES'], struct.pack('>I', 0))


class Client:
    def __init__(self, d, bound=BOUND):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(bound)
        self.s.connect(d.path('risad.sock'))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.s.close()

    def send(self, data):
        try:
            self.s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def ended(self, bound=BOUND):
        """Read to the end; what came."""
        self.s.settimeout(bound)
        got = b''
        try:
            while True:
                data = self.s.recv(65536)
                if data == b'':
                    return got
                got += data
        except ConnectionResetError:
            return got
        except TimeoutError:
            raise Failure('the client is kept')


def auth_fds(d):
    return len(os.listdir('/proc/%d/fd' % d.auth))


def works(d):
    """risactl is served as ever, and nothing stays open."""
    d.do('tenant', 'list')
    until(lambda: auth_fds(d) <= d.fds_before, 'the clients are closed')


def garbage(d):
    """random bytes end the client that sent them, nothing else"""
    random.seed(3)
    for i in range(300):
        with Client(d) as c:
            if i % 2:
                c.send(HELLO)
            c.send(random.randbytes(random.randrange(1, 400)))
            c.s.shutdown(socket.SHUT_WR)
            c.ended()
    works(d)


def shapes(d):
    """heads that lie, wrong types, no greeting, twice a greeting"""
    t = TYPES
    cases = [imsg(t['C_HELLO'], b'', length=n) for n in
             (0, 1, 15, MAX_PAYLOAD + HEAD + 1, 0x7fffffff, 0xffffffff)]
    cases += [imsg(nr, b'') for nr in (0, 4096, 0xffffffff)]
    cases += [STATUS, HELLO + HELLO, HELLO + HELLO[:-1] + b'\0\0\0']
    cases += [HELLO + imsg(nr, b'') for n, nr in t.items()
              if not n.startswith('C_')]
    cases += [HELLO + imsg(nr, b'') for n, nr in t.items()
              if n.startswith('C_')]
    cases += [HELLO + imsg(t['C_TENANT_ADD'], struct.pack('>I', 0) + tail)
              for tail in (b'\xff\xff', b'\0\1a\0' + b'\0\0\0' * 2 + b'\0',
                           b'\0\2a\0\0' + b'\0\0\0' * 2,
                           b'\0\2\xff\xfe\0' + b'\0\0\0' * 2,
                           struct.pack('>H', 33) + b'a' * 33 + b'\0' * 7)]
    for data in cases:
        with Client(d) as c:
            c.send(data)
            c.ended()
    works(d)


def halves(d):
    """half an imsg keeps nobody waiting, and is closed in the end"""
    some = [Client(d) for _ in range(4)]
    for i, c in enumerate(some):
        c.send((HELLO + STATUS)[:5 + 9 * i])
    begin = time.monotonic()
    d.do('tenant', 'list')
    check(time.monotonic() - begin < 2, 'risactl had to wait')
    for c in some[:2]:
        c.ended(15)             # no greeting within ten seconds
    for c in some:
        c.s.close()
    works(d)


def crowd(d):
    """more clients than there is room for: some are turned away"""
    crowd = []
    for _ in range(200):
        try:
            crowd.append(Client(d, bound=2))
        except OSError:
            break
    until(lambda: auth_fds(d) <= d.fds_before + 40, 'at most 32 clients')
    for c in crowd:
        c.s.close()
    works(d)
    for _ in range(500):
        try:
            Client(d).s.close()
        except BlockingIOError:
            time.sleep(0.01)    # they come faster than they are taken
    works(d)


def others(d):
    """the crowd of one user leaves room for root"""
    if os.fork() == 0:
        code = 1
        try:
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            kept = []
            for _ in range(40):
                kept.append(Client(d))
            time.sleep(2)
            code = 0
        except PermissionError:
            code = 3            # the socket is not even his to open
        finally:
            os._exit(code)
    time.sleep(0.5)
    d.do('tenant', 'list')
    code = os.waitstatus_to_exitcode(os.wait()[1])
    check(code in (0, 3), 'the crowd: exit %d' % code)
    works(d)


def descriptors(d):
    """descriptors that come along are not kept"""
    null = os.open('/dev/null', os.O_RDONLY)
    for mark in (0, FD_MARK):
        for fds in ([null], [null] * 2, [null] * 200):
            with Client(d) as c:
                data = imsg(TYPES['C_HELLO'], struct.pack('>I', version()),
                            mark=mark)
                c.s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                      array.array('i', fds))])
                c.send(STATUS)
                c.s.shutdown(socket.SHUT_WR)
                c.ended()
    os.close(null)
    works(d)


def deaf(d):
    """one that asks for ever and never reads holds up nobody"""
    c = Client(d)
    c.s.setblocking(False)
    c.s.send(HELLO)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            c.s.send(STATUS * 50)
        except BlockingIOError:
            time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            break
    begin = time.monotonic()
    d.do('tenant', 'list')
    check(time.monotonic() - begin < 2, 'risactl had to wait')
    c.s.close()
    works(d)


def nobody(d):
    """another user is refused every command, by risactl and by hand"""
    before = d.do('tenant', 'list'), d.do('user', 'list', 'acme')
    os.chmod(d.path('risad.sock'), 0o666)       # as if the mode were wrong
    # A copy: nobody may have no way into the folder of the sources.
    ctl = shutil.copy(RISACTL, d.path('risactl'))
    os.chmod(ctl, 0o755)
    try:
        for words in (('tenant', 'list'), ('tenant', 'add', 'evil'),
                      ('tenant', 'suspend', 'acme'),
                      ('user', 'add', 'acme', 'e@x.example', 'role', 'admin'),
                      ('user', 'reset', 'acme', 'adm@acme.example'),
                      ('floor', 'list', 'acme'), ('session', 'list', 'acme'),
                      ('show', 'processes'), ('show', 'stats'), ('reload',),
                      ('log', 'verbose')):
            code, out, err = d.ctl(*words, user=NOBODY, group=NOBODY,
                                   extra_groups=[], program=ctl)
            equal((code, out), (1, ''), ' '.join(words))
            check(err, 'nothing is said to ' + ' '.join(words))
        if os.fork() == 0:
            ok = False
            try:
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
                # Without waiting for the refusal; the uid in it is a lie.
                with Client(d) as c:
                    c.send(HELLO + imsg(TYPES['C_TENANT_STATE'], struct.pack(
                        '>IH', 0, 4) + b'acme\0\1'))
                    rows = c.ended()
                    ok = struct.unpack_from('=I', rows)[0] == \
                        TYPES['RESULT'] and len(rows) < 200
            finally:
                os._exit(0 if ok else 1)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        equal(code, 0, 'by hand')
    finally:
        os.chmod(d.path('risad.sock'), 0o600)
    equal((d.do('tenant', 'list'), d.do('user', 'list', 'acme')), before,
          'what there is')
    works(d)


def mode(d):
    """the socket is root's alone"""
    st = os.stat(d.path('risad.sock'))
    equal(st.st_uid, 0, 'owner')
    equal(st.st_mode & 0o077, 0, 'mode %o' % st.st_mode)


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.person('acme', 'adm@acme.example', 'admin').close()
    d.auth = d.pids()[('auth', 0)]
    d.fds_before = auth_fds(d)
    s = Suite(d)
    for fn in (mode, garbage, shapes, halves, crowd, others, descriptors,
               deaf, nobody):
        s.run_test(fn, d)
    s.end()


if __name__ == '__main__':
    main()
