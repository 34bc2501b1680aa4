# SPDX-License-Identifier: Apache-2.0
"""Both kinds of limit: exact over processes and hosts, at their edges, by network.

RL-01 … RL-06, RL-09. What each route is limited by is test_rate_limits.py's.
"""

import datetime
import secrets
import threading
import time

import pytest

import fcgi
import hosts
from burst import encode, send_at_once
from client import API, Client, Person, next_address, owner_of
from stack import NO_LIMITS, ROOT, Stack, is_sanitized, wait_until

COUNT = 300 if is_sanitized() else 1000
WINDOW, BUCKET = 50, 40
PROXY = "127.77.0.1"

SESSION = ("GET", API + "/auth/session", None)
VERIFY = ("POST", API + "/auth/verify-email", {"token": "A" * 43})
REGISTER = ("POST", API + "/auth/register", {})
FORGOT = ("POST", API + "/auth/password/forgot", {})


@pytest.fixture(scope="module")
def counted():
    """Windows and buckets of small sizes; what is admitted costs little."""
    settings = {
        **NO_LIMITS,
        "limit.api_anonymous": f"{WINDOW}/1h",
        "limit.verification": f"{BUCKET}/1h burst {BUCKET}",
        "limit.registration": "20/1m burst 5",
        "limit.reset": "4/4s",
        "limit.login": "5/15m",
        "limit.ipv6_site_factor": "4",
        "server.trusted_proxies": PROXY,
    }
    with Stack(settings, workers=4) as running:
        yield running


@pytest.fixture(scope="module")
def second(counted):
    with hosts.SecondHost(counted) as host:
        yield host


def call(client, request):
    return client.fetch(*request)


def statuses(client, request, count):
    return [call(client, request).status_code for _ in range(count)]


def assert_exactly(answered, admitted, status):
    counts = {one: answered.count(one) for one in set(answered)}
    assert counts == {status: admitted, 429: len(answered) - admitted}


# One limit for all processes and hosts

@pytest.mark.parametrize("request_, admitted", [(SESSION, WINDOW), (VERIFY, BUCKET)],
                         ids=["sliding window", "token bucket"])
def test_RL01_a_thousand_at_once_are_admitted_as_often_as_may_be(counted, request_, admitted):
    request = encode(counted, *request_)
    answers = send_at_once(counted, [request] * COUNT, source=next_address())
    assert_exactly([one.status for one in answers], admitted, 401)


@pytest.mark.parametrize("request_, admitted", [(SESSION, WINDOW), (VERIFY, BUCKET)],
                         ids=["sliding window", "token bucket"])
