#!/usr/bin/env python3
"""Ways through networks: what a floor allows, by which servers pages reach each
other, and a real relay that takes our passwords and nobody else's (B24, I3).
"""

import itertools
import ipaddress
import os
import re
import struct
import sys
import time

for part in ('lib', 'system'):
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', part))
import stun                                                     # noqa: E402
from guest import come, url                                     # noqa: E402
from lib import Suite, check, equal, within                     # noqa: E402
from risa import Daemon, Person, free_port, until               # noqa: E402
from stun import Refused, Relay, credential                     # noqa: E402
from talk import refused as said_no                             # noqa: E402
from talk import takes, together, with_whom                     # noqa: E402

SECRET = 'of-regress-alone-0123456789'
NEXT = 'another-one-of-regress-0123456789'
RIGHTS = ('voice', 'video', 'screen')
HOURS = 3600
said = [0.0]            # when the last signal was sent
URLS = ('stun:turn.localhost', 'turn:turn.localhost?transport=udp',
        'turn:turn.localhost:80?transport=tcp', 'turns:turn.localhost:5349',
        'turns:turn.localhost:443?transport=tcp')

# What only somebody inside could reach otherwise, and what is nobody's.
PRIVATE = ('10.0.0.1', '10.255.255.254', '100.64.0.1', '127.0.0.2',
           '127.255.255.254', '169.254.169.254', '172.16.0.1',
           '172.31.255.254', '192.168.1.1', '198.18.0.1', '192.0.2.1',
           '192.0.0.8', '198.51.100.1', '203.0.113.1', '0.0.0.0', '0.0.0.1',
           '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255')
PUBLIC = ('1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255',
          '100.128.0.0', '126.0.0.1', '128.0.0.1', '169.253.255.255',
          '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0',
          '223.255.255.255')
PUBLIC6 = ('2001:4860:4860::8888', '2600::1', '2a00::1', '2003::1',
           '64:ff9a::1')
PRIVATE6 = ('::1', '::', '::ffff:127.0.0.1', '::ffff:10.0.0.1', 'fe80::1',
            'fc00::1', 'fd12::1', 'ff02::1', '64:ff9b::a00:1',
            '2002:a00:1::1', '2001:db8::1')


def ask(p, floor, want=200):
    return p.api('GET', '/talk?floor=%d' % floor, want=want).json()


def write_secret(d, text, mode=0o400):
    path = d.path('keys', 'turn.secret')
    if os.path.exists(path):
        os.unlink(path)
    d.write('keys/turn.secret', text)
    os.chmod(path, mode)


def turn_lines(d, urls=URLS):
    return 'turn secret "%s"\nturn url %s\n' % (
        d.path('keys', 'turn.secret'), ', '.join('"%s"' % u for u in urls))


def set_floor(d, name, can, way='tenant'):
    words = []
    for right in RIGHTS:
        words += [right, 'yes' if right in can else 'no']
    d.do('floor', 'talk', 'acme', name, *words, 'way', way)


def relayed(t):
    """Name and password of the relay, as the page gets them."""
    s = [s for s in t['servers'] if 'username' in s]
    equal(len(s), 1, 'servers with a password in %r' % t)
    return s[0]['username'], s[0]['credential']


def subsets():
    for n in range(len(RIGHTS) + 1):
        yield from itertools.combinations(RIGHTS, n)


#
# What the server says.
#

def answered(d, ann, floor):
    """the answer has the way, the servers, a password, and what one may"""
    before = int(time.time())
    t = ask(ann, floor)
    equal(sorted(t), ['can', 'hidden_mute', 'limits', 'listen', 'servers',
                      'until', 'way'], 'members')
    equal((t['way'], t['can'], t['listen'], t['hidden_mute'], t['limits']),
          ('direct', list(RIGHTS), True, False, {'voice': 16, 'video': 8}),
          'by default')
    plain, secret = t['servers']
    equal(plain, {'urls': [URLS[0]]}, 'without a password')
    equal(secret['urls'], list(URLS[1:]), 'the relay')
    user, password = relayed(t)
    until_s, salt = user.split(':')
    within(int(until_s), before + HOURS, int(time.time()) + HOURS, 'end')
    equal(t['until'], int(until_s) * 1000, 'until')
    equal(len(salt), 16, 'random part')
    equal(password, credential(SECRET, user), 'by the secret')
    others = {relayed(ask(ann, floor))[0] for _ in range(20)} | {user}
    equal(len(others), 21, 'names that differ')
    check(all('ann' not in o and str(ann.id) != o.split(':')[1]
              for o in others), 'nobody is named: %s' % others)
    check(int(d.stats()['auth.turns']) >= 21, 'counted')


