#!/usr/bin/env python3
"""Words that people write are in no file, whenever a process is killed.

Every field that somebody can fill is filled with marked words, without end;
at random moments a process or all of them are killed, and all files are
searched for the mark, byte by byte and in the forms that bytes get (T15)."""

import base64
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from authenticator import Authenticator                         # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import (MAP, PASSWORD, RISACTL, Closed, Daemon,       # noqa: E402
                  Failure, Http, Person, alive, link_token, until)

MOMENTS = 200 if LONG else 24
LIFE = 6                # kills of children in one life of the daemon
SLOTS = (('storage', 0), ('session', 0), ('auth', 0), ('storage', 0),
         ('hash', 0), ('storage', 0), ('keys', 0), ('session', 1),
         ('storage', 0))
MARK = b'canaryqzxwvk'
JAPANESE = '青鷺橋'
CLEAR = 'cleartenant'   # what stands in the clear, so the search can find

# What is in the clear by design, as risad(8) has it: numbers, times, sizes,
# kinds, who has written to which channel when, and the name of a tenant,
# which is part of a host name.  Of what can be typed, the name alone.
BY_DESIGN = ('tenants.name',)

# What a WebSocket or a request may fail with while processes are killed.
GONE = (Failure, Closed, OSError, ssl.SSLError, TimeoutError, ValueError,
        KeyError, AttributeError, TypeError)


def word():
    return MARK.decode() + ''.join(random.choices('abcdefghij', k=8))


