# SPDX-License-Identifier: Apache-2.0
"""CO-01 … CO-04, JW-07: what the program refuses to start with, and hides."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from client import Client, Person, owner_of
from stack import ROOT

VECTORS = ROOT / "tests" / "unit" / "vectors"


@pytest.fixture
def copy(stack, tmp_path):
    """A private copy of the configuration, to be spoiled."""
    def make(*lines, without=()):
        kept = [line for line in stack.config_file.read_text().splitlines()
                if not line.split("=")[0].strip() in without]
        path = tmp_path / "claviger.conf"
        path.write_text("\n".join([*kept, *lines]) + "\n")
        path.chmod(0o600)
        return path
    return make


def check(stack, path):
    return stack.ctl("--config", str(path), "config", "check", check=False)


def start(stack, path):
    """Start the server itself; it must refuse, so it ends by itself."""
    return subprocess.run(
        [str(stack.server_program), "--config", str(path),
         "--listen", str(path.parent / "s")],
        capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def assert_refused(stack, path, word):
    for done in (check(stack, path), start(stack, path)):
        assert done.returncode != 0
        said = (done.stdout + done.stderr).strip().splitlines()
        assert len(said) == 1, said
        assert word in said[0], said


def test_CO03_the_check_of_a_good_configuration_is_0(stack, copy):
    assert check(stack, stack.config_file).returncode == 0
    assert check(stack, copy()).returncode == 0


def test_CO03_the_check_of_a_missing_file_is_not_0(stack, tmp_path):
    assert check(stack, tmp_path / "none.conf").returncode != 0


@pytest.mark.parametrize("line, word", [
    ("session.unknown = 1", "session.unknown"), ("nonsense", "claviger.conf"),
    ("session.access_ttl = 16m", "session.access_ttl"),
    ("session.access_ttl = soon", "session.access_ttl"),
    ("password.min_length = 0", "password.min_length"),
    ("password.argon2_memory_kib = 1024", "password.argon2_memory_kib"),
    ("limit.login = 5", "limit.login"), ("server.public_url = localhost", "server.public_url"),
    ("mail.transport = pigeon", "mail.transport"), ("server.workers = -1", "server.workers"),
    ("server.trusted_proxies = 10.0.0.1/8", "server.trusted_proxies")])
def test_CO01_a_bad_line_is_named_and_refused(stack, copy, line, word):
    name = line.split("=")[0].strip()
    assert_refused(stack, copy(line, without=(name,)), word)


def test_CO01_a_repeated_setting_is_refused(stack, copy):
    assert_refused(stack, copy("log.level = info", "log.level = debug",
                               without=("log.level",)), "log.level")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_CO01_a_master_key_that_others_may_read_is_refused(stack, copy, tmp_path, mode):
    key = tmp_path / "master.key"
    key.write_text("ab" * 32 + "\n")
    key.chmod(mode)
    path = copy(f"keys.master_file = {key}", without=("keys.master_file",))
    done = start(stack, path)
    assert done.returncode != 0
    assert str(key) in done.stdout + done.stderr


@pytest.mark.parametrize("content", ["ab" * 31, "ab" * 16, "", "not a key at all", "zz" * 32])
def test_JW07_CO01_a_short_or_broken_master_key_is_refused(stack, copy, tmp_path, content):
    key = tmp_path / "master.key"
    key.write_text(content + "\n")
    key.chmod(0o400)
    done = start(stack, copy(f"keys.master_file = {key}", without=("keys.master_file",)))
    assert done.returncode != 0
    said = (done.stdout + done.stderr).strip().splitlines()
    assert len(said) == 1 and "key" in said[0]
    assert not content or content not in said[0]


def test_SV05_another_master_key_is_refused(stack, copy, tmp_path):
    key = tmp_path / "master.key"
    key.write_text("cd" * 32 + "\n")
    key.chmod(0o400)
    done = start(stack, copy(f"keys.master_file = {key}", without=("keys.master_file",)))
    assert done.returncode != 0
    assert "master key" in (done.stdout + done.stderr)


def test_CO01_a_secret_in_a_file_that_others_may_read_is_refused(stack, copy):
    path = copy("redis.password = hush", without=("redis.password",))
    path.chmod(0o644)
    done = check(stack, path)
    assert done.returncode != 0
    assert "hush" not in done.stdout + done.stderr


def test_CO01_a_socket_in_a_folder_for_everyone_is_refused(stack, copy, tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    path = copy(f"server.listen = {folder}/s", without=("server.listen",))
    done = subprocess.run([str(stack.server_program), "--config", str(path),
                           "--listen", f"{folder}/s"],
                          capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert str(folder) in done.stdout + done.stderr


def test_the_defaults_are_a_configuration_that_passes(stack, tmp_path):
    defaults = stack.ctl("config", "defaults").stdout
    path = tmp_path / "claviger.conf"
    path.write_text(defaults + "\nserver.public_url = https://auth.example.com\n")
    path.chmod(0o600)
    done = check(stack, path)
    assert done.returncode == 0, done.stderr
    assert defaults.count("\n") > 80


# CO-02

def secrets_of(stack):
    """Every secret of the installation that the test can know."""
    found = {"owner": stack.owner[1].encode()}
    for line in stack.config_file.read_text().splitlines():
        name, _, value = (one.strip() for one in line.partition("="))
        if "password" in name and not name.startswith("password.") and value \
                and not name.endswith("_file"):
            found[name] = value.encode()
        if name == "keys.master_file":
            text = pathlib.Path(value).read_text().strip()
            found[name] = text.encode()
            found["raw " + name] = bytes.fromhex(text) if len(text) == 64 else b"\0" * 32
    return found


def read_of(pid, place):
    """What others may read of a process; its own user may not even that."""
    try:
        return pathlib.Path(f"/proc/{pid}/{place}").read_bytes()
    except PermissionError:
        return b""


def test_CO02_no_secret_is_in_an_argument_or_the_environment(stack):
    hidden = secrets_of(stack)
    assert len(hidden) >= 2
    for pid in (stack.master_pid, *stack.children()):
        for place in ("cmdline", "environ"):
            content = read_of(pid, place)
            for name, secret in hidden.items():
                assert secret not in content, (pid, place, name)


def test_CO02_no_secret_is_in_metrics_or_a_dump_of_the_configuration(stack):
    texts = [Client(stack).fetch("GET", "/metrics").content, stack.log_text().encode()]
    for words in (("config", "check"), ("config", "show"), ("config", "defaults"),
                  ("doctor",), ("key", "list"), ("user", "list")):
        done = stack.ctl(*words, check=False)
        texts.append((done.stdout + done.stderr).encode())
    for name, secret in secrets_of(stack).items():
        for text in texts:
            assert secret not in text, name


def test_CO02_the_database_holds_no_key_in_the_clear(stack):
    master = secrets_of(stack)["keys.master_file"]
    for row in stack.query("SELECT * FROM key_ring"):
        assert master not in row["sealed"]
        assert len(row["sealed"]) >= 32 + 97
    purposes = [row["purpose"] for row in stack.query("SELECT purpose FROM key_ring")]
    assert len(set(purposes)) >= 4


def test_AU04_no_secret_of_a_person_is_in_a_log_or_the_record(stack):
    person = Person(stack)
    person.register()
    person.verify()
    client = person.login()
    renewed = person.renew(client.refresh_token).json()
    cookie = person.login_by_cookie()
    hidden = [person.password, client.token, client.refresh_token,
              renewed["access_token"], renewed["refresh_token"],
              cookie.cookie("__Host-claviger_access"), cookie.cookie("__Secure-claviger_refresh")]
    record = repr(stack.query("SELECT * FROM audit_event"))
    logs = stack.log_text()
    for secret in hidden:
        assert secret not in record
        assert secret not in logs


def test_CO02_a_stored_password_is_shown_as_set_and_no_more(stack):
    shown = stack.ctl("config", "show").stdout
    assert re.search(r"^database\.password = .*set", shown, re.M)


# CO-04

def test_CO04_operations_are_hidden_from_addresses_that_are_not_named(loose):
    for path in ("/metrics", "/readyz"):
        assert Client(loose, "127.0.0.1").fetch("GET", path).status_code == 200
        hidden = Client(loose).fetch("GET", path)
        assert hidden.status_code == 404, path
        assert hidden.json()["code"] == "not_found"


def test_CO04_no_forwarded_header_opens_them(loose):
    for name in ("X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-IP", "Client-IP"):
        answer = Client(loose).fetch("GET", "/metrics", headers={name: "127.0.0.1"})
        assert answer.status_code == 404, name


# The installation's programs

def test_ctl_says_its_version_and_its_subcommands(stack):
    assert re.search(r"\d+\.\d+\.\d+", stack.ctl("version").stdout)
    usage = stack.ctl(check=False)
    assert usage.returncode != 0
    for word in ("migrate", "user", "key", "config", "routes", "maintain", "doctor", "selftest"):
        assert word in usage.stdout + usage.stderr


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.json")), ids=lambda path: path.stem)
def test_SV07_public_test_vectors_agree(stack, path):
    done = stack.ctl("selftest", str(path))
    assert re.search(r"^\d+ agree, 0 disagree", done.stdout, re.M)
    count = sum(len(group["tests"]) for group in json.loads(path.read_text())["testGroups"])
    verdicts = re.findall(r"^(\w+)\s+(\d+)", done.stdout, re.M)
    assert len({number for _, number in verdicts}) >= count  # every verdict is told


def test_SV07_a_vector_that_does_not_agree_is_told(stack, tmp_path):
    content = json.loads((VECTORS / "hmac_sha256.json").read_text())
    case = next(one for group in content["testGroups"] for one in group["tests"]
                if one["result"] == "valid")
    case["tag"] = "00" * (len(case["tag"]) // 2)
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(content))
    done = stack.ctl("selftest", str(path), check=False)
    assert done.returncode != 0
    assert "1 disagree" in done.stdout


def test_doctor_finds_a_fresh_installation_well(stack):
    done = stack.ctl("doctor", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_migrate_again_changes_nothing(stack):
    before = stack.query("SHOW TABLES")
    stack.ctl("migrate")
    assert stack.query("SHOW TABLES") == before
    assert owner_of(stack).try_login().status_code == 200


def test_up_again_is_harmless(stack):
    person = Person(stack).join()
    client = person.login()
    pid = stack.master_pid
    stack.up()
    assert stack.master_pid == pid
    assert client.get("/auth/session").status_code == 200


def test_users_are_listed(stack):
    person = Person(stack).join()
    assert person.email in stack.ctl("user", "list").stdout


def test_a_migration_that_was_changed_is_refused(stack, copy):
    stack.query("UPDATE schema_migration SET checksum = REPEAT('0', 64) WHERE number = 1")
    row = stack.query("SELECT * FROM schema_migration")
    try:
        done = stack.ctl("migrate", check=False)
        assert done.returncode != 0
        assert "0001" in done.stdout + done.stderr
    finally:
        restore_checksum(stack, row)


def restore_checksum(stack, _):
    import hashlib
    ctl = pathlib.Path(stack.env["CLAVIGER_CTL"])
    for path in sorted(ctl.parent.parent.glob("share/claviger/sql/migrations/0001_*.sql")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        stack.query("UPDATE schema_migration SET checksum = %s WHERE number = 1", digest)
    assert os.path.exists(ctl)
