#!/usr/bin/env python3
"""What a session is answered by an auth, a storage or a keys that somebody
else runs: only what it has asked for is taken, and it lives.

The session is a real one, its people are real connections, keys is real until
it is replaced; auth and storage are the test."""

import base64
import os
import random
import socket
import ssl
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from alone import Alone                                         # noqa: E402
from forged import PROCS, TYPES, imsg, n64, results, text       # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from places import draw, largest                                # noqa: E402
from risa import BOUND, Daemon, Failure, Http                   # noqa: E402

STORAGE, AUTH, KEYS = ('storage', 0), ('auth', 0), ('keys', 0)
TOKEN = 'A' * 43
ADMIN = 1
R_OK, R_NOTFOUND = results('R_OK', 'R_NOTFOUND')
TRIES = 20 if LONG else 1       # payloads of each wrong answer

# A request, what the session asks for it, and what may answer that.
ROUTES = [
    ('GET', '/session', 'TOKEN', 'GRANT'),
    ('GET', '/invite/' + TOKEN, 'LINK_GET', 'LINK'),
    ('GET', '/guest/' + TOKEN, 'GUEST_GET', 'GUEST'),
    ('POST', '/session', 'LOGIN', 'LOGIN_OK'),
    ('DELETE', '/session', 'SIGNOUT', ''),
    ('PATCH', '/me', 'ME_SET', 'USER'),
    ('GET', '/people?users=1', 'PEOPLE', 'PERSON'),
    ('GET', '/floors', 'FLOORS', 'FLOOR_ROW'),
    ('GET', '/floors/1', 'FLOOR_GET', 'FLOOR_DOC'),
    ('GET', '/messages?channel=floor:1', 'HISTORY', 'MESSAGE'),
    ('GET', '/talk?floor=1', 'TALK_GET', 'TALK'),
    ('GET', '/passkeys', 'PASSKEYS', 'PASSKEY'),
    ('GET', '/signins', 'SIGNINS', 'SIGNIN'),
    ('GET', '/factor', 'FACTOR_GET', 'FACTOR_ROW'),
    ('GET', '/guests', 'GUESTS', 'GUEST_ROW VISIT_ROW'),
    ('GET', '/admin/users', 'A_USERS', 'A_USER'),
    ('GET', '/admin/users/1/signins', 'A_SIGNINS', 'SIGNIN'),
    ('GET', '/admin/groups', 'A_GROUPS', 'A_GROUP'),
    ('GET', '/admin/floors', 'A_FLOORS', 'A_FLOOR'),
    ('GET', '/admin/templates', 'A_TEMPLATES', 'A_TEMPLATE'),
    ('GET', '/admin/roles', 'A_ROLES', 'A_ROLE'),
    ('GET', '/admin/alerts', 'A_ALERTS', 'A_ALERT'),
    ('GET', '/admin/audit', 'A_AUDIT', 'A_AUDIT_ROW'),
    ('GET', '/admin/checkpoints', 'A_POINTS', 'A_POINT'),
    ('GET', '/admin/log?from=1&to=9', 'A_LOG', 'A_LOG_ROW'),
    ('GET', '/admin/exports', 'A_EXPORTS', 'A_EXPORT'),
]
BODIES = {'/me': {'status': 'busy'}, '/session': {
    'email': 'a@acme.example', 'password': 'correct horse 42'}}
# Who is to answer with these; RESULT is the word of whoever was asked.
FROM_AUTH = ('LOGIN_OK', 'TALK')
# News at any time, and what auth may ask: they are no answers.
NEWS = ('FENCE TENANT TENANT_END GRANT_END GRANT_MUST RIGHTS ROLE PROFILE '
        'KNOCK KNOCK_END BUS_MSG BUS_ERASED BUS_CLEARED BUS_GRANT C_STATUS '
        'C_STATS').split()

ACME = struct.pack('>IBB', 1, 0, 0) + text('acme') + text(
    'Acme') + struct.pack('>I', 0)


