"""The table source on PostgreSQL: the contract, leases, wakes, drift."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from stranglerfig.errors import ConfigError, FigError, LegacyError, LegacyUnavailable, SchemaDrift
from stranglerfig.model import Lag, Settlement
from stranglerfig.ports import Lagging
from stranglerfig.testing.source import SourceContract, nothing

DONE = Settlement(outcome="done")


class PostgresFeed:
    secrets = ("hush",)

    def __init__(self, source, legacy) -> None:
        self.source, self._legacy = source, legacy
        self._last = 0

    async def put(self, key: str, text: str) -> bytes:
        # PostgreSQL's text holds no NUL.
        self._last += 1
        row = (self._last, key, text.replace("\x00", "\x01"))
        self._legacy.execute("INSERT INTO tickets VALUES (%s, %s, %s)", row)
        image = {"id": str(row[0]), "account": key, "text": row[2]}
        return json.dumps(image, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("feed", ["polling", "woken"], indirect=True)
class TestTableSourceOnPostgreSql(SourceContract):
    @pytest.fixture
    async def feed(self, desk, request, monkeypatch) -> AsyncIterator[PostgresFeed]:
        monkeypatch.setenv("LEGACY_PASSWORD", "hush")
        how = {"polling": {"notify": "never"}, "woken": {"notify": "always"}}[request.param]
        source = desk.installed(
            key="account", password="env:LEGACY_PASSWORD", inline=["text"], **how
        )
        yield PostgresFeed(source, desk.legacy)
        await source.close()


def insert(desk, *rows) -> None:
    with desk.legacy.cursor() as cursor:
        cursor.executemany("INSERT INTO tickets VALUES (%s, %s, '')", rows)


async def receive(source, count: int, *, limit: int = 100) -> list:
    got = []
    async with asyncio.timeout(60):
        while len(got) < count:
            got += await source.receive(limit, 1.0)
    return got


# Options


def test_a_password_is_read_when_a_connection_is_made(desk, monkeypatch):
    source = desk.source(password="env:LEGACY_PASSWORD")
    with pytest.raises(ConfigError, match="set the environment variable LEGACY_PASSWORD"):
        source.install()
    monkeypatch.setenv("LEGACY_PASSWORD", "hush")
    source.install()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://nobody@{host}/{db}", "does not let this user in"),
        ("postgresql://postgres@{host}/nowhere", "there is no such database"),
        ("postgresql://postgres@127.0.0.1:1/{db}", "cannot be reached"),
    ],
)
async def test_what_cannot_be_reached_says_why(desk, address, said):
    host, _, db = desk.url.rpartition("@")[2].partition("/")
    source = desk.source(url=address.format(host=host, db=db))
    with pytest.raises(LegacyUnavailable, match=said) as caught:
        await source.open()
    assert caught.value.remedy
    await source.close()


async def test_not_installed_says_which_command(desk):
    source = desk.source()
    with pytest.raises(LegacyError, match="fig adapter install tickets"):
        await source.open()
    source.install()
    desk.legacy.execute('DROP TRIGGER "00_fig_tickets_insert" ON tickets')
    with pytest.raises(LegacyError, match="00_fig_tickets_insert"):
        await source.open()


@pytest.mark.parametrize("operations", [["insert"], ["insert", "update", "delete", "truncate"]])
def test_what_was_installed_stands_and_goes_without_a_trace(desk, operations):
    def everything() -> set[tuple]:
        catalogue = """
            SELECT 'class', relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT 'function', proname FROM pg_proc
              WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^pg_'"""
        return set(desk.ask(catalogue))

    before = everything()
    source = desk.installed(operations=operations)
    assert source.install_plan() == []
    source.remove()
    assert everything() == before


async def test_a_home_of_its_own(desk):
    source = desk.installed(home="Fig ü")
    insert(desk, (1, "a"))
    assert (
        desk.ask(
            "SELECT relname FROM pg_class WHERE relname ~ '^fig_' AND relkind = 'r'"
            " AND relnamespace <> '\"Fig ü\"'::regnamespace"
        )
        == []
    )
    await source.open()
    (delivery,) = await receive(source, 1)
    await delivery.settle(DONE)
    await source.close()
    assert desk.ask('SELECT count(done_at) FROM "Fig ü".fig_event') == [(1,)]
    source.remove()
    assert desk.ask("SELECT nspname FROM pg_namespace WHERE nspname = 'Fig ü'") == []


# Leases and order


async def test_two_never_hold_one_key(desk):
    ours = desk.installed(key="account")
    theirs = desk.source(key="account")
    insert(desk, *((at, f"a{at % 4}") for at in range(20)))
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


