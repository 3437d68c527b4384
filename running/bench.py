"""One endpoint with both its sides open, for a command that asks them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from .. import app
from ..config import Workspace
from ..errors import ReplacementUnavailable
from ..judging import judge_of
from ..routing.adjudication.judge import Judge
from ..routing.endpoint import Endpoint
from ..routing.replacements import Replacements
from ..telemetry import Counters

__all__ = ["bench", "judge_bench"]

_PATIENCE: Final = 60.0
"""Seconds that a model may take to load."""


@asynccontextmanager
async def bench(workspace: Workspace, name: str, revision: str = "") -> AsyncIterator[Endpoint]:
    """Open an endpoint's sides, and close them at the end. It serves nobody.

    ``revision`` is the one that the replacement is asked in; "": it is not asked. Raises
    ``ConfigError``, ``LegacyUnavailable`` and ``ReplacementUnavailable``.
    """
    one = app.endpoint_of(workspace, name)
    caller = app.caller(workspace, one.legacy) if one.legacy and one.listen.facade else None
    pools = app.replacements(workspace, lambda _: None)
    guards = app.guards(workspace, Counters())
    asking = {} if caller is None else {one.legacy: caller.call}
    alone = msgspec.structs.replace(workspace, endpoint={name: one})
    endpoint = app.endpoints(alone, asking, pools, guards)[name]
    try:
        if caller is not None:
            await caller.open()
        if revision:
            await _ready(pools, one.replacement, revision.partition(".")[0])
        yield endpoint
    finally:
        for pool in pools.values():
            await pool.close()
        if caller is not None:
            await caller.close()


@asynccontextmanager
async def judge_bench(workspace: Workspace, name: str) -> AsyncIterator[Judge | None]:
    """Open an endpoint's judge; None where it has none. Raises as ``bench`` does."""
    settings = workspace.endpoint[name].adjudication.judge
    if settings is None:
        yield None
        return
    part = workspace.replacement[settings.replacement]
    alone = msgspec.structs.replace(workspace, replacement={settings.replacement: part})
    pools = app.replacements(alone, lambda _: None)
    judge = judge_of(workspace, name, pools, app.guards(alone, Counters()))
    try:
        if judge is not None:
            await _ready(pools, settings.replacement, judge.revision.partition(".")[0])
        yield judge
    finally:
        for pool in pools.values():
            await pool.close()


async def _ready(pools: Mapping[str, Replacements], name: str, revision: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not pools[name].start(revision):
        if time.monotonic() > until:
            raise ReplacementUnavailable(
                f"revision {revision} is not ready after {_PATIENCE:g} s",
                place=f"replacement.{name}",
                remedy="look at the log for why: fig -v …",
            )
        await asyncio.sleep(0.02)
