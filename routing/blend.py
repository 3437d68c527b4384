"""Two answers merged into one: fields by rule, lists by the key of their rows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, cast

import msgspec

from .. import registry
from ..acl.operations.contract import Contract
from ..acl.operations.field import Field
from ..acl.operations.tree import Branch
from ..answer_settings import Blend
from ..errors import ConfigError
from ..model import Payload

__all__ = ["Blending", "compile_blend"]

_Function = Callable[[object, object], object]


class _Absent:
    """A side that gave no answer; its null is another thing."""


_ABSENT: Final = _Absent()


class _Node(Protocol):
    def merge(self, old: object, new: object) -> object:
        """Give one value of legacy's and the replacement's."""


class _Pick(msgspec.Struct, frozen=True):
    """One side's value; where that side is absent, the other's, unless it is that side's alone."""

    legacy: bool
    alone: bool = False

    def merge(self, old: object, new: object) -> object:
        value, other = (old, new) if self.legacy else (new, old)
        if value is _ABSENT and self.alone:
            return None
        return _present(other if value is _ABSENT else value)


class _FirstNotNull(msgspec.Struct, frozen=True):
    legacy: bool

    def merge(self, old: object, new: object) -> object:
        first, second = (old, new) if self.legacy else (new, old)
        first = _present(first)
        return _present(second) if first is None else first


class _Call(msgspec.Struct, frozen=True):
    function: _Function

    def merge(self, old: object, new: object) -> object:
        if old is _ABSENT or new is _ABSENT:
            return _present(new if old is _ABSENT else old)
        return self.function(old, new)


class _Group(msgspec.Struct, frozen=True):
    children: Mapping[str, _Node]
    other: _Node

    def merge(self, old: object, new: object) -> object:
        first, second = _mapping(old), _mapping(new)
        if first is None and second is None:
            return None
        names = dict.fromkeys((*(first or {}), *(second or {})))
        return {
            name: self.children.get(name, self.other).merge(_at(first, name), _at(second, name))
            for name in names
        }


class _Rows(msgspec.Struct, frozen=True):
    """Rows of one key are one row; of several with one key, the first is one with the first."""

    key: tuple[str, ...]
    row: _Node
    legacy: bool

    def merge(self, old: object, new: object) -> object:
        if _present(old) is None and _present(new) is None:
            return None
        first, second = _numbered(old, self.key), _numbered(new, self.key)
        leading, following = (first, second) if self.legacy else (second, first)
        keys = dict.fromkeys((*leading, *following))
        return [self.row.merge(first.get(key, _ABSENT), second.get(key, _ABSENT)) for key in keys]


class Blending:
    """An endpoint's blend, compiled. Made by ``compile_blend``; called once a request."""

    def __init__(self, settings: Blend, root: _Node) -> None:
        self.settings = settings
        self._root = root

    def merge(self, legacy: Payload | None, replacement: Payload | None) -> dict[str, object]:
        """Give one answer of both, or of one of them.

        Rows stand as in the preferred side's list, then those that only the other has. Raises what
        the settings' functions raise.
        """
        old = _ABSENT if legacy is None else legacy
        new = _ABSENT if replacement is None else replacement
        merged = cast("dict[str, object]", self._root.merge(old, new))
        if self.settings.partial:
            merged[self.settings.partial] = legacy is None or replacement is None
        return merged


def compile_blend(settings: Blend, output: Contract, place: str) -> Blending:
    """Compile an endpoint's blend. Called once, and by ``fig check``.

    Raises ``ConfigError`` where a path is none of the output's, or a rule none that there is.
    """
    return Blending(settings, _Work(settings, output, f"{place}.blend").root())


