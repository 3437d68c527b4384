"""From values to a record's bytes, field by field: all that is wrong, and which branches agree."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ..item import Occurs
from .alike import alike
from .encode import initial_bytes
from .node import Node, Slot, Tree
from .peek import Peek
from .problem import Problem, RecordError
from .repair import Repair

__all__ = ["Assembly"]

Group = Mapping[str, object]
_SHOWN: Final = 80
_MISSING: Final = object()


class Assembly:
    """One record on its way to bytes. ``problems`` are gathered, and what they concern is blank.

    ``moving``: what stands behind a table with DEPENDING ON moves up.
    """

    def __init__(
        self, tree: Tree, numbers: dict[int, int], repair: Repair, *, moving: bool
    ) -> None:
        self._tree = tree
        self._numbers = numbers
        self._repair = repair
        self._moving = moving
        self.problems: list[Problem] = []
        self._around: list[tuple[Node | None, Group]] = []

    def record(self, values: Group) -> bytes:
        """Give the record's bytes."""
        root = self._tree.roots[0] if self._tree.flat else None
        return self._group(root, self._tree.slots, values, 0, moving=self._moving)

    def item(self, node: Node, value: object) -> bytes:
        """Give the bytes of one item, with all its occurrences."""
        return self._item(node, value, 0, moving=self._moving)

    # Groups and what stands in them.

    def _group(
        self, node: Node | None, slots: Sequence[Slot], values: Group, at: int, *, moving: bool
    ) -> bytes:
        self._around.append((node, values))
        self._unknown(node, slots, values, at)
        parts: list[bytes] = []
        end = 0
        for slot in slots:
            parts.append(bytes(slot.gap))
            end += slot.gap
            moves = moving and len(slot.nodes) == 1 and slot.nodes[0].rule is None
            if len(slot.nodes) == 1 and slot.nodes[0].rule is None:
                child = slot.nodes[0]
                part = self._item(child, _given(child, values), at + end, moving=moves)
            else:
                part = self._shared(slot, values, at + end)
            parts.append(part)
            end += len(part)
        self._around.pop()
        return b"".join(parts)

    def _unknown(self, node: Node | None, slots: Sequence[Slot], values: Group, at: int) -> None:
        known = [child.key for slot in slots for child in slot.nodes if child.shown]
        for key in values:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                around = "" if node is None or self._tree.nameless(node) else f"{node.path}."
                path = f"{around}{key}"
                reason = "no such field" + (f": did you mean {close[0]}?" if close else "")
                self._wrong(path, at, 0, values[key], reason)

    def _item(self, node: Node, value: object, at: int, *, moving: bool) -> bytes:
        """Give the bytes of an item, with all its occurrences."""
        if not node.item.occurs:
            return self._one(node, value, at, moving=moving)
        return self._table(node, value, at, moving=moving)

    def _one(self, node: Node, value: object, at: int, *, moving: bool) -> bytes:
        if node.leaf is None:
            if value is _MISSING or value is None:
                return self._initial(node)
            if not isinstance(value, Mapping):
                self._wrong(node.path, at, node.size, value, "an object with the group's fields")
                return self._initial(node)
            return self._group(node, node.slots, value, at, moving=moving)
        if value is _MISSING or value is None:
            counted = self._counted(node)
            if counted is None:
                return node.initial if value is _MISSING else node.leaf.empty
            value = counted
        try:
            return node.leaf.write(value)
        except ValueError as error:
            self._wrong(node.path, at, node.size, value, str(error))
            return node.leaf.empty

    def _initial(self, node: Node) -> bytes:
        """Give the bytes of one occurrence that nobody feeds."""
        whole = initial_bytes(node, self._tree.page.blank)
        return whole[: node.size] if node.item.occurs else whole

    # Tables.

    def _table(self, node: Node, value: object, at: int, *, moving: bool) -> bytes:
        occurs = node.item.occurs
        assert occurs is not None  # noqa: S101 - asked for tables only
        entries: Sequence[object] = ()
        if value is not _MISSING and value is not None:
            if isinstance(value, list | tuple):
                entries = value
            else:
                self._wrong(node.path, at, node.item.length, value, "a list")
        if len(entries) > occurs.most:
            reason = f"at most {occurs.most} entries"
            self._wrong(node.path, at, node.item.length, f"{len(entries)} entries", reason)
            entries = entries[: occurs.most]
        if node.shown:
            self._agrees(node, len(entries), at)
        else:
            entries = [_MISSING] * self._entries(node, occurs)
        parts = []
        end = at
        for entry in entries:
            parts.append(self._one(node, entry, end, moving=moving and node.leaf is None))
            end += len(parts[-1])
        whole = b"".join(parts)
        if occurs.depending:
            # What no entry fills is nobody's: programs leave there whatever was.
            return whole if moving else whole.ljust(node.item.length, self._tree.page.blank)
        return whole + self._initial(node) * (occurs.most - len(entries))

    def _entries(self, node: Node, occurs: Occurs) -> int:
        """Give how many entries a table has that nobody can give values for."""
        said = None if node.counter is None else self._value(node.counter.path)
        fits = type(said) is int and occurs.least <= said <= occurs.most
        return said if fits else occurs.most  # type: ignore[return-value]

    def _agrees(self, node: Node, entries: int, at: int) -> None:
        """Refuse a table that has not as many entries as its counter says."""
        if node.counter is None:
            return
        if self._value(node.counter.path) is None:
            return  # the counter is written as the table is long
        occurs = node.item.occurs
        assert occurs is not None  # noqa: S101 - as above
        wanted = self._entries(node, occurs)
        if wanted != entries:
            reason = f"{wanted} entries, as {node.counter.path} says"
            self._wrong(node.path, at, node.item.length, f"{entries} entries", reason)

    def _counted(self, node: Node) -> int | None:
        """Give how long the table is that a field counts, where it says nothing itself."""
        for table in self._tree.counted.get(id(node), ()):
            found = self._value(table.path)
            if isinstance(found, list | tuple):
                return len(found)
        return None

    # Items that share their bytes.

    def _shared(self, slot: Slot, values: Group, at: int) -> bytes:
        ground = self._initial(slot.nodes[0]) if not slot.nodes[0].item.occurs else b""
        ground = ground.ljust(slot.room, self._tree.page.blank)
        active = [
            node
            for node in slot.nodes
            if node.shown and values.get(node.key) is not None and self._holds(node, values, at)
        ]
        written = [self._tried(node, values[node.key], at) for node in active]
        if len(active) < 2:
            for raw, problems in written:
                self.problems += problems
                ground = raw + ground[len(raw) :]
            return ground
        for order in _orders(written):
            whole = ground
            for raw in order:
                whole = raw + whole[len(raw) :]
            if all(self._says(node, whole, values[node.key]) for node in active):
                return whole
        return self._contradicting(slot, active, written, values, at)

    def _contradicting(
        self,
        slot: Slot,
        active: Sequence[Node],
        written: Sequence[tuple[bytes, list[Problem]]],
        values: Group,
        at: int,
    ) -> bytes:
        problems = [problem for _, found in written for problem in found]
        if not problems:
            names = " and ".join(node.key for node in active[1:])
            reason = f"one of them: they share their bytes, and say different things as {names}"
            self._wrong(active[0].path, at, slot.room, values[active[0].key], reason)
        self.problems += problems
        return written[0][0].ljust(slot.room, self._tree.page.blank)

    def _holds(self, node: Node, values: Group, at: int) -> bool:
        if node.rule is None or node.rule.holds(self._value):
            return True
        self._wrong(node.path, at, node.size, values[node.key], "nothing: its rule does not hold")
        return False

    def _tried(self, node: Node, value: object, at: int) -> tuple[bytes, list[Problem]]:
        before, self.problems = self.problems, []
        raw = self._item(node, value, at, moving=False)
        found, self.problems = self.problems, before
        return raw, found

    def _says(self, node: Node, raw: bytes, value: object) -> bool:
        """Say whether the bytes read as the value."""
        peek = Peek(self._repair, self._numbers, self._value)
        try:
            return alike(value, peek.read(node, raw))
        except RecordError:
            return False

    # Values of other fields, for counters and rules.

    def _value(self, path: str) -> object:
        """Give what the values say of a field, from the innermost group around outwards."""
        node = self._tree.by_path[path]
        above: list[Node] = [node]
        while node.parent is not None:
            node = node.parent
            above.append(node)
        for around, values in reversed(self._around):
            below = _below(above, around)
            if below is not None:
                return _dug(values, below)
        return None

    def _wrong(self, path: str, at: int, size: int, value: object, reason: str) -> None:
        shown = value if isinstance(value, str) else repr(value)
        if len(shown) > _SHOWN:
            shown = shown[:_SHOWN] + "…"
        self.problems.append(
            Problem(path=path, offset=at, size=size, value=shown or "''", reason=reason)
        )


def _orders(written: Sequence[tuple[bytes, list[Problem]]]) -> Iterator[Sequence[bytes]]:
    """Give the ways to lay items over each other: each alone, then each on top of the others."""
    good = [raw for raw, problems in written if not problems]
    yield from ([raw] for raw in good)
    for top, raw in enumerate(good):
        yield [*good[:top:-1], *good[:top][::-1], raw]


def _given(node: Node, values: Group) -> object:
    return values.get(node.key, _MISSING) if node.shown else _MISSING


def _below(above: Sequence[Node], around: Node | None) -> Sequence[Node] | None:
    """Give the nodes from just below ``around`` down to the first, None where it is not there."""
    if around is None:
        return above[::-1]
    for at, node in enumerate(above):
        if node is around:
            return above[:at][::-1]
    return None


def _dug(values: object, below: Sequence[Node]) -> object:
    for node in below:
        if not isinstance(values, Mapping):
            return None
        values = values.get(node.key)
    return values
