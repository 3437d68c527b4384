"""How columns stand in each other: groups as structs, tables as lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .block import Block
from .number import Longs

__all__ = ["Node", "group", "table"]


class Node:
    """A column of the result: its name, its type and how it is made from a block."""

    __slots__ = ("kind", "make", "name")

    def __init__(self, name: str, kind: pa.DataType, make: Callable[[Block], pa.Array]) -> None:
        self.name = name
        self.kind = kind
        self.make = make


def group(name: str, children: Sequence[Node]) -> Node:
    """Give a struct of columns."""
    kind = pa.struct([pa.field(child.name, child.kind) for child in children])

    def make(block: Block) -> pa.Array:
        arrays = [child.make(block) for child in children]
        return pa.StructArray.from_arrays(arrays, fields=list(kind))

    return Node(name, kind, make)


def table(entry: Node, most: int, count: Callable[[Block], Longs] | None) -> Node:
    """Give a list of ``entry``, which makes ``most`` values for each list.

    ``count`` says how many of them each list has, where that depends on another field; it is cut to
    0 and ``most``.
    """
    kind = pa.list_(entry.kind)

    def make(block: Block) -> pa.Array:
        values = entry.make(block)
        lists = len(values) // most
        if count is None:
            ends = np.arange(0, len(values) + 1, most, dtype=np.int32)
            return pa.ListArray.from_arrays(pa.array(ends), values)
        lengths = np.clip(count(block), 0, most)
        lengths = np.repeat(lengths, lists // len(lengths)) if len(lengths) else lengths
        there = np.arange(most) < lengths[:, None]
        return _lists(values.filter(pa.array(there.reshape(-1))), lengths)

    return Node(entry.name, kind, make)


def _lists(values: pa.Array, lengths: npt.NDArray[np.int64]) -> pa.Array:
    ends = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=ends[1:])
    return pa.ListArray.from_arrays(pa.array(ends), values)
