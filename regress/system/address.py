#!/usr/bin/env python3
"""Addresses: where somebody comes from, and what is allowed from there (B20,
B21, B22)."""

import os
import signal
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import BOUND, Daemon, Http, Person, Ws, free_port, \
    proxy_header, until                                         # noqa: E402
from trail import trail                                         # noqa: E402

V6 = '2001:db8:7::1'
V6_OUT = '2001:db8:8::1'
LIMIT = 12              # connections of an address
IN, OUT = '127.0.0.2', '127.0.0.9'
INSIDE = '127.0.0.0/30 2001:db8:7::/48'
ADMIN = (
    ('GET', '/admin/users', None), ('GET', '/admin/groups', None),
    ('GET', '/admin/floors', None), ('GET', '/admin/templates', None),
    ('GET', '/admin/policy', None), ('GET', '/admin/users/1/signins', None),
    ('POST', '/admin/users', {'email': 'x@acme.example', 'role': 'admin'}),
    ('PATCH', '/admin/users/1', {'role': 'member'}),
    ('POST', '/admin/floors', {'name': 'X', 'template': 'office'}),
    ('PATCH', '/admin/tenant', {'title': 'X'}),
)

# What servers in front write, and what those that believe it read.
SPOOFS = ('X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'X-Client-IP',
          'Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Via',
          'X-Cluster-Client-IP', 'X-Originating-IP', 'X-Remote-IP',
          'X-Remote-Addr', 'X-Forwarded', 'Forwarded-For', 'Fastly-Client-IP',
          'X-ProxyUser-Ip', 'X-Forwarded-Host', 'X-Envoy-External-Address')


def seen(p):
    """The address from which the person is signed in here."""
    rows = p.get('/signins')['signins']
    return [r['address'] for r in rows if r['own']][0]


def plain(d, port, data=b'', source=None):
    """A connection without TLS that has sent these bytes."""
    s = socket.create_connection(('127.0.0.1', port), BOUND,
                                 (source, 0) if source else None)
    if data:
        s.sendall(data)
    return s


def silent_end(s, why):
    """The server closes and has not said one byte."""
    s.settimeout(BOUND)
    try:
        data = s.recv(1)
    except ConnectionResetError:
        data = b''
    equal(data, b'', why)
    s.close()


def shake(d, s):
    """TLS on top of what was sent; the answer to a request."""
    ctx = ssl.create_default_context(cafile=d.path('tls.crt'))
    t = ctx.wrap_socket(s, server_hostname='acme.localhost')
    h = Http(d)
    h.sock = t
    r = h.request('GET', '/healthz')
    h.close()
    return r


#
# The header of a proxy.
#

def header(d, ann):
    """behind a proxy the address is the one that the proxy says"""
    for source, want in ((V6, V6), ('192.0.2.77', '192.0.2.77'),
                         ('::ffff:192.0.2.78', '192.0.2.78'),
                         ('2001:DB8:0:0::0:9', '2001:db8::9')):
        p = Person(d, 'acme', ann.mail, source=source).sign_in()
        equal(seen(p), want, source)
        p.close()


def header_slowly(d):
    """the header may come byte by byte, or with the first of TLS"""
    s = plain(d, d.proxy)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in proxy_header(V6, more=b'\4\0\2ab'):
        s.sendall(bytes([byte]))
        time.sleep(0.001)
    equal(shake(d, s).status, 200, 'byte by byte')

    # In one segment with the ClientHello: what is TLS's is left to TLS.
    ctx = ssl.create_default_context(cafile=d.path('tls.crt'))
    out, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    t = ctx.wrap_bio(back, out, server_hostname='acme.localhost')
    try:
        t.do_handshake()
    except ssl.SSLWantReadError:
        pass
    s = plain(d, d.proxy, proxy_header(V6) + out.read())
    s.settimeout(BOUND)
    while True:
        try:
            t.do_handshake()
            break
        except ssl.SSLWantReadError:
            if out.pending:
                s.sendall(out.read())
            data = s.recv(65536)
            check(data, 'closed within the handshake')
            back.write(data)
    s.close()


def header_own(d):
    """a proxy that connects for itself has its own address"""
    for head in (proxy_header(command=0x20),
                 proxy_header('192.0.2.1', command=0x20),
                 proxy_header(command=0x21, family=0),
                 proxy_header(command=0x21, family=0, body=b'x' * 7)):
        s = plain(d, d.proxy, head)
        equal(shake(d, s).status, 200, repr(head))


