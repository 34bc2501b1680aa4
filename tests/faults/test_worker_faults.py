# SPDX-License-Identifier: Apache-2.0
"""Workers killed in the middle of writes, and reloads under load."""

import os
import random
import signal
import threading
import time

import requests

from client import Client, Person
from stack import is_sanitized, wait_until

WRITERS = 6


class Load:
    """Threads that call something until told to stop, and keep the answers."""

    def __init__(self, calls):
        self.answers, self.stopping = [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(one,)) for one in calls]

    def _run(self, call):
        while not self.stopping.is_set():
            self.answers.append(call())

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for one in self.threads:
            one.join()


def registrar(stack):
    """Registers one person after the other; gives the person and the status."""
    client = Client(stack)

    def call():
        person = Person(stack)
        try:
            answer = person.register(client)
        except requests.RequestException:
            return person, 0
        # The web server says 500 too, for a worker that died on it; only
        # what the program itself answers has a request id.
        is_ours = answer.status_code == 500 and "X-Request-Id" in answer.headers
        return person, "internal_error" if is_ours else answer.status_code
    return call


def killer(stack, seconds):
    deadline = time.monotonic() + seconds
    count = 0
    while time.monotonic() < deadline:
        time.sleep(random.uniform(0.05, 0.3))
        pids = stack.worker_pids()
        if pids:
            try:
                os.kill(random.choice(pids), signal.SIGKILL)
                count += 1
            except ProcessLookupError:
                pass
    return count


def rows(stack, sql):
    return {row["email"].decode() for row in stack.query(sql)}


def test_a_killed_worker_loses_no_answered_write_and_leaves_no_half_state(fragile):
    with Load([registrar(fragile) for _ in range(WRITERS)]) as load:
        assert killer(fragile, 8) >= 8
    wait_until(lambda: Client(fragile).fetch("GET", "/healthz").status_code == 200, timeout=20)

    promised = {person.email for person, status in load.answers if status == 202}
    tried = {person.email for person, _ in load.answers}
    assert len(promised) >= 10
    assert "internal_error" not in {status for _, status in load.answers}

    users = rows(fragile, "SELECT email FROM user") & tried
    assert promised <= users, "an answered 202 was lost"
    whole = rows(fragile, """
        SELECT u.email FROM user u
        JOIN tenant t ON t.id = u.home_tenant_id
        JOIN membership m ON m.user_id = u.id AND m.tenant_id = t.id
        JOIN email_token e ON e.user_id = u.id AND e.purpose = 'verify'
        JOIN outbox o ON o.user_id = u.id
        JOIN audit_event a ON a.user_id = u.id
        GROUP BY u.id
        HAVING COUNT(DISTINCT m.tenant_id) = 1 AND COUNT(DISTINCT e.token_hash) = 1
           AND COUNT(DISTINCT o.id) = 1 AND COUNT(DISTINCT a.id) = 1""")
    assert users <= whole, "half a registration"
    orphans = fragile.query(
        "SELECT COUNT(*) AS count FROM tenant t LEFT JOIN membership m ON m.tenant_id = t.id"
        " WHERE m.tenant_id IS NULL AND t.id <> (SELECT system_tenant_id FROM installation)")
    assert orphans[0]["count"] == 0


def test_a_killed_worker_never_rotates_a_token_twice(fragile):
    """A renewal whose answer was lost leaves at most one live successor."""
    people = [Person(fragile).join() for _ in range(3)]
    tokens = {person.email: person.login().refresh_token for person in people}

    def renewer(person):
        client = Client(fragile)

        def call():
            try:
                answer = client.post("/auth/refresh", {"refresh_token": tokens[person.email]})
            except requests.RequestException:
                return 0
            if answer.status_code == 200:
                tokens[person.email] = answer.json()["refresh_token"]
            elif answer.status_code == 401:
                tokens[person.email] = person.login().refresh_token \
                    if person.try_login().status_code == 200 else tokens[person.email]
            return answer.status_code
        return call

    with Load([renewer(person) for person in people]) as load:
        killer(fragile, 5)
    wait_until(lambda: Client(fragile).fetch("GET", "/healthz").status_code == 200, timeout=20)
    assert load.answers.count(200) >= 10
    double = fragile.query(
        "SELECT session_id FROM refresh_token WHERE used_at IS NULL"
        " GROUP BY session_id HAVING COUNT(*) > 1")
    assert double == []


def checker(stack, token):
    client = Client(stack, token=token)

    def call():
        try:
            answer = client.get("/auth/session")
            return answer.status_code, answer.text
        except requests.RequestException as error:
            return 0, str(error)
    return call


def test_20_reloads_under_load_fail_no_request(fragile):
    person = Person(fragile).join()
    tokens = [person.login().token for _ in range(4)]
    reloads = 5 if is_sanitized() else 20
    with Load([checker(fragile, one) for one in tokens]) as load:
        for _ in range(reloads):
            before = set(fragile.worker_pids())
            fragile.reload()
            wait_until(lambda: not before & set(fragile.worker_pids())
                       and len(fragile.worker_pids()) >= len(before), timeout=30, pause=0.05)
    failed = [one for one in load.answers if one[0] != 200]
    assert not failed, failed[:3]
    assert len(load.answers) >= 500


def test_a_reload_while_writing_loses_nothing(fragile):
    with Load([registrar(fragile) for _ in range(3)]) as load:
        for _ in range(4):
            time.sleep(0.7)
            fragile.reload()
        time.sleep(0.7)
    assert {status for _, status in load.answers} == {202}


def test_the_master_outlives_its_children_and_a_TERM_stops_all(fragile):
    master, children = fragile.master_pid, fragile.children()
    os.kill(children[0], signal.SIGKILL)
    wait_until(lambda: len(fragile.children()) >= len(children), timeout=10)
    assert fragile.master_pid == master
    children = fragile.children()
    os.kill(master, signal.SIGTERM)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in (master, *children)),
               timeout=20)
    fragile.up()
    assert Client(fragile).fetch("GET", "/healthz").status_code == 200
