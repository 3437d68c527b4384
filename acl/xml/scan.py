"""Where the elements of a message stand in its bytes."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from ..envelope import SOAP11, SOAP12
from .element import Element

__all__ = ["Spot", "scan", "tag_at"]

_TAG: Final = re.compile(rb"""<([^\s/>]+)((?:\s+[^\s=<>/]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""")
_BODIES: Final = (f"{SOAP11}}}Body", f"{SOAP12}}}Body")


class Spot:
    """An element as it stands: offsets of its start tag, what is in it, its end tag, its end.

    ``inside`` holds the elements in it that the schema knows, in the order of the document;
    ``around`` the offsets of the start tags that it stands in, its own at the end.
    """

    __slots__ = ("around", "close", "end", "inner", "inside", "node", "start")

    def __init__(self, node: Element, start: int, inner: int, around: tuple[int, ...]) -> None:
        self.node = node
        self.around = around
        self.start = start
        self.inner = inner
        self.close = inner
        self.end = inner
        self.inside: list[Spot] = []

    @property
    def closed(self) -> bool:
        """Say whether it is one tag that ends itself."""
        return self.inner == self.end

    def count(self) -> int:
        """Count the elements in it that the schema knows, at any depth."""
        return sum(1 + spot.count() for spot in self.inside)

    def of(self, node: Element) -> list[Spot]:
        """Give the elements in it that are this one of the schema."""
        return [spot for spot in self.inside if spot.node is node]


def scan(document: bytes, root: Element, *, enveloped: bool) -> Spot:
    """Find the message's element, alone or in a SOAP Body, and all in it. ``document`` is UTF-8.

    expat, unlike libxml2, knows the offsets. Raises ``ValueError`` where the document is not
    well-formed, has a doctype, or holds another message.
    """
    return _Scan(document, root, enveloped=enveloped).run()


def tag_at(document: bytes, start: int) -> re.Match[bytes]:
    """Give the start tag that stands there: its name and its attributes as they are written."""
    found = _TAG.match(document, start)
    if found is None:
        raise ValueError("a start tag where the parser saw one")
    return found


class _Scan:
    def __init__(self, document: bytes, root: Element, *, enveloped: bool) -> None:
        self._document = document
        self._root = root
        self._depth = 2 if enveloped else 0
        self._open: list[Spot | None] = []
        self._found: Spot | None = None
        self._in_body = not enveloped
        self._around: list[int] = []
        self._tables = {
            id(node): {child.tag.removeprefix("{"): child for child in node.children}
            for node in root.walk()
        }

    def run(self) -> Spot:
        parser = expat.ParserCreate("utf-8", "}")
        parser.StartElementHandler = lambda name, _: self._begin(name, parser.CurrentByteIndex)
        parser.EndElementHandler = lambda _: self._finish(parser.CurrentByteIndex)
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            parser.Parse(self._document, True)
        except expat.ExpatError as error:
            raise ValueError(f"well-formed XML: {error}") from None
        if self._found is None:
            where = " in the Body" if self._depth else ""
            raise ValueError(f"the element {self._root.tag}{where}")
        return self._found

    def _begin(self, name: str, start: int) -> None:
        node: Element | None = None
        depth = len(self._open)
        if depth == self._depth and self._in_body and name == self._root.tag.removeprefix("{"):
            node = self._root if self._found is None else None
        elif depth == 1 and self._depth:
            self._in_body = name in _BODIES
        elif self._open and (above := self._open[-1]) is not None:
            node = self._tables[id(above.node)].get(name)
        if depth < self._depth:
            del self._around[depth:]
            self._around.append(start)
        if node is None or node.opaque:
            self._open.append(None)
            return
        above = self._open[-1] if self._open else None
        around = (*(tuple(self._around) if above is None else above.around), start)
        spot = Spot(node, start, tag_at(self._document, start).end(), around)
        if above is None:
            self._found = spot
        else:
            above.inside.append(spot)
        self._open.append(spot)

    def _finish(self, at: int) -> None:
        spot = self._open.pop()
        if spot is not None and self._document[spot.inner - 2 : spot.inner] != b"/>":
            spot.close = at
            spot.end = self._document.index(b">", at) + 1


def _refuse_doctype(*_: object) -> None:
    raise ValueError("no <!DOCTYPE")