async def test_a_lost_lease_marks_nothing(desk):
    source = desk.installed()
    insert(desk, (1, "a"))
    await source.open()
    (delivery,) = await receive(source, 1)
    desk.legacy.execute("UPDATE fig_event SET lease_token = 'another', lease_until = 9e9")
    with pytest.raises(LegacyError, match="the lease was lost, so nothing was marked"):
        await delivery.settle(DONE)
    assert desk.events("done_at", "lease_token") == [(None, "another")]
    await source.close()
    assert desk.events("lease_token") == [("another",)]


async def test_of_several_claims_settled_at_once_only_the_lost_lease_is_told(desk):
    source = desk.installed()
    insert(desk, (1, "a"), (2, "b"), (3, "c"))
    await source.open()
    got = [(await receive(source, 1, limit=1))[0] for _ in range(3)]
    assert len(desk.ask("SELECT DISTINCT lease_token FROM fig_event")) == 3
    # The lease of the second is given to the third's claim: an id goes with its own token only.
    third = "(SELECT lease_token FROM fig_event WHERE id = 3)"
    desk.legacy.execute(f"UPDATE fig_event SET lease_token = {third} WHERE id = 2")
    told = await asyncio.gather(*(one.settle(DONE) for one in got), return_exceptions=True)
    assert [type(one) for one in told] == [type(None), LegacyError, type(None)]
    assert desk.events("done_at IS NULL", "lease_token IS NULL") == [
        (False, True),
        (True, False),
        (False, True),
    ]
    await source.close()


async def test_a_lease_that_ran_out_mid_handler_is_fenced(desk):
    """The database's clock counts: our own may say what it likes."""
    ours, theirs = desk.installed(lease=1.0), desk.source(lease=1.0)
    insert(desk, (1, "a"))
    await ours.open()
    (late,) = await receive(ours, 1)
    ours._session._tending.cancel()  # its renewals stop, as those of a process that hangs
    await theirs.open()
    (again,) = await receive(theirs, 1)
    assert (again.attempt, again.record) == (2, late.record)
    assert (late.fresh, again.fresh) == (True, False)
    with pytest.raises(LegacyError, match="lease was lost"):
        await late.settle(DONE)
    await again.settle(DONE)
    await ours.close()
    await theirs.close()
    assert desk.events("attempts", "lost", "done_at IS NULL") == [(2, 1, False)]


async def test_a_lease_is_renewed_while_its_work_lasts(desk):
    ours, theirs = desk.installed(lease=1.0), desk.source(lease=1.0)
    insert(desk, (1, "a"))
    await ours.open()
    (delivery,) = await receive(ours, 1)
    ((first,),) = desk.events("lease_until")
    await theirs.open()
    while time.time() < first + 0.3:
        assert list(await theirs.receive(1, 0.2)) == []
    await delivery.settle(DONE)
    await ours.close()
    await theirs.close()


async def test_parked_lets_the_next_go_on_and_comes_again(desk):
    source = desk.installed(key="account")
    insert(desk, (1, "a"), (2, "a"), (3, "b"))
    await source.open()
    first, other = sorted(await receive(source, 2), key=lambda it: it.record.key)
    await first.settle(Settlement(outcome="retry", delay=2.0, park=True))
    (second,) = await receive(source, 1)
    assert json.loads(second.record.body)["id"] == "2"
    # It is due again, but one of its key is in somebody's hands.
    await asyncio.sleep(2.1)
    assert list(await source.receive(10, 0.1)) == []
    await second.settle(DONE)
    (again,) = await receive(source, 1)
    assert (json.loads(again.record.body)["id"], again.attempt) == ("1", 2)
    await asyncio.gather(again.settle(DONE), other.settle(DONE))
    await source.close()


async def test_blocked_by_a_delay_the_key_waits(desk):
    source = desk.installed(key="account")
    insert(desk, (1, "a"), (2, "a"), (3, "b"))
    await source.open()
    first, other = sorted(await receive(source, 2), key=lambda it: it.record.key)
    await first.settle(Settlement(outcome="retry", delay=0.4))
    assert list(await source.receive(10, 0.1)) == []
    (again,) = await receive(source, 1)
    assert json.loads(again.record.body)["id"] == "1"
    await asyncio.gather(again.settle(DONE), other.settle(DONE))
    await source.close()


