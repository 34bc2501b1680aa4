# SPDX-License-Identifier: Apache-2.0
"""Captchas: ALTCHA made and checked here, and other providers that may be away."""

import base64
import hashlib
import http.server
import json
import socket
import threading
import time
import urllib.parse

import pytest

from altcha import answer_for, challenge_for, pack, solve
from burst import encode, send_at_once
from client import API, Client, Person
from guessers import CAPTCHA, FAILED, WRONG, guess, guesses, metric, nobody, verdict
from stack import NO_LIMITS, Stack

ALTCHA = {**NO_LIMITS, "captcha.provider": "altcha", "captcha.difficulty": "2000",
          "captcha.after": "3"}


@pytest.fixture(scope="module")
def asking():
    """A captcha after three failures; one of its challenges is soon too old."""
    with Stack({**ALTCHA, "captcha.expiry": "10s"}, workers=4) as running:
        challenge = challenge_for(running)
        running.early = pack(challenge, solve(challenge))
        running.early_at = time.monotonic()
        yield running


@pytest.fixture
def client(asking):
    """Of a network that has failed three times."""
    found = Client(asking)
    assert guesses(found, nobody(), 3) == [FAILED] * 3
    return found


def test_nobody_is_asked_before_three_failures_of_the_network(asking):
    client = Client(asking)
    assert [verdict(guess(client, nobody())) for _ in range(4)] == [FAILED] * 3 + [CAPTCHA]
    assert verdict(guess(Client(asking), nobody())) == FAILED


def test_nor_before_three_failures_of_the_account_from_anywhere(asking):
    address = Person(asking).join().email
    verdicts = [verdict(guess(Client(asking), address)) for _ in range(4)]
    assert verdicts == [FAILED] * 3 + [CAPTCHA]


def test_the_challenge_is_what_ALTCHA_says(asking):
    challenge = challenge_for(asking)
    assert challenge["provider"] == "altcha"
    assert challenge["algorithm"] == "SHA-256"
    assert challenge["maxnumber"] == 2000
    assert len(bytes.fromhex(challenge["challenge"])) == 32
    assert len(bytes.fromhex(challenge["signature"])) == 32
    salt, _, parameters = challenge["salt"].partition("?")
    assert len(bytes.fromhex(salt)) >= 10
    expires = int(urllib.parse.parse_qs(parameters)["expires"][0])
    assert 0 < expires - time.time() <= 11
    assert challenge_for(asking)["challenge"] != challenge["challenge"]


def test_a_solved_challenge_lets_the_password_be_tried(asking, client):
    person = Person(asking).join()
    assert verdict(person.try_login(client)) == CAPTCHA
    assert person.try_login(client, captcha=answer_for(asking)).status_code == 200


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_answer_is_good_once(asking, client):
    answer = answer_for(asking)
    assert verdict(guess(client, nobody(), captcha=answer)) == FAILED
    assert verdict(guess(client, nobody(), captcha=answer)) == CAPTCHA
    assert verdict(guess(Client(asking), nobody(), captcha=answer)) == FAILED  # not asked


def test_an_answer_is_good_once_after_redis_was_emptied(asking, client):
    answer = answer_for(asking)
    assert verdict(guess(client, nobody(), captcha=answer)) == FAILED
    asking.redis().flushall()
    assert verdict(guess(client, nobody(), captcha=answer)) == CAPTCHA


def test_of_64_at_once_with_one_answer_one_is_heard(asking, client):
    answer = answer_for(asking)
    requests = [encode(asking, "POST", API + "/auth/login", {
        "email": nobody(), "password": WRONG, "captcha": answer}) for _ in range(64)]
    verdicts = [verdict(one) for one in send_at_once(asking, requests, source=client.address)]
    assert {one: verdicts.count(one) for one in set(verdicts)} == {FAILED: 1, CAPTCHA: 63}


def test_an_answer_that_waited_too_long_is_none(asking, client):
    time.sleep(max(0, asking.early_at + 11 - time.monotonic()))
    assert verdict(guess(client, nobody(), captcha=asking.early)) == CAPTCHA


def spoil(hexadecimal):
    return ("0" if hexadecimal[0] != "0" else "1") + hexadecimal[1:]


def later(salt):
    """The salt of a challenge that would live for longer."""
    head, _, rest = salt.partition("expires=")
    digits, _, tail = rest.partition("&")
    return f"{head}expires={int(digits) + 3600}&{tail}"


