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

# What risa-protocol(7) says in numbers: where from, and the unit.
FIGURES = [
    ('risad/office.c', 'LEG_RATE', 1), ('risad/office.c', 'SAY_RATE', 1),
    ('risad/office.c', 'SAY_BURST', 1), ('risad/office.c', 'TEXT_RATE', 1),
    ('risad/office.c', 'TEXT_BURST', 1), ('risad/office.c', 'HISTORY_MAX', 1),
    ('risad/office.c', 'CLOSE_ENDED', 1),
    ('risad/office.c', 'CLOSE_ELSEWHERE', 1),
    ('risad/floor.h', 'FLOOR_QUEUE', 1), ('risad/floor.h', 'FLOOR_SLOTS', 1),
    ('risad/http.h', 'HTTP_MAXLINE', 1), ('risad/http.h', 'HTTP_MAXHEAD', 1),
    ('risad/http.h', 'HTTP_MAXFIELDS', 1),
    ('risad/http.h', 'HTTP_MAXPATH', 1),
    ('risad/session.c', 'HANDSHAKE_MS', 1000),
    ('risad/session.c', 'HEAD_MS', 1000),
    ('risad/session.c', 'BODY_MS', 1000), ('risad/session.c', 'IDLE_MS', 1000),
    ('risad/session.c', 'PING_MS', 1000),
    ('risad/session.c', 'SILENCE_MS', 1000),
    ('risad/map.h', 'MAP_MAXWALLS', 1), ('risad/map.h', 'MAP_MAXROOMS', 1),
    ('risad/map.h', 'MAP_MAXFURNITURE', 1), ('risad/map.h', 'MAP_MAXSPAWN', 1),
    ('risad/map.h', 'MAP_MINPOINTS', 1), ('risad/map.h', 'MAP_MAXPOINTS', 1),
    ('risad/map.h', 'MAP_MAXDOORS', 1), ('risad/map.h', 'MAP_MAXCAPACITY', 1),
    ('risad/map.h', 'MAP_MINSIZE', 1), ('risad/map.h', 'MAP_MAXSIZE', 1),
    ('risad/map.h', 'MAP_MAXDEPTH', 1), ('risad/walk.h', 'WALK_SPEED', 1),
    ('risad/risad.h', 'MAX_TEXT_CHARS', 1), ('risad/risad.h', 'MAX_REF', 1),
    ('risad/risad.h', 'MAX_NOTE_CHARS', 1),
    ('risad/risad.h', 'MAX_NAME_CHARS', 1),
    ('risad/risad.h', 'MAX_TITLE_CHARS', 1),
    ('risad/risad.h', 'MAX_PASSWORD_CHARS', 1),
    ('risad/risad.h', 'MAX_LABEL', 1),
    ('risad/risad.h', 'MAX_MEMBERS', 1), ('risad/risad.h', 'MAX_GROUPS', 1),
    ('risad/risad.h', 'MAX_FLOORS', 1), ('risad/risad.h', 'MAX_USERS', 1),
    ('risad/auth_request.c', 'ADDR_TRIES', 1),
    ('risad/auth_request.c', 'ACCOUNT_TRIES', 1),
    ('risad/storage.h', 'TOKENS_KEPT', 1), ('risad/storage.h', 'UNREAD_MAX', 1),
    ('risad/storage.h', 'DMS_MAX', 1),
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
    for line in read(page).split('\n'):
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


def table(name, start, row):
    """What row matches in the table that begins with start."""
    text = read(name)
    at = text.find(start)
    if at == -1:
        return []
    return re.findall(row, text[at:text.index('\n};', at)]
                      if '\n};' in text[at:] else text[at:])


def keywords():
    """every word of risad.conf is in risad.conf(5)"""
    text = read('risad/parse.y')
    at = text.index('} keywords[] = {')
    return missing('man/risad.conf.5', 'keyword', re.findall(
        r'\{ "(\w+)",', text[at:text.index('};', at)]))


def commands():
    """every word of risactl is in risactl(8)"""
    return missing('man/risactl.8', 'word', re.findall(
        r'\b(?:WORD|DOES)\("([\w-]+)"', read('risactl/parser.c')))


def frames():
    """every t that is read or sent is in risa-protocol(7)"""
    text = read('risad/office.c')
    at = text.index('} words[] = {')
    said = re.findall(r'\{ "(\w+)",', text[at:text.index('};', at)])
    told = [t for f in files(['risad/*.c']) for t in re.findall(
        r'"t",\s*(?:json_string\()?"([\w-]+)"', code_of(read(f), True))]
    if not said or not told:
        yield 'risad/office.c: no frames found'
    there = {' '.join(it[:1]) for it in items('man/risa-protocol.7')}
    for w in sorted(set(said + told) - there):
        yield 'man/risa-protocol.7: no .It for the frame "%s"' % w


def routes():
    """every route is in risa-protocol(7), with its method"""
    there = {' '.join(it[:2]) for it in items('man/risa-protocol.7')}
    count = 0
    for name in ('risad/api.c', 'risad/api_admin.c'):
        for method, admin, path in re.findall(
                r'\{ HTTP_(\w+), (ADMIN )?"([^"]+)",', read(name)):
            path = ('/api/v1/admin' if admin else '') + path
            path = path.replace('#', 'id').replace('*', 'token')
            count += 1
            if '%s %s' % (method, path) not in there:
                yield 'man/risa-protocol.7: no .It for %s %s' % (method, path)
    if count == 0:
        yield 'risad/api.c: no routes found'


def errors():
    """every word of an error or a problem is in risa-protocol(7)"""
    words = []
    for name, first in (('risad/office.c', r'send_error\([^,]+,\s*"([\w-]+)"'),
                        ('risad/api.c', r'"([\w-]+)"\s*,\s*(?:NULL|bad)')):
        text = code_of(read(name), True)
        at = text.index('} details[] = {')
        words += re.findall(r'\{ "([\w-]+)",', text[at:text.index('};', at)])
        words += re.findall(first, text)
    for name in files(['risad/*.c']):
        text = code_of(read(name), True)
        for call in re.findall(r'api_problem\(([^;]*);', text):
            words += re.findall(r'"([\w-]+)"', call)
    return missing('man/risa-protocol.7', 'error', words)


def limits():
    """figures that risa-protocol(7) gives are those of the sources"""
    said = re.sub(r'\\&', '', read('man/risa-protocol.7'))
    for name, macro, unit in FIGURES:
        m = re.search(r'#define %s\s+(\d+)\s' % macro, read(name))
        if m is None:
            yield '%s: no %s' % (name, macro)
            continue
        n = int(m.group(1)) // unit
        if not re.search(r'(?<![\d,])(%d|%s)(?!,?\d)' % (
                n, '{:,}'.format(n)), said):
            yield 'man/risa-protocol.7: does not say %d (%s)' % (n, macro)


CHECKS = [columns, spaces, typedefs, conditions, calls, sql, keywords,
          commands, frames, routes, errors, limits]


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
