# SPDX-License-Identifier: Apache-2.0
"""CH-01 … CH-10: CSRF, CORS, and the headers of every answer."""

import json
import re

import pytest

from client import API, Client, Person
from stack import ALLOWED_ORIGIN

NAME = {"name": "Changed"}


@pytest.fixture(scope="module")
def browser(loose):
    return Person(loose).join().login_by_cookie()


def change(browser, headers):
    return browser.patch("/me", NAME, headers=headers)


def assert_csrf_failed(answer):
    assert answer.status_code == 403, answer.text
    assert answer.json()["code"] == "csrf_failed"


# CH-01

def test_CH01_the_control_with_token_and_origin_passes(browser):
    assert change(browser, browser.csrf_headers()).status_code == 200


def test_CH01_a_call_without_the_token_is_refused(browser):
    headers = browser.csrf_headers()
    del headers["X-CSRF-Token"]
    assert_csrf_failed(change(browser, headers))
    for value in ("", "x", headers.get("Origin")):
        assert_csrf_failed(change(browser, {**headers, "X-CSRF-Token": value}))


def test_CH01_the_token_of_another_session_is_refused_even_with_its_cookie(loose, browser):
    other = Person(loose).join().login_by_cookie()
    foreign = other.cookie("__Host-claviger_csrf")
    headers = {**browser.csrf_headers(), "X-CSRF-Token": foreign}
    assert_csrf_failed(change(browser, headers))
    cookies = (f"__Host-claviger_access={browser.cookie('__Host-claviger_access')};"
               f" __Host-claviger_csrf={foreign}")
    planted = Client(loose)  # the attacker set the cookie from a subdomain
    assert_csrf_failed(change(planted, {**headers, "Cookie": cookies}))


@pytest.mark.parametrize("origin", [
    "null", "https://evil.example", "http://localhost:{port}", "https://localhost",
    "https://localhost:{port}.evil.example", "https://localhost:{port}/",
    "https://LOCALHOST:{port}", "https://localhost:1", "https://evil.example:{port}",
    "https://sub.localhost:{port}", "", "file://"])
def test_CH01_a_foreign_origin_is_refused(loose, browser, origin):
    headers = {**browser.csrf_headers(), "Origin": origin.format(port=loose.port)}
    assert_csrf_failed(change(browser, headers))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "junk"])
def test_CH01_a_call_that_the_browser_calls_foreign_is_refused(browser, site):
    headers = {**browser.csrf_headers(), "Sec-Fetch-Site": site}
    assert_csrf_failed(change(browser, headers))
    del headers["Origin"]
    assert_csrf_failed(change(browser, headers))


def test_CH01_a_call_without_any_origin_is_refused(browser):
    headers = browser.csrf_headers()
    del headers["Origin"]
    assert_csrf_failed(change(browser, headers))


@pytest.mark.parametrize("method, path, body", [
    ("PATCH", "/me", NAME), ("DELETE", "/me/sessions", None),
    ("POST", "/auth/logout", None), ("POST", "/auth/refresh", None),
    ("POST", "/auth/password/change", {"current_password": "x", "new_password": "y"})])
def test_CH01_every_change_by_cookie_wants_it(browser, method, path, body):
    answer = browser.fetch(method, API + path, body,
                           headers={"Origin": "https://evil.example"})
    assert_csrf_failed(answer)
    assert browser.get("/auth/session").status_code == 200


def test_CH01_a_bearer_needs_none_of_it(loose):
    program = Person(loose).join().login()
    answer = program.patch("/me", NAME, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200


def test_CH01_a_login_that_plants_a_cookie_from_elsewhere_is_refused(loose):
    person = Person(loose).join()
    answer = Client(loose).post(
        "/auth/login", {"email": person.email, "password": person.password,
                        "session": "cookie"}, headers={"Origin": "https://evil.example"})
    assert_csrf_failed(answer)
    assert "Set-Cookie" not in answer.headers


# CH-02

@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "text/json", "application/jsonp", "application/xml", "", None,
    "text/plain; application/json", "application/json\u00ff"])
