"""``do = "observe"``: stay on the rung for so long, with so much seen, and nothing going wrong."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ...model import Stage
from ..climb import rung
from ..ports import Ctx, Done, Waiting
from ..rung import Least, Seen
from ..span import Span
from ..verdicts import not_passed
from .reversible import Reversible

__all__ = ["Observe"]

_Count = Annotated[int, msgspec.Meta(ge=0)]
_AGAIN: Final = 2.0


class Observe(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait until all of it was seen on this rung, and the guardrail passes (``verdict``).

    Where the route is taken back meanwhile the run is paused. There is nothing to undo.
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
        done = Done(result=result | {"evidence": evidence.snapshot()}, told=seen.text)
        return not_passed(evidence.verdict, ctx.endpoint.name) or done
