"""A write that is to happen on both sides, as the store has it."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Row

from ..model import Record, Side
from .line import Line

__all__ = ["OPEN", "DualWrite", "State", "dual_line", "dual_write", "packed"]

State = Literal["prepared", "first", "done", "doubt", "undone"]
"""``prepared``: the first side may be asked now. ``first``: it has it, and the second has not.
``done``: all have it. ``doubt``: ``side`` may have it. ``undone``: it is at an end, and not all
have it."""

OPEN: Final = ("prepared", "first", "doubt")
"""The states of a write that is not at an end: those behind it under its key may have to wait."""


class DualWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table, see there. ``second`` is None where the first side alone is written.

    ``result`` is what the caller was answered, where that is known; ``leased`` says that somebody
    asks ``side`` now. Times are in seconds since the epoch.
    """

    id: int
    endpoint: str
    request_id: str
    token: str
    digest: str
    key: str
    first: Side
    second: Side | None
    state: State
    side: Side | None
    revision: str
    record: Record | None
    result: Record | None
    attempts: int
    next_at: float
    error: str
    at: float
    first_at: float | None
    done_at: float | None
    leased: bool = False


def packed(record: Record) -> bytes:
    """Give a record as the table keeps it."""
    return msgspec.json.encode(record)


def dual_write(row: Row[Any], now: float) -> DualWrite:
    """Read a row at the store's time ``now``."""
    fields = dict(row._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    until = fields.pop("lease_until")
    fields["leased"] = fields.pop("lease_token") is not None and until is not None and until > now
    for name in ("record", "result"):
        text = fields[name]
        fields[name] = msgspec.json.decode(text, type=Record) if text else None
    for name in ("second", "side"):
        fields[name] = Side(fields[name]) if fields[name] else None
    return DualWrite(**{**fields, "first": Side(fields["first"])})


def dual_line(write: DualWrite, action: str, **more: object) -> Line:
    """Give the journal's line of what became of a write after its caller had been answered."""
    data: dict[str, object] = {
        "write": write.id,
        "action": action,
        "key": write.key,
        "first": write.first,
        "second": write.second or "",
        "side": write.side or "",
        **more,
    }
    return Line(
        kind="dual",
        endpoint=write.endpoint,
        request_id=write.request_id,
        revision=write.revision,
        data=data,
    )
