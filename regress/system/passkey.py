#!/usr/bin/env python3
"""Passkeys: registered, named, removed; sign-in with and without password."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from authenticator import Authenticator, UP, UV, b64            # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Http, PASSWORD, Person, until          # noqa: E402

MAX = 10


def patient(ask):
    """The challenge that is asked for; one address gets so many in a time."""
    r = until(lambda: (lambda r: r.status != 429 and r)(ask()), 'a challenge')
    equal(r.status, 200, 'challenge')
    return r.json()


def options(http, purpose='sign-in'):
    return patient(lambda: http.request(
        'POST', '/api/v1/passkey/challenge', {'purpose': purpose}))


def asked(p):
    """A challenge for a new passkey of the person."""
    return patient(lambda: p.api('POST', '/passkeys/challenge', {}))


def register(p, key=None, name='Key', want=204, password=PASSWORD):
    """A new passkey of the person; its authenticator."""
    key = key or Authenticator(p.http.origin)
    o = asked(p)
    p.api('POST', '/passkeys', {'password': password, 'name': name,
                                'passkey': key.make(o)}, want=want)
    return key


def passkeys(p):
    return p.get('/passkeys')['passkeys']


def sign_in(d, passkey, tenant='acme', **more):
    """The answer to somebody who signs in with it."""
    with Http(d, tenant) as h:
        return h.request('POST', '/api/v1/session',
                         dict(more, passkey=passkey))


def fresh(d, key, tenant='acme', purpose='sign-in', more=None, **flags):
    """Sign in with a new challenge; the answer."""
    with Http(d, tenant) as h:
        passkey = key.get(options(h, purpose), **flags)
        return h.request('POST', '/api/v1/session',
                         dict(more or {}, passkey=passkey))


def refusal(d, known=[]):
    """What a wrong password is answered, less the date; asked once."""
    if not known:
        with Http(d, source='127.8.8.7') as h:
            r = h.request('POST', '/api/v1/session', {
                'email': 'nobody@acme.example', 'password': 'wrong'})
        known.append(less_date(r))
    return known[0]


def less_date(r):
    return r.status, [h for h in r.headers if h[0] != 'date'], r.body


def refused(d, r, what):
    equal((r.status, r.problem()), (401, 'sign-in'), what)
    check(less_date(r) == refusal(d), '%s: not like a wrong password' % what)


def not_second(r, what):
    """The password was right, what came with it was not."""
    equal((r.status, r.problem()), (401, 'second-factor'), what)
    equal((r.json()['field'], 'passkey' in r.json()['methods']),
          ('passkey', True), what)


def made(d):
    """registered with the password: it is listed, named anew and removed"""
    p = d.person('acme', 'made@acme.example')
    equal(passkeys(p), [], 'none at first')
    o = asked(p)['publicKey']
    equal(o['rp'], {'id': 'acme.localhost', 'name': 'アクメ'}, 'rp')
    equal(o['user']['name'], 'made@acme.example', 'user')
    equal([a['alg'] for a in o['pubKeyCredParams']], [-7, -8, -257], 'algs')
    equal(o['excludeCredentials'], [], 'none excluded')
    key = register(p, name='電話')
    o = asked(p)['publicKey']
    equal(o['excludeCredentials'], [{'type': 'public-key',
                                     'id': b64(key.id)}], 'excluded')
    row, = passkeys(p)
    equal((row['name'], row['last']), ('電話', 0), 'row')
    check(row['created'] > 0, 'created')
    path = '/passkeys/%d' % row['id']
    p.api('PATCH', path, {'name': 'Old phone'}, want=204)
    equal(fresh(d, key).status, 201, 'used')
    row, = passkeys(p)
    equal(row['name'], 'Old phone', 'named')
    check(row['last'] >= row['created'], 'last used')
    r = p.api('DELETE', path, {'password': 'wrong'}, want=401)
    equal(r.problem(), 'sign-in', 'with the password only')
    equal(len(passkeys(p)), 1, 'still there')
    p.api('DELETE', path, {'password': PASSWORD}, want=204)
    equal(passkeys(p), [], 'removed')
    refused(d, fresh(d, key), 'a removed one')
    p.api('DELETE', path, {'password': PASSWORD}, want=404)
    p.api('PATCH', path, {'name': 'x'}, want=404)
    p.close()


def of_others(d):
    """one's passkeys are nobody else's to see, name or remove"""
    p, q = (d.person('acme', m + '@acme.example') for m in ('own', 'oth'))
    key = register(p)
    path = '/passkeys/%d' % passkeys(p)[0]['id']
    equal(passkeys(q), [], 'not listed')
    q.api('PATCH', path, {'name': 'mine'}, want=404)
    q.api('DELETE', path, {'password': PASSWORD}, want=404)
    # The same credential once more, by him or by another.
    for who in (p, q):
        o = asked(who)
        r = who.api('POST', '/passkeys', {
            'password': PASSWORD, 'name': 'x', 'passkey': key.make(o)},
            want=409)
        equal(r.json()['field'], 'passkey', 'field')
    equal(passkeys(p)[0]['name'], 'Key', 'as it was')
    p.close()
    q.close()


def alone(d):
    """without a password: the device has verified who it is"""
    p = d.person('acme', 'alone@acme.example')
    key = register(p)
    r = fresh(d, key)
    equal(r.status, 201, 'signed in')
    equal(r.json()['user']['email'], 'alone@acme.example', 'who')
    check('__Host-risa=' in r.get('set-cookie'), 'a cookie')
    refused(d, fresh(d, key, flags=UP), 'not verified')
    refused(d, fresh(d, key, flags=UV), 'nobody there')
    refused(d, fresh(d, key, handle=False), 'without a handle')
    was, key.handle = key.handle, os.urandom(32)
    refused(d, fresh(d, key), "somebody else's handle")
    key.handle = was[:16]
    refused(d, fresh(d, key), 'half a handle')
    key.handle = was
    equal(fresh(d, key).status, 201, 'and again')
    stranger = Authenticator(key.origin)
    stranger.rp, stranger.handle = key.rp, key.handle
    refused(d, fresh(d, stranger), 'an unknown credential')
    stranger.id = key.id
    refused(d, fresh(d, stranger), 'signed by another key')
    p.close()


def second(d):
    """after the password: that the device was there is enough"""
    p = d.person('acme', 'second@acme.example')
    q = d.person('acme', 'third@acme.example')
    key, other = register(p), register(q)
    mine = {'email': p.mail, 'password': PASSWORD}

    def right():
        until(lambda: fresh(d, key, more=mine).status == 201,
              'the delay ends')

    r = fresh(d, key, purpose='second-factor', more=mine, flags=UP)
    equal((r.status, r.json()['user']['email']), (201, p.mail), 'signed in')
    equal(fresh(d, key, more=mine, flags=UP, handle=False).status, 201,
          'a handle is not needed')
    with Http(d) as h:
        r = h.request('POST', '/api/v1/session', mine)
    equal((r.status, r.problem(), r.json()['methods']),
          (401, 'second-factor', ['passkey']), 'the password alone')
    refused(d, fresh(d, key, more=dict(mine, password='wrong')),
            'a wrong password')
    not_second(fresh(d, other, more=mine), "somebody else's passkey")
    right()
    not_second(fresh(d, key, more=mine, flags=UV), 'nobody there')
    with Http(d) as h:
        passkey = key.get(options(h))
        equal(sign_in(d, passkey).status, 201, 'used')
    not_second(sign_in(d, passkey, **mine), 'replayed')
    right()
    key.count -= 1
    not_second(fresh(d, key, more=mine), 'counter')
    refused(d, fresh(d, key, more=dict(mine, email='no@acme.example')),
            'an unknown address')
    equal(fresh(d, key, more=mine).status, 201, 'and again')
    p.close()
    q.close()


def once(d):
    """a challenge and an assertion are good for one use, right or wrong"""
    p = d.person('acme', 'once@acme.example')
    key = register(p)
    with Http(d) as h:
        o = options(h)
        passkey = key.get(o)
        equal(sign_in(d, passkey).status, 201, 'first')
        refused(d, sign_in(d, passkey), 'replayed')
        refused(d, sign_in(d, key.get(o)), 'challenge used twice')
        o = options(h)
        bad = dict(key.get(o), signature=b64(b'x' * 70))
        refused(d, sign_in(d, bad), 'wrong')
        refused(d, sign_in(d, key.get(o)), 'used up by failure')
        # One that was never given out.
        o['publicKey']['challenge'] = b64(os.urandom(32))
        refused(d, sign_in(d, key.get(o)), 'not ours')
    # Of one purpose for the other.
    o = asked(p)
    o['publicKey']['rpId'] = 'acme.localhost'
    refused(d, sign_in(d, key.get(o)), 'one for registering')
    with Http(d) as h:
        o = options(h)
    o['publicKey'].update(rp={'id': 'acme.localhost'},
                          user={'id': b64(key.handle)})
    new = Authenticator(p.http.origin)
    r = p.api('POST', '/passkeys', {'password': PASSWORD, 'name': 'x',
                                    'passkey': new.make(o)}, want=422)
    equal(r.json()['field'], 'passkey', 'one for signing in')
    # Of somebody else, and a wrong password uses it up, too.
    q = d.person('acme', 'once2@acme.example')
    o = asked(q)
    p.api('POST', '/passkeys', {'password': PASSWORD, 'name': 'x',
                                'passkey': new.make(o)}, want=422)
    o = asked(p)
    p.api('POST', '/passkeys', {'password': 'wrong', 'name': 'x',
                                'passkey': new.make(o)}, want=401)
    p.api('POST', '/passkeys', {'password': PASSWORD, 'name': 'x',
                                'passkey': new.make(o)}, want=422)
    equal(len(passkeys(p)), 1, 'nothing came of it')
    p.close()
    q.close()


def elsewhere(d):
    """a tenant's passkeys, challenges and origin are of no use in another"""
    p = d.person('acme', 'else@acme.example')
    q = d.person('globex', 'else@globex.example')
    key = register(p)
    refused(d, fresh(d, key, 'globex'), 'a passkey of acme')
    with Http(d, 'globex') as h:
        o = options(h)
    refused(d, sign_in(d, key.get(o)), 'a challenge of globex')
    key.origin = q.http.origin
    refused(d, fresh(d, key), 'made on the page of globex')
    key.origin = p.http.origin
    key.rp = 'globex.localhost'
    refused(d, fresh(d, key), 'for the host of globex')
    key.rp = 'localhost'
    refused(d, fresh(d, key), 'for the domain of both')
    key.rp = 'acme.localhost'
    equal(fresh(d, key).status, 201, 'at home')
    p.close()
    q.close()


