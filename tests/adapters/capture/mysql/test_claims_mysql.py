"""Claims on MariaDB: heads of keys, live ones first, nothing twice, nothing waited for."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from stranglerfig.adapters.capture.dialect import Claim
from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture


def put(legacy, key: str, *, number: int = 1, source: str = "s", **columns) -> None:
    """Put events of a key into the capture table, as a trigger does."""
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    legacy.ours(
        f"INSERT INTO fig_event (event_id, source, `key`, op, schema_hash, created_at{names})"
        f" SELECT MD5(UUID()), '{source}', {key}, 'insert', 'h', 1{values} FROM seq_1_to_{number}"
    )


def claim(legacy, limit: int = 10, *, token: str = "t", suspects: bool = True, dialect=None):
    wish = Claim(
        source="s", limit=limit, token=token, now=0, until=0, suspects=suspects, lease=30.0
    )
    return (dialect or legacy.dialect).claim(legacy.connection, wish)


def keys(events) -> list[str]:
    return [event.key for event in events]


def change(legacy, key: str, values: str) -> None:
    legacy.ours(f"UPDATE fig_event SET {values} WHERE `key` = '{key}' ORDER BY id LIMIT 1")


DONE = "done_at = 1, lease_token = NULL, lease_until = NULL"


def test_the_heads_of_keys_oldest_first_and_one_of_each(legacy):
    for key in "abacb":
        put(legacy, f"'{key}'")
    put(legacy, "'elsewhere'", source="other")
    events = claim(legacy)
    assert keys(events) == ["a", "b", "c"]
    assert [event.id for event in events] == [1, 2, 4]
    assert {(event.attempts, event.lost, event.lease_token) for event in events} == {(1, 0, "t")}
    assert claim(legacy) == []
    change(legacy, "a", DONE)
    assert [event.id for event in claim(legacy, token="u")] == [3]


def test_no_more_than_the_limit_and_live_ones_before_history(legacy):
    put(legacy, "CONCAT('h', seq)", number=3, priority=9)
    put(legacy, "CONCAT('l', seq)", number=3)
    assert keys(claim(legacy, 2)) == ["l1", "l2"]
    assert keys(claim(legacy, 2)) == ["l3", "h1"]
    assert keys(claim(legacy, 9)) == ["h2", "h3"]


def test_history_that_holds_a_live_event_back_goes_before_other_history(legacy):
    put(legacy, "CONCAT('h', seq)", number=1_500, priority=9)
    put(legacy, "'h1400'")
    first = claim(legacy, 1)
    assert [(event.key, event.priority) for event in first] == [("h1400", 9)]
    change(legacy, "h1400", DONE)
    assert [(event.key, event.priority) for event in claim(legacy, 1)] == [("h1400", 0)]


def test_what_is_not_due_or_leased_holds_its_key(legacy):
    for key in "aabbcc":
        put(legacy, f"'{key}'")
    change(legacy, "a", "next_at = UNIX_TIMESTAMP() + 60")
    change(legacy, "b", "lease_token = 'x', lease_until = UNIX_TIMESTAMP() + 60")
    assert keys(claim(legacy)) == ["c"]
    change(legacy, "b", "lease_until = UNIX_TIMESTAMP() - 1")
    (again,) = claim(legacy)
    assert (again.key, again.attempts, again.lost) == ("b", 1, 1)


def test_a_parked_event_lets_others_pass_until_it_is_due(legacy):
    for key in "aab":
        put(legacy, f"'{key}'")
    change(legacy, "a", "parked = 1, next_at = UNIX_TIMESTAMP() + 60")
    assert [event.id for event in claim(legacy)] == [2, 3]
    change(legacy, "a", "next_at = 0")
    assert claim(legacy) == []  # the second of its key is in somebody's hands
    legacy.ours(f"UPDATE fig_event SET {DONE} WHERE id = 2")
    assert [event.id for event in claim(legacy)] == [1]
    put(legacy, "'a'")
    assert claim(legacy) == []


def test_a_dead_event_that_blocks_holds_its_key_for_good(legacy):
    for key in "aab":
        put(legacy, f"'{key}'")
    change(legacy, "a", "parked = 2, dead_reason = 'no'")
    assert [event.id for event in claim(legacy)] == [3]
    change(legacy, "a", DONE)
    assert [event.id for event in claim(legacy)] == [2]


def test_suspects_come_one_at_a_time_and_only_where_wanted(legacy):
    put(legacy, "CONCAT('k', seq)", number=4)
    legacy.ours("UPDATE fig_event SET lost = 2 WHERE id < 3")
    assert keys(claim(legacy, suspects=False)) == ["k3", "k4"]
    assert keys(claim(legacy)) == ["k1"]
    assert keys(claim(legacy)) == ["k2"]


def test_a_key_behind_a_deep_one_is_reached(legacy):
    put(legacy, "'deep'", number=7_000)
    put(legacy, "'late'")
    assert keys(claim(legacy, 5)) == ["deep"]
    for _ in range(3):
        found = claim(legacy, 5)
        if found:
            break
    assert keys(found) == ["late"]


@pytest.mark.parametrize("expression", ["'deep'", "CONCAT('k', seq)", "CONCAT('k', seq MOD 900)"])
def test_a_claim_reads_a_bounded_part_of_what_waits(legacy, expression):
    put(legacy, expression, number=40_000)
    put(legacy, "CONCAT('k', seq)", number=3_000, done_at=1)
    claim(legacy, 1)
    count = "SELECT SUM(VARIABLE_VALUE) FROM information_schema.SESSION_STATUS WHERE"
    read = f"{count} VARIABLE_NAME LIKE 'Handler_read%'"
    before = legacy.ours(read)[0][0]
    claim(legacy, 100)
    assert legacy.ours(read)[0][0] - before < 30_000


def test_nobody_waits_for_a_claim_and_a_claim_waits_for_nobody(legacy):
    """What holds a claim's locks while it is under way neither stops legacy nor other claims."""
    legacy.run("CREATE TABLE t (id INT PRIMARY KEY)")
    legacy.capture("t")
    legacy.run("INSERT INTO t VALUES (1), (2), (3)")
    with legacy.engine.connect() as other:
        other.exec_driver_sql("START TRANSACTION")
        other.exec_driver_sql(
            "SELECT id FROM fig_event FORCE INDEX (PRIMARY) WHERE id IN (1, 3) FOR UPDATE"
        )
        other.exec_driver_sql(
            "UPDATE fig_event SET lease_token = 'o', lease_until = 1 WHERE id = 1"
        )
        session = legacy.connect("SET SESSION innodb_lock_wait_timeout = 0")
        legacy.run("INSERT INTO t VALUES (4), (5)", session=session)
        assert keys(claim(legacy)) == ["2", "4", "5"]
        other.exec_driver_sql("ROLLBACK")
    assert keys(claim(legacy)) == ["1", "3"]


