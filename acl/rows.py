"""The rows of a mapping file, as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

__all__ = ["Form", "MappingTable", "Row", "parse_form"]

_FORM: Final = re.compile(r"(py:[\w.]+:\w+|[A-Za-z_][\w-]*)(?:\(([^()]*)\))?")


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"as_": "as", "else_": "else"}):
    """One row: from ``src`` to ``dst``, ``as`` a converter.

    In ``fields`` the source is legacy's and the target ours, in ``reply`` the other way round.
    ``null`` holds the legacy texts that mean nothing; ``optional`` allows legacy to leave the place
    out; ``else`` is what the target gets where the converter refuses; ``one_way`` is the reason why
    the row is not used backwards; ``tag`` and ``unit`` add to what the operation says.
    """

    src: str
    dst: str
    as_: str = "text"
    null: tuple[str, ...] = ()
    optional: bool = False
    else_: object = None
    one_way: str = ""
    tag: str = ""
    unit: str = ""


class MappingTable(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A mapping file: its rows still as tables, so that each is checked with its own number."""

    operation: str
    from_: Mapping[str, object]
    unmapped: str = "error"
    fields: tuple[Mapping[str, object], ...] = ()
    ignore: Mapping[str, str] = {}
    reply: tuple[Mapping[str, object], ...] = ()
    reply_ignore: Mapping[str, str] = {}
    codes: Mapping[str, Mapping[str, str]] = {}


class Form(msgspec.Struct, frozen=True):
    """What stands behind ``as``: a converter's name and its arguments."""

    name: str
    arguments: tuple[str, ...]


def parse_form(text: str) -> Form:
    """Read ``decimal(2)`` and its like. Raises ``ValueError`` with what was expected."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "a converter such as text, decimal(2), code(table) or py:package.module:name"
        )
    arguments = found[2].split(",") if found[2] and found[2].strip() else []
    return Form(found[1], tuple(argument.strip() for argument in arguments))
