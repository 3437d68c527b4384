"""What the rows of a table must refer to: its foreign keys, as the database tells of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import msgspec
from sqlalchemy import Table, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SAWarning

__all__ = ["Foreign", "foreign_of"]


class Foreign(msgspec.Struct, frozen=True):
    """One foreign key: ``pairs`` are its columns, each with the one that it refers to."""

    schema: str
    name: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Its own columns."""
        return tuple(name for name, _ in self.pairs)

    @property
    def table(self) -> str:
        """The table that it refers to, with its schema where it is another one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def foreign_of(connection: Connection, table: Table) -> Sequence[Foreign]:
    """Read the foreign keys of a table. Raises what SQLAlchemy does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        found = inspect(connection).get_foreign_keys(table.name, table.schema)
    return [
        Foreign(
            one["referred_schema"] or "",
            one["referred_table"],
            tuple(zip(one["constrained_columns"], one["referred_columns"], strict=True)),
        )
        for one in found
        if len(one["constrained_columns"]) == len(one["referred_columns"])
    ]
