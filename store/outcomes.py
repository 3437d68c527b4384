"""Decisions of legacy's own as they were observed, and how many became evidence."""

from __future__ import annotations

import msgspec
from sqlalchemy import Row, func, select

from . import tables
from .database import Database
from .effects import Effect

__all__ = [
    "Decided",
    "OutcomeCounts",
    "change_outcome",
    "decided",
    "keep_outcome",
    "outcome_counts",
]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of legacy's, as its row holds it.

    ``position`` is that of the record, ``at`` when legacy recorded it, in seconds since the epoch;
    ``answer`` is the canonical output, JSON of ``routing/payloads.py``.
    """

    endpoint: str
    key: str
    position: str
    at: float
    answer: str
    state: str
    id: int = 0


class OutcomeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Requests and outcomes of an endpoint by what became of them.

    Requests: ``joined`` are evidence; ``late`` came after the window, ``missing`` not at all,
    ``waiting`` are still in time; of ``abstained`` the replacement was not sure, and of ``echoed``
    its decision had been sent, so that legacy's may follow from it. Outcomes: ``duplicate`` came
    for a request that had one, ``early`` wait for a request, ``unasked`` never found one.
    """

    joined: int = 0
    late: int = 0
    missing: int = 0
    duplicate: int = 0
    waiting: int = 0
    early: int = 0
    abstained: int = 0
    echoed: int = 0
    unasked: int = 0

    def text(self) -> str:
        """Say it in one line, for people: what there is none of only where it is what counts."""
        fields = msgspec.structs.asdict(self)
        always = ("joined", "late", "missing", "duplicate", "waiting")
        return ", ".join(
            f"{fields[name]} {name}" for name in fields if name in always or fields[name]
        )


def outcome_counts(database: Database, endpoint: str) -> OutcomeCounts:
    """Count an endpoint's. Blocks; raises ``StoreUnavailable``."""
    counts: dict[str, int] = {}
    with database.read() as connection:
        for table, states in ((tables.awaited, _REQUESTS), (tables.outcomes, _OUTCOMES)):
            query = (
                select(table.c.state, func.count())
                .where(table.c.endpoint == endpoint)
                .group_by(table.c.state)
            )
            for state, count in connection.execute(query):
                if state in states:
                    counts[state] = int(count)
    return OutcomeCounts(**counts)


def keep_outcome(one: Decided) -> Effect:
    """Add an outcome, in whatever state it is."""
    values = (one.endpoint, one.key, one.position, one.at, one.state, one.answer)
    return Effect("outcome", values)


def change_outcome(number: int, state: str) -> Effect:
    """Say what became of an outcome that was early."""
    return Effect("decide", (state, number))


def decided(row: Row[tuple[object, ...]]) -> Decided:
    """Read a row of ``outcomes``."""
    return Decided(**dict(row._mapping))  # noqa: SLF001 SQLAlchemy's public way to a row by names


_REQUESTS = frozenset({"joined", "late", "missing", "waiting", "abstained", "echoed"})
_OUTCOMES = frozenset({"duplicate", "early", "unasked"})
