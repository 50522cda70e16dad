#!/usr/bin/env python3
"""What the sources must hold that no compiler looks at.

Run in the top directory; each check is given by its name and prints what it
finds, one line each.  Exit 1 if there was anything."""

import glob
import re
import sys
import unicodedata

C_FILES = ['risad/*.[ch]', 'risad/*.y', 'risad/compat/**/*.[ch]',
           'risactl/*.[ch]', 'regress/unit/*.[ch]', 'regress/fuzz/*.[ch]',
           'regress/bench/*.[ch]', 'regress/attack/*.[ch]']
ALL_FILES = C_FILES + ['Makefile', 'risad/compat/*.mk', 'etc/*', 'man/*',
                       'regress/**/*.sh', 'regress/**/*.py', '.ci/run',
                       'README.md']
FORBIDDEN = ['alloca', 'asctime', 'atof', 'atoi', 'atol', 'atoll', 'gets',
             'mktemp', 'popen', 'rand', 'sprintf', 'strcat', 'strcpy',
             'strncat', 'strncpy', 'strtok', 'system', 'tmpnam', 'vsprintf']
SQL = re.compile(r'\b(SELECT\s.*\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|'
                 r'UPDATE\s+\w+\s+SET|DELETE\s+FROM|(CREATE|DROP|ALTER)\s+'
                 r'(TABLE|INDEX|TRIGGER)|PRAGMA\s|BEGIN\s+IMMEDIATE)')

# What risa-protocol(7) says in numbers; the second in seconds.
FIGURES = [
    'CANDIDATES', 'EARSHOT_LISTEN', 'EARSHOT_VOICES', 'SIGNAL_RATE',
    'MEDIA_RATE', 'MEDIA_BURST',
    'LEG_RATE', 'SAY_RATE', 'SAY_BURST', 'TEXT_RATE', 'TEXT_BURST',
    'HISTORY_MAX', 'CLOSE_ENDED', 'CLOSE_ELSEWHERE', 'FLOOR_QUEUE',
    'FLOOR_SLOTS', 'HTTP_MAXLINE', 'HTTP_MAXHEAD', 'HTTP_MAXFIELDS',
    'HTTP_MAXPATH', 'MAP_MAXWALLS', 'MAP_MAXROOMS', 'MAP_MAXFURNITURE',
    'MAP_MAXSPAWN', 'MAP_MINPOINTS', 'MAP_MAXPOINTS', 'MAP_MAXDOORS',
    'MAP_MAXCAPACITY', 'MAP_MINSIZE', 'MAP_MAXSIZE', 'MAP_MAXDEPTH',
    'WALK_SPEED', 'MAX_TEXT_CHARS', 'MAX_REF', 'MAX_NOTE_CHARS',
    'MAX_NAME_CHARS', 'MAX_TITLE_CHARS', 'MAX_PASSWORD_CHARS', 'MAX_LABEL',
    'CSV_LINES', 'MAX_MEMBERS', 'MAX_GROUPS', 'MAX_FLOORS', 'MAX_USERS',
    'ADDR_TRIES', 'ATTACK_ADDRESS', 'ATTACK_TENANT', 'TOKENS_KEPT',
    'UNREAD_MAX', 'DMS_MAX', 'CALL_BURST', 'CALLS_MAX', 'DOOR_BURST',
]
FIGURES_MS = [
    'FIRST_MS', 'HEAD_MS', 'BODY_MS', 'IDLE_MS', 'PING_MS', 'PONG_MS',
    'CALL_MS', 'PASS_MS',
]


def files(patterns):
    found = set()
    for p in patterns:
        found.update(glob.glob(p, recursive=True))
    return sorted(f for f in found if '/out/' not in f
                  and 'node_modules' not in f and f != 'risad/parse.c'
                  and not f.endswith(('.o', '.png')))


def read(name):
    with open(name, encoding='utf-8') as f:
        return f.read()


def code_of(text, strings=False):
    """C without comments and, unless wanted, without what strings hold."""
    def replace(m):
        s = m.group(0)
        if s.startswith('/'):
            return re.sub(r'[^\n]', ' ', s)
        return s if strings else s[0] + ' ' * (len(s) - 2) + s[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                  r"'(?:\\.|[^'\\\n])*'", replace, text, flags=re.S)


def find(pattern, name, text):
    for m in re.finditer(pattern, text, re.M):
        yield '%s:%d: %s' % (name, text.count('\n', 0, m.start()) + 1,
                             text[m.start():].split('\n')[0].strip())


def columns():
    """no line is longer than 80 columns"""
    for name in files(ALL_FILES):
        for n, line in enumerate(read(name).split('\n'), 1):
            width = sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1
                        for c in line.expandtabs(8))
            if width > 80:
                yield '%s:%d: %d columns' % (name, n, width)


def spaces():
    """no white space at the end of a line, and C is indented by tabs"""
    for name in files(ALL_FILES):
        yield from find(r'[ \t]+$', name, read(name))
        if name.endswith(('.c', '.h', '.y')):
            yield from find(r'^ {8}', name, read(name))


def typedefs():
    """a struct is called a struct"""
    for name in files(C_FILES):
        yield from find(r'\btypedef\b', name, code_of(read(name)))


def conditions():
    """what differs between systems is below risad/compat"""
    for name in files(C_FILES):
        if name.startswith('risad/compat/'):
            continue
        text = code_of(read(name))
        for line in find(r'^[ \t]*#[ \t]*(if|elif|else)', name, text):
            if not re.search(r'#ifndef \w+_H$', line):
                yield line


