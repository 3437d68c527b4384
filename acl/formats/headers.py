"""Headers: kind ``headers``, and the key ``headers`` of every other kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ...config import options
from ...errors import ConfigError
from ...model import Record
from .fields import Place, as_leaves, listed
from .shape import Leaf, Shape, Sides, Stray, Values

__all__ = ["HeaderShape", "headed", "headers"]

_MOST_STRAYS = 1000
_PREFIX = "header:"


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    headers: tuple[str, ...]
    transport: tuple[str, ...] = ()


def headers(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the shape of a record that says all it says in its headers.

    ``headers`` lists them; ``transport`` those that are no part of the message (``content-*``).
    """
    del root
    wanted = options(_From, table, place)
    names = _names(wanted.headers, f"{place}.headers")
    shape = HeaderShape(names, transport=wanted.transport)
    return Sides(root="headers", request=shape, reply=shape, shared=True)


def headed(sides: Sides, entries: object, place: str) -> Sides:
    """Add headers to the request of another kind, as ``header:NAME``."""
    try:
        names = _names(msgspec.convert(entries, tuple[str, ...]), place)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), place=place, expected="a list of names") from None
    request = HeaderShape(names, body=sides.request)
    return sides._replace(request=request, reply=request if sides.shared else sides.reply)


def _names(entries: tuple[str, ...], place: str) -> tuple[Place, ...]:
    places = tuple(msgspec.structs.replace(one, nullable=False) for one in listed(entries, place))
    for one in places:
        if one.type != "text" or "[]" in one.path.removesuffix("[]"):
            expected = "names, ? behind one that may be left out, [] behind one that is repeated"
            raise ConfigError("not a header", place=place, value=one.path, expected=expected)
    lower = [one.path.lower().removesuffix("[]") for one in places]
    for name in lower:
        if lower.count(name) > 1:
            raise ConfigError("a header twice", place=place, value=name, expected="each name once")
    return places


class HeaderShape:
    """Headers by name, of any case; with ``body`` beside the values of that shape."""

    def __init__(
        self, names: Sequence[Place], *, transport: Sequence[str] = (), body: Shape | None = None
    ) -> None:
        self._body = body
        self._names = names
        self._transport = tuple(one.lower() for one in transport)
        prefix = _PREFIX if body is not None else ""
        self.name = body.name if body is not None else "headers"
        self._paths = {one.path.lower().removesuffix("[]"): f"{prefix}{one.path}" for one in names}
        self._own = frozenset(self._paths.values())
        renamed = [msgspec.structs.replace(one, path=f"{prefix}{one.path}") for one in names]
        inner: tuple[Leaf, ...] = body.leaves if body is not None else ()
        self.leaves = (*inner, *as_leaves(renamed))

    def describe(self) -> bytes:
        """Give the names as bytes, and what the body's shape gives."""
        own = msgspec.json.encode((self._names, self._transport))
        return own if self._body is None else own + b"\0" + self._body.describe()

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read headers and body. Raises what the body's shape raises."""
        values: dict[str, Any] = {}
        strays: list[Stray] = []
        if self._body is not None:
            inner, found = self._body.read(record)
            values.update(inner)
            strays += found
        unknown: dict[str, None] = {}
        for name, value in record.headers:
            path = self._paths.get(name.lower())
            if path is None:
                unknown[name.lower()] = None
            elif path.endswith("[]"):
                values.setdefault(path, []).append(value)
            elif values.setdefault(path, value) != value:
                expected = "one value; NAME[] takes several"
                strays.append(Stray(path, "stands there twice", expected, broken=True))
        if self._body is None:
            strays += self._strays(unknown)
        return values, strays

    def _strays(self, unknown: Mapping[str, None]) -> list[Stray]:
        expected = "one of " + ", ".join(self._paths)
        left = (
            name
            for name in unknown
            if not any(fnmatchcase(name, pattern) for pattern in self._transport)
        )
        return [
            Stray(name[:200], "is not among the headers", expected)
            for name in islice(left, _MOST_STRAYS)
        ]

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the number of each header, and the places in the body."""
        found: dict[str, str] = {} if self._body is None else dict(self._body.places(record))
        for number, (name, _) in enumerate(record.headers, 1):
            path = self._paths.get(name.lower())
            if path is not None:
                found.setdefault(path, f"header {number}")
        return found

    def write(self, values: Values, original: Record) -> bytes:
        """Write the body. Headers are not ours to write: ``ValueError``."""
        self._refuse(values)
        return original.body if self._body is None else self._body.write(values, original)

    def patch(self, changes: Values, original: Record) -> bytes:
        """Change the body. Headers are not ours to write: ``ValueError``."""
        self._refuse(changes)
        return original.body if self._body is None else self._body.patch(changes, original)

    def _refuse(self, changes: Values) -> None:
        if not self._own.isdisjoint(changes):
            raise ValueError("the header as it came: only a body can be written (one_way = …)")