def asked_wrongly(d, ann, floor):
    """no floor, another one's, or no number: refused in the usual way"""
    for query in ('', '?floor=', '?floor=0', '?floor=x', '?floor=-1',
                  '?floor=4294967296', '?floor=%d&floor=1' % floor,
                  '?floor=99999999999999999999'):
        r = ann.api('GET', '/talk' + query)
        equal((r.status, r.problem()), (422, 'field'), query)
    hidden = d.floor('globex', 'Theirs')
    for n in (hidden + 1000, 4294967295):
        equal(ann.api('GET', '/talk?floor=%d' % n).status, 404, n)
    d.do('floor', 'deny', 'acme', 'Two', 'all')
    two = [f['id'] for f in d.rows('floor', 'list', 'acme')
           if f['name'] == 'Two'][0]
    equal(ann.api('GET', '/talk?floor=%d' % two).status, 404, 'closed')
    d.do('floor', 'allow', 'acme', 'Two', 'all')
    ask(ann, two)
    equal(Person(d, 'acme', 'x').api('GET', '/talk?floor=%d' % floor).status,
          401, 'nobody')


def matrix(d, people, floors):
    """each role, on each floor, may what both allow, and at once"""
    roles = {'member': RIGHTS, 'guest': RIGHTS, 'Crew': RIGHTS}
    may = {f: RIGHTS for f in floors}

    def look(why):
        for role, p in people.items():
            for name, number in floors.items():
                has = RIGHTS if role == 'admin' else roles[role]
                equal(ask(p, number)['can'],
                      [r for r in RIGHTS if r in has and r in may[name]],
                      '%s on %s, %s' % (role, name, why))

    look('at first')
    for role in roles:
        for can in subsets():
            for right in RIGHTS:
                d.do('role', 'allow' if right in can else 'deny', 'acme',
                     role, right)
            roles[role] = can
            look('%s may %r' % (role, can))
    for name in floors:
        for can in subsets():
            set_floor(d, name, can)
            may[name] = can
            look('%s allows %r' % (name, can))
    for role in roles:
        for right in RIGHTS:
            d.do('role', 'allow', 'acme', role, right)
    for name in floors:
        set_floor(d, name, RIGHTS)


def ways(d, ann, floor):
    """the way of the floor, or of the tenant; only servers that fit it"""
    fits = {'direct': URLS, 'relay': URLS[1:], '443': URLS[4:]}
    for tenant in fits:
        d.do('policy', 'set', 'acme', 'talk-way', tenant)
        for own in ('tenant',) + tuple(fits):
            d.do('floor', 'talk', 'acme', 'One', 'way', own)
            t = ask(ann, floor)
            want = tenant if own == 'tenant' else own
            equal(t['way'], want, '%s on a floor of %s' % (tenant, own))
            equal([u for s in t['servers'] for u in s['urls']],
                  list(fits[want]), want)
    d.do('policy', 'set', 'acme', 'talk-way', 'direct')
    d.do('policy', 'set', 'acme', 'talk-listen', '0')
    d.do('policy', 'set', 'acme', 'talk-hidden-mute', '1')
    t = ask(ann, floor)
    equal((t['listen'], t['hidden_mute']), (False, True), 'rules')
    d.do('policy', 'set', 'acme', 'talk-listen', '1')
    d.do('policy', 'set', 'acme', 'talk-hidden-mute', '0')
    d.do('floor', 'talk', 'acme', 'One', 'way', 'tenant')
    rows = {r['rule']: r for r in d.rows('policy', 'show', 'acme')}
    equal(rows['talk-way']['value'], 'direct', 'in words')
    code, _, err = d.ctl('floor', 'talk', 'acme', 'Nowhere', 'voice', 'no')
    equal((code, 'no such floor' in err), (1, True), err)


