#!/usr/bin/env python3
"""Words: floor, room, direct; history, unread; durable, once, unchanged."""

import json
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from lib import Suite, check, equal                             # noqa: E402
from risa import Daemon, Failure, until                         # noqa: E402
from trail import trail                                         # noqa: E402

TEXTS = [
    'こんにちは、世界 🌍', '<script>alert(1)</script>',
    '<b>bold</b> & "q" \'q\'',
    '</textarea><img src=x onerror=alert(1)>', '{"t":"bye"}', '\\u0041 \\n',
    'line\nline\ttab', '\u202eright to left\u202c', 'e\u0301 a\u0308',
    '👩\u200d👩\u200d👧\u200d👦', 'x' * 4000, '𠮷野家',
    "'; drop table messages; --",
    '=1+1', '%s%n%d', '\x7f', '\u2028 \u2029', 'nul: \\0', ' spaces kept ',
]


def on(floor, *people):
    for i, p in enumerate(people):
        p.drop()
        p.open_on(i % p.daemon.workers)
        p.enter(floor)
    return people


def floor_talk(d, one, two, a, b, c):
    """a word on the floor: all there hear it, those elsewhere do not"""
    on(one, a, b)
    on(two, c)
    ack = a.say('はい')
    for p in (a, b):
        m = p.hears('はい', 'floor:%d' % one)
        equal((m['id'], m['from'], m['name'], m['at']),
              (ack['id'], a.id, 'ann', ack['at']), 'message')
    b.say('to the second floor?')
    c.say('alone')
    c.hears('alone', 'floor:%d' % two)
    c.settle()
    check(c.find('msg') is None, 'c has heard')
    b.settle()
    check(b.find('msg', lambda m: m['text'] == 'alone') is None, 'heard')


def room_talk(d, one, two, a, b, c):
    """a word in a room: those in it hear it, those outside do not"""
    on(one, a, b, c)
    for p in (a, b):
        p.walk((940, 315), (1100, 315), room=1)
    channel = 'room:%d:1' % one
    a.say('内緒話', 'room')
    a.hears('内緒話', channel)
    b.hears('内緒話', channel)
    a.say('for all')
    c.hears('for all')
    check(c.find('msg', lambda m: m['text'] == '内緒話') is None, 'heard')
    equal([m['text'] for m in b.history(channel)['messages']], ['内緒話'],
          'history inside')
    equal([m['text'] for m in b.get('/messages?channel=' + channel)
           ['messages']], ['内緒話'], 'by HTTP')
    c.tell(t='history', channel=channel)
    c.error('no-room')
    equal(c.api('GET', '/messages?channel=' + channel).status, 404, 'by HTTP')
    c.tell(t='say', to='room', text='x', ref='x')
    c.error('no-room', ref='x')


def room_left(d, one, two, a, b, c):
    """histories that wait when one leaves the room are not looked up"""
    on(one, a, b)
    for p in (a, b):
        p.walk((940, 315), (1100, 315), room=1)
    b.say('before', 'room')
    a.hears('before')
    pid = d.pids('storage')[('storage', 0)]
    os.kill(pid, signal.SIGSTOP)
    try:
        for n in range(5):
            a.tell(t='history', channel='room:%d:1' % one, ref='h%d' % n)
        a.tell(t='leave')
        a.settle()
    finally:
        os.kill(pid, signal.SIGCONT)
    for n in range(2):
        m = a.wait('history', lambda m: m['ref'] == 'h%d' % n)
        equal(m['messages'][-1]['text'], 'before', 'asked inside')
    for n in range(2, 5):
        a.error('no-room', ref='h%d' % n)


def direct(d, one, two, a, b, c):
    """a word to one person: both have it, on any floor, and nobody else"""
    on(one, a, c)
    on(two, b)
    a.say('二人だけ', {'user': b.id})
    a.hears('二人だけ', 'user:%d' % b.id)
    b.hears('二人だけ', 'user:%d' % a.id)
    b.say('返事', {'user': a.id})
    a.hears('返事', 'user:%d' % b.id)
    equal([m['text'] for m in a.history('user:%d' % b.id)['messages']],
          ['二人だけ', '返事'], 'history of one')
    equal([m['text'] for m in b.history('user:%d' % a.id)['messages']],
          ['二人だけ', '返事'], 'history of the other')
    equal(c.history('user:%d' % a.id)['messages'], [], 'of a third')
    equal(c.history('user:%d' % b.id)['messages'], [], 'of a third')
    c.settle()
    check(c.find('msg') is None, 'c has heard')
    b.tell(t='leave')
    a.say('on no floor', {'user': b.id})
    b.hears('on no floor')