def counter(d):
    """a counter that goes back is refused and written down; 0 is no counter"""
    p = d.person('acme', 'count@acme.example')
    key = register(p)
    equal(fresh(d, key).status, 201, 'forward')
    before = len(d.log())
    key.count -= 1
    refused(d, fresh(d, key), 'the same once more')
    until(lambda: 'was it copied?' in d.log()[before:], 'a warning')
    key.count = 0
    refused(d, fresh(d, key), 'back')
    key.count, key.counts = 0, False
    refused(d, fresh(d, key), 'to none')
    key.count, key.counts = 50, True
    equal(fresh(d, key).status, 201, 'a leap')
    still = register(p, Authenticator(p.http.origin, counts=False))
    for _ in range(2):
        equal(fresh(d, still).status, 201, 'never counts')
    p.close()


def ten(d):
    """ten of a person, and no more"""
    p = d.person('acme', 'ten@acme.example')
    spare = asked(p)
    for i in range(MAX):
        register(p, name='Key %d' % i)
    equal(len(passkeys(p)), MAX, 'ten')
    r = p.api('POST', '/passkeys/challenge', {}, want=409)
    equal(r.json()['field'], 'passkeys', 'field')
    new = Authenticator(p.http.origin)
    p.api('POST', '/passkeys', {'password': PASSWORD, 'name': 'x',
                                'passkey': new.make(spare)}, want=409)
    p.api('DELETE', '/passkeys/%d' % passkeys(p)[0]['id'],
          {'password': PASSWORD}, want=204)
    register(p)
    p.close()


