"""By what the rows of a table are told apart: its own key, or where each row lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import cast, func, inspect, literal, literal_column, select, table
from sqlalchemy import column as named
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import NullType, Text, UserDefinedType

from ...errors import LegacyError
from .dialect import Shape
from .ground import Ground
from .order import Order, Step, step

__all__ = ["Address", "address", "estimate", "moved", "steps_over"]

_ROWIDS: Final = ("rowid", "_rowid_", "oid")


class Address(NamedTuple):
    """``columns`` tell the rows apart; empty where rows are told apart by where they lie.

    ``epoch`` changes when they are moved: a walk by such places cannot be gone on with then.
    """

    columns: tuple[str, ...]
    order: Order
    epoch: str


def address(ground: Ground, connection: Connection, row: FromClause) -> Address:
    """Find by what the rows of ``row`` are told apart. Raises ``LegacyError`` where by nothing."""
    row_values = ground.backend != "mysql"
    columns = _unique(ground, connection)
    if columns:
        steps = steps_over(ground, connection, row, columns)
        return Address(columns, Order(steps, row_values=row_values), "")
    lies, epoch = _lies(ground, connection)
    return Address((), Order([lies], row_values=row_values), epoch)


def steps_over(
    ground: Ground, connection: Connection, row: FromClause, columns: Sequence[str]
) -> list[Step]:
    """Give the steps over columns of a row."""
    kinds = {one["name"]: one["type"] for one in _columns(connection, ground.capture.shape)}
    return [
        step(ground.backend, row.c[name], kinds[name], _written(ground, connection, name))
        for name in columns
    ]


def estimate(ground: Ground, connection: Connection) -> int:
    """Say about how many rows there are: exactly on SQLite, elsewhere as the statistics know."""
    shape = ground.capture.shape
    if ground.backend == "sqlite":
        count = select(func.count()).select_from(table(shape.table))
        return int(connection.execute(count).scalar_one())
    if ground.backend == "postgresql":
        of = table("pg_class", named("oid"), named("reltuples"))
        query = select(of.c.reltuples).where(of.c.oid == _regclass(connection, shape))
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


def _unique(ground: Ground, connection: Connection) -> tuple[str, ...]:
    """Give the primary key, else the columns of a unique index that are never null."""
    shape, looked = ground.capture.shape, inspect(connection)
    schema = shape.schema or None
    primary = tuple(looked.get_pk_constraint(shape.table, schema=schema)["constrained_columns"])
    never_null = {one["name"] for one in _columns(connection, shape) if not one["nullable"]}
    # SQLite takes nulls in a primary key, unless it is the row's own number or says NOT NULL.
    if primary and (ground.backend != "sqlite" or _is_rowid(connection, shape, primary)):
        return primary
    candidates = [primary] if primary else []
    for index in looked.get_indexes(shape.table, schema=schema):
        names = index["column_names"]
        whole = not any("where" in option for option in index.get("dialect_options", {}))
        if index["unique"] and whole and None not in names:
            candidates.append(tuple(name for name in names if name))
    candidates += [
        tuple(one["column_names"])
        for one in looked.get_unique_constraints(shape.table, schema=schema)
    ]
    fitting = [one for one in candidates if one and never_null.issuperset(one)]
    return min(fitting, key=len, default=())


def _is_rowid(connection: Connection, shape: Shape, primary: tuple[str, ...]) -> bool:
    """Say whether the key is SQLite's own number of a row: spelled INTEGER, and nothing else."""
    rows = connection.exec_driver_sql(
        "SELECT name, upper(type) FROM pragma_table_info(?)", (shape.table,)
    )
    spelled = {str(name): str(kind) for name, kind in rows}
    return len(primary) == 1 and spelled.get(primary[0]) == "INTEGER"


def _columns(connection: Connection, shape: Shape) -> list[Any]:
    return list(inspect(connection).get_columns(shape.table, schema=shape.schema or None))


def _lies(ground: Ground, connection: Connection) -> tuple[Step, str]:
    shape = ground.capture.shape
    if ground.backend == "postgresql":
        where: ColumnElement[Any] = literal_column(f"{ground.row}.ctid")
        file = select(func.pg_relation_filenode(_regclass(connection, shape)))
        return step("postgresql", where, NullType(), "tid"), str(connection.scalar(file))
    taken = {name.lower() for name in shape.all_columns}
    free = next((name for name in _ROWIDS if name not in taken), None)
    if ground.backend == "sqlite" and free is not None:
        # VACUUM numbers rows anew, and counts as a change of the schema.
        epoch = str(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
        return step("sqlite", literal_column(f"{ground.row}.{free}"), NullType(), ""), epoch
    raise LegacyError(
        "has nothing by which its rows can be told apart",
        place=ground.place,
        expected="a primary key, or a unique index over columns that are never null",
        remedy="add one; what changes from now on is captured all the same",
    )


def _written(ground: Ground, connection: Connection, name: str) -> str:
    """Give a column's type in PostgreSQL's own words, its length and its schema included."""
    if ground.backend != "postgresql":
        return ""
    of = table(
        "pg_attribute",
        named("attrelid"),
        named("attname"),
        named("atttypid"),
        named("atttypmod"),
        schema="pg_catalog",
    )
    query = select(func.format_type(of.c.atttypid, of.c.atttypmod)).where(
        of.c.attrelid == _regclass(connection, ground.capture.shape), of.c.attname == name
    )
    return str(connection.execute(query).scalar_one())


class _Regclass(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "regclass"


def _regclass(connection: Connection, shape: Shape) -> ColumnElement[Any]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    name = ".".join(quote(part) for part in (shape.schema, shape.table) if part)
    return cast(literal(name, Text), _Regclass())
