"""What keeps triggers from firing in PostgreSQL, made and found."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.doctor import examine
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.tests.adapters.capture.shop import Shop


@pytest.fixture
def shop(postgresql, tmp_path):
    return Shop(postgresql.database(), PostgreSqlCapture(), tmp_path)


def found(shop, table="note"):
    shop.installation(table).apply()
    return {one.check: one for one in examine(shop.installation(table), canary={})}


def test_a_plain_table_hides_nothing(shop):
    assert found(shop)["blind spots"].says == "none that is known"


def test_tables_that_inherit(shop):
    shop.run("CREATE TABLE later (more text) INHERITS (note)")
    told = found(shop)["inheritance"]
    assert (told.state, told.says[:8]) == ("warn", "1 tables")


def test_a_partitioned_table_is_captured_in_its_partitions(shop):
    shop.run("CREATE TABLE parted (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    shop.run("CREATE TABLE low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (100)")
    shop.run("CREATE TABLE high PARTITION OF parted FOR VALUES FROM (100) TO (MAXVALUE)")
    shop.run("INSERT INTO parted VALUES (7)")
    told = found(shop, "parted")
    assert "inheritance" not in told
    assert {told[f"fires: {one}"].state for one in ("insert", "update", "delete")} == {"ok"}
    shop.run("INSERT INTO high VALUES (700)")
    assert [one["key"] for one in shop.events("parted")] == ["700"]


def test_an_unlogged_table(shop):
    shop.run("ALTER TABLE note SET UNLOGGED")
    assert found(shop)["unlogged"].state == "warn"


def test_a_rule_that_writes_elsewhere(shop):
    shop.run("CREATE TABLE elsewhere (LIKE note)")
    shop.run(
        'CREATE RULE aside AS ON INSERT TO note DO INSTEAD INSERT INTO elsewhere VALUES (NEW."at")'
    )
    told = found(shop)
    assert told["rules"].state == "warn"
    assert told["fires: insert"].state == "warn"


def test_a_database_in_which_triggers_are_off(shop):
    shop.run(f"ALTER DATABASE {shop.url.database} SET session_replication_role = replica")
    told = found(shop)
    assert told["replication"].state == "warn"
    assert told["fires: insert"].state == "fail"


def test_a_key_that_the_server_always_makes_itself(shop):
    shop.run("CREATE TABLE always (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text)")
    shop.run("INSERT INTO always (t) VALUES ('one')")
    assert found(shop, "always")["fires: insert"].state == "ok"
    shop.run("INSERT INTO always (t) VALUES ('two')")
    keys = [one["key"] for one in shop.events("always")]
    assert keys == ["2"]
