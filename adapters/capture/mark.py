"""How far a walk has come, kept in the legacy database beside what it captured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ...errors import LegacyUnavailable
from .events import BACKFILLS
from .ground import Ground
from .owner import is_gone, new_token

__all__ = ["Kind", "Mark", "Stand", "Unmarked"]

Kind = Literal["backfill", "baseline", "reconcile"]

_LEASE: Final = 60.0
"""Seconds of silence after which a walk of another host may be gone on with."""


class Stand(msgspec.Struct, frozen=True):
    """How far a walk has come. ``at`` is its own place, empty where it has not begun."""

    kind: str
    state: str
    rows: int
    total: int
    started_at: float
    seen_at: float
    owner: str
    at: Mapping[str, object]


class Mark:
    """The mark of one walk of one source, held by one process at a time.

    Every change of it is fenced by the holder's token, in the transaction of what it stands for:
    who lost it can write nothing more. Its methods raise what SQLAlchemy does, and
    ``LegacyUnavailable``.
    """

    def __init__(self, ground: Ground, kind: Kind) -> None:
        self._ground, self.kind = ground, kind
        self._token = new_token()
        columns = BACKFILLS.c
        self._mine = (columns.source == ground.source, columns.kind == kind)

    def look(self, connection: Connection) -> Stand | None:
        """Give how far it has come, None where it never began. Changes nothing."""
        row = connection.execute(select(BACKFILLS).where(*self._mine)).mappings().first()
        if row is None:
            return None
        return Stand(
            kind=row["kind"],
            state=row["state"],
            rows=row["rows"],
            total=row["total"],
            started_at=row["started_at"],
            seen_at=row["at"],
            owner=row["owner"] or "",
            at=json.loads(row["last_key"] or "{}"),
        )

    def take(self, connection: Connection, *, restart: bool) -> Stand:
        """Become the holder, in a transaction that is under way.

        Raises ``LegacyUnavailable`` while another process holds it, whose end nobody knows of.
        """
        now = self._ground.dialect.now(connection)
        found = self.look(connection)
        if found is not None and self._is_held(found, now):
            raise LegacyUnavailable(
                "another process walks this table already",
                place=f"{self._ground.place}: {self.kind}",
                value=found.owner.rpartition(":")[0],
                expected=f"one at a time; it was seen {max(0, now - found.seen_at):.0f} s ago",
                remedy=f"stop it, or wait: after {_LEASE:.0f} s of silence this one goes on",
            )
        if found is None or restart or found.state == "done":
            connection.execute(delete(BACKFILLS).where(*self._mine))
            self._begin(connection, now)
        else:
            values = {"state": "running", "at": now, "owner": self._token}
            self._write(connection, values, owner=found.owner or None)
        taken = self.look(connection)
        if taken is None or taken.owner != self._token:
            raise self._lost()
        return taken

    def advance(
        self, connection: Connection, at: Mapping[str, object], *, rows: int, total: int
    ) -> None:
        """Write how far it has come, in the transaction of what was captured.

        Raises ``LegacyUnavailable`` where another process has taken it over.
        """
        values = {"last_key": json.dumps(at), "rows": rows, "total": total}
        self._write(connection, {**self._now(connection), **values})

    def touch(self, connection: Connection) -> None:
        """Say that the holder lives, while it waits."""
        self._write(connection, self._now(connection))

    def leave(self, connection: Connection, state: Literal["paused", "done"]) -> None:
        """Give it up."""
        self._write(connection, {**self._now(connection), "state": state, "owner": None})

    def _is_held(self, found: Stand, now: float) -> bool:
        if not found.owner or is_gone(found.owner):
            return False
        return now - found.seen_at < _LEASE

    def _begin(self, connection: Connection, now: float) -> None:
        row = {
            "source": self._ground.source,
            "kind": self.kind,
            "last_key": "{}",
            "rows": 0,
            "total": 0,
            "state": "running",
            "started_at": now,
            "at": now,
            "owner": self._token,
        }
        try:
            connection.execute(insert(BACKFILLS).values(**row))
        except IntegrityError:
            raise self._lost() from None

    def _now(self, connection: Connection) -> dict[str, object]:
        return {"at": self._ground.dialect.now(connection)}

    def _write(
        self, connection: Connection, values: Mapping[str, object], *, owner: str | None = ""
    ) -> None:
        holder = BACKFILLS.c.owner == (self._token if owner == "" else owner)
        statement = update(BACKFILLS).where(*self._mine, holder).values(**values)
        if connection.execute(statement).rowcount != 1:
            raise self._lost()

    def _lost(self) -> LegacyUnavailable:
        return LegacyUnavailable(
            "another process has taken this walk over; nothing of this chunk was written",
            place=f"{self._ground.place}: {self.kind}",
            remedy="let that one go on",
        )


class Unmarked:
    """The mark of a walk that leaves none: one that looks only, and may be one of many."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def take(self, connection: Connection, *, restart: bool) -> Stand:
        """Begin at the beginning."""
        del connection, restart
        return Stand(self.kind, "running", 0, 0, 0.0, 0.0, "", {})

    def advance(
        self, connection: Connection, at: Mapping[str, object], *, rows: int, total: int
    ) -> None:
        """Write nothing."""

    def touch(self, connection: Connection) -> None:
        """Write nothing."""

    def leave(self, connection: Connection, state: Literal["paused", "done"]) -> None:
        """Write nothing."""
