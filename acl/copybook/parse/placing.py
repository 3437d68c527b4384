"""Where every item's bytes stand: redefinitions, tables and slack bytes."""

from __future__ import annotations

from collections.abc import Callable

from ..error import CopybookError
from ..item import Sign, Usage
from .entry import Reference
from .limits import MAX_RECORD
from .names import Names
from .settling import settle
from .sizes import alignment, elementary_size
from .tokens import Token
from .tree import Node, Tree

__all__ = ["place"]

Warn = Callable[[Token, str], None]


def place(tree: Tree, names: Names, warn: Warn) -> None:
    """Give every node of a tree its usage, sign, offset and size.

    Slack bytes stand where IBM Enterprise COBOL puts them (Language Reference, SYNCHRONIZED): in
    front of the item, of its group where it is the first in it, and at the end of each occurrence
    of a table. Raises ``CopybookError`` at an item without bytes, at a redefinition of nothing, at
    a record that is too long.
    """
    _redefine(tree.roots, names, warn)
    for root in tree.roots:
        settle(root, warn)
        _place(root, 0, names, warn)


def _redefine(nodes: list[Node], names: Names, warn: Warn) -> None:
    """Find what each of a group redefines: an item right before it, others of it between."""
    block: dict[str, Node] = {}
    for node in nodes:
        reference = node.entry.redefines
        if reference is None:
            block = {node.entry.name.upper(): node}
            continue
        target = block.get(reference.names[0].upper())
        if target is None:
            raise _no_target(node, reference, nodes, names)
        if target.entry.level != node.entry.level:
            warn(
                reference.token,
                f"{reference} has level {target.entry.level:02d}, "
                f"what redefines it {node.entry.level:02d}",
            )
        node.alias = target
        block.setdefault(node.entry.name.upper(), node)


def _no_target(node: Node, reference: Reference, nodes: list[Node], names: Names) -> CopybookError:
    """Say why nothing can be redefined."""
    name = reference.names[0].upper()
    if name == node.entry.name.upper():
        message = f"{reference} redefines itself"
    elif any(other.entry.name.upper() == name for other in nodes if other.number < node.number):
        message = f"other items stand between {reference} and what redefines it"
    else:
        names.before(reference, node, "an item to redefine")
        message = f"{reference} does not stand in the same group"
    return reference.token.error(
        message,
        expected="the name of the item right before, at the same level of the same group",
        remedy="compare the level numbers, or move the redefinition",
    )


def _place(node: Node, offset: int, names: Names, warn: Warn) -> int:
    """Place a node; give the widest boundary that it or an item inside it keeps, in bytes."""
    if node.alias is not None:
        node.offset = node.alias.offset
    else:
        node.offset = offset + -offset % _first_boundary(node)
    entry = node.entry
    if node.children:
        widest = _place_inside(node, names, warn)
        if entry.table is not None:
            node.size += -node.size % widest
    else:
        usage, sign = entry.usage or Usage.DISPLAY, entry.sign or Sign()
        node.size = entry.bytes or elementary_size(entry.picture, usage, sign)
        widest = _first_boundary(node)
    end = node.offset + node.length
    if end > MAX_RECORD:
        raise entry.place.error(
            f"the record has {end} bytes or more",
            expected=f"at most {MAX_RECORD}",
            remedy="is a number of OCCURS or of a picture too large?",
        )
    return widest


def _place_inside(node: Node, names: Names, warn: Warn) -> int:
    """Place what stands inside a group; give its widest boundary."""
    _redefine(node.children, names, warn)
    end, widest = node.offset, 1
    for child in node.children:
        widest = max(widest, _place(child, end, names, warn))
        if child.alias is not None and child.length > child.alias.length:
            warn(child.entry.place, "it is longer than the item that it redefines")
        end = max(end, child.offset + child.length)
    node.size = end - node.offset
    return widest


def _first_boundary(node: Node) -> int:
    """Give the boundary of the first elementary item in a node."""
    while node.children:
        node = node.children[0]
    if not node.entry.synchronized:
        return 1
    return alignment(node.entry.picture, node.entry.usage or Usage.DISPLAY)
