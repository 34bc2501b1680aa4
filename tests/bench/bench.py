# SPDX-License-Identifier: Apache-2.0
"""make bench: what the program can do on this machine, beside what it should.

    bench.py BUILD_DIR    (CLAVIGER_PREFIX: an installed prefix of that build)

Starts a private stack, puts loads on it for about two minutes and prints one
table. Figures hang on the machine and on who else uses it; ratios within one
run less so. docs/BENCHMARKS.md says what they mean and what limits them.
"""

import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from ceiling import HELLO_PATH, Ceiling  # noqa: E402
from client import Client, Person, owner_of  # noqa: E402
from cost import Meter, cpu_ns, pss_kib  # noqa: E402
from load import Caller, Load, run  # noqa: E402
import fcgi  # noqa: E402
from stack import Stack  # noqa: E402

CORES = len(os.sched_getaffinity(0))
WORKERS = 2 * CORES + 2  # what the program takes by itself
CONNECTIONS = 16
SESSION_PATH = "/api/v1/auth/session"

# Nobody is limited, but moments leave the window as fast as new ones come;
# nothing but requests does anything, and no worker takes what it has spent into
# its grave.
SETTINGS = {
    "limit.login": "1000000/1s",
    "limit.api_user": "1000000/1s",
    "limit.api_anonymous": "1000000/1s",
    "limit.login_account": "1000000/1s",
    "captcha.provider": "none",
    "server.maintenance_interval": "1h",
    "server.recycle_after": "0",
    "keys.reload_interval": "10m",
}


class Report:
    """Rows of the table: what, target, figure, verdict."""

    def __init__(self):
        self.rows = []
        self.notes = []

    def add(self, what, figure, target="", is_met=None):
        verdict = {None: "", True: "met", False: "missed"}[is_met]
        self.rows.append((what, target, figure, verdict))

    def at_least(self, what, value, target):
        self.add(what, f"{value:.2f}", f">= {target:g}", value >= target)

    def at_most(self, what, value, target, unit):
        self.add(what, f"{value:.1f} {unit}", f"<= {target:g} {unit}",
                 value <= target)

    def exactly(self, what, value, target):
        self.add(what, f"{value:.3f}", f"{target}", value == target)

    def show(self):
        rows = [("what", "target", "figure", "verdict"), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for row in rows:
            cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]),
                     row[2].rjust(widths[2]), row[3].ljust(widths[3])]
            print("  ".join(cells).rstrip())
        for note in self.notes:
            print(f"\n{note}")


def say(text):
    print(f"-- {text}", flush=True)