def header_wrong(d):
    """what is no header of version 2 is closed without a word"""
    v4 = proxy_header('192.0.2.1')
    hello = b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
    for data, why in (
            (hello, 'TLS at once'),
            (b'GET / HTTP/1.1\r\n\r\n', 'HTTP'),
            (b'PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n', 'version 1'),
            (b'\r\n\r\n\0\r\nQUIT\r', 'a wrong signature'),
            (b'\0', 'a NUL'),
            (v4[:12] + b'\x11' + v4[13:], 'version 1, binary'),
            (v4[:12] + b'\x31' + v4[13:], 'version 3'),
            (v4[:12] + b'\x22' + v4[13:], 'an unknown command'),
            (v4[:13] + b'\x12' + v4[14:], 'UDP'),
            (v4[:13] + b'\x31' + v4[14:], 'a unix socket'),
            (v4[:13] + b'\x21' + v4[14:], 'IPv6, and too short'),
            (proxy_header('192.0.2.1', length=65535), 'too long'),
            (proxy_header('192.0.2.1', length=521), 'a byte too long'),
            (proxy_header('192.0.2.1', more=b'\4\0'), 'half a TLV'),
            (proxy_header('192.0.2.1', more=b'\4\0\5abcd'), 'a TLV too long'),
            (proxy_header('192.0.2.1', body=b'\xc0\0\2\1'), 'no ports')):
        silent_end(plain(d, d.proxy, data), why)


def header_untrusted(d):
    """who is no proxy of ours is closed at once, whatever he says"""
    for data in (b'', proxy_header(V6), proxy_header(command=0x20)):
        silent_end(plain(d, d.proxy, data, source='127.0.0.9'), 'untrusted')


def header_unwanted(d):
    """where no proxy is expected its header is no TLS"""
    s = plain(d, d.port, proxy_header(V6))
    s.settimeout(BOUND)
    # An alert, if anything; then the end.
    data = s.recv(100)
    check(data == b'' or data[0] == 0x15, repr(data))
    s.close()
    try:
        shake(d, plain(d, d.port, proxy_header(V6)))
        check(False, 'the header was taken')
    except (OSError, ssl.SSLError):
        pass


def header_limit(d):
    """connections are counted by the address that the proxy says"""
    def open_one(source):
        h = Http(d, source=source)
        try:
            return h if h.request('GET', '/healthz').status == 200 else None
        except (OSError, ssl.SSLError):
            h.close()
            return None
    hold = [open_one(V6) for _ in range(LIMIT)]
    check(None not in hold, 'not as many as allowed')
    check(open_one(V6) is None, 'one more than allowed')
    other = open_one(V6_OUT)
    check(other is not None, 'another address')
    other.close()
    hold.pop().close()

    def again():
        h = open_one(V6)
        if h is not None:
            hold.append(h)
        return h
    until(again, 'one has left, one may come')
    for h in hold:
        h.close()


def spoofed(d, ann):
    """no header of HTTP says where somebody comes from"""
    for name in SPOOFS:
        value = 'for=192.0.2.99' if name == 'Forwarded' else '192.0.2.99'
        for source, want in (('127.0.0.3', '127.0.0.3'), (V6, V6)):
            p = Person(d, 'acme', ann.mail, source=source)
            r = p.api('POST', '/session', {
                'email': p.mail, 'password': p.password}, 201,
                headers={name: value})
            p.http.cookie = r.get('set-cookie').split(';')[0].split('=', 1)[1]
            equal(seen(p), want, name)
            p.api('DELETE', '/session', want=204)
            p.close()


class Partial:
    """Headers that never become whole, begun before the other tests."""

    def __init__(self, d):
        head = proxy_header(V6)
        self.socks = [plain(d, d.proxy, head[:n])
                      for n in (0, 1, 11, 12, 15, 16, 17, len(head) - 1,
                                len(head))]

    def end(self, d):
        """a header that does not become whole is closed in its time"""
        for s in self.socks:
            silent_end(s, 'partial')


#
# The lists.
#

def at(d, p, source):
    """The same sign-in, shown from another address."""
    q = Person(d, p.tenant, p.mail, source=source)
    q.http.cookie = p.http.cookie
    q.user = p.user
    return q


def rule(d, name, text):
    d.do('policy', 'set', 'acme', name, text)


def away(p, source):
    """Nothing but 403 address, whatever the sign-in is worth."""
    r = p.api('GET', '/session')
    equal((r.status, r.problem(), r.json()['value']),
          (403, 'address', source), 'from outside')


