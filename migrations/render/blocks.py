"""What a document is made of, before it is written as HTML or as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from ...routing.guardrails.course import Point

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Document",
    "Facts",
    "Heading",
    "Line",
    "Mark",
    "Paragraph",
    "Plot",
    "Span",
    "Table",
    "line",
    "one_line",
    "visible",
]

Mark = Literal["", "strong", "code", "good", "bad", "waits", "quiet"]
"""What a piece of text is: only how it looks, and never what it says, depends on it."""


class Span(msgspec.Struct, frozen=True):
    """A piece of a line."""

    text: str
    mark: Mark = ""


Line = tuple[Span, ...]
"""One paragraph's, one cell's or one entry's text."""


def line(*parts: str | Span) -> Line:
    """Make a line; what is empty is left out."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


class Heading(msgspec.Struct, frozen=True):
    """A heading; ``level`` 2 is a chapter, 3 a part of one."""

    text: str
    level: Literal[2, 3] = 2


class Paragraph(msgspec.Struct, frozen=True):
    """A paragraph; ``warns``: nobody is to overlook it."""

    line: Line
    warns: bool = False


class Facts(msgspec.Struct, frozen=True):
    """Names and what stands under them."""

    rows: Sequence[tuple[str, Line]]


class Table(msgspec.Struct, frozen=True):
    """A table; every row has a cell for each column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Line]]


class Bullets(msgspec.Struct, frozen=True):
    """A list; ``numbered`` from 1."""

    entries: Sequence[Line]
    numbered: bool = False


class Code(msgspec.Struct, frozen=True):
    """A text that is shown as it stands."""

    text: str


class Plot(msgspec.Struct, frozen=True):
    """The course of the e-values; ``alpha`` says where they decide."""

    course: Sequence[Point]
    alpha: float


Block = Heading | Paragraph | Facts | Table | Bullets | Code | Plot


class Document(msgspec.Struct, frozen=True):
    """A document: its title, the line beneath, and what follows."""

    title: str
    beneath: str
    blocks: Sequence[Block]


_OBEYED: Final = re.compile(
    # What XML cannot hold, what terminals and browsers obey, and what turns text around: a name
    # that reads otherwise than it is written has no place before people who decide by reading.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
    "\ufff9-\ufffb\ufffe\uffff\U0001fffe\U0001ffff]"
)


def visible(text: str) -> str:
    """Give a text in which no character is obeyed: those that would be are shown by their number.

    Line ends and tabs are kept. Called for every text of a document, by both of its writers.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _OBEYED.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", plain)


def one_line(text: str) -> str:
    """Give a text as one line, blanks as one blank."""
    return " ".join(visible(text).split())
