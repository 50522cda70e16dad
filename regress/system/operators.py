#!/usr/bin/env python3
"""risactl: every word, its refusals, its exit codes, its JSON."""

import json
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import MAP, Daemon, Http, Person, link_token, \
    until                                                       # noqa: E402


def refused(d, *words, say=None):
    """This is refused: exit 1, one reason on stderr, nothing on stdout."""
    code, out, err = d.ctl(*words)
    equal((code, out), (1, ''), words)
    check(err.startswith('risactl: ') and len(err) > 10, (words, err))
    check(say is None or say in err, '%r: %r is not in %r' % (words, say,
                                                              err))


def usage(d):
    """unknown, missing and spare words: exit 2 and the words that are valid"""
    for words, valid in (
            ((), ()), (('x',), ('tenant', 'user', 'floor', 'show', 'reload',
                                'session', 'log', 'operator')),
            (('tenant',), ('add', 'list', 'show', 'suspend', 'resume')),
            (('tenant', 'x'), ('add', 'list', 'show', 'suspend', 'resume')),
            (('user', 'x'), ('add', 'list', 'show', 'lock', 'unlock',
                             'reset', 'delete')),
            (('floor', 'x'), ('add', 'list', 'show', 'allow', 'deny',
                              'delete')),
            (('session', 'x'), ('list', 'end')),
            (('show', 'x'), ('status', 'processes', 'stats')),
            (('log', 'x'), ('verbose', 'brief')),
            (('role', 'x'), ('add', 'allow', 'delete', 'deny', 'list',
                             'rename')),
            (('role', 'allow', 'acme', 'member', 'all'),
             ('chat', 'dm', 'guest', 'screen', 'video', 'voice')),
            (('operator', 'x'), ('add', 'list', 'remove')),
            (('operator', 'add', 'nobody'), ('role',)),
            (('operator', 'add', 'nobody', 'role', 'x'),
             ('owner', 'operator', 'auditor')),
            (('operator', 'add', 'nobody', 'role', 'owner', 'until', 'x'),
             ()),
            (('floor', 'allow', 'acme', 'One', 'x'),
             ('all', 'group', 'user')),
            (('reload', 'now'), ()), (('show', 'stats', 'x'), ()),
            (('log', 'show', 'kind', 'x'),
             ('request', 'sign-in', 'sign-out', 'failed', 'enter', 'leave',
              'talk', 'talk-end')),
            (('log', 'export', 'csv', 'f', 'last', '5'), ('from', 'reason')),
            (('tenant', 'add'), ()), (('tenant', 'add', 'acme', 'title'), ()),
            (('tenant', 'add', 'Not A Label'), ()),
            (('tenant', 'add', '-x'), ()), (('tenant', 'add', 'x' * 33), ()),
            (('user', 'add', 'acme', 'no mail'), ()),
            (('user', 'add', 'acme', 'a@b.example', 'name', ''), ()),
            (('tenant', 'add', 'x', 'title', 'y' * 101), ()),
            (('s',), ()), (('-x', 'show', 'stats'), ()), (('-s',), ())):
        code, out, err = d.ctl(*words)
        equal((code, out), (2, ''), words)
        check(err, words)
        for word in valid:
            check(re.search(r'\b%s\b' % word, err), (words, word, err))
    check('reload' not in d.ctl('tenant', 'x')[2], 'words of another table')


def dashes(d):
    """a name that begins with - is a name, and no option"""
    d.do('tenant', 'add', 'dash', 'title', '-j')
    for name in ('-1', '-s/dev/null', '--', '-j'):
        d.do('floor', 'add', 'dash', name)
        equal(d.json('floor', 'show', 'dash', name)['floor']['name'], name,
              'name')
    equal(d.json('tenant', 'show', 'dash')['tenant']['title'], '-j', 'title')


def abbreviations(d):
    """a word may be cut as long as it is clear; if not, all it could be"""
    d.do('tenant', 'add', 'short')
    equal(d.do('t', 'l'), d.do('tenant', 'list'), 't l')
    equal(d.do('sho', 'proc'), d.do('show', 'processes'), 'sho proc')
    code, _, err = d.ctl('s', 'stats')
    equal(code, 2, 's')
    check('session' in err and 'show' in err and 'tenant' not in err, err)
    code, _, err = d.ctl('show', 'sta')
    equal(code, 2, 'show sta')
    check('stats' in err and 'status' in err, err)


