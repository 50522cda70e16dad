#!/usr/bin/env python3
"""Every route and word, by everybody, on the things of two tenants.

The routes are read from the sources: one without a row here is a failure.
What belongs to the other tenant answers, byte for byte less the date, as what
does not exist."""

import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from authenticator import Authenticator                        # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Http, PASSWORD, Person, RULES, TOP, until  # noqa: E402

TENANTS = ('acme', 'globex')
NOWHERE = 999999
API = '/api/v1'
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'Upgrade',
           'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'risa.v1',
           'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA=='}


def source(name):
    with open(os.path.join(TOP, 'risad', name)) as f:
        return f.read()


def routes():
    """All routes of the sources: {(method, path): need}."""
    found = {}
    files = [f for f in os.listdir(os.path.join(TOP, 'risad'))
             if re.fullmatch(r'api\w*\.c', f)]
    for name in files:
        for m in re.finditer(r'\{ HTTP_(\w+), (ADMIN )?"([^"]*)", '
                             r'NEED_(\w+),\s+\w+ \}', source(name)):
            path = (API + '/admin' if m.group(2) else '') + m.group(3)
            found[(m.group(1), path)] = m.group(4)
    n = sum(len(re.findall(r'\{ HTTP_\w+, ', source(name)))
            for name in files)
    equal(len(found), n, 'routes that can be read')
    return found


def promised():
    """The same, as this file says it."""
    needs = {}
    for need, all_of_it in WHO.items():
        for text in all_of_it:
            method, path = text.split()
            needs[(method, path if path == '/ws' else API + path)] = need
    for method, path in ROWS:
        if path.startswith(API + '/admin/'):
            needs[(method, path)] = 'ADMIN'
    return needs


def words():
    found = set()
    for name in sorted(os.listdir(os.path.join(TOP, 'risad'))):
        if name.endswith('.c'):
            found |= set(re.findall(r'\{ "(\w+)",\s*say_\w+ \}', source(name)))
    return found


class Side:
    """A tenant: people, and numbers of what exists."""

    def __init__(self, d, name, filler):
        self.d, self.name = d, name
        d.do('tenant', 'add', name)
        dead = []
        for i in range(filler):
            mail = 'filler%d@x.example' % i
            d.do('user', 'add', name, mail)
            dead.append(('user', mail))
            d.floor(name, 'Filler %d' % i)
            dead.append(('floor', 'Filler %d' % i))
        at = '@%s.example' % name
        self.admin = d.person(name, 'adm' + at, 'admin')
        for i in range(filler):
            g = self.new('groups', {'name': 'filler %d' % i}, 'group')
            dead.append(('group', g))
        self.role = self.new_role()
        for i in range(filler):
            # Never more than two: the next number is above the highest.
            before, self.role = self.role, self.new_role()
            self.drop_role(before)
        self.member = d.person(name, 'mem' + at)
        self.out = d.person(name, 'out' + at)
        self.locked = d.person(name, 'lck' + at)
        self.floor = d.floor(name, 'Open')
        self.closed = d.floor(name, 'Closed')
        self.admin.api('PATCH', '/admin/floors/%d' % self.closed,
                       {'open': False, 'users': [], 'groups': []}, want=200)
        self.user = self.new('users', {'email': 'peer' + at,
                                       'role': 'member'}, 'user')
        self.group = self.new('groups', {'name': 'Group'}, 'group')
        if filler:
            # More of everything than the other one has.
            for i in range(4):
                self.user = self.new('users', {
                    'email': 'more%d%s' % (i, at), 'role': 'member'}, 'user')
                self.group = self.new('groups', {'name': 'More %d' % i},
                                      'group')
                self.floor = d.floor(name, 'More %d' % i)
        for kind, what in dead:
            if kind == 'group':
                self.admin.api('DELETE', '/admin/groups/%d' % what, want=204)
            else:
                d.do(kind, 'delete', name, what)
        self.invite = d.invite(name, 'new' + at)
        self.out.api('DELETE', '/session', want=204)
        d.do('user', 'lock', name, 'lck' + at)
        third = d.person(name, 'third' + at)
        self.signin = third.get('/signins')['signins'][0]['id']
        o = third.api('POST', '/passkeys/challenge', {}, want=200).json()
        key = Authenticator(third.http.origin)
        third.api('POST', '/passkeys', {
            'password': PASSWORD, 'name': 'key of ' + name,
            'passkey': key.make(o)}, want=204)
        self.passkey = third.get('/passkeys')['passkeys'][0]['id']
        third.close()
        for i in range(filler):
            self.admin.api('DELETE', '/guests/%d' % self.new_url()[0],
                           want=204)
        self.url, self.guest_token = self.new_url(uses=1000)
        self.shut, self.door_token = self.new_url(uses=1000, approval=True)
        self.guest, self.door = self.come(), self.come(self.door_token)
        for p in (self.admin, self.member):
            p.open().enter(self.floor)
            p.say('words of ' + name)
            p.drop()

    def new_role(self):
        r = self.admin.api('POST', '/admin/roles', {
            'name': unique(), 'can': ['chat', 'dm']}, want=201)
        return r.json()['role']['id']

    def version(self, role):
        """Of a role of ours; of what is none of ours, any."""
        return {r['id']: r['version'] for r in
                self.admin.get('/admin/roles')['roles']}.get(role, 1)

    def drop_role(self, role):
        self.admin.api('DELETE', '/admin/roles/%d' % role,
                       {'version': self.version(role)}, want=204)

    def new_url(self, **terms):
        """A URL for guests to the open floor: its number and token."""
        r = self.admin.api('POST', '/guests', dict(
            terms, floors=[self.floor],
            expires=int(time.time() * 1000) + 3600000), want=201).json()
        return r['guest']['id'], r['url'].rsplit('/', 1)[1]

    def come(self, token=None):
        """A guest by the URL."""
        p = Person(self.d, self.name, 'guest')
        r = p.api('POST', '/guest/' + (token or self.guest_token),
                  {'name': 'Guest'}, want=201)
        p.token = token
        return p._signed_in(r)

    def new_mail(self):
        """Of an account of ours."""
        mail = unique() + '@new.example'
        self.new('users', {'email': mail, 'role': 'member'}, 'user')
        return mail

    def new(self, what, body, name):
        r = self.admin.api('POST', '/admin/' + what, body, want=201)
        return r.json()[name]['id']

    def ids(self):
        return {'floors': self.floor, 'users': self.user,
                'groups': self.group, 'signins': self.signin,
                'roles': self.role, 'passkeys': self.passkey,
                'guests': self.url, 'visits': self.guest.id}


