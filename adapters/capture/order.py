"""The order in which the rows of a legacy table are walked, and its places as JSON.

A place is a row's own key, each column's value as its database writes and takes it exactly: so a
walk goes on where it was interrupted, in another process, in the database's own order.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import and_, cast, func, literal, literal_column, or_, tuple_
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import LargeBinary, Text, UserDefinedType

__all__ = ["Order", "Place", "Step", "bound", "step"]

Place = Sequence[object]
"""A row's place in the order: a value of JSON for each step."""

_BYTES: Final = "bytes"
_DECIMAL: Final = "decimal"


class Step:
    """One column of an order: by what rows are sorted, how a place is read, and given back.

    ``by`` is what the database's index is over; ``read`` is selected, and ``bind`` makes of what
    was read an expression that compares with ``by``. So does ``match`` of what stands in an image:
    the letter of its kind, and its text.
    """

    def __init__(
        self,
        by: ColumnElement[Any],
        *,
        read: ColumnElement[Any] | None = None,
        bind: Callable[[Any], ColumnElement[Any]] | None = None,
        match: Callable[[str, str], ColumnElement[Any]],
    ) -> None:
        self.by, self.match = by, match
        self.read = by if read is None else read
        self._bind = literal if bind is None else bind

    def bind(self, place: object) -> ColumnElement[Any]:
        """Give the expression of a value that stood in a place."""
        return self._bind(_from_json(place))


class Order:
    """A strict order of a table's rows, by an index where there is one."""

    def __init__(self, steps: Sequence[Step], *, row_values: bool) -> None:
        self._steps, self._row_values = steps, row_values

    @property
    def reads(self) -> list[ColumnElement[Any]]:
        """What to select, so that ``place`` can make a place of it."""
        return [one.read.label(f"fig_place_{at}") for at, one in enumerate(self._steps)]

    def ascending(self) -> list[ColumnElement[Any]]:
        """Give the columns to sort by."""
        return [one.by for one in self._steps]

    def descending(self) -> list[ColumnElement[Any]]:
        """Give the columns to sort by, the last row first."""
        return [one.by.desc() for one in self._steps]

    def place(self, values: Sequence[object]) -> Place:
        """Make a place of what was selected."""
        return [_to_json(value) for value in values]

    def after(self, place: Place) -> ColumnElement[bool]:
        """Give the condition that a row stands behind a place."""
        return self._beyond(place, after=True, equal=False)

    def upto(self, place: Place) -> ColumnElement[bool]:
        """Give the condition that a row stands at a place or before it."""
        return self._beyond(place, after=False, equal=True)

    def at(self, place: Place) -> ColumnElement[bool]:
        """Give the condition that a row stands at a place."""
        pairs = zip(self._steps, place, strict=True)
        return and_(*(one.by == one.bind(value) for one, value in pairs))

    def among(self, places: Sequence[Place]) -> ColumnElement[bool]:
        """Give the condition that a row stands at one of some places."""
        if len(self._steps) == 1:
            one = self._steps[0]
            return one.by.in_([one.bind(value) for (value,) in places])
        return or_(*(self.at(place) for place in places))

    def _beyond(self, place: Place, *, after: bool, equal: bool) -> ColumnElement[bool]:
        bound = [one.bind(value) for one, value in zip(self._steps, place, strict=True)]
        sides = [one.by for one in self._steps]
        if self._row_values or len(sides) == 1:
            left: Any = sides[0] if len(sides) == 1 else tuple_(*sides)
            right: Any = bound[0] if len(sides) == 1 else tuple_(*bound)
            condition: ColumnElement[bool] = left > right if after else left < right
            return _or_equal(left, right, after=after) if equal else condition
        # MySQL finds no index for row values; these are as many ranges of one.
        ranges = []
        for last in range(len(sides)):
            alike = [sides[at] == bound[at] for at in range(last)]
            final = equal and last == len(sides) - 1
            left, right = sides[last], bound[last]
            strict = left > right if after else left < right
            ranges.append(and_(*alike, _or_equal(left, right, after=after) if final else strict))
        return or_(*ranges)


def _or_equal(left: Any, right: Any, *, after: bool) -> ColumnElement[bool]:
    found: ColumnElement[bool] = left >= right if after else left <= right
    return found


def step(backend: str, by: ColumnElement[Any], written: str) -> Step:
    """Give the step over a column. ``written`` is its type in the database's own words."""
    if backend == "sqlite":
        return Step(by, bind=bound, match=_sqlite_image)
    if backend == "postgresql":
        # As text, for Python's values of its types are not always those of the database.
        def bind(text: str) -> ColumnElement[Any]:
            return cast(literal(text, Text), _As(written))

        def match(letter: str, text: str) -> ColumnElement[Any]:
            return bind(f"\\x{text}" if letter == "b" else text)

        return Step(by, read=cast(by, Text), bind=bind, match=match)
    return _mysql(by, (re.match(r"\w+", written) or [""])[0].upper())


def _mysql(by: ColumnElement[Any], base: str) -> Step:
    if base in ("ENUM", "SET", "BIT"):
        # They are sorted by their numbers, and compared with text as text.
        return Step(by, read=by + literal_column("0"), match=_mysql_image)
    if base.endswith(("BLOB", "BINARY")):
        read, bind = func.hex(by), func.unhex
        return Step(by, read=read, bind=lambda text: bind(literal(text)), match=_mysql_image)
    if base == "FLOAT":
        # Of a single precision all digits.
        return Step(
            by, read=by + literal_column("0e0"), match=lambda _, text: literal(_single(text))
        )
    if base.endswith(("INT", "TEXT", "CHAR")) or base in ("DOUBLE", "YEAR"):
        return Step(by, match=_mysql_image)
    if base == "DECIMAL":
        return Step(by, match=lambda _, text: literal(Decimal(text)))
    # An instant is written with its offset, which is the session's.
    return Step(
        by, read=cast(by, mysql.CHAR), match=lambda _, text: literal(text.removesuffix("+00:00"))
    )


def _mysql_image(letter: str, text: str) -> ColumnElement[Any]:
    if letter == "b":
        return func.unhex(literal(text))
    return literal(int(text) if letter == "i" else float(text) if letter in "rf" else text)


def _single(text: str) -> float:
    """Give the number of single precision that is written so, as one of double precision."""
    found: float = struct.unpack("f", struct.pack("f", float(text)))[0]
    return found


def _sqlite_image(letter: str, text: str) -> ColumnElement[Any]:
    if letter == "b":
        return literal(bytes.fromhex(text))
    return bound(int(text) if letter == "i" else float(text) if letter == "r" else text)


def bound(value: object) -> ColumnElement[Any]:
    """Give the expression of a value; text that is not Unicode can only come from SQLite."""
    if isinstance(value, str) and any("\udc80" <= one <= "\udcff" for one in value):
        # Text of a legacy program need not be Unicode; its bytes are compared as they are.
        return cast(literal(value.encode("utf-8", "surrogateescape"), LargeBinary), Text)
    return literal(value)


class _As(UserDefinedType[Any]):
    """A type in the database's own words."""

    cache_ok = True

    def __init__(self, written: str) -> None:
        self.written = written

    def get_col_spec(self, **_: object) -> str:
        return self.written


def _to_json(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return {_BYTES: bytes(value).hex()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else {_DECIMAL: str(value)}
    return value if isinstance(value, int | float | str) else str(value)


def _from_json(value: object) -> object:
    match value:
        case {"bytes": str(text)}:
            return bytes.fromhex(text)
        case {"decimal": str(text)}:
            return Decimal(text)
    return value
