"""Sources whose every row would be refused are not taken from, and why is said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError, LegacyError
from ..ports import Tabular
from ..telemetry import log
from .columns import unfit
from .plan import Plan

if TYPE_CHECKING:
    from .running import Running

__all__ = ["Fitting"]

_ASKED: Final = 5.0
"""Seconds that a start, or a reload, waits for a legacy system to tell its columns."""
_AGAIN: Final = 3.0


class Fitting:
    """Keeps sources from being taken from whose every row would be refused. On one event loop.

    ``wrong`` says why, by source. A legacy system that cannot be asked is asked again later.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self.wrong: Mapping[str, ConfigError] = {}
        self._told: set[str] = set()  # sources whose columns are known

    async def look(self, plan: Plan) -> Mapping[str, ConfigError]:
        """Ask all sources of a plan, each for a while; give those that do not fit."""
        names = [name for name, one in plan.sources.items() if isinstance(one, Tabular)]
        found = await asyncio.gather(*(self._ask(plan, name) for name in names))
        return {name: one for name, one in zip(names, found, strict=True) if one is not None}

    def hold(self, wrong: Mapping[str, ConfigError]) -> None:
        """Take nothing of these from now on."""
        for name, error in wrong.items():
            if name not in self.wrong:
                log.error("nothing is taken of %s: %s", name, error)
        self.wrong = wrong

    async def watch(self) -> None:
        """Look again at what does not fit, and at what could not be asked, until cancelled."""
        while True:
            await asyncio.sleep(_AGAIN)
            running, plan = self._running, self._running.plan
            names = [one for one in plan.sources if one in self.wrong or one not in self._told]
            for name in names:
                if isinstance(plan.sources[name], Tabular):
                    await self._again(plan, name)
            if plan is running.plan:
                running.take()

    async def _again(self, plan: Plan, name: str) -> None:
        error = await self._ask(plan, name)
        if plan is not self._running.plan or (name not in self._told and error is None):
            return
        others = {key: one for key, one in self.wrong.items() if key != name}
        self.hold(others if error is None else {**others, name: error})
        if error is not None and name in self._running.intake.names():
            await self._running.intake.close(name)

    async def _ask(self, plan: Plan, name: str) -> ConfigError | None:
        """Give what is wrong; None also where it could not be asked."""
        part = plan.sources[name]
        if not isinstance(part, Tabular):
            return None
        self._told.discard(name)
        try:
            asked = asyncio.to_thread(unfit, plan.workspace, name, part, ask=True, compared=False)
            async with asyncio.timeout(_ASKED):
                error = await asked
        except (LegacyError, TimeoutError) as trouble:
            log.debug("%s: its columns are not known yet: %s", name, trouble)
        except ConfigError as trouble:  # a mapping was changed on disk, and cannot be read now
            log.debug("%s: cannot be held against its columns: %s", name, trouble)
        else:
            self._told.add(name)
            return error
        return None
