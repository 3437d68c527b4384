"""One thing that is wrong with a record, or with a mapping file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import ConfigError, FigError, MappingError
from .lines import Lines, Spot

__all__ = ["MappingFileError", "Problem", "RowPlace", "gathered"]


class Problem(MappingError):
    """A problem with its parts apart: ``row`` from 1 (0: no row).

    ``at`` is the line or the offset in the record, "" where nobody knows it. In a mapping file
    ``line`` is the row's, from 1, and ``source`` and ``column`` show where in it; elsewhere they
    are empty.
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
        spot: Spot | None = None,
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
        self.line = spot.line if spot else 0
        self.column = spot.column if spot else 0
        self.source = spot.source if spot else ""

    def as_dict(self) -> dict[str, str]:
        """Give the parts by name, those of a mapping as well."""
        own = {
            "mapping": self.mapping,
            "row": f"{self.side} {self.row}" if self.row else self.side,
            "src": self.src,
            "dst": self.dst,
            "at": self.at or (f"line {self.line}" if self.line else ""),
        }
        return super().as_dict() | own


class MappingFileError(ConfigError):
    """A mapping file is written wrongly; ``problems`` names all that is."""

    def __init__(self, file: str, problems: Sequence[FigError]) -> None:
        count = len(problems)
        super().__init__(
            f"{count} problem{'s' if count > 1 else ''}",
            place=file,
            remedy="mend them all; nothing of this mapping is used until then",
        )
        self.problems = tuple(problems)

    def __str__(self) -> str:
        listed = "".join(f"\n  {number}. {one}" for number, one in enumerate(self.problems, 1))
        return f"{super().__str__()}{listed}"


@dataclass(frozen=True, slots=True)
class RowPlace:
    """Where the rows of one side stand: ``file`` is the mapping's name."""

    file: str
    side: Literal["fields", "reply"]
    lines: Lines

    def problem(self, message: str, *, row: int = 0, key: str = "", **parts: str) -> Problem:
        """Make a problem of this side; ``key`` names the row's key, or without a row the file's."""
        spot = self.lines.row(self.side, row, key) if row else self.lines.key(key)
        return Problem(message, mapping=self.file, side=self.side, row=row, spot=spot, **parts)


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
