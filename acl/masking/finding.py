"""What a detector finds in a text, and what detectors have in common."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["GAP", "Finding", "Shapes", "Windows", "Words", "ascii_digits"]


class Finding(NamedTuple):
    """A stretch of a text, and the tag of what stands there (``pii.iban``)."""

    start: int
    end: int
    tag: str


GAP: Final = " \u00a0\u2009\u202f"
"""Blanks that stand inside of numbers, for a class of a pattern."""

_FEW: Final = 8
_REACH: Final = 24
"""Characters before a number in which a word says what it is."""

_RUN: Final = re.compile(r"\d+")


class Shapes:
    """How many digits stand in each run of a number: ``Shapes((9,), (3, 2, 4))``.

    ``counts`` says of how many runs those are that begin with a run of so many digits.
    """

    __slots__ = ("all", "counts")

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        self.all = frozenset(shapes)
        self.counts: Mapping[int, Sequence[int]] = {
            first: sorted({len(shape) for shape in shapes if shape[0] == first})
            for first in {shape[0] for shape in shapes}
        }


class _Run(NamedTuple):
    """A run of digits (ASCII ones in ``text``) and where it stands."""

    start: int
    end: int
    text: str


class Windows:
    """The runs of digits of a text, for the detectors of numbers. ``lengths`` are theirs."""

    __slots__ = ("_runs", "lengths", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        found = [(one.start(), one.end()) for one in _RUN.finditer(text)]
        self._runs = [_Run(a, b, ascii_digits(text[a:b])) for a, b in found]
        self.lengths = tuple([b - a for a, b in found])

    def shaped(self, shapes: Shapes, separators: str) -> Iterator[tuple[int, int, str, str]]:
        """Give every stretch whose runs have the lengths of a shape, one separator between them.

        Each as start, end, its digits and its separator ("" where it is one run). Looks at as many
        runs as shapes have, whatever the text holds.
        """
        lengths = self.lengths
        for first, length in enumerate(lengths):
            for count in shapes.counts.get(length, ()):
                if lengths[first : first + count] in shapes.all:
                    found = self._stretch(first, count, separators)
                    if found is not None:
                        yield found

    def _stretch(self, first: int, count: int, separators: str) -> tuple[int, int, str, str] | None:
        text, runs = self.text, self._runs[first : first + count]
        gaps = {text[a.end : b.start] for a, b in pairwise(runs)}
        gap = gaps.pop() if gaps else ""
        start, end = runs[0].start, runs[-1].end
        if gaps or len(gap) > 1 or gap not in separators:
            return None
        if (start and text[start - 1].isalnum()) or text[end : end + 1].isalnum():
            return None
        return start, end, "".join([one.text for one in runs]), gap


def ascii_digits(text: str) -> str:
    """Give digits of any script as ASCII ones."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(one)) for one in text)


class Words:
    """Where words of a pattern stand in a text.

    The first few who ask are answered by a look at the few characters before their place; whoever
    asks more often is answered by one look at the whole text, so that time stays in proportion.
    """

    __slots__ = ("_asked", "_ends", "_pattern", "_text")

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text = text
        self._pattern = pattern
        self._asked = 0
        self._ends: list[int] = []

    def near(self, start: int) -> bool:
        """Say whether one of the words ends shortly before a place."""
        if self._asked < _FEW:
            self._asked += 1
            return self._pattern.search(self._text, max(0, start - _REACH), start) is not None
        if self._asked == _FEW:
            self._asked += 1
            self._ends = [one.end() for one in self._pattern.finditer(self._text)]
        at = bisect_right(self._ends, start)
        return at > 0 and start - self._ends[at - 1] <= _REACH
