"""A copybook as Arrow columns: whole files of one record length, decoded with NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

import pyarrow as pa

from ...errors import EnvelopeError
from .block import Block
from .tree import Node

__all__ = ["Columns"]

_RECORDS: Final = 8192


class Columns:
    """The columns of a copybook. Made by ``compile.columns``; any thread may use it.

    ``schema`` is Arrow's: text as string, numbers of up to 18 digits before the point as int64,
    others as decimal128, COMP-1 and COMP-2 as float, groups as struct, OCCURS as list.
    """

    def __init__(self, nodes: list[Node], size: int) -> None:
        self._nodes = nodes
        self.size = size
        self.schema = pa.schema([pa.field(node.name, node.kind) for node in nodes])

    def decode(self, data: bytes | memoryview) -> pa.RecordBatch:
        """Decode records that stand one after the other; what is left over at the end is not read.

        Values are those of the row decoder: what is blank or invalid is null.
        """
        block = Block(data, self.size)
        return pa.RecordBatch.from_arrays(
            [node.make(block) for node in self._nodes], schema=self.schema
        )

    def batches(self, stream: BinaryIO, records: int = _RECORDS) -> Iterator[pa.RecordBatch]:
        """Decode a stream in constant memory, ``records`` at a time.

        Raises ``EnvelopeError`` where the last record is cut short.
        """
        left = b""
        while piece := stream.read(self.size * records):
            whole = left + piece
            end = len(whole) // self.size * self.size
            if end:
                yield self.decode(memoryview(whole)[:end])
            left = whole[end:]
        if left:
            raise EnvelopeError(
                "the last record is cut short",
                place="end of file",
                value=f"{len(left)} bytes",
                expected=f"{self.size} bytes a record",
                remedy="check the copybook's length, headers and footers, and the file",
            )
