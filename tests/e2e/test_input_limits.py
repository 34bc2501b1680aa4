# SPDX-License-Identifier: Apache-2.0
"""DO-01 … DO-04, DO-06, DO-08: how much of anything the program takes."""

import contextlib
import json
import os
import pathlib
import socket
import ssl
import threading
import time

import pytest

import fcgi
from burst import encode, parse
from client import API, Client, Person, next_address
from stack import is_sanitized

LOGIN = API + "/auth/login"
KIB64 = 64 * 1024


def send(stack, body, path=LOGIN):
    return Client(stack).fetch("POST", path, data=body,
                               headers={"Content-Type": "application/json"})


def code(answer):
    return answer.status_code, answer.json()["code"]


def connect(stack):
    context = ssl.create_default_context(cafile=stack.ca_file)
    plain = socket.create_connection(("127.0.0.1", stack.port), 30,
                                     source_address=(next_address(), 0))
    return context.wrap_socket(plain, server_hostname="localhost")


# DO-01

def body_of(length):
    padding = length - len('{"email":"a@example.com","password":"x","pad":[]}')
    items, rest = divmod(padding, 4003)
    listed = ['"' + "x" * 4000 + '"'] * items
    text = '{"email":"a@example.com","password":"x","pad":[%s]}' % ",".join(listed)
    return text + " " * (length - len(text))


def test_DO01_a_body_of_64_kib_is_read_and_one_byte_more_is_refused(loose):
    assert code(send(loose, body_of(KIB64))) == (401, "invalid_credentials")
    assert code(send(loose, body_of(KIB64 + 1))) == (413, "payload_too_large")


def test_DO01_megabytes_are_refused(loose):
    head = encode(loose, "POST", LOGIN).replace(b"Content-Length: 0",
                                                b"Content-Length: 4000000")
    with connect(loose) as connection:
        connection.sendall(head)  # what it announces is enough
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_DO01_a_chunked_body_has_the_same_limit(loose):
    def pieces(count):
        yield b'{"email":"a@example.com","password":"x"}'
        for _ in range(count):
            yield b" " * 1024
    assert send(loose, pieces(10)).status_code == 401
    assert send(loose, pieces(80)).status_code in (411, 413)


def test_DO01_a_false_length_is_refused_by_the_program_itself(loose):
    body = b'{"email":"a@example.com","password":"x"}'
    for length in (len(body) + 5, -1, "x", "1e2", 2 ** 64, " 5", "0x10"):
        variables = dict(fcgi.variables_for("POST", LOGIN))
        variables["CONTENT_LENGTH"] = str(length)
        status, text = fcgi.call(loose.fcgi_socket, list(variables.items()), body)
        assert status in (400, 408, 413), (length, text)


# DO-02

def nested(depth):
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize("body", [
    nested(17), b"[" * 17 + b"]" * 17, b"[" * 30000, b'{"a":' * 10000,
    json.dumps({f"m{i}": i for i in range(257)}).encode(),
    b"[" + b"1," * 300 + b"1]", b'{"email":"a","email":"b"}', b'{"a":1}x', b"{}{}",
    b'\xef\xbb\xbf{}', b'{"a":"\xff"}', b'{"a":"\xc0\x80"}', b'{"a":"\\ud800"}',
    b'{"a":"\xed\xa0\x80"}', b"{'a':1}", b'{"a":01}', b'{"a":NaN}', b'{"a":1,}', b" ",
    b"nul", b"\0", b'{"a":"\x01"}', b'{"a":/*c*/1}', b'{"a":+1}', b'{"a":.5}',
], ids=lambda body: ascii(body[:12]))
def test_DO02_what_is_no_json_within_the_limits_is_400(loose, body):
    answer = send(loose, body)
    assert code(answer)[0] == 400, answer.text
    assert code(answer)[1] in ("invalid_json", "invalid_request")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_DO02_a_value_that_is_no_object_is_400(loose, body):
    assert send(loose, body).status_code == 400


def test_DO02_no_body_is_an_object_without_members(loose):
    assert code(send(loose, b"")) == (422, "validation_failed")


def test_DO02_depth_16_and_256_members_are_read(loose):
    assert code(send(loose, nested(16)))[0] == 422
    members = json.dumps({f"m{i}": i for i in range(256)}).encode()
    assert code(send(loose, members))[0] == 422


