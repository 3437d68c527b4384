"""``do = "approve"``: nothing is changed; so many people have to agree before it goes on."""

from __future__ import annotations

from ..people import People, asked, began
from ..ports import Ctx, Done, Waiting
from .reversible import Reversible

__all__ = ["Approve"]


class Approve(People, Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait until the step is approved. There is nothing to undo."""

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Wait for those who must agree."""
        waiting = asked(self, ctx)
        if waiting is not None:
            return waiting
        have = self.counted((one.who for one in ctx.approvals()), began(ctx))
        return Done(result={"approved_by": have}, told=f"approved by {', '.join(have)}")
