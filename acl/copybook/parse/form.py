"""How a copybook is laid out on the page: fixed columns, free, or something between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

__all__ = ["Form", "Margins", "margins"]

Form = Literal["auto", "fixed", "free", "variable"]
"""``fixed``: columns 1-6 and 73-80 are not code. ``variable``: only columns 1-6 are not. ``free``:
all is code. ``auto``: what the lines look like."""


class Margins(NamedTuple):
    """The columns that hold code, from 0: ``left`` up to ``right``; None is the end of the line."""

    left: int
    right: int | None


_KNOWN: dict[str, Margins] = {
    "fixed": Margins(6, 72),
    "variable": Margins(6, None),
    "free": Margins(0, None),
}
_ENTRY = re.compile(r"\s{0,5}\d{1,2}\s+(?=\S*[A-Za-z])")
_STATEMENT = re.compile(r"\s{0,5}(?:COPY|REPLACE)\s", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\s*(?:PIC|PICTURE|VALUES?|USAGE|COMP(?:UTATIONAL)?(?:-\w)?|BINARY|PACKED-DECIMAL|DISPLAY|OCCURS"
    r"|REDEFINES|DEPENDING|INDEXED|ASCENDING|DESCENDING|SIGN|LEADING|TRAILING|SEPARATE|TIMES|TO|ON"
    r"|BY|IS|SYNC\w*|JUST\w*|BLANK|THRU|THROUGH|REPLACING|SKIP[123]|EJECT|TITLE)(?=[\s.]|$)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\d{6}")
_TAG = re.compile(r" [A-Za-z0-9 ]{1,8}")
_INDICATORS = " *-/dD$"


def margins(lines: Sequence[str], form: Form) -> Margins:
    """Say which columns hold code.

    Nobody writes down which form a copybook has, so ``auto`` goes by the columns 1-6: numbers or
    marks there in front of the code mean the fixed form; level numbers or clauses there mean that
    all is code. Where they hold neither, all up to column 72 is, so that nothing is lost in
    silence. With tabs nobody counts columns, and neither do we.
    """
    if form != "auto":
        return _KNOWN[form]
    marked = coded = 0
    for line in lines:
        if not line[:6].strip() or line.lstrip()[:1] == "*":
            continue
        if _is_code(line):
            coded += 1
        elif _NUMBERED.match(line) or _marked(line):
            marked += 1
    if coded > marked:
        return Margins(0, 72) if _tagged(lines) else _KNOWN["free"]
    return _KNOWN["fixed"] if marked else Margins(0, 72)


def _tagged(lines: Sequence[str]) -> bool:
    """Say whether most lines bear an identification in columns 73-80, apart from the code."""
    written = [line for line in lines if line.strip()]
    tagged = sum(1 for line in written if _TAG.match(line[71:].rstrip()))
    return tagged * 2 > len(written)


def _marked(line: str) -> bool:
    """Say whether columns 1-6 hold a mark, with code behind it."""
    return "\t" not in line[:7] and line[6:7] in _INDICATORS and bool(line[7:].strip())


def _is_code(line: str) -> bool:
    """Say whether columns 1-6 hold code rather than a sequence number or a mark."""
    entry = _ENTRY.match(line)
    if entry is not None:
        return True
    return bool(_STATEMENT.match(line) or _CLAUSE.match(line))
