"""Requests that a side was asked twice: in what it differs from itself."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import func, select

from . import tables
from .database import Database
from .effects import Effect
from .line import Line
from .write import Write

__all__ = ["Doubled", "count_doubled", "doubled", "keep_doubled"]


class Doubled(msgspec.Struct, frozen=True, kw_only=True):
    """One request, asked twice of one side.

    ``noise`` are the fields in which the side's two answers differ; ``raw`` those in which legacy's
    and the replacement's do, None where only one side was asked. ``revision`` is the replacement's.
    """

    endpoint: str
    side: Literal["legacy", "replacement"]
    revision: str
    unit: str
    noise: tuple[str, ...]
    raw: tuple[str, ...] | None
    at: float


def keep_doubled(one: Doubled, request_id: str = "") -> Write:
    """Give what keeps it: a line of the journal, and its row where its unit is new."""
    line = Line(
        kind="noise",
        endpoint=one.endpoint,
        request_id=request_id,
        revision=one.revision,
        at=one.at,
        data={"side": one.side, "unit": one.unit, "noise": one.noise, "raw": one.raw},
    )
    raw = None if one.raw is None else _text(one.raw)
    values = (one.endpoint, one.side, one.revision, one.unit, _text(one.noise), raw, one.at)
    return Write(lines=(line,), effects=(Effect("noise", values),))


def doubled(database: Database, endpoint: str, revision: str) -> list[Doubled]:
    """Read what was asked twice of either side beside a revision. Blocks.

    Raises ``StoreUnavailable``.
    """
    if not database.has(tables.noise):
        return []
    kept = tables.noise.c
    query = select(tables.noise).where(kept.endpoint == endpoint, kept.revision == revision)
    with database.read() as connection:
        rows = connection.execute(query.order_by(kept.at, kept.unit)).all()
    return [
        Doubled(
            endpoint=row.endpoint,
            side=row.side,
            revision=row.revision,
            unit=row.unit,
            noise=_fields(row.noise),
            raw=None if row.raw is None else _fields(row.raw),
            at=row.at,
        )
        for row in rows
    ]


def count_doubled(database: Database, endpoint: str, revision: str, side: str) -> int:
    """Count them. Blocks; raises ``StoreUnavailable``."""
    if not database.has(tables.noise):
        return 0
    kept = tables.noise.c
    where = kept.endpoint == endpoint, kept.revision == revision, kept.side == side
    with database.read() as connection:
        query = select(func.count()).select_from(tables.noise).where(*where)
        return int(connection.execute(query).scalar_one())


def _text(fields: tuple[str, ...]) -> str:
    return msgspec.json.encode(fields).decode()


def _fields(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
