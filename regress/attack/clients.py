#!/usr/bin/env python3
"""Browsers that are none: slow, deaf, mute, many; others notice nothing."""

import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import BOUND, Closed, Daemon, Http, Ws, until         # noqa: E402

HEAD_LIMIT = 10         # seconds for a head, session.c
SLACK = 4


def session(d):
    return d.pids()[('session', 0)]


def rss(pid):
    with open('/proc/%d/statm' % pid) as f:
        return int(f.read().split()[1]) * 4096


def fds(d):
    return len(os.listdir('/proc/%d/fd' % session(d)))


def plain(d, data=b''):
    s = socket.create_connection(('127.0.0.1', d.port), BOUND)
    if data:
        try:
            s.sendall(data)
        except OSError:
            pass
    return s


def back(d, before):
    until(lambda: fds(d) <= before, '%d descriptors, now %d' %
          (before, fds(d)), 30)


class Honest:
    """Two people who talk all the while; how long an answer took at most."""

    def __init__(self, d):
        self.a, self.b = d.ann.open(), d.bob.open()
        self.a.enter(d.floor_id)
        self.b.enter(d.floor_id)
        self.worst = 0
        self.error = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            n = 0
            while not self.stop.is_set():
                n += 1
                begin = time.monotonic()
                text = 'words %d' % n
                self.a.say(text)
                self.b.hears(text)
                self.a.inbox.clear()
                self.b.inbox.clear()
                self.worst = max(self.worst, time.monotonic() - begin)
                self.stop.wait(0.2)
        except Exception as e:      # told to the test below
            self.error = e

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *what):
        self.stop.set()
        self.thread.join()
        self.a.drop()
        self.b.drop()
        if kind is None:
            check(self.error is None, 'the honest: %r' % self.error)
            check(self.worst < 3, 'the honest waited %.1f s' % self.worst)


def slow_heads(d):
    """heads that come byte by byte are ended by their time limit"""
    before = fds(d)
    with Honest(d):
        some = []
        begin = time.monotonic()
        for _ in range(50):
            h = Http(d).connect()
            some.append(h)
        data = b'GET /api/v1/tenant HTTP/1.1\r\nX-Slow: '
        ended = set()
        while len(ended) < len(some):
            check(time.monotonic() - begin < 2 * HEAD_LIMIT + SLACK,
                  '%d slow heads go on' % (len(some) - len(ended)))
            for i, h in enumerate(some):
                if i in ended:
                    continue
                try:
                    h.sock.sendall(data[:1] or b'a')
                    h.fill(0.001)
                    ended.add(i)            # 408, or the end
                except TimeoutError:
                    pass
                except (Closed, OSError):
                    ended.add(i)
            data = data[1:]
            time.sleep(0.2)
        check(time.monotonic() - begin > 5, 'ended at once')
        for h in some:
            h.close()
    back(d, before)


def half_open(d):
    """connections that say nothing, in TLS or before it, are ended"""
    before = fds(d)
    with Honest(d):
        mute = [plain(d) for _ in range(100)]
        mute += [plain(d, b'\x16\x03\x01\x02\x00\x01') for _ in range(50)]
        until(lambda: fds(d) <= before + 4, 'they are ended',
              HEAD_LIMIT + SLACK)
        for s in mute:
            s.close()
    back(d, before)


def garbage(d):
    """500 connections of rubbish, and all is as before"""
    before = fds(d)
    random.seed(5)
    with Honest(d):
        for i in range(500):
            if i % 10 == 0:
                try:
                    h = Http(d).connect()
                    h.sock.sendall(random.randbytes(random.randrange(3000)))
                    h.close()
                except OSError:
                    pass
                continue
            s = plain(d, random.randbytes(random.randrange(1, 3000)))
            if i % 3 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))
            s.close()
    back(d, before)
    until(d.healthy, 'it answers')


def at_once(d):
    """500 at a time wait, and give their places back"""
    before = fds(d)
    with Honest(d):
        many = []
        for i in range(500):
            many.append(plain(d, random.randbytes(40)))
        for s in many:
            s.close()
    back(d, before)


def deaf_person(d, size):
    """A page that opens, enters a floor, and never reads again."""
    p = d.deaf
    p.open().enter(d.floor_id)
    p.ws.http.sock.settimeout(None)
    p.ws.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return p


