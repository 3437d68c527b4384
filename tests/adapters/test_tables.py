"""The table source on real SQLite files: the contract, and what only a table has."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.capture.sqlite.dialect import SqliteCapture
from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import ConfigError, FigError, LegacyError, LegacyUnavailable
from stranglerfig.model import Settlement
from stranglerfig.ports import Installable, Source
from stranglerfig.testing.source import SourceContract

DONE = Settlement(outcome="done")
TICKETS = "CREATE TABLE tickets (id INTEGER PRIMARY KEY, account TEXT, text TEXT)"


def make(root: Path, **options: object) -> TableSource:
    table = {"url": "sqlite:///legacy.db", "table": "tickets", "poll": 0.01, **options}
    name = str(table.pop("name", "tickets"))
    return TableSource(name=name, options=table, place=f"fig.toml: legacy.{name}", root=root)


@pytest.fixture
def legacy(tmp_path: Path):
    with contextlib.closing(sqlite3.connect(tmp_path / "legacy.db")) as connection:
        connection.execute(TICKETS)
        connection.commit()
        yield connection


class TableFeed:
    secrets = ()

    def __init__(self, source: TableSource, legacy: sqlite3.Connection) -> None:
        self.source, self._legacy = source, legacy

    async def put(self, key: str, text: str) -> bytes:
        row = self._legacy.execute(
            "INSERT INTO tickets (account, text) VALUES (?, ?)", (key, text)
        ).lastrowid
        self._legacy.commit()
        image = {"id": str(row), "account": key, "text": text}
        # SQLite leaves DEL and everything above as it is, as JSON allows.
        return json.dumps(image, ensure_ascii=False, separators=(",", ":")).encode()


class TestTableSource(SourceContract):
    @pytest.fixture
    async def feed(self, tmp_path: Path, legacy: sqlite3.Connection) -> AsyncIterator[TableFeed]:
        source = make(tmp_path, key="account", large=100_000)
        source.install()
        yield TableFeed(source, legacy)
        await source.close()


async def drain(source: TableSource, *, timeout: float = 0.2) -> list[dict[str, str | None]]:
    await source.open()
    images = []
    while deliveries := await source.receive(100, timeout):
        for delivery in deliveries:
            images.append(json.loads(delivery.record.body))
            await delivery.settle(DONE)
    await source.close()
    return images


def test_it_is_a_source_and_can_be_installed(tmp_path):
    source = make(tmp_path)
    assert isinstance(source, Source)
    assert isinstance(source, Installable)


# What stands in the legacy database


def everything(legacy: sqlite3.Connection) -> set[tuple[str, str]]:
    rows = legacy.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return set(rows)


def test_install_runs_exactly_its_plan_and_remove_takes_exactly_that(tmp_path, legacy):
    source = make(tmp_path, operations=["insert", "update", "delete"])
    before = everything(legacy)
    plan = source.install_plan()
    assert everything(legacy) == before
    with contextlib.closing(sqlite3.connect(":memory:")) as other:
        other.execute(TICKETS)
        for statement in plan:
            other.execute(statement)
        planned = set(other.execute("SELECT type, name, sql FROM sqlite_master"))
    source.install()
    assert set(legacy.execute("SELECT type, name, sql FROM sqlite_master")) == planned
    names = {f"fig_tickets_{operation}" for operation in ("insert", "update", "delete")}
    assert {name for kind, name in everything(legacy) if kind == "trigger"} == names
    removal = source.remove_plan()
    assert removal[0].startswith("DROP TRIGGER")
    assert removal[-1] == 'DROP TABLE IF EXISTS "fig_installed"'
    source.remove()
    assert everything(legacy) == before


def test_install_and_remove_again_do_nothing(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    standing = everything(legacy)
    assert source.install_plan() == []
    source.install()
    assert everything(legacy) == standing
    source.remove()
    assert source.remove_plan() == []
    source.remove()


def test_an_installation_follows_changed_options(tmp_path, legacy):
    make(tmp_path, operations=["insert", "update"]).install()
    changed = make(tmp_path, columns=["text"])
    plan = [line.split("\n")[0].split("AFTER")[0].strip() for line in changed.install_plan()]
    assert [line for line in plan if line.split()[1] == "TRIGGER"] == [
        'DROP TRIGGER IF EXISTS "fig_tickets_update"',
        'DROP TRIGGER IF EXISTS "fig_tickets_insert"',
        'CREATE TRIGGER "fig_tickets_insert"',
    ]
    changed.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'b')")
    legacy.commit()
    assert legacy.execute("SELECT after FROM fig_event").fetchall() == [("\"text\"='b'",)]


def test_a_failed_install_leaves_nothing(tmp_path, legacy):
    legacy.execute("CREATE TRIGGER fig_tickets_update AFTER UPDATE ON tickets BEGIN SELECT 1; END")
    legacy.commit()
    before = everything(legacy)
    with pytest.raises(LegacyError, match=r"fig_tickets_update.? already exists"):
        make(tmp_path, operations=["insert", "update"]).install()
    assert everything(legacy) == before


def test_two_sources_share_the_capture_table(tmp_path, legacy):
    legacy.execute("CREATE TABLE claims (id INTEGER PRIMARY KEY, text TEXT)")
    tickets, claims = make(tmp_path), make(tmp_path, name="claims", table="claims")
    tickets.install()
    claims.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'b')")
    legacy.execute("INSERT INTO claims VALUES (1, 'c')")
    legacy.commit()
    tickets.remove(discard=True)
    assert ("trigger", "fig_claims_insert") in everything(legacy)
    assert legacy.execute("SELECT source FROM fig_event").fetchall() == [("claims",)]
    claims.remove(discard=True)
    assert ("table", "fig_event") not in everything(legacy)


def test_a_table_has_one_source(tmp_path, legacy):
    make(tmp_path).install()
    with pytest.raises(LegacyError, match="captured for another source already"):
        make(tmp_path, name="other").install()
    make(tmp_path, name="other").remove()
    assert ("trigger", "fig_tickets_insert") in everything(legacy)


async def test_remove_refuses_while_events_wait(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'b')")
    legacy.commit()
    with pytest.raises(LegacyError, match="1 captured events are not settled"):
        source.remove()
    assert ("trigger", "fig_tickets_insert") in everything(legacy)
    assert len(await drain(source)) == 1
    source.remove()
    assert everything(legacy) == {("table", "tickets")}


def test_remove_works_after_the_table_is_gone(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("DROP TABLE tickets")
    legacy.commit()
    source.remove()
    assert everything(legacy) == set()


# The legacy transaction


async def test_rolled_back_means_no_event_and_many_rows_mean_many(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'gone', '')")
    legacy.rollback()
    legacy.execute("INSERT INTO tickets VALUES (2, 'x', ''), (3, 'y', ''), (4, 'z', '')")
    legacy.execute("SAVEPOINT part")
    legacy.execute("INSERT INTO tickets VALUES (5, 'gone', '')")
    legacy.execute("ROLLBACK TO part")
    legacy.commit()
    legacy.execute("INSERT INTO tickets SELECT id + 10, account, text FROM tickets")
    legacy.commit()
    images = await drain(source)
    assert [image["id"] for image in images] == ["2", "3", "4", "12", "13", "14"]


async def test_replace_ignore_and_upsert(tmp_path, legacy):
    source = make(tmp_path, operations=["insert", "update"])
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'first')")
    legacy.execute("REPLACE INTO tickets VALUES (1, 'a', 'replaced')")
    legacy.execute("INSERT OR IGNORE INTO tickets VALUES (1, 'a', 'ignored')")
    upsert = "ON CONFLICT (id) DO UPDATE SET text = excluded.text"
    legacy.execute(f"INSERT INTO tickets VALUES (1, 'a', 'upserted') {upsert}")
    legacy.commit()
    images = await drain(source)
    assert [image["text"] for image in images] == ["first", "replaced", "upserted"]


async def test_updates_and_deletes_carry_their_images(tmp_path, legacy):
    source = make(tmp_path, operations=["insert", "update", "delete"])
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', 'old')")
    legacy.execute("UPDATE tickets SET text = NULL")
    legacy.execute("DELETE FROM tickets")
    legacy.commit()
    await source.open()
    seen = []
    while deliveries := await source.receive(10, 0.2):
        for delivery in deliveries:
            record = delivery.record
            seen.append((record.header("op"), json.loads(record.body)["text"], record.key))
            if record.header("op") == "update":
                assert json.loads(record.header("before") or "")["text"] == "old"
                assert (record.header("before-kinds"), record.header("kinds")) == ("itt", "itn")
            await delivery.settle(DONE)
    await source.close()
    assert seen == [("insert", "old", "1"), ("update", None, "1"), ("delete", None, "1")]


def test_the_legacy_program_sees_its_own_counts(tmp_path, legacy):
    make(tmp_path).install()
    cursor = legacy.execute("INSERT INTO tickets (id, account) VALUES (77, 'a')")
    assert cursor.lastrowid == 77
    assert legacy.execute("SELECT last_insert_rowid(), changes()").fetchone() == (77, 1)


def test_a_strict_legacy_connection_can_write(tmp_path, legacy):
    make(tmp_path).install()
    for pragma in ("trusted_schema = OFF", "foreign_keys = ON", "recursive_triggers = ON"):
        legacy.execute(f"PRAGMA {pragma}")
    legacy.execute("REPLACE INTO tickets VALUES (1, 'a', 'b')")
    legacy.commit()
    assert legacy.execute("SELECT count(*) FROM fig_event").fetchone() == (1,)


# Errors


def test_a_missing_table_or_column_is_named(tmp_path, legacy):
    with pytest.raises(LegacyError, match="did you mean 'tickets'") as caught:
        make(tmp_path, table="ticket").install()
    assert "legacy.db" in caught.value.place
    with pytest.raises(LegacyError, match="did you mean 'text'"):
        make(tmp_path, columns=["txt"]).install_plan()
    with pytest.raises(LegacyError, match="no such column"):
        make(tmp_path, key="nothing").install_plan()
    legacy.execute("CREATE VIEW seen AS SELECT * FROM tickets")
    with pytest.raises(LegacyError, match="cannot be captured"):
        make(tmp_path, table="seen").install_plan()


async def test_a_missing_database_is_not_created(tmp_path):
    source = make(tmp_path)
    with pytest.raises(LegacyUnavailable, match="cannot be opened"):
        source.install()
    with pytest.raises(LegacyUnavailable, match="never created"):
        await source.open()
    assert not (tmp_path / "legacy.db").exists()


async def test_not_installed_says_which_command(tmp_path, legacy):
    source = make(tmp_path)
    with pytest.raises(LegacyError, match="fig adapter install tickets"):
        await source.open()
    source.install()
    legacy.execute("DROP TRIGGER fig_tickets_insert")
    with pytest.raises(LegacyError, match="fig_tickets_insert"):
        await source.open()


@pytest.mark.usefixtures("legacy")
async def test_capture_removed_while_open_says_so(tmp_path):
    source = make(tmp_path)
    source.install()
    await source.open()
    make(tmp_path).remove()
    with pytest.raises(LegacyError, match="capture is not installed"):
        await source.receive(1, 30.0)
    await source.close()


async def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "legacy.db").write_bytes(b"no database " * 100)
    with pytest.raises(LegacyError, match="not a sound SQLite file"):
        await make(tmp_path).open()


@pytest.mark.usefixtures("legacy")
def test_a_read_only_database_says_so(tmp_path):
    path = tmp_path / "legacy.db"
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.exec_driver_sql("CREATE TABLE fig_event (id)")
    error = SqliteCapture().trouble(caught.value, place="legacy.db", name="tickets")
    assert type(error) is LegacyError
    assert "read-only" in str(error)
    assert "write rights" in error.remedy
    assert "CREATE" not in str(error)


def test_a_locked_database_says_so(tmp_path, legacy):
    legacy.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LegacyUnavailable, match="the database is locked"):
        make(tmp_path).install()
    legacy.rollback()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "not a url"}, "not a URL"),
        ({"url": "postgresql://u:hush@h/db"}, "holds a password.*env:NAME"),
        ({"url": "postgresql://u@h/db?password=hush"}, "holds a password"),
        ({"url": "oracle://u@h/db"}, "cannot be captured"),
        ({"url": "postgresql://u@h"}, "names no database"),
        ({"home": "fig"}, "a SQLite file has none"),
        ({"password": "env:X"}, "a SQLite file has none"),
        ({"url": "sqlite://"}, "names no file"),
        ({"table": 3}, "Expected `str`"),
        ({"tabel": "x"}, "did you mean 'table'"),
        ({"operations": []}, "captures nothing"),
        ({"operations": ["upsert"]}, "Invalid enum value"),
        ({"lease": 0}, "too small"),
    ],
)
def test_wrong_options(tmp_path, options, said):
    with pytest.raises(ConfigError, match=said) as caught:
        make(tmp_path, **options)
    assert "hush" not in str(caught.value)
    assert "legacy.tickets" in caught.value.place


# Leases


async def test_two_processes_never_hold_one_key(tmp_path, legacy):
    ours, theirs = make(tmp_path, key="account"), make(tmp_path, key="account")
    ours.install()
    for at in range(20):
        legacy.execute("INSERT INTO tickets VALUES (?, ?, '')", (at, f"a{at % 4}"))
    legacy.commit()
    await ours.open()
    await theirs.open()
    mine = await ours.receive(3, 0.5)
    other = await theirs.receive(10, 0.5)
    assert len(mine) == 3
    assert [delivery.record.key for delivery in other] == ["a3"]
    assert list(await theirs.receive(10, 0.1)) == []
    await mine[0].settle(DONE)
    (following,) = await theirs.receive(10, 2.0)
    assert following.record.key == mine[0].record.key
    await ours.close()
    await theirs.close()


async def test_a_lost_lease_marks_nothing(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    legacy.commit()
    await source.open()
    (delivery,) = await source.receive(1, 1.0)
    legacy.execute("UPDATE fig_event SET lease_token = 'another', lease_until = 9e9")
    legacy.commit()
    with pytest.raises(LegacyError, match="the lease was lost, so nothing was marked"):
        await delivery.settle(DONE)
    row = legacy.execute("SELECT done_at, lease_token FROM fig_event").fetchone()
    assert row == (None, "another")
    await source.close()
    assert legacy.execute("SELECT lease_token FROM fig_event").fetchone() == ("another",)


async def test_a_lease_that_ran_out_is_taken_by_another(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    legacy.execute(
        "UPDATE fig_event SET lease_token = 'far:1:2:x', attempts = 1, lease_until = ?",
        (time.time() + 0.5,),
    )
    legacy.commit()
    await source.open()
    assert list(await source.receive(1, 0.1)) == []
    (delivery,) = await source.receive(1, 5.0)
    assert delivery.attempt == 2
    await delivery.settle(DONE)
    await source.close()


async def test_a_lease_is_renewed_while_its_work_lasts(tmp_path, legacy):
    ours, theirs = make(tmp_path, lease=1.0), make(tmp_path, lease=1.0)
    ours.install()
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    legacy.commit()
    await ours.open()
    (delivery,) = await ours.receive(1, 1.0)
    first = legacy.execute("SELECT lease_until FROM fig_event").fetchone()[0]
    await theirs.open()
    while time.time() < first + 0.2:
        assert list(await theirs.receive(1, 0.2)) == []
    await delivery.settle(DONE)
    await ours.close()
    await theirs.close()


async def test_settled_events_stay_for_a_while_and_the_dead_until_it_is_decided(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    for at in range(3):
        legacy.execute("INSERT INTO tickets VALUES (?, 'a', '')", (at,))
    legacy.commit()
    await source.open()
    first, second, third = await source.receive(3, 1.0)
    await first.settle(DONE)
    await second.settle(Settlement(outcome="dead", reason="unreadable"))
    await third.settle(Settlement(outcome="retry", delay=60))
    await source.close()
    claims, _ = source._claims()
    assert claims.sweep(keep=60) == 0
    assert claims.sweep(keep=0) == 1
    claims.close()
    rows = legacy.execute("SELECT key, dead_reason FROM fig_event ORDER BY id").fetchall()
    assert rows == [("1", "unreadable"), ("2", None)]


async def test_of_what_may_kill_its_process_one_is_claimed_at_a_time(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    for at in range(5):
        legacy.execute("INSERT INTO tickets VALUES (?, 'a', '')", (at,))
    legacy.execute(
        "UPDATE fig_event SET lost = 1 + (id < 4), attempts = 2, lease_token = 'x',"
        " lease_until = 1 WHERE id < 5"
    )
    legacy.commit()
    await source.open()
    first = await source.receive(10, 1.0)
    assert [delivery.record.key for delivery in first] == ["0", "3", "4"]
    assert legacy.execute("SELECT lost FROM fig_event").fetchall() == [(3,), (2,), (2,), (2,), (0,)]
    assert list(await source.receive(10, 0.1)) == []
    for key in ("1", "2"):
        await asyncio.gather(*(delivery.settle(DONE) for delivery in first))
        first = await source.receive(10, 1.0)
        assert [(delivery.record.key, delivery.attempt) for delivery in first] == [(key, 3)]
    await source.close()


async def test_a_deep_key_starves_nobody(tmp_path, legacy):
    source = make(tmp_path, key="account")
    source.install()
    legacy.executemany("INSERT INTO tickets (account) VALUES (?)", [("deep",)] * 2_500)
    legacy.executemany("INSERT INTO tickets (account) VALUES (?)", [("b",), ("c",)])
    legacy.commit()
    await source.open()
    keys = [delivery.record.key for delivery in await source.receive(10, 1.0)]
    assert sorted(keys) == ["b", "c", "deep"]
    await source.close()


async def test_a_legacy_writer_that_does_not_wait_long_is_not_blocked(tmp_path, legacy):
    """While we claim and settle without pause, a writer with 250 ms of patience never fails."""
    source = make(tmp_path, batch=20)
    source.install()
    legacy.execute("PRAGMA busy_timeout = 250")
    total = 300

    def write() -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "legacy.db", timeout=0.25)) as writer:
            for at in range(total):
                writer.execute("INSERT INTO tickets VALUES (?, 'a', '')", (at,))
                writer.commit()

    writing = asyncio.create_task(asyncio.to_thread(write))
    await source.open()
    done = 0
    while done < total:
        deliveries = await source.receive(20, 1.0)
        await asyncio.gather(*(delivery.settle(DONE) for delivery in deliveries))
        done += len(deliveries)
        if writing.done():
            writing.result()
    await writing
    await source.close()


async def test_a_long_legacy_transaction_is_waited_out(tmp_path, legacy):
    source = make(tmp_path)
    source.install()
    legacy.execute("PRAGMA journal_mode = WAL")
    legacy.execute("INSERT INTO tickets VALUES (1, 'a', '')")
    legacy.commit()
    await source.open()
    legacy.execute("BEGIN IMMEDIATE")
    legacy.execute("INSERT INTO tickets VALUES (2, 'b', '')")
    assert list(await source.receive(10, 0.1)) == []
    legacy.commit()
    got = [delivery async for delivery in _some(source, 2)]
    assert {delivery.record.key for delivery in got} == {"1", "2"}
    with pytest.raises(FigError):
        await _settle_twice(got[0])
    await source.close()


async def _some(source: TableSource, count: int):
    while count:
        for delivery in await source.receive(count, 5.0):
            count -= 1
            yield delivery


async def _settle_twice(delivery) -> None:
    await delivery.settle(DONE)
    await delivery.settle(DONE)
