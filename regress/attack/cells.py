#!/usr/bin/env python3
"""The matrix made wide: every route and word, by everybody, on every object,
in every wrong way, many requests on one connection.

Nothing here may succeed in changing anything; what both tenants have is
compared at the end."""

import json
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, Http, Ws, until                       # noqa: E402
from tenants import API, GUESTS_SAY, MAY, NOWHERE, PEOPLE_SAY, ROWS, \
    UPGRADE, Side, promised, routes, said, same, word_rows, \
    words                                                       # noqa: E402

CELLS = 50000                   # at least
BATCH = 16                      # requests on their way on a connection
METHODS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE')
# Numbers that are nobody's: as large as they come, and larger.
LARGE = (NOWHERE, 2 ** 32 - 1, 2 ** 32, 2 ** 64 + 1)
BROKEN = ('0', '01', '-1', '+1', '1.0', '1x', '0x1', '1%20', '%31x', '1;1')
ENDING = ('%00', '..', '../1', '%2e%2e/1', '1%2f1', '1%5c1', '%ff', '1 1')
# Of a frame: what no number is.
ODD = (0, -1, 2 ** 32, 2 ** 53, 1.5, '1', None, True, [1], {'id': 1})
TYPES = ('text/plain', 'application/x-www-form-urlencoded',
         'multipart/form-data; boundary=x', 'text/json', None)
PEOPLE = dict(MAY, HOST=MAY['LOGIN'] + ('HOST',), MUST=('ANY', 'FIRST'))


def origins(name, neighbour, port):
    """Origins that are not the tenant's; None: no such header."""
    host = '%s.localhost' % name
    return ('https://%s.localhost:%d' % (neighbour, port), None, 'null',
            'https://localhost:%d' % port, 'http://%s:%d' % (host, port),
            'https://' + host, 'https://%s:%d' % (host, port + 1),
            'https://%s:%d.evil.example' % (host, port),
            'https://x%s:%d' % (host, port),
            'https://%s:%d/' % (host, port))


def cookies(ours, theirs):
    """Ways to bring a cookie of ours that are none."""
    own, far = '__Host-risa=' + ours, '__Host-risa=' + theirs
    return ('%s; %s' % (own, far), '%s; %s' % (far, own),
            '%s; %s' % (own, own), '__Secure-risa=' + ours, 'risa=' + ours,
            '__host-risa=' + ours, own + 'A', '__Host-risa="%s"' % ours)


class House(Side):
    """A tenant, and more kinds of people in it."""

    def __init__(self, d, name, filler):
        super().__init__(d, name, filler)
        self.was_out = self.out.http.cookie
        at = '@%s.example' % name
        # What a word below says of him, too.
        self.member.api('PATCH', '/me', {'status': 'busy'}, want=200)
        self.mute = self.with_role('mute' + at, [])
        self.host = self.with_role('host' + at, ['chat', 'guest'])
        self.must = self.with_role('must' + at, ['chat'])
        d.do('policy', 'set', name, 'second-factor-roles',
             str(self.must.user['role']))
        until(lambda: self.must.get('/session')['must'], 'has to enrol')
        # An administrator until now: what he had, and what he has.
        self.fallen = d.person(name, 'fallen' + at, 'admin')
        self.had = self.fallen.http.cookie
        self.admin.api('PATCH', '/admin/users/%d' % self.fallen.id,
                       {'role': 'member'}, want=200)
        self.fallen.sign_in()
        number, token = self.new_url()
        self.revoked = self.come(token).http.cookie
        self.admin.api('DELETE', '/guests/%d' % number, want=204)
        self.ended = d.person(name, 'ended' + at).http.cookie
        d.do('session', 'end', name, 'ended' + at)
        self.deleted = d.person(name, 'deleted' + at).http.cookie
        d.do('user', 'delete', name, 'deleted' + at)

    def with_role(self, mail, can):
        r = self.admin.api('POST', '/admin/roles', {
            'name': mail.split('@')[0], 'can': can}, want=201).json()
        p = self.d.person(self.name, mail)
        self.admin.api('PATCH', '/admin/users/%d' % p.id,
                       {'role': r['role']['id']}, want=200)
        return p.sign_in()

    def everybody(self):
        """Name, cookie, and what he may here, None: nothing."""
        far = self.there
        here = [('at the door', self.door, 'DOOR'),
                ('guest', self.guest, 'GUEST'),
                ('member', self.member, 'LOGIN'),
                ('without rights', self.mute, 'LOGIN'),
                ('fallen', self.fallen, 'LOGIN'),
                ('host', self.host, 'HOST'), ('has to enrol', self.must,
                                              'MUST'),
                ('admin', self.admin, 'ADMIN')]
        gone = [('nobody', None), ('rubbish', 'A' * 43),
                ('signed out', self.was_out),
                ('locked', self.locked.http.cookie), ('fell', self.had),
                ('revoked', self.revoked), ('ended', self.ended),
                ('deleted', self.deleted)]
        gone += [('foreign ' + who, p.http.cookie) for who, p in (
            ('door', far.door), ('guest', far.guest),
            ('member', far.member), ('host', far.host), ('admin', far.admin),
            ('fallen', far.fallen), ('must', far.must))]
        return [(who, p.http.cookie, may) for who, p, may in here] + \
            [(who, cookie, None) for who, cookie in gone]

    def all_there_is(self):
        """What both kinds of people see of it, less what changes by looking
        at it."""
        found = {}
        for p, paths in (
                (self.admin, ('/admin/users', '/admin/groups', '/admin/roles',
                              '/admin/floors', '/admin/policy', '/guests',
                              '/tenant', '/people', '/admin/exports')),
                (self.member, ('/session', '/passkeys', '/factor',
                               '/messages?channel=floor:%d' % self.floor,
                               '/floors/%d' % self.floor))):
            for path in paths:
                found[p.mail + path] = settled(p.get(path))
        return found


