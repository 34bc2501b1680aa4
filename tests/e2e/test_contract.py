# SPDX-License-Identifier: Apache-2.0
"""The published contract against the program: routes, OpenAPI, metrics."""

import os
import re
import signal

from client import API, Client, Person
from stack import wait_until

METHODS = {"get", "post", "put", "patch", "delete"}


def routes(stack):
    found = set()
    for line in stack.ctl("routes").stdout.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1].startswith("/"):
            found.add((words[0].lower(), words[1]))
    return found


def document(stack):
    answer = Client(stack).get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def served_below(document):
    url = (document.get("servers") or [{"url": "/"}])[0]["url"]
    return "" if url == "/" else re.sub(r"^https?://[^/]+", "", url).rstrip("/")


def test_openapi_describes_every_route_and_no_other(stack):
    content = document(stack)
    assert content["openapi"].startswith("3.1")
    base = served_below(content)
    described = set()
    for path, operations in content["paths"].items():
        prefix = served_below(operations) if "servers" in operations else base
        described |= {(method, prefix + path) for method in METHODS & set(operations)}
    assert described == routes(stack)


def test_no_route_answers_a_stranger_that_does_not_say_so(loose):
    """Deny by default: what openapi wants a caller for is 401 without one."""
    content = document(loose)
    base = served_below(content)
    for path, operations in content["paths"].items():
        prefix = served_below(operations) if "servers" in operations else base
        for method in METHODS & set(operations):
            security = operations[method].get("security", content.get("security"))
            if not security or {} in security:
                continue
            answer = Client(loose, "127.0.0.1").fetch(
                method.upper(), prefix + re.sub(r"\{\w+\}", "x", path),
                None if method == "get" else {})
            assert answer.status_code == 401, (method, path, answer.text)


def test_head_is_get_without_a_body(loose):
    for path in ("/healthz", API + "/openapi.json"):
        one = Client(loose).fetch("GET", path)
        other = Client(loose).fetch("HEAD", path)
        assert other.status_code == one.status_code == 200
        assert other.text == ""


# Metrics

def metrics(stack):
    answer = Client(stack, "127.0.0.1").fetch("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    values = {}
    for line in answer.text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    return values


def test_counters_are_shared_by_all_workers(stack):
    before = metrics(stack)
    for _ in range(12):
        Person(stack).try_login()
    expected = before["auth_login_failures_total"] + 12
    seen = {metrics(stack)["auth_login_failures_total"] for _ in range(12)}
    assert seen == {expected}


def test_counters_survive_a_reload(stack):
    Person(stack).try_login()
    before = metrics(stack)["auth_login_failures_total"]
    workers = set(stack.worker_pids())
    stack.reload()
    wait_until(lambda: not workers & set(stack.worker_pids())
               and len(stack.worker_pids()) >= len(workers), timeout=20)
    assert metrics(stack)["auth_login_failures_total"] >= before


def test_the_metrics_are_the_prometheus_text_format(stack):
    text = Client(stack, "127.0.0.1").fetch("GET", "/metrics").text
    typed = set(re.findall(r"^# TYPE (\w+) (?:counter|gauge|histogram)$", text, re.M))
    helped = set(re.findall(r"^# HELP (\w+) \S", text, re.M))
    assert typed and typed == helped
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(
            r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+|.*\+Inf.*', line), line
    for name in ("auth_login_failures_total", "token_revocations_total"):
        assert name in typed
    for severity in ("info", "warning", "critical"):
        assert f'audit_events_total{{severity="{severity}"}}' in metrics(stack)


def test_a_session_check_is_one_redis_round_trip_and_no_sql(stack):
    client = Person(stack).join().login()
    client.get("/auth/session")
    for _ in range(20):  # every worker connected and read its keys
        client.get("/auth/session")

    def spent(before, after, word):
        return sum(after[name] - before[name] for name in before if word in name)

    maintainers = set(stack.children()) - set(stack.worker_pids())
    assert maintainers
    for pid in maintainers:  # it has statements of its own
        os.kill(pid, signal.SIGSTOP)
    try:
        before = metrics(stack)
        for _ in range(50):
            assert client.get("/auth/session").status_code == 200
        after = metrics(stack)
    finally:
        for pid in maintainers:
            os.kill(pid, signal.SIGCONT)
    assert spent(before, after, "redis_round_trips") == 50
    assert spent(before, after, "db_statements") == 0