def text_stays(d, one, two, a, b, c):
    """every text comes out as it went in, live and from history"""
    on(one, a, b)
    before = a.say('mark')['id']
    for text in TEXTS:
        try:
            a.say(text)
        except Failure as e:
            raise Failure('%r: %s' % (text[:40], e))
        b.hears(text)
        a.pull()
    got = [m['text'] for m in a.history('floor:%d' % one)['messages']
           if m['id'] > before]
    equal(got, TEXTS, 'history')
    r = a.api('GET', '/messages?channel=floor:%d&limit=100' % one)
    equal([m['text'] for m in r.json()['messages'] if m['id'] > before],
          TEXTS, 'by HTTP')
    equal(r.get('content-type'), 'application/json', 'type')


def paging(d, one, two, a, b, c):
    """history comes in pages, oldest first within a page, nothing twice"""
    on(two, a, b)
    channel = 'floor:%d' % two
    for i in range(45):
        while True:
            a.tell(t='say', to='floor', text='p%d' % i, ref='p%d' % i)
            a.sees(lambda: any(m['t'] in ('ack', 'error')
                               for m in a.inbox), 'an answer')
            if a.find('ack'):
                break
            a.pull(0.1)             # too many: a moment later
            a.inbox.clear()
    for read in (lambda q: a.history(channel, **q), lambda q: a.get(
            '/messages?channel=%s&%s' % (channel, '&'.join(
                '%s=%d' % kv for kv in q.items())))):
        got, before = [], None
        while True:
            q = {'limit': 7}
            if before:
                q['before'] = before
            page = read(q)
            ids = [m['id'] for m in page['messages']]
            equal(ids, sorted(ids), 'order')
            got = [m['text'] for m in page['messages']] + got
            if not page['more']:
                break
            equal(len(ids), 7, 'a page')
            before = ids[0]
        equal(got[-45:], ['p%d' % i for i in range(45)], 'all')
        equal(len(set(got)), len(got), 'once')
    equal(len(a.history(channel, limit=1)['messages']), 1, 'limit 1')
    equal(a.history(channel, before=1)['messages'], [], 'before the first')


def unread(d, one, two, a, b, c):
    """what was said meanwhile is counted, until it is marked as read"""
    on(one, a, b)
    last = a.say('start')['id']
    for p in (a, b):
        p.tell(t='read', channel='floor:%d' % one, id=last)
        p.settle()
    b.drop()
    c.drop()

    def count(p, channel):
        p.drop()
        p.open()
        for u in p.hello['unread']:
            if u['channel'] == channel:
                return u['count'], u['last']
        return 0, 0
    until(lambda: count(b, 'floor:%d' % one)[0] == 0, 'marked')
    b.drop()
    ids = [a.say('unread %d' % i)['id'] for i in range(3)]
    dm = a.say('for bob', {'user': b.id})['id']
    equal(count(b, 'floor:%d' % one), (3, ids[-1]), 'floor')
    n, top = count(b, 'user:%d' % a.id)
    check(n >= 1 and top == dm, 'direct: %r' % ((n, top),))
    equal(count(a, 'floor:%d' % one)[0], 0, "one's own words")
    b.tell(t='read', channel='floor:%d' % one, id=ids[0])
    b.tell(t='read', channel='user:%d' % a.id, id=dm)
    until(lambda: count(b, 'user:%d' % a.id)[0] == 0, 'direct, read')
    until(lambda: count(b, 'floor:%d' % one)[0] == 2, 'two are left')
    b.tell(t='read', channel='floor:%d' % one, id=2 ** 40)
    until(lambda: count(b, 'floor:%d' % one)[0] == 0, 'all')
    on(one, a)
    a.say('one more')
    equal(count(b, 'floor:%d' % one)[0], 1,
          'a number from the future marks nothing that is not there yet')


def once(d, one, two, a, b, c):
    """the same ref again: the same number, not said twice"""
    on(one, a, b)
    first = a.say('once', ref='same-ref')
    b.hears('once')
    for _ in range(3):
        again = a.say('once', ref='same-ref')
        equal((again['id'], again['at']), (first['id'], first['at']), 'ack')
    a.drop()
    a.open_on(1)
    a.enter(one)
    equal(a.say('once', ref='same-ref')['id'], first['id'], 'reconnected')
    other = b.say('once', ref='same-ref')
    check(other['id'] != first['id'], "somebody else's ref")
    b.settle()
    texts = [m['text'] for m in b.history('floor:%d' % one)['messages']]
    equal(texts.count('once'), 2, 'in history')
    # Two at once, before either is answered.
    for _ in range(2):
        a.tell(t='say', to='floor', text='twice', ref='burst')
    ids = {a.wait('ack', lambda m: m['ref'] == 'burst')['id']
           for _ in range(2)}
    equal(len(ids), 1, 'numbers of two at once')


