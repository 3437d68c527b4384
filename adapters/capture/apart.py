"""Values of existing rows that are too large for an event, as the triggers set them apart."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import insert, literal, literal_column, or_
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from .chunks import Chunks
from .events import EVENTS, LARGE
from .ground import Ground
from .mysql.values import value as mysql_value
from .order import Place
from .postgresql.columns import is_large
from .postgresql.row import columns_of, image_apart
from .postgresql.words import quoted
from .sqlite.words import ident

__all__ = ["Apart", "any_large", "apart_values", "image_of_event", "keep_apart", "keep_values"]

_ENCODING: Final = "CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END"


class Apart(msgspec.Struct, frozen=True):
    """A column whose values may be large, in SQL: when one is, its size, its kind, its bytes."""

    place: int
    condition: str
    bytes: str
    kind: str
    value: str


def apart_values(ground: Ground) -> Sequence[Apart]:
    """Give the columns of a table whose values may be too large for an event."""
    return {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[ground.backend](ground)


def any_large(columns: Sequence[Apart]) -> ColumnElement[bool]:
    """Give the condition that a row has such a value."""
    return or_(*(literal_column(f"coalesce({one.condition}, false)") for one in columns))


def keep_apart(
    ground: Ground,
    chunks: Chunks,
    connection: Connection,
    place: Place,
    values: dict[str, ColumnElement[Any]],
    columns: Sequence[Apart],
) -> None:
    """Write the event of a locked row with large values, and these beside it.

    ``values`` are those of an event, of which its own id and its image are made anew.
    """
    event_id, at = uuid.uuid4().hex, chunks.order.at(place)
    image = image_of_event(ground, chunks, event_id)
    values = {**values, "event_id": literal(event_id), "after": image}
    row = chunks.rows(at, *values.values(), all_rows=True)
    connection.execute(insert(EVENTS).from_select(list(values), row))
    keep_values(ground, chunks, connection, place, event_id, columns)


def keep_values(
    ground: Ground,
    chunks: Chunks,
    connection: Connection,
    place: Place,
    event_id: str,
    columns: Sequence[Apart],
) -> None:
    """Write the large values of a row beside an event of it."""
    at, now = chunks.order.at(place), ground.dialect.now(connection)
    for one in columns:
        kept: dict[str, ColumnElement[Any]] = {
            "ref": literal(f"{event_id}-{one.place}"),
            "source": literal(ground.source),
            "bytes": literal_column(one.bytes),
            "kind": literal_column(one.kind),
            "value": literal_column(one.value),
            "created_at": literal(now),
        }
        large = at & literal_column(one.condition)
        query = chunks.rows(large, *kept.values(), all_rows=True)
        connection.execute(insert(LARGE).from_select(list(kept), query))


def image_of_event(ground: Ground, chunks: Chunks, event_id: str) -> ColumnElement[Any]:
    """Give the image as an event has it; only PostgreSQL's says where a large value is kept."""
    if ground.backend != "postgresql":
        return chunks.image
    most, row = ground.capture.large, ground.row
    columns = columns_of(ground.capture.shape, most)
    image = image_apart(
        columns,
        value=lambda at: columns[at].of(row),
        large=lambda at: is_large(columns[at], row, most),
        reference=lambda at: quoted(f"{event_id}-{at}"),
    )
    return literal_column(image)


def _sqlite(ground: Ground) -> list[Apart]:
    found = []
    for place, (name, _) in enumerate(ground.capture.shape.columns):
        column = f"{ground.row}.{ident(name)}"
        raw = f"CAST({column} AS BLOB)"
        # Text is kept in UTF-8 only, as the triggers do.
        utf8 = f"(typeof({column}) = 'blob' OR CAST('a' AS BLOB) = X'61')"
        is_long = f"length({raw}) > {ground.capture.large} AND typeof({column}) IN ('text', 'blob')"
        kind = f"substr(typeof({column}), 1, 1)"
        found.append(Apart(place, f"({is_long} AND {utf8})", f"length({raw})", kind, raw))
    return found


def _postgresql(ground: Ground) -> list[Apart]:
    found = []
    columns = columns_of(ground.capture.shape, ground.capture.large)
    for place, one in enumerate(columns):
        if one.size == "small":
            continue
        value = one.of(ground.row)
        written = value if one.base == "bytea" else f"{value}::text"
        raw = value if one.base == "bytea" else f"convert_to({written}, {_ENCODING})"
        condition = is_large(one, ground.row, ground.capture.large)
        size, kind = f"octet_length({written})", f"'{one.letter}'"
        found.append(Apart(place, f"({condition})", size, kind, raw))
    return found


def _mysql(ground: Ground) -> list[Apart]:
    found = []
    for place, (name, declared) in enumerate(ground.capture.shape.columns):
        one = mysql_value(name, declared, ground.row, ground.capture.large)
        if one.bytes:
            condition = f"({one.bytes} > {ground.capture.large})"
            found.append(Apart(place, condition, one.bytes, f"'{one.kind}'", one.raw))
    return found
