"""Tables of ``fig.toml`` about how traffic moves: rules, comparison, guardrails, effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .guardrail_settings import Guardrail

__all__ = ["Guardrail", "Routing", "Rule"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Rule(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``[endpoint.NAME] rules``.

    Requests in which every place of ``when`` has one of its texts go to ``side``, where both sides
    answer (canary and live).
    """

    when: Mapping[str, str | tuple[str, ...]]
    side: Literal["legacy", "replacement"] = "replacement"


class Routing(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[routing]``: what holds for all endpoints.

    ``override_key`` (``env:NAME`` or ``file:PATH``) is the key under which testers' headers are
    signed; none: there are no such headers. ``caller`` says in which header what is known of a
    caller stands, by the name that rules know it by: a proxy before us must set it, and take out
    what callers send under its name.
    """

    override_key: str = ""
    caller: Mapping[str, str] = {}
