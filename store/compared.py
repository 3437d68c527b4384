"""The comparisons that count as evidence: the first of each unit, as the journal holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import select

from ..model import Payload
from . import tables
from .database import Database

__all__ = ["Seen", "seen"]

_PAGE: Final = 2_000


class Seen(msgspec.Struct, frozen=True):
    """What of a comparison is needed to count by field, and to give an example."""

    unit: str
    differs: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    legacy: Payload = {}
    replacement: Payload = {}


def seen(database: Database, endpoint: str, revision: str) -> Iterator[Seen]:
    """Give the first comparison of each unit, newest first, in short reads. Blocks.

    Those whose line has lost its data by its age are left out. Raises ``StoreUnavailable``.
    """
    unit, lines = tables.evidence.c, tables.journal.c
    decode = msgspec.json.Decoder(Seen).decode
    before: int | None = None
    while True:
        query = (
            select(lines.id, lines.data)
            .join(tables.evidence, unit.line == lines.id)
            .where(unit.endpoint == endpoint, unit.revision == revision)
            .where(lines.kind == "comparison", lines.digest.is_(None))
            .order_by(lines.id.desc())
            .limit(_PAGE)
        )
        if before is not None:
            query = query.where(lines.id < before)
        with database.read() as connection:
            rows = connection.execute(query).all()
        yield from (decode(text) for _, text in rows)
        if len(rows) < _PAGE:
            return
        before = int(rows[-1][0])
