"""A capture's condition as SQLite's triggers can hold it: of an insert's row there is no OLD."""

from __future__ import annotations

from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from ..dialect import Operation, Shape

__all__ = ["condition", "translated"]

_ABSENT: Final = {"insert": "old", "delete": "new"}
_REFUSED: Final = (exp.Query, exp.Anonymous, exp.AggFunc, exp.Window)
"""What may fail in a trigger, and the legacy statement with it, or read other tables."""


def translated(text: str, shape: Shape) -> str:
    """Give a condition in SQLite's SQL, its columns quoted. Raises ``ValueError``."""
    try:
        tree = parse_one(text, read="sqlite")
    except SqlglotError as error:
        raise ValueError(str(error).partition("\n")[0]) from None
    for refused in tree.find_all(*_REFUSED):
        raise ValueError(f"{refused.sql('sqlite')}: only columns, values and operators")
    names = {name.lower(): name for name in shape.all_columns}
    for column in tree.find_all(exp.Column):
        if column.table.lower() not in ("old", "new"):
            raise ValueError(
                f"{column.sql('sqlite')}: write old.{column.name} or new.{column.name}"
            )
        if column.name.lower() not in names:
            raise ValueError(f"{column.sql('sqlite')}: no such column")
        column.set("this", exp.to_identifier(names[column.name.lower()], quoted=True))
        column.set("table", exp.to_identifier(column.table.upper()))
    return tree.sql("sqlite")


def condition(when: str, operation: Operation) -> str:
    """Give ``when``, SQLite's own SQL, with the row that an operation does not have as nulls."""
    absent = _ABSENT.get(operation, "")
    if not when or not absent:
        return when

    def without(node: exp.Expression) -> exp.Expression:
        is_absent = isinstance(node, exp.Column) and node.table.lower() == absent
        return exp.null() if is_absent else node

    return parse_one(when, read="sqlite").transform(without).sql("sqlite")
