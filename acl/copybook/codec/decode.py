"""The reader of a copybook's records: Python functions written once, called a million times.

The record is turned into text once, into zoned digits once, into hexadecimal once; a field is a
slice of one of these, and ``int``, ``Decimal`` and a table of signs are what checks it. Whatever
they refuse goes to ``Repair``, field by field.
"""

from __future__ import annotations

from collections.abc import Callable

from .decoding import Plan, Writing
from .node import Node, Tree
from .repair import Repair

__all__ = ["Decoder", "decoder", "reader"]

Decoder = Callable[[bytes, Repair], dict[str, object]]


def decoder(tree: Tree, *, careful: bool, moving: bool) -> Decoder:
    """Write the reader of records that are whole, or of those that may end anywhere (``careful``).

    ``moving``: what stands behind a table with DEPENDING ON moves up; that needs a careful one.
    """
    plan = Plan(tree, careful=careful, moving=moving)
    writer = Writing(plan, tree.roots, 0, "r0", "e")
    value = writer.group(tree.slots, 0, moving=moving)
    writer.finish()
    return writer.compile(value)  # type: ignore[return-value]


def reader(tree: Tree, node: Node) -> Callable[[bytes, Repair], object]:
    """Write the reader of one item, whose first byte is the first that it gets; no table."""
    plan = Plan(tree, careful=False)
    writer = Writing(plan, [node], node.item.offset, "r0", "e")
    value = writer.node(node, node.item.offset, moving=False)
    writer.finish()
    return writer.compile(value)
