# SPDX-License-Identifier: Apache-2.0
"""JW-01 … JW-11 from outside: forged and malformed access tokens.

Nobody outside has the key, so oddly claimed but rightly signed tokens are the
unit tests' part; here everything that an attacker can make of a real token.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time

import jwt
import pytest

import fcgi
from client import Client, Person
from compare import shown

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encode(content):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def session(stack, token, scheme="Bearer"):
    return Client(stack).get("/auth/session",
                             headers={"Authorization": f"{scheme} {token}"})


@pytest.fixture(scope="module")
def good(loose):
    """A real access token, taken apart."""
    token = Person(loose).join().login().token
    return token.split(".")


def with_header(good, **changes):
    header = {**json.loads(decode(good[0])), **changes}
    header = {name: value for name, value in header.items() if value is not None}
    return ".".join((encode(header), *good[1:]))


def forged(good, key=b"", digest=hashlib.sha256, claims=None, **header):
    """Signed with a key of the attacker's choice."""
    head = encode({**json.loads(decode(good[0])), **header})
    body = encode({**json.loads(decode(good[1])), **(claims or {})})
    mac = hmac.new(key or b"\0", f"{head}.{body}".encode(), digest).digest()
    return f"{head}.{body}.{encode(mac)}"


def test_JW10_the_control_is_accepted(loose, good):
    assert session(loose, ".".join(good)).status_code == 200
    assert session(loose, ".".join(good), "bearer").status_code == 200


def test_the_header_is_the_published_one(good):
    header = json.loads(decode(good[0]))
    assert header["alg"] == "HS256" and header["typ"] == "at+jwt"
    assert 1 <= len(header["kid"]) <= 64


def forgeries(good):
    """Every forged or malformed token, by the line it stands for."""
    head, body, mac = good
    kid = json.loads(decode(head))["kid"]
    last = ALPHABET[ALPHABET.index(mac[-1]) ^ 1]
    claims = json.loads(decode(body))
    doubled = body_text(claims)[:-1] + ',"sub":"' + claims["sub"] + '"}'
    yield from {
        "JW01 none": f"{encode({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{body}.",
        "JW01 none with a mac": with_header(good, alg="none"),
        "JW01 None": with_header(good, alg="None"),
        "JW01 NONE without a mac": with_header(good, alg="NONE").rsplit(".", 1)[0] + ".",
        "JW01 hs256": with_header(good, alg="hs256"),
        "JW01 no alg": with_header(good, alg=None),
        "JW01 alg a number": with_header(good, alg=256),
        "JW01 alg a list": with_header(good, alg=["HS256"]),
        "JW01 HS512": forged(good, b"secret", hashlib.sha512, alg="HS512"),
        "JW01 RS256": with_header(good, alg="RS256"),
        "JW01 empty key": forged(good),
        "JW01 weak key": forged(good, b"secret"),
        "JW01 key is the kid": forged(good, kid.encode()),
        "JW01 no kid": with_header(good, kid=None),
        "JW01 other kid": with_header(good, kid="other"),
        "JW01 kid a path": forged(good, b"", kid="../../../../dev/null"),
        "JW01 kid with SQL": forged(good, b"x", kid="x' UNION SELECT 'x"),
        "JW01 kid empty": with_header(good, kid=""),
        "JW01 kid of 65": with_header(good, kid="k" * 65),
        "JW01 kid a number": with_header(good, kid=1),
        "JW01 kid with NUL": with_header(good, kid=kid + "\0"),
        "JW02 other typ": with_header(good, typ="JWT"),
        "JW02 no typ": with_header(good, typ=None),
        "JW02 changed claims": ".".join((head, encode({**claims, "role": "root"}), mac)),
        "JW02 later exp": ".".join((head, encode({**claims, "exp": 2 ** 40}), mac)),
        "JW03 double member": ".".join((head, encode(doubled.encode()), mac)),
        "JW04 NUL in a claim": ".".join((head, encode({**claims, "sub": "a\0b"}), mac)),
        "JW05 padded": ".".join(good) + "=",
        "JW05 last bits set": f"{head}.{body}.{mac[:-1]}{last}",
        "JW05 plain base64": ".".join(good).replace("-", "+").replace("_", "/") + "+",
        "JW05 space inside": f"{head}.{body}.{mac[:5]} {mac[5:]}",
        "JW05 two segments": f"{head}.{body}",
        "JW05 four segments": ".".join(good) + ".",
        "JW05 five segments": ".".join(good) + ".x.y",
        "JW05 one dot": ".",
        "JW05 two dots": "..",
        "JW05 nothing but dots": "." * 50,
        "JW05 short mac": f"{head}.{body}.{mac[:-2]}",
        "JW05 long mac": f"{head}.{body}.{mac}AA",
        "JW05 no mac": f"{head}.{body}.",
        "JW05 almost 8 kB": f"{head}.{'A' * 7500}.{mac}",
        "JW06 crit": with_header(good, crit=["exp"]),
        "JW06 b64": with_header(good, b64=False, crit=["b64"]),
        "JW06 zip": with_header(good, zip="DEF"),
        "JW06 jku": forged(good, b"x", jku="https://127.0.0.1:1/keys"),
        "JW06 jwk": forged(good, b"x", jwk={"kty": "oct", "k": encode(b"x")}),
        "JW06 x5u": forged(good, b"x", x5u="http://127.0.0.1:1/"),
        "JW09 first bit": ".".join((head, body, flipped(mac))),
        "JW10 header no JSON": f"{encode(b'{')}.{body}.{mac}",
        "JW10 header a list": f"{encode([])}.{body}.{mac}",
        "JW10 deep header": f"{encode(b'[' * 400 + b']' * 400)}.{body}.{mac}",
        "JW10 made by a library": jwt.encode(claims, "x" * 32, headers={"kid": kid, "typ": "at+jwt"}),
        "JW10 words": "null",
        "JW10 an API key": "pk_" + "0" * 64,
    }.items()


