# SPDX-License-Identifier: Apache-2.0
"""EN-01 … EN-08: nobody learns from outside who has an account."""

import itertools
import secrets
import uuid

import pytest

from client import Client, Person
from compare import assert_same, assert_same_time, median_difference_ms
from stack import wait_until


def attempt(client, address, password="Wrong-horse-battery-99", **more):
    return client.post("/auth/login", {"email": address, "password": password, **more})


def unknown():
    return f"nobody{secrets.token_hex(6)}@example.com"


def sparing(stack, call):
    """The same call; now and then all failures are forgotten, before they lock."""
    calls = itertools.count(1)

    def spared():
        if next(calls) % 40 == 0:
            stack.query("DELETE FROM sign_in_failure")
        return call()
    return spared


@pytest.fixture(scope="module")
def known(loose):
    return Person(loose).join()


@pytest.fixture(scope="module")
def disabled(loose):
    person = Person(loose).join()
    loose.ctl("user", "disable", person.email)
    return person


# EN-01

def test_EN01_unknown_user_and_wrong_password_are_one_answer(loose, known):
    assert_same(attempt(Client(loose), unknown()),
                attempt(Client(loose), known.email))
    assert attempt(Client(loose), known.email).json()["code"] == "invalid_credentials"


def test_EN01_a_disabled_user_with_the_right_password_is_the_same_answer(loose, disabled):
    assert_same(attempt(Client(loose), unknown()), disabled.try_login())


def test_EN01_another_tenant_with_the_right_password_is_the_same_answer(loose, known):
    foreign = Person(loose).join().login().get("/auth/session").json()["tenantId"]
    assert_same(attempt(Client(loose), unknown(), tenant_id=foreign),
                known.try_login(tenant_id=foreign))
    assert_same(attempt(Client(loose), unknown(), tenant_id=foreign),
                known.try_login(tenant_id=str(uuid.uuid4())))


@pytest.mark.timing
def test_EN01_unknown_user_and_wrong_password_take_the_same_time(loose, known):
    client = Client(loose)
    assert_same_time(sparing(loose, lambda: attempt(client, unknown())),
                     sparing(loose, lambda: attempt(client, known.email)))


@pytest.mark.timing
def test_EN01_a_disabled_user_takes_the_same_time(loose, disabled):
    client = Client(loose)
    assert_same_time(sparing(loose, lambda: attempt(client, unknown())),
                     sparing(loose, lambda: disabled.try_login(client)))


# EN-02

def test_EN02_registering_a_known_address_is_the_same_answer(loose, known):
    fresh = Person(loose)
    again = Person(loose, address=known.email)
    assert_same(fresh.register(), again.register())


def test_EN02_the_owner_of_a_known_address_gets_a_notice_and_keeps_the_account(loose):
    known = Person(loose).join()
    before = len(known.mail.messages())
    stranger = Person(loose, name="Mallory", address=known.email)
    assert stranger.register().status_code == 202
    wait_until(lambda: len(known.mail.messages()) > before, timeout=20)
    notice = known.mail.messages()[-1].get_body(("plain",)).get_content()
    assert "/verify.html#token=" not in notice
    assert "Mallory" not in notice
    assert stranger.try_login().status_code == 401
    assert known.login().get("/me").json()["name"] == known.name


@pytest.mark.timing
def test_EN02_registering_a_known_address_takes_the_same_time(loose, known):
    client = Client(loose)
    assert_same_time(lambda: Person(loose).register(client),
                     lambda: Person(loose, address=known.email).register(client))


# EN-03

def forgot(client, address):
    return client.post("/auth/password/forgot", {"email": address})


def test_EN03_forgotten_passwords_of_known_and_unknown_are_one_answer(loose, known):
    answer = forgot(Client(loose), known.email)
    assert answer.status_code == 202
    assert_same(answer, forgot(Client(loose), unknown()))


@pytest.mark.timing
def test_EN03_forgotten_passwords_of_known_and_unknown_take_the_same_time(loose, known):
    client = Client(loose)
    assert_same_time(lambda: forgot(client, unknown()),
                     lambda: forgot(client, known.email))


def test_EN03_a_resent_confirmation_is_the_same_for_all(loose, known):
    waiting = Person(loose)
    waiting.register()
    answers = [Client(loose).post("/auth/verify-email/resend", {"email": address})
               for address in (unknown(), known.email, waiting.email)]
    assert [one.status_code for one in answers] == [202, 202, 202]
    assert_same(answers[0], answers[1])
    assert_same(answers[0], answers[2])


