"""One side of an operation, its input or its output, as a compiled check."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ...errors import ContractError
from .check import compile_check
from .field import Field, shown
from .group import Group
from .struct import Codec, type_of
from .tree import Branch, grow

__all__ = ["Contract", "dig"]

_MOST_PROBLEMS: Final = 100


class Contract:
    """The fields of one side. ``title`` names it in errors: ``ticket.triage@1 input``.

    ``groups`` holds the declared groups and lists of groups by their path; ``tree`` all of it as
    the tree that a payload is.
    """

    __slots__ = ("_codec", "_fits", "_struct", "by_name", "fields", "groups", "title", "tree")

    def __init__(
        self, title: str, fields: tuple[Field, ...], groups: tuple[Group, ...] = ()
    ) -> None:
        self.title = title
        self.fields = fields
        self.by_name: Mapping[str, Field] = {field.name: field for field in fields}
        self.groups: Mapping[str, Group] = {group.name: group for group in groups}
        self.tree: Branch = grow(fields, self.groups)
        self._fits: Callable[[Mapping[str, object]], bool] = compile_check(self.tree)
        self._struct: type[msgspec.Struct] | None = None
        self._codec: Codec | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Send title, fields and groups to another process; the check is compiled there again."""
        return (Contract, (self.title, self.fields, tuple(self.groups.values())))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.__reduce__()[1] == other.__reduce__()[1]

    def __hash__(self) -> int:
        return hash((self.title, self.fields))

    @property
    def struct(self) -> type[msgspec.Struct]:
        """Give the msgspec type that says the same; see ``struct.type_of``."""
        if self._struct is None:
            words = re.split(r"\W+", self.title)
            name = "".join(word[:1].upper() + word[1:] for word in words) or "Payload"
            self._struct = type_of(self.tree, name)
        return self._struct

    def decode(self, body: bytes | str) -> dict[str, object]:
        """Read JSON as a payload, strictly, and check it: decimals keep all their digits.

        Fields that are absent are None. Raises ``EnvelopeError`` where it is not JSON, and
        ``ContractError`` naming the field with its index.
        """
        payload = self._wire.decode(body)
        self.check(payload)
        return payload

    def encode(self, payload: Mapping[str, object]) -> bytes:
        """Check a payload and write it as JSON. Raises ``ContractError``."""
        self.check(payload)
        return self._wire.encode(payload)

    @property
    def _wire(self) -> Codec:
        if self._codec is None:
            self._codec = Codec(self.title, self.tree, self.struct)
        return self._codec

    def check(self, payload: Mapping[str, object]) -> None:
        """Check a payload. Raises ``ContractError`` for the first field; the message names all."""
        if not self._fits(payload):
            problems = self.problems(payload)
            first = problems[0]
            others = ", ".join(dict.fromkeys(problem.place for problem in problems[1:21]))
            raise ContractError(
                f"{first.message}{f' (as well: {others})' if others else ''}",
                place=f"{self.title}: {first.place}",
                value=first.value,
                expected=first.expected,
                remedy=first.remedy,
            )

    def problems(self, payload: Mapping[str, object]) -> list[ContractError]:
        """Give what is wrong with a payload, the first hundred things.

        ``place`` holds the field's name, with the index of each list's entry: ``lines[3].sku``.
        """
        found: list[ContractError] = []
        _group_problems(self.tree, payload, "", found)
        return found[:_MOST_PROBLEMS]


def dig(payload: object, path: tuple[str, ...], default: object = None) -> object:
    """Give the value that a path of keys leads to."""
    for key in path:
        if not isinstance(payload, Mapping) or key not in payload:
            return default
        payload = payload[key]
    return payload


def _group_problems(branch: Branch, value: object, place: str, found: list[ContractError]) -> None:
    if not isinstance(value, Mapping):
        found.append(ContractError("not a group of fields", place=place or "payload"))
        return
    prefix = f"{place}." if place else ""
    known = {child.key: child for child in branch.children}
    for key in value:
        if key not in known:
            expected = "one of " + ", ".join(known)
            text = f"{prefix}{key}"[:200]
            found.append(ContractError("is not in the contract", place=text, expected=expected))
    for key, child in known.items():
        if len(found) >= _MOST_PROBLEMS:
            return
        _child_problems(child, value.get(key), f"{prefix}{key}", found)


def _child_problems(
    child: Branch | Field, value: object, place: str, found: list[ContractError]
) -> None:
    if value is None:
        _missing(child, place, found)
    elif child.listed:
        _list_problems(child, value, place, found)
    elif isinstance(child, Branch):
        _group_problems(child, value, place, found)
    else:
        _value_problems(child, value, place, found)


def _missing(child: Branch | Field, place: str, found: list[ContractError]) -> None:
    if not child.required:
        return
    if child.listed:
        found.append(ContractError("is missing", place=place, expected=_count(child)))
    elif isinstance(child, Field):
        found.append(ContractError("is missing", place=place, expected=child.expected))
    elif child.declared:
        found.append(ContractError("is missing", place=place, expected="a group of fields"))
    else:
        # Nobody speaks of this group but through its fields.
        _group_problems(child, {}, place, found)


def _list_problems(
    child: Branch | Field, value: object, place: str, found: list[ContractError]
) -> None:
    if type(value) is not list:
        message = f"not a list ({type(value).__name__})"
        found.append(ContractError(message, place=place, expected=_count(child)))
        return
    if not (child.min_items or 0) <= len(value) <= (child.max_items or len(value)):
        message = "has too few or too many entries"
        text = f"{len(value)} entries"
        found.append(ContractError(message, place=place, value=text, expected=_count(child)))
    for index, entry in enumerate(value):
        if len(found) >= _MOST_PROBLEMS:
            return
        if isinstance(child, Branch):
            _group_problems(child, entry, f"{place}[{index}]", found)
        else:
            _value_problems(child, entry, f"{place}[{index}]", found)


def _value_problems(field: Field, value: object, place: str, found: list[ContractError]) -> None:
    if value is None:
        found.append(ContractError("is missing", place=place, expected=field.expected))
    elif not field.accepts(value):
        message = f"does not fit its contract ({type(value).__name__})"
        text = shown(value, field.tag)
        found.append(ContractError(message, place=place, value=text, expected=field.expected))


def _count(child: Branch | Field) -> str:
    low = f" of at least {child.min_items}" if child.min_items else ""
    high = f"{' and' if low else ' of'} at most {child.max_items}" if child.max_items else ""
    return f"a list{low}{high}{' entries' if low or high else ''}"