def test_CH02_a_body_of_another_type_is_refused(loose, kind):
    headers = {} if kind is None else {"Content-Type": kind.encode("latin-1")}
    answer = Client(loose).fetch("POST", API + "/auth/login", data=json.dumps(
        {"email": "a@example.com", "password": "x"}).encode(), headers=headers)
    assert answer.status_code == 415, answer.text
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("kind", [
    "application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_CH02_json_is_accepted_however_it_is_spelled(loose, kind):
    answer = Client(loose).fetch("POST", API + "/auth/login", data=json.dumps(
        {"email": "a@example.com", "password": "x"}).encode(), headers={"Content-Type": kind})
    assert answer.status_code == 401


# CH-03

def test_CH03_no_get_changes_anything(loose):
    person = Person(loose).join()
    client, other = person.login(), person.login()
    tables = ("user", "membership", "session", "refresh_token", "email_token",
              "revocation", "outbox", "password_history")

    def snapshot():
        rows = {}
        for table in tables:
            rows[table] = loose.query(f"SELECT * FROM {table}")
        for one in rows["session"]:
            one.pop("last_used_at"), one.pop("idle_expires_at")
        for one in rows["outbox"]:  # maintenance works at it meanwhile
            for column in ("state", "attempts", "next_at", "finished_at",
                           "last_error", "sealed"):
                one.pop(column)
        for one in rows["revocation"]:
            one.pop("published_at")
        return {name: sorted(map(repr, table)) for name, table in rows.items()}

    before = snapshot()
    sid = other.get("/auth/session").json()["sid"]
    for line in loose.ctl("routes").stdout.splitlines():
        path = line.split()[1].replace("{id}", sid)
        client.fetch("GET", path)
        client.fetch("HEAD", path)
    assert snapshot() == before


# CH-04

def preflight(stack, origin, method="PATCH"):
    return Client(stack).fetch("OPTIONS", API + "/me", headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type"})


def test_CH04_an_allowed_origin_is_answered_by_name(loose):
    client = Person(loose).join().login()
    answer = client.get("/me", headers={"Origin": ALLOWED_ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    assert "Origin" in answer.headers["Vary"]
    answer = preflight(loose, ALLOWED_ORIGIN)
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origin", [
    "null", "https://evil.example", "https://app.example.com.evil.example",
    "https://evilapp.example.com", "https://app.example.com:8443", "http://app.example.com",
    "https://APP.example.com", "https://app.example.com/", "https://example.com",
    "https://sub.app.example.com", "*", "https://app_example.com", "https://app.example.com."])
def test_CH04_no_variant_of_an_allowed_origin_is_allowed(loose, origin):
    client = Person(loose).join().login() if origin == "null" else Client(loose)
    for answer in (client.get("/me", headers={"Origin": origin}), preflight(loose, origin)):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_CH04_an_answer_that_depends_on_the_origin_says_so(loose):
    assert "Origin" in Client(loose).get("/me").headers.get("Vary", "")


# CH-05

def kinds_of_answer(stack, limited):
    """One answer of every kind, by what it is."""
    client = Client(stack)
    person = Person(stack).join()
    yield "200 API", person.login().get("/me")
    yield "202", client.post("/auth/verify-email/resend", {"email": person.email})
    yield "204", person.login().post("/auth/logout")
    yield "400", client.fetch("POST", API + "/auth/login", data=b"{",
                              headers={"Content-Type": "application/json"})
    yield "401", client.get("/me")
    yield "404 API", client.get("/nothing/here")
    yield "405", client.delete("/auth/login")
    yield "413", client.post("/auth/login", {"email": "x" * 70000})
    yield "415", client.fetch("POST", API + "/auth/login", data=b"a")
    yield "422", client.post("/auth/login", {})
    yield "healthz", client.fetch("GET", "/healthz")
    yield "openapi", client.get("/openapi.json")
    yield "page", client.fetch("GET", "/login.html")
    yield "root", client.fetch("GET", "/")
    yield "404 page", client.fetch("GET", "/nothing-here.html")
    over = Client(limited)
    for _ in range(6):
        last = over.post("/auth/login", {"email": "a@example.com", "password": "x"})
    yield "429", last


def directives(policy):
    found = {}
    for part in policy.split(";"):
        name, _, value = part.strip().partition(" ")
        found[name] = value
    return found


def test_CH05_every_kind_of_answer_carries_the_security_headers(loose, stack):
    for kind, answer in kinds_of_answer(loose, stack):
        headers = answer.headers
        policy = directives(headers.get("Content-Security-Policy", ""))
        assert policy.get("default-src") == "'none'", (kind, headers)
        assert policy.get("frame-ancestors") == "'none'", kind
        assert policy.get("base-uri") == "'none'", kind
        assert "unsafe" not in headers["Content-Security-Policy"], kind
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert policy.get("script-src") == "'self'", kind
            assert policy.get("form-action") in ("'self'", "'none'"), kind
        assert headers["X-Content-Type-Options"] == "nosniff", kind
        assert headers["Referrer-Policy"] == "no-referrer", kind
        age = re.search(r"max-age=(\d+)", headers["Strict-Transport-Security"])
        assert int(age[1]) >= 31536000, kind
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", kind
        if kind not in ("page", "root", "404 page", "openapi"):
            assert "no-store" in headers["Cache-Control"], kind


def test_CH05_each_header_stands_once(loose):
    for path in ("/login.html", API + "/me", "/nothing"):
        answer = Client(loose).fetch("GET", path)
        for name in ("Content-Security-Policy", "X-Content-Type-Options",
                     "Strict-Transport-Security", "Referrer-Policy"):
            assert len(answer.raw.headers.getlist(name)) == 1, (path, name)


def test_CH05_no_page_has_a_script_or_style_of_its_own(loose):
    pages = ("/login.html", "/register.html", "/verify.html", "/forgot.html",
             "/reset.html", "/account.html")
    for page in pages:
        answer = Client(loose).fetch("GET", page)
        assert answer.status_code == 200, page
        assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text), page
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text), page


# CH-06

def test_CH06_types_name_their_charset_and_nobody_names_a_version(loose, stack):
    for kind, answer in kinds_of_answer(loose, stack):
        headers = answer.headers
        content_type = headers.get("Content-Type", "")
        if answer.content:
            assert content_type, kind
        if content_type.startswith("text/"):
            assert "charset=utf-8" in content_type.lower(), kind
        if "json" in content_type and "charset" in content_type:
            assert "utf-8" in content_type.lower(), kind
        assert not re.search(r"\d", headers.get("Server", "")), kind
        assert "X-Powered-By" not in headers, kind


# CH-07

NAUGHTY = ["a\r\nSet-Cookie: x=y", "a\nX-Evil: 1", "a\rX-Evil: 1", "%0d%0aX-Evil:%201",
           "a\u2028X-Evil: 1", "\u0000", "a\u0085X-Evil: 1", "嘊嘍X-Evil: 1"]


@pytest.mark.parametrize("value", NAUGHTY, ids=ascii)
def test_CH07_no_field_reaches_a_header(loose, value):
    client = Client(loose)
    answers = [
        client.post("/auth/login", {"email": value, "password": value,
                                    "device_name": value, "tenant_id": value}),
        client.post("/auth/register", {"email": value, "password": value, "name": value}),
        client.post("/auth/refresh", {"refresh_token": value}),
        client.get("/audit", params={"cursor": value, "event_type": value}),
        client.fetch("GET", API + "/" + value),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "X-Evil" not in answer.headers
        assert "x=y" not in answer.headers.get("Set-Cookie", "")


def test_CH07_a_request_id_is_ours(loose):
    for value in ("x" * 500, "a b", "<script>", "%0d%0aX-Evil: 1"):
        answer = Client(loose).get("/me", headers={"X-Request-Id": value})
        assert answer.headers["X-Request-Id"] != value
        assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", answer.headers["X-Request-Id"])


# CH-09

def test_CH09_a_sign_out_clears_what_the_browser_kept(loose):
    browser = Person(loose).join().login_by_cookie()
    answer = browser.post("/auth/logout", headers=browser.csrf_headers())
    assert answer.status_code == 204
    assert '"storage"' in answer.headers["Clear-Site-Data"]


# CH-10

def test_CH10_trace_and_unknown_methods_are_405(loose):
    for method in ("TRACE", "TRACK", "BREW"):
        answer = Client(loose).fetch(method, API + "/me")
        assert answer.status_code in (405, 501), (method, answer.status_code)
    answer = Client(loose).fetch("TRACE", API + "/me")
    assert answer.status_code == 405


def test_CH10_405_names_what_is_allowed(loose):
    answer = Client(loose).fetch("PUT", API + "/me")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    allowed = {one.strip() for one in answer.headers["Allow"].split(",")}
    assert {"GET", "PATCH"} <= allowed


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_CH10_no_header_changes_the_method(loose, header):
    client = Person(loose).join().login()
    answer = client.fetch("GET", API + "/me", headers={header: "DELETE"})
    assert answer.status_code == 200
