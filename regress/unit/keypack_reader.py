#!/usr/bin/env python3
"""A second reader of key backups, after the comment in keypack.h alone.

Reads the file, in hex, that "test_keypack -v" prints from standard input and
tells whether it is what the test has put there.  With "vector" it prints the
fixed file that test_keypack.c opens.
"""
import ctypes
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEAD = struct.Struct('>8sBII16s12sI')
PASS = 'a passphrase of 緑'.encode()
ENTRIES = [(1, 0, b'', bytes(range(32))), (2, 0, b'', b'p' * 32),
           (3, 0, b'', b's' * 32), (4, 0, b'', b'i' * 65),
           (4, 7, b'acme', b'a' * 130)]
WHEN, NUMBER = 1795978635742, 9


def stretch(word, salt, kib, passes):
    lib = ctypes.CDLL('libargon2.so.1')
    out = ctypes.create_string_buffer(32)
    if lib.argon2id_hash_raw(
            ctypes.c_uint32(passes), ctypes.c_uint32(kib), ctypes.c_uint32(1),
            word, ctypes.c_size_t(len(word)), salt,
            ctypes.c_size_t(len(salt)), out, ctypes.c_size_t(32)) != 0:
        raise ValueError('Argon2id')
    return out.raw


def read(data, word):
    """When it was made, its number, and the entries."""
    magic, form, kib, passes, salt, nonce, length = HEAD.unpack_from(data)
    if (magic, form) != (b'RISADKEY', 1):
        raise ValueError('no key backup')
    if len(data) != HEAD.size + length + 16:
        raise ValueError('not whole')
    text = AESGCM(stretch(word, salt, kib, passes)).decrypt(
        nonce, data[HEAD.size:], data[:HEAD.size])
    when, number, count = struct.unpack_from('>QII', text)
    text = text[16:]
    entries = []
    for _ in range(count):
        kind, tenant, n = struct.unpack_from('>BIB', text)
        name, text = text[6:6 + n], text[6 + n:]
        n, = struct.unpack_from('>H', text)
        entries.append((kind, tenant, name, text[2:2 + n]))
        text = text[2 + n:]
    if text:
        raise ValueError('more than was said')
    return when, number, entries


def vector():
    text = struct.pack('>QII', WHEN, NUMBER, len(ENTRIES))
    for kind, tenant, name, key in ENTRIES:
        text += struct.pack('>BIB', kind, tenant, len(name)) + name
        text += struct.pack('>H', len(key)) + key
    salt, nonce = bytes(range(16)), bytes(range(12))
    head = HEAD.pack(b'RISADKEY', 1, 64, 2, salt, nonce, len(text))
    return head + AESGCM(stretch(PASS, salt, 64, 2)).encrypt(
        nonce, text, head)


def main():
    if sys.argv[1:] == ['vector']:
        print(vector().hex())
        return 0
    ok = read(bytes.fromhex(sys.stdin.read()), PASS) == (
        WHEN, NUMBER, ENTRIES)
    print('%d passed, %d failed' % (ok, not ok))
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())
