#!/usr/bin/env python3
"""Clients that misbehave, as a process of their own, which gives way to all
others: misbehave.py PORT CERTIFICATE KIND NUMBER SECONDS SOURCE [COOKIE...].

It says "on" when the attack is under way, and in the end, in one line of
JSON, what has become of it.  It ends by itself, or with its standard input.
"""

import json
import os
import random
import select
import socket
import ssl
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from risa import Closed, Daemon, Http, Ws                       # noqa: E402

STEP = 0.5              # seconds between the bytes of a slow one
ENTER = Ws.frame(1, b'{"t":"enter","floor":1}')


class Target:
    """As much of a Daemon as Http needs."""

    names = Daemon.names

    def __init__(self, port, cert):
        self.port = port
        self.cert = cert

    def path(self, *names):
        return self.cert


class Flood:
    def __init__(self, port, cert, number, seconds, source, cookies):
        self.d = Target(port, cert)
        self.number = number
        self.seconds = seconds
        self.source = source
        self.cookies = cookies
        self.told = {'made': 0, 'refused': 0, 'ended': 0}
        self.begin = time.monotonic()
        self.held = []

    def on(self):
        self.begin = time.monotonic()
        print('on', flush=True)

    def goes_on(self):
        if select.select([0], [], [], 0)[0]:
            return False                # whoever started us has enough
        return time.monotonic() - self.begin < self.seconds

    def count(self, what, n=1):
        self.told[what] = self.told.get(what, 0) + n

    # Ways to connect

    def plain(self, data=b''):
        """A connection without TLS, or None where it was refused."""
        try:
            s = socket.create_connection(('127.0.0.1', self.d.port), 10,
                                         (self.source, 0))
            s.sendall(data)
        except OSError:
            self.count('refused')
            return None
        self.count('made')
        return s

    def tls(self):
        h = Http(self.d, source=self.source, bound=10)
        try:
            h.connect()
        except (OSError, Closed):
            self.count('refused')
            return None
        self.count('made')
        return h

    def page(self, cookie):
        h = Http(self.d, source=self.source)
        h.cookie = cookie
        ws = Ws(h)
        r = ws.ask()
        if r.status != 101:
            self.count('status %d' % r.status)
            return None
        self.count('made')
        return ws

    def keep(self, made):
        if made is not None:
            self.held.append(made)

    def shed(self, send):
        """Send a little to each that is held, until all were ended."""
        while self.goes_on() and self.held:
            for x in list(self.held):
                s = x.sock if isinstance(x, Http) else x
                try:
                    send(s)
                    s.settimeout(0)
                    if s.recv(4096) == b'':
                        raise OSError()
                except (BlockingIOError, ssl.SSLWantReadError,
                        ssl.SSLWantWriteError):
                    continue
                except (OSError, Closed):
                    self.count('ended')
                    self.held.remove(x)
                    s.close()
            time.sleep(STEP)
        self.told['left'] = len(self.held)
        self.told['took'] = time.monotonic() - self.begin

    # The kinds

    def heads(self):
        for _ in range(self.number):
            h = self.tls()
            if h is not None:
                h.sock.sendall(b'GET / HTTP/1.1\r\nX-Slow: ')
            self.keep(h)
        self.on()
        self.shed(lambda s: s.sendall(b'a'))

    def bodies(self):
        for _ in range(self.number):
            h = self.tls()
            if h is not None:
                h.sock.sendall(h.head('POST', '/api/v1/session', None, {
                    'Content-Length': '60000'}) + b'{')
            self.keep(h)
        self.on()
        self.shed(lambda s: s.sendall(b' '))

    def readers(self):
        """Ask for what is large, the first for more than a kernel takes off
        the hands of whoever answers, and read nothing of it."""
        for i in range(self.number):
            h = self.tls()
            if h is not None:
                h.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                name = 'huge' if i < 3 else 'large'
                h.sock.sendall(h.head('GET', '/assets/%s-1a2b3c4d.js' % name))
            self.keep(h)
        self.on()
        while self.goes_on():
            time.sleep(STEP)
        self.told['left'] = len(self.held)

    def silent(self):
        """Half of them say nothing, half the begin of a handshake."""
        for i in range(self.number):
            self.keep(self.plain(b'\x16\x03\x01\x02\x00\x01' if i % 2 else
                                 b''))
        self.on()
        self.shed(lambda s: None)

    def garbage(self):
        dice = random.Random(5)
        self.on()
        for i in range(self.number):
            s = self.plain(dice.randbytes(dice.randrange(1, 3000)))
            if s is None:
                continue
            if i % 3 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))
            # Some stay until they are thrown out.
            if i % 4 == 0 and len(self.held) < 500:
                self.held.append(s)
            else:
                s.close()
        self.told['took'] = time.monotonic() - self.begin

    def shakes(self):
        """Full handshakes, one after the other, and nothing else."""
        ctx = ssl.create_default_context(cafile=self.d.cert)
        ctx.check_hostname = False
        self.on()
        while self.goes_on() and self.told['made'] < self.number:
            try:
                with socket.create_connection(
                        ('127.0.0.1', self.d.port), 10,
                        (self.source, 0)) as s:
                    ctx.wrap_socket(s, server_hostname='acme.localhost'
                                    ).close()
                self.count('made')
            except OSError:
                self.count('refused')
        self.told['took'] = time.monotonic() - self.begin

    def crowd(self):
        """As many connections as come in from one address, and held."""
        self.on()
        while self.goes_on() and self.told['made'] + self.told['refused'] \
                < self.number:
            s = self.plain()
            if s is None:
                continue
            s.settimeout(0)
            self.held.append(s)
        while self.goes_on():
            time.sleep(STEP)
        for s in self.held:
            try:
                if s.recv(1) == b'':
                    self.count('ended')
            except BlockingIOError:
                pass
            except OSError:
                self.count('ended')

    def frames(self, burst):
        """Pages on the floor that send this again and again, and read: bytes,
        or what the number of times makes of it."""
        for cookie in self.cookies:
            ws = self.page(cookie)
            if ws is not None:
                ws.http.send(ENTER)
            self.keep(ws)
        self.on()
        while self.goes_on() and self.held:
            for ws in list(self.held):
                s = ws.http.sock
                try:
                    s.settimeout(5)
                    s.sendall(burst(self.told.get('sent', 0)) if
                              callable(burst) else burst)
                    self.count('sent')
                    s.settimeout(0)
                    for _ in range(2000):
                        if s.recv(65536) == b'':
                            raise OSError()
                except (BlockingIOError, ssl.SSLWantReadError):
                    continue
                except OSError:
                    self.count('ended')
                    self.held.remove(ws)
                    ws.close()

    def pings(self):
        self.frames(Ws.frame(9, b'ping' * 30) * 200)

    def pieces(self):
        """Messages in the smallest pieces, pings in between."""
        text = b'{"t":"none"}'
        burst = Ws.frame(1, text[:1], fin=False)
        for i in range(1, len(text) - 1):
            burst += Ws.frame(9, b'') + Ws.frame(0, text[i:i + 1], fin=False)
        self.frames((burst + Ws.frame(0, text[-1:])) * 10)

    def huge(self):
        self.frames(Ws.frame(1, b'[' * 65000))

    def says(self):
        # The same word twice would be a repetition, and said once.
        self.frames(lambda n: b''.join(Ws.frame(1, json.dumps({
            't': 'say', 'to': 'floor', 'text': 'x' * 2000,
            'ref': 'f%d-%d' % (n, i)}).encode()) for i in range(20)))

    def signals(self):
        """To whoever may be there: what is no peer is refused."""
        self.frames(b''.join(
            Ws.frame(1, json.dumps({'t': 'signal', 'to': 1 + i % 8, 'data': {
                'candidate': 'c' * 500}}).encode()) for i in range(20)))

    def floors(self):
        """Floors, and lists of people as large as may be, by an
        administrator."""
        self.on()
        n = 0
        with Http(self.d, source=self.source) as h:
            h.cookie = self.cookies[0]
            while self.goes_on():
                n += 1
                r = h.request('POST', '/api/v1/admin/floors', {
                    'name': 'Flood %d' % n, 'template': 'office'})
                self.count('status %d' % r.status)
                r = h.request('POST', '/api/v1/admin/import', {
                    'csv': 'x,' * 25000, 'dry': True})
                self.count('status %d' % r.status)

    def deaf(self):
        """Pages that enter the floor, ask for all that was said there, and
        read nothing from then on."""
        asks = Ws.frame(1, b'{"t":"history","channel":"floor:1","limit":100}')
        for cookie in self.cookies:
            ws = self.page(cookie)
            if ws is None:
                continue
            ws.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                    4096)
            ws.http.send(ENTER)
            self.held.append(ws)
        self.on()
        while self.goes_on():
            for ws in list(self.held):
                try:
                    ws.http.sock.settimeout(0)
                    ws.http.sock.sendall(asks * 20)
                except (BlockingIOError, ssl.SSLWantWriteError):
                    continue
                except OSError:
                    self.count('ended')
                    self.held.remove(ws)
                    ws.close()
            time.sleep(STEP)

    def asks(self):
        """Requests by people who are signed in, as fast as they can."""
        https = []
        for cookie in self.cookies:
            h = self.tls()
            if h is not None:
                h.cookie = cookie
                https.append(h)
        self.on()
        while self.goes_on() and https:
            for h in list(https):
                try:
                    h.send(h.head('GET', '/api/v1/people') * 20)
                    for _ in range(20):
                        self.count('status %d' % h.reply().status)
                except (OSError, Closed):
                    self.count('ended')
                    h.close()
                    https.remove(h)

    def signins(self):
        """Wrong passwords, of accounts that are and are not there."""
        self.on()
        n = 0
        while self.goes_on():
            h = self.tls()
            if h is None:
                continue
            try:
                for _ in range(20):
                    n += 1
                    r = h.request('POST', '/api/v1/session', {
                        'email': 'p%d@acme.example' % (n % 50),
                        'password': 'guess %d' % n})
                    self.count('status %d' % r.status)
            except (OSError, Closed):
                self.count('ended')
            h.close()


def main():
    port, cert, kind, number, seconds, source = sys.argv[1:7]
    os.nice(10)
    flood = Flood(int(port), cert, int(number), float(seconds), source,
                  sys.argv[7:])
    getattr(flood, kind)()
    print(json.dumps(flood.told), flush=True)


if __name__ == '__main__':
    main()