def settled(o):
    if isinstance(o, dict):
        return {k: settled(v) for k, v in o.items()
                if k not in ('seen', 'last', 'locked', 'people')}
    return [settled(x) for x in o] if isinstance(o, list) else o


class Line:
    """Requests of one tenant, by batches on one connection."""

    def __init__(self, board, side):
        self.board, self.side = board, side
        self.http = Http(side.d, side.name, bound=60)
        self.waiting = []
        self.cells = 0
        self.wrong = []

    def ask(self, what, method, path, body, cookie, want, more=None,
            then=None):
        """want: the status, or a set of them, or (status, problem)."""
        headers = dict(more or {})
        if cookie is not None and 'Cookie' not in headers:
            headers['Cookie'] = '__Host-risa=' + cookie
        self.waiting.append((what, method, self.http.head(
            method, path, body, headers), want, then))
        if len(self.waiting) == BATCH:
            self.flush()

    def flush(self):
        if not self.waiting:
            return
        self.http.send(b''.join(w[2] for w in self.waiting))
        for what, method, _, want, then in self.waiting:
            r = self.http.reply(method == 'HEAD')
            got = (r.status, r.problem() if r.body else None) \
                if isinstance(want, tuple) else r.status
            self.cell(what, got, want)
            if then is not None:
                then(r)
        self.waiting = []

    def cell(self, what, got, want):
        self.cells += 1
        if got != want:
            self.wrong.append('%s, %s: %r, not %r' % (
                self.side.name, what() if callable(what) else what, got,
                want))


def verdict(need, may):
    """What who is signed in, or is not, gets; None: it is served."""
    if need == 'NONE':
        return None
    if may is None:
        return 401, 'session'
    if may == 'MUST' and need not in PEOPLE['MUST']:
        return 403, 'must'
    return None if need in PEOPLE[may] else (403, 'forbidden')


def numbered(side, obj):
    """The numbers of an object: ours, theirs, or one that is nobody's."""
    if obj == 'own':
        return side.ids()
    if obj == 'foreign':
        return side.there.ids()
    return dict.fromkeys(side.ids(), obj)


def filled(side, path, row, obj):
    n = numbered(side, obj)
    if '#' in path:
        path = path.replace('#', str(n[path.split('/#')[0].rsplit('/', 1)[
            1]]))
    elif '*' in path:
        kind = 'guest_token' if '/guest/' in path else 'invite'
        path = path.replace('*', {
            'own': getattr(side, kind),
            'foreign': getattr(side.there, kind)}.get(obj, 'A' * 43))
    if row.query is not None:
        path += row.query('own' if obj == 'own' else 'foreign', n)
    return path, n


