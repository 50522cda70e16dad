#!/usr/bin/env python3
"""Every system call that there is, made inside every process.

Each is tried in copies of the living process, which have its filters, users,
root and descriptors; what came of it is compared with a list of what is
promised, and the same attempts convict a process without a sandbox."""

import collections
import multiprocessing.pool
import os
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from inside import (NAMES, NO, SIGSYS, SYS, in_copies,          # noqa: E402
                    refused)
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon                                         # noqa: E402

PROCS = ('parent', 'storage', 'keys', 'hash', 'auth', 'session')
CHILDREN = PROCS[1:]
LAST = 1024 if LONG else 475    # behind the newest call by some
X32 = 0x40000000
ENOENT, ENXIO, ENOSYS, SIGILL = 2, 6, 38, 4

# What each child may call, with some arguments or with all: stdio is what all
# may.  What is allowed for few arguments alone is in OPERATIONS as well.
STDIO = '''
read write readv writev pread64 pwrite64 preadv pwritev close close_range dup
dup2 dup3 pipe pipe2 fstat lseek fsync fdatasync ftruncate fadvise64 recvfrom
recvmsg sendto sendmsg fcntl poll ppoll select pselect6 epoll_create
epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 brk mmap
mprotect munmap mremap madvise msync mlock mlock2 munlock futex rt_sigaction
rt_sigprocmask rt_sigsuspend rt_sigpending rt_sigtimedwait rt_sigreturn
sigaltstack restart_syscall pause clock_gettime clock_getres clock_nanosleep
nanosleep gettimeofday time times getitimer setitimer alarm getrandom getpid
getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups
getpgrp getpgid getsid getrlimit prlimit64 getrusage sysinfo uname getcpu
sched_yield umask landlock_create_ruleset landlock_add_rule
landlock_restrict_self exit exit_group
'''.split()
SOCKETS = 'accept accept4 getpeername getsockname'.split()
FILES = '''
open openat creat stat lstat newfstatat statx access faccessat faccessat2
readlink readlinkat getcwd chdir fchdir statfs fstatfs getdents getdents64
truncate fallocate mkdir mkdirat rmdir unlink unlinkat rename renameat
renameat2 link linkat symlink symlinkat chmod fchmod fchmodat utime utimes
utimensat futimesat flock
'''.split()
PROMISED = {'storage': STDIO + FILES, 'keys': STDIO, 'hash': STDIO,
            'auth': STDIO + SOCKETS, 'session': STDIO + SOCKETS}

# The parent starts programs and opens what a reload names: for it the list
# says what is refused, by the filter that all its children have as well.
DENIED = '''
ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd
migrate_pages move_pages mount umount2 pivot_root open_tree move_mount fsopen
fsconfig fsmount fspick mount_setattr unshare setns mknod mknodat
open_by_handle_at name_to_handle_at fanotify_init quotactl quotactl_fd
kexec_load kexec_file_load init_module finit_module delete_module reboot
swapon swapoff acct syslog vhangup sethostname setdomainname settimeofday
clock_settime adjtimex clock_adjtime ioperm iopl modify_ldt uselib bpf
perf_event_open keyctl add_key request_key io_uring_setup io_uring_enter
io_uring_register userfaultfd personality lookup_dcookie memfd_secret clone3
socket socketpair
'''.split()
EXEC_LAST = 450                 # what is newer does not exist for the parent

# The kernel lets these two by every filter, for probes that it has set
# itself; called from anywhere else they do nothing but this.
UPROBES = {335: ('died', SIGILL), 336: ('ret', -ENXIO)}

