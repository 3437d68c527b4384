"""What every kind of record must offer to a mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec

from ...model import Record

__all__ = ["Kind", "Leaf", "Shape", "Sides", "Stray", "Values", "Wire"]

Wire = str | int | Decimal | bool
"""One value as a record holds it: text, unless the leaf's ``type`` says otherwise."""

Values = Mapping[str, "Wire | Sequence[Values] | Sequence[Wire | None] | None"]
"""What a record holds, by path: the value of each leaf, None for an explicit null. A leaf that the
record does not hold is not in it.

A list stands under its path, ``order.line[]``: the values of each entry, by their paths inside the
entry (``sku``, or ``part[]`` for a list in the list), or the values themselves where an entry is
one value. Whoever writes gets text for every leaf."""


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a message that can hold a value.

    ``required``: a message always has it. ``nullable``: it can say that it holds nothing.
    ``opaque`` says why it cannot be mapped, "" where it can. ``line`` is that of the schema, 0
    where there is none. ``path`` has ``[]`` behind each list that it stands in: ``line[].sku``.
    ``type`` is what ``read`` gives: ``text``, ``integer``, ``decimal``, ``boolean``, or ``any`` for
    whichever of them came.
    """

    path: str
    required: bool = True
    nullable: bool = False
    opaque: str = ""
    line: int = 0
    type: Literal["text", "integer", "decimal", "boolean", "any"] = "text"


class Stray(NamedTuple):
    """Something in a record that its schema has no place for.

    ``broken`` is set where the record cannot be read with certainty (a value twice); otherwise the
    mapping's ``unmapped`` says what becomes of it. ``at`` is the line or
    the offset, "" where nobody knows it.
    """

    path: str
    message: str
    expected: str
    at: str = ""
    broken: bool = False


class Shape(Protocol):
    """One message of a legacy system: how to read its values, and write them.

    Built while a mapping is loaded; ``read`` is on the hot path, so whatever can be prepared is.
    """

    name: str
    leaves: tuple[Leaf, ...]

    def describe(self) -> bytes:
        """Give bytes that change when the shape does, for the mapping's digest."""

    def read(self, record: Record) -> tuple[Values, Sequence[Stray]]:
        """Give the record's values. Raises ``MappingError`` or ``EnvelopeError``."""

    def places(self, record: Record) -> Mapping[str, str]:
        """Give the line or the offset of each value, for errors; empty where nobody knows.

        By path, the indices of lists in it from 0: ``line[2].sku``.
        """

    def write(self, values: Values, original: Record) -> bytes:
        """Write the whole message, in answer to ``original``.

        Raises ``ValueError`` with what was expected where a text cannot be carried.
        """

    def patch(self, changes: Values, original: Record) -> bytes:
        """Put changed values into the original's bytes; all else in them stays as it is.

        None takes a value away. Raises ``ValueError`` as ``write`` does.
        """


class Sides(NamedTuple):
    """The two messages of a mapping. ``reply`` is None where nothing answers.

    ``shared`` says that both are one record: what one side maps, the other need not ignore.
    """

    root: str
    request: Shape
    reply: Shape | None
    shared: bool = False


Kind = Callable[[Mapping[str, object], Path, str], Sides]
"""Builds the sides from the mapping's ``from`` table, the workspace's folder and the place in the
file, for errors. Raises ``ConfigError``."""
