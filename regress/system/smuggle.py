#!/usr/bin/env python3
"""RFC 9112, case by case: what two readers of HTTP could cut in two ways is
refused, closed, and what follows it is never a request."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Http                                   # noqa: E402

cases = {}
POST = 'POST /api/v1/session HTTP/1.1'
GET = 'GET /healthz HTTP/1.1'
JSON = 'Content-Type: application/json'


def tried(d, group, which):
    """Each is refused with its status; a good request behind it is not heard.

    A case is a list of lines, or text as it goes over the wire."""
    good = '%s\r\nHost: acme.localhost:%d\r\n\r\n' % (GET, d.port)
    for data, status in which:
        if isinstance(data, tuple):
            host = () if any(line.lower().startswith('host')
                             for line in data) else (
                'Host: acme.localhost:%d' % d.port,)
            data = '\r\n'.join(data[:1] + host + data[1:]) + '\r\n\r\n'
        name = '%s: %r' % (group, data[:200])
        with Http(d) as h:
            h.send((data + good).encode('latin-1'))
            # To HEAD without a body, whatever else is wrong with it.
            r = h.reply(data.startswith('HEAD '))
            equal(r.status, status, name)
            equal(r.get('connection'), 'close', name)
            check(h.ended(), '%s: a second answer' % name)
    cases[group] = len(which)


def transfer_encoding(d):
    """chunks, however they are named, with and without a length"""
    values = ('chunked', 'Chunked', 'CHUNKED', ' chunked', '\tchunked',
              'chunked ', 'chunked\t', 'xchunked', 'chunked, identity',
              'identity, chunked', 'gzip, chunked', 'chunked, chunked',
              'chunked;q=1', 'chunked; a=b', '"chunked"', "'chunked'",
              'identity', 'x', '', ' ', ',', 'chunk', 'cow', 'deflate',
              'chunked\xa0', '\xffchunked', 'trailers', ',chunked',
              'chunked,')
    tried(d, 'transfer codings', [
        ((POST, JSON, 'Transfer-Encoding:' + v), 501) for v in values])
    tried(d, 'codings and a length', [
        (lines, 400) for v in values
        for lines in ((POST, 'Transfer-Encoding: ' + v, 'Content-Length: 4'),
                      (POST, 'Content-Length: 4', 'Transfer-Encoding: ' + v))
        if v.strip() == v])
    body = '0\r\n\r\n'
    tried(d, 'chunks', [
        (('%s\r\nHost: acme.localhost\r\n%s: chunked\r\n\r\n%s' %
          (POST, name, chunk)), 501)
        for name in ('Transfer-Encoding', 'transfer-encoding',
                     'TRANSFER-ENCODING')
        for chunk in (body, '5\r\nabcde\r\n' + body, '5;x=y\r\nabcde\r\n0\r\n'
                      '\r\n', '0x5\r\nabcde\r\n' + body, '-1\r\n' + body,
                      'ffffffffffffffff0\r\n' + body, '5\nabcde\n0\n\n',
                      '05\r\nabcde\r\n' + body, '0\r\nX: y\r\n\r\n')])
    tried(d, 'two codings', [
        ((POST, 'Transfer-Encoding: ' + a, 'Transfer-Encoding: ' + b), 400)
        for a in ('chunked', 'identity') for b in ('chunked', 'x', '')])
    tried(d, 'names of the field', [
        ((POST, name + ': chunked', 'Content-Length: 4'), 400)
        for name in ('Transfer-Encoding ', ' Transfer-Encoding',
                     'Transfer-Encoding\t', 'Transfer Encoding',
                     'Transfer-Encoding\x0b', 'Transfer-Encoding\x00',
                     'X: y\nTransfer-Encoding', 'X: y\rTransfer-Encoding',
                     '\x0bTransfer-Encoding', 'Transfer-Encoding\xa0',
                     '"Transfer-Encoding"', 'Transfer-Encoding:\r\n ',
                     'Transfer-Encoding\r\n ')])


def content_length(d):
    """lengths that are not plain digits, and more than one of them"""
    tried(d, 'lengths', [
        ((POST, 'Content-Length:' + v), 400)
        for v in ('', ' ', ' +4', ' -4', ' 0x4', ' 04', ' 00', ' 4 4', ' 4,4',
                  ' 4, 4', ' 4;', ' 4.0', ' 4e0', ' "4"', " '4'", ' four',
                  ' 4\x0b', ' \x0c4', ' 4\xa0', ' \xb2', ' 1_0', ' 1 ,',
                  ' ,4', ' 4\x00', ' 4\r\n 4', ' NaN', ' 4\t4', ' --4',
                  ' 4-', ' 0 4', ' 1,000', ' 4h', ' 0b1', ' 0o4')])
    tried(d, 'too large', [
        ((POST, 'Content-Length: ' + v), 413)
        for v in ('65537', '2147483647', '2147483648', '4294967295',
                  '4294967296', '4294967300', '9223372036854775807',
                  '9223372036854775808', '18446744073709551615',
                  '18446744073709551616', '18446744073709551620',
                  '1' + '0' * 100, '9' * 1000)])
    tried(d, 'two lengths', [
        ((POST, a + ': %s' % x, b + ': %s' % y), 400)
        for a, b in (('Content-Length', 'Content-Length'),
                     ('Content-Length', 'content-length'),
                     ('CONTENT-LENGTH', 'Content-Length'))
        for x, y in (('0', '0'), ('4', '4'), ('0', '44'), ('44', '0'),
                     ('4', ''), ('', '4'), ('4', 'x'))])
    tried(d, 'a body where none is', [
        ((line, 'Content-Length: %d' % n), 400)
        for line in (GET, GET.replace('GET', 'HEAD')) for n in (1, 44, 65536)
    ] + [((GET, 'Transfer-Encoding: chunked'), 501)])
    tried(d, 'names of the field, length', [
        ((POST, name + ': 4'), 400)
        for name in ('Content-Length ', ' Content-Length', 'Content-Length\t',
                     'Content Length', 'Content-Length\x00',
                     'Content-Length\x0b', 'X: y\nContent-Length',
                     'X: y\rContent-Length', 'Content-Length\xa0')])


def lines(d):
    """line ends, folded lines, bytes that end strings elsewhere"""
    host = 'Host: acme.localhost'
    tried(d, 'line ends', [
        (text, 400) for text in (
            GET + '\n' + host + '\n\n', GET + '\r\n' + host + '\n\n',
            GET + '\n' + host + '\r\n\r\n', GET + '\r' + host + '\r\r',
            GET + '\r\n' + host + '\r\n\n', GET + '\r\n' + host + '\n\r\n',
            GET + '\r\r\n' + host + '\r\n\r\n',
            GET + '\r\n' + host + '\r\r\n\r\n',
            GET + '\r\n' + host + '\r\n\rX: y\r\n\r\n',
            '\r\n' + GET + '\r\n' + host + '\r\n\r\n',
            '\n' + GET + '\r\n' + host + '\r\n\r\n',
            '\r\n\r\n' + GET + '\r\n' + host + '\r\n\r\n',
            ' ' + GET + '\r\n' + host + '\r\n\r\n',
            GET + '\x0b\r\n' + host + '\r\n\r\n',
            GET + '\x85' + host + '\r\n\r\n',
            GET + '\x00\r\n' + host + '\r\n\r\n')])
    tried(d, 'folded and odd fields', [
        ((GET, field), 400)
        for field in (' X: y', '\tX: y', 'X: y\r\n z', 'X: y\r\n\tz',
                      'X:\r\n y', 'X: y\r\n ', 'X', 'X y', ': y', ' : y',
                      'X : y', 'X\t: y', 'X: a\x00b', 'X: a\x01b',
                      'X: a\x08b', 'X: a\x0bb', 'X: a\x7fb', 'X: a\rb',
                      'X: a\nb', 'X\x00: y', 'X\x7f: y', '\xefX: y', '(X): y',
                      'X,Y: z', 'X/Y: z', 'X=Y: z', 'X@Y: z', '{X}: y',
                      '[X]: y', 'X;Y: z', 'X<: y', 'X?: y', 'X\\: y',
                      '"X": y')])


def hosts(d):
    """no host, two of them, or one that is not plain"""
    tried(d, 'hosts', [
        ((GET, 'Host:' + v), 400)
        for v in ('', ' ', ' acme.localhost,', ' a b', ' a\tb', ' a/b',
                  ' a@b', ' acme.localhost:', ' acme.localhost:0',
                  ' acme.localhost:00443', ' acme.localhost:65536',
                  ' acme.localhost:-1', ' acme.localhost:4x', ' acme:1:2',
                  ' .acme', ' acme.', ' acme..localhost', ' -acme',
                  ' acme-', ' [::1]', ' [::1]:443', ' acme_1.localhost',
                  ' acme.localhost#', ' acme.localhost?x', ' %61cme.localhost',
                  ' https://acme.localhost', ' \xe9.localhost',
                  ' acme.localhost\\', ' *', ' acme.localhost, x')] + [
        ((GET, 'Host: acme.localhost', name + ': ' + v), 400)
        for name in ('Host', 'host', 'HOST')
        for v in ('acme.localhost', 'globex.localhost', '')] + [
        ((GET, 'Host : acme.localhost'), 400),
        ((GET, ' Host: acme.localhost'), 400),
        (GET + '\r\nX: y\r\n\r\n', 400)])


def targets(d):
    """targets that name a host, climb, or hide something"""
    tried(d, 'targets', [
        (('GET %s HTTP/1.1' % t,), 400)
        for t in ('https://acme.localhost/healthz', 'http://evil.example/',
                  'https://globex.localhost/healthz', '//evil.example/x',
                  'acme.localhost', 'acme.localhost:443', '*', '?x',
                  'healthz', '/..', '/../x', '/./x', '/a/../b', '/a/./b',
                  '/a//b', '/a/..', '/a/.', '/%2e%2e/x', '/%2e/x', '/.%2e/x',
                  '/a%2fb', '/a%2Fb', '/a%5cb', '/a\\b', '/%00', '/%0a',
                  '/%0d%0aX:y', '/%7f', '/%', '/%4', '/%4x', '/%x4', '/%ff',
                  '/%c0%af', '/%ed%a0%80', '/a#b', '/a^b', '/a|b', '/a{b',
                  '/a"b', '/a<b', '/a`b', '/\xe9', '/x?%', '/x?a=%4',
                  '/x?a=%xx', '/x?a#b', '/x?a\\b', '/x?a"b')])
    tried(d, 'request lines', [
        ((line,), 400)
        for line in ('GET', 'GET ', 'GET /healthz', 'GET  /healthz HTTP/1.1',
                     'GET /healthz  HTTP/1.1', 'GET /healthz HTTP/1.1 ',
                     'GET\t/healthz HTTP/1.1', 'GET /healthz\tHTTP/1.1',
                     'GET /healthz HTTP/1.1 x', 'GET /healthz HTTP/1.',
                     'GET /healthz HTTP/.1', 'GET /healthz HTTP/11',
                     'GET /healthz HTTP/1.11', 'GET /healthz HTTP/01.1',
                     'GET /healthz http/1.1', 'GET /healthz HTTPS/1.1',
                     'GET /healthz HTTP 1.1', 'GET /healthz HTTP/1,1',
                     'GET /healthz HTTP/a.b', 'GET /healthz HTTP/-1.1',
                     '(GET) /healthz HTTP/1.1', 'G ET /healthz HTTP/1.1',
                     'GET\x00 /healthz HTTP/1.1', 'GET /a b HTTP/1.1')] + [
        (('GET /healthz HTTP/%s' % v,), 505)
        for v in ('0.9', '1.0', '1.2', '2.0', '3.0', '9.9')])


def counted(d):
    """each case was refused in its own way"""
    for group, n in cases.items():
        print('%-28s %4d' % (group, n))
    print('%-28s %4d' % ('cases, no anomalies', sum(cases.values())))
    check(sum(cases.values()) >= 300, cases)


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    s = Suite(d)
    for fn in (transfer_encoding, content_length, lines, hosts, targets):
        s.run_test(fn, d)
    if not s.only:
        s.run_test(counted, d)
    s.end()


if __name__ == '__main__':
    main()
