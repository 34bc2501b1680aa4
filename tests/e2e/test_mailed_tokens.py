# SPDX-License-Identifier: Apache-2.0
"""EM-01 … EM-09: links in mail, and what somebody else can do with them."""

import hashlib
import re
import secrets
import time

import pytest

from client import Client, Person, html_of, recipients, text_of

HOUR_MS = 3600 * 1000


def confirm(stack, token):
    return Client(stack).post("/auth/verify-email", {"token": token})


def reset(stack, token, password=None):
    return Client(stack).post("/auth/password/reset", {
        "token": token, "new_password": password or secrets.token_urlsafe(18)})


def forgot(stack, person, client=None):
    return (client or Client(stack)).post("/auth/password/forgot", {"email": person.email})


def assert_invalid(answer):
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "token_invalid"


def rows_of(stack, person):
    return stack.query("SELECT t.* FROM email_token t JOIN user u ON u.id = t.user_id"
                       " WHERE u.email = %s ORDER BY t.created_at", person.email)


# EM-01

def test_EM01_a_mailed_token_has_256_bits_and_only_its_hash_is_stored(stack):
    person = Person(stack)
    person.register()
    token = person.mail.wait_for_token("/verify.html")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    row = rows_of(stack, person)[0]
    assert row["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert token.encode() not in b"".join(
        one["sealed"] for one in stack.query("SELECT sealed FROM outbox"))


def test_EM01_a_confirmation_lives_24_hours_and_a_reset_one(stack, person):
    forgot(stack, person)
    person.mail.wait_for_token("/reset.html")
    lives = {row["purpose"]: row["expires_at"] - row["created_at"]
             for row in rows_of(stack, person)}
    assert lives["verify"] == 24 * HOUR_MS
    assert lives["reset"] == HOUR_MS


def test_EM01_each_is_used_once(stack, person):
    token = person.mail.wait_for_token("/verify.html")
    assert_invalid(confirm(stack, token))
    forgot(stack, person)
    token = person.mail.wait_for_token("/reset.html")
    assert reset(stack, token).status_code == 204
    assert_invalid(reset(stack, token))


@pytest.mark.parametrize("page", ["/verify.html", "/reset.html"])
def test_EM01_an_expired_one_is_refused(stack, page):
    person = Person(stack)
    person.register()
    if page == "/reset.html":
        person.verify()
        forgot(stack, person)
    token = person.mail.wait_for_token(page)
    stack.query("UPDATE email_token SET expires_at = %s WHERE token_hash = UNHEX(%s)",
                int(time.time() * 1000) - 1, hashlib.sha256(token.encode()).hexdigest())
    assert_invalid((confirm if page == "/verify.html" else reset)(stack, token))


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "A" * 10000, "é" * 43,
                                   "A" * 42 + "\u0000", "../../etc/passwd"],
                         ids=lambda token: ascii(token)[:12])
def test_EM01_a_wrong_one_is_refused(loose, token):
    for answer in (confirm(loose, token), reset(loose, token)):
        assert answer.status_code in (401, 422), answer.text
        assert answer.json()["code"] in ("token_invalid", "validation_failed")


# EM-02

def test_EM02_a_newer_request_voids_the_older(stack):
    person = Person(stack)
    person.register()
    first = person.mail.wait_for_token("/verify.html")
    Client(stack).post("/auth/verify-email/resend", {"email": person.email})
    second = person.mail.wait_for_token("/verify.html", count=2)
    assert first != second
    assert_invalid(confirm(stack, first))
    assert confirm(stack, second).status_code == 204

    forgot(stack, person)
    first = person.mail.wait_for_token("/reset.html")
    forgot(stack, person)
    second = person.mail.wait_for_token("/reset.html", count=2)
    assert_invalid(reset(stack, first))
    assert reset(stack, second).status_code == 204


def test_EM02_a_changed_password_voids_all(stack, person):
    forgot(stack, person)
    token = person.mail.wait_for_token("/reset.html")
    answer = person.login().post("/auth/password/change", {
        "current_password": person.password, "new_password": secrets.token_urlsafe(18)})
    assert answer.status_code == 204, answer.text
    assert_invalid(reset(stack, token))


# EM-03

@pytest.mark.parametrize("page", ["/verify.html", "/reset.html"])
def test_EM03_opening_the_link_does_not_use_it_up(stack, page):
    person = Person(stack)
    person.register()
    if page == "/reset.html":
        person.verify()
        forgot(stack, person)
    token = person.mail.wait_for_token(page)
    scanner = Client(stack)
    assert scanner.fetch("GET", page).status_code == 200
    assert scanner.fetch("GET", f"{page}?token={token}").status_code == 200
    assert scanner.fetch("HEAD", page).status_code == 200
    assert scanner.get(f"/auth/verify-email?token={token}").status_code in (404, 405)
    assert (confirm if page == "/verify.html" else reset)(stack, token).status_code == 204


# EM-04

@pytest.mark.parametrize("headers", [
    {"X-Forwarded-Host": "evil.example"}, {"Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=http"}, {"X-Forwarded-Proto": "http"},
    {"X-Original-Host": "evil.example"}], ids=lambda headers: next(iter(headers)))
def test_EM04_links_lead_to_the_configured_address(stack, person, headers):
    answer = Client(stack).post("/auth/password/forgot", {"email": person.email},
                                headers=headers)
    assert answer.status_code == 202
    message = person.mail.wait("/reset.html#token=")
    for text in (text_of(message), html_of(message)):
        assert stack.url + "/reset.html#token=" in text
        assert "evil.example" not in text


