"""``do = "backfill"``: take the rows that were there before capture was."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from ...adapters.capture.backfill import Backfill
from ...adapters.capture.ground import Ground
from ...adapters.capture.mark import Mark
from ...adapters.capture.throttle import Backlog, Bound, Lag, Pace, Rate, Window
from ...adapters.capture.walk import Progress, Walk
from ...errors import ConfigError, LegacyError, LegacyUnavailable
from ..ports import Ctx, Done, Waiting
from ..system import ground_of, grounded, system_of, walked
from .reversible import Reversible

__all__ = ["TakeRows"]

_SLICE: Final = 10.0
"""Seconds after which a walk says how far it is; it goes on from there."""
_LAG: Final = 10.0


class TakeRows(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Walk over the rows of ``system``; none named: of what the endpoint listens to.

    ``where`` is a condition over ``new.COLUMN``. The bounds are those of ``fig adapter backfill``:
    ``rate`` in rows a second, ``window`` a part of the day, ``max_lag`` in seconds of replicas as
    ``lag_sql`` gives it, ``backlog`` rows that may wait for the bridge, ``chunk`` rows in one
    transaction, ``hold`` seconds for which locks are held; ``locks``: false where none may be.
    What was taken stays taken: there is nothing to undo.
    """

    system: str = ""
    where: str = ""
    rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    window: str = ""
    max_lag: Annotated[float, msgspec.Meta(ge=0)] | None = None
    lag_sql: str = ""
    backlog: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    chunk: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1_000
    hold: Annotated[float, msgspec.Meta(ge=0.01, le=30)] = 0.5
    locks: bool = True

    def __post_init__(self) -> None:
        """Hold the window against what one is."""
        if self.window:
            try:
                Window(self.window)
            except ConfigError as error:
                raise ValueError(f"window: {error.message}; {error.expected}") from None

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say what there is to walk over; before it is installed nobody knows how much.

        Raises ``RunbookError`` where the system has no rows.
        """
        system = system_of(ctx, self.system)
        part = grounded(ctx, system)
        try:
            stand = walked(part.ground(), "backfill")
        except LegacyUnavailable:
            raise
        except LegacyError:
            return (f"{system}: takes the rows that are there, once it is installed",)
        if stand is None:
            return (f"{system}: takes the rows that are there",)
        if stand.state == "done":
            return ()
        return (f"{system}: goes on behind {stand.rows:,} of about {stand.total:,} rows",)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Walk for a while, or to the end. Raises ``LegacyError``; what was walked stays walked."""
        system = system_of(ctx, self.system)
        ground = ground_of(ctx, system)
        stand = walked(ground, "backfill")
        if stand is not None and stand.state == "done":
            return _done(system, stand.rows)
        came = self._walk(ctx, ground)
        if came.state == "done":
            return _done(system, came.rows)
        return Waiting(
            reason=f"{system}: {came.rows:,} of about {came.total:,} rows are taken",
            missing=came.waiting or f"{max(0, came.total - came.rows):,} rows, about",
            command=f"fig adapter backfill {system} --status",
            again_after=0.0,
        )

    def _walk(self, ctx: Ctx, ground: Ground) -> Progress:
        walk = Backfill(ground, self._condition(ctx, ground), locks=self.locks)
        enough = _Enough(ctx.stop, _SLICE)
        came = Walk(
            ground,
            Mark(ground, "backfill"),
            bounds=self._bounds(ctx, ground),
            pace=Pace(self.chunk, self.hold),
            stop=enough.stop,
            report=enough,
        ).run(walk.begin)
        return came if came.state == "done" else msgspec.structs.replace(came, waiting=enough.last)

    def _condition(self, ctx: Ctx, ground: Ground) -> str | None:
        if not self.where:
            return None
        try:
            return ground.dialect.when(self.where, ground.capture.shape, ("insert",))
        except ValueError as error:
            raise ConfigError(
                f"the condition cannot be used: {error}",
                place=f"{ctx.step.place}.with.where",
                value=self.where,
                expected="a condition over new.COLUMN",
            ) from None

    def _bounds(self, ctx: Ctx, ground: Ground) -> list[Bound]:
        found: list[Bound] = []
        if self.window:
            found.append(Window(self.window, place=f"{ctx.step.place}.with.window"))
        if self.max_lag is not None or self.lag_sql:
            most = _LAG if self.max_lag is None else self.max_lag
            found.append(Lag(ground, most, self.lag_sql))
        if self.backlog:
            found.append(Backlog(ground, self.backlog))
        if self.rate is not None:
            found.append(Rate(self.rate))
        return found

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Leave what was taken."""
        del ctx
        return Done(told=f"{result.get('rows', 0)} rows were taken, and stay so")


class _Enough:
    """Ends a walk at a chunk's end, after a time or where the run is to end; see ``Walk``."""

    def __init__(self, asked: threading.Event, seconds: float) -> None:
        self.stop = threading.Event()
        self.last = ""
        self._asked, self._until = asked, time.monotonic() + seconds

    def __call__(self, stand: Progress) -> None:
        self.last = stand.waiting
        if self._asked.is_set() or time.monotonic() >= self._until:
            self.stop.set()


def _done(system: str, rows: int) -> Done:
    return Done(result={"system": system, "rows": rows}, told=f"{system}: {rows:,} rows walked")
