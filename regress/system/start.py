#!/usr/bin/env python3
"""Starting, stopping, reloading: what is wrong is refused with a reason."""

import glob
import itertools
import os
import shutil
import signal
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Http, RISAD, alive, free_port, until   # noqa: E402


def risad(*words, **more):
    p = subprocess.run([more.pop('program', RISAD)] + list(words),
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=20, **more)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def served_cert(d):
    with Http(d).connect() as h:
        return h.sock.getpeercert(True)


def file_cert(d, name):
    with open(d.path(name)) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def generation(d):
    return d.stats()['risad.generation']


def usage():
    """unknown options are answered with the usage and 2"""
    for words in (['-x'], ['-f'], ['extra'], ['-P', 'nobody']):
        code, _, err = risad(*words)
        equal(code, 2, words)
        check(err, '%r says nothing' % words)


def check_only():
    """-n looks at the configuration and starts nothing"""
    d = Daemon()
    try:
        code, out, err = risad('-n', '-f', d.path('risad.conf'))
        equal((code, out), (0, ''), '-n')
        check('OK' in err, 'no OK: %r' % err)
        check(not os.path.exists(d.path('risad.sock')), 'a socket was made')
        code, out, _ = risad('-nv', '-f', d.path('risad.conf'))
        equal(code, 0, '-nv')
        d.write_conf(out)
        code, again, err = risad('-nv', '-f', d.path('risad.conf'))
        equal((code, again), (0, out), 'the output of -nv parses again')
        d.write_conf(d.conf() + 'workers sesion 3\n')
        code, _, err = risad('-n', '-f', d.path('risad.conf'))
        equal(code, 1, 'a wrong word')
        line = len(d.conf().splitlines()) + 1
        check('risad.conf:%d: ' % line in err and 'sesion' in err, err)
        code, _, err = risad('-n', '-f', d.path('none.conf'))
        equal(code, 1, 'no file')
        check('none.conf' in err, err)
    finally:
        d.end()


def macros():
    """-D sets a macro of the configuration"""
    d = Daemon()
    try:
        d.write_conf('name = "wrong"\n' + d.conf().replace(
            'site domain "localhost"', 'site domain $name'))
        code, out, _ = risad('-nv', '-D', 'name=office.example', '-f',
                             d.path('risad.conf'))
        equal(code, 0, '-D')
        check('office.example' in out and 'wrong' not in out, out)
        equal(risad('-n', '-D', '=x', '-f', d.path('risad.conf'))[0], 1,
              'no name')
    finally:
        d.end()


def secrets():
    """risad -k makes secrets for root alone, and never over old ones"""
    d = Daemon()
    try:
        for name in ('master.key', 'pepper.key'):
            st = os.stat(d.path('keys', name))
            equal((st.st_mode & 0o777, st.st_uid, st.st_size), (0o400, 0, 32),
                  name)
        with open(d.path('keys/master.key'), 'rb') as f:
            before = f.read()
        equal(risad('-k', d.path('keys'))[0], 0, 'again')
        with open(d.path('keys/master.key'), 'rb') as f:
            equal(f.read(), before, 'the old key')
    finally:
        d.end()


def life():
    """it serves, and SIGTERM ends it and all its children with 0"""
    for sig in (signal.SIGTERM, signal.SIGINT):
        d = Daemon().start()
        try:
            pids = d.pids()
            equal(sorted(p for p, _ in pids),
                  ['auth', 'hash', 'keys', 'parent', 'session', 'storage'],
                  'processes')
            with Http(d) as h:
                r = h.request('GET', '/')
                equal((r.status, r.problem()), (421, 'host'), 'no tenant yet')
            equal(d.stop(sig), 0, 'exit code')
            check(not any(alive(p) for p in pids.values()), 'one is left')
            check(not os.path.exists(d.path('risad.sock')), 'socket is left')
        finally:
            d.end()


def goodbye():
    """SIGTERM tells the pages bye restart and closes with 1001"""
    d = Daemon(workers=2).start()
    try:
        d.do('tenant', 'add', 'acme')
        p = d.person('acme', 'a@acme.example').open()
        q = d.person('acme', 'b@acme.example').open()
        d.proc.terminate()
        p.bye('restart', 1001)
        q.bye('restart', 1001)
        equal(d.wait_exit(), 0, 'exit code')
    finally:
        d.end()


def refuses(what, change, *words):
    d = Daemon()
    try:
        change(d)
        code, said = d.refused()
        check(code != 0, '%s: exit code 0' % what)
        for w in words:
            check(w in said, '%s: %r is not in %r' % (what, w, said))
        check(not os.path.exists(d.path('risad.sock')) or
              d.ctl('show', 'status')[0] != 0, '%s: it serves' % what)
    finally:
        d.end()


