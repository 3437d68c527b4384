"""Reading a JSON document's values: quickly where it is as expected, with care where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from ...errors import EnvelopeError
from .json_flat import DIGITS, fits, quotes
from .json_scan import twice
from .json_tree import Group, Items, Value
from .shape import Stray, Values

__all__ = ["JsonReader", "canonical"]

_MOST_STRAYS: Final = 1000
_At = tuple["_At", str, int] | None
"""The entry that is read: the one around it, the path of its list, its number from 0."""


class _Number(str):
    """A number's text, as it stands in the document."""

    __slots__ = ()


_ANY: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_Number)
_PART: Final = msgspec.json.Decoder(Any, float_hook=_Number)
_EXPECTED: Final = {
    "text": "text, a number, true, false or null",
    "integer": "a whole number",
    "decimal": f"a number of at most {DIGITS} digits on either side of the point",
    "boolean": "true or false",
}


def canonical(value: object) -> str:
    """Write a value that was read here as JSON again, without white space, numbers as they were."""
    return msgspec.json.encode(value, enc_hook=_raw).decode()


def _raw(value: object) -> msgspec.Raw:
    if isinstance(value, _Number):
        return msgspec.Raw(value.encode())
    raise NotImplementedError


class JsonReader:
    """Reads documents of one tree.

    A document is proven whole by a count: its quotes are as many as its names and texts need, so
    that there is no name twice, and in a flat one none that nobody knows.
    """

    def __init__(self, root: Group, *, document: str, places: str) -> None:
        self._root = root
        self._document = document
        self._places = places

    def check(self, body: bytes) -> None:
        """Raise ``EnvelopeError`` where the body is no JSON object."""
        decode(body, self._document)

    def entry(self, entry: Group | Value, text: bytes) -> Any:
        """Read one entry of a list, that was read before as part of its document."""
        return _Walk("").entry(entry, _PART.decode(text), None)

    def read(self, body: bytes) -> tuple[Values, Sequence[Stray]]:
        """Read UTF-8. Raises ``EnvelopeError`` where it is no JSON object."""
        document = decode(body, self._document)
        values: dict[str, Any] = {}
        walk = _Walk(self._places)
        walk.group(self._root, document, None, values)
        strays = walk.broken + walk.strays
        if 2 * walk.strings != quotes(body):
            expected = "every name once in an object"
            strays += [
                Stray(path, "stands there twice", expected, f"offset {offset}", broken=True)
                for path, offset in twice(body)
            ]
        return values, strays


def decode(body: bytes, document: str) -> dict[str, Any]:
    """Decode an object. Raises ``EnvelopeError`` for anything else; ``document`` names it."""
    try:
        return _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise EnvelopeError(
            f"not {document}: {_reason(error)}", place="record", expected="one JSON object in UTF-8"
        ) from None


def _reason(error: Exception) -> str:
    # The bytes that an error of the codec repeats may be anybody's secret.
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at byte {error.start}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


class _Walk:
    """One document's walk: collects strays, and counts the texts that it came across."""

    def __init__(self, places: str) -> None:
        self._places = places
        self.strays: list[Stray] = []
        self.broken: list[Stray] = []
        self.strings = 0

    def group(
        self, group: Group, document: Mapping[str, Any], at: _At, into: dict[str, Any]
    ) -> None:
        strings = len(document)
        known = group.children
        for name, value in document.items():
            node = known.get(name)
            if isinstance(node, Value):
                if type(value) is str and node.type == "text":
                    strings += 1
                    into[node.path] = value
                else:
                    into[node.path] = self._value(node, value, at)
            elif isinstance(node, Items):
                into[node.path] = self._items(node, value, at)
            elif node is not None:
                self._group(node, value, at, into)
            else:
                self._unknown(group, name, value, at)
        self.strings += strings

    def _unknown(self, group: Group, name: str, value: Any, at: _At) -> None:
        self.strings += _strings(value)
        if len(self.strays) < _MOST_STRAYS:
            path = _named(at, f"{group.path}.{name}" if group.path else name)
            expected = "one of " + ", ".join(group.children)
            self.strays.append(Stray(path, f"is not among the {self._places}", expected))

    def entry(self, entry: Group | Value, value: Any, at: _At) -> Any:
        if isinstance(entry, Value):
            return self._value(entry, value, at)
        values: dict[str, Any] = {}
        if isinstance(value, dict):
            self.group(entry, value, at, values)
        else:
            self._misfit("", value, "an object", at)
        return values

    def _group(self, node: Group, value: Any, at: _At, into: dict[str, Any]) -> None:
        if isinstance(value, dict):
            self.group(node, value, at, into)
            return
        into.update(dict.fromkeys(node.paths))
        if value is not None:
            self._misfit(node.path, value, "an object or null", at)

    def _items(self, node: Items, value: Any, at: _At) -> Any:
        if isinstance(value, list):
            entry, path = node.entry, node.path
            return [self.entry(entry, one, (at, path, n)) for n, one in enumerate(value)]
        if value is not None:
            self._misfit(node.path, value, "a list or null", at)
        return None

    def _value(self, node: Value, value: Any, at: _At) -> Any:
        kind = type(value)
        if kind is str and node.type == "text":
            self.strings += 1
            return value
        if value is None:
            return None
        if node.type == "json":
            self.strings += _strings(value)
            return canonical(value)
        found: int | Decimal | str | None
        if node.type != "text":
            found = _native(node.type, value)
        elif kind is bool:
            found = "true" if value else "false"
        else:
            found = str(value) if kind in (_Number, int) else None
        if found is None:
            self._misfit(node.path, value, _EXPECTED[node.type], at)
        return found

    def _misfit(self, path: str, value: Any, expected: str, at: _At) -> None:
        self.strings += _strings(value)
        if len(self.broken) < _MOST_STRAYS:
            called = "an object or a list" if expected == _EXPECTED["text"] else _called(value)
            self.broken.append(Stray(_named(at, path), f"holds {called}", expected, broken=True))


def _named(at: _At, path: str) -> str:
    """Give a path with the numbers of the entries that it stands in: ``lines[2].sku``."""
    while at is not None:
        outer, items, number = at
        path = f"{items[:-2]}[{number}]" + (f".{path}" if path else "")
        at = outer
    return path[:200]


def _native(kind: str, value: Any) -> int | Decimal | None:
    if kind == "boolean":
        return value if type(value) is bool else None
    if type(value) is int:
        return Decimal(value) if kind == "decimal" else value
    if kind != "decimal" or type(value) is not _Number:
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:  # an exponent of more digits than any number's
        return None
    return number if fits(number) else None


def _called(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "a number")


def _strings(value: object) -> int:
    """Count the names and texts in a value. Not recursive: it may be nested by anybody."""
    count = 0
    left = [value]
    while left:
        one = left.pop()
        if type(one) is str:
            count += 1
        elif isinstance(one, dict):
            count += len(one)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return count
