"""The bytes of one elementary item, and the boundary that SYNCHRONIZED puts it on.

Sizes are those of IBM Enterprise COBOL for z/OS (Language Reference, USAGE and SYNCHRONIZED
clauses). It has no binary number of more than 18 digits: those take the bytes that their largest
value and a sign need, as in Cobrix.
"""

from __future__ import annotations

from ..item import Picture, Sign, Usage

__all__ = ["BINARY", "alignment", "elementary_size", "exact_binary"]

BINARY = {Usage.BINARY, Usage.NATIVE, Usage.LITTLE}
"""Usages that hold two's complement."""

_FIXED = {Usage.FLOAT: 4, Usage.DOUBLE: 8, Usage.INDEX: 4, Usage.POINTER: 4}


def elementary_size(picture: Picture | None, usage: Usage, sign: Sign) -> int:
    """Give the bytes of an item; 0 where it has neither picture nor a usage with a size."""
    if usage in _FIXED:
        return _FIXED[usage]
    if picture is None:
        return 0
    if usage in BINARY:
        return _binary(picture.digits, usage)
    if usage is Usage.PACKED:
        return picture.digits // 2 + 1
    if usage is Usage.UNSIGNED_PACKED:
        return (picture.digits + 1) // 2
    size = picture.size + (1 if sign.separate else 0)
    return size * 2 if usage in {Usage.NATIONAL, Usage.DBCS} else size


def _binary(digits: int, usage: Usage) -> int:
    """Give the bytes of a binary number."""
    if usage is Usage.LITTLE and digits <= 2:
        return 1
    if digits <= 4:
        return 2
    if digits <= 9:
        return 4
    if digits <= 18:
        return 8
    return exact_binary(digits, sign_bits=1)


def exact_binary(digits: int, sign_bits: int = 0) -> int:
    """Give the fewest bytes that hold so many digits, as COMP-X has them."""
    largest: int = 10**digits - 1
    return (largest.bit_length() + sign_bits + 7) // 8


def alignment(picture: Picture | None, usage: Usage) -> int:
    """Give the bytes that a synchronized item's offset is a multiple of; 1 where it moves not."""
    if usage is Usage.DOUBLE:
        return 8
    if usage in _FIXED:
        return 4
    if usage in BINARY and picture is not None:
        return 2 if picture.digits <= 4 else 4
    return 1
