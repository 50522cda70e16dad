#!/usr/bin/env python3
"""People from a file: the dry run and the real one, in the page's routes and
by risactl; nothing half done."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Closed, Daemon, Failure, Http, Person, \
    link_token, until                                           # noqa: E402

LINES = 5000


def dry(p, csv, want=200):
    r = p.api('POST', '/admin/import', {'csv': csv, 'dry': True}, want)
    return r.json()


def real(p, csv, digest, want=200):
    return p.api('POST', '/admin/import', {'csv': csv, 'digest': digest},
                 want).json()


def both(p, csv):
    """Dry, then for real: both say the same."""
    a = dry(p, csv)
    check(a['digest'] is not None, 'at fault: %r' % faults(a))
    equal(a['done'], False, 'done')
    b = real(p, csv, a['digest'])
    equal((b['done'], b['digest']), (True, a['digest']), 'done')
    for x, y in zip(a['lines'], b['lines']):
        if x['what'] == 'add':
            check('invite' not in x and 'user' not in x, x)
            check('invite' in y and 'user' in y, y)
        equal(x, {k: v for k, v in y.items() if k != 'invite' and
                  (k != 'user' or y['what'] != 'add')}, 'line')
    equal(len(a['lines']), len(b['lines']), 'lines')
    return b['lines']


def faults(answer):
    return [(x['line'], x['field'], x['reason']) for x in answer['lines']
            if x['what'] == 'fault']


def listed(p):
    return {u['email']: u for u in p.get('/admin/users')['users']}


def everything(p):
    return (p.get('/admin/users'), p.get('/admin/groups'))


def group(p, name):
    return p.api('POST', '/admin/groups', {'name': name},
                 201).json()['group']['id']


def added(d, ada, bob):
    """people are added and changed as the dry run has said"""
    sales, dev = group(ada, '営業'), group(ada, 'R;D\\2')
    csv = ('\ufeffemail,name,role,groups,state\r\n'
           'Cleo@ACME.example,"Cleo ""C"" Ito",member,営業;R\\;D\\\\2,\r\n'
           'dan@acme.example,,管理者,,\r\n'
           '\r\n'
           'bob@acme.example,Bob,メンバー, R\\;D\\\\2 ,active\r\n'
           'ada@acme.example,,admin,,active\r\n')
    before = everything(ada)
    a = dry(ada, csv)
    equal(everything(ada), before, 'the dry run has changed something')
    equal(a['lines'][0], {
        'line': 2, 'what': 'add', 'email': 'cleo@acme.example',
        'to': {'name': 'Cleo "C" Ito', 'role': 'member', 'state': 'invited',
               'groups': '営業;R\\;D\\\\2'}}, 'first line')
    rows = both(ada, csv)
    equal([(x['line'], x['what']) for x in rows],
          [(2, 'add'), (3, 'add'), (5, 'change'), (6, 'same')], 'rows')
    equal((rows[2]['from'], rows[2]['to']), (
        {'name': 'bob', 'groups': ''},
        {'name': 'Bob', 'groups': 'R\\;D\\\\2'}), 'bob')
    u = listed(ada)
    equal(sorted(u['cleo@acme.example']['groups']), sorted([sales, dev]))
    equal(u['dan@acme.example']['role'], 'admin', 'role')
    equal((u['bob@acme.example']['name'], u['bob@acme.example']['groups']),
          ('Bob', [dev]), 'bob')
    equal([x['what'] for x in dry(ada, csv)['lines']], ['same'] * 4, 'again')
    p = Person(d, 'acme', 'cleo@acme.example').accept(
        link_token(rows[0]['invite']['url']))
    equal(p.user['name'], 'Cleo "C" Ito', 'name')
    p.open()
    rows = both(ada, 'メール,状態\ncleo@acme.example,停止中\n')
    equal((rows[0]['from'], rows[0]['to']),
          ({'state': 'active'}, {'state': 'locked'}), 'locked')
    p.bye('suspended', 4001)
    equal(listed(ada)[p.mail]['groups'], u[p.mail]['groups'], 'no column')
    both(ada, 'email,state,groups\ncleo@acme.example,active,\n')
    equal(listed(ada)[p.mail]['groups'], [], 'an empty cell')
    p.sign_in()
    p.close()


def roles(d, ada, bob):
    """a role of the tenant's own is given by its name"""
    r = ada.api('POST', '/admin/roles', {'name': '研修生', 'can': []},
                201).json()['role']
    rows = both(ada, 'email,role\nbob@acme.example,研修生\n')
    equal((rows[0]['from'], rows[0]['to']),
          ({'role': 'member'}, {'role': '研修生'}), 'bob')
    equal(listed(ada)['bob@acme.example']['role'], r['id'], 'role')
    both(ada, 'email,role\nbob@acme.example,member\n')
    # One that is called as every tenant's are in the other language.
    ada.api('POST', '/admin/roles', {'name': '管理者', 'can': []}, 201)
    for name in ('管理者', 'guest'):
        equal(faults(dry(ada, 'email,role\nbob@acme.example,%s\n' % name)),
              [(2, 'role', 'unknown')], name)
    bob.sign_in()


