"""What PostgreSQL says, in our words: from a real server, and its real refusals."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from stranglerfig.errors import StoreUnavailable
from stranglerfig.store import Line, Store, Write, postgresql
from stranglerfig.store.database import Database
from stranglerfig.tests.stores import store_database


@pytest.fixture
def url(postgresql):
    return store_database(postgresql)


@pytest.fixture
def run():
    """Run statements as the administrator, in a database."""

    def run_all(*statements, url):
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return run_all


@pytest.fixture
def role(postgresql, url, run):
    """Give the store's URL for a user of its own, who may do nothing yet."""
    name = "u_" + url.rpartition("/")[2]
    with postgresql.administer() as engine, engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'geheim' CONNECTION LIMIT 1"))
    return make_url(url).set(username=name).render_as_string(hide_password=False)


def delete_all(store):
    with store.database.write() as connection:
        connection.execute(text("DELETE FROM inbox"))


def refused(url, writing=False):
    store = Store(url, patience=30)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            delete_all(store) if writing else store.open()
    finally:
        store.close()
    assert caught.value.remedy
    assert caught.value.value
    assert "geheim" not in str(caught.value)
    return caught.value


def test_a_wrong_password(postgresql, role):
    hba = postgresql.folder / "data" / "pg_hba.conf"
    before = hba.read_text()
    name = make_url(role).username
    hba.write_text(f"host all {name} 127.0.0.1/32 scram-sha-256\n{before}")
    try:
        reload(postgresql)
        error = refused(make_url(role).set(password="wrong-geheim").render_as_string(False))
        assert "refuses our password" in str(error)
        assert "store_password" in error.remedy
        assert "refuses our password" in str(refused(role))
    finally:
        hba.write_text(before)
        reload(postgresql)


def reload(server):
    with server.administer() as engine, engine.connect() as connection:
        connection.execute(text("SELECT pg_reload_conf()"))


def test_a_database_that_is_missing(url):
    error = refused(make_url(url).set(database="none").render_as_string())
    assert "no such database" in str(error)
    assert "createdb" in error.remedy


def test_a_user_that_is_missing(url):
    error = refused(make_url(url).set(username="nobody").render_as_string())
    assert "does not let us in" in str(error)


def test_a_server_that_is_not_there(url):
    assert "does not answer" in str(refused(make_url(url).set(port=1).render_as_string()))


def test_a_host_that_is_not_known(url):
    error = refused(make_url(url).set(host="none.invalid").render_as_string())
    assert "host is not known" in str(error)


def test_no_rights(role, url, run):
    assert "may not do this" in str(refused(role))
    run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {make_url(role).username}", url=url)
    assert "may not do this" in str(refused(role, writing=True))


def test_too_many_connections(role, url, run):
    run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {make_url(role).username}", url=url)
    first = Store(role)
    with first.database.read():
        assert "too many connections" in str(refused(role))
    first.close()


def test_a_read_only_database(url, run, until):
    store = Store(url, patience=30)
    store.open()
    name = url.rpartition("/")[2]
    run(f"ALTER DATABASE {name} SET default_transaction_read_only = on", url=url)
    store.database.engine.dispose()
    assert "takes no writes" in str(refused(url, writing=True))
    store.close()


def test_a_full_disk(url, run, until):
    """The server's own error for it, raised where a line is written: then the disk has room again."""
    run(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE 'could not extend file \"base/1\": No space left on device' USING ERRCODE = '53100';"
        " END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON journal EXECUTE FUNCTION full_disk()",
        url=url,
    )
    store = Store(url, patience=30)
    store.open()
    with pytest.raises(StoreUnavailable, match="disk is full"):
        asyncio.run(store.journal.commit(Write(lines=(Line("request"),))))
    store.journal.append(Write(lines=(Line("request", request_id="kept"),)))
    until(lambda: not store.journal.healthy)
    run("DROP TRIGGER full_disk ON journal", url=url)
    assert store.journal.flush(30)
    assert [e.line.request_id for e in store.journal.read(kinds=["request"])] == ["kept"]
    store.close()


def test_no_tables_of_ours(url, run):
    run("DROP TABLE inbox", url=url)
    store = Store(url)
    with pytest.raises(StoreUnavailable, match="no tables of ours"):
        store.inbox.seen("c", "m")
    store.close()


def test_what_is_not_known_names_its_kind(url):
    store = Store(url)
    with (
        pytest.raises(StoreUnavailable, match="DivisionByZero"),
        store.database.read() as connection,
    ):
        connection.execute(text("SELECT 1 / 0"))
    store.close()


def test_a_confirmed_commit_is_durable_whatever_the_servers_default_is(url):
    store = Store(url)
    with store.database.read() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "off"
    with store.database.write() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    store.close()


def test_what_is_read_after_the_lock_is_what_the_one_before_wrote(url, run):
    name = url.rpartition("/")[2]
    run(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'", url=url)
    store = Store(url)
    with store.database.write() as connection:
        shown = connection.execute(text("SHOW transaction_isolation")).scalar()
    assert shown == "read committed"
    store.close()


def test_who_is_frozen_in_a_write_holds_the_others_up_for_seconds_only(url, monkeypatch):
    """A process that is stopped still answers the server's keepalives: nothing else ends it."""
    monkeypatch.setattr(postgresql, "_FROZEN", 0.2)
    frozen, other = Database(url), Database(url)

    def hold():
        with frozen.write() as held:
            held.execute(text("DELETE FROM leases"))
            with other.write(wait=20.0) as connection:
                connection.execute(text("SELECT 1"))
            held.execute(text("SELECT 1"))

    with pytest.raises(StoreUnavailable, match="we were frozen in it"):
        hold()
    for database in (frozen, other):
        database.engine.dispose()
