"""How much every source settled in each of the last seconds, for a picture of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from ..bridge.status import SourceStatus

__all__ = ["Recent"]

_LOOKS: Final = 31
"""Half a minute of them, and the one that they are counted from."""


class Recent:
    """Remembers a look a second. Owned by one event loop."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[int]] = {}

    def look(self, sources: Mapping[str, SourceStatus]) -> None:
        """Take note of where the sources stand now."""
        for name, source in sources.items():
            seen = self._seen.setdefault(name, deque([0], maxlen=_LOOKS))
            seen.append(source.done + source.retried + source.dead)
        for name in self._seen.keys() - sources.keys():
            del self._seen[name]

    def of(self, name: str) -> list[int]:
        """Give how much a source settled between the looks, oldest first."""
        # A source that was opened anew counts from nothing again.
        return [max(0, after - before) for before, after in pairwise(self._seen.get(name, ()))]
