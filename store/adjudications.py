"""What was decided later of a difference that stood open."""

from __future__ import annotations

import time
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from . import tables
from .database import Database
from .effects import Effect
from .group import Inserts
from .line import Line
from .link import row
from .write import Write

__all__ = [
    "Adjudication",
    "adjudicate",
    "adjudicated",
    "change_winner",
    "decided_later",
    "winner_of",
    "write_it",
]


class Adjudication(msgspec.Struct, frozen=True, kw_only=True):
    """Who was right about a unit, as somebody said after it was compared.

    ``winner`` as in a comparison; ``open`` where those who decided no longer agree. ``who`` names
    the people, or the judge's revision. ``at`` is in seconds since the epoch.
    """

    endpoint: str
    revision: str
    unit: str
    winner: Literal["both", "legacy", "replacement", "neither", "open"]
    by: Literal["noise", "rule", "outcome", "judge", "people"]
    why: str = ""
    who: str = ""
    at: float = msgspec.field(default_factory=time.time)


def change_winner(one: Adjudication) -> Effect:
    """Change the evidence's row of its unit."""
    return Effect("adjudicate", (one.winner, one.endpoint, one.revision, one.unit))


def adjudicated(one: Adjudication, request_id: str = "") -> Write:
    """Give what the journal's writer is to write of it."""
    return Write(lines=(_line(one, request_id),), effects=(change_winner(one),))


def write_it(
    connection: Connection, inserts: Inserts, one: Adjudication, request_id: str = ""
) -> None:
    """Write its line and its change in a writing transaction that is under way."""
    inserts.lines(connection, [row(_line(one, request_id))])
    inserts.effects.write(connection, [change_winner(one)])


def adjudicate(database: Database, inserts: Inserts, one: Adjudication) -> bool:
    """Decide a unit that stands open; False where it does not any more. Blocks.

    Raises ``StoreUnavailable``.
    """
    with database.write() as connection:
        if winner_of(connection, one.endpoint, one.revision, one.unit) != "open":
            return False
        write_it(connection, inserts, one)
    return True


def winner_of(connection: Connection, endpoint: str, revision: str, unit: str) -> str | None:
    """Give a unit's winner as it stands; None where there is no such unit."""
    seen = tables.evidence.c
    query = select(seen.winner).where(
        seen.endpoint == endpoint, seen.revision == revision, seen.unit == unit
    )
    found = connection.execute(query).scalar()
    return None if found is None else str(found)


def decided_later(database: Database, endpoint: str, revision: str) -> dict[str, Adjudication]:
    """Give the last adjudication of each unit, from the journal. Blocks.

    Raises ``StoreUnavailable``.
    """
    lines = tables.journal.c
    query = select(lines.data).where(
        lines.endpoint == endpoint,
        lines.revision == revision,
        lines.kind == "adjudication",
        lines.digest.is_(None),
    )
    with database.read() as connection:
        texts = connection.execute(query.order_by(lines.id)).scalars().all()
    found = [msgspec.json.decode(text, type=Adjudication) for text in texts]
    return {one.unit: one for one in found}


def _line(one: Adjudication, request_id: str) -> Line:
    return Line(
        kind="adjudication",
        endpoint=one.endpoint,
        request_id=request_id,
        revision=one.revision,
        at=one.at,
        data=msgspec.structs.asdict(one),
    )
