"""Records that could not be taken: whole, with the reason, until a person decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Row, Select, func, select, update

from ..model import Headers, Record, request_id
from . import link
from .database import Database
from .group import Inserts
from .line import Line
from .tables import dead_letters
from .write import DeadLetter

__all__ = ["DeadLetters", "Kept", "State", "decided_line", "kept"]

State = Literal["kept", "replay", "replayed", "drop", "dropped"]
"""``replay`` and ``drop``: it was asked for, and the bridge has not brought it to an end yet."""

_PAGE: Final = 100
_FROM: Final[dict[State, tuple[State, ...]]] = {
    "replay": ("kept", "replayed"),
    "drop": ("kept",),
}


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept, under its number. ``replays`` of it ended as dead again."""

    id: int
    letter: DeadLetter
    state: State = "kept"
    replays: int = 0


class DeadLetters:
    """Reads dead letters, and notes what people decide; they are written by ``Write.dead``.

    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, *, states: Collection[State] | None = None) -> int:
        """Say how many there are."""
        query = select(func.count()).select_from(dead_letters)
        if states is not None:
            query = query.where(dead_letters.c.state.in_(sorted(states)))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def get(self, number: int) -> Kept | None:
        """Give one by its number; None where there is none."""
        with self._database.read() as connection:
            query = select(dead_letters).where(dead_letters.c.id == number)
            found = connection.execute(query).first()
        return None if found is None else kept(found)

    def read(
        self,
        *,
        source: str | None = None,
        endpoint: str | None = None,
        states: Collection[State] | None = None,
        after: int = 0,
    ) -> Iterator[Kept]:
        """Give those with a number above ``after``, oldest first."""
        while True:
            query = select(dead_letters).where(dead_letters.c.id > after)
            for column, value in (("source", source), ("endpoint", endpoint)):
                if value is not None:
                    query = query.where(dead_letters.c[column] == value)
            if states is not None:
                query = query.where(dead_letters.c.state.in_(sorted(states)))
            with self._database.read() as connection:
                page = connection.execute(query.order_by(dead_letters.c.id).limit(_PAGE)).all()
            if not page:
                return
            yield from map(kept, page)
            after = page[-1].id

    def decide(
        self, numbers: Sequence[int], what: Literal["replay", "drop"], *, who: str, why: str
    ) -> list[int]:
        """Ask for a replay or a drop, with a journal line each; give the numbers that changed.

        One that is decided on already, or is not there, is left as it is. A bridge on the store
        does the rest.
        """
        changed: list[int] = []
        for start in range(0, len(numbers), _PAGE):
            with self._database.write() as connection:
                query = _to_decide(numbers[start : start + _PAGE], what)
                found = connection.execute(query).all()
                _change(connection, [one.id for one in found], what)
                lines = [decided_line(kept(one), what, who=who, why=why) for one in found]
                Inserts(self._database.engine).lines(connection, [link.row(one) for one in lines])
            changed += [one.id for one in found]
        return changed


def decided_line(one: Kept, action: str, *, who: str, why: str) -> Line:
    """Give the journal's line of what became of a dead letter."""
    letter = one.letter
    return Line(
        kind="note",
        endpoint=letter.endpoint,
        request_id=request_id(letter.source, letter.position),
        data={
            "action": f"dead letter {one.id}: {action}",
            "dead_letter": one.id,
            "source": letter.source,
            "position": letter.position,
            "who": who,
            "why": why,
        },
    )


def _to_decide(
    numbers: Sequence[int], what: Literal["replay", "drop"]
) -> Select[tuple[object, ...]]:
    columns = dead_letters.c
    return (
        select(dead_letters)
        .where(columns.id.in_(numbers), columns.state.in_(_FROM[what]))
        .order_by(columns.id)
    )


def _change(connection: Connection, numbers: Sequence[int], what: str) -> None:
    values = {"state": what, "next_at": 0.0, "lease_token": None, "lease_until": None}
    connection.execute(update(dead_letters).where(dead_letters.c.id.in_(numbers)).values(values))


def kept(found: Row[tuple[object, ...]]) -> Kept:
    """Read a row of the table."""
    fields = dict(found._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row by names
    record = Record(
        source=fields["source"],
        position=fields["position"],
        kind=fields["kind"],
        body=fields["body"],
        key=fields["key"],
        headers=msgspec.json.decode(fields["headers"], type=Headers),
        encoding=fields["encoding"],
        captured_at=fields["captured_at"],
    )
    letter = DeadLetter(
        source=fields["source"],
        position=fields["position"],
        reason=fields["reason"],
        record=record,
        error=msgspec.json.decode(fields["error"], type=dict[str, str]),
        attempts=fields["attempts"],
        at=fields["at"],
        endpoint=fields["endpoint"],
        chain=msgspec.json.decode(fields["chain"], type=tuple[dict[str, str], ...]),
        versions=msgspec.json.decode(fields["versions"], type=dict[str, str]),
    )
    return Kept(id=fields["id"], letter=letter, state=fields["state"], replays=fields["replays"])
