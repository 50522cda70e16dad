#!/usr/bin/env python3
"""The data of a risad as SQL, for those who come later to read.

make.py TREE DIRECTORY: run the risad that was built in TREE, with as much of
everything as it knows, and leave its databases and keys in DIRECTORY.  To be
run before a version is added to a schema; system/schema.py opens the result.
"""

import json
import os
import re
import sqlite3
import sys

TREE, OUT = sys.argv[1:3]
sys.path.insert(0, os.path.join(TREE, 'regress', 'lib'))
from risa import PASSWORD, Daemon, Http, Person, until          # noqa: E402

NEW = 'another word for ann'


def knows(d, *words):
    """Do it, if this risactl has the words."""
    code, out, err = d.ctl(*words)
    if code not in (0, 2):
        raise SystemExit('%s: %s' % (words, err))
    return out if code == 0 else None


def has(p, path):
    return p.api('GET', path).status == 200


def factors(d, ann, cat):
    if has(ann, '/factor'):
        ann.api('POST', '/factor/totp', {'password': ann.password}, 201)
    if not has(cat, '/passkeys'):
        return
    from authenticator import Authenticator
    o = cat.api('POST', '/passkeys/challenge', {}, 200).json()
    cat.api('POST', '/passkeys', {
        'password': cat.password, 'name': 'Key',
        'passkey': Authenticator(cat.http.origin).make(o)}, 204)


def visit(d):
    out = knows(d, 'guest', 'add', 'acme', 'floor', 'One')
    if out is None:
        return
    token = re.search(r'/guest/([A-Za-z0-9_-]{43})', out).group(1)
    g = Person(d, 'acme', 'guest')
    g._signed_in(g.retry('POST', '/guest/' + token, {'name': 'Guest'}))


def locked(d):
    if knows(d, 'policy', 'set', 'acme', 'lock-tries', '2') is None:
        return
    d.do('policy', 'set', 'acme', 'lock-minutes', '0')
    d.person('acme', 'dan@acme.example').close()
    number = iter(range(1, 250))

    def failed():
        with Http(d, 'acme', source='127.9.0.%d' % next(number)) as h:
            return h.request('POST', '/api/v1/session', {
                'email': 'dan@acme.example', 'password': 'not that one'
            }).problem() == 'locked'
    until(failed, 'locked')


def furnish(d):
    d.do('tenant', 'add', 'acme', 'title', 'Acme 株式会社')
    knows(d, 'policy', 'set', 'acme', 'password-history', '3')
    floor = d.floor('acme', 'One')
    ann = d.person('acme', 'ann@acme.example', 'admin')
    bob = d.person('acme', 'bob@acme.example')
    cat = d.person('acme', 'cat@acme.example')
    factors(d, ann, cat)
    ann.api('POST', '/password', {'current': PASSWORD, 'new': NEW}, 204)
    ann.api('PATCH', '/me', {'note': 'a note'}, 200)
    ann.api('POST', '/admin/groups', {'name': 'Some', 'members': [bob.id]},
            201)
    d.do('user', 'add', 'acme', 'eve@acme.example')
    knows(d, 'role', 'add', 'acme', 'Speakers')
    knows(d, 'operator', 'add', 'daemon', 'role', 'auditor')
    visit(d)
    locked(d)
    ann.open().enter(floor)
    ann.say('to all on the floor')
    ann.say('to bob alone', {'user': bob.id})
    ann.walk((940, 315), (1100, 315), room=1)
    d.do('tenant', 'add', 'globex')
    knows(d, 'tenant', 'end', 'globex', 'on', '2199-12-31')
    return {'floor': floor, 'ann': NEW, 'bob': PASSWORD, 'bob id': bob.id,
            'passkeys': has(cat, '/passkeys'), 'factor': has(ann, '/factor')}


def dump(path, out):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    version, = db.execute('PRAGMA user_version').fetchone()
    with open(out, 'w') as f:
        for line in db.iterdump():
            f.write(line + '\n')
        f.write('PRAGMA user_version = %d;\n' % version)
    db.close()


def main():
    d = Daemon(more='password hash memory 64 passes 1\n')
    d.start()
    facts = furnish(d)
    d.stop()
    os.makedirs(OUT)
    facts['files'] = {}
    for top, _, names in os.walk(d.path('data')):
        for name in sorted(names):
            path = os.path.join(top, name)
            inside = os.path.relpath(path, d.path('data'))
            if name.endswith('.db'):
                dump(path, os.path.join(OUT, inside.replace('/', '-')[:-3] +
                                        '.sql'))
                facts['files'][inside] = inside.replace('/', '-')[:-3] + \
                    '.sql'
            elif name.endswith('.key'):
                with open(path, 'rb') as f:
                    facts['files'][inside] = f.read().hex()
    facts['keys'] = {}
    for name in ('master', 'pepper', 'sign'):
        if os.path.exists(d.path('keys', name + '.key')):
            with open(d.path('keys', name + '.key'), 'rb') as f:
                facts['keys'][name] = f.read().hex()
    with open(os.path.join(OUT, 'facts.json'), 'w') as f:
        json.dump(facts, f, indent=1, sort_keys=True, ensure_ascii=False)
        f.write('\n')


if __name__ == '__main__':
    main()