def objects(path, row):
    """Those a route is tried with."""
    if not isinstance(row.status, tuple) or '*' in path:
        return ('own',)
    if '#' in path:
        return ('own', 'foreign') + LARGE
    return 'own', 'foreign', NOWHERE, 2 ** 32 - 1


def sent(side, row, obj, n, cache):
    if row.body is None:
        return None
    key = id(row), obj
    if key not in cache:
        word = obj if obj in ('own', 'foreign') else 'nowhere'
        cache[key] = json.dumps(row.body(side, word, n)).encode()
    return cache[key]


def right_way(line, found):
    """as it should be asked: served, refused, or of nothing"""
    side, cache, seen = line.side, {}, {}

    def keep(key, echo):
        def fn(r):
            seen[key] = same(r, echo)
        return fn
    for (method, path), need in found.items():
        row = ROWS[(method, path)]
        # Those without a sign-in count who tries: the matrix has them.
        if need == 'NONE' and path != API + '/tenant':
            continue
        for obj in objects(path, row):
            url, n = filled(side, path, row, obj)
            for who, cookie, may in side.everybody():
                want = verdict(need, may)
                if want is None:
                    none = obj != 'own' and isinstance(row.status, tuple)
                    want = row.want('nowhere' if none else 'own')
                    # What works is tried where it is undone.
                    if (method != 'GET' and (not none or want < 400)) or \
                            path == '/ws':
                        continue
                body = None if method == 'GET' else sent(
                    side, row, obj, n, cache) or b'{}'
                key = method, path, who
                for again in ('GET', 'HEAD') if method == 'GET' else (method,):
                    line.ask('%s: %s %s' % (who, again, url), again, url,
                             body, cookie, want if again != 'HEAD' or
                             isinstance(want, int) else want[0],
                             row.more and row.more(side),
                             None if obj == 'own' or again == 'HEAD' else
                             keep(key + (obj,), row.echo))
    line.flush()
    for key, got in seen.items():
        if key[3] == 'foreign':
            for n in LARGE:
                if key[:3] + (n,) in seen:
                    line.cell('%s %s by %s: theirs, and %d' % (key[:3] + (n,)),
                              got, seen[key[:3] + (n,)])


def broken_paths(line, found):
    """a number that is none, and a method that there is not"""
    side, table = line.side, {}
    for method, path in found:
        table.setdefault(path, set()).add(method)
    for path, methods in table.items():
        url = filled(side, path, ROWS[(min(methods), path)], 'own')[0]
        for who, cookie, _ in side.everybody():
            for method in METHODS:
                if method not in methods and (method != 'HEAD' or
                                              'GET' not in methods):
                    line.ask('%s: %s %s' % (who, method, url), method,
                             url, None if method in ('GET', 'HEAD') else b'{}',
                             cookie, 405)
            for number in BROKEN if '#' in path else ():
                for method in methods:
                    line.ask('%s: %s %s, %s' % (who, method, path, number),
                             method, path.replace('#', number),
                             None if method == 'GET' else b'{}', cookie, 404)
        # Some of them end the connection.
        for number in ENDING if '#' in path else ():
            with Http(side.d, side.name) as h:
                h.cookie = side.admin.http.cookie
                r = h.request(min(methods), path.replace('#', number),
                              None if min(methods) == 'GET' else b'{}')
                line.cell('%s, %s' % (path, number), r.status in (400, 404),
                          True)
    line.flush()


def other_origins(line, found):
    """from other origins, and in other types"""
    side = line.side
    for (method, path), need in found.items():
        row = ROWS[(method, path)]
        if method == 'GET' and path != '/ws':
            continue
        for obj in ('own', 'foreign') if LONG else ('own',):
            url = filled(side, path, row, obj)[0]
            for who, cookie, may in side.everybody():
                for origin in origins(side.name, side.there.name,
                                      side.d.port):
                    more = dict(UPGRADE if path == '/ws' else {},
                                Origin=origin)
                    want = verdict(need, may) if path == '/ws' else None
                    line.ask('%s: %s %s from %s' % (who, method, url, origin),
                             method, url, None if path == '/ws' else b'{}',
                             cookie, want or (403, 'origin'), more)
                for kind in TYPES if method != 'DELETE' and path != '/ws' \
                        else ():
                    line.ask('%s: %s %s as %s' % (who, method, url, kind),
                             method, url, b'{}', cookie, (415, 'media-type'),
                             {'Content-Type': kind})
    line.flush()


