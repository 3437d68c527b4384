"""Writes records in every format that can be read: the exact inverse of reading."""

from __future__ import annotations

from typing import BinaryIO

from ...errors import InputError
from .descriptor import block_word, record_word
from .format import RecordFormat
from .record import PLAIN, Frame

__all__ = ["Writer"]


class Writer:
    """Writes one stream's records, in order; ``close`` ends the last block.

    ``count`` and ``size`` are the records and the bytes written so far. One block is held in
    memory, where the format has blocks.
    """

    def __init__(self, stream: BinaryIO, form: RecordFormat) -> None:
        self._form = form.check()
        self._write = stream.write
        self._word = record_word(form)
        self._block_word = block_word(form)
        self._block: list[bytes] = []
        self._filled = 0
        self._mark = b"\0\0"
        self._marked = False
        self.count = 0
        self.size = 0

    def write(self, body: bytes, frame: Frame = PLAIN) -> None:
        """Write a record. Raises ``InputError`` where the format cannot hold it."""
        if frame.header:
            self._put(frame.header)
        whole = frame.start + body + frame.stop
        kind = self._form.kind
        if kind == "fixed":
            self._fixed(whole)
        elif kind == "rdw":
            self._put(self._word.write(len(whole), self._other(frame)) + whole)
        elif kind == "vb":
            self._in_block(whole, frame)
        elif kind == "measured":
            self._put(whole)
        else:
            self._line(whole, frame)
        self.count += 1
        if frame.footer:
            self._flush()
            self._put(frame.footer)

    def around(self, frame: Frame) -> None:
        """Write the header and footer of a file that has no record."""
        self._put(frame.header + frame.footer)

    def close(self) -> None:
        """Write what is held back. The stream stays open."""
        self._flush()

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.size += len(data)

    def _fixed(self, whole: bytes) -> None:
        if len(whole) != self._form.whole:
            raise self._unfit(f"{len(whole)} bytes", f"{self._form.whole} bytes")
        self._put(whole)

    def _line(self, whole: bytes, frame: Frame) -> None:
        if self._form.end in whole:
            place = (
                f"its end ({self._form.end.hex().upper()}) at byte {whole.index(self._form.end)}"
            )
            raise self._unfit(place, "a record without its own end inside it")
        self._put(whole + (self._form.end if frame.end is None else frame.end))

    def _in_block(self, whole: bytes, frame: Frame) -> None:
        entry = self._word.write(len(whole), self._other(frame)) + whole
        full = self._filled + len(entry) + 4 > self._form.block_size
        # A file that came in blocks marks its own; one that did not is blocked anew.
        if frame.block is not None or (full and not self._marked):
            self._flush()
        if frame.block is not None:
            self._mark, self._marked = frame.block, True
        self._block.append(entry)
        self._filled += len(entry)

    def _other(self, frame: Frame) -> bytes | None:
        """Give the bytes of a word that hold no length, where the record says them."""
        other = self._form.word - self._form.wide
        if frame.rdw and len(frame.rdw) != other:
            raise self._unfit(f"{len(frame.rdw)} bytes of a word", f"{other} bytes")
        return frame.rdw or None

    def _flush(self) -> None:
        if not self._block:
            return
        block = b"".join(self._block)
        self._put(self._block_word.write(len(block), self._mark) + block)
        self._block, self._filled = [], 0
        self._mark = b"\0\0"

    def _unfit(self, value: str, expected: str) -> InputError:
        return InputError(
            "the record does not fit its format",
            place=f"record {self.count + 1}",
            value=value,
            expected=expected,
            remedy="mend the record, or write another format (--records)",
        )