def tenants(d):
    """tenant add, list, show, suspend, resume"""
    d.do('tenant', 'add', 'one', 'title', '株式会社 <一>', 'contact',
         'Boss@One.example')
    t = d.json('tenant', 'show', 'one')['tenant']
    equal((t['name'], t['title'], t['contact'].lower(), t['state'],
           t['users'], t['floors']),
          ('one', '株式会社 <一>', 'boss@one.example', 'active', 0, 0), 'show')
    check('one' in [x['name'] for x in d.json('tenant', 'list')['tenants']],
          'list')
    check('株式会社' in d.do('tenant', 'show', 'one'), 'text')
    refused(d, 'tenant', 'add', 'one', say='exists')
    refused(d, 'tenant', 'show', 'nobody')
    refused(d, 'tenant', 'suspend', 'nobody')
    d.do('tenant', 'suspend', 'one')
    equal(d.json('tenant', 'show', 'one')['tenant']['state'], 'suspended',
          'state')
    d.do('tenant', 'resume', 'one')
    equal(d.json('tenant', 'show', 'one')['tenant']['state'], 'active',
          'state')
    d.do('tenant', 'add', 'plain')
    check(d.json('tenant', 'show', 'plain')['tenant']['title'], 'a title')


def users(d):
    """user add, list, show, invite, lock, unlock, reset, delete"""
    mail = 'uma@acme.example'
    o = d.json('user', 'add', 'acme', 'Uma@Acme.example', 'role', 'admin',
               'name', '馬')['link']
    check(o['url'].startswith('https://acme.localhost:%d/invite/' % d.port),
          o)
    check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', o['expires']), o)
    refused(d, 'user', 'add', 'acme', mail, say='exists')
    refused(d, 'user', 'add', 'nobody', 'x@acme.example')
    u = d.json('user', 'show', 'acme', mail)['user']
    equal((u['mail'], u['role'], u['state'], u['last']),
          (mail, 'admin', 'invited', None), 'show')
    token = link_token(d.do('user', 'invite', 'acme', mail))
    with Http(d) as h:
        old = link_token(o['url'])
        equal(h.request('GET', '/api/v1/invite/' + old).status, 404, 'old')
        r = h.request('GET', '/api/v1/invite/' + token).json()
        equal((r['kind'], r['name']), ('invite', '馬'), 'new')
    p = Person(d, 'acme', mail).accept(token)
    equal((p.user['role'], p.user['name']), ('admin', '馬'), 'user')
    until(lambda: d.json('user', 'show', 'acme', mail)['user']['last'],
          'last')
    refused(d, 'user', 'invite', 'acme', mail)
    d.person('acme', 'second@acme.example', 'admin').close()
    d.do('user', 'lock', 'acme', mail)
    equal(d.json('user', 'show', 'acme', mail)['user']['state'], 'locked',
          'state')
    check(mail in d.do('user', 'list', 'acme'), 'list')
    d.do('user', 'unlock', 'acme', mail)
    link_token(d.do('user', 'reset', 'acme', mail))
    d.do('user', 'delete', 'acme', mail)
    for word in ('show', 'lock', 'unlock', 'reset', 'invite', 'delete'):
        refused(d, 'user', word, 'acme', mail)
    check(mail not in [x['mail'] for x in
                       d.json('user', 'list', 'acme')['users']], 'list')
    p.close()


