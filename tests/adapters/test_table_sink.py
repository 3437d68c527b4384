"""Messages as rows, on the three databases: the laws of a sink, and the table's own."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from stranglerfig.adapters.memory_sink import MemorySink
from stranglerfig.adapters.table_sink import TableSink
from stranglerfig.errors import ConfigError, FigError, LegacyError, LegacyUnavailable
from stranglerfig.model import Outgoing
from stranglerfig.ports import Installable, Sink
from stranglerfig.testing.sink import SinkContract

TABLE = "Fig's decisions é"


class Database:
    """A database of one kind, its sink, and a look into its table from outside."""

    def __init__(self, url, root, **options):
        self.url, self.root = make_url(url), root
        self.options = {"url": url, "table": TABLE, **options}
        self.sink = self.make()
        self.secrets = []

    def make(self, **options):
        return TableSink(
            name="decisions", options={**self.options, **options}, place="there", root=self.root
        )

    def run(self, statement, **values):
        engine = create_engine(self.url, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                found = connection.execute(text(statement.replace("THERE", self.quoted)), values)
                return found.fetchall() if found.returns_rows else []
        finally:
            engine.dispose()

    @property
    def quoted(self):
        return f"`{TABLE}`" if "mysql" in self.url.drivername else f'"{TABLE}"'

    def rows(self):
        return self.run("SELECT * FROM THERE")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request, tmp_path):
    if request.param == "sqlite":
        file = tmp_path / "legacy.db"
        sqlite3.connect(file).close()
        return Database(f"sqlite:///{file}", tmp_path)
    return Database(request.getfixturevalue(request.param).database(), tmp_path)


class TestTableSink(SinkContract):
    @pytest.fixture
    async def drain(self, database):
        database.sink.install()
        key = "`key`" if "mysql" in database.url.drivername else '"key"'
        counted = {"sqlite": "rowid", "postgresql": "ctid"}.get(database.url.get_backend_name())

        async def came():
            # MariaDB keeps rows by their primary key: the contract's ids sort as they were sent.
            order = counted or "message_id"
            found = database.run(f"SELECT message_id, body FROM THERE ORDER BY {order}")
            return [(ident, body.encode()) for ident, body in found]

        def refused():
            # SQLite takes texts of any length; a check refuses there what the type does elsewhere.
            return Outgoing(destination="decisions", message_id="m" * 99, key="k", body=b"{}")

        if counted == "rowid":
            database.run("DROP TABLE THERE")
            database.run(
                "CREATE TABLE THERE (message_id TEXT PRIMARY KEY CHECK (length(message_id) < 65),"
                f" {key} TEXT, body TEXT)"
            )
        database.came, database.refused = came, refused
        database.moved = None

        async def go_down():
            # What is connected is cut off, and a system that is gone is at another address.
            connection = database.sink._connection
            await database.sink._run(connection.connection.dbapi_connection.close)
            database.kept = database.sink._url
            database.sink._url = _nowhere(database)

        async def come_back():
            database.sink._url = database.kept

        database.go_down, database.come_back = go_down, come_back
        yield database
        await database.sink.close()


def _nowhere(database):
    if database.url.get_backend_name() == "sqlite":
        return database.url.set(database=str(database.root / "nowhere.db"))
    return database.url.set(port=1)


class TestMemorySink(SinkContract):
    @pytest.fixture
    async def drain(self):
        return InMemory()


class InMemory:
    secrets = ()

    def __init__(self):
        self.sink = MemorySink("memory")
        self._open = self.sink.open

    async def came(self):
        return [(one.message_id, one.body) for one in self.sink.got]

    async def go_down(self):
        async def fail():
            raise LegacyUnavailable("is down", place="memory")

        await self.sink.close()
        self.sink.open = fail

    async def come_back(self):
        self.sink.open = self._open

    def refused(self):
        poison = Outgoing(destination="memory", message_id="poison", body=b"")

        def refuse(messages):
            if poison in messages:
                raise LegacyError("refuses a row", place="memory")

        self.sink.before = refuse
        return poison


def message(ident="m1", key="k", body=b'{"ticket": {"id": 7}, "category": "C10"}', **headers):
    return Outgoing(
        destination="decisions",
        message_id=ident,
        key=key,
        body=body,
        headers=tuple(headers.items()),
    )


async def test_chosen_places_and_headers_become_columns(database):
    columns = {"ticket id": "ticket.id", "Category": "category", "revision": ":revision"}
    sink = database.make(columns=columns, body_column="", key_column="")
    sink.install()
    await sink.open()
    await sink.send([message(revision="r1"), message("m2")])
    await sink.close()
    assert sorted(map(tuple, database.rows())) == [
        ("m1", "7", "C10", "r1"),
        ("m2", "7", "C10", None),
    ]


async def test_a_place_that_the_body_lacks_is_told(database):
    sink = database.make(columns={"state": "state"})
    sink.install()
    await sink.open()
    for body in (b'{"category": 1}', b"[1]", b"no JSON", b"\xff"):
        with pytest.raises(FigError) as told:
            await sink.send([message(body=body)])
        assert "m1" in told.value.place
    await sink.close()
    assert database.rows() == []


async def test_a_table_of_their_own_with_types_is_written(database):
    exact = "DECIMAL(9,2)" if "mysql" in database.url.drivername else "NUMERIC"
    database.run(
        f"CREATE TABLE THERE (message_id VARCHAR(64) UNIQUE, n INTEGER, amount {exact}, "
        "opened DATE, note VARCHAR(4))"
    )
    columns = {"n": "n", "amount": "amount", "opened": "opened", "note": "note"}
    sink = database.make(columns=columns, key_column="", body_column="")
    await sink.open()
    await sink.send(
        [
            message(body=b'{"n": "7", "amount": 1.50, "opened": "2026-11-23", "note": null}'),
            message("m2", body=b'{"n": 8, "amount": "2", "opened": "2026-11-24", "note": "ok"}'),
        ]
    )
    await sink.close()
    found = [tuple(map(str, row)) for row in database.run("SELECT n, amount, note FROM THERE")]
    assert [row[0] for row in found] == ["7", "8"]
    assert [float(row[1]) for row in found] == [1.5, 2.0]
    assert [row[2] for row in found] == ["None", "ok"]


async def test_what_does_not_fit_is_refused_and_never_cut_short(database):
    if database.url.get_backend_name() == "sqlite":
        pytest.skip("SQLite takes any length")
    database.run("CREATE TABLE THERE (message_id VARCHAR(64) PRIMARY KEY, note VARCHAR(4))")
    sink = database.make(columns={"note": "note"}, key_column="", body_column="")
    await sink.open()
    with pytest.raises(LegacyError) as told:
        await sink.send(
            [message("good", body=b'{"note": "ok"}'), message(body=b'{"note": "12345"}')]
        )
    assert not isinstance(told.value, LegacyUnavailable)
    assert "12345" not in str(told.value)
    await sink.close()
    assert database.rows() == []


async def test_the_duplicate_of_another_message_is_refused_and_not_dropped(database):
    database.run("CREATE TABLE THERE (message_id VARCHAR(64) PRIMARY KEY, note VARCHAR(4) UNIQUE)")
    sink = database.make(columns={"note": "note"}, key_column="", body_column="")
    await sink.open()
    await sink.send([message("m1", body=b'{"note": "a"}')])
    with pytest.raises(LegacyError):
        await sink.send([message("m2", body=b'{"note": "a"}')])
    await sink.close()
    assert [row[0] for row in database.rows()] == ["m1"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "no such table"),
        ("(message_id VARCHAR(64), body VARCHAR(9))", "twice"),
        ("(message_id VARCHAR(64) PRIMARY KEY, n INTEGER)", "no such column"),
    ],
)
async def test_a_table_that_will_not_do_is_told_before_anything_is_sent(database, table, says):
    if table:
        database.run(f"CREATE TABLE THERE {table}")
    sink = database.make(key_column="")
    with pytest.raises(LegacyError, match=says):
        await sink.open()
    with pytest.raises(LegacyUnavailable):
        await sink.send([message()])


async def test_install_is_printed_done_once_and_undone_exactly(database):
    sink = database.make(columns={"revision": ":revision"})
    assert isinstance(sink, Installable)
    assert isinstance(sink, Sink)
    (statement,) = sink.install_plan()
    assert statement.startswith("CREATE TABLE")
    sink.install()
    sink.install()
    assert sink.install_plan() == []
    await sink.open()
    await sink.send([message()])
    await sink.close()
    with pytest.raises(LegacyError, match="would be lost"):
        sink.remove()
    sink.remove(discard=True)
    sink.remove()
    assert sink.remove_plan() == []


def test_a_table_that_is_not_ours_is_not_dropped(database):
    database.run("CREATE TABLE THERE (message_id VARCHAR(64) PRIMARY KEY, theirs INTEGER)")
    with pytest.raises(LegacyError, match="not ours"):
        database.make().remove(discard=True)
    assert database.rows() == []


async def test_a_file_that_is_not_there_is_not_made(tmp_path):
    sink = Database(f"sqlite:///{tmp_path / 'none.db'}", tmp_path).sink
    with pytest.raises(LegacyUnavailable):
        await sink.open()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("no url", "not a URL"),
        ("oracle://h/n", "kind of database"),
        ("postgresql+psycopg://u:secret@h/n", "password"),
    ],
)
def test_wrong_addresses_are_told_without_their_secrets(tmp_path, url, says):
    with pytest.raises(ConfigError, match=says) as told:
        Database(url, tmp_path) if "://" in url else TableSink(
            name="d", options={"url": url, "table": "t"}, place="p", root=tmp_path
        )
    assert "secret" not in str(told.value)