class Bench:
    def __init__(self, stack, build_dir, report):
        self.stack = stack
        self.build_dir = build_dir
        self.report = report
        self.ceiling = Ceiling(stack, build_dir / "tests/bench/hello", WORKERS)
        self.url = self.ceiling.url
        self.owner = owner_of(stack).login()
        self.meter = Meter(stack, {
            "web server": [self.ceiling.front.pid],
            "program": stack.worker_pids(),
            "hello": self.ceiling.hello_pids,
            "Redis": [int(stack.env["CLAVIGER_REDIS_PID"])],
            "MariaDB": [int(stack.env["CLAVIGER_DB_PID"])],
        })
        self.parts = list(self.meter.parts)
        self.foreign = []  # shares of the machine that others took

    # Loads with their price

    def measure(self, *positional, **named):
        """One load: wrk's result, and what the stack spent on it."""
        before = self.meter.read()
        own_before, began = cpu_ns([os.getpid()]), time.perf_counter()
        children_before = os.times().children_user + os.times().children_system
        result = run(*positional, **named)
        elapsed_ns = 1e9 * (time.perf_counter() - began)
        spent = self.meter.since(before)
        client_ns = cpu_ns([os.getpid()]) - own_before + 1e9 * (
            os.times().children_user + os.times().children_system
            - children_before)
        ours = sum(spent[part] for part in self.parts) + client_ns
        self.foreign.append((spent["machine"] - ours) / (CORES * elapsed_ns))
        if result["failed"]:
            raise RuntimeError(f"{result['failed']} wrong answers")
        return result, spent

    def cpu_us(self, spent, count):
        return {part: spent[part] / 1000 / count for part in self.parts}

    def get(self, path, seconds):
        result, spent = self.measure(
            self.url + path, seconds, CONNECTIONS, token=self.owner.token)
        cpu = self.cpu_us(spent, result["good"])
        return {"rate": result["rate"], "cpu": cpu, "cpu_us": sum(cpu.values())}

    # Sections, in the order in which they run

    def memory_idle(self):
        self.memory("idle, after its first requests")

    def memory(self, when, target=2.0):
        sizes = [pss_kib(pid) / 1024 for pid in self.stack.worker_pids()]
        self.report.at_most(f"memory of a worker {when}: mean PSS",
                            statistics.mean(sizes), target, "MB")

    def session_check(self, rounds=8, seconds=2):
        say(f"session check against hello, {2 * rounds} rounds of {seconds} s")
        self.get(SESSION_PATH, 1)  # every worker has its keys and connections
        hello, session = [], []
        for i in range(rounds):
            turns = [(hello, HELLO_PATH), (session, SESSION_PATH)]
            for results, path in turns if i % 2 else reversed(turns):
                results.append(self.get(path, seconds))
        self.compare(hello, session)
        self.tell_cost("hello", hello)
        self.tell_cost("session check", session)
        self.count_commands()

    def compare(self, hello, session):
        pairs = list(zip(hello, session))
        self.report.at_least(
            "session check against hello, throughput",
            statistics.median(s["rate"] / h["rate"] for h, s in pairs), 0.55)
        ratio = statistics.median(h["cpu_us"] / s["cpu_us"] for h, s in pairs)
        self.report.add("  the same by CPU time", f"{ratio:.2f}")

    def tell_cost(self, name, results):
        rate = statistics.median(one["rate"] for one in results)
        cpu = statistics.median(one["cpu_us"] for one in results)
        self.report.add(f"  {name}", f"{rate:.0f}/s")
        self.report.add(f"  {name}, CPU a request", f"{cpu:.0f} µs")
        for part in self.parts:
            share = statistics.median(one["cpu"][part] for one in results)
            if share >= 0.5:
                self.report.add(f"    {part}", f"{share:.0f} µs")

    def count_commands(self, calls=1000):
        """Counted calls: wrk does not count those that it leaves behind."""
        caller = Caller(self.stack, SESSION_PATH, self.owner.token)
        before = self.meter.read()
        for _ in range(calls):
            caller.call()
        spent = self.meter.since(before)
        for what, name, target in (
                ("Redis scripts a session check", "redis_scripts", 1),
                ("round trips to Redis a session check", "redis_reads", 1),
                ("SQL statements a session check", "statements", 0)):
            self.report.exactly(what, spent[name] / calls, target)

    def time_hashes(self, processes, seconds=2):
        """One hash in ms, passed and on a core, while so many run at a time."""
        command = [str(self.build_dir / "tests/bench/hash"), str(seconds)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                   for _ in range(processes)]
        outputs = [one.communicate()[0].split() for one in running]
        return [statistics.mean(int(output[i]) for output in outputs) / 1000
                for i in range(2)]

    def make_people(self, count=20):
        people = []
        for i in range(count):
            address = f"bench{i}@example.com"
            added = self.stack.ctl("user", "add", address, "--verified",
                                   "--random-password")
            people.append(Person(self.stack, password=added.stdout.split()[-1],
                                 address=address))
        return people

    def login_words(self, people):
        return [word for one in people for word in (one.email, one.password)]

    def logins(self, words, rounds=3, seconds=4):
        # As many as the gate lets in: the cores' hashes and the queue.
        inside = CORES + max(1, (WORKERS - CORES) // 2)
        say(f"logins, {inside} clients, in turn with hashes alone")
        found = []
        for _ in range(rounds):
            one = {}
            one["alone"], one["alone_cpu"] = self.time_hashes(1)
            one["shared"], one["shared_cpu"] = self.time_hashes(CORES)
            result, spent = self.measure(
                self.url, seconds, inside, "login", words)
            one["rate"] = result["rate"]
            one["cpu"] = self.cpu_us(spent, result["good"])
            one["refused"] = result["refused"]
            found.append(one)
        self.compare_logins(found)
        self.tell_parts("a login", [one["cpu"] for one in found])
        self.report.add(f"  answered 503 of {inside} clients",
                        str(sum(one["refused"] for one in found)))
        for clients in (inside + 2, 4 * inside):
            self.refused(words, clients)

    def compare_logins(self, found):
        def median(figure):
            return statistics.median(figure(one) for one in found)
        self.report.at_least(
            "logins against cores / time of one hash",
            median(lambda one: one["rate"] * one["alone"] / 1000 / CORES), 0.9)
        against_shared = median(
            lambda one: one["rate"] * one["shared"] / 1000 / CORES)
        by_cpu = median(
            lambda one: 1000 * one["shared_cpu"] / sum(one["cpu"].values()))
        self.report.add("  against one while every core hashes",
                        f"{against_shared:.2f}")
        self.report.add("  the same by CPU time", f"{by_cpu:.2f}")
        self.report.add("  logins", f"{median(lambda one: one['rate']):.0f}/s")
        for what, name in (("alone", "alone"), ("on every core", "shared")):
            passed = median(lambda one, name=name: one[name])
            self.report.add(f"  one hash, {what}", f"{passed:.1f} ms")

    def tell_parts(self, what, costs):
        total = statistics.median(sum(cost.values()) for cost in costs)
        self.report.add(f"  CPU of {what}", f"{total / 1000:.2f} ms")
        for part in self.parts:
            share = statistics.median(cost[part] for cost in costs)
            if share >= 5:
                self.report.add(f"    {part}", f"{share / 1000:.2f} ms")

    def refused(self, words, clients):
        """Who is refused asks again at once here, and is refused again."""
        result = run(self.url, 2, clients, "login", words)
        share = 100 * result["refused"] / result["requests"]
        self.report.add(f"  answered 503 of {clients} clients", f"{share:.0f} %")
        time.sleep(1)  # what wrk has left under way

    def refreshes(self, people, seconds=6, threads=4):
        say(f"refreshes, {threads} clients")
        tokens = [one.login(Client(self.stack)).refresh_token
                  for one in people[:threads]]
        result, spent = self.measure(self.url, seconds, threads, "refresh",
                                     tokens, threads=threads)
        self.report.add("refreshes", f"{result['rate']:.0f}/s")
        self.report.add("  SQL statements",
                        f"{spent['statements'] / result['good']:.1f}")
        self.tell_parts("a refresh", [self.cpu_us(spent, result["good"])])

    def first_answer(self, path, variables, wanted, tries=7):
        """Median ms from before fork and exec to the end of the answer."""
        program = pathlib.Path(os.environ["CLAVIGER_PREFIX"],
                               "libexec/claviger-fcgi")
        socket_path = self.ceiling.socket_path.with_name("first.sock")
        times = []
        for _ in range(tries):
            began = time.perf_counter()
            process = subprocess.Popen(
                [str(program), "--config", str(self.stack.config_file),
                 "--listen", str(socket_path), "--workers", str(WORKERS)],
                stdin=subprocess.DEVNULL)
            status = 0
            while status == 0:
                with contextlib.suppress(OSError):
                    status, _ = fcgi.call(
                        socket_path, fcgi.variables_for("GET", path, more=variables))
                if process.poll() is not None:
                    raise RuntimeError("the program ended at once")
                time.sleep(0.0002)
            times.append(1000 * (time.perf_counter() - began))
            process.terminate()
            process.wait()
            if status != wanted:
                raise RuntimeError(f"{path} answered {status}")
        return statistics.median(times)

    def starts(self):
        say("starts")
        healthz = self.first_answer("/healthz", (), 200)
        self.report.at_most("first answer after exec", healthz, 50, "ms")
        bearer = (("HTTP_AUTHORIZATION", f"Bearer {self.owner.token}"),)
        session = self.first_answer(SESSION_PATH, bearer, 200)
        self.report.add("  first session check after exec", f"{session:.1f} ms")

    def waits(self):
        """99th percentiles of who calls now and then."""
        return {path: Caller(self.stack, path, token).percentiles(4)
                for path, token in (("/healthz", None),
                                    (SESSION_PATH, self.owner.token))}

    def floods(self, words):
        say("waits of others while logins are pouring in")
        idle = self.waits()
        self.tell_waits("idle", idle, idle)
        for clients in (4, 32):
            flood = Load(self.url, 10, clients, "login", words)
            time.sleep(0.5)
            under = self.waits()
            flood.finish()
            self.tell_waits(f"{clients} login floods", under, idle)

    def tell_waits(self, when, found, idle):
        healthz, session = found["/healthz"][1], found[SESSION_PATH][1]
        session_idle = idle[SESSION_PATH][1]
        if found is idle:
            self.report.add(f"/healthz p99, {when}", f"{healthz:.1f} ms")
            self.report.add(f"session check p99, {when}", f"{session:.1f} ms")
            return
        self.report.at_most(f"/healthz p99, {when}", healthz, 100, "ms")
        self.report.at_most(f"session check p99, {when}", session,
                            round(2 * session_idle, 1), "ms")

    def run(self):
        people = self.make_people()
        words = self.login_words(people)
        self.memory_idle()
        self.session_check()
        self.refreshes(people)
        self.logins(words)
        self.memory("after all that")
        self.starts()
        self.floods(words)
        self.tell_others(statistics.median(self.foreign))

    def tell_others(self, share):
        self.report.add("others on this machine meanwhile", f"{share:.0%} CPU")
        if share > 0.1:
            self.report.notes.append(
                "Others worked here as well: what passed by the clock says more "
                "about them.\nRead the rows by CPU time, or come again.")


def check_machine():
    missing = [name for name in ("wrk", "lighttpd")
               if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        sys.exit(f"bench: not installed: {' '.join(missing)}")


def describe_machine():
    models = {line.split(":", 1)[1].strip()
              for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")}
    return f"{CORES} cores, {' '.join(models)}, Linux {os.uname().release}"


def main():
    check_machine()
    build_dir = pathlib.Path(sys.argv[1]).resolve()
    began = time.monotonic()
    report = Report()
    say("starting a stack")
    with Stack(SETTINGS, workers=WORKERS) as stack:
        bench = Bench(stack, build_dir, report)
        try:
            bench.run()
        finally:
            bench.ceiling.stop()
    print(f"\n{time.strftime('%Y-%m-%d')}, {describe_machine()}\n")
    report.show()
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
