"""What is known of the rung on which a route stands: how long, how much, and what was compared."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec

from ..routing.guardrails.evidence import Gathering
from .length import length
from .ports import Ctx
from .span import Span, span_text

__all__ = ["Least", "Seen"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """How long a rung has been stood on in seconds, and what was seen there.

    ``answered`` counts what the replacement answered on this rung (in shadow: was asked),
    ``pairs`` distinct inputs of its revision that both sides answered.
    """

    seconds: float
    answered: int
    pairs: int

    @classmethod
    def now(cls, ctx: Ctx) -> Self:
        """Look. At legacy nothing is measured. Raises ``StoreError``."""
        figures = Gathering(ctx.store, ctx.endpoint).figures(ctx.route(), wait=False)
        return cls(seconds=figures.seconds, answered=figures.answered, pairs=figures.counts.total)

    @property
    def text(self) -> str:
        """Say it in a line."""
        return (
            f"{self.answered:,} requests in {span_text(self.seconds)} on this rung, "
            f"{self.pairs:,} inputs compared"
        )


class Least(msgspec.Struct, frozen=True):
    """The least of each that is asked for: all of them together."""

    time: float
    answered: int
    pairs: int

    @classmethod
    def of(cls, time: Span, answered: int, pairs: int) -> Self:
        """Read it from options. Raises ``ValueError`` for what is no length of time."""
        return cls(length(time, "time"), answered, pairs)

    @property
    def text(self) -> str:
        """Say it in a few words."""
        parts = [f"{span_text(self.time)}"] if self.time else []
        parts += [f"{self.answered:,} requests"] if self.answered else []
        parts += [f"{self.pairs:,} inputs compared"] if self.pairs else []
        return ", ".join(parts)

    def missing(self, seen: Seen) -> str:
        """Say what is missing; empty where nothing is."""
        parts = []
        if seen.seconds < self.time:
            parts.append(f"{span_text(ceil(self.time - seen.seconds))} more on this rung")
        if seen.answered < self.answered:
            parts.append(f"{self.answered - seen.answered:,} more requests on this rung")
        if seen.pairs < self.pairs:
            parts.append(f"{self.pairs - seen.pairs:,} more inputs compared")
        return " and ".join(parts)