class World:
    """A session, the real keys, and people who speak with it."""

    def __init__(self):
        self.home = Daemon()
        self.keys = self.a = None
        self.rnd = random.Random(5)
        self.given = 0
        self.count = {'refused': 0, 'taken': 0}

    def begin(self, real=True, told=True):
        """A new session; with the real keys, or with us in their place."""
        self.end()
        self.a = Alone(self.home, 'session')
        for to in (STORAGE, AUTH, ('session', 1)):
            self.a.join(to)
        if real:
            self.keys = Alone(self.home, 'keys')
            for s, p, to in zip(socket.socketpair(), (self.keys, self.a),
                                (('session', 0), KEYS)):
                s.setblocking(False)
                p.join(to, s)
                s.close()
            self.keys.configure()
        else:
            self.a.join(KEYS)
        self.a.configure()
        if told:
            self.introduce()

    def introduce(self):
        self.a.say('TENANT', ACME, STORAGE)
        self.a.say('TENANT_END', b'', STORAGE)
        self.a.turn()

    def end(self):
        for p in (self.a, self.keys):
            if p is not None:
                p.end()
        self.a = self.keys = None

    def answer(self, by, asked, name, payload):
        self.a.say(name, payload, by, asked.ident)

    def grant(self, asked, number=None):
        """Storage's yes to a TOKEN."""
        self.given += 1
        self.answer(STORAGE, asked, 'GRANT', n64(
                    number or self.given) + n64(1 << 52) +
                    n64(0) + struct.pack('>IIIIBBBBBI', 3600, 0, 1, 1, ADMIN,
                                         63, 0, 0, 0, 0) + text('Ann') +
                    text('') + text('ann@acme.example') + b'\0')

    def result(self, by, asked, code):
        self.answer(by, asked, 'RESULT', struct.pack('>IQ', code, 0) +
                    text(''))

    def ask(self, method, path, name):
        """Until the session asks for it; the connection and the question."""
        h = Http(self.home, 'acme')
        h.cookie = base64.urlsafe_b64encode(
            self.rnd.randbytes(32)).decode().rstrip('=')
        if method == 'POST':
            h.cookie = None
        h.send(h.head(method, '/api/v1' + path,
                      BODIES.get(path) if method in ('POST', 'PATCH')
                      else None))
        end_names = (name, 'TOKEN')
        while True:
            s = self.next_of(end_names)
            if s.name == name:
                return h, s
            self.grant(s)
            self.result(AUTH, s, R_OK)

    def next_of(self, names):
        """The session's next question of these; as soon as it is there."""
        end = time.monotonic() + BOUND
        while time.monotonic() < end:
            for i, s in enumerate(self.a.told):
                if s.name in names:
                    return self.a.told.pop(i)
            if self.a.gone():
                raise Failure('the session is gone\n' + self.a.log()[-900:])
            self.a.pull(0.05)
        raise Failure('the session does not ask for one of %r' % (names,))


def mixed(w):
    """a row that is none of the question's never reaches who has asked"""
    w.begin()
    for method, path, name, rows in ROUTES:
        right = rows.split()
        for t in TYPES.values():
            by = STORAGE if t.may('session', 'storage') else AUTH
            if not t.may('session', by[0]) or t.name in NEWS + ['RESULT'] or \
                    t.name in right:
                continue
            for i in range(TRIES):
                h, s = w.ask(method, path, name)
                what = '%s %s: %s' % (method, path, t.name)
                w.a.told = []
                w.answer(by, s, t.name, draw(t, w.rnd)
                         if w.rnd.random() < .7 else largest(t))
                told = w.a.turn(2)
                equal([x.body for x in told if x.name == 'BADPEER'],
                      [struct.pack('>BH', PROCS.index(by[0]), 0)],
                      what + ': complaints')
                check(not w.a.pipes[by].open, what + ': the pipe is open')
                w.a.join(by)
                if by == AUTH and name not in ('TOKEN', 'LOGIN', 'LINK_GET',
                                               'GUEST_GET', 'TALK_GET'):
                    w.result(STORAGE, s, R_NOTFOUND)
                equal(h.reply().status >= 400, True, what + ': it was a yes')
                h.close()
                w.introduce()
                w.count['refused'] += 1