def floors(d):
    """floor add, list, show, allow, deny, delete"""
    d.do('floor', 'add', 'acme', '３F 開発', 'template', 'office')
    d.do('floor', 'add', 'acme', 'Mine', 'map', d.path('map.json'))
    d.do('floor', 'add', 'acme', 'Default')
    f = d.json('floor', 'show', 'acme', 'Mine')['floor']
    equal((f['name'], f['open'], f['users'], f['groups']),
          ('Mine', True, 0, 0), 'show')
    equal(d.json('floor', 'show', 'acme', str(f['id']))['floor'], f,
          'by its number')
    refused(d, 'floor', 'add', 'acme', 'Mine', say='exists')
    refused(d, 'floor', 'add', 'acme', 'X', 'template', 'castle')
    refused(d, 'floor', 'add', 'nobody', 'X')
    refused(d, 'floor', 'show', 'acme', 'Nothing')
    d.person('acme', 'fay@acme.example').close()
    d.do('floor', 'deny', 'acme', 'Mine', 'all')
    d.do('floor', 'allow', 'acme', 'Mine', 'user', 'fay@acme.example')
    f = d.json('floor', 'show', 'acme', 'Mine')['floor']
    equal((f['open'], f['users']), (False, 1), 'closed')
    check('fay@acme.example' in f['who'], f)
    refused(d, 'floor', 'allow', 'acme', 'Mine', 'user', 'no@acme.example')
    refused(d, 'floor', 'allow', 'acme', 'Mine', 'group', 'Nobody')
    d.do('floor', 'deny', 'acme', 'Mine', 'user', 'fay@acme.example')
    d.do('floor', 'allow', 'acme', 'Mine', 'all')
    f = d.json('floor', 'show', 'acme', 'Mine')['floor']
    equal((f['open'], f['users']), (True, 0), 'open')
    d.do('floor', 'delete', 'acme', 'Mine')
    refused(d, 'floor', 'delete', 'acme', 'Mine')
    equal([x['name'] for x in d.json('floor', 'list', 'acme')['floors']],
          ['３F 開発', 'Default'], 'list')


def maps(d):
    """a map that breaks a rule is refused with what is wrong"""
    def with_map(name, text):
        d.write('bad.json', text)
        refused(d, 'floor', 'add', 'acme', 'Bad ' + name, 'map',
                d.path('bad.json'))

    def change(name, fn):
        m = json.loads(json.dumps(MAP))
        fn(m)
        with_map(name, json.dumps(m))
    with_map('empty', '')
    with_map('none', 'hello')
    with_map('array', '[]')
    with_map('twice', '{"version":1,"version":1}')
    with_map('large', json.dumps(dict(MAP, x='x' * 100000)))
    change('version', lambda m: m.update(version=2))
    change('size', lambda m: m.update(size=[400, 400]))
    change('no spawn', lambda m: m.update(spawn=[]))
    change('spawn outside', lambda m: m.update(spawn=[[5000, 5000]]))
    change('room twice', lambda m: m['rooms'][1].update(id=1))
    change('room 0', lambda m: m['rooms'][0].update(id=0))
    change('capacity', lambda m: m['rooms'][0].update(capacity=0))
    change('unknown member', lambda m: m.update(script='x'))
    change('surface', lambda m: m.update(floor='lava'))
    refused(d, 'floor', 'add', 'acme', 'X', 'map', d.path('none.json'))
    check('Bad' not in d.do('floor', 'list', 'acme'), 'listed')


def sessions(d):
    """session list and end"""
    p = d.person('acme', 'sid@acme.example').open()
    rows = [r for r in d.json('session', 'list', 'acme')['sessions']
            if r['mail'] == p.mail]
    equal(len(rows), 1, 'sign-ins')
    equal((rows[0]['user'], rows[0]['address'], rows[0]['live'] >= 1),
          (p.id, '127.0.0.1', True), 'row')
    refused(d, 'session', 'end', 'acme', 'nobody@acme.example')
    d.do('session', 'end', 'acme', p.mail)
    p.bye('ended', 4001)
    check(p.mail not in d.do('session', 'list', 'acme'), 'listed')
    refused(d, 'session', 'list', 'nobody')
    p.close()


