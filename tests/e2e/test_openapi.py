# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document against what the program answers, call by call."""

import copy
import json
import re
import time

import jsonschema
import pytest

from client import API, Client, Person, owner_of
from stack import ROOT

METHODS = ("get", "post", "put", "patch", "delete")
NOBODY = "01a202d0-0000-7000-8000-000000000000"


def find_operations(document):
    return {(method, path): operation
            for path, item in document["paths"].items()
            for method, operation in item.items() if method in METHODS}


DOCUMENT = json.loads((ROOT / "htdocs" / "openapi.json").read_text())
OPERATIONS = find_operations(DOCUMENT)
EXAMPLES = DOCUMENT["components"]["examples"]


def resolve(node, document=None):
    while "$ref" in node:
        target = document or DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def close_objects(node):
    """A member that the document does not name is a mistake in an answer."""
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, (dict, list)):
            close_objects(value)
    if isinstance(node, dict) and node.get("type") == "object" and "properties" in node:
        node["unevaluatedProperties"] = False
    return node


STRICT = close_objects(copy.deepcopy(DOCUMENT))


def validate(schema, value, document=DOCUMENT):
    jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver("", document),
        format_checker=jsonschema.FormatChecker()).validate(value)


def header_value(schema, text):
    return int(text) if resolve(schema).get("type") == "integer" else text


def check(answer, method, path):
    """The answer is one that the document promises; gives what is in it."""
    about = (method, path, answer.status_code, answer.text)
    responses = OPERATIONS[method, path]["responses"]
    assert str(answer.status_code) in responses, about
    response = resolve(responses[str(answer.status_code)])
    for name, header in response["headers"].items():
        header = resolve(header)
        assert name in answer.headers or not header.get("required"), (name, *about)
        if name in answer.headers:
            validate(header["schema"], header_value(header["schema"], answer.headers[name]))
    if "content" not in response:
        assert not answer.content, about
        return None
    media = answer.headers["Content-Type"].partition(";")[0]
    assert media in response["content"], about
    content = answer.text if media == "text/plain" else answer.json()
    described = resolve(
        STRICT["paths"][path][method]["responses"][str(answer.status_code)], STRICT)
    validate(described["content"][media]["schema"], content, STRICT)
    return content


def each(claim=lambda operation: True):
    return pytest.mark.parametrize("method, path", [
        pytest.param(*key, id=f"{key[0].upper()} {key[1]}")
        for key, operation in OPERATIONS.items() if claim(operation)])


def takes_body(operation):
    return "requestBody" in operation


def wants_caller(operation):
    return operation["x-claviger"]["who"] == "user"


def body_schema(operation):
    return resolve(operation["requestBody"]["content"]["application/json"]["schema"])


@pytest.fixture(scope="module")
def owner(loose):
    """Signed in, and may everything."""
    return owner_of(loose).login(Client(loose, "127.0.0.1"))


@pytest.fixture(scope="module")
def browser(loose):
    """The same by cookie."""
    return owner_of(loose).login_by_cookie()


def send(client, method, path, **options):
    return client.fetch(method.upper(), path.replace("{id}", NOBODY), **options)


def send_raw(client, method, path, raw, media="application/json"):
    return send(client, method, path, data=raw, headers={"Content-Type": media})


# The document itself

def test_the_program_serves_the_document_of_the_sources(loose):
    assert Client(loose).get("/openapi.json").json() == DOCUMENT


def test_every_schema_is_a_schema():
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@each()
def test_every_example_is_what_its_schema_says(method, path):
    operation = OPERATIONS[method, path]
    bodies = [resolve(response) for response in operation["responses"].values()]
    bodies += [operation["requestBody"]] if takes_body(operation) else []
    for content in (one for body in bodies for one in body.get("content", {}).values()):
        values = [resolve(one)["value"] for one in content.get("examples", {}).values()]
        values += [content["example"]] if "example" in content else []
        for value in values:
            validate(content["schema"], value)
    for header in DOCUMENT["components"]["headers"].values():
        validate(header["schema"], header["example"])


def test_every_call_says_what_its_row_of_the_route_table_says(stack):
    for line in stack.ctl("routes").stdout.splitlines():
        method, path, *columns = line.split()
        names = ("who", "need", "permission", "limit", "audit")
        assert OPERATIONS[method.lower(), path]["x-claviger"] == dict(zip(names, columns))


