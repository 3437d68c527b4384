"""MySQL's words: names, texts and the clock, each meaning the same under every ``sql_mode``."""

from __future__ import annotations

from typing import Final

from sqlalchemy.dialects import mysql

__all__ = ["NOW", "ident", "literal"]

_PREPARER: Final = mysql.dialect(paramstyle="named").identifier_preparer
_PLAIN: Final = set(map(chr, range(32, 127))) - set("'\\%")

NOW: Final = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1e6"
"""Seconds since the epoch, whatever the session's time zone, summer or winter."""


def ident(name: str, schema: str = "") -> str:
    """Quote a name, in its schema where one is given."""
    quoted = _PREPARER.quote_identifier(name)
    return f"{_PREPARER.quote_identifier(schema)}.{quoted}" if schema else quoted


def literal(text: str) -> str:
    """Write a text constant; in hex where backslashes or character sets could change it."""
    if _PLAIN.issuperset(text):
        return f"'{text}'"
    return f"_utf8mb4 X'{text.encode().hex().upper()}'"