def other_cookies(line, found):
    """with cookies that are none of ours, or too many"""
    side = line.side
    far = side.there.admin.http.cookie
    for (method, path), need in found.items():
        if need == 'NONE':
            continue
        url = filled(side, path, ROWS[(method, path)], 'own')[0]
        row = ROWS[(method, path)]
        for who, cookie, may in side.everybody():
            if may is None:
                continue
            for text in cookies(cookie, far):
                line.ask('%s: %s %s with %s' % (who, method, url, text),
                         method, url, None if method == 'GET' else b'{}',
                         None, (401, 'session'), dict(
                             row.more(side) if row.more else {}, Cookie=text))
    line.flush()


def other_names(line, found):
    """for a host that the connection was not made to"""
    side = line.side
    hosts = ['%s.localhost:%d' % (h, side.d.port) for h in (
        side.there.name, 'nobody', 'x' + side.name, side.name + '.' +
        side.name)] + ['localhost:%d' % side.d.port]
    for i, ((method, path), need) in enumerate(found.items()):
        url = filled(side, path, ROWS[(method, path)], 'own')[0]
        for host in hosts if LONG else (hosts[0], hosts[1 + i % 4]):
            with Http(side.d, side.name) as h:
                good = h.head('GET', API + '/tenant')
                bad = h.head(method, url, None if method == 'GET' else b'{}', {
                    'Host': host, 'Origin': 'https://' + host, 'Cookie':
                    '__Host-risa=' + side.admin.http.cookie})
                h.send(good + bad + good)
                line.cell('%s before' % host, h.reply().status, 200)
                line.cell('%s %s at %s' % (method, url, host),
                          h.reply().status, 421)
                # And what comes behind it is not looked at.
                line.cell('%s afterwards' % host, h.ended(), True)


def every_word(line, found):
    """the words, with numbers of theirs, of nobody, and with none"""
    side = line.side
    table = word_rows(side)
    equal(words(), set(table), 'words and rows')
    equal(sorted(words()), sorted(GUESTS_SAY + PEOPLE_SAY),
          'words, and who may say them')
    for p, may in ((side.door, 'door'), (side.guest, 'guest'),
                   (side.member, ''), (side.mute, ''), (side.host, ''),
                   (side.admin, '')):
        for word, tries in table.items():
            for code, make in tries:
                if make is None:
                    continue
                opened(p, may == 'door')
                one_word(line, p, may, word, code, make)
                p.drop()


def opened(p, door):
    """On a connection of its own, for the rates are a connection's."""
    if not door:
        p.open().enter(p.floor_here)
        return
    p.drop()
    h = Http(p.daemon, p.tenant)
    h.cookie = p.http.cookie
    p.ws = Ws(h)
    equal(p.ws.ask().status, 101, 'upgrade')
    p.wait('waiting')


def heard(p, floor, o, door):
    """What comes back for a frame."""
    if not door:
        return said(p, floor, o)
    p.inbox.clear()
    p.tell(**o)
    p.settle()
    return [m for m in p.inbox if m['t'] != 'knock']


def one_word(line, p, may, word, code, make):
    side = line.side
    want = wanted(p, may, word, code)
    answers = []
    for obj in ('foreign', NOWHERE, 2 ** 32 - 1):
        got = heard(p, side.floor, dict(make(numbered(side, obj)), t=word),
                    may == 'door')
        answers.append(got)
        line.cell('%s: %s of %s' % (p.mail, word, obj),
                  [m['code'] for m in got if m['t'] == 'error'], want)
    for other in answers[1:]:
        line.cell("%s: %s, theirs and nobody's" % (p.mail, word),
                  without_numbers(answers[0]), without_numbers(other))
    if without_numbers(make(numbered(side, NOWHERE))).find(
            str(NOWHERE)) == -1:
        return
    for n in ODD:
        o = odd(make(numbered(side, NOWHERE)), n)
        codes = None
        while codes is None or 'too-many' in codes:
            if codes is not None:
                opened(p, may == 'door')
            codes = [m['code'] for m in heard(p, side.floor, dict(o, t=word),
                                              may == 'door')
                     if m['t'] == 'error']
        line.cell('%s: %s, %r' % (p.mail, word, o),
                  codes in (want, ['field']) and len(codes) <= 1, True)


