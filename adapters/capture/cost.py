"""What a trigger costs a write: measured with writes that are rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from statistics import median
from typing import Any, Final

from sqlalchemy import Insert, MetaData, Table, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ...model import Finding
from .canary import Canary
from .savepoint import Savepoint, refusal

__all__ = ["bare_copy", "cost"]

_TIMES: Final = 25
_COPY: Final = "fig_canary"


def bare_copy(connection: Connection, table: Table) -> Table | None:
    """Make an empty temporary copy of a table, without triggers; it ends with the connection.

    To be made before the transaction: SQLite reads its schema anew at every rollback after a
    change of it. None where it is not needed, or not allowed.
    """
    if connection.dialect.name == "postgresql":
        return None
    columns = [column._copy() for column in table.columns]  # noqa: SLF001 the way to copy one
    copy = Table(_COPY, MetaData(), *columns, prefixes=["TEMPORARY"])
    try:
        if connection.dialect.name == "sqlite":
            copy.create(connection)
        else:
            quoted = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_COPY} LIKE {quoted}")
    except DBAPIError:
        return None
    return copy


def cost(
    connection: Connection, canary: Canary, names: Collection[str], copy: Table | None
) -> Finding:
    """Measure an insert with its triggers, ours by their ``names``; medians, in microseconds.

    PostgreSQL tells the time of each trigger. Elsewhere the same rows go into ``copy``, which has
    no triggers: ``without_us``.
    """
    try:
        figures = _measured(connection, canary, names, copy)
    except DBAPIError as error:
        says = f"not measured: {refusal(error)}"
        return Finding(check="cost", state="skip", says=says)
    if not figures:
        says = "not measured: this user may not create temporary tables"
        return Finding(check="cost", state="skip", says=says)
    says = "an insert with its triggers {insert_us:.0f} µs, of it ours {trigger_us:.0f} µs"
    return Finding(check="cost", state="ok", says=says.format(**figures), figures=figures)


def _measured(
    connection: Connection, canary: Canary, names: Collection[str], copy: Table | None
) -> dict[str, float]:
    if connection.dialect.name == "postgresql":
        return _explained(connection, canary, names)
    if copy is None:
        return {}
    statements = [canary.row.statement(into) for into in (copy, canary.table)]
    bare, whole = _timed(connection, [_spelled(connection, one) for one in statements])
    figures = {"insert_us": whole, "without_us": bare, "trigger_us": max(0.0, whole - bare)}
    return {name: round(value, 1) for name, value in figures.items()}


def _spelled(connection: Connection, statement: Insert) -> tuple[str, Any]:
    """Give a statement as the driver gets it: to write it down is no cost of legacy's."""
    spelled: list[tuple[str, Any]] = []

    def keep(_: object, __: object, text: str, values: Any, *___: object) -> None:
        spelled.append((text, values))

    event.listen(connection, "before_cursor_execute", keep)
    with Savepoint(connection, keep=False):
        connection.execute(statement)
    event.remove(connection, "before_cursor_execute", keep)
    return next(one for one in spelled if one[0].startswith("INSERT"))


def _timed(connection: Connection, statements: Sequence[tuple[str, Any]]) -> list[float]:
    """Run them by turns, so that whatever else the machine does meets all of them."""
    took: list[list[float]] = [[] for _ in statements]
    for _ in range(_TIMES):
        for (text, values), times in zip(statements, took, strict=True):
            with Savepoint(connection, keep=False):
                begun = time.perf_counter()
                connection.exec_driver_sql(text, values)
                times.append(time.perf_counter() - begun)
    return [median(times) * 1e6 for times in took]


def _explained(connection: Connection, canary: Canary, names: Collection[str]) -> dict[str, float]:
    wholes, ours = [], []
    for _ in range(_TIMES):
        with Savepoint(connection, keep=False):
            statement = canary.row.statement(canary.table)
            found = canary.row.run(statement, "EXPLAIN (ANALYZE, FORMAT JSON) ").scalar_one()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]
        wholes.append(plan["Execution Time"])
        triggers = [one for one in plan["Triggers"] if one["Trigger Name"] in names]
        ours.append(sum(one["Time"] for one in triggers))
    whole, own = median(wholes) * 1e3, median(ours) * 1e3
    return {"insert_us": round(whole, 1), "trigger_us": round(own, 1)}
