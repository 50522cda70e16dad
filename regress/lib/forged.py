"""The imsgs of the program's own table, and how to put one on a pipe that is
somebody else's."""

import ctypes
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import time

from risa import BOUND, TOP, Failure

FORGE = os.path.join(TOP, 'regress', 'attack', 'forge.c')
MAX_PAYLOAD = 128 * 1024
HEAD = 16
FD_MARK = 0x80000000
PROCS = ['parent', 'storage', 'keys', 'hash', 'auth', 'session', 'risactl']


def results(*names):
    """Their numbers, as the sources count them."""
    with open(os.path.join(TOP, 'risad', 'risad.h')) as f:
        body = re.search(r'enum result \{(.*?)\n\};', f.read(), re.S)[1]
    there = re.findall(r'^\t(R_\w+)', body, re.M)
    return [there.index(n) for n in names]


def pour(sock, data, fds=()):
    """All of it, or what is taken before the other side hangs up."""
    end = time.monotonic() + BOUND
    while data:
        try:
            n = socket.send_fds(sock, [data], fds) if fds else sock.send(data)
            data, fds = data[n:], ()
        except BlockingIOError:
            if time.monotonic() > end:
                raise Failure('nobody reads at the other end')
            select.select([], [sock], [], 0.1)
        except (BrokenPipeError, ConnectionResetError):
            return False
    return True


libc = ctypes.CDLL(None, use_errno=True)


class Type:
    def __init__(self, line):
        v = line.split()
        self.nr, self.name, self.fd, self.max = int(v[0]), v[1], int(v[2]), \
            int(v[3])
        self.ways = v[4].split(',')
        self.least = b'' if v[5] == '-' else bytes.fromhex(v[5])
        self.fields = [] if v[6] == '-' else [
            (kind, int(limit)) for kind, limit in
            (f.split(':') for f in v[6].split(','))]

    def may(self, to, by='session'):
        return by + '>' + to in self.ways


BUILT = tempfile.TemporaryDirectory(prefix='risad-forge-')


def table():
    out = os.path.join(BUILT.name, 'forge')
    src = [FORGE] + [
        os.path.join(TOP, 'risad', f) for f in (
            'utf8.c', 'compat/imsg.c', 'compat/imsg-buffer.c')]
    flags = subprocess.run(
        ['pkg-config', '--cflags', '--libs', 'libbsd-overlay'], check=True,
        stdout=subprocess.PIPE).stdout.decode().split()
    inc = ['-I' + os.path.join(TOP, 'risad', x)
           for x in ('', 'compat/include')]
    subprocess.run(['cc', '-std=gnu11', '-D_GNU_SOURCE', '-o', out] + inc +
                   src + flags, check=True)
    text = subprocess.run([out], check=True, stdout=subprocess.PIPE).stdout
    return {t.name: t for t in map(Type, text.decode().splitlines())}


TYPES = table()


def imsg(nr, ident, payload, length=None, mark=0):
    if length is None:
        length = 16 + len(payload)
    return struct.pack('=IIII', nr, length | mark, ident, 0) + payload


def peers_of(pid):
    """Its unix sockets: (process at the other end, descriptor)."""
    text = subprocess.run(['ss', '-xpHn'], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    owner, mine = {}, []
    for line in text.splitlines():
        m = re.match(r'u_str\s+ESTAB\s+\d+\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)'
                     r'\s+users:\((.*)\)', line)
        if m is None:
            continue
        for p, fd in re.findall(r'pid=(\d+),fd=(\d+)', m.group(3)):
            owner[m.group(1)] = int(p)
            if int(p) == pid:
                mine.append((m.group(2), int(fd)))
    return [(owner.get(inode), fd) for inode, fd in mine]


def borrow(pid, fd):
    pidfd = os.pidfd_open(pid)
    try:
        n = libc.syscall(438, pidfd, fd, 0)     # pidfd_getfd
        if n < 0:
            raise OSError(ctypes.get_errno(), 'pidfd_getfd')
        return socket.socket(fileno=n)
    finally:
        os.close(pidfd)


def text(s):
    data = s.encode()
    return struct.pack('>H', len(data)) + data + b'\0'


def n64(n):
    return struct.pack('>Q', n)
