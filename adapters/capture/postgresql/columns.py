"""What PostgreSQL's types mean for capture: how a value reads, how large it grows, what bends it.

The text of a value must not depend on what a legacy session has set (``DateStyle``, ``TimeZone``,
``bytea_output`` and so on). So a trigger function sets what its columns need, and no more: every
setting costs each call about 0.3 µs, and the ``search_path`` three times that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Connection

from .words import OID, asked, ident

__all__ = ["SETTINGS", "Column", "column", "declared_types", "is_large", "looks_up", "settings"]

SETTINGS: Final[Mapping[str, str]] = {
    "bytea_output": "hex",
    "datestyle": "ISO, MDY",
    "extra_float_digits": "1",
    "intervalstyle": "postgres",
    "timezone": "UTC",
}
"""What makes the texts of values the same in every session."""

_FLOAT, _DATE = ("extra_float_digits",), ("datestyle",)
_ZONED: Final = ("datestyle", "timezone")
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "money", "boolean", "oid"), ()),
    **dict.fromkeys(("text", "character varying", "character", "name", '"char"', "uuid"), ()),
    **dict.fromkeys(("json", "jsonb", "jsonpath", "xml", "inet", "cidr", "macaddr"), ()),
    **dict.fromkeys(("bit", "bit varying", "tsvector", "tsquery", "macaddr8"), ()),
    **dict.fromkeys(("int4range", "int8range", "numrange", "xid", "xid8", "pg_lsn"), ()),
    **dict.fromkeys(("time without time zone", "time with time zone"), ()),
    **dict.fromkeys(("real", "double precision", "point", "line", "lseg", "box"), _FLOAT),
    **dict.fromkeys(("path", "polygon", "circle"), _FLOAT),
    **dict.fromkeys(("date", "timestamp without time zone", "daterange", "tsrange"), _DATE),
    **dict.fromkeys(("timestamp with time zone", "tstzrange"), _ZONED),
    "interval": ("intervalstyle",),
    "bytea": ("bytea_output",),
}
_LETTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("smallint", "integer", "bigint"), "i"),
    **dict.fromkeys(("real", "double precision"), "r"),
    **dict.fromkeys(("text", "character varying", "character", "name", '"char"'), "t"),
    "bytea": "b",
}
_STRINGS: Final = ("text", "character varying", "character", "bytea")
"""Types whose size is known without fetching the value."""
_SMALL: Final = frozenset(_NEEDS) - {
    *_STRINGS,
    *("json", "jsonb", "jsonpath", "xml", "bit varying", "tsvector", "tsquery", "path", "polygon"),
}
_BOUND: Final = re.compile(r"\((\d+)\)$")
_INNER_BOUND: Final = re.compile(r"\s*\([\d,]+\)")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A captured column.

    ``size``: ``small`` never needs a place of its own; of ``known`` the size costs nothing to ask
    for; ``unknown`` must be written out before it is known.
    """

    name: str
    base: str
    letter: str
    needs: tuple[str, ...]
    size: Literal["small", "known", "unknown"]

    def of(self, row: str) -> str:
        """Give the value in a row."""
        value = f"{row}.{ident(self.name)}"
        # Its own text has the currency of the session.
        return f"{value}::numeric" if self.base == "money" else value

    def text(self, row: str) -> str:
        """Give the value's text in a row."""
        return f"{self.of(row)}::pg_catalog.text"


def column(name: str, declared: str, large: int = 65_536) -> Column:
    """Say what there is to know of a column by its type, as ``declared_types`` gives it."""
    _, domain, made_of = declared.partition(" domain (")
    whole = made_of.removesuffix(")") if domain else declared
    base = _INNER_BOUND.sub("", whole).strip()
    element = base.removesuffix("[]")
    if base.startswith("interval"):
        base = element = "interval"
    size: Literal["small", "known", "unknown"] = "unknown"
    if base in _SMALL:
        size = "small"
    elif base in _STRINGS:
        bound = _BOUND.search(whole)
        size = "small" if bound and 4 * int(bound[1]) <= large else "known"
    return Column(
        name=name,
        base=base,
        letter=_LETTERS.get(base, "o"),
        needs=_NEEDS.get(element, tuple(SETTINGS)),
        size=size,
    )


def is_large(column: Column, row: str, large: int) -> str:
    """Give the condition that a value is larger than so many bytes, null where it is null."""
    value = column.of(row) if column.size == "known" else column.text(row)
    return f"pg_catalog.octet_length({value}) OPERATOR(pg_catalog.>) {large}"


def looks_up(columns: Iterable[Column]) -> bool:
    """Say whether the text of one of these may depend on the session's ``search_path``.

    Of ``regclass`` and its like it does; of types of legacy's own nobody knows.
    """
    return any(one.needs == tuple(SETTINGS) for one in columns)


def settings(columns: Iterable[Column]) -> dict[str, str]:
    """Give the settings that the texts of these columns depend on, with the values they need."""
    wanted = {name for one in columns for name in one.needs}
    return {name: value for name, value in SETTINGS.items() if name in wanted}


_TYPES: Final = text(
    f"""
    SELECT a.attname, CASE
      WHEN t.typnamespace = 'pg_catalog'::regnamespace
        OR (e.oid IS NOT NULL AND e.typnamespace = 'pg_catalog'::regnamespace)
        THEN format_type(a.atttypid, a.atttypmod)
      WHEN t.typtype = 'd' THEN quote_ident(s.nspname) || '.' || quote_ident(t.typname)
        || ' domain (' || format_type(t.typbasetype, t.typtypmod) || ')'
      WHEN e.oid IS NOT NULL THEN quote_ident(s.nspname) || '.' || quote_ident(e.typname) || '[]'
      ELSE quote_ident(s.nspname) || '.' || quote_ident(t.typname) END
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_namespace s ON s.oid = t.typnamespace
    LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typlen = -1 AND t.typcategory = 'A'
    WHERE a.attrelid = {OID} AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
    """  # noqa: S608 a constant of ours
)


def declared_types(connection: Connection, table: str, schema: str) -> dict[str, str]:
    """Read every column's type in PostgreSQL's own words; none where there is no such table.

    Types of legacy's own have their schema, and domains what they are made of.
    """
    rows = connection.execute(_TYPES, asked(schema, table))
    return {str(column): str(declared) for column, declared in rows}
