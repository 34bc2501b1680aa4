# SPDX-License-Identifier: Apache-2.0
"""Stopping and starting the MariaDB and the Redis of a stack by their pid."""

import os
import pathlib
import signal
import subprocess

from stack import wait_until


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Service:
    """One server process: how it was started is kept, to start it again."""

    def __init__(self, stack, pid, answers):
        self.stack = stack
        self.pid = pid
        self.answers = answers  # whether it serves: a callable
        process = pathlib.Path(f"/proc/{pid}")
        self.command = process.joinpath("cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        self.program = os.readlink(process / "exe")
        self.folder = os.readlink(process / "cwd")
        self.ids = [int(re_id) for re_id in self._ids()]

    def _ids(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        for name in ("Uid", "Gid"):
            yield status.split(f"{name}:\t")[1].split()[1]

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self, how=signal.SIGKILL):
        os.kill(self.pid, how)
        wait_until(lambda: not is_running(self.pid), timeout=60)

    def start(self):
        log = open(self.stack.dir / "restarted.out", "ab")
        self.process = subprocess.Popen(
            [self.program, *self.command[1:]], cwd=self.folder,
            user=self.ids[0], group=self.ids[1], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True)
        wait_until(self.is_serving, timeout=60, what="the service")
        self.pid = self.find_pid()

    def is_serving(self):
        try:
            return self.answers()
        except Exception:
            return False


class MariaDB(Service):
    def __init__(self, stack):
        self.stack = stack
        super().__init__(stack, self.find_pid(), lambda: stack.query("SELECT 1"))

    def find_pid(self):
        rows = self.stack.query("SELECT @@pid_file AS path, @@datadir AS datadir")[0]
        path = pathlib.Path(rows["datadir"]) / rows["path"]
        return int(path.read_text())


class Redis(Service):
    def __init__(self, stack):
        self.stack = stack
        pid = self.find_pid()
        self.config_file = stack.redis().info("server")["config_file"]
        super().__init__(stack, pid, lambda: stack.redis().ping())
        # Redis writes its title over its arguments.
        self.command = [b"redis-server", self.config_file.encode()]

    def find_pid(self):
        return self.stack.redis().info("server")["process_id"]
