"""SQL Server's words: names, texts, the clock, and our tables where its triggers find them."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect

__all__ = ["DIALECT", "HOME", "NOW", "ident", "literal", "ours"]

DIALECT: Final[Dialect] = mssql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""SQLAlchemy's; it needs no driver."""
_PREPARER: Final = DIALECT.identifier_preparer

HOME: Final = "dbo"
"""Our schema. The owner is legacy's own, so that legacy's users need no rights on what is ours."""

NOW: Final = (
    "DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6"
)
"""Seconds since the epoch, whatever the session's language and date format."""


def ident(name: str, schema: str = "") -> str:
    """Quote a name, in its schema where one is given."""
    quoted = _PREPARER.quote_identifier(name)
    return f"{_PREPARER.quote_identifier(schema)}.{quoted}" if schema else quoted


def literal(text: str) -> str:
    """Write a text constant."""
    return "N'" + text.replace("'", "''") + "'"


def ours(name: str) -> str:
    """Name a table or a sequence of ours."""
    return ident(name, HOME)