class Matrix:
    def __init__(self, d, sides):
        self.d, self.sides = d, sides
        self.cells = self.good = self.address = 0
        self.wrong = []

    def fresh(self):
        """An address from which nobody has tried anything yet."""
        self.address += 1
        return '127.9.%d.%d' % (self.address // 250, self.address % 250 + 1)

    def call(self, host, method, path, body, cookie, more=None, sni=None):
        with Http(self.d, host, sni=sni, source=self.fresh()) as h:
            h.cookie = cookie
            r = h.request(method, path, body, more)
        return r

    def cell(self, what, got, want):
        self.cells += 1
        if got == want:
            self.good += 1
        else:
            self.wrong.append('%s: %r, not %r' % (what, got, want))

    def end(self):
        print('%d cells, %d as expected' % (self.cells, self.good))
        for line in self.wrong[:20]:
            print('  ' + line)
        check(self.cells > 0 and not self.wrong, '%d cells are wrong, as %s' %
              (len(self.wrong), self.wrong[:1]))


def same(r, echo=None):
    """All of an answer that two refusals must have in common, without what
    the body of the request says too."""
    body = r.body if echo is None else re.sub(echo, b'', r.body)
    return (r.status, [h for h in r.headers if h[0] != 'date'], body)


# The needs of routes that each may ask.
MAY = {'DOOR': ('ANY', 'DOOR'), 'GUEST': ('ANY', 'DOOR', 'GUEST'),
       'LOGIN': ('ANY', 'FIRST', 'DOOR', 'GUEST', 'LOGIN'),
       'ADMIN': ('ANY', 'FIRST', 'DOOR', 'GUEST', 'LOGIN', 'HOST', 'ADMIN')}
OBJECTS = ('own', 'foreign', 'nowhere')


# Who may ask, as it is promised; all below /admin is for ADMIN.
WHO = {
    'NONE': ('GET /invite/*', 'POST /invite/*', 'POST /invite/*/check',
        'GET /guest/*', 'POST /guest/*', 'POST /passkey/challenge',
        'GET /tenant', 'POST /session'),
    'ANY': ('GET /session', 'DELETE /session'),
    'FIRST': ('POST /password', 'POST /password/check',
        'POST /passkeys/challenge', 'GET /passkeys', 'POST /passkeys',
        'GET /factor', 'POST /factor/totp', 'POST /factor/totp/confirm'),
    'DOOR': ('GET /ws',),
    'GUEST': ('GET /talk', 'PATCH /me', 'GET /floors', 'GET /floors/#',
        'GET /messages'),
    'LOGIN': ('PATCH /passkeys/#', 'DELETE /passkeys/#',
        'DELETE /factor/totp', 'POST /factor/recovery', 'GET /people',
        'GET /signins', 'DELETE /signins', 'DELETE /signins/#'),
    'HOST': ('GET /guests', 'POST /guests', 'DELETE /guests/#',
        'DELETE /visits/#'),
}


# Who may say which word, likewise: a guest who is in, or only who has an
# account; who waits at the door may say none.
GUESTS_SAY = ('enter', 'leave', 'status', 'say', 'history', 'read', 'erase',
              'media', 'signal', 'hand', 'word', 'unbubble', 'call',
              'answer', 'uncall')
PEOPLE_SAY = ('door', 'admit')


class Row:
    """A route: its body, and the answer to somebody who may.

    status: for own, foreign and nowhere; one number where no object is
    named.  make: brings the number of the own object for a cell."""

    def __init__(self, status, body=None, make=None, query=None, more=None,
                 anybody=False, once=False, echo=None, after=None):
        self.status = status
        self.body = body
        self.make = make
        self.query = query
        self.more = more
        self.anybody = anybody
        self.once = once            # the sign-in does not survive it
        self.echo = echo            # of the request, in the answer
        self.after = after          # each cell, with side and cookie

    @property
    def objects(self):
        return OBJECTS if isinstance(self.status, tuple) else ('own',)

    def want(self, obj):
        if isinstance(self.status, tuple):
            return self.status[OBJECTS.index(obj)]
        return self.status


count = [0]


def unique():
    count[0] += 1
    return 'x%d' % count[0]


def new_user(side):
    return side.new('users', {'email': unique() + '@new.example',
                              'role': 'member'}, 'user')


def new_group(side):
    return side.new('groups', {'name': unique()}, 'group')


def new_floor(side):
    return side.new('floors', {'name': unique(), 'template': 'lobby'},
                    'floor')


def wrong_password(side, obj, n):
    return {'password': 'not the right one'}


def right_password(m, side, cookie):
    """Failures slow down the next one; what is right ends that."""
    m.call(side.name, 'DELETE', API + '/passkeys/%d' % NOWHERE,
           {'password': PASSWORD}, cookie)


def right_sign_in(m, side, cookie):
    p = Person(m.d, side.name, 'mem@%s.example' % side.name)
    p.sign_in()
    p.api('DELETE', '/session', {}, 204)
    p.close()


def new_guest(side):
    return side.new_url()[0]


def new_visit(side):
    return side.come().id


def an_url(side, number):
    return {'floors': [number], 'expires': int(time.time() * 1000) + 3600000}


HIDDEN = (200, 404, 404)
ROWS = {
    ('GET', '/api/v1/tenant'): Row(200, anybody=True),
    ('POST', '/api/v1/session'): Row(
        (401, 401, 401), anybody=True,
        body=lambda s, o, n: {'email': {
            'own': 'mem@%s.example' % s.name,
            'foreign': o == 'foreign' and s.there.new_mail(),
            'nowhere': unique() + '@new.example'}[o],
            'password': 'not the right one'}, after=right_sign_in),
    ('GET', '/api/v1/session'): Row(200),
    ('DELETE', '/api/v1/session'): Row(204, once=True),
    ('GET', '/api/v1/invite/*'): Row((200, 404, 404), anybody=True),
    ('POST', '/api/v1/invite/*'): Row(
        (422, 404, 404), anybody=True,
        body=lambda s, o, n: {'password': 'short' if o == 'own' else
                              'long enough to be one 9'}),
    ('POST', '/api/v1/invite/*/check'): Row(
        (200, 404, 404), anybody=True,
        body=lambda s, o, n: {'password': 'short'}),
    ('GET', '/api/v1/guest/*'): Row((200, 404, 404), anybody=True),
    ('POST', '/api/v1/guest/*'): Row(
        (201, 404, 404), anybody=True, body=lambda s, o, n: {'name': 'G'}),
    ('GET', '/api/v1/guests'): Row(200),
    ('POST', '/api/v1/guests'): Row(
        (201, 422, 422), body=lambda s, o, n: an_url(s, n['floors'])),
    ('DELETE', '/api/v1/guests/#'): Row((204, 404, 404), make=new_guest),
    ('DELETE', '/api/v1/visits/#'): Row((204, 404, 404), make=new_visit),
    ('POST', '/api/v1/password'): Row(401, body=lambda s, o, n: {
        'current': 'not the right one', 'new': 'another horse 43'}),
    ('GET', '/api/v1/factor'): Row(200),
    ('POST', '/api/v1/factor/totp'): Row(
        401, body=wrong_password, after=right_password),
    ('POST', '/api/v1/factor/totp/confirm'): Row(
        409, body=lambda s, o, n: {'code': '123456'}),
    ('DELETE', '/api/v1/factor/totp'): Row(
        401, body=wrong_password, after=right_password),
    ('POST', '/api/v1/factor/recovery'): Row(
        401, body=wrong_password, after=right_password),
    ('GET', '/api/v1/signins'): Row(200),
    ('DELETE', '/api/v1/signins'): Row(204),
    # Nobody's but one's own, and this one is a third's.
    ('DELETE', '/api/v1/signins/#'): Row((404, 404, 404)),
    ('POST', '/api/v1/passkey/challenge'): Row(
        200, anybody=True, body=lambda s, o, n: {'purpose': 'sign-in'}),
    ('GET', '/api/v1/passkeys'): Row(200),
    ('POST', '/api/v1/passkeys/challenge'): Row(200, body=lambda s, o, n: {}),
    ('POST', '/api/v1/passkeys'): Row(422, body=lambda s, o, n: {
        'password': PASSWORD, 'name': 'Key', 'passkey': {
            'challenge': 'A' * 43, 'clientDataJSON': 'AAAA',
            'attestationObject': 'AAAA'}}),
    # A third's, as with sign-ins.
    ('PATCH', '/api/v1/passkeys/#'): Row(
        (404, 404, 404), body=lambda s, o, n: {'name': 'Renamed'}),
    ('DELETE', '/api/v1/passkeys/#'): Row(
        (404, 404, 404), body=lambda s, o, n: {'password': PASSWORD}),
    ('PATCH', '/api/v1/me'): Row(200, body=lambda s, o, n: {}),
    ('GET', '/api/v1/people'): Row(200),
    ('GET', '/api/v1/floors'): Row(200),
    ('GET', '/api/v1/floors/#'): Row(HIDDEN),
    ('GET', '/api/v1/messages'): Row(
        HIDDEN, query=lambda o, n: '?channel=floor:%d' % n['floors']),
    ('GET', '/api/v1/talk'): Row(
        HIDDEN, query=lambda o, n: '?floor=%d' % n['floors']),
    ('GET', '/ws'): Row(101, more=lambda s: dict(
        UPGRADE, Origin='https://%s.localhost:%d' % (s.name, s.d.port))),
    ('GET', '/api/v1/admin/users'): Row(200),
    ('POST', '/api/v1/admin/users'): Row(201, body=lambda s, o, n: {
        'email': unique() + '@new.example', 'role': 'member'}),
    ('PATCH', '/api/v1/admin/users/#'): Row(
        HIDDEN, body=lambda s, o, n: {'name': 'Renamed'}),
    ('DELETE', '/api/v1/admin/users/#'): Row((204, 404, 404),
                                             make=new_user),
    ('POST', '/api/v1/admin/users/#/invite'): Row(
        (201, 404, 404), body=lambda s, o, n: {}, make=new_user),
    ('POST', '/api/v1/admin/users/#/erase'): Row(
        (204, 404, 404), body=lambda s, o, n: {'messages': 'erase'},
        make=new_user),
    ('GET', '/api/v1/admin/users/#/signins'): Row(HIDDEN),
    ('DELETE', '/api/v1/admin/users/#/signins'): Row((204, 404, 404),
                                                     make=new_user),
    # He has none; and who is not here has none either.
    ('DELETE', '/api/v1/admin/users/#/factor'): Row((409, 404, 404)),
    ('GET', '/api/v1/admin/groups'): Row(200),
    ('POST', '/api/v1/admin/groups'): Row(
        (201, 422, 422), body=lambda s, o, n: {
            'name': unique(), 'members': [n['users']]}),
    ('PATCH', '/api/v1/admin/groups/#'): Row(
        HIDDEN, body=lambda s, o, n: {'name': unique()}),
    ('DELETE', '/api/v1/admin/groups/#'): Row((204, 404, 404),
                                              make=new_group),
    ('GET', '/api/v1/admin/templates'): Row(200),
    ('GET', '/api/v1/admin/floors'): Row(200),
    ('POST', '/api/v1/admin/floors'): Row(201, body=lambda s, o, n: {
        'name': unique(), 'template': 'lobby'}),
    ('PATCH', '/api/v1/admin/floors/#'): Row(
        HIDDEN, body=lambda s, o, n: {'open': True, 'networks': []}),
    ('DELETE', '/api/v1/admin/floors/#'): Row((204, 404, 404),
                                              make=new_floor),
    ('POST', '/api/v1/admin/floors/#/erase'): Row(
        (204, 404, 404), body=lambda s, o, n: {'from': 1, 'to': 1}),
    ('POST', '/api/v1/admin/messages/erase'): Row(
        204, body=lambda s, o, n: {'from': 1, 'to': 1}),
    ('GET', '/api/v1/admin/roles'): Row(200),
    ('POST', '/api/v1/admin/roles'): Row(201, body=lambda s, o, n: {
        'name': unique(), 'can': ['chat']}),
    ('PATCH', '/api/v1/admin/roles/#'): Row(HIDDEN, body=lambda s, o, n: {
        'version': s.version(n['roles']), 'name': unique()}),
    ('DELETE', '/api/v1/admin/roles/#'): Row(
        (409, 404, 404), body=lambda s, o, n: {'version': 1}),
    ('PATCH', '/api/v1/admin/roles/member'): Row(
        200, body=lambda s, o, n: {'version': s.version('member')}),
    ('PATCH', '/api/v1/admin/roles/guest'): Row(
        200, body=lambda s, o, n: {'version': s.version('guest')}),
    ('PATCH', '/api/v1/admin/tenant'): Row(200, body=lambda s, o, n: {
        'title': s.name + ' Ltd'}),
    # Whose mail it is there does not matter: here it is somebody new.
    ('POST', '/api/v1/admin/import'): Row(
        (200, 200, 200), body=lambda s, o, n: {
            'dry': True, 'csv': 'email,name\n%s,X\n' % {
                'own': 'mem@%s.example' % s.name,
                'foreign': 'mem@%s.example' % other(s.name),
                'nowhere': 'nob@%s.example' % other(s.name)}[o]},
        echo=rb'(mem|nob)@[^"]*|"digest":"[^"]*"'),
    ('GET', '/api/v1/admin/policy'): Row(200),
    ('POST', '/api/v1/password/check'): Row(
        200, body=lambda s, o, n: {'password': 'whatever it is'}),
    ('GET', '/api/v1/admin/alerts'): Row(200),
    ('GET', '/api/v1/admin/audit'): Row(200),
    ('GET', '/api/v1/admin/checkpoints'): Row(200),
    ('GET', '/api/v1/admin/exports'): Row(200),
    ('GET', '/api/v1/admin/log'): Row(
        403, query=lambda o, n: '?from=1&to=9999999999999'),
    ('PATCH', '/api/v1/admin/policy'): Row(200, body=lambda s, o, n: {
        k: RULES for k in ('was', 'policy')}),
}


def other(name):
    return TENANTS[1 - TENANTS.index(name)]


def numbers(m, side, obj):
    if obj == 'own':
        return side.ids()
    if obj == 'foreign':
        return m.sides[other(side.name)].ids()
    return dict.fromkeys(side.ids(), NOWHERE)


def token_of(m, side, obj, path):
    kind = 'guest_token' if '/guest/' in path else 'invite'
    return {'own': getattr(side, kind),
            'foreign': getattr(m.sides[other(side.name)], kind),
            'nowhere': 'A' * 43}[obj]


def fill(m, side, path, row, obj, make=False):
    """The path with its number or token, and the query."""
    n = numbers(m, side, obj)
    if '#' in path:
        what = path.split('/#')[0].rsplit('/', 1)[1]
        number = n[what]
        if obj == 'own' and make:
            number = row.make(side)
        path = path.replace('#', str(number))
    path = path.replace('*', token_of(m, side, obj, path))
    if row.query is not None:
        path += row.query(obj, n)
    return path, n


def callers(m, side):
    """Who knocks: name, cookie, what he may (None: he is nobody here)."""
    there = m.sides[other(side.name)]
    return [('nobody', None, None), ('rubbish', 'A' * 43, None),
            ('signed out', side.was_out, None),
            ('locked', side.locked.http.cookie, None),
            ('at the door', side.door, 'DOOR'), ('guest', side.guest, 'GUEST'),
            ('member', side.member, 'LOGIN'), ('admin', side.admin, 'ADMIN'),
            ('foreign guest', there.guest.http.cookie, None),
            ('foreign member', there.member.http.cookie, None),
            ('foreign admin', there.admin.http.cookie, None)]


def expected(need, row, may, obj):
    if row.anybody:
        return row.want(obj)
    if may is None:
        return 401
    if need not in MAY[may]:
        return 403
    return row.want(obj)


def matrix(m):
    """each route, by each caller, on each object"""
    found = routes()
    equal(found, promised(), 'routes, and who may')
    equal(sorted(found), sorted(ROWS), 'routes and rows')
    for (method, path), need in found.items():
        row = ROWS[(method, path)]
        equal(row.anybody, need == 'NONE', 'who may %s %s' % (method, path))
        for side in m.sides.values():
            for who, cookie, may in callers(m, side):
                # A link may be tried ten times in a minute.
                if row.anybody and who == 'foreign guest':
                    continue
                one_route(m, side, method, path, need, row, who, cookie, may)


def one_route(m, side, method, path, need, row, who, cookie, may):
    if isinstance(cookie, Person):
        if row.once and may in ('DOOR', 'GUEST'):
            cookie = side.come(cookie.token)
        elif row.once:
            p = Person(m.d, side.name, cookie.mail)
            p.sign_in()
            cookie = p
        cookie = cookie.http.cookie
    replies = {}
    for obj in row.objects:
        url, n = fill(m, side, path, row, obj, row.make is not None and
                      may == 'ADMIN')
        body = None if row.body is None else row.body(side, obj, n)
        more = None if row.more is None else row.more(side)
        r = replies[obj] = m.call(side.name, method, url, body, cookie, more)
        m.cell('%s: %s %s %s of %s' % (side.name, who, method, url, obj),
               r.status, expected(need, row, may, obj))
        if row.after is not None:
            row.after(m, side, cookie)
    if 'foreign' in replies:
        m.cell('%s: %s %s %s: another answer than for nothing' %
               (side.name, who, method, path),
               same(replies['foreign'], row.echo),
               same(replies['nowhere'], row.echo))


def wide_numbers(m):
    """numbers that are none, or too large, are of nothing"""
    for (method, path), row in ROWS.items():
        if '#' not in path:
            continue
        for number in ('4294967295', '4294967296', '4294967297',
                       '18446744073709551617', '9' * 40):
            side = m.sides['acme']
            body = None if row.body is None else row.body(
                side, 'nowhere', numbers(m, side, 'nowhere'))
            r = m.call('acme', method, path.replace('#', number), body,
                       side.admin.http.cookie)
            m.cell('%s %s %s' % (method, path, number), r.status, 404)
        for number in ('0', '01', '-1', '+1', '1.0', '1/', '../1', '%2e%2e/1'):
            r = m.call('acme', method, path.replace('#', number), None,
                       m.sides['acme'].admin.http.cookie)
            m.cell('%s %s %s' % (method, path, number),
                   r.status in (400, 404, 405), True)


def foreign_ids(m):
    """lists of numbers take none of the other tenant's"""
    for side in m.sides.values():
        there = m.sides[other(side.name)]
        for path, body in (
                ('groups/%d' % side.group, {'members': 'users'}),
                ('floors/%d' % side.floor, {'users': 'users'}),
                ('floors/%d' % side.floor, {'groups': 'groups'})):
            (key, kind), = body.items()
            replies = [side.admin.api('PATCH', '/admin/' + path, {key: [n]})
                       for n in (there.ids()[kind], NOWHERE)]
            m.cell(path + ' ' + key, replies[0].status, 422)
            m.cell(path + ' ' + key + ' equal', same(replies[0]),
                   same(replies[1]))
        replies = [side.admin.api('PATCH', '/admin/users/%d' % side.user,
                                  {'role': n}) for n in (there.role, 255)]
        m.cell('role', replies[0].status, 422)
        m.cell('role equal', same(replies[0]), same(replies[1]))
        # What was there has stayed.
        rows = side.admin.get('/admin/groups')['groups']
        for g in rows:
            check(there.user not in g['members'], 'a foreign member')


def origins(m):
    """other origins change nothing and open no WebSocket"""
    side = m.sides['acme']
    port = m.d.port
    bad = ['https://globex.localhost:%d' % port, 'https://localhost:%d' % port,
           'null', 'http://acme.localhost:%d' % port, 'https://acme.localhost',
           'https://acme.localhost:%d' % (port + 1), None,
           'https://acme.localhost:%d.evil.example' % port,
           'https://xacme.localhost:%d' % port]
    for (method, path), row in ROWS.items():
        if method == 'GET' and path != '/ws':
            continue
        for origin in bad:
            more = dict(UPGRADE) if path == '/ws' else {}
            more['Origin'] = origin
            url, n = fill(m, side, path, Row(row.status, query=row.query),
                          'own')
            body = {} if row.body is None else row.body(side, 'own', n)
            if path == '/ws':
                body = None
            r = m.call('acme', method, url, body, side.admin.http.cookie, more)
            m.cell('%s %s from %s' % (method, path, origin),
                   (r.status, r.problem()), (403, 'origin'))
        if method in ('POST', 'PATCH'):
            r = m.call('acme', method, url, body, side.admin.http.cookie,
                       {'Content-Type': 'text/plain'})
            m.cell('%s %s as text' % (method, path), r.status, 415)


def names(m):
    """Host and TLS server name must be one, and of a tenant that is served"""
    for host, sni in (('acme', 'globex.localhost'),
                      ('globex', 'acme.localhost'), ('acme', 'localhost'),
                      ('nobody', 'nobody.localhost'),
                      ('acme', 'xacme.localhost'), ('localhost', None)):
        for method, path in (('GET', '/api/v1/tenant'),
                             ('GET', '/api/v1/session'), ('GET', '/'),
                             ('POST', '/api/v1/session')):
            r = m.call(host, method, path, {} if method == 'POST' else None,
                       m.sides['acme'].admin.http.cookie, sni=sni)
            m.cell('%s by %s: %s %s' % (host, sni, method, path), r.status,
                   421)


def suspended(m):
    """a suspended tenant answers as one that does not exist"""
    d = m.d
    d.do('tenant', 'add', 'paused')
    p = d.person('paused', 'mem@paused.example', 'admin')
    p.open()
    d.do('tenant', 'suspend', 'paused')
    p.bye('suspended', 4001)
    for (method, path), row in ROWS.items():
        url = path.replace('#', '1').replace('*', 'A' * 43)
        body = {} if method in ('POST', 'PATCH') else None
        a = m.call('paused', method, url, body, p.http.cookie)
        b = m.call('nobody', method, url, body, p.http.cookie)
        m.cell('paused %s %s' % (method, path), a.status, 421)
        m.cell('paused %s %s equal' % (method, path), same(a), same(b))
    d.do('tenant', 'resume', 'paused')
    m.cell('resumed', m.call('paused', 'GET', '/api/v1/tenant', None,
                             None).status, 200)


def said(p, floor, o):
    """What comes back for a word, until storage has answered a later one."""
    p.inbox.clear()
    p.tell(**o)
    p.tell(t='history', channel='floor:%d' % floor, limit=1, ref='barrier')
    p.wait('history', lambda x: x.get('ref') == 'barrier')
    p.settle()
    return [x for x in p.inbox
            if x['t'] not in ('#legs', 'join', 'update', 'gone', 'me',
                              'knock', 'talk')]


def word_rows(side):
    """What each word is tried with: the code of the error for what is not
    there, and the members of the frame for the numbers of a tenant."""
    return {
        'enter': [('no-floor', lambda n: {'floor': n['floors']}),
                  ('no-floor', None)],
        'say': [('no-user', lambda n: {'to': {'user': n['users']},
                                       'text': 'x', 'ref': 'r1'})],
        'history': [
            ('no-floor', lambda n: {'channel': 'floor:%d' % n['floors'],
                                    'ref': 'h'}),
            ('no-user', lambda n: {'channel': 'user:%d' % n['users'],
                                   'ref': 'h'}),
            ('no-room', lambda n: {'channel': 'room:%d:1' % n['floors'],
                                   'ref': 'h'})],
        'read': [(None, lambda n: {'channel': 'floor:%d' % n['floors'],
                                   'id': 1})],
        'erase': [
            ('no-message', lambda n: {
                'channel': 'floor:%d' % n['floors'], 'id': 1}),
            ('no-message', lambda n: {
                'channel': 'user:%d' % n['users'], 'id': 1})],
        'door': [('no-right', lambda n: {'room': 77,
                                         'state': 'locked'})],
        'call': [
            ('no-user', lambda n: {'kind': 'wave', 'user': n['users'],
                                   'ref': 'c'}),
            ('no-user', lambda n: {'kind': 'come', 'user': n['visits'],
                                   'ref': 'c'})],
        'answer': [('no-call', lambda n: {'n': n['users'],
                                          'yes': True})],
        'uncall': [('no-call', lambda n: {'n': n['users']})],
        # Avatars are numbered on each floor: of no tenant's.
        'signal': [('no-peer', lambda n: {
            'to': 4095, 'data': {'candidates': []}})],
        'media': [(None, lambda n: {
            'hear': True, 'mic': False, 'cam': False, 'screen': False,
            'listen': False})],
        'hand': [('no-stage', lambda n: {'up': True})],
        'word': [('no-stage', lambda n: {'to': 4095, 'on': True})],
        'unbubble': [(None, lambda n: {})],
        'admit': [('no-guest', lambda n: {'id': n['visits'],
                                          'in': True})],
        'leave': [(None, lambda n: {})],
        'status': [(None, lambda n: {'status': 'busy', 'note': ''})],
    }


def sockets(m):
    """the words of the WebSocket, on things of both tenants"""
    for side in m.sides.values():
        there = m.sides[other(side.name)]
        ids, far = side.ids(), there.ids()
        table = word_rows(side)
        equal(words(), set(table), 'words and rows')
        for p in (side.member, side.admin):
            for word, tries in table.items():
                p.open().enter(side.floor)      # with its own rates
                for code, make in tries:
                    if make is None:
                        make = lambda n: {'floor': side.closed}  # noqa: E731
                    nothing = {k: NOWHERE for k in ids}
                    a = said(p, side.floor, dict(t=word, **make(far)))
                    b = said(p, side.floor, dict(t=word, **make(nothing)))
                    codes = [x['code'] for x in a if x['t'] == 'error']
                    m.cell('%s: %s' % (side.name, word), codes,
                           [code] if code else [])
                    m.cell('%s: %s equal' % (side.name, word), a, b)
            p.drop()


def presence(m):
    """nobody of the other tenant is seen, listed, or heard"""
    a, g = (m.sides[n] for n in TENANTS)
    # Those of the tests before may still be going: of our own that is right.
    own = {u['id'] for u in a.admin.get('/admin/users')['users']}
    own |= {a.guest.id, a.door.id}
    check(g.admin.id not in own, 'numbers of people tell the tenants apart')
    a.member.open().enter(a.floor)
    a.member.settle()
    a.member.inbox.clear()
    g.admin.open().enter(g.floor)
    g.admin.say('secret of globex')
    g.admin.api('PATCH', '/me', {'note': 'a note of globex'}, want=200)
    g.admin.api('PATCH', '/admin/tenant', {'title': 'globex anew'}, want=200)
    new = g.new('floors', {'name': 'globex floor', 'template': 'lobby'},
                'floor')
    g.admin.api('DELETE', '/admin/floors/%d' % new, want=204)
    g.admin.drop()
    a.member.settle()
    m.cell('frames', [x for x in a.member.inbox if 'globex' in json.dumps(x) or
                      x.get('user', a.member.id) not in own], [])
    for path in ('/people', '/floors', '/messages?channel=floor:%d' % a.floor,
                 '/session'):
        text = json.dumps(a.member.get(path))
        m.cell(path, 'globex' in text or 'Globex' in text, False)
    for path in ('users', 'groups', 'floors'):
        text = json.dumps(a.admin.get('/admin/' + path))
        m.cell(path, 'globex' in text, False)
    a.member.drop()


def main():
    d = Daemon(workers=2)
    d.names = d.names + ('nobody.localhost', 'paused.localhost')
    d.make_cert('tls')
    d.start()
    acme, globex = Side(d, 'acme', 0), Side(d, 'globex', 40)
    for side, there in ((acme, globex), (globex, acme)):
        side.was_out = side.out.http.cookie
        side.there = there
    m = Matrix(d, {'acme': acme, 'globex': globex})
    s = Suite(d)
    check(globex.user > acme.user and globex.floor > acme.floor, 'numbers')
    for fn in (matrix, wide_numbers, foreign_ids, origins, names, suspended,
               sockets, presence):
        def one(fn=fn):
            wrong = len(m.wrong)
            fn(m)
            check(len(m.wrong) == wrong, '%d cells: %s' % (
                len(m.wrong) - wrong, '; '.join(m.wrong[wrong:wrong + 6])))
        one.__doc__, one.__name__ = fn.__doc__, fn.__name__
        s.run_test(one)
    print('%d cells, %d as expected' % (m.cells, m.good))
    s.end()


if __name__ == '__main__':
    main()
