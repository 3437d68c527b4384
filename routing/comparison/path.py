r"""Paths of differences: ``lines[sku=7].amount``.

``-`` before it: only legacy has it; ``+``: only the replacement. In brackets stand the key of a row
(``[sku=7,size=XL]``, ``#2`` behind it for the second of that key), its number (``[3]``) or, where
its key may not be shown, its numbers on both sides (``[3~5]``). What follows a ``/`` is a place
inside a document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ...acl.operations.value import to_text
from ...model import Payload

__all__ = ["field_of", "row_name", "row_numbers", "values_at"]

_BRACKET: Final = re.compile(r"\[((?:[^\[\]']|'(?:[^']|'')*')*)\]")
_PART: Final = re.compile(r"([^.\[\]']+)(?:\[((?:[^\[\]']|'(?:[^']|'')*')*)\])?\.?")
_PAIR: Final = re.compile(r"([^=,]+)=((?:'(?:[^']|'')*')|[^,#]*)[,]?")
_SPECIAL: Final = re.compile(r"[\[\]',#=/]")


def field_of(path: str) -> str:
    """Give the field that a path is one of: ``lines[].amount``. Noise is counted by it."""
    return _BRACKET.sub("[]", _plain(path))


def row_name(names: Sequence[str], values: Sequence[object], times: object) -> str:
    """Give a row's name in a path; ``times`` rows of the same key come before it."""
    parts = [f"{name}={_quoted(value)}" for name, value in zip(names, values, strict=True)]
    return ",".join(parts) + (f"#{int(str(times)) + 1}" if times else "")


def row_numbers(old: int, new: int) -> str:
    """Give a row's name where its key is not shown."""
    return f"{old}~{new}"


def values_at(path: str, legacy: Payload, replacement: Payload) -> tuple[object, object]:
    """Give both sides' values at a path, None where a side has none. Never raises."""
    plain = _plain(path)
    old = None if path.startswith("+") else _value(plain, legacy, 0)
    new = None if path.startswith("-") else _value(plain, replacement, 1)
    return old, new


def _plain(path: str) -> str:
    """Take off the sign, and what leads into a document."""
    path = path.removeprefix("-").removeprefix("+")
    # A slash that stands in a key is no way into a document.
    inside = [found.span() for found in _BRACKET.finditer(path)]
    for at, character in enumerate(path):
        if character == "/" and not any(start < at < end for start, end in inside):
            return path[:at]
    return path


def _value(path: str, payload: object, side: int) -> object:
    value = payload
    for name, bracket in _PART.findall(path):
        value = value.get(name) if isinstance(value, Mapping) else None
        if bracket:
            value = _row(bracket, value, side)
    return value


def _row(bracket: str, rows: object, side: int) -> object:
    if not isinstance(rows, list | tuple):
        return None
    numbers = bracket.split("~")
    if all(one.isdigit() for one in numbers):
        at = int(numbers[min(side, len(numbers) - 1)])
        return rows[at] if at < len(rows) else None
    bare, _, times = bracket.rpartition("#") if re.search(r"#\d+$", bracket) else (bracket, "", "1")
    wanted = _PAIR.findall(bare)
    fitting = [row for row in rows if all(_shown(row, name) == text for name, text in wanted)]
    at = int(times) - 1
    return fitting[at] if at < len(fitting) else None


def _shown(row: object, name: str) -> str:
    value = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return _quoted(value)


def _quoted(value: object) -> str:
    if value is None:
        return ""
    try:
        text = to_text(value)
    except ValueError:
        text = str(value)
    return "'" + text.replace("'", "''") + "'" if _SPECIAL.search(text) or not text else text
