"""Paths: a unique one for each item, and finding the item that a name means."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Sequence

from ..error import CopybookError
from .entry import Reference
from .limits import MAX_WORK
from .tree import Node, Tree

__all__ = ["Names", "near"]

_COMPARED = 5_000
"""Names that a suggestion is looked for among."""


def near(name: str, names: Sequence[str]) -> str:
    """Give a remedy that names what may have been meant."""
    found = difflib.get_close_matches(name[:64].upper(), names[:_COMPARED], n=3, cutoff=0.6)
    return f"is {' or '.join(found)} meant?" if found else ""


class Names:
    """The items of a tree by name. Building it gives each its path."""

    def __init__(self, tree: Tree) -> None:
        self._nodes: dict[str, list[Node]] = {}
        self._paths: dict[str, int] = {}
        self._work = 0
        several = len(tree.roots) > 1
        for node in tree.walk():
            self._nodes.setdefault(node.entry.name.upper(), []).append(node)
            node.path = self._unique(self._path(node, prefixed=several))

    def _path(self, node: Node, *, prefixed: bool) -> str:
        parent = node.parent
        if parent is None or (parent.parent is None and not (prefixed and parent.path)):
            return node.entry.name
        return f"{parent.path}.{node.entry.name}"

    def _unique(self, path: str) -> str:
        """Give a path that nobody has: the second of two twins is ``NAME#2``."""
        key = path.upper()
        count = self._paths.get(key, 0) + 1
        self._paths[key] = count
        if count == 1:
            return path
        while f"{key}#{count}" in self._paths:
            count += 1
        self._paths[key] = count
        self._paths[f"{key}#{count}"] = 1
        return f"{path}#{count}"

    def before(self, reference: Reference, node: Node, what: str) -> Node:
        """Find the item that stands before a node and is meant there by a name.

        Where several have the name, it is the one in a group around the node, the innermost of
        these; else the one that shares the innermost group with it. Raises ``CopybookError`` where
        there is none.
        """
        same = self._nodes.get(reference.names[0].upper(), [])
        wanted = [name.upper() for name in reference.names[1:]]
        groups = {group.number for group in node.around}
        best, nearest = None, (False, -1)
        for at in range(bisect_left(same, node.number, key=_number) - 1, -1, -1):
            self._count(reference)
            found = same[at]
            around = [group.number in groups for group in found.around]
            place = (all(around), sum(around))
            if place > nearest and _within(found, wanted):
                best, nearest = found, place
                if place == (True, len(groups)):
                    break
        if best is None:
            raise self._missing(reference, [n for n in same if _within(n, wanted)], what)
        return best

    def inside(self, reference: Reference, root: Node, what: str) -> Node:
        """Find the one item of a record that a name means."""
        same = [
            found
            for found in self._qualified(reference)
            if found is not root and root in found.around
        ]
        if len(same) == 1:
            return same[0]
        if same:
            raise reference.token.error(
                f"{reference} names {len(same)} items: {', '.join(n.path for n in same[:3])}",
                expected=f"one item as {what}",
                remedy="name its group too: NAME OF GROUP",
            )
        raise self._missing(reference, [], what)

    def _qualified(self, reference: Reference) -> list[Node]:
        """Give the items of a name whose groups bear the names that qualify it, in order."""
        found = self._nodes.get(reference.names[0].upper(), [])
        self._count(reference, len(found))
        wanted = [name.upper() for name in reference.names[1:]]
        if not wanted:
            return found
        return [node for node in found if _within(node, wanted)]

    def _count(self, reference: Reference, work: int = 1) -> None:
        self._work += work
        if self._work > MAX_WORK:
            raise reference.token.error(
                "too many items share their names",
                expected="names that tell items apart",
                remedy="split the copybook",
            )

    def _missing(self, reference: Reference, later: list[Node], what: str) -> CopybookError:
        if later:
            first = later[0].entry.place
            return reference.token.error(
                f"{reference} stands in line {first.line}, behind this",
                expected=f"{what} before this entry",
                remedy="move it in front, or correct the name",
            )
        return reference.token.error(
            f"there is no item {reference}",
            expected=f"the name of {what}",
            remedy=near(reference.names[0], list(self._nodes)),
        )


def _number(node: Node) -> int:
    return node.number


def _within(node: Node, wanted: list[str]) -> bool:
    names = iter(group.entry.name.upper() for group in node.around)
    return all(any(name == found for found in names) for name in wanted)
