"""``needs = ["no-doubts"]``: of everything that was sent it is known whether it happened."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from sqlalchemy import func, select

from ...store import tables
from ...store.outbox import HELD
from ..copies import Copies
from ..ports import Ctx, Met, Waiting

__all__ = ["NoDoubts"]


class NoDoubts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No write of the endpoint is in doubt, and no message to where it sends is held."""

    costly: ClassVar[bool] = False

    def asks(self) -> str:
        """Say what it asks for."""
        return "nothing is in doubt"

    def look(self, ctx: Ctx) -> Met | Waiting:
        """Count. Raises ``StoreUnavailable``."""
        doubt, name = Copies.now(ctx).doubt, ctx.endpoint.name
        if doubt:
            return Waiting(
                reason=f"{doubt:,} writes are in doubt",
                missing="somebody who says whether they happened",
                command=f"fig route doubts {name}",
            )
        held = _held(ctx)
        if held:
            return Waiting(
                reason=f"{held:,} messages to {ctx.endpoint.send} are held",
                missing="somebody who says whether they were sent",
                command=f"fig outbox list --to {ctx.endpoint.send}",
            )
        return Met(found="nothing is in doubt")


def _held(ctx: Ctx) -> int:
    if not ctx.endpoint.send:
        return 0
    ours = tables.outbox.c
    query = select(func.count()).where(
        ours.destination == ctx.endpoint.send, ours.sent_at.is_(None), ours.next_at >= HELD
    )
    with ctx.store.database.read() as connection:
        return int(connection.execute(query).scalar_one())
