"""Many rows as one value of a PostgreSQL statement: a fraction of what many statements cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine, Table
from sqlalchemy.dialects import postgresql

__all__ = ["Rows", "rows_of"]

_encode = msgspec.json.Encoder().encode
_TYPES = postgresql.dialect(paramstyle="named").type_compiler_instance  # type: ignore[no-untyped-call]


class Rows(NamedTuple):
    """A table's columns, divided by commas, and what stands behind FROM: it takes one value."""

    names: str
    source: str

    def encoded(self, rows: Iterable[Sequence[object]]) -> str:
        """Give that value: rows whose values stand in the order of the columns.

        Raises ``UnicodeError`` for text that cannot be stored.
        """
        names = self.names.split(", ")
        return _encode([dict(zip(names, row, strict=True)) for row in rows]).decode()


def rows_of(engine: Engine, table: Table) -> Rows | None:
    """Give the way for a table of ours; None on SQLite, where a statement a row costs nothing."""
    if engine.dialect.name != "postgresql":
        return None
    quote = engine.dialect.identifier_preparer.quote
    names = [quote(column.name) for column in table.columns]
    if names != [column.name for column in table.columns]:
        raise ValueError(f"{table.name}: a column whose name is quoted")
    kinds = [f"{column.name} {_TYPES.process(column.type)}" for column in table.columns]
    return Rows(", ".join(names), f"json_to_recordset(%s::json) AS given ({', '.join(kinds)})")
