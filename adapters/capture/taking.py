"""Rows become events, under locks: as the triggers would have written them."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import insert, literal, literal_column
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .chunks import Chunks
from .events import EVENTS
from .ground import Ground, Moved

__all__ = ["capture_rows"]

_HISTORY: Final = 9
_IDS: Final = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "CAST(gen_random_uuid() AS text)",
    "mysql": "MD5(UUID())",
}


def capture_rows(
    ground: Ground,
    chunks: Chunks,
    connection: Connection,
    between: ColumnElement[bool],
    op: Literal["read", "reconcile"],
) -> int:
    """Lock rows and write an event of each, in a transaction under way; say how many.

    Raises what SQLAlchemy does, where ``Dialect.is_busy`` knows a row that legacy holds, and
    ``Moved``.
    """
    locked = -1
    if ground.backend == "mysql":
        # Here the ids of a statement are set aside before it comes to a row: so rows come first.
        found = connection.execute(chunks.locked(chunks.rows(between, literal(1))))
        locked = len(found.all())
    values: dict[str, ColumnElement[Any]] = {
        "source": literal(ground.source),
        "event_id": literal_column(_IDS[ground.backend]),
        "key": chunks.key,
        "op": literal(op),
        "after": chunks.image,
        "schema_hash": literal(ground.capture.shape.digest),
        "created_at": literal(ground.dialect.now(connection)),
        "priority": literal(_HISTORY),
    }
    query = chunks.locked(chunks.rows(between, *values.values()))
    statement = insert(EVENTS).from_select(list(values), query)
    written = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    if locked not in (-1, written):
        raise Moved
    return written
