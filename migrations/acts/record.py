"""``do = "record"``: see what legacy is asked, before anything is moved."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from sqlalchemy import func, select

from ...store import tables
from ..begun import kept
from ..length import length
from ..ports import Ctx, Done, Waiting
from ..span import Span, span_text
from .reversible import Reversible

__all__ = ["RecordTraffic"]

_SPAN: Final = 20_000
"""Lines that are looked at in one short reading transaction."""
_MANY: Final = 100_000
_AGAIN: Final = 2.0


class RecordTraffic(Reversible, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait until so many ``requests`` were journalled, and for so long a ``time``.

    Those of the endpoint since the step began count. There is nothing to undo.
    """

    requests: Annotated[int, msgspec.Meta(ge=0)] = 100
    time: Span = 0.0

    def __post_init__(self) -> None:
        """Hold the time against what it can be."""
        length(self.time, "time")

    def do(self, ctx: Ctx) -> Done | Waiting:
        """Count on from where it was counted to. Raises ``StoreUnavailable``."""
        have = kept(ctx)
        if "line" not in have:
            have |= {"since": ctx.clock(), "line": _last(ctx), "requests": 0}
            ctx.keep(have)
        self._count(ctx, have)
        seen = _int(have["requests"])
        passed = max(0.0, ctx.clock() - float(str(have["since"])))
        missing = self._missing(seen, passed)
        if missing:
            reason = f"records: {seen:,} requests in {span_text(passed)}"
            command = f"fig journal show --endpoint {ctx.endpoint.name}"
            return Waiting(reason=reason, missing=missing, command=command, again_after=_AGAIN)
        return Done(result=have, told=f"{seen:,} requests in {span_text(passed)}")

    def _count(self, ctx: Ctx, have: dict[str, object]) -> None:
        """Count on; now and then that is kept, so that nobody counts a whole journal again."""
        begin = after = _int(have["line"])
        seen, line = _int(have["requests"]), _last(ctx)
        while after < line and not ctx.stop.is_set():
            upto = min(after + _SPAN, line)
            seen += _requests(ctx, after, upto)
            after = upto
        have |= {"line": after, "requests": seen}
        if after - begin >= _MANY:
            ctx.keep(have)

    def _missing(self, seen: int, passed: float) -> str:
        parts = []
        if seen < self.requests:
            parts.append(f"{self.requests - seen:,} more requests")
        if passed < (whole := length(self.time, "time")):
            parts.append(span_text(whole - passed))
        return " and ".join(parts)


def _last(ctx: Ctx) -> int:
    query = select(func.coalesce(func.max(tables.journal.c.id), 0))
    with ctx.store.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _requests(ctx: Ctx, after: int, upto: int) -> int:
    line = tables.journal.c
    query = select(func.count()).where(line.id > after, line.id <= upto)
    query = query.where(line.endpoint == ctx.endpoint.name, line.kind == "request")
    with ctx.store.database.read() as connection:
        return int(connection.execute(query).scalar_one())


def _int(value: object) -> int:
    return int(str(value))
