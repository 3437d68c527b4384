"""A row that is written and rolled back, to see whether the triggers fire.

It is a copy of a row that is there, made by the server itself, with other values where rows must
differ; where the table is empty it is made by type. No value of legacy's sequences is used: keys
are given, below those in use rather than above (MariaDB would count on from a higher one).
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    CursorResult,
    FromClause,
    Insert,
    MetaData,
    Select,
    Table,
    and_,
    bindparam,
    insert,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SAWarning
from sqlalchemy.sql.elements import ColumnElement

from .dialect import Capture
from .fresh import fresh, plain

__all__ = ["Canary", "NoCanary", "Savepoint", "reflected", "refusal"]

_TRIES = 3
_VALUE = re.compile(r" entry '.*'(?= for key)|: '[^']*'(?= for column)")
"""Where MariaDB says the value that it refused."""
_NUMBERS = itertools.count(1)


class NoCanary(Exception):
    """No such row can be made; the text says why, and names no value of legacy's."""


class Canary:
    """One row of a captured table that is to be written and rolled back.

    Used inside one transaction. ``given`` are values from the options, for what cannot be guessed.
    """

    def __init__(
        self, connection: Connection, capture: Capture, given: Mapping[str, object]
    ) -> None:
        self._connection, self._capture = connection, capture
        self.table = reflected(connection, capture)
        unknown = sorted(set(given) - set(self.table.c.keys()))
        if unknown:
            raise NoCanary(f"'canary' names columns that there are not: {', '.join(unknown)}")
        self._given = dict(given)
        self._primary = [column.name for column in self.table.primary_key]
        self._unique = _unique_sets(connection, self.table)
        self._values: Mapping[str, object] = {}
        self._where: dict[str, object] = {}

    def found_in(self, rows: FromClause) -> ColumnElement[bool]:
        """Give the condition that finds the row in the table, or in an alias of it."""
        return and_(*(rows.c[name] == value for name, value in self._where.items()))

    def statement(self, into: Table) -> Insert:
        """Give the insert that wrote the row, into the table or a copy of it."""
        return self._statement(self._values, into)

    def insert(self) -> None:
        """Write the row, trying other values where some are refused. Raises ``NoCanary``."""
        said = "there is no column whose value could be chosen"
        for values in self._choices():
            statement = self._statement(values, self.table)
            try:
                with Savepoint(self._connection):
                    written = self.run(statement).rowcount
            except DBAPIError as error:
                said = refusal(error)
                continue
            if not written:
                raise NoCanary("a trigger of legacy's own, or a rule, keeps the row out")
            self._where = {name: values[name] for name in self._primary or values if name in values}
            if not self._where or None in self._where.values():
                raise NoCanary("the row cannot be told from others")
            self._values = values
            return
        raise NoCanary(said)

    def update(self, *, keep: bool = True) -> None:
        """Change what may be changed of the row; if that is refused, write it as it is.

        ``keep``: values that the options give stay. Raises ``NoCanary``.
        """
        fixed = {name for names in self._unique for name in names} | _foreign(self.table)
        fixed |= self._where.keys() | (self._given.keys() if keep else set())
        values: dict[str, object] = {}
        for column in self.table.c:
            if column.name in fixed or column.computed is not None or column.identity is not None:
                continue
            for value in fresh(None, column)[:1]:
                values[column.name] = value
        same = next(
            name for name, _ in self._capture.shape.columns if _is_writable(self.table, name)
        )
        attempts: list[Mapping[str, object]] = [values] if values else []
        for chosen in [*attempts, {same: self.table.c[same]}]:
            statement = update(self.table).where(self.found_in(self.table)).values(chosen)
            try:
                with Savepoint(self._connection):
                    self._connection.execute(statement)
            except DBAPIError as error:
                said = refusal(error)
                continue
            return
        raise NoCanary(said)

    def delete(self) -> None:
        """Delete the row. Raises ``NoCanary``."""
        try:
            with Savepoint(self._connection):
                self._connection.execute(self.table.delete().where(self.found_in(self.table)))
        except DBAPIError as error:
            raise NoCanary(refusal(error)) from error

    def run(self, statement: Insert, before: str = "") -> CursorResult[Any]:
        """Run an insert, behind the words ``before``; it takes no number of an identity."""
        always = any(column.identity and column.identity.always for column in self.table.c)
        if not before and not always:
            return self._connection.execute(statement)
        compiled = statement.compile(dialect=self._connection.dialect)
        text = str(compiled)
        if always:
            word = "VALUES" if not self._copies else "SELECT"
            text = text.replace(f") {word} ", f") OVERRIDING SYSTEM VALUE {word} ", 1)
        return self._connection.exec_driver_sql(before + text, dict(compiled.params))

    def _choices(self) -> Iterator[dict[str, object]]:
        """Give the values that differ from the copied row's, or all of them, a few times over."""
        sample = self._sample()
        names = self._changed()
        options = {name: fresh(self._connection, self.table.c[name]) for name in names}
        for attempt in range(_TRIES):
            values = {**sample, **self._given}
            for name, found in options.items():
                if found:
                    values[name] = found[min(attempt, len(found) - 1)]
            if not sample:
                values = {**self._by_type(values), **values}
            yield values

    def _changed(self) -> list[str]:
        """Choose a column of each set that must be unique, one that refers to no other table."""
        foreign = _foreign(self.table)
        chosen: list[str] = []
        for names in self._unique or [self.table.c.keys()]:
            if any(name in self._given or name in chosen for name in names):
                continue
            free = [name for name in names if name not in foreign and self._can_change(name)]
            chosen += free[:1]
        return chosen

    def _can_change(self, name: str) -> bool:
        column = self.table.c[name]
        return column.computed is None and bool(fresh(self._connection, column))

    def _sample(self) -> dict[str, object]:
        """Give the primary key of some row; the rest of it is copied where it lies."""
        columns: list[ColumnElement[Any]] = [self.table.c[name] for name in self._primary]
        wanted = select(*columns or [literal(1)]).select_from(self.table).limit(1)
        found = self._connection.execute(wanted).mappings().first()
        self._copies = found is not None
        self._copied = dict(found) if found is not None and self._primary else {}
        return dict(self._copied)

    def _by_type(self, known: Mapping[str, object]) -> dict[str, object]:
        """Make values for a table without rows: only those that it must have."""
        if self._copies:
            return {}
        values: dict[str, object] = {}
        for column in self.table.c:
            if column.name in known or column.nullable or column.server_default is not None:
                continue
            if column.computed is not None:
                continue
            values[column.name] = self._referred(column) or plain(column)
        return values

    def _referred(self, column: Column[Any]) -> object:
        """Give a value that stands in the table that the column refers to."""
        for key in column.foreign_keys:
            there = Table(
                key.target_fullname.rpartition(".")[0].rpartition(".")[2],
                MetaData(),
                Column(key.target_fullname.rpartition(".")[2], column.type),
                schema=self.table.schema,
            )
            found = self._connection.execute(select(*there.c).limit(1)).scalar()
            if found is not None:
                return found
        return None

    def _statement(self, values: Mapping[str, object], into: Table) -> Insert:
        if not self._copies:
            return insert(into).values(dict(values))
        names = [column.name for column in self.table.c if column.computed is None]
        source = self.table.alias("fig_copied")
        wanted: Select[tuple[object, ...]] = select(
            *(
                bindparam(None, values[name], type_=source.c[name].type)
                if name in values
                else source.c[name]
                for name in names
            )
        )
        for name, value in self._copied.items():
            wanted = wanted.where(source.c[name] == value)
        return insert(into).from_select(names, wanted.limit(1))