def told(d, ann, ben, floor):
    """pages on the floor hear of a change, those elsewhere do not"""
    ann.open().enter(floor)
    ben.open().enter([f['id'] for f in d.rows('floor', 'list', 'acme')
                      if f['name'] == 'Two'][0])
    d.do('floor', 'talk', 'acme', 'One', 'video', 'no')
    equal(ann.wait('rules')['floor'], floor, 'risactl')
    d.do('floor', 'talk', 'acme', 'One', 'video', 'yes')
    ann.wait('rules')
    for key, value, back in (('talk-way', 'relay', 'direct'),
                             ('talk-listen', '0', '1'),
                             ('talk-hidden-mute', '1', '0')):
        for v in value, back:
            d.do('policy', 'set', 'acme', key, v)
            ann.wait('rules')
            ben.wait('rules')
    # What is said again, and rules about other things, are no news.
    d.do('floor', 'talk', 'acme', 'One', 'video', 'yes')
    d.do('policy', 'set', 'acme', 'password-days', '100')
    d.do('policy', 'set', 'acme', 'password-days', '0')
    ann.say('so far')
    ann.hears('so far')
    for p in ann, ben:
        equal(p.find('rules'), None, 'no news')
        p.drop()


def live(d, ann, ben, floor):
    """what a floor forbids ends in the talk that is under way"""
    bits = dict(zip(RIGHTS, ('mic', 'cam', 'screen')))
    for p in ann, ben:
        p.open().enter(floor)
    for right, bit in bits.items():
        takes(ann, mic=True, cam=True, screen=True)
        d.do('floor', 'talk', 'acme', 'One', right, 'no')
        with_whom(ann, lambda m: not m['me'][bit] and all(
            m['me'][b] for b in bits.values() if b != bit), 'no ' + right)
        said_no(ann, 'no-right', bit, **{bit: True})
        d.do('floor', 'talk', 'acme', 'One', right, 'yes')
    # The other floor's are its own.
    d.do('floor', 'talk', 'acme', 'Two', 'voice', 'no')
    takes(ann, mic=True, cam=True, screen=True)
    d.do('floor', 'talk', 'acme', 'Two', 'voice', 'yes')
    for p in ann, ben:
        p.drop()


def hidden(d, ann, ben, floor):
    """by relay and 443 no signal says where somebody is"""
    def say(**data):
        ann.tell(t='signal', to=ben.you, data=data)

    head = 'candidate:1 1 udp 1 192.0.2.20 50001 typ '
    good = head + 'relay raddr 0.0.0.0 rport 0'
    bad = (head + 'host', head + 'srflx raddr 0.0.0.0 rport 0',
           head + 'relay raddr 203.0.113.7 rport 9')
    for p in ann, ben:
        p.open().enter(floor)
        takes(p, mic=True)
    together(ann, ben)
    for way in 'relay', '443', 'direct':
        d.do('floor', 'talk', 'acme', 'One', 'way', way)
        ann.wait('rules')
        for text in ('',) + (good,) + bad:
            for data in ({'candidates': [{'candidate': ''},
                                         {'candidate': text}]},
                         {'description': {
                             'type': 'offer', 'sdp': 'v=0\r\n' + (
                                 'a=%s\r\n' % text if text else '')}}):
                # At most ten in a second.
                until(lambda: time.monotonic() - said[0] > 0.11, 'the rate')
                said[0] = time.monotonic()
                say(**data)
                if way != 'direct' and text in bad:
                    equal(ann.error('not-relay')['to'], ben.you, text)
                else:
                    equal(ben.wait('signal')['data'], data, text)
        equal(ben.find('signal'), None, 'no more')
    d.do('floor', 'talk', 'acme', 'One', 'way', 'tenant')
    # The rule of the tenant is as good.
    d.do('policy', 'set', 'acme', 'talk-way', 'relay')
    ann.wait('rules')
    say(candidates=[{'candidate': bad[0]}])
    ann.error('not-relay')
    d.do('policy', 'set', 'acme', 'talk-way', 'direct')
    for p in ann, ben:
        p.drop()


def listens(d, ann, ben, floor):
    """to listen where no more can talk is the tenant's to allow"""
    ann.open().enter(floor)
    takes(ann, listen=True)
    d.do('policy', 'set', 'acme', 'talk-listen', '0')
    with_whom(ann, lambda m: not m['me']['hear'] and not m['me']['listen'],
              'no more')
    said_no(ann, 'no-right', 'listen', listen=True)
    takes(ann)
    d.do('policy', 'set', 'acme', 'talk-listen', '1')
    takes(ann, listen=True)
    ann.drop()


