"""Labelled examples to learn from: a CSV, or recorded pairs as JSON lines.

CSV: UTF-8, a header, a column for the text and one for the label. JSON lines (``.jsonl``,
``.ndjson``, ``.json``): ``{"request": {…}, "reply": {…}}``, the payloads of a recorded exchange.
"""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ..errors import InputError
from .fields import take

__all__ = ["Example", "read_examples"]

_SHOWN: Final = 5
_JSON: Final = (".jsonl", ".ndjson", ".json")

_Row = tuple[int, object, object]
"""A line's number (from 1), its text and its label, as they stand there."""


class Example(msgspec.Struct, frozen=True):
    """A text and the label that it should be given; ``line`` is where it stands, from 1."""

    text: str
    label: str
    line: int


class _Pair(msgspec.Struct, frozen=True):
    request: dict[str, object]
    reply: dict[str, object]


def read_examples(
    file: Path, *, text_field: str, predicts: str, columns: tuple[str, str] | None = None
) -> list[Example]:
    """Read all examples of a file, or refuse it.

    ``columns`` names a CSV's columns for text and label; without it they are looked for under the
    names of the fields, the last part of their paths, and then ``text`` and ``category``. Raises
    ``InputError`` naming the lines that are not examples, and where there is too little to learn
    from: fewer than two labels, or a label with one example.
    """
    if file.suffix.lower() in _JSON:
        rows = _read_json(file, text_field, predicts)
    else:
        rows = _read_csv(file, text_field, predicts, columns)
    try:
        examples, bad = _sort_out(rows)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(file)) from error
    except UnicodeDecodeError as error:
        raise InputError(
            "is not UTF-8",
            place=f"{file}: byte {error.start} after the last good block",
            value=repr(error.object[error.start : error.start + 4]),
            expected="UTF-8",
            remedy="save it as UTF-8",
        ) from error
    if bad:
        raise _refused(file, bad)
    _check_enough(file, examples)
    return examples


def _read_csv(
    file: Path, text_field: str, predicts: str, columns: tuple[str, str] | None
) -> Iterator[_Row]:
    wanted = (
        [[columns[0]], [columns[1]]]
        if columns
        else [_names(text_field, "text"), _names(predicts, "category")]
    )
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            header = next(reader, [])
            places = [_column(file, header, names) for names in wanted]
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    whole = len(cells) == len(header)
                    found = [cells[place] if whole else None for place in places]
                    yield line, found[0], found[1]
                line = reader.line_num + 1
        except csv.Error as error:
            raise InputError(
                f"is not CSV: {error}",
                place=f"{file}: line {reader.line_num}",
                remedy="quote cells that hold quotes, commas or line breaks",
            ) from error


def _names(field: str, usual: str) -> list[str]:
    return list(dict.fromkeys((field, field.rpartition(".")[2], usual)))


def _column(file: Path, header: Sequence[str], names: Sequence[str]) -> int:
    if not header:
        expected = "a header line and examples"
        raise InputError("is empty", place=str(file), expected=expected)
    for name in names:
        if name in header:
            return header.index(name)
    close = difflib.get_close_matches(names[0], header, n=1)
    raise InputError(
        "a column is missing",
        place=f"{file}: line 1",
        value=", ".join(repr(name) for name in header),
        expected=f"a column {' or '.join(repr(name) for name in names)}",
        remedy=f"did you mean {close[0]!r}?" if close else "name the columns",
    )


def _read_json(file: Path, text_field: str, predicts: str) -> Iterator[_Row]:
    with file.open("rb") as stream:
        for line, content in enumerate(stream, 1):
            if not content.strip():
                continue
            try:
                pair = msgspec.json.decode(content, type=_Pair)
                yield line, take(pair.request, text_field), take(pair.reply, predicts)
            except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
                yield line, None, None


def _sort_out(rows: Iterator[_Row]) -> tuple[list[Example], list[int]]:
    examples: list[Example] = []
    bad: list[int] = []
    for line, text, label in rows:
        if isinstance(text, str) and isinstance(label, str) and text.strip() and label.strip():
            examples.append(Example(text=text, label=label.strip(), line=line))
        else:
            bad.append(line)
    return examples, bad


def _refused(file: Path, bad: Sequence[int]) -> InputError:
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    shown = ", ".join(str(line) for line in bad[:_SHOWN])
    expected = (
        '{"request": {…}, "reply": {…}} with a text and a label'
        if file.suffix.lower() in _JSON
        else "as many cells as the header has, and a text and a label that are not empty"
    )
    return InputError(
        f"{len(bad)} lines are not examples",
        place=f"{file}: line {shown}{more}",
        expected=expected,
        remedy="mend those lines, or take them out",
    )


def _check_enough(file: Path, examples: Sequence[Example]) -> None:
    counts = Counter(example.label for example in examples)
    if len(counts) < 2:
        raise InputError(
            "holds too few labels to tell apart",
            place=str(file),
            value=", ".join(counts) or "no example",
            expected="two labels or more",
        )
    alone = [example for example in examples if counts[example.label] == 1]
    if alone:
        raise InputError(
            "a label has one example only",
            place=f"{file}: line {alone[0].line}",
            value=", ".join(repr(example.label) for example in alone[:_SHOWN]),
            expected="two examples of a label, so that one can check what the other taught",
            remedy="add examples of it, or take it out",
        )
