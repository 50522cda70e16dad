"""What the benchmark needs around risad: people in numbers, the load
generator, and what processes have used."""

import atexit
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import risa                                                     # noqa: E402

risa.RISAD = os.environ.get('RISAD', risa.RISAD)
risa.RISACTL = os.environ.get('RISACTL', risa.RISACTL)
OUT = os.path.join(risa.TOP, 'regress', 'out', 'bench')
CHEAP = 'password hash memory 8 passes 1\n'
ROOM = '''limit connections 20000 address 20000 tenant 20000 account 20000
limit arrivals 10000000
limit requests address 10000000 tenant 10000000 account 10000000
'''
PASSWORD = 'correct-horse-42'
TENANTS = 21                    # the last one signs in all the time
FLOORS = 5                      # of each


def hall():
    """A floor: rooms along two sides, and a middle where nothing stands."""
    w, h, deep = 4000, 3000, 500
    walls = [[7, 7, w - 7, 7], [w - 7, 7, w - 7, h - 7],
             [7, h - 7, w - 7, h - 7], [7, 7, 7, h - 7]]
    rooms = []
    for y, edge in ((deep, 7), (h - deep, h - 7)):
        for i in range(5):
            x = i * 800
            door = [x + 300, y, x + 450, y]
            walls += [[max(x, 7), y, x + 300, y],
                      [x + 450, y, min(x + 800, w - 7), y]]
            if i > 0:
                walls.append([x, min(y, edge), x, max(y, edge)])
            left, right = max(x, 7), min(x + 800, w - 7)
            rooms.append({
                'id': len(rooms) + 1, 'kind': 'meeting',
                'name': 'Room %d' % (len(rooms) + 1),
                'shape': [[left, min(y, edge)], [right, min(y, edge)],
                          [right, max(y, edge)], [left, max(y, edge)]],
                'capacity': 12, 'surface': 'wood', 'lock': True,
                'doors': [door]})
    furniture = [{'kind': 'desk', 'x': 100 + 90 * (i % 40),
                  'y': 600 + 200 * (i // 40), 'w': 80, 'h': 60, 'turn': 0}
                 for i in range(160)]
    spawn = [[700 + 300 * (i % 8), 800 + 190 * (i // 8)] for i in range(64)]
    return {'version': 1, 'size': [w, h], 'floor': 'carpet-blue',
            'walls': walls, 'rooms': rooms, 'furniture': furniture,
            'spawn': spawn}


class Office(risa.Daemon):
    """risad with as many people as a case asks for, made when asked."""

    names = ('localhost',) + tuple('t%d.localhost' % i
                                   for i in range(TENANTS))

    def __init__(self):
        os.makedirs(OUT, exist_ok=True)
        self.hashers = None
        super().__init__(more=CHEAP + ROOM)
        self.htdocs = os.path.join(risa.TOP, 'risad', 'htdocs')
        self.write_conf()
        self.write('hall.json', json.dumps(hall()))
        self.admins = {}
        self.floors = {}
        self.people = {}        # of each tenant: (cookie, mail)
        self.lock = threading.Lock()

    def conf(self):
        text = super().conf()
        if self.hashers is None:
            return text
        return text.replace('workers session %d\n' % self.workers,
                            'workers session %d hash %d\n' % (
                                self.workers, self.hashers))

    def again(self, workers=1, more=CHEAP + ROOM, hashers=None):
        """Start it anew with this configuration."""
        if self.proc is not None:
            code = self.stop()
            if code != 0:
                raise risa.Failure('risad: exit %d\n%s' % (code, self.log()))
        self.workers = workers
        self.more = more
        self.hashers = hashers
        self.write_conf()
        return self.start()

    def _tenant(self, t):
        """A tenant with its floors, and an administrator with his cookie."""
        if t in self.admins:
            return self.admins[t]
        name = 't%d' % t
        with self.lock:
            self.do('tenant', 'add', name, 'title', name, 'contact',
                    'a@%s.example' % name)
            self.floors[t] = [self.floor(name, 'Floor %d' % i, 'map',
                                         self.path('hall.json'))
                              for i in range(FLOORS)]
            token = self.invite(name, 'a@%s.example' % name, 'role', 'admin')
        p = risa.Person(self, name, 'a@%s.example' % name, PASSWORD,
                        '127.0.0.%d' % (10 + t))
        self.admins[t] = p.accept(token, 'Admin')
        self.people[t] = []
        return p

    def _grow(self, t, count):
        """People come in by invitations, as everybody does."""
        p = self._tenant(t)
        have = self.people[t]
        while len(have) < count:
            n = len(have)
            mail = 'p%d@t%d.example' % (n, t)
            r = p.api('POST', '/admin/users', {'email': mail,
                                               'role': 'member'}, 201)
            token = risa.link_token(r.json()['invite']['url'])
            # The throttles count by address.
            with risa.Http(self, 't%d' % t, source='127.%d.%d.%d' % (
                    2 + t, n // 250, 1 + n % 250)) as h:
                while True:
                    r = h.request('POST', '/api/v1/invite/' + token, {
                        'password': PASSWORD, 'name': 'Person %d' % n})
                    if r.status != 503:
                        break
            if r.status != 201:
                raise risa.Failure('invitation: %r' % r)
            cookie = r.get('set-cookie').split(';')[0].split('=', 1)[1]
            have.append((cookie, mail))

    def grow(self, counts):
        """So many people in each of the first tenants."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for f in [pool.submit(self._grow, t, n)
                      for t, n in enumerate(counts)]:
                f.result()

    def file(self, people, cookies=True):
        """A file for the load: people are (tenant, number, floor)."""
        path = self.path('people')
        with open(path, 'w') as f:
            for t, n, fl in people:
                cookie, mail = self.people[t][n]
                f.write('t%d.localhost:%d %d %s %s %s\n' % (
                    t, self.port, self.floors[t][fl],
                    cookie if cookies else '-', mail,
                    PASSWORD))
        return path

    def pids_all(self):
        return family(self.proc.pid)


def family(pid):
    """A process and all that came from it."""
    pids = [pid]
    try:
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            for child in f.read().split():
                pids += family(int(child))
    except OSError:
        pass
    return pids


def cpu(pids):
    """Seconds that the processes have run, user and system; by pid."""
    used = {}
    for pid in pids:
        used[pid] = 0
        try:
            for task in os.listdir('/proc/%d/task' % pid):
                with open('/proc/%d/task/%s/schedstat' % (pid, task)) as f:
                    used[pid] += int(f.read().split()[0]) / 1e9
        except OSError:
            pass
    return used


def waited(pid):
    """Seconds that it was ready to run and another had the processor."""
    try:
        with open('/proc/%d/schedstat' % pid) as f:
            return int(f.read().split()[1]) / 1e9
    except OSError:
        return 0


def pss(pids):
    """Bytes of memory, what is shared divided by who shares it."""
    total = 0
    for pid in pids:
        try:
            with open('/proc/%d/smaps_rollup' % pid) as f:
                for line in f:
                    if line.startswith('Pss:'):
                        total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


class AtWork:
    """How long a process was not waiting for something to do, by looking
    at it 500 times a second; waiting for a processor is not counted."""

    def __init__(self, pid):
        self.pid = pid
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.looks = self.rests = 0
        self.begin, self.stood = time.monotonic(), waited(self.pid)
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.ended.set()
        self.thread.join()

    def _look(self):
        while not self.ended.wait(0.002):
            with open('/proc/%d/wchan' % self.pid) as f:
                self.rests += 'epoll' in f.read()
            self.looks += 1
        self.secs = time.monotonic() - self.begin
        self.stood = waited(self.pid) - self.stood

    @property
    def part(self):
        """Of the time, while this lasted."""
        busy = 1 - self.rests / max(self.looks, 1)
        return max(busy - self.stood / self.secs, 0)


class Load:
    """The generator; what it measures comes with the server's CPU time."""

    def __init__(self, port, people, *options):
        self.proc = subprocess.Popen(
            [os.path.join(OUT, 'load'), *options, '-p', str(port), people],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.end)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.end()

    def _line(self, word):
        line = self.proc.stdout.readline()
        if not line.startswith(word):
            raise risa.Failure('load: %r instead of %s' % (line, word))
        return json.loads(line[len(word):]) if line.strip() != word else None

    def order(self, *words):
        self.proc.stdin.write(' '.join(map(str, words)) + '\n')
        self.proc.stdin.flush()

    def join(self, n):
        self.order('join', n)
        r = self._line('joined')
        if r['failed']:
            raise risa.Failure('%d have not come in' % r['failed'])
        return r

    def measure(self, pids, *words):
        """Give the order; its figures, with the seconds of CPU by pid."""
        self.order(*words)
        self._line('begin')
        before, stood = cpu(pids), sum(map(waited, pids))
        r = self._line('end')
        after = cpu(pids)
        r['waited'] = sum(map(waited, pids)) - stood
        r['by'] = {p: after[p] - before[p] for p in pids}
        r['server'] = sum(r['by'].values())
        return r

    def end(self):
        if self.proc.poll() is None:
            self.proc.stdin.close()
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        atexit.unregister(self.end)
