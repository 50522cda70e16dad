#!/usr/bin/env python3
"""The examples of the manual pages do what they say; every figure that the
daemon prints is named there, every command, under the role it takes, every
alert, rule and default."""

import os
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import PASSWORD, RISACTL, RISAD, TOP, Daemon          # noqa: E402


def examples(page):
    """The displays of EXAMPLES, as they would be typed."""
    with open(os.path.join(TOP, 'man', page), encoding='utf-8') as f:
        text = f.read()
    text = text[text.index('.Sh EXAMPLES'):]
    text = re.sub(r'^\.Dl (.*)$', r'.Bd\n\1\n.Ed', text, flags=re.M)
    return [re.sub(r'^# ', '', b.replace('\\e', '\\'), flags=re.M)
            for b in re.findall(r'^\.Bd.*\n((?:.*\n)*?)\.Ed', text, re.M)]


def shell(d, script, cwd):
    """Run it with our programs in front; what it prints."""
    bin_dir = d.path('bin')
    if not os.path.isdir(bin_dir):
        os.mkdir(bin_dir)
        for name, command in (
                ('risad', RISAD),
                ('risactl', '%s -s %s' % (RISACTL, d.path('risad.sock')))):
            with open(os.path.join(bin_dir, name), 'w') as f:
                f.write('#!/bin/sh\nexec %s "$@"\n' % command)
            os.chmod(os.path.join(bin_dir, name), 0o755)
    r = subprocess.run(['bash', '-euc', script], cwd=cwd, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True,
                       env=dict(os.environ, PATH='%s:%s' % (
                           bin_dir, os.environ['PATH'])))
    equal(r.returncode, 0, 'exit\n' + r.stdout)
    return r.stdout


def section(page, begin, end):
    """The source of a page between two texts."""
    with open(os.path.join(TOP, 'man', page), encoding='utf-8') as f:
        text = f.read()
    text = text[text.index(begin):]
    return text[:text.index(end)]


def example(page, word):
    found = [e for e in examples(page) if word in e]
    equal(len(found), 1, 'examples in %s with "%s"' % (page, word))
    return found[0]


def tenant(d):
    """risad(8): a tenant, a floor and an administrator's link"""
    out = shell(d, example('risad.8', 'risactl tenant add'), d.dir)
    check(re.search(r'^https://acme\.localhost(:\d+)?/invite/[\w-]{43}$', out,
                    re.M), 'no link: ' + out)
    equal([f['name'] for f in d.person('acme', 'bob@acme.example').get(
        '/floors')['floors']], ['Lobby'], 'floors')


def secrets(d):
    """risad(8): secrets and a certificate that risad then takes"""
    os.mkdir(d.path('etc'), 0o755)
    shell(d, example('risad.8', 'openssl req').replace(
        '/etc/risad', d.path('etc')), d.dir)
    for name in ('master.key', 'pepper.key', 'tls.key'):
        mode = stat.S_IMODE(os.stat(d.path('etc', name)).st_mode)
        equal(oct(mode), '0o400', name)
    check('*.office.example' in subprocess.run(
        ['openssl', 'x509', '-noout', '-text', '-in', d.path('etc/tls.crt')],
        check=True, capture_output=True, text=True).stdout, 'names')


def checked(d):
    """risad(8): -nv prints the configuration"""
    out = shell(d, example('risad.8', 'risad -nv').replace(
        '/etc/risad/risad.conf', d.path('risad.conf')), d.dir)
    check('site domain "localhost"' in out, out)


