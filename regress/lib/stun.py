"""A small client of STUN and TURN (RFC 8489, RFC 8656), and a coturn to ask.

Relay starts turnserver with a configuration of its own and ends it again by its
process; Turn is one client, by UDP, TCP or TLS.
"""

import base64
import hashlib
import hmac
import os
import re
import signal
import socket
import ssl
import struct
import subprocess

from risa import BOUND, TOP, Failure, _die_with_us, alive, until

SHIPPED = os.path.join(TOP, 'etc', 'turnserver.conf')
COOKIE = 0x2112a442
BINDING, ALLOCATE, REFRESH, PERMIT, CONNECT = 0x001, 0x003, 0x004, 0x008, 0x00a
SEND, DATA = 0x006, 0x007
USERNAME, INTEGRITY, ERROR, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000d
PEER, PAYLOAD, REALM, NONCE = 0x0012, 0x0013, 0x0014, 0x0015
RELAYED, FAMILY, TRANSPORT, MAPPED = 0x0016, 0x0017, 0x0019, 0x0020
UDP, TCP = 17, 6


def credential(secret, user):
    """What coturn wants of this name (use-auth-secret)."""
    mac = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return base64.b64encode(mac).decode()


def address(host, port, txid):
    """As an XOR-ed attribute has it."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    mask = struct.pack('>I', COOKIE) + txid
    raw = bytes(a ^ b for a, b in zip(socket.inet_pton(family, host), mask))
    return struct.pack('>BBH', 0, 2 if ':' in host else 1,
                       port ^ (COOKIE >> 16)) + raw


def address_of(raw, txid):
    """(host, port) of such an attribute."""
    _, family, port = struct.unpack('>BBH', raw[:4])
    mask = struct.pack('>I', COOKIE) + txid
    host = bytes(a ^ b for a, b in zip(raw[4:], mask))
    return (socket.inet_ntop(socket.AF_INET6 if family == 2 else
                             socket.AF_INET, host), port ^ (COOKIE >> 16))


class Refused(Exception):
    """The server says no; args[0] is its number."""


class Message:
    """One message: its type, its number, its attributes."""

    def __init__(self, kind, txid=None, attrs=()):
        self.kind = kind
        self.txid = txid or os.urandom(12)
        self.attrs = list(attrs)

    def get(self, name):
        return next((v for k, v in self.attrs if k == name), None)

    def bytes(self, key=None):
        body = b''.join(struct.pack('>HH', k, len(v)) + v + bytes(-len(v) % 4)
                        for k, v in self.attrs)
        length = len(body) + (24 if key else 0)
        data = struct.pack('>HHI', self.kind, length, COOKIE) + self.txid + body
        if key:
            mac = hmac.new(key, data, hashlib.sha1).digest()
            data += struct.pack('>HH', INTEGRITY, 20) + mac
        return data

    @classmethod
    def parse(cls, data):
        kind, length, cookie = struct.unpack('>HHI', data[:8])
        if cookie != COOKIE or length != len(data) - 20:
            raise Failure('no STUN: %r' % data[:40])
        m, rest = cls(kind, data[8:20]), data[20:]
        while rest:
            k, n = struct.unpack('>HH', rest[:4])
            m.attrs.append((k, rest[4:4 + n]))
            rest = rest[4 + n + -n % 4:]
        return m


class Turn:
    """A client; how is 'udp', 'tcp' or 'tls'."""

    def __init__(self, host, port, how='udp', cafile=None):
        self.buf, self.waiting = b'', []
        self.stream = how != 'udp'
        if self.stream:
            self.sock = socket.create_connection((host, port), BOUND)
        else:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.settimeout(BOUND)
            self.sock.connect((host, port))
        if how == 'tls':
            ctx = ssl.create_default_context(cafile=cafile)
            self.sock = ctx.wrap_socket(self.sock, server_hostname='localhost')
        self.user = self.key = None
        self.extra = []

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.sock.close()

    def recv(self):
        if not self.stream:
            return Message.parse(self.sock.recv(65536))
        while len(self.buf) < 20 or len(self.buf) < 20 + struct.unpack(
                '>H', self.buf[2:4])[0]:
            more = self.sock.recv(65536)
            if not more:
                raise Failure('the relay has closed')
            self.buf += more
        n = 20 + struct.unpack('>H', self.buf[2:4])[0]
        data, self.buf = self.buf[:n], self.buf[n:]
        return Message.parse(data)

    def ask(self, method, attrs=(), key=None, txid=None):
        """One request, and its answer; what else comes is kept."""
        m = Message(method, txid, attrs)
        self.sock.sendall(m.bytes(key))
        while True:
            r = self.recv()
            if r.txid == m.txid:
                break
            self.waiting.append(r)
        bad = r.get(ERROR)
        if bad is not None:
            raise Refused(bad[2] * 100 + bad[3], r)
        return r

    def binding(self):
        """How the server sees us."""
        r = self.ask(BINDING)
        return address_of(r.get(MAPPED), r.txid)

    def login(self, user, password, method=ALLOCATE, attrs=None):
        """Ask with long-term credentials; the first answer has the nonce."""
        attrs = attrs or [(TRANSPORT, struct.pack('>BBH', UDP, 0, 0))]
        try:
            self.ask(method, attrs)
            raise Failure('let in without a password')
        except Refused as e:
            if e.args[0] != 401:
                raise
            r = e.args[1]
        realm, nonce = r.get(REALM), r.get(NONCE)
        self.key = hashlib.md5(user.encode() + b':' + realm + b':' +
                               password.encode()).digest()
        self.extra = [(USERNAME, user.encode()), (REALM, realm),
                      (NONCE, nonce)]
        return self.ask(method, attrs + self.extra, self.key)

    def allocate(self, user, password, family=4):
        """(host, port) of the relay that is ours from now on."""
        attrs = [(TRANSPORT, struct.pack('>BBH', UDP, 0, 0))]
        if family == 6:
            attrs.append((FAMILY, struct.pack('>BBH', 2, 0, 0)))
        r = self.login(user, password, attrs=attrs)
        return address_of(r.get(RELAYED), r.txid)

    def known(self, method, attrs):
        return self.ask(method, list(attrs) + self.extra, self.key)

    def permit(self, host, port=9):
        """May this peer write to us by the relay?"""
        txid = os.urandom(12)
        self.ask(PERMIT, [(PEER, address(host, port, txid))] + self.extra,
                 self.key, txid)

    def send(self, host, port, data):
        txid = os.urandom(12)
        m = Message(0x0010 | SEND, txid, [(PEER, address(host, port, txid)),
                                          (PAYLOAD, data)])
        self.sock.sendall(m.bytes())

    def data(self):
        """What a peer has sent by the relay, and from where."""
        while not self.waiting:
            self.waiting.append(self.recv())
        r = self.waiting.pop(0)
        if r.kind != 0x0010 | DATA:
            raise Failure('%#x, and no data' % r.kind)
        return address_of(r.get(PEER), r.txid), r.get(PAYLOAD)


class Relay:
    """turnserver on the loopback with the shipped configuration.

    What stands there for an installation is put in its place; lines are
    what a test adds, drop the options that it takes away."""

    def __init__(self, directory, secret, ports, lines=(), drop=()):
        self.dir, self.secret, self.lines = directory, secret, lines
        self.port, self.tls = ports
        self.drop = drop
        self.proc = None
        os.makedirs(self.dir, exist_ok=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def conf(self, crt, key):
        own = {'listening-ip': '127.0.0.1', 'relay-ip': '127.0.0.1',
               'allowed-peer-ip': '127.0.0.1', 'realm': 'localhost',
               'listening-port': str(self.port), 'cert': crt, 'pkey': key,
               'tls-listening-port': str(self.tls),
               'static-auth-secret': self.secret}
        with open(SHIPPED) as f:
            text = f.read()
        for name, value in own.items():
            text, n = re.subn(r'(?m)^%s=.*$' % re.escape(name),
                              '%s=%s' % (name, value), text)
            if n != 1:
                raise Failure('%d lines %s in %s' % (n, name, SHIPPED))
        for name in self.drop + ('syslog',):
            text, n = re.subn(r'(?m)^%s(=.*)?\n' % re.escape(name), '', text)
            if n == 0:
                raise Failure('no %s in %s' % (name, SHIPPED))
        return text + '\n'.join(self.lines + (
            'log-file=stdout', 'pidfile=' + self.path('pid'),
            'userdb=' + self.path('db'), ''))

    def start(self, crt, key):
        with open(self.path('turnserver.conf'), 'w') as f:
            f.write(self.conf(crt, key))
        os.chmod(self.path('turnserver.conf'), 0o600)
        with open(self.path('log'), 'ab') as log:
            self.proc = subprocess.Popen(
                ['turnserver', '-c', self.path('turnserver.conf')],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir, preexec_fn=_die_with_us)
        until(self._serves, 'turnserver serves\n' + self.log())
        return self

    def _serves(self):
        if self.proc.poll() is not None:
            raise Failure('turnserver ended with %d\n%s' % (
                self.proc.returncode, self.log()))
        try:
            socket.create_connection(('127.0.0.1', self.tls), 2).close()
            with Turn('127.0.0.1', self.port) as t:
                t.sock.settimeout(0.5)
                return t.binding()
        except OSError:
            return False

    def log(self):
        try:
            with open(self.path('log'), errors='replace') as f:
                return f.read()
        except OSError:
            return ''

    def end(self):
        if self.proc is None:
            return
        pid = self.proc.pid
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.proc = None
        if alive(pid):
            raise Failure('turnserver does not end')

    def client(self, how='udp', cafile=None):
        return Turn('127.0.0.1', self.tls if how == 'tls' else self.port, how,
                    cafile)