def lies(w):
    """the right row with any content, a RESULT with any code: it lives"""
    for method, path, name, rows in ROUTES:
        for row in rows.split() + ['RESULT']:
            t = TYPES[row]
            for i in range(TRIES * 4):
                by = AUTH if row in FROM_AUTH or (row == 'RESULT' and not
                                                  TYPES[name].may(
                                                      'storage')) else STORAGE
                h, s = w.ask(method, path, name)
                body = largest(t) if i == 0 else draw(t, w.rnd)
                w.answer(by, s, row, body)
                w.a.turn(2)
                check(not w.a.gone(), '%s: died\n%s' % (path,
                                                        w.a.log()[-900:]))
                for to in (STORAGE, AUTH):
                    if not w.a.pipes[to].open:
                        w.a.join(to)
                        w.introduce()
                h.close()
                w.a.told = []
                w.count['taken'] += 1
    equal(w.a.stop(), 0, 'exit code\n' + w.a.log()[-900:])


def twice(w):
    """a grant that the session holds already is no answer"""
    w.begin()
    h, s = w.ask('GET', '/floors', 'FLOORS')
    with Http(w.home, 'acme') as other:
        other.cookie = TOKEN
        other.send(other.head('GET', '/api/v1/floors', None))
        w.grant(w.next_of(('TOKEN',)), w.given)
        equal([x.body for x in w.a.turn() if x.name == 'BADPEER'],
              [struct.pack('>BH', PROCS.index('storage'), 0)], 'complaints')
        equal(other.reply().status, 503, 'with a grant of somebody else')
    h.close()
    equal(w.a.stop(), 0, 'exit code\n' + w.a.log()[-900:])


def untold(w):
    """until storage has told of all tenants it does not say that it serves"""
    w.begin(told=False)

    def say(name, payload):
        w.a.say(name, payload, STORAGE)
        w.a.turn()

    def statuses():
        with Http(w.home, 'acme') as a, Http(w.home, 'globex') as g:
            return [h.request('GET', path).status for h, path in (
                (a, '/healthz'), (a, '/api/v1/tenant'),
                (g, '/api/v1/tenant'))]

    equal(statuses(), [503, 503, 503], 'of none')
    say('TENANT', ACME)
    equal(statuses(), [503, 503, 503], 'of one')
    say('TENANT_END', b'')
    equal(statuses(), [200, 200, 421], 'of all')
    equal(w.a.stop(), 0, 'exit code')
    # None at all is as good: whoever watches a new machine is told.
    w.begin(told=False)
    say('TENANT_END', b'')
    equal(statuses(), [200, 421, 421], 'there is none')
    equal(w.a.stop(), 0, 'exit code')


def strangers(w):
    """an answer to somebody else's question, or by somebody else, is none"""
    w.begin()
    h, s = w.ask('GET', '/floors', 'FLOORS')
    row = struct.pack('>IIBB', 1, 1, 0, 0) + text('Forged')
    for ident in (0, s.ident - 1, s.ident + 1, s.ident ^ 0x80000000):
        w.a.say('FLOOR_ROW', row, STORAGE, ident)
        w.a.say('RESULT', struct.pack('>IQ', R_OK, 0) + text(''), STORAGE,
                ident)
    told = w.a.turn()
    equal([x for x in told if x.name == 'BADPEER'], [], 'complaints')
    w.a.say('FLOOR_ROW', struct.pack('>IIBB', 7, 1, 0, 0) + text('Real'),
            STORAGE, s.ident)
    w.result(STORAGE, s, R_OK)
    r = h.reply()
    equal([f['name'] for f in r.json()['floors']], ['Real'], 'floors')
    # Auth does not answer what storage was asked.
    h.close()
    h, s = w.ask('GET', '/floors', 'FLOORS')
    w.result(AUTH, s, R_OK)
    equal([x.body for x in w.a.turn() if x.name == 'BADPEER'],
          [struct.pack('>BH', PROCS.index('auth'), 0)], 'complaints')
    w.a.join(AUTH)
    h.close()
    equal(w.a.stop(), 0, 'exit code')