FORGERIES = {
    "number": lambda c, n: pack(c, n + 1),
    "negative": lambda c, n: pack(c, -n - 1),
    "fraction": lambda c, n: pack(c, n + 0.5),
    "no number": lambda c, n: pack(c, None),
    "text number": lambda c, n: pack(c, str(n)),
    "signature": lambda c, n: pack(c, n, signature=spoil(c["signature"])),
    "no signature": lambda c, n: pack(c, n, signature=""),
    "algorithm": lambda c, n: pack(c, n, algorithm="SHA-1"),
    "none": lambda c, n: pack(c, n, algorithm="none"),
    "own challenge": lambda c, n: pack(c, 7, challenge=sha256(c["salt"] + "7")),
    "own salt": lambda c, n: pack(c, 7, salt="ab?expires=9999999999&",
                                  challenge=sha256("ab?expires=9999999999&7")),
    "longer life": lambda c, n: pack(c, n, salt=later(c["salt"])),
    "moved digit": lambda c, n: pack(c, 0, salt=c["salt"] + str(n)),
    "no JSON": lambda c, n: base64.b64encode(b"hello").decode(),
    "an array": lambda c, n: base64.b64encode(json.dumps([c, n]).encode()).decode(),
    "no base64": lambda c, n: "%%%",
    "cut": lambda c, n: pack(c, n)[:-5],
    "long": lambda c, n: pack(c, n, more="x" * 4000),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_is_none(asking, forge):
    client = Client(asking)
    guesses(client, nobody(), 3)
    challenge = challenge_for(asking)
    forged = forge(challenge, solve(challenge))
    assert verdict(guess(client, nobody(), captcha=forged)) == CAPTCHA


def test_a_right_password_without_the_captcha_is_refused_unhashed(asking, client):
    person = Person(asking).join()
    before = metric(asking, "password_hashes_total")
    assert [verdict(person.try_login(client)) for _ in range(5)] == [CAPTCHA] * 5
    assert metric(asking, "password_hashes_total") == before


# Other providers

class Provider(http.server.BaseHTTPRequestHandler):
    """Stands in for siteverify; the token says what it shall do."""

    asked = []

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        token = form["response"][0]
        self.asked.append(form)
        if token == "hang":
            time.sleep(3)
        if token == "gone":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(500 if token == "broken" else 200)
        self.end_headers()
        self.wfile.write({
            "good": b'{"success":true,"hostname":"localhost"}',
            "secret": b'{"success":false,"error-codes":["invalid-input-secret"]}',
            "junk": b'<html>success: true</html>',
            "text": b'{"success":"true"}',
            "long": b'{"success":true,"pad":"' + b"x" * 100000 + b'"}',
        }.get(token, b'{"success":false,"error-codes":["invalid-input-response"]}'))

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module", params=["hcaptcha", "turnstile"])
def remote(request, provider):
    settings = {
        **NO_LIMITS, "captcha.provider": request.param, "captcha.after": "0",
        "captcha.site_key": "our-site", "captcha.secret": "our secret & more",
        "captcha.timeout": "1s",
        "captcha.verify_url": f"http://127.0.0.1:{provider.server_port}/siteverify",
    }
    with Stack(settings, workers=3) as running:
        running.provider_name = request.param
        yield running


def test_a_provider_is_asked_and_believed(remote):
    shown = challenge_for(remote)
    assert (shown["provider"], shown["site_key"]) == (remote.provider_name, "our-site")
    Provider.asked.clear()
    client = Client(remote)
    assert verdict(guess(client, nobody(), captcha="good")) == FAILED
    assert Provider.asked == [{"secret": ["our secret & more"], "response": ["good"],
                               "remoteip": [client.address]}]
    assert verdict(guess(client, nobody(), captcha="bad & worse")) == CAPTCHA
    assert verdict(guess(client, nobody())) == CAPTCHA


@pytest.mark.parametrize("token", ["hang", "gone", "broken", "junk", "text", "long", "secret"])
def test_a_provider_that_does_not_answer_lets_nobody_in_and_says_so(remote, token):
    before = metric(remote, "password_hashes_total")
    begun = time.monotonic()
    answer = guess(Client(remote), nobody(), captcha=token)
    assert verdict(answer) == (503, "service_unavailable"), answer.text
    assert time.monotonic() - begun < 2.5
    assert int(answer.headers["Retry-After"]) >= 1
    assert metric(remote, "password_hashes_total") == before
    assert "captcha_provider_unavailable" in remote.log_text()
