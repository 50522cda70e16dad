#!/usr/bin/env python3
"""Tenants handed out whole, with a reason and perhaps a second operator; what
there is, in the operator's zone; and no other way to what people write."""

import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from imsg import NOBODY                                         # noqa: E402
from lib import Suite, check, equal, within                     # noqa: E402
from risa import MAP, RISACTL, TOP, Daemon, slowest, until      # noqa: E402
from trail import system_trail, trail                           # noqa: E402

DAEMON = 1              # the uid of another account that all systems have
MARK = 'Kassiopeia'     # that people write
LOOKS = {
    'C_TENANT_LIST': ('tenant', 'list'),
    'C_TENANT_SHOW': ('tenant', 'show', 'acme'),
    'C_TENANT_ERASED': ('tenant', 'erased'),
    'C_TENANT_CERT': ('tenant', 'certificate', '1', 'FILE'),
    'C_USER_LIST': ('user', 'list', 'acme'),
    'C_USER_SHOW': ('user', 'show', 'acme', 'ann@acme.example'),
    'C_FLOOR_LIST': ('floor', 'list', 'acme'),
    'C_FLOOR_SHOW': ('floor', 'show', 'acme', 'One'),
    'C_GUEST_LIST': ('guest', 'list', 'acme'),
    'C_POLICY_SHOW': ('policy', 'show', 'acme'),
    'C_ROLE_LIST': ('role', 'list', 'acme'),
    'C_SESSION_LIST': ('session', 'list', 'acme'),
    'C_OPERATOR_LIST': ('operator', 'list'),
    'C_ATTACKS': ('show', 'attacks'),
    'C_ALERTS': ('show', 'alerts'),
    'C_AUDIT_SHOW': ('audit', 'show', 'tenant', 'acme', 'last', '0'),
    'C_AUDIT_VERIFY': ('audit', 'verify'),
    'C_AUDIT_POINTS': ('audit', 'checkpoints'),
    'C_LOG_SHOW': ('log', 'show', 'tenant', 'acme', 'last', '0'),
    'C_BACKUP_LIST': ('backup', 'list'),
    'C_HOLD_SHOW': ('hold', 'show', 'acme'),
    'C_KEY_SHOW': ('key', 'show'),
    'C_BACKUP_VERIFY': ('backup', 'verify'),
    'C_PURGE_SHOW': ('purge', 'show'),
    'C_EXPORTS': ('export', 'list'),
    'C_CONFIRMS': ('confirm', 'list'),
    'C_STORAGE': ('show', 'storage'),
    'C_PROOF_KEY': ('show', 'key'),
    'C_STATUS': ('show', 'status'),
    'C_PROCESSES': ('show', 'processes'),
    'C_STATS': ('show', 'stats'),
}


def other(d, uid, *words):
    """risactl run by another account: exit code, output, complaint."""
    code, out, err = d.ctl(*words, user=uid, group=NOBODY, extra_groups=[],
                           program=d.copy, cwd=d.path('out'))
    return code, out, err.removeprefix('risactl: ').rstrip('\n')


def read(d, *path):
    with open(d.path(*path)) as f:
        return [json.loads(line) for line in f]


def unread(d):
    """no command that looks prints what people write or call themselves (B28)
    """
    with open(os.path.join(TOP, 'risad', 'msg.c')) as f:
        there = set(re.findall(r'LOOK\((C_\w+),', f.read()))
    equal(set(LOOKS), there, 'all of them are tried')
    d.do('backup', 'now')
    more = [('log', 'export', 'jsonl', 'FILE', 'tenant', 'acme'),
            ('log', 'export', 'csv', 'FILE', 'tenant', 'acme'),
            ('user', 'import', 'acme', d.path('people.csv'), 'dry'),
            ('checksheet',)]
    d.write('people.csv', 'email,role\nann@acme.example,admin\n')
    for words in list(LOOKS.values()) + more:
        for form in ((), ('-j',)):
            path = d.path('looked')
            code, out, err = d.ctl(*form, *(
                path if w == 'FILE' else w for w in words))
            check(MARK.lower() not in (out + err).lower(), words)
            check(code == 0 or 'C_TENANT_CERT' in LOOKS and words ==
                  LOOKS['C_TENANT_CERT'], (words, err))
            for name in (path, path + '.sig'):
                if os.path.exists(name):
                    with open(name) as f:
                        check(MARK.lower() not in f.read().lower(), words)
                    os.unlink(name)
    check(MARK not in d.log(), 'the log')


