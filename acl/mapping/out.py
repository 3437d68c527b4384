"""What is being written: legacy's values, in the entries that are gone through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..operations.value import to_text
from ..path import Hop
from .link import Place

__all__ = ["Out", "texts_of"]


class Out:
    """The entries of legacy that are written, by the way to them."""

    def __init__(self, entries: dict[tuple[Hop, ...], Any], indices: tuple[int, ...]) -> None:
        self.entries = entries
        self.indices = indices

    def inside(self, hops: tuple[Hop, ...], entry: object, index: int) -> Out:
        """Give what is written of one entry of a list."""
        return Out({**self.entries, hops: entry}, (*self.indices, index))

    def get(self, place: Place) -> str | None:
        """Give the text of a place, None where there is none."""
        found = self.around(place.path.hops, make=False)
        text = found.get(place.path.last) if isinstance(found, dict) else found
        return text if isinstance(text, str) else None

    def put(self, place: Place, text: str | None) -> None:
        """Write a text, or an explicit null, and the entry around it where there is none."""
        around = self.around(place.path.hops, make=text is not None)
        if around is not None and place.path.last:
            around[place.path.last] = text
        elif not place.path.last:
            self.entries[place.path.hops] = text

    def drop(self, place: Place) -> None:
        """Take a value away, and the entry that held it alone."""
        hops = place.path.hops
        around = self.around(hops, make=False)
        if not isinstance(around, dict):
            return
        around.pop(place.path.last, None)
        if place.chosen and not around.keys() - {hops[-1].key}:
            holder = self.around(hops[:-1], make=False)
            entries = holder[hops[-1].list]
            holder[hops[-1].list] = [one for one in entries if one is not around]
            if not holder[hops[-1].list]:
                del holder[hops[-1].list]

    def around(self, hops: tuple[Hop, ...], *, make: bool) -> Any:
        """Give the entry that hops lead to; where there is none, make it, or give None."""
        if hops in self.entries:
            return self.entries[hops]
        holder = self.around(hops[:-1], make=make)
        if holder is None:
            return None
        hop = hops[-1]
        for entry in holder.get(hop.list) or ():
            if entry.get(hop.key) == hop.value:
                return entry
        if not make:
            return None
        made = {hop.key: hop.value}
        holder[hop.list] = [*(holder.get(hop.list) or ()), made]
        return made


def texts_of(value: Any) -> Any:
    """Copy values, as the texts that writing takes."""
    if isinstance(value, Mapping):
        return {path: texts_of(one) for path, one in value.items()}
    if isinstance(value, list | tuple):
        return [texts_of(one) for one in value]
    return None if value is None else to_text(value)
