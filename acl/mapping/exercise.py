"""Which rows and codes records exercise: what ``fig acl cover`` counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...model import Record
from ..converters.traits import traits_of
from .link import Link
from .reading import Reading
from .side import Side

__all__ = ["Exercise", "RowCount"]


@dataclass(slots=True)
class RowCount:
    """What a row was seen doing, by how often: give a value, its else, nothing."""

    link: Link
    values: int = 0
    elses: int = 0
    nothings: int = 0

    @property
    def number(self) -> int:
        """Give the row's number, from 1."""
        return self.link.number

    @property
    def missing(self) -> tuple[str, ...]:
        """Name what no record has shown of the row yet; a row with an else should show it too."""
        row = self.link.row
        if self.link.side == "reply" and not self.link.two_way:
            # It only writes: no answer of legacy's shows it.
            return ()
        wanted = [
            ("a value", self.values, True),
            ("null", self.nothings, bool(row.null)),
            ("else", self.elses, self.link.else_ is not None and self.link.side == "fields"),
        ]
        return tuple(name for name, count, needed in wanted if needed and not count)


@dataclass(slots=True)
class Exercise:
    """The rows of one side and their code tables, counted over records that were read.

    ``codes`` holds the counts by table and legacy code.
    """

    side: Side
    rows: dict[int, RowCount] = field(default_factory=dict)
    codes: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for link in self.side.links:
            self.rows[link.number] = RowCount(link)
            for stage in link.chain.stages:
                traits = traits_of(stage.converter)
                if traits.table:
                    self.codes.setdefault(traits.table, dict.fromkeys(traits.codes, 0))

    def add(self, record: Record) -> None:
        """Count one record. Raises ``EnvelopeError``, and ``MappingError`` for another message."""
        readings, _ = self.side.explain(record)
        for reading in readings:
            self._count(self.rows[reading.link.number], reading)

    def idle_rows(self) -> tuple[RowCount, ...]:
        """Give the rows that records have not shown whole."""
        return tuple(row for row in self.rows.values() if row.missing)

    def idle_codes(self) -> Mapping[str, tuple[str, ...]]:
        """Give the codes that no record held, by table."""
        found = {
            table: tuple(code for code, count in counts.items() if not count)
            for table, counts in self.codes.items()
        }
        return {table: codes for table, codes in found.items() if codes}

    def _count(self, row: RowCount, reading: Reading) -> None:
        if reading.how in ("value", "constant"):
            row.values += 1
        elif reading.how == "else":
            row.elses += 1
        elif reading.how in ("nothing", "absent"):
            row.nothings += 1
        traits = reading.link.chain.traits
        if reading.how == "value" and traits.table and reading.link.chain.single:
            counts = self.codes[traits.table]
            code = _code(reading, traits.values, traits.codes)
            if code in counts:
                counts[code] += 1


def _code(reading: Reading, values: tuple[str, ...], codes: tuple[str, ...]) -> str:
    """Give the code that was read; behind other converters it is known by its value."""
    text = reading.texts[0] or ""
    if text in codes:
        return text
    value = reading.values[0]
    return next((code for code, one in zip(codes, values, strict=True) if one == value), "")
