#!/usr/bin/env python3
"""A second reader of sealed records, after the comment in seal.h alone.

Reads the vectors that "test_seal -v" prints from standard input and opens
each; then checks that changed ones do not open.  With "vector" it prints the
fixed record that test_seal.c opens.
"""
import hashlib
import hmac
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

passed = failed = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print("seal_reader.py: " + what, file=sys.stderr)


def hkdf(key, info):
    return HKDF(SHA256(), 32, None, info).derive(key)


def name(s):
    return struct.pack(">B", len(s)) + s.encode()


def bound(v, generation, month):
    return (struct.pack(">II", generation, month) + name(v["table"]) +
            name(v["column"]) +
            struct.pack(">QQ", int(v["row"]), int(v["version"])) + v["bind"])


def open_record(v, key):
    rec = v["record"]
    form, generation, month = struct.unpack(">BII", rec[:9])
    if form != 1:
        raise InvalidTag
    k = hkdf(key, b"risad seal" + name(v["table"]) +
             struct.pack(">I", month))
    return AESGCM(k).decrypt(rec[9:21], rec[21:],
                             bound(v, generation, month))


def unwrap(v):
    rec = v["record"]
    form, generation = struct.unpack(">BI", rec[:5])
    if form != 1:
        raise InvalidTag
    k = hkdf(v["key"], b"risad wrap")
    return AESGCM(k).decrypt(rec[5:17], rec[17:], struct.pack(
        ">II", int(v["tenant"]), generation))


def read(v):
    if v["kind"] == "record":
        return open_record(v, v["key"])
    if v["kind"] == "system":
        return open_record(v, hkdf(v["key"], b"risad system"))
    return unwrap(v)


def opens(v):
    try:
        return read(v) == v["text"]
    except InvalidTag:
        return False


def parse(line):
    words = line.split()
    v = {"kind": words[0]}
    for w in words[1:]:
        k, s = w.split("=", 1)
        raw = k in ("key", "bind", "text", "record")
        v[k] = bytes.fromhex(s) if raw else s
    return v


def vector():
    v = {"table": "messages", "column": "text", "row": 91, "version": 2,
         "bind": b"\1\2"}
    key = b"0123456789abcdef0123456789abcde\0"
    k = hkdf(key, b"risad seal" + name("messages") +
             struct.pack(">I", 202611))
    nonce = bytes(range(12))
    rec = struct.pack(">BII", 1, 1, 202611) + nonce
    rec += AESGCM(k).encrypt(nonce, b"old record", bound(v, 1, 202611))
    print(rec.hex())


def main():
    if sys.argv[1:] == ["vector"]:
        vector()
        return 0
    n = 0
    for line in sys.stdin:
        v = parse(line)
        n += 1
        if v["kind"] == "index":
            k = hkdf(v["key"], b"risad index" + name(v["what"]))
            mac = hmac.new(k, v["text"], hashlib.sha256).digest()
            check(mac == v["record"], "index differs")
            continue
        check(opens(v), "does not open: " + line[:60])
        for i in range(len(v["record"])):
            bad = dict(v)
            bad["record"] = (v["record"][:i] +
                             bytes([v["record"][i] ^ 0x40]) +
                             v["record"][i + 1:])
            check(not opens(bad), "opens with byte %d changed" % i)
    check(n == 6, "expected 6 vectors, got %d" % n)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