def protocol(d):
    """risa-protocol(7): sign in, open the WebSocket, walk and talk"""
    os.mkdir(d.path('demo'))
    os.symlink(d.path('tls.crt'), d.path('demo/tls.crt'))
    d.write('demo/credentials', 'acme ann@acme.example %s admin\n' %
            PASSWORD.replace(' ', ''))
    r = d.do('user', 'reset', 'acme', 'ann@acme.example')
    token = re.search(r'/invite/([\w-]{43})', r)[1]
    shell(d, '''curl -sf --cacert tls.crt -H 'Content-Type: application/json' \
        -H 'Origin: https://acme.localhost:%d' -d '{"password":"%s"}' \
        --resolve acme.localhost:%d:127.0.0.1 \
        https://acme.localhost:%d/api/v1/invite/%s''' % (
            d.port, PASSWORD.replace(' ', ''), d.port, d.port, token), d.dir)
    script = [e for e in examples('risa-protocol.7')]
    equal(len(script), 2, 'examples')
    out = shell(d, '\n'.join(script).replace('8443', str(d.port)), d.dir)
    for word in ('"email":"ann@acme.example"', '"floors":[', 'hello {',
                 'floor {', 'tick (', "ack {'ref': 'c1'", "msg {"):
        check(word in out, '%s is not in\n%s' % (word, out))


def grammar():
    """Each command of risactl by its words, and the imsg that it becomes; one
    that needs no daemon has None."""
    with open(os.path.join(TOP, 'risactl', 'parser.c'), encoding='utf-8') as f:
        text = f.read()
    tables = {name: re.findall(
        r'(WORD|DOES|FLAG|TAKES)\(("?[\w-]+"?),([^()]*?)(\w+)(?: \+ 1)?\)',
        body) for name, body in re.findall(
            r'struct token (\w+)\[\w*\] = \{(.*?)\n?\};', text, re.S)}

    def walk(table, words, imsg, seen):
        for kind, word, more, then in tables[table]:
            w, i = words, imsg
            if kind == 'DOES':
                i = more.split(',')[0].strip()
            if kind != 'TAKES':
                w = words + (word.strip('"'),)
            if kind == 'DOES' or (i is None and 'CM_' in more):
                yield w, i
            if then in tables and then not in seen:
                yield from walk(then, w, i, seen | {then})
    return dict(walk('main_words', (), None, frozenset()))


def ranks(d):
    """risactl(8): every command is named under the role that it takes"""
    with open(os.path.join(TOP, 'risad', 'msg.c'), encoding='utf-8') as f:
        takes = dict((i, r) for r, i in re.findall(
            r'^\t(LOOK|COMMAND|OWNER)\((\w+),', f.read(), re.M))
    with open(os.path.join(TOP, 'man', 'risactl.8'), encoding='utf-8') as f:
        text = f.read()
    text = text[text.index('.It Cm auditor'):text.index('Root is always owner')]
    parts = re.split(r'^\.(?:It Cm \w+|El)\n', text, flags=re.M)[1:]
    equal(len(parts), 4, 'roles, and what needs none')
    named = {tuple(c.split()): role
             for role, part in zip(('LOOK', 'COMMAND', 'OWNER', None), parts)
             for line in re.findall(r'^\.Ic (.*)$', part, re.M)
             for c in re.split(r' [,.]', line) if c}
    commands = grammar()
    check(len(commands) > 100, '%d commands' % len(commands))
    for words, imsg in commands.items():
        looks = [(w,) for w in ('list', 'show') if w in words]
        found = [named[c] for c in looks + [
            words[:n] for n in range(len(words), 0, -1)] if c in named]
        equal(found[:1], [takes.get(imsg)], ' '.join(words))


def figures(d):
    """risactl(8): all that show stats and show status print is named"""
    with open(os.path.join(TOP, 'man', 'risactl.8'), encoding='utf-8') as f:
        text = f.read()
    text = text[text.index('.Ss Figures'):text.index('.Sh FILES')]
    named = re.findall(r'^\.It Cm (.*)$', text, re.M)
    equal(sorted(set(n for n in named if named.count(n) > 1)), [], 'twice')
    d.do('tenant', 'add', 'broken')
    n = d.json('tenant', 'show', 'broken')['tenant']['id']
    d.stop()
    with open(d.path('data', 'tenants', str(n), 'main.db'), 'r+b') as f:
        f.write(b'no database of ours')
    d.start()
    stats, status = d.stats(), d.json('show', 'status')['status']
    equal(sorted(named), sorted(set(
        re.sub(r'^session\.\d+', 'session.N',
               re.sub(r'^tenant\.broken', 'tenant.NAME', row))
        for row in list(stats) + list(status))), 'rows')


