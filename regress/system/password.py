#!/usr/bin/env python3
"""Passwords: guessable ones, used ones, old ones, and telling of a change."""

import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, Daemon, Http, Person, until          # noqa: E402

WORDS = ('maple trunk 71', 'quiet harbour 8', 'seven lanterns', 'ink & paper 4')


def change(p, new, current=None):
    def answer():
        """Who has tried some that were used waits for the next."""
        r = p.api('POST', '/password', {'current': current or p.password,
                                        'new': new})
        return None if r.problem() == 'too-many' else r
    r = until(answer, 'the delay is over')
    if r.status == 204:
        p.password = new
    return r


def weak(r, field):
    equal((r.status, r.problem(), r.json().get('field')),
          (422, 'weak', field), 'weak')


def guessable(d):
    """B10: a password guessed from a name, a mail or a list is refused"""
    p = d.person('acme', 'tomoe.gozen@acme.example', name='Tomoe Gozen')
    for bad in ('password1', 'tomoegozen', 'Gozen.Tomoe', 'acme2026',
                'qwertyuiop'):
        weak(change(p, bad), 'new')
    link = d.invite('acme', 'sei.shonagon@acme.example')
    with Http(d) as h:
        for bad in ('shonagon', 'sei.shonagon'):
            weak(h.request('POST', '/api/v1/invite/' + link,
                           {'password': bad, 'name': 'S'}), 'password')
        weak(h.request('POST', '/api/v1/invite/' + link,
                       {'password': 'murasaki1', 'name': 'Murasaki'}),
             'password')
        equal(h.request('POST', '/api/v1/invite/' + link,
                        {'password': WORDS[0]}).status, 201, 'a good one')
    d.do('policy', 'set', 'acme', 'password-strength', '0')
    equal(change(p, 'tomoegozen').status, 204, 'where it is allowed')
    d.do('policy', 'set', 'acme', 'password-strength', '2')
    p.close()


def judged(d):
    """B9: the page asks, while one types, what the rules say"""
    p = d.person('acme', 'judge@acme.example', name='Judge Dee')

    def lacks(pw):
        o = p.api('POST', '/password/check', {'password': pw}, 200).json()
        return sorted(o['lacks']), o['score']

    d.do('policy', 'set', 'acme', 'password-kinds', '2')
    equal(lacks('judge'), (['kinds', 'short', 'weak'], 0), 'all at once')
    equal(lacks('judgedee1'), (['weak'], 0), 'the name')
    equal(lacks(WORDS[1]), ([], 4), 'a good one')
    d.do('policy', 'set', 'acme', 'password-kinds', '1')
    link = d.invite('acme', 'judged@acme.example')
    with Http(d) as h:
        path = '/api/v1/invite/%s/check'
        r = h.request('POST', path % link, {'password': 'judged12'})
        equal(r.json()['lacks'], ['weak'], 'by an invitation')
        r = h.request('POST', path % link, {'password': 'izumi.shikibu',
                                            'name': 'Izumi Shikibu'})
        equal(r.json()['lacks'], ['weak'], 'the name that is being chosen')
        r = h.request('POST', path % ('A' * 43), {'password': 'x'})
        equal((r.status, r.problem()), (404, 'link'), 'no such link')
        equal(h.request('POST', '/api/v1/password/check',
                        {'password': 'x'}).status, 401, 'nobody')
    equal(p.api('POST', '/password/check', {'password': 'x' * 600}).status,
          422, 'too long')
    p.close()


def history(d):
    """B9: the last passwords do not come again"""
    p = d.person('acme', 'old@acme.example')
    d.do('policy', 'set', 'acme', 'password-history', '3')
    r = change(p, PASSWORD)
    equal((r.status, r.problem(), r.json().get('field')),
          (422, 'used', 'new'), 'the present one')
    for new in WORDS[:2]:
        equal(change(p, new).status, 204, new)
    for used in (PASSWORD,) + WORDS[:2]:
        equal(change(p, used).problem(), 'used', used)
    # A link sets no used one either.
    link = d.json('user', 'reset', 'acme', p.mail)
    token = link['link']['url'].rsplit('/', 1)[1]
    with Http(d) as h:
        r = h.request('POST', '/api/v1/invite/' + token,
                      {'password': WORDS[1]})
        equal((r.status, r.problem(), r.json().get('field')),
              (422, 'used', 'password'), 'by a link')
        equal(h.request('POST', '/api/v1/invite/' + token,
                        {'password': WORDS[2]}).status, 201, 'another')
    p.password = WORDS[2]
    p.sign_in()
    equal(change(p, PASSWORD).status, 204, 'the fourth last comes again')
    db = sqlite3.connect('file:%s?mode=ro' % d.path(
        'data', 'tenants', '1', 'main.db'), uri=True)
    equal(db.execute('SELECT count(*) FROM old_passwords WHERE user = %d'
                     % p.id).fetchone()[0], 3, 'no more are kept')
    db.close()
    d.do('policy', 'set', 'acme', 'password-history', '0')
    equal(change(p, PASSWORD).status, 204, 'without the rule')
    p.close()


