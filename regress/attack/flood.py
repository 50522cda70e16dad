#!/usr/bin/env python3
"""Many who misbehave from one address, and two at another who work: what they
wait, that all is given back, and what the limits say."""

import os
import resource
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import Attacker, Honest, Table, fds, percentile, rss  # noqa: E402
from lib import LONG, Suite, check, equal, within               # noqa: E402
from risa import RISAD, Closed, Daemon, Failure, Http, Ws, free_port, \
    until                                                       # noqa: E402

SLOW = 4000 if LONG else 330    # connections of each slow kind
HOARD = 600 if LONG else 100    # answers that nobody reads
HALVES = 4000 if LONG else 500  # requests that nobody sends whole
RUBBISH = 10000 if LONG else 2000
WINDOW = 20 if LONG else 2      # seconds that are measured
SCALE = 1 if LONG else 10       # of the office of a thousand
P95 = 3                         # seconds that an honest one waits at most
ANSWERS = 40 << 20              # bytes of them that may wait in storage
LOG = 16 << 10                  # bytes that an attack may write there
OF_ADDRESS = 60000              # requests a minute, unless said otherwise
MARGIN = 48 << 20               # bytes of memory that may stay taken
CHEAP = 'password hash memory 8 passes 1\n'


class Field:
    """The daemon, the honest, and who attacks."""

    def __init__(self):
        self.d = d = Daemon(more=CHEAP)
        d.write('htdocs/assets/large-1a2b3c4d.js', '/' * 1000000)
        d.write('htdocs/assets/huge-1a2b3c4d.js', '/' * (4 << 20))
        d.start()
        d.do('tenant', 'add', 'acme')
        d.floor('acme', 'One')
        self.people = [d.person('acme', 'p%d@acme.example' % i)
                       for i in range(8)]
        self.a, self.b = (d.person('acme', '%s@acme.example' % n)
                          for n in ('ann', 'bob'))
        for p in self.people:
            p.http.close()
        self.table = Table()
        self.slow = []
        self.honest = None

    @property
    def session(self):
        return self.d.pids()[('session', 0)]

    def begin(self):
        self.honest = Honest(self.d, self.a, self.b, 1)
        self.honest.during(1)
        self.before = self.honest.during(WINDOW)
        self.fds = fds(self.session)
        self.rss = rss(self.session)
        self.seen = len(self.d.log())

    def attack(self, kind, number, seconds=60, people=0):
        return Attacker(self.d, kind, number, seconds, '127.0.9.1',
                        [p.http.cookie for p in self.people[:people]])

    def taken(self):
        """How many have come, whether they were let in or not."""
        now = self.d.stats()
        return now['session.0.accepted'] + now['session.0.crowded']

    def measured(self, name, attacker, linger=False):
        """The waits during an attack; then it ends, or goes on unheeded."""
        times = self.honest.during(WINDOW)
        told = {}
        if not linger:
            told = attacker.end()
        after = self.honest.during(WINDOW / 2)
        self.table.add(name, self.before, times, after, ', '.join(
            '%s %s' % (k, '%.1f' % v if isinstance(v, float) else v)
            for k, v in told.items() if v))
        check(percentile(times, 0.95) < P95, 'p95 %.1f s' %
              percentile(times, 0.95))
        written, self.seen = len(self.d.log()) - self.seen, len(self.d.log())
        check(written < LOG, 'it fills the log: %d bytes' % written)
        return told


def slow(f):
    """heads, bodies and answers that crawl keep nobody else waiting"""
    for kind in ('readers', 'bodies', 'heads', 'silent'):
        a = f.attack(kind, SLOW, 900 if LONG else 90)
        f.slow.append(a)
        f.measured('slow ' + kind, a, linger=True)


def rubbish(f):
    """thousands of connections of rubbish"""
    before = f.taken()
    told = f.measured('rubbish', f.attack('garbage', RUBBISH, 600))
    equal(told['made'] + told['refused'], RUBBISH, 'connections')
    # Each waits for us in the kernel's queue until it is taken off.
    until(lambda: f.taken() - before >= told['made'],
          'all %d are taken in or sent away' % told['made'])


