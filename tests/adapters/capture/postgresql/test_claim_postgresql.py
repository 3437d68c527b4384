"""What a claim reads, counted in pages: bounded however much waits, and however it is spread."""

from __future__ import annotations

import pytest

from stranglerfig.adapters.capture.postgresql.claim import _SETTINGS, Heads


def pages_and_rows(desk, *, limit: int) -> tuple[int, int]:
    desk.legacy.execute(_SETTINGS)
    values = {"source": "tickets", "live": 0, "history": 0, "suspects": True, "limit": limit}
    statement = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + Heads("public")._statement
    with desk.legacy.transaction(force_rollback=True):
        cursor = desk.legacy.execute(statement, {**values, "token": "t", "lease": 10.0})
        (((plan,),),) = [cursor.fetchone()]
        leased = desk.events("id", where="lease_token = 't'")
    return plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"], len(leased)


@pytest.mark.parametrize("analysed", [True, False])
@pytest.mark.parametrize(
    ("key", "heads"),
    [("'k' || n", 100), ("CASE WHEN n % 50 = 0 THEN 'k' || n ELSE 'deep' END", 21), ("'one'", 1)],
)
def test_a_claim_reads_no_more_than_its_windows_need(desk, key, heads, analysed):
    """A walk over all that waits, or was done, reads thousands of pages a key."""
    source = desk.installed(key="account", notify="never", level="statement")
    rows = "INSERT INTO tickets SELECT n, {}, '' FROM generate_series({}, {}) n"
    desk.legacy.execute("ALTER TABLE fig_event SET (autovacuum_enabled = false)")
    desk.legacy.execute(rows.format("'gone' || n % 9", 1, 8_000))
    desk.legacy.execute("UPDATE fig_event SET done_at = 1")
    desk.legacy.execute("VACUUM fig_event")
    desk.legacy.execute(rows.format(key, 8_001, 20_000))
    if analysed:
        desk.legacy.execute("ANALYZE fig_event")
    pages, claimed = pages_and_rows(desk, limit=100)
    assert claimed == heads
    assert pages < 4_000
    assert source.install_plan() == []


def test_a_claim_walks_in_order_also_where_all_was_done_when_statistics_were_made(desk):
    """To the planner one event waits then, and to read and sort all that do costs it no more."""
    desk.installed(key="account", notify="never", level="statement")
    rows = "INSERT INTO tickets SELECT n, n, '' FROM generate_series({}, {}) n"
    desk.legacy.execute("ALTER TABLE fig_event SET (autovacuum_enabled = false)")
    desk.legacy.execute(rows.format(1, 30_000))
    desk.legacy.execute("UPDATE fig_event SET done_at = 1")
    desk.legacy.execute("ANALYZE fig_event")
    desk.legacy.execute(rows.format(30_001, 40_000))
    pages, claimed = pages_and_rows(desk, limit=100)
    assert claimed == 100
    assert pages < 4_000
