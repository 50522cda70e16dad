#!/usr/bin/env python3
"""The page's connection: the handshake, frames that break RFC 6455, words
that are not understood."""

import json
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Closed, Daemon, Http, Person, Ws, until        # noqa: E402


def handshake(d, floor):
    """the handshake needs cookie, origin, version, key and subprotocol"""
    p = d.person('acme', 'shake@acme.example')

    def answer(cookie=True, **headers):
        with Http(d) as h:
            h.cookie = p.http.cookie if cookie else None
            r = Ws(h).ask({k.replace('_', '-'): v
                           for k, v in headers.items()})
            return r.status
    equal(answer(), 101, 'as it should be')
    equal(answer(Connection='keep-alive, upgrade', Upgrade='WebSocket'), 101,
          'letters')
    equal(answer(Sec_WebSocket_Protocol='chat, risa.v1'), 101, 'two')
    equal(answer(cookie=False), 401, 'no cookie')
    for origin in (None, 'null', '', 'https://evil.example',
                   'https://globex.localhost:%d' % d.port,
                   'http://acme.localhost:%d' % d.port):
        equal(answer(Origin=origin), 403, origin)
    equal(answer(Sec_WebSocket_Version='12'), 426, 'version')
    equal(answer(Sec_WebSocket_Version=None), 400, 'no version')
    equal(answer(Upgrade=None), 426, 'no Upgrade')
    equal(answer(Connection='close'), 400, 'no Connection')
    for key in (None, '', 'x', 'A' * 22, 'A' * 21 + 'B==', '!' * 22 + '=='):
        equal(answer(Sec_WebSocket_Key=key), 400, 'key %r' % key)
    for proto in (None, 'chat', 'risa.v2', 'RISA.V1x'):
        equal(answer(Sec_WebSocket_Protocol=proto), 400, proto)
    with Http(d, 'globex') as h:
        h.cookie = p.http.cookie
        equal(Ws(h).ask().status, 401, 'of another tenant')
    with Http(d) as h:
        h.cookie = p.http.cookie
        equal(h.request('GET', '/ws').status, 426, 'without a handshake')
        equal(h.request('POST', '/ws', {}).status, 405, 'POST')
    p.close()


def broken_frames(d, floor):
    """frames that break the protocol are closed with the right code"""
    f = Ws.frame
    for name, data, code in (
            ('no mask', f(1, b'{"t":"x"}', mask=False), 1002),
            ('rsv1', f(1, b'{}', rsv=4), 1002),
            ('rsv2', f(2, b'{}', rsv=2), 1002),
            ('rsv3', f(9, b'', rsv=1), 1002),
            ('opcode 3', f(3, b'x'), 1002),
            ('opcode 7', f(7), 1002),
            ('opcode 11', f(11), 1002),
            ('opcode 15', f(15), 1002),
            ('continuation of nothing', f(0, b'x'), 1002),
            ('text within a message', f(1, b'{', fin=False) + f(1, b'}'),
             1002),
            ('binary within a message', f(1, b'{', fin=False) + f(2, b'}'),
             1002),
            ('ping in pieces', f(9, b'x', fin=False), 1002),
            ('close in pieces', f(8, b'', fin=False), 1002),
            ('a long ping', f(9, b'x' * 126), 1002),
            ('a long close', f(8, b'\x03\xe8' + b'x' * 124), 1002),
            ('a close of one byte', f(8, b'x'), 1002),
            ('close 999', f(8, struct.pack('>H', 999)), 1002),
            ('close 1004', f(8, struct.pack('>H', 1004)), 1002),
            ('close 1005', f(8, struct.pack('>H', 1005)), 1002),
            ('close 1006', f(8, struct.pack('>H', 1006)), 1002),
            ('close 1015', f(8, struct.pack('>H', 1015)), 1002),
            ('close 2999', f(8, struct.pack('>H', 2999)), 1002),
            ('close 5000', f(8, struct.pack('>H', 5000)), 1002),
            ('close, not UTF-8', f(8, b'\x03\xe8\xff'), 1007),
            ('text, not UTF-8', f(1, b'{"t":"\xff"}'), 1007),
            ('text, surrogate', f(1, b'"\xed\xa0\x80"'), 1007),
            ('text, cut', f(1, b'"\xe3\x81'), 1007),
            ('text, cut in pieces', f(1, b'\xe3', fin=False) + f(0, b'x'),
             1007),
            ('too long', f(1, length=65537), 1009),
            ('far too long', f(2, length=2 ** 40), 1009),
            ('too long in pieces', f(1, b' ' * 40000, fin=False) +
             f(0, length=30000), 1009),
            ('the highest bit', f(1, length=2 ** 63 + 1), 1002),
            ('a length in too many bytes', b'\x81\xfe\x00\x05' + b'\0' * 9,
             1002),
            ('a length in eight bytes', b'\x81\xff' + b'\0' * 7 + b'\x05' +
             b'\0' * 9, 1002),
            ('goodbye', f(8, struct.pack('>H', 1000) + 'さようなら'.encode()),
             1000),
            ('gone', f(8, struct.pack('>H', 1001)), 1001),
            ('own code', f(8, struct.pack('>H', 4321)), 4321),
            ('a close without code', f(8), 1000)):
        p = Person(d, 'acme', 'ann@acme.example')
        p.http.cookie = ann.http.cookie
        p.open()
        p.ws.http.send(data)
        equal(p.ws.close_code(), code, name)
        p.close()
    ann.settle()


