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

    def read(self, node: Node, raw: bytes) -> object:
        """Give the value of an item whose first byte is the first of ``raw``.

        Tables stand at their most. Raises ``RecordError`` where a policy says so.
        """
        if node.rule is not None and not node.rule.holds(self._value):
            return None
        occurs = node.item.occurs
        if occurs is None:
            return self._one(node, raw)
        count = occurs.most
        if node.counter is not None:
            said = self._value(node.counter.path)
            fits = type(said) is int and occurs.least <= said <= occurs.most
            count = said if fits else self._repair.count(self._numbers[id(node)], said, 0)  # type: ignore[assignment]
        ends = range(0, min(count * node.size, len(raw)), node.size)
        return [self._one(node, raw[at : at + node.size]) for at in ends]

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
        later: list[tuple[Node, int]] = []
        for slot in slots:
            for node in slot.nodes:
                if node.rule is not None:
                    later.append((node, slot.at))
                    found[node.key] = None
                else:
                    found[node.key] = self.read(node, raw[slot.at :])
        for node, at in later:
            found[node.key] = self.read(node, raw[at:])
        return {node.key: found[node.key] for slot in slots for node in slot.nodes if node.shown}

    def _value(self, path: str) -> object:
        return self._seen[path] if path in self._seen else self._outside(path)
