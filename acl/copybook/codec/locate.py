"""Where each field of a record stands: the offsets that errors name and changes go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .node import Node, Slot, Tree

__all__ = ["Spot", "locate"]


class Spot(NamedTuple):
    """An item in one record. ``indices`` count the entries of the tables around it, from 0."""

    node: Node
    indices: tuple[int, ...]
    offset: int
    size: int


def locate(tree: Tree, values: Mapping[str, object], *, moving: bool) -> list[Spot]:
    """Give the spots of all that a record holds, tables whole and entry by entry.

    ``values`` are those that were read from it. A branch that does not hold has no spots.
    """
    return _Walk(moving=moving).group(tree.slots, values, 0, ())[0]


class _Walk:
    """Each step gives the spots, and how many bytes fewer there are than at the most."""

    def __init__(self, *, moving: bool) -> None:
        self._moving = moving
        self._seen: dict[int, object] = {}

    def group(
        self, slots: Sequence[Slot], values: Mapping[str, object], at: int, indices: tuple[int, ...]
    ) -> tuple[list[Spot], int]:
        spots: list[Spot] = []
        moved = 0
        for slot in slots:
            moves = self._moving and len(slot.nodes) == 1 and slot.nodes[0].rule is None
            for node in slot.nodes:
                place = at + slot.at - moved
                found, fewer = self._item(node, values.get(node.key), place, indices, moves)
                spots += found
                moved += fewer
        return spots, moved

    def _item(
        self, node: Node, value: object, at: int, indices: tuple[int, ...], moves: bool
    ) -> tuple[list[Spot], int]:
        if not node.item.occurs:
            return self._one(node, value, at, indices, moves)
        inside: list[Spot] = []
        end = at
        for number, entry in enumerate(value if isinstance(value, list) else self._hidden(node)):
            found, fewer = self._one(node, entry, end, (*indices, number), moves)
            inside += found
            end += node.size - fewer
        size = end - at if moves and node.variable else node.item.length
        return [Spot(node, indices, at, size), *inside], node.item.length - size

    def _one(
        self, node: Node, value: object, at: int, indices: tuple[int, ...], moves: bool
    ) -> tuple[list[Spot], int]:
        if node.leaf is not None:
            self._seen[id(node)] = value
            return [Spot(node, indices, at, node.size)], 0
        if not isinstance(value, Mapping):
            return ([], 0) if node.shown else ([Spot(node, indices, at, node.size)], 0)
        before, self._moving = self._moving, moves
        inside, fewer = self.group(node.slots, value, at, indices)
        self._moving = before
        return [Spot(node, indices, at, node.size - fewer), *inside], fewer

    def _hidden(self, node: Node) -> Sequence[object]:
        """Give the entries of a table without a name: they have no values."""
        occurs = node.item.occurs
        if node.shown or occurs is None or node.counter is None:
            return []
        said = self._seen.get(id(node.counter))
        fits = type(said) is int and occurs.least <= said <= occurs.most
        return [None] * (said if fits else occurs.most)  # type: ignore[operator]