async def test_dead_and_blocking_holds_its_key_until_it_is_released(desk):
    source = desk.installed(key="account")
    insert(desk, (1, "a"), (2, "a"))
    await source.open()
    (first,) = await receive(source, 1)
    await first.settle(Settlement(outcome="dead", reason="unreadable", blocks=True))
    await nothing(source)
    assert desk.events("parked", "dead_reason", "done_at", where="id = 1") == [
        (2, "unreadable", None)
    ]
    assert await source.lag() != Lag()
    assert await source.release(first.record.position)
    assert not await source.release(first.record.position)
    (second,) = await receive(source, 1)
    await second.settle(DONE)
    assert await source.lag() == Lag()
    await source.close()


async def test_live_ones_go_before_history_and_bring_their_own_along(desk):
    source = desk.installed(key="account")
    insert(desk, *((at, f"h{at}") for at in range(50)))
    desk.legacy.execute("UPDATE fig_event SET priority = 9, op = 'read'")
    insert(desk, (100, "live"), (101, "h40"))
    await source.open()
    got = await receive(source, 2, limit=2)
    # What is live waits behind history of its own key, and only behind that.
    assert [(one.record.key, one.backfill) for one in got] == [("live", False), ("h40", True)]
    assert (await source.lag()).backfill == 50
    await asyncio.gather(*(one.settle(DONE) for one in got))
    got = await receive(source, 2, limit=2)
    assert [(one.record.key, one.backfill) for one in got] == [("h40", False), ("h0", True)]
    await source.close()


async def test_it_can_say_how_much_waits(desk):
    source = desk.installed()
    assert isinstance(source, Lagging)
    assert await source.lag() == Lag()
    insert(desk, (1, "a"), (2, "b"))
    desk.legacy.execute("UPDATE fig_event SET created_at = created_at - 100 WHERE id = 1")
    lag = await source.lag()
    assert (lag.pending, lag.backfill) == (2, 0)
    assert 100 <= lag.oldest < 130


async def test_of_what_may_kill_its_process_one_is_claimed_at_a_time(desk):
    source = desk.installed()
    insert(desk, *((at, "a") for at in range(5)))
    desk.legacy.execute(
        "UPDATE fig_event SET lost = 1 + (id < 4)::int, attempts = 2, lease_token = 'x',"
        " lease_until = 1 WHERE id < 5"
    )
    await source.open()
    first = await source.receive(10, 1.0)
    assert [delivery.record.key for delivery in first] == ["0", "3", "4"]
    assert desk.events("lost") == [(3,), (2,), (2,), (2,), (0,)]
    assert list(await source.receive(10, 0.1)) == []
    for key in ("1", "2"):
        await asyncio.gather(*(delivery.settle(DONE) for delivery in first))
        first = await source.receive(10, 1.0)
        assert [(delivery.record.key, delivery.attempt) for delivery in first] == [(key, 3)]
    await source.close()


@pytest.mark.parametrize("deep", [True, False])
async def test_many_that_wait_starve_nobody(desk, deep):
    source = desk.installed(key="account", batch=50)
    key = "'deep'" if deep else "'k' || n % 3000"
    desk.legacy.execute(f"INSERT INTO tickets SELECT n, {key}, '' FROM generate_series(1, 6000) n")
    insert(desk, (9001, "b"), (9002, "c"))
    await source.open()
    seen: set[str] = set()
    while not {"b", "c"} <= seen:
        got = await receive(source, 1)
        keys = [delivery.record.key for delivery in got]
        assert len(set(keys)) == len(keys)
        if not deep:
            assert len(got) == 50 or {"b", "c"} & set(keys)
        seen |= set(keys)
        await asyncio.gather(*(delivery.settle(DONE) for delivery in got))
    await source.close()


async def test_settled_events_and_their_large_values_go_and_the_dead_stay(desk):
    source = desk.installed(large=100)
    for at in range(4):
        desk.legacy.execute("INSERT INTO tickets VALUES (%s, 'a', %s)", (at, "x" * 200))
    await source.open()
    first, second, third, _ = await receive(source, 4)
    await first.settle(DONE)
    await second.settle(Settlement(outcome="dead", reason="unreadable"))
    await third.settle(Settlement(outcome="retry", delay=60))
    await source.close()
    claims, _ = source._claims()
    assert claims.sweep(keep=60) == 0
    assert claims.sweep(keep=0) == 1
    claims.close()
    assert desk.events("key") == [("1",), ("2",), ("3",)]
    assert len(desk.ask("SELECT ref FROM fig_large")) == 3


# Waking


async def test_a_woken_source_does_not_wait_for_its_poll(desk):
    source = desk.installed(notify="always", poll=60)
    await source.open()
    while not source._session._waking.hears:
        await asyncio.sleep(0.01)
    waiting = asyncio.create_task(source.receive(10, 30))
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    insert(desk, (1, "a"))
    (delivery,) = await waiting
    assert time.monotonic() - begun < 5
    await delivery.settle(DONE)
    await source.close()


