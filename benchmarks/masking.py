"""What masking costs: a request with 25 fields, 5 of them tagged, on its way to a provider.

Run it alone: ``python benchmarks/masking.py``. The five are a name, a customer's number and an IBAN
(tokens), a date of birth (generalised) and a free text of a hundred characters, which is searched
and holds the name. Each call has a ledger of its own, as each request has. A ``copy.deepcopy`` of
the same payload, and a search of a text that holds an IBAN, a phone number and an address, are
measured in turn with it, as is each action alone. Ratios are taken within a repeat; the figures are
medians, of processor time. The last line is JSON; the exit status is 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal

from stranglerfig.acl.masking.compile import compile_mask
from stranglerfig.acl.masking.keys import Keyring
from stranglerfig.acl.masking.ledger import Ledger
from stranglerfig.acl.masking.mask import Mask
from stranglerfig.acl.masking.policy import parse_policy
from stranglerfig.acl.masking.unmask import unmask
from stranglerfig.acl.operations.contract import Contract
from stranglerfig.acl.operations.field import Field

GOAL_US = 10.0
CLEAN = (
    "Hello, Anna Meyer here, the claim of last month has still not been paid, "
    "please tell me what is missing"
)
DIRTY = f"{CLEAN}: DE89 3704 0044 0532 0130 00, +49 711 123456, anna.meyer@example.com"
TAGGED: tuple[tuple[str, str, str, object], ...] = (
    ("customer.name", "text", "pii.name", "Anna Meyer"),
    ("customer.number", "text", "pii.id", "4711-0815"),
    ("account.iban", "text", "pii.iban", "DE89370400440532013000"),
    ("customer.born", "date", "pii.birth", dt.date(1984, 5, 17)),
    ("text", "text", "pii.text", CLEAN),
)
PLAIN: tuple[tuple[str, str, str, object], ...] = (
    *((f"word{n}", "text", "none", f"something short {n}") for n in range(10)),
    *((f"amount{n}", "decimal", "", Decimal("1234.50")) for n in range(5)),
    *((f"count{n}", "integer", "", 17 + n) for n in range(3)),
    ("opened", "date", "", dt.date(2026, 1, 15)),
    ("closed", "boolean", "", False),
)
ONE: dict[str, tuple[str, str, object]] = {
    "keep": ("none", "keep", "something short"),
    "redact": ("pii.name", "redact", "Anna Meyer"),
    "generalise": ("pii.name", "generalise", "Anna Meyer"),
    "token": ("pii.name", "token", "Anna Meyer"),
    "pseudonym": ("pii.name", "pseudonym", "Anna Meyer"),
    "search, nothing found": ("pii.text", "keep", CLEAN),
    "search, three found": ("pii.text", "keep", DIRTY),
}


def contract_of(fields: tuple[tuple[str, str, str, object], ...]) -> Contract:
    made = (Field(name=name, type=kind, tag=tag) for name, kind, tag, _ in fields)
    return Contract("bench@1 input", tuple(made))


def payload_of(fields: tuple[tuple[str, str, str, object], ...]) -> dict[str, object]:
    payload: dict[str, object] = {}
    for name, _, _, value in fields:
        *groups, last = name.split(".")
        inner = payload
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return payload


def mask_of(fields: tuple[tuple[str, str, str, object], ...], table: dict[str, object]) -> Mask:
    policy = parse_policy({"provider": table}, "masking")
    return compile_mask(contract_of(fields), policy, "provider", Keyring([bytes(range(32))]))


def microseconds(work: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - began) / count * 1e6


def works() -> dict[str, Callable[[], object]]:
    fields = TAGGED + PLAIN
    mask = mask_of(fields, {"pii.birth": "generalise"})
    payload = payload_of(fields)
    check(mask, payload)
    found: dict[str, Callable[[], object]] = {
        "mask": lambda: mask.apply(payload, Ledger()),
        "deepcopy": lambda: copy.deepcopy(payload),
    }
    for name, (tag, action, value) in ONE.items():
        one = mask_of((("field", "text", tag, value),), {tag: action})
        found[name] = lambda one=one, given={"field": value}: one.apply(given, Ledger())
    return found


def check(mask: Mask, payload: dict[str, object]) -> None:
    """Nothing tagged leaves, and all of it that can comes back."""
    ledger = Ledger()
    masked = mask.apply(payload, ledger)
    sent = repr(masked)
    if any(one in sent for one in ("Anna", "4711", "DE89", "05-17", "5, 17")):
        raise SystemExit("something leaves that must not")
    back = unmask(masked, ledger)
    if back != payload | {"customer": payload["customer"] | {"born": "1984"}}:
        raise SystemExit("it does not come back")


def bench(repeats: int, count: int) -> bool:
    parts = works()
    runs: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(repeats):
        for name in random.sample(list(parts), len(parts)):
            runs[name].append(microseconds(parts[name], count))
    print(f"{'':24}{'µs/call':>9}   within repeats")
    for name, each in runs.items():
        listed = " ".join(f"{one:.2f}" for one in each)
        print(f"{name:24}{statistics.median(each):9.2f}   {listed}")
    middle = statistics.median(runs["mask"])
    ratio = statistics.median(a / b for a, b in zip(runs["mask"], runs["deepcopy"], strict=True))
    each = {name: round(statistics.median(runs[name]), 2) for name in ONE}
    result = {
        "benchmark": "masking",
        "ratios": {"mask_us": round(middle, 3), "mask_per_deepcopy": round(ratio, 3)},
        "actions_us": each,
        "goals": {"mask_us": GOAL_US},
        "met": middle <= GOAL_US,
    }
    print(json.dumps(result))
    return middle <= GOAL_US


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--count", type=int, default=10_000)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
