r"""How a value of each Oracle type is written into an image, exactly, in any session.

The image is that of MySQL (``mysql/image.py`` reads it): a pair a column, the name in backticks,
``=``, a letter for the kind, and the text in quotes with backslashes before quotes and backslashes,
or ``NULL``; ``#70000`` for what is too large. Oracle turns numbers and dates into text as the
session's NLS settings say, so each conversion names its own format.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ..dialect import Shape
from .words import ident, literal

__all__ = ["Value", "image", "key", "value"]

_KEY_CHARS: Final = 600
_NUMBER: Final = "TO_CHAR({0}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"
_REAL: Final = "TRIM(TO_CHAR({0}, '9.9999999999999999EEEE', 'NLS_NUMERIC_CHARACTERS=''.,'''))"
_DATE: Final = "LTRIM(TO_CHAR({0}, 'SYYYY-MM-DD HH24:MI:SS'))"
_TIME: Final = "LTRIM(TO_CHAR({0}, 'SYYYY-MM-DD HH24:MI:SS.FF'))"
_ZONED: Final = "LTRIM(TO_CHAR({0}, 'SYYYY-MM-DD HH24:MI:SS.FFTZH:TZM'))"
_UTC: Final = "LTRIM(TO_CHAR(SYS_EXTRACT_UTC({0}), 'SYYYY-MM-DD HH24:MI:SS.FF')) || '+00:00'"

_HOW: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(["INTEGER", "INT", "SMALLINT"], ("i", _NUMBER)),
    **dict.fromkeys(["NUMBER", "NUMERIC", "DECIMAL", "DEC", "FLOAT", "REAL"], ("o", _NUMBER)),
    # Seventeen digits give every number of eight bytes back.
    "BINARY_FLOAT": ("f", _REAL),
    "BINARY_DOUBLE": ("r", _REAL),
    "DATE": ("o", _DATE),
    "TIMESTAMP": ("o", _TIME),
    "TIMESTAMP WITH TIME ZONE": ("o", _ZONED),
    "TIMESTAMP WITH LOCAL TIME ZONE": ("o", _UTC),
    "INTERVAL": ("o", "TO_CHAR({0})"),
    **dict.fromkeys(["CHAR", "VARCHAR2", "VARCHAR", "NCHAR", "NVARCHAR2"], ("t", "{0}")),
    "RAW": ("b", "RAWTOHEX({0})"),
    "ROWID": ("o", "ROWIDTOCHAR({0})"),
    **dict.fromkeys(("CLOB", "NCLOB"), ("t", "TO_CLOB({0})")),
    "BLOB": ("b", "{0}"),
    "XMLTYPE": ("o", "{0}.getClobVal()"),
    "JSON": ("o", "JSON_SERIALIZE({0} RETURNING CLOB)"),
    "BOOLEAN": ("o", "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END"),
}
_NEVER: Final = ("LONG",)
_BY: Final = {"CLOB": "fig_clob", "NCLOB": "fig_clob", "XMLTYPE": "fig_clob", "JSON": "fig_clob"}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One column's value in PL/SQL; ``by`` is the trigger's function that quotes it."""

    kind: str
    text: str
    by: str


def value(column: str, declared: str, row: str) -> Value:
    """Give what a column's value is in PL/SQL; ``row`` is OLD or NEW.

    Raises ``ValueError`` for a type that no trigger sees or that is not known.
    """
    words = re.sub(r"\([^)]*\)", " ", declared.upper()).split()
    base = words[0] if words else ""
    if base in _NEVER:
        raise ValueError(f"{column}: triggers see no {' '.join(words)}; leave the column out")
    if base == "TIMESTAMP":
        base = " ".join(words)
    if base not in _HOW:
        raise ValueError(f"{column}: a type that is not known: {declared!r}")
    kind, how = _HOW[base]
    if base == "NUMBER" and re.search(r"\(\s*\d+\s*(,\s*0\s*)?\)", declared):
        kind = "i"
    by = "fig_blob" if base == "BLOB" else _BY.get(base, "fig_text")
    return Value(kind=kind, text=how.format(f":{row}.{ident(column)}"), by=by)


def image(shape: Shape, row: str, event_id: str) -> str:
    """Give the expression of a row's image; what is large is kept under ``event_id``, or nowhere.

    ``event_id`` is a variable of the trigger, null where nothing is to be kept.
    """
    parts = []
    for at, (column, declared) in enumerate(shape.columns):
        one = value(column, declared, row)
        backticked = "`" + column.replace("`", "``") + "`"
        label = literal(f"{',' if at else ''}{backticked}={one.kind}")
        more = "" if one.by == "fig_text" else f", {literal(one.kind)}, {event_id}, {at}"
        parts.append(f"{label} || {one.by}({one.text}{more})")
    return "TO_CLOB('')" + "".join(f"\n      || {part}" for part in parts)


def key(shape: Shape, row: str) -> str:
    """Give the expression of a row's key; the row's address where the table has none."""
    if not shape.key:
        return f"ROWIDTOCHAR(:{row}.ROWID)"
    declared = dict(shape.columns)
    ones = [value(column, declared.get(column, "VARCHAR2"), row) for column in shape.key]
    if any(one.by != "fig_text" for one in ones):
        raise ValueError("a large object cannot be part of the key")
    if len(ones) == 1:
        # An empty text is null here.
        return f"NVL(SUBSTR({ones[0].text}, 1, {_KEY_CHARS}), '-')"
    texts = " || ',' || ".join(f"fig_text({one.text})" for one in ones)
    return f"SUBSTR({texts}, 1, {_KEY_CHARS})"
