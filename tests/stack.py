# SPDX-License-Identifier: Apache-2.0
"""Private stacks for tests: MariaDB, Redis, a web server and Claviger.

A stack is made by deploy/quickstart.sh from an installed prefix (environment
CLAVIGER_PREFIX), lives in a folder of its own under a short path and listens
on a free port of 127.0.0.1. Nothing here knows what a test wants to prove.
CLAVIGER_KEEP=1 leaves the folder of a stopped stack for a look at its logs.
"""

import getpass
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymysql
import redis

ROOT = pathlib.Path(__file__).resolve().parent.parent
QUICKSTART = ROOT / "deploy" / "quickstart.sh"

# What a sanitizer or the C library prints before a process dies of our bug.
REPORT = re.compile(
    rb"ERROR: (Address|Leak)Sanitizer|runtime error: |SUMMARY: \w+Sanitizer"
    rb"|stack smashing detected|buffer overflow detected|Assertion .* failed"
)

# Mail leaves soon: many tests wait for one.
HASTE = {"server.maintenance_interval": "200ms"}

# People in front of a screen do not call so often; tests do.
ROOMY = {
    "limit.api_user": "100000/1m burst 100000",
    "limit.api_anonymous": "100000/1m burst 100000",
    "captcha.provider": "none",
}

# For tests about something else than the guard, made with hundreds of calls.
NO_LIMITS = {
    **ROOMY,
    "limit.login": "100000/1m",
    "limit.login_account": "100000/1m",
    "limit.registration": "100000/1m",
    "limit.reset": "100000/1m",
    "limit.verification": "100000/1m",
    "guard.delay_after": "1000",
    "guard.lock_after": "100",
    "guard.auto_block_after": "0",
}

# A foreign page that the stacks which want one let in.
ALLOWED_ORIGIN = "https://app.example.com"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(claim, timeout=10.0, pause=0.02, what="the condition"):
    """Call claim() until it gives something true, and give that back."""
    deadline = time.monotonic() + timeout
    while True:
        result = claim()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about in {timeout} s")
        time.sleep(pause)


def is_sanitized():
    """Whether this run's prefix holds a build with sanitizers."""
    return os.environ.get("CLAVIGER_SANITIZED") == "1"


