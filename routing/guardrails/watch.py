"""The watch: looks at the evidence again and again, and takes back what the guardrail fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ...errors import FigError, RouteConflict, StoreError
from ...model import Stage, Verdict
from ...telemetry import Counters, log
from ..operator import Operator
from .evalues import e_values
from .evidence import Evidence
from .meters import PATIENCE

__all__ = ["Watch"]


class Watch:
    """One in every process that serves; whoever sees the failure first takes the change back.

    ``counters`` are shown the e-values of every look.
    """

    def __init__(self, operators: Iterable[Operator], counters: Counters | None = None) -> None:
        self._operators = tuple(operators)
        self._counters = counters or Counters()

    async def run(self, interval: float = 0.25) -> None:
        """Look until cancelled. Looking often is free: the tests stay valid."""
        while True:
            for operator in self._operators:
                await self.look(operator)
            await asyncio.sleep(interval)

    async def look(self, operator: Operator) -> Verdict | None:
        """Look once at one endpoint. Never raises; None where there is nothing to look at."""
        try:
            name, evidence = await asyncio.to_thread(self._look, operator)
        except RouteConflict:
            return None
        except StoreError as error:
            log.debug("the watch cannot read the store: %s", error)
            return None
        except FigError as error:
            log.warning("the watch could not take back: %s", error)
            return None
        verdicts = () if evidence is None else evidence.verdicts
        self._counters.show(name, e_values(name, verdicts))
        return None if evidence is None else evidence.verdict

    def _look(self, operator: Operator) -> tuple[str, Evidence | None]:
        route = operator.route()
        if route.stage is Stage.LEGACY or route.killed:
            return (
                route.endpoint,
                None,
            )  # nobody gets its answers; hundreds of such routes cost nothing
        evidence = operator.evidence(wait=False)
        verdict = evidence.verdict
        if verdict.outcome == "fail":
            _take_back(operator, evidence)
            return route.endpoint, evidence
        for one in evidence.verdicts:
            if one.outcome == "error" and one.figures.get("errors", 0) >= PATIENCE:
                _pause(operator, one)
                break
        return route.endpoint, evidence


def _take_back(operator: Operator, evidence: Evidence) -> None:
    route = operator.take_back(evidence)
    if route is not None:
        log.warning(
            "%s: taken back to %s, revision %s: %s",
            route.endpoint,
            route.stage,
            route.revision,
            evidence.verdict.reason,
        )


def _pause(operator: Operator, verdict: Verdict) -> None:
    """Hold a route that cannot be judged. It stays where it is: an error is no sign of harm."""
    route = operator.route()
    if route.paused or route.killed or route.stage is Stage.LEGACY:
        return
    why = f"{verdict.guardrail} {verdict.reason} ({PATIENCE} times in a row)"
    operator.pause(why=why)
    log.warning("%s: paused: %s", route.endpoint, why)