def states(d):
    """who is locked or removed does not come in by a passkey"""
    p = d.person('acme', 'locked@acme.example')
    key = register(p)
    d.do('user', 'lock', 'acme', p.mail)
    refused(d, fresh(d, key), 'locked by an administrator')
    refused(d, fresh(d, key, more={'email': p.mail, 'password': PASSWORD}),
            'with a password, too')
    d.do('user', 'unlock', 'acme', p.mail)
    equal(fresh(d, key).status, 201, 'unlocked')
    d.do('user', 'delete', 'acme', p.mail)
    refused(d, fresh(d, key), 'removed')
    d.do('tenant', 'suspend', 'acme')
    try:
        with Http(d) as h:
            r = h.request('POST', '/api/v1/passkey/challenge',
                          {'purpose': 'sign-in'})
        equal(r.status, 421, 'no tenant')
    finally:
        d.do('tenant', 'resume', 'acme')


def demanded(d):
    """who must have a second factor may do with a passkey, and keeps one"""
    adm = d.person('acme', 'adm@acme.example', 'admin')
    p = d.person('acme', 'must@acme.example')
    register(adm)
    p.open()
    d.do('policy', 'set', 'acme', 'second-factor', '2')
    try:
        p.bye('must', 4001)
        equal(p.sign_in().get('/session')['must'], ['second-factor'], 'must')
        equal(p.api('GET', '/people').problem(), 'must', 'nothing else')
        key = register(p)
        equal(p.get('/session')['must'], [], 'free')
        p.get('/people')
        row, = passkeys(p)
        r = p.api('DELETE', '/passkeys/%d' % row['id'],
                  {'password': PASSWORD}, want=409)
        equal(r.json()['field'], 'second-factor', 'the last one stays')
        equal(fresh(d, key).status, 201, 'alone it is two factors')
        # An administrator takes it away from somebody who has lost it.
        path = '/admin/users/%d/factor' % p.id
        equal([u['factors'] for u in adm.get('/admin/users')['users']
               if u['id'] == p.id], [['passkey']], 'seen')
        equal(adm.api('DELETE', path, {}).status, 204)
        refused(d, fresh(d, key), 'taken away')
        equal(p.sign_in().get('/passkeys')['passkeys'], [], 'none is left')
    finally:
        d.do('policy', 'set', 'acme', 'second-factor', '0')
    adm.close()
    p.close()


