"""What is measured while traffic moves: sums, failures and keys, by endpoint, revision and rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnCollection

from . import tables
from .database import Database

__all__ = [
    "DROPPED",
    "SHADOW",
    "USED",
    "Failure",
    "Measured",
    "Measures",
    "Place",
    "Sampled",
    "Sum",
]

USED: Final = "used:"
"""What the names of sums begin with that tell what replies have used."""
SHADOW: Final = "shadow:"
"""What the names of sums begin with that tell what shadow calls have used."""
DROPPED: Final = "dropped:"
"""What those begin with that tell why shadow calls were not made."""
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
        """Add what a process has measured, in one transaction that leaves the journal alone.

        On a schema that has no place for it yet, it is forgotten.
        """
        if not self._database.has(tables.measures):
            return
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
        if not self._database.has(tables.measures):
            return Measured()
        here = place._asdict()
        revision = {"endpoint": place.endpoint, "revision": place.revision}
        day = {"endpoint": place.endpoint, "day": int(now // _DAY)}
        version = {"endpoint": place.endpoint, "version": since}
        with self._database.read() as connection:
            ask = connection.execute
            return Measured(
                sums={(n, s): (int(c), float(t)) for n, s, c, t in ask(_SUMS, here)},
                failed={(rung, side): int(n) for rung, side, n in ask(_FAILED, revision)},
                recent=ask(_RECENT, {**here, "after": now - seconds}).scalar_one(),
                keys={side: int(n) for side, n in ask(_KEYS, here)},
                spent={name.removeprefix(USED): float(n) for name, n in ask(_SPENT, day)},
                since=ask(_SINCE, version).scalar(),
            )

    def shadowed(
        self, endpoints: Sequence[str], now: float
    ) -> dict[str, dict[str, tuple[int, float]]]:
        """Give what shadow calls of the day have come to: count and total, by endpoint and name.

        Names begin with ``shadow:`` where something was used, with ``dropped:`` where a call was
        not made, for the reason that follows. Raises ``StoreUnavailable`` on an older schema, too:
        what is not counted anywhere must not be taken for nothing.
        """
        given = {"endpoints": list(endpoints), "day": int(now // _DAY)}
        found: dict[str, dict[str, tuple[int, float]]] = {name: {} for name in endpoints}
        with self._database.read() as connection:
            for endpoint, name, count, total in connection.execute(_SHADOWED, given):
                found[endpoint][name] = (int(count), float(total))
        return found


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


def _here(of: ColumnCollection[str, Column[Any]]) -> ColumnElement[bool]:
    """Give the condition of a place, its values to be bound."""
    return and_(
        of.endpoint == bindparam("endpoint"),
        of.revision == bindparam("revision"),
        of.rung == bindparam("rung"),
    )


# Made once: they are asked four times a second for every endpoint that has moved.
_M, _F, _S, _H = (
    table.c for table in (tables.measures, tables.failures, tables.sampled, tables.route_history)
)
_SUMS: Final = (
    select(_M.name, _M.side, func.sum(_M.count), func.sum(_M.total))
    .where(_here(_M))
    .group_by(_M.name, _M.side)
)
_FAILED: Final = (
    select(_F.rung, _F.side, func.count(_F.keyed.distinct()))
    .where(
        _F.endpoint == bindparam("endpoint"),
        _F.revision == bindparam("revision"),
        _F.keyed != "",
    )
    .group_by(_F.rung, _F.side)
)
_RECENT: Final = select(func.count()).where(
    _here(_F), _F.side == "replacement", _F.at > bindparam("after")
)
_KEYS: Final = select(_S.side, func.count()).where(_here(_S)).group_by(_S.side)
_SPENT: Final = (
    select(_M.name, func.sum(_M.total))
    .where(
        _M.endpoint == bindparam("endpoint"),
        _M.day == bindparam("day"),
        _M.name.startswith(USED),
    )
    .group_by(_M.name)
)
_SHADOWED: Final = (
    select(_M.endpoint, _M.name, func.sum(_M.count), func.sum(_M.total))
    .where(
        _M.endpoint.in_(bindparam("endpoints", expanding=True)),
        _M.day == bindparam("day"),
        _M.name.startswith(SHADOW) | _M.name.startswith(DROPPED),
    )
    .group_by(_M.endpoint, _M.name)
)
_SINCE: Final = select(_H.at).where(
    _H.endpoint == bindparam("endpoint"), _H.version == bindparam("version")
)
