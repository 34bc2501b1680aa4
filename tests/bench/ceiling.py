# SPDX-License-Identifier: Apache-2.0
"""The web server of the bench: the stack's own, with one more program behind.

A copy of the stack's lighttpd configuration on another port, where one path
leads to hello.c: one web server, one set of connections, two programs.
"""

import os
import pathlib
import re
import socket
import subprocess

from stack import free_port, wait_until

HELLO_PATH = "/api/v1/hello"
FILES = ("front.conf", "site.conf", "backend.conf")


class Ceiling:
    def __init__(self, stack, hello, processes):
        self.stack = stack
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        etc = stack.config_file.parent
        self.socket_path = etc.parent / "run" / "hello.sock"
        self.hello = self._start_hello(hello, processes)
        for name in FILES:
            self._copy_file(etc, name)
        self.front = subprocess.Popen(
            ["lighttpd", "-D", "-f", str(etc / "bench-front.conf")],
            env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
        wait_until(self._is_listening, what="the web server of the bench")

    def _start_hello(self, hello, processes):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket_path))
            os.chmod(self.socket_path, 0o666)  # its folder is not for all
            listener.listen(1024)
            return [subprocess.Popen([str(hello)], stdin=listener)
                    for _ in range(processes)]

    def _copy_file(self, etc, name):
        text = (etc / name).read_text().replace(str(self.stack.port), str(self.port))
        text = re.sub(r"(/etc/)(\w+\.conf)", r"\1bench-\2", text)
        if name == "backend.conf":
            text = self._with_hello(text)
        (etc / f"bench-{name}").write_text(text)

    def _with_hello(self, text):
        """The entry for every path, behind the same one for hello's."""
        entry = re.search(r'"" => (\( \(.*?\) \))', text, re.S).group(1)
        hello = entry.replace(self.stack.fcgi_socket, str(self.socket_path))
        return text.replace('"" =>', f'"{HELLO_PATH}" => {hello},\n"" =>')

    def _is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def hello_pids(self):
        return [process.pid for process in self.hello]

    def stop(self):
        for process in [self.front, *self.hello]:
            process.terminate()
            process.wait()
        pathlib.Path(self.socket_path).unlink()
