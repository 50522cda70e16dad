#!/usr/bin/env python3
"""The access log: what people ask for and where they are, kept, found, told
to nobody else."""

import csv
import glob
import io
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, Daemon, Http, until                   # noqa: E402
from trail import access_log, trail                             # noqa: E402


MOVES = ('sign-in', 'sign-out', 'failed', 'enter', 'leave')


def lines(d, *words, tenant='acme'):
    where = ('tenant', tenant) if tenant else ()
    return d.json('log', 'show', 'last', '0', *where, *words)['lines']


def logged(d, n, *words, tenant='acme', kinds=None):
    """So many lines at least: a worker writes them after it has answered."""
    def rows():
        got = [x for x in lines(d, *words, tenant=tenant)
               if kinds is None or x['kind'] in kinds]
        return len(got) >= n and got
    return until(rows, '%d lines of %r' % (n, words))


def what(rows):
    return [(x['kind'], x['user'], x['text'], x['status'], x['floor'])
            for x in rows]


def requests(d):
    """each request with person, address, URI, outcome and bytes (F2, F4)"""
    p = d.person('acme', 'ann@acme.example')
    p.api('GET', '/people', want=200)
    p.api('GET', '/messages?channel=floor:%d&limit=3' % d.one, want=200)
    p.api('PATCH', '/me', {'note': 'hello'}, want=200)
    p.api('GET', '/admin/users', want=403)
    with Http(d, source='127.9.9.9') as h:
        equal(h.request('GET', '/nothing').status, 404, 'no such file')
        size = len(h.request('GET', '/index.html').body)
    rows = logged(d, 5, 'user', 'ann@acme.example', 'kind', 'request')
    api = '/api/v1'
    equal(what(rows), [
        ('request', p.id, 'POST %s/invite/*' % api, 201, 0),
        ('request', p.id, 'GET %s/people' % api, 200, 0),
        ('request', p.id, 'GET %s/messages?channel=floor:%d&limit=3' %
         (api, d.one), 200, 0),
        ('request', p.id, 'PATCH %s/me' % api, 200, 0),
        ('request', p.id, 'GET %s/admin/users' % api, 403, 0)], 'hers')
    check(all(x['email'] == 'ann@acme.example' and not x['guest'] and
              x['address'] == '127.0.0.1' for x in rows), rows)
    rows = logged(d, 2, 'address', '127.9.0.0/16')
    equal(what(rows), [('request', 0, 'GET /nothing', 404, 0),
                       ('request', 0, 'GET /index.html', 200, 0)], 'nobody')
    check(size < rows[1]['bytes'] < size + 2000, rows)
    equal(lines(d, 'address', '127.9.0.0/16', tenant='globex'), [], 'globex')
    # What belongs to no tenant has a place, too.
    with Http(d, host='nobody.localhost', sni='nobody.localhost',
              source='127.9.9.8') as h:
        equal(h.request('GET', '/secret').status, 421, 'unknown host')
    equal(what(logged(d, 1, 'address', '127.9.9.8', tenant=None)),
          [('request', 0, 'GET /secret', 421, 0)], 'of the installation')
    p.close()


def comings(d):
    """sign-in, failure, sign-out, entering and leaving a floor (F2, F10)"""
    p = d.person('acme', 'ben@acme.example')
    p.open().enter(d.one)
    p.enter(d.two)
    p.drop()
    until(lambda: len(lines(d, 'user', str(p.id), 'kind', 'leave')) == 2,
          'the page is closed')
    p.open().enter(d.one)
    until(lambda: len(lines(d, 'user', str(p.id), 'kind', 'enter')) == 3,
          'entered again')        # another worker may say the next
    p.api('DELETE', '/session', want=204)
    p.drop()
    until(lambda: len(lines(d, 'user', str(p.id), 'kind', 'leave')) == 3,
          'signed out')
    with Http(d, source='127.9.1.1') as h:
        for password in ('wrong', 'worse'):
            h.request('POST', '/api/v1/session', {
                'email': 'Ben@acme.example', 'password': password})
    p.sign_in()
    rows = logged(d, 9, 'user', 'ben@acme.example', kinds=MOVES)
    equal([(x['kind'], x['floor']) for x in rows], [
        ('sign-in', 0), ('enter', d.one), ('leave', d.one),
        ('enter', d.two), ('leave', d.two), ('enter', d.one),
        ('sign-out', 0), ('leave', d.one), ('sign-in', 0)], 'in order')
    rows = logged(d, 2, 'kind', 'failed')
    equal([(x['user'], x['text'], x['address']) for x in rows],
          [(0, 'ben@acme.example', '127.9.1.1')] * 2, 'failures')
    equal(len(lines(d, 'kind', 'enter', 'floor', 'Two')), 1, 'by floor')
    equal(len(lines(d, 'kind', 'enter', 'floor', str(d.one))), 2, 'by number')
    equal(lines(d, 'kind', 'enter', 'user', 'ann@acme.example'), [], 'hers')
    p.close()


