#!/usr/bin/env python3
"""RFC 6455, case by case: each frame that may not be has its close code, and
what may be is understood; on a connection of its own each."""

import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Closed, Daemon, Http, Ws                       # noqa: E402

f = Ws.frame
cases = {}
MAX = 65536                             # bytes of a message
PROTO, TEXT, BIG = 1002, 1007, 1009

# Not UTF-8, each in its own way.
NOT_UTF8 = [bytes.fromhex(h) for h in (
    '80', 'bf', '8080', 'c0', 'c080', 'c0af', 'c1bf', 'c2', 'c241', 'df',
    'e0', 'e080', 'e08080', 'e080af', 'e09fbf', 'e0a0', 'e0a041', 'e181',
    'eda080', 'edad80', 'edaebf', 'edb080', 'edbfbf', 'eda080edb080', 'ef',
    'efbf', 'f0', 'f0808080', 'f08080af', 'f08fbfbf', 'f09f', 'f09f8c',
    'f09f8c41', 'f48f', 'f4908080', 'f4bfbfbf', 'f5808080', 'f7bfbfbf',
    'f888808080', 'fbbfbfbfbf', 'fc8480808080', 'fdbfbfbfbfbf', 'fe', 'ff',
    'fffe', '41c3', 'c3a9c3', 'e38182e381')]


def raw(first, second, extended, rest=b''):
    """A frame with its length in a form of our choice, masked by zeroes."""
    return bytes([first, 0x80 | second]) + extended + b'\0' * 4 + rest


def close(code, reason=b''):
    return f(8, struct.pack('>H', code) + reason)


def tried(d, group, which):
    """Send each, compare the code of the close, count."""
    for name, data, code in which:
        with Http(d) as h:
            h.cookie = cookie
            ws = Ws(h)
            equal(ws.ask().status, 101, name)
            try:
                h.send(data)
            except (Closed, OSError):
                pass                    # it knew before it had all
            equal(ws.close_code(), code, '%s: %s' % (group, name))
    cases[group] = len(which)


def opcodes(d):
    """opcodes, bits and masks that are not agreed upon: 1002"""
    tried(d, 'reserved opcodes', [
        ('%d %r %r' % (op, fin, text), f(op, text, fin=fin), PROTO)
        for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        for fin in (True, False) for text in (b'', b'x')])
    tried(d, 'reserved bits', [
        ('%d %d' % (op, rsv), f(op, b'', rsv=rsv), PROTO)
        for op in (1, 2, 8, 9, 10) for rsv in range(1, 8)])
    tried(d, 'no mask', [
        ('%d %d' % (op, n), f(op, b' ' * n, mask=False), PROTO)
        for op in (1, 2, 8, 9, 10) for n in (0, 1, 125)])


def control(d):
    """control frames in pieces or too long: 1002"""
    tried(d, 'control in pieces', [
        ('%d %d' % (op, n), f(op, b'\x03\xe8' + b'x' * n, fin=False), PROTO)
        for op in (8, 9, 10) for n in (0, 1, 123)])
    tried(d, 'control too long', [
        ('%d %d' % (op, n), f(op, b'', length=n), PROTO)
        for op in (8, 9, 10) for n in (126, 127, 65535, 65536, 2 ** 40)])


def order(d):
    """what continues nothing, what begins within a message: 1002"""
    begun = f(1, b'{', fin=False)
    tried(d, 'fragments', [
        ('nothing %r %d' % (fin, n), f(0, b'x' * n, fin=fin), PROTO)
        for fin in (True, False) for n in (0, 1, 200)] + [
        ('over', f(1, b'{}') + f(0, b'{}'), PROTO),
        ('over, in pieces', begun + f(0, b'}') + f(0, b'{}'), PROTO)] + [
        ('%d within %d pieces' % (op, n), begun + f(0, b' ', fin=False) * n +
         f(op, b'}', fin=fin), PROTO)
        for op in (1, 2) for n in (0, 1, 9) for fin in (True, False)] + [
        ('ping between', begun + f(9, b'x') + f(2, b'}'), PROTO)])


def lengths(d):
    """a length in more bytes than it needs: 1002; too long: 1009"""
    tried(d, 'length not shortest', [
        ('%x %d in two' % (op, n), raw(op, 126, struct.pack('>H', n)), PROTO)
        for op in (0x81, 0x82, 0x01, 0x89) for n in (0, 1, 125)] + [
        ('%x %d in eight' % (op, n), raw(op, 127, struct.pack('>Q', n)),
         PROTO) for op in (0x81, 0x82, 0x01, 0x89)
        for n in (0, 1, 125, 126, 65535)])
    tried(d, 'highest bit', [
        ('%x %d' % (op, n), raw(op, 127, struct.pack('>Q', n)), PROTO)
        for op in (0x81, 0x82) for n in (2 ** 63, 2 ** 63 + 5, 2 ** 64 - 1)])
    tried(d, 'too long', [
        ('%d %d' % (op, n), f(op, length=n), BIG)
        for op in (1, 2)
        for n in (MAX + 1, 10 ** 6, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40,
                  2 ** 63 - 1)] + [
        ('in two', f(1, b' ' * 40000, fin=False) + f(0, length=30000), BIG),
        ('in seven', f(2, b' ' * 10000, fin=False) +
         f(0, b' ' * 10000, fin=False) * 6, BIG),
        ('one more', f(1, b' ' * MAX, fin=False) + f(0, b' '), BIG),
        ('one more, and a ping', f(1, b' ' * MAX, fin=False) + f(9) +
         f(0, b' ', fin=False), BIG)])


