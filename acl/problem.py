"""One thing that is wrong with a record, or with a mapping file."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import MappingError

__all__ = ["Problem", "gathered"]


class Problem(MappingError):
    """A problem with its parts apart: ``row`` from 1 (0: no row).

    ``at`` is the line or the offset in the record, "" where nobody knows it.
    """

    def __init__(
        self,
        message: str,
        *,
        mapping: str,
        side: str,
        row: int = 0,
        src: str = "",
        dst: str = "",
        at: str = "",
        value: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        place = " ".join(
            part
            for part in (
                f"{mapping}:",
                f"{side} row {row}" if row else side,
                src and (f"{src} → {dst}" if dst else src),
                at and f"({at})",
            )
            if part
        )
        super().__init__(message, place=place, value=value, expected=expected, remedy=hint)
        self.mapping = mapping
        self.side = side
        self.row = row
        self.src = src
        self.dst = dst
        self.at = at


def gathered(problems: Sequence[Problem]) -> MappingError:
    """Make one error of all of a record's problems: the first one's parts, the others by name."""
    first = problems[0]
    others = ", ".join(dict.fromkeys(problem.src or problem.dst for problem in problems[1:21]))
    more = f" (and {len(problems) - 1} more: {others})" if others else ""
    return MappingError(
        f"{first.message}{more}",
        place=first.place,
        value=first.value,
        expected=first.expected,
        remedy=first.remedy,
        problems=tuple(problems),
    )
