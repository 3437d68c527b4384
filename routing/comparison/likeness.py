"""How like two texts are, and what of a text does not matter."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["folded", "likeness"]

_LONGEST: Final = 20_000
"""Characters that are looked at: some 20 ms. Longer texts are alike only where they are equal."""


def folded(fold: Sequence[str]) -> Callable[[str], str]:
    """Give the function that takes out of a text what does not matter.

    ``case``, ``blanks`` (any run of them is one, none at the ends), ``unicode`` (NFKC). It gives
    the same again for what it gave.
    """
    case, blanks, unicode = (name in fold for name in ("case", "blanks", "unicode"))

    def work(text: str) -> str:
        if case:
            text = unicodedata.normalize("NFD", text).casefold()
            text = unicodedata.normalize("NFKD" if unicode else "NFD", text).casefold()
        if unicode or case:
            text = unicodedata.normalize("NFKC" if unicode else "NFC", text)
        return " ".join(text.split()) if blanks else text

    return work


def likeness(one: str, other: str) -> float:
    """Give a number from 0 to 1: twice the longest common subsequence, by both lengths.

    It is what ``rapidfuzz.fuzz.ratio`` calls the normalised Indel similarity; the subsequence is
    counted bit-parallel (H. Hyyrö, *Bit-parallel LCS-length computation revisited*, 2004). Written
    here, as two libraries that differ would make evidence depend on what is installed.
    """
    if one == other:
        return 1.0
    if max(len(one), len(other)) > _LONGEST:
        return 0.0
    return 2 * _common(one, other) / (len(one) + len(other))


def _common(one: str, other: str) -> int:
    """Give the length of the longest common subsequence."""
    places: dict[str, int] = {}
    for at, character in enumerate(one):
        places[character] = places.get(character, 0) | 1 << at
    mask = (1 << len(one)) - 1
    row = mask
    for character in other:
        hit = row & places.get(character, 0)
        row = (row + hit) | (row - hit)
        row &= mask
    return len(one) - row.bit_count()
