"""The table source on a real MariaDB: the contract, and what only this database has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pymysql
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.tables import TableSource
from stranglerfig.errors import SchemaDrift
from stranglerfig.model import Settlement
from stranglerfig.testing.source import SourceContract

DONE = Settlement(outcome="done")


class Legacy:
    """A program of legacy's with a session of its own."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.session = pymysql.connect(
            host=self.url.host,
            port=self.url.port,
            user="root",
            database=self.url.database,
            autocommit=True,
            ssl_disabled=True,
        )

    def run(self, statement: str, values: object = None) -> tuple:
        with self.session.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() or (cursor.lastrowid,)


@pytest.fixture
def legacy(mariadb):
    made = Legacy(mariadb.database())
    made.run(
        "CREATE TABLE tickets (id INT PRIMARY KEY AUTO_INCREMENT, account TEXT, text LONGTEXT)"
    )
    yield made
    made.session.close()


def make(legacy, root, **options) -> TableSource:
    url = legacy.url.update_query_dict({"ssl_disabled": "true"}).render_as_string()
    table = {"url": url, "table": "tickets", "poll": 0.01, **options}
    name = str(table.pop("name", "tickets"))
    return TableSource(name=name, options=table, place="fig.toml: legacy.tickets", root=root)


class MariaDbFeed:
    secrets = ("hush",)

    def __init__(self, source: TableSource, legacy: Legacy) -> None:
        self.source, self._legacy = source, legacy

    async def put(self, key: str, text: str) -> bytes:
        statement = "INSERT INTO tickets (account, text) VALUES (%s, %s)"
        (row,) = self._legacy.run(statement, (key, text))
        image = {"id": str(row), "account": key, "text": text}
        return json.dumps(image, ensure_ascii=False, separators=(",", ":")).encode()


class TestTableSourceOnMariaDb(SourceContract):
    @pytest.fixture
    async def feed(self, tmp_path, legacy, monkeypatch) -> AsyncIterator[MariaDbFeed]:
        legacy.run("CREATE OR REPLACE USER fig_bridge IDENTIFIED BY 'hush'")
        legacy.run(f"GRANT ALL ON {legacy.url.database}.* TO fig_bridge")
        monkeypatch.setenv("BRIDGE_PASSWORD", "hush")
        url = legacy.url.set(username="fig_bridge")
        url = url.update_query_dict({"ssl_disabled": "true"}).render_as_string()
        source = make(
            legacy,
            tmp_path,
            url=url,
            password="env:BRIDGE_PASSWORD",
            key="account",
            large=1_000_000,
        )
        source.install()
        yield MariaDbFeed(source, legacy)
        await source.close()
        legacy.run("DROP USER fig_bridge")


async def drain(source: TableSource, number: int) -> list:
    deliveries: list = []
    async with asyncio.timeout(60):
        while len(deliveries) < number:
            got = await source.receive(100, 1.0)
            for delivery in got:
                await delivery.settle(DONE)
            deliveries += got
    return deliveries


async def test_a_large_value_is_referred_to_and_put_back_where_wanted(tmp_path, legacy):
    make(legacy, tmp_path).install()
    legacy.run("INSERT INTO tickets (account, text) VALUES ('a', REPEAT('é', 50000))")
    source = make(legacy, tmp_path)
    await source.open()
    (delivery,) = await source.receive(1, 5.0)
    headers = dict(delivery.record.headers)
    assert json.loads(delivery.record.body)["text"] == 100_000
    assert headers["kinds"] == "itl"
    reference = json.loads(headers["large"])["text"]
    (kept,) = legacy.run(
        "SELECT CONVERT(value USING utf8mb4) FROM fig_large WHERE ref = %s", (reference,)
    )
    assert kept == ("é" * 50_000,)
    await source.close()
    whole = make(legacy, tmp_path, inline=["text"])
    await whole.open()
    (delivery,) = await whole.receive(1, 5.0)
    assert json.loads(delivery.record.body)["text"] == "é" * 50_000
    await delivery.settle(DONE)
    await whole.close()


async def test_changes_come_with_what_was_before(tmp_path, legacy):
    source = make(legacy, tmp_path, operations=["insert", "update", "delete"])
    source.install()
    legacy.run("INSERT INTO tickets (account) VALUES ('a')")
    legacy.run("UPDATE tickets SET text = 'it''s'")
    legacy.run("DELETE FROM tickets")
    await source.open()
    first, second, third = [one.record for one in await drain(source, 3)]
    assert [dict(one.headers)["op"] for one in (first, second, third)] == [
        "insert",
        "update",
        "delete",
    ]
    assert json.loads(dict(second.headers)["before"]) == json.loads(first.body)
    assert second.body == third.body == b'{"id":"1","account":"a","text":"it\'s"}'
    await source.close()


async def test_several_sources_share_a_table_and_keep_the_order_of_keys(tmp_path, legacy):
    make(legacy, tmp_path, operations=["insert", "update"], key="account").install()
    for at in range(60):
        legacy.run("INSERT INTO tickets (account, text) VALUES (%s, %s)", (f"k{at % 6}", str(at)))
    options = {"operations": ["insert", "update"], "key": "account", "batch": 3}
    sources = [make(legacy, tmp_path, **options) for _ in range(3)]
    taken: list[tuple[str, int]] = []

    async def work(source: TableSource) -> None:
        await source.open()
        while len(taken) < 60:
            for delivery in await source.receive(3, 0.1):
                body = json.loads(delivery.record.body)
                taken.append((body["account"], int(body["text"])))
                await delivery.settle(DONE)
        await source.close()

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(source) for source in sources))
    assert sorted(at for _, at in taken) == list(range(60))
    for key in {key for key, _ in taken}:
        mine = [at for one, at in taken if one == key]
        assert mine == sorted(mine)


