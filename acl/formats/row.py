"""Kind ``row``: the image of a table's row, as a JSON object of column to value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ...config import options
from ...errors import ConfigError
from .fields import Place
from .json import JsonShape
from .json_tree import Group, Value
from .shape import Sides

__all__ = ["row"]


class _From(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    columns: tuple[str, ...]


def row(table: Mapping[str, object], root: Path, place: str) -> Sides:
    """Build the one shape that both sides share: what legacy decided stands in the row too.

    A column may be called anything, with dots in it as well. Numbers keep the digits that they
    came with, and stay numbers where they are changed.
    """
    del root
    columns = options(_From, table, place).columns
    if not columns or len(set(columns)) != len(columns):
        raise ConfigError(
            "no columns, or one twice",
            place=f"{place}.columns",
            value=", ".join(columns),
            expected="every column of the row image, once",
        )
    tree = Group(
        path="",
        children={name: Value(path=name, type="text", nullable=True) for name in columns},
        paths=columns,
    )
    shape = JsonShape(
        [Place(path=name) for name in columns],
        tree,
        encoding="utf-8",
        document="the image of a row",
        places="columns",
    )
    return Sides(root="row", request=shape, reply=shape, shared=True)