# For the table; what is in none is "other".
CLASSES = {
    'files by name': FILES + ['openat2', 'mknod', 'mknodat', 'chown',
                              'lchown', 'fchownat', 'chroot'],
    'network': ['socket', 'socketpair', 'connect', 'bind', 'listen',
                'shutdown', 'getsockopt', 'setsockopt', 'sendmmsg',
                'recvmmsg', 'sendfile', 'splice'] + SOCKETS,
    'programs': ['execve', 'execveat', 'fork', 'vfork', 'clone', 'clone3',
                 'wait4', 'waitid', 'setpgid', 'setsid'],
    'other processes': ['ptrace', 'process_vm_readv', 'process_vm_writev',
                        'kcmp', 'kill', 'tkill', 'tgkill', 'pidfd_open',
                        'pidfd_getfd', 'pidfd_send_signal', 'prlimit64',
                        'process_madvise', 'process_mrelease',
                        'rt_sigqueueinfo', 'rt_tgsigqueueinfo',
                        'migrate_pages', 'move_pages', 'get_robust_list'],
    'users': ['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid',
              'setresgid', 'setfsuid', 'setfsgid', 'setgroups', 'capset',
              'seccomp', 'prctl'],
    'machine': ['mount', 'umount2', 'pivot_root', 'unshare', 'setns',
                'init_module', 'finit_module', 'delete_module', 'reboot',
                'kexec_load', 'kexec_file_load', 'swapon', 'swapoff', 'acct',
                'syslog', 'settimeofday', 'clock_settime', 'adjtimex',
                'sethostname', 'setdomainname', 'ioperm', 'iopl', 'fsopen',
                'fsmount', 'move_mount', 'open_tree', 'mount_setattr'],
    'kernel': ['bpf', 'perf_event_open', 'keyctl', 'add_key', 'request_key',
               'io_uring_setup', 'io_uring_enter', 'io_uring_register',
               'userfaultfd', 'memfd_create', 'memfd_secret', 'io_setup',
               'personality', 'modify_ldt', 'shmget', 'msgget', 'semget',
               'mq_open', 'inotify_init', 'fanotify_init'],
    'memory': ['mmap', 'mprotect', 'munmap', 'mremap', 'brk', 'madvise',
               'pkey_mprotect', 'remap_file_pages', 'shmat', 'mlockall'],
}

# Nothing, what cannot be, and addresses of 64 zero bytes.
ARGUMENTS = ([0] * 6, [-1] * 6, ['b:64'] * 6)


def pid_of(d, proc):
    return d.pids()[(proc, 0)]


def killed(got):
    return got == ('died', SIGSYS)


def by_number(pid):
    """The outcomes of each call by its number."""
    numbers = [n for n in range(LAST) for _ in ARGUMENTS]
    tries = [[[n] + a] for n in range(LAST) for a in ARGUMENTS]
    out = collections.defaultdict(list)
    for n, got in zip(numbers, in_copies(pid, tries)):
        if got == UPROBES.get(n):
            got = ('died', SIGSYS)
        out[n].append(got)
    return out


def allowed(outcomes):
    return {n for n, got in outcomes.items()
            if not all(refused(*g) for g in got)}


def names(numbers):
    return sorted(NAMES.get(n, str(n)) for n in numbers)


def unknown(plain):
    """Calls that this kernel does not have."""
    return {n for n, got in plain.items()
            if all(g == ('ret', -ENOSYS) for g in got)}


def numbers(proc, outcomes, plain):
    """every call number in %s is refused, ends it, or is promised"""
    may = allowed(outcomes)
    check(len(outcomes) == LAST and all(len(g) == len(ARGUMENTS)
                                        for g in outcomes.values()),
          'not all was tried')
    gone = unknown(plain)
    if proc == 'parent':
        no = {SYS[n] for n in DENIED} - {SYS['socket'], SYS['socketpair']}
        no |= set(range(EXEC_LAST + 1, LAST))
        equal(names(may & no), [], 'allowed and not to be')
        # Sockets of its own it has; no family is called -1 or an address.
        return
    promised = {SYS[n] for n in PROMISED[proc]}
    equal(names(may - promised), [], 'allowed and not promised')
    equal(names(promised - may - gone), [], 'promised and not allowed')
    # An errno is only a refusal where another process would have got through.
    soft = {n for n in set(outcomes) - may
            if not all(killed(g) for g in outcomes[n])}
    equal(names(soft - allowed(plain) - gone), [], 'refused for other reasons')