def refused(d, ada, bob):
    """every line at fault is named, with its field and the reason"""
    csv = ('email,name,role,groups,state\n'
           'no address,,,,\n'                               # 2
           ',X,,,\n'                                        # 3
           'e1@acme.example,,boss,,\n'                      # 4
           'e2@acme.example,,,Nobody,\n'                    # 5
           'e3@acme.example,,,,asleep\n'                    # 6
           'e4@acme.example,' + 'x' * 65 + ',,,\n'          # 7
           'e5@acme.example,' + 'x' * 300 + ',,,\n'         # 8
           'e6@acme.example,,,,locked\n'                    # 9
           'E7@acme.example,,,,\n'                          # 10
           'e7@acme.example,,,,\n'                          # 11
           'e8@acme.example,a,member\n'                     # 12
           'e9@acme.example,"a"b,member,,\n'                # 13
           'bob@acme.example,,,,invited\n'                  # 14
           'ada@acme.example,,member,,\n'                   # 15
           'e10@acme.example,"open')                        # 16
    before = everything(ada)
    a = dry(ada, csv)
    equal(a['digest'], None, 'digest')
    equal(faults(a), [
        (2, 'email', 'invalid'), (3, 'email', 'missing'),
        (4, 'role', 'unknown'), (5, 'groups', 'unknown'),
        (6, 'state', 'unknown'), (7, 'name', 'invalid'),
        (8, 'name', 'long'), (9, 'state', 'invited'),
        (11, 'email', 'twice'), (12, 'line', 'count'),
        (13, 'line', 'quote'), (14, 'state', 'invited'),
        (15, 'role', 'self'), (16, 'line', 'quote')], 'faults')
    for bad, want in (('', ('column', 'missing')),
                      ('name\nx\n', ('column', 'missing')),
                      ('email,phone\n', ('column', 'unknown')),
                      ('email,mail\n', ('column', 'twice')),
                      ('email,"x\n', ('line', 'quote'))):
        a = dry(ada, bad)
        equal((faults(a), a['digest']), ([(1,) + want], None), bad)
        r = ada.api('POST', '/admin/import', {'csv': bad,
                                              'digest': 'A' * 43})
        equal((r.status, r.json()['field']), (422, 'csv'), bad)
    for body, field in (({'csv': 'email\n'}, 'digest'),
                        ({'csv': 'email\n', 'digest': 'x'}, 'digest'),
                        ({'csv': 'email\n', 'digest': 'A' * 43,
                          'dry': True}, 'digest'),
                        ({'dry': True}, 'csv'),
                        ({'csv': 7, 'dry': True}, 'csv'),
                        ({'csv': 'email\n', 'dry': 1}, 'dry')):
        r = ada.api('POST', '/admin/import', body)
        equal((r.status, r.json()['field']), (422, field), body)
    equal(everything(ada), before, 'something was changed')


def whole(d, ada, bob):
    """one line at fault, the last: nothing is done"""
    good = 'email,role\n' + ''.join('w%d@acme.example,member\n' % i
                                    for i in range(50))
    digest = dry(ada, good)['digest']
    before = everything(ada)
    r = ada.api('POST', '/admin/import', {
        'csv': good + 'w50@acme.example,boss\n', 'digest': digest})
    equal((r.status, r.problem(), r.json()['field']),
          (409, 'conflict', 'digest'), 'the real run')
    code, out, err = ctl_file(d, good + 'w50@acme.example,boss\n')
    equal(code, 1, 'risactl')
    check('nothing was changed' in err and 'role unknown' in out, (out, err))
    equal(everything(ada), before, 'something was changed')