class Stack:
    """One running installation. Use as a context manager, or up() and down()."""

    def __init__(self, settings=None, front="lighttpd", workers=4):
        self.settings = {**HASTE, **(settings or {})}
        self.front = front
        self.workers = workers
        self.port = free_port()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cv-"))
        self.dir.chmod(0o755)  # the quick start's accounts pass through it
        self.env = {}
        self.reports = []  # of sanitizers, once it is down

    def __enter__(self):
        try:
            return self.up()
        except BaseException:
            self.down()
            raise

    def __exit__(self, kind, value, traceback):
        self.down()
        if kind is None:
            assert not self.reports, "\n".join(self.reports)

    # Life

    def up(self):
        """Start what is not running. Safe to repeat."""
        command = ["sh", str(QUICKSTART), "up", "--no-install"]
        command += ["--dir", str(self.dir), "--port", str(self.port)]
        command += ["--front", self.front, "--workers", str(self.workers)]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        self._quickstart(command)
        self.env = self._read_environment()
        return self

    def down(self):
        """Stop everything and keep what sanitizers wrote."""
        command = ["sh", str(QUICKSTART), "down", "--dir", str(self.dir)]
        self._quickstart(command)
        self.reports = self._find_reports()
        if not os.environ.get("CLAVIGER_KEEP"):
            self._quickstart([*command, "--purge"])
            shutil.rmtree(self.dir, ignore_errors=True)

    def restart(self, **settings):
        """Stop, then start on the same data with settings added.

        Names are written with two underscores: password__argon2_passes="3".
        """
        self._quickstart(["sh", str(QUICKSTART), "down", "--dir", str(self.dir)])
        for name, value in settings.items():
            self.settings[name.replace("__", ".")] = value
        return self.up()

    def _quickstart(self, command):
        # Into a file: a pipe would stay open as long as the daemons live.
        output = self.dir / "quickstart.out"
        environment = dict(os.environ)
        if is_sanitized():
            environment.setdefault("ASAN_OPTIONS", "abort_on_error=1")
            environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        with open(output, "ab") as out:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                timeout=600, env=environment,
            )
        if done.returncode != 0:
            tail = output.read_text(errors="replace")[-4000:]
            raise RuntimeError(f"{' '.join(command)} failed:\n{tail}")

    def _read_environment(self):
        script = 'set -a; . "$1"; env -0'
        printed = subprocess.run(
            ["sh", "-c", script, "sh", str(self.dir / "instance.env")],
            env={"PATH": os.environ["PATH"]}, check=True, capture_output=True,
        ).stdout.decode()
        pairs = (line.split("=", 1) for line in printed.split("\0") if line)
        return {name: value for name, value in pairs
                if name.startswith("CLAVIGER_")}

    # What instance.env tells

    @property
    def url(self):
        return self.env["CLAVIGER_URL"]

    @property
    def ca_file(self):
        return self.env["CLAVIGER_CA_FILE"]

    @property
    def mail_dir(self):
        return pathlib.Path(self.env["CLAVIGER_MAIL_DIR"])

    @property
    def config_file(self):
        return pathlib.Path(self.env["CLAVIGER_CONFIG"])

    @property
    def fcgi_socket(self):
        return self.env["CLAVIGER_FCGI_SOCKET"]

    @property
    def owner(self):
        return (self.env["CLAVIGER_OWNER_EMAIL"],
                self.env["CLAVIGER_OWNER_PASSWORD"])

    @property
    def server_program(self):
        """claviger-fcgi of the same installation as clavigerctl."""
        ctl = pathlib.Path(self.env["CLAVIGER_CTL"])
        places = (ctl.parent.parent / "libexec", ctl.parent)
        return next(folder / "claviger-fcgi" for folder in places
                    if (folder / "claviger-fcgi").exists())

    # Programs and stores

    def ctl(self, *words, check=True, **options):
        """Run clavigerctl with this stack's configuration."""
        environment = dict(os.environ, CLAVIGER_CONFIG=str(self.config_file))
        done = subprocess.run(
            [self.env["CLAVIGER_CTL"], *words], capture_output=True, text=True,
            env=environment, timeout=120, **options,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"clavigerctl {words}: {done.stdout}{done.stderr}")
        return done

    def database(self):
        """A connection with all rights, autocommit, rows as dicts."""
        return pymysql.connect(
            unix_socket=self.env["CLAVIGER_DB_SOCKET"],
            user=getpass.getuser(), database=self.env["CLAVIGER_DB_NAME"],
            autocommit=True, cursorclass=pymysql.cursors.DictCursor,
        )

    def query(self, sql, *values):
        """All rows of a statement, on a connection of its own."""
        connection = self.database()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def redis(self):
        return redis.Redis(unix_socket_path=self.env["CLAVIGER_REDIS_SOCKET"])

    # Processes

    @property
    def master_pid(self):
        # Read anew: a restart changes it.
        self.env = self._read_environment()
        return int(self.env["CLAVIGER_MASTER_PID"])

    def children(self):
        """The pids of all the master's children."""
        found = []
        master = self.master_pid
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and parent_of(int(entry.name)) == master:
                found.append(int(entry.name))
        return found

    def worker_pids(self):
        """The pids of the children that serve requests.

        The child that does maintenance answers nobody: it is told apart by
        its title, or, failing that, by not holding the listening socket.
        """
        return [pid for pid in self.children() if not is_maintainer(pid)]

    @staticmethod
    def kill_worker(pid):
        """Unless it has gone by itself."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def reload(self):
        os.kill(self.master_pid, signal.SIGHUP)

    def log_text(self):
        """Everything that any process of the stack wrote into a log."""
        folder = pathlib.Path(self.env["CLAVIGER_LOG_DIR"])
        return "\n".join(path.read_text(errors="replace")
                         for path in sorted(folder.iterdir()) if path.is_file())

    # Sanitizers

    def _find_reports(self):
        found = []
        folder = pathlib.Path(self.env.get("CLAVIGER_LOG_DIR", self.dir))
        for path in [*folder.iterdir(), self.dir / "quickstart.out"]:
            content = path.read_bytes() if path.is_file() else b""
            match = REPORT.search(content)
            if match:
                excerpt = content[match.start():match.start() + 3000]
                found.append(f"{path}: {excerpt.decode(errors='replace')}")
        return found


def parent_of(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(re.search(r"^PPid:\s+(\d+)", status, re.M).group(1))


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_maintainer(pid):
    return b"maint" in command_line(pid)
