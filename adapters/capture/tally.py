"""What reconciling has found so far: kept with its place, so that an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

__all__ = ["Miss", "Tally"]

Miss = Literal["insert", "update", "delete"]

_EXAMPLES: Final = 5


class Tally(msgspec.Struct, kw_only=True):
    """How many rows were looked at, and what was found.

    ``equal`` are as they were captured, ``pending`` have an event that is not settled yet, and of
    ``unknown`` nobody can tell. ``missed`` counts by kind, with some keys of each in ``examples``;
    ``stale`` are entries of rows under another key; ``widened`` are as they were captured but for
    columns that were not captured then.
    """

    chunks: int = 0
    rows: int = 0
    equal: int = 0
    pending: int = 0
    unknown: int = 0
    stale: int = 0
    widened: int = 0
    gaps: int = 0
    missed: dict[str, int] = {}
    examples: dict[str, list[str]] = {}

    def miss(self, kind: Miss, keys: Iterable[str]) -> None:
        """Count what was missed."""
        for key in keys:
            self.missed[kind] = self.missed.get(kind, 0) + 1
            known = self.examples.setdefault(kind, [])
            if len(known) < _EXAMPLES:
                # Text of a legacy program need not be Unicode.
                raw = key.encode("utf-8", "surrogateescape")
                known.append(raw.decode("utf-8", "backslashreplace"))