def last_admin(d, ada, bob):
    """the last administrator stays one, whoever takes over comes first"""
    csv = 'email,role,state\neve@acme.example,member,active\n'
    eve = d.person('acme', 'eve@acme.example', 'admin')
    # An operator's file may name everybody.
    code, out, err = ctl_file(d, 'email,role\n' + ''.join(
        '%s,member\n' % m for m, u in listed(ada).items()
        if u['role'] == 'admin'), 'dry')
    equal(code, 1, 'all of them')
    check('role last-admin' in out, out)
    code, out, err = ctl_file(d, 'email,role\nada@acme.example,member\n'
                              'eve@acme.example,member\n'
                              'bob@acme.example,admin\n')
    equal((code, err), (0, ''), 'handed over')
    u = listed(bob.sign_in())
    equal([u[m]['role'] for m in (ada.mail, eve.mail, bob.mail)],
          ['member', 'member', 'admin'], 'roles')
    equal(d.ctl('user', 'list', 'acme')[0], 0, 'alive')
    both(bob, 'email,role\nada@acme.example,admin\n')
    ada.sign_in()
    both(ada, csv + 'bob@acme.example,member,active\n')
    bob.sign_in()
    eve.close()


def second(d, ada, bob):
    """two at once: the second is told, what both had seen is no more"""
    eve = d.person('acme', 'eva@acme.example', 'admin')
    one = 'email,name\nbob@acme.example,Bobby\n'
    two = 'email,name\nbob@acme.example,Robert\n'
    a, b = dry(ada, one)['digest'], dry(eve, two)['digest']
    real(ada, one, a)
    r = eve.api('POST', '/admin/import', {'csv': two, 'digest': b})
    equal((r.status, r.problem(), r.json()['field']),
          (409, 'conflict', 'digest'), 'the second')
    equal(listed(ada)['bob@acme.example']['name'], 'Bobby', 'name')
    r = ada.api('POST', '/admin/import', {'csv': two, 'digest': a})
    equal(r.status, 409, 'the digest of another file')
    # What does not touch the file's outcome is no reason.
    b = dry(eve, two)['digest']
    ada.api('POST', '/admin/users', {'email': 'x9@acme.example',
                                     'role': 'member'}, 201)
    real(eve, two, b)
    both(ada, 'email,name\nbob@acme.example,bob\n')
    eve.close()


def apart(d, ada, bob):
    """members are refused, another tenant is not touched"""
    gil = d.person('globex', 'gil@globex.example', 'admin')
    r = bob.api('POST', '/admin/import', {'csv': 'email\n', 'dry': True})
    equal((r.status, r.problem()), (403, 'forbidden'), 'a member')
    before = everything(ada)
    csv = 'email,name\nada@acme.example,Mine\n'
    equal(both(gil, csv)[0]['what'], 'add', 'nobody of that name there')
    equal(everything(ada), before, 'the other tenant')
    gil.close()


def large(d, ada, bob):
    """only administrators may send a large body, and only so large"""
    body = json.dumps({'csv': 'email\n' + 'x' * 70000, 'dry': True}).encode()
    path = '/api/v1/admin/import'
    with Http(d) as h:
        for cookie, to, want in (
                (None, path, 401), ('A' * 43, path, 401),
                (bob.http.cookie, path, 403), (ada.http.cookie, path, 200),
                (ada.http.cookie, '/api/v1/admin/users', 413),
                (ada.http.cookie, '/api/v1/me', 413),
                (bob.http.cookie, '/api/v1/session', 413)):
            h.close()
            h.cookie = cookie
            # The head alone: whoever may not is told before it is sent.
            head = h.head('POST', to, body)[:-len(body)]
            if want != 200:
                equal(h.raw(head).status, want, '%r %s' % (cookie, to))
                check(h.ended(), 'still open')
                continue
            equal(h.raw(head + body).status, want, 'administrator')
        h.cookie = ada.http.cookie
        for more in ({'Origin': 'https://globex.localhost:%d' % d.port},
                     {'Content-Type': 'text/plain'}):
            equal(h.raw(h.head('POST', path, body, more)[:-len(body)]).status,
                  413, more)
        equal(h.raw(h.head('POST', path, None, {
            'Content-Length': '1572865'})).status, 413, 'over 1.5 MiB')
        # Two of a tenant at a time; who has gone makes room.
        head = h.head('POST', path, body)[:-len(body)]
        held = [Http(d) for _ in range(2)]
        with d.only_worker(0):
            for x in held:
                x.send(head + body[:1000])
            until(lambda: h.raw(head + body).status == 503, 'too many')
            held[0].send(body[1000:])
            equal(held[0].reply().status, 200, 'a slow one')
            held[1].close()
            until(lambda: h.raw(head + body).status == 200, 'room again')
        held[0].close()
    r = ada.api('POST', '/admin/import', {'csv': 'email\n' + 'x' *
                                          (1024 * 1024), 'dry': True}, 200)
    equal(faults(r.json()), [(1, 'line', 'long')], 'over 1 MiB')