def calls():
    """no call that cannot say how much room there is, or starts a shell"""
    for name in files(C_FILES):
        # A test may start what it needs; the programs start nothing.
        words = [w for w in FORBIDDEN if w not in ('system', 'popen')
                 or not name.startswith('regress/')]
        yield from find(r'(?<![\w.>])(%s)\s*\(' % '|'.join(words), name,
                        code_of(read(name)))


def sql():
    """statements stand in stmt.c, the housekeeping of files in db.c"""
    for name in files(['risad/*.[chy]', 'risad/compat/*.c', 'risactl/*.c']):
        if name not in ('risad/stmt.c', 'risad/db.c'):
            yield from find(SQL.pattern, name, code_of(read(name), True))


def items(page):
    """The words of every .It of a page, without the macros."""
    text = re.sub(r'^\.It Xo\n(.*?)^\.Xc$',
                  lambda m: '.It ' + m[1].replace('\n', ' '),
                  read(page), flags=re.M | re.S)
    for line in text.split('\n'):
        if line.startswith('.It '):
            line = re.sub(r' Ns ', '\0', line[4:])
            line = re.sub(r'\0(?:[A-Z][a-z] )?', '', line)
            yield [w for w in line.replace('"', ' ').split()
                   if not re.fullmatch(r'[A-Z][a-z]', w)]


def words_of(page):
    return {w.strip('[]|,:;') for it in items(page) for w in it}


def missing(page, what, words):
    if not words:
        yield '%s: no %s found in the sources' % (page, what)
    there = words_of(page)
    for w in sorted(set(words) - there):
        yield '%s: no .It for the %s "%s"' % (page, what, w)


def tables(name):
    """First words of the rows of all tables of that name below risad/."""
    words = []
    for f in files(['risad/*.[cy]']):
        for body in re.findall(r'} %s\[\w*\] = \{(.*?)\n\s*};' % name,
                               code_of(read(f), True), re.S):
            words += re.findall(r'\{\s*"([\w-]+)",', body)
    return words


def keywords():
    """every word of risad.conf is in risad.conf(5)"""
    return missing('man/risad.conf.5', 'keyword', tables('keywords'))


def commands():
    """every word of risactl is in risactl(8)"""
    return missing('man/risactl.8', 'word', re.findall(
        r'\b(?:WORD|DOES)\("([\w-]+)"', read('risactl/parser.c')))


def frames():
    """every t that is read or sent is in risa-protocol(7)"""
    said = tables('words')
    told = [t for f in files(['risad/*.c']) for t in re.findall(
        r'"t",\s*(?:json_string\()?"([\w-]+)"', code_of(read(f), True))]
    if not said or not told:
        yield 'risad: no frames found'
    there = {' '.join(it[:1]) for it in items('man/risa-protocol.7')}
    for w in sorted(set(said + told) - there):
        yield 'man/risa-protocol.7: no .It for the frame "%s"' % w


def routes():
    """every route is in risa-protocol(7), with its method"""
    there = {re.sub(r'/(id|user)\b', '/#', ' '.join(it[:2]))
             for it in items('man/risa-protocol.7')}
    count = 0
    for name in files(['risad/api*.c']):
        for method, admin, path in re.findall(
                r'\{ HTTP_(\w+), (ADMIN )?"([^"]+)",', read(name)):
            path = ('/api/v1/admin' if admin else '') + path
            path = path.replace('*', 'token')
            count += 1
            if '%s %s' % (method, path) not in there:
                yield 'man/risa-protocol.7: no .It for %s %s' % (method, path)
    if count == 0:
        yield 'risad/api.c: no routes found'


def errors():
    """every word of an error or a problem is in risa-protocol(7)"""
    words = tables('details')
    for name in files(['risad/*.c']):
        text = code_of(read(name), True)
        for call in re.findall(r'(?:api_problem|send_error)\(([^;]*);', text):
            words += re.findall(r'"([\w-]+)"', call)
    return missing('man/risa-protocol.7', 'error', words)


def limits():
    """figures that risa-protocol(7) gives are those of the sources"""
    said = re.sub(r'\\&', '', read('man/risa-protocol.7'))
    code = ''.join(read(f) for f in files(['risad/*.[ch]']))
    for macro in FIGURES + FIGURES_MS:
        found = re.findall(r'#define %s\s+(\d+)\s' % macro, code)
        if not found:
            yield 'risad: no %s' % macro
        for n in {int(v) // (1000 if macro in FIGURES_MS else 1)
                  for v in found}:
            if not re.search(r'(?<![\d,])(%d|%s)(?!,?\d)' % (
                    n, '{:,}'.format(n)), said):
                yield 'man/risa-protocol.7: does not say %d (%s)' % (n, macro)


def recording():
    """the page has nothing that records sound, pictures or a screen (D1, D2)"""
    for name in files(['risad/web/src/**/*.ts', 'risad/web/src/**/*.tsx']):
        for n, line in enumerate(read(name).split('\n'), 1):
            if re.search(r'MediaRecorder|captureStream|ImageCapture|'
                         r'localStorage|sessionStorage|indexedDB', line):
                yield '%s:%d: %s' % (name, n, line.strip())


CHECKS = [columns, spaces, typedefs, conditions, calls, sql, keywords,
          commands, frames, routes, errors, limits, recording]


def main():
    if sys.argv[1:] == ['-l']:
        for c in CHECKS:
            print('%s:%s' % (c.__name__, c.__doc__))
        return 0
    bad = 0
    for c in CHECKS:
        if c.__name__ in sys.argv[1:]:
            for line in c() or ():
                print(line)
                bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main())
