"""Converters: one value, both ways. Found through the registry group ``converters``.

A factory takes the arguments that stand in brackets behind its name in a mapping, and the
mapping's code tables: ``factory(arguments, codes) -> Converter``. It raises ``ValueError`` with
what it expected. ``decode`` takes exactly the texts that ``encode`` makes, so that
``encode(decode(x)) == x``; an option that takes more (``trim``, ``lax``, a rounding) says so.

Beside ``ports.Converter`` a converter may say more about itself: see ``traits``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from ...ports import Converter
from ...registry import find
from ..rows import parse_forms
from .boolean import boolean
from .choice import choice
from .code import code
from .date import date
from .decimal import decimal
from .document import document
from .duration import duration
from .integer import integer
from .octets import octets
from .series import series
from .text import text
from .time import time
from .timestamp import timestamp
from .traits import Codes, Factory
from .unit import unit

__all__ = [
    "BUILT_IN",
    "boolean",
    "choice",
    "code",
    "converter",
    "date",
    "decimal",
    "document",
    "duration",
    "find_converter",
    "integer",
    "octets",
    "series",
    "text",
    "time",
    "timestamp",
    "unit",
]

BUILT_IN: Final[Mapping[str, Factory]] = {
    "boolean": boolean,
    "bytes": octets,
    "code": code,
    "date": date,
    "decimal": decimal,
    "duration": duration,
    "enum": choice,
    "integer": integer,
    "json": document,
    "list": series,
    "text": text,
    "time": time,
    "timestamp": timestamp,
    "unit": unit,
}
"""Our own by name. They are entry points too, as anybody's are; these names are never another's."""


def find_converter(name: str, place: str = "") -> object:
    """Give what stands under that name: a factory as a rule; ``py:package.module:name`` may be any.

    ``place`` is where the name stands. Raises ``ConfigError`` where there is none.
    """
    return BUILT_IN.get(name) or find("converters", name, place=place)


def converter(form: str, codes: Codes | None = None) -> Converter:
    """Make the one converter that a form such as ``decimal(2)`` names; for tests, and for lists.

    Raises ``ValueError`` with what was expected, and ``ConfigError`` for a name that nobody has.
    """
    forms = parse_forms(form)
    found = find_converter(forms[0].name)
    if len(forms) != 1 or not callable(found):
        raise ValueError("one converter that a factory makes")
    return cast("Factory", found)(forms[0].arguments, codes or {})
