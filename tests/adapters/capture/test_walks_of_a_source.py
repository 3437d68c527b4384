"""A real source's deliveries say which row they are of; what they tell is what reconciling goes by."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.events import EVENTS
from stranglerfig.adapters.capture.unsettled import HELD, drop_held
from stranglerfig.adapters.tables import TableSource
from stranglerfig.model import Settlement
from stranglerfig.store.captured import Captured, capture_effects
from stranglerfig.store.database import Database
from stranglerfig.store.effects import Effects
from stranglerfig.tests.adapters.capture.field import EVERYTHING, Field
from stranglerfig.tests.stores import store_file


@pytest.fixture
def field(url, tmp_path):
    return Field(url, tmp_path, "CREATE TABLE orders (nr INTEGER PRIMARY KEY, v VARCHAR(90))")


async def deliver(field, database):
    options = {"url": field.url, "table": "orders", "operations": list(EVERYTHING), "large": 60}
    source = TableSource(name="orders", options=options, place="fig.toml", root=field.root)
    taken = []
    await source.open()
    while deliveries := await source.receive(50, 0.2):
        with database.write() as store:
            for one in deliveries:
                Effects(database.engine).write(store, capture_effects(one.record))
                taken.append((one.record.header("op"), one.backfill))
        for one in deliveries:
            await one.settle(Settlement(outcome="done"))
    await source.close()
    return taken


async def test_from_a_backfill_through_the_bridge_to_nothing_missed(field, tmp_path):
    store_file(tmp_path / "fig.db")
    database = Database(f"sqlite:///{tmp_path / 'fig.db'}")
    field.options["large"] = 60
    field.run(*(f"INSERT INTO orders VALUES ({at}, '{'x' * at}')" for at in range(1, 90, 8)))
    field.install()
    field.backfill(most=5)
    field.run("UPDATE orders SET v = 'new' WHERE nr = 1", "DELETE FROM orders WHERE nr = 9")
    taken = await deliver(field, database)
    assert sorted(taken) == sorted([("read", True)] * 12 + [("update", False), ("delete", False)])
    ledger = Captured(database)
    assert (field.reconcile(ledger).equal, field.reconcile(ledger).missed) == (11, {})
    field.unseen("DELETE FROM orders WHERE nr = 17", "UPDATE orders SET v = 'z' WHERE nr = 25")
    assert field.reconcile(ledger).missed == {"delete": 1, "update": 1}
    assert sorted(await deliver(field, database)) == [("delete", True), ("reconcile", True)]
    last = field.reconcile(ledger)
    assert (last.equal, last.missed, last.pending) == (10, {}, 0)


def test_what_a_killed_walk_held_back_is_let_go(field):
    field.install()
    field.run("INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    held = EVENTS.update().values(parked=HELD)
    with field.engine.connect() as legacy:
        legacy.execute(held.where(EVENTS.c.id < 3))
        legacy.execute(held.where(EVENTS.c.id == 2).values(dead_reason="it is dead"))
        assert drop_held(legacy, "orders", 1.0) == 0
        assert drop_held(legacy, "another") == 0
        assert drop_held(legacy, "orders") == 1
    assert [number for number, *_ in field.events()] == [2, 3]