def whole(d):
    """a tenant is handed out whole, with a signature (J3)"""
    seen = len(trail(d, 'acme'))
    d.do('tenant', 'export', 'acme', d.path('all'), 'reason', '移転のため')
    rows = read(d, 'all')
    kinds = {}
    for x in rows:
        kinds.setdefault(x['record'], []).append(x)
    equal(rows[0]['record'], 'tenant', 'the first')
    equal((rows[0]['name'], rows[0]['reason'], rows[0]['operator'],
           rows[0]['rules']['log-days']),
          ('acme', '移転のため', 0, 366), rows[0])
    equal(rows[-1], {'record': 'end', 'records': len(rows)}, 'the last')
    p = {x['email']: x for x in kinds['person']}
    equal((p['ann@acme.example']['name'], p['ann@acme.example']['note'],
           p['ann@acme.example']['role']),
          (MARK, 'note ' + MARK, 'admin'), p)
    equal([(x['name'], x['map']) for x in kinds['floor']],
          [('One', MAP), ('Two', MAP)], 'floors')
    equal([(x['name'], x['members']) for x in kinds['group']],
          [(MARK + ' group', [d.ann.id])], 'groups')
    equal([(x['note'], x['floors']) for x in kinds['guest']],
          [('', [d.one])], 'guest URLs')
    equal([(x['name'], x['guest']) for x in kinds['visit']],
          [(MARK + ' guest', kinds['guest'][0]['id'])], 'guests')
    said = {x['text']: x for x in kinds['message']}
    equal((said['floor ' + MARK]['channel'], said['floor ' + MARK]['floor'],
           said['floor ' + MARK]['from'], said['floor ' + MARK]['name']),
          ('floor', d.one, d.ann.id, MARK), said)
    equal((said['dm ' + MARK]['channel'], said['dm ' + MARK]['users']),
          ('user', sorted([d.ann.id, d.ben.id])), said)
    check(not any(x['text'].startswith('globex') for x in kinds['message']),
          'the other tenant')
    equal([x['text'] for x in kinds['audit']][:seen],
          trail(d, 'acme')[:seen], 'the trail')
    equal([(x['at'], x['text']) for x in kinds['access']][:9],
          [(x['at'], x['text']) for x in d.json(
              'log', 'show', 'tenant', 'acme', 'last', '0')['lines']][:9],
          'the log')
    check(len(kinds['access']) >= 9, 'the log')
    equal(trail(d, 'acme')[seen], 'by operator 0: export tenant, reason '
          '[移転のため]', 'told')
    pub = ('key', d.path('keys', 'sign.pub'))
    p = subprocess.run([RISACTL, 'verify', d.path('all'), *pub],
                       capture_output=True)
    equal((p.returncode, p.stderr), (0, b''), 'verifies')
    check(b'export of acme, as risad signed it' in p.stdout, p.stdout)
    p = subprocess.run([RISACTL, '-j', '-z', 'Asia/Tokyo', 'verify',
                        d.path('all'), *pub], capture_output=True)
    row, = json.loads(p.stdout)['verified']
    equal((row['file'], row['kind'], row['tenant'], row['at'][-6:]),
          (d.path('all'), 'export', 'acme', '+09:00'), row)
    with open(d.path('all'), 'r+b') as f:
        f.seek(300)
        f.write(b'\0')
    p = subprocess.run([RISACTL, 'verify', d.path('all'), *pub],
                       capture_output=True)
    equal(p.returncode, 1, 'a byte changed')


def secrets(d):
    """passwords, cookies and links are in no export"""
    with open(d.path('all'), errors='replace') as f:
        text = f.read()
    for word in (d.ann.http.cookie, d.ben.http.cookie, d.url, '$argon2',
                 'mail_key', 'secret'):
        check(word not in text, word)


def refused(d):
    """an export without a reason, a tenant, a role or a place is refused"""
    for words in (('tenant', 'export', 'acme', 'f'),
                  ('tenant', 'export', 'acme', 'f', 'reason'),
                  ('tenant', 'export', 'acme', 'f', 'reason', ''),
                  ('tenant', 'export', 'acme', 'f', 'reason', 'x' * 121),
                  ('tenant', 'export', 'acme', 'f', 'reason', 'a\tb')):
        equal(d.ctl(*words)[0], 2, words)
    code, _, err = d.ctl('tenant', 'export', 'nobody', d.path('f'), 'reason',
                         'x')
    equal((code, err), (1, 'risactl: no such tenant: nobody\n'), 'unknown')
    check(not os.path.exists(d.path('f')), 'nothing is left')
    code, _, err = d.ctl('tenant', 'export', 'acme', d.path('all'), 'reason',
                         'x')
    check(code == 1 and 'File exists' in err, err)
    d.do('operator', 'add', 'nobody', 'role', 'operator')
    code, _, err = other(d, NOBODY, 'tenant', 'export', 'acme',
                         d.path('out', 'f'), 'reason', 'x')
    equal((code, err), (1, 'this is for the role owner, yours is operator'),
          'role')
    d.do('operator', 'remove', 'nobody')


