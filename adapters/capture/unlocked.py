"""Backfill where rows may not be locked: low and high watermarks, in our own capture table.

A chunk's events are written first, without their images, and hold their keys back: what happens to
those rows from now on has a higher number, and waits. When all transactions of that moment have
ended, the rows are read: whatever has a lower number is in them. A row of which there is an event
with a higher number is dropped, for that one tells of it; the others get their images and are free.

After DBLog (Andreakis and Papapanagiotou, 2020) and Debezium's incremental snapshots, whose marks
are rows of a table of their own.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, TypeVar, cast

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from .apart import apart_values, image_of_event, keep_values
from .chunks import Chunks
from .events import EVENTS, LARGE
from .ground import Again, Ground
from .identity import identity
from .order import Place
from .rows import Rows, Seen
from .taking import event_values
from .unsettled import HELD, Horizon
from .walk import At

__all__ = ["Unlocked"]

_PATIENCE: Final = 2.0
_SOME: Final = 500
_T = TypeVar("_T")
_Held = Mapping[int, tuple[str, str]]
"""Events by their numbers: key and own id."""


class Unlocked:
    """One chunk, without locks, in two transactions with a wait between. Not for SQLite."""

    def __init__(self, ground: Ground, chunks: Chunks, connection: Connection) -> None:
        self._ground, self._chunks = ground, chunks
        self._rows = Rows(ground, chunks, connection)
        self._apart = apart_values(ground)

    def __call__(
        self, connection: Connection, at: At, size: int, save: Callable[[At, int], None]
    ) -> tuple[At, int] | None:
        """Take a chunk."""
        end, after = cast("Place | None", at["end"]), cast("Place | None", at["after"])
        found = None if end is None else self._chunks.edge(connection, after, end, size)
        if found is None:
            return None
        edge, count = found
        between = self._chunks.between(after, edge)
        held = self._hold(connection, between)
        try:
            self._wait(connection)
            with self._ground.writing(connection):
                taken = self._fill(connection, self._rows.between(connection, between), held)
                place = {**at, "after": edge, "taken": cast("int", at.get("taken", 0)) + taken}
                save(place, count)
        except BaseException:
            # Where this fails too, the next walk drops them.
            with contextlib.suppress(SQLAlchemyError):
                _drop(connection, held)
            raise
        return place, count

    def _hold(self, connection: Connection, between: ColumnElement[bool]) -> _Held:
        """Write the chunk's events without images, and make them seen by everybody."""
        values = event_values(self._ground, self._chunks, connection, "read")
        del values["after"]
        values["parked"] = literal(HELD)
        query = self._chunks.rows(between, *values.values())
        connection.execute(insert(EVENTS).from_select(list(values), query))
        found = select(EVENTS.c.id, EVENTS.c.key, EVENTS.c.event_id).where(
            EVENTS.c.source == self._ground.source,
            EVENTS.c.done_at.is_(None),
            EVENTS.c.parked == HELD,
            EVENTS.c.dead_reason.is_(None),
        )
        return {row.id: (row.key, row.event_id) for row in connection.execute(found)}

    def _wait(self, connection: Connection) -> None:
        """Wait for the transactions that are under way; not for long, as keys are held back."""
        if not Horizon(self._ground, connection).wait(connection, _PATIENCE):
            raise Again("transactions that began before this chunk", _PATIENCE)

    def _fill(self, connection: Connection, seen: Sequence[Seen], held: _Held) -> int:
        """Give each row that did not change its image, and let it go; say how many."""
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number, (key, _) in held.items():
            numbers[key].append(number)
        given: dict[int, Seen] = {}
        for one in seen:
            # A row that came behind the events has one of its own.
            if numbers[one.key]:
                given[numbers[one.key].pop()] = one
        for number, one in given.items():
            self._give(connection, number, held[number][1], one.place)
        # Only now: whatever changed until here has an event that is seen.
        changed = self._changed(connection, held)
        spare = {n: held[n] for n in held if n not in given or given[n].row in changed}
        _drop(connection, spare, [one.place for one in self._apart])
        return len(held) - len(spare)

    def _give(self, connection: Connection, number: int, event_id: str, place: Place) -> None:
        image = image_of_event(self._ground, self._chunks, event_id)
        row = self._chunks.rows(self._chunks.order.at(place), image, all_rows=True)
        row = row.order_by(None)
        filled = update(EVENTS).where(EVENTS.c.id == number)
        connection.execute(filled.values(after=row.scalar_subquery(), parked=0))
        keep_values(self._ground, self._chunks, connection, place, event_id, self._apart)

    def _changed(self, connection: Connection, held: _Held) -> set[str]:
        """Give the rows of which there is an event with a higher number."""
        read, columns = self._ground.dialect.image, self._rows.columns
        found: set[str] = set()
        for keys in _some({key for key, _ in held.values()}):
            newer = select(EVENTS.c.id, EVENTS.c.key, EVENTS.c.before, EVENTS.c.after).where(
                EVENTS.c.source == self._ground.source,
                EVENTS.c.id > min(held),
                EVENTS.c.key.in_(keys),
            )
            for number, key, before, after in connection.execute(newer):
                if number not in held:
                    images = [read(one) for one in (before, after) if one is not None]
                    found |= {identity(one, columns, key) for one in images}
        return found


def _drop(connection: Connection, held: _Held, places: Sequence[int] = ()) -> None:
    for numbers in _some(held):
        ids = [held[number][1] for number in numbers]
        connection.execute(delete(EVENTS).where(EVENTS.c.id.in_(numbers)))
        refs = [f"{event_id}-{place}" for event_id in ids for place in places]
        for some in _some(refs):
            connection.execute(delete(LARGE).where(LARGE.c.ref.in_(some)))


def _some(items: Collection[_T]) -> Iterator[list[_T]]:
    listed = list(items)
    for start in range(0, len(listed), _SOME):
        yield listed[start : start + _SOME]