def files():
    """missing and readable secrets, certificates and pages are refused"""
    def mode(name, bits):
        return lambda d: os.chmod(d.path(name), bits)

    def gone(name):
        return lambda d: os.unlink(d.path(name))

    refuses('master key 0444', mode('keys/master.key', 0o444), 'master.key',
            'nobody else')
    refuses('pepper 0440', mode('keys/pepper.key', 0o440), 'pepper.key',
            'nobody else')
    refuses('TLS key 0404', mode('keys/tls.key', 0o404), 'tls.key',
            'nobody else')
    refuses('configuration 0666', mode('risad.conf', 0o666), 'risad.conf')
    refuses('no master key', gone('keys/master.key'), 'master.key',
            'No such file')
    refuses('no certificate', gone('tls.crt'), 'tls.crt', 'No such file')
    refuses('no htdocs', lambda d: shutil.rmtree(d.htdocs), 'htdocs',
            'No such file')
    refuses('no index.html', gone('htdocs/index.html'), 'index.html')
    refuses('no data directory', lambda d: os.rename(
        d.path('data'), d.path('else')), 'data: No such file')
    refuses('data of root', lambda d: shutil.chown(d.path('data'), 'root'),
            'the data directory', '_risastor')
    refuses('a file in the place of the socket', lambda d: d.write(
        'risad.sock', 'kept'), 'risad.sock: ')
    refuses('other owner', lambda d: shutil.chown(
        d.path('keys/master.key'), '_risastor'), 'master.key', 'root')


def contents():
    """keys and certificates that hold something else are refused"""
    def other_key(d):
        d.make_cert('other')
        os.rename(d.path('keys/other.key'), d.path('keys/tls.key'))

    def short(name, text):
        def change(d):
            os.chmod(d.path(name), 0o600)
            d.write(name, text)
        return change

    refuses('key of another certificate', other_key, 'key')
    refuses('a certificate that is none', short('tls.crt', 'hello\n'),
            'certificate')
    refuses('a key that is none', short('keys/tls.key', 'hello\n'), 'key')
    refuses('a short master key', short('keys/master.key', 'x' * 31),
            'key')
    refuses('a short pepper', short('keys/pepper.key', 'x' * 31), '')


def not_root():
    """it does not start as somebody else than root"""
    d = Daemon()
    try:
        os.chmod(d.path('risad.conf'), 0o644)
        copy = shutil.copy(RISAD, d.path('risad'))
        os.chmod(copy, 0o755)
        code, _, err = risad('-d', '-f', d.path('risad.conf'), program=copy,
                             preexec_fn=lambda: os.setuid(65534))
        check(code != 0, 'exit code 0')
        check('root' in err, err)
    finally:
        d.end()


