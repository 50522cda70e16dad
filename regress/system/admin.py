#!/usr/bin/env python3
"""The console of a tenant's administrators."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, RULES, Daemon, Http, Person, link_token, \
    until                                                       # noqa: E402
from trail import trail                                         # noqa: E402

ROUTES = (
    ('GET', '/admin/users', None),
    ('POST', '/admin/users', {'email': 'x@acme.example', 'role': 'admin'}),
    ('PATCH', '/admin/users/%(user)d', {'role': 'admin'}),
    ('PATCH', '/admin/users/%(user)d', {'state': 'locked'}),
    ('DELETE', '/admin/users/%(user)d', {}),
    ('POST', '/admin/users/%(user)d/invite', {}),
    ('GET', '/admin/groups', None),
    ('POST', '/admin/groups', {'name': 'X'}),
    ('PATCH', '/admin/groups/%(group)d', {'name': 'Y', 'members': []}),
    ('DELETE', '/admin/groups/%(group)d', {}),
    ('GET', '/admin/templates', None),
    ('GET', '/admin/floors', None),
    ('POST', '/admin/floors', {'name': 'X', 'template': 'office'}),
    ('PATCH', '/admin/floors/%(floor)d', {'open': False}),
    ('DELETE', '/admin/floors/%(floor)d', {}),
    ('PATCH', '/admin/tenant', {'title': 'Taken over'}),
    ('GET', '/admin/users/%(user)d/signins', None),
    ('DELETE', '/admin/users/%(user)d/signins', {}),
    ('DELETE', '/admin/users/%(user)d/factor', {}),
    ('GET', '/admin/roles', None),
    ('POST', '/admin/roles', {'name': 'X', 'can': ['guest']}),
    ('PATCH', '/admin/roles/16', {'version': 1, 'can': ['guest']}),
    ('PATCH', '/admin/roles/member', {'version': 0, 'can': ['guest']}),
    ('PATCH', '/admin/roles/guest', {'version': 0, 'can': []}),
    ('DELETE', '/admin/roles/16', {'version': 1}),
    ('POST', '/admin/import', {'csv': 'email\n', 'dry': True}),
    ('GET', '/admin/alerts', None),
    ('GET', '/admin/policy', None),
    ('PATCH', '/admin/policy', {'was': {}, 'policy': {}}),
)


def listed(p):
    return {u['email']: u for u in p.get('/admin/users')['users']}


def everything(p):
    return json.dumps([p.get('/admin/users'), p.get('/admin/groups'),
                       p.get('/admin/floors'), p.get('/tenant')])


def members(d, ada, bob):
    """members get 403 on every route, and change nothing"""
    g = ada.api('POST', '/admin/groups', {'name': 'Team'}, 201).json()
    before = everything(ada)
    ids = {'user': ada.id, 'group': g['group']['id'], 'floor': 1}
    for method, path, body in ROUTES:
        r = bob.api(method, path % ids, body)
        equal((r.status, r.problem()), (403, 'forbidden'), path)
    equal(everything(ada), before, 'what there is')


def other_tenant(d, ada, bob):
    """another tenant's administrator finds nothing of ours"""
    gil = d.person('globex', 'gil@globex.example', 'admin')
    u = ada.get('/admin/users')['users']
    before = everything(ada)
    for user in [x['id'] for x in u] + [999999]:
        for method, path, body in ROUTES:
            if '%' not in path:
                continue
            if user == gil.id:
                continue
            r = gil.api(method, path % {'user': user, 'group': user,
                                        'floor': user}, body)
            equal((r.status, r.problem()), (404, 'not-found'), path)
    equal(everything(ada), before, 'what there is')
    check('acme' not in everything(gil), 'seen')
    gil.close()