def entries(d, proc, told):
    """the other two entries of the kernel are shut in %s"""
    pid = pid_of(d, proc)
    x32 = [[[X32 + n] + [0] * 6] for n in range(560)]
    old = [[['i', n] + [0] * 6] for n in range(LAST)]
    far = [[[n] + [0] * 6] for n in (
        1 << 29, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)]
    a, b, c = (in_copies(pid, t) for t in (x32, old, far))
    check(all(map(killed, a)), 'x32: %r' % [
        (i, g) for i, g in enumerate(a) if not killed(g)][:5])
    check(all(map(killed, b)), '32 bits: %r' % [
        (i, g) for i, g in enumerate(b) if not killed(g)][:5])
    check(all(refused(*g) for g in c), 'far: %r' % c)
    told[proc] = (len(a), len(b), len(c))


# Calls that are allowed for some arguments: what varies, which of it is
# allowed in whom, and the call around it.  All children, unless named.
def option(n):
    return [('prctl', n, 'b:64', 'b:64', 0, 0)]


def command(n):
    return [('fcntl', 0, n, 0)]


def control(n):
    return [('ioctl', -1, n, 'b:64')]


def sock_set(level):
    return lambda n: [('setsockopt', 3, level, n, 'b:8', 4)]


def sock_get(level):
    return lambda n: [('getsockopt', 3, level, n, 'b:8', 'x:04000000')]


SOL_SOCKET, TCP = 1, 6
KEPT = {7, 8, 9, 13, 20, 21}    # buffers, keepalive, linger, time limits
OPERATIONS = {
    # no_new_privs, dumpable off, name, what seccomp is in force
    'prctl': (option, range(100), {3, 15, 16, 21, 38, 39}, {}),
    # duplicates and flags; locks for the databases
    'fcntl': (command, [*range(48), *range(1024, 1048)],
              {0, 1, 2, 3, 4, 1030},
              {'storage': {0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030}}),
    # FIONREAD and FIONBIO; terminals, attributes, sockets, devices
    'ioctl': (control, [*range(0x5400, 0x5460), *range(0x8900, 0x8960),
                        0x6611, 0x40086602, 0x801c581f, 0x40049409,
                        0xc020660b, 0x12, 0x1260], {0x541b, 0x5421}, {}),
    'setsockopt SOL_SOCKET': (sock_set(SOL_SOCKET), range(100), set(),
                              {'auth': KEPT, 'session': KEPT}),
    'setsockopt TCP': (sock_set(TCP), range(64), set(),
                       {'session': {1, 3, 4, 5, 6, 12, 18, 25}}),
    'getsockopt TCP': (sock_get(TCP), range(64), set(),
                       {'session': set(range(64))}),
    'shutdown': (lambda n: [('shutdown', 0, n)], range(4), {1}, {}),
    'prlimit64': (lambda n: [('prlimit64', 0, n, 'b:16', 0)], range(16),
                  set(), {}),
    'seccomp': (lambda n: [('seccomp', n, 0, 'b:16')], range(8), {1}, {}),
}
for _level in (0, 17, 41, 263, 270, 271, 282, 283, 284):
    OPERATIONS['setsockopt %d' % _level] = (sock_set(_level), range(64),
                                            set(), {})


# One call each that is allowed or not for its arguments; no_one may.
RWX, FASTOPEN = 7, 0x20000000
ADDR = 'x:' + struct.pack('<H', socket.AF_INET).hex() + '1f907f000001' + \
    '00' * 8
