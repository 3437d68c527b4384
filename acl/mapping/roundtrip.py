"""Whether what was decoded encodes back to what it was: what ``fig acl roundtrip`` proves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors import FigError, MappingError
from ...model import Record
from ..operations.field import shown
from ..path import numbered
from .reading import Reading
from .side import Side

__all__ = ["roundtrip"]


def roundtrip(side: Side, record: Record) -> list[FigError]:
    """Give all that does not come back, none where a record survives.

    Two things are held: written back, the record has its very bytes; and each row that is not
    ``one_way`` writes for its value the text that it read. Never raises for a record that does not
    fit: that is one of the problems.
    """
    try:
        payload = side.decode(record)
        readings, _ = side.explain(record)
        body = side.patch(payload, record)
    except FigError as error:
        return [error]
    problems: list[FigError] = list(_rows(readings))
    if body != record.body:
        at = next(
            (
                place
                for place, (one, other) in enumerate(zip(body, record.body, strict=False))
                if one != other
            ),
            min(len(body), len(record.body)),
        )
        problems.append(
            MappingError(
                "written back, the record has other bytes",
                place=f"offset {at}",
                value=f"{len(body)} bytes",
                expected=f"its own {len(record.body)}",
            )
        )
    return problems


def _rows(readings: Sequence[Reading]) -> Iterator[MappingError]:
    for reading in readings:
        link = reading.link
        if not link.two_way or link.row.is_constant or link.chain.reads:
            continue
        if reading.how == "value":
            texts = link.chain.encode(reading.values, {})
        elif reading.how == "nothing" and link.row.null and reading.texts[0] is not None:
            texts = (link.row.null[0],)
        elif reading.how == "else":
            texts = ()
        else:
            continue
        if texts != reading.texts:
            yield _lost(reading, texts)


def _lost(reading: Reading, texts: Sequence[str | None]) -> MappingError:
    link = reading.link
    came = ", ".join(shown(text, link.tag) for text in texts if text is not None)
    read = ", ".join(shown(text, link.tag) for text in reading.texts if text is not None)
    source = numbered(link.source, reading.indices)
    destination = numbered(link.destination, reading.indices)
    return MappingError(
        "comes back otherwise" if texts else "does not come back: its else stands for it",
        place=f"row {link.number} {source} → {destination}"
        + (f" ({reading.at})" if reading.at else ""),
        value=came or "nothing",
        expected=read or "nothing",
        remedy=f"give the row a stricter 'as' than {link.row.as_}, or say one_way = \"reason\"",
    )
