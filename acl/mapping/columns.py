"""A mapping of kind ``row`` held against the columns that its records really have."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from ...config import options, read_toml
from ..rows import MappingTable, Row
from .lines import Lines
from .problem import Problem, RowPlace

__all__ = ["Read", "misfits"]

Read = Literal["fields", "reply"]
"""Which rows of a mapping read the record."""

_ADD: Final = 'add it to from.columns and map or ignore it; or unmapped = "report"'
_MOST: Final = 20  # columns that are named as what was expected


def misfits(file: Path, columns: Sequence[str], read: Collection[Read]) -> list[Problem]:
    """Name what would refuse every record that has these columns; none for any other kind.

    A row that reads a column which never comes, and a column that comes and is in no row, where the
    mapping refuses such. Raises ``ConfigError`` where the file cannot be read.
    """
    table = options(MappingTable, read_toml(file), file.name)
    if table.from_.get("kind") != "row":
        return []
    lines = Lines(file.read_text("utf-8"))
    declared = table.from_.get("columns")
    known = [str(name) for name in declared] if isinstance(declared, list | tuple) else []
    found: list[Problem] = []
    for side, rows in (("fields", table.fields), ("reply", table.reply)):
        if side in read:
            at = RowPlace(file.name, "fields" if side == "fields" else "reply", lines)
            made = [options(Row, row, f"{file.name}: {side}") for row in rows]
            found += _absent(at, made, columns)
    if table.unmapped == "error":
        found += _unknown(RowPlace(file.name, "fields", lines), known, columns)
    return found


def _absent(at: RowPlace, rows: Sequence[Row], columns: Sequence[str]) -> Iterator[Problem]:
    for number, row in enumerate(rows, 1):
        key = "src" if at.side == "fields" else "dst"
        reads = () if row.optional else row.sources if key == "src" else row.targets
        needed = [(key, name) for name in reads]
        needed += [("when", name) for name in row.conditions() if name not in reads]
        for where, name in needed:
            if name not in columns:
                yield at.problem(
                    "reads a column that never comes",
                    row=number,
                    key=where,
                    src=name,
                    value=repr(name),
                    expected=f"one of {_named(columns)}",
                    hint=_nearest(name, columns) or "capture it, or take the row out",
                )


def _unknown(at: RowPlace, known: Sequence[str], columns: Sequence[str]) -> Iterator[Problem]:
    for name in columns:
        if name not in known:
            yield at.problem(
                "a column comes that the mapping does not know",
                key="from.columns",
                value=repr(name),
                expected=f"one of {_named(known)}",
                hint=_nearest(name, [one for one in known if one not in columns]) or _ADD,
            )


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _nearest(name: str, names: Sequence[str]) -> str:
    lower = {one.lower(): one for one in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    return f"did you mean {lower[close[0]]!r}?" if close else ""
