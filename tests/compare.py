# SPDX-License-Identifier: Apache-2.0
"""Whether two kinds of request can be told apart: by answer, and by time."""

import math
import random
import re
import statistics
import time

VOLATILE_HEADERS = {"date", "x-request-id", "x-ratelimit-reset",
                    "x-ratelimit-remaining", "ratelimit", "content-length",
                    "retry-after"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
REQUEST_ID = re.compile(r'"request_id":\s*"[^"]*"')


def shown(answer):
    """What an observer sees of an answer, less request id and time."""
    body = MOMENT.sub("TIME", REQUEST_ID.sub('"request_id":"ID"', answer.text))
    headers = {}
    for name, value in answer.headers.items():
        is_volatile = name.lower() in VOLATILE_HEADERS
        headers[name.lower()] = "…" if is_volatile else value
    return {"status": answer.status_code, "headers": headers, "body": body}


def assert_same(one, other):
    assert shown(one) == shown(other)


def _milliseconds(call):
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def _interval(differences):
    """The 99 % confidence interval of the median, by the sign test."""
    ordered = sorted(differences)
    count = len(ordered)
    reach = 2.576 * math.sqrt(count) / 2
    low = max(0, math.floor(count / 2 - reach))
    high = min(count - 1, math.ceil(count / 2 + reach))
    return ordered[low], ordered[high]


def median_difference_ms(one, other, least=60, most=600, bound=1.0):
    """The median of one's time less other's, in ms, from interleaved pairs.

    Each pair runs in random order. Sampling goes on until the confidence
    interval lies wholly inside or wholly outside of the bound, so that a noisy
    machine costs time and not a verdict; a real difference is never averaged
    away, because more samples only make the interval narrower.
    """
    for call in (one, other) * 3:
        call()
    differences = []
    while len(differences) < most:
        for _ in range(20):
            if random.random() < 0.5:
                first = _milliseconds(one)
                differences.append(first - _milliseconds(other))
            else:
                second = _milliseconds(other)
                differences.append(_milliseconds(one) - second)
        low, high = _interval(differences)
        if len(differences) >= least and (
                (-bound < low and high < bound) or low > bound or high < -bound):
            break
    return statistics.median(differences)


def assert_same_time(one, other, bound=1.0):
    difference = median_difference_ms(one, other, bound=bound)
    assert abs(difference) < bound, f"median difference {difference:.2f} ms"
