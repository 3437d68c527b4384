"""``needs = ["copied"]``: nothing is behind: what one side wrote, the other has."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..copies import Copies
from ..ports import Ctx, Met, Waiting
from ..span import span_text
from ..system import behind, ground_of

__all__ = ["Copied"]


class Copied(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reconciliation lag is 0: every write of the endpoint is on both sides, and none in doubt.

    With a ``system`` also: no change of its captured table waits for the bridge, and its triggers
    missed none that they saw.
    """

    costly: ClassVar[bool] = False
    system: str = ""

    def asks(self) -> str:
        """Say what it asks for."""
        return "nothing is left to copy" + (f", nor to take of {self.system}" * bool(self.system))

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Count. Raises ``StoreUnavailable``, ``LegacyError``."""
        waiting = Copies.now(ctx).waiting(ctx.endpoint.name)
        if waiting is not None:
            return waiting
        return self._captured(ctx) if self.system else Met(found="every write is on both sides")

    def _captured(self, ctx: Ctx) -> Met | Waiting:
        now = behind(ground_of(ctx, self.system))
        if now.lag.pending:
            return Waiting(
                reason=f"{self.system}: {now.lag.pending:,} caught changes are not taken yet",
                missing=f"the oldest has waited for {span_text(now.lag.oldest)}",
                command="fig bridge status",
                again_after=1.0,
            )
        if now.gaps:
            return Waiting(
                reason=f"{self.system}: {now.gaps:,} changes were seen and could not be caught",
                missing="somebody who finds them",
                command=f"fig adapter reconcile {self.system}",
            )
        return Met(found=f"every write is on both sides; {self.system}: all is taken")
