#!/usr/bin/env python3
"""The door: requests that are ambiguous, too large, too slow, misdirected."""

import concurrent.futures
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from bulk import piecemeal                                      # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, Closed, Daemon, Http, free_port, \
    until                                                       # noqa: E402

ALWAYS = {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
}


def bad(d, data, status, why):
    """These bytes get this answer, and then the connection ends."""
    if isinstance(data, str):
        data = data.encode('latin-1')
    with Http(d) as h:
        r = h.raw(data)
        equal(r.status, status, '%s: %r' % (why, data[:120]))
        equal(r.get('connection'), 'close', why)
        secure(r, why)
        check(h.ended(), '%s: not closed' % why)


def secure(r, why):
    """The headers that every answer carries."""
    for name, value in ALWAYS.items():
        equal(r.all(name), [value], '%s: %s' % (why, name))
    csp = r.get('content-security-policy')
    for word in ("default-src 'none'", "frame-ancestors 'none'",
                 "base-uri 'none'", "form-action 'none'",
                 "script-src 'self'"):
        check(word in csp, '%s: %s' % (why, csp))
    check("unsafe" not in csp, csp)
    check(r.get('permissions-policy'), why)
    check(r.get('date').endswith(' GMT'), why)
    check(r.get('server') is None, why)
    check(r.get('cache-control'), why)


def head(d, line='GET /healthz HTTP/1.1', *fields, host=True):
    lines = [line]
    if host:
        lines.append('Host: acme.localhost:%d' % d.port)
    return '\r\n'.join(lines + list(fields)) + '\r\n\r\n'


def malformed(d):
    """what is not exactly HTTP/1.1 is 400 and the connection closes"""
    lines = ('GET  /healthz HTTP/1.1', ' GET /healthz HTTP/1.1',
             'GET /healthz  HTTP/1.1', 'GET /healthz HTTP/1.1 ',
             'GET\t/healthz HTTP/1.1', 'GET /healthz', 'GET /healthz http/1.1',
             'GET /healthz HTTP/1.1x', 'GET healthz HTTP/1.1',
             'GET https://acme.localhost/healthz HTTP/1.1',
             'G(T /healthz HTTP/1.1', 'GET /health\x7fz HTTP/1.1',
             'GET /h\xe9 HTTP/1.1', 'GET /a#b HTTP/1.1',
             'GET /%zz HTTP/1.1', 'GET /%0a HTTP/1.1', 'GET /%00 HTTP/1.1',
             'GET /a%2fb HTTP/1.1', 'GET /a%5cb HTTP/1.1',
             'GET /../etc/passwd HTTP/1.1', 'GET /%2e%2e/x HTTP/1.1',
             'GET /a//b HTTP/1.1', 'GET /./a HTTP/1.1',
             'GET /%ff%fe HTTP/1.1', 'GET /x?%2 HTTP/1.1',
             'CONNECT acme.localhost:443 HTTP/1.1', '')
    for line in lines:
        status = 501 if line.startswith('CONNECT') else 400
        bad(d, head(d, line), status, 'request line')


