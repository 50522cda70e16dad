#!/usr/bin/env python3
"""What each process may and holds, told by the kernel and by trying.

System calls are made inside the living processes, as somebody would who runs
his own code there; secrets are searched in their memory."""

import ctypes
import hmac
import os
import re
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import (BOUND, Daemon, Failure, RISAD, TOP, alive,    # noqa: E402
                  until)

HERE = os.path.dirname(os.path.realpath(__file__))
WORKERS = 2
DEATHS = 4              # of a slot that a minute may have; the fifth stops it

# System calls by their number on x86-64.
SYS = {
    'open': 2, 'mprotect': 10, 'mmap': 9, 'socket': 41, 'connect': 42,
    'sendto': 44, 'bind': 49, 'listen': 50, 'socketpair': 53, 'clone': 56,
    'fork': 57, 'vfork': 58, 'execve': 59, 'kill': 62, 'ptrace': 101,
    'setuid': 105, 'setresuid': 117, 'mount': 165, 'chroot': 161,
    'init_module': 175, 'tkill': 200, 'tgkill': 234, 'keyctl': 250,
    'openat': 257, 'unshare': 272, 'setns': 308, 'process_vm_readv': 310,
    'process_vm_writev': 311, 'kcmp': 312, 'seccomp': 317, 'bpf': 321,
    'memfd_create': 319, 'execveat': 322, 'userfaultfd': 323,
    'perf_event_open': 298, 'io_uring_setup': 425, 'pidfd_open': 434,
    'pidfd_getfd': 438, 'openat2': 437, 'landlock_create_ruleset': 444,
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22
ENOSYS = 38

USERS = {'parent': 'root', 'storage': '_risastor', 'keys': '_risakeys',
         'hash': '_risahash', 'auth': '_risaauth', 'session': '_risasess'}

# What is open, by kind.  Pipes to siblings are unix sockets: the parent has
# one to each child; session k of n has storage, auth, keys and n - 1 others.
# libevent brings the epoll and the pair of pipe ends that signals come by.
NCHILDREN = 4 + WORKERS
FDS = {
    'parent': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': NCHILDREN,
               'tcp listening': 1, 'unix listening': 1, 'file': 5},
    'storage': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': 3 + WORKERS,
                'data': 6},
    'keys': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': 2 + WORKERS},
    'hash': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': 2},
    'auth': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': 3 + WORKERS,
             'unix listening': 1},
    'session': {'stdio': 3, 'epoll': 1, 'pipe': 2, 'unix': 3 + WORKERS,
                'tcp listening': 1},
}


BUILT = tempfile.TemporaryDirectory(prefix='risad-inject-')


def build():
    out = os.path.join(BUILT.name, 'inject')
    subprocess.run(['cc', '-O2', '-D_GNU_SOURCE', '-o', out,
                    os.path.join(HERE, 'inject.c')], check=True)
    return out


INJECT = build()


