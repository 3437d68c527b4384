"""The routes and their history: who changed what, why, and what was known at that moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from ..errors import RouteConflict, StoreError
from ..model import Data, Route
from . import tables
from .database import Database
from .group import Inserts
from .line import Line
from .link import encode, row

__all__ = ["CHANNEL", "Change", "Routes", "with_each_change"]


CHANNEL: Final = "fig_routes"
"""Where PostgreSQL tells every process that a route has changed."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a route. ``before`` is None where it is the first."""

    id: int
    endpoint: str
    version: int
    at: float
    action: str
    who: str
    why: str
    before: Route | None
    after: Route
    evidence: Mapping[str, object]


class Routes:
    """The durable routes. They block: an event loop calls them in a thread.

    Those who serve keep a copy in memory and ask ``stamp`` whether it is still right. Every method
    raises ``StoreUnavailable`` where the store cannot be read or written.
    """

    def __init__(self, database: Database, inserts: Inserts) -> None:
        self._database = database
        self._inserts = inserts

    def get(self, endpoint: str) -> Route | None:
        """Give an endpoint's route; None where it never had one."""
        with self._database.read() as connection:
            return _stored(connection, endpoint)

    def all(self) -> dict[str, Route]:
        """Give every route by its endpoint."""
        query = select(tables.routes.c.route).order_by(tables.routes.c.endpoint)
        with self._database.read() as connection:
            found = [_route(text) for text in connection.execute(query).scalars()]
        return {route.endpoint: route for route in found}

    def stamp(self) -> int:
        """Give a number that grows with every change of any route, by any process."""
        query = select(func.coalesce(func.max(tables.route_history.c.id), 0))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def put(
        self,
        route: Route,
        *,
        action: str,
        who: str,
        why: str,
        evidence: Mapping[str, object],
    ) -> Route:
        """Store a changed route, with its history and its journal line, and give it as stored.

        ``route.version`` is the one that was read (0: there was none); the stored one has the next.
        Raises ``RouteConflict`` where another version stands there now, and ``StoreError`` where it
        says what processes of an older version, that may run beside us, would not heed; nothing is
        written then.
        """
        with self._database.write() as connection:
            change = _change_of(
                route,
                _stored(connection, route.endpoint),
                action=action,
                who=who,
                why=why,
                evidence=evidence,
            )
            _check_all_know(connection, change.after)
            for work in (*_with.get(), self._write):
                work(connection, change)
        return change.after

    def history(self, endpoint: str) -> list[Change]:
        """Give an endpoint's changes, oldest first."""
        table = tables.route_history
        query = select(table).where(table.c.endpoint == endpoint).order_by(table.c.id)
        with self._database.read() as connection:
            return [_change(found) for found in connection.execute(query)]

    def _write(self, connection: Connection, change: Change) -> None:
        text = encode(change.after)
        values = {"version": change.version, "at": change.at, "route": text}
        if change.before is None:
            statement = insert(tables.routes).values(endpoint=change.endpoint, **values)
            connection.execute(statement)
        else:
            where = tables.routes.c.endpoint == change.endpoint
            connection.execute(update(tables.routes).where(where).values(**values))
        kept = {field: getattr(change, field) for field in _PLAIN}
        kept["before"] = None if change.before is None else encode(change.before)
        kept |= {"after": text, "evidence": encode(change.evidence)}
        connection.execute(insert(tables.route_history).values(**kept))
        self._inserts.lines(connection, [row(_line(change))])
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_notify(CHANNEL, change.endpoint)))


_with: ContextVar[tuple[Callable[[Connection, Change], None], ...]] = ContextVar(
    "with_each_change", default=()
)


@contextmanager
def with_each_change(work: Callable[[Connection, Change], None]) -> Iterator[None]:
    """Have every change of a route in this block do ``work`` in its own transaction, before it.

    So a step of a runbook and its record are written together, or neither is.
    """
    token = _with.set((*_with.get(), work))
    try:
        yield
    finally:
        _with.reset(token)


def _change_of(
    route: Route,
    before: Route | None,
    *,
    action: str,
    who: str,
    why: str,
    evidence: Mapping[str, object],
) -> Change:
    found = before.version if before is not None else 0
    if found != route.version:
        raise RouteConflict(
            "the route was changed by somebody else",
            place=f"route of {route.endpoint}",
            value=f"version {found}",
            expected=f"version {route.version}",
            remedy="read it again, and decide on what stands there now",
        )
    version = found + 1
    after = msgspec.structs.replace(route, version=version, since=_since(before, route, version))
    return Change(
        id=0,
        endpoint=route.endpoint,
        version=after.version,
        at=time.time(),
        action=action,
        who=who,
        why=why,
        before=before,
        after=after,
        evidence=evidence,
    )


def _check_all_know(connection: Connection, route: Route) -> None:
    """Refuse what an older process would read over: two sides would serve a key at once."""
    new = {"data": route.data is not Data.NONE, "frozen": route.frozen, "pins": bool(route.pins)}
    said = [name for name, is_set in new.items() if is_set]
    if not said:
        return
    oldest = str(connection.execute(select(tables.journal_head.c.version)).scalar())
    if oldest < _KNOWN_SINCE:
        raise StoreError(
            f"processes of version {oldest} may still run on this store, and would not heed it",
            place=f"route of {route.endpoint}: {', '.join(said)}",
            expected=f"a store that only version {_KNOWN_SINCE} and later work on",
            remedy="upgrade every process, then 'fig check --migrate --contract'",
        )


def _since(before: Route | None, route: Route, version: int) -> int:
    """Say since which version a route stands on its rung with its revision."""
    if before is None:
        return version
    same = all(getattr(before, name) == getattr(route, name) for name in _RUNG)
    return before.since if same else version


_KNOWN_SINCE: Final = "0005"
_RUNG = ("stage", "percent", "data", "revision")
_PLAIN = ("endpoint", "version", "at", "action", "who", "why")


def _line(change: Change) -> Line:
    return Line(
        kind="route",
        endpoint=change.endpoint,
        revision=change.after.revision,
        at=change.at,
        data={
            "version": change.version,
            "action": change.action,
            "who": change.who,
            "why": change.why,
            "before": change.before,
            "after": change.after,
            "evidence": change.evidence,
        },
    )


def _stored(connection: Connection, endpoint: str) -> Route | None:
    query = select(tables.routes.c.route).where(tables.routes.c.endpoint == endpoint)
    text = connection.execute(query).scalar()
    return None if text is None else _route(text)


def _route(text: str) -> Route:
    return msgspec.json.decode(text, type=Route)


def _change(found: Row[tuple[object, ...]]) -> Change:
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    before = fields["before"]
    fields["before"] = None if before is None else _route(before)
    fields["after"] = _route(fields["after"])
    fields["evidence"] = msgspec.json.decode(fields["evidence"])
    return Change(**fields)
