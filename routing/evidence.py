"""The evidence on a route as it stands: counts and the guardrail's verdict on them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..config import Endpoint
from ..model import Route, Verdict
from ..store.evidence import Counts
from ..store.store import Store
from .guardrail import judge

__all__ = ["Evidence", "gather"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one revision at one moment."""

    revision: str
    counts: Counts
    verdict: Verdict

    def snapshot(self) -> Mapping[str, object]:
        """Give it as plain values, for the history of a route."""
        values: dict[str, object] = msgspec.to_builtins(self)
        return values


def gather(store: Store, endpoint: Endpoint, route: Route) -> Evidence:
    """Read the counts for the route's revision and judge them. Raises ``StoreError``."""
    counts = store.evidence.counts(endpoint.name, route.revision)
    return Evidence(
        revision=route.revision, counts=counts, verdict=judge(counts, endpoint.guardrail)
    )