def listed(d):
    """every export is listed, with who, why and how much (F13)"""
    d.do('log', 'export', 'csv', d.path('csv'), 'tenant', 'acme', 'reason',
         'audit of 2026')
    d.do('log', 'export', 'jsonl', d.path('jsonl'))
    rows = d.json('export', 'list')['exports']
    tail = [(x['tenant'], x['what'], x['state'], x['by'], x['reason'])
            for x in rows[-2:]]
    equal(tail, [('acme', 'log-csv', 'done', 0, 'audit of 2026'),
                 (None, 'log-jsonl', 'done', 0, '')], rows)
    with open(d.path('csv')) as f:
        equal(rows[-2]['lines'], len(f.readlines()) - 1, 'lines')
    equal(rows[-1]['lines'], len(read(d, 'jsonl')), 'lines')
    whole_ = [x for x in rows if x['what'] == 'tenant']
    equal(whole_[0]['reason'], '移転のため', 'the first')
    with open(d.path('all'), errors='replace') as f:
        equal(whole_[0]['lines'], len(f.readlines()), 'lines')
    check('移転のため' in d.do('export', 'list'), 'as text')
    equal([x['number'] for x in
           d.json('export', 'list', 'tenant', 'globex')['exports']], [],
          'globex')
    equal([x for x in trail(d, 'acme') if 'access log' in x][-1],
          'by operator 0: export access log, reason [audit of 2026]', 'told')
    # They see it in their console; nobody else does.
    mine = d.ann.get('/admin/exports')['exports']
    equal([(x['id'], x['what'], x['reason'], x['lines']) for x in mine],
          [(x['number'], x['what'], x['reason'], x['lines'])
           for x in reversed(rows) if x['tenant'] == 'acme'], 'the console')
    equal(d.gil.get('/admin/exports'), {'exports': []}, 'theirs')
    d.ben.api('GET', '/admin/exports', want=403)


def slow(d):
    """who does not read stops nobody, and takes little memory (S5)"""
    big = dict(MAP, furniture=[{'kind': 'plant', 'x': 100 + i, 'y': 100,
                                'w': 60, 'h': 60, 'turn': 0}
                               for i in range(500)])
    d.write('big.json', json.dumps(big, indent=3))
    within(os.path.getsize(d.path('big.json')), 60000, 96 << 10, 'a map')
    for i in range(200):
        d.do('floor', 'add', 'globex', 'F%d' % i, 'map', d.path('big.json'))
    pids = d.pids()
    before = {t: memory(pids[(t, 0)]) for t in ('auth', 'storage')}
    usual = slowest(lambda i: d.ann.say('before %d' % i))
    p, way = begin(d, 'slow')
    size, worst = os.path.getsize(d.path('slow')), 0
    for i in range(14):             # faster than that is too fast
        t = time.monotonic()
        d.ann.say('while %d' % i)
        d.ann.hears('while %d' % i)
        worst = max(worst, time.monotonic() - t)
    for t in before:
        within(memory(pids[(t, 0)]) - before[t], -10**9, 8 << 20, t)
    check(worst < 1 + 10 * usual, 'chat waited for %.3f s' % worst)
    way.opened.set()
    equal(p.communicate(timeout=60), (None, b''), 'what it says')
    equal(p.returncode, 0, 'goes on')
    rows = read(d, 'slow')
    equal(len([x for x in rows if x['record'] == 'floor']), 201, 'floors')
    check(os.path.getsize(d.path('slow')) > size, 'it was stopped in time')
    equal(subprocess.run([RISACTL, 'verify', d.path('slow'), 'key',
                          d.path('keys', 'sign.pub')],
                         capture_output=True).returncode, 0, 'verifies')


def memory(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+) kB', f.read())[1]) << 10


def broken(d):
    """a kill in its middle leaves no file, and is seen in the list"""
    n = len(d.json('export', 'list')['exports'])
    p, _ = begin(d, 'b1')
    p.kill()
    p.communicate()
    until(lambda: d.json('export', 'list')['exports'][-1]['state'] ==
          'failed', 'the client is gone')
    p, way = begin(d, 'b2')
    os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
    way.opened.set()
    p.communicate(timeout=60)
    equal(p.returncode, 1, 'refused')
    equal([os.path.exists(d.path(x)) for x in ('b2', 'b2.sig')],
          [False, False], 'no half a file')
    rows = until(lambda: d.ctl('export', 'list')[0] == 0 and
                 d.json('export', 'list')['exports'], 'back')
    equal([x['state'] for x in rows[n:]], ['failed', 'begun'], rows)
    d.do('tenant', 'export', 'globex', d.path('b3'), 'reason', 'again')
    equal(d.json('export', 'list')['exports'][-1]['state'], 'done', 'again')


