"""PostgreSQL: our tables in a schema of their own, legacy's in another."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from stranglerfig.adapters.capture.doctor import examine
from stranglerfig.adapters.capture.postgresql.dialect import PostgreSqlCapture
from stranglerfig.adapters.capture.rows import row_columns
from stranglerfig.tests.adapters.capture.shop import Shop, customer, line, run


@pytest.fixture
def shop(postgresql, tmp_path):
    shop = Shop(postgresql.database(), PostgreSqlCapture("fig"), tmp_path)
    shop.run("CREATE SCHEMA sales")
    shop.run('CREATE TABLE sales."Order" (id integer PRIMARY KEY, what text)')
    return shop


def test_all_of_ours_stands_in_its_own_schema_and_goes_with_it(shop):
    before = shop.schema()
    user = shop.user("bridge")
    installation = shop.installation(line, grant_to=user)
    installation.apply()
    assert (installation.plan(), installation.check()) == ([], None)
    assert shop.installation(customer).plan() != []
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'fig'"
    with shop.begin() as connection:
        assert connection.execute(text(tables)).scalar_one() == 5
    shop.write()
    assert shop.replayed(line) == shop.rows(line)
    shop.as_bridge()
    assert installation.check() is None
    found = {one.check: one.state for one in examine(shop.installation(line), canary={})}
    assert found["rights"] == found["tables"] == "ok"
    shop.login = ""
    installation.undo(discard=True)
    assert shop.schema() == before


def test_a_table_of_another_schema_is_not_taken_for_its_namesake(shop):
    before = shop.schema()
    installation = shop.installation("Order", schema="sales", source="sales")
    installation.apply()
    assert installation.plan() == []
    shop.run("INSERT INTO sales.\"Order\" VALUES (7, 'x')")
    shop.write()
    assert [one["key"] for one in shop.events("sales")] == ["7"]
    found = {one.check: one for one in examine(installation, canary={})}
    assert {found[f"fires: {one}"].state for one in ("insert", "update", "delete")} == {"ok"}
    installation.undo(discard=True)
    assert shop.schema() == before


def test_the_scripts_run_in_the_databases_own_client(shop):
    before = shop.schema()
    installation = shop.installation(line, grant_to=shop.user("bridge"))
    undo = installation.script("undo")
    run(shop, installation.script("install"))
    assert (installation.plan(), installation.check()) == ([], None)
    run(shop, undo)
    assert shop.schema() == before
    installation.apply()
    other = shop.installation(customer, source="other")
    other.apply()
    run(shop, installation.script("remove"))
    assert {one["source"] for one in other.recorded()} == {"", "other"}
    run(shop, other.script("remove"))
    assert shop.schema() == before


def test_the_bridges_user_needs_no_right_on_legacys_schema(shop):
    installation = shop.installation(
        "Order", schema="sales", source="sales", grant_to=shop.user("bridge")
    )
    installation.apply()
    shop.as_bridge()
    assert installation.check() is None
    found = {one.check: one for one in examine(installation, canary={})}
    assert {one.check: one.says for one in found.values() if one.state == "fail"} == {}
    assert found["shape"].state == found["rights"].state == "ok"
    assert row_columns(installation.ground()) == ("id",)
