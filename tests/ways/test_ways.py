# SPDX-License-Identifier: Apache-2.0
"""What must be the same whichever way the program is reached."""

import json
import os
import re
import secrets
import signal
import subprocess
import time

import pytest
import requests

from client import API, Client, Person, text_of
from services import state_of
from stack import wait_until

# Where the program is not the web server's own child.
OWN_SOCKET = ["lighttpd", "nginx", "apache-proxy"]
KIB_64 = 64 * 1024
SAME_EVERYWHERE = {
    "Strict-Transport-Security": r"max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": r"nosniff",
    "Referrer-Policy": r"no-referrer",
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Cross-Origin-Resource-Policy": r"same-origin",
}
PAGE_POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'",
    "img-src 'self' data:", "connect-src 'self'", "form-action 'self'",
    "frame-ancestors 'none'", "base-uri 'none'",
}
API_POLICY = {
    "default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
    "form-action 'none'",
}


def policy_of(answer):
    return {part.strip() for part
            in answer.headers["Content-Security-Policy"].split(";")}


def assert_safe_headers(answer, policy=None):
    """Every header once (requests joins doubles with a comma)."""
    for name, value in SAME_EVERYWHERE.items():
        assert re.fullmatch(value, answer.headers.get(name, "")), (
            answer.url, name, answer.headers)
    if policy:
        assert policy_of(answer) == policy, answer.url
    if answer.content and answer.status_code not in (301, 302):
        assert re.search("charset=|json", answer.headers["Content-Type"])
    assert not re.search(r"\d", answer.headers.get("Server", "")), answer.headers
    assert "X-Powered-By" not in answer.headers


def login_of(size):
    """A login's body of exactly this many bytes."""
    address = f"{secrets.token_hex(4)}@example.com"
    frame = json.dumps({"email": address, "password": ""})
    return frame[:-2] + "x" * (size - len(frame)) + frame[-2:]


def post(client, body, path="/auth/login"):
    return client.http.post(
        client.stack.url + API + path, data=body, timeout=30,
        headers={"Content-Type": "application/json"})


def in_pieces(text):
    """A generator makes requests send chunks."""
    for start in range(0, len(text), 8192):
        yield text[start:start + 8192].encode()


def test_answers_health(way):
    answer = Client(way).fetch("GET", "/healthz")
    assert answer.status_code == 200
    assert_safe_headers(answer)


def test_serves_the_whole_life_of_an_account(way):
    person = Person(way)
    assert person.register().status_code == 202
    client = person.login()
    session = client.get("/auth/session")
    assert session.status_code == 200, session.text
    assert session.json()["email"] == person.email
    assert Client(way).get("/auth/session").status_code == 401
    assert client.post("/auth/logout", {
        "refresh_token": client.refresh_token}).status_code == 204
    assert client.get("/auth/session").status_code == 401


def test_sends_mail_with_links_to_itself(way):
    person = Person(way)
    person.register()
    link = text_of(person.mail.wait("/verify.html#token="))
    assert f"{way.url}/verify.html#token=" in link
    assert person.verify().status_code == 204


def test_keeps_a_browser_session_in_cookies(way):
    person = Person(way)
    person.register()
    client = person.login_by_cookie()
    assert client.get("/auth/session").status_code == 200
    refused = client.post("/auth/refresh", {})
    assert refused.status_code == 403, refused.text
    renewed = client.post("/auth/refresh", {}, headers=client.csrf_headers())
    assert renewed.status_code == 200, renewed.text


def test_knows_the_address_of_the_client(way):
    attacker, neighbour = Client(way), Client(way)
    answers = [post(attacker, login_of(100)).status_code for _ in range(7)]
    assert 429 in answers
    assert post(neighbour, login_of(100)).status_code == 401


def test_takes_a_body_of_64_kib_and_none_larger(way):
    client = Client(way)
    assert post(client, login_of(KIB_64)).status_code not in (413, 500, 502)
    refused = post(client, login_of(KIB_64 + 1))
    assert refused.status_code == 413
    assert refused.json()["code"] == "payload_too_large"
    assert refused.json()["request_id"]
    assert_safe_headers(refused, API_POLICY)


@pytest.mark.parametrize("size", [KIB_64 * 3, KIB_64 * 16])
def test_refuses_a_large_body(way, size):
    refused = post(Client(way), login_of(size))
    assert refused.status_code == 413
    assert_safe_headers(refused)
    if way.name != "htaccess":  # there it is Apache's own page
        assert refused.json()["code"] == "payload_too_large"


def test_does_not_take_in_a_huge_body(way):
    try:
        refused = post(Client(way), login_of(16 * 1024 * 1024))
    except requests.ConnectionError:
        return  # cut off while sending: no answer was waited for
    assert refused.status_code == 413
    assert_safe_headers(refused)


