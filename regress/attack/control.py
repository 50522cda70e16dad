#!/usr/bin/env python3
"""The control socket, with clients that are not risactl."""

import datetime
import os
import random
import shutil
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from forge import TYPES as FORMS                                # noqa: E402
from imsg import (                                              # noqa: E402
    FD_MARK, HEAD, HELLO, MAX_PAYLOAD, NOBODY, R_FORBIDDEN, R_OK, STATUS,
    TYPES, VERSION, Client, commands, imsg)
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, until                         # noqa: E402
from trail import system_trail                                  # noqa: E402

STRANGER = 'you are not in the ledger of operators'


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
            while len(kept) < 40:
                try:
                    kept.append(Client(d))
                except BlockingIOError:
                    time.sleep(0.01)    # faster than they are taken
            time.sleep(2)
            code = 0
        finally:
            os._exit(code)
    time.sleep(0.5)
    d.do('tenant', 'list')
    code = os.waitstatus_to_exitcode(os.wait()[1])
    equal(code, 0, 'the crowd')
    works(d)


def descriptors(d):
    """descriptors that come along are not kept"""
    null = os.open('/dev/null', os.O_RDONLY)
    for mark in (0, FD_MARK):
        for fds in ([null], [null] * 2, [null] * 200):
            with Client(d) as c:
                data = imsg(TYPES['C_HELLO'], struct.pack('>I', VERSION),
                            mark=mark)
                socket.send_fds(c.s, [data], fds)
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


def state(d):
    return [d.do(*words) for words in (
        ('tenant', 'list'), ('user', 'list', 'acme'), ('operator', 'list'))]


def nobody(d):
    """one who is not in the ledger is refused every command, by risactl"""
    before = state(d)
    # A copy: nobody may have no way into the folder of the sources.
    ctl = shutil.copy(RISACTL, d.path('risactl'))
    os.chmod(ctl, 0o755)
    for words in (('tenant', 'list'), ('tenant', 'add', 'evil'),
                  ('tenant', 'suspend', 'acme'),
                  ('user', 'add', 'acme', 'e@x.example', 'role', 'admin'),
                  ('user', 'reset', 'acme', 'adm@acme.example'),
                  ('floor', 'list', 'acme'), ('session', 'list', 'acme'),
                  ('show', 'processes'), ('show', 'stats'), ('reload',),
                  ('log', 'verbose'), ('operator', 'list'),
                  ('operator', 'add', 'nobody', 'role', 'owner')):
        code, out, err = d.ctl(*words, user=NOBODY, group=NOBODY,
                               extra_groups=[], program=ctl)
        equal((code, out, err), (1, '', 'risactl: %s\n' % STRANGER),
              ' '.join(words))
    equal(state(d), before, 'what there is')
    works(d)


def each_command():
    """The shortest imsg of every command; the uid in it is a lie."""
    for name in commands():
        yield name, imsg(TYPES[name], bytes(4) + FORMS[name].least[4:])


def strangers(d):
    """nor by hand, with every command, without waiting for the refusal"""
    before = state(d)
    for name, data in each_command():
        with Client(d, uid=NOBODY) as c:
            c.send(HELLO + data)
            equal(c.result(), (R_FORBIDDEN, STRANGER), name)
            equal(c.recv(), None, name)
    equal(state(d), before, 'what there is')
    works(d)


def expired(d):
    """one whose entry ends while he is connected, with every command"""
    end = int(time.time()) + 3
    d.do('operator', 'add', 'nobody', 'role', 'owner', 'until',
         datetime.datetime.fromtimestamp(end, datetime.timezone.utc).strftime(
             '%Y-%m-%dT%H:%M:%SZ'))
    with Client(d, uid=NOBODY) as c:
        c.send(HELLO + STATUS)
        equal(c.result(), (R_OK, ''), 'before the end')
        until(lambda: time.time() > end + 0.1, 'the end')
        before = state(d)
        for name, data in each_command():
            c.send(data)
            equal(c.result(), (R_FORBIDDEN, STRANGER), name)
        with Client(d, uid=NOBODY) as new:
            new.send(HELLO + STATUS)
            equal(new.result(), (R_FORBIDDEN, STRANGER), 'a new client')
        equal(state(d), before, 'what there is')
        check('expired' in d.do('operator', 'list'), 'the list')
    d.do('operator', 'remove', 'nobody')
    works(d)


def knocking(d):
    """a thousand attempts are noted, in few lines; others come through"""
    said = [d.log().count('turned away'),
            sum('turned away' in line for line in system_trail(d))]
    for _ in range(1000):
        with Client(d, uid=NOBODY) as c:
            c.ended()
    for uid in (4711, 4712):    # the second tells how many there were
        with Client(d, uid=uid) as c:
            c.ended()
    works(d)
    log = [line for line in d.log().splitlines() if 'turned away' in line]
    notes = [line for line in system_trail(d) if 'turned away' in line]
    for what, before, lines in (('log', said[0], log),
                                ('trail', said[1], notes)):
        check(before + 2 <= len(lines) <= before + 12, '%s: %d lines' % (
            what, len(lines) - before))
        check('uid 4712' in lines[-1], lines[-1])
        check(any('uid 4711' in line and 'more since the last' in line
                  for line in lines), 'not how many: %r' % lines[-3:])
    check(any('uid %d' % NOBODY in line for line in notes), 'who it was')


def mode(d):
    """the socket is root's; who connects is looked at by auth"""
    st = os.stat(d.path('risad.sock'))
    equal((st.st_uid, st.st_mode & 0o777), (0, 0o666), 'owner and mode')


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.person('acme', 'adm@acme.example', 'admin').close()
    d.auth = d.pids()[('auth', 0)]
    d.fds_before = auth_fds(d)
    s = Suite(d)
    for fn in (mode, garbage, shapes, halves, crowd, others, descriptors,
               deaf, nobody, strangers, expired, knocking):
        s.run_test(fn, d)
    s.end()


if __name__ == '__main__':
    main()
