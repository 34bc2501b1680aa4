# SPDX-License-Identifier: Apache-2.0
"""The limits' plumbing: 429, its headers, and counts that all workers share."""

import datetime
import secrets
import threading
import time

import pytest

from burst import encode, send_at_once
from client import API, Client, Person
from stack import NO_LIMITS, Stack


def nobody():
    """An account that no other test locks."""
    return f"{secrets.token_hex(6)}@example.com"


def sender(path, **body):
    return lambda client: client.post(path, body)


@pytest.mark.parametrize("send, count", [
    (lambda client: client.post("/auth/login", {"email": nobody(), "password": "x"}), 5),
    (lambda client: Person(client.stack).register(client), 3),
    (sender("/auth/password/forgot", email="nobody@example.com"), 3),
    (sender("/auth/verify-email", token="A" * 43), 5)],
    ids=["login", "register", "reset", "verification"])
def test_RL_each_address_has_its_count_and_no_more(stack, send, count):
    client = Client(stack)
    answers = [send(client) for _ in range(count + 2)]
    assert all(one.status_code != 429 for one in answers[:count])
    assert [one.status_code for one in answers[count:]] == [429, 429]
    assert send(Client(stack)).status_code != 429


def test_RL05_the_headers_count_down_and_tell_when(stack):
    client = Client(stack)
    for left in (4, 3, 2, 1, 0):
        answer = client.post("/auth/login", {"email": nobody(), "password": "x"})
        assert answer.headers["X-RateLimit-Limit"] == "5"
        assert answer.headers["X-RateLimit-Remaining"] == str(left)
        reset = datetime.datetime.fromisoformat(
            answer.headers["X-RateLimit-Reset"].replace("Z", "+00:00"))
        seconds = (reset - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
        assert -2 < seconds <= 901
        assert answer.headers["RateLimit"] and answer.headers["RateLimit-Policy"]
    answer = client.post("/auth/login", {"email": nobody(), "password": "x"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.json()["code"] == "rate_limited"


def test_RL01_a_burst_over_all_workers_admits_exactly_the_limit(stack):
    client = Client(stack)
    answers = []

    def attempt():
        one = Client(stack, client.address)
        answers.append(one.post("/auth/login", {
            "email": f"{secrets.token_hex(4)}@example.com", "password": "x"}).status_code)

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    # One of the five may find the queue of the hashes full.
    assert answers.count(401) + answers.count(503) == 5
    assert answers.count(429) == 35


def test_RL02_the_window_slides(stack):
    settings = {**NO_LIMITS, "limit.verification": "4/2s"}
    with Stack(settings, workers=2) as running:
        client = Client(running)

        def statuses(count):
            return [client.post("/auth/verify-email", {"token": "A" * 43}).status_code
                    for _ in range(count)]

        assert statuses(2) == [401, 401]
        time.sleep(1.2)
        assert statuses(3) == [401, 401, 429]
        time.sleep(1.0)  # the first two have left the window, the others have not
        assert statuses(3) == [401, 401, 429]


def test_RL04_forwarded_addresses_of_strangers_do_not_count(stack):
    client = Client(stack)
    statuses = []
    for number in range(6):
        forged = f"198.51.100.{number}"
        statuses.append(client.post(
            "/auth/login", {"email": nobody(), "password": "x"},
            headers={"X-Forwarded-For": forged, "X-Real-IP": forged,
                     "Forwarded": f"for={forged}"}).status_code)
    assert statuses == [401] * 5 + [429]


def test_RL06_no_key_is_left_without_a_life_time(stack):
    for _ in range(3):
        Client(stack).get("/auth/session")
    keys = stack.redis()
    without = [key for key in keys.scan_iter() if keys.ttl(key) == -1]
    # What says that Redis was filled belongs to this Redis for good.
    assert [key for key in without if b"ready" not in key] == []


def test_RL_a_right_password_costs_no_attempt_of_others(stack):
    person = Person(stack).join()
    client = Client(stack)
    statuses = [person.try_login(client).status_code for _ in range(5)]
    assert statuses == [200] * 5


def test_RL_only_a_wrong_password_counts_for_who_is_signed_in(stack, person):
    client = person.login()
    body = {"current_password": person.password, "new_password": "a" * 20}
    for _ in range(8):
        assert client.post("/auth/password/change", body).status_code == 422
        assert client.patch("/me", {"name": "\x7f"}).status_code == 422
    body["current_password"] = "wrong wrong wrong"
    statuses = [client.post("/auth/password/change", body).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


def test_RL01_a_thousand_at_once_from_many_addresses_all_get_an_answer(loose):
    request = encode(loose, "GET", API + "/auth/session")
    answers = send_at_once(loose, [request] * 1000)
    statuses = [one.status for one in answers]
    assert statuses.count(401) == 1000, {one: statuses.count(one) for one in set(statuses)}
