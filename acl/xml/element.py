"""The elements of a message, as its schema draws them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

__all__ = ["TEXT", "Attribute", "Element"]

TEXT = "#text"
"""How mappings name the text of an entry that has attributes too: ``tag[].#text``."""


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute; ``collapse`` says that white space around its value means nothing.

    ``default`` is the value that it has where it is not written; ``fixed`` says that it can have no
    other.
    """

    tag: str
    path: str
    required: bool
    collapse: bool
    line: int
    default: str | None = None
    fixed: bool = False


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """An element, with everything inside it.

    ``tag`` is ``{namespace}local``; ``path`` is how mappings name it, from below the message's own
    element, with ``[]`` behind each list. ``text`` says that it holds a value; ``opaque`` says why
    nobody can look inside it ("" where one can). ``default`` is what it means where it is empty,
    and ``fixed`` that it can mean nothing else. ``type`` is the name that its ``xsi:type`` must say
    ("" where none is needed). ``line`` is that of the schema.
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
    default: str | None = None
    fixed: bool = False
    type: str = ""
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

    @property
    def plain(self) -> bool:
        """Say whether all that it can hold is one text."""
        return self.text and not self.attributes

    @property
    def value(self) -> str:
        """Give the path of its text: an entry with attributes is no text itself."""
        return f"{self.path}.{TEXT}" if self.repeated and self.attributes else self.path

    @property
    def scope(self) -> str:
        """Give what the paths of an entry's leaves begin with, and its own values leave out."""
        return f"{self.path}."

    def walk(self) -> Iterator[Element]:
        """Give this element and all inside it, in the order of the schema."""
        yield self
        for child in self.children:
            yield from child.walk()
