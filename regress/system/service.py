#!/usr/bin/env python3
"""The unit of systemd: how much it leaves, and that risad works within it.

What the unit says of capabilities, system calls, network and file systems is
read from it and put around a risad, without systemd."""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from inside import SYS, in_copies                               # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import (BOUND, RISAD, TOP, Daemon, Failure,           # noqa: E402
                  free_port, until)

UNIT = os.path.join(TOP, 'etc', 'risad.service')
SCORE = 2.0             # what systemd-analyze says has to be below it
EPERM, EAFNOSUPPORT, ENETUNREACH = 1, 97, 101
NEWNS, NEWNET = 0x20000, 0x40000000
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
CAPS = {'CAP_DAC_READ_SEARCH': 2, 'CAP_KILL': 5, 'CAP_SETGID': 6,
        'CAP_SETUID': 7, 'CAP_NET_BIND_SERVICE': 10, 'CAP_SYS_CHROOT': 18}
libc = ctypes.CDLL(None, use_errno=True)


class Prog(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_char_p)]


def unit(name):
    """All that the unit says of something, in order."""
    with open(UNIT) as f:
        return [line.split('=', 1)[1].strip() for line in f
                if line.startswith(name + '=')]


def calls(word, seen=()):
    """The calls of a word of SystemCallFilter."""
    if not word.startswith('@'):
        return {word}
    found = set()
    for line in subprocess.run(
            ['systemd-analyze', 'syscall-filter', word], check=True,
            stdout=subprocess.PIPE).stdout.decode().splitlines()[1:]:
        line = line.strip()
        if line and not line.startswith('#') and line not in seen:
            found |= calls(line, (*seen, word))
    return found


def allowed():
    """Later lines add to what those before have left, or take from it."""
    may = set()
    for line in unit('SystemCallFilter'):
        for word in line.lstrip('~').split():
            may = may - calls(word) if line.startswith('~') else \
                may | calls(word)
    return {SYS[n] for n in may if n in SYS}


def must(ret, what):
    if ret != 0:
        raise OSError(ctypes.get_errno(), what)


def filters(may):
    """All else is EPERM, and a socket is of AF_UNIX."""
    equal(unit('RestrictAddressFamilies'), ['AF_UNIX'], 'families')
    code = struct.pack('<HBBI', 0x20, 0, 0, 0)
    code += struct.pack('<HBBI', 0x15, 0, 3, SYS['socket'])
    code += struct.pack('<HBBI', 0x20, 0, 0, 16)
    code += struct.pack('<HBBI', 0x15, 2, 0, socket.AF_UNIX)
    code += struct.pack('<HBBI', 0x06, 0, 0, 0x50000 | EAFNOSUPPORT)
    code += struct.pack('<HBBI', 0x20, 0, 0, 0)
    for nr in may:
        code += struct.pack('<HBBI', 0x15, 0, 1, nr)
        code += struct.pack('<HBBI', 0x06, 0, 0, 0x7fff0000)
    # What was a socket of AF_UNIX has another number loaded.
    code += struct.pack('<HBBI', 0x15, 0, 1, socket.AF_UNIX)
    code += struct.pack('<HBBI', 0x06, 0, 0, 0x7fff0000)
    return code + struct.pack('<HBBI', 0x06, 0, 0, 0x50000 | EPERM)


