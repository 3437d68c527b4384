"""The MySQL triggers that capture a row, and what they do where that fails.

A trigger here is part of legacy's statement: an error that leaves it undoes the statement. So all
it does stands under an exit handler, which writes down the gap, under a handler of its own (so a
column that the key is of may be gone). What
no handler can catch: the account that installed the trigger (its definer) was dropped or lost the
TRIGGER right (1142, 1449); somebody else holds a lock on rows or the whole of our tables for longer
than legacy waits (1205), so nothing of ours ever does; a deadlock, which undoes the transaction
whoever is to blame.

Nothing here sets a session variable, selects, or leaves a warning; ``LAST_INSERT_ID()`` and
``ROW_COUNT()`` are restored by the server behind every trigger. The foreign keys' own actions
(``ON DELETE CASCADE``), ``TRUNCATE`` and partition maintenance fire no trigger.
"""

from __future__ import annotations

import hashlib
from typing import Final

from ..dialect import Capture, Operation, Piece
from ..events import GAPS, LARGE, TABLE_NAME
from ..when import condition
from .values import row_image, row_key, value
from .words import NOW, ident, literal

__all__ = ["trigger", "trigger_name"]

_MOST_NAME: Final = 64

_TRIGGER: Final = """\
CREATE TRIGGER {name} AFTER {timing} ON {table} FOR EACH ROW
{body}"""

# A value list sees the columns before it: an image too large for CONCAT is null, and then so is the
# digest, which may not be (1048).
_BODY: Final = """\
BEGIN{declarations}
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    DECLARE fig_error INT;
    DECLARE fig_said TEXT;
    DECLARE fig_key VARCHAR(600) CHARACTER SET utf8mb4;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;
    GET DIAGNOSTICS CONDITION 1 fig_error = MYSQL_ERRNO, fig_said = MESSAGE_TEXT;
    BEGIN
      DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;
      SET fig_key = {key};
    END;
    INSERT INTO {gaps} (source, op, `key`, reason, created_at)
    VALUES ({source}, '{operation}', fig_key, LEFT(CONCAT(fig_error, ' ', IF(fig_error = 1048,
        'the row is larger than max_allowed_packet', fig_said)), 1000), {now});
  END;{begin}{large}
    INSERT INTO {events}
      (source, event_id, `key`, op, `before`, `after`, schema_hash, created_at)
    VALUES ({source}, {event_id},
      {key},
      '{operation}',
      {before},
      {after},
      IF(`{image}` IS NULL, NULL, '{digest}'), {now});{end}
END"""

_LARGE: Final = """
    IF {bytes} > {most} THEN
      INSERT INTO {table} (ref, source, bytes, kind, value, created_at)
      VALUES (CONCAT(fig_id, '-{place}'), {source}, {bytes}, '{kind}', {raw}, {now});
    END IF;"""

_ID: Final = """
  DECLARE fig_id CHAR(32) CHARACTER SET ascii DEFAULT MD5(UUID());"""


def trigger(capture: Capture, operation: Operation, home: str) -> Piece:
    """Give the AFTER trigger of an operation; ``home`` is the schema of our tables."""
    shape = capture.shape
    name = trigger_name(shape.table, operation)
    quoted = ident(name, shape.schema)
    create = _TRIGGER.format(
        name=quoted,
        timing=operation.upper(),
        table=ident(shape.table, shape.schema),
        body=_body(capture, operation, home if shape.schema else ""),
    )
    return Piece(kind="trigger", name=name, create=create, drop=f"DROP TRIGGER IF EXISTS {quoted}")


def trigger_name(table: str, operation: Operation) -> str:
    """Give ``fig_<table>_<operation>``, cut with a digest where MySQL would refuse it."""
    name = f"fig_{table}_{operation}"
    if len(name) <= _MOST_NAME:
        return name
    digest = hashlib.sha256(table.encode()).hexdigest()[:8]
    return f"fig_{table[: _MOST_NAME - len(operation) - 14]}_{digest}_{operation}"


def _body(capture: Capture, operation: Operation, home: str) -> str:
    shape = capture.shape
    row = "OLD" if operation == "delete" else "NEW"
    when = condition(capture.when, operation, dialect="mysql")
    large = _large(capture, row, home)
    return _BODY.format(
        declarations=_ID if large else "",
        event_id="fig_id" if large else "UUID()",
        gaps=ident(GAPS.name, home),
        events=ident(TABLE_NAME, home),
        source=literal(capture.source),
        operation=operation,
        begin=f"\n  IF {when} THEN" if when else "",
        large=large,
        key=row_key(shape, row),
        before=row_image(shape, "OLD", capture.large) if operation != "insert" else "NULL",
        after=row_image(shape, "NEW", capture.large) if operation != "delete" else "NULL",
        image="before" if operation == "delete" else "after",
        digest=shape.digest,
        now=NOW,
        end="\n  END IF;" if when else "",
    )


def _large(capture: Capture, row: str, home: str) -> str:
    """Give the statements that keep what is too large for the image."""
    statements = []
    for place, (name, declared) in enumerate(capture.shape.columns):
        one = value(name, declared, row, capture.large)
        if one.bytes:
            statements.append(
                _LARGE.format(
                    bytes=one.bytes,
                    most=capture.large,
                    table=ident(LARGE.name, home),
                    place=place,
                    source=literal(capture.source),
                    kind=one.kind,
                    raw=one.raw,
                    now=NOW,
                )
            )
    return "".join(statements)
