# SPDX-License-Identifier: Apache-2.0
"""People who guess passwords, and what the program says it did for them."""

import secrets

from client import Client
from burst import code_of

WRONG = "Wrong-horse-battery-99"


def nobody():
    """An address without an account."""
    return f"nobody{secrets.token_hex(6)}@example.com"


def guess(client, address, password=WRONG, **more):
    return client.post("/auth/login", {"email": address, "password": password, **more})


def verdict(answer):
    """(status, code) of an answer of requests or of burst."""
    if hasattr(answer, "status_code"):
        body = answer.json() if answer.content else {}
        return answer.status_code, body.get("code")
    return answer.status, code_of(answer)


def guesses(client, address, count, **more):
    """The verdicts of so many wrong guesses, one after another."""
    return [verdict(guess(client, address, **more)) for _ in range(count)]


FAILED = (401, "invalid_credentials")
LIMITED = (429, "rate_limited")
LOCKED = (429, "account_locked")
CAPTCHA = (403, "captcha_required")
BLOCKED = (403, "ip_blocked")


def metric(stack, name):
    """The sum of a family's samples, or one sample with its labels."""
    answer = Client(stack, "127.0.0.1").fetch("GET", "/metrics")
    assert answer.status_code == 200, answer.text
    values = [float(line.rpartition(" ")[2]) for line in answer.text.splitlines()
              if line.startswith((name + " ", name + "{"))]
    assert values, f"no metric {name}"
    return sum(values)


def lock_account(stack, address):
    """Two networks guess until strangers are kept away from the account."""
    for attacker in (Client(stack), Client(stack)):
        guesses(attacker, address, 10)
    assert verdict(guess(Client(stack), address)) == LOCKED
