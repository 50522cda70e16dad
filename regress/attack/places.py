#!/usr/bin/env python3
"""Every imsg from the place of every process to every process it has a pipe
to: nothing is learned by it, nothing is changed, and who sends it is told on.

Each process runs by itself with the test around it; see alone.py."""

import collections
import os
import random
import select
import shutil
import signal
import sqlite3
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from alone import Alone, siblings                               # noqa: E402
from forged import FD_MARK, MAX_PAYLOAD, PROCS, TYPES, imsg, \
    results, text                                               # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, Failure, until                         # noqa: E402

SEED = 71
STORAGE, HASH = ('storage', 0), ('hash', 0)
STRANGER = 4242         # a uid that is no operator
# What a configuration may bring along that not every one does.
MORE = {'storage': ('PREVIOUS', 'TEMPLATE'), 'auth': ('TURN',),
        'session': ('LISTEN_REDIRECT', 'LISTEN_PROXY')}
ROUNDS = 1000000 if LONG else 10000     # of forgeries at random
R_OK, R_NOTFOUND, R_MAX = results('R_OK', 'R_NOTFOUND', 'R_MAX')

# What an imsg that the table allows may set off beside a refusal: the pipe
# closed and the sender told on, a RESULT that says no, nothing at all.  A name
# alone goes back to the sender; "storage:X" is asked of another one.
ASKS_STORAGE = ' '.join('storage:' + n for n in (
    'CRED_FIND CRED_TOKEN CRED_LINK TOKEN_FIND LINK_FIND LOCKS LOCK '
    'PASSKEY_START PASSKEY_FIND GUEST_FIND GUEST_CRED ALERT').split())


def each(names, sets_off=''):
    return {n: set(sets_off.split()) for n in names.split()}


