"""XML that stands in a text field: what it says counts, not how it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from lxml import etree

from ...acl.xml.node import Node
from ...acl.xml.parse import parse
from ...errors import EnvelopeError

__all__ = ["document_differences"]

_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MOST: Final = 20


def document_differences(one: str, other: str, unwrap: Collection[str] = ()) -> list[str]:
    """Name where two documents differ: ``/invoice/line[2]/amount``, at most 20 places.

    Both are brought to canonical XML (C14N 2.0) with prefixes of its own, so that prefixes, the
    order of attributes, character references and blanks between elements do not matter. Elements
    whose local name is in ``unwrap`` stand for their children: a list of one that one side writes
    without its wrapper is the same. Where one is no XML, or holds a doctype, the place is "/".
    """
    try:
        first, second = _parsed(one, unwrap), _parsed(other, unwrap)
    except EnvelopeError:
        return ["/"]
    if _canonical(first) == _canonical(second):
        return []
    places = _differences(first, second, f"/{_name(first)}")
    return [place for place, _ in zip(places, range(_MOST), strict=False)] or ["/"]


def _parsed(text: str, unwrap: Collection[str]) -> Node:
    root = parse(text.strip().encode("utf-8", "surrogatepass"), "utf-8", "a document")
    if unwrap:
        for element in list(root.iter()):
            if isinstance(element.tag, str) and _name(element) in unwrap:
                _replace(element)
    return root


def _replace(element: Node) -> None:
    """Put an element's children in its place. A root stays: there is no place without it."""
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    for child in reversed(list(element)):
        parent.insert(at, child)
    parent.remove(element)


def _canonical(root: Node) -> str:
    text: str = etree.canonicalize(
        etree.tostring(root, encoding="unicode"),
        strip_text=True,
        rewrite_prefixes=True,
        qname_aware_attrs={_TYPE},
    )
    return text


def _differences(one: Node, other: Node, place: str) -> Iterator[str]:
    if one.tag != other.tag:
        yield place
        return
    if _attributes(one) != _attributes(other) or _text(one) != _text(other):
        yield place
    first, second = list(one), list(other)
    for at in range(max(len(first), len(second))):
        if at >= len(second):
            yield f"{place}/-{_name(first[at])}[{at + 1}]"
        elif at >= len(first):
            yield f"{place}/+{_name(second[at])}[{at + 1}]"
        else:
            yield from _differences(first[at], second[at], f"{place}/{_name(first[at])}[{at + 1}]")


def _attributes(element: Node) -> dict[str, str]:
    found = {str(name): str(value) for name, value in element.attrib.items()}
    if _TYPE in found:
        prefix, colon, name = found[_TYPE].rpartition(":")
        space = element.nsmap.get(prefix if colon else None)
        found[_TYPE] = f"{{{space}}}{name}"
    return found


def _text(element: Node) -> list[str]:
    """Give the texts of an element itself: before, between and behind its children."""
    texts = [element.text, *(child.tail for child in element)]
    return [text.strip() for text in texts if text and text.strip()]


def _name(element: Node) -> str:
    return str(etree.QName(element).localname)