def test_RL01_two_hosts_together_admit_no_more(counted, second, request_, admitted):
    variables, body = hosts.encode(*request_, address=next_address())
    requests = [(path, variables, body)
                for path in (counted.fcgi_socket, second.socket)] * (COUNT // 2)
    answered = [status for status, _ in fcgi.send_at_once(requests)]
    assert_exactly(answered, admitted, 401)


# Edges

def test_RL02_no_more_fit_around_the_edge_of_a_sliding_window(counted):
    """Four in four seconds: two at 0 s and two at 2 s, so none at 3 s (a second
    before the first leave), two at 5 s (a second after), and two at 7 s."""
    client = Client(counted)
    call(client, SESSION)  # the connection
    begun = time.monotonic()

    def at(second, count):
        time.sleep(max(0, begun + second - time.monotonic()))
        return statuses(client, FORGOT, count)

    assert at(0, 2) == [422, 422]
    assert at(2, 3) == [422, 422, 429]
    assert at(3, 1) == [429]
    assert at(5, 3) == [422, 422, 429]
    assert at(7, 3) == [422, 422, 429]


def test_RL02_a_bucket_takes_its_burst_and_then_what_was_refilled(counted):
    client = Client(counted)
    assert statuses(client, REGISTER, 7) == [422] * 5 + [429] * 2
    time.sleep(6.3)  # two tokens of three seconds
    assert statuses(client, REGISTER, 3) == [422, 422, 429]


@pytest.mark.parametrize("request_, admitted", [(FORGOT, 4), (REGISTER, 5)],
                         ids=["sliding window", "token bucket"])
def test_RL05_who_waits_as_told_is_admitted_and_a_second_earlier_is_not(
        counted, request_, admitted):
    client = Client(counted)
    assert statuses(client, request_, admitted) == [422] * admitted
    refused = call(client, request_)
    told = time.monotonic()
    wait = int(refused.headers["Retry-After"])
    assert refused.status_code == 429 and wait >= 2
    time.sleep(told + wait - 1.05 - time.monotonic())
    assert call(client, request_).status_code == 429
    time.sleep(max(0, told + wait - time.monotonic()))
    assert call(client, request_).status_code == 422


def test_RL05_a_buckets_headers_count_down_and_tell_when_it_is_full(counted):
    client = Client(counted)
    for left in (4, 3, 2, 1, 0):
        headers = call(client, REGISTER).headers
        assert headers["X-RateLimit-Remaining"] == str(left)
        reset = datetime.datetime.fromisoformat(
            headers["X-RateLimit-Reset"].replace("Z", "+00:00"))
        wait = reset.timestamp() - time.time()
        assert 3 * (5 - left) - 2 <= wait <= 3 * (5 - left) + 1
        assert "RateLimit" in headers and "RateLimit-Policy" in headers


# Who is one

def raw(stack, address, request, headers=None):
    return hosts.call(stack.fcgi_socket, *request, address=address, headers=headers)[0]


def raw_all(stack, addresses, request):
    requests = [(stack.fcgi_socket, *hosts.encode(*request, address=one))
                for one in addresses]
    return [status for status, _ in fcgi.send_at_once(requests)]


def test_RL03_all_addresses_of_a_64_are_one(counted):
    addresses = [f"2001:db8:1:1::{number:x}" for number in range(1, COUNT + 1)]
    assert_exactly(raw_all(counted, addresses, SESSION), WINDOW, 401)
    assert raw(counted, "2001:db8:1:2::1", SESSION) == 401


def test_RL03_a_48_has_a_wider_limit_of_its_own(counted):
    """Four times that of a /64, here: however many networks a site has."""
    addresses = [f"2001:db8:2:{number:x}::1" for number in range(COUNT)]
    assert_exactly(raw_all(counted, addresses, SESSION), 4 * WINDOW, 401)
    assert raw(counted, "2001:db8:3:1::1", SESSION) == 401


def test_RL03_a_mapped_address_is_the_IPv4_one(counted):
    plain = next_address()
    mapped = "::ffff:" + plain
    assert raw_all(counted, [plain, mapped] * (BUCKET // 2), VERIFY) == [401] * BUCKET
    assert [raw(counted, one, VERIFY) for one in (plain, mapped)] == [429, 429]


def test_RL03_RL04_a_trusted_proxys_IPv6_clients_are_counted_by_network(counted):
    client = Client(counted, PROXY)

    def verify(address):
        return client.fetch(*VERIFY, headers={"X-Forwarded-For": address}).status_code

    assert [verify(f"2001:db8:9:1::{number:x}") for number in range(BUCKET)] == [401] * BUCKET
    assert verify("2001:db8:9:1:ffff::") == 429
    assert verify("2001:db8:9:2::1") == 401


# Floods and crashes

def admit(stack, keys_and_rates):
    """Charge limits by the program's own script, straight in Redis."""
    connection = stack.redis()
    script = connection.script_load((ROOT / "src/store/lua/admit.lua").read_text())
    prefix = next(connection.scan_iter("*ready*")).decode().removesuffix("ready")
    pipeline = connection.pipeline(transaction=False)
    for key, count, window_ms, burst in keys_and_rates:
        pipeline.evalsha(script, 3, prefix + "ready", prefix + "guard", prefix + key,
                         "", 0, 0, "", count, window_ms, burst)
    return pipeline.execute()


@pytest.mark.timing
def test_RL09_a_hundred_thousand_addresses_do_not_push_a_victims_counter_out(counted):
    """In Redis; for its absence tests/unit/test_limit_local.c has the same."""
    victim = Client(counted)
    assert statuses(victim, SESSION, WINDOW + 1) == [401] * WINDOW + [429]
    rates = [(f"limit:api_anonymous:10.{n >> 16}.{n >> 8 & 255}.{n & 255}", WINDOW, 3600000, 0)
             for n in range(100_000)]
    for start in range(0, len(rates), 5000):
        answers = admit(counted, rates[start:start + 5000])
        assert all(answer[2] == 0 for answer in answers)
    assert counted.redis().dbsize() > 100_000
    assert statuses(Client(counted, victim.address), SESSION, 2) == [429, 429]
    assert counted.redis().config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_RL06_after_a_storm_of_kills_no_key_is_without_a_life_time(counted):
    stop = threading.Event()

    def knock():
        while not stop.is_set():
            for request in (SESSION, VERIFY):
                try:
                    raw(counted, next_address(), request)
                except OSError:
                    pass

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for one in threads:
        one.start()
    try:
        for _ in range(6):
            for pid in counted.worker_pids()[:2]:
                counted.kill_worker(pid)
            time.sleep(0.3)
    finally:
        stop.set()
        for one in threads:
            one.join()
    redis = counted.redis()
    lasting = [key for key in redis.scan_iter(count=10000) if redis.ttl(key) == -1]
    # That Redis was filled, and the guard's version, are this Redis's for good.
    assert [key for key in lasting if not key.endswith((b"ready", b"guard"))] == []
    wait_until(lambda: len(counted.worker_pids()) >= 4, timeout=20)


# Policies

@pytest.fixture(scope="module")
def owner(counted):
    return owner_of(counted).login()


def change(owner, **rates):
    return owner.patch("/admin/policies", {"policies": rates})


def rate(limit, window_s, burst=None):
    return {"limit": limit, "window_s": window_s, "burst": burst}


def policy(owner, name):
    answer = owner.get("/admin/policies")
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json()["items"] if one["name"] == name)


@pytest.fixture
def unchanged(owner):
    yield
    assert change(owner, verification=None).status_code == 200


def test_a_changed_policy_holds_on_every_worker_of_both_hosts_within_a_second(
        counted, second, owner, unchanged):
    hosts_sockets = (counted.fcgi_socket, second.socket)
    for path in hosts_sockets:  # every worker has a copy of the old rate
        for _ in range(12):
            assert hosts.call(path, *VERIFY, address=next_address())[0] == 401
    answer = change(owner, verification=rate(2, 3600))
    assert answer.status_code == 200, answer.text
    changed = time.monotonic()
    requests = []
    for path in hosts_sockets * 20:
        address = next_address()
        requests += [(path, *hosts.encode(*VERIFY, address=address))] * 3
    time.sleep(max(0, changed + 1 - time.monotonic()))
    answered = [status for status, _ in fcgi.send_at_once(requests)]
    for start in range(0, len(answered), 3):
        assert sorted(answered[start:start + 3]) == [401, 401, 429]


def test_a_policy_may_turn_from_one_kind_into_the_other_and_back(counted, owner, unchanged):
    client = Client(counted)
    assert change(owner, verification=rate(2, 3600)).status_code == 200
    assert statuses(client, VERIFY, 3) == [401, 401, 429]
    assert change(owner, verification=rate(3, 3600, 3)).status_code == 200
    assert statuses(client, VERIFY, 4) == [401, 401, 401, 429]
    shown = policy(owner, "verification")
    assert (shown["limit"], shown["window_s"], shown["burst"]) == (3, 3600, 3)
    assert shown["is_changed"] is True
    assert shown["configured"]["limit"] == BUCKET
    assert change(owner, verification=None).status_code == 200
    assert policy(owner, "verification")["is_changed"] is False
    assert statuses(Client(counted), VERIFY, BUCKET + 1) == [401] * BUCKET + [429]


def test_a_change_of_policy_is_on_record(counted, owner, unchanged):
    answer = change(owner, verification=rate(7, 60))
    events = owner.get("/audit?event_type=policy_change").json()["items"]
    mine = [one for one in events if one["request_id"] == answer.headers["X-Request-Id"]]
    assert len(mine) == 1 and mine[0]["success"] is True
    assert "verification" in str(mine[0])


@pytest.mark.parametrize("rates", [
    {"verification": {"limit": 0, "window_s": 60}},
    {"verification": {"limit": 1000001, "window_s": 60}},
    {"verification": {"limit": 5, "window_s": 0}},
    {"verification": {"limit": 5, "window_s": 2592001}},
    {"verification": {"limit": 5, "window_s": 60, "burst": 1000001}},
    {"verification": {"limit": 5.5}}, {"verification": "5/1m"}, {"nonsense": None}],
    ids=["none", "many", "no time", "long", "burst", "fraction", "text", "unknown"])
def test_a_rate_that_makes_no_sense_changes_nothing(counted, owner, rates):
    before = owner.get("/admin/policies").json()
    answer = change(owner, **rates, reset=rate(9, 9))
    assert answer.status_code in (400, 422), answer.text
    assert owner.get("/admin/policies").json() == before


def test_only_the_platforms_people_see_and_change_policies(counted):
    client = Person(counted).join().login()
    for answer in (client.get("/admin/policies"), change(client, login=rate(1000, 1)),
                   Client(counted).get("/admin/policies")):
        assert answer.status_code in (401, 403)


# The defaults

@pytest.fixture(scope="module")
def untouched():
    """As it is installed, without any --set that is about the guard."""
    with Stack(workers=4) as running:
        yield running


def test_RL_the_default_policies_are_those_of_the_manual(untouched):
    items = owner_of(untouched).login().get("/admin/policies").json()["items"]
    rates = {one["name"]: (one["limit"], one["window_s"], one["burst"] or 0) for one in items}
    assert rates == {
        "login": (5, 900, 0), "login_account": (5, 300, 0), "registration": (3, 3600, 0),
        "reset": (3, 3600, 0), "verification": (5, 3600, 0), "api_user": (100, 60, 10),
        "api_anonymous": (20, 60, 5), "api_key": (100, 60, 10), "websocket": (10, 60, 2),
        "factor": (20, 3600, 0)}


def test_RL_without_a_credential_an_address_has_a_burst_of_5(untouched):
    client = Client(untouched)
    assert statuses(client, SESSION, 7) == [401] * 5 + [429] * 2
    assert call(client, SESSION).headers["Retry-After"] in ("2", "3")
    assert call(Client(untouched), SESSION).status_code == 401


def test_RL_a_person_has_a_burst_of_10_from_wherever_they_call(untouched):
    person = Person(untouched).join()
    clients = [person.login(), person.login()]
    requests = [encode(untouched, "GET", API + "/auth/session",
                       headers={"Authorization": f"Bearer {one.token}"})
                for one in clients] * 20
    answered = [one.status for one in send_at_once(untouched, requests)]
    assert 10 <= answered.count(200) <= 12  # one comes back each 0.6 s
    assert answered.count(200) + answered.count(429) == 40
    other = Person(untouched).join().login()
    assert other.get("/auth/session").status_code == 200


def test_RL_a_bad_token_counts_as_no_credential(untouched):
    """Or each forged token would be a bucket of its own."""
    client = Client(untouched)
    answered = [client.get("/auth/session", headers={
        "Authorization": f"Bearer {secrets.token_urlsafe(40)}"}).status_code for _ in range(7)]
    assert answered == [401] * 5 + [429] * 2
