#!/usr/bin/env python3
"""B24: roles, what they may, and that a change of them acts at once."""

import os
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Person, link_token, until       # noqa: E402
from trail import trail                                         # noqa: E402

RIGHTS = ['chat', 'dm', 'voice', 'video', 'screen', 'guest']
DEFAULT = [r for r in RIGHTS if r != 'guest']


def roles(p):
    return {r['id']: r for r in p.get('/admin/roles')['roles']}


def patch(p, role, **change):
    """As the page does: with the version that it has seen."""
    change.setdefault('version', roles(p)[role]['version'])
    return p.api('PATCH', '/admin/roles/%s' % role, change)


def allow(p, role, can):
    equal(patch(p, role, can=can).json()['role']['can'], can, 'set')


def told(p, can):
    """The page hears what it may; and so it is for a request, which another
    process may answer that hears it a moment later."""
    p.wait('rights', lambda m: m['can'] == can)
    until(lambda: p.get('/session')['can'] == can, 'asked: %r' % can)


def writes(p, to, may, **more):
    """Said and acknowledged, or refused with the reason."""
    ref = p.ref()

    def answer():
        p.inbox = [m for m in p.inbox if m.get('ref') != ref]
        p.tell(t='say', to=to, text='words', ref=ref)
        p.sees(lambda: any(m.get('ref') == ref for m in p.inbox), 'answer')
        m = [m for m in p.inbox if m.get('ref') == ref][0]
        if m.get('code') == 'too-many':
            p.pull(0.1)
            return None
        return m
    m = until(answer, 'not too fast')
    if may:
        equal(m['t'], 'ack', m)
    else:
        equal((m['t'], m['code'], {k: m.get(k) for k in more}),
              ('error', 'forbidden', more), m)
        check(m['detail'], 'why')


def each_right(d, w):
    """each right off and on again, on live connections of two workers"""
    p, other = w.bob.open_on(0), w.eve.open_on(1)
    for x in (p, other):
        equal(x.hello['can'], DEFAULT, 'in the greeting')
        x.enter(w.floor)
    for right in RIGHTS:
        for can in ([r for r in RIGHTS if r != right], RIGHTS):
            allow(w.ada, 'member', can)
            for x, y in ((p, w.ada), (other, w.ada)):
                told(x, can)
                writes(x, 'floor', 'chat' in can)
                writes(x, {'user': y.id}, 'dm' in can)
    # What others write still comes.
    allow(w.ada, 'member', [])
    told(p, [])
    w.ada.open().enter(w.floor)
    w.ada.say('to all')
    p.hears('to all')
    w.ada.drop()
    allow(w.ada, 'member', DEFAULT)
    told(p, DEFAULT)


def own_role(d, w):
    """a role of the tenant's own: given, changed for those who have it"""
    r = w.ada.api('POST', '/admin/roles', {
        'name': '協力会社', 'can': ['chat', 'voice']}, 201).json()['role']
    equal((r['name'], r['can'], r['users'], r['settable']),
          ('協力会社', ['chat', 'voice'], 0, RIGHTS), 'made')
    w.bob.open().enter(w.floor)
    w.eve.open().enter(w.floor)
    u = w.ada.api('PATCH', '/admin/users/%d' % w.bob.id, {
        'role': r['id'], 'was': 'member'}, 200).json()['user']
    equal(u['role'], r['id'], 'the number')
    w.bob.bye('ended', 4001)
    w.bob.sign_in()
    equal(w.bob.user['role'], r['id'], 'who one is')
    w.bob.open().enter(w.floor)
    equal(w.bob.hello['can'], ['chat', 'voice'], 'what one may')
    writes(w.bob, 'floor', True)
    writes(w.bob, {'user': w.eve.id}, False)
    # Nobody writes directly to who may not answer.
    writes(w.eve, {'user': w.bob.id}, False, field='to')
    allow(w.ada, r['id'], ['dm'])
    told(w.bob, ['dm'])
    writes(w.bob, 'floor', False)
    writes(w.bob, {'user': w.eve.id}, True)
    writes(w.eve, {'user': w.bob.id}, True)
    w.eve.settle()
    equal(w.eve.find('rights'), None, 'told to others')
    # All rights are none of an administrator's.
    allow(w.ada, r['id'], RIGHTS)
    told(w.bob, RIGHTS)
    equal(w.bob.api('GET', '/admin/users').status, 403, 'administration')
    equal(roles(w.ada)[r['id']]['users'], 1, 'who has it')
    w.role = r['id']


