"""What must still hold for a write to be made, judged in its own transaction.

A claim changes exactly one row that is still in the state that the writer saw, by one statement,
compiled once. Where it changes none, somebody else was quicker, and nothing of the write is made.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Engine, Table, Update, bindparam, literal_column, update

from . import tables
from .effects import compiled

__all__ = ["Claim", "Claimed", "Claims"]

Claim = Literal["awaited", "dead", "lease", "outcome", "sent"]


class Claimed(msgspec.Struct, frozen=True):
    """One row that the write takes for itself, in ``Write.claims``.

    Its values, by the kind:

    ``awaited`` (new state, id): a request whose outcome is still being waited for;
    ``outcome`` (new state, id): an outcome that no request has been found for yet (``early``);
    ``dead`` (new state, id, old state): a dead letter that is still in the old state;
    ``sent`` (sent_at, id, lease token): a message of the outbox, leased under that token, not sent;
    ``lease`` (until, name, owner, token): a lease that its owner still holds under that token.
    """

    kind: Claim
    values: tuple[object, ...]


class Claims:
    """The statements of all kinds for one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._compiled: dict[Claim, str] = {}

    def take(self, connection: Connection, claims: Sequence[Claimed]) -> bool:
        """Take all of them; False where one of them could not be: then undo the others."""
        for kind, some in itertools.groupby(claims, key=lambda claim: claim.kind):
            rows = [claim.values for claim in some]
            if connection.exec_driver_sql(self._statement(kind), rows).rowcount != len(rows):
                return False
        return True

    def _statement(self, kind: Claim) -> str:
        found = self._compiled.get(kind)
        if found is None:
            found = self._compiled[kind] = compiled(self._engine, _KINDS[kind]())
        return found


def _awaited() -> Update:
    return _move(tables.awaited, "'waiting'")


def _outcome() -> Update:
    return _move(tables.outcomes, "'early'")


def _move(table: Table, old: str) -> Update:
    still = (table.c.id == bindparam("which")) & (table.c.state == literal_column(old))
    return update(table).values(state=bindparam("new_state")).where(still)


def _dead() -> Update:
    letters = tables.dead_letters
    still = (letters.c.id == bindparam("which")) & (letters.c.state == bindparam("old_state"))
    return update(letters).values(state=bindparam("new_state")).where(still)


def _sent() -> Update:
    box = tables.outbox
    mine = (box.c.id == bindparam("which")) & (box.c.lease_token == bindparam("token"))
    return update(box).values(sent_at=bindparam("when")).where(mine & box.c.sent_at.is_(None))


def _lease() -> Update:
    held = tables.leases
    mine = (held.c.name == bindparam("which")) & (held.c.owner == bindparam("whose"))
    mine &= held.c.token == bindparam("number")
    return update(held).values(until=bindparam("then")).where(mine)


_KINDS: Final[Mapping[Claim, Callable[[], Update]]] = {
    "awaited": _awaited,
    "dead": _dead,
    "lease": _lease,
    "outcome": _outcome,
    "sent": _sent,
}