def relative():
    """by a relative path it is not started: its children could not be"""
    d = Daemon()
    try:
        p = subprocess.run(['./risad', '-d', '-f', d.path('risad.conf')],
                           cwd=os.path.dirname(RISAD), timeout=20,
                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        equal(p.returncode, 1, 'exit code')
        check(b'absolute' in p.stderr, p.stderr)
    finally:
        d.end()


def directory():
    """without the directory of the others it says so once, and starts none"""
    d = Daemon()
    try:
        os.rename(d.path('empty'), d.path('else'))
        code, said = d.refused()
        equal((code, said), (1, 'risad: %s: No such file or directory\n' %
                             d.path('empty')), 'refused')
    finally:
        d.end()


def nobody():
    """without the users of its processes it names one, and starts none"""
    d = Daemon()
    try:
        with open('/etc/passwd') as f:
            d.write('passwd', ''.join(
                line for line in f if not line.startswith('_risahash:')))
        code, out, err = risad(
            '-m', 'sh', '-c', 'mount --bind %s /etc/passwd && exec %s -d -f %s'
            % (d.path('passwd'), RISAD, d.path('risad.conf')),
            program='unshare')
        equal((code, out, err),
              (1, '', 'risad: no such user: _risahash\n'), 'refused')
    finally:
        d.end()


def second():
    """a second one on the same data, socket or port is refused, the first
    lives"""
    d = Daemon().start()
    e = Daemon()
    try:
        pids = d.pids()
        e.write_conf(e.conf().replace(e.path('risad.sock'),
                                      d.path('risad.sock')))
        code, said = e.refused()
        equal(code, 1, 'the same socket')
        check('another risad' in said, said)
        e.write_conf(e.conf().replace('port %d' % e.port,
                                      'port %d' % d.port))
        code, said = e.refused()
        equal(code, 1, 'the same port')
        check('127.0.0.1 port %d' % d.port in said, said)
        e.write_conf(e.conf().replace(e.path('data'), d.path('data')).replace(
            e.path('keys/master.key'), d.path('keys/master.key')))
        code, said = e.refused()
        equal(code, 1, 'the same data')
        check('another risad works on the data' in said, said)
        equal(d.pids(), pids, 'processes of the first')
        check(d.healthy(), 'the first does not serve')
        d.stop()
        e.start()
        check(e.healthy(), 'when the first has ended, the second serves')
    finally:
        e.end()
        d.end()


def background():
    """without -d it goes to the background when it serves"""
    d = Daemon()
    try:
        log = open(d.path('log'), 'wb')
        p = subprocess.run([RISAD, '-f', d.path('risad.conf')], timeout=20,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        equal(p.returncode, 0, 'exit code\n' + d.log())
        check(d.healthy(), 'does not serve')
        pid = d.pids()[('parent', 0)]
        try:
            equal(os.getsid(pid) == os.getsid(0), False, 'same session')
        finally:
            os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), 'it ends')
        d.write_conf(d.conf() + 'site nonsense\n')
        p = subprocess.run([RISAD, '-f', d.path('risad.conf')], timeout=20,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        equal(p.returncode, 1, 'exit code of a bad one')
        d.write_conf()
        os.unlink(d.path('keys/tls.key'))
        d.make_cert('other')
        os.rename(d.path('keys/other.key'), d.path('keys/tls.key'))
        p = subprocess.run([RISAD, '-f', d.path('risad.conf')], timeout=20,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        equal(p.returncode, 1, 'exit code of a refusal by a child')
    finally:
        d.end()


def reload_good(d, p):
    """reload: the new certificate serves, old connections go on"""
    before = generation(d)
    equal(served_cert(d), file_cert(d, 'tls.crt'), 'first certificate')
    d.make_cert('new')
    os.replace(d.path('new.crt'), d.path('tls.crt'))
    os.replace(d.path('keys/new.key'), d.path('keys/tls.key'))
    d.do('reload')
    equal(served_cert(d), file_cert(d, 'tls.crt'), 'new certificate')
    equal(generation(d), before + 1, 'generation')
    p.settle()
    equal(p.api('GET', '/session').status, 200, 'kept connection')


def reload_rsa(d, p):
    """reload to an RSA key, and by SIGHUP back to EC"""
    for kind in ('rsa', 'ec'):
        before, seen = generation(d), len(d.log())
        d.make_cert('new', kind)
        os.replace(d.path('new.crt'), d.path('tls.crt'))
        os.replace(d.path('keys/new.key'), d.path('keys/tls.key'))
        if kind == 'rsa':
            d.do('reload')
        else:
            d.proc.send_signal(signal.SIGHUP)
        until(lambda: generation(d) == before + 1, 'a new generation')
        until(lambda: served_cert(d) == file_cert(d, 'tls.crt'), kind)
        # Until then the next one is refused.
        until(lambda: 'configuration reloaded' in d.log()[seen:], 'the end')
        p.settle()


def reload_names(d, p):
    """a certificate for other hosts is taken, and the log says what it is"""
    word = 'the certificate is for no host below localhost'
    names = d.names
    check(word not in d.log(), 'one for hosts by name')
    for name, said in (('*.localhost', 0), ('localhost', 1),
                       ('*.other.example', 2), ('acme.localhost', 2)):
        d.names = (name,)
        d.make_cert('new')
        os.replace(d.path('new.crt'), d.path('tls.crt'))
        os.replace(d.path('keys/new.key'), d.path('keys/tls.key'))
        d.do('reload')
        equal(d.log().count(word), said, name)
    d.names = names
    d.make_cert('new')
    os.replace(d.path('new.crt'), d.path('tls.crt'))
    os.replace(d.path('keys/new.key'), d.path('keys/tls.key'))
    d.do('reload')


def reload_half():
    """who has connected before a reload shakes hands after it"""
    d = Daemon().start()
    try:
        d.do('tenant', 'add', 'acme')
        d.floor('acme', 'ground')
        p = d.person('acme', 'ann@acme.example').open()
        p.enter(1)
        before = d.stats()['session.0.accepted']
        waiting = [Http(d, tls=False).connect() for _ in range(9)]
        until(lambda: d.stats()['session.0.accepted'] == before + 9,
              'all are accepted')
        d.do('reload')
        # What has been freed by mistake is written over, whatever its size.
        for n in range(16, 496, 16):
            p.say('A' * n)
            p.hears('A' * n)
        ctx = ssl.create_default_context(cafile=d.path('tls.crt'))
        for h in waiting:
            h.sock = ctx.wrap_socket(h.sock, server_hostname='acme.localhost')
            equal(h.request('GET', '/healthz').status, 200, 'answer')
            h.close()
        p.settle()
    finally:
        d.end()


def reload_page(d, p):
    """reload takes new files of the page"""
    with Http(d) as h:
        equal(h.request('GET', '/assets/app-9.js').status, 404, 'before')
    d.write('htdocs/assets/app-9.js', 'export {};\n')
    d.do('reload')

    def there():
        with Http(d) as h:
            return h.request('GET', '/assets/app-9.js').status == 200
    until(there, 'the new file')        # each worker learns of it in its turn


def reload_port(d, p):
    """reload opens a new port and closes the old one"""
    old, new = d.port, free_port()
    d.write_conf(d.conf().replace('on 127.0.0.1 port %d' % old,
                                  'on 127.0.0.1 port %d' % new))
    d.do('reload')
    with Http(d, port=new) as h:
        equal(h.request('GET', '/healthz').status, 200, 'new port')

    def refused():
        try:
            Http(d).connect().close()
        except OSError:
            return True
        return False
    until(refused, 'the old port is closed')
    p.settle()
    d.write_conf()
    d.do('reload')
    check(d.healthy(), 'the old port again')
    p.settle()


def reload_bad(d, p):
    """a bad configuration: reload fails with a reason, nothing changes"""
    good = d.conf()
    before = generation(d)
    cert = served_cert(d)
    d.make_cert('other')
    cases = [
        ('nonsense', good + 'nonsense\n', ': expected'),
        ('no file', good.replace(d.path('tls.crt'), d.path('no.crt')),
         'no.crt'),
        ('other key', good.replace('keys/tls.key', 'keys/other.key'), 'key'),
        ('workers', good.replace('session 2', 'session 3'), 'workers'),
        ('data', good.replace(d.path('data'), d.path('empty')), 'data'),
        ('socket', good.replace('risad.sock', 'other.sock'), 'socket'),
        ('htdocs', good.replace('"%s"' % d.htdocs, '"/nowhere"'),
         '/nowhere'),
        ('address', good + 'listen on 192.0.2.1 port 1 tls\n', 'listen'),
        ('empty', '', 'expected'),
    ]
    try:
        for name, text, word in cases:
            d.write_conf(text)
            code, _, err = d.ctl('reload')
            equal(code, 1, name)
            check(word in err, '%s: %r is not in %r' % (name, word, err))
        os.unlink(d.path('risad.conf'))
        code, _, err = d.ctl('reload')
        equal(code, 1, 'no file at all')
        check('risad.conf' in err, err)
        d.write_conf('site nonsense\n')
        seen = len(d.log())
        d.proc.send_signal(signal.SIGHUP)
        until(lambda: 'nonsense' in d.log()[seen:], 'SIGHUP: a log line')
    finally:
        d.write_conf()
    equal(generation(d), before, 'generation')
    equal(served_cert(d), cert, 'certificate')
    p.settle()
    d.do('reload')
    check(generation(d) > before, 'and a good one')


def reload_often(d, p):
    """thirty reloads one after the other leave nothing behind"""
    def fds():
        return {slot: len(os.listdir('/proc/%d/fd' % pid))
                for slot, pid in d.pids().items()}
    with Http(d) as h:
        h.request('GET', '/api/v1/tenant')
    # Both access logs are open: of the tenant, and of what is nobody's.
    until(lambda: len(glob.glob(d.path('data', '**', 'log-*.db'),
                                recursive=True)) == 2, 'logs')
    d.do('log', 'show')
    d.do('reload')
    before = fds()
    for _ in range(30):
        d.do('reload')
    until(lambda: fds() == before, 'as many descriptors as before, %r %r' % (
        before, fds()))
    p.settle()


def verbose(d, p):
    """log verbose and log brief"""
    n = itertools.count()       # another each time: no delay in between

    def refused_lines():
        seen = d.log().count('sign-in refused')
        with Http(d) as h:
            r = h.request('POST', '/api/v1/session', {
                'email': 'no%d@acme.example' % next(n), 'password': 'x'})
            equal(r.status, 401, 'sign-in')
        return d.log().count('sign-in refused') - seen
    equal(refused_lines(), 0, 'at first')
    d.do('log', 'verbose')
    until(refused_lines, 'a line after log verbose')
    d.do('log', 'brief')
    equal(refused_lines(), 0, 'after log brief')


def main():
    s = Suite()
    for fn in (usage, check_only, macros, secrets, life, goodbye, files,
               contents, not_root, relative, directory, nobody, second,
               background, reload_half):
        s.run_test(fn)
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    p = d.person('acme', 'ann@acme.example').open()
    s.daemon, s.pids = d, d.pids()
    for fn in (reload_good, reload_rsa, reload_names, reload_page,
               reload_port, reload_bad,
               reload_often, verbose):
        s.run_test(fn, d, p)
    s.end()


if __name__ == '__main__':
    main()
