# SPDX-License-Identifier: Apache-2.0
"""Solving ALTCHA's proof of work, as the sign-in page does, and spoiling it."""

import base64
import hashlib
import json

from client import Client


def solve(challenge):
    """The number behind a challenge."""
    for number in range(challenge["maxnumber"] + 1):
        digits = f"{challenge['salt']}{number}".encode()
        if hashlib.sha256(digits).hexdigest() == challenge["challenge"]:
            return number
    raise AssertionError(f"no number solves {challenge}")


def pack(challenge, number, /, **changed):
    """The answer that is sent, with members changed."""
    payload = {name: challenge[name]
               for name in ("algorithm", "challenge", "salt", "signature")}
    payload.update({"number": number, **changed})
    return base64.b64encode(json.dumps(payload).encode()).decode()


def challenge_for(stack, client=None):
    answer = (client or Client(stack)).get("/auth/captcha")
    assert answer.status_code == 200, answer.text
    return answer.json()


def answer_for(stack, client=None):
    """A good answer, made anew."""
    challenge = challenge_for(stack, client)
    return pack(challenge, solve(challenge))
