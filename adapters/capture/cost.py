"""What a trigger costs a write: measured with writes that are rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from statistics import median
from typing import Any, Final

from sqlalchemy import Insert, MetaData, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ...model import Finding
from .canary import Canary, Savepoint, refusal

__all__ = ["cost"]

_TIMES: Final = 15
_COPY: Final = "fig_canary"


def cost(connection: Connection, canary: Canary, names: Collection[str]) -> Finding:
    """Measure an insert with its triggers, ours by their ``names``; medians, in microseconds.

    PostgreSQL tells the time of each trigger. Elsewhere the same rows go into a temporary copy of
    the table, which has no triggers: ``without_us``.
    """
    try:
        figures = _measured(connection, canary, names)
    except DBAPIError as error:
        says = f"not measured: {refusal(error)}"
        return Finding(check="cost", state="skip", says=says)
    says = "an insert with its triggers {insert_us:.0f} µs, of it ours {trigger_us:.0f} µs"
    return Finding(check="cost", state="ok", says=says.format(**figures), figures=figures)


def _measured(connection: Connection, canary: Canary, names: Collection[str]) -> dict[str, float]:
    if connection.dialect.name == "postgresql":
        return _explained(connection, canary, names)
    with Savepoint(connection, keep=False):
        copy = _copy(connection, canary.table)
        try:
            bare = _timed(connection, canary.statement(copy))
        finally:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql(f"DROP TEMPORARY TABLE {_COPY}")
        whole = _timed(connection, canary.statement(canary.table))
    return {"insert_us": whole, "without_us": bare, "trigger_us": max(0.0, whole - bare)}


def _timed(connection: Connection, statement: Insert) -> float:
    # As the driver gets it: what SQLAlchemy needs to write it down is no cost of legacy's.
    spelled: list[tuple[str, Any]] = []

    def keep(_: object, __: object, text: str, values: Any, *___: object) -> None:
        spelled.append((text, values))

    event.listen(connection, "before_cursor_execute", keep)
    with Savepoint(connection, keep=False):
        connection.execute(statement)
    event.remove(connection, "before_cursor_execute", keep)
    (text, values) = next(one for one in spelled if "INSERT" in one[0])
    took = []
    for _ in range(_TIMES):
        with Savepoint(connection, keep=False):
            begun = time.perf_counter()
            connection.exec_driver_sql(text, values)
            took.append(time.perf_counter() - begun)
    return median(took) * 1e6


def _explained(connection: Connection, canary: Canary, names: Collection[str]) -> dict[str, float]:
    wholes, ours = [], []
    for _ in range(_TIMES):
        with Savepoint(connection, keep=False):
            statement = canary.statement(canary.table)
            found = canary.run(statement, "EXPLAIN (ANALYZE, FORMAT JSON) ").scalar_one()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]
        wholes.append(plan["Execution Time"])
        triggers = [one for one in plan["Triggers"] if one["Trigger Name"] in names]
        ours.append(sum(one["Time"] for one in triggers))
    return {"insert_us": median(wholes) * 1e3, "trigger_us": median(ours) * 1e3}


def _copy(connection: Connection, table: Table) -> Table:
    """Make a temporary table of the same columns and keys, which ends with the connection."""
    if connection.dialect.name == "sqlite":
        copy = Table(_COPY, MetaData(), prefixes=["TEMPORARY"])
        for column in table.columns:
            copy.append_column(column._copy())  # noqa: SLF001
        copy.create(connection)
        return copy
    quoted = connection.dialect.identifier_preparer.format_table(table)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_COPY} LIKE {quoted}")
    copy = Table(_COPY, MetaData())
    for column in table.columns:
        copy.append_column(column._copy())  # noqa: SLF001
    return copy
