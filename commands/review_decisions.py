"""Decisions from a file: made by people elsewhere, in a sheet or a tool of theirs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from ..errors import InputError
from ..model import Comparison
from ..routing.adjudication.blind import meant
from ..store.reviews import Review, Reviews

__all__ = ["take"]

_JSON: Final = (".json", ".jsonl", ".ndjson")


def take(reviews: Reviews, file: Path, reviewer: str, agreeing: int) -> dict[str, int]:
    """Take a file's decisions, all or none; say how many were taken, and decided their unit.

    Each row has ``unit`` and ``choice`` (a, b, both, neither or unsure, as ``fig review --json``
    showed the item to the row's ``reviewer``, or else the one given), and may have a ``note``. Rows
    without a choice are left out. Raises ``InputError`` with file and line.
    """
    both = (*reviews.queue(), *reviews.queue(decided=True))
    known = {one.comparison.unit: one.comparison for one in both}
    found: list[Review] = []
    for place, row in _rows(file):
        choice = row.get("choice", "").strip().lower()
        if choice:
            who = row.get("reviewer", "").strip() or reviewer
            found.append(_review(row, choice, who, known, place))
    stands = [reviews.add(one, agreeing) for one in found]
    return {"taken": len(found), "decided": sum(one != "open" for one in stands)}


def _review(
    row: Mapping[str, str], choice: str, who: str, known: Mapping[str, Comparison], place: str
) -> Review:
    unit = row.get("unit", "").strip()
    comparison = known.get(unit)
    if comparison is None:
        raise InputError(
            "there is no such item",
            place=place,
            value=unit,
            expected="a unit that 'fig review --json' gave, of this revision",
        )
    try:
        side = meant(choice, who, comparison)
    except InputError as error:
        raise InputError(
            error.message, place=place, value=error.value, expected=error.expected
        ) from None
    return Review(
        endpoint=comparison.endpoint,
        revision=comparison.revision,
        unit=unit,
        reviewer=who,
        choice=side,
        note=row.get("note", "").strip(),
    )


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() in _JSON:
                for number, text in enumerate(stream, 1):
                    if text.strip():
                        yield f"{file}: line {number}", _object(text, f"{file}: line {number}")
                return
            reader = csv.DictReader(stream, strict=True)
            columns = reader.fieldnames or ()
            if "unit" not in columns or "choice" not in columns:
                raise InputError(
                    "not a file of decisions",
                    place=str(file),
                    value=", ".join(columns) or "no header",
                    expected="the columns unit and choice, and perhaps note and reviewer",
                )
            for row in reader:
                cells = {name: cell or "" for name, cell in row.items() if isinstance(name, str)}
                yield f"{file}: line {reader.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", place=str(file)) from error


def _object(text: str, place: str) -> Mapping[str, str]:
    try:
        found = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError as error:
        expected = 'a line of JSON: {"unit": …, "choice": …}'
        raise InputError(str(error), place=place, expected=expected) from None
    return {name: value for name, value in found.items() if isinstance(value, str)}
