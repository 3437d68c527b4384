"""Reads what is in quarantine again, after the copybook or the options were mended."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from ...errors import InputError
from .format import RecordFormat
from .measured import Measure
from .quarantine import Entry, Quarantine
from .reader import Reader, read_records
from .record import Bad, Found, RawRecord

__all__ = ["Replay"]


class Replay:
    """The records of a quarantine, in its order; iterate over it once.

    What was a record is given as it is kept. Where the borders of records could not be told, the
    bytes are parted anew: from the quarantine, or from the file that they stand in. ``again`` takes
    what is still bad, and is told which file it comes from.
    """

    header = b""
    footer = b""

    def __init__(
        self,
        entries: Iterable[Entry],
        form: RecordFormat,
        again: Quarantine,
        measure: Measure | None = None,
    ) -> None:
        self._entries = entries
        self._form = form
        self._again = again
        self._measure = measure
        self._reader: Reader | None = None
        self.offset = 0

    def __iter__(self) -> Iterator[Found]:
        """Give the records. Raises ``InputError`` where a file is no longer there."""
        for entry in _joined(self._entries):
            self.offset += 1
            self._again.file, self._again.size = entry.file, None
            if entry.kind == "record":
                yield RawRecord(entry.number, entry.offset, entry.body)
            elif len(entry.body) == entry.length:
                yield from self._parted(entry, io.BytesIO(entry.body), footer=0)
            else:
                yield from self._from_file(entry)

    def rest(self) -> Iterator[bytes]:
        """Give what is unread behind a ``stop``."""
        return self._reader.rest() if self._reader else iter(())

    def _from_file(self, entry: Entry) -> Iterator[Found]:
        try:
            with Path(entry.file).open("rb") as stream:
                size = stream.seek(0, io.SEEK_END)
                stream.seek(entry.offset)
                self._again.size = size
                # A stop goes on to the end of its file, and so has the footer behind it.
                stop = entry.kind == "stop"
                part = _Part(stream, size if stop else entry.length)
                yield from self._parted(entry, part, footer=self._form.footer if stop else 0)
        except OSError as error:
            raise InputError(
                f"what was unread cannot be read now: {error.strerror}",
                place=entry.file,
                value=f"{entry.length} bytes from byte {entry.offset} on",
                expected="the file that the quarantine names",
                remedy="put the file back, or take the line out of the quarantine",
            ) from error

    def _parted(self, entry: Entry, stream: BinaryIO, footer: int) -> Iterator[Found]:
        form = msgspec.structs.replace(self._form, header=0, footer=footer)
        self._reader = read_records(stream, form, self._measure)
        for found in self._reader:
            # Numbers and places are those of the file that it came from.
            number, offset = entry.number + found.number - 1, entry.offset + found.offset
            if isinstance(found, Bad):
                yield msgspec.structs.replace(found, number=number, offset=offset)
            else:
                yield RawRecord(number, offset, found.body, found.frame)


class _Part(io.BytesIO):
    """The next bytes of a stream, and no more."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = size

    def read1(self, size: int | None = -1, /) -> bytes:
        """Give some bytes."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        found = self._stream.read(wanted)
        self._left -= len(found)
        return found


def _joined(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Put the pieces of what was too long for one entry together again."""
    held: Entry | None = None
    for entry in entries:
        if held is not None and _follows(entry, held):
            held = msgspec.structs.replace(
                held, length=held.length + entry.length, hex=held.hex + entry.hex
            )
            continue
        if held is not None:
            yield held
        held = entry
    if held is not None:
        yield held


def _follows(entry: Entry, before: Entry) -> bool:
    return (
        entry.kind == before.kind == "border"
        and (entry.file, entry.number) == (before.file, before.number)
        and entry.offset == before.offset + before.length
    )
