"""A risad to test, and the people who use it.

Daemon makes a private directory, starts risad there on a port of its own and
ends it again.  Http sends requests, also wrong ones; Ws speaks RFC 6455 frame
by frame; Person signs in, enters floors, walks and talks.  Whatever waits has
a bound in time and waits for a condition.
"""

import atexit
import base64
import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
RISAD = os.path.join(TOP, 'risad', 'risad')
RISACTL = os.path.join(TOP, 'risactl', 'risactl')
MAPS = os.path.join(TOP, 'risad', 'web', 'maps')

BOUND = 30              # seconds that a condition may take to come true
PASSWORD = 'correct horse 42'
WALK = 320              # centimetres a second
GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

# The rules of a tenant that has set none.
RULES = {'password-length': 8, 'password-length-factor': 128,
         'password-kinds': 1, 'password-strength': 2,
         'password-history': 0, 'password-days': 0, 'session-idle': 0,
         'session-absolute': 0, 'second-factor': 0, 'lock-tries': 10,
         'lock-minutes': 30, 'chat-days': 0, 'log-days': 366,
         'audit-days': 1096, 'legal-hold': 0, 'log-console': 0,
         'talk-way': 1, 'talk-listen': 1, 'talk-hidden-mute': 0,
         'mail-domains': [], 'networks': [],
         'admin-networks': [], 'second-factor-roles': []}

# Two rooms on the right behind a wall at x = 1000: 1 for two people, with a
# lock, its door at y 250..380; 2 for one, its door at y 520..650.
MAP = {
    'version': 1, 'size': [2000, 1200], 'floor': 'wood',
    'walls': [
        [7, 7, 1993, 7], [1993, 7, 1993, 1193], [7, 1193, 1993, 1193],
        [7, 7, 7, 1193], [1000, 7, 1000, 250], [1000, 380, 1000, 520],
        [1000, 650, 1000, 1193], [1000, 450, 1993, 450],
    ],
    'rooms': [
        {'id': 1, 'kind': 'meeting', 'name': {'ja': '会議室', 'en': 'Meeting'},
         'shape': [[1000, 7], [1993, 7], [1993, 450], [1000, 450]],
         'capacity': 2, 'surface': 'tatami', 'lock': True,
         'doors': [[1000, 250, 1000, 380]]},
        {'id': 2, 'kind': 'quiet', 'name': 'Quiet',
         'shape': [[1000, 450], [1993, 450], [1993, 1193], [1000, 1193]],
         'capacity': 1, 'surface': 'carpet-blue', 'lock': False,
         'doors': [[1000, 520, 1000, 650]]},
    ],
    'furniture': [{'kind': 'plant', 'x': 100, 'y': 100, 'w': 60, 'h': 60,
                   'turn': 0}],
    'spawn': [[820, 450]],
}


class Failure(Exception):
    """A test has not found what it demands."""


class Closed(Exception):
    """The other side has ended the connection."""


def until(fn, what, bound=BOUND):
    """Wait until fn() is true; its value."""
    end = time.monotonic() + bound
    while True:
        value = fn()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure('not within %d s: %s' % (bound, what))
        time.sleep(0.02)


