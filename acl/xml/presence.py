"""Whether an element is to be there, after changes."""

from __future__ import annotations

from collections.abc import Iterator

from ..formats.shape import Values
from .element import Element
from .scan import Spot
from .start import attributes_at

__all__ = ["emptied", "holds", "precedes"]


def emptied(document: bytes, spot: Spot, changes: Values, scope: str) -> bool:
    """Say whether an element goes: a leaf that is taken away, an optional group of such."""
    node = spot.node
    if node.text:
        key = node.path[len(scope) :]
        return not node.nillable and key in changes and changes[key] is None
    if node.required or not spot.inside or holds(node, changes, scope):
        return False
    # Comments, and elements that the schema does not show, keep a group where it is.
    inside = document[spot.inner : spot.close]
    return inside.count(b"<") == 2 * spot.count() - inside.count(b"/>") and _taken(
        document, spot, changes, scope
    )


def _taken(document: bytes, spot: Spot, changes: Values, scope: str) -> bool:
    """Say whether all that an element holds is taken away."""
    node = spot.node
    known = {one.tag: one.path[len(scope) :] for one in node.attributes}
    for name in attributes_at(document, spot):
        key = known.get(name, "")
        if key not in changes or changes[key] is not None:
            return False
    if node.text:
        key = node.path[len(scope) :]
        return not node.repeated and key in changes and changes[key] is None
    return all(_taken(document, one, changes, scope) for one in spot.inside)


def precedes(group: Element, sibling: Spot, child: Element) -> bool:
    """Say whether the schema wants what stands there in front of an element."""
    for one in group.children:
        if one is child:
            return False
        if one is sibling.node:
            return True
    return False


def holds(node: Element, changes: Values, scope: str) -> bool:
    """Say whether the changes put something into an element."""
    if node.opaque:
        return False
    if node.repeated:
        return bool(changes.get(node.path[len(scope) :]))
    return any(changes.get(key) not in (None, [], ()) for key in _keys(node, scope))


def _keys(node: Element, scope: str) -> Iterator[str]:
    if node.text:
        yield node.path[len(scope) :]
    for one in node.attributes:
        yield one.path[len(scope) :]
    for child in node.children:
        if child.repeated:
            yield child.path[len(scope) :]
        elif not child.opaque:
            yield from _keys(child, scope)
