#!/usr/bin/env python3
"""Imsgs that a session process would send if somebody else ran in it.

The process is stopped, its end of a pipe is borrowed from it, and what is
written there comes from it as far as anybody can tell."""

import base64
import calendar
import json
import os
import random
import re
import select
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from forged import FD_MARK, MAX_PAYLOAD, TYPES, borrow, imsg, \
    n64, peers_of, pour, results, text                          # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import BOUND, Closed, Daemon, Failure, Person, \
    until                                                       # noqa: E402

WORKERS = 16
WITNESS = WORKERS - 1   # this one is never attacked from; its people look on
DEATHS = 4              # of a slot that a minute may have

(R_OK, R_UNAVAILABLE, R_BUSY, R_SIGNIN, R_SESSION, R_FORBIDDEN, R_NOTFOUND,
 R_CONFLICT, R_INVALID, R_LINK, R_MUST) = results(
     'R_OK', 'R_UNAVAILABLE', 'R_BUSY', 'R_SIGNIN', 'R_SESSION',
     'R_FORBIDDEN', 'R_NOTFOUND', 'R_CONFLICT', 'R_INVALID', 'R_LINK',
     'R_MUST')


class Wire:
    """In place of a process: its end of the pipe to another one."""

    def __init__(self, d, n, to, inst=0, by='session'):
        self.d, self.n = d, n
        pids = d.pids()
        self.pid = pids[(by, n)]
        os.kill(self.pid, signal.SIGSTOP)
        until(lambda: self.state() in 'tT', '%s %d stops' % (by, n))
        there = pids[(to, inst)]
        fds = [fd for p, fd in peers_of(self.pid) if p == there]
        equal(len(fds), 1, 'pipes from %s %d to %s' % (by, n, to))
        self.sock = borrow(self.pid, fds[0])
        self.buf = b''
        self.ident = 0x40000000 + random.randrange(1 << 20)

    def state(self):
        with open('/proc/%d/stat' % self.pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.sock.close()
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def raw(self, data, fds=()):
        """All of it, or what is taken before the other side hangs up."""
        return pour(self.sock, data, fds)

    def send(self, name, payload):
        self.ident += 1
        self.raw(imsg(TYPES[name].nr, self.ident, payload))
        return self.ident

    def recv(self, bound=BOUND):
        """The next imsg: type, id, payload."""
        end = time.monotonic() + bound
        while True:
            if len(self.buf) >= 16:
                nr, n, ident, _ = struct.unpack_from('=IIII', self.buf)
                n &= ~FD_MARK
                if len(self.buf) >= n:
                    body, self.buf = self.buf[16:n], self.buf[n:]
                    return nr, ident, body
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise Failure('no answer')
            data = self.sock.recv(65536)
            if data == b'':
                raise Closed()
            self.buf += data

    def answer(self, ident):
        """The rows and the code of RESULT for a question."""
        rows = []
        while True:
            nr, i, body = self.recv()
            if i != ident:
                continue
            if nr == TYPES['RESULT'].nr:
                return rows, struct.unpack_from('>I', body)[0], body
            rows.append((nr, body))

    def ask(self, name, payload):
        return self.answer(self.send(name, payload))


def granted(name, grant, tail=None):
    """A request under a grant; tail replaces the zeros behind it."""
    least = TYPES[name].least
    return n64(grant) + (least[8:] if tail is None else tail)


UNDER_GRANT = [
    ('SIGNOUT', None), ('ME_SET', struct.pack('>I', 1) + text('Mallory') +
                        text('') + bytes(6)),
    ('FLOORS', None), ('FLOOR_GET', struct.pack('>I', 1)),
    ('TALK_GET', struct.pack('>I', 1)),
    ('SAY', struct.pack('>BII', 0, 1, 0) + text('forged') +
     text('forged words')),
    ('HISTORY', struct.pack('>BIIQI', 0, 1, 0, 0, 100)),
    ('UNREAD', None), ('PEOPLE', None), ('PASSKEYS', None),
    ('PASSKEY_NAME', struct.pack('>I', 1) + text('forged')),
    ('READ', struct.pack('>BIIQ', 0, 1, 0, 1)),
    ('PLACE_SET', struct.pack('>IHH', 1, 1, 1)),
    ('GUEST_NAME', text('Mallory')),
    ('GUEST_ADMIT', struct.pack('>IB', 1, 1)),
    ('DOOR_KEY', struct.pack('>IBB', 1, 1, 0)),
    ('GUESTS', None),
    ('GUEST_ADD', struct.pack('>QIBQ', 1 << 60, 1, 0, 0) + text('') +
     struct.pack('>II', 4, 1)),
    ('GUEST_DEL', struct.pack('>I', 1)), ('VISIT_DEL', struct.pack('>I', 1)),
    ('A_USERS', None),
    ('A_USER_ADD', b'\1' + text('mallory@globex.example') + text('M')),
    ('A_USER_SET', struct.pack('>IIBBB', 1, 0x20, 1, 0, 0) + text('')),
    ('A_USER_DEL', struct.pack('>I', 2)),
    ('A_ERASE', struct.pack('>BIQQ', 1, 2, 0, 0)),
    ('A_ERASE', struct.pack('>BIQQ', 2, 1, 0, 0)),
    ('A_USER_LINK', struct.pack('>I', 2)),
    ('A_GROUPS', None),
    ('A_GROUP_ADD', struct.pack('>IIQ', 0, 1, 0) + text('G') + bytes(4)),
    ('A_GROUP_SET', struct.pack('>IIQ', 1, 1, 1) + text('G') + bytes(4)),
    ('A_GROUP_DEL', struct.pack('>I', 1)),
    ('A_TEMPLATES', None), ('A_FLOORS', None),
    ('A_FLOOR_ADD', struct.pack('>IIQBBB', 0, 0x81, 0, 1, 0, 0) + text('F') +
     text('office') + text('') + bytes(8)),
    ('A_FLOOR_SET', struct.pack('>IIQBBB', 1, 1, 1, 1, 0, 0) + text('F') +
     text('') + text('') + bytes(8)),
    ('A_FLOOR_DEL', struct.pack('>I', 1)),
    ('A_FACTOR_DEL', struct.pack('>I', 1)), ('FACTOR_GET', None),
    ('A_SIGNINS', struct.pack('>I', 1)),
    ('A_SIGNINS_END', struct.pack('>I', 1)),
    ('A_ROLES', None),
    ('A_ROLE_ADD', struct.pack('>BBIIQ', 0, 63, 0, 0, 0) + text('M')),
    ('A_ROLE_SET', struct.pack('>BBIIQ', 0, 63, 0x800, 0, 0) + text('')),
    ('A_ROLE_DEL', struct.pack('>BBIIQ', 16, 0, 0, 0, 0) + text('')),
    ('A_IMPORT_BEGIN', struct.pack('>I', 7)),
    ('A_IMPORT_LINE', struct.pack('>IIIBB', 7, 2, 0, 0, 0) +
     text('mallory@globex.example') + text('') * 4),
    ('A_IMPORT_END', struct.pack('>IIB', 7, 1, 0) + bytes(32)),
    ('A_TENANT_SET', text('Mallory Inc.')),
    ('A_ALERTS', None),
    ('A_POLICY_SET', struct.pack('>I', 0) + struct.pack('>III', 8, 9, 1)),
]
URLS = ('GUESTS', 'GUEST_ADD', 'GUEST_DEL', 'VISIT_DEL')
# What a guest may: all of it, and while he waits.
GUEST_MAY = ('SIGNOUT', 'ME_SET', 'FLOORS', 'FLOOR_GET', 'TALK_GET', 'SAY',
             'HISTORY', 'UNREAD', 'READ', 'PLACE_SET', 'GUEST_NAME')
DOOR_MAY = ('SIGNOUT', 'GUEST_NAME')
SILENT = ('READ', 'PLACE_SET')  # nothing asks for their answers


class World:
    """Two tenants on a daemon with many workers."""

    def __init__(self):
        self.d = d = Daemon(workers=WORKERS).start()
        self.left = {}
        self.annoyed = set()    # sessions that the witness has complained of
        for tenant in ('acme', 'globex'):
            d.do('tenant', 'add', tenant)
            d.floor(tenant, 'One')
        for name in 'Two', 'Three':
            d.floor('globex', name)
        self.witness = self.on(WITNESS, 'globex', 'wit@globex.example')
        self.witness.enter(1)

    def on(self, n, tenant, mail, role='member'):
        """Somebody who has spoken with this worker only."""
        with self.d.only_worker(n):
            p = self.d.person(tenant, mail, role)
            p.open()
        return p

    def attend(self):
        """The witness has noticed nothing."""
        self.witness.say('still here')
        equal(self.witness.api('GET', '/session').status, 200, 'the witness')

    def renewed(self, pids, slots):
        """Wait until these live again; the others must be those of before."""
        def back():
            rows = {(p['process'], p.get('instance', p.get('number'))):
                    p for p in self.d.processes()}
            return all(rows[s]['up'] and rows[s]['pid'] not in (0, pids[s])
                       for s in slots)
        until(back, 'started again: %r' % (slots,))
        now = self.d.pids()
        for slot in pids:
            if slot not in slots:
                equal(now[slot], pids[slot], '%s %d is another' % slot)

    def spend(self, slots):
        """These have died once more; a new daemon when that is too often."""
        for s in slots:
            self.left[s] = self.left.get(s, DEATHS) - 1
        if min(self.left.values()) > 0:
            return
        self.witness.drop()
        self.d.restart()
        self.left = {}
        self.annoyed = set()
        self.witness.http.close()
        with self.d.only_worker(WITNESS):
            self.witness.open()
            equal(self.witness.api('GET', '/session').status, 200, 'again')
        self.witness.enter(1)


def memory_grant(d, n, p):
    """The grant that session n has for the person's token."""
    token = base64.urlsafe_b64decode(p.http.cookie + '=')
    pid = d.pids()[('session', n)]
    with open('/proc/%d/maps' % pid) as maps, \
            open('/proc/%d/mem' % pid, 'rb') as mem:
        for line in maps:
            if '[heap]' not in line and ' 00:00 0' not in line:
                continue
            start, end = (int(v, 16) for v in line.split()[0].split('-'))
            if 'r' not in line.split()[1] or '[v' in line:
                continue
            mem.seek(start)
            try:
                data = mem.read(end - start)
            except OSError:
                continue
            at = data.find(token)
            while at != -1:
                # struct login: tenant, token, grant
                tenant, = struct.unpack_from('=I', data, at - 4)
                grant, = struct.unpack_from('=Q', data, at + 36)
                if tenant in (1, 2) and grant > 1 << 32 and at % 8 == 4:
                    return grant
                at = data.find(token, at + 1)
    raise Failure('no grant in the memory of session %d' % n)


def grants(w):
    """a grant of another pipe, or a guessed one, is none"""
    d = w.d
    boss = w.on(1, 'globex', 'boss@globex.example', 'admin')
    mem = w.on(0, 'acme', 'mem@acme.example')
    stolen = memory_grant(d, 1, boss)
    with Wire(d, 1, 'storage') as own:
        rows, code, _ = own.ask('A_USERS', granted('A_USERS', stolen))
        equal(code, R_OK, 'from its own pipe')
        check(len(rows) >= 2, 'no rows from its own pipe')
    before = d.do('user', 'list', 'globex'), d.do('floor', 'list', 'globex')
    with Wire(d, 0, 'storage') as wire:
        for name, tail in UNDER_GRANT:
            rows, code, _ = wire.ask(name, granted(name, stolen, tail))
            equal((code, rows), (R_SESSION, []), name)
        wire.send('GRANT_DROP', n64(stolen))
        for g in [0, 1, 2 ** 64 - 1, stolen ^ 1, stolen + 1, stolen - 1] + [
                random.getrandbits(64) for _ in range(2000)]:
            rows, code, _ = wire.ask('FLOORS', n64(g))
            equal((code, rows), (R_SESSION, []), 'grant %x' % g)
    equal((d.do('user', 'list', 'globex'), d.do('floor', 'list', 'globex')),
          before, 'globex has changed')
    equal(boss.api('GET', '/session').status, 200, 'the owner of the grant')
    own_grant = memory_grant(d, 0, mem)
    with Wire(d, 0, 'storage') as wire:
        rows, code, _ = wire.ask('FLOORS', n64(own_grant))
        equal((code, len(rows)), (R_OK, 1), 'the own grant')
        # Operators are told (F11), if not right after the start.
        until(lambda: wire.ask('FLOORS', n64(random.getrandbits(64)))[1] ==
              R_SESSION and 'grant-unknown' in d.do('show', 'alerts'),
              'the alert')
        for name, tail in UNDER_GRANT:
            if name.startswith('A_') or name in URLS:
                rows, code, _ = wire.ask(name, granted(name, own_grant, tail))
                equal((code, rows), (R_FORBIDDEN, []), 'a member: ' + name)
        there = wire.ask('FLOOR_GET', n64(own_grant) + struct.pack('>I', 2))
        nowhere = wire.ask('FLOOR_GET', n64(own_grant) +
                           struct.pack('>I', 99999))
        equal(there[1], R_NOTFOUND, 'floor of the other tenant')
        equal(there, nowhere, 'and one that is not')
        for floor in (2, 99999):
            rows, code, _ = wire.ask('TALK_GET', n64(own_grant) +
                                     struct.pack('>I', floor))
            equal((code, rows), (R_NOTFOUND, []), 'talk on %d' % floor)
        for kind, a in ((0, 2), (0, 99999), (2, 5), (2, 99999)):
            tail = struct.pack('>BII', kind, a, 0) + text('r') + text('x')
            rows, code, _ = wire.ask('SAY', n64(own_grant) + tail)
            equal((code, rows), (R_NOTFOUND, []), 'SAY %d %d' % (kind, a))
    for p in (boss, mem):
        p.close()


def record(w):
    """nobody writes the past of an access log"""
    d = w.d
    months = [time.strptime('%d-%02d-15' % (y, m), '%Y-%m-%d')
              for y in range(1971, 2021) for m in range(1, 13)]
    with Wire(d, 0, 'storage') as wire:
        for i, month in enumerate(months):
            # Of a tenant without a grant: a sign-in that has failed.
            wire.send('ACCESS', n64(0) + struct.pack('>I', 2) +
                      n64(calendar.timegm(month) * 1000) + struct.pack(
                          '>BHQI', 3, 0, 0, 0) + text('192.0.2.7') +
                      text('forged%d@globex.example' % i))
        equal(wire.ask('FLOORS', n64(0))[1], R_SESSION, 'it is read')

    def logged():
        return d.do('log', 'show', 'tenant', 'globex', 'from', '1970-01-02',
                    'last', '0')
    until(lambda: logged().count('forged') == len(months), 'the log has it')
    there = [f for f in os.listdir(d.path('data', 'tenants', '2'))
             if f.startswith('log-') and f.endswith('.db')]
    check(len(there) <= 2, 'months of it: %r' % sorted(there))


def must_first(w):
    """who has to set up a second factor gets nothing else from storage"""
    d = w.d
    with d.only_worker(3):
        p = d.person('acme', 'must@acme.example', 'admin')
        d.do('policy', 'set', 'acme', 'second-factor', '1')
        equal(p.get('/session')['must'], ['second-factor'], 'must')
    grant = memory_grant(d, 3, p)
    before = d.do('user', 'list', 'acme'), d.do('floor', 'list', 'acme')
    with Wire(d, 3, 'storage') as wire:
        for name, tail in UNDER_GRANT:
            if name not in ('SIGNOUT', 'FACTOR_GET', 'PASSKEYS'):
                rows, code, _ = wire.ask(name, granted(name, grant, tail))
                equal((code, rows), (R_MUST, []), name)
        wire.send('FACTOR_GET', n64(grant))
        equal(wire.recv()[0], TYPES['FACTOR_ROW'].nr, 'what is allowed')
    equal((d.do('user', 'list', 'acme'), d.do('floor', 'list', 'acme')),
          before, 'acme has changed')
    d.do('policy', 'set', 'acme', 'second-factor', '0')
    p.close()


def imports(w):
    """lines of an import are bounded, counted, and of one asker"""
    d = w.d
    boss = w.on(4, 'globex', 'chef@globex.example', 'admin')
    grant = memory_grant(d, 4, boss)
    before = d.do('user', 'list', 'globex')

    def end(nr, count):
        return wire.ask('A_IMPORT_END', n64(grant) + struct.pack(
            '>IIB', nr, count, 1) + bytes(32))[:2]

    def lines(nr, n, size=1):
        for i in range(n):
            wire.send('A_IMPORT_LINE', n64(grant) + struct.pack(
                '>IIIBB', nr, i + 2, 0x200, 0, 0) +
                text('i%d@globex.example' % i) + text('') * 2 +
                text('x' * size) + text(''))

    with Wire(d, 4, 'storage') as wire:
        equal(end(1, 0), ([], R_BUSY), 'none was begun')
        for n, size, count, code in ((5002, 0, 5002, R_INVALID),
                                     (300, 4000, 300, R_INVALID),
                                     (3, 0, 4, R_UNAVAILABLE),
                                     (3, 0, 2 ** 32 - 1, R_UNAVAILABLE)):
            wire.send('A_IMPORT_BEGIN', n64(grant) + struct.pack('>I', 2))
            lines(2, n, size)
            equal(end(2, count), ([], code), '%d lines' % n)
            equal(end(2, count), ([], R_BUSY), 'it is forgotten')
        # One is open: a second is refused, its lines go nowhere.
        wire.send('A_IMPORT_BEGIN', n64(grant) + struct.pack('>I', 3))
        lines(3, 2)
        wire.send('A_IMPORT_BEGIN', n64(grant) + struct.pack('>I', 4))
        lines(4, 2)
        equal(end(4, 2), ([], R_BUSY), 'the second')
        rows, code = end(3, 2)
        equal((len(rows), code), (3, R_OK), 'the first')
    equal(d.do('user', 'list', 'globex'), before, 'globex has changed')


def guest(w, n, token, **more):
    """A guest by the URL who has spoken with this worker only."""
    p = Person(w.d, 'acme', 'guest')
    with w.d.only_worker(n):
        p._signed_in(p.retry('POST', '/guest/' + token, {'name': 'Guest'}))
        until(lambda: p.api('GET', '/session').status == 200, 'signed in')
    return p


def guests(w):
    """under the grant of a guest a session gets what the guest may have"""
    d = w.d
    d.floor('acme', 'Staff')
    boss = w.on(0, 'acme', 'host@acme.example', 'admin')
    end = int(time.time() * 1000) + 3600000
    for approval, may in ((False, GUEST_MAY), (True, DOOR_MAY)):
        url = boss.api('POST', '/guests', {
            'floors': [1], 'expires': end, 'approval': approval}, 201).json()
        p = guest(w, 2, url['url'].rsplit('/', 1)[1])
        grant = memory_grant(d, 2, p)
        with Wire(d, 2, 'storage') as wire:
            for name, tail in UNDER_GRANT:
                if name in may:
                    continue
                rows, code, _ = wire.ask(name, granted(name, grant, tail))
                equal((code, rows), (R_FORBIDDEN, []), name)
            rows, code, _ = wire.ask('GUEST_NAME', n64(grant) + text('Boss'))
            equal((code, rows), (R_CONFLICT, []), 'another name')
            if approval:
                continue
            rows, code, _ = wire.ask('FLOORS', n64(grant))
            equal((code, len(rows)), (R_OK, 1), 'floors')
            rows, code, _ = wire.ask('ME_SET', n64(grant) + struct.pack(
                '>I', 1) + text('Boss') + text('') + bytes(6))
            equal((code, rows), (R_FORBIDDEN, []), 'another name')
            # Whatever floor it says that both are on.
            for user, floor in ((boss.id, 0), (boss.id, 2), (boss.id, 99999),
                                (99999, 1)):
                rows, code, _ = wire.ask('SAY', n64(grant) + struct.pack(
                    '>BII', 2, user, floor) + text('r') + text('x'))
                equal((code, rows), (R_NOTFOUND, []), 'SAY %d %d' % (
                    user, floor))
            for floor in (2, 99999):
                for name, tail in (
                        ('FLOOR_GET', struct.pack('>I', floor)),
                        ('HISTORY', struct.pack('>BIIQI', 0, floor, 0, 0, 9)),
                        ('HISTORY', struct.pack('>BIIQI', 1, floor, 1, 0, 9))):
                    rows, code, _ = wire.ask(name, n64(grant) + tail)
                    equal((code, rows), (R_NOTFOUND, []), name)
        with Wire(d, 2, 'auth') as wire:
            body = struct.pack('>I', 1) + text('127.0.0.1') + n64(grant) + \
                text('a password of mine')
            rows, code, _ = wire.ask('GUEST_SECRET', body)
            equal((code, rows), (R_FORBIDDEN, []), 'a password for a URL')
        p.close()
    boss.close()


def no(tenant, code):
    """Of a tenant that auth has not been told of it knows nothing yet."""
    return code if tenant in (1, 2) else R_UNAVAILABLE


def tokens(w):
    """auth signs in nobody for a forged token, tenant or password"""
    d = w.d
    p = w.on(2, 'acme', 'tok@acme.example')
    good = base64.urlsafe_b64decode(p.http.cookie + '=')
    with Wire(d, 2, 'auth') as wire:
        for tenant, token in [(2, good), (3, good), (0, good),
                              (2 ** 32 - 1, good), (1, bytes(32)),
                              (1, good[::-1])] + [
                (1, os.urandom(32)) for _ in range(200)]:
            body = struct.pack('>I', tenant) + text('127.0.0.1') + token
            rows, code, _ = wire.ask('TOKEN', body)
            equal((code, rows), (no(tenant, R_SESSION), []), 'tenant %d' %
                  tenant)
        for tenant in (1, 2, 3, 0):
            rows, code, _ = wire.ask('LINK_GET', struct.pack('>I', tenant) +
                                     text('127.0.0.1') + os.urandom(32))
            equal((code, rows), (no(tenant, R_LINK), []),
                  'link of tenant %d' % tenant)
            head = struct.pack('>I', tenant) + text('127.0.0.1')
            for name, body, code in (
                    ('GUEST_GET', head + os.urandom(32), R_LINK),
                    ('GUEST_USE', head + text('') + os.urandom(32) +
                     text('') * 3, R_LINK),
                    ('GUEST_SECRET', head + os.urandom(8) +
                     text('long enough'), R_SESSION)):
                rows, got, _ = wire.ask(name, body)
                equal((got, rows), (no(tenant, code), []), name)
        for tenant, mail in ((1, 'tok@acme.example'), (1, 'no@acme.example'),
                             (2, 'tok@acme.example'), (9, 'x@x.example')):
            rows, code, _ = wire.ask(
                'LOGIN', struct.pack('>I', tenant) + text('10.1.2.3') +
                text('') + text(mail) + text('not the password') +
                text('') + text('A' * 71))
            equal((code, rows), (no(tenant, R_SIGNIN), []), 'sign-in %d %s' %
                  (tenant, mail))
        rows, code, _ = wire.ask(
            'PASSWORD', struct.pack('>I', 2) + text('10.1.2.3') + good +
            text('correct horse 42') + text('another horse 43') + text(''))
        equal((code, rows), (R_SESSION, []), 'password by a foreign token')
        who = struct.pack('>I', 2) + text('10.1.2.3')
        rows, code, _ = wire.ask('PASSKEY_ASK', who + b'\1' + good)
        equal((code, rows), (R_SESSION, []), 'challenge by a foreign token')
        rows, code, _ = wire.ask('PASSKEY_DEL', who + good + text(
            'correct horse 42') + struct.pack('>I', 1))
        equal((code, rows), (R_SESSION, []), 'removal by a foreign token')
        rows, code, _ = wire.ask('PASSKEY_ADD', who + good + text(
            'correct horse 42') + os.urandom(32) + text('x') + bytes(8))
        equal((code, rows), (R_INVALID, []), 'a challenge that is none')
        rows, code, _ = wire.ask('PASSKEY_LOGIN', who + text('') * 4 +
                                 os.urandom(32) + bytes(20))
        equal((code, rows), (R_SIGNIN, []), 'a passkey that is none')
    p.close()


def accusations(w):
    """a session that accuses others harms the daemon no more than itself"""
    d = w.d
    begin = d.pids()
    for proc in (0, 1, 2, 3, 4, 6):
        n = proc
        pids = d.pids()
        with Wire(d, n, 'parent') as wire:
            for _ in range(2):
                wire.send('BADPEER', struct.pack('>BH', proc, 0))
        w.renewed(pids, [('session', n)])
        w.spend([('session', n)])
    n = 7
    pids = d.pids()
    with Wire(d, n, 'parent') as wire:
        for _ in range(20):
            wire.send('BADPEER', struct.pack('>BH', 5, 8))
            time.sleep(0.02)
    w.renewed(pids, [('session', n), ('session', 8)])
    for n in (9, 10):
        pids = d.pids()
        with Wire(d, n, 'parent') as wire:
            one = imsg(TYPES['BADPEER'].nr, 0, struct.pack('>BH', 1, 0))
            wire.raw(one * 20000)
        w.renewed(pids, [('session', n)])
    for slot in begin:
        if slot[0] != 'session':
            equal(d.pids()[slot], begin[slot], '%s %d' % slot)
    for n in range(WORKERS - 1):
        w.left[('session', n)] = 1
    w.spend([('session', 0)])


def acks(w):
    """what a session says of configurations concerns only itself"""
    d = w.d
    pids = d.pids()
    with Wire(d, 3, 'parent') as wire:
        for gen in (0, 2, 7, 2 ** 64 - 1):
            for ok in (0, 1):
                wire.send('CONF_ACK', struct.pack('>QB', gen, ok) +
                          text('forged'))
        for _ in range(1000):
            wire.send('READY', b'')
        wire.send('CONF_ACK', struct.pack('>QB', 1, 1) + text(''))
    time.sleep(0.3)
    equal(d.pids(), pids, 'somebody has died')
    with Wire(d, 3, 'parent') as wire:
        wire.send('CONF_ACK', struct.pack('>QB', 1, 0) + text('no \x1b[2J'))
    w.renewed(pids, [('session', 3)])
    w.spend([('session', 3)])
    check('\x1b' not in d.log(), 'control bytes in the log')
    d.do('reload')


# Each of these must cost the session its life: (pipe, what, bytes, fds).

def wrong_types():
    random.seed(7)
    for to in ('storage', 'auth', 'keys', 'parent', 'session'):
        for t in TYPES.values():
            if t.may(to):
                continue
            yield to, '%s to %s' % (t.name, to), imsg(t.nr, 1, t.least), 0
        for nr in (0, len(TYPES) + 1, 4096, 2 ** 31, 2 ** 32 - 1):
            yield to, 'type %d to %s' % (nr, to), imsg(nr, 1, b''), 0


def wrong_lengths():
    for to in ('storage', 'auth', 'keys', 'parent', 'session'):
        for t in TYPES.values():
            if not t.may(to):
                continue
            bad = {'a trailing byte': t.least + b'\0',
                   'over its limit': t.least + bytes(t.max - len(t.least) +
                                                     1)}
            if t.least:
                bad['empty'] = b''
                bad['one short'] = t.least[:-1]
            if len(t.least) > 2:
                bad['one byte'] = t.least[:1]
            for what, payload in bad.items():
                yield to, '%s to %s, %s' % (t.name, to, what), \
                    imsg(t.nr, 1, payload), 0
    t = TYPES['SAY']
    for what, s in (('NUL', b'a\0b'), ('no UTF-8', b'\xff\xfe'),
                    ('a surrogate', b'\xed\xa0\x80'),
                    ('overlong', b'\xc0\xaf')):
        body = n64(1) + struct.pack('>BII', 0, 1, 0) + text('r') + \
            struct.pack('>H', len(s)) + s + b'\0'
        yield 'storage', 'text with ' + what, imsg(t.nr, 1, body), 0
    body = n64(1) + struct.pack('>BII', 3, 1, 0) + text('r') + text('x')
    yield 'storage', 'a kind that is none', imsg(t.nr, 1, body), 0


def wrong_heads():
    for to in ('storage', 'auth', 'keys', 'parent', 'session'):
        for n in (0, 1, 15, MAX_PAYLOAD + 17, 0x7fffffff, 0x00ffffff):
            yield to, 'length %d to %s' % (n, to), \
                imsg(TYPES['FLOORS'].nr, 1, b'', length=n), 0
        yield to, 'two descriptors to ' + to, \
            imsg(TYPES['SHUTDOWN'].nr, 1, b'', mark=FD_MARK), 2
        yield to, 'an unasked descriptor to ' + to, \
            imsg(TYPES['SHUTDOWN'].nr, 1, b'', mark=FD_MARK), 1


def killed(w, cases):
    """Send each from a session of its own, as many at a time as there are."""
    cases = list(cases)
    d = w.d
    while cases:
        batch = []
        pids = d.pids()
        null = os.open('/dev/null', os.O_RDONLY)
        for n in range(WORKERS - 1):
            # To complain twice of the same one would end the witness.
            at = [i for i, c in enumerate(cases)
                  if c[0] != 'session' or n not in w.annoyed]
            if not at:
                continue
            to, what, data, nfds = cases.pop(at[-1])
            inst = 0
            if to == 'session':
                inst = WITNESS
                w.annoyed.add(n)
            wire = Wire(d, n, to, inst)
            batch.append((n, what, wire, data, [null] * nfds))
        for n, what, wire, data, fds in batch:
            wire.raw(data, fds)
        slots = [('session', n) for n, *_ in batch]
        if not slots:
            w.left[('session', 0)] = 1
            w.spend([('session', 0)])
            continue
        try:
            w.renewed(pids, slots)
        except Failure as e:
            now = d.pids()
            for n, what, *_ in batch:
                if now[('session', n)] == pids[('session', n)]:
                    raise Failure('goes on after ' + what)
            raise Failure('%s; one of %r' % (e, [b[1] for b in batch]))
        finally:
            os.close(null)
            for b in batch:
                b[2].__exit__()
        w.attend()
        w.spend(slots)


def types_of_others(w):
    """an imsg that is not his to send costs the session its life"""
    cases = list(wrong_types())
    random.shuffle(cases)
    dear = [c for c in cases if re.match(
        'GRANT_NEW|CRED_SET|TOKEN_NEW|LINK_SET|TOKEN_FIND|CRED_FIND|C_|BROKEN|'
        'OPERATOR|NOTE|'
        'CONF_|PROCFD|HASH_|SHUTDOWN|BOOT|type', c[1])]
    seen = {id(c) for c in dear}
    rest = [c for c in cases if id(c) not in seen]
    killed(w, dear[:180] + rest[:60])


def lengths(w):
    """a wrong length, a trailing byte, bad text cost it its life"""
    cases = list(wrong_lengths())
    random.shuffle(cases)
    killed(w, cases[:240])


def heads(w):
    """so do lengths that lie and descriptors that nobody asked for"""
    fds = {s: len(os.listdir('/proc/%d/fd' % pid))
           for s, pid in w.d.pids().items()
           if s[0] != 'session'}
    pids = w.d.pids()
    killed(w, wrong_heads())
    for s, n in fds.items():
        if w.d.pids()[s] == pids[s]:
            now = len(os.listdir('/proc/%d/fd' % pids[s]))
            check(now <= n + 1, '%s %d has %d descriptors, had %d' %
                  (s + (now, n)))


def descriptors(w):
    """a descriptor on an imsg that has none is closed, not kept"""
    d = w.d
    for to in ('storage', 'auth'):
        pid = d.pids()[(to, 0)]
        n = len(os.listdir('/proc/%d/fd' % pid))
        with Wire(d, 4, to) as wire:
            null = os.open('/dev/null', os.O_RDONLY)
            for _ in range(50):
                name = 'FLOORS' if to == 'storage' else 'TOKEN'
                t = TYPES[name]
                wire.ident += 1
                wire.raw(imsg(t.nr, wire.ident, t.least), [null])
                try:
                    wire.answer(wire.ident)
                except (Closed, OSError):
                    break               # it may as well be the end of it
            os.close(null)
        now = len(os.listdir('/proc/%d/fd' % pid))
        check(now <= n, '%s keeps %d descriptors' % (to, now - n))
        equal(d.pids()[(to, 0)], pid, to)
    until(d.healthy, 'the daemon answers')


def floods(w):
    """a flood of forged questions leaves the others at work"""
    d = w.d
    pids = d.pids()
    one = imsg(TYPES['FLOORS'].nr, 1, n64(12345))
    legs = imsg(TYPES['BUS_LEFT'].nr, 1, TYPES['BUS_LEFT'].least)
    worst = said = 0
    with Wire(d, 5, 'storage') as a, Wire(d, 6, 'session', WITNESS) as b:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for wire, data in ((a, one * 500), (b, legs * 500)):
                try:
                    wire.sock.send(data)
                except OSError:
                    pass
            try:
                a.sock.recv(1 << 20)
            except BlockingIOError:
                pass
            if time.monotonic() < said + 0.2:
                continue
            said = time.monotonic()
            w.witness.say('during')
            worst = max(worst, time.monotonic() - said)
    check(worst < 2, 'saying took %.1f s during it' % worst)
    now = d.pids()
    for slot in pids:
        if slot not in (('session', 5), ('session', 6)):
            equal(now[slot], pids[slot], '%s %d' % slot)


def broken_into(w):
    """its people are signed out, those of others and of honest deaths not"""
    d = w.d
    victim = w.on(11, 'acme', 'victim@acme.example')
    other = w.on(12, 'acme', 'other@acme.example')
    pids = d.pids()
    with Wire(d, 11, 'storage') as wire:
        wire.raw(imsg(TYPES['GRANT_NEW'].nr, 1, TYPES['GRANT_NEW'].least))
        w.renewed(pids, [('session', 11)])
    w.spend([('session', 11)])
    victim.http.close()
    until(lambda: victim.api('GET', '/session').status == 401,
          'who was on the broken session is signed out')
    equal(other.api('GET', '/session').status, 200, 'somebody else')
    check('taken as broken' in d.log(), 'the log does not say so')
    pids = d.pids()
    os.kill(pids[('session', 12)], signal.SIGKILL)
    w.renewed(pids, [('session', 12)])
    other.http.close()
    equal(other.api('GET', '/session').status, 200, 'after a plain death')
    w.attend()
    victim.close()
    other.close()


def bus(w):
    """over the bus a worker gains nothing that storage has not granted it"""
    d = w.d
    p = w.witness
    p.walk((700, 600))
    before = p.spot
    uid, av = p.id, p.you
    heard = len(p.inbox)
    with Wire(d, 13, 'session', WITNESS) as wire:
        for ident in (av, (WITNESS << 12) | 1, 5 << 12 | 3):
            wire.send('BUS_LEFT', struct.pack('>IIIHI', 2, 1, uid, ident, 0))
            frame = struct.pack('<BIHHHHHHBB', 2, 0, 1, ident, 9, 9, 9, 9, 0,
                                0)
            wire.send('BUS_LEGS', struct.pack('>III', 2, 1, len(frame)) +
                      frame)
        # The witness and somebody invented, by numbers of every worker.
        for user in (uid, 4711):
            for ident in (av, 13 << 12 | 9, 5 << 12 | 3):
                wire.send('BUS_JOIN', struct.pack(
                    '>IIIHHBBBIHHHHIBIIBHI', 2, 1, user, ident, av, 0, 0, 0,
                    0, 9, 9, 9, 9, 0, 0, 0, 0, 31, 1, 0) + text('Mallory') +
                    text('boo'))
        # Everybody once more, of tenants that are and are not.
        for tenant in (0, 1, 2, 4711):
            for user in (uid, 4711):
                wire.send('BUS_AGAIN', struct.pack('>II', tenant, user))
        # All of its own once more, and those are none.
        for begins in (1, 0, 0):
            wire.send('BUS_ALL', struct.pack('>B', begins))
        for room in (1, 2, 3):
            wire.send('BUS_DOOR', struct.pack('>IIIIBB', 2, 1, uid, 9, room,
                                              2))
        # Calls by the witness, and by nobody; answers of theirs; their ends.
        for n in (13 << 28 | 1, WITNESS << 28 | 1):
            for who in (uid, 4711):
                for kind, to, room in ((0, uid, 0), (1, uid, 0), (2, 0, 0),
                                       (2, 0, 1)):
                    wire.send('BUS_CALL', struct.pack(
                        '>IIIIBB', 2, who, to, n, kind, room))
                wire.send('BUS_ANSWER', struct.pack('>IIIB', 2, n, who, 1))
            wire.send('BUS_CALL_OVER', struct.pack('>I', n))
        # Pipes keep order: when this has cost him his life, the rest is read.
        wire.send('BUS_MSG', struct.pack(
            '>IBIIIQQ', 2, 0, 1, 0, uid, 99, 99) + text('Boss') + text('hi'))
    until(lambda: d.pids().get(('session', 13), wire.pid) != wire.pid,
          'the offender is gone')
    p.settle()
    check(p.you in p.avatars, 'the avatar is gone')
    equal(p.spot, before, 'the avatar has been moved')
    equal(p.me['name'], 'wit', 'the name')
    told = [m['t'] for m in p.inbox[heard:]]
    for t in ('msg', 'door', 'bye', 'call', 'callend', 'reply'):
        check(t not in told, 'the witness was told: %s' % t)
    text_of_all = json.dumps(p.inbox[heard:]) + json.dumps(
        list(p.avatars.values()))
    check('Mallory' not in text_of_all, 'somebody invented was seen')


def resident(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1))


