"""What shadow calls use, by endpoint and UTC day, over all processes; and when it is enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ..config import Endpoint

__all__ = ["CALLS", "LEGACY_CALLS", "UNREAD", "Spending", "spent_of"]

CALLS: Final = "calls"
LEGACY_CALLS: Final = "legacy_calls"
UNREAD: Final = "unread"
"""Why a shadow call is not made where nobody has read yet what the other processes have used."""

_OF_REPLACEMENT: Final = (CALLS, "tokens", "cost")
_DAY: Final = 86_400.0
_NO_TOKENS: Final = "unknown_tokens"
"""Of masking: it counts what stands in an answer, and not what that has cost."""


def spent_of(usage: Mapping[str, float]) -> dict[str, float]:
    """Give tokens and cost of a reply's usage: ``tokens`` or the sum of ``…_tokens``, and so on."""
    found: dict[str, float] = {}
    for name in ("tokens", "cost"):
        parts = [
            value for key, value in usage.items() if key.endswith(f"_{name}") and key != _NO_TOKENS
        ]
        if name in usage:
            found[name] = float(usage[name])
        elif parts:
            found[name] = float(sum(parts))
    return found


class Spending:
    """Counts what is used, and says when no more may be. Owned by ``Observations``' event loop.

    What the store knows is read about each second, right after what this process has used was
    written there. So one process alone never goes over; several go over by what the others use
    within that second.
    """

    def __init__(self) -> None:
        self._budgets: dict[str, Mapping[str, float]] = {}
        self._known: dict[str, dict[str, float]] = {}
        self._read: set[str] = set()
        self._day = -1
        self._writing: dict[tuple[str, str], float] = {}
        self._since: dict[tuple[str, str], float] = {}

    def follow(self, endpoints: Iterable[Endpoint]) -> None:
        """Know the budgets of these endpoints."""
        self._budgets = {one.name: one.shadow.budget for one in endpoints if one.shadow.budget}

    @property
    def bounded(self) -> tuple[str, ...]:
        """Name the endpoints that have a budget."""
        return tuple(self._budgets)

    def refused(self, endpoint: str, now: float, *, legacy: bool) -> str:
        """Say which budget forbids one more call of a side; empty where none does."""
        budget = self._budgets.get(endpoint)
        if budget is None:
            return ""
        names = (LEGACY_CALLS,) if legacy else _OF_REPLACEMENT
        bounds = [(name, budget[name]) for name in names if name in budget]
        if not bounds:
            return ""
        self._begin_day(now)
        if endpoint not in self._read:
            return UNREAD
        return next((name for name, most in bounds if self.used(endpoint, name) >= most), "")

    def used(self, endpoint: str, name: str) -> float:
        """Give what is known to be used today, this process's newest included."""
        what = (endpoint, name)
        known = self._known.get(endpoint, {}).get(name, 0.0)
        return known + self._writing.get(what, 0.0) + self._since.get(what, 0.0)

    def add(self, endpoint: str, name: str, value: float, now: float) -> None:
        """Take what was used."""
        if endpoint in self._budgets:
            self._begin_day(now)
            what = (endpoint, name)
            self._since[what] = self._since.get(what, 0.0) + value

    def writing(self) -> None:
        """Say that what was used up to now is on its way to the store."""
        for what, value in self._since.items():
            self._writing[what] = self._writing.get(what, 0.0) + value
        self._since = {}

    def known(self, totals: Mapping[str, Mapping[str, float]], now: float) -> None:
        """Take what the store knows, all that was on its way there included."""
        self._begin_day(now)
        self._writing = {}
        self._known = {name: dict(totals.get(name, {})) for name in self._budgets}
        self._read = set(self._budgets)

    def _begin_day(self, now: float) -> None:
        day = int(now // _DAY)
        if day != self._day:
            self._day = day
            self._known, self._writing, self._since = {}, {}, {}
