"""What capture missed is found and captured, on every kind of database; and nothing else is."""

from __future__ import annotations

import pytest

from stranglerfig.migrations.schema.upgrade import upgrade
from stranglerfig.store.captured import Captured
from stranglerfig.store.database import Database
from stranglerfig.tests.adapters.capture.field import Field

ORDERS = (
    "CREATE TABLE orders (region VARCHAR(20) NOT NULL, nr INTEGER NOT NULL, note TEXT,"
    " amount DECIMAL(10,2), PRIMARY KEY (region, nr))"
)


@pytest.fixture
def field(url, tmp_path):
    return Field(url, tmp_path, ORDERS)


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'fig.db'}"
    upgrade(url)
    return Database(url)


@pytest.fixture
def ledger(database):
    return Captured(database)


def fill(field, count=30):
    field.run(
        *(
            f"INSERT INTO orders VALUES ('Ä{at % 3}', {at}, 'it''s {at}', {at}.50)"
            for at in range(count)
        )
    )


def test_a_table_that_was_captured_whole_has_nothing_missed(field, database, ledger):
    field.install()
    fill(field)
    assert set(field.deliver(database)) == {"insert"}
    field.run("UPDATE orders SET note = 'new' WHERE nr = 3", "DELETE FROM orders WHERE nr = 4")
    field.deliver(database)
    tally = field.reconcile(ledger, most=7)
    assert (tally.rows, tally.equal, tally.missed) == (29, 29, {})
    assert field.events(where="done_at IS NULL") == []


def test_what_no_trigger_saw_is_captured_as_it_is(field, database, ledger):
    field.install()
    fill(field)
    field.deliver(database)
    field.unseen(
        "INSERT INTO orders VALUES ('new', 100, NULL, NULL)",
        "UPDATE orders SET note = 'changed' WHERE nr = 5",
        "DELETE FROM orders WHERE nr = 6",
        "UPDATE orders SET nr = 200 WHERE nr = 7",
    )
    looked = field.reconcile(ledger, "look", most=10)
    assert looked.missed == {"insert": 2, "update": 1, "delete": 2}
    assert field.events(where="done_at IS NULL") == []
    tally = field.reconcile(ledger, most=10)
    assert tally.missed == looked.missed
    new = field.events(what='op, "key", priority, parked', where="done_at IS NULL")
    assert sorted(op for op, *_ in new) == ["delete", "delete", *["reconcile"] * 3]
    assert {(priority, parked) for *_, priority, parked in new} == {(9, 0)}
    notes = {values["nr"]: values["note"] for op, values in field.images("op = 'reconcile'")}
    assert notes == {"100": None, "5": "changed", "200": "it's 7"}
    # It is under way, so it is not missed a second time; and then it is there.
    assert field.reconcile(ledger).missed == {}
    field.deliver(database)
    again = field.reconcile(ledger)
    assert (again.equal, again.missed, again.pending) == (30, {}, 0)