async def test_a_parked_and_a_blocked_key(tmp_path, legacy):
    source = make(legacy, tmp_path, key="account")
    source.install()
    for account in "aab":
        legacy.run("INSERT INTO tickets (account) VALUES (%s)", (account,))
    await source.open()
    first, other = await source.receive(5, 5.0)
    assert (first.record.key, other.record.key) == ("a", "b")
    await other.settle(DONE)
    await first.settle(Settlement(outcome="retry", delay=0.4, park=True))
    (second,) = await source.receive(5, 5.0)
    assert json.loads(second.record.body)["id"] == "2"
    await second.settle(Settlement(outcome="dead", reason="no", blocks=True))
    assert await source.receive(5, 0.0) == []  # neither what is parked nor what is blocked is due
    (again,) = await source.receive(5, 5.0)
    assert again.record.position == first.record.position
    await again.settle(DONE)
    legacy.run("INSERT INTO tickets (account) VALUES ('a')")
    assert await source.receive(5, 0.3) == []
    await source.release(second.record.position)
    (third,) = await source.receive(5, 5.0)
    assert json.loads(third.record.body)["id"] == "4"
    await third.settle(DONE)
    await source.close()


async def test_a_column_that_changes_its_type_stops_the_source(tmp_path, legacy):
    source = make(legacy, tmp_path)
    source.install()
    legacy.run("ALTER TABLE tickets MODIFY account VARCHAR(20)")
    with pytest.raises(SchemaDrift, match="account"):
        await source.open()


async def test_connections_that_are_cut_are_made_anew(tmp_path, legacy):
    def cut() -> None:
        others = (
            "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = %s"
        )
        for (number,) in legacy.run(others, (legacy.url.database,)):
            legacy.run(f"KILL {number}")

    source = make(legacy, tmp_path)
    source.install()
    await source.open()
    for account in ("a", "b"):
        cut()
        legacy.run("INSERT INTO tickets (account) VALUES (%s)", (account,))
        async with asyncio.timeout(60):
            (delivery,) = await source.receive(1, 10.0)
        assert json.loads(delivery.record.body)["account"] == account
        cut()
        await delivery.settle(DONE)
    assert await source.receive(1, 0.2) == []
    await source.close()


@pytest.fixture
def least(legacy, tmp_path):
    """Make sources as the bridge's own user, who got no more than ``install`` gives it."""
    legacy.run("CREATE OR REPLACE USER fig_least")
    make(legacy, tmp_path, grant_to="fig_least").install()

    def source():
        url = legacy.url
        legacy.url = url.set(username="fig_least")
        try:
            return make(legacy, tmp_path)
        finally:
            legacy.url = url

    return source


@pytest.mark.parametrize("sees", [True, False], ids=["columns", "nothing"])
async def test_the_bridges_user_takes_events_of_a_table_whose_rows_it_does_not_see(
    legacy, least, sees
):
    if not sees:  # as an earlier version left it
        legacy.run("REVOKE REFERENCES ON tickets FROM fig_least")
    legacy.run("INSERT INTO tickets (account) VALUES ('a')")
    source = least()
    await source.open()
    try:
        (delivery,) = await source.receive(10, 5.0)
        assert dict(delivery.record.headers)["row"] == '["i1"]'
        await delivery.settle(DONE)
    finally:
        await source.close()
    bare = create_engine(legacy.url.set(username="fig_least"), poolclass=NullPool)
    with (
        bare.connect() as connection,
        pytest.raises(OperationalError, match="SELECT command denied"),
    ):
        connection.exec_driver_sql("SELECT * FROM tickets")


async def test_a_changed_column_stops_the_source_of_the_bridges_own_user(legacy, least, tmp_path):
    source = least()
    await source.open()
    await source.close()
    legacy.run("ALTER TABLE tickets RENAME COLUMN account TO konto")
    with pytest.raises(SchemaDrift, match="column account was removed"):
        await source.open()
    found = {one.check: one for one in source.examine()}
    assert found["shape"].state == "fail"
    legacy.run("ALTER TABLE tickets RENAME COLUMN konto TO account")
    await source.open()
    await source.close()
    make(legacy, tmp_path).remove(discard=True)
    assert [line for (line,) in legacy.run("SHOW GRANTS FOR fig_least")] == [
        "GRANT USAGE ON *.* TO `fig_least`@`%`"
    ]


def test_rights_on_what_two_sources_share_go_with_the_last_of_them(legacy, tmp_path, least):
    legacy.run("CREATE TABLE other (id INT PRIMARY KEY)")
    second = make(legacy, tmp_path, name="other", table="other", grant_to="fig_least")
    second.install()
    second.remove()
    assert {one.check: one.state for one in least().examine()}["rights"] == "ok"
    make(legacy, tmp_path).remove()
    assert len(legacy.run("SHOW GRANTS FOR fig_least")) == 1
