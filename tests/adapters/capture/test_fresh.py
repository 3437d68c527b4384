"""Values for a canary row: none that is there, none that a counter would notice."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    create_engine,
)
from sqlalchemy.dialects import mysql

from stranglerfig.adapters.capture.fresh import fresh, plain

KINDS = [
    Integer(),
    SmallInteger(),
    BigInteger(),
    Numeric(6, 2),
    String(12),
    Text(),
    Date(),
    DateTime(),
    LargeBinary(4),
]


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_values_fit_their_type_and_are_not_there(kind):
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("c", kind))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"c": plain(table.c.c)}])
        there = set(connection.execute(table.select()).scalars())
        for value in fresh(connection, table.c.c):
            assert value not in there
            connection.execute(table.insert(), [{"c": value}])
    engine.dispose()


def test_numbers_come_from_below_before_they_come_from_above():
    engine = create_engine("sqlite://")
    table = Table("t", MetaData(), Column("c", Integer))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"c": 10}, {"c": 20}])
        first, second, last = fresh(connection, table.c.c)
    engine.dispose()
    assert (first, last) == (9, 21)
    assert -(2**31) <= second < 0


def test_an_unsigned_number_is_never_negative():
    column = Column("c", mysql.INTEGER(unsigned=True))
    assert all(value >= 0 for value in fresh(None, column))


def test_a_short_text_stays_short():
    assert [len(value) for value in fresh(None, Column("c", String(3)))] == [3]
    assert all(len(value) > 30 for value in fresh(None, Column("c", Text())))


@pytest.mark.parametrize("kind", [Boolean(), Enum("a", "b")], ids=repr)
def test_where_a_type_has_few_values_none_is_made_up(kind):
    assert fresh(None, Column("c", kind)) == []
    assert plain(Column("c", kind)) in (False, "a")
