"""What is held against each other: a value, a group, or a list, made once from the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from .document import document_differences
from .found import Found
from .match import matched
from .path import row_name, row_numbers
from .tolerance import Same

__all__ = ["PLAIN", "Custom", "Document", "Group", "Keyed", "Leaf", "Node", "Series", "Unordered"]


class Node(Protocol):
    """Walks two values that are not equal, and notes where they differ. Never raises."""

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Note the paths that differ; ``path`` is that of the two values."""

    def alike(self, old: object, new: object) -> bool:
        """Say whether two values, equal or not, are the same."""


class _Walking:
    """One whose values are the same where a walk finds nothing."""

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        raise NotImplementedError

    def alike(self, old: object, new: object) -> bool:
        if old == new:
            return True
        found = Found()
        self.walk(old, new, "", found)
        return not found.paths


class Leaf(_Walking):
    """A single value. ``same`` is not asked where one of the two is None, or they are equal."""

    def __init__(self, same: Same | None = None) -> None:
        self._same = same

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Note the path where the two are not the same."""
        if self._same is not None and old is not None and new is not None:
            try:
                if self._same(old, new):
                    return
            except (TypeError, ValueError, ArithmeticError):
                pass  # of two types, or beyond all bounds: they are not the same
        found.paths.append(path)


PLAIN: Final = Leaf()
"""Values that are the same where they are equal."""


class Custom(_Walking):
    """A single value, or anything, that a function of somebody else's compares."""

    def __init__(self, same: Same) -> None:
        self._same = same

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Ask the function. Whatever it raises is a difference that nobody can adjudicate."""
        try:
            told: object = self._same(old, new)
        except Exception as error:  # noqa: BLE001 - it is not ours, and nobody must be hurt by it
            found.broken[path] = type(error).__name__
        else:
            if told is True:
                return
            if told is not False:
                found.broken[path] = f"gave {type(told).__name__}, not true or false"
        found.paths.append(path)


class Document(_Walking):
    """A text that holds XML."""

    def __init__(self, unwrap: Sequence[str]) -> None:
        self._unwrap = frozenset(unwrap)

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Note each place inside the document."""
        if not isinstance(old, str) or not isinstance(new, str):
            found.paths.append(path)
            return
        for place in document_differences(old, new, self._unwrap):
            found.paths.append(path if place == "/" else f"{path}{place}")


class Group(_Walking):
    """Named values. One that is absent is one in which all is absent."""

    def __init__(self, children: Mapping[str, Node]) -> None:
        self._children = tuple(children.items())

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Walk what differs of it."""
        first = old if isinstance(old, Mapping) else {}
        second = new if isinstance(new, Mapping) else {}
        for key, node in self._children:
            one, other = first.get(key), second.get(key)
            if one != other:
                node.walk(one, other, f"{path}.{key}" if path else key, found)


class Series(_Walking):
    """A list whose order counts: entries are compared by their place."""

    def __init__(self, entry: Node) -> None:
        self._entry = entry

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Walk the entries that differ, and note those that only one side has."""
        first, second = _list(old), _list(new)
        for at, (one, other) in enumerate(zip(first, second, strict=False)):
            if one != other:
                self._entry.walk(one, other, f"{path}[{at}]", found)
        found.paths += [f"-{path}[{at}]" for at in range(len(second), len(first))]
        found.paths += [f"+{path}[{at}]" for at in range(len(first), len(second))]


class Unordered(_Walking):
    """A list whose order does not count; how often an entry is in it does."""

    def __init__(self, entry: Node) -> None:
        self._entry = entry

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Note the entries that have no fellow on the other side."""
        first, second = _list(old), _list(new)
        pairs = matched(first, second, None if self._entry is PLAIN else self._entry.alike)
        fellows = set(pairs.values())
        found.paths += [f"-{path}[{at}]" for at in range(len(first)) if at not in pairs]
        found.paths += [f"+{path}[{at}]" for at in range(len(second)) if at not in fellows]


class Keyed(_Walking):
    """A list of groups that are matched by key fields; of one key, the first with the first.

    ``shown``: the key may stand in a path; else the numbers of the row on both sides do.
    """

    def __init__(self, entry: Node, key: Sequence[str], *, shown: bool) -> None:
        self._entry = entry
        self._key = tuple(key)
        self._shown = shown

    def walk(self, old: object, new: object, path: str, found: Found) -> None:
        """Walk matched rows, and name those that only one side has."""
        first, second = _list(old), _list(new)
        others = self._by_key(second)
        for key, at in self._by_key(first).items():
            there = others.pop(key, None)
            if there is None:
                found.paths.append(f"-{path}[{self._name(key, at)}]")
            elif first[at] != second[there]:
                name = self._name(key, at) if self._shown else row_numbers(at, there)
                self._entry.walk(first[at], second[there], f"{path}[{name}]", found)
        found.paths += [f"+{path}[{self._name(key, at)}]" for key, at in others.items()]

    def _by_key(self, rows: Sequence[object]) -> dict[tuple[object, ...], int]:
        found: dict[tuple[object, ...], int] = {}
        for at, row in enumerate(rows):
            key = tuple(_value(row, name) for name in self._key)
            times = 0
            while (*key, times) in found:
                times += 1
            found[*key, times] = at
        return found

    def _name(self, key: tuple[object, ...], at: int) -> str:
        return row_name(self._key, key[:-1], key[-1]) if self._shown else str(at)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _value(row: object, name: str) -> object:
    value = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    # Equal decimals are one key, however they are written; what cannot be looked up is its text.
    return value if value.__hash__ is not None else str(value)
