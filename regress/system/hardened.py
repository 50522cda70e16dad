#!/usr/bin/env python3
"""The programs are built so that a fault in them is hard to make use of, the
same comes of the sources wherever they are built, nothing in it is there for a
test, and it is known what it consists of.

Read from the programs themselves; the same eyes say no to one that is built
otherwise."""

import base64
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import RISACTL, RISAD, TOP                            # noqa: E402

PAGES = {RISAD: ('risad.8', 'risad.conf.5'),
         RISACTL: ('risactl.8', 'risad.8')}
X86 = platform.machine() == 'x86_64'
WEAK = 'int main(int c, char *v[]) { char b[99]; return c > 98 ? b[c] : ' \
    '*__builtin_strcpy(b, v[0]); }\n'

# What a program would be that does otherwise while it is tested.
TESTED = """#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int failing;
__attribute__((weak)) void write_hook(void) { puts("fault injected"); }
int main(void)
{
	if (getenv("RISAD_FAILING") || access("/tmp/risad-failing", F_OK) == 0)
		failing = 1;
	write_hook();
	return failing;
}
"""

# Words that a switch for tests would be called by, and who else is.
WORDS = {'backdoor', 'bypass', 'debug', 'debugging', 'fake', 'fault',
         'faults', 'fuzz', 'fuzzing', 'hook', 'hooks', 'inject', 'injected',
         'injection', 'mock', 'regress', 'simulate', 'simulated', 'stub',
         'stubs', 'test', 'testing', 'tests'}
CALLED = {
    'audit_fault_line': 'what is wrong with a trail',
    'audit_fault_text': 'the same',
    'audit_fault_word': 'the same',
    'db_hooks': 'what SQLite calls at a commit',
    'db_masters_fault': 'what is wrong with the key file',
    'debug': 'the option d',
    'debugging': 'the same',
    'emit_test': 'an instruction of the filter of system calls',
    'faults': 'what is wrong with a trail, with a password',
    'list_fault': 'what is wrong with a list of networks',
    'log_debug': 'the option v',
    'log_debugging': 'the same',
}
SAID = {'fault', 'lines at fault: %zu%s'}

# What asks the environment.
ASKS = {'getenv', 'secure_getenv', '__secure_getenv', 'environ', '__environ'}

# Places of the system: for the libraries, and the loader.
SYSTEM = {'/dev/null', '/dev/urandom', '/etc/group', '/etc/ld.so.cache',
          '/etc/localtime', '/etc/nsswitch.conf', '/etc/passwd',
          '/etc/ssl/openssl.cnf', '/lib/ld-linux-aarch64.so.1', '/lib64',
          '/lib64/ld-linux-x86-64.so.2', '/usr/lib', '/usr/share/zoneinfo'}


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


def sums(top):
    """What is installed of what is built below top, by its name there."""
    names = ['risad/risad', 'risactl/risactl']
    for dir_, _, files in os.walk(os.path.join(top, 'risad', 'htdocs')):
        names += [os.path.relpath(os.path.join(dir_, f), top) for f in files]
    found = {}
    for name in names:
        with open(os.path.join(top, name), 'rb') as f:
            found[name] = hashlib.sha256(f.read()).hexdigest()
    return found


