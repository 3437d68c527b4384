"""Existing rows are taken once each, beside what happens, on every kind of database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stranglerfig.adapters.capture.large import collect, fetch
from stranglerfig.adapters.capture.mark import Mark
from stranglerfig.errors import LegacyError, LegacyUnavailable
from stranglerfig.tests.adapters.capture.field import Field

ORDERS = (
    "CREATE TABLE orders (region VARCHAR(20) NOT NULL, nr INTEGER NOT NULL, note TEXT,"
    " PRIMARY KEY (region, nr))"
)

PATIENCE = 90
"""Seconds; on a machine with much to do a walk takes its time."""


@pytest.fixture
def field(url, tmp_path):
    return Field(url, tmp_path, ORDERS)


def fill(field, count):
    rows = ", ".join(f"('r{at % 4}', {at}, 'note % {at}')" for at in range(count))
    field.run(f"INSERT INTO orders VALUES {rows}")


def test_every_row_is_taken_once_in_the_order_of_its_key(field):
    fill(field, 100)
    field.install()
    stand = field.backfill(most=7)
    assert (stand.state, stand.rows, stand.total) == ("done", 100, 100)
    images = [values for op, values in field.images("priority = 9 AND op = 'read'")]
    taken = [(one["region"], int(one["nr"])) for one in images]
    assert taken == sorted((f"r{at % 4}", at) for at in range(100))
    assert images[0]["note"] == "note % 0"


def test_a_read_image_and_key_are_what_the_trigger_writes(field):
    field.install()
    fill(field, 5)
    field.run("INSERT INTO orders VALUES ('Zürich \U0001f680', -1, NULL)")
    written = field.events('"key", "after", schema_hash', "op = 'insert'")
    field.backfill()
    assert sorted(field.events('"key", "after", schema_hash', "op = 'read'")) == sorted(written)


def test_a_walk_that_was_stopped_goes_on_and_takes_no_row_twice(field):
    fill(field, 50)
    field.install()
    stop = threading.Event()
    stand = field.backfill(most=10, stop=stop, report=lambda one: one.rows >= 20 and stop.set())
    assert (stand.state, stand.rows) == ("paused", 20)
    assert field.backfill(most=10).rows == 50
    assert len({key for _, _, key in field.events()}) == len(field.events()) == 50


def test_rows_that_come_behind_its_end_are_not_chased(field):
    fill(field, 20)
    field.install()

    def more(stand):
        field.run(f"INSERT INTO orders VALUES ('z', {1000 + stand.rows}, '')")

    assert field.backfill(most=5, report=more).rows == 20


def test_an_empty_table_is_done_at_once(field):
    field.install()
    assert field.backfill().state == "done"


def test_two_at_once_are_refused_and_a_late_one_writes_nothing(field):
    fill(field, 20)
    field.install()
    ground = field.ground()
    first, second = Mark(ground, "backfill"), Mark(ground, "backfill")
    with ground.connected() as connection:
        first.take(connection, restart=False)
        with pytest.raises(LegacyUnavailable, match="another process walks"):
            second.take(connection, restart=False)
        silent = "UPDATE fig_backfill SET at = at - 3600"
        connection.exec_driver_sql(silent)
        second.take(connection, restart=False)
        with pytest.raises(LegacyUnavailable, match="taken this walk over"):
            first.advance(connection, {}, rows=1, total=1)
        second.leave(connection, "paused")
    assert field.backfill().rows == 20


def test_only_rows_that_a_condition_takes(field):
    fill(field, 20)
    field.options["when"] = "new.nr > 9 and old.nr is null"
    field.install()
    assert field.backfill(most=6).rows == 20
    assert len(field.events()) == 10
    ground = field.ground()
    where = ground.dialect.when("new.nr = 3", ground.capture.shape, ("insert",))
    field.backfill(where=where, restart=True)
    assert len(field.events()) == 11


def test_a_value_that_is_too_large_is_kept_beside_its_event(field):
    field.options["large"] = 100
    field.install()
    long = "ü" * 60
    field.run(f"INSERT INTO orders VALUES ('a', 1, '{long}'), ('b', 2, 'short')")
    field.run("DELETE FROM fig_large")
    field.backfill()
    (event,) = field.rows(
        "SELECT event_id FROM fig_event WHERE op = 'read' AND schema_hash <> ''"
        " ORDER BY id DESC LIMIT 1"
    )
    (large,) = [one for op, one in field.images("op = 'read'") if one["region"] == "a"]
    assert large["note"] == 120
    ((ref, size, kind),) = field.rows("SELECT ref, bytes, kind FROM fig_large")
    assert (ref.endswith("-2"), size, kind) == (True, 120, "t")
    ground = field.ground()
    assert b"".join(fetch(ground, ref)).decode() == long
    with pytest.raises(LegacyError, match="no such value"):
        list(fetch(ground, "elsewhere"))
    with ground.connected() as connection:
        assert collect(connection, "orders", -1) == 0
        field.run("UPDATE fig_event SET done_at = 1")
        assert collect(connection, "another", -1) == 0
        assert collect(connection, "orders", 60) == 0
        assert collect(connection, "orders", -1) == 1


def legacys(field):
    """Give legacy's own connection, in a transaction."""
    return field.engine.connect().execution_options(isolation_level="READ COMMITTED")