def within(directory, may):
    """Between fork and exec: what the unit says."""
    keep = {CAPS[c] for line in unit('CapabilityBoundingSet')
            for c in line.split()}
    code = filters(may - {SYS['socket']})
    for name in ('PrivateNetwork', 'PrivateMounts', 'NoNewPrivileges',
                 'MemoryDenyWriteExecute'):
        equal(unit(name), ['yes'], name)
    equal(unit('ProtectSystem'), ['strict'], 'ProtectSystem')
    mask = int(unit('UMask')[0], 8)

    def enter():
        os.umask(mask)
        os.environ['LISTEN_PID'] = str(os.getpid())
        must(libc.unshare(NEWNS | NEWNET), 'unshare')
        place = directory.encode()
        must(libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None),
             'private')
        must(libc.mount(place, place, None, MS_BIND, None), 'bind')
        must(libc.mount(b'none', b'/', None, MS_REMOUNT | MS_BIND |
                        MS_RDONLY, None), 'read-only')
        for cap in range(64):
            if cap not in keep and libc.prctl(23, cap, 0, 0, 0) == 1:
                must(libc.prctl(24, cap, 0, 0, 0), 'capability')
        must(libc.prctl(38, 1, 0, 0, 0), 'no new privileges')
        prog = Prog(len(code) // 8, code)
        must(libc.prctl(22, 2, ctypes.byref(prog), 0, 0), 'filter')
    return enter


class Service(Daemon):
    """A risad within what the unit says, with a socket that it is given."""

    def __init__(self):
        super().__init__(workers=2)
        self.may = allowed()
        self.listening = socket.create_server(('127.0.0.1', self.port),
                                              backlog=128)

    def spawn(self, *options):
        enter = within(self.dir, self.may)
        argv = [RISAD, '-d', '-f', self.path('risad.conf')] + list(options)
        pid = os.fork()
        if pid == 0:
            try:
                libc.prctl(1, signal.SIGTERM)
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.chdir('/')
                log = os.open(self.path('log'), os.O_WRONLY | os.O_CREAT |
                              os.O_APPEND, 0o644)
                null = os.open('/dev/null', os.O_RDWR)
                # Above all of them first, so that none takes another's place.
                fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (
                    null, log, log, self.listening.fileno())]
                for n, fd in enumerate(fds):
                    os.dup2(fd, n)
                os.closerange(4, 1024)
                enter()
                os.execve(RISAD, argv, {
                    'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'})
            except BaseException as e:
                os.write(2, repr(e).encode())
            finally:
                os._exit(99)
        return Child(pid)


