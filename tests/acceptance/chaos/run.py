"""Legacy writers against bridges that are killed at random; then both sides are counted.

``python tests/acceptance/chaos/run.py --seconds 180`` prints the counts and leaves with 1 where
anything was lost, invented, out of order or done twice.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.testing.server import MariaDb, PostgreSql
from stranglerfig.tests.acceptance.chaos.bridges import Bridges, fig, make_workspace, until
from stranglerfig.tests.acceptance.chaos.checker import Checker
from stranglerfig.tests.acceptance.chaos.legacy_writers import Writer, make_tables

DRAIN = 90.0
"""Seconds in which the bridges must have worked off what was left at the end."""


def run(
    root: Path,
    *,
    legacy: str,
    store: str,
    seconds: float,
    writers: int = 8,
    bridges: int = 4,
    pace: float = 0.05,
    pause: tuple[float, float] = (0.5, 3.0),
) -> tuple[Counter[str], list[str]]:
    """Let it happen, and give the counts and what is wrong."""
    make_tables(legacy)
    upgrade(store)
    make_workspace(root, store=store, legacy=legacy, keep=86_400)
    fig(root, "adapter", "install", "claims")
    fig(root, "route", "advance", "claim-changed", "--to", "shadow", "--why", "chaos")
    running = Bridges(root, bridges, seed=random.randrange(10**6), pause=pause)
    programs = [Writer(legacy, seed, pace) for seed in range(writers)]
    try:
        for thread in (running, *programs):
            thread.start()
        time.sleep(seconds)
        for program in programs:
            program.stopping.set()
        for program in programs:
            program.join()
        running.stop_killing()
        checker = Checker(root, legacy)
        until(lambda: checker.waiting() == 0, "all captured changes are settled", DRAIN)
        running.end()
        checker.check()
    except BaseException:
        print((root / "bridges.log").read_text("utf-8", "replace")[-8000:], file=sys.stderr)
        raise
    finally:
        running.kill_all()
    counts: Counter[str] = Counter()
    for program in programs:
        counts.update({f"transactions {name}": n for name, n in program.counts.items()})
    counts.update({f"bridges {name}": n for name, n in running.counts.items()})
    counts.update(checker.counts)
    ended = [name for name in running.counts if name.startswith("ended by itself")]
    return counts, checker.wrong + [f"a bridge {name}" for name in ended]


@contextlib.contextmanager
def databases(legacy: str, store: str) -> Iterator[tuple[str, str]]:
    """Start what is asked for, and give the addresses of a legacy database and a store's."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for kind in {legacy, store}:
            server = PostgreSql() if kind == "postgresql" else MariaDb()
            stack.callback(server.stop)
            servers[kind] = server
        yield servers[legacy].database(), servers[store].database()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--legacy", choices=["postgresql", "mariadb"], default="postgresql")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--bridges", type=int, default=4)
    asked = parser.parse_args()
    with (
        databases(asked.legacy, "postgresql") as (legacy, store),
        tempfile.TemporaryDirectory() as at,
    ):
        counts, wrong = run(
            Path(at),
            legacy=legacy,
            store=store,
            seconds=asked.seconds,
            writers=asked.writers,
            bridges=asked.bridges,
        )
    width = max(map(len, counts))
    for name, number in counts.items():
        print(f"{name:{width}}  {number:>9,}")
    for one in wrong[:50]:
        print("WRONG:", one)
    print("nothing lost, nothing invented, in order" if not wrong else f"{len(wrong)} things wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
