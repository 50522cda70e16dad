#!/usr/bin/env python3
"""Second factors: codes of the moment, recovery codes, who must have one."""

import base64
import hashlib
import hmac
import os
import re
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, TOP, Daemon, Http, Person, Ws, \
    link_token, until                                           # noqa: E402

ADDRESSES = iter('127.0.%d.%d' % (i, j) for i in range(1, 99)
                 for j in range(1, 99))
STEP = 30


def code_at(secret, step):
    """RFC 4226 over a step of RFC 6238."""
    mac = hmac.new(base64.b32decode(secret), struct.pack('>Q', step),
                   hashlib.sha1).digest()
    at = mac[19] & 15
    n = struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff
    return '%06d' % (n % 1000000)


def step_now():
    """The present step, with enough of it left to use its neighbours."""
    until(lambda: time.time() % STEP < STEP - 6, 'a step has begun')
    return int(time.time()) // STEP


def session(d, body, source=None, tenant='acme'):
    with Http(d, tenant, source=source or next(ADDRESSES)) as h:
        return h.request('POST', '/api/v1/session', body)


def patient(ask):
    """The answer when one may ask, after what has failed."""
    def answer():
        r = ask()
        if r.problem() != 'too-many':
            return r
        time.sleep(int(r.get('retry-after')) - 0.5)
        return None
    return until(answer, 'the delay ends')


def attempt(d, p, **more):
    return patient(lambda: session(d, dict(
        {'email': p.mail, 'password': PASSWORD}, **more)))


def needs(r, methods=None, wrong=False):
    """The answer to a right password without a second factor."""
    equal((r.status, r.problem()), (401, 'second-factor'), 'needs a factor')
    o = r.json()
    if methods is not None:
        equal(o['methods'], methods, 'methods')
    equal(o.get('field'), 'otp' if wrong else None, 'wrong')
    check(r.get('set-cookie') is None, 'a cookie')
    return r


def begin(p, password=PASSWORD):
    r = p.api('POST', '/factor/totp', {'password': password}, want=201)
    return r.json()['secret'], r.json()['uri']


def enrol(p, ahead=-1):
    """Set up TOTP by the code of a neighbour: secret, codes, its step."""
    secret, _ = begin(p)
    step = step_now()
    r = p.api('POST', '/factor/totp/confirm',
              {'code': code_at(secret, step + ahead)}, want=200)
    return secret, r.json()['recovery'], step


def someone(d, name, role='member', tenant='acme'):
    p = d.person(tenant, '%s@%s.example' % (name, tenant), role)
    # What is tried in vain by one counts for nobody else.
    p.http.close()
    p.http.source = next(ADDRESSES)
    return p


def enrolment(d):
    """it takes the password and a code; before the code nothing changes"""
    p = someone(d, 'enrol')
    equal(p.get('/factor'), {'methods': [], 'required': False, 'recovery': 0,
                             'since': 0, 'used': 0}, 'before')
    r = p.api('POST', '/factor/totp', {'password': 'not the right one'})
    equal((r.status, r.problem()), (401, 'sign-in'), 'wrong password')
    r = p.api('POST', '/factor/totp/confirm', {'code': '123456'})
    equal((r.status, r.json()['field']), (409, 'totp'), 'nothing begun')
    first, _ = begin(p)
    secret, uri = begin(p)
    check(first != secret, 'the same seed twice')
    equal(len(base64.b32decode(secret)), 20, 'bytes of the seed')
    u = urllib.parse.urlsplit(uri)
    equal((u.scheme, u.netloc), ('otpauth', 'totp'), 'URI')
    equal(urllib.parse.unquote(u.path), '/アクメ:' + p.mail, 'label')
    equal(urllib.parse.parse_qs(u.query),
          {'secret': [secret], 'issuer': ['アクメ'], 'algorithm': ['SHA1'],
           'digits': ['6'], 'period': ['30']}, 'parameters')
    equal(attempt(d, p).status, 201, 'not in effect')
    step = step_now()
    for bad in (code_at(first, step), code_at(secret, step - 9), 'abcdef',
                '1', 'ABCD-EFGH-IJKL-MNOP'):
        r = patient(lambda bad=bad: p.api('POST', '/factor/totp/confirm',
                                  {'code': bad}))
        equal((r.status, r.json().get('field')), (422, 'code'), bad)
    step = step_now()
    r = patient(lambda: p.api('POST', '/factor/totp/confirm',
                              {'code': code_at(secret, step)}))
    equal(r.status, 200, 'the right one')
    codes = r.json()['recovery']
    equal(len(set(codes)), 10, 'recovery codes')
    for c in codes:
        check(re.fullmatch(r'([A-Z2-7]{4}-){3}[A-Z2-7]{4}', c), c)
    o = p.get('/factor')
    equal((o['methods'], o['recovery']), (['totp', 'recovery'], 10), 'after')
    check(abs(o['since'] - time.time() * 1000) < 60000, 'since')
    r = p.api('POST', '/factor/totp/confirm', {'code': code_at(secret, step)})
    equal(r.status, 409, 'confirmed twice')
    p.close()


