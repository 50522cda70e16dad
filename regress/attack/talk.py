#!/usr/bin/env python3
"""Signals of hostile pages: to people out of earshot, behind a wall, in a
closed circle, on another floor, of another tenant, who do not take part, who
have gone; floods.  Nothing may arrive, and nobody else may notice."""

import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Closed, Daemon                                 # noqa: E402

HEAR = {'t': 'media', 'hear': True, 'mic': False, 'cam': False,
        'screen': False, 'listen': False}
OFFER = {'description': {'type': 'offer', 'sdp': 'v=0\r\n'}}
FORGERS = 30            # each has ten signals at once
FLOOD = 3000


def come(p, floor, x=None, y=None, hears=True):
    p.open()
    p.enter(floor)
    if hears:
        p.tell(**HEAR)
        p.wait('talk', lambda m: m['me']['hear'])
    if x is not None:
        p.walk((x, y))
    return p


def signals_of(p):
    p.settle()
    return [m for m in p.inbox if m['t'] == 'signal']


def forged(d):
    """300 signals to who is not in one's talk: all refused alike"""
    one, two = d.floor('acme', 'One'), d.floor('acme', 'Two')
    theirs = d.floor('globex', 'Theirs')
    new = d.person
    far = come(new('acme', 'far@acme.example'), one, 200, 1000)
    room = come(new('acme', 'room@acme.example'), one)
    room.walk((940, 315), (1100, 315), room=1)
    deaf = come(new('acme', 'deaf@acme.example'), one, 900, 500, hears=False)
    other = come(new('acme', 'other@acme.example'), two)
    gil = come(new('globex', 'gil@globex.example'), theirs)
    gone = come(new('acme', 'gone@acme.example'), one)
    left = gone.you
    gone.drop()
    victims = (far, room, deaf, other, gil)
    targets = [p.you for p in victims] + [left, 0, 65535, 65536, 1 << 40]
    rnd = random.Random(7)
    refused = 0
    for i in range(FORGERS):
        # Each alone in a corner, so that none is in another's talk.
        e = come(new('acme', 'eve%d@acme.example' % i), one, 900, 900)
        targets_now = [t for t in targets if t != e.you]
        answers = set()
        for _ in range(10):
            to = rnd.choice(targets_now)
            e.tell(t='signal', to=to, data=OFFER)
            m = e.error('no-peer')
            equal(m.pop('to'), to, 'to')
            answers.add(json.dumps(m, sort_keys=True))
            refused += 1
        equal(len(answers), 1, 'answers that differ')
        e.drop()
    print('%d signals forged, %d refused' % (FORGERS * 10, refused))
    for p in victims:
        equal(signals_of(p), [], p.mail)
        p.drop()


def flood(d):
    """3,000 signals at once to one's own peer: ten a second get through"""
    floor = d.floor('acme', 'Flood')
    new = d.person
    a = come(new('acme', 'a@acme.example'), floor, 300, 600)
    b = come(new('acme', 'b@acme.example'), floor, 400, 600)
    c = come(new('acme', 'c@acme.example'), floor, 500, 600)
    for p, q in ((a, b), (b, c)):
        p.wait('talk', lambda m: q.you in [w['id'] for w in m['with']])
    start = time.monotonic()
    sent = 0
    try:
        for _ in range(FLOOD):
            a.tell(t='signal', to=b.you, data=OFFER)
            sent += 1
            if sent % 100 == 0:
                a.pull()
    except (OSError, Closed):
        pass
    # The others go on: a signal of theirs arrives meanwhile.
    c.tell(t='signal', to=b.you, data={'candidates': []})
    b.wait('signal', lambda m: m['from'] == c.you)
    took = time.monotonic() - start
    got = len([m for m in signals_of(b) if m['from'] == a.you])
    print('%d signals in %.1f s, %d have arrived' % (sent, took, got))
    check(got <= 10 * (took + 2), 'too many: %d' % got)
    for p in (a, b, c):
        p.drop()


def media_flood(d):
    """what one takes part with, changed 2,000 times: the others are told the
    last of it"""
    floor = d.floor('acme', 'Media')
    a = come(d.person('acme', 'm@acme.example'), floor, 300, 600)
    b = come(d.person('acme', 'n@acme.example'), floor, 400, 600)
    a.wait('talk', lambda m: m['with'])
    for i in range(2000):
        try:
            a.tell(**dict(HEAR, mic=i % 2 == 0))
        except (OSError, Closed):
            break
        if i % 50 == 0:
            a.pull()
    # Frames above 40 a second are refused: say it until it is heard.
    end = time.monotonic() + 20
    while time.monotonic() < end and a.find(
            'talk', lambda m: m['me']['cam']) is None:
        a.tell(**dict(HEAR, mic=True, cam=True))
        a.pull(0.3)
    m = b.wait('talk', lambda m: m['with'] and m['with'][0]['cam'])
    equal((m['with'][0]['id'], m['with'][0]['mic']), (a.you, True), 'the last')
    for p in (a, b):
        p.drop()


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    s = Suite(d)
    for fn in (forged, flood, media_flood):
        s.run_test(fn, d)
    s.end()


if __name__ == '__main__':
    main()