def outside(d, ann):
    """B20: from outside of the list nobody signs in, and nobody learns more"""
    invite = d.invite('acme', 'new@acme.example')
    rule(d, 'networks', INSIDE)
    for source in (OUT, V6_OUT, '192.0.2.1'):
        with Http(d, source=source) as h:
            said = set()
            for mail, password in ((ann.mail, ann.password),
                                   (ann.mail, 'wrong horse 42'),
                                   ('nobody@acme.example', ann.password)):
                r = h.request('POST', '/api/v1/session', {
                    'email': mail, 'password': password})
                equal((r.status, r.problem()), (403, 'address'), mail)
                check(r.get('set-cookie') is None, 'a cookie')
                said.add(r.body)
            equal(len(said), 1, 'all alike')
            for method, body in (('GET', None),
                                 ('POST', {'password': ann.password})):
                for token in (invite, 'A' * 43):
                    r = h.request(method, '/api/v1/invite/' + token, body)
                    equal((r.status, r.problem()), (403, 'address'), method)
            # What is public is so for everybody.
            equal(h.request('GET', '/api/v1/tenant').status, 200, 'tenant')
        away(at(d, ann, source), source)
        h = Http(d, source=source)
        h.cookie = ann.http.cookie
        equal(Ws(h).ask().status, 403, 'the WebSocket')
        h.close()
    with Http(d, 'globex', source=OUT) as h:
        equal(h.request('POST', '/api/v1/session', {
            'email': ann.mail, 'password': ann.password}).status, 401,
              'another tenant')
    for source in (None, IN, V6, '::ffff:127.0.0.1'):
        p = Person(d, 'acme', ann.mail, source=source).sign_in()
        equal(p.get('/session')['user']['id'], ann.id, source)
        p.close()
    rule(d, 'networks', '')
    equal(at(d, ann, OUT).api('GET', '/session').status, 200, 'any again')
    equal(Person(d, 'acme', 'new@acme.example').accept(invite).id > 0, True,
          'the invitation is not used up')


def live(d, ann, bob):
    """B20: a list that changes puts out who is outside, and nobody else"""
    here, gone = at(d, bob, IN).open(), at(d, ann, V6_OUT).open()
    same = at(d, bob, OUT)          # the same sign-in from elsewhere
    same.get('/session')
    rule(d, 'networks', INSIDE)
    gone.bye('address', 4001)
    away(same, OUT)
    away(gone, V6_OUT)
    here.settle()
    equal(here.api('GET', '/session').status, 200, 'inside')
    # The sign-in itself has not ended: back inside it goes on.
    equal(at(d, ann, V6).api('GET', '/session').status, 200, 'moved inside')
    rule(d, 'networks', '127.0.0.1 ' + V6_OUT)
    here.bye('address', 4001)
    gone.open()
    rule(d, 'networks', '')
    gone.settle()
    for p in (here, gone, same):
        equal(p.api('GET', '/session').status, 200, 'any again')
        p.close()


def restarted(d, bob):
    """B20: a new storage and a new auth know the list, and who is where"""
    p = at(d, bob, IN).open()
    rule(d, 'networks', INSIDE)
    for title in ('storage', 'auth'):
        pid = d.pids()[(title, 0)]
        os.kill(pid, signal.SIGKILL)
        until(lambda: d.pids().get((title, 0)) not in (None, pid), title)
        until(lambda: p.api('GET', '/session').status == 200, 'inside')
        q = at(d, bob, OUT)
        until(lambda: q.api('GET', '/session').status == 403, 'outside')
        q.close()
    rule(d, 'networks', '127.0.0.1')
    p.bye('address', 4001)
    rule(d, 'networks', '')
    p.close()


def console(d, ann, bob):
    """B22: outside of its list there is no administration, only an office"""
    equal([ann.get('/session')[k] for k in ('address', 'console')],
          ['127.0.0.1', True], 'by default')
    equal(bob.get('/session')['console'], False, 'a member')
    out = at(d, ann, OUT)
    equal(out.get('/admin/users')['users'] != [], True, 'before')
    rule(d, 'admin-networks', INSIDE)
    equal([out.get('/session')[k] for k in ('address', 'console')],
          [OUT, False], 'outside')
    for method, path, body in ADMIN:
        r = out.api(method, path, body)
        equal((r.status, r.problem(), r.json()['value']),
              (403, 'address', OUT), path)
        r = bob.api(method, path, body)
        equal((r.status, r.problem()), (403, 'forbidden'), path)
    equal(out.api('GET', '/floors').status, 200, 'the office')
    out.open().settle()
    for source in (None, IN, V6):
        p = at(d, ann, source)
        equal(p.get('/session')['console'], True, source)
        equal(p.api('GET', '/admin/users').status, 200, source)
        p.close()
    rule(d, 'admin-networks', '')
    equal(out.api('GET', '/admin/users').status, 200, 'any again')
    out.close()