def given_up(d):
    """who gives up, or hangs up, leaves no half; what is there stays"""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        name = 'given%d' % sig
        p, _ = begin(d, name)
        p.send_signal(sig)
        equal(p.wait(60), 128 + sig, 'exit code')
        equal([os.path.exists(d.path(x)) for x in (name, name + '.sig')],
              [False, False], 'no half a file')
    d.write('g.sig', 'of another one')
    code, _, err = d.ctl('tenant', 'export', 'globex', d.path('g'), 'reason',
                         'x')
    check(code == 1 and 'g.sig: File exists' in err, err)
    equal([os.path.exists(d.path(x)) for x in ('g', 'g.sig')],
          [False, True], 'the old signature')


def together(d):
    """several exports of one tenant are whole; one of a tenant that goes ends
    """
    ps = [subprocess.Popen([RISACTL, '-s', d.path('risad.sock'), 'tenant',
                            'export', 'globex', d.path('t%d' % i), 'reason',
                            'x']) for i in range(4)]
    equal([p.wait(60) for p in ps], [0] * 4, 'all')
    for i in range(4):
        equal(subprocess.run([RISACTL, 'verify', d.path('t%d' % i), 'key',
                              d.path('keys', 'sign.pub')],
                             capture_output=True).returncode, 0, 'verifies')
    d.do('tenant', 'add', 'hooli')
    for i in range(100):
        d.do('floor', 'add', 'hooli', 'F%d' % i, 'map', d.path('big.json'))
    p, way = begin(d, 't5', 'hooli')
    d.do('tenant', 'erase', 'hooli', 'confirm', 'hooli', d.path('t6'))
    way.opened.set()
    p.communicate(timeout=60)
    equal((p.returncode, os.path.exists(d.path('t5'))), (1, False), 'gone')
    # That it was taken out, in part, outlives the tenant.
    x = d.json('export', 'list')['exports'][-1]
    equal((x['tenant'], x['state'], x['reason']), ('hooli', 'failed', 'x'), x)


def years(d):
    """the list keeps three years, and not more"""
    d.stop()
    db = sqlite3.connect(d.path('data', 'system.db'), isolation_level=None)
    ids = [x for x, in db.execute('SELECT id FROM exports ORDER BY id')]
    now = int(time.time() * 1000)
    for row, days in ((ids[0], 1097), (ids[1], 1095)):
        db.execute('UPDATE exports SET at = ? WHERE id = ?',
                   (now - days * 86400000, row))
    d.start()
    until(lambda: db.execute('SELECT min(id) FROM exports').fetchone()[0] ==
          ids[1], 'the oldest has gone')
    equal([x for x, in db.execute('SELECT id FROM exports ORDER BY id')],
          ids[1:], 'the others')
    db.close()


class Narrow(threading.Thread):
    """A way to the daemon that lets this much through, until it is opened."""

    def __init__(self, d, name, most=1 << 20):
        super().__init__(daemon=True)
        self.path, self.most = d.path(name + '.sock'), most
        self.opened = threading.Event()
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(self.path)
        self.door.listen(1)
        self.up = socket.socket(socket.AF_UNIX)
        self.up.connect(d.path('risad.sock'))
        self.start()

    def run(self):
        with self.door, self.up, self.door.accept()[0] as down:
            try:
                while self.turn(down):
                    pass
            except OSError:
                pass                    # one of the two is gone

    def turn(self, down):
        """Pass on what there is; does it go on?"""
        ends = [down]
        if self.most > 0 or self.opened.is_set():
            ends.append(self.up)
        for s in select.select(ends, [], [], 0.02)[0]:
            data = s.recv(1 << 16)
            (self.up if s is down else down).sendall(data)
            self.most -= len(data) if s is self.up else 0
            if data == b'':
                return False
        return True


def begin(d, name, tenant='globex'):
    """An export of which some has come; its client, and the way of the rest.
    """
    way = Narrow(d, name)
    p = subprocess.Popen([RISACTL, '-s', way.path, 'tenant', 'export', tenant,
                          d.path(name), 'reason', 'x'],
                         stderr=subprocess.PIPE)
    until(lambda: os.path.exists(d.path(name)) and
          os.path.getsize(d.path(name)) > 0, 'it begins')
    return p, way


