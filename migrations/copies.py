"""Writes that are to happen on both sides: how many of an endpoint have not, and why."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import func, select

from ..store import tables
from .ports import Ctx

__all__ = ["Copies"]

_OVER: Final = ("done", "undone")


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """What is not on both sides. ``oldest`` is the age of the oldest in seconds, 0.0 for none.

    ``doubt``: one side may have it, and nobody knows; ``open`` are all others.
    """

    open: int
    doubt: int
    oldest: float

    @classmethod
    def now(cls, ctx: Ctx) -> Copies:
        """Count. Raises ``StoreUnavailable``."""
        ours = tables.dual_writes.c
        query = (
            select(ours.state, func.count(), func.min(ours.at))
            .where(ours.endpoint == ctx.endpoint.name, ours.state.not_in(_OVER))
            .group_by(ours.state)
        )
        with ctx.store.database.read() as connection:
            rows = {str(state): (int(n), float(at)) for state, n, at in connection.execute(query)}
        doubt = rows.get("doubt", (0, 0.0))[0]
        begun = min((at for _, at in rows.values()), default=None)
        return cls(
            open=sum(count for count, _ in rows.values()) - doubt,
            doubt=doubt,
            oldest=0.0 if begun is None else max(0.0, ctx.clock() - begun),
        )
