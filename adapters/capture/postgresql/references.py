"""References taken out of a row's image: they are new in every event of the same row."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["plain"]

_VALUE: Final = re.compile(r'("(?:[^"\\]|""|\\\\)*"|[^"\\(),]*)([,)])', re.DOTALL)


def plain(text: str) -> str:
    """Give an image as ``row_image`` writes it: a large value is its size, ``70000:``.

    A trigger writes the place where the value is kept behind that. Pure; another text comes back as
    it is.
    """
    letters, bracket, _ = text.partition("[")
    if "l" not in letters or not bracket:
        return text
    start = _values_begin(text)
    parts = [text[:start]]
    for at, found in enumerate(_VALUE.finditer(text, start)):
        value, then = found.groups()
        is_large = letters[at : at + 1] == "l" and value
        parts.append((value.partition(":")[0] + ":" if is_large else value) + then)
    return "".join(parts)


def _values_begin(text: str) -> int:
    """Give where the values begin, behind the names: these are JSON, so quotes tell."""
    at, inside = text.index("["), False
    while inside or text[at] != "]":
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            inside = not inside
        at += 1
    return at + 2
