#!/usr/bin/env python3
"""100,000 guesses from 200 addresses, and an owner who works meanwhile."""

import concurrent.futures
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal, within                     # noqa: E402
from risa import PASSWORD, Daemon, Http                         # noqa: E402

TRIES = 100000
SOURCES = ['127.0.1.%d' % (i + 1) for i in range(200)]
ACCOUNTS = 20           # every second of them does not exist
BATCH = 25              # requests under way on a connection
THREADS = 20


def mail(n):
    return 'victim%d@acme.example' % n


def guess(d, source):
    """This address's share of the guesses; how they were answered."""
    answers = {}
    with Http(d, source=source, bound=60) as h:
        for at in range(0, TRIES // len(SOURCES), BATCH):
            h.send(b''.join(h.head('POST', '/api/v1/session', {
                'email': mail((at + i) % ACCOUNTS),
                'password': 'guess %d' % (at + i)}) for i in range(BATCH)))
            for _ in range(BATCH):
                r = h.reply()
                what = r.status, r.problem()
                answers[what] = answers.get(what, 0) + 1
    return answers


def owner(d, p, stop, times):
    """Signs in again and again, from where he has done so before."""
    while not stop.is_set():
        begin = time.monotonic()
        p.http.cookie = None
        r = p.api('POST', '/session', {'email': p.mail, 'password': PASSWORD})
        times.append((r.status, time.monotonic() - begin))
        stop.wait(0.5)


def guesses(d, p):
    """100,000 guesses: at most 10 an account reach hash, the owner comes in"""
    stop, times = threading.Event(), []
    checks = d.stats()['auth.hash.checks']
    worker = threading.Thread(target=owner, args=(d, p, stop, times))
    worker.start()
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        shares = list(pool.map(lambda s: guess(d, s), SOURCES))
    took = time.monotonic() - begin
    stop.set()
    worker.join()
    answers = {}
    for share in shares:
        for what, n in share.items():
            answers[what] = answers.get(what, 0) + n
    stats = d.stats()
    reached = stats['auth.hash.checks'] - checks - len(times)
    most = stats['auth.accounts.most']
    print('%d guesses from %d addresses in %.0f s: %d reached hash, at most '
          '%d of an account; the owner signed in %d times, in %.2f s at most'
          % (TRIES, len(SOURCES), took, reached, most, len(times),
             max(t for _, t in times)))
    print(', '.join('%d %s: %d' % (what + (n,))
                    for what, n in sorted(answers.items())))
    equal(sum(answers.values()), TRIES, 'answers')
    equal({s for s, _ in answers} - {401, 429, 503}, set(), 'kinds')
    within(most, 1, 10, 'of an account')
    within(reached, 1, 10 * ACCOUNTS, 'in all')
    equal([s for s, _ in times if s != 201], [], 'the owner')
    check(len(times) >= 5, 'the owner came too rarely')
    check(stats['auth.attacks'] >= 1, 'nobody has noticed')
    # And what is right is no better than what is wrong, for a stranger.
    with Http(d, source='127.0.2.1') as h:
        r = h.request('POST', '/api/v1/session',
                      {'email': p.mail, 'password': PASSWORD})
        equal(r.status, 429, 'a stranger')


def main():
    d = Daemon(workers=2, more='limit connections 2000 address 200\n').start()
    d.do('tenant', 'add', 'acme')
    people = [d.person('acme', mail(n)) for n in range(0, ACCOUNTS, 2)]
    for p in people[1:]:
        p.close()
    s = Suite(d)
    s.run_test(guesses, d, people[0])
    people[0].close()
    s.end()


if __name__ == '__main__':
    main()
