"""Records that say themselves how long they are: by a field, or by the counts of their tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ...errors import FigError
from .fixed import cut
from .format import RecordFormat
from .record import Bad, Found
from .window import Window

__all__ = ["Measure", "read_measured"]


class Measure(Protocol):
    """Says how long the record is that begins here; made from a copybook."""

    @property
    def need(self) -> int:
        """Give how many of a record's first bytes it may have to see."""

    def __call__(self, found: bytes) -> int:
        """Give the bytes of the record. Raises ``FigError`` where they do not say it."""


def read_measured(window: Window, form: RecordFormat, measure: Measure) -> Iterator[Found]:
    """Give the records. Behind one that does not say its length the file cannot be read on."""
    need = min(measure.need, form.longest)
    number = 0
    while seen := window.peek(need + form.start):
        found = seen[form.start :]
        number += 1
        offset = window.offset
        try:
            size = measure(found)
        except FigError as error:
            yield _stop(number, offset, found, str(error))
            return
        if not 0 < size <= form.longest:
            yield _stop(number, offset, found, f"a record cannot have {size} bytes")
            return
        size += form.start + form.stop
        body = window.take(size)
        if len(body) < size:
            yield _ends(number, offset, body, size)
            return
        yield cut(number, offset, body, form)


def _stop(number: int, offset: int, found: bytes, reason: str) -> Bad:
    return Bad(
        kind="stop",
        number=number,
        offset=offset,
        length=0,
        body=b"",
        reason=f"{reason}; nothing says where the next record begins",
        expected=f"a record that begins with {found[:16].hex(' ').upper()}",
    )


def _ends(number: int, offset: int, body: bytes, size: int) -> Bad:
    return Bad(
        kind="border",
        number=number,
        offset=offset,
        length=len(body),
        body=body,
        reason=f"the file ends after {len(body)} of the record's {size} bytes",
        expected=f"{size} bytes",
    )
