"""The same steps and gates on database servers: put in, walked, compared, and taken out again."""

from __future__ import annotations

import pytest

from stranglerfig.migrations.ports import Done, Met, Waiting
from stranglerfig.store import Store
from stranglerfig.tests.migrations.bench import Bench
from stranglerfig.tests.stores import store_file


@pytest.fixture(params=["postgresql", "mariadb"])
def bench(request, tmp_path):
    store = Store(store_file(tmp_path / "fig.db"), patience=5.0)
    store.open()
    made = Bench(tmp_path, store, legacy=request.getfixturevalue(request.param).database())
    made.table(rows=5)
    yield made
    store.close()


def test_a_table_is_caught_walked_compared_and_left_as_it_was(bench):
    install = bench.act("install", system="orders")
    assert install.plan(bench.planned())
    done = install.do(bench.ctx())
    assert isinstance(done, Done)
    assert install.plan(bench.planned()) == []
    walked = bench.gate("backfilled", system="orders")
    assert walked.look(bench.ctx()).reason == "orders: no backfill yet"
    assert bench.act("backfill", system="orders", chunk=2).do(bench.ctx()).result["rows"] == 5
    assert isinstance(walked.look(bench.ctx()), Waiting)
    copied = bench.gate("copied", system="orders")
    assert copied.look(bench.ctx()).reason == "orders: 5 caught changes are not taken yet"
    assert isinstance(install.undo(bench.ctx(), done.result), Waiting)
    bench.sql("UPDATE fig_event SET done_at = 1.0")
    assert isinstance(walked.look(bench.ctx()), Met)
    assert isinstance(copied.look(bench.ctx()), Met)
    # Nothing of ours took them: the store's ledger has none of the five.
    checked = bench.gate("checksums", system="orders").look(bench.ctx())
    assert checked.reason == "orders: 5 inserts were missed"
    assert isinstance(install.undo(bench.ctx(), done.result), Done)
    assert bench.installed == []
    assert bench.sql("SELECT count(*) FROM orders") == [(5,)]