def console(d, boss, ann, floor):
    """the console shows and sets it, whole, on the version that it has seen"""
    def row():
        return [f for f in boss.get('/admin/floors')['floors']
                if f['id'] == floor][0]

    was = row()
    equal(was['talk'], {'voice': True, 'video': True, 'screen': True,
                        'way': 'tenant'}, 'by default')
    new = {'voice': True, 'video': False, 'screen': False, 'way': 'relay'}
    at = '/admin/floors/%d' % floor
    r = boss.api('PATCH', at, {'talk': new, 'version': was['version']}, 200)
    equal(r.json()['floor']['talk'], new, 'answer')
    check(r.json()['floor']['version'] > was['version'], 'version')
    equal(row()['talk'], new, 'kept')
    t = ask(ann, floor)
    equal((t['can'], t['way']), (['voice'], 'relay'), 'at once')
    r = boss.api('PATCH', at, {'talk': was['talk'],
                               'version': was['version']}, 409)
    equal(r.json()['field'], 'version', 'an old one')
    for bad in (None, [], {}, dict(new, way='udp'), dict(new, way=1),
                dict(new, voice=1), dict(new, more=True),
                {'voice': True, 'video': True, 'screen': True}):
        equal(boss.api('PATCH', at, {'talk': bad}).status, 422, bad)
    equal(row()['talk'], new, 'unchanged')
    ann.api('PATCH', at, {'talk': was['talk']}, 403)
    # Who may enter, the name and the networks stand beside it untouched.
    boss.api('PATCH', at, {'open': False, 'users': [ann.id],
                           'networks': ['127.0.0.0/8']}, 200)
    equal(row()['talk'], new, 'after access')
    boss.api('PATCH', at, {'talk': was['talk']}, 200)
    now = row()
    equal((now['open'], now['users'], now['networks'], now['talk']),
          (False, [ann.id], ['127.0.0.0/8'], was['talk']), 'all of it')
    boss.api('PATCH', at, {'open': True, 'users': [], 'networks': []}, 200)


def noted(d, boss, floor):
    """the trail says from what to what, and by whom; the list shows it"""
    def lines():
        return [r['text'] for r in d.json('audit', 'show', 'tenant', 'acme',
                                          'last', '200')['lines']]

    before = len(lines())
    d.do('floor', 'talk', 'acme', 'One', 'video', 'no', 'way', '443')
    boss.api('PATCH', '/admin/floors/%d' % floor, {'talk': {
        'voice': False, 'video': False, 'screen': False,
        'way': 'direct'}}, 200)
    d.do('policy', 'set', 'acme', 'talk-way', 'relay')
    d.do('policy', 'set', 'acme', 'talk-way', 'direct')
    now = lines()
    for want in (
            'by operator 0: set talk of floor %d from [voice, video, screen, '
            'way tenant] to [voice, screen, way 443]' % floor,
            'by user %d: set talk of floor %d from [voice, screen, way 443] '
            'to [way direct]' % (boss.id, floor),
            'by operator 0: set talk-way from direct to relay',
            'by operator 0: set talk-way from relay to direct'):
        check(want in now, '%r is not in %s' % (want, '\n'.join(now)))
    check(len(now) >= before, 'lines')
    row = d.json('floor', 'show', 'acme', 'One')['floor']
    equal((row['voice'], row['video'], row['screen'], row['way']),
          (False, False, False, 'direct'), 'show')
    check('direct' in d.do('floor', 'list', 'acme'), 'list')
    set_floor(d, 'One', RIGHTS)
    check('voice,video,screen' in d.do('floor', 'show', 'acme', 'One'), 'show')
    own = [r['text'] for r in d.json('audit', 'show', 'last', '200')['lines']]
    check(any('floor talk' in x for x in own), 'the operators trail')


def kept(d, ann, floor):
    """it is on the disk: a restart changes nothing"""
    d.do('floor', 'talk', 'acme', 'One', 'screen', 'no', 'way', 'relay')
    d.restart()
    until(lambda: ann.api('GET', '/talk?floor=%d' % floor).status == 200,
          'answers again')
    t = ask(ann, floor)
    equal((t['can'], t['way']), (['voice', 'video'], 'relay'), 'as before')
    for worker in 0, 1:
        ann.open_on(worker).enter(floor)
        said_no(ann, 'no-right', 'screen', screen=True)
    # Storage has it, whichever process has forgotten it.
    os.kill(d.pids('storage')[('storage', 0)], 9)
    until(lambda: ann.api('GET', '/talk?floor=%d' % floor).status == 200,
          'storage is back')
    set_floor(d, 'One', RIGHTS)
    ann.wait('rules')
    takes(ann, screen=True)
    ann.drop()


