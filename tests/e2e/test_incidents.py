# SPDX-License-Identifier: Apache-2.0
"""What somebody with a shell on the host can end, and what cannot be hidden."""

import base64
import json
import secrets
import uuid

import pytest

from client import Client, Person, owner_of
from stack import wait_until


def claims_of(client):
    payload = client.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def is_live(client):
    return client.get("/auth/session").status_code == 200


def wait_for_the_end(client):
    wait_until(lambda: not is_live(client), timeout=1, what="the end of the session")
    assert client.get("/auth/session").json()["code"] == "token_revoked"


def reason_of(stack, kind):
    return stack.query("SELECT reason FROM revocation WHERE kind = %s", kind)[-1]["reason"]


def test_one_access_token_can_be_revoked_and_its_session_lives_on(stack, person):
    client, token_id = person.login(), None
    token_id = claims_of(client)["jti"]
    stack.ctl("revoke", "token", token_id, "--reason", "seen_in_a_log")
    wait_for_the_end(client)
    assert reason_of(stack, "token") == b"seen_in_a_log"
    renewed = person.renew(client.refresh_token)
    assert renewed.status_code == 200
    assert is_live(Client(stack, token=renewed.json()["access_token"]))


def test_revoking_a_user_ends_what_they_hold_and_nobody_elses(stack, person):
    first, second, other = person.login(), person.login(), Person(stack).join().login()
    stack.ctl("revoke", "user", person.email.upper())
    wait_for_the_end(first)
    wait_for_the_end(second)
    assert person.renew(first.refresh_token).status_code == 401
    assert is_live(other)
    assert is_live(person.login())


def test_revoking_a_tenant_ends_the_sessions_of_its_members(stack, person):
    client, other = person.login(), Person(stack).join().login()
    stack.ctl("revoke", "tenant", claims_of(client)["tenantId"])
    wait_for_the_end(client)
    assert person.renew(client.refresh_token).status_code == 401
    assert is_live(other)
    assert is_live(person.login())


def test_revoking_everything_ends_every_session_by_one_mark(stack):
    people = [Person(stack).join() for _ in range(3)]
    clients = [person.login() for person in people]
    stack.ctl("revoke", "all", "--reason", "drill")
    for person, client in zip(people, clients):
        wait_for_the_end(client)
        assert person.renew(client.refresh_token).status_code == 401
    assert is_live(people[0].login())
    assert reason_of(stack, "all") == b"drill"
    # An emptied Redis is filled with it again.
    stack.redis().flushall()
    assert not is_live(clients[0])


@pytest.mark.parametrize("words", (
    (), ("token",), ("token", "not-an-id"), ("tenant", str(uuid.UUID(int=0))),
    ("user", "nobody@example.com"), ("planet", "x")))
def test_what_cannot_be_revoked_is_said(stack, words):
    done = stack.ctl("revoke", *words, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith(("usage: ", "clavigerctl: "))


def test_a_page_of_the_record_answers_whatever_is_written_in_it(stack):
    owner = owner_of(stack).login()
    for _ in range(30):
        stack.query(
            "INSERT INTO audit_event (id, at, type, severity, success, user_agent, detail)"
            " VALUES (%s, 0, 'login_attempt', 'warning', 0, %s, %s)",
            uuid.uuid4().bytes, "<" * 255, "\x01" * 1000)
    path, seen = "/audit?limit=200&until=1970-01-02T00:00:00Z", 0
    cursor = ""
    while cursor is not None:
        answer = owner.get(path + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        seen += len(answer.json()["items"])
        cursor = answer.json()["next_cursor"]
    assert seen == 30
    stack.query("DELETE FROM audit_event WHERE at = 0")


def test_guessing_the_password_by_the_address_change_is_limited_and_recorded(stack, person):
    client = person.login()
    wanted = {"email": f"x{secrets.token_hex(4)}@example.com", "current_password": "wrong wrong wrong"}
    answers = [client.patch("/me", wanted).status_code for _ in range(7)]
    assert answers[:4] == [401] * 4
    assert answers[-1] == 429
    rows = stack.query(
        "SELECT COUNT(*) AS n FROM audit_event a JOIN user u ON u.id = a.user_id"
        " WHERE u.email = %s AND a.type = 'email_change' AND a.success = 0"
        " AND a.reason = 'wrong_password'", person.email)
    assert rows[0]["n"] == answers.count(401)


def test_changing_ones_name_often_costs_no_attempts(person):
    client = person.login()
    for i in range(8):
        assert client.patch("/me", {"name": f"Ada {i}"}).status_code == 200


def test_a_mail_too_many_says_when_there_is_room_again(person):
    client = person.login()
    for i in range(4):
        answer = client.patch("/me", {
            "email": f"y{secrets.token_hex(4)}@example.com", "current_password": person.password})
    assert answer.status_code == 429
    assert 3000 < int(answer.headers["Retry-After"]) <= 3600
