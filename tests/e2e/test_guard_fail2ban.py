# SPDX-License-Identifier: Apache-2.0
"""fail2ban reads our log, and nobody can make it ban somebody else.

Package fail2ban: fail2ban-regex reads the filter as the daemon would.
"""

import json
import re
import subprocess

import pytest

import hosts
from client import Client, Person
from guessers import guess, guesses, nobody
from stack import ROOT, wait_until

FILTER = ROOT / "deploy/fail2ban/filter.d/claviger.conf"
VICTIM = "198.51.100.7"

HOSTILE = [
    f'","client":"{VICTIM}"', f'x","client":"{VICTIM}","reason":"locked","user":"y',
    f'\n{{"time":"2026-01-01T00:00:00.000Z","level":"warning","event":"login_failed",'
    f'"pid":1,"client":"{VICTIM}","reason":"locked","user":"x"}}',
    f"\\\",\"client\":\"{VICTIM}", f"\r{VICTIM}", f"[{VICTIM}]", f"<HOST> {VICTIM} from {VICTIM}",
    f"\u2028{VICTIM}", "\x1b[2J", "\x7f\x00", "\u0085" + VICTIM, "a" * 3000, "(((((", "%s%n%d",
    f'{VICTIM}" rhost={VICTIM} user=root',
]


def fail2ban(log, words=()):
    """(matched lines, missed lines, addresses that were found)."""
    done = subprocess.run(
        ["fail2ban-regex", "--print-all-matched", *words, str(log), str(FILTER)],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r"Lines: \d+ lines, \d+ ignored, (\d+) matched, (\d+) missed", done.stdout)
    found = subprocess.run(
        ["fail2ban-regex", "-o", "ip", str(log), str(FILTER)],
        capture_output=True, text=True, timeout=60).stdout.split()
    return int(counts[1]), int(counts[2]), found


@pytest.fixture
def log(stack):
    """The log of what a test does, as a path made at its end."""
    path = stack.config_file.parent.parent / "log" / "claviger.log"
    begun = path.stat().st_size

    def since(folder, count):
        def lines():
            found = path.read_bytes()[begun:].splitlines(keepends=True)
            enough = sum(b'"login_failed"' in one for one in found) >= count
            return found if enough else None
        copy = folder / "claviger.log"
        copy.write_bytes(b"".join(wait_until(lines)))
        return copy
    return since


def test_every_failure_is_found_with_its_address_and_nothing_else_is(stack, log, tmp_path):
    client = Client(stack)
    guesses(client, Person(stack).join().email, 2)
    guesses(client, nobody(), 3)
    guess(Client(stack), nobody())
    Person(stack).join().login()
    path = log(tmp_path, 6)
    matched, missed, found = fail2ban(path)
    assert matched == 6
    assert missed == len(path.read_text().splitlines()) - 6
    assert found.count(client.address) == 5 and VICTIM not in found


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_no_name_makes_it_ban_somebody_else(stack, log, tmp_path, name):
    client = Client(stack)
    assert guess(client, name).status_code in (401, 422)
    answer = guess(client, nobody())
    assert answer.status_code == 401
    path = log(tmp_path, 1)
    for line in path.read_text().split("\n")[:-1]:
        json.loads(line)
    matched, _, found = fail2ban(path)
    assert matched in (1, 2)
    assert set(found) == {client.address}


def test_IPv6_addresses_are_found(stack, log, tmp_path):
    status, _ = hosts.call(stack.fcgi_socket, "POST", "/api/v1/auth/login",
                           {"email": nobody(), "password": "x"}, address="2001:db8::7")
    assert status == 401
    _, _, found = fail2ban(log(tmp_path, 1))
    assert found == ["2001:db8::7"]


def test_other_fields_of_a_request_reach_no_address_either(stack, log, tmp_path):
    client = Client(stack)
    client.fetch("GET", f'/x","client":"{VICTIM}"', headers={
        "User-Agent": f'"event":"login_failed","client":"{VICTIM}"',
        "X-Forwarded-For": VICTIM})
    client.post("/auth/login", {"email": nobody(), "password": "x"},
                headers={"X-Forwarded-For": VICTIM, "X-Request-Id": VICTIM})
    _, _, found = fail2ban(log(tmp_path, 1))
    assert set(found) == {client.address}
