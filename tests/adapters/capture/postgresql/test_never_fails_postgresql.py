"""Whatever becomes of ours, the legacy transaction goes through, and what was missed is counted."""

from __future__ import annotations

import contextlib
import threading
import time

import psycopg
import pytest

from stranglerfig.tests.adapters.capture.postgresql.desk import Desk

ALL = ["insert", "update", "delete", "truncate"]
LEVELS = pytest.mark.parametrize("level", ["row", "statement"])


def work(legacy: psycopg.Connection) -> int:
    """Do everything that a legacy program does; give how many rows are there in the end."""
    with legacy.transaction():
        legacy.execute("INSERT INTO tickets VALUES (1, 'a', ''), (2, 'b', repeat('x', 70000))")
        legacy.execute("UPDATE tickets SET text = text || 'y'")
        legacy.execute("DELETE FROM tickets WHERE id = 1")
    legacy.execute("TRUNCATE tickets")
    legacy.execute("INSERT INTO tickets VALUES (3, 'c', '')")
    return legacy.execute("SELECT count(*) FROM tickets").fetchone()[0]


def missed(desk: Desk) -> int:
    ((last, called),) = desk.ask("SELECT last_value, is_called FROM fig_missed")
    return last if called else 0


@LEVELS
def test_the_capture_table_is_gone(desk, level):
    desk.installed(operations=ALL, level=level)
    desk.legacy.execute("DROP TABLE fig_event")
    assert work(desk.legacy) == 1
    gaps = desk.gaps()
    assert {op for op, _, _ in gaps} == set(ALL)
    assert all("42P01" in reason and "fig_event" in reason for _, _, reason in gaps)
    if level == "row":
        assert [key for op, key, _ in gaps if op == "insert"] == ["1", "2", "3"]


@LEVELS
def test_all_of_ours_is_gone_but_the_triggers(desk, level):
    desk.installed(operations=ALL, level=level)
    desk.legacy.execute("DROP TABLE fig_event, fig_gap, fig_large")
    said: list[str] = []
    desk.legacy.add_notice_handler(lambda notice: said.append(notice.message_primary))
    assert work(desk.legacy) == 1
    assert missed(desk) == len(said) == (7 if level == "row" else 5)
    assert all("of tickets was not captured: 42P01" in line for line in said)
    # A rolled-back transaction's counts stay: better one too many than one too few.
    with contextlib.suppress(ZeroDivisionError), desk.legacy.transaction():
        desk.legacy.execute("INSERT INTO tickets VALUES (9, '', '')")
        raise ZeroDivisionError
    assert missed(desk) == (8 if level == "row" else 6)
    desk.legacy.execute("DROP SEQUENCE fig_missed")
    desk.legacy.execute("TRUNCATE tickets")
    assert work(desk.legacy) == 1


