"""Kind ``delimited``: one line of columns, as RFC 4180 has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...config import options
from ...errors import ConfigError, EnvelopeError
from ...model import Record
from .charset import check_encoding, in_bytes, text_of
from .fields import Place, as_leaves, listed
from .shape import Sides, Stray, Values

__all__ = ["DelimitedShape", "delimited"]

_ENDS = ("\r\n", "\n", "\r")
_MOST = 10_000


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    columns: tuple[str, ...]
    answer: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    encoding: str = ""


class _Cell(NamedTuple):
    """One column's place in the text; ``quoted`` where it stands in quotes."""

    start: int
    end: int
    text: str
    quoted: bool


def delimited(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the shapes from ``columns``, in their order, and ``answer``.

    Without an answer of its own the line itself is answered: what legacy decided stands in it.
    """
    del root
    wanted = options(_From, table, place)
    check_encoding(table, place)
    marks = {"delimiter": wanted.delimiter, "quote": wanted.quote}
    for key, mark in marks.items():
        if len(mark) > 1 or mark in ("\r", "\n") or (key == "delimiter" and not mark):
            expected = "one character, not the end of a line"
            raise ConfigError("not a mark", place=f"{place}.{key}", value=mark, expected=expected)
    if wanted.delimiter == wanted.quote:
        raise ConfigError("the same mark twice", place=f"{place}.quote", value=wanted.quote)
    request = DelimitedShape(_columns(wanted.columns, f"{place}.columns"), wanted)
    if not wanted.answer:
        return Sides(root="delimited", request=request, reply=request, shared=True)
    answer = _columns(wanted.answer, f"{place}.answer")
    return Sides(
        root="delimited", request=request, reply=DelimitedShape(answer, wanted, answers=True)
    )


def _columns(entries: tuple[str, ...], place: str) -> tuple[Place, ...]:
    """Read column names; ``?`` behind the last ones says that a line may end before them."""
    columns = tuple(msgspec.structs.replace(one, nullable=False) for one in listed(entries, place))
    for number, one in enumerate(columns):
        before = columns[number - 1] if number else one
        wrong = one.type != "text" or "[]" in one.path or (one.required and not before.required)
        if wrong:
            expected = "names of columns, ? behind those that a line may end before"
            raise ConfigError(
                "not a column",
                place=f"{place} entry {number + 1}",
                value=one.path,
                expected=expected,
            )
    return columns


class DelimitedShape:
    """A line. Its end, and whatever a change does not name, stay as they came."""

    def __init__(self, columns: Sequence[Place], wanted: _From, *, answers: bool = False) -> None:
        self.name = "delimited"
        self.leaves = as_leaves(columns)
        self._columns = [one.path for one in columns]
        self._numbers = {one.path: number for number, one in enumerate(columns)}
        self._needed = sum(one.required for one in columns)
        self._delimiter = wanted.delimiter
        self._quote = wanted.quote
        self._encoding = wanted.encoding
        self._answers = answers
        mark, quote = re.escape(wanted.delimiter), re.escape(wanted.quote)
        bare = rf"(?P<bare>[^{mark}\r\n]*)"
        # Possessive: quotes that do not close are found in one pass.
        twice = f"{quote}{quote}"
        inside = (
            rf"{quote}(?P<inside>[^{quote}]*+(?:{twice}[^{quote}]*+)*+){quote}(?=[{mark}\r\n]|\Z)"
        )
        self._cell = re.compile(f"(?:{inside}|(?!{quote}){bare})" if quote else bare)
        self._special = re.compile(rf"[{mark}{quote}\r\n]")

    def describe(self) -> bytes:
        """Give the columns and marks as bytes."""
        parts = (self._columns, self._needed, self._delimiter, self._quote, self._encoding)
        return msgspec.json.encode(parts)

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Read the line. Raises ``EnvelopeError`` where it is not one."""
        text = text_of(record, self._encoding)
        if self._quote and self._quote in text:
            texts = [cell.text for cell in self._cells(text)]
        else:
            line = text.removesuffix(_end(text))
            if "\n" in line or "\r" in line:
                raise _broken("more than one line", len(line))
            texts = line.split(self._delimiter)
        values = dict(zip(self._columns, texts, strict=False))
        if len(texts) <= len(self._columns):
            return values, ()
        expected = f"{len(self._columns)} columns"
        return values, [
            Stray(f"column {number}", "is not among the columns", expected)
            for number in range(len(self._columns) + 1, min(len(texts), _MOST) + 1)
        ]

    def places(self, record: Record) -> Mapping[str, str]:
        """Give column number and offset (in characters) of each value."""
        cells = self._cells(text_of(record, self._encoding))
        return {
            path: f"column {number}, offset {cell.start}"
            for number, (path, cell) in enumerate(zip(self._columns, cells, strict=False), 1)
        }

    def write(self, values: Values, original: Record) -> bytes:
        """Write a line that ends as the one does that it answers, or put the values into that."""
        if not self._answers:
            return self.patch(values, original)
        end = _end(text_of(original, self._encoding))
        texts = [self._written(values.get(path), quoted=False) for path in self._columns]
        while texts and texts[-1] is None:
            texts.pop()
        line = self._delimiter.join(text or "" for text in texts)
        if any(text is None for text in texts) or len(texts) < self._needed:
            raise ValueError('a text for every column (null = [""] where nothing is an empty one)')
        return in_bytes(line + end, original, self._encoding)

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changed columns into the line; one in quotes stays in quotes."""
        if not changes:
            return original.body
        text = text_of(original, self._encoding)
        cells = self._cells(text)
        pieces: list[str | None] = [text[cell.start : cell.end] for cell in cells]
        for path, value in changes.items():
            number = self._numbers[path]
            pieces += [None] * (number + 1 - len(pieces))
            quoted = number < len(cells) and cells[number].quoted
            pieces[number] = self._written(value, quoted=quoted)
        while len(pieces) > self._needed and pieces[-1] is None:
            pieces.pop()
        if any(piece is None for piece in pieces):
            raise ValueError('a text for every column (null = [""] where nothing is an empty one)')
        line = self._delimiter.join(piece or "" for piece in pieces)
        return in_bytes(line + text[cells[-1].end :], original, self._encoding)

    def _written(self, text: object, *, quoted: bool) -> str | None:
        if text is None:
            return None
        if not isinstance(text, str):
            raise ValueError("text")  # noqa: TRY004 - the shape says ValueError
        if not quoted and not self._special.search(text):
            return text
        if not self._quote:
            raise ValueError(f"text without {self._delimiter!r} and ends of lines")
        doubled = text.replace(self._quote, self._quote * 2)
        return f"{self._quote}{doubled}{self._quote}"

    def _cells(self, text: str) -> list[_Cell]:
        cells: list[_Cell] = []
        at = 0
        while True:
            found = self._cell.match(text, at)
            if found is None:
                raise _broken("quotes that do not close, or text behind them", at)
            inside = found.groupdict().get("inside")
            value = (
                found["bare"] if inside is None else inside.replace(self._quote * 2, self._quote)
            )
            cells.append(_Cell(at, found.end(), value, inside is not None))
            at = found.end() + 1
            if text[found.end() : at] != self._delimiter:
                break
        if text[found.end() :] not in ("", *_ENDS):
            raise _broken("more than one line", found.end())
        return cells


def _end(text: str) -> str:
    return next((end for end in _ENDS if text.endswith(end)), "")


def _broken(message: str, offset: int) -> EnvelopeError:
    return EnvelopeError(
        f"not a line of columns: {message}",
        place=f"record: offset {offset}",
        expected="columns as in RFC 4180: quotes around the whole column, doubled inside",
    )
