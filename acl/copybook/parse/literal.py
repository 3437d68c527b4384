"""Literals: numbers, texts, hexadecimal and figurative constants."""

from __future__ import annotations

import re
from decimal import Decimal

from ..item import Figurative, Hexadecimal
from .cursor import Cursor
from .tokens import Token

__all__ = ["FIGURATIVE", "literal"]

FIGURATIVE: dict[str, tuple[str, str]] = {
    "SPACE": ("SPACES", " "),
    "SPACES": ("SPACES", " "),
    "ZERO": ("ZEROS", "0"),
    "ZEROS": ("ZEROS", "0"),
    "ZEROES": ("ZEROS", "0"),
    "HIGH-VALUE": ("HIGH-VALUES", "\xff"),
    "HIGH-VALUES": ("HIGH-VALUES", "\xff"),
    "LOW-VALUE": ("LOW-VALUES", "\x00"),
    "LOW-VALUES": ("LOW-VALUES", "\x00"),
    "NULL": ("NULLS", "\x00"),
    "NULLS": ("NULLS", "\x00"),
    "QUOTE": ("QUOTES", '"'),
    "QUOTES": ("QUOTES", '"'),
}
"""Each spelling, with the one that stands for all of them and the character that is repeated."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:E[+-]?\d{1,4})?", re.IGNORECASE)
_PREFIXES = {"X", "N", "NX", "G", "Z", "U", "UX", "NC", "B", "BX", "H"}
_DIGITS = 160


def literal(cursor: Cursor, *, comma: bool) -> str | Decimal:
    """Take a literal; ``comma``: a number's point is a comma. Raises ``CopybookError``."""
    if cursor.accept("ALL"):
        inner = literal(cursor, comma=comma)
        if isinstance(inner, Figurative):
            return inner
        return Figurative(str(inner), "ALL")
    token = cursor.peek()
    after = cursor.peek(1)
    if token is not None and token.key in FIGURATIVE:
        word, character = FIGURATIVE[cursor.take().key]
        return Figurative(character, word)
    if token is not None and token.kind == "literal":
        return cursor.take().value
    if token is not None and token.key in {"TRUE", "FALSE"}:
        return cursor.take().key
    if (
        token is not None
        and token.key in _PREFIXES
        and after is not None
        and after.glued
        and after.kind == "literal"
    ):
        return _prefixed(cursor.take(), cursor.take())
    return _number(cursor, comma=comma)


def _prefixed(prefix: Token, quoted: Token) -> str | Decimal:
    """Read ``X'C1C2'``, ``N'text'`` and their kind."""
    if prefix.key in {"X", "NX", "UX", "BX", "H"}:
        try:
            return Hexadecimal.of(quoted.value)
        except ValueError:
            raise quoted.error(
                f"{prefix.text}{quoted.text[:40]} is not hexadecimal",
                expected="an even number of the digits 0-9 and A-F",
            ) from None
    return quoted.value + ("\x00" if prefix.key == "Z" else "")


def _number(cursor: Cursor, *, comma: bool) -> Decimal:
    """Take a number: it is several tokens where it has a point."""
    first = cursor.peek()
    point = "," if comma else "."
    parts: list[str] = []
    while (token := cursor.peek()) is not None and (token.glued or not parts):
        after = cursor.peek(1)
        split = (
            token.text == point and after is not None and after.glued and after.key[:1].isdigit()
        )
        if token.kind != "word" and not split:
            break
        parts.append("." if split else token.text)
        cursor.take()
    text = "".join(parts)
    if first is None or not _NUMBER.fullmatch(text) or not text.isascii() or len(text) > _DIGITS:
        place = first if first is not None else None
        message = f"{text[:40] or 'the end'} is not a literal" if parts else "a literal is missing"
        expected = "a number, a quoted text, or a constant such as SPACES or ZERO"
        if place is None:
            raise cursor.error(message, expected=expected)
        raise place.error(message, expected=expected)
    return Decimal(text)