def invented(w):
    """what a worker invents takes no memory of the others: tenants, and whom
    a talk is with"""
    d = w.d
    p = w.on(12, 'globex', 'low@globex.example')
    p.enter(1)
    w.witness.sees(lambda: any(a['user'] == p.id for a in
                               w.witness.avatars.values()), 'he is there')
    pid = d.pids()[('session', WITNESS)]
    had = resident(pid)
    with Wire(d, 12, 'session', WITNESS) as wire:
        for i in range(200):
            wire.raw(b''.join(imsg(
                TYPES[name].nr, 1, struct.pack('>III', 10000 + i * 500 + n,
                                               1, 1) + rest)
                for n in range(100) for name, rest in (
                    ('BUS_LEFT', bytes(6)), ('BUS_DOOR', bytes(5) + b'\1'),
                    ('BUS_ANSWER', b'\1'))))
            # Pairs of nobody, and of the witness with nobody.
            you = w.witness.you
            wire.raw(b''.join(imsg(TYPES['BUS_PAIR'].nr, 1, struct.pack(
                '>IIHHB', 2, 1, me, 0x1000 + i * 250 + n, 2))
                for me in range(you, you + 8)
                for n in range(250)))
        # He answers between two of them: all before have been read.
        w.attend()
        grown = resident(pid) - had
    p.drop()
    check(grown < 3000, 'it took %d KB' % grown)


def main():
    w = World()
    s = Suite(w.d)
    tests = (grants, guests, record, must_first, imports, tokens, acks, bus,
             invented, descriptors, accusations, broken_into, floods,
             types_of_others, lengths, heads)
    for fn in tests:
        def one(fn=fn):
            fn(w)
            w.attend()
        one.__doc__ = fn.__doc__
        one.__name__ = fn.__name__
        s.run_test(one, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