def whole_and_in_pieces(d, floor):
    """messages in pieces, with pings between, are messages"""
    p = ann
    f = Ws.frame
    text = json.dumps({'t': '#空'}, ensure_ascii=False).encode()
    data = b''
    for i, b in enumerate(text):
        data += f(0 if i else 1, bytes([b]), fin=i == len(text) - 1)
        data += f(9, b'p%d' % i)
    p.ws.http.send(data)
    p.error('type')
    for b in f(1, text):
        p.ws.http.send(bytes([b]))
    p.error('type')
    p.ws.http.send(f(0x1, b'', fin=False) + f(0, text, fin=False) +
                   f(0, b''))
    p.error('type')
    p.ws.http.send(f(1, text) * 3)
    for _ in range(3):
        p.error('type')


def pings(d, floor):
    """a ping is answered with its own bytes"""
    ws = ann.ws
    for payload in (b'', b'hello', bytes(range(125))):
        ws.send(9, payload)
        while True:
            op, got = ws.recv()
            if op == 10:
                break
            ann._frame(op, got)
        equal(got, payload, 'pong')
    ws.send(10, b'nobody has asked')
    ann.settle()


def not_understood(d, floor):
    """what is no message of ours is an error, and the connection stays"""
    for text, code, field in (
            ('', 'json', None), ('{', 'json', None), ('[]', 'json', None),
            ('"x"', 'json', None), ('null', 'json', None),
            ('{"t":"say","t":"say"}', 'json', None),
            ('{"t":"' + 'x' * 100 + '\\u0000"}', 'json', None),
            ('[' * 1000, 'json', None),
            ('{}', 'type', None), ('{"t":7}', 'type', None),
            ('{"t":""}', 'type', None), ('{"t":"Enter"}', 'type', None),
            ('{"t":"hello"}', 'type', None), ('{"t":"msg"}', 'type', None),
            ('{"t":"enter"}', 'field', 'floor'),
            ('{"t":"enter","floor":"1"}', 'field', 'floor'),
            ('{"t":"enter","floor":-1}', 'field', 'floor'),
            ('{"t":"enter","floor":0}', 'field', 'floor'),
            ('{"t":"enter","floor":1.5}', 'field', 'floor'),
            ('{"t":"enter","floor":4294967296}', 'field', 'floor'),
            ('{"t":"enter","floor":1,"x":1}', 'field', 'x'),
            ('{"t":"enter","floor":99}', 'no-floor', None),
            ('{"t":"status","status":"x","note":""}', 'field', 'status'),
            ('{"t":"status","status":"busy"}', 'field', 'note'),
            ('{"t":"status","status":"busy","note":"%s"}' % ('x' * 81),
             'field', 'note'),
            ('{"t":"door","room":1,"lock":true}', 'field', 'lock'),
            ('{"t":"door","room":1}', 'field', 'state'),
            ('{"t":"door","room":1,"state":1}', 'field', 'state'),
            ('{"t":"door","room":1,"state":"shut"}', 'field', 'state'),
            ('{"t":"door","room":256,"state":"open"}', 'field', 'room'),
            ('{"t":"door","room":1,"state":"open"}', 'not-here', None),
            ('{"t":"call","kind":"wave","user":1}', 'field', 'ref'),
            ('{"t":"call","ref":"r","user":1}', 'field', 'kind'),
            ('{"t":"call","kind":"wave","ref":"","user":1}', 'field', 'ref'),
            ('{"t":"call","kind":"x","ref":"r","user":1}', 'field', 'kind'),
            ('{"t":"call","kind":"wave","ref":"r"}', 'field', 'user'),
            ('{"t":"call","kind":"wave","ref":"r","user":1,"room":1}',
             'field', 'room'),
            ('{"t":"call","kind":"come","ref":"r","user":4294967296}',
             'field', 'user'),
            ('{"t":"call","kind":"knock","ref":"r"}', 'field', 'room'),
            ('{"t":"call","kind":"knock","ref":"r","room":256}', 'field',
             'room'),
            ('{"t":"call","kind":"knock","ref":"r","room":1,"user":1}',
             'field', 'user'),
            ('{"t":"call","kind":"wave","ref":"r","user":1}', 'not-here',
             None),
            ('{"t":"answer","n":1}', 'field', 'yes'),
            ('{"t":"answer","n":0,"yes":true}', 'field', 'n'),
            ('{"t":"answer","n":4294967296,"yes":true}', 'field', 'n'),
            ('{"t":"answer","n":1,"yes":true}', 'no-call', None),
            ('{"t":"uncall","n":-1}', 'field', 'n'),
            ('{"t":"uncall","n":1}', 'no-call', None),
            ('{"t":"history","channel":"x"}', 'field', 'channel'),
            ('{"t":"history","channel":"floor:1","limit":0}', 'field',
             'limit'),
            ('{"t":"history","channel":"floor:1","limit":101}', 'field',
             'limit'),
            ('{"t":"history","channel":"floor:99"}', 'no-floor', None),
            ('{"t":"history","channel":"user:999"}', 'no-user', None),
            ('{"t":"history","channel":"room:1:1"}', 'no-room', None),
            ('{"t":"read","channel":"floor:1"}', 'field', 'id')):
        ann.ws.send(1, text.encode())
        m = ann.wait('error')
        equal((m['code'], m.get('field')), (code, field), text[:60])
    for data in (b'', b'\x01', b'\x01' * 6, b'\x01' * 8,
                 b'\x02' + b'\0' * 6, b'\x01\0\0\0\0\0\x02',
                 b'\x00' * 7, b'\x01' * 5000):
        ann.ws.send(2, data)
        equal(ann.wait('error')['code'], 'type', data[:9])
    ann.ws.send(2, b'\x01\0\0\0\0\0\0')
    equal(ann.wait('error')['code'], 'not-here', 'a leg on no floor')


