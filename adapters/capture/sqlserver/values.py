r"""How a value of each SQL Server type is written into an image, exactly, in any session.

The image is that of MySQL (``mysql/image.py`` reads it): a pair a column, the name in backticks,
``=``, a letter for the kind, and the text in quotes with backslashes before quotes and backslashes,
or ``NULL``; ``#70000`` for what is too large. Texts of dates and numbers depend on the session's
language unless a style says otherwise, so each conversion names one.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ..dialect import Shape
from .words import ident, literal

__all__ = ["Value", "image", "key", "value"]

_KEY_CHARS: Final = 600
_GROUP: Final = 100
"""CONCAT takes 254 arguments; groups of these are joined."""

_UTF8: Final = "COLLATE Latin1_General_100_BIN2_UTF8"
"""From SQL Server 2019 on."""

_HOW: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(["bit", "tinyint", "smallint", "int", "integer", "bigint"], ("i", "{0}")),
    **dict.fromkeys(["decimal", "dec", "numeric"], ("o", "{0}")),
    # Style 2 has all four digits; without it there are two.
    **dict.fromkeys(["money", "smallmoney"], ("o", "{0}, 2")),
    # Style 3 gives every float back (from 2016 on); the usual one has six digits.
    "float": ("r", "{0}, 3"),
    "real": ("f", "CONVERT(FLOAT, {0}), 3"),
    "date": ("o", "{0}, 23"),
    **dict.fromkeys(
        ["time", "datetime", "datetime2", "smalldatetime", "datetimeoffset"], ("o", "{0}, 121")
    ),
    **dict.fromkeys(["char", "varchar", "nchar", "nvarchar", "sysname"], ("t", "{0}")),
    "uniqueidentifier": ("o", "{0}"),
    # Style 2 is hex without 0x.
    **dict.fromkeys(["binary", "varbinary"], ("b", "{0}, 2")),
    # A timestamp is no time here but the number of a row's version.
    **dict.fromkeys(["rowversion", "timestamp"], ("b", "CONVERT(VARBINARY(8), {0}), 2")),
    **dict.fromkeys(["geometry", "geography"], ("b", "CONVERT(VARBINARY(MAX), {0}), 2")),
    "hierarchyid": ("o", "{0}.ToString()"),
    **dict.fromkeys(["xml", "json", "vector"], ("o", "{0}")),
    "sql_variant": ("o", "{0}, 121"),
}
_NEVER: Final = frozenset({"text", "ntext", "image"})
"""``inserted`` and ``deleted`` do not show these in AFTER triggers."""
_LARGE: Final = frozenset({"xml", "json", "geometry", "geography"})


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One column's value in SQL: its ``text``, and as ``raw`` bytes where it may be large."""

    column: str
    kind: str
    text: str
    raw: str = ""


def value(name: str, declared: str, row: str) -> Value:
    """Give what a column's value is in SQL; ``row`` is old or new.

    Raises ``ValueError`` for a type that no trigger sees or that is not known.
    """
    column = f"{ident(row)}.{ident(name)}"
    base = (re.match(r"\w+", declared) or [""])[0].lower()
    if base in _NEVER:
        other = {"text": "varchar(max)", "ntext": "nvarchar(max)", "image": "varbinary(max)"}[base]
        raise ValueError(f"{name}: triggers see no {base}; make it {other}, or leave it out")
    if base not in _HOW:
        raise ValueError(f"{name}: a type that is not known: {declared!r}")
    kind, how = _HOW[base]
    text = f"CONVERT(NVARCHAR(MAX), {how.format(column)})"
    raw = ""
    if base in _LARGE or re.search(r"\(\s*max\s*\)", declared, re.IGNORECASE):
        of_text = f"CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), {text} {_UTF8}))"
        raw = f"CONVERT(VARBINARY(MAX), {column})" if kind == "b" else of_text
    return Value(column=column, kind=kind, text=text, raw=raw)


def image(shape: Shape, row: str, large: int) -> str:
    """Give the expression of a row's image."""
    parts = []
    for at, (name, declared) in enumerate(shape.columns):
        one = value(name, declared, row)
        backticked = "`" + name.replace("`", "``") + "`"
        label = literal(f"{',' if at else ''}{backticked}={one.kind}")
        parts.append(f"{label}, {_shown(one, large)}")
    groups = [parts[at : at + _GROUP] for at in range(0, len(parts), _GROUP)]
    made = [f"CONCAT(CONVERT(NVARCHAR(MAX), N''),{_lines(group)})" for group in groups]
    return made[0] if len(made) == 1 else f"CONCAT({', '.join(made)}, N'')"


def key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key, or a digest of its image where the table has none."""
    declared = dict(shape.columns)
    if not shape.key:
        digest = f"HASHBYTES('SHA2_256', {image(shape, row, 65_536)})"
        return f"LOWER(CONVERT(NVARCHAR(64), {digest}, 2))"
    ones = [value(name, declared.get(name, "nvarchar(max)"), row) for name in shape.key]
    if len(ones) == 1:
        return f"ISNULL(LEFT({ones[0].text}, {_KEY_CHARS}), N'')"
    return f"LEFT(CONCAT({', N,, '.join(_quoted(one) for one in ones)}), {_KEY_CHARS})"


def _shown(one: Value, large: int) -> str:
    if not one.raw:
        return _quoted(one)
    size = f"DATALENGTH({one.raw})"
    return f"CASE WHEN {size} > {large} THEN CONCAT(N'#', {size}) ELSE {_quoted(one)} END"


def _quoted(one: Value) -> str:
    # Not ISNULL(N'''' + ...): under CONCAT_NULL_YIELDS_NULL OFF a null would become an empty text.
    text = one.text
    if one.kind in ("t", "o"):
        text = rf"REPLACE(REPLACE({text}, N'\', N'\\'), N'''', N'\''')"
    return f"CASE WHEN {one.column} IS NULL THEN N'NULL' ELSE CONCAT(N'''', {text}, N'''') END"


def _lines(parts: list[str]) -> str:
    return "\n        " + ",\n        ".join(parts)
