"""Payment cards: the issuers' prefixes and lengths, and the check by Luhn (ISO/IEC 7812-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .finding import Finding, Shapes, Windows

__all__ = ["find_cards", "is_card"]

# First digits from, to (of the same length), and the lengths that cards of it have.
_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("5018", "5038", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
    ("56", "59", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("67", "67", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Say whether the last digit is the one that Luhn's formula gives."""
    total = sum(
        _DOUBLED[int(one)] if place % 2 else int(one) for place, one in enumerate(reversed(digits))
    )
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Say whether digits are the number of a card that an issuer could have issued."""
    possible = any(
        low <= digits[: len(low)] <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )
    return possible and luhn(digits)


_SHAPES: Final = Shapes(
    *((length,) for length in range(12, 20)),
    *((4,) * fours + (last,) for fours in (2, 3, 4) for last in range(1, 6)),
    (4, 6, 4),
    (4, 6, 5),
)


def find_cards(seen: Windows) -> Iterator[Finding]:
    """Find card numbers in one piece or in groups that a blank or a hyphen divides."""
    for start, end, digits, _ in seen.shaped(_SHAPES, "- \u00a0\u2009\u202f"):
        if is_card(digits):
            yield Finding(start, end, "pii.card")
