"""An authenticator in software: makes passkeys and signs with them.

It does what it is told, also what no honest one would."""

import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def cbor(o):
    """The canonical form of CTAP2, as far as we need it."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 256:
            return bytes([major << 5 | 24, n])
        return bytes([major << 5 | 25]) + struct.pack('>H', n)
    if isinstance(o, int):
        return head(0, o) if o >= 0 else head(1, -1 - o)
    if isinstance(o, bytes):
        return head(2, len(o)) + o
    if isinstance(o, str):
        return head(3, len(o.encode())) + o.encode()
    return head(5, len(o)) + b''.join(
        cbor(k) + cbor(v) for k, v in o.items())


class Authenticator:
    """One device with one passkey, for ES256."""

    def __init__(self, origin, counts=True):
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.count = 0
        self.counts = counts
        self.handle = None
        self.rp = None

    def _client(self, kind, challenge):
        return json.dumps({'type': kind, 'challenge': challenge,
                           'origin': self.origin,
                           'crossOrigin': False}).encode()

    def _data(self, flags):
        if self.counts:
            self.count += 1
        return (hashlib.sha256(self.rp.encode()).digest() +
                struct.pack('>BI', flags, self.count))

    def _cose(self):
        n = self.key.public_key().public_numbers()
        return cbor({1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, 'big'),
                     -3: n.y.to_bytes(32, 'big')})

    def make(self, options, flags=UP | UV):
        """The member "passkey" of a registration."""
        o = options['publicKey']
        self.rp = o['rp']['id']
        self.handle = unb64(o['user']['id'])
        data = (self._data(flags | AT) + bytes(16) +
                struct.pack('>H', len(self.id)) + self.id + self._cose())
        return {'challenge': o['challenge'],
                'clientDataJSON': b64(self._client('webauthn.create',
                                                   o['challenge'])),
                'attestationObject': b64(cbor({
                    'fmt': 'none', 'attStmt': {}, 'authData': data}))}

    def get(self, options, flags=UP | UV, handle=True):
        """The member "passkey" of a sign-in."""
        o = options['publicKey']
        client = self._client('webauthn.get', o['challenge'])
        data = self._data(flags)
        sig = self.key.sign(data + hashlib.sha256(client).digest(),
                            ec.ECDSA(hashes.SHA256()))
        out = {'challenge': o['challenge'], 'id': b64(self.id),
               'clientDataJSON': b64(client), 'authenticatorData': b64(data),
               'signature': b64(sig)}
        if handle:
            out['userHandle'] = b64(self.handle)
        return out
