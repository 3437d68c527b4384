"""The lines of code of a copybook: indicators, comments, continuations."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from .form import Margins
from .source import Source

__all__ = ["Code", "code_lines"]

_BLANKS = str.maketrans("\t\xa0\x1a\x00", "    ")
_LISTING = re.compile(r"\s*(?:SKIP[123]|EJECT)\s*\.?\s*", re.IGNORECASE)
_QUOTES = re.compile(r"[\"']|\*>")
_CONTINUED = 1_000
"""Lines that may continue one line. Joining them is quadratic in their number."""
_SEQUENCE = re.compile(r"\d{0,6}[ ]*\t")
_COMMENT = re.compile(r"\*>|(?:^|[\s.])\*\s")


class Code(msgspec.Struct):
    """A line of code with its continuations. ``pieces``: where in it which place begins."""

    text: str
    starts: list[int]
    places: list[tuple[int, int]]

    def place(self, position: int) -> tuple[int, int]:
        """Give line and column, from 1, of a position in the text."""
        piece = bisect_right(self.starts, position) - 1
        line, column = self.places[piece]
        return line, column + position - self.starts[piece]


def code_lines(source: Source) -> Iterator[Code]:
    """Give the lines of code, comments left out and continued lines joined.

    Raises ``CopybookError`` where a word crosses the right margin though nobody said that there is
    one: half of it would be lost, and the layout might be wrong without a word.
    """
    held: Code | None = None
    careful = source.guessed and not _tagged(source)
    for number, line in enumerate(source.lines, 1):
        left = _left(line, source.margins)
        right = source.margins.right
        text = line[left:right].translate(_BLANKS)
        indicator = _indicator(line, text, left)
        if indicator == "*" or not text.strip():
            continue
        if held is not None and (indicator == "-" or _goes_on(held.text, text)):
            _continue(source, held, text, number, left)
            continue
        if held is not None:
            yield held
        held = Code(text, [0], [(number, left + 1)])
        if careful and right is not None:
            _check_margin(source, number, right)
    if held is not None:
        yield held


def _left(line: str, edges: Margins) -> int:
    """Say where in a line its code may begin; with tabs in front, behind them."""
    if edges.left and (tabbed := _SEQUENCE.match(line[:8])):
        return tabbed.end()
    return edges.left


def _indicator(line: str, text: str, left: int) -> str:
    """Give ``*`` for a line that is no code, ``-`` for a continuation, else nothing."""
    first = text.lstrip()[:2]
    if first[:1] == "*" and (first == "*>" or len(line) - len(line.lstrip()) <= 7 or left > 6):
        return "*"
    if first in {">>", "$S", "$s", "$I", "$i", "$E", "$e"} or _LISTING.fullmatch(text):
        return "*"
    if left > 6 or (line[:6].strip() and left < 6):
        return ""
    mark, rest = line[6:7], line[7:8]
    if mark in {"*", "/"} or (mark in {"d", "D"} and (not rest.strip() or rest.isdigit())):
        return "*"
    return "-" if mark == "-" and not (left == 0 and line[:6].strip()) else ""


def _goes_on(before: str, text: str) -> bool:
    """Say whether a line continues an open literal though its hyphen is not in column 7."""
    rest = text.lstrip()
    if not rest.startswith("-"):
        return False
    quote = _open_quote(before)
    return bool(quote) and rest[1:].lstrip().startswith(quote)


def _continue(source: Source, held: Code, text: str, number: int, left: int) -> None:
    """Join a continuation to the line before it.

    A word goes on at the first character; a literal behind a repeated quote, and what it had
    before reaches to the right margin.
    """
    if len(held.starts) > _CONTINUED:
        raise source.error(
            number,
            left + 1,
            "too many lines continue one line",
            expected=f"at most {_CONTINUED}",
            remedy="end the entry with a period, or take the hyphen out of column 7",
        )
    start = text.index("-") + 1
    while start < len(text) and text[start] == " ":
        start += 1
    quote = _open_quote(held.text)
    if quote:
        if text[start : start + 1] != quote:
            raise source.error(
                number,
                left + start + 1,
                "the literal that this line continues does not go on",
                expected=f"a {quote} in front of the rest of the literal",
                remedy="close the literal on the line before, or repeat its quote here",
            )
        start += 1
        _, column = held.places[-1]
        width = (source.margins.right or 0) - (column - 1) - (len(held.text) - held.starts[-1])
        held.text += " " * max(0, width)
    else:
        held.text = held.text.rstrip()
    held.starts.append(len(held.text))
    held.places.append((number, left + start + 1))
    held.text += text[start:]


def _open_quote(text: str) -> str:
    """Give the quote that a text leaves open, "" where none."""
    quote = ""
    for found in _QUOTES.finditer(text):
        mark = found[0]
        if not quote and mark == "*>":
            break
        if not quote:
            quote = mark
        elif mark == quote:
            quote = ""
    return quote


def _tagged(source: Source) -> bool:
    """Say whether most lines have something in columns 73-80: then it is no code."""
    right = source.margins.right
    if right is None:
        return True
    lines = [line for line in source.lines if line.strip() and line[6:7] != "*"]
    return sum(1 for line in lines if line[right:].strip()) * 2 > len(lines)


def _check_margin(source: Source, number: int, right: int) -> None:
    """Refuse a word that crosses the right margin, unless it is a comment or goes on below."""
    line = source.lines[number - 1]
    following = source.lines[number] if number < len(source.lines) else ""
    crossing = line[right - 1 : right].strip() and line[right : right + 1].strip()
    if not crossing or following[6:7] == "-" or _COMMENT.search(line):
        return
    raise source.error(
        number,
        right + 1,
        f"a word crosses column {right}, where code ends",
        expected=f"code up to column {right}",
        remedy="say form = 'free' if the rest is code, form = 'fixed' if it is not",
    )
