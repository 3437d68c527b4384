"""Inputs that are nearly right: seeds, cut, spliced, repeated and spoilt."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["Mutator"]

_MOST: Final = 20_000
_MOST_KEPT: Final = 300
_BYTES: Final = (
    *(b"\x00", b"\xff", b"\x40", b"\xf0", b"\xc3\x28", b"\xed\xa0\x80", b"\r\n", b"\x1a"),
    *("é".encode(), "\u0661".encode(), "\u2028".encode(), b"\x85", b"\xef\xbb\xbf", b"\\", b"'"),
)
_NUMBERS: Final = (
    *(b"0", b"1", b"-1", b"255", b"65536", b"2147483647", b"4294967296", b"1e999", b"NaN"),
    *(b"99999999999999999999", b"-0", b"0.0", b"1e-999", b"9" * 5000, b"007", b"1_0", b"inf"),
)
_WORD: Final = re.compile(rb"[\w.-]+")
_DIGITS: Final = re.compile(rb"[0-9]+")


class Mutator:
    """Makes one case after the other; the same ``seed`` makes the same cases.

    ``words`` are pieces that mean something to whoever reads the input. A case that led somewhere
    new may be given back with ``keep``: later ones are made from it as well.
    """

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], seed: int) -> None:
        self._random = random.Random(seed)
        self._seeds = list(seeds)
        self._kept: list[bytes] = []
        self._pieces = [*words, *words, *_BYTES, *_NUMBERS]
        self._ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip,
            self._byte,
            self._cut,
            self._repeat,
            self._insert,
            self._insert,
            self._word,
            self._number,
            self._line,
            self._move,
            self._splice,
            self._nest,
        )

    def case(self) -> bytes:
        """Give the next input."""
        body = bytearray(self._chosen())
        for _ in range(self._random.choice((1, 1, 1, 1, 2, 2, 3, 5, 9))):
            self._random.choice(self._ways)(body)
            del body[_MOST:]
        return bytes(body)

    def keep(self, case: bytes) -> None:
        """Make later cases from this one too; where there are too many, one of them goes."""
        if len(self._kept) < _MOST_KEPT:
            self._kept.append(case)
        else:
            self._kept[self._random.randrange(_MOST_KEPT)] = case

    def _chosen(self) -> bytes:
        kept = self._kept and self._random.random() < 0.4
        return self._random.choice(self._kept if kept else self._seeds)

    def _place(self, body: bytearray) -> int:
        return self._random.randrange(len(body) + 1)

    def _span(self, body: bytearray) -> tuple[int, int]:
        start = self._place(body)
        return start, min(len(body), start + self._random.choice((1, 2, 4, 8, 40, 400)))

    def _flip(self, body: bytearray) -> None:
        if body:
            body[self._random.randrange(len(body))] ^= 1 << self._random.randrange(8)

    def _byte(self, body: bytearray) -> None:
        if body:
            body[self._random.randrange(len(body))] = self._random.randrange(256)

    def _cut(self, body: bytearray) -> None:
        start, end = self._span(body)
        del body[start:end]

    def _repeat(self, body: bytearray) -> None:
        start, end = self._span(body)
        body[end:end] = body[start:end] * self._random.choice((1, 2, 10, 100))

    def _insert(self, body: bytearray) -> None:
        place = self._place(body)
        body[place:place] = self._random.choice(self._pieces)

    def _word(self, body: bytearray) -> None:
        """Put another word where one stands: one of the input's own, or one that means much."""
        found = list(_WORD.finditer(body))
        if found:
            start, end = self._random.choice(found).span()
            own = self._random.random() < 0.3
            piece = self._random.choice(found)[0] if own else self._random.choice(self._pieces)
            body[start:end] = piece

    def _number(self, body: bytearray) -> None:
        found = list(_DIGITS.finditer(body))
        if found:
            start, end = self._random.choice(found).span()
            body[start:end] = self._random.choice(_NUMBERS)

    def _line(self, body: bytearray) -> None:
        """Take a line out, or put it where another stands."""
        lines = body.splitlines(keepends=True)
        if len(lines) > 1:
            line = lines.pop(self._random.randrange(len(lines)))
            for _ in range(self._random.choice((0, 1, 2))):
                lines.insert(self._random.randrange(len(lines) + 1), line)
            body[:] = b"".join(lines)

    def _move(self, body: bytearray) -> None:
        start, end = self._span(body)
        piece = body[start:end]
        del body[start:end]
        place = self._place(body)
        body[place:place] = piece

    def _splice(self, body: bytearray) -> None:
        other = self._chosen()
        body[self._place(body) :] = other[self._random.randrange(len(other) + 1) :]

    def _nest(self, body: bytearray) -> None:
        piece = self._random.choice(self._pieces)
        place = self._place(body)
        body[place:place] = piece * self._random.choice((3, 30, 300))
