"""Elements put into a document that somebody else wrote: in its prefixes, indented as around."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .element import Element
from .names import XSI, Names, names_of
from .text import attribute

__all__ = ["indented", "names_in", "space_before"]

_TOKEN: Final = re.compile(r"<[^>]*>|[^<]+")
_SPACE: Final = b" \t\r\n"


def names_in(node: Element, prefixes: Mapping[str, str]) -> Names:
    """Choose the prefixes that are in force for all that may be written of an element.

    What is lacking is declared by the element itself.
    """
    wanted = names_of(node)
    spaces = [space for space in wanted.prefixes if space]
    bare = any(not one.namespace for one in node.walk() if one.tag != "*")
    if bare and prefixes.get(""):
        return wanted
    of_attributes = {
        one.tag[1:].partition("}")[0]
        for element in node.walk()
        for one in element.attributes
        if "}" in one.tag
    } | {XSI}
    chosen = {"": ""}
    declared: list[tuple[str, str]] = []
    for space in spaces:
        known = [p for p, s in prefixes.items() if s == space and (p or space not in of_attributes)]
        if known:
            chosen[space] = known[0]
            continue
        wish = "xsi" if space == XSI else "n1"
        taken = {*prefixes, *chosen.values()}
        fresh = next(p for n in range(1, 10_000) if (p := wish if n == 1 else f"n{n}") not in taken)
        chosen[space] = fresh
        if space != XSI or f'"{XSI}"' in wanted.declarations:
            declared.append((fresh, f' xmlns:{fresh}="{attribute(space)}"'))
    return Names(chosen, "".join(one for _, one in declared), tuple(declared))


def space_before(document: bytes, start: int, floor: int) -> bytes:
    """Give the white space in front of an offset, down to another."""
    at = start
    while at > floor and document[at - 1] in _SPACE:
        at -= 1
    return document[at:start]


def indented(written: str, space: str, outer: str) -> str:
    """Put ``space`` in front of a written element, and its inner ones on lines of their own.

    Only where the document has lines; ``outer`` is the space in front of the element around it.
    Text in what is written is escaped: each ``<`` begins a tag.
    """
    head, line, indent = space.rpartition("\n")
    if not line:
        return space + written
    around = outer.rpartition("\n")[2]
    unit = indent.removeprefix(around) if indent.startswith(around) else ""
    start = ("\r\n" if head.endswith("\r") else "\n") + indent
    pieces = [space]
    depth, before = 0, ""
    for token in _TOKEN.findall(written):
        ends = token.startswith("</")
        depth -= ends
        if (before == "<" and token[0] == "<" and not ends) or (before == "/" and token[0] == "<"):
            pieces.append(start + (unit or "  ") * depth)
        pieces.append(token)
        alone = token.endswith("/>")
        depth += token[0] == "<" and not ends and not alone
        before = "/" if ends or alone else token[0]
    return "".join(pieces)