def order(d, one, two, a, b, c):
    """many words of several people: one order for all, the one of history"""
    on(one, a, b, c)
    for i in range(15):
        for p in (a, b, c):
            p.tell(t='say', to='floor', text='o%d' % i,
                   ref='o%d' % i)
    for p in (a, b, c):
        acks = [p.wait('ack', lambda m: m['ref'] == 'o%d' % i)['id']
                for i in range(15)]
        equal(acks, sorted(acks), 'acknowledged in the order said')
    want = [m['id'] for m in a.history('floor:%d' % one,
                                       limit=45)['messages']]
    for p in (a, b, c):
        p.sees(lambda: len([m for m in p.inbox if m['t'] == 'msg' and
                            m['id'] in want]) >= 45, 'all of them')
        got = [m['id'] for m in p.inbox if m['t'] == 'msg' and
               m['id'] in want]
        equal(sorted(got), want, 'all once for %s' % p.mail)


def durable(d, one, two, a, b, c):
    """storage is killed right after an acknowledgement: the word is there"""
    on(one, a, b)
    for i in range(4):
        ack = a.say('durable %d' % i, ref='durable-%d' % i)
        os.kill(d.pids()[('storage', 0)], signal.SIGKILL)

        h = a.insist('history', t='history', channel='floor:%d' % one,
                     limit=5, ref='h')
        equal([m['id'] for m in h['messages']
               if m['text'] == 'durable %d' % i], [ack['id']], 'once')
        again = a.insist('ack', t='say', to='floor', text='durable %d' % i,
                         ref='durable-%d' % i)
        equal(again['id'], ack['id'], 'the same number')
    b.settle()


def restart(d, one, two, a, b, c):
    """history, unread and refs survive a restart of the daemon"""
    on(one, a, b)
    for channel in ('floor:%d' % one, 'floor:%d' % two, 'user:%d' % a.id):
        b.tell(t='read', channel=channel, id=2 ** 40)
    b.history('floor:%d' % one, limit=1)
    b.drop()
    ack = a.say('まだここに', ref='before-restart')
    dm = a.say('秘密のまま', {'user': b.id}, ref='dm-restart')
    before = a.history('floor:%d' % one, limit=100)['messages']
    a.drop()
    d.restart()
    for p in (a, b):
        p.http.close()
        p.sign_in()
    on(one, a)
    equal(a.history('floor:%d' % one, limit=100)['messages'], before,
          'history')
    equal(a.say('まだここに', ref='before-restart')['id'], ack['id'], 'ref')
    b.open()
    equal({u['channel']: (u['count'], u['last'])
           for u in b.hello['unread'] if u['count']},
          {'floor:%d' % one: (1, ack['id']),
           'user:%d' % a.id: (1, dm['id'])}, 'unread')
    new = a.say('newer')
    check(new['id'] > dm['id'], 'numbers go on')


def left(d, one, two, a, b, c):
    """somebody renamed is shown by his new name, somebody gone stays said"""
    x = d.person('acme', 'leaver@acme.example', name='Old Name')
    on(one, a)
    x.open()
    x.enter(one)
    x.say('my last words')
    x.api('PATCH', '/me', {'name': 'New Name'}, 200)
    m = a.history('floor:%d' % one, limit=1)['messages'][0]
    equal((m['text'], m['name']), ('my last words', 'New Name'), 'renamed')
    d.do('user', 'lock', 'acme', x.mail)
    a.tell(t='say', to={'user': x.id}, text='hello?', ref='gone')
    a.error('no-user', ref='gone')
    d.do('user', 'delete', 'acme', x.mail)
    a.tell(t='say', to={'user': x.id}, text='hello?', ref='gone2')
    a.error('no-user', ref='gone2')
    a.settle()
    check(json.dumps(a.history('floor:%d' % one, limit=5)), 'history')
    x.close()


def renamed_early(d, one, two, a, b, c):
    """a name changed while another process has yet to hear who came is new"""
    x = d.person('acme', 'early@acme.example', name='Old Name')
    x.api('DELETE', '/session', want=204)
    x.http.close()
    on(one, a)
    # The process of a finds it all waiting, and reads storage's pipe first:
    # its first word, that x is signed in, came before the first of the other.
    with d.only_worker(1):
        x.sign_in()
        x.open()
        x.enter(one)
        x.api('PATCH', '/me', {'name': 'New Name'}, 200)
        x.http.close()
    a.wait('update', lambda m: m['name'] == 'New Name')
    x.close()


def rows(d):
    """Numbers of all messages in the tenant's file."""
    db = sqlite3.connect('file:%s?mode=ro' % d.path(
        'data', 'tenants', '1', 'main.db'), uri=True)
    ids = [i for i, in db.execute('SELECT id FROM messages')]
    db.close()
    return ids


