"""``needs = [{ gate = "approvals", people = 2 }]``: so many people have approved the step."""

from __future__ import annotations

from typing import ClassVar

from ..people import People, asked, began
from ..ports import Ctx, Met, Waiting

__all__ = ["Approvals"]


class Approvals(People, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many different ``people`` have approved this step: see ``People``."""

    costly: ClassVar[bool] = False

    def asks(self) -> str:
        """Say what it asks for."""
        one = self.people == 1
        text = f"approved by {self.people} {'person' if one else 'different people'}"
        text += f" of {', '.join(self.who)}" if self.who else ""
        text += f", with one for each of {', '.join(self.roles)}" if self.roles else ""
        return text + ("" if self.beginner else "; whoever began the run does not count")

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Count them."""
        waiting = asked(self, ctx)
        if waiting is not None:
            return waiting
        have = self.counted((one.who for one in ctx.approvals()), began(ctx))
        return Met(found=f"approved by {', '.join(have)}", evidence={"approved_by": have})