NEVER = {
    'map executable': [('mmap', 0, 4096, RWX, 0x22, -1, 0)],
    'map, then make executable': [('mmap', 0, 4096, 3, 0x22, -1, 0),
                                  ('mprotect', '$', 4096, 5)],
    'protect with the upper half': [('mmap', 0, 4096, 3, 0x22, -1, 0),
                                    ('mprotect', '$', 4096, 0x100000004)],
    'memory with a key': [('pkey_mprotect', 0, 4096, 5, -1)],
    'executable by personality': [('personality', 0x400000)],
    'send elsewhere': [('sendto', 3, 'b:1', 1, 0, ADDR, 16)],
    'send and connect': [('sendto', 3, 'b:1', 1, FASTOPEN, 0, 0)],
    'message and connect': [('sendmsg', 3, 'b:56', FASTOPEN)],
    'be signalled by input': [('fcntl', 0, 4, 0x2000)],
    'own the signal': [('fcntl', 0, 8, 1)],
    'lease': [('fcntl', 0, 1024, 0)],
    'be dumpable': [('prctl', 4, 1, 0, 0, 0)],
    'be a reaper': [('prctl', 36, 1, 0, 0, 0)],
    'be traced by all': [('prctl', 0x59616d61, -1, 0, 0, 0)],
    'ambient': [('prctl', 47, 2, 7, 0, 0)],
    'keep capabilities': [('prctl', 8, 1, 0, 0, 0)],
    'strict': [('seccomp', 0, 0, 0)],
    'listen to a filter': [('seccomp', 1, 8, 'b:16')],
    'more core': [('prlimit64', 0, 4, 'b:16', 0)],
    'thread': [('clone', 0x10f00, 0, 0, 0, 0)],
    'name space': [('clone', 0x10000011, 0, 0, 0, 0)],
    'inotify': [('inotify_init1', 0)],
    'shared memory': [('shmget', 0, 4096, 0o1600)],
    'queue': [('msgget', 0, 0o1600)],
    'named queue': [('mq_open', 's:x', 0o102, 0o600, 0)],
    'io_uring': [('io_uring_setup', 4, 'b:120')],
    'old aio': [('io_setup', 1, 'b:8')],
    'timer': [('timer_create', 1, 0, 'b:8')],
    'file by handle': [('open_by_handle_at', -100, 'b:16', 0)],
    'watch': [('fanotify_init', 0, 0)],
    'key ring': [('add_key', 's:user', 's:x', 'b:8', 8, -3)],
    'landlock nothing': [('landlock_restrict_self', -1, 0), ('fork',)],
}


def operations(d, proc, told):
    """%s: of calls for some arguments only these"""
    pid = pid_of(d, proc)
    count = 0
    for what, (call, values, base, more) in OPERATIONS.items():
        out = in_copies(pid, [call(n) for n in values])
        got = {n for n, g in zip(values, out) if not refused(*g)}
        equal(sorted(got), sorted(more.get(proc, base)), what)
        count += len(out)
    out = in_copies(pid, list(NEVER.values()))
    for what, got in zip(NEVER, out):
        check(refused(*got), '%s: %s %d' % ((what,) + got))
    told[proc] = (count + len(out), sum(map(len, (
        more.get(proc, base) for _, _, base, more in OPERATIONS.values()))))


PART = 'x:' + struct.pack('<QQ', 4096, 8).hex()     # of a memory
QUEUED = 'x:' + struct.pack('<iii', 0, 0, -1).hex() + '00' * 116
ATTR = 'x:' + struct.pack('<IIQ', 1, 112, 0).hex() + '00' * 96


def against(pid):
    """What a process can try to do to another one."""
    return {
        'signal': [('kill', pid, 0)],
        'kill its group': [('kill', -pid, 0)],
        'tkill': [('tkill', pid, 0)],
        'tgkill': [('tgkill', pid, pid, 0)],
        'queue a signal': [('rt_sigqueueinfo', pid, 0, QUEUED)],
        'queue to a thread': [('rt_tgsigqueueinfo', pid, pid, 0, QUEUED)],
        'hold it': [('pidfd_open', pid, 0)],
        'ptrace attach': [('ptrace', 16, pid, 0, 0)],
        'ptrace seize': [('ptrace', 0x4206, pid, 0, 0)],
        'read memory': [('process_vm_readv', pid, PART, 1, PART, 1, 0)],
        'write memory': [('process_vm_writev', pid, PART, 1, PART, 1, 0)],
        'compare': [('kcmp', pid, pid, 0, 0, 0)],
        'its limits': [('prlimit64', pid, 7, 0, 'b:16')],
        'its scheduler': [('sched_setscheduler', pid, 0, 'b:8')],
        'its processors': [('sched_setaffinity', pid, 8, 'x:ff' + '0' * 14)],
        'its priority': [('setpriority', 0, pid, 19)],
        'its io': [('ioprio_set', 1, pid, 0x4000)],
        'its pages': [('move_pages', pid, 0, 0, 0, 0, 0)],
        'its node': [('migrate_pages', pid, 1, 'b:8', 'b:8')],
        'its locks': [('get_robust_list', pid, 'b:8', 'b:8')],
        'its group': [('setpgid', pid, 0)],
        'its events': [('perf_event_open', ATTR, pid, -1, -1, 0)],
        'its file of memory': [('open', 's:/proc/%d/mem' % pid, 2, 0)],
        'its descriptors': [('open', 's:/proc/%d/fd/3' % pid, 0, 0)],
    }


