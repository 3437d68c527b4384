"""Rows as they are now, by what reconciling tells of them: which row, and which image of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import literal, null, or_, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from ...errors import LegacyError
from .address import steps_over
from .chunks import Chunks
from .dialect import Capture, Shape
from .ground import Ground
from .identity import digest, digest_of, identity, identity_columns, values_of
from .order import Place

__all__ = ["Gone", "Rows", "Seen", "row_columns"]


def row_columns(ground: Ground) -> tuple[str, ...] | None:
    """Give the columns of a row's identity, for ``told_apart``; None where events do not tell.

    Called when a source is opened; blocks. Raises ``LegacyError`` where nothing can be asked.
    """
    with ground.connected() as connection:
        try:
            return identity_columns(ground, Chunks(ground, connection).columns)
        except LegacyError:
            return None


class Seen(msgspec.Struct, frozen=True):
    """A row that is there. ``row`` is its identity, ``key`` that of its events."""

    row: str
    key: str
    digest: int
    place: Place


class Gone(msgspec.Struct, frozen=True):
    """A row that is not there, with the key of its events."""

    row: str
    key: str


class Rows:
    """Reads rows of one table by places and by identities.

    ``columns`` make a row's identity, ``unique`` of them tell it apart already. Raises
    ``LegacyError`` where events do not say which row they are of.
    """

    def __init__(self, ground: Ground, chunks: Chunks, connection: Connection) -> None:
        self._ground, self._chunks = ground, chunks
        self.unique = chunks.columns
        self.columns = identity_columns(ground, chunks.columns)
        shape = ground.capture.shape
        of = tuple(pair for pair in shape.columns if pair[0] in self.columns)
        self._part = msgspec.structs.replace(shape, columns=of) if of else None
        self._steps = steps_over(ground, connection, chunks.row, self.columns)

    def between(self, connection: Connection, condition: ColumnElement[bool]) -> list[Seen]:
        """Read the rows of a chunk, in one statement."""
        return self._read(connection, condition, lock=False)

    def formerly(
        self, connection: Connection, condition: ColumnElement[bool], former: Capture
    ) -> Mapping[str, int]:
        """Give, by row, the digests of the images that were made of rows such as these before."""
        seen = self._read(connection, condition, lock=False, of=former)
        return {one.row: one.digest for one in seen}

    def locked(self, connection: Connection, places: Sequence[Place]) -> list[Seen]:
        """Read rows by their places, and hold them as they are until the transaction ends."""
        return self._read(connection, self.at(places), lock=True)

    def at(self, places: Sequence[Place]) -> ColumnElement[bool]:
        """Give the condition of some rows."""
        return self._chunks.order.among(places)

    def present(
        self, connection: Connection, rows: Sequence[str], *, lock: bool = False
    ) -> set[str]:
        """Give those of some identities that are there under that key still.

        ``lock``: raise where somebody is about to bring one of them.
        """
        query = self._chunks.rows(
            or_(*(self._found_by(row) for row in rows)),
            self._chunks.key,
            self._identity_image(),
            all_rows=True,
        )
        found = connection.execute(self._chunks.locked(query) if lock else query)
        return {self._told(key, image) for key, image in found}

    def gone(self, connection: Connection, row: str) -> Gone:
        """Have the database write the key of a row that is not there."""
        key, _ = self.written(row)
        return Gone(row, str(connection.execute(select(key)).scalar_one()))

    def written(self, row: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Give the key and the image that a trigger would write of a row that is not there.

        The image has the columns of its identity only: nobody knows the others any more.
        """
        if self._part is None:
            return literal(row.removeprefix("@")), null()
        values = [
            null() if value is None else one.match(letter, value)
            for one, (letter, value) in zip(self._steps, values_of(row), strict=True)
        ]
        of = select(
            *(value.label(name) for value, name in zip(values, self.columns, strict=True))
        ).subquery(self._ground.row)
        key, image = (
            select(one).select_from(of).scalar_subquery()
            for one in (self._chunks.key, self._identity_image())
        )
        return key, image

    def _read(
        self,
        connection: Connection,
        condition: ColumnElement[bool],
        *,
        lock: bool,
        of: Capture | None = None,
    ) -> list[Seen]:
        order = self._chunks.order
        capture, name = of or self._ground.capture, self._ground.row
        image = self._ground.dialect.row_image(capture.shape, name, capture.large)
        query = self._chunks.rows(
            condition,
            self._chunks.key,
            self._identity_image(),
            digest_of(self._ground, image),
            *order.reads,
        )
        found = connection.execute(self._chunks.locked(query) if lock else query)
        return [
            Seen(self._told(key, told), str(key), self._digest(image), order.place(place))
            for key, told, image, *place in found
        ]

    def _identity_image(self) -> ColumnElement[Any]:
        part: Shape | None = self._part
        if part is None:
            return self._chunks.key
        return self._chunks.image_of(part)

    def _told(self, key: object, image: object) -> str:
        if not self.columns:
            return f"@{key}"
        return identity(self._ground.dialect.image(str(image)), self.columns, str(key))

    def _digest(self, found: object) -> int:
        return found if isinstance(found, int) else digest(str(found))

    def _found_by(self, row: str) -> ColumnElement[bool]:
        order = self._chunks.order
        if not self.columns:
            return order.at([int(row.removeprefix("@"))])
        unique = len(self.unique)
        pairs = zip(self._steps[:unique], values_of(row)[:unique], strict=True)
        met: ColumnElement[bool] = true()
        for one, (letter, value) in pairs:
            met = met & (one.by.is_(None) if value is None else one.by == one.match(letter, value))
        return met