def reloaded(d, ann, floor):
    """a reload brings another secret; a bad one is refused, the old holds"""
    for text, mode, why in (('short', 0o400, '16 to 255'),
                            ('with blanks in it, so no', 0o400, '16 to 255'),
                            ('x' * 256, 0o400, '16 to 255'),
                            ('', 0o400, '16 to 255'),
                            ('two-lines-of-it\nare-too-many\n', 0o400,
                             '16 to 255'),
                            (NEXT, 0o440, 'must belong to root')):
        write_secret(d, text, mode)
        code, _, err = d.ctl('reload')
        equal((code, why in err), (1, True), err)
        check(text == '' or text not in d.log(), 'the secret is logged')
        user, password = relayed(ask(ann, floor))
        equal(password, credential(SECRET, user), 'the old one')
    write_secret(d, NEXT + '\n')
    d.do('reload')
    user, password = relayed(ask(ann, floor))
    equal(password, credential(NEXT, user), 'the new one')
    d.more = 'turn url "stun:turn.localhost"\n'
    d.write_conf()
    d.do('reload')
    t = ask(ann, floor)
    equal((t['servers'], t['until']), ([{'urls': ['stun:turn.localhost']}],
                                       0), 'no relay')
    d.do('floor', 'talk', 'acme', 'One', 'way', '443')
    equal(ask(ann, floor)['servers'], [], 'none that fits')
    d.do('floor', 'talk', 'acme', 'One', 'way', 'tenant')
    d.more = ''
    d.write_conf()
    d.do('reload')
    t = ask(ann, floor)
    equal((t['servers'], t['until'], t['way']), ([], 0, 'direct'), 'none')
    write_secret(d, SECRET)
    d.more = turn_lines(d)
    d.write_conf()
    d.do('reload')
    relayed(ask(ann, floor))


def without_auth(d, ann, floor):
    """auth killed: a password again as soon as it is back"""
    pid = d.pids('auth')[('auth', 0)]
    os.kill(pid, 9)

    def again():
        r = ann.api('GET', '/talk?floor=%d' % floor)
        check(r.status in (200, 503), r)
        return r.status == 200
    until(again, 'a password')
    user, password = relayed(ask(ann, floor))
    equal(password, credential(SECRET, user), 'with the secret')


#
# What a real relay makes of it.
#

HOWS = ('udp', 'tcp', 'tls')


def through(d, ann, ben, floor, relay):
    """two with our passwords meet at the relay, by UDP, TCP and TLS"""
    for a, b in itertools.product(HOWS, HOWS):
        with relay.client(a, d.path('tls.crt')) as x, \
                relay.client(b, d.path('tls.crt')) as y:
            mine = x.allocate(*relayed(ask(ann, floor)))
            his = y.allocate(*relayed(ask(ben, floor)))
            equal((mine[0], his[0]), ('127.0.0.1', '127.0.0.1'), 'addresses')
            x.permit(*his)
            y.permit(*mine)
            x.send(*his, b'sealed by the browsers')
            equal(y.data(), (mine, b'sealed by the browsers'), a + ' ' + b)
            y.send(*mine, b'and back')
            equal(x.data(), (his, b'and back'), b + ' ' + a)


def strangers(d, ann, floor, relay):
    """no password, a wrong, forged or old one: nothing"""
    user, password = relayed(ask(ann, floor))
    until_s, salt = user.split(':')
    now = int(time.time())
    tries = {
        'of another secret': (user, credential('x' * 32, user)),
        'longer': ('%d:%s' % (int(until_s) + 1, salt), password),
        'of another name': ('%s:%s' % (until_s, 'A' * 16), password),
        'a letter off': (user, password[:-2] + ('A=' if password[-2] != 'A'
                                                else 'B=')),
        'empty': (user, ''),
        'no time': (salt, credential(SECRET, salt)),
        'a name': ('somebody', 'correct horse 42'),
    }
    old = '%d:%s' % (now - 1, salt)
    tries['over'] = (old, credential(SECRET, old))
    very = '1:' + salt
    tries['long over'] = (very, credential(SECRET, very))
    for why, (u, p) in tries.items():
        for how in HOWS:
            with relay.client(how, d.path('tls.crt')) as t:
                try:
                    t.allocate(u, p)
                except Refused as e:
                    equal(e.args[0], 401, '%s by %s' % (why, how))
                else:
                    check(False, 'let in: %s by %s' % (why, how))
    with relay.client() as t:
        t.allocate(user, password)


def refused(t, hosts):
    """None of these may be a peer."""
    for host in hosts:
        try:
            t.permit(host)
        except Refused as e:
            equal(e.args[0], 403, host)
        else:
            check(False, host + ' is allowed')