def said_wrongly(d, floor):
    """what can not be said is an error with its ref, the connection stays"""
    p = d.person('acme', 'words@acme.example').open()

    def wrong(code, field=None, ref='r1', **o):
        p.tell(**dict({'t': 'say', 'to': 'floor', 'text': 'x', 'ref': ref},
                      **o))
        m = p.wait('error')
        equal((m['code'], m.get('field')), (code, field), (ref, o))
        check(m.get('ref') in (ref, None), m)
        check(m['detail'], 'no detail')
        return m
    equal(wrong('not-here')['ref'], 'r1', 'ref')
    wrong('not-here', to='room')
    p.enter(floor)
    wrong('no-room', to='room')
    for text in ('', ' ', '\n', ' \t\r\n', '\u3000', '\u3000 \u3000'):
        equal(wrong('empty', text=text)['ref'], 'r1', 'ref')
    for c in ('x', 'あ', '🌸', 'é'):
        equal(wrong('too-long', text=c * 4001)['ref'], 'r1', c)
    for ref in ('', 'x' * 65, 'a b', 'é', 'a/b', 'a\n'):
        wrong('field', 'ref', ref=ref)
    for to in ('all', '', 'floor:1', {'user': 0}, {'user': 'x'},
               {'user': 1.0}, {'user': 1, 'x': 2}, {}, [], None, 7,
               {'user': 2 ** 32}, {'floor': 1}):
        wrong('field', 'to', to=to)
    wrong('no-user', to={'user': 999})
    wrong('no-user', to={'user': p.id})
    wrong('field', 'text', text=7)
    wrong('field', 'text', text=None)
    wrong('field', 'colour', colour='red')
    p.say('🌸' * 4000)
    p.hears('🌸' * 4000)
    p.say('あ' * 4000)
    p.hears('あ' * 4000)
    p.close()


