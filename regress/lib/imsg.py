"""Imsgs on the control socket, byte by byte, from clients that are not
risactl."""

import contextlib
import os
import re
import socket
import struct

from risa import BOUND, TOP, Failure

HEAD = 16
MAX_PAYLOAD = 128 * 1024
FD_MARK = 0x80000000
NOBODY = 65534
R_OK, R_UNAVAILABLE, R_FORBIDDEN, R_REFUSED = 0, 1, 6, 11


def _header(name):
    with open(os.path.join(TOP, 'risad', name)) as f:
        return f.read()


def type_numbers():
    """Numbers of the imsg types, in the order of the header."""
    body = _header('risad.h').split('enum imsg_type {')[1].split('};')[0]
    body = re.sub(r'/\*.*?\*/', '', body, flags=re.S)
    return {n: i for i, n in enumerate(re.findall(r'IMSG_(\w+)', body))}


TYPES = type_numbers()
VERSION = int(re.search(r'CONTROL_VERSION\s+(\d+)',
                        _header('control.h')).group(1))


def commands():
    """The commands of risactl, each with the macro that says for whom."""
    return {name: who for who, name in re.findall(
        r'^\t(LOOK|COMMAND|OWNER)\((C_\w+),', _header('msg.c'), re.M)}


def imsg(nr, payload=b'', length=None, mark=0, ident=1):
    n = HEAD + len(payload) if length is None else length
    return struct.pack('=IIII', nr, n | mark, ident, 0) + payload


def text(s):
    data = s.encode()
    return struct.pack('>H', len(data)) + data + b'\0'


HELLO = imsg(TYPES['C_HELLO'], struct.pack('>I', VERSION))
STATUS = imsg(TYPES['C_PROCESSES'], struct.pack('>I', 0))


@contextlib.contextmanager
def euid(uid):
    """What connects while this lasts is that user's."""
    before = os.geteuid()
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before)


class Client:
    def __init__(self, d, bound=BOUND, uid=None):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(bound)
        self.buf = b''
        with euid(os.geteuid() if uid is None else uid):
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

    def recv(self):
        """The next imsg: its type and payload; None at the end."""
        while True:
            if len(self.buf) >= HEAD:
                nr, n = struct.unpack_from('=II', self.buf)
                if len(self.buf) >= n:
                    body, self.buf = self.buf[HEAD:n], self.buf[n:]
                    return nr, body
            try:
                data = self.s.recv(65536)
            except ConnectionResetError:
                data = b''
            if data == b'':
                return None
            self.buf += data

    def result(self):
        """Read to the RESULT: its code and sentence; None at the end."""
        while True:
            m = self.recv()
            if m is None:
                return None
            if m[0] == TYPES['RESULT']:
                code, = struct.unpack_from('>I', m[1])
                return code, m[1][14:-1].decode()

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