def floor(d, ann, bob):
    """B21: a floor may be entered and seen from its networks only"""
    fid = d.floor('acme', 'Vault')
    near, far = at(d, ann, IN).open(), at(d, bob, OUT).open()
    near.enter(fid)
    near.say('inside')
    far.enter(fid)
    r = ann.api('PATCH', '/admin/floors/%d' % fid, {
        'networks': ['127.0.0.0/30', '2001:DB8:7::/48']}, 200)
    equal(r.json()['floor']['networks'], ['127.0.0.0/30', '2001:db8:7::/48'],
          'as kept')
    equal(far.wait('evict')['floor'], fid, 'put out')
    far.wait('floors', lambda m: fid not in [f['id'] for f in m['floors']])
    near.sees(lambda: bob.id not in [a.get('user') for a in
                                     near.avatars.values()], 'he has gone')
    far.tell(t='enter', floor=fid)
    far.error('no-floor')
    far.tell(t='history', channel='floor:%d' % fid)
    far.error('no-floor')
    check(fid not in [f['id'] for f in far.get('/floors')['floors']], 'list')
    for path in ('/floors/%d', '/messages?channel=floor:%d'):
        r = far.api('GET', path % fid)
        equal((r.status, r.body),
              (404, far.api('GET', path % 4000000).body), path)
    far.inbox.clear()
    near.tell(t='status', status='busy', note='secret')
    near.wait('update', lambda m: m['note'] == 'secret')
    far.settle()
    check('secret' not in repr(far.inbox), 'presence')
    q = at(d, bob, OUT).open()
    check(ann.id not in [p['user'] for p in q.hello['people']], 'hello')
    q.close()
    q = at(d, bob, V6).open()
    q.enter(fid)
    equal(q.history('floor:%d' % fid)['messages'][-1]['text'], 'inside',
          'from inside')
    q.close()

    shown = d.json('floor', 'show', 'acme', 'Vault')['floor']
    equal(shown['networks'], '127.0.0.0/30 2001:db8:7::/48', 'risactl')
    # The last one is named as far as there is room, by whole letters.
    for bad in ('10.0.0.1/8', 'nowhere', '::/129', '本社' * 20):
        said = bad[:16]
        r = ann.api('PATCH', '/admin/floors/%d' % fid, {
            'networks': ['10.0.0.0/8', bad]})
        equal((r.status, r.json()['field'], r.json()['value']),
              (422, 'networks', said), bad)
        code, _, err = d.ctl('floor', 'networks', 'acme', 'Vault', bad)
        equal(code, 1, bad)
        check(said in err, err)
    for bad in ('10.0.0.0/8', [1], ['10.0.0.0/8 ::1'],
                ['10.0.%d.0/24' % i for i in range(65)]):
        r = ann.api('PATCH', '/admin/floors/%d' % fid, {'networks': bad})
        equal((r.status, r.json()['field']), (422, 'networks'), bad)
    # It outlives other changes of the floor, and a restart finds it.
    ann.api('PATCH', '/admin/floors/%d' % fid, {'name': 'Vault 2'}, 200)
    ann.api('PATCH', '/admin/floors/%d' % fid, {'open': True}, 200)
    rows = ann.get('/admin/floors')['floors']
    equal([f['networks'] for f in rows if f['id'] == fid],
          [['127.0.0.0/30', '2001:db8:7::/48']], 'kept')
    d.do('floor', 'networks', 'acme', 'Vault 2', '')
    far.wait('floors', lambda m: fid in [f['id'] for f in m['floors']])
    far.enter(fid)
    check(any('set networks of floor %d from [127.0.0.0/30 2001:db8:7::/48] '
              'to []' % fid in line for line in trail(d, 'acme')),
          'the trail')
    d.do('floor', 'delete', 'acme', 'Vault 2')
    near.close()
    far.close()


