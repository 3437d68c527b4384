"""Records of one length, one behind the other."""

from __future__ import annotations

from collections.abc import Iterator

from .format import RecordFormat
from .record import PLAIN, Bad, Found, Frame, RawRecord
from .window import CHUNK, Window

__all__ = ["cut", "read_fixed"]


def read_fixed(window: Window, form: RecordFormat) -> Iterator[Found]:
    """Give the records; what is left at the end of the file and too short for one is bad."""
    size = form.whole
    many = max(1, CHUNK // size) * size
    plain = size == form.length
    number = 0
    while chunk := window.take(many):
        base = window.offset - len(chunk)
        whole = len(chunk) - len(chunk) % size
        for at in range(0, whole, size):
            number += 1
            if plain:
                yield RawRecord(number, base + at, chunk[at : at + size])
            else:
                yield cut(number, base + at, chunk[at : at + size], form)
        if whole < len(chunk):
            yield _short(number + 1, base + whole, chunk[whole:], size)


def cut(
    number: int, offset: int, found: bytes, form: RecordFormat, frame: Frame = PLAIN
) -> RawRecord | Bad:
    """Part a record from what is left out at its two ends."""
    if not form.start and not form.stop:
        return RawRecord(number, offset, found, frame)
    end = len(found) - form.stop
    if end < form.start:
        return Bad(
            kind="border",
            number=number,
            offset=offset,
            length=len(found),
            body=found,
            reason="the record is shorter than what is left out at its two ends",
            expected=f"at least {form.start + form.stop} bytes",
        )
    around = Frame(
        rdw=frame.rdw,
        block=frame.block,
        end=frame.end,
        start=found[: form.start],
        stop=found[end:],
    )
    return RawRecord(number, offset + form.start, found[form.start : end], around)


def _short(number: int, offset: int, body: bytes, size: int) -> Bad:
    return Bad(
        kind="border",
        number=number,
        offset=offset,
        length=len(body),
        body=body,
        reason=f"the file ends after {len(body)} of the record's {size} bytes",
        expected=f"{size} bytes",
    )
