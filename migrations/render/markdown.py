"""A document as Markdown: CommonMark with tables, in which no text of others is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .blocks import (
    Block,
    Bullets,
    Code,
    Document,
    Facts,
    Heading,
    Line,
    Paragraph,
    Plot,
    Span,
    Table,
    one_line,
    visible,
)
from .plot import some

__all__ = ["markdown"]

_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>&|~$!#]")
_BEGINS: Final = re.compile(r"^(?:[-+](?=\s|$)|--|\d{1,9}[.)](?=\s|$))")
_FENCE: Final = re.compile(r"`{3,}")


def markdown(document: Document) -> str:
    """Write a document. Never fails, whatever stands in it."""
    parts = [f"# {_begin(_escape(document.title))}", _begin(_escape(document.beneath))]
    parts += [part for block in document.blocks for part in _block(block)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {_begin(_escape(block.text))}"
        case Paragraph():
            yield f"> **Mind:** {_text(block.line)}" if block.warns else _begin(_text(block.line))
        case Facts():
            yield _table(("", ""), [((Span(name, "strong"),), told) for name, told in block.rows])
        case Table():
            yield _table(block.columns, block.rows)
        case Bullets():
            yield "\n".join(
                f"{f'{number}.' if block.numbered else '-'} {_begin(_text(entry))}"
                for number, entry in enumerate(block.entries, 1)
            )
        case Code():
            yield _fenced(block.text)
        case Plot():
            yield from _course(block)


def _table(columns: Sequence[str], rows: Sequence[Sequence[Line]]) -> str:
    if not rows:
        return ""
    lines = [[_escape(column) for column in columns], ["---"] * len(columns)]
    lines += [[_text(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _course(block: Plot) -> Iterator[str]:
    """Give the points of a plot as numbers: few readers of Markdown draw."""
    rows = [
        [
            (Span(str(point.pairs)),),
            (Span(f"{point.worse:.2f}"),),
            (Span(f"{point.not_worse:.2f}"),),
        ]
        for point in some(block.course, 12)
    ]
    yield _table(("after pairs", "worse than legacy, 10^", "not worse, 10^"), rows)


def _text(parts: Line) -> str:
    return " ".join(filter(None, (_span(span) for span in parts)))


def _span(span: Span) -> str:
    text = _escape(span.text)
    if not text:
        return ""
    if span.mark == "code":
        plain = one_line(span.text)
        # What ends a code span or a cell is told as text: it is the same to read.
        return f"`{plain}`" if not re.search(r"[`|\\]", plain) else text
    return f"**{text}**" if span.mark in {"strong", "good", "bad", "waits"} else text


def _escape(text: str) -> str:
    """Take from every character what it would mean. A bar becomes its number: it ends a cell."""
    return _MARKUP.sub(
        lambda found: "&#124;" if found[0] == "|" else f"\\{found[0]}", one_line(text)
    )


def _begin(text: str) -> str:
    """Take from what begins a line what it would mean there."""
    found = _BEGINS.match(text)
    if found is None:
        return text
    cut = found.end() - 1
    return f"{text[:cut]}\\{text[cut:]}"


def _fenced(text: str) -> str:
    shown = visible(text).rstrip("\n")
    longest = max((len(found) for found in _FENCE.findall(shown)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{shown}\n{fence}"
