"""Records that end with a line end or another delimiter."""

from __future__ import annotations

from collections.abc import Iterator

from .fixed import cut
from .format import RecordFormat
from .record import PLAIN, Bad, Found, Frame
from .window import Window

__all__ = ["read_lines"]

PIECE = 1024 * 1024
"""What is too long for a record is handed on in pieces of this size at most."""


def read_lines(window: Window, form: RecordFormat) -> Iterator[Found]:
    """Give the records. One that is longer than ``longest`` is bad, in pieces, up to its end."""
    carried = Frame(end=b"\r\n")
    number = 0
    while found := window.until(form.end, form.longest):
        number += 1
        offset = window.offset - len(found)
        if not found.endswith(form.end) and window.peek(1):
            yield from _too_long(window, form, number, offset, found)
            continue
        body, end = _parted(found, form)
        frame = PLAIN if end == form.end else carried if end == b"\r\n" else Frame(end=end)
        yield cut(number, offset, body, form, frame)


def _parted(found: bytes, form: RecordFormat) -> tuple[bytes, bytes]:
    end = form.end if found.endswith(form.end) else b""
    if form.kind == "line" and end == b"\n" and found.endswith(b"\r\n"):
        end = b"\r\n"
    return found[: len(found) - len(end)], end


def _too_long(
    window: Window, form: RecordFormat, number: int, offset: int, found: bytes
) -> Iterator[Bad]:
    for at in range(0, len(found), PIECE):
        yield _piece(form, number, offset + at, found[at : at + PIECE])
    while piece := window.until(form.end, PIECE):
        yield _piece(form, number, window.offset - len(piece), piece)
        if piece.endswith(form.end):
            return


def _piece(form: RecordFormat, number: int, offset: int, body: bytes) -> Bad:
    return Bad(
        kind="border",
        number=number,
        offset=offset,
        length=len(body),
        body=body,
        reason=f"no end of the record in {form.longest} bytes",
        expected=f"the bytes {form.end.hex().upper()} behind each record",
    )
