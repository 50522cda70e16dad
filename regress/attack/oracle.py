#!/usr/bin/env python3
"""The keys process, asked for signatures by a session that is not itself: it
signs what TLS needs its key for, in their only shapes, and nothing else."""

import collections
import hashlib
import os
import random
import struct
import sys
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from alone import Alone                                         # noqa: E402
from forged import TYPES, imsg                                  # noqa: E402
from lib import LONG, Suite, check, equal                       # noqa: E402
from risa import Daemon, Failure                                # noqa: E402

ASKED = 1000000 if LONG else 20000      # of both keys together
RATE = 4000             # a second, of one session; see keys.c
PKCS1, NONE = 1, 3      # RSA_PKCS1_PADDING, RSA_NO_PADDING
DIGESTS = (hashlib.sha256, hashlib.sha384, hashlib.sha512)
HASHES = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}
# RFC 8017, 9.2: what stands before each digest.
HEADS = {32: bytes.fromhex('3031300d060960864801650304020105000420'),
         48: bytes.fromhex('3041300d060960864801650304020205000430'),
         64: bytes.fromhex('3051300d060960864801650304020305000440')}


def mgf1(seed, n, h):
    out = b''
    for i in range(n // h().digest_size + 1):
        out += h(seed + struct.pack('>I', i)).digest()
    return out[:n]


def pss(bits, h, digest, salt):
    """RFC 8017, 9.1.1, over a digest."""
    n = (bits - 1 + 7) // 8
    mac = h(bytes(8) + digest + salt).digest()
    db = bytes(n - len(salt) - len(mac) - 2) + b'\1' + salt
    masked = bytearray(a ^ b for a, b in zip(db, mgf1(mac, len(db), h)))
    masked[0] &= 0xff >> (8 * n - (bits - 1))
    return bytes(masked) + mac + b'\xbc'


def is_pss(block, bits, h):
    """9.1.2 without the message: a salt as long as the digest, or not."""
    n, k = (bits - 1 + 7) // 8, h().digest_size
    if len(block) != n or block[-1] != 0xbc or n < 2 * k + 2 or \
            block[0] >> (8 - (8 * n - (bits - 1))):
        return False
    masked, mac = block[:n - k - 1], block[n - k - 1:-1]
    db = bytearray(a ^ b for a, b in zip(masked, mgf1(mac, len(masked), h)))
    db[0] &= 0xff >> (8 * n - (bits - 1))
    return db[:-k] == bytes(len(db) - k - 1) + b'\1'


class Key:
    def __init__(self, kind):
        self.home = Daemon()
        if kind == 'rsa':
            for name in ('tls.crt', 'keys/tls.key'):
                os.unlink(self.home.path(name))
            self.home.make_cert('tls', 'rsa')
        with open(self.home.path('tls.crt'), 'rb') as f:
            pub = x509.load_pem_x509_certificate(f.read()).public_key()
        self.pub, self.ec = pub, kind == 'ec'
        self.name = hashlib.sha256(pub.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)).digest()
        self.bits = pub.key_size
        self.a = Alone(self.home, 'keys')
        self.a.join_all()
        self.a.configure()
        self.a.turn()

    def may(self, name, is_ec, padding, data):
        """By the rules, not by the program."""
        if name != self.name or is_ec != self.ec:
            return False
        if self.ec:
            return len(data) in HEADS
        if padding == PKCS1:
            return any(data[:19] == head and len(data) == 19 + k
                       for k, head in HEADS.items())
        return padding == NONE and any(is_pss(data, self.bits, h)
                                       for h in DIGESTS)

    def verify(self, data, sig):
        if self.ec:
            check(len(sig) <= 72, 'a signature of %d bytes' % len(sig))
            self.pub.verify(sig, data, ec.ECDSA(utils.Prehashed(
                HASHES[len(data)])))
            return
        size = self.bits // 8
        equal(len(sig), size, 'the length of the signature')
        n = self.pub.public_numbers()
        block = pow(int.from_bytes(sig, 'big'), n.e, n.n).to_bytes(size,
                                                                   'big')
        if len(data) != size:
            data = b'\0\1' + b'\xff' * (size - 3 - len(data)) + b'\0' + data
        equal(block, data, 'what was signed')

    def draw(self, rnd):
        """name, is it said to be EC, padding, data"""
        name, is_ec = self.name, self.ec
        h = rnd.choice(DIGESTS)
        digest = h(rnd.randbytes(8)).digest()
        padding = rnd.choice((PKCS1, NONE))
        if is_ec:
            data = digest
        elif padding == PKCS1:
            data = HEADS[len(digest)] + digest
        else:
            data = pss(self.bits, h, digest, rnd.randbytes(len(digest)))
        how = rnd.randrange(16)
        if how == 0:
            name = rnd.choice((bytes(32), rnd.randbytes(32), name[::-1]))
        elif how == 1:
            is_ec = not is_ec
        elif how == 2:
            padding = rnd.choice((0, 2, 4, 5, 6, rnd.getrandbits(32)))
        elif how == 3:
            data = rnd.randbytes(rnd.choice((0, 1, 16, 20, 28, 31, 33, 47, 65,
                                             255, 257, 1024)))
        elif how == 4:
            data = rnd.randbytes(self.bits // 8)
        elif how == 5:
            data = data[:-1]
        elif how == 6:
            data += b'\0'
        elif how == 7 and not is_ec:
            data = bytearray(data)
            data[rnd.randrange(min(len(data), 19))] ^= 1 << rnd.randrange(8)
            data = bytes(data)
        elif how == 8 and not is_ec:
            n = rnd.choice((0, 20, len(digest) - 1, len(digest) + 1))
            data = pss(self.bits, h, digest, rnd.randbytes(n))
            padding = NONE
        elif how == 9 and not is_ec:    # a block for PKCS1, made by hand
            data = HEADS[len(digest)] + digest
            data = b'\0\1' + b'\xff' * (self.bits // 8 - 3 - len(data)) + \
                b'\0' + data
            padding = NONE
        elif how == 10:
            data = hashlib.md5(data).digest() + hashlib.sha1(data).digest()
        return name, is_ec, padding, data

    def request(self, name, is_ec, padding, data):
        return name + struct.pack('>BII', is_ec, padding, len(data)) + data

    def answers(self, to, n):
        """The n next SIGNED to a session, by their numbers."""
        found = {}
        end = time.monotonic() + 60
        while len(found) < n:
            self.a.pull(0.1)
            for s in self.a.told:
                if s.to == to and s.name == 'SIGNED':
                    found[s.ident] = s.body
            self.a.told = []
            if self.a.gone():
                raise Failure('keys has died\n' + self.a.log()[-900:])
            check(time.monotonic() < end, 'keys answers')
        return found


COUNT = collections.Counter()


def judged(key, total):
    rnd = random.Random(11)
    begin, done = time.monotonic(), 0
    while done < total:
        to = ('session', done // 100 % 2)
        asked = {i + 1: key.draw(rnd) for i in range(100)}
        key.a.raw(to, b''.join(imsg(TYPES['SIGN'].nr, i, key.request(*r))
                               for i, r in asked.items()))
        got = key.answers(to, 100)
        for i, r in asked.items():
            ok, n = struct.unpack_from('>BI', got[i])
            sig = got[i][5:]
            equal(len(sig), n, 'length')
            equal(bool(ok), key.may(*r), 'signed: %r' % (r[1:],))
            if not ok:
                equal(n, 0, 'bytes of a refusal')
                COUNT['refused'] += 1
                continue
            COUNT['signed'] += 1
            try:
                key.verify(r[3], sig)
            except InvalidSignature:
                raise Failure('it has signed something else')
        done += 100
        # Not faster than a session may.
        ahead = done / RATE - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)


def elliptic(keys):
    """of requests at random exactly those by the rules are signed"""
    judged(keys['ec'], ASKED * 3 // 4)


def rsa(keys):
    """and with an RSA key; no block is signed that is not PSS or PKCS1"""
    judged(keys['rsa'], ASKED // 4)


def rate(keys):
    """a flood is stopped and told of, another session is signed for"""
    key = keys['ec']
    good = key.request(key.name, True, 0, hashlib.sha256(b'x').digest())
    bad = key.request(key.name, True, 0, b'')
    one, other = ('session', 1), ('session', 0)
    # Whatever is asked counts; until then it is refused for what it is.
    for _ in range(5):
        # All at once, and what is good behind it: no machine is too slow.
        key.a.raw(one, b''.join(imsg(TYPES['SIGN'].nr, i, bad)
                                for i in range(2, 5 * RATE)) +
                  imsg(TYPES['SIGN'].nr, 1, good))
        COUNT['flood'] += 5 * RATE
        key.a.say('SIGN', good, other, 1)
        got = key.answers(one, 5 * RATE - 1)
        stopped = not got.pop(1)[0]
        equal(sum(b[0] for b in got.values()), 0, 'signed')
        key.a.say('SIGN', good, other, 2)
        equal(key.answers(other, 1)[2][0], 1, 'the other session')
        if stopped:
            break
    check(stopped, 'a session that floods is signed for')
    check('session 1 asks for more than %d signatures' % RATE in
          key.a.log(), 'the log does not say so')


def tickets(keys):
    """the key for tickets is another one when a session is new"""
    a = keys['ec'].a
    seen = []
    for _ in range(3):
        a.say('TICKET', b'', ('session', 0), 1)
        a.say('TICKET', b'', ('session', 1), 1)
        one, other = (a.wait('TICKET_KEY', ('session', i)).body
                      for i in (0, 1))
        equal(one, other, 'what two sessions are told')
        check(one not in seen, 'a new session is told the old key')
        seen.append(one)
        a.join(('session', 1))
        a.turn()


def main():
    keys = {kind: Key(kind) for kind in ('ec', 'rsa')}
    s = Suite()
    for fn in (elliptic, rsa, rate, tickets):
        def one(fn=fn):
            fn(keys)
        one.__doc__ = fn.__doc__
        one.__name__ = fn.__name__
        s.run_test(one)
    for kind, key in keys.items():
        code = key.a.stop()
        if code != 0:
            print('FAIL keys with %s ends with %d' % (kind, code))
            s.failed += 1
    print('%d requests: %d signed, all by the rules, %d refused; a flood of '
          '%d stopped' % (COUNT['signed'] + COUNT['refused'], COUNT['signed'],
                          COUNT['refused'], COUNT['flood']))
    s.end()


if __name__ == '__main__':
    main()
