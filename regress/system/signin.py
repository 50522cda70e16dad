#!/usr/bin/env python3
"""Accounts: invitations, signing in and out, passwords, what ends them."""

import base64
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                     # noqa: E402
from risa import PASSWORD, Daemon, Failure, Http, Person, Ws, \
    link_token, until                                           # noqa: E402

ADDRESSES = iter('127.0.%d.%d' % (i, j) for i in range(1, 99)
                 for j in range(1, 99))


def session(d, body, tenant='acme', source=None):
    """Try to sign in, each time from an address of its own."""
    with Http(d, tenant, source=source or next(ADDRESSES)) as h:
        return h.request('POST', '/api/v1/session', body)


def sign_in(d):
    """the right password signs in, and says who one is"""
    p = d.person('acme', 'anna@acme.example', 'admin', '安奈 🌸')
    r = session(d, {'email': 'Anna@ACME.example', 'password': PASSWORD})
    equal(r.status, 201, 'sign-in')
    o = r.json()
    equal(o['tenant'], {'name': 'acme', 'title': 'アクメ'}, 'tenant')
    u = o['user']
    equal((u['id'], u['name'], u['email'], u['role']),
          (p.id, '安奈 🌸', 'anna@acme.example', 'admin'), 'user')
    equal(sorted(u), ['email', 'id', 'lang', 'look', 'name', 'note', 'role',
                      'status'], 'members')
    o = p.get('/session')
    equal(o['user'], u, 'GET session')
    check(o['limits']['idle'] > 0, 'idle')
    p.close()


def cookie_flags(d):
    """the cookie is __Host-, Secure, HttpOnly, SameSite, for / and no Domain"""
    r = session(d, {'email': 'ann@acme.example', 'password': PASSWORD})
    equal(len(r.all('set-cookie')), 2, 'cookies')
    first, *flags = r.all('set-cookie')[1].split('; ')
    name, token = first.split('=', 1)
    equal((name, len(token)), ('__Host-risa-device', 71), 'the device')
    equal(sorted(flags), ['HttpOnly', 'Max-Age=34560000', 'Path=/',
                          'SameSite=Lax', 'Secure'], 'its flags')
    first, *flags = r.get('set-cookie').split('; ')
    name, token = first.split('=', 1)
    equal(name, '__Host-risa', 'name')
    equal(len(base64.urlsafe_b64decode(token + '=')), 32, 'bytes of token')
    equal(sorted(flags), ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'],
          'flags')
    equal(r.get('cache-control'), 'no-store', 'caching')
    s = session(d, {'email': 'ann@acme.example', 'password': PASSWORD})
    check(s.get('set-cookie') != r.get('set-cookie'), 'the same token twice')


def same_answer(d):
    """wrong password, unknown, locked, invited: the same bytes"""
    d.invite('acme', 'new@acme.example')
    d.person('acme', 'lock@acme.example').close()
    d.do('user', 'lock', 'acme', 'lock@acme.example')
    answers = {}
    for name, mail, password in (
            ('wrong password', 'ann@acme.example', 'not the right one'),
            ('unknown', 'nobody@acme.example', PASSWORD),
            ('locked', 'lock@acme.example', PASSWORD),
            ('locked and wrong', 'lock@acme.example', 'not the right one'),
            ('invited', 'new@acme.example', PASSWORD),
            ('of another tenant', 'gil@globex.example', PASSWORD)):
        r = session(d, {'email': mail, 'password': password})
        answers[name] = (r.status, [h for h in r.headers if h[0] != 'date'],
                         r.body)
        equal(r.status, 401, name)
        equal(r.problem(), 'sign-in', name)
        check(r.get('set-cookie') is None, 'a cookie')
    want = answers['wrong password']
    for name, got in answers.items():
        equal(got, want, name)


def bad_fields(d):
    """what is no mail or no password is 422 and named, or refused alike"""
    for body, field in (
            ({}, 'email'), ({'email': 'ann@acme.example'}, 'password'),
            ({'email': 7, 'password': 'x'}, 'email'),
            ({'email': 'no mail', 'password': 'x'}, 'email'),
            ({'email': 'ann@acme.example', 'password': None}, 'password'),
            ({'email': 'ann@acme.example', 'password': ''}, 'password'),
            ({'email': 'ann@acme.example', 'password': 'x' * 600},
             'password'),
            ({'email': 'ann@acme.example', 'password': 'x', 'otp2': '1'},
             'otp2')):
        r = session(d, body)
        equal((r.status, r.problem(), r.json().get('field')),
              (422, 'field', field), body)


