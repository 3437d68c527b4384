"""The judges of a workspace, at work: what stands open is put to them, within their budgets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..config import Workspace
from ..errors import FigError
from ..routing.adjudication.judging import Judging
from ..store.store import Store
from ..telemetry import log
from .bench import judge_bench

if TYPE_CHECKING:
    from .running import Running

__all__ = ["judges", "sit_once"]

_ROUND: Final = 15.0
"""Seconds between two rounds: nobody waits for a judge."""
_MOST: Final = 50
"""Differences of one endpoint in a round, so that others have their turn."""


async def judges(running: Running) -> None:
    """Sit again and again, until cancelled. One process on a store does it at a time."""
    while True:
        await asyncio.sleep(_ROUND)
        # Looked at anew each time: a reload may have changed them.
        workspace = running.plan.workspace
        for name, one in workspace.endpoint.items():
            said = one.adjudication
            route = running.table.wanted(name)
            if said.judge is None or "judge" not in said.order or not route.revision:
                continue
            if not route.killed:
                await sit_once(workspace, running.store, name, route.revision)


async def sit_once(workspace: Workspace, store: Store, name: str, revision: str) -> None:
    """Put to an endpoint's judge what waits for it. Never raises, whatever the judge does."""
    try:
        if not await asyncio.to_thread(_waits, store, name, revision):
            return  # a model need not be loaded for nothing
        async with judge_bench(workspace, name) as judge:
            if judge is None:
                return
            sitting = await Judging(store, judge, name, revision).sit(_MOST)
    except FigError as error:
        log.warning("%s: the judge cannot sit: %s", name, error)
        return
    if sitting.asked:
        log.info("%s: the judge was asked %d times: %s", name, sitting.asked, sitting)


def _waits(store: Store, name: str, revision: str) -> bool:
    return store.evidence.counts(name, revision).open > 0
