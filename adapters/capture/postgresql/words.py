"""Names and texts in PostgreSQL's SQL, as the server reads them in any session."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import literal
from sqlalchemy.dialects.postgresql.base import PGDialect

__all__ = ["OID", "asked", "ident", "qualified", "quoted", "short"]

# With named parameters a % stays a %: what is printed is what runs.
_DIALECT: Final = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
_MOST_BYTES: Final = 63

OID: Final = """CASE WHEN CAST(:schema AS text) = '' THEN to_regclass(:table)::oid ELSE (
      SELECT c.oid FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
      WHERE s.nspname = CAST(:schema AS text) AND c.relname = CAST(:name AS text)) END"""
"""The number of a table, for ``asked``; none where there is no such table. ``to_regclass`` alone
wants a right on the table's schema, which a user who only takes events need not have."""


def ident(name: str) -> str:
    """Quote an identifier."""
    return _DIALECT.identifier_preparer.quote_identifier(name)


def qualified(schema: str, name: str) -> str:
    """Quote a name, with its schema where it has one."""
    return f"{ident(schema)}.{ident(name)}" if schema else ident(name)


def asked(schema: str, name: str) -> dict[str, str]:
    """Give the parameters of ``OID``."""
    return {"schema": schema, "name": name, "table": ident(name)}


def quoted(text: str) -> str:
    """Quote a text so that ``standard_conforming_strings`` of a session makes no difference."""
    plain = str(literal(text).compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    return "E" + plain.replace("\\", "\\\\") if "\\" in plain else plain


def short(name: str) -> str:
    """Give a name that PostgreSQL does not cut off, and that no other name gives."""
    raw = name.encode()
    if len(raw) <= _MOST_BYTES:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:10]
    return f"{raw[: _MOST_BYTES - 11].decode('utf-8', 'ignore')}_{digest}"
