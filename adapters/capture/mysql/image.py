r"""The row images that our triggers write, read back: `` `id`=i'7',`text`=t'it\'s' ``."""

from __future__ import annotations

import re
import struct
from decimal import Decimal
from typing import Final

from ..dialect import Image

__all__ = ["read_image"]

_PAIR: Final = re.compile(
    r"""
    `(?P<name>[^`]*(?:``[^`]*)*)`=
    (?P<kind>[a-z])
    (?: '(?P<text>[^'\\]*(?:\\.[^'\\]*)*)'
      | \#(?P<large>[0-9]+)
      | (?P<null>NULL)
    )(?:,(?=`)|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"0": "\0", "Z": "\x1a"}
_PLAIN_DIGITS: Final = 22
_FLOAT_DIGITS: Final = (6, 7, 8)


def read_image(text: str) -> Image:
    """Read an image. A large value is referred to by its place: ``-3`` behind the event's own id.

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
        name = match["name"].replace("``", "`")
        if match["null"]:
            letter, values[name] = "n", None
        elif match["large"]:
            large[name] = f"-{len(kinds)}"
            letter, values[name] = "l", int(match["large"])
        else:
            letter, values[name] = _value(match["kind"], match["text"])
        kinds.append(letter)
        at = match.end()
    return Image(values=values, kinds="".join(kinds), large=large)


def _value(kind: str, quoted: str) -> tuple[str, str]:
    text = quoted
    if "\\" in text:
        text = _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text)
    if kind == "r":
        return "r", _shortest(repr(float(text)))
    if kind == "f":
        return "r", _shortest(_as_float(float(text)))
    return kind, text


def _as_float(value: float) -> str:
    """Give the fewest digits that give a number of four bytes back."""
    for digits in _FLOAT_DIGITS:
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return repr(float(text))
    return repr(float(f"{value:.9g}"))


def _shortest(text: str) -> str:
    """Leave the exponent out where the number is short without."""
    if "e" not in text:
        return text
    plain = format(Decimal(text), "f")
    return plain if len(plain) <= _PLAIN_DIGITS else text
