"""``needs = ["adopted"]``: every process that lives serves by the route as it stands."""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from ..ports import Ctx, Met, Waiting

__all__ = ["Adopted"]

_AGAIN: Final = 0.5


class Adopted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every process whose lease lives has adopted the route's version; no other is waited for."""

    costly: ClassVar[bool] = False

    def asks(self) -> str:
        """Say what it asks for."""
        return "every live process has adopted the route's version"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Look at the leases. Raises ``StoreUnavailable``."""
        route = ctx.route()
        seen = ctx.parts.adopted(ctx.endpoint.name, route.version)
        text = f"version {route.version}: {seen.text}"
        if seen.done:
            return Met(found=text, evidence={"version": route.version})
        return Waiting(
            reason=text,
            missing="those that have not",
            command="fig bridge status",
            again_after=_AGAIN,
        )
