"""The row images that our SQLite triggers write, read back: ``"name"='text',"other"=12``.

Of a large value an image holds the length only. Its reference is the event's id and what
``Image.large`` says, ``-3``: the place of the column.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from ..dialect import Image

__all__ = ["read_image"]

_PAIR: Final = re.compile(
    r"""
    "(?P<name>[^"]*(?:""[^"]*)*)"=
    (?: '(?P<text>[^']*(?:''[^']*)*)'
      | (?P<integer>-?[0-9]+)(?=,"|\Z)
      | (?P<parts>-?[0-9]{1,19}/[0-9]{1,2})
      | (?P<null>NULL)
      | X'(?P<blob>[0-9A-F]*)'
      | @(?P<bytes>[0-9A-F]*)
      | \#(?P<large>[0-9]+)
      | (?P<real>-?(?:Inf|[0-9.]+(?:[eE][-+]?[0-9]+)?))
    )(?:,(?=")|\Z)
    """,
    re.VERBOSE,
)
_PLAIN_DIGITS: Final = 22


def read_image(text: str, encoding: str) -> Image:
    """Read an image. ``encoding`` is the database's own, in which text with a NUL was written.

    Raises ``ValueError`` with the offset, for what is no image.
    """
    values: dict[str, str | int | None] = {}
    kinds: list[str] = []
    large: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise ValueError(f"not a row image at character {at}: {text[at : at + 20]!r}")
        kind = match.lastgroup or ""
        raw = match[kind]
        letter, value = _value(kind, raw, encoding)
        name = match["name"].replace('""', '"')
        values[name] = value
        if letter == "l":
            large[name] = f"-{len(kinds)}"
        kinds.append(letter)
        at = match.end()
    return Image(values=values, kinds="".join(kinds), large=large)


def _value(kind: str, raw: str, encoding: str) -> tuple[str, str | int | None]:
    match kind:
        case "text":
            return "t", raw.replace("''", "'")
        case "integer" | "blob":
            return kind[0], raw
        case "null":
            return "n", None
        case "bytes":
            return "t", bytes.fromhex(raw).decode(encoding, "surrogateescape")
        case "large":
            return "l", int(raw)
        case "parts":
            # So many of the 2**62nd part of one, or of another power: as exact as it was written.
            number, _, power = raw.partition("/")
            return "r", _shortest(math.ldexp(int(number), -int(power)))
    return "r", _shortest(float(raw))


def _shortest(value: float) -> str:
    """Give the fewest digits that give the number back, without an exponent where it is short."""
    text = repr(value)
    if "e" not in text:
        return text
    plain = format(Decimal(text), "f")
    return plain if len(plain) <= _PLAIN_DIGITS else text
