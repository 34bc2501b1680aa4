# SPDX-License-Identifier: Apache-2.0
"""Every way in which the program can stand behind a web server.

One stack gives MariaDB, Redis, settings and certificates; each way puts a web
server of its own before them. The configurations are deploy/'s templates.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

import pytest
import requests

from stack import ROOT, Stack, free_port, wait_until

DEPLOY = ROOT / "deploy"
SBIN = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Way:
    """One running web server; what tests/client.py wants of a stack."""

    def __init__(self, stack, name, port, access_log):
        self.stack = stack
        self.name = name
        self.port = port
        self.url = f"https://localhost:{port}"
        self.ca_file = stack.ca_file
        self.mail_dir = stack.mail_dir
        self.access_log = pathlib.Path(access_log)


class Workshop:
    """A folder for one way that the quick start does not make by itself."""

    def __init__(self, stack, name):
        self.stack = stack
        self.place = pathlib.Path(stack.env["CLAVIGER_LOG_DIR"]).parent
        self.settings = read_settings(stack.config_file)
        self.prefix = pathlib.Path(self.settings["server.htdocs"]).parents[2]
        self.program = self.prefix / "libexec" / "claviger-fcgi"
        self.port = free_port()
        self.folder = stack.dir / "ways" / name
        self.owner = pwd.getpwuid(os.stat(stack.config_file).st_uid)
        self.socket = self.folder / "run" / "fcgi.sock"
        for folder in (self.folder, self.folder / "run", self.folder / "fcgid"):
            folder.mkdir(parents=True, exist_ok=True)
            self.give(folder, 0o755)
        (self.folder / "run").chmod(0o750)
        self.config = self.folder / "claviger.conf"
        self._write_config()
        for log in ("access.log", "error.log"):
            (self.folder / log).touch()
            self.give(self.folder / log, 0o640)

    def give(self, path, mode):
        path.chmod(mode)
        if os.getuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _write_config(self):
        """The stack's settings for another port, with a key of one's own."""
        key = self.folder / "master.key"
        shutil.copy(self.settings["keys.master_file"], key)
        self.give(key, 0o400)
        settings = dict(self.settings)
        settings["server.public_url"] = f"https://localhost:{self.port}"
        settings["keys.master_file"] = key
        for name in ("server.peers", "server.socket_group"):
            settings.pop(name, None)
        self.config.write_text("".join(
            f"{name} = {value}\n" for name, value in settings.items()))
        self.give(self.config, 0o600)

    def render(self, template, output):
        """Fill in a template of deploy/."""
        as_root = os.getuid() == 0
        group = subprocess.run(
            ["id", "-gn", self.owner.pw_name], check=True, capture_output=True,
            text=True).stdout.strip()
        values = {
            "ADDRESS": "127.0.0.1", "PORT": self.port, "NAME": "localhost",
            "HTDOCS": self.prefix / "share/claviger/htdocs",
            "ERRORS": self.place / "errors",
            "CERTIFICATE": self.place / "ca/server.pem",
            "KEY": self.place / "ca/server.key",
            "SOCKET": self.socket, "PROGRAM": self.program,
            "CONFIG": self.config, "STATE": self.folder,
            "SITE": self.folder / "site.conf",
            "BACKEND": self.folder / "backend.conf",
            "ACCESS_LOG": self.folder / "access.log",
            "ERROR_LOG": self.folder / "error.log",
            "MODULES": "/usr/lib/apache2/modules",
            "AS_ROOT": "" if as_root else "#",
            "USER": self.owner.pw_name, "GROUP": group,
        }
        text = (DEPLOY / template).read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        path = self.folder / output
        path.write_text(text)
        return path

    def as_owner(self, *command):
        """A command run as the program's user."""
        if os.getuid() != 0:
            return list(command)
        return ["setpriv", f"--reuid={self.owner.pw_uid}",
                f"--regid={self.owner.pw_gid}", "--init-groups", "--", *command]

    def way(self, name):
        return Way(self.stack, name, self.port, self.folder / "access.log")

    @contextlib.contextmanager
    def running(self, command, **options):
        """A process and its whole session, ended with TERM at the end."""
        with open(self.folder / "out.log", "ab") as out:
            process = subprocess.Popen(
                [str(word) for word in command], stdout=out, stderr=out,
                start_new_session=True, env={"PATH": SBIN}, **options)
        try:
            yield process
        finally:
            end_session(process)

    @contextlib.contextmanager
    def lighttpd(self, backend):
        self.render("lighttpd/quickstart.conf", "front.conf")
        self.render("lighttpd/claviger.conf", "site.conf")
        self.render(f"lighttpd/{backend}", "backend.conf")
        command = ["lighttpd", "-D", "-f", self.folder / "front.conf"]
        with self.running(command):
            self.wait_until_healthy()
            yield

    def wait_until_healthy(self):
        log = self.folder / "out.log"

        def is_healthy():
            with contextlib.suppress(requests.RequestException):
                answer = requests.get(
                    f"https://localhost:{self.port}/healthz", timeout=5,
                    verify=self.stack.ca_file)
                return answer.status_code == 200
            return False
        try:
            wait_until(is_healthy, 10, what="health")
        except AssertionError:
            print(log.read_text(errors="replace")[-3000:])
            print((self.folder / "error.log").read_text(errors="replace")[-3000:])
            raise