def test_many_processes_share_a_table_and_no_event_is_had_twice(legacy):
    number, each = 40, 5
    put(legacy, f"CONCAT('k', seq MOD {number})", number=number * each)
    taken: list[tuple[str, int]] = []
    failures: list[BaseException] = []

    def work() -> None:
        dialect = MySqlCapture()
        try:
            with legacy.engine.connect() as connection:
                until = time.monotonic() + 60
                while len(taken) < number * each and time.monotonic() < until:
                    wish = Claim(
                        source="s", limit=7, token="t", now=0, until=0, suspects=True, lease=30.0
                    )
                    events = dialect.claim(connection, wish)
                    taken.extend((event.key, event.id) for event in events)
                    for event in events:
                        connection.exec_driver_sql(
                            f"UPDATE fig_event SET {DONE} WHERE id = {event.id}"
                        )
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert failures == []
    assert len(taken) == len(set(taken)) == number * each
    for key in {key for key, _ in taken}:
        ids = [event_id for one, event_id in taken if one == key]
        assert ids == sorted(ids)


def test_a_deadlock_is_tried_again(legacy, monkeypatch):
    from stranglerfig.adapters.capture.mysql import lease as module

    put(legacy, "'a'")
    tries = []
    real = module._lease

    def deadlocks(connection, claim, ids):
        tries.append(1)
        if len(tries) < 3:
            connection.exec_driver_sql("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")
        return real(connection, claim, ids)

    monkeypatch.setattr(module, "_lease", deadlocks)
    assert keys(claim(legacy)) == ["a"]
    monkeypatch.setattr(
        module,
        "_lease",
        lambda connection, *_: connection.exec_driver_sql(
            "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"
        ),
    )
    put(legacy, "'b'")
    with pytest.raises(OperationalError):
        claim(legacy)


def test_leases_are_kept_by_the_clock_of_the_database(legacy):
    put(legacy, "'a'")
    claim(legacy)
    ((until,),) = legacy.ours("SELECT lease_until FROM fig_event")
    now = legacy.dialect.now(legacy.connection)
    assert abs(until - now - 30) < 5
    assert abs(now - legacy.ours("SELECT UNIX_TIMESTAMP(SYSDATE(6))")[0][0].__float__()) < 5
    assert legacy.dialect.stamp(legacy.connection) == -1
    assert legacy.dialect.waker(legacy.engine, "s") is None
