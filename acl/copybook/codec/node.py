"""A copybook, compiled: items with their leaves, where they stand, and what decides about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from ....errors import ConfigError
from ..copybook import Copybook
from ..item import Condition, Figurative, Hexadecimal, Item
from ..lookup import find
from .codepage import CodePage, code_page
from .elementary import elementary, figurative, initial
from .leaf import Leaf
from .options import CodecOptions, Policies
from .rules import Rule
from .ruling import parse_rule

__all__ = ["Node", "Slot", "Tree", "plant"]

T = TypeVar("T")


class Slot:
    """A place in a group, and the items that share it: the first, and what redefines it.

    ``at`` counts from the group's start, ``room`` is the most that any of them takes; ``gap`` are
    the slack bytes before it.
    """

    __slots__ = ("at", "gap", "nodes", "room")

    def __init__(self, at: int, gap: int) -> None:
        self.at = at
        self.gap = gap
        self.room = 0
        self.nodes: list[Node] = []


class Node:
    """An item, compiled.

    ``key`` is its name in its group's dict; ``shown``: it has one (a FILLER has not, but a group
    without a name keeps those inside it). ``leaf`` is None for a group. ``rule`` says when it
    holds, None where always. ``counter`` is what its OCCURS depends on. ``variable``: a table with
    DEPENDING ON stands inside it. ``tables`` is how many tables it stands in.
    """

    __slots__ = (
        "counter",
        "initial",
        "item",
        "key",
        "leaf",
        "order_page",
        "parent",
        "policies",
        "rule",
        "shown",
        "slots",
        "variable",
    )

    def __init__(self, item: Item, parent: Node | None) -> None:
        self.item = item
        self.parent = parent
        self.key = item.path.rpartition(".")[2] if item.path else item.name
        self.leaf: Leaf | None = None
        self.slots: list[Slot] = []
        self.rule: Rule | None = None
        self.counter: Node | None = None
        self.policies = Policies()
        self.initial = b""
        self.order_page: CodePage | None = None
        self.shown = not item.filler
        self.variable = bool(item.occurs and item.occurs.depending)

    @property
    def path(self) -> str:
        """Give its path."""
        return self.item.path

    @property
    def size(self) -> int:
        """Give the bytes of one occurrence."""
        return self.item.size

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Give its level 88s."""
        return self.item.conditions

    def children(self) -> Iterator[Node]:
        """Give the nodes inside it."""
        for slot in self.slots:
            yield from slot.nodes

    def walk(self) -> Iterator[Node]:
        """Give it and all inside it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def literal(self, value: str | Decimal) -> object:
        """Give a literal as the field's values are given. Raises ``ValueError``."""
        assert self.leaf is not None  # noqa: S101 - a rule asks elementary items only
        assert self.order_page is not None  # noqa: S101
        if isinstance(value, Figurative):
            return self.leaf.read(figurative(value, self.leaf, self.order_page))
        if isinstance(value, Hexadecimal):
            return self.leaf.read(
                value.bytes.ljust(self.leaf.size, self.order_page.blank)[: self.leaf.size]
            )
        if self.leaf.numeric:
            try:
                return Decimal(value)
            except ArithmeticError:
                raise ValueError("a number") from None
        return value if isinstance(value, str) else format(value, "f")

    def order(self, value: object) -> object:
        """Give what its values are ordered by: for texts, their bytes."""
        if isinstance(value, str):
            assert self.order_page is not None  # noqa: S101 - set where the leaf is
            return value.ljust(self.size).encode(self.order_page.name, "replace")
        return value


class Tree:
    """A compiled copybook.

    ``roots`` are its records; ``flat``: their names are no level. ``slots`` are what the result is
    made of. ``counted`` are the tables that a field counts, by its identity.
    """

    def __init__(self, roots: Sequence[Node], flat: bool, page: CodePage) -> None:
        self.roots = tuple(roots)
        self.flat = flat
        self.page = page
        self.slots = list(roots[0].slots) if flat else [_shared(roots)]
        self.size = max(root.item.length for root in roots)
        self.by_path: Mapping[str, Node] = {
            node.path: node for root in roots for node in root.walk()
        }
        self.counted: dict[int, list[Node]] = {}

    def nameless(self, node: Node) -> bool:
        """Say whether it is a record whose name the paths of its fields leave out."""
        return node.parent is None and len(self.roots) == 1

    def walk(self) -> Iterator[Node]:
        """Give every node, in the order of the copybook."""
        for root in self.roots:
            yield from root.walk()


