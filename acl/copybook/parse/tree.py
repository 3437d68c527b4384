"""The entries as a tree: which stands inside which, by their level numbers."""

from __future__ import annotations

from collections.abc import Iterator

from ..error import CopybookError
from .entries import condition
from .entry import Entry
from .tokens import Token

__all__ = ["Node", "Tree", "grow"]


class Node:
    """An entry with those inside it. ``number`` counts in the order of the copybook."""

    __slots__ = ("alias", "children", "entry", "number", "offset", "parent", "path", "size")

    def __init__(self, entry: Entry, parent: Node | None, number: int) -> None:
        self.entry = entry
        self.parent = parent
        self.number = number
        self.children: list[Node] = []
        self.path = ""
        self.alias: Node | None = None
        """The node that it redefines."""
        self.offset = 0
        self.size = 0

    @property
    def length(self) -> int:
        """Give the bytes of all its occurrences, at their most."""
        return self.size * (self.entry.table.most if self.entry.table else 1)

    @property
    def around(self) -> Iterator[Node]:
        """Give the groups around it, innermost first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def walk(self) -> Iterator[Node]:
        """Give it and all inside it, in the order of the copybook."""
        yield self
        for child in self.children:
            yield from child.walk()


class Tree:
    """All records of a copybook, and the level 66 entries with the record that each belongs to."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.renames: list[tuple[Entry, Node]] = []

    def walk(self) -> Iterator[Node]:
        """Give every node, in the order of the copybook."""
        for root in self.roots:
            yield from root.walk()


def grow(entries: list[Entry]) -> Tree:
    """Put entries into a tree. Raises ``CopybookError`` where a level has no place in it."""
    tree = Tree()
    stack: list[Node] = []
    for number, entry in enumerate(entries, 1):
        if entry.level == 88:
            _condition(entry, stack)
        elif entry.level == 66:
            if not stack:
                raise entry.token.error(
                    "RENAMES stands before any item", expected="it at the end of its record"
                )
            tree.renames.append((entry, stack[0]))
        else:
            _place(entry, number, stack, tree)
    return tree


def _place(entry: Entry, number: int, stack: list[Node], tree: Tree) -> None:
    """Put an item into the group that its level says."""
    left: Node | None = None
    outermost = entry.level in {1, 77}
    while stack and (outermost or stack[-1].entry.level >= entry.level):
        left = stack.pop()
    if not stack and not outermost:
        if tree.roots and tree.roots[-1].entry.name:
            raise _no_place(entry, left)
        if not tree.roots:
            tree.roots.append(Node(_nameless(entry), None, 0))
        stack.append(tree.roots[-1])
    parent = stack[-1] if stack else None
    if parent is not None and parent.entry.picture is not None:
        raise entry.token.error(
            f"level {entry.level:02d} stands inside {parent.entry.name}, which has a picture",
            expected=f"level {parent.entry.level:02d} beside it, or no picture for it",
            remedy="compare the level numbers of the two entries",
        )
    node = Node(entry, parent, number)
    (parent.children if parent else tree.roots).append(node)
    stack.append(node)


def _nameless(entry: Entry) -> Entry:
    """Give the record of a copybook that has no level 01."""
    first = entry.token
    start = Token("word", "", first.line, first.column, first.source)
    return Entry(level=0, token=start, name="")


def _no_place(entry: Entry, left: Node | None) -> CopybookError:
    known = f"{left.entry.level:02d}" if left else "01"
    return entry.token.error(
        f"level {entry.level:02d} belongs to no record",
        expected=f"level {known}, or a level higher than it",
        remedy="is a level 01 missing?",
    )


def _condition(entry: Entry, stack: list[Node]) -> None:
    """Give a level 88 to the item before it."""
    if not stack:
        raise entry.token.error(
            f"the condition {entry.name} stands before any item",
            expected="the item first whose values it names",
        )
    stack[-1].entry.conditions.append(condition(entry))
