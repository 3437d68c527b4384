"""Putting changed values into the bytes of a document that stays as it is otherwise."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.parsers import expat

from ..envelope import SOAP11, SOAP12
from ..formats.shape import Values
from .element import Element
from .text import attribute, content
from .writer import writer

__all__ = ["patch"]

_TAG: Final = re.compile(rb"""<([^\s/>]+)((?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>""")
_ONE: Final = re.compile(r"""\s+([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_BODIES: Final = (f"{SOAP11}}}Body", f"{SOAP12}}}Body")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


class _Spot(NamedTuple):
    """Where an element stands: its start tag, what is in it, its end; offsets into UTF-8."""

    start: int
    inner: int
    close: int
    end: int


class _Edit(NamedTuple):
    """A span to be replaced. At one offset insertions come first, in the order of the schema."""

    start: int
    replaces: bool
    order: float
    end: int
    text: str


def patch(body: bytes, encoding: str, root: Element, changes: Values) -> bytes:
    """Give the document with these values changed, set or (None) taken away.

    ``root`` is the tree of the message's own element, which stands in a SOAP Body. What is not
    changed keeps its bytes: comments, prefixes, headers, white space. An element that was not there
    is put where the schema wants it. Raises ``ValueError`` with what was expected.
    """
    name = next((name for mark, name in _BOMS if body.startswith(mark)), encoding or "utf-8")
    document = _as_utf8(body, name)
    spots = _Scan(root).run(document)
    edits = sorted(_edits(document, root, spots, changes))
    pieces: list[bytes] = []
    at = 0
    for edit in edits:
        pieces += [document[at : edit.start], edit.text.encode("utf-8")]
        at = edit.end
    pieces.append(document[at:])
    changed = b"".join(pieces)
    if name == "utf-8":
        return changed
    return changed.decode("utf-8").encode(name, "xmlcharrefreplace")


def _as_utf8(body: bytes, name: str) -> bytes:
    try:
        text = body.decode(name)
        if text.encode(name) == body:
            return text.encode("utf-8")
    except (LookupError, UnicodeError):
        pass
    raise ValueError(f"a document whose encoding, {name}, comes out as it went in")


class _Scan:
    """Finds where the elements of a tree stand, with expat, which knows its offsets."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._spots: dict[str, _Spot] = {}
        self._open: list[tuple[Element | None, int, int]] = []
        self._document = b""
        self._in_body = False
        self._tables = {
            node.path: {child.tag.removeprefix("{"): child for child in node.children}
            for node in root.walk()
        }

    def run(self, document: bytes) -> dict[str, _Spot]:
        parser = expat.ParserCreate("utf-8", "}")
        self._document = document
        parser.StartElementHandler = lambda name, _: self._begin(name, parser.CurrentByteIndex)
        parser.EndElementHandler = lambda _: self._finish(parser.CurrentByteIndex)
        try:
            parser.Parse(document, True)
        except expat.ExpatError as error:
            raise ValueError(f"well-formed XML: {error}") from None
        return self._spots

    def _begin(self, name: str, start: int) -> None:
        node: Element | None = None
        if len(self._open) == 1:
            self._in_body = name in _BODIES
        elif len(self._open) == 2 and self._in_body and name == self._root.tag.removeprefix("{"):
            node = self._root
        elif self._open and (above := self._open[-1][0]) is not None:
            node = self._tables[above.path].get(name)
        inner = start if node is None else _tag(self._document, start).end()
        self._open.append((node, start, inner))

    def _finish(self, at: int) -> None:
        node, start, inner = self._open.pop()
        if node is None:
            return
        if self._document[inner - 2 : inner] == b"/>":
            self._spots[node.path] = _Spot(start, inner, inner, inner)
        else:
            end = self._document.index(b">", at) + 1
            self._spots[node.path] = _Spot(start, inner, at, end)


def _tag(document: bytes, start: int) -> re.Match[bytes]:
    found = _TAG.match(document, start)
    if found is None:
        raise ValueError("a start tag where the parser saw one")
    return found


def _edits(
    document: bytes, root: Element, spots: dict[str, _Spot], changes: Values
) -> Iterator[_Edit]:
    if "" not in spots:
        raise ValueError(f"the element {root.tag} in the Body")
    for order, (node, above) in enumerate(_pairs(root, None)):
        spot = spots.get(node.path)
        attributes = any(one.path in changes for one in node.attributes)
        text = node.text and node.path in changes
        if spot is None:
            parent = spots.get(above.path) if above is not None else None
            if above is not None and parent is not None and _holds(node, changes):
                position = _position(above, node, spots)
                yield _Edit(position, False, order, position, writer(node)(changes))
            continue
        if text and changes[node.path] is None and not node.nillable:
            yield _Edit(spot.start, True, order, spot.end, "")
            continue
        opened = any(child.path not in spots and _holds(child, changes) for child in node.children)
        if text or attributes or (opened and spot.inner == spot.end):
            yield from _rewritten(document, node, spot, changes, order)


def _pairs(node: Element, above: Element | None) -> Iterator[tuple[Element, Element | None]]:
    yield node, above
    for child in node.children:
        if not (child.opaque or child.repeated):
            yield from _pairs(child, node)


def _holds(node: Element, changes: Values) -> bool:
    if node.opaque or node.repeated:
        return False
    paths = [node.path, *(one.path for one in node.attributes)]
    held = any(changes.get(path) is not None for path in paths)
    return held or any(_holds(child, changes) for child in node.children)


def _position(above: Element, node: Element, spots: dict[str, _Spot]) -> int:
    position = spots[above.path].inner
    for sibling in above.children:
        if sibling.path == node.path:
            break
        if sibling.path in spots:
            position = spots[sibling.path].end
    return position


def _rewritten(
    document: bytes,
    node: Element,
    spot: _Spot,
    changes: Values,
    order: int,
) -> Iterator[_Edit]:
    tag = _tag(document, spot.start)
    name, held = tag[1].decode("utf-8"), tag[2].decode("utf-8")
    inner = tag.end()
    text = changes.get(node.path) if node.text else None
    if node.text and node.path in changes:
        held = _without(held, "nil", qualified=True)
        if text is None:
            held += ' n:nil="true" xmlns:n="http://www.w3.org/2001/XMLSchema-instance"'
    for one in node.attributes:
        if one.path not in changes:
            continue
        held = _without(held, one.tag.rpartition("}")[2], qualified="}" in one.tag)
        value = changes[one.path]
        if value is not None:
            space, _, local = one.tag.rpartition("}")
            if space:
                held += f' xmlns:a{order}="{attribute(space[1:])}"'
                local = f"a{order}:{local}"
            held += f' {local}="{attribute(value)}"'
    closed = spot.inner == spot.end
    yield _Edit(spot.start, True, order, inner, f"<{name}{held}>")
    if node.text and node.path in changes:
        written = content(text) if text is not None else ""
        written += f"</{name}>" if closed else ""
        yield _Edit(inner, spot.close > inner, order, spot.close, written)
    elif closed:
        # After all that is put inside it, before all that comes behind it.
        behind = order + sum(1 for _ in _pairs(node, None)) - 0.5
        yield _Edit(inner, False, behind, inner, f"</{name}>")


def _without(held: str, local: str, *, qualified: bool) -> str:
    def keep(found: re.Match[str]) -> str:
        prefix, _, name = found[1].rpartition(":")
        return "" if name == local and bool(prefix) is qualified else found[0]

    return _ONE.sub(keep, held)
