"""The table that outgoing messages become rows of: how it is made, checked and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    MetaData,
    String,
    Table,
    Text,
    func,
    inspect,
    select,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql import TableClause, column, table
from sqlalchemy.sql.dml import Insert

from ..errors import ContractError, LegacyError
from ..model import Outgoing

__all__ = ["OutgoingTable"]

_ID: Final = 64
_KEY: Final = 600
_HEADER: Final = ":"
_INTEGERS: Final = 2**63
_Long = Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql")
_Long = _Long.with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mariadb")


class OutgoingTable:
    """A table by its columns. Every method that takes a connection blocks.

    ``columns`` names a place in the body, or a header behind a colon, by the column for it.
    """

    def __init__(
        self,
        name: str,
        schema: str,
        *,
        id_column: str,
        key_column: str,
        body_column: str,
        columns: Mapping[str, str],
        place: str,
    ) -> None:
        self._place = place
        self._id, self._key, self._body = id_column, key_column, body_column
        self._columns = dict(columns)
        self._reads_body = any(not one.startswith(_HEADER) for one in columns.values())
        self._name, self._schema = name, schema or None
        names = [one for one in (id_column, key_column, body_column, *columns) if one]
        self._names = tuple(dict.fromkeys(names))
        # Without types: what we send is text, and the database makes of it what its column holds.
        self._rows: TableClause = table(
            name, *(column(one) for one in self._names), schema=self._schema
        )

    def creation(self, connection: Connection) -> list[str]:
        """Give the statement that makes it; none where there is a table of that name."""
        if self._stands(connection):
            return []
        return [str(CreateTable(self._ours()).compile(dialect=connection.dialect)).strip()]

    def create(self, connection: Connection) -> None:
        """Make it, unless a table of that name is there; then see that it will do."""
        if not self._stands(connection):
            connection.execute(CreateTable(self._ours()))
        self.check(connection)

    def dropping(self, connection: Connection) -> list[str]:
        """Give the statement that drops it; none where there is no table of that name."""
        if not self._stands(connection):
            return []
        return [str(DropTable(self._ours()).compile(dialect=connection.dialect)).strip()]

    def drop(self, connection: Connection, *, discard: bool) -> None:
        """Drop it. Raises ``LegacyError`` where it is not as we make it, or rows would be lost."""
        if not self._stands(connection):
            return
        found = [one["name"] for one in inspect(connection).get_columns(self._name, self._schema)]
        if sorted(found) != sorted(self._names):
            raise LegacyError(
                "has other columns than 'install' makes, so it is not ours to drop",
                place=self._place,
                value=", ".join(found),
                expected=", ".join(self._names),
            )
        count = connection.execute(select(func.count()).select_from(self._rows)).scalar_one()
        if count and not discard:
            raise LegacyError(
                f"{count} messages would be lost with it",
                place=self._place,
                expected="none",
                remedy="take them out, or discard them on purpose",
            )
        connection.execute(DropTable(self._ours()))

    def check(self, connection: Connection) -> None:
        """See that every column is there, and that the id's can hold each message once only.

        Raises ``LegacyError``.
        """
        remedy = "make it with 'fig adapter install', or name the right one"
        if not self._stands(connection):
            raise LegacyError("there is no such table", place=self._place, remedy=remedy)
        looked = inspect(connection)
        found = {one["name"] for one in looked.get_columns(self._name, self._schema)}
        for name in self._names:
            if name not in found:
                raise LegacyError(
                    "the table has no such column",
                    place=self._place,
                    value=name,
                    expected=", ".join(sorted(found)),
                    remedy=remedy,
                )
        primary = looked.get_pk_constraint(self._name, self._schema)
        unique = looked.get_unique_constraints(self._name, self._schema)
        keys: list[Sequence[str | None]] = [primary["constrained_columns"]]
        keys += [one["column_names"] for one in unique]
        # SQLite keeps a constraint that stands behind its column as an index of its own.
        own = {"include_auto_indexes": True} if connection.dialect.name == "sqlite" else {}
        keys += [
            one["column_names"]
            for one in looked.get_indexes(self._name, self._schema, **own)
            if one["unique"]
            and not any(name.endswith("_where") for name in one.get("dialect_options", {}))
        ]
        if [self._id] not in keys:
            raise LegacyError(
                "a message that is sent twice would stand there twice",
                place=self._place,
                value=self._id,
                expected=f"a unique constraint over {self._id} alone",
                remedy=f"add one, or make the table anew: {remedy}",
            )

    def row(self, message: Outgoing) -> dict[str, object]:
        """Give a message as a row. Raises ``ContractError`` where its body lacks a place."""
        held: dict[str, object] = {self._id: message.message_id}
        if self._key:
            held[self._key] = message.key
        if self._body:
            held[self._body] = _text(message.body)
        body = self._document(message) if self._reads_body else {}
        for name, source in self._columns.items():
            if source.startswith(_HEADER):
                wanted = source.removeprefix(_HEADER)
                held[name] = next((text for key, text in message.headers if key == wanted), None)
            else:
                held[name] = _value(self._dug(body, source, message))
        return held

    def insert(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert those that are not there yet, in order.

        Raises what the driver raises, and ``LegacyError`` where a row was left out for another
        reason than that its id is there.
        """
        connection.execute(self._statement(connection.dialect), rows)
        if connection.dialect.name not in {"mysql", "mariadb"}:
            return
        # There any unique key makes a row a duplicate, not only that of the id.
        ids = {row[self._id] for row in rows}
        mine = self._rows.c[self._id]
        query = select(func.count()).select_from(self._rows).where(mine.in_(ids))
        if connection.execute(query).scalar_one() != len(ids):
            raise LegacyError(
                "a row was refused as the duplicate of one with another id",
                place=self._place,
                expected=f"no unique key that two messages share but {self._id}",
            )

    def _statement(self, dialect: Dialect) -> Insert:
        if dialect.name == "postgresql":
            return postgresql.insert(self._rows).on_conflict_do_nothing(index_elements=[self._id])
        if dialect.name == "sqlite":
            return sqlite.insert(self._rows).on_conflict_do_nothing(index_elements=[self._id])
        if dialect.name in {"mysql", "mariadb"}:
            # Not IGNORE: that would let values through that do not fit, cut short.
            same = {self._id: self._rows.c[self._id]}
            return mysql.insert(self._rows).on_duplicate_key_update(same)
        return plain_insert(self._rows)

    def _stands(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self._name, self._schema)

    def _ours(self) -> Table:
        kinds = {self._id: String(_ID), self._key: String(_KEY)}
        return Table(
            self._name,
            MetaData(),
            *(
                Column(one, kinds.get(one, _Long), primary_key=one == self._id)
                for one in self._names
            ),
            schema=self._schema,
            mysql_engine="InnoDB",
            mysql_charset="utf8mb4",
        )

    def _document(self, message: Outgoing) -> Mapping[str, object]:
        try:
            body = json.loads(message.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ContractError(
                "the body is no JSON object, so there is nothing to choose from",
                place=f"message {message.message_id} to {message.destination}",
                expected="a JSON object, or no columns but id, key and body",
            )
        return body

    def _dug(self, body: Mapping[str, object], source: str, message: Outgoing) -> object:
        found: object = body
        for part in [source] if source in body else source.split("."):
            if not isinstance(found, dict) or part not in found:
                raise ContractError(
                    "the body has no such place",
                    place=f"message {message.message_id} to {message.destination}",
                    value=source,
                    expected="one of " + ", ".join(sorted(body)),
                )
            found = found[part]
        return found


def _text(body: bytes) -> str | bytes:
    """Give a body as text, where it is; else its bytes, which only a binary column takes."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _value(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, Decimal) or (
        isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS
    ):
        return str(value)
    return value
