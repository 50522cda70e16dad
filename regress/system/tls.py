#!/usr/bin/env python3
"""TLS as a scanner that is not ours sees it: 1.2 and 1.3, nothing without
forward secrecy, nothing without authenticated encryption."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon                                         # noqa: E402

MODERN = {'TLSv1.3': {'TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256',
                      'TLS_CHACHA20_POLY1305_SHA256'},
          'TLSv1.2': {'%s-%s' % (key, way)
                      for key in ('ECDHE-ECDSA', 'ECDHE-RSA')
                      for way in ('AES256-GCM-SHA384', 'AES128-GCM-SHA256',
                                  'CHACHA20-POLY1305')}}
# 112 bits and more, as TLS 1.3 has them; sslscan's names before the blank.
GROUPS = {'secp256r1', 'secp384r1', 'secp521r1', 'x25519', 'x448'}


def scan(d, *more):
    """What sslscan finds, as a tree."""
    p = subprocess.run(['sslscan', '--no-colour', '--xml=-',
                        '--sni-name=acme.localhost'] + list(more) +
                       ['127.0.0.1:%d' % d.port],
                       capture_output=True, text=True, timeout=120)
    equal(p.returncode, 0, p.stderr)
    test = ElementTree.fromstring(p.stdout).find('ssltest')
    check(test is not None, p.stdout)
    return test


def scanned(d, kind):
    """protocols, ciphers, groups and known faults, by sslscan"""
    test = scan(d, '--show-sigs')
    on = {(p.get('type'), p.get('version')): p.get('enabled') == '1'
          for p in test.findall('protocol')}
    equal(on, {('ssl', '2'): False, ('ssl', '3'): False,
               ('tls', '1.0'): False, ('tls', '1.1'): False,
               ('tls', '1.2'): True, ('tls', '1.3'): True}, 'protocols')
    ciphers = [(c.get('sslversion'), c.get('cipher'))
               for c in test.findall('cipher')]
    for version, name in ciphers:
        check(name in MODERN.get(version, ()), '%s %s' % (version, name))
        print('%s: %s %s' % (kind, version, name))
    for version in MODERN:
        check(any(v == version for v, _ in ciphers), version)
    for c in test.findall('cipher'):
        check(c.get('ecdhebits') is not None, 'no forward secrecy: %s' %
              c.get('cipher'))
        check(int(c.get('bits')) >= 128, c.get('cipher'))
    groups = {g.get('name').split()[0] for g in test.findall('group')}
    check(groups and groups <= GROUPS, groups)
    beats = test.findall('heartbleed')
    check(beats, 'not tried')
    for b in beats:
        equal(b.get('vulnerable'), '0', 'heartbleed')
    comp = test.find('compression')
    check(comp is None or comp.get('supported') == '0', 'compression')
    again = test.find('renegotiation')
    check(again is not None, 'not tried')
    check(again.get('supported') == '0' or again.get('secure') == '1',
          'renegotiation')
    cert = test.find('certificates/certificate')
    check(cert.find('signature-algorithm').text.startswith(
        ('ecdsa-with-SHA256', 'sha256With')), 'signature')


def main():
    if not os.path.exists('/usr/bin/sslscan'):
        sys.exit('sslscan is not installed')
    d = Daemon().start()
    d.do('tenant', 'add', 'acme')
    s = Suite(d)
    s.run_test(scanned, d, 'ec')
    d.stop()
    d.make_cert('tls', 'rsa')
    d.start()
    s.pids = d.pids()
    s.run_test(scanned, d, 'rsa')
    s.end()


if __name__ == '__main__':
    main()
