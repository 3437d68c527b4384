"""Tables of ``fig.toml`` about answers: who answers instead, answers blended, shadow, effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .route_settings import Compared

__all__ = ["Blend", "EffectRules", "Fallback", "ShadowRules"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table whose every key is known."""


class Fallback(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.fallback]``: what legacy answers where the replacement does not.

    ``stale``: reads are answered from legacy's store also where that is behind (data
    ``replacement-first``). ``reserve`` are seconds of the caller's time that are kept for legacy,
    however slow the replacement is.
    """

    stale: bool = False
    reserve: float = 0.0

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        if not 0 <= self.reserve < float("inf"):
            raise ValueError("reserve must not be negative")


OnError = Literal["fail", "other", "partial"]


class Blend(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.blend]``: both sides answer, and one merged answer goes back.

    Rows of the output's lists named in ``lists`` are matched by the fields given there; a row that
    only one side has is kept. ``fields`` say by path where a value comes from: ``legacy``,
    ``replacement``, ``first-not-null`` (the preferred side's first), or ``py:module:function`` of
    both values, legacy's first. All else is the side's that is in ``prefer``. ``legacy`` and
    ``replacement`` say what a side's failure does: the call fails, the other's answer goes back as
    it is, or the merged answer without that side's part, in which the output's field ``partial``
    is true.
    """

    prefer: Literal["legacy", "replacement"] = "replacement"
    fields: Mapping[str, str] = {}
    lists: Mapping[str, str | tuple[str, ...]] = {}
    legacy: OnError = "other"
    replacement: OnError = "other"
    partial: str = ""


class ShadowRules(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.shadow]``: how much of the traffic is asked a second time, and for what.

    ``sample`` is a percent of the requests, ``queue`` how many of them wait at most, ``deadline``
    the seconds that a side has (0: as many as for callers). In a UTC day, over all processes, at
    most ``calls`` of the replacement, ``legacy_calls``, ``tokens`` and ``cost`` (sums of what
    replies' usage tells under names that end so); none: no bound. ``effects = "told"`` promises
    that the replacement does nothing where a request says ``shadow``; without that promise one
    whose class does not say ``acts = False`` is asked in shadow only where the operation reads.
    """

    sample: float = 100.0
    queue: int = 1_000
    deadline: float = 0.0
    calls: int | None = None
    legacy_calls: int | None = None
    tokens: float | None = None
    cost: float | None = None
    effects: Literal["", "told"] = ""

    def __post_init__(self) -> None:
        """Hold the bounds against what they can be."""
        if not 0 <= self.sample <= 100:
            raise ValueError("sample must be a percent")
        if self.queue < 1 or not 0 <= self.deadline < float("inf"):
            raise ValueError("queue must be above 0, and deadline not negative")
        if any(most < 0 for most in self.budget.values()):
            raise ValueError("a budget must not be negative")

    @property
    def budget(self) -> Mapping[str, float]:
        """Give what may be used in a day, by name; what has no bound is left out."""
        names = ("calls", "legacy_calls", "tokens", "cost")
        return {name: float(most) for name in names if (most := getattr(self, name)) is not None}


class EffectRules(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[endpoint.NAME.effects.KIND]``: an effect that answering has, and where legacy's is seen.

    It is a request to an ``operation`` of its own. Legacy's are the records of ``source`` (a
    ``[legacy.NAME]``) that ``mapping`` reads as such requests: those of ``changes`` (a message has
    none, and is one), in which every place of ``when`` has one of its texts (``"*"``: any but
    null). They belong to the request whose ``match`` (an input field of the endpoint's; none: its
    record's own key) is their ``key`` (an input field of the effect's) and that they follow
    ``within`` so many seconds. ``comparison`` says how they are compared with what the replacement
    would do. Without a source that is journalled, and compared with nothing.
    """

    operation: str
    key: str = ""
    match: str = ""
    source: str = ""
    mapping: str = ""
    changes: tuple[str, ...] = ("insert",)
    when: Mapping[str, str | tuple[str, ...]] = {}
    within: float = 300.0
    comparison: Compared = Compared()

    def __post_init__(self) -> None:
        """Hold the keys against each other."""
        if bool(self.source) != bool(self.mapping):
            raise ValueError("source and mapping go together")
        if self.source and not self.key:
            raise ValueError("key must name the input field that tells whose an effect is")
        if not 0 < self.within < float("inf"):
            raise ValueError("within must be above 0")