async def test_what_nobody_notified_is_found_by_polling(desk):
    """Triggers that do not notify, and a consumer that believes they do."""
    desk.installed(notify="never")
    source = desk.source(notify="always")
    await source.open()
    while not source._session._waking.hears:
        await asyncio.sleep(0.01)
    insert(desk, (1, "a"))
    (delivery,) = await receive(source, 1)
    await delivery.settle(DONE)
    await source.close()


async def test_a_waker_whose_connection_is_ended_comes_again(desk):
    source = desk.installed(notify="always", poll=60)
    await source.open()
    waking = source._session._waking

    async def hears(wanted: bool) -> None:
        async with asyncio.timeout(60):
            while waking.hears is not wanted:
                await asyncio.sleep(0.005)

    await hears(True)
    desk.legacy.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query ~ 'LISTEN|pg_notify' AND pid <> pg_backend_pid()"
    )
    await hears(False)
    await hears(True)
    insert(desk, (1, "a"))
    (delivery,) = await receive(source, 1)
    await delivery.settle(DONE)
    await source.close()


async def test_lost_connections_are_replaced(desk):
    source = desk.installed()
    insert(desk, (1, "a"), (2, "b"))
    await source.open()
    first, second = await receive(source, 2)
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    desk.legacy.execute(kill)
    await first.settle(DONE)
    desk.legacy.execute(kill)
    insert(desk, (3, "c"))
    (third,) = await receive(source, 1)
    await asyncio.gather(second.settle(DONE), third.settle(DONE))
    await source.close()
    assert desk.events("attempts", "done_at IS NULL") == [(1, False)] * 3


# Drift


async def until_it_raises(source) -> None:
    async with asyncio.timeout(60):
        while True:
            for delivery in await source.receive(10, 1.0):
                await delivery.settle(Settlement(outcome="retry"))


async def test_a_changed_column_stops_the_source_with_its_name(desk, monkeypatch):
    monkeypatch.setattr("stranglerfig.adapters.tables._WATCH", 0.05)
    source = desk.installed()
    await source.open()
    desk.legacy.execute("ALTER TABLE tickets ALTER COLUMN account TYPE varchar(9)")
    insert(desk, (1, "a"))
    with pytest.raises(SchemaDrift, match="account was text, is character varying") as caught:
        await until_it_raises(source)
    assert "fig adapter install tickets" in caught.value.remedy
    await source.close()
    with pytest.raises(SchemaDrift, match="account"):
        await source.open()
    source.install()
    await source.open()
    (delivery,) = await receive(source, 1)
    await delivery.settle(DONE)
    await source.close()


async def test_an_event_of_another_shape_is_looked_at_before_it_is_handed_out(desk):
    source = desk.installed()
    insert(desk, (1, "a"))
    await source.open()
    desk.legacy.execute("ALTER TABLE tickets DROP COLUMN text")
    desk.legacy.execute("UPDATE fig_event SET schema_hash = 'another'")
    with pytest.raises(SchemaDrift, match="text was removed"):
        await source.receive(10, 5.0)
    assert desk.events("attempts", "lease_token") == [(0, None)]
    await source.close()


async def test_settling_twice_is_refused(desk):
    source = desk.installed()
    insert(desk, (1, "a"))
    await source.open()
    (delivery,) = await receive(source, 1)
    await delivery.settle(DONE)
    with pytest.raises(FigError, match="settled already"):
        await delivery.settle(DONE)
    await source.close()


async def test_bytes_that_are_no_text_come_as_they_are(postgresql, tmp_path):
    from sqlalchemy import text

    from stranglerfig.tests.adapters.capture.postgresql.desk import Desk

    url = postgresql.database().replace("/t", "/ascii_t")
    with postgresql.administer() as engine, engine.connect() as connection:
        name = url.rpartition("/")[2]
        create = f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(text(f"{create} TEMPLATE template0"))
    desk = Desk(url, tmp_path)
    source = desk.installed(large=50)
    desk.legacy.execute("SET standard_conforming_strings = off")
    desk.legacy.execute("SET escape_string_warning = off")
    desk.legacy.execute(b"INSERT INTO tickets VALUES (1, '\xff\xfe', repeat('\xfc', 100))")
    assert desk.gaps() == []
    await source.open()
    (delivery,) = await receive(source, 1)
    assert b'"\xff\xfe"' in delivery.record.body
    await delivery.settle(DONE)
    await source.close()
    assert desk.ask("SELECT value FROM fig_large") == [(b"\xfc" * 100,)]
    desk.close()
