"""COBOL copybooks: what they say, and the bytes that they describe."""

from __future__ import annotations

from .copybook import Copybook, Notice, Renames
from .error import CopybookError
from .item import Condition, Figurative, Hexadecimal, Item, Occurs, Picture, Sign, Usage
from .lookup import find
from .parse.parser import parse_copybook, read_copybook
from .table import LayoutRow, layout

__all__ = [
    "Condition",
    "Copybook",
    "CopybookError",
    "Figurative",
    "Hexadecimal",
    "Item",
    "LayoutRow",
    "Notice",
    "Occurs",
    "Picture",
    "Renames",
    "Sign",
    "Usage",
    "find",
    "layout",
    "parse_copybook",
    "read_copybook",
]
