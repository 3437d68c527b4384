"""How a sender begins and ends its messages: what stays the same from one to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .element import Attribute, Element
from .names import XSI
from .node import Node
from .pattern import Pattern, attribute_pattern
from .reader import Found
from .references import resolved, usual

__all__ = ["Head", "head_of"]

_ONE: Final = re.compile(r"""\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'[^']*')""")
_MOST_BYTES: Final = 4096
_MOST_TAGS: Final = 6


class Head(NamedTuple):
    """The bytes in front of what changes, and those behind it, under a charset of the transport.

    Where the message's own element has attributes, ``tag`` matches its start tag from the first
    value on, and captures the values of ``keys``; ``fixed`` are values that are not written.
    """

    charset: str
    start: bytes
    tag: re.Pattern[str] | None
    keys: tuple[str, ...]
    fixed: Mapping[str, str]
    end: bytes
    pattern: Pattern

    def take(self, text: str) -> Found | None:
        """Give the values of what stands between start and end; None where it does not fit."""
        tag = None
        if self.tag is not None:
            tag = self.tag.match(text)
            if tag is None:
                return None
        content = self.pattern.content.fullmatch(text, tag.end() if tag is not None else 0)
        if content is None or not usual(text):
            return None
        return self.values(tag, content)

    def values(self, tag: re.Match[str] | None, content: re.Match[str]) -> Found:
        """Give the values of what matched; its references are such as are usual."""
        values = self.pattern.take(content.groups(), content.string)
        if tag is not None:
            values.update(zip(self.keys, map(resolved, tag.groups()), strict=True))
        values.update(self.fixed)
        return values

    @property
    def steady(self) -> bool:
        """Say whether it may come again: headers with something in them are always others."""
        return self.start.count(b"<") <= _MOST_TAGS and len(self.start) <= _MOST_BYTES


def head_of(
    root: Element,
    element: Node,
    text: str,
    found: re.Match[str],
    end: str,
    pattern: Pattern,
    charset: str,
) -> Head | None:
    """Make the head of a message out of its text, where its start tag was found, and its end.

    None where the start tag holds something that only the tree can judge.
    """
    tag = found[0]
    known = {one.tag: one for one in root.attributes}
    spaces = element.nsmap
    keys: list[str] = []
    pieces: list[str] = []
    begun, at = len(tag), 0
    for one in _ONE.finditer(tag):
        prefix, _, local = one[1].rpartition(":")
        if "xmlns" in (prefix, local) or (spaces.get(prefix) == XSI and local != "nil"):
            continue
        attribute = known.pop(f"{{{spaces.get(prefix)}}}{local}" if prefix else local, None)
        if attribute is None or one[2] is None:
            return None
        keys.append(attribute.path)
        begun = min(begun, one.start(2))
        pieces += [re.escape(tag[max(at, begun) : one.start(2)]), attribute_pattern(attribute)]
        at = one.end(2)
    matches = re.compile("".join(pieces) + re.escape(tag[at:])) if keys else None
    start = text[: found.start() + begun]
    return Head(
        charset, start.encode(), matches, tuple(keys), _defaults(known), end.encode(), pattern
    )


def _defaults(known: Mapping[str, Attribute]) -> dict[str, str]:
    return {one.path: one.default for one in known.values() if one.default is not None}