def test_every_problem_of_the_pages_is_in_the_document_or_of_another_day():
    """A code that no call can answer is not promised."""
    pages = {page.parent.name for page in (ROOT / "htdocs" / "problems").glob("*/index.html")}
    codes = set(DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"])
    assert codes <= pages
    assert codes - set(EXAMPLES) == {"method_not_allowed"}  # of paths, not of calls


# What every call refuses

@each(lambda operation: operation["x-claviger"]["who"] != "operations")
def test_a_malformed_request_is_refused_as_described(loose, owner, method, path):
    answer = owner.fetch(method.upper(), path.replace("{id}", NOBODY) + "?" + "a&" * 101)
    assert check(answer, method, path)["code"] == "invalid_request"


@each(wants_caller)
def test_a_stranger_is_refused_as_described(loose, method, path):
    stranger = Client(loose)
    assert check(send(stranger, method, path), method, path)["code"] == "unauthenticated"
    stranger.token = "eyJhbGciOiJub25lIn0.e30."
    assert check(send(stranger, method, path), method, path)["code"] == "token_invalid"


@each(wants_caller)
def test_an_ended_session_is_refused_as_described(loose, method, path):
    client = owner_of(loose).login()
    assert client.post("/auth/logout", {}).status_code == 204
    assert check(send(client, method, path), method, path)["code"] == "token_revoked"


@each(lambda operation: "403" in operation["responses"] and takes_body(operation)
      or wants_caller(operation) and "csrf" in repr(operation["security"]))
def test_another_sites_page_is_refused_as_described(loose, browser, method, path):
    answer = send(browser, method, path, headers={
        **browser.csrf_headers(), "Origin": "https://other.example.com"})
    assert check(answer, method, path)["code"] == "csrf_failed"


@each(takes_body)
def test_a_body_that_is_none_is_refused_as_described(loose, owner, method, path):
    answer = send_raw(owner, method, path, b'{"a":')
    assert check(answer, method, path)["code"] == "invalid_json"
    answer = send_raw(owner, method, path, b"[]")
    assert check(answer, method, path)["code"] == "invalid_request"
    answer = send_raw(owner, method, path, b"a=1", "application/x-www-form-urlencoded")
    assert check(answer, method, path)["code"] == "unsupported_media_type"
    answer = send_raw(owner, method, path, b'{"a":"' + b"x" * 70000 + b'"}')
    assert check(answer, method, path)["code"] == "payload_too_large"


@each(takes_body)
def test_every_member_of_a_body_is_known_and_typed_as_described(loose, owner, method, path):
    properties = body_schema(OPERATIONS[method, path])["properties"]
    answer = send(owner, method, path, body={name: [] for name in properties})
    errors = check(answer, method, path)["errors"]
    assert {one["field"]: one["code"] for one in errors} == dict.fromkeys(properties, "wrong_type")


@each(lambda operation: takes_body(operation) and "required" in body_schema(operation))
def test_what_a_body_must_have_is_as_described(loose, owner, method, path):
    answer = send(owner, method, path, body={})
    errors = check(answer, method, path)["errors"]
    assert {(one["field"], one["code"]) for one in errors} == {
        (name, "required") for name in body_schema(OPERATIONS[method, path])["required"]}


@each(takes_body)
def test_lengths_are_bounded_as_described(loose, owner, method, path):
    properties = body_schema(OPERATIONS[method, path])["properties"]
    bounds = {name: schema["maxLength"] for name, schema in properties.items()
              if schema.get("maxLength", 65536) < 65536}
    long = {name: "x" * (most + 1) for name, most in bounds.items()}
    wrong = {name: [] for name in properties if name not in bounds}
    errors = check(send(owner, method, path, body={**long, **wrong}), method, path)["errors"]
    assert {one["field"] for one in errors if one["code"] == "too_long"} == set(bounds)
    # At the bound itself the length is no reason; the wrong types keep it from being done.
    if wrong:
        fits = {name: "x" * most for name, most in bounds.items()}
        errors = check(send(owner, method, path, body={**fits, **wrong}), method, path)["errors"]
        assert {one["field"] for one in errors} == set(wrong)


def test_a_full_limit_is_as_described(stack):
    path = API + "/auth/password/forgot"
    client = Client(stack)
    for _ in range(4):
        answer = client.fetch("POST", path, {"email": "nobody@example.com"})
    assert check(answer, "post", path)["code"] == "rate_limited"


# Who may not

def test_operations_are_nothing_to_others(loose):
    for path in ("/readyz", "/metrics"):
        assert check(Client(loose).fetch("GET", path), "get", path)["code"] == "not_found"


def test_an_expired_token_is_as_described(brief):
    path = API + "/auth/session"
    time.sleep(max(0, brief.early_at + 61 - time.monotonic()))
    assert check(brief.early.fetch("GET", path), "get", path)["code"] == "token_expired"


def test_a_confirmed_address_and_a_right_are_wanted_as_described(loose):
    unverified, member = Person(loose), Person(loose).join()
    assert unverified.register().status_code == 202
    path = API + "/auth/password/change"
    answer = unverified.login().fetch("POST", path, {
        "current_password": unverified.password, "new_password": "x"})
    assert check(answer, "post", path)["code"] == "email_not_verified"
    path = API + "/users/{id}/revoke-tokens"
    answer = send(member.login(), "post", path, body={})
    assert check(answer, "post", path)["code"] == "forbidden"
    answer = member.login().get("/audit", params={"user_id": NOBODY})
    assert check(answer, "get", API + "/audit")["code"] == "forbidden"


# What is done

def test_operations_answer_as_described(loose):
    client = Client(loose, "127.0.0.1")
    for path in ("/healthz", "/readyz", "/metrics", API + "/openapi.json"):
        answer = client.fetch("GET", path)
        assert answer.status_code == 200
        check(answer, "get", path)


def call(client, method, path, body, status):
    answer = client.fetch(method.upper(), API + path, body)
    assert answer.status_code == status, (method, path, answer.text)
    return check(answer, method, API + path)


def test_an_account_begins_as_described(loose):
    client, person = Client(loose), Person(loose)
    body = {"email": person.email, "password": person.password, "name": None}
    assert call(client, "post", "/auth/register", body, 202) == {}
    call(client, "post", "/auth/verify-email/resend", {"email": person.email}, 202)
    token = person.mail.wait_for_token("/verify.html", count=2)
    assert call(client, "post", "/auth/verify-email", {"token": token}, 204) is None
    problem = call(client, "post", "/auth/verify-email", {"token": token}, 401)
    assert problem["code"] == "token_invalid"
    body = {"email": person.email, "password": "leaked"}
    problem = call(client, "post", "/auth/register", body, 422)
    assert {one["field"] for one in problem["errors"]} == {"password"}


def test_a_session_of_tokens_lives_as_described(loose):
    client, person = Client(loose), Person(loose).join()
    body = {"email": person.email, "password": person.password, "device_name": "laptop"}
    wrong = call(client, "post", "/auth/login", {**body, "password": "x"}, 401)
    assert wrong["code"] == "invalid_credentials"
    call(client, "post", "/auth/login", {**body, "session": "paper"}, 422)
    first = call(client, "post", "/auth/login", body, 200)
    again = {"refresh_token": first["refresh_token"]}
    tokens = call(client, "post", "/auth/refresh", again, 200)
    client.token = tokens["access_token"]
    claims = call(client, "get", "/auth/session", None, 200)
    assert claims["userId"] == tokens["user"]["id"]
    assert call(client, "get", "/me", None, 200)["email"] == person.email
    changed = call(client, "patch", "/me", {"name": "Ada L."}, 200)
    assert changed["name"] == "Ada L."
    problem = call(client, "patch", "/me", {
        "email": "else@example.com", "current_password": "x"}, 401)
    assert problem["code"] == "invalid_credentials"
    assert call(client, "post", "/auth/refresh", again, 401)["code"] == "token_revoked"
    assert call(client, "post", "/auth/refresh", {}, 401)["code"] == "unauthenticated"
    assert call(client, "get", "/me", None, 401)["code"] == "token_revoked"


def test_a_session_of_cookies_lives_as_described(loose):
    client = Person(loose).join().login_by_cookie()
    for path, status in (("/auth/refresh", 200), ("/auth/logout", 204)):
        answer = client.post(path, headers=client.csrf_headers())
        assert answer.status_code == status, answer.text
        check(answer, "post", API + path)
        lines = answer.raw.headers.getlist("Set-Cookie")
        assert {line.partition("=")[0] for line in lines} == {
            "__Host-claviger_access", "__Secure-claviger_refresh", "__Host-claviger_csrf"}
    assert "Clear-Site-Data" in answer.headers


def test_lists_are_paged_as_described(loose):
    person = Person(loose).join()
    clients = [person.login() for _ in range(3)]
    for path in ("/me/sessions", "/audit"):
        seen, cursor = [], None
        while True:
            answer = clients[0].get(path, params={"limit": 2, "cursor": cursor})
            page = check(answer, "get", API + path)
            seen += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(seen) >= 3 and seen == sorted(set(seen), reverse=True)
        answer = clients[0].get(path, params={"limit": 201})
        assert check(answer, "get", API + path)["errors"][0]["field"] == "limit"
    other = clients[1].get("/auth/session").json()["sid"]
    path = API + "/me/sessions/{id}"
    answer = clients[0].fetch("DELETE", path.replace("{id}", other))
    assert answer.status_code == 204
    check(answer, "delete", path)
    assert check(send(clients[0], "delete", path), "delete", path)["code"] == "not_found"
    assert call(clients[0], "delete", "/me/sessions", None, 204) is None
    assert call(clients[0], "post", "/auth/logout", None, 204) is None


def test_the_record_of_everything_is_as_described(loose, owner):
    """The owner sees every type that the tests before have caused."""
    Person(loose).try_login()
    answer = owner.get("/audit", params={
        "limit": 50, "since": "1h", "event_type": "login_attempt", "success": "false"})
    assert check(answer, "get", API + "/audit")["items"]


def test_every_type_of_event_can_be_asked_for(loose, owner):
    for kind in DOCUMENT["components"]["schemas"]["EventType"]["enum"]:
        answer = owner.get("/audit", params={"limit": 1, "event_type": kind})
        assert answer.status_code == 200, kind
        check(answer, "get", API + "/audit")


def test_a_password_is_replaced_as_described(loose):
    client, person = Client(loose), Person(loose).join()
    call(client, "post", "/auth/password/forgot", {"email": person.email}, 202)
    token = person.mail.wait_for_token("/reset.html")
    body = {"token": token, "new_password": person.password}
    problem = call(client, "post", "/auth/password/reset", body, 422)
    assert problem["errors"][0]["code"] == "reused"
    person.password = "amber canoe thirty violins"
    body["new_password"] = person.password
    call(client, "post", "/auth/password/reset", body, 204)
    assert call(client, "post", "/auth/password/reset", body, 401)["code"] == "token_invalid"
    client = person.login()
    body = {"current_password": "x", "new_password": "seven quiet granite otters"}
    problem = call(client, "post", "/auth/password/change", body, 401)
    assert problem["code"] == "invalid_credentials"
    call(client, "post", "/auth/password/change",
         {**body, "current_password": person.password}, 204)


def test_an_administrator_ends_sessions_as_described(loose, owner):
    client = Person(loose).join().login()
    user = client.get("/me").json()["id"]
    path = API + "/users/{id}/revoke-tokens"
    answer = owner.fetch("POST", path.replace("{id}", user), {"reason": "laptop stolen"})
    assert answer.status_code == 204, answer.text
    check(answer, "post", path)
    assert check(send(owner, "post", path, body={}), "post", path)["code"] == "not_found"
    assert client.get("/me").status_code == 401


def test_limits_are_changed_as_described(loose, owner):
    before = call(owner, "get", "/admin/policies", None, 200)["items"]
    named = DOCUMENT["components"]["schemas"]["Policy"]["properties"]["name"]["enum"]
    assert [one["name"] for one in before] == named

    def change(policies, status=200):
        return call(owner, "patch", "/admin/policies", {"policies": policies}, status)

    def rate(answer, name):
        return next(one for one in answer["items"] if one["name"] == name)

    bucket = {"limit": 200000, "window_s": 120, "burst": 90000}
    changed = change({"websocket": bucket, "factor": {"limit": 7}})
    assert {**bucket, "algorithm": "token_bucket", "is_changed": True}.items() <= \
        rate(changed, "websocket").items()
    assert rate(changed, "factor")["window_s"] == 3600
    assert rate(changed, "factor")["configured"]["limit"] == 20
    window = rate(change({"websocket": {"burst": None}}), "websocket")
    assert (window["algorithm"], window["limit"], window["burst"]) == (
        "sliding_window", 200000, None)
    for wrong, code in (({"nonsense": None}, "unknown"), ({"factor": 5}, "wrong_type"),
                        ({"factor": {"limit": "5"}}, "wrong_type"),
                        ({"factor": {"limit": None}}, "wrong_type"),
                        ({"factor": {"limit": 0}}, "out_of_range"),
                        ({"factor": {"limit": 1.5}}, "out_of_range"),
                        ({"factor": {"window_s": 2592001}}, "out_of_range"),
                        ({"factor": {"burst": 1000001}}, "out_of_range")):
        problem = change({"websocket": {"limit": 1}, **wrong}, 422)
        assert [(one["field"], one["code"]) for one in problem["errors"]] == [
            ("policies", code)], wrong
    assert change({})["items"] == change({})["items"]
    assert rate(change({}), "websocket")["limit"] == 200000, "all or nothing"
    assert change({"websocket": None, "factor": None})["items"] == before
    answer = owner.get("/audit", params={"event_type": "policy_change", "limit": 1})
    event = check(answer, "get", API + "/audit")["items"][0]
    assert event["reason"] in ("websocket", "factor") and "->" in event["detail"]


def test_addresses_are_blocked_as_described(loose, owner):
    def block(status, **body):
        return call(owner, "post", "/admin/block-ip", body, status)

    first = block(201, ip="192.0.2.0/24", duration="1h", reason="guesses <passwords>")
    assert (first["ip"], first["prefix"], first["source"]) == ("192.0.2.0", 24, "admin")
    assert block(201, ip="2001:db8:0::7")["ip"] == "2001:db8::7"
    assert block(201, ip="127.99.0.1")["expires_at"] is None
    own = block(409, ip=f"{owner.address}")
    assert [one["code"] for one in own["errors"]] == ["own_address"]
    for wrong in ({"ip": "192.0.2.1/24"}, {"ip": "example.org"}, {"ip": "192.0.2.1", "duration": "soon"},
                  {"ip": "192.0.2.1", "duration": "0s"}, {"ip": "192.0.2.1", "duration": "-1h"}):
        assert block(422, **wrong)["errors"][0]["code"] == "invalid", wrong

    seen, cursor = [], None
    while True:
        answer = owner.get("/admin/blocked-ips", params={"limit": 1, "cursor": cursor})
        page = check(answer, "get", API + "/admin/blocked-ips")
        seen += [(one["ip"], one["prefix"]) for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
        foreign = owner.get("/audit", params={"cursor": cursor})
        assert foreign.status_code == 422, "a cursor is good in its own list"
    assert {("127.99.0.1", None), ("192.0.2.0", 24), ("2001:db8::7", None)} <= set(seen)
    assert len(seen) == len(set(seen))

    there = Client(loose, "127.99.0.1")
    time.sleep(1)
    for method, path in (("get", "/healthz"), ("get", API + "/auth/session"), ("get", API + "/me")):
        answer = there.fetch(method.upper(), path)
        assert check(answer, method, path)["code"] == "ip_blocked"
    answer = there.fetch("POST", API + "/auth/login", {"email": "a", "password": "b"})
    assert check(answer, "post", API + "/auth/login")["code"] == "ip_blocked"

    path = API + "/admin/blocked-ips/{ip}"
    for name, status in (("127.99.0.1", 204), ("127.99.0.1", 404), ("192.0.2.0", 404),
                         ("192.0.2.0?prefix=24", 204), ("192.0.2.0?prefix=x", 422),
                         ("192.0.2.0?prefix=33", 422), ("192.0.2.1?prefix=24", 422),
                         ("nowhere", 404), ("2001:db8::7", 204)):
        answer = owner.fetch("DELETE", path.replace("{ip}", name))
        assert answer.status_code == status, (name, answer.text)
        check(answer, "delete", path)
    time.sleep(1)
    assert there.get("/auth/session").status_code == 401


def test_a_member_may_change_neither_limits_nor_blocks(loose):
    member = Person(loose).join().login()
    for method, path, body in (("get", "/admin/policies", None),
                               ("patch", "/admin/policies", {"policies": {"login": None}}),
                               ("post", "/admin/block-ip", {"ip": "192.0.2.9"}),
                               ("get", "/admin/blocked-ips", None)):
        assert call(member, method, path, body, 403)["code"] == "forbidden"
    path = API + "/admin/blocked-ips/{ip}"
    answer = member.fetch("DELETE", path.replace("{ip}", "192.0.2.9"))
    assert check(answer, "delete", path)["code"] == "forbidden"


def test_texts_of_the_document_name_real_settings(stack):
    settings = set(re.findall(r"^#?\s*([a-z]+\.[a-z0-9_]+) =",
                              stack.ctl("config", "defaults").stdout, re.M))
    named = set(re.findall(r"`((?:account|audit|database|guard|keys|limit|log|mail|password|redis|"
                           r"server|session|token)\.[a-z_0-9]+)`", json.dumps(DOCUMENT)))
    assert named and named <= settings
