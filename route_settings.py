"""Tables of ``fig.toml`` about how traffic moves: rules, comparison, guardrails, effects."""

from __future__ import annotations

import msgspec

__all__ = ["Guardrail"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Guardrail(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The guardrail's bounds.

    ``alpha`` bounds the chance of a false verdict; ``margin`` is how much worse (share of requests)
    still counts as not worse; ``samples`` is the least number of distinct requests for a pass.
    """

    alpha: float = 0.01
    margin: float = 0.05
    samples: int = 50
