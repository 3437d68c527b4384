"""Names and texts in SQLite's SQL."""

from __future__ import annotations

from typing import Final

from sqlalchemy import literal
from sqlalchemy.dialects import sqlite

__all__ = ["ident", "quoted"]

_DIALECT: Final = sqlite.dialect()


def ident(name: str) -> str:
    """Quote an identifier."""
    return _DIALECT.identifier_preparer.quote_identifier(name)


def quoted(text: str) -> str:
    """Quote a text."""
    return str(literal(text).compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
