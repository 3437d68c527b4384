"""What slows a walk down, so that legacy does not notice it: each bound says what it waits for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from datetime import time as clock
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import func, literal, select
from sqlalchemy.engine import Connection

from ...errors import ConfigError, LegacyError
from .events import EVENTS
from .ground import Ground

__all__ = ["Backlog", "Bound", "Lag", "Pace", "Rate", "Wait", "Window", "longest"]

_LAG_SECONDS: Final = 1.0
_BACKLOG_SECONDS: Final = 0.5


class Wait(msgspec.Struct, frozen=True):
    """Something to wait for: what it is, for people, and about how many seconds."""

    reason: str
    seconds: float


class Bound(Protocol):
    """One reason to wait. Asked before each chunk and while a wait goes on."""

    def wait(self, connection: Connection) -> Wait | None:
        """Give what to wait for; None where nothing stands against the next chunk.

        Raises what SQLAlchemy does, and ``LegacyError`` where it cannot be told.
        """

    def took(self, rows: int) -> None:
        """Hear how many rows a chunk has taken."""


class Rate:
    """At most so many rows a second, on the average of a few chunks."""

    def __init__(self, rows: float) -> None:
        self.rows = rows
        self._free = 0.0

    def wait(self, connection: Connection) -> Wait | None:
        """Wait for the time that the rows taken so far are worth."""
        del connection
        left = self._free - time.monotonic()
        return Wait(f"at most {self.rows:g} rows a second", left) if left > 0 else None

    def took(self, rows: int) -> None:
        """Count; time that was not used is not saved up."""
        self._free = max(self._free, time.monotonic()) + rows / self.rows


class Window:
    """A part of every day, ``22:00-05:00``, on this machine's clock or in a named zone.

    Raises ``ConfigError`` for what is no such part.
    """

    def __init__(self, text: str, *, place: str = "--window") -> None:
        self._text = text
        part, _, zone = text.strip().partition(" ")
        try:
            first, last = (clock.fromisoformat(one) for one in part.split("-"))
            self._zone: tzinfo | None = ZoneInfo(zone.strip()) if zone else None
        except (ValueError, ZoneInfoNotFoundError, OSError):
            expected = "22:00-05:00, or 22:00-05:00 Europe/Vienna"
            raise ConfigError("not a window", place=place, value=text, expected=expected) from None
        if first == last:
            raise ConfigError("opens when it closes", place=place, value=text)
        self._first, self._last = first, last

    def wait(self, connection: Connection) -> Wait | None:
        """Wait until it opens."""
        del connection
        return self.closed(datetime.now(self._zone))

    def closed(self, now: datetime) -> Wait | None:
        """Give the wait at a moment, None while it is open."""
        at = now.time()
        over_midnight = self._last < self._first
        inside = (
            at >= self._first or at < self._last
            if over_midnight
            else self._first <= at < self._last
        )
        if inside:
            return None
        opens = datetime.combine(now.date(), self._first, tzinfo=now.tzinfo)
        if opens <= now:
            opens += timedelta(days=1)
        return Wait(f"the window {self._text}", (opens - now).total_seconds())

    def took(self, rows: int) -> None:
        """Do nothing: a window counts no rows."""


class Lag:
    """Replicas may be at most so many seconds behind.

    PostgreSQL tells that itself; elsewhere ``query`` gives the seconds, as one number.
    """

    def __init__(self, ground: Ground, most: float, query: str = "") -> None:
        self._ground, self._most, self._query = ground, most, query
        self._asked, self._behind = 0.0, 0.0

    def wait(self, connection: Connection) -> Wait | None:
        """Ask once a second at most."""
        if time.monotonic() - self._asked >= _LAG_SECONDS:
            self._behind = self._ask(connection)
            self._asked = time.monotonic()
        if self._behind <= self._most:
            return None
        reason = f"replicas are {self._behind:.1f} s behind, at most {self._most:g} s"
        return Wait(reason, _LAG_SECONDS)

    def took(self, rows: int) -> None:
        """Do nothing: the replicas tell."""

    def _ask(self, connection: Connection) -> float:
        if self._query:
            # As it was written: a % of it stays a %.
            as_it_is = connection.execution_options(no_parameters=True)
            return self._number(as_it_is.exec_driver_sql(self._query).scalar())
        if self._ground.backend != "postgresql":
            raise LegacyError(
                "does not tell how far its replicas are behind",
                place=self._ground.place,
                remedy="give a query that does: --lag-sql 'SELECT seconds FROM …'",
            )
        hidden, behind = connection.exec_driver_sql(
            "SELECT count(*) FILTER (WHERE state IS NULL),"
            " coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication"
        ).one()
        if hidden:
            raise LegacyError(
                "this user may not see how far replicas are behind",
                place=self._ground.place,
                remedy="GRANT pg_monitor to it, or give --lag-sql",
            )
        return float(behind)

    def _number(self, found: object) -> float:
        try:
            return float(str(found))
        except ValueError:
            raise LegacyError(
                "the query for replica lag gave no number",
                place=self._ground.place,
                value="null" if found is None else type(found).__name__,
                expected="seconds",
            ) from None


class Backlog:
    """At most so many events of history may wait: they lie in the legacy database meanwhile."""

    def __init__(self, ground: Ground, most: int) -> None:
        self._ground, self._most, self._room = ground, most, 0

    def wait(self, connection: Connection) -> Wait | None:
        """Count anew when the room that was seen is used up."""
        if self._room > 0:
            return None
        columns = EVENTS.c
        waiting = (
            select(literal(1))
            .where(columns.source == self._ground.source, columns.done_at.is_(None))
            .where(columns.priority > 0)
            .limit(self._most)
        )
        count = connection.execute(select(func.count()).select_from(waiting.subquery()))
        self._room = self._most - int(count.scalar_one())
        if self._room > 0:
            return None
        reason = f"the bridge: {self._most} rows taken before wait for it"
        return Wait(reason, _BACKLOG_SECONDS)

    def took(self, rows: int) -> None:
        """Count down."""
        self._room -= rows


class Pace:
    """How many rows the next chunk takes: what was locked for too long is made smaller.

    ``target`` is in seconds. A chunk that met a lock of legacy's is halved, down to one row: then
    nothing else is held while that row is waited for.
    """

    def __init__(self, most: int, target: float) -> None:
        self._most, self._target = most, target
        self.size = min(most, 1_000)

    def took(self, rows: int, seconds: float) -> None:
        """Hear how long a chunk's transaction took."""
        if seconds > self._target:
            fit = rows * self._target / seconds
            self.size = max(1, min(self.size - 1, int(fit)))
        elif seconds < self._target / 2 and rows >= self.size:
            self.size = min(self._most, self.size * 2)

    def refused(self) -> None:
        """Hear that a row of the chunk was locked."""
        self.size = max(1, self.size // 2)


def longest(waits: Sequence[Wait | None]) -> Wait | None:
    """Give the wait that lasts longest."""
    found = [one for one in waits if one is not None]
    return max(found, key=lambda one: one.seconds, default=None)
