#!/usr/bin/env python3
"""What each process can reach, compared with a list that is kept here.

Descriptors with what is behind them, users, root, capabilities, filters and
memory, as the kernel tells them of the living processes."""

import os
import pwd
import re
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from inside import in_copies, inject                            # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import RISAD, Daemon, Failure, until                  # noqa: E402

WORKERS = 2
USERS = {'parent': 'root', 'storage': '_risastor', 'keys': '_risakeys',
         'hash': '_risahash', 'auth': '_risaauth', 'session': '_risasess'}
SESSIONS = ['pipe to session %d' % n for n in range(WORKERS)]

# Standard input is nothing, output and errors are the log; libevent brings
# the epoll and the pipe that signals come by.
ALL = ['read write /dev/null', 'append log', 'append log', 'epoll',
       'read signals', 'write signals']
CHILD = ALL + ['pipe to parent 0']
DATABASES = ['read write data/%s%s' % (name, end)
             for name in ('system.db', 'tenants/1/main.db')
             for end in ('', '-wal', '-shm')]
LISTENING = ['listening tcp']
LOG = re.compile(r'read write data/(tenants/1/)?log-\d{6}\.db(-wal|-shm)?')

# Each descriptor of each process.  The parent keeps what it hands out again
# when a child is started anew.
DESCRIPTORS = {
    'parent': ALL + LISTENING + ['listening unix'] + SESSIONS + [
        'pipe to %s 0' % p for p in ('storage', 'keys', 'hash', 'auth')] + [
        'read tls.crt', 'read keys/tls.key', 'read keys/master.key',
        'read keys/pepper.key', 'read keys/sign.key',
        'read htdocs/index.html', 'read htdocs/assets/app-1a2b3c4d.js'] + 2 * [
        'read htdocs/maps/%s.json' % m
        for m in ('japanese', 'lobby', 'office')],
    'storage': CHILD + ['pipe to auth 0', 'pipe to keys 0'] + SESSIONS +
    DATABASES + ['read data'],
    'keys': CHILD + ['pipe to storage 0'] + SESSIONS,
    'hash': CHILD + ['pipe to auth 0'],
    'auth': CHILD + ['pipe to storage 0', 'pipe to hash 0',
                     'listening unix'] + SESSIONS,
    'session': CHILD + ['pipe to storage 0', 'pipe to auth 0',
                        'pipe to keys 0'] + LISTENING,
}

MODES = {os.O_RDONLY: 'read ', os.O_WRONLY: 'write ',
         os.O_RDWR: 'read write '}

# What root is not left with: to have children of other users in a root of
# their own, to end them, to listen again, and to read what a reload names.
CAPABILITIES = {'dac_read_search': 2, 'kill': 5, 'setgid': 6, 'setuid': 7,
                'net_bind_service': 10, 'sys_chroot': 18}
PR_GET_DUMPABLE, EACCES = 3, 13


