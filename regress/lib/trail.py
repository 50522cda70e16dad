"""Audit trails, opened by the second reader of sealed records."""

import os
import sqlite3
import sys

from risa import TOP

sys.path.insert(0, os.path.join(TOP, 'regress', 'unit'))
from seal_reader import hkdf, open_record, unwrap               # noqa: E402


def _lines(path, key):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    lines = [open_record({'table': 'audit', 'column': 'entry', 'row': row,
                          'version': 0, 'bind': b'', 'record': entry},
                         key).decode()
             for row, entry in db.execute(
                 'SELECT id, entry FROM audit ORDER BY id')]
    db.close()
    return lines


def _master(d):
    with open(d.path('keys', 'master.key'), 'rb') as f:
        return f.read()


def trail(d, tenant):
    """The lines of a tenant's trail."""
    number = d.json('tenant', 'show', tenant)['tenant']['id']
    with open(d.path('data', 'keys', '%d.key' % number), 'rb') as f:
        key = unwrap({'key': _master(d), 'record': f.read(),
                      'tenant': number})
    return _lines(d.path('data', 'tenants', str(number), 'main.db'), key)


def system_trail(d):
    """The lines of the installation's trail: what operators did."""
    return _lines(d.path('data', 'system.db'),
                  hkdf(_master(d), b'risad system'))