def slowest(fn):
    """Seconds that the slowest of some calls takes, on this machine now."""
    times = []
    for i in range(5):
        begin = time.monotonic()
        fn(i)
        times.append(time.monotonic() - begin)
    return max(times)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def alive(pid):
    """Does the process exist, and not only as a zombie?"""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def _die_with_us():
    """Between fork and exec: a test that is killed leaves no daemon."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG
    # Python ignores SIGPIPE, and that would survive the exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


class Daemon:
    """risad in a directory of its own; nothing runs before start()."""

    names = ('localhost', 'acme.localhost', 'globex.localhost')

    def __init__(self, workers=1, more=''):
        self.workers = workers
        self.more = more
        self.wrap = []          # what starts risad, with its options
        self.proc = None
        self.port = free_port()
        self.redirect = None
        self.proxy = None       # port that wants the header of a proxy
        self.dir = tempfile.mkdtemp(prefix='risad-test-')
        os.chmod(self.dir, 0o711)
        atexit.register(self.end)
        self._make()
        self.write_conf()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def _make(self):
        users = os.path.join(TOP, 'etc', 'users.sh')
        subprocess.run(['sh', users, self.path('empty')], check=True)
        os.mkdir(self.path('keys'), 0o700)
        os.mkdir(self.path('data'), 0o700)
        shutil.chown(self.path('data'), '_risastor')
        subprocess.run([RISAD, '-k', self.path('keys')], check=True,
                       stdout=subprocess.DEVNULL)
        self.make_cert('tls')
        self.htdocs = self.path('htdocs')
        os.makedirs(self.path('htdocs', 'assets'))
        shutil.copytree(MAPS, self.path('htdocs', 'maps'))
        self.write('htdocs/index.html', '<!doctype html><title>t</title>\n')
        self.write('htdocs/assets/app-1a2b3c4d.js', 'export {};\n')
        self.write('map.json', json.dumps(MAP))

    def make_cert(self, name, kind='ec'):
        """A certificate for all our names, name.crt and keys/name.key."""
        new = ['-newkey', 'rsa:2048'] if kind == 'rsa' else [
            '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
        alt = ','.join('DNS:' + n for n in self.names)
        subprocess.run(
            ['openssl', 'req', '-x509'] + new + [
                '-nodes', '-keyout', self.path('keys', name + '.key'), '-out',
                self.path(name + '.crt'), '-days', '2', '-subj',
                '/CN=localhost', '-addext', 'subjectAltName=' + alt],
            check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.path('keys', name + '.key'), 0o400)

    def write(self, name, text):
        with open(self.path(name), 'w') as f:
            f.write(text)

    def conf(self):
        text = '''site domain "localhost"
site port %d
listen on 127.0.0.1 port %d tls
tls certificate "%s" key "%s"
data "%s"
keys master "%s" pepper "%s"
htdocs "%s"
control socket "%s"
chroot "%s"
workers session %d
''' % (self.port, self.port, self.path('tls.crt'), self.path('keys/tls.key'),
       self.path('data'), self.path('keys/master.key'),
       self.path('keys/pepper.key'), self.htdocs, self.path('risad.sock'),
       self.path('empty'), self.workers)
        if self.redirect:
            text += 'listen on 127.0.0.1 port %d redirect\n' % self.redirect
        if self.proxy:
            text += ('listen on 127.0.0.1 port %d tls proxy from 127.0.0.1\n' %
                     self.proxy)
        return text + self.more

    def write_conf(self, text=None):
        self.write('risad.conf', self.conf() if text is None else text)
        os.chmod(self.path('risad.conf'), 0o600)

    def spawn(self, *options):
        """Start risad and do not wait; its process."""
        with open(self.path('log'), 'ab') as log:
            return subprocess.Popen(
                self.wrap + [RISAD, '-d', '-f', self.path('risad.conf')] +
                list(options),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd='/',
                preexec_fn=_die_with_us)

    def start(self, *options):
        self.proc = self.spawn(*options)
        until(self._serves, 'risad serves\n' + self.log())
        return self

    def _serves(self):
        if self.proc.poll() is not None:
            raise Failure('risad ended with %d\n%s' % (self.proc.returncode,
                                                       self.log()))
        return self.healthy()

    def healthy(self):
        try:
            with Http(self, bound=2) as h:
                return h.request('GET', '/healthz').status == 200
        except (OSError, Closed):
            return False

    def refused(self, *options):
        """Start it where it must refuse; the exit code and what it said."""
        before = len(self.log())
        proc = self.spawn(*options)
        try:
            code = proc.wait(BOUND)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
            raise Failure('risad serves, and should have refused')
        return code, self.log()[before:]

    def stop(self, sig=signal.SIGTERM):
        """End it; the exit code.  No process of it may be left."""
        pids = self.pids_known()
        self.proc.send_signal(sig)
        code = self.wait_exit()
        until(lambda: not any(alive(p) for p in pids), 'children are gone')
        return code

    def wait_exit(self, bound=BOUND):
        """Wait until it ends by itself; the exit code."""
        try:
            code = self.proc.wait(bound)
        except subprocess.TimeoutExpired:
            raise Failure('risad does not end')
        self.proc = None
        return code

    def pids_known(self):
        try:
            return [p['pid'] for p in self.processes()]
        except (Failure, OSError):
            return []

    def restart(self):
        code = self.stop()
        if code != 0:
            raise Failure('exit code %d\n%s' % (code, self.log()))
        return self.start()

    def end(self):
        """For good, whatever its state; the directory goes too."""
        if self.proc is not None and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()        # its children end with their pipes
                self.proc.wait()
        self.proc = None
        if not os.environ.get('RISA_KEEP'):
            shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        try:
            with open(self.path('log'), errors='replace') as f:
                return f.read()
        except OSError:
            return ''

    # risactl

    def ctl(self, *words, **more):
        """Run risactl, or the program given; exit code, output, errors."""
        p = subprocess.run(
            [more.pop('program', RISACTL), '-s', self.path('risad.sock')] +
            list(words), input=more.pop('stdin_text', '').encode(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
            **more)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def do(self, *words):
        """Run risactl where it must succeed; what it printed.  What cannot
        be done now it asks for again, as it is told to."""
        def printed():
            code, out, err = self.ctl(*words)
            if code != 0 and 'try again' not in err:
                raise Failure('risactl %s: %d %s' % (' '.join(words), code,
                                                     err))
            return (out,) if code == 0 else None
        return until(printed, 'risactl %s' % ' '.join(words))[0]

    def json(self, *words):
        return json.loads(self.do('-j', *words))

    def rows(self, *words):
        """The rows of an answer in JSON, whatever the object around them."""
        o = self.json(*words)
        if isinstance(o, dict):
            lists = [v for v in o.values() if isinstance(v, list)]
            o = lists[0] if lists else [o]
        return o

    def processes(self):
        return self.rows('show', 'processes')

    def pids(self, title=None):
        """Pids by slot, as (process, instance)."""
        return {(p['process'], p['number']): p['pid']
                for p in self.processes()
                if title is None or p['process'] == title}

    def stats(self):
        return self.json('show', 'stats')['stats']

    def invite(self, tenant, mail, *words):
        """Add a user; the token of the invitation."""
        out = self.do('user', 'add', tenant, mail, *words)
        return link_token(out)

    def person(self, tenant, mail, role='member', name=None):
        """A new user who has taken the invitation and is signed in."""
        token = self.invite(tenant, mail, 'role', role)
        p = Person(self, tenant, mail)
        p.accept(token, name or mail.split('@')[0])
        return p

    def floor(self, tenant, name, *words):
        """A new floor, of our map unless said otherwise; its number."""
        self.do('floor', 'add', tenant, name,
                *(words or ('map', self.path('map.json'))))
        return [f['id'] for f in self.rows('floor', 'list', tenant)
                if f['name'] == name][0]

    @contextlib.contextmanager
    def only_worker(self, n):
        """While this lasts, connections are taken by session n alone."""
        others = [pid for (_, i), pid in self.pids('session').items()
                  if i != n]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)


def link_token(text):
    m = re.search(r'/invite/([A-Za-z0-9_-]{43})\b', text)
    if m is None:
        raise Failure('no link in %r' % text)
    return m.group(1)


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers          # (name in lower case, value), ...
        self.body = body

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        return json.loads(self.body.decode())

    def problem(self):
        """The word of an RFC 9457 problem, or None."""
        if self.get('content-type') != 'application/problem+json':
            return None
        return self.json()['type'].rsplit('/', 1)[1]

    def __repr__(self):
        return '%d %r' % (self.status, self.body[:300])


def _context(cafile, named, made={}):
    """What trusts this certificate; made once, it takes long."""
    key = cafile, named, os.stat(cafile).st_mtime_ns
    if key not in made:
        ctx = ssl.create_default_context(cafile=cafile)
        ctx.check_hostname = named
        made[key] = ctx
    return made[key]


def proxy_header(source='', command=0x21, family=None, body=None, more=b'',
                 length=None):
    """The header of PROXY protocol v2 as a proxy sends it, or nearly so."""
    if body is None:
        v6 = ':' in source
        kind = socket.AF_INET6 if v6 else socket.AF_INET
        body = b''
        if source:
            family = (0x21 if v6 else 0x11) if family is None else family
            body = (socket.inet_pton(kind, source) +
                    socket.inet_pton(kind, '::1' if v6 else '127.0.0.1') +
                    struct.pack('>HH', 54321, 443))
    body += more
    return (b'\r\n\r\n\0\r\nQUIT\n' + bytes([command, family or 0]) +
            struct.pack('>H', len(body) if length is None else length) + body)


class Http:
    """A connection to the daemon, made when it is first needed.

    With a source of 127.0.0.0/8 it comes from there; of any other one a proxy
    says so."""

    def __init__(self, daemon, tenant='acme', host=None, sni=None, port=None,
                 tls=True, source=None, bound=BOUND):
        self.daemon = daemon
        self.name = host or tenant + '.localhost'
        self.sni = sni or self.name
        self.port = port or daemon.port
        self.tls = tls
        self.source = source
        self.bound = bound
        self.cookie = None
        self.device = None
        self.sock = None
        self.buf = b''

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    @property
    def host(self):
        return '%s:%d' % (self.name, self.daemon.port)

    @property
    def origin(self):
        return 'https://' + self.host

    def dial(self):
        """A socket to there, as it is before TLS."""
        proxied = self.source and not self.source.startswith('127.')
        s = socket.create_connection(
            ('127.0.0.1', self.daemon.proxy if proxied else self.port),
            self.bound, (self.source, 0) if self.source and not proxied
            else None)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if proxied:
            s.sendall(proxy_header(self.source))
        return s

    def connect(self):
        s = self.dial()
        if self.tls:
            ctx = _context(self.daemon.path('tls.crt'),
                           self.sni in self.daemon.names)
            s = ctx.wrap_socket(s, server_hostname=self.sni)
        self.sock = s
        self.buf = b''
        return self

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def send(self, data):
        if self.sock is None:
            self.connect()
        self.sock.sendall(data)

    def fill(self, bound=None):
        """Read what is there, or wait for some."""
        self.sock.settimeout(self.bound if bound is None else bound)
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError,
                ssl.SSLZeroReturnError):
            data = b''
        if data == b'':
            raise Closed()
        self.buf += data

    def take(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def ended(self):
        """Does the server close now, without another byte?"""
        try:
            while not self.buf:
                self.fill()
        except Closed:
            return True
        except TimeoutError:
            return False
        return False

    def reply(self, head=False):
        """Read one answer."""
        while b'\r\n\r\n' not in self.buf:
            self.fill()
        top, self.buf = self.buf.split(b'\r\n\r\n', 1)
        lines = top.decode('ascii').split('\r\n')
        m = re.fullmatch(r'HTTP/1\.1 (\d{3}) .*', lines[0])
        if m is None:
            raise Failure('no status line: %r' % lines[0])
        headers = []
        for line in lines[1:]:
            name, value = line.split(': ', 1)
            headers.append((name.lower(), value))
        r = Reply(int(m.group(1)), headers, b'')
        if not head and r.get('content-length') is not None:
            r.body = self.take(int(r.get('content-length')))
        return r

    def head(self, method, path, body=None, headers=None):
        """The bytes of a request; a header with None is left out."""
        fields = {'Host': self.host}
        cookies = [name + '=' + value for name, value in (
            ('__Host-risa', self.cookie),
            ('__Host-risa-device', self.device)) if value is not None]
        if cookies:
            fields['Cookie'] = '; '.join(cookies)
        if method not in ('GET', 'HEAD'):
            fields['Origin'] = self.origin
            fields['Content-Type'] = 'application/json'
        if body is not None:
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            fields['Content-Length'] = str(len(body))
        fields.update(headers or {})
        text = '%s %s HTTP/1.1\r\n' % (method, path)
        for name, value in fields.items():
            if value is not None:
                text += '%s: %s\r\n' % (name, value)
        return text.encode() + b'\r\n' + (body or b'')

    def request(self, method, path, body=None, headers=None):
        data = self.head(method, path, body, headers)
        fresh = self.sock is None
        try:
            self.send(data)
            r = self.reply(method == 'HEAD')
        except (Closed, BrokenPipeError, ConnectionResetError,
                ssl.SSLError):
            # A connection kept too long may end just then; a new one not.
            self.close()
            if fresh:
                raise
            self.send(data)
            r = self.reply(method == 'HEAD')
        if r.get('connection') == 'close':
            self.close()
        return r

    def raw(self, data):
        """Other bytes on a new connection; the answer."""
        self.close()
        self.send(data)
        return self.reply()


class Ws:
    """A WebSocket over a connection of its own."""

    def __init__(self, http):
        self.http = http
        self.closed = None              # code of the close that came

    def ask(self, headers=None, path='/ws'):
        """The opening handshake; the answer, whatever it is."""
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {'Origin': self.http.origin, 'Upgrade': 'websocket',
                  'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
                  'Sec-WebSocket-Key': key,
                  'Sec-WebSocket-Protocol': 'risa.v1'}
        fields.update(headers or {})
        self.http.close()
        self.http.send(self.http.head('GET', path, None, fields))
        r = self.http.reply()
        if r.status == 101:
            want = base64.b64encode(hashlib.sha1(
                fields['Sec-WebSocket-Key'].encode() + GUID).digest())
            if (r.get('sec-websocket-accept') != want.decode() or
                    r.get('sec-websocket-protocol') != 'risa.v1'):
                raise Failure('bad handshake: %r' % r.headers)
        return r

    @staticmethod
    def frame(op, payload=b'', fin=True, mask=True, rsv=0, length=None):
        """A frame as bytes; length may lie."""
        n = len(payload) if length is None else length
        data = bytes([(0x80 if fin else 0) | rsv << 4 | op])
        bit = 0x80 if mask else 0
        if n < 126:
            data += bytes([bit | n])
        elif n < 65536:
            data += struct.pack('>BH', bit | 126, n)
        else:
            data += struct.pack('>BQ', bit | 127, n)
        if mask:
            key = os.urandom(4)
            data += key
            whole = int.from_bytes(payload, 'little') ^ int.from_bytes(
                (key * (len(payload) // 4 + 1))[:len(payload)], 'little')
            payload = whole.to_bytes(len(payload), 'little')
        return data + payload

    def send(self, op, payload=b'', **more):
        self.http.send(self.frame(op, payload, **more))

    def recv(self, bound=None):
        """The next frame: op and payload.  The server sends whole ones."""
        h = self.http
        end = time.monotonic() + (h.bound if bound is None else bound)

        def need(n):
            while len(h.buf) < n:
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError()
                h.fill(left)
        need(2)
        first, second = h.buf[0], h.buf[1]
        if first & 0x70 or not first & 0x80 or second & 0x80:
            raise Failure('bad frame: %02x %02x' % (first, second))
        n, at = second, 2
        if n == 126:
            need(4)
            n, at = struct.unpack('>H', h.buf[2:4])[0], 4
        elif n == 127:
            need(10)
            n, at = struct.unpack('>Q', h.buf[2:10])[0], 10
        need(at + n)
        payload, h.buf = h.buf[at:at + n], h.buf[at + n:]
        if first & 15 == 8:
            self.closed = struct.unpack('>H', payload[:2])[0]
        return first & 15, payload

    def close_code(self, bound=BOUND):
        """Read on until the server closes; the code of its close, if any."""
        try:
            while True:
                self.recv(bound)
        except Closed:
            return self.closed

    def close(self):
        self.http.close()


class Person:
    """Somebody with an account and a page."""

    def __init__(self, daemon, tenant, mail, password=PASSWORD, source=None):
        self.daemon = daemon
        self.tenant = tenant
        self.mail = mail
        self.password = password
        self.http = Http(daemon, tenant, source=source)
        self.ws = None
        self.inbox = []
        self.avatars = {}               # on the floor, by their number
        self.user = None
        self.you = None
        self.floor = None
        self.hello = None
        self.refs = 0

    # HTTP

    def api(self, method, path, body=None, want=None, headers=None):
        r = self.http.request(method, '/api/v1' + path, body, headers)
        if want is not None and r.status != want:
            raise Failure('%s %s: %r, not %d' % (method, path, r, want))
        return r

    def get(self, path):
        return self.api('GET', path, want=200).json()

    def retry(self, method, path, body=None, want=None):
        """As the page does: an answer that says busy is asked again."""
        def answer():
            r = self.api(method, path, body)
            return r if r.status != 503 and want in (None, r.status) else None
        return until(answer, '%s %s is not busy' % (method, path))

    def _signed_in(self, r):
        cookie = r.get('set-cookie')
        if r.status != 201 or cookie is None:
            raise Failure('not signed in: %r' % r)
        self.http.cookie = cookie.split(';')[0].split('=', 1)[1]
        for other in r.all('set-cookie')[1:]:
            self.http.device = other.split(';')[0].split('=', 1)[1]
        self.user = r.json()['user']
        return self

    @property
    def id(self):
        return self.user['id']

    def accept(self, token, name=None):
        body = {'password': self.password}
        if name is not None:
            body['name'] = name
        return self._signed_in(self.retry('POST', '/invite/' + token, body))

    def sign_in(self):
        self.http.cookie = None
        return self._signed_in(self.retry('POST', '/session', {
            'email': self.mail, 'password': self.password}))

    # WebSocket

    def open(self):
        """Open the page's connection; the hello."""
        self.drop()

        def answer():
            """One that is busy, or has just begun, is asked again."""
            h = Http(self.daemon, self.tenant, source=self.http.source)
            h.cookie = self.http.cookie
            self.ws = Ws(h)
            r = self.ws.ask()
            if r.problem() != 'busy':
                return r
            h.close()
            return None
        r = until(answer, 'it is not busy')
        if r.status != 101:
            raise Failure('no WebSocket: %r' % r)
        self.hello = self.wait('hello')
        return self

    def open_on(self, worker):
        """The same, taken by the session process of that number."""
        with self.daemon.only_worker(worker):
            return self.open()

    def drop(self):
        """The connection is gone, without a word."""
        if self.ws is not None:
            self.ws.close()
        self.ws = None
        self.inbox = []
        self.avatars = {}
        self.you = None

    def tell(self, **o):
        self.ws.send(1, json.dumps(o).encode())

    def _frame(self, op, payload):
        if op == 1:
            m = json.loads(payload.decode())
        elif op == 2:
            m = self._legs(payload)
        elif op == 8:
            m = {'t': '#close', 'code': self.ws.closed}
        elif op == 9:
            self.ws.send(10, payload)
            return
        else:
            return
        if m['t'] == 'floor':
            self.you = m['you']
            self.floor = m['id']
            self.avatars = {p['id']: p for p in m['people']}
        elif m['t'] == 'join':
            self.avatars[m['person']['id']] = m['person']
        elif m['t'] == 'left':
            self.avatars.pop(m['id'], None)
        elif m['t'] == 'place' and self.you in self.avatars:
            self.avatars[self.you].update(x=m['x'], y=m['y'], tx=m['x'],
                                          ty=m['y'])
        elif m['t'] == '#legs':
            for leg in m['legs']:
                self.avatars.setdefault(leg['id'], {}).update(leg)
        self.inbox.append(m)

    @staticmethod
    def _legs(data):
        kind, when, count = struct.unpack_from('<BIH', data)
        if kind != 2 or len(data) != 7 + 12 * count:
            raise Failure('bad binary frame %r' % data)
        legs = []
        for i in range(count):
            v = struct.unpack_from('<HHHHHBB', data, 7 + 12 * i)
            legs.append(dict(zip(('id', 'x', 'y', 'tx', 'ty', 'heading',
                                  'flags'), v), time=when))
        return {'t': '#legs', 'time': when, 'legs': legs}

    def pull(self, bound=0):
        """Take in what has come, after at most this many seconds."""
        try:
            while True:
                self._frame(*self.ws.recv(bound))
                bound = 0
        except TimeoutError:
            pass

    def find(self, t, test=None):
        """The first of these that has come, taken out; or None."""
        for i, m in enumerate(self.inbox):
            if m['t'] == t and (test is None or test(m)):
                return self.inbox.pop(i)
        return None

    def wait(self, t, test=None, bound=BOUND):
        """Wait for a message of this type (and this kind)."""
        end = time.monotonic() + bound
        while True:
            m = self.find(t, test)
            if m is not None:
                return m
            left = end - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError()
                self._frame(*self.ws.recv(left))
            except TimeoutError:
                raise Failure('%s has not got %s; got %r' % (
                    self.mail, t, [m for m in self.inbox
                                   if m['t'] != '#legs'][-8:]))
            except Closed:
                m = self.find(t, test)
                if m is not None:
                    return m
                raise Failure('%s: closed (%r) while waiting for %s; %r' % (
                    self.mail, self.ws.closed, t, self.inbox[-5:]))

    def settle(self):
        """All that this connection was sent before now has been read."""
        self.tell(t='#none')
        self.wait('error', lambda m: m['code'] == 'type')

    def bye(self, reason, code, bound=BOUND):
        """The server says good-bye and closes."""
        self.wait('bye', lambda m: m['reason'] == reason, bound)
        self.wait('#close', lambda m: m['code'] == code)
        if not self.ws.http.ended():
            raise Failure('%s: not closed' % self.mail)
        self.ws.close()
        self.ws = None

    # Being somewhere

    def enter(self, floor):
        self.tell(t='enter', floor=floor)
        return self.wait('floor', lambda m: m['id'] == floor)

    @property
    def me(self):
        return self.avatars[self.you]

    @property
    def spot(self):
        return (self.me['x'], self.me['y'])

    def leg(self, x, y, then=False, heading=0):
        """Say that one walks straight to x,y."""
        self.ws.send(2, struct.pack('<BHHBB', 1, x, y, heading,
                                    1 if then else 0))

    def at(self, avatar, x, y, near=3):
        """Is the avatar known to walk, or to stand, there?"""
        a = self.avatars.get(avatar)
        return a is not None and abs(a.get('tx', a['x']) - x) <= near and \
            abs(a.get('ty', a['y']) - y) <= near

    def sees(self, fn, what, bound=BOUND):
        """Take in messages until fn() holds."""
        end = time.monotonic() + bound
        while not fn():
            left = end - time.monotonic()
            if left <= 0:
                raise Failure('%s does not see: %s; got %r; avatars %r' % (
                    self.mail, what, [m for m in self.inbox if m['t'] not in
                                      ('#legs', 'join', 'update')][-5:],
                    [(a.get('user'), a['x'], a['y'], a.get('tx'), a.get('ty'))
                     for a in self.avatars.values()]))
            self.pull(min(left, 0.5))

    def walk(self, *path, room=None):
        """Walk along the points and arrive; room: and be in it then."""
        for i, (x, y) in enumerate(path):
            self.leg(x, y, then=i > 0)
        x, y = path[-1]
        way = 0
        px, py = self.spot
        for qx, qy in path:
            way += ((qx - px) ** 2 + (qy - py) ** 2) ** 0.5
            px, py = qx, qy
        # A leg to the same point is told when it begins: on arrival.
        self.leg(x, y, then=True)
        self.sees(lambda: self.at(self.you, x, y) and abs(self.me['x'] - x) <
                  4 and abs(self.me['y'] - y) < 4, 'the end of the walk',
                  BOUND + way / WALK)
        if room is not None:
            self.wait('update', lambda m: m['user'] == self.id and
                      m['room'] == room, BOUND + way / WALK)

    # Talking

    def ref(self):
        self.refs += 1
        return 'r%d-%d-%d' % (self.id, os.getpid(), self.refs)

    def say(self, text, to='floor', ref=None):
        """Say it and wait for the acknowledgement."""
        ref = ref or self.ref()
        self.tell(t='say', to=to, text=text, ref=ref)
        return self.wait('ack', lambda m: m['ref'] == ref)

    def insist(self, want, **o):
        """Send it again after each error, as the page does; the answer."""
        def answer():
            self.inbox = [m for m in self.inbox if m['t'] != 'error']
            self.tell(**o)
            self.sees(lambda: any(m['t'] in (want, 'error')
                                  for m in self.inbox), want)
            m = self.find(want)
            if m is None:
                self.pull(0.1)
            return m
        return until(answer, '%s: %s' % (self.mail, want))

    def hears(self, text, channel=None):
        return self.wait('msg', lambda m: m['text'] == text and
                         (channel is None or m['channel'] == channel))

    def error(self, code, **more):
        return self.wait('error', lambda m: m['code'] == code and
                         all(m.get(k) == v for k, v in more.items()))

    def history(self, channel, **more):
        ref = self.ref()
        self.tell(t='history', channel=channel, ref=ref, **more)
        return self.wait('history', lambda m: m.get('ref') == ref)

    def close(self):
        self.drop()
        self.http.close()