def shakes(f):
    """one handshake after the other"""
    told = f.measured('handshakes', f.attack('shakes', 100000))
    check(told['made'] > 0, 'no handshake: %r' % told)


def frames(f):
    """pings, pieces, and frames as large as may be"""
    for kind in ('pings', 'pieces', 'huge', 'says'):
        told = f.measured('frames: ' + kind, f.attack(kind, 0, 60, 3))
        equal(told['made'], 3, kind)
        check(told.get('sent', 0) >= 3, '%s: %r' % (kind, told))


def deaf(f):
    """pages on the floor that stop reading while it is busy"""
    talker = f.attack('says', 0, 90, 2)
    f.people.reverse()
    a = f.attack('deaf', 0, 90, 5)
    f.measured('deaf pages', a, linger=True)
    # That all of this has waited for them: it ends them.
    until(lambda: f.d.stats()['session.0.people'] <= 4,
          'who reads nothing is dropped')
    equal(a.end()['made'], 5, 'pages')
    check(talker.end().get('sent', 0) >= 2, 'the floor was busy')
    f.people.reverse()


def peak(pid):
    """The most memory that it has had, in bytes."""
    with open('/proc/%d/status' % pid) as f:
        return 1024 * int([v for v in f if v.startswith('VmHWM')][0].split(
            )[1])


def unread(f):
    """who asks for more than a pipe holds costs nobody else an answer"""
    ask = Ws.frame(1, b'{"t":"history","channel":"floor:1","limit":100}')
    if f.honest is None:
        f.begin()
    for p in f.people:
        p.open()
        p.enter(1)
        refs = [p.ref() for _ in range(20)]
        for ref in refs:
            p.tell(t='say', to='floor', text='\u3042' * 3900, ref=ref)
        for ref in refs:
            p.wait('ack', lambda m: m['ref'] == ref)
    # A hundred times twelve kilobytes, for each of two hundred questions.
    pid = f.d.pids()[('storage', 0)]
    before = peak(pid)
    for p in f.people:
        p.ws.http.send(ask * 24)
    times = f.honest.during(WINDOW)
    f.table.add('questions', f.before, times, f.honest.during(1))
    until(lambda: f.d.stats()['session.0.people'] <= 2,
          'who reads nothing is dropped')
    f.honest.end()
    f.honest = None
    grown = peak(pid) - before
    check(grown < ANSWERS, 'storage: %d bytes of answers' % grown)
    for p in f.people:
        p.drop()


def asks(f):
    """requests of those signed in, as fast as they can"""
    told = f.measured('requests', f.attack('asks', 0, 60, 4))
    equal(set(told) - {'made', 'refused', 'ended', 'status 200',
                       'status 429', 'status 503'}, set(), told)
    # One account's and one tenant's limit answer and go on; the address's,
    # which long enough a flood comes to, closes.
    check(told.get('status 200', 0) > 0, told)
    check(not told['ended'] or told.get('status 200', 0) +
          told.get('status 429', 0) > OF_ADDRESS, told)


def guesses(f):
    """sign-ins that fail"""
    told = f.measured('wrong sign-ins', f.attack('signins', 0))
    equal(set(told) - {'made', 'refused', 'ended', 'status 401',
                       'status 429', 'status 503'}, set(), told)
    check(told.get('status 401', 0) > 0 and told.get('status 429', 0) > 0,
          told)


def returned(f):
    """the slow are shed by their limits, descriptors and memory come back"""
    if not f.slow:
        slow(f)                         # this test was asked for alone
    for a in f.slow:
        # Who reads slowly is dropped after a minute without a request.
        if a.kind == 'readers' and LONG:
            until(lambda: f.d.stats()['session.0.connections'] < SLOW,
                  'the slow readers are dropped', 120)
        told = a.end(240, tell=a.kind == 'readers')
        print('%s: %s' % (a.kind, told))
        equal(told['made'], SLOW, a.kind)
        if a.kind != 'readers':
            equal(told['left'], 0, '%s are kept' % a.kind)
            within(told['took'], 5, 45, '%s: their time' % a.kind)
    f.honest.during(1)
    f.honest.end()
    f.honest = None
    # The two pages have gone.
    until(lambda: fds(f.session) <= f.fds - 2, 'descriptors: %d, now %d' % (
        f.fds, fds(f.session)), 70)
    grown = rss(f.session) - f.rss
    # What has been used once is used again: a leak would show a second time.
    high = rss(f.session)
    f.attack('garbage', RUBBISH, 600).end(120)
    until(lambda: fds(f.session) <= f.fds - 2, 'descriptors', 70)
    again = rss(f.session) - high
    check(again < MARGIN / 4, 'memory: %d more the second time' % again)
    print('the same again: memory %+.1f MB' % (again / 1e6))
    print('session: %d descriptors as before, memory %+.1f MB' % (
        f.fds - 2, grown / 1e6))
    check(grown < MARGIN, 'memory: %d more' % grown)