def guests(d):
    """a guest is one in the log, too"""
    url = d.do('guest', 'add', 'acme', 'floor', 'One', 'uses', '1').strip()
    token = url.rsplit('/', 1)[1]
    with Http(d, source='127.9.2.1') as h:
        r = h.request('POST', '/api/v1/guest/' + token, {'name': 'Gunnar'})
        equal(r.status, 201, 'in')
        h.cookie = r.get('set-cookie').split(';')[0].split('=', 1)[1]
        equal(h.request('GET', '/api/v1/floors').status, 200, 'floors')
        equal(h.request('DELETE', '/api/v1/session').status, 204, 'out')
    until(lambda: lines(d, 'kind', 'sign-out', 'address', '127.9.2.1'), 'out')
    rows = [x for x in lines(d) if x['guest']]
    check('GET /api/v1/floors' in [x['text'] for x in rows], rows)
    equal([(x['kind'], x['address']) for x in rows if x['kind'] != 'request'],
          [(kind, '127.9.2.1') for kind in ('sign-in', 'sign-out')],
          'comes and goes')
    check(not any(token in x['text'] for x in lines(d)), 'the token')


def failures(d):
    """what counts as a failed sign-in: not a new password that will not do"""
    token = d.invite('acme', 'cy@acme.example')
    with Http(d, source='127.9.3.1') as h:
        for word in ('password1', 'aaaaaaaa', 'short'):
            r = h.request('POST', '/api/v1/invite/' + token,
                          {'password': word})
            equal(r.status, 422, word)
        r = h.request('POST', '/api/v1/guest/' + 'A' * 43, {'name': 'x'})
        equal(r.status, 404, 'no such URL')
        r = h.request('POST', '/api/v1/invite/' + 'A' * 43,
                      {'password': 'qk7vzm2x'})
        equal(r.status, 404, 'no such link')
        r = h.request('POST', '/api/v1/invite/' + token,
                      {'password': 'qk7vzm2x'})
        equal(r.status, 201, 'a good one')
    rows = logged(d, 2, 'address', '127.9.3.1', kinds=MOVES)
    equal([(x['kind'], x['guest']) for x in rows],
          [('failed', False)] * 2 + [('sign-in', False)], 'of all tries')


def times(d):
    """from and to choose by time, days and durations alike"""
    yesterday = time.strftime('%Y-%m-%d', time.gmtime(time.time() - 86400))
    for since in '1h', yesterday:
        until(lambda: lines(d) == lines(d, 'from', since), since)
    equal(lines(d, 'to', '2020-01-01'), [], 'long ago')
    equal(lines(d, 'from', '2020-01-01', 'to', '2020-02-01'), [], 'a month')
    now = int(time.time())
    until(lambda: time.time() > now + 2, 'two seconds')
    with Http(d) as h:
        h.request('GET', '/api/v1/tenant')
    stamp = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now + 1))
    equal(what(logged(d, 1, 'from', stamp)),
          [('request', 0, 'GET /api/v1/tenant', 200, 0)], 'after it')
    newest = d.json('log', 'show', 'tenant', 'acme', 'last', '1')['lines']
    equal(what(newest), [('request', 0, 'GET /api/v1/tenant', 200, 0)],
          'the last one')
    for words in (('from', 'yesterday'), ('from', '2026-13-01'),
                  ('kind', 'party'), ('user', 'ann'), ('address', 'x')):
        code, out, err = d.ctl('log', 'show', *words)
        equal((code, out), (2, ''), words)
    code, _, err = d.ctl('log', 'show', 'tenant', 'acme', 'user',
                         'zoe@acme.example')
    equal((code, err), (1, 'risactl: no such user\n'), 'unknown')


def sealed(d):
    """nothing of it can be read in the files; another reader can, with keys"""
    rows = lines(d)
    mine = [x for x in access_log(d, 'acme')]
    kinds = ('request', 'sign-in', 'sign-out', 'failed', 'enter', 'leave')
    equal([(kinds[x['kind']], x['user'], x['text'], x['status'], x['floor'],
            x['bytes'], x['address']) for x in mine[:len(rows)]],
          [(x['kind'], x['user'], x['text'], x['status'], x['floor'],
            x['bytes'], x['address']) for x in rows], 'the same')
    for path in glob.glob(d.path('data', '**', 'log-*'), recursive=True):
        with open(path, 'rb') as f:
            data = f.read()
        for word in (b'/api/v1', b'127.9.', b'ben@acme', b'/secret'):
            check(word not in data, '%r in %s' % (word, path))