def bad_fields(d):
    """what is wrong is named, nothing is done"""
    p = d.person('acme', 'bad@acme.example')
    key = register(p)
    with Http(d) as h:
        for body in ({}, {'purpose': 'x'}, {'purpose': 1}):
            r = h.request('POST', '/api/v1/passkey/challenge', body)
            equal((r.status, r.json()['field']), (422, 'purpose'), str(body))
        good = key.get(options(h))
        for name in good:
            for v in (None, 7, '', '!', 'A', 'A' * 20001):
                bad = dict(good)
                if v is None and name != 'userHandle':
                    del bad[name]
                elif v is not None:
                    bad[name] = v
                else:
                    continue
                r = h.request('POST', '/api/v1/session', {'passkey': bad})
                equal((r.status, r.json()['field']), (422, 'passkey'),
                      '%s %r' % (name, v))
        for bad in (None, 7, 'x', [], dict(good, more=1)):
            r = h.request('POST', '/api/v1/session', {'passkey': bad})
            equal((r.status, r.json()['field']), (422, 'passkey'), str(bad))
        r = h.request('POST', '/api/v1/session', {'passkey': good,
                                                  'email': 'x@acme.example'})
        equal((r.status, r.json()['field']), (422, 'password'), 'half')
    equal(sign_in(d, good).status, 201, 'it was not used up')
    o = asked(p)
    new = Authenticator(p.http.origin)
    body = {'password': PASSWORD, 'name': 'x', 'passkey': new.make(o)}
    for name, v in (('name', ''), ('name', 'x' * 65), ('name', 'a\u0007'),
                    ('password', 'x' * 600), ('passkey', {}),
                    ('passkey', dict(body['passkey'],
                                     attestationObject='A' * 20000))):
        r = p.api('POST', '/passkeys', dict(body, **{name: v}), want=422)
        equal(r.json()['field'], name, name)
    equal(p.api('PATCH', '/passkeys/%d' % passkeys(p)[0]['id'],
                {'name': ' '}, want=422).json()['field'], 'name', 'renamed')
    equal(len(passkeys(p)), 1, 'one')
    p.close()


