"""What goes by its age: the data of old lines, old lines, and rows that have done their duty."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from ..errors import StoreUnavailable
from ..settings import Retention
from . import spent, trim
from .store import Store

__all__ = ["Report", "due", "retain"]

_DAY: Final = 86_400.0
_PAUSE: Final = 0.005  # seconds that others have at least, between two steps


class Report(msgspec.Struct, kw_only=True):
    """What a run came to, in lines and rows. ``stopped`` says why it ended before all was done.

    ``compacted`` lines lost their data, ``removed`` ones are gone. ``freed`` are the bytes of a
    SQLite file that are free for new rows: the file does not shrink, it stops growing. (On
    PostgreSQL autovacuum does that.)
    """

    compacted: int = 0
    removed: int = 0
    inbox: int = 0
    outbox: int = 0
    dead_letters: int = 0
    kept_letters: int = 0
    outcomes: int = 0
    awaited: int = 0
    failures: int = 0
    sampled: int = 0
    measures: int = 0
    dual_writes: int = 0
    freed: int = 0
    seconds: float = 0.0
    stopped: str = ""


def retain(
    store: Store, retention: Retention, now: float, *, stop: Callable[[], bool] = lambda: False
) -> Report:
    """Remove and compact what is older than ``retention`` says, at the time ``now`` (epoch).

    Called in a thread by the running process, every hour or so, under a lease so that one of
    several does it; and by ``fig journal``. In short transactions, with as long a pause after each;
    what is done stays done wherever it ends. ``stop`` is asked between two steps. A store that is
    busy or lost ends it early, and the report says so. Raises ``StoreError`` where the chain does
    not hold.
    """
    began, report = time.monotonic(), Report()
    try:
        for name, steps in _steps(store, retention, now):
            _run(report, name, steps, stop)
        report.freed = spent.free_bytes(store.database)
    except StoreUnavailable as error:
        report.stopped = str(error)
    if stop():
        report.stopped = report.stopped or "told to stop"
    report.seconds = round(time.monotonic() - began, 3)
    return report


def due(store: Store, retention: Retention, now: float) -> Report:
    """Say what ``retain`` would do, and change nothing. Raises ``StoreUnavailable``."""
    report = Report()
    before = _ages(retention, now)
    with store.database.read() as connection:
        if "removed" in before:
            report.removed = trim.removable(connection, before["removed"])
        if "compacted" in before:
            report.compacted = trim.compactable(connection, before["compacted"])
        for name in before.keys() & spent.RULES.keys():
            if store.database.has(spent.RULES[name][0]):
                setattr(report, name, spent.count(connection, name, before[name]))
    return report


def _ages(retention: Retention, now: float) -> dict[str, float]:
    """Give the time before which each kind of thing goes; those that stay for ever are left out."""
    days = {
        "removed": retention.journal,
        "compacted": retention.compact,
        "inbox": retention.inbox,
        "outbox": retention.outbox,
        "dead_letters": retention.dead_letters,
        "kept_letters": retention.kept_letters,
        "outcomes": retention.outcomes,
        "awaited": retention.outcomes,
        "failures": retention.measures,
        "sampled": retention.measures,
        "measures": retention.measures,
        "dual_writes": retention.dual_writes,
    }
    return {name: now - age * _DAY for name, age in days.items() if age > 0}


def _steps(store: Store, retention: Retention, now: float) -> Iterator[tuple[str, Iterator[int]]]:
    for name, before in _ages(retention, now).items():
        if name == "removed":
            yield name, trim.remove(store.database, store.inserts, before)
        elif name == "compacted":
            yield name, trim.compact(store.database, store.inserts, before)
        else:
            yield name, spent.remove(store.database, name, before)


def _run(report: Report, name: str, steps: Iterator[int], stop: Callable[[], bool]) -> None:
    while not stop():
        began = time.monotonic()
        done = next(steps, None)
        if done is None:
            return
        setattr(report, name, getattr(report, name) + done)
        time.sleep(max(_PAUSE, time.monotonic() - began))
