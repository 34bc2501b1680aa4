# SPDX-License-Identifier: Apache-2.0
"""Failed sign-ins: what they cost whoever guesses, and never the owner.

LO-01 … LO-08, EN-06. Captchas and blocks have files of their own.
"""

import secrets
import threading
import time

import pytest

from altcha import answer_for
from burst import encode, send_at_once
from client import API, Client, Person, owner_of
from guessers import (CAPTCHA, FAILED, LIMITED, LOCKED, WRONG, guess, guesses,
                      lock_account, metric, nobody, verdict)
from stack import NO_LIMITS, Stack, wait_until

# The queue before the hash is so long that nobody is sent away from it.
NO_DELAY = {**NO_LIMITS, "guard.lock_after": "10", "password.hash_queue": "64"}


@pytest.fixture(scope="module")
def guarded():
    """Default locks, and neither limits nor captchas that bite before them."""
    with Stack(NO_DELAY, workers=4) as running:
        yield running


@pytest.fixture(scope="module")
def brisk():
    """Locks of seconds that grow, and waits of seconds that grow."""
    settings = {**NO_LIMITS, "guard.lock_after": "4", "guard.lock_first": "2s",
                "guard.lock_most": "4s", "guard.delay_after": "2",
                "guard.delay_first": "1s", "guard.delay_most": "2s"}
    with Stack(settings, workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def default():
    """As it is installed."""
    with Stack(workers=4) as running:
        yield running


# How many guesses there are

def hashed(stack, attempt):
    """What attempt() gave, and how many passwords were hashed for it."""
    before = metric(stack, "password_hashes_total")
    answers = attempt()
    return answers, int(metric(stack, "password_hashes_total") - before)


def login_requests(stack, addresses):
    return [encode(stack, "POST", API + "/auth/login", {"email": one, "password": WRONG})
            for one in addresses]


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_LO02_of_500_at_once_from_one_address_5_are_hashed_at_most(default, is_known):
    address = Person(default).join().email if is_known else nobody()
    requests = login_requests(default, [address] * 500)
    answers, count = hashed(default, lambda: send_at_once(
        default, requests, source=Client(default).address))
    assert 1 <= count <= 5
    verdicts = [verdict(one) for one in answers]
    assert set(verdicts) <= {FAILED, CAPTCHA, LIMITED}
    assert verdicts.count(FAILED) == count


def test_LO02_of_500_at_once_at_as_many_accounts_from_one_address_5_are_hashed_at_most(default):
    requests = login_requests(default, [nobody() for _ in range(500)])
    answers, count = hashed(default, lambda: send_at_once(
        default, requests, source=Client(default).address))
    assert 1 <= count <= 5
    assert {one.status for one in answers} <= {401, 403, 429}


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_LO02_of_500_networks_at_once_10_guess_at_one_account_at_most(guarded, is_known):
    address = Person(guarded).join().email if is_known else nobody()
    answers, count = hashed(guarded, lambda: send_at_once(
        guarded, login_requests(guarded, [address] * 500)))
    verdicts = [verdict(one) for one in answers]
    assert count == 10
    assert {one: verdicts.count(one) for one in set(verdicts)} == {FAILED: 10, LOCKED: 490}


def test_LO01_of_200_guesses_in_a_row_10_are_hashed(guarded):
    person = Person(guarded).join()
    verdicts, count = hashed(guarded, lambda: guesses(Client(guarded), person.email, 200))
    assert verdicts == [FAILED] * 10 + [LOCKED] * 190
    assert count == 10


def test_LO01_of_200_guesses_from_20_networks_no_more_are_hashed(guarded):
    person = Person(guarded).join()
    clients = [Client(guarded) for _ in range(20)]
    verdicts, count = hashed(guarded, lambda: [
        verdict(guess(client, person.email)) for _ in range(10) for client in clients])
    assert count <= 10
    assert set(verdicts) == {FAILED, LOCKED}


def test_EN06_an_unknown_account_gets_the_same_answers_in_the_same_order(guarded):
    def sequence(address):
        clients = [Client(guarded) for _ in range(3)]
        order = [0] * 8 + [1] * 8 + [2, 0, 1]
        return [verdict(guess(clients[one], address)) for one in order]

    known = sequence(Person(guarded).join().email)
    assert known == sequence(nobody())
    assert known == [FAILED] * 13 + [LOCKED] * 6


def test_EN06_so_it_is_with_the_defaults(default):
    def sequence(address):
        return guesses(Client(default), address, 7)

    known = sequence(Person(default).join().email)
    assert known == sequence(nobody())
    assert known == [FAILED] * 3 + [CAPTCHA] * 2 + [LIMITED] * 2


@pytest.mark.parametrize("local, domain", [("", "example.com"), ("nobody", "example.com"),
                                           ("", "xn--bcher-kva.example")],
                         ids=["known", "unknown", "international"])
def test_LO05_however_an_address_is_spelled_it_is_one_account(guarded, local, domain):
    name = f"al{secrets.token_hex(4)}"
    if not local:
        Person(guarded, address=f"{name}@{domain}").join()
    spellings = [f"{name}@{domain}", f"{name.title()}@{domain}", f"{name.upper()}@{domain}",
                 f" {name}@{domain}", f"{name}@{domain} ", f"{name}@{domain.upper()}"]
    if domain.startswith("xn--"):
        spellings += [f"{name}@b\u00fccher.example", f"{name}@B\u00dcCHER.example",
                      f"{name}@bu\u0308cher.example"]
    client = Client(guarded)
    verdicts = [verdict(guess(client, spellings[number % len(spellings)]))
                for number in range(10)]
    assert verdicts == [FAILED] * 10
    assert {verdict(guess(client, one)) for one in spellings} == {LOCKED}


# What the owner is spared

class Attack:
    """One client that guesses without end, in a thread of its own."""

    def __init__(self, stack, address):
        self.client = Client(stack)
        self.address = address
        self.verdicts = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.stopped.is_set():
            self.verdicts.append(verdict(guess(self.client, self.address)))

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: LOCKED in self.verdicts or LIMITED in self.verdicts)
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def test_LO03_while_one_network_hammers_the_owner_signs_in_from_everywhere(guarded):
    person = Person(guarded).join()
    known = person.login()
    with Attack(guarded, person.email) as attack:
        for _ in range(5):
            assert person.try_login(known).status_code == 200
            assert person.try_login(Client(guarded)).status_code == 200
        assert person.try_login(Client(guarded, attack.client.address)).status_code == 429
    assert attack.verdicts[:10] == [FAILED] * 10
    assert set(attack.verdicts[10:]) == {LOCKED}


