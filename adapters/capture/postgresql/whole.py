"""The image of a row whatever its size, as it can be told again later: references are left out.

What a trigger writes of a row with large values holds a new reference each time, ``70000:3f…``; here
there is the size alone, ``70000:``. ``referred`` puts references in, ``plain`` takes them out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from .columns import Column
from .row import image, names
from .words import quoted

__all__ = ["plain", "referred", "whole_image"]

_VALUE: Final = re.compile(r'("(?:[^"\\]|""|\\\\)*"|[^"\\(),]*)([,)])', re.DOTALL)


def whole_image(columns: Sequence[Column], row: str, large: int) -> str:
    """Give the expression of a row's image, with ``SIZE:`` for each value over ``large`` bytes."""
    if all(one.size == "small" for one in columns):
        return image(columns, row)
    letters, values = [], []
    for one in columns:
        value = one.of(row)
        if one.size == "small":
            letters.append(quoted(one.letter))
            values.append(value)
            continue
        size = f"octet_length({value})" if one.size == "known" else f"octet_length({value}::text)"
        letters.append(f"CASE WHEN {size} > {large} THEN 'l' ELSE '{one.letter}' END")
        written = _size(one, value)
        values.append(f"CASE WHEN {size} > {large} THEN {written} || ':' ELSE {value}::text END")
    head = " || ".join(letters)
    return f"{head} || {quoted(names(columns))} || ROW({', '.join(values)})::text"


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


def _size(column: Column, value: str) -> str:
    return f"octet_length({value if column.base == 'bytea' else value + '::text'})"
