"""References in a row's image: taken out, for they are new in every event, and put in.

``row_image`` writes a large value as its size, ``70000:``; a trigger, with the place where the value
is kept, ``70000:4b1f…-3``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["plain", "referred"]

_VALUE: Final = re.compile(r'("(?:[^"\\]|""|\\\\)*"|[^"\\(),]*)([,)])', re.DOTALL)


def plain(text: str) -> str:
    """Take the references out of an image."""
    return _with(text, lambda _, value: value.partition(":")[0] + ":")


def referred(text: str, refer: Callable[[int], str]) -> str:
    """Put the reference of each large value into an image, by the column's place."""
    return _with(text, lambda at, value: value + refer(at))


def _with(text: str, change: Callable[[int, str], str]) -> str:
    letters, bracket, _ = text.partition("[")
    if "l" not in letters or not bracket:
        return text
    start = _values_begin(text)
    parts = [text[:start]]
    for at, found in enumerate(_VALUE.finditer(text, start)):
        value, then = found.groups()
        parts.append((change(at, value) if letters[at : at + 1] == "l" else value) + then)
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
