"""COBOL copybooks: what they say, and the bytes that they describe."""

from __future__ import annotations

from .copybook import Copybook, Notice, Renames
from .error import CopybookError
from .item import Condition, Figurative, Hexadecimal, Item, Occurs, Picture, Sign, Usage
from .parser import parse_copybook, read_copybook

__all__ = [
    "Condition",
    "Copybook",
    "CopybookError",
    "Figurative",
    "Hexadecimal",
    "Item",
    "Notice",
    "Occurs",
    "Picture",
    "Renames",
    "Sign",
    "Usage",
    "parse_copybook",
    "read_copybook",
]
