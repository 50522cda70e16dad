#!/usr/bin/env python3
"""TLS as testssl.sh sees it: protocols, ciphers, key exchange, and all the
vulnerabilities that have a name."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon                                         # noqa: E402

OFF = ('SSLv2', 'SSLv3', 'TLS1', 'TLS1_1', 'cipherlist_NULL',
       'cipherlist_aNULL', 'cipherlist_EXPORT', 'cipherlist_LOW',
       'cipherlist_3DES_IDEA', 'cipherlist_AVERAGE')
ON = ('TLS1_2', 'TLS1_3', 'cipherlist_STRONG', 'PFS')
FAULTS = ('heartbleed', 'CCS', 'ticketbleed', 'ROBOT', 'secure_client_renego',
          'CRIME_TLS', 'BREACH', 'POODLE_SSL', 'SWEET32', 'FREAK', 'DROWN',
          'LOGJAM', 'BEAST', 'LUCKY13', 'RC4')


def judged(d, kind):
    """by testssl.sh: 1.2 and 1.3, forward secrecy, no vulnerability"""
    out = d.path('testssl-%s.json' % kind)
    p = subprocess.run(
        ['testssl', '--quiet', '--warnings', 'batch', '--color', '0',
         '--nodns', 'none', '--ip', '127.0.0.1', '--connect-timeout', '20',
         '--openssl-timeout', '20', '-p', '-s', '-f', '-U', '--jsonfile', out,
         'acme.localhost:%d' % d.port],
        capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    equal(p.returncode, 0, p.stdout[-2000:] + p.stderr)
    with open(out) as f:
        found = {e['id']: e for e in json.load(f)}
    for name in OFF:
        equal(found[name]['finding'].split(' +')[0], 'not offered', name)
    for name in ON:
        check(found[name]['finding'].startswith('offered'), found[name])
    for name in FAULTS:
        check(found[name]['finding'].startswith('not vulnerable'),
              found[name])
    bad = [e for e in found.values() if e['severity'] in
           ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')]
    equal(bad, [], 'what it complains about')
    print('%s: %d findings of testssl.sh, none bad' % (kind, len(found)))


def main():
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    s = Suite(d)
    s.run_test(judged, d, 'ec')
    d.stop()
    d.make_cert('tls', 'rsa')
    d.start()
    s.pids = d.pids()
    s.run_test(judged, d, 'rsa')
    s.end()


if __name__ == '__main__':
    main()