def deaf(d):
    """one who stops reading is dropped; memory and the others are safe"""
    before, size = fds(d), rss(session(d))
    with Honest(d) as honest:
        p = deaf_person(d, 4096)
        gone = lambda: p.you not in honest.a.avatars    # noqa: E731
        end = time.monotonic() + 60
        text = 'x' * 3900
        talkers = [q.open() for q in d.crowd]
        for q in talkers:
            q.enter(d.floor_id)
        sent = 0
        while not gone():
            check(time.monotonic() < end, 'still there after %d' % sent)
            for q in talkers:
                for _ in range(2):
                    q.tell(t='say', to='floor', text=text, ref=q.ref())
                    sent += 1
                q.pull(0.002)
                q.inbox.clear()
            time.sleep(0.2)
        grown = rss(session(d)) - size
        check(grown < 64 << 20, 'grown by %d MB' % (grown >> 20))
        for q in talkers:
            q.drop()
        p.drop()
    back(d, before)


def resync(d):
    """one who pauses gets a fresh picture, not all that was missed"""
    p = deaf_person(d, 4096)
    walker = d.crowd[0].open()
    walker.enter(d.floor_id)
    walker.walk((600, 600))
    end = time.monotonic() + 6
    i = 0
    while time.monotonic() < end:
        i += 1
        walker.leg(600 + (i % 2) * 100, 600)
        walker.pull(0.002)
        walker.inbox.clear()
        time.sleep(0.06)
    walker.walk((650, 640))
    p.inbox.clear()
    p.sees(lambda: p.at(walker.you, 650, 640), 'where the walker is')
    p.settle()
    p.drop()
    walker.drop()


def frames(d):
    """frames that are wrong, huge or many end their connection alone"""
    before = fds(d)
    cases = [
        (1002, Ws.frame(1, b'{}', mask=False)),
        (1002, Ws.frame(1, b'{}', rsv=4)),
        (1002, Ws.frame(3, b'')),
        (1002, Ws.frame(11, b'')),
        (1002, Ws.frame(9, b'', fin=False)),
        (1002, Ws.frame(9, b'x' * 126)),
        (1002, Ws.frame(0, b'x')),
        (1002, Ws.frame(1, b'{', fin=False) + Ws.frame(1, b'}')),
        (1002, Ws.frame(8, b'\3')),
        (1002, Ws.frame(8, struct.pack('>H', 999))),
        (1007, Ws.frame(1, b'\xff\xfe')),
        (1007, Ws.frame(8, struct.pack('>H', 1000) + b'\xff')),
        (1009, Ws.frame(1, b'', length=1 << 20)),
        (1009, Ws.frame(2, b'', length=65537)),
    ]
    with Honest(d):
        for code, data in cases:
            p = d.crowd[1].open()
            p.ws.http.send(data)
            equal(p.ws.close_code(), code, repr(data[:12]))
            p.drop()
        p = d.crowd[1].open()
        p.ws.http.send(Ws.frame(9, b'ping') * 5000)
        p.settle()
        for _ in range(300):
            p.ws.send(1, b'[' * 1000)
        p.error('too-many')
        p.drop()
    back(d, before)


def quitters(d):
    """sign-ins and questions whose asker has gone leave nothing behind"""
    before = fds(d)
    with Honest(d):
        for i in range(60):
            h = Http(d, source='127.8.%d.1' % i)
            h.send(h.head('POST', '/api/v1/session', {
                'email': 'ann@acme.example', 'password': 'wrong %d' % i}))
            h.sock.close()
        for i in range(60):
            h = Http(d)
            h.cookie = d.ann.http.cookie
            h.send(h.head('GET', '/api/v1/people') * 3)
            h.sock.close()
    back(d, before)
    check(len(d.do('session', 'list', 'acme')) > 0, 'sessions')


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.floor_id = d.floor('acme', 'One')
    d.ann = d.person('acme', 'ann@acme.example')
    d.bob = d.person('acme', 'bob@acme.example')
    d.deaf = d.person('acme', 'deaf@acme.example')
    d.crowd = [d.person('acme', 'crowd%d@acme.example' % i)
               for i in range(6)]
    for p in [d.ann, d.bob, d.deaf] + d.crowd:
        p.http.close()
    d.healthy()
    s = Suite(d)
    for fn in (frames, garbage, at_once, quitters, resync, deaf, half_open,
               slow_heads):
        s.run_test(fn, d)
    s.end()


if __name__ == '__main__':
    main()