def test_takes_and_refuses_chunked_bodies_alike(way):
    client = Client(way)
    assert post(client, in_pieces(login_of(200))).status_code == 401
    refused = post(client, in_pieces(login_of(KIB_64 + 1)))
    assert refused.status_code == 413, refused.text


PAGES = {
    "/": "text/html; charset=utf-8",
    "/login.html": "text/html; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/js/api.js": "text/javascript; charset=utf-8",
    "/mark.svg": "image/svg+xml; charset=utf-8",
    "/problems/not_found/": "text/html; charset=utf-8",
}


@pytest.mark.parametrize("path", PAGES)
def test_serves_the_pages_safely(way, path):
    answer = Client(way).fetch("GET", path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].lower() == PAGES[path]
    assert answer.headers["Cache-Control"] == "no-cache"
    assert_safe_headers(answer, PAGE_POLICY)


def test_leads_from_a_problem_type_to_its_page(way):
    answer = Client(way).fetch("GET", "/problems/not_found")
    assert answer.status_code in (301, 302)
    assert answer.headers["Location"].endswith("/problems/not_found/")
    assert_safe_headers(answer)


@pytest.mark.parametrize("method,path,status", [
    ("GET", "/no-such-page", 404),
    ("GET", "/no/such/page.html", 404),
    ("POST", "/login.html", 405),
    ("PUT", "/login.html", 405),
    ("DELETE", "/", 405),
    ("TRACE", "/", 405),
    ("TRACE", "/login.html", 405),
])
def test_refuses_on_static_paths_safely(way, method, path, status):
    answer = Client(way).fetch(method, path, data=b"")
    assert answer.status_code == status
    if (way.name, method) != ("htaccess", "TRACE"):  # there it is the host's
        assert_safe_headers(answer, PAGE_POLICY)


def test_refuses_on_api_paths_safely(way):
    client = Client(way)
    for method, path, status in (("GET", "/no-such-thing", 404),
                                 ("DELETE", "/auth/login", 405),
                                 ("GET", "/auth/session", 401)):
        answer = client.fetch(method, API + path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(
            "application/problem+json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert_safe_headers(answer, API_POLICY)


def test_refuses_trace(way):
    answer = Client(way).fetch("TRACE", API + "/auth/session", headers={
        "X-Canary": "echo-me"})
    assert answer.status_code == 405
    assert "echo-me" not in answer.text


@pytest.mark.parametrize("path", [
    "/api/v1/auth%2fsession", "/api/v1//auth/session",
    "/api/v1/./auth/session", "/api/v1/auth/session/",
    "/api/v1/auth/session;x", "/API/v1/auth/session",
    "/api/v1/auth/%73ession%00", "//api/v1/auth/session",
])
def test_crooked_paths_reach_nothing(way, path):
    connection = subprocess.run(
        ["curl", "--silent", "--path-as-is", "--noproxy", "*", "--cacert",
         way.ca_file, "--output", "/dev/null", "--write-out", "%{http_code}",
         way.url + path], capture_output=True, text=True, check=True)
    assert connection.stdout in ("400", "401", "404")


def test_speaks_no_tls_before_1_2(way):
    spoken = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{way.port}", "-tls1_1",
         "-cipher", "DEFAULT@SECLEVEL=0"], input=b"", capture_output=True)
    assert b"Cipher is (NONE)" in spoken.stdout
    assert spoken.returncode != 0


def test_logs_no_query(way):
    canary = secrets.token_hex(8)
    client = Client(way)
    client.fetch("GET", f"/login.html?token={canary}")
    client.fetch("GET", f"{API}/auth/session?token={canary}")
    marker = f"/{secrets.token_hex(8)}"
    client.fetch("GET", marker)
    wait_until(lambda: marker in way.access_log.read_text(), 10, 0.1,
               "the line in the access log")
    assert canary not in way.access_log.read_text()


def test_answers_in_time_to_many_at_once(way):
    sessions = [Client(way) for _ in range(8)]
    began = time.monotonic()
    for _ in range(5):
        for client in sessions:
            assert client.fetch("GET", "/healthz").status_code == 200
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("way", OWN_SOCKET, indirect=True)
def test_says_503_while_the_program_is_away(way):
    stack = way.stack
    gone = [stack.master_pid, *stack.children()]
    os.killpg(gone[0], signal.SIGKILL)
    wait_until(lambda: not any(state_of(pid) for pid in gone), 10)
    answer = Client(way).get("/auth/session")
    assert answer.status_code == 503
    assert answer.json()["code"] == "service_unavailable"
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert_safe_headers(answer)
    stack.up()

    def is_back():
        try:
            return Client(way).fetch("GET", "/healthz").status_code == 200
        except requests.RequestException:
            return False
    wait_until(is_back, 10)
