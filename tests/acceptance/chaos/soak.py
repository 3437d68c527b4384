"""A bridge under steady load for a long time: nothing of it may grow.

``python tests/acceptance/chaos/soak.py --seconds 900`` prints memory, descriptors, threads and the
sizes of the tables over time, and leaves with 1 where one of them still grew after the warm-up.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import create_engine, text

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.tests.acceptance.chaos.bridges import Bridges, fig, make_workspace, until
from stranglerfig.tests.acceptance.chaos.checker import Checker
from stranglerfig.tests.acceptance.chaos.legacy_writers import Writer, make_tables
from stranglerfig.tests.acceptance.chaos.run import DRAIN, databases

KEEP = 10.0
BOUNDS = {"MB": 0.10, "descriptors": 0.10, "threads": 0.10, "events": 0.35, "events MB": 0.50}
"""How much more, as a share, the last third may have on average than the middle one."""
AT_LEAST = {"MB": 3.0, "descriptors": 3.0, "threads": 2.0, "events": 200.0, "events MB": 1.0}
"""And a difference that means nothing."""


def measure(pid: int, legacy: str) -> dict[str, float]:
    """Look at the process in /proc, and at what it leaves in the legacy database."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    engine = create_engine(legacy)
    with engine.connect() as connection:
        events = connection.execute(text("SELECT count(*) FROM fig_event")).scalar_one()
        size = 0
        if engine.dialect.name == "postgresql":
            query = "SELECT pg_total_relation_size('fig_event')"
            size = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return {
        "MB": int(fields["VmRSS"].split()[0]) / 1024,
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": int(fields["Threads"]),
        "events": events,
        "events MB": size / 2**20,
    }


def grown(samples: Sequence[Mapping[str, float]]) -> list[str]:
    """Hold the last third against the middle one."""
    third = len(samples) // 3
    wrong = []
    for name, bound in BOUNDS.items():
        middle = statistics.fmean(one[name] for one in samples[third : 2 * third])
        last = statistics.fmean(one[name] for one in samples[2 * third :])
        print(f"{name:12} middle third {middle:10.1f}   last third {last:10.1f}")
        if last - middle > max(AT_LEAST[name], bound * middle):
            wrong.append(f"{name} grew from {middle:.1f} to {last:.1f}")
    return wrong


def soak(
    root: Path, *, legacy: str, store: str, seconds: float, every: float = 5.0
) -> tuple[list[str], int]:
    """Let it run; give what is wrong, and how many changes it took."""
    make_tables(legacy)
    upgrade(store)
    make_workspace(root, store=store, legacy=legacy, keep=KEEP)
    fig(root, "adapter", "install", "claims")
    fig(root, "route", "advance", "claim-changed", "--to", "shadow", "--why", "soak")
    running = Bridges(root, 1, seed=0, pause=(1e9, 1e9))
    programs = [Writer(legacy, seed, 0.05) for seed in range(4)]
    samples = []
    try:
        for program in programs:
            program.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(every)
            samples.append(measure(running.processes[0].pid, legacy))
            if len(samples) % 12 == 0:
                print("  ".join(f"{k} {v:,.1f}" for k, v in samples[-1].items()), flush=True)
        for program in programs:
            program.stopping.set()
        for program in programs:
            program.join()
        checker = Checker(root, legacy)
        until(lambda: checker.waiting() == 0, "all captured changes are settled", DRAIN)
        taken = checker.journal_lines()
        running.stopping.set()
        running.end()
    finally:
        running.kill_all()
    wrong = grown(samples)
    if taken != checker.counts["committed"]:
        wrong.append(f"{taken} journal lines of {checker.counts['committed']} changes")
    return wrong, taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--legacy", choices=["postgresql", "mariadb"], default="postgresql")
    asked = parser.parse_args()
    with (
        databases(asked.legacy, "postgresql") as (legacy, store),
        tempfile.TemporaryDirectory() as at,
    ):
        wrong, taken = soak(Path(at), legacy=legacy, store=store, seconds=asked.seconds)
    print(f"{taken:,} changes taken")
    for one in wrong:
        print("WRONG:", one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
