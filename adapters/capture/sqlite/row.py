"""A row's image in SQLite's SQL, every value exact: ``"name"='text',"other"=12``.

Values have types here, and columns only wish for one. So there are two ways to the same text: one
call of ``printf`` for a row whose columns hold what they were declared for, which is almost every
row, and for any other a piece for each value, which goes by what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..dialect import Shape
from .words import ident, quoted

__all__ = ["IMAGE_BYTES", "ROW_BYTES", "most_of", "row_image"]

IMAGE_BYTES: Final = 65_536
"""A longer value is not copied into an event, unless ``Capture.large`` says otherwise."""
ROW_BYTES: Final = 900_000_000
"""SQLite refuses text over 1e9 bytes, and a refusal would fail the legacy statement."""
_ARGUMENTS: Final = 50
"""SQLite bounds those of a function (100, in its older versions)."""

# 26 digits give every real back, where quote() rounds some. They take three times as long as a
# whole number of 2**-62, 2**-52 and so on, of which a real of usual size is one, exactly.
_REAL: Final = """\
CASE
        WHEN abs({value}) < 0.0009765625 OR abs({value}) >= 1073741824.0
          THEN printf('%!.25e', {value})
        WHEN abs({value}) < 1.0 THEN CAST({value} * 4611686018427387904.0 AS INTEGER) || '/62'
        WHEN abs({value}) < 1024.0 THEN CAST({value} * 4503599627370496.0 AS INTEGER) || '/52'
        WHEN abs({value}) < 1048576.0 THEN CAST({value} * 4398046511104.0 AS INTEGER) || '/42'
        ELSE CAST({value} * 4294967296.0 AS INTEGER) || '/32' END"""

# quote() gives integers, NULL and BLOBs exactly; it cuts text at a NUL.
_VALUE: Final = """\
CASE typeof({value})
      WHEN 'text' THEN CASE
        WHEN length(CAST({value} AS BLOB)) > {most} THEN '#' || length(CAST({value} AS BLOB))
        WHEN instr({value}, char(0)) THEN '@' || hex({value})
        ELSE quote({value}) END
      WHEN 'blob' THEN CASE
        WHEN length({value}) > {most} THEN '#' || length({value})
        ELSE quote({value}) END
      WHEN 'real' THEN {real}
      ELSE quote({value}) END"""

_IS_PLAIN_TEXT: Final = """\
(typeof({value}) = 'text' AND length(CAST({value} AS BLOB)) <= {most}
      AND NOT instr({value}, char(0)) OR {value} IS NULL)"""
_IS_INTEGER: Final = "(typeof({value}) = 'integer' OR {value} IS NULL)"


class _Column(NamedTuple):
    """A column as ``printf`` writes it, where ``holds``, and as it is written whatever it holds."""

    label: str
    holds: str
    word: str
    argument: str
    value: str


def row_image(shape: Shape, row: str, large: int) -> str:
    """Give the expression of a row's image; ``row`` is OLD, NEW or a table's alias."""
    most = most_of(shape, large)
    columns = [
        _column(f"{',' if at else ''}{ident(name)}=", declared, f"{row}.{ident(name)}", most)
        for at, (name, declared) in enumerate(shape.columns)
    ]
    pieces = _joined([f"{quoted(one.label)} || {one.value}" for one in columns])
    conditions = [one.holds for one in columns if one.holds]
    if not conditions:
        return pieces
    some = [columns[at : at + _ARGUMENTS] for at in range(0, len(columns), _ARGUMENTS)]
    at_once = _joined([_printed(each) for each in some])
    return f"CASE WHEN {_all(conditions)}\n    THEN {at_once}\n    ELSE {pieces} END"


def most_of(shape: Shape, large: int) -> int:
    """Say how many bytes a value may have, so that the image of no row grows too large."""
    return min(large, ROW_BYTES // (2 * max(1, len(shape.columns))))  # hex doubles


def _column(label: str, declared: str, value: str, most: int) -> _Column:
    whole = _VALUE.format(value=value, most=most, real=_REAL.format(value=value))
    kind = declared.upper()
    # By SQLite's own rules of affinity, which only say what is likely: each row is looked at.
    if "INT" in kind:
        argument = f"ifnull({value}, 'NULL')"
        return _Column(label, _IS_INTEGER.format(value=value), "%s", argument, whole)
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return _Column(label, _IS_PLAIN_TEXT.format(value=value, most=most), "%Q", value, whole)
    return _Column(label, "", "%s", whole, whole)


def _printed(columns: Sequence[_Column]) -> str:
    words = "".join(one.label.replace("%", "%%") + one.word for one in columns)
    return f"printf({quoted(words)},\n    {f',{chr(10)}    '.join(c.argument for c in columns)})"


def _all(conditions: Sequence[str]) -> str:
    """Ask for all, as a balanced tree: SQLite bounds the depth of an expression (1,000)."""
    if len(conditions) <= 8:
        return "\n    AND ".join(conditions)
    half = len(conditions) // 2
    return f"({_all(conditions[:half])})\n    AND ({_all(conditions[half:])})"


def _joined(parts: Sequence[str]) -> str:
    """Join as a balanced tree, for the same reason."""
    if len(parts) <= 8:
        return " ||\n    ".join(parts)
    half = len(parts) // 2
    return f"({_joined(parts[:half])}) ||\n    ({_joined(parts[half:])})"
