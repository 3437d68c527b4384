"""Old and new code on one store: an upgrade expands, both work on, and then it contracts."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from stranglerfig import config
from stranglerfig.answer_settings import ShadowRules
from stranglerfig.commands.shadow_view import ShadowToday, shadow_today
from stranglerfig.errors import StoreError
from stranglerfig.migrations.schema import upgrade as schema
from stranglerfig.migrations.schema.upgrade import standing, upgrade
from stranglerfig.model import Data, Route, Side
from stranglerfig.routing.guardrails.observations import Observations
from stranglerfig.store import Store
from stranglerfig.store.chain import verify
from stranglerfig.store.database import Database
from stranglerfig.store.line import Line
from stranglerfig.store.measures import Measured, Place, Sum
from stranglerfig.store.noise import Doubled, count_doubled, doubled, keep_doubled
from stranglerfig.store.processes import Processes
from stranglerfig.store.reviews import Reviews
from stranglerfig.store.tables import ADDED, HEAD, OLDEST, metadata
from stranglerfig.store.version import Version
from stranglerfig.store.write import Write
from stranglerfig.tests.frozen import freeze, thaw
from stranglerfig.tests.importable import importable
from stranglerfig.tests.migrations import exact_0004
from stranglerfig.tests.older import make_older, older_code

SCRIPT = Path(__file__).with_name("one_writer.py")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fig.db'}"
    return request.getfixturevalue("postgresql").database()


@pytest.fixture
def old(url):
    """A store as the version before left it."""
    return make_older(url)


@pytest.fixture
def expanded(old):
    """The same, with the tables of this version, and still open to the one before."""
    upgrade(old)
    return old


@pytest.fixture
def store():
    """Open a store, and close it at the end."""
    made = []

    def open_it(url):
        made.append(Store(url, patience=20.0))
        made[-1].open()
        return made[-1]

    yield open_it
    for one in made:
        one.close()


@pytest.fixture
def database(url):
    """The store's, without its tables being looked at."""
    made = Database(url)
    yield made
    made.engine.dispose()


@pytest.fixture
def writer(tmp_path_factory):
    """Start a process that writes: this code, or the one before it."""
    started = []

    class Writer:
        def __init__(self, url, name, path):
            environment = {**os.environ, "PYTHONPATH": path}
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), url, name],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.said = self.process.stdout.readline().strip()

        def ask(self, count):
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()

        def answer(self):
            return self.process.stdout.readline().strip()

        def end(self):
            self.process.communicate(timeout=60)
            return self.process.returncode

    def start(url, name, *, older=False):
        path = older_code(tmp_path_factory) if older else importable()
        if path is None:
            pytest.skip("the code of the version before is not at hand: no history here")
        started.append(Writer(url, name, path))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def lines(url):
    store = Store(url)
    found = [entry.line.request_id for entry in store.journal.read()]
    broken = list(verify(store.database))
    store.close()
    return found, broken


def test_what_was_added_is_told_apart_from_what_was_there(tmp_path):
    """Whoever adds a table in the next version says so, or it would be looked for in vain."""
    url = make_older(f"sqlite:///{tmp_path / 'fig.db'}")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
    assert set(ADDED) == set(metadata.tables) - there
    assert all(OLDEST < since <= HEAD for since in ADDED.values())


def test_an_upgrade_expands_and_leaves_the_store_open(old):
    assert standing(old) == Version(OLDEST, OLDEST)
    upgrade(old)
    assert standing(old) == Version(HEAD, OLDEST)
    upgrade(old)
    assert standing(old) == Version(HEAD, OLDEST), "it never contracts unasked"
    upgrade(old, contract=True)
    assert standing(old) == Version(HEAD, HEAD)
    upgrade(old)
    assert standing(old) == Version(HEAD, HEAD), "nor does it open again"


def test_a_new_store_is_open_to_nobody_older(url):
    upgrade(url)
    assert standing(url) == Version(HEAD, HEAD)


def test_what_the_version_before_did_works_until_it_is_shut_out(old):
    assert exact_0004.starts(old)
    assert exact_0004.writes(old, '{"n": 1}')
    upgrade(old)
    assert exact_0004.starts(old)
    assert exact_0004.writes(old, '{"n": 2}')
    assert lines(old) == (["r", "r"], [])
    upgrade(old, contract=True)
    assert not exact_0004.starts(old)
    assert not exact_0004.writes(old, '{"n": 3}')
    assert lines(old) == (["r", "r"], [])


