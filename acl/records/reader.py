"""Reads the records of a file, whatever their format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ...errors import ConfigError
from .fixed import read_fixed
from .format import RecordFormat
from .line import read_lines
from .measured import Measure, read_measured
from .record import Found
from .variable import read_blocks, read_words
from .window import Window

__all__ = ["Reader", "read_records"]


class Reader:
    """The records of one stream, in order; iterate over it once.

    It holds one record and a buffer, however long the stream is. ``offset`` is how far it has come.
    """

    def __init__(
        self, stream: BinaryIO, form: RecordFormat, measure: Measure | None = None
    ) -> None:
        self._form = form.check()
        self._window = Window(stream, form.header, form.footer)
        self._measure = measure

    @property
    def offset(self) -> int:
        """Give the place in the stream of what was not yet read."""
        return self._window.offset

    @property
    def header(self) -> bytes:
        """Give the bytes before the first record."""
        return self._window.header

    @property
    def footer(self) -> bytes:
        """Give the bytes behind the last record; there once all was read."""
        return self._window.footer

    def __iter__(self) -> Iterator[Found]:
        """Give every record, and what could not be taken as one."""
        return self._found()

    def rest(self) -> Iterator[bytes]:
        """Give, in chunks, what was left unread behind a ``stop``."""
        return self._window.rest()

    def _found(self) -> Iterator[Found]:
        form, window = self._form, self._window
        if form.kind == "fixed":
            return read_fixed(window, form)
        if form.kind == "rdw":
            return read_words(window, form)
        if form.kind == "vb":
            return read_blocks(window, form)
        if form.kind != "measured":
            return read_lines(window, form)
        if self._measure is None:
            raise ConfigError("nothing says how long a record is", place="records: measured")
        return read_measured(window, form, self._measure)


def read_records(stream: BinaryIO, form: RecordFormat, measure: Measure | None = None) -> Reader:
    """Read a stream's records: files, pipes and standard input alike, in constant memory.

    ``measure`` says how long a record is where its format is ``measured``. Raises ``ConfigError``
    for a format that cannot be, ``InputError`` for a file shorter than its header and footer.
    """
    return Reader(stream, form, measure)