def _shared(roots: Sequence[Node]) -> Slot:
    slot = Slot(0, 0)
    slot.nodes.extend(roots)
    slot.room = max(root.item.length for root in roots)
    return slot


def plant(copybook: Copybook, options: CodecOptions) -> Tree:
    """Compile a copybook. Raises ``ConfigError`` where the options do not fit it."""
    return _Planter(copybook, options).tree()


class _Planter:
    def __init__(self, copybook: Copybook, options: CodecOptions) -> None:
        self._copybook = copybook
        self._options = options
        self._encodings = self._keyed(options.encodings)
        self._policies = self._keyed(options.fields)
        self._page = code_page(options.encoding, controls=options.controls == "space")

    def _keyed(self, table: Mapping[str, T]) -> dict[str, T]:
        return {find(self._copybook, name).path: value for name, value in table.items()}

    def tree(self) -> Tree:
        roots = [self._node(record, None) for record in self._copybook.records]
        keep = self._options.root == "keep" or (self._options.root == "auto" and len(roots) > 1)
        flat = not keep and len(roots) == 1 and not roots[0].leaf and not roots[0].item.occurs
        tree = Tree(roots, flat, self._page)
        for node in tree.walk():
            occurs = node.item.occurs
            if occurs and occurs.depending:
                node.counter = tree.by_path[occurs.depending]
                tree.counted.setdefault(id(node.counter), []).append(node)
        self._rule(tree)
        return tree

    def _node(self, item: Item, parent: Node | None) -> Node:
        node = Node(item, parent)
        node.policies = self._policies.get(item.path, self._options.policies)
        if item.category != "group":
            encoding = self._encodings.get(item.path, "")
            node.leaf = elementary(item, self._options, encoding)
            plain = encoding if encoding and encoding != "hex" else self._options.encoding
            node.order_page = code_page(plain)
            node.initial = initial(item, node.leaf, node.order_page)
            return node
        self._slots(node)
        node.shown = node.shown or any(child.shown for child in node.children())
        node.variable = node.variable or any(child.variable for child in node.children())
        return node

    def _slots(self, node: Node) -> None:
        places: dict[str, Slot] = {}
        end = 0
        for item in node.item.children:
            at = item.offset - node.item.offset
            slot = places.get(item.redefines) if item.redefines else None
            if slot is None:
                slot = Slot(at, max(at - end, 0))
                node.slots.append(slot)
            places[item.path] = slot
            slot.nodes.append(self._node(item, node))
            slot.room = max(slot.room, item.length)
            end = max(end, slot.at + slot.room)

    def _rule(self, tree: Tree) -> None:
        conditions = {
            one.name.upper(): node
            for node in tree.walk()
            if node.leaf
            for one in node.item.conditions
        }

        def asked_for(name: str) -> Node:
            node = tree.by_path[find(self._copybook, name).path]
            if node.leaf is None:
                raise ConfigError("a group, where a field is meant", place="rules", value=name)
            return node

        for path, text in self._keyed(self._options.rules).items():
            node = tree.by_path[path]
            place = f"rules.{path}"
            node.rule = parse_rule(text, asked_for, conditions, place)
            for asked in node.rule.fields():
                _reachable(tree.by_path[asked], node, place)


def _reachable(asked: Node, node: Node, place: str) -> None:
    """Refuse a rule that asks for a field in another table, or inside the branch itself."""
    tables = {id(one) for one in _above(node) if one.item.occurs}
    missing = [one for one in _above(asked) if one.item.occurs and id(one) not in tables]
    if missing or any(one is node for one in _above(asked)):
        raise ConfigError(
            "a rule that asks for a field whose value nobody can know there",
            place=place,
            value=asked.path,
            expected="a field outside the branch, and in no other table than the branch is",
        )


def _above(node: Node) -> Iterator[Node]:
    above: Node | None = node
    while above is not None:
        yield above
        above = above.parent