class TestConcurrently:
    """No stale row after a newer one, with updates and deletes in flight (not on SQLite, which has
    one writer)."""

    @pytest.fixture
    def field(self, server_url, tmp_path):
        return Field(
            server_url, tmp_path, "CREATE TABLE orders (nr INTEGER PRIMARY KEY, v INTEGER)"
        )

    def test_it_waits_for_a_row_that_legacy_holds_and_takes_what_was_committed(self, field):
        field.run(*(f"INSERT INTO orders VALUES ({at}, 0)" for at in range(20)))
        field.install()
        waited = threading.Event()

        def report(stand):
            if stand.waiting:
                waited.set()

        with ThreadPoolExecutor(1) as pool, legacys(field) as legacy:
            legacy.exec_driver_sql("UPDATE orders SET v = 1 WHERE nr = 10")
            walk = pool.submit(field.backfill, report=report)
            assert waited.wait(PATIENCE)
            legacy.commit()
            assert walk.result(PATIENCE).rows == 20
        assert field.last_images("nr", "v") == {str(at): str(int(at == 10)) for at in range(20)}

    @pytest.mark.parametrize("locks", [True, False])
    def test_no_stale_row_comes_after_a_newer_one(self, field, locks):
        count = 60
        field.run(*(f"INSERT INTO orders VALUES ({at}, 0)" for at in range(count)))
        field.install()
        stop = threading.Event()

        def write(seed):
            done, at = 0, seed
            with legacys(field) as legacy:
                while not stop.is_set():
                    at = (at * 7 + 11) % count
                    if at % 5 == 4:
                        legacy.exec_driver_sql(f"DELETE FROM orders WHERE nr = {at}")
                    else:
                        legacy.exec_driver_sql(f"UPDATE orders SET v = v + 1 WHERE nr = {at}")
                    if done % 3 == 2:
                        legacy.rollback()
                    else:
                        legacy.commit()
                    done += 1
            return done

        with ThreadPoolExecutor(3) as pool:
            writers = [pool.submit(write, seed) for seed in (1, 2, 3)]
            try:
                for _ in range(4 if locks else 2):
                    stand = field.backfill(most=5 if locks else 20, restart=True, locks=locks)
                    assert stand.state == "done"
            finally:
                stop.set()
            assert sum(one.result(PATIENCE) for one in writers) > 20
        self.check(field)

    @staticmethod
    def check(field):
        """Each row's events, by their ids, only ever go forward, and end with what is there."""
        seen = {}
        for op, key, v in field.history("nr", "v"):
            assert seen.get(key) != "gone", (key, op)
            if op == "delete":
                seen[key] = "gone"
            else:
                assert v >= seen.get(key, 0), (key, op, v, seen.get(key))
                seen[key] = v
        there = {str(nr): v for nr, v in field.rows("SELECT nr, v FROM orders")}
        assert {key: v for key, v in seen.items() if v != "gone"} == there
