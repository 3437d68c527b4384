"""Writing an element from values, in the order and the namespaces of its schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..formats.shape import Values
from .element import Element
from .text import attribute, content

__all__ = ["Write", "writer"]

XSI = "http://www.w3.org/2001/XMLSchema-instance"

Write = Callable[[Values], str]
"""Gives the element, "" where the values hold nothing of it. Raises ``ValueError``."""


class _Names(NamedTuple):
    prefixes: dict[str, str]
    declarations: str

    def of(self, tag: str) -> str:
        namespace, _, local = tag.rpartition("}")
        prefix = self.prefixes[namespace[1:]] if namespace else ""
        return f"{prefix}:{local}" if prefix else local


def writer(root: Element) -> Write:
    """Make the function that writes a whole element; it declares every namespace that it uses."""
    names = _names(root)
    inner = _write(root, names, names.declarations)
    return lambda values: inner(values, True)


def _names(root: Element) -> _Names:
    elements = [element for element in root.walk() if element.tag != "*"]
    spaces = dict.fromkeys(element.namespace for element in elements)
    qualified = [
        a.tag[1:].partition("}")[0] for e in elements for a in e.attributes if "}" in a.tag
    ]
    nil = ""
    if any(element.nillable for element in elements):
        nil = f' xmlns:xsi="{XSI}"'
    if len(spaces) == 1 and not qualified:
        space = root.namespace
        return _Names({space: ""}, (f' xmlns="{attribute(space)}"' if space else ' xmlns=""') + nil)
    prefixes = {"": ""}
    # The default namespace of wherever this is put must not catch elements without one.
    declarations = ' xmlns=""' + nil
    for space in dict.fromkeys([*spaces, *qualified]):
        if space:
            prefixes[space] = f"n{len(prefixes)}"
            declarations += f' xmlns:{prefixes[space]}="{attribute(space)}"'
    return _Names(prefixes, declarations)


def _write(element: Element, names: _Names, declarations: str) -> Callable[[Values, bool], str]:
    """Make the inner function; its second argument says that the element must stand."""
    tag = names.of(element.tag)
    inside = [child for child in element.children if not (child.opaque or child.repeated)]
    attributes = [_attribute(one.path, names.of(one.tag)) for one in element.attributes]
    if element.text:
        return _leaf(element, tag, declarations, attributes)
    start, end = f"<{tag}{declarations}", f"</{tag}>"
    parts = [(_write(child, names, ""), child.required and not child.text) for child in inside]
    held = _paths(element)

    def write(values: Values, must: bool) -> str:
        if not must and held.isdisjoint(values):
            return ""
        head = "".join([one(values) for one in attributes])
        text = "".join([one(values, needed) for one, needed in parts])
        return f"{start}{head}>{text}{end}"

    return write


def _paths(element: Element) -> frozenset[str]:
    attributes = (attribute.path for node in element.walk() for attribute in node.attributes)
    return frozenset([*attributes, *(node.path for node in element.walk() if node.text)])


def _leaf(
    element: Element, tag: str, declarations: str, attributes: list[Write]
) -> Callable[[Values, bool], str]:
    path = element.path
    start, end = f"<{tag}{declarations}", f"</{tag}>"
    absent = f'{start} xsi:nil="true"/>' if element.nillable else ""

    def write(values: Values, must: bool) -> str:
        head = "".join([one(values) for one in attributes]) if attributes else ""
        text = values.get(path)
        if text is not None:
            return f"{start}{head}>{content(text)}{end}"
        if path in values and absent:
            return absent
        return f"{start}{head}>{end}" if head or must else ""

    return write


def _attribute(path: str, name: str) -> Write:
    def write(values: Values) -> str:
        text = values.get(path)
        return "" if text is None else f' {name}="{attribute(text)}"'

    return write