# What the parent, which is root and has to end its children, can do to them.
MASTER = {'signal', 'kill its group', 'tkill', 'tgkill', 'queue a signal',
          'queue to a thread', 'hold it', 'its limits', 'its scheduler',
          'its processors', 'its priority', 'its io', 'its locks',
          'its group', 'its descriptors'}


def each_other(d, told):
    """no process can signal, trace, read, hold or slow another one"""
    pids = d.pids()
    for slot, pid in pids.items():
        tries = [(other, what, calls)
                 for other, p in pids.items() if other != slot
                 for what, calls in against(p).items()]
        out = in_copies(pid, [calls for _, _, calls in tries])
        for (other, what, calls), got in zip(tries, out):
            if slot[0] == 'parent' and what in MASTER:
                continue
            # What is outside of its root is not there.
            check(refused(*got) or calls[0][0] == 'open' and
                  got == ('ret', -ENOENT), '%s %d, %s of %s %d: %s %d' %
                  (slot + (what,) + other + got))
        told[slot] = (len(out), sum(map(killed, out)))


# With seccomp away, these are refused by what is behind it.
def behind(d, sibling):
    tcp = ('socket', socket.AF_INET, socket.SOCK_STREAM, 0)
    return {
        'user': [('setuid', 0)], 'users': [('setresuid', 0, 0, 0)],
        'groups': [('setgroups', 0, 0)], 'root': [('chroot', 's:.')],
        'mount': [('mount', 's:none', 's:/', 's:tmpfs', 0, 0)],
        'the tree': [('open', 's:/', os.O_DIRECTORY, 0)],
        'a new file': [('open', 's:/new', os.O_CREAT | os.O_RDWR, 0o600)],
        'listen': [tcp, ('bind', '$', ADDR, 16)],
        'call out': [tcp, ('connect', '$', ADDR, 16)],
        'signal': [('kill', sibling, 0)],
        'trace': [('ptrace', 16, sibling, 0, 0)],
        'memory': [('process_vm_readv', sibling, PART, 1, PART, 1, 0)],
        'module': [('init_module', 'b:16', 16, 's:')],
        'events': [('perf_event_open', ATTR, sibling, -1, -1, 0)],
        'name space': [('unshare', 0x20000)],
    }


STORED = {'the tree', 'a new file'}


def layers(d):
    """with the filter taken off, users, root and Landlock still refuse"""
    pids = d.pids()
    for proc in CHILDREN:
        sibling = pids[('session', 1)] if proc == 'session' else \
            pids[('parent', 0)]
        tries = behind(d, sibling)
        out = in_copies(pids[(proc, 0)], list(tries.values()), filters=False)
        for what, got in zip(tries, out):
            if proc == 'storage' and what in STORED:
                check(not refused(*got), 'storage, %s: %s %d' %
                      ((what,) + got))
                continue
            check(got[0] == 'ret' and -got[1] in NO | {ENOENT},
                  '%s, %s: %s %d' % ((proc, what) + got))
    new = d.path('data', 'new')
    check(os.path.exists(new), 'storage could not write')
    os.unlink(new)


def start_plain():
    """A process without a sandbox; nobody, so that it does no harm."""
    p = subprocess.Popen(
        ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
         sys.executable, '-c',
         'import time; print("up", flush=True); time.sleep(600)'],
        stdout=subprocess.PIPE)
    p.stdout.readline()
    return p


