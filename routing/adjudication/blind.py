"""Two answers without their names: which is A is a digest's business, the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec

from ...errors import InputError
from ...model import Comparison, Payload
from ...store.reviews import Choice
from ..comparison.path import values_at
from .seal import Sealing

__all__ = ["Answer", "Item", "Marked", "item", "meant", "swapped"]

Answer = Literal["a", "b", "both", "neither", "unsure"]

_SIDES: Final[Mapping[str, tuple[Choice, Choice]]] = {
    "a": ("legacy", "replacement"),
    "b": ("replacement", "legacy"),
    "both": ("both", "both"),
    "neither": ("neither", "neither"),
    "unsure": ("unsure", "unsure"),
}


class Marked(msgspec.Struct, frozen=True):
    """One place where the two differ, with both values as they may be shown."""

    path: str
    a: object
    b: object


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A difference as a reviewer or a judge sees it. ``request`` is None where none was kept.

    ``hidden``: the two differ in what may not be shown, at these paths.
    """

    unit: str
    request: Payload | None
    a: Payload
    b: Payload
    differs: tuple[Marked, ...]
    hidden: tuple[str, ...] = ()


def swapped(who: str, comparison: Comparison) -> bool:
    """Say whether A is the replacement, for this reviewer and this difference."""
    parts = (who, comparison.endpoint, comparison.revision, comparison.unit)
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()[0] % 2 == 1


def item(who: str, comparison: Comparison, sealing: Sealing | None = None) -> Item:
    """Make the item that somebody sees: what was sealed for reviewers where it can be opened."""
    request = _opened(comparison, "request", sealing) or comparison.request
    legacy = _opened(comparison, "legacy", sealing) or comparison.legacy
    replacement = _opened(comparison, "replacement", sealing) or comparison.replacement
    turn = swapped(who, comparison)
    marks, hidden = [], []
    for path in comparison.differs:
        old, new = values_at(path, legacy, replacement)
        if old == new:
            hidden.append(path.lstrip("+-"))
            continue
        # A sign says which side has a row: of the two letters it says just that one lacks it.
        a, b = (new, old) if turn else (old, new)
        marks.append(Marked(path.lstrip("+-"), a, b))
    return Item(
        unit=comparison.unit,
        request=request,
        a=replacement if turn else legacy,
        b=legacy if turn else replacement,
        differs=tuple(marks),
        hidden=tuple(hidden),
    )


def meant(answer: str, who: str, comparison: Comparison) -> Choice:
    """Give the side that an answer means. Raises ``InputError`` for what is no answer."""
    sides = _SIDES.get(answer)
    if sides is None:
        raise InputError(
            "not an answer",
            place=f"item {comparison.unit}",
            value=repr(answer),
            expected="one of " + ", ".join(_SIDES),
        )
    return sides[swapped(who, comparison)]


def _opened(comparison: Comparison, what: str, sealing: Sealing | None) -> Payload | None:
    sealed = comparison.sealed.get(what)
    return sealing.open(sealed) if sealing is not None and sealed else None
