"""``needs = ["checksums"]``: every row is as it was taken; a cut-over is verified before it is."""

from __future__ import annotations

import time
from typing import Annotated, ClassVar, Final

import msgspec

from ...adapters.capture.ground import Ground
from ...adapters.capture.mark import Unmarked
from ...adapters.capture.reconcile import Reconcile
from ...adapters.capture.tally import Tally
from ...adapters.capture.throttle import Bound, Pace, Rate
from ...adapters.capture.walk import Progress, Walk
from ...store.captured import Captured
from ..length import length
from ..ports import Ctx, Met, Waiting
from ..span import Span
from ..system import ground_of, system_of

__all__ = ["Checksums"]

_HOLD: Final = 0.5
_EVERY: Final = 10.0
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Checksums(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checksum of every row of ``system`` is that of what was last taken of it.

    The table is walked, and nothing is changed, ``chunk`` rows at a time and at most ``rate`` a
    second; where something differs it is walked again after ``again``. ``pending`` rows at most may
    have a change that is not taken yet, and of ``unknown`` at most need nobody be able to tell.
    """

    costly: ClassVar[bool] = True
    system: str = ""
    again: Span = "5m"
    rate: Annotated[float, msgspec.Meta(gt=0)] | None = None
    chunk: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1_000
    pending: _Count = 0
    unknown: _Count = 0

    def __post_init__(self) -> None:
        """Hold the time against what it can be."""
        length(self.again, "again")

    def asks(self) -> str:
        """Say what it asks for."""
        return f"every row{' of ' + self.system if self.system else ''} is as it was taken"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Walk the table. Raises ``LegacyError``, ``StoreUnavailable``."""
        system = system_of(ctx, self.system)
        ground = ground_of(ctx, system)
        work = Reconcile(ground, Captured(ctx.store.database), "look")
        came = self._walk(ctx, ground, work)
        if came.state != "done":
            reason = f"{system}: stopped behind {came.rows:,} of about {came.total:,} rows"
            return Waiting(reason=reason, missing="a walk to the end", again_after=0.0)
        missing = self._missing(work.tally)
        if missing:
            return Waiting(
                reason=f"{system}: {missing}",
                missing="a walk that finds none of it",
                command=f"fig adapter reconcile {system}",
                again_after=length(self.again, "again"),
            )
        found = f"{system}: {work.tally.equal:,} of {work.tally.rows:,} rows are as they were taken"
        return Met(
            found=found, evidence={"system": system, "tally": msgspec.to_builtins(work.tally)}
        )

    def _walk(self, ctx: Ctx, ground: Ground, work: Reconcile) -> Progress:
        bounds: list[Bound] = [] if self.rate is None else [Rate(self.rate)]
        return Walk(
            ground,
            Unmarked("reconcile"),
            bounds=bounds,
            pace=Pace(self.chunk, _HOLD),
            stop=ctx.stop,
            report=_Telling(ctx),
        ).run(work.begin)

    def _missing(self, tally: Tally) -> str:
        parts = [f"{count:,} {kind}s were missed" for kind, count in sorted(tally.missed.items())]
        if tally.pending > self.pending:
            parts.append(f"{tally.pending:,} rows have a change that is not taken yet")
        if tally.unknown > self.unknown:
            parts.append(f"of {tally.unknown:,} rows nobody can tell")
        return ", ".join(parts)


class _Telling:
    """Tells now and then how far a walk is: a large table takes its time."""

    def __init__(self, ctx: Ctx) -> None:
        self._ctx, self._last = ctx, time.monotonic()

    def __call__(self, stand: Progress) -> None:
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._ctx.announce(f"compares: {stand.rows:,} of about {stand.total:,} rows")