def sign_out(d):
    """signing out ends the token, the page, and clears what was kept"""
    p = Person(d, 'acme', 'ann@acme.example').sign_in().open()
    other = Person(d, 'acme', 'ann@acme.example').sign_in().open()
    old = p.http.cookie
    r = p.api('DELETE', '/session', want=204)
    first = r.get('set-cookie')
    check(first.startswith('__Host-risa=;') and 'Max-Age=0' in first, first)
    check('Secure' in first and 'HttpOnly' in first, first)
    check('"storage"' in r.get('clear-site-data'), 'Clear-Site-Data')
    p.bye('signed-out', 4001)
    p.http.cookie = old
    gone(d, old)
    other.settle()
    equal(other.api('GET', '/session').status, 200, 'the other sign-in')
    other.close()


def gone(d, token, tenant='acme'):
    """The token opens nothing any more, and nothing is told."""
    with Http(d, tenant) as h:
        h.cookie = token
        for method, path in (('GET', '/session'), ('GET', '/floors'),
                             ('GET', '/people'), ('DELETE', '/session'),
                             ('GET', '/messages?channel=floor:1'),
                             ('GET', '/admin/users'), ('PATCH', '/me')):
            r = h.request(method, '/api/v1' + path, {} if method == 'PATCH'
                          else None)
            equal((r.status, r.problem()), (401, 'session'), path)
            check(r.get('set-cookie') is None, 'a cookie')
        equal(Ws(h).ask().status, 401, 'WebSocket')


def bad_tokens(d):
    """tokens that are forged, cut, doubled or another tenant's: 401"""
    p = Person(d, 'acme', 'ann@acme.example').sign_in()
    good = p.http.cookie
    last = 'B' if good[-1] != 'B' else 'C'
    for token in ('', 'x', 'A' * 43, good[:-1], good + 'A', good[:-1] + last,
                  good + '=', '"%s"' % good, good.swapcase()):
        gone(d, token)
    gone(d, good, 'globex')
    with Http(d) as h:
        for cookie in ('__Host-risa=%s; __Host-risa=%s' % (good, good),
                       '__host-risa=' + good, 'risa=' + good,
                       '__Secure-risa=' + good, 'x=1; y'):
            r = h.request('GET', '/api/v1/session',
                          headers={'Cookie': cookie})
            equal(r.status, 401, cookie)
        r = h.request('GET', '/api/v1/session', headers={
            'Cookie': 'a=1; __Host-risa=%s; b=2' % good})
        equal(r.status, 200, 'among others')
    p.close()


def ended_by_operator(d):
    """session end and user lock close the page and the token at once"""
    for words, reason in ((('session', 'end'), 'ended'),
                          (('user', 'lock'), 'suspended')):
        p = d.person('acme', words[1] + '.op@acme.example').open()
        d.do(*words, 'acme', p.mail)
        p.bye(reason, 4001)
        gone(d, p.http.cookie)
        p.close()
    r = session(d, {'email': 'end.op@acme.example', 'password': PASSWORD})
    equal(r.status, 201, 'may sign in again')
    r = session(d, {'email': 'lock.op@acme.example', 'password': PASSWORD})
    equal(r.status, 401, 'locked')
    d.do('user', 'unlock', 'acme', 'lock.op@acme.example')
    r = session(d, {'email': 'lock.op@acme.example', 'password': PASSWORD})
    equal(r.status, 201, 'unlocked')


def deleted(d):
    """a deleted user is out at once, and the address is free again"""
    p = d.person('acme', 'del@acme.example').open()
    d.do('user', 'delete', 'acme', p.mail)
    p.bye('ended', 4001)
    gone(d, p.http.cookie)
    r = session(d, {'email': p.mail, 'password': PASSWORD})
    equal(r.status, 401, 'signing in')
    q = d.person('acme', 'del@acme.example')
    check(q.id != p.id, 'the number was given again')
    q.close()


