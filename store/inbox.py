"""The inbox: which messages a consumer has taken already."""

from __future__ import annotations

from sqlalchemy import select

from .database import Database
from .tables import inbox

__all__ = ["Inbox"]


class Inbox:
    """Reads marks; they are set by ``Write.inbox``, in the transaction of what was done.

    Blocks: an event loop calls it in a thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, consumer: str, message_id: str) -> str | None:
        """Give the payload hash under which a message was taken; None where it was not.

        For looking before work that costs much: only the write itself decides. Raises
        ``StoreUnavailable``.
        """
        query = select(inbox.c.payload_hash).where(
            inbox.c.consumer == consumer, inbox.c.message_id == message_id
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else str(found)
