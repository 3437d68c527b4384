"""What is measured while traffic moves: sums, failures and keys, by endpoint, revision and rung."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from . import tables
from .database import Database

__all__ = ["USED", "Failure", "Measured", "Measures", "Place", "Sampled", "Sum"]

USED: Final = "used:"
"""What the names of sums begin with that tell what replies have used."""
_DAY: Final = 86_400.0


class Place(NamedTuple):
    """What is counted together: an endpoint, a revision of its replacement, a rung's label."""

    endpoint: str
    revision: str
    rung: str


class Sum(NamedTuple):
    """What was measured of one ``name`` on one side: how often, the total, the sum of squares."""

    place: Place
    name: str
    side: str
    times: int
    total: float
    squares: float


class Failure(NamedTuple):
    """An answer that went wrong; ``unit`` and ``keyed`` are digests, as the table says."""

    place: Place
    unit: str
    side: str
    keyed: str
    reason: str


class Sampled(NamedTuple):
    """A key, by its digest, that a percent has put on a side."""

    place: Place
    unit: str
    side: str


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured of one revision.

    ``sums``: of one rung, by name and side: count and total. ``failed``: by rung's label and side:
    keys, each once a window. ``recent``: the replacement's failures since a time, on that rung.
    ``keys``: of that rung, by side. ``spent``: of the endpoint on one day, by name: the totals.
    ``since``: when the route came to its rung, in seconds since the epoch; None where nobody knows.
    """

    sums: Mapping[tuple[str, str], tuple[int, float]] = {}
    failed: Mapping[tuple[str, str], int] = {}
    recent: int = 0
    keys: Mapping[str, int] = {}
    spent: Mapping[str, float] = {}
    since: float | None = None


class Measures:
    """The tables ``measures``, ``failures`` and ``sampled``.

    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        now: float,
        sums: Sequence[Sum] = (),
        failures: Sequence[Failure] = (),
        sampled: Sequence[Sampled] = (),
    ) -> None:
        """Add what a process has measured, in one transaction that leaves the journal alone."""
        day = int(now // _DAY)
        with self._database.write(chained=False) as connection:
            if sums:
                rows = [(*s.place, s.name, s.side, day, s.times, s.total, s.squares) for s in sums]
                _grow(connection, sorted(rows))
            if failures:
                given = [(*f.place, f.unit, f.side, f.keyed, f.reason, now) for f in failures]
                _first(connection, "failures", given)
            if sampled:
                keys = [(*key.place, key.unit, key.side, now) for key in sampled]
                _first(connection, "sampled", keys)

    def read(self, place: Place, *, since: int, now: float, seconds: float) -> Measured:
        """Read what is known at the time ``now``; ``since`` is the route's version of the rung.

        ``seconds`` is how far back failures are recent.
        """
        with self._database.read() as connection:
            return Measured(
                sums=_sums(connection, place),
                failed=_failed(connection, place),
                recent=_recent(connection, place, now - seconds),
                keys=_keys(connection, place),
                spent=_spent(connection, place.endpoint, int(now // _DAY)),
                since=_since(connection, place.endpoint, since),
            )


def _grow(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    table = tables.measures
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    names = [column.name for column in table.columns]
    statement = insert(table).values({name: bindparam(name) for name in names})
    grown = {
        name: table.c[name] + statement.excluded[name] for name in ("count", "total", "squares")
    }
    keys = [column.name for column in table.primary_key.columns]
    statement = statement.on_conflict_do_update(index_elements=keys, set_=grown)
    connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])


def _first(connection: Connection, title: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Add rows, each the first time only. In one order everywhere: no two lock each other out."""
    table = tables.metadata.tables[title]
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    names = [column.name for column in table.columns]
    values: dict[str, BindParameter[object]] = {name: bindparam(name) for name in names}
    statement = insert(table).values(values).on_conflict_do_nothing()
    connection.execute(statement, [dict(zip(names, row, strict=True)) for row in sorted(rows)])


def _sums(connection: Connection, place: Place) -> dict[tuple[str, str], tuple[int, float]]:
    of = tables.measures.c
    query = (
        select(of.name, of.side, func.sum(of.count), func.sum(of.total))
        .where(of.endpoint == place.endpoint, of.revision == place.revision, of.rung == place.rung)
        .group_by(of.name, of.side)
    )
    found = connection.execute(query)
    return {(name, side): (int(count), float(total)) for name, side, count, total in found}


def _failed(connection: Connection, place: Place) -> dict[tuple[str, str], int]:
    of = tables.failures.c
    query = (
        select(of.rung, of.side, func.count(of.keyed.distinct()))
        .where(of.endpoint == place.endpoint, of.revision == place.revision, of.keyed != "")
        .group_by(of.rung, of.side)
    )
    return {(rung, side): int(count) for rung, side, count in connection.execute(query)}


def _recent(connection: Connection, place: Place, after: float) -> int:
    of = tables.failures.c
    query = select(func.count()).where(
        of.endpoint == place.endpoint,
        of.revision == place.revision,
        of.rung == place.rung,
        of.side == "replacement",
        of.at > after,
    )
    return int(connection.execute(query).scalar_one())


def _keys(connection: Connection, place: Place) -> dict[str, int]:
    of = tables.sampled.c
    query = (
        select(of.side, func.count())
        .where(of.endpoint == place.endpoint, of.revision == place.revision, of.rung == place.rung)
        .group_by(of.side)
    )
    return {side: int(count) for side, count in connection.execute(query)}


def _spent(connection: Connection, endpoint: str, day: int) -> dict[str, float]:
    of = tables.measures.c
    query = (
        select(of.name, func.sum(of.total))
        .where(of.endpoint == endpoint, of.day == day, of.name.startswith(USED))
        .group_by(of.name)
    )
    found: dict[str, float] = defaultdict(float)
    for name, total in connection.execute(query):
        found[str(name).removeprefix(USED)] += float(total)
    return dict(found)


def _since(connection: Connection, endpoint: str, version: int) -> float | None:
    of = tables.route_history.c
    query = select(of.at).where(of.endpoint == endpoint, of.version == version)
    found = connection.execute(query).scalar()
    return None if found is None else float(found)
