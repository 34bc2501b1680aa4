# SPDX-License-Identifier: Apache-2.0
"""Of a thousand parallel uses of a one-time thing exactly one wins."""

import json
import secrets

import pytest

from burst import code_of, encode, send_at_once
from client import API, Client, Person
from stack import is_sanitized

COUNT = 200 if is_sanitized() else 1000


def assert_one_winner(answers, status):
    counts = {}
    for one in answers:
        key = (one.status, code_of(one))
        counts[key] = counts.get(key, 0) + 1
    winners = counts.pop((status, None), 0)
    losers = {key: number for key, number in counts.items()
              if key not in ((401, "token_invalid"), (401, "token_revoked"))}
    assert winners == 1 and not losers, (winners, counts)


def test_SE03_one_refresh_token_renews_once(loose):
    person = Person(loose).join()
    token = person.login().refresh_token
    request = encode(loose, "POST", API + "/auth/refresh", {"refresh_token": token})
    answers = send_at_once(loose, [request] * COUNT)
    assert_one_winner(answers, 200)
    winner = next(one for one in answers if one.status == 200)
    renewed = json.loads(winner.body)["refresh_token"]
    # The losers were reuse: the whole family is gone.
    assert person.renew(renewed).json()["code"] == "token_revoked"


def test_EM01_one_confirmation_confirms_once(loose):
    person = Person(loose)
    person.register()
    token = person.mail.wait_for_token("/verify.html")
    request = encode(loose, "POST", API + "/auth/verify-email", {"token": token})
    assert_one_winner(send_at_once(loose, [request] * COUNT), 204)
    assert person.login().get("/me").json()["email_verified"] is True


def test_EM01_one_reset_sets_one_password(loose):
    person = Person(loose).join()
    Client(loose).post("/auth/password/forgot", {"email": person.email})
    token = person.mail.wait_for_token("/reset.html")
    passwords = [secrets.token_urlsafe(18) for _ in range(COUNT)]
    requests = [encode(loose, "POST", API + "/auth/password/reset",
                       {"token": token, "new_password": one}) for one in passwords]
    answers = send_at_once(loose, requests)
    assert_one_winner(answers, 204)
    chosen = next(password for password, answer in zip(passwords, answers)
                  if answer.status == 204)
    person.password = chosen
    assert person.try_login().status_code == 200


def test_one_address_is_registered_once(loose):
    person = Person(loose)
    requests = [encode(loose, "POST", API + "/auth/register", {
        "email": person.email, "password": person.password, "name": "n"})] * 40
    answers = send_at_once(loose, requests)
    assert {one.status for one in answers} <= {202, 503}
    rows = loose.query("SELECT COUNT(*) AS count FROM user WHERE email = %s", person.email)
    assert rows[0]["count"] == 1
    assert person.try_login().status_code == 200


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/verify-email"])
def test_a_thousand_wrong_tokens_are_a_thousand_401(loose, path):
    name = "refresh_token" if path.endswith("refresh") else "token"
    requests = [encode(loose, "POST", API + path, {name: secrets.token_urlsafe(32)})
                for _ in range(COUNT)]
    answers = send_at_once(loose, requests)
    assert {(one.status, code_of(one)) for one in answers} == {(401, "token_invalid")}
