#!/usr/bin/env python3
"""How many lines of code run as root once the daemon serves.

From the functions that the parent's loop calls, by every name of a function
or a table that a body mentions, which is never too few.  What a reload runs,
to read the configuration of root again when an operator says so, is counted
apart.  Run in the top directory; with -v each function and its lines."""

import re
import sys

LIMIT = 1500            # for what children, their deaths and signals run
LIMIT_RELOAD = 1250     # for what a reload runs besides

# All that the parent's loop can get to.  The rest of the daemon is linked as
# well, and never called there.
OWN = ['risad/risad.c', 'risad/spawn.c', 'risad/proc.c', 'risad/config.c',
       'risad/log.c', 'risad/msg.c', 'risad/util.c', 'risad/utf8.c',
       'risad/parse.y']
SYSTEM = ['risad/compat/imsg.c', 'risad/compat/imsg-buffer.c',
          'risad/compat/pledge.c', 'risad/compat/unveil.c']

# What libevent calls, the loop itself, and a child until it is its own user.
ROOTS = ['proc_loop', 'on_signal', 'spawn_chld', 'child_event', 'child_slow',
         'stop_slow', 'reload_slow', 'spawn_ops', 'proc_boot',
         'proc_drop']
# These run at the start, or are a child that is nobody's root any more.
NOT_AFTER = {'main', 'proc_main', 'run_child', 'run_parent', 'jail'}


def strip(text):
    """Without comments and the inside of strings; lines stay."""
    def blank(m):
        return re.sub(r'[^\n]', ' ', m.group(0))
    text = re.sub(r'/\*.*?\*/', blank, text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def parts(name):
    """Functions and tables of a file, by name: the lines of code of each."""
    with open(name) as f:
        text = strip(f.read())
    found = {}
    if name.endswith('.y'):
        head, rules, text = text.split('\n%%')
        found['yyparse'] = rules.splitlines()
        _, prologue = head.split('%{', 1)
        prologue, _ = prologue.split('%}', 1)
        text = prologue + text
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        m = re.match(r'(\w+)\(', lines[i]) or re.match(
            r'static .*?(\w+)(\[.*\])?\s*=\s*\{$', lines[i]) or re.match(
            r'\} (\w+)\[\] = \{$', lines[i])
        if m is None or ';' in lines[i].split('{')[0]:
            i += 1
            continue
        begin = i
        while i < len(lines) and not lines[i].startswith('}'):
            i += 1
        body = lines[begin:i + 1]
        found.setdefault(m.group(1), []).extend(
            [lines[begin - 1]] + body if body[0].startswith(m.group(1) + '(')
            else body)
        i += 1
    return found


def reach(where, code, without):
    """All that can be called from the roots, but for what is named."""
    reached, todo = set(), [k for r in ROOTS for k in where[r]]
    while todo:
        key = todo.pop()
        if key in reached or key[1] in NOT_AFTER | without:
            continue
        reached.add(key)
        for word in set(re.findall(r'\w+', '\n'.join(code[key][1:]))):
            near = [k for k in where.get(word, []) if k[0] == key[0]]
            todo += near or where.get(word, [])
    return reached


def main():
    where, code = {}, {}
    for name in OWN + SYSTEM:
        for part, lines in parts(name).items():
            key = (name, part)
            code[key] = [v for v in lines if v.strip()]
            where.setdefault(part, []).append(key)
    for root in ROOTS:
        if root not in where:
            print('%s: no such function' % root)
            return 1
    total, more = {}, {}
    always = reach(where, code, {'reload'})
    for key in sorted(reach(where, code, set())):
        n = len(code[key])
        count = total if key in always else more
        count[key[0]] = count.get(key[0], 0) + n
        if '-v' in sys.argv[1:]:
            print('%5d  %s: %s%s' % (n, key[0], key[1], '' if key in always
                                     else ' (reload)'))
    for name in OWN + SYSTEM:
        print('%5d %5d  %s' % (total.get(name, 0), more.get(name, 0), name))
    own = sum(total.get(n, 0) for n in OWN)
    reload = sum(more.get(n, 0) for n in OWN)
    print('%d lines run as root after the start, and %d more in a reload; '
          '%d of what OpenBSD has in its libraries' % (
              own, reload, sum(total.get(n, 0) for n in SYSTEM)))
    return 1 if own > LIMIT or reload > LIMIT_RELOAD else 0


if __name__ == '__main__':
    sys.exit(main())
