"""How a key stands between requests that wait for legacy's decision, and decisions that came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from . import tables
from .awaited import Awaiting, awaiting
from .database import Database
from .expect import OPEN, Expect, Stamp, by_endpoint, stamps
from .outcomes import Decided, decided

__all__ = ["Standing", "Standings"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it stands. ``open`` and ``early`` are sorted by when legacy recorded them.

    ``last`` is the newest outcome that was joined or late, None where there is none.
    """

    endpoint: str
    key: str
    stamp: Stamp = Stamp()
    open: tuple[Awaiting, ...] = ()
    early: tuple[Decided, ...] = ()
    last: Decided | None = None

    @property
    def expect(self) -> Expect:
        """Give what a write that is decided on this must say."""
        return Expect(self.endpoint, self.key, self.stamp)


class Standings:
    """Reads standings. Blocks: an event loop calls it in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Standing]:
        """Give the standing of each endpoint and key. Raises ``StoreUnavailable``."""
        found: dict[tuple[str, str], Standing] = {}
        with self._database.read() as connection:
            for endpoint, keys in by_endpoint(asked).items():
                # The stamps first: what changes behind them is then seen by whoever writes.
                stamped = stamps(connection, endpoint, keys)
                requests = _open(connection, endpoint, keys)
                outcomes = _outcomes(connection, endpoint, keys)
                for key in keys:
                    mine = outcomes.get(key, [])
                    early = [one for one in mine if one.state == "early"]
                    closed = [one for one in mine if one.state != "early"]
                    found[endpoint, key] = Standing(
                        endpoint=endpoint,
                        key=key,
                        stamp=stamped[key],
                        open=tuple(sorted(requests.get(key, ()), key=lambda o: (o.at, o.id))),
                        early=tuple(sorted(early, key=lambda o: (o.at, o.id))),
                        last=max(closed, key=lambda o: o.id, default=None),
                    )
        return found


def _open(
    connection: Connection, endpoint: str, keys: Sequence[str]
) -> Mapping[str, list[Awaiting]]:
    table = tables.awaited
    found: dict[str, list[Awaiting]] = {}
    query = select(table).where(_among(table, endpoint, keys), table.c.state.in_(OPEN))
    for row in connection.execute(query):
        found.setdefault(row.key, []).append(awaiting(row))
    return found


def _outcomes(
    connection: Connection, endpoint: str, keys: Sequence[str]
) -> Mapping[str, list[Decided]]:
    """Give the early outcomes of each key, and the newest one that found its request."""
    table = tables.outcomes
    mine = _among(table, endpoint, keys)
    newest = (
        select(func.max(table.c.id))
        .where(mine, table.c.state.not_in(("early", "unasked", "duplicate")))
        .group_by(table.c.key)
    )
    query = select(table).where(mine, (table.c.state == "early") | table.c.id.in_(newest))
    found: dict[str, list[Decided]] = {}
    for row in connection.execute(query):
        found.setdefault(row.key, []).append(decided(row))
    return found


def _among(table: Table, endpoint: str, keys: Sequence[str]) -> ColumnElement[bool]:
    return and_(table.c.endpoint == endpoint, table.c.key.in_(keys))
