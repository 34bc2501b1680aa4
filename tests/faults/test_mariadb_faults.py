# SPDX-License-Identifier: Apache-2.0
"""MariaDB stopped, hanging, restarted, locked: ER-03, ER-04."""

import threading
import time

import pymysql
import pytest

from client import Client, Person
from services import mariadb_of, redis_of
from stack import wait_until


@pytest.fixture
def mariadb(fragile):
    service = mariadb_of(fragile)
    yield service
    service.restore()
    wait_until(lambda: Person(fragile).register().status_code == 202,
               timeout=30, pause=0.3)


def timed(call):
    start = time.monotonic()
    answer = call()
    return answer, time.monotonic() - start


def assert_unavailable(answer, seconds):
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "service_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert seconds < 3, seconds


def calls(stack, person, client):
    return (
        lambda: client.get("/me"),
        lambda: client.patch("/me", {"name": "n"}),
        lambda: person.try_login(),
        lambda: Person(stack).register(),
        lambda: person.renew("A" * 43),
        lambda: Client(stack).post("/auth/password/forgot", {"email": person.email}),
        lambda: Client(stack).post("/auth/verify-email", {"token": "A" * 43}),
    )


def test_ER03_a_stopped_database_is_503_within_3_seconds_and_mends_itself(fragile, mariadb):
    person = Person(fragile).join()
    client = person.login()
    mariadb.kill()
    for call in calls(fragile, person, client):
        assert_unavailable(*timed(call))
    assert Client(fragile).fetch("GET", "/healthz").status_code == 200
    assert Client(fragile).fetch("GET", "/readyz").status_code == 503
    mariadb.start()
    wait_until(lambda: client.get("/me").status_code == 200, timeout=10)
    assert person.try_login().status_code == 200
    assert Client(fragile).fetch("GET", "/readyz").status_code == 200
    for _ in range(12):  # every worker
        assert client.get("/me").status_code == 200


def test_ER03_a_session_check_needs_no_database(fragile, mariadb):
    client = Person(fragile).join().login()
    for _ in range(12):
        assert client.get("/auth/session").status_code == 200
    mariadb.kill()
    statuses = [client.get("/auth/session").status_code for _ in range(12)]
    assert statuses == [200] * 12
    mariadb.start()


def test_ER03_a_hanging_database_is_503_within_3_seconds_and_mends_itself(fragile, mariadb):
    person = Person(fragile).join()
    client = person.login()
    mariadb.pause()
    try:
        for call in calls(fragile, person, client)[:4]:
            assert_unavailable(*timed(call))
    finally:
        mariadb.resume()
    wait_until(lambda: client.get("/me").status_code == 200, timeout=10)
    assert person.try_login().status_code == 200


def test_ER03_workers_started_while_the_database_is_away_serve_when_it_is_back(fragile, mariadb):
    person = Person(fragile).join()
    mariadb.kill()
    before = set(fragile.worker_pids())
    fragile.reload()
    wait_until(lambda: not before & set(fragile.worker_pids()), timeout=20)
    assert Client(fragile).fetch("GET", "/healthz").status_code == 200
    answer, seconds = timed(person.try_login)
    assert_unavailable(answer, seconds)
    mariadb.start()
    wait_until(lambda: person.try_login().status_code == 200, timeout=10)


def test_ER03_both_stores_away_lets_no_revoked_token_in(fragile, mariadb):
    client = Person(fragile).join().login()
    client.post("/auth/logout")
    redis = redis_of(fragile)
    redis.kill()
    mariadb.kill()
    try:
        for _ in range(6):
            assert client.get("/auth/session").status_code in (401, 503)
    finally:
        mariadb.start()  # and Redis: the quick start starts what is missing
    wait_until(lambda: client.get("/auth/session").status_code == 401, timeout=10)


def test_ER04_a_locked_row_is_503_and_never_500(fragile, mariadb):
    person = Person(fragile).join()
    client = person.login()
    blocker = fragile.database()
    blocker.autocommit(False)
    try:
        with blocker.cursor() as cursor:
            cursor.execute("SELECT 1 FROM user WHERE email = %s FOR UPDATE", (person.email,))
            answer, seconds = timed(lambda: client.patch("/me", {"name": "late"}))
        assert answer.status_code == 503, answer.text
        assert seconds < 15
    finally:
        blocker.rollback()
        blocker.close()
    wait_until(lambda: client.patch("/me", {"name": "in time"}).status_code == 200, timeout=10)


def test_ER04_deadlocks_are_tried_again(fragile, mariadb):
    """A rival takes locks in another order, over and over."""
    person = Person(fragile).join()
    client = person.login()
    stop = threading.Event()
    rival = threading.Thread(target=provoke, args=(fragile, person.email, stop))
    rival.start()
    try:
        statuses = [client.patch("/me", {"name": f"n{number}"}).status_code
                    for number in range(40)]
        statuses += [person.try_login().status_code for _ in range(5)]
    finally:
        stop.set()
        rival.join()
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 40


def provoke(stack, address, stop):
    connection = stack.database()
    connection.autocommit(False)
    while not stop.is_set():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM session WHERE user_id = (SELECT id FROM user"
                               " WHERE email = %s) FOR UPDATE", (address,))
                time.sleep(0.01)
                cursor.execute("UPDATE user SET name = CONCAT(name, '') WHERE email = %s",
                               (address,))
            connection.rollback()
        except pymysql.err.OperationalError:
            connection.rollback()
        time.sleep(0.01)
    connection.close()


def test_mail_waits_out_a_database_that_was_away(fragile, mariadb):
    person = Person(fragile)
    assert person.register().status_code == 202
    mariadb.kill()
    mariadb.start()
    assert person.mail.wait_for_token("/verify.html")
    time.sleep(1)
    assert len([one for one in person.mail.messages()]) == 1
