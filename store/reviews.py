"""What people said of differences, and the queue of those that stand open."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from ..errors import InputError
from ..model import Comparison
from . import tables
from .adjudications import Adjudication, winner_of, write_it
from .database import Database
from .group import Inserts
from .line import Line
from .link import row

__all__ = ["CHOICES", "Choice", "Open", "Review", "Reviews", "agreed"]

Choice = Literal["both", "legacy", "replacement", "neither", "unsure"]
Winner = Literal["both", "legacy", "replacement", "neither"]

CHOICES: Final[tuple[Choice, ...]] = ("both", "legacy", "replacement", "neither", "unsure")


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said of one unit. ``at`` is in seconds since the epoch."""

    endpoint: str
    revision: str
    unit: str
    reviewer: str
    choice: Choice
    note: str = ""
    at: float = msgspec.field(default_factory=time.time)


class Open(NamedTuple):
    """A unit in the queue: its first comparison, and how it stands."""

    line: int
    winner: str
    comparison: Comparison


def agreed(choices: Iterable[str], agreeing: int) -> Winner | None:
    """Give what ``agreeing`` people say, and more of them than anything else; None: nothing yet."""
    counted = Counter(choice for choice in choices if choice != "unsure").most_common(2)
    if not counted or counted[0][1] < agreeing:
        return None
    if len(counted) > 1 and counted[0][1] == counted[1][1]:
        return None
    return counted[0][0]  # type: ignore[return-value]  # unsure is not among them


class Reviews:
    """The reviews of one endpoint's revision. Blocks; every method raises ``StoreUnavailable``."""

    def __init__(self, database: Database, inserts: Inserts, endpoint: str, revision: str) -> None:
        self._database = database
        self._inserts = inserts
        self._endpoint = endpoint
        self._revision = revision

    def all(self) -> list[Review]:
        """Give every review, oldest first."""
        if not self._database.has(tables.reviews):
            return []
        query = select(tables.reviews).where(*self._mine()).order_by(tables.reviews.c.id)
        with self._database.read() as connection:
            return [_review(found) for found in connection.execute(query)]

    def queue(self, *, decided: bool = False) -> list[Open]:
        """Give the units that stand open, oldest first; or those that were decided later.

        Left out are those whose line has lost its data by its age: there is nothing to be shown.
        """
        seen, lines = tables.evidence.c, tables.journal.c
        fits = seen.winner != "open" if decided else seen.winner == "open"
        query = (
            select(seen.line, seen.winner, lines.data)
            .join(tables.journal, lines.id == seen.line)
            .where(seen.endpoint == self._endpoint, seen.revision == self._revision, fits)
            .where(lines.kind == "comparison", lines.digest.is_(None))
            .order_by(seen.line)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found = [
            Open(at, won, msgspec.json.decode(data, type=Comparison)) for at, won, data in rows
        ]
        return [one for one in found if one.comparison.winner == "open"] if decided else found

    def add(self, review: Review, agreeing: int) -> str:
        """Keep a review, and decide its unit where enough agree; give how the unit stands now.

        Who has said something of it before has changed their mind. Where those whose word decided
        it agree no longer, it is open again. Raises ``InputError`` where there is no such unit.
        """
        with self._database.write() as connection:
            stood = winner_of(connection, self._endpoint, self._revision, review.unit)
            if stood is None:
                raise InputError(
                    "there is no such difference",
                    place=f"review of {self._endpoint}, revision {self._revision}",
                    value=review.unit,
                    expected="an item of the queue",
                )
            before = self._choices(connection, review.unit)
            after = {**before, review.reviewer: review.choice}
            self._keep(connection, review, known=review.reviewer in before)
            now = agreed(after.values(), agreeing)
            told = now is not None and now != stood
            undone = now is None and stood == agreed(before.values(), agreeing)
            if not told and not undone:
                return stood
            self._decide(connection, review, now, after)
            return now or "open"

    def _decide(
        self, connection: Connection, review: Review, now: Winner | None, choices: dict[str, str]
    ) -> None:
        said = Counter(choices.values())
        names = sorted(name for name, choice in choices.items() if now in (None, choice))
        one = Adjudication(
            endpoint=self._endpoint,
            revision=self._revision,
            unit=review.unit,
            winner=now or "open",
            by="people",
            why=("" if now else "they disagree: ")
            + ", ".join(f"{count} {choice}" for choice, count in sorted(said.items())),
            who=", ".join(names),
            at=review.at,
        )
        write_it(connection, self._inserts, one)

    def _keep(self, connection: Connection, review: Review, *, known: bool) -> None:
        table = tables.reviews
        values = msgspec.structs.asdict(review)
        if known:
            where = (
                *self._mine(),
                table.c.unit == review.unit,
                table.c.reviewer == review.reviewer,
            )
            changed = {name: values[name] for name in ("choice", "note", "at")}
            connection.execute(update(table).where(*where).values(**changed))
        else:
            connection.execute(insert(table).values(**values))
        line = Line(
            kind="review",
            endpoint=self._endpoint,
            revision=self._revision,
            at=review.at,
            data=values,
        )
        self._inserts.lines(connection, [row(line)])

    def _choices(self, connection: Connection, unit: str) -> dict[str, str]:
        kept = tables.reviews.c
        query = select(kept.reviewer, kept.choice).where(*self._mine(), kept.unit == unit)
        rows = connection.execute(query.order_by(kept.id)).all()
        return {str(name): str(choice) for name, choice in rows}

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        kept = tables.reviews.c
        return kept.endpoint == self._endpoint, kept.revision == self._revision


def _review(found: Row[tuple[object, ...]]) -> Review:
    fields = {name: getattr(found, name) for name in Review.__struct_fields__}
    return msgspec.convert(fields, Review)