def hostile(d):
    """bytes of all kinds are refused, and the process that reads them lives"""
    p = d.person('acme', 'hostile@acme.example')
    before = d.pids('hash')
    key = register(p)
    for junk in (b'\x00', b'\xa3' * 8000, b'\x9f' * 8000, b'\xbf' * 8000,
                 b'\xbb' + b'\xff' * 8, b'[' * 2000, os.urandom(2000)):
        o = asked(p)
        new = Authenticator(p.http.origin).make(o)
        p.api('POST', '/passkeys', {
            'password': PASSWORD, 'name': 'x', 'passkey': dict(
                new, attestationObject=b64(junk))}, want=422)
        with Http(d) as h:
            good = key.get(options(h))
        for name, most in (('clientDataJSON', 2048),
                           ('authenticatorData', 1024), ('signature', 512)):
            with Http(d) as h:
                good = key.get(options(h))
            refused(d, sign_in(d, dict(good, **{name: b64(junk[:most])})),
                    name)
    equal(d.pids('hash'), before, 'the hash processes')
    equal(fresh(d, key).status, 201, 'and the right one')
    p.close()


def flood(d):
    """challenges are limited by address; others go on"""
    p = d.person('acme', 'flood@acme.example')
    key = register(p)
    with Http(d, source='127.8.8.8') as h:
        def asked():
            return h.request('POST', '/api/v1/passkey/challenge',
                             {'purpose': 'sign-in'}).status
        until(lambda: asked() == 429, 'too many')
    equal(fresh(d, key).status, 201, 'another address')
    check(d.stats()['auth.challenges'] > 50, 'counted')
    p.close()


def guessed_at(d):
    """a stranger's wrong passwords do not keep the owner's passkey out"""
    p = d.person('acme', 'victim@acme.example')
    key = register(p)
    d.do('policy', 'set', 'acme', 'lock-tries', '2')
    with Http(d, source='127.8.8.9') as h:
        def tried(password='wrong'):
            return h.request('POST', '/api/v1/session', {
                'email': p.mail, 'password': password}).problem()
        until(lambda: tried() == 'locked', 'locked')
        equal(tried(PASSWORD), 'locked', 'the right password, too')
    r = fresh(d, key)
    equal((r.status, r.json()['failures']), (201, 2),
          'the owner comes in, and is told')
    equal(fresh(d, key).json()['failures'], 0, 'once')
    with Http(d, source='127.8.8.9') as h:
        equal(h.request('POST', '/api/v1/session', {
            'email': p.mail, 'password': PASSWORD}).problem(), 'locked',
            'it frees no stranger')
    d.do('policy', 'set', 'acme', 'lock-tries', '10')
    p.close()


def survives(d):
    """passkeys and their counters survive a restart"""
    p = d.person('acme', 'stay@acme.example')
    key = register(p)
    equal(fresh(d, key).status, 201, 'before')
    d.restart()
    until(lambda: Http(d).request('GET', '/api/v1/tenant').status == 200,
          'it serves')
    key.count -= 1
    refused(d, fresh(d, key), 'the counter is remembered')
    equal(fresh(d, key).status, 201, 'after')
    p.close()


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme', 'title', 'アクメ')
    d.do('tenant', 'add', 'globex')
    s = Suite(d)
    for fn in (made, of_others, alone, second, once, elsewhere, counter, ten,
               states, bad_fields, hostile, flood, demanded,
               guessed_at):
        s.run_test(fn, d)
    s.run_test(survives, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