@pytest.mark.process
def test_old_and_new_processes_write_side_by_side(old, writer):
    """Through the whole way: before, expanded (with an old one started anew), contracted."""
    ancient = writer(old, "ancient", older=True)
    assert ancient.said == "open"
    upgrade(old)
    late, fresh = writer(old, "late", older=True), writer(old, "fresh")
    assert (late.said, fresh.said) == ("open", "open"), "an old one may come back"
    for one in (ancient, late, fresh):
        one.ask(40)
    assert [one.answer() for one in (ancient, late, fresh)] == ["wrote"] * 3
    found, broken = lines(old)
    assert sorted(found) == sorted(
        f"{name}-{number}" for name in ("ancient", "late", "fresh") for number in range(40)
    )
    assert broken == []
    with pytest.raises(StoreError, match="older processes still run") as caught:
        upgrade(old, contract=True)
    assert str(ancient.process.pid) in caught.value.value
    assert str(late.process.pid) in caught.value.value
    assert str(fresh.process.pid) not in caught.value.value
    assert standing(old) == Version(HEAD, OLDEST)
    assert (ancient.end(), late.end()) == (0, 0)
    upgrade(old, contract=True)
    assert writer(old, "too late", older=True).said.startswith("refused")
    fresh.ask(3)
    assert fresh.answer() == "wrote"
    assert len(lines(old)[0]) == 123
    assert lines(old)[1] == []


@pytest.mark.process
def test_one_that_was_thought_gone_is_shut_out_all_the_same(expanded, database, writer):
    """Silent for longer than its lease, it is not waited for; when it wakes it writes nothing."""
    thawed = writer(expanded, "thawed", older=True)
    freeze(thawed.process, expanded)
    [entry] = Processes(database).all()
    assert entry.pid == thawed.process.pid
    try:
        with create_engine(expanded, poolclass=NullPool).begin() as connection:
            connection.execute(text("UPDATE processes SET seen_at = seen_at - 60"))
        upgrade(expanded, contract=True)
    finally:
        thaw(thawed.process)
    thawed.ask(1)
    assert thawed.answer().startswith("refused")
    assert lines(expanded)[0] == []


def test_nobody_is_shut_out_by_a_step_that_is_no_addition(url, database):
    """From 0003 on, the journal is linked in another way: who lives there cannot go on."""
    make_older(url, "0003")
    processes = Processes(database)
    processes.beat("one", kind="bridge", host="h", pid=4711, status={"lease": 5.0})
    with pytest.raises(StoreError, match="older processes still run") as caught:
        upgrade(url)
    assert caught.value.value == "bridge 4711 on h"
    assert standing(url) == Version("0003", "0003")
    processes.leave("one")
    upgrade(url)
    assert standing(url) == Version(HEAD, OLDEST)


def test_new_code_works_on_the_schema_before(old, store, caplog):
    with caplog.at_level(logging.WARNING, "stranglerfig"):
        ours = store(old)
        place = Place("e", "r", "shadow")
        ours.measures.add(1.0, [Sum(place, "ms", "legacy", 1, 2.0, 4.0)])
        assert ours.measures.read(place, since=0, now=1.0, seconds=60.0) == Measured()
        assert doubled(ours.database, "e", "r") == []
        assert count_doubled(ours.database, "e", "r", "legacy") == 0
        assert Reviews(ours.database, ours.inserts, "e", "r").all() == []
        put = ours.routes.put(Route(endpoint="e"), action="a", who="w", why="", evidence={})
        assert ours.routes.get("e") == put
    told = [one.getMessage() for one in caplog.records if "fig check --migrate" in one.getMessage()]
    assert len(told) == 1, "it is said once"
    assert OLDEST in told[0]


