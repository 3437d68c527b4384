"""``do = "retire"``: legacy is needed no more. Two people at least have to say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import msgspec

from ...model import Data, Stage, Step
from ..climb import back_to, climb, steps_up
from ..people import People, asked
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Retire"]

_TO = Step(stage=Stage.RETIRED)


class Retire(People, Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retire legacy once the guardrail passes and ``people``, two or more, have approved this step.

    Undone, the endpoint is live again; where its data has moved there is no way back.
    """

    routed: ClassVar[bool] = True
    people: Annotated[int, msgspec.Meta(ge=2)] = 2

    def final(self, ctx: Ctx) -> str:
        """Say why it is for good, where data has moved; else legacy can be made ready again."""
        if ctx.endpoint.data == "moves" and ctx.route().data not in (Data.NONE, Data.LEGACY):
            return "legacy's store is written no more from then on: nothing can go back there"
        return ""

    def plan(self, ctx: Ctx) -> Sequence[str]:
        """Say from where it goes. Raises ``RunbookError`` where there is no replacement."""
        return steps_up(ctx, _TO)

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Change the route once it is approved and its guardrail passes."""
        return asked(self, ctx) or climb(ctx, _TO)

    def undo(self, ctx: Ctx, result: Mapping[str, object]) -> Done | Waiting:
        """Have legacy ready again. Raises ``RouteError`` where it cannot be."""
        return back_to(ctx, Stage.LIVE, result)