def sign_in(d):
    """the password alone is not enough, with the code it is; in words too"""
    p = someone(d, 'sign')
    secret, codes, step = enrol(p)
    needs(attempt(d, p), ['totp', 'recovery'])
    # Who does not know the password learns nothing, whatever he sends.
    plain = session(d, {'email': 'nobody@acme.example', 'password': PASSWORD})
    for body in ({'password': 'not the right one'},
                 {'password': 'not the right one',
                  'otp': code_at(secret, step)}):
        r = session(d, dict(body, email=p.mail))
        equal((r.status, r.body), (plain.status, plain.body), body)
    # Wrong, of another time, of another form: all alike.
    bad = []
    for i, x in enumerate((
            '000000' if code_at(secret, step) != '000000' else '000001',
            code_at(secret, step - 40), code_at(secret, step - 1), 'x',
            'AAAA-BBBB-CCCC-DDDD', '1' * 64)):
        bad.append(attempt(d, p, otp=x))
        if i % 2:               # a right one ends the delay
            equal(attempt(d, p, otp=codes[i]).status, 201, 'a right one')
    for r in bad:
        needs(r, ['totp', 'recovery'], wrong=True)
        equal(r.body, bad[0].body, 'bytes')
    equal(attempt(d, p, otp='1' * 65).json().get('field'), 'otp', 'length')
    equal(attempt(d, p, otp=1).json().get('field'), 'otp', 'type')
    now = code_at(secret, step_now())
    r = attempt(d, p, otp=now[:3] + ' ' + now[3:])
    equal((r.status, r.json()['must'], r.json().get('recovery')),
          (201, [], None), 'in')
    p.close()


def once(d):
    """no code is accepted twice, nor one before it"""
    p = someone(d, 'once')
    secret, _, step = enrol(p)
    step = step_now()
    # The code that confirmed is used up; so is all before the last one.
    equal(attempt(d, p, otp=code_at(secret, step + 1)).status, 201, 'next')
    needs(attempt(d, p, otp=code_at(secret, step + 1)), wrong=True)
    needs(attempt(d, p, otp=code_at(secret, step)), wrong=True)
    # A restart of storage forgets nothing.
    d.restart()
    until(lambda: attempt(d, p, otp='x').status != 503, 'auth is ready')
    needs(attempt(d, p, otp=code_at(secret, step + 1)), wrong=True)
    p.close()


