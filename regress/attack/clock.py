#!/usr/bin/env python3
"""The clock jumps an hour, ten years, past 2038, and back: who is in stays in
and no longer than he may, numbers only grow, no code is good twice.

The daemon is the program's own objects, linked with a clock that the test
sets; the clock of the machine is left alone."""

import mmap
import os
import signal
import struct
import subprocess
import sys
import time

for part in ('lib', 'system'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', part))
import risa                                                     # noqa: E402
from honest import cpu                                          # noqa: E402
from lib import Suite, check, equal, within                     # noqa: E402
from risa import PASSWORD, TOP, Daemon, Failure, Http, until    # noqa: E402
from factor import code_at                                      # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
HOUR, DAY, YEAR = 3600, 86400, 31556952
ABSOLUTE = 12 * HOUR
SPIN = 0.5              # of a processor, once a jump is digested


class Clocked(Daemon):
    """risad with a clock of its own."""

    def __init__(self, behind=0, **more):
        super().__init__(**more)
        self.page = self.path('clock')
        with open(self.page, 'wb') as f:
            f.write(struct.pack('=qq', 0, behind))
        with open(self.page, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 16)
        self.program = self.path('risad-clock')
        self.link()

    def link(self):
        obj = self.path('clock.o')
        subprocess.run(['cc', '-O2', '-Wall', '-Werror', '-fPIE',
                        '-DCLOCK_FILE="%s"' % self.page, '-c', '-o', obj,
                        os.path.join(HERE, 'clock.c')], check=True)
        lines = subprocess.run(
            ['make', '-n', '-B', 'risad/risad'], cwd=TOP, check=True,
            stdout=subprocess.PIPE).stdout.decode().splitlines()
        link = [s for s in lines if ' -o risad/risad ' in s][0]
        subprocess.run(link.replace(' -o risad/risad ', ' -o %s %s ' % (
            self.program, obj)), shell=True, cwd=TOP, check=True)

    def spawn(self, *options):
        was, risa.RISAD = risa.RISAD, self.program
        try:
            return super().spawn(*options)
        finally:
            risa.RISAD = was

    def set(self, shift):
        """The time of the day is ahead by so many seconds, from now on."""
        self.map[0:8] = struct.pack('=q', int(shift))

    def go(self, seconds):
        """So much time goes by, on both clocks."""
        behind = struct.unpack('=q', self.map[8:16])[0]
        self.map[0:16] = struct.pack('=qq', self.shift + seconds,
                                     behind - seconds)

    def wait(self, seconds):
        """It goes by on the clock that nobody sets, and on no other."""
        behind = struct.unpack('=q', self.map[8:16])[0]
        self.map[8:16] = struct.pack('=q', behind - seconds)

    def jump(self, shift):
        """To that shift, and storage notices it, as soon as it looks."""
        seen = len(self.log())
        self.set(shift)
        self.go(20)

        def noticed():
            self.stats()                # wakes it, for its timers' time
            return 'the clock was put' in self.log()[seen:]
        until(noticed, 'storage notices')

    @property
    def shift(self):
        return struct.unpack('=q', self.map[0:8])[0]

    @property
    def now(self):
        return time.time() + self.shift


class Office:
    def __init__(self, d):
        self.d = d
        d.do('tenant', 'add', 'acme')
        self.floor = d.floor('acme', 'One')
        self.ann, self.bob = (d.person('acme', n + '@acme.example')
                              for n in ('ann', 'bob'))
        self.last = 0
        self.n = 0
        for p in (self.ann, self.bob):
            p.open()
            p.enter(self.floor)

    def says(self):
        """A message: its number grows, its time is that of the clock."""
        ack = self.ann.say('message %d' % (self.n + 1))
        self.n += 1
        check(ack['id'] > self.last, 'number %d after %d' % (ack['id'],
                                                             self.last))
        self.last = ack['id']
        within(ack['at'] / 1000, self.d.now - 20, self.d.now + 20, 'time')
        m = self.bob.hears('message %d' % self.n)
        equal(m['id'], ack['id'], 'heard')

    def listed(self):
        """What was said, in the order in which it was said."""
        o = self.ann.history('floor:%d' % self.floor, limit=20)
        texts = [m['text'] for m in o['messages']]
        want = ['message %d' % (self.n - i) for i in range(min(self.n, 20))]
        check(texts in (want, want[::-1]), texts)


def settled(d):
    """Whoever has work after a jump does it, and then rests."""
    def idle():
        before = {p: cpu(p) for p in d.pids().values()}
        time.sleep(0.5)
        return all(cpu(p) - before[p] < SPIN / 2 for p in before)
    until(idle, 'the processes rest')


def jump(d, office, shift):
    """To that shift: all goes on, numbers grow, and nothing spins."""
    by = shift - d.shift
    d.jump(shift)
    if by >= ABSOLUTE:
        # That is longer than a sign-in may be: all are out, and in again.
        for p in (office.ann, office.bob):
            p.wait('bye')
            p.sign_in()
            p.open()
            p.enter(office.floor)
    office.says()
    office.listed()
    check(d.healthy(), 'it answers')
    settled(d)
    office.says()
    d.do('audit', 'verify')


def there_and_back(d, office, shift):
    """Forward, and back: who is in then stays in."""
    jump(d, office, shift)
    jump(d, office, 0)
    for p in (office.ann, office.bob):
        equal(p.api('GET', '/session').status, 200, p.mail)
    jump(d, office, -shift)
    for p in (office.ann, office.bob):
        equal(p.api('GET', '/session').status, 200, p.mail)
        p.open()
        p.enter(office.floor)
    office.says()
    jump(d, office, 0)


def hour(d, office):
    """an hour forward, back, an hour back, and right again"""
    there_and_back(d, office, HOUR)


def day(d, office):
    """a day forward and back"""
    there_and_back(d, office, DAY)


def decade(d, office):
    """ten years forward and back"""
    there_and_back(d, office, 10 * YEAR)


def y2038(d, office):
    """through the second in which 32 bits are full"""
    jump(d, office, 2 ** 31 - 180 - time.time())
    check(d.now < 2 ** 31, 'it is over before anything was said')
    step = int(2 ** 31 - d.now) // 6 + 1
    for _ in range(6):                  # on both clocks, that is no jump
        d.go(step)
        office.says()
    check(d.now > 2 ** 31, 'it is not over')
    office.listed()
    jump(d, office, 0)


def century(d, office):
    """past the year 2106, where 32 bits without a sign are full"""
    jump(d, office, 2 ** 32 + 5 - time.time())
    jump(d, office, 0)


def beginning(d, office):
    """to the first days of 1970, and back to our days"""
    jump(d, office, 2 * DAY - time.time())
    jump(d, office, 0)


def early(d, office):
    """in the first days of 1970 nothing is too old to be kept"""
    d2 = Clocked()
    try:
        d2.start()
        d2.do('tenant', 'add', 'acme')
        d2.person('acme', 'ann@acme.example')

        def trail():
            return d2.do('audit', 'show', 'tenant', 'acme').splitlines()
        before = trail()
        check(before, 'an empty trail')
        d2.jump(2 * DAY - time.time())
        d2.do('purge', 'run', 'tenant', 'acme')
        equal(trail()[:len(before)], before, 'the trail')
        d2.do('audit', 'verify')
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def told(d, office):
    """a jump is in the log and in the trail, by both clocks"""
    def trail():
        return [s for s in d.do('audit', 'show', 'last', '1000').splitlines()
                if 'clock: put' in s]
    before = len(trail())
    for shift, way in ((-2 * HOUR, 'back'), (0, 'forward')):
        seen = len(d.log())
        d.jump(shift)
        said = [s for s in d.log()[seen:].splitlines()
                if 'the clock was put' in s]
        check(len(said) == 1 and 'put %s by 7' % way in said[0],
              'the log: %r' % said)
    lines = trail()[before:]
    equal(len(lines), 2, 'lines of it in the trail')
    for line, way in zip(lines, ('back', 'forward')):
        check('put %s by 7' % way in line and 'it was' in line and
              'seconds after the start' in line, 'the trail: ' + line)


def kept(d, office):
    """a backward step keeps nobody in for longer than he may be"""
    d2 = Clocked(more='session idle 1h absolute 1h\n')
    try:
        d2.start()
        d2.do('tenant', 'add', 'acme')
        d2.floor('acme', 'One')
        p = d2.person('acme', 'ann@acme.example').open()
        q = d2.person('acme', 'bob@acme.example')
        d2.jump(-10 * YEAR)
        d2.go(40 * 60)
        p.settle()
        # His sign-in was not in use, so it is by its row that he is let in.
        d2.restart()
        equal(q.api('GET', '/session').status, 200, 'still in')
        d2.go(50 * 60)
        equal(q.api('GET', '/session').status, 200, 'his time began anew')
        d2.go(11 * 60)
        until(lambda: q.api('GET', '/session').status == 401, 'it is over')
        p.sign_in()
        p.open()
        d2.jump(d2.shift - HOUR // 2)
        d2.go(50 * 60)
        p.settle()
        d2.go(11 * 60)
        p.bye('ended', 4001)
        equal(p.api('GET', '/session').status, 401, 'and for good')
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def destroyed(d, office):
    """a clock put far forward destroys nothing for a day"""
    d2 = Clocked()
    try:
        d2.start()
        for name in ('acme', 'late'):
            d2.do('tenant', 'add', name)
        d2.do('tenant', 'end', 'late', 'on', time.strftime(
            '%Y-%m-%d', time.gmtime(d2.now + 2 * DAY)))

        def state():
            return [t['state'] for t in d2.rows('tenant', 'list')
                    if t['name'] == 'late']
        for wrong in (10 * YEAR, 0, 10 * YEAR):
            d2.jump(wrong)
            d2.go(10 * 60)
            d2.stats()
            d2.stats()                  # after a tick that has looked
            equal(state(), ['active'], 'contract')
        # Nobody has put it right: it is what it says.
        d2.go(25 * HOUR)
        until(lambda: state() != ['active'], 'the contract has ended', 30)
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def restarted(d, office):
    """nor after a restart, nor where it was put while the daemon was off"""
    d2 = Clocked()
    try:
        d2.start()
        d2.do('purge', 'run')           # what is new is not in doubt
        d2.do('tenant', 'add', 'late')
        d2.do('tenant', 'end', 'late', 'on', time.strftime(
            '%Y-%m-%d', time.gmtime(d2.now + 2 * DAY)))

        def looked():
            """What there is of the tenant, after a tick that has looked."""
            d2.stats()
            d2.go(10 * 60)
            d2.stats()
            d2.stats()
            return [t['state'] for t in d2.rows('tenant', 'list')]
        d2.jump(10 * YEAR)
        old = d2.pids()[('storage', 0)]
        os.kill(old, signal.SIGKILL)
        until(lambda: d2.pids().get(('storage', 0)) not in (None, 0, old),
              'storage is back')
        equal(looked(), ['active'], 'after a kill')
        d2.restart()
        equal(looked(), ['active'], 'after a restart')
        d2.do('audit', 'verify')
        equal(d2.stop(), 0, 'exit code')
        d2.set(20 * YEAR)
        d2.start()
        equal(looked(), ['active'], 'put forward while it was off')
        check('the clock is ahead' in d2.log(), 'it does not say so')
        r = d2.ctl('purge', 'run')
        check(r[0] == 1 and 'in doubt' in r[2], r)
        # A restart does not begin the day anew: some restart every night.
        d2.go(13 * HOUR)
        equal(looked(), ['active'], 'half a day')
        d2.restart()
        equal(looked(), ['active'], 'and a restart')
        d2.go(13 * HOUR)
        until(lambda: looked() != ['active'], 'the contract has ended', 30)
        d2.do('purge', 'run')
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def backups(d, office):
    """after a rotation, a clock put back has no backup made again and again"""
    d2 = Clocked(more='backup daily at 03:00 keep 3\n')
    try:
        d2.start()
        d2.do('tenant', 'add', 'acme')
        d2.do('backup', 'now')

        def there():
            return [b['stamp'] for b in d2.json('backup', 'list')['backups']]
        first, = there()
        d2.do('key', 'rotate', 'tenant', 'acme')
        until(lambda: len(there()) == 2, 'one by the new key')
        d2.go(700)
        d2.jump(-10 * DAY)
        until(lambda: len(there()) == 3, 'one by the clock put back', 60)
        for _ in range(6):
            time.sleep(1)
            d2.stats()
        check(first in there(), 'it has gone for others: %r' % there())
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def codes(d, office):
    """a code of the moment is good once, wherever the clock goes"""
    p = d.person('acme', 'otp@acme.example')
    r = p.api('POST', '/factor/totp', {'password': PASSWORD}, want=201)
    secret = r.json()['secret']
    r = p.api('POST', '/factor/totp/confirm', {
        'code': code_at(secret, int(d.now) // 30)}, want=200)
    source = iter('127.0.8.%d' % i for i in range(1, 250))

    def enter(code):
        def answer():
            with Http(d, source=next(source)) as h:
                r = h.request('POST', '/api/v1/session', {
                    'email': p.mail, 'password': PASSWORD, 'otp': code})
            if r.problem() == 'too-many':       # the delay goes by
                d.wait(int(r.get('retry-after')))
            return None if r.problem() in ('too-many', 'busy') else r
        return until(answer, 'an answer', 60).status
    used = []
    for shift in (HOUR, 2 * HOUR):
        d.set(shift)
        used.append(code_at(secret, int(d.now) // 30))
        equal(enter(used[-1]), 201, 'a new code, %+d' % shift)
        # Back to when it is good, and to when none is yet.
        for back in (shift, 0, shift - 30):
            d.set(back)
            equal(enter(used[-1]), 401, 'a code again, %+d' % back)
        d.set(HOUR)
        equal(enter(used[0]), 401, 'the first one again')
    d.set(0)


def boot(d, office):
    """a machine that has just started: the monotonic clock is near zero"""
    up = int(time.clock_gettime(time.CLOCK_MONOTONIC))
    d2 = Clocked(behind=up)
    try:
        d2.start()
        o = Office(d2)
        o.says()
        o.listed()
        d2.do('audit', 'verify')
        # Nor is what has never been mistaken for what was just now.
        check(time.clock_gettime(time.CLOCK_MONOTONIC) - up < 60,
              'it is no minute')
        old = d2.pids()[('hash', 0)]
        os.kill(old, signal.SIGKILL)

        def again():
            try:
                return d2.pids().get(('hash', 0)) not in (None, 0, old)
            except Failure:
                check(d2.proc.poll() is None, 'it takes the first death of '
                      'a process for the fifth in a minute')
                return False
        until(again, 'hash is back')
        equal(d2.stop(), 0, 'exit code')
    finally:
        d2.end()


def main():
    d = Clocked(more='session idle 4m absolute 12h\n').start()
    office = Office(d)
    s = Suite(d)
    for fn in (hour, day, decade, y2038, century, beginning, early, told,
               kept, destroyed, restarted, backups, codes, boot):
        s.run_test(fn, d, office)
    s.end()


if __name__ == '__main__':
    main()
