"""A row that was checked: places of legacy and fields of ours, tied by converters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..formats.shape import Leaf
from ..operations.field import Field
from ..path import Hop, Path
from ..rows import Row
from .chain import Chain

__all__ = ["Condition", "Link", "Place", "Target", "strictest"]


class Place(NamedTuple):
    """A place of legacy: its leaf, and the way there."""

    leaf: Leaf
    path: Path

    @property
    def lists(self) -> tuple[Hop, ...]:
        """Give the way into the innermost list that is gone through entry by entry."""
        hops = self.path.hops
        while hops and hops[-1].key:
            hops = hops[:-1]
        return hops

    @property
    def chosen(self) -> bool:
        """Say whether it stands in an entry that is chosen by its key."""
        return bool(self.path.hops) and bool(self.path.hops[-1].key)


class Target(NamedTuple):
    """A field of ours. ``whole``: the row's value is the list itself, not one of its entries."""

    field: Field
    whole: bool = False


class Condition(NamedTuple):
    """A place of legacy, and the texts with which a row applies."""

    place: Place
    texts: tuple[str, ...]


def strictest(tags: Sequence[str]) -> str:
    """Give the first tag that masks, "none" where somebody said so, or ""."""
    return next((tag for tag in tags if tag not in ("", "none")), max(tags, default=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A row of ``side``. ``chain`` goes from legacy to ours, whichever side it is.

    A constant stands in ``constant``: our value in ``fields``, legacy's text in ``reply``;
    ``else_`` likewise. ``reads`` are the places that its converters read besides, by path.
    ``beside_tag`` is the data tag of what stands in these, and in the places of its conditions.
    """

    number: int
    side: Literal["fields", "reply"]
    row: Row
    places: tuple[Place, ...]
    targets: tuple[Target, ...]
    chain: Chain
    conditions: tuple[Condition, ...] = ()
    reads: tuple[tuple[str, Place], ...] = ()
    constant: object = None
    else_: object = None
    beside_tag: str = ""

    @property
    def two_way(self) -> bool:
        """Say whether it is used backwards, too."""
        return not self.row.one_way

    @property
    def tag(self) -> str:
        """Give the data tag that masks its values in errors."""
        return strictest([self.row.tag, *(target.field.tag for target in self.targets)])

    @property
    def every_place(self) -> tuple[Place, ...]:
        """Give all places of legacy that it names: its own, its conditions', those it reads."""
        conditions = (one.place for one in self.conditions)
        return (*self.places, *conditions, *(at for _, at in self.reads))

    @property
    def scope(self) -> tuple[Hop, ...]:
        """Give the list of legacy in whose entries its places stand; () for the record itself."""
        return self.places[0].lists if self.places else ()

    def may_miss(self, place: Place) -> bool:
        """Say whether legacy may leave the place out."""
        return self.row.optional or not place.leaf.required or place.chosen

    def may_hold_nothing(self, place: Place) -> bool:
        """Say whether legacy may say that the place holds nothing."""
        return bool(self.row.null) or place.leaf.nullable or self.may_miss(place)

    @property
    def source(self) -> str:
        """Name where its value comes from, for people."""
        return self.row.from_text

    @property
    def destination(self) -> str:
        """Name where its value goes, for people."""
        return ", ".join(self.row.targets)
