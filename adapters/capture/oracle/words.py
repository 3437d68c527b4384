"""Oracle's words: names and texts."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sqlalchemy.dialects import oracle
from sqlalchemy.engine import Dialect

__all__ = ["DIALECT", "ident", "literal", "trigger_name"]

DIALECT: Final[Dialect] = oracle.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""SQLAlchemy's; it needs no driver."""
_PREPARER: Final = DIALECT.identifier_preparer
_MOST_BYTES: Final = 30
"""As long as a name may be before 12.2; from then on it is 128."""


def ident(text: str, schema: str = "") -> str:
    """Quote a name exactly as it stands, in its schema where one is given."""
    quoted = _PREPARER.quote_identifier(text)
    return f"{_PREPARER.quote_identifier(schema)}.{quoted}" if schema else quoted


def literal(text: str) -> str:
    """Write a text constant."""
    return "'" + text.replace("'", "''") + "'"


def trigger_name(table: str) -> str:
    """Give ``FIG_<TABLE>``, in plain letters, cut with a digest where it is too long."""
    plain = re.sub(r"\W", "_", table, flags=re.ASCII).upper()
    whole = f"FIG_{plain}"
    if len(whole) <= _MOST_BYTES and plain == table.upper():
        return whole
    digest = hashlib.sha256(table.encode()).hexdigest()[:8].upper()
    return f"FIG_{plain[: _MOST_BYTES - 13]}_{digest}"
