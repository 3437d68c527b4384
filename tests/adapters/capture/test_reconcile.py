"""What capture missed is found and captured, on every kind of database; and nothing else is."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import LegacyError
from stranglerfig.store.captured import Captured
from stranglerfig.store.database import Database
from stranglerfig.tests.adapters.capture.field import EVERYTHING, Field
from stranglerfig.tests.stores import store_file

ORDERS = (
    "CREATE TABLE orders (region VARCHAR(20) NOT NULL, nr INTEGER NOT NULL, note TEXT,"
    " amount DECIMAL(10,2), PRIMARY KEY (region, nr))"
)


@pytest.fixture
def field(url, tmp_path):
    return Field(url, tmp_path, ORDERS)


@pytest.fixture
def database(tmp_path):
    url = store_file(tmp_path / "fig.db")
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


def test_what_is_not_settled_yet_is_not_missed(field, database, ledger):
    field.install()
    fill(field, 10)
    field.run("DELETE FROM orders WHERE nr = 3", "UPDATE orders SET nr = 50 WHERE nr = 4")
    tally = field.reconcile(ledger)
    assert (tally.missed, tally.pending) == ({}, 9)
    field.deliver(database)
    field.run("DELETE FROM orders WHERE nr = 5", "UPDATE orders SET nr = 60 WHERE nr = 6")
    tally = field.reconcile(ledger)
    assert (tally.missed, tally.equal, tally.pending) == ({}, 7, 3)


def test_a_source_of_inserts_misses_rows_and_no_changes(field, database, ledger):
    field.options["operations"] = ("insert",)
    field.install()
    fill(field, 10)
    field.deliver(database)
    field.unseen(
        "UPDATE orders SET note = 'x' WHERE nr = 3",
        "DELETE FROM orders WHERE nr = 4",
        "INSERT INTO orders VALUES ('n', 77, NULL, NULL)",
    )
    tally = field.reconcile(ledger)
    assert (tally.missed, tally.equal) == ({"insert": 1}, 9)


def test_a_condition_leaves_changes_unknown_and_other_rows_alone(field, database, ledger):
    field.options["when"] = "new.nr > 4"
    field.install()
    fill(field, 10)
    field.deliver(database)
    field.unseen(
        "UPDATE orders SET note = 'x' WHERE nr = 7",
        "INSERT INTO orders VALUES ('n', 2, NULL, NULL)",
        "INSERT INTO orders VALUES ('n', 77, NULL, NULL)",
    )
    tally = field.reconcile(ledger)
    assert (tally.missed, tally.unknown, tally.equal) == ({"insert": 1}, 1, 4)


def test_a_baseline_takes_everything_as_it_is_and_writes_no_event(field, ledger):
    fill(field, 20)
    field.install()
    tally = field.reconcile(ledger, "baseline", most=6)
    assert tally.missed == {"insert": 20}
    assert field.events() == []
    assert field.reconcile(ledger).equal == 20
    field.unseen("DELETE FROM orders WHERE nr = 1", "UPDATE orders SET note = 'x' WHERE nr = 2")
    tally = field.reconcile(ledger, "baseline")
    assert tally.missed == {"delete": 1, "update": 1}
    assert field.reconcile(ledger).missed == {}
    assert field.events() == []


def test_gaps_that_were_there_when_it_began_are_closed(field, database, ledger):
    gap = "INSERT INTO fig_gap (source, op, reason, created_at) VALUES ('{}', 'insert', 'full', 1)"
    field.install()
    fill(field, 10)
    field.deliver(database)
    field.run(*(gap.format(source) for source in ("orders", "orders", "another", "orders")))
    assert field.reconcile(ledger, "look").gaps == 0
    assert field.reconcile(ledger).gaps == 3
    assert field.rows("SELECT source FROM fig_gap") == [("another",)]


def test_a_walk_that_was_stopped_goes_on_with_its_count(field, database, ledger):
    field.install()
    fill(field, 30)
    field.deliver(database)
    field.unseen("DELETE FROM orders WHERE nr < 3", "UPDATE orders SET note = 'x' WHERE nr > 25")
    tallies = []
    for _ in range(40):
        stop = threading.Event()
        tallies.append(field.reconcile(ledger, most=5, stop=stop, stop_after=1))
        if field.rows("SELECT state FROM fig_backfill WHERE kind = 'reconcile'") == [("done",)]:
            break
    assert len(tallies) > 5
    assert (tallies[-1].rows, tallies[-1].missed) == (27, {"delete": 3, "update": 4})
    assert len(field.events(where="done_at IS NULL")) == 7


def test_a_value_that_is_too_large_does_not_differ_from_itself(field, database, ledger):
    field.options["large"] = 50
    field.install()
    field.run(
        f"INSERT INTO orders VALUES ('a', 1, '{'x' * 60}', 1), ('b', 2, 'a(b],\"c''1:2', 1)",
        "INSERT INTO orders VALUES ('c', 3, '[1:aaaaaaaa-aaaa]', 1)",
    )
    field.deliver(database)
    assert field.reconcile(ledger).equal == 3
    field.unseen(f"UPDATE orders SET note = '{'x' * 61}' WHERE nr = 1")
    assert field.reconcile(ledger).missed == {"update": 1}
    field.deliver(database)
    assert field.reconcile(ledger).equal == 3


class TestWhereColumnsChanged:
    """Rows are compared by the columns that were captured when they were taken."""

    @pytest.fixture
    def taken(self, field, database):
        field.install()
        fill(field, 20)
        field.deliver(database)
        return field

    def test_a_new_column_makes_no_row_a_changed_one(self, taken, database, ledger):
        for added in ("first", "second"):
            taken.run(f"ALTER TABLE orders ADD COLUMN {added} VARCHAR(9) DEFAULT 'x'")
            assert taken.reconcile(ledger, "look").widened == 20  # before it is installed again
            taken.install()
            assert taken.installation().plan() == []
            tally = taken.reconcile(ledger, most=7)
            assert (tally.widened, tally.equal, tally.missed) == (20, 0, {})
        taken.unseen("UPDATE orders SET note = 'new' WHERE nr = 3")
        taken.run("UPDATE orders SET note = 'seen' WHERE nr = 4")
        taken.deliver(database)
        for mode in ("look", "capture"):
            tally = taken.reconcile(ledger, mode)
            assert (tally.widened, tally.equal, tally.missed) == (18, 1, {"update": 1})
        assert len(taken.events(where="op = 'reconcile'")) == 1
        assert {one["kind"] for one in taken.installation().recorded()}.isdisjoint({"former"})
        taken.installation().undo(discard=True)

    def test_rows_are_captured_with_their_new_columns_on_demand(self, taken, database, ledger):
        taken.run("ALTER TABLE orders ADD COLUMN added VARCHAR(9) DEFAULT 'x'")
        taken.install()
        assert taken.reconcile(ledger, "look", new_columns=True).widened == 20
        assert taken.events(where="done_at IS NULL") == []
        tally = taken.reconcile(ledger, new_columns=True)
        assert (tally.widened, tally.missed) == (20, {})
        assert {values["added"] for _, values in taken.images("op = 'reconcile'")} == {"x"}
        taken.deliver(database)
        assert taken.reconcile(ledger).equal == 20

    def test_columns_that_are_not_captured_any_longer_are_compared_still(
        self, taken, database, ledger
    ):
        taken.options["columns"] = ("region", "nr", "amount")
        taken.install()
        taken.unseen("UPDATE orders SET note = 'new' WHERE nr = 3")
        tally = taken.reconcile(ledger)
        assert (tally.widened, tally.missed) == (19, {"update": 1})
        taken.options["columns"] = ("region", "nr", "amount", "note")
        taken.install()
        taken.deliver(database)
        assert taken.reconcile(ledger).widened == 20

    def test_a_column_that_is_gone_cannot_be_compared_and_nothing_is_lost(self, taken, ledger):
        if taken.backend == "sqlite":
            pytest.skip("there a trigger that names a column keeps it")
        taken.run("ALTER TABLE orders DROP COLUMN note")
        taken.install()
        tally = taken.reconcile(ledger)
        assert (tally.widened, tally.missed) == (0, {"update": 20})

    def test_a_wider_type_is_the_same_value(self, taken, ledger):
        if taken.backend == "sqlite":
            pytest.skip("types of columns do not change there")
        wider = {
            "mysql": "MODIFY amount DECIMAL(12,2)",
            "postgresql": "ALTER amount TYPE numeric(12,2)",
        }
        taken.run(f"ALTER TABLE orders {wider[taken.backend]}")
        taken.install()
        assert taken.reconcile(ledger).equal == 20

    def test_a_baseline_takes_them_as_they_are_now(self, taken, ledger):
        taken.run("ALTER TABLE orders ADD COLUMN added VARCHAR(9)")
        taken.install()
        assert taken.reconcile(ledger, "baseline").missed == {"update": 20}
        assert taken.reconcile(ledger).equal == 20

    def test_only_some_shapes_are_remembered(self, taken):
        for at in range(12):
            taken.run(f"ALTER TABLE orders ADD COLUMN c{at} INTEGER")
            taken.install()
        assert len(taken.rows("SELECT 1 FROM fig_installed WHERE kind = 'former'")) == 8
        assert len(taken.ground().former) == 8
        assert len(taken.ground().former[0].shape.columns) == 15
        taken.options["columns"] = ("region", "nr")
        taken.install()
        taken.options["columns"] = ()
        taken.install()
        assert taken.installation().plan() == []
        assert len(taken.ground().former) == 8


def test_a_walk_needs_every_trigger_and_says_which_one_is_missing(field):
    field.install()
    options = {"url": field.url, "table": "orders", "operations": list(EVERYTHING)}
    source = TableSource(name="orders", options=options, place="fig.toml", root=field.root)
    ground = source.ground()
    trigger = next(
        one
        for one in ground.dialect.pieces(ground.capture)
        if one.kind == "trigger" and "delete" in one.name
    )
    broken = {f"missing: {trigger.name}": trigger.drop}
    if field.backend == "postgresql":
        broken[f"disabled: {trigger.name}"] = f'ALTER TABLE orders DISABLE TRIGGER "{trigger.name}"'
    for says, statement in broken.items():
        field.run(statement)
        with pytest.raises(LegacyError, match="capture is not installed") as caught:
            source.ground()
        assert caught.value.value == says
        assert caught.value.remedy == "run 'fig adapter install orders'"
        source.install()
        source.ground()


class TestConcurrently:
    """Nothing is missed while legacy writes and the bridge takes what is captured."""

    def test_no_event_is_invented(self, server_url, tmp_path, database, ledger):
        ddl = "CREATE TABLE orders (nr INTEGER PRIMARY KEY, v INTEGER)"
        field = Field(server_url, tmp_path, ddl)
        field.install()
        field.run(*(f"INSERT INTO orders VALUES ({at}, 0)" for at in range(30)))
        field.deliver(database)
        stop = threading.Event()

        def write(seed):
            at = seed
            with field.engine.connect().execution_options(
                isolation_level="READ COMMITTED"
            ) as legacy:
                while not stop.is_set():
                    at = (at * 7 + 11) % 30
                    change = [
                        f"UPDATE orders SET v = v + 1 WHERE nr = {at}",
                        f"DELETE FROM orders WHERE nr = {at}",
                        f"INSERT INTO orders VALUES ({at}, 0)",
                    ][at % 3 if at % 3 == 0 else 1 + stop_or(at)]
                    with contextlib.suppress(IntegrityError):
                        legacy.exec_driver_sql(change)
                    legacy.commit()

        turn = iter(range(10**9))

        def stop_or(at):
            del at
            return next(turn) % 2

        def take():
            while not stop.is_set():
                field.deliver(database)

        with ThreadPoolExecutor(3) as pool:
            workers = [pool.submit(write, 1), pool.submit(write, 2), pool.submit(take)]
            try:
                found = [field.reconcile(ledger, most=10) for _ in range(5)]
            finally:
                stop.set()
            for one in workers:
                one.result(30)
        assert [one.missed for one in found] == [{}] * 5
        field.deliver(database)
        last = field.reconcile(ledger)
        assert (last.missed, last.pending) == ({}, 0)
        assert field.events(where="op = 'reconcile'") == []
