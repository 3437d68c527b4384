"""Which events are claimed from a SQLite database, in which order."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import make_url

from stranglerfig.adapters.capture.dialect import Claim
from stranglerfig.adapters.capture.events import EVENTS
from stranglerfig.adapters.capture.sqlite.dialect import SqliteCapture


@pytest.fixture
def table(tmp_path):
    (tmp_path / "l.db").touch()
    table = Events(tmp_path)
    yield table
    table.connection.close()


class Events:
    def __init__(self, root):
        self.dialect = SqliteCapture()
        engine = self.dialect.engine(make_url("sqlite:///l.db"), root, place="url", patience=1.0)
        self.connection = engine.connect()
        for piece in self.dialect.shared():
            self.connection.exec_driver_sql(piece.create)
        self.now = time.time()

    def put(self, key, count=1, **values):
        row = {"source": "s", "op": "insert", "schema_hash": "h", "created_at": self.now, **values}
        rows = [{**row, "key": key, "event_id": f"{key}{at}"} for at in range(count)]
        self.connection.execute(insert(EVENTS), rows)

    def claim(self, limit=100, later=0.0, source="s"):
        now = self.now + later
        claim = Claim(source=source, limit=limit, token="t", now=now, until=now + 30, suspects=True)
        return [(one.key, one.id) for one in self.dialect.claim(self.connection, claim)]

    def set(self, event_id, **values):
        self.connection.execute(update(EVENTS).where(EVENTS.c.id == event_id).values(values))

    def free(self):
        self.connection.execute(update(EVENTS).values(lease_token=None, lease_until=None))

    def done(self):
        self.connection.execute(
            update(EVENTS)
            .where(EVENTS.c.lease_token.is_not(None))
            .values(done_at=self.now, lease_token=None, lease_until=None)
        )


def test_live_events_go_before_history_that_is_older(table):
    table.put("old", 1, priority=9, op="read")
    table.put("older", 1, priority=9, op="read")
    table.put("new")
    assert table.claim(2) == [("new", 3), ("old", 1)]


def test_a_great_backfill_starves_nobody(table):
    table.connection.exec_driver_sql("BEGIN")
    for at in range(3_000):
        table.put(f"h{at}", 1, priority=9, op="read")
    table.put("live")
    table.connection.exec_driver_sql("COMMIT")
    assert table.claim(1) == [("live", 3_001)]
    assert len(table.claim(100)) == 100


def test_history_that_a_live_event_waits_behind_goes_before_other_history(table):
    for at in range(20):
        table.put(f"h{at}", 1, priority=9, op="read")
    table.put("h17")
    assert table.claim(1) == [("h17", 18)]
    assert ("h17", 21) not in table.claim(3)
    table.done()
    assert table.claim(1) == [("h17", 21)]


def test_of_a_key_there_is_one_at_a_time_in_order(table):
    table.put("a", 3)
    table.put("b", 2)
    assert table.claim() == [("a", 1), ("b", 4)]
    assert table.claim() == []
    table.done()
    assert table.claim() == [("a", 2), ("b", 5)]


def test_what_is_parked_lets_others_pass_until_it_is_due(table):
    table.put("a", 3)
    table.set(1, parked=1, next_at=table.now + 10)
    assert table.claim() == [("a", 2)]
    # It is due now, and one of its key is in somebody's hands: never two of a key.
    assert table.claim(later=11) == []
    table.done()
    assert table.claim(later=11) == [("a", 1)]
    table.done()
    assert table.claim(later=11) == [("a", 3)]


def test_what_waits_and_is_not_parked_holds_its_key_back(table):
    table.put("a", 2)
    table.set(1, next_at=table.now + 60)
    assert table.claim() == []
    assert table.claim(later=61) == [("a", 1)]


def test_what_is_dead_and_blocks_holds_its_key_and_is_never_claimed(table):
    table.put("a", 2)
    table.put("b")
    table.set(1, parked=2, dead_reason="no")
    assert table.claim() == [("b", 3)]
    table.done()
    table.set(1, done_at=table.now)
    assert table.claim() == [("a", 2)]


def test_another_source_has_its_own_order(table):
    table.put("a")
    table.put("a", 1, source="other")
    assert table.claim() == [("a", 1)]
    assert table.claim(source="other") == [("a", 2)]


def test_a_lease_that_ran_out_is_counted_as_lost(table):
    table.put("a")
    table.claim()
    assert table.claim(later=31) == [("a", 1)]
    row = table.connection.execute(select(EVENTS.c.attempts, EVENTS.c.lost)).one()
    assert tuple(row) == (2, 1)
