#!/usr/bin/env python3
"""Keys are in the memory of those that need them, and of nobody else.

All memory of each living process is searched for each key, whole and in
halves, in every form that it is kept in."""

import base64
import hmac
import os
import re
import subprocess
import sys

from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, load_pem_private_key)

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import TOP, Daemon, Person, until                     # noqa: E402
from trail import unwrap                                        # noqa: E402

HALF = 16               # bytes of a key that are enough to be found
TYPED = 'canary passphrase 271828182845'
LOOKED = {}             # (process, number): bytes searched


def hkdf(key, info):
    """RFC 5869 with SHA-256, no salt, the first 32 bytes."""
    prk = hmac.digest(bytes(32), key, 'sha256')
    return hmac.digest(prk, info + b'\1', 'sha256')


def forms(key):
    """A number or a key, and as libcrypto has numbers, lowest byte first;
    halves, since memory that is used again keeps the rest."""
    found = set()
    for one in (key, key[::-1]):
        found.update((one[:HALF], one[-HALF:]))
    found.update((key.hex().encode()[:2 * HALF],
                  base64.b64encode(key)[:2 * HALF]))
    return found


def number_bytes(n):
    return n.to_bytes((n.bit_length() + 7) // 8, 'big')


def tls_forms(path):
    """The private numbers of a key, its text and its DER."""
    with open(path, 'rb') as f:
        text = f.read()
    key = load_pem_private_key(text, None)
    n = key.private_numbers()
    secret = [n.private_value] if hasattr(n, 'private_value') else \
        [n.p, n.q, n.d, n.dmp1, n.dmq1, n.iqmp]
    found = set()
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        der = key.private_bytes(Encoding.DER, form, NoEncryption())
        for one in map(number_bytes, secret):
            found |= forms(one)
            found |= lines_of(der, der.index(one), len(one))
    check(any(needle in text for needle in found), 'not as in the file')
    return found


def lines_of(der, at, size):
    """What the lines of a file have of these bytes and of no others: those
    around them are public."""
    text = base64.b64encode(der)
    first, last = -(-at * 4 // 3), (at + size) * 4 // 3
    found = set()
    for line in range(0, len(text), 64):
        part = text[max(first, line):min(last, line + 64)]
        if len(part) >= 16:
            found.add(part)
    return found


def read(d, name):
    with open(d.path(name), 'rb') as f:
        return f.read()


def tenant_key(d, number):
    return unwrap({'kind': 'key', 'tenant': str(number),
                   'key': read(d, 'keys/master.key'),
                   'record': read(d, 'data/keys/%d.key' % number)})


def secrets(d):
    """What is secret, in all its forms, with who holds it."""
    pepper = read(d, 'keys/pepper.key')
    with open(os.path.join(TOP, 'risad', 'hash.h')) as f:
        infos = dict(re.findall(r'#define HASH_(\w+)\s+"(risad [^"]+)"',
                                f.read()))
    equal(sorted(infos), ['DEVICES', 'FACTORS', 'PASSWORDS'], 'keys of hash')
    keys = {k: hkdf(pepper, i.encode()) for k, i in infos.items()}
    master = read(d, 'keys/master.key')
    return {
        'key of TLS': (('keys',), tls_forms(d.path('keys/tls.key'))),
        'signing key': (('keys',), forms(read(d, 'keys/sign.key'))),
        'master key': (('storage',), forms(master)),
        'key of the installation': (('storage',), forms(
            hkdf(master, b'risad system'))),
        'key of acme': (('storage',), forms(tenant_key(d, 1))),
        'key of globex': (('storage',), forms(tenant_key(d, 2))),
        # Only what is derived from it stays: it is wiped.
        'pepper': ((), forms(pepper)),
        'pepper of passwords': (('hash',), forms(keys['PASSWORDS'])),
        'pepper of factors': (('hash',), forms(keys['FACTORS'])),
        'key of devices': (('hash', 'auth'), forms(keys['DEVICES'])),
    }


def memory(pid):
    """Each readable part of a process, and how much could not be read."""
    with open('/proc/%d/maps' % pid) as maps, \
            open('/proc/%d/mem' % pid, 'rb') as mem:
        for line in maps:
            span, perms = line.split()[:2]
            if '[v' in line:            # of the kernel, the same for all
                continue
            start, end = (int(v, 16) for v in span.split('-'))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                check(perms[0] != 'r', 'cannot be read: ' + line)


def look(slot, pid, needles):
    """Which of the needles are there."""
    seen, size = set(), 0
    for part in memory(pid):
        size += len(part)
        seen.update(n for n in needles if n in part)
    check(size > 1 << 20, '%s %d: nothing was searched' % slot)
    LOOKED[slot] = size
    return seen


def search(d):
    all_of = secrets(d)
    for what, (_, needles) in all_of.items():
        check(all(len(n) >= 12 for n in needles), what + ': short')
    everything = set().union(*(n for _, n in all_of.values()))
    for slot, pid in d.pids().items():
        seen = look(slot, pid, everything)
        for what, (owners, needles) in all_of.items():
            equal(bool(seen & needles), slot[0] in owners,
                  '%s in %s %d' % ((what,) + slot))


def used(d):
    """Have every process use what it holds."""
    for tenant in ('acme', 'globex'):
        p = d.person(tenant, 'one@%s.example' % tenant)
        p.http.close()
        p.sign_in().open()
        floor = p.get('/floors')['floors'][0]['id']
        p.enter(floor)
        p.say('something')
        p.close()
    d.do('audit', 'verify')


def after_use(d):
    """while they are in use, each key is where it must be, and only there"""
    used(d)
    search(d)


def after_reload(d):
    """and after a reload that brings the files anew"""
    d.do('reload')
    used_again(d)
    search(d)


def after_kill(d):
    """and in processes that were started again"""
    for slot, pid in d.pids().items():
        if slot[0] != 'parent':
            os.kill(pid, 9)
            until(lambda: d.ctl('show', 'status')[0] == 0 and
                  d.pids().get(slot) not in (pid, 0), '%s %d is back' % slot)
    until(lambda: all(p['up'] for p in d.processes()), 'all are up')
    used_again(d)
    search(d)


def used_again(d):
    for tenant in ('acme', 'globex'):
        p = Person(d, tenant, 'one@%s.example' % tenant)
        p.sign_in()
        p.close()


def typed(d):
    """a password that was typed is not kept by any process"""
    token = d.invite('acme', 'two@acme.example')
    p = Person(d, 'acme', 'two@acme.example', TYPED)
    p.accept(token, 'Two')
    # Memory that is used again hides what was there: more than one.
    for _ in range(6):
        p.http.close()
        p.sign_in()
        equal(p.api('POST', '/session', {
            'email': p.mail, 'password': TYPED + '?'}).status, 401, 'wrong')
        p.get('/floors')
    p.close()
    needles = {TYPED.encode(), TYPED[4:].encode(), TYPED[:20].encode()}
    for slot, pid in d.pids().items():
        equal(look(slot, pid, needles), set(), 'typed, %s %d' % slot)


def convicts(d):
    """the same search finds a key that is somewhere else"""
    for what, (_, needles) in secrets(d).items():
        for needle in needles:
            p = subprocess.Popen(
                [sys.executable, '-c', 'import sys; key = bytes.fromhex('
                 'sys.stdin.readline().strip()); print("up", flush=True); '
                 'sys.stdin.readline()'],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                # In hex nothing of it is what is looked for.
                p.stdin.write(needle.hex().encode() + b'\n')
                p.stdin.flush()
                p.stdout.readline()
                equal(look(('other', 0), p.pid, {needle}), {needle}, what)
            finally:
                p.kill()
                p.wait()
            break


def rsa(kind):
    """a key of RSA, too, is in keys alone"""
    d = Daemon(workers=1)
    d.make_cert('tls', kind)
    s = d.start()
    d.do('tenant', 'add', 'acme')
    d.do('tenant', 'add', 'globex')
    for tenant in ('acme', 'globex'):
        d.floor(tenant, 'One')
    used(d)
    search(d)
    equal(s.stop(), 0, 'exit code')
    d.end()


def main():
    d = Daemon(workers=2).start()
    for tenant in ('acme', 'globex'):
        d.do('tenant', 'add', tenant)
        d.floor(tenant, 'One')
    s = Suite(d)
    s.run_test(after_use, d)
    s.run_test(after_reload, d)
    s.run_test(after_kill, d, restarts=True)
    s.run_test(typed, d)
    s.run_test(convicts, d)
    s.run_test(rsa, 'rsa')
    for slot, size in LOOKED.items():
        print('%s %d: %d KiB searched' % (slot + (size // 1024,)))
    s.end()


if __name__ == '__main__':
    main()
