"""Reading a message that looks as most do, without building a tree of it.

Building a tree and looking at each element of it is most of what reading costs. Where a message is
written as most are (the elements in the order of the schema, no comments, CDATA or processing
instructions, no attributes but the schema's), a pattern that was made of the schema takes all its
values in one match; anything else is read from the tree, which gives the same.

Nothing is taken on trust: the head of a message (its declaration, Envelope, Body and its own start
tag) is known when libxml2 has found a message with exactly that head well-formed, and its
namespaces are then known too. What comes behind matches a pattern that allows nothing but elements
of the schema, well nested, with text of characters that XML allows and a few references.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .element import Element
from .node import Node
from .pattern import SPACE, Pattern, pattern_of
from .reader import Found

__all__ = ["Quick"]

_MOST_ELEMENTS: Final = 500
_MOST_BYTES: Final = 1_000_000
_MOST_PATTERNS: Final = 16
_MOST_HEADS: Final = 16
_MOST_TAGS: Final = 6
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_REFERENCES: Final = {"&gt;": ">", "&apos;": "'", "&amp;": "&"}
_NUMBER: Final = re.compile("&#(?:([0-9]{1,7})|x([0-9a-fA-F]{1,6}));")
_MOST_REFERENCES: Final = 50
_ENVELOPE_END: Final = re.compile(f"{SPACE}</[^<>]*Body{SPACE}>{SPACE}</[^<>]*>{SPACE}")
_END: Final = re.compile(SPACE)


class _Head(NamedTuple):
    """How a sender begins and ends its messages."""

    start: bytes
    end: bytes
    pattern: Pattern


class Quick:
    """What is known of the senders of one message. Any thread may use it."""

    def __init__(self, root: Element, *, enveloped: bool) -> None:
        self._root = root
        self._end = _ENVELOPE_END if enveloped else _END
        self._heads: tuple[_Head, ...] = ()
        self._patterns: dict[tuple[str, ...], Pattern] = {}
        nodes = [node for node in root.walk() if not node.opaque]
        named = [a.tag for node in nodes for a in node.attributes if "}" in a.tag]
        self._named = {tag[1:].partition("}")[0] for tag in named} - {_XML}
        self._spaces = sorted({node.namespace for node in nodes} | self._named)
        self._usable = len(nodes) <= _MOST_ELEMENTS and not root.attributes

    def lift(self, body: bytes) -> Found | None:
        """Give the values of a document in UTF-8 whose head is known; None where it must be parsed.

        Nobody has looked at the document before.
        """
        for head in self._heads:
            if body.startswith(head.start):
                break
        else:
            return None
        first, last = len(head.start), len(body) - len(head.end)
        if last < first or last > _MOST_BYTES or not body.endswith(head.end):
            return None
        text = _resolved(body[first:last])
        found = head.pattern.content.fullmatch(text) if text is not None else None
        return None if found is None else head.pattern.take(found.groups())

    def read(self, body: bytes, element: Node) -> Found | None:
        """Give the values of a well-formed document in UTF-8, whose message element is given.

        None where the tree must be asked. How the document begins is remembered.
        """
        # Of two Bodies the last is not the one that counts.
        around = element.getparent()
        if around is not None and around.getnext() is not None:
            return None
        plain = b"<!" not in body and body.find(b"<?", 1) < 0
        if not (self._usable and plain and len(body) <= _MOST_BYTES) or element.keys():
            return None
        pattern = self._pattern(element)
        text = _resolved(body)
        if pattern is None or text is None:
            return None
        for start in pattern.start.finditer(text):
            content = pattern.content.match(text, start.end())
            # What ends the document ends the last thing in it: this is the message itself.
            if content is not None and self._end.fullmatch(text, content.end()):
                self._remember(body, text[: start.end()], text[content.end() :], pattern)
                return pattern.take(content.groups())
        return None

    def _remember(self, body: bytes, start: str, end: str, pattern: Pattern) -> None:
        head = _Head(start.encode(), end.encode(), pattern)
        # Headers with something in them are another with each message.
        same = body.startswith(head.start) and body.endswith(head.end)
        if same and head.start.count(b"<") <= _MOST_TAGS:
            others = [one for one in self._heads if one.start != head.start]
            self._heads = (head, *others[: _MOST_HEADS - 1])

    def _pattern(self, element: Node) -> Pattern | None:
        prefixes = self._prefixes(element)
        if prefixes is None:
            return None
        key = tuple(prefixes.values())
        found = self._patterns.get(key)
        # Prefixes are the senders': new ones with each message must not cost a pattern each.
        if found is None and len(self._patterns) < _MOST_PATTERNS:
            found = self._patterns[key] = pattern_of(self._root, prefixes)
        return found

    def _prefixes(self, element: Node) -> dict[str, str] | None:
        """Give the prefix of each namespace, with its colon; None where one has none."""
        known = element.nsmap
        prefixes = {_XML: "xml:"}
        for space in self._spaces:
            fits = [name for name, other in known.items() if other == space]
            if space == self._root.namespace and space not in self._named:
                fits = [element.prefix]
            elif not space:
                fits = [] if None in known else [None]
            elif space in self._named:
                fits = [name for name in fits if name]
            if not fits:
                return None
            prefixes[space] = f"{fits[0]}:" if fits[0] else ""
        return prefixes


def _resolved(body: bytes) -> str | None:
    """Give the text with lines as XML ends them and references resolved; None where it is not sure.

    Quotes and ``<`` stay references for the tree: in the text they would look like markup.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # One character is found far quicker than several.
    if "]" in text and "]]>" in text:
        return None
    at = text.find("&")
    seen: dict[str, str] = {}
    while at >= 0:
        reference = text[at : text.find(";", at, at + 10) + 1]
        if reference not in seen:
            character = _character(reference)
            if character is None or len(seen) >= _MOST_REFERENCES:
                return None
            seen[reference] = character
        at = text.find("&", at + 1)
    # &amp; comes last: what it makes is no reference.
    for reference in sorted(seen, key="&amp;".__eq__):
        text = text.replace(reference, seen[reference])
    return text


def _character(reference: str) -> str | None:
    known = _REFERENCES.get(reference)
    number = None if known else _NUMBER.fullmatch(reference)
    if number is None:
        return known
    code = int(number[2] or number[1], 16 if number[2] else 10)
    # Those of ASCII may be white space or markup.
    legal = 0x80 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return chr(code) if legal else None