def body_text(claims):
    return json.dumps(claims, separators=(",", ":"))


def flipped(mac):
    first = bytearray(decode(mac))
    first[0] ^= 1
    return encode(bytes(first))


def test_JW01_to_JW10_every_forged_or_malformed_token_gets_one_uniform_401(loose, good):
    reference = None
    for name, token in forgeries(good):
        answer = session(loose, token)
        assert answer.status_code == 401, name
        assert answer.json()["code"] == "token_invalid", name
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"], name
        reference = reference or shown(answer)
        assert shown(answer) == reference, name


def test_JW05_a_token_over_8_kilobytes_is_refused_whatever_the_front_lets_through(loose, good):
    token = f"{good[0]}.{'A' * 9000}.{good[2]}"
    status, text = fcgi.call(loose.fcgi_socket, fcgi.variables_for(
        "GET", "/api/v1/auth/session", more=[("HTTP_AUTHORIZATION", f"Bearer {token}")]))
    assert status == 401 and "token_invalid" in text


@pytest.mark.parametrize("position", range(3))
def test_JW09_no_changed_byte_of_a_token_is_accepted(loose, good, position):
    client = Client(loose)
    segment = good[position]
    for index in range(0, len(segment), max(1, len(segment) // 24)):
        other = "A" if segment[index] != "A" else "B"
        mutated = list(good)
        mutated[position] = segment[:index] + other + segment[index + 1:]
        answer = client.get("/auth/session", headers={
            "Authorization": "Bearer " + ".".join(mutated)})
        assert answer.status_code == 401, (position, index)


def test_JW10_generated_junk_is_never_accepted_and_never_a_5xx(loose, good):
    client = Client(loose)
    for number in range(200):
        length = secrets.randbelow(1 + number * 4) + 1
        junk = "".join(secrets.choice(ALPHABET + "..") for _ in range(length))
        answer = client.get("/auth/session", headers={"Authorization": f"Bearer {junk}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "Basic YTpi", "Token {}", "Bearer {},{}", "Bearer {} {}",
    "Bearer\t{}", "bearer{}", "{}"])
def test_an_authorization_of_another_form_is_refused(loose, good, header):
    value = header.format(*[".".join(good)] * 2)
    answer = Client(loose).get("/auth/session", headers={"Authorization": value})
    assert answer.status_code in (400, 401)
    assert answer.json()["code"] in ("unauthenticated", "token_invalid", "invalid_request")


def test_without_a_token_the_challenge_names_no_error(loose):
    answer = Client(loose).get("/auth/session")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error=" not in answer.headers["WWW-Authenticate"]


# JW-07

def test_JW07_after_a_rotation_old_tokens_verify_and_new_ones_have_another_kid(loose):
    person = Person(loose).join()
    before = person.login()
    loose.ctl("key", "rotate", "access_token")
    loose.reload()
    old_kid = jwt.get_unverified_header(before.token)["kid"]

    def new_kid():
        return jwt.get_unverified_header(person.login().token)["kid"]

    deadline = time.monotonic() + 20
    while new_kid() == old_kid:
        assert time.monotonic() < deadline, "no token with the new key"
    for _ in range(8):
        assert before.get("/auth/session").status_code == 200
        assert person.login().get("/auth/session").status_code == 200


# JW-08

def test_JW08_no_kind_of_token_is_taken_for_another(loose):
    person = Person(loose)
    person.register()
    mailed = person.mail.wait_for_token("/verify.html")
    client = person.login()
    anonymous = Client(loose)
    for token in (client.token, mailed, client.token.split(".")[2]):
        assert person.renew(token).status_code == 401
    for token in (client.token, client.refresh_token):
        assert anonymous.post("/auth/verify-email", {"token": token}).status_code == 401
        assert anonymous.post("/auth/password/reset", {
            "token": token, "new_password": secrets.token_urlsafe(18)}).status_code == 401
    assert anonymous.post("/auth/password/reset", {
        "token": mailed, "new_password": secrets.token_urlsafe(18)}).status_code == 401
    for token in (client.refresh_token, mailed):
        assert session(loose, token).status_code == 401
    assert anonymous.post("/auth/verify-email", {"token": mailed}).status_code == 204


def test_JW08_an_access_token_is_no_csrf_token(loose):
    browser = Person(loose).join().login_by_cookie()
    headers = {**browser.csrf_headers(),
               "X-CSRF-Token": browser.cookie("__Host-claviger_access")}
    assert browser.patch("/me", {"name": "x"}, headers=headers).status_code == 403


# JW-11: that it ends when it says so is test_sessions.py's, a minute later.

def test_JW11_a_token_tells_when_it_ends(brief):
    claims = jwt.decode(brief.early.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60
    assert claims["nbf"] <= time.time() + 1