def piecemeal(h, data):
    """Send it as TLS records of 5000 bytes: first one of them and three bytes
    of the next, later the rest.  The status of the answer."""
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(
        cafile=h.daemon.path('tls.crt')).wrap_bio(
            came, goes, server_hostname=h.name)
    with h.dial() as s:
        def patient(fn):
            while True:
                try:
                    return fn()
                except ssl.SSLWantReadError:
                    s.sendall(goes.read())
                    more = s.recv(65536)
                    check(more, 'closed')
                    came.write(more)
        patient(tls.do_handshake)
        s.sendall(goes.read())
        records = []
        for at in range(0, len(data), 5000):
            tls.write(data[at:at + 5000])
            records.append(goes.read())
        s.sendall(records[0] + records[1][:3])
        time.sleep(0.3)             # to be read; nothing depends on it
        try:
            s.sendall(records[1][3:] + b''.join(records[2:]))
        except OSError:
            pass                    # it is answered already
        return int(patient(lambda: tls.read(12)).split()[1])


def pieces(d, ada, bob):
    """a large body whose next piece is here before it is known whose it is"""
    body = json.dumps({'csv': 'email\n' + 'x' * 70000, 'dry': True}).encode()
    grants = []
    for _ in range(3):
        # The address is new: the worker does not know the token yet.
        with Http(d, source='127.6.5.4') as h, d.only_worker(0):
            h.cookie = ada.http.cookie
            equal(piecemeal(h, h.head('POST', '/api/v1/admin/import', body)),
                  200, 'the answer')
        grants.append(d.stats()['storage.grants'])
    equal(len(set(grants)), 1, 'grants %r' % grants)


def many(d, ada, bob):
    """five thousand lines, not one more; others are served meanwhile"""
    group(ada, 'All')
    mails = ['n%04d@bulk.example' % i for i in range(LINES)]
    csv = 'email,name,groups\n' + ''.join(
        '%s,社員 番号 %d,%s\n' % (m, i, 'All' if i < 4096 else '')
        for i, m in enumerate(mails))
    a = dry(ada, csv + 'more@bulk.example,,\n')
    equal((len(a['lines']), faults(a)),
          (LINES + 1, [(LINES + 2, 'line', 'many')]), 'one more')
    a = dry(ada, csv.replace(',\n', ',All\n'))
    equal(faults(a)[0], (4096 + 2, 'groups', 'full'), 'a full group')
    bob.open().enter(1)
    rows = both(ada, csv)
    equal(len({x['invite']['url'] for x in rows}), LINES, 'links')
    bob.say('still here')
    bob.drop()
    u = listed(ada)
    check(all(m in u and len(u[m]['groups']) == (i < 4096)
              for i, m in enumerate(mails)), 'people')
    g = [x for x in ada.get('/admin/groups')['groups'] if x['name'] == 'All']
    equal(len(g[0]['members']), 4096, 'members')


