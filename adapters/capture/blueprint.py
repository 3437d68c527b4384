"""Our tables for kinds of databases that nobody runs here: the same columns, other types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from sqlalchemy import CheckConstraint, Column, MetaData, PrimaryKeyConstraint, Table, text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import BigInteger, Double, Integer, SmallInteger, TypeEngine

from .events import EVENTS, GAPS, LARGE

__all__ = ["Types", "numbered", "table_sql"]

_TABLES: Final = (EVENTS, GAPS, LARGE)
"""What triggers write to. The record of an installation and of walks is of those that are run."""
_MYSQL: Final = mysql.dialect()
_LEASED: Final = """(lease_token IS NULL AND lease_until IS NULL)
 OR (lease_token IS NOT NULL AND lease_until IS NOT NULL)"""


class Types(msgspec.Struct, frozen=True, kw_only=True):
    """What a database calls text of a bounded length, text and bytes without bounds.

    ``sequence`` gives the default of an id: never an identity column, whose numbers would show in
    legacy's own ``@@IDENTITY``.
    """

    short: Callable[[int], TypeEngine[str]]
    long: TypeEngine[str]
    bytes: TypeEngine[bytes]
    sequence: Callable[[str], str]


def numbered() -> list[str]:
    """Give the names of our tables whose ids come from a sequence, ``<name>_id``."""
    return [table.name for table in _TABLES if "id" in table.columns]


def table_sql(dialect: Dialect, types: Types, schema: str = "") -> dict[str, str]:
    """Give the statement that creates each of our tables, by its name."""
    made = {}
    for table in _TABLES:
        columns = [_column(table, column, types) for column in table.columns]
        rules: list[CheckConstraint | PrimaryKeyConstraint] = [
            PrimaryKeyConstraint(*table.primary_key.columns.keys(), name=f"pk_{table.name}")
        ]
        if table is EVENTS:
            rules.append(CheckConstraint(_LEASED, name="fig_event_leased"))
        copy = Table(table.name, MetaData(), *columns, *rules, schema=schema or None)
        sql = str(CreateTable(copy).compile(dialect=dialect))
        made[table.name] = "\n".join(line.rstrip() for line in sql.strip().splitlines())
    return made


def _column(table: Table, column: Column[Any], types: Types) -> Column[Any]:
    if column.name == "id":
        following = text(types.sequence(f"{table.name}_id"))
        return Column("id", BigInteger(), server_default=following, autoincrement=False)
    return Column(
        column.name,
        _type(column.type, types),
        nullable=column.nullable,
        server_default=None if column.server_default is None else text("0"),
        autoincrement=False,
    )


def _type(kind: TypeEngine[Any], types: Types) -> TypeEngine[Any]:
    known = kind.dialect_impl(_MYSQL)
    if isinstance(known, mysql.VARCHAR):
        return types.short(known.length or 255)
    if isinstance(known, mysql.LONGTEXT):
        return types.long
    if isinstance(known, mysql.LONGBLOB):
        return types.bytes
    for plain in (BigInteger, SmallInteger, Integer, Double):
        if isinstance(kind, plain):
            return plain()
    raise TypeError(f"a type without a counterpart: {kind!r}")