def users(d, ada, bob):
    """adding, inviting, renaming, promoting, locking, deleting a user"""
    r = ada.api('POST', '/admin/users', {
        'email': 'New.Person@ACME.example', 'role': 'member',
        'name': '新人'}, 201).json()
    u, link = r['user'], r['invite']
    equal((u['email'], u['role'], u['state'], u['name'], u['last'],
           u['groups']), ('new.person@acme.example', 'member', 'invited',
                          '新人', 0, []), 'user')
    equal(u['invite'], link['expires'], 'expires')
    check(link['url'].startswith('https://acme.localhost:%d/invite/'
                                 % d.port), link)
    r = ada.api('POST', '/admin/users', {'email': 'NEW.person@acme.example',
                                         'role': 'member'})
    equal((r.status, r.problem(), r.json()['field']),
          (409, 'conflict', 'email'), 'again')
    p = Person(d, 'acme', u['email']).accept(link_token(link['url']))
    equal((p.id, p.user['name']), (u['id'], '新人'), 'the user')
    equal(p.api('GET', '/admin/users').status, 403, 'a member')
    row = listed(ada)[u['email']]
    equal((row['state'], row['invite']), ('active', 0), 'active')
    check(row['last'] > 0, 'last sign-in')

    r = ada.api('PATCH', '/admin/users/%d' % p.id, {
        'role': 'admin', 'name': '古い人'}, 200).json()['user']
    equal((r['role'], r['name']), ('admin', '古い人'), 'changed')
    until(lambda: p.api('GET', '/session').status == 401 or
          p.get('/session')['user']['role'] == 'admin', 'the new role')
    p.sign_in()
    equal(p.user['role'], 'admin', 'role')
    p.api('GET', '/admin/users', want=200)
    ada.api('PATCH', '/admin/users/%d' % p.id, {'role': 'member'}, 200)
    r = p.api('GET', '/admin/users')
    check(r.status in (401, 403), 'at once: %r' % r)

    p.sign_in().open()
    ada.api('PATCH', '/admin/users/%d' % p.id, {'state': 'locked'}, 200)
    p.bye('suspended', 4001)
    equal(p.api('GET', '/session').status, 401, 'locked')
    equal(p.api('POST', '/session', {'email': p.mail, 'password':
                                     PASSWORD}).status, 401, 'locked')
    ada.api('PATCH', '/admin/users/%d' % p.id, {'state': 'active'}, 200)
    p.sign_in().open()
    r = ada.api('PATCH', '/admin/users/%d' % p.id, {'state': 'invited'})
    equal((r.status, r.json()['field']), (422, 'state'), 'invited')
    ada.api('DELETE', '/admin/users/%d' % p.id, {}, 204)
    p.bye('ended', 4001)
    check(p.mail not in listed(ada), 'still listed')
    for method, path in (('DELETE', ''), ('PATCH', ''), ('POST', '/invite')):
        r = ada.api(method, '/admin/users/%d%s' % (p.id, path), {})
        equal((r.status, r.problem()), (404, 'not-found'), 'gone')
    p.close()


def resend(d, ada, bob):
    """a new invitation kills the old one; for somebody active it is a reset"""
    r = ada.api('POST', '/admin/users', {'email': 're@acme.example',
                                         'role': 'member'}, 201).json()
    old, uid = link_token(r['invite']['url']), r['user']['id']
    new = link_token(ada.api('POST', '/admin/users/%d/invite' % uid, {},
                             201).json()['invite']['url'])
    with Http(d) as h:
        equal(h.request('GET', '/api/v1/invite/' + old).status, 404, 'old')
        equal(h.request('GET', '/api/v1/invite/' + new).json()['kind'],
              'invite', 'new')
    p = Person(d, 'acme', 're@acme.example').accept(new, 'Re').open()
    third = link_token(ada.api('POST', '/admin/users/%d/invite' % uid, {},
                               201).json()['invite']['url'])
    p.bye('ended', 4001)
    equal(p.api('POST', '/session', {'email': p.mail, 'password':
                                     PASSWORD}).status, 401, 'old password')
    with Http(d) as h:
        equal(h.request('GET', '/api/v1/invite/' + third).json()['kind'],
              'reset', 'kind')
    Person(d, 'acme', p.mail, 'a new one 123').accept(third).close()
    p.close()