def in_use(d, w):
    """a role that somebody has stays, and says how many have it"""
    r = w.ada.api('DELETE', '/admin/roles/%d' % w.role, {
        'version': roles(w.ada)[w.role]['version']})
    o = r.json()
    equal((r.status, r.problem(), o['field'], o['detail']),
          (409, 'conflict', 'users', '1 people have it.'), 'in use')
    w.ada.api('PATCH', '/admin/users/%d' % w.bob.id, {'role': 'member'}, 200)
    w.bob.sign_in()
    w.ada.api('DELETE', '/admin/roles/%d' % w.role, {
        'version': roles(w.ada)[w.role]['version']}, 204)
    check(w.role not in roles(w.ada), 'listed')
    equal(w.ada.api('DELETE', '/admin/roles/%d' % w.role, {
        'version': 1}).status, 404, 'again')
    r = w.ada.api('PATCH', '/admin/users/%d' % w.bob.id, {'role': w.role})
    equal((r.status, r.json()['field']), (422, 'role'), 'given')


def two_at_once(d, w):
    """of two administrators the second is told"""
    r = w.ada.api('POST', '/admin/roles', {'name': 'Night', 'can': []},
                  201).json()['role']
    equal(patch(w.ada, r['id'], name='Late', version=r['version']).status,
          200, 'the first')
    for body in ({'name': 'Early'}, {'can': RIGHTS}):
        q = patch(w.two, r['id'], version=r['version'], **body)
        equal((q.status, q.json()['field']), (409, 'version'), body)
    q = w.two.api('DELETE', '/admin/roles/%d' % r['id'],
                  {'version': r['version']})
    equal((q.status, q.json()['field']), (409, 'version'), 'deleted')
    equal((roles(w.two)[r['id']]['name'], roles(w.two)[r['id']]['can']),
          ('Late', []), 'as the first left it')
    v = roles(w.ada)['member']['version']
    equal(patch(w.ada, 'member', can=['dm'], version=v).status, 200, 'first')
    q = patch(w.two, 'member', can=['chat'], version=v)
    equal((q.status, q.json()['field']), (409, 'version'), 'member')
    allow(w.ada, 'member', DEFAULT)
    # And of a person's role.
    path = '/admin/users/%d' % w.eve.id
    w.ada.api('PATCH', path, {'role': r['id'], 'was': 'member'}, 200)
    q = w.two.api('PATCH', path, {'role': 'admin', 'was': 'member'})
    equal((q.status, q.json()['field']), (409, 'was'), 'role')
    w.ada.api('PATCH', path, {'role': 'member', 'was': r['id']}, 200)
    w.eve.sign_in()
    w.late = r['id']


def acts(d, w):
    """role, floor rights, lock and removal act on live connections"""
    closed = d.floor('acme', 'Closed')
    equal(w.ada.api('PATCH', '/admin/floors/%d' % closed, {
        'open': False, 'users': [w.bob.id]}).status, 200, 'closed')
    took = {}

    def at_once(what, fn, sees):
        began = time.monotonic()
        fn()
        sees()
        took[what] = (time.monotonic() - began) * 1000

    w.bob.open_on(0).enter(closed)
    at_once('floor', lambda: w.ada.api(
        'PATCH', '/admin/floors/%d' % closed, {'users': []}, 200),
        lambda: w.bob.wait('evict', lambda m: m['floor'] == closed))
    w.bob.enter(w.floor)
    at_once('right', lambda: allow(w.ada, 'member', []),
            lambda: w.bob.wait('rights', lambda m: m['can'] == []))
    allow(w.ada, 'member', DEFAULT)
    path = '/admin/users/%d' % w.bob.id
    at_once('role', lambda: w.ada.api('PATCH', path, {'role': w.late}, 200),
            lambda: w.bob.bye('ended', 4001))
    w.bob.sign_in()
    w.bob.open_on(1).enter(w.floor)
    at_once('own right', lambda: allow(w.ada, w.late, ['video']),
            lambda: w.bob.wait('rights', lambda m: m['can'] == ['video']))
    at_once('lock', lambda: w.ada.api('PATCH', path, {'state': 'locked'},
                                      200),
            lambda: w.bob.bye('suspended', 4001))
    w.ada.api('PATCH', path, {'state': 'active'}, 200)
    w.bob.sign_in()
    w.bob.open_on(0).enter(w.floor)
    at_once('removal', lambda: w.ada.api('DELETE', path, {}, 204),
            lambda: w.bob.bye('ended', 4001))
    print('  ' + ', '.join('%s %.0f ms' % x for x in took.items()))
    w.bob = d.person('acme', 'bob@acme.example')


