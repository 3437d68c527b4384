"""Reading a JSON document's values: quickly where it is as expected, with care where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypedDict, cast

import msgspec

from ...errors import EnvelopeError
from .json_scan import twice
from .json_tree import Group, Items, Value
from .shape import Stray, Values

__all__ = ["DIGITS", "JsonReader", "canonical"]

_ESCAPE: Final = re.compile(rb"\\.")
_MOST_STRAYS: Final = 1000
DIGITS: Final = 100
"""How far a number may reach on either side of the point: 1E400000000 is no number of anybody's."""


class _Number(str):
    """A number's text, as it stands in the document."""

    __slots__ = ()


_ANY: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_Number)
_PART: Final = msgspec.json.Decoder(Any, float_hook=_Number)
_QUICK: Final[Mapping[str, Any]] = {
    "text": str | None,
    "integer": int | None,
    "decimal": Decimal | None,
    "boolean": bool | None,
}
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
        self._quick = _quick(root)
        kinds = {child.type for child in root.children.values() if isinstance(child, Value)}
        self._texts = kinds == {"text"}
        self._decimals = [
            name
            for name, node in root.children.items()
            if isinstance(node, Value) and node.type == "decimal"
        ]

    def read(self, body: bytes) -> tuple[Values, Sequence[Stray]]:
        """Read UTF-8. Raises ``EnvelopeError`` where it is no JSON object."""
        if self._quick is not None:
            try:
                values = self._quick(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
                pass
            else:
                found = quotes(body)
                if (self._texts and found == 4 * len(values)) or self._whole(values, found):
                    return values, ()
        return self._carefully(body)

    def _whole(self, values: Mapping[str, Any], found: int) -> bool:
        texts = list(map(type, values.values())).count(str)
        return found == 2 * (len(values) + texts) and all(
            (number := values.get(name)) is None or _fits(number) for name in self._decimals
        )

    def check(self, body: bytes) -> None:
        """Raise ``EnvelopeError`` where the body is no JSON object."""
        decode(body, self._document)

    def entry(self, entry: Group | Value, text: bytes) -> Any:
        """Read one entry of a list, that was read before as part of its document."""
        return _Walk("").entry(entry, _PART.decode(text), "")

    def _carefully(self, body: bytes) -> tuple[Values, Sequence[Stray]]:
        document = decode(body, self._document)
        values: dict[str, Any] = {}
        walk = _Walk(self._places)
        walk.group(self._root, document, "", values)
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


def quotes(body: bytes) -> int:
    """Count the quotes that open or close a text."""
    if b"\\" in body:
        body = _ESCAPE.sub(b"", body)
    return body.count(b'"')


def _quick(root: Group) -> Callable[[bytes], dict[str, Any]] | None:
    """Give a decoder for flat documents, or None."""
    fields: dict[str, Any] = {}
    for name, child in root.children.items():
        kind = _QUICK.get(child.type) if isinstance(child, Value) else None
        if kind is None:
            return None
        fields[name] = kind
    make: Any = TypedDict
    document = make("document", fields, total=False)
    return cast("Callable[[bytes], dict[str, Any]]", msgspec.json.Decoder(document).decode)


class _Walk:
    """One document's walk: collects strays, and counts the texts that it came across.

    ``where`` is the entry of a list that is read: ``lines[2].``
    """

    def __init__(self, places: str) -> None:
        self._places = places
        self.strays: list[Stray] = []
        self.broken: list[Stray] = []
        self.strings = 0

    def group(
        self, group: Group, document: Mapping[str, Any], where: str, into: dict[str, Any]
    ) -> None:
        self.strings += len(document)
        known = group.children
        for name, value in document.items():
            node = known.get(name)
            if isinstance(node, Value):
                into[node.path] = self._value(node, value, where)
            elif isinstance(node, Group):
                self._group(node, value, where, into)
            elif node is not None:
                into[node.path] = self._items(node, value, where)
            else:
                self.strings += _strings(value)
                if len(self.strays) < _MOST_STRAYS:
                    path = f"{where}{group.path}.{name}" if group.path else f"{where}{name}"
                    expected = "one of " + ", ".join(known)
                    message = f"is not among the {self._places}"
                    self.strays.append(Stray(path[:200], message, expected))

    def entry(self, entry: Group | Value, value: Any, where: str) -> Any:
        if isinstance(entry, Value):
            return self._value(entry, value, where)
        values: dict[str, Any] = {}
        if isinstance(value, dict):
            self.group(entry, value, f"{where}.", values)
        else:
            self._misfit(where, value, "an object")
        return values

    def _group(self, node: Group, value: Any, where: str, into: dict[str, Any]) -> None:
        if isinstance(value, dict):
            self.group(node, value, where, into)
            return
        into.update(dict.fromkeys(node.paths))
        if value is not None:
            self._misfit(f"{where}{node.path}", value, "an object or null")

    def _items(self, node: Items, value: Any, where: str) -> Any:
        if isinstance(value, list):
            path = f"{where}{node.path[:-2]}"
            return [
                self.entry(node.entry, one, f"{path}[{number}]")
                for number, one in enumerate(value, 1)
            ]
        if value is not None:
            self._misfit(f"{where}{node.path}", value, "a list or null")
        return None

    def _value(self, node: Value, value: Any, where: str) -> Any:
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
            self._misfit(f"{where}{node.path}", value, _EXPECTED[node.type])
        return found

    def _misfit(self, path: str, value: Any, expected: str) -> None:
        self.strings += _strings(value)
        if len(self.broken) < _MOST_STRAYS:
            called = "an object or a list" if expected == _EXPECTED["text"] else _called(value)
            message = f"holds {called}"
            self.broken.append(Stray(path[:200], message, expected, broken=True))


def _native(kind: str, value: Any) -> int | Decimal | None:
    if kind == "boolean":
        return value if type(value) is bool else None
    if type(value) is int:
        return Decimal(value) if kind == "decimal" else value
    if kind == "decimal" and type(value) is _Number and _fits(number := Decimal(value)):
        return number
    return None


def _fits(number: Decimal) -> bool:
    return -DIGITS <= number.adjusted() <= DIGITS


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
