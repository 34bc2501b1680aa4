# SPDX-License-Identifier: Apache-2.0
"""Redis emptied, stopped, killed, restarted, full, read-only.

SE-13, RL-07, LO-04's kin: a revoked token stays revoked, no limit is lifted,
nobody gets a 5xx for it.
"""

import os
import signal
import time

import pytest

from client import Client, Person
from services import redis_of
from stack import Stack, wait_until

EVERY_WORKER = 12


class Revoked:
    """Somebody with revoked sessions of every kind, and a live one."""

    def __init__(self, stack):
        person = Person(stack).join()
        self.live = person.login()
        self.by_logout = person.login()
        self.by_logout.post("/auth/logout")
        self.by_list = person.login()
        sid = self.by_list.get("/auth/session").json()["sid"]
        self.live.delete(f"/me/sessions/{sid}")
        self.by_reuse = person.login()
        person.renew(self.by_reuse.refresh_token)
        person.renew(self.by_reuse.refresh_token)
        disabled = Person(stack).join()
        self.by_disabling = disabled.login()
        stack.ctl("user", "disable", disabled.email)

    def dead(self):
        return (self.by_logout, self.by_list, self.by_reuse, self.by_disabling)

    def assert_still_dead(self):
        for client in self.dead():
            for path in ("/auth/session", "/me"):
                assert client.get(path).status_code == 401, path

    def assert_live(self):
        answer = self.live.get("/auth/session")
        assert answer.status_code == 200, answer.text


@pytest.fixture
def redis(fragile):
    service = redis_of(fragile)
    yield service
    service.restore()
    fragile.redis().config_set("maxmemory", "0")


@pytest.fixture
def revoked(fragile):
    people = Revoked(fragile)
    people.assert_still_dead()
    people.assert_live()
    return people


def test_SE13_after_FLUSHALL_no_revoked_token_is_accepted(fragile, redis, revoked):
    for _ in range(EVERY_WORKER):
        fragile.redis().flushall()
        revoked.assert_still_dead()
        revoked.assert_live()


def test_SE13_while_redis_is_dead_no_revoked_token_is_accepted(fragile, redis, revoked):
    redis.kill()
    for _ in range(EVERY_WORKER):
        revoked.assert_still_dead()
        revoked.assert_live()


def test_SE13_a_revocation_while_redis_is_dead_holds_then_and_later(fragile, redis):
    redis.kill()
    late = Revoked(fragile)
    late.assert_still_dead()
    late.assert_live()
    redis.start()
    for _ in range(EVERY_WORKER):
        late.assert_still_dead()
        late.assert_live()


def test_SE13_redis_restarted_empty_accepts_no_revoked_token(fragile, redis, revoked):
    redis.kill()
    redis.start()  # it keeps nothing on disk
    for _ in range(EVERY_WORKER):
        revoked.assert_still_dead()
        revoked.assert_live()


def test_SE13_redis_restarted_empty_is_filled_again(fragile, redis, revoked):
    fragile.redis().flushall()
    revoked.assert_still_dead()

    def is_filled():
        revoked.assert_live()
        return any(b"revoked" in key or b"session" in key
                   for key in fragile.redis().scan_iter())

    wait_until(is_filled, timeout=20)


def test_SE13_a_hanging_redis_delays_no_one_for_long_and_lets_no_one_in(fragile, redis, revoked):
    redis.pause()
    try:
        slowest = 0
        for _ in range(3):
            for client in (*revoked.dead(), revoked.live):
                start = time.monotonic()
                status = client.get("/auth/session").status_code
                slowest = max(slowest, time.monotonic() - start)
                assert status == (200 if client is revoked.live else 401)
        assert slowest < 3
    finally:
        redis.resume()
    revoked.assert_still_dead()
    revoked.assert_live()


def test_RL07_a_full_or_readonly_redis_is_an_outage_and_not_a_yes(fragile, redis, revoked):
    fragile.redis().config_set("maxmemory", "1")
    for _ in range(4):
        revoked.assert_still_dead()
        revoked.assert_live()
    later = Person(fragile).join().login()
    later.post("/auth/logout")
    assert later.get("/auth/session").status_code == 401
    fragile.redis().config_set("maxmemory", "0")
    for _ in range(EVERY_WORKER):
        assert later.get("/auth/session").status_code == 401


def test_everything_works_without_redis(fragile, redis):
    redis.kill()
    person = Person(fragile).join()
    client = person.login()
    assert client.get("/auth/session").status_code == 200
    assert person.renew(client.refresh_token).status_code == 200
    assert client.patch("/me", {"name": "Redis is away"}).status_code == 200
    assert client.post("/auth/logout").status_code == 204
    assert client.get("/auth/session").status_code == 401


def test_RL07_limits_hold_while_redis_is_dead():
    with Stack({"limit.login": "5/15m"}, workers=3) as running:
        service = redis_of(running)
        service.kill()
        client = Client(running)
        statuses = [client.post("/auth/login", {"email": "a@example.com", "password": "x"})
                    .status_code for _ in range(12)]
        assert 1 <= statuses.count(401) <= 5
        assert statuses[-4:] == [429] * 4
        service.start()


def test_a_dead_redis_is_told_but_is_no_reason_to_send_people_elsewhere(fragile, redis):
    client = Client(fragile)
    assert client.fetch("GET", "/readyz").json()["redis"] == "ok"
    redis.kill()
    for path in ("/healthz", "/readyz"):
        assert client.fetch("GET", path).status_code == 200
    assert client.fetch("GET", "/readyz").json()["redis"] == "unavailable"
    client.get("/auth/session")
    metrics = client.fetch("GET", "/metrics").text
    fallbacks = [line for line in metrics.splitlines()
                 if line.startswith("redis_fallbacks_total ")]
    assert float(fallbacks[0].split()[1]) > 0
    redis.start()
    wait_until(lambda: client.fetch("GET", "/readyz").json()["redis"] == "ok", timeout=5)


def test_RL06_after_killed_workers_every_key_has_a_life_time(fragile, redis):
    for _ in range(4):
        for pid in fragile.worker_pids()[:2]:
            Client(fragile).get("/auth/session")
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
    keys = fragile.redis()
    without = [key for key in keys.scan_iter() if keys.ttl(key) == -1 and b"ready" not in key]
    assert without == []
    wait_until(lambda: Client(fragile).fetch("GET", "/healthz").status_code == 200, timeout=20)