async def test_what_has_no_table_yet_is_in_the_journal_all_the_same(old, store):
    """And once the store was upgraded under a process, it has one."""
    ours = store(old)
    seen = Doubled(
        endpoint="e", side="legacy", revision="r", unit="1", noise=("a",), raw=None, at=1.0
    )
    assert await ours.journal.commit(keep_doubled(seen))
    assert doubled(ours.database, "e", "r") == []
    upgrade(old)
    assert await ours.journal.commit(keep_doubled(seen))
    ours.database._again = 0.0
    assert doubled(ours.database, "e", "r") == [seen]
    assert [entry.line.kind for entry in ours.journal.read()] == ["noise", "noise"]
    assert list(verify(ours.database)) == []


async def test_a_shadow_with_a_budget_is_not_asked_where_nothing_counts_it(old, store):
    ours = store(old)
    endpoint = config.Endpoint(
        name="e",
        operation="o@1",
        mapping="m.toml",
        listen=config.Listen(facade="soap"),
        shadow=ShadowRules(calls=5),
    )
    observations = Observations(ours.measures)
    observations.follow([endpoint])
    await observations.flush()
    assert observations.shadows(Route(endpoint="e")) == "unread"
    assert shadow_today(ours, endpoint) == ShadowToday(most={"calls": 5.0})
    upgrade(old)
    ours.database._again = 0.0
    await observations.flush()
    assert observations.shadows(Route(endpoint="e")) == ""


def test_what_needs_the_new_tables_says_which_version_has_them(old, store):
    ours = store(old)
    with pytest.raises(StoreError, match="0005") as caught:
        ours.runs.last("night")
    assert "fig check --migrate" in caught.value.remedy


def test_the_writer_goes_on_through_every_step(old, store):
    """It is neither lost nor does it link wrongly while the store changes under it."""
    ours = store(old)
    for step in (lambda: upgrade(old), lambda: upgrade(old, contract=True), lambda: None):
        for number in range(20):
            ours.journal.append(Write(lines=(Line(kind="note", data={"n": number}),)))
        assert ours.journal.flush(20)
        assert ours.journal.healthy
        step()
    assert len(list(ours.journal.read())) == 60
    assert list(verify(ours.database)) == []


@pytest.mark.parametrize(
    "said", [{"pins": {"k": Side.LEGACY}}, {"frozen": True}, {"data": Data.LEGACY}]
)
def test_what_older_processes_would_not_heed_is_refused_while_they_may_run(expanded, store, said):
    ours = store(expanded)
    with pytest.raises(StoreError, match="would not heed") as caught:
        ours.routes.put(Route(endpoint="e", **said), action="a", who="w", why="", evidence={})
    assert "--contract" in caught.value.remedy
    assert ours.routes.get("e") is None
    upgrade(expanded, contract=True)
    assert ours.routes.put(Route(endpoint="e", **said), action="a", who="w", why="", evidence={})


def test_a_schema_that_a_newer_code_expanded_is_worked_on(url, store):
    upgrade(url)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE schema_version SET version_num = '9998'"))
    upgrade(url)
    assert standing(url) == Version("9998", HEAD)
    ours = store(url)
    ours.journal.append(Write(lines=(Line(kind="note"),)))
    assert ours.journal.flush(20)
    with pytest.raises(StoreError, match="newer"):
        upgrade(url, contract=True)


def tables_at(url, revision):
    """Give every column of a store as code of that revision made it."""
    make_older(url, revision)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        there = inspect(connection)
        return {
            (table, column["name"]): column
            for table in there.get_table_names()
            for column in there.get_columns(table)
        }


REVISIONS = [
    one.module
    for one in ScriptDirectory.from_config(schema._config()).walk_revisions()
    if one.revision > OLDEST
]


@pytest.mark.parametrize("step", REVISIONS, ids=lambda step: step.revision)
def test_a_step_that_says_it_only_adds_does(tmp_path, step):
    """What older code reads and writes is as it was, and it can fill rows without what is new."""
    assert step.oldest < step.revision, "or it shuts older code out: is that so?"
    before = tables_at(f"sqlite:///{tmp_path / 'before.db'}", step.down_revision)
    after = tables_at(f"sqlite:///{tmp_path / 'after.db'}", step.revision)
    for name, column in before.items():
        assert name in after, "nothing goes"
        assert str(after[name]["type"]) == str(column["type"]), name
        assert after[name]["nullable"] == column["nullable"], name
    known = {table for table, _ in before}
    for (table, name), column in after.items():
        if table in known and (table, name) not in before:
            assert column["nullable"] or column["default"] is not None, (table, name)
