"""What is wrong with a record, or with values that should become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ....errors import InputError

__all__ = ["Kind", "Problem", "RecordError"]

Kind = Literal["blank", "low", "invalid", "zero", "short", "rest", "count", ""]


class Problem(InputError):
    """One place of a record that cannot be read, or one value that cannot be written.

    ``offset`` and ``size`` are its bytes in the record. ``hex`` is what stands there, "" on the way
    to a record; ``value`` is what should be written, "" on the way from one. ``reason`` says what
    is wrong with it, or what was expected. ``kind``: which policy decides about it (``blank``,
    ``low``, ``invalid``, ``zero``); ``short`` where the record ends too early, ``rest`` where it
    goes on, ``count`` where a table's counter cannot be; "" on the way to a record.
    """

    def __init__(
        self,
        *,
        path: str,
        offset: int,
        size: int,
        reason: str,
        hex: str = "",  # noqa: A002 - it is what it is called everywhere
        value: str = "",
        kind: Kind = "",
    ) -> None:
        written = bool(value)
        super().__init__(
            "cannot be written" if written else f"cannot be read: {reason}",
            place=f"{path or 'record'}, offset {offset}+{size}",
            value=value or hex,
            expected=reason if written else "",
        )
        self.path = path
        self.offset = offset
        self.size = size
        self.hex = hex
        self.reason = reason
        self.kind: Kind = kind


class RecordError(InputError):
    """A record that a policy refuses, or values that do not fit the copybook: all ``problems``."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            first.message + more, place=first.place, value=first.value, expected=first.expected
        )
        self.problems = tuple(problems)