def test_DO02_a_string_over_its_limit_names_the_field(loose):
    answer = Client(loose).post("/auth/register", {
        "email": "a@example.com", "password": "Quiet-elm-77-walnut", "name": "n" * 20000})
    assert code(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == "name"


# DO-03, spoken to the program itself: a front server would wait on its own.

def slow_call(stack, pieces, pause):
    """Send a body of 1,000 bytes piece by piece; status and seconds taken."""
    call = fcgi.Call(stack.fcgi_socket, fcgi.variables_for("POST", LOGIN, 1000))
    start = time.monotonic()
    with contextlib.suppress(OSError):
        for _ in range(pieces):
            call.send(b" ")
            time.sleep(pause)
    status, _ = fcgi.status_of(call.answer())
    return status, time.monotonic() - start


def test_DO03_a_body_that_stops_is_given_up_after_5_seconds(loose):
    status, seconds = slow_call(loose, 1, 0)
    assert status in (0, 408)
    assert 4 < seconds < 7


def test_DO03_a_body_that_trickles_is_given_up_after_10_seconds(loose):
    status, seconds = slow_call(loose, 14, 1)
    assert status in (0, 408)
    assert seconds < 15
    assert Client(loose).fetch("GET", "/healthz").status_code == 200


# DO-04

def test_DO04_at_most_100_query_arguments(loose):
    client = Person(loose).join().login()
    for count, expected in ((100, 200), (101, 400)):
        query = "&".join(f"a{i}=1" for i in range(count))
        assert client.get(f"/auth/session?{query}").status_code == expected, count


def test_DO04_at_most_200_variables(loose):
    few = [(f"HTTP_X_{i}", "1") for i in range(150)]
    many = [(f"HTTP_X_{i}", "1") for i in range(400)]
    for more, expected in ((few, 200), (many, 400)):
        status, text = fcgi.call(loose.fcgi_socket,
                                 fcgi.variables_for("GET", "/healthz", more=more))
        assert status == expected, text


def test_DO04_at_most_64_kib_of_variables(loose):
    huge = [(f"HTTP_X_{i}", "v" * 1000) for i in range(100)]
    status, text = fcgi.call(loose.fcgi_socket,
                             fcgi.variables_for("GET", "/healthz", more=huge))
    assert status in (0, 400), text
    assert Client(loose).fetch("GET", "/healthz").status_code == 200


# DO-06

def test_DO06_200_slow_bodies_hinder_nobody(loose):
    """For 15 s; CLAVIGER_SLOW_SECONDS=60 for the whole minute."""
    seconds = float(os.environ.get("CLAVIGER_SLOW_SECONDS", "15"))
    head = encode(loose, "POST", LOGIN, {}).replace(b"Content-Length: 2", b"Content-Length: 5000")
    slow = [connect(loose) for _ in range(200)]
    for one in slow:
        one.sendall(head)
    stop = threading.Event()
    sender = threading.Thread(target=trickle, args=(slow, stop))
    sender.start()
    answers, client = [], Client(loose)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answers.append(client.fetch("GET", "/healthz").status_code)
        answers.append(client.get("/auth/session").status_code)
        time.sleep(0.02)
    stop.set()
    sender.join()
    for one in slow:
        one.close()
    assert set(answers) == {200, 401}, answers


def trickle(connections, stop):
    while not stop.wait(1):
        for one in connections:
            with contextlib.suppress(OSError):
                one.sendall(b" ")


# DO-08

def cpu_ms(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return total / 1e6


@pytest.mark.parametrize("body", [
    b'{"email":"' + b"\\u0000" * 10900 + b'","password":"x"}',
    b'{"email":' + b"9" * 65000 + b',"password":"x"}',
    b'{"email":1e' + b"9" * 20000 + b',"password":"x"}',
    b'{"email":-0.' + b"0" * 65000 + b',"password":"x"}',
    b'{"email":"' + b"\\ud83d\\ude00" * 5400 + b'"}',
    b'{"email":"' + b"@" * 65000 + b'","password":"x"}',
    b'{"email":"a@example.com","password":"' + b"\\u0000" * 10800 + b'"}',
    b'{"email":"' + b"a." * 32000 + b'@example.com","password":"x"}',
    b"[" + b"[]," * 21000 + b"[]]", b'{"' + b"a" * 65000 + b'":1}', b" " * 65500,
], ids=["NULs", "digits", "exponent", "zeros", "pairs", "ats", "password",
        "dots", "arrays", "name", "spaces"])
def test_DO08_pathological_input_costs_less_than_50_ms(loose, body):
    assert len(body) <= KIB64
    workers = loose.worker_pids()
    before = cpu_ms(workers)
    # A route that hashes nothing: a hash is work that is wanted.
    answer = send(loose, body, API + "/auth/password/forgot")
    spent = cpu_ms(workers) - before
    assert answer.status_code in (202, 400, 422)
    assert spent < (500 if is_sanitized() else 50), f"{spent:.1f} ms"


def test_DO08_a_slow_password_estimate_is_bounded(loose):
    """zxcvbn is quadratic and worse: the longest password it may see."""
    workers = loose.worker_pids()
    passwords = ("ab" * 64, "1234567890" * 12 + "12345678", "qwertyuiop" * 12, "aA1!" * 32)
    for password in passwords:
        before = cpu_ms(workers)
        answer = Person(loose, password=password).register()
        assert answer.status_code in (202, 422)
        assert cpu_ms(workers) - before < (3000 if is_sanitized() else 300), password


def test_a_second_request_on_a_connection_is_answered(loose):
    request = encode(loose, "GET", "/healthz").replace(b"Connection: close\r\n", b"")
    last = encode(loose, "GET", "/healthz")
    with connect(loose) as connection:
        connection.sendall(request + last)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200") == 2
    assert parse(received).status == 200
