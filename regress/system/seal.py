#!/usr/bin/env python3
"""What is on the disk tells nothing: planted words are in no file."""

import base64
import json
import os
import pwd
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import MAP, Daemon, Person, link_token, until         # noqa: E402

WORDS = {
    'floor talk': 'CanaryFloorTalk 青い鳥が窓辺で',
    'room talk': 'CanaryRoomTalk 赤い鳥が',
    'direct talk': 'CanaryDirectTalk 白い鳥が',
    'name': 'CanaryName 緑川',
    'note': 'CanaryNote 会議のあと',
    'mail': 'canary.mail@birds.example',
    'other mail': 'canary.invited@birds.example',
    'floor': 'CanaryFloor 屋上庭園',
    'group': 'CanaryGroup 管理部',
    'password': 'CanaryPassword 31415',
    'second password': 'CanarySecond 27182',
    'room of the map': 'CanaryRoomName',
    'agent': 'CanaryAgent/1.0',
    'ref': 'canary-ref-0123456789',
}
CLEAR = 'canarytenant'          # stands in the clear, so the search can find


def found(d, words):
    """Which words are in which file below the directory of data."""
    hits = []
    for top, _, names in os.walk(d.path('data')):
        for name in names:
            with open(os.path.join(top, name), 'rb') as f:
                data = f.read().lower()
            for what, word in words.items():
                forms = [word] if isinstance(word, bytes) else [
                    word.encode(), word.encode('utf-16-le'),
                    word.split()[0].encode(), word.split()[-1].encode()]
                if any(form.lower() in data for form in forms):
                    hits.append((what, os.path.join(top, name)))
    return hits


def plant(d):
    """Words in every field that a person can fill."""
    m = json.loads(json.dumps(MAP))
    m['rooms'][0]['name'] = WORDS['room of the map']
    d.write('canary.json', json.dumps(m))
    d.do('tenant', 'add', CLEAR)
    d.do('tenant', 'add', 'acme')
    floor = d.floor('acme', WORDS['floor'], 'map', d.path('canary.json'))
    token = d.invite('acme', WORDS['mail'], 'role', 'admin')
    p = Person(d, 'acme', WORDS['mail'], WORDS['password'])
    p.accept(token, WORDS['name'])
    p.api('POST', '/password', {'current': WORDS['password'],
                                'new': WORDS['second password']}, 204)
    p.password = WORDS['second password']
    r = p.http.request('POST', '/api/v1/session', {
        'email': p.mail, 'password': p.password},
        {'User-Agent': WORDS['agent']})
    equal(r.status, 201, 'sign-in')
    p.api('PATCH', '/me', {'note': WORDS['note']}, 200)
    invited = p.api('POST', '/admin/users', {
        'email': WORDS['other mail'], 'role': 'member',
        'name': WORDS['name']}, 201).json()
    p.api('POST', '/admin/groups', {'name': WORDS['group'],
                                    'members': [p.id]}, 201)
    q = d.person('acme', 'quiet@acme.example')
    p.open()
    p.enter(floor)
    p.say(WORDS['floor talk'], ref=WORDS['ref'])
    p.say(WORDS['direct talk'], {'user': q.id})
    p.walk((940, 315), (1100, 315), room=1)
    p.say(WORDS['room talk'], 'room')
    secrets = {}
    for what, text in (('token', p.http.cookie), ('used link', token),
                       ('open link', link_token(invited['invite']['url']))):
        secrets[what] = text.encode()
        secrets[what + ' as bytes'] = base64.urlsafe_b64decode(text + '=')
    for name in ('master.key', 'pepper.key'):
        with open(d.path('keys', name), 'rb') as f:
            secrets[name] = f.read()
    return p, floor, dict(WORDS, **secrets)


def live(d, words):
    """while it serves, with all of it in the write-ahead log"""
    check(found(d, {'tenant': CLEAR}), 'the search finds nothing')
    equal(found(d, words), [], 'in the clear')


def killed(d, words):
    """after storage was killed in the middle of its work"""
    os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
    equal(found(d, words), [], 'in the clear')
    until(lambda: d.ctl('tenant', 'list')[0] == 0, 'storage is back')
    equal(found(d, words), [], 'in the clear')


def stopped(d, words):
    """after it has stopped"""
    equal(d.stop(), 0, 'exit code')
    equal(found(d, words), [], 'in the clear')
    d.start()


def logged(d, words):
    """and the log has none of it either"""
    log = d.log().encode().lower()
    for what, word in words.items():
        word = word if isinstance(word, bytes) else word.encode()
        check(word.lower() not in log, what)


def modes(d):
    """nobody but storage may read the files of tenants"""
    uid = pwd.getpwnam('_risastor').pw_uid
    for top, dirs, names in os.walk(d.path('data')):
        for name in dirs + names:
            st = os.stat(os.path.join(top, name))
            equal((st.st_uid, st.st_mode & 0o077), (uid, 0), name)


def still_there(d, p, floor):
    """and yet all of it is there for those who may read it"""
    p.http.close()
    p.sign_in().open()
    equal((p.user['name'], p.user['note'], p.user['email']),
          (WORDS['name'], WORDS['note'], WORDS['mail']), 'user')
    m = p.enter(floor)
    equal((m['name'], m['map']['rooms'][0]['name']),
          (WORDS['floor'], WORDS['room of the map']), 'floor')
    equal([x['text'] for x in p.history('floor:%d' % floor)['messages']],
          [WORDS['floor talk']], 'history')
    p.drop()


def other_key(d, p, floor):
    """with another master key nothing opens, and nothing is overwritten"""
    equal(d.stop(), 0, 'exit code')
    os.rename(d.path('keys/master.key'), d.path('keys/kept'))
    with open(d.path('keys/master.key'), 'wb') as f:
        f.write(os.urandom(32))
    os.chmod(d.path('keys/master.key'), 0o400)
    proc = d.spawn()
    try:
        d.proc = proc
        until(lambda: proc.poll() is not None or d.healthy(), 'an outcome')
        if proc.poll() is None:
            r = p.api('POST', '/session', {'email': p.mail,
                                           'password': p.password})
            check(r.status != 201, 'signed in')
            check(WORDS['mail'] not in d.ctl('user', 'list', 'acme')[1],
                  'listed')
            d.stop()
        d.proc = None
    finally:
        os.rename(d.path('keys/kept'), d.path('keys/master.key'))
    p.http.close()
    d.start()
    still_there(d, p, floor)


def main():
    d = Daemon().start()
    s = Suite(d)
    p, floor, words = plant(d)
    s.run_test(live, d, words)
    s.run_test(killed, d, words, restarts=True)
    s.run_test(stopped, d, words, restarts=True)
    s.run_test(logged, d, words)
    s.run_test(modes, d)
    s.run_test(still_there, d, p, floor)
    s.run_test(other_key, d, p, floor, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