@pytest.mark.timing
def test_EN03_a_resent_confirmation_takes_the_same_time(loose, known):
    client = Client(loose)
    assert_same_time(
        lambda: client.post("/auth/verify-email/resend", {"email": unknown()}),
        lambda: client.post("/auth/verify-email/resend", {"email": known.email}))


# EN-04

def test_EN04_a_wrong_password_tells_nothing_of_second_factors(loose, known):
    assert "mfa" not in attempt(Client(loose), known.email).text
    assert "mfa" not in attempt(Client(loose), unknown()).text


# EN-05

@pytest.mark.parametrize("address", [
    "", "@", "a@", "@b", "no at sign", "a@b@c", "a b@example.com",
    "a@example..com", "a@-example.com", ".a@example.com", "a@exam\u0000ple.com",
    "x" * 10000 + "@example.com", "a@" + "b" * 10000, "\u0430dmin@example.com",
    "admin@ex\u0430mple.com", "ADMIN@\u212Ax.example", "a@[127.0.0.1]",
    "a@xn--", "\ud7ff@example.com", "a@example.com\r\nBcc: b@example.com",
], ids=lambda address: ascii(address)[:24])
@pytest.mark.parametrize("call", ["login", "register", "forgot", "resend"])
def test_EN05_an_odd_address_is_an_unknown_user_or_refused_by_syntax(loose, call, address):
    path, body = {
        "login": ("/auth/login", {"password": "Wrong-horse-battery-99"}),
        "register": ("/auth/register", {"password": secrets.token_urlsafe(18)}),
        "forgot": ("/auth/password/forgot", {}),
        "resend": ("/auth/verify-email/resend", {}),
    }[call]
    answer = Client(loose).post(path, {"email": address, **body})
    as_unknown = 401 if call == "login" else 202
    assert answer.status_code in (as_unknown, 400, 422), answer.text
    if answer.status_code == 401:
        assert answer.json()["code"] == "invalid_credentials"


def test_EN05_a_homograph_is_not_the_account_it_looks_like(loose):
    person = Person(loose, address=f"paypal{secrets.token_hex(3)}@example.com").join()
    alike = person.email.replace("a", "\u0430", 1)
    answer = attempt(Client(loose), alike, person.password)
    assert answer.status_code in (401, 400, 422)


# EN-06

def test_EN06_the_limit_falls_on_the_same_try_for_known_and_unknown(stack):
    known = Person(stack).join()

    def statuses(address):
        client = Client(stack)
        return [attempt(client, address).status_code for _ in range(7)]

    assert statuses(known.email) == statuses(unknown()) == [401] * 5 + [429] * 2


def test_EN06_the_refusal_by_limit_is_one_answer(stack):
    known = Person(stack).join()
    answers = []
    for address in (known.email, unknown()):
        client = Client(stack)
        answers.append([attempt(client, address) for _ in range(6)][-1])
    assert_same(*answers)


# EN-07

def test_EN07_a_foreign_session_and_a_missing_one_are_one_answer(loose, known):
    foreign = Person(loose).join().login().get("/auth/session").json()["sid"]
    client = known.login()
    answers = [client.delete(f"/me/sessions/{one}")
               for one in (foreign, str(uuid.uuid4()))]
    assert answers[0].status_code == 404
    assert_same(*answers)


# EN-08

@pytest.mark.timing
def test_EN08_a_long_password_is_refused_before_it_is_hashed(loose, known):
    client = Client(loose)
    huge = "x" * 60000
    assert_same(attempt(client, known.email, huge), attempt(client, unknown(), huge))
    saved = median_difference_ms(sparing(loose, lambda: attempt(client, known.email)),
                                 lambda: attempt(client, known.email, huge))
    assert saved > 5, "a refused password costs as much as a hash"


@pytest.mark.timing
def test_EN08_a_long_password_takes_the_same_time_for_all(loose, known):
    client = Client(loose)
    huge = "x" * 60000
    assert_same_time(lambda: attempt(client, known.email, huge),
                     lambda: attempt(client, unknown(), huge))


def test_EN08_100_kilobytes_are_refused_as_a_body(loose, known):
    answers = [attempt(Client(loose), address, "x" * 100000)
               for address in (known.email, unknown())]
    assert answers[0].status_code == 413
    assert_same(*answers)
