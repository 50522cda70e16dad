#!/usr/bin/env python3
"""A bad network: a fifth of the packets lost, two seconds of silence, another
address.  Somebody who insists as the page does loses nothing."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import PATIENT, Insistent                           # noqa: E402
from lib import LONG, Suite, check, equal, within               # noqa: E402
from risa import Daemon, Http, _context, until                  # noqa: E402
import wire                                                     # noqa: E402

LOSS = 0.2
SILENCE = 2
MESSAGES = 200 if LONG else 12
TIMES = 20 if LONG else 1
GHOST = 5               # seconds that one may be seen who is elsewhere


class FarHttp(Http):
    """A connection from the other end of the wire."""

    line = None

    def connect(self):
        s = FarHttp.line.connect(self.port, self.bound)
        ctx = _context(self.daemon.path('tls.crt'), True)
        s.settimeout(self.bound)
        self.sock = ctx.wrap_socket(s, server_hostname=self.sni)
        self.buf = b''
        return self


class Far(Insistent):
    """Somebody out there."""

    def connection(self):
        return FarHttp(self.daemon, self.tenant, bound=PATIENT)


class Place:
    def __init__(self, d, line):
        self.d, self.line = d, line
        d.do('tenant', 'add', 'acme')
        self.floor = d.floor('acme', 'One')
        self.bob = d.person('acme', 'bob@acme.example').open()
        self.bob.enter(self.floor)
        ann = d.person('acme', 'ann@acme.example')
        self.ann = Far(ann, self.floor)
        self.ann.back()
        self.n = 0
        self.said = []

    def text(self):
        self.n += 1
        return 'message %d' % self.n

    def once(self, texts):
        """All of them are kept once and in order, and were heard once."""
        o = self.bob.history('floor:%d' % self.floor, limit=100)
        kept = sorted((m['id'], m['text']) for m in o['messages'])
        want = texts[-100:]
        equal([t for _, t in kept if t in texts], want, 'what is kept')
        # What comes twice would come before the next one, too.
        self.bob.say(last := self.text())
        self.bob.hears(last)
        self.bob.sees(lambda: [1 for m in self.bob.inbox if m['t'] == 'msg'
                               and m['text'] == texts[-1]], texts[-1])
        heard = [m['text'] for m in self.bob.inbox if m['t'] == 'msg' and
                 m['text'] in texts]
        equal(heard, texts, 'what was heard')
        self.bob.inbox.clear()

    def seen(self):
        """How often the other is on the floor, as bob sees it."""
        self.bob.pull(0.05)
        return [a.get('user') for a in self.bob.avatars.values()].count(
            self.ann.user['id'])


def lossy(f):
    """a fifth of all packets is lost: each message arrives, and once"""
    for _ in range(TIMES):
        opened, texts, times = f.ann.opened, [], []
        f.line.loss = LOSS
        f.line.passed = f.line.lost = 0
        try:
            for i in range(MESSAGES):
                begin = time.monotonic()
                texts.append(f.text())
                ref = f.ann.ref()
                if i == MESSAGES // 2:
                    # It is heard, the answer is lost, and the next handshake
                    # is made in such weather.
                    f.ann.tell(t='say', to='floor', text=texts[-1], ref=ref)
                    f.bob.sees(lambda: [1 for m in f.bob.inbox if m.get(
                        'text') == texts[-1]], texts[-1])
                    f.ann.drop()
                f.ann.insist_say(texts[-1], ref)
                times.append(time.monotonic() - begin)
                f.bob.pull(0.01)        # who answers no ping is closed
        finally:
            f.line.loss = 0.0
        f.once(texts)
        check(f.line.lost > 0, 'nothing was lost')
        print('%d packets, %d lost: %d messages, each within %.1f s, on %d '
              'connections' % (f.line.passed + f.line.lost, f.line.lost,
                               MESSAGES, max(times),
                               1 + f.ann.opened - opened))
        equal(f.seen(), 1, 'on the floor')


def silence(f):
    """two seconds without a packet: the connection bears it"""
    for _ in range(TIMES):
        opened = f.ann.opened
        texts = [f.text()]
        f.ann.insist_say(texts[0])
        f.line.silent = True
        begin = time.monotonic()
        texts.append(f.text())
        timer = threading.Timer(SILENCE, lambda: setattr(f.line, 'silent',
                                                         False))
        timer.start()
        try:
            ref = f.ann.ref()
            f.ann.tell(t='say', to='floor', text=texts[1], ref=ref)
            f.ann.wait('ack', lambda m: m['ref'] == ref)
        finally:
            timer.join()
        took = time.monotonic() - begin
        check(took >= SILENCE, 'it was not silent')
        f.once(texts)
        equal(f.ann.opened, opened, 'connections')
        equal(f.seen(), 1, 'on the floor')
        print('two seconds of silence: the answer after %.1f s' % took)


def moved(f):
    """another address: back by itself, no ghost, nothing lost or doubled"""
    for i in range(TIMES):
        texts = [f.text()]
        f.ann.insist_say(texts[0])
        old = f.ann.ws
        you = f.ann.you
        f.ann.ws = None                 # it hears of no end, nor does risad
        f.line.move('10.99.0.%d' % (3 + i))
        begin = time.monotonic()
        texts.append(f.text())
        f.ann.insist_say(texts[1])
        back = time.monotonic() - begin
        ghost = time.monotonic()
        until(lambda: f.seen() == 1 and f.ann.you in f.bob.avatars,
              'one of her', GHOST)
        ghost = time.monotonic() - ghost
        if f.ann.you != you:
            check(you not in f.bob.avatars, 'a ghost')
        f.once(texts)
        print('another address: back and heard after %.1f s, no ghost after '
              '%.2f s more' % (back, ghost))
        old.close()
        within(f.d.stats()['session.0.people'], 2, 2, 'pages')


def main():
    wire.apart()
    line = FarHttp.line = wire.Wire()
    d = Daemon(more='password hash memory 8 passes 1\n')
    d.more += 'listen on %s port %d tls\n' % (wire.NEAR, d.port)
    d.write_conf()
    d.start()
    s = Suite(d)
    f = Place(d, line)
    for fn in (silence, lossy, moved):
        s.run_test(fn, f)
    s.end()


if __name__ == '__main__':
    main()
