"""Files of records: where one ends and the next begins."""

from __future__ import annotations

from .format import KINDS, LONGEST, RecordFormat
from .measured import Measure
from .reader import Reader, read_records
from .record import PLAIN, Bad, Found, Frame, RawRecord
from .writer import Writer

__all__ = [
    "KINDS",
    "LONGEST",
    "PLAIN",
    "Bad",
    "Found",
    "Frame",
    "Measure",
    "RawRecord",
    "Reader",
    "RecordFormat",
    "Writer",
    "read_records",
]
