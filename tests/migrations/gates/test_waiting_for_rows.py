"""Gates on what is copied: backfill, dual writes, captured changes, checksums, doubts, and tests."""

from __future__ import annotations

import sys
import threading

import pytest
from sqlalchemy import delete, insert

from stranglerfig.adapters.capture.mark import Mark
from stranglerfig.adapters.capture.reconcile import Reconcile
from stranglerfig.adapters.capture.throttle import Pace
from stranglerfig.adapters.capture.walk import Walk
from stranglerfig.errors import ConfigError, LegacyError, RunbookError
from stranglerfig.migrations.ports import Met, Waiting
from stranglerfig.store import tables
from stranglerfig.store.captured import Captured
from stranglerfig.store.outbox import HELD


@pytest.fixture
def orders(bench):
    bench.table(rows=5)
    bench.parts.installable("orders").install()
    return bench


def backfill(bench):
    assert not isinstance(bench.act("backfill", system="orders").do(bench.ctx()), Waiting)


def settle(bench):
    bench.sql("UPDATE fig_event SET done_at = 1.0 WHERE done_at IS NULL")


def hold(bench, destination, next_at=HELD):
    values = {"destination": destination, "key": "", "headers": "[]", "body": b"", "at": 1.0}
    values |= {"message_id": f"m-{destination}", "next_at": next_at}
    with bench.store.database.write() as connection:
        connection.execute(insert(tables.outbox).values(**values))


def test_the_backfill_is_complete_once_its_rows_are_taken(bench, monkeypatch):
    gate = bench.gate("backfilled", system="orders")
    bench.table(rows=5)
    waiting = gate.look(bench.ctx())
    assert waiting.reason == "capture is not installed"
    assert "fig adapter install orders" in waiting.command
    bench.parts.installable("orders").install()
    assert gate.look(bench.ctx()).reason == "orders: no backfill yet"
    monkeypatch.setattr("stranglerfig.migrations.acts.backfill._SLICE", 0.1)
    bench.act("backfill", system="orders", chunk=2, backlog=2).do(bench.ctx())
    assert gate.look(bench.ctx()).reason == "orders: 2 of about 5 rows are taken"
    backfill(bench)
    assert gate.look(bench.ctx()).reason == "orders: 5 rows of it wait for the bridge"
    settle(bench)
    assert gate.look(bench.ctx()).evidence == {"system": "orders", "rows": 5}


@pytest.mark.parametrize("state", ["prepared", "first", "doubt"])
def test_a_write_that_is_not_on_both_sides_is_lag(bench, state):
    gate = bench.gate("copied")
    for over in ("done", "undone"):
        bench.write(over)
    bench.write(state, endpoint="opened")
    assert isinstance(gate.look(bench.ctx()), Met)
    bench.write(state, age=100.0)
    bench.write(state, age=10.0)
    bench.write(state, lease_until=bench.time * 2)
    waiting = gate.look(bench.ctx())
    assert waiting.reason.startswith("2 writes are "), "what is in hand does not count"
    if state == "doubt":
        assert waiting.command == "fig route doubts triage"
    else:
        assert waiting.missing == "the oldest has waited for 2 min"


def test_captured_changes_are_lag_too_where_the_table_is_named(orders):
    gate = orders.gate("copied", system="orders")
    assert isinstance(gate.look(orders.ctx()), Met)
    orders.sql("INSERT INTO orders (v) VALUES ('new')")
    waiting = gate.look(orders.ctx())
    assert waiting.reason == "orders: 1 caught changes are not taken yet"
    assert isinstance(orders.gate("copied").look(orders.ctx()), Met)
    settle(orders)
    orders.sql("INSERT INTO fig_gap (source, op, reason, created_at) VALUES ('orders','x','y',1)")
    waiting = gate.look(orders.ctx())
    assert waiting.command == "fig adapter reconcile orders"


def test_checksums_find_what_was_missed_and_change_nothing(orders):
    gate = orders.gate("checksums", system="orders", chunk=2)
    assert gate.costly
    waiting = gate.look(orders.ctx())
    assert waiting.reason == "orders: 5 inserts were missed"
    assert waiting.again_after == 300
    assert orders.sql("SELECT count(*) FROM fig_event") == [(0,)]
    assert orders.sql("SELECT count(*) FROM fig_backfill") == [(0,)]


