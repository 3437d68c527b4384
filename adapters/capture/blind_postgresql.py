"""What triggers in PostgreSQL do not see, and what keeps them from firing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ...model import Finding
from .dialect import Capture
from .postgresql.words import OID, asked

__all__ = ["look"]

_TABLE: Final = f"""\
SELECT c.relkind::text AS kind, c.relpersistence::text AS persistence,
  c.relispartition AS is_partition,
  (SELECT count(*) FROM pg_inherits i WHERE i.inhparent = c.oid) AS children,
  (SELECT count(*) FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.is_instead
     AND r.ev_type <> '1') AS rules,
  EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE '%fig%'
     AND t.tgenabled = 'O') AS origin
FROM pg_class c
WHERE c.oid = {OID}
"""  # noqa: S608 a constant of ours

_SUBSCRIBED: Final = f"""\
SELECT count(*) FROM pg_subscription_rel r JOIN pg_class c ON c.oid = r.srrelid
WHERE c.oid = {OID}"""  # noqa: S608 a constant of ours

_REPLICA: Final = """\
SELECT count(*) FROM pg_db_role_setting s, unnest(s.setconfig) AS one
WHERE one = 'session_replication_role=replica' AND s.setdatabase IN
  (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"""

# No row where the sequence does not stand: it is looked up by its name, and not taken as given.
_MISSED: Final = """\
SELECT pg_sequence_last_value(oid::regclass) FROM pg_class
WHERE oid = to_regclass('fig_missed') AND relkind = 'S'"""

_LONG: Final = """\
SELECT count(*) AS open, COALESCE(max(extract(epoch FROM now() - began)), 0)::float8 AS oldest
FROM (SELECT xact_start AS began FROM pg_stat_activity WHERE datname = current_database()
      AND pid <> pg_backend_pid()
      UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) AS t
WHERE began < now() - interval '5 minutes'"""


def look(connection: Connection, capture: Capture) -> Iterator[Finding]:
    """Name what rows change by without a trigger of ours. Raises what SQLAlchemy does."""
    shape = capture.shape
    values = asked(shape.schema, shape.table)
    table = connection.execute(text(_TABLE), values).mappings().first()
    if table is not None:
        yield from _storage(table["kind"], table["persistence"], table["children"])
        yield from _rules(table["rules"])
        if table["origin"]:
            yield from _replication(connection, values)
    yield from _missed(connection)
    yield from _long(connection)


def _missed(connection: Connection) -> Iterator[Finding]:
    try:
        count = connection.execute(text(_MISSED)).scalar()
    except DBAPIError:  # this user may not read it
        return
    if count:
        yield Finding(
            check="unnoted gaps",
            state="fail",
            says=(
                f"{count} changes in this database could neither be captured nor noted:"
                " our tables were gone, locked or full"
            ),
            remedy=(
                "see that they stand; run 'fig adapter reconcile' for every source here; then"
                " ALTER SEQUENCE fig_missed RESTART"
            ),
            figures={"unnoted": float(count)},
        )


def _storage(kind: str, persistence: str, children: int) -> Iterator[Finding]:
    if kind == "r" and children:
        yield Finding(
            check="inheritance",
            state="warn",
            says=f"{children} tables inherit from it: rows written to them are not captured",
            remedy="capture each of them as a source of its own",
        )
    if persistence == "u":
        yield Finding(
            check="unlogged",
            state="warn",
            says="the table is unlogged: a crash empties it, and no trigger fires for that",
            remedy="run 'fig adapter reconcile' after a crash, or ALTER TABLE … SET LOGGED",
        )


def _rules(count: int) -> Iterator[Finding]:
    if count:
        yield Finding(
            check="rules",
            state="warn",
            says=f"{count} rules do something INSTEAD of what is written: no trigger may fire",
            remedy="see with \\d+ what they do; capture the table that they write to",
        )


def _replication(connection: Connection, table: Mapping[str, str]) -> Iterator[Finding]:
    always = "let the triggers fire for replicated rows too: ALTER TABLE … ENABLE ALWAYS TRIGGER"
    for statement, says in (
        (_SUBSCRIBED, "the table is filled by a subscription, for whose rows no trigger fires"),
        (_REPLICA, "a user or database sets session_replication_role = replica: none fires there"),
    ):
        try:
            count = connection.execute(text(statement), table).scalar_one()
        except DBAPIError:  # not everybody may read these catalogs
            continue
        if count:
            yield Finding(check="replication", state="warn", says=says, remedy=always)


def _long(connection: Connection) -> Iterator[Finding]:
    count, oldest = connection.execute(text(_LONG)).one()
    if count:
        yield Finding(
            check="long transactions",
            state="warn",
            says=f"{count} are open for over 5 minutes: what they wrote is not captured yet",
            remedy="find the program that keeps them open, or the forgotten prepared transaction",
            figures={"transactions": count, "oldest_s": round(oldest, 1)},
        )