def second(d):
    """what the configuration says takes another operator, and runs once (E2)
    """
    d.do('operator', 'add', 'nobody', 'role', 'owner')
    d.do('operator', 'add', 'daemon', 'role', 'operator')
    words = ('tenant', 'export', 'acme', d.path('two'), 'reason', 'they ask')
    d.do('tenant', 'suspend', 'acme')   # what is not named goes on alone
    d.do('tenant', 'resume', 'acme')
    code, _, err = d.ctl(*words)
    n = re.search(r'by confirm (\d+);', err)
    check(code == 1 and n, err)
    n = n[1]
    equal(d.ctl(*words)[2], err, 'the same number')
    check(not os.path.exists(d.path('two')), 'nothing yet')
    row, = d.json('confirm', 'list')['waiting']
    equal((row['number'], row['by'], row['confirmed_by'], row['what']),
          (int(n), 0, None, 'tenant export acme reason [they ask]'), row)
    check('they ask' in d.do('confirm', 'list'), 'as text')
    # Not oneself, nobody without the role, no number of nothing.
    code, _, err = d.ctl('confirm', n)
    check(code == 1 and 'by yourself' in err, err)
    equal(other(d, DAEMON, 'confirm', n),
          (1, '', 'this is for the role owner at least'), 'role')
    equal(other(d, NOBODY, 'confirm', '999'),
          (1, '', 'nothing waits under the number 999'), 'unknown')
    equal(d.ctl(*words)[0], 1, 'not yet')
    equal(other(d, NOBODY, 'confirm', n), (0, '', ''), 'confirmed')
    equal(d.json('confirm', 'list')['waiting'][0]['confirmed_by'], NOBODY,
          'seen')
    # Only this command, of only this operator.
    for w in (words[:-1] + ('another',), ('tenant', 'export', 'globex') +
              words[3:]):
        equal(d.ctl(*w)[0], 1, w)
    check(other(d, NOBODY, 'tenant', 'export', 'acme', d.path('out', 'two'),
                *words[4:])[0] == 1, 'another asks')
    d.do(*words)
    equal(read(d, 'two')[0]['reason'], 'they ask', 'handed out')
    os.rename(d.path('two'), d.path('was'))
    os.unlink(d.path('two.sig'))
    code, _, err = d.ctl(*words)
    check(code == 1 and 'another operator' in err, 'only once')
    x = d.json('export', 'list', 'tenant', 'acme')['exports'][-1]
    equal((x['by'], x['confirmed_by'], x['reason']),
          (0, NOBODY, 'they ask'), x)
    equal(trail(d, 'acme')[-1], 'by operator 0: export tenant, reason '
          '[they ask], confirmed by operator %d' % NOBODY, 'the trail')
    equal([x for x in system_trail(d) if 'tenant export acme' in x and
           'they ask' in x][:2],
          ['uid 0: tenant export acme reason [they ask]',
           'uid 0: tenant export acme reason [they ask]: waits for another '
           'operator'], 'who asked')
    check('uid 65534: confirm %s of uid 0: tenant export acme reason '
          '[they ask]: done' % n in system_trail(d), 'who confirmed')
    check('uid 0: tenant export acme reason [they ask]: done, confirmed by '
          'uid 65534' in system_trail(d), 'that it ran')


def erased(d):
    """erasure, ends, deletion and log exports take one too, if they are named
    """
    mail = 'zoe@acme.example'
    d.invite('acme', mail)
    d.do('user', 'add', 'acme', 'held@acme.example')
    d.do('hold', 'set', 'acme', 'user', 'held@acme.example', 'reason', 'Court')
    for words in (('user', 'delete', 'acme', mail),
                  ('floor', 'delete', 'acme', 'Two'),
                  ('log', 'export', 'csv', d.path('lc'), 'tenant', 'acme',
                   'from', '2h'),
                  ('hold', 'clear', 'acme', 'user', 'held@acme.example'),
                  ('user', 'erase', 'acme', 'held@acme.example', 'messages',
                   'erase'),
                  ('tenant', 'end', 'initech', 'on', '+30d'),
                  ('tenant', 'erase', 'initech', 'confirm', 'initech',
                   d.path('cert'))):
        code, _, err = d.ctl(*words)
        check(code == 1 and 'another operator' in err, (words, err))
        n = re.search(r'by confirm (\d+);', err)[1]
        equal(other(d, NOBODY, 'confirm', n), (0, '', ''), words)
        until(lambda: int(time.time() * 1000) % 1000 < 500, 'a while')
        d.do(*words)
    with open(d.path('cert')) as f:
        check('confirmed by: operator %d\n' % NOBODY in f.read(), 'told')
    d.do('tenant', 'end', 'acme', 'never')


def only(d, words):
    """This alone takes a second operator from now on."""
    d.more = re.sub(r'confirm .*', 'confirm ' + words, d.more)
    d.write_conf()
    d.do('reload')


