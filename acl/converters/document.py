"""JSON inside a text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from ...ports import Converter
from .arguments import Arguments
from .traits import Codes, Traits

__all__ = ["document"]

_WRITER: Final = msgspec.json.Encoder(decimal_format="number")
_DIGITS: Final = 100
_DEEPEST: Final = 200


class _Document:
    def __init__(self, lax: bool) -> None:
        self._lax = lax
        self.traits = Traits(type="json")

    def decode(self, text: str) -> object:
        try:
            value = json.loads(
                text, parse_float=_number, parse_constant=_refuse, object_pairs_hook=_object
            )
            written = self.encode(value)
        except RecursionError:
            raise ValueError("JSON that is not nested so deeply") from None
        except (ValueError, InvalidOperation) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise ValueError(f"JSON that is not null: {reason}") from None
        if not self._lax and written != text:
            raise ValueError("JSON as it is written without blanks (json(lax) takes more)")
        return value

    def encode(self, value: object) -> str:
        if value is None:
            raise ValueError("a JSON value that is not null")
        try:
            return _WRITER.encode(_exact(value, 0)).decode()
        except UnicodeEncodeError:
            raise ValueError("text that UTF-8 can write") from None


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:  # an exponent of more digits than any number's
        number = Decimal("Infinity")
    if not number.is_finite() or not -_DIGITS <= number.adjusted() <= _DIGITS:
        raise ValueError(f"finite numbers of at most {_DIGITS} digits on either side of the point")
    return number


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("every name once in an object")
    return found


def _exact(value: object, depth: int) -> object:
    """Give the value with its floats as the numbers that they are read as."""
    if depth > _DEEPEST:
        raise ValueError(f"JSON of at most {_DEEPEST} levels")
    if isinstance(value, dict):
        if not all(type(name) is str for name in value):
            raise ValueError("names of text in an object")
        return {name: _exact(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one, depth + 1) for one in value]
    if isinstance(value, Decimal | float):
        return _number(str(value))
    if value is None or type(value) in (str, int, bool):
        return value
    raise ValueError(f"what JSON can hold, not {type(value).__name__}")


def document(arguments: Sequence[str], codes: Codes) -> Converter:
    """``json``: text that holds JSON, without blanks; ``json(lax)`` takes blanks too.

    Numbers keep every digit: whole ones are int, others Decimal.
    """
    del codes
    left = Arguments(arguments, "lax")
    lax = left.flag("lax")
    left.done()
    return _Document(lax)
