"""``do = "live"``: the replacement answers everybody, and legacy stands ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...model import Stage, Step
from ..climb import back_to, climb, steps_up
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Live"]

_TO = Step(stage=Stage.LIVE)


class Live(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make the endpoint live, once the guardrail passes. Undone, it goes back to shadow."""

    routed: ClassVar[bool] = True

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say from where it goes. Raises ``RunbookError`` where there is no replacement."""
        return steps_up(ctx, _TO)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Change the route once its guardrail passes."""
        return climb(ctx, _TO)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Go back to shadow."""
        return back_to(ctx, Stage.SHADOW, result)
