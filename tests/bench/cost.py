# SPDX-License-Identifier: Apache-2.0
"""What the processes of a stack spend: CPU, memory, commands, statements."""

import os
import pathlib

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _cpu_of_thread(task):
    """Nanoseconds on a core; in ticks where the kernel does not say more."""
    try:
        return int((task / "schedstat").read_text().split()[0])
    except OSError:
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        return TICK_NS * (int(fields[11]) + int(fields[12]))


def cpu_ns(pids):
    """Of all threads that these processes have now."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += _cpu_of_thread(task)
    return total


def machine_busy_ns():
    """What all cores did for anybody."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
    return TICK_NS * (user + nice + system + irq + softirq)


def pss_kib(pid):
    """The memory of a process, what it shares counted by its share."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss of {pid}")


class Meter:
    """Readings of a stack, and what was spent between two of them.

    parts names processes: {"workers": [pid, …], …}.
    """

    def __init__(self, stack, parts):
        self.parts = parts
        self.redis = stack.redis()
        self.database = stack.database()

    def read(self):
        reading = {name: cpu_ns(pids) for name, pids in self.parts.items()}
        reading["machine"] = machine_busy_ns()
        reading |= self._redis_counts() | self._sql_counts()
        return reading

    def _redis_counts(self):
        commands = self.redis.info("commandstats")
        scripts = sum(command["calls"] for name, command in commands.items()
                      if name.startswith("cmdstat_eval"))
        # One for each time that something was read from a client.
        return {"redis_scripts": scripts,
                "redis_reads": self.redis.info("stats")["total_reads_processed"]}

    def _sql_counts(self):
        with self.database.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name = 'Questions'")
            return {"statements": int(cursor.fetchone()["Value"])}

    def since(self, before):
        """The difference to an earlier reading, without what reading costs."""
        now = self.read()
        spent = {name: now[name] - before[name] for name in now}
        spent["statements"] -= 1
        spent["redis_reads"] -= 2
        return spent