def elsewhere():
    """programs and page come out the same elsewhere, later, by another"""
    tracked = run('git', '-c', 'safe.directory=*', '-C', TOP, 'ls-files', '-z')
    with tempfile.TemporaryDirectory(prefix='risad other place ') as dir_:
        for name in tracked.split('\0'):
            if not name or name.startswith('regress/'):
                continue
            to = os.path.join(dir_, name)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(os.path.join(TOP, name), to)
            os.utime(to, (10 ** 9, 10 ** 9))
        was = os.environ.get('LC_ALL', '')
        env = dict(os.environ, TZ='Pacific/Kiritimati', PWD=dir_,
                   LC_ALL='C' if was.startswith('C.') else 'C.UTF-8')
        made = subprocess.run(
            ['make', '-s', '-j2', 'all', 'page'], cwd=dir_, env=env,
            umask=0o077, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        check(made.returncode == 0, made.stdout.decode()[-2000:])
        here, there = sums(TOP), sums(dir_)
    check(len(here) > 20, here)
    equal([n for n in sorted(here.keys() | there.keys())
           if here.get(n) != there.get(n)], [], 'differ')


def objects(program):
    """The files that a program is linked of."""
    var = '${OBJS}' if program == RISAD else '${OBJS_CTL}'
    text = run('make', '-s', '--no-print-directory', '-C', TOP,
               '--eval=objects: ; @echo ' + var, 'objects')
    return [os.path.join(TOP, o) for o in text.split()]


def symbols_of(objs):
    """(kind, name) of all symbols, those of one file as well."""
    found = re.findall(r'^(?:[0-9a-f]+)? +(\w) (\S+)$', run('nm', *objs),
                       re.M)
    return [(kind, re.sub(r'\.\d+$', '', name)) for kind, name in found]


def texts(*files):
    """What is said in a program, not what is said of it for debuggers."""
    found = set()
    for file in files:
        with open(file, 'rb') as f:
            data = f.read()
        for start, size in re.findall(
                r'\] \.(?:ro)?data\S* +PROGBITS +[0-9a-f]+ ([0-9a-f]+) '
                r'([0-9a-f]+)', run('readelf', '-SW', file)):
            start = int(start, 16)
            found |= set(re.findall(rb'[\t\n -~]{2,}',
                                    data[start:start + int(size, 16)]))
    return {t.decode() for t in found}


def documented(pages):
    text = ''
    for page in pages:
        with open(os.path.join(TOP, 'man', page), encoding='utf-8') as f:
            text += f.read()
    return text


def unsaid(text, manual):
    """Whether it is a file of which the manual says nothing."""
    place = text.rstrip('/')
    return bool(re.match(
        r'/(bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|'
        r'sbin|srv|sys|tmp|usr|var)(/|$)', text)) and \
        place not in SYSTEM and \
        not re.search(re.escape(place) + r'(?![\w-])', manual)


def wordy(text, known):
    return text not in known and any(
        w in WORDS for w in re.findall('[a-z]+', text.lower()))


def asked(program, objs, pages):
    """What is asked of the environment without the manual saying so."""
    bad = []
    linked = ASKS & {n.split('@')[0] for _, n in symbols_of([program])}
    said = set(re.findall(r'^\.It Ev (.*)$', documented(pages), re.M))
    said = {w for line in said for w in re.findall(r'\w+', line)}
    for obj in objs:
        calls = [n for n in re.findall(
            r' R_\w+ +[0-9a-f]+ ([\w]+)', run('readelf', '-rW', obj))
            if n in ASKS]
        # Each call asks for one; capitals are all that one is called by.
        words = {t for t in texts(obj)
                 if re.fullmatch(r'[A-Z][A-Z0-9_]{2,}', t)} if calls else set()
        linked -= set(calls)
        bad += sorted(words - said)
        if len(words) < len(calls) or not ASKS.isdisjoint(
                set(calls) - {'getenv'}):
            bad.append('%s: %r' % (os.path.basename(obj), calls))
    return bad + sorted(linked)


def switches(program, objs, pages):
    """What a program has that may be there for a test."""
    symbols = symbols_of(objs)
    own = {n for k, n in symbols + symbols_of([program]) if k != 'U'}
    # In the objects, no text is yet the end of another.
    said = texts(program, *objs)
    manual = documented(pages)
    return {
        'names': sorted(n for n in own if wordy(n, CALLED)),
        'replaceable': sorted({n for k, n in symbols if k in 'wWvViI'}),
        'words': sorted(t for t in said if wordy(t, SAID)),
        'places': sorted(t for t in said if unsaid(t, manual)),
        'environment': asked(program, objs, pages),
    }


def no_switch():
    """nothing in the programs is there for a test"""
    names = set()
    for program, pages in PAGES.items():
        objs = objects(program)
        check(len(objs) > 10, objs)
        names |= {n for k, n in symbols_of(objs) if k != 'U'}
        check(len(texts(program)) > 400, 'no texts')
        for what, found in switches(program, objs, pages).items():
            equal(found, [], os.path.basename(program) + ', ' + what)
    equal(CALLED.keys() - names, set(), 'no longer there')


def options():
    """a program takes no option that its manual does not name"""
    for program, inner in ((RISAD, 'PI'), (RISACTL, '')):
        manual = documented(PAGES[program][:1])
        synopsis = manual[manual.index('.Sh SYN'):manual.index('.Sh DESC')]
        known = set(''.join(re.findall(r'\bFl (\w+)', synopsis)))
        check(known, program)
        for c in inner:
            check('.Fl %s\n' % c in manual, c)
            known.add(c)
        for c in map(chr, range(0x21, 0x7f)):
            if c in known or c in '-:':
                continue
            r = subprocess.run([program, '-' + c, 'x'],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=30)
            check("invalid option -- '%s'" % c in r.stderr.decode() and
                  r.returncode != 0, '-%s: %r' % (c, r.stderr))


def convicts_switches():
    """a program that does otherwise when it is tested is found out"""
    with tempfile.TemporaryDirectory(prefix='risad-tested-') as dir_:
        tested = os.path.join(dir_, 'tested')
        with open(tested + '.c', 'w') as f:
            f.write(TESTED)
        run('cc', '-O2', '-fPIE', '-c', '-o', tested + '.o', tested + '.c')
        run('cc', '-pie', '-o', tested, tested + '.o')
        found = switches(tested, [tested + '.o'], PAGES[RISAD])
    equal(found, {'names': ['write_hook'], 'replaceable': ['write_hook'],
                  'words': ['fault injected'],
                  'places': ['/tmp/risad-failing'],
                  'environment': ['RISAD_FAILING']}, 'said of it')


def closure(program):
    """Every file that the loader takes for a program, and the loader."""
    text = run('ldd', program)
    at = {os.path.basename(p): p
          for p in re.findall(r'(/\S+) \(0x', text)}
    todo, files = [program], set()
    while todo:
        for name in re.findall(r'\(NEEDED\).*\[(.*)\]',
                               run('readelf', '-dW', todo.pop())):
            if at[name] not in files:
                files.add(at[name])
                todo.append(at[name])
    equal(files, set(at.values()), 'loaded')
    return files


def versions(files):
    """The packages of files, with their versions."""
    found = set()
    for file in files:
        real = os.path.realpath(file)
        text = subprocess.run(
            ['dpkg', '-S', real, re.sub('^/usr', '', real)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        name = text.split(': ')[0]
        found.add(tuple(run('dpkg-query', '-W', '-f', '${Package} ${Version}',
                            name).split()))
    return found


def parts():
    """the list of parts is of what is loaded, bundled and built, each time"""
    def made():
        run('make', '-s', '-C', TOP, 'sbom')
        with open(os.path.join(TOP, 'risad.cdx.json')) as f:
            return f.read()
    text = made()
    equal(made(), text, 'made again')
    bom = json.loads(text)
    equal((bom['bomFormat'], bom['specVersion']), ('CycloneDX', '1.5'))
    part = bom['components']
    deb = {(p['name'], p['version']) for p in part
           if p['scope'] == 'required' and 'pkg:deb/' in p['purl']}
    equal(deb, versions(closure(RISAD) | closure(RISACTL)), 'libraries')
    equal([p['name'] for p in part if p['scope'] == 'excluded'
           and p['name'].startswith('gcc')],
          [n for n, _ in versions([shutil.which('cc')])], 'compiler')
    bundled(part)
    built_of(bom)


def bundled(part):
    """What the page says it imports, as it is locked."""
    web = os.path.join(TOP, 'risad', 'web')
    with open(os.path.join(web, 'package-lock.json')) as f:
        lock = json.load(f)['packages']
    want = {}
    for key, p in lock.items():
        if key and not p.get('dev'):
            alg, digest = p['integrity'].split('-', 1)
            want[key.rpartition('node_modules/')[2]] = (
                p['version'], p['license'], base64.b64decode(digest).hex())
    got = {p['name']: (p['version'], p['licenses'][0]['expression'],
                       p['hashes'][0]['content']) for p in part
           if p['scope'] == 'required' and 'pkg:npm/' in p['purl']}
    equal(got, want, 'bundled')
    imported = set()
    for dir_, _, files in os.walk(os.path.join(web, 'src')):
        for name in files:
            with open(os.path.join(dir_, name), encoding='utf-8') as f:
                imported |= set(re.findall(
                    r"(?:from |import |import\()'((?:@[\w-]+/)?[\w-]+)"
                    r"(?:/[\w./-]*)?'", f.read()))
    check(imported, 'nothing imported')
    equal(imported - got.keys(), set(), 'imported, not listed')


def built_of(bom):
    """What is ours, and that whatever is named is there."""
    top = bom['metadata']['component']
    with open(os.path.join(TOP, 'risad', 'risad.h')) as f:
        check('RISAD_VERSION\t\t"%s"' % top['version'] in f.read(), 'version')
    refs, hashes, todo = set(), {}, [top] + bom['components']
    while todo:
        p = todo.pop()
        check(p['bom-ref'] not in refs, p)
        refs.add(p['bom-ref'])
        todo += p.get('components', [])
        if '/' in p['bom-ref'] and ':' not in p['bom-ref'] and 'hashes' in p:
            hashes[p['bom-ref']] = p['hashes'][0]['content']
    equal(hashes, sums(TOP), 'hashes')
    depends = {d['ref']: set(d['dependsOn']) for d in bom['dependencies']}
    used, todo = set(), ['risad']
    while todo:
        ref = todo.pop()
        if ref not in used:
            used.add(ref)
            todo += depends[ref]
    equal(used, {p['bom-ref'] for p in bom['components']
                 if p['scope'] == 'required'} |
          {'risad', 'risad/risad', 'risactl/risactl', 'risad/htdocs'},
          'depended on')


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
    s.run_test(no_switch)
    s.run_test(options)
    s.run_test(convicts_switches)
    s.run_test(parts)
    s.run_test(elsewhere)
    s.end()


if __name__ == '__main__':
    main()
