"""All detectors over one text: what of it is somebody's number or address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

from .card import find_cards
from .email import find_emails
from .finding import Finding, Windows
from .iban import find_ibans
from .national import find_nationals
from .phone import find_phones

__all__ = ["apart", "detect"]

T = TypeVar("T")

# A codice fiscale may have letters for its digits, but not for all of them: whatever is found here
# has six digits or an @.
_DIGIT: Final = re.compile(r"[0-9]")
_ANY_DIGIT: Final = re.compile(r"\d")
_MANY: Final = re.compile(r"(?:\d\D{0,12}){6}")


def _may_hold(text: str) -> bool:
    first = (_DIGIT if text.isascii() else _ANY_DIGIT).search(text)
    return "@" in text or (first is not None and _MANY.search(text, first.start()) is not None)


def detect(text: str) -> list[Finding]:
    """Find IBANs, cards, national numbers, e-mail addresses and phone numbers, in order of place.

    Findings do not overlap: of two that would, one stretch holds both, under the name of the one
    whose check says more. Takes time in proportion to the text's length. Never raises.
    """
    if not _may_hold(text):
        return []
    seen = Windows(text)
    found = [
        *find_ibans(text),
        *find_cards(seen),
        *find_nationals(seen),
        *find_emails(text),
        *find_phones(text),
    ]
    return [Finding(*one) for one in apart(found)]


def apart(found: Iterable[tuple[int, int, T]]) -> list[tuple[int, int, T]]:
    """Sort stretches by place; those that overlap become one, named by what came first.

    Each is start, end and whatever belongs to it.
    """
    listed = list(found)
    if len(listed) < 2:
        return listed
    taken: list[tuple[int, int, T]] = []
    best = 0
    for rank, (start, end, what) in sorted(enumerate(listed), key=lambda one: (one[1][0], one[0])):
        if not taken or start >= taken[-1][1]:
            taken.append((start, end, what))
            best = rank
            continue
        first, last, held = taken[-1]
        taken[-1] = (first, max(last, end), what if rank < best else held)
        best = min(best, rank)
    return taken
