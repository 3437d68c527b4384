"""By what the rows of a table are told apart: its own key, or where each row lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import column as named
from sqlalchemy import func, literal, literal_column, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from ...errors import LegacyError
from .dialect import Shape
from .ground import Ground
from .order import Order, Step, step
from .unique import primary_key, regclass, unique_columns

__all__ = ["Address", "address", "estimate", "moved", "steps_over"]

_ROWIDS: Final = ("rowid", "_rowid_", "oid")


class Address(NamedTuple):
    """``columns`` tell the rows apart; empty where only the place where a row lies does.

    ``epoch`` is not empty where rows are walked by these places; it changes when they are moved,
    and a walk cannot be gone on with then.
    """

    columns: tuple[str, ...]
    order: Order
    epoch: str


def address(ground: Ground, connection: Connection, row: FromClause) -> Address:
    """Find by what the rows of ``row`` are told apart. Raises ``LegacyError`` where by nothing."""
    row_values = ground.backend != "mysql"
    columns = unique_columns(ground, connection)
    if columns:
        steps = steps_over(ground, connection, row, columns)
        return Address(columns, Order(steps, row_values=row_values), "")
    lies, epoch = _lies(ground, connection)
    # A primary key of SQLite that may be null is no order, and tells rows apart all the same.
    primary = primary_key(connection, ground.capture.shape) if ground.backend == "sqlite" else ()
    return Address(primary, Order([lies], row_values=row_values), epoch)


def steps_over(
    ground: Ground, connection: Connection, row: FromClause, columns: Sequence[str]
) -> list[Step]:
    """Give the steps over columns of a row."""
    shape = ground.capture.shape
    written = ground.dialect.columns(connection, shape.table, shape.schema)
    if ground.backend == "postgresql":
        written = {name: _written(connection, shape, name) for name in columns}
    return [step(ground.backend, row.c[name], written[name]) for name in columns]


def estimate(ground: Ground, connection: Connection) -> int:
    """Say about how many rows there are: exactly on SQLite, elsewhere as the statistics know."""
    shape = ground.capture.shape
    if ground.backend == "sqlite":
        count = select(func.count()).select_from(table(shape.table))
        return int(connection.execute(count).scalar_one())
    if ground.backend == "postgresql":
        of = table("pg_class", named("oid"), named("reltuples"))
        query = select(of.c.reltuples).where(of.c.oid == regclass(connection, shape))
    else:
        schema = literal(shape.schema) if shape.schema else func.database()
        of = table(
            "tables",
            named("table_rows"),
            named("table_name"),
            named("table_schema"),
            schema="information_schema",
        )
        query = select(of.c.table_rows).where(
            of.c.table_name == shape.table, of.c.table_schema == schema
        )
    return max(0, int(connection.execute(query).scalar() or 0))


def moved(ground: Ground) -> LegacyError:
    """Say that a walk by rows' places cannot be gone on with."""
    return LegacyError(
        "the rows were moved since the walk began, and it goes by where they lie",
        place=ground.place,
        expected="no VACUUM and no other change of the table's file meanwhile",
        remedy="begin anew with --restart; a primary key would avoid it",
    )


def _lies(ground: Ground, connection: Connection) -> tuple[Step, str]:
    shape = ground.capture.shape
    if ground.backend == "postgresql":
        where: ColumnElement[Any] = literal_column(f"{ground.row}.ctid")
        file = select(func.pg_relation_filenode(regclass(connection, shape)))
        return step("postgresql", where, "tid"), str(connection.scalar(file))
    taken = {name.lower() for name in shape.all_columns}
    free = next((name for name in _ROWIDS if name not in taken), None)
    if ground.backend == "sqlite" and free is not None:
        # VACUUM numbers rows anew, and counts as a change of the schema.
        epoch = str(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
        return step("sqlite", literal_column(f"{ground.row}.{free}"), ""), epoch
    raise LegacyError(
        "has nothing by which its rows can be told apart",
        place=ground.place,
        expected="a primary key, or a unique index over columns that are never null",
        remedy="add one; what changes from now on is captured all the same",
    )


def _written(connection: Connection, shape: Shape, name: str) -> str:
    """Give a column's type as PostgreSQL takes it in a cast, its length and its schema included."""
    wanted = ("attrelid", "attname", "atttypid", "atttypmod")
    of = table("pg_attribute", *(named(one) for one in wanted), schema="pg_catalog")
    query = select(func.format_type(of.c.atttypid, of.c.atttypmod)).where(
        of.c.attrelid == regclass(connection, shape), of.c.attname == name
    )
    return str(connection.execute(query).scalar_one())
