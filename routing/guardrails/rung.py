"""A rung as what is measured names it: a stage, its percent, and when the route came to it."""

from __future__ import annotations

from typing import NamedTuple

from ...model import Route, Stage

__all__ = ["MOVED", "Rung"]

MOVED = (Stage.CANARY, Stage.LIVE, Stage.RETIRED)
"""The stages in which callers get the replacement's answers: there is something to take back."""


class Rung(NamedTuple):
    """One stay of a route on a rung. One that comes back to it begins anew.

    ``since`` is the route's version at which it came. A counter that never decays would fail a long
    migration on its old noise.
    """

    stage: Stage
    percent: float
    since: int

    @classmethod
    def of(cls, route: Route) -> Rung:
        """Give the rung on which a route stands."""
        percent = route.percent if route.stage is Stage.CANARY else 0.0
        return cls(route.stage, percent, route.since)

    @classmethod
    def read(cls, label: str) -> Rung:
        """Read what ``label`` wrote."""
        stage, percent, since = label.split(":")
        return cls(Stage(stage), float(percent), int(since))

    @property
    def label(self) -> str:
        """Write it, as rows of the store name it."""
        return f"{self.stage.value}:{self.percent!r}:{self.since}"

    @property
    def share(self) -> float:
        """Give the share of the keys that the replacement answers; 0 or 1 where it has none."""
        if self.stage is Stage.CANARY:
            return self.percent / 100
        return 1.0 if self.stage in MOVED else 0.0