def lockout(d, ann):
    """an administrator cannot lock himself out; risactl can, and mends it"""
    first = ann.get('/admin/policy')['policy']

    def put(p, **lists):
        was = ann.get('/admin/policy')['policy']
        return p.api('PATCH', '/admin/policy', {'was': was, 'policy': dict(
            was, **{k.replace('_', '-'): v for k, v in lists.items()})})

    six = at(d, ann, V6)
    for p, own, other in ((ann, '127.0.0.1', V6), (six, V6, '127.0.0.1')):
        for name in ('networks', 'admin_networks'):
            r = put(p, **{name: [other, '192.0.2.0/24']})
            equal((r.status, r.problem(), r.json()['field'],
                   r.json()['value']),
                  (422, 'excludes', name.replace('_', '-'), own), name)
    equal(ann.get('/admin/policy')['policy'], first, 'nothing has changed')
    for bad in ('192.0.2.1/24', 'office', '127.0.0.0/8/8'):
        r = put(ann, networks=['127.0.0.0/8', bad])
        equal((r.status, r.json()['field'], r.json()['value']),
              (422, 'networks', bad), bad)
    r = put(ann, networks=['127.0.0.1/32'] * 65)
    equal((r.status, r.json()['field']), (422, 'networks'), '65')
    r = put(ann, networks=['127.0.0.0/8', V6],
            admin_networks=['127.0.0.1', V6])
    equal(r.status, 200, 'with himself')
    equal(six.api('GET', '/admin/users').status, 200, 'the other one')

    code, _, err = d.ctl('policy', 'set', 'acme', 'networks', '192.0.2.1/24')
    equal(code, 1, 'host bits')
    check('192.0.2.1/24' in err, err)
    code, _, err = d.ctl('policy', 'set', 'acme', 'networks', 'a' + '社' * 99)
    equal(code, 1, 'cut within a letter')
    check('社社' in err, err)
    rule(d, 'networks', '192.0.2.0/24 2001:db8:ffff::/48')
    away(ann, '127.0.0.1')
    shown = {r['rule']: r['value']
             for r in d.json('policy', 'show', 'acme')['policy']}
    equal([shown['networks'], shown['admin-networks']],
          ['192.0.2.0/24 2001:db8:ffff::/48', '127.0.0.1 ' + V6], 'shown')
    rule(d, 'networks', '')
    rule(d, 'admin-networks', '192.0.2.0/24')
    equal(ann.api('GET', '/admin/policy').status, 403, 'no console')
    rule(d, 'admin-networks', '')
    equal(ann.get('/admin/policy')['policy'], first, 'mended')
    equal([line.split('set ', 1)[1] for line in trail(d, 'acme')
           if ': set ' in line][-4:], [
        'networks from [127.0.0.0/8 %s] to [192.0.2.0/24 '
        '2001:db8:ffff::/48]' % V6,
        'networks from [192.0.2.0/24 2001:db8:ffff::/48] to []',
        'admin-networks from [127.0.0.1 %s] to [192.0.2.0/24]' % V6,
        'admin-networks from [192.0.2.0/24] to []'], 'the trail')
    six.close()


def proxy_reload(d):
    """a reload changes who is a proxy, on the socket that there is"""
    text = d.conf()
    d.write_conf(text.replace('proxy from 127.0.0.1', 'proxy from 127.0.0.9'))
    d.do('reload')
    silent_end(plain(d, d.proxy, proxy_header(V6)), 'no proxy any more')
    s = plain(d, d.proxy, proxy_header(V6), source='127.0.0.9')
    equal(shake(d, s).status, 200, 'the new proxy')
    d.write_conf(text.replace(' proxy from 127.0.0.1', ''))
    d.do('reload')
    equal(shake(d, plain(d, d.proxy)).status, 200, 'without a proxy')
    d.write_conf(text)
    d.do('reload')
    equal(shake(d, plain(d, d.proxy, proxy_header(V6))).status, 200,
          'as it was')


def main():
    d = Daemon(more='limit connections 1000 address %d\n'
               'password hash memory 64 passes 1\n' % LIMIT)
    d.proxy = free_port()
    d.write_conf()
    d.start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    d.do('tenant', 'add', 'globex')
    ann = d.person('acme', 'ann@acme.example', role='admin')
    bob = d.person('acme', 'bob@acme.example')
    s = Suite(d)
    partial = Partial(d)
    s.run_test(header, d, ann)
    s.run_test(header_slowly, d)
    s.run_test(header_own, d)
    s.run_test(header_wrong, d)
    s.run_test(header_untrusted, d)
    s.run_test(header_unwanted, d)
    s.run_test(spoofed, d, ann)
    s.run_test(outside, d, ann)
    s.run_test(live, d, ann, bob)
    s.run_test(console, d, ann, bob)
    s.run_test(floor, d, ann, bob)
    s.run_test(lockout, d, ann)
    s.run_test(partial.end, d)
    s.run_test(restarted, d, bob, restarts=True)
    s.run_test(header_limit, d)
    s.run_test(proxy_reload, d)
    s.end()


if __name__ == '__main__':
    main()
