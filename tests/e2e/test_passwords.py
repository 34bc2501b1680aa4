# SPDX-License-Identifier: Apache-2.0
"""PW-01 … PW-11: what a password may be, and how it is kept."""

import hashlib
import pathlib
import re
import secrets
import string
import time
import unicodedata

import pytest

from client import Client, Person, owner_of
from stack import NO_LIMITS, Stack, is_sanitized, wait_until

ARGON2ID = re.compile(rb"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$[A-Za-z0-9+/]+")
LEAKED = pathlib.Path(__file__).with_name("leaked_long.txt")


def leaked_passwords():
    lines = LEAKED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def why_refused(stack, password, **more):
    """The code of the password's field error, or None when it is accepted."""
    answer = Person(stack, password=password).register(**more)
    if answer.status_code == 202:
        return None
    assert answer.status_code == 422, answer.text
    errors = [one for one in answer.json()["errors"] if one["field"] == "password"]
    assert errors and errors[0]["detail"]
    return errors[0]["code"]


def stored_hash(person):
    return person.stack.query("SELECT password_hash FROM user WHERE email = %s",
                              person.email)[0]["password_hash"]


@pytest.fixture(scope="module")
def strict():
    """A stack with character classes and a short history."""
    settings = dict(NO_LIMITS)
    settings["password.required_classes"] = "3"
    settings["password.history"] = "3"
    with Stack(settings, workers=2) as running:
        yield running


# PW-01

@pytest.mark.parametrize("password", ["kW7#mP2$qZ9", "🦊kW7#mP2$qZ", "🦊🦉🐢🐙W7#mP2$"])
def test_PW01_eleven_code_points_are_refused(loose, password):
    assert len(password) == 11
    assert why_refused(loose, password) == "too_short"


@pytest.mark.parametrize("password", ["kW7#mP2$qZ9v", "🦊kW7#mP2$qZ9", "🦊🦉🐢🐙W7#mP2$v"])
def test_PW01_twelve_code_points_are_accepted(loose, password):
    assert len(password) == 12
    assert why_refused(loose, password) is None


# PW-02

def test_PW02_128_characters_are_accepted_and_no_prefix_of_them_signs_in(loose):
    alphabet = string.ascii_letters + string.digits
    whole = "".join(secrets.choice(alphabet) for _ in range(128))
    person = Person(loose, password=whole)
    assert person.register().status_code == 202
    for length in (127, 72, 64):
        person.password = whole[:length]
        assert person.try_login().status_code == 401, length
    person.password = whole
    assert person.try_login().status_code == 200


def test_PW02_a_password_over_the_limit_is_refused_and_not_cut(loose):
    assert why_refused(loose, secrets.token_urlsafe(3000)) == "too_long"


# PW-03

@pytest.mark.parametrize("password", [
    "walnut gondola thirsty meridian", "pebble orbit lantern quiver",
    "ZYXWVU-blau-kaktus-1"])
def test_PW03_a_passphrase_needs_no_character_classes(loose, password):
    assert why_refused(loose, password) is None


@pytest.mark.parametrize("password", [
    "a" * 20, "abcabcabcabcabc", "123456789012345", "qwertyuiopasdf",
    "Password123456!"])
def test_PW03_what_is_easily_guessed_is_refused(loose, password):
    assert why_refused(loose, password) in ("too_weak", "leaked")


def test_PW03_required_classes_are_a_setting(strict):
    assert why_refused(strict, "walnut gondola thirsty meridian")
    assert why_refused(strict, "Walnut gondola thirsty 4 meridian") is None


def test_PW03_the_last_passwords_are_not_taken_again(strict):
    """Three of them: the present one and two before it."""
    person = Person(strict, password=strict_password()).join()
    used = [person.password]
    for _ in range(3):
        client = person.login()
        used.append(strict_password())
        assert change(client, person.password, used[-1]).status_code == 204
        person.password = used[-1]
    client = person.login()
    for number, is_refused in ((3, True), (2, True), (1, True), (0, False)):
        answer = change(client, person.password, used[number])
        assert (answer.status_code == 422) == is_refused, (number, answer.text)
        if not is_refused:
            assert answer.status_code == 204


def strict_password():
    return "Aa1-" + secrets.token_urlsafe(15)


def change(client, current, new):
    return client.post("/auth/password/change",
                       {"current_password": current, "new_password": new})


