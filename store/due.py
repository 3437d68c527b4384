"""Keys of which something waits whose time is over."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from . import tables
from .database import Database

__all__ = ["MOST", "due_keys"]

MOST: Final = 500
"""Keys that are given at once."""


def due_keys(database: Database, account: str, before: float) -> list[str]:
    """Give keys of requests that wait under a name since before a time, oldest first, each once.

    Blocks; raises ``StoreUnavailable``.
    """
    kept = tables.awaited.c
    query = (
        select(kept.key)
        .where(kept.state == "waiting", kept.until < before, kept.endpoint == account)
        .order_by(kept.until)
        .limit(MOST)
    )
    with database.read() as connection:
        return list(dict.fromkeys(connection.execute(query).scalars()))