def test_legacy_users_need_no_rights_and_owners_may_lose_theirs(desk):
    for role in ("legacy_user", "fig_owner"):
        desk.legacy.execute(
            f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    desk.installed(operations=ALL, home="fig")
    desk.legacy.execute("GRANT ALL ON tickets TO legacy_user")
    writer = desk.connect()
    writer.execute("SET ROLE legacy_user")
    assert work(writer) == 1
    assert len(desk.ask("SELECT op FROM fig.fig_event")) == 7
    assert desk.ask("SELECT op FROM fig.fig_gap") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute("SELECT * FROM fig.fig_event")
    # Whoever installed it has been taken the rights since.
    for operation in ALL:
        desk.legacy.execute(f"ALTER FUNCTION fig.fig_tickets_{operation}() OWNER TO fig_owner")
    writer.execute("TRUNCATE tickets")
    assert work(writer) == 1
    assert len(desk.ask("SELECT op FROM fig.fig_event")) == 7
    for role in ("legacy_user", "fig_owner"):
        desk.legacy.execute(f"DROP OWNED BY {role} CASCADE")


@LEVELS
def test_a_function_that_meets_a_row_that_it_does_not_know(desk, level):
    desk.installed(operations=ALL, level=level)
    desk.legacy.execute("ALTER TABLE tickets RENAME COLUMN text TO body")
    desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    ((op, _, reason),) = desk.gaps()
    assert (op, reason[:5]) == ("insert", "42703")
    assert desk.ask("SELECT count(*) FROM tickets") == [(1,)]


def test_a_full_disk(desk, tmp_path):
    """A tablespace of its own for our tables, on a disk that has no room."""
    desk.installed()
    desk.legacy.execute(
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'No space left on device';
           END $$;
           CREATE TRIGGER full_disk BEFORE INSERT ON fig_event
           FOR EACH ROW EXECUTE FUNCTION full_disk()"""
    )
    assert work(desk.legacy) == 1
    assert [(op, reason) for op, _, reason in desk.gaps()] == [
        ("insert", "53100 No space left on device")
    ] * 3


def test_a_lock_on_ours_is_waited_for_once_and_shortly(desk):
    """Legacy set no bound of its own; ours is half a second a transaction."""
    desk.installed()
    blocker = desk.connect(autocommit=False)
    blocker.execute("LOCK TABLE fig_event IN ACCESS EXCLUSIVE MODE")
    begun = time.monotonic()
    with desk.legacy.transaction():
        for at in range(30):
            desk.legacy.execute("INSERT INTO tickets VALUES (%s, 'a', '')", (at,))
    assert time.monotonic() - begun < 10
    assert desk.legacy.execute("SHOW lock_timeout").fetchone() == ("0",)
    blocker.rollback()
    assert [reason[:5] for *_, reason in desk.gaps()] == ["55P03"] * 30
    desk.legacy.execute("INSERT INTO tickets VALUES (99, 'a', '')")
    assert desk.events("key") == [("99",)]


def test_a_cancelled_statement_is_legacys_own_wish(desk):
    desk.installed()
    blocker = desk.connect(autocommit=False)
    blocker.execute("LOCK TABLE fig_event IN ACCESS EXCLUSIVE MODE")
    cancel = threading.Timer(0.2, desk.legacy.cancel)
    cancel.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    cancel.join()
    blocker.rollback()
    assert (desk.gaps(), desk.ask("SELECT count(*) FROM tickets")) == ([], [(0,)])


def test_a_legacy_transaction_may_be_serializable_or_read_nothing_of_ours(desk):
    desk.installed(operations=["insert", "update"])
    for level in ("SERIALIZABLE", "REPEATABLE READ"):
        desk.legacy.execute(f"BEGIN ISOLATION LEVEL {level}")
        desk.legacy.execute(
            "INSERT INTO tickets VALUES (1, 'a', '') ON CONFLICT (id) DO UPDATE SET text = 'x'"
        )
        desk.legacy.execute("COMMIT")
    assert desk.events() == [("insert", "1"), ("update", "1")]


@pytest.mark.parametrize("notify", ["auto", "never"])
def test_a_two_phase_commit_goes_through(desk, notify):
    """A transaction that notifies cannot be prepared: where there may be such, none is sent."""
    desk.installed(notify=notify)
    desk.legacy.execute("BEGIN")
    desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    desk.legacy.execute("PREPARE TRANSACTION 'one'")
    desk.legacy.execute("BEGIN")
    desk.legacy.execute("INSERT INTO tickets VALUES (2, 'a', '')")
    desk.legacy.execute("PREPARE TRANSACTION 'two'")
    assert desk.events() == []
    desk.legacy.execute("COMMIT PREPARED 'two'")
    desk.legacy.execute("ROLLBACK PREPARED 'one'")
    assert desk.events() == [("insert", "2")]


def test_a_transaction_notifies_once(desk):
    desk.installed(notify="always")
    listener = desk.connect()
    listener.execute("LISTEN fig_tickets")
    with desk.legacy.transaction():
        for at in range(3):
            desk.legacy.execute("INSERT INTO tickets VALUES (%s, 'a', '')", (at,))
        with contextlib.suppress(psycopg.Error), desk.legacy.transaction():
            desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    with contextlib.suppress(ZeroDivisionError), desk.legacy.transaction():
        desk.legacy.execute("INSERT INTO tickets VALUES (8, 'a', '')")
        raise ZeroDivisionError
    with desk.legacy.transaction():
        # What notified is rolled back, so what comes after it notifies.
        with contextlib.suppress(ZeroDivisionError), desk.legacy.transaction():
            desk.legacy.execute("INSERT INTO tickets VALUES (8, 'a', '')")
            raise ZeroDivisionError
        desk.legacy.execute("INSERT INTO tickets VALUES (9, 'a', '')")
    desk.legacy.execute("NOTIFY fig_tickets, 'the end'")
    heard = []
    for one in listener.notifies(timeout=10):
        if one.payload == "the end":
            break
        heard.append(one.payload)
    assert heard == ["", ""]


def test_rolled_back_means_no_event(desk):
    desk.installed()
    with contextlib.suppress(ZeroDivisionError), desk.legacy.transaction():
        desk.legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
        raise ZeroDivisionError
    with desk.legacy.transaction():
        desk.legacy.execute("INSERT INTO tickets VALUES (2, 'a', '')")
        with contextlib.suppress(ZeroDivisionError), desk.legacy.transaction():
            desk.legacy.execute("INSERT INTO tickets VALUES (3, 'a', '')")
            raise ZeroDivisionError
    assert desk.events() == [("insert", "2")]


def test_what_legacy_reads_back_is_its_own(desk):
    """RETURNING, row counts, the session's settings and its last value of a sequence."""
    desk.legacy.execute("CREATE TABLE numbered (id serial PRIMARY KEY, at timestamptz)")
    desk.installed(name="numbered", table="numbered", notify="always")
    desk.legacy.execute("SET DateStyle = 'SQL, DMY'")
    desk.legacy.execute("SET search_path = public")
    cursor = desk.legacy.execute("INSERT INTO numbered (at) VALUES (now()), (now()) RETURNING id")
    assert (cursor.fetchall(), cursor.rowcount) == ([(1,), (2,)], 2)
    settings = desk.ask(
        "SELECT current_setting('DateStyle'), current_setting('search_path'),"
        " currval('numbered_id_seq')"
    )
    assert settings == [("SQL, DMY", "public", 2)]
    assert desk.gaps() == []
