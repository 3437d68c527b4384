"""Sets a group's inbox marks, all at once, and says which of its messages came before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, select

from ..errors import Conflict
from . import tables
from .additions import Additions

__all__ = ["CameBefore", "Mark", "Marks"]

Mark = tuple[str, str, str, float, str | None]
"""consumer, message_id, payload_hash, at and result."""

_Told = tuple[str, str, str]  # consumer, message_id and payload_hash


class CameBefore(Exception):
    """Some message of a group came before; nobody knows which. Told to the writer only."""


class Marks:
    """Sets marks in a transaction that is under way, and alone writes."""

    def __init__(self, engine: Engine) -> None:
        self._tells = engine.dialect.name == "postgresql"
        self._inbox = Additions(engine, tables.inbox, "consumer, message_id, payload_hash")

    def set(
        self, connection: Connection, marks: Sequence[Mark], *, hopeful: bool = False
    ) -> list[bool | Conflict]:
        """Set marks in their order; say of each whether it was new, or came with other bytes.

        ``hopeful``: in the quickest way, where all are new. Raises ``CameBefore`` where they are
        not and the database does not tell which: the transaction is to be given up then.
        """
        if self._tells:
            done = self._set_telling(connection, marks)
        elif hopeful:
            self._set_all(connection, marks)
            done = None
        else:
            done = Counter(mark[:3] for mark in marks if self._inbox.add(connection, [mark])[0])
        if done is None:
            return [True] * len(marks)
        return [_judge(connection, mark, done) for mark in marks]

    def _set_telling(self, connection: Connection, marks: Sequence[Mark]) -> Counter[_Told] | None:
        """Give the marks that were new, or None where all were."""
        new, told = self._inbox.add(connection, marks)
        return None if new == len(marks) else Counter(told)

    def _set_all(self, connection: Connection, marks: Sequence[Mark]) -> None:
        # SQLite does not tell which were new before 3.35.
        if self._inbox.add(connection, marks)[0] < len(marks):
            raise CameBefore


def _judge(connection: Connection, mark: Mark, done: Counter[_Told]) -> bool | Conflict:
    consumer, message_id, payload_hash, *_ = mark
    told = (consumer, message_id, payload_hash)
    if done[told]:
        done[told] -= 1  # the same message may be twice in a group
        return True
    kept = tables.inbox.c
    query = select(kept.payload_hash).where(
        kept.consumer == consumer, kept.message_id == message_id
    )
    found = connection.execute(query).scalar_one()
    if found == payload_hash:
        return False
    return Conflict(
        "a message came again under its id with other bytes",
        place=f"inbox of {consumer}: message {message_id}",
        value=f"payload hash {payload_hash}",
        expected=f"payload hash {found}",
        remedy="keep it as a dead letter, and ask the sender which of the two holds",
    )
