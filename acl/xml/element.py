"""The elements of a message, as its schema draws them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

__all__ = ["Attribute", "Element"]


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute; ``collapse`` says that white space around its value means nothing."""

    tag: str
    path: str
    required: bool
    collapse: bool
    line: int


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """An element, with everything inside it.

    ``tag`` is ``{namespace}local``; ``path`` is how mappings name it, from below the message's own
    element. ``text`` says that it holds a value; ``opaque`` says why nobody can look inside it
    ("" where one can). ``line`` is that of the schema.
    """

    tag: str
    path: str
    required: bool = True
    repeated: bool = False
    nillable: bool = False
    collapse: bool = False
    text: bool = False
    opaque: str = ""
    line: int = 0
    attributes: tuple[Attribute, ...] = ()
    children: tuple[Element, ...] = ()

    @property
    def namespace(self) -> str:
        """Give the namespace of the tag, "" where it has none."""
        return self.tag[1:].partition("}")[0] if self.tag.startswith("{") else ""

    @property
    def local(self) -> str:
        """Give the local name of the tag."""
        return self.tag.rpartition("}")[2]

    def walk(self) -> Iterator[Element]:
        """Give this element and all inside it, in the order of the schema."""
        yield self
        for child in self.children:
            yield from child.walk()
