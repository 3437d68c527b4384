"""The evidence on a route as it stands: counts and the guardrail's verdict on them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..config import Endpoint
from ..model import Route, Verdict
from ..store.store import Store
from .guardrail import Tally, judge

__all__ = ["Evidence", "gather"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one revision at one moment."""

    revision: str
    tally: Tally
    verdict: Verdict

    def snapshot(self) -> Mapping[str, object]:
        """Give it as plain values, for the history of a route."""
        values: dict[str, object] = msgspec.to_builtins(self)
        return values


def gather(store: Store, endpoint: Endpoint, route: Route) -> Evidence:
    """Read the counts for the route's revision and judge them. Raises ``StoreError``."""
    counts = store.evidence.counts(endpoint.name, route.revision)
    tally = Tally(
        both=counts.both,
        legacy=counts.legacy,
        replacement=counts.replacement,
        neither=counts.neither,
        open=counts.open,
    )
    return Evidence(revision=route.revision, tally=tally, verdict=judge(tally, endpoint.guardrail))
