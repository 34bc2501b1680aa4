# SPDX-License-Identifier: Apache-2.0
"""ER-01, ER-02, ER-04: one form of error, and never one of ours."""

import json
import random
import re
import secrets
import threading

from client import API, Client, Person
from stack import is_sanitized

LEAKS = re.compile(
    r"SELECT |INSERT |UPDATE .*SET|mysql|mariadb|hiredis|redis|/home/|/usr/|/tmp/|errno|"
    r"\.c:\d+|0x[0-9a-f]{6,}|stack trace|SQLSTATE|sanitizer|lighttpd|libfcgi", re.I)


def assert_is_problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["title"] and problem["type"].startswith("http")
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert not LEAKS.search(re.sub(r'"type":"[^"]*"', "", answer.text)), answer.text


def test_ER01_every_refusal_is_the_same_form(loose):
    client = Client(loose)
    person = Person(loose).join()
    cases = [
        (client.fetch("POST", API + "/auth/login", data=b"{", headers={
            "Content-Type": "application/json"}), 400, "invalid_json"),
        (client.fetch("POST", API + "/auth/login", data=b"[]", headers={
            "Content-Type": "application/json"}), 400, "invalid_request"),
        (client.get("/me"), 401, "unauthenticated"),
        (client.get("/me", headers={"Authorization": "Bearer x"}), 401, "token_invalid"),
        (client.post("/auth/login", {"email": person.email, "password": "x"}),
         401, "invalid_credentials"),
        (client.get("/none"), 404, "not_found"),
        (client.delete("/auth/login"), 405, "method_not_allowed"),
        (client.post("/auth/login", {"email": "x" * 70000}), 413, "payload_too_large"),
        (client.fetch("POST", API + "/auth/login", data=b"x"), 415, "unsupported_media_type"),
        (client.post("/auth/login", {}), 422, "validation_failed"),
    ]
    for answer, status, code in cases:
        assert_is_problem(answer, status, code)


def test_ER01_a_refusal_by_limit_is_of_the_form_too(stack):
    client = Client(stack)
    for _ in range(6):
        answer = client.post("/auth/login", {"email": "a@example.com", "password": "x"})
    assert_is_problem(answer, 429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0


def test_ER01_the_type_leads_to_a_page_that_explains_it(loose):
    client = Client(loose)
    for answer in (client.get("/me"), client.get("/none"), client.delete("/auth/login")):
        address = answer.json()["type"]
        assert address.startswith(loose.url + "/problems/")
        page = client.http.get(address, timeout=20)
        assert page.url.startswith(address)  # at most a slash is added
        assert page.status_code == 200, address
        assert page.headers["Content-Type"].startswith("text/html")


# ER-02

ODD = [None, True, False, 0, -1, 2 ** 63, -2 ** 63 - 1, 1e308, 0.1, "", " ", "\0", "x" * 5000,
       "\ud7ff\ue000", "é", "'", '"', "\\", "%00", "%s%n", "../../..", "<script>", "{{7*7}}",
       "'; DROP TABLE user; --", [], {}, [[]], {"a": {}}, [None] * 200, "\u202e", "🦊" * 60]


def odd_value(chance):
    if chance.random() < 0.3:
        return "".join(chr(chance.choice((chance.randrange(1, 128), chance.randrange(160, 0xD7FF))))
                       for _ in range(chance.randrange(60)))
    return chance.choice(ODD)


def test_ER02_malformed_anything_is_never_a_5xx(loose):
    """Every route, with fields of every wrong kind; the seed is printed."""
    seed = secrets.randbits(32)
    print("seed", seed)
    chance = random.Random(seed)
    names = ("email", "password", "name", "tenant_name", "token", "new_password", "device_name",
             "current_password", "refresh_token", "tenant_id", "session", "consents")
    person = Person(loose).join()
    bearer = person.login()
    routes = [line.split()[:2] for line in loose.ctl("routes").stdout.splitlines() if line.strip()]
    rounds = 8 if is_sanitized() else 20
    for method, path in routes:
        for number in range(rounds):
            client = bearer if number % 2 else Client(loose)
            body = {name: odd_value(chance) for name in names if chance.random() < 0.7}
            headers = {"Content-Type": "application/json"}
            if chance.random() < 0.2:
                headers[chance.choice(("Cookie", "Origin", "If-Match", "X-Forwarded-For"))] = \
                    chance.choice(("", ";;=", "a=b; a=c", "\xff", "," * 900)).encode("latin-1")
            data = json.dumps(body).encode()
            if chance.random() < 0.3:
                cut = chance.randrange(len(data) + 1)
                data = data[:cut] + chance.randbytes(chance.randrange(9)) + data[cut + 3:]
            where = path.replace("{id}", chance.choice(("x", "0" * 36, "%F0", "a%2fb", "-")))
            if chance.random() < 0.3:
                where += "?" + chance.choice(("limit=x", "cursor=%ff", "limit=-1", "&&==", "%", "since=1x"))
            answer = client.fetch(method, where, data=data, headers=headers)
            assert answer.status_code < 500, (method, where, data, answer.text)
            if bearer.get("/auth/session").status_code != 200:
                bearer = person.login()


def test_ER02_odd_paths_are_never_a_5xx_and_never_another_route(loose):
    client = Person(loose).join().login()
    for path in ("//api/v1/me", "/api//v1/me", "/api/v1/./me", "/api/v1/x/../me", "/api/v1/me/",
                 "/api/v1/me%00", "/api/v1/me%2f", "/api/v1/me;x=1", "/API/V1/ME", "/api/v1/%",
                 "/api/v1/%zz", "/api/v1/me%20", "/api/v1/me.", "/api/v1/" + "x" * 4000,
                 "/api/v1/" + "x/" * 800, "/api/v1/me%c0%ae", "/api/v1/.%2e/me"):
        connection = client.http
        request = connection.prepare_request(__import__("requests").Request(
            "GET", loose.url, headers={"Authorization": f"Bearer {client.token}"}))
        request.url = loose.url + path  # as it stands, not normalised
        answer = connection.send(request, verify=loose.ca_file, timeout=20, allow_redirects=False)
        assert answer.status_code < 500, path
        if answer.status_code == 200:  # the front server may normalise first
            assert answer.json()["email"], path


# ER-04

def test_ER04_connections_that_the_database_cut_are_not_the_clients_matter(loose):
    person = Person(loose).join()
    client = person.login()
    for _ in range(3):
        for row in loose.query("SELECT id FROM information_schema.processlist"
                               " WHERE id <> CONNECTION_ID()"):
            try:
                loose.query(f"KILL {row['id']}")
            except Exception:
                pass  # it was gone already
        for _ in range(8):  # every worker once
            assert client.get("/me").status_code == 200
    statuses = [client.patch("/me", {"name": f"n{i}"}).status_code for i in range(4)]
    assert set(statuses) <= {200, 503}


def test_ER04_writers_of_one_row_at_once_all_get_an_answer(loose):
    person = Person(loose).join()
    client_count, answers = 8, []

    def write(client):
        for number in range(15):
            answers.append(client.patch("/me", {"name": f"n{number}"}).status_code)

    clients = [person.login() for _ in range(client_count)]
    threads = [threading.Thread(target=write, args=(one,)) for one in clients]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(answers) == {200}, answers