def test_LO03_so_it_is_with_the_defaults_once_a_captcha_is_solved(default):
    person = Person(default).join()
    known = person.login()
    with Attack(default, person.email):
        for client in (known, Client(default)):
            assert person.try_login(client, captcha=answer_for(default)).status_code == 200


def test_LO03_two_networks_lock_strangers_out_and_a_known_device_passes(guarded):
    person = Person(guarded).join()
    known = person.login()
    lock_account(guarded, person.email)
    refused = person.try_login(Client(guarded))
    assert verdict(refused) == LOCKED
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert person.try_login(known).status_code == 200


def test_LO03_another_persons_device_passes_no_lock(guarded):
    victim, other = Person(guarded).join(), Person(guarded).join()
    device = other.login().cookie("__Host-claviger_device")
    lock_account(guarded, victim.email)
    for forged in (device, device[:-1] + ("A" if device[-1] != "A" else "B"), "x", ""):
        answer = Client(guarded).post(
            "/auth/login", {"email": victim.email, "password": victim.password},
            headers={"Cookie": f"__Host-claviger_device={forged}"})
        assert verdict(answer) == LOCKED


def test_LO03_a_stolen_device_has_as_many_guesses_as_anybody(guarded):
    person = Person(guarded).join()
    cookie = "__Host-claviger_device=" + person.login().cookie("__Host-claviger_device")
    verdicts = [verdict(Client(guarded).post(
        "/auth/login", {"email": person.email, "password": WRONG},
        headers={"Cookie": cookie})) for _ in range(13)]
    assert verdicts == [FAILED] * 10 + [LOCKED] * 3


