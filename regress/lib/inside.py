"""System calls made inside living processes, and what became of them.

The work is done by attack/inject.c: in the process itself, or in copies of it
that are forked off for one attempt each."""

import os
import re
import subprocess
import tempfile

from risa import BOUND, TOP, Failure

BUILT = tempfile.TemporaryDirectory(prefix='risad-inject-')
INJECT = os.path.join(BUILT.name, 'inject')
HEADER = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'

EPERM, EACCES, ENOTTY, ENOSYS, EAFNOSUPPORT = 1, 13, 25, 38, 97
SIGSYS = 31
NO = {EPERM, EACCES, ENOTTY, ENOSYS, EAFNOSUPPORT}


def _names():
    with open(HEADER) as f:
        return {m.group(1): int(m.group(2)) for m in re.finditer(
            r'^#define __NR_(\w+) (\d+)$', f.read(), re.M)}


SYS = _names()                  # numbers on x86-64, by name
NAMES = {n: name for name, n in SYS.items()}


def build():
    subprocess.run(['cc', '-O2', '-D_GNU_SOURCE', '-o', INJECT, os.path.join(
        TOP, 'regress', 'attack', 'inject.c')], check=True)


build()


def number(call):
    """Of a call that is given by name or by number."""
    return str(SYS[call] if isinstance(call, str) else call)


def outcome(line):
    word, n = line.split()
    return word, int(n)


def inject(pid, call, *args):
    """What the call gives inside the process: ('ret', n) or ('died', sig)."""
    p = subprocess.run([INJECT, str(pid), number(call)] +
                       [str(a) for a in args], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=BOUND)
    if p.returncode != 0:
        raise Failure('inject %s: %s' % (call, p.stderr.decode()))
    return outcome(p.stdout.decode())


def in_copies(pid, tries, filters=True, bound=600):
    """Each try in a copy of the process of its own; the outcomes.

    A try is a list of calls, each (name or number, arguments ...); an
    argument '$' is what the call before has given.  With a first word 'i' it
    is made by the entry of 32 bits.  Without filters, seccomp is off."""
    lines = [' ; '.join(' '.join(
        [('i ' + number(c[1])) if c[0] == 'i' else number(c[0])] +
        [str(a) for a in c[2 if c[0] == 'i' else 1:]]) for c in calls)
        for calls in tries]
    p = subprocess.run([INJECT, '-c'] + ([] if filters else ['-s']) +
                       [str(pid)], input='\n'.join(lines + ['']).encode(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=bound)
    out = p.stdout.decode().splitlines()
    if p.returncode != 0 or len(out) != len(lines):
        raise Failure('copies of %d: %d of %d, %s' % (
            pid, len(out), len(lines), p.stderr.decode()))
    return [outcome(line) for line in out]


def refused(word, n):
    """By the sandbox, or by the kernel in a way that it says no in."""
    return word == 'died' and n == SIGSYS or word == 'ret' and -n in NO
