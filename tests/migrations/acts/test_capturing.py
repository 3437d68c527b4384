"""Steps on a captured table: what is put in, walked over, and taken out again."""

from __future__ import annotations

import pytest

from stranglerfig.errors import ConfigError, LegacyError, RunbookError
from stranglerfig.migrations.ports import Done, Waiting


@pytest.fixture
def orders(bench):
    bench.table(rows=5)
    return bench


def install(bench, **options):
    done = bench.act("install", system="orders", **options).do(bench.ctx())
    assert isinstance(done, Done)
    return done


def settle(bench):
    """Take all that was caught, as the bridge does."""
    bench.sql("UPDATE fig_event SET done_at = 1.0 WHERE done_at IS NULL")


def test_the_plan_gives_the_statements_and_installing_runs_them(orders):
    act = orders.act("install", system="orders")
    plan = act.plan(orders.planned())
    assert any("CREATE TRIGGER" in line for line in plan)
    assert not any(line.startswith("INSERT INTO") for line in plan)
    assert orders.installed == []
    done = install(orders)
    assert done.result == {"system": "orders", "there_before": False, "statements": plan}
    assert orders.result() == done.result, "kept before anything was done"
    assert len(orders.installed) >= 3
    assert act.plan(orders.planned()) == []
    assert act.do(orders.ctx()).result == done.result


def test_undone_it_is_taken_out_once_what_was_caught_is_taken(orders):
    act, done = orders.act("install", system="orders"), install(orders)
    orders.sql("INSERT INTO orders (v) VALUES ('new')")
    waiting = act.undo(orders.ctx(), done.result)
    assert isinstance(waiting, Waiting)
    assert waiting.reason == "orders: 1 caught changes are not taken yet"
    assert "--discard" in waiting.command
    settle(orders)
    assert isinstance(act.undo(orders.ctx(), done.result), Done)
    assert orders.installed == []
    assert act.undo(orders.ctx(), done.result).result["removed"] is False


def test_undone_at_once_where_what_was_caught_is_given_up(orders):
    done = install(orders)
    orders.sql("INSERT INTO orders (v) VALUES ('new')")
    act = orders.act("install", system="orders", discard=True)
    assert isinstance(act.undo(orders.ctx(), done.result), Done)
    assert orders.installed == []


def test_what_stood_before_the_run_stays(orders):
    orders.parts.installable("orders").install()
    stands = orders.installed
    done = install(orders)
    assert done.result["there_before"] is True
    assert "it stays" in orders.act("install", system="orders").undo(orders.ctx(), done.result).told
    assert orders.installed == stands


def test_interrupted_before_anything_was_done_there_is_nothing_to_undo(orders):
    assert orders.act("install", system="orders").undo(orders.ctx(), {}).told
    assert orders.installed == []


def test_interrupted_behind_the_install_it_is_still_known_what_stood(orders):
    act = orders.act("install", system="orders")
    orders._keep({"system": "orders", "there_before": False, "statements": ["CREATE …"]})
    orders.parts.installable("orders").install()
    done = act.do(orders.ctx())
    assert done.result["there_before"] is False
    assert isinstance(act.undo(orders.ctx(), done.result), Done)
    assert orders.installed == []


def test_the_rows_that_are_there_are_taken_once(orders):
    act = orders.act("backfill", system="orders", chunk=2)
    assert act.plan(orders.planned()) == (
        "orders: takes the rows that are there, once it is installed",
    )
    with pytest.raises(LegacyError, match="not installed"):
        act.do(orders.ctx())
    install(orders)
    assert act.plan(orders.planned()) == ("orders: takes the rows that are there",)
    assert act.do(orders.ctx()).result == {"system": "orders", "rows": 5}
    assert act.plan(orders.planned()) == ()
    assert act.do(orders.ctx()).result == {"system": "orders", "rows": 5}
    assert orders.sql("SELECT count(*) FROM fig_event") == [(5,)]
    assert "stay so" in act.undo(orders.ctx(), {"rows": 5}).told