def at_once(d, p, bodies):
    """Send all at the same moment, by all workers: how many got in."""
    ready, https = threading.Barrier(len(bodies)), []
    for _ in bodies:
        h = Http(d, 'acme', source=next(ADDRESSES))
        h.connect()
        https.append(h)
    replies = [None] * len(bodies)

    def one(i):
        ready.wait()
        replies[i] = https[i].request('POST', '/api/v1/session', dict(
            {'email': p.mail, 'password': PASSWORD}, **bodies[i]))

    threads = [threading.Thread(target=one, args=(i,))
               for i in range(len(bodies))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for h in https:
        h.close()
    return [r.status for r in replies]


def races(d):
    """the same code at the same moment: one gets in; a recovery code too"""
    p = someone(d, 'race')
    secret, codes, step = enrol(p)
    got = at_once(d, p, [{'otp': code_at(secret, step_now())}] * 6)
    equal(sorted(got), [201] + [401] * 5, 'TOTP')
    p.close()
    p = someone(d, 'race2')
    _, codes, _ = enrol(p)
    got = at_once(d, p, [{'otp': codes[0]}] * 4)
    equal(sorted(got), [201] + [401] * 3, 'recovery')
    p.close()


def recovery(d):
    """each recovery code once, its user hears of it; new ones end the old"""
    p = someone(d, 'recover')
    _, codes, _ = enrol(p)
    r = attempt(d, p, otp=codes[3].lower().replace('-', ' '))
    equal((r.status, r.json()['recovery']), (201, 9), 'told')
    needs(attempt(d, p, otp=codes[3]), wrong=True)
    o = p.get('/factor')
    equal(o['recovery'], 9, 'left')
    check(abs(o['used'] - time.time() * 1000) < 60000, 'used')
    r = p.api('POST', '/factor/recovery', {'password': 'not the right one'})
    equal((r.status, r.problem()), (401, 'sign-in'), 'wrong password')
    r = p.api('POST', '/factor/recovery', {'password': PASSWORD}, want=200)
    new = r.json()['recovery']
    equal((len(set(new)), set(new) & set(codes)), (10, set()), 'new ones')
    needs(attempt(d, p, otp=codes[0]), wrong=True)
    # Somebody else's are nobody's.
    q = someone(d, 'recover2')
    _, others, _ = enrol(q)
    needs(attempt(d, p, otp=others[0]), wrong=True)
    for i, c in enumerate(new):
        equal(attempt(d, p, otp=c).json().get('recovery'), 9 - i, 'all used')
    needs(attempt(d, p), ['totp'])
    for x in (p, q):
        x.close()


def removal(d):
    """removed with the password, its codes with it; not where it is demanded"""
    p = someone(d, 'remove')
    r = p.api('DELETE', '/factor/totp', {'password': PASSWORD})
    equal((r.status, r.json()['field']), (409, 'factor'), 'none')
    r = p.api('POST', '/factor/recovery', {'password': PASSWORD})
    equal((r.status, r.json()['field']), (409, 'factor'), 'codes of none')
    _, codes, _ = enrol(p)
    equal(p.api('DELETE', '/factor/totp', {'password': 'x'}).status, 401,
          'wrong password')
    d.do('policy', 'set', 'acme', 'second-factor', '2')
    r = p.api('DELETE', '/factor/totp', {'password': PASSWORD})
    equal((r.status, r.json()['field']), (409, 'second-factor'), 'demanded')
    d.do('policy', 'set', 'acme', 'second-factor', '0')
    p.api('DELETE', '/factor/totp', {'password': PASSWORD}, want=204)
    equal(attempt(d, p).status, 201, 'without')
    equal(p.get('/factor')['methods'], [], 'nothing left')
    p.close()


def throttled(d):
    """wrong codes are counted as wrong passwords are, whatever is between"""
    p = someone(d, 'throttle')
    enrol(p)
    seen = []
    for i in range(14):
        for more in ({'otp': 'AAAA-AAAA-AAAA-AAAA'}, {}):
            seen.append(session(d, dict({
                'email': p.mail, 'password': PASSWORD}, **more)).status)
    equal(seen.count(401) < 24 and 429 in seen, True, seen)
    check(429 in seen[:24], 'ten wrong codes: %r' % seen)
    equal(set(seen), {401, 429}, 'answers')
    q = someone(d, 'throttle2')
    begin(q)
    seen = [q.api('POST', '/factor/totp/confirm', {'code': 'x'}).status
            for _ in range(12)]
    equal((seen[0], seen[-1]), (422, 429), 'of the enrolment')
    for x in (p, q):
        x.close()


def reset(d):
    """a link to a new password is no way around the second factor"""
    p = someone(d, 'reset')
    secret, _, _ = enrol(p)
    token = link_token(d.do('user', 'reset', 'acme', p.mail))
    with Http(d, source=next(ADDRESSES)) as h:
        r = h.request('POST', '/api/v1/invite/' + token,
                      {'password': 'another horse 43'})
    needs(r, ['totp', 'recovery'])
    body = {'email': p.mail, 'password': 'another horse 43'}
    needs(session(d, body), ['totp', 'recovery'])
    r = session(d, dict(body, otp=code_at(secret, step_now())))
    equal(r.status, 201, 'with both')
    p.close()


ROUTE = re.compile(r'\{ HTTP_(\w+), (ADMIN )?"([^"]*)",\s*NEED_(\w+),')


def routes():
    """Every route of the sources: method, path, need."""
    for name in sorted(os.listdir(os.path.join(TOP, 'risad'))):
        if re.fullmatch(r'api\w*\.c', name):
            with open(os.path.join(TOP, 'risad', name)) as f:
                for m in ROUTE.finditer(f.read()):
                    yield (m.group(1), ('/api/v1/admin' if m.group(2) else '')
                           + m.group(3), m.group(4))


def locked_out(p):
    """All routes but those that lead out refuse, and the WebSocket too."""
    n = 0
    for method, path, need in routes():
        if need in ('NONE', 'ANY', 'FIRST'):
            continue
        body = None if method == 'GET' else {}
        r = p.http.request(method, path.replace('#', '1').replace('*', 'A'),
                           body)
        equal((r.status, r.problem()), (403, 'must'), method + ' ' + path)
        n += 1
    check(n > 20, 'routes are found')
    h = Http(p.daemon, p.tenant)
    h.cookie = p.http.cookie
    equal(Ws(h).ask().status, 403, 'WebSocket')


def required(d):
    """who must and has none is led through it, and can do nothing else"""
    admin, member = someone(d, 'mustadm', 'admin'), someone(d, 'mustmem')
    old = member.open()
    d.do('policy', 'set', 'acme', 'second-factor', '1')
    equal(member.get('/session')['must'], [], 'no administrator')
    equal(admin.get('/session')['must'], ['second-factor'], 'live, at once')
    locked_out(admin)
    fresh = Person(d, 'acme', admin.mail)
    r = fresh.api('POST', '/session', {'email': admin.mail,
                                       'password': PASSWORD}, want=201)
    equal(r.json()['must'], ['second-factor'], 'at the sign-in')
    fresh._signed_in(r)
    locked_out(fresh)
    equal(fresh.get('/factor')['required'], True, 'says so')
    # What is allowed: a password, the way out, and the enrolment itself.
    equal(fresh.api('POST', '/password', {
        'current': 'x', 'new': 'another horse 43'}).status, 401, 'password')
    enrol(fresh)
    for p in (fresh, admin):
        until(lambda p=p: p.get('/session')['must'] == [], 'free')
        p.get('/admin/users')
        p.open().drop()
    # Everybody: the page of a member who is here is closed with the reason.
    d.do('policy', 'set', 'acme', 'second-factor', '2')
    old.bye('must', 4001)
    equal(member.get('/session')['must'], ['second-factor'], 'everybody')
    locked_out(member)
    new = Person(d, 'acme', 'mustnew@acme.example')
    new.accept(d.invite('acme', new.mail), 'Newton')
    equal(new.user['name'], 'Newton', 'the name chosen with an invitation')
    equal(new.get('/session')['must'], ['second-factor'], 'an invitation')
    locked_out(new)
    # The other tenant has its own rule.
    gil = someone(d, 'mustgil', 'admin', 'globex')
    equal(gil.get('/session')['must'], [], 'globex')
    # Taken back: free at once.  One role alone has to, and who gets it.
    d.do('policy', 'set', 'acme', 'second-factor', '0')
    until(lambda: member.get('/session')['must'] == [], 'free again')
    d.do('role', 'add', 'acme', 'Payroll')
    r = [r['id'] for r in admin.get('/admin/roles')['roles']
         if r['name'] == 'Payroll'][0]
    d.do('user', 'role', 'acme', member.mail, 'Payroll')
    member.sign_in()
    equal(member.get('/session')['must'], [], 'no rule for the role')
    equal(d.ctl('policy', 'set', 'acme', 'second-factor-roles', 'guest')[0],
          1, 'guests have none')
    d.do('policy', 'set', 'acme', 'second-factor-roles', str(r))
    equal(member.get('/session')['must'], ['second-factor'], 'by role')
    locked_out(member)
    equal(new.get('/session')['must'], [], 'another role')
    equal(new.get('/session')['user']['name'], 'Newton', 'the name stays')
    d.do('policy', 'set', 'acme', 'second-factor-roles', '')
    until(lambda: member.get('/session')['must'] == [], 'free again')
    member.open().drop()
    new.api('DELETE', '/session', want=204)
    for p in (admin, member, fresh, new, gil):
        p.close()


def taken_away(d):
    """an administrator or an operator takes a lost factor; sessions end"""
    admin, p = someone(d, 'takeadm', 'admin'), someone(d, 'taken')
    path = '/admin/users/%d/factor' % p.id
    r = admin.api('DELETE', path)
    equal((r.status, r.json()['field']), (409, 'factor'), 'none')
    enrol(p)
    row, = [u for u in admin.get('/admin/users')['users'] if u['id'] == p.id]
    equal(row['factors'], ['totp'], 'in the list')
    equal(p.api('DELETE', path).status, 403, 'not by a member')
    page = p.open()
    admin.api('DELETE', path, want=204)
    page.bye('ended', 4001)
    equal(p.api('GET', '/session').status, 401, 'signed out')
    equal(attempt(d, p).status, 201, 'the password is enough')
    p.sign_in()
    enrol(p)
    d.do('user', 'factor', 'remove', 'acme', p.mail)
    equal(p.api('GET', '/session').status, 401, 'signed out by risactl')
    equal(d.json('user', 'show', 'acme', p.mail)['user']['second_factor'],
          False, 'risactl says no')
    equal(d.ctl('user', 'factor', 'remove', 'acme', p.mail)[0], 1,
          'there is none')
    enrol(admin)
    equal(admin.api('DELETE', '/admin/users/%d/factor' % admin.id).status,
          403, "not one's own")
    for x in (admin, p):
        x.close()


def main():
    d = Daemon(workers=2).start()
    s = Suite(d)
    d.do('tenant', 'add', 'acme', 'title', 'アクメ')
    d.do('tenant', 'add', 'globex')
    for fn in (enrolment, sign_in, races, recovery, removal, throttled,
               reset, required, taken_away):
        s.run_test(fn, d)
    s.run_test(once, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
