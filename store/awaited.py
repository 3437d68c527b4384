"""Requests that wait for what legacy itself decides later."""

from __future__ import annotations

import msgspec
from sqlalchemy import Row

from .effects import Effect

__all__ = ["Awaiting", "awaiting", "close_request", "keep_request"]


class Awaiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose outcome legacy decides later, as its row holds it.

    ``at`` is when legacy recorded the request and ``until`` the last moment at which its outcome is
    in time, both in seconds since the epoch. ``pair`` is the replacement's side, JSON of
    ``routing/pending.py``.
    """

    endpoint: str
    key: str
    request_id: str
    at: float
    until: float
    pair: str
    state: str = "waiting"
    id: int = 0


def keep_request(one: Awaiting) -> Effect:
    """Add a request, in whatever state it is."""
    values = (one.endpoint, one.key, one.request_id, one.at, one.until, one.state, one.pair)
    return Effect("await", values)


def close_request(number: int, state: str) -> Effect:
    """Say what became of a request: joined, late, abstained or echoed."""
    return Effect("join", (state, number))


def awaiting(row: Row[tuple[object, ...]]) -> Awaiting:
    """Read a row of ``awaited``."""
    return Awaiting(**dict(row._mapping))  # noqa: SLF001 SQLAlchemy's public way to a row by names