def test_a_device_is_remembered_by_a_cookie_that_no_script_reads(guarded):
    answer = Person(guarded).join().try_login(session="cookie")
    cookie = next(one for one in answer.raw.headers.getlist("Set-Cookie")
                  if one.startswith("__Host-claviger_device="))
    for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=15552000"):
        assert word in cookie
    assert "Domain" not in cookie


# How long it counts

def test_LO04_an_emptied_redis_forgets_no_failure(guarded):
    person = Person(guarded).join()
    client = Client(guarded)
    for _ in range(10):
        assert verdict(guess(client, person.email)) == FAILED
        guarded.redis().flushall()
    assert verdict(guess(client, person.email)) == LOCKED


def test_LO04_killed_workers_forget_no_failure(guarded):
    person = Person(guarded).join()
    client = Client(guarded)
    assert guesses(client, person.email, 9) == [FAILED] * 9
    for pid in guarded.worker_pids():
        guarded.kill_worker(pid)
    wait_until(lambda: Client(guarded).fetch("GET", "/healthz").status_code == 200, timeout=20)
    assert guesses(client, person.email, 2) == [FAILED, LOCKED]


def test_LO04_an_attempt_whose_record_cannot_be_written_is_counted_all_the_same(guarded):
    """The transaction that says it failed is rolled back; the claim is not."""
    person = Person(guarded).join()
    client = Client(guarded)
    guarded.query("RENAME TABLE audit_event TO audit_away")
    try:
        assert {guess(client, person.email).status_code for _ in range(10)} <= {500, 503}
    finally:
        guarded.query("RENAME TABLE audit_away TO audit_event")
    assert verdict(guess(client, person.email)) == LOCKED


def test_LO06_the_owners_success_lets_the_attackers_network_try_no_more_often(guarded):
    person = Person(guarded).join()
    attacker = Client(guarded)
    assert guesses(attacker, person.email, 6) == [FAILED] * 6
    person.login()
    assert guesses(attacker, person.email, 5) == [FAILED] * 4 + [LOCKED]


def test_LO06_a_success_starts_ones_own_network_anew(guarded):
    person = Person(guarded).join()
    client = Client(guarded)
    for _ in range(3):
        assert guesses(client, person.email, 8) == [FAILED] * 8
        assert person.try_login(client).status_code == 200


def test_LO_waits_are_answers_that_grow_to_a_bound(brisk):
    client, address = Client(brisk), nobody()
    assert guesses(client, address, 2) == [FAILED] * 2
    for wait in (1, 2):
        asked = time.monotonic()
        refused = guess(client, address)
        assert time.monotonic() - asked < 0.9, "a worker slept"
        assert verdict(refused) == LIMITED
        assert refused.headers["Retry-After"] == str(wait)
        time.sleep(wait)
        assert verdict(guess(client, address)) == FAILED


def test_LO06_a_lock_ends_when_it_said_whatever_was_tried_and_the_next_is_longer(brisk):
    client, address = Client(brisk), nobody()
    for wait in (0, 0, 1, 2):  # the waits of guard.delay_*
        time.sleep(wait)
        assert verdict(guess(client, address)) == FAILED
    for life in (2, 4, 4):
        begun = time.monotonic()
        refused = guess(client, address)
        assert verdict(refused) == LOCKED
        assert refused.headers["Retry-After"] == str(life)
        while time.monotonic() - begun < life - 0.3:
            assert verdict(guess(client, address)) == LOCKED
            time.sleep(0.2)
        time.sleep(max(0, begun + life - time.monotonic()))
        assert verdict(guess(client, address)) == FAILED


# Whom it is told to, and who lifts it

def test_LO08_the_owner_is_told_of_a_lock_once(guarded):
    person = Person(guarded).join()
    client = Client(guarded)
    guesses(client, person.email, 12)
    person.mail.wait("/forgot.html")
    time.sleep(0.5)
    assert len([one for one in person.mail.messages() if "/forgot.html" in str(one)]) == 1
    events = owner_of(guarded).login().get("/audit?event_type=account_lock").json()["items"]
    mine = [one for one in events if one["user_id"] == person.user_id]
    assert len(mine) == 1 and mine[0]["ip"] == client.address


