"""Where a record is being read: the entries that are gone through, and what places hold there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..operations.value import to_text
from ..path import Hop, numbered
from .link import Place

__all__ = ["ABSENT", "Frame", "around", "fetch", "located", "path_of", "text_of"]

ABSENT: Final = object()
"""What a place holds that legacy left out; None is an explicit null."""

_EMPTY: Final[Mapping[str, Any]] = {}


class Frame(NamedTuple):
    """The entries that are gone through, by the way to them; ``indices`` count from 0."""

    entries: Mapping[tuple[Hop, ...], Any]
    indices: tuple[int, ...] = ()

    def inside(self, hops: tuple[Hop, ...], entry: object, index: int) -> Frame:
        """Give the frame of one entry of a list."""
        return Frame({**self.entries, hops: entry}, (*self.indices, index))


def fetch(frame: Frame, place: Place) -> Any:
    """Give what a place holds; ``ABSENT`` where it is left out."""
    holder = around(frame, place.path.hops)
    if not place.path.last:
        return holder
    return holder.get(place.path.last, ABSENT) if isinstance(holder, Mapping) else ABSENT


def around(frame: Frame, hops: tuple[Hop, ...]) -> Any:
    """Give the entry that hops lead to; one that is not there is empty."""
    if hops in frame.entries:
        return frame.entries[hops]
    outer = around(frame, hops[:-1])
    entries = outer.get(hops[-1].list) if isinstance(outer, Mapping) else None
    for entry in entries or ():
        if text_of(entry.get(hops[-1].key)) == hops[-1].value:
            return entry
    return _EMPTY


def located(frame: Frame, place: Place) -> str:
    """Give a place's path as ``Shape.places`` has it: an entry that is chosen by its index, too."""
    text, hops = "", place.path.hops
    indices = list(frame.indices)
    for at, hop in enumerate(hops, 1):
        index = -1
        if not hop.key:
            index = indices.pop(0) if indices else -1
        elif isinstance(holder := around(frame, hops[: at - 1]), Mapping):
            texts = [text_of(entry.get(hop.key)) for entry in holder.get(hop.list) or ()]
            index = texts.index(hop.value) if hop.value in texts else -1
        text += f"{hop.list[:-1]}{index if index >= 0 else ''}]."
    return text + place.path.last if place.path.last else text.removesuffix(".")


def text_of(found: object) -> str | None:
    """Give the text of what a place holds; None where it holds nothing."""
    return None if found is ABSENT or found is None else to_text(found)


def path_of(place: Place, indices: Sequence[int]) -> str:
    """Give a place's path with its indices: ``line[2].sku``, ``entry[key=COLOUR].value``."""
    return numbered(str(place.path), indices)
