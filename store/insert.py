"""Insert statements, compiled once, with their values by position, for the raw driver.

Compiling and binding in SQLAlchemy would cost more than SQLite's own work for a row.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, Table, bindparam, insert

from .effects import compiled

__all__ = ["insertion"]


def insertion(engine: Engine, table: Table, leave: Collection[str] = ()) -> str:
    """Give the statement for a table's columns in their order, but those to ``leave``."""
    given = [c.name for c in table.columns if c.autoincrement is not True and c.name not in leave]
    return compiled(engine, insert(table).values({name: bindparam(name) for name in given}))