def test_LO08_the_owner_is_told_when_a_stranger_gets_in_after_failures(guarded):
    person = Person(guarded).join()
    before = len(person.mail.messages())
    guesses(Client(guarded), person.email, 4)
    person.login()
    wait_until(lambda: len(person.mail.messages()) == before + 1, timeout=20)
    events = person.login().get("/audit?event_type=suspicious_activity").json()["items"]
    assert len(events) == 1


def test_unlocking_by_the_API_lets_strangers_try_again(guarded):
    person = Person(guarded).join()
    lock_account(guarded, person.email)
    path = f"/users/{person.user_id}/unlock"
    assert Person(guarded).join().login().post(path).status_code == 403
    owner = owner_of(guarded).login()
    assert owner.post(path).status_code == 204
    assert person.try_login().status_code == 200
    assert owner.post("/users/00000000-0000-7000-8000-000000000000/unlock").status_code == 404
    events = owner.get("/audit?event_type=account_unlock").json()["items"]
    assert [one for one in events if one["user_id"] == person.user_id]


def test_unlocking_by_clavigerctl_lets_the_attackers_network_try_again_too(guarded):
    person = Person(guarded).join()
    client = Client(guarded)
    guesses(client, person.email, 10)
    assert verdict(person.try_login(client)) == LOCKED
    guarded.ctl("user", "unlock", person.email.upper())
    assert person.try_login(client).status_code == 200


def test_a_new_password_by_mail_lifts_the_lock(guarded):
    person = Person(guarded).join()
    lock_account(guarded, person.email)
    Client(guarded).post("/auth/password/forgot", {"email": person.email})
    token = person.mail.wait_for_token("/reset.html")
    person.password = secrets.token_urlsafe(18)
    answer = Client(guarded).post(
        "/auth/password/reset", {"token": token, "new_password": person.password})
    assert answer.status_code == 204, answer.text
    assert person.try_login().status_code == 200


# Every way to a token

def test_LO07_a_disabled_person_gets_no_token_in_any_way(guarded):
    person = Person(guarded).join()
    client, browser = person.login(), person.login_by_cookie()
    Client(guarded).post("/auth/password/forgot", {"email": person.email})
    reset = person.mail.wait_for_token("/reset.html")
    guarded.ctl("user", "disable", person.email)
    assert verdict(person.try_login()) == FAILED
    assert verdict(person.try_login(client)) == FAILED  # a known device
    assert person.renew(client.refresh_token).status_code == 401
    assert browser.post("/auth/refresh", headers=browser.csrf_headers()).status_code == 401
    assert client.get("/auth/session").status_code == 401
    assert client.post("/auth/password/change", {
        "current_password": person.password,
        "new_password": secrets.token_urlsafe(18)}).status_code == 401
    new = secrets.token_urlsafe(18)
    answer = Client(guarded).post("/auth/password/reset", {"token": reset, "new_password": new})
    assert answer.status_code in (204, 401) and not answer.text.count("access_token")
    person.password = new
    assert verdict(person.try_login()) == FAILED


def test_LO07_a_lock_keeps_the_right_password_out_and_ends_no_session(guarded):
    """It is soft: what strangers do must not throw the owner out."""
    person = Person(guarded).join()
    client = person.login()
    lock_account(guarded, person.email)
    assert verdict(person.try_login(Client(guarded))) == LOCKED
    assert client.get("/auth/session").status_code == 200
    assert person.renew(client.refresh_token).status_code == 200


def test_guesses_at_the_present_password_are_counted_as_sign_ins_are(default):
    """Changing a password asks for the present one: no way around the limit."""
    person = Person(default).join()
    client = person.login()
    answered = [client.post("/auth/password/change", {
        "current_password": WRONG, "new_password": secrets.token_urlsafe(18)}).status_code
        for _ in range(7)]
    assert 429 in answered and answered[-1] == 429
    assert set(answered) <= {401, 403, 429}
