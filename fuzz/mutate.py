"""Inputs that are nearly right: seeds, cut, spliced, repeated and spoilt."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

__all__ = ["Mutator"]

_MOST = 20_000
_BYTES = (b"\x00", b"\xff", b"\x40", b"\xf0", b"\xc3\x28", b"\xed\xa0\x80", b"\r\n", b"\x1a")
_NUMBERS = (b"0", b"-1", b"2147483647", b"4294967296", b"99999999999999999999", b"1e999", b"NaN")


class Mutator:
    """Makes one case after the other; the same ``seed`` makes the same cases.

    ``words`` are pieces that mean something to whoever reads the input.
    """

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], seed: int) -> None:
        self._random = random.Random(seed)
        self._seeds = list(seeds)
        self._pieces = [*words, *_BYTES, *_NUMBERS]
        self._ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip,
            self._cut,
            self._repeat,
            self._insert,
            self._insert,
            self._move,
            self._splice,
            self._nest,
        )

    def case(self) -> bytes:
        """Give the next input."""
        body = bytearray(self._random.choice(self._seeds))
        for _ in range(self._random.choice((1, 1, 1, 2, 3, 5, 9))):
            self._random.choice(self._ways)(body)
            del body[_MOST:]
        return bytes(body)

    def _place(self, body: bytearray) -> int:
        return self._random.randrange(len(body) + 1)

    def _span(self, body: bytearray) -> tuple[int, int]:
        start = self._place(body)
        return start, min(len(body), start + self._random.choice((1, 2, 4, 8, 40, 400)))

    def _flip(self, body: bytearray) -> None:
        if body:
            body[self._random.randrange(len(body))] ^= 1 << self._random.randrange(8)

    def _cut(self, body: bytearray) -> None:
        start, end = self._span(body)
        del body[start:end]

    def _repeat(self, body: bytearray) -> None:
        start, end = self._span(body)
        body[end:end] = body[start:end] * self._random.choice((1, 2, 10, 100))

    def _insert(self, body: bytearray) -> None:
        place = self._place(body)
        body[place:place] = self._random.choice(self._pieces)

    def _move(self, body: bytearray) -> None:
        start, end = self._span(body)
        piece = body[start:end]
        del body[start:end]
        place = self._place(body)
        body[place:place] = piece

    def _splice(self, body: bytearray) -> None:
        other = self._random.choice(self._seeds)
        body[self._place(body) :] = other[self._random.randrange(len(other) + 1) :]

    def _nest(self, body: bytearray) -> None:
        piece = self._random.choice(self._pieces)
        place = self._place(body)
        body[place:place] = piece * self._random.choice((3, 30, 300))
