# SPDX-License-Identifier: Apache-2.0
"""Stopping the MariaDB or the Redis of a stack, and starting it again."""

import os
import pathlib
import signal

from stack import wait_until


def state_of(pid):
    """The process's state letter, or None when it is gone or a zombie."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state = text.rpartition(")")[2].split()[0]
    return None if state == "Z" else state


class Service:
    """One server process of a stack, by the name of its pid in instance.env."""

    def __init__(self, stack, variable):
        self.stack = stack
        self.variable = variable

    @property
    def pid(self):
        return int(self.stack.env[self.variable])

    def is_running(self):
        return state_of(self.pid) is not None

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.is_running(), timeout=60)

    def start(self):
        """The quick start starts what is missing and leaves the rest alone."""
        self.stack.up()

    def restore(self):
        """As it was before a test, whatever the test did."""
        if state_of(self.pid) == "T":
            self.resume()
        if not self.is_running():
            self.start()


def mariadb_of(stack):
    return Service(stack, "CLAVIGER_DB_PID")


def redis_of(stack):
    return Service(stack, "CLAVIGER_REDIS_PID")