def no_signature(w):
    """keys that answers with anything else: told on, and a new pipe serves"""
    w.begin(real=False)
    rnd = w.rnd
    good = [n for n in ('SIGNED', 'TICKET_KEY')]
    cases = [(t.nr, t.least) for t in TYPES.values() if t.name not in good]
    cases += [(TYPES[n].nr, b) for n in good for b in (
        b'', TYPES[n].least[:-1], TYPES[n].least + b'\0', rnd.randbytes(2000))]
    cases += [(TYPES['SIGNED'].nr, None), (0, b''), (2 ** 31, b'')]
    for nr, body in cases:
        with socket.socket() as c:
            c.settimeout(BOUND)
            c.connect(('127.0.0.1', w.home.port))
            hello(c)
            s = w.next_of(('SIGN', 'TICKET'))
            what = 'type %d to a %s' % (nr, s.name)
            if body is None:
                w.a.raw(KEYS, imsg(nr, s.ident, b'', 0x7fffffff))
            else:
                w.a.raw(KEYS, imsg(nr, s.ident, body))
            told = w.a.turn(2)
            equal([x.body for x in told if x.name == 'BADPEER'],
                  [struct.pack('>BH', PROCS.index('keys'), 0)],
                  what + ': complaints')
            check(not w.a.gone(), what + ': died')
            w.a.join(KEYS)
            w.a.turn()
            w.count['refused'] += 1
    # An answer to a question of before is passed over; wrong bytes too.
    for payload in (b'\0' + struct.pack('>I', 0),
                    b'\1' + struct.pack('>I', 72) + rnd.randbytes(72),
                    b'\1' + struct.pack('>I', 1024) + rnd.randbytes(1024)):
        with socket.socket() as c:
            c.settimeout(BOUND)
            c.connect(('127.0.0.1', w.home.port))
            hello(c)
            s = w.next_of(('SIGN', 'TICKET'))
            while s.name == 'TICKET':
                w.a.say('TICKET_KEY', struct.pack('>I', 80) + bytes(80),
                        KEYS, s.ident)
                s = w.next_of(('SIGN', 'TICKET'))
            w.a.say('SIGNED', payload, KEYS, s.ident - 1)
            w.a.say('SIGNED', payload, KEYS, s.ident)
            equal([x for x in w.a.turn(2) if x.name == 'BADPEER'], [],
                  'complaints')
            check(w.a.pipes[KEYS].open, 'the pipe is closed')
    check(not w.a.gone(), 'died')
    # The real one in its place, and it serves.
    w.keys = Alone(w.home, 'keys')
    for k, p, to in zip(socket.socketpair(), (w.keys, w.a),
                        (('session', 0), KEYS)):
        k.setblocking(False)
        p.join(to, k)
        k.close()
    w.keys.configure()
    h, s = w.ask('GET', '/floors', 'FLOORS')
    h.close()
    equal(w.a.stop(), 0, 'exit code')


def hello(c):
    """The first words of a TLS client, and no more."""
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    tls = ctx.wrap_bio(ssl.MemoryBIO(), out, server_hostname='acme.localhost')
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    c.sendall(out.read())


def main():
    w = World()
    s = Suite()
    for fn in (mixed, lies, twice, untold, strangers, no_signature):
        def one(fn=fn):
            fn(w)
        one.__doc__ = fn.__doc__
        one.__name__ = fn.__name__
        s.run_test(one)
    w.end()
    print('%d answers to others\' questions: %d refused; %d right ones with '
          'any content' % (w.count['refused'], w.count['refused'],
                           w.count['taken']))
    s.end()


if __name__ == '__main__':
    main()
