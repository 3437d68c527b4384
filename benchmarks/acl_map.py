"""What a mapping costs: 25 fields, 6 converters, a flat legacy JSON record to a canonical payload.

Run it alone: ``python benchmarks/acl_map.py``. Each of these maps the same records, in turn with
the others, and must give equal payloads:

* ``hand``: a function written by hand for these fields, that checks nothing;
* ``ours``: the mapping as it is compiled, every check of it, from the parsed record;
* ``glom`` and ``jsonata``: the same in their language (jsonata-python has no Decimal and no date:
  it gives numbers and texts, less work than the others do).

``hand_bytes`` and ``ours_bytes`` begin with the bytes: ``hand`` behind msgspec's quickest decoder,
ours as the runtime calls it. Ratios are taken within a repeat; the figures are medians. The last
line is JSON; the exit status is 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
from glom import Coalesce, glom
from jsonata import Jsonata

from stranglerfig.acl.mapping.mapping import CompiledMapping, load_mapping
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.model import Record

GOALS = {"ours_per_hand": 1.4, "glom_per_ours": 50.0, "jsonata_per_ours": 100.0}

FIELDS = [
    ("CUST-ID", "customer.id", "text"),
    ("CUST-NAME", "customer.name", "text(trim)"),
    ("CUST-CITY", "customer.address.city", "text(trim)"),
    ("CUST-STR", "customer.address.street", "text(trim)"),
    ("CUST-ZIP", "customer.address.zip", "text"),
    ("CUST-CTRY", "customer.address.country", "code(country)"),
    ("CUST-BORN", "customer.born", "date(YYYYMMDD)"),
    ("CUST-SINCE", "customer.since", "date(YYYYMMDD)"),
    ("CUST-SEG", "customer.segment", "code(segment)"),
    ("ACCT-NO", "account.number", "text"),
    ("ACCT-TYPE", "account.type", "code(type)"),
    ("ACCT-STAT", "account.status", "code(status)"),
    ("ACCT-BAL", "account.balance", "decimal(2)"),
    ("ACCT-LIM", "account.limit", "decimal(2)"),
    ("ACCT-CUR", "account.currency", "text"),
    ("ACCT-OPEN", "account.opened", "date(YYYYMMDD)"),
    ("ACCT-BR", "account.branch", "integer"),
    ("REQ-ID", "request.id", "text"),
    ("REQ-AMT", "request.amount", "decimal(2)"),
    ("REQ-CNT", "request.count", "integer"),
    ("REQ-DAYS", "request.days", "integer"),
    ("REQ-CHAN", "request.channel", "code(channel)"),
    ("REQ-RSN", "request.reason", "text(trim)"),
    ("REQ-USER", "request.user", "text"),
    ("REQ-PRIO", "request.priority", "integer"),
]
NULL = {"CUST-BORN": "00000000"}
CODES = {
    "country": {"DE": "germany", "AT": "austria", "CH": "switzerland"},
    "segment": {"1": "retail", "2": "private", "3": "business"},
    "type": {"GI": "giro", "SP": "savings"},
    "status": {"07": "active", "08": "closed"},
    "channel": {"P": "phone", "M": "mail", "W": "web"},
}
TYPES = {"text": "text", "code": "text", "date": "date", "decimal": "decimal", "integer": "integer"}
COUNTRY, SEGMENT, TYPE = CODES["country"], CODES["segment"], CODES["type"]
STATUS, CHANNEL = CODES["status"], CODES["channel"]


def hand(r: dict[str, str]) -> dict[str, object]:
    """Do it by hand, and check nothing."""
    born = r["CUST-BORN"]
    return {
        "customer": {
            "id": r["CUST-ID"],
            "name": r["CUST-NAME"].strip(),
            "address": {
                "city": r["CUST-CITY"].strip(),
                "street": r["CUST-STR"].strip(),
                "zip": r["CUST-ZIP"],
                "country": COUNTRY[r["CUST-CTRY"]],
            },
            "born": None if born == "00000000" else date.fromisoformat(born),
            "since": date.fromisoformat(r["CUST-SINCE"]),
            "segment": SEGMENT[r["CUST-SEG"]],
        },
        "account": {
            "number": r["ACCT-NO"],
            "type": TYPE[r["ACCT-TYPE"]],
            "status": STATUS[r["ACCT-STAT"]],
            "balance": Decimal(r["ACCT-BAL"]),
            "limit": Decimal(r["ACCT-LIM"]),
            "currency": r["ACCT-CUR"],
            "opened": date.fromisoformat(r["ACCT-OPEN"]),
            "branch": int(r["ACCT-BR"]),
        },
        "request": {
            "id": r["REQ-ID"],
            "amount": Decimal(r["REQ-AMT"]),
            "count": int(r["REQ-CNT"]),
            "days": int(r["REQ-DAYS"]),
            "channel": CHANNEL[r["REQ-CHAN"]],
            "reason": r["REQ-RSN"].strip(),
            "user": r["REQ-USER"],
            "priority": int(r["REQ-PRIO"]),
        },
    }


def record(number: int) -> dict[str, str]:
    rng = random.Random(number)
    money = lambda: f"{rng.randint(-99_999, 999_999)}.{rng.randint(0, 99):02d}"  # noqa: E731
    day = lambda: f"{rng.randint(1940, 2024)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"  # noqa: E731
    return {
        "CUST-ID": f"{rng.randint(0, 99_999_999):08d}",
        "CUST-NAME": "ANNA MEIER    ",
        "CUST-CITY": "HAMBURG   ",
        "CUST-STR": "HAUPTSTR. 12  ",
        "CUST-ZIP": f"{rng.randint(1000, 99_999):05d}",
        "CUST-CTRY": rng.choice([*COUNTRY]),
        "CUST-BORN": day() if rng.random() < 0.9 else "00000000",
        "CUST-SINCE": day(),
        "CUST-SEG": rng.choice([*SEGMENT]),
        "ACCT-NO": f"{rng.randint(0, 9_999_999_999):010d}",
        "ACCT-TYPE": rng.choice([*TYPE]),
        "ACCT-STAT": rng.choice([*STATUS]),
        "ACCT-BAL": money(),
        "ACCT-LIM": money(),
        "ACCT-CUR": "EUR",
        "ACCT-OPEN": day(),
        "ACCT-BR": str(rng.randint(1, 9999)),
        "REQ-ID": f"R{number:07d}",
        "REQ-AMT": money(),
        "REQ-CNT": str(rng.randint(0, 20)),
        "REQ-DAYS": str(rng.randint(0, 400)),
        "REQ-CHAN": rng.choice([*CHANNEL]),
        "REQ-RSN": "DAMAGED   ",
        "REQ-USER": "MX017",
        "REQ-PRIO": str(rng.randint(1, 5)),
    }


def mapping(folder: Path) -> CompiledMapping:
    """Load the mapping as anybody would: from its files."""
    (folder / "operations").mkdir()
    operation = ['name = "bench.map"', "version = 1", 'effect = "read"']
    rows: list[str] = []
    for src, dst, how in FIELDS:
        required = "false" if src in NULL else "true"
        kind = TYPES[how.partition("(")[0]]
        operation.append(f'[input."{dst}"]\ntype = "{kind}"\nrequired = {required}')
        null = f', null = ["{NULL[src]}"]' if src in NULL else ""
        rows.append(f'  {{ src = "{src}", dst = "{dst}", as = "{how}"{null} }},')
    (folder / "operations/bench.map@1.toml").write_text("\n".join(operation))
    names = ", ".join(f'"{src}"' for src, _, _ in FIELDS)
    lines = [
        'operation = "bench.map@1"',
        f'from = {{ kind = "json", fields = [{names}] }}',
        "fields = [",
        *rows,
        "]",
        "[codes]",
        *(f"{name} = {json.dumps(table).replace(': ', ' = ')}" for name, table in CODES.items()),
    ]
    (folder / "bench.toml").write_text("\n".join(lines))
    return load_mapping(folder / "bench.toml", load_operation(folder, "bench.map@1"), folder)


GLOM_CONVERTERS: dict[str, Callable[..., object]] = {
    "text": str,
    "text(trim)": str.strip,
    "integer": int,
    "decimal(2)": Decimal,
    "date(YYYYMMDD)": date.fromisoformat,
}


def glom_spec() -> dict[str, object]:
    spec: dict[str, object] = {}
    for src, dst, how in FIELDS:
        *groups, last = dst.split(".")
        into = spec
        for group in groups:
            into = into.setdefault(group, {})  # type: ignore[assignment]
        if how.startswith("code("):
            convert: Callable[..., object] = CODES[how[5:-1]].__getitem__
        else:
            convert = GLOM_CONVERTERS[how]
        into[last] = (src, convert)
        if src in NULL:
            into[last] = Coalesce((src, convert), skip=(), default=None, skip_exc=ValueError)
    return spec


def jsonata_text() -> str:
    def expression(src: str, how: str) -> str:
        value = f"`{src}`"
        if how == "text(trim)":
            return f"$trim({value})"
        if how in ("integer", "decimal(2)"):
            return f"$number({value})"
        if how.startswith("code("):
            return f"$lookup({json.dumps(CODES[how[5:-1]])}, {value})"
        if how.startswith("date("):
            day = (
                f'$substring({value}, 0, 4) & "-" & $substring({value}, 4, 2)'
                f' & "-" & $substring({value}, 6, 2)'
            )
            return f"{value} = '{NULL[src]}' ? null : {day}" if src in NULL else day
        return value

    tree: dict[str, object] = {}
    for src, dst, how in FIELDS:
        *groups, last = dst.split(".")
        into = tree
        for group in groups:
            into = into.setdefault(group, {})  # type: ignore[assignment]
        into[last] = expression(src, how)

    def written(node: object) -> str:
        if isinstance(node, dict):
            return "{" + ", ".join(f'"{k}": {written(v)}' for k, v in node.items()) + "}"
        return str(node)

    return written(tree)


def loosely(value: object) -> object:
    """Bring a payload to what jsonata can say: numbers are floats, dates text."""
    if isinstance(value, dict):
        return {key: loosely(one) for key, one in value.items()}
    if isinstance(value, Decimal | int):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def microseconds(work: Callable[..., object], given: Sequence[object]) -> float:
    began = time.perf_counter()
    for one in given:
        work(one)
    return (time.perf_counter() - began) / len(given) * 1e6


def bench(repeats: int, count: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        loaded = mapping(Path(folder))
    rows = [record(number) for number in range(count)]
    bodies = [msgspec.json.encode(row) for row in rows]
    records = [Record(source="b", position="1", kind="json", body=body) for body in bodies]
    values = [loaded.request.shape.read(one)[0] for one in records]
    decode = loaded.request.compiled
    spec, jsonata = glom_spec(), Jsonata(jsonata_text())
    plain = msgspec.json.Decoder(dict[str, str]).decode
    few = max(count // 5, 1)
    parts: dict[str, tuple[Callable[..., object], Sequence[object]]] = {
        "hand": (hand, values),
        "ours": (decode, values),
        "hand_bytes": (lambda body: hand(plain(body)), bodies),
        "ours_bytes": (loaded.decode_request, records),
        "glom": (lambda row: glom(row, spec), values[:few]),
        "jsonata": (jsonata.evaluate, values[:few]),
    }
    for row, value, one in zip(rows, values, records, strict=False):
        wanted = hand(row)
        if not wanted == decode(value) == loaded.decode_request(one) == glom(row, spec):
            raise SystemExit("the payloads differ")
    for row in rows[:20]:
        if loosely(jsonata.evaluate(row)) != loosely(hand(row)):
            raise SystemExit("jsonata gives another payload")
    runs: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(repeats):
        # Short runs in turn, the best of a few: a machine that is shared disturbs the others.
        best = dict.fromkeys(parts, float("inf"))
        for _ in range(5):
            for name in random.sample(list(parts), len(parts)):
                best[name] = min(best[name], microseconds(*parts[name]))
        for name, took in best.items():
            runs[name].append(took)
    return report(runs, statistics.mean(len(body) for body in bodies))


def report(runs: dict[str, list[float]], size: float) -> bool:
    def ratio(over: str, under: str) -> float:
        pairs = zip(runs[over], runs[under], strict=True)
        return round(statistics.median(a / b for a, b in pairs), 3)

    repeats = len(runs["hand"])
    print(f"25 fields, 6 converters, {size:.0f} bytes; µs a record, of {repeats} repeats")
    print(f"{'':12}{'median':>10}{'least':>10}")
    for name, each in runs.items():
        print(f"{name:12}{statistics.median(each):10.2f}{min(each):10.2f}")
    ratios = {
        "ours_per_hand": ratio("ours", "hand"),
        "ours_per_hand_bytes": ratio("ours_bytes", "hand_bytes"),
        "glom_per_ours": ratio("glom", "ours"),
        "jsonata_per_ours": ratio("jsonata", "ours"),
    }
    met = (
        ratios["ours_per_hand"] <= GOALS["ours_per_hand"]
        and ratios["glom_per_ours"] >= GOALS["glom_per_ours"]
        and ratios["jsonata_per_ours"] >= GOALS["jsonata_per_ours"]
    )
    print(json.dumps({"benchmark": "acl_map", "ratios": ratios, "goals": GOALS, "met": met}))
    return met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=15)
    arguments.add_argument("--count", type=int, default=500)
    given = arguments.parse_args()
    return 0 if bench(given.repeats, given.count) else 1


if __name__ == "__main__":
    sys.exit(main())