def last_admin(d, ada, bob):
    """the last active administrator can not be lost"""
    eve = d.person('acme', 'eve@acme.example', 'admin')
    inv = ada.api('POST', '/admin/users', {'email': 'inv@acme.example',
                                           'role': 'admin'}, 201).json()
    eve.api('PATCH', '/admin/users/%d' % ada.id, {'role': 'member'}, 200)
    for method, body, field in (('PATCH', {'role': 'member'}, 'role'),
                                ('PATCH', {'state': 'locked'}, 'state'),
                                ('DELETE', {}, None)):
        r = eve.api(method, '/admin/users/%d' % eve.id, body)
        equal((r.status, r.problem()), (409, 'conflict'), body)
        check(field in (None, r.json().get('field')), r)
    eve.api('PATCH', '/admin/users/%d' % ada.id, {'role': 'admin'}, 200)
    ada.sign_in()
    ada.api('DELETE', '/admin/users/%d' % eve.id, {}, 204)
    ada.api('DELETE', '/admin/users/%d' % inv['user']['id'], {}, 204)
    r = ada.api('PATCH', '/admin/users/%d' % ada.id, {'role': 'member',
                                                      'name': 'Ada'})
    equal(r.status, 409, 'the last one')
    equal(listed(ada)[ada.mail]['role'], 'admin', 'role')
    eve.close()


def groups(d, ada, bob):
    """groups: made, renamed, filled, deleted, no name twice"""
    g = ada.api('POST', '/admin/groups', {
        'name': '営業', 'members': [bob.id, ada.id]}, 201).json()['group']
    equal((g['name'], sorted(g['members'])), ('営業', sorted([bob.id,
          ada.id])), 'group')
    equal(listed(ada)[bob.mail]['groups'], [g['id']], 'of bob')
    r = ada.api('POST', '/admin/groups', {'name': '営業'})
    equal((r.status, r.json()['field']), (409, 'name'), 'twice')
    g = ada.api('PATCH', '/admin/groups/%d' % g['id'], {
        'name': 'Sales', 'members': [ada.id, ada.id]}, 200).json()['group']
    equal((g['name'], g['members']), ('Sales', [ada.id]), 'changed')
    g = ada.api('PATCH', '/admin/groups/%d' % g['id'], {
        'name': 'Sales 2'}, 200).json()['group']
    equal(g['members'], [ada.id], 'members stay')
    r = ada.api('PATCH', '/admin/groups/%d' % g['id'],
                {'members': [999999]})
    equal((r.status, r.json().get('field')), (422, 'members'), 'nobody')
    ada.api('DELETE', '/admin/groups/%d' % g['id'], {}, 204)
    equal(ada.api('DELETE', '/admin/groups/%d' % g['id'], {}).status, 404,
          'gone')
    equal(listed(ada)[ada.mail]['groups'], [], 'of ada')
    check('Sales' not in json.dumps(ada.get('/admin/groups')), 'listed')


def floors(d, ada, bob):
    """floors: made of templates, renamed, closed, opened, deleted"""
    names = ada.get('/admin/templates')['templates']
    check('office' in names and 'lobby' in names, names)
    bob.open()
    f = ada.api('POST', '/admin/floors', {
        'name': '5F', 'template': 'lobby'}, 201).json()['floor']
    equal((f['name'], f['open'], f['users'], f['groups']),
          ('5F', True, [], []), 'floor')
    bob.wait('floors', lambda m: '5F' in [x['name'] for x in m['floors']])
    bob.enter(f['id'])
    r = ada.api('POST', '/admin/floors', {'name': '5F', 'template': 'lobby'})
    equal((r.status, r.json()['field']), (409, 'name'), 'twice')
    r = ada.api('POST', '/admin/floors', {'name': 'x', 'template': 'castle'})
    equal((r.status, r.json()['field']), (422, 'template'), 'no such')
    path = '/admin/floors/%d' % f['id']
    f = ada.api('PATCH', path, {'name': '6F', 'open': False,
                                'users': [ada.id]}, 200).json()['floor']
    equal((f['name'], f['open'], f['users']), ('6F', False, [ada.id]),
          'closed')
    equal(bob.wait('evict')['floor'], f['id'], 'evict')
    g = ada.api('POST', '/admin/groups', {'name': 'Six', 'members':
                                          [bob.id]}, 201).json()['group']
    ada.api('PATCH', path, {'groups': [g['id']]}, 200)
    bob.wait('floors', lambda m: '6F' in [x['name'] for x in m['floors']])
    bob.enter(f['id'])
    for body, field in (({'users': [999999]}, 'users'),
                        ({'groups': [999999]}, 'groups')):
        r = ada.api('PATCH', path, body)
        equal((r.status, r.json().get('field')), (422, field), body)
    ada.api('DELETE', '/admin/groups/%d' % g['id'], {}, 204)
    equal(bob.wait('evict')['floor'], f['id'], 'the group has gone')
    ada.api('PATCH', path, {'open': True}, 200)
    bob.wait('floors', lambda m: '6F' in [x['name'] for x in m['floors']])
    bob.enter(f['id'])
    ada.api('DELETE', path, {}, 204)
    equal(bob.wait('evict')['floor'], f['id'], 'deleted')
    equal(ada.api('DELETE', path, {}).status, 404, 'gone')
    equal(ada.api('PATCH', path, {'open': True}).status, 404, 'gone')
    bob.drop()