def odd(o, n):
    """A frame with this in place of its number."""
    if isinstance(o, dict):
        return {k: odd(v, n) for k, v in o.items()}
    if isinstance(o, str):
        return o.replace(str(NOWHERE), repr(n))
    return n if o == NOWHERE and o is not True else o


def without_numbers(messages):
    """An answer, less what it says after the asker."""
    return re.sub(r'"to": \d+', '', json.dumps(messages))


def wanted(p, may, word, code):
    """The errors for a word, by who says it."""
    if may == 'door':
        return ['door']
    if may == 'guest' and word in PEOPLE_SAY:
        return ['forbidden']
    return REFUSED.get((p.mail.split('@')[0], word), [code] if code else [])


# Of who has no right to them; a guest's are a floor's.
REFUSED = {
    ('mute', 'say'): ['forbidden'], ('host', 'say'): ['forbidden'],
}


PARTS = (right_way, broken_paths, other_origins, other_cookies, other_names,
         every_word)


class Board:
    def __init__(self, d, sides):
        self.d, self.sides = d, sides
        self.rows = []

    def both(self, fn):
        """One part, for both tenants at the same time."""
        found = promised()
        lines = [Line(self, side) for side in self.sides]
        threads, failed = [], []

        def one(line):
            try:
                fn(line, found)
            except BaseException as e:
                failed.append('%s: %s: %r' % (line.side.name, fn.__name__, e))
                raise
            finally:
                line.http.close()
        for line in lines:
            threads.append(threading.Thread(target=one, args=(line,)))
            threads[-1].start()
        for t in threads:
            t.join()
        cells = sum(line.cells for line in lines)
        wrong = [w for line in lines for w in line.wrong]
        self.rows.append((fn.__doc__, cells, cells - len(wrong)))
        equal(failed, [], 'a line ended: %s' % '; '.join(wrong[:6]))
        check(cells > 0, 'no cells')
        check(not wrong, '%d cells: %s' % (len(wrong), '; '.join(wrong[:6])))


def main():
    d = Daemon(workers=2, more='limit connections 1000 address 400\n'
               'limit requests address 10000000 tenant 10000000 '
               'account 10000000\n'
               'password hash memory 1024 passes 1\n')
    d.names = d.names + ('nobody.localhost',)
    d.make_cert('tls')
    d.start()
    acme, globex = House(d, 'acme', 0), House(d, 'globex', 14)
    acme.there, globex.there = globex, acme
    for side in (acme, globex):
        for p in (side.door, side.guest, side.member, side.mute, side.host,
                  side.admin):
            p.floor_here = side.floor
    s = Suite(d)
    equal(routes(), promised(), 'routes, and who may')
    equal(set(promised()), set(ROWS), 'routes and rows')
    board = Board(d, (acme, globex))
    before = [side.all_there_is() for side in board.sides]
    for fn in PARTS:
        def one(fn=fn):
            board.both(fn)
        one.__doc__, one.__name__ = fn.__doc__, fn.__name__
        s.run_test(one)

    def wide():
        """they are as many as was promised"""
        cells = sum(r[1] for r in board.rows)
        check(s.only or cells >= CELLS, '%d cells' % cells)
    s.run_test(wide)

    def nothing():
        """nothing of either tenant has changed"""
        for side, was in zip(board.sides, before):
            now = side.all_there_is()
            for key in was:
                equal(now[key], was[key], key)
    s.run_test(nothing)
    for doc, cells, good in board.rows:
        print('%-56s %6d %6d' % (doc, cells, good))
    print('%d cells, %d as expected' % (sum(r[1] for r in board.rows),
                                        sum(r[2] for r in board.rows)))
    s.end()


if __name__ == '__main__':
    main()
