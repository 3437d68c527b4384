"""The watch: looks at the evidence again and again, and takes back what the guardrail fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..errors import FigError, RouteConflict, StoreError
from ..model import Verdict
from ..telemetry import log
from .operator import Operator

__all__ = ["Watch"]


class Watch:
    """One in every process that serves; whoever sees the failure first takes the change back."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._operators = tuple(operators)

    async def run(self, interval: float = 0.25) -> None:
        """Look until cancelled. Looking often is free: the tests stay valid."""
        while True:
            for operator in self._operators:
                await self.look(operator)
            await asyncio.sleep(interval)

    async def look(self, operator: Operator) -> Verdict | None:
        """Look once at one endpoint. Never raises; None where the store cannot be read."""
        try:
            return await asyncio.to_thread(self._look, operator)
        except RouteConflict:
            return None
        except StoreError as error:
            log.debug("the watch cannot read the store: %s", error)
            return None
        except FigError as error:
            log.warning("the watch could not take back: %s", error)
            return None

    def _look(self, operator: Operator) -> Verdict:
        evidence = operator.evidence()
        verdict = evidence.verdict
        if verdict.outcome == "fail":
            route = operator.take_back(evidence)
            if route is not None:
                log.warning(
                    "%s: taken back to %s, revision %s: %s",
                    route.endpoint,
                    route.stage,
                    route.revision,
                    verdict.reason,
                )
        return verdict