def bad_fields(d):
    """header fields that could be read in two ways are 400"""
    ok = 'GET /healthz HTTP/1.1'
    for field in ('X : 1', ' X: 1', 'X', ': 1', 'X\t: 1', 'X: a\r\n b',
                  'X: a\r\n\tb', 'X: a\rb', 'X: a\nY: b', 'X: a\x00b',
                  'X: a\x1bb', 'X(: 1', 'X\xe9: 1', 'Host: other.localhost',
                  'Content-Length: 0\r\nContent-Length: 0',
                  'Content-Length: 5', 'Content-Length: +0',
                  'Content-Length: 0x0', 'Content-Length: 00',
                  'Content-Length: -1', 'Content-Length:',
                  'Content-Length: 0, 0', 'Content-Length: 1 1',
                  'Transfer-Encoding: chunked\r\nContent-Length: 0',
                  'Origin: https://a\r\nOrigin: https://b',
                  'Cookie: a=1\r\nCookie: b=2'):
        bad(d, head(d, ok, field), 400, 'field')
    bad(d, ok + '\n' + head(d, 'X: 1'), 400, 'bare LF')
    bad(d, ok + '\rX: 1\r\n\r\n', 400, 'bare CR')
    bad(d, '\r\n' + head(d), 400, 'empty line first')
    bad(d, b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'TLS')
    bad(d, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP/2')


def bad_host(d):
    """no Host, a strange Host: 400"""
    ok = 'GET /healthz HTTP/1.1'
    bad(d, head(d, ok, host=False), 400, 'none')
    for host in ('', ' ', 'a b', 'a/b', 'acme.localhost:', 'acme.localhost:x',
                 'acme.localhost:99999', '.localhost', 'acme..localhost',
                 'acme.localhost.', '-a.localhost', 'a@b', '[::1]',
                 'a,b', 'x' * 64 + '.localhost', 'x.' * 127 + 'y'):
        bad(d, head(d, ok, 'Host: ' + host, host=False), 400, 'Host')


def too_large(d):
    """413, 414, 431: too much of anything"""
    bad(d, 'GET /' + 'a' * 8192 + ' HTTP/1.1\r\n', 414, 'a long line')
    bad(d, head(d, 'GET /' + 'a' * 1100 + ' HTTP/1.1'), 414, 'a long path')
    bad(d, 'GET ' + 'a' * 9000, 414, 'a line without an end')
    bad(d, head(d, 'GET /healthz HTTP/1.1', *['X-%d: 1' % i
                                              for i in range(80)]), 431,
        'many fields')
    bad(d, head(d, 'GET /healthz HTTP/1.1', 'X: ' + 'a' * 17000), 431,
        'a long field')
    post = 'POST /api/v1/session HTTP/1.1'
    for length in ('65537', '9' * 18, '9' * 19, '1' + '0' * 60):
        bad(d, head(d, post, 'Content-Length: ' + length), 413, 'body')
    with Http(d) as h:
        r = h.request('POST', '/api/v1/session', b'{' + b' ' * 65534 + b'}')
        equal((r.status, r.json().get('field')), (422, 'email'),
              'the largest body')


def not_understood(d):
    """chunks, expectations, other versions and methods are refused"""
    post = 'POST /api/v1/session HTTP/1.1'
    bad(d, head(d, post, 'Transfer-Encoding: chunked'), 501, 'chunks')
    bad(d, head(d, post, 'Transfer-Encoding: identity'), 501, 'identity')
    bad(d, head(d, post, 'Content-Length: 2', 'Expect: 100-continue'), 417,
        'Expect')
    bad(d, head(d, 'GET /healthz HTTP/1.0'), 505, '1.0')
    bad(d, head(d, 'GET /healthz HTTP/3.0'), 505, '3.0')
    for method in ('OPTIONS', 'TRACE', 'FOO', 'get', 'Get', 'PROPFIND'):
        bad(d, head(d, method + ' /healthz HTTP/1.1'), 501, method)


def misdirected(d):
    """a Host that is no tenant, or not the TLS name, is 421 and closed"""
    for name in ('nobody.localhost', 'localhost', 'acme.example',
                 'acme.localhost.evil.example', 'x.acme.localhost',
                 'acmelocalhost'):
        with Http(d, host=name, sni='acme.localhost') as h:
            r = h.request('GET', '/')
            equal((r.status, r.problem()), (421, 'host'), name)
            equal(r.get('connection'), 'close', name)
            secure(r, name)
    tenants = ('acme', 'globex')
    for a in tenants:
        for b in tenants:
            with Http(d, host=a + '.localhost', sni=b + '.localhost') as h:
                for method, path in (('GET', '/api/v1/tenant'), ('GET', '/'),
                                     ('POST', '/api/v1/session')):
                    want = {'GET': 200, 'POST': 422}[method]
                    r = h.request(method, path, {} if method == 'POST'
                                  else None)
                    equal(r.status, want if a == b else 421, (a, b, path))
                    check(a == b or a.encode() not in r.body, 'told a name')
    with Http(d, host='ACME.LocalHost', sni='acme.localhost') as h:
        equal(h.request('GET', '/api/v1/tenant').status, 200, 'letters')


def methods(d):
    """405 with Allow where a path has other methods, 404 where there is none"""
    with Http(d) as h:
        for path, allow in (('/api/v1/session', 'POST, GET, DELETE'),
                            ('/api/v1/me', 'PATCH'),
                            ('/api/v1/admin/users/7', 'PATCH, DELETE')):
            r = h.request('PUT', path, {})
            equal((r.status, r.problem()), (405, 'method'), path)
            equal(sorted(r.get('allow').split(', ')),
                  sorted(allow.split(', ')), path)
            secure(r, path)
        for path in ('/api/v1/none', '/api/v2/session', '/api/v1/session/',
                     '/api/v1/floors/0', '/api/v1/floors/x', '/none.html',
                     '/.git/config', '/api/v1/floors/01', '/index.htm'):
            r = h.request('GET', path)
            equal((r.status, r.problem()), (404, 'not-found'), path)
            secure(r, path)


def heads(d):
    """HEAD says what GET says, without the body, and the connection goes on"""
    with Http(d) as h:
        for path in ('/', '/assets/app-1a2b3c4d.js', '/api/v1/tenant',
                     '/none', '/api/v1/session', '/healthz'):
            get = h.request('GET', path)
            r = h.request('HEAD', path)
            equal(r.status, get.status, path)
            equal([x for x in r.headers if x[0] != 'date'],
                  [x for x in get.headers if x[0] != 'date'], path)
        check(h.sock is not None, 'closed')
        # What comes after it and can not be read is answered with a body.
        h.send(b'GET / HTTP/1.1\r\nHost\r\n\r\n')
        r = h.reply()
        equal((r.status, r.problem()), (400, 'request'), 'behind HEAD')


def page(d):
    """the page, its assets and how long they may be kept"""
    with Http(d) as h:
        index = h.request('GET', '/')
        equal(index.status, 200, '/')
        equal(index.get('content-type'), 'text/html; charset=utf-8', 'type')
        equal(index.get('cache-control'), 'no-cache', 'caching')
        for path in ('/admin', '/admin/users', '/invite/abc', '/guest/abc',
                     '/talk-check'):
            equal(h.request('GET', path).body, index.body, path)
        r = h.request('GET', '/assets/app-1a2b3c4d.js')
        check('immutable' in r.get('cache-control'), 'caching of an asset')
        check(r.get('content-type').startswith('text/javascript'), 'type')
        etag = r.get('etag')
        r = h.request('GET', '/assets/app-1a2b3c4d.js',
                      headers={'If-None-Match': etag})
        equal((r.status, r.body), (304, b''), 'If-None-Match')
        r = h.request('GET', '/maps/office.json')
        equal(r.get('content-type'), 'application/json', 'type of a map')
        r = h.request('GET', '/api/v1/tenant')
        equal(r.get('cache-control'), 'no-store', 'caching of the API')
        equal(r.json()['tenant'], {'name': 'acme', 'title': 'アクメ'},
              'tenant')
        equal(r.json()['methods'], ['password', 'passkey'], 'methods')
        equal(r.get('strict-transport-security'),
              'max-age=63072000; includeSubDomains', 'HSTS')


def media_type(d):
    """what changes something must be application/json, else 415"""
    p = d.person('acme', 'media@acme.example')
    body = {'note': 'x'}
    for ctype in (None, 'text/plain', 'application/x-www-form-urlencoded',
                  'multipart/form-data', 'application/jsonx', 'text/json',
                  'application/json; charset=latin-1', ''):
        for method, path in (('PATCH', '/me'), ('POST', '/session'),
                             ('DELETE', '/session')):
            r = p.api(method, path, body, headers={'Content-Type': ctype})
            equal((r.status, r.problem()), (415, 'media-type'), ctype)
            secure(r, ctype)
    r = p.api('PATCH', '/me', body, headers={'Content-Encoding': 'gzip'})
    equal(r.status, 415, 'Content-Encoding')
    for ctype in ('application/json', 'Application/JSON',
                  'application/json; charset=utf-8',
                  'application/json;charset="UTF-8"'):
        p.api('PATCH', '/me', body, 200, headers={'Content-Type': ctype})
    p.close()


def origin(d):
    """what changes something must come from the same origin, else 403"""
    p = d.person('acme', 'origin@acme.example')
    for value in (None, 'null', '', 'https://acme.localhost',
                  'http://acme.localhost:%d' % d.port,
                  'https://globex.localhost:%d' % d.port,
                  'https://evil.example', 'https://acme.localhost:%d/'
                  % d.port, 'https://acme.localhost:%d.evil.example' % d.port,
                  'HTTPS://ACME.LOCALHOST:%d' % d.port):
        for method, path in (('PATCH', '/me'), ('POST', '/session'),
                             ('POST', '/password'), ('DELETE', '/session'),
                             ('POST', '/invite/x'),
                             ('POST', '/admin/users')):
            r = p.api(method, path, {}, headers={'Origin': value})
            equal((r.status, r.problem()), (403, 'origin'), (value, path))
            check(r.get('access-control-allow-origin') is None, 'CORS')
            check(r.get('set-cookie') is None, 'a cookie')
    equal(p.api('GET', '/session').status, 200, 'still signed in')
    p.close()


def bad_json(d):
    """bodies that are no JSON object, or one of two meanings, are 400"""
    p = d.person('acme', 'json@acme.example')
    deep = b'[' * 15 + b']' * 15
    bodies = [b'{', b'[]', b'null', b'7', b'"x"', b'{"note":"a","note":"b"}',
              b'{"note":"a",}', b"{'note':'a'}", b'{"note":"a"}x',
              b'{"note":"\xff"}', b'{"note":"\xed\xa0\x80"}',
              b'{"note":"\\ud800"}', b'{"note":"a\x00"}',
              b'{"note":"\\u0000"}', b'{"no\\u0000te":"a"}',
              b'\xef\xbb\xbf{"note":"a"}', b'{"look":NaN}',
              b'{"look":1e999}', b'{"x":' + b'9' * 400 + b'}',
              b'{"look":' + b'[' * 16 + b']' * 16 + b'}',
              b'{"look":' + b'{"a":' * 9000 + b'}', b'[' * 60000, b' ',
              b'\x00', b'{"note":"a"}\x00', b'{"note":"a\nb"}',
              b'{"note":"a"} {"note":"b"}']
    for body in bodies:
        r = p.api('PATCH', '/me', body)
        equal((r.status, r.problem()), (400, 'json'), body[:60])
        secure(r, body[:60])
    r = p.api('PATCH', '/me', b'{"look":' + deep + b'}')
    equal((r.status, r.json()['field']), (422, 'look'), 'deep enough')
    p.close()


def wrong_kinds(d):
    """members that are wrong are 422 and named, unknown ones too"""
    p = d.person('acme', 'kinds@acme.example', 'admin')
    for method, path, body, field in (
            ('PATCH', '/me', {'note': 7}, 'note'),
            ('PATCH', '/me', {'note': None}, 'note'),
            ('PATCH', '/me', {'note': ['x']}, 'note'),
            ('PATCH', '/me', {'name': {'a': 1}}, 'name'),
            ('PATCH', '/me', {'nonsense': 1}, 'nonsense'),
            ('PATCH', '/me', {'': 1}, '?'),
            ('PATCH', '/me', {'x' * 300: 1}, 'x' * 63),
            ('POST', '/password', {'current': 'a'}, 'new'),
            ('POST', '/admin/users', {'email': 'a@b.example'}, 'role'),
            ('POST', '/admin/users', {'email': 'a@b.example',
                                      'role': 'root'}, 'role'),
            ('POST', '/admin/floors', {'name': 'x'}, 'template'),
            ('PATCH', '/admin/floors/1', {'open': 1}, 'open'),
            ('PATCH', '/admin/floors/1', {'open': 'true'}, 'open'),
            ('POST', '/admin/groups', {'name': 'x', 'members': [0]},
             'members'),
            ('POST', '/admin/groups', {'name': 'x', 'members': ['1']},
             'members'),
            ('POST', '/admin/groups', {'name': 'x', 'members': 1},
             'members'),
            ('POST', '/admin/groups', {'name': 'x', 'members': [2 ** 32]},
             'members'),
            ('PATCH', '/admin/tenant', {'title': ''}, 'title'),
            ('PATCH', '/admin/policy', {'was': {}}, 'policy')):
        r = p.api(method, path, body)
        equal((r.status, r.problem(), r.json().get('field')),
              (422, 'field', field), (path, body))
        secure(r, path)
    for query in ('', '?channel=', '?channel=floor', '?channel=floor:0',
                  '?channel=floor:x', '?channel=floor:1&channel=floor:2',
                  '?channel=floor:01', '?channel=room:1', '?channel=user:-1',
                  '?channel=floor:4294967296'):
        r = p.api('GET', '/messages' + query)
        equal((r.status, r.json().get('field')), (422, 'channel'), query)
    for query, field in (('limit=0', 'limit'), ('limit=101', 'limit'),
                         ('limit=x', 'limit'), ('before=-1', 'before'),
                         ('before=1.5', 'before')):
        r = p.api('GET', '/messages?channel=floor:1&' + query)
        equal((r.status, r.json().get('field')), (422, field), query)
    p.close()


def nothing_without(d):
    """every route but the public ones needs a sign-in"""
    with Http(d) as h:
        for method, path in (
                ('GET', '/session'), ('DELETE', '/session'),
                ('POST', '/password'), ('PATCH', '/me'), ('GET', '/people'),
                ('GET', '/floors'), ('GET', '/floors/1'),
                ('GET', '/messages?channel=floor:1'),
                ('GET', '/admin/users'), ('POST', '/admin/users'),
                ('PATCH', '/admin/users/1'), ('DELETE', '/admin/users/1'),
                ('POST', '/admin/users/1/invite'), ('GET', '/admin/groups'),
                ('POST', '/admin/groups'), ('PATCH', '/admin/groups/1'),
                ('DELETE', '/admin/groups/1'), ('GET', '/admin/templates'),
                ('GET', '/admin/floors'), ('POST', '/admin/floors'),
                ('PATCH', '/admin/floors/1'), ('DELETE', '/admin/floors/1'),
                ('PATCH', '/admin/tenant'),
                ('PATCH', '/admin/policy')):
            r = h.request(method, '/api/v1' + path,
                          None if method == 'GET' else {})
            equal((r.status, r.problem()), (401, 'session'), path)
            secure(r, path)


def pipelining(d):
    """requests sent at once are answered in order on one connection"""
    with Http(d) as h:
        one = h.head('GET', '/healthz')
        two = h.head('GET', '/api/v1/tenant')
        three = h.head('POST', '/api/v1/session', {
            'email': 'ann@acme.example', 'password': PASSWORD})
        four = h.head('GET', '/none')
        h.send(one + two + three + four + one)
        equal([h.reply().status for _ in range(5)],
              [200, 200, 201, 404, 200], 'answers')
        h.send(two[:20])
        h.send(two[20:] + one[:7])
        equal(h.reply().status, 200, 'cut in the middle')
        h.send(one[7:])
        equal(h.reply().status, 200, 'and the rest')
        h.send(h.head('GET', '/healthz', headers={'Connection': 'close'}) +
               one)
        r = h.reply()
        equal((r.status, r.get('connection')), (200, 'close'), 'close')
        check(h.ended(), 'not closed')


def byte_by_byte(d):
    """a request that comes byte by byte is a request"""
    with Http(d) as h:
        for b in h.head('GET', '/api/v1/tenant'):
            h.send(bytes([b]))
        equal(h.reply().status, 200, 'answer')


def smuggled(d):
    """what follows a refused request is not a request"""
    for first in (head(d, 'POST /api/v1/session HTTP/1.1',
                       'Content-Length: 5', 'Transfer-Encoding: chunked'),
                  head(d, 'GET /healthz HTTP/1.1', 'Content-Length: 30'),
                  head(d, 'GET /healthz HTTP/1.1', 'X : 1')):
        with Http(d) as h:
            h.send((first + head(d)).encode())
            equal(h.reply().status, 400, first)
            check(h.ended(), 'a second answer')


def redirect(d):
    """the plain port sends to https, and serves nothing"""
    with Http(d, port=d.redirect, tls=False) as h:
        for path in ('/', '/api/v1/tenant', '/invite/secret'):
            r = h.request('GET', path)
            equal(r.status, 308, path)
            equal(r.get('location'), 'https://acme.localhost:%d/' % d.port,
                  path)
            equal(r.get('strict-transport-security'), None, 'HSTS')
            equal(r.get('connection'), 'close', path)
        r = h.request('POST', '/api/v1/session', {
            'email': 'ann@acme.example', 'password': PASSWORD})
        equal((r.status, r.get('set-cookie')), (308, None), 'a password')
        r = h.raw(head(d, 'GET / HTTP/1.1', 'Host: evil.example',
                       host=False).encode())
        equal(r.status, 421, 'another host')
        check(r.get('location') is None, 'a location')
        r = h.raw(b'GET / HTTP/1.1\r\nHost: a b\r\n\r\n')
        equal(r.status, 400, 'a bad one')
    # There is no TLS whose name a body for the tenant could be held against.
    pids = d.pids()
    for host in ('acme.localhost', 'nobody.localhost', 'evil.example'):
        for path in ('/', '/api/v1/admin/import'):
            with Http(d, port=d.redirect, tls=False) as h:
                r = h.raw(head(d, 'POST %s HTTP/1.1' % path, 'Host: ' + host,
                               'Content-Type: application/json',
                               'Origin: http://' + host,
                               'Content-Length: 70000', host=False).encode())
                equal((r.status, h.ended()), (413, True), host + path)
    equal(d.pids(), pids, 'processes')


def every_port(d):
    """large requests, refused, cut or in pieces, on each of the ports"""
    p = d.person('acme', 'port@acme.example', 'admin')
    body = json.dumps({'csv': 'email\n' + 'x' * 70000, 'dry': True}).encode()
    path = '/api/v1/admin/import'
    hosts = ('127.8.8.%d', '192.0.2.%d', '127.8.9.%d')
    n = 0
    for where in hosts:
        plain = where == hosts[2]

        def come():
            # From an address that no worker knows the token with.
            nonlocal n
            n += 1
            h = Http(d, source=where % n, tls=not plain,
                     port=d.redirect if plain else None)
            h.cookie = p.http.cookie
            return h
        for cookie, host, to, want in (
                (None, None, path, 401), ('A' * 43, None, path, 401),
                (p.http.cookie, 'nobody.localhost', path, 413),
                (p.http.cookie, 'evil.example', path, 413),
                (p.http.cookie, None, '/', 413), (None, None, '/ws', 413)):
            with come() as h:
                h.cookie = cookie
                data = h.head('POST', to, body, host and {
                    'Host': host, 'Origin': 'https://' + host})
                r = h.raw(data[:-len(body)])
                equal((r.status, h.ended()), (413 if plain else want, True),
                      (where, cookie, host, to))
        # Gone while it is asked who it is, and before all of it has come.
        for cut in (-len(body), 3 - len(body), 5000 - len(body), -1):
            with come() as h:
                h.send(h.head('POST', path, body)[:cut])
        def whole():
            with come() as h:
                data = h.head('POST', path, body)
                if plain:
                    h.send(data[:20])
                    return h.raw(data[:-len(body)]).status
                return piecemeal(h, data)
        # Those that were cut may hold all that a tenant has a moment more.
        status = until(lambda: (got := whole()) != 503 and got, where)
        equal(status, 413 if plain else 200, where)
    p.close()


def plain_on_tls(d):
    """plain text on the TLS port ends the connection and nothing else"""
    with socket.create_connection(('127.0.0.1', d.port), 10) as s:
        s.sendall(head(d).encode())
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass


def slow(d):
    """an unfinished request is answered 408, idle connections just end"""
    with Http(d) as begun, Http(d) as body, Http(d) as silent, \
            Http(d) as naked:
        start = time.monotonic()
        begun.bound = body.bound = silent.bound = 60
        begun.send(b'GET /healthz HTTP/1.1\r\nHost: ')
        data = body.head('POST', '/api/v1/session', {'email': 'x'})
        body.send(data[:-3])
        silent.connect()
        naked.sock = socket.create_connection(('127.0.0.1', d.port), 60)
        r = begun.reply()
        equal((r.status, r.get('connection')), (408, 'close'), 'head')
        check(time.monotonic() - start < 30, 'too late')
        secure(r, '408')
        check(begun.ended(), 'not closed')
        naked.bound = 30
        check(naked.ended(), 'no handshake: not closed')
        r = body.reply()
        equal((r.status, r.get('connection')), (408, 'close'), 'body')
        check(d.healthy(), 'does not serve')


def unanswered(d):
    """a request that nobody answers is told 503, however slowly it came"""
    p = d.person('acme', 'wait@acme.example', 'admin')
    # The address is new: of the large one it must be asked whose it is.
    with Http(d) as h, Http(d, source='127.7.7.7') as large:
        h.cookie = large.cookie = p.http.cookie
        h.bound = large.bound = 60
        equal(h.request('GET', '/api/v1/floors').status, 200, 'known')
        large.connect()
        first = h.head('GET', '/api/v1/floors')
        second = large.head('POST', '/api/v1/admin/import', None,
                            {'Content-Length': '70000'})
        pid, = d.pids('storage').values()
        os.kill(pid, signal.SIGSTOP)
        try:
            for x, data in ((h, first), (large, second)):
                x.send(data[:20])
            time.sleep(5)           # half of what a head may take
            for x, data in ((h, first), (large, second)):
                x.send(data[20:])
            for x in (h, large):
                r = x.reply()
                equal((r.status, r.problem()), (503, 'busy'), 'waited')
        finally:
            os.kill(pid, signal.SIGCONT)
    p.close()


def alone(d):
    """Nobody is connected any more, as far as the workers have seen."""
    until(lambda: not any(n for name, n in d.stats().items()
                          if name.endswith('.connections')),
          'connections are forgotten')


def crowd(d):
    """three hundred idle connections keep nobody out, and go again"""
    alone(d)
    conns = [Http(d).connect() for _ in range(300)]
    try:
        check(d.healthy(), 'does not serve')
        check(d.stats()['session.0.connections'] >= 300, 'count')
    finally:
        for h in conns:
            h.close()
    alone(d)


def limited():
    """at the limits, others wait or are turned away, and may come later"""
    d = Daemon(more='limit connections 20 address 5\n')
    try:
        d.start()
        conns = [Http(d, source='127.0.0.9').connect() for _ in range(5)]
        try:
            h = Http(d, source='127.0.0.9', bound=5)
            try:
                h.request('GET', '/healthz')
            except (Closed, OSError):
                pass
            else:
                check(False, 'a sixth connection of the address')
            check(d.healthy(), 'another address is kept out')
            conns.pop().close()

            def again():
                try:
                    return h.request('GET', '/healthz').status == 200
                except (Closed, OSError):
                    h.close()
                    return False
            until(again, 'one has gone, one may come')
            h.close()
        finally:
            for c in conns:
                c.close()
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def full():
    """beyond the limit 503 with Retry-After, a page for those who want one"""
    d = Daemon(more='limit connections 20 address 20\n')
    d.write('htdocs/full.html', '<!doctype html><title>full</title>\n')
    conns = []
    try:
        d.start()
        d.do('tenant', 'add', 'acme')

        def come(n):
            for i in range(n):
                conns.append(Http(d, source='127.0.1.%d' % (
                    1 + len(conns) // 10)).connect())
        come(20)
        for method, path, kind in (
                ('GET', '/', 'text/html; charset=utf-8'),
                ('HEAD', '/admin', 'text/html; charset=utf-8'),
                ('GET', '/healthz', 'application/problem+json'),
                ('GET', '/ws', 'application/problem+json'),
                ('GET', '/assets/app-1a2b3c4d.js',
                 'application/problem+json'),
                ('POST', '/api/v1/session', 'application/problem+json')):
            with Http(d) as h:
                r = h.request(method, path, {} if method == 'POST' else None)
                equal((r.status, r.get('content-type'), r.get('connection')),
                      (503, kind, 'close'), path)
                check(int(r.get('retry-after')) > 0, path)
                equal(r.get('cache-control'), 'no-store', path)
                secure(r, path)
        with Http(d) as h:
            h.send(b'GARBAGE\r\n\r\n')
            equal(h.reply().status, 400, 'a late one has no privileges')
        with Http(d) as h:
            equal(h.request('GET', '/api/v1/tenant').problem(), 'full')
        # Those who were there are served, whatever else comes.
        come(64)
        with Http(d, bound=1) as h:
            try:
                h.request('GET', '/healthz')
            except OSError:
                pass
            else:
                check(False, 'one more than can be told so')
        equal(conns[0].request('GET', '/api/v1/tenant').status, 200, 'first')
        for c in conns:
            c.close()
        until(d.healthy, 'those have gone, others come')
        check(d.stats()['session.0.refused'] >= 71, d.stats())
        equal(d.stop(), 0, 'exit code')
    finally:
        d.end()


def coded(d):
    """the smallest coding that the browser takes, by what lies beside"""
    path = '/assets/app-1a2b3c4d.js'
    for accept, coding, body in (
            (None, None, b'export {};\n'), ('gzip, br', 'br', b'brotli'),
            ('gzip, deflate', 'gzip', b'gzip'), ('br;q=0', None, None),
            ('br;q=0, gzip', 'gzip', b'gzip'), ('*', None, None)):
        with Http(d) as h:
            r = h.request('GET', path, headers={'Accept-Encoding': accept})
            equal((r.status, r.get('content-encoding'), r.get('vary'),
                   r.get('content-type')),
                  (200, coding, 'Accept-Encoding',
                   'text/javascript; charset=utf-8'), accept)
            check(body is None or r.body == body, (accept, r.body))
            tag = r.get('etag')
            r = h.request('GET', path, headers={
                'Accept-Encoding': accept, 'If-None-Match': tag})
            equal((r.status, r.get('etag')), (304, tag), accept)


def garbage(d):
    """random bytes are answered with an error or the end, never worse"""
    seed = 20240501
    for i in range(60):
        seed = (seed * 1103515245 + 12345) % 2 ** 31
        data = bytes((seed >> (j % 23)) * (j + 7) & 255
                     for j in range(seed % 400 + 1))
        with Http(d) as h:
            h.send(data + b'\r\n\r\n')
            r = h.reply()
            check(400 <= r.status <= 505, r)
    check(d.healthy(), 'does not serve')


def sockets(pid):
    names = ('/proc/%d/fd/%s' % (pid, n)
             for n in os.listdir('/proc/%d/fd' % pid))
    return sum(os.readlink(n).startswith('socket:') for n in names)


def spread():
    """those who come are spread over the workers: none has few of them

    How many depends on who has the time: half its share where the machine
    has little else to do, a third was seen where it had."""
    d = Daemon(workers=4, more='limit connections 400 address 400\n')
    conns = []

    def come(n, together):
        new = [Http(d) for _ in range(n)]
        conns.extend(new)
        if together:
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                list(pool.map(Http.connect, new))
        else:
            for h in new:
                h.connect()

    try:
        d.start()
        pids = list(d.pids('session').values())
        equal(len(pids), 4)
        alone(d)
        before = [sockets(pid) for pid in pids]
        come(120, False)
        come(120, True)
        got = [sockets(pid) - b for pid, b in zip(pids, before)]
        equal(sum(got), 240, 'all are served')
        check(min(got) >= 10, 'a sixth of the share at least: %r' % got)
    finally:
        for h in conns:
            h.close()
        d.end()


def main():
    d = Daemon()
    d.redirect = free_port()
    d.proxy = free_port()
    for ending, text in (('br', 'brotli'), ('gz', 'gzip')):
        d.write('htdocs/assets/app-1a2b3c4d.js.' + ending, text)
    d.write_conf()
    d.start()
    d.do('tenant', 'add', 'acme', 'title', 'アクメ')
    d.do('tenant', 'add', 'globex')
    d.person('acme', 'ann@acme.example').close()
    s = Suite(d)
    for fn in (malformed, bad_fields, bad_host, too_large, not_understood,
               misdirected, methods, heads, page, media_type, origin,
               bad_json, wrong_kinds, nothing_without, pipelining,
               byte_by_byte, smuggled, redirect, every_port, plain_on_tls,
               slow, unanswered, crowd, coded, garbage):
        s.run_test(fn, d)
    s.run_test(limited)
    s.run_test(full)
    s.run_test(spread)
    s.end()


if __name__ == '__main__':
    main()