def test_a_walk_that_is_told_to_stop_goes_on_from_there(orders, monkeypatch):
    for number in range(45):
        orders.sql(f"INSERT INTO orders (nr) VALUES ({number + 100})")
    install(orders)
    act = orders.act("backfill", system="orders", chunk=10)
    orders.stop.set()
    waiting = act.do(orders.ctx())
    assert isinstance(waiting, Waiting)
    assert waiting.command == "fig adapter backfill orders --status"
    orders.stop.clear()
    monkeypatch.setattr("stranglerfig.migrations.acts.backfill._SLICE", 0.0)
    seen = []
    while isinstance(came := act.do(orders.ctx()), Waiting):
        seen.append(came)
        monkeypatch.setattr("stranglerfig.migrations.acts.backfill._SLICE", 10.0)
    assert [one.again_after for one in seen] == [0.0]
    assert came.result["rows"] == 50
    assert orders.sql("SELECT count(*), count(DISTINCT key) FROM fig_event") == [(50, 50)]


def test_it_says_what_a_walk_waits_for(orders, monkeypatch):
    monkeypatch.setattr("stranglerfig.migrations.acts.backfill._SLICE", 0.3)
    install(orders)
    waiting = orders.act("backfill", system="orders", chunk=2, backlog=2).do(orders.ctx())
    assert waiting.missing.startswith("the bridge: 2 rows taken before wait for it")
    assert "2 of about 5 rows" in waiting.reason
    settle(orders)
    settled = orders.act("backfill", system="orders", backlog=0, where="new.nr > 3")
    assert isinstance(settled.do(orders.ctx()), Done)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"window": "at night"}, "not a window"),
        ({"rate": 0}, "> 0"),
        ({"chunk": 0}, ">= 1"),
        ({"rows": 5}, "unknown key"),
    ],
)
def test_bounds_that_are_none_are_refused(bench, options, says):
    with pytest.raises(ConfigError, match=says) as refused:
        bench.act("backfill", **options)
    assert refused.value.place.startswith("night.toml: step it.with")


def test_a_condition_that_cannot_be_used_names_its_place(orders):
    install(orders)
    act = orders.act("backfill", system="orders", where="nr = (select 1)")
    with pytest.raises(ConfigError) as refused:
        act.do(orders.ctx())
    assert refused.value.place == "night.toml: step it.with.where"


def test_removed_and_back_again(orders):
    install(orders)
    orders.sql("INSERT INTO orders (v) VALUES ('new')")
    orders._keep({})
    act = orders.act("remove", system="orders")
    assert any("DROP TRIGGER" in line for line in act.plan(orders.planned()))
    assert isinstance(act.do(orders.ctx()), Waiting)
    settle(orders)
    done = act.do(orders.ctx())
    assert done.result["there_before"] is True
    assert orders.installed == []
    assert act.plan(orders.planned()) == []
    assert "fig adapter reconcile orders" in act.undo(orders.ctx(), done.result).told
    assert orders.installed
    assert act.undo(orders.ctx(), done.result).told == "orders: stands"


def test_taking_out_what_is_not_there_is_harmless_and_so_is_its_undo(orders):
    act = orders.act("remove", system="orders")
    done = act.do(orders.ctx())
    assert done.result["there_before"] is False
    act.undo(orders.ctx(), done.result)
    assert orders.installed == []


def test_the_system_is_the_one_that_the_endpoint_listens_to(orders):
    with pytest.raises(RunbookError, match="listens to none") as refused:
        orders.act("install").plan(orders.planned())
    assert refused.value.place.startswith("night.toml: step it")
    orders.endpoint = "opened"
    assert orders.act("install").plan(orders.planned())
    assert orders.act("backfill").plan(orders.planned())


def test_a_system_without_rows_has_none_to_walk_over(orders):
    with pytest.raises(RunbookError, match="no rows to walk over") as refused:
        orders.act("backfill", system="verdicts").plan(orders.planned())
    assert refused.value.value == "verdicts"


def test_the_table_that_decisions_go_to_is_installed_and_taken_out(orders):
    act = orders.act("install", system="verdicts")
    done = act.do(orders.ctx())
    assert orders.sql("SELECT count(*) FROM verdicts") == [(0,)]
    act.undo(orders.ctx(), done.result)
    assert orders.sql("SELECT name FROM sqlite_master WHERE name = 'verdicts'") == []