def read_settings(path):
    lines = path.read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if line[:1] != "#")


def is_gone(process):
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def end_session(process):
    for how, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: is_gone(process), seconds, 0.05)
            return
    raise AssertionError(f"{process.args} did not end")


# The ways. Each is a context manager over the stack.

def by_quickstart(front):
    @contextlib.contextmanager
    def way(stack):
        stack.front = front
        stack.up()
        yield Way(stack, front, stack.port,
                  pathlib.Path(stack.env["CLAVIGER_LOG_DIR"]) / "access.log")
    return way


@contextlib.contextmanager
def by_lighttpd_itself(stack):
    """lighttpd starts a master (bin-path)."""
    shop = Workshop(stack, "bin-path")
    with shop.lighttpd("backend-spawn.conf"):
        yield shop.way("lighttpd-bin-path")


@contextlib.contextmanager
def by_spawn_fcgi(stack):
    """Four processes on one socket; nobody of ours watches them."""
    shop = Workshop(stack, "spawn")
    command = shop.as_owner(
        "spawn-fcgi", "-n", "-F", "4", "-b", "1024", "-s", str(shop.socket),
        "--", str(shop.program), "--config", str(shop.config))
    with shop.running(command), shop.lighttpd("backend-socket.conf"):
        yield shop.way("spawn-fcgi")


@contextlib.contextmanager
def by_socket_unit(stack):
    """As systemd hands a socket over: descriptor 3, LISTEN_FDS, LISTEN_PID."""
    shop = Workshop(stack, "unit")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(shop.socket))
        shop.give(shop.socket, 0o660)
        listener.listen(1024)
        script = ('exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; '
                  'exec "$@"')
        command = shop.as_owner(
            "sh", "-c", script, "sh", str(shop.program),
            "--config", str(shop.config), "--workers", "4")
        with shop.running(command, stdin=listener), \
                shop.lighttpd("backend-socket.conf"):
            yield shop.way("systemd-socket")


@contextlib.contextmanager
def by_standard_input(stack):
    """As StandardInput=socket does: the listening socket is descriptor 0."""
    shop = Workshop(stack, "stdin")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(shop.socket))
        shop.give(shop.socket, 0o660)
        listener.listen(1024)
        command = shop.as_owner(
            str(shop.program), "--config", str(shop.config), "--workers", "4")
        with shop.running(command, stdin=listener), \
                shop.lighttpd("backend-socket.conf"):
            yield shop.way("standard-input")


HOSTING = """
TraceEnable Off
ServerTokens Prod
LogFormat "%h %t \\"%m %U %H\\" %>s" hosting
AddType text/html .html
AddType text/css .css
AddType text/javascript .js
AddType image/svg+xml .svg
<VirtualHost 127.0.0.1:{port}>
	ServerName localhost
	DocumentRoot "{root}"
	CustomLog "{log}" hosting
	SSLEngine on
	SSLCertificateFile "{place}/ca/server.pem"
	SSLCertificateKeyFile "{place}/ca/server.key"
	<Directory "{root}">
		Require all granted
		AllowOverride All
	</Directory>
</VirtualHost>
"""


@contextlib.contextmanager
def by_htaccess(stack):
    """Shared hosting: pages, .htaccess and claviger.fcgi in one folder."""
    shop = Workshop(stack, "htaccess")
    root = shop.folder / "public_html"
    shutil.copytree(shop.prefix / "share/claviger/htdocs", root,
                    dirs_exist_ok=True)
    shutil.copy(DEPLOY / "apache/htaccess", root / ".htaccess")
    script = root / "claviger.fcgi"
    script.write_text(
        f"#!/bin/sh\nexec '{shop.program}' --config '{shop.config}'\n")
    shop.give(script, 0o755)
    front = shop.render("apache/quickstart.conf", "front.conf")
    (shop.folder / "site.conf").write_text(HOSTING.format(
        port=shop.port, root=root, place=shop.place,
        log=shop.folder / "access.log"))
    with shop.running(["apache2", "-DFOREGROUND", "-f", front]):
        shop.wait_until_healthy()
        yield shop.way("htaccess")


WAYS = {
    "lighttpd": by_quickstart("lighttpd"),
    "nginx": by_quickstart("nginx"),
    "apache-proxy": by_quickstart("apache-proxy"),
    "apache-fcgid": by_quickstart("apache-fcgid"),
    "lighttpd-bin-path": by_lighttpd_itself,
    "spawn-fcgi": by_spawn_fcgi,
    "systemd-socket": by_socket_unit,
    "standard-input": by_standard_input,
    "htaccess": by_htaccess,
}


@pytest.fixture(scope="session")
def shared_stack():
    with Stack() as running:
        yield running


@pytest.fixture(scope="session", params=WAYS)
def way(request, shared_stack):
    with WAYS[request.param](shared_stack) as running:
        yield running
