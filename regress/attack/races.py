#!/usr/bin/env python3
"""What is taken away while it is used: not used after the answer that says so.

Somebody acts without a pause, an administrator takes away what he acts by.
The answer to the administrator is the moment: whatever is sent after it has
come is refused, by each session process."""

import json
import os
import random
import select
import signal
import ssl
import subprocess
import sys
import threading
import time

for part in ('lib', 'system'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', part))
from authenticator import Authenticator                         # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import PASSWORD, RISACTL, Closed, Daemon, Failure, Http, \
    Person, link_token, until                                   # noqa: E402
from passkey import asked, fresh                                # noqa: E402

WORKERS = 2
RACES = 10000 if LONG else 1000     # of all kinds together
USES = (1, 3, 10)
GUESTS = 100            # who come by one URL at once
AHEAD = 12              # acts that may wait for their answers
API = '/api/v1'
GONE = (Closed, OSError, ssl.SSLError)


class Pin:
    """Connections that a session process of our choice takes."""

    def __init__(self, d):
        self.pids = d.pids('session')

    def to(self, worker, connect):
        others = [pid for (_, i), pid in self.pids.items() if i != worker]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            return connect()
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)


class Stage:
    """Two workers, a tenant, and who takes away."""

    def __init__(self, d, name='acme'):
        self.d, self.name = d, name
        self.pin = Pin(d)
        d.do('tenant', 'add', name)
        self.floor = d.floor(name, 'Floor')
        self.home = d.floor(name, 'Home')
        self.ada = d.person(name, 'ada@acme.example', 'admin')
        self.eve = d.person(name, 'eve@acme.example', 'admin')
        self.watch = d.person(name, 'watch@acme.example', 'admin')
        self.watch.open().enter(self.floor)
        self.bob = d.person(name, 'bob@acme.example')
        self.point = self.come = 0
        self.late = set()               # where legs of too late would lead
        self.seen = set()

    def spot(self):
        """A place on the floor where nobody was told to walk to before."""
        self.point += 1
        return 100 + self.point % 800, 100 + self.point // 800

    def address(self):
        """From which nobody has failed to come in before."""
        self.come += 1
        return '127.5.%d.%d' % (self.come // 250, self.come % 250 + 1)

    def look(self):
        """Note where people walk."""
        self.watch.pull()
        for m in self.watch.inbox:
            for leg in m.get('legs', ()):
                self.seen.add((leg['tx'], leg['ty']))
        self.watch.inbox.clear()

    def admin(self, method, path, body=None, want=(200, 201, 204)):
        r = self.ada.api(method, path, body)
        check(r.status in want, '%s %s: %r' % (method, path, r))
        return r.json() if r.body else None


class User:
    """Somebody at work: a connection to write on and one that waits, at each
    session process, and a WebSocket at one of them."""

    def __init__(self, stage, person, worker):
        self.stage, self.person = stage, person
        d, pin = stage.d, stage.pin
        self.busy, self.idle = [], []
        for i in range(WORKERS):
            for kind in (self.busy, self.idle):
                h = Http(d, person.tenant)
                h.cookie = person.http.cookie
                pin.to(i, h.connect)
                kind.append(h)
        pin.to(worker, person.open)
        self.waits = [0] * WORKERS
        self.said = 0
        self.turn = 0

    def warm(self, path):
        """Each session process knows him, and serves him."""
        for h in self.idle:
            equal(h.request('GET', API + path).status, 200, path)

    def use(self, act):
        """Act once more, without waiting for the answer."""
        i = self.turn = (self.turn + 1) % WORKERS
        if self.waits[i] >= AHEAD:
            self.busy[i].reply()
            self.waits[i] -= 1
        self.busy[i].send(self.busy[i].head(*act))
        self.waits[i] += 1

    def say(self):
        self.said += 1
        ref = self.person.ref()
        self.person.tell(t='say', to='floor', text='words', ref=ref)
        return ref

    def close(self):
        for h in self.busy + self.idle:
            h.close()
        self.person.close()


def answered(h):
    """Is there something to read?"""
    return bool(h.buf) or h.sock.pending() > 0 or \
        bool(select.select([h.sock], [], [], 0)[0])


def attempt(fn):
    """What a call gives, or None when the connection is over."""
    try:
        return fn()
    except GONE:
        return None


class Kind:
    """A kind of race: what is taken away, by which request; what it is used
    for, on the way and afterwards.  All of it is given back by restore."""

    act = '/session'                    # any GET that needs it
    refused = (401,)                    # afterwards
    stays = False                       # on the floor

    def __init__(self, stage):
        self.stage = stage
        self.worker = 0

    def user(self):
        """Who acts, at work on the floor."""
        self.worker = (self.worker + 1) % WORKERS
        p = self.come()
        u = User(self.stage, p, self.worker)
        p.enter(self.stage.floor)
        u.warm(self.act)
        return u

    def come(self):
        s = self.stage
        return Person(s.d, s.name, s.bob.mail).sign_in()

    def begin(self, u):
        """Take it away: is there an answer, and what it is."""
        method, path, body = self.taken(u)
        h = self.asker(u)
        h.send(h.head(method, API + path, body))
        return lambda: answered(h), lambda: h.reply().status < 300

    def asker(self, u):
        """The connection of who takes it away."""
        return self.stage.ada.http

    def entry(self, u):
        """The body of a way in that ends as well, and its path, or None."""
        return None

    def restore(self):
        pass


class FloorRight(Kind):
    """the right to a floor"""

    refused = (404,)

    def __init__(self, stage):
        super().__init__(stage)
        self.act = '/messages?channel=floor:%d&limit=1' % stage.floor

    def taken(self, u):
        return 'PATCH', '/admin/floors/%d' % self.stage.floor, {
            'open': False, 'users': [self.stage.watch.id]}

    def restore(self):
        self.stage.admin('PATCH', '/admin/floors/%d' % self.stage.floor,
                         {'open': True})


class GroupRight(FloorRight):
    """the right to a floor by a group"""

    def __init__(self, stage):
        super().__init__(stage)
        self.group = stage.admin('POST', '/admin/groups', {
            'name': 'Group'})['group']['id']

    def user(self):
        s = self.stage
        s.admin('PATCH', '/admin/groups/%d' % self.group,
                {'members': [s.bob.id]})
        s.admin('PATCH', '/admin/floors/%d' % s.floor, {
            'open': False, 'users': [s.watch.id], 'groups': [self.group]})
        return super().user()

    def taken(self, u):
        return 'PATCH', '/admin/groups/%d' % self.group, {'members': []}


class RoleRight(Kind):
    """the rights of a role"""

    act = '/guests'
    refused = (403,)
    stays = True

    def can(self, can):
        roles = self.stage.ada.get('/admin/roles')['roles']
        return {'can': can, 'version': [r['version'] for r in roles
                                        if r['id'] == 'member'][0]}

    def user(self):
        self.stage.admin('PATCH', '/admin/roles/member', self.can(
            ['chat', 'dm', 'voice', 'guest']))
        return super().user()

    def taken(self, u):
        return 'PATCH', '/admin/roles/member', self.can([])

    def restore(self):
        self.stage.admin('PATCH', '/admin/roles/member', self.can(
            ['chat', 'dm', 'voice', 'video', 'screen']))


class Role(Kind):
    """the role of an administrator"""

    act = '/admin/groups'
    refused = (401, 403)

    def come(self):
        s = self.stage
        s.admin('PATCH', '/admin/users/%d' % s.bob.id, {'role': 'admin'})
        return super().come()

    def taken(self, u):
        return 'PATCH', '/admin/users/%d' % u.person.id, {'role': 'member'}


class Lock(Kind):
    """the account"""

    def come(self):
        """Somebody new: who fails to come in too often has to wait."""
        s = self.stage
        s.point += 1
        mail = 'u%d@acme.example' % s.point
        r = s.admin('POST', '/admin/users', {'email': mail, 'role': 'member'})
        self.made = Person(s.d, 'acme', mail)
        return self.made.accept(link_token(json.dumps(r)))

    def taken(self, u):
        return 'PATCH', '/admin/users/%d' % u.person.id, {'state': 'locked'}

    def entry(self, u):
        return '/session', {'email': u.person.mail, 'password': PASSWORD}

    def restore(self):
        self.stage.admin('DELETE', '/admin/users/%d' % self.made.id)


class SignIns(Kind):
    """all sign-ins of somebody"""

    def taken(self, u):
        return 'DELETE', '/admin/users/%d/signins' % u.person.id, None


class Guest(Kind):
    """the URL of a guest"""

    act = '/floors'

    def come(self):
        s = self.stage
        r = s.admin('POST', '/guests', {
            'floors': [s.floor], 'uses': 9,
            'expires': int(time.time() * 1000) + 3600000})
        self.number = r['guest']['id']
        self.token = r['url'].rsplit('/', 1)[1]
        p = Person(s.d, 'acme', 'guest')
        return p._signed_in(p.api('POST', '/guest/' + self.token,
                                  {'name': 'Guest'}))

    def taken(self, u):
        return 'DELETE', '/guests/%d' % self.number, None

    def entry(self, u):
        return '/guest/' + self.token, {'name': 'Another'}


class Visit(Guest):
    """the visit of a guest"""

    def taken(self, u):
        return 'DELETE', '/visits/%d' % u.person.id, None

    def entry(self, u):
        return None

    def restore(self):
        self.stage.admin('DELETE', '/guests/%d' % self.number)


class SignOut(Kind):
    """one's own sign-in, by signing out"""

    def asker(self, u):
        self.other = Http(self.stage.d)
        self.other.cookie = u.person.http.cookie
        return self.other

    def taken(self, u):
        return 'DELETE', '/session', None

    def restore(self):
        self.other.close()


class Password(Lock):
    """other sign-ins, by another password"""

    def come(self):
        p = super().come()
        self.again = Person(self.stage.d, 'acme', p.mail).sign_in()
        return p

    def asker(self, u):
        return self.again.http

    def taken(self, u):
        return 'POST', '/password', {'current': PASSWORD,
                                     'new': 'another horse 43'}

    def restore(self):
        super().restore()
        self.again.close()


class Reset(Lock):
    """the password, by a link for another one"""

    def taken(self, u):
        return 'POST', '/admin/users/%d/invite' % u.person.id, {}


class Suspension(Kind):
    """a whole tenant, by an operator"""

    refused = (401, 421)

    def __init__(self, stage):
        super().__init__(Stage(stage.d, 'globex'))

    def begin(self, u):
        d = self.stage.d
        p = subprocess.Popen(
            [RISACTL, '-s', d.path('risad.sock'), 'tenant', 'suspend',
             'globex'], stdout=subprocess.DEVNULL)
        return lambda: p.poll() is not None, lambda: p.returncode == 0

    def restore(self):
        s = self.stage
        s.d.do('tenant', 'resume', 'globex')
        s.watch.sign_in().open().enter(s.floor)


KINDS = (FloorRight, GroupRight, RoleRight, Role, Lock, SignIns, Guest, Visit,
         SignOut, Password, Reset, Suspension)


def one_race(kind, u):
    """How many acts were under way, and which of the later ones went well."""
    s = kind.stage
    act = 'GET', API + kind.act
    acts = 0
    entries = [] if kind.entry(u) is None else enter_by(kind, u)
    for _ in range(random.randrange(4)):
        u.use(act)
    there, well = kind.begin(u)
    while not there():
        acts += 1
        attempt(lambda: u.use(act))
        if acts % 16 == 1 and u.said < 10:
            attempt(u.say)
            attempt(lambda: u.person.leg(*s.spot()))
    done = well()
    # This is the moment.
    spot = s.spot()
    for h in u.idle:
        attempt(lambda: h.send(h.head(*act)))
    ref = attempt(lambda: say_all(u, spot, s.floor))
    check(done, 'not taken away: ' + kind.__doc__)
    late = ['%s: %r' % (kind.act, r) for r in map(
        lambda h: attempt(h.reply), u.idle)
        if r is not None and r.status not in kind.refused]
    if not kind.stays:
        s.late.add(spot)
    if entries:
        late += entered(kind, u, entries)
    return acts, late + words(kind, u, ref)


def say_all(u, spot, floor):
    """Walk, write, talk, enter, and a word that is answered at last."""
    p = u.person
    p.leg(*spot)
    ref = u.say()
    p.tell(t='media', hear=True, mic=True, cam=False, screen=False,
           listen=False)
    p.tell(t='enter', floor=floor)
    p.tell(t='#none')
    return ref


def enter_by(kind, u):
    """Ways in that are asked for and not yet answered."""
    entries = []
    for i in range(WORKERS):
        h = Http(kind.stage.d, source=kind.stage.address())
        kind.stage.pin.to(i, h.connect)
        path, body = kind.entry(u)
        h.send(h.head('POST', API + path, body))
        entries.append(h)
    return entries


def entered(kind, u, entries):
    """Whoever came in while it was taken away is out, nobody comes later."""
    late = []
    for h in entries:
        r = h.reply()
        if r.status == 201:
            h.cookie = r.get('set-cookie').split(';')[0].split('=', 1)[1]
            r = h.request('GET', API + '/session')
            if r.status != 401:
                late.append('let in: %r' % r)
        path, body = kind.entry(u)
        r = h.request('POST', API + path, body)
        if r.status not in (401, 404, 429):
            late.append('%s: %r' % (path, r))
        h.close()
    return late


def words(kind, u, ref):
    """What of the WebSocket went well; it may end at any moment."""
    p = u.person
    try:
        p.wait('error', lambda m: m['code'] == 'type')
        # The microphone was refused: what asks nobody is answered in order.
        silent = not any(m['t'] == 'error' and (
            m['code'] == 'not-here' or m.get('field') == 'mic')
            for m in p.inbox)
        p.history("floor:%d" % kind.stage.home, limit=1)
    except (Failure,) + GONE:
        silent = False
        check(p.ws.closed is not None or
              any(m['t'] in ('bye', '#close') for m in p.inbox),
              '%s: neither served nor closed' % kind.__doc__)
    late = [str(m) for m in p.inbox if (m['t'] == 'ack' and ref is not None
                                        and m.get('ref') == ref) or
            (m['t'] == 'floor' and not kind.stays)]
    return late + ['a microphone: %r' % p.inbox] * silent


def race(kind, n, figures):
    begin, acts, late = time.monotonic(), 0, []
    for _ in range(n):
        u = kind.user()
        more, bad = one_race(kind, u)
        acts, late = acts + more, late + bad
        u.close()
        kind.restore()
        kind.stage.look()
    walked = kind.stage.late & kind.stage.seen
    late += ['walked to %d,%d' % spot for spot in walked]
    figures.append((kind.__doc__, n, acts, len(late),
                    time.monotonic() - begin))
    equal(late[:4], [], '%d acts after the answer' % len(late))


def uses(s, n):
    """A URL of n uses and a hundred guests at once, at both workers."""
    url = s.admin('POST', '/guests', {
        'floors': [s.floor], 'uses': n,
        'expires': int(time.time() * 1000) + 3600000})
    token = url['url'].rsplit('/', 1)[1]
    guests = [Http(s.d, source='127.4.%d.%d' % (n, i + 1))
              for i in range(GUESTS)]
    for i, h in enumerate(guests):
        s.pin.to(i % WORKERS, h.connect)
    gate, got = threading.Barrier(GUESTS), []

    def use(h):
        gate.wait()
        until(lambda: one_use(h), 'not busy')

    def one_use(h):
        r = h.request('POST', API + '/guest/' + token, {'name': 'G'})
        if r.status != 503:
            got.append((r.status, r.problem()))
        return r.status != 503

    threads = [threading.Thread(target=use, args=(h,)) for h in guests]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for h in guests:
        h.close()
    equal(sorted(got), [(201, None)] * n + [(404, 'link')] * (GUESTS - n),
          'answers')
    o = s.ada.get('/guests')
    equal([g['used'] for g in o['guests'] if g['id'] == url['guest']['id']],
          [n], 'used')
    equal(len([v for v in o['visits'] if v['guest'] == url['guest']['id']]),
          n, 'visits')
    s.admin('DELETE', '/guests/%d' % url['guest']['id'])


class HashAtWork:
    """what hash is at when an administrator resets the password"""

    dear = 'password hash memory 65536 passes 16\n'

    def __init__(self, d, ada):
        self.d, self.ada = d, ada

    def run(self):
        d = self.d
        p = d.person('acme', self.mail)
        path, body = self.asked(p)
        with Http(d) as h:
            h.cookie = p.http.cookie
            equal(h.request('GET', API + '/session').status, 200, 'in')
            before = d.stats()['auth.hash.checks']
            h.send(h.head('POST', API + path, body))
            until(lambda: d.stats()['auth.hash.checks'] > before,
                  'hash is at it')
            r = self.ada.api('POST', '/admin/users/%d/invite' % p.id, {},
                             want=201)
            check(not answered(h), 'it was over before')
            link = link_token(r.body.decode())
            r = attempt(h.reply)
            check(r is None or r.status == 401, 'the answer: %r' % r)
        p.close()
        equal(self.enter().status, 401, 'what came too late')
        owner = Person(d, 'acme', p.mail)
        owner.password = 'the owner has this 77'
        owner.accept(link).close()
        equal(self.enter().status, 401, 'after the link')


class HashPassword(HashAtWork):
    """a new password, which hash is at when an administrator resets it"""

    mail = 'late1@acme.example'

    def asked(self, p):
        return '/password', {'current': PASSWORD, 'new': 'too late 66 horse'}

    def enter(self):
        with Http(self.d) as h:
            return h.request('POST', API + '/session', {
                'email': self.mail, 'password': 'too late 66 horse'})


class HashPasskey(HashAtWork):
    """a new passkey, and hash is at its owner's password meanwhile"""

    mail = 'late2@acme.example'

    def asked(self, p):
        self.key = Authenticator(p.http.origin)
        return '/passkeys', {'password': PASSWORD, 'name': 'late',
                             'passkey': self.key.make(asked(p))}

    def enter(self):
        return fresh(self.d, self.key)


def at_work(make):
    d = Daemon(1, HashAtWork.dear).start()
    try:
        d.do('tenant', 'add', 'acme')
        make(d, d.person('acme', 'ada@acme.example', 'admin')).run()
    finally:
        d.end()


def main():
    d = Daemon(WORKERS, 'password hash memory 1024 passes 1\n'
               'limit connections 1000 address 400\n'
               'limit arrivals 10000000\n'
               'limit requests address 10000000 tenant 10000000 '
               'account 10000000\n').start()
    stage = Stage(d)
    s = Suite(d)
    figures = []
    random.seed(1)
    for make in KINDS:
        def one(make=make):
            race(make(stage), -(-RACES // len(KINDS)), figures)
        one.__doc__ = 'taken away while used: ' + make.__doc__
        one.__name__ = make.__name__
        s.run_test(one)
    for make in (HashPassword, HashPasskey):
        def one(make=make):
            at_work(make)
        one.__doc__ = make.__doc__
        one.__name__ = make.__name__
        s.run_test(one)
    for n in USES:
        def one(n=n):
            uses(stage, n)
        one.__doc__ = 'a URL of %d uses, %d guests at once' % (n, GUESTS)
        one.__name__ = 'uses'
        s.run_test(one)
    print('%-32s %6s %9s %6s %7s' % ('taken away', 'races', 'acts', 'late',
                                     'ms'))
    for doc, n, acts, late, took in figures:
        print('%-32s %6d %9d %6d %7.1f' % (doc, n, acts, late,
                                           1000 * took / n))
    print('%d races, %d acts on the way, %d after the answer' % (
        sum(f[1] for f in figures), sum(f[2] for f in figures),
        sum(f[3] for f in figures)))
    s.end()


if __name__ == '__main__':
    main()