def base64_forms(data):
    """What of it base64 shows whatever stands around it."""
    for k in range(3):
        text = base64.b64encode(b'\0' * k + data)
        part = text[-(-k * 8 // 6):(k + len(data)) * 8 // 6]
        yield part
        yield part.translate(bytes.maketrans(b'+/', b'-_'))


ANY_CASE = [MARK, MARK[::-1], MARK.hex().encode(),
            MARK.decode().encode('utf-16-le'),
            MARK.decode().encode('utf-16-be')] + [
    JAPANESE.encode(code).lower()
    for code in ('utf-8', 'shift_jis', 'euc_jp', 'utf-16-le', 'utf-16-be')]
AS_IS = [*base64_forms(MARK), *base64_forms(JAPANESE.encode())]


class Search:
    """All files of a daemon, and what must not be in them."""

    def __init__(self, d):
        self.d = d
        self.secret = []        # what, and bytes that are no words
        self.files = self.bytes = 0
        self.dir = tempfile.TemporaryDirectory(prefix='risad-search-')
        self.tool = os.path.join(self.dir.name, 'search')
        subprocess.run(['cc', '-O2', '-Wall', '-Werror', '-o', self.tool,
                        os.path.join(os.path.dirname(__file__), 'search.c')],
                       check=True)

    def add(self, what, data):
        self.secret.append((what, data))

    def token(self, what, text):
        self.add(what, text.encode())
        self.add(what, base64.urlsafe_b64decode(text + '=' * (-len(text)
                                                              % 4)))

    def paths(self):
        for top, _, names in os.walk(self.d.dir):
            for name in names:
                path = os.path.join(top, name)
                if os.path.dirname(path) != self.d.path('keys'):
                    yield path
        for name in os.listdir('/'):
            if name.startswith('core'):
                yield '/' + name

    def hits(self):
        paths = list(self.paths())
        found = self.secrets(paths)
        for path in paths:
            found += [(path, h) for h in (
                'name of the file',) if MARK in path.encode().lower()]
            try:
                with open(path, 'rb') as f:
                    data = f.read()
            except OSError:
                continue            # a journal that has gone, or a socket
            self.files += 1
            self.bytes += len(data)
            found += [(path, h) for h in self.within(data)]
        return found

    def within(self, data):
        low = data.lower()
        for form in ANY_CASE:
            at = low.find(form)
            if at != -1:
                yield data[max(at - 40, 0):at + 60]
        for form in AS_IS:
            if form in data:
                yield form

    def secrets(self, paths):
        """There are thousands of them after a while: C finds them in time."""
        secret = list(self.secret)
        lines = [v.hex() for _, v in secret] + [''] + paths
        out = subprocess.run([self.tool], check=True, stdout=subprocess.PIPE,
                             input='\n'.join(lines).encode()).stdout.decode()
        return [(path, secret[int(n)][0]) for n, path in (
            line.split(' ', 1) for line in out.splitlines())]


class Office:
    """Those who write, and how often each field was filled."""

    def __init__(self, d, search):
        self.d = d
        self.search = search
        self.filled = {}
        self.dir = tempfile.mkdtemp(prefix='risad-planted-')
        self.stopping = threading.Event()
        self.errors = []
        d.do('tenant', 'add', CLEAR)
        d.do('tenant', 'add', 'acme', 'title', 'Acme')
        self.one = d.floor('acme', 'One')
        self.admin = d.person('acme', 'admin@acme.example', 'admin')
        self.bob = d.person('acme', 'bob@acme.example')
        self.eve = d.person('acme', 'eve@acme.example')
        for p in (self.admin, self.bob, self.eve):
            search.token('cookie', p.http.cookie)
        self.threads = []

    def did(self, field):
        self.filled[field] = self.filled.get(field, 0) + 1

    def path(self, name):
        return os.path.join(self.dir, name)

    def api(self, p, field, method, path, body, want=(200, 201, 204), **more):
        """The field is filled when the answer says so."""
        r = p.api(method, path, body, **more)
        if r.status == 401 and p is not self.eve:
            p.sign_in()
            self.search.token('cookie', p.http.cookie)
        if r.status in want:
            self.did(field)
            return r
        raise Failure('%s: %d' % (field, r.status))

    def ctl(self, field, *words, stdin_text=''):
        if self.d.ctl(*words, stdin_text=stdin_text)[0] != 0:
            raise Failure(field)
        self.did(field)

    # What people write

    def talks(self):
        """Floor, room and direct messages, and the refs of them."""
        p = self.bob
        if p.ws is None:
            p.open()
            p.enter(self.one)
            p.walk((940, 315), (1100, 315), room=1)
        try:
            for field, to in (('floor talk', 'floor'), ('room talk', 'room'),
                              ('direct talk', {'user': self.admin.id})):
                text = '%s %s' % (word(), JAPANESE)
                p.say(text, to, word()[:20])
                self.did(field)
                self.did('ref')
            p.tell(t=word(), to=word())
            p.settle()
            self.did('unknown frame')
        except GONE:
            p.drop()
            raise

    def profile(self):
        self.api(self.bob, 'note', 'PATCH', '/me',
                 {'note': word() + JAPANESE})
        self.api(self.bob, 'name', 'PATCH', '/me',
                 {'name': word() + JAPANESE})

    def requests(self):
        """What is in the access log."""
        with Http(self.d) as h:
            r = h.request('GET', '/' + word() + '?q=' + word())
            equal(r.status, 404, 'path')
            self.did('path')
            h.request('POST', '/api/v1/session', {
                'email': word() + '@example.com', 'password': word()},
                {'User-Agent': word()})
            self.did('failed sign-in')
            h.request('GET', '/', None, {'Host': word() + '.localhost'})
            self.did('host')
            h.request('GET', '/api/v1/invite/' + word())
            self.did('wrong link')

    def sign_in(self):
        r = self.eve.http.request('POST', '/api/v1/session', {
            'email': self.eve.mail, 'password': self.eve.password},
            {'User-Agent': word()})
        if r.status == 201:
            self.eve._signed_in(r)
            self.search.token('cookie', self.eve.http.cookie)
            self.did('agent')

    def passwords(self):
        p, new = self.eve, word() + ' Xy1'
        r = self.api(p, 'password', 'POST', '/password', {
            'current': p.password, 'new': new})
        p.password = new
        self.sign_in()

    def passkey(self):
        p = self.bob
        made = p.api('POST', '/passkeys/challenge', {}, 200).json()
        key = Authenticator(p.http.origin)
        self.api(p, 'passkey', 'POST', '/passkeys', {
            'password': PASSWORD, 'name': word(), 'passkey': key.make(made)})
        n = p.get('/passkeys')['passkeys'][0]['id']
        self.api(p, 'passkey', 'PATCH', '/passkeys/%d' % n, {'name': word()})
        p.api('DELETE', '/passkeys/%d' % n, {'password': PASSWORD})

    def totp(self):
        r = self.admin.api('POST', '/factor/totp', {'password': PASSWORD},
                           201).json()
        text = [v for v in r.values() if isinstance(v, str) and
                re.fullmatch('[A-Z2-7]{16,}', v)][0]
        self.search.add('secret of a second factor', text.encode())
        self.search.add('secret of a second factor', base64.b32decode(
            text + '=' * (-len(text) % 8)))
        self.did('second factor')

    # What administrators write

    def people(self):
        mail = '%s@%s.example' % (word(), word())
        r = self.api(self.admin, 'invited', 'POST', '/admin/users', {
            'email': mail, 'role': 'member', 'name': word()}).json()
        self.search.token('link', link_token(r['invite']['url']))
        p = Person(self.d, 'acme', mail, word() + ' Xy1')
        p.accept(link_token(r['invite']['url']), word())
        self.did('accepted')
        p.close()
        n = r['user']['id']
        self.api(self.admin, 'renamed', 'PATCH', '/admin/users/%d' % n,
                 {'name': word()})
        self.api(self.admin, 'erased', 'POST', '/admin/users/%d/erase' % n,
                 {'messages': 'erase'})

    def groups(self):
        r = self.api(self.admin, 'group', 'POST', '/admin/groups', {
            'name': word() + JAPANESE, 'members': [self.bob.id]}).json()
        self.admin.api('DELETE', '/admin/groups/%d' % r['group']['id'], {})
        r = self.api(self.admin, 'role', 'POST', '/admin/roles', {
            'name': word(), 'can': ['chat']}).json()
        self.admin.api('DELETE', '/admin/roles/%d' % r['role']['id'], {})

    def tenant(self):
        self.api(self.admin, 'title', 'PATCH', '/admin/tenant',
                 {'title': word() + JAPANESE})

    def guests(self):
        secret = word()
        r = self.api(self.admin, 'guest link', 'POST', '/guests', {
            'floors': [self.one], 'note': word() + JAPANESE,
            'password': secret, 'expires': int(time.time() * 1000) + 600000
            }).json()
        token = r['url'].rsplit('/', 1)[1]
        self.search.token('link of a guest', token)
        g = Person(self.d, 'acme', 'guest')
        g._signed_in(g.api('POST', '/guest/' + token, {
            'name': word(), 'password': secret}))
        self.search.token('cookie', g.http.cookie)
        self.did('guest')
        g.close()
        self.admin.api('DELETE', '/guests/%d' % r['guest']['id'], {})

    def imported(self):
        group, mail = word(), '%s@%s.example' % (word(), word())
        made = self.admin.api('POST', '/admin/groups', {'name': group}, 201)
        text = 'email,name,role,groups\n%s,%s,member,%s\n' % (
            mail, word(), group)
        r = self.admin.api('POST', '/admin/import', {
            'csv': text, 'dry': True}, 200).json()
        r = self.api(self.admin, 'import', 'POST', '/admin/import', {
            'csv': text, 'digest': r['digest']}).json()
        self.d.ctl('user', 'delete', 'acme', mail)
        self.admin.api('DELETE', '/admin/groups/%d' %
                       made.json()['group']['id'], {})

    # What operators write

    def floors(self):
        m = json.loads(json.dumps(MAP))
        m['rooms'][0]['name'] = {'ja': word() + JAPANESE, 'en': word()}
        m['rooms'][1]['name'] = word()
        with open(self.path('map.json'), 'w') as f:
            json.dump(m, f)
        name = word()
        self.ctl('floor and map', 'floor', 'add', 'acme', name, 'map',
                 self.path('map.json'))
        self.ctl('floor', 'floor', 'delete', 'acme', name)

    def operator(self):
        mail = '%s@%s.example' % (word(), word())
        self.ctl('user by operator', 'user', 'add', 'acme', mail, 'name',
                 word())
        self.ctl('user by operator', 'user', 'delete', 'acme', mail)
        self.ctl('hold', 'hold', 'set', 'acme', 'user', 'eve@acme.example',
                 'reason', word() + JAPANESE)
        self.ctl('hold', 'hold', 'clear', 'acme', 'user', 'eve@acme.example')
        self.ctl('domains', 'policy', 'set', 'acme', 'mail-domains',
                 'acme.example example.com %s.example' % word())
        self.ctl('domains', 'policy', 'set', 'acme', 'mail-domains', '')
        self.d.ctl('user', 'show', 'acme', word() + '@example.com')
        self.d.ctl('tenant', 'show', word()[:20])
        self.did('who is not there')

    def tenants(self):
        name = 'temporary'
        self.ctl('new tenant', 'tenant', 'add', name, 'title', word(),
                 'contact', word() + '@example.com')
        self.ctl('new tenant', 'tenant', 'erase', name, 'confirm', name,
                 self.path(word()))

    def exports(self):
        self.ctl('reason of an export', 'tenant', 'export', 'acme',
                 self.path(word()), 'reason', word() + JAPANESE)
        self.ctl('reason of a log', 'log', 'export', 'jsonl',
                 self.path(word()), 'tenant', 'acme', 'reason', word())

    def backups(self):
        self.ctl('key backup', 'key', 'backup', self.path(word()), 'from',
                 self.d.path('keys'), stdin_text=word() + ' ' + word() + '\n')
        self.ctl('backup', 'backup', 'now')
        self.ctl('rotation', 'key', 'rotate', 'tenant', 'acme')

    # All of them at one time

    def work(self, *jobs):
        while not self.stopping.is_set():
            for job in random.sample(jobs, len(jobs)):
                if self.stopping.is_set():
                    return
                try:
                    job()
                except GONE as e:
                    self.errors.append('%s: %s' % (job.__name__, e))
                except subprocess.SubprocessError:
                    pass
                time.sleep(0.05)

    def begin(self):
        for jobs in ((self.talks, self.profile, self.passkey),
                     (self.people, self.groups, self.tenant, self.guests,
                      self.imported, self.totp),
                     (self.floors, self.operator, self.tenants),
                     (self.exports, self.backups),
                     (self.requests, self.sign_in, self.passwords)):
            t = threading.Thread(target=self.work, args=jobs, daemon=True)
            t.start()
            self.threads.append(t)

    def end(self):
        self.stopping.set()
        for t in self.threads:
            t.join()
        shutil.rmtree(self.dir, ignore_errors=True)


FIELDS = {
    'floor talk', 'room talk', 'direct talk', 'ref', 'unknown frame', 'note',
    'name', 'path', 'failed sign-in', 'host', 'wrong link', 'agent',
    'password', 'passkey', 'second factor', 'invited', 'accepted', 'renamed',
    'erased', 'group', 'role', 'title', 'guest link', 'guest', 'import',
    'floor and map', 'floor', 'user by operator', 'hold', 'domains',
    'who is not there', 'new tenant', 'reason of an export',
    'reason of a log', 'key backup', 'backup', 'rotation',
}


def finds(d, search):
    """the search finds what stands in the clear, in every form"""
    with open(d.path('data', 'probe'), 'wb') as f:
        for form in ANY_CASE + AS_IS:
            f.seek(0)
            f.truncate()
            f.write(os.urandom(50) + form + os.urandom(50))
            f.flush()
            check(any(p == f.name for p, _ in search.hits()), form)
        value = os.urandom(32)
        search.add('probe', value)
        f.write(value + b'.')
        f.flush()
        check((f.name, 'probe') in search.hits(), 'a secret')
    os.unlink(f.name)
    equal(search.hits(), [], 'without it')
    data = b''
    for path in search.paths():
        try:
            with open(path, 'rb') as f:
                data += f.read()
        except OSError:
            pass
    check(CLEAR.encode() in data, 'the name of a tenant is found: %r' %
          (BY_DESIGN,))


def kill_child(d, slot):
    """One child, by a signal that would leave a core where one may be."""
    pid = d.pids().get(slot, 0)
    if pid == 0:
        return 0
    sig = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGABRT,
                         signal.SIGSEGV))
    os.kill(pid, sig)
    until(lambda: not alive(pid), 'it is dead')
    return 1