def inject(pid, call, *args):
    """What the call gives inside the process: ('ret', n) or ('died', sig)."""
    p = subprocess.run([INJECT, str(pid), str(SYS[call])] +
                       [str(a) for a in args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=BOUND)
    if p.returncode != 0:
        raise Failure('inject %s: %s' % (call, p.stderr.decode()))
    word, n = p.stdout.decode().split()
    return word, int(n)


def slots(d):
    return d.pids()


def status(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict((line.rstrip('\n').split(':\t') + [''])[:2]
                    for line in f)


def listening():
    """Inodes of listening sockets, by kind."""
    found = {}
    with open('/proc/net/unix') as f:
        for line in f.readlines()[1:]:
            v = line.split()
            if int(v[3], 16) & 0x10000:         # __SO_ACCEPTCON
                found[v[6]] = 'unix listening'
            else:
                found[v[6]] = 'unix'
    for name in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(name) as f:
            for line in f.readlines()[1:]:
                v = line.split()
                found[v[9]] = ('tcp listening' if v[3] == '0A' else 'tcp')
    return found


def inventory(d, pid):
    kinds = listening()
    have = {}
    for fd in os.listdir('/proc/%d/fd' % pid):
        name = os.readlink('/proc/%d/fd/%s' % (pid, fd))
        if int(fd) < 3:
            kind = 'stdio'
        elif name.startswith('socket:'):
            kind = kinds.get(name[8:-1], 'other socket')
        elif name == 'anon_inode:[eventpoll]':
            kind = 'epoll'
        elif name.startswith('pipe:'):
            kind = 'pipe'
        elif name.startswith(d.path('data') + '/'):
            kind = 'data'
        elif name.startswith(d.htdocs + '/'):
            continue            # opened once, their number is the page's
        else:
            kind = 'file'
        have[kind] = have.get(kind, 0) + 1
    return have


def kernel_says(d):
    """user, groups, capabilities, seccomp, no_new_privs, dumpable, root"""
    import pwd
    for (proc, n), pid in slots(d).items():
        who = '%s %d' % (proc, n)
        st = status(pid)
        pw = pwd.getpwnam(USERS[proc])
        equal(st['Uid'].split(), [str(pw.pw_uid)] * 4, who + ' uid')
        equal(st['Gid'].split(), [str(pw.pw_gid)] * 4, who + ' gid')
        equal(st['NoNewPrivs'], '1', who + ' no_new_privs')
        equal(st['Seccomp'], '2', who + ' seccomp')
        # The parent's comes along over exec: a child must have its own too.
        equal(st['Seccomp_filters'], '1' if proc == 'parent' else '2',
              who + ' filters')
        equal(st['CapInh'].strip('0'), '', who + ' inheritable')
        equal(st['CapAmb'].strip('0'), '', who + ' ambient')
        equal(st['Threads'], '1', who + ' threads')
        if proc == 'parent':
            continue
        equal(st['Groups'].split(), [str(pw.pw_gid)], who + ' groups')
        equal(st['CapEff'].strip('0'), '', who + ' effective')
        equal(st['CapPrm'].strip('0'), '', who + ' permitted')
        # Not dumpable: its /proc files are root's, not its user's.
        equal(os.stat('/proc/%d/mem' % pid).st_uid, 0, who + ' dumpable')
        jail = d.path('data' if proc == 'storage' else 'empty')
        equal(os.readlink('/proc/%d/root' % pid), jail, who + ' root')
        equal(os.readlink('/proc/%d/cwd' % pid), jail, who + ' directory')
        with open('/proc/%d/environ' % pid, 'rb') as f:
            equal(f.read(), b'', who + ' environment')
        with open('/proc/%d/limits' % pid) as f:
            core = [v for v in f if v.startswith('Max core')][0].split()
        equal(core[4:6], ['0', '0'], who + ' core files')
    equal(os.listdir(d.path('empty')), [], 'the empty root')
    st = os.stat(d.path('empty'))
    check(st.st_uid == 0 and not stat.S_IMODE(st.st_mode) & 0o022,
          'the empty root can be written to')


def descriptors(d):
    """each process has the descriptors of the list, and no other"""
    d.person('acme', 'fds@acme.example').close()
    until(lambda: d.stats()['session.0.connections'] +
          d.stats()['session.1.connections'] == 0, 'no connections')
    for (proc, n), pid in slots(d).items():
        equal(inventory(d, pid), FDS[proc], '%s %d' % (proc, n))


def hkdf(key, info):
    """RFC 5869 with SHA-256, no salt, the first 32 bytes."""
    prk = hmac.digest(bytes(32), key, 'sha256')
    return hmac.digest(prk, info + b'\1', 'sha256')


def secrets(d):
    """Needles with the processes that hold them, and nobody else may."""
    text = subprocess.run(
        ['openssl', 'pkey', '-in', d.path('keys/tls.key'), '-noout', '-text'],
        stdout=subprocess.PIPE, check=True).stdout.decode()
    words = text.split('priv:')[1].split('pub:')[0]
    scalar = bytes.fromhex(words.replace(':', '').replace(' ', '')
                           .replace('\n', ''))[-32:]
    with open(d.path('keys/tls.key')) as f:
        pem = f.read().splitlines()[1].encode()
    with open(d.path('keys/master.key'), 'rb') as f:
        master = f.read()
    with open(d.path('keys/pepper.key'), 'rb') as f:
        pepper = f.read()
    with open(os.path.join(TOP, 'risad', 'hash.h')) as f:
        infos = dict(re.findall(r'#define HASH_(\w+)\s+"(risad [^"]+)"',
                                f.read()))
    equal(sorted(infos), ['DEVICES', 'FACTORS', 'PASSWORDS'], 'keys of hash')
    keys = {k: hkdf(pepper, i.encode()) for k, i in infos.items()}
    # As in the file, and as libcrypto keeps numbers: lowest byte first.
    with open(d.path('keys/sign.key'), 'rb') as f:
        sign = f.read()
    return ((('keys',), [scalar, scalar[::-1], pem]),
            (('keys',), [sign]),
            (('storage',), [master]),
            (('hash',), [pepper, keys['FACTORS'], keys['PASSWORDS']]),
            (('hash', 'auth'), [keys['DEVICES']]))


def memory(pid):
    with open('/proc/%d/maps' % pid) as maps, \
            open('/proc/%d/mem' % pid, 'rb') as mem:
        for line in maps:
            span, perms = line.split()[:2]
            if perms[0] != 'r' or '[v' in line:
                continue
            start, end = (int(v, 16) for v in span.split('-'))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                continue


def found(pid, needles):
    return any(n in part for part in memory(pid) for n in needles)


def keys_in_memory(d):
    """TLS and signing key only in keys, master key only in storage, ..."""
    p = d.person('acme', 'mem@acme.example')    # signs, hashes and seals
    p.close()
    for owners, needles in secrets(d):
        for (proc, n), pid in slots(d).items():
            equal(found(pid, needles), proc in owners,
                  'secret of %r in the memory of %s %d' % (owners, proc, n))


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


def refused(word, n):
    return word == 'died' and n == 31 or word == 'ret' and -4095 <= n < 0


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
        check(refused(*got), '%s, %s: %s %d' % ((proc, name) + got))
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
        check(refused(*got), '%s: %s %d' % ((path,) + got))


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
    s.run_test(kernel_says, d)
    s.run_test(descriptors, d)
    s.run_test(keys_in_memory, d)
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
    s.run_test(kernel_says, d)
    s.end()


if __name__ == '__main__':
    main()