def alike(d):
    """what has the same effect takes one too, by whatever command it is done
    """
    hold = (('hold', 'clear', 'acme'),
            ('policy', 'set', 'acme', 'legal-hold', '0'),
            ('retention', 'set', 'acme', 'hold', '0'))
    gone = (('user', 'delete', 'acme', 'ann@acme.example'),
            ('user', 'erase', 'acme', 'ann@acme.example', 'messages', 'keep'),
            ('floor', 'delete', 'acme', 'One'),
            ('tenant', 'end', 'acme', 'on', '+30d'),
            ('tenant', 'erase', 'acme', 'confirm', 'acme', d.path('ca')),
            ('backup', 'restore', '20261129T033000Z', 'tenant', 'acme'))
    chat = (('policy', 'set', 'acme', 'chat-days', '30'),
            ('retention', 'set', 'acme', 'chat', '30'),
            ('chat', 'erase', 'acme', 'all', 'from', '30d'),
            ('chat', 'erase', 'acme', 'floor', 'One'))
    d.do('hold', 'set', 'acme', 'reason', 'Court')
    for word, commands in (('delete', hold + gone), ('erase', gone + chat),
                           ('purge', hold + chat)):
        only(d, word)
        for words in commands:
            code, _, err = d.ctl(*words)
            n = re.search(r'by confirm (\d+);', err)
            check(code == 1 and n, (word, words, err))
            equal(d.ctl('confirm', 'refuse', n[1])[0], 0, err)
    only(d, 'operator')
    equal(d.json('hold', 'show', 'acme')['holds'][0]['reason'], 'Court',
          'held')
    d.do('retention', 'set', 'acme', 'hold', '0')
    d.do('policy', 'set', 'acme', 'chat-days', '400')
    only(d, 'export, erase, delete')


def times(d):
    """another time is another command: what was meant is what is done"""
    d.do('tenant', 'add', 'hooli', 'contact', 'x@hooli.example')
    d.floor('hooli', 'Lobby')

    def asks(*words):
        code, _, err = d.ctl(*words)
        n = re.search(r'by confirm (\d+);', err)
        check(code == 1 and n, (words, err))
        row, = [x for x in d.json('confirm', 'list')['waiting']
                if x['number'] == int(n[1])]
        return n[1], row['what']
    slip, _ = asks('tenant', 'end', 'hooli', 'on', '2027-12-24')
    n, what = asks('tenant', 'end', 'hooli', 'on', '2028-12-24')
    check(n != slip and ' 2028-12-24T' in what, (slip, n, what))
    equal(other(d, NOBODY, 'confirm', slip), (0, '', ''), 'the slip')
    code, _, err = d.ctl('tenant', 'end', 'hooli', 'on', '2028-12-24')
    check(code == 1 and 'confirm %s;' % n in err, err)
    equal(other(d, NOBODY, 'confirm', n), (0, '', ''), 'what was meant')
    d.do('tenant', 'end', 'hooli', 'on', '2028-12-24')
    equal(system_trail(d)[-1], 'uid 0: tenant end hooli 2028-12-24T23:59:59Z: '
          'done, confirmed by uid 65534', 'its end')
    # All that there is, and a part of it; one from now on is the same.
    floor = ('chat', 'erase', 'hooli', 'floor', 'Lobby')
    n, what = asks(*floor)
    equal(what, 'erase hooli messages of floor Lobby', n)
    equal(other(d, NOBODY, 'confirm', n), (0, '', ''), 'all')
    part, what = asks(*floor, 'from', '2h')
    check(part != n and re.search(r' from 20\S+Z$', what), (n, part, what))
    equal(asks(*floor, 'from', '2h'), (part, what), 'from now on')
    last, what = asks(*floor, 'from', '3h', 'to', '2026-01-31')
    check(last not in (n, part) and what.endswith(
        ' to 2026-01-31T23:59:59Z'), what)
    log, what = asks('log', 'export', 'csv', d.path('lt'), 'tenant', 'hooli',
                     'from', '2026-01-31', 'reason', 'r')
    check(what.endswith('hooli export reason [r] from 2026-01-31T00:00:00Z'),
          what)
    for x in (slip, n, part, last, log):
        equal(d.ctl('confirm', 'refuse', x)[0], 0, x)


