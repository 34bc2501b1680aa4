# SPDX-License-Identifier: Apache-2.0
"""Blocked addresses: by people, by the guard, by a published list."""

import os
import pty
import re
import secrets
import time

import pytest

import hosts
from client import API, Client, Person, owner_of
from guessers import BLOCKED, FAILED, guess, guesses, metric, nobody, verdict
from stack import NO_LIMITS, Stack, is_sanitized, wait_until

ALLOWED = "127.60.1.0/24"
ENTRIES = 100_000


@pytest.fixture(scope="module")
def walled():
    """With an allow list, a list file, and blocks after 12 failures."""
    with Stack({**NO_LIMITS, "guard.allow": ALLOWED, "guard.auto_block_after": "12",
                "guard.auto_block_for": "3s"}, workers=4) as running:
        folder = running.config_file.parent.parent / "lib"
        running.restart(guard__blocklist_file=str(folder / "blocklist"))
        yield running


@pytest.fixture(scope="module")
def owner(walled):
    return owner_of(walled).login(Client(walled, "127.61.0.1"))


@pytest.fixture(autouse=True)
def unblocked(walled, owner):
    yield
    for one in owner.get("/admin/blocked-ips?limit=200").json()["items"]:
        unblock(owner, one["ip"], one["prefix"])


def block(owner, ip, **more):
    return owner.post("/admin/block-ip", {"ip": ip, **more})


def unblock(owner, ip, prefix=None):
    path = f"/admin/blocked-ips/{ip}"
    return owner.delete(path if prefix is None else f"{path}?prefix={prefix}")