SETS_OFF = {
    'session>keys': {'SIGN': {'SIGNED'}, 'TICKET': {'TICKET_KEY'}},
    'storage>keys': {'PROVE': {'PROVEN'}},
    'auth>hash': {
        'HASH_MAKE': {'HASH_MADE'}, 'HASH_CHECK': {'HASH_CHECKED'},
        'HASH_TOTP': {'HASH_TOTP_MADE'}, 'HASH_OTP': {'HASH_OTP_CHECKED'},
        'HASH_CODES': {'HASH_CODES_MADE'}, 'HASH_SCORE': {'HASH_SCORED'},
        'HASH_REGISTER': {'HASH_REGISTERED'},
        'HASH_ASSERT': {'HASH_ASSERTED'}},
    'hash>auth': each('HASH_MADE HASH_CHECKED HASH_TOTP_MADE '
                      'HASH_OTP_CHECKED HASH_CODES_MADE HASH_SCORED '
                      'DEVICE_KEY HASH_REGISTERED HASH_ASSERTED'),
    'keys>storage': each('PROVEN PROOF_KEY CERT'),
    'keys>session': each('SIGNED TICKET_KEY'),
    'session>session': each(
        'BUS_JOIN BUS_AGAIN BUS_ALL BUS_LEFT BUS_LEGS BUS_DOOR '
        'BUS_CALL BUS_CALL_OVER BUS_ANSWER BUS_PAIR BUS_SIGNAL BUS_WORD'),
    'auth>session': {
        **each('RESULT LOGIN_OK FACTOR_SEED FACTOR_SHOW PASSWORD_CHECKED '
               'CHALLENGE TALK'),
        **each('C_STATUS C_STATS', 'C_STAT_ROW RESULT')},
    'storage>session': {
        **each('RESULT TENANT TENANT_END GRANT_END GRANT_MUST LINK RIGHTS ROLE '
               'PROFILE GUEST KNOCK KNOCK_END SIGNIN FACTOR_ROW USER FLOOR_ROW '
               'FLOOR_DOC SAID MESSAGE UNREAD_ROW PERSON PASSKEY GUEST_ROW '
               'VISIT_ROW A_USER A_LINK A_GROUP A_TEMPLATE A_FLOOR A_ROLE '
               'A_IMPORT_ROW A_IMPORT_DONE A_ALERT A_AUDIT_ROW A_POINT '
               'A_LOG_ROW A_EXPORT BUS_MSG BUS_ERASED BUS_CLEARED'),
        'BUS_GRANT': {'session:BUS_AGAIN'},    # who has come with it?
        'FENCE': {'FENCED'},
        'GRANT': {'GRANT_DROP'}},       # nobody wants it: it is given back
    'storage>auth': {
        **each('RESULT CRED TOKEN_ROW LINK_DONE OPERATOR OPERATORS LOCK_ROW '
               'UNLOCK PASSKEY_OWNER PASSKEY_ROW GUEST_NEED TENANT '
               'C_TENANT_ROW C_ERASED_ROW C_USER_ROW C_IMPORT_ROW '
               'C_IMPORT_DONE C_LINK_TOKEN C_FLOOR_ROW C_GUEST_ROW '
               'C_POLICY_ROW C_ROLE_ROW C_SESSION_ROW C_OPERATOR_ROW '
               'C_ATTACK_ROW C_ALERT_ROW C_AUDIT_ROW C_AUDIT_STATE C_POINT '
               'C_LOG_ROW C_KEPT C_KEY_ROW C_KEY_COPY C_BACKUP_ROW '
               'C_BACKUP_PART C_BACKUP_STEP C_EXPORT_ROW C_CONFIRM_ROW '
               'C_STORAGE_ROW C_HOLD_ROW C_PROOF_ROW C_STAT_ROW'),
        'C_LOG_TEXT': {'READ_ON'},      # its reader is gone
        'TALK_MAKE': {'session:TALK', 'session:RESULT'}},
    'session>auth': {
        **each('LOGIN TOKEN LINK_GET LINK_USE PASSWORD FACTOR PASSWORD_CHECK '
               'PASSKEY_ADD PASSKEY_DEL PASSKEY_LOGIN GUEST_GET GUEST_USE '
               'GUEST_SECRET', ASKS_STORAGE),
        # For a sign-in the same to everybody who asks, see passkey.c.
        'PASSKEY_ASK': set(ASKS_STORAGE.split()) | {'CHALLENGE'},
        **each('RESULT C_STAT_ROW')},
    'session>storage': each(
        'GRANT_DROP ACCESS SIGNOUT SIGNINS SIGNIN_END FACTOR_GET ME_SET '
        'FLOORS FLOOR_GET TALK_GET PLACE_SET SAY HISTORY READ ERASE UNREAD '
        'PEOPLE PASSKEYS PASSKEY_NAME GUEST_NAME GUEST_ADMIT DOOR_KEY GUESTS '
        'GUEST_ADD GUEST_DEL VISIT_DEL A_USERS A_USER_ADD A_USER_SET '
        'A_USER_DEL A_ERASE A_USER_LINK A_SIGNINS A_SIGNINS_END A_FACTOR_DEL '
        'A_GROUPS A_GROUP_ADD A_GROUP_SET A_GROUP_DEL A_TEMPLATES A_FLOORS '
        'A_FLOOR_ADD A_FLOOR_SET A_FLOOR_DEL A_ROLES A_ROLE_ADD A_ROLE_SET '
        'A_ROLE_DEL A_TENANT_SET A_POLICY_SET A_IMPORT_BEGIN A_IMPORT_LINE '
        'A_IMPORT_END A_ALERTS A_AUDIT A_POINTS A_LOG A_EXPORTS FENCED'),
    # Of tenants and people that are not; commands by no operator.
    'auth>storage': {
        **each('CRED_FIND CRED_TOKEN CRED_LINK CRED_SET FACTOR_PUT TOKEN_NEW '
               'TOKEN_FIND GRANT_NEW LINK_FIND LINK_SET READ_ON LOCK LOCKS '
               'ALERT PASSKEY_START PASSKEY_FIND PASSKEY_PUT PASSKEY_DROP '
               'GUEST_FIND GUEST_CRED GUEST_NEW GUEST_SEAL'),
        'NOTE': {'RESULT'},             # what is to be noted, is
        **each('C_TENANT_ADD C_TENANT_LIST C_TENANT_SHOW C_TENANT_STATE '
               'C_TENANT_END C_TENANT_ERASE C_TENANT_ERASED C_TENANT_CERT '
               'C_USER_ADD C_USER_LIST C_USER_SHOW C_USER_STATE C_USER_LINK '
               'C_USER_FACTOR C_USER_DEL C_USER_ROLE C_IMPORT_BEGIN '
               'C_IMPORT_LINE C_IMPORT_END C_FLOOR_ADD C_FLOOR_LIST '
               'C_FLOOR_SHOW C_FLOOR_ALLOW C_FLOOR_NETWORKS C_FLOOR_TALK '
               'C_FLOOR_DEL C_GUEST_ADD C_GUEST_LIST C_GUEST_DEL '
               'C_POLICY_SHOW C_POLICY_SET C_ROLE_LIST C_ROLE_ADD '
               'C_ROLE_ALLOW C_ROLE_DENY C_ROLE_NAME C_ROLE_DEL '
               'C_SESSION_LIST C_SESSION_END C_OPERATOR_ADD C_OPERATOR_LIST '
               'C_OPERATOR_DEL C_ATTACKS C_ALERTS C_ALERT_CLEAR C_AUDIT_SHOW '
               'C_AUDIT_VERIFY C_AUDIT_POINTS C_LOG_SHOW C_PURGE_SHOW '
               'C_PURGE_RUN C_KEY_ROTATE C_KEY_SHOW C_KEY_BACKUP '
               'C_BACKUP_NOW C_BACKUP_LIST C_BACKUP_VERIFY C_BACKUP_RESTORE '
               'C_BACKUP_REHEARSE C_TENANT_EXPORT C_EXPORTS C_CONFIRM '
               'C_CONFIRMS C_STORAGE C_KEEP C_ERASE C_HOLD_SET C_HOLD_CLEAR '
               'C_HOLD_SHOW C_PROOF_KEY C_STATUS C_STATS')},
}
# What a process says by itself to a new pipe, or as time goes by.
BY_ITSELF = {
    'keys': {'storage:PROOF_KEY', 'storage:CERT'},
    'hash': {'auth:DEVICE_KEY'},
    'auth': {'hash:HASH_MAKE'},         # the dummy's
    'storage': {'auth:OPERATORS', 'auth:OPERATOR', 'auth:TENANT',
                'session:TENANT', 'session:TENANT_END', 'session:ROLE',
                'keys:PROVE'},
    'session': set(),
}
# keys speaks to a session only when asked, so that has tests of its own.
WAYS = [(by, to) for to in ('keys', 'hash', 'auth', 'session', 'storage')
        for by in sorted({p for p, _ in siblings(to)})
        if (by, to) != ('keys', 'session')]