class Child:
    """As much of a Popen as Daemon asks for."""

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            pid, st = os.waitpid(self.pid, os.WNOHANG)
            if pid == self.pid:
                self.returncode = os.waitstatus_to_exitcode(st)
        return self.returncode

    def wait(self, bound=BOUND):
        try:
            until(lambda: self.poll() is not None, 'it ends', bound)
        except Failure:
            raise subprocess.TimeoutExpired('risad', bound)
        return self.returncode

    def send_signal(self, sig):
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def exposure(path):
    out = subprocess.run(['systemd-analyze', 'security', '--offline=true',
                          path], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout.decode()
    return float(re.search(r'exposure level for .*: ([0-9.]+)', out).group(1))


def score():
    """systemd finds less exposed than 2.0, and sees each line that is gone"""
    have = exposure(UNIT)
    print('exposure of the unit: %.1f' % have)
    check(have < SCORE, 'exposure %.1f' % have)
    with open(UNIT) as f:
        text = f.read()
    with tempfile.TemporaryDirectory(prefix='risad-unit-') as dir_:
        for name in ('PrivateNetwork', 'CapabilityBoundingSet',
                     'SystemCallFilter', 'RestrictAddressFamilies'):
            path = os.path.join(dir_, 'risad.service')
            with open(path, 'w') as f:
                f.write(re.sub(r'(?m)^%s=.*\n' % name, '', text))
            check(exposure(path) > have, '%s does not count' % name)


def sockets():
    """the unit's sockets are those of the example configuration"""
    with open(os.path.join(TOP, 'etc', 'risad.conf')) as f:
        ports = set(re.findall(r'^listen on \* port (\d+)', f.read(), re.M))
    with open(os.path.join(TOP, 'etc', 'risad.socket')) as f:
        text = f.read()
    equal(set(re.findall(r'^ListenStream=(.*)$', text, re.M)),
          {a + p for p in ports for a in ('0.0.0.0:', '[::]:')}, 'sockets')


def works(d):
    """people sign in and write, within what the unit leaves"""
    d.do('tenant', 'add', 'acme')
    floor = d.floor('acme', 'One')
    p = d.person('acme', 'ann@acme.example')
    p.open()
    p.enter(floor)
    p.say('within')
    p.close()
    d.do('backup', 'now')
    d.do('audit', 'verify')


def shut_in(d):
    """no process has a network of its own, nor more than the unit gives"""
    keep = sum(1 << CAPS[c] for line in unit('CapabilityBoundingSet')
               for c in line.split())
    for slot, pid in d.pids().items():
        with open('/proc/%d/status' % pid) as f:
            text = f.read()
        bound = int(re.search(r'CapBnd:\s*(\w+)', text).group(1), 16)
        equal(bound, keep, '%s %d bounding set' % slot)
        equal(int(re.search(r'Seccomp_filters:\s*(\d+)', text).group(1)),
              2 if slot[0] == 'parent' else 3, '%s %d filters' % slot)
        check(os.readlink('/proc/%d/ns/net' % pid) !=
              os.readlink('/proc/self/ns/net'), '%s %d: network' % slot)
        with open('/proc/%d/net/dev' % pid) as f:
            equal([v.split(':')[0].strip() for v in f.readlines()[2:]],
                  ['lo'], '%s %d' % slot)
    # Not even with all filters taken off the one that talks to strangers.
    address = 'x:' + struct.pack('<H', socket.AF_INET).hex() + struct.pack(
        '>H', d.port).hex() + '7f000001' + '00' * 8
    got = in_copies(d.pids()[('session', 0)], [
        [('socket', 2, 2, 0), ('connect', '$', address, 16)]], filters=False)
    equal(got, [('ret', -ENETUNREACH)], 'out of the session')


def restarted(d):
    """children that die are started again within it"""
    for slot, pid in d.pids().items():
        if slot[0] != 'parent':
            os.kill(pid, signal.SIGKILL)
            until(lambda: d.ctl('show', 'status')[0] == 0 and
                  d.pids().get(slot) not in (pid, 0), '%s %d' % slot)
    until(lambda: all(p['up'] for p in d.processes()), 'all are up')
    until(d.healthy, 'it serves')


def reloaded(d):
    """a reload keeps the sockets, and one that was not given is refused"""
    d.do('reload')
    until(d.healthy, 'it serves')
    port = free_port()
    d.write_conf(d.conf() + 'listen on 127.0.0.1 port %d tls\n' % port)
    code, _, err = d.ctl('reload')
    equal(code, 1, err)
    check('listen on 127.0.0.1 port %d: no such socket was handed over' %
          port in err, err)
    d.write_conf()
    d.do('reload')
    check(d.healthy(), 'it serves')


def not_given(d):
    """nor does it start without the socket that it is to listen on"""
    other = Service()
    try:
        other.listening.close()
        other.listening = socket.create_server(('127.0.0.1', 0))
        code, why = other.refused()
        equal(code, 1, why)
        check('listen on 127.0.0.1 port %d: no such socket was handed over' %
              other.port in why, why)
    finally:
        other.end()


def ended(d):
    """it stops cleanly, and whoever has opened the socket keeps it"""
    equal(d.stop(), 0, 'exit code')
    check(not os.path.exists(d.path('risad.sock')), 'the control socket')
    d.start()
    check(d.healthy(), 'again')


def main():
    if shutil.which('systemd-analyze') is None:
        print('systemd-analyze is not installed: only the sockets')
        s = Suite()
        s.run_test(sockets)
        s.end()
    d = Service().start()
    s = Suite(d)
    s.run_test(score)
    s.run_test(sockets)
    s.run_test(works, d)
    s.run_test(shut_in, d)
    s.run_test(restarted, d, restarts=True)
    s.run_test(reloaded, d)
    s.run_test(not_given, d)
    s.run_test(ended, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
