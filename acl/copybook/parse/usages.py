"""The words for usages, as compilers of many makers spell them."""

from __future__ import annotations

from ..item import Usage

__all__ = ["USAGES", "WIDE"]

_SHORT: dict[str, Usage] = {
    "COMP": Usage.BINARY,
    "COMP-0": Usage.BINARY,
    "COMP-1": Usage.FLOAT,
    "COMP-2": Usage.DOUBLE,
    "COMP-3": Usage.PACKED,
    "COMP-4": Usage.BINARY,
    "COMP-5": Usage.NATIVE,
    "COMP-6": Usage.UNSIGNED_PACKED,
    "COMP-9": Usage.LITTLE,
    "COMP-3U": Usage.UNSIGNED_PACKED,
    "COMP-X": Usage.NATIVE,
}
USAGES: dict[str, Usage] = {
    **_SHORT,
    **{name.replace("COMP", "COMPUTATIONAL"): usage for name, usage in _SHORT.items()},
    "BINARY": Usage.BINARY,
    "DISPLAY": Usage.DISPLAY,
    "DISPLAY-1": Usage.DBCS,
    "FUNCTION-POINTER": Usage.POINTER,
    "INDEX": Usage.INDEX,
    "NATIONAL": Usage.NATIONAL,
    "PACKED-DECIMAL": Usage.PACKED,
    "POINTER": Usage.POINTER,
    "POINTER-32": Usage.POINTER,
    "PROCEDURE-POINTER": Usage.POINTER,
}
WIDE = {"PROCEDURE-POINTER": 8}
"""Bytes of the spellings whose size is not that of their usage."""
