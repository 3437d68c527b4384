"""The reader without generated code: one item of a record at a time, where speed does not count."""

from __future__ import annotations

from collections.abc import Callable

from .node import Node, Slot
from .repair import Repair

__all__ = ["Peek"]


class Peek:
    """Reads items from bytes. ``repair`` applies the policies; ``numbers`` are its nodes'.

    ``value`` gives the value of a field outside of what is read, for counters and rules.
    """

    def __init__(
        self, repair: Repair, numbers: dict[int, int], value: Callable[[str], object]
    ) -> None:
        self._repair = repair
        self._numbers = numbers
        self._outside = value
        self._seen: dict[str, object] = {}
        self._entries: list[tuple[Node, bytes]] = []
        self._later: list[tuple[Node, bytes, dict[str, object]]] = []

    def read(self, node: Node, raw: bytes) -> object:
        """Give the value of an item whose first byte is the first of ``raw``.

        Tables stand at their most. Raises ``RecordError`` where a policy says so.
        """
        if node.rule is not None and not node.rule.holds(self._value):
            return None
        return self._finished(lambda: self._item(node, raw))

    def _finished(self, read: Callable[[], object]) -> object:
        """Read, and then the branches that a rule decides about: all else is known by then."""
        before, self._later = self._later, []
        value = read()
        for node, raw, group in self._later:
            group[node.key] = self.read(node, raw)
        self._later = before
        return value

    def _item(self, node: Node, raw: bytes) -> object:
        occurs = node.item.occurs
        if occurs is None:
            return self._one(node, raw)
        count = occurs.most
        if node.counter is not None:
            said = self._value(node.counter.path)
            fits = type(said) is int and occurs.least <= said <= occurs.most
            count = said if fits else self._repair.count(self._numbers[id(node)], said, 0)  # type: ignore[assignment]
        starts = range(0, min(count * node.size, len(raw)), node.size)
        return [self._entry(node, raw[at : at + node.size]) for at in starts]

    def _entry(self, node: Node, raw: bytes) -> object:
        for inside in node.walk():
            self._seen.pop(inside.path, None)  # they are the last entry's
        self._entries.append((node, raw))
        value = self._finished(lambda: self._one(node, raw))
        self._entries.pop()
        return value

    def _one(self, node: Node, raw: bytes) -> object:
        if node.leaf is None:
            return self._group(node.slots, raw)
        cut = raw[: node.size]
        try:
            value: object = node.leaf.read(cut) if len(cut) == node.size else None
        except ValueError:
            value = None
        if value is None or (node.policies.zero != "zero" and value == 0):
            number = self._numbers[id(node)]
            value = (
                self._repair.value(number, cut, 0)
                if value is None
                else self._repair.zero(number, cut, 0)
            )
        self._seen[node.path] = value
        return value

    def _group(self, slots: list[Slot], raw: bytes) -> dict[str, object]:
        found: dict[str, object] = {}
        for slot in slots:
            for node in slot.nodes:
                if node.rule is not None and node.shown:
                    found[node.key] = None
                    self._later.append((node, raw[slot.at :], found))
                elif node.rule is None:
                    value = self._item(node, raw[slot.at :])
                    if node.shown:
                        found[node.key] = value
        return found

    def _value(self, path: str) -> object:
        """Give a field's value: as it was read, read ahead, or from outside."""
        if path in self._seen:
            return self._seen[path]
        for entry, raw in reversed(self._entries):
            node = next((one for one in entry.walk() if one.path == path), None)
            if node is not None:
                return self._one(node, raw[node.item.offset - entry.item.offset :])
        return self._outside(path)
