"""The columns that tell the rows of a table apart, as each database's own catalogue knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import cast, inspect, literal, select, table
from sqlalchemy import column as named
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Text, UserDefinedType

from .dialect import Shape
from .ground import Ground

__all__ = ["primary_key", "regclass", "unique_columns"]


def unique_columns(ground: Ground, connection: Connection) -> tuple[str, ...]:
    """Give the primary key, else the columns of a unique index that are never null; else none.

    SQLite takes nulls in a primary key, unless it is the row's own number or says NOT NULL.
    """
    shape = ground.capture.shape
    if ground.backend == "mysql":
        return _mysql(connection, shape)
    primary = primary_key(connection, shape)
    if ground.backend == "postgresql":
        never_null = _postgresql_never_null(connection, shape)
    else:
        declared = _sqlite_columns(connection, shape)
        if len(primary) == 1 and declared[primary[0]][0] == "INTEGER":
            return primary
        never_null = {name for name, (_, not_null) in declared.items() if not_null}
    candidates = [primary, *_indexes(connection, shape)]
    fitting = [one for one in candidates if one and never_null.issuperset(one)]
    return primary if primary in fitting else min(fitting, key=len, default=())


def primary_key(connection: Connection, shape: Shape) -> tuple[str, ...]:
    """Give the columns of the primary key, in its order; on SQLite they may be null."""
    found = inspect(connection).get_pk_constraint(shape.table, schema=shape.schema or None)
    return tuple(found["constrained_columns"])


def regclass(connection: Connection, shape: Shape) -> ColumnElement[Any]:
    """Give PostgreSQL's number of the table; a name alone would want a right on its schema."""
    if shape.schema:
        of = table("pg_class", *_names("oid", "relname", "relnamespace"), schema="pg_catalog")
        home = table("pg_namespace", *_names("oid", "nspname"), schema="pg_catalog")
        here = (of.c.relnamespace == home.c.oid) & (home.c.nspname == shape.schema)
        return select(of.c.oid).where(here, of.c.relname == shape.table).scalar_subquery()
    quote = connection.dialect.identifier_preparer.quote_identifier
    return cast(literal(quote(shape.table), Text), _Regclass())


class _Regclass(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "regclass"


def _indexes(connection: Connection, shape: Shape) -> list[tuple[str, ...]]:
    """Give the columns of unique indexes over whole rows of the table."""
    looked, schema = inspect(connection), shape.schema or None
    found = []
    for index in looked.get_indexes(shape.table, schema=schema):
        partial = any("where" in option for option in index.get("dialect_options", {}))
        names = index["column_names"]
        if index["unique"] and not partial and None not in names:
            found.append(tuple(name for name in names if name))
    constraints = looked.get_unique_constraints(shape.table, schema=schema)
    return found + [tuple(one["column_names"]) for one in constraints]


def _postgresql_never_null(connection: Connection, shape: Shape) -> set[str]:
    of = table("pg_attribute", *_names("attrelid", "attname", "attnotnull"), schema="pg_catalog")
    here = of.c.attrelid == regclass(connection, shape)
    return {
        str(one)
        for one in connection.execute(select(of.c.attname).where(here, of.c.attnotnull)).scalars()
    }


def _sqlite_columns(connection: Connection, shape: Shape) -> dict[str, tuple[str, bool]]:
    """Give each column's type as it was spelled, and whether it is never null."""
    asked = 'SELECT name, upper(type), "notnull" FROM pragma_table_info(?)'
    rows = connection.exec_driver_sql(asked, (shape.table,))
    return {str(name): (str(kind), bool(not_null)) for name, kind, not_null in rows}


def _mysql(connection: Connection, shape: Shape) -> tuple[str, ...]:
    """Read the indexes from the server: SQLAlchemy's inspector does not know all its types."""
    rows = connection.exec_driver_sql(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND TABLE_NAME = %s AND NON_UNIQUE = 0"
        " ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        (shape.schema or None, shape.table),
    )
    indexes: dict[str, list[str]] = {}
    unfit: set[str] = set()
    for index, name, part, nullable in rows:
        indexes.setdefault(index, []).append(str(name))
        if name is None or part is not None or nullable == "YES":
            unfit.add(index)
    if "PRIMARY" in indexes:
        return tuple(indexes["PRIMARY"])
    fitting = [tuple(names) for index, names in indexes.items() if index not in unfit]
    return min(fitting, key=len, default=())


def _names(*names: str) -> Sequence[Any]:
    return [named(name) for name in names]
