# SPDX-License-Identifier: Apache-2.0
"""What other programs rely on of deploy/quickstart.sh."""

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest

from client import Client, owner_of
from services import state_of
from stack import QUICKSTART, Stack, free_port

PROMISED = {
    "CLAVIGER_URL", "CLAVIGER_CA_FILE", "CLAVIGER_CA_KEY",
    "CLAVIGER_OWNER_EMAIL", "CLAVIGER_OWNER_PASSWORD", "CLAVIGER_MAIL_DIR",
    "CLAVIGER_CONFIG", "CLAVIGER_CTL", "CLAVIGER_DB_SOCKET",
    "CLAVIGER_DB_NAME", "CLAVIGER_REDIS_SOCKET", "CLAVIGER_MASTER_PID",
    "CLAVIGER_FCGI_SOCKET",
}
PIDS = ("CLAVIGER_MASTER_PID", "CLAVIGER_FRONT_PID", "CLAVIGER_DB_PID",
        "CLAVIGER_REDIS_PID")


def quickstart(*words):
    """Run it with its output in a file: a pipe would stay open."""
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            ["sh", str(QUICKSTART), *map(str, words)], stdout=out, stderr=out,
            stdin=subprocess.DEVNULL, timeout=120)
        out.seek(0)
        done.text = out.read().decode()
    return done


def pids_of(stack):
    return {name: int(stack.env[name]) for name in PIDS}


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture(scope="module")
def stack():
    with Stack() as running:
        yield running


def test_tells_programs_how_to_reach_it(stack):
    assert PROMISED <= set(stack.env)
    assert all(stack.env[name] for name in PROMISED)
    assert stack.url == f"https://localhost:{stack.port}"
    for name in ("CLAVIGER_CA_KEY", "CLAVIGER_CTL", "CLAVIGER_CONFIG"):
        assert pathlib.Path(stack.env[name]).is_file()
    for name in ("CLAVIGER_DB_SOCKET", "CLAVIGER_REDIS_SOCKET",
                 "CLAVIGER_FCGI_SOCKET"):
        assert pathlib.Path(stack.env[name]).is_socket()
    assert stack.mail_dir.is_dir()


def test_keeps_secrets_from_others(stack):
    assert mode_of(stack.dir / "instance.env") == 0o600
    assert mode_of(stack.config_file) == 0o600
    assert mode_of(stack.config_file.parent.parent / "master.key") == 0o400
    assert mode_of(stack.env["CLAVIGER_CA_KEY"]) == 0o600
    assert mode_of(stack.fcgi_socket) == 0o660
    folder = pathlib.Path(stack.fcgi_socket).parent
    assert mode_of(folder) & 0o007 == 0


def test_makes_an_owner_who_can_sign_in(stack):
    client = owner_of(stack).login()
    assert client.get("/auth/session").json()["role"] == "owner"


def test_listens_on_this_machine_alone(stack):
    listening = subprocess.run(
        ["ss", "-Hltn", f"sport = :{stack.port}"], capture_output=True,
        text=True, check=True).stdout
    addresses = {line.split()[3] for line in listening.splitlines()}
    assert addresses == {f"127.0.0.1:{stack.port}"}


def test_the_program_is_never_root(stack):
    for pid in [stack.master_pid, *stack.children()]:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        uids = re.search(r"^Uid:\s+(.*)$", status, re.M).group(1).split()
        assert "0" not in uids or os.getuid() != 0, status


def test_up_again_changes_nothing(stack):
    before, owner = pids_of(stack), stack.owner
    stack.up()
    assert pids_of(stack) == before
    assert stack.owner == owner


def test_up_starts_what_is_dead_and_keeps_data(stack):
    before = pids_of(stack)
    for name in ("CLAVIGER_DB_PID", "CLAVIGER_REDIS_PID"):
        os.kill(before[name], signal.SIGKILL)
    status = quickstart("status", "--dir", stack.dir)
    assert status.returncode == 1
    assert re.search(r"^redis +stopped", status.text, re.M)
    assert re.search(r"^claviger +running", status.text, re.M)
    stack.up()
    after = pids_of(stack)
    assert after["CLAVIGER_DB_PID"] != before["CLAVIGER_DB_PID"]
    assert after["CLAVIGER_MASTER_PID"] == before["CLAVIGER_MASTER_PID"]
    assert quickstart("status", "--dir", stack.dir).returncode == 0
    assert owner_of(stack).try_login().status_code == 200


def test_a_setting_is_kept_for_the_next_time(stack):
    quickstart("up", "--no-install", "--dir", stack.dir,
               "--set", "log.level=warning")
    assert "log.level = warning" in stack.config_file.read_text()
    quickstart("up", "--no-install", "--dir", stack.dir)
    assert "log.level = warning" in stack.config_file.read_text()
    quickstart("up", "--no-install", "--dir", stack.dir,
               "--set", "log.level=info")
    settings = stack.config_file.read_text()
    assert settings.count("log.level") == 1
    assert "log.level = info" in settings


def test_only_what_changed_is_started_anew(stack):
    stack.up()
    before = pids_of(stack)
    quickstart("up", "--no-install", "--dir", stack.dir,
               "--set", "audit.retention=30d")
    stack.up()
    after = pids_of(stack)
    changed = {name for name in PIDS if before[name] != after[name]}
    assert changed == {"CLAVIGER_MASTER_PID"}


@pytest.mark.parametrize("words", [
    ("--front", "iis"), ("--port", "https"), ("--workers", "-1"),
    ("--set", "nonsense"), ("--set",), ("--frobnicate",),
])
def test_refuses_what_it_does_not_understand(stack, words):
    refused = quickstart("up", "--no-install", "--dir", stack.dir, *words)
    assert refused.returncode != 0
    assert refused.text.startswith("quickstart: ")
    assert len(refused.text.splitlines()) == 1


def test_down_ends_every_process_and_up_finds_the_data():
    with Stack() as stack:
        pids = pids_of(stack).values()
        children = stack.children()
        answer = owner_of(stack).try_login()
        assert answer.status_code == 200
        assert quickstart("down", "--dir", stack.dir).returncode == 0
        assert not [pid for pid in [*pids, *children] if state_of(pid)]
        assert quickstart("status", "--dir", stack.dir).returncode == 1
        stack.up()
        assert owner_of(stack).try_login().status_code == 200


def test_lives_in_folders_that_cannot_hold_sockets():
    root = pathlib.Path(tempfile.mkdtemp(prefix="cv-"))
    folder = root / ("a long name with blanks " * 4)
    port = free_port()
    try:
        up = quickstart("up", "--no-install", "--dir", folder, "--port", port,
                        "--workers", "2")
        assert up.returncode == 0, up.text
        place = os.readlink(folder / "place")
        stack = Stack.__new__(Stack)
        stack.dir = folder
        stack.env = stack._read_environment()
        assert Client(stack).fetch("GET", "/healthz").status_code == 200
    finally:
        down = quickstart("down", "--purge", "--dir", folder)
        shutil.rmtree(root, ignore_errors=True)
    assert down.returncode == 0, down.text
    assert not os.path.exists(place)
