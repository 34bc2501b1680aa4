#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server's processes from outside: sockets, signals, crashes, bad peers.

Drives the program "probe" (the real server over a stand-in, double.c) as a
front server would. Needs no database and no web server; run by "make check"
from the build folder, as root or as a plain user.
"""

import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import fcgi  # noqa: E402

PROGRAM = pathlib.Path("tests/server/probe").resolve()
IS_ROOT = os.getuid() == 0
USER = "nobody" if IS_ROOT else pwd.getpwuid(os.getuid()).pw_name
IS_SANITIZED = "define CLAVIGER_SANITIZERS 1" in pathlib.Path("config.h").read_text()
KEY = "ab" * 32


def wait_until(claim, timeout=10.0, what="the condition"):
    deadline = time.monotonic() + timeout
    while True:
        result = claim()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about in {timeout} s")
        time.sleep(0.01)


def parent_of(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[1])


def is_alive(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def children_of(pid):
    return [int(one.name) for one in pathlib.Path("/proc").iterdir()
            if one.name.isdigit() and parent_of(one.name) == pid]


def title_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
    except OSError:
        return ""


class Probe:
    """One installation in a folder of its own."""

    def __init__(self, **settings):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cs-"))
        self.socket = self.dir / "s"
        self.config = self.dir / "claviger.conf"
        self.log = self.dir / "log"
        self.process = None
        (self.dir / "key").write_text(KEY + "\n")
        (self.dir / "key").chmod(0o400)
        self.settings = {
            "server.public_url": "https://localhost", "server.user": USER,
            "server.runtime_dir": str(self.dir), "server.listen": str(self.socket),
            "server.workers": "2", "keys.master_file": str(self.dir / "key"),
            "log.level": "debug", "log.file": str(self.log),
            **{name.replace("__", "."): str(value) for name, value in settings.items()},
        }
        self.write_config()
        if IS_ROOT:
            self.give_away()

    def give_away(self):
        entry = pwd.getpwnam(USER)
        for path in (self.dir, self.config):
            os.chown(path, entry.pw_uid, entry.pw_gid)
        self.dir.chmod(0o755)

    def write_config(self, **settings):
        self.settings.update({name.replace("__", "."): str(value)
                              for name, value in settings.items()})
        self.config.write_text("".join(
            f"{name} = {value}\n" for name, value in self.settings.items() if value != "None"))
        self.config.chmod(0o600)

    def start(self, *arguments, wait_for="server_ready", **options):
        with open(self.dir / "err", "ab") as errors:
            self.process = subprocess.Popen(
                [str(PROGRAM), "--config", str(self.config), *arguments],
                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                   "stderr": errors, **options})
        if wait_for:
            self.wait_for(wait_for)
        return self

    def refuse(self, *arguments, **options):
        """Start it; it must end by itself. Gives (status, what it said)."""
        done = subprocess.run(
            [str(PROGRAM), "--config", str(self.config), *arguments], capture_output=True,
            text=True, timeout=20, **{"stdin": subprocess.DEVNULL, **options})
        return done.returncode, done.stdout + done.stderr

    def events(self, name=None):
        try:
            lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        except FileNotFoundError:
            return []
        return [one for one in lines if name in (None, one["event"])]

    def wait_for(self, event, count=1, timeout=15):
        def is_over():
            return len(self.events(event)) >= count or self.process.poll() is not None
        try:
            wait_until(is_over, timeout, event)
            assert len(self.events(event)) >= count
        except AssertionError:
            raise AssertionError(f"no {event}: {self.events()[-5:]}, "
                                 f"{(self.dir / 'err').read_text()}") from None

    def ask(self, path, body=b"", method=None, length=None, more=()):
        """(status, body) of one request; status 0 when there was no answer."""
        variables = fcgi.variables_for(method or ("POST" if body else "GET"), path,
                                       len(body) if length is None else length, more=more)
        try:
            call = fcgi.Call(self.socket, variables)
        except OSError as error:
            return 0, str(error)
        with call.socket:
            try:
                for start in range(0, len(body), 65000):
                    call.send(body[start:start + 65000])
                call.finish()
            except OSError as error:
                return 0, str(error)
            status, text = fcgi.status_of(call.answer())
        return status, text.partition("\r\n\r\n")[2]

    def children(self, role):
        return [pid for pid in children_of(self.process.pid) if role in title_of(pid)]

    def workers(self):
        return self.children("worker")

    def touch(self, name):
        (self.dir / name).touch()

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=20):
        self.send(number)
        return self.process.wait(timeout)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        errors = self.dir / "err"
        text = errors.read_text() if errors.exists() else ""
        shutil.rmtree(self.dir, ignore_errors=True)
        if "Sanitizer" in text or "runtime error" in text:
            raise AssertionError(text)


class Base(unittest.TestCase):
    def probe(self, **settings):
        probe = Probe(**settings)
        self.addCleanup(probe.remove)
        return probe


class Load:
    """Clients that ask as fast as they can until told to stop."""

    def __init__(self, probe, path="/pid", clients=6):
        self.probe, self.path = probe, path
        self.answers, self.failures = [], []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        while not self.is_over:
            status, body = self.probe.ask(self.path)
            if status == 200:
                self.answers.append(body)
            else:
                self.failures.append((status, body))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Requests(Base):
    def test_answers_and_reads_bodies_of_every_size(self):
        probe = self.probe().start()
        self.assertEqual(probe.ask("/hello"), (200, "hello"))
        for size in (1, 7, 8185, 65535, 65536, 200000):
            body = os.urandom(size // 2).hex().encode().ljust(size, b"x")
            self.assertEqual(probe.ask("/echo", body), (200, body.decode()))
        self.assertEqual(probe.ask("/big?300000"), (200, "x" * 300000))

    def test_refuses_a_body_that_is_not_as_long_as_it_says(self):
        probe = self.probe().start()
        self.assertEqual(probe.ask("/echo", b"abc", length=5)[0], 400)
        self.assertEqual(probe.ask("/echo", b"abcdefg", length=5)[0], 400)
        self.assertEqual(probe.ask("/echo", b"abcde", length=5), (200, "abcde"))

    def test_outlives_a_peer_that_goes_away_in_the_middle(self):
        probe = self.probe(server__workers=1).start()
        worker = probe.workers()
        variables = fcgi.variables_for("POST", "/echo", 10)
        for sent in (b"", b"abc"):
            call = fcgi.Call(probe.socket, variables)
            call.send(sent) if sent else None
            call.socket.close()
        for junk in (b"\0" * 64, b"\1\1\0\1\0\10", os.urandom(300), b"GET / HTTP/1.0\r\n\r\n"):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(probe.socket))
                raw.sendall(junk)
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertEqual(probe.workers(), worker)

    def test_answers_a_request_whose_body_nobody_read(self):
        probe = self.probe(server__workers=1).start()
        for size in (0, 10, 100000):
            self.assertEqual(probe.ask("/refuse", b"x" * size)[0], 413)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_closes_the_connection_also_when_asked_to_keep_it(self):
        probe = self.probe().start()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(probe.socket))
            raw.settimeout(5)
            raw.sendall(fcgi.record(fcgi.BEGIN, struct.pack(">HB5x", 1, 1))
                        + fcgi.record(fcgi.PARAMS, fcgi._pairs(fcgi.variables_for("GET", "/hello")))
                        + fcgi.record(fcgi.PARAMS, b"") + fcgi.record(fcgi.STDIN, b""))
            received = b""
            while piece := raw.recv(65536):
                received += piece
        self.assertIn(b"hello", received)

    def test_says_that_it_plays_no_other_role(self):
        probe = self.probe(server__workers=1).start()
        for role in (2, 3, 77):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(probe.socket))
                raw.settimeout(5)
                raw.sendall(fcgi.record(fcgi.BEGIN, struct.pack(">HB5x", role, 0))
                            + fcgi.record(fcgi.PARAMS, b"") + fcgi.record(fcgi.STDIN, b""))
                received = b""
                try:
                    while piece := raw.recv(65536):
                        received += piece
                except ConnectionError:
                    pass
            if role != 77:  # libfcgi just closes on a role it does not know
                self.assertEqual(received, b"\1\3\0\1\0\10\0\0" + b"\0\0\0\0\3\0\0\0")
        self.assertEqual(probe.ask("/hello")[0], 200)

    @unittest.skipIf(IS_SANITIZED, "a sanitizer's heap is somewhere else")
    def test_wipes_what_a_request_held(self):
        probe = self.probe(server__workers=1).start()
        secret = "correct-horse-battery-staple"
        for _ in range(3):
            self.assertEqual(probe.ask("/echo", secret.encode() * 100)[0], 200)
            probe.ask("/hello", more=[("HTTP_AUTHORIZATION", secret + "0")])
            probe.ask(f"/hello?{secret}")
        self.assertEqual(probe.ask("/find?" + secret[::-1]), (200, "0"))
        # The search does find what is there: its own argument, spelled forwards.
        self.assertNotEqual(probe.ask("/find?abba"), (200, "0"))


class SlowPeers(Base):
    def assert_closed_within(self, probe, least, most, first=b"\1", keep_sending=None):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(probe.socket))
            raw.settimeout(0.05)
            started = time.monotonic()
            raw.sendall(first)
            while time.monotonic() - started < most + 5:
                try:
                    if keep_sending:
                        raw.sendall(keep_sending)
                    if raw.recv(1) == b"":
                        break
                except socket.timeout:
                    pass
                except OSError:
                    break
            took = time.monotonic() - started
        self.assertGreater(took, least)
        self.assertLess(took, most)

    def test_a_silent_peer_holds_a_worker_no_longer_than_the_read_timeout(self):
        probe = self.probe(server__workers=1, server__read_timeout="300ms").start()
        self.assert_closed_within(probe, 0.2, 1.5)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_dripping_peer_is_cut_off_at_the_deadline(self):
        probe = self.probe(server__workers=1, server__request_deadline="1s",
                           server__read_timeout="1s").start()
        head = fcgi.record(fcgi.BEGIN, struct.pack(">HB5x", 1, 0))
        head += fcgi.record(fcgi.PARAMS, b"x" * 60000)[:8]
        self.assert_closed_within(probe, 0.7, 2.5, head, keep_sending=b"\1")
        self.assertEqual(probe.ask("/hello")[0], 200)

    def slow_body(self, probe, piece, pause, count):
        call = fcgi.Call(probe.socket, fcgi.variables_for("POST", "/echo", 1000))
        for _ in range(count):
            try:
                call.send(piece)
            except OSError:
                break
            time.sleep(pause)
        return fcgi.status_of(call.answer())[0]

    def test_a_body_that_stops_is_a_408(self):
        probe = self.probe(server__workers=1, server__read_timeout="300ms").start()
        self.assertEqual(self.slow_body(probe, b"abc", 0, 1), 408)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_body_that_drips_is_a_408_at_the_deadline(self):
        probe = self.probe(server__workers=1, server__request_deadline="1s",
                           server__read_timeout="1s").start()
        started = time.monotonic()
        self.assertEqual(self.slow_body(probe, b"a", 0.1, 100), 408)
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_peer_that_never_stops_sending_is_left_alone(self):
        probe = self.probe(server__workers=1).start()
        call = fcgi.Call(probe.socket, fcgi.variables_for("POST", "/refuse", 100))
        started = time.monotonic()
        try:
            while time.monotonic() - started < 8:
                call.send(b"x" * 60000)
        except OSError:
            pass
        self.assertLess(time.monotonic() - started, 4)
        call.socket.close()
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_peer_that_does_not_read_is_given_up(self):
        probe = self.probe(server__workers=1, server__read_timeout="300ms").start()
        call = fcgi.Call(probe.socket, fcgi.variables_for("GET", "/big?500000"))
        call.finish()
        started = time.monotonic()
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertLess(time.monotonic() - started, 3)
        call.socket.close()


class Signals(Base):
    def test_twenty_reloads_under_load_lose_no_request(self):
        probe = self.probe(server__workers=3).start()
        seen = set(probe.workers())
        with Load(probe) as load:
            for i in range(20):
                probe.send(signal.SIGHUP)
                probe.wait_for("server_ready", i + 2)
                seen.update(probe.workers())
        self.assertEqual(load.failures, [])
        self.assertGreater(len(load.answers), 200)
        self.assertGreaterEqual(len(seen), 3 * 21)
        wait_until(lambda: len(probe.workers()) == 3)
        self.assertEqual(probe.events("child_crashed"), [])

    def test_reloads_that_overtake_each_other_end_in_the_newest(self):
        probe = self.probe(server__workers=4).start()
        before = set(probe.workers())
        with Load(probe, clients=2) as load:
            for _ in range(30):
                probe.send(signal.SIGHUP)
                time.sleep(0.005)
            wait_until(lambda: len(probe.workers()) == 4 and not before & set(probe.workers()))
        self.assertEqual(load.failures, [])

    def test_a_reload_reads_settings_and_worker_count_anew(self):
        probe = self.probe(server__workers=2, mail__product="one").start()
        self.assertEqual(probe.ask("/setting"), (200, "one"))
        probe.write_config(mail__product="two", server__workers=4)
        if IS_ROOT:
            probe.give_away()
        probe.send(signal.SIGHUP)
        probe.wait_for("server_ready", 2)
        self.assertEqual(probe.ask("/setting"), (200, "two"))
        wait_until(lambda: len(probe.workers()) == 4)
        probe.write_config(server__workers=1)
        if IS_ROOT:
            probe.give_away()
        probe.send(signal.SIGHUP)
        probe.wait_for("server_ready", 3)
        wait_until(lambda: len(probe.workers()) == 1)

    def test_a_reload_with_bad_settings_changes_nothing(self):
        probe = self.probe(mail__product="one").start()
        before = sorted(probe.workers())
        probe.write_config(mail__product="two", session__unknown="1")
        probe.send(signal.SIGHUP)
        probe.wait_for("reload_refused")
        self.assertIn("session.unknown", probe.events("reload_refused")[0]["detail"])
        self.assertEqual(sorted(probe.workers()), before)
        self.assertEqual(probe.ask("/setting"), (200, "one"))

    def test_a_reload_that_cannot_start_workers_keeps_the_old_ones(self):
        probe = self.probe().start()
        before = sorted(probe.workers())
        probe.touch("no-service")
        probe.send(signal.SIGHUP)
        probe.wait_for("child_crashed", 3)
        self.assertEqual(sorted(set(before) & set(probe.workers())), before)
        self.assertEqual(probe.ask("/hello")[0], 200)
        (probe.dir / "no-service").unlink()
        probe.wait_for("server_ready", 2)
        self.assertFalse(set(before) & set(probe.workers()))

    def test_a_reload_opens_the_log_again(self):
        probe = self.probe().start()
        probe.log.rename(probe.dir / "log.1")
        probe.send(signal.SIGHUP)
        probe.wait_for("server_ready")
        self.assertTrue(probe.events("worker_started"))

    def test_the_end_lets_the_request_in_hand_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            probe = self.probe().start()
            answers = []
            asking = threading.Thread(target=lambda: answers.append(probe.ask("/sleep?700")))
            asking.start()
            body = fcgi.Call(probe.socket, fcgi.variables_for("POST", "/echo", 6))
            body.send(b"abc")
            time.sleep(0.2)
            probe.send(number)
            time.sleep(0.1)
            body.send(b"def")
            body.finish()
            self.assertIn("abcdef", fcgi.status_of(body.answer())[1])
            asking.join()
            self.assertEqual(answers[0][0], 200)
            self.assertEqual(probe.process.wait(10), 0)
            self.assertFalse(probe.socket.exists())

    def test_the_end_does_not_wait_for_ever(self):
        probe = self.probe(server__request_deadline="1s", server__read_timeout="1s",
                           mail__timeout="1s").start()
        asking = threading.Thread(target=lambda: probe.ask("/sleep?60000"))
        asking.start()
        time.sleep(0.2)
        started = time.monotonic()
        self.assertEqual(probe.stop(), 0)
        self.assertLess(time.monotonic() - started, 9)
        asking.join()
        self.assertTrue(probe.events("child_killed"))

    def test_workers_do_not_outlive_their_master(self):
        probe = self.probe().start()
        children = children_of(probe.process.pid)
        self.assertEqual(len(children), 3)
        probe.process.kill()
        probe.process.wait()
        wait_until(lambda: not any(is_alive(one) for one in children))


class Crashes(Base):
    def test_a_crash_is_logged_with_its_request_and_mended(self):
        probe = self.probe().start()
        self.assertEqual(probe.ask("/crash?secret=1")[0], 0)
        probe.wait_for("child_crashed")
        crash = probe.events("child_crashed")[0]
        value = 0xcbf29ce484222325
        for byte in b"GET /crash":
            value = (value ^ byte) * 0x100000001b3 % 2**64
        self.assertEqual(crash["request_hash"], f"{value:016x}")
        self.assertEqual(crash["signal"], signal.SIGABRT)
        self.assertNotIn("secret", probe.log.read_text())
        wait_until(lambda: len(probe.workers()) == 2)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_an_idle_worker_that_is_killed_has_no_request(self):
        probe = self.probe().start()
        self.assertEqual(probe.ask("/hello")[0], 200)
        time.sleep(0.5)  # the answer is out before the request is done with
        os.kill(probe.workers()[0], signal.SIGKILL)
        probe.wait_for("child_crashed")
        self.assertNotIn("request_hash", probe.events("child_crashed")[0])
        wait_until(lambda: len(probe.workers()) == 2)

    def test_a_crash_loop_does_not_spin_and_heals(self):
        probe = self.probe(server__workers=4).start()
        probe.touch("no-service")
        for pid in probe.workers():
            os.kill(pid, signal.SIGKILL)
        time.sleep(2.5)
        self.assertLess(len(probe.events("child_crashed")), 40)
        self.assertGreater(len(probe.events("child_crashed")), 8)
        (probe.dir / "no-service").unlink()
        wait_until(lambda: len(probe.workers()) == 4, 12)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_requests_wait_in_the_backlog_while_a_worker_is_replaced(self):
        probe = self.probe(server__workers=1).start()
        with Load(probe, clients=3) as load:
            for _ in range(4):
                time.sleep(0.3)
                for pid in probe.workers():
                    os.kill(pid, signal.SIGTERM)
        self.assertEqual(load.failures, [])

    def test_workers_are_replaced_when_worn_out_without_a_lost_request(self):
        probe = self.probe(server__workers=2, server__recycle_after=25).start()
        with Load(probe, clients=4) as load:
            wait_until(lambda: len(load.answers) > 1000, 30)
        self.assertEqual(load.failures, [])
        self.assertGreater(len(set(load.answers)), 20)
        self.assertEqual(probe.events("child_crashed"), [])

    def test_a_worker_that_grew_too_big_is_replaced(self):
        probe = self.probe(server__workers=1, server__recycle_rss=4096).start()
        before = probe.workers()
        for _ in range(255):
            probe.ask("/hello")
        self.assertEqual(probe.workers(), before)
        for _ in range(3):
            probe.ask("/hello")
        wait_until(lambda: probe.workers() and probe.workers() != before)
        self.assertEqual(probe.events("child_crashed"), [])


class Confinement(Base):
    def test_workers_hold_no_rights(self):
        probe = self.probe().start()
        status = dict(re.findall(r"^(\w+):\s+(.*)$", probe.ask("/status")[1], re.M))
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0)
        if IS_ROOT:
            self.assertEqual(int(status["CapBnd"], 16), 0)
            self.assertNotIn("0", status["Uid"].split())
            self.assertNotIn("0", status["Groups"].split())
        self.assertEqual(status["NoNewPrivs"], "1")
        if not IS_SANITIZED:
            self.assertEqual(status["Seccomp"], "2")
        limits = pathlib.Path(f"/proc/{probe.workers()[0]}/limits").read_text()
        self.assertRegex(limits, r"Max core file size\s+0\s+0")

    @unittest.skipIf(IS_SANITIZED, "a build with sanitizers has no filter")
    def test_a_worker_that_execs_or_opens_netlink_is_killed(self):
        probe = self.probe().start()
        for count, path in enumerate(("/exec", "/netlink"), 1):
            self.assertEqual(probe.ask(path)[0], 0)
            probe.wait_for("child_crashed", count)
        self.assertEqual({one["signal"] for one in probe.events("child_crashed")},
                         {signal.SIGSYS})

    @unittest.skipIf(IS_SANITIZED, "a build with sanitizers has no filter")
    def test_a_worker_that_resolves_names_only_gets_no_netlink(self):
        probe = self.probe(database__host="localhost").start()
        self.assertEqual(probe.ask("/netlink"), (200, ""))
        self.assertEqual(probe.ask("/exec")[0], 0)

    def test_no_descriptor_would_survive_an_exec(self):
        probe = self.probe()
        leak = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, leak)
        os.set_inheritable(leak, True)
        probe.start(pass_fds=(leak,))
        self.assertEqual(probe.ask("/descriptors"), (200, "end"))

    def test_the_master_key_leaves_the_environment(self):
        probe = self.probe(keys__master_file=None)
        probe.start(env={**os.environ, "MASTER_ENCRYPTION_KEY": KEY})
        self.assertEqual(probe.ask("/environment?MASTER_ENCRYPTION_KEY"), (200, "unset"))
        self.assertEqual(probe.ask("/environment?PATH"), (200, "set"))
        for pid in (probe.process.pid, *children_of(probe.process.pid)):
            if os.access(f"/proc/{pid}/environ", os.R_OK) and IS_ROOT:
                self.assertNotIn(KEY.encode(), pathlib.Path(f"/proc/{pid}/environ").read_bytes())

    @unittest.skipUnless(IS_ROOT, "only root can try as somebody else")
    def test_only_the_users_named_may_speak_to_it(self):
        probe = self.probe(server__peers="daemon").start()
        probe.socket.chmod(0o666)
        script = ("import os, sys; os.setgroups([]); uid = int(sys.argv[1]); os.setuid(uid);"
                  "sys.path.insert(0, sys.argv[2]); import fcgi;"
                  "print(fcgi.call(sys.argv[3], fcgi.variables_for('GET', '/hello'))[0])")

        def ask_as(uid):
            done = subprocess.run(
                ["/usr/bin/python3", "-B", "-c", script, str(uid), str(probe.dir),
                 str(probe.socket)], capture_output=True, text=True, timeout=20)
            return done.stdout.strip()
        shutil.copy(HERE.parent / "fcgi.py", probe.dir)
        (probe.dir / "fcgi.py").chmod(0o644)
        self.assertEqual(ask_as(pwd.getpwnam("daemon").pw_uid), "200")
        self.assertEqual(ask_as(pwd.getpwnam(USER).pw_uid), "200")
        self.assertEqual(ask_as(0), "200")
        for _ in range(3):
            self.assertIn(ask_as(pwd.getpwnam("bin").pw_uid), ("0", ""))
        probe.wait_for("peer_refused")
        self.assertLessEqual(len(probe.events("peer_refused")), 3)
        self.assertEqual(probe.events("child_crashed"), [])


class Maintenance(Base):
    def rounds(self, probe):
        path = probe.dir / "rounds"
        return path.read_text().split() if path.exists() else []

    def test_one_child_does_rounds(self):
        probe = self.probe(server__maintenance_interval="100ms").start()
        wait_until(lambda: len(self.rounds(probe)) > 5)
        self.assertEqual(set(self.rounds(probe)), {str(one) for one in probe.children("maint")})

    def test_it_is_made_again_when_it_dies(self):
        probe = self.probe(server__maintenance_interval="100ms").start()
        first = wait_until(lambda: probe.children("maint"))[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: self.rounds(probe) and self.rounds(probe)[-1] != str(first))
        self.assertEqual(probe.events("child_crashed")[0]["role"], "maintenance")

    def test_its_crashes_do_not_slow_workers_down(self):
        probe = self.probe(server__maintenance_interval="100ms").start()
        probe.touch("crash-maintenance")
        probe.wait_for("child_crashed", 4)
        self.assertEqual(probe.ask("/crash")[0], 0)
        wait_until(lambda: len(probe.workers()) == 2, 1)

    def test_it_rests_while_another_host_does_the_work(self):
        probe = self.probe(server__maintenance_interval="100ms")
        probe.touch("other-maintains")
        probe.start()
        time.sleep(0.5)
        self.assertEqual(self.rounds(probe), [])
        (probe.dir / "other-maintains").unlink()
        wait_until(lambda: self.rounds(probe))
        self.assertEqual(probe.events("maintenance_failed"), [])

    def test_a_reload_replaces_it_too(self):
        probe = self.probe(server__maintenance_interval="100ms").start()
        first = probe.children("maint")
        probe.send(signal.SIGHUP)
        probe.wait_for("server_ready", 2)
        self.assertNotEqual(probe.children("maint"), first)


class WaysIn(Base):
    def listener(self, probe, kind=socket.AF_UNIX):
        listener = socket.socket(kind)
        listener.bind(str(probe.socket) if kind == socket.AF_UNIX else ("127.0.0.1", 0))
        listener.listen(64)
        if kind == socket.AF_UNIX:
            probe.socket.chmod(0o666)
        self.addCleanup(listener.close)
        return listener

    def test_an_inherited_socket_is_served_by_this_one_process(self):
        probe = self.probe(server__workers=0, server__listen="", server__recycle_after=10,
                           server__maintenance_interval="100ms")
        probe.start(stdin=self.listener(probe), wait_for="worker_started")
        for _ in range(30):
            self.assertEqual(probe.ask("/pid"), (200, str(probe.process.pid)))
        wait_until((probe.dir / "rounds").exists)
        family = children_of(probe.process.pid)
        family += [one for child in family for one in children_of(child)]
        self.assertEqual(len(family), 2)
        probe.log.rename(probe.dir / "log.1")
        probe.send(signal.SIGHUP)
        wait_until(probe.log.exists)
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertEqual(probe.stop(), 0)
        wait_until(lambda: not any(is_alive(one) for one in family))
        self.assertTrue(probe.socket.exists(), "an inherited socket is not ours to remove")

    def test_a_killed_process_takes_its_maintenance_with_it(self):
        probe = self.probe(server__workers=0)
        probe.start(stdin=self.listener(probe), wait_for="worker_started")
        family = wait_until(lambda: [one for child in children_of(probe.process.pid)
                                     for one in (child, *children_of(child))][1:] and
                            [one for child in children_of(probe.process.pid)
                             for one in (child, *children_of(child))])
        probe.process.kill()
        probe.process.wait()
        wait_until(lambda: not any(is_alive(one) for one in family))

    def test_several_processes_share_one_inherited_socket(self):
        probe = self.probe(server__workers=0)
        listener = self.listener(probe)
        probe.start(stdin=listener, wait_for=None)
        first = probe.process
        probe.start(stdin=listener, wait_for=None)
        probe.wait_for("worker_started", 2)
        with Load(probe, clients=6) as load:
            wait_until(lambda: len(set(load.answers)) == 2)
            first.terminate()
            first.wait(10)
            time.sleep(0.3)
        self.assertEqual(load.failures, [])

    def test_an_inherited_socket_with_workers_gets_a_master(self):
        for count, arguments in ((2, ("--workers", "2")), (None, ("--workers", "auto"))):
            probe = self.probe(server__workers=0)
            probe.start(*arguments, stdin=self.listener(probe))
            wanted = count or 2 * len(os.sched_getaffinity(0)) + 2
            self.assertEqual(len(probe.workers()), wanted)
            self.assertNotEqual(probe.ask("/pid")[1], str(probe.process.pid))
            self.assertEqual(probe.stop(), 0)

    def test_systemd_hands_over_its_socket_and_is_told_when_ready(self):
        probe = self.probe(server__workers=0)
        listener = self.listener(probe)
        news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        news.bind(str(probe.dir / "notify"))
        (probe.dir / "notify").chmod(0o666)
        news.settimeout(10)
        self.addCleanup(news.close)

        def become_descriptor_3():
            os.dup2(listener.fileno(), 3)
            os.environ["LISTEN_PID"] = str(os.getpid())
        script = ("import os, sys; os.environ['LISTEN_PID'] = str(os.getpid());"
                  "os.execv(sys.argv[1], sys.argv[1:])")
        probe.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", script, str(PROGRAM), "--config", str(probe.config),
             "--workers", "2"],
            stdin=subprocess.DEVNULL, preexec_fn=become_descriptor_3, pass_fds=(3,),
            env={**os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(probe.dir / "notify")})
        self.assertEqual(news.recv(100), b"READY=1")
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertEqual(probe.ask("/environment?LISTEN_FDS"), (200, "unset"))
        probe.send(signal.SIGHUP)
        self.assertIn(b"RELOADING=1", news.recv(100))
        self.assertEqual(news.recv(100), b"READY=1")
        self.assertEqual(probe.stop(), 0)
        self.assertEqual(news.recv(100), b"STOPPING=1")

    def test_an_inherited_tcp_socket_serves_this_host(self):
        probe = self.probe(server__workers=0)
        listener = self.listener(probe, socket.AF_INET)
        probe.start(stdin=listener, wait_for="worker_started")
        call = fcgi.Call.__new__(fcgi.Call)
        call.socket = socket.create_connection(listener.getsockname(), timeout=5)
        call.socket.sendall(
            fcgi.record(fcgi.BEGIN, struct.pack(">HB5x", 1, 0))
            + fcgi.record(fcgi.PARAMS, fcgi._pairs(fcgi.variables_for("GET", "/hello")))
            + fcgi.record(fcgi.PARAMS, b""))
        call.finish()
        self.assertEqual(fcgi.status_of(call.answer())[0], 200)

    def test_it_can_be_started_with_its_standard_descriptors_closed(self):
        probe = self.probe()
        probe.start(stdin=None, stdout=None, stderr=None,
                    preexec_fn=lambda: [os.close(one) for one in (0, 1, 2)])
        self.assertEqual(probe.ask("/hello")[0], 200)

    @unittest.skipUnless(IS_ROOT, "a plain user is what the other tests are then")
    def test_a_plain_user_can_run_it(self):
        probe = self.probe(server__user="")
        copy = probe.dir / "probe"
        shutil.copy(PROGRAM, copy)
        copy.chmod(0o755)
        entry = pwd.getpwnam(USER)
        os.chown(probe.dir / "key", entry.pw_uid, entry.pw_gid)
        with open(probe.dir / "err", "ab") as errors:
            probe.process = subprocess.Popen(
                [str(copy), "--config", str(probe.config)], stdin=subprocess.DEVNULL, cwd="/",
                user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], stderr=errors)
        probe.wait_for("server_ready")
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertEqual(stat.S_IMODE(probe.socket.stat().st_mode), 0o660)
        if not IS_SANITIZED:
            self.assertEqual(probe.ask("/exec")[0], 0)
        self.assertEqual(probe.stop(), 0)


class Start(Base):
    def test_the_socket_is_open_to_owner_and_group_alone(self):
        probe = self.probe(server__socket_group=pwd_group()).start()
        status = probe.socket.stat()
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o660)
        self.assertEqual(status.st_uid, pwd.getpwnam(USER).pw_uid)

    def test_what_a_dead_server_left_is_replaced(self):
        probe = self.probe()
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(probe.socket))
        left.close()
        probe.start()
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_second_server_on_the_same_socket_is_refused(self):
        probe = self.probe().start()
        status, said = probe.refuse()
        self.assertEqual(status, 75)
        self.assertIn("served already", said)
        self.assertEqual(probe.ask("/hello")[0], 200)

    def assert_refused(self, probe, status, word, *arguments, **options):
        got, said = probe.refuse(*arguments, **options)
        self.assertEqual(got, status, said)
        self.assertIn(word, said)
        self.assertEqual(len(said.strip().splitlines()), 1, said)
        self.assertTrue(said.startswith("claviger-fcgi: "), said)

    def test_bad_settings_are_refused_with_one_line(self):
        self.assert_refused(self.probe(session__unknown=1), 78, "session.unknown")
        self.assert_refused(self.probe(server__peers="no-such-user"), 78, "no-such-user")
        self.assert_refused(self.probe(server__socket_group="no-such-group"), 78, "no-such-group")
        self.assert_refused(self.probe(server__listen=""), 78, "nothing to listen on")
        self.assert_refused(self.probe(server__listen="/" + "x" * 200), 78, "server.listen")
        self.assert_refused(self.probe(server__listen="/no/such/folder/s"), 78, "/no/such/folder")
        self.assert_refused(self.probe(server__runtime_dir="/no/such/folder"), 78, "runtime_dir")
        self.assert_refused(self.probe(log__file="/no/such/folder/log"), 78, "log.file")
        self.assert_refused(self.probe(), 78, "server.workers", "--workers", "many")
        self.assert_refused(self.probe(), 78, "session.unknown", "--set", "session.unknown=1")

    def test_a_bad_master_key_is_refused_with_one_line(self):
        probe = self.probe()
        (probe.dir / "key").chmod(0o644)
        self.assert_refused(probe, 78, "master key")
        (probe.dir / "key").chmod(0o600)
        (probe.dir / "key").write_text("ab" * 20)
        self.assert_refused(probe, 78, "master key")
        self.assertFalse(probe.socket.exists())

    def test_a_master_key_that_opens_nothing_is_refused(self):
        probe = self.probe()
        probe.touch("wrong-key")
        self.assert_refused(probe, 78, "master key")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(probe.dir / "inherited"))
        listener.listen(5)
        probe.write_config(server__workers=0)
        if IS_ROOT:
            probe.give_away()
        self.assert_refused(probe, 78, "master key", stdin=listener)

    def test_a_database_that_is_away_is_no_reason_not_to_start(self):
        probe = self.probe()
        probe.touch("no-database")
        probe.start()
        self.assertEqual(probe.ask("/hello")[0], 200)
        self.assertTrue(probe.events("keys_not_checked"))

    def test_a_folder_for_everyone_is_refused(self):
        probe = self.probe()
        folder = probe.dir / "open"
        folder.mkdir()
        folder.chmod(0o777)
        self.assert_refused(probe, 78, str(folder), "--listen", f"{folder}/s")
        folder.chmod(0o1777)
        probe.write_config(server__listen=folder / "s")
        probe.socket = folder / "s"
        probe.start()
        self.assertEqual(probe.ask("/hello")[0], 200)

    def test_a_file_in_the_way_is_left_alone(self):
        probe = self.probe()
        probe.socket.write_text("precious")
        self.assert_refused(probe, 78, "not a socket")
        self.assertEqual(probe.socket.read_text(), "precious")

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_root_must_say_whom_to_become(self):
        self.assert_refused(self.probe(server__user=""), 78, "server.user")
        self.assert_refused(self.probe(server__user="root"), 78, "server.user")
        self.assert_refused(self.probe(server__user="no-such-user"), 78, "no-such-user")

    def test_the_check_of_the_settings_tells_good_from_bad(self):
        probe = self.probe()
        status, said = probe.refuse("--check-config")
        self.assertEqual((status, len(said.splitlines())), (0, 1))
        self.assert_refused(self.probe(session__unknown=1), 78, "session.unknown",
                            "--check-config")
        self.assert_refused(self.probe(keys__master_file="/no/such/key"), 78, "master key",
                            "--check-config", env={"PATH": "/bin"})
        self.assertFalse(probe.socket.exists())

    def test_wrong_usage_is_told_from_wrong_settings(self):
        probe = self.probe()
        for arguments in (["--nonsense"], ["--config"], ["surplus"]):
            status, said = probe.refuse(*arguments)
            self.assertEqual(status, 2)
            self.assertIn("--help", said)

    def test_help_and_version_are_given(self):
        probe = self.probe()
        status, said = probe.refuse("--help")
        self.assertEqual(status, 0)
        for word in ("--config", "--set", "--listen", "--workers", "--check-config", "78", "HUP"):
            self.assertIn(word, said)
        self.assertLessEqual(max(map(len, said.splitlines())), 80)
        status, said = probe.refuse("--version")
        self.assertEqual(status, 0)
        self.assertRegex(said, r"^claviger-fcgi \d+\.\d+\.\d+\n$")


def pwd_group():
    import grp
    return grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name


if __name__ == "__main__":
    unittest.main(verbosity=2)
