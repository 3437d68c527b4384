"""What is wrong with a record, or with values that should become one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...errors import InputError

__all__ = ["Problem", "RecordError"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a record that cannot be read, or one value that cannot be written.

    ``offset`` and ``size`` are its bytes in the record. ``hex`` is what stands there, "" on the way
    to a record; ``value`` is what should be written, "" on the way from one. ``reason`` says what
    is wrong with it, or what was expected.
    """

    path: str
    offset: int
    size: int
    hex: str = ""
    value: str = ""
    reason: str


class RecordError(InputError):
    """A record that a policy refuses, or values that do not fit the copybook: all problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            ("cannot be written" if first.value else "cannot be read") + more,
            place=f"{first.path or 'record'}, offset {first.offset}+{first.size}",
            value=first.value or first.hex,
            expected=first.reason,
        )
        self.problems = tuple(problems)