def test_checksums_hold_where_every_row_is_as_it_was_taken(orders, monkeypatch):
    monkeypatch.setattr("stranglerfig.migrations.gates.checksums._EVERY", 0.0)
    take_all(orders)
    gate = orders.gate("checksums", system="orders")
    met = gate.look(orders.ctx())
    assert met.found == "orders: 5 of 5 rows are as they were taken"
    assert met.evidence["tally"]["equal"] == 5
    assert orders.told[0] == "compares: 0 of about 5 rows"
    orders.sql("UPDATE orders SET v = 'other' WHERE nr = 3")
    waiting = gate.look(orders.ctx())
    assert waiting.reason == "orders: 1 rows have a change that is not taken yet"
    lenient = orders.gate("checksums", system="orders", pending=1)
    assert isinstance(lenient.look(orders.ctx()), Met)
    settle(orders)
    assert gate.look(orders.ctx()).reason == "orders: 1 updates were missed"
    assert gate.look(orders.ctx()).command == "fig adapter reconcile orders"


def test_checksums_told_to_stop_are_not_met(orders):
    take_all(orders)
    orders.stop.set()
    waiting = orders.gate("checksums", system="orders").look(orders.ctx())
    assert waiting.missing == "a walk to the end"


def test_checksums_need_something_to_look_at(bench):
    bench.table()
    with pytest.raises(RunbookError, match="listens to none"):
        bench.gate("checksums").look(bench.ctx())
    with pytest.raises(LegacyError, match="not installed"):
        bench.gate("checksums", system="orders").look(bench.ctx())


def test_doubts_of_writes_and_of_messages_are_waited_for(bench):
    gate = bench.gate("no-doubts")
    bench.write("first")
    bench.write("doubt", endpoint="opened")
    assert isinstance(gate.look(bench.ctx()), Met)
    bench.write("doubt")
    assert gate.look(bench.ctx()).command == "fig route doubts triage"
    bench.endpoint = "opened"
    hold(bench, "verdicts", next_at=5.0)
    with bench.store.database.write() as connection:
        connection.execute(delete(tables.dual_writes))
    fresh = bench.ctx()
    assert isinstance(gate.look(fresh), Met)
    with bench.store.database.write() as connection:
        connection.execute(tables.outbox.update().values(next_at=HELD))
    waiting = gate.look(fresh)
    assert waiting.reason == "1 messages to verdicts are held"
    assert waiting.command == "fig outbox list --to verdicts"


def test_tests_are_run_and_their_end_decides(bench):
    file = bench.folder / "green"
    program = f"import os, sys; print('2 failed'); sys.exit(not os.path.exists({str(file)!r}))"
    gate = bench.gate("tests", run=[sys.executable, "-c", program], every="2m")
    assert gate.costly
    waiting = gate.look(bench.ctx())
    assert waiting.reason.startswith(f"{sys.executable} ended with status 1")
    assert waiting.missing == "status 0; it says: 2 failed"
    assert waiting.again_after == 120
    file.touch()
    met = gate.look(bench.ctx())
    assert met.evidence["output"] == "2 failed"
    assert bench.told[0].startswith(f"runs {sys.executable} -c")


def test_tests_that_hang_are_ended_and_do_not_pass(bench):
    gate = bench.gate("tests", run=[sys.executable, "-c", "import time; time.sleep(600)"])
    timer = threading.Timer(0.2, bench.stop.set)
    timer.start()
    waiting = gate.look(bench.ctx())
    timer.join()
    assert isinstance(waiting, Waiting)
    with pytest.raises(RunbookError, match="cannot be started"):
        bench.gate("tests", run=["no-such-program-here"]).look(bench.ctx())
    with pytest.raises(ConfigError, match="timeout is no length"):
        bench.gate("tests", run=["true"], timeout="ever")


def take_all(bench):
    """Take every row for captured, as it is now."""
    ground = bench.parts.adapter("orders").ground()
    work = Reconcile(ground, Captured(bench.store.database), "baseline")
    mark, pace, stop = Mark(ground, "baseline"), Pace(100, 1.0), threading.Event()
    walk = Walk(ground, mark, bounds=[], pace=pace, stop=stop, report=[].append)
    assert walk.run(work.begin, finish=work.finish).state == "done"
