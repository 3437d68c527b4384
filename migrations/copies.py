"""Writes that are to happen on both sides: how many of an endpoint have not, and why."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import func, or_, select

from ..store import tables
from ..store.processes import clock
from .ports import Ctx, Waiting
from .span import span_text

__all__ = ["Copies"]

_OVER: Final = ("done", "undone")


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """What is not on both sides. ``oldest`` is the age of the oldest in seconds, 0.0 for none.

    ``doubt``: one side may have it, and nobody knows; ``open`` are all others. What is being
    written at this moment does not count: it is copied, or waits, in a moment.
    """

    open: int
    doubt: int
    oldest: float

    @classmethod
    def now(cls, ctx: Ctx) -> Copies:
        """Count. Raises ``StoreUnavailable``."""
        ours = tables.dual_writes.c
        with ctx.store.database.read() as connection:
            now = clock(connection)
            query = (
                select(ours.state, func.count(), func.min(ours.at))
                .where(ours.endpoint == ctx.endpoint.name, ours.state.not_in(_OVER))
                .where(or_(ours.lease_until.is_(None), ours.lease_until <= now))
                .group_by(ours.state)
            )
            found = {str(state): (int(n), float(at)) for state, n, at in connection.execute(query)}
        doubt = found.get("doubt", (0, 0.0))[0]
        begun = min((at for _, at in found.values()), default=now)
        return cls(
            open=sum(count for count, _ in found.values()) - doubt,
            doubt=doubt,
            oldest=max(0.0, now - begun),
        )

    def waiting(self, endpoint: str) -> Waiting | None:
        """Give what is waited for until the sides have the same; None where they have."""
        if self.doubt:
            return Waiting(
                reason=f"{self.doubt:,} writes are in doubt",
                missing="somebody who says whether they happened",
                command=f"fig route doubts {endpoint}",
            )
        if self.open:
            return Waiting(
                reason=f"{self.open:,} writes are not on both sides yet",
                missing=f"the oldest has waited for {span_text(self.oldest)}",
                command=f"fig route show {endpoint}",
            )
        return None