class Savepoint:
    """A part of a transaction, taken back where it fails; ``keep=False``: always."""

    def __init__(self, connection: Connection, *, keep: bool = True) -> None:
        self._connection, self._keep = connection, keep
        # In MySQL a second one of the same name ends the first.
        self._name = f"fig_{next(_NUMBERS)}"

    def __enter__(self) -> None:
        self._connection.exec_driver_sql(f"SAVEPOINT {self._name}")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None or not self._keep:
            self._connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {self._name}")
        self._connection.exec_driver_sql(f"RELEASE SAVEPOINT {self._name}")


def refusal(error: DBAPIError) -> str:
    """Say why a database refused, in the first line of its words: further ones hold values."""
    arguments = getattr(error.orig, "args", ())
    said = next((one for one in arguments if isinstance(one, str)), str(error.orig))
    return _VALUE.sub("", said.strip().partition("\n")[0])[:200]


def reflected(connection: Connection, capture: Capture) -> Table:
    """Read the captured table as SQLAlchemy has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        return Table(
            capture.shape.table,
            MetaData(),
            schema=capture.shape.schema or None,
            autoload_with=connection,
            resolve_fks=False,
        )


def _is_writable(table: Table, name: str) -> bool:
    return name in table.c and table.c[name].computed is None and table.c[name].identity is None


def _foreign(table: Table) -> set[str]:
    return {name for key in table.foreign_key_constraints for name in key.column_keys}


def _unique_sets(connection: Connection, table: Table) -> Sequence[Sequence[str]]:
    looked = inspect(connection)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        indexes = looked.get_indexes(table.name, table.schema)
        constraints = looked.get_unique_constraints(table.name, table.schema)
    found = [[column.name for column in table.primary_key]]
    found += [[name for name in one["column_names"] if name] for one in indexes if one["unique"]]
    found += [list(one["column_names"]) for one in constraints]
    return [names for names in found if names]
