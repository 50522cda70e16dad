#!/usr/bin/env python3
"""Reloads with whatever is wrong, while people work: the old configuration
stays, the reason is told, and no connection is lost."""

import glob
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from honest import Honest, fds, percentile                      # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import RISACTL, RISAD, TOP, Daemon, Failure, Http, \
    until                                                       # noqa: E402
from trail import system_trail                                  # noqa: E402

MUTATIONS = 5000 if LONG else 300       # of the configuration
DAMAGED = 500 if LONG else 40           # of each file
STORM = 60 if LONG else 20              # reloads, one a second
CHEAP = 'password hash memory 8 passes 1\n'
BITS = ['"', '\\', '\n', '$', '=', '#', ' ', '\0', 'include ', '\\\n', '0',
        '99999999999', 'limit ', 'listen on * port 1 tls\n']


class Site:
    def __init__(self):
        self.d = d = Daemon(workers=2, more=CHEAP)
        d.start()
        d.do('tenant', 'add', 'acme')
        floor = d.floor('acme', 'One')
        self.ann, self.bob, self.eve = (
            d.person('acme', n + '@acme.example')
            for n in ('ann', 'bob', 'eve'))
        self.eve.open()
        self.honest = Honest(d, self.ann, self.bob, floor)
        self.good = d.conf()
        self.applied = self.refused = 0

    @property
    def generation(self):
        return self.d.stats()['risad.generation']

    def restore(self):
        self.d.write_conf(self.good)
        self.d.do('reload')

    def judge(self, name):
        """Reload: refused with a reason and without effect, or in force."""
        before, seen = self.generation, len(self.d.log())
        try:
            code, _, err = self.d.ctl('reload')
        except subprocess.TimeoutExpired:
            raise Failure('%s: no answer' % name)
        if code == 0:
            check(self.generation > before, '%s: not in force' % name)
            self.applied += 1
            return True
        equal(code, 1, '%s: exit code' % name)
        check(err.strip(), '%s: no reason' % name)
        said = self.d.log()[seen:]
        check('parent: ' in said,
              '%s: the log does not say why: %r' % (name, said))
        # An offer that a process has refused has used up a number.
        equal(self.d.stats()['risad.generation'], before,
              '%s: generation' % name)
        self.refused += 1
        return False

    def well(self):
        self.eve.settle()
        self.eve.inbox.clear()
        self.honest.check()


def served(d):
    with Http(d).connect() as h:
        return h.sock.getpeercert(True)


def corpus(s):
    """each configuration that the parser's tests call bad"""
    paths = sorted(glob.glob(os.path.join(TOP, 'regress', 'config', '*.bad')))
    check(len(paths) >= 5, paths)
    cert = served(s.d)
    try:
        for path in paths:
            if os.path.basename(path) == 'least.bad':
                continue                # bad for what it lacks
            with open(path, encoding='utf-8', errors='surrogateescape') as f:
                s.d.write_conf(s.good + f.read())
            check(not s.judge(path), '%s is taken' % path)
    finally:
        s.restore()
    equal(served(s.d), cert, 'certificate')
    s.well()


def mutated(text, dice):
    for _ in range(1 + dice.randrange(4)):
        at = dice.randrange(len(text))
        how = dice.randrange(4)
        if how == 0:
            text = text[:at] + chr(dice.randrange(256)) + text[at + 1:]
        elif how == 1:
            text = text[:at] + text[at + 1 + dice.randrange(12):]
        elif how == 2:
            text = text[:at] + dice.choice(BITS) + text[at:]
        else:
            start = dice.randrange(len(text))
            text = text[:at] + text[start:start + 30] + text[at:]
    return text


