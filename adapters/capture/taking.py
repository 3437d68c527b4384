"""Rows become events, under locks: as the triggers would have written them."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import insert, literal, literal_column
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .apart import any_large, apart_values, keep_apart
from .chunks import Chunks
from .events import EVENTS
from .ground import Again, Ground

__all__ = ["capture_rows", "event_values"]

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
    ``Again``.
    """
    apart, values = apart_values(ground), event_values(ground, chunks, connection, op)
    if not apart and ground.backend != "mysql":
        return _write(chunks, connection, between, values)
    # Locks come first: MySQL sets ids of a statement aside before it comes to a row, and a row with
    # a large value must still have it when that is written.
    large = any_large(apart) if apart else literal(value=False)
    found = connection.execute(chunks.locked(chunks.rows(between, large, *chunks.order.reads)))
    rows = [(bool(is_large), chunks.order.place(place)) for is_large, *place in found]
    places = [place for is_large, place in rows if is_large]
    condition = between & ~large if places else between
    if _write(chunks, connection, condition, values) + len(places) != len(rows):
        raise Again
    for place in places:
        keep_apart(ground, chunks, connection, place, values, apart)
    return len(rows)


def event_values(
    ground: Ground, chunks: Chunks, connection: Connection, op: Literal["read", "reconcile"]
) -> dict[str, ColumnElement[Any]]:
    """Give what an event of a row has in each column of the capture table."""
    return {
        "source": literal(ground.source),
        "event_id": literal_column(_IDS[ground.backend]),
        "key": chunks.key,
        "op": literal(op),
        "after": chunks.image,
        "schema_hash": literal(ground.capture.shape.digest),
        "created_at": literal(ground.dialect.now(connection)),
        "priority": literal(_HISTORY),
    }


def _write(
    chunks: Chunks,
    connection: Connection,
    between: ColumnElement[bool],
    values: dict[str, ColumnElement[Any]],
) -> int:
    query = chunks.locked(chunks.rows(between, *values.values()))
    statement = insert(EVENTS).from_select(list(values), query)
    done = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return done.rowcount
