#!/usr/bin/env python3
"""What each process may do, told by trying.

System calls are made inside the living processes, as somebody would who runs
his own code there."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from inside import SYS, inject, refused                         # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import (BOUND, Daemon, Failure, RISAD, alive,         # noqa: E402
                  until)

WORKERS = 2
DEATHS = 4              # of a slot that a minute may have; the fifth stops it

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22
ENOENT, ENOSYS = 2, 38


def slots(d):
    return d.pids()


# The probes: name, call, arguments.  PID is a sibling, SELF the process.
PID, SELF = object(), object()
ADDR = 'x:' + struct.pack('<H', socket.AF_INET).hex() + '1f907f000001' + \
    '00' * 8
CHILD = [
    ('read passwd', 'open', 's:/etc/passwd', 0, 0),
    ('read passwd at', 'openat', -100, 's:/etc/passwd', 0, 0),
    ('read passwd above', 'openat', -100, 's:../../../../etc/passwd', 0, 0),
    ('open anew', 'openat2', -100, 's:/etc/passwd', 'b:24', 24),
    ('inet', 'socket', socket.AF_INET, socket.SOCK_STREAM, 0),
    ('inet6', 'socket', socket.AF_INET6, socket.SOCK_STREAM, 0),
    ('udp', 'socket', socket.AF_INET, socket.SOCK_DGRAM, 0),
    ('unix', 'socket', socket.AF_UNIX, socket.SOCK_STREAM, 0),
    ('netlink', 'socket', socket.AF_NETLINK, socket.SOCK_RAW, 0),
    ('connect', 'connect', 3, ADDR, 16),
    ('bind', 'bind', 3, ADDR, 16),
    ('listen', 'listen', 3, 1),
    ('sendto', 'sendto', 3, 'b:1', 1, 0x20000000, ADDR, 16),
    ('execve', 'execve', 's:/bin/sh', 0, 0),
    ('execve itself', 'execve', 's:/proc/self/exe', 0, 0),
    ('execveat', 'execveat', -100, 's:/bin/sh', 0, 0, 0),
    ('fork', 'fork'),
    ('vfork', 'vfork'),
    ('clone', 'clone', 17, 0, 0, 0, 0),
    ('thread', 'clone', 0x10f00, 0, 0, 0, 0),
    ('ptrace', 'ptrace', 16, PID, 0, 0),
    ('ptrace me', 'ptrace', 0, 0, 0, 0),
    ('read memory', 'process_vm_readv', PID, 'b:16', 1, 'b:16', 1, 0),
    ('write memory', 'process_vm_writev', PID, 'b:16', 1, 'b:16', 1, 0),
    ('compare', 'kcmp', PID, SELF, 0, 3, 3),
    ('kill', 'kill', PID, 0),
    ('kill all', 'kill', -1, 0),
    ('tgkill', 'tgkill', PID, PID, 0),
    ('tkill', 'tkill', PID, 0),
    ('pidfd', 'pidfd_open', PID, 0),
    ('pidfd getfd', 'pidfd_getfd', 3, 3, 0),
    ('executable memory', 'mmap', 0, 4096, 7, 0x22, -1, 0),
    ('root', 'setuid', 0),
    ('root again', 'setresuid', 0, 0, 0),
    ('mount', 'mount', 's:none', 's:/', 's:tmpfs', 0, 0),
    ('chroot', 'chroot', 's:.'),
    ('module', 'init_module', 'b:16', 16, 's:'),
    ('keyctl', 'keyctl', 0, -3, 1),
    ('bpf', 'bpf', 0, 'b:64', 64),
    ('io_uring', 'io_uring_setup', 4, 'b:120'),
    ('unshare', 'unshare', 0x10000000),
    ('setns', 'setns', 3, 0),
    ('memfd', 'memfd_create', 's:x', 0),
    ('userfaultfd', 'userfaultfd', 0),
    ('perf', 'perf_event_open', 'b:112', 0, -1, -1, 0),
]

# The parent starts processes and opens what a reload names: what is left is
# other people's memory, the machine, and to change or to start anything.
PARENT = [p for p in CHILD if p[0] in (
    'ptrace', 'read memory', 'write memory', 'compare', 'pidfd getfd', 'mount',
    'module', 'keyctl', 'bpf', 'io_uring', 'unshare', 'setns', 'userfaultfd',
    'perf')] + [
    ('write passwd', 'openat', -100, 's:/etc/passwd', os.O_WRONLY, 0),
    ('new file', 'openat', -100, 's:/etc/risad-was-here',
     os.O_WRONLY | os.O_CREAT, 0o600),
    ('shell', 'execve', 's:/bin/sh', 0, 0),
    ('other program', 'execve', 's:/usr/bin/true', 0, 0),
    ('raw', 'socket', socket.AF_PACKET, socket.SOCK_RAW, 0),
]


def argue(args, pid, other):
    return [pid if a is SELF else other if a is PID else a for a in args]


class Lives:
    """Which processes are there, and how often each may still die."""

    def __init__(self, d):
        self.d = d
        self.left = {}

    def pid(self, slot):
        return slots(self.d)[slot]

    def died(self, slot, old):
        """Wait until it lives again, by another pid."""
        begin = time.monotonic()

        def back():
            try:
                rows = [p for p in self.d.processes()
                        if p['process'] == slot[0] and p['up'] and
                        p.get('instance', p.get('number')) == slot[1]]
            except Failure:
                return False            # auth was it, and is on its way
            return rows and rows[0]['pid'] not in (old, 0)
        until(back, '%s %d is started again' % slot)
        self.left[slot] = self.left.get(slot, DEATHS) - 1
        if self.left[slot] == 0:
            self.d.restart()
            self.left = {}
        return time.monotonic() - begin


def kept_out(word, n):
    """Refused, or what is outside of its root is not there."""
    return refused(word, n) or (word, n) == ('ret', -ENOENT)


def hostile(d, lives, proc):
    """hostile system calls in %s"""
    slot = (proc, 0)
    deaths = refusals = 0
    for name, call, *args in (PARENT if proc == 'parent' else CHILD):
        pids = slots(d)
        other = pids[('session', 1)] if proc == 'session' else \
            pids[('session', 0)] if proc == 'parent' else d.proc.pid
        pid = pids[slot]
        got = inject(pid, call, *argue(args, pid, other))
        check(kept_out(*got), '%s, %s: %s %d' % ((proc, name) + got))
        if got[0] == 'ret':
            check(alive(pid), '%s died of %s' % (proc, name))
            refusals += 1
        else:
            deaths += 1
            lives.died(slot, pid)
    check(d.healthy(), 'the daemon answers')
    check(not os.path.exists('/etc/risad-was-here'), 'a file was made')
    return refusals, deaths


def kept_within(d):
    """storage cannot leave its directory, nor start what it writes"""
    pid = slots(d)[('storage', 0)]
    word, fd = inject(pid, 'openat', -100, 's:/probe', os.O_RDWR | os.O_CREAT,
                      0o600)
    check(word == 'ret' and fd >= 0, 'storage cannot write: %s %d' %
          (word, fd))
    check(os.path.exists(d.path('data/probe')), 'it is not in the directory')
    os.unlink(d.path('data/probe'))
    for path in ('/../tls.crt', '/proc/self/maps', '/dev/null'):
        got = inject(pid, 'openat', -100, 's:' + path, 0, 0)
        check(kept_out(*got), '%s: %s %d' % ((path,) + got))


def convicts(d):
    """the same probes succeed in a process without a sandbox"""
    p = subprocess.Popen([sys.executable, '-c', 'import time;'
                          'print("up", flush=True); time.sleep(120)'],
                         stdout=subprocess.PIPE)
    try:
        p.stdout.readline()
        done = set()
        for name, call, *args in CHILD:
            if name in ('execve', 'execve itself', 'execveat', 'kill all',
                        'ptrace me', 'mount', 'chroot', 'vfork', 'thread',
                        'ptrace'):
                continue
            got = inject(p.pid, call, *argue(args, p.pid, os.getpid()))
            if not refused(*got):
                done.add(name)
            if got[0] == 'ret' and name in ('fork', 'clone') and got[1] > 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(got[1], 9)
        for name in ('read passwd', 'read passwd at', 'inet', 'inet6', 'udp',
                     'unix', 'fork', 'clone', 'kill', 'tgkill', 'pidfd',
                     'executable memory', 'root', 'memfd'):
            check(name in done, '%s does not succeed anywhere' % name)
        got = inject(p.pid, 'execve', 's:/bin/true', 0, 0)
        check(got == ('ret', 0), 'execve: %s %d' % got)
    finally:
        p.kill()
        p.wait()


def by_hand():
    """a child that root starts by hand refuses"""
    for proc in ('session', 'auth', 'keys', 'hash', 'storage'):
        p = subprocess.run([RISAD, '-P', proc, '-I', '0'],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=BOUND)
        equal(p.returncode, 1, '%s %r' % (proc, p.stdout))


class Prog(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_char_p)]


def without(*calls):
    """Between fork and exec: a kernel that does not know these calls."""
    code = struct.pack('<HBBI', 0x20, 0, 0, 0)          # the number
    for nr in calls:
        code += struct.pack('<HBBI', 0x15, 0, 1, nr)    # is it this one
        code += struct.pack('<HBBI', 0x06, 0, 0, 0x50000 | ENOSYS)
    code += struct.pack('<HBBI', 0x06, 0, 0, 0x7fff0000)

    def install():
        libc = ctypes.CDLL(None, use_errno=True)
        prog = Prog(len(code) // 8, code)
        if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
                libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(prog), 0, 0)):
            os._exit(99)
    return install


def no_sandbox():
    """without Landlock or seccomp nothing starts, and it says why"""
    for name in ('landlock_create_ruleset', 'seccomp'):
        d = Daemon()
        try:
            p = subprocess.run(
                [RISAD, '-d', '-f', d.path('risad.conf')], timeout=BOUND,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, preexec_fn=without(SYS[name]))
            check(p.returncode not in (0, 99), '%s: exit %d' %
                  (name, p.returncode))
            check(b'sandbox' in p.stdout or b'unveil' in p.stdout,
                  '%s: no reason: %r' % (name, p.stdout))
            check(b'serves' not in p.stdout, 'it served without ' + name)
        finally:
            d.end()


def main():
    d = Daemon(workers=WORKERS).start()
    d.do('tenant', 'add', 'acme')
    s = Suite(d)
    s.run_test(kept_within, d)
    s.run_test(convicts, d)
    s.run_test(by_hand)
    s.run_test(no_sandbox)
    lives = Lives(d)
    for proc in ('parent', 'hash', 'keys', 'auth', 'storage', 'session'):
        def probe(proc=proc):
            r, n = hostile(d, lives, proc)
            print('%s: %d refused with an error, %d with death' % (proc, r,
                                                                   n))
        probe.__doc__ = hostile.__doc__ % proc
        s.run_test(probe, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
