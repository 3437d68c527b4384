"""What a write was decided on: judged again in the transaction that writes it.

What is joined with what is decided outside of the writing transaction. So that two processes never
decide on the same, a write says how its key stood, and that is looked at again where nobody else
can write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, case, func, select

from ..errors import Overtaken
from . import tables

__all__ = ["OPEN", "Expect", "Stamp", "by_endpoint", "overtaken", "stamps"]

OPEN: Final = ("waiting", "missing")
"""The states of a request that can still be joined: an outcome that legacy recorded in time is in
time also where it reaches us after the request was given up."""


class Stamp(NamedTuple):
    """Changes whenever the standing of a key does.

    Numbers of rows only grow, and a row opens only when it is made: so the newest one and the
    count of those that are open tell any two standings apart.
    """

    newest_request: int = 0
    open_requests: int = 0
    newest_outcome: int = 0
    early_outcomes: int = 0


class Expect(msgspec.Struct, frozen=True):
    """What a write was decided on: the standing of an endpoint's key."""

    endpoint: str
    key: str
    stamp: Stamp


def stamps(connection: Connection, endpoint: str, keys: Sequence[str]) -> dict[str, Stamp]:
    """Give the stamp of each key, also of those of which there is nothing."""
    found = {key: [0, 0, 0, 0] for key in keys}
    for at, (table, states) in enumerate(((tables.awaited, OPEN), (tables.outcomes, ("early",)))):
        opened = func.sum(case((table.c.state.in_(states), 1), else_=0))
        query = (
            select(table.c.key, func.max(table.c.id), opened)
            .where(table.c.endpoint == endpoint, table.c.key.in_(keys))
            .group_by(table.c.key)
        )
        for key, newest, count in connection.execute(query):
            found[key][2 * at : 2 * at + 2] = [int(newest), int(count)]
    return {key: Stamp(*numbers) for key, numbers in found.items()}


def overtaken(connection: Connection, expects: Sequence[Expect | None]) -> dict[int, Overtaken]:
    """Say which writes of a group were decided on what is no longer so, by their place in it.

    The transaction must be a writing one. Of several on one key the first is let through: the
    others were decided without it.
    """
    late: dict[int, Overtaken] = {}
    given = [(at, expect) for at, expect in enumerate(expects) if expect is not None]
    if not given:
        return late
    asked = [(expect.endpoint, expect.key) for _, expect in given]
    now = {
        (endpoint, key): stamp
        for endpoint, keys in by_endpoint(asked).items()
        for key, stamp in stamps(connection, endpoint, keys).items()
    }
    for at, expect in given:
        # None stands for a key that a write before it in the group has just changed.
        if now.pop((expect.endpoint, expect.key), None) != expect.stamp:
            late[at] = Overtaken(
                "somebody else has written of the same key meanwhile",
                place=f"endpoint.{expect.endpoint}.outcome",
                remedy="none is needed: it is decided again",
            )
    return late


def by_endpoint(asked: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Give the keys that are asked for, each once, by their endpoint."""
    keys: dict[str, dict[str, None]] = {}
    for endpoint, key in asked:
        keys.setdefault(endpoint, {})[key] = None
    return {endpoint: list(some) for endpoint, some in keys.items()}
