"""How claimed events end, as values of their rows: what is the same is written at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from sqlalchemy import ColumnElement

from ...model import Settlement
from .events import EVENTS

__all__ = ["HELD", "Change", "Ending", "by_token", "changes", "mine"]

_PARKED: Final = 1
HELD: Final = 2
"""``parked`` of an event that is dead and yet holds its key back."""


class Ending(msgspec.Struct, frozen=True):
    """What is to be written for one claimed event."""

    id: int
    token: str
    settlement: Settlement


class Change(msgspec.Struct, frozen=True):
    """The same values for several events of one token."""

    token: str
    ids: list[int]
    values: dict[str, object]


def changes(endings: Iterable[Ending], now: float) -> Iterator[Change]:
    """Put together what is one statement."""
    groups: defaultdict[tuple[str, tuple[tuple[str, object], ...]], list[int]] = defaultdict(list)
    for end in endings:
        groups[end.token, tuple(_ended(end.settlement, now).items())].append(end.id)
    for (token, values), ids in groups.items():
        yield Change(token, ids, {"lease_token": None, "lease_until": None, **dict(values)})


def _ended(settlement: Settlement, now: float) -> dict[str, object]:
    reason = settlement.reason or "no reason given"
    match settlement.outcome:
        case "done":
            return {"done_at": now}
        case "retry":
            parked = _PARKED if settlement.park else 0
            return {"next_at": now + settlement.delay, "parked": parked}
    if settlement.blocks:
        return {"parked": HELD, "dead_reason": reason}
    return {"done_at": now, "dead_reason": reason}


def mine(token: str, ids: Iterable[int]) -> tuple[ColumnElement[bool], ...]:
    """Say what this token still leases: the fence against a process that came too late."""
    columns = EVENTS.c
    return (columns.id.in_(list(ids)), columns.lease_token == token, columns.done_at.is_(None))


def by_token(held: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Put ids together by their tokens."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for event_id, token in held:
        groups[token].append(event_id)
    return groups