# PW-04

def test_PW04_leaked_passwords_are_refused_with_a_reason(loose):
    passwords = leaked_passwords()
    assert len(passwords) >= 100
    reasons = {one: why_refused(loose, one) for one in passwords}
    accepted = [one for one, reason in reasons.items() if reason is None]
    assert len(accepted) <= len(passwords) * 5 // 100, accepted


def test_PW04_random_passwords_are_accepted(loose):
    count = 40 if is_sanitized() else 200
    alphabet = string.ascii_letters + string.digits
    for _ in range(count):
        password = "".join(secrets.choice(alphabet) for _ in range(15))
        assert why_refused(loose, password) is None, password


def load_list(stack, folder, lines):
    listing = folder / "list.txt"
    listing.write_text("\n".join(lines) + "\n")
    stack.ctl("passwords", "load", str(listing))
    workers = set(stack.worker_pids())
    stack.reload()
    wait_until(lambda: not workers & set(stack.worker_pids()), timeout=20)


def invent(count):
    return ["Tqz7-" + secrets.token_hex(6) for _ in range(count)]


def test_PW04_a_list_of_leaked_passwords_is_loaded_as_text_or_as_hashes(strict, tmp_path):
    known = invent(500)
    load_list(strict, tmp_path, known)
    assert {why_refused(strict, one) for one in known[:20]} == {"leaked"}
    assert why_refused(strict, known[0].upper()) == "leaked"
    assert {why_refused(strict, one) for one in invent(20)} == {None}

    hashed = invent(500)
    digests = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in hashed)
    load_list(strict, tmp_path, [f"{one}:{count}" for count, one in enumerate(digests)])
    assert {why_refused(strict, one) for one in hashed[:20]} == {"leaked"}
    assert {why_refused(strict, one) for one in invent(20)} == {None}


# PW-05

@pytest.mark.parametrize("password", ["alice.smith2026", "AliceSmith2026!", "Alice.Smith.2026"])
def test_PW05_the_persons_own_address_is_no_password(loose, password):
    person = Person(loose, password=password, name="Alice Smith",
                    address=f"alice.smith@x{secrets.token_hex(4)}.example")
    answer = person.register()
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "password"


@pytest.mark.parametrize("password", ["claviger2026!", "Claviger.1234"])
def test_PW05_the_products_name_is_no_password(loose, password):
    assert why_refused(loose, password)


def test_PW05_the_tenants_name_is_no_password(loose):
    assert why_refused(loose, "Brunnenhof2026", tenant_name="Brunnenhof")


# PW-06

@pytest.mark.parametrize("chosen, other", [
    ("pass\0word-quiet-7-elm", "pass"),
    ("pass\0word-quiet-7-elm", "pass\0word-quiet-7-oak"),
    (" leading space quiet elm", "leading space quiet elm"),
    ("trailing space quiet elm ", "trailing space quiet elm"),
    ("caf\u00e9 walnut quiet elm", "cafe walnut quiet elm"),
    (unicodedata.normalize("NFC", "café walnut quiet elm"),
     unicodedata.normalize("NFD", "café walnut quiet elm")),
    ("Walnut gondola quiet elm", "walnut gondola quiet elm"),
], ids=["cut at NUL", "after NUL", "leading space", "trailing space",
        "accent", "NFC and NFD", "case"])
def test_PW06_a_password_is_its_exact_bytes(loose, chosen, other):
    person = Person(loose, password=chosen)
    answer = person.register()
    assert answer.status_code == 202, answer.text
    assert person.try_login().status_code == 200
    person.password = other
    assert person.try_login().status_code in (401, 422)


# PW-07

def test_PW07_every_stored_password_is_argon2id_with_its_own_salt(loose):
    for _ in range(3):
        Person(loose).register()
    rows = loose.query("SELECT password_hash, pepper_id FROM user")
    salts = set()
    for row in rows:
        match = ARGON2ID.fullmatch(row["password_hash"])
        assert match, row
        assert int(match[1]) >= 19456 and int(match[2]) >= 2 and int(match[3]) == 1
        assert len(match[4]) == 22  # 16 bytes
        assert row["pepper_id"]
        salts.add(match[4])
    assert len(salts) == len(rows)


