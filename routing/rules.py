"""Rules that put requests on a side by what they say, compiled once an endpoint.

The first rule that holds decides. A rule holds where every one of its conditions does; a condition
holds where the place has one of the texts. Places: ``caller.NAME`` (what the door knows of the
caller), ``header.NAME``, ``payload.PATH`` (an input field), ``key``, ``tenant`` and ``source``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ..errors import ConfigError
from ..model import Request, Side
from ..route_settings import Rule

__all__ = ["Rules", "compile_rules"]

_Read = Callable[[Request], object]

_OWN: Final = ("key", "tenant", "source")


class _Place(msgspec.Struct, frozen=True):
    """A place that rules look at: by each text there, the rules that it leaves, as a set of bits.

    ``others`` are the rules that do not look there.
    """

    read: _Read
    left: Mapping[str, int]
    others: int


class Rules(msgspec.Struct, frozen=True):
    """What ``compile_rules`` gives: every place is read once, however many rules look at it."""

    sides: tuple[Side, ...] = ()
    places: tuple[_Place, ...] = ()

    def side(self, request: Request) -> tuple[Side, int] | None:
        """Give the side, and the number of the rule (from 1) that says so; None where none does."""
        left = (1 << len(self.sides)) - 1
        for place in self.places:
            value = place.read(request)
            if value is None:
                left &= place.others
            else:
                text = value if type(value) is str else str(value)
                left &= place.left.get(text, place.others)
            if not left:
                return None
        if not left:
            return None
        first = (left & -left).bit_length()
        return self.sides[first - 1], first


def compile_rules(rules: Sequence[Rule], place: str, fields: frozenset[str] | None = None) -> Rules:
    """Make rules ready. ``fields`` are the operation's input fields, where they are known.

    Raises ``ConfigError`` for a place that nothing can be read from.
    """
    looked: dict[str, _Read] = {}
    for number, rule in enumerate(rules):
        for at in rule.when:
            if at not in looked:
                looked[at] = _reader(at, f"{place}[{number}].when", fields)
    return Rules(
        sides=tuple(Side(rule.side) for rule in rules),
        places=tuple(_place(at, read, rules) for at, read in looked.items()),
    )


def _place(at: str, read: _Read, rules: Sequence[Rule]) -> _Place:
    others = sum(1 << number for number, rule in enumerate(rules) if at not in rule.when)
    left: dict[str, int] = {}
    for number, rule in enumerate(rules):
        texts = rule.when.get(at, ())
        for text in (texts,) if isinstance(texts, str) else texts:
            left[text] = left.get(text, others) | 1 << number
    return _Place(read, left, others)


def _reader(at: str, place: str, fields: frozenset[str] | None) -> _Read:
    kind, _, name = at.partition(".")
    if at in _OWN:
        return _own(at)
    if kind == "header" and name:
        return lambda request: None if request.record is None else request.record.header(name)
    if kind == "caller" and name:
        return lambda request: request.context.get(name)
    if kind == "payload" and name:
        path = tuple(name.split("."))
        if fields is not None and path[0] not in fields:
            raise ConfigError(
                "no field of the operation's input",
                place=place,
                value=at,
                expected="one of " + ", ".join(sorted(fields)),
            )
        return _payload(path)
    raise ConfigError(
        "nothing can be read there",
        place=place,
        value=at,
        expected="caller.NAME, header.NAME, payload.FIELD, key, tenant or source",
    )


def _own(name: str) -> _Read:
    return lambda request: getattr(request, name)


def _payload(path: tuple[str, ...]) -> _Read:
    if len(path) == 1:
        (only,) = path
        return lambda request: request.payload.get(only)

    def read(request: Request) -> object:
        value: object = request.payload
        for part in path:
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    return read