def title(d, ada, bob):
    """the title of the tenant, told to open pages"""
    bob.open()
    for name in ('株式会社アクメ', '<i>"Acme" & Co</i>', 'x' * 100):
        o = ada.api('PATCH', '/admin/tenant', {'title': name}, 200).json()
        equal(o['tenant'], {'name': 'acme', 'title': name}, 'answer')
        bob.wait('tenant', lambda m: m['title'] == name)
        with Http(d) as h:
            equal(h.request('GET', '/api/v1/tenant').json()['tenant']
                  ['title'], name, 'to everybody')
    for bad in ('', ' ', 'x' * 101, 'a\nb'):
        r = ada.api('PATCH', '/admin/tenant', {'title': bad})
        equal((r.status, r.json()['field']), (422, 'title'), bad)
    bob.drop()


def rules(d, ada, bob):
    """B1 B9 B11: rules for passwords, set by administrators and operators"""
    def get():
        return ada.get('/admin/policy')['policy']

    def put(was, **change):
        new = dict(was, **{k.replace('_', '-'): v for k, v in change.items()})
        return ada.api('PATCH', '/admin/policy', {'was': was, 'policy': new})

    seen = len(trail(d, 'acme'))
    old = {'email': 'old@acme.example', 'password': 'qk7vzm2x'}
    with Http(d) as h:
        equal(h.request('POST', '/api/v1/invite/' + d.invite(
            'acme', old['email']), {'password': old['password']}).status, 201)
    first = get()
    equal(first, RULES, 'by default')
    bounds = ada.get('/admin/policy')['bounds']
    equal(set(bounds), {k for k, v in RULES.items() if v != []}, 'bounds')
    equal([bounds['password-length'], bounds['session-idle']],
          [[8, 128], [0, 43200]], 'bounds')
    r = put(first, password_length=12, password_kinds=3)
    equal(r.status, 200, 'set')
    equal(r.json()['policy'], get(), 'answer')
    equal(ada.get('/tenant')['policy'], {'min': 12, 'kinds': 3,
                                          'strength': 2}, 'told')
    # The second of two who change the same is told.
    r = put(first, password_length=9)
    equal((r.status, r.problem()), (409, 'conflict'), 'the second')
    equal(get(), dict(RULES, **{'password-length': 12, 'password-kinds': 3}),
          'kept')
    now = get()
    for name, bad in (('password_length', 7), ('password_length', 129),
                      ('password_kinds', 0), ('password_kinds', 5),
                      ('password_kinds', 2 ** 32 + 1),
                      ('session_idle', 43201), ('session_absolute', -1),
                      ('second_factor', 3),
                      ('lock_tries', 0), ('lock_tries', 13),
                      ('lock_minutes', 1441),
                      ('password_kinds', '2'), ('password_kinds', 1.5),
                      ('unknown', 1)):
        r = put(now, **{name: bad})
        equal((r.status, r.json().get('field')),
              (422, name.replace('_', '-')), bad)
    for o in (None, 1, [], 'x', {}):
        equal(ada.api('PATCH', '/admin/policy', {
            'was': now, 'policy': o}).status, 422, o)
    # Where a password is set, the server looks.
    link = d.invite('acme', 'new@acme.example')
    for bad in ('Short 1 abc', 'only lower case', 'lowerandUPPER'):
        r = bob.api('POST', '/password', {'current': PASSWORD, 'new': bad})
        equal((r.status, r.json().get('field')), (422, 'new'), bad)
        with Http(d) as h:
            r = h.request('POST', '/api/v1/invite/' + link,
                          {'password': bad, 'name': 'New'})
            equal((r.status, r.json().get('field')), (422, 'password'), bad)
    with Http(d) as h:
        o = h.request('GET', '/api/v1/invite/' + link).json()
        equal(o['policy'], {'min': 12, 'kinds': 3, 'strength': 2},
              'in the invitation')
        r = h.request('POST', '/api/v1/invite/' + link,
                      {'password': 'Long enough 12', 'name': 'New'})
        equal(r.status, 201, 'by the rules')
    # Those who have a shorter one still come in.
    with Http(d) as h:
        equal(h.request('POST', '/api/v1/session', old).status, 201, 'old')
    # The other tenant has its own.
    gil = d.person('globex', 'gil2@globex.example', 'admin')
    equal(gil.get('/admin/policy')['policy'], first, 'globex')
    gil.close()
    # risactl, and a restart.
    d.do('policy', 'set', 'acme', 'password-kinds', '2')
    d.do('policy', 'set', 'acme', 'session-idle', '480')
    now = dict(RULES, **{'password-length': 12, 'password-kinds': 2,
                         'session-idle': 480})
    equal(get(), now, 'risactl')
    shown = {r['rule']: r for r in d.json('policy', 'show', 'acme')['policy']}
    equal(shown['password-kinds'], {'rule': 'password-kinds', 'value': 2,
                                    'from': 1, 'to': 4}, 'shown')
    equal({k: r['value'] for k, r in shown.items()},
          {k: '' if v == [] else 'direct' if k == 'talk-way' else v
           for k, v in now.items()}, 'all of them')
    equal(bob.get('/session')['limits']['idle'], 30 * 60, 'as it was told')
    q = d.person('acme', 'late@acme.example')
    equal(q.get('/session')['limits']['idle'], 480 * 60, 'told')
    q.close()
    for bad in (('acme', 'password-kinds', '5'), ('nobody',
                'password-kinds', '2')):
        equal(d.ctl('policy', 'set', *bad)[0], 1, bad)
    pid = d.pids('storage')[('storage', 0)]
    os.kill(pid, signal.SIGKILL)
    until(lambda: d.pids('storage').get(('storage', 0)) not in (None, pid),
          'storage is back')
    until(lambda: ada.api('GET', '/admin/policy').status == 200, 'served')
    equal(get(), now, 'kept')
    equal([line for line in trail(d, 'acme')[seen:] if ': set ' in line], [
        'by user %d: set password-length from 8 to 12' % ada.id,
        'by user %d: set password-kinds from 1 to 3' % ada.id,
        'by operator 0: set password-kinds from 3 to 2',
        'by operator 0: set session-idle from 0 to 480'], 'the trail')
    equal(put(get(), **first).status, 200, 'back')


