"""The dead letters that somebody has decided on, under leases, until a bridge has done it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    delete,
    exists,
    or_,
    select,
    true,
    update,
)

from . import link
from .database import Database
from .dead_letters import Kept, decided_line, kept
from .group import Inserts
from .line import Line
from .tables import dead_letters

__all__ = ["Ending", "Replay", "Replaying"]

_DECIDED: Final = ("replay", "drop")
_WHO: Final = "bridge"


class Replay(msgspec.Struct, frozen=True):
    """A dead letter under a lease. ``tries`` counts its leases since it was asked for."""

    kept: Kept
    token: str
    tries: int


class Ending(msgspec.Struct, frozen=True):
    """What a leased one came to; ``again``: nobody is to take it before ``next_at``."""

    number: int
    token: str
    outcome: Literal["replayed", "dropped", "dead again", "again"]
    reason: str = ""
    next_at: float = 0.0


class Replaying:
    """Leases decided dead letters and ends them. Used by ``bridge.Replays``; several may share it.

    A lease's token holds how often it was taken, so that a replay that kills its process is seen.
    Of a key only the oldest is handed out. Blocks: an event loop calls it in a thread. Every method
    raises ``StoreUnavailable``; ``now`` is in seconds since the epoch.
    """

    def __init__(self, database: Database, lease: float) -> None:
        self._database = database
        self._lease = lease
        self._inserts = Inserts(database.engine)

    def claim(self, limit: int, now: float) -> list[Replay]:
        """Lease up to ``limit``, oldest first."""
        query = _due(now).limit(limit)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        if not found:
            return []
        with self._database.write(chained=False) as connection:
            claimed = [self._lease_one(connection, one, now) for one in found]
        return [one for one in claimed if one is not None]

    def renew(self, held: Mapping[int, str], now: float) -> None:
        """Put off the end of these leases (token by number)."""
        self._each(held, {"lease_until": now + self._lease})

    def give_back(self, held: Mapping[int, str]) -> None:
        """End these leases; whoever comes next may take them."""
        self._each(held, {"lease_until": None})

    def end(self, endings: Sequence[Ending]) -> list[bool]:
        """Write all in one transaction; give False for each whose lease was lost.

        What was written as a dead letter of its own by a replay becomes part of the old one: it is
        one record still. All but ``again`` leave a journal line.
        """
        chained = any(one.outcome != "again" for one in endings)
        with self._database.write(chained=chained) as connection:
            lines: list[Line] = []
            ended = [_end(connection, one, lines) for one in endings]
            if lines:
                self._inserts.lines(connection, [link.row(line) for line in lines])
        return ended

    def _lease_one(
        self, connection: Connection, found: Row[tuple[object, ...]], now: float
    ) -> Replay | None:
        tries = _tries(found.lease_token) + 1
        token = f"{tries}:{uuid.uuid4().hex}"
        claim = (
            update(dead_letters)
            .where(dead_letters.c.id == found.id, dead_letters.c.state == found.state, _free(now))
            .values(lease_token=token, lease_until=now + self._lease)
        )
        taken = connection.execute(claim).rowcount == 1
        return Replay(kept(found), token, tries) if taken else None

    def _each(self, held: Mapping[int, str], values: Mapping[str, object]) -> None:
        if held:
            with self._database.write(chained=False) as connection:
                for number, token in held.items():
                    connection.execute(_mine(number, token).values(values))


def _end(connection: Connection, ending: Ending, lines: list[Line]) -> bool:
    found = _locked(connection, ending.number, ending.token)
    if found is None:
        return False
    values: dict[str, object] = {"lease_until": None}
    if ending.outcome == "again":
        values["next_at"] = ending.next_at
    else:
        values["lease_token"] = None
        values["state"] = "kept" if ending.outcome == "dead again" else ending.outcome
        line = decided_line(kept(found), ending.outcome, who=_WHO, why=ending.reason)
        lines.append(line)
    if ending.outcome == "dead again":
        values |= {"replays": found.replays + 1, "reason": ending.reason}
        newest = _take_newer(connection, found)
        if newest is not None:
            same = ("reason", "error", "chain", "versions", "attempts")
            values |= {name: getattr(newest, name) for name in same}
    connection.execute(_mine(ending.number, ending.token).values(values))
    return True


def _due(now: float) -> Select[tuple[object, ...]]:
    columns, older = dead_letters.c, dead_letters.alias("older")
    same_key = exists().where(
        older.c.state == "replay",
        older.c.source == columns.source,
        older.c.key == columns.key,
        older.c.id < columns.id,
        columns.key != "",
        columns.state == "replay",
    )
    return (
        select(dead_letters)
        .where(columns.state.in_(_DECIDED), columns.next_at <= now, _free(now), ~same_key)
        .order_by(columns.id)
    )


def _free(now: float) -> ColumnElement[bool]:
    return or_(dead_letters.c.lease_until.is_(None), dead_letters.c.lease_until < now)


def _mine(number: int, token: str) -> Update:
    columns = dead_letters.c
    return update(dead_letters).where(and_(columns.id == number, columns.lease_token == token))


def _locked(connection: Connection, number: int, token: str) -> Row[tuple[object, ...]] | None:
    columns = dead_letters.c
    query = select(dead_letters).where(columns.id == number, columns.lease_token == token)
    return connection.execute(query.with_for_update()).first()


def _take_newer(
    connection: Connection, found: Row[tuple[object, ...]]
) -> Row[tuple[object, ...]] | None:
    """Give the newest dead letter of the same record, and remove all that are newer than it."""
    columns = dead_letters.c
    newer = and_(
        columns.source == found.source,
        columns.position == found.position,
        true() if not found.endpoint else columns.endpoint == found.endpoint,
        columns.id > found.id,
        columns.state == "kept",
    )
    query = select(dead_letters).where(newer).order_by(columns.id.desc()).limit(1)
    newest = connection.execute(query).first()
    if newest is not None:
        connection.execute(delete(dead_letters).where(newer))
    return newest


def _tries(token: object) -> int:
    tries, _, rest = str(token or "").partition(":")
    return int(tries) if rest and tries.isdigit() else 0
