"""Figures from real databases: one number, read and never written."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from stranglerfig.errors import ConfigError, FigError
from stranglerfig.guardrail_settings import Metric, Metrics, MetricSource
from stranglerfig.routing.guardrails.sql import ask_sql, check_sql


@pytest.fixture
def database(request, tmp_path, monkeypatch):
    """The settings of a metric's source on a database with a table of one row."""
    kind = request.param
    if kind == "sqlite":
        url = make_url(f"sqlite:///{tmp_path / 'own.db'}")
    else:
        given = request.getfixturevalue("postgresql").database()
        url = make_url(given)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE queue (size INTEGER)"))
        connection.execute(text("INSERT INTO queue VALUES (7)"))
    engine.dispose()
    password = ""
    if url.password:
        monkeypatch.setenv("METRIC_PASSWORD", url.password)
        password, url = "env:METRIC_PASSWORD", url.set(password=None)
    given = MetricSource(sql=url.render_as_string(hide_password=False), password=password)
    return Metrics(name="own", source=given, root=tmp_path, place="fig.toml: metrics.own")


both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
file = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def metric(query):
    return Metric(name="queue", source="own", query=query, max=10.0)


@both
def test_it_gives_the_number(database) -> None:
    assert ask_sql(metric("SELECT size FROM queue"), database) == 7


@both
@pytest.mark.parametrize("query", ["SELECT size FROM queue WHERE size > 9", "SELECT NULL"])
def test_no_row_and_null_are_no_data(database, query) -> None:
    assert ask_sql(metric(query), database) is None


@both
@pytest.mark.parametrize(
    "query", ["INSERT INTO queue VALUES (8)", "DELETE FROM queue", "UPDATE queue SET size = 0"]
)
def test_it_writes_nothing(database, query) -> None:
    with pytest.raises(FigError):
        ask_sql(metric(query), database)
    assert ask_sql(metric("SELECT sum(size) FROM queue"), database) == 7


@both
def test_signs_that_a_driver_could_take_for_binds_stay(database) -> None:
    query = "SELECT size FROM queue WHERE 'a:b 50% %s' LIKE 'a:b%%s'"
    assert ask_sql(metric(query), database) == 7


@file
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT 1 UNION SELECT 2", "something else than one number"),
        ("SELECT 1, 2", "something else than one number"),
        ("SELECT 'much'", "gives no number"),
        ("SELEC 1", "cannot be asked"),
    ],
)
def test_what_is_no_number_is_told_without_the_query_s_values(database, query, says) -> None:
    with pytest.raises(FigError, match=says) as error:
        ask_sql(metric(query), database)
    assert "much" not in str(error.value)


@file
def test_a_file_that_is_not_there_is_not_made(database, tmp_path) -> None:
    (tmp_path / "own.db").unlink()
    with pytest.raises(FigError):
        ask_sql(metric("SELECT 1"), database)
    assert not (tmp_path / "own.db").exists()


@file
def test_a_relative_file_is_the_workspace_s(database, tmp_path) -> None:
    given = Metrics(
        name="own", source=MetricSource(sql="sqlite:///own.db"), root=tmp_path, place="p"
    )
    assert ask_sql(metric("SELECT size FROM queue"), given) == 7


@pytest.mark.parametrize(
    "sql", ["nonsense", "oracle+none://x/y", "postgresql+psycopg://u:secret@h/n"]
)
def test_an_address_that_is_none_is_refused_without_its_password(tmp_path, sql) -> None:
    given = Metrics(name="own", source=MetricSource(sql=sql), root=tmp_path, place="p")
    with pytest.raises(ConfigError) as error:
        check_sql(given)
    assert "secret" not in str(error.value)
