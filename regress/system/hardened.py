#!/usr/bin/env python3
"""The programs are built so that a fault in them is hard to make use of.

Read from the programs themselves; the same eyes say no to one that is built
without."""

import os
import platform
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, RISAD, TOP                            # noqa: E402

X86 = platform.machine() == 'x86_64'
WEAK = 'int main(int c, char *v[]) { char b[99]; return c > 98 ? b[c] : ' \
    '*__builtin_strcpy(b, v[0]); }\n'


def run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout.decode()


def ours(program):
    """How the compiler was called for each of our files."""
    text = run('readelf', '--debug-dump=info', '-W', program)
    units = re.findall(r'DW_TAG_compile_unit\).*?DW_AT_producer\s*:(.*?)\n',
                       text, re.S)
    return units


def entries(program):
    """The first instruction of each function that others can call."""
    symbols = re.findall(
        r'^\s*\d+: [0-9a-f]+\s+\d+ FUNC\s+GLOBAL \w+\s+\d+ (\w+)$',
        run('readelf', '-Ws', program), re.M)
    code = run('objdump', '-d', '--no-show-raw-insn', program)
    first = dict(re.findall(r'^[0-9a-f]+ <(\w+)>:\n\s*[0-9a-f]+:\s*(\w+)',
                            code, re.M))
    return {n: first[n] for n in symbols
            if n in first and not n.startswith('_')}


def hardening(program):
    """What is asked for, and whether the program has it."""
    head = run('readelf', '-Wh', '-Wl', '-Wd', program)
    symbols = run('readelf', '-W', '--dyn-syms', program)
    units = ours(program)
    loads = re.findall(r'^\s+LOAD .* (R?\s?W?\s?E?)\s+0x', head, re.M)

    def built(flag):
        return bool(units) and all(flag in u for u in units)
    found = {
        'position independent': 'Type:' in head and ' DYN ' in head and
        bool(re.search(r'FLAGS_1.*\bPIE\b', head)),
        'relocations read-only': 'GNU_RELRO' in head and
        bool(re.search(r'\(FLAGS\).*BIND_NOW', head)),
        'stack not executable': bool(re.search(
            r'GNU_STACK.* RW\s+0x', head)),
        'nothing writable and executable': bool(loads) and not any(
            'W' in v and 'E' in v for v in loads),
        'text without relocations': 'TEXTREL' not in head,
        'no path of its own': not re.search(r'\((RPATH|RUNPATH)\)', head),
        'stack protector': '__stack_chk_fail' in symbols and
        built('-fstack-protector-strong'),
        'stack probed': built('-fstack-clash-protection'),
        'fortified': bool(re.search(r'__\w+_chk@', symbols.replace(
            '__stack_chk_fail', ''))),
        'variables zeroed': built('-ftrivial-auto-var-init=zero'),
    }
    if X86:
        starts = entries(program)
        found['calls and returns guarded'] = built('-fcf-protection') and \
            bool(starts) and set(starts.values()) == {'endbr64'}
    return found


def built(program):
    """%s has all of it"""
    found = hardening(program)
    for what, yes in found.items():
        print('%s, %s: %s' % (os.path.basename(program), what,
                              'yes' if yes else 'no'))
    equal([what for what, yes in found.items() if not yes], [], 'lacks')


def fortify():
    """each file is compiled with the third level of fortify"""
    for name in ('risad/log', 'risactl/output'):
        text = run('make', '-C', TOP, '-n', '-W', name + '.c', name + '.o')
        check('-D_FORTIFY_SOURCE=3' in text, text)
        check(text.rindex('-D_FORTIFY_SOURCE=3') >
              text.rindex('-U_FORTIFY_SOURCE'), 'taken away again')


def anywhere():
    """where and when they were built is in none of them"""
    for program in (RISAD, RISACTL):
        with open(program, 'rb') as f:
            check(TOP.encode() not in f.read(), program + ': its place')
    text = run('make', '-C', TOP, '-n', '-W', 'risad/log.c', 'risad/log.o')
    check('-Wdate-time' in text and '-Werror' in text, text)


def convicts():
    """a program that is built without it has none of it"""
    with tempfile.TemporaryDirectory(prefix='risad-weak-') as dir_:
        weak = os.path.join(dir_, 'weak')
        with open(weak + '.c', 'w') as f:
            f.write(WEAK)
        run('cc', '-g', '-O0', '-no-pie', '-fno-pie', '-fno-stack-protector',
            '-fcf-protection=none', '-Wl,-z,norelro', '-Wl,-z,lazy',
            '-Wl,-z,execstack', '-Wl,-rpath,/tmp', '-w', '-o', weak,
            weak + '.c')
        yes = {what for what, yes in hardening(weak).items() if yes}
        equal(yes - {'nothing writable and executable',
                     'text without relocations'}, set(), 'said of it')


def named(program):
    def test():
        built(program)
    test.__doc__ = built.__doc__ % os.path.basename(program)
    return test


def main():
    s = Suite()
    s.run_test(named(RISAD))
    s.run_test(named(RISACTL))
    s.run_test(fortify)
    s.run_test(anywhere)
    s.run_test(convicts)
    s.end()


if __name__ == '__main__':
    main()
