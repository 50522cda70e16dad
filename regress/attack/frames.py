#!/usr/bin/env python3
"""Hundreds of frames that are wrong, or nearly: each is held against what RFC
6455 says of it, while a floor goes on."""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import Honest, fds, percentile, rss                 # noqa: E402
from lib import LONG, Suite, check                              # noqa: E402
from risa import Closed, Daemon, Ws, until                      # noqa: E402

MESSAGE = 64 * 1024             # bytes of a message, session.c
P95 = 3
ALIVE = None                    # the connection goes on
TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def rule(op, fin, rsv, masked, n, begun=False):
    """The code that RFC 6455 asks for, or ALIVE (sections 5.2 to 5.5)."""
    if rsv or not masked or op in range(3, 8) or op > 10:
        return 1002
    if op >= CLOSE:
        if not fin or n > 125 or op == CLOSE and n == 1:
            return 1002
        return 1000 if op == CLOSE else ALIVE
    if (op == CONT) != begun:
        return 1002
    return 1009 if n > MESSAGE else ALIVE


def heads():
    """Every first byte, masked or not."""
    for op in range(16):
        for rsv in range(8):
            for fin in (True, False):
                for masked in (True, False):
                    yield (Ws.frame(op, b'', fin=fin, rsv=rsv, mask=masked),
                           rule(op, fin, rsv, masked, 0),
                           'op %d rsv %d fin %d mask %d' % (op, rsv, fin,
                                                            masked))


def later():
    """Every first byte when a message has begun."""
    for op in range(16):
        for fin in (True, False):
            yield (Ws.frame(TEXT, b'[', fin=False) + Ws.frame(op, b'',
                                                              fin=fin),
                   rule(op, fin, 0, True, 0, begun=True),
                   'begun, then op %d fin %d' % (op, fin))


def length(op, n, form):
    """A head that announces n bytes in that form: 0, 2 or 8 more bytes."""
    data = bytes([0x80 | op])
    if form == 0:
        data += bytes([0x80 | n])
    elif form == 2:
        data += bytes([0x80 | 126]) + struct.pack('>H', n)
    else:
        data += bytes([0x80 | 127]) + struct.pack('>Q', n)
    return data + b'\0\0\0\0'


def lengths():
    """Lengths that are not in their shortest form, or too large."""
    for op in (TEXT, BINARY):
        for n in (0, 1, 125):
            yield length(op, n, 2), 1002, 'op %d: %d in two' % (op, n)
        for n in (0, 1, 125, 126, 65535):
            yield length(op, n, 8), 1002, 'op %d: %d in eight' % (op, n)
        for n in (MESSAGE + 1, 1 << 20, 1 << 31, 1 << 32, 1 << 62):
            yield length(op, n, 8), 1009, 'op %d: %d bytes' % (op, n)
        for n in (1 << 63, (1 << 64) - 1):
            yield length(op, n, 8), 1002, 'op %d: %d bytes' % (op, n)
        yield (Ws.frame(op, b' ' * MESSAGE), ALIVE, 'op %d: all that may be' %
               op)
    for op in (CLOSE, PING, PONG):
        for n in (126, 1000):
            yield length(op, n, 2), 1002, 'control op %d: %d' % (op, n)
        yield length(op, 1 << 16, 8), 1002, 'control op %d: large' % op
    for n in (1, 124, 125):
        yield Ws.frame(PING, b'x' * n), ALIVE, 'ping of %d' % n
        yield Ws.frame(PONG, b'x' * n), ALIVE, 'pong of %d' % n


def codes():
    """Codes of a close, and their reasons."""
    for code in (list(range(998, 1017)) + [0, 1, 500, 1100, 1999, 2000, 2999,
                                           3000, 3999, 4000, 4999, 5000,
                                           9999, 65535]):
        good = code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1011 or \
            3000 <= code <= 4999 or code in (1012, 1013, 1014)
        if code in (1012, 1013, 1014):
            continue            # registered later; either is right
        for reason in (b'', b'bye', b'\xe3\x81\x82'):
            yield (Ws.frame(CLOSE, struct.pack('>H', code) + reason),
                   code if good else 1002, 'close %d %r' % (code, reason))
    for reason in (b'\xff', b'\xc3', b'\xed\xa0\x80', b'\xc0\xaf'):
        yield (Ws.frame(CLOSE, struct.pack('>H', 1000) + reason), 1007,
               'reason %r' % reason)


def texts():
    """Text that is no UTF-8, whole, in pieces, and cut in a character."""
    bad = [b'\x80', b'\xbf', b'\xc0\x80', b'\xc1\xbf', b'\xc3', b'\xc3(',
           b'\xe2\x82', b'\xe2(\xa1', b'\xe0\x80\xaf', b'\xed\xa0\x80',
           b'\xed\xbf\xbf', b'\xf0\x80\x80\xaf', b'\xf0\x9f\x98',
           b'\xf4\x90\x80\x80', b'\xf5\x80\x80\x80', b'\xf8\x88\x80\x80\x80',
           b'\xfe', b'\xff', b'"\xff"']
    for t in bad:
        yield Ws.frame(TEXT, t), 1007, 'text %r' % t
        yield (Ws.frame(TEXT, b'[', fin=False) + Ws.frame(CONT, t), 1007,
               'at the end %r' % t)
        yield (Ws.frame(TEXT, t[:1], fin=False) + Ws.frame(PING, b'') +
               Ws.frame(CONT, t[1:]), 1007, 'in pieces %r' % t)
    for t in ('é', '€', '😀', '"あ"', '\U0010ffff'):
        data = t.encode()
        for i in range(len(data) + 1):
            yield (Ws.frame(TEXT, data[:i], fin=False) +
                   Ws.frame(CONT, data[i:]), ALIVE,
                   '%r cut at %d' % (t, i))


