"""People who work while others misbehave, and how long they wait for it."""

import json
import os
import select
import ssl
import subprocess
import sys
import threading
import time

from risa import BOUND, Closed, Failure, Http, Person, Ws, until

ADDRESS = '127.0.0.77'
PATIENCE = 15           # seconds within which each thing must succeed
PATIENT = 4             # seconds without an answer, then connect anew


def percentile(times, p):
    return sorted(times)[min(len(times) - 1, int(len(times) * p))]


def rss(pid):
    with open('/proc/%d/statm' % pid) as f:
        return int(f.read().split()[1]) * 4096


def fds(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def idle_fds(d, pids):
    """What each process has open when no operator is connected: the names,
    and of those the databases, which come and go as they are used."""
    def idle():
        with open('/proc/net/unix') as f:
            return not any(line.split()[5] == '03' for line in f
                           if line.rstrip().endswith(d.path('risad.sock')))
    until(idle, 'auth has closed what asked')
    top, got = d.path('data') + '/', {}
    for slot, pid in pids.items():
        names = got[slot] = ([], [])
        for fd in os.listdir('/proc/%d/fd' % pid):
            try:
                name = os.readlink('/proc/%d/fd/%s' % (pid, fd))
            except FileNotFoundError:
                continue
            names[name.startswith(top)].append(name)
    return got


def cpu(pid):
    """Seconds of a processor that the process has used."""
    with open('/proc/%d/stat' % pid) as f:
        words = f.read().rsplit(')', 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


class Honest:
    """Two people on a floor: one signs in again and again, walks and writes,
    the other sees and reads it."""

    def __init__(self, d, a, b, floor):
        self.d, self.a, self.b = d, a, b
        for p in (a, b):
            p.http.close()
            p.http.source = ADDRESS
            p.open()
            p.enter(floor)
        self.times = []         # (when, what, how long)
        self.error = None
        self.patient = False    # a sign-in may be told to come again
        self.inside = False     # nobody comes in anew
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def act(self, what, fn):
        begin = time.monotonic()
        fn()
        took = time.monotonic() - begin
        self.times.append((begin, what, took))
        if took > PATIENCE:
            raise Failure('%s took %.1f s' % (what, took))

    def sign_in(self):
        with Http(self.d, self.a.tenant, source=ADDRESS) as h:
            h.device = self.a.http.device
            for _ in range(PATIENCE * 2):
                r = h.request('POST', '/api/v1/session', {
                    'email': self.a.mail, 'password': self.a.password})
                if r.status != 503 or not self.patient:
                    break
                time.sleep(0.5)
            if r.status != 201:
                raise Failure('sign-in: %r' % r)
            h.cookie = r.get('set-cookie').split(';')[0].split('=', 1)[1]
            h.request('DELETE', '/api/v1/session')

    def write(self, n):
        text = 'honest %d' % n
        self.a.say(text)
        self.b.hears(text)

    def walk(self, n):
        x, y = 700 + n % 2 * 60, 600
        self.a.leg(x, y)
        self.b.sees(lambda: self.b.at(self.a.you, x, y), 'the walk')

    def run(self):
        try:
            n = 0
            while not self.stop.is_set():
                n += 1
                self.act('write', lambda: self.write(n))
                self.act('walk', lambda: self.walk(n))
                if n % 8 == 1 and not self.inside:
                    self.act('signin', self.sign_in)
                for p in (self.a, self.b):
                    p.pull()
                    p.inbox.clear()
                self.stop.wait(0.06)
        except Exception as e:          # told to the test, see check()
            self.error = e

    def check(self):
        if self.error is not None:
            raise Failure('the honest: %r' % self.error)

    def since(self, begin, end=None):
        """All waits of that time, in seconds; there must be some."""
        times = [t for at, _, t in list(self.times)
                 if at >= begin and (end is None or at < end)]
        self.check()
        if not times:
            raise Failure('the honest have done nothing')
        return times

    def during(self, seconds):
        """Let them go on for so long; their waits."""
        begin = time.monotonic()
        while time.monotonic() < begin + seconds or not [
                1 for at, _, _ in list(self.times) if at >= begin]:
            self.check()
            if time.monotonic() > begin + seconds + BOUND:
                raise Failure('the honest are stuck')
            time.sleep(0.05)
        return self.since(begin)

    def end(self):
        self.stop.set()
        self.thread.join(2 * BOUND)
        stuck = self.thread.is_alive()
        self.a.drop()
        self.b.drop()
        self.check()
        if stuck:
            raise Failure('the honest are stuck')


class Insistent(Person):
    """Somebody who does as the page does: connects again when there is no
    answer, and says under the same reference what was not acknowledged."""

    def __init__(self, p, floor):
        super().__init__(p.daemon, p.tenant, p.mail, source=p.http.source)
        self.user = p.user
        self.http.cookie = p.http.cookie
        self.http.device = p.http.device
        self.floor_id = floor
        self.opened = 0

    def connection(self):
        return Http(self.daemon, self.tenant, bound=PATIENT,
                    source=self.http.source)

    def open(self):
        self.drop()
        h = self.connection()
        h.cookie = self.http.cookie
        self.ws = Ws(h)
        r = self.ws.ask()
        if r.status == 401:             # its process was broken into
            self.sign_in()
        if r.status != 101:
            raise Failure('no WebSocket: %r' % r)
        self.wait('hello', bound=PATIENT)
        self.tell(t='enter', floor=self.floor_id)
        self.wait('floor', bound=PATIENT)
        self.opened += 1
        return self

    def back(self):
        """Open again and again, until it works."""
        def opened():
            try:
                return self.open()
            except (OSError, Closed, Failure, ssl.SSLError):
                self.drop()
                return None
        until(opened, 'the connection is back', 120)

    def insist_say(self, text, ref=None):
        """Say it under one reference, until it is acknowledged; its number."""
        ref = ref or self.ref()
        for _ in range(60):
            try:
                if self.ws is None:
                    self.back()
                self.tell(t='say', to='floor', text=text, ref=ref)
                m = self.wait('ack', lambda m: m['ref'] == ref, PATIENT)
                return m['id']
            except (OSError, Closed, Failure, ssl.SSLError):
                self.drop()
        raise Failure('%r is never acknowledged' % text)


class Attacker:
    """misbehave.py: a process that attacks until it is told to end."""

    def __init__(self, d, kind, number, seconds, source, cookies=()):
        self.proc = subprocess.Popen(
            [sys.executable, '-B', os.path.join(os.path.dirname(__file__),
                                                'misbehave.py'),
             str(d.port), d.path('tls.crt'), kind, str(number), str(seconds),
             source] + list(cookies), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.kind = kind
        # Whoever holds so many connections makes them first.
        if not select.select([self.proc.stdout], [], [], BOUND +
                             number / 20)[0] or \
                self.proc.stdout.readline() != b'on\n':
            self.proc.kill()
            self.proc.wait()
            raise Failure('the attack of %s does not begin' % kind)

    def running(self):
        return self.proc.poll() is None

    def end(self, bound=BOUND, tell=True):
        """What has become of it."""
        if tell:
            self.proc.stdin.close()
        try:
            self.proc.wait(bound)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            raise Failure('%s goes on' % self.kind)
        out = self.proc.stdout.read()
        self.proc.stdout.close()
        if not tell:
            self.proc.stdin.close()
        if self.proc.returncode != 0:
            raise Failure('%s: exit %d' % (self.kind, self.proc.returncode))
        return json.loads(out)


class Table:
    """One line for each attack: what others waited, before to after."""

    def __init__(self):
        self.lines = []

    def add(self, name, before, during, after, more=''):
        cells = ['%.0f' % (1000 * percentile(t, 0.99)) if t else '-'
                 for t in (before, during, after)]
        self.lines.append('%-18s %7s %7s %7s   %s' % (
            name, *cells, more))

    def show(self):
        print('%-18s %7s %7s %7s' % ('p99 in ms', 'before', 'during',
                                     'after'))
        for line in self.lines:
            print(line)
