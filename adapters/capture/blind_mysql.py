"""What triggers in MySQL and MariaDB do not see."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ...model import Finding
from .dialect import Capture

__all__ = ["look", "no_way_back"]

_CASCADES = """\
SELECT r.CONSTRAINT_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE
FROM information_schema.REFERENTIAL_CONSTRAINTS r
WHERE r.CONSTRAINT_SCHEMA = COALESCE(%s, DATABASE()) AND r.TABLE_NAME = %s
ORDER BY 1"""

_ENGINE = """\
SELECT t.TABLE_NAME, t.ENGINE FROM information_schema.TABLES t
JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE (t.TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND t.TABLE_NAME = %s
  OR t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME LIKE 'fig\\_%%') AND e.TRANSACTIONS <> 'YES'"""

_OTHERS = """\
SELECT COUNT(*) FROM information_schema.TRIGGERS
WHERE EVENT_OBJECT_SCHEMA = COALESCE(%s, DATABASE()) AND EVENT_OBJECT_TABLE = %s
  AND NOT LOCATE('fig_event', ACTION_STATEMENT)"""

_PLAIN = """\
SELECT t.TABLE_NAME FROM information_schema.TABLES t
JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = COALESCE(%s, DATABASE()) AND e.TRANSACTIONS <> 'YES'"""

_LONG = """\
SELECT COUNT(*), COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0)
FROM information_schema.INNODB_TRX WHERE trx_started < NOW() - INTERVAL 5 MINUTE"""

_SILENT = ("CASCADE", "SET NULL", "SET DEFAULT")


def look(connection: Connection, capture: Capture) -> Iterator[Finding]:
    """Name what rows change by without a trigger of ours. Raises what SQLAlchemy does."""
    shape = capture.shape
    for name, parent, on_delete, on_update in connection.exec_driver_sql(
        _CASCADES, (shape.schema or None, shape.table)
    ).all():
        yield from _cascade(capture, name, parent, on_delete, on_update)
    yield from _engines(connection, capture)
    yield from _binlog(connection)
    yield from _long(connection)


def no_way_back(connection: Connection, schema: str, table: str) -> str:
    """Say why what is written to the table could not be rolled back; "" where it could.

    Triggers of legacy's own might write to a table without transactions: where the schema has such
    a one, and the table has such triggers, nobody knows.
    """
    rows = connection.exec_driver_sql(_ENGINE, (schema or None, table)).all()
    if rows:
        return f"{rows[0][0]} is of the engine {rows[0][1]}"
    others = connection.exec_driver_sql(_OTHERS, (schema or None, table)).scalar_one()
    plain = connection.exec_driver_sql(_PLAIN, (schema or None,)).scalars().all()
    if others and plain:
        return f"a trigger of legacy's own may write to {plain[0]}"
    return ""


def _cascade(
    capture: Capture, name: str, parent: str, on_delete: str, on_update: str
) -> Iterator[Finding]:
    rules = [
        f"ON {what} {rule}"
        for what, rule in (("DELETE", on_delete), ("UPDATE", on_update))
        if rule in _SILENT
    ]
    if rules:
        yield Finding(
            check=f"cascade {name}",
            state="warn",
            says=(
                f"rows change with those of {parent} ({', '.join(rules)}) and no trigger fires:"
                " the server does that below them"
            ),
            remedy=(
                f"capture {parent} too and derive it, or let 'fig adapter reconcile"
                f" {capture.source}' find it"
            ),
        )


def _engines(connection: Connection, capture: Capture) -> Iterator[Finding]:
    shape = capture.shape
    rows = connection.exec_driver_sql(_ENGINE, (shape.schema or None, shape.table))
    for table, engine in rows.all():
        yield Finding(
            check=f"engine {table}",
            state="warn",
            says=f"{engine} has no transactions: what legacy rolls back is captured all the same",
            remedy="have the table moved to InnoDB",
        )


def _binlog(connection: Connection) -> Iterator[Finding]:
    logs, form = connection.exec_driver_sql("SELECT @@log_bin, @@binlog_format").one()
    if logs and form == "STATEMENT":
        yield Finding(
            check="binary log",
            state="warn",
            says="statements are logged: a replica runs the triggers again, with other ids",
            remedy="set binlog_format to ROW or MIXED",
        )


def _long(connection: Connection) -> Iterator[Finding]:
    try:
        count, seconds = connection.exec_driver_sql(_LONG).one()
    except DBAPIError:  # it needs the right PROCESS
        return
    if count:
        yield Finding(
            check="long transactions",
            state="warn",
            says=f"{count} are open for over 5 minutes: what they wrote is not captured yet",
            remedy="find the program that keeps them open",
            figures={"transactions": count, "oldest_s": float(seconds)},
        )