def kill_all(d):
    """The parent and with it all: as if the machine had stopped."""
    pids = d.pids_known()
    d.proc.kill()
    d.proc.wait()
    until(lambda: not any(alive(p) for p in pids), 'children are gone')


def moments(d, search, office):
    """after kills at random moments, no word is in any file"""
    office.begin()
    try:
        # All has been written once before the first, and so at the others.
        until(lambda: FIELDS <= set(office.filled), 'every field is filled; '
              'not yet: %r' % (FIELDS - set(office.filled)), 60)
        n = 0
        while n < MOMENTS:
            for slot in random.sample(SLOTS, LIFE):
                time.sleep(random.uniform(0, 0.3))
                try:
                    n += kill_child(d, slot)
                except Failure:
                    continue        # whom we ask was just killed
                equal(search.hits(), [], 'after %s %d' % slot)
                until(lambda: d.ctl('show', 'status')[0] == 0, 'it is back')
            time.sleep(random.uniform(0, 0.3))
            kill_all(d)
            n += 1
            equal(search.hits(), [], 'after the parent')
            d.start()
        before = dict(office.filled)
        until(lambda: all(office.filled[f] > before[f] for f in
                          ('floor talk', 'group', 'floor', 'name')),
              'they write again', 60)
    finally:
        office.end()
    print('%d moments, %d files, %d MiB searched' % (
        n, search.files, search.bytes >> 20))
    print(', '.join('%s %d' % f for f in sorted(office.filled.items())))
    equal(FIELDS - set(office.filled), set(), 'never filled')


def stopped(d, search):
    """and after it has stopped, none either"""
    equal(d.stop(), 0, 'exit code')
    equal(search.hits(), [], 'in the clear')
    d.start()


def main():
    d = Daemon(workers=2).start()
    search = Search(d)
    office = Office(d, search)
    s = Suite(d)
    s.run_test(finds, d, search)
    s.run_test(moments, d, search, office, restarts=True)
    s.run_test(stopped, d, search, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
