"""The prefixes by which a written element names its namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .element import Element
from .text import attribute

__all__ = ["XSI", "Names", "names_of"]

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XML: Final = "http://www.w3.org/XML/1998/namespace"


class Names(NamedTuple):
    """Prefixes by namespace, and the declarations that an element needs for them."""

    prefixes: Mapping[str, str]
    declarations: str
    needless: tuple[tuple[str, str], ...] = ()
    """Prefixes that only optional parts use, each with its declaration."""

    def of(self, tag: str) -> str:
        """Give the name that is written for a tag."""
        namespace, _, local = tag.rpartition("}")
        prefix = self.prefixes[namespace[1:]] if namespace else ""
        return f"{prefix}:{local}" if prefix else local

    def without_needless(self, written: str) -> str:
        """Give a written element without the declarations that nothing in it uses."""
        for prefix, declaration in self.needless:
            if f"{prefix}:" not in written:
                written = written.replace(declaration, "", 1)
        return written


def names_of(root: Element) -> Names:
    """Choose prefixes for all that may be written of an element; one namespace needs none."""
    elements = [element for element in root.walk() if element.tag != "*"]
    spaces = dict.fromkeys(element.namespace for element in elements)
    qualified = [_space(a.tag) for e in elements for a in e.attributes if "}" in a.tag]
    qualified += [_space(e.type) for e in elements if e.type]
    qualified = [space for space in qualified if space != _XML]
    nil = ""
    if any(element.nillable or element.type for element in elements):
        nil = f' xmlns:xsi="{XSI}"'
    if len(spaces) == 1 and not qualified:
        space = root.namespace
        default = f' xmlns="{attribute(space)}"' if space else ' xmlns=""'
        return Names({space: "", _XML: "xml", XSI: "xsi"}, default + nil)
    prefixes = {"": "", _XML: "xml", XSI: "xsi"}
    # The default namespace of wherever this is put must not catch elements without one.
    declarations = ' xmlns=""' + nil
    for number, space in enumerate(dict.fromkeys([*filter(None, spaces), *qualified]), 1):
        prefixes[space] = f"n{number}"
        declarations += f' xmlns:n{number}="{attribute(space)}"'
    return Names(prefixes, declarations)


def _space(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""
