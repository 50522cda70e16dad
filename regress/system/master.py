#!/usr/bin/env python3
"""Another master key takes the place of the old one by a reload."""

import os
import re
import signal
import sys
import time

from cryptography.exceptions import InvalidTag

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from keys import furnished, key, number, only, raw_key          # noqa: E402
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Failure, until                         # noqa: E402
from trail import unwrap                                        # noqa: E402


def keys_line(d, now, previous=None):
    """The configuration names these master keys; reload it."""
    line = 'keys master "%s"' % d.path('keys', now)
    if previous is not None:
        line += ' previous "%s"' % d.path('keys', previous)
    text = re.sub(r'keys master "[^"]*"( previous "[^"]*")?', line, d.conf())
    d.write_conf(text)


def make_key(d, name, data=None):
    path = d.path('keys', name)
    with open(path, 'wb') as f:
        f.write(os.urandom(32) if data is None else data)
    os.chmod(path, 0o400)


def reload_fails(d, word):
    """The running configuration stays, with a reason."""
    code, _, err = d.ctl('reload')
    equal(code, 1, err)
    check(word in err, err)
    equal(d.healthy(), True, 'it serves')
    d.do('tenant', 'show', 'acme')


def unused(d):
    code, _, err = d.ctl('key', 'show')
    equal(code, 0, err)
    return 'used by nothing' in err


def master(d):
    """another master key by reload, with kills; the old one is of no use"""
    furnished(d, 'acme')[1].drop()
    others = ['m%d' % i for i in range(40)]
    for name in others:
        d.do('tenant', 'add', name)
    make_key(d, 'next.key')
    make_key(d, 'short.key', b'x' * 31)
    make_key(d, 'alien.key')
    for now, previous, word in (
            ('next.key', None, 'neither as master nor as previous'),
            ('next.key', 'alien.key', 'neither as master nor as previous'),
            ('master.key', 'master.key', 'the same'),
            ('short.key', 'master.key', '32 bytes'),
            ('next.key', 'short.key', '32 bytes'),
            ('next.key', 'missing.key', 'missing.key')):
        keys_line(d, now, previous)
        reload_fails(d, word)
    keys_line(d, 'next.key', 'master.key')
    d.do('reload')
    # Killed at once, and a little later, and with the parent.
    for pause in (0, 0.02, 0.1):
        time.sleep(pause)
        os.kill(d.pids('storage')['storage', 0], signal.SIGKILL)
        until(lambda: d.ctl('key', 'show')[0] == 0, 'storage is back')
    d.stop(signal.SIGKILL)
    d.start()
    until(lambda: unused(d), 'all is wrapped anew', 60)
    until(lambda: key(d, '')['state'] == 'whole', 'the installation', 60)
    equal([k for k in d.json('key', 'show')['keys'] if k['previous']], [],
          'previous')
    only(d, 0, 2)
    # Who still has the old one opens nothing with it.
    with open(d.path('keys', 'master.key'), 'rb') as f:
        old = f.read()
    for file in os.listdir(d.path('data', 'keys')):
        n = int(file.split('.')[0])
        try:
            unwrap({'key': old, 'record': raw_key(d, n), 'tenant': n})
        except InvalidTag:
            continue
        raise Failure('%s is by the old master key' % file)
    keys_line(d, 'next.key')
    d.do('reload')
    d.restart()
    equal(len(d.json('key', 'show')['keys']), 42, 'all there')
    equal(d.ctl('audit', 'verify')[0], 0, 'trails')
    equal(d.json('show', 'status')['status']['storage.damaged'], 0, 'whole')
    # With the old one again nothing is begun.
    d.stop()
    keys_line(d, 'master.key')
    code, said = d.refused()
    check(code != 0 and 'master key is not the one of this data' in said,
          said)
    # A second time, now that the installation's key has a file.
    make_key(d, 'third.key')
    keys_line(d, 'third.key', 'next.key')
    d.start()
    until(lambda: unused(d), 'all is wrapped anew', 60)
    keys_line(d, 'third.key')
    d.do('reload')
    d.restart()
    equal(d.ctl('audit', 'verify')[0], 0, 'trails')


def too_early(d):
    """a master key that is still needed is not let go"""
    d.do('tenant', 'add', 'early')
    n = number(d, 'early')
    # Its file cannot be written: as if the rotation were not through.
    keep = d.path('data', 'keys', '%d.new' % n)
    os.mkdir(keep)
    make_key(d, 'fourth.key')
    keys_line(d, 'fourth.key', 'third.key')
    d.do('reload')
    until(lambda: all(not k['previous'] for k in d.json('key', 'show')['keys']
                      if k['tenant'] != 'early'), 'the others', 60)
    check(not unused(d), 'one file is left')
    equal(key(d, 'early')['previous'], True, 'which one')
    equal(key(d, 'acme')['previous'], False, 'the others')
    keys_line(d, 'fourth.key')
    reload_fails(d, 'still in use')
    make_key(d, 'fifth.key')
    keys_line(d, 'fifth.key', 'fourth.key')
    reload_fails(d, 'still in use')
    os.rmdir(keep)
    keys_line(d, 'fourth.key', 'third.key')
    d.do('reload')
    until(lambda: unused(d), 'the last one', 60)
    keys_line(d, 'fourth.key')
    d.do('reload')


def main():
    d = Daemon(more='password hash memory 64 passes 1\n')
    d.start()
    s = Suite(d)
    for fn in (master, too_early):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
