"""Where each value of a payload came from: what ``fig acl explain`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ...errors import FigError
from ...model import Record
from ..operations.field import shown
from ..path import numbered
from .link import Link
from .reading import Reading
from .side import Side

__all__ = ["Explained", "explain"]

How = Literal["value", "else", "nothing", "absent", "constant", "failed"]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One field of ours, or one entry of it, with where it came from.

    ``value`` and ``text`` (what legacy holds) are for people: masked where they are tagged, ""
    where there is none. ``row`` counts from 1; ``src`` and ``dst`` have the indices of lists in
    them. ``at`` is the line or the offset, "" where nobody knows it. ``how`` says what the row made
    of it: a value, its ``else``, nothing (``null``, or an explicit null), absent, its constant; or
    it failed, and the problem says why.
    """

    dst: str
    value: str
    how: How
    row: int
    src: str
    text: str
    at: str
    converter: str
    tag: str


def explain(side: Side, record: Record) -> tuple[tuple[Explained, ...], tuple[FigError, ...]]:
    """Explain a record's fields, and give its problems, none where it fits.

    In order of the contract, a list's entries together; rows whose conditions do not hold are left
    out. Raises ``EnvelopeError``, and ``MappingError`` for another message.
    """
    readings, problems = side.explain(record)
    found = [
        one
        for reading in readings
        if reading.how != "skipped" and reading.link.targets
        for one in _each(reading)
    ]
    return tuple(found), tuple(problems)


def _each(reading: Reading) -> Sequence[Explained]:
    link, indices = reading.link, reading.indices
    texts = [shown(text, link.tag) for text in reading.texts if text is not None]
    return [
        Explained(
            dst=numbered(target.field.name, indices),
            value=_value(reading, number, link),
            how=reading.how if reading.how != "skipped" else "absent",
            row=link.number,
            src=numbered(link.source, indices),
            text=", ".join(texts),
            at=reading.at,
            converter="" if link.row.is_constant else link.row.as_,
            tag=link.tag,
        )
        for number, target in enumerate(link.targets)
    ]


def _value(reading: Reading, number: int, link: Link) -> str:
    value = reading.values[number] if reading.values else None
    return "" if value is None else shown(value, link.tag)
