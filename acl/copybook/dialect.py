"""What the program around a copybook decides about it."""

from __future__ import annotations

import msgspec

__all__ = ["Dialect"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says in its ENVIRONMENT DIVISION, as the copybook itself cannot.

    ``decimal_comma``: DECIMAL-POINT IS COMMA. ``currency``: CURRENCY SIGN, beside the usual ones.
    """

    decimal_comma: bool = False
    currency: str = ""