class _Work:
    def __init__(self, settings: Blend, output: Contract, place: str) -> None:
        self._place, self._output = place, output
        self._legacy = settings.prefer == "legacy"
        self._fields = {_plain(path): rule for path, rule in settings.fields.items()}
        self._lists = {_plain(path): key for path, key in settings.lists.items()}
        self._known: dict[str, Branch | Field] = {}
        self._learn(output.tree)
        for path in self._fields:
            self._find(path, "fields")
        for path, key in self._lists.items():
            self._check_list(path, (key,) if isinstance(key, str) else key)
        if settings.partial:
            self._check_partial(settings.partial)

    def root(self) -> _Node:
        return self._group(self._output.tree)

    def _learn(self, branch: Branch) -> None:
        for child in branch.children:
            self._known[_plain(child.name)] = child
            if isinstance(child, Branch):
                self._learn(child)

    def _node(self, child: Branch | Field) -> _Node:
        path = _plain(child.name)
        if path in self._fields:
            return self._rule(path)
        if isinstance(child, Field):
            return _Pick(self._legacy)
        if not child.listed:
            return self._group(child)
        if path not in self._lists:
            return _Pick(self._legacy)
        key = self._lists[path]
        names = (key,) if isinstance(key, str) else key
        return _Rows(names, self._group(child), self._legacy)

    def _group(self, branch: Branch) -> _Node:
        children = {child.key: self._node(child) for child in branch.children}
        return _Group(children, _Pick(self._legacy))

    def _rule(self, path: str) -> _Node:
        rule = self._fields[path]
        if rule in ("legacy", "replacement"):
            return _Pick(rule == "legacy", alone=True)
        if rule == "first-not-null":
            return _FirstNotNull(self._legacy)
        place = f'{self._place}.fields."{path}"'
        found = registry.find("converters", rule, place=place) if rule.startswith("py:") else None
        if not callable(found):
            raise ConfigError(
                "no rule",
                place=place,
                value=repr(rule),
                expected="legacy, replacement, first-not-null or py:package.module:function",
            )
        return _Call(cast("_Function", found))

    def _find(self, path: str, table: str) -> Branch | Field:
        found = self._known.get(path)
        if found is None:
            close = difflib.get_close_matches(path, self._known, n=1)
            raise ConfigError(
                f"is no field of {self._output.title}",
                place=f"{self._place}.{table}",
                value=repr(path),
                expected="one of " + ", ".join(self._known),
                remedy=f"did you mean {close[0]!r}?" if close else "mend the path",
            )
        return found

    def _check_list(self, path: str, key: Sequence[str]) -> None:
        found = self._find(path, "lists")
        if not isinstance(found, Branch) or not found.listed:
            expected = "a list of groups"
            place = f"{self._place}.lists"
            raise ConfigError("no list of rows", place=place, value=repr(path), expected=expected)
        names = [
            child.key for child in found.children if isinstance(child, Field) and not child.listed
        ]
        for name in key:
            if name not in names:
                raise ConfigError(
                    "is no field of a row",
                    place=f'{self._place}.lists."{path}"',
                    value=repr(name),
                    expected="one of " + ", ".join(names),
                )

    def _check_partial(self, name: str) -> None:
        found = self._find(name, "partial")
        if not isinstance(found, Field) or found.type != "boolean" or "." in name:
            raise ConfigError(
                "does not say yes or no",
                place=f"{self._place}.partial",
                value=repr(name),
                expected="a boolean field of the output",
            )


def _plain(path: str) -> str:
    return path.replace("[]", "")


def _present(value: object) -> object:
    return None if value is _ABSENT else value


def _mapping(value: object) -> Mapping[str, object] | None:
    return value if isinstance(value, Mapping) else None


def _at(values: Mapping[str, object] | None, name: str) -> object:
    """Give a value; a group that is not there is as absent as the side that has none."""
    return _ABSENT if values is None else values.get(name)


def _numbered(value: object, key: Sequence[str]) -> dict[tuple[object, ...], object]:
    """Give rows by their key and how many of that key came before; rows without one are alone."""
    rows = value if isinstance(value, list | tuple) else ()
    found: dict[tuple[object, ...], object] = {}
    for number, row in enumerate(rows):
        values = tuple(row.get(name) if isinstance(row, Mapping) else None for name in key)
        whose = id(value) if None in values else 0
        times = number if whose else 0
        while (*values, whose, times) in found:
            times += 1
        found[*values, whose, times] = row
    return found