def closes(d):
    """a close has a code that may be sent, and is answered with it"""
    tried(d, 'close codes', [
        (str(n), close(n), PROTO) for n in (
            0, 1, 500, 998, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015,
            1016, 1100, 2000, 2999, 5000, 10000, 32768, 65535)] + [
        (str(n), close(n), n) for n in (
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999,
            4000, 4999)] + [
        ('one byte', f(8, b'\x03'), PROTO), ('none', f(8), 1000)])
    tried(d, 'close reasons', [
        ('%d bytes' % n, close(1000, b'x' * n), 1000) for n in
        (1, 2, 100, 123)] + [
        ('words', close(1001, 'さようなら 🌸'.encode()), 1001)] + [
        (bad.hex(), close(1000, bad), TEXT) for bad in NOT_UTF8])
    tried(d, 'after a close', [
        ('%s' % data[:2].hex(), close(1000) + data, 1000)
        for data in (f(1, b'{}'), f(3), close(1001), f(1, mask=False),
                     f(9, b'x') * 20, b'\xff' * 100)])


def texts(d):
    """what is not UTF-8: 1007, whole and in pieces"""
    tried(d, 'text', [(bad.hex(), f(1, b'"x' + bad), TEXT)
                      for bad in NOT_UTF8])
    tried(d, 'text in pieces', [
        ('%s at %d' % (bad.hex(), at), f(1, b'"' + bad[:at], fin=False) +
         f(0, bad[at:]), TEXT) for bad in NOT_UTF8
        for at in range(0, len(bad) + 1, 2)])
    # Where no continuation can be good, the end is not waited for.
    tried(d, 'text, known at once', [
        (bad.hex(), f(1, bad, fin=False), TEXT) for bad in NOT_UTF8
        if bad[:1] in (b'\x80', b'\xbf', b'\xc0', b'\xc1', b'\xf5', b'\xf7',
                       b'\xf8', b'\xfb', b'\xfc', b'\xfd', b'\xfe', b'\xff')])


def good(d):
    """what may be is understood, in whatever pieces, with pings between"""
    n = 0
    with Http(d) as h:
        h.cookie = cookie
        ws = Ws(h)
        equal(ws.ask().status, 101)

        def answer():
            """The next error, and the pongs that came before it."""
            pongs = []
            while True:
                op, got = ws.recv()
                if op == 10:
                    pongs.append(got)
                elif op == 1 and json.loads(got)['t'] == 'error':
                    return json.loads(got)['code'], pongs
        for c in ('\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000',
                  '\ufffd', '\uffff', '\U00010000', '\U0001ffff',
                  '\U0010ffff'):
            text = json.dumps({'t': c}, ensure_ascii=False).encode()
            for step in (1, 2, 3, len(text)):
                parts = [text[i:i + step] for i in range(0, len(text), step)]
                data = b''
                for i, part in enumerate(parts):
                    data += f(0 if i else 1, part, fin=i == len(parts) - 1)
                    data += f(9, b'%d' % i)
                h.send(data)
                code, pongs = answer()
                equal(code, 'type', '%r by %d' % (c, step))
                while len(pongs) < len(parts):
                    op, got = ws.recv()
                    pongs += [got] if op == 10 else []
                equal(pongs, [b'%d' % i for i in range(len(parts))], 'pongs')
                n += 1
        for data in (f(1, b'', fin=False) + f(0, b'{}'),
                     f(1, b'{}', fin=False) + f(0, b''),
                     f(1, b'', fin=False) + f(0, b'', fin=False) * 50 +
                     f(0, b'{}'), f(2, b'\x07', fin=False) + f(0, b''),
                     f(10, b'nobody asked') + f(1, b'{}'),
                     f(1, b' ' * (MAX - 2) + b'{}')):
            h.send(data)
            equal(answer()[0], 'type', data[:8])
            n += 1
        # Each byte alone, as a slow network brings it.
        for b in f(1, b'{}') + f(9, b'slow'):
            h.send(bytes([b]))
        equal(answer()[0], 'type')
        n += 1
    cases['understood'] = n


def counted(d):
    """there are at least three hundred cases"""
    for group, n in cases.items():
        print('%-24s %4d' % (group, n))
    print('%-24s %4d' % ('cases', sum(cases.values())))
    check(sum(cases.values()) >= 300, cases)


def main():
    global cookie
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.floor('acme', '3F')
    ann = d.person('acme', 'ann@acme.example')
    cookie = ann.http.cookie
    s = Suite(d)
    for fn in (opcodes, control, order, lengths, closes, texts, good):
        s.run_test(fn, d)
    if not s.only:
        s.run_test(counted, d)
    s.end()


if __name__ == '__main__':
    main()
