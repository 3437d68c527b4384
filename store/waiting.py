"""How much waits in the store: for a person, for its turn, for legacy's word."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Table, func, select
from sqlalchemy.sql import ColumnElement, Select

from . import tables
from .database import Database
from .dual_work import Lag, lags

__all__ = ["Waiting", "count_waiting"]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of rows.

    ``dead`` letters that nobody decided on, ``replays`` asked for and not done, ``outgoing``
    messages unsent (the oldest ``outgoing_age`` seconds old), ``outcomes`` that legacy owes.
    ``dual`` says by endpoint how far its two sides are apart, where they are.
    """

    dead: int = 0
    replays: int = 0
    outgoing: int = 0
    outgoing_age: float = 0.0
    outcomes: int = 0
    dual: Mapping[str, Lag] = {}


def count_waiting(database: Database, now: float) -> Waiting:
    """Count. ``now`` is in seconds since the epoch. Blocks; raises ``StoreUnavailable``."""
    letters, unsent = tables.dead_letters, tables.outbox.c.sent_at.is_(None)
    with database.read() as connection:
        oldest = connection.execute(select(func.min(tables.outbox.c.at)).where(unsent)).scalar()
        return Waiting(
            dead=connection.execute(_count(letters, letters.c.state == "kept")).scalar_one(),
            replays=connection.execute(_count(letters, letters.c.state == "replay")).scalar_one(),
            outgoing=connection.execute(_count(tables.outbox, unsent)).scalar_one(),
            outgoing_age=0.0 if oldest is None else max(0.0, now - float(oldest)),
            outcomes=connection.execute(
                _count(tables.awaited, tables.awaited.c.state == "waiting")
            ).scalar_one(),
            dual=lags(connection) if database.has(tables.dual_writes) else {},
        )


def _count(table: Table, where: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(where)
