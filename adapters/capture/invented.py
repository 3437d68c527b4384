"""A row that legacy never wrote, made by what its table demands, to be rolled back.

It is a copy of a row that is there, made by the server itself, with other values where rows must
differ; where the table is empty it is made by type. No value of legacy's sequences is used: keys
are given, below those in use rather than above (MariaDB would count on from a higher one). Where
it must refer to a row and there is none, that one is made first, and so on upwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
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
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SAWarning
from sqlalchemy.sql.elements import ColumnElement

from .blind_mysql import no_way_back
from .foreign import Foreign, foreign_of
from .fresh import fresh, plain
from .savepoint import NoRow, Savepoint, refusal

__all__ = ["Invented", "reflected"]

_TRIES = 3
_DEEPEST = 8
"""Tables that are gone up for rows to refer to, at most."""


class Invented:
    """One row of a table that is to be written and rolled back.

    Used inside one transaction. ``given`` are values for what cannot be guessed; ``below`` are the
    tables whose rows want this one to refer to.
    """

    def __init__(
        self,
        connection: Connection,
        table: Table,
        given: Mapping[str, object],
        below: Sequence[str] = (),
    ) -> None:
        self._connection, self.table, self._given = connection, table, dict(given)
        self._path = (*below, table.fullname)
        # MariaDB deletes no row that refers to itself: so another one of the table does.
        self._is_root = below[-1:] == (table.fullname,)
        self._primary = [column.name for column in table.primary_key]
        self.unique = _unique_sets(connection, table)
        self._foreign = foreign_of(connection, table)
        self.foreign = {name for one in self._foreign for name in one.columns}
        self._values: Mapping[str, object] = {}
        self._copies = False
        self.where: dict[str, object] = {}

    def found_in(self, rows: FromClause) -> ColumnElement[bool]:
        """Give the condition that finds the row in the table, or in an alias of it."""
        return and_(*(rows.c[name] == value for name, value in self.where.items()))

    def statement(self, into: Table) -> Insert:
        """Give the insert that wrote the row, into the table or a copy of it."""
        return self._statement(self._values, into)

    def insert(self) -> None:
        """Write the row, trying other values where some are refused. Raises ``NoRow``."""
        none = NoRow("there is no column whose value could be chosen")
        for values in self._choices():
            statement = self._statement(values, self.table)
            try:
                with Savepoint(self._connection):
                    written = self.run(statement).rowcount
            except DBAPIError as error:
                none = refusal(error)
                if none.denied:
                    break
                continue
            if not written:
                raise NoRow("a trigger of legacy's own, or a rule, keeps the row out")
            self.where = {name: values[name] for name in self._primary or values if name in values}
            if not self.where or None in self.where.values():
                raise NoRow("the row cannot be told from others")
            self._values = values
            return
        raise none

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
        names, tied = self._changed()
        options = {name: fresh(self._connection, self.table.c[name]) for name in names}
        above: dict[str, object] = {}
        for attempt in range(_TRIES):
            values = {**sample, **self._given}
            for name, found in options.items():
                if found:
                    values[name] = found[min(attempt, len(found) - 1)]
            if attempt == 0:
                above = self._above(values, tied if self._copies else (), anew=True)
            values |= above
            if not self._copies:
                values = {**self._by_type(values), **values}
            yield values

    def _changed(self) -> tuple[list[str], list[Foreign]]:
        """Choose a column of each set that must be unique, one that refers to no other table.

        Where all of them do, what they refer to must be another row: these are given too.
        """
        chosen: list[str] = []
        tied: list[Foreign] = []
        for names in self.unique or [self.table.c.keys()]:
            if any(name in self._given or name in chosen for name in names):
                continue
            free = [name for name in names if name not in self.foreign and self._can_change(name)]
            chosen += free[:1]
            if not free:
                tied += [one for one in self._foreign if set(one.columns) & set(names)][:1]
        return chosen, tied

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
        values: dict[str, object] = {}
        for name in self._demanded(known):
            values[name] = plain(self.table.c[name])
        needed = [one for one in self._foreign if set(one.columns) & values.keys()]
        return values | self._above({**values, **known}, needed, anew=False)

    def _demanded(self, known: Mapping[str, object]) -> list[str]:
        return [
            column.name
            for column in self.table.c
            if column.name not in known
            and not column.nullable
            and column.server_default is None
            and column.computed is None
        ]

    def _above(
        self, known: Mapping[str, object], needed: Sequence[Foreign], *, anew: bool
    ) -> dict[str, object]:
        """Give the values by which the row refers to others; those are made where there are none.

        ``anew``: they are made even so, for those that are there are referred to already.
        """
        values: dict[str, object] = {}
        for one in needed:
            if one.table == self.table.fullname and self._is_root and not anew:
                values |= {name: known.get(to) for name, to in one.pairs}
                continue
            fixed = {to: self._given[name] for name, to in one.pairs if name in self._given}
            found = self._referred(one, fixed, anew=anew)
            values |= {name: value for name, value in found.items() if name not in self._given}
        return values

    def _referred(
        self, one: Foreign, fixed: Mapping[str, object], *, anew: bool
    ) -> dict[str, object]:
        """Give the values of a row that is there, or of one that is made now."""
        try:
            there = reflected(self._connection, one.name, one.schema)
        except NoSuchTableError:  # SQLite lets a key lead nowhere
            return {}
        wanted = select(*(there.c[to] for _, to in one.pairs)).select_from(there).limit(1)
        if not anew:
            matching = [there.c[to] == value for to, value in fixed.items()]
            found = self._connection.execute(wanted.where(*matching)).first()
            if found is not None:
                return dict(zip(one.columns, found, strict=True))
        row = self._parent(there, fixed)
        found = self._connection.execute(wanted.where(row.found_in(there))).first()
        if found is None:
            raise NoRow(f"a row of {there.name}, to which it refers, was put elsewhere")
        return dict(zip(one.columns, found, strict=True))

    def _parent(self, there: Table, fixed: Mapping[str, object]) -> Invented:
        path = " → ".join((*self._path, there.fullname))
        if there.fullname in self._path[:-1]:
            raise NoRow(f"foreign keys lead round in a circle: {path}")
        if len(self._path) > _DEEPEST:
            raise NoRow(f"foreign keys lead through more than {_DEEPEST} tables: {path}")
        if self._connection.dialect.name in ("mysql", "mariadb"):
            reason = no_way_back(self._connection, there.schema or "", there.name)
            if reason:
                raise NoRow(f"a row of {there.name} could not be rolled back: {reason}")
        row = Invented(self._connection, there, fixed, self._path)
        try:
            row.insert()
        except NoRow as none:
            says = f"it refers to {there.name}, where no row could be written: {none}"
            raise NoRow(says, denied=none.denied) from none
        return row

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


def reflected(connection: Connection, name: str, schema: str = "") -> Table:
    """Read a table as SQLAlchemy has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        return Table(
            name, MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False
        )


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
