#!/usr/bin/env python3
"""TLS sessions that come back: at every worker, under keys that change, and
never for another host than the one they were made for."""

import os
import signal
import ssl
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import BOUND, Daemon, Http, until                     # noqa: E402


class Returning(Http):
    """Somebody who keeps his context, and shows the ticket he has."""

    def __init__(self, d, version=ssl.TLSVersion.TLSv1_3):
        super().__init__(d)
        self.ctx = ssl.create_default_context(cafile=d.path('tls.crt'))
        self.ctx.minimum_version = self.ctx.maximum_version = version
        self.session = None

    def connect(self):
        s = socket.create_connection(('127.0.0.1', self.port), BOUND)
        self.sock = self.ctx.wrap_socket(s, server_hostname=self.sni,
                                         session=self.session)
        self.buf = b''
        return self

    def visit(self):
        """One request on a new connection; was the handshake short?"""
        self.close()
        r = self.request('GET', '/api/v1/tenant')
        short = self.sock.session_reused if self.sock else None
        if r.status == 200:
            self.session = self.sock.session
        self.close()
        return r, short


def resumed(d, worker, h):
    with d.only_worker(worker):
        r, short = h.visit()
        equal(r.status, 200)
        return short


def everywhere(d):
    """a ticket of one worker is taken by the other"""
    h = Returning(d)
    check(not resumed(d, 0, h), 'the first time')
    for worker in (1, 0, 0, 1):
        check(resumed(d, worker, h), 'worker %d' % worker)


def old_version(d):
    """TLS 1.2 knows no tickets here: their key would open what was recorded"""
    h = Returning(d, ssl.TLSVersion.TLSv1_2)
    for worker in (0, 0, 1, 0):
        check(not resumed(d, worker, h), 'worker %d' % worker)
        check(not h.session.has_ticket, 'a ticket')


def strangers(d):
    """a ticket that nobody here has given is a full handshake"""
    other = Daemon()
    try:
        other.start()
        other.do('tenant', 'add', 'acme')
        h = Returning(other)
        h.visit()
        h.ctx.check_hostname = False
        h.ctx.verify_mode = ssl.CERT_NONE
        h.daemon, h.port = d, d.port
        r, short = h.visit()
        equal((r.status, short), (200, False))
    finally:
        other.end()


def other_host(d):
    """a ticket of one tenant opens nothing at another"""
    h = Returning(d)
    h.visit()
    h.sni = 'globex.localhost'
    ticket = h.session
    for name, want in (('acme', 421), ('globex', 200)):
        h.name, h.session = name + '.localhost', ticket
        r, short = h.visit()
        equal(r.status, want, (name, short))
        if want == 200:
            equal(r.json()['tenant']['name'], name)


def keys_anew(d):
    """when keys has started anew, so have the tickets, and nobody waits"""
    h = Returning(d)
    h.visit()
    os.kill(d.pids('keys')[('keys', 0)], signal.SIGKILL)
    until(lambda: d.pids('keys').get(('keys', 0)), 'keys is back')

    def served():
        try:
            return h.visit()[0].status == 200
        except OSError:
            return False
    until(served, 'handshakes')
    check(h.visit()[1], 'the ticket given before or since')


def reloaded(d):
    """after a reload with the same certificate tickets are given and taken"""
    h = Returning(d)
    d.do('reload')
    h.visit()
    for worker in (0, 1):
        check(resumed(d, worker, h), 'worker %d' % worker)


def main():
    d = Daemon(workers=2)
    d.start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    s = Suite(d)
    for fn in (everywhere, old_version, strangers, other_host, reloaded):
        s.run_test(fn, d)
    s.run_test(keys_anew, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
