"""Converters: one value, both ways. Found through the registry group ``converters``.

A factory takes the arguments that stand in brackets behind its name in a mapping, and the
mapping's code tables: ``factory(arguments, codes) -> Converter``. It raises ``ValueError`` with
what it expected. ``decode`` takes exactly the texts that ``encode`` makes, so that
``encode(decode(x)) == x``; an option that takes more (``trim``, ``lax``, a rounding) says so.

Beside ``ports.Converter`` a converter may say more about itself: see ``traits``.
"""

from __future__ import annotations

from .code import code
from .date import date
from .decimal import decimal
from .integer import integer
from .text import text

__all__ = ["code", "date", "decimal", "integer", "text"]