def told(d):
    """a change is told at the next sign-in, and only there"""
    p = d.person('acme', 'told@acme.example')
    equal(p.get('/session')['password'], 0, 'of the first password nothing')
    equal(change(p, WORDS[0]).status, 204, 'changed')
    equal(p.get('/session')['password'], 0, 'who did it knows')
    q = Person(d, 'acme', p.mail, WORDS[0])
    q.sign_in()
    at = q.get('/session')['password']
    check(at > 0, 'the next sign-in is not told')
    equal(q.get('/session')['password'], at, 'as long as it lasts')
    r = Person(d, 'acme', p.mail, WORDS[0])
    r.sign_in()
    equal(r.get('/session')['password'], 0, 'the one after it')
    for x in (p, q, r):
        x.close()


def aged(d):
    """B9: a password that is too old has to be changed before all else"""
    p = d.person('acme', 'aged@acme.example')
    equal(p.get('/session')['must'], [], 'fresh')
    d.do('policy', 'set', 'acme', 'password-days', '30')
    equal(p.get('/session')['must'], [], 'younger than that')
    d.stop()
    db = sqlite3.connect(d.path('data', 'tenants', '1', 'main.db'))
    db.execute('UPDATE passwords SET changed = changed - 31 * 86400000 '
               'WHERE user = %d' % p.id)
    db.commit()
    db.close()
    d.start()
    p.close()
    p = Person(d, 'acme', 'aged@acme.example')
    p.sign_in()
    equal(p.get('/session')['must'], ['password'], 'too old')
    r = p.api('GET', '/floors')
    equal((r.status, r.problem()), (403, 'must'), 'nothing else')
    equal(change(p, WORDS[3]).status, 204, 'changed')
    equal(p.get('/session')['must'], [], 'free')
    p.get('/floors')
    d.do('policy', 'set', 'acme', 'password-days', '0')
    p.close()


def preset(d):
    """the rules that NIST recommends, by one word"""
    d.do('policy', 'set', 'acme', 'password-kinds', '4')
    d.do('policy', 'preset', 'acme', 'nist')
    rules = {r['rule']: r['value'] for r in
             d.json('policy', 'show', 'acme')['policy']}
    equal([rules['password-' + k] for k in (
        'length', 'length-factor', 'kinds', 'strength', 'days', 'history')],
        [15, 8, 1, 3, 0, 0], 'the rules')
    ada = d.person('acme', 'ada@acme.example', 'admin')
    o = ada.get('/admin/policy')
    equal({k: o['policy'][k] for k in o['presets']['nist']},
          o['presets']['nist'], 'the page has the same')
    equal(d.ctl('policy', 'preset', 'acme', 'other')[0], 2, 'another word')
    # Eight characters do for whom a second factor is demanded, and for whom
    # it is only there they do not.
    eight = 'kX9#vQ2~'
    bob = d.person('acme', 'bob@acme.example')
    link = d.invite('acme', 'cyd@acme.example')
    with Http(d) as h:
        path = '/api/v1/invite/' + link
        for who, least in (('0', 15), ('1', 15), ('2', 8)):
            d.do('policy', 'set', 'acme', 'second-factor', who)
            want = ['short'] if least == 15 else []
            r = bob.api('POST', '/password/check', {'password': eight})
            equal(r.json()['lacks'], want, 'member, rule ' + who)
            equal(bob.get('/session')['policy']['min'], least, 'is told')
            equal(h.request('GET', path).json()['policy']['min'], least,
                  'by a link')
            equal(h.request('POST', path + '/check', {
                'password': eight}).json()['lacks'], want, 'by a link')
            r = change(bob, eight)
            equal(r.status, 422 if want else 204, 'change, rule ' + who)
            if want:
                equal((r.problem(), r.json()['field']), ('field', 'new'), who)
                equal(h.request('POST', path, {
                    'password': eight}).status, 422, 'use of a link')
        equal(h.request('POST', path, {'password': eight}).status, 201,
              'use of a link')
    d.do('policy', 'set', 'acme', 'second-factor', '0')
    ada.close()
    bob.close()


def main():
    s = Suite()
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    s.daemon = d
    s.pids = d.pids()
    for fn in (guessable, judged, history, told):
        s.run_test(fn, d)
    s.run_test(aged, d, restarts=True)
    s.run_test(preset, d)
    s.end()


if __name__ == '__main__':
    main()