def others(d):
    """the ledger, and what goes by its age, likewise; the rest goes alone"""
    only(d, 'operator, purge')
    for words in (('operator', 'add', 'bin', 'role', 'auditor', 'until',
                   '+30d'),
                  ('operator', 'remove', 'bin'),
                  ('purge', 'run', 'tenant', 'acme'),
                  ('retention', 'set', 'acme', 'chat', '30'),
                  ('policy', 'set', 'acme', 'audit-days', '1100'),
                  ('retention', 'installation', 'audit', '400'),
                  ('policy', 'set', 'acme', 'legal-hold', '1'),
                  ('policy', 'set', 'acme', 'legal-hold', '0')):
        code, _, err = d.ctl(*words)
        check(code == 1 and 'another operator' in err, (words, err))
        n = re.search(r'by confirm (\d+);', err)[1]
        equal(other(d, NOBODY, 'confirm', n), (0, '', ''), words)
        d.do(*words)
    for words in (('policy', 'set', 'acme', 'password-length', '9'),
                  ('purge', 'show'), ('purge', 'run', 'dry'),
                  ('tenant', 'end', 'acme', 'never'),
                  ('log', 'export', 'csv', d.path('alone')),
                  ('user', 'add', 'acme', 'yan@acme.example'),
                  ('user', 'delete', 'acme', 'yan@acme.example')):
        d.do(*words)
    only(d, 'export, erase, delete')


def dropped(d):
    """what waits can be refused, ends with the process, and has an end"""
    words = ('tenant', 'export', 'acme', d.path('dr'), 'reason', 'r')
    n = re.search(r'by confirm (\d+);', d.ctl(*words)[2])[1]
    equal(other(d, NOBODY, 'confirm', n)[0], 0, 'confirmed')
    equal(other(d, DAEMON, 'confirm', 'refuse', n), (0, '', ''), 'refused')
    code, _, err = d.ctl(*words)
    check(code == 1 and 'confirm %d;' % (int(n) + 1) in err, err)
    # Who has confirmed must still be an operator when it runs.
    equal(other(d, NOBODY, 'confirm', str(int(n) + 1))[0], 0, 'again')
    d.do('operator', 'remove', 'nobody')
    equal(d.ctl(*words)[0], 1, 'his word is worth nothing any more')
    within(len(d.json('confirm', 'list')['waiting']), 1, 9, 'some wait')
    os.kill(d.pids()[('storage', 0)], signal.SIGKILL)
    until(lambda: d.ctl('confirm', 'list')[0] == 0 and
          d.json('confirm', 'list')['waiting'] == [], 'forgotten')
    check(not os.path.exists(d.path('dr')), 'nothing was handed out')
    for i in range(80):
        code, _, err = d.ctl(*words[:-1], 'r%d' % i)
        equal(code, 1, err)
    check('too many' in err, err)
    equal(len(d.json('confirm', 'list')['waiting']), 64, 'bounded')


def overview(d):
    """show storage and the checksheet tell what there is (J8)"""
    rows = {(x['tenant'], x['kind']): x for x in
            d.json('show', 'storage')['storage']}
    kinds = {'people', 'passwords', 'sign-ins', 'floors', 'chat', 'audit',
             'log', 'file'}
    equal({k for t, k in rows if t == 'acme'}, kinds, 'of a tenant')
    equal({k for t, k in rows if t is None},
          {'audit', 'log', 'exports', 'file', 'backups', 'rehearsals'},
          'of the installation')
    equal((rows['acme', 'people']['count'], rows['acme', 'passwords']
           ['count'], rows['acme', 'floors']['count']), (2, 2, 2), 'counts')
    equal(rows['acme', 'audit']['count'], len(trail(d, 'acme')), 'audit')
    equal(rows['acme', 'chat']['count'], 3, 'chat')
    equal((rows['globex', 'chat']['count'], rows['globex', 'people']
           ['count']), (1, 1), 'theirs')
    equal((rows['acme', 'log']['days'], rows['acme', 'audit']['days'],
           rows['acme', 'chat']['days']), (366, 1096, 0), 'days')
    path = d.path('data', 'tenants', '1')
    equal(rows['acme', 'log']['bytes'], sum(
        os.path.getsize(os.path.join(path, x)) for x in os.listdir(path)
        if re.fullmatch(r'log-\d+\.db(-wal)?', x)), 'bytes of the log')
    within(rows['acme', 'file']['bytes'], os.path.getsize(
        os.path.join(path, 'main.db')), 10**8, 'of the file')
    check(rows['acme', 'chat']['oldest'] <= rows['acme', 'chat']['newest'],
          'times')
    only = d.json('show', 'storage', 'tenant', 'globex')['storage']
    equal({x['tenant'] for x in only}, {'globex'}, 'one tenant')
    sheet = d.do('checksheet', 'tenant', 'acme')
    for word in ('chat', 'passwords', 'Argon2id', 'sealed', '1096', '366',
                 '日本'):
        check(word in sheet, word)
    equal({x['country'] for x in d.json('checksheet')['storage']}, {'日本'},
          'the country (J4)')
    check('日本' not in d.do('show', 'storage'), 'it is of the sheet')
    equal(d.ctl('show', 'storage', 'tenant', 'no')[0], 1, 'unknown')