class Client:
    """openssl s_client, which takes R and K at the begin of a line as orders
    for another handshake and for another key."""

    def __init__(self, d, version):
        self.proc = subprocess.Popen(
            ['openssl', 's_client', '-connect', '127.0.0.1:%d' % d.port,
             '-servername', 'acme.localhost', version],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.said = ''
        self.sees('Verify return code')
        self.host = 'acme.localhost:%d' % d.port

    def sees(self, *words):
        def seen():
            data = self.proc.stdout.read()
            self.said += (data or b'').decode(errors='replace')
            return any(w in self.said for w in words) or data == b''
        until(seen, 's_client says one of %r' % (words,))
        return any(w in self.said for w in words)

    def send(self, text):
        self.said = ''
        self.proc.stdin.write(text.encode())
        self.proc.stdin.flush()

    def get(self):
        self.send('GET /healthz HTTP/1.1\nHost: %s\n\n'.replace(
            '\n', '\r\n') % self.host)
        return self.sees('200 OK')

    def end(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()


def renegotiation(f):
    """a client that wants another handshake does not get it"""
    c = Client(f.d, '-tls1_2')
    try:
        check(c.get(), 'an answer')
        c.send('R\n')
        check(c.sees('no renegotiation'), c.said)
    finally:
        c.end()
    # TLS 1.3 has none; it may ask for other keys, again and again.
    c = Client(f.d, '-tls1_3')
    try:
        for _ in range(20):
            c.send('K\n')
            check(c.sees('KEYUPDATE'), c.said)
        check(c.get(), 'an answer')
    finally:
        c.end()


def limit_daemon(words):
    d = Daemon(more=CHEAP + words)
    d.start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    for t in ('acme', 'globex'):
        d.floor(t, 'One')
    return d


def closed(d, source):
    """Is who comes from there sent away, and not served?"""
    try:
        with Http(d, source=source) as h:
            h.request('GET', '/healthz')
    except TimeoutError:
        raise Failure('%s is neither served nor sent away' % source)
    except (Closed, OSError):
        return True
    return False


def spent(answered, limit, rate):
    """So many are answered at once, and since then so many each second."""
    begin, n = time.monotonic(), 0
    while answered():
        n += 1
        most = limit + rate * (time.monotonic() - begin) + 1
        check(n <= most, 'a limit of %d: %d are answered' % (limit, n))
    check(n >= limit, 'a limit of %d: only %d are answered' % (limit, n))


def limit_arrivals(f):
    """arrivals: an address that connects too often, and no other"""
    d = limit_daemon('limit arrivals 60\n')
    try:
        spent(lambda: not closed(d, '127.0.9.1'), 60, 1)
        check(not closed(d, '127.0.9.2'), 'another address')
        check(d.stats()['session.0.crowded'] >= 1, 'not counted')
        # One comes back each second.
        until(lambda: not closed(d, '127.0.9.1'), 'it is let in again')
    finally:
        d.end()


def limit_requests(f):
    """requests: by address, tenant and account, with 429 and Retry-After"""
    d = limit_daemon('limit requests address 120 tenant 60 account 30\n')
    try:
        ann, bob, eve = (d.person(t, m + '@' + t + '.example') for t, m in (
            ('acme', 'ann'), ('acme', 'bob'), ('globex', 'eve')))

        def until_refused(p, low, high):
            n = 0
            while True:
                r = p.api('GET', '/session')
                if r.status == 429:
                    break
                equal(r.status, 200, p.mail)
                n += 1
                check(n <= high, '%s: %d are answered' % (p.mail, n))
            equal(r.problem(), 'too-many')
            within(int(r.get('retry-after')), 1, 60, 'Retry-After')
            within(n, low, high, p.mail)
        for i, p in enumerate((ann, bob, eve)):
            p.http.close()
            p.http.source = '127.0.9.%d' % (i + 1)
        until_refused(ann, 20, 45)
        # What ann is refused does not count for the tenant.
        equal({ann.api('GET', '/session').status for _ in range(60)} - {200},
              {429}, 'ann goes on')
        until_refused(bob, 15, 45)
        until_refused(eve, 20, 45)
        equal(bob.api('GET', '/tenant').status, 200, 'needs no sign-in')
        # A page that is open is told so, and goes on.
        def opened():
            try:
                return eve.open()
            except Failure:
                return None
        until(opened, 'a page')
        eve.sees(lambda: eve.tell(t='enter', floor=1) or eve.find(
            'error', lambda m: m['code'] == 'too-many'), 'too-many')
        eve.settle()
        eve.drop()
        with Http(d, source='127.0.9.9') as h:
            def answered():
                r = h.request('GET', '/api/v1/tenant')
                check(r.status in (200, 429), 'of the address: %r' % r)
                return r.status == 200
            spent(answered, 120, 2)
        with Http(d, source='127.0.9.10') as h:
            equal(h.request('GET', '/api/v1/tenant').status, 200, 'another')
    finally:
        d.end()


def limit_buffers(f):
    """buffers: so much memory for the unread and the unsent, and no more"""
    d = limit_daemon('limit buffers 16\n')
    ask = '/api/v1/messages?channel=floor:1&limit=100'
    held = []
    try:
        ann, bob, *more = (d.person('acme', n + '@acme.example')
                           for n in ('ann', 'bob', 'cem', 'dan', 'eve'))
        for p in (ann, bob, *more):
            p.open()
            p.enter(1)
            for _ in range(20):
                p.say('\u3042' * 3900)
            p.drop()
        whole = len(bob.api('GET', ask[len('/api/v1'):]).body)
        pid = d.pids()[('session', 0)]
        before = rss(pid)
        slow = Http(d, source='127.0.9.2').connect()
        held.append(slow)
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        slow.cookie = bob.http.cookie
        slow.send(slow.head('GET', ask))
        for n in range(HOARD):
            while len(slow.buf) < min(whole, (n + 1) << 15):
                slow.fill()
            h = Http(d, source='127.0.9.1').connect()
            h.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            h.cookie = ann.http.cookie
            h.send(h.head('GET', ask))
            held.append(h)
            if n % 10 == 0:             # storage is not to be busy for long
                until(lambda: d.stats()['session.0.requests'] >= n, 'asked')
        until(lambda: d.stats()['session.0.connections'] < HOARD / 2,
              'most are shed')
        grown = rss(pid) - before
        print('%d answers of %.1f MB, unread: memory %+.1f MB' % (
            HOARD, whole / 1e6, grown / 1e6))
        check(grown < (16 << 20) + 2 * MARGIN / 3, 'memory: %d more' % grown)
        # Who has stood still for longest goes first; who reads slowly, and
        # others, are served.
        for h in (slow, held[1]):
            h.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        equal(len(bob.api('GET', ask[len('/api/v1'):]).body), whole, 'bob')
        equal(len(slow.reply().body), whole, 'the slow one')
        try:
            held[1].reply()
            raise Failure('the first was kept')
        except (Closed, OSError):
            pass
        # Bodies to which the last bytes are missing.
        shed = d.stats()['session.0.shed']
        check(shed > 0, 'not counted')
        for _ in range(HALVES):
            h = Http(d, source='127.0.9.1').connect()
            held.append(h)
            h.send(h.head('POST', '/api/v1/session', None, {
                'Content-Length': '60000'}) + b' ' * 59000)
        until(lambda: d.stats()['session.0.shed'] > shed + HALVES / 4,
              'who sends half of it is shed')
        within(d.stats()['session.0.buffers'], 8 << 20, 17 << 20, 'held')
        equal(len(bob.api('GET', ask[len('/api/v1'):]).body), whole, 'bob')
        grown = rss(pid) - before
        check(grown < (16 << 20) + 2 * MARGIN / 3, 'memory: %d more' % grown)
    finally:
        for h in held:
            h.close()
        d.end()


def limit_pages(f):
    """connections: pages of a tenant and of an account"""
    d = limit_daemon('limit connections 100 address 50 tenant 5 account 2\n')
    try:
        ann, bob, cat, eve = (d.person(t, m + '@x.example') for t, m in (
            ('acme', 'ann'), ('acme', 'bob'), ('acme', 'cat'),
            ('globex', 'eve')))

        def page(p):
            h = Http(d, p.tenant)
            h.cookie = p.http.cookie
            ws = Ws(h)
            return ws, ws.ask()
        held = []
        for p, want in ((ann, 101), (ann, 101), (ann, 429), (bob, 101),
                        (bob, 101), (cat, 101), (cat, 429), (eve, 101)):
            ws, r = page(p)
            equal(r.status, want, p.mail)
            if want == 429:
                equal(r.problem(), 'too-many')
                check(int(r.get('retry-after')) >= 1, 'Retry-After')
                ws.close()
            else:
                held.append(ws)
        held.pop(0).close()
        until(lambda: page(cat)[1].status == 101, 'a place is free again')
        for ws in held:
            ws.close()
    finally:
        d.end()


def not_crowded(h):
    try:
        h.connect()
    except (OSError, Closed):
        return False
    return True


def office(f):
    """an office of 1,000 behind one address never meets the defaults"""
    limits = subprocess.run([RISAD, '-nv', '-f', f.d.path('risad.conf')],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=True).stdout.decode()
    text = ''
    # A tenth of the people has a tenth of what an address and a tenant have.
    for line in limits.splitlines():
        if line.startswith('limit '):
            words = line.split()
            text += ' '.join(str(int(w) // SCALE) if w.isdigit() and
                             words[i - 1] != 'account' else w
                             for i, w in enumerate(words)) + '\n'
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    d = limit_daemon(text)
    held = []
    try:
        people = [d.person('acme', 'p%d@acme.example' % i)
                  for i in range(1000 // SCALE)]
        begin = time.monotonic()
        for p in people:
            # A browser: six connections, and the one of the page.
            p.close()
            for i in range(6):
                h = p.http if i == 0 else Http(d)
                h.cookie = p.http.cookie
                held.append(h)
                check(not_crowded(h), 'a browser is sent away')
                for path in ('/', '/assets/app-1a2b3c4d.js',
                             '/api/v1/session', '/api/v1/floors'):
                    equal(h.request('GET', path).status, 200, path)
            p.sign_in()
            p.open()
            p.enter(1)
            p.say('good morning')
        took = time.monotonic() - begin
        stats = d.stats()
        print('%d people, %d connections, %d requests in %.0f s; %d pages' % (
            len(people), stats['session.0.accepted'],
            stats['session.0.requests'], took, stats['session.0.people']))
        for what in ('crowded', 'limited', 'refused'):
            equal(stats['session.0.' + what], 0, what)
        equal(stats['session.0.people'], len(people), 'pages')
        for p in people:
            p.close()
    finally:
        for h in held:
            h.close()
        d.end()


def limit_network(f):
    """an address of IPv6 is its network, in the number of connections too"""
    d = Daemon(more='limit connections 100 address 5\n')
    d.proxy = free_port()
    d.write_conf()
    try:
        d.start()
        held = [Http(d, source='2001:db8::%d' % (i + 1)).connect()
                for i in range(5)]
        check(closed(d, '2001:db8::99'), 'a sixth of the network')
        check(not closed(d, '2001:db8:0:1::1'), 'another network')
        for h in held:
            h.close()
        until(lambda: not closed(d, '2001:db8::99'), 'let in again')
    finally:
        d.end()


def main():
    f = Field()
    s = Suite(f.d)
    f.begin()
    for fn in (slow, rubbish, shakes, frames, deaf, asks, guesses, returned,
               unread, renegotiation):
        s.run_test(fn, f)
    for fn in (limit_arrivals, limit_requests, limit_buffers, limit_pages,
               limit_network,
               office):
        s.run_test(fn, f)
    f.table.show()
    s.end()


if __name__ == '__main__':
    main()
