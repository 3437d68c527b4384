"""What a mapping calls the fields of a copybook, and how their values lie flat and nested."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal, cast

from ..copybook.codec.floating import Floating
from ..copybook.codec.node import Node, Tree
from ..generate import Function
from .shape import Leaf, Values

__all__ = ["Names", "native", "table_of"]

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


class Names:
    """The paths of a copybook's fields.

    A field is called by its name where only one has it, by its path otherwise; ``[]`` stands behind
    the name of each table that it is in. ``optional`` says that a message may lack any of them.
    ``digits`` are the paths (of the copybook) of whole numbers that are given as text, with all
    their zeros: 00441122 is an identifier.
    """

    def __init__(self, tree: Tree, *, optional: bool, digits: Collection[str] = ()) -> None:
        shown = [one for one in tree.walk() if one.shown and (one.leaf or one.item.occurs)]
        self._count = Counter(node.item.name for node in shown)
        self._tree = tree
        self.digits = frozenset(digits)
        self.nodes = {self.path(node): node for node in shown}
        self.paths = {id(node): path for path, node in self.nodes.items()}
        self.leaves = tuple(
            self._leaf(node, path, optional=optional)
            for path, node in self.nodes.items()
            if node.leaf is not None
        )

    def _leaf(self, node: Node, path: str, *, optional: bool) -> Leaf:
        branch = any(one.rule is not None for one in (node, *_above(node)))
        return Leaf(
            path=path,
            required=not (optional or branch),
            nullable=True,
            line=node.item.line,
            type="text" if node.path in self.digits else _type(node),
        )

    def path(self, node: Node) -> str:
        """Give a node's path, from the record on."""
        table = table_of(node)
        name = self.inner(node)
        return name if table is None else f"{self.path(table)}.{name}"

    def inner(self, node: Node) -> str:
        """Give a node's path inside the entry that it stands in, or inside the record."""
        name, table = node.item.name, table_of(node)
        if self._count[name] > 1:
            name = node.path if table is None else node.path[len(table.path) + 1 :]
        return f"{name}[]" if node.item.occurs else name

    # Flat and nested.

    def flatten(self) -> Callable[[Mapping[str, object]], Values]:
        """Write the function that lays a record's values flat."""
        return _Flattener(self).of(node for slot in self._tree.slots for node in slot.nodes)

    def nest(self, values: Values) -> dict[str, object]:
        """Give values in groups, as a codec writes them. Raises ``ValueError``."""
        nested: dict[str, object] = {}
        for path, value in values.items():
            self._put(nested, self.nodes[path], value, None)
        return nested

    def _put(
        self, nested: dict[str, object], node: Node, value: object, around: Node | None
    ) -> None:
        groups = []
        above = node.parent
        while above is not None and above is not around:
            if not (above.parent is None and self._tree.flat):
                groups.append(above)
            above = above.parent
        for group in reversed(groups):
            nested = cast("dict[str, object]", nested.setdefault(group.key, {}))
        nested[node.key] = self._native(node, value)

    def _native(self, node: Node, value: object) -> object:
        if not node.item.occurs or not isinstance(value, list | tuple):
            return native(node, value) if node.leaf is not None else value
        if node.leaf is not None:
            return [native(node, one) for one in value]
        return [self.entry(node, one) for one in value]

    def entry(self, table: Node, values: Values) -> dict[str, object]:
        """Give the values of a table's entry in groups. Raises ``ValueError``."""
        nested: dict[str, object] = {}
        for name, value in values.items():
            self._put(nested, self.inside(table, name), value, table)
        return nested

    def inside(self, table: Node, name: str) -> Node:
        """Give the field of a table's entry that is called so."""
        return self.nodes[f"{self.paths[id(table)]}.{name}"]


class _Flattener:
    """The function that lays a record flat, in the making; a table's entries have their own."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._groups = 0
        self._function = Function("flatten", "d0")
        self._function.line("o = {}")

    def of(self, nodes: Iterable[Node]) -> Callable[[Mapping[str, object]], Values]:
        """Write it for what stands in a record, or in an entry."""
        for node in nodes:
            self._node(node, "d0", 1)
        self._function.line("return o")
        return self._function.build()

    def _node(self, node: Node, around: str, depth: int) -> None:
        if not node.shown:
            return
        value = f"{around}[{node.key!r}]"
        if node.leaf is None and not node.item.occurs:
            self._groups += 1
            local = f"d{self._groups}"
            self._function.line(f"{local} = {value}", depth)
            self._function.line(f"if {local} is not None:", depth)
            self._function.line("pass", depth + 1)
            for child in node.children():
                self._node(child, local, depth + 1)
            return
        if node.rule is not None:
            self._function.line(f"if {value} is not None:", depth)
            depth += 1
        source = self._listed(node, value) if node.item.occurs else self._plain(node, value)
        self._function.line(f"o[{self._names.inner(node)!r}] = {source}", depth)

    def _listed(self, node: Node, value: str) -> str:
        if node.leaf is not None:
            each = self._plain(node, "w")
            return value if each == "w" else f"[{each} for w in {value}]"
        entry = _Flattener(self._names).of(node.children())
        return f"[{self._function.constant(entry)}(w) for w in {value}]"

    def _plain(self, node: Node, value: str) -> str:
        if isinstance(node.leaf, Floating):
            return f"{self._function.constant(_exact)}({value})"
        if node.path in self._names.digits and node.item.picture is not None:
            filled = self._function.constant(_filled(node.item.picture.digits))
            return f"{filled}({value})"
        return value


def _filled(digits: int) -> Callable[[int | None], str | None]:
    def filled(value: int | None) -> str | None:
        if value is None:
            return None
        return str(value).zfill(digits + (value < 0))

    return filled


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))


def _type(node: Node) -> Literal["text", "integer", "decimal"]:
    leaf = node.leaf
    if leaf is None or not leaf.numeric:
        return "text"
    decimal = isinstance(leaf, Floating) or isinstance(leaf.zero, Decimal)
    return "decimal" if decimal else "integer"


def _above(node: Node) -> Iterator[Node]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def table_of(node: Node) -> Node | None:
    """Give the innermost table that a node stands in, itself not meant."""
    return next((one for one in _above(node) if one.item.occurs), None)


def native(node: Node, value: object) -> object:
    """Give what a codec writes for a mapping's text. Raises ``ValueError``."""
    leaf = node.leaf
    if value is None or leaf is None or not leaf.numeric or not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value) is None or len(value) > 200:
        raise ValueError("a number")
    if isinstance(leaf, Floating):
        return float(value)
    return int(value) if "." not in value else Decimal(value)
