"""The messages of the demo: who writes what, and what is right."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import msgspec

from ..errors import InputError

__all__ = ["Message", "read_messages", "split"]


class Message(msgspec.Struct, frozen=True):
    """A text that a customer wrote, and its right category."""

    text: str
    category: str


def read_messages(file: Path) -> list[Message]:
    """Read a CSV with the columns ``text`` and ``category``. Raises ``InputError``."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            found = tuple(reader.fieldnames or ())
            absent = [name for name in ("text", "category") if name not in found]
            if absent:
                raise InputError(
                    f"the column {absent[0]!r} is missing",
                    place=str(file),
                    value=", ".join(found) or "no header",
                    expected="columns text, category",
                    remedy="name the columns in the first line",
                )
            return [_message(row, f"{file}: line {reader.line_num}") for row in reader]
    except FileNotFoundError:
        raise InputError("no such file", place=str(file), expected="a CSV file") from None
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise InputError(f"cannot be read: {error}", place=str(file), expected="CSV") from error


def _message(row: dict[str, str], place: str) -> Message:
    text, category = (row.get("text") or "").strip(), (row.get("category") or "").strip()
    if not text or not category:
        raise InputError("a row without text or category", place=place, expected="both filled")
    return Message(text, category)


def split(messages: Sequence[Message], share: float) -> tuple[list[Message], list[Message]]:
    """Part messages into two disjoint lists, the first with that share of every category.

    No text is in both, however often it stands there: what was learnt is not asked. The same
    messages always part in the same way.
    """
    copies: dict[str, list[Message]] = defaultdict(list)
    for message in sorted(messages, key=lambda message: (message.text, message.category)):
        copies[message.text].append(message)
    groups: dict[str, list[list[Message]]] = defaultdict(list)
    for same in copies.values():
        groups[same[0].category].append(same)
    shuffle = random.Random(20260101)  # noqa: S311  # a fixed order, not a secret
    first: list[Message] = []
    second: list[Message] = []
    for category in sorted(groups):
        group = groups[category]
        shuffle.shuffle(group)
        cut = max(2, round(len(group) * share))
        first += chain.from_iterable(group[:cut])
        second += chain.from_iterable(group[cut:])
    shuffle.shuffle(first)
    shuffle.shuffle(second)
    return first, second
