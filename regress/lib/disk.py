"""A disk of its own for a daemon: its power can be cut, it can be full, and it
can refuse to write.

An image behind nbdkit, whose write-back cache is what a disk has not written
yet; nbdfuse makes a file of it, and ext4 is mounted on a loop device of that.
Who kills nbdkit has thrown the cache away: that is a power cut.  What is
mounted, only we and what we start can see, and it ends with us.
"""

import ctypes
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import time

from risa import Failure, until

CLONE_NEWNS = 0x00020000
TOOLS = ('nbdkit', 'nbdfuse', 'mkfs.ext4', 'mount', 'umount')
# What a container may lack, while its kernel has it.
NODES = (('/dev/fuse', stat.S_IFCHR, 10, 229, 'fuse'),
         ('/dev/loop-control', stat.S_IFCHR, 10, 237, 'loop'),
         ('/dev/loop0', stat.S_IFBLK, 7, 0, 'loop'))


def prepare():
    """Mounts of our own, and all that a disk needs; or why it cannot be."""
    missing = [t for t in TOOLS if shutil.which(t) is None]
    if missing:
        raise Failure('not installed: ' + ' '.join(missing))
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise Failure('no mounts of our own: it takes CAP_SYS_ADMIN')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)
    for path, kind, major, minor, module in NODES:
        if not os.path.exists(path) and shutil.which('modprobe'):
            subprocess.run(['modprobe', '-q', module])
        if not os.path.exists(path):
            try:
                os.mknod(path, kind | 0o600, os.makedev(major, minor))
            except OSError as e:
                raise Failure('there is no %s, and it cannot be made: %s' %
                              (path, e))


def _with_us():
    """Between fork and exec: it ends with the test, not at its Ctrl-C."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


def run(*words):
    p = subprocess.run(words, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60)
    if p.returncode != 0:
        raise Failure('%s: %s' % (' '.join(words),
                                  p.stdout.decode().strip()))


class Disk:
    """An ext4 file system at a directory, on an image beside it."""

    def __init__(self, top, at, megabytes=48):
        self.top, self.at = top, at
        self.image = os.path.join(top, 'image')
        self.sock = os.path.join(top, 'nbd')
        self.ready = os.path.join(top, 'nbd.pid')
        self.fuse = os.path.join(top, 'fuse')
        self.file = os.path.join(self.fuse, 'disk')
        self.fault = os.path.join(top, 'fault')
        self.kit = self.mounter = self.why = None
        os.makedirs(self.fuse, exist_ok=True)
        with open(self.image, 'wb') as f:
            f.truncate(megabytes << 20)
        run('mkfs.ext4', '-q', '-F', '-m', '0', self.image)

    def _log(self):
        return open(os.path.join(self.top, 'disk.log'), 'ab')

    def on(self):
        """Power: the file system as the disk has it."""
        for path in (self.sock, self.ready, self.fault):
            if os.path.exists(path):
                os.unlink(path)
        with self._log() as log:
            self.kit = subprocess.Popen(
                ['nbdkit', '-f', '-U', self.sock, '-P', self.ready,
                 '--filter=error',
                 '--filter=cache', 'file', self.image, 'cache=writeback',
                 'error=EIO', 'error-pwrite-rate=100%',
                 'error-file=' + self.fault],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_with_us)
            until(lambda: os.path.exists(self.ready), 'nbdkit listens')
            self.mounter = subprocess.Popen(
                ['nbdfuse', self.file, 'nbd+unix:///?socket=' + self.sock],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_with_us)
        until(self._there, 'nbdfuse has mounted')
        # The journal is written when somebody asks for it, and not by itself.
        run('mount', '-t', 'ext4', '-o', 'loop,commit=300', self.file,
            self.at)
        return self

    def refuses(self, yes):
        """Each write to it fails from now on, or no longer."""
        if yes:
            open(self.fault, 'w').close()
        else:
            os.unlink(self.fault)

    def _there(self):
        if self.mounter.poll() is not None:
            raise Failure('nbdfuse ended with %d' % self.mounter.returncode)
        try:
            return os.path.getsize(self.file) > 0
        except OSError:
            return False

    def cut(self):
        """No power from now on: what no flush has written, is gone."""
        self.kit.kill()
        self.kit.wait()

    def off(self):
        """Nothing is mounted any more; whoever had files open is gone."""
        def away():
            p = subprocess.run(['umount', self.at], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            self.why = p.stdout.decode().strip()
            return p.returncode == 0
        if os.path.ismount(self.at):
            try:
                until(away, 'nobody uses the file system')
            except Failure:
                raise Failure(self.why)
        if self.mounter is not None:
            subprocess.run(['umount', '-l', self.fuse],
                           stderr=subprocess.DEVNULL)
            try:
                self.mounter.wait(5)
            except subprocess.TimeoutExpired:
                self.mounter.kill()
                self.mounter.wait()
        if self.kit is not None and self.kit.poll() is None:
            self.cut()
        self.kit = self.mounter = None

    def room(self):
        v = os.statvfs(self.at)
        return v.f_bavail * v.f_frsize

    def fill(self, leave=0):
        """Take all room but so many bytes; the path of what takes it."""
        path = os.path.join(self.at, 'filler')
        with open(path, 'ab', buffering=0) as f:
            block = bytes(1 << 16)
            end = time.monotonic() + 60
            while self.room() > leave and time.monotonic() < end:
                try:
                    f.write(block[:max(512, min(len(block),
                                                self.room() - leave))])
                except OSError:
                    break
            os.fsync(f.fileno())
        return path


class Inject:
    """While this lasts, system calls of a process fail, or take long.

    A rule is what strace(1) calls it: fdatasync:error=EIO:when=3, for all or
    only for some files.  hits says afterwards how many have."""

    def __init__(self, pid, *rules, files=()):
        self.pid, self.rules, self.files = pid, rules, files
        self.proc = self.hits = None
        self.out = tempfile.NamedTemporaryFile(prefix='risad-test-')

    def __enter__(self):
        words = ['strace', '-qq', '-p', str(self.pid), '-o', self.out.name,
                 '-e', 'trace=' + ','.join(r.split(':')[0]
                                           for r in self.rules)]
        for r in self.rules:
            # A call of no number would be the sandbox's end of it.
            words += ['-e', 'inject=' + r.replace(
                ':error=', ':syscall=getpid:error=')]
        for f in self.files:
            words += ['-P', f]
        self.proc = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT,
                                     preexec_fn=_with_us)
        until(self._traced, 'strace has got hold of it')
        return self

    def _traced(self):
        if self.proc.poll() is not None:
            raise Failure('strace: %s' % self.proc.stdout.read().decode())
        with open('/proc/%d/status' % self.pid) as f:
            return 'TracerPid:\t%d\n' % self.proc.pid in f.read()

    def __exit__(self, *what):
        self.proc.terminate()
        self.proc.wait(20)
        self.proc.stdout.close()
        told = self.out.read()
        self.hits = told.count(b'(INJECTED)') + told.count(b'(DELAYED)')
        self.out.close()