# EM-05

def test_EM05_a_reset_signs_nobody_in(stack, person):
    forgot(stack, person)
    answer = reset(stack, person.mail.wait_for_token("/reset.html"))
    assert answer.status_code == 204
    assert answer.text == "" and "Set-Cookie" not in answer.headers


# EM-06

def test_EM06_one_address_asks_for_three_resets_an_hour(stack, person):
    client = Client(stack)
    statuses = [forgot(stack, person, client).status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 429]


def test_EM06_one_mailbox_gets_three_resets_an_hour_from_however_many(stack, person):
    statuses = {forgot(stack, person).status_code for _ in range(8)}
    assert statuses == {202}  # a refusal would tell that the address is known
    person.mail.wait("/reset.html#token=", count=3)
    time.sleep(2)
    mails = [one for one in person.mail.messages() if "/reset.html#token=" in text_of(one)]
    assert len(mails) == 3


# EM-07

@pytest.mark.parametrize("address", [
    "a@example.com\r\nBcc: b@example.com", "a@example.com\nTo: b@example.com",
    "a@example.com,b@example.com", "a@example.com;b@example.com",
    "<a@example.com> b@example.com", "a@example.com>", "\"a@example.com",
    "a@example.com\r\n\r\nbody", "a@example.com%0ABcc:b@example.com", "a(b)@example.com"])
def test_EM07_an_address_cannot_add_recipients_or_headers(stack, address):
    files = set(stack.mail_dir.rglob("*"))
    rows = stack.query("SELECT COUNT(*) AS count FROM user")[0]["count"]
    for path in ("/auth/register", "/auth/password/forgot", "/auth/verify-email/resend"):
        answer = Client(stack).post(path, {
            "email": address, "password": secrets.token_urlsafe(18)})
        assert answer.status_code in (400, 422), answer.text
    assert stack.query("SELECT COUNT(*) AS count FROM user")[0]["count"] == rows
    for path in set(stack.mail_dir.rglob("*")) - files:
        assert "b@example.com" not in str(path.read_bytes()) if path.is_file() else True


@pytest.mark.parametrize("name", [
    "Eve\r\nBcc: b@example.com", "Eve <b@example.com>", "Eve, b@example.com",
    "=?utf-8?q?Eve=0D=0ABcc=3A_b=40example=2Ecom?=", "Ünïcødé 🦊", '"; --', "<b>Eve</b>",
    "{{email}} %s %n ${name}"])
def test_EM07_a_name_cannot_add_recipients_headers_or_markup(stack, name):
    person = Person(stack, name=name)
    answer = person.register()
    if answer.status_code == 422:  # a control character is no part of a name
        assert "\r" in name
        return
    message = person.mail.wait("/verify.html#token=")
    assert recipients(message) == [person.email]
    assert message["Bcc"] is None and message["Cc"] is None
    assert "<b>Eve</b>" not in html_of(message)
    assert "Bcc" not in "".join(message.keys())


# EM-08

def ask_for_change(person, client, address):
    return client.patch("/me", {"email": address, "current_password": person.password})


def test_EM08_a_new_address_is_confirmed_there_and_told_to_the_old_one(stack, person):
    client = person.login()
    new = Person(stack, password=person.password)
    answer = ask_for_change(person, client, new.email)
    assert answer.status_code in (200, 202), answer.text
    assert client.get("/me").json()["email"] == person.email
    token = new.mail.wait_for_token("/verify.html")
    assert confirm(stack, token).status_code == 204
    assert new.try_login().status_code == 200
    assert person.try_login().status_code == 401
    assert new.login().get("/me").json()["email_verified"] is True
    notice = person.mail.wait(new.email)
    assert recipients(notice) == [person.email]


def test_EM08_the_old_address_can_undo_the_change_which_ends_every_session(stack, person):
    client = person.login()
    new = Person(stack, password=person.password)
    ask_for_change(person, client, new.email)
    confirm(stack, new.mail.wait_for_token("/verify.html"))
    thief = new.login()
    undo = person.mail.wait_for_token("/verify.html?undo")
    assert confirm(stack, undo).status_code == 204
    assert new.try_login().status_code == 401
    for one in (thief, client):
        assert one.get("/auth/session").status_code == 401
    assert person.try_login().status_code == 200
    assert_invalid(confirm(stack, undo))


def test_EM08_a_change_wants_the_password(stack, person):
    client, new = person.login(), Person(stack)
    answer = client.patch("/me", {"email": new.email})
    assert answer.status_code == 422
    answer = client.patch("/me", {"email": new.email, "current_password": "wrong" * 4})
    assert answer.status_code == 401
    assert new.mail.messages() == []


def test_EM08_a_taken_address_is_no_different_from_a_free_one(stack, person):
    taken, free = Person(stack).join(), Person(stack)
    client = person.login()
    answers = [ask_for_change(person, client, one.email) for one in (taken, free)]
    assert answers[0].status_code == answers[1].status_code


# EM-09

def test_EM09_tokens_stand_behind_the_hash_and_in_no_log(stack):
    person = Person(stack)
    person.register()
    token = person.mail.wait_for_token("/verify.html")
    page = Client(stack).fetch("GET", "/verify.html")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    confirm(stack, token)
    client = person.login()
    logs = stack.log_text()
    for secret in (token, client.token, client.refresh_token, person.password):
        assert secret not in logs
