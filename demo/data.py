"""The messages of the demo: who writes what, and what is right."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
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
    category = {message.text: message.category for message in sorted(messages, key=_order)}
    groups: dict[str, list[str]] = defaultdict(list)
    for text, name in category.items():
        groups[name].append(text)
    shuffle = random.Random(20260101)  # noqa: S311  # a fixed order, not a secret
    learnt: set[str] = set()
    for name in sorted(groups):
        group = groups[name]
        shuffle.shuffle(group)
        learnt.update(group[: max(2, round(len(group) * share))])
    first: list[Message] = []
    second: list[Message] = []
    for message in sorted(messages, key=_order):
        (first if message.text in learnt else second).append(message)
    shuffle.shuffle(first)
    shuffle.shuffle(second)
    return first, second


def _order(message: Message) -> tuple[str, str]:
    return message.text, message.category