def sums():
    """Pieces that are too much together."""
    piece = MESSAGE // 4
    for op in (TEXT, BINARY):
        data = Ws.frame(op, b' ' * piece, fin=False)
        data += Ws.frame(CONT, b' ' * piece, fin=False) * 3
        yield data + Ws.frame(CONT, b''), ALIVE, 'op %d: four quarters' % op
        yield data + Ws.frame(CONT, b' '), 1009, 'op %d: a byte more' % op
        yield (data + Ws.frame(PING, b'x') + Ws.frame(CONT, b' ', fin=False),
               1009, 'op %d: and a ping between' % op)
        many = Ws.frame(op, b'', fin=False) + Ws.frame(CONT, b'', fin=False
                                                       ) * 3000
        yield many + Ws.frame(CONT, b' '), ALIVE, 'op %d: empty ones' % op
        yield (Ws.frame(op, b'{', fin=False) + Ws.frame(op, b'}'), 1002,
               'op %d: two at once' % op)


GROUPS = [heads, later, lengths, codes, texts, sums]


class Prober:
    """Somebody with a page that is opened again when a case has closed it."""

    def __init__(self, d, p):
        self.d, self.p = d, p
        self.n = 0

    def code(self, data):
        """Send it; the code that closes, or ALIVE."""
        p = self.p
        if p.ws is None:
            p.open()
        try:
            p.ws.http.send(data)
            self.n += 1
            mark = b'%d' % self.n
            # A pong to this shows that all before has been borne.
            p.ws.send(PING, mark)
            while True:
                op, body = p.ws.recv()
                if op == PONG and body == mark:
                    return ALIVE
        except (Closed, ConnectionError):
            return p.ws.closed or 'no word'
        except OSError as e:
            return p.ws.closed or repr(e)


def group(fn, d, prober):
    wrong = []
    cases = list(fn())
    for data, want, name in cases:
        got = prober.code(data)
        if got != want:
            wrong.append('%s: %s, want %s' % (name, got, want))
        # A message that goes on would be the next case's.
        if got is not ALIVE or 'fin 0' in name:
            prober.p.drop()
    d.cases += len(cases)
    check(not wrong, '; '.join(wrong[:8]) + ' (%d in all)' %
          len(wrong))


def flood(d, prober):
    """what comes too fast is refused, and pings alone bring nothing up"""
    p = prober.p
    p.open()
    size = rss(d.session)
    for _ in range(200 if LONG else 20):
        p.ws.http.send(Ws.frame(PING, b'x' * 125) * 500)
        p.pull(0.001)
        p.inbox.clear()
    p.settle()
    for _ in range(300):
        p.ws.send(TEXT, b'[' * 1000)
    p.error('too-many')
    p.drop()
    grown = rss(d.session) - size
    check(grown < 16 << 20, 'memory: %d more' % grown)


def main():
    d = Daemon(more='password hash memory 8 passes 1\n').start()
    d.do('tenant', 'add', 'acme')
    floor = d.floor('acme', 'One')
    ann, bob, eve = (d.person('acme', n + '@acme.example')
                     for n in ('ann', 'bob', 'eve'))
    d.session = d.pids()[('session', 0)]
    d.cases = 0
    s = Suite(d)
    honest = Honest(d, ann, bob, floor)
    before = honest.during(1)
    eve.http.close()
    had = fds(d.session)
    start = rss(d.session)
    prober = Prober(d, eve)

    for fn in GROUPS:
        run = lambda fn=fn: group(fn, d, prober)    # noqa: E731
        run.__doc__ = fn.__doc__
        run.__name__ = fn.__name__
        s.run_test(run)
    s.run_test(flood, d, prober)

    def all_is_well():
        """the floor went on meanwhile, and nothing has stayed"""
        eve.drop()
        times = honest.since(0)
        honest.end()
        until(lambda: fds(d.session) <= had - 2, 'descriptors')
        grown = rss(d.session) - start
        print('%d cases; the honest waited %.0f ms (p99) before and %.0f '
              'ms meanwhile; memory %+.1f MB' % (
                  d.cases, 1000 * percentile(before, 0.99),
                  1000 * percentile(times, 0.99), grown / 1e6))
        check(percentile(times, 0.95) < P95, 'p95')
        check(grown < 16 << 20, 'memory: %d more' % grown)
        check(s.only or d.cases >= 300, '%d cases' % d.cases)
    s.run_test(all_is_well)
    s.end()


if __name__ == '__main__':
    main()