def private(d, ann, floor, relay):
    """it carries nobody to what is private, and opens no TCP for him"""
    with relay.client() as t:
        t.allocate(*relayed(ask(ann, floor)))
        refused(t, PRIVATE)
        t.permit('127.0.0.1')
        for host in PUBLIC:
            t.permit(host)
    with relay.client() as t:
        equal(t.allocate(*relayed(ask(ann, floor)), family=6)[0], '::1',
              'by IPv6')
        refused(t, PRIVATE6)
        for host in PUBLIC6:
            t.permit(host)
    with relay.client('tcp') as t:
        try:
            t.login(*relayed(ask(ann, floor)),
                    attrs=[(stun.TRANSPORT, struct.pack('>BBH', stun.TCP, 0,
                                                        0))])
        except Refused as e:
            check(e.args[0] in (400, 403, 442), e.args[0])
        else:
            check(False, 'a TCP connection for anybody')


def shipped(d, ann, floor, relay):
    """as it is shipped, its own machine is no peer either"""
    with relay.client() as t:
        t.allocate(*relayed(ask(ann, floor)))
        refused(t, PRIVATE + ('127.0.0.1',))
    ranges = [(ipaddress.ip_address(a), ipaddress.ip_address(b)) for a, b in
              re.findall(r'(?m)^denied-peer-ip=(.*)-(.*)$',
                         relay.conf('', ''))]
    for a, b in ranges:
        check(a < b, '%s to %s' % (a, b))
        # coturn takes a range from :: on for all of IPv4, too.
        check(a.version == 4 or int(a) != 0, a)
    for host in PUBLIC + PUBLIC6:
        ip = ipaddress.ip_address(host)
        check(not any(a.version == ip.version and a <= ip <= b
                      for a, b in ranges), host + ' is denied')


def unnamed(d, relay):
    """the log of the relay names nobody"""
    text = relay.log()
    check('denied' in text, 'no log: ' + text)
    for word in 'ann', 'ben', 'acme', SECRET:
        check(re.search(r'\b%s\b' % word, text) is None, '%s in %s' % (
            word, text))


def main():
    d = Daemon(workers=2)
    write_secret(d, SECRET + '\n')
    d.more = turn_lines(d)
    d.write_conf()
    d.start()
    d.do('tenant', 'add', 'acme', 'title', 'Acme')
    d.do('tenant', 'add', 'globex')
    one, two = d.floor('acme', 'One'), d.floor('acme', 'Two')
    boss = d.person('acme', 'boss@acme.example', role='admin')
    ann = d.person('acme', 'ann@acme.example')
    ben = d.person('acme', 'ben@acme.example')
    d.do('role', 'add', 'acme', 'Crew')
    cal = d.person('acme', 'cal@acme.example', role='Crew')
    guest = come(d, url(boss, [one, two])[1])
    floors = {'One': one, 'Two': two}
    s = Suite(d)
    s.run_test(answered, d, ann, one)
    s.run_test(asked_wrongly, d, ann, one)
    s.run_test(matrix, d, {'admin': boss, 'member': ann, 'Crew': cal,
                           'guest': guest}, floors)
    s.run_test(ways, d, ann, one)
    s.run_test(told, d, ann, ben, one)
    s.run_test(live, d, ann, ben, one)
    s.run_test(hidden, d, ann, ben, one)
    s.run_test(listens, d, ann, ben, one)
    s.run_test(console, d, boss, ann, one)
    s.run_test(noted, d, boss, one)
    relay = Relay(d.path('relay'), SECRET, (free_port(), free_port()),
                  lines=('allow-loopback-peers', 'relay-ip=::1'))
    strict = Relay(d.path('strict'), SECRET, (free_port(), free_port()),
                   drop=('allowed-peer-ip',))
    try:
        relay.start(d.path('tls.crt'), d.path('keys', 'tls.key'))
        strict.start(d.path('tls.crt'), d.path('keys', 'tls.key'))
        s.run_test(through, d, ann, ben, one, relay)
        s.run_test(strangers, d, ann, one, relay)
        s.run_test(private, d, ann, one, relay)
        s.run_test(shipped, d, ann, one, strict)
        s.run_test(unnamed, d, relay)
    finally:
        relay.end()
        strict.end()
    s.run_test(reloaded, d, ann, one)
    s.run_test(without_auth, d, ann, one, restarts=True)
    s.run_test(kept, d, ann, one, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
