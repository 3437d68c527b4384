"""What MariaDB's errors are to us: what to wait for, what to connect anew for, what to tell."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from stranglerfig.adapters.capture.mysql.dialect import MySqlCapture
from stranglerfig.adapters.capture.mysql.modes import is_good, mended
from stranglerfig.errors import ConfigError, LegacyError, LegacyUnavailable


def failing(legacy, statement: str) -> SQLAlchemyError:
    with legacy.engine.connect() as connection, pytest.raises(SQLAlchemyError) as told:
        connection.exec_driver_sql(statement)
    return told.value


def told(legacy, error) -> LegacyError:
    return legacy.dialect.trouble(error, place="fig.toml: legacy.x", name="x")


def test_a_lock_of_somebody_else_is_waited_for(t):
    t.run("INSERT INTO t (a) VALUES ('x')")
    t.connect("BEGIN", "SELECT * FROM t FOR UPDATE")
    error = failing(t, "UPDATE t SET a = 'y'")
    assert t.dialect.is_busy(error)
    assert not t.dialect.is_lost(error)
    assert isinstance(told(t, error), LegacyUnavailable)


def test_a_connection_that_was_cut_is_lost(legacy):
    with legacy.engine.connect() as connection:
        ((number,),) = connection.exec_driver_sql("SELECT CONNECTION_ID()").all()
        legacy.run(f"KILL {number}")
        with pytest.raises(SQLAlchemyError) as error:
            connection.exec_driver_sql("SELECT 1")
    assert legacy.dialect.is_lost(error.value)
    assert not legacy.dialect.is_busy(error.value)
    assert isinstance(told(legacy, error.value), LegacyUnavailable)


def test_a_server_that_is_away_is_lost_and_no_password_shows():
    dialect = MySqlCapture()
    url = make_url("mysql+pymysql://robot:hush@127.0.0.1:1/legacy")
    engine = dialect.engine(url, Path(), place="p", patience=1.0, password="secret")
    with pytest.raises(SQLAlchemyError) as error:
        engine.connect()
    assert dialect.is_lost(error.value)
    said = str(dialect.trouble(error.value, place="p", name="x"))
    assert "127.0.0.1" in said
    assert "hush" not in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("statement", "says", "remedy"),
    [
        ("SELECT * FROM fig_evnt", "capture is not installed", "fig adapter install x"),
        ("SELECT nothing FROM fig_event", "the database refused", ""),
        ("CREATE TRIGGER", "did not understand", "MariaDB 10.6"),
        (
            "INSERT INTO fig_large VALUES ('1','s',1,'t','secret',1),('1','s',1,'t','',1)",
            "refused",
            "",
        ),
        ("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1114", "disk", "make room"),
        ("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1290", "read-only", "primary"),
        ("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1665", "binary log", "binlog_format"),
        ("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1419", "binary log", "administrator"),
        ("SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1142", "lacks a right", "grant"),
    ],
)
def test_the_rest_is_told_with_what_to_do(legacy, statement, says, remedy):
    error = failing(legacy, statement)
    made = told(legacy, error)
    assert says in made.message
    assert remedy in made.remedy
    assert "secret" not in str(made)
    assert not legacy.dialect.is_lost(error)


def test_access_is_denied_without_showing_anything(legacy):
    url = legacy.url.set(username="nobody", password="hush")
    engine = legacy.dialect.engine(url, Path(), place="p", patience=1.0)
    with pytest.raises(SQLAlchemyError) as error:
        engine.connect()
    made = told(legacy, error.value)
    assert made.message == "access was denied"
    assert "hush" not in str(made)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql+mysqldb://x@h/d", "another driver"),
        ("mysql://x@h/d", "another driver"),
        ("mysql+pymysql://x@h", "names no database"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url, says):
    with pytest.raises(ConfigError, match=says):
        MySqlCapture().engine(make_url(url), Path(), place="p", patience=1.0)


def test_the_password_of_the_settings_is_the_one_that_counts(legacy):
    legacy.run("CREATE OR REPLACE USER fig_pass IDENTIFIED BY 'right'")
    legacy.run(f"GRANT SELECT ON {legacy.url.database}.* TO fig_pass")
    url = legacy.url.set(username="fig_pass", password="wrong")
    engine = legacy.dialect.engine(url, Path(), place="p", patience=1.0, password="right")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    assert "right" not in repr(engine)
    legacy.run("DROP USER fig_pass")


def test_a_session_of_ours_is_set_up_whatever_the_server_has(legacy):
    before = legacy.run("SELECT @@GLOBAL.sql_mode")[0][0]
    legacy.run("SET GLOBAL sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,EMPTY_STRING_IS_NULL'")
    try:
        with legacy.engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT @@sql_mode, @@time_zone, @@innodb_lock_wait_timeout, @@autocommit,"
                " @@character_set_client, @@tx_isolation"
            ).one()
    finally:
        with pymysql.connect(host=legacy.url.host, port=legacy.url.port, user="root") as session:
            session.cursor().execute("SET GLOBAL sql_mode = %s", (before,))
    assert set(row[0].split(",")) == {"ANSI_QUOTES", "STRICT_TRANS_TABLES"}
    assert row[1:] == ("+00:00", 1, 1, "utf8mb4", "READ-COMMITTED")


def test_modes_are_left_alone_where_they_are_good():
    good = "STRICT_TRANS_TABLES,ANSI_QUOTES"
    assert is_good(good)
    assert mended(good) == good
    for bad in ("", "ANSI", "STRICT_ALL_TABLES,PAD_CHAR_TO_FULL_LENGTH", "ORACLE"):
        assert not is_good(bad)
        assert is_good(mended(bad))