def mutations(s):
    """damaged configurations: what -n refuses, no reload takes"""
    dice = random.Random(16)
    s.honest.inside = True              # a new port may be the right one
    s.honest.during(0.3)
    s.applied = s.refused = 0
    conf = s.d.path('risad.conf')
    try:
        for i in range(MUTATIONS):
            text = mutated(s.good, dice)
            with open(conf, 'wb') as f:
                f.write(text.encode('latin-1'))
            asked = subprocess.run([RISAD, '-n', '-f', conf],
                                   stderr=subprocess.DEVNULL).returncode
            check(asked in (0, 1), 'mutation %d: -n ends with %d' % (i, asked))
            taken = s.judge('mutation %d' % i)
            check(asked == 0 or not taken, 'mutation %d is taken' % i)
            if taken:
                s.restore()
            if i % 25 == 0:
                s.well()
    finally:
        s.restore()
        s.honest.inside = False
    s.well()
    check(s.d.healthy(), 'it answers')
    print('%d damaged configurations: %d refused, %d were still good' % (
        MUTATIONS, s.refused, s.applied))
    check(s.refused >= MUTATIONS // 3, 'they are not damaged')


def der(path):
    return subprocess.run(['openssl', 'x509', '-in', path, '-outform', 'DER'],
                          stdout=subprocess.PIPE, check=True).stdout


def damaged(s):
    """damaged certificates and keys: refused, or they serve"""
    d, dice = s.d, random.Random(61)
    s.honest.inside = True
    s.honest.during(0.3)
    s.applied = s.refused = 0
    try:
        for name in ('tls.crt', 'keys/tls.key'):
            with open(d.path(name), 'rb') as f:
                whole = f.read()
            for i in range(DAMAGED):
                data = bytearray(whole)
                if i % 4 == 3:
                    del data[dice.randrange(len(data)):]
                else:
                    at = dice.randrange(len(data))
                    data[at] ^= 1 << dice.randrange(8)
                was = served_any(d)
                os.chmod(d.path(name), 0o600)
                with open(d.path(name), 'wb') as f:
                    f.write(data)
                try:
                    if s.judge('%s %d' % (name, i)):
                        # A name in it may be another one: who signs what
                        # nobody here has, only browsers know.
                        equal(served_any(d), der(d.path('tls.crt')), name)
                    else:
                        equal(served_any(d), was, 'the old certificate')
                finally:
                    with open(d.path(name), 'wb') as f:
                        f.write(whole)
                    s.d.do('reload')
                if i % 10 == 0:
                    s.well()
    finally:
        s.honest.inside = False
    print('%d damaged certificates and keys: %d refused, %d were still good' %
          (2 * DAMAGED, s.refused, s.applied))
    check(s.refused >= DAMAGED, 'they are not damaged')
    s.well()


def served_any(d):
    """The certificate served, whatever it is worth."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    h = Http(d, tls=False).connect()
    try:
        h.sock = ctx.wrap_socket(h.sock, server_hostname='acme.localhost')
        return h.sock.getpeercert(True)
    except ssl.SSLError as e:
        raise Failure('nobody can connect: %s' % e)
    finally:
        h.close()


def missing(s):
    """files that are gone, empty, directories, pipes, or anybody's"""
    d = s.d
    s.honest.inside = True              # its certificate may be away
    s.honest.during(0.3)
    files = ['tls.crt', 'keys/tls.key', 'keys/master.key', 'keys/pepper.key',
             'keys/sign.key', 'htdocs/index.html', 'htdocs']
    cases = 0
    for name in files:
        path, aside = d.path(name), d.path('aside')
        ways = [lambda p: None, os.mkdir, os.mkfifo,
                lambda p: open(p, 'w').close(),
                lambda p: os.symlink('/nowhere', p)]
        if name.startswith('keys/'):
            ways += [lambda p: shutil.copy(aside, p) and os.chmod(p, 0o444),
                     lambda p: shutil.copy(aside, p) and shutil.chown(
                         p, '_risasess')]
        if name == 'htdocs':
            ways = ways[:4]
        if name == 'htdocs/index.html':
            ways = ways[:3]
        for i, way in enumerate(ways):
            os.rename(path, aside)
            try:
                way(path)
                if name.startswith('keys/') and i < 4 and \
                        os.path.isfile(path):
                    os.chmod(path, 0o400)
                check(not s.judge('%s, way %d' % (name, i)),
                      '%s, way %d: taken' % (name, i))
                cases += 1
            finally:
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                elif os.path.lexists(path):
                    os.unlink(path)
                os.rename(aside, path)
        s.well()
    os.rename(d.path('risad.conf'), d.path('aside'))
    check(not s.judge('no risad.conf'), 'without a file')
    os.rename(d.path('aside'), d.path('risad.conf'))
    d.do('reload')
    s.honest.inside = False
    s.well()
    print('%d ways for a file to be missing, all refused' % cases)


def storm(s):
    """a reload a second under load: all are taken, no connection is lost"""
    d = s.d
    pids = [p for _, p in sorted(d.pids().items())]
    d.do('reload')
    before = [fds(p) for p in pids]
    times, begun = [], s.generation
    start = time.monotonic()
    for i in range(STORM):
        if i % 4 == 3:                  # a new certificate, too
            d.make_cert('new')
            os.replace(d.path('keys/new.key'), d.path('keys/tls.key'))
            os.replace(d.path('new.crt'), d.path('tls.crt'))
        begin = time.monotonic()
        s.honest.inside = True          # a certificate of its own time
        d.do('reload')
        s.honest.inside = False
        times.append(time.monotonic() - begin)
        s.well()
        rest = start + i + 1 - time.monotonic()
        if rest > 0:
            time.sleep(rest)
    waits = s.honest.since(start)
    equal(s.generation, begun + STORM, 'generation')
    # The honest may just be coming in once more.
    until(lambda: all(fds(p) <= n + 1 for p, n in zip(pids, before)),
          'descriptors: %r, now %r' % (before, [fds(p) for p in pids]))
    print('%d reloads in %.0f s: %.0f ms each at most; the honest waited '
          '%.0f ms (p99)' % (STORM, time.monotonic() - start,
                             1000 * max(times),
                             1000 * percentile(waits, 0.99)))


def at_once(s):
    """reloads all at the same time: one by one or refused, none is lost"""
    d = s.d
    before = s.generation
    procs = [subprocess.Popen([os.path.join(TOP, 'risactl', 'risactl'), '-s',
                               d.path('risad.sock'), 'reload'],
                              stderr=subprocess.PIPE) for _ in range(7)]
    told = []
    for p in procs:
        try:
            told.append((p.communicate(timeout=60)[1], p.returncode))
        except subprocess.TimeoutExpired:
            for q in procs:
                q.kill()
            raise Failure('risactl gets no answer to a reload')
    done = [code for _, code in told].count(0)
    check(done >= 1, told)
    for err, code in told:
        check(code == 0 or (code == 1 and b'under way' in err), told)
    equal(s.generation, before + done, 'generation')
    s.well()


def not_asked(s):
    """a signal during a reload that risactl asked for does not answer it, and
    what was edited meanwhile comes into force after it"""
    d, before, mark = s.d, s.generation, len(s.d.log())
    seen = len(system_trail(d))
    worker = d.pids()[('session', 0)]
    os.kill(worker, signal.SIGSTOP)
    try:
        # Once one is refused, the other is under way.
        procs = [subprocess.Popen([RISACTL, '-s', d.path('risad.sock'),
                                   'reload'], stderr=subprocess.PIPE)
                 for _ in range(2)]
        until(lambda: any(p.poll() is not None for p in procs), 'the second')
        d.write_conf(s.good + 'site country "Nowhere"\n')
        lines = d.log()[mark:].count('configuration is under way')
        d.proc.send_signal(signal.SIGHUP)
        until(lambda: d.log()[mark:].count('configuration is under way') >
              lines, 'the signal comes during it')
    finally:
        os.kill(worker, signal.SIGCONT)
    told = [(p.communicate(timeout=60)[1], p.returncode) for p in procs]
    equal(sorted(code for _, code in told), [0, 1], told)
    until(lambda: s.generation == before + 2, 'the one after it')
    equal({x['country'] for x in d.json('checksheet')['storage']},
          {'Nowhere'}, 'what was edited')
    until(lambda: sorted(x.rsplit(': ', 1)[1] for x in
                         system_trail(d)[seen:]) ==
          ['done', 'refused', 'reload', 'reload'], 'the trail')
    s.restore()
    s.well()


def worked(s):
    """people have worked through all of it"""
    s.honest.end()


def main():
    s = Site()
    suite = Suite(s.d)
    for fn in (corpus, mutations, damaged, missing, at_once, not_asked, storm,
               worked):
        suite.run_test(fn, s)
    suite.end()


if __name__ == '__main__':
    main()
