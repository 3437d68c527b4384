"""The values that a payload holds: their types, and the one text that each of them has.

That text is what converters work on, and what JSON carries where it has no type of its own:
integers and decimals in plain digits, ``true`` and ``false``, days and times as RFC 3339 has them,
durations as ISO 8601 has them (``P1DT2H`` is written ``P1DT7200S``), bytes as base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, cast

import msgspec

__all__ = ["ORDERED", "PYTHON", "Type", "Value", "from_text", "is_json", "read", "to_text"]

Value = str | int | bool | Decimal | date | time | datetime | timedelta | bytes
Type = Literal[
    "text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "time",
    "timestamp",
    "duration",
    "bytes",
    "json",
]

PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "decimal": (Decimal, int),
    "boolean": (bool,),
    "date": (date,),
    "time": (time,),
    "timestamp": (datetime,),
    "duration": (timedelta,),
    "bytes": (bytes,),
}
"""The exact types of each type's values; the first is what reading gives. ``json`` has its own."""

ORDERED: Final = ("integer", "decimal", "date", "time", "timestamp", "duration")
"""The types that have a least and a greatest value."""

_DEEPEST: Final = 64
_MOST_DIGITS: Final = 4000
"""Python writes no whole number of more than 4300 digits."""
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,4000}")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,4000})(\.[0-9]{1,10000})?")
_BOOLEAN: Final = {"true": True, "false": False}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)


def to_text(value: object) -> str:
    """Give the canonical text of a payload's value.

    Raises ``ValueError`` where it has none: a float, a number that is not finite, or a decimal
    whose exponent would make a text of more than a few thousand digits.
    """
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is Decimal:
        return _digits(value)
    if isinstance(value, date | time | timedelta | bytes):
        return cast("str", msgspec.to_builtins(value))
    if is_json(value):
        return _ENCODER.encode(value).decode()
    raise ValueError(f"a value that a payload may hold, not {type(value).__name__}")


def from_text(kind: Type, text: str) -> object:
    """Read a canonical text as a value of a type: the inverse of ``to_text``.

    Raises ``ValueError`` with what was expected.
    """
    try:
        return _FROM_TEXT[kind](text)
    except (ValueError, KeyError, ArithmeticError, RecursionError, msgspec.MsgspecError):
        raise ValueError(_EXPECTED[kind]) from None


def is_json(value: object, depth: int = 0) -> bool:
    """Say whether a value is one of JSON's, its numbers exact: int or Decimal, never float."""
    if value is None or type(value) in (str, int, bool):
        return True
    if type(value) is Decimal:
        return value.is_finite()
    if depth == _DEEPEST:
        return False
    if type(value) is list:
        return all(is_json(one, depth + 1) for one in value)
    if type(value) is dict:
        return all(type(key) is str and is_json(one, depth + 1) for key, one in value.items())
    return False


def read(kind: Type, value: object) -> object | None:
    """Read a value of a TOML file as one of a type; None where it is of another.

    A decimal may be written as text; what TOML has no type for is written as canonical text.
    """
    if kind == "decimal" and type(value) in (int, float):
        # TOML's floats print as the shortest text that gives the same float: what the file said.
        value = format(Decimal(str(value)), "f") if str(value)[-1:].isdigit() else value
    if kind == "json":
        return value if is_json(exact := _exact(value)) and exact is not None else None
    if kind not in ("text", "decimal", "bytes", "duration") and type(value) is PYTHON[kind][0]:
        return value
    if type(value) is not str or kind in ("integer", "boolean"):
        return None
    try:
        return from_text(kind, value)
    except ValueError:
        return None


def _exact(value: object) -> object:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: _exact(one) for key, one in value.items()}
    return [_exact(one) for one in value] if isinstance(value, list) else value


def _digits(value: Decimal) -> str:
    if not value.is_finite() or not -_MOST_DIGITS < value.adjusted() < _MOST_DIGITS:
        raise ValueError(f"a finite decimal of at most {_MOST_DIGITS} digits")
    return format(value, "f")


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text


def _converted(kind: type) -> Callable[[str], object]:
    def convert(text: str) -> object:
        return cast("object", msgspec.convert(text, kind))

    return convert


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


_FROM_TEXT: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": str,
    "integer": lambda text: int(_matched(_INTEGER, text)),
    "decimal": lambda text: Decimal(_matched(_DECIMAL, text)),
    "boolean": _BOOLEAN.__getitem__,
    "date": _converted(date),
    "time": _converted(time),
    "timestamp": _converted(datetime),
    "duration": _converted(timedelta),
    "bytes": _bytes,
    "json": _JSON.decode,
}
_EXPECTED: Final[Mapping[str, str]] = {
    "text": "text",
    "integer": "a whole number in plain digits",
    "decimal": "a number in plain digits, such as 12.50",
    "boolean": "true or false",
    "date": "a day as YYYY-MM-DD",
    "time": "a time as HH:MM:SS",
    "timestamp": "a time as YYYY-MM-DDTHH:MM:SS, with Z or an offset where it has a zone",
    "duration": "a duration as ISO 8601 has it, such as P1D or PT1.5S",
    "bytes": "bytes as base64",
    "json": "JSON",
}
