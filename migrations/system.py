"""The legacy system that a step works on, and its captured table."""

from __future__ import annotations

import time

import msgspec
from sqlalchemy import func, select

from ..adapters.capture.events import GAPS
from ..adapters.capture.ground import Ground, Grounded
from ..adapters.capture.lag import lag
from ..adapters.capture.mark import Kind, Mark, Stand
from ..errors import RunbookError
from ..model import Lag
from .ports import Ctx

__all__ = ["Behind", "behind", "ground_of", "grounded", "system_of", "walked"]


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """What is caught in a table and not taken, and how many changes were seen and not caught."""

    lag: Lag
    gaps: int


def system_of(ctx: Ctx, named: str) -> str:
    """Give the system that an option names, else the one that the endpoint listens to.

    Raises ``RunbookError`` where it listens to none.
    """
    found = named or ctx.endpoint.listen.source
    if not found:
        raise RunbookError(
            "names no legacy system, and the endpoint listens to none",
            place=f"{ctx.step.place}: {ctx.step.do}",
            expected='system = "NAME" of a [legacy.NAME]',
        )
    return found


def grounded(ctx: Ctx, system: str) -> Grounded:
    """Give a system over whose rows one can walk. Raises ``RunbookError``, ``ConfigError``."""
    part = ctx.parts.adapter(system)
    if not isinstance(part, Grounded):
        raise RunbookError(
            "the system has no rows to walk over",
            place=ctx.step.place,
            value=system,
            expected='a [legacy.NAME] with adapter = "tables"',
        )
    return part


def ground_of(ctx: Ctx, system: str) -> Ground:
    """Give what walks stand on. Raises ``LegacyError`` where capture is not installed."""
    return grounded(ctx, system).ground()


def walked(ground: Ground, kind: Kind) -> Stand | None:
    """Say how far a walk has come; None where it never began. Raises ``LegacyError``."""
    with ground.connected() as connection:
        return Mark(ground, kind).look(connection)


def behind(ground: Ground) -> Behind:
    """Count what is not taken yet. Raises ``LegacyError``."""
    with ground.connected() as connection:
        gaps = select(func.count()).select_from(GAPS).where(GAPS.c.source == ground.source)
        return Behind(
            lag=lag(connection, ground.source, time.time()),
            gaps=int(connection.execute(gaps).scalar_one()),
        )