def erased(d, one, two, a, b, c):
    """a message is erased by its author or an administrator, for everyone"""
    boss = d.person('acme', 'boss@acme.example', 'admin')
    for p in (a, b, boss):
        on(one, p)
    channel = 'floor:%d' % one
    mine = a.say('to be erased')['id']
    other = b.say('stays')['id']
    direct = a.say('between us', to={'user': b.id})['id']
    for p in (b, boss):
        p.hears('to be erased')
    # Not by another member, not by the wrong channel, not what is not there.
    for p, ch, n, code in (
            (b, channel, mine, 'forbidden'),
            (a, 'floor:%d' % two, mine, 'no-message'),
            (a, channel, direct, 'no-message'),
            (a, channel, 4711 << 20, 'no-message'),
            (boss, 'user:%d' % a.id, direct, 'no-message')):
        p.tell(t='erase', channel=ch, id=n, ref='no')
        p.error(code, ref='no')
    a.tell(t='erase', channel='nowhere', id=mine, ref='odd')
    a.error('field', ref='odd', field='channel')
    check(mine in rows(d) and direct in rows(d), 'all there')
    a.tell(t='erase', channel=channel, id=mine)
    for p in (a, b, boss):
        p.wait('erased', lambda m: (m['channel'], m['id']) == (channel, mine))
    got = [m['id'] for m in b.history(channel, limit=100)['messages']]
    check(mine not in got and other in got, got)
    # An administrator, what others have said on a floor; it is written down.
    boss.tell(t='erase', channel=channel, id=other)
    b.wait('erased', lambda m: m['id'] == other)
    check('by user %d: erase message %d of user %d' % (boss.id, other, b.id) in
          trail(d, 'acme'), trail(d, 'acme')[-3:])
    # Between two, only they.
    b.tell(t='erase', channel='user:%d' % a.id, id=direct, ref='his')
    b.error('forbidden', ref='his')
    a.tell(t='erase', channel='user:%d' % b.id, id=direct)
    b.wait('erased', lambda m: (m['channel'], m['id']) ==
           ('user:%d' % a.id, direct))
    check(not {mine, other, direct} & set(rows(d)), 'no row is left')
    until(lambda: os.path.getsize(d.path(
        'data', 'tenants', '1', 'main.db-wal')) == 0, 'nor in its log')
    boss.close()


def erased_soon(d, one, two, a, b, c):
    """a message that is erased at once is erased after it was heard"""
    for p in (a, b):
        p.drop()
        p.open_on(0)
        p.enter(one)
    for i in range(8):
        # Words wait for the next tick while somebody walks.
        a.leg(300 + i % 2 * 300, 700)
        time.sleep(.03)
        n = a.say('too soon %d' % i)['id']
        a.tell(t='erase', channel='floor:%d' % one, id=n)
        told = []

        def both():
            b.pull(.05)
            told[:] = [m['t'] for m in b.inbox
                       if m['t'] in ('msg', 'erased') and m['id'] == n]
            return 'msg' in told and 'erased' in told
        until(both, 'both')
        equal(told, ['msg', 'erased'], 'order')


def read_nowhere(d, one, two, a, b, c):
    """marks are kept of channels that are counted, and have something in"""
    def marks():
        db = sqlite3.connect('file:%s?mode=ro' % d.path(
            'data', 'tenants', '1', 'main.db'), uri=True)
        n, = db.execute('SELECT count(*) FROM reads WHERE user = ?',
                        (x.id,)).fetchone()
        db.close()
        return n
    x = d.person('acme', 'reads@acme.example')
    y = d.person('acme', 'read@acme.example')
    on(one, a, x)
    n = a.say('to be read')['id']
    for i in range(20):
        x.tell(t='read', channel='room:%d:%d' % (one, 100000 + i), id=n)
    x.tell(t='read', channel='user:%d' % y.id, id=n)
    x.tell(t='read', channel='floor:%d' % one, id=n)
    until(lambda: marks() > 0, 'the mark')
    equal(marks(), 1, 'marks')
    for p in (x, y):
        p.close()


def main():
    d = Daemon(workers=2).start()
    d.do('tenant', 'add', 'acme')
    one, two = d.floor('acme', 'One'), d.floor('acme', 'Two')
    a, b, c = (d.person('acme', n + '@acme.example')
               for n in ('ann', 'bob', 'cem'))
    s = Suite(d)
    for fn in (floor_talk, room_talk, room_left, direct, text_stays, paging,
               unread, once, order, left, renamed_early, erased, erased_soon,
               read_nowhere):
        s.run_test(fn, d, one, two, a, b, c)
        for p in (a, b, c):
            p.drop()
    s.run_test(durable, d, one, two, a, b, c, restarts=True)
    for p in (a, b, c):
        p.drop()
    s.run_test(restart, d, one, two, a, b, c, restarts=True)
    s.end()


if __name__ == '__main__':
    main()
