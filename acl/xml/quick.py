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
from itertools import islice
from typing import Final

from .element import Element
from .head import Head, head_of
from .node import Node
from .pattern import SPACE, Pattern, pattern_of
from .reader import Found
from .references import decoded, usual

__all__ = ["Quick"]

_MOST_ELEMENTS: Final = 500
_MOST_BYTES: Final = 1_000_000
_MOST_PATTERNS: Final = 16
_MOST_HEADS: Final = 16
_MOST_STARTS: Final = 4
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_ENVELOPE_END: Final = re.compile(f"{SPACE}</[^<>]*Body{SPACE}>{SPACE}</[^<>]*>{SPACE}")
_END: Final = re.compile(SPACE)


class Quick:
    """What is known of the senders of one message. Any thread may use it."""

    def __init__(self, root: Element, *, enveloped: bool) -> None:
        self._root = root
        self._end = _ENVELOPE_END if enveloped else _END
        self._heads: tuple[Head, ...] = ()
        self._patterns: dict[tuple[str, ...], Pattern] = {}
        nodes = [node for node in root.walk() if not node.opaque]
        named = [a.tag for node in nodes[1:] for a in node.attributes if "}" in a.tag]
        self._named = {tag[1:].partition("}")[0] for tag in named} - {_XML}
        self._spaces = sorted({node.namespace for node in nodes} | self._named)
        self._usable = len(nodes) <= _MOST_ELEMENTS

    def lift(self, body: bytes, charset: str = "") -> Found | None:
        """Give the values of a document in UTF-8 whose head is known; None where it must be parsed.

        Nobody has looked at the document before. ``charset`` is that of the transport: without one,
        what the head declares has counted.
        """
        for head in self._heads:
            if head.charset == charset and body.startswith(head.start):
                break
        else:
            return None
        first, last = len(head.start), len(body) - len(head.end)
        if last < first or last > _MOST_BYTES or not body.endswith(head.end):
            return None
        text = decoded(body[first:last])
        return None if text is None else head.take(text)

    def read(self, body: bytes, element: Node, charset: str = "") -> Found | None:
        """Give the values of a well-formed document in UTF-8, whose message element is given.

        None where the tree must be asked. How the document begins is remembered.
        """
        # Of two Bodies the last is not the one that counts.
        around = element.getparent()
        if around is not None and around.getnext() is not None:
            return None
        plain = b"<!" not in body and body.find(b"<?", 1) < 0
        if not (self._usable and plain and len(body) <= _MOST_BYTES):
            return None
        pattern = self._pattern(element)
        text = decoded(body)
        if pattern is None or text is None or not usual(text):
            return None
        for start in islice(pattern.start.finditer(text), _MOST_STARTS):
            content = pattern.content.match(text, start.end())
            # What ends the document ends the last thing in it: this is the message itself.
            if content is not None and self._end.fullmatch(text, content.end()):
                end = text[content.end() :]
                head = head_of(self._root, element, text, start, end, pattern, charset)
                return None if head is None else self._known(body, text, head, content)
        return None

    def _known(self, body: bytes, text: str, head: Head, content: re.Match[str]) -> Found | None:
        if head.steady and body.startswith(head.start) and body.endswith(head.end):
            others = [one for one in self._heads if one[:2] != head[:2]]
            self._heads = (head, *others[: _MOST_HEADS - 1])
        if head.tag is None:
            return head.values(None, content)
        tag = head.tag.match(text, len(head.start.decode()))
        return None if tag is None else head.values(tag, content)

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
                fits = [] if known.get(None) else [None]
            elif space in self._named:
                fits = [name for name in fits if name]
            if not fits:
                return None
            prefixes[space] = f"{fits[0]}:" if fits[0] else ""
        return prefixes
