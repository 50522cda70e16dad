#!/usr/bin/env python3
"""Whether there is an account, or a link, is not to be had: neither from the
bytes of an answer nor from when it comes."""

import math
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import PASSWORD, Daemon, Http, link_token             # noqa: E402

PAIRS = 2000 if LONG else 120
TRIES = 2               # of an account: more of them are answered later
API = '/api/v1'
WRONG = 'not the right one 9'


class Places:
    """Addresses from which nobody has tried anything yet."""

    def __init__(self):
        self.n = 0

    def next(self):
        self.n += 1
        return '127.%d.%d.%d' % (16 + self.n // 62500,
                                 self.n // 250 % 250, self.n % 250 + 1)


def same(r):
    return r.status, [h for h in r.headers if h[0] != 'date'], r.body


def ask(d, places, method, path, body=None, tenant='acme'):
    with Http(d, tenant, source=places.next(), bound=60) as h:
        return h.request(method, API + path, body)


def sign_in(d, places, mail, password, tenant='acme'):
    return ask(d, places, 'POST', '/session',
               {'email': mail, 'password': password}, tenant)


def accounts(d, places):
    """the answer is the same bytes, whatever the account is"""
    d.invite('acme', 'invited@acme.example')
    for name in ('known', 'locked', 'gone', 'changed'):
        d.person('acme', name + '@acme.example').close()
    d.do('user', 'lock', 'acme', 'locked@acme.example')
    d.do('user', 'delete', 'acme', 'gone@acme.example')
    d.person('globex', 'far@globex.example').close()
    d.person('globex', 'both@acme.example').close()
    tries = [(mail, password) for mail in (
        'invited@acme.example', 'locked@acme.example', 'gone@acme.example',
        'nobody@acme.example', 'far@globex.example', 'both@acme.example',
        'nobody@globex.example')
        for password in (PASSWORD, WRONG)]
    tries += [('known@acme.example', WRONG),
              ('known@acme.example', PASSWORD + ' '),
              ('KNOWN@other.example', PASSWORD),
              ('changed@acme.example', PASSWORD.upper()),
              ('changed@acme.example', 'x' * 512)]
    want, cells = None, 0
    for mail, password in tries:
        r = sign_in(d, places, mail, password)
        want = want or same(r)
        equal(same(r), want, '%s, %r' % (mail, password))
        equal((r.status, r.get('set-cookie')), (401, None), mail)
        cells += 1
    # A suspended tenant is none.
    d.do('tenant', 'suspend', 'globex')
    answers = [same(sign_in(d, places, mail, PASSWORD, tenant))
               for tenant in ('globex', 'nobody')
               for mail in ('far@globex.example', 'nobody@acme.example')]
    equal(answers, [answers[0]] * 4, 'a suspended tenant')
    equal(answers[0][0], 421, 'a suspended tenant')
    d.do('tenant', 'resume', 'globex')
    print('%d accounts and passwords, one answer' % cells)


def links(d, places):
    """a link that is not valid answers as one that never was"""
    ada = d.person('acme', 'ada@acme.example', 'admin')

    def user(mail):
        return ada.api('POST', '/admin/users', {
            'email': mail, 'role': 'member'}, want=201)

    def token_of(r):
        return link_token(r.body.decode())
    used = token_of(user('used@acme.example'))
    equal(ask(d, places, 'POST', '/invite/' + used, {
        'password': PASSWORD}).status, 201, 'taken')
    number = user('old@acme.example').json()['user']['id']
    old = token_of(ada.api('POST', '/admin/users/%d/invite' % number, {},
                           want=201))
    ada.api('POST', '/admin/users/%d/invite' % number, {}, want=201)
    r = user('dead@acme.example')
    dead = token_of(r)
    ada.api('DELETE', '/admin/users/%d' % r.json()['user']['id'], want=204)
    r = user('lock@acme.example')
    far = d.invite('globex', 'there@globex.example')
    reset = token_of(ada.api('POST', '/admin/users/%d/invite' % [
        u['id'] for u in ada.get('/admin/users')['users']
        if u['email'] == 'used@acme.example'][0], {}, want=201))
    equal(ask(d, places, 'POST', '/invite/' + reset, {
        'password': PASSWORD + ' anew'}).status, 201, 'a password set anew')
    cells = 0
    for method, more, body in (
            ('GET', '', None), ('POST', '', {'password': PASSWORD}),
            ('POST', '/check', {'password': PASSWORD})):
        want = None
        for token in ('A' * 43, used, old, dead, far, reset):
            r = ask(d, places, method, '/invite/%s%s' % (token, more), body)
            want = want or same(r)
            equal(same(r), want, '%s %s' % (method, more))
            equal(r.status, 404, method)
            cells += 1
    print('%d links that are none, one answer for each request' % cells)
    ada.close()


def smirnov(a, b):
    """The two-sample test of Kolmogorov and Smirnov: distance, and how
    likely it is that two samples of one thing are so far apart."""
    both = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    at, far = [0, 0], 0.0
    for i, (x, which) in enumerate(both):
        at[which] += 1
        if i + 1 == len(both) or both[i + 1][0] != x:
            far = max(far, abs(at[0] / len(a) - at[1] / len(b)))
    n = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    t = (n + 0.12 + 0.11 / n) * far
    if t < 0.2:
        return far, 1.0
    return far, min(1.0, max(0.0, 2 * sum(
        (-1) ** (k - 1) * math.exp(-2 * k * k * t * t)
        for k in range(1, 101))))


def smirnov_works():
    """the test of the times tells what differs from what does not"""
    random.seed(2)
    a = [random.gauss(30, 1) for _ in range(2000)]
    b = [random.gauss(30, 1) for _ in range(2000)]
    c = [random.gauss(30.2, 1) for _ in range(2000)]
    check(smirnov(a, b)[1] > 0.01, 'the same, told apart')
    check(smirnov(a, c)[1] < 0.001, 'a fifth of the spread, not seen')
    check(abs(smirnov([0.0] * 50, [1.0] * 50)[0] - 1) < 1e-9, 'distance')


def times(d, places):
    """when the answer comes tells nothing of an account"""
    many = (PAIRS + TRIES - 1) // TRIES
    for i in range(many):
        d.person('acme', 'time%d@acme.example' % i).close()
    took = {True: [], False: []}
    answers = set()
    for i in range(PAIRS):
        order = [True, False]
        random.shuffle(order)
        for known in order:
            mail = '%s%d@acme.example' % ('time' if known else 'none',
                                          i % many)
            with Http(d, source=places.next(), bound=60) as h:
                equal(h.request('GET', API + '/tenant').status, 200, 'there')
                data = h.head('POST', API + '/session', {
                    'email': mail, 'password': WRONG})
                begin = time.perf_counter()
                h.send(data)
                h.fill()
                took[known].append(time.perf_counter() - begin)
                r = h.reply()
            answers.add((r.status, r.body))
    equal(len(answers), 1, 'answers: %r' % answers)
    equal(list(answers)[0][0], 401, 'answers')
    far, p = smirnov(took[True], took[False])
    middle = {k: sorted(v)[len(v) // 2] * 1000 for k, v in took.items()}
    print('%d pairs: known %.3f ms, unknown %.3f ms in the middle; '
          'distance %.4f, p %.4f%s' % (PAIRS, middle[True], middle[False],
                                       far, p, '' if LONG else
                                       ' (judged with LONG=1)'))
    if LONG:
        check(p > 0.01, 'the times differ: p %.5f' % p)


def work(d, fn):
    """What fn has the hash processes compute: their seconds on a processor,
    which don't depend on who else wants it."""
    def spent():
        total = 0
        for pid in d.pids('hash').values():
            with open('/proc/%d/schedstat' % pid) as f:
                total += int(f.read().split()[0])
        return total / 1e9
    before = spent()
    fn()
    return spent() - before


def tries(d, places, mails):
    def all_of():
        for mail in mails:
            equal(sign_in(d, places, mail, WRONG).status, 401, mail)
    return work(d, all_of)


CHEAP = 'password hash memory 1024 passes 1\n'
DEAR = 'password hash memory 65536 passes 2\n'
OLD = 5


def changed(places, before, after):
    """a change of what hashes cost does not tell accounts from none"""
    d = Daemon(more=before).start()
    try:
        d.do('tenant', 'add', 'acme')
        old = ['old%d@acme.example' % i for i in range(OLD)]
        none = ['none%d@acme.example' % i for i in range(OLD)]
        people = [d.person('acme', mail) for mail in old]
        d.more = after
        d.write_conf()
        d.do('reload')
        # The first ones wait for the new dummy.
        tries(d, places, ['nobody@acme.example', old[0]])
        one = tries(d, places, old)
        other = tries(d, places, none)
        print('%.3f s for accounts of before, %.3f s for none' % (one, other))
        check(one < 1.5 * other and other < 1.5 * one, 'not the same work')
        # Who signs in has a hash of today's cost from then on.
        for what in ('in the trail', 'once'):
            people[1].sign_in()
            equal(d.do('audit', 'show', 'tenant', 'acme').count(
                'at another cost'), 1, what)
        for p in people:
            p.close()
        d.restart()
        if after == CHEAP:
            one = tries(d, places, [old[1]])
            other = tries(d, places, [old[2]])
            print('%.3f s for who has signed in, %.3f s for who has not' % (
                one, other))
            check(5 * one < other, 'the hash is as it was')
    finally:
        d.end()


def main():
    random.seed()
    d = Daemon(workers=2)
    d.names = d.names + ('nobody.localhost',)
    d.make_cert('tls')
    d.start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    places = Places()
    s = Suite(d)
    s.run_test(smirnov_works)
    for fn in (accounts, links, times):
        s.run_test(fn, d, places)
    for before, after in ((CHEAP, DEAR), (DEAR, CHEAP)):
        s.run_test(changed, places, before, after)
    s.end()


if __name__ == '__main__':
    main()