def domains(d, ada, bob):
    """B6: whom a tenant invites may be limited to domains"""
    first = ada.get('/admin/policy')['policy']

    def put(words, want=200):
        was = ada.get('/admin/policy')['policy']
        r = ada.api('PATCH', '/admin/policy', {
            'was': was, 'policy': dict(was, **{'mail-domains': words})})
        equal(r.status, want, words)
        return r.json()

    def invite(mail):
        r = ada.api('POST', '/admin/users', {'email': mail, 'role': 'member'})
        return r.status, r.problem(), r.json().get('field')

    seen = len(trail(d, 'acme'))
    for bad in ('a.example', ['a b.example'], ['a.example', ''], [1], None,
                ['-.example'], ['a.example' * 99], ['*.example'],
                ['d%d.example' % i for i in range(200)]):
        equal(put(bad, 422)['field'], 'mail-domains', bad)
    equal(put(['Acme.Example', '.branch.example'])['policy']['mail-domains'],
          ['acme.example', '.branch.example'], 'kept in lower case')
    equal(invite('x@ACME.example')[0], 201, 'the domain')
    equal(invite('x@tokyo.branch.example')[0], 201, 'one below')
    for mail in ('x@branch.example', 'x@notacme.example', 'x@a.acme.example'):
        equal(invite(mail), (422, 'domain', 'email'), mail)
        code, _, err = d.ctl('user', 'add', 'acme', mail)
        equal(code, 1, mail)
        check('invite nobody of this domain' in err, err)
    code, _, err = d.ctl('policy', 'set', 'acme', 'mail-domains', 'a_b.example')
    equal(code, 1, 'a bad one')
    check('a_b.example' in err, err)
    d.do('policy', 'set', 'acme', 'mail-domains', 'one.example, two.example')
    equal(ada.get('/admin/policy')['policy']['mail-domains'],
          ['one.example', 'two.example'], 'risactl')
    equal(bob.api('GET', '/session').status, 200, 'who is here stays')
    d.do('policy', 'set', 'acme', 'mail-domains', '')
    equal(invite('x@notacme.example')[0], 201, 'any again')
    equal([line for line in trail(d, 'acme')[seen:] if ': set ' in line], [
        'by user %d: set mail-domains from [] to [acme.example '
        '.branch.example]' % ada.id,
        'by operator 0: set mail-domains from [acme.example .branch.example] '
        'to [one.example two.example]',
        'by operator 0: set mail-domains from [one.example two.example] to []'
    ], 'the trail')
    equal(ada.get('/admin/policy')['policy'], first, 'back')


