"""What a decision costs: which side answers a request whose key was never seen before.

Run it alone: ``python benchmarks/router.py``. 500 endpoints with 20 rules each, of two conditions,
that look into headers and nested fields; requests go over all of them in no order. The router is
asked as the dispatcher asks it: for a canary of 10 % and fresh keys, so each call hashes; nine of
ten requests meet no rule, so that all 20 are looked at. A bare SHA-256 of the same key, read as an
integer, and the decision without rules are measured in turn with it. Ratios are taken within a
repeat; the figures are medians. The last line is JSON; the exit status is 1 where the goal was
missed.
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

from stranglerfig.model import Record, Request, Route, Side, Stage
from stranglerfig.route_settings import Rule
from stranglerfig.routing.router import Router, decide
from stranglerfig.routing.rules import compile_rules

GOAL_US = 5.0
ENDPOINTS, RULES = 500, 20
ROUTES = [
    Route(endpoint=f"e{number}", stage=Stage.CANARY, percent=10.0, revision="r1", salt="5a17")
    for number in range(ENDPOINTS)
]


def rules(endpoint: int) -> list[Rule]:
    return [
        Rule(
            when={
                "payload.agency.id": (f"A{rule}", f"B{rule}"),
                "header.x-channel": f"c{endpoint}",
            },
            side="replacement",
        )
        for rule in range(RULES)
    ]


ROUTERS = [Router(compile_rules(rules(number), "bench")) for number in range(ENDPOINTS)]
Work = list[tuple[int, Request]]


def requests(repeat: int, count: int) -> Work:
    made = []
    for number in range(count):
        endpoint = random.randrange(ENDPOINTS)
        agency = "A7" if number % 10 == 0 else "Z"
        record = Record(
            source="s",
            position="1",
            kind="soap",
            body=b"",
            headers=((":method", "POST"), ("host", "legacy"), ("x-channel", f"c{endpoint}")),
        )
        made.append(
            (
                endpoint,
                Request(
                    id="1",
                    operation="o",
                    version=1,
                    source="s",
                    payload={"agency": {"id": agency}},
                    key=f"customer-{repeat}-{number}",
                    record=record,
                ),
            )
        )
    return made


def ruled(work: Work) -> int:
    return sum(
        ROUTERS[endpoint].decide(ROUTES[endpoint], request).side is Side.REPLACEMENT
        for endpoint, request in work
    )


def plain(work: Work) -> int:
    return sum(
        decide(ROUTES[endpoint], request.key).side is Side.REPLACEMENT for endpoint, request in work
    )


def hashes(work: Work) -> int:
    return sum(
        int.from_bytes(sha256(request.key.encode()).digest()[:8], "big") & 1 for _, request in work
    )


PARTS: dict[str, tuple[Callable[[Work], int], float]] = {
    "rules": (ruled, 0.19),
    "plain": (plain, 0.1),
    "sha256": (hashes, 0.5),
}


def microseconds(name: str, work: Sequence[tuple[int, Request]]) -> float:
    run, share = PARTS[name]
    began = time.perf_counter()
    found = run(list(work))
    took = time.perf_counter() - began
    if abs(found / len(work) - share) > 0.02:
        raise SystemExit(f"{name}: {found} of {len(work)}: not a share of {share}")
    return took / len(work) * 1e6


def bench(repeats: int, count: int) -> bool:
    runs: dict[str, list[float]] = {name: [] for name in PARTS}
    for repeat in range(repeats):
        for name in random.sample(list(PARTS), len(PARTS)):
            runs[name].append(microseconds(name, requests(repeat, count)))
    print(f"{'':10}{'µs/call':>9}   within repeats")
    for name, each in runs.items():
        listed = " ".join(f"{one:.2f}" for one in each)
        print(f"{name:10}{statistics.median(each):9.2f}   {listed}")
    ratios = {}
    for name in ("rules", "plain"):
        pairs = zip(runs[name], runs["sha256"], strict=True)
        ratios[f"{name}_per_sha256"] = round(statistics.median(a / b for a, b in pairs), 2)
        ratios[f"{name}_us"] = round(statistics.median(runs[name]), 3)
    goals = {"rules_us": GOAL_US, "plain_us": GOAL_US}
    met = all(ratios[name] <= bound for name, bound in goals.items())
    print(json.dumps({"benchmark": "router", "ratios": ratios, "goals": goals, "met": met}))
    return met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--count", type=int, default=50_000)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
