"""The keys ``fields`` and ``answer`` of kinds whose places are listed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from ...config import options
from ...errors import ConfigError
from .shape import Leaf

__all__ = ["Listed", "Place", "Type", "as_leaves", "listed"]

Type = Literal["text", "integer", "decimal", "boolean", "json"]
Listed = tuple[str | Mapping[str, object], ...]

_TYPES: Final = ("text", "integer", "decimal", "boolean", "json")
_SHORT: Final = re.compile(r"(?P<path>[^:?]+?)\s*(?P<optional>\?)?\s*(?::\s*(?P<type>\w+))?")
_STEP: Final = re.compile(r"[^.\[\]\s](?:[^.\[\]]*[^.\[\]\s])?(?:\[\])?")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a message, as it is listed.

    ``json`` takes whatever stands there, as the text of JSON.
    """

    path: str
    type: Type = "text"
    required: bool = True
    nullable: bool = True
    opaque: str = ""


def listed(entries: Listed, place: str) -> tuple[Place, ...]:
    """Read ``"cust.id"``, ``"note?"``, ``"lines[].amount: decimal"`` or the same as tables.

    ``?`` says that it may be left out. Raises ``ConfigError`` for what is none of these, none at
    all, or a path twice.
    """
    found = [_place(entry, f"{place} entry {number}") for number, entry in enumerate(entries, 1)]
    paths = [one.path for one in found]
    twice = next((path for number, path in enumerate(paths) if path in paths[:number]), "")
    if not found or twice:
        raise ConfigError(
            "a field twice" if twice else "no fields",
            place=place,
            value=twice,
            expected='every place that a message can hold, once: ["cust.id", "lines[].sku"]',
        )
    return tuple(found)


def _place(entry: str | Mapping[str, object], where: str) -> Place:
    if isinstance(entry, Mapping):
        found = options(Place, entry, where)
    else:
        short = _SHORT.fullmatch(entry)
        kind = (short["type"] or "text") if short else ""
        if short is None or kind not in _TYPES:
            expected = "PATH, PATH? or PATH: TYPE, with a type of " + ", ".join(_TYPES)
            raise ConfigError("not a field", place=where, value=repr(entry), expected=expected)
        optional = bool(short["optional"])
        found = Place(path=short["path"], type=kind, required=not optional)  # type: ignore[arg-type]
    if not all(_STEP.fullmatch(step) for step in found.path.split(".")):
        expected = "names divided by dots, [] behind the name of a list"
        raise ConfigError("not a path", place=where, value=repr(found.path), expected=expected)
    return found


def as_leaves(places: Sequence[Place]) -> tuple[Leaf, ...]:
    """Give the leaves that a mapping's rows are held against; JSON is read as text."""
    return tuple(
        Leaf(
            path=one.path,
            required=one.required,
            nullable=one.nullable,
            opaque=one.opaque,
            type="text" if one.type == "json" else one.type,
        )
        for one in places
    )
