"""A store of the version before, brought to the head: proved, linked anew, and safe from the old."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from stranglerfig.errors import StoreError
from stranglerfig.migrations.schema import upgrade as schema
from stranglerfig.migrations.schema.upgrade import current, upgrade
from stranglerfig.store import Store
from stranglerfig.store.chain import verify
from stranglerfig.store.database import Database
from stranglerfig.store.postgresql import writing
from stranglerfig.store.tables import HEAD, metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fig.db'}"
    return request.getfixturevalue("postgresql").database()


@pytest.fixture
def old(url):
    """Make a store of version 0003, with ten lines and the evidence of three."""
    database = Database(url, create=True)
    schema._make_file(database)
    engine = database.engine.execution_options(**writing(database.engine, 5))
    with engine.begin() as connection:
        config = schema._config()
        config.attributes.update(connection=connection, metadata=metadata)
        command.upgrade(config, "0003")
    with statements(url) as connection:
        for values in old_lines(10):
            connection.execute(OLD_INSERT, values)
        for unit in "abc":
            values = {"unit": f"u-{unit}"}
            connection.execute(
                text("INSERT INTO evidence VALUES ('e', 'v', :unit, 'both')"), values
            )
    database.engine.dispose()
    return url


EVIDENCE = text("SELECT unit, line FROM evidence")
OLD_TAIL = text("SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1")
OLD_INSERT = text(
    "INSERT INTO journal (id, at, kind, endpoint, request_id, revision, data, hash)"
    " VALUES (:id, :at, :kind, :endpoint, :request_id, :revision, :data, :hash)"
)


def old_lines(count):
    """Give lines as the version before wrote them."""
    hashed = "0" * 64
    for number in range(1, count + 1):
        unit = f"u-{'abc'[number % 3]}"
        kind = "comparison" if number > 4 else "request"
        data = json.dumps({"n": number, "unit": unit, "text": "Ж"}, ensure_ascii=False)
        fields = (number + 0.1, kind, "e", f"r{number}", "v", data)
        hashed = hashlib.sha256(hashed.encode() + msgspec.json.encode(fields)).hexdigest()
        names = ("at", "kind", "endpoint", "request_id", "revision", "data")
        yield {"id": number, "hash": hashed, **dict(zip(names, fields, strict=True))}


@contextlib.contextmanager
def statements(url):
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def test_every_line_is_linked_anew_and_nothing_else_changes(old):
    upgrade(old)
    store = Store(old)
    found = list(store.journal.read())
    assert [entry.line.request_id for entry in found[:10]] == [f"r{n}" for n in range(1, 11)]
    assert found[3].line.data == {"n": 4, "unit": "u-b", "text": "Ж"}
    told = found[10].line
    assert (told.kind, told.data["lines"]) == ("note", 10)
    assert told.data["old hash"] == list(old_lines(10))[-1]["hash"]
    assert list(verify(store.database)) == []
    with store.database.read() as connection:
        lines = dict(connection.execute(EVIDENCE).fetchall())
    assert lines == {"u-c": 5, "u-a": 6, "u-b": 7}
    store.close()


def test_the_tables_are_those_of_a_new_store(old):
    upgrade(old)
    store = Store(old)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        ("UPDATE journal SET data = '{}' WHERE id = 4", "line 4 of the journal was changed"),
        ("DELETE FROM journal WHERE id = 6", "line 6 of the journal is missing"),
    ],
)
def test_a_broken_chain_is_not_made_whole_by_an_upgrade(old, spoil, place):
    with statements(old) as connection:
        connection.execute(text(spoil))
    with pytest.raises(StoreError, match=place) as caught:
        upgrade(old)
    assert "evidence" in caught.value.remedy
    assert current(old) == "0003"
    with statements(old) as connection:
        assert connection.execute(OLD_TAIL).first().id == 10


def test_a_new_store_starts_with_an_empty_chain(url):
    upgrade(url)
    store = Store(url)
    assert list(store.journal.read()) == []
    assert list(verify(store.database)) == []
    store.close()


def test_two_that_upgrade_at_once_take_turns(old):
    gate = threading.Barrier(2)

    def start():
        gate.wait()
        upgrade(old)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(start) for _ in range(2)]:
            done.result()
    assert current(old) == HEAD
    store = Store(old)
    assert len(list(store.journal.read())) == 11
    store.close()


def test_a_process_of_the_version_before_cannot_write_any_more(old):
    """It reads the newest hash, and writes a line: both fail, as a store that is lost does there."""
    with statements(old) as connection:
        assert connection.execute(OLD_TAIL).first().id == 10
    upgrade(old)
    with pytest.raises(DBAPIError, match="hash"), statements(old) as connection:
        connection.execute(OLD_TAIL)
    with pytest.raises(DBAPIError, match="hash"), statements(old) as connection:
        connection.execute(OLD_INSERT, {**next(old_lines(1)), "id": 12})


def test_a_process_of_this_version_refuses_an_old_store(old):
    store = Store(old)
    with pytest.raises(StoreError, match="another version") as caught:
        store.open()
    assert "fig check --migrate" in caught.value.remedy
    store.close()