def suspended(d):
    """a suspended tenant's people are out at once; resumed, they may return"""
    p = d.person('globex', 'sue@globex.example').open()
    other = Person(d, 'acme', 'ann@acme.example').sign_in().open()
    d.do('tenant', 'suspend', 'globex')
    p.bye('suspended', 4001)
    with Http(d, 'globex') as h:
        h.cookie = p.http.cookie
        for path in ('/api/v1/session', '/api/v1/tenant', '/'):
            equal(h.request('GET', path).status, 421, path)
    r = session(d, {'email': p.mail, 'password': PASSWORD}, 'globex')
    equal(r.status, 421, 'signing in')
    other.settle()
    d.do('tenant', 'resume', 'globex')
    until(lambda: session(d, {'email': p.mail, 'password': PASSWORD},
                          'globex').status == 201, 'signing in again')
    other.close()


def password_change(d):
    """a new password ends the other sign-ins and needs the old one"""
    p = d.person('acme', 'pw@acme.example').open()
    other = Person(d, 'acme', p.mail).sign_in().open()
    r = p.api('POST', '/password', {'current': 'wrong wrong', 'new': 'longer '
                                    'than eight'})
    equal((r.status, r.problem()), (401, 'sign-in'), 'wrong one')
    for new in ('short 7', 'tab\there and there', 'x' * 129, ''):
        r = p.api('POST', '/password', {'current': PASSWORD, 'new': new})
        equal((r.status, r.json().get('field')), (422, 'new'), new)
    p.settle()
    other.settle()
    new = '新しいパスワード🔑'
    p.api('POST', '/password', {'current': PASSWORD, 'new': new}, 204)
    other.bye('ended', 4001)
    gone(d, other.http.cookie)
    p.settle()
    equal(p.api('GET', '/session').status, 200, 'its own sign-in')
    equal(session(d, {'email': p.mail, 'password': PASSWORD}).status, 401,
          'the old password')
    equal(session(d, {'email': p.mail, 'password': new}).status, 201,
          'the new password')
    p.close()


def invitation(d):
    """an invitation says what it is for and works once"""
    token = d.invite('acme', 'inv@acme.example', 'role', 'admin')
    with Http(d) as h:
        o = h.request('GET', '/api/v1/invite/' + token).json()
        equal((o['kind'], o['email'], o['tenant']['name']),
              ('invite', 'inv@acme.example', 'acme'), 'link')
        check(o['policy']['min'] >= 8, 'policy')
        for name in ('', 'bad\x07name', 'x' * 65):
            r = h.request('POST', '/api/v1/invite/' + token, {
                'password': 'short', 'name': name})
            equal(r.status, 422, 'name %r' % name)
        r = h.request('POST', '/api/v1/invite/' + token, {
            'password': 'seven77', 'name': 'I'})
        equal((r.status, r.json().get('field')), (422, 'password'), 'short')
        r = h.request('POST', '/api/v1/invite/' + token, {
            'password': 'qk7vzm2x', 'name': 'Ina'})
        equal(r.status, 201, 'used')
        equal((r.json()['user']['name'], r.json()['user']['role']),
              ('Ina', 'admin'), 'user')
        answers = [h.request('GET', '/api/v1/invite/' + token),
                   h.request('POST', '/api/v1/invite/' + token,
                             {'password': 'other pass', 'name': 'X'}),
                   h.request('GET', '/api/v1/invite/' + 'A' * 43),
                   h.request('GET', '/api/v1/invite/x')]
        for r in answers:
            equal((r.status, r.problem()), (404, 'link'), 'used')
            equal(r.body, answers[0].body, 'one answer')
    equal(session(d, {'email': 'inv@acme.example',
                      'password': 'qk7vzm2x'}).status, 201, 'its password')


def invitation_elsewhere(d):
    """an invitation is worth nothing at another tenant"""
    token = d.invite('acme', 'else@acme.example')
    with Http(d, 'globex') as h:
        r = h.request('GET', '/api/v1/invite/' + token)
        equal((r.status, r.problem()), (404, 'link'), 'GET')
        r = h.request('POST', '/api/v1/invite/' + token,
                      {'password': PASSWORD, 'name': 'X'})
        equal((r.status, r.problem()), (404, 'link'), 'POST')
    Person(d, 'acme', 'else@acme.example').accept(token, 'Else').close()


