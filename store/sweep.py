"""Requests whose outcome did not come, and outcomes whose request did not: told, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Row, Select, Table, select, update

from . import link, tables
from .database import Database
from .group import Inserts
from .line import Line

__all__ = ["MOST", "Sweep"]

MOST: Final = 500
"""Rows of a state that are marked in one transaction."""

Rows = Select[tuple[object, ...]]


class Sweep:
    """Marks what is past its time. Any number of processes may do so: each row is marked once.

    Blocks: an event loop calls it in a thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inserts = Inserts(database.engine)

    def run(self, within: Mapping[str, float], now: float) -> dict[tuple[str, str], int]:
        """Mark rows and journal a line each; give the counts by endpoint and state.

        ``within`` is the window in seconds of each endpoint that has one: an outcome that is that
        old has no request any more. At most 500 rows of a state are marked at once: where that many
        were, call it again. Raises ``StoreUnavailable``; then nothing was written.
        """
        counts: dict[tuple[str, str], int] = {}
        for endpoint, seconds in within.items():
            for state, table, due in (
                ("missing", tables.awaited, tables.awaited.c.until < now),
                ("unasked", tables.outcomes, tables.outcomes.c.at < now - seconds),
            ):
                before = "waiting" if state == "missing" else "early"
                query = (
                    select(table)
                    .where(table.c.state == before, table.c.endpoint == endpoint, due)
                    .order_by(table.c.id)
                    .limit(MOST)
                )
                # Looked at first without the store's one lock, which is there to be written under.
                with self._database.read() as connection:
                    if connection.execute(query.limit(1)).first() is None:
                        continue
                with self._database.write() as connection:
                    counts[endpoint, state] = self._mark(connection, table, query, state)
        return {what: count for what, count in counts.items() if count}

    def _mark(self, connection: Connection, table: Table, query: Rows, state: str) -> int:
        found = connection.execute(query).all()
        if found:
            which = table.c.id.in_([row.id for row in found])
            connection.execute(update(table).where(which).values(state=state))
            self._inserts.lines(connection, [link.row(_line(row, state)) for row in found])
        return len(found)


def _line(row: Row[tuple[object, ...]], state: str) -> Line:
    fields = row._mapping  # noqa: SLF001 SQLAlchemy's public way to a row by names
    data: dict[str, object] = {"state": state, "key": fields["key"], "recorded": fields["at"]}
    if state == "missing":
        data["until"] = fields["until"]
    else:
        data["position"] = fields["position"]
    return Line(
        kind="outcome",
        endpoint=fields["endpoint"],
        request_id=fields.get("request_id", ""),
        data=data,
    )