def status(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict((line.rstrip('\n').split(':\t') + [''])[:2]
                    for line in f)


class Sockets:
    """What is behind each socket, as iproute2 tells it."""

    def __init__(self, pids):
        owner = {pid: slot for slot, pid in pids.items()}
        ends, peers, self.kinds = {}, {}, {}
        for line in self.run('ss', '-xanpH'):
            v = line.split()
            self.kinds[v[5]] = 'listening unix' if v[1] == 'LISTEN' else \
                'unix'
            peers[v[5]] = v[7]
            for m in re.finditer(r'pid=(\d+),', line):
                if int(m.group(1)) in owner:
                    ends.setdefault(v[5], []).append(owner[int(m.group(1))])
        for line in self.run('ss', '-tanpeH'):
            m = re.search(r'ino:(\d+)', line)
            if m:
                self.kinds[m.group(1)] = 'listening tcp' \
                    if line.startswith('LISTEN') else 'tcp'
        for inode, peer in peers.items():
            if self.kinds[inode] == 'unix':
                self.kinds[inode] = ' and '.join(
                    'pipe to %s %d' % slot for slot in ends.get(peer, [])
                ) or 'pipe to nobody'

    @staticmethod
    def run(*argv):
        return subprocess.run(argv, check=True, stdout=subprocess.PIPE
                              ).stdout.decode().splitlines()


def descriptor(d, pid, fd, sockets):
    """In words; what is not known is called by what the kernel says."""
    name = os.readlink('/proc/%d/fd/%s' % (pid, fd))
    with open('/proc/%d/fdinfo/%s' % (pid, fd)) as f:
        flags = int(re.search(r'^flags:\s*(\d+)$', f.read(), re.M).group(1),
                    8)
    mode = MODES[flags & os.O_ACCMODE]
    if int(fd) > 3 and not flags & os.O_CLOEXEC:
        mode = 'inherited ' + mode
    if name.startswith('socket:'):
        return sockets.kinds.get(name[8:-1], 'other ' + name)
    if name == 'anon_inode:[eventpoll]':
        return 'epoll'
    if name.startswith('pipe:'):
        return mode + 'signals'
    if name == d.path('log'):
        return ('append ' if flags & os.O_APPEND else mode) + 'log'
    if name.startswith(d.dir + '/'):
        name = name[len(d.dir) + 1:]
    return mode + name


def inventory(d, pid, sockets):
    """Of what there is, all that stays: an access log is open while it is
    written."""
    found = []
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            found.append(descriptor(d, pid, fd, sockets))
        except FileNotFoundError:
            continue            # closed meanwhile
    return sorted(one for one in found if not LOG.fullmatch(one))


def differences(have, want):
    """What is there once more, or once less, than the list has it."""
    more, less = list(have), []
    for one in want:
        if one in more:
            more.remove(one)
        else:
            less.append(one)
    return more, less


def wanted(proc, n):
    want = list(DESCRIPTORS[proc])
    if proc == 'session':
        want += ['pipe to session %d' % i for i in range(WORKERS) if i != n]
    return want


def settled(d, slot, pid, more=0):
    """What differs from the list when it no longer changes, or at the end."""
    last = []

    def look():
        last[:] = differences(inventory(d, pid, Sockets(d.pids())),
                              wanted(*slot))
        return len(last[0]) == more and last[1] == []
    try:
        until(look, 'as in the list')
    except Failure:
        pass
    return last


def descriptors(d):
    """each process has the descriptors of the list, and no other"""
    for slot, pid in d.pids().items():
        equal(settled(d, slot, pid), [[], []], '%s %d: more, less' % slot)
        have = inventory(d, pid, Sockets(d.pids()))
        print('%s %d: %s' % (slot + (', '.join(
            '%s%s' % (one, ' x%d' % have.count(one)
                      if have.count(one) > 1 else '')
            for one in sorted(set(have))),)))


def one_more(d):
    """and one that is new in any process is noticed"""
    for slot, pid in d.pids().items():
        for call in (('dup', 3), ('epoll_create1', os.O_CLOEXEC)):
            word, fd = inject(pid, *call)
            check(word == 'ret' and fd > 3, '%s %d: %s %d' % (slot + (word,
                                                                      fd)))
            try:
                more, less = settled(d, slot, pid, more=1)
            finally:
                inject(pid, 'close', fd)
            equal((len(more), less), (1, []), '%s %d' % slot)


def kernel_says(d):
    """user, groups, seccomp, no_new_privs, dumpable, root, core files"""
    for (proc, n), pid in d.pids().items():
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
        equal(st['Threads'], '1', who + ' threads')
        equal(os.readlink('/proc/%d/exe' % pid), RISAD, who + ' program')
        if proc == 'parent':
            continue
        equal(st['Groups'].split(), [str(pw.pw_gid)], who + ' groups')
        # Not dumpable: its /proc files are root's, not its user's.
        equal(os.stat('/proc/%d/mem' % pid).st_uid, 0, who + ' dumpable')
        equal(in_copies(pid, [[('prctl', PR_GET_DUMPABLE, 0, 0, 0, 0)]]),
              [('ret', 0)], who + ' dumpable')
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


def landlocked(d):
    """with seccomp taken off, Landlock refuses what chroot would not"""
    for (proc, n), pid in d.pids().items():
        writes = [('open', 's:/etc/passwd' if proc == 'parent' else 's:/',
                   os.O_WRONLY if proc == 'parent' else os.O_DIRECTORY, 0)]
        if proc == 'storage':
            # Its directory is its own; to make a device there is not.
            writes = [('mknod', 's:/x', stat.S_IFIFO | 0o600, 0)]
        got = in_copies(pid, [writes], filters=False)
        equal(got, [('ret', -EACCES)], '%s %d' % (proc, n))


def mask(text):
    return {i for i in range(64) if int(text, 16) >> i & 1}


def capabilities(d):
    """root keeps six capabilities, and the children none"""
    for (proc, n), pid in d.pids().items():
        st = status(pid)
        six = set(CAPABILITIES.values())
        own = six if proc == 'parent' else set()
        for name, want in (('CapEff', own), ('CapPrm', own),
                           ('CapInh', set()), ('CapAmb', set()),
                           ('CapBnd', six)):
            equal(mask(st[name]), want, '%s %d %s' % (proc, n, name))


def memory(d):
    """nothing is writable and executable, and code is of programs alone"""
    for (proc, n), pid in d.pids().items():
        with open('/proc/%d/maps' % pid) as f:
            for line in f:
                v = line.split()
                check(not ('w' in v[1] and 'x' in v[1]), line)
                check('x' not in v[1] or v[-1] == RISAD or
                      v[-1] in ('[vdso]', '[vsyscall]') or
                      re.match(r'/(usr/)?lib', v[-1]), line)


def anew(d):
    """a child that is started again can reach what it could before"""
    pids = d.pids()
    for proc in USERS:
        if proc == 'parent':
            continue
        os.kill(pids[(proc, 0)], 9)

        def back():
            try:
                rows = d.processes()
            except Failure:
                return False
            return all(p['up'] and p['pid'] for p in rows) and \
                all(pids[(proc, 0)] != p['pid'] for p in rows)
        until(back, '%s is back' % proc)
    # The database of the tenant is opened by whoever asks for it.
    d.do('user', 'list', 'acme')
    until(d.healthy, 'it serves')
    until(lambda: quiet(d), 'no connections')
    descriptors(d)
    kernel_says(d)
    capabilities(d)
    memory(d)


def quiet(d):
    st = d.stats()
    return all(st['session.%d.connections' % n] == 0 for n in range(WORKERS))


def main():
    d = Daemon(workers=WORKERS).start()
    d.do('tenant', 'add', 'acme')
    d.person('acme', 'fds@acme.example').close()
    until(lambda: quiet(d), 'no connections')
    s = Suite(d)
    s.run_test(descriptors, d)
    s.run_test(one_more, d)
    s.run_test(kernel_says, d)
    s.run_test(landlocked, d)
    s.run_test(capabilities, d)
    s.run_test(memory, d)
    s.run_test(anew, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
