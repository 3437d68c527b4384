"""From moves to one function that makes a payload of one version from another version's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...model import Payload
from ..generate import Function
from ..operations.field import Field
from ..operations.tree import Branch, branches, lists_of
from .convert import Convert

__all__ = ["Move", "compile_moves"]


class Move(NamedTuple):
    """A value on its way to ``target``: from ``source``, or the constant ``value``.

    ``convert`` is None where it moves as it is; ``otherwise`` stands for an absent value.
    """

    source: Field | None
    target: Field
    where: str
    convert: Convert | None
    value: object
    otherwise: object


def compile_moves(
    tree: Branch, moves: Sequence[Move], lists: Mapping[str, str]
) -> Callable[[Payload], dict[str, object]]:
    """Write the function. ``lists``: the source list that fills each list of the target.

    A group that may be absent is, where all that would fill it is; so is a field that nothing
    feeds. The source's payload must have been checked.
    """
    return _Scope(tree, moves, lists, "").build()


class _Scope:
    """The root, or the entries of one list: a function of its own."""

    def __init__(
        self, tree: Branch, moves: Sequence[Move], lists: Mapping[str, str], scope: str
    ) -> None:
        self._tree = tree
        self._all = moves
        self._lists = lists
        self._scope = scope
        self._from = lists.get(scope, "")
        self._function = Function("carry", "p")
        # By the target's name: what it becomes, and the variable that says whether it is there.
        self._made: dict[str, tuple[str, str]] = {}

    def build(self) -> Callable[..., dict[str, object]]:
        for move in self._all:
            if (lists_of(move.target.name) or [""])[-1] == self._scope:
                self._value(move)
        for ours, theirs in self._lists.items():
            if (lists_of(ours)[:-1] or [""])[-1] == self._scope:
                self._list(ours, theirs)
        node = next((one for one in branches(self._tree) if one.name == self._scope), None)
        if not self._scope:
            node = self._tree
        made = self._made[self._scope][0] if node is None else self._literal(node)
        self._function.line(f"return {made}")
        return self._function.build()

    def _value(self, move: Move) -> None:
        if move.source is None:
            self._made[move.target.name] = (self._function.constant(move.value), "")
            return
        raw = self._read(move.source.name)
        made = f"v{raw}"
        change = "" if move.convert is None else self._function.constant(move.convert)
        otherwise = "None" if move.otherwise is None else self._function.constant(move.otherwise)
        called = f"{change}({raw})" if change else raw
        self._function.line(f"{made} = {otherwise} if {raw} is None else {called}")
        self._made[move.target.name] = (made, raw)

    def _list(self, ours: str, theirs: str) -> None:
        raw = self._read(theirs.removesuffix("[]"))
        made = f"v{raw}"
        inner = self._function.constant(_Scope(self._tree, self._all, self._lists, ours).build())
        node = next((one for one in branches(self._tree) if one.name == ours), None)
        needed = node.required if node is not None else self._field(ours).required
        absent = "[]" if needed else "None"
        self._function.line(f"{made} = {absent} if {raw} is None else [{inner}(e) for e in {raw}]")
        self._made[ours] = (made, raw)

    def _field(self, name: str) -> Field:
        return next(move.target for move in self._all if move.target.name == name)

    def _read(self, name: str) -> str:
        """Write the reading of a source; give its variable."""
        raw = f"r{self._function.constant(None)}"
        path = name[len(self._from) :].lstrip(".") if name != self._from else ""
        self._function.line(f"{raw} = p")
        for key in path.split(".") if path else []:
            self._function.line(f"if {raw} is not None: {raw} = {raw}.get({key!r})")
        return raw

    def _literal(self, branch: Branch) -> str:
        entries: list[str] = []
        for child in branch.children:
            if child.name in self._made:
                made = self._made[child.name][0]
            elif isinstance(child, Branch) and not child.listed:
                made = self._group(child)
            else:
                made = "[]" if child.listed and child.required else "None"
            entries.append(f"{child.key!r}: {made}")
        return "{" + ", ".join(entries) + "}"

    def _group(self, branch: Branch) -> str:
        inside = [
            raw for name, (_, raw) in self._made.items() if name.startswith(f"{branch.name}.")
        ]
        literal = self._literal(branch)
        there = [raw for raw in inside if raw]
        if branch.required or (inside and not there):
            return literal
        if not there:
            return "None"
        return f"(None if {' is None and '.join(there)} is None else {literal})"
