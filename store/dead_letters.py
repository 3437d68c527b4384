"""Records that could not be taken: whole, with the reason, until a person decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, true, update

from ..model import Headers, Record, request_id
from . import link
from .database import Database
from .group import Inserts
from .line import Line
from .page import Page
from .tables import dead_letters
from .write import DeadLetter

__all__ = ["DeadLetters", "Kept", "State", "decided_line", "kept"]

State = Literal["kept", "replay", "replayed", "drop", "dropped"]
"""``replay`` and ``drop``: it was asked for, and the bridge has not brought it to an end yet."""

_PAGE: Final = 100
_ALL: Final = Page()
_ENDED: Final = ("replayed", "dropped")
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

    def count(
        self,
        *,
        source: str | None = None,
        endpoint: str | None = None,
        error: str | None = None,
        states: Collection[State] | None = None,
        page: Page = _ALL,
    ) -> int:
        """Say how many there are; of a page those behind where it begins, whatever its limit.

        ``error`` is a class as ``MappingError``: of what they died of, or of what that came from.
        """
        where = self._where(source, endpoint, error, states)
        return page.count(self._database, where, dead_letters.c.id)

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
        error: str | None = None,
        states: Collection[State] | None = None,
        page: Page = _ALL,
    ) -> Iterator[Kept]:
        """Give those of a page, the oldest first where it says nothing else."""
        query = select(dead_letters).where(self._where(source, endpoint, error, states))
        yield from map(kept, page.rows(self._database, query, dead_letters.c.id))

    def _where(
        self,
        source: str | None,
        endpoint: str | None,
        error: str | None,
        states: Collection[State] | None,
    ) -> ColumnElement[bool]:
        columns = dead_letters.c
        found: list[ColumnElement[bool]] = [true()]
        if source is not None:
            found.append(columns.source == source)
        if endpoint is not None:
            found.append(columns.endpoint == endpoint)
        if error is not None:
            found.append(_died_of(error))
        if states is not None:
            found.append(columns.state.in_(sorted(states)))
        return and_(*found)

    def decided(self, source: str, before: float, positions: Sequence[str]) -> list[str]:
        """Give those positions whose letter from before a time was replayed or dropped."""
        columns, found = dead_letters.c, list[str]()
        ended = (columns.source == source, columns.state.in_(_ENDED), columns.at < before)
        for start in range(0, len(positions), _PAGE):
            some = columns.position.in_(positions[start : start + _PAGE])
            with self._database.read() as connection:
                query = select(columns.position).where(*ended, some)
                found += connection.execute(query).scalars()
        return found

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


def _died_of(error: str) -> ColumnElement[bool]:
    """Say whether an error of a class is in the chain, by its JSON as text.

    That is exact: within a value of it every quotation mark has a backslash before it. And it is
    the same everywhere: PostgreSQL's JSON refuses texts with a NUL in them.
    """
    part = '"error":' + msgspec.json.encode(error).decode()
    columns = dead_letters.c
    return or_(
        columns.chain.contains(part, autoescape=True), columns.error.contains(part, autoescape=True)
    )


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