def alerts(d):
    """risad(8): every alert is named, and of the level that it is raised at"""
    with open(os.path.join(TOP, 'risad', 'storage_alert.c'),
              encoding='utf-8') as f:
        kinds = dict(re.findall(r'^\t\[ALERT_\w+\] = \{ "([\w-]+)", (\d)',
                                f.read(), re.M))
    text = section('risad.8', '.Ss Alerts', '.Ss The clock')
    equal(sorted(re.findall(r'^\.It Cm (\S+)$', text, re.M)), sorted(kinds),
          'alerts')
    warnings = text[text.index('two levels'):text.index('are of the level')]
    equal(sorted(re.findall(r'[\w-]+', ' '.join(re.findall(
        r'^\.Cm (.*)$', warnings, re.M)))),
        sorted(k for k in kinds if kinds[k] == '0'), 'warnings')


def rules(d):
    """risactl(8): every rule is there, with its bounds and its default"""
    d.do('tenant', 'add', 'rules')
    text = section('risactl.8', '.It Ic policy set', '.It Ic policy show')
    parts = re.split(r'^\.It Ic (\S+)$', text, flags=re.M)[1:]
    said = dict(zip(parts[::2], parts[1::2]))
    rows = d.json('policy', 'show', 'rules')['policy']
    equal(sorted(said), sorted(r['rule'] for r in rows), 'rules')
    before = ''
    for name, part in zip(parts[::2], parts[1::2]):
        row, = [r for r in rows if r['rule'] == name]
        if 'likewise' in part:
            part += before
        before = part
        for what in ('value', 'from', 'to'):
            if isinstance(row.get(what), int):
                check(re.search(r'\b%d\b' % row[what], part),
                      '%s: %s %d' % (name, what, row[what]))


def defaults(d):
    """risad.conf(5) and the example have the defaults of the program"""
    d.write('least.conf', """site domain "office.example"
listen on * port 443 tls
listen on * port 80 redirect
tls certificate "/etc/risad/tls.crt" key "/etc/risad/tls.key"
""")
    os.chmod(d.path('least.conf'), 0o600)
    least = shell(d, 'risad -nv -f least.conf 2>/dev/null', d.dir)
    shutil.copy(os.path.join(TOP, 'etc', 'risad.conf'), d.path('ex.conf'))
    os.chmod(d.path('ex.conf'), 0o600)
    equal(shell(d, 'risad -nv -f ex.conf 2>/dev/null', d.dir), least,
          'etc/risad.conf')
    text = section('risad.conf.5', '.Sh STATEMENTS', '.Sh FILES')
    check('limit connections' in least, least)
    for line in least.splitlines():
        if not line.startswith(('site', 'listen', 'tls', 'workers')):
            # The third key is where the first one is.
            line = line.replace('/etc/risad/sign.key', '')
            for value in re.findall(r'(?<=[ "])[\d/][^\s"]*', line):
                check(re.search(r'(?<![\w/])%s(?![\w/])' % re.escape(value),
                                text), '%s: %s' % (line, value))


def shown(d):
    """risad(8): what shows a guarantee is there to be run"""
    text = section('risad.8', '.Ss Guarantees', '.Ss The relay')
    names = [n for line in re.findall(r'^\.Pa (.*)$', text, re.M)
             for n in re.split(r' [,.]|\s', line)
             if re.match(r'(attack|fuzz|lint|page|system|unit)(/|$)', n)]
    check(len(names) > 30, names)
    for n in names:
        check(os.path.exists(os.path.join(TOP, 'regress', n)), n)


def main():
    d = Daemon(workers=2).start()
    s = Suite(d)
    for fn in (tenant, secrets, checked, protocol, ranks, alerts, rules,
               defaults, shown):
        s.run_test(fn, d)
    s.run_test(figures, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
