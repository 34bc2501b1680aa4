# SPDX-License-Identifier: Apache-2.0
"""Load on a running stack: wrk for throughput, a paced caller for latency.

wrk keeps its connections and always has one request under way on each. That
tells how much the server can do, but not how long somebody waits who calls
now and then: that is what Caller is for.
"""

import http.client
import json
import pathlib
import ssl
import subprocess
import time

SCRIPT = pathlib.Path(__file__).resolve().parent / "load.lua"


class Load:
    """A run of wrk, from start to finish()."""

    def __init__(self, url, seconds, connections, kind="get", words=(),
                 token=None, threads=1):
        command = ["wrk", "-t", str(threads), "-c", str(connections),
                   "-d", f"{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        command += [url, "--", kind, *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self):
        """What load.lua's last line says, and the answers a second."""
        output, _ = self.process.communicate()
        lines = output.strip().splitlines()
        if self.process.returncode != 0 or not lines:
            raise RuntimeError(f"wrk failed:\n{output}")
        result = json.loads(lines[-1])
        result["good"] = result["requests"] - result["refused"] - result["failed"]
        result["rate"] = result["good"] / result["seconds"]
        return result


def run(*positional, **named):
    return Load(*positional, **named).finish()


class Caller:
    """One kept connection on which calls are made at a fixed pace."""

    def __init__(self, stack, path, token=None):
        context = ssl.create_default_context(cafile=stack.ca_file)
        self.connection = http.client.HTTPSConnection(
            "localhost", stack.port, context=context, timeout=20)
        self.path = path
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self):
        """The status of one answer, and how many ms it took."""
        began = time.perf_counter()
        self.connection.request("GET", self.path, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, 1000 * (time.perf_counter() - began)

    def percentiles(self, seconds, pace_s=0.005):
        """The median and the 99th percentile in ms of calls at this pace.

        After a slow call the next is due at once: calls are fewer then, and
        each counts for itself.
        """
        times = []
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            time.sleep(max(0, due - time.perf_counter()))
            status, took_ms = self.call()
            if status != 200:
                raise RuntimeError(f"{self.path} answered {status}")
            times.append(took_ms)
            due = max(due + pace_s, time.perf_counter())
        times.sort()
        return times[len(times) // 2], times[len(times) * 99 // 100]