def zones(d):
    """times are shown and taken in the zone that is asked for"""
    row = d.json('tenant', 'show', 'acme')['tenant']['created']
    check(row.endswith('Z'), row)
    # Nobody's TZ changes what programs read.
    env = dict(os.environ, TZ='America/New_York')
    equal(json.loads(d.ctl('-j', 'tenant', 'show', 'acme', env=env)[1])
          ['tenant']['created'], row, 'TZ')
    for zone, hours, end in (('Asia/Tokyo', 9, '+09:00'),
                             ('Asia/Kolkata', 5.5, '+05:30'),
                             ('America/St_Johns', None, None)):
        got = json.loads(d.do('-j', '-z', zone, 'tenant', 'show', 'acme'))
        got = got['tenant']['created']
        if hours is not None:
            check(got.endswith(end), got)
            t = time.strptime(row, '%Y-%m-%dT%H:%M:%SZ')
            u = time.strptime(got[:19], '%Y-%m-%dT%H:%M:%S')
            equal(time.mktime(u) - time.mktime(t), hours * 3600, zone)
        check(got in d.do('-z', zone, 'tenant', 'show', 'acme'), 'as text')
    for zone in ('Asia/Tokio', '', '/etc/passwd', '../../../etc/passwd',
                 'Asia', 'JST-9', 'right/UTC'):
        code, out, err = d.ctl('-z', zone, 'show', 'status')
        equal((code, out, err),
              (2, '', 'risactl: %s: no such zone\n' % zone), zone)
    d.do('-z', 'Asia/Tokyo', 'operator', 'add', 'nobody', 'role', 'auditor',
         'until', '2099-12-31')
    equal([x['until'] for x in d.json('operator', 'list')['operators']
           if x['uid'] == NOBODY], ['2099-12-31T14:59:59Z'], 'read in it')
    d.do('operator', 'remove', 'nobody')
    code, _, err = d.ctl('-z', 'Europe/Berlin', 'log', 'show', 'from',
                         '2026-10-25T02:30:00')
    check(code == 2 and 'it was twice' in err, err)
    code, _, err = d.ctl('-z', 'Europe/Berlin', 'log', 'show', 'from',
                         '2026-03-29T02:30:00')
    check(code == 2 and 'put forward' in err, err)


def people(d):
    """What people write: floors, rooms, direct messages, profiles, groups."""
    d.ann = d.person('acme', 'ann@acme.example', 'admin', MARK)
    d.ben = d.person('acme', 'ben@acme.example', name='Ben ' + MARK)
    d.gil = d.person('globex', 'gil@globex.example', 'admin')
    d.ann.api('PATCH', '/me', {'note': 'note ' + MARK}, want=200)
    d.ann.api('POST', '/admin/groups', {'name': MARK + ' group', 'members':
              [d.ann.id]}, want=201)
    d.ann.open().enter(d.one)
    d.ben.open().enter(d.one)
    d.ann.say('floor ' + MARK)
    d.ann.say('dm ' + MARK, {'user': d.ben.id})
    d.ben.hears('dm ' + MARK)
    d.ben.say('again ' + MARK)
    d.ann.hears('again ' + MARK)
    d.gil.open().enter(d.floor('globex', 'One'))
    d.gil.say('globex ' + MARK)
    d.gil.hears('globex ' + MARK)
    url = d.do('guest', 'add', 'acme', 'floor', 'One', 'uses', '1').strip()
    d.url = url.rsplit('/', 1)[1]
    d.gus = d.ann.http.__class__(d)
    equal(d.gus.request('POST', '/api/v1/guest/' + d.url, {
                        'name': MARK + ' guest'}).status, 201, 'a guest')


def main():
    conf = 'password hash memory 64 passes 1\nsite country "日本"\n'
    d = Daemon(workers=2, more=conf).start()
    d.copy = shutil.copy(RISACTL, d.path('risactl'))
    os.chmod(d.copy, 0o755)
    os.mkdir(d.path('out'))
    os.chmod(d.path('out'), 0o777)
    for name in ('acme', 'globex', 'initech'):
        d.do('tenant', 'add', name)
    d.one = d.floor('acme', 'One')
    d.two = d.floor('acme', 'Two')
    people(d)
    s = Suite(d)
    for fn in (overview, zones, unread, whole, secrets, refused, listed,
               slow):
        s.run_test(fn, d)
    s.run_test(broken, d, restarts=True)
    s.run_test(given_up, d)
    s.run_test(together, d)
    d.more = conf + 'confirm export, erase, delete\n'
    d.write_conf()
    d.do('reload')
    for fn in (second, erased, alike, times, others):
        s.run_test(fn, d)
    for fn in (dropped, years):
        s.run_test(fn, d, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