def killed(d, ada, bob):
    """storage killed while it writes: all of it or nothing"""
    seen = set()
    for i in range(4):      # a slot may die no oftener in a minute
        csv = 'email\n' + ''.join('k%d-%d@bulk.example\n' % (i, n)
                                  for n in range(300))
        digest = dry(ada, csv)['digest']
        pid = d.pids()[('storage', 0)]
        answer = []

        def ask():
            try:
                answer.append(ada.api('POST', '/admin/import', {
                    'csv': csv, 'digest': digest}).status)
            except (Closed, OSError):
                answer.append(0)
        t = threading.Thread(target=ask)
        t.start()
        t.join(0.03 * i)
        os.kill(pid, signal.SIGKILL)
        t.join()

        def back():
            try:
                return d.pids().get(('storage', 0)) not in (None, 0, pid)
            except Failure:
                return False
        until(back, 'storage is back')
        until(lambda: ada.api('GET', '/admin/groups').status == 200, 'again')
        n = sum(m.startswith('k%d-' % i) for m in listed(ada))
        check(n in (0, 300), '%d of 300' % n)
        if answer[0] == 200:
            equal(n, 300, 'acknowledged')
        seen.add(n)
    check(0 in seen, 'never in time')


def ctl_file(d, data, *words):
    """risactl with a file on its standard input."""
    if isinstance(data, str):
        data = data.encode()
    p = subprocess.run(
        [os.path.join(os.path.dirname(__file__), '..', '..', 'risactl',
                      'risactl'), '-s', d.path('risad.sock')] +
        ([words[0]] if words[:1] == ('-j',) else []) +
        ['user', 'import', 'acme', '-'] +
        list(words[words[:1] == ('-j',):]), input=data,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def operators(d, ada, bob):
    """risactl: files in UTF-8 and Shift_JIS, dry and real, as text and JSON"""
    csv = 'メール,名前,役割\r\ntaro@acme.example,山田 太郎,メンバー\r\n'
    before = everything(ada)
    code, out, err = ctl_file(d, csv.encode('cp932'), 'dry')
    equal((code, err), (0, ''), 'dry')
    equal(out.split('\n')[1].split(), ['2', 'add', 'taro@acme.example',
                                       'role', 'member', '-'], 'dry')
    equal(everything(ada), before, 'dry')
    d.write('people.csv', csv)
    o = d.json('user', 'import', 'acme', d.path('people.csv'))['lines'][0]
    equal((o['line'], o['what'], o['mail'], o['to']['role']),
          (2, 'add', 'taro@acme.example', 'member'), 'done')
    p = Person(d, 'acme', 'taro@acme.example').accept(link_token(o['url']))
    equal(p.user['name'], '山田 太郎', 'name')
    p.close()
    code, out, err = ctl_file(d, 'email,role,name\ntaro@acme.example,admin,T\n',
                              '-j')
    o = json.loads(out)['lines'][0]
    equal((code, o['what'], o['from'], o['to'], o['named']),
          (0, 'change', {'role': 'member'}, {'role': 'admin'}, True), 'change')
    check('山田' not in out, 'a name that the operator did not give')
    for data, why in (('email,phone\n', 'column phone: unknown'),
                      (b'email\n\x81\n\xff', 'neither'),
                      ('x' * (1024 * 1024 + 1), 'larger')):
        code, out, err = ctl_file(d, data)
        check(code == 1 and why in err, (code, err))
    code, out, err = d.ctl('user', 'import', 'nobody', d.path('people.csv'))
    check(code == 1 and 'no such tenant' in err, err)
    ada.api('DELETE', '/admin/users/%d' % p.id, {}, 204)


def formulas(d, ada, bob):
    """what an export keeps from being a formula comes back as it was"""
    for name in ('=1+1', '+81', '-x', '@home', "'=y"):
        csv = 'email,name\nbob@acme.example,"\'%s"\n' % name
        both(ada, csv)
        equal(listed(ada)['bob@acme.example']['name'], name, 'name')
    both(ada, 'email\tname\nbob@acme.example\tO\'Neil\n')
    equal(listed(ada)['bob@acme.example']['name'], "O'Neil", 'tabs')
    both(ada, 'email,name\nbob@acme.example,bob\n')


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    d.do('tenant', 'add', 'globex')
    d.floor('acme', 'One')
    ada = d.person('acme', 'ada@acme.example', 'admin')
    bob = d.person('acme', 'bob@acme.example')
    s = Suite(d)
    for fn in (added, roles, refused, whole, last_admin, second, apart, large,
               pieces, operators, formulas):
        s.run_test(fn, d, ada, bob)
    s.run_test(killed, d, ada, bob, restarts=True)
    s.run_test(many, d, ada, bob)
    s.end()


if __name__ == '__main__':
    main()
