r"""How a value of each type is written into an image: exactly, whatever legacy's session is set to.

An image has a pair for each column, joined by commas: the name in backticks, ``=``, a letter for
the kind, and the value as ``QUOTE`` gives it: ``i'7'``, ``t'it\'s'``, ``oNULL``. ``QUOTE`` does
not depend on ``sql_mode`` and costs less than ``JSON_OBJECT``, which also loses digits. Of a value
over the bound there is the length in bytes, ``t#70000``.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ..dialect import Shape
from .words import ident, literal

__all__ = ["IMAGE_BYTES", "Value", "row_image", "row_key", "value"]

IMAGE_BYTES: Final = 65_536
"""A longer value is not copied into an event, unless ``Capture.large`` says otherwise."""
_UTF8: Final = " character set utf8mb4"
"""What is in UTF-8 already need not be converted."""
_KEY_CHARS: Final = 600
"""As wide as the key's column. Keys that are equal so far only wait for each other."""

_INTEGERS = "TINYINT SMALLINT MEDIUMINT INT INTEGER BIGINT YEAR BOOL BOOLEAN SERIAL"
_BYTES = "BINARY VARBINARY TINYBLOB BLOB MEDIUMBLOB LONGBLOB VECTOR"
_SHAPES = (
    "GEOMETRY POINT LINESTRING POLYGON MULTIPOINT MULTILINESTRING MULTIPOLYGON GEOMETRYCOLLECTION"
    " GEOMCOLLECTION"
)
_TEXTS = "CHAR VARCHAR NCHAR NVARCHAR TINYTEXT TEXT MEDIUMTEXT LONGTEXT ENUM SET"
_PLAIN = "DECIMAL NUMERIC DEC FIXED DATE DATETIME TIME"

# A number as it is; what is text already goes through QUOTE alone.
_HOW: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(_INTEGERS.split(), ("i", "{0}")),
    **dict.fromkeys(_PLAIN.split(), ("o", "{0}")),
    "BIT": ("i", "CAST({0} AS UNSIGNED)"),
    # FLOAT shows six digits unless it is made a DOUBLE, which shows as many as it has.
    "FLOAT": ("f", "{0} * 1e0"),
    **dict.fromkeys(("DOUBLE", "REAL"), ("r", "{0} * 1e0")),
    **dict.fromkeys(_TEXTS.split(), ("t", "CONVERT({0} USING utf8mb4)")),
    **dict.fromkeys(_BYTES.split(), ("b", "HEX({0})")),
    # As the server keeps it: four bytes of SRID before the WKB.
    **dict.fromkeys(_SHAPES.split(), ("b", "HEX({0})")),
    # An instant. In the session's own time an hour of each autumn is there twice.
    "TIMESTAMP": (
        "o",
        (
            "CASE WHEN UNIX_TIMESTAMP({0}) > 0 THEN CONCAT(LEFT(TIMESTAMPADD(MICROSECOND,"
            " UNIX_TIMESTAMP({0}) * 1000000, '1970-01-01 00:00:00.000000'), CHAR_LENGTH({0})),"
            " '+00:00') ELSE CAST({0} AS CHAR) END"
        ),
    ),
}
_OTHER: Final = ("o", "CONVERT(CAST({0} AS CHAR) USING utf8mb4)")
"""JSON, UUID, INET6 and what is yet to come."""

_LONG = "TEXT MEDIUMTEXT LONGTEXT BLOB MEDIUMBLOB LONGBLOB JSON VECTOR CHAR VARCHAR VARBINARY"
_LARGE: Final = frozenset(f"{_LONG} {_SHAPES}".split())
_SIZED: Final = re.compile(r"\w+\s*\((\d+)\)")
_MOST_TEXT: Final = {"TEXT": 65_535 * 3, "BLOB": 65_535}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One column's value in SQL: ``text`` as it stands in an image, ``raw`` as bytes or text.

    ``bytes`` counts the raw value's bytes, in UTF-8 where it is text; it is empty where the type
    has no large values. ``kind`` is a letter as in ``Image.kinds``, and ``f`` for a short real.
    """

    kind: str
    text: str
    raw: str
    bytes: str


def value(name: str, declared: str, row: str, large: int) -> Value:
    """Give what a column's value is in SQL; ``row`` is OLD, NEW or a table's alias."""
    column = f"{row}.{ident(name)}"
    base = (re.match(r"\w+", declared) or [""])[0].upper()
    kind, how = _HOW.get(base, _OTHER)
    text = column if declared.endswith(_UTF8) else how.format(column)
    raw = column if kind == "b" else text
    bytes_ = f"OCTET_LENGTH({raw})" if _may_be_large(base, declared, large) else ""
    return Value(kind=kind, text=text, raw=raw, bytes=bytes_)


def _may_be_large(base: str, declared: str, large: int) -> bool:
    if base not in _LARGE:
        return False
    sized = _SIZED.match(declared)
    if sized is not None and "CHAR" in base:
        return int(sized[1]) * 4 > large
    return _MOST_TEXT.get(base, large + 1) > large


def row_image(shape: Shape, row: str, large: int = IMAGE_BYTES) -> str:
    """Give the expression of a row's image; ``row`` is OLD, NEW or a table's alias."""
    parts = []
    for at, (name, declared) in enumerate(shape.columns):
        one = value(name, declared, row, large)
        parts.append(literal(f"{',' if at else ''}{ident(name)}={one.kind}"))
        short = f"QUOTE({one.text})"
        if one.bytes:
            short = f"IF({one.bytes} > {large}, CONCAT('#', {one.bytes}), {short})"
        parts.append(short)
    return f"CONCAT({_lines(parts)})"


def row_key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key: the key's texts, or a digest of the whole image.

    Without a key, order holds only among changes that leave the same row.
    """
    if not shape.key:
        return f"MD5({row_image(shape, row)})"
    declared = dict(shape.columns)
    texts = [_short(value(name, declared.get(name, ""), row, IMAGE_BYTES)) for name in shape.key]
    if len(texts) == 1:
        return f"IFNULL({texts[0]}, '')"
    quoted = [f"QUOTE({text})" for text in texts]
    return f"LEFT(CONCAT_WS(',', {', '.join(quoted)}), {_KEY_CHARS})"


def _short(one: Value) -> str:
    """Cut what may be longer than a key; a number is not."""
    return one.text if one.kind in ("i", "r", "f") else f"LEFT({one.text}, {_KEY_CHARS})"


def _lines(parts: list[str]) -> str:
    pairs = [", ".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]
    return "\n      " + ",\n      ".join(pairs)
