"""What the inbox knows of deliveries that may have come before: many in one look."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from .database import Database
from .tables import inbox

__all__ = ["Known", "Mark"]


class Mark(msgspec.Struct, frozen=True):
    """A message that was taken: the digest of its bytes, and what it came to, as JSON text."""

    payload_hash: str
    result: str | None


class Known:
    """Reads marks. Blocks: an event loop calls it in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mark]:
        """Give the marks of those messages, by consumer and id, that were taken.

        For looking before work that costs much: only the write itself decides. Raises
        ``StoreUnavailable``.
        """
        ids: dict[str, list[str]] = {}
        for consumer, message_id in asked:
            ids.setdefault(consumer, []).append(message_id)
        found: dict[tuple[str, str], Mark] = {}
        columns = (inbox.c.message_id, inbox.c.payload_hash, inbox.c.result)
        with self._database.read() as connection:
            for consumer, some in ids.items():
                query = select(*columns).where(
                    inbox.c.consumer == consumer, inbox.c.message_id.in_(some)
                )
                for message_id, payload_hash, result in connection.execute(query):
                    found[consumer, message_id] = Mark(payload_hash, result)
        return found
