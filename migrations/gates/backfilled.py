"""``needs = ["backfilled"]``: every row that was there before capture was taken."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ...errors import LegacyError, LegacyUnavailable
from ..ports import Ctx, Met, Waiting
from ..system import behind, ground_of, system_of, walked

__all__ = ["Backfilled"]


class Backfilled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The backfill of ``system`` (none named: what the endpoint listens to) is done.

    Done is a walk to the last row whose rows the bridge has taken too.
    """

    costly: ClassVar[bool] = False
    system: str = ""

    def asks(self) -> str:
        """Say what it asks for."""
        return f"the backfill{' of ' + self.system if self.system else ''} is complete"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look at its mark, and at what waits. Raises ``RunbookError``, ``ConfigError``."""
        system = system_of(ctx, self.system)
        command = f"fig adapter backfill {system}"
        try:
            ground = ground_of(ctx, system)
        except LegacyUnavailable:
            raise
        except LegacyError as error:
            # Before its turn it may well not be installed; no wait that a step should fail for.
            return Waiting(reason=error.message, missing=error.value, command=error.remedy)
        stand = walked(ground, "backfill")
        if stand is None:
            return Waiting(reason=f"{system}: no backfill yet", command=command)
        if stand.state != "done":
            return Waiting(
                reason=f"{system}: {stand.rows:,} of about {stand.total:,} rows are taken",
                missing=f"{max(0, stand.total - stand.rows):,} rows, about",
                command=command,
            )
        waiting = behind(ground).lag.backfill
        if waiting:
            reason = f"{system}: {waiting:,} rows of it wait for the bridge"
            return Waiting(reason=reason, missing="the bridge", command="fig bridge status")
        found = f"{system}: done, {stand.rows:,} rows walked"
        return Met(found=found, evidence={"system": system, "rows": stand.rows})
