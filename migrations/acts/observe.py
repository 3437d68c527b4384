"""``do = "observe"``: stay on the rung for so long, with so much seen, and nothing going wrong."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ...model import Route, Stage
from ...routing.stages import position
from ..climb import rung
from ..ports import Ctx, Done, Waiting
from ..rung import Least, Seen
from ..span import Span
from .reversible import Reversible

__all__ = ["Observe"]

_Count = Annotated[int, msgspec.Meta(ge=0)]
_AGAIN: Final = 5.0


class Observe(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait until all of it was seen on this rung, and the guardrail passes (``verdict``).

    A route that was taken back meanwhile is not observed any further. There is nothing to undo.
    """

    time: Span = 0.0
    requests: _Count = 0
    pairs: _Count = 0
    verdict: bool = True

    def __post_init__(self) -> None:
        """Hold the time against what it can be; ask for something."""
        least = self._least
        if not (least.time or least.answered or least.pairs or self.verdict):
            raise ValueError("nothing is observed: say time, requests or pairs, or verdict = true")

    @property
    def _least(self) -> Least:
        return Least.of(self.time, self.requests, self.pairs)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Look whether it is enough."""
        route = ctx.route()
        back = _taken_back(ctx, route)
        if back is not None:
            return back
        if route.stage is Stage.LEGACY:
            return Waiting(
                reason="the route stands at legacy, where nothing is measured",
                missing="a step before this one that goes to shadow",
                command=f"fig route advance {ctx.endpoint.name}",
            )
        seen = Seen.now(ctx)
        short = self._least.missing(seen)
        if short:
            said = f"observes {rung(route)}: {seen.text}"
            return Waiting(reason=said, missing=short, again_after=_AGAIN)
        return self._judged(ctx, seen)

    def _judged(self, ctx: Ctx, seen: Seen) -> Done | Waiting:
        result = {"seen": msgspec.structs.asdict(seen)}
        if not self.verdict:
            return Done(result=result, told=seen.text)
        evidence = ctx.operator().evidence()
        verdict = evidence.verdict
        if verdict.outcome != "pass":
            return Waiting(
                reason=f"the guardrail says {verdict.outcome}: {verdict.reason}",
                missing=verdict.missing,
                command=f"fig evidence {ctx.endpoint.name}",
            )
        return Done(result=result | {"evidence": evidence.snapshot()}, told=seen.text)


def _taken_back(ctx: Ctx, route: Route) -> Waiting | None:
    """Give what to wait for where the route stands lower than the run had brought it."""
    was = _brought(ctx)
    if was is None or position(route) >= position(was):
        return None
    history = ctx.store.routes.history(route.endpoint)
    last = next((one for one in reversed(history) if one.version == route.version), None)
    by = f" by {last.who}: {last.why}" if last is not None else ""
    return Waiting(
        reason=f"the route was taken back from {rung(was)} to {rung(route)}{by}",
        missing="somebody who decides",
        command=f"fig runbook abort {ctx.runbook.name}",
    )


def _brought(ctx: Ctx) -> Route | None:
    """Give where the last step before this one that changed the route had brought it."""
    if ctx.run is None or ctx.record is None:
        return None
    for one in sorted(ctx.run.steps, key=lambda step: -step.position):
        after = one.result.get("after")
        if one.position < ctx.record.position and one.state == "done" and after is not None:
            return msgspec.convert(msgspec.to_builtins(after), Route)
    return None