def test_PW07_a_higher_cost_rehashes_at_the_next_login():
    with Stack(workers=2) as running:
        person = Person(running).join()
        old = stored_hash(person)
        running.restart(password__argon2_passes="3")
        assert stored_hash(person) == old
        assert person.try_login().status_code == 200
        new = stored_hash(person)
        assert ARGON2ID.fullmatch(new)[2] == b"3"
        assert person.try_login().status_code == 200
        assert stored_hash(person) == new


# PW-08

def test_PW08_a_change_wants_the_current_password(stack, person):
    client = person.login()
    answer = change(client, "not " + person.password, secrets.token_urlsafe(18))
    assert answer.status_code in (401, 403)
    assert answer.json()["code"] == "invalid_credentials"
    assert person.try_login().status_code == 200


def test_PW08_a_change_ends_all_other_sessions_within_a_second(stack, person):
    mine, other = person.login(), person.login()
    answer = change(mine, person.password, secrets.token_urlsafe(18))
    assert answer.status_code == 204, answer.text
    time.sleep(1)
    assert other.get("/auth/session").status_code == 401
    assert other.get("/me").status_code == 401
    assert person.renew(other.refresh_token).status_code == 401
    assert mine.get("/auth/session").status_code == 200
    assert person.renew(mine.refresh_token).status_code == 200


def test_PW08_a_reset_ends_every_session(stack, person):
    client = person.login()
    Client(stack).post("/auth/password/forgot", {"email": person.email})
    token = person.mail.wait_for_token("/reset.html")
    answer = Client(stack).post("/auth/password/reset", {
        "token": token, "new_password": secrets.token_urlsafe(18)})
    assert answer.status_code == 204, answer.text
    assert client.get("/auth/session").status_code == 401
    assert person.renew(client.refresh_token).status_code == 401


def test_PW08_a_change_wants_a_recent_sign_in(stack, person):
    client = person.login()
    stack.query("UPDATE session SET auth_at = auth_at - 86400000"
                " WHERE user_id = (SELECT id FROM user WHERE email = %s)", person.email)
    renewed = person.renew(client.refresh_token).json()
    client.token = renewed["access_token"]
    answer = change(client, person.password, secrets.token_urlsafe(18))
    # The current password itself is the proof: either it is enough, or the
    # answer says that a fresh sign-in is wanted. It is never less than that.
    if answer.status_code != 204:
        assert answer.status_code == 401
        assert answer.json()["code"] == "reauthentication_required"


def test_PW08_the_new_password_passes_the_same_policy(stack, person):
    answer = change(person.login(), person.password, "a" * 20)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "new_password"


# PW-09

def test_PW09_no_call_takes_a_password_for_somebody_else(client):
    document = client.get("/openapi.json").json()
    takers = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if '"password"' in repr(operation).replace("'", '"') or "_password" in repr(operation):
                takers.add(path)
    assert all("/users" not in path and "/admin" not in path for path in takers)


# PW-10

def test_PW10_the_first_owners_password_is_random(stack, loose):
    assert len(stack.owner[1]) >= 16
    assert stack.owner[1] != loose.owner[1]
    assert owner_of(stack).try_login().status_code == 200


def test_PW10_an_empty_installation_has_no_account(stack):
    name = "claviger_empty_" + secrets.token_hex(4)
    stack.query(f"CREATE DATABASE {name}")
    try:
        stack.query(f"GRANT ALL PRIVILEGES ON {name}.* TO claviger@localhost")
        stack.ctl("--set", f"database.name={name}", "migrate")
        rows = stack.query(f"SELECT COUNT(*) AS count FROM {name}.user")
        assert rows[0]["count"] == 0
    finally:
        stack.query(f"DROP DATABASE {name}")


# PW-11

def test_PW11_a_hash_of_monstrous_cost_fails_that_login_alone(loose):
    victim, bystander = Person(loose).join(), Person(loose).join()
    loose.query("UPDATE user SET password_hash = REPLACE(password_hash, 'm=19456', 'm=4194304')"
                " WHERE email = %s", victim.email)
    assert b"m=4194304" in stored_hash(victim)
    start = time.monotonic()
    refused = victim.try_login()
    assert refused.status_code in (401, 500, 503)
    assert time.monotonic() - start < 2
    assert bystander.try_login().status_code == 200
    for pid in loose.worker_pids():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        assert peak_kib < 1024 * 1024