def export(d):
    """CSV and JSON Lines, with a signature that needs no server (F8, F12)"""
    with Http(d) as h:
        h.request('POST', '/api/v1/session', {
            'email': '=1+1@acme.example', 'password': 'wrong'})
        h.request('GET', '/a?"b,c')
    pub = ('key', d.path('keys', 'sign.pub'))
    d.do('log', 'export', 'jsonl', d.path('l'), 'tenant', 'acme')
    with open(d.path('l')) as f:
        rows = [json.loads(x) for x in f]
    want = lines(d)
    equal(rows, want[:len(rows)], 'JSON Lines')
    check(len(rows) > 20, 'many')
    d.do('log', 'export', 'csv', d.path('c'), 'tenant', 'acme', 'from', '1h')
    with open(d.path('c'), newline='') as f:
        text = f.read()
    table = list(csv.DictReader(io.StringIO(text)))
    equal([(x['kind'], x['user'], x['email'], x['bytes'])
           for x in table[:len(rows)]],
          [(x['kind'], str(x['user']), x['email'], str(x['bytes']))
           for x in rows], 'CSV')
    failed = [x['text'] for x in table if x['kind'] == 'failed']
    equal(failed[-1], "'=1+1@acme.example", 'no formula')
    for name, kind in (('l', 'JSON Lines'), ('c', 'CSV')):
        p = subprocess.run([RISACTL, 'verify', d.path(name), *pub],
                           capture_output=True)
        equal((p.returncode, p.stderr), (0, b''), kind)
        check(b'log of acme' in p.stdout, p.stdout)
    with open(d.path('c'), 'a') as f:
        f.write('x')
    p = subprocess.run([RISACTL, 'verify', d.path('c'), *pub],
                       capture_output=True)
    equal(p.returncode, 1, 'a byte more')
    check(b'not the file that was signed' in p.stderr, p.stderr)
    code, _, err = d.ctl('log', 'export', 'csv', d.path('c'))
    equal(code, 1, 'never over a file')
    check('File exists' in err, err)
    code, _, err = d.ctl('log', 'export', 'csv', d.path('n'), 'tenant', 'no')
    equal((code, os.path.exists(d.path('n')), os.path.exists(
        d.path('n.sig'))), (1, False, False), 'nothing half')
    # Who looked is in the tenant's own trail.
    equal([x for x in trail(d, 'acme') if 'access log' in x][-1],
          'by operator 0: export access log', 'told')


def burst(d, n, path):
    with Http(d) as h:
        for i in range(n):
            equal(h.request('GET', '%s%d' % (path, i)).status, 404, 'burst')


def seen(d, path):
    """The numbers of a burst, as often as they are in the log."""
    return [int(x['text'].rsplit('-', 1)[1]) for x in lines(d)
            if x['text'].startswith('GET ' + path)]


def stopped(d):
    """a clean stop loses nothing"""
    burst(d, 500, '/stop-')
    d.restart()
    equal(seen(d, '/stop-'), list(range(500)), 'all of them')


def killed(d):
    """a kill loses a second at most; what happens without storage waits"""
    burst(d, 300, '/old-')
    time.sleep(1.5)                     # a promise in seconds
    pid = d.pids()[('storage', 0)]
    os.kill(pid, signal.SIGKILL)
    # It is a moment until it dies, and what it hears then dies with it.
    until(lambda: not os.path.exists('/proc/%d/fd/0' % pid), 'it is dead')
    burst(d, 300, '/dead-')
    until(lambda: d.ctl('log', 'show', 'tenant', 'acme')[0] == 0, 'back')
    until(lambda: len(seen(d, '/dead-')) >= 299, 'what waited')
    equal(seen(d, '/old-'), list(range(300)), 'older than a second')
    late = seen(d, '/dead-')
    equal(late, sorted(set(late)), 'each once, in order')


def damaged(d):
    """a damaged log is put aside and stops nobody's"""
    d.stop()
    path, = glob.glob(d.path('data', 'tenants', '1', 'log-*.db'))
    with open(path, 'r+b') as f:
        f.write(b'garbage' * 1000)
    for end in ('-wal', '-shm'):
        if os.path.exists(path + end):
            os.unlink(path + end)
    d.start()
    burst(d, 5, '/after-')
    until(lambda: os.path.exists(path[:-3] + '.bad'), 'aside')
    until(lambda: d.ctl('log', 'show', 'tenant', 'acme')[0] == 0 and
          seen(d, '/after-') == list(range(5)), 'goes on')


def main():
    d = Daemon(workers=2, more='password hash memory 64 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    d.one = d.floor('acme', 'One')
    d.two = d.floor('acme', 'Two')
    s = Suite(d)
    for fn in (requests, comings, guests, failures, times, sealed, export):
        s.run_test(fn, d)
    for fn in (stopped, killed, damaged):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