def reset(d):
    """a reset ends password and sign-ins; its link sets a new one, once"""
    p = d.person('acme', 'reset@acme.example', name='Rea').open()
    token = link_token(d.do('user', 'reset', 'acme', p.mail))
    p.bye('ended', 4001)
    gone(d, p.http.cookie)
    equal(session(d, {'email': p.mail, 'password': PASSWORD}).status, 401,
          'the old password')
    with Http(d) as h:
        o = h.request('GET', '/api/v1/invite/' + token).json()
        equal((o['kind'], o['name']), ('reset', 'Rea'), 'link')
    q = Person(d, 'acme', p.mail, 'another pass 9')
    q.accept(token)
    equal((q.id, q.user['name']), (p.id, 'Rea'), 'the same user')
    try:
        Person(d, 'acme', p.mail).accept(token)
    except Failure:
        pass
    else:
        raise Failure('the link worked twice')
    second = link_token(d.do('user', 'reset', 'acme', p.mail))
    third = link_token(d.do('user', 'reset', 'acme', p.mail))
    with Http(d) as h:
        equal(h.request('GET', '/api/v1/invite/' + second).status, 404,
              'the older of two links')
        equal(h.request('GET', '/api/v1/invite/' + third).status, 200,
              'the newer')
    q.close()


def profile(d):
    """one's own name, look, language, status and note"""
    p = d.person('acme', 'me@acme.example').open()
    look = {'skin': 3, 'hair': 9, 'tint': 7, 'face': 5, 'shirt': 11,
            'extra': 2}
    change = {'name': '山田 <b>花子</b>', 'look': look, 'lang': 'ja',
              'status': 'busy', 'note': '会議中 & "quotes"'}
    u = p.api('PATCH', '/me', change, 200).json()['user']
    equal({k: u[k] for k in change}, change, 'answer')
    m = p.wait('me')
    equal({k: m['user'][k] for k in change}, change, 'told to the page')
    equal(m['user']['email'], p.mail, 'mail is still known')
    u = p.api('PATCH', '/me', {'note': ''}, 200).json()['user']
    equal((u['note'], u['name']), ('', change['name']), 'only one')
    for body, field in (
            ({'name': ''}, 'name'), ({'name': ' '}, 'name'),
            ({'name': 'x' * 65}, 'name'), ({'name': 'a\nb'}, 'name'),
            ({'note': 'x' * 81}, 'note'), ({'lang': 'fr'}, 'lang'),
            ({'status': 'asleep'}, 'status'), ({'look': 7}, 'look'),
            ({'look': {'skin': 1}}, 'look'), ({'role': 'admin'}, 'role'),
            ({'email': 'x@y.example'}, 'email'), ({'id': 1}, 'id'),
            ({'look': dict(look, skin=16)}, 'look')):
        r = p.api('PATCH', '/me', body)
        equal((r.status, r.json().get('field')), (422, field), body)
    equal(p.get('/session')['user']['role'], 'member', 'role')
    p.close()


def people(d):
    """the list of people has names, and no mail addresses; some of it"""
    p = d.person('acme', 'other@acme.example')
    r = p.api('GET', '/people', want=200)
    everybody = r.json()['people']
    ann = next(u for u in everybody if u['name'] == 'ann')
    check(b'@' not in r.body, 'a mail address')
    check(b'gil' not in r.body, 'somebody of globex')
    for users, want in ((str(ann['user']), [ann]),
                        ('4000000,%d' % ann['user'], [ann]),
                        (str(p.id), []), ('4000000', []),
                        (','.join(['4000000'] * 64), [])):
        equal(p.get('/people?users=' + users)['people'], want, users)
    for users in ('', ',', '0', '-1', '1,', 'x', '1 2', '4294967296',
                  ','.join(['1'] * 65)):
        r = p.api('GET', '/people?users=' + users.replace(' ', '%20'))
        equal((r.status, r.json().get('field')), (422, 'users'), users)
    p.close()