def direct_hidden(d, ada, bob):
    """administrators do not read what two others say to each other"""
    eve = d.person('acme', 'eve2@acme.example').open()
    bob.open()
    bob.say('only for eve', {'user': eve.id})
    eve.hears('only for eve')
    ada.open()
    for p in (bob, eve):
        equal(ada.history('user:%d' % p.id)['messages'], [], 'history')
        equal(ada.get('/messages?channel=user:%d' % p.id)['messages'], [],
              'by HTTP')
    check('only for eve' not in json.dumps(ada.hello), 'hello')
    ada.settle()
    check(ada.find('msg') is None, 'heard')
    for p in (ada, bob, eve):
        p.drop()


def many(d, ada, bob):
    """two hundred users and sixty groups are listed whole"""
    for i in range(200):
        ada.api('POST', '/admin/users', {
            'email': 'many%d@acme.example' % i, 'role': 'member',
            'name': '多' * 60}, 201)
    ids = [u['id'] for u in ada.get('/admin/users')['users']]
    check(len([1 for m in listed(ada) if m.startswith('many')]) == 200,
          'users')
    for i in range(60):
        ada.api('POST', '/admin/groups', {'name': 'G %d' % i,
                                          'members': ids}, 201)
    got = [g for g in ada.get('/admin/groups')['groups']
           if g['name'].startswith('G ')]
    equal(len(got), 60, 'groups')
    check(all(sorted(g['members']) == sorted(ids) for g in got), 'members')
    for g in got:
        ada.api('DELETE', '/admin/groups/%d' % g['id'], {}, 204)


def late(d):
    """who changes what another has changed since is told, and nothing is"""
    ada = d.person('acme', 'stale@acme.example', 'admin')
    for kind, body, more in (
            ('groups', {'name': 'Late'}, {'members': [ada.id]}),
            ('floors', {'name': 'Late', 'template': 'office'},
             {'open': False, 'users': [ada.id]})):
        one = kind[:-1]
        o = ada.api('POST', '/admin/' + kind, body, want=201).json()[one]
        path = '/admin/%s/%d' % (kind, o['id'])
        for change in (more, {'name': 'Later ' + kind}):
            was = o['version']
            o = ada.api('PATCH', path, dict(change, version=was),
                        want=200).json()[one]
            check(o['version'] > was, 'the next version')
            before = ada.get('/admin/' + kind)
            r = ada.api('PATCH', path, dict(more, version=was, name='Mine'))
            equal((r.status, r.problem(), r.json()['field']),
                  (409, 'conflict', 'version'), kind)
            equal(ada.get('/admin/' + kind), before, 'nothing was changed')
        equal(ada.api('PATCH', path, {'name': 'Any ' + kind}).status, 200,
              'who does not say what was seen')
        ada.api('DELETE', path, want=204)
    ada.close()


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    d.do('tenant', 'add', 'globex')
    d.floor('acme', 'One')
    ada = d.person('acme', 'ada@acme.example', 'admin')
    bob = d.person('acme', 'bob@acme.example')
    s = Suite(d)
    for fn in (members, other_tenant, users, resend, last_admin, groups,
               floors, title, direct_hidden, many):
        s.run_test(fn, d, ada, bob)
    s.run_test(rules, d, ada, bob, restarts=True)
    s.run_test(domains, d, ada, bob)
    s.run_test(late, d)
    s.end()


if __name__ == '__main__':
    main()
