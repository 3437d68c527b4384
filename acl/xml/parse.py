"""Parsing what anybody may have sent: no entities, no doctype, no network, in bounded memory."""

from __future__ import annotations

import re
import threading
from typing import Final

from lxml import etree

from ...errors import EnvelopeError
from .node import Node

__all__ = ["parse", "shortened"]

# Encodings whose bytes are ASCII to a filter and something else to a parser.
_SHIFTING: Final = re.compile(
    r"(?:cs|x-)?(?:unicode-?1-?1-?)?utf-?7.*|hz.*|iso-?2022.*", re.IGNORECASE
)


class _Parsers(threading.local):
    """One parser per thread and charset: a parser must not be shared, and is dear to make."""

    def __init__(self) -> None:
        self.by_charset: dict[str, etree.XMLParser] = {}

    def get(self, charset: str) -> etree.XMLParser:
        parser = self.by_charset.get(charset)
        if parser is None:
            if _SHIFTING.fullmatch(charset):
                raise LookupError(charset)
            parser = self.by_charset[charset] = etree.XMLParser(
                encoding=charset or None,
                resolve_entities=False,
                load_dtd=False,
                dtd_validation=False,
                attribute_defaults=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
                recover=False,
            )
        return parser


_parsers: Final = _Parsers()


def parse(body: bytes, charset: str, expected: str) -> Node:
    """Parse a document, whose comments and processing instructions are left out.

    ``charset`` is the one of the transport, "" where the document decides; ``expected`` says what
    whoever sent it should have sent. Refused are doctypes, entities, elements more than 256 deep,
    texts of more than 10 MB and encodings that shift. Raises ``EnvelopeError``.
    """
    # Looked for before the document is parsed, so that what it declares costs nothing. A document
    # in UTF-16 shows it only to the check behind the parser, which has limits of its own.
    if b"<!DOCTYPE" in body and _in_prolog(body):
        raise _doctype()
    try:
        parser = _parsers.get(charset)
    except LookupError:
        raise _charset("Content-Type", charset) from None
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(error, expected) from None
    about = root.getroottree().docinfo
    if about.internalDTD is not None:
        raise _doctype()
    encoding = about.encoding
    if encoding is not None and encoding[:1] in "uUhHiIcCxX" and _SHIFTING.fullmatch(encoding):
        raise _charset("XML declaration", encoding)
    return root


def _in_prolog(body: bytes) -> bool:
    """Say whether a doctype stands before the first element, and not in a comment or a text."""
    place = 0
    while True:
        place = body.find(b"<", place)
        if body.startswith(b"<!DOCTYPE", place):
            return True
        for start, end in ((b"<!--", b"-->"), (b"<?", b"?>")):
            if body.startswith(start, place):
                place = body.find(end, place + len(start))
                break
        else:
            return False
        if place < 0:
            return False


def _doctype() -> EnvelopeError:
    return EnvelopeError(
        "a document type declaration is not allowed",
        place="prolog",
        value="<!DOCTYPE",
        expected="no <!DOCTYPE and no entities of one's own",
        remedy="take the declaration out",
    )


def _charset(place: str, charset: str) -> EnvelopeError:
    expected = "a charset that is known here, such as utf-8"
    return EnvelopeError("unknown charset", place=place, value=charset[:40], expected=expected)


def _malformed(error: Exception, expected: str) -> EnvelopeError:
    line = getattr(error, "lineno", None)
    # libxml2 adds the bytes it stumbled over in further lines: they may be anybody's data.
    message = (str(error).splitlines() or ["no document"])[0]
    return EnvelopeError(
        f"not well-formed XML: {shortened(message)}",
        place=f"line {line}" if line else "document",
        expected="well-formed XML without entities, at most 256 elements deep",
        remedy=expected,
    )


def shortened(text: str) -> str:
    """Give the beginning of a text that may be of any length."""
    return text if len(text) <= 160 else text[:160] + "…"
