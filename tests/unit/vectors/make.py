#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the vector files beside this one, for clavigerctl selftest.

Everything is computed here by other means than the program's: AES and GCM by
the words of FIPS 197 and NIST SP 800-38D, the rest by Python's hmac. Inputs are
hashes of their names, so that a run gives the same files; the known values of
RFC 4231 and RFC 6238 stand among them. Run it in this folder.
"""

import base64
import hashlib
import hmac
import json
import struct


def filled(name, size):
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{name} {len(out)}".encode()).digest()
    return out[:size]


# AES-256 (FIPS 197)


def times_two(byte):
    return (byte << 1 ^ (0x11B if byte & 0x80 else 0)) & 0xFF


def times(a, b):
    out = 0
    while b:
        out ^= a if b & 1 else 0
        a, b = times_two(a), b >> 1
    return out


def make_box():
    box = []
    for byte in range(256):
        inverse = next((i for i in range(256) if times(byte, i) == 1), 0)
        out = 0x63
        for turn in range(5):
            out ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        box.append(out)
    return box


BOX = make_box()


def expand(key):
    words = [key[i : i + 4] for i in range(0, len(key), 4)]
    size, constant = len(words), 1
    while len(words) < 4 * (size + 7):
        word = list(words[-1])
        if len(words) % size == 0:
            word = [BOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = times_two(constant)
        elif size > 6 and len(words) % size == 4:
            word = [BOX[b] for b in word]
        words.append(bytes(a ^ b for a, b in zip(words[-size], word)))
    return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]


def mix(column):
    return [
        times(column[i], 2) ^ times(column[(i + 1) % 4], 3)
        ^ column[(i + 2) % 4] ^ column[(i + 3) % 4]
        for i in range(4)
    ]


def encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < len(keys) - 1:
            state = [b for i in range(0, 16, 4) for b in mix(state[i : i + 4])]
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


# GCM (NIST SP 800-38D)


def multiply(a, b):
    out = 0
    for i in range(127, -1, -1):
        if a >> i & 1:
            out ^= b
        b = b >> 1 ^ (0xE1 << 120 if b & 1 else 0)
    return out


def ghash(key, *parts):
    out = 0
    for part in parts:
        for i in range(0, len(part), 16):
            block = part[i : i + 16].ljust(16, b"\0")
            out = multiply(out ^ int.from_bytes(block, "big"), key)
    return out


def lengths(a, b):
    return struct.pack(">QQ", 8 * len(a), 8 * len(b))


def counted(block, step):
    number = (int.from_bytes(block[12:], "big") + step) % 2**32
    return block[:12] + number.to_bytes(4, "big")


def gcm(key, iv, aad, plain):
    keys = expand(key)
    hash_key = int.from_bytes(encrypt_block(keys, bytes(16)), "big")
    if len(iv) == 12:
        first = iv + b"\0\0\0\1"
    else:
        first = ghash(hash_key, iv, lengths(b"", iv)).to_bytes(16, "big")
    stream = b"".join(
        encrypt_block(keys, counted(first, i + 1))
        for i in range((len(plain) + 15) // 16)
    )
    sealed = bytes(a ^ b for a, b in zip(plain, stream))
    tag = ghash(hash_key, aad, sealed, lengths(aad, sealed))
    mask = int.from_bytes(encrypt_block(keys, first), "big")
    return sealed, (tag ^ mask).to_bytes(16, "big")


# The files


class Group(dict):
    """A group of tests, numbered through the whole file."""

    count = 0

    def add(self, comment, result="valid", **fields):
        Group.count += 1
        self.setdefault("tests", []).append(
            {"tcId": Group.count, "comment": comment, **fields, "result": result}
        )
        return self


def write(name, groups, **head):
    count = sum(len(group["tests"]) for group in groups)
    frame = {**head, "numberOfTests": count, "testGroups": groups}
    with open(name, "w", encoding="ascii") as file:
        json.dump(frame, file, indent=1)
        file.write("\n")
    Group.count = 0


def flipped(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def hexed(**values):
    return {name: value.hex() for name, value in values.items()}


def aead_group(iv_size, key_size=256, tag_size=128):
    return Group(ivSize=iv_size, keySize=key_size, tagSize=tag_size, type="AeadTest")


def add_sealed(group, name, sizes):
    iv_size, aad_size, size = sizes
    key, iv = filled(name + " key", group["keySize"] // 8), filled(name + " iv", iv_size)
    aad, msg = filled(name + " aad", aad_size), filled(name + " msg", size)
    ct, tag = gcm(key, iv, aad, msg)
    group.add(name, **hexed(key=key, iv=iv, aad=aad, msg=msg, ct=ct, tag=tag[: group["tagSize"] // 8]))
    return group["tests"][-1]


def change(group, test, **fields):
    bad = {**test, **fields, "result": "invalid"}
    for name in ("tcId", "comment", "result"):
        bad.pop(name)
    group.add(f"{test['comment']}, changed", "invalid", **bad)


def change_bits(group, test):
    for name in ("tag", "ct", "iv", "aad", "key"):
        data = bytes.fromhex(test[name])
        for bit in (0, 8 * len(data) - 1):
            change(group, test, **{name: flipped(data, bit).hex()})
    change(group, test, tag="00" * 16)
    change(group, test, ct=test["ct"] + "00")
    change(group, test, ct=test["ct"][:-2])


def make_gcm():
    short = aead_group(96)
    zero = hexed(key=bytes(32), iv=bytes(12), aad=b"", msg=b"")
    short.add("known: all zero and empty", ct="", tag="530f8afbc74536b9a963b4f1c4cb738b", **zero)
    zero["msg"] = "00" * 16
    short.add("known: one zero block", ct="cea7403d4d606b6e074ec5d3baf39d18",
              tag="d0d1c8a799996bf0265b98b5d48ab919", **zero)
    for test in short["tests"]:
        made = gcm(bytes(32), bytes(12), b"", bytes.fromhex(test["msg"]))
        assert [part.hex() for part in made] == [test["ct"], test["tag"]]
    for size in (1, 15, 16, 17, 33, 256):
        add_sealed(short, f"{size} bytes", (12, size // 2, size))
    change_bits(short, add_sealed(short, "all sizes odd", (12, 5, 37)))
    ours = aead_group(128)
    for size in (0, 32, 100):
        add_sealed(ours, f"the program's IV, {size} bytes", (16, 1 + size, size))
    change_bits(ours, add_sealed(ours, "the program's IV", (16, 20, 32)))
    groups = [short, ours]
    for size in (1, 8, 64, 128):
        groups.append(aead_group(8 * size))
        add_sealed(groups[-1], f"an IV of {size} bytes", (size, 3, 20))
    groups.append(aead_group(0).add(
        "no IV at all", "invalid", **hexed(key=filled("k", 32), iv=b"", aad=b"", msg=b"x", ct=b"y", tag=bytes(16))))
    for group, sizes in ((aead_group(2056), (257, 0, 16)), (aead_group(96, 128), (12, 0, 16)),
                         (aead_group(96, 256, 96), (12, 0, 16))):
        add_sealed(group, "not for this program", sizes)
        groups.append(group)
    write("aes_gcm.json", groups, algorithm="AES-GCM")


RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
]


def mac_group(key_size, tag_size=256):
    return Group(keySize=key_size, tagSize=tag_size, type="MacTest")


def make_hmac():
    groups = []
    for number, (key, msg, tag) in enumerate(RFC_4231, 1):
        assert hmac.new(key, msg, "sha256").hexdigest() == tag
        groups.append(mac_group(8 * len(key)).add(f"RFC 4231, case {number}", tag=tag, **hexed(key=key, msg=msg)))
    group = mac_group(256)
    for size in (0, 1, 55, 56, 63, 64, 65, 300):
        key, msg = filled(f"{size} key", 32), filled(f"{size} msg", size)
        tag = hmac.digest(key, msg, "sha256")
        group.add(f"{size} bytes", **hexed(key=key, msg=msg, tag=tag))
        for bit in (0, 128, 255):
            group.add(f"{size} bytes, bit {bit} changed", "invalid", **hexed(key=key, msg=msg, tag=flipped(tag, bit)))
    groups.append(group)
    short = filled("short", 32)
    groups.append(mac_group(256, 128).add(
        "not for this program: a cut tag", **hexed(key=short, msg=b"x", tag=hmac.digest(short, b"x", "sha256")[:16])))
    groups.append(mac_group(0).add(
        "not for this program: no key", **hexed(key=b"", msg=b"x", tag=hmac.digest(b"", b"x", "sha256"))))
    write("hmac_sha256.json", groups, algorithm="HMACSHA256")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key, header, payload):
    text = b64(header) + "." + b64(payload)
    return text + "." + b64(hmac.digest(key, text.encode(), "sha256"))


GOOD_HEADERS = [
    b'{"alg":"HS256"}',
    b'{"alg":"HS256","kid":"key"}',
    b' { "typ" : "JWT", "alg" : "HS256" } ',
    b'{"\\u0061lg":"HS25\\u0036"}',
    b'{"alg":"HS256","jku":"https://127.0.0.1/","x5u":"x","jwk":{"kty":"oct","k":"AAAA"}}',
]
BAD_HEADERS = [
    b"{}",
    b"[]",
    b"",
    b'{"alg":"none"}',
    b'{"alg":"hs256"}',
    b'{"alg":"HS256 "}',
    b'{"alg":"HS512"}',
    b'{"alg":["HS256"]}',
    b'{"alg":"HS256","alg":"HS256"}',
    b'{"alg":"HS256\\u0000"}',
    b'{"alg":"HS256","crit":["exp"]}',
    b'{"alg":"HS256","b64":false,"crit":["b64"]}',
    b'{"alg":"HS256"}x',
    b'\xef\xbb\xbf{"alg":"HS256"}',
    b'{"alg":"HS256","x":"\xff"}',
]


def add_spellings(group, jws):
    header, payload, signature = jws.split(".")
    last = signature[:-1] + chr(ord(signature[-1]) + 1)  # the unused bits
    for name, text in {
        "empty": "", "two segments": header + "." + payload, "four segments": jws + ".", "no signature": jws[: -len(signature)],
        "no payload": f"{header}..{signature}", "no header": f".{payload}.{signature}", "padded": jws + "=",
        "space behind": jws + " ", "line end": jws + "\n", "not canonical": f"{header}.{payload}.{last}",
        "another alphabet": f"{header}.{payload}+.{signature}", "cut signature": jws[:-1],
        "changed payload": f"{header}.{b64(b'other')}.{signature}", "changed header": f"{b64(GOOD_HEADERS[1])}.{payload}.{signature}",
        "JSON form": json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}),
    }.items():
        group.add(name, "invalid", jws=text)


def make_jws():
    key = filled("jws", 32)
    jwk = {"kty": "oct", "alg": "HS256", "use": "sig", "kid": "key", "k": b64(key)}
    group = Group(type="JsonWebSignature", private=jwk)
    for header in GOOD_HEADERS:
        group.add("good header", jws=signed(key, header, b"foo"))
    for payload in (b"", b"\0\xff", filled("payload", 3000)):
        group.add("good payload", jws=signed(key, GOOD_HEADERS[0], payload))
    for header in BAD_HEADERS:
        group.add("bad header", "invalid", jws=signed(key, header, b"foo"))
    group.add("too long", "invalid", jws=signed(key, GOOD_HEADERS[0], filled("payload", 7000)))
    group.add("another key", "invalid", jws=signed(filled("other", 32), GOOD_HEADERS[0], b"foo"))
    add_spellings(group, signed(key, GOOD_HEADERS[0], b"foo"))
    other = Group(type="JsonWebSignature", private={**jwk, "alg": "HS512"})
    text = b64(b'{"alg":"HS512"}') + ".Zm9v"
    other.add("not for this program", jws=text + "." + b64(hmac.digest(key, text.encode(), "sha512")))
    rsa = Group(type="JsonWebSignature", private={"kty": "RSA", "alg": "RS256"})
    rsa.add("not for this program", jws=b64(b'{"alg":"RS256"}') + ".Zm9v.AAAA")
    write("json_web_signature.json", [group, other, rsa], schema="json_web_signature_schema.json")


def code(key, at, digits):
    mac = hmac.digest(key, struct.pack(">Q", at // 30), "sha1")
    offset = mac[19] & 15
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


RFC_6238 = {59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
            1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"}


def totp_group(key, digits=6, step=30):
    return Group(key=key.hex(), digits=digits, step=step)


def make_totp():
    key = b"12345678901234567890"
    known, long = totp_group(key), totp_group(key, 8)
    for at, wanted in RFC_6238.items():
        assert code(key, at, 8) == wanted
        known.add("RFC 6238, its last six digits", time=at, otp=wanted[2:])
        known.add("eight digits", "invalid", time=at, otp=wanted)
        known.add("seven digits", "invalid", time=at, otp=wanted[1:])
        long.add("not for this program: eight digits", time=at, otp=wanted)
    own = totp_group(filled("totp", 20))
    for at in (0, 29, 30, 1768473000, 1768473029):
        own.add("a step's first and last second", time=at, otp=code(filled("totp", 20), at, 6))
        own.add("the step before", "invalid", time=at + 30, otp=code(filled("totp", 20), at, 6))
    for text in ("", "00000", "-12345", "+12345", " 12345", "12345 ", "1234567", "12345\0", "12a456", "\uff11\uff12"):
        own.add("no six digits", "invalid", time=0, otp=text)
    minute = totp_group(key, 6, 60).add("not for this program: a minute", time=0, otp=code(key, 0, 6))
    write("totp.json", [known, long, own, minute], algorithm="TOTP")


if __name__ == "__main__":
    make_gcm()
    make_hmac()
    make_jws()
    make_totp()