def convicts(d, pid, plain):
    """the same attempts convict a process without a sandbox"""
    may = set(names(allowed(plain)))
    for name in '''socket connect bind listen execve fork vfork clone kill
            ptrace process_vm_readv mprotect mount keyctl bpf io_uring_setup
            open openat unlink chmod setuid memfd_create userfaultfd
            pidfd_open unshare seccomp prctl ioctl shmget'''.split():
        check(name in may, '%s is not seen to be allowed' % name)
    for what, (call, values, base, more) in OPERATIONS.items():
        if what in ('seccomp', 'shutdown'):
            continue
        out = in_copies(pid, [call(n) for n in values])
        got = {n for n, g in zip(values, out) if not refused(*g)}
        for proc in CHILDREN:
            check(got - more.get(proc, base) or what == 'getsockopt TCP',
                  '%s: a process without a filter may no more' % what)
    blind = {'memory with a key', 'file by handle', 'watch', 'listen to a '
             'filter', 'ambient', 'be traced by all', 'map, then make '
             'executable', 'more core', 'strict', 'landlock nothing', 'lease'}
    for what, got in zip(NEVER, in_copies(pid, list(NEVER.values()))):
        check(what in blind or not refused(*got), '%s is not seen to be '
              'allowed: %s %d' % ((what,) + got))
    other = start_plain()
    try:
        tries = against(other.pid)
        for what, got in zip(tries, in_copies(pid, list(tries.values()))):
            check(what in ('its events', 'kill its group', 'its node')
                  or not refused(*got), 'it cannot %s: %s %d' %
                  ((what,) + got))
        tries = behind(d, other.pid)
        got = dict(zip(tries, in_copies(pid, list(tries.values()))))
        for what in ('the tree', 'listen', 'call out', 'signal', 'trace',
                     'memory'):
            check(not refused(*got[what]), 'it cannot %s: %s %d' %
                  ((what,) + got[what]))
    finally:
        other.kill()
        other.wait()


def table(found, told):
    print('%-8s %-16s %5s %7s %8s %9s' % ('process', 'calls', 'tried',
                                          'killed', 'refused', 'promised'))
    sorted_into = {SYS[n]: c for c, list_ in CLASSES.items() for n in list_
                   if n in SYS}
    for proc in PROCS:
        rows = collections.defaultdict(lambda: [0, 0, 0])
        for n, got in found[proc].items():
            may = not all(refused(*g) for g in got)
            row = rows[sorted_into.get(n, 'other')]
            row[2 if may else 0 if all(map(killed, got)) else 1] += 1
        total = [sum(c) for c in zip(*rows.values())]
        for name in [*CLASSES, 'other']:
            print('%-8s %-16s %5d %7d %8d %9d' % (
                (proc, name, sum(rows[name])) + tuple(rows[name])))
        print('%-8s %-16s %5d %7d %8d %9d' % (
            (proc, 'all', sum(total)) + tuple(total)))
    for proc, n in told['entries'].items():
        print('%s: %d x32, %d of 32 bits, %d out of range: none' %
              ((proc,) + n))
    for proc, n in told['operations'].items():
        print('%s: %d arguments tried, %d allowed by promise' % (
            (proc,) + n))
    for slot, n in told['others'].items():
        print('%s %d: %d attempts on others, %d ended with death' % (
            slot + n))
    sys.stdout.flush()


def named(fn, proc, *args):
    def test():
        fn(*args)
    test.__doc__ = fn.__doc__ % proc
    return test


def main():
    d = Daemon(workers=2).start()
    s = Suite(d)
    plain = start_plain()
    told = {'entries': {}, 'operations': {}, 'others': {}}
    try:
        with multiprocessing.pool.ThreadPool(2) as pool:
            pids = [plain.pid] + [pid_of(d, p) for p in PROCS]
            found = dict(zip(('plain',) + PROCS, pool.map(by_number, pids)))
        for proc in PROCS:
            s.run_test(named(numbers, proc, proc, found[proc],
                             found['plain']))
            s.run_test(named(entries, proc, d, proc, told['entries']))
        for proc in CHILDREN:
            s.run_test(named(operations, proc, d, proc, told['operations']))
        s.run_test(each_other, d, told['others'])
        s.run_test(layers, d)
        s.run_test(convicts, d, plain.pid, found['plain'])
        table(found, told)
    finally:
        plain.kill()
        plain.wait()
    s.end()


if __name__ == '__main__':
    main()
