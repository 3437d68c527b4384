"""The statements with which a trigger of PostgreSQL writes events: of one row, or of a statement's.

Nothing in an update's transition tables says which new row was which old one, for its key may have
changed. But PostgreSQL writes both in one step a row, so they are paired by their places.

An event's id is random in each transaction (the trigger's ``fig_state``), and in it the number of
the event: a random one for each event would cost half as much as all the rest of the row.
"""

from __future__ import annotations

from typing import Final

from ..dialect import Capture, Operation
from ..events import EVENTS
from .row import JOIN, columns_of, image, key
from .words import qualified, quoted

__all__ = ["CLOCK", "COLUMNS", "NUMBERS", "PLACE", "event", "events_of", "rows_of"]

COLUMNS: Final = '(event_id, source, "key", op, "before", "after", schema_hash, created_at)'
CLOCK: Final = "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())"
PLACE: Final = '"fig place"'
NUMBERS: Final = "fig_event_id_seq"
"""The sequence of the events' numbers."""

_NUMBERED: Final = COLUMNS.replace("(", "(id, ", 1)

# What a variable is given, the server's language works out without a query of its own, and with
# what it found out about types in the calls before: so the query has nothing left to work out.
_ROW: Final = """\
{images}
fig_key := {key};
fig_at := {clock};
fig_number := {number};
fig_id := fig_state {join} fig_number::pg_catalog.text;
INSERT INTO {into}
VALUES (fig_number, fig_id, {source}, fig_key, '{operation}',
  {before}, {after}, '{digest}', fig_at);"""

_STATEMENT: Final = """\
INSERT INTO {into}
SELECT fig_e.fig_number, fig_state {join} fig_e.fig_number::pg_catalog.text, {source},
  fig_e.fig_key, '{operation}', fig_e.fig_before, fig_e.fig_after, '{digest}', {clock}
FROM (SELECT {number} AS fig_number, fig_r.* FROM (
  SELECT {key} AS fig_key,
  {before} AS fig_before,
  {after} AS fig_after
  FROM {rows}{where}{order}) AS fig_r) AS fig_e;"""


def events_of(
    capture: Capture, operation: Operation, home: str, *, by_row: bool, read: bool = False
) -> str:
    """Give the statements, for rows of which no value is large.

    ``read``: the images stand in the variables ``fig_before`` and ``fig_after`` already.
    """
    made = {
        "OLD": "" if operation in ("insert", "truncate") else "fig_before",
        "NEW": "" if operation in ("delete", "truncate") else "fig_after",
    }
    images = {row: image(columns_of(capture.shape), row) for row in made}
    of = "''"
    if operation != "truncate":
        of = key(capture.shape, "OLD" if operation == "delete" else "NEW")
    words = {
        "into": f"{qualified(home, EVENTS.name)} {_NUMBERED}",
        "number": f"pg_catalog.nextval({quoted(qualified(home, NUMBERS))}::pg_catalog.regclass)",
        "source": quoted(capture.source),
        "operation": operation,
        "digest": capture.shape.digest,
        "clock": CLOCK,
        "key": of,
        "join": JOIN,
    }
    if by_row or operation == "truncate":
        wanted = [row for row, name in made.items() if name and not read]
        assigned = "\n".join(f"{made[row]} := {images[row]};" for row in wanted)
        before, after = (name or "NULL" for name in made.values())
        return _ROW.format(images=assigned, before=before, after=after, **words).lstrip("\n")
    before, after = (images[row] if name else "NULL" for row, name in made.items())
    return _STATEMENT.format(
        before=before,
        after=after,
        rows=rows_of(operation, alone=not capture.when),
        where=f"\n  WHERE {capture.when}" if capture.when else "",
        order=f"\n  ORDER BY NEW.{PLACE}" if operation == "update" else "",
        **words,
    )


def event(
    capture: Capture, operation: Operation, *, key: str, before: str, after: str, known_as: str
) -> str:
    """Give the values of ``COLUMNS``; ``known_as`` is the event's id."""
    return (
        f"{known_as}, {quoted(capture.source)},\n  {key},\n  '{operation}',\n  {before},\n"
        f"  {after},\n  '{capture.shape.digest}', {CLOCK}"
    )


def rows_of(operation: Operation, *, alone: bool) -> str:
    """Give the rows of a statement as ``NEW`` and ``OLD``; the one that is not there is all null.

    ``alone``: nobody asks for the one that is not there.
    """
    if alone and operation in ("insert", "delete"):
        return "fig_new AS NEW" if operation == "insert" else "fig_old AS OLD"
    if operation == "insert":
        return "fig_new AS NEW LEFT JOIN fig_new AS OLD ON false"
    if operation == "delete":
        return "fig_old AS OLD LEFT JOIN fig_old AS NEW ON false"
    numbered = f"SELECT pg_catalog.row_number() OVER () AS {PLACE}, r.* FROM"
    return (
        f"({numbered} fig_old AS r) AS OLD\n"
        f"JOIN ({numbered} fig_new AS r) AS NEW ON NEW.{PLACE} OPERATOR(pg_catalog.=) OLD.{PLACE}"
    )