def draw(t, rnd, stranger=False):
    """A payload that the type's reader accepts."""
    out = b''
    for i, (kind, top) in enumerate(t.fields):
        if kind[0] == 'n':
            v = rnd.choice((0, 1, 2, 3, top, rnd.randint(0, top)))
            if stranger and i == 0:
                v = STRANGER
            out += min(v, top).to_bytes(int(kind[1:]) // 8, 'big')
        elif kind == 'fix':
            out += rnd.randbytes(top)
        else:
            n = rnd.choice((0, 1, min(top, 9), rnd.randint(0, top)))
            n = min(n, top, 2000)
            if kind == 'str':
                out += struct.pack('>H', n) + bytes(
                    rnd.choice(b'abcxyz.-@ 019%/') for _ in range(n)) + b'\0'
            else:
                out += struct.pack('>I', n) + rnd.randbytes(n)
    return out


def largest(t):
    """The longest one."""
    out = b''
    for kind, top in t.fields:
        if kind[0] == 'n':
            out += bytes(int(kind[1:]) // 8)
        elif kind == 'fix':
            out += bytes(top)
        elif kind == 'str':
            out += struct.pack('>H', top) + b'x' * top + b'\0'
        else:
            out += struct.pack('>I', top) + bytes(top)
    return out


def strange(by, to, t):
    """Does its first number say which operator, or which tenant?"""
    return by == 'auth' and to == 'storage' and t.fields and \
        t.fields[0][0] == 'n32'


def lengths(by, to, t):
    """(what, payload, must it be refused)"""
    full = largest(t)
    least = t.least
    if strange(by, to, t):
        least = struct.pack('>I', STRANGER) + least[4:]
        full = struct.pack('>I', STRANGER) + full[4:]
    yield 'the least', least, False
    yield 'no bytes', b'', len(t.least) > 0
    yield 'one byte', least[:1] if least else b'\0', len(t.least) != 1
    yield 'one short', least[:-1], len(t.least) > 0
    yield 'one more', least + b'\0', True
    yield 'the largest', full, False
    yield 'one less than the largest', full[:-1], len(full) > 0
    yield 'one more than the largest', full + b'\0', True


class Place:
    """A process with all its pipes, in a state that it is brought back to."""

    def __init__(self, home, proc, state):
        self.home, self.proc, self.state = home, proc, state
        self.rnd = random.Random(SEED)
        self.count = collections.Counter()
        self.a = None
        self.begin()

    def begin(self):
        self.a = Alone(self.home, self.proc)
        self.a.join_all()
        if self.state != 'fresh':
            self.a.configure()
        self.a.turn()
        self.nfds = self.a.fds()

    def finish(self):
        """It ends well, and has kept no descriptor."""
        self.a.turn()
        equal(self.a.fds(), self.nfds, '%s: descriptors' % self.proc)
        if self.proc == 'storage':
            self.a.pipes[('keys', 0)].close()
        equal(self.a.stop(), 0, '%s: exit code\n%s' % (self.proc,
                                                       self.a.log()[-900:]))
        check('AddressSanitizer' not in self.a.log(), 'the sanitizer')

    def forge(self, by, what, data, allowed=None, refuse=False, fds=(),
              turns=1):
        """Send it as the sibling; refused, or ignored, or a Failure."""
        a = self.a
        what = '%s %d to %s, %s: %s' % (by + (self.proc, self.state, what))
        a.raw(by, data, fds)
        told = a.turn(turns + len(data) // 65536)
        if a.gone():
            raise Failure('%s: it died: %d\n%s' % (what, a.status,
                                                   a.log()[-900:]))
        accused = [s for s in told if s.name == 'BADPEER']
        rest = [s for s in told if s.name != 'BADPEER']
        said = {s.to[0] + ':' + s.name for s in rest}
        said -= BY_ITSELF[self.proc]
        if not a.pipes[by].open:
            equal([s.body for s in accused], [struct.pack(
                '>BH', PROCS.index(by[0]), by[1])], what + ': complaints')
            equal(said, set(), what + ': said')
            a.join(by)
            a.told = []
            self.count['refused'] += 1
            return 'refused'
        equal(accused, [], what + ': complaints, and the pipe is open')
        check(not refuse, what + ': was not refused')
        if allowed is None:
            raise Failure(what + ': is not for it, and was taken')
        no = [s for s in rest if s.name == 'RESULT' and s.to == by and
              s.code != R_OK]
        if no and 'RESULT' not in allowed:
            said.discard(by[0] + ':RESULT')
            check(all(s.code < R_MAX for s in no), what + ': %r' % no)
            yes = [s for s in rest if s.name == 'RESULT' and s.code == R_OK]
            equal(yes, [], what + ': yes')
        said -= {w if ':' in w else by[0] + ':' + w for w in allowed}
        equal(said, set(), what + ': said')
        self.count['refused' if no else 'ignored'] += 1
        return 'ignored'


def all_types(p, by):
    """Each type there is, allowed or not, at each of its lengths."""
    for t in TYPES.values():
        may = t.may(p.proc, by[0])
        allowed = SETS_OFF[by[0] + '>' + p.proc].get(t.name) if may else None
        cases = list(lengths(by[0], p.proc, t))
        if not may and not LONG:
            cases = [cases[0], p.rnd.choice(cases[1:])]
        for what, body, refuse in cases:
            fds = [0] if t.fd else []
            p.forge(by, t.name + ', ' + what,
                    imsg(t.nr, p.rnd.getrandbits(32), body,
                         mark=FD_MARK if fds else 0), allowed,
                    refuse or not may, fds)
            p.rows += 1
    for nr in (0, len(TYPES) + 1, 4096, 2 ** 31, 2 ** 32 - 1):
        p.forge(by, 'type %d' % nr, imsg(nr, 1, b''), None, True)
        p.rows += 1


def rows():
    """each type of the program's table has a row here, and no other has"""
    missing = []
    for way, here in SETS_OFF.items():
        by, to = way.split('>')
        there = {t.name for t in TYPES.values() if t.may(to, by)}
        missing += [way + ' ' + n for n in there ^ set(here)]
    for t in TYPES.values():
        for way in t.ways:
            by, to = way.split('>')
            if 'risactl' not in way and 'parent' not in (by, to) and \
                    way not in SETS_OFF:
                missing.append(way + ' ' + t.name)
    equal(sorted(missing), [], 'without a row, or with one too many')


def spoil(t, body, rnd):
    """The payload with something wrong; or, rarely, with nothing."""
    how = rnd.randrange(7)
    if how == 0:
        return body[:rnd.randint(0, len(body))]
    if how == 1:
        return body + rnd.randbytes(rnd.randint(1, 40))
    if how == 2:
        return rnd.randbytes(rnd.randint(0, min(t.max + 8, 4000)))
    if how == 3 and body:
        body = bytearray(body)
        for _ in range(rnd.randint(1, 4)):
            body[rnd.randrange(len(body))] = rnd.choice(
                (0, 0xff, 0x80, 0xc0, rnd.getrandbits(8)))
        return bytes(body)
    if how == 4:
        return largest(t) + rnd.randbytes(rnd.randint(0, 2))
    if how == 5:
        return largest(t)[:-rnd.randint(1, 3)]
    return b'\xff' * min(len(t.least) + rnd.randint(0, 9), 4000)


def at_random(p, by, n):
    """So many, of any type and with any fault."""
    rnd = p.rnd
    types = list(TYPES.values())
    own = [t for t in types if t.may(p.proc, by[0])]
    for _ in range(n):
        t = rnd.choice(own if rnd.random() < .6 else types)
        allowed = SETS_OFF[by[0] + '>' + p.proc].get(t.name)
        ident = rnd.choice((0, 1, rnd.randrange(64), rnd.getrandbits(32)))
        strange_here = strange(by[0], p.proc, t)
        body = draw(t, rnd, strange_here)
        if rnd.random() < .6:
            body = spoil(t, body, rnd)
            if strange_here and len(body) >= 4:
                body = struct.pack('>I', STRANGER) + body[4:]
        fds, mark, length = [], 0, None
        if rnd.random() < .04:
            fds = [0] * rnd.randint(0, 3)
            mark = FD_MARK if rnd.random() < .5 else 0
        if rnd.random() < .02:
            length = rnd.choice((0, 1, 15, MAX_PAYLOAD + 17, 0x7fffffff,
                                 rnd.randint(0, 15)))
        if t.fd:
            fds, mark = [0], FD_MARK
        what = '%s %s' % (t.name, body[:60].hex())
        p.forge(by, what, imsg(t.nr, ident, body, length, mark), allowed,
                False, fds)
        p.rows += 1


def heads(p, by):
    """Lengths that lie, descriptors nobody asked for, half an imsg."""
    own = [t for t in TYPES.values() if t.may(p.proc, by[0])][0]
    for n in (0, 1, 15, MAX_PAYLOAD + 17, 0x7fffffff, 0x00ffffff):
        p.forge(by, 'length %d' % n, imsg(own.nr, 1, own.least, n), None,
                True)
    for t in (own, TYPES['PROCFD'], TYPES['CONF_FILE'], TYPES['SHUTDOWN']):
        may = t is own
        for mark in (0, FD_MARK):
            for fds in ([], [0], [0, 0], [0] * 200):
                allowed = SETS_OFF[by[0] + '>' + p.proc].get(t.name)
                p.forge(by, '%s with %d descriptors, mark %d' % (
                    t.name, len(fds), mark != 0),
                    imsg(t.nr, 1, t.least, mark=mark), allowed if may
                    else None, not may, fds)
                p.rows += 1
    # The pipe ends in the middle: that is no offence, and nothing comes.
    a = p.a
    for cut in (1, 15, 16, 16 + len(own.least) // 2):
        a.raw(by, imsg(own.nr, 1, own.least + b'x')[:cut])
        a.pipes.pop(by).close()
        told = [s for s in a.turn() if s.to[0] != by[0] and
                s.to[0] + ':' + s.name not in BY_ITSELF[p.proc]]
        equal(told, [], 'after half an imsg')
        check(not a.gone(), 'it died of half an imsg')
        a.join(by)
        a.turn()
        p.count['ignored'] += 1
        p.rows += 1


TOTAL = collections.Counter()
TABLE = []
FLOODS = []
FLOOD = 30 if LONG else 1.5     # seconds
GROWS = 64              # megabytes that may wait for a reader


def places(home, state, *tests):
    for by, to in WAYS:
        p = Place(home, to, state)
        p.rows = 0
        try:
            begin = time.monotonic()
            sibs = [sib for sib in siblings(to) if sib[0] == by]
            for sib in sibs:
                for test in tests:
                    test(p, sib)
            p.finish()
            TABLE.append((by, to, state, p.rows, p.count['refused'],
                          p.count['ignored'], time.monotonic() - begin))
            TOTAL.update(p.count)
        finally:
            p.a.end()


def fresh(home):
    """all types and lengths to each process that has no configuration yet"""
    places(home, 'fresh', all_types, heads)


def live(home):
    """and to each process at work"""
    places(home, 'live', all_types, heads)


def random_ones(home):
    """and as many at random, with any fault"""
    each_way = ROUNDS // sum(len([1 for sib in siblings(to) if sib[0] == by])
                             for by, to in WAYS) + 1
    places(home, 'live', lambda p, by: at_random(p, by, each_way))


def parent(home):
    """without its parent's good word a process is nothing: it ends"""
    rnd = random.Random(SEED)
    for to in ('keys', 'hash', 'auth', 'session', 'storage'):
        bad = [t for t in TYPES.values() if not t.may(to, 'parent')]
        own = [t for t in TYPES.values() if t.may(to, 'parent') and
               t.name != 'SHUTDOWN']
        if not LONG:
            bad = rnd.sample(bad, 25)
        cases = [(t, t.least) for t in bad] + [
            (t, t.least + b'\0') for t in own]
        for t, body in cases:
            a = Alone(home, to)
            try:
                a.join_all()
                a.raw(('parent', 0), imsg(
                    t.nr, 1, body, mark=FD_MARK if t.fd else 0),
                    [0] if t.fd else [])
                until(a.gone, '%s ends after a bad %s of its parent' % (
                    to, t.name))
                equal(os.waitstatus_to_exitcode(a.status), 1, t.name)
                TOTAL['refused'] += 1
            finally:
                a.end()


def lacking(home):
    """a descriptor that is missing is missed, and does no harm"""
    for to in ('keys', 'hash', 'auth', 'session', 'storage'):
        held = []
        for loses in (False, True):
            a = Alone(home, to)
            try:
                a.join_all()
                a.turn()
                if loses:
                    lose(a)
                a.configure()
                held.append(a.fds())
                if to == 'storage':
                    a.pipes[('keys', 0)].close()
                equal(a.stop(), 0, to + ': exit code')
            finally:
                a.end()
        equal(held[1], held[0], to + ': descriptors')


def lose(a):
    """Each descriptor that the parent sends, one by one, does not come."""
    n = PROCS.index(siblings(a.proc)[0][0])
    kinds = [kind for kind, _, _ in a.files()]
    for mark in (0, FD_MARK):
        seen = len(a.log())
        a.raw(('parent', 0), imsg(TYPES['PROCFD'].nr, 0, struct.pack(
            '>BH', n, 0), mark=mark))
        equal(a.turn(), [], a.proc + ': said')
        check('pipe to a sibling did not arrive' in a.log()[seen:],
              a.proc + ': the log does not say that a pipe is missing')
        TOTAL['ignored'] += 1
        for kind in (*kinds, *MORE.get(a.proc, ())):
            ack = a.offer(kind, mark)
            equal(ack.body[8], 0, '%s accepts a configuration whose %s did '
                  'not arrive' % (a.proc, kind))
            check(len(ack.body) > 12, a.proc + ': no reason')
            a.turn()
            TOTAL['refused'] += 1


def ending(home):
    """and whatever is said to a process while it ends"""
    p = Place(home, 'storage', 'live')
    p.state, p.rows = 'ending', 0
    try:
        # It waits for keys to sign its last checkpoint.
        with_trail(p.a)
        p.a.say('SHUTDOWN')
        p.a.turn(2)
        check(not p.a.gone(), 'storage has not waited')
        for by in (('auth', 0), ('session', 0)):
            all_types(p, by)
        p.a.pipes[('keys', 0)].close()
        until(lambda: p.a.pull() or p.a.gone(), 'it ends')
        until(p.a.gone, 'it ends')
        equal(os.waitstatus_to_exitcode(p.a.status), 0, 'exit code')
        TABLE.append(('both', 'storage', 'ending', p.rows, p.count['refused'],
                      p.count['ignored'], 0))
        TOTAL.update(p.count)
    finally:
        p.a.end()


def with_trail(a):
    """A line in the trail that no checkpoint knows, a note of auth's, where
    keys has said what it signs by."""
    a.say('PROOF_KEY', bytes(32), ('keys', 0))
    a.say('NOTE', struct.pack('>IIIIB', 0, TYPES['C_STATUS'].nr, 0, 0, 1),
          ('auth', 0), 5)
    a.turn()


class Auth(Place):
    """auth in the middle of sign-ins: a known tenant, a key for devices."""

    def begin(self):
        self.a = Alone(self.home, 'auth')
        self.a.join_all()
        self.a.configure()
        for to in (STORAGE, HASH):
            self.introduce(to)
        self.nfds = self.a.fds()

    def introduce(self, to):
        a = self.a
        if to == STORAGE:
            a.say('TENANT', struct.pack('>IBB', 1, 0, 0) + text('acme') +
                  text('Acme') + struct.pack('>I', 0), STORAGE)
            a.say('OPERATORS', b'', STORAGE)
            a.turn()
            return
        # To a new pipe it says what the dummy's password is.
        a.join(HASH)
        a.say('DEVICE_KEY', bytes(32), HASH)
        s = a.wait('HASH_MAKE', HASH)
        a.say('HASH_MADE', b'\1' + struct.pack('>I', 64) + bytes(64), HASH,
              s.ident)
        a.turn()

    def ask(self, want):
        """A sign-in that waits for this answer; the question."""
        a = self.a
        a.say('LOGIN', struct.pack('>I', 1) + text('10.1.%d.%d' % (
            self.rnd.randrange(256), self.rnd.randrange(256))) + text('') +
            text('p%d@acme.example' % self.rnd.getrandbits(40)) +
            text('some password') + text('') + text(''), ('session', 0), 9)
        while True:
            for s in a.turn():
                if s.name == want:
                    return s
                if s.name == 'LOCKS':
                    a.say('RESULT', struct.pack('>IQ', R_OK, 0) + text(''),
                          STORAGE, s.ident)
                elif s.name == 'CRED_FIND':
                    a.say('RESULT', struct.pack('>IQ', R_NOTFOUND, 0) +
                          text(''), STORAGE, s.ident)
                elif s.name == 'RESULT':
                    raise Failure('a sign-in ends with %d' % s.code)


def asked(home):
    """auth that waits for an answer signs in nobody for a wrong one"""
    p = Auth(home, 'auth', 'live')
    try:
        for want in ('CRED_FIND', 'HASH_CHECK'):
            for by in (STORAGE, HASH):
                for t in TYPES.values():
                    if not t.may('auth', by[0]):
                        continue
                    for body in (t.least, draw(t, p.rnd)):
                        s = p.ask(want)
                        p.a.say(t.name, body, by, s.ident)
                        told = p.a.turn(2)
                        what = '%s to a %s by %s' % (t.name, want, by[0])
                        check(not p.a.gone(), what + ': died\n' +
                              p.a.log()[-600:])
                        equal([x for x in told if x.name in (
                            'LOGIN_OK', 'TOKEN_NEW', 'GRANT_NEW')], [], what)
                        TOTAL['ignored' if p.a.pipes[by].open
                              else 'refused'] += 1
                        # The next one is not asked for behind this.
                        p.a.end()
                        p.begin()
        p.finish()
    finally:
        p.a.end()


def pour(sock, data):
    """In a process of its own: as fast as the pipe takes it."""
    pid = os.fork()
    if pid == 0:
        at = 0
        try:
            while True:
                try:
                    at = (at + sock.send(data[at:])) % len(data)
                except BlockingIOError:
                    select.select([], [sock], [])
        finally:
            os._exit(0)
    return pid


def floods(home):
    """who floods another fills no memory, and keeps nobody from answering"""
    for by, to, name in ((('session', 0), 'keys', 'TICKET'),
                         (('session', 0), 'storage', 'FLOORS'),
                         (('session', 0), 'auth', 'PASSWORD_CHECK'),
                         (('auth', 0), 'hash', 'HASH_ASSERT'),
                         (('auth', 0), 'session', 'C_STATS'),
                         (('session', 1), 'session', 'BUS_CALL_OVER')):
        p = Place(home, to, 'live')
        a, t = p.a, TYPES[name]
        pipe = a.pipes.pop(by)          # whose answers nobody reads
        try:
            before = most = a.rss()
            turns, worst = 0, 0
            pid = pour(pipe.sock, imsg(t.nr, 1, t.least) * 3000)
            try:
                end = time.monotonic() + FLOOD
                while time.monotonic() < end:
                    begin = time.monotonic()
                    a.turn(0)           # others are heard meanwhile
                    worst = max(worst, time.monotonic() - begin)
                    turns += 1
                    most = max(most, a.rss())
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            check(not a.gone(), '%s is gone' % to)
            FLOODS.append((by[0], to, name, (most - before) // 1024, turns,
                           worst * 1000))
            check(most - before < GROWS * 1024, '%s grows by %d kB' % (
                to, most - before))
            pipe.close()
            a.join(by)
            a.turn()
            p.finish()
        finally:
            a.end()


# What grows by being told of things: only at its end.
TRAILS = ('audit', 'audit_names', 'notices', 'access', 'alerts', 'points')
# The numbers that were given, the head of a trail and the time of the day
# move along with them.
MOVES = ('sqlite_sequence',)
HEADS = ('chain', 'clock')


def contents(home):
    """All rows of all databases; home is at rest."""
    found = {}
    copy = home.path('copy')
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home.path('data'), copy)
    for top, _, names in os.walk(copy):
        for name in names:
            path = os.path.join(top, name)
            with open(path, 'rb') as f:
                if f.read(15) != b'SQLite format 3':
                    continue
            db = sqlite3.connect(path)
            for table, in db.execute("SELECT name FROM sqlite_master WHERE "
                                     "type = 'table'").fetchall():
                if table not in MOVES:
                    rows = db.execute('SELECT * FROM "%s"' %
                                      table).fetchall()
                    found[os.path.relpath(path, copy), table] = sorted(
                        (r for r in rows if r[0] not in HEADS), key=repr)
            db.close()
    shutil.rmtree(copy)
    return found


def unchanged(before, now):
    for place, rows in before.items():
        there = now.get(place)
        check(there is not None, '%s: %s is gone' % place)
        if place[1] in TRAILS:
            lost = [r for r in rows if r not in there]
            equal(lost, [], '%s: past of %s' % place)
        else:
            equal(there, rows, '%s: %s' % place)


def furnish(home):
    """Two tenants with people who have said something."""
    home.start()
    for tenant in ('acme', 'globex'):
        home.do('tenant', 'add', tenant)
        home.floor(tenant, 'One')
        p = home.person(tenant, 'a@%s.example' % tenant, 'admin').open()
        p.enter(1 if tenant == 'acme' else home.rows(
            'floor', 'list', tenant)[0]['id'])
        p.say('canary of ' + tenant)
        p.close()
    equal(home.stop(), 0, 'exit code')


def main():
    home = Daemon()
    furnish(home)
    # Once without a forgery: what a start and an end write by themselves.
    p = Place(home, 'storage', 'live')
    p.finish()
    before = contents(home)
    s = Suite()
    for fn in (fresh, live, random_ones, asked, floods, parent, lacking,
               ending):
        def one(fn=fn):
            fn(home)
        one.__doc__ = fn.__doc__
        one.__name__ = fn.__name__
        s.run_test(one)

    def same():
        """after all of that the databases hold what they held"""
        unchanged(before, contents(home))
    s.run_test(same)
    s.run_test(rows)
    for row in TABLE:
        print('%-8s > %-8s %-6s %6d rows, %6d refused, %5d ignored, %4.1f s'
              % row)
    for row in FLOODS:
        print('%-8s > %-8s flood of %-14s %3d MB more, %6d turns for others, '
              'the longest %3.0f ms' % row)
    print('%d forgeries: %d refused, %d ignored, %d harmful' % (
        sum(TOTAL.values()), TOTAL['refused'], TOTAL['ignored'], s.failed))
    s.end()


if __name__ == '__main__':
    main()