def fields(d, w):
    """what is wrong is named"""
    for method, path, body, status, field in (
            ('POST', 'roles', {'name': 'A'}, 422, 'can'),
            ('POST', 'roles', {'can': []}, 422, 'name'),
            ('POST', 'roles', {'name': ' ', 'can': []}, 422, 'name'),
            ('POST', 'roles', {'name': 'x' * 65, 'can': []}, 422, 'name'),
            ('POST', 'roles', {'name': 'A', 'can': ['fly']}, 422, 'can'),
            ('POST', 'roles', {'name': 'A', 'can': 'chat'}, 422, 'can'),
            ('POST', 'roles', {'name': 'A', 'can': [], 'x': 1}, 422, 'x'),
            ('POST', 'roles', {'name': 'admin', 'can': []}, 409, 'name'),
            ('POST', 'roles', {'name': 'Late', 'can': []}, 409, 'name'),
            ('PATCH', 'roles/member', {'can': []}, 422, 'version'),
            ('PATCH', 'roles/member', {'version': -1}, 422, 'version'),
            ('PATCH', 'roles/member', {
                'version': roles(w.ada)['member']['version'], 'name': 'X'},
             422, 'name'),
            ('PATCH', 'roles/guest', {'version': 0, 'can': ['guest']}, 422,
             'can'),
            ('PATCH', 'users/%d' % w.bob.id, {'role': 'guest'}, 422, 'role'),
            ('PATCH', 'users/%d' % w.bob.id, {'role': 255}, 422, 'role'),
            ('PATCH', 'users/%d' % w.bob.id, {'role': 2}, 422, 'role'),
            ('PATCH', 'users/%d' % w.bob.id, {'role': 'member', 'was': 3},
             422, 'was'),
            ('POST', 'users', {'email': 'x@acme.example', 'role': 200}, 422,
             'role')):
        r = w.ada.api(method, '/admin/' + path, body)
        equal((r.status, r.json().get('field')), (status, field),
              (path, body))
    # Administrators have all rights, and nowhere to take one away.
    equal(roles(w.ada)['admin']['can'], RIGHTS, 'administrators')
    equal(roles(w.ada)['admin']['settable'], [], 'administrators')
    for path in ('roles/admin', 'roles/1', 'roles/2'):
        check(w.ada.api('PATCH', '/admin/' + path, {
            'version': 0, 'can': []}).status in (404, 405), path)


def operator(d, w):
    """risactl: role add, list, allow, deny, rename, delete; user role"""
    def row(name):
        return {r['role']: r for r in
                d.json('role', 'list', 'acme')['roles']}.get(name)

    def refused(say, *words):
        code, _, err = d.ctl(*words)
        equal(code, 1, words)
        check(say in err, '%r: %r is not in %r' % (words, say, err))

    seen = len(trail(d, 'acme'))
    d.do('role', 'add', 'acme', 'Contractor')
    d.do('user', 'role', 'acme', w.eve.mail, 'Contractor')
    w.eve.sign_in()
    w.eve.open()
    equal(w.eve.hello['can'], DEFAULT, 'as members')
    d.do('role', 'deny', 'acme', 'Contractor', 'dm')
    told(w.eve, [r for r in DEFAULT if r != 'dm'])
    d.do('role', 'allow', 'acme', 'Contractor', 'guest')
    told(w.eve, [r for r in RIGHTS if r != 'dm'])
    d.do('role', 'rename', 'acme', 'Contractor', 'Outside')
    equal(row('Contractor'), None, 'the old name')
    equal((row('Outside')['people'], row('Outside')['may']),
          (1, {r: r != 'dm' for r in RIGHTS}), 'list')
    equal(d.json('user', 'show', 'acme', w.eve.mail)['user']['role'],
          'Outside', 'show')
    check('Outside' in d.do('user', 'list', 'acme'), 'as text')
    refused('1 people have it', 'role', 'delete', 'acme', 'Outside')
    link = link_token(d.do('user', 'add', 'acme', 'new@acme.example', 'role',
                           'Outside'))
    p = Person(d, 'acme', 'new@acme.example').accept(link)
    equal(p.user['role'], row('Outside')['id'], 'user add')
    p.close()
    d.do('user', 'delete', 'acme', p.mail)
    d.do('user', 'role', 'acme', w.eve.mail, 'member')
    d.do('role', 'delete', 'acme', 'Outside')
    refused('no such role', 'role', 'delete', 'acme', 'Outside')
    refused('no such role', 'user', 'add', 'acme', 'y@acme.example', 'role',
            'king')
    refused('no such role', 'role', 'allow', 'acme', 'adm', 'chat')
    refused('every tenant', 'role', 'delete', 'acme', 'member')
    refused('every tenant', 'role', 'rename', 'acme', 'guest', 'X')
    refused('stays as it is', 'role', 'deny', 'acme', 'admin', 'chat')
    refused('stays as it is', 'role', 'allow', 'acme', 'guest', 'guest')
    refused('exists', 'role', 'add', 'acme', 'Late')
    refused('last administrator', 'user', 'role', 'globex', w.gil.mail,
            'member')
    w.eve.sign_in()
    # The trail says from what to what.
    n, u = w.late + 1, w.eve.id
    equal([line for line in trail(d, 'acme')[seen:] if 'role' in line and
           not any(w in line for w in ('add user', 'delete user'))], [
        'by operator 0: add role %d, Contractor' % n,
        'by operator 0: set role of user %d from 0, member, to %d, '
        'Contractor' % (u, n),
        'by operator 0: set dm of role %d from on to off' % n,
        'by operator 0: set guest of role %d from off to on' % n,
        'by operator 0: rename role %d from Contractor to Outside' % n,
        'by operator 0: set role of user %d from %d, Outside, to 0, member' %
        (u, n),
        'by operator 0: delete role %d, Outside' % n], 'the trail')