def too_many(d, floor):
    """too many words: error too-many, the connection stays, later they pass"""
    p = d.person('acme', 'fast@acme.example').open()
    p.enter(floor)
    for i in range(40):
        p.tell(t='say', to='floor', text='n%d' % i, ref='n%d' % i)
    p.error('too-many')
    got = [p.wait('ack')['ref'] for _ in range(20)]
    equal(got[:20], ['n%d' % i for i in range(20)], 'the first twenty')

    def later():
        p.inbox.clear()
        p.tell(t='say', to='floor', text='later', ref='later')
        p.sees(lambda: any(m['t'] in ('ack', 'error') for m in p.inbox),
               'an answer')
        return p.find('ack')
    until(later, 'it may be said later')
    p.hears('later')
    p.ws.http.send(Ws.frame(1, b'{"t":"#"}') * 200)
    p.error('too-many')
    p.error('type')
    p.wait('error', lambda m: m['code'] == 'too-many')
    p.api('GET', '/session', want=200)
    p.close()


def does_not_read(d, floor):
    """somebody who does not read loses his connection, others nothing"""
    slow = d.person('acme', 'slow@acme.example').open()
    talk = d.person('acme', 'talk@acme.example').open()
    slow.enter(floor)
    talk.enter(floor)
    for i in range(15):
        talk.say('🌸' * 4000)
    # Sixty answers of a quarter of a megabyte, and nobody takes them.
    for i in range(60):
        slow.tell(t='history', channel='floor:%d' % floor, limit=15)
    talk.wait('gone', lambda m: m['user'] == slow.id)
    talk.say('それでも')
    talk.hears('それでも')
    slow.drop()
    slow.open()
    slow.enter(floor)
    slow.close()
    talk.close()


def cut_off(d, floor):
    """connections that end in the middle of anything leave nobody behind"""
    p = d.person('acme', 'cut@acme.example')
    f = Ws.frame(1, b'{"t":"enter","floor":%d}' % floor)
    watch = d.person('acme', 'watch@acme.example').open()
    watch.enter(floor)
    for cut in (1, 2, 5, 9, len(f)):
        p.open()
        p.ws.http.send(f[:cut])
        p.drop()
    p.open()
    p.enter(floor)
    watch.wait('join', lambda m: m['person']['user'] == p.id)
    p.drop()
    watch.wait('gone', lambda m: m['user'] == p.id)
    watch.close()
    p.close()


def silence(d, floor):
    """who does not answer a ping is gone, who only answers them stays"""
    quiet = d.person('acme', 'quiet@acme.example').open()
    dumb = d.person('acme', 'dumb@acme.example').open()
    pings, end = 0, time.monotonic() + 150
    try:
        while time.monotonic() < end:
            quiet.pull(0.2)
            try:
                pings += dumb.ws.recv(0.5)[0] == 9
            except TimeoutError:
                pass
    except Closed:
        pass
    else:
        check(False, 'the dumb one is still there')
    check(pings > 0, 'no ping')
    quiet.settle()
    for p in (quiet, dumb):
        p.close()


def main():
    global ann
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    floor = d.floor('acme', '3F')
    ann = d.person('acme', 'ann@acme.example').open()
    s = Suite(d)
    for fn in (handshake, broken_frames, whole_and_in_pieces, pings,
               not_understood, said_wrongly, too_many, does_not_read,
               cut_off, silence):
        s.run_test(fn, d, floor)
    s.end()


if __name__ == '__main__':
    main()
