# SPDX-License-Identifier: Apache-2.0
"""The record: AU-01, AU-08's beginnings, and GET /audit."""

import json
import re
import secrets
import time

import pytest

from client import Client, Person, owner_of


def events(client, query=""):
    answer = client.get("/audit" + query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def types(client, query=""):
    return [one["event_type"] for one in events(client, query)]


def test_AU01_every_action_of_a_session_is_on_record_once(stack):
    person = Person(stack)
    person.register()
    person.verify()
    client = person.login()
    renewed = person.renew(client.refresh_token).json()
    Client(stack).post("/auth/logout", {"refresh_token": renewed["refresh_token"]})
    seen = types(person.login())
    assert seen.count("login_attempt") == 2
    assert seen.count("token_refresh") == 1
    assert seen.count("logout") == 1


def test_AU01_an_event_tells_who_where_when_and_how_it_went(stack, person):
    client = Client(stack)
    answer = person.try_login(client)
    viewer = person.login()
    first = [one for one in events(viewer)
             if one["request_id"] == answer.headers["X-Request-Id"]]
    assert len(first) == 1
    event = first[0]
    assert event["event_type"] == "login_attempt"
    assert event["success"] is True
    assert event["severity"] == "info"
    assert event["user_id"] == person.user_id
    assert event["ip"] == client.address
    assert event["user_agent"] == "claviger-tests/1"
    assert event["tenant_id"] == viewer.get("/auth/session").json()["tenantId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z",
                        event.get("at") or event["created_at"])


def test_AU01_failed_logins_are_events_and_warn(stack, person):
    wrong = Person(stack, address=person.email)
    assert wrong.try_login().status_code == 401
    failed = [one for one in events(person.login(), "?event_type=login_attempt")
              if not one["success"]]
    assert len(failed) == 1
    assert failed[0]["severity"] == "warning"


def test_AU01_a_failed_login_of_nobody_is_on_record_for_the_platform(stack):
    address = f"ghost{secrets.token_hex(5)}@example.com"
    client = Client(stack)
    answer = Person(stack, address=address).try_login(client)
    assert answer.status_code == 401
    owner = owner_of(stack).login()
    found = [one for one in events(owner, f"?ip={client.address}")
             if one["request_id"] == answer.headers["X-Request-Id"]]
    assert len(found) == 1 and found[0]["success"] is False


def test_AU01_a_changed_and_a_reset_password_are_on_record(stack, person):
    client = person.login()
    new = secrets.token_urlsafe(18)
    client.post("/auth/password/change",
                {"current_password": person.password, "new_password": new})
    person.password = new
    assert types(person.login(), "?event_type=password_change") == ["password_change"]


def test_AU01_a_revoked_session_keeps_its_reason(stack, person):
    mine, other = person.login(), person.login()
    mine.delete("/me/sessions")
    assert types(mine).count("session_end") == 1
    rows = stack.query("SELECT end_reason FROM session WHERE id = UNHEX(%s)",
                       jwt_claims(other)["sid"].replace("-", ""))
    assert rows[0]["end_reason"]


def jwt_claims(client):
    import jwt
    return jwt.decode(client.token, options={"verify_signature": False})


def test_AU05_what_a_client_sends_cannot_forge_a_line_of_the_log(stack, person):
    client = Client(stack)
    nasty = 'x","level":"error"}\t{"event":"forged' + "\x1b[31m"
    client.http.headers["User-Agent"] = nasty
    assert person.try_login(client, device_name="a\u2028b").status_code in (200, 400, 422)
    for line in stack.log_text().splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            assert entry.get("event") != "forged"
        assert "\x1b" not in line


def test_the_log_is_one_json_object_a_line_with_the_request_id(stack):
    answer = Client(stack).get("/me")
    wanted = answer.headers["X-Request-Id"]
    deadline = time.monotonic() + 5
    while True:
        lines = [json.loads(one) for one in stack.log_text().splitlines()
                 if one.startswith("{") and wanted in one]
        if lines:
            break
        assert time.monotonic() < deadline
    assert any(one.get("status") == 401 for one in lines)


def test_AU08_one_sees_ones_own_events_and_no_others(stack, person):
    stranger = Person(stack).join().login()
    client = person.login()
    mine = {one["user_id"] for one in events(client)}
    assert mine == {person.user_id}
    foreign = events(stranger)[0]["user_id"]
    for query in (f"?user_id={foreign}", f"?user_id={person.user_id}&user_id={foreign}"):
        answer = client.get("/audit" + query)
        if answer.status_code == 200:
            assert foreign not in answer.text
        else:
            assert answer.status_code in (400, 403, 404)


def test_the_platforms_owner_sees_everybodys_events(stack, person):
    client = person.login()
    owner = owner_of(stack).login()
    found = events(owner, f"?user_id={person.user_id}")
    assert {one["user_id"] for one in found} == {person.user_id}
    assert client.get("/audit").status_code == 200


@pytest.mark.parametrize("query, expected", [
    ("?event_type=login_attempt", {"login_attempt"}), ("?severity=warning", {"login_attempt"}),
    ("?success=false", {"login_attempt"}), ("?since=1h&event_type=logout", {"logout"}),
    ("?until=2020-01-01T00:00:00Z", set()), ("?since=2099-01-01T00:00:00Z", set()),
    ("?ip=127.250.250.250", set())])
def test_the_record_is_filtered(stack, query, expected):
    person = Person(stack).join()
    Person(stack, address=person.email).try_login()
    person.login().post("/auth/logout")
    found = set(types(person.login(), query))
    assert found == expected


@pytest.mark.parametrize("query", [
    "?since=yesterday", "?limit=0", "?limit=201", "?limit=x", "?severity=fatal",
    "?event_type=nothing", "?success=maybe", "?cursor=junk", "?ip=here", "?user_id=me"])
def test_a_wrong_filter_is_refused(stack, person, query):
    answer = person.login().get("/audit" + query)
    assert answer.status_code in (400, 422), answer.text


def test_the_record_pages_by_cursor_without_gap_or_double(stack, person):
    for _ in range(9):
        client = person.login()
    whole = [one["id"] for one in events(client, "?limit=200")]
    paged, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/audit?limit=4{cursor}").json()
        paged += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert paged == whole
    assert sorted(whole, reverse=True) == whole  # newest first


def test_a_cursor_of_somebody_else_gives_nothing_foreign(stack, person):
    owner = owner_of(stack).login()
    for _ in range(3):
        person.login()
    cursor = owner.get("/audit?limit=1").json()["next_cursor"]
    answer = person.login().get(f"/audit?limit=50&cursor={cursor}")
    if answer.status_code == 200:
        assert {one["user_id"] for one in answer.json()["items"]} <= {person.user_id}
    else:
        assert answer.status_code in (400, 422)
