"""The text of a copybook as lines of code: margins, indicators, comments and continuations."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from .error import CopybookError
from .form import Form, Margins, margins
from .limits import MAX_SOURCE

__all__ = ["Code", "Source", "code_lines"]


class Source(msgspec.Struct, frozen=True):
    """One file's text: ``file`` names it in errors, ``lines`` are as they stand."""

    file: str
    lines: tuple[str, ...]
    margins: Margins

    @classmethod
    def of(cls, text: str, file: str, form: Form = "auto") -> Source:
        """Split a text into lines. Raises ``CopybookError`` where it is too long."""
        if len(text) > MAX_SOURCE:
            raise CopybookError(
                f"the copybook has {len(text)} characters",
                file=file,
                expected=f"at most {MAX_SOURCE}",
                remedy="is this a copybook, or the data that it describes?",
            )
        lines = tuple(_LINE_END.split(text.removeprefix("\ufeff").rstrip("\x1a\x00")))
        directive = next((found for line in lines[:200] if (found := _form_named(line))), form)
        return cls(file, lines, margins(lines, directive if form == "auto" else form))

    def error(
        self, line: int, column: int, message: str, *, expected: str = "", remedy: str = ""
    ) -> CopybookError:
        """Give an error at a place of it; line and column count from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        right = self.margins.right
        if right is not None and text[right:80].strip() and not text[right:80].strip().isdigit():
            remedy += "; columns 73-80 are not read: say form = 'free' if they hold code"
        return CopybookError(
            message,
            file=self.file,
            line=line,
            column=column,
            source=text,
            expected=expected,
            remedy=remedy.removeprefix("; "),
        )


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


_LINE_END = re.compile(r"\r\n|\n|\r|\x0b|\x0c|\u2028|\u2029")
_BLANKS = str.maketrans("\t\xa0\x1a\x00", "    ")
_FORMAT = re.compile(
    r"\s*(?:>>\s*SOURCE\s+(?:FORMAT\s+)?(?:IS\s+)?|\$\s*SET\s+SOURCEFORMAT\s*\(?\s*[\"']?)(FREE|FIXED|VARIABLE)",
    re.IGNORECASE,
)
_LISTING = re.compile(r"\s*(?:SKIP[123]|EJECT)\s*\.?\s*", re.IGNORECASE)
_QUOTES = re.compile(r"[\"']|\*>")
_CONTINUED = 1_000
"""Lines that may continue one line. Joining them is quadratic in their number."""
_SEQUENCE = re.compile(r"\d{0,6}[ ]*\t")


def _form_named(line: str) -> Form | None:
    """Give the form that a compiler directive names."""
    found = _FORMAT.match(line)
    if found is None:
        return None
    forms: dict[str, Form] = {"FREE": "free", "FIXED": "fixed", "VARIABLE": "variable"}
    return forms[found[1].upper()]


def code_lines(source: Source) -> Iterator[Code]:
    """Give the lines of code, comments left out and continued lines joined."""
    held: Code | None = None
    for number, line in enumerate(source.lines, 1):
        left = _left(line, source.margins)
        right = source.margins.right
        text = line[left:right].translate(_BLANKS)
        indicator = _indicator(line, text, left)
        if indicator == "*" or not text.strip():
            continue
        if indicator == "-" and held is not None:
            _continue(source, held, text, number, left)
            continue
        if held is not None:
            yield held
        held = Code(text, [0], [(number, left + 1)])
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
