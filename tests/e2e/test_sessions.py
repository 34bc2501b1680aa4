# SPDX-License-Identifier: Apache-2.0
"""SE-01 … SE-13: sessions, and what a stolen refresh token is worth."""

import hashlib
import re
import time
import uuid

import jwt

from client import Client, Person, owner_of
from stack import wait_until

MONTH_MS = 30 * 24 * 3600 * 1000


def is_live(client):
    return client.get("/auth/session").status_code == 200


def assert_dead_within_a_second(client):
    wait_until(lambda: not is_live(client), timeout=1, what="the end of the session")
    assert client.get("/auth/session").json()["code"] == "token_revoked"
    assert client.get("/me").status_code == 401


def assert_revoked(answer):
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "token_revoked", answer.text


def sessions_of(person):
    return person.stack.query(
        "SELECT s.* FROM session s JOIN user u ON u.id = s.user_id"
        " WHERE u.email = %s ORDER BY s.id", person.email)


# SE-01

def test_SE01_a_refresh_token_has_256_bits_and_only_its_hash_is_stored(stack, person):
    token = person.login().refresh_token
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    rows = stack.query(
        "SELECT r.* FROM refresh_token r JOIN session s ON s.id = r.session_id"
        " JOIN user u ON u.id = s.user_id WHERE u.email = %s", person.email)
    assert len(rows) == 1
    assert rows[0]["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert token.encode() not in repr(rows).encode()


def test_SE01_each_use_gives_another_token(person):
    token, seen = person.login().refresh_token, set()
    for _ in range(5):
        seen.add(token)
        answer = person.renew(token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    assert len(seen | {token}) == 6


# SE-02

def test_SE02_reuse_of_a_rotated_token_ends_the_whole_family(person):
    thief = person.login()
    client = Client(person.stack)
    renewed = person.renew(thief.refresh_token).json()
    client.token = renewed["access_token"]
    assert is_live(client)

    assert_revoked(person.renew(thief.refresh_token))
    assert_revoked(person.renew(renewed["refresh_token"]))
    assert_dead_within_a_second(client)
    assert_dead_within_a_second(thief)


def test_SE02_other_sessions_of_the_person_live_on(person):
    stolen, other = person.login(), person.login()
    person.renew(stolen.refresh_token)
    assert_revoked(person.renew(stolen.refresh_token))
    assert is_live(other)
    assert person.renew(other.refresh_token).status_code == 200


def test_SE02_a_reuse_is_on_record_as_critical(person):
    client = person.login()
    person.renew(client.refresh_token)
    person.renew(client.refresh_token)
    events = person.login().get("/audit?severity=critical").json()["items"]
    assert len(events) == 1
    assert events[0]["success"] is False


# SE-04

def test_SE04_without_a_grace_the_predecessor_is_reuse_at_once(person):
    token = person.login().refresh_token
    assert person.renew(token).status_code == 200
    assert_revoked(person.renew(token))


def test_SE04_within_the_grace_the_direct_predecessor_gives_the_same_successor(brief):
    person = Person(brief).join()
    token = person.login().refresh_token
    successors = {person.renew(token).json()["refresh_token"] for _ in range(3)}
    assert len(successors) == 1
    assert person.renew(successors.pop()).status_code == 200


def test_SE04_a_grandparent_is_reuse_even_within_the_grace(brief):
    person = Person(brief).join()
    eldest = person.login().refresh_token
    parent = person.renew(eldest).json()["refresh_token"]
    newest = person.renew(parent).json()["refresh_token"]
    assert_revoked(person.renew(eldest))
    assert_revoked(person.renew(newest))


def test_SE04_after_the_grace_the_predecessor_is_reuse(brief):
    person = Person(brief).join()
    token = person.login().refresh_token
    successor = person.renew(token).json()["refresh_token"]
    time.sleep(2.2)
    assert_revoked(person.renew(token))
    assert_revoked(person.renew(successor))


# SE-05

def test_SE05_a_family_lives_30_days_and_no_use_prolongs_it(person):
    token = person.login().refresh_token
    before = sessions_of(person)[0]
    assert before["expires_at"] - before["created_at"] == MONTH_MS
    assert before["idle_expires_at"] <= before["expires_at"]
    time.sleep(0.05)
    assert person.renew(token).status_code == 200
    after = sessions_of(person)[0]
    assert after["expires_at"] == before["expires_at"]
    assert after["last_used_at"] > before["last_used_at"]


def test_SE05_a_family_past_its_absolute_life_is_dead(stack, person):
    client = person.login()
    stack.query("UPDATE session SET expires_at = %s WHERE id = UNHEX(%s)",
                int(time.time() * 1000) - 1, session_hex(client))
    answer = person.renew(client.refresh_token)
    assert answer.status_code == 401
    assert answer.json()["code"] in ("token_expired", "token_invalid", "token_revoked")


def test_SE05_an_idle_family_is_dead(stack, person):
    client = person.login()
    stack.query("UPDATE session SET idle_expires_at = %s WHERE id = UNHEX(%s)",
                int(time.time() * 1000) - 1, session_hex(client))
    assert person.renew(client.refresh_token).status_code == 401


def test_SE05_use_prolongs_the_idle_life(stack, person):
    client = person.login()
    soon = int(time.time() * 1000) + 60000
    stack.query("UPDATE session SET idle_expires_at = %s WHERE id = UNHEX(%s)",
                soon, session_hex(client))
    assert person.renew(client.refresh_token).status_code == 200
    assert sessions_of(person)[0]["idle_expires_at"] > soon + 60000


def session_hex(client):
    return client.get("/auth/session").json()["sid"].replace("-", "")


# SE-06

def test_SE06_logout_ends_the_family_and_its_access_tokens(person):
    client, other = person.login(), person.login()
    answer = Client(person.stack).post(
        "/auth/logout", {"refresh_token": client.refresh_token})
    assert answer.status_code == 204
    assert_dead_within_a_second(client)
    assert_revoked(person.renew(client.refresh_token))
    assert is_live(other)


def test_SE06_logout_by_the_bearer_alone_ends_the_session(person):
    client = person.login()
    assert client.post("/auth/logout").status_code == 204
    assert_dead_within_a_second(client)
    assert_revoked(person.renew(client.refresh_token))


def test_SE06_end_all_others_leaves_this_one(person):
    mine, others = person.login(), [person.login() for _ in range(3)]
    assert mine.delete("/me/sessions").status_code == 204
    for other in others:
        assert_dead_within_a_second(other)
        assert_revoked(person.renew(other.refresh_token))
    assert is_live(mine)
    assert len(mine.get("/me/sessions").json()["items"]) == 1


def test_SE06_the_platform_ends_every_session_of_a_person(stack, person):
    clients = [person.login(), person.login()]
    owner = owner_of(stack).login()
    answer = owner.post(f"/users/{person.user_id}/revoke-tokens", {"reason": "stolen laptop"})
    assert answer.status_code in (200, 204), answer.text
    for client in clients:
        assert_dead_within_a_second(client)
        assert_revoked(person.renew(client.refresh_token))
    assert person.try_login().status_code == 200
    assert is_live(owner)


def test_SE06_nobody_else_ends_a_persons_sessions(stack, person):
    victim, stranger = person.login(), Person(stack).join().login()
    answer = stranger.post(f"/users/{person.user_id}/revoke-tokens", {})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"
    assert is_live(victim)


# SE-07

def test_SE07_disabling_a_person_ends_everything_at_once(stack, person):
    clients = [person.login(), person.login()]
    stack.ctl("user", "disable", person.email)
    for client in clients:
        assert_dead_within_a_second(client)
        assert person.renew(client.refresh_token).status_code == 401
    assert person.try_login().status_code == 401


def test_SE07_enabling_lets_a_person_in_again_but_no_old_session(stack, person):
    client = person.login()
    stack.ctl("user", "disable", person.email)
    stack.ctl("user", "enable", person.email)
    assert not is_live(client)
    assert person.renew(client.refresh_token).status_code == 401


# SE-08

def test_SE08_the_list_shows_device_agent_last_use_and_a_masked_address(stack, person):
    client = person.login(device_name="Küchen-Tablet")
    items = client.get("/me/sessions").json()["items"]
    assert len(items) == 1
    one = items[0]
    assert one["device_name"] == "Küchen-Tablet"
    assert one["user_agent"] == "claviger-tests/1"
    assert one["id"] == client.get("/auth/session").json()["sid"]
    assert one["last_used_at"] >= one["created_at"]
    assert client.address not in client.get("/me/sessions").text
    assert one["ip"].startswith(client.address.rsplit(".", 1)[0])
    assert one["current"] is True


def test_SE08_one_session_of_the_list_is_ended(person):
    mine, other = person.login(), person.login()
    other_id = other.get("/auth/session").json()["sid"]
    assert mine.delete(f"/me/sessions/{other_id}").status_code == 204
    assert_dead_within_a_second(other)
    assert is_live(mine)
    assert mine.delete(f"/me/sessions/{other_id}").status_code == 404


def test_SE08_a_foreign_session_is_not_found_and_lives_on(stack, person):
    stranger = Person(stack).join().login()
    foreign = stranger.get("/auth/session").json()["sid"]
    client = person.login()
    assert client.delete(f"/me/sessions/{foreign}").status_code == 404
    assert client.delete(f"/me/sessions/{uuid.uuid4()}").status_code == 404
    assert is_live(stranger)


def test_SE08_the_list_pages_by_cursor(person):
    clients = [person.login() for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = clients[0].get(f"/me/sessions?limit=2{cursor}").json()
        assert len(page["items"]) <= 2
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


# SE-09

def set_cookies(answer):
    found = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        name, _, rest = line.partition("=")
        value, *attributes = rest.split("; ")
        found[name] = (value, {one.lower() for one in attributes})
    return found


def test_SE09_the_cookies_have_the_names_and_attributes_that_protect_them(person):
    answer = person.try_login(session="cookie")
    assert answer.status_code == 200
    assert "access_token" not in answer.text and "refresh_token" not in answer.text
    cookies = set_cookies(answer)
    assert set(cookies) == {"__Host-claviger_access", "__Secure-claviger_refresh",
                            "__Host-claviger_csrf", "__Host-claviger_device"}
    _, access = cookies["__Host-claviger_access"]
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= access
    _, refresh = cookies["__Secure-claviger_refresh"]
    assert {"secure", "httponly", "samesite=strict", "path=/api/v1/auth"} <= refresh
    _, csrf = cookies["__Host-claviger_csrf"]
    assert {"secure", "path=/"} <= csrf and "httponly" not in csrf
    for _, attributes in cookies.values():
        assert not any(one.startswith("domain") for one in attributes)
        assert any(one.startswith("max-age=") for one in attributes)


def test_SE09_cookies_alone_are_a_session_and_renew_it(person):
    client = person.login_by_cookie()
    assert client.get("/auth/session").status_code == 200
    before = client.cookie("__Secure-claviger_refresh")
    answer = client.post("/auth/refresh", headers=client.csrf_headers())
    assert answer.status_code == 200, answer.text
    assert "refresh_token" not in answer.text
    assert client.cookie("__Secure-claviger_refresh") != before
    assert client.get("/me").json()["email"] == person.email


def test_SE09_logout_removes_the_cookies(person):
    client = person.login_by_cookie()
    answer = client.post("/auth/logout", headers=client.csrf_headers())
    assert answer.status_code == 204, answer.text
    for value, attributes in set_cookies(answer).values():
        assert value == "" and "max-age=0" in attributes
    assert client.get("/auth/session").status_code == 401


# SE-10

def test_SE10_values_planted_before_the_login_are_never_adopted(stack, person):
    attacker = person.login_by_cookie()
    planted = {name: attacker.cookie(name) for name in (
        "__Host-claviger_access", "__Secure-claviger_refresh", "__Host-claviger_csrf")}
    header = "; ".join(f"{name}={value}" for name, value in planted.items())
    victim = Client(stack)
    answer = person.try_login(victim, session="cookie")
    cookies = set_cookies(answer)
    assert all(cookies[name][0] != value for name, value in planted.items())
    victim_again = Client(stack)
    answer = victim_again.post(
        "/auth/login", {"email": person.email, "password": person.password,
                        "session": "cookie"},
        headers={"Cookie": header, **attacker.csrf_headers()})
    assert answer.status_code == 200, answer.text
    cookies = set_cookies(answer)
    assert all(cookies[name][0] != value for name, value in planted.items())
    sids = {one.get("/auth/session").json()["sid"] for one in (attacker, victim)}
    assert len(sids) == 2


def test_SE10_every_login_makes_a_new_session(person):
    sids = {person.login().get("/auth/session").json()["sid"] for _ in range(3)}
    assert len(sids) == 3


# SE-11

def test_SE11_a_changed_role_is_in_force_within_a_second(stack, person):
    client = person.login()
    claims = client.get("/auth/session").json()
    assert claims["role"] == "owner"
    stack.ctl("user", "set-role", person.email, "member", "--tenant", claims["tenantId"])

    def no_longer_owner():
        answer = client.get("/auth/session")
        return answer.status_code == 401 or answer.json()["role"] == "member"

    wait_until(no_longer_owner, timeout=1)
    answer = person.renew(client.refresh_token)
    assert answer.status_code == 200
    client.token = answer.json()["access_token"]
    assert client.get("/auth/session").json()["role"] == "member"
    assert person.login().get("/auth/session").json()["role"] == "member"


# SE-12

def test_SE12_a_cookies_refresh_token_is_refused_in_a_body(person):
    client = person.login_by_cookie()
    answer = person.renew(client.cookie("__Secure-claviger_refresh"))
    assert answer.status_code == 401
    assert "access_token" not in answer.text


def test_SE12_a_programs_refresh_token_is_refused_as_a_cookie(stack, person):
    program, browser = person.login(), person.login_by_cookie()
    answer = Client(stack).post("/auth/refresh", headers={
        "Cookie": f"__Secure-claviger_refresh={program.refresh_token};"
                  f" __Host-claviger_csrf={browser.cookie('__Host-claviger_csrf')}",
        **browser.csrf_headers()})
    assert answer.status_code in (401, 403)


def test_SE12_a_refresh_cannot_widen_what_the_login_gave(person):
    client = person.login()
    before = client.get("/auth/session").json()
    answer = Client(person.stack).post("/auth/refresh", {
        "refresh_token": client.refresh_token, "role": "owner", "scope": "*:*",
        "tenant_id": str(uuid.uuid4()), "session": "cookie"})
    if answer.status_code == 200:
        client.token = answer.json()["access_token"]
        after = client.get("/auth/session").json()
        for claim in ("role", "tenantId", "sub", "sid", "auth_time", "amr"):
            assert after[claim] == before[claim]


# JW-11

def test_JW11_an_access_token_is_refused_from_the_second_of_its_exp(brief):
    """Its minute began with the stack; hardly anything of it is left."""
    early = brief.early
    exp = jwt.decode(early.token, options={"verify_signature": False})["exp"]
    left = exp - time.time()
    if left > 1.5:
        time.sleep(left - 1.5)
        assert is_live(early)
    time.sleep(max(0, exp - time.time()) + 0.05)
    answer = early.get("/auth/session")
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


# SE-13

def test_SE13_an_emptied_redis_lets_no_revoked_token_in(stack, person):
    client, other = person.login(), person.login()
    client.post("/auth/logout")
    assert not is_live(client)
    stack.redis().flushall()
    for _ in range(12):  # every worker
        assert not is_live(client)
    assert is_live(other)
