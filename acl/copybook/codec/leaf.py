"""What every kind of elementary item offers: its value from its bytes, and back."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import Final, Protocol

from ...generate import Function

__all__ = ["EXACT", "Lane", "Leaf", "Scalar", "Views", "parted", "whole"]

Scalar = str | int | Decimal | float
"""One value: text, a whole number, a number with the picture's scale, a float."""

EXACT: Final = Context(prec=1000, traps=[InvalidOperation])
"""No number of a copybook is rounded by it, whatever the caller's own context is."""

Lane = str
"""How a leaf's bytes are made on the fast way: ``text`` and ``hex`` are joined with those of its
neighbours and turned into bytes at once; ``bytes`` stands alone."""


class Views(Protocol):
    """The record as the generated reader sees it: names of its views, each made once a record."""

    def raw(self, start: int, end: int) -> str:
        """Give source for the bytes."""

    def text(self, start: int, end: int) -> str:
        """Give source for the text, in the copybook's code page."""

    def digits(self, start: int, end: int) -> str:
        """Give source for the bytes as zoned digits: see ``zoned``."""

    def digit(self, at: int) -> str:
        """Give source for one of them."""

    def hex(self, start: int, end: int) -> str:
        """Give source for half bytes: ``start`` and ``end`` count these."""

    def nibble(self, at: int) -> str:
        """Give source for one of them."""


class Leaf(Protocol):
    """An elementary item, compiled. Made once a codec; any thread may use it.

    ``numeric``: the policies are for it. ``zero`` is what they mean by zero. ``empty`` are the
    bytes of an explicit null, ``initial`` those of a field that nobody fed.
    """

    size: int
    numeric: bool
    zero: Scalar
    empty: bytes
    initial: bytes
    lane: Lane

    def read(self, raw: bytes) -> Scalar:
        """Give the value of exactly ``size`` bytes. Raises ``ValueError`` with what is wrong."""

    def write(self, value: object) -> bytes:
        """Give exactly ``size`` bytes. Raises ``ValueError`` with what was expected."""

    def put(self, value: object) -> str:
        """Give what ``write`` does in its lane: characters, or hexadecimal digits."""

    def source(self, function: Function, views: Views, at: int) -> str:
        """Give an expression that reads it at ``at``, "" where only ``read`` can.

        The expression may take less than ``read`` does, never more, and raises where it does not.
        """


def parted(value: object, scale: int, digits: int, expected: str) -> tuple[bool, str]:
    """Give whether a number is below zero, and its ``digits`` digits, filled up with zeros.

    They are those of the number times 10 to the power of ``scale``. Raises ``ValueError``.
    """
    text = ""
    if type(value) is int and not scale:
        text = str(value)
    elif type(value) is Decimal and scale > 0:
        text = str(value)
        point = -scale - 1
        text = text[:point] + text[-scale:] if text[point : point + 1] == "." else ""
    if not text or "E" in text:
        text = str(whole(value, scale, expected))
    negative = text[0] == "-"
    found = (text[1:] if negative else text).zfill(digits)
    if len(found) > digits:
        found = found.lstrip("0").zfill(digits)
        if len(found) > digits:
            raise ValueError(expected)
    if negative and not found.strip("0"):
        negative = False
    return negative, found


def whole(value: object, scale: int, expected: str) -> int:
    """Give a number times 10 to the power of ``scale``, exactly. Raises ``ValueError``."""
    if type(value) is int:
        number = value
        return _moved(number, scale, expected)
    if type(value) is Decimal and scale > 0:
        text = str(value)
        point = -scale - 1
        if text[point : point + 1] == "." and "E" not in text:
            return int(text[:point] + text[-scale:])
    if type(value) is not Decimal or not value.is_finite() or abs(value.adjusted()) > 500:
        raise ValueError(expected)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    magnitude = int("".join(map(str, digits)))
    return _moved(-magnitude if sign else magnitude, exponent + scale, expected)


def _moved(number: int, places: int, expected: str) -> int:
    power: int = 10 ** abs(places)
    if places >= 0:
        return number * power
    if number % power:
        raise ValueError(expected)
    return number // power
