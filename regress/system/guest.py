#!/usr/bin/env python3
"""Guests: URLs, the door, and what somebody from outside may."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

for part in ('lib', 'system', 'unit'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', part))
from admin import trail                                         # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import MAP, RISACTL, Daemon, Failure, Http, Person, \
    Ws, until                                                   # noqa: E402

SECRET = 'open sesame 42'

# What a guest who is in may; all else that needs a sign-in is forbidden.
OPEN = {'GET /session', 'DELETE /session', 'PATCH /me', 'GET /floors',
        'GET /floors/#', 'GET /messages', 'GET /talk', 'GET /ws'}
ROUTE = re.compile(r'\{ HTTP_([A-Z]+), (ADMIN )?"([^"]*)", (NEED_[A-Z]+),')


def routes():
    """Method, path and need of every route, as the sources have them."""
    top = os.path.join(os.path.dirname(__file__), '..', '..', 'risad')
    found = []
    for name in sorted(os.listdir(top)):
        if not (name.startswith('api') and name.endswith('.c')):
            continue
        with open(os.path.join(top, name)) as f:
            for method, admin, path, need in ROUTE.findall(f.read()):
                path = ('/admin' if admin else '') + path
                found.append((method, path.replace('/api/v1', ''), need))
    check(len(found) > 40, 'routes: %d' % len(found))
    return found


def url(ada, floors, **terms):
    """A new URL for guests; its number and its token."""
    body = {'floors': floors, 'expires': int(time.time() * 1000) + 3600000}
    body.update(terms)
    r = ada.api('POST', '/guests', body, 201).json()
    return r['guest']['id'], guest_token(r['url'])


def guest_token(text):
    m = re.search(r'/guest/([A-Za-z0-9_-]{43})\b', text)
    if m is None:
        raise Failure('no URL in %r' % text)
    return m.group(1)


def come(d, token, name='Guest', **more):
    """A guest by the URL, in or at the door."""
    g = Person(d, 'acme', 'guest ' + name)
    return g._signed_in(g.retry('POST', '/guest/' + token,
                                dict(more, name=name)))


def wait_at_door(g):
    """The page of one who waits."""
    h = Http(g.daemon, 'acme')
    h.cookie = g.http.cookie
    g.drop()
    g.ws = Ws(h)
    equal(g.ws.ask().status, 101, 'upgrade')
    g.wait('waiting')
    return g


def state(ada):
    """URLs by number, and visits by name."""
    o = ada.get('/guests')
    return ({x['id']: x for x in o['guests']},
            {x['name']: x for x in o['visits']})


def terms(d, ada, bob, one, two):
    """a URL has floors, an end, a number of uses, and says so to nobody"""
    end = int(time.time() * 1000) + 7200000
    r = ada.api('POST', '/guests', {
        'floors': [two, one], 'uses': 3, 'expires': end, 'note': '取引先',
        'approval': True}, 201).json()
    g = r['guest']
    equal((g['floors'], g['uses'], g['used'], g['expires'], g['password'],
           g['approval'], g['note'], g['by']),
          (sorted([one, two]), 3, 0, end, False, True, '取引先',
           {'user': ada.id, 'name': 'ada'}), 'the URL')
    check(r['url'].startswith('https://acme.localhost:%d/guest/' % d.port),
          r['url'])
    check(guest_token(r['url']) not in ada.api('GET', '/guests').body.decode(),
          'the token is shown once')
    with Http(d) as h:
        o = h.request('GET', '/api/v1/guest/' + guest_token(r['url'])).json()
        equal(o, {'tenant': {'name': 'acme', 'title': 'Acme'},
                  'password': False, 'approval': True}, 'what it is for')
    for change, field in (
            ({'floors': []}, 'floors'), ({'floors': [99999]}, 'floors'),
            ({'floors': 'x'}, 'floors'), ({'floors': None}, 'floors'),
            ({'uses': 0}, 'uses'), ({'uses': 1001}, 'uses'),
            ({'uses': '2'}, 'uses'), ({'expires': 1}, 'expires'),
            ({'expires': end + 366 * 86400000}, 'expires'),
            ({'password': ''}, 'password'), ({'password': '7 chars'},
                                             'password'),
            ({'password': 'x' * 129}, 'password'),
            ({'note': 'n' * 81}, 'note'), ({'note': 'a\nb'}, 'note'),
            ({'approval': 1}, 'approval'), ({'more': 1}, 'more')):
        body = {'floors': [one], 'expires': end}
        body.update(change)
        r = ada.api('POST', '/guests', body)
        equal((r.status, r.json().get('field')), (422, field), change)
    ada.api('DELETE', '/guests/%d' % g['id'], {}, 204)
    check(g['id'] not in state(ada)[0], 'revoked')
    equal(ada.api('DELETE', '/guests/%d' % g['id'], {}).status, 404, 'again')


def inside(d, ada, bob, one, two):
    """a guest sees the floor let in to, the people on it, and nothing else"""
    bob.open().enter(one)
    bob.say('before the guest')
    ada.open().enter(two)
    number, token = url(ada, [one])
    g = come(d, token, 'Greta')
    equal((g.user['name'], g.user['role'], g.user['email']),
          ('Greta', 'guest', ''), 'who')
    equal([f['id'] for f in g.get('/floors')['floors']], [one], 'floors')
    g.open().enter(one)
    equal([f['id'] for f in g.hello['floors']], [one], 'hello: floors')
    equal(sorted(p['user'] for p in g.hello['people']), [bob.id],
          'hello: people, and not those of the other floor')
    equal([u for u in g.hello['unread'] if u['count']], [], 'unread')
    m = bob.wait('join', lambda m: m['person']['user'] == g.id)
    equal(m['person'].get('guest'), True, 'the badge on the avatar')
    m = bob.wait('update', lambda m: m['user'] == g.id)
    equal(m.get('guest'), True, 'and among people')
    # No history from before, in either way; what is said from now on.
    equal(g.history('floor:%d' % one)['messages'], [], 'history')
    bob.say('hello guest')
    m = g.hears('hello guest')
    check('guest' not in m, 'a member has no badge')
    g.say('hello office')
    equal(bob.hears('hello office').get('guest'), True, 'badge in chat')
    equal([m['text'] for m in g.get('/messages?channel=floor:%d' % one)[
        'messages']], ['hello guest', 'hello office'], 'from here on')
    # Nothing of the other floor.
    for path in ('/floors/%d' % two, '/messages?channel=floor:%d' % two):
        equal(g.api('GET', path).status, 404, path)
    g.tell(t='enter', floor=two)
    g.error('no-floor')
    g.tell(t='history', channel='floor:%d' % two)
    g.error('no-floor')
    # A name is for good, a look is not.
    r = g.api('PATCH', '/me', {'name': 'Bob'})
    equal((r.status, r.problem()), (403, 'forbidden'), 'name')
    look = dict(g.user['look'], shirt=3)
    equal(g.api('PATCH', '/me', {'look': look}, 200).json()['user']['look'],
          look, 'look')
    # In no list of people, and nobody that an administrator may change.
    check(g.id not in [p['user'] for p in bob.get('/people')['people']],
          'found in the list of people')
    equal(bob.get('/people?users=%d' % g.id)['people'], [], 'by number')
    check(g.id not in [u['id'] for u in ada.get('/admin/users')['users']],
          'found in the list of users')
    check('guest-' not in d.do('user', 'list', 'acme'), 'risactl')
    for method, path, body in (
            ('PATCH', '/admin/users/%d', {'role': 'admin'}),
            ('DELETE', '/admin/users/%d', {}),
            ('POST', '/admin/users/%d/invite', {}),
            ('GET', '/admin/users/%d/signins', None)):
        equal(ada.api(method, path % g.id, body).status, 404, path)
    for path, body in (('/admin/floors/%d' % two, {'users': [g.id]}),):
        equal(ada.api('PATCH', path, body).status, 422, path)
    equal(ada.api('POST', '/admin/users', {
        'email': 'x@acme.example', 'role': 'guest'}).status, 422, 'role')
    # Signing out is the end: nothing can sign in again.
    g.api('DELETE', '/session', {}, 204)
    g.bye('signed-out', 4001)
    equal(g.api('GET', '/session').status, 401, 'over')
    check('Greta' not in state(ada)[1], 'the visit is over')
    m = [m for m in bob.history('floor:%d' % one)['messages']
         if m['text'] == 'hello office'][0]
    equal((m['name'], m.get('guest')), ('Greta', True), 'still marked')
    ada.api('DELETE', '/guests/%d' % number, {})
    for p in (ada, bob):
        p.drop()


def direct(d, ada, bob, one, two):
    """direct messages: with people on the same floor and only there"""
    number, token = url(ada, [one, two], uses=2)
    bob.open().enter(one)
    ada.open().enter(two)
    g = come(d, token, 'Greta').open()
    g.enter(one)
    h = come(d, token, 'Hugo').open()
    h.enter(two)
    bob.wait('join')
    g.say('psst', {'user': bob.id})
    m = bob.hears('psst', 'user:%d' % g.id)
    equal(m.get('guest'), True, 'badge')
    bob.say('yes?', {'user': g.id})
    g.hears('yes?', 'user:%d' % bob.id)
    for who, what in ((ada.id, 'a member elsewhere'), (h.id, 'a guest'),
                      (99999, 'nobody')):
        ref = g.ref()
        g.tell(t='say', to={'user': who}, text='x', ref=ref)
        g.error('no-user', ref=ref)
        ref = g.ref()
        g.tell(t='history', channel='user:%d' % who, ref=ref)
        g.error('no-user', ref=ref)
        equal(g.api('GET', '/messages?channel=user:%d' % who).status, 404,
              what)
    # A member elsewhere does not reach the guest either.
    for p in (ada,):
        ref = p.ref()
        p.tell(t='say', to={'user': g.id}, text='x', ref=ref)
        p.error('no-user', ref=ref)
    bob.enter(two)
    ref = bob.ref()
    bob.tell(t='say', to={'user': g.id}, text='x', ref=ref)
    bob.error('no-user', ref=ref)
    # What was said can still be read, and goes with the guest.
    equal([m['text'] for m in bob.history('user:%d' % g.id)['messages']],
          ['psst', 'yes?'], 'history')
    equal([m['text'] for m in g.history('user:%d' % bob.id)['messages']],
          ['psst', 'yes?'], 'history')
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    equal(bob.api('GET', '/messages?channel=user:%d' % g.id).status, 404,
          'gone with the guest')
    for p in (ada, bob, g, h):
        p.drop()


def every_route(d, ada, bob, one, two):
    """every route and frame, as a guest who is in and as one who waits"""
    number, token = url(ada, [one], uses=2)
    shut, door = url(ada, [one], approval=True)
    g = come(d, token, 'Greta')
    w = come(d, door, 'Walter')
    for method, path, need in routes():
        if need == 'NEED_NONE' or path in ('/session', '/ws'):
            continue
        where = path.replace('#', '1').replace('*', 'x' * 43)
        may = '%s %s' % (method, path) in OPEN
        for p, wanted in ((g, not may), (w, True)):
            r = p.api(method, where, None if method == 'GET' else {})
            equal(r.status == 403, wanted, '%s %s as %s: %r' % (
                method, path, p.mail, r))
    equal(w.get('/session')['door'], True, 'who waits may know it')
    check('door' not in g.get('/session'), 'and who is in')
    g.open().enter(one)
    for frame in ({'t': 'door', 'room': 1, 'state': 'closed'},
                  {'t': 'admit', 'id': w.id, 'in': True}):
        g.tell(**frame)
        g.error('forbidden')
    wait_at_door(w)
    for frame in ({'t': 'enter', 'floor': one}, {'t': 'leave'},
                  {'t': 'status', 'status': 'busy', 'note': ''},
                  {'t': 'say', 'to': {'user': bob.id}, 'text': 'x',
                   'ref': 'w'}, {'t': 'history', 'channel': 'floor:%d' % one},
                  {'t': 'read', 'channel': 'floor:%d' % one, 'id': 1},
                  {'t': 'door', 'room': 1, 'state': 'closed'},
                  {'t': 'call', 'kind': 'wave', 'user': bob.id, 'ref': 'w'},
                  {'t': 'answer', 'n': 1, 'yes': True},
                  {'t': 'admit', 'id': w.id, 'in': True}):
        w.tell(**frame)
        w.error('door')
    w.leg(100, 100)
    w.error('not-here')
    bob.open().enter(one)
    bob.say('not for who waits')
    w.settle()
    equal([m['t'] for m in w.inbox if m['t'] not in ('error',)], [],
          'one who waits sees nothing')
    for n in (number, shut):
        ada.api('DELETE', '/guests/%d' % n, {}, 204)
    for p in (bob, g, w):
        p.drop()


def door(d, ada, bob, one, two):
    """at the door: those on the floor are asked, admit, or refuse"""
    number, token = url(ada, [one], uses=5, approval=True)
    cyd = d.person('acme', 'cyd@acme.example').open()
    cyd.enter(two)
    bob.open().enter(one)
    g = come(d, token, '訪問者')
    wait_at_door(g)
    # Whose role lets nobody in is not asked, and may not answer.
    until(lambda: state(ada)[1]['訪問者']['state'] == 'door', 'waits')
    bob.settle()
    check(bob.find('knock') is None, 'asked without the right')
    bob.tell(t='admit', id=g.id, **{'in': True})
    bob.error('no-guest')
    d.do('role', 'allow', 'acme', 'member', 'guest')
    k = bob.wait('knock')
    equal((k['id'], k['name'], k['floors']), (g.id, '訪問者', [one]), 'knock')
    check(0 < k['until'] - time.time() * 1000 <= 300000, k)
    cyd.settle()
    check(cyd.find('knock') is None, 'asked elsewhere')
    equal(state(ada)[1]['訪問者']['state'], 'door', 'waits')
    # Somebody elsewhere may not answer; somebody who comes is asked, too.
    cyd.tell(t='admit', id=g.id, **{'in': True})
    cyd.error('no-guest')
    for bad, field in (({'id': 0, 'in': True}, 'id'), ({'id': g.id}, 'in'),
                       ({'id': g.id, 'in': 1}, 'in')):
        bob.tell(t='admit', **bad)
        bob.error('field', field=field)
    cyd.enter(one)
    cyd.wait('knock', lambda m: m['id'] == g.id)
    since = bob.say('said while he waits')['id']
    bob.tell(t='admit', id=g.id, **{'in': True})
    g.hello = g.wait('hello')
    equal(g.hello['user']['role'], 'guest', 'let in on the same connection')
    for p in (bob, cyd):
        m = p.wait('answered')
        equal((m['id'], m['why'], m['by']), (g.id, 'admitted', 'bob'),
              'all are told')
    g.enter(one)
    equal(g.history('floor:%d' % one)['messages'], [], 'nothing from before')
    check(since > 0, 'said')
    check('door' not in g.get('/session'), 'in')
    # The second to answer is told that it is over.
    cyd.tell(t='admit', id=g.id, **{'in': False})
    cyd.error('no-guest')
    # Refused, and gone by himself.
    h = wait_at_door(come(d, token, 'Hugo'))
    bob.wait('knock', lambda m: m['id'] == h.id)
    bob.tell(t='admit', id=h.id, **{'in': False})
    h.bye('refused', 4001)
    # The other worker may hear of it later.
    until(lambda: h.api('GET', '/session').status == 401, 'refused')
    cyd.wait('answered', lambda m: m['why'] == 'refused')
    i = wait_at_door(come(d, token, 'Ines'))
    bob.wait('knock', lambda m: m['id'] == i.id)
    i.api('DELETE', '/session', {}, 204)
    bob.wait('answered', lambda m: m['id'] == i.id and m['why'] == 'gone')
    check('Ines' not in state(ada)[1], 'gone')
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    g.bye('revoked', 4001)
    d.do('role', 'deny', 'acme', 'member', 'guest')
    for p in (bob, cyd, g, h, i):
        p.drop()


def crowded(d, ada, bob, one, two):
    """everybody in a crowd at the door is told of, and can be let in"""
    d.write('large.json', json.dumps(dict(
        MAP, furniture=MAP['furniture'] * 1300)))
    large = d.floor('acme', 'Large', 'map', d.path('large.json'))
    number, token = url(ada, [one], uses=70, approval=True)
    ada.open().enter(one)
    for i in range(70):
        come(d, token, 'G%d' % i).close()
        ada.pull()
    knocks = [ada.wait('knock')['id'] for _ in range(70)]
    equal(len(set(knocks)), 70, 'each once')
    # The map of the other floor is more than is sent at once.
    for floor in one, large:
        ada.open().enter(floor)
        again = [ada.wait('knock')['id'] for _ in range(70)]
        equal(sorted(again), sorted(knocks), 'who comes later is told, too')
    ada.settle()
    check(ada.find('knock') is None, 'told twice')
    for n in knocks:
        ada.tell(t='admit', id=n, **{'in': True})
        ada.wait('answered', lambda m: m['id'] == n and
                 m['why'] == 'admitted')
    equal({v['state'] for v in state(ada)[1].values()}, {'in'}, 'in')
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    ada.drop()


def hosts(d, ada, bob, one, two):
    """whose role lets guests in has URLs of his own, while it does"""
    d.do('floor', 'deny', 'acme', 'Two', 'all')
    others, _ = url(ada, [one])
    d.do('role', 'allow', 'acme', 'member', 'guest')
    until(lambda: bob.api('GET', '/guests').status == 200, 'the right')
    end = int(time.time() * 1000) + 3600000
    for floors in ([two], [one, two], [99999]):
        r = bob.api('POST', '/guests', {'floors': floors, 'expires': end})
        equal((r.status, r.json()['field']), (422, 'floors'), floors)
    number, token = url(bob, [one], uses=3, password=SECRET)
    g = come(d, token, 'Greta', password=SECRET)
    urls, visits = state(bob)
    equal((list(urls), list(visits)), ([number], ['Greta']), 'his own')
    equal(urls[number]['by'], {'user': bob.id, 'name': 'bob'}, 'by')
    check({others, number} <= set(state(ada)[0]), 'an administrator sees all')
    for path in ('/guests/%d' % others, '/visits/%d' % bob.id):
        bob.api('DELETE', path, {}, 404)
    # Without the right there is no way in by it, and none to see it.
    d.do('role', 'deny', 'acme', 'member', 'guest')
    until(lambda: bob.api('GET', '/guests').status == 403, 'no right')
    with Http(d) as h:
        equal(h.request('GET', '/api/v1/guest/' + token).status, 404, 'off')
    equal(g.get('/session')['user']['name'], 'Greta', 'who is in stays')
    d.do('role', 'allow', 'acme', 'member', 'guest')
    until(lambda: bob.api('GET', '/guests').status == 200, 'the right')
    bob.api('DELETE', '/visits/%d' % g.id, {}, 204)
    equal(g.api('GET', '/session').status, 401, 'sent away')
    bob.api('DELETE', '/guests/%d' % number, {}, 204)
    ada.api('DELETE', '/guests/%d' % others, {}, 204)
    d.do('role', 'deny', 'acme', 'member', 'guest')
    d.do('floor', 'allow', 'acme', 'Two', 'all')


def taken(d, ada, bob, one, two):
    """a floor that the maker of a URL may not enter is closed to its guests"""
    d.do('role', 'allow', 'acme', 'member', 'guest')
    until(lambda: bob.api('GET', '/guests').status == 200, 'the right')
    cyd = d.person('acme', 'cyn@acme.example', 'admin')
    number, token = url(bob, [one, two], uses=5)
    closed, door = url(bob, [two], uses=5)
    hers, way = url(cyd, [two], uses=5)
    eva = d.do('guest', 'add', 'acme', 'floor', 'Two', 'uses', '5')
    g, h = come(d, token, 'Greta').open(), come(d, door, 'Hugo').open()
    i, k = come(d, way, 'Ines').open(), come(d, guest_token(eva), 'Karl')
    k.open()
    for p in (g, h, i, k):
        p.enter(two)
    d.do('floor', 'deny', 'acme', 'Two', 'all')
    for p in (g, h):
        p.wait('evict', lambda m: m['floor'] == two)
        p.tell(t='enter', floor=two)
        p.error('no-floor')
        equal(p.api('GET', '/floors/%d' % two).status, 404, 'the map')
        equal(p.api('GET', '/messages?channel=floor:%d' % two).status, 404,
              'what is said')
    equal([f['id'] for f in g.get('/floors')['floors']], [one], 'one is left')
    g.enter(one)
    come(d, token, 'Gerd').close()
    with Http(d) as w:
        for r in (w.request('GET', '/api/v1/guest/' + door),
                  w.request('POST', '/api/v1/guest/' + door, {'name': 'X'})):
            equal((r.status, r.problem()), (404, 'link'), 'leads nowhere')
    # An administrator's, and an operator's, are for all floors.
    for p in (i, k):
        p.say('still here')
    d.do('user', 'role', 'acme', cyd.mail, 'member')
    i.wait('evict', lambda m: m['floor'] == two)
    equal(i.get('/floors')['floors'], [], 'no administrator any more')
    k.say('still here')
    d.do('floor', 'allow', 'acme', 'Two', 'all')
    h.wait('floors', lambda m: [f['id'] for f in m['floors']] == [two])
    h.enter(two)
    for n in [n for n, u in state(ada)[0].items()
              if n in (number, closed, hers) or u['by']['user'] == 0]:
        ada.api('DELETE', '/guests/%d' % n, {}, 204)
    d.do('role', 'deny', 'acme', 'member', 'guest')
    for p in (g, h, i, k, cyd):
        p.close()


def networks(d, ada, bob, one, two):
    """lists of networks hold for guests; the tenant's, and a floor's"""
    number, token = url(ada, [one, two], uses=3)

    def path(source):
        with Http(d, source=source) as h:
            r = h.request('GET', '/api/v1/guest/' + token)
            return r.status, r.problem() if r.status != 200 else ''
    d.do('policy', 'set', 'acme', 'networks', '127.0.0.1')
    until(lambda: path('127.6.0.1') == (403, 'address'), 'elsewhere')
    equal(path('127.0.0.1'), (200, ''), 'from there')
    d.do('policy', 'set', 'acme', 'networks', '')
    d.do('floor', 'networks', 'acme', 'Two', '192.0.2.0/24')
    g = come(d, token, 'Greta').open()
    equal([f['id'] for f in g.get('/floors')['floors']], [one], 'floors')
    d.do('floor', 'networks', 'acme', 'Two', '')
    # What the role of guests may is the tenant's to say.
    d.do('role', 'deny', 'acme', 'guest', 'chat')
    g.enter(one)
    g.tell(t='say', to='floor', text='hello', ref='n1')
    g.error('forbidden')
    d.do('role', 'allow', 'acme', 'guest', 'chat')
    g.say('hello')
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    g.drop()


def revoke(d, ada, bob, one, two):
    """revoking puts out at once those inside and those at the door"""
    number, token = url(ada, [one], uses=3)
    shut, door_token = url(ada, [one], approval=True)
    g = come(d, token, 'Greta').open()
    g.enter(one)
    h = come(d, token, 'Hugo').open()
    h.enter(one)
    w = wait_at_door(come(d, door_token, 'Walter'))
    urls, visits = state(ada)
    equal((urls[number]['used'], urls[shut]['used']), (2, 1), 'used')
    v = visits['Greta']
    equal((v['user'], v['guest'], v['state'], v['floor'], v['address']),
          (g.id, number, 'in', one, '127.0.0.1'), 'the visit')
    check(abs(v['began'] - time.time() * 1000) < 60000, 'since')
    # One of them alone, by his number.
    ada.api('DELETE', '/visits/%d' % h.id, {}, 204)
    h.bye('revoked', 4001)
    equal(ada.api('DELETE', '/visits/%d' % h.id, {}).status, 404, 'again')
    equal(ada.api('DELETE', '/visits/%d' % bob.id, {}).status, 404,
          'a member is no visit')
    for n, p in ((number, g), (shut, w)):
        ada.api('DELETE', '/guests/%d' % n, {}, 204)
        # The answer is there: so nothing is possible any more.
        r = p.api('GET', '/session')
        check(r.status in (401, 503), r)
        p.bye('revoked', 4001)
        until(lambda: p.api('GET', '/session').status == 401, 'out')
    check(not {'Greta', 'Hugo', 'Walter'} & set(state(ada)[1]), 'visits')
    with Http(d) as c:
        equal(c.request('GET', '/api/v1/guest/' + token).status, 404, 'URL')


def hundred(d, ada, bob, one, two):
    """a hundred at once, seven uses: seven come in"""
    number, token = url(ada, [one], uses=7)
    people = [Person(d, 'acme', 'g%d' % i) for i in range(100)]
    for p in people:
        p.http.connect()
    gate = threading.Barrier(100)
    got = []

    def use(p):
        gate.wait()
        r = p.retry('POST', '/guest/' + token, {'name': p.mail})
        got.append((r.status, p, r))

    threads = [threading.Thread(target=use, args=(p,)) for p in people]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    codes = sorted(s for s, _, _ in got)
    equal(codes, [201] * 7 + [404] * 93, 'answers')
    urls, visits = state(ada)
    equal(urls[number]['used'], 7, 'used')
    equal(len([v for v in visits.values() if v['guest'] == number]), 7,
          'visits')
    inside = [p._signed_in(r) for s, p, r in got if s == 201]
    equal(len({p.id for p in inside}), 7, 'each is somebody else')
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    for p in people:
        p.close()


def wrong(d, ada, bob, one, two):
    """unknown, used, expired, revoked, of another tenant: the same answer"""
    until_ms = int(time.time() * 1000) + 2000
    _, late = url(ada, [one], expires=until_ms)
    g = come(d, late, 'Late').open()
    n_used, used = url(ada, [one])
    u = come(d, used, 'Used')
    n_gone, gone = url(ada, [one])
    ada.api('DELETE', '/guests/%d' % n_gone, {}, 204)
    _, fine = url(ada, [one])
    until(lambda: g.api('GET', '/session').status == 401, 'the end')
    g.bye('ended', 4001)
    got = set()
    for method in ('GET', 'POST'):
        answers = set()
        for tenant, token in (('acme', 'x' * 43), ('acme', late),
                              ('acme', used), ('acme', gone),
                              ('acme', 'short'), ('globex', fine)):
            with Http(d, tenant) as h:
                r = h.request(method, '/api/v1/guest/' + token,
                              None if method == 'GET' else {'name': 'N'})
                answers.add((r.status, r.body, tuple(sorted(
                    (n, v) for n, v in r.headers if n != 'date'))))
        equal(len(answers), 1, answers)
        got |= answers
    equal({s for s, _, _ in got}, {404}, 'link')
    check(ada.api('DELETE', '/guests/%d' % n_used, {}).status == 204, 'used')
    check(u.api('GET', '/session').status in (401, 503), 'out with it')
    # A guest's account is no account: not by its name, not by any password.
    with Http(d) as h:
        r = h.request('POST', '/api/v1/session', {
            'email': 'guest-%d' % u.id, 'password': SECRET})
        equal(r.status, 422, 'no mail address')
    for bad in ('', ' ', 'x' * 65, 'a\nb'):
        with Http(d) as h:
            r = h.request('POST', '/api/v1/guest/' + fine, {'name': bad})
            equal((r.status, r.json().get('field')), (422, 'name'), repr(bad))


def password(d, ada, bob, one, two):
    """a password is checked, by the hash process, and tries are limited"""
    number, token = url(ada, [one], uses=3, password=SECRET)
    equal(state(ada)[0][number]['password'], True, 'said')
    with Http(d) as h:
        check(h.request('GET', '/api/v1/guest/' + token).json()['password'],
              'asked for')
    d.do('policy', 'set', 'acme', 'lock-tries', '4')

    def guess(body):
        """When one may again: too soon is not looked at."""
        def tried():
            with Http(d, source='127.6.1.1') as h:
                r = h.request('POST', '/api/v1/guest/' + token,
                              dict(body, name='Greta'))
            return r if r.problem() != 'too-many' else None
        return until(tried, 'a try')
    for bad in ({}, {'password': ''}, {'password': SECRET + 'x'}):
        r = guess(bad)
        equal((r.status, r.problem()), (401, 'sign-in'), bad)
    equal(state(ada)[0][number]['used'], 0, 'a wrong one uses nothing')
    r = guess({'password': SECRET})
    equal(r.status, 201, 'the right one')
    check(r.json()['failures'] == 0 and len(r.all('set-cookie')) == 1,
          'nothing is kept of who tried, nor on which device')
    equal(state(ada)[0][number]['used'], 1, 'used')
    # As many as the rule says, and the URL is locked, also for who knows it.
    for _ in range(4):
        equal(guess({'password': 'wrong one'}).status, 401, 'wrong')
    r = guess({'password': SECRET})
    equal((r.status, r.problem()), (429, 'locked'), 'locked')
    check('a guest URL: locked by failures' in trail(d, 'acme'), 'trail')
    pid = d.pids('auth')[('auth', 0)]
    os.kill(pid, signal.SIGKILL)
    until(lambda: d.pids('auth').get(('auth', 0)) not in (None, pid),
          'auth is back')
    until(lambda: guess({'password': SECRET}).problem() == 'locked',
          'locked still')
    d.do('policy', 'set', 'acme', 'lock-tries', '10')
    data = open(d.path('data', 'tenants', '1', 'main.db'), 'rb').read()
    for secret in (SECRET, token, '訪問者', 'Greta'):
        check(secret.encode() not in data, '%s lies in the clear' % secret)
    ada.api('DELETE', '/guests/%d' % number, {}, 204)


def operator(d, ada, bob, one, two):
    """risactl guest: add, list, revoke; all of it is in the trail"""
    seen = len(trail(d, 'acme'))
    token = guest_token(d.do('guest', 'add', 'acme', 'floor', 'One', 'uses',
                             '2', 'expires', '2h', 'approval'))
    rows = d.rows('guest', 'list', 'acme')
    row = max(rows, key=lambda r: r['id'])
    equal((row['uses'], row['used'], row['floors'], row['password'],
           row['approval']), (2, 0, 'One', False, True), 'row')
    g = wait_at_door(come(d, token, 'Greta'))
    row = [r for r in d.rows('guest', 'list', 'acme')
           if r['id'] == row['id']][0]
    equal((row['used'], row['inside'], row['waiting']), (1, 0, 1), 'row')
    equal(state(ada)[0][row['id']]['by'], {'user': 0, 'name': ''}, 'by')
    d.do('guest', 'revoke', 'acme', str(row['id']))
    g.bye('revoked', 4001)
    code, _, err = d.ctl('guest', 'revoke', 'acme', str(row['id']))
    check(code == 1 and 'no such guest URL' in err, err)
    for bad in (('add', 'acme', 'floor', 'None'),
                ('add', 'nobody', 'floor', 'One'),
                ('add', 'acme', 'floor', 'One', 'uses', '0'),
                ('add', 'acme', 'floor', 'One', 'uses', '1001'),
                ('add', 'acme', 'floor', 'One', 'expires', '999w'),
                ('list', 'nobody')):
        equal(d.ctl('guest', *bad)[0], 1, bad)
    equal(d.ctl('guest', 'add', 'acme', 'floor', 'One', 'expires',
                'soon')[0], 2, 'a time')
    # The password is read, not in the command line.
    r, w = os.pipe()
    os.write(w, (SECRET + '\n').encode())
    os.close(w)
    out = subprocess.run([RISACTL, '-s', d.path('risad.sock'), 'guest', 'add',
                          'acme', 'floor', 'One', 'password'], stdin=r,
                         stdout=subprocess.PIPE, check=True, timeout=60)
    os.close(r)
    token = guest_token(out.stdout.decode())
    with Http(d) as h:
        equal(h.request('POST', '/api/v1/guest/' + token, {
            'name': 'Greta', 'password': 'something else'}).status, 401,
            'wrong')
    p = come(d, token, 'Greta', password=SECRET)
    check(d.ctl('guest', 'add', 'acme', 'floor', 'One', 'password')[0] == 1,
          'no password was given')
    number = state(ada)[1]['Greta']['guest']
    lines = trail(d, 'acme')[seen:]
    for want in ('by operator 0: add guest URL %d' % row['id'],
                 'by operator 0: revoke guest URL %d' % row['id']):
        check(any(x.startswith(want + ', floors ') for x in lines),
              '%s: %r' % (want, lines))
    check([x for x in lines if x.startswith('guest URL %d used: visit '
                                            % number)], lines)
    ada.api('DELETE', '/guests/%d' % number, {}, 204)
    until(lambda: p.api('GET', '/session').status == 401, 'out')


def restarts(d, ada, bob, one, two):
    """storage and a session die: guests stay guests, who waits waits"""
    number, token = url(ada, [one], uses=2)
    shut, door_token = url(ada, [one], approval=True)
    d.do('role', 'allow', 'acme', 'member', 'guest')
    bob.open().enter(one)
    g = come(d, token, 'Greta').open()
    g.enter(one)
    w = wait_at_door(come(d, door_token, 'Walter'))
    bob.wait('knock')
    pid = d.pids('storage')[('storage', 0)]
    os.kill(pid, signal.SIGKILL)
    until(lambda: d.pids('storage').get(('storage', 0)) not in (None, pid),
          'storage is back')
    until(lambda: g.api('GET', '/floors').status == 200, 'served')
    equal([f['id'] for f in g.get('/floors')['floors']], [one], 'floors')
    until(lambda: w.api('GET', '/session').status == 200, 'served')
    equal(w.get('/session')['door'], True, 'still waits')
    until(lambda: w.api('GET', '/floors').status == 403, 'sees nothing')
    until(lambda: bob.api('GET', '/floors').status == 200, 'served')
    bob.insist('answered', t='admit', id=w.id, **{'in': True})
    w.wait('hello')
    # The connection has its new grant, and is told of the end as before.
    g.insist('history', t='history', channel='floor:%d' % one, ref='again')
    for n in (number, shut):
        ada.retry('DELETE', '/guests/%d' % n, {}, 204)
    g.bye('revoked', 4001)
    w.bye('revoked', 4001)
    bob.drop()


def nothing_left(d, ada, bob, one, two):
    """a guest who has gone leaves a line in the book and no account"""
    _, token = url(ada, [one])
    g = come(d, token, 'Greta').open()
    g.enter(one)
    g.api('DELETE', '/session', {}, 204)
    g.drop()
    db = sqlite3.connect('file:%s?mode=ro' % d.path(
        'data', 'tenants', '1', 'main.db'), uri=True)

    def rows(sql):
        return db.execute(sql).fetchall()
    equal(rows('SELECT id FROM users WHERE id = %d' % g.id), [], 'users')
    for table in ('tokens', 'places', 'reads'):
        equal(rows('SELECT user FROM %s WHERE user = %d' % (table, g.id)), [],
              table)
    (state_, began, ended), = rows(
        'SELECT state, began, ended FROM visits WHERE user = %d' % g.id)
    check(state_ == 3 and 0 < began <= ended, (state_, began, ended))
    db.close()


def held(d, ada, bob, one, two):
    """a hold keeps direct messages with guests who go, until it is cleared"""
    cat = d.person('acme', 'cat@acme.example')
    ada.open().enter(one)
    bob.open().enter(one)
    cat.open().enter(one)

    def kept():
        db = sqlite3.connect('file:%s?mode=ro' % d.path(
            'data', 'tenants', '1', 'main.db'), uri=True)
        n, = db.execute('SELECT count(*) FROM messages WHERE kind = 2'
                        ).fetchone()
        m, = db.execute('SELECT count(*) FROM dms').fetchone()
        db.close()
        return n, m

    def comes_and_goes():
        """Bob and the guest write one message each, and cat one."""
        _, token = url(ada, [one])
        g = come(d, token, 'Greta').open()
        g.enter(one)
        for p in bob, cat:
            p.insist('ack', t='say', to={'user': g.id}, text='to Greta',
                     ref='%d-%d' % (p.id, g.id))
        g.insist('ack', t='say', to={'user': bob.id}, text='to Bob', ref='g')
        equal(kept(), (before[0] + 3, before[1] + 2), 'there')
        g.api('DELETE', '/session', {}, 204)
        g.drop()
        return g

    before = kept()
    comes_and_goes()
    until(lambda: kept() == before, 'without a hold all go')
    d.do('hold', 'set', 'acme', 'user', bob.mail, 'reason', 'Court')
    g = comes_and_goes()
    until(lambda: kept() == (before[0] + 2, before[1] + 1),
          'those of and to Bob stay')
    # Nobody is shown them, nor that there are any.
    bob.tell(t='history', channel='user:%d' % g.id, ref='h')
    bob.error('no-user', ref='h')
    bob.open()
    check('user:%d' % g.id not in [u['channel'] for u in bob.hello['unread']],
          'a conversation with nobody')
    d.restart()
    time.sleep(2.5)                     # the daemon has looked
    equal(kept(), (before[0] + 2, before[1] + 1), 'as long as it lasts')
    d.do('hold', 'clear', 'acme', 'user', bob.mail)
    until(lambda: kept() == before, 'it is over')
    d.do('hold', 'set', 'acme', 'reason', 'Court')
    for p in ada, bob, cat:
        p.open().enter(one)
    comes_and_goes()
    time.sleep(2.5)
    equal(kept(), (before[0] + 3, before[1] + 2), 'the whole tenant')
    d.do('hold', 'clear', 'acme')
    until(lambda: kept() == before, 'it is over')
    cat.close()


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    d.do('tenant', 'add', 'globex')
    one, two = d.floor('acme', 'One'), d.floor('acme', 'Two')
    ada = d.person('acme', 'ada@acme.example', 'admin')
    bob = d.person('acme', 'bob@acme.example')
    s = Suite(d)
    for fn in (terms, inside, direct, every_route, door, crowded, hosts,
               taken, networks, revoke, hundred, wrong, operator,
               nothing_left):
        s.run_test(fn, d, ada, bob, one, two)
    s.run_test(held, d, ada, bob, one, two, restarts=True)
    s.run_test(password, d, ada, bob, one, two, restarts=True)
    s.run_test(restarts, d, ada, bob, one, two, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
