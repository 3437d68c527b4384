"""Tables of ``fig.toml`` about how traffic moves: rules, comparison, guardrails, effects."""

from __future__ import annotations

import msgspec

from .guardrail_settings import Guardrail

__all__ = ["Guardrail"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""