def assert_added(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()


def state(stack, address):
    """What somebody there gets, from several workers."""
    client = Client(stack, address)
    found = {verdict(client.get("/auth/session")) for _ in range(8)}
    assert len(found) == 1, found
    return found.pop()


OPEN = (401, "unauthenticated")


def wait_for(stack, address, wanted, timeout=1.0):
    """Every change must hold within a second."""
    time.sleep(timeout)
    assert state(stack, address) == wanted


def test_an_address_is_blocked_and_unblocked_for_everything(walled, owner):
    assert state(walled, "127.62.0.1") == OPEN
    shown = assert_added(block(owner, "127.62.0.1", duration="1h", reason="a test"))
    assert (shown["ip"], shown["prefix"], shown["reason"]) == ("127.62.0.1", None, "a test")
    wait_for(walled, "127.62.0.1", BLOCKED)
    person = Person(walled).join()
    there = Client(walled, "127.62.0.1")
    assert verdict(person.try_login(there)) == BLOCKED
    there.token = person.login().token
    assert verdict(there.get("/me")) == BLOCKED
    assert state(walled, "127.62.0.2") == OPEN
    listed = owner.get("/admin/blocked-ips").json()["items"]
    assert [(one["ip"], one["source"]) for one in listed] == [("127.62.0.1", "admin")]
    assert unblock(owner, "127.62.0.1").status_code == 204
    wait_for(walled, "127.62.0.1", OPEN)
    assert unblock(owner, "127.62.0.1").status_code == 404


def test_a_block_of_addresses_covers_its_own_and_no_other(walled, owner):
    assert_added(block(owner, "127.63.5.0/24", duration="1h"))
    wait_for(walled, "127.63.5.255", BLOCKED)
    assert state(walled, "127.63.5.0") == BLOCKED
    assert state(walled, "127.63.4.255") == OPEN
    assert state(walled, "127.63.6.0") == OPEN
    assert unblock(owner, "127.63.5.0", 24).status_code == 204
    wait_for(walled, "127.63.5.255", OPEN)


def raw(stack, address):
    status, text = hosts.call(stack.fcgi_socket, "GET", API + "/auth/session", address=address)
    return (status, "ip_blocked") if '"ip_blocked"' in text else (status, "unauthenticated")


def test_IPv6_is_blocked_by_prefix_and_mapped_addresses_are_IPv4(walled, owner):
    assert_added(block(owner, "2001:db8:77::/48", duration="1h"))
    assert_added(block(owner, "::ffff:127.63.9.9", duration="1h"))
    time.sleep(1)
    assert raw(walled, "2001:db8:77:ffff::1") == BLOCKED
    assert raw(walled, "2001:db8:78::1") == OPEN
    assert raw(walled, "127.63.9.9") == raw(walled, "::ffff:127.63.9.9") == BLOCKED


def test_a_block_ends_by_itself(walled, owner):
    assert_added(block(owner, "127.62.0.3", duration="2s"))
    time.sleep(1)
    assert state(walled, "127.62.0.3") == BLOCKED
    time.sleep(1.2)
    assert state(walled, "127.62.0.3") == OPEN
    assert owner.get("/admin/blocked-ips").json()["items"] == []


def test_nobody_blocks_themselves_by_mistake(walled, owner):
    for ip in (owner.address, "127.61.0.0/16", "0.0.0.0/0"):
        answer = block(owner, ip, duration="3s")
        assert answer.status_code == 409, answer.text
        assert [one["code"] for one in answer.json()["errors"]] == ["own_address"]
    assert state(walled, owner.address) == OPEN
    assert_added(block(owner, owner.address, duration="3s", force=True))
    time.sleep(1)
    assert verdict(owner.get("/me")) == BLOCKED
    time.sleep(2.3)
    assert owner.get("/me").status_code == 200


def test_the_allow_list_wins(walled, owner):
    answer = block(owner, "127.60.1.7", duration="1h")
    assert answer.status_code == 409
    assert [one["code"] for one in answer.json()["errors"]] == ["always_allowed"]
    assert_added(block(owner, "127.60.0.0/16", duration="1h"))
    wait_for(walled, "127.60.2.1", BLOCKED)
    assert state(walled, "127.60.1.7") == OPEN
    there = Client(walled, "127.60.1.8")
    guesses(there, nobody(), 14)
    time.sleep(1)
    assert state(walled, "127.60.1.8") == OPEN, "the guard blocked whom it must not"


def test_a_network_that_keeps_failing_is_blocked_for_a_while(walled, owner):
    there = Client(walled)
    for _ in range(12):
        assert verdict(guess(there, nobody())) == FAILED
    wait_for(walled, there.address, BLOCKED)
    listed = owner.get("/admin/blocked-ips").json()["items"]
    assert [(one["ip"], one["source"]) for one in listed] == [(there.address, "auto")]
    assert metric(walled, "guard_blocked_total") >= 8
    time.sleep(2.5)
    assert state(walled, there.address) == OPEN


def events(owner, kind, ip):
    found = owner.get(f"/audit?event_type={kind}").json()["items"]
    return [one for one in found if ip in str(one)]


def test_AU01_every_block_is_on_record(walled, owner):
    ip = "127.62.9.1"
    assert_added(block(owner, ip, duration="1h"))
    unblock(owner, ip)
    assert len(events(owner, "ip_block", ip)) == len(events(owner, "ip_unblock", ip)) == 1
    there = Client(walled)
    for _ in range(12):
        guess(there, nobody())
    wait_until(lambda: events(owner, "ip_block", there.address), timeout=5)
    assert len(events(owner, "ip_block", there.address)) == 1


@pytest.mark.parametrize("body", [
    {"ip": "127.0.0.1/8"}, {"ip": "nonsense"}, {"ip": ""}, {"ip": "10.0.0.0/33"}, {},
    {"ip": "10.0.0.1", "duration": "soon"}, {"ip": "10.0.0.1", "duration": "0s"},
    {"ip": "10.0.0.1", "duration": "-1h"}, {"ip": "10.0.0.1", "reason": "x" * 300},
    {"ip": "10.0.0.1\r\nX: y"}, {"ip": "fe80::1%eth0"}], ids=str)
def test_what_is_no_block_is_refused(walled, owner, body):
    assert owner.post("/admin/block-ip", body).status_code in (400, 422)
    assert owner.get("/admin/blocked-ips").json()["items"] == []


def test_only_the_platforms_people_may_block(walled):
    client = Person(walled).join().login()
    assert client.post("/admin/block-ip", {"ip": "10.0.0.1"}).status_code == 403
    assert client.get("/admin/blocked-ips").status_code == 403
    assert client.delete("/admin/blocked-ips/10.0.0.1").status_code == 403
    assert Client(walled).get("/admin/blocked-ips").status_code == 401


def test_a_list_is_paged(walled, owner):
    for number in range(5):
        assert_added(block(owner, f"10.9.{number}.0/24", duration="1h"))
    first = owner.get("/admin/blocked-ips?limit=3").json()
    rest = owner.get(f"/admin/blocked-ips?limit=3&cursor={first['next_cursor']}").json()
    assert [one["ip"] for one in first["items"] + rest["items"]] \
        == [f"10.9.{number}.0" for number in range(5)]
    assert rest["next_cursor"] is None


# A published list

def load_on_a_terminal(stack, path):
    """clavigerctl blocklist load, as somebody at a terminal sees it."""
    command = [stack.env["CLAVIGER_CTL"], "--config", str(stack.config_file),
               "blocklist", "load", str(path)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    seen = b""
    try:
        while True:
            piece = os.read(terminal, 65536)
            if not piece:
                break
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, seen.decode(errors="replace")


@pytest.fixture
def feed(walled, tmp_path):
    """100,000 scattered blocks, and one of ours among them."""
    path = tmp_path / "feed.txt"
    chance = secrets.SystemRandom()
    lines = [f"{chance.randrange(1, 100)}.{number >> 16 & 255}.{number >> 8 & 255}"
             f".{number & 255}" for number in range(ENTRIES - 3)]
    lines += ["# a comment", "127.70.3.0/24 ; ours", "", "2001:db8:66::/64", "127.60.1.0/24"]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    return path


def test_a_list_of_100000_is_loaded_with_a_progress_bar_and_bites_within_a_second(
        walled, owner, feed, tmp_path):
    begun = time.monotonic()
    status, seen = load_on_a_terminal(walled, feed)
    assert status == 0, seen
    assert time.monotonic() - begun < (20 if is_sanitized() else 5)
    assert "\r" in seen and "100" in seen
    assert re.search(r"100[ ,.']?000", seen)
    time.sleep(1)
    assert state(walled, "127.70.3.9") == BLOCKED
    assert raw(walled, "2001:db8:66::1") == BLOCKED
    assert state(walled, "127.70.4.1") == OPEN
    assert state(walled, "127.60.1.9") == OPEN  # the allow list wins here, too
    seconds = time_of(walled, "127.70.4.1")
    empty = tmp_path / "small.txt"
    empty.write_text("192.0.2.1\n")
    empty.chmod(0o644)
    walled.ctl("blocklist", "load", str(empty))
    time.sleep(1)
    assert state(walled, "127.70.3.9") == OPEN
    if not is_sanitized():
        assert seconds - time_of(walled, "127.70.4.1") < 0.0005, "the list is slow"


def time_of(stack, address):
    """The median time of a request from there."""
    taken = []
    for _ in range(60):
        begun = time.perf_counter()
        raw(stack, address)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[len(taken) // 2]


def test_a_broken_list_changes_nothing_and_names_the_line(walled, tmp_path):
    path = tmp_path / "broken.txt"
    path.write_text("192.0.2.1\n127.70.3.0/24\nnonsense\n")
    path.chmod(0o644)
    done = walled.ctl("blocklist", "load", str(path), check=False)
    assert done.returncode != 0 and "3" in done.stderr + done.stdout
    time.sleep(1)
    assert state(walled, "127.70.3.9") == OPEN
    assert walled.ctl("blocklist", "load", str(tmp_path / "none"), check=False).returncode != 0
