"""``do = "shadow"``: legacy answers, and the replacement is asked beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...model import Stage, Step
from ..climb import back_to, climb, steps_up
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Shadow"]

_TO = Step(stage=Stage.SHADOW)


class Shadow(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put the endpoint into shadow. Undone, it goes back to legacy; the evidence stays."""

    routed: ClassVar[bool] = True

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say from where it goes. Raises ``RunbookError`` where there is no replacement."""
        return steps_up(ctx, _TO)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Change the route."""
        return climb(ctx, _TO)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Go back to legacy."""
        return back_to(ctx, Stage.LEGACY, result)
