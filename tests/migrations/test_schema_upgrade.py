from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from stranglerfig.errors import MissingExtra, StoreError, StoreUnavailable
from stranglerfig.migrations.schema.upgrade import current, head, upgrade
from stranglerfig.store import Store
from stranglerfig.store.tables import HEAD, metadata


@pytest.fixture
def file(tmp_path):
    return tmp_path / "fig 1%20#?.db"


@pytest.fixture
def url(file):
    return "sqlite:///" + str(file).replace("%", "%25").replace("#", "%23").replace("?", "%3F")


def test_the_newest_version_makes_the_tables_of_the_code(url):
    upgrade(url)
    with Store(url).engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_code_expects_the_newest_version():
    assert head() == HEAD


def test_current_says_where_the_store_stands_and_makes_none(url, file):
    assert current(url) is None
    assert not file.exists()
    upgrade(url)
    assert current(url) == HEAD


def test_upgrading_again_changes_nothing(url, file):
    upgrade(url)
    before = sqlite3.connect(file)
    rows = before.execute("SELECT * FROM sqlite_master").fetchall()
    upgrade(url)
    assert before.execute("SELECT * FROM sqlite_master").fetchall() == rows
    before.close()


def test_two_that_upgrade_at_once_take_turns(url):
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(upgrade, url) for _ in range(2)]:
            done.result()
    assert current(url) == HEAD


def test_a_failed_upgrade_leaves_nothing(url, file):
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE leases (theirs TEXT)")
    other.commit()
    with pytest.raises(StoreError):
        upgrade(url)
    names = {name for (name,) in other.execute("SELECT name FROM sqlite_master")}
    other.close()
    assert names == {"leases"}


def test_it_neither_prints_nor_touches_the_log(url, capfd):
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.root.manager.disable)
    upgrade(url)
    assert (root.level, list(root.handlers), logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("CREATE TABLE old (text)")
held.executemany("INSERT INTO old VALUES (?)", [("x" * 3000,)] * 300)
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.process
def test_a_deleted_store_that_is_still_open_somewhere_does_not_get_into_the_new_one(url, file):
    upgrade(url)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert held.stdout.readline() == b"held\n"
    file.unlink()
    upgrade(url)
    fresh = sqlite3.connect(file)
    names = {name for (name,) in fresh.execute("SELECT name FROM sqlite_master")}
    assert fresh.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    fresh.close()
    held.communicate(b"\n", timeout=60)
    assert "journal" in names
    assert "old" not in names
    assert current(url) == HEAD


def test_a_store_of_a_newer_version_is_refused(url, file):
    upgrade(url)
    other = sqlite3.connect(file)
    other.execute("UPDATE alembic_version SET version_num = '9999'")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="upgrade stranglerfig"):
        Store(url).open()
    with pytest.raises(StoreError, match="newer"):
        upgrade(url)


def test_a_file_that_is_no_database_is_named(url, file):
    file.write_bytes(b"not a database at all, but long enough to be one" * 50)
    with pytest.raises(StoreUnavailable, match="not a database"):
        upgrade(url)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        upgrade(f"sqlite:///{tmp_path / 'none' / 'fig.db'}")


@pytest.mark.parametrize("bad", ["", "nonsense", "sqlite://", "mysql://u:geheim@h/d", "x+y://z"])
def test_an_address_that_cannot_be_a_store_is_refused(bad):
    with pytest.raises((StoreError, MissingExtra)) as caught:
        Store(bad)
    assert "geheim" not in str(caught.value)
