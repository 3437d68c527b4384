"""What a decision costs: which side answers a key that was never seen before.

Run it alone: ``python benchmarks/router.py``. ``decide`` is called as the dispatcher calls it, for
a canary of 10 % and fresh keys, so each call hashes; a bare SHA-256 of the same key, read as an
integer, is measured in turn with it. Ratios are taken within a repeat; the figures are medians.
The last line is JSON; the exit status is 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from stranglerfig.model import Route, Side, Stage
from stranglerfig.routing.router import decide

GOAL_US = 5.0
ROUTE = Route(endpoint="bench", stage=Stage.CANARY, percent=10.0, revision="r1", salt="5a17")


def decisions(keys: Sequence[str]) -> int:
    return sum(decide(ROUTE, key).side is Side.REPLACEMENT for key in keys)


def hashes(keys: Sequence[str]) -> int:
    return sum(int.from_bytes(sha256(key.encode()).digest()[:8], "big") & 1 for key in keys)


def microseconds(work: Callable[[Sequence[str]], int], keys: Sequence[str]) -> float:
    began = time.perf_counter()
    found = work(keys)
    took = time.perf_counter() - began
    share = 0.1 if work is decisions else 0.5
    if abs(found / len(keys) - share) > 0.02:
        raise SystemExit(f"{found} of {len(keys)} keys: not a share of {share}")
    return took / len(keys) * 1e6


def bench(repeats: int, count: int) -> bool:
    runs: dict[str, list[float]] = {"decide": [], "sha256": []}
    parts = {"decide": decisions, "sha256": hashes}
    for repeat in range(repeats):
        for name in random.sample(list(parts), len(parts)):
            keys = [f"customer-{repeat}-{number}" for number in range(count)]
            runs[name].append(microseconds(parts[name], keys))
    print(f"{'':10}{'µs/call':>9}   within repeats")
    for name, each in runs.items():
        listed = " ".join(f"{one:.2f}" for one in each)
        print(f"{name:10}{statistics.median(each):9.2f}   {listed}")
    middle = statistics.median(runs["decide"])
    ratio = statistics.median(a / b for a, b in zip(runs["decide"], runs["sha256"], strict=True))
    result = {
        "benchmark": "router",
        "ratios": {"decide_us": round(middle, 3), "decide_per_sha256": round(ratio, 2)},
        "goals": {"decide_us": GOAL_US},
        "met": middle <= GOAL_US,
    }
    print(json.dumps(result))
    return middle <= GOAL_US


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--count", type=int, default=100_000)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