def shows(d):
    """show status, processes, stats: text and JSON"""
    procs = d.json('show', 'processes')['processes']
    equal(sorted(p['process'] for p in procs),
          ['auth', 'hash', 'keys', 'parent', 'session', 'session',
           'storage'], 'processes')
    text = d.do('show', 'processes')
    for p in procs:
        check(p['up'] and str(p['pid']) in text, p)
    before = d.stats()
    with Http(d) as h:
        for _ in range(5):
            h.request('GET', '/api/v1/tenant')
    now = d.stats()
    equal(sum(now['session.%d.requests' % i] - before['session.%d.requests'
                                                      % i]
              for i in (0, 1)), 5, 'requests')
    check(re.search(r'session\.1\.requests', d.do('show', 'stats')), 'text')
    check(d.do('show', 'status'), 'status')
    check(isinstance(d.json('show', 'status')['status'], dict), 'status')


def all_json(d):
    """with -j everything that succeeds prints one JSON object"""
    for words in (('tenant', 'list'), ('tenant', 'show', 'acme'),
                  ('tenant', 'add', 'jason'), ('tenant', 'suspend', 'jason'),
                  ('tenant', 'resume', 'jason'),
                  ('user', 'add', 'jason', 'j@acme.example'),
                  ('user', 'list', 'jason'),
                  ('user', 'show', 'jason', 'j@acme.example'),
                  ('user', 'invite', 'jason', 'j@acme.example'),
                  ('user', 'delete', 'jason', 'j@acme.example'),
                  ('floor', 'add', 'jason', 'F'), ('floor', 'list', 'jason'),
                  ('floor', 'show', 'jason', 'F'),
                  ('floor', 'deny', 'jason', 'F', 'all'),
                  ('floor', 'allow', 'jason', 'F', 'all'),
                  ('floor', 'delete', 'jason', 'F'),
                  ('session', 'list', 'jason'), ('show', 'status'),
                  ('operator', 'add', 'nobody', 'role', 'auditor'),
                  ('operator', 'list'), ('operator', 'remove', 'nobody'),
                  ('show', 'processes'), ('show', 'stats'),
                  ('log', 'brief'), ('reload',)):
        o = d.json(*words)
        check(isinstance(o, dict) and o, words)
    code, out, err = d.ctl('-j', 'tenant', 'show', 'nobody')
    equal((code, out), (1, ''), 'refused')


def terminals(d):
    """names can not act on the operator's terminal"""
    p = d.person('acme', 'esc@acme.example', 'admin')
    p.api('PATCH', '/admin/tenant', {'title': 'a\u202eb\u2066c'}, 200)
    for words in (('tenant', 'list'), ('-j', 'tenant', 'list')):
        out = d.do(*words)
        check(not re.search('[\u202a-\u202e\u2066-\u2069\x1b\x9b]', out),
              repr(out))
    p.close()


def garbage(d):
    """bytes on the control socket that are no imsg only end that client"""
    held = []
    for data in (b'', b'\0' * 16, b'\xff' * 64, b'GET / HTTP/1.1\r\n\r\n',
                 struct.pack('=IIII', 1, 16, 0, 0),
                 struct.pack('=IIII', 1, 0x80000010, 0, 0),
                 struct.pack('=IIII', 999, 4096, 0, 0) + b'x' * 4080,
                 struct.pack('=IIII', 1, 2 ** 31 - 1, 0, 0)):
        s = socket.socket(socket.AF_UNIX)
        s.connect(d.path('risad.sock'))
        s.sendall(data)
        held.append(s)
    # Each has his place; all of one user's are taken, and soon free again.
    for s in held:
        s.close()
    until(lambda: d.ctl('show', 'status')[0] == 0, 'risactl is served')


def nobody_home():
    """without a daemon: exit 1 and why"""
    d = Daemon()
    code, out, err = d.ctl('show', 'status')
    equal((code, out), (1, ''), 'no socket')
    check('risad.sock' in err, err)
    d.end()


def many(d):
    """fifty commands at once are all answered"""
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda i: d.ctl('tenant', 'show', 'acme')[0],
                              range(50)))
    equal(codes, [0] * 50, 'exit codes')


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    s = Suite(d)
    for fn in (usage, dashes, abbreviations, tenants, users, floors, maps,
               sessions, shows, all_json, terminals, garbage, many):
        s.run_test(fn, d)
    s.run_test(nobody_home)
    s.end()


if __name__ == '__main__':
    main()
