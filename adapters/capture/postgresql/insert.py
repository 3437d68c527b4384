"""The statement with which a trigger of PostgreSQL writes events: of one row, or of a statement's.

Nothing in an update's transition tables says which new row was which old one, for its key may have
changed. But PostgreSQL writes both in one step a row, so they are paired by their places.
"""

from __future__ import annotations

from typing import Final

from ..dialect import Capture, Operation
from .row import columns_of, image, key
from .words import quoted

__all__ = ["CLOCK", "COLUMNS", "PLACE", "event", "events_of", "rows_of"]

COLUMNS: Final = '(event_id, source, "key", op, "before", "after", schema_hash, created_at)'
CLOCK: Final = "date_part('epoch', clock_timestamp())"
PLACE: Final = '"fig place"'


def events_of(
    capture: Capture, operation: Operation, events: str, *, by_row: bool, read: bool = False
) -> str:
    """Give the statement, for rows of which no value is large.

    ``read``: the images stand in the variables ``fig_before`` and ``fig_after`` already.
    """
    images = {row: image(columns_of(capture.shape), row) for row in ("OLD", "NEW")}
    if read:
        images = {"OLD": "fig_before", "NEW": "fig_after"}
    before = "NULL" if operation in ("insert", "truncate") else images["OLD"]
    after = "NULL" if operation in ("delete", "truncate") else images["NEW"]
    if operation == "truncate":
        of = "''"
    else:
        of = key(capture.shape, "OLD" if operation == "delete" else "NEW")
    values = event(capture, operation, key=of, before=before, after=after)
    into = f"INSERT INTO {events} {COLUMNS}"
    if by_row or operation == "truncate":
        return f"{into}\nVALUES ({values});"
    where = f"\nWHERE {capture.when}" if capture.when else ""
    order = f"\nORDER BY NEW.{PLACE}" if operation == "update" else ""
    return (
        f"{into}\nSELECT {values}\nFROM {rows_of(operation, alone=not capture.when)}{where}{order};"
    )


def event(
    capture: Capture,
    operation: Operation,
    *,
    key: str,
    before: str,
    after: str,
    id: str = "gen_random_uuid()",  # noqa: A002 it is the event's
) -> str:
    """Give the values of ``COLUMNS``."""
    return (
        f"{id}, {quoted(capture.source)},\n  {key},\n  '{operation}',\n  {before},\n"
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
    numbered = f"SELECT row_number() OVER () AS {PLACE}, r.* FROM"
    return (
        f"({numbered} fig_old AS r) AS OLD\n"
        f"JOIN ({numbered} fig_new AS r) AS NEW ON NEW.{PLACE} = OLD.{PLACE}"
    )