def kept(d, w):
    """a restart keeps roles and rights; the other tenant has its own"""
    allow(w.ada, 'member', ['chat', 'screen'])
    allow(w.ada, 'guest', ['chat'])
    w.ada.api('PATCH', '/admin/users/%d' % w.bob.id, {'role': w.late}, 200)
    before = roles(w.ada)
    d.restart()
    equal(until(lambda: w.ada.retry('GET', '/admin/roles', want=200),
                'roles').json()['roles'], list(before.values()), 'roles')
    w.bob.sign_in().open()
    equal((w.bob.user['role'], w.bob.hello['can']), (w.late, ['video']),
          'of somebody')
    w.eve.open()
    equal(w.eve.hello['can'], ['chat', 'screen'], 'member')
    equal(roles(w.gil)['member']['can'], DEFAULT, 'globex')
    # Storage alone dies: who is here is told what holds by now.
    os.kill(d.pids()[('storage', 0)], 9)
    until(lambda: w.eve.api('GET', '/session').status == 200, 'storage')
    w.eve.wait('rights', lambda m: m['can'] == ['chat', 'screen'])
    until(lambda: patch_ok(w.ada, 'member', DEFAULT), 'set again')
    w.eve.wait('rights', lambda m: m['can'] == DEFAULT)


def patch_ok(p, role, can):
    """Storage may not be back yet."""
    r = p.api('GET', '/admin/roles')
    if r.status != 200:
        return False
    rows = {x['id']: x for x in r.json()['roles']}
    return p.api('PATCH', '/admin/roles/%s' % role, {
        'version': rows[role]['version'], 'can': can}).status == 200


def edited(d, w):
    """a role written into the database opens nothing"""
    number = d.json('tenant', 'show', 'acme')['tenant']['id']
    path = d.path('data', 'tenants', str(number), 'main.db')
    d.stop()
    db = sqlite3.connect(path)
    for role, who in ((1, w.bob), (w.late, w.eve)):
        db.execute('UPDATE users SET role = ? WHERE id = ?', (role, who.id))
    db.execute('UPDATE roles SET version = version + 1 WHERE id = 0')
    db.commit()
    db.close()
    d.start()
    w.ada.sign_in()
    for who in (w.bob, w.eve):
        check(who.api('POST', '/session', {
            'email': who.mail, 'password': who.password}).status != 201,
            who.mail)
        check(who.mail not in [u['email'] for u in w.ada.get(
            '/admin/users')['users']], 'listed')
    equal(roles(w.ada)['member']['can'], [], 'what does not open may nothing')
    allow(w.ada, 'member', DEFAULT)


class World:
    def __init__(self, d):
        for tenant in ('acme', 'globex'):
            d.do('tenant', 'add', tenant)
        self.floor = d.floor('acme', 'One')
        self.ada = d.person('acme', 'ada@acme.example', 'admin')
        self.two = d.person('acme', 'two@acme.example', 'admin')
        self.gil = d.person('globex', 'gil@globex.example', 'admin')
        self.bob = d.person('acme', 'bob@acme.example')
        self.eve = d.person('acme', 'eve@acme.example')


def main():
    d = Daemon(workers=2).start()
    w = World(d)
    s = Suite(d)
    for fn in (each_right, own_role, in_use, two_at_once, acts, fields,
               operator):
        s.run_test(fn, d, w)
    for fn in (kept, edited):
        s.run_test(fn, d, w, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
