"""What JSON says of a record beside its fields: all bytes in hexadecimal."""

from __future__ import annotations

from ...errors import InputError
from .record import PLAIN, Frame

__all__ = ["BYTES", "FRAME", "NUMBER", "Framing"]

BYTES = "$bytes"
"""A record's bytes, by offset, that its fields would not give back."""
FRAME = "$frame"
"""The bytes around a record that its format would not give back."""
NUMBER = "$number"
"""A record's number in its file, from 1."""
_KEPT = ("rdw", "start", "stop")
_NAMES = ("header", "block", "end", *_KEPT, "footer")


class Framing:
    """Tells the frames of one file's records, in their order, and hears them again.

    Only what the format alone would not give back is told. A line end is told where it changes, so
    that a file whose lines all end alike says it once at most. The mark of a block whose first
    record is left out goes to the next one.
    """

    def __init__(self, end: bytes, header: bytes = b"") -> None:
        self._usual = self._end = end
        self._header = header
        self._block: bytes | None = None

    def missed(self, frame: Frame) -> None:
        """Take note of a record that is left out."""
        if frame.block is not None:
            self._block = frame.block

    def tell(self, frame: Frame) -> dict[str, str]:
        """Give what is to be said of the next record: mostly nothing."""
        if frame is PLAIN and self._end is self._usual and not self._header and self._block is None:
            return {}
        block = self._block if frame.block is None else frame.block
        end = self._usual if frame.end is None else frame.end
        told: dict[str, bytes] = {name: getattr(frame, name) for name in _KEPT}
        told = {name: found for name, found in told.items() if found}
        if self._header:
            told["header"] = self._header
        if block is not None:
            told["block"] = block
        if end != self._end:
            told["end"] = end
        self._header, self._block, self._end = b"", None, end
        return {name: found.hex().upper() for name, found in told.items()}

    def hear(self, told: object, place: str) -> Frame:
        """Give the frame of the next record, from its ``$frame`` (None where it has none).

        ``place`` names it in the ``InputError`` that is raised for what cannot be one.
        """
        if told is None and self._end == self._usual:
            return PLAIN
        found = _bytes({} if told is None else told, place)
        self._end = found.get("end", self._end)
        return Frame(
            header=found.get("header", b""),
            footer=found.get("footer", b""),
            rdw=found.get("rdw", b""),
            block=found.get("block"),
            end=None if self._end == self._usual else self._end,
            start=found.get("start", b""),
            stop=found.get("stop", b""),
        )


def _bytes(told: object, place: str) -> dict[str, bytes]:
    try:
        if isinstance(told, dict) and told.keys() <= set(_NAMES):
            return {name: bytes.fromhex(value) for name, value in told.items()}
    except (ValueError, TypeError):
        pass
    raise InputError(
        f"this is no {FRAME}",
        place=place,
        value=str(told)[:80],
        expected=f"bytes in hexadecimal under {', '.join(_NAMES)}",
        remedy="leave it as 'fig copybook decode' wrote it, or take it out",
    )
