"""A stream seen through a window: bytes are looked at before they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ...errors import InputError

__all__ = ["CHUNK", "Window"]

CHUNK = 256 * 1024


class Window:
    """Reads a binary stream (file, pipe, socket) in constant memory; the readers own one each.

    ``header`` bytes at its start and ``footer`` bytes at its end are kept apart: the end is only
    known when it comes, so that many bytes are always held back. ``offset`` is the place in the
    stream of the next byte.
    """

    def __init__(self, stream: BinaryIO, header: int = 0, footer: int = 0) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._held = b""
        self._at = 0
        self._ended = False
        self._keep = footer
        self.offset = 0
        self.header = self._first(header)

    @property
    def footer(self) -> bytes:
        """Give the bytes held back; they are the file's footer once all others were taken."""
        return self._held[-self._keep :] if self._keep and self._ended else b""

    def peek(self, size: int) -> bytes:
        """Give the next bytes and leave them; fewer than ``size`` only at the end."""
        self._fill(size)
        end = min(self._at + size, self._limit())
        return self._held[self._at : end]

    def take(self, size: int) -> bytes:
        """Give the next bytes; fewer than ``size`` only at the end."""
        at = self._at
        end = at + size
        if end > self._limit():
            self._fill(size)
            at = self._at
            end = min(at + size, self._limit())
        self._at = end
        self.offset += end - at
        return self._held[at:end]

    def until(self, end: bytes, most: int) -> bytes:
        """Give the next bytes with ``end`` behind them, without it at the end of the stream.

        Looks at ``most`` bytes: where ``end`` is not among them, they come without it.
        """
        seen = 0
        while True:
            limit = self._limit()
            found = self._held.find(end, self._at + max(0, seen - len(end) + 1), limit)
            if found >= 0 and found - self._at <= most:
                return self.take(found - self._at + len(end))
            seen = limit - self._at
            if seen >= most or self._ended:
                return self.take(min(seen, most))
            self._fill(max(2 * seen, CHUNK))

    def rest(self) -> Iterator[bytes]:
        """Take all that follows, in chunks."""
        while chunk := self.take(CHUNK):
            yield chunk

    def drop(self, size: int) -> int:
        """Leave bytes out; gives how many there were."""
        left = size
        while left and (chunk := self.take(min(left, CHUNK))):
            left -= len(chunk)
        return size - left

    def _first(self, header: int) -> bytes:
        found = self.take(header)
        if len(found) < header or (self._keep and not self._enough()):
            held = self.offset + len(self._held) - self._at
            raise InputError(
                "the file is shorter than its header and footer",
                place="byte 0",
                value=f"{held} bytes",
                expected=f"{header} bytes of header and {self._keep} of footer",
                remedy="mend --header and --footer, or look whether the file is whole",
            )
        return found

    def _enough(self) -> bool:
        self._fill(0)
        return len(self._held) - self._at >= self._keep

    def _limit(self) -> int:
        return max(self._at, len(self._held) - self._keep)

    def _fill(self, size: int) -> None:
        wanted = size + self._keep
        have = len(self._held) - self._at
        if have >= wanted or self._ended:
            return
        parts = [self._held[self._at :]]
        while have < wanted:
            part = self._read(CHUNK)
            if not part:
                self._ended = True
                break
            parts.append(part)
            have += len(part)
        self._held = b"".join(parts)
        self._at = 0
