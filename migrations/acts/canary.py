"""``do = "canary"``: the replacement answers for a part of the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...model import Stage, Step
from ..climb import back_to, climb, steps_up
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Canary"]


class Canary(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move ``percent`` of the keys, once the guardrail passes.

    Undone, legacy answers everybody again, in shadow, whatever the percent was before: who undoes
    a canary wants none.
    """

    routed: ClassVar[bool] = True
    percent: float

    def __post_init__(self) -> None:
        """Hold the percent against what it can be."""
        if not 0 < self.percent < 100:
            raise ValueError("percent must be above 0 and below 100")

    @property
    def _to(self) -> Step:
        return Step(stage=Stage.CANARY, percent=self.percent)

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say from where it goes. Raises ``RunbookError`` where there is no replacement."""
        return steps_up(ctx, self._to)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Change the route once its guardrail passes."""
        return climb(ctx, self._to)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Go back to shadow."""
        return back_to(ctx, Stage.SHADOW, result)
