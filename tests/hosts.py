# SPDX-License-Identifier: Apache-2.0
"""A second host of a stack: another master on the same MariaDB and Redis.

It shares no memory and no runtime folder with the first and has no web server:
talk to its socket with fcgi.py.
"""

import os
import shutil
import subprocess

import fcgi
from stack import wait_until

WAIT_S = 20


class SecondHost:
    def __init__(self, stack, workers=4):
        self.stack = stack
        self.workers = workers
        self.dir = stack.dir / "two"
        self.socket = str(self.dir / "s")
        self.process = None

    def __enter__(self):
        self._lay_out()
        command = [str(self.stack.server_program), "--config",
                   str(self.dir / "claviger.conf"), "--listen", self.socket,
                   "--workers", str(self.workers)]
        with open(self.dir / "out", "ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            wait_until(self._answers, WAIT_S, what="the second host")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(WAIT_S)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _lay_out(self):
        """Owned as the first host's folder is."""
        model = os.stat(self.stack.fcgi_socket.rpartition("/")[0])
        own = {"server.runtime_dir": self.dir, "log.file": self.dir / "log"}
        lines = [line for line in self.stack.config_file.read_text().splitlines()
                 if line.split("=")[0].strip() not in own]
        lines += [f"{name} = {value}" for name, value in own.items()]
        self.dir.mkdir()
        path = self.dir / "claviger.conf"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o600)
        self.dir.chmod(0o750)
        for one in (self.dir, path):
            os.chown(one, model.st_uid, model.st_gid)

    def _answers(self):
        assert self.process.poll() is None, (self.dir / "out").read_text()
        try:
            return self.call("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def call(self, method, path, body=None, **more):
        return call(self.socket, method, path, body, **more)


def call(socket_path, method, path, body=None, address="127.200.0.1",
         headers=None):
    """One request to a host's own socket; gives (status, text of the answer)."""
    variables, content = encode(method, path, body, address, headers)
    return fcgi.call(socket_path, variables, content)


def encode(method, path, body=None, address="127.200.0.1", headers=None):
    """The FastCGI variables and the body of a request."""
    content = fcgi.json_bytes(body)
    more = [("HTTP_" + name.upper().replace("-", "_"), value)
            for name, value in (headers or {}).items()]
    return (fcgi.variables_for(method, path, len(content), address, more),
            content)
