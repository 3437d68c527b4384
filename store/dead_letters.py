"""Records that could not be taken: whole, with the reason, until a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from sqlalchemy import Row, func, select

from ..model import Headers, Record
from .database import Database
from .tables import dead_letters
from .write import DeadLetter

__all__ = ["DeadLetters", "Kept", "State"]

State = Literal["kept", "replay", "replayed", "dropped"]
"""``replay``: it was asked for, and the bridge has not brought it to an end yet."""

_PAGE: Final = 100


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept, under its number."""

    id: int
    letter: DeadLetter
    state: State = "kept"
    replays: int = 0


class DeadLetters:
    """Reads dead letters; they are written by ``Write.dead``.

    Blocks: an event loop calls it in a thread. Every method raises ``StoreUnavailable``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """Say how many there are."""
        with self._database.read() as connection:
            query = select(func.count()).select_from(dead_letters)
            return int(connection.execute(query).scalar_one())

    def get(self, number: int) -> Kept | None:
        """Give one by its number; None where there is none."""
        with self._database.read() as connection:
            query = select(dead_letters).where(dead_letters.c.id == number)
            found = connection.execute(query).first()
        return None if found is None else _kept(found)

    def read(self, *, source: str | None = None, after: int = 0) -> Iterator[Kept]:
        """Give those with a number above ``after``, oldest first."""
        while True:
            query = select(dead_letters).where(dead_letters.c.id > after)
            if source is not None:
                query = query.where(dead_letters.c.source == source)
            with self._database.read() as connection:
                page = connection.execute(query.order_by(dead_letters.c.id).limit(_PAGE)).all()
            if not page:
                return
            yield from map(_kept, page)
            after = page[-1].id


def _kept(found: Row[tuple[object, ...]]) -> Kept:
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