def signins(d):
    """one sees where one is signed in and ends it; administrators, anyone's"""
    a = d.person('acme', 'sig@acme.example')
    b = Person(d, 'acme', 'sig@acme.example').sign_in().open()
    eve = d.person('acme', 'eve3@acme.example')
    rows = a.get('/signins')['signins']
    equal(len(rows), 2, rows)
    own, other = sorted(rows, key=lambda r: not r['own'])
    equal((own['own'], other['own']), (True, False), rows)
    equal((own['address'], other['live']), ('127.0.0.1', True), rows)
    check(own['created'] <= own['seen'], own)
    equal([r['own'] for r in b.get('/signins')['signins']
           if r['id'] == other['id']], [True], 'as the other sees it')
    # Nobody ends what is not his, and a number too large is nobody's.
    for who, n in ((eve, own['id']), (a, 999999), (a, 2 ** 32),
                   (a, 2 ** 32 + own['id']), (a, 2 ** 64 + own['id'])):
        equal(who.api('DELETE', '/signins/%d' % n, {}).status, 404, n)
    equal(len(a.get('/signins')['signins']), 2, 'both live')
    equal(a.api('DELETE', '/signins/%d' % other['id'], {}).status, 204)
    b.bye('ended', 4001)
    equal(b.api('GET', '/session').status, 401, 'ended')
    equal(a.api('DELETE', '/signins/%d' % other['id'], {}).status, 404)
    # All the others.
    b.sign_in()
    b.open()
    equal(a.api('DELETE', '/signins', {}).status, 204)
    b.bye('ended', 4001)
    equal([r['own'] for r in a.get('/signins')['signins']], [True], 'alone')
    equal(eve.api('GET', '/session').status, 200, 'somebody else')
    # An administrator.
    ada = d.person('acme', 'ada3@acme.example', 'admin')
    path = '/admin/users/%d/signins' % a.id
    equal([r['own'] for r in ada.get(path)['signins']], [False], 'of a')
    equal(eve.api('GET', path).status, 403, 'a member')
    a.open()
    equal(ada.api('DELETE', path, {}).status, 204)
    a.bye('ended', 4001)
    equal(ada.get(path)['signins'], [], 'none')
    for p in (a, b, eve, ada):
        p.close()


def limits_of_tenant():
    """B26: a tenant's own limits hold there, and for those who are in"""
    d = Daemon(more='session idle 1h absolute 1h\n')
    try:
        d.start()
        for name in ('acme', 'globex', 'other'):
            d.do('tenant', 'add', name)
        in_acme, still = [d.person(t, 'a@x.example').open()
                          for t in ('acme', 'other')]
        in_globex = d.person('globex', 'a@x.example')
        d.do('policy', 'set', 'acme', 'session-absolute', '1')
        d.do('policy', 'set', 'globex', 'session-idle', '1')
        in_globex.http.close()
        # Sessions keep an unused grant for a minute: here it ends at once.
        pid = d.pids('storage')[('storage', 0)]
        os.kill(pid, signal.SIGKILL)
        until(lambda: d.pids('storage').get(('storage', 0)) not in (None, pid),
              'storage is back')
        until(lambda: d.ctl('session', 'list', 'globex')[0] == 0, 'it serves')
        equal(len(d.rows('session', 'list', 'globex')), 1, 'not idle yet')
        in_acme.bye('ended', 4001, bound=120)
        equal(in_acme.api('GET', '/session').status, 401, 'absolute')
        # Asked once: a request counts as use.
        until(lambda: d.rows('session', 'list', 'globex') == [], 'idle')
        equal(in_globex.api('GET', '/session').status, 401, 'idle')
        equal(still.api('GET', '/session').status, 200, 'by risad.conf')
        for p in (in_acme, in_globex, still):
            p.close()
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def limits():
    """sign-ins end after their idle and absolute time, links expire"""
    d = Daemon(more='session idle 1s absolute 3s\ninvite expires 2s\n')
    try:
        d.start()
        d.do('tenant', 'add', 'acme')
        old = d.invite('acme', 'old@acme.example')
        p = d.person('acme', 'a@acme.example').open()
        until(lambda: p.api('GET', '/session').status == 401,
              'the absolute limit')
        p.bye('ended', 4001)
        with Http(d) as h:
            until(lambda: h.request('GET', '/api/v1/invite/' + old).status ==
                  404, 'the link expires')
        p.sign_in()
        p.close()
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def after_restart(d):
    """accounts and sign-ins survive a restart of the daemon"""
    p = Person(d, 'acme', 'ann@acme.example').sign_in()
    d.restart()
    equal(p.retry('GET', '/session').status, 200, 'the old token')
    p.sign_in()
    p.close()


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme', 'title', 'アクメ')
    d.do('tenant', 'add', 'globex')
    d.person('acme', 'ann@acme.example').close()
    d.person('globex', 'gil@globex.example').close()
    s = Suite(d)
    for fn in (sign_in, cookie_flags, same_answer, bad_fields, sign_out,
               bad_tokens, ended_by_operator, deleted, suspended,
               password_change, invitation, invitation_elsewhere, reset,
               profile, people, signins):
        s.run_test(fn, d)
    s.run_test(after_restart, d, restarts=True)
    s.run_test(limits)
    s.run_test(limits_of_tenant)
    s.end()


if __name__ == '__main__':
    main()
