"""People who write without a pause, whatever happens to the server, and who
hold it to each word that it has acknowledged.

A writer has one message under way; it is sent again, with its ref, after an
error and after a connection that was lost, as the page does."""

import threading
import time

from risa import Closed, Failure, Person, until

SILENCE = 30            # seconds: an answer comes before that, or an error


class Writer(threading.Thread):
    def __init__(self, person, floor, name):
        threading.Thread.__init__(self, daemon=True)
        self.p, self.floor, self.name = person, floor, name
        self.sent = 0
        self.acked = {}                 # text: id
        self.waiting = None             # the text under way
        self.asked = 0.0
        self.last = 0                   # the newest id on this connection
        self.heard = [[]]               # ids, of each connection
        self.pause = False              # finish what is under way, no more
        self.ends = False
        self.wrong = []                 # what must not be
        self.errors = self.losses = 0

    def run(self):
        while not self.ends:
            try:
                if self.p.ws is None:
                    self._back()
                self._turn()
            except (OSError, Closed, ConnectionError):
                self.p.drop()
                self.losses += 1
                time.sleep(0.05)
            except Failure as e:
                self.p.drop()
                if '401' in str(e):
                    self.wrong.append('thrown out: %s' % e)
                    return
                time.sleep(0.05)

    def _back(self):
        self.p.open()
        self.last = 0
        self.heard.append([])
        self.p.insist('floor', t='enter', floor=self.floor)
        self.asked = 0.0

    def _ref(self):
        return '%s-%d' % (self.name, self.sent)

    def _turn(self):
        if self.waiting is None and not self.pause:
            self.sent += 1
            self.waiting = '%s %d' % (self.name, self.sent)
            self.asked = 0.0
        if self.waiting is not None and self.asked == 0:
            self.p.tell(t='say', to='floor', text=self.waiting,
                        ref=self._ref())
            self.asked = time.monotonic()
        self.p.pull(0.05)
        box, self.p.inbox = self.p.inbox, []
        for m in box:
            self._heard(m)
        if self.asked and time.monotonic() - self.asked > SILENCE:
            self.wrong.append('no answer to %s' % self.waiting)
            self.asked = 0.0

    def _heard(self, m):
        if m['t'] == 'missed':
            self.heard[-1] = []         # the page reads the newest again
        if m['t'] == 'ack' and m['ref'] == self._ref():
            self.acked[self.waiting] = m['id']
            self.waiting = None
        elif m['t'] == 'error' and m.get('ref') == self._ref():
            self.errors += 1
            time.sleep(0.1)
            self.asked = 0.0
        elif m['t'] == 'msg' and m['channel'] == 'floor:%d' % self.floor:
            if m['id'] <= self.last:
                self.wrong.append('%d heard after %d' % (m['id'], self.last))
            self.last = m['id']
            self.heard[-1].append(m['id'])

    def end(self):
        """Stop, whatever is under way."""
        self.ends = True
        self.join(30)
        self.p.drop()
        self.p.http.close()


class Writers:
    """So many on a floor of each tenant; and who reads what they wrote."""

    def __init__(self, d, tenants=('acme', 'globex'), each=3, sources=True):
        self.d = d
        self.floors, self.people = {}, []
        for t in tenants:
            self.floors[t] = d.floor(t, 'Words')
            for i in range(each):
                mail = 'w%d@%s.example' % (i, t)
                token = d.invite(t, mail, 'role', 'member')
                p = Person(d, t, mail,
                           source='127.0.3.%d' % (len(self.people) + 1)
                           if sources else None)
                p.accept(token, 'Writer %d' % i)
                self.people.append(p)
        self.kept = {t: {} for t in tenants}    # text: id, of all writers
        self.sent = {t: 0 for t in tenants}
        self.seen = {t: 0 for t in tenants}     # read and found whole so far
        self.wrong = []
        self.running = []
        self.lives = 0
        self.heard = {t: [] for t in tenants}   # ids, of each connection

    def start(self):
        """All write, from now on."""
        self.lives += 1
        self.running = []
        for i, p in enumerate(self.people):
            w = Writer(p, self.floors[p.tenant],
                       '%s%d-%d' % (p.tenant, i, self.lives))
            self.running.append(w)
            w.start()

    def acked(self):
        return sum(len(w.acked) for w in self.running)

    def more(self, n=1, bound=60):
        """Each of them has so many more acknowledged; how long it took."""
        begun = time.monotonic()
        marks = [len(w.acked) for w in self.running]
        until(lambda: all(len(w.acked) >= m + n or w.wrong
                          for w, m in zip(self.running, marks)),
              'all write on', bound)
        return time.monotonic() - begun

    def settle(self):
        """What is under way gets its answer, then they end."""
        for w in self.running:
            w.pause = True
        until(lambda: all(w.waiting is None or w.wrong or
                          not w.is_alive() for w in self.running),
              'all has its answer', 90)
        self.end()

    def end(self):
        for w in self.running:
            w.ends = True
        for w in self.running:
            w.end()
            self.wrong += ['%s: %s' % (w.name, x) for x in w.wrong]
            self.kept[w.p.tenant].update(w.acked)
            self.sent[w.p.tenant] += w.sent
            self.heard[w.p.tenant] += [h for h in w.heard if h]
        self.running = []

    def there(self, tenant, since=0):
        """The messages of a floor that are newer than an id, in order."""
        p = [p for p in self.people if p.tenant == tenant][0]
        got, before = [], ''
        while True:
            r = p.retry('GET', '/messages?channel=floor:%d&limit=100%s' % (
                self.floors[tenant], before), want=200).json()
            got = r['messages'] + got
            if not r['more'] or got[0]['id'] <= since:
                p.http.close()
                return [m for m in got if m['id'] > since]
            before = '&before=%d' % got[0]['id']

    def check(self, whole=True):
        """Each acknowledged word is there once, by its id and in order."""
        if self.wrong:
            raise Failure('; '.join(self.wrong[:5]))
        for tenant, kept in self.kept.items():
            since = 0 if whole else self.seen[tenant]
            got = self.there(tenant, since)
            ids = [m['id'] for m in got]
            if ids != sorted(set(ids)):
                raise Failure('%s: ids %r' % (tenant, ids))
            texts = {}
            for m in got:
                if m['text'] in texts:
                    raise Failure('%s: twice: %s' % (tenant, m['text']))
                texts[m['text']] = m['id']
            lost = [t for t, i in kept.items()
                    if i > since and texts.get(t) != i]
            if lost:
                raise Failure('%s: %d of %d acknowledged are lost: %r' % (
                    tenant, len(lost), len(kept), lost[:8]))
            self._order(tenant, got)
            for heard in self.heard[tenant]:
                known = set(heard)
                missed = [i for i in ids if heard[0] < i < heard[-1] and
                          i not in known]
                if missed:
                    raise Failure('%s: never told to who was there: %r' % (
                        tenant, missed[:8]))
            self.heard[tenant] = []
            if ids:
                self.seen[tenant] = ids[-1]

    @staticmethod
    def _order(tenant, got):
        last = {}
        for m in got:
            name, n = m['text'].rsplit(' ', 1)
            if int(n) <= last.get(name, -1):
                raise Failure('%s: %s after %d' % (tenant, m['text'],
                                                   last[name]))
            last[name] = int(n)

    def count(self):
        return sum(len(k) for k in self.kept.values())
